/* SPDX-License-Identifier: Apache-2.0
 *
 * The matrix is laid out from the catalogue (rows) and the product's components (columns); the database only fills cells.
 * So an outcome nobody looked at is an empty cell in its place, never a missing row.
 */
#include "evidence/evidence.h"
#include "base/id.h"
#include "base/text.h"
#include "case/catalogue.h"
#include <string.h>

static const char *const words[] = { "met", "not_met", "undetermined", "not_applicable", "empty" };
#define WORDS (sizeof words / sizeof *words)

/* The filled cell of an outcome and component, or NULL. */
static const ctm_json *filled(const ctm_json *cells, const char *outcome, const char *component)
{
	for (size_t i = 0; i < ctm_json_len(cells); i++) {
		const ctm_json *c = ctm_json_at(cells, i);
		if (ctm_streq(ctm_json_gets(c, "outcome"), outcome) && ctm_streq(ctm_json_gets(c, "component_id"), component))
			return c;
	}
	return NULL;
}

static ctm_json *cell(const ctm_json *cells, const struct ctm_outcome *o, const ctm_json *component, const char *product_id, const char *job_id,
	int64_t counts[WORDS])
{
	const char *id = ctm_json_gets(component, "id");
	const ctm_json *have = filled(cells, o->id, id);
	const char *status = ctm_json_gets(have, "status"), *why = ctm_json_gets(have, "why");
	bool judged = ctm_outcome_judged(o, ctm_json_gets(component, "kind"));
	ctm_json *c = ctm_json_obj();
	ctm_json_sets(c, "outcome", o->id);
	ctm_json_sets(c, "component_id", id);
	ctm_json_sets(c, "component", ctm_json_gets(component, "name"));
	ctm_json_setb(c, "judged", judged || status);
	ctm_json_sets(c, "status", status ? status : "");
	ctm_json_sets(c, "why", why ? why : "");
	ctm_json_seti(c, "count", ctm_json_geti(have, "count", 0));
	ctm_json_set(c, "newest_ms", have ? ctm_json_copy(ctm_json_get(have, "newest_ms")) : ctm_json_news(NULL));
	ctm_json_sets(c, "product_id", product_id);
	ctm_json_sets(c, "job_id", job_id);
	for (size_t i = 0; i < WORDS; i++)
		if (ctm_streq(status, words[i]))
			counts[i]++;
	if (!status && judged)
		counts[WORDS - 1]++;
	return c;
}

static int columns(struct ctm_cx *cx, const char *product_id, ctm_json **out)
{
	CTM_AUTO_JSON *list = ctm_json_arr();
	CTM_AUTO_Q *q = ctm_q(cx->db, "component.columns");
	ctm_q_text(q, "product", product_id);
	bool row;
	int rc;
	while (!(rc = ctm_q_step(q, &row, cx->err)) && row) {
		if (!ctm_q_i64(q, "in_scope"))
			continue;
		ctm_json *c = ctm_json_obj();
		ctm_json_sets(c, "id", ctm_q_str(q, "id"));
		ctm_json_sets(c, "name", ctm_q_str(q, "name"));
		ctm_json_sets(c, "kind", ctm_q_str(q, "kind"));
		ctm_json_add(list, c);
	}
	if (rc)
		return rc;
	*out = list;
	list = NULL;
	return 0;
}

int ctm_evidence_matrix(struct ctm_cx *cx, const char *product_id, const char *job_id, ctm_json **out)
{
	CTM_AUTO_JSON *cells = NULL, *cols = NULL, *matrix = ctm_json_obj();
	struct ctm_q *q = ctm_q(cx->db, "evidence.matrix");
	ctm_q_text(q, "product", product_id);
	ctm_q_text(q, "job", job_id ? job_id : "");
	ctm_q_text(q, "org", cx->who->org_id);
	int rc = ctm_q_rows(q, 10000, &cells, cx->err);
	if (rc || (rc = columns(cx, product_id, &cols)))
		return rc;
	const struct ctm_catalogue *cat = ctm_app_catalogue(cx->app);
	ctm_json *rows = ctm_json_arr(), *counts_doc = ctm_json_obj();
	int64_t counts[WORDS] = { 0 };
	for (size_t i = 0; i < ctm_outcome_count(cat); i++) {
		const struct ctm_outcome *o = ctm_outcome_at(cat, i);
		if (!o->judged_on)
			continue;
		ctm_json *row = ctm_json_obj(), *across = ctm_json_arr();
		for (size_t k = 0; k < ctm_json_len(cols); k++)
			ctm_json_add(across, cell(cells, o, ctm_json_at(cols, k), product_id, job_id, counts));
		ctm_json_sets(row, "outcome", o->id);
		ctm_json_sets(row, "name", o->name);
		ctm_json_sets(row, "text", o->text);
		ctm_json_set(row, "cells", across);
		ctm_json_add(rows, row);
	}
	for (size_t i = 0; i < WORDS; i++)
		ctm_json_seti(counts_doc, words[i], counts[i]);
	ctm_json_sets(matrix, "product_id", product_id);
	ctm_json_sets(matrix, "job_id", job_id);
	ctm_json_set(matrix, "components", cols);
	cols = NULL;
	ctm_json_set(matrix, "rows", rows);
	if (ctm_json_set(matrix, "counts", counts_doc))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	*out = matrix;
	matrix = NULL;
	return 0;
}

static struct ctm_q *bind_cell(struct ctm_q *q, const char *product_id, const char *component_id, const char *outcome, const char *job_id)
{
	ctm_q_text(q, "product", product_id);
	ctm_q_text(q, "component", component_id);
	ctm_q_text(q, "outcome", outcome);
	ctm_q_text(q, "job", job_id ? job_id : "");
	return q;
}

/* The same for a statement that asks whose eyes look. */
static struct ctm_q *seen_by(struct ctm_cx *cx, const char *statement, const char *product_id, const char *component_id, const char *outcome, const char *job_id)
{
	struct ctm_q *q = bind_cell(ctm_q(cx->db, statement), product_id, component_id, outcome, job_id);
	ctm_q_text(q, "org", cx->who->org_id);
	return q;
}

int ctm_evidence_cell(struct ctm_cx *cx, const char *product_id, const char *component_id, const char *outcome, const char *job_id, ctm_json *out)
{
	ctm_json *items = NULL;
	int rc;
	{
		CTM_AUTO_Q *q = seen_by(cx, "evidence.cell_status", product_id, component_id, outcome, job_id);
		bool row = false;
		if ((rc = ctm_q_step(q, &row, cx->err)))
			return rc;
		ctm_json_sets(out, "status", row ? ctm_q_str(q, "status") : "");
		ctm_json_sets(out, "why", row ? ctm_q_str(q, "why") : "");
		ctm_json_set(out, "at_ms", row ? ctm_json_newi(ctm_q_i64(q, "at_ms")) : ctm_json_news(NULL));
		ctm_json_sets(out, "job_id", row ? ctm_q_str(q, "job_id") : job_id);
	}
	if ((rc = ctm_q_rows(seen_by(cx, "evidence.cell", product_id, component_id, outcome, job_id), 500, &items, cx->err)))
		return rc;
	return ctm_json_set(out, "evidence", items);
}

int ctm_evidence_add(struct ctm_db *db, const struct ctm_evidence_item *e, struct ctm_err *err)
{
	char id[CTM_UUID_MAX];
	ctm_uuid7(id);
	struct ctm_q *q = bind_cell(ctm_q(db, "evidence.add"), e->product_id, e->component_id, e->outcome, NULL);
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "job", e->job_id);
	ctm_q_text(q, "check", e->check_id);
	ctm_q_text(q, "kind", e->kind);
	ctm_q_text(q, "method", e->method);
	ctm_q_text(q, "verdict", e->verdict);
	ctm_q_text(q, "digest", e->digest);
	ctm_q_text(q, "title", e->title);
	ctm_q_text(q, "author", e->author);
	ctm_q_int(q, "at_ms", e->at_ms);
	return ctm_q_run(q, NULL, err);
}

int ctm_outcome_status_add(struct ctm_db *db, const char *product_id, const char *job_id, const char *component_id, const char *outcome,
	const char *status, const char *why, int64_t at_ms, struct ctm_err *err)
{
	struct ctm_q *q = bind_cell(ctm_q(db, "outcome_status.add"), product_id, component_id, outcome, job_id);
	ctm_q_text(q, "status", status);
	ctm_q_text(q, "why", why);
	ctm_q_int(q, "at_ms", at_ms);
	return ctm_q_run(q, NULL, err);
}
