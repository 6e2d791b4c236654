/* SPDX-License-Identifier: Apache-2.0
 *
 * The TUF client's JSON: the outside parsing suite, exact integers, refusals, the canonical form; names and globs.
 */
#include "suites.h"
#include "json.h"
#include "path.h"
#include <dirent.h>

/* Accepted by the grammar, refused here: double members, fractions and exponents. */
static int house_refusal(const char *name)
{
	static const char *const list[] = { "y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_number.json",
		"y_number_0e+1.json", "y_number_0e1.json", "y_number_double_close_to_zero.json", "y_number_int_with_exp.json", "y_number_real_capital_e.json",
		"y_number_real_capital_e_neg_exp.json", "y_number_real_capital_e_pos_exp.json", "y_number_real_exponent.json",
		"y_number_real_fraction_exponent.json", "y_number_real_neg_exp.json", "y_number_real_pos_exponent.json", "y_number_simple_real.json",
		"y_structure_lonely_negative_real.json", "y_object_extreme_numbers.json" };

	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (!strcmp(list[i], name))
			return 1;
	return 0;
}

/* Left open by RFC 8259: integers of any length are kept as they are, the rest is refused. */
static int wanted(const char *name)
{
	if (name[0] == 'i')
		return !strcmp(name, "i_number_too_big_neg_int.json") || !strcmp(name, "i_number_too_big_pos_int.json") ||
		       !strcmp(name, "i_number_very_big_negative_int.json");
	return name[0] == 'y' && !house_refusal(name);
}

static size_t read_file(const char *path, uint8_t *p, size_t cap)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(p, 1, cap, f);
	fclose(f);
	return n;
}

static void outside_parsing_suite(void **state)
{
	static uint8_t p[1 << 20], canon[1 << 20];
	char root[512], path[1024];
	DIR *d = opendir(suite_path("jsontestsuite/test_parsing", root, sizeof root));
	int seen = 0, wrong = 0;

	if (!d) {
		print_message("skipped: outside vectors are not at %s\n", root);
		skip();
	}
	for (struct dirent *e; (e = readdir(d));) {
		struct tuf_json j;
		size_t n, m;
		int got;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", root, e->d_name);
		n = read_file(path, p, sizeof p);
		got = !tuf_json_read(p, n, &j);
		if (got) {
			assert_int_equal(tuf_canonical(&j.root, canon, n, &m), 0);     /* never longer than it was */
			tuf_json_free(&j);
		}
		if (got != wanted(e->d_name)) {
			print_message("%s: %s\n", e->d_name, got ? "accepted" : "refused");
			wrong++;
		}
		seen++;
	}
	closedir(d);
	assert_int_equal(wrong, 0);
	assert_true(seen > 300);
}

static void canonical_is(const char *in, const char *want)
{
	uint8_t out[512];
	struct tuf_json j;
	size_t n;

	assert_int_equal(tuf_json_read((const uint8_t *)in, strlen(in), &j), 0);
	assert_int_equal(tuf_canonical(&j.root, out, sizeof out, &n), 0);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(out, want, n);
	tuf_json_free(&j);
}

static void the_canonical_form(void **state)
{
	canonical_is(" { \"b\" : 2 , \"a\" : [ true , false , null , \"\" ] } ", "{\"a\":[true,false,null,\"\"],\"b\":2}");
	canonical_is("{}", "{}");
	canonical_is("[]", "[]");
	canonical_is("\"\\u00e9 \\ud83d\\ude00 \\/ \\\" \\\\ \\n\\t\"", "\"\303\251 \360\237\230\200 / \\\" \\\\ \n\t\"");
	canonical_is("[-0, 0, -12, 123456789012345678901234567890]", "[0,0,-12,123456789012345678901234567890]");
	canonical_is("{\"\\uffff\":1,\"\\ud800\\udc00\":2,\"a\":3,\"A\":4,\"\":5,\"aa\":6}",
		     "{\"\":5,\"A\":4,\"a\":3,\"aa\":6,\"\357\277\277\":1,\"\360\220\200\200\":2}");     /* by code points, not UTF-16 */
}

static void integers_are_exact(void **state)
{
	const char in[] = "[9223372036854775807, -9223372036854775808, 9223372036854775808, -9223372036854775809, \"7\", 0]";
	struct tuf_json j;
	int64_t v = 42;

	assert_int_equal(tuf_json_read((const uint8_t *)in, strlen(in), &j), 0);
	assert_true(tuf_int(&j.root.kids[0], &v) && v == INT64_MAX);
	assert_true(tuf_int(&j.root.kids[1], &v) && v == INT64_MIN);
	for (int i = 2; i < 5; i++)
		assert_false(tuf_int(&j.root.kids[i], &v));
	assert_true(tuf_int(&j.root.kids[5], &v) && v == 0);
	tuf_json_free(&j);
}

static int read_of(const char *in, size_t n)
{
	struct tuf_json j;
	int rc = tuf_json_read((const uint8_t *)in, n, &j);

	if (!rc)
		tuf_json_free(&j);
	return rc;
}

static void limits(void **state)
{
	static char deep[2 * TUF_JSON_DEPTH + 2], many[2 * TUF_JSON_NODES + 4];
	size_t n = 0;

	memset(deep, '[', TUF_JSON_DEPTH + 1);
	memset(deep + TUF_JSON_DEPTH + 1, ']', TUF_JSON_DEPTH + 1);
	assert_int_equal(read_of(deep, 2 * TUF_JSON_DEPTH + 2), CTM_SDK_TOOBIG);
	assert_int_equal(read_of(deep + 1, 2 * TUF_JSON_DEPTH), 0);
	many[n++] = '[';
	for (uint32_t i = 0; i <= TUF_JSON_NODES; i++) {
		many[n++] = '1';
		many[n++] = ',';
	}
	many[n - 1] = ']';
	assert_int_equal(read_of(many, n), CTM_SDK_TOOBIG);
	many[n - 3] = ']';
	assert_int_equal(read_of(many, n - 2), 0);
}

static void globs(void **state)
{
	static const struct { const char *pattern, *path; int is; } t[] = {
		{ "*", "a", 1 }, { "*", "", 1 }, { "*", "a/b", 0 }, { "*/*", "a/b", 1 }, { "*/*", "a/b/c", 0 }, { "a?c", "abc", 1 }, { "a?c", "a/c", 0 },
		{ "a?c", "a\303\251c", 1 }, { "a??c", "a\303\251c", 0 }, { "*.tgz", "foo.tgz", 1 }, { "*.tgz", "foo.tgz.sig", 0 }, { "foo-*.t?z", "foo-1.2.tgz", 1 },
		{ "A", "a", 0 }, { "[ab]", "a", 0 }, { "[ab]", "[ab]", 1 }, { "a\\*", "a*", 0 }, { "a/", "a/", 1 }, { "a/", "a", 0 }, { "a/*", "a/", 1 },
		{ "", "", 1 }, { "", "a", 0 }, { "**", "ab", 1 }, { "*a*b*", "xxaxxbxx", 1 }, { "*a*b*", "xxbxxaxx", 0 },
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		if (tuf_glob(t[i].pattern, strlen(t[i].pattern), t[i].path, strlen(t[i].path)) != !!t[i].is)
			fail_msg("%s and %s", t[i].pattern, t[i].path);
}

static void file_names(void **state)
{
	char out[256], long_name[1024];

	assert_int_equal(tuf_file_name(ctm_tuf_openssl(), "../a b", 6, ".json", out, sizeof out), 0);
	assert_string_equal(out, "..%2Fa%20b.json");
	memset(long_name, 'x', sizeof long_name);
	assert_int_equal(tuf_file_name(ctm_tuf_openssl(), long_name, 200, "", out, sizeof out), 0);
	assert_int_equal(strlen(out), 200);
	assert_int_equal(tuf_file_name(ctm_tuf_openssl(), long_name, 201, ".json", out, sizeof out), 0);
	assert_int_equal(strlen(out), 1 + 64 + 5);
	assert_int_equal(out[0], '%');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_parsing_suite), cmocka_unit_test(the_canonical_form), cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(limits), cmocka_unit_test(globs), cmocka_unit_test(file_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
