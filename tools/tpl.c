/* SPDX-License-Identifier: Apache-2.0
 *
 * Template compiler: tpl OUT.c EN.json ES.json ICONS FILE... where FILE is a template .../ROOM/pages/NAME.html (it
 * becomes "ROOM/NAME") or an asset (.css .js .svg). Writes one C file with the tables of src/http/tpl.h and
 * src/http/asset.h. The language is described in src/http/tpl.h.
 *
 * One pass over each source: literal bytes go through tpl_html.c, which knows what the reader's parser will be in; each
 * hole asks it for its place, and the place chooses the escape. A block must end where it began in the markup, in both of
 * its branches. Slots and bodies of layouts become functions of their own. References to other templates are
 * checked at the end, and circles among them refused, so that rendering always ends.
 */
#include "tpl.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEMPLATES 200
#define MAX_REFS 2000
#define MAX_WORDS 12
#define MAX_SLOTS 8
#define MAX_BLOCKS 24

struct word { char *name, *text; bool quoted, message; };   /* name="text", name=path, name=t"key", "text", path */

struct src {
	const char *path, *p;
	int line, id;
	struct tpl_html h;
	FILE *lit, *code;
	char *litbuf; size_t litlen;
	int scope;              /* number of the scope variable in force */
	int blocks;
	struct word w[MAX_WORDS]; int nw;
	struct { char *name; int fn; } slots[MAX_SLOTS]; int nslots;
};

static struct { char *name; const char *path; } tpls[MAX_TEMPLATES];
static int ntpls, nfns;
static struct { int from, line; char *to; } refs[MAX_REFS];
static int nrefs;
static FILE *functions;

static void die(const struct src *s, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));
static void die(const struct src *s, const char *fmt, ...)
{
	va_list ap;
	fprintf(stderr, "%s:%d: ", s->path, s->line);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static void lit_open(struct src *s)
{
	if (!(s->lit = open_memstream(&s->litbuf, &s->litlen)))
		die(s, "out of memory");
}

static void flush(struct src *s)
{
	fclose(s->lit);
	for (size_t at = 0; at < s->litlen; at += 1000) {
		size_t n = s->litlen - at < 1000 ? s->litlen - at : 1000;
		fprintf(s->code, "\tctm_buf_add(o, ");
		tpl_c_string(s->code, s->litbuf + at, n);
		fprintf(s->code, ", %zu);\n", n);
	}
	free(s->litbuf);
	lit_open(s);
}

/* --- reading a directive --- */

static bool name_char(char c) { return isalnum((unsigned char)c) || strchr("_@.-/:", c); }

static char *read_quoted(struct src *s, const char **p)
{
	const char *end = strchr(*p + 1, '"'), *close = strstr(*p, "}}");
	if (!end || !close || end > close)
		die(s, "a quoted word does not end");
	char *t = tpl_ndup(*p + 1, (size_t)(end - *p - 1));
	*p = end + 1;
	return t;
}

static void read_words(struct src *s, const char *p)
{
	for (s->nw = 0; ; s->nw++) {
		while (isspace((unsigned char)*p))
			p++;
		if (!strncmp(p, "}}", 2))
			break;
		if (s->nw == MAX_WORDS)
			die(s, "too many words in one directive");
		struct word *w = &s->w[s->nw];
		*w = (struct word){ 0 };
		if (*p == '"') {
			w->text = read_quoted(s, &p);
			w->quoted = true;
			continue;
		}
		const char *from = p;
		while (*p && (name_char(*p) || (p == from && strchr("#>", *p))))
			p++;
		if (p == from)
			die(s, "unexpected character '%c' in a directive", *p);
		w->text = tpl_ndup(from, (size_t)(p - from));
		if (*p != '=')
			continue;
		w->name = w->text;
		p++;
		w->message = !strncmp(p, "t\"", 2);
		p += w->message;
		w->quoted = *p == '"';
		from = p;
		if (w->quoted)
			w->text = read_quoted(s, &p);
		else {
			while (*p && name_char(*p))
				p++;
			w->text = tpl_ndup(from, (size_t)(p - from));
		}
	}
	for (const char *c = s->p; c < p; c++)
		s->line += *c == '\n';
	s->p = p + 2;
}

static const char *path_of(struct src *s, int i, const char *what)
{
	if (i >= s->nw || s->w[i].quoted)
		die(s, "%s needs the name of a value", what);
	return s->w[i].text;
}

/* --- holes --- */

static enum tpl_place place(struct src *s)
{
	enum tpl_place p = tpl_html_place(&s->h);
	if (p == TPL_P_NONE || p == TPL_P_TAG)
		die(s, "%s", tpl_html_why(&s->h));
	return p;
}

static void check_message(struct src *s, const char *key, int args)
{
	const struct tpl_msg *m = tpl_message(key);
	if (!m)
		die(s, "message \"%s\" is not in the catalogue", key);
	if (args >= 0 && tpl_message_args(m) != args)
		die(s, "message \"%s\" takes %d values, %d are given", key, tpl_message_args(m), args);
}

static const struct { const char *name, *kind; } kinds[] = {
	{ "int", "INT" }, { "date", "DATE" }, { "short", "SHORT" }, { "day", "DAY" }, { "due", "DUE" }, { "time", "TIME" }, { "ago", "AGO" },
	{ "digest", "DIGEST" }, { "status", "STATUS" }, { "size", "SIZE" }, { "yesno", "YESNO" }, { "count", "COUNT" }, { "bare", "BARE" },
};

static const char *kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].kind;
	return NULL;
}

static void put(struct src *s, const char *kind, const char *path)
{
	enum tpl_place at = place(s);
	if (at == TPL_P_URL_START)
		die(s, "an address begins with {{url name}} or with a fixed start such as /");
	if ((at == TPL_P_LDJSON) != !strcmp(kind, "JSON"))
		die(s, "only {{json name}} may stand in a script of type application/ld+json, and only there");
	flush(s);
	fprintf(s->code, "\tctm_tpl_put(tc, s%d, o, CTM_TPL_K_%s, %d, \"%s\");\n", s->scope, kind, (int)at, path);
	tpl_html_hole(&s->h);
}

static void put_url(struct src *s)
{
	if (place(s) != TPL_P_URL_START)
		die(s, "{{url name}} stands at the start of href, src or action; in the middle of an address use {{name}}");
	flush(s);
	fprintf(s->code, "\tctm_tpl_put_url(tc, s%d, o, \"%s\");\n", s->scope, path_of(s, 1, "url"));
	tpl_html_hole(&s->h);
}

/* {{t "key" a date:b}} or {{t path}} where the value is a key */
static void put_message(struct src *s)
{
	if (s->nw < 2)
		die(s, "t needs a message key");
	enum tpl_place at = place(s);
	if (at != TPL_P_TEXT && at != TPL_P_ATTR)
		die(s, "a message may not stand here");
	flush(s);
	if (s->w[1].quoted)
		check_message(s, s->w[1].text, s->nw - 2);
	fprintf(s->code, "\tctm_tpl_put_message(tc, s%d, o, %d, %s\"%s\", %d, (const struct ctm_tpl_targ[]){ ", s->scope, (int)at,
		s->w[1].quoted ? "" : "CTM_TPL_PATH ", s->w[1].text, s->nw - 2);
	for (int i = 2; i < s->nw; i++) {
		char *arg = (char *)(uintptr_t)path_of(s, i, "t"), *colon = strchr(arg, ':');
		const char *kind = "TEXT";
		if (colon) {
			*colon = 0;
			if (!(kind = kind_of(arg)))
				die(s, "\"%s\" is not a kind of value", arg);
			arg = colon + 1;
		}
		fprintf(s->code, "{ CTM_TPL_K_%s, \"%s\" }, ", kind, arg);
	}
	fprintf(s->code, "{ 0 } });\n");
	tpl_html_hole(&s->h);
}

static void put_word(struct src *s)      /* {{word "role" name}}: message "role.VALUE", else the value as words */
{
	if (s->nw != 3 || !s->w[1].quoted)
		die(s, "{{word \"prefix\" name}}");
	enum tpl_place at = place(s);
	flush(s);
	fprintf(s->code, "\tctm_tpl_put_word(tc, s%d, o, %d, \"%s\", \"%s\");\n", s->scope, (int)at, s->w[1].text, path_of(s, 2, "word"));
	tpl_html_hole(&s->h);
}

static void put_get(struct src *s)       /* {{get object name}}: the member whose name is the value of `name` */
{
	enum tpl_place at = place(s);
	if (at != TPL_P_TEXT && at != TPL_P_ATTR)
		die(s, "{{get}} may stand in text and quoted attributes");
	flush(s);
	fprintf(s->code, "\tctm_tpl_put_get(tc, s%d, o, %d, \"%s\", \"%s\");\n", s->scope, (int)at, path_of(s, 1, "get"), path_of(s, 2, "get"));
	tpl_html_hole(&s->h);
}

static void put_literal(struct src *s)   /* csrf, icon, asset: known now or fixed markup */
{
	const char *d = s->w[0].text;
	enum tpl_place at = place(s);
	if (!strcmp(d, "csrf")) {
		if (at != TPL_P_TEXT)
			die(s, "{{csrf}} stands inside a form");
		s->h.form_csrf = true;
		flush(s);
		fprintf(s->code, "\tctm_tpl_put_csrf(tc, s%d, o);\n", s->scope);
	} else if (!strcmp(d, "icon")) {
		const char *icon = s->nw == 2 && s->w[1].quoted ? tpl_icon(s->w[1].text) : NULL;
		if (!icon || at != TPL_P_TEXT)
			die(s, "{{icon \"name\"}} stands in text and names a line of icons.txt");
		fprintf(s->lit, "<svg class=\"i\" viewBox=\"0 0 24 24\" aria-hidden=\"true\" focusable=\"false\"><path d=\"%s\"/></svg>", icon);
	} else {
		const char *url = s->nw == 2 && s->w[1].quoted ? tpl_asset_url(s->w[1].text) : NULL;
		if (!url || at != TPL_P_URL_START)
			die(s, "{{asset \"name\"}} is a whole address and names one of our assets");
		fputs(url, s->lit);
	}
	tpl_html_hole(&s->h);
}

/* --- blocks --- */

enum end { END_FILE, END_ELSE, END_BLOCK };
static enum end content(struct src *s, const char *block);

static void same(struct src *s, const struct tpl_html *before)
{
	const char *why = tpl_html_same(before, &s->h);
	if (why)
		die(s, "%s", why);
}

/* The rest of a block whose C condition has been written: branches, both ending where they began. */
static void branches(struct src *s, const char *block, const char *otherwise)
{
	struct tpl_html before = s->h;
	int scope = s->scope, line = s->line;
	s->h.space = false;
	if (++s->blocks > MAX_BLOCKS)
		die(s, "blocks are nested too deep");
	enum end e = content(s, block);
	same(s, &before);
	bool csrf = s->h.form_csrf, both = e == END_ELSE;
	if (both) {
		s->h = before;
		s->h.space = false;
		s->scope = scope - (otherwise != NULL);
		fprintf(s->code, "\t%s {\n", otherwise ? otherwise : "} else");
		e = content(s, block);
		same(s, &before);
		csrf = csrf && s->h.form_csrf;
	}
	if (e != END_BLOCK)
		die(s, "{{#%s}} of line %d is not closed", block, line);
	fprintf(s->code, "\t}\n");
	s->h.form_csrf = before.form_csrf || (both && csrf);
	s->blocks--;
	tpl_html_hole(&s->h);
}

static void block_test(struct src *s, const char *d)
{
	const char *path = path_of(s, 1, d);
	flush(s);
	if (!strcmp(d, "eq")) {
		fprintf(s->code, "\tif (");
		for (int i = 2; i < s->nw; i++)
			fprintf(s->code, "%sctm_tpl_equal(tc, s%d, \"%s\", %s\"%s\")", i > 2 ? " || " : "", s->scope, path,
				s->w[i].quoted ? "" : "CTM_TPL_PATH ", s->w[i].text);
		if (s->nw < 3)
			die(s, "{{#eq name \"word\"}}");
		fprintf(s->code, ") {\n");
	} else
		fprintf(s->code, "\tif (%sctm_tpl_truth(tc, s%d, \"%s\")) {\n", strcmp(d, "not") ? "" : "!", s->scope, path);
	branches(s, d, NULL);
}

static void block_each(struct src *s)
{
	const char *path = path_of(s, 1, "each");
	flush(s);
	int outer = s->scope++;
	fprintf(s->code, "\t{ size_t n%d; const ctm_json *l%d = ctm_tpl_list(tc, s%d, \"%s\", &n%d);\n"
		"\tfor (size_t i%d = 0; i%d < n%d; i%d++) { const struct ctm_tpl_scope *s%d = &(struct ctm_tpl_scope)"
		"{ .v = ctm_json_at(l%d, i%d), .up = s%d, .index = i%d, .in_list = true };\n\t(void)s%d;\n", s->scope, s->scope, outer, path, s->scope,
		s->scope, s->scope, s->scope, s->scope, s->scope, s->scope, s->scope, outer, s->scope, s->scope);
	char otherwise[64];
	snprintf(otherwise, sizeof otherwise, "} if (!n%d)", s->scope);
	branches(s, "each", otherwise);
	fprintf(s->code, "\t}\n");
	s->scope = outer;
}

static void block_with(struct src *s)
{
	const char *path = path_of(s, 1, "with");
	flush(s);
	int outer = s->scope++;
	fprintf(s->code, "\t{ struct ctm_tpl_val v%d = ctm_tpl_value(tc, s%d, \"%s\"); const struct ctm_tpl_scope *s%d = "
		"&(struct ctm_tpl_scope){ .v = v%d.v, .up = s%d };\n\tif (v%d.v && ctm_json_type(v%d.v) != CTM_J_NULL) {\n\t(void)s%d;\n",
		s->scope, outer, path, s->scope, s->scope, outer, s->scope, s->scope, s->scope);
	char otherwise[32];
	snprintf(otherwise, sizeof otherwise, "} else");
	branches(s, "with", otherwise);
	fprintf(s->code, "\t}\n");
	s->scope = outer;
}

/* --- other templates --- */

static void reference(struct src *s, const char *name)
{
	if (nrefs == MAX_REFS)
		die(s, "too many references");
	refs[nrefs].from = s->id;
	refs[nrefs].line = s->line;
	refs[nrefs++].to = tpl_ndup(name, strlen(name));
}

static void c_name(FILE *f, const char *name)
{
	fputs("r_", f);
	for (; *name; name++)
		fputc(isalnum((unsigned char)*name) ? *name : '_', f);
}

/* Opens "{ args; scope = ...": the caller closes it after the call. `from` is the first argument's word. */
static void open_args(struct src *s, int from)
{
	fprintf(s->code, "\t{ const struct ctm_tpl_arg a[] = { ");
	for (int i = from; i < s->nw; i++) {
		struct word *w = &s->w[i];
		if (!w->name)
			die(s, "arguments are written name=\"text\", name=path or name=t\"message.key\"");
		fprintf(s->code, "{ \"%s\", ", w->name);
		if (w->message) {
			check_message(s, w->text, 0);
			fprintf(s->code, "{ NULL, ctm_tpl_say(tc, \"%s\") } }, ", w->text);
		} else if (w->quoted) {
			fprintf(s->code, "{ NULL, ");
			tpl_c_string(s->code, w->text, strlen(w->text));
			fprintf(s->code, " } }, ");
		} else
			fprintf(s->code, "ctm_tpl_value(tc, s%d, \"%s\") }, ", s->scope, w->text);
	}
	fprintf(s->code, "{ 0 } };\n");
}

static void partial(struct src *s)
{
	if (place(s) != TPL_P_TEXT && strcmp(s->h.raw, "title"))
		die(s, "a template may be included in text only");
	int at = !strcmp(s->w[0].text, ">") ? 1 : 0;
	const char *name = at ? path_of(s, 1, ">") : s->w[0].text + 1;
	reference(s, name);
	flush(s);
	open_args(s, at + 1);
	fprintf(s->code, "\t");
	c_name(s->code, name);
	fprintf(s->code, "(tc, &(struct ctm_tpl_scope){ .up = s%d, .args = a, .nargs = %d }, o); }\n", s->scope, s->nw - at - 1);
	s->h.space = false;
}

/* Compile up to {{/block}} into a function of its own and return its number. */
static int subfunction(struct src *s, const char *block, bool title)
{
	FILE *code = s->code;
	char *buf;
	size_t len;
	int scope = s->scope, line = s->line;
	struct tpl_html before = s->h;
	if (!(s->code = open_memstream(&buf, &len)))
		die(s, "out of memory");
	s->h = (struct tpl_html){ .space = true };
	if (title)
		tpl_html_title(&s->h);
	struct tpl_html start = s->h;
	s->scope = 0;
	if (content(s, block) != END_BLOCK)
		die(s, "{{#%s}} of line %d is not closed, or has an {{else}}", block, line);
	same(s, &start);
	flush(s);
	fclose(s->code);
	fprintf(functions, "static void f_%d(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s0, struct ctm_buf *o)\n{\n%s}\n\n",
		nfns, len ? buf : "");
	free(buf);
	s->code = code;
	s->scope = scope;
	s->h = before;
	return nfns++;
}

static void slot(struct src *s)
{
	if (s->nslots == MAX_SLOTS)
		die(s, "too many slots");
	char *name = tpl_ndup(path_of(s, 1, "slot"), strlen(path_of(s, 1, "slot")));
	flush(s);
	int fn = subfunction(s, "slot", !strcmp(name, "title"));
	s->slots[s->nslots].name = name;
	s->slots[s->nslots++].fn = fn;
}

static void layout(struct src *s)
{
	if (s->nslots || s->h.depth || s->scope)
		die(s, "a layout holds a whole template");
	char *name = tpl_ndup(path_of(s, 1, "layout"), strlen(path_of(s, 1, "layout")));
	reference(s, name);
	flush(s);
	open_args(s, 2);
	int nargs = s->nw - 2, body = subfunction(s, "layout", false);
	fprintf(s->code, "\tstatic const struct ctm_tpl_slot slots[] = { { \"body\", f_%d }, ", body);
	for (int i = 0; i < s->nslots; i++)
		fprintf(s->code, "{ \"%s\", f_%d }, ", s->slots[i].name, s->slots[i].fn);
	fprintf(s->code, "};\n\t");
	c_name(s->code, name);
	fprintf(s->code, "(tc, &(struct ctm_tpl_scope){ .up = s0, .args = a, .nargs = %d, .slots = slots, .nslots = %d }, o); }\n", nargs,
		s->nslots + 1);
}

static void put_slot(struct src *s)
{
	enum tpl_place at = place(s);
	const char *name = path_of(s, 1, "slot");
	if (at != TPL_P_TEXT && !(at == TPL_P_ATTR && !strcmp(s->h.raw, "title") && !strcmp(name, "title")))
		die(s, "a slot stands in text; the slot \"title\" also in the title element");
	flush(s);
	fprintf(s->code, "\tctm_tpl_put_slot(tc, s%d, o, \"%s\");\n", s->scope, name);
	tpl_html_hole(&s->h);
}

/* --- one file --- */

static void block(struct src *s, const char *d)
{
	if (tpl_html_place(&s->h) == TPL_P_NONE)
		die(s, "%s", tpl_html_why(&s->h));
	if (!strcmp(d, "if") || !strcmp(d, "not") || !strcmp(d, "eq"))
		block_test(s, d);
	else if (!strcmp(d, "each"))
		block_each(s);
	else if (!strcmp(d, "with"))
		block_with(s);
	else if (!strcmp(d, "slot"))
		slot(s);
	else if (!strcmp(d, "layout"))
		layout(s);
	else
		die(s, "{{#%s}} is not known", d);
}

static void hole(struct src *s, const char *d)
{
	const char *kind = kind_of(d);
	if (*d == '>')
		partial(s);
	else if (!strcmp(d, "csrf") || !strcmp(d, "icon") || !strcmp(d, "asset"))
		put_literal(s);
	else if (s->nw == 1)
		put(s, "TEXT", path_of(s, 0, "a hole"));
	else if (!strcmp(d, "t"))
		put_message(s);
	else if (!strcmp(d, "url"))
		put_url(s);
	else if (!strcmp(d, "word"))
		put_word(s);
	else if (!strcmp(d, "get"))
		put_get(s);
	else if (!strcmp(d, "slot"))
		put_slot(s);
	else if (!strcmp(d, "json"))
		put(s, "JSON", path_of(s, 1, d));
	else if (kind && s->nw == 2)
		put(s, kind, path_of(s, 1, d));
	else
		die(s, "{{%s ...}} is not known", d);
}

static enum end content(struct src *s, const char *in_block)
{
	while (*s->p) {
		if (!strncmp(s->p, "{{!--", 5)) {
			const char *end = strstr(s->p, "--}}");
			if (!end)
				die(s, "a comment does not end");
			for (; s->p < end + 4; s->p++)
				s->line += *s->p == '\n';
		} else if (!strncmp(s->p, "{{", 2)) {
			const char *end = strstr(s->p, "}}");
			if (!end)
				die(s, "a directive does not end");
			if (s->p[2] == '/') {
				size_t n = (size_t)(end - s->p - 3);
				if (!in_block || strlen(in_block) != n || strncmp(in_block, s->p + 3, n))
					die(s, "{{/%.*s}} does not close the open block (%s)", (int)n, s->p + 3, in_block ? in_block : "none is open");
				tpl_html_settle(&s->h);
				s->p = end + 2;
				flush(s);
				return END_BLOCK;
			}
			if (!strncmp(s->p, "{{else}}", 8)) {
				if (!in_block)
					die(s, "{{else}} outside a block");
				tpl_html_settle(&s->h);
				s->p = end + 2;
				flush(s);
				return END_ELSE;
			}
			read_words(s, s->p + 2);
			if (!s->nw || s->w[0].quoted)
				die(s, "an empty directive");
			if (*s->w[0].text == '#') {
				tpl_html_settle(&s->h);
				block(s, s->w[0].text + 1);
			} else
				hole(s, s->w[0].text);
		} else {
			const char *why = tpl_html_feed(&s->h, s->p, s->lit);
			if (why)
				die(s, "%s", why);
			s->line += *s->p++ == '\n';
		}
	}
	return END_FILE;
}

static void compile(int id)
{
	size_t n;
	char *buf;
	size_t len;
	struct src s = { .path = tpls[id].path, .line = 1, .id = id, .h.space = true };
	s.p = tpl_read(s.path, &n);
	lit_open(&s);
	if (!(s.code = open_memstream(&buf, &len)))
		die(&s, "out of memory");
	content(&s, NULL);
	same(&s, &(struct tpl_html){ 0 });
	flush(&s);
	fclose(s.lit);
	free(s.litbuf);
	fclose(s.code);
	fprintf(functions, "static void ");
	c_name(functions, tpls[id].name);
	fprintf(functions, "(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s0, struct ctm_buf *o)\n{\n%s}\n\n", len ? buf : "\t(void)o;\n");
	free(buf);
}

/* --- the whole --- */

static int find_tpl(const char *name)
{
	for (int i = 0; i < ntpls; i++)
		if (!strcmp(tpls[i].name, name))
			return i;
	return -1;
}

static void follow(int id, char *mark)      /* 1 on the way, 2 done */
{
	mark[id] = 1;
	for (int i = 0; i < nrefs; i++) {
		if (refs[i].from != id)
			continue;
		int to = find_tpl(refs[i].to);
		if (to < 0 || mark[to] == 1) {
			fprintf(stderr, "%s:%d: template \"%s\" %s\n", tpls[id].path, refs[i].line, refs[i].to,
				to < 0 ? "does not exist" : "includes itself in the end");
			exit(1);
		}
		if (!mark[to])
			follow(to, mark);
	}
	mark[id] = 2;
}

static void add_template(const char *given)
{
	char *path = realpath(given, NULL);
	if (!path) {
		fprintf(stderr, "tpl: cannot read %s\n", given);
		exit(1);
	}
	const char *pages = strstr(path, "/pages/"), *room = pages, *dot = strrchr(path, '.');
	for (const char *next; pages && (next = strstr(pages + 1, "/pages/"));)
		room = pages = next;
	while (room && room > path && room[-1] != '/')
		room--;
	if (!pages || !dot || dot < pages || ntpls == MAX_TEMPLATES) {
		fprintf(stderr, "tpl: %s: templates stand in ROOM/pages/NAME.html, at most %d\n", given, MAX_TEMPLATES);
		exit(1);
	}
	char name[200];
	snprintf(name, sizeof name, "%.*s/%.*s", (int)(pages - room), room, (int)(dot - pages - 7), pages + 7);
	if (find_tpl(name) >= 0) {
		fprintf(stderr, "tpl: template \"%s\" stands twice\n", name);
		exit(1);
	}
	tpls[ntpls].name = tpl_ndup(name, strlen(name));
	tpls[ntpls++].path = given;
	free(path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void emit(FILE *out, const char *body)
{
	fprintf(out, "/* Written by tools/tpl; not to be edited. */\n#include \"http/asset.h\"\n#include \"http/tpl_rt.h\"\n\n");
	for (int i = 0; i < ntpls; i++) {
		fprintf(out, "static void ");
		c_name(out, tpls[i].name);
		fprintf(out, "(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s0, struct ctm_buf *o);\n");
	}
	fprintf(out, "\n%sconst struct ctm_tpl ctm_tpl_table[] = {\n", body);
	for (int i = 0; i < ntpls; i++) {
		fprintf(out, "\t{ \"%s\", ", tpls[i].name);
		c_name(out, tpls[i].name);
		fprintf(out, " },\n");
	}
	fprintf(out, "\t{ 0 }\n};\nconst size_t ctm_tpl_count = %d;\n\n", ntpls);
	tpl_data_emit(out);
}

int main(int argc, char **argv)
{
	if (argc < 5) {
		fprintf(stderr, "usage: tpl OUT.c EN.json ES.json ICONS FILE...\n");
		return 2;
	}
	tpl_messages(argv[2], argv[3]);
	tpl_icons(argv[4]);
	for (int i = 5; i < argc; i++) {
		size_t n = strlen(argv[i]);
		if (n > 5 && !strcmp(argv[i] + n - 5, ".html"))
			add_template(argv[i]);
		else if (n > 5 && !strcmp(argv[i] + n - 5, ".json"))
			tpl_texts(argv[i]);
		else
			tpl_asset_add(argv[i]);
	}
	qsort(tpls, (size_t)ntpls, sizeof *tpls, by_name);
	char *body, mark[MAX_TEMPLATES] = { 0 };
	size_t len;
	if (!(functions = open_memstream(&body, &len)))
		return 1;
	for (int i = 0; i < ntpls; i++)
		compile(i);
	for (int i = 0; i < ntpls; i++)
		if (!mark[i])
			follow(i, mark);
	fclose(functions);
	FILE *out = fopen(argv[1], "w");
	if (!out) {
		fprintf(stderr, "tpl: cannot write %s\n", argv[1]);
		return 1;
	}
	emit(out, body);
	free(body);
	bool bad = ferror(out);
	return fclose(out) || bad;
}
