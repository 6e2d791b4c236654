/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON: the outside parsing suite, refusals that say where, the canonical form, and the cursor. RFC 8259, RFC 6901.
 */
#include "harness.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include <dirent.h>

#define MAX (1 << 20)

/* Accepted by the grammar, refused by this house: duplicate names and U+0000 (see json_parse.c). */
static const char *const house_refusals[] = { "y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json",
	"y_object_escaped_null_in_key.json", "y_string_null_escape.json" };

/* Left open by RFC 8259; what is accepted here. Everything else of the "i_" files is refused. */
static const char *const accepted_choices[] = { "i_number_double_huge_neg_exp.json", "i_number_real_underflow.json" };

static bool listed(const char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (ctm_streq(list[i], name))
			return true;
	}
	return false;
}

static bool wanted(const char *name)
{
	if (name[0] == 'i')
		return listed(accepted_choices, sizeof accepted_choices / sizeof *accepted_choices, name);
	return name[0] == 'y' && !listed(house_refusals, sizeof house_refusals / sizeof *house_refusals, name);
}

static void outside_parsing_suite(void **state)
{
	char root[512], path[1024];
	DIR *d = opendir(suite_path("jsontestsuite/test_parsing", root));
	int seen = 0, wrong = 0;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		CTM_AUTO_BUF b = CTM_BUF(MAX);
		CTM_AUTO_JSON *v = NULL;
		struct ctm_err err = { 0 };
		snprintf(path, sizeof path, "%s/%s", root, e->d_name);
		assert_int_equal(ctm_file_read(path, MAX, &b, NULL), 0);
		int rc = ctm_json_parse(ctm_buf_cstr(&b), b.len, MAX, "body", &v, &err);
		seen++;
		if ((rc == 0) != wanted(e->d_name)) {
			print_error("%s: %s\n", e->d_name, rc ? err.msg : "accepted");
			wrong++;
		}
		if (rc) {
			assert_int_equal(rc, CTM_E_SYNTAX);
			assert_true(err.msg[0] != 0 && ctm_utf8_valid(err.msg, strlen(err.msg)));
		}
	}
	closedir(d);
	assert_int_equal(wrong, 0);
	assert_true(seen >= 318);
}

static void refusals_say_where(void **state)
{
	static const struct { const char *text, *field, *part; } rows[] = {
		{ "", "", "the document is empty" },
		{ "{\"a\":1", "/a", "the document ends too early" },
		{ "{\"a\":{\"b\":[1,2,}]}}", "/a/b/2", "line 1 column 16 (byte 15)" },
		{ "{\n \"a\": tru\n}", "/a", "line 2 column" },
		{ "{\"a\":{\"k\":1,\"k\":2}}", "/a", "the member \"k\" stands twice" },
		{ "{\"a\":{\"k\":1,\"z\":2,\"k\":3}}", "/a", "the member \"k\" stands twice" },
		{ "{\"a\":1,}", "", "not well-formed" },
		{ "{} x", "", "something after the end" },
		{ "[1e999]", "/0", "the number is too large" },
		{ "[99999999999999999999]", "/0", "the number is too large" },
		{ "{\"a/b~c\":[\"\\u0000\"]}", "/a~1b~0c/0", "U+0000" },
		{ "[\"\xFF\"]", "/0", "not UTF-8" },
		{ "\xEF\xBB\xBF{}", "", "byte order mark" },
		{ "{\"a\":'x'}", "/a", "not well-formed" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ctm_json *v = NULL;
		struct ctm_err err = { 0 };
		assert_int_equal(ctm_json_parse(rows[i].text, strlen(rows[i].text), MAX, "body", &v, &err), CTM_E_SYNTAX);
		assert_null(v);
		if (!ctm_streq(err.field, rows[i].field) || !strstr(err.msg, rows[i].part) || !ctm_starts(err.msg, "body "))
			fail_msg("%s: field %s, %s", rows[i].text, err.field, err.msg);
	}
}

static void depth_and_size_are_limited(void **state)
{
	char text[2 * CTM_JSON_DEPTH + 8];
	ctm_json *v = NULL;
	struct ctm_err err = { 0 };
	memset(text, '[', CTM_JSON_DEPTH + 1);
	memset(text + CTM_JSON_DEPTH + 1, ']', CTM_JSON_DEPTH + 1);
	assert_int_equal(ctm_json_parse(text, 2 * CTM_JSON_DEPTH + 2, MAX, "body", &v, &err), CTM_E_SYNTAX);
	assert_non_null(strstr(err.msg, "nested too deeply"));
	assert_int_equal(ctm_json_parse(text + 1, 2 * CTM_JSON_DEPTH, MAX, "body", &v, NULL), 0);
	CTM_AUTO_BUF b = CTM_BUF(MAX);
	assert_int_equal(ctm_json_canonical(v, &b), 0);
	assert_int_equal(b.len, 2 * CTM_JSON_DEPTH);
	ctm_json *outer = ctm_json_arr();
	assert_int_equal(ctm_json_add(outer, v), 0);
	assert_int_equal(ctm_json_compact(outer, &b), CTM_E_INPUT);   /* could not be read back */
	ctm_json_free(outer);
	assert_int_equal(ctm_json_parse("[1,2,3]", 7, 6, "body", &v, NULL), CTM_E_TOOBIG);
	char quoted[200] = "\"\\\"";                /* brackets inside texts do not count */
	memset(quoted + 3, '[', 150);
	ctm_copy(quoted + 153, 2, "\"");
	assert_int_equal(ctm_json_parse(quoted, strlen(quoted), MAX, "x", &v, NULL), 0);
	ctm_json_free(v);
}

static void canonical_form_is_one_form(void **state)
{
	static const char in[] = "{ \"b\" : [ 1, -0, true , null ], \"a\\u0041\":\"\\u00e9\\n\\u001f\\/\", \"a\" : {} , \"B\":9007199254740993}";
	CTM_AUTO_JSON *v = NULL;
	CTM_AUTO_BUF b = CTM_BUF(MAX);
	assert_int_equal(ctm_json_parse(in, strlen(in), MAX, "x", &v, NULL), 0);
	assert_int_equal(ctm_json_canonical(v, &b), 0);
	assert_string_equal(ctm_buf_cstr(&b), "{\"B\":9007199254740993,\"a\":{},\"aA\":\"\xC3\xA9\\n\\u001f/\",\"b\":[1,0,true,null]}");
	ctm_buf_reset(&b);
	assert_int_equal(ctm_json_compact(v, &b), 0);
	assert_true(ctm_starts(ctm_buf_cstr(&b), "{\"b\":[1,0,true,null],\"aA\":"));
	ctm_buf_reset(&b);
	assert_int_equal(ctm_json_pretty(v, &b), 0);
	assert_true(ctm_starts(ctm_buf_cstr(&b), "{\n  \"b\": [\n    1,\n"));
	assert_int_equal(b.p[b.len - 1], '\n');
	CTM_AUTO_BUF small = CTM_BUF(5);
	assert_int_equal(ctm_json_canonical(v, &small), CTM_E_TOOBIG);
}

static void reals_are_kept_but_never_signed(void **state)
{
	static const double values[] = { 0.1, 1.0, 1e300, -2.5e-7, 3.141592653589793, 5e-324, 123456789012345680.0 };
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		CTM_AUTO_JSON *v = ctm_json_newr(values[i]);
		CTM_AUTO_JSON *back = NULL;
		CTM_AUTO_BUF b = CTM_BUF(100);
		assert_int_equal(ctm_json_canonical(v, &b), CTM_E_INPUT);
		assert_int_equal(ctm_json_compact(v, &b), 0);
		assert_int_equal(ctm_json_parse(b.p, b.len, 100, "x", &back, NULL), 0);
		assert_int_equal(ctm_json_type(back), CTM_J_REAL);
		assert_true(ctm_json_real(back, 0) == values[i]);
	}
}

static void building_and_looking(void **state)
{
	CTM_AUTO_JSON *o = ctm_json_obj();
	assert_int_equal(ctm_json_sets(o, "s", "text"), 0);
	assert_int_equal(ctm_json_sets(o, "n", NULL), 0);
	assert_int_equal(ctm_json_seti(o, "i", INT64_MIN), 0);
	assert_int_equal(ctm_json_setb(o, "b", true), 0);
	assert_int_equal(ctm_json_setf(o, "f", "%d/%d", 1, 2), 0);
	ctm_json *a = ctm_json_arr();
	assert_int_equal(ctm_json_adds(a, "x"), 0);
	assert_int_equal(ctm_json_add(a, ctm_json_newi(5)), 0);
	assert_int_equal(ctm_json_set(o, "a", a), 0);
	assert_int_equal(ctm_json_sets(o, "bad", "\xFF"), CTM_E_INPUT);
	assert_int_equal(ctm_json_adds(a, "\xFF"), CTM_E_INPUT);
	assert_int_equal(ctm_json_set(o, "\xFF", ctm_json_newi(1)), CTM_E_INPUT);
	assert_int_equal(ctm_json_set(o, "none", NULL), CTM_E_NOMEM);
	assert_int_equal(ctm_json_set(NULL, "x", ctm_json_newi(1)), CTM_E_NOMEM);
	assert_string_equal(ctm_json_gets(o, "s"), "text");
	assert_null(ctm_json_gets(o, "i"));
	assert_null(ctm_json_gets(o, "absent"));
	assert_true(ctm_json_geti(o, "i", 0) == INT64_MIN && ctm_json_geti(o, "s", 7) == 7);
	assert_true(ctm_json_getb(o, "b", false) && !ctm_json_getb(NULL, "b", false));
	assert_int_equal(ctm_json_type(ctm_json_get(o, "n")), CTM_J_NULL);
	assert_int_equal(ctm_json_len(ctm_json_get(o, "a")), 2);
	assert_null(ctm_json_at(ctm_json_get(o, "a"), 2));
	CTM_AUTO_BUF keys = CTM_BUF(100);
	const char *k;
	const ctm_json *v;
	for (void *it = NULL; ctm_json_each(o, &it, &k, &v);)
		ctm_buf_str(&keys, k);
	assert_string_equal(ctm_buf_cstr(&keys), "snibfa");
	CTM_AUTO_JSON *copy = ctm_json_copy(o);
	assert_int_equal(ctm_json_del(o, "s"), 0);
	assert_int_equal(ctm_json_del(o, "s"), CTM_E_NOTFOUND);
	assert_string_equal(ctm_json_gets(copy, "s"), "text");
}

static void cursor_refusals_name_file_and_pointer(void **state)
{
	static const char in[] = "{\"list\":[{\"name\":\"\",\"n\":300,\"kind\":\"blue\",\"ok\":1,\"x\":0}]}";
	static const char *const kinds[] = { "red", "green" };
	static const char *const known[] = { "name", "n", "kind", "ok" };
	CTM_AUTO_JSON *v = NULL;
	struct ctm_err e = { 0 };
	struct ctm_jc root, list, item, none;
	const char *s = "kept";
	int64_t n = 1;
	bool b = false;
	size_t which = 9;
	assert_int_equal(ctm_json_parse(in, strlen(in), MAX, "x", &v, NULL), 0);
	root = ctm_jc_root(v, "plan.json");
	assert_int_equal(ctm_jc_arr(&root, "list", 1, 5, &list, &e), 0);
	assert_int_equal(ctm_jc_at(&list, 0, &item, &e), 0);
	assert_string_equal(item.ptr, "/list/0");
	assert_int_equal(ctm_jc_str(&item, "name", 1, 9, &s, &e), CTM_E_INPUT);
	assert_string_equal(e.field, "/list/0/name");
	assert_string_equal(e.msg, "plan.json /list/0/name: must not be empty");
	ctm_err_clear(&e);
	assert_int_equal(ctm_jc_int(&item, "n", 0, 255, &n, &e), CTM_E_INPUT);
	assert_string_equal(e.msg, "plan.json /list/0/n: must be from 0 to 255");
	ctm_err_clear(&e);
	assert_int_equal(ctm_jc_bool(&item, "ok", &b, &e), CTM_E_INPUT);
	assert_string_equal(e.msg, "plan.json /list/0/ok: must be true or false, not a whole number");
	ctm_err_clear(&e);
	assert_int_equal(ctm_jc_enum(&item, "kind", kinds, 2, &which, &e), CTM_E_INPUT);
	assert_string_equal(e.msg, "plan.json /list/0/kind: must be one of: red, green");
	ctm_err_clear(&e);
	assert_int_equal(ctm_jc_only(&item, known, 4, &e), CTM_E_INPUT);
	assert_string_equal(e.msg, "plan.json /list/0/x: is not a known member");
	ctm_err_clear(&e);
	assert_int_equal(ctm_jc_key(&item, "absent", &none, &e), CTM_E_INPUT);
	assert_string_equal(e.field, "/list/0/absent");
	ctm_err_clear(&e);
	assert_int_equal(ctm_jc_at(&list, 1, &none, &e), CTM_E_INPUT);
	assert_int_equal(ctm_jc_arr(&root, "list", 2, 5, &list, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_jc_opt_str(&item, "absent", 5, &s, NULL), 0);
	assert_null(s);
	assert_int_equal(ctm_jc_opt_str(&list, "absent", 5, &s, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_jc_str(&item, "kind", 1, 3, &s, NULL), CTM_E_INPUT);
	assert_false(ctm_jc_has(&item, "absent", &none));
	assert_true(n == 1 && which == 9);
}

static void long_pointers_are_cut_not_overrun(void **state)
{
	char key[400];
	struct ctm_jc c = ctm_jc_root(NULL, NULL), next;
	memset(key, 'k', sizeof key - 1);
	key[sizeof key - 1] = 0;
	CTM_AUTO_JSON *v = ctm_json_obj(), *inner = v;
	for (int i = 0; i < 5; i++) {
		ctm_json *o = ctm_json_obj();
		assert_int_equal(ctm_json_set(inner, key, o), 0);
		inner = o;
	}
	inner = NULL;
	c.v = v;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(ctm_jc_key(&c, key, &next, NULL), 0);
		c = next;
	}
	assert_true(strlen(c.ptr) < sizeof c.ptr);
	assert_string_equal(c.ptr + strlen(c.ptr) - 3, "...");
}

/* Found by fuzzing: a pointer that is cut inside a character of four bytes must stay UTF-8. */
static void cut_pointers_stay_utf8(void **state)
{
	for (size_t shift = 0; shift < 8; shift++) {
		char text[600] = "{\"aaaaaaaa";
		struct ctm_err e = { 0 };
		ctm_json *v = NULL;
		size_t n = 2 + shift;
		for (int i = 0; i < 60; i++, n += 4)
			memcpy(text + n, "\xF1\x8A\x8E\x8B", 4);
		memcpy(text + n, "\":x}", 5);
		assert_int_equal(ctm_json_parse(text, strlen(text), MAX, "body", &v, &e), CTM_E_SYNTAX);
		assert_true(ctm_utf8_valid(e.field, strlen(e.field)));
		assert_string_equal(e.field + strlen(e.field) - 3, "...");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_parsing_suite), cmocka_unit_test(refusals_say_where), cmocka_unit_test(depth_and_size_are_limited),
		cmocka_unit_test(canonical_form_is_one_form), cmocka_unit_test(reals_are_kept_but_never_signed), cmocka_unit_test(building_and_looking),
		cmocka_unit_test(cursor_refusals_name_file_and_pointer), cmocka_unit_test(long_pointers_are_cut_not_overrun),
		cmocka_unit_test(cut_pointers_stay_utf8),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
