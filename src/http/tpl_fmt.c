/* SPDX-License-Identifier: Apache-2.0
 *
 * One value as text or markup: numbers, days, times, digests, status chips. In attributes and titles only text comes out;
 * in text the markup around it is ours and the value is escaped. Dates are written in words in the reader's language, moments in the
 * reader's zone with its distance from UTC and the machine form beside, so that no page can be misread across the ocean.
 */
#include "http/tpl_rt.h"
#include "base/text.h"
#include "base/timex.h"
#include "base/zone.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define DAY_MS INT64_C(86400000)

void ctm_tpl_escape(struct ctm_buf *o, enum ctm_tpl_place at, const char *s)
{
	if (at == CTM_TPL_URL_PART)
		ctm_url_escape(o, s, strlen(s));
	else
		ctm_html_escape(o, s, strlen(s));
}

static const char *text_of(struct ctm_tpl_val val, char tmp[40])
{
	if (val.s)
		return val.s;
	switch (ctm_json_type(val.v)) {
	case CTM_J_STR: return ctm_json_str(val.v);
	case CTM_J_BOOL: return ctm_json_bool(val.v, false) ? "true" : "false";
	case CTM_J_INT: snprintf(tmp, 40, "%" PRId64, ctm_json_int(val.v, 0)); return tmp;
	case CTM_J_REAL: snprintf(tmp, 40, "%.6g", ctm_json_real(val.v, 0)); return tmp;
	default: return "";
	}
}

static const char *without_scheme(const char *s)
{
	static const char *const schemes[] = { "https://", "mailto:" };
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
		if (ctm_starts(s, schemes[i]))
			return s + strlen(schemes[i]);
	return s;
}

/* --- numbers --- */

static void put_int(struct ctm_buf *o, struct ctm_tpl_val val)
{
	char digits[24], tmp[40];
	if (ctm_json_type(val.v) != CTM_J_INT) {
		ctm_tpl_escape(o, CTM_TPL_ATTR, text_of(val, tmp));
		return;
	}
	int64_t v = ctm_json_int(val.v, 0);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	int n = snprintf(digits, sizeof digits, "%" PRIu64, u);
	if (v < 0)
		ctm_buf_chr(o, '-');
	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0 && n > 4)
			ctm_buf_str(o, "\xe2\x80\xaf");      /* narrow no-break space: read alike in both languages */
		ctm_buf_chr(o, digits[i]);
	}
}

static void put_size(struct ctm_buf *o, struct ctm_tpl_val val)
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB" };
	double v = ctm_json_real(val.v, -1);
	int unit = 0;
	if (v < 0)
		return;
	for (; v >= 1000 && unit < 3; unit++)
		v /= 1000;
	ctm_buf_printf(o, unit && v < 10 ? "%.1f\xc2\xa0%s" : "%.0f\xc2\xa0%s", v, units[unit]);
}

/* --- days and times --- */

static bool moment(struct ctm_tpl_val val, int64_t *ms)
{
	const char *s = val.s ? val.s : ctm_json_str(val.v);
	if (ctm_json_type(val.v) == CTM_J_INT) {
		*ms = ctm_json_int(val.v, 0);
		return *ms > INT64_C(-62135596800000) && *ms < INT64_C(253402300800000);     /* years 1 to 9999 */
	}
	return s && ctm_time_parse(s, ms) == 0;
}

static void civil(int64_t ms, struct tm *tm)
{
	time_t t = (time_t)(ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
	gmtime_r(&t, tm);
}

static void put_date_words(const struct ctm_tpl_cx *tc, struct ctm_buf *o, enum ctm_tpl_place at, const struct tm *tm, bool shorter)
{
	char key[24], month[32], date[96];
	bool es = tc->locale && !strcmp(tc->locale, "es");
	snprintf(key, sizeof key, "month.%d", tm->tm_mon + 1);
	snprintf(month, sizeof month, "%s", ctm_tpl_say(tc, key));
	size_t cut = 3;
	if (shorter && strlen(month) > 4)
		month[cut] = 0;
	if (es)
		snprintf(date, sizeof date, shorter ? "%d %s %d" : "%d de %s de %d", tm->tm_mday, month, tm->tm_year + 1900);
	else
		snprintf(date, sizeof date, "%s %d, %d", month, tm->tm_mday, tm->tm_year + 1900);
	ctm_tpl_escape(o, at, date);
}

static void put_ago(const struct ctm_tpl_cx *tc, struct ctm_buf *o, enum ctm_tpl_place at, int64_t ms)
{
	static const struct { int64_t ms; const char *one, *many; } steps[] = {
		{ 365 * DAY_MS, "ago.year", "ago.years" }, { 30 * DAY_MS, "ago.month", "ago.months" }, { DAY_MS, "ago.day", "ago.days" },
		{ 3600000, "ago.hour", "ago.hours" }, { 60000, "ago.minute", "ago.minutes" },
	};
	int64_t d = tc->now_ms - ms, far = d < 0 ? -d : d;
	char number[24];
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		int64_t n = far / steps[i].ms;
		if (n < 1)
			continue;
		snprintf(number, sizeof number, "%" PRId64, n);
		const char *frame = ctm_tpl_say(tc, d < 0 ? "ago.in" : "ago.past"), *unit = ctm_tpl_say(tc, n == 1 ? steps[i].one : steps[i].many);
		for (; *frame; frame++) {
			if (!strncmp(frame, "{0}", 3)) {
				ctm_tpl_escape(o, at, number);
				ctm_buf_str(o, at == CTM_TPL_URL_PART ? "%20" : "\xc2\xa0");
				ctm_tpl_escape(o, at, unit);
				frame += 2;
			} else
				ctm_tpl_escape(o, at, (char[]){ *frame, 0 });
		}
		return;
	}
	ctm_tpl_escape(o, at, ctm_tpl_say(tc, "ago.now"));
}

/* A day that was written as one is that day everywhere; a moment is seen from the reader's zone. */
static bool is_day(struct ctm_tpl_val val)
{
	const char *s = val.s ? val.s : ctm_json_str(val.v);
	return s && strlen(s) == 10;
}

static void put_clock(struct ctm_buf *o, enum ctm_tpl_place at, const struct tm *tm, int offset_s)
{
	char text[40];
	int off = offset_s / 60, far = off < 0 ? -off : off;
	int n = snprintf(text, sizeof text, ", %02d:%02d UTC", tm->tm_hour, tm->tm_min);
	if (off)
		n += snprintf(text + n, sizeof text - (size_t)n, "%s%d", off < 0 ? "\xe2\x88\x92" : "+", far / 60);
	if (far % 60)
		snprintf(text + n, sizeof text - (size_t)n, ":%02d", far % 60);
	ctm_tpl_escape(o, at, text);
}

static void put_moment(const struct ctm_tpl_cx *tc, struct ctm_buf *o, enum ctm_tpl_kind kind, enum ctm_tpl_place at, struct ctm_tpl_val val)
{
	int64_t ms;
	char rfc[CTM_RFC3339_MAX], key[24], day[32];
	struct tm tm;
	if (!moment(val, &ms))
		return;
	int offset = tc->zone && !is_day(val) ? ctm_zone_offset(tc->zone, ms / 1000) : 0;
	civil(ms + offset * INT64_C(1000), &tm);
	ctm_time_rfc3339(ms, rfc);
	bool markup = at == CTM_TPL_TEXT;
	if (markup) {
		bool whole = kind == CTM_TPL_K_TIME || kind == CTM_TPL_K_AGO || kind == CTM_TPL_K_DUE;
		snprintf(day, sizeof day, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
		ctm_buf_printf(o, "<time datetime=\"%s\"", whole ? rfc : day);
		if (whole) {
			ctm_buf_str(o, " title=\"");
			if (kind != CTM_TPL_K_AGO)
				put_ago(tc, o, CTM_TPL_ATTR, ms);
			else
				put_moment(tc, o, CTM_TPL_K_TIME, CTM_TPL_ATTR, val);
			ctm_buf_chr(o, '"');
		}
		ctm_buf_chr(o, '>');
	}
	if (kind == CTM_TPL_K_AGO)
		put_ago(tc, o, at, ms);
	else {
		if (kind == CTM_TPL_K_DAY || kind == CTM_TPL_K_DUE) {
			snprintf(key, sizeof key, "weekday.%d", tm.tm_wday);
			ctm_tpl_escape(o, at, ctm_tpl_say(tc, key));
			ctm_tpl_escape(o, at, ", ");
		}
		put_date_words(tc, o, at, &tm, kind != CTM_TPL_K_DATE);
		if (kind == CTM_TPL_K_TIME || kind == CTM_TPL_K_DUE)
			put_clock(o, at, &tm, offset);
	}
	if (markup)
		ctm_buf_str(o, "</time>");
}

/* --- digests and status --- */

static void put_digest(struct ctm_buf *o, enum ctm_tpl_place at, const char *s)
{
	const char *hex = ctm_starts(s, "sha256:") ? s + 7 : s;
	if (at != CTM_TPL_TEXT) {
		ctm_tpl_escape(o, at, s);
		return;
	}
	if (!*s)
		return;
	ctm_buf_str(o, "<code class=\"digest\" title=\"");
	ctm_tpl_escape(o, CTM_TPL_ATTR, s);
	ctm_buf_str(o, "\">");
	char head[17];
	snprintf(head, sizeof head, "%s", hex);
	if (strlen(hex) > 16)
		head[12] = 0;
	ctm_tpl_escape(o, CTM_TPL_TEXT, head);
	ctm_buf_str(o, strlen(hex) > 16 ? "\xe2\x80\xa6</code>" : "</code>");
}

/* Every word that names a state, its tone (good, bad, warn, calm, plain) and its icon. Words not listed are plain. */
static const struct { const char *word, *tone, *icon; } tones[] = {
	{ "met", "good", "check" }, { "not_met", "bad", "cross" }, { "undetermined", "warn", "question" }, { "not_applicable", "plain", "dash" },
	{ "PASS", "good", "check" }, { "FAIL", "bad", "cross" }, { "INCONCLUSIVE", "warn", "question" }, { "NOT_APPLICABLE", "plain", "dash" },
	{ "NOT_RUN", "plain", "circle" }, { "ERROR", "warn", "alert" }, { "WAITING", "plain", "circle" }, { "RUNNING", "calm", "play" },
	{ "authorised", "good", "shield" }, { "suspended", "warn", "pause" }, { "withdrawn", "bad", "stop" }, { "terminated", "bad", "stop" },
	{ "expired", "bad", "clock" }, { "set_aside", "bad", "stop" }, { "unsupported", "bad", "clock" }, { "not_authorised", "bad", "cross" },
	{ "in_force", "good", "shield" }, { "active", "good", "check" }, { "revoked", "bad", "stop" }, { "rescinded", "bad", "stop" },
	{ "surrendered", "plain", "stop" }, { "draft", "plain", "pencil" }, { "applied", "calm", "send" }, { "published", "good", "check" },
	{ "planned", "plain", "list" }, { "approved", "calm", "check" }, { "running", "calm", "play" }, { "sealed", "calm", "lock" },
	{ "reported", "good", "file" }, { "built", "plain", "box" }, { "enrolled", "good", "link" }, { "retired", "plain", "dash" },
	{ "likely-normal", "good", "check" }, { "likely-degraded", "warn", "alert" }, { "grant", "good", "check" }, { "granted", "good", "check" },
	{ "denial", "bad", "cross" }, { "denied", "bad", "cross" }, { "dismissal", "plain", "stop" }, { "dismissed", "plain", "stop" },
	{ "suspension", "warn", "pause" }, { "reinstatement", "good", "check" }, { "reinstated", "good", "check" }, { "withdrawal", "bad", "stop" },
	{ "filed", "calm", "send" }, { "overdue", "bad", "clock" }, { "maker", "plain", "box" }, { "yes", "good", "check" }, { "no", "plain", "dash" },
};

static void put_status(const struct ctm_tpl_cx *tc, struct ctm_buf *o, enum ctm_tpl_place at, const char *word)
{
	char key[96], *p;
	const char *tone = "plain", *icon = "dot", *say;
	if (!*word)
		return;
	for (size_t i = 0; i < sizeof tones / sizeof *tones; i++)
		if (!strcmp(tones[i].word, word)) {
			tone = tones[i].tone;
			icon = tones[i].icon;
		}
	snprintf(key, sizeof key, "status.%s", word);
	say = ctm_tpl_say(tc, key);
	if (!strcmp(say, key)) {
		say = key + strlen("status.");
		for (p = key; (p = strchr(p, '_')); p++)
			*p = ' ';
	}
	if (at == CTM_TPL_TEXT) {
		ctm_buf_printf(o, "<span class=\"chip %s\">", tone);
		ctm_tpl_put_icon(o, icon);
	}
	ctm_tpl_escape(o, at, say);
	if (at == CTM_TPL_TEXT)
		ctm_buf_str(o, "</span>");
}

/* JSON inside a script element: no byte that could end the element or the line (U+2028, U+2029 are legal JSON and stay). */
static void put_json(struct ctm_buf *o, const ctm_json *v)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	if (!v || ctm_json_compact(v, &b)) {
		ctm_buf_str(o, "null");
		return;
	}
	for (const char *p = ctm_buf_cstr(&b); *p; p++) {
		if (*p == '<' || *p == '>' || *p == '&')
			ctm_buf_printf(o, "\\u%04x", *p);
		else
			ctm_buf_chr(o, *p);
	}
}

void ctm_tpl_format(const struct ctm_tpl_cx *tc, struct ctm_buf *o, enum ctm_tpl_kind kind, enum ctm_tpl_place at, struct ctm_tpl_val val)
{
	char tmp[40];
	if (!val.s && (!val.v || ctm_json_type(val.v) == CTM_J_NULL) && kind != CTM_TPL_K_JSON)
		return;
	switch (kind) {
	case CTM_TPL_K_TEXT: ctm_tpl_escape(o, at, text_of(val, tmp)); break;
	case CTM_TPL_K_BARE: ctm_tpl_escape(o, at, without_scheme(text_of(val, tmp))); break;
	case CTM_TPL_K_INT: put_int(o, val); break;
	case CTM_TPL_K_DATE: case CTM_TPL_K_SHORT: case CTM_TPL_K_DAY: case CTM_TPL_K_TIME: case CTM_TPL_K_AGO: case CTM_TPL_K_DUE: put_moment(tc, o, kind, at, val); break;
	case CTM_TPL_K_DIGEST: put_digest(o, at, text_of(val, tmp)); break;
	case CTM_TPL_K_STATUS: put_status(tc, o, at, text_of(val, tmp)); break;
	case CTM_TPL_K_SIZE: put_size(o, val); break;
	case CTM_TPL_K_YESNO: ctm_tpl_escape(o, at, ctm_tpl_say(tc, ctm_json_bool(val.v, false) ? "word.yes" : "word.no")); break;
	case CTM_TPL_K_COUNT: ctm_buf_printf(o, "%zu", ctm_json_len(val.v)); break;
	case CTM_TPL_K_JSON: put_json(o, val.v); break;
	}
}
