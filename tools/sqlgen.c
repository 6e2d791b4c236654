/* SPDX-License-Identifier: Apache-2.0
 *
 * Build tool: turns NOUN.sql files and migrations into one C file with the tables of store/store.h.
 *
 *   sqlgen OUT.c STATEMENTS.sql... --migrations 0001_NAME.sql...
 *
 * A statement file holds blocks "-- name: noun.verb" (or "-- name: noun.verb engine: postgresql" for the twin of the same
 * name), each followed by exactly one statement. Refused with file and line: text outside a block, a block without a
 * statement or with two, a name without a dot or with other characters than [a-z0-9_.], a name given twice, a twin without
 * its statement. Migrations are numbered from 1 without gaps. Memory lives until the end of the run.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1 << 20)
#define ROWS_MAX 4096
#define NAME_MAX_LEN 80

struct row { char name[NAME_MAX_LEN]; const char *text, *twin; const char *file; int line; };
struct migration { const char *name, *text; };

static struct row rows[ROWS_MAX];
static size_t nrows;
static struct migration migrations[1000];
static size_t nmigrations;
static char *kept[2 * ROWS_MAX];               /* everything allocated, released at the end */
static size_t nkept;

static void die(const char *file, int line, const char *what, const char *name)
{
	fprintf(stderr, "%s:%d: %s%s%s\n", file, line, what, name ? ": " : "", name ? name : "");
	exit(1);
}

static char *keep(char *p)
{
	if (!p || nkept == sizeof kept / sizeof *kept)
		die("sqlgen", 0, "out of memory", NULL);
	return kept[nkept++] = p;
}

static char *slurp(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		die(path, 0, strerror(errno), NULL);
	char *p = keep(malloc(FILE_MAX + 1));
	size_t n = fread(p, 1, FILE_MAX, f);
	if (ferror(f) || !feof(f))
		die(path, 0, "cannot be read, or is larger than 1 MiB", NULL);
	fclose(f);
	if (memchr(p, 0, n))
		die(path, 0, "holds a NUL byte", NULL);
	p[n] = 0;
	return p;
}

/* End of the token at p: a quoted text, a comment, or one character. */
static const char *token_end(const char *p)
{
	if (*p == '\'' || *p == '"') {
		const char *q = strchr(p + 1, *p);
		return q ? q + 1 : p + strlen(p);
	}
	if (p[0] == '-' && p[1] == '-')
		return p + strcspn(p, "\n");
	if (p[0] == '/' && p[1] == '*') {
		const char *q = strstr(p + 2, "*/");
		return q ? q + 2 : p + strlen(p);
	}
	return p + 1;
}

static bool is_filler(const char *p) { return isspace((unsigned char)*p) || (p[0] == '-' && p[1] == '-') || (p[0] == '/' && p[1] == '*'); }

/* The one statement in [p, end) without its semicolon. */
static const char *one_statement(const char *file, int line, const char *name, const char *p, const char *end)
{
	char *block = keep(strndup(p, (size_t)(end - p)));
	const char *from = NULL, *to = NULL;
	bool closed = false;
	for (const char *s = block; *s; s = token_end(s)) {
		if (is_filler(s))
			continue;
		if (*s == ';' && !from)
			die(file, line, "an empty statement", name);
		if (closed)
			die(file, line, "two statements in one block", name);
		if (*s == ';') {
			closed = true;
			continue;
		}
		from = from ? from : s;
		to = token_end(s);
	}
	if (!from)
		die(file, line, "a name without a statement", name);
	return keep(strndup(from, (size_t)(to - from)));
}

static void check_name(const char *file, int line, const char *name)
{
	const char *dot = strchr(name, '.');
	if (!dot || dot == name || !dot[1])
		die(file, line, "a statement is named noun.verb", name);
	if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") != strlen(name))
		die(file, line, "a name has only a-z, 0-9, _ and .", name);
}

static struct row *row_named(const char *name)
{
	for (size_t i = 0; i < nrows; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	if (nrows == ROWS_MAX)
		die("sqlgen", 0, "too many statements", NULL);
	struct row *r = &rows[nrows++];
	snprintf(r->name, sizeof r->name, "%s", name);
	return r;
}

/* "-- name: NAME" or "-- name: NAME engine: postgresql" at p? */
static bool header(const char *file, int line, const char *p, char name[NAME_MAX_LEN], bool *twin)
{
	char rest[32] = "", text[256];
	if (strncmp(p, "-- name:", 8) != 0)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)strcspn(p + 8, "\r\n"), p + 8);
	int got = sscanf(text, " %79s %31[^\n]", name, rest);
	if (got < 1)
		die(file, line, "a name is missing", NULL);
	*twin = got == 2 && strcmp(rest, "engine: postgresql") == 0;
	if (got == 2 && !*twin)
		die(file, line, "only \"engine: postgresql\" may follow a name", name);
	check_name(file, line, name);
	return true;
}

static void add(const char *file, int line, const char *name, bool twin, const char *p, const char *end)
{
	struct row *r = row_named(name);
	const char *text = one_statement(file, line, name, p, end);
	if (twin ? r->twin : r->text)
		die(file, line, "this name stands twice", name);
	*(twin ? &r->twin : &r->text) = text;
	r->file = file;
	r->line = line;
}

static void read_statements(const char *file)
{
	const char *text = slurp(file), *start = NULL;
	char name[NAME_MAX_LEN] = "", next[NAME_MAX_LEN];
	bool twin = false, next_twin;
	int line = 1, at = 0;
	for (const char *p = text; *p; line++) {
		const char *eol = p + strcspn(p, "\n");
		if (header(file, line, p, next, &next_twin)) {
			if (start)
				add(file, at, name, twin, start, p);
			memcpy(name, next, sizeof name);
			twin = next_twin;
			at = line;
			start = eol;
		} else if (!start && strspn(p, " \t\r") < (size_t)(eol - p) && strncmp(p, "--", 2) != 0) {
			die(file, line, "text before the first \"-- name:\"", NULL);
		}
		p = *eol ? eol + 1 : eol;
	}
	if (start)
		add(file, at, name, twin, start, text + strlen(text));
}

static void read_migration(const char *file)
{
	const char *base = strrchr(file, '/');
	char number[8];
	base = base ? base + 1 : file;
	snprintf(number, sizeof number, "%04u_", (unsigned)(nmigrations + 1) % 10000u);
	if (strncmp(base, number, 5) != 0)
		die(file, 0, "migrations are numbered without gaps; expected", number);
	char *name = keep(strdup(base));
	name[strcspn(name, ".")] = 0;
	migrations[nmigrations++] = (struct migration){ name, slurp(file) };
}

static void literal(FILE *f, const char *s)
{
	if (!s) {
		fputs("NULL", f);
		return;
	}
	fputc('"', f);
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n\"\n\t\t\"", f);
		else if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if (*s == '?')
			fputs("\\?", f);                   /* no trigraphs */
		else if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7E)
			fprintf(f, "\\%03o", (unsigned char)*s);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}

static int by_name(const void *a, const void *b) { return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name); }

static void write_out(const char *path)
{
	FILE *f = fopen(path, "w");
	if (!f)
		die(path, 0, strerror(errno), NULL);
	fputs("/* SPDX-License-Identifier: Apache-2.0\n * Made by tools/sqlgen from the NOUN.sql files and migrations. */\n"
		"#include \"store/store.h\"\n\nconst struct ctm_sql ctm_sql_table[] = {\n", f);
	for (size_t i = 0; i < nrows; i++) {
		fprintf(f, "\t{ \"%s\",\n\t\t", rows[i].name);
		literal(f, rows[i].text);
		fputs(",\n\t\t", f);
		literal(f, rows[i].twin);
		fputs(" },\n", f);
	}
	fprintf(f, "\t{ NULL, NULL, NULL },\n};\nconst size_t ctm_sql_count = %zu;\n\nconst struct ctm_migration ctm_migrations[] = {\n", nrows);
	for (size_t i = 0; i < nmigrations; i++) {
		fprintf(f, "\t{ %zu, \"%s\",\n\t\t", i + 1, migrations[i].name);
		literal(f, migrations[i].text);
		fputs(" },\n", f);
	}
	fprintf(f, "\t{ 0, NULL, NULL },\n};\nconst size_t ctm_migration_count = %zu;\n", nmigrations);
	if (fclose(f))
		die(path, 0, strerror(errno), NULL);
}

int main(int argc, char **argv)
{
	bool mig = false;
	if (argc < 2) {
		fputs("usage: sqlgen OUT.c STATEMENTS.sql... --migrations 0001_NAME.sql...\n", stderr);
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--migrations") == 0)
			mig = true;
		else if (mig)
			read_migration(argv[i]);
		else
			read_statements(argv[i]);
	}
	for (size_t i = 0; i < nrows; i++) {
		if (!rows[i].text)
			die(rows[i].file, rows[i].line, "a twin without its statement", rows[i].name);
	}
	qsort(rows, nrows, sizeof *rows, by_name);
	write_out(argv[1]);
	while (nkept > 0)
		free(kept[--nkept]);
	return 0;
}
