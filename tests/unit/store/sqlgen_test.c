/* SPDX-License-Identifier: Apache-2.0
 *
 * The statement compiler refuses what would surprise later, naming file and line.
 */
#include "../base/harness.h"
#include "base/file.h"
#include "base/proc.h"

static int run(void **state, const char *sql, struct ctm_buf *said)
{
	char in[300], out[300];
	int status = -1;
	snprintf(in, sizeof in, "%s/t.sql", (char *)*state);
	snprintf(out, sizeof out, "%s/t.c", (char *)*state);
	assert_int_equal(ctm_file_write(in, sql, strlen(sql), 0600, NULL), 0);
	const char *argv[] = { CTM_SQLGEN, out, in, NULL };
	struct ctm_proc p = { .argv = argv, .timeout_ms = 20000 };
	CTM_AUTO_BUF none = CTM_BUF(10000);
	assert_int_equal(ctm_proc_run(&p, &none, said, &status, NULL), 0);
	return status;
}

static void what_would_surprise_is_refused(void **state)
{
	static const struct { const char *sql, *says; } rows[] = {
		{ "SELECT 1\n", "t.sql:1: text before the first" },
		{ "-- name: a.b\n-- only a comment\n-- name: a.c\nSELECT 1\n", "t.sql:1: a name without a statement: a.b" },
		{ "-- name: a.b\n\n", "t.sql:1: a name without a statement: a.b" },
		{ "-- name: a.b\nSELECT 1;\nSELECT 2\n", "t.sql:1: two statements in one block: a.b" },
		{ "-- name: a.b\nSELECT 1\n-- name: a.b\nSELECT 2\n", "t.sql:3: this name stands twice: a.b" },
		{ "-- name: ab\nSELECT 1\n", "t.sql:1: a statement is named noun.verb: ab" },
		{ "-- name: A.b\nSELECT 1\n", "a name has only a-z" },
		{ "-- name:\nSELECT 1\n", "t.sql:1: a name is missing" },
		{ "-- name: a.b engine: oracle\nSELECT 1\n", "may follow a name" },
		{ "-- name: a.b engine: postgresql\nSELECT 1\n", "t.sql:1: a twin without its statement: a.b" },
		{ "-- name: a.b\n;\n", "an empty statement" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CTM_AUTO_BUF said = CTM_BUF(10000);
		int status = run(state, rows[i].sql, &said);
		if (status != 1 || !strstr(ctm_buf_cstr(&said), rows[i].says))
			fail_msg("%s: %d %s", rows[i].sql, status, ctm_buf_cstr(&said));
	}
}

static void quotes_and_comments_hide_semicolons(void **state)
{
	CTM_AUTO_BUF said = CTM_BUF(10000);
	CTM_AUTO_BUF text = CTM_BUF(0);
	char out[300];
	int status = run(state, "-- a file comment\n\n-- name: a.b\nSELECT ';' AS \"x;y\" -- no; end\n/* ; */ FROM t ; -- bye\n", &said);
	if (status)
		fail_msg("%s", ctm_buf_cstr(&said));
	snprintf(out, sizeof out, "%s/t.c", (char *)*state);
	assert_int_equal(ctm_file_read(out, 100000, &text, NULL), 0);
	assert_non_null(strstr(ctm_buf_cstr(&text), "FROM t\""));
	assert_non_null(strstr(ctm_buf_cstr(&text), "const size_t ctm_sql_count = 1;"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_would_surprise_is_refused), cmocka_unit_test(quotes_and_comments_hide_semicolons) };
	return cmocka_run_group_tests(tests, scratch_new, scratch_gone);
}
