/* SPDX-License-Identifier: Apache-2.0
 *
 * The product page: everything about one product that the viewer may see, and the evidence behind one cell of its
 * matrix. Drafts, devices and the timeline are the maker's own; a lab or label administrator sees published releases, documents and
 * their own cases and jobs.
 */
#include "product/product.h"
#include "product/release.h"
#include "product/use_cases.h"
#include "base/text.h"
#include "case/catalogue.h"
#include "event/timeline.h"
#include "evidence/evidence.h"

#define RELEASES_SHOWN 50

/* Rows of a statement with :param = value and, when org is set, :org. */
static int rows(struct ctm_cx *cx, const char *statement, const char *param, const char *value, const char *org, ctm_json **out)
{
	struct ctm_q *q = ctm_q(cx->db, statement);
	ctm_q_text(q, param, value);
	if (org)
		ctm_q_text(q, "org", org);
	return ctm_q_rows(q, 500, out, cx->err);
}

static int releases(struct ctm_cx *cx, const ctm_json *component, bool mine, ctm_json **out)
{
	CTM_AUTO_JSON *all = NULL, *list = ctm_json_arr();
	int rc = rows(cx, "release.of_component", "component", ctm_json_gets(component, "id"), NULL, &all);
	if (rc)
		return rc;
	for (size_t i = 0; i < ctm_json_len(all) && i < RELEASES_SHOWN; i++) {
		const ctm_json *row = ctm_json_at(all, i);
		bool draft = ctm_streq(ctm_json_gets(row, "state"), "draft");
		if (draft && !mine)
			continue;
		ctm_json *r = ctm_json_copy(row), *sbom = ctm_json_obj();
		const ctm_json *summary = ctm_json_get(row, "sbom");
		ctm_json_setb(r, "draft", draft);
		ctm_json_set(r, "missing", ctm_release_missing(row, ctm_json_gets(component, "kind")));
		ctm_json_seti(sbom, "components", ctm_json_geti(ctm_json_get(summary, "counts"), "components", 0));
		static const char *const keep[] = { "subject", "missing", "warnings", "format", "spec_version" };
		for (size_t k = 0; k < sizeof keep / sizeof *keep; k++)
			if (ctm_json_get(summary, keep[k]))
				ctm_json_set(sbom, keep[k], ctm_json_copy(ctm_json_get(summary, keep[k])));
		ctm_json_set(r, "sbom", sbom);
		ctm_json_add(list, r);
	}
	*out = list;
	list = NULL;
	return 0;
}

static int components(struct ctm_cx *cx, const char *product_id, bool mine, ctm_json *out)
{
	ctm_json *list = NULL, *shown = ctm_json_arr();
	int rc = rows(cx, "component.of_product", "product", product_id, NULL, &list);
	for (size_t i = 0; !rc && i < ctm_json_len(list); i++) {
		ctm_json *c = ctm_json_copy(ctm_json_at(list, i)), *rels = NULL;
		ctm_json_setb(c, "in_scope", ctm_json_geti(c, "in_scope", 0) != 0);
		if ((rc = releases(cx, c, mine, &rels)))
			ctm_json_free(c);
		else {
			ctm_json_set(c, "releases", rels);
			ctm_json_add(shown, c);
		}
	}
	ctm_json_free(list);
	if (rc) {
		ctm_json_free(shown);
		return rc;
	}
	return ctm_json_set(out, "components", shown);
}

/* The head of the page: the product's own facts and its place in the scheme. */
static ctm_json *head(const ctm_json *row, const ctm_json *item)
{
	static const char *const from_row[] = { "id", "name", "model", "category", "intended_use", "summary", "gtin", "fcc_id", "maker", "registry", "row_version" };
	static const char *const from_item[] = { "status", "support_end", "version", "certificate", "record_id" };
	ctm_json *p = ctm_json_obj();
	for (size_t i = 0; i < sizeof from_row / sizeof *from_row; i++)
		ctm_json_set(p, from_row[i], ctm_json_copy(ctm_json_get(row, from_row[i])));
	for (size_t i = 0; i < sizeof from_item / sizeof *from_item; i++) {
		const ctm_json *v = ctm_json_get(item, from_item[i]);
		ctm_json_set(p, from_item[i], v ? ctm_json_copy(v) : ctm_json_news(NULL));
	}
	ctm_json_sets(p, "maker_id", ctm_json_gets(row, "org_id"));
	ctm_json_setb(p, "registry_complete", ctm_json_len(ctm_json_get(row, "registry")) > 0);
	ctm_json_setb(p, "has_picture", ctm_json_gets(row, "picture_digest") != NULL);
	return p;
}

/* Lists that come straight from statements: name in `out`, statement, parameter, for whom. */
static int lists(struct ctm_cx *cx, const char *id, bool mine, ctm_json *out)
{
	const struct { const char *name, *statement, *param, *value; bool org, only_mine; } table[] = {
		{ "documents", "document.of_product", "product", id, false, false },
		{ "records", "product.records", "id", id, false, false },
		{ "cases", "product.cases", "id", id, true, false },
		{ "jobs", "lab_job.of_product", "product", id, true, false },
		{ "devices", "device.of_product", "product", id, false, true },
		{ "clas", "organisation.of_kind", "kind", "cla", false, true },
		{ "labs", "organisation.of_kind", "kind", "lab", false, true },
	};
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof table / sizeof *table; i++) {
		ctm_json *list = NULL;
		if (table[i].only_mine && !mine)
			list = ctm_json_arr();
		else
			rc = rows(cx, table[i].statement, table[i].param, table[i].value, table[i].org ? cx->who->org_id : NULL, &list);
		if (!rc)
			rc = ctm_json_set(out, table[i].name, list);
	}
	return rc;
}

int ctm_uc_product_get(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id");
	CTM_AUTO_JSON *row = NULL, *items = NULL;
	ctm_json *matrix = NULL, *lines = NULL;
	int rc = ctm_product_seen(cx, id, &row);
	if (rc || (rc = ctm_product_items(cx, id, &items)))
		return rc;
	const ctm_json *item = ctm_json_at(items, 0);
	bool mine = ctm_streq(ctm_json_gets(row, "org_id"), cx->who->org_id);
	ctm_json_set(out, "product", head(row, item));
	ctm_json_setb(out, "mine", mine);
	ctm_json_setb(out, "may_edit", mine && ctm_product_editor(cx->who));
	ctm_json_setb(out, "ready", ctm_json_getb(item, "ready", false));
	ctm_json_set(out, "missing", ctm_json_copy(ctm_json_get(item, "missing")));
	if ((rc = components(cx, id, mine, out)) || (rc = ctm_evidence_matrix(cx, id, NULL, &matrix)))
		return rc;
	ctm_json_set(out, "matrix", matrix);
	if ((rc = lists(cx, id, mine, out)))
		return rc;
	/* It tells of every case about the product, drafts and other offices' cases too: the maker's alone. */
	if (!mine)
		lines = ctm_json_arr();
	else if ((rc = ctm_timeline_read(cx->db, "product", id, 200, &lines, cx->err)))
		return rc;
	ctm_json_seti(out, "device_count", (int64_t)ctm_json_len(ctm_json_get(out, "devices")));
	return ctm_json_set(out, "timeline", lines);
}

int ctm_uc_product_api(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_uc_product_get(cx, out);
	CTM_AUTO_JSON *head_copy = rc ? NULL : ctm_json_copy(ctm_json_get(out, "product"));
	void *it = NULL;
	const char *key;
	const ctm_json *v;
	while (!rc && ctm_json_each(head_copy, &it, &key, &v))
		if (!ctm_json_get(out, key))
			rc = ctm_json_set(out, key, ctm_json_copy(v));
	return rc;
}

int ctm_uc_product_cell(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id"), *component_id = ctm_in(cx, "component_id"), *outcome = ctm_in(cx, "outcome"), *job = ctm_in(cx, "job");
	CTM_AUTO_JSON *row = NULL, *component = NULL;
	int rc = ctm_product_seen(cx, id, &row);
	if (!rc)
		rc = ctm_component_seen(cx, component_id, &component);
	if (rc)
		return rc;
	const struct ctm_outcome *o = ctm_outcome_find(ctm_app_catalogue(cx->app), outcome);
	if (!o || !ctm_streq(ctm_json_gets(component, "product_id"), id))
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "outcome", NULL, "there is no such cell in the matrix of this product");
	ctm_json *p = ctm_json_obj(), *c = ctm_json_obj();
	ctm_json_sets(p, "id", id);
	ctm_json_sets(p, "name", ctm_json_gets(row, "name"));
	ctm_json_set(out, "product", p);
	ctm_json_sets(c, "id", component_id);
	ctm_json_sets(c, "name", ctm_json_gets(component, "name"));
	ctm_json_sets(c, "kind", ctm_json_gets(component, "kind"));
	ctm_json_set(out, "component", c);
	ctm_json_sets(out, "outcome", o->id);
	ctm_json_sets(out, "name", o->name);
	ctm_json_sets(out, "text", o->text);
	return ctm_evidence_cell(cx, id, component_id, outcome, job, out);
}
