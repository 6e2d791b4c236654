/* SPDX-License-Identifier: Apache-2.0
 *
 * Products and components: made by their maker, seen by those who work on them. A foreign id answers exactly as an id that
 * was never given, so that ids of other organisations cannot be probed.
 */
#include "product/product.h"
#include "product/use_cases.h"
#include "base/id.h"
#include "base/text.h"
#include "event/timeline.h"
#include "identity/identity.h"
#include "product/registry_fields.h"
#include "store/audit.h"
#include <string.h>

bool ctm_product_editor(const struct ctm_who *who)
{
	return who->roles & (CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_ENGINEER);
}

static int no_such(struct ctm_cx *cx, const char *what)
{
	ctm_err_clear(cx->err);
	return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such %s", what);
}

/* One row of statement `name` for id and the viewer's organisation. */
static int row_of(struct ctm_cx *cx, const char *name, const char *id, bool scoped, const char *what, ctm_json **out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, name);
	ctm_q_text(q, "id", id);
	if (scoped)
		ctm_q_text(q, "org", cx->who->org_id);
	int rc = ctm_q_one(q, cx->err);
	if (rc)
		return rc == CTM_E_NOTFOUND ? no_such(cx, what) : rc;
	ctm_json *row = ctm_q_row(q);
	if (!row)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	*out = row;
	return 0;
}

int ctm_product_seen(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	return row_of(cx, "product.seen", id, true, "product", out);
}

int ctm_product_mine(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_JSON *row = NULL;
	int rc = row_of(cx, "product.get", id, false, "product", &row);
	if (rc)
		return rc;
	if (!ctm_streq(ctm_json_gets(row, "org_id"), cx->who->org_id))
		return no_such(cx, "product");
	*out = row;
	row = NULL;
	return 0;
}

int ctm_component_mine(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_JSON *row = NULL;
	int rc = row_of(cx, "component.get", id, false, "component", &row);
	if (rc)
		return rc;
	if (!ctm_streq(ctm_json_gets(row, "org_id"), cx->who->org_id))
		return no_such(cx, "component");
	*out = row;
	row = NULL;
	return 0;
}

int ctm_component_seen(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_JSON *row = NULL, *product = NULL;
	int rc = row_of(cx, "component.get", id, false, "component", &row);
	if (!rc && ctm_product_seen(cx, ctm_json_gets(row, "product_id"), &product))
		rc = no_such(cx, "component");
	if (rc)
		return rc;
	*out = row;
	row = NULL;
	return 0;
}

/* What an application would still lack, in words. */
static ctm_json *missing_of(const ctm_json *row)
{
	ctm_json *list = ctm_json_arr();
	if (!ctm_json_len(ctm_json_get(row, "registry")))
		ctm_json_adds(list, "the fields of the public record (47 CFR 8.222(b))");
	if (!ctm_json_gets(row, "version"))
		ctm_json_adds(list, "a published release of the device");
	return list;
}

int ctm_product_items(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_JSON *rows = NULL, *list = ctm_json_arr();
	struct ctm_q *q = ctm_q(cx->db, "product.list");
	ctm_q_text(q, "id", id ? id : "");
	ctm_q_text(q, "org", cx->who->org_id);
	int rc = ctm_q_rows(q, 500, &rows, cx->err);
	if (rc)
		return rc;
	for (size_t i = 0; i < ctm_json_len(rows); i++) {
		const ctm_json *row = ctm_json_at(rows, i);
		ctm_json *item = ctm_json_copy(row), *missing = missing_of(row);
		const char *status = ctm_json_gets(row, "record_status");
		const char *end = ctm_json_gets(ctm_json_get(ctm_json_get(row, "registry"), "support"), "end_date");
		if (!status)
			status = ctm_json_geti(row, "open_cases", 0) ? "applied" : ctm_json_gets(row, "denied_case") ? "denied" : "draft";
		ctm_json_sets(item, "status", status);
		if (end)
			ctm_json_sets(item, "support_end", end);
		ctm_json_setb(item, "ready", ctm_json_len(missing) == 0);
		ctm_json_set(item, "missing", missing);
		static const char *const inner[] = { "registry", "record_status", "open_cases" };
		for (size_t k = 0; k < 3; k++)
			ctm_json_del(item, inner[k]);
		if (ctm_json_add(list, item))
			return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	}
	*out = list;
	list = NULL;
	return 0;
}

int ctm_uc_product_list(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *items = NULL;
	int rc = ctm_product_items(cx, NULL, &items);
	if (rc)
		return rc;
	ctm_json_setb(out, "may_edit", ctm_product_editor(cx->who));
	return ctm_json_set(out, "products", items);
}

static int insert_component(struct ctm_cx *cx, const char *product, const char *kind, const char *name, bool in_scope, const char *carve_out,
	char id[CTM_UUID_MAX])
{
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(cx->db, "component.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "product", product);
	ctm_q_text(q, "kind", kind);
	ctm_q_text(q, "name", name);
	ctm_q_int(q, "in_scope", in_scope);
	ctm_q_text(q, "carve_out", carve_out);
	ctm_q_int(q, "now", cx->now_ms);
	return ctm_q_run(q, NULL, cx->err);
}

int ctm_uc_product_add(struct ctm_cx *cx, ctm_json *out)
{
	static const char *const fields[] = { "name", "model", "category", "intended_use", "summary", "gtin", "fcc_id" };
	char id[CTM_UUID_MAX], whole[CTM_UUID_MAX];
	CTM_AUTO_JSON *after = ctm_json_obj();
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(cx->db, "product.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "org", cx->who->org_id);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const char *v = ctm_in(cx, fields[i]);
		ctm_q_text(q, fields[i], v ? v : "");
		ctm_json_sets(after, fields[i], v ? v : "");
	}
	ctm_q_int(q, "now", cx->now_ms);
	int rc = ctm_q_run(q, NULL, cx->err);
	if (rc == CTM_E_EXISTS) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "model", NULL, "you already have a product with the model \"%s\"", ctm_in(cx, "model"));
	}
	if (!rc)
		rc = insert_component(cx, id, "product", "product", true, "", whole);
	if (!rc)
		rc = ctm_timeline_add(cx->db, cx->now_ms, "product", id, ctm_who_name(cx->who), "Product created.", NULL, cx->err);
	if (!rc)
		rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "product.add", "product", id, NULL, after, cx->err);
	if (rc)
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/products/%s", id);
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "name", ctm_in(cx, "name"));
	return ctm_json_sets(out, "model", ctm_in(cx, "model"));
}

int ctm_uc_component_add(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *product = NULL, *after = ctm_json_obj();
	const char *product_id = ctm_in(cx, "id"), *carve = ctm_in(cx, "carve_out"), *scope = ctm_in(cx, "in_scope");
	char id[CTM_UUID_MAX];
	int rc = ctm_product_mine(cx, product_id, &product);
	if (rc)
		return rc;
	bool in_scope = !scope || strcmp(scope, "0") != 0;
	if (!in_scope && !carve)
		return ctm_fail(cx->err, CTM_E_INPUT, "carve_out", "IR8425", "a component left out of scope needs a reference to the risk assessment that says why");
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "component.count");
		ctm_q_text(q, "product", product_id);
		if ((rc = ctm_q_one(q, cx->err)))
			return rc;
		if (ctm_q_i64(q, "n") >= 40)
			return ctm_fail(cx->err, CTM_E_INPUT, "id", NULL, "a product has at most 39 components");
	}
	rc = insert_component(cx, product_id, ctm_in(cx, "kind"), ctm_in(cx, "name"), in_scope, carve ? carve : "", id);
	if (rc == CTM_E_EXISTS) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "name", NULL, "this product already has a component \"%s\"", ctm_in(cx, "name"));
	}
	ctm_json_sets(after, "product_id", product_id);
	ctm_json_sets(after, "kind", ctm_in(cx, "kind"));
	ctm_json_sets(after, "name", ctm_in(cx, "name"));
	if (!rc)
		rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "component.add", "component", id, NULL, after, cx->err);
	if (rc)
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/products/%s", product_id);
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "product_id", product_id);
	ctm_json_sets(out, "kind", ctm_in(cx, "kind"));
	return ctm_json_sets(out, "name", ctm_in(cx, "name"));
}
