/* SPDX-License-Identifier: Apache-2.0
 *
 * Validation of the maker's registry fields and the two ways they come in: a JSON document, or a flat HTML form that is
 * turned into the same document first, so that one set of rules judges both.
 */
#include "product/registry_fields.h"
#include "base/text.h"
#include "base/timex.h"
#include "event/timeline.h"
#include "identity/identity.h"
#include "product/product.h"
#include "product/use_cases.h"
#include "store/audit.h"
#include <string.h>

#define TEXT_MAX 2000

static int text(const struct ctm_jc *c, const char *key, struct ctm_err *err)
{
	const char *s;
	struct ctm_jc at;
	int rc = ctm_jc_str(c, key, 1, TEXT_MAX, &s, err);
	if (rc)
		return rc;
	if (!ctm_text_printable(s, strlen(s)) || strspn(s, " \t\n") == strlen(s)) {
		(void)ctm_jc_has(c, key, &at);
		return ctm_jc_fail(&at, err, "must be printable text for the public");
	}
	return 0;
}

static int section(const struct ctm_jc *root, const char *key, const char *const *members, size_t n, struct ctm_jc *out, struct ctm_err *err)
{
	int rc = ctm_jc_key(root, key, out, err);
	if (!rc)
		rc = ctm_jc_is(out, CTM_J_OBJ, err);
	return rc ? rc : ctm_jc_only(out, members, n, err);
}

static int support(const struct ctm_jc *root, struct ctm_err *err)
{
	static const char *const members[] = { "end_date", "unsupported_statement" };
	struct ctm_jc s, at;
	int rc = section(root, "support", members, 2, &s, err);
	if (rc)
		return rc;
	bool dated = ctm_jc_has(&s, "end_date", &at), stated = ctm_jc_has(&s, "unsupported_statement", &at);
	if (dated == stated)
		return ctm_jc_fail(&s, err, "give either end_date or unsupported_statement, one of the two");
	if (stated)
		return text(&s, "unsupported_statement", err);
	const char *date;
	int64_t ms;
	if ((rc = ctm_jc_str(&s, "end_date", 10, 10, &date, err)))
		return rc;
	if (ctm_time_parse(date, &ms)) {
		(void)ctm_jc_has(&s, "end_date", &at);
		return ctm_jc_fail(&at, err, "must be a date as YYYY-MM-DD");
	}
	return 0;
}

/* https: or mailto: and nothing that could end an attribute. */
static bool address_ok(const char *s)
{
	size_t n = strlen(s);
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] >= 0x7F || strchr("\"'<>\\`", s[i]))
			return false;
	if (ctm_starts(s, "https://"))
		return n > 10 && s[8] != '/';
	const char *at = strchr(s, '@');
	return ctm_starts(s, "mailto:") && at && at > s + 7 && at[1] && !strchr(at + 1, '@');
}

int ctm_registry_fields_check(const ctm_json *doc, const char *file, struct ctm_err *err)
{
	static const char *const top[] = { "default_password", "secure_configuration", "updates", "support", "bom", "setup", "report_problem" };
	static const char *const password[] = { "changeable", "instructions" }, *const updates[] = { "automatic", "how_to_get" }, *const bom[] = { "hbom", "sbom" };
	struct ctm_jc root = ctm_jc_root(doc, file), c, at;
	bool yes;
	const char *s;
	int rc;
	if ((rc = ctm_jc_is(&root, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&root, top, 7, err)) ||
		(rc = section(&root, "default_password", password, 2, &c, err)) || (rc = ctm_jc_bool(&c, "changeable", &yes, err)) ||
		(rc = text(&c, "instructions", err)) || (rc = text(&root, "secure_configuration", err)) ||
		(rc = section(&root, "updates", updates, 2, &c, err)) || (rc = ctm_jc_bool(&c, "automatic", &yes, err)))
		return rc;
	if ((!yes || ctm_jc_has(&c, "how_to_get", &at)) && (rc = text(&c, "how_to_get", err)))
		return rc;
	if ((rc = support(&root, err)) || (rc = section(&root, "bom", bom, 2, &c, err)) || (rc = ctm_jc_bool(&c, "hbom", &yes, err)) ||
		(rc = ctm_jc_bool(&c, "sbom", &yes, err)) || (rc = text(&root, "setup", err)) ||
		(rc = ctm_jc_str(&root, "report_problem", 8, 300, &s, err)))
		return rc;
	if (!address_ok(s)) {
		(void)ctm_jc_has(&root, "report_problem", &at);
		return ctm_jc_fail(&at, err, "must be an https: address or mailto: and a mail address");
	}
	return 0;
}

int ctm_registry_fields_support(const ctm_json *before, const ctm_json *after, struct ctm_err *err)
{
	const char *was = ctm_json_gets(ctm_json_get(before, "support"), "end_date");
	const char *is = ctm_json_gets(ctm_json_get(after, "support"), "end_date");
	if (was && (!is || strcmp(is, was) < 0))
		return ctm_fail(err, CTM_E_INPUT, "/support/end_date", "47 CFR 8.222(b)(9)",
			"support was promised to the public until %s; it can be made longer, not shorter", was);
	return 0;
}

static int store(struct ctm_cx *cx, const ctm_json *doc, ctm_json *out)
{
	const char *id = ctm_in(cx, "id");
	CTM_AUTO_JSON *product = NULL, *records = NULL;
	CTM_AUTO_BUF text_buf = CTM_BUF(32768);
	int rc = ctm_product_mine(cx, id, &product);
	if (!rc)
		rc = ctm_registry_fields_check(doc, "body", cx->err);
	if (rc)
		return rc;
	int64_t seen = ctm_in_int(cx, "row_version", -1);
	if (seen >= 0 && seen != ctm_json_geti(product, "row_version", 0))
		return ctm_fail(cx->err, CTM_E_CONFLICT, "row_version", NULL, "somebody else changed the product since you looked at it; nothing was changed. Look at it again");
	const ctm_json *before = ctm_json_get(product, "registry");
	struct ctm_q *q = ctm_q(cx->db, "product.records");
	ctm_q_text(q, "id", id);
	if ((rc = ctm_q_rows(q, 50, &records, cx->err)) ||
		(ctm_json_len(records) && (rc = ctm_registry_fields_support(before, doc, cx->err))))
		return rc;
	if ((rc = ctm_json_compact(doc, &text_buf)) || (rc = ctm_buf_err(&text_buf, "body", cx->err)))
		return ctm_fail(cx->err, rc, "body", NULL, "the fields take at most 32 KiB");
	q = ctm_q(cx->db, "product.set_registry");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "registry", ctm_buf_cstr(&text_buf));
	if ((rc = ctm_q_run(q, NULL, cx->err)) ||
		(rc = ctm_timeline_add(cx->db, cx->now_ms, "product", id, ctm_who_name(cx->who), "Fields of the public record changed.", NULL, cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "product.registry", "product", id, before, doc, cx->err)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/products/%s", id);
	if (ctm_json_seti(out, "row_version", ctm_json_geti(product, "row_version", 0) + 1))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	return ctm_json_set(out, "registry", ctm_json_copy(doc));
}

int ctm_uc_product_registry(struct ctm_cx *cx, ctm_json *out)
{
	return store(cx, cx->body, out);
}

static bool yes(struct ctm_cx *cx, const char *name)
{
	return ctm_streq(ctm_in(cx, name), "1");
}

int ctm_uc_product_registry_form(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *doc = ctm_json_obj();
	ctm_json *password = ctm_json_obj(), *updates = ctm_json_obj(), *support_doc = ctm_json_obj(), *bom = ctm_json_obj();
	ctm_json_setb(password, "changeable", yes(cx, "password_changeable"));
	ctm_json_sets(password, "instructions", ctm_in(cx, "password_instructions"));
	ctm_json_set(doc, "default_password", password);
	ctm_json_sets(doc, "secure_configuration", ctm_in(cx, "secure_configuration"));
	ctm_json_setb(updates, "automatic", yes(cx, "updates_automatic"));
	if (ctm_in(cx, "updates_how_to_get"))
		ctm_json_sets(updates, "how_to_get", ctm_in(cx, "updates_how_to_get"));
	ctm_json_set(doc, "updates", updates);
	if (ctm_in(cx, "support_end"))
		ctm_json_sets(support_doc, "end_date", ctm_in(cx, "support_end"));
	if (ctm_in(cx, "unsupported_statement"))
		ctm_json_sets(support_doc, "unsupported_statement", ctm_in(cx, "unsupported_statement"));
	ctm_json_set(doc, "support", support_doc);
	ctm_json_setb(bom, "hbom", yes(cx, "hbom"));
	ctm_json_setb(bom, "sbom", yes(cx, "sbom"));
	ctm_json_set(doc, "bom", bom);
	ctm_json_sets(doc, "setup", ctm_in(cx, "setup"));
	ctm_json_sets(doc, "report_problem", ctm_in(cx, "report_problem"));
	return store(cx, doc, out);
}
