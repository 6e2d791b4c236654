/* SPDX-License-Identifier: Apache-2.0
 *
 * Children are collected on one growing stack and moved, as a block, into the document when their container closes. Strings
 * without escapes stay where they were read from.
 */
#include "json.h"
#include "ctm/cbor.h"
#include <stdlib.h>
#include <string.h>

#define BLOCK 16384

struct tuf_block {
	struct tuf_block *next;
	size_t used, cap;
	_Alignas(16) char p[];
};

struct reader {
	const uint8_t *p;
	size_t n, at;
	unsigned depth;
	struct tuf_block *blocks;
	struct tuf_node *stack;
	uint32_t top, cap, nodes;
};

static void *take(struct reader *r, size_t n)
{
	struct tuf_block *b = r->blocks;

	n = (n + 15) & ~(size_t)15;
	if (!b || b->cap - b->used < n) {
		size_t cap = n > BLOCK ? n : BLOCK;

		b = malloc(sizeof *b + cap);
		if (!b)
			return NULL;
		*b = (struct tuf_block){ r->blocks, 0, cap };
		r->blocks = b;
	}
	b->used += n;
	return b->p + b->used - n;
}

static void free_blocks(struct tuf_block *b)
{
	while (b) {
		struct tuf_block *next = b->next;

		free(b);
		b = next;
	}
}

static void space(struct reader *r)
{
	while (r->at < r->n && (r->p[r->at] == ' ' || r->p[r->at] == '\t' || r->p[r->at] == '\n' || r->p[r->at] == '\r'))
		r->at++;
}

static int peek(const struct reader *r)
{
	return r->at < r->n ? r->p[r->at] : -1;
}

static int expect(struct reader *r, int c)
{
	if (peek(r) != c)
		return CTM_SDK_SYNTAX;
	r->at++;
	return 0;
}

static int hex4(struct reader *r, uint32_t *out)
{
	uint32_t v = 0;

	if (r->n - r->at < 4)
		return CTM_SDK_SYNTAX;
	for (int i = 0; i < 4; i++) {
		int c = r->p[r->at++], low = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			v = v << 4 | (uint32_t)(low - 'a' + 10);
		else
			return CTM_SDK_SYNTAX;
	}
	*out = v;
	return 0;
}

static size_t put_utf8(char *o, uint32_t c)
{
	if (c < 0x80) {
		o[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		o[0] = (char)(0xc0 | c >> 6);
		o[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		o[0] = (char)(0xe0 | c >> 12);
		o[1] = (char)(0x80 | (c >> 6 & 0x3f));
		o[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	o[0] = (char)(0xf0 | c >> 18);
	o[1] = (char)(0x80 | (c >> 12 & 0x3f));
	o[2] = (char)(0x80 | (c >> 6 & 0x3f));
	o[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* After "\u": a character, or both halves of a surrogate pair. */
static int unicode(struct reader *r, uint32_t *out)
{
	uint32_t c, low;
	int rc = hex4(r, &c);

	if (rc)
		return rc;
	if (c >= 0xdc00 && c <= 0xdfff)
		return CTM_SDK_SYNTAX;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (expect(r, '\\') || expect(r, 'u') || hex4(r, &low) || low < 0xdc00 || low > 0xdfff)
			return CTM_SDK_SYNTAX;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	*out = c;
	return 0;
}

static int escape(struct reader *r, char *o, size_t *n)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t c;
	int e = peek(r);

	r->at++;
	if (e == 'u') {
		if (unicode(r, &c))
			return CTM_SDK_SYNTAX;
		*n += put_utf8(o + *n, c);
		return 0;
	}
	at = e > 0 ? strchr(from, e) : NULL;
	if (!at)
		return CTM_SDK_SYNTAX;
	o[(*n)++] = to[at - from];
	return 0;
}

static int string(struct reader *r, const char **s, uint32_t *n)
{
	size_t start, end;
	bool escaped = false;
	char *o;
	size_t len = 0;

	if (expect(r, '"'))
		return CTM_SDK_SYNTAX;
	start = r->at;
	for (end = start; end < r->n && r->p[end] != '"'; end++) {
		if (r->p[end] < 0x20)
			return CTM_SDK_SYNTAX;
		if (r->p[end] == '\\') {
			escaped = true;
			if (++end == r->n)
				return CTM_SDK_SYNTAX;
		}
	}
	if (end == r->n || !ctm_sdk_utf8(r->p + start, end - start))
		return CTM_SDK_SYNTAX;
	if (!escaped) {
		*s = (const char *)r->p + start;
		*n = (uint32_t)(end - start);
		r->at = end + 1;
		return 0;
	}
	o = take(r, end - start);
	if (!o)
		return CTM_SDK_FAIL;
	while (r->at < end) {
		if (r->p[r->at] != '\\') {
			o[len++] = (char)r->p[r->at++];
			continue;
		}
		r->at++;
		if (escape(r, o, &len))
			return CTM_SDK_SYNTAX;
	}
	*s = o;
	*n = (uint32_t)len;
	return expect(r, '"');
}

static int number(struct reader *r, struct tuf_node *v)
{
	size_t start = r->at, digits;

	if (peek(r) == '-')
		r->at++;
	digits = r->at;
	while (peek(r) >= '0' && peek(r) <= '9')
		r->at++;
	if (r->at == digits || (r->p[digits] == '0' && r->at > digits + 1) || peek(r) == '.' || (peek(r) | 0x20) == 'e')
		return CTM_SDK_SYNTAX;
	v->type = TUF_INT;
	v->s = (const char *)r->p + start;
	v->n = (uint32_t)(r->at - start);
	return 0;
}

static int word(struct reader *r, const char *w, enum tuf_json_type type, struct tuf_node *v)
{
	size_t n = strlen(w);

	if (r->n - r->at < n || memcmp(r->p + r->at, w, n))
		return CTM_SDK_SYNTAX;
	r->at += n;
	v->type = type;
	return 0;
}

static int push(struct reader *r, const struct tuf_node *v)
{
	if (++r->nodes > TUF_JSON_NODES)
		return CTM_SDK_TOOBIG;
	if (r->top == r->cap) {
		uint32_t cap = r->cap ? r->cap * 2 : 64;
		struct tuf_node *p = realloc(r->stack, cap * sizeof *p);

		if (!p)
			return CTM_SDK_FAIL;
		r->stack = p;
		r->cap = cap;
	}
	r->stack[r->top++] = *v;
	return 0;
}

static int by_key(const void *pa, const void *pb)
{
	const struct tuf_node *a = pa, *b = pb;
	int c = memcmp(a->key, b->key, a->keyn < b->keyn ? a->keyn : b->keyn);

	return c ? c : (a->keyn > b->keyn) - (a->keyn < b->keyn);
}

/* What stands on the stack from base on becomes the container's. */
static int settle(struct reader *r, uint32_t base, struct tuf_node *v)
{
	uint32_t n = r->top - base;

	v->n = n;
	v->kids = n ? take(r, n * sizeof *v->kids) : NULL;
	if (n && !v->kids)
		return CTM_SDK_FAIL;
	r->top = base;
	if (!n)
		return 0;
	memcpy(v->kids, r->stack + base, n * sizeof *v->kids);
	if (v->type != TUF_OBJ)
		return 0;
	qsort(v->kids, n, sizeof *v->kids, by_key);
	for (uint32_t i = 1; i < n; i++)
		if (by_key(&v->kids[i - 1], &v->kids[i]) == 0)
			return CTM_SDK_SYNTAX;
	return 0;
}

static int value(struct reader *r, struct tuf_node *v);

static int container(struct reader *r, enum tuf_json_type type, int close, struct tuf_node *v)
{
	uint32_t base = r->top;
	int rc;

	if (++r->depth > TUF_JSON_DEPTH)
		return CTM_SDK_TOOBIG;
	r->at++;
	v->type = type;
	space(r);
	for (bool first = true; peek(r) != close; first = false) {
		struct tuf_node kid = { .key = "" };

		if (!first) {
			if ((rc = expect(r, ',')))
				return rc;
			space(r);
		}
		if (type == TUF_OBJ) {
			if ((rc = string(r, &kid.key, &kid.keyn)))
				return rc;
			space(r);
			if ((rc = expect(r, ':')))
				return rc;
			space(r);
		}
		if ((rc = value(r, &kid)) || (rc = push(r, &kid)))
			return rc;
		space(r);
	}
	r->at++;
	r->depth--;
	return settle(r, base, v);
}

static int value(struct reader *r, struct tuf_node *v)
{
	switch (peek(r)) {
	case '{': return container(r, TUF_OBJ, '}', v);
	case '[': return container(r, TUF_ARR, ']', v);
	case '"':
		v->type = TUF_STR;
		return string(r, &v->s, &v->n);
	case 't': return word(r, "true", TUF_TRUE, v);
	case 'f': return word(r, "false", TUF_FALSE, v);
	case 'n': return word(r, "null", TUF_NULL, v);
	default: return number(r, v);
	}
}

int tuf_json_read(const uint8_t *p, size_t n, struct tuf_json *out)
{
	struct reader r = { .p = p, .n = n };
	struct tuf_node root = { .key = "" };
	int rc = n > INT32_MAX ? CTM_SDK_TOOBIG : 0;

	if (!rc) {
		space(&r);
		rc = value(&r, &root);
	}
	if (!rc) {
		space(&r);
		rc = r.at == n ? 0 : CTM_SDK_SYNTAX;
	}
	free(r.stack);
	if (rc) {
		free_blocks(r.blocks);
		return rc;
	}
	*out = (struct tuf_json){ r.blocks, root };
	return 0;
}

void tuf_json_free(struct tuf_json *j)
{
	free_blocks(j->blocks);
	*j = (struct tuf_json){ 0 };
}

const struct tuf_node *tuf_getn(const struct tuf_node *obj, const char *key, size_t n)
{
	struct tuf_node want = { .key = key, .keyn = (uint32_t)n };

	if (!obj || obj->type != TUF_OBJ || !obj->n || n > INT32_MAX)
		return NULL;
	return bsearch(&want, obj->kids, obj->n, sizeof *obj->kids, by_key);
}

const struct tuf_node *tuf_get(const struct tuf_node *obj, const char *key)
{
	return tuf_getn(obj, key, strlen(key));
}

const struct tuf_node *tuf_of(const struct tuf_node *obj, const char *key, enum tuf_json_type type)
{
	const struct tuf_node *v = tuf_get(obj, key);

	return v && v->type == type ? v : NULL;
}

bool tuf_int(const struct tuf_node *v, int64_t *out)
{
	bool minus;
	int64_t n = 0;

	if (!v || v->type != TUF_INT)
		return false;
	minus = v->n && v->s[0] == '-';
	for (uint32_t i = minus; i < v->n; i++)
		if (v->s[i] < '0' || v->s[i] > '9' || __builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, v->s[i] - '0', &n))
			return false;
	if (!minus && n == INT64_MIN)
		return false;
	*out = minus ? n : -n;
	return true;
}

struct ctm_bytes tuf_str(const struct tuf_node *v)
{
	return v && v->type == TUF_STR ? (struct ctm_bytes){ (const uint8_t *)v->s, v->n } : (struct ctm_bytes){ NULL, 0 };
}

bool tuf_str_is(const struct tuf_node *v, const char *s)
{
	return v && v->type == TUF_STR && v->n == strlen(s) && !memcmp(v->s, s, v->n);
}

struct writer {
	uint8_t *p;
	size_t cap, n;
};

static void put(struct writer *w, const void *p, size_t n)
{
	if (w->n <= w->cap && n <= w->cap - w->n && n)
		memcpy(w->p + w->n, p, n);
	w->n += n;
}

static void put_str(struct writer *w, const char *s, size_t n)
{
	put(w, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"' || s[i] == '\\')
			put(w, "\\", 1);
		put(w, s + i, 1);
	}
	put(w, "\"", 1);
}

static void put_value(struct writer *w, const struct tuf_node *v)
{
	static const char *const words[] = { "null", "false", "true" };

	switch (v->type) {
	case TUF_INT:
		if (v->n == 2 && v->s[0] == '-' && v->s[1] == '0')
			put(w, "0", 1);
		else
			put(w, v->s, v->n);
		return;
	case TUF_STR:
		put_str(w, v->s, v->n);
		return;
	case TUF_ARR:
	case TUF_OBJ:
		put(w, v->type == TUF_ARR ? "[" : "{", 1);
		for (uint32_t i = 0; i < v->n; i++) {
			if (i)
				put(w, ",", 1);
			if (v->type == TUF_OBJ) {
				put_str(w, v->kids[i].key, v->kids[i].keyn);
				put(w, ":", 1);
			}
			put_value(w, &v->kids[i]);
		}
		put(w, v->type == TUF_ARR ? "]" : "}", 1);
		return;
	default:
		put(w, words[v->type], strlen(words[v->type]));
	}
}

int tuf_canonical(const struct tuf_node *v, uint8_t *out, size_t cap, size_t *n)
{
	struct writer w = { out, cap, 0 };

	put_value(&w, v);
	if (w.n > cap)
		return CTM_SDK_TOOBIG;
	*n = w.n;
	return 0;
}
