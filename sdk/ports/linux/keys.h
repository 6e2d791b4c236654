/* SPDX-License-Identifier: Apache-2.0
 *
 * Where a device's private keys are: a file of the state directory, a TPM 2.0, or a PKCS#11 token. One row per place (keys.c); the
 * agent names the place in its configuration and sees an EVP_PKEY whose private half may be out of reach.
 *
 *   "file"                                        PEM in the state directory, mode 0600
 *   "tpm:TCTI"                                    TCTI as libtss2 names it ("device:/dev/tpmrm0", "swtpm:host=127.0.0.1,port=2321").
 *                                                 Keys are primary keys of the owner hierarchy, derived in the TPM from its seed and
 *                                                 the key's name: nothing of them is stored anywhere
 *   "pkcs11:module=FILE;token=LABEL;pin-source=FILE"   PKCS#11 2.40 by its own function list; objects are labelled by the key's name
 *
 * The libraries of TPM and PKCS#11 are opened when a key of that kind is asked for, so that a unit with keys in files carries
 * none of them. All functions are used by one thread at a time. Errors: STORAGE (place cannot be used), NONE (no such key, make not
 * set), INPUT (the words of the place), FAIL.
 */
#ifndef CTM_PORT_LINUX_KEYS_H
#define CTM_PORT_LINUX_KEYS_H
#include "ctm/crypto.h"
#include <openssl/evp.h>
#include <stdbool.h>

#define KEY_PLACE 1024              /* bytes of the words of a place */

struct why;                         /* agent.h */

/* A key by name and number: "device" 0, 1, 2... (a renewed key gets the next number), "idevid" 0. */
struct key_name {
	const char *name;
	unsigned number;
};

struct key_place {
	const char *scheme;             /* "file", "tpm", "pkcs11" */
	int (*check)(const char *words, struct why *w);
	/* P-256. make: a fresh key, in place of one of that name and number; else the one there is. */
	int (*open)(const char *words, int dir, const struct key_name *k, bool make, EVP_PKEY **out, struct why *w);
	/* The key is of no use any more; absent is good. */
	int (*forget)(const char *words, int dir, const struct key_name *k);
	/* The key that seals stored data (ctm/port.h, seal_key); NULL: a file of the state directory keeps it. */
	int (*seal_key)(const char *words, int make, uint8_t key[CTM_AEAD_KEY], struct why *w);
};

extern const struct key_place key_place_file, key_place_tpm, key_place_pkcs11;

/* The row of a place, with its words behind the colon; NULL when there is none. */
const struct key_place *key_place_find(const char *place, const char **words);

/* An EVP_PKEY for a public point whose signatures somebody else makes. sign gets SHA-256 digests and gives raw r || s. ctx is given to
 * done when the last reference goes. NULL without memory or when pub is no point of the curve (ctx then stays the caller's). */
typedef int key_sign_fn(void *ctx, const uint8_t digest[CTM_HASH_BYTES], uint8_t sig[CTM_SIG_BYTES]);
EVP_PKEY *key_remote(const uint8_t pub[CTM_PUB_MAX], key_sign_fn *sign, void *ctx, void (*done)(void *ctx));

#endif
