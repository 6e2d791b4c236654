/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening cases: an application for the label by the maker, a suspension or withdrawal by the label administrator. What can be
 * refused at once is refused here; everything later is a row of the case table.
 */
#include "scheme/scheme.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

static int find_org(struct ctm_cx *cx, const char *field, const char *id, const char *kind)
{
	CTM_AUTO_JSON *org = NULL;
	int rc = ctm_one(cx, "scheme.org", "id", id, &org);
	if (rc == CTM_E_NOTFOUND || (!rc && strcmp(ctm_text(org, "kind"), kind) != 0)) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_INPUT, field, NULL, "there is no such organisation of the kind \"%s\"", kind);
	}
	return rc;
}

static int own_product(struct ctm_cx *cx, const char *id)
{
	CTM_AUTO_JSON *p = NULL;
	int rc = ctm_one(cx, "scheme.product", "id", id, &p);
	if (rc == CTM_E_NOTFOUND || (!rc && strcmp(ctm_text(p, "org_id"), cx->who->org_id) != 0)) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "product_id", NULL, "there is no such product");
	}
	return rc;
}

/* certificate_id NULL: any open case of the kind about the product. */
static int none_open(struct ctm_cx *cx, const char *product_id, const char *kind, const char *certificate_id)
{
	CTM_AUTO_JSON *rows = NULL;
	struct ctm_q *q = ctm_q(cx->db, "scheme.open_cases");
	ctm_q_text(q, "product", product_id);
	ctm_q_text(q, "kind", kind);
	int rc = ctm_q_rows(q, 100, &rows, cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		const ctm_json *r = ctm_json_at(rows, i);
		if (!certificate_id || ctm_streq(ctm_json_gets(ctm_json_get(r, "data"), "certificate_id"), certificate_id))
			rc = ctm_fail(cx->err, CTM_E_EXISTS, "kind", NULL, "%s of the same kind is still open; finish that one first", ctm_text(r, "number"));
	}
	return rc;
}

int ctm_application_open(struct ctm_cx *cx, ctm_json *out)
{
	const char *product = ctm_in(cx, "product_id"), *cla = ctm_in(cx, "cla_org_id"), *lab = ctm_in(cx, "lab_org_id"), *prior = ctm_in(cx, "prior_case_id");
	CTM_AUTO_JSON *before = NULL;
	int rc = own_product(cx, product);
	if (!rc)
		rc = find_org(cx, "cla_org_id", cla, "cla");
	if (!rc && lab)
		rc = find_org(cx, "lab_org_id", lab, "lab");
	if (!rc && prior)
		rc = ctm_case_get(cx, prior, &before);
	if (!rc && prior && strcmp(ctm_text(before, "applicant_org_id"), cx->who->org_id) != 0)
		rc = ctm_fail(cx->err, CTM_E_INPUT, "prior_case_id", NULL, "the earlier application is not yours");
	if (!rc)
		rc = none_open(cx, product, "application", NULL);
	if (rc)
		return rc;
	struct ctm_case_new n = { .kind = "application", .product_id = product, .applicant_org_id = cx->who->org_id, .cla_org_id = cla, .lab_org_id = lab,
		.prior_case_id = prior, .part = "applicant" };
	if ((rc = ctm_case_open(cx, &n, out)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/cases/%s", ctm_text(out, "id"));
	return 0;
}

int ctm_certificate_case_open(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id"), *kind = ctm_in(cx, "kind"), *reason = ctm_in(cx, "reason");
	CTM_AUTO_JSON *c = NULL, *data = ctm_json_obj();
	int rc = ctm_certificate_get(cx, id, NULL, &c);
	if (rc)
		return rc;
	if (strcmp(ctm_text(c, "cla_org_id"), cx->who->org_id) != 0)      /* 47 CFR 8.220(f)(5): a label administrator acts on its own certificates only */
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such certificate");
	const char *status = ctm_text(c, "status");
	bool suspension = strcmp(kind, "suspension") == 0;
	if (suspension ? strcmp(status, "in_force") != 0 : strcmp(status, "in_force") != 0 && strcmp(status, "suspended") != 0)
		return ctm_fail(cx->err, CTM_E_STATE, "id", "ISO/IEC 17065 7.11", "the certificate is %s; a %s cannot be proposed", status, kind);
	if ((rc = none_open(cx, ctm_text(c, "product_id"), kind, id)))
		return rc;
	if (ctm_json_sets(data, "certificate_id", id) || ctm_json_sets(data, "certificate_number", ctm_text(c, "number")) || ctm_json_sets(data, "reason", reason))
		return ctm_nomem(cx);
	struct ctm_case_new n = { .kind = kind, .product_id = ctm_text(c, "product_id"), .applicant_org_id = ctm_text(c, "applicant_org_id"), .cla_org_id = cx->who->org_id,
		.part = "proposer", .note = reason, .data = data };
	if ((rc = ctm_case_open(cx, &n, out)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/cases/%s", ctm_text(out, "id"));
	return 0;
}

/* ---- events ---- */

int ctm_case_event_api(struct ctm_cx *cx, ctm_json *out)
{
	static const char *const keys[] = { "note", "data", "row_version" };
	struct ctm_jc at = ctm_jc_root(cx->body, "body"), data = at;
	const char *note = NULL;
	int64_t version = 0;
	struct ctm_jc has;
	CTM_AUTO_JSON *given = NULL;
	int rc = ctm_jc_is(&at, CTM_J_OBJ, cx->err);
	if (rc || (rc = ctm_jc_only(&at, keys, 3, cx->err)) || (rc = ctm_jc_opt_str(&at, "note", 4000, &note, cx->err)))
		return rc;
	if (ctm_jc_has(&at, "data", &data) && (rc = ctm_jc_is(&data, CTM_J_OBJ, cx->err)))
		return rc;
	if (note && !ctm_text_printable(note, strlen(note)))
		return ctm_fail(cx->err, CTM_E_INPUT, "note", NULL, "the note holds characters that cannot be printed");
	given = data.v == at.v ? ctm_json_obj() : ctm_json_copy(data.v);
	if (ctm_jc_has(&at, "row_version", &has) && ((rc = ctm_jc_int(&at, "row_version", 0, INT64_MAX, &version, cx->err)) || (rc = ctm_json_seti(given, "row_version", version))))
		return rc;
	return ctm_case_fire(cx, ctm_in(cx, "id"), ctm_in(cx, "event"), given, note, out);
}

/* Lines "REQUIREMENT | component | text", as a person types them. */
static int reasons_of(struct ctm_cx *cx, const char *text, ctm_json *list)
{
	size_t no = 1;
	for (const char *line = text; *line; no++) {
		size_t len = strcspn(line, "\r\n");
		const char *a = memchr(line, '|', len), *b = a ? memchr(a + 1, '|', len - (size_t)(a + 1 - line)) : NULL;
		const char *end = line + len, *part[3][2] = { { line, a }, { a + 1, b }, { b + 1, end } }, *keys[3] = { "requirement", "component", "text" };
		bool blank = strspn(line, " \t") >= len;
		if (!blank && !b)
			return ctm_fail(cx->err, CTM_E_INPUT, "reasons", "47 CFR 8.211", "line %zu of the reasons is not REQUIREMENT | component | text", no);
		ctm_json *r = blank ? NULL : ctm_json_obj();
		for (int i = 0; r && i < 3; i++) {
			const char *p = part[i][0], *e = part[i][1];
			while (p < e && (*p == ' ' || *p == '\t'))
				p++;
			while (e > p && (e[-1] == ' ' || e[-1] == '\t'))
				e--;
			if (ctm_json_sets(r, keys[i], ctm_arena_ndup(cx->arena, p, (size_t)(e - p)))) {
				ctm_json_free(r);
				return ctm_nomem(cx);
			}
		}
		if (r && ctm_json_add(list, r))
			return ctm_nomem(cx);
		line = end + strspn(end, "\r\n");
	}
	return 0;
}

static int verifications_of(struct ctm_cx *cx, ctm_json *given)
{
	const struct ctm_group *g = ctm_pack_group(ctm_pack_find(ctm_app_catalogue(cx->app), "scheme", NULL), "verifications");
	ctm_json *list = ctm_json_arr();
	bool any = false;
	int rc = 0;
	for (size_t i = 0; g && i < g->n && i < 6; i++) {
		char check[8], note[8];
		snprintf(check, sizeof check, "check%d", (int)i + 1);
		snprintf(note, sizeof note, "note%d", (int)i + 1);
		const char *ok = ctm_in(cx, check), *words = ctm_in(cx, note);
		any |= ok || words;
		ctm_json *v = ctm_json_obj();
		rc |= ctm_json_sets(v, "id", g->terms[i].id) | ctm_json_setb(v, "ok", ok && strcmp(ok, "0") != 0) | ctm_json_sets(v, "note", words ? words : "");
		rc |= ctm_json_add(list, v);
	}
	if (!any) {
		ctm_json_free(list);
		return rc ? ctm_nomem(cx) : 0;
	}
	return ctm_json_set(given, "verifications", list) | rc ? ctm_nomem(cx) : 0;
}

int ctm_case_event_form(struct ctm_cx *cx, ctm_json *out)
{
	static const char *const texts[] = { "kind", "recommendation", "reason", "job_id", "signed_by", "signed_on", "lab_org_id", "subject", "list" };
	CTM_AUTO_JSON *given = ctm_json_obj();
	const char *reasons = ctm_in(cx, "reasons"), *version = ctm_in(cx, "row_version");
	int rc = verifications_of(cx, given);
	for (size_t i = 0; !rc && i < sizeof texts / sizeof *texts; i++) {
		const char *v = ctm_in(cx, texts[i]);
		if (v && *v && ctm_json_sets(given, texts[i], v))
			rc = ctm_nomem(cx);
	}
	if (!rc && version && ctm_json_seti(given, "row_version", ctm_in_int(cx, "row_version", 0)))
		rc = ctm_nomem(cx);
	if (!rc && reasons) {
		ctm_json *list = ctm_json_arr();
		rc = reasons_of(cx, reasons, list);
		if (ctm_json_set(given, "reasons", list) && !rc)
			rc = ctm_nomem(cx);
	}
	if (rc || (rc = ctm_case_fire(cx, ctm_in(cx, "id"), ctm_in(cx, "event"), given, ctm_in(cx, "note"), out)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/cases/%s", ctm_text(out, "id"));
	return 0;
}
