/* SPDX-License-Identifier: Apache-2.0
 *
 * What the owner puts on the device: small texts, each sealed (AES-256-GCM, name as associated data) under a data key that is
 * made when the first one comes. A reset destroys the key first, which makes all of it unreadable at once, and then unlinks
 * the files. NIST IR 8259A, data protection.
 */
#include "agent.h"
#include "ctm/openssl.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE "data-key"
#define SEALED (CTM_AEAD_NONCE + USERDATA_TEXT + CTM_AEAD_TAG)

bool userdata_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n >= 1 && n <= 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static void file_name(const char *name, char out[48])
{
	snprintf(out, 48, "user.%s", name);
}

int userdata_key(void *ctx, int make, uint8_t key[CTM_AEAD_KEY])
{
	struct agent *a = ctx;
	const char *words = "";
	const struct key_place *place = key_place_find(a->conf.key, &words);
	struct why w;
	size_t n = 0;
	int rc;

	if (place && place->seal_key)
		return place->seal_key(words, make, key, &w);
	if (make < 0)
		return file_destroy(a->dir, KEY_FILE);
	rc = store_read(a->dir, KEY_FILE, key, CTM_AEAD_KEY, &n);
	if (!rc && n == CTM_AEAD_KEY)
		return 0;
	if (rc != CTM_SDK_NONE)
		return CTM_SDK_STORAGE;
	if (!make)
		return CTM_SDK_NONE;
	rc = a->port.crypto->random(key, CTM_AEAD_KEY);
	return rc ? rc : store_write(a->dir, KEY_FILE, key, CTM_AEAD_KEY);
}

static struct ctm_bytes bound_to(const char *name)
{
	return (struct ctm_bytes){ (const uint8_t *)name, strlen(name) };
}

/* Calls fn for each name; returns how many. */
static int each_name(struct agent *a, void (*fn)(struct agent *, const char *name, void *), void *arg)
{
	int fd = openat(a->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), count = 0;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	if (!d) {
		if (fd >= 0)
			close(fd);
		return CTM_SDK_STORAGE;
	}
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, "user.", 5) == 0 && userdata_name_ok(e->d_name + 5)) {
			count++;
			if (fn)
				fn(a, e->d_name + 5, arg);
		}
	closedir(d);
	return count;
}

int userdata_put(struct agent *a, const char *name, const char *text, size_t n)
{
	uint8_t key[CTM_AEAD_KEY], out[SEALED];
	char file[48];
	struct stat st;
	int rc, count;

	if (n > USERDATA_TEXT)
		return CTM_SDK_TOOBIG;
	file_name(name, file);
	count = each_name(a, NULL, NULL);
	if (count < 0)
		return count;
	if (count >= USERDATA_FILES && fstatat(a->dir, file, &st, AT_SYMLINK_NOFOLLOW))
		return CTM_SDK_TOOBIG;
	rc = a->port.seal_key(a, 1, key);
	if (!rc)
		rc = a->port.crypto->random(out, CTM_AEAD_NONCE);
	if (!rc)
		rc = a->port.crypto->seal(key, out, bound_to(name), (const uint8_t *)text, n, out + CTM_AEAD_NONCE);
	if (!rc)
		rc = store_write(a->dir, file, out, CTM_AEAD_NONCE + n + CTM_AEAD_TAG);
	ctm_sdk_wipe(key, sizeof key);
	return rc;
}

int userdata_get(struct agent *a, const char *name, char *out, size_t cap, size_t *n)
{
	uint8_t key[CTM_AEAD_KEY], in[SEALED];
	char file[48];
	size_t len = 0;
	int rc;

	file_name(name, file);
	if ((rc = store_read(a->dir, file, in, sizeof in, &len)))
		return rc;
	if (len < CTM_AEAD_NONCE + CTM_AEAD_TAG || len - CTM_AEAD_NONCE - CTM_AEAD_TAG >= cap)
		return CTM_SDK_STORAGE;
	rc = a->port.seal_key(a, 0, key);
	if (!rc)
		rc = a->port.crypto->open(key, in, bound_to(name), in + CTM_AEAD_NONCE, len - CTM_AEAD_NONCE, (uint8_t *)out);
	ctm_sdk_wipe(key, sizeof key);
	if (rc)
		return rc;
	*n = len - CTM_AEAD_NONCE - CTM_AEAD_TAG;
	out[*n] = 0;
	return 0;
}

int userdata_del(struct agent *a, const char *name)
{
	char file[48];

	file_name(name, file);
	if (unlinkat(a->dir, file, 0))
		return errno == ENOENT ? CTM_SDK_NONE : CTM_SDK_STORAGE;
	return fsync(a->dir) ? CTM_SDK_STORAGE : 0;
}

static void add_name(struct agent *a, const char *name, void *arg)
{
	json_array_append_new(arg, json_string(name));
}

int userdata_names(struct agent *a, json_t *list)
{
	int n = each_name(a, add_name, list);

	return n < 0 ? n : 0;
}

static void unlink_name(struct agent *a, const char *name, void *arg)
{
	int rc = userdata_del(a, name);

	if (rc)
		*(int *)arg = rc;
}

int userdata_destroy(struct agent *a)
{
	int rc = a->port.seal_key(a, -1, NULL), n;

	n = each_name(a, unlink_name, &rc);
	return n < 0 ? n : rc;
}
