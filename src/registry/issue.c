/* SPDX-License-Identifier: Apache-2.0
 *
 * Issuing: from a decision to a published, logged and proved statement (registry.h tells the steps). The intent is written once, in
 * the transaction that makes or changes the record, and holds everything that follows from: statement, content, salt and the decision
 * as the signer wants to see it. Every later step is a function of the intent and of what the step before stored, so a step that is
 * done twice does the same.
 */
#include "registry/registry.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/signer.h"
#include "event/event.h"
#include "event/timeline.h"
#include "registry/proof.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

#define INTENT_MAX (256 * 1024)
#define SIGNER_MS 10000
#define TURN_US 1000000                 /* a statement takes milliseconds from signature to log */

/* --- intent -------------------------------------------------------------------------------------------------------- */

struct intent {
	const struct ctm_statement_kind *kind;
	ctm_json *subject, *decision, *evaluators, *outcomes;      /* rows; owned */
	ctm_json *content;                                         /* owned */
	const char *record_id;
	char fresh_id[CTM_PUBID_MAX], statement_id[CTM_UUID_MAX];
	int64_t version;
	struct ctm_buf text, content_text;
};

static void intent_free(struct intent *in)
{
	ctm_json_free(in->subject);
	ctm_json_free(in->decision);
	ctm_json_free(in->evaluators);
	ctm_json_free(in->outcomes);
	ctm_json_free(in->content);
	ctm_buf_free(&in->text);
	ctm_buf_free(&in->content_text);
}

static int one_row(struct ctm_db *db, const char *name, const char *param, const char *value, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, name);
	int rc;

	ctm_q_text(q, param, value);
	if ((rc = ctm_q_one(q, err)))
		return rc;
	ctm_json *row = ctm_q_row(q);
	if (!row)
		return ctm_fail(err, CTM_E_NOMEM, name, NULL, "out of memory");
	*out = row;
	return 0;
}

static int read_rows(struct ctm_db *db, const char *certificate, const char *decision, struct intent *in, struct ctm_err *err)
{
	int rc;

	if ((rc = one_row(db, "registry.subject", "id", certificate, &in->subject, err)) || (rc = one_row(db, "registry.decision", "id", decision, &in->decision, err)))
		return rc;
	struct ctm_q *q = ctm_q(db, "registry.evaluators");
	ctm_q_text(q, "case", ctm_json_gets(in->decision, "case_id"));
	ctm_q_text(q, "certificate_case", ctm_json_gets(in->subject, "case_id"));
	if ((rc = ctm_q_rows(q, 64, &in->evaluators, err)))
		return rc;
	q = ctm_q(db, "registry.outcomes");
	ctm_q_text(q, "case", ctm_json_gets(in->subject, "case_id"));
	return ctm_q_rows(q, 2000, &in->outcomes, err);
}

/* Which record and which version of it this decision makes. */
static int place(struct ctm_db *db, struct intent *in, struct ctm_err *err)
{
	const char *id = ctm_json_gets(in->subject, "record_id");
	CTM_AUTO_Q *q = NULL;

	if (!*in->kind->after) {
		if (id)
			return ctm_fail(err, CTM_E_STATE, "record", NULL, "The certificate has a public record already.");
		ctm_pubid(in->fresh_id);
		in->record_id = in->fresh_id;
		in->version = 1;
		return 0;
	}
	if (!id)
		return ctm_fail(err, CTM_E_STATE, "record", NULL, "The certificate has no public record yet; a %s follows a grant.", in->kind->kind);
	q = ctm_q(db, "registry.statement_last");
	ctm_q_text(q, "record", id);
	int rc = ctm_q_one(q, err);
	if (rc)
		return rc;
	if (!ctm_statement_may_follow(in->kind, ctm_q_str(q, "status")))
		return ctm_fail(err, CTM_E_STATE, "record", NULL, "A %s cannot follow the status %s.", in->kind->kind, ctm_q_str(q, "status"));
	in->record_id = id;
	in->version = ctm_q_i64(q, "version") + 1;
	return 0;
}

static int statement_of(const struct intent *in, const uint8_t salt[CTM_SALT], struct ctm_statement *st, struct ctm_err *err)
{
	const ctm_json *cla = ctm_json_get(ctm_json_get(in->content, "fields"), "cla");
	const char *digest = ctm_json_gets(in->decision, "digest"), *number = ctm_json_gets(in->subject, "number");

	*st = (struct ctm_statement){ .version = in->version, .at_ms = ctm_json_geti(in->decision, "at_ms", 0) };
	if (!ctm_copy(st->record, sizeof st->record, in->record_id) || !ctm_copy(st->kind, sizeof st->kind, in->kind->kind) ||
	    !ctm_copy(st->status, sizeof st->status, in->kind->status) || !ctm_copy(st->certificate, sizeof st->certificate, number ? number : "") ||
	    !ctm_copy(st->decision, sizeof st->decision, digest ? digest : "") || !ctm_copy(st->cla_name, sizeof st->cla_name, ctm_json_gets(cla, "name")) ||
	    !ctm_copy(st->cla_contact, sizeof st->cla_contact, ctm_json_gets(cla, "contact")))
		return ctm_fail(err, CTM_E_INPUT, "statement", NULL, "A name or number is too long for a statement (at most 199 bytes).");
	return ctm_content_digest(salt, in->content, st->content, err);
}

/* The decision as the signer judges it. */
static ctm_json *decision_for_signer(const struct intent *in)
{
	ctm_json *d = ctm_json_obj(), *ev = ctm_json_arr();
	int rc = 0;

	for (size_t i = 0; i < ctm_json_len(in->evaluators); i++)
		rc |= ctm_json_adds(ev, ctm_json_gets(ctm_json_at(in->evaluators, i), "person_id"));
	rc |= ctm_json_set(d, "evaluators", ev);
	rc |= ctm_json_sets(d, "kind", ctm_json_gets(in->decision, "kind"));
	rc |= ctm_json_sets(d, "decided_by", ctm_json_gets(in->decision, "decided_by"));
	rc |= ctm_json_set(d, "approvals", ctm_json_copy(ctm_json_get(in->decision, "approvals")));
	rc |= ctm_json_sets(d, "digest", ctm_json_gets(in->decision, "digest"));
	if (rc) {
		ctm_json_free(d);
		return NULL;
	}
	return d;
}

static int intent_text(struct intent *in, struct ctm_err *err)
{
	CTM_AUTO_JSON *j = ctm_json_obj();
	CTM_AUTO_BUF b64 = CTM_BUF(64);
	uint8_t salt[CTM_SALT];
	struct ctm_statement st;
	int rc;

	ctm_random(salt, sizeof salt);
	ctm_b64url(&b64, salt, sizeof salt);
	if ((rc = statement_of(in, salt, &st, err)))
		return rc;
	rc = ctm_json_set(j, "statement", ctm_statement_json(&st));
	rc |= ctm_json_set(j, "content", ctm_json_copy(in->content));
	rc |= ctm_json_set(j, "decision", decision_for_signer(in));
	rc |= ctm_json_sets(j, "salt", ctm_buf_cstr(&b64));
	if (rc || (rc = ctm_json_canonical(j, &in->text)) || (rc = ctm_json_canonical(in->content, &in->content_text)))
		return ctm_fail(err, CTM_E_INPUT, "intent", NULL, "What is to be signed cannot be written: it is over %d bytes or holds a fraction.", CTM_CONTENT_MAX);
	return 0;
}

static int post(struct ctm_db *db, int64_t now_ms, const char *kind, const char *member, const char *id, struct ctm_err *err)
{
	CTM_AUTO_JSON *p = ctm_json_obj();

	if (ctm_json_sets(p, member, id))
		return ctm_fail(err, CTM_E_NOMEM, kind, NULL, "out of memory");
	return ctm_job_post(db, now_ms, kind, id, p, err);
}

static int write_record(struct ctm_cx *cx, const struct intent *in)
{
	bool grant = !*in->kind->after;
	struct ctm_q *q;

	if (!grant && !strcmp(in->kind->status, "authorised"))
		return 0;                                  /* a reinstatement shows when it is published */
	q = ctm_q(cx->db, grant ? "registry.record_add" : "registry.record_set");
	ctm_q_text(q, "id", in->record_id);
	ctm_q_text(q, "content", in->content_text.p);
	if (grant) {
		ctm_q_text(q, "product", ctm_json_gets(in->subject, "product_id"));
		ctm_q_text(q, "certificate", ctm_json_gets(in->subject, "certificate_id"));
	} else {
		ctm_q_text(q, "status", in->kind->status);
		ctm_q_int(q, "version", in->version);
	}
	int rc = ctm_q_run(q, NULL, cx->err);
	return rc || grant ? rc : post(cx->db, cx->now_ms, "registry.static", "record_id", in->record_id, cx->err);
}

static int write_intent(struct ctm_cx *cx, void *arg)
{
	struct intent *in = arg;
	struct ctm_q *q = ctm_q(cx->db, "registry.statement_add");
	int rc = write_record(cx, in);

	ctm_uuid7(in->statement_id);
	ctm_q_text(q, "id", in->statement_id);
	ctm_q_text(q, "record", in->record_id);
	ctm_q_int(q, "version", in->version);
	ctm_q_text(q, "kind", in->kind->kind);
	ctm_q_text(q, "status", in->kind->status);
	ctm_q_text(q, "reason", ctm_json_gets(in->content, "reason"));
	ctm_q_text(q, "decision", ctm_json_gets(in->decision, "id"));
	ctm_q_text(q, "intent", in->text.p);
	ctm_q_int(q, "now", ctm_json_geti(in->decision, "at_ms", cx->now_ms));
	if (rc) {
		ctm_q_done(q);
		return rc;
	}
	CTM_AUTO_JSON *after = ctm_json_obj();
	rc = ctm_json_sets(after, "kind", in->kind->kind) | ctm_json_seti(after, "version", in->version) | ctm_json_sets(after, "decision_id", ctm_json_gets(in->decision, "id"));
	if (rc) {
		ctm_q_done(q);
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	}
	if ((rc = ctm_q_run(q, NULL, cx->err)) || (rc = ctm_audit(cx->db, cx->now_ms, "ctm", "registry.intent", "record", in->record_id, NULL, after, cx->err)))
		return rc;
	return post(cx->db, cx->now_ms, "registry.issue", "statement_id", in->statement_id, cx->err);
}

/* A refusal is told once on the case; the job tries again later, when somebody may have put it right. */
struct note { const char *case_id; char what[300]; };

static int write_note(struct ctm_cx *cx, void *arg)
{
	const struct note *n = arg;
	CTM_AUTO_Q *q = ctm_q(cx->db, "registry.note_once");
	bool there = false;

	ctm_q_text(q, "kind", "case");
	ctm_q_text(q, "id", n->case_id);
	ctm_q_text(q, "what", n->what);
	int rc = ctm_q_step(q, &there, cx->err);
	return rc || there ? rc : ctm_timeline_add(cx->db, cx->now_ms, "case", n->case_id, "ctm", n->what, NULL, cx->err);
}

static int tell_case(struct ctm_jx *jx, const char *case_id, int rc)
{
	struct note n = { .case_id = case_id };
	struct ctm_err err = { 0 };

	snprintf(n.what, sizeof n.what, "The public record waits: %.200s", jx->err->msg);
	(void)!ctm_write(jx->app, write_note, &n, &err);
	return rc;
}

static int make_intent(struct ctm_jx *jx, struct intent *in, const char *certificate, const char *decision)
{
	struct ctm_record_src src;
	int rc;

	if ((rc = read_rows(jx->db, certificate, decision, in, jx->err)) || (rc = place(jx->db, in, jx->err)))
		return rc;
	src = (struct ctm_record_src){ in->subject, in->decision, in->outcomes };
	if ((rc = ctm_record_content(&src, ctm_app_public_url(jx->app), in->record_id, in->version, in->kind, &in->content, jx->err)))
		return rc;
	if ((rc = ctm_record_lint(in->content, jx->err)))
		return tell_case(jx, ctm_json_gets(in->decision, "case_id"), rc);
	if ((rc = intent_text(in, jx->err)))
		return tell_case(jx, ctm_json_gets(in->decision, "case_id"), rc);
	return ctm_write(jx->app, write_intent, in, jx->err);
}

int ctm_job_registry_decision(struct ctm_jx *jx)
{
	const ctm_json *data = ctm_json_get(jx->payload, "data");
	const char *decision = ctm_json_gets(data, "decision_id"), *certificate = ctm_json_gets(data, "certificate_id");
	struct intent in = { .kind = ctm_statement_kind_find(ctm_json_gets(data, "kind")), .text = CTM_BUF(INTENT_MAX), .content_text = CTM_BUF(CTM_CONTENT_MAX) };

	if (!in.kind || !certificate || !*certificate)       /* denials and dismissals make no record */
		return 0;
	if (!decision)
		return ctm_fail(jx->err, CTM_E_INPUT, "decision_id", NULL, "The event names no decision.");
	struct ctm_q *q = ctm_q(jx->db, "registry.statement_of_decision");
	bool there = false;
	ctm_q_text(q, "decision", decision);
	int rc = ctm_q_step(q, &there, jx->err);
	ctm_q_done(q);
	if (rc || there)
		return rc;
	rc = make_intent(jx, &in, certificate, decision);
	intent_free(&in);
	return rc;
}

/* --- the steps ----------------------------------------------------------------------------------------------------- */

struct issue {
	struct ctm_jx *jx;
	const char *id;
	ctm_json *row;                       /* owned */
	const ctm_json *intent;              /* member of row */
	char signer[4096];
	struct ctm_trust trust;
	/* what the next write stores */
	const char *from, *to, *cose, *proof;
	int64_t log_index;
};

static int write_step(struct ctm_cx *cx, void *arg)
{
	const struct issue *is = arg;
	struct ctm_q *q = ctm_q(cx->db, "registry.statement_step");
	int64_t n = 0;

	ctm_q_text(q, "id", is->id);
	ctm_q_text(q, "from", is->from);
	ctm_q_text(q, "step", is->to);
	ctm_q_text(q, "cose", is->cose);
	ctm_q_text(q, "proof", is->proof);
	if (is->log_index >= 0)
		ctm_q_int(q, "log_index", is->log_index);
	else
		ctm_q_null(q, "log_index");
	int rc = ctm_q_run(q, &n, cx->err);
	if (!rc && n != 1)
		rc = ctm_fail(cx->err, CTM_E_CONFLICT, "step", NULL, "Another job moved this statement.");
	return rc;
}

static int store_step(struct issue *is, const char *from, const char *to, const char *cose, int64_t log_index, const char *proof)
{
	is->from = from;
	is->to = to;
	is->cose = cose;
	is->proof = proof;
	is->log_index = log_index;
	return ctm_write(is->jx->app, write_step, is, is->jx->err);
}

/* The log tells the versions of a record in their order, but jobs are tried again and other servers do them too: each waits for the one
 * before it, a moment here and then as a job that is tried again. */
static int wait_turn(struct issue *is)
{
	bool before = true;
	for (int64_t until = ctm_mono_us() + TURN_US; before;) {
		CTM_AUTO_Q *q = ctm_q(is->jx->db, "registry.statement_before");
		ctm_q_text(q, "record", ctm_json_gets(is->row, "record_id"));
		ctm_q_int(q, "version", ctm_json_geti(is->row, "version", 0));
		int rc = ctm_q_step(q, &before, is->jx->err);
		if (rc)
			return rc;
		if (before && ctm_mono_us() > until)
			return ctm_fail(is->jx->err, CTM_E_BUSY, "version", NULL, "The version before this one is not in the log yet.");
		if (before)
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return 0;
}

static int step_sign(struct issue *is)
{
	struct ctm_err *err = is->jx->err;
	CTM_AUTO_JSON *req = ctm_json_obj();
	CTM_AUTO_JSON *reply = NULL;
	CTM_AUTO_BUF cose = CTM_BUF(CTM_ENTRY_MAX);
	const ctm_json *content = ctm_json_get(is->intent, "content");
	struct ctm_statement st;
	char digest[CTM_DIGEST_MAX];
	int rc = wait_turn(is);

	if (rc)
		return rc;
	/* Linted again: nothing incomplete is signed, whatever wrote the intent. */
	if ((rc = ctm_record_lint(content, err)) || (rc = ctm_statement_parse(ctm_json_get(is->intent, "statement"), &st, err)) || (rc = ctm_content_agrees(content, &st, err)))
		return rc;
	rc = ctm_json_sets(req, "op", "statement");
	rc |= ctm_json_set(req, "statement", ctm_json_copy(ctm_json_get(is->intent, "statement")));
	rc |= ctm_json_set(req, "decision", ctm_json_copy(ctm_json_get(is->intent, "decision")));
	if (rc)
		return ctm_fail(err, CTM_E_NOMEM, "signer", NULL, "out of memory");
	if ((rc = ctm_signer_call(is->signer, req, SIGNER_MS, &reply, err)))
		return rc;
	const char *b64 = ctm_json_gets(reply, "cose");
	if (!b64 || ctm_unb64(b64, strlen(b64), &cose))
		return ctm_fail(err, CTM_E_VERIFY, "signer", NULL, "The signer's answer holds no signed statement.");
	if ((rc = ctm_blob_put(ctm_app_blobs(is->jx->app), cose.p, cose.len, digest, err)))
		return rc;
	return store_step(is, "intent", "signed", digest, -1, NULL);
}

static int set_b64(ctm_json *list_or_obj, const char *key, const uint8_t h[CTM_SHA256])
{
	CTM_AUTO_BUF b = CTM_BUF(64);

	ctm_b64(&b, h, CTM_SHA256);
	return key ? ctm_json_sets(list_or_obj, key, ctm_buf_cstr(&b)) : ctm_json_adds(list_or_obj, ctm_buf_cstr(&b));
}

static int sign_head(void *arg, const struct ctm_checkpoint *cp, int64_t old_size, const struct ctm_proof_path *proof, struct ctm_buf *note, struct ctm_err *err)
{
	const struct issue *is = arg;
	CTM_AUTO_JSON *req = ctm_json_obj();
	CTM_AUTO_JSON *reply = NULL;
	ctm_json *list = ctm_json_arr();
	int rc = ctm_json_sets(req, "op", "checkpoint");

	rc |= ctm_json_sets(req, "origin", cp->origin);
	rc |= ctm_json_seti(req, "old_size", old_size);
	rc |= ctm_json_seti(req, "size", cp->size);
	rc |= set_b64(req, "root", cp->root);
	for (size_t i = 0; i < proof->n; i++)
		rc |= set_b64(list, NULL, proof->h[i]);
	rc |= ctm_json_set(req, "consistency", list);
	if (rc)
		return ctm_fail(err, CTM_E_NOMEM, "signer", NULL, "out of memory");
	if ((rc = ctm_signer_call(is->signer, req, SIGNER_MS, &reply, err)))
		return rc;
	const char *text = ctm_json_gets(reply, "note");
	ctm_buf_str(note, text ? text : "");
	return ctm_buf_err(note, "note", err);
}

static int step_log(struct issue *is)
{
	CTM_AUTO_BUF cose = CTM_BUF(CTM_ENTRY_MAX);
	char pub[4096], work[4096];
	int64_t index = -1;
	int rc = wait_turn(is);

	rc = rc ? rc : ctm_blob_get(ctm_app_blobs(is->jx->app), ctm_json_gets(is->row, "cose_digest"), CTM_ENTRY_MAX, &cose, is->jx->err);
	if (rc)
		return rc;
	struct ctm_log_writer w = { .dir = ctm_app_dir(is->jx->app, "public/log", pub, sizeof pub), .work = ctm_app_dir(is->jx->app, "log", work, sizeof work),
		.key = is->trust.log, .sign = sign_head, .arg = is };
	struct ctm_log_entry e = { cose.p, cose.len };
	if ((rc = ctm_log_append(&w, &e, 1, &index, is->jx->err)))
		return rc;
	return store_step(is, "signed", "logged", NULL, index, NULL);
}

static int step_prove(struct issue *is)
{
	struct ctm_err *err = is->jx->err;
	CTM_AUTO_BUF cose = CTM_BUF(CTM_ENTRY_MAX), salt = CTM_BUF(CTM_SALT), proof = CTM_BUF(512 * 1024);
	CTM_AUTO_LOG *log = NULL;
	struct ctm_proof_report r;
	const char *s = ctm_json_gets(is->intent, "salt");
	char pub[4096], digest[CTM_DIGEST_MAX];
	int rc;

	if (!s || ctm_unb64url(s, strlen(s), &salt) || salt.len != CTM_SALT)
		return ctm_fail(err, CTM_E_FAIL, "salt", NULL, "The stored intent has no salt.");
	if ((rc = ctm_blob_get(ctm_app_blobs(is->jx->app), ctm_json_gets(is->row, "cose_digest"), CTM_ENTRY_MAX, &cose, err)) ||
	    (rc = ctm_log_open(ctm_app_dir(is->jx->app, "public/log", pub, sizeof pub), &is->trust.log, &log, err)) ||
	    (rc = ctm_proof_make(ctm_json_get(is->intent, "content"), (const uint8_t *)salt.p, cose.p, cose.len, log, ctm_json_geti(is->row, "log_index", -1), &proof, err)))
		return rc;
	/* Looked at with a stranger's eyes before anyone gets it. */
	if ((rc = ctm_proof_check(proof.p, proof.len, &is->trust, &r, err)))
		return ctm_fail_prefix(err, "The proof just made does not hold: ");
	ctm_proof_report_free(&r);
	if ((rc = ctm_blob_put(ctm_app_blobs(is->jx->app), proof.p, proof.len, digest, err)))
		return rc;
	return store_step(is, "logged", "proved", NULL, -1, digest);
}

static int write_published(struct ctm_cx *cx, void *arg)
{
	struct issue *is = arg;
	const char *record = ctm_json_gets(is->row, "record_id"), *status = ctm_json_gets(is->row, "status"), *product = ctm_json_gets(is->row, "product_id");
	int64_t version = ctm_json_geti(is->row, "version", 0), index = ctm_json_geti(is->row, "log_index", -1);
	const struct ctm_statement_kind *kind = ctm_statement_kind_find(ctm_json_gets(is->row, "kind"));
	CTM_AUTO_BUF content = CTM_BUF(CTM_CONTENT_MAX);
	CTM_AUTO_JSON *data = ctm_json_obj();
	char what[300];
	int rc = write_step(cx, is);

	if (rc || (rc = ctm_json_canonical(ctm_json_get(is->intent, "content"), &content)))
		return rc;
	/* A later version that took the authorisation away meanwhile stays: record_set and record_published only go forward. */
	struct ctm_q *q = ctm_q(cx->db, "registry.record_set");
	ctm_q_text(q, "id", record);
	ctm_q_text(q, "status", status);
	ctm_q_int(q, "version", version);
	ctm_q_text(q, "content", content.p);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	q = ctm_q(cx->db, "registry.record_published");
	ctm_q_text(q, "id", record);
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	snprintf(what, sizeof what, "%s: public record %s, version %lld, log entry %lld.", kind ? kind->what : status, record, (long long)version, (long long)index);
	rc = ctm_json_sets(data, "record_id", record);
	rc |= ctm_json_sets(data, "product_id", product);
	rc |= ctm_json_sets(data, "status", status);
	rc |= ctm_json_seti(data, "version", version);
	if (rc)
		return ctm_fail(cx->err, CTM_E_NOMEM, "event", NULL, "out of memory");
	const char *proof = ctm_json_gets(is->row, "proof_digest");
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "record", record, "ctm", what, proof, cx->err)) ||
	    (rc = ctm_timeline_add(cx->db, cx->now_ms, "product", product, "ctm", what, proof, cx->err)) ||
	    (rc = ctm_audit(cx->db, cx->now_ms, "ctm", "registry.publish", "record", record, NULL, data, cx->err)) ||
	    (rc = ctm_event_emit(cx->db, cx->now_ms, "record.published", "record", record, data, cx->err)))
		return rc;
	return post(cx->db, cx->now_ms, "registry.static", "record_id", record, cx->err);
}

static int step_publish(struct issue *is)
{
	is->from = "proved";
	is->to = "published";
	is->cose = is->proof = NULL;
	is->log_index = -1;
	return ctm_write(is->jx->app, write_published, is, is->jx->err);
}

static const struct { const char *step; int (*run)(struct issue *is); } steps[] = {
	{ "intent", step_sign }, { "signed", step_log }, { "logged", step_prove }, { "proved", step_publish },
};

/* Run the step that follows the stored one; *done when there is none. */
static int one_step(struct issue *is, bool *done)
{
	int rc;

	ctm_json_free(is->row);
	is->row = NULL;
	if ((rc = one_row(is->jx->db, "registry.statement", "id", is->id, &is->row, is->jx->err)))
		return rc;
	is->intent = ctm_json_get(is->row, "intent");       /* column intent_json, parsed */
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (ctm_streq(ctm_json_gets(is->row, "step"), steps[i].step))
			return steps[i].run(is);
	*done = true;
	return 0;
}

int ctm_job_registry_issue(struct ctm_jx *jx)
{
	struct issue is = { .jx = jx, .id = ctm_json_gets(jx->payload, "statement_id"), .log_index = -1 };
	char path[4096];
	bool done = false;
	int rc;

	if (!is.id)
		return ctm_fail(jx->err, CTM_E_INPUT, "statement_id", NULL, "The job names no statement.");
	ctm_app_dir(jx->app, "run/signer.sock", is.signer, sizeof is.signer);
	if ((rc = ctm_trust_load(ctm_app_dir(jx->app, "trust.json", path, sizeof path), &is.trust, jx->err)))
		return rc;
	while (!rc && !done)
		rc = one_step(&is, &done);
	ctm_json_free(is.row);
	return rc;
}
