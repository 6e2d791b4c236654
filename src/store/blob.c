/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs. A file appears under its final name only whole and synced: bytes go to a nameless file (O_TMPFILE) that is linked
 * when finished, so a crash leaves nothing behind; where the file system has no nameless files, a named temporary is used.
 * Equal content is one file. A file of the right name and wrong size (a damaged disk) is replaced.
 */
#include "store/blob.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITE_S 3600         /* longer than any write takes */
#define REL_MAX 80           /* "ab/" and 62 hex digits */
#define HEX 64

struct ctm_blobs {
	int fd;                  /* of the directory; read-only after open, so threads share it */
	char dir[3072];
};

struct ctm_blobw {
	struct ctm_blobs *b;
	struct ctm_sha256 *h;
	int fd;
	int64_t n, max;
	char tmp[40];            /* name of the temporary, "" when nameless */
};

int ctm_blobs_open(const char *dir, struct ctm_blobs **out, struct ctm_err *err)
{
	int rc = ctm_mkdirs(dir, 0700, err);
	if (rc)
		return rc;
	struct ctm_blobs *b = calloc(1, sizeof *b);
	if (!b)
		return ctm_fail(err, CTM_E_NOMEM, dir, NULL, "out of memory");
	b->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->fd < 0 || !ctm_copy(b->dir, sizeof b->dir, dir)) {
		rc = ctm_fail(err, CTM_E_IO, dir, NULL, "the blob directory cannot be opened: %s", strerror(errno));
		ctm_blobs_close(b);
		return rc;
	}
	*out = b;
	return 0;
}

void ctm_blobs_close(struct ctm_blobs *b)
{
	if (!b)
		return;
	ctm_closep(&b->fd);
	free(b);
}

/* "ab/cdef.." of a digest. */
static int relative(const char *digest, char rel[REL_MAX])
{
	if (!ctm_digest_ok(digest))
		return CTM_E_INPUT;
	const char *hex = digest + strlen("sha256:");
	snprintf(rel, REL_MAX, "%.2s/%s", hex, hex + 2);
	return 0;
}

int ctm_blob_path(struct ctm_blobs *b, const char *digest, char *out, size_t cap)
{
	char rel[REL_MAX];
	int rc = relative(digest, rel);
	if (rc)
		return rc;
	return (size_t)snprintf(out, cap, "%s/%s", b->dir, rel) < cap ? 0 : CTM_E_TOOBIG;
}

int ctm_blob_get(struct ctm_blobs *b, const char *digest, size_t max, struct ctm_buf *out, struct ctm_err *err)
{
	char path[4096];
	int rc = ctm_blob_path(b, digest, path, sizeof path);
	if (rc)
		return ctm_fail(err, rc, "digest", NULL, "not a digest of the form sha256:hex");
	struct ctm_err e = { 0 };
	rc = ctm_file_read(path, max, out, &e);
	if (rc == CTM_E_NOTFOUND)
		return ctm_fail(err, rc, "digest", NULL, "the content %.23s... is not in the store", digest);
	return rc ? ctm_fail(err, rc, "digest", NULL, "%s", e.msg) : 0;
}

/* ---- writing ---- */

int ctm_blobw_new(struct ctm_blobs *b, int64_t max, struct ctm_blobw **out, struct ctm_err *err)
{
	struct ctm_blobw *w = calloc(1, sizeof *w);
	if (!w)
		return ctm_fail(err, CTM_E_NOMEM, "upload", NULL, "out of memory");
	*w = (struct ctm_blobw){ .b = b, .h = ctm_sha256_new(), .max = max };
	w->fd = openat(b->fd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0400);
	if (w->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		char tag[17];
		uint8_t r[8];
		ctm_random(r, sizeof r);
		ctm_hex(r, sizeof r, tag);
		snprintf(w->tmp, sizeof w->tmp, "new-%s", tag);
		w->fd = openat(b->fd, w->tmp, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0400);
	}
	if (w->fd < 0 || !w->h) {
		int rc = ctm_fail(err, w->h ? CTM_E_IO : CTM_E_NOMEM, "upload", NULL, "the blob directory cannot be written: %s", strerror(errno));
		w->tmp[0] = w->fd < 0 ? 0 : w->tmp[0];
		ctm_blobw_drop(w);
		return rc;
	}
	*out = w;
	return 0;
}

int ctm_blobw_add(struct ctm_blobw *w, const void *p, size_t n, struct ctm_err *err)
{
	if (n > INT64_MAX || (int64_t)n > w->max - w->n)
		return ctm_fail(err, CTM_E_TOOBIG, "upload", NULL, "larger than %lld bytes; nothing was kept", (long long)w->max);
	if (ctm_fd_write(w->fd, p, n))
		return ctm_fail(err, CTM_E_IO, "upload", NULL, "the blob cannot be written: %s", strerror(errno));
	ctm_sha256_add(w->h, p, n);
	w->n += (int64_t)n;
	return 0;
}

void ctm_blobw_drop(struct ctm_blobw *w)
{
	uint8_t d[CTM_SHA256];
	if (!w)
		return;
	if (w->tmp[0])
		unlinkat(w->b->fd, w->tmp, 0);
	ctm_closep(&w->fd);
	if (w->h)
		ctm_sha256_end(w->h, d);
	free(w);
}

/* Give a nameless file a temporary name. */
static int name_it(struct ctm_blobw *w)
{
	char proc[40], tag[17];
	uint8_t r[8];
	if (w->tmp[0])
		return 0;
	ctm_random(r, sizeof r);
	ctm_hex(r, sizeof r, tag);
	snprintf(proc, sizeof proc, "/proc/self/fd/%d", w->fd);
	snprintf(w->tmp, sizeof w->tmp, "new-%s", tag);
	if (linkat(AT_FDCWD, proc, w->b->fd, w->tmp, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	w->tmp[0] = 0;
	return CTM_E_IO;
}

/* Put the finished, synced file under rel. 0 or IO with errno. */
static int publish(struct ctm_blobw *w, const char *rel)
{
	struct stat st;
	char sub[3] = { rel[0], rel[1], 0 };
	bool there = fstatat(w->b->fd, rel, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && st.st_size == w->n;
	if (!there) {
		bool made = mkdirat(w->b->fd, sub, 0700) == 0;
		if (!made && errno != EEXIST)
			return CTM_E_IO;
		if (made && fsync(w->b->fd))
			return CTM_E_IO;
		if (name_it(w) || renameat(w->b->fd, w->tmp, w->b->fd, rel))
			return CTM_E_IO;
		w->tmp[0] = 0;
	}
	/* Also for a file that was there: another thread may have linked it and not yet synced the directory. */
	CTM_AUTO_FD fd = openat(w->b->fd, sub, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && fsync(fd) == 0 ? 0 : CTM_E_IO;
}

int ctm_blobw_end(struct ctm_blobw *w, char digest[CTM_DIGEST_MAX], int64_t *size, struct ctm_err *err)
{
	uint8_t d[CTM_SHA256];
	char rel[REL_MAX], name[CTM_DIGEST_MAX];
	int64_t n = w->n;
	ctm_sha256_end(w->h, d);
	w->h = NULL;
	ctm_digest_str(d, name);
	int rc = relative(name, rel);
	rc = rc ? rc : fsync(w->fd) ? CTM_E_IO : publish(w, rel);
	if (rc)
		ctm_fail(err, rc, "upload", NULL, "the blob cannot be made durable: %s; nothing was kept", strerror(errno));
	ctm_blobw_drop(w);
	if (rc)
		return rc;
	memcpy(digest, name, sizeof name);
	if (size)
		*size = n;
	return 0;
}

int ctm_blob_put(struct ctm_blobs *b, const void *p, size_t n, char digest[CTM_DIGEST_MAX], struct ctm_err *err)
{
	struct ctm_blobw *w;
	int rc = ctm_blobw_new(b, n <= INT64_MAX ? (int64_t)n : INT64_MAX, &w, err);
	if (rc)
		return rc;
	rc = ctm_blobw_add(w, p, n, err);
	if (rc) {
		ctm_blobw_drop(w);
		return rc;
	}
	return ctm_blobw_end(w, digest, NULL, err);
}

/* ---- checking ---- */

struct fsck { struct ctm_blobs *b; void (*bad)(const char *, const char *, void *); void *arg; int64_t n; };

static void check_file(struct fsck *k, const char *sub, const char *name)
{
	char path[4096], rel[400], want[CTM_DIGEST_MAX], is[CTM_DIGEST_MAX];
	struct ctm_err e = { 0 };
	snprintf(rel, sizeof rel, "%.2s/%.255s", sub, name);
	if (snprintf(want, sizeof want, "sha256:%.2s%.62s", sub, name) != CTM_DIGEST_MAX - 1 || strlen(name) != HEX - 2 || !ctm_digest_ok(want)) {
		k->bad(rel, "the name is not a digest", k->arg);
		return;
	}
	snprintf(path, sizeof path, "%s/%s", k->b->dir, rel);
	k->n++;
	if (ctm_digest_file(path, is, NULL, &e))
		k->bad(rel, e.msg, k->arg);
	else if (!ctm_streq(is, want))
		k->bad(rel, "the content does not have the digest it is named by", k->arg);
}

/* Each name in the directory but "." and ".."; sub is NULL at the top. */
/* A write that is going on, or was cut off a moment ago, is no damage: only what has lain about longer than any write takes. */
static bool in_progress(const struct ctm_blobs *b, const char *name)
{
	struct stat st;
	return ctm_starts(name, "new-") && !fstatat(b->fd, name, &st, AT_SYMLINK_NOFOLLOW) && ctm_now_ms() / 1000 - (int64_t)st.st_mtime < WRITE_S;
}

static int each(struct fsck *k, const char *sub, struct ctm_err *err)
{
	char path[4096];
	snprintf(path, sizeof path, "%s%s%s", k->b->dir, sub ? "/" : "", sub ? sub : "");
	DIR *d = opendir(path);
	if (!d)
		return ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be read: %s", path, strerror(errno));
	int rc = 0;
	for (struct dirent *e; !rc && (e = readdir(d));) {
		if (e->d_name[0] == '.' && (!e->d_name[1] || (e->d_name[1] == '.' && !e->d_name[2])))
			continue;
		if (sub)
			check_file(k, sub, e->d_name);
		else if (strlen(e->d_name) == 2 && strspn(e->d_name, "0123456789abcdef") == 2)
			rc = each(k, e->d_name, err);
		else if (!in_progress(k->b, e->d_name))
			k->bad(e->d_name, "left over from an unfinished write; it can be deleted while the server is stopped", k->arg);
	}
	closedir(d);
	return rc;
}

int ctm_blobs_fsck(struct ctm_blobs *b, void (*bad)(const char *name, const char *why, void *arg), void *arg, int64_t *n, struct ctm_err *err)
{
	struct fsck k = { b, bad, arg, 0 };
	int rc = each(&k, NULL, err);
	if (!rc)
		*n = k.n;
	return rc;
}
