/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside src/crypto only: what a ctm_key is made of, for the X.509 code beside it.
 */
#ifndef CTM_CRYPTO_PKEY_H
#define CTM_CRYPTO_PKEY_H
#include "crypto/key.h"
#include <openssl/evp.h>
#include <stdbool.h>

struct ctm_key {
	EVP_PKEY *pkey;          /* owned; used read-only after making, so threads may share it */
	enum ctm_alg alg;
	bool is_private;
	uint8_t raw[65];         /* public bytes */
};

/* Wrap pkey (taken over even on failure). UNSUPPORTED unless Ed25519 or P-256. */
CTM_CHECK int ctm_key_wrap(EVP_PKEY *pkey, bool is_private, struct ctm_key **out, struct ctm_err *err);
/* Message digest the algorithm is used with in certificates: NULL for Ed25519. */
const EVP_MD *ctm_key_md(const struct ctm_key *k);

#endif
