/* SPDX-License-Identifier: Apache-2.0
 * How long a case stood in each state, as a bar that the page draws. */
#ifndef CTM_SCHEME_SPANS_H
#define CTM_SCHEME_SPANS_H
#include "case/engine.h"

#define CTM_SPANS_W 960       /* units of the drawing; the page stretches it */

/* history: the steps of the case, newest first, each {at_ms, to_state, to_title}. final: the case ended with the newest step, else it
 * stands in its state until now. *out: [{title, x, w (units of the drawing), tone (1..7), n, unit (message of "minute", "days" ...; n 0:
 * under a minute)}] in order of time; empty with fewer than two steps. NOMEM. */
CTM_CHECK int ctm_case_spans(struct ctm_cx *cx, const ctm_json *history, bool final, ctm_json **out);

#endif
