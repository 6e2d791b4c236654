/* SPDX-License-Identifier: Apache-2.0
 *
 * Signature keys: Ed25519 (RFC 8032) and ES256 (ECDSA P-256 with SHA-256; signatures raw r||s, 64 bytes). PEM PKCS#8
 * files, mode 0600; sealed files hold the same under a passphrase-derived key (later rooms).
 */
#ifndef CTM_CRYPTO_KEY_H
#define CTM_CRYPTO_KEY_H
#include "base/buf.h"
#include <stdbool.h>

enum ctm_alg { CTM_ALG_ED25519 = 1, CTM_ALG_ES256 = 2 };

struct ctm_key;                                             /* private or public only */

CTM_CHECK int ctm_key_generate(enum ctm_alg alg, struct ctm_key **out, struct ctm_err *err);         /* NOMEM */
CTM_CHECK int ctm_key_load(const char *pem_path, struct ctm_key **out, struct ctm_err *err);         /* private; NOTFOUND, SYNTAX, GUARD when others may read the file */
CTM_CHECK int ctm_key_from_pem(const char *pem, size_t n, struct ctm_key **out, struct ctm_err *err);/* private or public */
CTM_CHECK int ctm_key_from_raw(enum ctm_alg alg, const uint8_t *pub, size_t n, struct ctm_key **out, struct ctm_err *err); /* 32, or 65 (04||x||y) */
CTM_CHECK int ctm_key_store(const struct ctm_key *k, const char *pem_path, struct ctm_err *err);     /* private, 0600, atomic */
CTM_CHECK int ctm_key_pem_public(const struct ctm_key *k, struct ctm_buf *out);                      /* appends SubjectPublicKeyInfo in PEM */
enum ctm_alg ctm_key_alg(const struct ctm_key *k);
bool ctm_key_is_private(const struct ctm_key *k);                                                    /* can it sign? */
size_t ctm_key_raw(const struct ctm_key *k, uint8_t out[65]);                                        /* public bytes; 32 or 65 */
void ctm_key_id(const struct ctm_key *k, char out[17]);      /* first 8 bytes of SHA-256 of the raw public key, hex */
void ctm_key_free(struct ctm_key *k);
void ctm_key_freep(struct ctm_key **k);
#define CTM_AUTO_KEY __attribute__((cleanup(ctm_key_freep))) struct ctm_key

CTM_CHECK int ctm_key_sign(const struct ctm_key *k, const void *msg, size_t n, uint8_t sig[64]);  /* STATE for a public key, FAIL */
/* 0 or VERIFY. Ed25519: RFC 8032 strict (canonical S, as OpenSSL does). */
CTM_CHECK int ctm_key_verify(const struct ctm_key *k, const void *msg, size_t n, const uint8_t *sig, size_t siglen);

#endif
