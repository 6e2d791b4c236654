/* SPDX-License-Identifier: Apache-2.0
 *
 * Finding one entry in a ustar archive held in memory (POSIX.1-1988 interchange format), for bundles that `ctm lab replay` has
 * verified: plain files with short names, nothing else. No copy is made.
 */
#ifndef CTM_LAB_DESK_USTAR_H
#define CTM_LAB_DESK_USTAR_H
#include "base/err.h"
#include <stddef.h>

/* The bytes of the plain file `name`. NOTFOUND, SYNTAX (no archive, a wrong header, an entry that runs over the end). */
CTM_CHECK int ctm_ustar_find(const char *p, size_t n, const char *name, const char **out, size_t *len, struct ctm_err *err);
#endif
