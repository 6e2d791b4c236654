/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pgtext.h"
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum kind { END, WORD, PARAM, SKIP, OTHER, BROKEN };     /* SKIP: space and comments */
struct token { enum kind kind; const char *p; size_t n; };

static bool starts_word(char c) { return isalpha((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80; }
static bool in_word(char c) { return starts_word(c) || isdigit((unsigned char)c); }

/* Length up to and with the closing quote, 0 when there is none. A doubled quote closes and opens again, which is the same. */
static size_t quoted(const char *p, bool backslash)
{
	for (size_t i = 1; p[i]; i++) {
		if (backslash && p[i + 1] && (p[i] == '\\' || (p[i] == p[0] && p[i + 1] == p[0])))
			i++;
		else if (p[i] == p[0])
			return i + 1;
	}
	return 0;
}

/* Comments of this kind nest in PostgreSQL. */
static size_t block_comment(const char *p)
{
	int depth = 0;
	for (size_t i = 0; p[i]; i++) {
		if (p[i] == '/' && p[i + 1] == '*') {
			depth++;
			i++;
		} else if (p[i] == '*' && p[i + 1] == '/') {
			i++;
			if (--depth == 0)
				return i + 1;
		}
	}
	return 0;
}

/* "$tag$...$tag$": its length; 0 when it does not end; 1 for a dollar that opens nothing. */
static size_t dollar_quoted(const char *p)
{
	size_t n = 1;
	if (starts_word(p[n]))
		while (in_word(p[n]))
			n++;
	if (p[n] != '$')
		return 1;
	n++;
	for (const char *q = p + n; (q = strchr(q, '$')); q++) {
		if (strncmp(q, p, n) == 0)
			return (size_t)(q - p) + n;
	}
	return 0;
}

static struct token closed(enum kind kind, const char *p, size_t n) { return (struct token){ n ? kind : BROKEN, p, n }; }

static struct token next(const char *p)
{
	size_t n = 1;
	if (!*p)
		return (struct token){ END, p, 0 };
	if ((*p == 'e' || *p == 'E') && p[1] == '\'') {
		n = quoted(p + 1, true);
		return closed(OTHER, p, n ? n + 1 : 0);
	}
	if (starts_word(*p) || isdigit((unsigned char)*p)) {
		while (in_word(p[n]) || p[n] == '$')
			n++;
		return (struct token){ starts_word(*p) ? WORD : OTHER, p, n };
	}
	if (*p == ':' && starts_word(p[1])) {
		while (in_word(p[n]))
			n++;
		return (struct token){ PARAM, p, n };
	}
	if (*p == '\'' || *p == '"')
		return closed(OTHER, p, quoted(p, false));
	if (p[0] == '-' && p[1] == '-')
		return (struct token){ SKIP, p, strcspn(p, "\n") };
	if (p[0] == '/' && p[1] == '*')
		return closed(SKIP, p, block_comment(p));
	if (*p == '$')
		return closed(OTHER, p, dollar_quoted(p));
	if (p[0] == ':' && p[1] == ':')
		return (struct token){ OTHER, p, 2 };
	return (struct token){ isspace((unsigned char)*p) ? SKIP : OTHER, p, 1 };
}

static int broken(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_SYNTAX, NULL, NULL, "a quoted text or a comment of the statement does not end");
}

static int number_of(struct token t, struct ctm_pg_param *p, int *n)
{
	for (int i = 0; i < *n; i++) {
		if (p[i].len == t.n - 1 && memcmp(p[i].at, t.p + 1, t.n - 1) == 0)
			return i + 1;
	}
	if (*n == CTM_PG_PARAMS_MAX)
		return 0;
	p[*n] = (struct ctm_pg_param){ t.p + 1, t.n - 1 };
	return ++*n;
}

int ctm_pg_statement(const char *text, struct ctm_buf *out, struct ctm_pg_param p[CTM_PG_PARAMS_MAX], int *n, struct ctm_err *err)
{
	int count = 0;
	for (struct token t = next(text); t.kind != END; t = next(t.p + t.n)) {
		if (t.kind == BROKEN)
			return broken(err);
		int at = t.kind == PARAM ? number_of(t, p, &count) : 0;
		if (t.kind == PARAM && !at)
			return ctm_fail(err, CTM_E_INPUT, NULL, NULL, "a statement has at most %d parameters", CTM_PG_PARAMS_MAX);
		if (at)
			ctm_buf_printf(out, "$%d", at);
		else
			ctm_buf_add(out, t.p, t.n);
	}
	int rc = ctm_buf_err(out, "statement", err);
	if (!rc)
		*n = count;
	return rc;
}

static bool is(struct token t, const char *word) { return t.kind == WORD && strlen(word) == t.n && strncasecmp(t.p, word, t.n) == 0; }

static const char *twin_of(struct token t, bool cast)
{
	static const struct { const char *word, *twin, *cast; } types[] = {
		{ "INTEGER", "BIGINT", "BIGINT" }, { "BLOB", "BYTEA", "BYTEA" }, { "TEXT", "TEXT COLLATE \"C\"", "TEXT" },
	};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (is(t, types[i].word))
			return cast ? types[i].cast : types[i].twin;
	}
	return NULL;
}

static bool only_sqlite(struct token t)
{
	static const char *const words[] = { "AUTOINCREMENT", "PRAGMA", "ROWID", "STRICT", "VIRTUAL", "ATTACH", "GLOB", "DATETIME" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (is(t, words[i]))
			return true;
	}
	return false;
}

int ctm_pg_migration(const char *text, struct ctm_buf *out, int *twins, struct ctm_err *err)
{
	int count = 0;
	bool cast = false;                        /* the word before was AS: CAST(x AS TEXT) takes no collation */
	for (struct token t = next(text); t.kind != END; t = next(t.p + t.n)) {
		char word[32] = "";
		if (t.kind == BROKEN)
			return broken(err);
		if (only_sqlite(t)) {
			memcpy(word, t.p, t.n);
			return ctm_fail(err, CTM_E_UNSUPPORTED, word, NULL, "a migration says %s, which only one engine knows", word);
		}
		const char *twin = twin_of(t, cast);
		count += twin != NULL;
		if (twin)
			ctm_buf_str(out, twin);
		else
			ctm_buf_add(out, t.p, t.n);
		if (t.kind != SKIP)
			cast = is(t, "AS");
	}
	int rc = ctm_buf_err(out, "migration", err);
	if (!rc)
		*twins = count;
	return rc;
}
