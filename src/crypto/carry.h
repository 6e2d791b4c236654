/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm.tuf-carry/1: TUF documents on their way to keys that have no network, and back with signatures:
 *   {format, repository, documents: [{role, signed, signatures, entitled: [keyid], holds: "1 of 2"}]}
 * entitled: whose signature counts; for a root also the keys of the root before it.
 */
#ifndef CTM_CRYPTO_CARRY_H
#define CTM_CRYPTO_CARRY_H
#include "crypto/role.h"

#define CTM_CARRY_MAX ((size_t)16 << 20)        /* bytes of a file */

/* Without documents yet. NOMEM. */
CTM_CHECK int ctm_carry_new(const char *repository, ctm_json **out, struct ctm_err *err);
/* rule: of ctm_role_rule; before: body of the published root, for a root that is not the first, else NULL. */
CTM_CHECK int ctm_carry_add(ctm_json *carry, const char *role, const ctm_json *envelope, const ctm_json *rule, const ctm_json *before, unsigned have,
	unsigned need, struct ctm_err *err);
bool ctm_carry_listed(const ctm_json *list, const char *word);        /* is the text an element of the array? */
/* Keyids whose signature counts. NULL without memory. */
ctm_json *ctm_carry_entitled(const char *role, const ctm_json *rule, const ctm_json *before);
/* Is this a carry of that repository (NULL: any) with at least one document of a well-formed role? INPUT. */
CTM_CHECK int ctm_carry_check(const ctm_json *carry, const char *repository, struct ctm_err *err);

#endif
