/* SPDX-License-Identifier: Apache-2.0
 *
 * The board is a directory: each record a file, each slot a file. A record is written to a temporary name, synced, renamed and
 * the directory synced, so after a crash it is the old or the new one. One process may use a directory at a time.
 */
#include "agent.h"
#include "ctm/openssl.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int dir_of(void *ctx)
{
	return ((struct agent *)ctx)->dir;
}

/* From `from` on, as much as fits. */
static int read_from(int dir, const char *name, size_t from, void *p, size_t cap, size_t *n)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t at = 0;
	ssize_t k = 1;

	if (fd < 0)
		return errno == ENOENT ? CTM_SDK_NONE : CTM_SDK_STORAGE;
	while (at < cap && (k = pread(fd, (char *)p + at, cap - at, (off_t)(from + at))) > 0)
		at += (size_t)k;
	close(fd);
	if (k < 0)
		return CTM_SDK_STORAGE;
	*n = at;
	return 0;
}

int store_read(int dir, const char *name, void *p, size_t cap, size_t *n)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? CTM_SDK_NONE : CTM_SDK_STORAGE;
	if (st.st_size < 0 || (uint64_t)st.st_size > cap)
		return CTM_SDK_TOOBIG;
	return read_from(dir, name, 0, p, cap, n);
}

static int write_all(int fd, const void *p, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t k = write(fd, (const char *)p + at, n - at);

		if (k <= 0)
			return CTM_SDK_STORAGE;
		at += (size_t)k;
	}
	return 0;
}

static int write_parts(int dir, const char *name, const struct ctm_bytes *parts, size_t nparts)
{
	char tmp[80];
	int fd, rc = 0;

	if (snprintf(tmp, sizeof tmp, "%s.tmp", name) >= (int)sizeof tmp)
		return CTM_SDK_TOOBIG;
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return CTM_SDK_STORAGE;
	for (size_t i = 0; !rc && i < nparts; i++)
		rc = write_all(fd, parts[i].p, parts[i].n);
	if (!rc && fsync(fd))
		rc = CTM_SDK_STORAGE;
	if (close(fd) && !rc)
		rc = CTM_SDK_STORAGE;
	if (!rc && (renameat(dir, tmp, dir, name) || fsync(dir)))
		rc = CTM_SDK_STORAGE;
	if (rc)
		unlinkat(dir, tmp, 0);
	return rc;
}

int store_write(int dir, const char *name, const void *p, size_t n)
{
	const struct ctm_bytes all = { p, n };

	return write_parts(dir, name, &all, 1);
}

/* Over the old bytes, in place, as far as the file system allows; then away. */
int file_destroy(int dir, const char *name)
{
	uint8_t noise[4096];
	int rc = 0, fd = openat(dir, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? 0 : CTM_SDK_STORAGE;
	if (fstat(fd, &st) || st.st_size > (off_t)sizeof noise || ctm_openssl_crypto()->random(noise, sizeof noise) ||
	    pwrite(fd, noise, (size_t)st.st_size, 0) != st.st_size || fsync(fd))
		rc = CTM_SDK_STORAGE;
	close(fd);
	if (unlinkat(dir, name, 0) || fsync(dir))
		rc = CTM_SDK_STORAGE;
	return rc;
}

static int port_read(void *ctx, const char *name, size_t at, void *buf, size_t cap, size_t *got)
{
	return read_from(dir_of(ctx), name, at, buf, cap, got);
}

static int port_write(void *ctx, const char *name, const struct ctm_bytes *parts, size_t nparts)
{
	return write_parts(dir_of(ctx), name, parts, nparts);
}

static int port_erase(void *ctx, const char *name)
{
	if (unlinkat(dir_of(ctx), name, 0) && errno != ENOENT)
		return CTM_SDK_STORAGE;
	return fsync(dir_of(ctx)) ? CTM_SDK_STORAGE : 0;
}

static int slot_open(void *ctx, int slot, int flags)
{
	char name[8] = "slot0";

	name[4] = (char)('0' + slot);
	return openat(dir_of(ctx), name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

static int slot_begin(void *ctx, int slot)
{
	int fd = slot_open(ctx, slot, O_WRONLY | O_CREAT | O_TRUNC);

	if (fd < 0)
		return CTM_SDK_STORAGE;
	close(fd);
	return 0;
}

static int slot_write(void *ctx, int slot, size_t at, const void *p, size_t n)
{
	int fd = slot_open(ctx, slot, O_WRONLY), rc = 0;

	if (fd < 0)
		return CTM_SDK_STORAGE;
	for (size_t done = 0; !rc && done < n;) {
		ssize_t k = pwrite(fd, (const char *)p + done, n - done, (off_t)(at + done));

		if (k <= 0)
			rc = CTM_SDK_STORAGE;
		else
			done += (size_t)k;
	}
	close(fd);
	return rc;
}

static int slot_sync(void *ctx, int slot)
{
	int fd = slot_open(ctx, slot, O_RDONLY), rc;

	if (fd < 0)
		return CTM_SDK_STORAGE;
	rc = fsync(fd) || fsync(dir_of(ctx)) ? CTM_SDK_STORAGE : 0;
	close(fd);
	return rc;
}

static int slot_read(void *ctx, int slot, size_t at, void *p, size_t cap, size_t *got)
{
	int fd = slot_open(ctx, slot, O_RDONLY);
	ssize_t k;

	if (fd < 0)
		return CTM_SDK_NONE;
	k = pread(fd, p, cap, (off_t)at);
	close(fd);
	if (k < 0)
		return CTM_SDK_STORAGE;
	*got = (size_t)k;
	return 0;
}

static int64_t clock_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t now_ms(void *ctx)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t mono_ms(void *ctx)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/* scrypt (RFC 7914) with 16 MiB of memory: some 50 ms on a small processor. */
static int kdf(void *ctx, const void *password, size_t n, const uint8_t salt[CTM_SALT_BYTES], uint8_t out[CTM_HASH_BYTES])
{
	return EVP_PBE_scrypt(password, n, salt, CTM_SALT_BYTES, 1u << 14, 8, 1, (uint64_t)64 << 20, out, CTM_HASH_BYTES) == 1 ? 0 : CTM_SDK_FAIL;
}

/* One that is just ending gets a second to let go. */
static int take_lock(int fd)
{
	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB); i++) {
		if (errno != EWOULDBLOCK || i == 20)
			return -1;
		nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	}
	return 0;
}

int store_open(struct agent *a, struct why *w)
{
	const char *path = a->conf.state_dir;
	int lock;

	if (mkdir(path, 0700) && errno != EEXIST)
		return why_say(w, CTM_SDK_STORAGE, "the state directory %s cannot be made: %s", path, strerror(errno));
	a->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->dir < 0 || fchmod(a->dir, 0700))
		return why_say(w, CTM_SDK_STORAGE, "the state directory %s cannot be used: %s", path, strerror(errno));
	/* Held until the process ends or becomes the next image. */
	lock = openat(a->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0 || take_lock(lock))
		return why_say(w, CTM_SDK_STATE, "another agent runs on the state directory %s", path);
	a->port = (struct ctm_port){
		.ctx = a, .crypto = ctm_openssl_crypto(), .read = port_read, .write = port_write, .erase = port_erase,
		.slot_begin = slot_begin, .slot_write = slot_write, .slot_sync = slot_sync, .slot_read = slot_read,
		.now_ms = now_ms, .mono_ms = mono_ms, .kdf = kdf, .sign = device_key_sign, .seal_key = userdata_key,
	};
	return 0;
}
