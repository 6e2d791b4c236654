/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared between the parts of the template compiler: tpl.c (directives, C output), tpl_html.c (HTML state), tpl_data.c
 * (messages, icons, assets). A build tool: it stops at the first error with FILE:LINE and exit status 1. Memory comes from
 * a list that is freed by the end of the process.
 */
#ifndef CTM_TOOLS_TPL_H
#define CTM_TOOLS_TPL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* --- memory and files (tpl_data.c) --- */
void *tpl_alloc(size_t n);                               /* zeroed; exits when there is none */
char *tpl_ndup(const char *s, size_t n);
char *tpl_read(const char *path, size_t *len);           /* whole file, at most 1 MiB */
void tpl_c_string(FILE *f, const char *s, size_t n);     /* as a C string literal */

/* --- messages, icons, assets (tpl_data.c) --- */
struct tpl_msg { char *key, *text[2]; };                 /* text in the order of tpl_locales */
extern const char *const tpl_locales[2];
void tpl_messages(const char *en, const char *es);       /* reads both; same keys and placeholders or an error */
void tpl_texts(const char *path);                        /* texts of the catalogue: {English: other language}; messages whose key is the English text */
const struct tpl_msg *tpl_message(const char *key);
int tpl_message_args(const struct tpl_msg *m);           /* number of {N} it wants */
void tpl_icons(const char *path);
const char *tpl_icon(const char *name);                  /* path data, NULL for unknown */
void tpl_asset_add(const char *path);
const char *tpl_asset_url(const char *name);             /* "/assets/app.css?v=0123" */
void tpl_data_emit(FILE *out);                           /* the three tables */

/* --- HTML state (tpl_html.c) --- */
enum tpl_place {           /* where a hole stands; numbers are shared with src/http/tpl_rt.h */
	TPL_P_TEXT, TPL_P_ATTR, TPL_P_URL_START, TPL_P_URL_PART, TPL_P_LDJSON, TPL_P_TAG, TPL_P_NONE
};
#define TPL_ELEMENTS 64
struct tpl_html {
	int state;                         /* enum in tpl_html.c */
	char quote;
	char tag[24], attr[32];
	size_t ntag, nattr;
	bool closing, self_close, ldjson, post, need_space;
	char val[40]; size_t nval;         /* start of the present attribute's value, to know URL prefixes and script types */
	bool val_hole;
	char open[TPL_ELEMENTS][24]; int depth;
	bool in_form, form_csrf;           /* inside <form method="post">; {{csrf}} seen */
	char raw[24];                      /* element whose text is not markup */
	int keep_space;                    /* depth of pre and textarea */
	bool space;                        /* last byte written was white space */
};
/* Feed one byte of literal source. Writes what is kept to `lit`. Returns NULL or what is wrong. */
const char *tpl_html_feed(struct tpl_html *h, const char *at, FILE *lit);
enum tpl_place tpl_html_place(const struct tpl_html *h);
const char *tpl_html_why(const struct tpl_html *h);      /* why no hole may stand here */
void tpl_html_title(struct tpl_html *h);                 /* start inside a title: text without markup */
void tpl_html_settle(struct tpl_html *h);                /* a block starts or a branch ends: the name being read is complete */
void tpl_html_hole(struct tpl_html *h);                  /* a hole was written here */
const char *tpl_html_same(const struct tpl_html *a, const struct tpl_html *b);   /* both ends of a block; NULL when equal */

#endif
