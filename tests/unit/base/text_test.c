/* SPDX-License-Identifier: Apache-2.0
 *
 * Text work: one text has one meaning. Vectors of RFC 4648 section 10; UTF-8 edges of RFC 3629.
 */
#include "harness.h"
#include "base/text.h"

static void numbers_have_one_spelling(void **state)
{
	static const char *const bad[] = { "", "-", "+1", "01", "-0", "00", " 1", "1 ", "1x", "0x1", "9223372036854775808", "-9223372036854775809",
		"99999999999999999999999" };
	int64_t v = 77;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(ctm_parse_i64(bad[i], INT64_MIN, INT64_MAX, &v), CTM_E_INPUT);
	assert_int_equal(ctm_parse_i64(NULL, 0, 1, &v), CTM_E_INPUT);
	assert_int_equal(ctm_parse_i64("5", 6, 9, &v), CTM_E_INPUT);
	assert_int_equal(v, 77);
	assert_int_equal(ctm_parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &v), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(ctm_parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(ctm_parse_i64("0", 0, 0, &v), 0);
	assert_true(v == 0);
}

/* RFC 3629 section 4 */
static void utf8_edges(void **state)
{
	static const struct { const char *s; size_t n; bool good; } rows[] = {
		{ "", 0, true }, { "abc", 3, true }, { "\xC2\x80", 2, true }, { "\xDF\xBF", 2, true }, { "\xE0\xA0\x80", 3, true },
		{ "\xED\x9F\xBF", 3, true }, { "\xEE\x80\x80", 3, true }, { "\xF0\x90\x80\x80", 4, true }, { "\xF4\x8F\xBF\xBF", 4, true },
		{ "\x80", 1, false }, { "\xC0\x80", 2, false }, { "\xC1\xBF", 2, false }, { "\xE0\x9F\xBF", 3, false }, { "\xED\xA0\x80", 3, false },
		{ "\xF0\x8F\xBF\xBF", 4, false }, { "\xF4\x90\x80\x80", 4, false }, { "\xF8\x88\x80\x80\x80", 5, false }, { "\xE2\x82", 2, false },
		{ "\xC2", 1, false }, { "\xFF", 1, false }, { "a\xC3", 2, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(ctm_utf8_valid(rows[i].s, rows[i].n), rows[i].good);
	assert_int_equal(ctm_utf8_span("ab\xFFz", 4), 2);
	assert_true(ctm_text_printable("a\tb\nc \xC3\xA9", 8));
	assert_false(ctm_text_printable("a\x1B[1m", 5));
	assert_false(ctm_text_printable("a\0b", 3));
	assert_false(ctm_text_printable("\x7F", 1));
	assert_false(ctm_text_printable("\xC2\x85", 2));
}

/* RFC 4648 section 10 */
static void base64_vectors_and_strictness(void **state)
{
	static const struct { const char *plain, *std, *url; } rows[] = {
		{ "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" }, { "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" }, { "foobar", "Zm9vYmFy", "Zm9vYmFy" }, { "\xFB\xFF\xFE", "+//+", "-__-" },
	};
	static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm9v=", "====", "=", "-__-", "Zg==Zg==" };
	static const char *const bad_url[] = { "Z", "Zg==", "Zh", "+//+", "Zm9v=", "Z g" };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CTM_AUTO_BUF b = CTM_BUF(100);
		ctm_b64(&b, rows[i].plain, strlen(rows[i].plain));
		assert_string_equal(ctm_buf_cstr(&b), rows[i].std);
		ctm_buf_reset(&b);
		ctm_b64url(&b, rows[i].plain, strlen(rows[i].plain));
		assert_string_equal(ctm_buf_cstr(&b), rows[i].url);
		ctm_buf_reset(&b);
		assert_int_equal(ctm_unb64(rows[i].std, strlen(rows[i].std), &b), 0);
		assert_string_equal(ctm_buf_cstr(&b), rows[i].plain);
		ctm_buf_reset(&b);
		assert_int_equal(ctm_unb64url(rows[i].url, strlen(rows[i].url), &b), 0);
		assert_string_equal(ctm_buf_cstr(&b), rows[i].plain);
	}
	CTM_AUTO_BUF b = CTM_BUF(100);
	ctm_buf_str(&b, "kept");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(ctm_unb64(bad[i], strlen(bad[i]), &b), CTM_E_SYNTAX);
	for (size_t i = 0; i < sizeof bad_url / sizeof *bad_url; i++)
		assert_int_equal(ctm_unb64url(bad_url[i], strlen(bad_url[i]), &b), CTM_E_SYNTAX);
	assert_string_equal(ctm_buf_cstr(&b), "kept");
	CTM_AUTO_BUF small = CTM_BUF(2);
	assert_int_equal(ctm_unb64("Zm9v", 4, &small), CTM_E_TOOBIG);
}

static void hex_goes_both_ways(void **state)
{
	char out[9];
	uint8_t raw[4];
	ctm_hex("\x00\x9F\xA0\xFF", 4, out);
	assert_string_equal(out, "009fa0ff");
	assert_int_equal(ctm_unhex("009fA0Ff", 8, raw), 0);
	assert_memory_equal(raw, "\x00\x9F\xA0\xFF", 4);
	assert_int_equal(ctm_unhex("0", 1, raw), CTM_E_SYNTAX);
	assert_int_equal(ctm_unhex("0g", 2, raw), CTM_E_SYNTAX);
}

static void escapes_leave_nothing_dangerous(void **state)
{
	CTM_AUTO_BUF b = CTM_BUF(200);
	ctm_html_escape(&b, "<a href=\"x\">'&'", 15);
	assert_string_equal(ctm_buf_cstr(&b), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
	ctm_buf_reset(&b);
	ctm_json_escape(&b, "\"\\\b\f\n\r\t\x01\v/\xC3\xA9", 12);
	assert_string_equal(ctm_buf_cstr(&b), "\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u000b/\xC3\xA9");
	ctm_buf_reset(&b);
	ctm_url_escape(&b, "a b/\xC3\xA9~-._", 10);
	assert_string_equal(ctm_buf_cstr(&b), "a%20b%2F%C3%A9~-._");
	ctm_buf_reset(&b);
	assert_int_equal(ctm_url_unescape("a+b%2fc", 7, true, &b), 0);
	assert_string_equal(ctm_buf_cstr(&b), "a b/c");
	assert_int_equal(ctm_url_unescape("%", 1, true, &b), CTM_E_SYNTAX);
	assert_int_equal(ctm_url_unescape("%4", 2, true, &b), CTM_E_SYNTAX);
	assert_int_equal(ctm_url_unescape("%zz", 3, true, &b), CTM_E_SYNTAX);
	assert_int_equal(ctm_url_unescape("a%00b", 5, true, &b), CTM_E_SYNTAX);
	assert_string_equal(ctm_buf_cstr(&b), "a b/c");
}

static void small_helpers(void **state)
{
	char out[4];
	assert_true(ctm_streq(NULL, NULL) && ctm_streq("a", "a") && !ctm_streq("a", NULL) && !ctm_streq("a", "b"));
	assert_true(ctm_starts("sqlite:x", "sqlite:") && !ctm_starts("sql", "sqlite:") && !ctm_starts(NULL, "a"));
	assert_true(ctm_memeq_ct("abc", "abc", 3) && !ctm_memeq_ct("abc", "abd", 3) && ctm_memeq_ct("a", "b", 0));
	assert_true(ctm_copy(out, sizeof out, "abc") && strcmp(out, "abc") == 0);
	assert_false(ctm_copy(out, sizeof out, "abcd"));
	assert_string_equal(out, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_one_spelling), cmocka_unit_test(utf8_edges), cmocka_unit_test(base64_vectors_and_strictness),
		cmocka_unit_test(hex_goes_both_ways), cmocka_unit_test(escapes_leave_nothing_dangerous), cmocka_unit_test(small_helpers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
