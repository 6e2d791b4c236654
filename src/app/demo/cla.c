/* SPDX-License-Identifier: Apache-2.0
 *
 * The label administrator's part of the walk: application, review, decision, and what happens to a certificate later. Every
 * move is an event of a case table in the catalogue; the program, not this file, says who may make it.
 */
#include "app/demo/demo.h"
#include "base/text.h"
#include "base/timex.h"
#include <string.h>

/* One event of a case. data may be NULL; it is owned. */
static int fire(struct demo *d, const char *who, const char *kase, const char *event, const char *note, ctm_json *data, ctm_json **out)
{
	ctm_json *body = demo_obj("note", note, NULL);
	ctm_json_set(body, "data", data ? data : ctm_json_obj());
	return demo_call(d, who, "POST", body, out, "/api/v1/cases/%s/events/%s", kase, event);
}

static void today(char out[CTM_RFC3339_MAX])
{
	ctm_time_rfc3339(ctm_now_ms(), out);
	out[10] = 0;
}

static int declare(struct demo *d, const char *kase)
{
	CTM_AUTO_BUF text = CTM_BUF(1 << 16);
	char day[CTM_RFC3339_MAX];
	today(day);
	int rc = demo_data(d, &text, "declarations.json", "TODAY", day, NULL);
	return rc ? rc : demo_upload(d, "owner", "PUT", "application/json", text.p, text.len, NULL, "/api/v1/cases/%s/declarations", kase);
}

int demo_apply(struct demo *d, const char *unit, const char *version)
{
	CTM_AUTO_JSON *made = NULL;
	CTM_AUTO_JSON *seen = NULL;
	ctm_json *body = demo_obj("product_id", demo_getf(d, "product.%s", unit), "cla_org_id", demo_get(d, "org.harborlight"), "lab_org_id",
		demo_get(d, "org.tidewater"), NULL);
	int rc = demo_call(d, "owner", "POST", body, &made, "/api/v1/applications");
	if (rc)
		return rc;
	const char *kase = ctm_json_gets(made, "id");
	rc = demo_setf(d, kase, "case.%s.%s", unit, version);
	if (!rc)
		rc = declare(d, kase);
	if (!rc)
		rc = fire(d, "owner", kase, "file", "", NULL, NULL);
	if (!rc)
		rc = fire(d, "intake", kase, "accept", "Complete; screened against the lists of 47 CFR 8.204.", NULL, NULL);
	if (!rc)
		rc = fire(d, "labhead", kase, "start_evaluation", "", NULL, NULL);
	if (!rc)
		rc = demo_call(d, "intake", "GET", NULL, &seen, "/api/v1/cases/%s", kase);
	snprintf(d->note, sizeof d->note, "%s", ctm_json_gets(ctm_json_get(seen, "case"), "number") ? ctm_json_gets(ctm_json_get(seen, "case"), "number") : "");
	return rc;
}

static int submit_report(struct demo *d, const char *unit, const char *version, const char *kase)
{
	char day[CTM_RFC3339_MAX];
	today(day);
	return fire(d, "labhead", kase, "submit_report", "",
		demo_obj("job_id", demo_getf(d, "job.%s.%s", unit, version), "signed_by", "Tess Tanner", "signed_on", day, NULL), NULL);
}

/* The reviewer's six verifications; what does not hold is said. */
static int recommend(struct demo *d, const char *kase, bool grant)
{
	static const struct { const char *yes, *no; } notes[] = {
		{ "Every outcome is met on every component in scope.", "Outcomes are not met; see the report's findings." },
		{ "Bundle replayed; same verdicts.", "Bundle replayed; same verdicts." },
		{ "The lab recommends the grant.", "The lab does not recommend a grant." },
		{ "No nonconformity is open.", "Nonconformities are open." },
		{ "No waiver was asked for.", "No waiver was asked for." },
		{ "No other certificate or family is relied on.", "No other certificate or family is relied on." },
	};
	static const bool holds_when_denied[] = { false, true, false, false, true, true };
	CTM_AUTO_JSON *page = NULL;
	ctm_json *data = demo_obj("recommendation", grant ? "grant" : "denial", NULL), *list = ctm_json_arr();
	int rc = demo_call(d, "reviewer", "GET", NULL, &page, "/api/v1/cases/%s", kase);
	const ctm_json *asked = ctm_json_get(page, "verifications");
	for (size_t i = 0; i < ctm_json_len(asked) && i < 6 && !rc; i++) {
		ctm_json *v = demo_obj("id", ctm_json_gets(ctm_json_at(asked, i), "id"), "note", grant ? notes[i].yes : notes[i].no, NULL);
		ctm_json_setb(v, "ok", grant || holds_when_denied[i]);
		ctm_json_add(list, v);
	}
	ctm_json_set(data, "verifications", list);
	if (rc) {
		ctm_json_free(data);
		return rc;
	}
	return fire(d, "reviewer", kase, "recommend", "", data, NULL);
}

int demo_self_decision(struct demo *d)
{
	const char *kase = demo_get(d, "case.camera.1.0.0");
	int rc = submit_report(d, "camera", "1.0.0", kase);
	if (!rc)
		rc = fire(d, "reviewer", kase, "start_review", "", NULL, NULL);
	if (!rc)
		rc = recommend(d, kase, true);
	if (rc)
		return rc;
	ctm_json *body = ctm_json_obj();
	ctm_json_set(body, "data", demo_obj("kind", "grant", NULL));
	return demo_refused(d, CTM_E_GUARD, "tester-as-decider", "POST", body, "/api/v1/cases/%s/events/decide", kase);
}

/* Is this outcome in the list "DP.3, IAC.1a"? */
static bool listed(const char *list, const char *outcome)
{
	size_t n = strlen(outcome);
	for (const char *p = list; p && (p = strstr(p, outcome)); p += n)
		if ((p == list || p[-1] == ' ') && (p[n] == 0 || p[n] == ','))
			return true;
	return false;
}

/* What the lab found on this outcome, as sentences. */
static void findings(const ctm_json *job, const char *outcome, const char *component, char *out, size_t cap)
{
	const ctm_json *list = ctm_json_get(job, "findings");
	size_t at = 0;
	*out = 0;
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *f = ctm_json_at(list, i);
		const char *text = ctm_json_gets(f, "finding");
		if (text && at < cap && listed(ctm_json_gets(f, "outcome"), outcome) && ctm_streq(ctm_json_gets(f, "component"), component))
			at += (size_t)snprintf(out + at, cap - at, "%s%s", at ? " " : "", text);
	}
}

/* Reasons come from what the matrix says is not met, in the words of the report: requirement, component, finding. */
static ctm_json *reasons_of(const ctm_json *page, const ctm_json *job)
{
	ctm_json *list = ctm_json_arr();
	const ctm_json *gaps = ctm_json_get(page, "gaps");
	for (size_t i = 0; i < ctm_json_len(gaps); i++) {
		const ctm_json *g = ctm_json_at(gaps, i);
		if (!ctm_streq(ctm_json_gets(g, "status"), "not_met"))
			continue;
		ctm_json *r = demo_obj("requirement", ctm_json_gets(g, "outcome"), "component", ctm_json_gets(g, "component"), NULL);
		char found[600];
		findings(job, ctm_json_gets(g, "outcome"), ctm_json_gets(g, "component"), found, sizeof found);
		ctm_json_sets(r, "text", *found ? found : ctm_json_gets(g, "text"));
		ctm_json_add(list, r);
	}
	return list;
}

static int decide(struct demo *d, const char *kase, bool grant)
{
	CTM_AUTO_JSON *page = NULL;
	CTM_AUTO_JSON *job = NULL;
	ctm_json *data = demo_obj("kind", grant ? "grant" : "denial", NULL);
	int rc = demo_call(d, "decider", "GET", NULL, &page, "/api/v1/cases/%s", kase);
	if (!rc && !grant)
		rc = demo_call(d, "decider", "GET", NULL, &job, "/api/v1/jobs/%s", ctm_json_gets(ctm_json_get(page, "report"), "job_id"));
	if (!rc && !grant) {
		ctm_json *reasons = reasons_of(page, job);
		snprintf(d->note, sizeof d->note, "denied for %zu reasons", ctm_json_len(reasons));
		for (size_t i = 0; i < ctm_json_len(reasons); i++)
			snprintf(d->note + strlen(d->note), sizeof d->note - strlen(d->note), "%s %s", i ? "," : ":", ctm_json_gets(ctm_json_at(reasons, i), "requirement"));
		ctm_json_set(data, "reasons", reasons);
	}
	if (rc) {
		ctm_json_free(data);
		return rc;
	}
	return fire(d, "decider", kase, "decide", grant ? "Granted on the report and the review." : "Denied.", data, NULL);
}

/* The record appears once statement, log entry and proof are stored. */
static int await_record(struct demo *d, const char *kase, const char *version)
{
	CTM_AUTO_JSON *page = NULL;
	int64_t t0 = ctm_mono_us();
	int rc = demo_until(d, "decider", "certificate.status", "in_force", 10000, "/api/v1/cases/%s", kase);
	const char *record = NULL;
	for (int i = 0; i < 200 && !rc && !record; i++) {
		ctm_json_free(page);
		page = NULL;
		rc = demo_call(d, "decider", "GET", NULL, &page, "/api/v1/cases/%s", kase);
		record = ctm_json_gets(ctm_json_get(page, "certificate"), "record_id");
	}
	if (!rc && !record)
		rc = ctm_fail(d->err, CTM_E_TIMEOUT, NULL, NULL, "the certificate has no public record yet");
	if (!rc)
		rc = demo_setf(d, record, "record.%s", version);
	if (!rc)
		rc = demo_setf(d, ctm_json_gets(ctm_json_get(page, "certificate"), "id"), "certificate.%s", version);
	if (!rc)
		rc = demo_until(d, "", "status", "authorised", 10000, "/p/%s.json", record);
	snprintf(d->note, sizeof d->note, "%s, record %s, logged and proved in %.0f ms", ctm_json_gets(ctm_json_get(page, "certificate"), "number"),
		record ? record : "", (double)(ctm_mono_us() - t0) / 1e3);
	return rc;
}

int demo_decide(struct demo *d, const char *unit, const char *version, bool grant)
{
	const char *kase = demo_getf(d, "case.%s.%s", unit, version);
	CTM_AUTO_JSON *page = NULL;
	int rc = demo_call(d, "reviewer", "GET", NULL, &page, "/api/v1/cases/%s", kase);
	const char *state = ctm_json_gets(ctm_json_get(page, "case"), "state");
	if (!rc && ctm_streq(state, "UNDER_EVALUATION"))
		rc = submit_report(d, unit, version, kase);
	if (!rc && ctm_streq(state, "UNDER_EVALUATION"))
		rc = fire(d, "reviewer", kase, "start_review", "", NULL, NULL);
	if (!rc && ctm_streq(state, "UNDER_EVALUATION"))
		rc = recommend(d, kase, grant);
	if (!rc)
		rc = decide(d, kase, grant);
	return rc || !grant ? rc : await_record(d, kase, version);
}

/* Wait until the public page says so, and tell how long it took after the decision. */
static int page_follows(struct demo *d, int64_t decided_us, const char *status)
{
	int rc = demo_until(d, "", "status", status, 5000, "/p/%s.json", demo_get(d, "record.1.0.0"));
	snprintf(d->note, sizeof d->note, "the public page shows %s after %.0f ms", status, (double)(ctm_mono_us() - decided_us) / 1e3);
	return rc;
}

static int open_about_certificate(struct demo *d, const char *kind, const char *reason)
{
	CTM_AUTO_JSON *made = NULL;
	int rc = demo_call(d, "surveillance", "POST", demo_obj("kind", kind, "reason", reason, NULL), &made, "/api/v1/certificates/%s/cases",
		demo_get(d, "certificate.1.0.0"));
	return rc ? rc : demo_setf(d, ctm_json_gets(made, "id"), "case.%s", kind);
}

int demo_suspend(struct demo *d)
{
	int rc = open_about_certificate(d, "suspension", "A sample from the shelf answered on a port that is not declared.");
	int64_t t0 = ctm_mono_us();
	if (!rc)
		rc = fire(d, "decider", demo_get(d, "case.suspension"), "decide", "Suspended until corrected.", demo_obj("kind", "suspension", NULL), NULL);
	return rc ? rc : page_follows(d, t0, "suspended");
}

int demo_reinstate(struct demo *d)
{
	const char *kase = demo_get(d, "case.suspension");
	int rc = fire(d, "owner", kase, "report_correction", "The shelf sample came from a pilot run; the run was taken back.", NULL, NULL);
	if (!rc)
		rc = fire(d, "surveillance", kase, "propose_reinstatement", "Two fresh samples show no undeclared port.", NULL, NULL);
	int64_t t0 = ctm_mono_us();
	if (!rc)
		rc = fire(d, "decider", kase, "decide", "Reinstated.", demo_obj("kind", "reinstatement", NULL), NULL);
	return rc ? rc : page_follows(d, t0, "authorised");
}

int demo_withdraw(struct demo *d)
{
	int rc = open_about_certificate(d, "withdrawal", "Release 1.0.0 can be made to forget its lock-out; the maker asks for withdrawal and corrects it in 1.0.1.");
	int64_t t0 = ctm_mono_us();
	if (!rc)
		rc = fire(d, "decider", demo_get(d, "case.withdrawal"), "decide", "Withdrawn for good.", demo_obj("kind", "withdrawal", NULL), NULL);
	return rc ? rc : page_follows(d, t0, "withdrawn");
}
