/* SPDX-License-Identifier: Apache-2.0
 *
 * CBOR (RFC 8949) in one profile: core deterministic encoding (4.2.1) of integers, byte strings, UTF-8 text, arrays, maps,
 * tags, false, true and null. Refused, by both sides: indefinite lengths, lengths or integers not in shortest form, floats,
 * undefined and other simple values, map keys that are not integers or text, keys not in bytewise order or double,
 * nesting deeper than CTM_CBOR_DEPTH. One value has therefore exactly one encoding, so a signature over bytes is one over
 * the value.
 *
 * Reading: ctm_cbor_check() judges a whole item once; the pull reader (ctm_cbor_r) then walks it without copying. The reader
 * is safe on unchecked bytes too, it only does not see map order. Failure is sticky: check r->err once at the end.
 * Writing: into the caller's buffer; failure is sticky; ctm_cbor_done() judges the result with the same check.
 */
#ifndef CTM_CBOR_H
#define CTM_CBOR_H
#include "ctm/sdk.h"
#include <stdbool.h>

enum ctm_cbor_type {
	CTM_CBOR_UINT = 0, CTM_CBOR_NINT = 1, CTM_CBOR_BYTES = 2, CTM_CBOR_TEXT = 3,
	CTM_CBOR_ARRAY = 4, CTM_CBOR_MAP = 5, CTM_CBOR_TAG = 6, CTM_CBOR_SIMPLE = 7,
	CTM_CBOR_END = 8, CTM_CBOR_BAD = 9
};

/* Exactly one item in the profile and nothing after it. SYNTAX, TRUNCATED, UNSUPPORTED (well-formed but outside the
 * profile: floats, simple values, odd keys, depth). */
int ctm_cbor_check(const uint8_t *p, size_t n);

struct ctm_cbor_r {
	const uint8_t *p;
	size_t n, at;
	int err;             /* 0 or the first failure */
};

struct ctm_cbor_r ctm_cbor_reader(const uint8_t *p, size_t n);  /* p stays the caller's and must outlive the reader */
enum ctm_cbor_type ctm_cbor_peek(const struct ctm_cbor_r *r);   /* END after the last byte, BAD once failed */
/* Each takes the next item; on a wrong type or bad bytes sets r->err and gives 0, empty or false. */
uint64_t ctm_cbor_uint(struct ctm_cbor_r *r);
int64_t ctm_cbor_int(struct ctm_cbor_r *r);                     /* either sign; TOOBIG outside int64 */
struct ctm_bytes ctm_cbor_bytes(struct ctm_cbor_r *r);          /* borrowed */
struct ctm_bytes ctm_cbor_text(struct ctm_cbor_r *r);           /* borrowed, valid UTF-8, not terminated */
size_t ctm_cbor_array(struct ctm_cbor_r *r);                    /* count of elements that follow */
size_t ctm_cbor_map(struct ctm_cbor_r *r);                      /* count of pairs that follow */
uint64_t ctm_cbor_tag(struct ctm_cbor_r *r);
bool ctm_cbor_bool(struct ctm_cbor_r *r);
void ctm_cbor_null(struct ctm_cbor_r *r);
struct ctm_bytes ctm_cbor_skip(struct ctm_cbor_r *r);           /* one whole item; its bytes, borrowed */
/* 0 when nothing failed and every byte was taken; else the failure (SYNTAX for bytes left over). */
int ctm_cbor_end(const struct ctm_cbor_r *r);

struct ctm_cbor_w {
	uint8_t *p;          /* the caller's */
	size_t cap, len;
	int err;             /* 0 or TOOBIG, INPUT */
};

struct ctm_cbor_w ctm_cbor_writer(uint8_t *p, size_t cap);  /* p stays the caller's; nothing is written beyond cap */
/* Each appends one item, or does nothing once w->err is set (TOOBIG when it does not fit). */
void ctm_cbor_put_uint(struct ctm_cbor_w *w, uint64_t v);
void ctm_cbor_put_int(struct ctm_cbor_w *w, int64_t v);
void ctm_cbor_put_bytes(struct ctm_cbor_w *w, const void *p, size_t n);
void ctm_cbor_put_bytes_head(struct ctm_cbor_w *w, size_t n);            /* n bytes follow by put_raw or elsewhere */
void ctm_cbor_put_text_head(struct ctm_cbor_w *w, size_t n);             /* n bytes of UTF-8 follow by put_raw */
void ctm_cbor_put_text(struct ctm_cbor_w *w, const char *s, size_t n);   /* INPUT when not UTF-8 */
void ctm_cbor_put_str(struct ctm_cbor_w *w, const char *s);
void ctm_cbor_put_array(struct ctm_cbor_w *w, size_t count);
void ctm_cbor_put_map(struct ctm_cbor_w *w, size_t pairs);               /* caller puts keys in bytewise order */
void ctm_cbor_put_tag(struct ctm_cbor_w *w, uint64_t tag);
void ctm_cbor_put_bool(struct ctm_cbor_w *w, bool v);
void ctm_cbor_put_null(struct ctm_cbor_w *w);
void ctm_cbor_put_raw(struct ctm_cbor_w *w, const void *p, size_t n);    /* an encoded item */
/* 0 when all fitted and the bytes are one item of the profile. */
int ctm_cbor_done(const struct ctm_cbor_w *w);

bool ctm_sdk_utf8(const uint8_t *p, size_t n);   /* RFC 3629: no overlong form, no surrogate, at most U+10FFFF */

#endif
