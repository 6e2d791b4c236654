/* SPDX-License-Identifier: Apache-2.0
 *
 * SHA-256 (FIPS 180-4), HMAC-SHA-256 (RFC 2104), HMAC-SHA-1 for one-time passwords only (RFC 6238: what apps speak), and the "sha256:hex" form of digests. This room alone includes OpenSSL.
 */
#ifndef CTM_CRYPTO_HASH_H
#define CTM_CRYPTO_HASH_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTM_SHA256 32
#define CTM_DIGEST_MAX 72              /* "sha256:" + 64 hex + NUL */

struct ctm_sha256;                     /* incremental */
struct ctm_sha256 *ctm_sha256_new(void);  /* NULL without memory: the rest bears it, end gives zeros */
void ctm_sha256_add(struct ctm_sha256 *h, const void *p, size_t n);   /* in any pieces */
void ctm_sha256_end(struct ctm_sha256 *h, uint8_t out[CTM_SHA256]);   /* frees h; h == NULL gives zeros */

/* All at once; digest_str writes "sha256:hex", digest_of hashes and writes it. */
void ctm_sha256(const void *p, size_t n, uint8_t out[CTM_SHA256]);
void ctm_hmac_sha256(const void *key, size_t klen, const void *p, size_t n, uint8_t out[CTM_SHA256]);
void ctm_hmac_sha1(const void *key, size_t klen, const void *p, size_t n, uint8_t out[20]);
void ctm_digest_str(const uint8_t d[CTM_SHA256], char out[CTM_DIGEST_MAX]);
void ctm_digest_of(const void *p, size_t n, char out[CTM_DIGEST_MAX]);
bool ctm_digest_ok(const char *s);     /* exactly "sha256:" and 64 lower-case hex */
CTM_CHECK int ctm_digest_parse(const char *s, uint8_t out[CTM_SHA256]);  /* SYNTAX unless ctm_digest_ok */
CTM_CHECK int ctm_digest_file(const char *path, char out[CTM_DIGEST_MAX], int64_t *size, struct ctm_err *err);  /* NOTFOUND, IO; *size in bytes */

#endif
