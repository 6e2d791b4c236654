/* SPDX-License-Identifier: Apache-2.0
 *
 * What the template compiler carries besides templates: the message catalogues (both languages, held to the same keys and
 * placeholders), icons (one line each: name, tab, SVG path data on a 24 x 24 grid) and static assets with a version
 * from their content, so that a page can be cached for long and still change.
 */
#include "tpl.h"
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE (1u << 20)
#define MAX_MESSAGES 4000
#define MAX_ICONS 200
#define MAX_ASSETS 32

static struct block { struct block *next; } *blocks;

void *tpl_alloc(size_t n)
{
	struct block *b = calloc(1, sizeof *b + n + 16);
	if (!b) {
		fprintf(stderr, "tpl: out of memory\n");
		exit(1);
	}
	b->next = blocks;
	blocks = b;
	return b + 1;
}

char *tpl_ndup(const char *s, size_t n)
{
	char *p = tpl_alloc(n + 1);
	memcpy(p, s, n);
	return p;
}

char *tpl_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		fprintf(stderr, "tpl: cannot read %s\n", path);
		exit(1);
	}
	char *p = tpl_alloc(MAX_FILE + 1);
	*len = fread(p, 1, MAX_FILE + 1, f);
	bool bad = ferror(f) || *len > MAX_FILE || memchr(p, 0, *len);
	fclose(f);
	if (bad) {
		fprintf(stderr, "tpl: %s is longer than 1 MiB or not a text\n", path);
		exit(1);
	}
	return p;
}

void tpl_c_string(FILE *f, const char *s, size_t n)
{
	fputc('"', f);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c >= 32 && c < 127 && c != '?')
			fputc(c, f);
		else
			fprintf(f, "\\%03o", c);
	}
	fputc('"', f);
}

/* --- messages: one flat JSON object of strings --- */

const char *const tpl_locales[2] = { "en", "es" };
static struct tpl_msg *msgs;
static size_t nmsgs;

struct reader { const char *file, *p; int line; };

static void bad_json(const struct reader *r, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", r->file, r->line, what);
	exit(1);
}

static void skip(struct reader *r)
{
	for (; isspace((unsigned char)*r->p); r->p++)
		r->line += *r->p == '\n';
}

static char *json_string(struct reader *r)
{
	skip(r);
	if (*r->p++ != '"')
		bad_json(r, "a string is expected");
	char *out = tpl_alloc(strcspn(r->p, "\n") + 1), *o = out;
	while (*r->p != '"') {
		if ((unsigned char)*r->p < 32)
			bad_json(r, "a string does not end on its line");
		if (*r->p == '\\') {
			r->p++;
			if (!strchr("\"\\/n", *r->p) || !*r->p)
				bad_json(r, "messages use only the escapes \\\" \\\\ \\/ and \\n; write other characters as they are");
			*o++ = *r->p == 'n' ? '\n' : *r->p;
			r->p++;
		} else
			*o++ = *r->p++;
	}
	r->p++;
	return out;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct tpl_msg *)a)->key, ((const struct tpl_msg *)b)->key);
}

static struct tpl_msg *find_msg(const char *key)
{
	struct tpl_msg want = { .key = tpl_ndup(key, strlen(key)) };
	return nmsgs ? bsearch(&want, msgs, nmsgs, sizeof *msgs, by_key) : NULL;
}

const struct tpl_msg *tpl_message(const char *key) { return find_msg(key); }

static unsigned placeholders(const char *s)
{
	unsigned set = 0;
	for (; (s = strchr(s, '{')); s++)
		if (isdigit((unsigned char)s[1]) && s[2] == '}')
			set |= 1u << (s[1] - '0');
	return set;
}

int tpl_message_args(const struct tpl_msg *m)
{
	unsigned set = placeholders(m->text[0]);
	int n = 0;
	while (set >> n)
		n++;
	return n;
}

static void sort_messages(const char *path)
{
	qsort(msgs, nmsgs, sizeof *msgs, by_key);
	for (size_t i = 1; i < nmsgs; i++)
		if (!strcmp(msgs[i - 1].key, msgs[i].key))
			fprintf(stderr, "%s: key %s stands twice\n", path, msgs[i].key), exit(1);
}

static void add_message(const struct reader *r, char *key, char *en, char *es)
{
	if (nmsgs == MAX_MESSAGES)
		bad_json(r, "too many messages");
	msgs[nmsgs++] = (struct tpl_msg){ key, { en, es } };
}

/* which: 0 English, 1 the other language, 2 texts: the key is the English text, the value the other language's. */
static void read_messages(const char *path, int which)
{
	size_t n;
	struct reader r = { path, tpl_read(path, &n), 1 };
	skip(&r);
	if (*r.p++ != '{')
		bad_json(&r, "an object of messages is expected");
	size_t count = 0;
	do {
		char *key = json_string(&r);
		skip(&r);
		if (*r.p++ != ':')
			bad_json(&r, "a colon is expected");
		char *text = json_string(&r);
		if (which == 0) {
			add_message(&r, key, text, NULL);
		} else if (which == 2) {
			if (strchr(key, '{') || strchr(text, '{'))
				bad_json(&r, "a text of the catalogue has no placeholders");
			add_message(&r, key, key, text);
		} else {
			struct tpl_msg *m = find_msg(key);
			if (!m || m->text[which])
				bad_json(&r, m ? "this key stands twice" : "this key is not in the English catalogue");
			if (placeholders(m->text[0]) != placeholders(text))
				bad_json(&r, "the placeholders differ from the English text");
			m->text[which] = text;
		}
		count++;
		skip(&r);
	} while (*r.p++ == ',');
	if (r.p[-1] != '}')
		bad_json(&r, "a comma or the end of the object is expected");
	skip(&r);
	if (*r.p)
		bad_json(&r, "something follows the object");
	if (which != 1) {
		sort_messages(path);
	} else if (count != nmsgs) {
		for (size_t i = 0; i < nmsgs; i++)
			if (!msgs[i].text[which])
				fprintf(stderr, "%s: key %s is missing\n", path, msgs[i].key);
		exit(1);
	}
}

void tpl_messages(const char *en, const char *es)
{
	msgs = tpl_alloc(MAX_MESSAGES * sizeof *msgs);
	read_messages(en, 0);
	read_messages(es, 1);
}

void tpl_texts(const char *path) { read_messages(path, 2); }

/* --- icons --- */

static struct { char *name, *d; } icons[MAX_ICONS];
static size_t nicons;

void tpl_icons(const char *path)
{
	size_t n;
	char *p = tpl_read(path, &n);
	for (char *line; (line = strsep(&p, "\n"));) {
		char *tab = strchr(line, '\t');
		if (!*line || *line == '#')
			continue;
		if (!tab || nicons == MAX_ICONS || strpbrk(tab, "<>\"'&")) {
			fprintf(stderr, "%s: a line is NAME, tab, path data (at most %d): %s\n", path, MAX_ICONS, line);
			exit(1);
		}
		*tab = 0;
		icons[nicons].name = line;
		icons[nicons++].d = tab + 1;
	}
}

const char *tpl_icon(const char *name)
{
	for (size_t i = 0; i < nicons; i++)
		if (!strcmp(icons[i].name, name))
			return icons[i].d;
	return NULL;
}

/* --- assets --- */

static const struct { const char *ending, *type; } types[] = {
	{ ".css", "text/css; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" }, { ".svg", "image/svg+xml" },
};
static struct { char *name, *data, *url; const char *type, *version; size_t n; } assets[MAX_ASSETS];
static size_t nassets;

void tpl_asset_add(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
	const char *type = NULL;
	for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
		if (!strcmp(dot, types[i].ending))
			type = types[i].type;
	if (!type || nassets == MAX_ASSETS) {
		fprintf(stderr, "tpl: %s: assets are .css, .js or .svg, at most %d\n", path, MAX_ASSETS);
		exit(1);
	}
	size_t n;
	char *data = tpl_read(path, &n);
	uint64_t h = 0xcbf29ce484222325u;        /* FNV-1a: a version, not a proof */
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)data[i]) * 0x100000001b3u;
	char url[200], version[17];
	snprintf(version, sizeof version, "%016llx", (unsigned long long)h);
	snprintf(url, sizeof url, "/assets/%s?v=%s", name, version);
	assets[nassets].name = tpl_ndup(name, strlen(name));
	assets[nassets].url = tpl_ndup(url, strlen(url));
	assets[nassets].version = tpl_ndup(version, 16);
	assets[nassets].data = data;
	assets[nassets].type = type;
	assets[nassets++].n = n;
}

const char *tpl_asset_url(const char *name)
{
	for (size_t i = 0; i < nassets; i++)
		if (!strcmp(assets[i].name, name))
			return assets[i].url;
	return NULL;
}

void tpl_data_emit(FILE *out)
{
	fprintf(out, "const struct ctm_tpl_message ctm_tpl_messages[] = {\n");
	for (size_t i = 0; i < nmsgs; i++) {
		fprintf(out, "\t{ ");
		tpl_c_string(out, msgs[i].key, strlen(msgs[i].key));
		for (int l = 0; l < 2; l++) {
			fprintf(out, ", ");
			tpl_c_string(out, msgs[i].text[l], strlen(msgs[i].text[l]));
		}
		fprintf(out, " },\n");
	}
	fprintf(out, "};\nconst size_t ctm_tpl_message_count = %zu;\n\n", nmsgs);

	fprintf(out, "const struct ctm_tpl_icon ctm_tpl_icons[] = {\n");
	for (size_t i = 0; i < nicons; i++) {
		fprintf(out, "\t{ \"%s\", ", icons[i].name);
		tpl_c_string(out, icons[i].d, strlen(icons[i].d));
		fprintf(out, " },\n");
	}
	fprintf(out, "\t{ 0 }\n};\n\n");

	for (size_t i = 0; i < nassets; i++) {
		fprintf(out, "static const unsigned char asset_%zu[] = {", i);
		for (size_t k = 0; k < assets[i].n; k++)
			fprintf(out, "%s%u,", k % 32 ? "" : "\n\t", (unsigned char)assets[i].data[k]);
		fprintf(out, "0\n};\n");
	}
	fprintf(out, "const struct ctm_asset ctm_asset_table[] = {\n");
	for (size_t i = 0; i < nassets; i++)
		fprintf(out, "\t{ \"%s\", \"%s\", \"%s\", asset_%zu, %zu },\n", assets[i].name, assets[i].type, assets[i].version, i,
			assets[i].n);
	fprintf(out, "\t{ 0 }\n};\n\n");
}
