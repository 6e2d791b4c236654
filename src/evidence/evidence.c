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

/* Is this column the product as a whole? */
static bool whole_column(const ctm_json *col)
{
	return ctm_streq(ctm_json_gets(col, "kind"), "product");
}

/* The row's cells of one part, or NULL when none of them is ever judged there. */
static ctm_json *part_cells(const ctm_json *row, const ctm_json *cols, bool whole, int64_t counts[WORDS])
{
	const ctm_json *all = ctm_json_get(row, "cells");
	ctm_json *mine = ctm_json_arr();
	int64_t n[WORDS] = { 0 };
	bool any = false;
	for (size_t k = 0; k < ctm_json_len(cols); k++) {
		const ctm_json *c = ctm_json_at(all, k);
		if (whole_column(ctm_json_at(cols, k)) != whole)
			continue;
		bool judged = ctm_json_getb(c, "judged", false);
		const char *status = ctm_json_gets(c, "status");
		any = any || judged;
		ctm_json_add(mine, ctm_json_copy(c));
		for (size_t i = 0; i < WORDS && judged; i++)
			n[i] += ctm_streq(*status ? status : words[WORDS - 1], words[i]);
	}
	for (size_t i = 0; i < WORDS && any; i++)
		counts[i] += n[i];
	if (any)
		return mine;
	ctm_json_free(mine);
	return NULL;
}

/* Half of the matrix as pages show it: what is judged component by component, or what is judged on the product as a whole. */
static ctm_json *part(const struct ctm_catalogue *cat, const ctm_json *rows, const ctm_json *cols, bool whole)
{
	ctm_json *p = ctm_json_obj(), *lines = ctm_json_arr(), *heads = ctm_json_arr(), *sums = ctm_json_obj();
	int64_t counts[WORDS] = { 0 }, total = 0, most = 0;
	char last[16] = "";
	for (size_t k = 0; k < ctm_json_len(cols); k++)
		if (whole_column(ctm_json_at(cols, k)) == whole)
			ctm_json_add(heads, ctm_json_copy(ctm_json_at(cols, k)));
	for (size_t i = 0; i < ctm_json_len(rows); i++) {
		const ctm_json *row = ctm_json_at(rows, i);
		const char *id = ctm_json_gets(row, "outcome");
		ctm_json *cells = part_cells(row, cols, whole, counts), *line = cells ? ctm_json_obj() : NULL;
		if (!cells)
			continue;
		char group[16];
		ctm_copy(group, sizeof group, id);
		group[strcspn(group, ".")] = 0;
		const struct ctm_outcome *capability = strcmp(group, last) ? ctm_outcome_find(cat, group) : NULL;
		ctm_copy(last, sizeof last, group);
		ctm_json_sets(line, "capability", capability ? capability->name : NULL);
		ctm_json_sets(line, "outcome", id);
		ctm_json_sets(line, "name", ctm_json_gets(row, "name"));
		ctm_json_sets(line, "text", ctm_json_gets(row, "text"));
		ctm_json_set(line, "cells", cells);
		ctm_json_add(lines, line);
	}
	for (size_t i = 0; i < WORDS; i++) {
		total += counts[i];
		most = counts[i] > most ? counts[i] : most;
		ctm_json_seti(sums, words[i], counts[i]);
	}
	ctm_json_setb(p, "whole", whole);
	ctm_json_setb(p, "alike", most == total);
	ctm_json_seti(p, "total", total);
	ctm_json_seti(p, "span", (int64_t)ctm_json_len(heads) + 1);
	ctm_json_set(p, "components", heads);
	ctm_json_set(p, "counts", sums);
	ctm_json_set(p, "rows", lines);
	return p;
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
	ctm_json *parts = ctm_json_arr();
	for (int whole = 0; whole < 2; whole++)
		ctm_json_add(parts, part(cat, rows, cols, whole));
	ctm_json_set(matrix, "parts", parts);
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
