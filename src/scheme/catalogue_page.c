/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules as they are, for everyone to read: outcomes, packs, case tables, editions of the lists.
 */
#include "scheme/scheme.h"

static ctm_json *strs(const struct ctm_strs *s)
{
	ctm_json *a = ctm_json_arr();
	for (size_t i = 0; i < s->n; i++)
		if (ctm_json_adds(a, s->v[i])) {
			ctm_json_free(a);
			return NULL;
		}
	return a;
}

static int outcomes(const struct ctm_catalogue *cat, ctm_json *out)
{
	static const char *const names[] = { "capabilities", "numbered", "lettered", "items", "details" };
	ctm_json *list = ctm_json_arr(), *counts = ctm_json_obj();
	int64_t n[5] = { 0 };
	int rc = 0;
	for (size_t i = 0; i < ctm_outcome_count(cat); i++) {
		n[ctm_outcome_at(cat, i)->level]++;
		ctm_json *o = ctm_json_copy(ctm_outcome_json(cat, i));
		if (!ctm_json_get(o, "parent"))
			rc |= ctm_json_sets(o, "parent", NULL);
		rc |= ctm_json_add(list, o);
	}
	for (size_t i = 0; i < 5; i++)
		rc |= ctm_json_seti(counts, names[i], n[i]);
	return ctm_json_set(out, "outcomes", list) | ctm_json_set(out, "counts", counts) | rc;
}

static int pack_rules(const struct ctm_pack *p, ctm_json *o)
{
	ctm_json *rules = ctm_json_arr(), *numbers = ctm_json_arr();
	int rc = 0;
	for (size_t i = 0; i < p->nrules; i++) {
		const struct ctm_rule *r = &p->rules[i];
		ctm_json *j = ctm_json_obj();
		rc |= ctm_json_sets(j, "id", r->id) | ctm_json_sets(j, "title", r->title) | ctm_json_seti(j, "period", r->period) | ctm_json_sets(j, "unit", ctm_unit_name(r->unit))
			| ctm_json_sets(j, "start", r->start) | ctm_json_sets(j, "whose", r->whose) | ctm_json_sets(j, "consequence", r->consequence)
			| ctm_json_sets(j, "citation", r->citation);
		rc |= ctm_json_add(rules, j);
	}
	for (size_t i = 0; i < p->nnumbers; i++) {
		const struct ctm_number *x = &p->numbers[i];
		ctm_json *j = ctm_json_obj();
		rc |= ctm_json_sets(j, "id", x->id) | ctm_json_seti(j, "value", x->value) | ctm_json_sets(j, "text", x->text) | ctm_json_sets(j, "citation", x->citation);
		rc |= ctm_json_add(numbers, j);
	}
	return ctm_json_set(o, "rules", rules) | ctm_json_set(o, "numbers", numbers) | rc;
}

static int pack_groups(const struct ctm_pack *p, ctm_json *o)
{
	ctm_json *groups = ctm_json_arr();
	int rc = 0;
	for (size_t i = 0; i < p->ngroups; i++) {
		ctm_json *g = ctm_json_obj(), *terms = ctm_json_arr();
		for (size_t k = 0; k < p->groups[i].n; k++) {
			const struct ctm_term *t = &p->groups[i].terms[k];
			ctm_json *j = ctm_json_obj();
			rc |= ctm_json_sets(j, "id", t->id) | ctm_json_sets(j, "text", t->text) | ctm_json_sets(j, "citation", t->citation);
			rc |= ctm_json_add(terms, j);
		}
		rc |= ctm_json_sets(g, "id", p->groups[i].id) | ctm_json_set(g, "terms", terms);
		rc |= ctm_json_add(groups, g);
	}
	return ctm_json_set(o, "groups", groups) | rc;
}

static int packs(const struct ctm_catalogue *cat, ctm_json *out)
{
	ctm_json *list = ctm_json_arr();
	int rc = 0;
	for (size_t i = 0; i < ctm_pack_count(cat); i++) {
		const struct ctm_pack *p = ctm_pack_at(cat, i);
		ctm_json *o = ctm_json_obj();
		rc |= ctm_json_sets(o, "id", p->id) | ctm_json_sets(o, "title", p->title) | ctm_json_sets(o, "version", p->version) | ctm_json_sets(o, "effective", p->effective)
			| ctm_json_sets(o, "source", p->source) | ctm_json_sets(o, "zone", p->zone) | ctm_json_seti(o, "holidays", (int64_t)p->holidays.n) | pack_rules(p, o)
			| pack_groups(p, o);
		rc |= ctm_json_add(list, o);
	}
	return ctm_json_set(out, "packs", list) | rc;
}

static ctm_json *roles(unsigned bits)
{
	ctm_json *a = ctm_json_arr();
	for (int i = 0; i < CTM_ROLE_COUNT; i++)
		if (bits & 1u << i && ctm_json_adds(a, ctm_role_name(1u << i))) {
			ctm_json_free(a);
			return NULL;
		}
	return a;
}

static ctm_json *table_row(const struct ctm_case_row *r)
{
	ctm_json *j = ctm_json_obj();
	int rc = ctm_json_sets(j, "from", r->from->id) | ctm_json_sets(j, "event", r->event) | ctm_json_sets(j, "kind", r->kind) | ctm_json_sets(j, "title", r->title)
		| ctm_json_set(j, "who", roles(r->roles)) | ctm_json_set(j, "guards", strs(&r->guard_names)) | ctm_json_set(j, "effects", strs(&r->effect_names))
		| ctm_json_set(j, "starts", strs(&r->starts)) | ctm_json_set(j, "stops", strs(&r->stops)) | ctm_json_sets(j, "to", r->to->id)
		| ctm_json_sets(j, "citation", r->citation);
	if (!rc)
		return j;
	ctm_json_free(j);
	return NULL;
}

static int tables(const struct ctm_catalogue *cat, ctm_json *out)
{
	ctm_json *list = ctm_json_arr();
	int rc = 0;
	for (size_t i = 0; i < ctm_case_table_count(cat); i++) {
		const struct ctm_case_table *t = ctm_case_table_at(cat, i);
		ctm_json *o = ctm_json_obj(), *states = ctm_json_arr(), *rows = ctm_json_arr();
		for (size_t k = 0; k < t->nstates; k++) {
			const struct ctm_case_state *s = &t->states[k];
			ctm_json *j = ctm_json_obj();
			rc |= ctm_json_sets(j, "id", s->id) | ctm_json_sets(j, "title", s->title) | ctm_json_sets(j, "whose", s->whose) | ctm_json_sets(j, "clock", s->clock)
				| ctm_json_setb(j, "final", s->final);
			rc |= ctm_json_add(states, j);
		}
		for (size_t k = 0; k < t->nrows; k++)
			rc |= ctm_json_add(rows, table_row(&t->rows[k]));
		rc |= ctm_json_sets(o, "kind", t->kind) | ctm_json_sets(o, "title", t->title) | ctm_json_sets(o, "version", t->version) | ctm_json_sets(o, "effective", t->effective)
			| ctm_json_sets(o, "law", t->law->version) | ctm_json_sets(o, "scheme", t->scheme->version) | ctm_json_set(o, "states", states) | ctm_json_set(o, "rows", rows);
		rc |= ctm_json_add(list, o);
	}
	return ctm_json_set(out, "tables", list) | rc;
}

static int lists(const struct ctm_catalogue *cat, ctm_json *out)
{
	ctm_json *list = ctm_json_arr();
	int rc = 0;
	for (size_t i = 0; i < ctm_list_count(cat); i++) {
		const struct ctm_list *l = ctm_list_at(cat, i);
		ctm_json *o = ctm_json_obj();
		int64_t demonstration = 0;
		for (size_t k = 0; k < l->n; k++)
			demonstration += l->entries[k].demonstration;
		rc |= ctm_json_sets(o, "id", l->id) | ctm_json_sets(o, "name", l->name) | ctm_json_sets(o, "authority", l->authority) | ctm_json_sets(o, "edition", l->edition)
			| ctm_json_sets(o, "citation", l->citation) | ctm_json_sets(o, "digest", l->digest) | ctm_json_seti(o, "entries", (int64_t)l->n)
			| ctm_json_seti(o, "demonstration", demonstration);
		rc |= ctm_json_add(list, o);
	}
	return ctm_json_set(out, "lists", list) | rc;
}

int ctm_catalogue_page(struct ctm_cx *cx, ctm_json *out)
{
	const struct ctm_catalogue *cat = ctm_app_catalogue(cx->app);
	int rc = ctm_json_sets(out, "version", ctm_outcomes_version(cat)) | ctm_json_sets(out, "title", "NIST IR 8425")
		| ctm_json_sets(out, "source", "NIST IR 8425 (September 2022)");
	return outcomes(cat, out) | packs(cat, out) | tables(cat, out) | lists(cat, out) | rc ? ctm_nomem(cx) : 0;
}
