/* SPDX-License-Identifier: Apache-2.0
 *
 * Plan, approval and live progress. A plan must speak of this job, its challenge and its product, and test against the
 * declaration of a published release; it is approved by somebody other than the person who gave it, and cannot change
 * afterwards (the approval names the plan's digest).
 */
#include "lab/desk/lab_job.h"
#include "base/text.h"
#include "event/timeline.h"
#include "identity/identity.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define PROGRESS_ROWS 1000

static int same(const struct ctm_jc *c, const char *key, const char *want, const char *what, struct ctm_err *err)
{
	struct ctm_jc at;
	const char *s;
	int rc = ctm_jc_str(c, key, 1, 128, &s, err);
	if (rc)
		return rc;
	if (!ctm_streq(s, want)) {
		(void)ctm_jc_has(c, key, &at);
		return ctm_jc_fail(&at, err, "is not that of this %s; make the plan for it", what);
	}
	return 0;
}

static int plan_fits(const ctm_json *plan, const ctm_json *job, struct ctm_err *err)
{
	struct ctm_jc root = ctm_jc_root(plan, "plan"), product, checks, at;
	const char *text;
	bool rehearsal;
	int rc;
	if ((rc = ctm_jc_is(&root, CTM_J_OBJ, err)) || (rc = ctm_jc_str(&root, "format", 1, 32, &text, err)))
		return rc;
	if (!ctm_streq(text, "ctm.plan/1")) {
		(void)ctm_jc_has(&root, "format", &at);
		return ctm_jc_fail(&at, err, "must be \"ctm.plan/1\"");
	}
	if ((rc = same(&root, "job", ctm_json_gets(job, "id"), "evaluation", err)) || (rc = same(&root, "challenge", ctm_json_gets(job, "challenge"), "evaluation", err)) ||
		(rc = ctm_jc_key(&root, "product", &product, err)) || (rc = ctm_jc_is(&product, CTM_J_OBJ, err)) ||
		(rc = same(&product, "id", ctm_json_gets(job, "product_id"), "product", err)) || (rc = ctm_jc_bool(&root, "rehearsal", &rehearsal, err)) ||
		(rc = ctm_jc_str(&root, "declaration", 71, 71, &text, err)) || (rc = ctm_jc_arr(&root, "checks", 1, 500, &checks, err)))
		return rc;
	if (rehearsal != (ctm_json_geti(job, "rehearsal", 0) != 0)) {
		(void)ctm_jc_has(&root, "rehearsal", &at);
		return ctm_jc_fail(&at, err, "says %s, the evaluation is %s", rehearsal ? "rehearsal" : "no rehearsal", rehearsal ? "none" : "one");
	}
	return 0;
}

/* Is digest the canonical digest of the declaration of a published release of this product? */
static int declaration_known(struct ctm_cx *cx, const char *product_id, const char *digest, bool *known)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "lab_job.declarations");
	ctm_q_text(q, "product", product_id);
	bool row;
	int rc;
	while (!(rc = ctm_q_step(q, &row, cx->err)) && row) {
		CTM_AUTO_JSON *r = ctm_q_row(q);
		char have[72];
		if ((rc = ctm_canonical_digest(ctm_json_get(r, "declaration"), have, cx->err)))
			return rc;
		if (ctm_streq(have, digest)) {
			*known = true;
			return 0;
		}
	}
	return rc;
}

int ctm_prepare_plan(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *job = NULL;
	char digest[72];
	bool known = false;
	int rc = ctm_lab_job_mine(cx, ctm_in(cx, "id"), &job);
	if (rc || (rc = plan_fits(cx->body, job, cx->err)) ||
		(rc = declaration_known(cx, ctm_json_gets(job, "product_id"), ctm_json_gets(cx->body, "declaration"), &known)))
		return rc;
	if (!known)
		return ctm_fail(cx->err, CTM_E_INPUT, "/declaration", NULL, "no published release of this product has this declaration; test against what the maker published");
	if ((rc = ctm_canonical_digest(cx->body, digest, cx->err)))
		return rc;
	if (!(cx->prepared = ctm_json_obj()) || ctm_json_sets(cx->prepared, "digest", digest))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	return 0;
}

int ctm_uc_job_plan(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *job = NULL, *before = ctm_json_obj(), *after = ctm_json_obj();
	CTM_AUTO_BUF text = CTM_BUF(1 << 20);
	const char *id = ctm_in(cx, "id"), *digest = ctm_json_gets(cx->prepared, "digest");
	int rc = ctm_lab_job_mine(cx, id, &job);
	if (rc)
		return rc;
	if ((rc = ctm_json_compact(cx->body, &text)) || (rc = ctm_buf_err(&text, "plan", cx->err)))
		return ctm_fail(cx->err, rc, "plan", NULL, "a plan takes at most 1 MiB");
	struct ctm_q *q = ctm_q(cx->db, "lab_job.set_plan");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "digest", digest);
	ctm_q_text(q, "plan", ctm_buf_cstr(&text));
	ctm_q_text(q, "tester", cx->who->person_id);
	int64_t changed = 0;
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "the plan has been approved and cannot change any more");
	ctm_json_sets(before, "plan_digest", ctm_json_gets(job, "plan_digest"));
	ctm_json_sets(after, "plan_digest", digest);
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "job", id, ctm_who_name(cx->who), "Plan given.", digest, cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "lab_job.plan", "lab_job", id, before, after, cx->err)))
		return rc;
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "plan_digest", digest);
	return ctm_json_sets(out, "state", "planned");
}

int ctm_uc_job_approve(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *job = NULL, *before = ctm_json_obj(), *after = ctm_json_obj();
	const char *id = ctm_in(cx, "id"), *seen = ctm_in(cx, "plan_digest");
	int rc = ctm_lab_job_mine(cx, id, &job);
	if (rc)
		return rc;
	const char *digest = ctm_json_gets(job, "plan_digest");
	if (!digest || !*digest)
		return ctm_fail(cx->err, CTM_E_STATE, "plan", NULL, "there is no plan to approve yet");
	if (seen && !ctm_streq(seen, digest))
		return ctm_fail(cx->err, CTM_E_CONFLICT, "plan_digest", NULL, "the plan changed since you looked at it; nothing was approved. Look at it again");
	if (ctm_streq(ctm_json_gets(job, "tester_id"), cx->who->person_id))
		return ctm_fail(cx->err, CTM_E_GUARD, "approver", "ISO/IEC 17025:2017 6.2.6", "the plan is yours; somebody else has to approve it");
	struct ctm_q *q = ctm_q(cx->db, "lab_job.approve");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "digest", digest);
	ctm_q_text(q, "approver", cx->who->person_id);
	int64_t changed = 0;
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "this evaluation is %s; only a planned one is approved", ctm_json_gets(job, "state"));
	ctm_json_sets(before, "state", "planned");
	ctm_json_sets(after, "state", "approved");
	ctm_json_sets(after, "plan_digest", digest);
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "job", id, ctm_who_name(cx->who), "Plan approved.", digest, cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "lab_job.approve", "lab_job", id, before, after, cx->err)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/jobs/%s", id);
	ctm_json_sets(out, "id", id);
	return ctm_json_sets(out, "state", "approved");
}

int ctm_lab_job_tester(struct ctm_cx *cx, const ctm_json *job)
{
	const char *me = cx->who->person_id, *name = ctm_json_gets(job, "tester");
	if (ctm_streq(ctm_json_gets(job, "approver_id"), me))
		return ctm_fail(cx->err, CTM_E_GUARD, "tester", "ISO/IEC 17025:2017 6.2.6", "you approved this plan; the tester runs it and gives the bundle");
	if (!ctm_streq(ctm_json_gets(job, "state"), "running") || ctm_streq(ctm_json_gets(job, "tester_id"), me))
		return 0;
	return ctm_fail(cx->err, CTM_E_GUARD, "tester", "ISO/IEC 17025:2017 7.5.1", "%s runs these tests; only that person tells how they go and gives the bundle", name ? name : "somebody else");
}

/* The first progress starts the run; the person who reports it is the tester from then on. */
static int start_run(struct ctm_cx *cx, const ctm_json *job)
{
	const char *id = ctm_json_gets(job, "id");
	int rc = ctm_lab_job_tester(cx, job);
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "lab_job.running");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "tester", cx->who->person_id);
	rc = ctm_q_run(q, NULL, cx->err);
	if (!rc)
		rc = ctm_timeline_add(cx->db, cx->now_ms, "job", id, ctm_who_name(cx->who), "Run started.", NULL, cx->err);
	if (!rc)
		rc = ctm_audit_state(cx->db, cx->now_ms, ctm_who_actor(cx->who), "lab_job.run", "lab_job", id, "approved", "running", cx->err);
	return rc;
}

int ctm_uc_job_progress(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *job = NULL;
	const char *id = ctm_in(cx, "id"), *note = ctm_in(cx, "note");
	int rc = ctm_lab_job_mine(cx, id, &job);
	if (rc)
		return rc;
	const char *state = ctm_json_gets(job, "state");
	if (!ctm_streq(state, "approved") && !ctm_streq(state, "running"))
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "this evaluation is %s; progress is told while it runs", state);
	if (ctm_streq(state, "approved") ? (rc = start_run(cx, job)) : (rc = ctm_lab_job_tester(cx, job)))
		return rc;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "run_progress.count");
		ctm_q_text(q, "job", id);
		if ((rc = ctm_q_one(q, cx->err)))
			return rc;
		if (ctm_q_i64(q, "n") >= PROGRESS_ROWS)
			return ctm_fail(cx->err, CTM_E_INPUT, "check_id", NULL, "a run tells of at most %d checks", PROGRESS_ROWS);
	}
	struct ctm_q *q = ctm_q(cx->db, "run_progress.set");
	ctm_q_text(q, "job", id);
	ctm_q_text(q, "check", ctm_in(cx, "check_id"));
	ctm_q_text(q, "component", ctm_in(cx, "component"));
	ctm_q_text(q, "verdict", ctm_in(cx, "verdict"));
	ctm_q_text(q, "note", note ? note : "");
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	return ctm_json_setb(out, "noted", true);
}
