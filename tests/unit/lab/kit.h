/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts for the lab's unit tests: the real catalogue, a plan for one product, a trace written by hand. Times are fixed.
 */
#ifndef CTM_TEST_LAB_KIT_H
#define CTM_TEST_LAB_KIT_H
#include "lab/judge.h"

#define KIT_AT_MS 1795000000000LL        /* 2026-11-18 */

struct kit {
	struct ctm_lab_catalogue *cat;
	struct ctm_trace *trace;
	ctm_json *plan, *declaration, *records;
	struct ctm_lab_facts facts;
	int64_t us;
};

ctm_json *kit_json(const char *text);                         /* aborts the test on bad JSON */
struct ctm_lab_catalogue *kit_catalogue(void);
struct kit *kit_new(const char *declaration, const char *records);   /* NULL: a sound declaration, no records */
/* The same on a catalogue of one outcome and one check (N01), so that a bundle stays small. */
struct kit *kit_new_small(void);
void kit_free(struct kit *k);
void kit_obs(struct kit *k, const char *check, const char *component, const char *kind, const char *json);
/* "begin" and "end" of the run, so that a report can be made. */
void kit_run(struct kit *k, const char *begin_json);
void kit_end(struct kit *k);
/* Verdict name of a check on its planned component; *why (may be NULL) gets all reasons, until the next call. */
const char *kit_verdict(struct kit *k, const char *check, const char **why);
extern const char kit_declaration[], kit_begin[];

#endif
