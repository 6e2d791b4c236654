/* SPDX-License-Identifier: Apache-2.0
 *
 * The CycloneDX reader (ECMA-424; IR8425 DOC.1, software components): the outside suite's verdicts, a summary to the
 * member, and what an attacker would send.
 */
#include "sbom/cyclonedx.h"
#include "base/file.h"
#include "base/text.h"
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static int read_text(const char *text, ctm_json **out, struct ctm_err *err)
{
	return ctm_cyclonedx_read(text, strlen(text), "sbom", out, err);
}

static void suite_folder(const char *folder, int *valid, int *invalid, int *wrong)
{
	DIR *d = opendir(folder);
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));) {
		bool good = ctm_starts(e->d_name, "valid-");
		char path[1024];
		if (!good && !ctm_starts(e->d_name, "invalid-"))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		CTM_AUTO_BUF b = { 0 };
		CTM_AUTO_JSON *out = NULL;
		struct ctm_err err = { 0 };
		assert_int_equal(ctm_file_read(path, CTM_SBOM_MAX, &b, &err), 0);
		int rc = ctm_cyclonedx_read(ctm_buf_cstr(&b), b.len, e->d_name, &out, &err);
		*(good ? valid : invalid) += 1;
		if (good == (rc != 0)) {
			print_message("%s: %s\n", e->d_name, rc ? err.msg : "accepted");
			*wrong += 1;
		}
		if (rc)
			assert_true(err.field[0] == '/' || err.code == CTM_E_SYNTAX);
	}
	closedir(d);
}

static void suite_verdicts(void **state)
{
	const char *root = getenv("CTM_SUITES");
	char folder[512];
	int valid = 0, invalid = 0, wrong = 0;
	static const char *const versions[] = { "1.4", "1.5", "1.6" };
	for (size_t i = 0; i < 3; i++) {
		snprintf(folder, sizeof folder, "%s/cyclonedx/%s", root && *root ? root : CTM_SOURCE_ROOT "/../shared/suites", versions[i]);
		suite_folder(folder, &valid, &invalid, &wrong);
	}
	if (!valid) {
		print_message("skipped: the CycloneDX documents of the outside suites are not here (CTM_SUITES)\n");
		skip();
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(valid, 110);
	assert_int_equal(invalid, 69);
}

#define HEAD "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"version\":1,"

static void summary_says_what_is_there_and_what_is_missing(void **state)
{
	CTM_AUTO_JSON *out = NULL;
	struct ctm_err err = { 0 };
	assert_int_equal(read_text(HEAD "\"metadata\":{\"timestamp\":\"2026-01-02T03:04:05Z\",\"component\":{\"type\":\"firmware\",\"name\":\"cam\",\"version\":\"1.2.0\"}},"
		"\"components\":[{\"type\":\"library\",\"name\":\"a\",\"version\":\"1\",\"purl\":\"pkg:generic/a@1\",\"supplier\":{\"name\":\"A\"},\"strange\":1,"
		"\"components\":[{\"type\":\"file\",\"name\":\"b\"}]}]}", &out, &err), 0);
	assert_string_equal(ctm_json_gets(ctm_json_get(out, "subject"), "version"), "1.2.0");
	assert_int_equal(ctm_json_len(ctm_json_get(out, "components")), 2);
	const ctm_json *counts = ctm_json_get(out, "counts");
	assert_int_equal(ctm_json_geti(counts, "components", 0), 2);
	assert_int_equal(ctm_json_geti(counts, "with_identifier", 0), 1);
	/* supplier, version and identifier of b; dependencies; author of the data */
	assert_int_equal(ctm_json_len(ctm_json_get(out, "missing")), 5);
	assert_int_equal(ctm_json_len(ctm_json_get(out, "warnings")), 1);
	assert_non_null(strstr(ctm_json_str(ctm_json_at(ctm_json_get(out, "warnings"), 0)), "/components/0"));
}

static void refusals_name_the_pointer(void **state)
{
	static const struct { const char *text, *field; int code; } bad[] = {
		{ HEAD "\"components\":[{\"type\":\"library\",\"name\":\"a\",\"hashes\":[{\"alg\":\"MD5\",\"content\":\"zz\"}]}]}", "/components/0/hashes/0/content", CTM_E_INPUT },
		{ HEAD "\"components\":[{\"type\":\"library\",\"name\":\"a\"},{\"type\":\"library\"}]}", "/components/1", CTM_E_INPUT },
		{ HEAD "\"components\":7}", "/components", CTM_E_INPUT },
		{ HEAD "\"components\":[],\"components\":[]}", NULL, CTM_E_SYNTAX },
		{ "{\"bomFormat\":\"SPDX\"}", "/bomFormat", CTM_E_UNSUPPORTED },
		{ "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"9.9\"}", "/specVersion", CTM_E_UNSUPPORTED },
		{ "[]", "/bomFormat", CTM_E_UNSUPPORTED },
		{ "", NULL, CTM_E_SYNTAX },
		{ HEAD "\"serialNumber\":\"urn:uuid:3e671687\"}", "/serialNumber", CTM_E_INPUT },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ctm_json *out = NULL;
		struct ctm_err err = { 0 };
		assert_int_equal(read_text(bad[i].text, &out, &err), bad[i].code);
		assert_null(out);
		if (bad[i].field)
			assert_string_equal(err.field, bad[i].field);
	}
}

static void deep_nesting_is_refused(void **state)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	struct ctm_err err = { 0 };
	ctm_json *out = NULL;
	ctm_buf_str(&b, HEAD "\"components\":");
	for (int i = 0; i < 5000; i++)
		ctm_buf_str(&b, "[{\"components\":");
	assert_int_not_equal(ctm_cyclonedx_read(b.p, b.len, "sbom", &out, &err), 0);
	assert_null(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suite_verdicts),
		cmocka_unit_test(summary_says_what_is_there_and_what_is_missing),
		cmocka_unit_test(refusals_name_the_pointer),
		cmocka_unit_test(deep_nesting_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
