/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors, buffers and arenas: the first failure is kept, maxima hold, nothing is half appended.
 */
#include "harness.h"
#include "base/arena.h"
#include "base/buf.h"

static void first_failure_is_kept(void **state)
{
	struct ctm_err e = { 0 };
	assert_int_equal(ctm_fail(&e, CTM_E_INPUT, "/a", "R-1", "%d is too many", 7), CTM_E_INPUT);
	assert_int_equal(ctm_fail(&e, CTM_E_IO, "/b", NULL, "later"), CTM_E_IO);
	assert_int_equal(e.code, CTM_E_INPUT);
	assert_string_equal(e.field, "/a");
	assert_string_equal(e.rule, "R-1");
	assert_string_equal(e.msg, "7 is too many");
	assert_int_equal(ctm_fail_prefix(&e, "file %s", "x"), CTM_E_INPUT);
	assert_string_equal(e.msg, "file x: 7 is too many");
	assert_int_equal(ctm_fail(NULL, CTM_E_IO, NULL, NULL, "nobody listens"), CTM_E_IO);
}

static void long_messages_end_on_a_whole_character(void **state)
{
	struct ctm_err e = { 0 };
	char text[2001];
	for (size_t i = 0; i < 1000; i++)
		memcpy(text + 2 * i, "\xC3\xA9", 2);
	text[2000] = 0;
	ctm_fail(&e, CTM_E_INPUT, text, text, "x%s", text);
	assert_int_equal(strlen(e.msg) % 2, 1);
	assert_int_equal(strlen(e.field) % 2, 0);
	assert_true(strlen(e.msg) < sizeof e.msg && strlen(e.msg) > sizeof e.msg - 4);
}

static void every_row_has_name_status_and_exit(void **state)
{
	assert_string_equal(ctm_err_name(CTM_E_GUARD), "GUARD");
	assert_int_equal(ctm_err_http(CTM_E_GUARD), 403);
	assert_int_equal(ctm_err_code("GUARD"), CTM_E_GUARD);
	assert_int_equal(ctm_err_code("NO_SUCH"), CTM_E_FAIL);
	assert_int_equal(ctm_err_code(NULL), CTM_E_FAIL);
	assert_string_equal(ctm_err_name(-999), "FAIL");
	assert_int_equal(ctm_err_exit(0), 0);
	assert_int_equal(ctm_err_exit(CTM_E_VERIFY), 1);
	assert_int_equal(ctm_err_exit(CTM_E_USAGE), 2);
	assert_int_equal(ctm_err_exit(CTM_E_IO), 3);
	assert_int_equal(ctm_err_exit(-999), 3);
}

static void buffer_stops_at_its_maximum_and_stays_failed(void **state)
{
	CTM_AUTO_BUF b = CTM_BUF(10);
	assert_string_equal(ctm_buf_cstr(&b), "");
	ctm_buf_str(&b, "12345");
	ctm_buf_printf(&b, "%05d", 42);
	assert_int_equal(b.failed, 0);
	assert_string_equal(ctm_buf_cstr(&b), "1234500042");
	ctm_buf_chr(&b, 'x');
	assert_int_equal(b.failed, CTM_E_TOOBIG);
	assert_int_equal(b.len, 10);
	struct ctm_err e = { 0 };
	assert_int_equal(ctm_buf_err(&b, "body", &e), CTM_E_TOOBIG);
	assert_string_equal(e.field, "body");
	ctm_buf_reset(&b);
	ctm_buf_str(&b, "again");
	assert_int_equal(ctm_buf_err(&b, NULL, NULL), 0);
	size_t n;
	char *p = ctm_buf_steal(&b, &n);
	assert_int_equal(n, 5);
	assert_string_equal(p, "again");
	free(p);
	assert_int_equal(b.len, 0);
	ctm_buf_printf(&b, "%s", "longer than ten bytes");
	assert_int_equal(b.failed, CTM_E_TOOBIG);
	assert_int_equal(b.len, 0);
}

static char order[8], one[] = "1", two[] = "2", none[] = "n";
static void note(void *arg) { strncat(order, arg, 1); }

static void count_late(void *arg) { ++*(int *)arg; }

static void an_arena_begins_again_as_if_new(void **state)
{
	struct ctm_arena *a = ctm_arena_new(200000);
	int late = 0;
	for (int round = 0; round < 3; round++) {
		unsigned char *first = ctm_arena_alloc(a, 5000), *large = ctm_arena_alloc(a, 150000);
		assert_non_null(first);
		assert_non_null(large);
		for (size_t i = 0; i < 5000; i++)
			assert_int_equal(first[i], 0);
		memset(first, 0xA5, 5000);
		memset(large, 0xA5, 150000);
		assert_null(ctm_arena_alloc(a, 100000));      /* the maximum counts from the start again, not more */
		assert_int_equal(ctm_arena_defer(a, count_late, &late), 0);
		ctm_arena_reset(a);
		assert_int_equal(late, round + 1);
	}
	assert_non_null(ctm_arena_alloc(a, 190000));          /* one that is larger than a piece comes first */
	ctm_arena_reset(a);
	assert_non_null(ctm_arena_alloc(a, 190000));
	ctm_arena_free(a);
	assert_int_equal(late, 3);
}

static void arena_zeroes_aligns_and_ends(void **state)
{
	struct ctm_arena *a = ctm_arena_new(200000);
	for (size_t n = 1; n < 3000; n += 97) {
		unsigned char *p = ctm_arena_alloc(a, n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xAA, n);
	}
	assert_null(ctm_arena_alloc(a, 200000));
	assert_null(ctm_arena_alloc(a, SIZE_MAX));
	assert_null(ctm_arena_dup(a, NULL));
	assert_string_equal(ctm_arena_dup(a, "word"), "word");
	assert_string_equal(ctm_arena_ndup(a, "words", 4), "word");
	assert_string_equal(ctm_arena_printf(a, "%d-%s", 5, "x"), "5-x");
	order[0] = 0;
	assert_int_equal(ctm_arena_defer(a, note, one), 0);
	assert_int_equal(ctm_arena_defer(a, note, two), 0);
	ctm_arena_free(a);
	assert_string_equal(order, "21");
	a = ctm_arena_new(8);
	order[0] = 0;
	assert_int_equal(ctm_arena_defer(a, note, none), CTM_E_NOMEM);
	assert_string_equal(order, "n");
	ctm_arena_free(a);
	ctm_arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_failure_is_kept), cmocka_unit_test(long_messages_end_on_a_whole_character),
		cmocka_unit_test(every_row_has_name_status_and_exit), cmocka_unit_test(buffer_stops_at_its_maximum_and_stays_failed),
		cmocka_unit_test(arena_zeroes_aligns_and_ends), cmocka_unit_test(an_arena_begins_again_as_if_new),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
