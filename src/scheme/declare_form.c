/* SPDX-License-Identifier: Apache-2.0
 *
 * The declarations as a form of flat fields: put together into the document that the API takes, then read by the same strict
 * reader. An empty field is a member left out.
 */
#include "scheme/scheme.h"
#include "base/text.h"
#include <string.h>

static void trim(const char **p, const char **e)
{
	while (*p < *e && (**p == ' ' || **p == '\t'))
		(*p)++;
	while (*e > *p && ((*e)[-1] == ' ' || (*e)[-1] == '\t'))
		(*e)--;
}

static int add_pair(struct ctm_cx *cx, const char *field, const char *line, size_t len, const char *left, const char *right, bool percent, ctm_json *list)
{
	const char *bar = memchr(line, '|', len), *end = line + len, *le = bar ? bar : end, *r = bar ? bar + 1 : end, *re = end;
	int64_t n = 0;
	trim(&line, &le);
	trim(&r, &re);
	const char *rt = ctm_arena_ndup(cx->arena, r, (size_t)(re - r));
	if (le == line || (!percent && re == r) || (percent && re > r && ctm_parse_i64(rt, 0, 100, &n)))
		return ctm_fail(cx->err, CTM_E_INPUT, field, NULL, "\"%.80s\" is not %s | %s", ctm_arena_ndup(cx->arena, line, (size_t)(end - line)), left, right);
	ctm_json *o = ctm_json_obj();
	int rc = ctm_json_sets(o, left, ctm_arena_ndup(cx->arena, line, (size_t)(le - line)));
	if (!rc && re > r)
		rc = percent ? ctm_json_seti(o, right, n) : ctm_json_sets(o, right, rt);
	return ctm_json_add(list, o) || rc ? ctm_nomem(cx) : 0;
}

int ctm_pairs_read(struct ctm_cx *cx, const char *field, const char *text, const char *left, const char *right, bool percent, ctm_json *list)
{
	int rc = 0;
	while (!rc && *text) {
		size_t len = strcspn(text, "\r\n");
		if (strspn(text, " \t") < len)
			rc = add_pair(cx, field, text, len, left, right, percent, list);
		text += len;
		text += strspn(text, "\r\n");
	}
	return rc;
}

int ctm_pairs_text(const ctm_json *list, const char *left, const char *right, ctm_json *out, const char *key)
{
	CTM_AUTO_BUF b = CTM_BUF(64 * 1024);
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *e = ctm_json_at(list, i), *r = ctm_json_get(e, right);
		ctm_buf_printf(&b, "%s | ", ctm_text(e, left));
		if (ctm_json_type(r) == CTM_J_INT)
			ctm_buf_printf(&b, "%lld\n", (long long)ctm_json_int(r, 0));
		else
			ctm_buf_printf(&b, "%s\n", ctm_json_str(r) ? ctm_json_str(r) : "");
	}
	return b.failed ? b.failed : ctm_json_sets(out, key, ctm_buf_cstr(&b));
}

static bool yes(struct ctm_cx *cx, const char *field)
{
	const char *v = ctm_in(cx, field);
	return v && strcmp(v, "1") == 0;
}

static int put_text(struct ctm_cx *cx, ctm_json *o, const char *key, const char *field)
{
	const char *v = ctm_in(cx, field);
	return v && *v ? ctm_json_sets(o, key, v) : 0;
}

static int put_agreed(struct ctm_cx *cx, ctm_json *d)
{
	static const char *const ids[] = { "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8" };
	ctm_json *a = ctm_json_arr();
	int rc = 0;
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
		if (yes(cx, ids[i]))
			rc |= ctm_json_adds(a, ids[i]);
	return ctm_json_set(d, "agreed", a) | rc;
}

static int put_parts(struct ctm_cx *cx, ctm_json *d)
{
	ctm_json *s = ctm_json_obj(), *a = ctm_json_obj(), *p = ctm_json_obj();
	int rc = put_text(cx, s, "name", "signer_name") | put_text(cx, s, "title", "signer_title") | put_text(cx, s, "signature", "signer_signature")
		| put_text(cx, s, "signed_on", "signer_signed_on");
	rc |= put_text(cx, a, "name", "agent_name") | put_text(cx, a, "address", "agent_address") | put_text(cx, a, "email", "agent_email")
		| put_text(cx, a, "signature", "agent_signature") | put_text(cx, a, "signed_on", "agent_signed_on") | ctm_json_setb(a, "consent", yes(cx, "agent_consent"));
	if (ctm_in(cx, "denied"))
		rc |= ctm_json_setb(p, "denied", yes(cx, "denied"));
	rc |= put_text(cx, p, "cla", "denied_cla") | put_text(cx, p, "reasons", "denied_reasons");
	return ctm_json_set(d, "signer", s) | ctm_json_set(d, "agent", a) | ctm_json_set(d, "prior_denial", p) | rc;
}

static int put_lists(struct ctm_cx *cx, ctm_json *d)
{
	ctm_json *a = ctm_json_arr(), *p = ctm_json_arr();
	const char *affiliates = ctm_in(cx, "affiliates"), *producers = ctm_in(cx, "producers");
	int rc = ctm_pairs_read(cx, "affiliates", affiliates ? affiliates : "", "name", "percent", true, a);
	if (!rc)
		rc = ctm_pairs_read(cx, "producers", producers ? producers : "", "component", "name", false, p);
	if (ctm_json_set(d, "affiliates", a) | ctm_json_set(d, "producers", p))
		rc = rc ? rc : ctm_nomem(cx);
	return rc;
}

int ctm_declarations_form(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *d = ctm_json_obj();
	if (put_agreed(cx, d) | ctm_json_setb(d, "perjury", yes(cx, "perjury")) | ctm_json_setb(d, "truth", yes(cx, "truth"))
		| ctm_json_setb(d, "not_prohibited", yes(cx, "not_prohibited")) | put_text(cx, d, "support_end", "support_end") | put_parts(cx, d))
		return ctm_nomem(cx);
	int rc = put_lists(cx, d);
	if (rc || (rc = ctm_declarations_keep(cx, ctm_in(cx, "id"), d, out)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/cases/%s", ctm_text(out, "id"));
	return 0;
}
