/* SPDX-License-Identifier: Apache-2.0
 *
 * The declaration ctm.declaration/1 of one release of a device component: which interfaces, settings, data and
 * destinations it has, how it updates and what it logs (docs/architecture.md, Formats). The agent enforces it and the lab
 * tests against it, so nothing may stand in it that this reader does not understand: unknown members are refused, ids and
 * ports are unique, every default fits its own setting.
 */
#ifndef CTM_PRODUCT_DECLARATION_H
#define CTM_PRODUCT_DECLARATION_H
#include "base/json.h"

#define CTM_DECLARATION_MAX (256 * 1024)

/* 0, or INPUT with the JSON pointer of the first thing that is wrong. */
CTM_CHECK int ctm_decl_check(const ctm_json *doc, const char *file, struct ctm_err *err);
/* Does it speak of this release? INPUT with the pointer that disagrees. Checked documents only. */
CTM_CHECK int ctm_decl_fits(const ctm_json *doc, const char *maker, const char *model, const char *version, struct ctm_err *err);
#endif
