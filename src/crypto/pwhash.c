/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pwhash.h"
#include "base/id.h"
#include "base/text.h"
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#define OPS 2
#define MEMORY ((size_t)64 << 20)
#define CODE_MEMORY ((size_t)19 << 20)

static int no_memory(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, "password", NULL, "there is no memory to check a password at this moment; try again in a little while");
}

int ctm_pwhash(const char *password, size_t n, char out[CTM_PWHASH_MAX], struct ctm_err *err)
{
	char text[crypto_pwhash_STRBYTES] = "";
	if (sodium_init() < 0 || crypto_pwhash_str_alg(text, password, n, OPS, MEMORY, crypto_pwhash_ALG_ARGON2ID13) || !ctm_copy(out, CTM_PWHASH_MAX, text))
		return no_memory(err);
	return 0;
}

bool ctm_pwhash_is(const char *hash, const char *password, size_t n)
{
	return sodium_init() >= 0 && hash && strlen(hash) < crypto_pwhash_STRBYTES && crypto_pwhash_str_verify(hash, password, n) == 0;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char nobody[CTM_PWHASH_MAX];

static void make_nobody(void)
{
	char word[CTM_TOKEN_MAX];
	ctm_token(word);
	if (ctm_pwhash(word, strlen(word), nobody, NULL))
		nobody[0] = 0;
}

const char *ctm_pwhash_nobody(void)
{
	pthread_once(&once, make_nobody);
	return nobody;
}

void ctm_code_salt(char out[CTM_CODE_SALT_MAX])
{
	unsigned char salt[crypto_pwhash_SALTBYTES];
	ctm_random(salt, sizeof salt);
	ctm_hex(salt, sizeof salt, out);
}

int ctm_code_hash(const char *salt, const char *code, size_t n, char out[CTM_CODE_HASH_MAX], struct ctm_err *err)
{
	unsigned char raw[crypto_pwhash_SALTBYTES], key[32];
	if (strlen(salt) != 2 * sizeof raw || ctm_unhex(salt, 2 * sizeof raw, raw))
		return ctm_fail(err, CTM_E_SYNTAX, "salt", NULL, "the stored salt is damaged");
	if (sodium_init() < 0 || crypto_pwhash(key, sizeof key, code, n, raw, OPS, CODE_MEMORY, crypto_pwhash_ALG_ARGON2ID13))
		return no_memory(err);
	ctm_hex(key, sizeof key, out);
	sodium_memzero(key, sizeof key);
	return 0;
}
