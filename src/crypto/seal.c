/* SPDX-License-Identifier: Apache-2.0
 *
 * Passphrase seal. The costs of writing are those libsodium calls "moderate": a good part of a second and 256 MiB for each guess.
 */
#include "crypto/seal.h"
#include "base/file.h"
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC "ctm-seal/1\n"
#define MAGIC_LEN (sizeof MAGIC - 1)
#define SALT crypto_pwhash_argon2id_SALTBYTES
#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG crypto_aead_xchacha20poly1305_ietf_ABYTES
#define KEY crypto_aead_xchacha20poly1305_ietf_KEYBYTES
#define HEAD (MAGIC_LEN + 16 + SALT + NONCE)

void ctm_seal_wipe(struct ctm_buf *b)
{
	if (b->p)
		sodium_memzero(b->p, b->len);
	ctm_buf_free(b);
}

int ctm_seal_passphrase(const char *path, struct ctm_buf *pass, struct ctm_err *err)
{
	struct stat st;
	if (stat(path, &st))
		return ctm_fail(err, CTM_E_NOTFOUND, "passphrase", NULL, "%s cannot be read: %s", path, strerror(errno));
	if (st.st_mode & 0077)
		return ctm_fail(err, CTM_E_GUARD, "passphrase", NULL, "others may read %s; chmod 600 %s", path, path);
	int rc = ctm_file_read(path, CTM_SEAL_PASS_MAX + 2, pass, err);
	if (rc)
		return rc;
	const char *end = memchr(pass->p ? pass->p : "", '\n', pass->len);
	if (end)
		pass->len = (size_t)(end - pass->p);
	if (pass->len < CTM_SEAL_PASS_MIN || pass->len > CTM_SEAL_PASS_MAX)
		return ctm_fail(err, CTM_E_INPUT, "passphrase", NULL, "the first line of %s is the passphrase; it has %d to %d bytes", path, CTM_SEAL_PASS_MIN, CTM_SEAL_PASS_MAX);
	return 0;
}

static void put64(uint8_t *p, uint64_t v)
{
	for (int i = 7; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static int derive(const struct ctm_buf *pass, const uint8_t *head, uint8_t key[KEY], struct ctm_err *err)
{
	uint64_t ops = get64(head + MAGIC_LEN), mem = get64(head + MAGIC_LEN + 8);
	if (ops < 1 || ops > CTM_SEAL_OPS_MAX || mem < crypto_pwhash_argon2id_MEMLIMIT_MIN || mem > CTM_SEAL_MEM_MAX)
		return ctm_fail(err, CTM_E_SYNTAX, "seal", NULL, "the seal asks for more work than is ever needed; it was not made by ctm");
	if (sodium_init() < 0 || crypto_pwhash_argon2id(key, KEY, pass->p, pass->len, head + MAGIC_LEN + 16, ops, (size_t)mem, crypto_pwhash_argon2id_ALG_ARGON2ID13))
		return ctm_fail(err, CTM_E_NOMEM, "seal", NULL, "a key from the passphrase needs %llu MiB of memory", (unsigned long long)(mem >> 20));
	return 0;
}

int ctm_seal(const struct ctm_buf *pass, const void *p, size_t n, struct ctm_buf *out, struct ctm_err *err)
{
	uint8_t head[HEAD], key[KEY];
	unsigned long long len = 0;
	if (sodium_init() < 0)
		return ctm_fail(err, CTM_E_FAIL, "seal", NULL, "the crypto library does not start");
	memcpy(head, MAGIC, MAGIC_LEN);
	put64(head + MAGIC_LEN, crypto_pwhash_argon2id_OPSLIMIT_MODERATE);
	put64(head + MAGIC_LEN + 8, crypto_pwhash_argon2id_MEMLIMIT_MODERATE);
	randombytes_buf(head + MAGIC_LEN + 16, SALT + NONCE);
	int rc = derive(pass, head, key, err);
	if (rc)
		return rc;
	uint8_t *box = n <= CTM_SEAL_MAX ? malloc(n + TAG) : NULL;
	if (box && !crypto_aead_xchacha20poly1305_ietf_encrypt(box, &len, p, n, head, HEAD, NULL, head + HEAD - NONCE, key)) {
		ctm_buf_add(out, head, HEAD);
		ctm_buf_add(out, box, (size_t)len);
	} else {
		rc = ctm_fail(err, n > CTM_SEAL_MAX ? CTM_E_TOOBIG : CTM_E_NOMEM, "seal", NULL, "it is too large to be sealed, or memory is short");
	}
	free(box);
	sodium_memzero(key, sizeof key);
	return rc ? rc : ctm_buf_err(out, "seal", err);
}

int ctm_unseal(const struct ctm_buf *pass, const void *p, size_t n, struct ctm_buf *out, struct ctm_err *err)
{
	const uint8_t *in = p;
	uint8_t key[KEY];
	unsigned long long len = 0;
	if (n < HEAD + TAG || memcmp(in, MAGIC, MAGIC_LEN))
		return ctm_fail(err, CTM_E_SYNTAX, "seal", NULL, "this is not something that ctm sealed");
	int rc = derive(pass, in, key, err);
	if (rc)
		return rc;
	uint8_t *room = n <= CTM_SEAL_MAX + HEAD + TAG ? malloc(n - HEAD) : NULL;
	if (!room)
		rc = ctm_fail(err, CTM_E_TOOBIG, "seal", NULL, "what is sealed is larger than its limit, or memory is short");
	else if (crypto_aead_xchacha20poly1305_ietf_decrypt(room, &len, NULL, in + HEAD, n - HEAD, in, HEAD, in + HEAD - NONCE, key))
		rc = ctm_fail(err, CTM_E_VERIFY, "passphrase", NULL, "the passphrase is not the one it was sealed with, or the bytes were changed");
	else
		ctm_buf_add(out, room, (size_t)len);
	if (room)
		sodium_memzero(room, n - HEAD);
	free(room);
	sodium_memzero(key, sizeof key);
	return rc ? rc : ctm_buf_err(out, "seal", err);
}
