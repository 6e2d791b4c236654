/* SPDX-License-Identifier: Apache-2.0
 *
 * Effects of the case tables: what a move changes beside the case row. They run in the move's transaction and undo with it.
 */
#include "scheme/scheme.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdio.h>
#include <string.h>

static int mark_filed(struct ctm_fire *f) { f->filed = true; return 0; }
static int mark_accepted(struct ctm_fire *f) { f->accepted = true; return 0; }
static int mark_closed(struct ctm_fire *f) { f->closed = true; return 0; }

static int set_baseline(struct ctm_fire *f, int64_t at_ms)
{
	ctm_json *b = NULL;
	int rc = ctm_baseline(f->cx, f->product_id, at_ms, &b);
	return rc ? rc : ctm_json_set(f->data, "baseline", b) ? ctm_nomem(f->cx) : 0;
}

static int freeze_baseline(struct ctm_fire *f) { return set_baseline(f, f->cx->now_ms); }

static int screen(struct ctm_fire *f)
{
	ctm_json *r = NULL;
	int rc = ctm_screen(f->cx, f->kase, f->data, &r);
	return rc ? rc : ctm_json_set(f->data, "screening", r) ? ctm_nomem(f->cx) : 0;
}

static int clear_match(struct ctm_fire *f)
{
	const struct ctm_catalogue *cat = ctm_app_catalogue(f->cx->app);
	const char *list = ctm_text(f->given, "list"), *subject = ctm_text(f->given, "subject");
	const struct ctm_list *l = NULL;
	for (size_t i = 0; i < ctm_list_count(cat); i++)
		if (strcmp(ctm_list_at(cat, i)->id, list) == 0)
			l = ctm_list_at(cat, i);
	if (!l)
		return ctm_fail(f->cx->err, CTM_E_INPUT, "list", "47 CFR 8.204", "there is no list \"%.40s\"", list);
	ctm_json *all = ctm_json_copy(ctm_json_get(f->data, "cleared")), *c = ctm_json_obj();
	if (!all)
		all = ctm_json_arr();
	int rc = ctm_json_sets(c, "subject", subject) || ctm_json_sets(c, "list", l->id) || ctm_json_sets(c, "digest", l->digest) || ctm_json_sets(c, "note", f->note)
		|| ctm_json_sets(c, "person_id", f->cx->who->person_id) || ctm_json_seti(c, "at_ms", f->cx->now_ms);
	rc |= ctm_json_add(all, c) != 0;
	rc |= ctm_json_set(f->data, "cleared", all) != 0;
	return rc ? ctm_nomem(f->cx) : screen(f);
}

static int assign_lab(struct ctm_fire *f)
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_JSON *org = NULL;
	char today[11];
	const char *id = ctm_text(f->given, "lab_org_id");
	int rc = ctm_one(cx, "scheme.org", "id", id, &org);
	if (rc == CTM_E_NOTFOUND || (!rc && strcmp(ctm_text(org, "kind"), "lab") != 0)) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_INPUT, "lab_org_id", "47 CFR 8.217", "there is no such lab");
	}
	if (!rc)
		rc = ctm_pack_day(f->table->law, cx->now_ms, today, cx->err);
	if (!rc)
		rc = ctm_lab_covered(cx, id, today);
	if (!rc && !(f->new_lab_org_id = ctm_arena_dup(cx->arena, id)))
		rc = ctm_nomem(cx);
	return rc;
}

static int add_evaluator(struct ctm_fire *f, const char *person_id)
{
	if (!*person_id)
		return 0;
	struct ctm_q *q = ctm_q(f->cx->db, "case.person_add");
	ctm_q_text(q, "case", f->id);
	ctm_q_text(q, "person", person_id);
	ctm_q_text(q, "part", "evaluator");
	ctm_q_int(q, "now", f->cx->now_ms);
	return ctm_q_run(q, NULL, f->cx->err);
}

/* The report, who did the tests (they are evaluators from now on), and the releases that were there when they were sealed. */
static int attach_report(struct ctm_fire *f)
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_JSON *j = NULL;
	char day[11];
	int rc = ctm_one(cx, "scheme.job", "id", ctm_text(f->given, "job_id"), &j);
	int64_t sealed = ctm_json_geti(j, "sealed_ms", 0);
	if (rc || (rc = ctm_pack_day(f->table->law, sealed, day, cx->err)) || (rc = add_evaluator(f, ctm_text(j, "tester_id")))
		|| (rc = add_evaluator(f, ctm_text(j, "approver_id"))) || (rc = set_baseline(f, sealed)))
		return rc;
	ctm_json *r = ctm_json_obj();
	rc = ctm_json_sets(r, "job_id", ctm_text(j, "id")) || ctm_json_sets(r, "number", ctm_json_gets(j, "report_number")) || ctm_json_sets(r, "bundle_digest", ctm_text(j, "bundle_digest"))
		|| ctm_json_sets(r, "tester", ctm_text(j, "tester")) || ctm_json_sets(r, "tested_on", day) || ctm_json_sets(r, "signed_by", ctm_text(f->given, "signed_by"))
		|| ctm_json_sets(r, "signed_on", ctm_text(f->given, "signed_on"));
	return ctm_json_set(f->data, "report", r) || rc ? ctm_nomem(cx) : 0;
}

static int drop(struct ctm_fire *f, const char *key) { return ctm_json_get(f->data, key) && ctm_json_del(f->data, key) ? ctm_nomem(f->cx) : 0; }

static int detach_report(struct ctm_fire *f)
{
	int rc = drop(f, "report");
	return rc ? rc : drop(f, "review");
}

static int record_recommendation(struct ctm_fire *f)
{
	ctm_json *r = ctm_json_obj();
	int rc = ctm_json_sets(r, "recommendation", ctm_text(f->given, "recommendation")) || ctm_json_set(r, "verifications", ctm_json_copy(ctm_json_get(f->given, "verifications")))
		|| ctm_json_sets(r, "by", f->cx->who->person_name) || ctm_json_sets(r, "person_id", f->cx->who->person_id) || ctm_json_seti(r, "at_ms", f->cx->now_ms);
	return ctm_json_set(f->data, "review", r) || rc ? ctm_nomem(f->cx) : 0;
}

/* ---- decisions ---- */

static int decide_grant(struct ctm_fire *f)
{
	char id[40], certificate[40];
	int rc = ctm_decision_write(f, "grant", NULL, id);
	if (!rc)
		rc = ctm_certificate_grant(f, id, certificate);
	return rc ? rc : ctm_decision_told(f, id, "grant", certificate);
}

static int decide_denial(struct ctm_fire *f)
{
	char id[40];
	int rc = ctm_decision_write(f, "denial", ctm_json_get(f->given, "reasons"), id);
	return rc ? rc : ctm_decision_told(f, id, "denial", NULL);
}

/* A reason made of the row's note, tied to a rule. */
static int one_reason(struct ctm_fire *f, const char *requirement, ctm_json **out)
{
	ctm_json *list = ctm_json_arr(), *r = ctm_json_obj();
	int rc = ctm_json_sets(r, "requirement", requirement) || ctm_json_sets(r, "component", "product") || ctm_json_sets(r, "text", f->note);
	if (ctm_json_add(list, r) || rc) {
		ctm_json_free(list);
		return ctm_nomem(f->cx);
	}
	*out = list;
	return 0;
}

static int decide_dismissal(struct ctm_fire *f)
{
	char id[40];
	CTM_AUTO_JSON *reasons = NULL;
	const struct ctm_term *t = ctm_pack_term(f->table->law, "dismissal", ctm_text(f->given, "reason"));
	int rc = one_reason(f, t ? t->citation : "47 CFR 8.210", &reasons);
	if (!rc)
		rc = ctm_decision_write(f, "dismissal", reasons, id);
	return rc ? rc : ctm_decision_told(f, id, "dismissal", NULL);
}

/* The reason of a suspension or withdrawal is the one it was proposed for; the decider's note stays with the move. */
static int decide_on_certificate(struct ctm_fire *f, const char *kind, const char *from, const char *to)
{
	char id[40];
	const char *why = ctm_text(f->data, "reason"), *own = f->note;
	CTM_AUTO_JSON *reasons = NULL;
	bool proposed = strcmp(kind, "reinstatement") != 0;
	f->note = proposed || !*own ? why : own;
	int rc = one_reason(f, "ISO/IEC 17065 7.11", &reasons);
	f->note = own;
	if (!rc)
		rc = ctm_decision_write(f, kind, reasons, id);
	if (!rc)
		rc = to ? ctm_certificate_set(f, from, to, id) : ctm_certificate_withdraw(f, id);
	return rc ? rc : ctm_decision_told(f, id, kind, ctm_text(f->data, "certificate_id"));
}

static int decide_suspension(struct ctm_fire *f) { return decide_on_certificate(f, "suspension", "in_force", "suspended"); }
static int decide_reinstatement(struct ctm_fire *f) { return decide_on_certificate(f, "reinstatement", "suspended", "in_force"); }
static int decide_withdrawal(struct ctm_fire *f) { return decide_on_certificate(f, "withdrawal", NULL, NULL); }

const struct ctm_case_effect ctm_case_effects[] = {
	{ "assign_lab", assign_lab, "the case goes to another recognised lab" },
	{ "attach_report", attach_report, "the sealed report and who made it are kept with the case" },
	{ "clear_match", clear_match, "a likeness found by the screening is cleared for this edition of the list" },
	{ "decide_denial", decide_denial, "a denial is written with its reasons; there is never a certificate" },
	{ "decide_dismissal", decide_dismissal, "a dismissal is written" },
	{ "decide_grant", decide_grant, "decision, certificate and authorisation are written" },
	{ "decide_reinstatement", decide_reinstatement, "the certificate is in force again" },
	{ "decide_suspension", decide_suspension, "the certificate is suspended; the authorisation stays" },
	{ "decide_withdrawal", decide_withdrawal, "certificate and authorisation end" },
	{ "detach_report", detach_report, "report and review are set aside for more testing" },
	{ "freeze_baseline", freeze_baseline, "the releases applied for are kept" },
	{ "mark_accepted", mark_accepted, "the day of acceptance is kept" },
	{ "mark_closed", mark_closed, "the day of closing is kept" },
	{ "mark_filed", mark_filed, "the day of filing is kept" },
	{ "record_recommendation", record_recommendation, "the six verifications and the recommendation are kept" },
	{ "screen", screen, "the screening and the editions of the lists are kept" },
};
const size_t ctm_case_effect_count = sizeof ctm_case_effects / sizeof *ctm_case_effects;
