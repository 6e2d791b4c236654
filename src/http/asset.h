/* SPDX-License-Identifier: Apache-2.0
 *
 * Static assets (style sheet, script, icons) compiled into the program by tools/tpl from src/http/assets/. Served at
 * /assets/NAME; pages link them as /assets/NAME?v=VERSION, so an answer may be cached for a year when ?v is given.
 */
#ifndef CTM_HTTP_ASSET_H
#define CTM_HTTP_ASSET_H
#include <stddef.h>

struct ctm_asset {
	const char *name;            /* "app.css" */
	const char *type;            /* media type */
	const char *version;         /* 16 hex digits from the content; fit for an ETag */
	const unsigned char *p; size_t n;
};
extern const struct ctm_asset ctm_asset_table[];      /* ends with a NULL name */
const struct ctm_asset *ctm_asset_find(const char *name);   /* NULL when there is none */

#endif
