/* SPDX-License-Identifier: Apache-2.0
 * Validators of input fields and the form parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "http/field.h"
#include "http/form.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int arena_up(void **state) { return !(*state = ctm_arena_new(1 << 20)); }
static int arena_down(void **state) { ctm_arena_free(*state); return 0; }

#define OK(type, max, in, out) { type, max, in, out }
#define NO(type, max, in) { type, max, in, NULL }
#define UUID "0193a5b2-7c1e-7000-8000-0123456789ab"
#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void each_type_accepts_and_refuses(void **state)
{
	static const struct { enum ctm_vtype type; unsigned max; const char *in, *out; } cases[] = {
		OK(CTM_V_TEXT, 0, "two\r\nlines\t\xc3\xa9", "two\nlines\t\xc3\xa9"), OK(CTM_V_TEXT, 3, "a\r\nb", "a\nb"), NO(CTM_V_TEXT, 3, "abcd"),
		NO(CTM_V_TEXT, 0, "bell\a"), NO(CTM_V_TEXT, 0, "lone\rreturn"), NO(CTM_V_TEXT, 0, "\xed\xa0\x80"),
		OK(CTM_V_LINE, 0, "a line", "a line"), NO(CTM_V_LINE, 0, "two\nlines"), NO(CTM_V_LINE, 0, "tab\t"),
		OK(CTM_V_UUID, 0, UUID, UUID), NO(CTM_V_UUID, 0, "0193a5b2"), NO(CTM_V_UUID, 0, "0193a5b2-7c1e-7000-8000-0123456789ag"),
		OK(CTM_V_DIGEST, 0, "sha256:" HEX64, "sha256:" HEX64), NO(CTM_V_DIGEST, 0, HEX64), NO(CTM_V_DIGEST, 0, "sha1:" HEX64),
		OK(CTM_V_INT, 0, "0", "0"), OK(CTM_V_INT, 10, "10", "10"), NO(CTM_V_INT, 10, "11"), NO(CTM_V_INT, 0, "-1"), NO(CTM_V_INT, 0, "1.5"),
		NO(CTM_V_INT, 0, "0x10"), NO(CTM_V_INT, 0, " 1"), NO(CTM_V_INT, 0, "99999999999999999999"),
		OK(CTM_V_DATE, 0, "2026-11-22", "2026-11-22"), NO(CTM_V_DATE, 0, "2026-02-30"), NO(CTM_V_DATE, 0, "22.11.2026"), NO(CTM_V_DATE, 0, "2026-1-22"),
		OK(CTM_V_BOOL, 0, "on", "1"), OK(CTM_V_BOOL, 0, "true", "1"), OK(CTM_V_BOOL, 0, "no", "0"), OK(CTM_V_BOOL, 0, "0", "0"), NO(CTM_V_BOOL, 0, "maybe"),
		OK(CTM_V_SLUG, 0, "larkspur-2", "larkspur-2"), NO(CTM_V_SLUG, 0, "Larkspur"), NO(CTM_V_SLUG, 4, "abcde"),
		OK(CTM_V_SERIAL, 0, "PC-1.0_a", "PC-1.0_a"), NO(CTM_V_SERIAL, 0, "a b"), NO(CTM_V_SERIAL, 0, "a/b"), NO(CTM_V_SERIAL, 0, ".."), NO(CTM_V_SERIAL, 0, "."), OK(CTM_V_SERIAL, 0, "...", "..."),
		OK(CTM_V_TOKEN, 0, "Ab-_9", "Ab-_9"), NO(CTM_V_TOKEN, 0, "a=b"),
		OK(CTM_V_EMAIL, 0, "a@b.example", "a@b.example"), NO(CTM_V_EMAIL, 0, "a@b"), NO(CTM_V_EMAIL, 0, "a@b@c.example"), NO(CTM_V_EMAIL, 0, "@b.c"),
		NO(CTM_V_EMAIL, 0, "a@b.c\nBcc: x@y.z"), NO(CTM_V_EMAIL, 0, "<a@b.c>"),
		OK(CTM_V_PATH, 0, "tile/0/x001", "tile/0/x001"), NO(CTM_V_PATH, 0, "../keys"), NO(CTM_V_PATH, 0, "/etc"), NO(CTM_V_PATH, 0, "a//b"),
		OK(CTM_V_ENUM, 0, "lab", "lab"), NO(CTM_V_ENUM, 0, "labs"), NO(CTM_V_ENUM, 0, "la"), NO(CTM_V_ENUM, 0, "maker,lab"),
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ctm_field f = { "thing", cases[i].type, cases[i].max, 0, "", "maker,lab,cla" };
		struct ctm_err err = { 0 };
		const char *out = "untouched";
		int rc = ctm_field_check(&f, cases[i].in, strlen(cases[i].in), *state, &out, &err);
		if (rc != (cases[i].out ? 0 : CTM_E_INPUT))
			fail_msg("case %zu, %s: %d %s", i, cases[i].in, rc, err.msg);
		assert_string_equal(out, cases[i].out ? cases[i].out : "untouched");
		if (rc) {
			assert_string_equal(err.field, "thing");
			assert_true(strstr(err.msg, "thing") == err.msg);
		}
	}
}

static void empty_is_absent_and_required_says_so(void **state)
{
	struct ctm_field f = { "name", CTM_V_LINE, 10, 0, "name of the product", NULL };
	struct ctm_err err = { 0 };
	const char *out = "x";
	assert_int_equal(ctm_field_check(&f, "", 0, *state, &out, &err), 0);
	assert_null(out);
	f.flags = CTM_F_REQUIRED;
	assert_int_equal(ctm_field_check(&f, NULL, 0, *state, &out, &err), CTM_E_INPUT);
	assert_string_equal(err.msg, "name is required: name of the product");
}

static void a_nul_inside_is_refused(void **state)
{
	struct ctm_field f = { "name", CTM_V_LINE, 10, 0, "", NULL };
	struct ctm_err err = { 0 };
	const char *out = NULL;
	assert_int_equal(ctm_field_check(&f, "a\0b", 3, *state, &out, &err), CTM_E_INPUT);
}

static int parse(struct ctm_arena *a, const char *s, struct ctm_pairs *out, struct ctm_err *err)
{
	*out = (struct ctm_pairs){ .n = 0 };
	*err = (struct ctm_err){ 0 };
	return ctm_form_parse(s, strlen(s), a, out, err);
}

static void forms_are_decoded(void **state)
{
	struct ctm_pairs p;
	struct ctm_err err;
	assert_int_equal(parse(*state, "a=1&b=two+words&c=%C3%A9%26&&d&e=x=y", &p, &err), 0);
	assert_int_equal(p.n, 5);
	assert_string_equal(ctm_form_find(&p, "b")->value, "two words");
	assert_string_equal(ctm_form_find(&p, "c")->value, "\xc3\xa9&");
	assert_string_equal(ctm_form_find(&p, "d")->value, "");
	assert_string_equal(ctm_form_find(&p, "e")->value, "x=y");
	assert_null(ctm_form_find(&p, "f"));
	assert_int_equal(parse(*state, "", &p, &err), 0);
	assert_int_equal(p.n, 0);
}

static void forms_refuse_what_is_ambiguous(void **state)
{
	static const struct { const char *text, *field; } cases[] = {
		{ "a=1&a=2", "a" }, { "a=%00", "a" }, { "a=%ff", "a" }, { "a=%4", "a" }, { "a=%zz", "a" }, { "=1", "" }, { "%00=1", "" }, { "%0a=1", "" }, { "%61=1&a=2", "a" },
	};
	struct ctm_pairs p;
	struct ctm_err err;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (parse(*state, cases[i].text, &p, &err) != CTM_E_SYNTAX)
			fail_msg("%s was accepted", cases[i].text);
		assert_string_equal(err.field, cases[i].field);
		assert_int_equal(p.n, 0);
	}
}

static void forms_are_bounded(void **state)
{
	struct ctm_pairs p;
	struct ctm_err err;
	char many[1200] = "", name[200];
	for (int i = 0; i <= CTM_FORM_PAIRS; i++) {
		char one[16];
		snprintf(one, sizeof one, "n%d=1&", i);
		strncat(many, one, sizeof many - strlen(many) - 1);
	}
	assert_int_equal(parse(*state, many, &p, &err), CTM_E_TOOBIG);
	memset(name, 'n', sizeof name);
	name[100] = 0;
	assert_int_equal(parse(*state, name, &p, &err), CTM_E_SYNTAX);
}

static void a_field_in_query_and_body_is_twice(void **state)
{
	struct ctm_pairs p = { .n = 0 };
	struct ctm_err err = { 0 };
	assert_int_equal(ctm_form_parse("a=1", 3, *state, &p, &err), 0);
	assert_int_equal(ctm_form_parse("b=2&a=1", 7, *state, &p, &err), CTM_E_SYNTAX);
	assert_int_equal(p.n, 1);
}

static void schemas_say_what_the_validator_wants(void **state)
{
	struct ctm_field f = { "kind", CTM_V_ENUM, 0, 0, "kind of organisation", "maker,lab" };
	CTM_AUTO_JSON *s = ctm_field_schema(&f);
	assert_string_equal(ctm_json_gets(s, "type"), "string");
	assert_int_equal(ctm_json_len(ctm_json_get(s, "enum")), 2);
	f = (struct ctm_field){ "n", CTM_V_INT, 7, 0, "", NULL };
	CTM_AUTO_JSON *n = ctm_field_schema(&f);
	assert_string_equal(ctm_json_gets(n, "type"), "integer");
	assert_int_equal(ctm_json_geti(n, "maximum", 0), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_accepts_and_refuses),
		cmocka_unit_test(empty_is_absent_and_required_says_so),
		cmocka_unit_test(a_nul_inside_is_refused),
		cmocka_unit_test(forms_are_decoded),
		cmocka_unit_test(forms_refuse_what_is_ambiguous),
		cmocka_unit_test(forms_are_bounded),
		cmocka_unit_test(a_field_in_query_and_body_is_twice),
		cmocka_unit_test(schemas_say_what_the_validator_wants),
	};
	return cmocka_run_group_tests_name("http fields and forms", tests, arena_up, arena_down);
}
