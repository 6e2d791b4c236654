/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of the lab desk (server side of an evaluation). What the pages get:
 *
 * "lab/jobs" (GET /lab)                    {jobs:[JOB], may_create, may_report, counts:{open, sealed, reported}}
 *      JOB     {id, product_id, product, maker, case_id|null, case_number|null, rehearsal:bool, state (planned, approved, running, sealed,
 *               reported), has_plan:bool, tester|null, approver|null, report_number|null, bundle_digest|null, plan_digest, created_ms,
 *               sealed_ms|null, reported_ms|null, verdicts:{PASS, FAIL, INCONCLUSIVE, NOT_APPLICABLE, NOT_RUN, ERROR} (counts)}
 * "lab/job" (GET /jobs/{id})               {job:JOB + {challenge|null (the lab's own people only)}, live:bool (true while running: the page
 *               refreshes itself), may:{plan, approve, report}, progress:[{check_id, component, verdict, note, at_ms}],
 *               done, total, checks:[{id, outcome, component, verdict, title, finding}] (of the sealed report), findings:[the same where FAIL],
 *               matrix:MATRIX|null, plan{}, timeline:[{at_ms, actor, what, ref}]}
 *      forms: POST /jobs/{id}/approve {plan_digest}, POST /jobs/{id}/report {}
 */
#include "lab/desk/lab_job.h"

#define READERS (CTM_ANY_LAB | CTM_ANY_CLA | CTM_ANY_MAKER)
#define APPROVERS (CTM_ROLE_LAB_REVIEWER | CTM_ROLE_LAB_MANAGER)
#define TESTERS (CTM_ROLE_LAB_TESTER | CTM_ROLE_LAB_MANAGER)

static const struct ctm_field id_in[] = { { "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "evaluation", NULL }, { 0 } };
static const struct ctm_field approve_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "evaluation", NULL },
	{ "plan_digest", CTM_V_DIGEST, 0, 0, "plan that was looked at; another one is not approved", NULL }, { 0 }
};
static const struct ctm_field job_in[] = {
	{ "product_id", CTM_V_UUID, 36, CTM_F_REQUIRED, "product", NULL },
	{ "case_id", CTM_V_UUID, 36, 0, "case that names this laboratory; without one the evaluation is a rehearsal", NULL },
	{ "rehearsal", CTM_V_BOOL, 0, 0, "a rehearsal can never be cited in a case", NULL }, { 0 }
};
static const struct ctm_field progress_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "evaluation", NULL },
	{ "check_id", CTM_V_SERIAL, 32, CTM_F_REQUIRED, "check", NULL },
	{ "component", CTM_V_LINE, 80, CTM_F_REQUIRED, "component the check runs on", NULL },
	{ "verdict", CTM_V_ENUM, 0, CTM_F_REQUIRED, "state of the check", "WAITING,RUNNING,PASS,FAIL,INCONCLUSIVE,NOT_APPLICABLE,NOT_RUN,ERROR" },
	{ "note", CTM_V_TEXT, 1000, 0, "why", NULL }, { 0 }
};

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/", CTM_PUBLIC, CTM_R_HTML, .use_case = ctm_uc_home, .view = "identity/home", .reply = "", .help = "The first page of your role, or the public front."),
	CTM_ROUTE("GET", "/lab", CTM_ANY_LAB, CTM_R_HTML, .use_case = ctm_uc_job_list, .view = "lab/jobs", .reply = "", .help = "Evaluations of your laboratory."),
	CTM_ROUTE("GET", "/jobs/{id}", READERS, CTM_R_HTML | CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_job_get, .view = "lab/job", .reply = "",
		.help = "One evaluation: live checks, findings, matrix."),
	CTM_ROUTE("POST", "/jobs/{id}/approve", APPROVERS, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = approve_in, .use_case = ctm_uc_job_approve, .view = "lab/job", .reply = "",
		.help = "Approve the plan; not by the person who gave it."),
	CTM_ROUTE("POST", "/jobs/{id}/report", CTM_ROLE_LAB_REVIEWER, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_job_report, .view = "lab/job",
		.reply = "", .help = "Issue the report; not by the person who tested."),

	CTM_ROUTE("POST", "/api/v1/jobs", CTM_ROLE_LAB_MANAGER, CTM_R_WRITE, .in = job_in, .use_case = ctm_uc_job_add, .reply = "", .help = "Open an evaluation with a one-time challenge."),
	CTM_ROUTE("GET", "/api/v1/jobs", READERS, 0, .use_case = ctm_uc_job_list, .reply = "", .help = "Evaluations you may see."),
	CTM_ROUTE("GET", "/api/v1/jobs/{id}", READERS, CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_job_api, .reply = "", .help = "One evaluation; the challenge for the lab's people."),
	CTM_ROUTE("PUT", "/api/v1/jobs/{id}/plan", TESTERS, CTM_R_WRITE | CTM_R_JSON | CTM_R_SCOPED, .in = id_in, .prepare = ctm_prepare_plan, .use_case = ctm_uc_job_plan, .reply = "",
		.help = "Give the plan (ctm.plan/1).", .body_max = 1 << 20),
	CTM_ROUTE("POST", "/api/v1/jobs/{id}/approve", APPROVERS, CTM_R_WRITE | CTM_R_SCOPED, .in = approve_in, .use_case = ctm_uc_job_approve, .reply = "",
		.help = "Approve the plan; not by the person who gave it."),
	CTM_ROUTE("POST", "/api/v1/jobs/{id}/progress", TESTERS, CTM_R_WRITE | CTM_R_SCOPED | CTM_R_UNAUDITED, .in = progress_in, .use_case = ctm_uc_job_progress, .reply = "",
		.help = "Tell how a check is doing while the run goes on."),
	CTM_ROUTE("PUT", "/api/v1/jobs/{id}/bundle", TESTERS, CTM_R_WRITE | CTM_R_UPLOAD | CTM_R_SCOPED, .in = id_in, .prepare = ctm_prepare_bundle, .use_case = ctm_uc_job_bundle,
		.reply = "", .help = "Give the sealed bundle; it is judged again before it is taken, once.", .body_max = (size_t)64 << 20),
	CTM_ROUTE("GET", "/api/v1/jobs/{id}/bundle", CTM_ANY_LAB | CTM_ANY_CLA, CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_bundle_get, .reply = "", .help = "The sealed bundle."),
	CTM_ROUTE("POST", "/api/v1/jobs/{id}/report", CTM_ROLE_LAB_REVIEWER, CTM_R_WRITE | CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_job_report, .reply = "",
		.help = "Issue the report; not by the person who tested."),
	CTM_ROUTE("GET", "/api/v1/jobs/{id}/report.json", READERS, CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_report_json, .reply = "", .help = "The report as sealed (JSON)."),
	CTM_ROUTE("GET", "/api/v1/jobs/{id}/report.html", READERS, CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_report_html, .reply = "", .help = "The report as sealed (HTML)."),
	CTM_ROUTE("GET", "/api/v1/jobs/{id}/report.pdf", READERS, CTM_R_SCOPED, .in = id_in, .prepare = ctm_prepare_report_pdf, .use_case = ctm_uc_report_pdf, .reply = "", .help = "The report in print."),
};

const struct ctm_routes ctm_labdesk_routes = { rows, sizeof rows / sizeof *rows };
