/* SPDX-License-Identifier: Apache-2.0
 *
 * What a report says about a product: the gaps that stand between it and a grant, whether the lab was entitled to write it,
 * and which releases it is about. A cell is met only when it says so: what is missing from the report is a gap, and where
 * the stored matrix and the sealed result disagree the worse one counts.
 */
#include "scheme/scheme.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

const char *ctm_text(const ctm_json *o, const char *key)
{
	const char *s = ctm_json_gets(o, key);
	return s ? s : "";
}

int ctm_nomem(struct ctm_cx *cx) { return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory; nothing was changed"); }

int ctm_one(struct ctm_cx *cx, const char *statement, const char *param, const char *value, ctm_json **out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, statement);
	ctm_q_text(q, param, value);
	int rc = ctm_q_one(q, cx->err);
	if (rc)
		return rc;
	ctm_json *row = ctm_q_row(q);
	if (!row)
		return ctm_nomem(cx);
	*out = row;
	return 0;
}

/* ---- gaps ---- */

enum worth { MISSING, MET, NOT_APPLICABLE, UNDETERMINED, NOT_MET };   /* the larger is the worse */
static const char *const WORTH[] = { "missing", "met", "not_applicable", "undetermined", "not_met" };

static enum worth worth_of(const char *status)
{
	for (int i = MET; i <= NOT_MET; i++)
		if (ctm_streq(status, WORTH[i]))
			return (enum worth)i;
	return UNDETERMINED;
}

struct report { const ctm_json *stored, *sealed; };

/* The sealed result names a component by its name, its kind or its id. */
static bool names_component(const char *said, const ctm_json *component)
{
	return said && (ctm_streq(said, ctm_text(component, "name")) || ctm_streq(said, ctm_text(component, "kind")) || ctm_streq(said, ctm_text(component, "id")));
}

static enum worth status_of(const struct report *r, const char *outcome, const ctm_json *component)
{
	enum worth w = MISSING;
	for (size_t i = 0; i < ctm_json_len(r->stored); i++) {
		const ctm_json *s = ctm_json_at(r->stored, i);
		if (ctm_streq(ctm_json_gets(s, "outcome"), outcome) && ctm_streq(ctm_json_gets(s, "component_id"), ctm_text(component, "id"))) {
			enum worth one = worth_of(ctm_json_gets(s, "status"));
			w = one > w ? one : w;
		}
	}
	for (size_t i = 0; i < ctm_json_len(r->sealed); i++) {
		const ctm_json *s = ctm_json_at(r->sealed, i);
		if (ctm_streq(ctm_json_gets(s, "outcome"), outcome) && names_component(ctm_json_gets(s, "component"), component)) {
			enum worth one = worth_of(ctm_json_gets(s, "status"));
			w = one > w ? one : w;
		}
	}
	return w;
}

static int add_gap(ctm_json *list, const struct ctm_outcome *o, const ctm_json *component, enum worth w)
{
	static const char *const why[] = { [MISSING] = "the report does not speak of it", [UNDETERMINED] = "not determined", [NOT_MET] = "not met" };
	ctm_json *g = ctm_json_obj();
	int rc = ctm_json_sets(g, "outcome", o->id) || ctm_json_sets(g, "component", ctm_text(component, "name")) || ctm_json_sets(g, "kind", ctm_text(component, "kind"))
		|| ctm_json_sets(g, "status", WORTH[w]) || ctm_json_setf(g, "text", "%s, %s: %s (%s)", o->id, ctm_text(component, "name"), why[w], o->name);
	return ctm_json_add(list, g) || rc ? CTM_E_NOMEM : 0;
}

/* The components in scope. Among them is the hidden one of kind "product", on which the developer's outcomes are judged; a
 * product without it cannot be judged at all. */
static int judged_components(struct ctm_cx *cx, const char *product_id, ctm_json **out)
{
	CTM_AUTO_JSON *list = NULL;
	struct ctm_q *q = ctm_q(cx->db, "scheme.components");
	ctm_q_text(q, "product", product_id);
	int rc = ctm_q_rows(q, 100, &list, cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(list); i++)
		if (ctm_streq(ctm_text(ctm_json_at(list, i), "kind"), "product")) {
			*out = list;
			list = NULL;
			return 0;
		}
	return rc ? rc : ctm_fail(cx->err, CTM_E_STATE, "product", NULL, "the product has no entry for itself as a whole; it was not made with this program");
}

int ctm_gaps(struct ctm_cx *cx, const char *product_id, const char *job_id, ctm_json **out)
{
	const struct ctm_catalogue *cat = ctm_app_catalogue(cx->app);
	CTM_AUTO_JSON *components = NULL, *stored = NULL, *job = NULL, *list = ctm_json_arr();
	int rc = judged_components(cx, product_id, &components);
	if (rc || (rc = ctm_one(cx, "scheme.job", "id", job_id, &job)))
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "scheme.status");
	ctm_q_text(q, "job", job_id);
	if ((rc = ctm_q_rows(q, 20000, &stored, cx->err)))
		return rc;
	struct report r = { stored, ctm_json_get(ctm_json_get(job, "result"), "matrix") };
	for (size_t i = 0; i < ctm_outcome_count(cat); i++) {
		const struct ctm_outcome *o = ctm_outcome_at(cat, i);
		for (size_t k = 0; k < ctm_json_len(components); k++) {
			const ctm_json *c = ctm_json_at(components, k);
			enum worth w = ctm_outcome_judged(o, ctm_text(c, "kind")) ? status_of(&r, o->id, c) : MET;
			if (w != MET && w != NOT_APPLICABLE && add_gap(list, o, c, w))
				return ctm_nomem(cx);
		}
	}
	*out = list;
	list = NULL;
	return 0;
}

/* ---- the lab ---- */

static bool has_scope(const ctm_json *scope)
{
	for (size_t i = 0; i < ctm_json_len(scope); i++)
		if (ctm_streq(ctm_json_str(ctm_json_at(scope, i)), "NIST IR 8425"))
			return true;
	return false;
}

/* A date text that is missing never covers. */
static bool within(const char *from, const char *day, const char *until)
{
	return from && until && strcmp(from, day) <= 0 && strcmp(day, until) <= 0;
}

int ctm_lab_covered(struct ctm_cx *cx, const char *lab_org_id, const char *day)
{
	CTM_AUTO_JSON *org = NULL;
	if (!*lab_org_id)
		return ctm_fail(cx->err, CTM_E_GUARD, "lab_org_id", "47 CFR 8.217", "no lab is assigned; assign a recognised one");
	int rc = ctm_one(cx, "scheme.org", "id", lab_org_id, &org);
	if (rc)
		return rc;
	const ctm_json *facts = ctm_json_get(org, "facts"), *acc = ctm_json_get(facts, "accreditation"), *rec = ctm_json_get(facts, "recognition");
	const char *name = ctm_text(org, "name"), *expires = ctm_json_gets(acc, "expires");
	if (!ctm_starts(ctm_text(acc, "standard"), "ISO/IEC 17025"))
		return ctm_fail(cx->err, CTM_E_GUARD, "accreditation", "47 CFR 8.217(a)", "%s shows no accreditation to ISO/IEC 17025", name);
	if (!expires || strcmp(day, expires) > 0)
		return ctm_fail(cx->err, CTM_E_GUARD, "expires", "47 CFR 8.217(f)", "the accreditation of %s does not cover %s", name, day);
	if (!has_scope(ctm_json_get(acc, "scope")))
		return ctm_fail(cx->err, CTM_E_GUARD, "scope", "47 CFR 8.217(f)", "the scope of %s does not hold NIST IR 8425", name);
	if (!within(ctm_json_gets(rec, "from"), day, ctm_json_gets(rec, "until")))
		return ctm_fail(cx->err, CTM_E_GUARD, "recognition", "47 CFR 8.217(c)", "%s was not recognised by the Lead Administrator on %s", name, day);
	return 0;
}

int ctm_baseline(struct ctm_cx *cx, const char *product_id, int64_t at_ms, ctm_json **out)
{
	struct ctm_q *q = ctm_q(cx->db, "scheme.baseline");
	ctm_q_text(q, "product", product_id);
	ctm_q_int(q, "at", at_ms);
	return ctm_q_rows(q, 100, out, cx->err);
}
