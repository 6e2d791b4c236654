/* SPDX-License-Identifier: Apache-2.0
 *
 * Aggregation (what makes a cell met, not met, undetermined, not applicable) and the report's validator (ISO/IEC 17025:2017
 * 7.8.2.1: a report that lacks an item is refused).
 */
#include "kit.h"
#include "lab/matrix.h"
#include "lab/report.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* Status of outcome on component, from checks and records given as JSON. */
static const char *status(const char *checks, const char *records, const char *outcome, const char *component)
{
	static char out[32];
	struct kit *k = kit_new(NULL, records);
	ctm_json *c = kit_json(checks), *m = NULL;

	assert_int_equal(ctm_matrix(&k->facts, c, KIT_AT_MS, &m, NULL), 0);
	snprintf(out, sizeof out, "none");
	for (size_t i = 0; i < ctm_json_len(m); i++)
		if (strcmp(ctm_json_gets(ctm_json_at(m, i), "outcome"), outcome) == 0 && strcmp(ctm_json_gets(ctm_json_at(m, i), "component"), component) == 0)
			snprintf(out, sizeof out, "%s", ctm_json_gets(ctm_json_at(m, i), "status"));
	ctm_json_free(m);
	ctm_json_free(c);
	kit_free(k);
	return out;
}

#define CHECK(id, level, verdict) "{\"id\":\"" id "\",\"title\":\"t\",\"component\":\"cam\",\"method\":\"test\",\"level\":\"" level "\",\"outcomes\":[\"SU.1\"],\"verdict\":\"" verdict "\"}"
#define RECORD(component, method, verdict, expires) "{\"outcome\":\"SU.1\",\"component\":\"" component "\",\"method\":\"" method "\",\"verdict\":\"" verdict "\",\"text\":\"t\",\"by\":\"b\"" expires "}"

#define PART(verdict) "{\"id\":\"P\",\"title\":\"t\",\"component\":\"cam\",\"method\":\"test\",\"level\":\"mandatory\",\"outcomes\":[\"SU.1\"],\"partial\":[\"SU.1\"],\"verdict\":\"" verdict "\"}"

static void rule(void **state)
{
	static const struct { const char *checks, *records, *want; } rows[] = {
		{ "[" CHECK("A", "mandatory", "PASS") "]", "[]", "met" },
		{ "[" CHECK("A", "mandatory", "PASS") "," CHECK("B", "mandatory", "PASS") "]", "[]", "met" },
		{ "[" CHECK("A", "mandatory", "PASS") "," CHECK("B", "mandatory", "FAIL") "]", "[]", "not_met" },
		{ "[" CHECK("A", "mandatory", "PASS") "," CHECK("B", "conditional", "FAIL") "]", "[]", "not_met" },
		{ "[" CHECK("A", "mandatory", "PASS") "," CHECK("B", "conditional", "NOT_APPLICABLE") "]", "[]", "met" },
		{ "[" CHECK("A", "mandatory", "PASS") "," CHECK("B", "advisory", "FAIL") "]", "[]", "met" },
		{ "[" CHECK("A", "advisory", "PASS") "]", "[]", "undetermined" },
		/* never met with a hole */
		{ "[" CHECK("A", "mandatory", "PASS") "," CHECK("B", "mandatory", "NOT_RUN") "]", "[]", "undetermined" },
		{ "[" CHECK("A", "mandatory", "PASS") "," CHECK("B", "mandatory", "ERROR") "]", "[]", "undetermined" },
		{ "[" CHECK("A", "mandatory", "PASS") "," CHECK("B", "mandatory", "INCONCLUSIVE") "]", "[]", "undetermined" },
		{ "[" CHECK("A", "mandatory", "INCONCLUSIVE") "," CHECK("B", "mandatory", "FAIL") "]", "[]", "not_met" },
		{ "[" CHECK("A", "mandatory", "INCONCLUSIVE") "]", "[" RECORD("cam", "inspection", "PASS", "") "]", "undetermined" },
		{ "[" CHECK("A", "conditional", "NOT_APPLICABLE") "]", "[]", "not_applicable" },
		{ "[]", "[]", "undetermined" },
		/* records */
		{ "[]", "[" RECORD("cam", "inspection", "PASS", "") "]", "met" },
		{ "[]", "[" RECORD("cam", "inspection", "FAIL", "") "]", "not_met" },
		{ "[]", "[" RECORD("cam", "inspection", "NOT_APPLICABLE", "") "]", "not_applicable" },
		{ "[" CHECK("A", "mandatory", "PASS") "]", "[" RECORD("cam", "inspection", "FAIL", "") "]", "not_met" },
		{ "[]", "[" RECORD("cam", "attestation", "PASS", ",\"expires\":\"2030-01-01\"") "]", "met" },
		{ "[]", "[" RECORD("cam", "attestation", "PASS", ",\"expires\":\"2026-01-01\"") "]", "undetermined" },
		/* a part is not the whole, but a failing part fails the whole */
		{ "[" PART("PASS") "]", "[]", "undetermined" },
		{ "[" PART("PASS") "," CHECK("A", "mandatory", "PASS") "]", "[]", "met" },
		{ "[" PART("PASS") "]", "[" RECORD("cam", "inspection", "PASS", "") "]", "met" },
		{ "[" PART("FAIL") "," CHECK("A", "mandatory", "PASS") "]", "[]", "not_met" },
		/* another component's evidence counts nothing here */
		{ "[]", "[" RECORD("app", "inspection", "PASS", "") "]", "undetermined" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *got = status(rows[i].checks, rows[i].records, "SU.1", "cam");
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: wanted %s, got %s", i, rows[i].want, got);
	}
}

static void places(void **state)
{
	(void)state;
	assert_string_equal(status("[]", "[]", "SU.1", "hub"), "not_applicable");     /* carved out, with a reason */
	assert_string_equal(status("[]", "[]", "SU.1", "product"), "none");           /* judged on components only */
	assert_string_equal(status("[]", "[]", "DOC.1a", "product"), "undetermined");
	assert_string_equal(status("[]", "[]", "DOC.1a", "cam"), "none");
	assert_string_equal(status("[]", "[]", "PC.2", "app"), "none");               /* a device's outcome */
}

/* ---- report ---- */

static ctm_json *make_report(struct kit *k)
{
	ctm_json *r = NULL;
	struct ctm_err err = { 0 };

	kit_run(k, NULL);
	kit_end(k);
	if (ctm_report_make(&k->facts, &r, &err))
		fail_msg("%s", err.msg);
	return r;
}

static void whole_report(void **state)
{
	struct kit *k = kit_new(NULL, NULL);
	ctm_json *r = make_report(k);

	(void)state;
	assert_int_equal(ctm_report_check(r, "report.json", NULL), 0);
	assert_int_equal(ctm_json_len(ctm_json_get(r, "exclusions")) > 20, 1);
	assert_null(strstr(ctm_json_gets(r, "statement"), "conforms to every"));
	ctm_json_free(r);
	kit_free(k);
}

static void report_lacking_an_item(void **state)
{
	static const char *const top[] = { "title", "lab", "number", "customer", "method", "item", "dates", "sampling", "items_only", "checks", "matrix", "deviations", "exclusions",
		"authorised_by", "external", "conditions", "decision_rule", "statement" };
	static const char *const inner[][2] = { { "lab", "name" }, { "lab", "address" }, { "lab", "place" }, { "customer", "name" }, { "item", "serial" }, { "item", "version" }, { "item", "condition" },
		{ "dates", "received" }, { "dates", "started" }, { "dates", "finished" }, { "dates", "issued" } };
	struct kit *k = kit_new(NULL, NULL);
	ctm_json *r = make_report(k);

	(void)state;
	for (size_t i = 0; i < sizeof top / sizeof top[0]; i++) {
		struct ctm_err err = { 0 };
		ctm_json *c = ctm_json_copy(r);
		ctm_json_del(c, top[i]);
		assert_int_equal(ctm_report_check(c, "report.json", &err), CTM_E_INPUT);
		assert_non_null(strstr(err.msg, top[i]));
		ctm_json_free(c);
	}
	for (size_t i = 0; i < sizeof inner / sizeof inner[0]; i++) {
		ctm_json *c = ctm_json_copy(r), *part = ctm_json_copy(ctm_json_get(c, inner[i][0]));
		ctm_json_sets(part, inner[i][1], "");
		ctm_json_set(c, inner[i][0], part);
		assert_int_equal(ctm_report_check(c, "report.json", NULL), CTM_E_INPUT);
		ctm_json_free(c);
	}
	ctm_json_free(r);
	kit_free(k);
}

static void html_is_escaped(void **state)
{
	struct kit *k = kit_new(NULL, NULL);
	CTM_AUTO_BUF html = CTM_BUF(8 << 20);
	ctm_json *r;

	(void)state;
	kit_run(k, "{\"lab\":{\"name\":\"<script>x</script>\",\"address\":\"\\\"A&B'\"},\"operator\":\"<img src=x>\",\"bench_id\":\"B\",\"address\":\"a\",\"port\":1,\"serial\":\"S<\",\"model\":\"m\"}");
	kit_obs(k, "N01", "cam", "check.begin", "{}");
	kit_obs(k, "N01", "cam", "check.skipped", "{\"why\":\"</ul><b onclick=x>\"}");
	kit_end(k);
	assert_int_equal(ctm_report_make(&k->facts, &r, NULL), 0);
	assert_int_equal(ctm_report_html(r, &html, NULL), 0);
	assert_null(strstr(ctm_buf_cstr(&html), "<script"));
	assert_null(strstr(ctm_buf_cstr(&html), "<img"));
	assert_null(strstr(ctm_buf_cstr(&html), "<b onclick"));
	assert_non_null(strstr(ctm_buf_cstr(&html), "&lt;script&gt;"));
	assert_non_null(strstr(ctm_buf_cstr(&html), "End of report"));
	ctm_json_free(r);
	kit_free(k);
}

static void run_without_end(void **state)
{
	struct kit *k = kit_new(NULL, NULL);
	ctm_json *r = NULL;

	(void)state;
	kit_run(k, NULL);
	assert_int_equal(ctm_report_make(&k->facts, &r, NULL), CTM_E_INPUT);
	assert_null(r);
	kit_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(rule), cmocka_unit_test(places), cmocka_unit_test(whole_report), cmocka_unit_test(report_lacking_an_item),
		cmocka_unit_test(html_is_escaped), cmocka_unit_test(run_without_end) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
