/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames from outside into a link that is sending and receiving: byte 0 is the frame size, then each piece is one length byte and a
 * frame (bit 7 of the length: the target appends the right CRC, or nothing changed would get past it); a piece of length 0 lets time
 * pass. The same bytes go through the decoder of lines without packets. The application's
 * view must stay sound: bytes in order, never past the length, never more than the room given.
 */
#include "ctm/link.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct app {
	uint32_t at, length, room;
	bool open;
};

static int source(void *ctx, uint32_t at, uint8_t *buf, size_t n)
{
	memset(buf, (int)at, n);
	return (int)n;
}

static int opened(void *ctx, uint32_t length, uint32_t *have)
{
	struct app *a = ctx;

	*a = (struct app){ .at = *have = length % 7 == 3 ? 2 : 0, .length = length, .room = a->room, .open = true };
	if (a->at > length)
		a->at = *have = length;
	return length % 11 == 5 ? -1 : 0;
}

static int data(void *ctx, uint32_t at, const uint8_t *p, size_t n, uint32_t length)
{
	struct app *a = ctx;

	if (!a->open || at != a->at || length != a->length || n > length - at || n > a->room)
		abort();
	a->at += (uint32_t)n;
	a->room -= (uint32_t)n;
	return p && n && p[0] == 0xee ? -1 : 0;
}

static size_t with_crc(uint8_t *out, const uint8_t *p, size_t n)
{
	unsigned c = 0xffff;

	memcpy(out, p, n);
	for (size_t i = 0; i < n; i++) {
		c ^= (unsigned)p[i] << 8;
		for (int k = 0; k < 8; k++)
			c = (c & 0x8000 ? c << 1 ^ 0x1021 : c << 1) & 0xffff;
	}
	out[n] = (uint8_t)c;
	out[n + 1] = (uint8_t)(c >> 8);
	return n + 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t size)
{
	struct app a = { .room = 100 };
	struct ctm_link_app app = { &a, source, opened, data };
	struct ctm_link l;
	uint8_t out[300], line[64], frame[130];
	int64_t now = 0;
	size_t at = 0, mtu = size ? 9 + p[0] % 200 : 9;

	if (ctm_link_begin(&l, &app, mtu, 77, 50, a.room) || ctm_link_send(&l, 500))
		abort();
	for (size_t i = 1; i < size;) {
		bool mend = p[i] & 0x80;
		size_t n = p[i++] & 0x7f;

		n = n < size - i ? n : size - i;
		if (n && mend)
			(void)ctm_link_take(&l, frame, with_crc(frame, p + i, n));
		else if (n)
			(void)ctm_link_take(&l, p + i, n);
		else
			now += 60;
		i += n;
		for (int k = 0; k < 8; k++)
			if (ctm_link_poll(&l, now, out) > mtu)
				abort();
		if (now % 3 == 0)
			ctm_link_room(&l, a.room = 100);
	}
	for (size_t i = 0; i < size; i++)
		if (ctm_link_unstuff(line, sizeof line, &at, p[i]) > sizeof line)
			abort();
	return 0;
}
