/* SPDX-License-Identifier: Apache-2.0
 *
 * COSE_Sign1 (RFC 9052 4.2) in one profile, the only implementation in the house:
 *  - tagged 18, payload attached, no external data, everything deterministic CBOR;
 *  - alg (label 1) in the protected header, EdDSA (Ed25519) or ES256;
 *  - content type (3) text or number, protected header only; kid (4) in either header, we write it protected;
 *  - a label in both headers, or `crit` (2), refuses the message; other labels are ignored (RFC 9052 3.1).
 * A message has at most CTM_COSE_MAX bytes.
 */
#ifndef CTM_COSE_H
#define CTM_COSE_H
#include "ctm/crypto.h"
#include <stdbool.h>

#define CTM_COSE_OVERHEAD 256          /* bytes a message adds to its payload, at most, with kid + content type <= 128 bytes */

/* Everything borrowed from the message. */
struct ctm_cose1 {
	int alg;                       /* CTM_COSE_EDDSA or CTM_COSE_ES256 */
	const uint8_t *kid;            /* NULL when absent */
	size_t kidlen;
	const char *content_type;      /* text, not terminated; NULL when absent or a number */
	size_t content_typelen;
	int64_t content_format;        /* number (CoAP Content-Format), -1 when absent or text */
	const uint8_t *payload;
	size_t payloadlen;
	const uint8_t *protected_hdr;  /* contents of the protected header's byte string */
	size_t protectedlen;
	const uint8_t *sig;            /* CTM_SIG_BYTES */
};

/* Parse without verifying: for finding the key by kid. Nothing in *out may be believed yet. SYNTAX, TRUNCATED, TOOBIG,
 * UNSUPPORTED (outside the profile). */
int ctm_cose_sign1_peek(const uint8_t *msg, size_t n, struct ctm_cose1 *out);

/* Parse and verify under one raw public key; the key's length must fit the message's alg. Errors of peek, and VERIFY.
 * The caller that knows which algorithm its key has compares out->alg: lengths differ (32, 65), so they cannot be mixed. */
int ctm_cose_sign1_verify(const struct ctm_crypto *c, const uint8_t *msg, size_t n, struct ctm_cose1 *out,
			  const uint8_t *pub, size_t publen);

/* As verify, for a message whose content type must be `type`: UNSUPPORTED when it is another. */
int ctm_cose_sign1_typed(const struct ctm_crypto *c, const uint8_t *msg, size_t n, const char *type, const uint8_t *pub, size_t publen,
			 struct ctm_bytes *payload);
bool ctm_cose_is(const struct ctm_cose1 *m, const char *type);

/* Write a message into out. kid may be NULL (kidlen 0), content_type may be NULL. out must not overlap payload.
 * TOOBIG when cap is too small (payload + CTM_COSE_OVERHEAD is enough), INPUT, UNSUPPORTED, or the signer's failure. */
int ctm_cose_sign1_sign(ctm_sign_fn sign, void *sign_ctx, int alg, const uint8_t *kid, size_t kidlen,
			const char *content_type, const uint8_t *payload, size_t n,
			uint8_t *out, size_t cap, size_t *outlen);

#endif
