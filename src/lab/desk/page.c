/* SPDX-License-Identifier: Apache-2.0
 *
 * The page of one evaluation: live checks while it runs, the sealed result afterwards. Before the report is issued, the
 * applicant and the label administrator see how far it is, not what it found.
 */
#include "lab/desk/lab_job.h"
#include "base/text.h"
#include "event/timeline.h"
#include "evidence/evidence.h"
#include <string.h>

/* Name of a plan's component. */
static const char *name_of(const ctm_json *plan, const char *id)
{
	const ctm_json *list = ctm_json_get(plan, "components");
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *c = ctm_json_at(list, i);
		if (ctm_streq(ctm_json_gets(c, "id"), id) && ctm_json_gets(c, "name"))
			return ctm_json_gets(c, "name");
	}
	return id ? id : "";
}

/* Strings of an array joined, at most 1000 bytes. */
static void join(ctm_json *o, const char *key, const ctm_json *list, const char *between)
{
	CTM_AUTO_BUF b = CTM_BUF(1000);
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const char *s = ctm_json_str(ctm_json_at(list, i));
		if (s && b.len + strlen(s) + strlen(between) < 999)
			ctm_buf_printf(&b, "%s%s", b.len ? between : "", s);
	}
	ctm_json_sets(o, key, ctm_buf_cstr(&b));
}

static void checks(const ctm_json *job, ctm_json *out)
{
	const ctm_json *list = ctm_json_get(ctm_json_get(job, "result"), "checks"), *plan = ctm_json_get(job, "plan");
	ctm_json *all = ctm_json_arr(), *findings = ctm_json_arr();
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *c = ctm_json_at(list, i);
		const char *sentence = ctm_json_gets(c, "sentence"), *verdict = ctm_json_gets(c, "verdict"), *title = ctm_json_gets(c, "title");
		ctm_json *o = ctm_json_obj();
		ctm_json_sets(o, "id", ctm_json_gets(c, "id"));
		join(o, "outcome", ctm_json_get(c, "outcomes"), ", ");
		ctm_json_sets(o, "component", name_of(plan, ctm_json_gets(c, "component")));
		ctm_json_sets(o, "verdict", verdict ? verdict : "");
		ctm_json_sets(o, "title", title ? title : "");
		if (sentence)
			ctm_json_sets(o, "finding", sentence);
		else
			join(o, "finding", ctm_json_get(c, "reasons"), " ");
		if (ctm_streq(verdict, "FAIL"))
			ctm_json_add(findings, ctm_json_copy(o));
		ctm_json_add(all, o);
	}
	ctm_json_set(out, "checks", all);
	ctm_json_set(out, "findings", findings);
}

static int progress(struct ctm_cx *cx, const ctm_json *job, ctm_json *out)
{
	CTM_AUTO_JSON *rows = NULL;
	ctm_json *list = ctm_json_arr();
	int64_t done = 0;
	struct ctm_q *q = ctm_q(cx->db, "run_progress.list");
	ctm_q_text(q, "job", ctm_json_gets(job, "id"));
	int rc = ctm_q_rows(q, 2000, &rows, cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		ctm_json *r = ctm_json_copy(ctm_json_at(rows, i));
		const char *v = ctm_json_gets(r, "verdict");
		done += !ctm_streq(v, "WAITING") && !ctm_streq(v, "RUNNING");
		ctm_json_sets(r, "component", name_of(ctm_json_get(job, "plan"), ctm_json_gets(r, "component")));
		ctm_json_add(list, r);
	}
	ctm_json_set(out, "progress", list);
	ctm_json_seti(out, "done", done);
	ctm_json_seti(out, "total", (int64_t)ctm_json_len(ctm_json_get(ctm_json_get(job, "plan"), "checks")));
	return rc;
}

static ctm_json *may(struct ctm_cx *cx, const ctm_json *job, bool lab)
{
	const char *state = ctm_json_gets(job, "state"), *me = cx->who->person_id, *plan = ctm_json_gets(job, "plan_digest");
	unsigned roles = cx->who->roles;
	ctm_json *m = ctm_json_obj();
	ctm_json_setb(m, "plan", lab && ctm_streq(state, "planned") && (roles & (CTM_ROLE_LAB_TESTER | CTM_ROLE_LAB_MANAGER)));
	ctm_json_setb(m, "approve", lab && ctm_streq(state, "planned") && plan && *plan && (roles & (CTM_ROLE_LAB_REVIEWER | CTM_ROLE_LAB_MANAGER)) &&
		!ctm_streq(ctm_json_gets(job, "tester_id"), me));
	ctm_json_setb(m, "report", lab && ctm_streq(state, "sealed") && (roles & CTM_ROLE_LAB_REVIEWER) && !ctm_streq(ctm_json_gets(job, "tester_id"), me));
	return m;
}

int ctm_uc_job_get(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *job = NULL;
	const char *id = ctm_in(cx, "id");
	ctm_json *matrix = NULL, *lines = NULL;
	int rc = ctm_lab_job_seen(cx, id, &job);
	if (rc)
		return rc;
	bool lab = ctm_streq(ctm_json_gets(job, "lab_org_id"), cx->who->org_id);
	bool told = lab || ctm_streq(ctm_json_gets(job, "state"), "reported");
	ctm_json *item = ctm_lab_job_item(job);
	ctm_json_sets(item, "challenge", lab ? ctm_json_gets(job, "challenge") : NULL);
	ctm_json_sets(item, "report_digest", told ? ctm_json_gets(job, "report_digest") : NULL);
	if (!told)
		ctm_json_set(item, "verdicts", ctm_json_obj());
	ctm_json_set(out, "job", item);
	ctm_json_setb(out, "live", ctm_streq(ctm_json_gets(job, "state"), "running"));
	ctm_json_set(out, "may", may(cx, job, lab));
	if (told) {
		if ((rc = progress(cx, job, out)))
			return rc;
		checks(job, out);
		if (ctm_json_gets(job, "bundle_digest") && (rc = ctm_evidence_matrix(cx, ctm_json_gets(job, "product_id"), id, &matrix)))
			return rc;
		ctm_json_set(out, "plan", ctm_json_copy(ctm_json_get(job, "plan")));
	} else {
		static const char *const empty[] = { "progress", "checks", "findings" };
		for (size_t i = 0; i < 3; i++)
			ctm_json_set(out, empty[i], ctm_json_arr());
		ctm_json_seti(out, "done", 0);
		ctm_json_seti(out, "total", 0);
		ctm_json_set(out, "plan", ctm_json_obj());
	}
	ctm_json_set(out, "matrix", matrix ? matrix : ctm_json_news(NULL));
	if ((rc = ctm_timeline_read(cx->db, "job", id, 200, &lines, cx->err)))
		return rc;
	return ctm_json_set(out, "timeline", lines);
}

int ctm_uc_job_api(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_uc_job_get(cx, out);
	CTM_AUTO_JSON *job = rc ? NULL : ctm_json_copy(ctm_json_get(out, "job"));
	void *it = NULL;
	const char *key;
	const ctm_json *v;
	while (!rc && ctm_json_each(job, &it, &key, &v))
		if (!ctm_json_get(out, key))
			rc = ctm_json_set(out, key, ctm_json_copy(v));
	return rc;
}
