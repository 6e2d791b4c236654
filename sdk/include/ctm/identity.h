/* SPDX-License-Identifier: Apache-2.0
 *
 * Identity of a unit: the printed serial is the name it goes by everywhere, and the device key proves it.
 * NIST IR 8259A, device identification: one unique logical identifier, equal to the physical one.
 */
#ifndef CTM_IDENTITY_H
#define CTM_IDENTITY_H
#include "ctm/sdk.h"
#include <stdbool.h>

#define CTM_NONCE_TEXT 43              /* base64url of 32 bytes, no padding */
#define CTM_PROOF_MAX (24 + CTM_SERIAL_MAX + CTM_NONCE_TEXT + 4)

bool ctm_serial_ok(const char *s);     /* 1..64 of letters, digits, '-', '.', '_' */
/* Bytes that the device key signs to prove possession: "ctm-identity-proof/1\n" serial "\n" nonce "\n". INPUT when the
 * nonce is not the canonical base64url of 32 bytes. Returns the length. */
int ctm_identity_proof(const char *serial, const char *nonce, uint8_t out[CTM_PROOF_MAX], size_t *n);

/* base64url without padding (RFC 4648 5), canonical: out gets n*4/3 rounded up characters and NUL. */
void ctm_b64u_encode(const uint8_t *p, size_t n, char *out);
/* SYNTAX (a character, a length, bits that must be zero), TOOBIG. */
int ctm_b64u_decode(const char *s, size_t n, uint8_t *out, size_t cap, size_t *outlen);

#endif
