/* SPDX-License-Identifier: Apache-2.0
 *
 * Passwords and codes as they are kept: Argon2id (RFC 9106) by libsodium. A password costs 64 MiB and two passes for each
 * guess, with a salt of its own in the text. A set of recovery codes (60 random bits each) shares one salt, so that one
 * computation finds the code among them; it costs 19 MiB and two passes.
 */
#ifndef CTM_CRYPTO_PWHASH_H
#define CTM_CRYPTO_PWHASH_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

#define CTM_PWHASH_MAX 128
#define CTM_CODE_SALT_MAX 33           /* 16 bytes in hex */
#define CTM_CODE_HASH_MAX 65           /* 32 bytes in hex */

/* "$argon2id$..." of a password. NOMEM when the memory is not there. */
CTM_CHECK int ctm_pwhash(const char *password, size_t n, char out[CTM_PWHASH_MAX], struct ctm_err *err);
/* Is it this password? false also for a text that is no hash. */
bool ctm_pwhash_is(const char *hash, const char *password, size_t n);
/* The hash of a password nobody has: checking against it takes as long as against a real one. "" before crypto works. */
const char *ctm_pwhash_nobody(void);

/* A new salt for a set of codes, 16 random bytes in hex. */
void ctm_code_salt(char out[CTM_CODE_SALT_MAX]);
/* SYNTAX for a salt that is none, NOMEM. */
CTM_CHECK int ctm_code_hash(const char *salt, const char *code, size_t n, char out[CTM_CODE_HASH_MAX], struct ctm_err *err);

#endif
