/* SPDX-License-Identifier: Apache-2.0
 *
 * An evaluation as the platform keeps it: planned (a plan with a one-time challenge), approved by a second person, running
 * (live progress), sealed (one bundle, judged again here before it is believed), reported. A rehearsal has no case and can
 * never get one.
 */
#ifndef CTM_LAB_DESK_LAB_JOB_H
#define CTM_LAB_DESK_LAB_JOB_H
#include "http/app.h"

extern const struct ctm_routes ctm_labdesk_routes;

/* The job's whole row (lab_job.get) for the lab it belongs to; NOTFOUND for others. Owned by the caller. */
CTM_CHECK int ctm_lab_job_mine(struct ctm_cx *cx, const char *id, ctm_json **out);
/* The same for reading: the lab, and, for a job on a case, the applicant and the label administrator of that case. */
CTM_CHECK int ctm_lab_job_seen(struct ctm_cx *cx, const char *id, ctm_json **out);
/* May the asker run the tests of this job (its whole row)? GUARD for who approved the plan and, once somebody runs it, for everybody
 * else: the one tester named in the row is who may not report or decide later. */
CTM_CHECK int ctm_lab_job_tester(struct ctm_cx *cx, const ctm_json *job);
/* JOB item (routes.c) of a row of lab_job.get or lab_job.list. NULL without memory. */
ctm_json *ctm_lab_job_item(const ctm_json *row);
/* JOB items of the viewer's organisation: {jobs, counts} set into out. */
CTM_CHECK int ctm_lab_jobs(struct ctm_cx *cx, ctm_json *out);
/* Digest of the canonical form of a document (how plans and declarations are named). */
CTM_CHECK int ctm_canonical_digest(const ctm_json *doc, char out[72], struct ctm_err *err);

/* lab_job.c */
int ctm_uc_job_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_job_list(struct ctm_cx *cx, ctm_json *out);
/* plan.c */
int ctm_prepare_plan(struct ctm_cx *cx);
int ctm_uc_job_plan(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_job_approve(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_job_progress(struct ctm_cx *cx, ctm_json *out);
/* page.c */
int ctm_uc_job_get(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_job_api(struct ctm_cx *cx, ctm_json *out);
/* bundle.c */
int ctm_prepare_bundle(struct ctm_cx *cx);
int ctm_uc_job_bundle(struct ctm_cx *cx, ctm_json *out);
/* report.c */
int ctm_uc_job_report(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_report_json(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_report_html(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_report_pdf(struct ctm_cx *cx);
int ctm_uc_report_pdf(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_bundle_get(struct ctm_cx *cx, ctm_json *out);
/* home.c */
int ctm_uc_home(struct ctm_cx *cx, ctm_json *out);
#endif
