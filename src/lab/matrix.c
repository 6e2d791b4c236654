/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging all checks and filling the matrix. See matrix.h.
 */
#include "lab/matrix.h"
#include "lab/plan.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdio.h>
#include <string.h>

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the results");
}

/* ---- checks ---- */

static int add_evidence(const struct ctm_lab_facts *f, const ctm_json *seqs, ctm_json *o)
{
	ctm_json *out = ctm_json_arr();

	for (size_t i = 0; out && i < ctm_json_len(seqs); i++) {
		int64_t seq = ctm_json_int(ctm_json_at(seqs, i), 0);
		const struct ctm_obs *obs = seq >= 1 && (size_t)seq <= f->trace->n ? &f->trace->obs[seq - 1] : NULL;
		ctm_json *e = ctm_json_obj();
		if (!obs || !e || ctm_json_seti(e, "seq", seq) || ctm_json_sets(e, "kind", obs->kind) || ctm_json_sets(e, "digest", obs->digest)) {
			ctm_json_free(e);
			ctm_json_free(out);
			return CTM_E_NOMEM;
		}
		if (ctm_json_add(out, e)) {
			ctm_json_free(out);
			return CTM_E_NOMEM;
		}
	}
	return ctm_json_set(o, "evidence", out);
}

/* Start and duration from the frame's own observations. */
static int add_times(const struct ctm_lab_facts *f, const char *id, const char *component, ctm_json *o)
{
	const struct ctm_obs *begin = NULL, *end = NULL;

	for (size_t i = 0; i < f->trace->n; i++) {
		const struct ctm_obs *x = &f->trace->obs[i];
		if (strcmp(x->check, id) || strcmp(x->component, component))
			continue;
		if (strcmp(x->kind, "check.begin") == 0)
			begin = x;
		if (strcmp(x->kind, "check.end") == 0)
			end = x;
	}
	return ctm_json_sets(o, "started", begin ? begin->at : "") ||
		ctm_json_seti(o, "duration_ms", begin && end ? (end->mono_us - begin->mono_us) / 1000 : 0);
}

static const char *sentence(const struct ctm_check *k, int verdict)
{
	return verdict == CTM_V_PASS ? k->pass : verdict == CTM_V_FAIL ? k->fail : verdict == CTM_V_NOT_APPLICABLE ? "" : k->inconclusive;
}

/* The parts of a check that the report shows, from its file. */
static int add_check(const struct ctm_lab_facts *f, const struct ctm_check *k, const char *component, ctm_json *out, struct ctm_err *err)
{
	struct ctm_view v;
	ctm_json *o = ctm_json_obj();
	int rc = ctm_judge(f, k, component, &v, err);

	if (rc) {
		ctm_json_free(o);
		return rc;
	}
	rc = !o || ctm_json_sets(o, "id", k->id) || ctm_json_seti(o, "version", k->version) || ctm_json_sets(o, "title", k->title) ||
		ctm_json_sets(o, "component", component) || ctm_json_sets(o, "component_name", ctm_plan_name(f->plan, component)) ||
		ctm_json_sets(o, "method", ctm_method_names[k->method]) || ctm_json_sets(o, "danger", ctm_danger_names[k->danger]) ||
		ctm_json_sets(o, "level", ctm_level_names[k->level]) || ctm_json_set(o, "outcomes", ctm_json_copy(k->outcomes)) || ctm_json_set(o, "partial", ctm_json_copy(k->partial)) ||
		ctm_json_sets(o, "verdict", ctm_verdict_names[v.verdict]) || ctm_json_sets(o, "sentence", sentence(k, v.verdict)) ||
		ctm_json_set(o, "reasons", ctm_json_copy(v.reasons)) || ctm_json_set(o, "parameters", ctm_json_copy(k->parameters)) ||
		ctm_json_set(o, "source", ctm_json_copy(k->source)) || add_evidence(f, v.evidence, o) || add_times(f, k->id, component, o);
	ctm_view_free(&v);
	if (rc) {
		ctm_json_free(o);
		return oom(err);
	}
	return ctm_json_add(out, o) ? oom(err) : 0;
}

int ctm_evaluate(const struct ctm_lab_facts *f, ctm_json **out, struct ctm_err *err)
{
	const ctm_json *planned = ctm_json_get(f->plan, "checks");
	CTM_AUTO_JSON *list = ctm_json_arr();
	int rc = list ? 0 : oom(err);

	for (size_t i = 0; i < ctm_json_len(planned) && !rc; i++) {
		const struct ctm_check *k = ctm_check_find(f->catalogue, j_text(ctm_json_at(planned, i), "id"));
		rc = k ? add_check(f, k, j_text(ctm_json_at(planned, i), "component"), list, err) :
			ctm_fail(err, CTM_E_INPUT, "/checks", NULL, "the plan names a check that the catalogue does not have");
	}
	if (rc)
		return rc;
	*out = list;
	list = NULL;
	return 0;
}

/* ---- one cell ---- */

struct cell {
	int fails, holes, shown, na, parts;   /* FAIL; INCONCLUSIVE, NOT_RUN, ERROR; counted PASS; NOT_APPLICABLE; PASS that shows a part */
	char first[160];                 /* what to name as the reason */
	ctm_json *drivers;
	int bad;
};

static void drive(struct cell *c, const char *source, const char *verdict, const char *method, const char *ref, bool part)
{
	ctm_json *d = ctm_json_obj();

	if (!d || ctm_json_setb(d, "part", part) || ctm_json_sets(d, "source", source) || ctm_json_sets(d, "verdict", verdict) || ctm_json_sets(d, "method", method) || ctm_json_sets(d, "ref", ref)) {
		ctm_json_free(d);
		c->bad = 1;
	} else if (ctm_json_add(c->drivers, d)) {
		c->bad = 1;
	}
}

static void count(struct cell *c, int verdict, const char *what)
{
	int before = c->fails ? 2 : c->holes ? 1 : 0;

	if (verdict == CTM_V_FAIL)
		c->fails++;
	else if (verdict == CTM_V_PASS)
		c->shown++;
	else if (verdict == CTM_V_NOT_APPLICABLE)
		c->na++;
	else
		c->holes++;
	if ((verdict == CTM_V_FAIL && before < 2) || (c->holes == 1 && before == 0 && verdict != CTM_V_PASS && verdict != CTM_V_NOT_APPLICABLE && verdict != CTM_V_FAIL))
		snprintf(c->first, sizeof c->first, "%s: %s", what, ctm_verdict_names[verdict]);
}

static bool lists(const ctm_json *list, const char *id)
{
	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_streq(ctm_json_str(ctm_json_at(list, i)), id))
			return true;
	return false;
}

static void add_checks(struct cell *c, const struct ctm_lab_outcome *o, const char *component, const ctm_json *checks)
{
	for (size_t i = 0; i < ctm_json_len(checks); i++) {
		const ctm_json *k = ctm_json_at(checks, i);
		int verdict = ctm_name_index(ctm_verdict_names, CTM_V_COUNT, j_text(k, "verdict"));
		bool part = lists(ctm_json_get(k, "partial"), o->id);
		if (!lists(ctm_json_get(k, "outcomes"), o->id) || strcmp(j_text(k, "component"), component) != 0 || verdict < 0)
			continue;
		drive(c, j_text(k, "id"), j_text(k, "verdict"), j_text(k, "method"), j_text(k, "title"), part);
		if (strcmp(j_text(k, "level"), "advisory") == 0)
			continue;
		if (part && verdict == CTM_V_PASS)
			c->parts++;
		else
			count(c, verdict, j_text(k, "id"));
	}
}

/* Has a record with an end date run out at that time (end of the day)? */
static bool expired(const ctm_json *r, int64_t at_ms)
{
	const char *s = ctm_json_gets(r, "expires");
	int64_t ms;

	return s && (ctm_time_parse(s, &ms) || ms + 86400000 <= at_ms);
}

static void add_records(struct cell *c, const struct ctm_lab_outcome *o, const char *component, const ctm_json *records, int64_t at_ms)
{
	char name[32];

	for (size_t i = 0; i < ctm_json_len(records); i++) {
		const ctm_json *r = ctm_json_at(records, i);
		int verdict = ctm_name_index(ctm_verdict_names, CTM_V_COUNT, j_text(r, "verdict"));
		if (strcmp(j_text(r, "outcome"), o->id) != 0 || strcmp(j_text(r, "component"), component) != 0 || verdict < 0)
			continue;
		if (expired(r, at_ms))
			verdict = CTM_V_INCONCLUSIVE;
		snprintf(name, sizeof name, "record %zu", i + 1);
		drive(c, name, ctm_verdict_names[verdict], j_text(r, "method"), j_text(r, "text"), false);
		count(c, verdict, name);
	}
}

static enum ctm_cell decide(struct cell *c, const ctm_json *component, char why[256])
{
	if (component && !ctm_json_getb(component, "in_scope", true)) {
		snprintf(why, 256, "outside the evaluated product: %.200s", j_text(component, "why_not")[0] ? j_text(component, "why_not") : "no reason given");
		return j_text(component, "why_not")[0] ? CTM_CELL_NOT_APPLICABLE : CTM_CELL_UNDETERMINED;
	}
	snprintf(why, 256, "%s", c->first);
	if (c->fails)
		return CTM_CELL_NOT_MET;
	if (c->holes)
		return CTM_CELL_UNDETERMINED;
	if (c->shown) {
		snprintf(why, 256, "%d shown%s", c->shown, c->na ? ", the rest justified as not applicable" : "");
		return CTM_CELL_MET;
	}
	if (c->parts) {
		snprintf(why, 256, "shown in part only; the rest needs an inspection");
		return CTM_CELL_UNDETERMINED;
	}
	if (c->na) {
		snprintf(why, 256, "justified as not applicable");
		return CTM_CELL_NOT_APPLICABLE;
	}
	snprintf(why, 256, "nothing was tested, inspected or attested");
	return CTM_CELL_UNDETERMINED;
}

static int add_cell(const struct ctm_lab_facts *f, const struct ctm_lab_outcome *o, const ctm_json *component, const ctm_json *checks, int64_t at_ms, ctm_json *out, struct ctm_err *err)
{
	const char *id = component ? j_text(component, "id") : CTM_PLAN_PRODUCT;
	struct cell c = { .drivers = ctm_json_arr() };
	ctm_json *row = ctm_json_obj();
	enum ctm_cell status;
	char why[256];

	if (!c.drivers || !row) {
		ctm_json_free(c.drivers);
		ctm_json_free(row);
		return oom(err);
	}
	add_checks(&c, o, id, checks);
	add_records(&c, o, id, f->records, at_ms);
	status = decide(&c, component, why);
	why[ctm_utf8_span(why, strlen(why))] = '\0';
	if (ctm_json_set(row, "drivers", c.drivers) || c.bad || ctm_json_sets(row, "outcome", o->id) || ctm_json_sets(row, "capability", o->capability) ||
	    ctm_json_sets(row, "name", o->name) || ctm_json_sets(row, "text", o->text) || ctm_json_sets(row, "component", id) ||
	    ctm_json_sets(row, "component_name", ctm_plan_name(f->plan, id)) || ctm_json_sets(row, "kind", component ? j_text(component, "kind") : CTM_PLAN_PRODUCT) ||
	    ctm_json_sets(row, "status", ctm_cell_names[status]) || ctm_json_sets(row, "why", why)) {
		ctm_json_free(row);
		return oom(err);
	}
	return ctm_json_add(out, row) ? oom(err) : 0;
}

int ctm_matrix(const struct ctm_lab_facts *f, const ctm_json *checks, int64_t at_ms, ctm_json **out, struct ctm_err *err)
{
	const ctm_json *components = ctm_json_get(f->plan, "components");
	CTM_AUTO_JSON *list = ctm_json_arr();
	int rc = list ? 0 : oom(err);

	for (size_t i = 0; i < f->catalogue->noutcomes && !rc; i++) {
		const struct ctm_lab_outcome *o = &f->catalogue->outcomes[i];
		if (!o->shown)
			continue;
		for (size_t k = 0; k < ctm_json_len(components) && !rc; k++)
			if (ctm_lab_outcome_on(o, j_text(ctm_json_at(components, k), "kind")))
				rc = add_cell(f, o, ctm_json_at(components, k), checks, at_ms, list, err);
		if (!rc && ctm_lab_outcome_on(o, CTM_PLAN_PRODUCT))
			rc = add_cell(f, o, NULL, checks, at_ms, list, err);
	}
	if (rc)
		return rc;
	*out = list;
	list = NULL;
	return 0;
}
