/* SPDX-License-Identifier: Apache-2.0
 *
 * The signer's rules. Nothing here signs, stores or reads the clock.
 */
#include "registry/signer_rules.h"
#include "base/text.h"
#include "crypto/x509.h"
#include <string.h>

#define PEOPLE_MAX 64

/* The named rule is put on a failure that came from reading the shape. */
static int named(struct ctm_err *err, int rc, const char *rule)
{
	if (rc && err)
		ctm_copy(err->rule, sizeof err->rule, rule);
	return rc;
}

/* Person of an element: a string, or the member person_id of an object. */
static const char *person(const ctm_json *v)
{
	const char *s = ctm_json_str(v);

	return s ? s : ctm_json_gets(v, "person_id");
}

/* An id has one spelling: small letters, digits, and - . _ between them. Another spelling of the same person (capitals, braces, a
 * prefix, a space at the end) would walk around the comparison below, so it is refused rather than understood. */
static bool person_ok(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	return n && n <= 64 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-._") == n && !strchr("-._", s[0]) && !strchr("-._", s[n - 1]);
}

/* The same letters and digits, whatever stands between them (a UUID with and without hyphens). */
static bool same_person(const char *a, const char *b)
{
	for (;; a++, b++) {
		a += strspn(a, "-._");
		b += strspn(b, "-._");
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

static int people(const struct ctm_jc *d, const char *key, size_t min, const char *rule, struct ctm_jc *list, struct ctm_err *err)
{
	int rc = ctm_jc_arr(d, key, 0, PEOPLE_MAX, list, err);

	if (rc)
		return named(err, rc, "statement.shape");
	if (ctm_json_len(list->v) < min)
		return ctm_fail(err, CTM_E_GUARD, "/decision/approvals", rule, "Nobody approved the decision; a statement needs at least one approval.");
	for (size_t i = 0; i < ctm_json_len(list->v); i++) {
		if (!person_ok(person(ctm_json_at(list->v, i))))
			return named(err, ctm_jc_fail(list, err, "Element %zu names no person.", i), "statement.shape");
	}
	return 0;
}

static int check_decision(const struct ctm_jc *d, const struct ctm_statement *st, struct ctm_err *err)
{
	static const char *const keys[] = { "kind", "decided_by", "evaluators", "approvals", "digest" };
	const char *kind, *by, *digest;
	struct ctm_jc evaluators, approvals;
	int rc;

	if ((rc = ctm_jc_is(d, CTM_J_OBJ, err)) || (rc = ctm_jc_only(d, keys, 5, err)) || (rc = ctm_jc_str(d, "kind", 1, 32, &kind, err)) ||
	    (rc = ctm_jc_str(d, "decided_by", 1, 64, &by, err)) || (rc = ctm_jc_str(d, "digest", 71, 71, &digest, err)))
		return named(err, rc, "statement.shape");
	if (strcmp(kind, ctm_statement_kind_find(st->kind)->decision))
		return ctm_fail(err, CTM_E_GUARD, "/decision/kind", "statement.decision_kind", "A %s rests on a decision of that kind, not on a %s.", st->kind, kind);
	if (strcmp(digest, st->decision))
		return ctm_fail(err, CTM_E_GUARD, "/statement/decision", "statement.decision_digest", "The statement names another decision than the one it came with.");
	if ((rc = people(d, "evaluators", 0, "statement.shape", &evaluators, err)) || (rc = people(d, "approvals", 1, "statement.approvals", &approvals, err)))
		return rc;
	if (!person_ok(by))
		return named(err, ctm_jc_fail(d, err, "\"decided_by\" is not an id in its one spelling."), "statement.shape");
	for (size_t i = 0; i < ctm_json_len(evaluators.v); i++)
		if (same_person(person(ctm_json_at(evaluators.v, i)), by))
			return ctm_fail(err, CTM_E_GUARD, "/decision/decided_by", "statement.decider", "Who evaluated a product may not decide about it.");
	return 0;
}

int ctm_rule_statement(const ctm_json *statement, const ctm_json *decision, struct ctm_statement *out, struct ctm_err *err)
{
	struct ctm_jc d = ctm_jc_root(decision, "decision");
	struct ctm_statement st;
	int rc = ctm_statement_parse(statement, &st, err);

	if (rc)
		return named(err, rc, "statement.shape");
	if ((rc = check_decision(&d, &st, err)))
		return rc;
	*out = st;
	return 0;
}

int ctm_rule_statement_order(const struct ctm_statement *st, const char *payload_digest, const struct ctm_signed_record *known, struct ctm_err *err)
{
	if (st->version <= known->version) {
		if (!strcmp(known->same_version, payload_digest))
			return 0;
		return ctm_fail(err, CTM_E_GUARD, "/statement/content", "statement.content",
			"Version %lld of record %s was signed with another content; a version is signed once.", (long long)st->version, st->record);
	}
	if (st->version != known->version + 1)
		return ctm_fail(err, CTM_E_GUARD, "/statement/version", "statement.order", "The last version of record %s that was signed is %lld; %lld leaves one out.",
			st->record, (long long)known->version, (long long)st->version);
	if (!ctm_statement_may_follow(ctm_statement_kind_find(st->kind), known->status))
		return ctm_fail(err, CTM_E_GUARD, "/statement/kind", "statement.order", "A %s cannot follow the status \"%s\".", st->kind, *known->status ? known->status : "none");
	return 0;
}

static int read_hash(const ctm_json *v, uint8_t out[CTM_SHA256])
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_SHA256);
	const char *s = ctm_json_str(v);

	if (!s || ctm_unb64(s, strlen(s), &b) || b.len != CTM_SHA256)
		return CTM_E_INPUT;
	memcpy(out, b.p, CTM_SHA256);
	return 0;
}

static int read_checkpoint(const struct ctm_jc *c, int64_t *old_size, struct ctm_checkpoint *cp, struct ctm_proof_path *p, struct ctm_err *err)
{
	struct ctm_jc list;
	const char *origin;
	int rc;

	if ((rc = ctm_jc_str(c, "origin", 1, CTM_NOTE_NAME_MAX - 1, &origin, err)) || (rc = ctm_jc_int(c, "old_size", 0, CTM_TREE_MAX, old_size, err)) ||
	    (rc = ctm_jc_int(c, "size", 1, CTM_TREE_MAX, &cp->size, err)) || (rc = ctm_jc_arr(c, "consistency", 0, CTM_PROOF_MAX, &list, err)))
		return rc;
	ctm_copy(cp->origin, sizeof cp->origin, origin);
	if (read_hash(ctm_json_get(c->v, "root"), cp->root))
		return ctm_jc_fail(c, err, "\"root\" is not 32 bytes in base64.");
	for (p->n = 0; p->n < ctm_json_len(list.v); p->n++)
		if (read_hash(ctm_json_at(list.v, p->n), p->h[p->n]))
			return ctm_jc_fail(&list, err, "Element %zu is not 32 bytes in base64.", p->n);
	return 0;
}

int ctm_rule_checkpoint(const ctm_json *req, const char *origin, const struct ctm_checkpoint *last, struct ctm_checkpoint *out, struct ctm_err *err)
{
	struct ctm_jc c = ctm_jc_root(req, "request");
	struct ctm_checkpoint cp = { 0 };
	struct ctm_proof_path proof = { 0 };
	int64_t old_size;
	int rc = read_checkpoint(&c, &old_size, &cp, &proof, err);

	if (rc)
		return named(err, rc, "checkpoint.shape");
	if (strcmp(cp.origin, origin))
		return ctm_fail(err, CTM_E_GUARD, "/origin", "checkpoint.origin", "This signer signs for the log \"%s\", not for \"%s\".", origin, cp.origin);
	if (cp.size < last->size)
		return ctm_fail(err, CTM_E_GUARD, "/size", "checkpoint.rollback", "A tree of %lld entries was signed before; %lld is fewer.", (long long)last->size, (long long)cp.size);
	if (cp.size == last->size && memcmp(cp.root, last->root, CTM_SHA256))
		return ctm_fail(err, CTM_E_GUARD, "/root", "checkpoint.fork", "Another tree of %lld entries was signed before.", (long long)last->size);
	if (cp.size > last->size && last->size > 0 &&
	    (old_size != last->size || ctm_merkle_check_consistency(last->size, cp.size, last->root, cp.root, (const uint8_t(*)[CTM_SHA256])proof.h, proof.n)))
		return ctm_fail(err, CTM_E_GUARD, "/consistency", "checkpoint.fork",
			"The proof does not show that the new tree continues the %lld entries signed before.", (long long)last->size);
	*out = cp;
	return 0;
}

int ctm_rule_evidence(const ctm_json *req, struct ctm_buf *payload, struct ctm_err *err)
{
	struct ctm_jc c = ctm_jc_root(req, "request");
	CTM_AUTO_JSON *j = ctm_json_obj();
	const char *digest, *job, *challenge;
	int rc;

	if ((rc = ctm_jc_str(&c, "manifest_digest", 71, 71, &digest, err)) || (rc = ctm_jc_str(&c, "job", 1, 64, &job, err)) ||
	    (rc = ctm_jc_str(&c, "challenge", 1, 128, &challenge, err)))
		return named(err, rc, "evidence.shape");
	if (!ctm_digest_ok(digest) || !ctm_text_printable(job, strlen(job)) || !ctm_text_printable(challenge, strlen(challenge)))
		return ctm_fail(err, CTM_E_INPUT, "/manifest_digest", "evidence.shape", "A seal needs the digest of the manifest, the job and its challenge.");
	if ((rc = ctm_json_sets(j, "format", "ctm.evidence-seal/1")) || (rc = ctm_json_sets(j, "manifest", digest)) || (rc = ctm_json_sets(j, "job", job)) ||
	    (rc = ctm_json_sets(j, "challenge", challenge)) || (rc = ctm_json_canonical(j, payload)))
		return ctm_fail(err, rc, "evidence", NULL, "The seal cannot be written.");
	return 0;
}

int ctm_rule_certificate(const ctm_json *req, struct ctm_rule_cert *out, struct ctm_err *err)
{
	static const char *const uses[] = { "device", "server" };
	struct ctm_jc c = ctm_jc_root(req, "request");
	struct ctm_rule_cert r = { 0 };
	struct ctm_cert_info info;
	int64_t days;
	size_t use;
	int rc;

	if ((rc = ctm_jc_str(&c, "csr", 1, 16384, &r.csr, err)) || (rc = ctm_jc_str(&c, "serial", 1, 64, &r.serial, err)) ||
	    (rc = ctm_jc_str(&c, "org", 1, 64, &r.org, err)) || (rc = ctm_jc_int(&c, "days", 1, 36500, &days, err)) ||
	    (rc = ctm_jc_opt_str(&c, "dns", 1024, &r.dns, err)) || (rc = ctm_jc_opt_str(&c, "ip", 1024, &r.ip, err)) ||
	    (rc = ctm_jc_enum(&c, "use", uses, 2, &use, err)))
		return named(err, rc, "certificate.shape");
	if ((rc = ctm_csr_read(r.csr, strlen(r.csr), &info, err)))
		return named(err, rc, "certificate.csr");
	if (strcmp(info.serial_number, r.serial))
		return ctm_fail(err, CTM_E_GUARD, "/serial", "certificate.csr", "The certificate request names the serial \"%s\", not \"%s\".", info.serial_number, r.serial);
	r.days = (int)days;
	r.server = use == 1;
	ctm_copy(r.spki, sizeof r.spki, info.spki_sha256);
	*out = r;
	return 0;
}
