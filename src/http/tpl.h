/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled templates. tools/tpl turns src/ROOM/pages/NAME.html into a C function and a row of ctm_tpl_table named
 * "room/name". The compiler tracks HTML state: holes stand only in text, in quoted attributes and in checked-scheme URLs;
 * holes in script, style, event attributes, comments or unquoted attributes are refused at compile time with FILE:LINE, and
 * so are unbalanced elements, unknown messages, unknown templates and forms that post without {{csrf}}.
 *
 * Names are dotted paths into the data object. Inside each/with the current item is the scope; a leading dot means the
 * item only ("." the item itself, ".id" its member); other names not found there are looked up outward. "@page" members are
 * given by the seam; "@locale" is the language, "@number" the position in the innermost list (from 1). Absent values and
 * null render as nothing.
 *
 *   {{name}} text (inside an address: percent-encoded)         {{int name}} grouped digits    {{size name}} bytes in kB, MB
 *   {{date name}} November 22, 2026   {{short name}} Nov 22, 2026   {{day name}} with weekday   {{time name}} date and time, in <time>
 *   {{due name}} weekday, date and time: the end of a legal clock   {{ago name}} 3 days ago
 *     (dates take "YYYY-MM-DD", which is a day everywhere, RFC 3339 or int64 ms UTC, which are shown in the reader's zone)
 *   {{digest name}} shortened digest, full value in title       {{yesno name}} word for a bool   {{count list}} number of elements
 *   {{url name}} whole address in href/src/action: http(s), mailto, or /path; anything else becomes "#"
 *   {{bare name}} an address for people, without https:// or mailto:
 *   {{t "message.key"}} catalogue message; {{t "key" name date:other}} fills {0} {1}; {{t name}} the value is the key,
 *     or a text of the catalogue (catalogue/texts/es.json), which is then said in the reader's language; any other text stays as it is
 *   {{word "prefix" name}} message "prefix.VALUE", or the value with spaces for underscores
 *   {{status name}} word + icon + colour chip                   {{get object name}} member of object named by the value of name
 *   {{icon "name"}} inline SVG, decorative                      {{asset "app.css"}} address of an asset
 *   {{json name}} only in <script type="application/ld+json">    {{csrf}} hidden field       {{!-- comment --}}
 *   {{#each list}}..{{else}}..{{/each}}   {{#if name}}..{{else}}..{{/if}}   {{#not name}}..{{/not}}   {{#with obj}}..{{else}}..{{/with}}
 *   {{#eq name "word" "other" path}}..{{else}}..{{/eq}} equal to any of them
 *   {{> room/partial a="text" b=path c=t"message.key"}} another template with the present scope and these names before it
 *   {{#layout room/frame a="text"}} {{#slot title}}..{{/slot}} the rest is slot body {{/layout}};  in the frame: {{slot body}}
 *
 * The seam's member "@page" (what http/frame reads): {path, get:bool (the request was a GET), csrf ("" without session), notice|null (a
 * sentence), who: null | {person, org, kind (organisation's kind)}, error: null | {field, message, rule} (a refused post, shown with
 * what was typed), form: null | {field name: text}}. Pages link the other language as ?lang=en and ?lang=es.
 */
#ifndef CTM_HTTP_TPL_H
#define CTM_HTTP_TPL_H
#include "base/json.h"
#include "base/zone.h"

struct ctm_tpl_cx {
	const ctm_json *data;            /* the use case's `out`; the seam adds member "@page" described above */
	const char *locale;              /* "en", "es" */
	const char *(*msg)(const char *key, const char *locale);   /* catalogue messages; never NULL, unknown key gives the key; NULL: ctm_tpl_message */
	int64_t now_ms;
	const struct ctm_zone *zone;     /* the reader's (base/zone.h); NULL: UTC */
};
struct ctm_tpl_scope;                /* tpl_rt.h, for generated code only */
struct ctm_tpl { const char *name; void (*render)(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *scope, struct ctm_buf *out); };
extern const struct ctm_tpl ctm_tpl_table[];      /* sorted by name */
extern const size_t ctm_tpl_count;
const struct ctm_tpl *ctm_tpl_find(const char *name);  /* NULL when there is none */
/* Render; TOOBIG or NOMEM through out's sticky failure. */
CTM_CHECK int ctm_tpl_render(const struct ctm_tpl *t, const struct ctm_tpl_cx *tc, struct ctm_buf *out, struct ctm_err *err);

/* Messages of catalogue/messages/{en,es}.json, compiled in by the same tool. Unknown keys give the key, other locales English. */
const char *ctm_tpl_message(const char *key, const char *locale);

#endif
