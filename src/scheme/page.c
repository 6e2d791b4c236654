/* SPDX-License-Identifier: Apache-2.0
 *
 * The worksheet of a case: everything a reviewer or decider needs on one page, and what each may do next with the reason
 * where not. The same object answers the API. Reading only.
 */
#include "scheme/scheme.h"
#include "scheme/spans.h"
#include "base/text.h"
#include "event/timeline.h"
#include "evidence/evidence.h"
#include <string.h>

struct page { struct ctm_cx *cx; ctm_json *kase, *out; const ctm_json *data; const struct ctm_case_table *table; };

static int put(struct page *p, const char *key, ctm_json *v) { return ctm_json_set(p->out, key, v ? v : ctm_json_news(NULL)) ? ctm_nomem(p->cx) : 0; }

/* The member of the case's data, or null. */
static int put_data(struct page *p, const char *key) { return put(p, key, ctm_json_copy(ctm_json_get(p->data, key))); }

static int put_case(struct page *p)
{
	static const char *const texts[] = { "cla", "lab", "lab_org_id", "pack", "pack_version", "prior_case_id" };
	static const char *const times[] = { "filed_ms", "accepted_ms", "decided_ms", "closed_ms" };
	ctm_json *c = NULL;
	int rc = ctm_case_line(p->cx, p->kase, &c);
	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		rc |= ctm_json_sets(c, texts[i], ctm_json_gets(p->kase, texts[i]));
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		rc |= ctm_json_set(c, times[i], ctm_json_copy(ctm_json_get(p->kase, times[i])));
	rc |= ctm_json_sets(c, "applicant", ctm_json_gets(p->kase, "maker")) | ctm_json_sets(c, "certificate_id", ctm_json_gets(p->data, "certificate_id"))
		| ctm_json_sets(c, "reason", ctm_json_gets(p->data, "reason")) | ctm_json_seti(c, "row_version", ctm_json_geti(p->kase, "row_version", 0));
	return ctm_json_set(p->out, "case", c) | rc ? ctm_nomem(p->cx) : 0;
}

static bool agreed(const ctm_json *d, const char *id)
{
	const ctm_json *a = ctm_json_get(d, "agreed");
	for (size_t i = 0; i < ctm_json_len(a); i++)
		if (ctm_streq(ctm_json_str(ctm_json_at(a, i)), id))
			return true;
	return false;
}

static int declaration_rows(struct page *p, const ctm_json *d, ctm_json *rows)
{
	const struct ctm_group *g = ctm_pack_group(p->table->law, "declarations");
	for (size_t i = 0; g && i < g->n; i++) {
		ctm_json *r = ctm_json_obj();
		int rc = ctm_json_sets(r, "id", g->terms[i].id) | ctm_json_sets(r, "text", g->terms[i].text) | ctm_json_sets(r, "citation", g->terms[i].citation)
			| ctm_json_setb(r, "agreed", agreed(d, g->terms[i].id));
		if (ctm_json_add(rows, r) | rc)
			return ctm_nomem(p->cx);
	}
	return 0;
}

static int put_declarations(struct page *p)
{
	const struct ctm_case_state *s = ctm_case_state_find(p->table, ctm_text(p->kase, "state"));
	bool application = strcmp(ctm_text(p->kase, "kind"), "application") == 0;
	bool may = application && s && !s->final && strcmp(ctm_case_side(p->cx, p->kase), "applicant") == 0
		&& (p->cx->who->roles & (CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_SIGNER));
	if (ctm_json_setb(p->out, "may_declare", may))
		return ctm_nomem(p->cx);
	if (!application)
		return put(p, "declarations", NULL);
	const ctm_json *d = ctm_json_get(p->data, "declarations");
	ctm_json *v = d ? ctm_json_copy(d) : ctm_json_obj(), *rows = ctm_json_arr(), *texts = ctm_json_arr();
	CTM_AUTO_JSON *missing = NULL;
	int rc = ctm_declarations_missing(p->cx, p->table->law, d, &missing);
	for (size_t i = 0; !rc && i < ctm_json_len(missing); i++)
		if (ctm_json_adds(texts, ctm_text(ctm_json_at(missing, i), "text")))
			rc = ctm_nomem(p->cx);
	if (!rc)
		rc = declaration_rows(p, d, rows);
	if (!rc && (ctm_pairs_text(ctm_json_get(d, "affiliates"), "name", "percent", v, "affiliates_text") || ctm_pairs_text(ctm_json_get(d, "producers"), "component", "name", v, "producers_text")))
		rc = ctm_nomem(p->cx);
	if (ctm_json_set(v, "rows", rows) | ctm_json_setb(v, "complete", ctm_json_len(missing) == 0) | ctm_json_set(v, "missing", texts))
		rc = rc ? rc : ctm_nomem(p->cx);
	int rc2 = put(p, "declarations", v);
	return rc ? rc : rc2;
}

static int put_report(struct page *p)
{
	ctm_json *matrix = NULL, *gaps = NULL;
	const char *job = ctm_json_gets(ctm_json_get(p->data, "report"), "job_id");
	int rc = put_data(p, "report");
	if (!rc && job)
		rc = ctm_evidence_matrix(p->cx, ctm_text(p->kase, "product_id"), job, &matrix);
	if (!rc)
		rc = put(p, "matrix", matrix);
	if (!rc && job)
		rc = ctm_gaps(p->cx, ctm_text(p->kase, "product_id"), job, &gaps);
	return rc ? rc : put(p, "gaps", gaps ? gaps : ctm_json_arr());
}

static int put_review(struct page *p)
{
	const struct ctm_group *g = ctm_pack_group(p->table->scheme, "verifications");
	const ctm_json *review = ctm_json_get(p->data, "review"), *given = ctm_json_get(review, "verifications");
	ctm_json *list = ctm_json_arr();
	int rc = 0;
	bool application = strcmp(p->table->kind, "application") == 0;
	for (size_t i = 0; application && g && i < g->n; i++) {
		const ctm_json *v = NULL;
		for (size_t k = 0; k < ctm_json_len(given); k++)
			if (ctm_streq(ctm_json_gets(ctm_json_at(given, k), "id"), g->terms[i].id))
				v = ctm_json_at(given, k);
		ctm_json *o = ctm_json_obj();
		rc |= ctm_json_seti(o, "n", (int64_t)i + 1) | ctm_json_sets(o, "id", g->terms[i].id) | ctm_json_sets(o, "text", g->terms[i].text)
			| ctm_json_sets(o, "citation", g->terms[i].citation) | ctm_json_set(o, "ok", v ? ctm_json_copy(ctm_json_get(v, "ok")) : ctm_json_news(NULL))
			| ctm_json_sets(o, "note", ctm_text(v, "note"));
		rc |= ctm_json_add(list, o);
	}
	rc |= ctm_json_set(p->out, "verifications", list) | ctm_json_sets(p->out, "recommendation", ctm_json_gets(review, "recommendation"))
		| ctm_json_sets(p->out, "recommended_by", ctm_json_gets(review, "by"));
	return rc ? ctm_nomem(p->cx) : 0;
}

/* Approvals are kept by person id; the page shows names. */
static int name_approvals(struct ctm_cx *cx, ctm_json *decision)
{
	ctm_json *named = ctm_json_arr();
	const ctm_json *list = ctm_json_get(decision, "approvals");
	int rc = 0;
	for (size_t i = 0; !rc && i < ctm_json_len(list); i++) {
		const ctm_json *a = ctm_json_at(list, i);
		CTM_AUTO_JSON *person = NULL;
		rc = ctm_one(cx, "scheme.person", "id", ctm_text(a, "person_id"), &person);
		ctm_json *o = ctm_json_obj();
		if (ctm_json_sets(o, "name", ctm_text(person, "name")) | ctm_json_sets(o, "part", ctm_text(a, "part")) | ctm_json_seti(o, "at_ms", ctm_json_geti(a, "at_ms", 0)))
			rc = rc ? rc : ctm_nomem(cx);
		if (ctm_json_add(named, o) && !rc)
			rc = ctm_nomem(cx);
	}
	if (ctm_json_set(decision, "approvals", named) && !rc)
		rc = ctm_nomem(cx);
	return rc;
}

static int put_decisions(struct page *p)
{
	CTM_AUTO_JSON *rows = NULL;
	ctm_json *list = ctm_json_arr();
	struct ctm_q *q = ctm_q(p->cx->db, "scheme.decisions");
	ctm_q_text(q, "case", ctm_text(p->kase, "id"));
	int rc = ctm_q_rows(q, 50, &rows, p->cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		ctm_json *d = ctm_json_copy(ctm_json_at(rows, i));
		rc = name_approvals(p->cx, d);
		if (ctm_json_add(list, d) && !rc)
			rc = ctm_nomem(p->cx);
	}
	int rc2 = put(p, "decisions", list);
	return rc ? rc : rc2;
}

static int put_certificate(struct page *p)
{
	static const char *const texts[] = { "id", "number", "status", "valid_from", "valid_to", "record_id" };
	CTM_AUTO_JSON *c = NULL;
	const char *id = ctm_json_gets(p->data, "certificate_id");
	int rc = id ? ctm_certificate_get(p->cx, id, NULL, &c) : 0;
	if (rc)
		return rc;
	if (!c)
		return put(p, "certificate", NULL) || put(p, "authorisation", NULL) ? ctm_nomem(p->cx) : 0;
	ctm_json *v = ctm_json_obj(), *a = ctm_json_obj();
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		rc |= ctm_json_sets(v, texts[i], ctm_json_gets(c, texts[i]));
	rc |= ctm_json_sets(a, "status", ctm_json_gets(c, "authorisation_status")) | ctm_json_sets(a, "granted_on", ctm_json_gets(c, "granted_on"))
		| ctm_json_sets(a, "issuing_authority", ctm_json_gets(c, "issuing_authority"));
	rc |= ctm_json_set(p->out, "certificate", v) | ctm_json_set(p->out, "authorisation", a);
	return rc ? ctm_nomem(p->cx) : 0;
}

static int put_lists(struct page *p)
{
	struct ctm_cx *cx = p->cx;
	const char *id = ctm_text(p->kase, "id");
	ctm_json *timeline = NULL, *history = NULL, *documents = NULL, *clocks = NULL, *events = NULL, *spans = NULL;
	int rc = ctm_timeline_read(cx->db, "case", id, 200, &timeline, cx->err);
	if (!rc)
		rc = put(p, "timeline", timeline);
	struct ctm_q *q = ctm_q(cx->db, "case.events");
	ctm_q_text(q, "case", id);
	if (rc || (rc = ctm_q_rows(q, 500, &history, cx->err)))
		return rc;
	if ((rc = ctm_case_spans(cx, history, ctm_json_get(p->kase, "closed_ms") && ctm_json_geti(p->kase, "closed_ms", 0), &spans)) || (rc = put(p, "spans", spans))) {
		ctm_json_free(history);
		return rc;
	}
	if ((rc = put(p, "history", history)))
		return rc;
	q = ctm_q(cx->db, "scheme.documents");
	ctm_q_text(q, "case", id);
	ctm_q_text(q, "product", ctm_text(p->kase, "product_id"));
	if ((rc = ctm_q_rows(q, 200, &documents, cx->err)) || (rc = put(p, "documents", documents)))
		return rc;
	if ((rc = ctm_case_clocks(cx, p->kase, &clocks)) || (rc = put(p, "clocks", clocks)))
		return rc;
	return (rc = ctm_case_events(cx, p->kase, &events)) ? rc : put(p, "events", events);
}

/* Other cases about the same product, as far as the viewer's organisation takes part in them. */
static int put_related(struct page *p)
{
	CTM_AUTO_JSON *rows = NULL;
	ctm_json *list = ctm_json_arr();
	struct ctm_q *q = ctm_q(p->cx->db, "case.list");
	ctm_q_text(q, "org", p->cx->who->org_id);
	ctm_q_text(q, "product", ctm_text(p->kase, "product_id"));
	ctm_q_int(q, "max", 50);
	int rc = ctm_q_rows(q, 50, &rows, p->cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		ctm_json *line = NULL;
		if (ctm_streq(ctm_text(ctm_json_at(rows, i), "id"), ctm_text(p->kase, "id")))
			continue;
		rc = ctm_case_line(p->cx, ctm_json_at(rows, i), &line);
		if (!rc && ctm_json_add(list, line))
			rc = ctm_nomem(p->cx);
	}
	int rc2 = put(p, "cases", list);
	return rc ? rc : rc2;
}

int ctm_case_page(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *kase = NULL;
	struct page p = { .cx = cx, .out = out };
	int rc = ctm_case_get(cx, ctm_in(cx, "id"), &kase);
	if (rc || (rc = ctm_case_table_of(cx, kase, &p.table)))
		return rc;
	p.kase = kase;
	p.data = ctm_json_get(kase, "data");
	static int (*const parts[])(struct page *) = { put_case, put_declarations, put_report, put_review, put_decisions, put_certificate, put_lists, put_related };
	for (size_t i = 0; !rc && i < sizeof parts / sizeof *parts; i++)
		rc = parts[i](&p);
	if (!rc)
		rc = put_data(&p, "screening");
	if (!rc)
		rc = ctm_json_get(p.data, "baseline") ? put_data(&p, "baseline") : put(&p, "baseline", ctm_json_arr());
	return rc;
}

int ctm_cases_page(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_case_inbox(cx, out);
	return rc || !ctm_json_setb(out, "may_apply", cx->who->roles & (CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_SIGNER)) ? rc : ctm_nomem(cx);
}
