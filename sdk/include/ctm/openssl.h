/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL 3 back end of the SDK's crypto seam. Keys come as raw bytes, so a caller needs no type of OpenSSL.
 */
#ifndef CTM_SDK_OPENSSL_H
#define CTM_SDK_OPENSSL_H
#include "ctm/crypto.h"

/* The back end: constant, thread-safe. */
const struct ctm_crypto *ctm_openssl_crypto(void);

/* A ctm_sign_fn; ctx is an EVP_PKEY * (Ed25519 or P-256 private key). */
int ctm_openssl_sign(void *evp_pkey, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES]);

#endif
