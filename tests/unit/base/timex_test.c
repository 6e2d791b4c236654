/* SPDX-License-Identifier: Apache-2.0
 *
 * Time: RFC 3339 texts, the civil calendar against the C library's, and deadlines in a zone across daylight saving time
 * (47 CFR 1.4 counts days at the Commission, in Eastern time).
 */
#include "harness.h"
#include "base/text.h"
#include "base/timex.h"
#include "base/zone.h"
#include <time.h>

static int64_t at(const char *s)
{
	int64_t ms = -1;
	assert_int_equal(ctm_time_parse(s, &ms), 0);
	return ms;
}

/* RFC 3339 section 5.6 */
static void rfc3339_reads_and_writes(void **state)
{
	char out[CTM_RFC3339_MAX];
	assert_true(at("1970-01-01T00:00:00Z") == 0 && at("1970-01-01") == 0);
	assert_true(at("2026-11-22T14:46:03.120Z") == INT64_C(1795358763120));
	assert_true(at("2026-11-22T14:46:03.1209999Z") == INT64_C(1795358763120));
	assert_true(at("2026-11-22T09:46:03-05:00") == INT64_C(1795358763000));
	assert_true(at("2026-11-22t14:46:03z") == INT64_C(1795358763000));
	assert_true(at("1969-12-31T23:59:59.999Z") == -1);
	ctm_time_rfc3339(INT64_C(1795358763120), out);
	assert_string_equal(out, "2026-11-22T14:46:03.120Z");
	ctm_time_rfc3339(INT64_C(1795358763000), out);
	assert_string_equal(out, "2026-11-22T14:46:03Z");
	ctm_time_rfc3339(-1, out);
	assert_string_equal(out, "1969-12-31T23:59:59.999Z");
	ctm_time_rfc3339(INT64_MAX, out);
	assert_string_equal(out, "9999-12-31T23:59:59.999Z");
	ctm_time_rfc3339(INT64_MIN, out);
	assert_string_equal(out, "0000-01-01T00:00:00Z");
}

static void bad_times_are_refused(void **state)
{
	static const char *const bad[] = { "", "2026", "2026-13-01", "2026-02-29", "2026-00-01", "2026-01-32", "2026-1-1", "26-01-01", "2026-01-01T",
		"2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01 00:00:00Z",
		"2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+5:00", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Zx", "2026-01-01x",
		"2026/01/01", "+026-01-01" };
	int64_t v = 5;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(ctm_time_parse(bad[i], &v), CTM_E_SYNTAX);
	assert_int_equal(ctm_time_parse(NULL, &v), CTM_E_SYNTAX);
	assert_int_equal(ctm_time_parse("2024-02-29", &v), 0);
}

static void civil_calendar_agrees_with_the_c_library(void **state)
{
	for (int64_t day = -800000; day < 3000000; day += 977) {
		int64_t y;
		int m, d;
		struct tm tm;
		time_t t = (time_t)(day * 86400);
		assert_non_null(gmtime_r(&t, &tm));
		ctm_civil_from_days(day, &y, &m, &d);
		assert_int_equal(y, tm.tm_year + 1900);
		assert_int_equal(m, tm.tm_mon + 1);
		assert_int_equal(d, tm.tm_mday);
		assert_true(ctm_civil_days(y, m, d) == day);
	}
}

struct deadline { const char *from; int days, business; const char *end; };

/* 47 CFR 1.4(d), (e): the day of the act is not counted; the day ends at midnight Eastern time. */
static void deadlines_end_with_the_day_in_new_york(void **state)
{
	static const char *const holidays[] = { "2026-11-11", "2026-11-26", "2026-12-25" };
	static const struct deadline rows[] = {
		{ "2026-03-07T12:00:00Z", 1, 0, "2026-03-09T03:59:59.999Z" },      /* the day daylight time begins has 23 hours */
		{ "2026-03-06T12:00:00Z", 1, 0, "2026-03-08T04:59:59.999Z" },
		{ "2026-10-31T12:00:00Z", 1, 0, "2026-11-02T04:59:59.999Z" },      /* the day it ends has 25 */
		{ "2026-10-30T12:00:00Z", 1, 0, "2026-11-01T03:59:59.999Z" },
		{ "2026-11-23T03:00:00Z", 0, 0, "2026-11-23T04:59:59.999Z" },      /* still the 22nd there */
		{ "2026-11-23T06:00:00Z", 30, 0, "2026-12-24T04:59:59.999Z" },
		{ "2026-11-25T17:00:00Z", 1, 1, "2026-11-28T04:59:59.999Z" },      /* over Thanksgiving */
		{ "2026-11-25T17:00:00Z", 2, 1, "2026-12-01T04:59:59.999Z" },      /* and a week-end */
		{ "2026-11-28T17:00:00Z", 0, 1, "2026-12-01T04:59:59.999Z" },      /* a Saturday moves to Monday */
		{ "2026-11-26T17:00:00Z", 0, 1, "2026-11-28T04:59:59.999Z" },      /* a holiday to the next business day */
		{ "2026-11-25T17:00:00Z", 0, 1, "2026-11-26T04:59:59.999Z" },
		{ "2026-11-30T17:00:00Z", -2, 1, "2026-11-26T04:59:59.999Z" },     /* backwards over week-end and holiday */
		{ "2045-07-01T17:00:00Z", 0, 0, "2045-07-02T03:59:59.999Z" },      /* past the stored transitions: the footer's rule */
		{ "2045-12-01T17:00:00Z", 0, 0, "2045-12-02T04:59:59.999Z" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[CTM_RFC3339_MAX];
		int64_t end = 0;
		assert_int_equal(ctm_time_add_days(at(rows[i].from), rows[i].days, rows[i].business, "America/New_York", holidays, 3, &end), 0);
		ctm_time_rfc3339(end, out);
		assert_string_equal(out, rows[i].end);
	}
}

static void months_keep_to_the_end_of_a_shorter_month(void **state)
{
	int64_t end = 0;
	assert_int_equal(ctm_time_add_months(at("2027-01-31T12:00:00Z"), 1, "America/New_York", &end), 0);
	assert_true(end == at("2027-03-01T04:59:59.999Z"));
	assert_int_equal(ctm_time_add_months(at("2027-12-31T12:00:00Z"), -10, "UTC", &end), 0);
	assert_true(end == at("2027-02-28T23:59:59.999Z"));
	assert_int_equal(ctm_time_add_months(at("2026-11-22T12:00:00Z"), 36, "America/New_York", &end), 0);
	assert_true(end == at("2029-11-23T04:59:59.999Z"));
}

static void unknown_zones_and_silly_spans_are_refused(void **state)
{
	int64_t end = 9;
	assert_int_equal(ctm_time_add_days(0, 1, 0, "America/Nowhere", NULL, 0, &end), CTM_E_INPUT);
	assert_int_equal(ctm_time_add_days(0, 1, 0, "../../etc/passwd", NULL, 0, &end), CTM_E_INPUT);
	assert_int_equal(ctm_time_add_days(0, 1, 0, "/etc/passwd", NULL, 0, &end), CTM_E_INPUT);
	assert_int_equal(ctm_time_add_days(0, 1, 0, NULL, NULL, 0, &end), CTM_E_INPUT);
	assert_int_not_equal(ctm_time_add_days(0, 1, 0, "zone.tab", NULL, 0, &end), 0);
	assert_int_equal(ctm_time_add_days(0, 40000, 0, "UTC", NULL, 0, &end), CTM_E_INPUT);
	assert_int_equal(ctm_time_add_months(0, 5000, "UTC", &end), CTM_E_INPUT);
	assert_true(end == 9);
}

/* Every zone against the C library: this program alone may set TZ, it has one thread. */
static void offsets_agree_with_the_c_library(void **state)
{
	static const char *const zones[] = { "UTC", "America/New_York", "America/Chicago", "Europe/Berlin", "Europe/Dublin", "Australia/Lord_Howe",
		"America/Sao_Paulo", "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia", "America/Havana", "Asia/Gaza", "Antarctica/Troll",
		"America/Nuuk", "Pacific/Chatham" };
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		struct ctm_zone *z;
		assert_int_equal(ctm_zone_load(zones[i], &z), 0);
		setenv("TZ", zones[i], 1);
		tzset();
		for (int64_t s = -2000000000; s < INT64_C(4000000000); s += 86400 * 3 + 4217) {
			struct tm tm;
			time_t t = (time_t)s;
			localtime_r(&t, &tm);
			if (ctm_zone_offset(z, s) != tm.tm_gmtoff)
				fail_msg("%s at %lld: %d, not %ld", zones[i], (long long)s, ctm_zone_offset(z, s), tm.tm_gmtoff);
		}
		ctm_zone_free(z);
	}
	unsetenv("TZ");
	tzset();
}

/* A wall clock that jumps over midnight (Havana, Beirut) or shows it twice still has one first instant. */
static void first_instant_of_a_day(void **state)
{
	static const struct { const char *zone, *day, *first; } rows[] = {
		{ "America/Havana", "2026-03-08", "2026-03-08T05:00:00Z" },        /* 00:00 does not exist; 01:00 CDT is first */
		{ "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z" },        /* 00:00 comes twice; the earlier */
		{ "America/New_York", "2026-03-08", "2026-03-08T05:00:00Z" },
		{ "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z" },          /* a day that was skipped: the next one's start */
		{ "Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00Z" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ctm_zone *z;
		int64_t day, first;
		char out[CTM_RFC3339_MAX];
		assert_int_equal(ctm_zone_load(rows[i].zone, &z), 0);
		assert_int_equal(ctm_civil_parse(rows[i].day, &day), 0);
		first = ctm_zone_first(z, day * 86400);
		ctm_time_rfc3339(first * 1000, out);
		assert_string_equal(out, rows[i].first);
		assert_true(first + ctm_zone_offset(z, first) >= day * 86400);
		assert_true(first - 1 + ctm_zone_offset(z, first - 1) < day * 86400);
		ctm_zone_free(z);
	}
}

static void damaged_zone_files_are_refused(void **state)
{
	struct ctm_zone *z;
	uint8_t b[2000];
	FILE *f = fopen("/usr/share/zoneinfo/Europe/Dublin", "rb");
	assert_non_null(f);
	size_t n = fread(b, 1, sizeof b, f);
	fclose(f);
	for (size_t cut = 0; cut < n; cut++) {
		if (ctm_zone_parse(b, cut, &z) == 0)
			fail_msg("%zu of %zu bytes were accepted", cut, n);
	}
	for (size_t i = 0; i < n; i++) {
		b[i] ^= 0xFF;
		if (ctm_zone_parse(b, n, &z) == 0) {
			(void)ctm_zone_offset(z, 0);
			(void)ctm_zone_first(z, INT64_C(4000000000));
			ctm_zone_free(z);
		}
		b[i] ^= 0xFF;
	}
}

static void the_clock_moves_only_by_the_variable(void **state)
{
	int64_t before = ctm_now_ms();
#ifdef CTM_MOVABLE_TIME
	setenv("CTM_TIME_SHIFT_MS", "86400000", 1);
	assert_true(ctm_now_ms() - before >= 86400000 && ctm_now_ms() - before < 86460000);
	setenv("CTM_TIME_SHIFT_MS", "nonsense", 1);
	assert_true(ctm_now_ms() - before < 60000);
#else
	setenv("CTM_TIME_SHIFT_MS", "86400000", 1);
	assert_true(ctm_now_ms() - before < 60000);
#endif
	unsetenv("CTM_TIME_SHIFT_MS");
	assert_true(ctm_now_ms() - before < 60000);
	int64_t m = ctm_mono_us();
	assert_true(ctm_mono_us() >= m);
}

static void nothing_is_had_for_longer_than_it_was_given_for(void **state)
{
	const int64_t hour = 3600000, now = INT64_C(1795358763000);
	static const struct { int64_t end, ttl; bool holds; } rows[] = {
		{ 1, 3600000, true }, { 0, 3600000, false }, { -1, 3600000, false }, { 3600000, 3600000, true },
		{ 3600000 + 300000, 3600000, true },            /* a clock that was set by a little */
		{ 3600000 + 300001, 3600000, false }, { INT64_C(365) * 86400000, 3600000, false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(ctm_time_holds(now + rows[i].end, now, rows[i].ttl), rows[i].holds);
	assert_false(ctm_time_holds(0, now, hour));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc3339_reads_and_writes), cmocka_unit_test(bad_times_are_refused),
		cmocka_unit_test(civil_calendar_agrees_with_the_c_library), cmocka_unit_test(deadlines_end_with_the_day_in_new_york),
		cmocka_unit_test(months_keep_to_the_end_of_a_shorter_month), cmocka_unit_test(unknown_zones_and_silly_spans_are_refused),
		cmocka_unit_test(offsets_agree_with_the_c_library), cmocka_unit_test(first_instant_of_a_day),
		cmocka_unit_test(damaged_zone_files_are_refused), cmocka_unit_test(nothing_is_had_for_longer_than_it_was_given_for),
		cmocka_unit_test(the_clock_moves_only_by_the_variable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
