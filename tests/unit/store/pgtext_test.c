/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts for PostgreSQL made of shared texts: parameters get numbers and types get twins, and nothing inside of strings, quoted
 * names and comments is touched.
 */
#include "../base/harness.h"
#include "store/pgtext.h"

static void names_become_numbers_outside_of_quotes(void **state)
{
	static const struct { const char *in, *out; int n; } rows[] = {
		{ "SELECT :a, :b, :a", "SELECT $1, $2, $1", 2 },
		{ "SELECT ':a', \":b\", :c", "SELECT ':a', \":b\", $1", 1 },
		{ "SELECT 'it''s :a' || :a", "SELECT 'it''s :a' || $1", 1 },
		{ "SELECT E'\\':a', :b", "SELECT E'\\':a', $1", 1 },
		{ "SELECT e'x''\\\\', :b", "SELECT e'x''\\\\', $1", 1 },
		{ "SELECT 'back\\', :b", "SELECT 'back\\', $1", 1 },
		{ "SELECT :a -- not :b\n, :c /* :d /* :e */ :f */, :g", "SELECT $1 -- not :b\n, $2 /* :d /* :e */ :f */, $3", 3 },
		{ "SELECT $$ :a $$, $x$ :b $$ :c $x$, :d", "SELECT $$ :a $$, $x$ :b $$ :c $x$, $1", 1 },
		{ "SELECT a$b$, :c", "SELECT a$b$, $1", 1 },
		{ "SELECT :a::text, x[1:2], y::bigint", "SELECT $1::text, x[1:2], y::bigint", 1 },
		{ "SELECT :ab, :a, :abc", "SELECT $1, $2, $3", 3 },
		{ "", "", 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CTM_AUTO_BUF b = CTM_BUF(4096);
		struct ctm_pg_param p[CTM_PG_PARAMS_MAX];
		int n = -1;
		assert_int_equal(ctm_pg_statement(rows[i].in, &b, p, &n, NULL), 0);
		assert_string_equal(ctm_buf_cstr(&b), rows[i].out);
		assert_int_equal(n, rows[i].n);
	}
}

static void what_does_not_end_is_refused(void **state)
{
	static const char *const rows[] = { "SELECT 'a", "SELECT \"a", "SELECT E'a\\'", "SELECT /* /* */", "SELECT $a$ :b $$", "SELECT $$" };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CTM_AUTO_BUF b = CTM_BUF(4096);
		CTM_AUTO_BUF c = CTM_BUF(4096);
		struct ctm_pg_param p[CTM_PG_PARAMS_MAX];
		int n = -1;
		assert_int_equal(ctm_pg_statement(rows[i], &b, p, &n, NULL), CTM_E_SYNTAX);
		assert_int_equal(ctm_pg_migration(rows[i], &c, &n, NULL), CTM_E_SYNTAX);
		assert_int_equal(n, -1);
	}
	char many[2000] = "";
	size_t at = 0;
	for (int i = 0; i < CTM_PG_PARAMS_MAX + 1; i++)
		at += (size_t)snprintf(many + at, sizeof many - at, ":p%d ", i);
	CTM_AUTO_BUF b = CTM_BUF(4096);
	struct ctm_pg_param p[CTM_PG_PARAMS_MAX];
	int n = -1;
	assert_int_equal(ctm_pg_statement(many, &b, p, &n, NULL), CTM_E_INPUT);
	CTM_AUTO_BUF small = CTM_BUF(4);
	assert_int_equal(ctm_pg_statement("SELECT 1", &small, p, &n, NULL), CTM_E_TOOBIG);
}

static void types_get_twins_and_texts_stay(void **state)
{
	CTM_AUTO_BUF b = CTM_BUF(4096);
	int twins = 0;
	assert_int_equal(ctm_pg_migration("CREATE TABLE x (id INTEGER PRIMARY KEY, t TEXT NOT NULL DEFAULT 'TEXT', b BLOB, n BIGINT, \"TEXT\" text);\n"
		"-- an INTEGER here\nINSERT INTO x SELECT CAST(n AS TEXT) FROM y;", &b, &twins, NULL), 0);
	assert_string_equal(ctm_buf_cstr(&b), "CREATE TABLE x (id BIGINT PRIMARY KEY, t TEXT COLLATE \"C\" NOT NULL DEFAULT 'TEXT', b BYTEA, n BIGINT, "
		"\"TEXT\" TEXT COLLATE \"C\");\n-- an INTEGER here\nINSERT INTO x SELECT CAST(n AS TEXT) FROM y;");
	assert_int_equal(twins, 5);
	struct ctm_err e = { 0 };
	CTM_AUTO_BUF c = CTM_BUF(4096);
	assert_int_equal(ctm_pg_migration("CREATE TABLE x (id INTEGER PRIMARY KEY autoincrement)", &c, &twins, &e), CTM_E_UNSUPPORTED);
	assert_string_equal(e.field, "autoincrement");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(names_become_numbers_outside_of_quotes), cmocka_unit_test(what_does_not_end_is_refused),
		cmocka_unit_test(types_get_twins_and_texts_stay) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
