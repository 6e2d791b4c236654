/* SPDX-License-Identifier: Apache-2.0
 *
 * Bounded text work: parsing numbers, hex, base64, percent, UTF-8; escaping for HTML and JSON. No locale, no globals.
 */
#ifndef CTM_BASE_TEXT_H
#define CTM_BASE_TEXT_H
#include "base/buf.h"
#include <stdbool.h>
#include <stdint.h>

bool ctm_streq(const char *a, const char *b);                      /* NULL equals only NULL */
bool ctm_starts(const char *s, const char *prefix);                /* s begins with prefix; neither is NULL */
bool ctm_memeq_ct(const void *a, const void *b, size_t n);         /* constant time */
CTM_CHECK int ctm_parse_i64(const char *s, int64_t min, int64_t max, int64_t *out);   /* whole string, base 10; INPUT */
bool ctm_utf8_valid(const char *s, size_t n);                      /* RFC 3629, no surrogates, no overlong */
size_t ctm_utf8_span(const char *s, size_t n);                     /* bytes before the first that is not valid UTF-8 */
bool ctm_text_printable(const char *s, size_t n);                  /* valid UTF-8 without control characters but \n and \t */

void ctm_hex(const void *p, size_t n, char *out /* 2n+1 */);
CTM_CHECK int ctm_unhex(const char *s, size_t n, uint8_t *out /* n/2 */);              /* lower or upper case; SYNTAX */
/* base64 (RFC 4648): decoding is strict and canonical (padding required for std, refused for url; trailing bits zero). */
void ctm_b64(struct ctm_buf *b, const void *p, size_t n);
void ctm_b64url(struct ctm_buf *b, const void *p, size_t n);
CTM_CHECK int ctm_unb64(const char *s, size_t n, struct ctm_buf *out);                 /* SYNTAX, TOOBIG */
CTM_CHECK int ctm_unb64url(const char *s, size_t n, struct ctm_buf *out);
void ctm_html_escape(struct ctm_buf *b, const char *s, size_t n);  /* & < > " ' */
void ctm_json_escape(struct ctm_buf *b, const char *s, size_t n);  /* contents of a JSON string, no quotes */
void ctm_url_escape(struct ctm_buf *b, const char *s, size_t n);   /* RFC 3986 unreserved stay */
CTM_CHECK int ctm_url_unescape(const char *s, size_t n, bool plus_is_space, struct ctm_buf *out); /* SYNTAX on bad or NUL */
/* Copy at most cap-1 bytes, always NUL-terminated; returns false when it did not fit. */
bool ctm_copy(char *dst, size_t cap, const char *src);

#endif
