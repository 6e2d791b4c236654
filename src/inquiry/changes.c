/* SPDX-License-Identifier: Apache-2.0
 *
 * Who changed what. An organisation reads the lines written on its behalf; the operator reads all, without the values of what
 * belongs to products, evaluations and cases. Lines are shown as the members that differ, long values cut; the table for a
 * spreadsheet has them whole and the hash of each line, so that a copy can be held against the chain.
 */
#include "inquiry/inquiry.h"
#include "base/text.h"
#include "base/timex.h"
#include <string.h>

#define PAGE 100
#define CSV_LINES 10000
#define CSV_MAX ((size_t)48 << 20)
#define VALUE_MAX 160
#define DAY_MS INT64_C(86400000)
#define FOREVER INT64_C(0x7fffffffffff)

static const struct { const char *kind, *at; } places[] = {
	{ "product", "/products/" }, { "device", "/devices/" }, { "lab_job", "/jobs/" }, { "case", "/cases/" }, { "record", "/p/" },
};

static bool is_operator(const struct ctm_cx *cx) { return cx->who->roles & CTM_ROLE_OPERATOR; }

/* Kinds whose values the operator answers for. */
static bool of_people(const char *kind)
{
	return ctm_streq(kind, "person") || ctm_streq(kind, "organisation") || ctm_streq(kind, "session");
}

static int64_t day_ms(const char *day, int64_t otherwise, int64_t plus)
{
	int64_t days;
	return day && *day && !ctm_civil_parse(day, &days) ? days * DAY_MS + plus : otherwise;
}

static const char *or_empty(const char *s) { return s ? s : ""; }

static struct ctm_q *lines_asked(struct ctm_cx *cx, int64_t max)
{
	const char *who = or_empty(ctm_in(cx, "who"));
	struct ctm_q *q = ctm_q(cx->db, "inquiry.changes");
	ctm_q_text(q, "org", is_operator(cx) ? "" : cx->who->org_id);
	ctm_q_text(q, "kind", or_empty(ctm_in(cx, "kind")));
	ctm_q_text(q, "who", who);
	ctm_q_text(q, "like", ctm_inquiry_like(cx->arena, who));
	ctm_q_int(q, "from", day_ms(ctm_in(cx, "from"), 0, 0));
	ctm_q_int(q, "to", day_ms(ctm_in(cx, "to"), FOREVER, DAY_MS));
	ctm_q_int(q, "before", ctm_in_int(cx, "before", FOREVER));
	ctm_q_int(q, "max", max);
	return q;
}

/* ---- one line as members that differ ---- */

/* A value in at most VALUE_MAX bytes of text; null for what is not there. */
static int set_value(ctm_json *m, const char *name, const ctm_json *v)
{
	char text[VALUE_MAX + 4];
	if (!v || ctm_json_type(v) == CTM_J_NULL)
		return ctm_json_sets(m, name, NULL);
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	if (ctm_json_type(v) == CTM_J_STR)
		ctm_buf_str(&b, ctm_json_str(v));
	else if (ctm_json_compact(v, &b))
		return CTM_E_NOMEM;
	size_t n = b.len;
	if (n > VALUE_MAX)
		for (n = VALUE_MAX; n && ((unsigned char)b.p[n] & 0xC0) == 0x80; n--)
			;
	memcpy(text, ctm_buf_cstr(&b), n);
	memcpy(text + n, n < b.len ? "\xe2\x80\xa6" : "", n < b.len ? 4 : 1);
	return ctm_json_sets(m, name, text);
}

static int add_member(ctm_json *list, const char *name, const ctm_json *was, const ctm_json *is, bool hidden)
{
	if (ctm_json_equal(was, is))
		return 0;
	ctm_json *m = ctm_json_obj();
	int rc = ctm_json_sets(m, "name", name);
	rc |= set_value(m, "before", hidden ? NULL : was);
	rc |= set_value(m, "after", hidden ? NULL : is);
	return ctm_json_add(list, m) | rc;
}

static ctm_json *members(const ctm_json *before, const ctm_json *after, bool hidden)
{
	ctm_json *list = ctm_json_arr();
	const char *name;
	const ctm_json *v;
	int rc = 0;
	for (void *it = NULL; ctm_json_each(before, &it, &name, &v);)
		rc |= add_member(list, name, v, ctm_json_get(after, name), hidden);
	for (void *it = NULL; ctm_json_each(after, &it, &name, &v);)
		if (!ctm_json_get(before, name))
			rc |= add_member(list, name, NULL, v, hidden);
	if (!rc)
		return list;
	ctm_json_free(list);
	return NULL;
}

static ctm_json *parsed(const ctm_json *row, const char *name)
{
	const char *s = or_empty(ctm_json_gets(row, name));
	ctm_json *v = NULL;
	return ctm_json_parse(s, strlen(s), (size_t)4 << 20, name, &v, NULL) ? NULL : v;
}

static int set_href(const struct ctm_cx *cx, ctm_json *line, const char *kind, const char *subject)
{
	for (size_t i = 0; !is_operator(cx) && i < sizeof places / sizeof *places; i++)
		if (ctm_streq(places[i].kind, kind))
			return ctm_json_setf(line, "href", "%s%s", places[i].at, subject);
	return ctm_json_sets(line, "href", NULL);
}

static int add_line(const struct ctm_cx *cx, const ctm_json *row, ctm_json *lines)
{
	static const char *const shown[] = { "seq", "at_ms", "actor", "name", "org", "action", "kind", "subject", "hash" };
	const char *kind = ctm_json_gets(row, "kind");
	bool hidden = is_operator(cx) && !of_people(kind);
	CTM_AUTO_JSON *before = parsed(row, "before_text"), *after = parsed(row, "after_text");
	ctm_json *line = ctm_json_obj();
	int rc = 0;
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
		rc |= ctm_json_set(line, shown[i], ctm_json_copy(ctm_json_get(row, shown[i])));
	rc |= ctm_json_sets(line, "about", hidden ? "" : ctm_json_gets(row, "about"));
	rc |= set_href(cx, line, kind, ctm_json_gets(row, "subject"));
	rc |= ctm_json_setb(line, "hidden", hidden);
	rc |= ctm_json_set(line, "members", members(before, after, hidden));
	return ctm_json_add(lines, line) | rc;
}

/* ---- the page ---- */

static int set_filter(struct ctm_cx *cx, ctm_json *out)
{
	static const char *const names[] = { "kind", "who", "from", "to" };
	int rc = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *v = ctm_in(cx, names[i]);
		rc |= ctm_json_sets(out, names[i], v && *v ? v : NULL);
	}
	ctm_json *kinds = ctm_json_arr();
	for (const char *p = cx->route->in[0].values; *p;) {
		size_t n = strcspn(p, ",");
		rc |= ctm_json_adds(kinds, ctm_arena_ndup(cx->arena, p, n));
		p += n + (p[n] == ',');
	}
	return ctm_json_set(out, "kinds", kinds) | rc;
}

int ctm_uc_changes(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *rows = NULL;
	ctm_json *lines = ctm_json_arr();
	int rc = ctm_q_rows(lines_asked(cx, PAGE + 1), PAGE + 1, &rows, cx->err), bad = 0;
	size_t n = ctm_json_len(rows);
	for (size_t i = 0; !rc && i < n && i < PAGE; i++)
		bad |= add_line(cx, ctm_json_at(rows, i), lines);
	bad |= ctm_json_set(out, "lines", lines) | set_filter(cx, out) | ctm_json_setb(out, "all", is_operator(cx));
	bad |= n > PAGE ? ctm_json_seti(out, "older", ctm_json_geti(ctm_json_at(rows, PAGE - 1), "seq", 0)) : ctm_json_sets(out, "older", NULL);
	return rc ? rc : bad ? ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the page") : 0;
}

/* ---- the table for a spreadsheet ---- */

/* One field of RFC 4180. What a spreadsheet would take for a formula is made text. */
static void csv_field(struct ctm_buf *b, const char *s, bool last)
{
	ctm_buf_str(b, *s && strchr("=+-@\t\r", *s) ? "\"'" : "\"");
	for (; *s; s++) {
		if (*s == '"')
			ctm_buf_chr(b, '"');
		ctm_buf_chr(b, *s);
	}
	ctm_buf_str(b, last ? "\"\r\n" : "\",");
}

static void csv_line(const struct ctm_cx *cx, struct ctm_q *q, struct ctm_buf *b)
{
	static const char *const plain[] = { "actor", "name", "org", "action", "kind", "subject" };
	bool hidden = is_operator(cx) && !of_people(ctm_q_str(q, "kind"));
	char at[CTM_RFC3339_MAX];
	ctm_time_rfc3339(ctm_q_i64(q, "at_ms"), at);
	ctm_buf_printf(b, "%lld,%s,", (long long)ctm_q_i64(q, "seq"), at);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		csv_field(b, ctm_q_str(q, plain[i]), false);
	csv_field(b, hidden ? "" : ctm_q_str(q, "before_text"), false);
	csv_field(b, hidden ? "" : ctm_q_str(q, "after_text"), false);
	csv_field(b, ctm_q_str(q, "hash"), true);
}

int ctm_uc_changes_csv(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_BUF b = CTM_BUF(CSV_MAX);
	CTM_AUTO_Q *q = lines_asked(cx, CSV_LINES);
	bool row = true;
	int rc = 0;
	ctm_buf_str(&b, "seq,at,actor,name,organisation,action,kind,subject,before,after,hash\r\n");
	while (!(rc = ctm_q_step(q, &row, cx->err)) && row)
		csv_line(cx, q, &b);
	if (rc || (rc = ctm_buf_err(&b, "changes", cx->err)))
		return rc;
	char *p = ctm_arena_ndup(cx->arena, b.p, b.len);
	if (!p)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the table; ask for fewer days");
	cx->raw = (struct ctm_raw){ .type = "text/csv; charset=utf-8", .p = p, .n = b.len, .filename = "changes.csv" };
	return 0;
}
