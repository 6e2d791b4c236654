/* SPDX-License-Identifier: Apache-2.0
 *
 * Judgement: pure functions from (trace, plan, declaration, records, parameters of the check) to a verdict with reasons. A
 * judge reads no clock, no file, no network and keeps nothing, so that the same bundle gives the same verdict on any machine
 * in any year; time enters only as the time stamps of observations.
 *
 * What a judge says is ranked: FAIL over ERROR over INCONCLUSIVE over NOT_RUN over NOT_APPLICABLE over PASS. So a broken
 * control never hides a device that was seen to fail, and a missing control always takes away a PASS. A judge that says
 * nothing is INCONCLUSIVE. Every observation it looks at is written down as its evidence.
 */
#ifndef CTM_LAB_JUDGE_H
#define CTM_LAB_JUDGE_H
#include "lab/check.h"
#include "lab/trace.h"

/* What a verdict is made from. All borrowed. */
struct ctm_lab_facts {
	const struct ctm_lab_catalogue *catalogue;
	const struct ctm_trace *trace;
	const ctm_json *plan, *declaration, *records;    /* records: array */
};

struct ctm_view {
	const struct ctm_lab_facts *facts;
	const struct ctm_check *check;
	const char *component;
	int verdict;                 /* enum ctm_verdict, -1 while nothing was said */
	ctm_json *reasons;           /* array of sentences */
	ctm_json *evidence;          /* array of sequence numbers, ascending, each once */
	int failed;                  /* sticky NOMEM */
};

typedef void (*ctm_judge_fn)(struct ctm_view *v);
ctm_judge_fn ctm_judge_find(const char *name);         /* NULL when unknown */
bool ctm_judge_known(const char *name);                /* is there a judge of this name? */

/* Judge one check on one component, with everything around it: skipped, engine fault, condition of applicability, health after
 * dangerous checks. v->reasons and v->evidence are owned by the caller afterwards (ctm_view_free). NOMEM only. */
CTM_CHECK int ctm_judge(const struct ctm_lab_facts *facts, const struct ctm_check *check, const char *component, struct ctm_view *v, struct ctm_err *err);
void ctm_view_free(struct ctm_view *v);

/* ---- for judges ---- */
void v_say(struct ctm_view *v, enum ctm_verdict verdict, const char *fmt, ...) CTM_PRINTF(3, 4);
void v_note(struct ctm_view *v, const char *fmt, ...) CTM_PRINTF(2, 3);    /* a reason that changes nothing */
/* Last observation of a kind made by this check on this component; of any check on it; NULL when none. Marks it as evidence. */
const struct ctm_obs *v_own(struct ctm_view *v, const char *kind);
const struct ctm_obs *v_any(struct ctm_view *v, const char *kind);
/* Next observation of this check with that kind, starting at *i (set to 0 first). */
const struct ctm_obs *v_next(struct ctm_view *v, const char *kind, size_t *i);
/* The call (kind "call") of this check whose step is exactly `step`, last one; NULL when it was not made. */
const struct ctm_obs *v_call(struct ctm_view *v, const char *step);
int v_status(struct ctm_view *v, const char *step);    /* HTTP status of that call; 0 no answer; -1 not made */
int64_t v_int(struct ctm_view *v, const char *param, int64_t otherwise);
const ctm_json *v_param(struct ctm_view *v, const char *param);
const struct ctm_trace_blob *v_blob(struct ctm_view *v, const char *digest);
/* The owner could sign in at all; else says INCONCLUSIVE and returns false. */
bool v_owner(struct ctm_view *v);

/* Text member or "": what a judge prints. */
static inline const char *j_text(const ctm_json *obj, const char *key)
{
	const char *s = ctm_json_gets(obj, key);
	return s ? s : "";
}

bool j_taken(int status);                              /* 2xx */
bool j_refused(int status);                            /* 4xx, a refusal in order (not 408) */
bool j_same(const ctm_json *a, const ctm_json *b);     /* both there and equal */
/* Body of that call's 200 answer, NULL otherwise. */
const ctm_json *v_reply(struct ctm_view *v, const char *step);

#define V_JUDGE(name) void ctm_judge_##name(struct ctm_view *v)

/* Every judge; the names are those that check files use. */
#define CTM_LAB_JUDGES(X) \
	X(ports_declared) X(legacy_shell) X(clear_http) X(declared_answer) X(tls_floor) X(tls_suites) X(certificate) \
	X(default_passwords) X(nameplate_password) X(lockout) X(weak_password) X(first_use) X(open_write) X(config_apply) X(config_invalid) \
	X(update_good) X(update_tampered) X(update_unsigned) X(update_older) X(update_open) \
	X(reset_default) X(reset_data) X(reset_open) X(token_void) \
	X(identity) X(proof) X(log_access) X(log_events) X(version_match) \
	X(security_txt) X(disclosure_policy) X(support_end) X(sbom) X(data_list) X(attestations)

#define X(name) V_JUDGE(name);
CTM_LAB_JUDGES(X)
#undef X

#endif
