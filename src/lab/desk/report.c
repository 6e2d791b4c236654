/* SPDX-License-Identifier: Apache-2.0
 *
 * The report: issued by a reviewer who did not run the tests, numbered per year, and from then on what a case may rest on.
 * report.json and report.html are the bundle's own bytes; the PDF is their print, made when it is asked for.
 */
#include "lab/desk/lab_job.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include "event/event.h"
#include "event/timeline.h"
#include "identity/identity.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define REPORT_MAX (8u << 20)
#define FILE_MAX (64u << 20)
#define PDF_MAX (8u << 20)
#define RENDER_TIMEOUT_MS 30000

static int next_number(struct ctm_cx *cx, char out[40])
{
	char when[CTM_RFC3339_MAX], name[32];
	ctm_time_rfc3339(cx->now_ms, when);
	snprintf(name, sizeof name, "report.%.4s", when);
	CTM_AUTO_Q *q = ctm_q(cx->db, "case.number");
	ctm_q_text(q, "name", name);
	int rc = ctm_q_one(q, cx->err);
	if (!rc)
		snprintf(out, 40, "REP-%.4s-%06lld", when, (long long)ctm_q_i64(q, "value"));
	return rc;
}

int ctm_uc_job_report(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *job = NULL, *before = ctm_json_obj(), *data = ctm_json_obj();
	const char *id = ctm_in(cx, "id"), *me = cx->who->person_id;
	char number[40], line[120];
	int rc = ctm_lab_job_mine(cx, id, &job);
	if (rc)
		return rc;
	if (ctm_streq(ctm_json_gets(job, "tester_id"), me))
		return ctm_fail(cx->err, CTM_E_GUARD, "reporter", "ISO/IEC 17025:2017 7.8.1.1", "you ran these tests; another reviewer has to issue the report");
	if (!ctm_streq(ctm_json_gets(job, "state"), "sealed"))
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "this evaluation is %s; a report is issued for a sealed one", ctm_json_gets(job, "state"));
	if ((rc = next_number(cx, number)))
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "lab_job.report");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "number", number);
	ctm_q_text(q, "person", me);
	ctm_q_int(q, "now", cx->now_ms);
	int64_t changed = 0;
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_CONFLICT, "id", NULL, "the report has just been issued");
	if (ctm_json_gets(job, "case_id")) {
		q = ctm_q(cx->db, "case.person_add");
		ctm_q_text(q, "case", ctm_json_gets(job, "case_id"));
		ctm_q_text(q, "person", me);
		ctm_q_text(q, "part", "evaluator");
		ctm_q_int(q, "now", cx->now_ms);
		if ((rc = ctm_q_run(q, NULL, cx->err)))
			return rc;
	}
	ctm_json_sets(before, "state", "sealed");
	ctm_json_sets(data, "state", "reported");
	ctm_json_sets(data, "number", number);
	ctm_json_sets(data, "product_id", ctm_json_gets(job, "product_id"));
	ctm_json_sets(data, "case_id", ctm_json_gets(job, "case_id"));
	ctm_json_sets(data, "bundle_digest", ctm_json_gets(job, "bundle_digest"));
	snprintf(line, sizeof line, "Report %s issued.", number);
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "job", id, ctm_who_name(cx->who), line, ctm_json_gets(job, "report_digest"), cx->err)) ||
		(rc = ctm_timeline_add(cx->db, cx->now_ms, "product", ctm_json_gets(job, "product_id"), ctm_json_gets(job, "lab"), line, ctm_json_gets(job, "report_digest"), cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "lab_job.report", "lab_job", id, before, data, cx->err)) ||
		(rc = ctm_event_emit(cx->db, cx->now_ms, "report.issued", "lab_job", id, data, cx->err)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/jobs/%s", id);
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "state", "reported");
	return ctm_json_sets(out, "report_number", number);
}

/* The job, when it has a sealed result that the viewer may read: others than the lab wait for the report. */
static int sealed_job(struct ctm_cx *cx, ctm_json **out)
{
	CTM_AUTO_JSON *job = NULL;
	int rc = ctm_lab_job_seen(cx, ctm_in(cx, "id"), &job);
	if (rc)
		return rc;
	bool lab = ctm_streq(ctm_json_gets(job, "lab_org_id"), cx->who->org_id);
	if (!ctm_json_gets(job, "bundle_digest") || (!lab && !ctm_streq(ctm_json_gets(job, "state"), "reported")))
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no report of this evaluation yet");
	*out = job;
	job = NULL;
	return 0;
}

static int send_blob(struct ctm_cx *cx, const char *digest, const char *type, const char *filename)
{
	CTM_AUTO_BUF b = CTM_BUF(FILE_MAX);
	int rc = ctm_blob_get(ctm_app_blobs(cx->app), digest, FILE_MAX, &b, cx->err);
	if (rc)
		return rc;
	const char *copy = ctm_arena_ndup(cx->arena, b.p, b.len);
	if (!copy)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "the file is too large to send");
	cx->raw = (struct ctm_raw){ .type = type, .p = copy, .n = b.len, .filename = filename };
	return 0;
}

int ctm_uc_report_json(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *job = NULL;
	int rc = sealed_job(cx, &job);
	return rc ? rc : send_blob(cx, ctm_json_gets(job, "report_digest"), "application/json", NULL);
}

int ctm_uc_report_html(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *job = NULL;
	int rc = sealed_job(cx, &job);
	return rc ? rc : send_blob(cx, ctm_json_gets(job, "report_html_digest"), "text/html; charset=utf-8", NULL);
}

/* What the renderer is given: the sealed report and what issuing added. */
static int print_order(struct ctm_cx *cx, const ctm_json *job, struct ctm_buf *out)
{
	CTM_AUTO_JSON *in = ctm_json_obj();
	const char *number = ctm_json_gets(job, "report_number"), *by = ctm_json_gets(job, "reporter");
	ctm_json_sets(in, "number", number ? number : "not issued");
	ctm_json_seti(in, "issued_ms", ctm_json_geti(job, number ? "reported_ms" : "sealed_ms", 0));
	ctm_json_sets(in, "authorised_by", by ? by : "not authorised yet");
	ctm_json_sets(in, "bundle_digest", ctm_json_gets(job, "bundle_digest"));
	ctm_json_sets(in, "report_digest", ctm_json_gets(job, "report_digest"));
	ctm_json_setb(in, "rehearsal", ctm_json_geti(job, "rehearsal", 0) != 0);
	ctm_json_set(in, "report", ctm_json_copy(ctm_json_get(job, "result")));
	int rc = ctm_json_compact(in, out);
	return rc ? ctm_fail(cx->err, rc, "report", NULL, "the report cannot be printed") : ctm_buf_err(out, "report", cx->err);
}

int ctm_prepare_report_pdf(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *job = NULL;
	CTM_AUTO_BUF in = CTM_BUF(REPORT_MAX), pdf = CTM_BUF(PDF_MAX), errout = CTM_BUF(2048);
	char program[512];
	int status = 0, rc = sealed_job(cx, &job);
	if (rc || (rc = print_order(cx, job, &in)) || (rc = ctm_sibling("ctm-render", program, sizeof program, cx->err)))
		return rc;
	struct ctm_proc p = { .argv = (const char *const[]){ program, "report", NULL }, .in = in.p, .in_len = in.len, .timeout_ms = RENDER_TIMEOUT_MS };
	if ((rc = ctm_proc_run(&p, &pdf, &errout, &status, cx->err)))
		return rc;
	if (status || !pdf.len)
		return ctm_fail(cx->err, CTM_E_FAIL, "report", NULL, "the report could not be printed; report.json and report.html are there");
	const char *copy = ctm_arena_ndup(cx->arena, pdf.p, pdf.len), *number = ctm_json_gets(job, "report_number");
	if (!copy)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "the file is too large to send");
	cx->raw = (struct ctm_raw){ .type = "application/pdf", .p = copy, .n = pdf.len, .filename = ctm_arena_printf(cx->arena, "%s.pdf", number ? number : "report") };
	return 0;
}

int ctm_uc_report_pdf(struct ctm_cx *cx, ctm_json *out)
{
	return cx->raw.type ? 0 : ctm_fail(cx->err, CTM_E_FAIL, "report", NULL, "the report was not printed");
}

int ctm_uc_bundle_get(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *job = NULL;
	int rc = sealed_job(cx, &job);
	return rc ? rc : send_blob(cx, ctm_json_gets(job, "bundle_digest"), "application/octet-stream", "evidence.bundle");
}
