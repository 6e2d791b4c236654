/* SPDX-License-Identifier: Apache-2.0
 *
 * A time zone of the IANA database as a value: read from the system's compiled files (TZif, RFC 9636), never through TZ or
 * the C library's process-wide zone, so that threads can work in different zones. Transitions first, then the rule in the
 * file's footer for all time after them.
 */
#ifndef CTM_BASE_ZONE_H
#define CTM_BASE_ZONE_H
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

struct ctm_zone;

/* INPUT: no such zone. STATE: the database is not installed (package tzdata). SYNTAX: its file is damaged. */
CTM_CHECK int ctm_zone_load(const char *name, struct ctm_zone **out);
/* The same from bytes (tests, fuzzing). SYNTAX, NOMEM. */
CTM_CHECK int ctm_zone_parse(const uint8_t *p, size_t n, struct ctm_zone **out);
void ctm_zone_free(struct ctm_zone *z);
int ctm_zone_offset(const struct ctm_zone *z, int64_t utc_s);          /* seconds east of UTC at an instant */
int64_t ctm_zone_first(const struct ctm_zone *z, int64_t local_s);     /* first instant whose wall clock shows local_s or later */

#endif
