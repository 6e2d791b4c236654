/* SPDX-License-Identifier: Apache-2.0
 *
 * The loader of check files: the shipped catalogue loads, covers what it must, and every kind of broken file is refused with file
 * and JSON pointer.
 */
#include "kit.h"
#include "lab/plan.h"
#include "lab/probe.h"
#include "base/file.h"
#include "base/text.h"
#include "lab/probe.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const struct ctm_lab_catalogue_names names = { .probe = ctm_probe_known, .judge = ctm_judge_known };

static char dir[64];

static int setup(void **state)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	char path[160];

	(void)state;
	strcpy(dir, "/tmp/ctm-checks-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/checks", dir);
	assert_int_equal(ctm_mkdirs(path, 0700, NULL), 0);
	assert_int_equal(ctm_file_read(CATALOGUE_DIR "/ir8425.json", 1 << 20, &b, NULL), 0);
	snprintf(path, sizeof path, "%s/ir8425.json", dir);
	return ctm_file_write(path, b.p, b.len, 0600, NULL);
}

static int teardown(void **state)
{
	char path[160];

	(void)state;
	snprintf(path, sizeof path, "%s/checks/N01.json", dir);
	unlink(path);
	snprintf(path, sizeof path, "%s/checks", dir);
	rmdir(path);
	snprintf(path, sizeof path, "%s/ir8425.json", dir);
	unlink(path);
	return rmdir(dir);
}

/* Load the directory with N01.json changed by `change`; the refusal in err. */
static int load_with(void (*change)(ctm_json *), struct ctm_err *err)
{
	CTM_AUTO_LAB_CATALOGUE *cat = NULL;
	CTM_AUTO_JSON *v = NULL;
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	char path[160];

	assert_int_equal(ctm_json_load(CATALOGUE_DIR "/checks/N01.json", 1 << 20, &v, NULL), 0);
	change(v);
	assert_int_equal(ctm_json_pretty(v, &b), 0);
	snprintf(path, sizeof path, "%s/checks/N01.json", dir);
	assert_int_equal(ctm_file_write(path, b.p, b.len, 0600, NULL), 0);
	return ctm_lab_catalogue_load(dir, &names, &cat, err);
}

static void same(ctm_json *v) { (void)v; }
static void no_probe(ctm_json *v) { ctm_json_sets(v, "observe", "no_such_probe"); }
static void no_judge(ctm_json *v) { ctm_json_sets(v, "judge", "no_such_judge"); }
static void no_outcome(ctm_json *v) { ctm_json_set(v, "outcomes", kit_json("[\"IAC.1a\",\"IAC.9\"]")); }
static void no_kind(ctm_json *v) { ctm_json_set(v, "components", kit_json("[\"toaster\"]")); }
static void no_danger(ctm_json *v) { ctm_json_sets(v, "danger", "D9"); }
static void no_remedy(ctm_json *v) { ctm_json_del(v, "remedy"); }
static void unknown_member(ctm_json *v) { ctm_json_sets(v, "severity", "high"); }
static void other_id(ctm_json *v) { ctm_json_sets(v, "id", "N02"); }
static void no_why(ctm_json *v) { ctm_json_set(v, "parameters", kit_json("{\"timeout_ms\":{\"value\":1,\"unit\":\"ms\"}}")); }
static void no_value(ctm_json *v) { ctm_json_set(v, "parameters", kit_json("{\"timeout_ms\":{\"unit\":\"ms\",\"why\":\"because of reasons\"}}")); }
static void sometimes(ctm_json *v) { ctm_json_set(v, "applies", kit_json("{\"when\":\"interface\",\"protocol\":\"x\",\"why\":\"no such interface\"}")); }
static void elsewhere(ctm_json *v) { ctm_json_set(v, "outcomes", kit_json("[\"DOC.1a\"]")); }
static void stray_part(ctm_json *v) { ctm_json_set(v, "partial", kit_json("[\"SU.1\"]")); }
static void version_text(ctm_json *v) { ctm_json_sets(v, "version", "1"); }

static void refusals(void **state)
{
	static const struct { void (*change)(ctm_json *); const char *field, *says; } cases[] = {
		{ no_probe, "/observe", "no probe" }, { no_judge, "/judge", "no judge" }, { no_outcome, "/outcomes/1", "no outcome" }, { no_kind, "/components/0", "no component kind" },
		{ no_danger, "/danger", "" }, { no_remedy, "", "remedy" }, { unknown_member, "", "severity" }, { other_id, "/id", "N02.json" }, { no_why, "", "why" },
		{ no_value, "/parameters/timeout_ms", "value" }, { sometimes, "/applies", "not mandatory" }, { elsewhere, "", "not judged on" }, { version_text, "/version", "" }, { stray_part, "", "not among its outcomes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ctm_err err = { 0 };
		assert_int_equal(load_with(cases[i].change, &err), CTM_E_INPUT);
		if (!strstr(err.msg, "N01.json") || !ctm_starts(err.field, cases[i].field) || !strstr(err.msg, cases[i].says))
			fail_msg("case %zu: field \"%s\", message \"%s\"", i, err.field, err.msg);
	}
}

static void one_file_loads(void **state)
{
	struct ctm_err err = { 0 };

	(void)state;
	assert_int_equal(load_with(same, &err), 0);
}

static void broken_json(void **state)
{
	CTM_AUTO_LAB_CATALOGUE *cat = NULL;
	static const char *const texts[] = { "", "{", "{\"id\":\"N01\",\"id\":\"N01\"}", "[]", "null" };
	char path[160];

	(void)state;
	snprintf(path, sizeof path, "%s/checks/N01.json", dir);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct ctm_err err = { 0 };
		assert_int_equal(ctm_file_write(path, texts[i], strlen(texts[i]), 0600, NULL), 0);
		assert_int_not_equal(ctm_lab_catalogue_load(dir, &names, &cat, &err), 0);
		assert_non_null(strstr(err.msg, "N01.json"));
	}
	assert_int_equal(ctm_lab_catalogue_load("/nonexistent", &names, &cat, NULL), CTM_E_NOTFOUND);
}

/* Issue 2: at least 15 live checks over all six technical capabilities; every number has a reason, every check a source. */
static void shipped(void **state)
{
	CTM_AUTO_LAB_CATALOGUE *cat = kit_catalogue();
	const char *caps[] = { "AI", "PC", "DP", "IAC", "SU", "CSA" };
	size_t live = 0, rows = 0;

	(void)state;
	for (size_t i = 0; i < cat->nchecks; i++)
		live += cat->checks[i].probe[0] && ctm_check_on(&cat->checks[i], "device");
	assert_true(live >= 15);
	for (size_t c = 0; c < 6; c++) {
		size_t n = 0;
		for (size_t i = 0; i < cat->nchecks; i++)
			for (size_t j = 0; j < ctm_json_len(cat->checks[i].outcomes); j++) {
				const struct ctm_lab_outcome *o = ctm_lab_outcome_find(cat, ctm_json_str(ctm_json_at(cat->checks[i].outcomes, j)));
				n += cat->checks[i].method == CTM_M_TEST && strcmp(o->capability, caps[c]) == 0;
			}
		if (!n)
			fail_msg("no test for capability %s", caps[c]);
	}
	for (size_t i = 0; i < cat->noutcomes; i++)
		rows += cat->outcomes[i].shown;
	assert_int_equal(rows, 17 + 24);         /* 11 numbered, 6 lettered, 24 developer items */
}

/* The catalogue as text with one thing replaced, read again. */
static struct ctm_lab_catalogue *altered(const struct ctm_lab_catalogue *cat, const char *from, const char *to)
{
	static const struct ctm_lab_catalogue_names any = { .probe = ctm_probe_known, .judge = ctm_judge_known };
	CTM_AUTO_BUF a = CTM_BUF(CTM_CATALOGUE_MAX), b = CTM_BUF(CTM_CATALOGUE_MAX);
	struct ctm_lab_catalogue *out = NULL;
	ctm_json *root = NULL;
	struct ctm_err err = { 0 };

	assert_int_equal(ctm_json_canonical(cat->root, &a), 0);
	const char *at = strstr(ctm_buf_cstr(&a), from);
	assert_non_null(at);
	ctm_buf_add(&b, a.p, (size_t)(at - a.p));
	ctm_buf_str(&b, to);
	ctm_buf_str(&b, at + strlen(from));
	assert_int_equal(ctm_json_parse(b.p, b.len, CTM_CATALOGUE_MAX, "test", &root, &err), 0);
	if (ctm_lab_catalogue_parse(root, "test", &any, &out, &err))
		fail_msg("%s", err.msg);
	return out;
}

/* A laxer check under the same id and version is another catalogue, and the difference has a name. */
static void differences(void **state)
{
	CTM_AUTO_LAB_CATALOGUE *cat = kit_catalogue();
	CTM_AUTO_LAB_CATALOGUE *same = kit_catalogue();
	CTM_AUTO_LAB_CATALOGUE *lax = altered(cat, "\"min_length\":{\"unit\":", "\"min_length\":{\"unit\":\"x\",\"value\":1,\"why\":\"laxer than it was\"},\"was\":{\"unit\":");
	CTM_AUTO_JSON *none = NULL, *one = NULL, *back = NULL;

	(void)state;
	assert_int_equal(ctm_lab_catalogue_differences(cat, same, &none), 0);
	assert_int_equal(ctm_json_len(none), 0);
	assert_int_equal(ctm_lab_catalogue_differences(cat, lax, &one), 0);
	assert_int_equal(ctm_json_len(one), 1);
	assert_string_equal(ctm_json_str(ctm_json_at(one, 0)), "C04");
	assert_int_equal(ctm_lab_catalogue_differences(lax, cat, &back), 0);
	assert_int_equal(ctm_json_len(back), 1);
}

/* A plan that leaves a check out, or has one twice, is none: the matrix would not miss it. */
static void whole_plans(void **state)
{
	struct kit *k = kit_new(NULL, NULL);
	struct ctm_err err = { 0 };
	ctm_json *checks = ctm_json_arr(), *plan = ctm_json_copy(k->plan);
	const ctm_json *all = ctm_json_get(k->plan, "checks");

	(void)state;
	for (size_t i = 1; i < ctm_json_len(all); i++)
		assert_int_equal(ctm_json_add(checks, ctm_json_copy(ctm_json_at(all, i))), 0);
	assert_int_equal(ctm_json_set(plan, "checks", ctm_json_copy(checks)), 0);
	assert_int_equal(ctm_plan_check(plan, "plan", k->cat, &err), CTM_E_INPUT);
	assert_non_null(strstr(err.msg, "left out"));
	for (int i = 0; i < 2; i++)
		assert_int_equal(ctm_json_add(checks, ctm_json_copy(ctm_json_at(all, 0))), 0);
	assert_int_equal(ctm_json_set(plan, "checks", checks), 0);
	ctm_err_clear(&err);
	assert_int_equal(ctm_plan_check(plan, "plan", k->cat, &err), CTM_E_INPUT);
	assert_non_null(strstr(err.msg, "more than once"));
	ctm_json_free(plan);
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(differences), cmocka_unit_test(whole_plans), cmocka_unit_test(one_file_loads), cmocka_unit_test(refusals), cmocka_unit_test(broken_json), cmocka_unit_test(shipped) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
