/* SPDX-License-Identifier: Apache-2.0
 *
 * TUF metadata (specification 1.0.34) as those handle it who make and sign it: an envelope {signatures: [{keyid, sig}], signed: body}. Whether
 * it will be believed is judged by the device's own client (ctm/tuf.h). Our keys are Ed25519 (hex) or P-256 (PEM, DER signatures).
 */
#ifndef CTM_CRYPTO_ROLE_H
#define CTM_CRYPTO_ROLE_H
#include "base/json.h"
#include "crypto/key.h"
#include "ctm/tuf.h"

#define CTM_ROLE_MAX CTM_TUF_TARGETS_MAX       /* bytes of an envelope */
#define CTM_ROLE_ID 65                         /* hex SHA-256 and NUL */
#define CTM_ROLE_SPEC "1.0.34"

/* A key as metadata writes it, and its id (SHA-256 of the canonical key). */
CTM_CHECK int ctm_role_key(const struct ctm_key *k, ctm_json **out, char id[CTM_ROLE_ID], struct ctm_err *err);
/* The bytes a signature of v is over. */
CTM_CHECK int ctm_role_canonical(const ctm_json *v, struct ctm_buf *out, struct ctm_err *err);
/* Digest of those bytes, "sha256:HEX". */
CTM_CHECK int ctm_role_digest(const ctm_json *v, char out[72], struct ctm_err *err);

/* A new envelope without signatures; owns body (also on failure: NULL). */
ctm_json *ctm_role_envelope(ctm_json *body);
/* Sign the body; the key's earlier signature is replaced. */
CTM_CHECK int ctm_role_sign(ctm_json *envelope, const struct ctm_key *k, struct ctm_err *err);
/* Put a signature (hex) made elsewhere in place. */
CTM_CHECK int ctm_role_put(ctm_json *envelope, const char *keyid, const char *sig, struct ctm_err *err);
/* What a client will say: of type "root", "timestamp", "snapshot" or "targets" (delegated ones too), under `role` {keyids, threshold} of
 * `keys`. 0 also when signatures are missing: compare out->count and out->threshold. INPUT, SYNTAX with the client's phrase. */
CTM_CHECK int ctm_role_judge(const ctm_json *envelope, const char *type, const ctm_json *keys, const ctm_json *role, struct ctm_tuf_signers *out,
	struct ctm_err *err);
/* The bytes that are served. */
CTM_CHECK int ctm_role_write(const ctm_json *envelope, struct ctm_buf *out, struct ctm_err *err);

/* {_type, spec_version, version, expires}: what every body begins with. NULL without memory. */
ctm_json *ctm_role_body(const char *type, int64_t version, int64_t expires_ms);
CTM_CHECK int ctm_role_expires(ctm_json *body, int64_t expires_ms);        /* set anew; whole seconds */
/* "root", "timestamp", "snapshot"; "targets" for that and every delegated role. */
const char *ctm_role_type(const char *role);
bool ctm_role_name_ok(const char *role);              /* letters, digits, "._-", at most 64; does not begin with a dot */
/* Under which keys a role is judged, {keys, keyids, threshold}: top-level ones by the root's body, others by the targets' (NULL: there is
 * none). NOTFOUND when nobody names the role. */
CTM_CHECK int ctm_role_rule(const ctm_json *root, const ctm_json *targets, const char *role, ctm_json **out, struct ctm_err *err);
/* Signatures an envelope has and needs under its rule; a root under the body of the root before it as well (`before`, NULL for the first and
 * for other roles): the pair of the two that is further from enough. Errors of judge. */
CTM_CHECK int ctm_role_holds(const ctm_json *envelope, const char *role, const ctm_json *rule, const ctm_json *before, unsigned *have, unsigned *need,
	struct ctm_err *err);

/* What a release's targets say in `custom`; NULL without memory. */
struct ctm_manifest;
ctm_json *ctm_role_custom(const struct ctm_manifest *m);
/* A target: {length, hashes: {sha256}, custom}; digest "sha256:HEX"; custom is taken over. NULL without memory. */
ctm_json *ctm_role_target(int64_t length, const char *digest, ctm_json *custom);

/* {version, length, hashes: {sha256}} of served bytes; NULL without memory. */
ctm_json *ctm_role_meta(int64_t version, const void *p, size_t n);

#endif
