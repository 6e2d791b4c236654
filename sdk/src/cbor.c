/* SPDX-License-Identifier: Apache-2.0
 *
 * Deterministic CBOR: see ctm/cbor.h for the profile. The heart is head(): initial byte and argument in shortest form, never
 * reading past the end. The checker is recursive with a fixed depth, since the profile nests at most CTM_CBOR_DEPTH levels.
 * Counts of arrays and maps are judged against the bytes that are left before anything loops over them.
 */
#include "ctm/cbor.h"
#include <string.h>

bool ctm_sdk_utf8(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint8_t b = p[i++];
		uint32_t cp, low;
		int more;

		if (b < 0x80)
			continue;
		if (b >= 0xc2 && b <= 0xdf) {
			more = 1; cp = b & 0x1fu; low = 0x80;
		} else if (b >= 0xe0 && b <= 0xef) {
			more = 2; cp = b & 0x0fu; low = 0x800;
		} else if (b >= 0xf0 && b <= 0xf4) {
			more = 3; cp = b & 0x07u; low = 0x10000;
		} else {
			return false;
		}
		for (; more; more--) {
			if (i >= n || (p[i] & 0xc0) != 0x80)
				return false;
			cp = cp << 6 | (p[i++] & 0x3fu);
		}
		if (cp < low || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
			return false;
	}
	return true;
}

/* Initial byte and argument of the next item. 0 or TRUNCATED, SYNTAX (reserved, indefinite or not shortest), UNSUPPORTED
 * (simple values and floats outside the profile). Takes the bytes only on success. */
static int head(const uint8_t *p, size_t n, size_t *at, unsigned *major, uint64_t *arg)
{
	static const uint64_t least[4] = { 24, 0x100, 0x10000, 0x100000000 };
	size_t i = *at, width;
	unsigned info;
	uint64_t v = 0;

	if (i >= n)
		return CTM_SDK_TRUNCATED;
	info = p[i] & 0x1fu;
	*major = p[i++] >> 5;
	if (*major == CTM_CBOR_SIMPLE && info != 20 && info != 21 && info != 22)
		return info > 27 ? CTM_SDK_SYNTAX : CTM_SDK_UNSUPPORTED;
	if (info < 24) {
		v = info;
	} else if (info <= 27) {
		width = (size_t)1 << (info - 24);
		if (n - i < width)
			return CTM_SDK_TRUNCATED;
		for (size_t k = 0; k < width; k++)
			v = v << 8 | p[i++];
		if (v < least[info - 24])
			return CTM_SDK_SYNTAX;
	} else {
		return CTM_SDK_SYNTAX;
	}
	*arg = v;
	*at = i;
	return 0;
}

static int check_item(const uint8_t *p, size_t n, size_t *at, int depth);

/* Pairs of a map: integer or text keys, strictly ascending by their encoded bytes. */
static int check_map(const uint8_t *p, size_t n, size_t *at, uint64_t pairs, int depth)
{
	struct ctm_bytes last = { NULL, 0 };

	if (pairs > (n - *at) / 2)
		return CTM_SDK_TRUNCATED;
	for (; pairs; pairs--) {
		size_t start = *at, len, min;
		unsigned major;
		int rc, order;

		if (start >= n)
			return CTM_SDK_TRUNCATED;
		major = p[start] >> 5;
		if (major != CTM_CBOR_UINT && major != CTM_CBOR_NINT && major != CTM_CBOR_TEXT)
			return CTM_SDK_UNSUPPORTED;
		if ((rc = check_item(p, n, at, depth)))
			return rc;
		len = *at - start;
		if (last.p) {
			min = len < last.n ? len : last.n;
			order = memcmp(last.p, p + start, min);
			if (order > 0 || (order == 0 && last.n >= len))
				return CTM_SDK_SYNTAX;
		}
		last.p = p + start;
		last.n = len;
		if ((rc = check_item(p, n, at, depth)))
			return rc;
	}
	return 0;
}

static int check_item(const uint8_t *p, size_t n, size_t *at, int depth)
{
	unsigned major;
	uint64_t arg;
	int rc = head(p, n, at, &major, &arg);

	if (rc)
		return rc;
	switch (major) {
	case CTM_CBOR_BYTES:
	case CTM_CBOR_TEXT:
		if (arg > n - *at)
			return CTM_SDK_TRUNCATED;
		if (major == CTM_CBOR_TEXT && !ctm_sdk_utf8(p + *at, (size_t)arg))
			return CTM_SDK_SYNTAX;
		*at += (size_t)arg;
		return 0;
	case CTM_CBOR_ARRAY:
		if (depth >= CTM_CBOR_DEPTH)
			return CTM_SDK_UNSUPPORTED;
		if (arg > n - *at)
			return CTM_SDK_TRUNCATED;
		for (; arg; arg--)
			if ((rc = check_item(p, n, at, depth + 1)))
				return rc;
		return 0;
	case CTM_CBOR_MAP:
		if (depth >= CTM_CBOR_DEPTH)
			return CTM_SDK_UNSUPPORTED;
		return check_map(p, n, at, arg, depth + 1);
	case CTM_CBOR_TAG:
		if (depth >= CTM_CBOR_DEPTH)
			return CTM_SDK_UNSUPPORTED;
		return check_item(p, n, at, depth + 1);
	default:
		return 0;
	}
}

int ctm_cbor_check(const uint8_t *p, size_t n)
{
	size_t at = 0;
	int rc = check_item(p, n, &at, 0);

	if (rc)
		return rc;
	return at == n ? 0 : CTM_SDK_SYNTAX;
}

/* Reader */

struct ctm_cbor_r ctm_cbor_reader(const uint8_t *p, size_t n)
{
	struct ctm_cbor_r r = { p, n, 0, 0 };

	return r;
}

enum ctm_cbor_type ctm_cbor_peek(const struct ctm_cbor_r *r)
{
	if (r->err)
		return CTM_CBOR_BAD;
	if (r->at >= r->n)
		return CTM_CBOR_END;
	return (enum ctm_cbor_type)(r->p[r->at] >> 5);
}

/* The argument of the next item, which must be of the wanted major type. */
static bool take(struct ctm_cbor_r *r, unsigned want, uint64_t *arg)
{
	unsigned major;
	size_t at = r->at;
	int rc;

	if (r->err)
		return false;
	rc = head(r->p, r->n, &at, &major, arg);
	if (!rc && major != want)
		rc = CTM_SDK_INPUT;
	if (rc) {
		r->err = rc;
		return false;
	}
	r->at = at;
	return true;
}

uint64_t ctm_cbor_uint(struct ctm_cbor_r *r)
{
	uint64_t v;

	return take(r, CTM_CBOR_UINT, &v) ? v : 0;
}

int64_t ctm_cbor_int(struct ctm_cbor_r *r)
{
	bool neg = ctm_cbor_peek(r) == CTM_CBOR_NINT;
	uint64_t v;

	if (!take(r, neg ? CTM_CBOR_NINT : CTM_CBOR_UINT, &v))
		return 0;
	if (v > INT64_MAX) {
		r->err = CTM_SDK_TOOBIG;
		return 0;
	}
	return neg ? -1 - (int64_t)v : (int64_t)v;
}

static struct ctm_bytes take_string(struct ctm_cbor_r *r, unsigned major)
{
	struct ctm_bytes b = { NULL, 0 };
	uint64_t n;

	if (!take(r, major, &n))
		return b;
	if (n > r->n - r->at) {
		r->err = CTM_SDK_TRUNCATED;
		return b;
	}
	if (major == CTM_CBOR_TEXT && !ctm_sdk_utf8(r->p + r->at, (size_t)n)) {
		r->err = CTM_SDK_SYNTAX;
		return b;
	}
	b.p = r->p + r->at;
	b.n = (size_t)n;
	r->at += (size_t)n;
	return b;
}

struct ctm_bytes ctm_cbor_bytes(struct ctm_cbor_r *r)
{
	return take_string(r, CTM_CBOR_BYTES);
}

struct ctm_bytes ctm_cbor_text(struct ctm_cbor_r *r)
{
	return take_string(r, CTM_CBOR_TEXT);
}

static size_t take_count(struct ctm_cbor_r *r, unsigned major, size_t each)
{
	uint64_t v;

	if (!take(r, major, &v))
		return 0;
	if (v > (r->n - r->at) / each) {
		r->err = CTM_SDK_TRUNCATED;
		return 0;
	}
	return (size_t)v;
}

size_t ctm_cbor_array(struct ctm_cbor_r *r)
{
	return take_count(r, CTM_CBOR_ARRAY, 1);
}

size_t ctm_cbor_map(struct ctm_cbor_r *r)
{
	return take_count(r, CTM_CBOR_MAP, 2);
}

uint64_t ctm_cbor_tag(struct ctm_cbor_r *r)
{
	uint64_t v;

	return take(r, CTM_CBOR_TAG, &v) ? v : 0;
}

bool ctm_cbor_bool(struct ctm_cbor_r *r)
{
	uint64_t v;

	if (!take(r, CTM_CBOR_SIMPLE, &v))
		return false;
	if (v == 22)
		r->err = CTM_SDK_INPUT;
	return v == 21;
}

void ctm_cbor_null(struct ctm_cbor_r *r)
{
	uint64_t v;

	if (take(r, CTM_CBOR_SIMPLE, &v) && v != 22)
		r->err = CTM_SDK_INPUT;
}

struct ctm_bytes ctm_cbor_skip(struct ctm_cbor_r *r)
{
	struct ctm_bytes b = { NULL, 0 };
	size_t at = r->at;

	if (r->err)
		return b;
	r->err = check_item(r->p, r->n, &at, 0);
	if (r->err)
		return b;
	b.p = r->p + r->at;
	b.n = at - r->at;
	r->at = at;
	return b;
}

int ctm_cbor_end(const struct ctm_cbor_r *r)
{
	if (r->err)
		return r->err;
	return r->at == r->n ? 0 : CTM_SDK_SYNTAX;
}

/* Writer */

struct ctm_cbor_w ctm_cbor_writer(uint8_t *p, size_t cap)
{
	struct ctm_cbor_w w = { p, cap, 0, 0 };

	return w;
}

void ctm_cbor_put_raw(struct ctm_cbor_w *w, const void *p, size_t n)
{
	if (w->err)
		return;
	if (n > w->cap - w->len) {
		w->err = CTM_SDK_TOOBIG;
		return;
	}
	if (n)
		memcpy(w->p + w->len, p, n);
	w->len += n;
}

static void put_head(struct ctm_cbor_w *w, unsigned major, uint64_t v)
{
	uint8_t b[9];
	unsigned info = v < 24 ? (unsigned)v : v < 0x100 ? 24 : v < 0x10000 ? 25 : v < 0x100000000 ? 26 : 27;
	size_t width = info < 24 ? 0 : (size_t)1 << (info - 24);

	b[0] = (uint8_t)(major << 5 | info);
	for (size_t k = 0; k < width; k++)
		b[1 + k] = (uint8_t)(v >> (8 * (width - 1 - k)));
	ctm_cbor_put_raw(w, b, 1 + width);
}

void ctm_cbor_put_uint(struct ctm_cbor_w *w, uint64_t v)
{
	put_head(w, CTM_CBOR_UINT, v);
}

void ctm_cbor_put_int(struct ctm_cbor_w *w, int64_t v)
{
	if (v < 0)
		put_head(w, CTM_CBOR_NINT, (uint64_t)(-1 - v));
	else
		put_head(w, CTM_CBOR_UINT, (uint64_t)v);
}

void ctm_cbor_put_bytes_head(struct ctm_cbor_w *w, size_t n)
{
	put_head(w, CTM_CBOR_BYTES, n);
}

void ctm_cbor_put_bytes(struct ctm_cbor_w *w, const void *p, size_t n)
{
	put_head(w, CTM_CBOR_BYTES, n);
	ctm_cbor_put_raw(w, p, n);
}

void ctm_cbor_put_text_head(struct ctm_cbor_w *w, size_t n)
{
	put_head(w, CTM_CBOR_TEXT, n);
}

void ctm_cbor_put_text(struct ctm_cbor_w *w, const char *s, size_t n)
{
	if (!ctm_sdk_utf8((const uint8_t *)s, n)) {
		if (!w->err)
			w->err = CTM_SDK_INPUT;
		return;
	}
	put_head(w, CTM_CBOR_TEXT, n);
	ctm_cbor_put_raw(w, s, n);
}

void ctm_cbor_put_str(struct ctm_cbor_w *w, const char *s)
{
	ctm_cbor_put_text(w, s, strlen(s));
}

void ctm_cbor_put_array(struct ctm_cbor_w *w, size_t count)
{
	put_head(w, CTM_CBOR_ARRAY, count);
}

void ctm_cbor_put_map(struct ctm_cbor_w *w, size_t pairs)
{
	put_head(w, CTM_CBOR_MAP, pairs);
}

void ctm_cbor_put_tag(struct ctm_cbor_w *w, uint64_t tag)
{
	put_head(w, CTM_CBOR_TAG, tag);
}

void ctm_cbor_put_bool(struct ctm_cbor_w *w, bool v)
{
	put_head(w, CTM_CBOR_SIMPLE, v ? 21 : 20);
}

void ctm_cbor_put_null(struct ctm_cbor_w *w)
{
	put_head(w, CTM_CBOR_SIMPLE, 22);
}

int ctm_cbor_done(const struct ctm_cbor_w *w)
{
	return w->err ? w->err : ctm_cbor_check(w->p, w->len);
}
