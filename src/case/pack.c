/* SPDX-License-Identifier: Apache-2.0
 *
 * Rule packs. A number a regulator could change stands in a pack with its citation, never in code. Calendar: a period runs
 * in the pack's zone; the day it starts does not count; it ends with the last millisecond of its last day there. A rule
 * that rolls ends on the next business day when its last day is a weekend day or a holiday (47 CFR 1.4(j)).
 */
#include "case/catalogue_in.h"
#include "base/timex.h"
#include <string.h>

static const char *const UNITS[] = { "days", "business_days", "months", "years" };

const char *ctm_unit_name(enum ctm_unit u) { return UNITS[u]; }
size_t ctm_pack_count(const struct ctm_catalogue *c) { return c->npacks; }
const struct ctm_pack *ctm_pack_at(const struct ctm_catalogue *c, size_t i) { return i < c->npacks ? c->packs[i] : NULL; }

const struct ctm_pack *ctm_pack_find(const struct ctm_catalogue *c, const char *id, const char *version)
{
	const struct ctm_pack *best = NULL;
	for (size_t i = 0; i < c->npacks; i++) {
		const struct ctm_pack *p = c->packs[i];
		if (strcmp(p->id, id) == 0 && (version ? strcmp(p->version, version) == 0 : !best || strcmp(p->effective, best->effective) > 0))
			best = p;
	}
	return best;
}

const struct ctm_rule *ctm_pack_rule(const struct ctm_pack *p, const char *id)
{
	for (size_t i = 0; p && i < p->nrules; i++)
		if (strcmp(p->rules[i].id, id) == 0)
			return &p->rules[i];
	return NULL;
}

const struct ctm_group *ctm_pack_group(const struct ctm_pack *p, const char *id)
{
	for (size_t i = 0; p && i < p->ngroups; i++)
		if (strcmp(p->groups[i].id, id) == 0)
			return &p->groups[i];
	return NULL;
}

const struct ctm_term *ctm_pack_term(const struct ctm_pack *p, const char *group, const char *id)
{
	const struct ctm_group *g = ctm_pack_group(p, group);
	for (size_t i = 0; g && id && i < g->n; i++)
		if (strcmp(g->terms[i].id, id) == 0)
			return &g->terms[i];
	return NULL;
}

int64_t ctm_pack_number(const struct ctm_pack *p, const char *id, int64_t otherwise)
{
	for (size_t i = 0; p && i < p->nnumbers; i++)
		if (strcmp(p->numbers[i].id, id) == 0)
			return p->numbers[i].value;
	return otherwise;
}

int ctm_rule_due(const struct ctm_rule *r, int64_t from_ms, int64_t *due_ms, struct ctm_err *err)
{
	const struct ctm_pack *p = r->pack;
	int64_t due = 0;
	int rc = r->unit == CTM_DAYS || r->unit == CTM_BUSINESS_DAYS
		? ctm_time_add_days(from_ms, r->period, r->unit == CTM_BUSINESS_DAYS, p->zone, p->holidays.v, p->holidays.n, &due)
		: ctm_time_add_months(from_ms, r->period * (r->unit == CTM_YEARS ? 12 : 1), p->zone, &due);
	if (!rc && r->roll)
		rc = ctm_time_add_days(due, 0, 1, p->zone, p->holidays.v, p->holidays.n, &due);
	if (rc)
		return ctm_fail(err, rc, NULL, r->id, "the end of %s cannot be computed in the zone %s: is the time zone database installed?", r->id, p->zone);
	*due_ms = due;
	return 0;
}

int ctm_pack_day(const struct ctm_pack *p, int64_t ms, char out[11], struct ctm_err *err)
{
	char text[CTM_RFC3339_MAX];
	int64_t end;
	int rc = ctm_time_add_days(ms, 0, 0, p->zone, NULL, 0, &end);
	if (rc)
		return ctm_fail(err, rc, NULL, NULL, "the day cannot be computed in the zone %s: is the time zone database installed?", p->zone);
	ctm_time_rfc3339(end - 12 * 3600000, text);    /* about noon of that day, which has the same date in UTC for zones of the Americas and Europe */
	memcpy(out, text, 10);
	out[10] = 0;
	return 0;
}

static int read_holidays(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_pack *p, struct ctm_err *err)
{
	static const char *const keys[] = { "source", "days" }, *const day_keys[] = { "day", "name" };
	struct ctm_jc h, days, e;
	const char *name;
	int rc = ctm_jc_key(at, "holidays", &h, err);
	if (rc || (rc = ctm_jc_only(&h, keys, 2, err)) || (rc = ctm_jc_str(&h, "source", 1, 300, &p->holidays_source, err)) || (rc = ctm_jc_arr(&h, "days", 0, 400, &days, err)))
		return rc;
	size_t n = ctm_json_len(days.v);
	const char **v = ctm_cat_alloc(c, n, sizeof *v);
	if (!v)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the catalogue takes too much memory");
	for (size_t i = 0; i < n; i++) {
		if ((rc = ctm_jc_at(&days, i, &e, err)) || (rc = ctm_jc_only(&e, day_keys, 2, err)) || (rc = ctm_cat_day(&e, "day", &v[i], err))
			|| (rc = ctm_jc_str(&e, "name", 1, 100, &name, err)))
			return rc;
		if (i && strcmp(v[i - 1], v[i]) >= 0)
			return ctm_jc_fail(&e, err, "holidays stand in the order of their days, each once");
	}
	p->holidays = (struct ctm_strs){ v, n };
	return 0;
}

static int read_rule(const struct ctm_jc *at, struct ctm_pack *p, struct ctm_rule *r, struct ctm_err *err)
{
	static const char *const keys[] = { "id", "title", "period", "unit", "roll", "start", "whose", "consequence", "citation" };
	static const char *const whose[] = { "applicant", "grantee", "lab", "cla", "lead_administrator", "accreditation_body", "authority" };
	int64_t period = 0;
	size_t unit = 0, who = 0;
	int rc = ctm_jc_is(at, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(at, keys, 9, err)) || (rc = ctm_jc_str(at, "id", 1, 30, &r->id, err)) || (rc = ctm_jc_str(at, "title", 1, 120, &r->title, err))
		|| (rc = ctm_jc_int(at, "period", 1, 3660, &period, err)) || (rc = ctm_jc_enum(at, "unit", UNITS, 4, &unit, err)) || (rc = ctm_jc_bool(at, "roll", &r->roll, err))
		|| (rc = ctm_jc_str(at, "start", 1, 200, &r->start, err)) || (rc = ctm_jc_enum(at, "whose", whose, 7, &who, err))
		|| (rc = ctm_jc_str(at, "consequence", 1, 200, &r->consequence, err)) || (rc = ctm_jc_str(at, "citation", 1, 300, &r->citation, err)))
		return rc;
	if (ctm_pack_rule(p, r->id))
		return ctm_jc_fail(at, err, "the rule %s stands twice", r->id);
	r->period = (int)period;
	r->unit = (enum ctm_unit)unit;
	r->whose = whose[who];
	r->pack = p;
	return 0;
}

static int read_terms(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_group *g, struct ctm_err *err)
{
	static const char *const keys[] = { "id", "text", "citation" }, *const group_keys[] = { "id", "terms" };
	struct ctm_jc list, e;
	int rc = ctm_jc_is(at, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(at, group_keys, 2, err)) || (rc = ctm_jc_str(at, "id", 1, 30, &g->id, err)) || (rc = ctm_jc_arr(at, "terms", 1, 100, &list, err)))
		return rc;
	size_t n = ctm_json_len(list.v);
	struct ctm_term *t = ctm_cat_alloc(c, n, sizeof *t);
	if (!t)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the catalogue takes too much memory");
	for (size_t i = 0; i < n; i++) {
		if ((rc = ctm_jc_at(&list, i, &e, err)) || (rc = ctm_jc_only(&e, keys, 3, err)) || (rc = ctm_jc_str(&e, "id", 1, 40, &t[i].id, err))
			|| (rc = ctm_jc_str(&e, "text", 1, 400, &t[i].text, err)) || (rc = ctm_jc_str(&e, "citation", 1, 300, &t[i].citation, err)))
			return rc;
		for (size_t j = 0; j < i; j++)
			if (strcmp(t[j].id, t[i].id) == 0)
				return ctm_jc_fail(&e, err, "%s stands twice in %s", t[i].id, g->id);
	}
	g->terms = t;
	g->n = n;
	return 0;
}

static int read_number(const struct ctm_jc *at, struct ctm_pack *p, struct ctm_number *x, struct ctm_err *err)
{
	static const char *const keys[] = { "id", "value", "text", "citation" };
	int rc = ctm_jc_is(at, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(at, keys, 4, err)) || (rc = ctm_jc_str(at, "id", 1, 40, &x->id, err)) || (rc = ctm_jc_int(at, "value", 0, 1000000000, &x->value, err))
		|| (rc = ctm_jc_str(at, "text", 1, 200, &x->text, err)) || (rc = ctm_jc_str(at, "citation", 1, 300, &x->citation, err)))
		return rc;
	for (size_t i = 0; i < p->nnumbers; i++)
		if (strcmp(p->numbers[i].id, x->id) == 0)
			return ctm_jc_fail(at, err, "the number %s stands twice", x->id);
	return 0;
}

static int read_arrays(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_pack *p, struct ctm_err *err)
{
	struct ctm_jc rules, groups, numbers, e;
	int rc = ctm_jc_arr(at, "rules", 1, 200, &rules, err);
	if (rc || (rc = ctm_jc_arr(at, "groups", 0, 50, &groups, err)) || (rc = ctm_jc_arr(at, "numbers", 0, 100, &numbers, err)))
		return rc;
	struct ctm_rule *r = ctm_cat_alloc(c, ctm_json_len(rules.v), sizeof *r);
	struct ctm_group *g = ctm_cat_alloc(c, ctm_json_len(groups.v), sizeof *g);
	struct ctm_number *x = ctm_cat_alloc(c, ctm_json_len(numbers.v), sizeof *x);
	if (!r || !g || !x)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the catalogue takes too much memory");
	p->rules = r;
	p->groups = g;
	p->numbers = x;
	for (; p->nrules < ctm_json_len(rules.v); p->nrules++)
		if ((rc = ctm_jc_at(&rules, p->nrules, &e, err)) || (rc = read_rule(&e, p, &r[p->nrules], err)))
			return rc;
	for (size_t i = 0; i < ctm_json_len(groups.v); i++) {
		struct ctm_group one = { 0 };
		if ((rc = ctm_jc_at(&groups, i, &e, err)) || (rc = read_terms(c, &e, &one, err)))
			return rc;
		if (ctm_pack_group(p, one.id))
			return ctm_jc_fail(&e, err, "the group %s stands twice", one.id);
		g[p->ngroups++] = one;
	}
	for (; p->nnumbers < ctm_json_len(numbers.v); p->nnumbers++)
		if ((rc = ctm_jc_at(&numbers, p->nnumbers, &e, err)) || (rc = read_number(&e, p, &x[p->nnumbers], err)))
			return rc;
	return 0;
}

int ctm_read_pack(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err)
{
	static const char *const keys[] = { "format", "id", "version", "effective", "title", "source", "zone", "holidays", "rules", "groups", "numbers" };
	struct ctm_pack *p = ctm_cat_alloc(c, 1, sizeof *p);
	int64_t probe;
	if (!p || c->npacks == CTM_CAT_FEW)
		return ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "more than %d rule packs", CTM_CAT_FEW);
	int rc = ctm_cat_format(at, "ctm.pack/1", err);
	if (rc || (rc = ctm_jc_only(at, keys, 11, err)) || (rc = ctm_jc_str(at, "id", 1, 20, &p->id, err)) || (rc = ctm_jc_str(at, "version", 1, 20, &p->version, err))
		|| (rc = ctm_cat_day(at, "effective", &p->effective, err)) || (rc = ctm_jc_str(at, "title", 1, 200, &p->title, err))
		|| (rc = ctm_jc_str(at, "source", 1, 300, &p->source, err)) || (rc = ctm_jc_str(at, "zone", 1, 40, &p->zone, err)) || (rc = read_holidays(c, at, p, err))
		|| (rc = read_arrays(c, at, p, err)))
		return rc;
	if (ctm_time_add_days(0, 1, 0, p->zone, NULL, 0, &probe))
		return ctm_jc_fail(at, err, "the zone \"%s\" is not known on this machine; install the package tzdata", p->zone);
	if (ctm_pack_find(c, p->id, p->version))
		return ctm_jc_fail(at, err, "the edition %s of the pack %s stands twice", p->version, p->id);
	c->packs[c->npacks++] = p;
	return 0;
}
