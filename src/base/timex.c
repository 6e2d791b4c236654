/* SPDX-License-Identifier: Apache-2.0
 *
 * Clock, civil calendar and RFC 3339 texts. Calendar arithmetic is integer only (era of 400 years), so that no C library
 * locale or TZ variable has a say. What depends on a zone asks base/zone.h.
 */
#include "base/timex.h"
#include "base/text.h"
#include "base/zone.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef CTM_MOVABLE_TIME
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>
#endif

#define DAY_MS 86400000
#define DAYS_MAX 36600
#define GRANTED_MS 300000

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

#ifdef CTM_MOVABLE_TIME
#define CENTURY_MS ((int64_t)DAYS_MAX * DAY_MS)

/* The number in the file, mapped at the first look: a program that may open no files later still sees it change. */
static const _Atomic int64_t *shift_file(void)
{
	static const _Atomic int64_t none, *_Atomic at;
	const _Atomic int64_t *p = at;
	const char *path = p ? NULL : getenv("CTM_TIME_SHIFT_FILE");
	if (p)
		return p;
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *m = fd >= 0 ? mmap(NULL, sizeof *p, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (fd >= 0)
		close(fd);
	p = m == MAP_FAILED ? &none : m;
	at = p;
	return p;
}

/* How far the tests moved the wall clock, in milliseconds. */
static int64_t shift_ms(void)
{
	int64_t v = 0, f = *shift_file();
	const char *s = getenv("CTM_TIME_SHIFT_MS");
	if (s && ctm_parse_i64(s, -CENTURY_MS, CENTURY_MS, &v))
		v = 0;
	return v + (f < -CENTURY_MS || f > CENTURY_MS ? 0 : f);
}
#else
static int64_t shift_ms(void) { return 0; }
#endif

int64_t ctm_now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 + shift_ms() * 1000;
}

int64_t ctm_now_ms(void) { return floor_div(ctm_now_us(), 1000); }

bool ctm_time_holds(int64_t end_ms, int64_t now_ms, int64_t ttl_ms) { return end_ms > now_ms && end_ms - now_ms <= ttl_ms + GRANTED_MS; }

int64_t ctm_mono_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t ctm_civil_days(int64_t y, int m, int d)
{
	y -= m <= 2;                               /* years that begin in March put the leap day last */
	int64_t era = floor_div(y, 400), yoe = y - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void ctm_civil_from_days(int64_t days, int64_t *y, int *m, int *d)
{
	days += 719468;
	int64_t era = floor_div(days, 146097), doe = days - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	*d = (int)(doy - (153 * mp + 2) / 5 + 1);
	*m = (int)(mp < 10 ? mp + 3 : mp - 9);
	*y = yoe + era * 400 + (*m <= 2);
}

int ctm_civil_month_len(int64_t y, int m)
{
	static const int len[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	return len[m - 1] + (m == 2 && leap);
}

/* n digits at s as a number, or -1. */
static int digits(const char *s, int n)
{
	int v = 0;
	for (int i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

/* The ten characters of a date at s, which holds at least that many. */
static int read_date(const char *s, int64_t *days)
{
	int y = digits(s, 4), m = digits(s + 5, 2), d = digits(s + 8, 2);
	if (y < 0 || s[4] != '-' || s[7] != '-' || m < 1 || m > 12 || d < 1 || d > ctm_civil_month_len(y, m))
		return CTM_E_SYNTAX;
	*days = ctm_civil_days(y, m, d);
	return 0;
}

int ctm_civil_parse(const char *s, int64_t *days)
{
	return s && strlen(s) == 10 ? read_date(s, days) : CTM_E_SYNTAX;
}

void ctm_civil_format(int64_t days, char out[11])
{
	int64_t y;
	int m, d;
	ctm_civil_from_days(days, &y, &m, &d);
	y = y < 0 ? 0 : y > 9999 ? 9999 : y;
	snprintf(out, 11, "%04u-%02u-%02u", (unsigned)y % 10000u, (unsigned)m % 100u, (unsigned)d % 100u);
}

void ctm_time_rfc3339(int64_t ms, char out[CTM_RFC3339_MAX])
{
	const int64_t first = ctm_civil_days(0, 1, 1) * DAY_MS, last = ctm_civil_days(10000, 1, 1) * DAY_MS - 1;
	ms = ms < first ? first : ms > last ? last : ms;
	int64_t days = floor_div(ms, DAY_MS);
	int in_day = (int)(ms - days * DAY_MS), frac = in_day % 1000, s = in_day / 1000;
	char date[11];
	ctm_civil_format(days, date);
	int n = snprintf(out, CTM_RFC3339_MAX, "%sT%02d:%02d:%02d", date, s / 3600, s / 60 % 60, s % 60);
	if (frac)
		n += snprintf(out + n, (size_t)(CTM_RFC3339_MAX - n), ".%03d", frac);
	snprintf(out + n, (size_t)(CTM_RFC3339_MAX - n), "Z");
}

/* "Z", "+hh:mm" or "-hh:mm" at s to the end of the text; minutes east of UTC. */
static int read_offset(const char *s, int *minutes)
{
	if ((*s == 'Z' || *s == 'z') && !s[1]) {
		*minutes = 0;
		return 0;
	}
	if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':')
		return CTM_E_SYNTAX;
	int h = digits(s + 1, 2), m = digits(s + 4, 2);
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return CTM_E_SYNTAX;
	*minutes = (*s == '-' ? -1 : 1) * (h * 60 + m);
	return 0;
}

int ctm_time_parse(const char *s, int64_t *out)
{
	int64_t days, ms = 0;
	size_t n = s ? strnlen(s, 64) : 0;
	if (n < 10 || n > 40 || read_date(s, &days))
		return CTM_E_SYNTAX;
	if (n == 10) {
		*out = days * DAY_MS;
		return 0;
	}
	if (n < 20 || (s[10] != 'T' && s[10] != 't') || s[13] != ':' || s[16] != ':')
		return CTM_E_SYNTAX;
	int h = digits(s + 11, 2), m = digits(s + 14, 2), sec = digits(s + 17, 2), east;
	if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59)
		return CTM_E_SYNTAX;
	s += 19;
	if (*s == '.') {
		int unit = 100;
		if (digits(s + 1, 1) < 0)
			return CTM_E_SYNTAX;
		for (s++; *s >= '0' && *s <= '9'; s++, unit /= 10)
			ms += (*s - '0') * unit;
	}
	if (read_offset(s, &east))
		return CTM_E_SYNTAX;
	*out = days * DAY_MS + ((h * 60 + m - east) * 60 + sec) * INT64_C(1000) + ms;
	return 0;
}

static bool is_business_day(int64_t day, const char *const *holidays, size_t n)
{
	int64_t week = (day % 7 + 7) % 7;          /* 1970-01-01 was a Thursday: 2 is Saturday, 3 Sunday */
	if (week == 2 || week == 3)
		return false;
	char text[11];
	ctm_civil_format(day, text);
	for (size_t lo = 0, hi = n; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(text, holidays[mid]);
		if (c == 0)
			return false;
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return true;
}

/* Day number there, and the last millisecond of a day there. */
static int64_t local_day(const struct ctm_zone *z, int64_t ms)
{
	int64_t s = floor_div(ms, 1000);
	return floor_div(s + ctm_zone_offset(z, s), 86400);
}

static int64_t day_end(const struct ctm_zone *z, int64_t day) { return ctm_zone_first(z, (day + 1) * 86400) * 1000 - 1; }

int ctm_time_add_days(int64_t from_ms, int days, int business, const char *zone, const char *const *holidays,
	size_t nholidays, int64_t *out)
{
	if (days < -DAYS_MAX || days > DAYS_MAX)
		return CTM_E_INPUT;
	struct ctm_zone *z;
	int rc = ctm_zone_load(zone, &z);
	if (rc)
		return rc;
	int64_t day = local_day(z, from_ms);
	int step = days < 0 ? -1 : 1, left = days < 0 ? -days : days;
	if (!business) {
		day += days;
		left = 0;
	} else if (left == 0) {
		while (!is_business_day(day, holidays, nholidays))
			day++;
	}
	while (left > 0) {
		day += step;
		left -= is_business_day(day, holidays, nholidays);
	}
	*out = day_end(z, day);
	ctm_zone_free(z);
	return 0;
}

int ctm_time_add_months(int64_t from_ms, int months, const char *zone, int64_t *out)
{
	if (months < -1200 || months > 1200)
		return CTM_E_INPUT;
	struct ctm_zone *z;
	int rc = ctm_zone_load(zone, &z);
	if (rc)
		return rc;
	int64_t y;
	int m, d;
	ctm_civil_from_days(local_day(z, from_ms), &y, &m, &d);
	int64_t month = y * 12 + (m - 1) + months;
	y = floor_div(month, 12);
	m = (int)(month - y * 12) + 1;
	int len = ctm_civil_month_len(y, m);
	*out = day_end(z, ctm_civil_days(y, m, d < len ? d : len));
	ctm_zone_free(z);
	return 0;
}
