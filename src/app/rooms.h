/* SPDX-License-Identifier: Apache-2.0
 * What the platform is made of: every room's rows, in one list each. A new room adds one line to rooms.c. */
#ifndef CTM_APP_ROOMS_H
#define CTM_APP_ROOMS_H
#include "http/app.h"

extern const struct ctm_routes *const ctm_room_routes[];
extern const size_t ctm_room_route_count;
extern const struct ctm_jobs *const ctm_room_jobs[];          /* ends with NULL */
extern const struct ctm_listeners *const ctm_room_listeners[]; /* ends with NULL */

#endif
