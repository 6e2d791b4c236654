/* SPDX-License-Identifier: Apache-2.0
 *
 * Taking an evidence bundle. Nothing a bundle says is believed before `ctm lab replay` (a process of its own) has checked its
 * seal against the trust list, found the checks inside to be those of the platform's own catalogue (a bundle with laxer limits
 * would judge itself met) and judged the observations again with the same report. Then the plan inside must be the
 * approved plan of this job, to the digest: with it come job, challenge and product. A job takes one bundle, and a bundle
 * serves one job.
 *
 * Cells of the matrix become outcome_status rows, what drove them becomes evidence; both name the bundle's digest.
 */
#include "lab/desk/lab_job.h"
#include "lab/desk/ustar.h"
#include "base/proc.h"
#include "base/text.h"
#include "case/catalogue.h"
#include "event/event.h"
#include "event/timeline.h"
#include "evidence/evidence.h"
#include "identity/identity.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define BUNDLE_MAX (64u << 20)
#define REPORT_MAX (4u << 20)
#define REPLAY_TIMEOUT_MS 60000

/* The bundle in memory with its parts. */
struct parts { struct ctm_buf bytes; ctm_json *plan, *report; const char *report_p, *html_p; size_t report_n, html_n; };

static void parts_free(struct parts *b)
{
	ctm_buf_free(&b->bytes);
	ctm_json_free(b->plan);
	ctm_json_free(b->report);
}

/* Seal, chain, digests and verdicts, judged by the lab's own program. */
static int replay(struct ctm_cx *cx, const char *path)
{
	CTM_AUTO_BUF out = CTM_BUF(16u << 20), errout = CTM_BUF(4096);
	char program[512], trust[512];
	int status = 0, rc = ctm_sibling("ctm-lab", program, sizeof program, cx->err);
	if (rc)
		return rc;
	ctm_app_dir(cx->app, "trust.json", trust, sizeof trust);
	struct ctm_proc p = { .argv = (const char *const[]){ program, "replay", "--json", "--same-catalogue", "--trust", trust, path, NULL }, .timeout_ms = REPLAY_TIMEOUT_MS };
	if ((rc = ctm_proc_run(&p, &out, &errout, &status, cx->err)))
		return rc;
	if (status == 0)
		return 0;
	char *line = errout.len ? errout.p : NULL;
	if (line)
		line[strcspn(line, "\n")] = '\0';
	bool say = line && *line && ctm_text_printable(line, strlen(line));
	return ctm_fail(cx->err, CTM_E_VERIFY, "bundle", "ISO/IEC 17025:2017 7.11", "the bundle does not hold: %.300s", say ? line : "it could not be judged again");
}

static int entry_json(struct ctm_cx *cx, const struct parts *b, const char *name, ctm_json **out)
{
	const char *p;
	size_t n;
	int rc = ctm_ustar_find(b->bytes.p, b->bytes.len, name, &p, &n, cx->err);
	return rc ? rc : ctm_json_parse(p, n, REPORT_MAX, name, out, cx->err);
}

static int open_parts(struct ctm_cx *cx, struct parts *b)
{
	b->bytes = CTM_BUF(BUNDLE_MAX);
	int rc = ctm_blob_get(ctm_app_blobs(cx->app), cx->upload.digest, BUNDLE_MAX, &b->bytes, cx->err);
	if (rc || (rc = entry_json(cx, b, "plan.json", &b->plan)) || (rc = entry_json(cx, b, "report.json", &b->report)) ||
		(rc = ctm_ustar_find(b->bytes.p, b->bytes.len, "report.json", &b->report_p, &b->report_n, cx->err)))
		return rc;
	return ctm_ustar_find(b->bytes.p, b->bytes.len, "report.html", &b->html_p, &b->html_n, cx->err);
}

/* The plan inside is the approved one. The digest says it all; the members are looked at first to name what differs. */
static int plan_is_ours(struct ctm_cx *cx, const ctm_json *plan, const ctm_json *job)
{
	const struct { const char *field, *have, *want; } same[] = {
		{ "job", ctm_json_gets(plan, "job"), ctm_json_gets(job, "id") },
		{ "challenge", ctm_json_gets(plan, "challenge"), ctm_json_gets(job, "challenge") },
		{ "product", ctm_json_gets(ctm_json_get(plan, "product"), "id"), ctm_json_gets(job, "product_id") },
	};
	char digest[72];
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		if (!ctm_streq(same[i].have, same[i].want))
			return ctm_fail(cx->err, CTM_E_INPUT, same[i].field, "replay", "the bundle was made for another %s", same[i].field);
	int rc = ctm_canonical_digest(plan, digest, cx->err);
	if (!rc && !ctm_streq(digest, ctm_json_gets(job, "plan_digest")))
		rc = ctm_fail(cx->err, CTM_E_INPUT, "plan", NULL, "the bundle was made with another plan than the one that was approved");
	return rc;
}

/* How many checks ended with which verdict. */
static ctm_json *count_verdicts(const ctm_json *checks)
{
	ctm_json *v = ctm_json_obj();
	for (size_t i = 0; i < ctm_json_len(checks); i++) {
		const char *word = ctm_json_gets(ctm_json_at(checks, i), "verdict");
		if (word && strlen(word) < 20)
			ctm_json_seti(v, word, ctm_json_geti(v, word, 0) + 1);
	}
	return v;
}

int ctm_prepare_bundle(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *job = NULL;
	struct parts b = { 0 };
	char path[512], report[CTM_DIGEST_MAX], html[CTM_DIGEST_MAX];
	struct ctm_blobs *blobs = ctm_app_blobs(cx->app);
	int rc = ctm_lab_job_mine(cx, ctm_in(cx, "id"), &job);
	if (rc)
		return rc;
	if (ctm_json_gets(job, "bundle_digest"))
		return ctm_fail(cx->err, CTM_E_EXISTS, "bundle", "replay", "this evaluation has its bundle already; a bundle is taken once");
	if (!ctm_streq(ctm_json_gets(job, "state"), "approved") && !ctm_streq(ctm_json_gets(job, "state"), "running"))
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "this evaluation is %s; a bundle is taken for an approved plan", ctm_json_gets(job, "state"));
	if ((rc = ctm_blob_path(blobs, cx->upload.digest, path, sizeof path)))
		return ctm_fail(cx->err, rc, "bundle", NULL, "the bundle cannot be read back");
	if (!(rc = open_parts(cx, &b)) && !(rc = plan_is_ours(cx, b.plan, job)) && !(rc = replay(cx, path)) &&
		!(rc = ctm_blob_put(blobs, b.report_p, b.report_n, report, cx->err)))
		rc = ctm_blob_put(blobs, b.html_p, b.html_n, html, cx->err);
	if (!rc && !(cx->prepared = ctm_json_obj()))
		rc = ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	if (!rc) {
		ctm_json_sets(cx->prepared, "report_digest", report);
		ctm_json_sets(cx->prepared, "html_digest", html);
		ctm_json_sets(cx->prepared, "plan_digest", ctm_json_gets(job, "plan_digest"));
		ctm_json_set(cx->prepared, "verdicts", count_verdicts(ctm_json_get(b.report, "checks")));
		rc = ctm_json_set(cx->prepared, "report", b.report);
		b.report = NULL;
	}
	parts_free(&b);
	return rc;
}

/* The component of our product that a plan's component id means; "product" is the product as a whole. */
static int component_id(struct ctm_cx *cx, const char *product, const char *planned, char out[40])
{
	bool whole = ctm_streq(planned, "product");
	CTM_AUTO_Q *q = ctm_q(cx->db, whole ? "component.of_kind" : "component.get");
	if (whole) {
		ctm_q_text(q, "product", product);
		ctm_q_text(q, "kind", "product");
	} else
		ctm_q_text(q, "id", planned);
	int rc = ctm_q_one(q, cx->err);
	if (rc == CTM_E_NOTFOUND || (!rc && !whole && !ctm_streq(ctm_q_str(q, "product_id"), product))) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_INPUT, "report/matrix", NULL, "the report speaks of a component \"%.40s\" that this product does not have", planned ? planned : "");
	}
	if (!rc)
		ctm_copy(out, 40, ctm_q_str(q, "id"));
	return rc;
}

static const char *text(const ctm_json *o, const char *key)
{
	const char *s = ctm_json_gets(o, key);
	return s ? s : "";
}

/* Title of a check in the report; the source itself for records. */
static const char *title_of(const ctm_json *report, const char *source)
{
	const ctm_json *checks = ctm_json_get(report, "checks");
	for (size_t i = 0; i < ctm_json_len(checks); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(checks, i), "id"), source))
			return text(ctm_json_at(checks, i), "title");
	return source;
}

/* One cell: its status, and an evidence row for each thing that drove it. */
static int take_cell(struct ctm_cx *cx, const ctm_json *job, const ctm_json *report, const ctm_json *cell)
{
	const char *product = ctm_json_gets(job, "product_id"), *outcome = text(cell, "outcome");
	char component[40];
	const struct ctm_outcome *row = ctm_outcome_find(ctm_app_catalogue(cx->app), outcome);
	if (!row || !row->judged_on)
		return ctm_fail(cx->err, CTM_E_INPUT, "report/matrix", "NIST IR 8425", "the report judges \"%.40s\", which is no row of the catalogue", outcome);
	int rc = component_id(cx, product, ctm_json_gets(cell, "component"), component);
	if (!rc)
		rc = ctm_outcome_status_add(cx->db, product, ctm_json_gets(job, "id"), component, outcome, text(cell, "status"), text(cell, "why"), cx->now_ms, cx->err);
	const ctm_json *drivers = ctm_json_get(cell, "drivers");
	for (size_t i = 0; !rc && i < ctm_json_len(drivers); i++) {
		const ctm_json *d = ctm_json_at(drivers, i);
		const char *method = text(d, "method"), *source = text(d, "source"), *ref = text(d, "ref");
		struct ctm_evidence_item e = { .product_id = product, .component_id = component, .job_id = ctm_json_gets(job, "id"), .outcome = outcome, .check_id = source,
			.kind = ctm_streq(method, "test") ? "observation" : ctm_streq(method, "attestation") ? "attestation" : "document", .method = method, .verdict = text(d, "verdict"),
			.digest = ctm_digest_ok(ref) ? ref : cx->upload.digest, .title = title_of(report, source), .author = ctm_who_name(cx->who), .at_ms = cx->now_ms };
		rc = ctm_evidence_add(cx->db, &e, cx->err);
	}
	return rc;
}

static int compact(struct ctm_cx *cx, const ctm_json *v, const char *what, struct ctm_buf *out)
{
	int rc = ctm_json_compact(v, out);
	return rc ? ctm_fail(cx->err, rc, what, NULL, "the %s is too large to keep", what) : ctm_buf_err(out, what, cx->err);
}

static int seal(struct ctm_cx *cx, const ctm_json *job)
{
	CTM_AUTO_BUF result = CTM_BUF(REPORT_MAX), verdicts = CTM_BUF(1024);
	int rc;
	if ((rc = compact(cx, ctm_json_get(cx->prepared, "report"), "report", &result)) || (rc = compact(cx, ctm_json_get(cx->prepared, "verdicts"), "verdicts", &verdicts)))
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "lab_job.seal");
	ctm_q_text(q, "id", ctm_json_gets(job, "id"));
	ctm_q_text(q, "bundle", cx->upload.digest);
	ctm_q_text(q, "result", ctm_buf_cstr(&result));
	ctm_q_text(q, "verdicts", ctm_buf_cstr(&verdicts));
	ctm_q_text(q, "report", ctm_json_gets(cx->prepared, "report_digest"));
	ctm_q_text(q, "html", ctm_json_gets(cx->prepared, "html_digest"));
	ctm_q_text(q, "plan_digest", ctm_json_gets(cx->prepared, "plan_digest"));
	ctm_q_text(q, "tester", cx->who->person_id);
	ctm_q_int(q, "now", cx->now_ms);
	int64_t changed = 0;
	rc = ctm_q_run(q, &changed, cx->err);
	if (rc == CTM_E_EXISTS) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "bundle", "replay", "this bundle has been given before; a bundle serves one evaluation");
	}
	if (!rc && !changed)
		rc = ctm_fail(cx->err, CTM_E_EXISTS, "bundle", "replay", "this evaluation has just got its bundle, or its plan changed");
	return rc;
}

/* Who tested has a part in the case from now on; guards read it. */
static int evaluator(struct ctm_cx *cx, const ctm_json *job, const char *person)
{
	const char *case_id = ctm_json_gets(job, "case_id");
	if (!case_id || !person)
		return 0;
	struct ctm_q *q = ctm_q(cx->db, "case.person_add");
	ctm_q_text(q, "case", case_id);
	ctm_q_text(q, "person", person);
	ctm_q_text(q, "part", "evaluator");
	ctm_q_int(q, "now", cx->now_ms);
	return ctm_q_run(q, NULL, cx->err);
}

int ctm_uc_job_bundle(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *job = NULL, *before = ctm_json_obj(), *data = ctm_json_obj();
	const char *id = ctm_in(cx, "id");
	int rc = ctm_lab_job_mine(cx, id, &job);
	if (rc)
		return rc;
	if ((rc = ctm_lab_job_tester(cx, job)) || (rc = seal(cx, job)))
		return rc;
	const ctm_json *report = ctm_json_get(cx->prepared, "report"), *cells = ctm_json_get(report, "matrix");
	for (size_t i = 0; !rc && i < ctm_json_len(cells); i++)
		rc = take_cell(cx, job, report, ctm_json_at(cells, i));
	if (rc || (rc = evaluator(cx, job, cx->who->person_id)))
		return rc;
	ctm_json_sets(before, "state", ctm_json_gets(job, "state"));
	ctm_json_sets(data, "state", "sealed");
	ctm_json_sets(data, "product_id", ctm_json_gets(job, "product_id"));
	ctm_json_sets(data, "case_id", ctm_json_gets(job, "case_id"));
	ctm_json_sets(data, "bundle_digest", cx->upload.digest);
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "job", id, ctm_who_name(cx->who), "Bundle sealed: the observations were judged again with the same result.", cx->upload.digest, cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "lab_job.bundle", "lab_job", id, before, data, cx->err)) ||
		(rc = ctm_event_emit(cx->db, cx->now_ms, "run.sealed", "lab_job", id, data, cx->err)))
		return rc;
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "state", "sealed");
	ctm_json_sets(out, "bundle_digest", cx->upload.digest);
	ctm_json_sets(out, "report_digest", ctm_json_gets(cx->prepared, "report_digest"));
	return ctm_json_set(out, "verdicts", ctm_json_copy(ctm_json_get(cx->prepared, "verdicts")));
}
