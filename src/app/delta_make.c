/* SPDX-License-Identifier: Apache-2.0
 *
 * Delta maker: plan, then code. The plan walks the new image with an alignment (a distance between new and old position) and
 * leaves it only for one that explains the next bytes better by more than CHANGE; stretches are then grown towards one
 * another as far as more bytes agree than differ. The coder is the mirror of sdk/src/delta.c and shares its model.
 */
#include "app/delta_make.h"
#include "ctm/delta.h"
#include <divsufsort.h>
#include <stdlib.h>
#include <string.h>

#define CHANGE 8        /* bytes that a new alignment must explain better */
#define MATCH_MIN 5
#define CHAIN 48        /* earlier places looked at for a repetition */
#define HASH_BITS 18
enum { OP_COPY, OP_LITERALS, OP_MATCH };

struct op {
	int kind;
	uint32_t bytes;
	uint32_t from;          /* copy: position in the old image; match: distance */
};

struct plan {
	const struct ctm_crypto *crypto;
	const uint8_t *old, *next;
	size_t oldn, nextn;
	saidx_t *sorted;        /* suffixes of old */
	int32_t *head, *prev;   /* earlier places of the new image with the same hash */
	size_t hashed;
	struct op *op;
	size_t ops, cap;
	int failed;
};

static void add(struct plan *p, int kind, size_t bytes, size_t from)
{
	if (!bytes || p->failed)
		return;
	if (p->ops == p->cap) {
		size_t cap = p->cap ? 2 * p->cap : 4096;
		struct op *more = realloc(p->op, cap * sizeof *more);
		if (!more) {
			p->failed = CTM_E_NOMEM;
			return;
		}
		p->op = more;
		p->cap = cap;
	}
	p->op[p->ops++] = (struct op){ kind, (uint32_t)bytes, (uint32_t)from };
}

/* ---- what is new: literals and repetitions ---- */

static size_t same_bytes(const uint8_t *a, const uint8_t *b, size_t max)
{
	size_t n = 0;
	while (n < max && a[n] == b[n])
		n++;
	return n;
}

static uint32_t hash4(const uint8_t *b)
{
	uint32_t v;
	memcpy(&v, b, 4);
	return v * 2654435761u >> (32 - HASH_BITS);
}

static void hash_up_to(struct plan *p, size_t at)
{
	for (; p->hashed < at && p->hashed + 4 <= p->nextn; p->hashed++) {
		uint32_t h = hash4(p->next + p->hashed);
		p->prev[p->hashed] = p->head[h];
		p->head[h] = (int32_t)p->hashed;
	}
}

/* Longest repetition at `at` of at most max bytes; 0 when there is none. */
static size_t repetition(struct plan *p, size_t at, size_t max, size_t *distance)
{
	size_t best = 0;
	if (max < MATCH_MIN || at + 4 > p->nextn)
		return 0;
	hash_up_to(p, at);
	int32_t k = p->head[hash4(p->next + at)];
	for (int tries = 0; k >= 0 && tries < CHAIN && best < max; tries++, k = p->prev[k]) {
		size_t n = same_bytes(p->next + k, p->next + at, max);
		if (n > best) {
			best = n;
			*distance = at - (size_t)k;
		}
	}
	return best >= (size_t)MATCH_MIN + (*distance > 4096) + (*distance > 65536) ? best : 0;
}

static void plan_new(struct plan *p, size_t from, size_t to)
{
	size_t literal = from, distance = 0;
	for (size_t at = from; at < to;) {
		size_t n = repetition(p, at, to - at, &distance), later;
		if (n && at + 1 < to && (later = repetition(p, at + 1, to - at - 1, &(size_t){ 1 })) > n + 1)
			n = 0;          /* one byte later there is a better one */
		if (!n) {
			at++;
			continue;
		}
		add(p, OP_LITERALS, at - literal, 0);
		add(p, OP_MATCH, n, distance);
		at += n;
		literal = at;
	}
	add(p, OP_LITERALS, to - literal, 0);
}

/* ---- what is similar ---- */

/* Longest stretch of the old image equal to what follows in the new one. */
static size_t longest(const struct plan *p, size_t at, size_t *where)
{
	const uint8_t *want = p->next + at;
	size_t left = p->nextn - at, low = 0, high = p->oldn, best = 0;
	while (low < high) {
		size_t mid = low + (high - low) / 2, from = (size_t)p->sorted[mid];
		size_t max = p->oldn - from < left ? p->oldn - from : left, n = same_bytes(p->old + from, want, max);
		if (n > best) {
			best = n;
			*where = from;
		}
		if (n == left)
			break;
		if (n == p->oldn - from || p->old[from + n] < want[n])
			low = mid + 1;
		else
			high = mid;
	}
	return best;
}

struct stretch {
	size_t at, from;        /* in the new image, in the old one */
};

static bool agrees(const struct plan *p, size_t at, int64_t shift)
{
	int64_t from = (int64_t)at + shift;
	return from >= 0 && from < (int64_t)p->oldn && p->old[from] == p->next[at];
}

/* From `at` on, the next place with a better alignment than `shift`; nextn when there is none. */
static size_t next_alignment(const struct plan *p, size_t at, int64_t shift, size_t *from)
{
	size_t counted = at, agreed = 0;
	for (; at < p->nextn; at++) {
		size_t n = longest(p, at, from);
		if (counted < at)
			counted = at;
		for (; counted < at + n; counted++)
			agreed += agrees(p, counted, shift);
		if (n > agreed + CHANGE)
			return at;
		if (n && n == agreed) { /* the old alignment does it as well: go on behind it */
			at += n - 1;
			counted = at + 1;
			agreed = 0;
			continue;
		}
		agreed -= agreed && agrees(p, at, shift);
	}
	return p->nextn;
}

/* How far a stretch reaches: forward from its beginning, or backward from there, as long as agreement outweighs. */
static size_t reach(const struct plan *p, struct stretch s, size_t max, bool forward)
{
	int64_t score = 0, best = 0;
	size_t length = 0;
	for (size_t i = 1; i <= max; i++) {
		bool same = forward ? p->old[s.from + i - 1] == p->next[s.at + i - 1] : p->old[s.from - i] == p->next[s.at - i];
		score += same ? 1 : -1;
		if (score > best) {
			best = score;
			length = i;
		}
	}
	return length;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Two stretches claim the same bytes: where the first ends, so that most of them agree. */
static size_t settle(const struct plan *p, struct stretch a, struct stretch b, size_t from, size_t to)
{
	int64_t score = 0, best = 0;
	size_t cut = from;
	for (size_t i = from; i < to; i++) {
		score += p->old[a.from + i - a.at] == p->next[i];
		score -= p->old[b.from - (b.at - i)] == p->next[i];
		if (score > best) {
			best = score;
			cut = i + 1;
		}
	}
	return cut;
}

static void plan_all(struct plan *p)
{
	struct stretch now = { 0, 0 }, then;
	while (now.at < p->nextn && !p->failed) {
		then.at = next_alignment(p, now.at, (int64_t)now.from - (int64_t)now.at, &then.from);
		if (then.at >= p->nextn)
			then = (struct stretch){ p->nextn, p->oldn };
		size_t end = now.at + reach(p, now, least(then.at - now.at, p->oldn - now.from), true);
		size_t begin = then.at;
		if (then.at < p->nextn)
			begin -= reach(p, then, least(then.at - now.at, then.from), false);
		if (begin < end)
			begin = end = settle(p, now, then, begin, end);
		add(p, OP_COPY, end - now.at, now.from);
		plan_new(p, end, begin);
		now = (struct stretch){ begin, then.from - (then.at - begin) };
	}
}

/* ---- coder ---- */

struct coder {
	struct ctm_buf *out;
	uint32_t low, high;
	struct ctm_delta_model model;
	unsigned context;
	int last;               /* operation */
	uint8_t answers;
	uint32_t from;          /* position in the old image */
};

static void decide(struct coder *c, uint32_t p, unsigned bit)
{
	uint32_t middle = c->low + ((c->high - c->low) >> 12) * p;
	if (bit)
		c->low = middle + 1;
	else
		c->high = middle;
	while (((c->low ^ c->high) & 0xff000000u) == 0) {
		ctm_buf_chr(c->out, (char)(c->high >> 24));
		c->low <<= 8;
		c->high = c->high << 8 | 0xff;
	}
}

static void bit_of(struct coder *c, uint8_t *p, unsigned bit)
{
	decide(c, (uint32_t)*p << 4, bit);
	*p = (uint8_t)(bit ? *p - (*p >> CTM_DELTA_RATE) : *p + ((256 - *p) >> CTM_DELTA_RATE));
}

static void differs(struct coder *c, uint16_t *p, unsigned bit)
{
	decide(c, *p, bit);
	*p = (uint16_t)(bit ? *p - (*p >> CTM_DELTA_RATE) : *p + ((CTM_DELTA_ONE - *p) >> CTM_DELTA_RATE));
}

static void tree(struct coder *c, uint8_t *p, unsigned bits, unsigned value)
{
	unsigned node = 1;
	while (bits--) {
		unsigned bit = value >> bits & 1;
		bit_of(c, &p[node], bit);
		node = node << 1 | bit;
	}
}

static void number(struct coder *c, enum ctm_delta_number kind, uint32_t v)
{
	unsigned bits = 31u - (unsigned)__builtin_clz(v);
	tree(c, c->model.number[kind], 5, bits);
	while (bits--)
		decide(c, CTM_DELTA_ONE / 2, v >> bits & 1);
}

static void code_copy(struct coder *c, const struct plan *p, const struct op *o, size_t at)
{
	bit_of(c, &c->model.moved, o->from != c->from);
	if (o->from != c->from) {
		decide(c, CTM_DELTA_ONE / 2, o->from < c->from);
		number(c, CTM_DN_SEEK, o->from < c->from ? c->from - o->from : o->from - c->from);
	}
	number(c, CTM_DN_COPY, o->bytes);
	for (uint32_t i = 0; i < o->bytes; i++) {
		uint8_t by = (uint8_t)(p->next[at + i] - p->old[o->from + i]);
		differs(c, &c->model.same[c->context ? c->answers : c->answers & 15], by != 0);
		if (by)
			tree(c, c->model.other[c->context ? c->answers & 3 : 0], 8, by);
		c->answers = (uint8_t)(c->answers << 1 | (by != 0));
	}
	c->from = o->from + o->bytes;
}

static void code_op(struct coder *c, const struct plan *p, const struct op *o, size_t at)
{
	uint8_t *chosen = c->model.op[c->last];
	bit_of(c, &chosen[0], o->kind != OP_COPY);
	if (o->kind != OP_COPY)
		bit_of(c, &chosen[1], o->kind == OP_MATCH);
	c->last = o->kind;
	if (o->kind == OP_COPY) {
		code_copy(c, p, o, at);
	} else if (o->kind == OP_MATCH) {
		number(c, CTM_DN_DISTANCE, o->from);
		number(c, CTM_DN_MATCH, o->bytes);
	} else {
		number(c, CTM_DN_LITERALS, o->bytes);
		for (uint32_t i = 0; i < o->bytes; i++)
			tree(c, c->model.literal, 8, p->next[at + i]);
	}
}

static void put32(char *b, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		b[i] = (char)(v >> (24 - 8 * i));
}

/* One frame from operation *k on; operations that reach over its end are split. */
static void code_frame(struct coder *c, const struct plan *p, struct op *op, size_t *k, size_t at, size_t end)
{
	size_t start = c->out->len, i = *k;
	while (i < p->ops && op[i].kind != OP_COPY)
		i++;
	c->from = i < p->ops ? op[i].from : 0;
	ctm_buf_add(c->out, "\0\0\0\0\0\0\0", CTM_DELTA_FRAME);
	if (!c->out->failed)
		put32(c->out->p + start + 4, c->from);
	ctm_delta_model_new(&c->model);
	c->low = 0;
	c->high = UINT32_MAX;
	c->last = OP_COPY;
	c->answers = 0;
	while (at < end) {
		struct op o = op[*k];
		if (o.bytes > end - at) {
			o.bytes = (uint32_t)(end - at);
			op[*k].bytes -= o.bytes;
			op[*k].from += o.kind == OP_COPY ? o.bytes : 0;
		} else {
			++*k;
		}
		code_op(c, p, &o, at);
		at += o.bytes;
	}
	for (int b = 0; b < 4; b++)
		ctm_buf_chr(c->out, (char)(c->low >> (24 - 8 * b)));
	if (!c->out->failed)
		put32(c->out->p + start, (uint32_t)(c->out->len - start - CTM_DELTA_FRAME));
}

static unsigned frame_for(size_t n)
{
	unsigned log2 = 12;
	while (log2 < 20 && ((size_t)16 << log2) < n)
		log2++;
	return log2;
}

static int code_all(const struct plan *p, unsigned frame_log2, unsigned context, struct ctm_buf *out, struct ctm_err *err)
{
	struct coder *c = calloc(1, sizeof *c);
	uint8_t digest[CTM_HASH_BYTES];
	char head[CTM_DELTA_HEAD] = "CTMD\1";
	size_t start = out->len, k = 0, frame = (size_t)1 << frame_log2;
	if (!c)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	c->out = out;
	c->context = context;
	head[5] = (char)context;
	head[6] = (char)frame_log2;
	put32(head + 8, (uint32_t)p->oldn);
	put32(head + 12, (uint32_t)p->nextn);
	int rc = ctm_sdk_sha256(p->crypto, p->old, p->oldn, (uint8_t *)head + 16);
	if (!rc)
		rc = ctm_sdk_sha256(p->crypto, p->next, p->nextn, (uint8_t *)head + 48);
	ctm_buf_add(out, head, sizeof head);
	for (size_t at = 0; at < p->nextn; at += frame)
		code_frame(c, p, p->op, &k, at, least(at + frame, p->nextn));
	free(c);
	if (!rc && !out->failed)
		rc = ctm_sdk_sha256(p->crypto, out->p + start, out->len - start, digest);
	if (rc)
		return ctm_fail(err, CTM_E_FAIL, NULL, NULL, "%s", ctm_sdk_text(rc));
	if ((rc = ctm_buf_err(out, "delta", err)))
		return rc;
	memcpy(out->p + start + 80, digest, 8);
	return 0;
}

int ctm_delta_make(const struct ctm_crypto *crypto, const uint8_t *old, size_t oldn, const uint8_t *next, size_t nextn, unsigned frame_log2, unsigned context,
	struct ctm_buf *out, struct ctm_err *err)
{
	struct plan p = { .crypto = crypto, .old = old, .next = next, .oldn = oldn, .nextn = nextn };
	if (!frame_log2)
		frame_log2 = frame_for(nextn);
	if (!oldn || !nextn || oldn > CTM_IMAGE_MAX || nextn > CTM_IMAGE_MAX || frame_log2 < 8 || frame_log2 > 24 || context > 1)
		return ctm_fail(err, CTM_E_INPUT, NULL, NULL, "images are 1 byte to %zu MiB, frames 256 bytes to 16 MiB", (size_t)CTM_IMAGE_MAX >> 20);
	p.sorted = malloc(oldn * sizeof *p.sorted);
	p.prev = malloc(nextn * sizeof *p.prev);
	p.head = malloc(sizeof *p.head << HASH_BITS);
	if (!p.sorted || !p.prev || !p.head || divsufsort(old, p.sorted, (saidx_t)oldn))
		p.failed = CTM_E_NOMEM;
	if (!p.failed) {
		memset(p.head, 0xff, sizeof *p.head << HASH_BITS);
		plan_all(&p);
	}
	int rc = p.failed ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory") : code_all(&p, frame_log2, context, out, err);
	free(p.sorted);
	free(p.prev);
	free(p.head);
	free(p.op);
	return rc;
}
