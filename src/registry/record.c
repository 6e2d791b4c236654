/* SPDX-License-Identifier: Apache-2.0
 *
 * Content of a public record, ctm.record/1: what is digested into the statement, shown on the page and carried in the proof. It is
 * made from rows alone and from nothing that changes by itself, so that the same rows give the same bytes.
 *
 * The maker supplies the fields of its product; who is authorised, since when, by whom and what was tested comes from the scheme's
 * rows and never from the maker (47 CFR 8.222(b)).
 */
#include "registry/registry.h"
#include "base/text.h"
#include "base/timex.h"
#include <string.h>

#define REASON_MAX 600

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

static int copy_strs(ctm_json *to, const ctm_json *from, const char *const (*pairs)[2], size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		rc |= ctm_json_sets(to, pairs[i][0], or_empty(ctm_json_gets(from, pairs[i][1])));
	return rc;
}

/* The decision's reasons as one public text. */
static int reason_text(const ctm_json *decision, struct ctm_buf *out)
{
	const ctm_json *list = ctm_json_get(decision, "reasons");

	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const char *t = ctm_json_gets(ctm_json_at(list, i), "text");
		if (t && *t && out->len + strlen(t) + 2 < REASON_MAX)
			ctm_buf_printf(out, "%s%s", out->len ? " " : "", t);
	}
	return out->failed;
}

static ctm_json *product_part(const ctm_json *s)
{
	static const char *const pairs[][2] = { { "name", "product" }, { "maker", "maker" }, { "model", "model" }, { "category", "category" },
		{ "intended_use", "intended_use" }, { "gtin", "gtin" }, { "fcc_id", "fcc_id" } };
	ctm_json *p = ctm_json_obj();

	if (copy_strs(p, s, pairs, sizeof pairs / sizeof *pairs)) {
		ctm_json_free(p);
		return NULL;
	}
	return p;
}

static int set_maker_fields(ctm_json *f, const ctm_json *reg)
{
	static const char *const whole[] = { "default_password", "updates", "support", "bom" };
	ctm_json *more = ctm_json_obj();
	const char *setup = ctm_json_gets(reg, "setup"), *report = ctm_json_gets(reg, "report_problem"), *conf = ctm_json_gets(reg, "secure_configuration");
	int rc = 0;

	for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
		if (ctm_json_get(reg, whole[i]))
			rc |= ctm_json_set(f, whole[i], ctm_json_copy(ctm_json_get(reg, whole[i])));
	rc |= conf ? ctm_json_sets(f, "secure_configuration", conf) : 0;
	rc |= setup ? ctm_json_sets(more, "setup", setup) : 0;
	rc |= report ? ctm_json_sets(more, "report_problem", report) : 0;
	return rc | ctm_json_set(f, "additional", more);
}

static ctm_json *fields_part(const ctm_json *s, const struct ctm_statement_kind *kind)
{
	ctm_json *f = ctm_json_obj(), *auth = ctm_json_obj(), *cla = ctm_json_obj(), *lab = ctm_json_obj();
	int rc = ctm_json_sets(f, "product_name", or_empty(ctm_json_gets(s, "product")));

	rc |= ctm_json_sets(f, "manufacturer_name", or_empty(ctm_json_gets(s, "maker")));
	rc |= ctm_json_sets(auth, "date", or_empty(ctm_json_gets(s, "granted_on")));
	rc |= ctm_json_sets(auth, "status", kind->status);
	rc |= ctm_json_set(f, "authorization", auth);
	rc |= ctm_json_sets(cla, "name", or_empty(ctm_json_gets(s, "cla")));
	rc |= ctm_json_sets(cla, "contact", or_empty(ctm_json_gets(s, "cla_contact")));
	rc |= ctm_json_set(f, "cla", cla);
	rc |= ctm_json_sets(lab, "name", or_empty(ctm_json_gets(s, "lab")));
	rc |= ctm_json_set(f, "lab", lab);
	rc |= set_maker_fields(f, ctm_json_get(s, "registry"));
	if (rc) {
		ctm_json_free(f);
		return NULL;
	}
	return f;
}

static ctm_json *certificate_part(const ctm_json *s, const struct ctm_statement_kind *kind)
{
	static const char *const pairs[][2] = { { "number", "number" }, { "valid_from", "valid_from" }, { "valid_to", "valid_to" } };
	ctm_json *c = ctm_json_obj();
	int rc = copy_strs(c, s, pairs, 3);

	rc |= ctm_json_sets(c, "status", strcmp(kind->status, "authorised") ? kind->status : "in_force");
	if (rc) {
		ctm_json_free(c);
		return NULL;
	}
	return c;
}

/* Components and versions of the baseline: a list of {component, kind, version, ...}, bare or as member "releases" or "components". */
static ctm_json *versions_part(const ctm_json *baseline)
{
	static const char *const pairs[][2] = { { "component", "component" }, { "kind", "kind" }, { "version", "version" },
		{ "image_digest", "image_digest" } };
	ctm_json *out = ctm_json_arr();
	int rc = 0;

	if (ctm_json_type(baseline) == CTM_J_OBJ)
		baseline = ctm_json_get(baseline, ctm_json_get(baseline, "releases") ? "releases" : "components");
	for (size_t i = 0; i < ctm_json_len(baseline); i++) {
		ctm_json *v = ctm_json_obj();
		rc |= copy_strs(v, ctm_json_at(baseline, i), pairs, sizeof pairs / sizeof *pairs);
		rc |= ctm_json_add(out, v);
	}
	if (rc) {
		ctm_json_free(out);
		return NULL;
	}
	return out;
}

/* One row per outcome, the worst of its components; and how many there are of each. */
static int outcome_parts(ctm_json *content, const ctm_json *rows)
{
	static const char *const order[] = { "not_applicable", "met", "undetermined", "not_met" };
	int64_t count[4] = { 0 };
	ctm_json *list = ctm_json_arr(), *counts = ctm_json_obj();
	int rc = 0;

	for (size_t i = 0; i < ctm_json_len(rows);) {
		const char *o = ctm_json_gets(ctm_json_at(rows, i), "outcome");
		size_t worst = 0;
		for (; i < ctm_json_len(rows) && ctm_streq(ctm_json_gets(ctm_json_at(rows, i), "outcome"), o); i++)
			for (size_t k = worst + 1; k < 4; k++)
				if (ctm_streq(ctm_json_gets(ctm_json_at(rows, i), "status"), order[k]))
					worst = k;
		ctm_json *one = ctm_json_obj();
		rc |= ctm_json_sets(one, "outcome", o);
		rc |= ctm_json_sets(one, "status", order[worst]);
		rc |= ctm_json_add(list, one);
		count[worst]++;
	}
	for (size_t k = 0; k < 4; k++)
		rc |= ctm_json_seti(counts, order[k], count[k]);
	rc |= ctm_json_set(content, "outcomes", list);
	return rc | ctm_json_set(content, "outcome_counts", counts);
}

int ctm_record_content(const struct ctm_record_src *src, const char *public_url, const char *id, int64_t version,
	const struct ctm_statement_kind *kind, ctm_json **out, struct ctm_err *err)
{
	ctm_json *c = ctm_json_obj();
	CTM_AUTO_BUF reason = CTM_BUF(REASON_MAX + 64);
	int rc = strcmp(kind->kind, "grant") ? reason_text(src->decision, &reason) : 0;

	rc |= ctm_json_sets(c, "format", "ctm.record/1");
	rc |= ctm_json_sets(c, "id", id);
	rc |= ctm_json_setf(c, "url", "%s/p/%s", public_url, id);
	rc |= ctm_json_seti(c, "version", version);
	rc |= ctm_json_sets(c, "status", kind->status);
	rc |= ctm_json_sets(c, "reason", ctm_buf_cstr(&reason));
	rc |= ctm_json_set(c, "product", product_part(src->subject));
	rc |= ctm_json_set(c, "fields", fields_part(src->subject, kind));
	rc |= ctm_json_set(c, "certificate", certificate_part(src->subject, kind));
	rc |= ctm_json_set(c, "versions", versions_part(ctm_json_get(src->subject, "baseline")));
	rc |= outcome_parts(c, src->outcomes);
	if (rc) {
		ctm_json_free(c);
		return ctm_fail(err, CTM_E_NOMEM, "record", NULL, "The record cannot be put together.");
	}
	*out = c;
	return 0;
}

/* --- lint ---------------------------------------------------------------------------------------------------------- */

enum want { TEXT, BOOL, DATE, OBJ };
static const struct { const char *a, *b; enum want want; const char *clause, *says; } needed[] = {
	{ "product_name", NULL, TEXT, "47 CFR 8.222(b)(1)", "the product's name" },
	{ "manufacturer_name", NULL, TEXT, "47 CFR 8.222(b)(2)", "the manufacturer's name" },
	{ "authorization", "date", DATE, "47 CFR 8.222(b)(3)", "the date of authorization" },
	{ "authorization", "status", TEXT, "47 CFR 8.222(b)(3)", "the status of the authorization" },
	{ "cla", "name", TEXT, "47 CFR 8.222(b)(4)", "the label administrator's name" },
	{ "cla", "contact", TEXT, "47 CFR 8.222(b)(4)", "the label administrator's contact" },
	{ "lab", "name", TEXT, "47 CFR 8.222(b)(5)", "the laboratory's name" },
	{ "default_password", "changeable", BOOL, "47 CFR 8.222(b)(6)", "whether the default password can be changed" },
	{ "default_password", "instructions", TEXT, "47 CFR 8.222(b)(6)", "how to change the default password, or that it cannot be changed" },
	{ "secure_configuration", NULL, TEXT, "47 CFR 8.222(b)(7)", "how to configure the product securely" },
	{ "updates", "automatic", BOOL, "47 CFR 8.222(b)(8)", "whether updates are automatic" },
	{ "support", NULL, OBJ, "47 CFR 8.222(b)(9)", "until when the product is supported, or that it is not" },
	{ "bom", "hbom", BOOL, "47 CFR 8.222(b)(10)", "whether an HBOM is kept" },
	{ "bom", "sbom", BOOL, "47 CFR 8.222(b)(10)", "whether an SBOM is kept" },
	{ "additional", NULL, OBJ, "47 CFR 8.222(b)(11)", "the further items" },
};

static bool good(const ctm_json *v, enum want want)
{
	const char *s = ctm_json_str(v);
	int64_t ms;

	switch (want) {
	case TEXT: return s && *s;
	case DATE: return s && strlen(s) == 10 && ctm_time_parse(s, &ms) == 0;
	case BOOL: return ctm_json_type(v) == CTM_J_BOOL;
	case OBJ: return ctm_json_type(v) == CTM_J_OBJ;
	}
	return false;
}

int ctm_record_lint(const ctm_json *content, struct ctm_err *err)
{
	const ctm_json *f = ctm_json_get(content, "fields"), *support = ctm_json_get(f, "support"), *updates = ctm_json_get(f, "updates");
	char field[128];

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		const ctm_json *v = ctm_json_get(f, needed[i].a);
		if (needed[i].b)
			v = ctm_json_get(v, needed[i].b);
		ctm_copy(field, sizeof field, "/fields/");
		ctm_copy(field + 8, sizeof field - 8, needed[i].a);
		if (!good(v, needed[i].want))
			return ctm_fail(err, CTM_E_INPUT, field, needed[i].clause, "The public record lacks %s (%s).", needed[i].says, needed[i].clause);
	}
	if (!ctm_json_getb(updates, "automatic", true) && !good(ctm_json_get(updates, "how_to_get"), TEXT))
		return ctm_fail(err, CTM_E_INPUT, "/fields/updates/how_to_get", "47 CFR 8.222(b)(8)", "The public record lacks how to get updates, which are not automatic (47 CFR 8.222(b)(8)).");
	if (good(ctm_json_get(support, "end_date"), DATE) == good(ctm_json_get(support, "unsupported_statement"), TEXT))
		return ctm_fail(err, CTM_E_INPUT, "/fields/support", "47 CFR 8.222(b)(9)",
			"The public record needs either the end of support or the statement that there is none (47 CFR 8.222(b)(9)).");
	return 0;
}
