/* SPDX-License-Identifier: Apache-2.0
 *
 * Decisions. A decision is a row; its canonical form (ctm.decision/1) is made from stored columns alone, so that anyone with the
 * database can make the same bytes again, and its digest is fixed in the row before the event leaves. A job puts the bytes
 * into the blob store afterwards, because the writer's transaction waits for no file.
 */
#include "scheme/scheme.h"
#include "base/id.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include "event/event.h"
#include "store/blob.h"
#include <stdio.h>
#include <string.h>

#define DECISION_MAX (256 * 1024)

struct made { const char *id, *case_id, *number, *kind, *product_id, *by, *table, *table_version; const ctm_json *reasons, *approvals; int64_t at_ms; };

static int canonical(const struct made *m, struct ctm_buf *out, char digest[72])
{
	CTM_AUTO_JSON *d = ctm_json_obj();
	char at[CTM_RFC3339_MAX];
	ctm_time_rfc3339(m->at_ms, at);
	if (ctm_json_sets(d, "format", "ctm.decision/1") || ctm_json_sets(d, "id", m->id) || ctm_json_sets(d, "case", m->number) || ctm_json_sets(d, "kind", m->kind)
		|| ctm_json_sets(d, "case_id", m->case_id) || ctm_json_sets(d, "product_id", m->product_id) || ctm_json_sets(d, "decided_by", m->by)
		|| ctm_json_sets(d, "at", at) || ctm_json_sets(d, "table", m->table) || ctm_json_sets(d, "table_version", m->table_version)
		|| ctm_json_set(d, "reasons", ctm_json_copy(m->reasons)) || ctm_json_set(d, "approvals", ctm_json_copy(m->approvals)))
		return CTM_E_NOMEM;
	int rc = ctm_json_canonical(d, out);
	if (!rc && !(rc = out->failed))
		ctm_digest_of(ctm_buf_cstr(out), out->len, digest);
	return rc;
}

int ctm_decision_canonical(struct ctm_db *db, const char *decision_id, struct ctm_buf *out, char digest[72], struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "scheme.decision");
	ctm_q_text(q, "id", decision_id);
	int rc = ctm_q_one(q, err);
	if (rc)
		return rc;
	CTM_AUTO_JSON *row = ctm_q_row(q);
	struct made m = { .id = ctm_text(row, "id"), .case_id = ctm_text(row, "case_id"), .number = ctm_text(row, "number"), .kind = ctm_text(row, "kind"),
		.product_id = ctm_text(row, "product_id"), .by = ctm_text(row, "decided_by"), .table = ctm_text(row, "pack"), .table_version = ctm_text(row, "pack_version"),
		.reasons = ctm_json_get(row, "reasons"), .approvals = ctm_json_get(row, "approvals"), .at_ms = ctm_json_geti(row, "at_ms", 0) };
	if ((rc = canonical(&m, out, digest)))
		return ctm_fail(err, rc, NULL, NULL, "the decision cannot be written in canonical form");
	if (strcmp(digest, ctm_text(row, "digest")) != 0)
		return ctm_fail(err, CTM_E_VERIFY, "digest", NULL, "the decision %s is not what its digest says; the row was changed", decision_id);
	return 0;
}

int ctm_decision_job(struct ctm_jx *jx)
{
	CTM_AUTO_BUF b = CTM_BUF(DECISION_MAX);
	char digest[CTM_DIGEST_MAX], stored[CTM_DIGEST_MAX];
	const char *id = ctm_json_gets(ctm_json_get(jx->payload, "data"), "decision_id");
	if (!id)
		return ctm_fail(jx->err, CTM_E_INPUT, "decision_id", NULL, "the event names no decision");
	int rc = ctm_decision_canonical(jx->db, id, &b, digest, jx->err);
	return rc ? rc : ctm_blob_put(ctm_app_blobs(jx->app), ctm_buf_cstr(&b), b.len, stored, jx->err);
}

/* Everybody who stands behind the decision: reviewers or proposers, then the decider. */
static int approvals(struct ctm_fire *f, ctm_json **out)
{
	struct ctm_cx *cx = f->cx;
	ctm_json *list = NULL, *me = ctm_json_obj();
	struct ctm_q *q = ctm_q(cx->db, "scheme.approvers");
	ctm_q_text(q, "case", f->id);
	int rc = ctm_q_rows(q, 100, &list, cx->err);
	if (!rc && (ctm_json_sets(me, "person_id", cx->who->person_id) || ctm_json_sets(me, "part", "decider") || ctm_json_seti(me, "at_ms", cx->now_ms)))
		rc = ctm_nomem(cx);
	if (rc) {
		ctm_json_free(me);
		ctm_json_free(list);
		return rc;
	}
	if (ctm_json_add(list, me)) {
		ctm_json_free(list);
		return ctm_nomem(cx);
	}
	*out = list;
	return 0;
}

int ctm_decision_write(struct ctm_fire *f, const char *kind, const ctm_json *reasons, char *id_out)
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_JSON *who = NULL, *none = ctm_json_arr();
	CTM_AUTO_BUF all = CTM_BUF(DECISION_MAX), r = CTM_BUF(DECISION_MAX), a = CTM_BUF(DECISION_MAX);
	char digest[CTM_DIGEST_MAX];
	int rc = approvals(f, &who);
	if (rc)
		return rc;
	ctm_uuid7(id_out);
	reasons = reasons ? reasons : none;
	struct made m = { .id = id_out, .case_id = f->id, .number = f->number, .kind = kind, .product_id = f->product_id, .by = cx->who->person_id,
		.table = f->table->kind, .table_version = f->table->version, .reasons = reasons, .approvals = who, .at_ms = cx->now_ms };
	if ((rc = canonical(&m, &all, digest)) || (rc = ctm_json_compact(reasons, &r)) || (rc = ctm_json_compact(who, &a)))
		return ctm_fail(cx->err, rc, "reasons", NULL, "the decision is too large or holds a number that is not whole");
	struct ctm_q *q = ctm_q(cx->db, "scheme.decision_add");
	ctm_q_text(q, "id", id_out);
	ctm_q_text(q, "case", f->id);
	ctm_q_text(q, "kind", kind);
	ctm_q_text(q, "reasons", ctm_buf_cstr(&r));
	ctm_q_text(q, "approvals", ctm_buf_cstr(&a));
	ctm_q_text(q, "by", cx->who->person_id);
	ctm_q_text(q, "digest", digest);
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	f->decided = true;
	if (ctm_json_sets(f->out, "decision_id", id_out) || ctm_json_sets(f->kept, "decision_id", id_out))
		return ctm_nomem(cx);
	return 0;
}

int ctm_decision_told(struct ctm_fire *f, const char *decision_id, const char *kind, const char *certificate_id)
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_JSON *data = ctm_json_obj();
	if (ctm_json_sets(data, "decision_id", decision_id) || ctm_json_sets(data, "case_id", f->id) || ctm_json_sets(data, "kind", kind)
		|| ctm_json_sets(data, "certificate_id", certificate_id) || ctm_json_sets(data, "product_id", f->product_id))
		return ctm_nomem(cx);
	return ctm_event_emit(cx->db, cx->now_ms, "decision.made", "case", f->id, data, cx->err);
}
