/* SPDX-License-Identifier: Apache-2.0
 *
 * Case tables. The reader proves what can be proved before a case ever moves: every name is known (state, role, rule, guard,
 * effect), every state can be reached and, unless final, left again, and nobody waits without a clock: a state in which
 * someone has the move names the rule that runs meanwhile. Only the first state may be at one's own pace.
 */
#include "case/catalogue_in.h"
#include "case/engine.h"
#include <string.h>

size_t ctm_case_table_count(const struct ctm_catalogue *c) { return c->ntables; }
const struct ctm_case_table *ctm_case_table_at(const struct ctm_catalogue *c, size_t i) { return i < c->ntables ? c->tables[i] : NULL; }

const struct ctm_case_table *ctm_case_table_find(const struct ctm_catalogue *c, const char *kind, const char *version)
{
	const struct ctm_case_table *best = NULL;
	for (size_t i = 0; i < c->ntables; i++) {
		const struct ctm_case_table *t = c->tables[i];
		if (strcmp(t->kind, kind) == 0 && (version ? strcmp(t->version, version) == 0 : !best || strcmp(t->effective, best->effective) > 0))
			best = t;
	}
	return best;
}

const struct ctm_case_state *ctm_case_state_find(const struct ctm_case_table *t, const char *id)
{
	for (size_t i = 0; id && i < t->nstates; i++)
		if (strcmp(t->states[i].id, id) == 0)
			return &t->states[i];
	return NULL;
}

const struct ctm_case_row *ctm_case_row_find(const struct ctm_case_table *t, const char *state, const char *event, const char *kind)
{
	for (size_t i = 0; i < t->nrows; i++) {
		const struct ctm_case_row *r = &t->rows[i];
		if (strcmp(r->from->id, state) == 0 && strcmp(r->event, event) == 0 && (!*r->kind || (kind && strcmp(r->kind, kind) == 0)))
			return r;
	}
	return NULL;
}

const struct ctm_rule *ctm_case_rule(const struct ctm_case_table *t, const char *id)
{
	const struct ctm_rule *r = ctm_pack_rule(t->law, id);
	return r ? r : ctm_pack_rule(t->scheme, id);
}

static unsigned role_of(const char *name)
{
	static const struct { const char *name; unsigned bit; } roles[] = {
#define X(n, s) { s, CTM_ROLE_##n },
		CTM_ROLES(X)
#undef X
	};
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strcmp(roles[i].name, name) == 0)
			return roles[i].bit & (CTM_ANY_MAKER | CTM_ANY_LAB | CTM_ANY_CLA);
	return 0;
}

static int read_roles(struct ctm_catalogue *c, const struct ctm_jc *at, unsigned *out, struct ctm_err *err)
{
	struct ctm_strs s;
	int rc = ctm_cat_strs(c, at, "who", false, &s, err);
	unsigned bits = 0;
	for (size_t i = 0; !rc && i < s.n; i++) {
		unsigned b = role_of(s.v[i]);
		if (!b)
			return ctm_jc_fail(at, err, "\"%.40s\" is no role that takes part in cases", s.v[i]);
		bits |= b;
	}
	if (!rc && !bits)
		return ctm_jc_fail(at, err, "nobody may do this: \"who\" is empty");
	if (!rc)
		*out = bits;
	return rc;
}

static int read_side(const struct ctm_jc *at, const char *key, bool may_be_empty, const char **out, struct ctm_err *err)
{
	static const char *const sides[] = { "applicant", "lab", "cla", "" };
	size_t i = 0;
	int rc = ctm_jc_enum(at, key, sides, may_be_empty ? 4 : 3, &i, err);
	if (!rc)
		*out = sides[i];
	return rc;
}

struct task { unsigned role; const char *org, *title; };

static int read_task(const struct ctm_jc *at, struct task *out, struct ctm_err *err)
{
	static const char *const keys[] = { "role", "org", "title" };
	const char *role;
	struct ctm_jc t;
	*out = (struct task){ 0, "", "" };
	if (!ctm_jc_has(at, "task", &t))
		return 0;
	int rc = ctm_jc_is(&t, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(&t, keys, 3, err)) || (rc = ctm_jc_str(&t, "role", 1, 40, &role, err)) || (rc = read_side(&t, "org", false, &out->org, err))
		|| (rc = ctm_jc_str(&t, "title", 1, 120, &out->title, err)))
		return rc;
	return (out->role = role_of(role)) ? 0 : ctm_jc_fail(&t, err, "\"%s\" is no role that takes part in cases", role);
}

static int read_state(struct ctm_case_table *t, const struct ctm_jc *at, struct ctm_case_state *s, struct ctm_err *err)
{
	static const char *const keys[] = { "id", "title", "whose", "clock", "final" };
	int rc = ctm_jc_is(at, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(at, keys, 5, err)) || (rc = ctm_jc_str(at, "id", 1, 40, &s->id, err)) || (rc = ctm_jc_str(at, "title", 1, 80, &s->title, err))
		|| (rc = read_side(at, "whose", true, &s->whose, err)) || (rc = ctm_jc_str(at, "clock", 0, 30, &s->clock, err)) || (rc = ctm_jc_bool(at, "final", &s->final, err)))
		return rc;
	if (ctm_case_state_find(t, s->id))
		return ctm_jc_fail(at, err, "the state %s stands twice", s->id);
	if (s->final && (*s->whose || *s->clock))
		return ctm_jc_fail(at, err, "the final state %s makes nobody wait", s->id);
	if (*s->whose && !*s->clock)
		return ctm_jc_fail(at, err, "in the state %s the %s has the move and no clock runs", s->id, s->whose);
	if (*s->clock && (!*s->whose || !ctm_case_rule(t, s->clock)))
		return ctm_jc_fail(at, err, "the clock %s of the state %s is no rule of the packs, or it is nobody's move", s->clock, s->id);
	return 0;
}

static int bind_guards(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_case_row *r, struct ctm_err *err)
{
	if (!ctm_case_guards || !&ctm_case_guard_count)
		return 0;
	if (!(r->guards = ctm_cat_alloc(c, r->guard_names.n, sizeof *r->guards)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the catalogue takes too much memory");
	for (; r->nguards < r->guard_names.n; r->nguards++) {
		size_t i = 0;
		while (i < ctm_case_guard_count && strcmp(ctm_case_guards[i].name, r->guard_names.v[r->nguards]) != 0)
			i++;
		if (i == ctm_case_guard_count)
			return ctm_jc_fail(at, err, "the guard \"%.60s\" is not known to this program", r->guard_names.v[r->nguards]);
		r->guards[r->nguards] = &ctm_case_guards[i];
	}
	return 0;
}

static int bind_effects(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_case_row *r, struct ctm_err *err)
{
	if (!ctm_case_effects || !&ctm_case_effect_count)
		return 0;
	if (!(r->effects = ctm_cat_alloc(c, r->effect_names.n, sizeof *r->effects)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the catalogue takes too much memory");
	for (; r->neffects < r->effect_names.n; r->neffects++) {
		size_t i = 0;
		while (i < ctm_case_effect_count && strcmp(ctm_case_effects[i].name, r->effect_names.v[r->neffects]) != 0)
			i++;
		if (i == ctm_case_effect_count)
			return ctm_jc_fail(at, err, "the effect \"%.60s\" is not known to this program", r->effect_names.v[r->neffects]);
		r->effects[r->neffects] = &ctm_case_effects[i];
	}
	return 0;
}

static int check_rules(const struct ctm_case_table *t, const struct ctm_jc *at, const struct ctm_strs *s, struct ctm_err *err)
{
	for (size_t i = 0; i < s->n; i++)
		if (!ctm_case_rule(t, s->v[i]))
			return ctm_jc_fail(at, err, "\"%.40s\" is no rule of the packs %s and %s", s->v[i], t->law->id, t->scheme->id);
	return 0;
}

static int read_row_words(struct ctm_catalogue *c, struct ctm_case_table *t, const struct ctm_jc *at, struct ctm_case_row *r, struct ctm_err *err)
{
	const char *from = "", *to = "";
	int rc = ctm_jc_str(at, "state", 1, 40, &from, err);
	if (rc || (rc = ctm_jc_str(at, "to", 1, 40, &to, err)) || (rc = ctm_jc_str(at, "event", 1, 40, &r->event, err)) || (rc = ctm_jc_str(at, "title", 1, 120, &r->title, err))
		|| (rc = ctm_jc_str(at, "citation", 1, 200, &r->citation, err)) || (rc = ctm_jc_opt_str(at, "kind", 40, &r->kind, err))
		|| (rc = ctm_jc_opt_str(at, "part", 40, &r->part, err)) || (rc = read_roles(c, at, &r->roles, err)))
		return rc;
	r->kind = ctm_cat_or(r->kind, "");
	r->part = ctm_cat_or(r->part, "");
	r->from = ctm_case_state_find(t, from);
	r->to = ctm_case_state_find(t, to);
	if (!r->from || !r->to)
		return ctm_jc_fail(at, err, "\"%s\" is no state of this table", r->from ? to : from);
	if (r->from->final)
		return ctm_jc_fail(at, err, "nothing leads out of the final state %s", from);
	return 0;
}

static int read_row(struct ctm_catalogue *c, struct ctm_case_table *t, const struct ctm_jc *at, struct ctm_case_row *r, struct ctm_err *err)
{
	static const char *const keys[] = { "state", "event", "to", "title", "who", "citation", "kind", "guards", "effects", "starts", "stops", "needs", "documents",
		"part", "note", "task" };
	struct task task;
	struct ctm_jc note;
	int rc = ctm_jc_is(at, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(at, keys, 16, err)) || (rc = read_row_words(c, t, at, r, err)) || (rc = ctm_cat_strs(c, at, "guards", true, &r->guard_names, err))
		|| (rc = ctm_cat_strs(c, at, "effects", true, &r->effect_names, err)) || (rc = ctm_cat_strs(c, at, "starts", true, &r->starts, err))
		|| (rc = ctm_cat_strs(c, at, "stops", true, &r->stops, err)) || (rc = ctm_cat_strs(c, at, "needs", true, &r->needs, err))
		|| (rc = ctm_cat_strs(c, at, "documents", true, &r->documents, err)) || (rc = read_task(at, &task, err)) || (rc = check_rules(t, at, &r->starts, err))
		|| (rc = check_rules(t, at, &r->stops, err)) || (rc = bind_guards(c, at, r, err)) || (rc = bind_effects(c, at, r, err)))
		return rc;
	if (ctm_jc_has(at, "note", &note) && (rc = ctm_jc_bool(at, "note", &r->note, err)))
		return rc;
	r->task_role = task.role;
	r->task_org = task.org;
	r->task_title = task.title;
	for (const struct ctm_case_row *o = t->rows; o < r; o++)
		if (o->from == r->from && strcmp(o->event, r->event) == 0 && (!*o->kind || !*r->kind || strcmp(o->kind, r->kind) == 0))
			return ctm_jc_fail(at, err, "two rows answer to %s in the state %s", r->event, r->from->id);
	return 0;
}

static int check_walk(struct ctm_case_table *t, const struct ctm_jc *at, struct ctm_err *err)
{
	bool reached[64] = { false }, left[64] = { false };
	reached[t->initial - t->states] = true;
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < t->nrows; i++) {
			size_t from = (size_t)(t->rows[i].from - t->states), to = (size_t)(t->rows[i].to - t->states);
			left[from] |= from != to;
			if (reached[from] && !reached[to])
				more = reached[to] = true;
		}
	}
	for (size_t i = 0; i < t->nstates; i++) {
		const struct ctm_case_state *s = &t->states[i];
		if (!reached[i])
			return ctm_jc_fail(at, err, "the state %s cannot be reached from %s", s->id, t->initial->id);
		if (!s->final && !left[i])
			return ctm_jc_fail(at, err, "nothing leads out of the state %s", s->id);
		if (!s->final && !*s->whose && s != t->initial)
			return ctm_jc_fail(at, err, "in the state %s it is nobody's move", s->id);
	}
	return 0;
}

static int read_head(struct ctm_catalogue *c, struct ctm_case_table *t, const struct ctm_jc *at, struct ctm_err *err)
{
	static const char *const open_keys[] = { "event", "who", "task" };
	const char *law, *scheme;
	struct ctm_jc open;
	struct task task;
	int rc = ctm_jc_str(at, "kind", 1, 40, &t->kind, err);
	if (rc || (rc = ctm_jc_str(at, "version", 1, 20, &t->version, err)) || (rc = ctm_cat_day(at, "effective", &t->effective, err))
		|| (rc = ctm_jc_str(at, "title", 1, 120, &t->title, err)) || (rc = ctm_jc_str(at, "law", 1, 20, &law, err)) || (rc = ctm_jc_str(at, "scheme", 1, 20, &scheme, err))
		|| (rc = ctm_jc_key(at, "open", &open, err)) || (rc = ctm_jc_is(&open, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&open, open_keys, 3, err))
		|| (rc = ctm_jc_str(&open, "event", 1, 40, &t->opens, err)) || (rc = read_roles(c, &open, &t->open_roles, err)) || (rc = read_task(&open, &task, err)))
		return rc;
	t->open_task_role = task.role;
	t->open_task_org = task.org;
	t->open_task_title = task.title;
	t->law = ctm_pack_find(c, "law", law);
	t->scheme = ctm_pack_find(c, "scheme", scheme);
	if (!t->law || !t->scheme)
		return ctm_jc_fail(at, err, "there is no edition %s of the pack %s", t->law ? scheme : law, t->law ? "scheme" : "law");
	return ctm_case_table_find(c, t->kind, t->version) ? ctm_jc_fail(at, err, "the edition %s of the table %s stands twice", t->version, t->kind) : 0;
}

int ctm_read_table(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err)
{
	static const char *const keys[] = { "format", "kind", "version", "effective", "title", "law", "scheme", "open", "initial", "states", "rows" };
	struct ctm_case_table *t = ctm_cat_alloc(c, 1, sizeof *t);
	struct ctm_jc states, rows, e;
	const char *initial;
	if (!t || c->ntables == CTM_CAT_FEW)
		return ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "more than %d case tables", CTM_CAT_FEW);
	int rc = ctm_cat_format(at, "ctm.case/1", err);
	if (rc || (rc = ctm_jc_only(at, keys, 11, err)) || (rc = read_head(c, t, at, err)) || (rc = ctm_jc_arr(at, "states", 2, 64, &states, err))
		|| (rc = ctm_jc_arr(at, "rows", 1, 400, &rows, err)))
		return rc;
	struct ctm_case_state *s = ctm_cat_alloc(c, ctm_json_len(states.v), sizeof *s);
	struct ctm_case_row *r = ctm_cat_alloc(c, ctm_json_len(rows.v), sizeof *r);
	if (!s || !r)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the catalogue takes too much memory");
	for (t->states = s; t->nstates < ctm_json_len(states.v); t->nstates++)
		if ((rc = ctm_jc_at(&states, t->nstates, &e, err)) || (rc = read_state(t, &e, &s[t->nstates], err)))
			return rc;
	if ((rc = ctm_jc_str(at, "initial", 1, 40, &initial, err)))
		return rc;
	if (!(t->initial = ctm_case_state_find(t, initial)))
		return ctm_jc_fail(at, err, "the first state \"%s\" is no state of this table", initial);
	for (t->rows = r; t->nrows < ctm_json_len(rows.v); t->nrows++)
		if ((rc = ctm_jc_at(&rows, t->nrows, &e, err)) || (rc = read_row(c, t, &e, &r[t->nrows], err)))
			return rc;
	if ((rc = check_walk(t, at, err)))
		return rc;
	c->tables[c->ntables++] = t;
	return 0;
}
