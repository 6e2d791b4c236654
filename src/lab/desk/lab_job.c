/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs: opened by the lab's manager for a case that names this lab, or as a rehearsal. The challenge is made here, once, and
 * shown to the lab's own people only: a bundle that carries it was made for this job and no other.
 */
#include "lab/desk/lab_job.h"
#include "base/id.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "event/timeline.h"
#include "identity/identity.h"
#include "product/product.h"
#include "store/audit.h"

static int no_such(struct ctm_cx *cx)
{
	ctm_err_clear(cx->err);
	return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such evaluation");
}

static int row_of(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "lab_job.get");
	ctm_q_text(q, "id", id);
	int rc = ctm_q_one(q, cx->err);
	if (rc)
		return rc == CTM_E_NOTFOUND ? no_such(cx) : rc;
	*out = ctm_q_row(q);
	return *out ? 0 : ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

int ctm_lab_job_mine(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_JSON *row = NULL;
	int rc = row_of(cx, id, &row);
	if (rc)
		return rc;
	if (!ctm_streq(ctm_json_gets(row, "lab_org_id"), cx->who->org_id))
		return no_such(cx);
	*out = row;
	row = NULL;
	return 0;
}

int ctm_lab_job_seen(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_JSON *row = NULL;
	const char *org = cx->who->org_id;
	int rc = row_of(cx, id, &row);
	if (rc)
		return rc;
	bool party = ctm_json_gets(row, "case_id") && (ctm_streq(ctm_json_gets(row, "org_id"), org) || ctm_streq(ctm_json_gets(row, "cla_org_id"), org));
	if (!party && !ctm_streq(ctm_json_gets(row, "lab_org_id"), org))
		return no_such(cx);
	*out = row;
	row = NULL;
	return 0;
}

ctm_json *ctm_lab_job_item(const ctm_json *row)
{
	static const char *const keep[] = { "id", "product_id", "product", "maker", "case_id", "case_number", "state", "tester", "approver", "report_number", "bundle_digest",
		"plan_digest", "created_ms", "sealed_ms", "reported_ms" };
	static const char *const words[] = { "PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE", "NOT_RUN", "ERROR" };
	ctm_json *item = ctm_json_obj(), *verdicts = ctm_json_obj();
	const char *plan = ctm_json_gets(row, "plan_digest");
	for (size_t i = 0; i < sizeof keep / sizeof *keep; i++)
		ctm_json_set(item, keep[i], ctm_json_get(row, keep[i]) ? ctm_json_copy(ctm_json_get(row, keep[i])) : ctm_json_news(NULL));
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		ctm_json_seti(verdicts, words[i], ctm_json_geti(ctm_json_get(row, "verdicts"), words[i], 0));
	ctm_json_setb(item, "rehearsal", ctm_json_geti(row, "rehearsal", 0) != 0);
	ctm_json_setb(item, "has_plan", plan && *plan);
	ctm_json_set(item, "verdicts", verdicts);
	return item;
}

int ctm_lab_jobs(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *rows = NULL;
	ctm_json *list = ctm_json_arr(), *counts = ctm_json_obj();
	int64_t open = 0, sealed = 0, reported = 0;
	struct ctm_q *q = ctm_q(cx->db, "lab_job.list");
	ctm_q_text(q, "org", cx->who->org_id);
	int rc = ctm_q_rows(q, 200, &rows, cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		const char *state = ctm_json_gets(ctm_json_at(rows, i), "state");
		sealed += ctm_streq(state, "sealed");
		reported += ctm_streq(state, "reported");
		open += !ctm_streq(state, "sealed") && !ctm_streq(state, "reported");
		ctm_json_add(list, ctm_lab_job_item(ctm_json_at(rows, i)));
	}
	ctm_json_seti(counts, "open", open);
	ctm_json_seti(counts, "sealed", sealed);
	ctm_json_seti(counts, "reported", reported);
	ctm_json_set(out, "jobs", list);
	ctm_json_set(out, "counts", counts);
	return rc;
}

int ctm_uc_job_list(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json_setb(out, "may_create", (cx->who->roles & CTM_ROLE_LAB_MANAGER) != 0);
	ctm_json_setb(out, "may_report", (cx->who->roles & CTM_ROLE_LAB_REVIEWER) != 0);
	return ctm_lab_jobs(cx, out);
}

int ctm_canonical_digest(const ctm_json *doc, char out[72], struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(4 << 20);
	int rc = ctm_json_canonical(doc, &b);
	if (rc)
		return ctm_fail(err, rc, NULL, NULL, "the document has no canonical form");
	if ((rc = ctm_buf_err(&b, "document", err)))
		return rc;
	ctm_digest_of(b.p, b.len, out);
	return 0;
}

/* The case must name this lab and this product, and still be open. */
static int case_fits(struct ctm_cx *cx, const char *case_id, const char *product_id)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "lab_job.case");
	ctm_q_text(q, "id", case_id);
	int rc = ctm_q_one(q, cx->err);
	if (rc && rc != CTM_E_NOTFOUND)
		return rc;
	if (rc || !ctm_streq(ctm_q_str(q, "lab_org_id"), cx->who->org_id)) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "case_id", NULL, "there is no such case for this laboratory");
	}
	if (!ctm_streq(ctm_q_str(q, "product_id"), product_id))
		return ctm_fail(cx->err, CTM_E_INPUT, "product_id", NULL, "case %s is about another product", ctm_q_str(q, "number"));
	if (!ctm_q_isnull(q, "closed_ms"))
		return ctm_fail(cx->err, CTM_E_STATE, "case_id", NULL, "case %s is closed", ctm_q_str(q, "number"));
	return 0;
}

int ctm_uc_job_add(struct ctm_cx *cx, ctm_json *out)
{
	const char *product_id = ctm_in(cx, "product_id"), *case_id = ctm_in(cx, "case_id"), *flag = ctm_in(cx, "rehearsal");
	CTM_AUTO_JSON *product = NULL, *after = ctm_json_obj();
	char id[CTM_UUID_MAX], challenge[CTM_TOKEN_MAX];
	bool rehearsal = flag ? ctm_streq(flag, "1") : !case_id;
	int rc = ctm_product_seen(cx, product_id, &product);
	if (rc)
		return rc;
	if (rehearsal && case_id)
		return ctm_fail(cx->err, CTM_E_INPUT, "rehearsal", NULL, "a rehearsal cannot be attached to a case: what it finds may never be cited");
	if (!rehearsal && !case_id)
		return ctm_fail(cx->err, CTM_E_INPUT, "case_id", NULL, "an evaluation belongs to a case; without one it is a rehearsal");
	if (case_id && (rc = case_fits(cx, case_id, product_id)))
		return rc;
	ctm_uuid7(id);
	ctm_token(challenge);
	struct ctm_q *q = ctm_q(cx->db, "lab_job.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "lab", cx->who->org_id);
	ctm_q_text(q, "product", product_id);
	ctm_q_text(q, "case_id", case_id);
	ctm_q_int(q, "rehearsal", rehearsal);
	ctm_q_text(q, "challenge", challenge);
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	ctm_json_sets(after, "product_id", product_id);
	ctm_json_sets(after, "case_id", case_id);
	ctm_json_setb(after, "rehearsal", rehearsal);
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "job", id, ctm_who_name(cx->who), rehearsal ? "Rehearsal opened." : "Evaluation opened.", NULL, cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "lab_job.add", "lab_job", id, NULL, after, cx->err)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/jobs/%s", id);
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "state", "planned");
	ctm_json_setb(out, "rehearsal", rehearsal);
	return ctm_json_sets(out, "challenge", challenge);
}
