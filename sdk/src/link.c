/* SPDX-License-Identifier: Apache-2.0
 *
 * Link state machine: see ctm/link.h. Sending goes back to the last acknowledged byte when nothing moves for retry_ms. Every frame
 * carries the message's number, so what belongs to an older message is known and dropped; a side that starts afresh says HELLO,
 * and numbers begin again only then.
 */
#include "ctm/link.h"
#include <string.h>

enum kind { HELLO = 1, WELCOME, OPEN, DATA, ACK, STOP };
enum in_state { NOTHING, RECEIVING, WHOLE, UNWANTED };
enum { OWE_WELCOME = 1, OWE_ACK = 2, OWE_STOP = 4, OWE_OPEN = 8, OWE_HELLO = 16 };

#define CRC_BYTES 2

static uint16_t crc16(const uint8_t *p, size_t n)
{
	uint16_t c = 0xffff;

	while (n--) {
		c ^= (uint16_t)(*p++ << 8);
		for (int i = 0; i < 8; i++)
			c = (uint16_t)(c & 0x8000 ? c << 1 ^ 0x1021 : c << 1);
	}
	return c;
}

/* Four bytes at most; 0 when it does not end, is not shortest or has another bit than the 28. */
static size_t take_varint(const uint8_t *p, size_t n, uint32_t *v)
{
	*v = 0;
	for (size_t i = 0; i < n && i < 4; i++) {
		*v |= (uint32_t)(p[i] & 0x7f) << (7 * i);
		if (!(p[i] & 0x80))
			return i && !p[i] ? 0 : i + 1;
	}
	return 0;
}

static size_t put_varint(uint8_t *p, uint32_t v)
{
	size_t n = 0;

	for (; v > 0x7f; v >>= 7)
		p[n++] = (uint8_t)(v | 0x80);
	p[n++] = (uint8_t)v;
	return n;
}

int ctm_link_begin(struct ctm_link *l, const struct ctm_link_app *app, size_t mtu, uint16_t nonce, uint16_t retry_ms, uint32_t room)
{
	if (mtu < CTM_LINK_MTU_MIN || mtu > 0xffff || !retry_ms)
		return CTM_SDK_INPUT;
	memset(l, 0, sizeof *l);
	l->app = app;
	l->mtu = (uint16_t)mtu;
	l->nonce = nonce;
	l->retry_ms = retry_ms;
	l->in_room = room;
	l->owes = OWE_HELLO;
	return 0;
}

int ctm_link_send(struct ctm_link *l, uint32_t length)
{
	if (l->out_state == CTM_LINK_SENDING)
		return CTM_SDK_STATE;
	if (length >= CTM_LINK_MESSAGE_MAX)
		return CTM_SDK_TOOBIG;
	l->out_length = length;
	l->out_at = l->out_acked = l->out_room = 0;
	l->out_number = (l->out_number + 1) & 31;
	l->out_state = CTM_LINK_SENDING;
	l->owes |= OWE_OPEN;
	l->tries = 0;
	return 0;
}

enum ctm_link_out ctm_link_sent(const struct ctm_link *l)
{
	return (enum ctm_link_out)l->out_state;
}

void ctm_link_give_up(struct ctm_link *l)
{
	if (l->out_state != CTM_LINK_SENDING)
		return;
	l->out_state = CTM_LINK_REFUSED;
	l->owes &= (uint8_t)~OWE_OPEN;
}

void ctm_link_room(struct ctm_link *l, uint32_t room)
{
	if (room > l->in_room && l->in_state == RECEIVING)
		l->owes |= OWE_ACK;
	l->in_room = room;
}

unsigned ctm_link_silence(const struct ctm_link *l)
{
	return l->tries;
}

/* ---- frames in ---- */

/* The other side has started: what it was sending is gone, what we send begins again. */
static void hello(struct ctm_link *l, uint16_t nonce)
{
	if (!l->peer_known || nonce != l->peer) {
		l->peer_known = true;
		l->peer = nonce;
		l->in_state = NOTHING;
		l->owes = (uint8_t)((l->owes & ~(OWE_ACK | OWE_STOP)) | OWE_HELLO);
		l->welcome = false;     /* it knows nothing of us either */
		if (l->out_state == CTM_LINK_SENDING) {
			l->out_at = l->out_acked = l->out_room = 0;
			l->owes |= OWE_OPEN;
		}
	}
	l->owes |= OWE_WELCOME;
}

static void refuse(struct ctm_link *l)
{
	l->in_state = UNWANTED;
	l->owes = (uint8_t)((l->owes & ~OWE_ACK) | OWE_STOP);
}

/* n bytes have come at in_at. */
static void deliver(struct ctm_link *l, const uint8_t *p, size_t n)
{
	uint32_t at = l->in_at;

	l->in_at += (uint32_t)n;
	l->in_room -= n < l->in_room ? (uint32_t)n : l->in_room;
	if (l->in_at == l->in_length)
		l->in_state = WHOLE;
	l->owes |= OWE_ACK;
	if (l->app->data(l->app->ctx, at, p, n, l->in_length) < 0)
		refuse(l);
}

static void opened(struct ctm_link *l, unsigned number, uint32_t length)
{
	uint32_t have = 0;

	if (l->in_state != NOTHING && number == l->in_number) {
		l->owes |= l->in_state == UNWANTED ? OWE_STOP : OWE_ACK;      /* heard before */
		return;
	}
	if (l->in_state != NOTHING && ((number - l->in_number) & 31) > 15)
		return;                 /* an older message, late */
	l->in_number = (uint8_t)number;
	l->in_length = length;
	l->in_at = 0;
	l->in_state = RECEIVING;
	l->owes &= (uint8_t)~OWE_STOP;
	if (l->app->open(l->app->ctx, length, &have) < 0) {
		refuse(l);
		return;
	}
	l->in_at = have < length ? have : length;
	if (l->in_at == length)
		deliver(l, NULL, 0);
	l->owes |= l->in_state == UNWANTED ? 0 : OWE_ACK;
}

static void data(struct ctm_link *l, unsigned number, uint32_t at, const uint8_t *p, size_t n)
{
	if (l->in_state == NOTHING || number != l->in_number)
		return;
	if (l->in_state == UNWANTED) {
		l->owes |= OWE_STOP;
		return;
	}
	l->owes |= OWE_ACK;
	if (l->in_state != RECEIVING || at > l->in_at || l->in_at - at >= n || n > l->in_length - at)
		return;                 /* a gap, a repetition, or past the end */
	p += l->in_at - at;
	n -= l->in_at - at;
	if (n <= l->in_room)
		deliver(l, p, n);
}

static void acked(struct ctm_link *l, unsigned number, uint32_t at, uint32_t room)
{
	if (l->out_state != CTM_LINK_SENDING || number != l->out_number || at > l->out_length || at < l->out_acked)
		return;
	if (at > l->out_acked || room > l->out_room)
		l->tries = 0;
	l->owes &= (uint8_t)~OWE_OPEN;
	l->out_acked = at;
	l->out_room = room;
	if (l->out_at < at)
		l->out_at = at;
	if (at == l->out_length)
		l->out_state = CTM_LINK_DELIVERED;
}

int ctm_link_take(struct ctm_link *l, const uint8_t *f, size_t n)
{
	uint32_t a, b;
	size_t k, k2;
	unsigned kind, number;

	if (n < 1 + CRC_BYTES || n > l->mtu || crc16(f, n - CRC_BYTES) != (f[n - 2] | f[n - 1] << 8))
		return CTM_SDK_SYNTAX;
	kind = f[0] >> 5;
	number = f[0] & 31;
	f++;
	n -= 1 + CRC_BYTES;
	k = take_varint(f, n, &a);
	if (kind == HELLO && n == 2 && !number)
		hello(l, (uint16_t)(f[0] | f[1] << 8));
	else if (kind == WELCOME && n == 2 && !number)
		l->welcome = l->welcome || (f[0] | f[1] << 8) == l->nonce;
	else if (kind == OPEN && k == n && k)
		l->peer_known ? opened(l, number, a) : (void)0;
	else if (kind == DATA && k && k < n)
		data(l, number, a, f + k, n - k);
	else if (kind == ACK && k && (k2 = take_varint(f + k, n - k, &b)) && k + k2 == n)
		acked(l, number, a, b);
	else if (kind == STOP && !n) {
		if (l->out_state == CTM_LINK_SENDING && number == l->out_number)
			ctm_link_give_up(l);
	} else
		return CTM_SDK_SYNTAX;
	return 0;
}

/* ---- frames out ---- */

static size_t finish(uint8_t *out, enum kind kind, unsigned number, size_t n)
{
	uint16_t c;

	out[0] = (uint8_t)((unsigned)kind << 5 | number);
	c = crc16(out, n);
	out[n] = (uint8_t)c;
	out[n + 1] = (uint8_t)(c >> 8);
	return n + CRC_BYTES;
}

static size_t put_nonce(uint8_t *out, enum kind kind, uint16_t nonce)
{
	out[1] = (uint8_t)nonce;
	out[2] = (uint8_t)(nonce >> 8);
	return finish(out, kind, 0, 3);
}

static size_t put_ack(struct ctm_link *l, uint8_t *out)
{
	/* Room is told in what always fits beside a long offset: the frame of 9 bytes has 6 for both. */
	uint32_t room = l->in_room < 0x3fff ? l->in_room : 0x3fff;
	size_t n = 1 + put_varint(out + 1, l->in_at);

	n += put_varint(out + n, room);
	return finish(out, ACK, l->in_number, n);
}

static size_t put_data(struct ctm_link *l, uint8_t *out)
{
	size_t n = 1 + put_varint(out + 1, l->out_at), space = l->mtu - CRC_BYTES - n;
	uint32_t left = l->out_length - l->out_at, window = l->out_room - (l->out_at - l->out_acked);
	int got;

	space = space < left ? space : left;
	space = space < window ? space : window;
	got = l->app->source(l->app->ctx, l->out_at, out + n, space);
	if (got <= 0 || (size_t)got > space) {
		ctm_link_give_up(l);
		return 0;
	}
	l->out_at += (uint32_t)got;
	return finish(out, DATA, l->out_number, n + (size_t)got);
}

/* Nothing has moved for a while: say again what the other side may not have heard. */
static void repeat(struct ctm_link *l, int64_t now_ms)
{
	bool waits = !l->welcome || l->out_state == CTM_LINK_SENDING;
	int patience = 1 + (l->tries < 8 ? l->tries : 8);       /* a slow line is not made slower by repeating into it */

	if (!waits || now_ms - l->sent_ms < (int64_t)l->retry_ms * patience)
		return;
	if (l->tries < 0xffff)
		l->tries++;
	l->sent_ms = now_ms;
	if (!l->welcome) {
		l->owes |= OWE_HELLO;
		return;
	}
	l->out_at = l->out_acked;
	if (!l->out_room || l->out_at == l->out_length || l->tries % 8 == 0)
		l->owes |= OWE_OPEN;    /* asks for room, or for the last answer, again */
}

size_t ctm_link_poll(struct ctm_link *l, int64_t now_ms, uint8_t *out)
{
	size_t n = 0;

	repeat(l, now_ms);
	if (l->owes & OWE_WELCOME) {
		l->owes &= (uint8_t)~OWE_WELCOME;
		return put_nonce(out, WELCOME, l->peer);
	}
	if (l->owes & OWE_HELLO) {
		l->owes &= (uint8_t)~OWE_HELLO;
		l->sent_ms = now_ms;
		return put_nonce(out, HELLO, l->nonce);
	}
	if (l->owes & OWE_STOP) {
		l->owes &= (uint8_t)~OWE_STOP;
		return finish(out, STOP, l->in_number, 1);
	}
	if (l->owes & OWE_ACK) {
		l->owes &= (uint8_t)~OWE_ACK;
		return put_ack(l, out);
	}
	if (!l->welcome || l->out_state != CTM_LINK_SENDING)
		return 0;
	if (l->owes & OWE_OPEN) {
		l->owes &= (uint8_t)~OWE_OPEN;
		l->sent_ms = now_ms;
		n = 1 + put_varint(out + 1, l->out_length);
		return finish(out, OPEN, l->out_number, n);
	}
	if (l->out_at < l->out_length && l->out_at - l->out_acked < l->out_room) {
		l->sent_ms = now_ms;
		n = put_data(l, out);
	}
	return n;
}

/* ---- lines without packets ---- */

size_t ctm_link_stuff(const uint8_t *f, size_t n, uint8_t *out)
{
	size_t at = 2, code = 1;

	out[0] = 0;
	for (size_t i = 0; i < n; i++) {
		if (f[i])
			out[at++] = f[i];
		if (!f[i] || at - code == 255) {
			out[code] = (uint8_t)(at - code);
			code = at++;
		}
	}
	out[code] = (uint8_t)(at - code);
	out[at++] = 0;
	return at;
}

/* Decode in place; 0 when it is not stuffed right. */
static size_t unstuff(uint8_t *buf, size_t n)
{
	size_t from = 0, to = 0;

	while (from < n) {
		size_t k = buf[from++];

		if (k - 1 > n - from)
			return 0;
		for (size_t i = 1; i < k; i++)
			buf[to++] = buf[from++];
		if (k != 255 && from < n)
			buf[to++] = 0;
	}
	return to;
}

size_t ctm_link_unstuff(uint8_t *buf, size_t cap, size_t *at, uint8_t byte)
{
	size_t n = *at;

	if (byte) {
		if (n < cap)
			buf[n] = byte;
		*at = n <= cap ? n + 1 : n;     /* cap + 1: too long, skip to the next zero */
		return 0;
	}
	*at = 0;
	return n && n <= cap ? unstuff(buf, n) : 0;
}
