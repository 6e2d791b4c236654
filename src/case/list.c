/* SPDX-License-Identifier: Apache-2.0
 *
 * Screening lists (47 CFR 8.204) and words of the pages. A list carries the digest of its canonical form, which is kept with
 * every screening: what was looked at can be shown later.
 */
#include "case/catalogue_in.h"
#include "base/text.h"
#include "crypto/hash.h"
#include <string.h>

size_t ctm_list_count(const struct ctm_catalogue *c) { return c->nlists; }
const struct ctm_list *ctm_list_at(const struct ctm_catalogue *c, size_t i) { return i < c->nlists ? c->lists[i] : NULL; }

static int read_entry(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_list_entry *e, struct ctm_err *err)
{
	static const char *const keys[] = { "name", "aliases", "kind", "demonstration", "note" };
	static const char *const kinds[] = { "equipment", "services", "entity", "person" };
	size_t kind = 0;
	int rc = ctm_jc_is(at, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(at, keys, 5, err)) || (rc = ctm_jc_str(at, "name", 1, 200, &e->name, err)) || (rc = ctm_cat_strs(c, at, "aliases", false, &e->aliases, err))
		|| (rc = ctm_jc_enum(at, "kind", kinds, 4, &kind, err)) || (rc = ctm_jc_bool(at, "demonstration", &e->demonstration, err))
		|| (rc = ctm_jc_str(at, "note", 0, 400, &e->note, err)))
		return rc;
	e->kind = kinds[kind];
	return 0;
}

static int digest(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_list *l, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_CAT_FILE_MAX);
	char *d = ctm_cat_alloc(c, 1, CTM_DIGEST_MAX);
	int rc = ctm_json_canonical(at->v, &b);
	if (rc || !d)
		return ctm_jc_fail(at, err, "the list cannot be written in canonical form");
	ctm_digest_of(ctm_buf_cstr(&b), b.len, d);
	l->digest = d;
	return 0;
}

int ctm_read_list(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err)
{
	static const char *const keys[] = { "format", "id", "name", "authority", "citation", "edition", "note", "entries" };
	struct ctm_list *l = ctm_cat_alloc(c, 1, sizeof *l);
	struct ctm_jc list, e;
	const char *note;
	if (!l || c->nlists == CTM_CAT_FEW)
		return ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "more than %d screening lists", CTM_CAT_FEW);
	int rc = ctm_cat_format(at, "ctm.list/1", err);
	if (rc || (rc = ctm_jc_only(at, keys, 8, err)) || (rc = ctm_jc_str(at, "id", 1, 40, &l->id, err)) || (rc = ctm_jc_str(at, "name", 1, 200, &l->name, err))
		|| (rc = ctm_jc_str(at, "authority", 1, 200, &l->authority, err)) || (rc = ctm_jc_str(at, "citation", 1, 300, &l->citation, err))
		|| (rc = ctm_jc_str(at, "edition", 1, 60, &l->edition, err)) || (rc = ctm_jc_opt_str(at, "note", 400, &note, err))
		|| (rc = ctm_jc_arr(at, "entries", 0, 20000, &list, err)) || (rc = digest(c, at, l, err)))
		return rc;
	struct ctm_list_entry *v = ctm_cat_alloc(c, ctm_json_len(list.v), sizeof *v);
	if (!v)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the catalogue takes too much memory");
	for (l->entries = v; l->n < ctm_json_len(list.v); l->n++)
		if ((rc = ctm_jc_at(&list, l->n, &e, err)) || (rc = read_entry(c, &e, &v[l->n], err)))
			return rc;
	for (size_t i = 0; i < c->nlists; i++)
		if (strcmp(c->lists[i]->id, l->id) == 0)
			return ctm_jc_fail(at, err, "the list %s stands twice", l->id);
	c->lists[c->nlists++] = l;
	return 0;
}

/* messages/LL.json: texts by key, or objects of them; a key is reached by joining the names with dots. */
int ctm_read_words(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err)
{
	const char *slash = strrchr(at->file, '/'), *name = slash ? slash + 1 : at->file;
	size_t len = strlen(name) - strlen(".json");
	if (c->nwords == sizeof c->words / sizeof *c->words || len >= sizeof c->words[0].locale)
		return ctm_jc_fail(at, err, "the file is named after its language, such as en.json, and there are at most 8");
	memcpy(c->words[c->nwords].locale, name, len);
	c->words[c->nwords++].root = at->v;
	return 0;
}

static const char *word_in(const ctm_json *at, const char *key)
{
	const char *whole = ctm_json_gets(at, key);
	for (const char *dot = key; !whole && (dot = strchr(dot, '.')); dot++) {
		char head[96];
		if ((size_t)(dot - key) >= sizeof head)
			break;
		memcpy(head, key, (size_t)(dot - key));
		head[dot - key] = 0;
		const ctm_json *sub = ctm_json_get(at, head);
		whole = sub ? word_in(sub, dot + 1) : NULL;
	}
	return whole;
}

const char *ctm_word(const struct ctm_catalogue *c, const char *key, const char *locale)
{
	const char *found = NULL;
	for (int pass = 0; !found && pass < 2; pass++)
		for (size_t i = 0; !found && i < c->nwords; i++)
			if (ctm_streq(c->words[i].locale, pass ? "en" : locale))
				found = word_in(c->words[i].root, key);
	return found ? found : key;
}
