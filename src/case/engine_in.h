/* SPDX-License-Identifier: Apache-2.0
 * What the files of the engine share. */
#ifndef CTM_CASE_ENGINE_IN_H
#define CTM_CASE_ENGINE_IN_H
#include "case/engine.h"

/* Clocks and tasks of a move. due is -1 where the state has no clock. */
CTM_CHECK int ctm_clock_start(struct ctm_cx *cx, const char *case_id, const struct ctm_rule *r, int64_t *due);
CTM_CHECK int ctm_clock_stop(struct ctm_cx *cx, const char *case_id, const char *rule /* NULL: all that run */);
CTM_CHECK int ctm_task_add(struct ctm_cx *cx, const char *case_id, unsigned role, const char *org_id, const char *title, int64_t due);
/* Guards of the row in order; the first refusal is told. preview leaves out those that look at what is given. */
CTM_CHECK int ctm_ask_guards(struct ctm_fire *f, bool preview);
void ctm_fire_init(struct ctm_fire *f, struct ctm_cx *cx, const struct ctm_case_table *t, ctm_json *kase);
/* May a person with these roles on this side take the row? */
bool ctm_row_for(const struct ctm_case_row *r, const struct ctm_cx *cx, const char *side);
const char *ctm_role_word(unsigned bit);       /* "cla.decider" */

#endif
