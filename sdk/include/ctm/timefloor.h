/* SPDX-License-Identifier: Apache-2.0
 *
 * Time floor: a time that certainly has passed, for a device that may have no clock. It is the latest of the build's time,
 * the times that came with something verified (a signed reply, a fresh metadata role) and the time of the last commit; it
 * only goes forward and survives restarts. Between two verified times the running clock carries it on.
 *
 * A board's wall clock (port.now_ms, 0 when it has none) is believed for what is judged now, and never raises the kept floor
 * by itself: a clock set to 2080 would refuse every statement for good.
 */
#ifndef CTM_TIMEFLOOR_H
#define CTM_TIMEFLOOR_H
#include "ctm/port.h"
#include <stdbool.h>

struct ctm_timefloor {
	const struct ctm_port *port;
	int64_t build_s;                /* seconds since 1970, when this image was built */
	int64_t floor_s;                /* as kept */
	int64_t base_s, base_mono_ms;   /* the last verified time of this start, and when it came; base_s 0: none yet */
};

/* After a start: the kept floor, or the build's time. STORAGE. */
int ctm_timefloor_load(struct ctm_timefloor *t);
/* The time at least, in seconds. */
int64_t ctm_timefloor_now(const struct ctm_timefloor *t);
/* Is that the time, or only a bound? Without a clock and without a verified time since the start, freshness is unknown: the
 * device reports it and goes on checking versions and counters. */
bool ctm_timefloor_fresh(const struct ctm_timefloor *t);
/* A time that came verified. An earlier one than known is ignored. STORAGE. */
int ctm_timefloor_verified(struct ctm_timefloor *t, int64_t s);
/* Keep what is known now; done at each commit of an update. STORAGE. */
int ctm_timefloor_keep(struct ctm_timefloor *t);

#endif
