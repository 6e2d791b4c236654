/* SPDX-License-Identifier: Apache-2.0
 *
 * Guards of the case tables. Each asks one question and names the rule behind its refusal. Guards look at the person, not at
 * the role or the session: who evaluated may not review or decide, in any hat (ISO/IEC 17065 7.6).
 */
#include "scheme/scheme.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdio.h>
#include <string.h>

#define REFUSE(f, field, rule, ...) ctm_fail((f)->cx->err, CTM_E_GUARD, field, rule, __VA_ARGS__)

static const ctm_json *declarations(const struct ctm_fire *f) { return ctm_json_get(ctm_json_get(f->kase, "data"), "declarations"); }
static const ctm_json *case_data(const struct ctm_fire *f) { return ctm_json_get(f->kase, "data"); }

/* ---- the application ---- */

static int refuse_first(struct ctm_fire *f, bool signature)
{
	CTM_AUTO_JSON *missing = NULL;
	int rc = ctm_declarations_missing(f->cx, f->table->law, declarations(f), &missing);
	for (size_t i = 0; !rc && i < ctm_json_len(missing); i++) {
		const ctm_json *m = ctm_json_at(missing, i);
		bool of_signature = strcmp(ctm_text(m, "rule"), "47 CFR 8.208(e)") == 0;
		if (of_signature == signature)
			rc = REFUSE(f, "declarations", ctm_text(m, "rule"), "%s", ctm_text(m, "text"));
	}
	return rc;
}

/* Whoever signs writes the day of their own clock: a day lies ahead when it has begun nowhere on earth (UTC+14 is first). */
static bool lies_ahead(const struct ctm_fire *f, const char *day)
{
	char today[CTM_RFC3339_MAX];
	ctm_time_rfc3339(f->cx->now_ms + INT64_C(14) * 3600000, today);
	return strncmp(day, today, 10) > 0;
}

static int declarations_complete(struct ctm_fire *f) { return refuse_first(f, false); }
static int declarations_signed(struct ctm_fire *f)
{
	int rc = refuse_first(f, true);
	if (!rc && lies_ahead(f, ctm_text(ctm_json_get(declarations(f), "signer"), "signed_on")))
		rc = REFUSE(f, "signed_on", "47 CFR 8.208(e)", "the day of signing lies ahead");
	return rc;
}

static int support_end_ahead(struct ctm_fire *f)
{
	char today[11];
	int rc = ctm_pack_day(f->table->law, f->cx->now_ms, today, f->cx->err);
	const char *end = ctm_text(declarations(f), "support_end");
	return rc || strcmp(end, today) > 0 ? rc : REFUSE(f, "support_end", "47 CFR 8.208(f)", "the end of support must be disclosed and lie ahead");
}

static int agent_named(struct ctm_fire *f)
{
	const ctm_json *a = ctm_json_get(declarations(f), "agent");
	const char *mail = ctm_text(a, "email"), *at = strchr(mail, '@');
	return *ctm_text(a, "address") && at && at != mail && strchr(at, '.') ? 0
		: REFUSE(f, "agent", "47 CFR 8.208(i)", "the agent for service of process needs a physical address in the United States and an e-mail address");
}

static int prior_denial_disclosed(struct ctm_fire *f)
{
	CTM_AUTO_Q *q = ctm_q(f->cx->db, "scheme.denied");
	bool row = false;
	ctm_q_text(q, "case", f->id);
	ctm_q_text(q, "product", f->product_id);
	ctm_q_text(q, "prior", ctm_text(f->kase, "prior_case_id"));
	int rc = ctm_q_step(q, &row, f->cx->err);
	if (rc || !row || ctm_json_getb(ctm_json_get(declarations(f), "prior_denial"), "denied", false))
		return rc;
	return REFUSE(f, "prior_denial", "FCC 24-26 paragraph 91", "an earlier application for this product was denied (%s); the application must say so and why", ctm_q_str(q, "number"));
}

static int product_ready(struct ctm_fire *f)
{
	CTM_AUTO_JSON *base = NULL, *product = NULL;
	bool device = false;
	int rc = ctm_one(f->cx, "scheme.product", "id", f->product_id, &product);
	if (!rc)
		rc = ctm_baseline(f->cx, f->product_id, f->cx->now_ms, &base);
	if (rc)
		return rc;
	for (size_t i = 0; i < ctm_json_len(base); i++)
		device |= ctm_streq(ctm_text(ctm_json_at(base, i), "kind"), "device");
	if (!device)
		return REFUSE(f, "product", "47 CFR 8.205", "the product has no device with a published release; publish one first");
	if (ctm_json_len(ctm_json_get(product, "registry")) == 0)
		return REFUSE(f, "registry", "47 CFR 8.222(b)", "what the public registry shows of the product is not filled in");
	return 0;
}

static int screening_clean(struct ctm_fire *f)
{
	CTM_AUTO_JSON *r = NULL;
	int rc = ctm_screen(f->cx, f->kase, case_data(f), &r);
	const ctm_json *hits = ctm_json_get(r, "hits");
	for (size_t i = 0; !rc && i < ctm_json_len(hits); i++) {
		const ctm_json *h = ctm_json_at(hits, i);
		if (!ctm_json_getb(h, "cleared", false))
			rc = REFUSE(f, ctm_text(h, "party"), "47 CFR 8.204", "\"%.100s\" (%s) is %s \"%.100s\" of the list %s%s", ctm_text(h, "subject"), ctm_text(h, "party"),
				strcmp(ctm_text(h, "match"), "same") == 0 ? "the entry" : "like the entry", ctm_text(h, "entry"), ctm_text(h, "list"),
				strcmp(ctm_text(h, "match"), "same") == 0 ? "" : "; look into it and clear the likeness, or dismiss");
	}
	return rc;
}

static int lists_unchanged(struct ctm_fire *f)
{
	const struct ctm_catalogue *cat = ctm_app_catalogue(f->cx->app);
	const ctm_json *then = ctm_json_get(case_data(f), "declared_lists");
	for (size_t i = 0; i < ctm_list_count(cat); i++) {
		const struct ctm_list *l = ctm_list_at(cat, i);
		if (!ctm_streq(ctm_json_gets(then, l->id), l->digest))
			return REFUSE(f, "declarations", "47 CFR 8.208(h)", "the list \"%.100s\" changed since the applicant declared; a new declaration is needed before a grant", l->name);
	}
	return 0;
}

/* ---- the lab and its report ---- */

static int lab_recognised(struct ctm_fire *f)
{
	char today[11];
	int rc = ctm_pack_day(f->table->law, f->cx->now_ms, today, f->cx->err);
	return rc ? rc : ctm_lab_covered(f->cx, f->lab_org_id, today);
}

/* The job that is being submitted, or the one submitted before. */
static const char *job_id(const struct ctm_fire *f)
{
	const char *given = ctm_json_gets(f->given, "job_id");
	return given ? given : ctm_text(ctm_json_get(case_data(f), "report"), "job_id");
}

static int get_job(struct ctm_fire *f, ctm_json **out)
{
	int rc = ctm_one(f->cx, "scheme.job", "id", job_id(f), out);
	if (rc != CTM_E_NOTFOUND)
		return rc;
	ctm_err_clear(f->cx->err);
	return ctm_fail(f->cx->err, CTM_E_INPUT, "job_id", "47 CFR 8.208(j)", "there is no such evaluation");
}

static int report_sealed(struct ctm_fire *f)
{
	CTM_AUTO_JSON *j = NULL;
	int rc = get_job(f, &j);
	if (rc)
		return rc;
	if (ctm_json_geti(j, "rehearsal", 1))
		return REFUSE(f, "job_id", "47 CFR 8.208(j)", "a rehearsal can never be cited in an application");
	if (strcmp(ctm_text(j, "state"), "reported") != 0 || !*ctm_text(j, "bundle_digest"))
		return REFUSE(f, "job_id", "47 CFR 8.208(j)", "the evaluation has no sealed bundle and issued report yet");
	return 0;
}

static int report_of_this_product(struct ctm_fire *f)
{
	CTM_AUTO_JSON *j = NULL;
	int rc = get_job(f, &j);
	if (rc)
		return rc;
	if (strcmp(ctm_text(j, "product_id"), f->product_id) != 0 || strcmp(ctm_text(j, "case_id"), f->id) != 0)
		return REFUSE(f, "job_id", "47 CFR 8.208(j)", "the evaluation belongs to another product or case");
	if (strcmp(ctm_text(j, "lab_org_id"), f->lab_org_id) != 0)
		return REFUSE(f, "job_id", "47 CFR 8.217", "the evaluation was done by another lab than the case names");
	const char *by = ctm_text(f->given, "signed_by"), *tester = ctm_text(j, "tester"), *approver = ctm_text(j, "approver");
	if ((*tester || *approver) && strcmp(by, tester) != 0 && strcmp(by, approver) != 0)
		return REFUSE(f, "signed_by", "47 CFR 8.208(j)", "test data is signed by who did or supervised the tests: %s%s%s", tester, *tester && *approver ? " or " : "", approver);
	const char *on = ctm_text(f->given, "signed_on");
	int64_t ms;
	if (strlen(on) != 10 || ctm_time_parse(on, &ms))
		return ctm_fail(f->cx->err, CTM_E_INPUT, "signed_on", "47 CFR 8.208(j)", "the day of signing is a day, YYYY-MM-DD");
	return lies_ahead(f, on) ? REFUSE(f, "signed_on", "47 CFR 8.208(j)", "the day of signing lies ahead") : 0;
}

static int lab_recognised_on_test_date(struct ctm_fire *f)
{
	CTM_AUTO_JSON *j = NULL;
	char day[11];
	int rc = get_job(f, &j);
	if (!rc)
		rc = ctm_pack_day(f->table->law, ctm_json_geti(j, "sealed_ms", 0), day, f->cx->err);
	return rc ? rc : ctm_lab_covered(f->cx, ctm_text(j, "lab_org_id"), day);
}

static int report_attached(struct ctm_fire *f)
{
	return *ctm_text(ctm_json_get(case_data(f), "report"), "job_id") ? 0 : REFUSE(f, "report", "47 CFR 8.208(j)", "no evaluation report is attached");
}

static int outcomes_met(struct ctm_fire *f)
{
	CTM_AUTO_JSON *gaps = NULL;
	int rc = ctm_gaps(f->cx, f->product_id, ctm_text(ctm_json_get(case_data(f), "report"), "job_id"), &gaps);
	if (rc || ctm_json_len(gaps) == 0)
		return rc;
	const ctm_json *g = ctm_json_at(gaps, 0);
	return REFUSE(f, ctm_text(g, "outcome"), "47 CFR 8.209(a)", "%zu of the outcomes of NIST IR 8425 are not shown to be met; the first: %s", ctm_json_len(gaps), ctm_text(g, "text"));
}

/* ---- persons ---- */

/* The application a certificate came from: who evaluated there stays an evaluator when the certificate is acted on. "" where the
 * case is about none. */
static int origin(struct ctm_fire *f, char out[40])
{
	CTM_AUTO_JSON *c = NULL;
	const char *id = ctm_text(case_data(f), "certificate_id");
	int rc = *id ? ctm_certificate_get(f->cx, id, NULL, &c) : 0;
	if (!rc)
		ctm_copy(out, 40, ctm_text(c, "case_id"));
	return rc;
}

static int took_part(struct ctm_fire *f, const char *case_id, const char *part, const char *words)
{
	bool has = false;
	int rc = ctm_case_has_part(f->cx->db, case_id, f->cx->who->person_id, part, &has, f->cx->err);
	return rc || !has ? rc : REFUSE(f, "person", "ISO/IEC 17065 7.6", "you %s this case, so somebody else must do this, whatever role you act in", words);
}

static int tested(struct ctm_fire *f, const char *case_id)
{
	CTM_AUTO_Q *q = ctm_q(f->cx->db, "scheme.job_person");
	bool row = false;
	ctm_q_text(q, "case", case_id);
	ctm_q_text(q, "person", f->cx->who->person_id);
	int rc = ctm_q_step(q, &row, f->cx->err);
	return rc || !row ? rc : REFUSE(f, "person", "ISO/IEC 17065 7.6", "you tested or approved tests for this case, so somebody else must do this, whatever role you act in");
}

static int belongs_to_applicant(struct ctm_fire *f)
{
	CTM_AUTO_Q *q = ctm_q(f->cx->db, "scheme.member");
	bool row = false;
	ctm_q_text(q, "person", f->cx->who->person_id);
	ctm_q_text(q, "org", f->applicant_org_id);
	int rc = ctm_q_step(q, &row, f->cx->err);
	return rc || !row ? rc : REFUSE(f, "person", "ISO/IEC 17065 4.2", "you belong to the applicant, so somebody else must do this");
}

static int not_an_evaluator(struct ctm_fire *f)
{
	char from[40] = "";
	int rc = took_part(f, f->id, "evaluator", "evaluated");
	if (!rc)
		rc = tested(f, f->id);
	if (!rc)
		rc = origin(f, from);
	if (!rc && *from)
		rc = took_part(f, from, "evaluator", "evaluated the product of");
	if (!rc && *from)
		rc = tested(f, from);
	return rc ? rc : belongs_to_applicant(f);
}

static int independent_decider(struct ctm_fire *f)
{
	int rc = not_an_evaluator(f);
	return rc ? rc : took_part(f, f->id, "reviewer", "reviewed the report of");
}

static int not_the_proposer(struct ctm_fire *f)
{
	bool has = false;
	int rc = ctm_case_has_part(f->cx->db, f->id, f->cx->who->person_id, "proposer", &has, f->cx->err);
	return rc || !has ? rc : REFUSE(f, "person", "ISO/IEC 17065 7.11", "you proposed this; a second person decides");
}

/* ---- review and decision ---- */

static const ctm_json *verification(const ctm_json *list, const char *id)
{
	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(list, i), "id"), id))
			return ctm_json_at(list, i);
	return NULL;
}

static int verifications_given(struct ctm_fire *f)
{
	const struct ctm_group *g = ctm_pack_group(f->table->scheme, "verifications");
	const ctm_json *list = ctm_json_get(f->given, "verifications");
	const char *what = ctm_text(f->given, "recommendation");
	bool grant = strcmp(what, "grant") == 0;
	if (!grant && strcmp(what, "denial") != 0)
		return ctm_fail(f->cx->err, CTM_E_INPUT, "recommendation", "ISO/IEC 17065 7.5", "recommend \"grant\" or \"denial\"");
	for (size_t i = 0; g && i < g->n; i++) {
		const ctm_json *v = verification(list, g->terms[i].id);
		const char *note = ctm_text(v, "note");
		if (ctm_json_type(ctm_json_get(v, "ok")) != CTM_J_BOOL || !*note || strlen(note) > 2000)
			return ctm_fail(f->cx->err, CTM_E_INPUT, g->terms[i].id, "ISO/IEC 17065 7.5", "verify \"%s\": yes or no, and a note that says how (at most 2000 bytes)", g->terms[i].text);
		if (grant && !ctm_json_getb(v, "ok", false))
			return REFUSE(f, g->terms[i].id, "ISO/IEC 17065 7.5", "\"%s\" did not hold, so a grant cannot be recommended", g->terms[i].text);
	}
	return 0;
}

static int verifications_passed(struct ctm_fire *f)
{
	const struct ctm_group *g = ctm_pack_group(f->table->scheme, "verifications");
	const ctm_json *review = ctm_json_get(case_data(f), "review");
	for (size_t i = 0; g && i < g->n; i++)
		if (!ctm_json_getb(verification(ctm_json_get(review, "verifications"), g->terms[i].id), "ok", false))
			return REFUSE(f, g->terms[i].id, "ISO/IEC 17065 7.5", "the review did not confirm \"%s\"; send it back to the review or deny", g->terms[i].text);
	return strcmp(ctm_text(review, "recommendation"), "grant") == 0 ? 0
		: REFUSE(f, "recommendation", "ISO/IEC 17065 7.5", "the review does not recommend a grant; send it back to the review or deny");
}

static bool requirement_known(const struct ctm_catalogue *cat, const char *id)
{
	return ctm_outcome_find(cat, id) || ctm_starts(id, "47 CFR 8.") || ctm_starts(id, "ISO/IEC 17065 ") || ctm_starts(id, "ISO/IEC 17025 ");
}

static int reasons_given(struct ctm_fire *f)
{
	static const char *const keys[] = { "requirement", "component", "text", "finding" };
	const struct ctm_catalogue *cat = ctm_app_catalogue(f->cx->app);
	struct ctm_err *err = f->cx->err;
	struct ctm_jc at = ctm_jc_root(f->given, "data"), list, e;
	size_t max = (size_t)ctm_pack_number(f->table->scheme, "form_rows", 0);
	int rc = ctm_jc_arr(&at, "reasons", 1, max, &list, err);
	for (size_t i = 0; !rc && i < ctm_json_len(list.v); i++) {
		const char *req = "", *s;
		if ((rc = ctm_jc_at(&list, i, &e, err)) || (rc = ctm_jc_is(&e, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&e, keys, 4, err))
			|| (rc = ctm_jc_str(&e, "requirement", 1, 60, &req, err)) || (rc = ctm_jc_str(&e, "component", 1, 120, &s, err))
			|| (rc = ctm_jc_str(&e, "text", 1, 2000, &s, err)) || (rc = ctm_jc_opt_str(&e, "finding", 2000, &s, err)))
			return rc;
		if (!requirement_known(cat, req))
			return ctm_fail(err, CTM_E_GUARD, e.ptr, "47 CFR 8.211", "each reason is tied to a requirement; \"%.60s\" is no outcome of the catalogue and no rule of Part 8", req);
	}
	return rc;
}

static int dismissal_reason(struct ctm_fire *f)
{
	return ctm_pack_term(f->table->law, "dismissal", ctm_json_gets(f->given, "reason")) ? 0
		: ctm_fail(f->cx->err, CTM_E_INPUT, "reason", "47 CFR 8.210", "a dismissal has one of the reasons nonconforming, requested, no_response");
}

/* ---- certificates ---- */

static int status_is(struct ctm_fire *f, const char *a, const char *b, const char *words)
{
	CTM_AUTO_JSON *c = NULL;
	int rc = ctm_certificate_get(f->cx, ctm_text(case_data(f), "certificate_id"), NULL, &c);
	if (rc)
		return rc;
	const char *s = ctm_text(c, "status");
	return strcmp(s, a) == 0 || strcmp(s, b) == 0 ? 0 : REFUSE(f, "certificate_id", "ISO/IEC 17065 7.11", "the certificate %s; it is %s", words, s);
}

static int certificate_in_force(struct ctm_fire *f) { return status_is(f, "in_force", "in_force", "must be in force"); }
static int certificate_suspended(struct ctm_fire *f) { return status_is(f, "suspended", "suspended", "must be suspended"); }
static int certificate_not_ended(struct ctm_fire *f) { return status_is(f, "in_force", "suspended", "has ended already"); }
static int certificate_ended(struct ctm_fire *f) { return status_is(f, "withdrawn", "expired", "has not ended"); }

const struct ctm_case_guard ctm_case_guards[] = {
	{ "agent_named", agent_named, false, "47 CFR 8.208(i)", "an agent for service of process is named" },
	{ "certificate_ended", certificate_ended, false, "ISO/IEC 17065 7.11", "the certificate is withdrawn or expired" },
	{ "certificate_in_force", certificate_in_force, false, "ISO/IEC 17065 7.11", "the certificate is in force" },
	{ "certificate_not_ended", certificate_not_ended, false, "ISO/IEC 17065 7.11", "the certificate is in force or suspended" },
	{ "certificate_suspended", certificate_suspended, false, "ISO/IEC 17065 7.11", "the certificate is suspended" },
	{ "declarations_complete", declarations_complete, false, "47 CFR 8.208(c)", "all declarations of 8.208 are made" },
	{ "declarations_signed", declarations_signed, false, "47 CFR 8.208(e)", "the declarations are signed and dated" },
	{ "dismissal_reason", dismissal_reason, true, "47 CFR 8.210", "one of the three reasons of a dismissal is given" },
	{ "independent_decider", independent_decider, false, "ISO/IEC 17065 7.6", "the decider neither evaluated nor reviewed, in any role" },
	{ "lab_recognised", lab_recognised, false, "47 CFR 8.217", "the lab is accredited and recognised for this work today" },
	{ "lab_recognised_on_test_date", lab_recognised_on_test_date, true, "47 CFR 8.217", "the lab was accredited and recognised for this work on the day of the tests" },
	{ "lists_unchanged", lists_unchanged, false, "47 CFR 8.208(h)", "no list of 8.204 changed since the applicant declared" },
	{ "not_an_evaluator", not_an_evaluator, false, "ISO/IEC 17065 7.5", "the reviewer did not evaluate, in any role" },
	{ "not_the_proposer", not_the_proposer, false, "ISO/IEC 17065 7.11", "who proposed does not decide" },
	{ "outcomes_met", outcomes_met, false, "47 CFR 8.209(a)", "every outcome is met or not applicable on every component in scope" },
	{ "prior_denial_disclosed", prior_denial_disclosed, false, "FCC 24-26 paragraph 91", "an earlier denial is disclosed" },
	{ "product_ready", product_ready, false, "47 CFR 8.205", "the product has a published release and its registry data" },
	{ "reasons_given", reasons_given, true, "47 CFR 8.211", "a denial has reasons, each tied to a requirement" },
	{ "report_attached", report_attached, false, "47 CFR 8.208(j)", "an evaluation report is attached" },
	{ "report_of_this_product", report_of_this_product, true, "47 CFR 8.208(j)", "the report is about this product and case, by the case's lab, and signed" },
	{ "report_sealed", report_sealed, true, "47 CFR 8.208(j)", "the evidence is sealed, the report issued, and it was no rehearsal" },
	{ "screening_clean", screening_clean, false, "47 CFR 8.204", "nobody involved is on a list" },
	{ "support_end_ahead", support_end_ahead, false, "47 CFR 8.208(f)", "the disclosed end of support lies ahead" },
	{ "verifications_given", verifications_given, true, "ISO/IEC 17065 7.5", "the reviewer verified the six points of the scheme" },
	{ "verifications_passed", verifications_passed, false, "ISO/IEC 17065 7.5", "all six verifications held and a grant is recommended" },
};
const size_t ctm_case_guard_count = sizeof ctm_case_guards / sizeof *ctm_case_guards;
