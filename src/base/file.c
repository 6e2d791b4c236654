/* SPDX-License-Identifier: Apache-2.0
 *
 * Files. A write is seen whole or not at all: bytes go to a temporary beside the target, are synced, renamed over it, and
 * the directory is synced. Reads take regular files only, so that a FIFO or device in the way cannot hang a program.
 */
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void ctm_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

bool ctm_dir_exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int fail_open(const char *path, int e, struct ctm_err *err)
{
	if (e == ENOENT || e == ENOTDIR)
		return ctm_fail(err, CTM_E_NOTFOUND, path, NULL, "there is no file %s", path);
	if (e == ELOOP)
		return ctm_fail(err, CTM_E_IO, path, NULL, "%s is a symbolic link; name the file itself", path);
	return ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be opened: %s", path, strerror(e));
}

static int read_all(int fd, const char *path, size_t max, struct ctm_buf *out, struct ctm_err *err)
{
	size_t before = out->len;
	char chunk[16384];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be read: %s", path, strerror(errno));
		if (n == 0)
			return ctm_buf_err(out, path, err);
		if ((size_t)n > max - (out->len - before))
			return ctm_fail(err, CTM_E_TOOBIG, path, NULL, "%s is larger than %zu bytes", path, max);
		ctm_buf_add(out, chunk, (size_t)n);
		if (out->failed)
			return ctm_buf_err(out, path, err);
	}
}

static int read_file(const char *path, int flags, size_t max, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	struct stat st;
	if (fd < 0)
		return fail_open(path, errno, err);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return ctm_fail(err, CTM_E_IO, path, NULL, "%s is not a regular file", path);
	if (st.st_size > 0 && (uint64_t)st.st_size > max)
		return ctm_fail(err, CTM_E_TOOBIG, path, NULL, "%s is larger than %zu bytes", path, max);
	if (!out->p && out->max < max)
		out->max = max;
	size_t before = out->len;
	int rc = read_all(fd, path, max, out, err);
	if (rc && out->p) {
		out->len = before;
		out->p[before] = 0;
	}
	return rc;
}

int ctm_file_read(const char *path, size_t max, struct ctm_buf *out, struct ctm_err *err)
{
	return read_file(path, O_NOFOLLOW, max, out, err);
}

int ctm_file_read_link(const char *path, size_t max, struct ctm_buf *out, struct ctm_err *err)
{
	return read_file(path, 0, max, out, err);
}

int ctm_fd_write(int fd, const void *p, size_t n)
{
	const char *b = p;
	while (n > 0) {
		ssize_t w = write(fd, b, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return CTM_E_IO;
		b += w;
		n -= (size_t)w;
	}
	return 0;
}

int ctm_dir_sync(const char *path)
{
	CTM_AUTO_FD fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0 ? 0 : CTM_E_IO;
}

/* Directory part of path into out; "." when there is none. */
static bool dir_of(const char *path, char *out, size_t cap)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (!slash)
		return ctm_copy(out, cap, ".");
	if (n == 0)
		return ctm_copy(out, cap, "/");
	if (n >= cap)
		return false;
	memcpy(out, path, n);
	out[n] = 0;
	return true;
}

int ctm_file_write(const char *path, const void *p, size_t n, unsigned mode, struct ctm_err *err)
{
	char dir[4096], tmp[4096];
	uint8_t r[8];
	char tag[17];
	ctm_random(r, sizeof r);
	ctm_hex(r, sizeof r, tag);
	if (!dir_of(path, dir, sizeof dir) || snprintf(tmp, sizeof tmp, "%s.%s.tmp", path, tag) >= (int)sizeof tmp)
		return ctm_fail(err, CTM_E_IO, path, NULL, "the path is too long");
	CTM_AUTO_FD fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be written: %s", path, strerror(errno));
	if (ctm_fd_write(fd, p, n) || fchmod(fd, (mode_t)mode) || fsync(fd) || rename(tmp, path)) {
		int e = errno;
		unlink(tmp);
		return ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be written: %s; what stood there is unchanged", path, strerror(e));
	}
	if (ctm_dir_sync(dir))
		return ctm_fail(err, CTM_E_IO, path, NULL, "the directory of %s cannot be synced", path);
	return 0;
}

int ctm_mkdirs(const char *path, unsigned mode, struct ctm_err *err)
{
	char p[4096];
	if (!*path || !ctm_copy(p, sizeof p, path))
		return ctm_fail(err, CTM_E_IO, path, NULL, "the path is empty or too long");
	for (char *s = p + 1;; s++) {
		if (*s && *s != '/')
			continue;
		char keep = *s;
		*s = 0;
		if (mkdir(p, (mode_t)mode) && errno != EEXIST)
			return ctm_fail(err, CTM_E_IO, path, NULL, "directory %s cannot be made: %s", p, strerror(errno));
		if (!keep)
			break;
		*s = keep;
	}
	if (!ctm_dir_exists(path))
		return ctm_fail(err, CTM_E_IO, path, NULL, "%s is there but is not a directory", path);
	return 0;
}

int ctm_file_lock(const char *path, int *fd, struct ctm_err *err)
{
	CTM_AUTO_FD got = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (got < 0)
		return ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be opened: %s", path, strerror(errno));
	if (flock(got, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return ctm_fail(err, CTM_E_BUSY, path, NULL, "%s is held by another running program; stop it first", path);
		return ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be locked: %s", path, strerror(errno));
	}
	*fd = got;
	got = -1;
	return 0;
}

int ctm_file_lock_wait(const char *path, int wait_ms, int *fd, struct ctm_err *err)
{
	struct ctm_err own = { 0 };
	int rc = ctm_file_lock(path, fd, &own);
	for (int64_t until = ctm_mono_us() + wait_ms * INT64_C(1000); rc == CTM_E_BUSY && ctm_mono_us() < until;) {
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
		ctm_err_clear(&own);
		rc = ctm_file_lock(path, fd, &own);
	}
	return rc ? ctm_fail(err, rc, own.field, NULL, "%s", own.msg) : 0;
}

bool ctm_file_locked(const char *path)
{
	CTM_AUTO_FD fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

bool ctm_path_safe(const char *rel)
{
	if (!rel || !*rel)
		return false;
	for (const char *part = rel;;) {
		size_t n = strcspn(part, "/");
		if (n == 0 || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.') || memchr(part, '\\', n))
			return false;
		if (!part[n])
			return true;
		part += n + 1;
	}
}
