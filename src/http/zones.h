/* SPDX-License-Identifier: Apache-2.0
 *
 * Time zones that readers use, loaded once each and kept: a page does not read the zone's file again. Any thread may ask.
 */
#ifndef CTM_HTTP_ZONES_H
#define CTM_HTTP_ZONES_H
#include "base/zone.h"

struct ctm_zones;
/* NULL without memory. */
struct ctm_zones *ctm_zones_new(void);
/* Frees all zones it gave out; NULL tolerated. */
void ctm_zones_free(struct ctm_zones *z);
/* Borrowed until the free. NULL, which means UTC, for "UTC", for a name that is no zone, and when there are too many. */
const struct ctm_zone *ctm_zones_get(struct ctm_zones *z, const char *name);

#endif
