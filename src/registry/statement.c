/* SPDX-License-Identifier: Apache-2.0
 *
 * Statements. Reading ends with writing again and comparing, so a statement has one spelling only. The table of kinds is the
 * whole life of a public record: withdrawal is final, a corrected product is a new record.
 */
#include "registry/statement.h"
#include "base/text.h"
#include "base/timex.h"
#include "ctm/cose.h"
#include "ctm/openssl.h"
#include <string.h>

const struct ctm_statement_kind ctm_statement_kinds[] = {
	{ "grant",         "grant",         "authorised", "",                     "Authorised to carry the mark" },
	{ "suspension",    "suspension",    "suspended",  "authorised",           "Authorisation suspended" },
	{ "reinstatement", "reinstatement", "authorised", "suspended",            "Authorisation reinstated" },
	{ "withdrawal",    "withdrawal",    "withdrawn",  "authorised,suspended", "Authorisation withdrawn for good" },
};
const size_t ctm_statement_kind_count = sizeof ctm_statement_kinds / sizeof *ctm_statement_kinds;

const struct ctm_statement_kind *ctm_statement_kind_find(const char *kind)
{
	for (size_t i = 0; i < ctm_statement_kind_count; i++)
		if (ctm_streq(kind, ctm_statement_kinds[i].kind))
			return &ctm_statement_kinds[i];
	return NULL;
}

bool ctm_statement_may_follow(const struct ctm_statement_kind *k, const char *status)
{
	size_t n = strlen(status);

	if (!*k->after || !n)
		return !*k->after && !n;
	for (const char *p = k->after; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (!strncmp(p, status, n) && (p[n] == ',' || !p[n]))
			return true;
	return false;
}

static bool number_ok(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'A' && s[i] <= 'Z') || s[i] == '-'))
			return false;
	return n > 0;
}

static bool line_ok(const char *s)
{
	return ctm_text_printable(s, strlen(s)) && !strpbrk(s, "\n\t");
}

/* A string member copied into a field of `cap` bytes. */
static int text(const struct ctm_jc *c, const char *key, size_t min, char *dst, size_t cap, struct ctm_err *err)
{
	const char *s;
	int rc = ctm_jc_str(c, key, min, cap - 1, &s, err);

	if (rc)
		return rc;
	if (!line_ok(s))
		return ctm_jc_fail(c, err, "\"%s\" is one line of printable text.", key);
	ctm_copy(dst, cap, s);
	return 0;
}

static int parse_cla(const struct ctm_jc *c, struct ctm_statement *s, struct ctm_err *err)
{
	static const char *const keys[] = { "contact", "name" };
	struct ctm_jc cla;
	int rc;

	if ((rc = ctm_jc_key(c, "cla", &cla, err)) || (rc = ctm_jc_is(&cla, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&cla, keys, 2, err)) ||
	    (rc = text(&cla, "name", 1, s->cla_name, sizeof s->cla_name, err)) || (rc = text(&cla, "contact", 0, s->cla_contact, sizeof s->cla_contact, err)))
		return rc;
	return 0;
}

/* What goes beyond the shape of single members. */
static int parse_sense(const struct ctm_jc *c, const struct ctm_statement *s, const char *at, struct ctm_err *err)
{
	const struct ctm_statement_kind *k = ctm_statement_kind_find(s->kind);
	char again[CTM_RFC3339_MAX];

	if (!ctm_pubid_ok(s->record))
		return ctm_jc_fail(c, err, "\"record\" is not a public id.");
	if (!number_ok(s->certificate))
		return ctm_jc_fail(c, err, "\"certificate\" is not a certificate number.");
	if (!ctm_digest_ok(s->decision) || !ctm_digest_ok(s->content))
		return ctm_jc_fail(c, err, "\"decision\" and \"content\" are digests: sha256: and 64 hex digits.");
	if (!k)
		return ctm_jc_fail(c, err, "\"kind\" is none of grant, suspension, reinstatement, withdrawal.");
	if (strcmp(k->status, s->status))
		return ctm_jc_fail(c, err, "A %s gives the status %s, not %s.", s->kind, k->status, s->status);
	if ((s->version == 1) != !*k->after)
		return ctm_jc_fail(c, err, "Version 1 of a record is its grant, and only that.");
	ctm_time_rfc3339(s->at_ms, again);
	if (strcmp(again, at))
		return ctm_jc_fail(c, err, "\"at\" is not written as a time in UTC with a Z.");
	return 0;
}

int ctm_statement_parse(const ctm_json *j, struct ctm_statement *out, struct ctm_err *err)
{
	static const char *const keys[] = { "at", "certificate", "cla", "content", "decision", "format", "kind", "record", "status", "version" };
	struct ctm_jc c = ctm_jc_root(j, "statement");
	struct ctm_statement s = { 0 };
	char format[32], at[CTM_RFC3339_MAX];
	int rc;

	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, sizeof keys / sizeof *keys, err)) ||
	    (rc = text(&c, "format", 1, format, sizeof format, err)))
		return rc;
	if (strcmp(format, "ctm.statement/1"))
		return ctm_jc_fail(&c, err, "\"format\" is not ctm.statement/1.");
	if ((rc = text(&c, "record", 1, s.record, sizeof s.record, err)) || (rc = ctm_jc_int(&c, "version", 1, 1000000, &s.version, err)) ||
	    (rc = text(&c, "kind", 1, s.kind, sizeof s.kind, err)) || (rc = text(&c, "status", 1, s.status, sizeof s.status, err)) ||
	    (rc = text(&c, "certificate", 1, s.certificate, sizeof s.certificate, err)) || (rc = text(&c, "at", 1, at, sizeof at, err)) ||
	    (rc = text(&c, "decision", 1, s.decision, sizeof s.decision, err)) || (rc = text(&c, "content", 1, s.content, sizeof s.content, err)) ||
	    (rc = parse_cla(&c, &s, err)))
		return rc;
	if (ctm_time_parse(at, &s.at_ms))
		return ctm_jc_fail(&c, err, "\"at\" is not a time.");
	if ((rc = parse_sense(&c, &s, at, err)))
		return rc;
	*out = s;
	return 0;
}

ctm_json *ctm_statement_json(const struct ctm_statement *s)
{
	ctm_json *j = ctm_json_obj(), *cla = ctm_json_obj();
	char at[CTM_RFC3339_MAX];
	int rc = 0;

	ctm_time_rfc3339(s->at_ms, at);
	rc |= ctm_json_sets(cla, "name", s->cla_name);
	rc |= ctm_json_sets(cla, "contact", s->cla_contact);
	rc |= ctm_json_set(j, "cla", cla);
	rc |= ctm_json_sets(j, "format", "ctm.statement/1");
	rc |= ctm_json_sets(j, "record", s->record);
	rc |= ctm_json_seti(j, "version", s->version);
	rc |= ctm_json_sets(j, "kind", s->kind);
	rc |= ctm_json_sets(j, "status", s->status);
	rc |= ctm_json_sets(j, "certificate", s->certificate);
	rc |= ctm_json_sets(j, "at", at);
	rc |= ctm_json_sets(j, "decision", s->decision);
	rc |= ctm_json_sets(j, "content", s->content);
	if (rc) {
		ctm_json_free(j);
		return NULL;
	}
	return j;
}

int ctm_statement_write(const struct ctm_statement *s, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_JSON *j = ctm_statement_json(s);
	int rc = j ? ctm_json_canonical(j, out) : CTM_E_NOMEM;

	return rc ? ctm_fail(err, rc, "statement", NULL, "The statement cannot be written.") : 0;
}

/* --- COSE ---------------------------------------------------------------------------------------------------------- */

static int sign_with(void *key, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	return ctm_key_sign(key, tbs, n, sig) ? CTM_SDK_FAIL : 0;
}

int ctm_cose_seal(const struct ctm_key *key, const char *type, const void *p, size_t n, struct ctm_buf *out, struct ctm_err *err)
{
	char kid[17];
	size_t len = 0, cap = n + CTM_COSE_OVERHEAD;

	if (ctm_key_alg(key) != CTM_ALG_ED25519)
		return ctm_fail(err, CTM_E_INPUT, "key", NULL, "Statements are signed with an Ed25519 key.");
	if (n > CTM_STATEMENT_MAX)
		return ctm_fail(err, CTM_E_TOOBIG, "statement", NULL, "A signed statement has at most %d bytes.", CTM_STATEMENT_MAX);
	uint8_t msg[CTM_STATEMENT_MAX + CTM_COSE_OVERHEAD];
	ctm_key_id(key, kid);
	int rc = ctm_cose_sign1_sign(sign_with, (void *)key, CTM_COSE_EDDSA, (const uint8_t *)kid, 16, type, p, n, msg, cap, &len);
	if (rc)
		return ctm_fail(err, CTM_E_FAIL, "statement", NULL, "Signing failed: %s.", ctm_sdk_text(rc));
	ctm_buf_add(out, msg, len);
	return ctm_buf_err(out, "statement", err);
}

int ctm_cose_open(const void *msg, size_t n, const uint8_t pub[32], const char *type, const void **payload, size_t *len, struct ctm_err *err)
{
	struct ctm_cose1 m;
	int rc = ctm_cose_sign1_verify(ctm_openssl_crypto(), msg, n, &m, pub, 32);

	if (rc)
		return ctm_fail(err, rc == CTM_SDK_VERIFY ? CTM_E_VERIFY : CTM_E_SYNTAX, "statement", "RFC 9052",
			rc == CTM_SDK_VERIFY ? "The signature is not by this key, or the bytes were changed." : "This is not a COSE_Sign1 message in its one form: %s.",
			ctm_sdk_text(rc));
	if (type && (!m.content_type || m.content_typelen != strlen(type) || memcmp(m.content_type, type, m.content_typelen)))
		return ctm_fail(err, CTM_E_VERIFY, "statement", "RFC 9052", "The signed message is of another type than %s.", type);
	*payload = m.payload;
	*len = m.payloadlen;
	return 0;
}

int ctm_statement_sign(const struct ctm_statement *s, const struct ctm_key *key, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_BUF payload = CTM_BUF(CTM_STATEMENT_MAX);
	int rc = ctm_statement_write(s, &payload, err);

	return rc ? rc : ctm_cose_seal(key, CTM_STATEMENT_TYPE, payload.p, payload.len, out, err);
}

int ctm_statement_open(const void *cose, size_t n, const uint8_t pub[32], struct ctm_statement *out, struct ctm_err *err)
{
	CTM_AUTO_JSON *j = NULL;
	CTM_AUTO_BUF again = CTM_BUF(CTM_STATEMENT_MAX);
	struct ctm_statement s;
	const void *p;
	size_t len;
	int rc;

	if ((rc = ctm_cose_open(cose, n, pub, CTM_STATEMENT_TYPE, &p, &len, err)) ||
	    (rc = ctm_json_parse(p, len, CTM_STATEMENT_MAX, "statement", &j, err)) ||
	    (rc = ctm_statement_parse(j, &s, err)) || (rc = ctm_statement_write(&s, &again, err)))
		return rc;
	if (again.len != len || memcmp(again.p, p, len))
		return ctm_fail(err, CTM_E_SYNTAX, "statement", NULL, "The statement is not in its canonical form.");
	*out = s;
	return 0;
}

int ctm_content_digest(const uint8_t salt[CTM_SALT], const ctm_json *content, char out[CTM_DIGEST_MAX], struct ctm_err *err)
{
	static const char domain[] = "ctm.content/1\n";
	CTM_AUTO_BUF b = CTM_BUF(CTM_CONTENT_MAX);
	uint8_t d[CTM_SHA256];
	int rc = ctm_json_canonical(content, &b);

	if (rc)
		return ctm_fail(err, rc, "content", NULL, "The record's content has no canonical form: it holds a fraction, or is over %d bytes.", CTM_CONTENT_MAX);
	struct ctm_sha256 *h = ctm_sha256_new();
	ctm_sha256_add(h, domain, sizeof domain - 1);
	ctm_sha256_add(h, salt, CTM_SALT);
	ctm_sha256_add(h, b.p, b.len);
	ctm_sha256_end(h, d);
	ctm_digest_str(d, out);
	return 0;
}
