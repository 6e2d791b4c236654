/* SPDX-License-Identifier: Apache-2.0
 *
 * A directory as the store of metadata and of downloaded targets. Every file comes about as a temporary one that is written, synced and
 * renamed, the directory synced after it: power may go at any point and the old or the new file is there. Temporary names begin with
 * a dot, so nothing takes them for metadata.
 */
#include "client.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int dir_of(void *ctx)
{
	return (int)(intptr_t)ctx;
}

static int read_all(int fd, size_t max, uint8_t **out, size_t *n)
{
	struct stat st;
	uint8_t *p;
	size_t at = 0;
	ssize_t k = 0;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return CTM_SDK_STORAGE;
	if ((uint64_t)st.st_size > max)
		return CTM_SDK_TOOBIG;
	p = malloc((size_t)st.st_size + 1);
	if (!p)
		return CTM_SDK_FAIL;
	while (at < (size_t)st.st_size && (k = read(fd, p + at, (size_t)st.st_size - at)) > 0)
		at += (size_t)k;
	if (k < 0) {
		free(p);
		return CTM_SDK_STORAGE;
	}
	*out = p;
	*n = at;
	return 0;
}

static int dir_read(void *ctx, const char *name, size_t max, uint8_t **p, size_t *n)
{
	int fd = openat(dir_of(ctx), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;

	if (fd < 0)
		return errno == ENOENT ? CTM_SDK_NONE : CTM_SDK_STORAGE;
	rc = read_all(fd, max, p, n);
	close(fd);
	return rc;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return CTM_SDK_STORAGE;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

/* Give a finished temporary file its name. */
static int settle(int dir, const char *tmp, const char *name, int fd)
{
	int rc = fsync(fd) ? CTM_SDK_STORAGE : 0;

	if (close(fd) || rc || renameat(dir, tmp, dir, name) || fsync(dir))
		rc = CTM_SDK_STORAGE;
	return rc;
}

static int dir_write(void *ctx, const char *name, const void *p, size_t n)
{
	static const char tmp[] = ".new";
	int dir = dir_of(ctx), fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644), rc;

	if (fd < 0)
		return CTM_SDK_STORAGE;
	rc = write_all(fd, p, n);
	if (rc)
		close(fd);
	else
		rc = settle(dir, tmp, name, fd);
	if (rc)
		unlinkat(dir, tmp, 0);
	return rc;
}

static int dir_erase(void *ctx, const char *name)
{
	if (!unlinkat(dir_of(ctx), name, 0))
		return fsync(dir_of(ctx)) ? CTM_SDK_STORAGE : 0;
	return errno == ENOENT ? 0 : CTM_SDK_STORAGE;
}

struct ctm_tuf_store ctm_tuf_dir(int dirfd)
{
	return (struct ctm_tuf_store){ (void *)(intptr_t)dirfd, dir_read, dir_write, dir_erase };
}

/* --- targets ----------------------------------------------------------------------------------------------------------- */

/* Hash what a file holds; more than the target may have is an error. */
static int add_file(int fd, struct ctm_tuf_check *c)
{
	uint8_t chunk[16384];
	ssize_t k;
	int rc = 0;

	while (!rc && (k = read(fd, chunk, sizeof chunk)) != 0)
		rc = k < 0 ? CTM_SDK_STORAGE : ctm_tuf_check_add(c, chunk, (size_t)k);
	return rc;
}

static bool there(int dir, const char *name, const struct ctm_tuf_crypto *crypto, const struct ctm_tuf_target *target)
{
	struct ctm_tuf_check c;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;

	if (fd < 0 || ctm_tuf_check_begin(&c, crypto, target)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	rc = add_file(fd, &c);
	close(fd);
	return !ctm_tuf_check_end(&c) && !rc;
}

static int to_file(void *ctx, const uint8_t *p, size_t n)
{
	return write_all(*(int *)ctx, p, n);
}

/* Open what came before (fresh: nothing of it) and hash it. */
static int open_part(int dir, const char *tmp, bool fresh, const struct ctm_tuf_crypto *crypto, const struct ctm_tuf_target *target, int *out,
		     struct ctm_tuf_check *c)
{
	int fd = openat(dir, tmp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (fresh ? O_TRUNC : 0), 0644);
	int rc = fd < 0 ? CTM_SDK_STORAGE : ctm_tuf_check_begin(c, crypto, target);

	if (rc) {
		if (fd >= 0)
			close(fd);
		return rc;
	}
	if ((rc = add_file(fd, c))) {
		close(fd);
		ctm_tuf_check_drop(c);
		return rc;
	}
	*out = fd;
	return 0;
}

/* One try. What came is kept only when the connection broke; bytes that are wrong are not. */
static int try_once(struct ctm_tuf *t, const struct ctm_tuf_target *target, const char *base_url, int dir, const char *tmp, const char *name,
		    bool fresh, bool *resumed)
{
	struct ctm_tuf_check c;
	int fd, rc = open_part(dir, tmp, fresh, t->conf.crypto, target, &fd, &c);

	if (rc)
		return rc == CTM_SDK_TOOBIG && !fresh ? (*resumed = true, CTM_SDK_VERIFY) :
			tuf_fail(t, rc, "%.100s cannot be stored: %s", target->name, ctm_sdk_text(rc));
	*resumed = c.got > 0;
	rc = ctm_tuf_fetch(t, base_url, &c, to_file, &fd);
	if (rc) {
		ctm_tuf_check_drop(&c);
	} else if ((rc = ctm_tuf_check_end(&c))) {
		tuf_fail(t, rc, "%.100s: what was served is not the file that its role describes", target->name);
	}
	if (!rc)
		return settle(dir, tmp, name, fd) ? tuf_fail(t, CTM_SDK_STORAGE, "%.100s cannot be stored", target->name) : 0;
	close(fd);
	if (rc != CTM_SDK_NETWORK)
		unlinkat(dir, tmp, 0);
	return rc;
}

int ctm_tuf_dir_download(struct ctm_tuf *t, const struct ctm_tuf_target *target, const char *base_url, int dirfd, bool *fetched)
{
	char name[CTM_TUF_FILE_MAX + 8], tmp[CTM_TUF_FILE_MAX + 16];
	bool resumed = false;
	int rc = tuf_file_name(t->conf.crypto, target->name, strlen(target->name), "", name, sizeof name);

	if (rc)
		return tuf_fail(t, rc, "no file name can be made of %.100s", target->name);
	/* "." and ".." name directories, and a dot in front is for temporary files. */
	if (name[0] == '.') {
		memmove(name + 3, name + 1, strlen(name + 1) + 1);
		memcpy(name, "%2E", 3);
	}
	if (fetched)
		*fetched = false;
	if (there(dirfd, name, t->conf.crypto, target))
		return 0;
	snprintf(tmp, sizeof tmp, ".%s.part", name);
	if (fetched)
		*fetched = true;
	rc = try_once(t, target, base_url, dirfd, tmp, name, false, &resumed);
	/* What was carried on may have begun as another version of the file. */
	if (rc && rc != CTM_SDK_NETWORK && resumed)
		rc = try_once(t, target, base_url, dirfd, tmp, name, true, &resumed);
	return rc;
}
