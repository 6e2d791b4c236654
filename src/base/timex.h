/* SPDX-License-Identifier: Apache-2.0
 *
 * Time is read here and nowhere else. int64 milliseconds since the Unix epoch, UTC. In builds with CTM_MOVABLE_TIME
 * (tests and the demonstration) the environment variable CTM_TIME_SHIFT_MS moves the wall clock, and CTM_TIME_SHIFT_FILE names a file
 * of eight bytes (a number of milliseconds, this machine's order) that moves it while programs run; other builds ignore both.
 *
 * The wall clock may be set at any moment, by hours and either way. What must not be late is measured on the monotonic clock; what
 * must outlive the process is kept in wall time and read with ctm_time_holds().
 */
#ifndef CTM_BASE_TIMEX_H
#define CTM_BASE_TIMEX_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTM_RFC3339_MAX 32

int64_t ctm_now_ms(void);                                    /* the wall clock */
int64_t ctm_now_us(void);                                    /* the same clock in microseconds; for identifiers */
int64_t ctm_mono_us(void);                                   /* for durations only */
/* Is an end that was set ttl_ms ahead still to come? Not when it has passed, and not when it lies further ahead than it can have been set
 * (five minutes are granted): then the clock stood wrong that day, and nothing is had for longer than it was given for. */
bool ctm_time_holds(int64_t end_ms, int64_t now_ms, int64_t ttl_ms);
void ctm_time_rfc3339(int64_t ms, char out[CTM_RFC3339_MAX]); /* 2026-11-22T14:46:03.120Z; whole seconds without fraction */
CTM_CHECK int ctm_time_parse(const char *s, int64_t *out);   /* RFC 3339 date-time or YYYY-MM-DD (midnight UTC); SYNTAX */
/* Civil date arithmetic in a fixed IANA zone ("America/New_York"): add calendar or business days and return the last
 * millisecond of that day there. The day of from_ms is day 0. business: Saturdays, Sundays and holidays are not counted;
 * with days 0 a day that is none of them stays and another moves to the next business day (deadlines that fall on a
 * holiday). days may be negative, at most 36600 either way. holidays: sorted "YYYY-MM-DD" strings. INPUT on an unknown
 * zone, STATE when the zone database is not installed. */
CTM_CHECK int ctm_time_add_days(int64_t from_ms, int days, int business, const char *zone, const char *const *holidays,
	size_t nholidays, int64_t *out);
/* Same day some months on (the last day of a shorter month), its last millisecond there. */
CTM_CHECK int ctm_time_add_months(int64_t from_ms, int months, const char *zone, int64_t *out);


/* Civil calendar (proleptic Gregorian): days since 1970-01-01 and back, and the reading of "YYYY-MM-DD". */
int64_t ctm_civil_days(int64_t y, int m, int d);
void ctm_civil_from_days(int64_t days, int64_t *y, int *m, int *d);
int ctm_civil_month_len(int64_t y, int m);
CTM_CHECK int ctm_civil_parse(const char *s, int64_t *days);  /* exactly YYYY-MM-DD, a day that exists; SYNTAX */
void ctm_civil_format(int64_t days, char out[11]);            /* years 0 to 9999 */

#endif
