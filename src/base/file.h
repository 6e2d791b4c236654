/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: whole reads with a maximum, durable atomic writes (temporary, fsync, rename, fsync of the directory), directory
 * creation, path safety. Symbolic links are not followed in the last component.
 */
#ifndef CTM_BASE_FILE_H
#define CTM_BASE_FILE_H
#include "base/buf.h"
#include <stdbool.h>

CTM_CHECK int ctm_file_read(const char *path, size_t max, struct ctm_buf *out, struct ctm_err *err);   /* NOTFOUND, TOOBIG, IO; out gets max */
CTM_CHECK int ctm_file_read_link(const char *path, size_t max, struct ctm_buf *out, struct ctm_err *err); /* the same, links followed: system files only */
CTM_CHECK int ctm_file_write(const char *path, const void *p, size_t n, unsigned mode, struct ctm_err *err); /* atomic, durable; IO */
CTM_CHECK int ctm_mkdirs(const char *path, unsigned mode, struct ctm_err *err);   /* with its parents; there already is fine; IO */
bool ctm_dir_exists(const char *path);                                 /* links are followed */
CTM_CHECK int ctm_dir_sync(const char *path);                          /* makes names in it durable; IO */
CTM_CHECK int ctm_fd_write(int fd, const void *p, size_t n);           /* all of it, over short writes and signals; IO, errno kept */
/* Hold the file at path (made when missing) against other processes until *fd is closed or this process ends. BUSY, IO. */
CTM_CHECK int ctm_file_lock(const char *path, int *fd, struct ctm_err *err);
/* The same, waiting at most wait_ms for another holder to let go. */
CTM_CHECK int ctm_file_lock_wait(const char *path, int wait_ms, int *fd, struct ctm_err *err);
/* Does anybody hold it? Looking takes the lock for an instant, so whoever wants it for long waits a little. */
bool ctm_file_locked(const char *path);
/* A relative path that stays inside its root: no empty, "." or ".." component, no leading '/', no NUL or backslash. */
bool ctm_path_safe(const char *rel);
void ctm_closep(int *fd);
#define CTM_AUTO_FD __attribute__((cleanup(ctm_closep))) int

#endif
