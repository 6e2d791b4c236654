/* SPDX-License-Identifier: Apache-2.0
 *
 * The crypto seam of the SDK: a table of functions a back end gives (sdk/crypto/openssl.c; later one for small
 * microcontrollers). Messages to verify come as parts, so that a signature over header + payload needs no copy on a device
 * whose back end can hash in pieces.
 */
#ifndef CTM_SDK_CRYPTO_H
#define CTM_SDK_CRYPTO_H
#include "ctm/sdk.h"

/* COSE algorithm numbers (RFC 9053). */
#define CTM_COSE_EDDSA (-8)   /* Ed25519, public key 32 bytes */
#define CTM_COSE_ES256 (-7)   /* ECDSA P-256 SHA-256, public key 65 bytes (04 || x || y), signature r || s */

#define CTM_SIG_BYTES 64
#define CTM_HASH_BYTES 32
#define CTM_PUB_MAX 65

/* Sealing: AES-256-GCM (NIST SP 800-38D). A key and a nonce are used together once: see ctm/sealed.h. */
#define CTM_AEAD_KEY 32
#define CTM_AEAD_NONCE 12
#define CTM_AEAD_TAG 16

/* What a back end is able to do; an algorithm outside its set is refused as UNSUPPORTED, never skipped. */
#define CTM_CAN_EDDSA 1u
#define CTM_CAN_ES256 2u
#define CTM_CAN_AEAD  4u

/* Running SHA-256; storage is the caller's, contents the back end's. After init, final must be called once (it frees what the
 * back end may hold), whatever happened between. */
struct ctm_hash {
	uint64_t opaque[16];
};

struct ctm_crypto {
	unsigned can;                         /* CTM_CAN_* */
	int (*sha256_init)(struct ctm_hash *h);
	int (*sha256_update)(struct ctm_hash *h, const void *p, size_t n);
	int (*sha256_final)(struct ctm_hash *h, uint8_t out[CTM_HASH_BYTES]);
	/* 0, VERIFY, UNSUPPORTED (algorithm), INPUT (key is not one). sig has CTM_SIG_BYTES bytes. */
	int (*verify)(int alg, const uint8_t *pub, size_t publen, const struct ctm_bytes *parts, size_t nparts,
		      const uint8_t sig[CTM_SIG_BYTES]);
	int (*random)(void *out, size_t n);   /* fit for keys; 0 or FAIL */
	/* n bytes become n + CTM_AEAD_TAG, and back; in and out are the same buffer or do not overlap. open: VERIFY, and then out holds
	 * nothing readable. UNSUPPORTED without CTM_CAN_AEAD. */
	int (*seal)(const uint8_t key[CTM_AEAD_KEY], const uint8_t nonce[CTM_AEAD_NONCE], struct ctm_bytes ad, const uint8_t *in, size_t n,
		    uint8_t *out);
	int (*open)(const uint8_t key[CTM_AEAD_KEY], const uint8_t nonce[CTM_AEAD_NONCE], struct ctm_bytes ad, const uint8_t *in, size_t n,
		    uint8_t *out);        /* n counts the tag */
};

/* Sign n bytes with the key that ctx stands for; raw 64-byte signature. 0 or negative. */
typedef int (*ctm_sign_fn)(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES]);

/* SHA-256 in one go. */
int ctm_sdk_sha256(const struct ctm_crypto *c, const void *p, size_t n, uint8_t out[CTM_HASH_BYTES]);
/* Equal in time that depends only on n. */
int ctm_sdk_same(const void *a, const void *b, size_t n);
void ctm_sdk_wipe(void *p, size_t n);
/* Big-endian numbers of n bytes, at most 8. */
void ctm_sdk_put(uint8_t *p, uint64_t v, int n);
uint64_t ctm_sdk_get(const uint8_t *p, int n);
int ctm_sdk_is(struct ctm_bytes b, const char *s);                          /* the same characters; no if s is NULL */
int ctm_sdk_refuse(int code, const char *word, const char **why);          /* code, with the word for it where why is not NULL */
/* Whole seconds of milliseconds, without the processor's 64-bit division; 0 when negative, at most UINT32_MAX. */
uint32_t ctm_sdk_seconds(int64_t ms);

#endif
