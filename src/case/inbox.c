/* SPDX-License-Identifier: Apache-2.0
 *
 * What people see of cases: the inbox (what waits, by when, whose move), the events a person may fire and why not the
 * others, the clocks. Reading only.
 */
#include "case/engine_in.h"
#include "base/text.h"
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 500
#define OTHERS_MAX 200

static int nomem(struct ctm_cx *cx) { return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the page"); }

static const char *const CASE_TEXTS[] = { "id", "number", "product_id", "product", "maker", "kind", "state" };

int ctm_case_line(struct ctm_cx *cx, const ctm_json *row, ctm_json **out)
{
	const struct ctm_case_table *t = NULL;
	int rc = ctm_case_table_of(cx, row, &t);
	if (rc)
		return rc;
	const struct ctm_case_state *s = ctm_case_state_find(t, ctm_json_gets(row, "state"));
	const char *side = ctm_case_side(cx, row), *rule = ctm_json_gets(row, "rule");
	const struct ctm_rule *r = rule ? ctm_case_rule(t, rule) : NULL;
	int64_t due = ctm_json_geti(row, "due_ms", -1);
	bool waits = s && *s->whose, clock = waits && r && due >= 0;
	CTM_AUTO_JSON *c = ctm_json_obj();
	bool bad = !c;
	for (size_t i = 0; i < sizeof CASE_TEXTS / sizeof *CASE_TEXTS; i++)
		bad = bad || ctm_json_sets(c, CASE_TEXTS[i], ctm_json_gets(row, CASE_TEXTS[i]));
	bad = bad || ctm_json_sets(c, "state_title", s ? s->title : ctm_json_gets(row, "state")) || ctm_json_sets(c, "whose", waits ? s->whose : NULL)
		|| ctm_json_set(c, "due_ms", clock ? ctm_json_newi(due) : ctm_json_news(NULL)) || ctm_json_sets(c, "rule", clock ? r->id : NULL)
		|| ctm_json_sets(c, "citation", clock ? r->citation : NULL) || ctm_json_setb(c, "overdue", clock && due < cx->now_ms)
		|| ctm_json_setb(c, "mine", waits ? strcmp(s->whose, side) == 0 : s && !s->final && strcmp(side, "applicant") == 0)
		|| ctm_json_setb(c, "final", s && s->final) || ctm_json_seti(c, "opened_ms", ctm_json_geti(row, "opened_ms", 0));
	if (bad)
		return nomem(cx);
	*out = c;
	c = NULL;
	return 0;
}

struct line { int64_t due; size_t no; ctm_json *v; };

/* Soonest due first; lines without an end last; else as they came. */
static int by_due(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	return x->due != y->due ? (x->due < y->due ? -1 : 1) : (x->no > y->no) - (x->no < y->no);
}

/* The lines in order of their ends; the list owns them afterwards. */
static int add_by_due(struct line *lines, size_t n, ctm_json *list)
{
	int rc = 0;
	qsort(lines, n, sizeof *lines, by_due);
	for (size_t i = 0; i < n; i++)
		rc |= ctm_json_add(list, lines[i].v);      /* add owns the line, also when it fails */
	return rc;
}

static int count_states(struct ctm_cx *cx, const ctm_json *lines, ctm_json *out)
{
	const struct ctm_catalogue *cat = ctm_app_catalogue(cx->app);
	for (size_t t = 0; t < ctm_case_table_count(cat); t++) {
		const struct ctm_case_table *table = ctm_case_table_at(cat, t);
		for (size_t s = 0; s < table->nstates; s++) {
			int64_t n = 0;
			for (size_t i = 0; i < ctm_json_len(lines); i++) {
				const ctm_json *l = ctm_json_at(lines, i);
				n += ctm_streq(ctm_json_gets(l, "kind"), table->kind) && ctm_streq(ctm_json_gets(l, "state"), table->states[s].id);
			}
			if (n == 0)
				continue;
			ctm_json *c = ctm_json_obj();
			if (ctm_json_sets(c, "kind", table->kind) || ctm_json_sets(c, "state", table->states[s].id) || ctm_json_sets(c, "title", table->states[s].title)
				|| ctm_json_seti(c, "count", n) || ctm_json_add(out, c))
				return nomem(cx);
		}
	}
	return 0;
}

int ctm_case_inbox(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *rows = NULL, *inbox = ctm_json_arr(), *others = ctm_json_arr(), *counts = ctm_json_arr(), *all = ctm_json_arr();
	struct line *waiting = ctm_arena_alloc(cx->arena, LIST_MAX * sizeof *waiting);
	size_t nwaiting = 0;
	struct ctm_q *q = ctm_q(cx->db, "case.list");
	ctm_q_text(q, "org", cx->who->org_id);
	ctm_q_null(q, "product");
	ctm_q_int(q, "max", LIST_MAX);
	int rc = ctm_q_rows(q, LIST_MAX, &rows, cx->err);
	if (!rc && !waiting)
		rc = nomem(cx);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		ctm_json *line = NULL;
		if ((rc = ctm_case_line(cx, ctm_json_at(rows, i), &line)))
			break;
		if (ctm_json_add(all, ctm_json_copy(line)))
			rc = nomem(cx);
		if (ctm_json_getb(line, "mine", false) && !ctm_json_getb(line, "final", false)) {
			waiting[nwaiting] = (struct line){ .due = ctm_json_geti(line, "due_ms", INT64_MAX), .no = nwaiting, .v = line };
			nwaiting++;
		} else if (ctm_json_len(others) >= OTHERS_MAX) {
			ctm_json_free(line);
		} else if (ctm_json_add(others, line)) {
			rc = nomem(cx);
		}
	}
	if (add_by_due(waiting, nwaiting, inbox) && !rc)
		rc = nomem(cx);
	if (!rc)
		rc = count_states(cx, all, counts);
	if (rc)
		return rc;
	if (ctm_json_set(out, "inbox", inbox) | ctm_json_set(out, "others", others) | ctm_json_set(out, "counts", counts))
		rc = nomem(cx);
	inbox = others = counts = NULL;     /* set owns them even on failure */
	return rc;
}

static int add_event(struct ctm_fire *f, ctm_json *list)
{
	struct ctm_err why = { 0 }, *kept = f->cx->err;
	f->cx->err = &why;
	int rc = ctm_ask_guards(f, true);
	f->cx->err = kept;
	if (rc && rc != CTM_E_GUARD)
		return ctm_fail(kept, rc, why.field, why.rule, "%s", why.msg);
	ctm_json *e = ctm_json_obj(), *needs = ctm_json_arr();
	const struct ctm_case_row *r = f->row;
	bool verify = false, reasons = false, bad = false;
	for (size_t i = 0; i < r->guard_names.n; i++)
		verify |= strcmp(r->guard_names.v[i], "verifications_given") == 0;
	for (size_t i = 0; i < r->needs.n; i++) {
		reasons |= strcmp(r->needs.v[i], "reasons") == 0;
		bad |= ctm_json_adds(needs, r->needs.v[i]) != 0;
	}
	bad |= ctm_json_set(e, "needs", needs) || ctm_json_sets(e, "event", r->event) || ctm_json_sets(e, "kind", r->kind) || ctm_json_sets(e, "title", r->title)
		|| ctm_json_sets(e, "citation", r->citation) || ctm_json_setb(e, "allowed", rc == 0) || ctm_json_sets(e, "why", why.msg) || ctm_json_sets(e, "rule", why.rule)
		|| ctm_json_setb(e, "note", r->note) || ctm_json_setb(e, "verify", verify) || ctm_json_setb(e, "reasons", reasons);
	return ctm_json_add(list, e) || bad ? nomem(f->cx) : 0;
}

int ctm_case_events(struct ctm_cx *cx, ctm_json *kase, ctm_json **out)
{
	const struct ctm_case_table *t = NULL;
	struct ctm_fire f;
	int rc = ctm_case_table_of(cx, kase, &t);
	if (rc)
		return rc;
	ctm_fire_init(&f, cx, t, kase);
	const char *side = ctm_case_side(cx, kase);
	CTM_AUTO_JSON *list = ctm_json_arr(), *data = ctm_json_copy(ctm_json_get(kase, "data"));
	f.data = data;
	for (size_t i = 0; !rc && i < t->nrows; i++) {
		f.row = &t->rows[i];
		if (ctm_streq(f.row->from->id, ctm_json_gets(kase, "state")) && ctm_row_for(f.row, cx, side))
			rc = add_event(&f, list);
	}
	if (!rc) {
		*out = list;
		list = NULL;
	}
	return rc;
}

int ctm_case_clocks(struct ctm_cx *cx, const ctm_json *kase, ctm_json **out)
{
	const struct ctm_case_table *t = NULL;
	CTM_AUTO_JSON *rows = NULL, *list = ctm_json_arr();
	int rc = ctm_case_table_of(cx, kase, &t);
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "case.clocks");
	ctm_q_text(q, "case", ctm_json_gets(kase, "id"));
	rc = ctm_q_rows(q, LIST_MAX, &rows, cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		ctm_json *c = ctm_json_copy(ctm_json_at(rows, i));
		const struct ctm_rule *r = ctm_case_rule(t, ctm_json_gets(c, "rule"));
		bool running = ctm_json_type(ctm_json_get(c, "done_ms")) != CTM_J_INT;
		if (ctm_json_sets(c, "title", r ? r->title : "") || ctm_json_sets(c, "citation", r ? r->citation : "") || ctm_json_sets(c, "consequence", r ? r->consequence : "")
			|| ctm_json_setb(c, "running", running) || ctm_json_setb(c, "overdue", running && ctm_json_geti(c, "due_ms", 0) < cx->now_ms) || ctm_json_add(list, c))
			rc = nomem(cx);
	}
	if (!rc) {
		*out = list;
		list = NULL;
	}
	return rc;
}
