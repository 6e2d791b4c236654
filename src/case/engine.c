/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening and moving cases. The order of a move is fixed: who asks, which row, what is given, guards, effects, then the
 * compare-and-set of the case row; whatever fails, the seam rolls the savepoint back and nothing of the move remains.
 * Every refusal is told before anything is written, except the compare-and-set, which undoes the effects.
 */
#include "case/engine_in.h"
#include "base/id.h"
#include "base/text.h"
#include "event/event.h"
#include "event/timeline.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define DATA_MAX (512 * 1024)

const char *ctm_role_word(unsigned bit)
{
	static const struct { unsigned bit; const char *name; } roles[] = {
#define X(n, s) { CTM_ROLE_##n, s },
		CTM_ROLES(X)
#undef X
	};
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (roles[i].bit == bit)
			return roles[i].name;
	return "";
}

static const char *text_of(const ctm_json *o, const char *key)
{
	const char *s = ctm_json_gets(o, key);
	return s ? s : "";
}

const char *ctm_case_side(const struct ctm_cx *cx, const ctm_json *kase)
{
	static const struct { const char *column, *side; unsigned roles; } sides[] = {
		{ "applicant_org_id", "applicant", CTM_ANY_MAKER }, { "lab_org_id", "lab", CTM_ANY_LAB }, { "cla_org_id", "cla", CTM_ANY_CLA },
	};
	for (size_t i = 0; i < 3 && *cx->who->org_id; i++)
		if ((cx->who->roles & sides[i].roles) && strcmp(text_of(kase, sides[i].column), cx->who->org_id) == 0)
			return sides[i].side;
	return "";
}

int ctm_case_get(struct ctm_cx *cx, const char *case_id, ctm_json **out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "case.get");
	ctm_q_text(q, "id", case_id);
	int rc = ctm_q_one(q, cx->err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "id", NULL, "there is no such case");
	}
	if (rc)
		return rc;
	ctm_json *kase = ctm_q_row(q);
	if (!kase)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the case");
	const char *side = ctm_case_side(cx, kase);
	bool draft = strcmp(text_of(kase, "kind"), "application") == 0 && ctm_json_geti(kase, "filed_ms", 0) == 0;
	if (!*side || (draft && strcmp(side, "applicant") != 0)) {
		ctm_json_free(kase);
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such case");
	}
	*out = kase;
	return 0;
}

int ctm_case_table_of(struct ctm_cx *cx, const ctm_json *kase, const struct ctm_case_table **out)
{
	const struct ctm_case_table *t = ctm_case_table_find(ctm_app_catalogue(cx->app), text_of(kase, "pack"), text_of(kase, "pack_version"));
	if (!t)
		return ctm_fail(cx->err, CTM_E_FAIL, NULL, NULL, "the catalogue has lost edition %s of the case table %s; put the file back",
			text_of(kase, "pack_version"), text_of(kase, "pack"));
	*out = t;
	return 0;
}

int ctm_case_has_part(struct ctm_db *db, const char *case_id, const char *person_id, const char *part, bool *out, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "case.person_part");
	ctm_q_text(q, "case", case_id);
	ctm_q_text(q, "person", person_id);
	ctm_q_text(q, "part", part);
	return ctm_q_step(q, out, err);
}

int ctm_case_number(struct ctm_cx *cx, const char *series, char out[32])
{
	const struct ctm_pack *law = ctm_pack_find(ctm_app_catalogue(cx->app), "law", NULL);
	char day[11] = "", name[24];
	int rc = law ? ctm_pack_day(law, cx->now_ms, day, cx->err) : ctm_fail(cx->err, CTM_E_FAIL, NULL, NULL, "the catalogue has no law pack");
	if (rc)
		return rc;
	snprintf(name, sizeof name, "%.12s-%.4s", series, day);
	CTM_AUTO_Q *q = ctm_q(cx->db, "case.number");
	ctm_q_text(q, "name", name);
	if ((rc = ctm_q_one(q, cx->err)))
		return rc;
	snprintf(out, 32, "%s-%06lld", name, (long long)ctm_q_i64(q, "value"));
	return 0;
}

/* ---- writing the parts of a move ---- */

static int write_event(struct ctm_fire *f, const char *event, const char *from, const char *to)
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_BUF kept = CTM_BUF(DATA_MAX);
	char id[CTM_UUID_MAX];
	int rc = ctm_json_compact(f->kept, &kept);
	if (rc)
		return ctm_fail(cx->err, rc, "data", NULL, "what was given is too large to be kept with the case");
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(cx->db, "case.event_add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "case", f->id);
	ctm_q_int(q, "now", cx->now_ms);
	ctm_q_text(q, "person", cx->who->person_id);
	ctm_q_text(q, "event", event);
	ctm_q_text(q, "from", from);
	ctm_q_text(q, "to", to);
	ctm_q_text(q, "note", f->note);
	ctm_q_text(q, "data", ctm_buf_cstr(&kept));
	return ctm_q_run(q, NULL, cx->err);
}

static int write_part(struct ctm_fire *f, const char *part)
{
	if (!part || !*part)
		return 0;
	struct ctm_q *q = ctm_q(f->cx->db, "case.person_add");
	ctm_q_text(q, "case", f->id);
	ctm_q_text(q, "person", f->cx->who->person_id);
	ctm_q_text(q, "part", part);
	ctm_q_int(q, "now", f->cx->now_ms);
	return ctm_q_run(q, NULL, f->cx->err);
}

static int write_audit(struct ctm_fire *f, const char *event, const char *from, const char *to)
{
	CTM_AUTO_JSON *before = ctm_json_obj(), *after = ctm_json_obj();
	char action[64];
	int rc = *from ? ctm_json_sets(before, "state", from) : 0;
	if (!rc)
		rc = ctm_json_sets(after, "state", to);
	if (!rc)
		rc = ctm_json_sets(after, "number", f->number);
	if (rc)
		return ctm_fail(f->cx->err, rc, NULL, NULL, "no memory for the audit line");
	snprintf(action, sizeof action, "case.%.50s", event);
	return ctm_audit(f->cx->db, f->cx->now_ms, f->cx->who->person_id, action, "case", f->id, *from ? before : NULL, after, f->cx->err);
}

static int tell(struct ctm_fire *f, const char *event, const char *title, const char *from, const struct ctm_case_state *to)
{
	struct ctm_cx *cx = f->cx;
	char line[300];
	CTM_AUTO_JSON *data = ctm_json_obj();
	snprintf(line, sizeof line, "%s: %s. Now: %s.", f->number, title, to->title);
	int rc = ctm_timeline_add(cx->db, cx->now_ms, "case", f->id, cx->who->person_name, line, NULL, cx->err);
	if (!rc && *f->product_id)
		rc = ctm_timeline_add(cx->db, cx->now_ms, "product", f->product_id, cx->who->person_name, line, NULL, cx->err);
	if (rc)
		return rc;
	if (ctm_json_sets(data, "number", f->number) || ctm_json_sets(data, "kind", f->table->kind) || ctm_json_sets(data, "event", event)
		|| ctm_json_sets(data, "from", from) || ctm_json_sets(data, "to", to->id) || ctm_json_sets(data, "product_id", f->product_id))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the event");
	return ctm_event_emit(cx->db, cx->now_ms, "case.moved", "case", f->id, data, cx->err);
}

static const char *org_of(const struct ctm_fire *f, const char *side)
{
	if (strcmp(side, "applicant") == 0)
		return f->applicant_org_id;
	if (strcmp(side, "lab") == 0)
		return f->new_lab_org_id ? f->new_lab_org_id : f->lab_org_id;
	return f->cla_org_id;
}

static int enter_state(struct ctm_fire *f, const struct ctm_case_state *s, int64_t *due)
{
	*due = -1;
	return *s->clock ? ctm_clock_start(f->cx, f->id, ctm_case_rule(f->table, s->clock), due) : 0;
}

/* Clocks and tasks: the state's own clock follows the state, a final state ends all that run, then the row's are started. */
static int move_clocks(struct ctm_fire *f)
{
	const struct ctm_case_row *r = f->row;
	int64_t due = -1, other;
	int rc = 0;
	bool moved = r->from != r->to;
	if (r->to->final)
		rc = ctm_clock_stop(f->cx, f->id, NULL);
	else if (moved && *r->from->clock)
		rc = ctm_clock_stop(f->cx, f->id, r->from->clock);
	for (size_t i = 0; !rc && i < r->stops.n; i++)
		rc = ctm_clock_stop(f->cx, f->id, r->stops.v[i]);
	if (!rc && moved)
		rc = enter_state(f, r->to, &due);
	for (size_t i = 0; !rc && i < r->starts.n; i++) {
		rc = ctm_clock_start(f->cx, f->id, ctm_case_rule(f->table, r->starts.v[i]), &other);
		due = due < 0 ? other : due;
	}
	if (rc || (!moved && !r->task_role))
		return rc;
	struct ctm_q *q = ctm_q(f->cx->db, "case.tasks_done");
	ctm_q_text(q, "case", f->id);
	ctm_q_int(q, "now", f->cx->now_ms);
	rc = ctm_q_run(q, NULL, f->cx->err);
	return rc || !r->task_role ? rc : ctm_task_add(f->cx, f->id, r->task_role, org_of(f, r->task_org), r->task_title, due);
}

static void stamp(struct ctm_q *q, const char *param, bool set, int64_t now_ms)
{
	if (set)
		ctm_q_int(q, param, now_ms);
	else
		ctm_q_null(q, param);
}

static int compare_and_set(struct ctm_fire *f)
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_BUF data = CTM_BUF(DATA_MAX);
	int64_t changes = 0;
	int rc = ctm_json_compact(f->data, &data);
	if (rc)
		return ctm_fail(cx->err, rc, "data", NULL, "the case holds too much data");
	struct ctm_q *q = ctm_q(cx->db, "case.move");
	ctm_q_text(q, "id", f->id);
	ctm_q_text(q, "from", f->row->from->id);
	ctm_q_text(q, "to", f->row->to->id);
	ctm_q_text(q, "data", ctm_buf_cstr(&data));
	ctm_q_text(q, "lab", f->new_lab_org_id);
	stamp(q, "filed", f->filed, cx->now_ms);
	stamp(q, "accepted", f->accepted, cx->now_ms);
	stamp(q, "decided", f->decided, cx->now_ms);
	stamp(q, "closed", f->closed || f->row->to->final, cx->now_ms);
	ctm_q_int(q, "row_version", ctm_json_geti(f->kase, "row_version", -1));
	if ((rc = ctm_q_run(q, &changes, cx->err)))
		return rc;
	return changes == 1 ? 0 : ctm_fail(cx->err, CTM_E_CONFLICT, "row_version", NULL, "somebody else moved the case first; nothing was changed. Look at it again");
}

/* ---- asking ---- */

void ctm_fire_init(struct ctm_fire *f, struct ctm_cx *cx, const struct ctm_case_table *t, ctm_json *kase)
{
	*f = (struct ctm_fire){ .cx = cx, .table = t, .kase = kase, .note = "", .id = text_of(kase, "id"), .number = text_of(kase, "number"),
		.product_id = text_of(kase, "product_id"), .applicant_org_id = text_of(kase, "applicant_org_id"),
		.cla_org_id = text_of(kase, "cla_org_id"), .lab_org_id = text_of(kase, "lab_org_id") };
}

bool ctm_row_for(const struct ctm_case_row *r, const struct ctm_cx *cx, const char *side)
{
	unsigned mine = strcmp(side, "applicant") == 0 ? CTM_ANY_MAKER : strcmp(side, "lab") == 0 ? CTM_ANY_LAB : strcmp(side, "cla") == 0 ? CTM_ANY_CLA : 0;
	return (r->roles & cx->who->roles & mine) != 0;
}

int ctm_ask_guards(struct ctm_fire *f, bool preview)
{
	for (size_t i = 0; i < f->row->nguards; i++) {
		const struct ctm_case_guard *g = f->row->guards[i];
		int rc = preview && g->on_given ? 0 : g->ask(f);
		if (rc)
			return rc;
	}
	return 0;
}

static int check_given(struct ctm_fire *f)
{
	const struct ctm_case_row *r = f->row;
	if (r->note && !*f->note)
		return ctm_fail(f->cx->err, CTM_E_INPUT, "note", r->citation, "say why in a note: \"%s\" needs one", r->title);
	for (size_t i = 0; i < r->needs.n; i++) {
		const ctm_json *v = ctm_json_get(f->given, r->needs.v[i]);
		const char *s = ctm_json_str(v);
		if (!v || (s && !*s) || (ctm_json_type(v) == CTM_J_ARR && !ctm_json_len(v)))
			return ctm_fail(f->cx->err, CTM_E_INPUT, r->needs.v[i], r->citation, "\"%s\" needs the member %s", r->title, r->needs.v[i]);
	}
	return 0;
}

static int find_row(struct ctm_fire *f, const char *event)
{
	struct ctm_cx *cx = f->cx;
	const char *state = text_of(f->kase, "state"), *kind = ctm_json_gets(f->given, "kind");
	bool with_kind = false;
	f->row = ctm_case_row_find(f->table, state, event, kind);
	for (size_t i = 0; !f->row && i < f->table->nrows; i++)
		with_kind |= strcmp(f->table->rows[i].from->id, state) == 0 && strcmp(f->table->rows[i].event, event) == 0;
	const struct ctm_case_state *s = ctm_case_state_find(f->table, state);
	if (!f->row && with_kind)
		return ctm_fail(cx->err, CTM_E_INPUT, "kind", NULL, "say which: \"kind\" of %.40s is not given or not one of this table", event);
	if (!f->row)
		return ctm_fail(cx->err, CTM_E_STATE, "event", NULL, "\"%.40s\" cannot be done while the case is \"%s\"; nothing was changed", event, s ? s->title : state);
	if (!ctm_row_for(f->row, cx, ctm_case_side(cx, f->kase)))
		return ctm_fail(cx->err, CTM_E_FORBIDDEN, "event", f->row->citation, "\"%s\" is not for your role", f->row->title);
	return 0;
}

/* What is kept of what was given: everything but the row version. */
static int keep_given(struct ctm_fire *f)
{
	f->kept = ctm_json_type(f->given) == CTM_J_OBJ ? ctm_json_copy(f->given) : ctm_json_obj();
	const ctm_json *data = ctm_json_get(f->kase, "data");
	f->data = ctm_json_type(data) == CTM_J_OBJ ? ctm_json_copy(data) : ctm_json_obj();
	if (!f->kept || !f->data)
		return ctm_fail(f->cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the case's data");
	return ctm_json_get(f->kept, "row_version") ? ctm_json_del(f->kept, "row_version") : 0;
}

static int apply(struct ctm_fire *f, const char *event)
{
	int rc = keep_given(f);
	for (size_t i = 0; !rc && i < f->row->neffects; i++)
		rc = f->row->effects[i]->run(f);
	if (!rc)
		rc = compare_and_set(f);
	if (!rc)
		rc = write_event(f, event, f->row->from->id, f->row->to->id);
	if (!rc)
		rc = write_part(f, f->row->part);
	if (!rc)
		rc = move_clocks(f);
	if (!rc)
		rc = write_audit(f, event, f->row->from->id, f->row->to->id);
	return rc ? rc : tell(f, event, f->row->title, f->row->from->id, f->row->to);
}

static int answer(struct ctm_fire *f, const struct ctm_case_state *s, int64_t row_version)
{
	if (ctm_json_sets(f->out, "id", f->id) || ctm_json_sets(f->out, "number", f->number) || ctm_json_sets(f->out, "state", s->id)
		|| ctm_json_sets(f->out, "state_title", s->title) || ctm_json_seti(f->out, "row_version", row_version))
		return ctm_fail(f->cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the answer");
	return 0;
}

int ctm_case_fire(struct ctm_cx *cx, const char *case_id, const char *event, const ctm_json *data, const char *note, ctm_json *out)
{
	CTM_AUTO_JSON *kase = NULL;
	const struct ctm_case_table *table = NULL;
	struct ctm_fire f;
	int rc = ctm_case_get(cx, case_id, &kase);
	if (rc || (rc = ctm_case_table_of(cx, kase, &table)))
		return rc;
	if (!ctm_case_guards || !ctm_case_effects)
		return ctm_fail(cx->err, CTM_E_FAIL, NULL, NULL, "this program was built without the rules of cases");
	int64_t version = ctm_json_geti(kase, "row_version", 0);
	if (ctm_json_get(data, "row_version") && ctm_json_geti(data, "row_version", -1) != version)
		return ctm_fail(cx->err, CTM_E_CONFLICT, "row_version", NULL, "somebody else moved the case since you looked at it; nothing was changed. Look at it again");
	ctm_fire_init(&f, cx, table, kase);
	f.given = data;
	f.note = note ? note : "";
	f.out = out;
	if ((rc = find_row(&f, event)) || (rc = check_given(&f)) || (rc = ctm_ask_guards(&f, false)))
		return rc;
	rc = apply(&f, event);
	if (!rc)
		rc = answer(&f, f.row->to, version + 1);
	ctm_json_free(f.kept);
	ctm_json_free(f.data);
	return rc;
}

/* ---- opening ---- */

static int insert_case(struct ctm_cx *cx, const struct ctm_case_new *n, const struct ctm_case_table *t, const char *id, const char *number)
{
	CTM_AUTO_BUF data = CTM_BUF(DATA_MAX);
	int rc = n->data ? ctm_json_compact(n->data, &data) : 0;
	if (rc)
		return ctm_fail(cx->err, rc, "data", NULL, "the case holds too much data");
	struct ctm_q *q = ctm_q(cx->db, "case.insert");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "number", number);
	ctm_q_text(q, "kind", t->kind);
	ctm_q_text(q, "pack", t->kind);
	ctm_q_text(q, "pack_version", t->version);
	ctm_q_text(q, "state", t->initial->id);
	ctm_q_text(q, "product", n->product_id);
	ctm_q_text(q, "applicant", n->applicant_org_id);
	ctm_q_text(q, "cla", n->cla_org_id);
	ctm_q_text(q, "lab", n->lab_org_id);
	ctm_q_text(q, "prior", n->prior_case_id);
	ctm_q_text(q, "data", n->data ? ctm_buf_cstr(&data) : "{}");
	ctm_q_int(q, "now", cx->now_ms);
	return ctm_q_run(q, NULL, cx->err);
}

static int open_rest(struct ctm_fire *f, const struct ctm_case_new *n)
{
	const struct ctm_case_table *t = f->table;
	int64_t due = -1;
	int rc = write_event(f, t->opens, "", t->initial->id);
	if (!rc)
		rc = write_part(f, n->part);
	if (!rc)
		rc = enter_state(f, t->initial, &due);
	if (!rc && t->open_task_role)
		rc = ctm_task_add(f->cx, f->id, t->open_task_role, org_of(f, t->open_task_org), t->open_task_title, due);
	if (!rc)
		rc = write_audit(f, t->opens, "", t->initial->id);
	return rc ? rc : tell(f, t->opens, t->title, "", t->initial);
}

int ctm_case_open(struct ctm_cx *cx, const struct ctm_case_new *n, ctm_json *out)
{
	const struct ctm_case_table *t = ctm_case_table_find(ctm_app_catalogue(cx->app), n->kind, NULL);
	char id[CTM_UUID_MAX], number[32];
	if (!t)
		return ctm_fail(cx->err, CTM_E_STATE, "kind", NULL, "the catalogue has no case table \"%.40s\"", n->kind);
	if (!(t->open_roles & cx->who->roles))
		return ctm_fail(cx->err, CTM_E_FORBIDDEN, "kind", NULL, "\"%s\" is not for your role", t->title);
	ctm_uuid7(id);
	int rc = ctm_case_number(cx, "CASE", number);
	if (rc || (rc = insert_case(cx, n, t, id, number)))
		return rc;
	CTM_AUTO_JSON *kept = ctm_json_obj();
	struct ctm_fire f = { .cx = cx, .table = t, .id = id, .number = number, .note = n->note ? n->note : "", .kept = kept, .out = out,
		.product_id = n->product_id ? n->product_id : "", .applicant_org_id = n->applicant_org_id ? n->applicant_org_id : "",
		.cla_org_id = n->cla_org_id ? n->cla_org_id : "", .lab_org_id = n->lab_org_id ? n->lab_org_id : "" };
	rc = open_rest(&f, n);
	return rc ? rc : answer(&f, t->initial, 1);
}

int ctm_case_put_data(struct ctm_cx *cx, const ctm_json *kase, const ctm_json *data, const char *what)
{
	CTM_AUTO_BUF b = CTM_BUF(DATA_MAX);
	char action[64];
	int64_t changes = 0;
	int rc = ctm_json_compact(data, &b);
	if (rc)
		return ctm_fail(cx->err, rc, "data", NULL, "that is more than a case may hold");
	struct ctm_q *q = ctm_q(cx->db, "case.put_data");
	ctm_q_text(q, "id", text_of(kase, "id"));
	ctm_q_int(q, "row_version", ctm_json_geti(kase, "row_version", -1));
	ctm_q_text(q, "data", ctm_buf_cstr(&b));
	if ((rc = ctm_q_run(q, &changes, cx->err)))
		return rc;
	if (changes != 1)
		return ctm_fail(cx->err, CTM_E_CONFLICT, "row_version", NULL, "somebody else changed the case first; nothing was changed");
	snprintf(action, sizeof action, "case.%.50s", what);
	return ctm_audit(cx->db, cx->now_ms, cx->who->person_id, action, "case", text_of(kase, "id"), ctm_json_get(kase, "data"), data, cx->err);
}
