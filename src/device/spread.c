/* SPDX-License-Identifier: Apache-2.0
 *
 * The reports are walked once in order of time. A unit runs one version at a time: a report moves it from one band to another. The
 * time between the first report and now is cut into COLS columns; a column shows the counts at its end.
 */
#include "device/spread.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORTS_MAX 50000
#define VERSIONS_MAX 64
#define BANDS 7               /* the newest versions each, band 0 for all before them */
#define COLS 96
#define HOURS_MS (2 * INT64_C(86400000))      /* a shorter time is labelled with times of the day */

struct unit { const char *id; int band; };
struct spread {
	const ctm_json *reports;
	const char *version[VERSIONS_MAX];
	size_t nversions;
	struct unit *units;        /* open addressing, cap a power of two at least twice the reports */
	size_t cap;
	int64_t from_ms, to_ms;
	int now[BANDS], col[COLS][BANDS], most;
};

static const char *version_of(const ctm_json *report) { return ctm_json_gets(ctm_json_get(report, "data"), "booted"); }

/* Versions in the order in which they came up; when there are too many the last place takes the rest. */
static size_t version_no(struct spread *s, const char *version)
{
	for (size_t i = 0; i < s->nversions; i++)
		if (!strcmp(s->version[i], version))
			return i;
	if (s->nversions < VERSIONS_MAX)
		s->version[s->nversions++] = version;
	return s->nversions - 1;
}

/* Bands 1.. are the newest versions, 0 what was before them. */
static int band_of(const struct spread *s, size_t no)
{
	size_t first = s->nversions > BANDS - 1 ? s->nversions - (BANDS - 1) : 0;
	return no < first ? 0 : (int)(no - first) + 1;
}

static struct unit *unit_of(struct spread *s, const char *id)
{
	size_t h = 1469598103u;
	for (const char *p = id; *p; p++)
		h = (h ^ (unsigned char)*p) * 16777619u;
	for (;; h++) {
		struct unit *u = &s->units[h & (s->cap - 1)];
		if (!u->id)
			*u = (struct unit){ id, -1 };
		if (!strcmp(u->id, id))
			return u;
	}
}

static void close_columns(struct spread *s, int *next, int upto)
{
	for (; *next < upto; (*next)++) {
		int all = 0;
		for (int b = 0; b < BANDS; b++)
			all += s->col[*next][b] = s->now[b];
		s->most = all > s->most ? all : s->most;
	}
}

static int column_of(const struct spread *s, int64_t at_ms)
{
	int64_t span = s->to_ms - s->from_ms;
	int c = span > 0 ? (int)((at_ms - s->from_ms) * COLS / span) : 0;
	return c < 0 ? 0 : c > COLS - 1 ? COLS - 1 : c;
}

static void walk(struct spread *s)
{
	int next = 0;
	for (size_t i = 0; i < ctm_json_len(s->reports); i++)
		if (version_of(ctm_json_at(s->reports, i)))
			(void)version_no(s, version_of(ctm_json_at(s->reports, i)));
	for (size_t i = 0; i < ctm_json_len(s->reports); i++) {
		const ctm_json *r = ctm_json_at(s->reports, i);
		const char *version = version_of(r), *id = ctm_json_gets(r, "device");
		if (!version || !id)
			continue;
		close_columns(s, &next, column_of(s, ctm_json_geti(r, "at_ms", s->from_ms)));
		struct unit *u = unit_of(s, id);
		if (u->band >= 0)
			s->now[u->band]--;
		u->band = band_of(s, version_no(s, version));
		s->now[u->band]++;
	}
	close_columns(s, &next, COLS);
}

/* Height of the top of a band at a column. */
static int top_of(const struct spread *s, int col, int band)
{
	int sum = 0;
	for (int b = 0; b <= band; b++)
		sum += s->col[col][b];
	return CTM_SPREAD_H - (int)((int64_t)sum * (CTM_SPREAD_H - 8) / (s->most ? s->most : 1));
}

/* One edge of a band as steps, left to right or back. */
static void edge(const struct spread *s, struct ctm_buf *b, int band, bool back)
{
	for (int i = 0; i < COLS; i++) {
		int c = back ? COLS - 1 - i : i, y = band < 0 ? CTM_SPREAD_H : top_of(s, c, band);
		int x0 = c * CTM_SPREAD_W / COLS, x1 = (c + 1) * CTM_SPREAD_W / COLS;
		ctm_buf_printf(b, "%s%d %dL%d %d", back || i ? "L" : "M", back ? x1 : x0, y, back ? x0 : x1, y);
	}
}

static int add_band(const struct spread *s, int band, ctm_json *series)
{
	bool seen = false;
	for (int c = 0; c < COLS && !seen; c++)
		seen = s->col[c][band] > 0;
	if (!seen)
		return 0;
	size_t first = s->nversions > BANDS - 1 ? s->nversions - (BANDS - 1) : 0;
	CTM_AUTO_BUF path = CTM_BUF(32768);
	ctm_json *o = ctm_json_obj();
	edge(s, &path, band, false);
	edge(s, &path, band - 1, true);
	ctm_buf_chr(&path, 'Z');
	int rc = ctm_json_sets(o, "version", band ? s->version[first + (size_t)band - 1] : "") | ctm_json_seti(o, "tone", band ? band : BANDS) |
		ctm_json_seti(o, "count", s->now[band]) | ctm_json_sets(o, "path", ctm_buf_cstr(&path));
	return ctm_json_add(series, o) | rc | path.failed;
}

static int add_marks(struct ctm_cx *cx, const struct spread *s, const char *org_id, ctm_json *marks)
{
	CTM_AUTO_JSON *rows = NULL;
	struct ctm_q *q = ctm_q(cx->db, "device.spread_releases");
	ctm_q_text(q, "org", org_id);
	ctm_q_int(q, "from", s->from_ms);
	int rc = ctm_q_rows(q, 40, &rows, cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		const ctm_json *r = ctm_json_at(rows, i);
		int64_t span = s->to_ms - s->from_ms, at = ctm_json_geti(r, "published_ms", s->from_ms) - s->from_ms;
		ctm_json *m = ctm_json_obj();
		if (ctm_json_seti(m, "x", span > 0 ? at * CTM_SPREAD_W / span : 0) | ctm_json_sets(m, "version", ctm_json_gets(r, "version")) | ctm_json_add(marks, m))
			rc = ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the page");
	}
	return rc;
}

static int drawn(struct ctm_cx *cx, struct spread *s, const char *org_id, ctm_json *out)
{
	ctm_json *o = ctm_json_obj(), *series = ctm_json_arr(), *marks = ctm_json_arr();
	int bad = 0, rc = add_marks(cx, s, org_id, marks);
	for (int b = 0; b < BANDS; b++)
		bad |= add_band(s, b, series);
	bad |= ctm_json_seti(o, "from_ms", s->from_ms) | ctm_json_seti(o, "to_ms", s->to_ms) | ctm_json_seti(o, "units", s->most) |
		ctm_json_setb(o, "hours", s->to_ms - s->from_ms < HOURS_MS);
	bad |= ctm_json_set(o, "series", series) | ctm_json_set(o, "marks", marks);
	bad |= ctm_json_set(out, "spread", o);
	return rc ? rc : bad ? ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the page") : 0;
}

int ctm_device_spread(struct ctm_cx *cx, const char *org_id, ctm_json *out)
{
	CTM_AUTO_JSON *reports = NULL;
	struct ctm_q *q = ctm_q(cx->db, "device.spread");
	ctm_q_text(q, "org", org_id);
	int rc = ctm_q_rows(q, REPORTS_MAX, &reports, cx->err);
	if (rc)
		return rc;
	if (!ctm_json_len(reports))
		return ctm_json_sets(out, "spread", NULL) ? ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the page") : 0;
	struct spread s = { .reports = reports, .cap = 64, .from_ms = ctm_json_geti(ctm_json_at(reports, 0), "at_ms", cx->now_ms), .to_ms = cx->now_ms };
	while (s.cap < 2 * ctm_json_len(reports))
		s.cap *= 2;
	if (!(s.units = ctm_arena_alloc(cx->arena, s.cap * sizeof *s.units)))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the page");
	walk(&s);
	return drawn(cx, &s, org_id, out);
}
