/* SPDX-License-Identifier: Apache-2.0
 *
 * Link: two sides over a line that loses, repeats, swaps and garbles frames, stops and starts again; every frame size from 9 bytes
 * on. What must hold on each: messages arrive whole, in order, once; room is never exceeded; what was cut off goes on.
 */
#include "suites.h"
#include "ctm/link.h"

#define LINE 64
#define BIG 40000

static uint32_t seed;

static uint32_t dice(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

/* One end with its application: messages of known contents, numbered. */
struct end {
	struct ctm_link link;
	struct ctm_link_app app;
	uint32_t sending, sent;                 /* message on its way (its number), messages delivered by us */
	uint32_t expect, got;                   /* number of the message coming, how many have come */
	uint32_t at, length;
	uint32_t keep, resumed;                 /* bytes remembered over a new start of ours */
	bool refuse;
	uint32_t refused_at;
};

struct line {
	struct { uint8_t b[300]; size_t n; } f[LINE];
	int n;
};

static uint8_t byte_of(uint32_t message, uint32_t at)
{
	return (uint8_t)(message * 31 + at * 7 + (at >> 8));
}

static uint32_t length_of(uint32_t message)
{
	static const uint32_t some[] = { 0, 1, 2, 5, 300, 17, 127, 128, 129, 2000 };

	return some[message % 10];
}

static int source(void *ctx, uint32_t at, uint8_t *buf, size_t n)
{
	struct end *e = ctx;

	for (size_t i = 0; i < n; i++)
		buf[i] = byte_of(e->sending, at + (uint32_t)i);
	return (int)n;
}

static int open_cb(void *ctx, uint32_t length, uint32_t *have)
{
	struct end *e = ctx;

	if (e->refuse)
		return -1;
	e->length = length;
	e->at = *have = e->keep;
	e->resumed += e->keep != 0;
	e->keep = 0;
	return 0;
}

static int data_cb(void *ctx, uint32_t at, const uint8_t *p, size_t n, uint32_t length)
{
	struct end *e = ctx;

	assert_int_equal(length, e->length);
	assert_int_equal(at, e->at);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], byte_of(e->expect, at + (uint32_t)i));
	e->at += (uint32_t)n;
	if (e->refused_at && e->at >= e->refused_at)
		return -1;
	if (e->at == length) {
		e->expect++;
		e->got++;
		e->at = 0;
	}
	return 0;
}

static void start(struct end *e, size_t mtu, uint16_t nonce)
{
	e->app = (struct ctm_link_app){ e, source, open_cb, data_cb };
	assert_int_equal(ctm_link_begin(&e->link, &e->app, mtu, nonce, 50, 64), 0);
}

struct weather { uint32_t lose, repeat, swap, garble; };     /* of 100 */

static void put(struct line *l, const uint8_t *f, size_t n, const struct weather *w)
{
	if (l->n == LINE || dice(100) < w->lose)
		return;
	memcpy(l->f[l->n].b, f, n);
	l->f[l->n].n = n;
	if (dice(100) < w->garble)
		l->f[l->n].b[dice((uint32_t)n)] ^= (uint8_t)(1 + dice(255));
	l->n++;
	if (dice(100) < w->repeat && l->n < LINE) {
		l->f[l->n] = l->f[l->n - 1];
		l->n++;
	}
	if (dice(100) < w->swap && l->n > 1) {
		uint8_t b[300];
		size_t k = l->f[l->n - 2].n;

		memcpy(b, l->f[l->n - 2].b, k);
		l->f[l->n - 2] = l->f[l->n - 1];
		memcpy(l->f[l->n - 1].b, b, k);
		l->f[l->n - 1].n = k;
	}
}

/* One step of time: each side says what it has to, each hears what is on the line. */
static void step(struct end *a, struct end *b, struct line *ab, struct line *ba, int64_t now, const struct weather *w)
{
	uint8_t f[300];
	size_t n;

	for (int i = 0; i < 6 && (n = ctm_link_poll(&a->link, now, f)); i++)
		put(ab, f, n, w);
	for (int i = 0; i < 6 && (n = ctm_link_poll(&b->link, now, f)); i++)
		put(ba, f, n, w);
	for (int i = 0; i < ab->n; i++)
		(void)ctm_link_take(&b->link, ab->f[i].b, ab->f[i].n);
	for (int i = 0; i < ba->n; i++)
		(void)ctm_link_take(&a->link, ba->f[i].b, ba->f[i].n);
	ab->n = ba->n = 0;
	if (dice(3) == 0)
		ctm_link_room(&a->link, 64);
	if (dice(3) == 0)
		ctm_link_room(&b->link, 64);
}

/* Send the next message when the last one is through. */
static void push(struct end *e)
{
	if (ctm_link_sent(&e->link) == CTM_LINK_SENDING)
		return;
	if (ctm_link_sent(&e->link) == CTM_LINK_DELIVERED) {
		e->sent++;
		e->sending++;
	}
	assert_int_equal(ctm_link_send(&e->link, length_of(e->sending)), 0);
}

static void run_pair(size_t mtu, const struct weather *w, uint32_t want)
{
	static struct end a, b;
	static struct line ab, ba;
	int64_t now = 0;

	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	ab.n = ba.n = 0;
	start(&a, mtu, 1);
	start(&b, mtu, 7);
	for (int i = 0; i < 400000 && (a.got < want || b.got < want); i++, now += 10) {
		push(&a);
		push(&b);
		step(&a, &b, &ab, &ba, now, w);
	}
	if (a.got < want || b.got < want)
		fail_msg("mtu %zu: only %u and %u messages", mtu, a.got, b.got);
	assert_true(b.got >= a.sent && a.got >= b.sent && b.got <= a.sent + 1 && a.got <= b.sent + 1);
}

static void every_frame_size_on_a_good_line(void **state)
{
	const struct weather fine = { 0, 0, 0, 0 };

	for (size_t mtu = CTM_LINK_MTU_MIN; mtu <= 260; mtu += mtu < 24 ? 1 : 59)
		run_pair(mtu, &fine, 25);
}

static void bad_lines(void **state)
{
	static const struct weather w[] = { { 30, 0, 0, 0 }, { 0, 30, 0, 0 }, { 0, 0, 30, 0 }, { 0, 0, 0, 30 }, { 20, 10, 20, 10 }, { 60, 20, 0, 0 } };

	for (size_t i = 0; i < sizeof w / sizeof w[0]; i++)
		for (uint32_t s = 1; s <= 5; s++) {
			seed = (s + (uint32_t)i * 100) * 2654435761u | 1;
			run_pair(9 + dice(60), &w[i], 12);
		}
}

static void many_seeds(void **state)
{
	const struct weather w = { 15, 10, 10, 10 };
	uint32_t rounds = getenv("CTM_LONG") ? 500 : 25;

	for (uint32_t s = 1; s <= rounds; s++) {
		seed = s * 2654435761u | 1;
		run_pair(9 + dice(30), &w, 11);
	}
}

/* The line is dead for a while in the middle of a large message: it goes on from where it was. */
static void a_transfer_goes_on_after_a_broken_line(void **state)
{
	static struct end a, b;
	static struct line ab, ba;
	const struct weather fine = { 0, 0, 0, 0 }, dead = { 100, 0, 0, 0 };
	int64_t now = 0;
	uint32_t at;

	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	start(&a, 20, 1);
	start(&b, 20, 2);
	a.sending = 0;
	assert_int_equal(ctm_link_send(&a.link, BIG), 0);
	for (; b.at < BIG / 2; now += 10)
		step(&a, &b, &ab, &ba, now, &fine);
	at = b.at;
	for (int i = 0; i < 500; i++, now += 10)
		step(&a, &b, &ab, &ba, now, &dead);
	assert_true(ctm_link_silence(&a.link) > 8);
	assert_true(b.at >= at && b.at < at + 100);
	for (int i = 0; i < 100000 && !b.got; i++, now += 10)
		step(&a, &b, &ab, &ba, now, &fine);
	assert_int_equal(b.got, 1);
	assert_int_equal(ctm_link_silence(&a.link), 0);
	step(&a, &b, &ab, &ba, now + 10, &fine);
	assert_int_equal(ctm_link_sent(&a.link), CTM_LINK_DELIVERED);
}

/* The receiver starts afresh in the middle and its application knows how much it had stored. */
static void a_new_start_goes_on_from_what_is_remembered(void **state)
{
	static struct end a, b;
	static struct line ab, ba;
	const struct weather fine = { 0, 0, 0, 0 };
	int64_t now = 0;
	uint32_t had;

	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	start(&a, 33, 1);
	start(&b, 33, 2);
	assert_int_equal(ctm_link_send(&a.link, BIG), 0);
	for (; b.at < BIG / 3; now += 10)
		step(&a, &b, &ab, &ba, now, &fine);
	had = b.at;
	memset(&b, 0, sizeof b);
	b.keep = had;
	start(&b, 33, 3);
	for (int i = 0; i < 100000 && !b.got; i++, now += 10)
		step(&a, &b, &ab, &ba, now, &fine);
	assert_int_equal(b.got, 1);
	assert_int_equal(b.resumed, 1);
	/* The sender starts afresh: its message begins anew with open(), and both directions work. */
	memset(&a, 0, sizeof a);
	a.sending = 1;
	start(&a, 33, 9);
	assert_int_equal(ctm_link_send(&a.link, 100), 0);
	b.sending = 0;
	assert_int_equal(ctm_link_send(&b.link, 50), 0);
	for (int i = 0; i < 1000 && (b.got < 2 || !a.got); i++, now += 10)
		step(&a, &b, &ab, &ba, now, &fine);
	assert_int_equal(b.got, 2);
	assert_int_equal(a.got, 1);
}

static void no_room_holds_the_sender_back(void **state)
{
	static struct end a, b;
	static struct line ab, ba;
	const struct weather fine = { 0, 0, 0, 0 };
	uint8_t f[64];
	size_t n;
	int64_t now = 0;

	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	start(&a, 16, 1);
	start(&b, 16, 2);
	assert_int_equal(ctm_link_send(&a.link, 1000), 0);
	for (int i = 0; i < 200; i++, now += 10) {
		while ((n = ctm_link_poll(&a.link, now, f)))
			(void)ctm_link_take(&b.link, f, n);
		while ((n = ctm_link_poll(&b.link, now, f)))
			(void)ctm_link_take(&a.link, f, n);
	}
	assert_true(b.at > 40 && b.at <= 64);           /* the 64 bytes of the beginning, and nothing more */
	for (int i = 0; i < 3000 && !b.got; i++, now += 10)
		step(&a, &b, &ab, &ba, now, &fine);
	assert_int_equal(b.got, 1);
}

static void refusals_reach_the_sender(void **state)
{
	static struct end a, b;
	static struct line ab, ba;
	const struct weather fine = { 0, 0, 0, 0 };
	int64_t now = 0;

	memset(&a, 0, sizeof a);
	memset(&b, 0, sizeof b);
	start(&a, 30, 1);
	start(&b, 30, 2);
	b.refuse = true;
	assert_int_equal(ctm_link_send(&a.link, 1000), 0);
	assert_int_equal(ctm_link_send(&a.link, 1000), CTM_SDK_STATE);
	for (int i = 0; i < 100; i++, now += 10)
		step(&a, &b, &ab, &ba, now, &fine);
	assert_int_equal(ctm_link_sent(&a.link), CTM_LINK_REFUSED);
	b.refuse = false;
	b.refused_at = 500;
	assert_int_equal(ctm_link_send(&a.link, 1000), 0);
	for (int i = 0; i < 1000; i++, now += 10)
		step(&a, &b, &ab, &ba, now, &fine);
	assert_int_equal(ctm_link_sent(&a.link), CTM_LINK_REFUSED);
	assert_true(b.at >= 500 && b.at < 600);
	b.refused_at = 0;
	assert_int_equal(ctm_link_send(&a.link, 10), 0);
	for (int i = 0; i < 100; i++, now += 10)
		step(&a, &b, &ab, &ba, now, &fine);
	assert_int_equal(ctm_link_sent(&a.link), CTM_LINK_DELIVERED);
}

static void misuse_is_told(void **state)
{
	static struct end a;
	const uint8_t junk[12] = { 0 };

	a.app = (struct ctm_link_app){ &a, source, open_cb, data_cb };
	assert_int_equal(ctm_link_begin(&a.link, &a.app, 8, 1, 50, 64), CTM_SDK_INPUT);
	assert_int_equal(ctm_link_begin(&a.link, &a.app, 9, 1, 0, 64), CTM_SDK_INPUT);
	start(&a, 9, 1);
	assert_int_equal(ctm_link_send(&a.link, CTM_LINK_MESSAGE_MAX), CTM_SDK_TOOBIG);
	assert_int_equal(ctm_link_take(&a.link, junk, 0), CTM_SDK_SYNTAX);
	assert_int_equal(ctm_link_take(&a.link, junk, 12), CTM_SDK_SYNTAX);
}

static void bytes_on_a_line_without_packets(void **state)
{
	uint8_t f[600], s[620], buf[600];

	for (size_t n = 0; n <= 600; n++) {
		size_t len, at = 0, whole = 0, frames = 0;

		seed = (uint32_t)n * 7919 + 1;
		for (size_t i = 0; i < n; i++)
			f[i] = (uint8_t)(n % 3 == 0 ? dice(256) : n % 3 == 1 ? 1 + dice(255) : dice(2));
		len = ctm_link_stuff(f, n, s);
		assert_true(len <= n + n / 254 + 3);
		for (int junk = 0; junk < 700; junk++)          /* rubbish before it, longer than a frame may be */
			assert_int_equal(ctm_link_unstuff(buf, sizeof buf, &at, (uint8_t)(1 + dice(255))), 0);
		for (size_t i = 0; i < len; i++) {
			size_t k = ctm_link_unstuff(buf, sizeof buf, &at, s[i]);

			if (!k)
				continue;
			frames++;
			whole = k;
			if (i != 0)
				assert_memory_equal(buf, f, n);
		}
		assert_int_equal(whole, n <= 597 || n + n / 254 + 1 <= 600 ? n : whole);
		assert_true(frames <= 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_frame_size_on_a_good_line),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(many_seeds),
		cmocka_unit_test(a_transfer_goes_on_after_a_broken_line),
		cmocka_unit_test(a_new_start_goes_on_from_what_is_remembered),
		cmocka_unit_test(no_room_holds_the_sender_back),
		cmocka_unit_test(refusals_reach_the_sender),
		cmocka_unit_test(misuse_is_told),
		cmocka_unit_test(bytes_on_a_line_without_packets),
	};

	seed = 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
