/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine: one run of a plan on one bench. Checks run in the plan's order. Around each check of danger class D2 and above the
 * sample's identity and health are recorded before and after; when the sample is lost, everything that is left is NOT_RUN
 * (stop rule). Classes without consent are NOT_RUN. The engine observes; verdicts told while running come from the same pure
 * judges that the report uses, on what is known so far.
 */
#ifndef CTM_LAB_RUN_H
#define CTM_LAB_RUN_H
#include "lab/bench.h"
#include "lab/judge.h"

struct ctm_run_ask {
	const struct ctm_lab_catalogue *catalogue;
	const ctm_json *plan, *declaration, *records;
	const struct ctm_bench *bench;
	const char *only;                     /* comma list of check ids; NULL: all */
	/* Told before (verdict NULL) and after each check. May be NULL. */
	void (*tell)(void *arg, const struct ctm_check *check, const char *component, const char *verdict, const char *reason, int64_t ms);
	void *arg;
};

/* 0 with a complete trace, whatever the verdicts; GUARD for a target outside the plan, NOMEM. *out is the caller's. */
CTM_CHECK int ctm_run(const struct ctm_run_ask *ask, struct ctm_trace **out, struct ctm_err *err);

#endif
