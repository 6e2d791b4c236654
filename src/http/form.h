/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and values as they come in a query string or in an application/x-www-form-urlencoded body (URL Standard,
 * section 5). Strict where browsers never differ and attackers do: a name given twice, an empty name, NUL, bad percent
 * signs and bytes that are not UTF-8 are refused with the name; the count and every length have a maximum. Nothing is
 * interpreted here: which names are wanted and what they may hold is said by the fields of the route row (field.h).
 */
#ifndef CTM_HTTP_FORM_H
#define CTM_HTTP_FORM_H
#include "base/arena.h"

#define CTM_FORM_PAIRS 64     /* names in one query or body */
#define CTM_FORM_NAME 64      /* bytes of a name */

struct ctm_pair { const char *name, *value; size_t len; };   /* value NUL-terminated, without NUL inside; arena memory */
struct ctm_pairs { struct ctm_pair at[CTM_FORM_PAIRS]; size_t n; };

/* Append the pairs of text p[0..n) to *out, which may already hold pairs of another source: a clash is a duplicate too.
 * SYNTAX (with the name as field), TOOBIG (too many), NOMEM; on failure *out is as before. */
CTM_CHECK int ctm_form_parse(const char *p, size_t n, struct ctm_arena *arena, struct ctm_pairs *out, struct ctm_err *err);
/* The pair of that name, or NULL. */
const struct ctm_pair *ctm_form_find(const struct ctm_pairs *pairs, const char *name);
/* Add one pair that is already decoded (a member of a JSON body). The same refusals. */
CTM_CHECK int ctm_form_add(struct ctm_pairs *pairs, const char *name, const char *value, size_t len, struct ctm_err *err);

#endif
