/* SPDX-License-Identifier: Apache-2.0
 *
 * The one search box. A number or a serial that is one thing leads straight to it; everything else is a list, best first. What
 * the asker may not see is not found, and nothing says that it is there.
 */
#include "inquiry/inquiry.h"
#include "base/text.h"
#include <string.h>

#define HITS_MAX 50

/* Where the page of a thing stands. Persons have none of their own: what they did is shown. */
static const struct { const char *kind, *before, *after; } places[] = {
	{ "device", "/devices/", "" }, { "product", "/products/", "" }, { "case", "/cases/", "" }, { "job", "/jobs/", "" }, { "record", "/p/", "" },
	{ "person", "/changes?who=", "" },
};

static int set_href(ctm_json *hit, const char *kind, const char *id)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (!strcmp(places[i].kind, kind))
			return ctm_json_setf(hit, "href", "%s%s%s", places[i].before, id, places[i].after);
	return 0;
}

static int hit(const ctm_json *row, ctm_json *hits)
{
	static const char *const shown[] = { "kind", "title", "about", "state" };
	ctm_json *h = ctm_json_obj();
	int rc = set_href(h, ctm_json_gets(row, "kind"), ctm_json_gets(row, "id"));
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		rc |= ctm_json_sets(h, shown[i], ctm_json_gets(row, shown[i]));
	return ctm_json_add(hits, h) | rc;
}

const char *ctm_inquiry_like(struct ctm_arena *arena, const char *words)
{
	char *p = ctm_arena_alloc(arena, 2 * strlen(words) + 3), *to = p;
	if (!p)
		return NULL;
	*to++ = '%';
	for (; *words; words++) {
		if (strchr("!%_", *words))
			*to++ = '!';
		*to++ = *words;
	}
	*to++ = '%';
	*to = 0;
	return p;
}

static int ask(struct ctm_cx *cx, const char *words, ctm_json **rows)
{
	const char *like = ctm_inquiry_like(cx->arena, words);
	if (!like)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the search");
	struct ctm_q *q = ctm_q(cx->db, "inquiry.find");
	ctm_q_text(q, "org", cx->who->org_id);
	ctm_q_text(q, "all", cx->who->roles & CTM_ROLE_OPERATOR ? "1" : "");
	ctm_q_text(q, "q", words);
	ctm_q_text(q, "like", like);
	return ctm_q_rows(q, HITS_MAX + 1, rows, cx->err);
}

/* The address of the answer when there is one: the only thing of the best rank that is a thing itself, or the only one at all. */
static const char *the_one(struct ctm_cx *cx, const ctm_json *rows, const ctm_json *hits)
{
	size_t n = ctm_json_len(rows);
	bool first = n && !ctm_json_geti(ctm_json_at(rows, 0), "rank", 1) && (n == 1 || ctm_json_geti(ctm_json_at(rows, 1), "rank", 0));
	return n == 1 || first ? ctm_arena_dup(cx->arena, ctm_json_gets(ctm_json_at(hits, 0), "href")) : NULL;
}

static int find(struct ctm_cx *cx, bool go, ctm_json *out)
{
	const char *words = ctm_in(cx, "q");
	CTM_AUTO_JSON *rows = NULL;
	ctm_json *hits = ctm_json_arr();
	int rc = words && *words ? ask(cx, words, &rows) : 0, bad = 0;
	size_t n = ctm_json_len(rows);
	for (size_t i = 0; !rc && i < n && i < HITS_MAX; i++)
		bad |= hit(ctm_json_at(rows, i), hits);
	if (!rc && go)
		cx->location = the_one(cx, rows, hits);
	bad |= ctm_json_set(out, "hits", hits) | ctm_json_sets(out, "query", words) | ctm_json_seti(out, "count", (int64_t)(n < HITS_MAX ? n : HITS_MAX)) |
		ctm_json_setb(out, "more", n > HITS_MAX);
	return rc ? rc : bad ? ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the answer") : 0;
}

int ctm_uc_find(struct ctm_cx *cx, ctm_json *out) { return find(cx, false, out); }
int ctm_uc_find_page(struct ctm_cx *cx, ctm_json *out) { return find(cx, true, out); }
