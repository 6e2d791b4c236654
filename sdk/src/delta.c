/* SPDX-License-Identifier: Apache-2.0
 *
 * Delta: see ctm/delta.h for the format. A step decides one operation or one byte and is begun only when all the code it can
 * take is at hand, so nothing has to stop in the middle. Every operation puts out at least one byte, which bounds the work.
 */
#include "ctm/delta.h"
#include <string.h>

enum { PHASE_HEAD, PHASE_FRAME, PHASE_CODE, PHASE_DONE };
enum { OP_COPY, OP_LITERALS, OP_MATCH };
#define START 4         /* bytes of code that fill the coder */

void ctm_delta_model_new(struct ctm_delta_model *m)
{
	memset(m, 128, offsetof(struct ctm_delta_model, same));
	for (size_t i = 0; i < sizeof m->same / sizeof m->same[0]; i++)
		m->same[i] = CTM_DELTA_ONE / 2;
}

void ctm_delta_begin(struct ctm_delta *d, struct ctm_update *u)
{
	memset(d, 0, sizeof *d);
	d->u = u;
}

bool ctm_delta_done(const struct ctm_delta *d)
{
	return d->phase == PHASE_DONE;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)ctm_sdk_get(p, 4);
}

static void drop(struct ctm_delta *d, size_t n)
{
	d->ins = (uint16_t)(d->ins - n);
	memmove(d->in, d->in + n, d->ins);
}

/* ---- decisions: at is how much of d->in they have taken ---- */

struct take {
	struct ctm_delta *d;
	size_t at;
	bool bad;               /* more code than there is */
};

static unsigned decide(struct take *t, uint32_t p)
{
	struct ctm_delta *d = t->d;
	uint32_t middle = d->low + ((d->high - d->low) >> 12) * p;
	unsigned bit = d->code > middle;

	if (bit)
		d->low = middle + 1;
	else
		d->high = middle;
	while (((d->low ^ d->high) & 0xff000000u) == 0) {
		t->bad |= t->at >= d->ins || !d->left;
		d->low <<= 8;
		d->high = d->high << 8 | 0xff;
		d->code = d->code << 8 | (t->bad ? 0 : d->in[t->at]);
		t->at += !t->bad;
		d->left -= !t->bad;
	}
	return bit;
}

static unsigned bit_of(struct take *t, uint8_t *p)
{
	unsigned bit = decide(t, (uint32_t)*p << 4);

	*p = (uint8_t)(bit ? *p - (*p >> CTM_DELTA_RATE) : *p + ((256 - *p) >> CTM_DELTA_RATE));
	return bit;
}

static unsigned differs(struct take *t, uint16_t *p)
{
	unsigned bit = decide(t, *p);

	*p = (uint16_t)(bit ? *p - (*p >> CTM_DELTA_RATE) : *p + ((CTM_DELTA_ONE - *p) >> CTM_DELTA_RATE));
	return bit;
}

static unsigned tree(struct take *t, uint8_t *p, unsigned bits)
{
	unsigned node = 1;

	while (bits--)
		node = node << 1 | bit_of(t, &p[node]);
	return node;
}

static uint32_t number(struct take *t, enum ctm_delta_number kind)
{
	unsigned bits = tree(t, t->d->model.number[kind], 5) - 32;
	uint32_t v = 1;

	while (bits--)
		v = v << 1 | decide(t, CTM_DELTA_ONE / 2);
	return v;
}

/* ---- output ---- */

static uint32_t position(const struct ctm_delta *d)
{
	return (uint32_t)d->u->at + d->outs;
}

static int flush(struct ctm_delta *d)
{
	int rc = d->outs ? ctm_update_put(d->u, d->out, d->outs) : 0;

	d->outs = 0;
	return rc;
}

static int put(struct ctm_delta *d, uint8_t byte)
{
	d->out[d->outs++] = byte;
	d->bytes--;
	return d->outs == sizeof d->out ? flush(d) : 0;
}

/* ---- steps ---- */

static int next_op(struct ctm_delta *d, struct take *t)
{
	uint8_t *p = d->model.op[d->op];
	uint32_t by;
	bool down;

	d->op = !bit_of(t, &p[0]) ? OP_COPY : bit_of(t, &p[1]) ? OP_MATCH : OP_LITERALS;
	if (d->op == OP_COPY) {
		if (bit_of(t, &d->model.moved)) {
			down = decide(t, CTM_DELTA_ONE / 2);
			by = number(t, CTM_DN_SEEK);
			d->source = down ? d->source - by : d->source + by;
		}
		d->bytes = number(t, CTM_DN_COPY);
	} else if (d->op == OP_LITERALS) {
		d->bytes = number(t, CTM_DN_LITERALS);
	} else {
		d->distance = number(t, CTM_DN_DISTANCE);
		d->bytes = number(t, CTM_DN_MATCH);
	}
	if (d->bytes > d->end - position(d))
		return CTM_SDK_SYNTAX;
	if (d->op == OP_COPY && (d->source > d->source_size || d->bytes > d->source_size - d->source))
		return CTM_SDK_SYNTAX;
	return d->op == OP_MATCH && d->distance > position(d) ? CTM_SDK_SYNTAX : 0;
}

/* Bytes of the source behind the output, where their differences are added. */
static int fetch(struct ctm_delta *d, int slot, uint32_t at)
{
	size_t want = sizeof d->out - d->outs, got = 0;
	int rc;

	if (want > d->bytes)
		want = d->bytes;
	rc = d->u->port->slot_read(d->u->port->ctx, slot, at, d->out + d->outs, want, &got);
	d->ready = (uint16_t)got;
	return rc ? rc : got ? 0 : CTM_SDK_STORAGE;
}

static int copy_byte(struct ctm_delta *d, struct take *t)
{
	uint8_t by = 0;
	int rc = d->ready ? 0 : fetch(d, d->u->running, d->source);

	if (rc)
		return rc;
	if (differs(t, &d->model.same[d->context ? d->last : d->last & 15])) {
		by = (uint8_t)tree(t, d->model.other[d->context ? d->last & 3 : 0], 8);
		d->last = (uint8_t)(d->last << 1 | 1);
	} else {
		d->last = (uint8_t)(d->last << 1);
	}
	d->source++;
	d->ready--;
	return put(d, (uint8_t)(d->out[d->outs] + by));
}

static int match_byte(struct ctm_delta *d)
{
	uint32_t from = position(d) - d->distance;
	int rc = 0;

	if (from >= d->u->at)
		return put(d, d->out[from - d->u->at]);
	if (!d->ready)
		rc = fetch(d, d->u->slot, from);
	if (!rc && d->ready > d->u->at - from)
		d->ready = (uint16_t)(d->u->at - from); /* the rest is not in the slot yet */
	if (!rc) {
		d->ready--;
		rc = put(d, d->out[d->outs]);
	}
	return rc;
}

static int step(struct ctm_delta *d)
{
	struct take t = { d, 0, false };
	int rc;

	if (!d->bytes)
		rc = next_op(d, &t);
	else if (d->op == OP_COPY)
		rc = copy_byte(d, &t);
	else if (d->op == OP_MATCH)
		rc = match_byte(d);
	else
		rc = put(d, (uint8_t)tree(&t, d->model.literal, 8));
	drop(d, t.at);
	return t.bad ? CTM_SDK_SYNTAX : rc;
}

/* ---- frames ---- */

static int take_head(struct ctm_delta *d)
{
	const uint8_t *h = d->in;
	const struct ctm_update *u = d->u;
	uint32_t id = get32(h + 80);

	if (memcmp(h, "CTMD\1", 5) != 0 || h[5] > CTM_DELTA_CONTEXT || h[6] < 8 || h[6] > 24 || h[7])
		return CTM_SDK_UNSUPPORTED;
	d->context = h[5];
	d->frame = (uint32_t)1 << h[6];
	d->source_size = get32(h + 8);
	d->target_size = get32(h + 12);
	if (u->slot >= CTM_SLOTS || u->running >= CTM_SLOTS || d->source_size != u->image_size || d->target_size != u->size ||
	    memcmp(h + 16, u->digest, CTM_HASH_BYTES) != 0)
		return CTM_SDK_OTHER;
	if (u->at && (u->mark[1] != id || u->at % d->frame || u->mark[0] < CTM_DELTA_HEAD))
		return CTM_SDK_STATE;
	drop(d, CTM_DELTA_HEAD);
	d->want = u->at ? u->mark[0] : CTM_DELTA_HEAD;
	d->u->mark[0] = d->want;
	d->u->mark[1] = id;
	d->phase = PHASE_FRAME;
	return 0;
}

static int take_frame(struct ctm_delta *d)
{
	uint32_t room = d->target_size - (uint32_t)d->u->at;

	d->left = get32(d->in);
	d->source = get32(d->in + 4);
	d->code = get32(d->in + CTM_DELTA_FRAME);
	drop(d, CTM_DELTA_FRAME + START);
	if (d->left < START || d->left > 2 * d->frame + CTM_DELTA_LOOK)
		return CTM_SDK_SYNTAX;
	d->left -= START;
	d->low = 0;
	d->high = UINT32_MAX;
	d->end = (uint32_t)d->u->at + (room < d->frame ? room : d->frame);
	d->op = OP_COPY;
	d->bytes = 0;
	d->last = 0;
	d->ready = 0;
	ctm_delta_model_new(&d->model);
	d->phase = PHASE_CODE;
	return 0;
}

/* All of the frame came out: its end is kept, as far as this device's blocks allow. */
static int end_frame(struct ctm_delta *d)
{
	int rc = d->left || d->bytes ? CTM_SDK_SYNTAX : flush(d);

	if (rc)
		return rc;
	d->phase = PHASE_FRAME;
	if (d->end == d->target_size)
		d->phase = PHASE_DONE;
	else if (d->frame % CTM_SLOT_BLOCK == 0)
		rc = ctm_update_checkpoint(d->u, d->want, d->u->mark[1]);
	return rc;
}

/* Bytes that must be at hand before the next thing can be done. */
static size_t needed(const struct ctm_delta *d)
{
	if (d->phase == PHASE_HEAD)
		return CTM_DELTA_HEAD;
	if (d->phase == PHASE_FRAME)
		return CTM_DELTA_FRAME + START;
	return d->left < CTM_DELTA_LOOK ? d->left : CTM_DELTA_LOOK;
}

/* And at most so many may be, for what follows them belongs to something else. */
static size_t allowed(const struct ctm_delta *d)
{
	return d->phase == PHASE_CODE ? d->left < sizeof d->in ? d->left : sizeof d->in : needed(d);
}

int ctm_delta_feed(struct ctm_delta *d, uint32_t offset, const uint8_t *p, size_t n)
{
	int rc = 0;

	while (!rc && d->phase != PHASE_DONE) {
		size_t k = allowed(d) - d->ins;

		if (offset < d->want) {         /* skip what is known */
			size_t skip = d->want - offset < n ? d->want - offset : n;

			p += skip;
			n -= skip;
			offset += (uint32_t)skip;
		}
		if (n && offset != d->want)
			return CTM_SDK_STATE;
		k = k < n ? k : n;
		if (k)
			memcpy(d->in + d->ins, p, k);
		d->ins = (uint16_t)(d->ins + k);
		d->want += (uint32_t)k;
		if (d->ins < needed(d))
			return 0;
		if (d->phase == PHASE_HEAD)
			rc = take_head(d);
		else if (d->phase == PHASE_FRAME)
			rc = take_frame(d);
		else if (position(d) < d->end)
			rc = step(d);
		else
			rc = end_frame(d);
	}
	return rc;
}
