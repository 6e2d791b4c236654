/* SPDX-License-Identifier: Apache-2.0
 *
 * Which versions run in the field, over time: made of what devices reported when something changed, drawn by the server as
 * stacked bands (the part http/part_spread). No script, no second source: the last step of the picture is the count of today.
 */
#ifndef CTM_DEVICE_SPREAD_H
#define CTM_DEVICE_SPREAD_H
#include "http/app.h"

#define CTM_SPREAD_W 960      /* units of the drawing; the page stretches it */
#define CTM_SPREAD_H 240

/* Sets out.spread: null without a report, else {from_ms, to_ms, hours:bool (label with times of the day), units (most at one time), series:[{version ("" for the earlier ones
 * together), tone (1..7), path (SVG path data), count (now)}] (oldest below), marks:[{x, version}] (releases published meanwhile)}.
 * Units that were retired are left out. */
CTM_CHECK int ctm_device_spread(struct ctm_cx *cx, const char *org_id, ctm_json *out);

#endif
