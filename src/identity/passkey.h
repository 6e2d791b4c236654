/* SPDX-License-Identifier: Apache-2.0
 *
 * Verification of passkeys (WebAuthn Level 2, sections 7.1 and 7.2): pure functions of bytes, no rows, no clock. Signatures
 * and authenticator data are judged by libfido2; the client data, the attestation object's frame, the relying party and
 * the flags are judged here. Attestation is asked for as "none" and no maker of authenticators is trusted: "none" is
 * taken with an empty statement, "packed" is verified (its own key or the certificate it brings), other formats are refused.
 * Algorithms: ES256 and EdDSA. Presence of the person is required, verification (PIN, finger) is preferred.
 */
#ifndef CTM_IDENTITY_PASSKEY_H
#define CTM_IDENTITY_PASSKEY_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

#define CTM_PASSKEY_ID_MAX 1023        /* bytes, WebAuthn Level 2 section 4 */
#define CTM_PASSKEY_ES256 (-7)
#define CTM_PASSKEY_EDDSA (-8)

/* Who asks: derived from the platform's public address. */
struct ctm_passkey_rp { char origin[300], id[256]; };
/* "https://ctm.example" gives that origin and "ctm.example". INPUT for anything without scheme and host. */
CTM_CHECK int ctm_passkey_rp(const char *public_url, struct ctm_passkey_rp *out, struct ctm_err *err);

struct ctm_passkey_bytes { const void *p; size_t n; };
struct ctm_passkey_key { int alg; uint8_t key[64]; size_t key_n; };
struct ctm_passkey_new { struct ctm_passkey_key key; uint8_t id[CTM_PASSKEY_ID_MAX]; size_t id_n; uint32_t count; };

/* Client data (JSON by the browser): type "webauthn.create" or "webauthn.get", our origin, not framed by another. challenge: what it
 * answers, base64url, for the caller to take from its table. SYNTAX, VERIFY. */
CTM_CHECK int ctm_passkey_client(const struct ctm_passkey_rp *rp, const char *type, struct ctm_passkey_bytes client, char challenge[64], struct ctm_err *err);
/* A new credential from an attestation object. SYNTAX, UNSUPPORTED (format, algorithm), VERIFY. Check the client data first. */
CTM_CHECK int ctm_passkey_verify_new(const struct ctm_passkey_rp *rp, struct ctm_passkey_bytes client, struct ctm_passkey_bytes attestation,
	struct ctm_passkey_new *out, struct ctm_err *err);
/* A sign-in with a known key. *count: the authenticator's signature counter, to be compared by the caller. VERIFY. */
CTM_CHECK int ctm_passkey_verify_use(const struct ctm_passkey_rp *rp, const struct ctm_passkey_key *key, struct ctm_passkey_bytes client,
	struct ctm_passkey_bytes auth_data, struct ctm_passkey_bytes signature, uint32_t *count, struct ctm_err *err);

#endif
