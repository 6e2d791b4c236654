/* SPDX-License-Identifier: Apache-2.0
 *
 * What compiled templates call. Only the C file written by tools/tpl and the runtime itself include this.
 *
 * A scope is a link of a chain on the C stack: an item of a list, the object of a `with`, the arguments of an included
 * template, or the slots of a layout. Lookups walk outward. Nothing here allocates but the output buffer.
 */
#ifndef CTM_HTTP_TPL_RT_H
#define CTM_HTTP_TPL_RT_H
#include "http/tpl.h"

struct ctm_tpl_val { const ctm_json *v; const char *s; };      /* a JSON value, or a text given by a template; both NULL: absent */
struct ctm_tpl_arg { const char *name; struct ctm_tpl_val val; };
typedef void (*ctm_tpl_fn)(const struct ctm_tpl_cx *, const struct ctm_tpl_scope *, struct ctm_buf *);
struct ctm_tpl_slot { const char *name; ctm_tpl_fn fn; };
struct ctm_tpl_scope {
	const ctm_json *v;
	const struct ctm_tpl_scope *up;
	const struct ctm_tpl_arg *args; int nargs;
	const struct ctm_tpl_slot *slots; int nslots;    /* their scope is `up` */
	size_t index; bool in_list;
};

enum ctm_tpl_place { CTM_TPL_TEXT, CTM_TPL_ATTR, CTM_TPL_URL_START, CTM_TPL_URL_PART, CTM_TPL_LDJSON };   /* tools/tpl.h has the same numbers */
enum ctm_tpl_kind {
	CTM_TPL_K_TEXT, CTM_TPL_K_INT, CTM_TPL_K_DATE, CTM_TPL_K_SHORT, CTM_TPL_K_DAY, CTM_TPL_K_TIME, CTM_TPL_K_AGO, CTM_TPL_K_DIGEST, CTM_TPL_K_STATUS,
	CTM_TPL_K_SIZE, CTM_TPL_K_YESNO, CTM_TPL_K_COUNT, CTM_TPL_K_BARE, CTM_TPL_K_JSON, CTM_TPL_K_DUE
};
struct ctm_tpl_targ { enum ctm_tpl_kind kind; const char *path; };
#define CTM_TPL_PATH "\001"      /* put before a literal: it is the path of a value, not the value */

/* Look a path up from the innermost scope outward: its value, whether it is true for `if`, equal to a word, a list and its length. */
struct ctm_tpl_val ctm_tpl_value(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *path);
bool ctm_tpl_truth(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *path);
bool ctm_tpl_equal(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *path, const char *word);
const ctm_json *ctm_tpl_list(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *path, size_t *n);
const char *ctm_tpl_say(const struct ctm_tpl_cx *tc, const char *key);  /* message in the page's language */

/* Append to o, escaped for the place: a value, an address, a message with its arguments, the word "PREFIX.VALUE", a member of an object by
 * name, the hidden field against forged forms, a slot of the layout. */
void ctm_tpl_put(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, enum ctm_tpl_kind kind, enum ctm_tpl_place at, const char *path);
void ctm_tpl_put_url(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, const char *path);
void ctm_tpl_put_message(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, enum ctm_tpl_place at, const char *key, int n, const struct ctm_tpl_targ *args);
void ctm_tpl_put_word(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, enum ctm_tpl_place at, const char *prefix, const char *path);
void ctm_tpl_put_get(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, enum ctm_tpl_place at, const char *object, const char *name);
void ctm_tpl_put_csrf(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o);
void ctm_tpl_put_slot(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, const char *name);

/* One value as text or markup (tpl_fmt.c). */
void ctm_tpl_format(const struct ctm_tpl_cx *tc, struct ctm_buf *o, enum ctm_tpl_kind kind, enum ctm_tpl_place at, struct ctm_tpl_val val);
void ctm_tpl_escape(struct ctm_buf *o, enum ctm_tpl_place at, const char *s);

/* Tables of the generated file. */
struct ctm_tpl_message { const char *key, *en, *es; };
extern const struct ctm_tpl_message ctm_tpl_messages[];      /* sorted by key */
extern const size_t ctm_tpl_message_count;
struct ctm_tpl_icon { const char *name, *d; };
extern const struct ctm_tpl_icon ctm_tpl_icons[];            /* ends with a NULL name */
void ctm_tpl_put_icon(struct ctm_buf *o, const char *name);

#endif
