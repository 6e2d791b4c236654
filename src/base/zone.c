/* SPDX-License-Identifier: Apache-2.0
 *
 * TZif reader (RFC 9636): only the 64-bit block of version 2 and later is used; the 32-bit block before it is skipped. The
 * file is a trusted system file, yet it is read like any other: every count is bounded and checked against the length.
 *
 * The footer is a POSIX TZ text ("EST5EDT,M3.2.0,M11.1.0"). Only what the database writes is accepted: names (quoted or
 * letters), offsets, and rules of the Mm.w.d, Jn and n forms.
 */
#include "base/zone.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ZONE_DIR "/usr/share/zoneinfo"
#define FILE_MAX (1 << 20)
#define TRANSITIONS_MAX 4000

struct rule { char form; int month, week, day; int time; };   /* form 'M', 'J' or '0'; time in seconds of local time */

struct ctm_zone {
	size_t n;
	int64_t *at;             /* n transitions, ascending */
	int32_t *off;            /* offset from each on */
	int32_t before;          /* before the first */
	bool has_std, has_dst;   /* what the footer gave */
	int32_t std, dst;
	struct rule start, end;
};

void ctm_zone_free(struct ctm_zone *z)
{
	if (!z)
		return;
	free(z->at);
	free(z->off);
	free(z);
}

static uint32_t be32(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }
static int64_t be64(const uint8_t *p) { return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4)); }

/* ---- footer ---- */

struct scan { const char *p, *end; };

static bool eat(struct scan *s, char c)
{
	if (s->p < s->end && *s->p == c) {
		s->p++;
		return true;
	}
	return false;
}

static bool number(struct scan *s, int max, int *out)
{
	int v = 0, n = 0;
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9' && n < 4; s->p++, n++)
		v = v * 10 + (*s->p - '0');
	*out = v;
	return n > 0 && v <= max;
}

static bool zone_name(struct scan *s)
{
	const char *from = s->p;
	if (eat(s, '<')) {
		while (s->p < s->end && *s->p != '>')
			s->p++;
		return eat(s, '>');
	}
	while (s->p < s->end && ((*s->p | 32) >= 'a' && (*s->p | 32) <= 'z'))
		s->p++;
	return s->p > from;
}

/* [+-]h[h[h]][:mm[:ss]] in seconds. */
static bool hms(struct scan *s, int *out)
{
	bool neg = eat(s, '-');
	if (!neg)
		eat(s, '+');
	int h, m = 0, sec = 0;
	if (!number(s, 167, &h) || (eat(s, ':') && (!number(s, 59, &m) || (eat(s, ':') && !number(s, 59, &sec)))))
		return false;
	*out = (neg ? -1 : 1) * (h * 3600 + m * 60 + sec);
	return true;
}

static bool read_rule(struct scan *s, struct rule *r)
{
	*r = (struct rule){ .form = '0', .time = 7200 };
	if (eat(s, 'M')) {
		r->form = 'M';
		if (!number(s, 12, &r->month) || r->month < 1 || !eat(s, '.') || !number(s, 5, &r->week) || r->week < 1 || !eat(s, '.')
			|| !number(s, 6, &r->day))
			return false;
	} else {
		if (eat(s, 'J'))
			r->form = 'J';
		if (!number(s, 365, &r->day) || (r->form == 'J' && r->day < 1))
			return false;
	}
	return !eat(s, '/') || hms(s, &r->time);
}

static bool read_footer(struct ctm_zone *z, const char *p, size_t n)
{
	struct scan s = { p, p + n };
	int west;
	if (n == 0)
		return true;
	if (!zone_name(&s) || !hms(&s, &west))
		return false;
	z->has_std = true;
	z->std = -west;
	if (s.p == s.end)
		return true;
	if (!zone_name(&s))
		return false;
	z->dst = z->std + 3600;
	if (s.p < s.end && *s.p != ',') {
		if (!hms(&s, &west))
			return false;
		z->dst = -west;
	}
	z->has_dst = true;
	return eat(&s, ',') && read_rule(&s, &z->start) && eat(&s, ',') && read_rule(&s, &z->end) && s.p == s.end;
}

/* Local seconds (of the wall clock before the change) at which the rule strikes in year y. */
static int64_t strike(const struct rule *r, int64_t y)
{
	int64_t day;
	if (r->form == 'M') {
		int64_t first = ctm_civil_days(y, r->month, 1);
		int first_week = (int)(((first + 4) % 7 + 7) % 7);           /* 0 is Sunday */
		int d = (r->day - first_week + 7) % 7 + (r->week - 1) * 7;
		if (d >= ctm_civil_month_len(y, r->month))
			d -= 7;                                                  /* week 5 means the last */
		day = first + d;
	} else {
		bool leap = ctm_civil_month_len(y, 2) == 29;
		day = ctm_civil_days(y, 1, 1) + (r->form == 'J' ? r->day - 1 + (leap && r->day >= 60) : r->day);
	}
	return day * 86400 + r->time;
}

static int footer_offset(const struct ctm_zone *z, int64_t utc)
{
	if (!z->has_dst)
		return z->std;
	int64_t y, local = utc + z->std, days = local / 86400 - (local % 86400 < 0);
	int m, d;
	ctm_civil_from_days(days, &y, &m, &d);
	int64_t on = strike(&z->start, y) - z->std, off = strike(&z->end, y) - z->dst;
	bool summer = on < off ? utc >= on && utc < off : utc >= on || utc < off;
	return summer ? z->dst : z->std;
}

/* ---- file ---- */

struct counts { size_t isut, isstd, leap, time, type, chars; };

static bool read_header(const uint8_t *p, size_t n, struct counts *c)
{
	if (n < 44 || memcmp(p, "TZif", 4) != 0)
		return false;
	*c = (struct counts){ be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40) };
	return c->isut <= 256 && c->isstd <= 256 && c->leap <= 1000 && c->time <= TRANSITIONS_MAX && c->type <= 256
		&& c->chars <= 1000;
}

static size_t block_size(const struct counts *c, size_t word)
{
	return c->time * word + c->time + c->type * 6 + c->chars + c->leap * (word + 4) + c->isstd + c->isut;
}

static bool read_block(struct ctm_zone *z, const uint8_t *p, const struct counts *c)
{
	const uint8_t *idx = p + c->time * 8, *types = idx + c->time;
	z->before = (int32_t)be32(types);
	for (size_t i = 0; i < c->time; i++) {
		int64_t at = be64(p + 8 * i);
		if (idx[i] >= c->type || (i && at <= z->at[i - 1]))
			return false;
		z->at[i] = at;
		z->off[i] = (int32_t)be32(types + 6 * idx[i]);
		if (z->off[i] < -93600 || z->off[i] > 93600)
			return false;
	}
	z->n = c->time;
	return z->before >= -93600 && z->before <= 93600;
}

int ctm_zone_parse(const uint8_t *p, size_t n, struct ctm_zone **out)
{
	struct counts c1, c2;
	if (!read_header(p, n, &c1) || p[4] < '2' || block_size(&c1, 4) > n - 44)
		return CTM_E_SYNTAX;
	size_t at = 44 + block_size(&c1, 4);
	if (!read_header(p + at, n - at, &c2) || c2.type < 1 || block_size(&c2, 8) > n - at - 44)
		return CTM_E_SYNTAX;
	const uint8_t *block = p + at + 44, *foot = block + block_size(&c2, 8), *end = p + n;
	if (foot >= end || *foot != '\n')
		return CTM_E_SYNTAX;
	const uint8_t *stop = memchr(foot + 1, '\n', (size_t)(end - foot - 1));
	struct ctm_zone *z = calloc(1, sizeof *z);
	if (!z)
		return CTM_E_NOMEM;
	z->at = calloc(c2.time + 1, sizeof *z->at);
	z->off = calloc(c2.time + 1, sizeof *z->off);
	int rc = !z->at || !z->off ? CTM_E_NOMEM : 0;
	if (!rc && (!stop || !read_block(z, block, &c2) || !read_footer(z, (const char *)foot + 1, (size_t)(stop - foot - 1))))
		rc = CTM_E_SYNTAX;
	if (rc) {
		ctm_zone_free(z);
		return rc;
	}
	*out = z;
	return 0;
}

int ctm_zone_load(const char *name, struct ctm_zone **out)
{
	char path[192];
	if (!name || !ctm_path_safe(name) || strlen(name) > 64)
		return CTM_E_INPUT;
	snprintf(path, sizeof path, ZONE_DIR "/%s", name);
	CTM_AUTO_BUF b = CTM_BUF(FILE_MAX);
	int rc = ctm_file_read_link(path, FILE_MAX, &b, NULL);
	if (rc == CTM_E_NOTFOUND)
		return ctm_dir_exists(ZONE_DIR) ? CTM_E_INPUT : CTM_E_STATE;
	if (rc)
		return rc;
	return ctm_zone_parse((const uint8_t *)ctm_buf_cstr(&b), b.len, out);
}

int ctm_zone_offset(const struct ctm_zone *z, int64_t utc)
{
	if (z->n == 0 || utc >= z->at[z->n - 1]) {
		if (z->has_std)
			return footer_offset(z, utc);
		return z->n ? z->off[z->n - 1] : z->before;
	}
	if (utc < z->at[0])
		return z->before;
	size_t lo = 0, hi = z->n - 1;              /* at[lo] <= utc < at[hi] */
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;
		if (z->at[mid] <= utc)
			lo = mid;
		else
			hi = mid;
	}
	return z->off[lo];
}

int64_t ctm_zone_first(const struct ctm_zone *z, int64_t local)
{
	int around[2] = { ctm_zone_offset(z, local - 2 * 86400), ctm_zone_offset(z, local + 2 * 86400) };
	int64_t best = INT64_MAX;
	for (int i = 0; i < 2; i++) {
		int64_t t = local - around[i];
		if (ctm_zone_offset(z, t) == around[i] && t < best)
			best = t;
	}
	if (best != INT64_MAX)
		return best;
	int64_t lo = local - 2 * 86400, hi = local + 2 * 86400;   /* a gap: the wall clock jumps over local_s between lo and hi */
	while (hi - lo > 1) {
		int64_t mid = lo + (hi - lo) / 2;
		if (mid + ctm_zone_offset(z, mid) >= local)
			hi = mid;
		else
			lo = mid;
	}
	return hi;
}
