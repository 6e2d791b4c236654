/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled templates. tools/tpl turns src/ROOM/pages/NAME.html into a C function and a row of ctm_tpl_table named
 * "room/name". The compiler tracks HTML state: holes stand only in text, in quoted attributes and in checked-scheme URLs;
 * holes in script, style, event attributes, comments or unquoted attributes are refused at compile time.
 *
 * Language (names are dotted paths into the data object; inside each/with the current item is the scope, a leading dot
 * means the item, names not found there are looked up outward, "@page" members are given by the seam):
 *   {{name}} text   {{int name}}   {{date name}} day in words   {{time name}} date and time (ms UTC -> reader's zone UTC, <time datetime>)
 *   {{digest name}} shortened sha256 with the full value in title   {{url name}} only in href/src/action: http(s), mailto, or /path
 *   {{t "message.key"}} catalogue message (en/es), {{t "key" name other}} fills {0} {1}   {{status name}} word + icon + colour chip
 *   {{#each list}}..{{else}}..{{/each}}   {{#if name}}..{{else}}..{{/if}}   {{#eq name "word"}}..{{else}}..{{/eq}}   {{#with obj}}..{{/with}}
 *   {{> room/partial}} another template with the present scope   {{csrf}} hidden field   {{!-- comment --}}
 */
#ifndef CTM_HTTP_TPL_H
#define CTM_HTTP_TPL_H
#include "base/json.h"

struct ctm_tpl_cx {
	const ctm_json *data;            /* the use case's `out`; the seam adds member "@page" {title, path, who, roles{}, nav[], csrf, locale, notice, error{field,msg}, form{}} */
	const char *locale;              /* "en", "es" */
	const char *(*msg)(const char *key, const char *locale);   /* catalogue messages; never NULL, unknown key gives the key */
	int64_t now_ms;
};
struct ctm_tpl { const char *name; int (*render)(const struct ctm_tpl_cx *tc, const ctm_json *scope, struct ctm_buf *out); };
extern const struct ctm_tpl ctm_tpl_table[];      /* sorted by name */
extern const size_t ctm_tpl_count;
const struct ctm_tpl *ctm_tpl_find(const char *name);
/* Render; TOOBIG or NOMEM through out's sticky failure. */
CTM_CHECK int ctm_tpl_render(const struct ctm_tpl *t, const struct ctm_tpl_cx *tc, struct ctm_buf *out, struct ctm_err *err);

#endif
