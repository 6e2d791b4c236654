/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue as it is shipped (counts of NIST IR 8425, numbers of 47 CFR Part 8 Subpart B), and the refusals of the loader:
 * each changes one thing in a copy of the real directory and looks for the file and the JSON pointer in the message.
 */
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "case/catalogue.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct ctm_catalogue *cat;
static char tmp[64];

static const char *const FILES[] = { "ir8425.json", "packs/law.json", "packs/scheme.json", "cases/application.json", "cases/suspension.json", "cases/withdrawal.json",
	"lists/fcc-covered.json", "update.json" };
#define NFILES (sizeof FILES / sizeof *FILES)

static void put(const char *rel, const char *p, size_t n)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", tmp, rel);
	assert_int_equal(ctm_file_write(path, p, n, 0600, NULL), 0);
}

static void get(const char *rel, struct ctm_buf *b)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", CATALOGUE, rel);
	assert_int_equal(ctm_file_read(path, 1 << 20, b, NULL), 0);
}

static void fresh(void)
{
	for (size_t i = 0; i < NFILES; i++) {
		CTM_AUTO_BUF b = CTM_BUF(1 << 20);
		get(FILES[i], &b);
		put(FILES[i], ctm_buf_cstr(&b), b.len);
	}
}

/* Replace the first `from` in a file by `to` and expect a refusal that names the file, the pointer and the words. */
static void refused(const char *rel, const char *from, const char *to, int code, const char *pointer, const char *words)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20), out = CTM_BUF(1 << 20);
	struct ctm_err err = { 0 };
	struct ctm_catalogue *c = NULL;
	fresh();
	get(rel, &b);
	const char *text = ctm_buf_cstr(&b), *at = strstr(text, from);
	assert_non_null(at);
	ctm_buf_add(&out, text, (size_t)(at - text));
	ctm_buf_str(&out, to);
	ctm_buf_str(&out, at + strlen(from));
	put(rel, ctm_buf_cstr(&out), out.len);
	int rc = ctm_catalogue_load(tmp, &c, &err);
	if (rc != code || !strstr(err.msg, rel) || !strstr(err.msg, words) || (pointer && !strstr(err.msg, pointer)))
		fail_msg("rc %d field \"%s\" message \"%s\"", rc, err.field, err.msg);
	assert_null(c);
}

static size_t count(enum ctm_outcome_level l, bool judged)
{
	size_t n = 0;
	for (size_t i = 0; i < ctm_outcome_count(cat); i++)
		n += ctm_outcome_at(cat, i)->level == l && (!judged || ctm_outcome_at(cat, i)->judged_on);
	return n;
}

static void ir8425_is_complete(void **state)   /* NIST IR 8425 */
{
	static const struct { const char *id; size_t items; } dev[] = { { "DOC", 7 }, { "IQR", 2 }, { "ID", 10 }, { "PEA", 5 } },
		tech[] = { { "AI", 2 }, { "PC", 3 }, { "DP", 3 }, { "IAC", 2 }, { "SU", 2 }, { "CSA", 1 } };
	assert_int_equal(count(CTM_LEVEL_CAPABILITY, false), 10);
	assert_int_equal(count(CTM_LEVEL_NUMBERED, false), 13);
	assert_int_equal(count(CTM_LEVEL_LETTERED, false), 6);
	assert_int_equal(count(CTM_LEVEL_ITEM, false), 24);
	assert_int_equal(count(CTM_LEVEL_DETAIL, false), 8 + 7 + 3 + 3 + 5 + 4);
	assert_int_equal(count(CTM_LEVEL_NUMBERED, true) + count(CTM_LEVEL_LETTERED, true), 17);
	assert_int_equal(count(CTM_LEVEL_ITEM, true), 24);
	for (size_t k = 0; k < 10; k++) {
		const char *id = k < 4 ? dev[k].id : tech[k - 4].id;
		size_t n = 0, want = k < 4 ? dev[k].items : tech[k - 4].items;
		for (size_t i = 0; i < ctm_outcome_count(cat); i++)
			n += ctm_streq(ctm_outcome_at(cat, i)->parent, id);
		assert_int_equal(n, want);
	}
}

static void rows_of_the_matrix(void **state)
{
	const struct ctm_outcome *su1 = ctm_outcome_find(cat, "SU.1"), *ai1 = ctm_outcome_find(cat, "AI.1"), *iac1 = ctm_outcome_find(cat, "IAC.1"),
		*doc = ctm_outcome_find(cat, "DOC.1a");
	assert_true(ctm_outcome_judged(su1, "device") && ctm_outcome_judged(su1, "backend") && ctm_outcome_judged(su1, "app"));
	assert_true(ctm_outcome_judged(ai1, "device") && !ctm_outcome_judged(ai1, "app"));
	assert_false(ctm_outcome_judged(iac1, "device"));
	assert_true(ctm_outcome_judged(doc, "product") && !ctm_outcome_judged(doc, "device"));
	assert_false(ctm_outcome_judged(doc, "toaster"));
	assert_null(ctm_outcome_find(cat, "AI.9"));
	assert_string_equal(su1->crosswalk[CTM_X_EN303645].v[1], "5.3-2");
}

static void law_has_its_periods(void **state)   /* 47 CFR 8.210-8.222 */
{
	static const struct { const char *id; int n; enum ctm_unit unit; } want[] = { { "T-REV-FILE", 60, CTM_DAYS }, { "T-REV-CLA", 10, CTM_BUSINESS_DAYS },
		{ "T-REV-FCC-FILE", 60, CTM_DAYS }, { "T-REV-ACT", 45, CTM_DAYS }, { "T-INVEST", 20, CTM_DAYS }, { "T-CURE", 20, CTM_DAYS }, { "T-DISCL", 20, CTM_DAYS },
		{ "T-PMS-REPORT", 30, CTM_DAYS }, { "T-CLA-TERM", 20, CTM_DAYS }, { "T-CLA-LIMIT", 60, CTM_DAYS }, { "T-LAB-TERM", 20, CTM_DAYS },
		{ "T-CLA-ACCR", 6, CTM_MONTHS }, { "T-LA-FIRST", 90, CTM_DAYS }, { "T-LA-NIST", 45, CTM_DAYS }, { "T-LAB-REASSESS", 2, CTM_YEARS },
		{ "T-REC-GRANTEE", 2, CTM_YEARS }, { "T-AGENT", 1, CTM_YEARS } };
	const struct ctm_pack *law = ctm_pack_find(cat, "law", NULL), *scheme = ctm_pack_find(cat, "scheme", NULL);
	assert_int_equal(law->nrules, sizeof want / sizeof *want);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		const struct ctm_rule *r = ctm_pack_rule(law, want[i].id);
		assert_non_null(r);
		assert_int_equal(r->period, want[i].n);
		assert_int_equal(r->unit, want[i].unit);
	}
	assert_int_equal(ctm_pack_group(law, "declarations")->n, 8);
	assert_int_equal(ctm_pack_group(law, "fields")->n, 13);
	assert_int_equal(ctm_pack_group(law, "dismissal")->n, 3);
	assert_int_equal(ctm_pack_group(law, "ends")->n, 6);
	assert_int_equal(ctm_pack_number(law, "affiliate_percent", 0), 10);
	assert_int_equal(ctm_pack_rule(scheme, "T-CERT")->period, 5);
	assert_int_equal(ctm_pack_rule(scheme, "T-SURV")->period, 12);
	assert_int_equal(ctm_pack_rule(scheme, "T-REC-SCHEME")->period, 5);
	assert_int_equal(ctm_pack_group(scheme, "verifications")->n, 6);
	assert_null(ctm_pack_find(cat, "law", "1999-01"));
}

static void ends_at(const struct ctm_rule *r, const char *from, const char *want)
{
	int64_t f, due;
	char got[CTM_RFC3339_MAX];
	assert_int_equal(ctm_time_parse(from, &f), 0);
	assert_int_equal(ctm_rule_due(r, f, &due, NULL), 0);
	ctm_time_rfc3339(due + 1, got);
	assert_string_equal(got, want);
}

static void periods_run_in_new_york(void **state)   /* 47 CFR 1.4; 5 U.S.C. 6103 */
{
	const struct ctm_pack *law = ctm_pack_find(cat, "law", NULL), *scheme = ctm_pack_find(cat, "scheme", NULL);
	/* across the change to summer time (2027-03-14): the end is midnight of daylight time */
	ends_at(ctm_pack_rule(law, "T-CURE"), "2027-03-01T12:00:00Z", "2027-03-23T04:00:00Z"); /* 21 March is a Sunday: rolls to Monday */
	/* across the change back (2026-11-01) */
	ends_at(ctm_pack_rule(law, "T-REV-FILE"), "2026-10-05T12:00:00Z", "2026-12-05T05:00:00Z");
	/* late evening in New York is the next day in UTC: the day there counts */
	ends_at(ctm_pack_rule(law, "T-CURE"), "2026-11-03T03:00:00Z", "2026-11-24T05:00:00Z"); /* from 2 Nov: 22 Nov is a Sunday */
	/* ten business days over Thanksgiving (26 Nov) */
	ends_at(ctm_pack_rule(law, "T-REV-CLA"), "2026-11-20T15:00:00Z", "2026-12-08T05:00:00Z");
	/* and over Christmas (25 Dec) and New Year 2027 */
	ends_at(ctm_pack_rule(law, "T-REV-CLA"), "2026-12-18T15:00:00Z", "2027-01-06T05:00:00Z");
	/* five years, twelve months */
	ends_at(ctm_pack_rule(scheme, "T-CERT"), "2028-02-29T15:00:00Z", "2033-03-01T05:00:00Z");
	ends_at(ctm_pack_rule(scheme, "T-SURV"), "2026-11-22T15:00:00Z", "2027-11-23T05:00:00Z");
	char day[11];
	int64_t ms;
	assert_int_equal(ctm_time_parse("2026-07-01T03:59:59Z", &ms), 0);
	assert_int_equal(ctm_pack_day(law, ms, day, NULL), 0);
	assert_string_equal(day, "2026-06-30");
}

static void tables_hold(void **state)
{
	const struct ctm_case_table *t = ctm_case_table_find(cat, "application", NULL);
	assert_non_null(t);
	assert_string_equal(t->initial->id, "DRAFT");
	assert_string_equal(ctm_case_row_find(t, "DECISION_PENDING", "decide", "grant")->to->id, "GRANTED");
	assert_string_equal(ctm_case_row_find(t, "DECISION_PENDING", "decide", "denial")->to->id, "DENIED");
	assert_null(ctm_case_row_find(t, "DECISION_PENDING", "decide", "maybe"));
	assert_null(ctm_case_row_find(t, "GRANTED", "decide", "grant"));
	assert_non_null(ctm_case_table_find(cat, "suspension", NULL));
	assert_non_null(ctm_case_table_find(cat, "withdrawal", "1"));
	assert_null(ctm_case_table_find(cat, "withdrawal", "0"));
	assert_int_equal(ctm_list_count(cat), 4);
}

static void what_is_wrong_is_named(void **state)
{
	const int IN = CTM_E_INPUT;
	refused("update.json", "\"days\": 14", "\"days\": 0", IN, "/roles/4/days", "");
	refused("update.json", "\"role\": \"line\"", "\"role\": \"root\"", IN, "/roles/2", "stands twice");
	refused("ir8425.json", "\"id\": \"AI.2\"", "\"id\": \"AI.1\"", IN, "/outcomes/2", "stands twice");
	refused("ir8425.json", "\"applies\": [\"device\", \"product\"]", "\"applies\": [\"doll\"]", IN, "/outcomes/1/applies/0", "not one of the words");
	refused("ir8425.json", "\"level\": \"numbered\"", "\"levle\": \"numbered\"", IN, "/outcomes/1", "levle");
	refused("ir8425.json", "\"parent\": \"AI\"", "\"parent\": \"PC\"", IN, "/outcomes/1", "parent");
	refused("ir8425.json", "\"judged_on\": [\"device\"]", "\"judged_on\": []", IN, "/outcomes/1", "judged");
	refused("packs/law.json", "\"T-REV-CLA\"", "\"T-REV-FILE\"", IN, "/rules/1", "stands twice");
	refused("packs/law.json", "\"period\": 60", "\"period\": 0", IN, "/rules/0/period", "");
	refused("packs/law.json", "\"unit\": \"days\"", "\"unit\": \"moons\"", IN, "/rules/0/unit", "");
	refused("packs/law.json", ", \"citation\": \"47 CFR 8.212(c)(1)\"", "", IN, "/rules/0", "citation");
	refused("packs/law.json", "America/New_York", "America/Nowhere", IN, "", "zone");
	refused("packs/law.json", "\"2026-01-19\"", "\"2025-01-19\"", IN, "/holidays/days/1", "order");
	refused("packs/law.json", "\"id\": \"c2\"", "\"id\": \"c1\"", IN, "/groups/0/terms/1", "stands twice");
	refused("cases/withdrawal.json", "\"format\": \"ctm.case/1\"", "\"format\": \"ctm.case/9\"", IN, "", "ctm.case/9");
	refused("lists/fcc-covered.json", "\"kind\": \"equipment\"", "\"kind\": \"rumour\"", IN, "/entries/0/kind", "");
	refused("packs/scheme.json", "{", "{{", CTM_E_SYNTAX, NULL, "");
	refused("packs/scheme.json", "\"version\"", "\"id\": \"x\", \"version\"", CTM_E_SYNTAX, NULL, "");
}

static void broken_tables_are_refused(void **state)
{
	const int IN = CTM_E_INPUT;
	refused("cases/withdrawal.json", "\"to\": \"WITHDRAWN\"", "\"to\": \"GONE\"", IN, "/rows/0", "GONE");
	refused("cases/withdrawal.json", "\"to\": \"NOT_WITHDRAWN\"", "\"to\": \"WITHDRAWN\"", IN, "", "NOT_WITHDRAWN cannot be reached");
	refused("cases/withdrawal.json", "\"clock\": \"S-PROPOSAL\"", "\"clock\": \"\"", IN, "/states/0", "no clock runs");
	refused("cases/withdrawal.json", "\"clock\": \"S-PROPOSAL\"", "\"clock\": \"S-NEVER\"", IN, "/states/0", "S-NEVER");
	refused("cases/withdrawal.json", "\"starts\": [\"T-REV-FILE\"", "\"starts\": [\"T-REV-FAIL\"", IN, "/rows/0", "T-REV-FAIL");
	refused("cases/withdrawal.json", "\"who\": [\"cla.decider\"]", "\"who\": [\"cla.wizard\"]", IN, "/rows/0", "cla.wizard");
	refused("cases/withdrawal.json", "\"who\": [\"cla.decider\"]", "\"who\": [\"platform.operator\"]", IN, "/rows/0", "platform.operator");
	refused("cases/withdrawal.json", "\"law\": \"2024-03\"", "\"law\": \"2099-01\"", IN, "", "2099-01");
	refused("cases/withdrawal.json", "\"event\": \"reject\"", "\"event\": \"decide\"", IN, "/rows/1", "two rows");
	refused("cases/suspension.json", "{\"id\": \"REINSTATED\", \"title\": \"Reinstated\", \"whose\": \"\", \"clock\": \"\", \"final\": true}",
		"{\"id\": \"REINSTATED\", \"title\": \"Reinstated\", \"whose\": \"cla\", \"clock\": \"S-PROPOSAL\", \"final\": false}", IN, "", "nothing leads out of the state REINSTATED");
}

static void a_missing_directory_is_told(void **state)
{
	struct ctm_err err = { 0 };
	struct ctm_catalogue *c = NULL;
	assert_int_equal(ctm_catalogue_load("/nonexistent", &c, &err), CTM_E_NOTFOUND);
	assert_non_null(strstr(err.msg, "ir8425.json"));
}

static int setup(void **state)
{
	struct ctm_err err = { 0 };
	char path[128];
	static const char *const subs[] = { "packs", "cases", "lists" };
	snprintf(tmp, sizeof tmp, "/tmp/ctm-catalogue-XXXXXX");
	if (!mkdtemp(tmp))
		return -1;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", tmp, subs[i]);
		if (ctm_mkdirs(path, 0700, &err))
			return -1;
	}
	if (ctm_catalogue_load(CATALOGUE, &cat, &err)) {
		fprintf(stderr, "%s: %s\n", err.field, err.msg);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	char path[160];
	static const char *const subs[] = { "packs", "cases", "lists" };
	for (size_t i = 0; i < NFILES; i++) {
		snprintf(path, sizeof path, "%s/%s", tmp, FILES[i]);
		unlink(path);
	}
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", tmp, subs[i]);
		rmdir(path);
	}
	rmdir(tmp);
	ctm_catalogue_free(cat);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ir8425_is_complete), cmocka_unit_test(rows_of_the_matrix), cmocka_unit_test(law_has_its_periods),
		cmocka_unit_test(periods_run_in_new_york), cmocka_unit_test(tables_hold), cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(broken_tables_are_refused), cmocka_unit_test(a_missing_directory_is_told),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
