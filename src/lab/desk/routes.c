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
 *      forms: POST /jobs/{id}/approve {}, POST /jobs/{id}/report {}
 */
