/* SPDX-License-Identifier: Apache-2.0
 *
 * Judging one check: the frame around the judges, and what they have in common. See judge.h. Judges live in judge_*.c.
 */
#include "lab/judge.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct { const char *name; ctm_judge_fn fn; } table[] = {
#define X(name) { #name, ctm_judge_##name },
	CTM_LAB_JUDGES(X)
#undef X
};

ctm_judge_fn ctm_judge_find(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].fn;
	return NULL;
}

bool ctm_judge_known(const char *name)
{
	return ctm_judge_find(name) != NULL;
}

/* Rank of what may be said; the highest stands. */
static int rank(int verdict)
{
	static const int ranks[CTM_V_COUNT] = { [CTM_V_PASS] = 1, [CTM_V_NOT_APPLICABLE] = 2, [CTM_V_NOT_RUN] = 3, [CTM_V_INCONCLUSIVE] = 4, [CTM_V_ERROR] = 5, [CTM_V_FAIL] = 6 };
	return verdict < 0 ? 0 : ranks[verdict];
}

static void add_reason(struct ctm_view *v, const char *fmt, va_list ap)
{
	char text[600];

	vsnprintf(text, sizeof text, fmt, ap);
	for (size_t i = 0; i < ctm_json_len(v->reasons); i++)
		if (ctm_streq(ctm_json_str(ctm_json_at(v->reasons, i)), text))
			return;
	text[ctm_utf8_span(text, strlen(text))] = '\0';
	if (ctm_json_adds(v->reasons, text))
		v->failed = 1;
}

void v_say(struct ctm_view *v, enum ctm_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	if (rank((int)verdict) > rank(v->verdict))
		v->verdict = (int)verdict;
	va_start(ap, fmt);
	add_reason(v, fmt, ap);
	va_end(ap);
}

void v_note(struct ctm_view *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_reason(v, fmt, ap);
	va_end(ap);
}

static void mark(struct ctm_view *v, const struct ctm_obs *o)
{
	for (size_t i = 0; i < ctm_json_len(v->evidence); i++)
		if (ctm_json_int(ctm_json_at(v->evidence, i), 0) == o->seq)
			return;
	if (ctm_json_add(v->evidence, ctm_json_newi(o->seq)))
		v->failed = 1;
}

static bool mine(const struct ctm_view *v, const struct ctm_obs *o)
{
	return strcmp(o->check, v->check->id) == 0 && strcmp(o->component, v->component) == 0;
}

const struct ctm_obs *v_own(struct ctm_view *v, const char *kind)
{
	for (size_t i = v->facts->trace->n; i-- > 0;) {
		const struct ctm_obs *o = &v->facts->trace->obs[i];
		if (mine(v, o) && strcmp(o->kind, kind) == 0) {
			mark(v, o);
			return o;
		}
	}
	return NULL;
}

const struct ctm_obs *v_any(struct ctm_view *v, const char *kind)
{
	for (size_t i = v->facts->trace->n; i-- > 0;) {
		const struct ctm_obs *o = &v->facts->trace->obs[i];
		if (strcmp(o->component, v->component) == 0 && strcmp(o->kind, kind) == 0) {
			mark(v, o);
			return o;
		}
	}
	return NULL;
}

const struct ctm_obs *v_next(struct ctm_view *v, const char *kind, size_t *i)
{
	while (*i < v->facts->trace->n) {
		const struct ctm_obs *o = &v->facts->trace->obs[(*i)++];
		if (mine(v, o) && strcmp(o->kind, kind) == 0) {
			mark(v, o);
			return o;
		}
	}
	return NULL;
}

/* Steps of the reset are shared between checks; every other step belongs to its own check. */
const struct ctm_obs *v_call(struct ctm_view *v, const char *step)
{
	bool shared = ctm_starts(step, "reset/");

	for (size_t i = v->facts->trace->n; i-- > 0;) {
		const struct ctm_obs *o = &v->facts->trace->obs[i];
		if ((shared ? strcmp(o->component, v->component) == 0 : mine(v, o)) && strcmp(o->kind, "call") == 0 &&
		    ctm_streq(j_text(o->data, "step"), step)) {
			mark(v, o);
			return o;
		}
	}
	return NULL;
}

int v_status(struct ctm_view *v, const char *step)
{
	const struct ctm_obs *o = v_call(v, step);
	return o ? (int)ctm_json_geti(o->data, "status", 0) : -1;
}

const ctm_json *v_param(struct ctm_view *v, const char *param)
{
	return ctm_check_param(v->check, param);
}

int64_t v_int(struct ctm_view *v, const char *param, int64_t otherwise)
{
	return ctm_json_int(v_param(v, param), otherwise);
}

const struct ctm_trace_blob *v_blob(struct ctm_view *v, const char *digest)
{
	return ctm_trace_blob_find(v->facts->trace, digest);
}

bool v_owner(struct ctm_view *v)
{
	const struct ctm_obs *o = v_own(v, "owner");

	if (!o)
		v_say(v, CTM_V_INCONCLUSIVE, "The bench never signed in as the owner.");
	else if (!ctm_json_getb(o->data, "ok", false))
		v_say(v, CTM_V_INCONCLUSIVE, "The bench could not sign in as the owner: %s.", j_text(o->data, "why"));
	return o && ctm_json_getb(o->data, "ok", false);
}

bool j_taken(int status)
{
	return status >= 200 && status < 300;
}

bool j_refused(int status)
{
	return status >= 400 && status < 500 && status != 408 && status != 429;
}

bool j_same(const ctm_json *a, const ctm_json *b)
{
	CTM_AUTO_BUF x = CTM_BUF(1 << 20), y = CTM_BUF(1 << 20);

	return a && b && !ctm_json_canonical(a, &x) && !ctm_json_canonical(b, &y) && x.len == y.len && (x.len == 0 || memcmp(x.p, y.p, x.len) == 0);
}

const ctm_json *v_reply(struct ctm_view *v, const char *step)
{
	const struct ctm_obs *o = v_call(v, step);
	return o && ctm_json_geti(o->data, "status", 0) == 200 ? ctm_json_get(o->data, "reply") : NULL;
}

/* ---- the frame ---- */

static const ctm_json *pointer(const ctm_json *v, const char *ptr)
{
	char key[64];

	while (v && *ptr == '/') {
		size_t n = strcspn(ptr + 1, "/");
		if (n >= sizeof key)
			return NULL;
		snprintf(key, sizeof key, "%.*s", (int)n, ptr + 1);
		v = ctm_json_get(v, key);
		ptr += 1 + n;
	}
	return v;
}

/* Does the condition of the check hold on this declaration? */
static bool applies(const struct ctm_view *v)
{
	const char *when = j_text(v->check->applies, "when"), *protocol = j_text(v->check->applies, "protocol");
	const ctm_json *faces = ctm_json_get(v->facts->declaration, "interfaces");

	if (ctm_streq(when, "declared")) {
		const ctm_json *m = pointer(v->facts->declaration, j_text(v->check->applies, "pointer"));
		return m && ctm_json_type(m) != CTM_J_NULL && !((ctm_json_type(m) == CTM_J_ARR || ctm_json_type(m) == CTM_J_OBJ) && ctm_json_len(m) == 0);
	}
	if (!ctm_streq(when, "interface"))
		return true;
	for (size_t i = 0; i < ctm_json_len(faces); i++)
		if (ctm_streq(j_text(ctm_json_at(faces, i), "protocol"), protocol))
			return true;
	return false;
}

static void judge_health(struct ctm_view *v)
{
	const struct ctm_obs *o = v_own(v, "health.after");

	if (v->check->danger < CTM_D2 || !v->check->probe[0])
		return;
	if (!o)
		v_say(v, CTM_V_INCONCLUSIVE, "The sample's health after the check was not recorded.");
	else if (!ctm_json_getb(o->data, "ok", false))
		v_say(v, CTM_V_FAIL, "After the check the sample no longer answered: %s.", j_text(o->data, "why"));
}

/* NOT_APPLICABLE rests on the declaration alone, so it stands only where nothing observed says otherwise: were the check to come
 * to PASS or FAIL on what was seen, then the sample has what the declaration leaves out. */
static void judge_absent(struct ctm_view *v)
{
	struct ctm_view seen = { .facts = v->facts, .check = v->check, .component = v->component, .verdict = -1, .reasons = ctm_json_arr(), .evidence = v->evidence };

	if (!seen.reasons) {
		v->failed = 1;
		return;
	}
	ctm_judge_find(v->check->judge)(&seen);
	v->failed |= seen.failed;
	if (seen.verdict == CTM_V_PASS || seen.verdict == CTM_V_FAIL)
		v_say(v, CTM_V_INCONCLUSIVE, "The declaration leaves this out, but the sample shows it: %s", ctm_json_len(seen.reasons) ? ctm_json_str(ctm_json_at(seen.reasons, 0)) : "");
	else
		v_say(v, CTM_V_NOT_APPLICABLE, "%s", j_text(v->check->applies, "why"));
	ctm_json_free(seen.reasons);
}

static void judge_all(struct ctm_view *v)
{
	const struct ctm_obs *o;

	if ((o = v_own(v, "check.skipped"))) {
		v_say(v, CTM_V_NOT_RUN, "%s", j_text(o->data, "why"));
		return;
	}
	if (v->check->probe[0] && !v_own(v, "check.begin")) {
		v_say(v, CTM_V_NOT_RUN, "The run holds no observation of this check.");
		return;
	}
	if (!applies(v)) {
		judge_absent(v);
		return;
	}
	ctm_judge_find(v->check->judge)(v);
	if ((o = v_own(v, "probe.error")))
		v_say(v, CTM_V_ERROR, "The bench itself failed: %s", j_text(o->data, "message"));
	judge_health(v);
	if (v->verdict < 0)
		v_say(v, CTM_V_INCONCLUSIVE, "Nothing that was observed decides this check.");
}

int ctm_judge(const struct ctm_lab_facts *facts, const struct ctm_check *check, const char *component, struct ctm_view *v, struct ctm_err *err)
{
	struct ctm_view w = { .facts = facts, .check = check, .component = component, .verdict = -1, .reasons = ctm_json_arr(), .evidence = ctm_json_arr() };

	if (w.reasons && w.evidence)
		judge_all(&w);
	if (!w.reasons || !w.evidence || w.failed) {
		ctm_view_free(&w);
		return ctm_fail(err, CTM_E_NOMEM, check->id, NULL, "no memory for a verdict");
	}
	*v = w;
	return 0;
}

void ctm_view_free(struct ctm_view *v)
{
	ctm_json_free(v->reasons);
	ctm_json_free(v->evidence);
	v->reasons = v->evidence = NULL;
}
