/* SPDX-License-Identifier: Apache-2.0
 *
 * Moments in the reader's zone: over the changes of summer time, on both sides of midnight and of UTC, with the distance said; a day that was
 * written as one is the same everywhere; the end of a legal clock has weekday and time.
 */
#include "base/timex.h"
#include "http/tpl_rt.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void shows(const char *zone, const char *locale, enum ctm_tpl_kind kind, const char *moment, const char *want)
{
	struct ctm_zone *z = NULL;
	if (zone)
		assert_int_equal(ctm_zone_load(zone, &z), 0);
	struct ctm_tpl_cx tc = { .locale = locale, .now_ms = INT64_C(1795363200000), .zone = z };
	CTM_AUTO_BUF b = CTM_BUF(4096);
	ctm_tpl_format(&tc, &b, kind, CTM_TPL_ATTR, (struct ctm_tpl_val){ .s = moment });
	assert_string_equal(ctm_buf_cstr(&b), want);
	ctm_zone_free(z);
}

static void moments_are_seen_from_the_readers_zone(void **state)
{
	shows(NULL, "en", CTM_TPL_K_TIME, "2026-11-27T04:59:59Z", "Nov 27, 2026, 04:59 UTC");
	shows("America/New_York", "en", CTM_TPL_K_TIME, "2026-11-27T04:59:59Z", "Nov 26, 2026, 23:59 UTC\xe2\x88\x92" "5");
	shows("America/New_York", "en", CTM_TPL_K_TIME, "2026-07-01T03:30:00Z", "June 30, 2026, 23:30 UTC\xe2\x88\x92" "4");
	shows("America/New_York", "en", CTM_TPL_K_TIME, "2026-03-08T06:59:00Z", "Mar 8, 2026, 01:59 UTC\xe2\x88\x92" "5");
	shows("America/New_York", "en", CTM_TPL_K_TIME, "2026-03-08T07:00:00Z", "Mar 8, 2026, 03:00 UTC\xe2\x88\x92" "4");
	shows("Asia/Kolkata", "en", CTM_TPL_K_TIME, "2026-12-31T18:30:00Z", "Jan 1, 2027, 00:00 UTC+5:30");
	shows("Europe/Madrid", "es", CTM_TPL_K_DUE, "2026-11-27T04:59:59Z", "vie, 27 nov 2026, 05:59 UTC+1");
	shows("America/New_York", "en", CTM_TPL_K_DUE, "2026-11-27T04:59:59Z", "Thu, Nov 26, 2026, 23:59 UTC\xe2\x88\x92" "5");
	shows("America/New_York", "en", CTM_TPL_K_DAY, "2026-11-27T04:59:59Z", "Thu, Nov 26, 2026");
	shows("America/New_York", "en", CTM_TPL_K_DATE, "2026-11-27T04:59:59Z", "November 26, 2026");
}

static void a_day_is_a_day_everywhere(void **state)
{
	shows("America/New_York", "en", CTM_TPL_K_DATE, "2026-11-27", "November 27, 2026");
	shows("Pacific/Auckland", "en", CTM_TPL_K_SHORT, "2026-11-27", "Nov 27, 2026");
	shows("Pacific/Honolulu", "en", CTM_TPL_K_DAY, "2026-11-27", "Fri, Nov 27, 2026");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(moments_are_seen_from_the_readers_zone), cmocka_unit_test(a_day_is_a_day_everywhere) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
