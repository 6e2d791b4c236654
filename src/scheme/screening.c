/* SPDX-License-Identifier: Apache-2.0
 *
 * Screening against the lists of 47 CFR 8.204: applicant and its affiliates, producers of components, lab, label
 * administrator. A name is compared as a row of words in lower case without punctuation and without company words. The
 * same words are a hit; an entry whose words all stand in a longer name is a likeness, which a person may clear with a
 * note for this edition of the list. An entry listed for services only does not bar equipment (FCC 24-26 paragraph 33).
 */
#include "scheme/scheme.h"
#include "base/text.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NAME_MAX_WORDS 24
#define WORD_MAX 40

struct words { char w[NAME_MAX_WORDS][WORD_MAX]; size_t n; };

static bool company_word(const char *w)
{
	static const char *const words[] = { "inc", "incorporated", "llc", "ltd", "limited", "co", "company", "corp", "corporation", "gmbh", "ag", "sa", "plc", "the", "and", "of" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], w) == 0)
			return true;
	return false;
}

/* Bytes over 127 are kept as they are: names in other scripts match byte for byte. */
static void split(const char *s, struct words *out)
{
	size_t len = 0;
	char w[WORD_MAX];
	out->n = 0;
	for (;; s++) {
		unsigned char c = (unsigned char)*s;
		bool part = c && (c >= 0x80 || isalnum(c));
		if (part && len < sizeof w - 1)
			w[len++] = c < 0x80 ? (char)tolower(c) : (char)c;
		if (!part && len) {
			w[len] = 0;
			if (!company_word(w) && out->n < NAME_MAX_WORDS)
				ctm_copy(out->w[out->n++], WORD_MAX, w);
			len = 0;
		}
		if (!c)
			return;
	}
}

static bool has_word(const struct words *in, const char *w)
{
	for (size_t i = 0; i < in->n; i++)
		if (strcmp(in->w[i], w) == 0)
			return true;
	return false;
}

const char *ctm_name_match(const char *name, const char *entry)
{
	struct words a, b;
	split(name, &a);
	split(entry, &b);
	if (a.n == 0 || b.n == 0)
		return NULL;
	bool same = a.n == b.n, like = true;
	for (size_t i = 0; i < b.n; i++) {
		same = same && strcmp(a.w[i], b.w[i]) == 0;
		like = like && has_word(&a, b.w[i]);
	}
	return same ? "same" : like ? "like" : NULL;
}

static int add_subject(ctm_json *list, const char *name, const char *party)
{
	if (!name || !*name)
		return 0;
	ctm_json *s = ctm_json_obj();
	int rc = ctm_json_sets(s, "name", name);
	if (!rc)
		rc = ctm_json_sets(s, "party", party);
	return ctm_json_add(list, s) ? CTM_E_NOMEM : rc;
}

static int add_names(ctm_json *list, const ctm_json *names, const char *party)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < ctm_json_len(names); i++) {
		const ctm_json *e = ctm_json_at(names, i);
		rc = add_subject(list, ctm_json_type(e) == CTM_J_STR ? ctm_json_str(e) : ctm_json_gets(e, "name"), party);
	}
	return rc;
}

static int subjects(struct ctm_cx *cx, const ctm_json *kase, const ctm_json *data, ctm_json *list)
{
	static const struct { const char *column, *party; } orgs[] = { { "applicant_org_id", "applicant" }, { "lab_org_id", "lab" }, { "cla_org_id", "cla" } };
	const ctm_json *d = ctm_json_get(data, "declarations");
	for (size_t i = 0; i < 3; i++) {
		CTM_AUTO_JSON *org = NULL;
		const char *id = ctm_text(kase, orgs[i].column);
		if (!*id)
			continue;
		int rc = ctm_one(cx, "scheme.org", "id", id, &org);
		if (rc)
			return rc;
		if (add_subject(list, ctm_json_gets(org, "name"), orgs[i].party) || add_names(list, ctm_json_get(ctm_json_get(org, "facts"), "affiliates"), "affiliate"))
			return ctm_nomem(cx);
	}
	if (add_names(list, ctm_json_get(d, "affiliates"), "affiliate") || add_names(list, ctm_json_get(d, "producers"), "producer"))
		return ctm_nomem(cx);
	return 0;
}

static bool was_cleared(const ctm_json *data, const char *subject, const struct ctm_list *l)
{
	const ctm_json *c = ctm_json_get(data, "cleared");
	for (size_t i = 0; i < ctm_json_len(c); i++) {
		const ctm_json *e = ctm_json_at(c, i);
		if (ctm_streq(ctm_json_gets(e, "subject"), subject) && ctm_streq(ctm_json_gets(e, "list"), l->id) && ctm_streq(ctm_json_gets(e, "digest"), l->digest))
			return true;
	}
	return false;
}

static const char *match_entry(const char *name, const struct ctm_list_entry *e)
{
	const char *best = ctm_name_match(name, e->name);
	for (size_t i = 0; i < e->aliases.n && !(best && strcmp(best, "same") == 0); i++) {
		const char *m = ctm_name_match(name, e->aliases.v[i]);
		best = m ? m : best;
	}
	return best;
}

static int screen_one(const ctm_json *data, const ctm_json *subject, const struct ctm_list *l, ctm_json *hits, bool *clean)
{
	const char *name = ctm_json_gets(subject, "name");
	for (size_t i = 0; i < l->n; i++) {
		const struct ctm_list_entry *e = &l->entries[i];
		const char *m = strcmp(e->kind, "services") == 0 ? NULL : match_entry(name, e);
		if (!m)
			continue;
		bool cleared = strcmp(m, "like") == 0 && was_cleared(data, name, l);
		*clean = *clean && cleared;
		ctm_json *h = ctm_json_obj();
		int rc = ctm_json_sets(h, "subject", name) || ctm_json_sets(h, "party", ctm_json_gets(subject, "party")) || ctm_json_sets(h, "list", l->id)
			|| ctm_json_sets(h, "entry", e->name) || ctm_json_sets(h, "match", m) || ctm_json_sets(h, "citation", l->citation)
			|| ctm_json_setb(h, "cleared", cleared) || ctm_json_setb(h, "demonstration", e->demonstration);
		if (ctm_json_add(hits, h) || rc)
			return CTM_E_NOMEM;
	}
	return 0;
}

int ctm_screen(struct ctm_cx *cx, const ctm_json *kase, const ctm_json *data, ctm_json **out)
{
	const struct ctm_catalogue *cat = ctm_app_catalogue(cx->app);
	ctm_json *names = ctm_json_arr(), *lists = ctm_json_arr(), *hits = ctm_json_arr(), *r = ctm_json_obj();
	bool clean = true;
	int rc = subjects(cx, kase, data, names);
	for (size_t i = 0; !rc && i < ctm_list_count(cat); i++) {
		const struct ctm_list *l = ctm_list_at(cat, i);
		ctm_json *o = ctm_json_obj();
		if (ctm_json_sets(o, "id", l->id) || ctm_json_sets(o, "name", l->name) || ctm_json_sets(o, "edition", l->edition) || ctm_json_sets(o, "digest", l->digest))
			rc = ctm_nomem(cx);
		if (ctm_json_add(lists, o) && !rc)
			rc = ctm_nomem(cx);
		for (size_t k = 0; !rc && k < ctm_json_len(names); k++)
			if (screen_one(data, ctm_json_at(names, k), l, hits, &clean))
				rc = ctm_nomem(cx);
	}
	if (ctm_json_set(r, "subjects", names) | ctm_json_set(r, "lists", lists) | ctm_json_set(r, "hits", hits) | ctm_json_setb(r, "clean", clean)
		| ctm_json_seti(r, "at_ms", cx->now_ms))
		rc = rc ? rc : ctm_nomem(cx);
	if (rc) {
		ctm_json_free(r);
		return rc;
	}
	*out = r;
	return 0;
}
