/* SPDX-License-Identifier: Apache-2.0
 *
 * What the owner puts on the device: small texts, each sealed (AES-256-GCM, name as associated data) under a data key that is
 * made when the first one comes. A reset destroys the key first, which makes all of it unreadable at once, and then unlinks
 * the files. NIST IR 8259A, data protection.
 */
#include "agent.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE "data-key"
#define KEY_BYTES 32
#define NONCE 12
#define TAG 16
#define SEALED (NONCE + USERDATA_TEXT + TAG)

bool userdata_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n >= 1 && n <= 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static void file_name(const char *name, char out[48])
{
	snprintf(out, 48, "user.%s", name);
}

static int data_key(struct agent *a, bool make, uint8_t key[KEY_BYTES])
{
	size_t n = 0;
	int rc = store_read(a->dir, KEY_FILE, key, KEY_BYTES, &n);

	if (!rc && n == KEY_BYTES)
		return 0;
	if (rc != CTM_SDK_NONE)
		return CTM_SDK_STORAGE;
	if (!make)
		return CTM_SDK_NONE;
	return RAND_bytes(key, KEY_BYTES) == 1 ? store_write(a->dir, KEY_FILE, key, KEY_BYTES) : CTM_SDK_FAIL;
}

static int seal(const uint8_t key[KEY_BYTES], const char *name, const char *text, size_t n, uint8_t out[SEALED])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len, ok = c && RAND_bytes(out, NONCE) == 1 && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, out) == 1 &&
		      EVP_EncryptUpdate(c, NULL, &len, (const uint8_t *)name, (int)strlen(name)) == 1 &&
		      EVP_EncryptUpdate(c, out + NONCE, &len, (const uint8_t *)text, (int)n) == 1 &&
		      EVP_EncryptFinal_ex(c, out + NONCE + n, &len) == 1 &&
		      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + n) == 1;

	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : CTM_SDK_FAIL;
}

static int unseal(const uint8_t key[KEY_BYTES], const char *name, uint8_t *in, size_t n, char *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	size_t text = n - NONCE - TAG;
	int len, ok = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, in) == 1 &&
		      EVP_DecryptUpdate(c, NULL, &len, (const uint8_t *)name, (int)strlen(name)) == 1 &&
		      EVP_DecryptUpdate(c, (uint8_t *)out, &len, in + NONCE, (int)text) == 1 &&
		      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, in + NONCE + text) == 1 &&
		      EVP_DecryptFinal_ex(c, (uint8_t *)out + text, &len) == 1;

	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : CTM_SDK_VERIFY;
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
	uint8_t key[KEY_BYTES], out[SEALED];
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
	rc = data_key(a, true, key);
	if (!rc)
		rc = seal(key, name, text, n, out);
	if (!rc)
		rc = store_write(a->dir, file, out, NONCE + n + TAG);
	ctm_sdk_wipe(key, sizeof key);
	return rc;
}

int userdata_get(struct agent *a, const char *name, char *out, size_t cap, size_t *n)
{
	uint8_t key[KEY_BYTES], in[SEALED];
	char file[48];
	size_t len = 0;
	int rc;

	file_name(name, file);
	if ((rc = store_read(a->dir, file, in, sizeof in, &len)))
		return rc;
	if (len < NONCE + TAG || len - NONCE - TAG >= cap)
		return CTM_SDK_STORAGE;
	rc = data_key(a, false, key);
	if (!rc)
		rc = unseal(key, name, in, len, out);
	ctm_sdk_wipe(key, sizeof key);
	if (rc)
		return rc;
	*n = len - NONCE - TAG;
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
	uint8_t noise[KEY_BYTES];
	int rc = 0, n, fd = openat(a->dir, KEY_FILE, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

	/* Over the old bytes, in place, as far as the file system allows; then away. */
	if (fd >= 0) {
		if (RAND_bytes(noise, sizeof noise) != 1 || pwrite(fd, noise, sizeof noise, 0) != (ssize_t)sizeof noise || fsync(fd))
			rc = CTM_SDK_STORAGE;
		close(fd);
		if (unlinkat(a->dir, KEY_FILE, 0) || fsync(a->dir))
			rc = CTM_SDK_STORAGE;
	}
	n = each_name(a, unlink_name, &rc);
	return n < 0 ? n : rc;
}
