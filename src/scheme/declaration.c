/* SPDX-License-Identifier: Apache-2.0
 *
 * Declarations of an application (47 CFR 8.208). A draft may be incomplete but never malformed; filing asks for all of it.
 * Statements are agreed to one by one, so that nobody signs by leaving a box ticked, and two of them are made under penalty
 * of perjury (47 CFR 1.16). Electronic signatures are names typed by the signer (8.208(k)).
 */
#include "scheme/scheme.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 2000

static int read_bools(const struct ctm_jc *at, const char *const *keys, size_t n, ctm_json *out, struct ctm_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct ctm_jc v;
		bool b = false;
		int rc = 0;
		if (!ctm_jc_has(at, keys[i], &v))
			continue;
		if ((rc = ctm_jc_bool(at, keys[i], &b, err)) || (rc = ctm_json_setb(out, keys[i], b)))
			return rc;
	}
	return 0;
}

static int read_texts(const struct ctm_jc *at, const char *const *keys, size_t n, ctm_json *out, struct ctm_err *err)
{
	for (size_t i = 0; i < n; i++) {
		const char *s = NULL;
		struct ctm_jc v;
		int64_t ms;
		int rc = ctm_jc_opt_str(at, keys[i], TEXT_MAX, &s, err);
		if (rc)
			return rc;
		if (!s)
			continue;
		if ((rc = ctm_jc_key(at, keys[i], &v, err)))
			return rc;
		if (!ctm_text_printable(s, strlen(s)))
			return ctm_jc_fail(&v, err, "\"%s\" holds characters that cannot be printed", keys[i]);
		bool day = strcmp(keys[i], "support_end") == 0 || strcmp(keys[i], "signed_on") == 0;
		if (day && *s && (strlen(s) != 10 || ctm_time_parse(s, &ms)))
			return ctm_jc_fail(&v, err, "\"%s\" is a day, YYYY-MM-DD", keys[i]);
		if ((rc = ctm_json_sets(out, keys[i], s)))
			return rc;
	}
	return 0;
}

struct part { const char *name; const char *const *texts; size_t ntexts; const char *const *bools; size_t nbools; };

static const char *const SIGNER[] = { "name", "title", "signed_on", "signature" };
static const char *const AGENT[] = { "name", "address", "email", "signed_on", "signature" }, *const CONSENT[] = { "consent" };
static const char *const DENIAL[] = { "cla", "reasons" }, *const DENIED[] = { "denied" };
static const struct part PARTS[] = {
	{ "signer", SIGNER, 4, NULL, 0 }, { "agent", AGENT, 5, CONSENT, 1 }, { "prior_denial", DENIAL, 2, DENIED, 1 },
};

static int read_part(const struct ctm_jc *at, const struct part *p, ctm_json *out, struct ctm_err *err)
{
	struct ctm_jc v;
	const char *keys[8];
	size_t n = 0;
	if (!ctm_jc_has(at, p->name, &v))
		return 0;
	for (size_t i = 0; i < p->ntexts; i++)
		keys[n++] = p->texts[i];
	for (size_t i = 0; i < p->nbools; i++)
		keys[n++] = p->bools[i];
	ctm_json *o = ctm_json_obj();
	int rc = ctm_jc_is(&v, CTM_J_OBJ, err);
	if (!rc)
		rc = ctm_jc_only(&v, keys, n, err);
	if (!rc)
		rc = read_texts(&v, p->texts, p->ntexts, o, err);
	if (!rc)
		rc = read_bools(&v, p->bools, p->nbools, o, err);
	if (rc) {
		ctm_json_free(o);
		return rc;
	}
	return ctm_json_set(out, p->name, o);
}

/* Lists of people and companies: each element has a name and may have another member. */
static int read_names(const struct ctm_jc *at, const char *key, const char *other, size_t max, ctm_json *out, struct ctm_err *err)
{
	struct ctm_jc list, e;
	const char *keys[] = { "name", other };
	if (!ctm_jc_has(at, key, &list))
		return 0;
	ctm_json *arr = ctm_json_arr();
	int rc = ctm_jc_arr(at, key, 0, max, &list, err);
	for (size_t i = 0; !rc && i < ctm_json_len(list.v); i++) {
		const char *name = NULL, *text = NULL;
		int64_t percent = -1;
		struct ctm_jc has;
		if ((rc = ctm_jc_at(&list, i, &e, err)) || (rc = ctm_jc_is(&e, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&e, keys, 2, err))
			|| (rc = ctm_jc_str(&e, "name", 1, 200, &name, err)))
			break;
		bool number = strcmp(other, "percent") == 0;
		if (ctm_jc_has(&e, other, &has) && (rc = number ? ctm_jc_int(&e, other, 0, 100, &percent, err) : ctm_jc_str(&e, other, 1, 120, &text, err)))
			break;
		ctm_json *o = ctm_json_obj();
		rc = ctm_json_sets(o, "name", name);
		if (!rc && percent >= 0)
			rc = ctm_json_seti(o, other, percent);
		if (!rc && text)
			rc = ctm_json_sets(o, other, text);
		if (ctm_json_add(arr, o) && !rc)
			rc = CTM_E_NOMEM;
	}
	if (rc) {
		ctm_json_free(arr);
		return rc;
	}
	return ctm_json_set(out, key, arr);
}

static int read_agreed(const struct ctm_jc *at, const struct ctm_pack *law, ctm_json *out, struct ctm_err *err)
{
	struct ctm_jc list, e;
	if (!ctm_jc_has(at, "agreed", &list))
		return 0;
	const struct ctm_group *g = ctm_pack_group(law, "declarations");
	ctm_json *arr = ctm_json_arr();
	int rc = g ? ctm_jc_arr(at, "agreed", 0, g->n, &list, err) : CTM_E_FAIL;
	for (size_t i = 0; !rc && i < ctm_json_len(list.v); i++) {
		if ((rc = ctm_jc_at(&list, i, &e, err)) || (rc = ctm_jc_is(&e, CTM_J_STR, err)))
			break;
		const char *id = ctm_json_str(e.v);
		if (!ctm_pack_term(law, "declarations", id))
			rc = ctm_jc_fail(&e, err, "\"%.20s\" is none of the declarations of 47 CFR 8.208(c)", id);
		for (size_t k = 0; !rc && k < ctm_json_len(arr); k++)
			if (strcmp(ctm_json_str(ctm_json_at(arr, k)), id) == 0)
				rc = ctm_jc_fail(&e, err, "\"%s\" is agreed to twice", id);
		if (!rc)
			rc = ctm_json_adds(arr, id);
	}
	if (rc) {
		ctm_json_free(arr);
		return rc;
	}
	return ctm_json_set(out, "agreed", arr);
}

int ctm_declarations_read(struct ctm_cx *cx, const ctm_json *body, ctm_json **out)
{
	static const char *const keys[] = { "agreed", "perjury", "truth", "not_prohibited", "support_end", "signer", "agent", "prior_denial", "affiliates", "producers" };
	static const char *const bools[] = { "perjury", "truth", "not_prohibited" }, *const texts[] = { "support_end" };
	const struct ctm_catalogue *cat = ctm_app_catalogue(cx->app);
	const struct ctm_pack *law = ctm_pack_find(cat, "law", NULL);
	size_t max = (size_t)ctm_pack_number(ctm_pack_find(cat, "scheme", NULL), "form_rows", 0);
	struct ctm_jc at = ctm_jc_root(body, "declarations");
	CTM_AUTO_JSON *d = ctm_json_obj();
	int rc = ctm_jc_is(&at, CTM_J_OBJ, cx->err);
	if (!rc)
		rc = ctm_jc_only(&at, keys, sizeof keys / sizeof *keys, cx->err);
	if (!rc)
		rc = read_agreed(&at, law, d, cx->err);
	if (!rc)
		rc = read_bools(&at, bools, 3, d, cx->err);
	if (!rc)
		rc = read_texts(&at, texts, 1, d, cx->err);
	for (size_t i = 0; !rc && i < sizeof PARTS / sizeof *PARTS; i++)
		rc = read_part(&at, &PARTS[i], d, cx->err);
	if (!rc)
		rc = read_names(&at, "affiliates", "percent", max, d, cx->err);
	if (!rc)
		rc = read_names(&at, "producers", "component", max, d, cx->err);
	if (rc)
		return cx->err->code ? rc : ctm_fail(cx->err, rc, NULL, NULL, "the declarations cannot be read");
	*out = d;
	d = NULL;
	return 0;
}

/* ---- what is missing ---- */

static bool agreed(const ctm_json *d, const char *id)
{
	const ctm_json *a = ctm_json_get(d, "agreed");
	for (size_t i = 0; i < ctm_json_len(a); i++)
		if (ctm_streq(ctm_json_str(ctm_json_at(a, i)), id))
			return true;
	return false;
}

static int miss(ctm_json *list, const char *rule, const char *text)
{
	ctm_json *m = ctm_json_obj();
	int rc = ctm_json_sets(m, "rule", rule);
	if (!rc)
		rc = ctm_json_sets(m, "text", text);
	return ctm_json_add(list, m) ? CTM_E_NOMEM : rc;
}

static bool given(const ctm_json *d, const char *part, const char *const *keys, size_t n)
{
	const ctm_json *p = ctm_json_get(d, part);
	for (size_t i = 0; i < n; i++)
		if (!*ctm_text(p, keys[i]))
			return false;
	return true;
}

int ctm_declarations_missing(struct ctm_cx *cx, const struct ctm_pack *law, const ctm_json *d, ctm_json **out)
{
	CTM_AUTO_JSON *list = ctm_json_arr();
	const struct ctm_group *g = ctm_pack_group(law, "declarations");
	const ctm_json *denial = ctm_json_get(d, "prior_denial");
	char text[500];
	int rc = list ? 0 : CTM_E_NOMEM;
	for (size_t i = 0; !rc && g && i < g->n; i++)
		if (!agreed(d, g->terms[i].id)) {
			snprintf(text, sizeof text, "Not declared: %s", g->terms[i].text);
			rc = miss(list, g->terms[i].citation, text);
		}
	static const struct { const char *key, *rule, *text; } flags[] = {
		{ "perjury", "47 CFR 8.208(c)", "The declaration is made under penalty of perjury." },
		{ "truth", "47 CFR 8.208(d)", "All statements are declared true." },
		{ "not_prohibited", "47 CFR 8.208(g)", "It is declared, under penalty of perjury, that 47 CFR 8.204 does not bar the product." },
	};
	for (size_t i = 0; !rc && i < 3; i++)
		if (!ctm_json_getb(d, flags[i].key, false))
			rc = miss(list, flags[i].rule, flags[i].text);
	if (!rc && !given(d, "signer", SIGNER, 4))
		rc = miss(list, "47 CFR 8.208(e)", "The signer's name, title, signature and day of signing are given.");
	if (!rc && !*ctm_text(d, "support_end"))
		rc = miss(list, "47 CFR 8.208(f)", "The end of the support period is disclosed.");
	if (!rc && (!given(d, "agent", AGENT, 5) || !ctm_json_getb(ctm_json_get(d, "agent"), "consent", false)))
		rc = miss(list, "47 CFR 8.208(i)", "An agent for service of process in the United States is named with address and e-mail, consents, and signs.");
	if (!rc && ctm_json_type(ctm_json_get(denial, "denied")) != CTM_J_BOOL)
		rc = miss(list, "FCC 24-26 paragraph 91", "It is said whether an application for this product was denied before.");
	if (!rc && ctm_json_getb(denial, "denied", false) && (!*ctm_text(denial, "cla") || !*ctm_text(denial, "reasons")))
		rc = miss(list, "FCC 24-26 paragraph 91", "The administrator that denied and its reasons are named.");
	if (rc)
		return ctm_nomem(cx);
	*out = list;
	list = NULL;
	return 0;
}

/* ---- use case: PUT /api/v1/cases/{id}/declarations ---- */

/* The editions the declaration speaks of: a list that changes before the grant asks for a new declaration (8.208(h)). */
static int lists_now(struct ctm_cx *cx, ctm_json **out)
{
	const struct ctm_catalogue *cat = ctm_app_catalogue(cx->app);
	ctm_json *o = ctm_json_obj();
	for (size_t i = 0; i < ctm_list_count(cat); i++)
		if (ctm_json_sets(o, ctm_list_at(cat, i)->id, ctm_list_at(cat, i)->digest)) {
			ctm_json_free(o);
			return ctm_nomem(cx);
		}
	*out = o;
	return 0;
}

int ctm_declarations_put(struct ctm_cx *cx, ctm_json *out) { return ctm_declarations_keep(cx, ctm_in(cx, "id"), cx->body, out); }

int ctm_declarations_keep(struct ctm_cx *cx, const char *case_id, const ctm_json *body, ctm_json *out)
{
	CTM_AUTO_JSON *kase = NULL, *d = NULL, *data = NULL, *missing = NULL;
	const struct ctm_case_table *t = NULL;
	ctm_json *lists = NULL;
	int rc = ctm_case_get(cx, case_id, &kase);
	if (rc || (rc = ctm_case_table_of(cx, kase, &t)))
		return rc;
	if (strcmp(ctm_text(kase, "kind"), "application") != 0 || strcmp(ctm_case_side(cx, kase), "applicant") != 0)
		return ctm_fail(cx->err, CTM_E_FORBIDDEN, "id", "47 CFR 8.208(e)", "only the applicant declares, and only in an application");
	int64_t version = ctm_json_geti(kase, "row_version", 0);
	if (ctm_in_int(cx, "row_version", version) != version)
		return ctm_fail(cx->err, CTM_E_CONFLICT, "row_version", NULL, "somebody else changed the case since you looked at it; nothing was changed. Look at it again");
	const struct ctm_case_state *s = ctm_case_state_find(t, ctm_text(kase, "state"));
	if (!s || s->final)
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "the case is closed; its declarations stay as they are");
	if ((rc = ctm_declarations_read(cx, body, &d)) || (rc = ctm_declarations_missing(cx, t->law, d, &missing)) || (rc = lists_now(cx, &lists)))
		return rc;
	data = ctm_json_copy(ctm_json_get(kase, "data"));
	if (!data)
		data = ctm_json_obj();
	if (ctm_json_set(data, "declared_lists", lists) || ctm_json_set(data, "declarations", ctm_json_copy(d)))
		return ctm_nomem(cx);
	if ((rc = ctm_case_put_data(cx, kase, data, "declare")))
		return rc;
	if (ctm_json_sets(out, "id", ctm_text(kase, "id")) || ctm_json_setb(out, "complete", ctm_json_len(missing) == 0)
		|| ctm_json_set(out, "missing", ctm_json_copy(missing)) || ctm_json_seti(out, "row_version", ctm_json_geti(kase, "row_version", 0) + 1))
		return ctm_nomem(cx);
	return 0;
}
