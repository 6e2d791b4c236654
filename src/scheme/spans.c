/* SPDX-License-Identifier: Apache-2.0 */
#include "scheme/spans.h"
#include "base/text.h"

#define TONES 6

static int set_length(ctm_json *o, int64_t ms)
{
	static const struct { int64_t ms; const char *one, *many; } steps[] = {
		{ INT64_C(86400000), "ago.day", "ago.days" }, { 3600000, "ago.hour", "ago.hours" }, { 60000, "ago.minute", "ago.minutes" },
	};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		int64_t n = ms / steps[i].ms;
		if (n)
			return ctm_json_seti(o, "n", n) | ctm_json_sets(o, "unit", n == 1 ? steps[i].one : steps[i].many);
	}
	return ctm_json_seti(o, "n", 0) | ctm_json_sets(o, "unit", "span.short");
}

int ctm_case_spans(struct ctm_cx *cx, const ctm_json *history, bool final, ctm_json **out)
{
	CTM_AUTO_JSON *list = ctm_json_arr();
	size_t n = ctm_json_len(history), spans = n - (final && n);
	int64_t first = n ? ctm_json_geti(ctm_json_at(history, n - 1), "at_ms", 0) : 0;
	int64_t end = final && n ? ctm_json_geti(ctm_json_at(history, 0), "at_ms", 0) : cx->now_ms, all = end > first ? end - first : 1;
	bool bad = !list;
	for (size_t i = 0; n > 1 && i < spans && !bad; i++) {
		const ctm_json *step = ctm_json_at(history, n - 1 - i);
		int64_t from = ctm_json_geti(step, "at_ms", first), to = i + 1 < n ? ctm_json_geti(ctm_json_at(history, n - 2 - i), "at_ms", end) : end;
		int64_t x = (from - first) * CTM_SPANS_W / all, w = (to - first) * CTM_SPANS_W / all - x;
		ctm_json *o = ctm_json_obj();
		bad = ctm_json_sets(o, "title", ctm_json_gets(step, "to_title") ? ctm_json_gets(step, "to_title") : ctm_json_gets(step, "to_state")) |
			ctm_json_seti(o, "x", x) | ctm_json_seti(o, "w", w) | ctm_json_seti(o, "tone", (int64_t)(i % TONES) + 1) | set_length(o, to - from);
		bad = ctm_json_add(list, o) || bad;
	}
	if (bad)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the page");
	*out = list;
	list = NULL;
	return 0;
}
