/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/role.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include "ctm/manifest.h"
#include <stdio.h>
#include <string.h>

static int nomem(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for metadata");
}

int ctm_role_canonical(const ctm_json *v, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_BUF text = CTM_BUF(CTM_ROLE_MAX);
	int rc = ctm_json_compact(v, &text);
	if (!rc)
		rc = ctm_buf_err(&text, "metadata", err);
	if (rc)
		return ctm_fail(err, rc, NULL, NULL, "the metadata is too large");
	/* Canonical form is never longer; writing it over what it was read from would not do, so it gets a buffer of its own. */
	CTM_AUTO_BUF canon = CTM_BUF(CTM_ROLE_MAX);
	size_t n = 0;
	ctm_buf_add(&canon, text.p, text.len);
	rc = canon.failed ? CTM_SDK_FAIL : ctm_tuf_canonical(text.p, text.len, (uint8_t *)canon.p, canon.len, &n);
	if (rc)
		return ctm_fail(err, CTM_E_INPUT, NULL, NULL, "the metadata cannot be signed: %s", ctm_sdk_text(rc));
	ctm_buf_add(out, canon.p, n);
	return ctm_buf_err(out, "metadata", err);
}

int ctm_role_digest(const ctm_json *v, char out[72], struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_ROLE_MAX);
	int rc = ctm_role_canonical(v, &b, err);
	if (!rc)
		ctm_digest_of(b.p, b.len, out);
	return rc;
}

int ctm_role_key(const struct ctm_key *k, ctm_json **out, char id[CTM_ROLE_ID], struct ctm_err *err)
{
	bool ed = ctm_key_alg(k) == CTM_ALG_ED25519;
	CTM_AUTO_JSON *o = ctm_json_obj();
	ctm_json *val = ctm_json_obj();
	CTM_AUTO_BUF pem = CTM_BUF(4096);
	uint8_t raw[65];
	char hex[131], digest[72];
	int rc = ctm_key_pem_public(k, &pem);
	ctm_hex(raw, ctm_key_raw(k, raw), hex);
	rc = rc ? rc : ctm_json_sets(o, "keytype", ed ? "ed25519" : "ecdsa");
	rc = rc ? rc : ctm_json_sets(o, "scheme", ed ? "ed25519" : "ecdsa-sha2-nistp256");
	rc = rc ? rc : ctm_json_sets(val, "public", ed ? hex : ctm_buf_cstr(&pem));
	int rc2 = ctm_json_set(o, "keyval", val);
	if (rc || rc2)
		return nomem(err);
	if ((rc = ctm_role_digest(o, digest, err)))
		return rc;
	ctm_copy(id, CTM_ROLE_ID, digest + strlen("sha256:"));
	*out = o;
	o = NULL;
	return 0;
}

ctm_json *ctm_role_envelope(ctm_json *body)
{
	ctm_json *e = ctm_json_obj();
	if (ctm_json_set(e, "signatures", ctm_json_arr()) | ctm_json_set(e, "signed", body)) {
		ctm_json_free(e);
		return NULL;
	}
	return e;
}

int ctm_role_put(ctm_json *envelope, const char *keyid, const char *sig, struct ctm_err *err)
{
	const ctm_json *old = ctm_json_get(envelope, "signatures");
	ctm_json *list = ctm_json_arr(), *s = ctm_json_obj();
	int rc = 0;
	for (size_t i = 0; i < ctm_json_len(old); i++)
		if (!ctm_streq(ctm_json_gets(ctm_json_at(old, i), "keyid"), keyid))
			rc |= ctm_json_add(list, ctm_json_copy(ctm_json_at(old, i)));
	rc |= ctm_json_sets(s, "keyid", keyid) | ctm_json_sets(s, "sig", sig);
	rc |= ctm_json_add(list, s);
	return ctm_json_set(envelope, "signatures", list) | rc ? nomem(err) : 0;
}

/* An ASN.1 integer of 32 big-endian bytes; its length. */
static size_t der_int(const uint8_t v[32], uint8_t *out)
{
	size_t skip = 0, pad;
	while (skip < 31 && !v[skip])
		skip++;
	pad = v[skip] >> 7;
	out[0] = 2;
	out[1] = (uint8_t)(32 - skip + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, v + skip, 32 - skip);
	return 2 + pad + 32 - skip;
}

int ctm_role_sign(ctm_json *envelope, const struct ctm_key *k, struct ctm_err *err)
{
	CTM_AUTO_BUF tbs = CTM_BUF(CTM_ROLE_MAX);
	CTM_AUTO_JSON *key = NULL;
	uint8_t sig[64], der[80];
	char id[CTM_ROLE_ID], hex[2 * sizeof der + 1];
	int rc = ctm_role_key(k, &key, id, err);
	if (!rc)
		rc = ctm_role_canonical(ctm_json_get(envelope, "signed"), &tbs, err);
	if (rc)
		return rc;
	if ((rc = ctm_key_sign(k, tbs.p, tbs.len, sig)))
		return ctm_fail(err, rc, "key", NULL, "the key does not sign");
	if (ctm_key_alg(k) == CTM_ALG_ED25519) {
		ctm_hex(sig, sizeof sig, hex);
	} else {
		size_t n = der_int(sig, der + 2);
		n += der_int(sig + 32, der + 2 + n);
		der[0] = 0x30;
		der[1] = (uint8_t)n;
		ctm_hex(der, n + 2, hex);
	}
	return ctm_role_put(envelope, id, hex, err);
}

int ctm_role_write(const ctm_json *envelope, struct ctm_buf *out, struct ctm_err *err)
{
	int rc = ctm_json_pretty(envelope, out);
	return rc ? ctm_fail(err, rc, NULL, NULL, "the metadata cannot be written") : ctm_buf_err(out, "metadata", err);
}

int ctm_role_judge(const ctm_json *envelope, const char *type, const ctm_json *keys, const ctm_json *role, struct ctm_tuf_signers *out,
	struct ctm_err *err)
{
	CTM_AUTO_BUF doc = CTM_BUF(CTM_ROLE_MAX), under = CTM_BUF(CTM_ROLE_MAX);
	CTM_AUTO_JSON *r = ctm_json_obj();
	const char *why = NULL;
	int rc = ctm_json_set(r, "keys", ctm_json_copy(keys)) | ctm_json_set(r, "keyids", ctm_json_copy(ctm_json_get(role, "keyids"))) |
		ctm_json_set(r, "threshold", ctm_json_copy(ctm_json_get(role, "threshold")));
	if (rc)
		return ctm_fail(err, CTM_E_INPUT, NULL, NULL, "the role has no keyids and threshold");
	if ((rc = ctm_json_compact(r, &under)) || (rc = ctm_json_compact(envelope, &doc)))
		return ctm_fail(err, rc, NULL, NULL, "the metadata is too large");
	rc = ctm_tuf_signers(ctm_tuf_openssl(), doc.p, doc.len, type, under.p, under.len, out, &why);
	return rc ? ctm_fail(err, rc == CTM_SDK_SYNTAX ? CTM_E_SYNTAX : rc == CTM_SDK_TOOBIG ? CTM_E_TOOBIG : CTM_E_INPUT, NULL, NULL,
		"the metadata is not what a client takes: %s", why ? why : ctm_sdk_text(rc)) : 0;
}

int ctm_role_expires(ctm_json *body, int64_t expires_ms)
{
	char text[CTM_RFC3339_MAX];
	ctm_time_rfc3339(expires_ms / 1000 * 1000, text);
	return ctm_json_sets(body, "expires", text);
}

ctm_json *ctm_role_body(const char *type, int64_t version, int64_t expires_ms)
{
	ctm_json *o = ctm_json_obj();
	if (ctm_json_sets(o, "_type", type) | ctm_json_sets(o, "spec_version", CTM_ROLE_SPEC) | ctm_json_seti(o, "version", version) |
	    ctm_role_expires(o, expires_ms)) {
		ctm_json_free(o);
		return NULL;
	}
	return o;
}

ctm_json *ctm_role_meta(int64_t version, const void *p, size_t n)
{
	ctm_json *o = ctm_json_obj(), *h = ctm_json_obj();
	char digest[72];
	ctm_digest_of(p, n, digest);
	int rc = ctm_json_sets(h, "sha256", digest + strlen("sha256:"));
	if (ctm_json_seti(o, "version", version) | ctm_json_seti(o, "length", (int64_t)n) | ctm_json_set(o, "hashes", h) | rc) {
		ctm_json_free(o);
		return NULL;
	}
	return o;
}

/* --- who judges a role --------------------------------------------------------------------------------------------------- */

const char *ctm_role_type(const char *role)
{
	return ctm_streq(role, "root") || ctm_streq(role, "timestamp") || ctm_streq(role, "snapshot") ? role : "targets";
}

bool ctm_role_name_ok(const char *role)
{
	size_t n = role ? strlen(role) : 0;
	return n && n <= 64 && *role != '.' && strspn(role, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static int rule_of(const ctm_json *keys, const ctm_json *role, ctm_json **out, struct ctm_err *err)
{
	ctm_json *o = ctm_json_obj();
	if (ctm_json_set(o, "keys", ctm_json_copy(keys)) | ctm_json_set(o, "keyids", ctm_json_copy(ctm_json_get(role, "keyids"))) |
	    ctm_json_set(o, "threshold", ctm_json_copy(ctm_json_get(role, "threshold")))) {
		ctm_json_free(o);
		return ctm_fail(err, CTM_E_INPUT, NULL, NULL, "a role has no keyids and threshold");
	}
	*out = o;
	return 0;
}

static const ctm_json *delegation(const ctm_json *targets, const char *role)
{
	const ctm_json *rows = ctm_json_get(ctm_json_get(targets, "delegations"), "roles");
	for (size_t i = 0; i < ctm_json_len(rows); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(rows, i), "name"), role))
			return ctm_json_at(rows, i);
	return NULL;
}

int ctm_role_rule(const ctm_json *root, const ctm_json *targets, const char *role, ctm_json **out, struct ctm_err *err)
{
	bool top = !ctm_streq(ctm_role_type(role), "targets") || ctm_streq(role, "targets");
	const ctm_json *row = top ? ctm_json_get(ctm_json_get(root, "roles"), role) : delegation(targets, role);
	if (!row)
		return ctm_fail(err, CTM_E_NOTFOUND, "role", NULL, "this repository has no role %s", role);
	return rule_of(ctm_json_get(top ? root : ctm_json_get(targets, "delegations"), "keys"), row, out, err);
}

int ctm_role_holds(const ctm_json *envelope, const char *role, const ctm_json *rule, const ctm_json *before, unsigned *have, unsigned *need,
	struct ctm_err *err)
{
	CTM_AUTO_JSON *old = NULL;
	struct ctm_tuf_signers s, b;
	int rc = ctm_role_judge(envelope, ctm_role_type(role), ctm_json_get(rule, "keys"), rule, &s, err);
	if (!rc && before && ctm_streq(role, "root")) {
		if (!(rc = rule_of(ctm_json_get(before, "keys"), ctm_json_get(ctm_json_get(before, "roles"), "root"), &old, err)) &&
		    !(rc = ctm_role_judge(envelope, "root", ctm_json_get(old, "keys"), old, &b, err)) &&
		    (int)b.count - (int)b.threshold < (int)s.count - (int)s.threshold)
			s = b;
	}
	if (rc)
		return ctm_fail_prefix(err, "%s: ", role);
	*have = s.count;
	*need = s.threshold;
	return 0;
}

/* --- releases ------------------------------------------------------------------------------------------------------------ */

static int set_text(ctm_json *o, const char *key, struct ctm_bytes b)
{
	return b.n ? ctm_json_setf(o, key, "%.*s", (int)b.n, (const char *)b.p) : 0;
}

ctm_json *ctm_role_custom(const struct ctm_manifest *m)
{
	ctm_json *o = ctm_json_obj(), *list = ctm_json_arr(), *hardware = ctm_json_arr();
	char id[37], sbom[72];
	int bad = 0;
	ctm_uuid_text(m->class_id, id);
	bad |= ctm_json_adds(hardware, id) | set_text(o, "component", m->component) | set_text(o, "version", m->version) |
		ctm_json_seti(o, "security_counter", (int64_t)m->counter) | set_text(o, "min_version", m->min_version) | set_text(o, "support_end", m->support_end);
	if (m->sbom.n == CTM_SHA256) {
		ctm_digest_str(m->sbom.p, sbom);
		bad |= ctm_json_sets(o, "sbom", sbom);
	}
	for (size_t i = 0; i < m->advisories; i++) {
		char word[CTM_ADVISORY_TEXT + 1];
		snprintf(word, sizeof word, "%.*s", (int)m->advisory[i].n, (const char *)m->advisory[i].p);
		bad |= ctm_json_adds(list, word);
	}
	bad |= ctm_json_set(o, "advisories", list);
	bad |= ctm_json_set(o, "hardware_ids", hardware);
	if (bad) {
		ctm_json_free(o);
		return NULL;
	}
	return o;
}

ctm_json *ctm_role_target(int64_t length, const char *digest, ctm_json *custom)
{
	ctm_json *o = ctm_json_obj(), *h = ctm_json_obj();
	int bad = ctm_json_seti(o, "length", length) | ctm_json_sets(h, "sha256", digest + strlen("sha256:"));
	bad |= ctm_json_set(o, "hashes", h);
	bad |= ctm_json_set(o, "custom", custom);
	if (bad) {
		ctm_json_free(o);
		return NULL;
	}
	return o;
}
