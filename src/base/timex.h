/* SPDX-License-Identifier: Apache-2.0
 *
 * Time is read here and nowhere else. int64 milliseconds since the Unix epoch, UTC. In builds with CTM_MOVABLE_TIME
 * (tests and the demonstration) the environment variable CTM_TIME_SHIFT_MS moves the wall clock; other builds ignore it.
 */
#ifndef CTM_BASE_TIMEX_H
#define CTM_BASE_TIMEX_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

#define CTM_RFC3339_MAX 32

int64_t ctm_now_ms(void);
int64_t ctm_mono_us(void);                                   /* for durations only */
void ctm_time_rfc3339(int64_t ms, char out[CTM_RFC3339_MAX]); /* 2026-11-22T14:46:03.120Z; whole seconds without fraction */
CTM_CHECK int ctm_time_parse(const char *s, int64_t *out);   /* RFC 3339 date-time or YYYY-MM-DD (midnight UTC); SYNTAX */
/* Civil date arithmetic in a fixed IANA zone ("America/New_York"): add calendar or business days and return the last
 * millisecond of that day there. holidays: sorted "YYYY-MM-DD" strings. INPUT on an unknown zone. */
CTM_CHECK int ctm_time_add_days(int64_t from_ms, int days, int business, const char *zone, const char *const *holidays,
	size_t nholidays, int64_t *out);
CTM_CHECK int ctm_time_add_months(int64_t from_ms, int months, const char *zone, int64_t *out);

#endif
