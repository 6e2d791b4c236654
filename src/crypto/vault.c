/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/vault.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "crypto/seal.h"
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "v1."
#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_MAX ((size_t)1 << 20)

/* A file beside it, linked into place: whoever comes second keeps the first one's key. */
static int make(const char *path, struct ctm_err *err)
{
	uint8_t key[32];
	char beside[1500], word[CTM_TOKEN_MAX];
	ctm_random(key, sizeof key);
	ctm_token(word);
	int n = snprintf(beside, sizeof beside, "%s.%.12s", path, word);
	if (n < 0 || n >= (int)sizeof beside)
		return ctm_fail(err, CTM_E_IO, path, NULL, "the path is too long");
	int rc = ctm_file_write(beside, key, sizeof key, 0600, err);
	sodium_memzero(key, sizeof key);
	if (rc)
		return rc;
	if (link(beside, path) && errno != EEXIST)
		rc = ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be made: %s", path, strerror(errno));
	unlink(beside);
	return rc;
}

int ctm_vault_open(const char *path, struct ctm_vault *out, struct ctm_err *err)
{
	struct ctm_buf b = CTM_BUF(64);
	struct stat st;
	int rc = 0;
	if (stat(path, &st) && errno == ENOENT)
		rc = make(path, err);
	if (!rc && stat(path, &st))
		rc = ctm_fail(err, CTM_E_IO, path, NULL, "%s cannot be read: %s", path, strerror(errno));
	if (!rc && (st.st_mode & 0077))
		rc = ctm_fail(err, CTM_E_GUARD, path, NULL, "others may read %s; chmod 600 it", path);
	if (!rc)
		rc = ctm_file_read(path, 64, &b, err);
	if (!rc && b.len != sizeof out->key)
		rc = ctm_fail(err, CTM_E_SYNTAX, path, NULL, "%s is not a key file of 32 bytes", path);
	if (!rc)
		memcpy(out->key, b.p, sizeof out->key);
	ctm_seal_wipe(&b);
	return rc;
}

void ctm_vault_wipe(struct ctm_vault *v) { sodium_memzero(v, sizeof *v); }

int ctm_vault_seal(const struct ctm_vault *v, const char *purpose, const void *p, size_t n, struct ctm_buf *text, struct ctm_err *err)
{
	unsigned long long len = 0;
	uint8_t *box = n <= SEALED_MAX ? malloc(NONCE + n + TAG) : NULL;
	if (!box)
		return ctm_fail(err, CTM_E_NOMEM, purpose, NULL, "it is too large to be sealed, or memory is short");
	ctm_random(box, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE, &len, p, n, (const uint8_t *)purpose, strlen(purpose), NULL, box, v->key);
	ctm_buf_str(text, HEAD);
	ctm_b64url(text, box, NONCE + (size_t)len);
	free(box);
	return ctm_buf_err(text, purpose, err);
}

int ctm_vault_unseal(const struct ctm_vault *v, const char *purpose, const char *text, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_BUF raw = CTM_BUF(SEALED_MAX + NONCE + TAG);
	unsigned long long len = 0;
	bool shaped = ctm_starts(text, HEAD) && !ctm_unb64url(text + strlen(HEAD), strlen(text) - strlen(HEAD), &raw) && raw.len >= NONCE + TAG;
	uint8_t *room = shaped ? malloc(raw.len) : NULL;
	if (shaped && !room)
		return ctm_fail(err, CTM_E_NOMEM, purpose, NULL, "out of memory");
	const uint8_t *in = (const uint8_t *)raw.p;
	int rc = 0;
	if (!shaped || crypto_aead_xchacha20poly1305_ietf_decrypt(room, &len, NULL, in + NONCE, raw.len - NONCE, (const uint8_t *)purpose, strlen(purpose), in, v->key))
		rc = ctm_fail(err, CTM_E_VERIFY, purpose, NULL, "what was sealed does not open with the key of this state directory (keys/people.key)");
	else
		ctm_buf_add(out, room, (size_t)len);
	if (room)
		sodium_memzero(room, raw.len);
	free(room);
	return rc ? rc : ctm_buf_err(out, purpose, err);
}
