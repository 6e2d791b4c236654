/* SPDX-License-Identifier: Apache-2.0
 *
 * Mbed TLS 2.28 back end of the SDK's crypto seam, for microcontrollers: ES256, SHA-256, AES-256-GCM. It has no Ed25519 and says
 * so in `can`: what is signed for such a device is signed with ES256.
 *
 * Random numbers come from an HMAC-DRBG (NIST SP 800-90A) over the board's noise source; before ctm_mbedtls_begin() everything
 * that needs them is refused. One user at a time: the table has no context, so the generator stands where begin was given it.
 */
#ifndef CTM_SDK_MBEDTLS_H
#define CTM_SDK_MBEDTLS_H
#include "ctm/port.h"

/* The board's noise source: n bytes with full entropy; 0 or negative. */
typedef int (*ctm_noise_fn)(void *ctx, uint8_t *out, size_t n);

/* Storage of the generator, the caller's; contents the back end's. */
struct ctm_mbedtls {
	uint64_t opaque[32];
};

/* Seed the generator. m and noise stay in use. FAIL when the noise source gives nothing. */
int ctm_mbedtls_begin(struct ctm_mbedtls *m, ctm_noise_fn noise, void *noise_ctx);
void ctm_mbedtls_end(void);     /* forget the generator; m and noise are the caller's again */
const struct ctm_crypto *ctm_mbedtls_crypto(void);

/* A P-256 key pair as bytes: the secret number, and the public point 04 || x || y. */
struct ctm_p256 {
	uint8_t secret[32], pub[CTM_PUB_MAX];
};

/* A new key; FAIL without random numbers. */
int ctm_mbedtls_keygen(struct ctm_p256 *out);
/* A ctm_sign_fn; ctx is a struct ctm_p256 *. INPUT when it is no key. */
int ctm_mbedtls_sign(void *p256, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES]);
/* PBKDF2-HMAC-SHA-256 (RFC 8018) for a port's kdf. */
int ctm_mbedtls_kdf(const void *password, size_t n, const uint8_t salt[CTM_SALT_BYTES], uint32_t rounds, uint8_t out[CTM_HASH_BYTES]);

#endif
