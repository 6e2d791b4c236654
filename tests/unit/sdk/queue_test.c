/* SPDX-License-Identifier: Apache-2.0
 *
 * Store and forward: order, outages longer than the ring, numbers that are never given twice, and power cut at every change to
 * storage. Evidence for NIST IR 8425 CSA.
 */
#include "memport.h"
#include "ctm/queue.h"

static struct mem board;
static struct ctm_port port;

static int fresh(void **state)
{
	mem_new(&board);
	port = mem_port(&board);
	return 0;
}

static struct ctm_queue open_queue(void)
{
	struct ctm_queue q = { .port = &port };

	assert_int_equal(ctm_queue_load(&q), 0);
	return q;
}

/* The heartbeat of number s: s three times. */
static int add(struct ctm_queue *q)
{
	uint64_t b[3] = { q->next, q->next, q->next };

	return ctm_queue_add(q, (uint8_t *)b, sizeof b);
}

/* Number of the oldest, 0 when none waits; its contents must be its own. */
static uint64_t oldest(struct ctm_queue *q)
{
	uint64_t seq, b[3];
	size_t n = 0;
	int rc = ctm_queue_peek(q, &seq, (uint8_t *)b, sizeof b, &n);

	if (rc == CTM_SDK_NONE)
		return 0;
	assert_int_equal(rc, 0);
	assert_int_equal(n, sizeof b);
	assert_true(b[0] == seq && b[1] == seq && b[2] == seq);
	return seq;
}

static void in_order_and_over_restarts(void **state)
{
	struct ctm_queue q = open_queue();

	assert_int_equal(oldest(&q), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(add(&q), 0);
	q = open_queue();
	for (uint64_t s = 1; s <= 5; s++) {
		assert_int_equal(oldest(&q), s);
		assert_int_equal(ctm_queue_taken(&q, s), 0);
		q = open_queue();
	}
	assert_int_equal(oldest(&q), 0);
	assert_int_equal(q.next, 6);
	assert_int_equal(ctm_queue_taken(&q, 3), 0);      /* said again: nothing */
	assert_int_equal(add(&q), 0);
	assert_int_equal(oldest(&q), 6);
}

static void a_long_outage_drops_the_oldest_and_counts(void **state)
{
	struct ctm_queue q = open_queue();

	for (int i = 0; i < CTM_QUEUE_SLOTS * 3 + 5; i++)
		assert_int_equal(add(&q), 0);
	assert_int_equal(q.dropped, CTM_QUEUE_SLOTS * 2 + 5);
	q = open_queue();
	assert_int_equal(q.dropped, CTM_QUEUE_SLOTS * 2 + 5);
	for (uint64_t s = CTM_QUEUE_SLOTS * 2 + 6; s < q.next; s++) {
		assert_int_equal(oldest(&q), s);
		assert_int_equal(ctm_queue_taken(&q, s), 0);
	}
	assert_int_equal(oldest(&q), 0);
	q = open_queue();
	assert_int_equal(q.dropped, CTM_QUEUE_SLOTS * 2 + 5);
	assert_int_equal(q.next, CTM_QUEUE_SLOTS * 3 + 6);
}

static void too_big_is_refused(void **state)
{
	static uint8_t b[CTM_HEARTBEAT_MAX + 1];
	struct ctm_queue q = open_queue();
	uint64_t seq;
	size_t n;

	assert_int_equal(ctm_queue_add(&q, b, sizeof b), CTM_SDK_TOOBIG);
	assert_int_equal(ctm_queue_add(&q, b, CTM_HEARTBEAT_MAX), 0);
	assert_int_equal(ctm_queue_peek(&q, &seq, b, CTM_HEARTBEAT_MAX - 1, &n), CTM_SDK_TOOBIG);
}

/* Power goes at change `cut` of a day of adding and taking. What a stored call answered holds afterwards; nothing taken is given
 * again except the one being noted; no number has two contents (the contents say their number). */
static void power_cut_at_every_change(void **state)
{
	for (long cut = 0; cut < 120; cut++) {
		struct ctm_queue q;
		uint64_t stored = 0, taken = 0, first = 0;
		int rc = 0;

		fresh(NULL);
		q = open_queue();
		mem_unplug_after(&board, cut);
		for (int i = 0; i < 40 && !rc; i++) {
			rc = add(&q);
			stored += !rc;
			if (!rc && i % 4 == 3) {
				rc = ctm_queue_taken(&q, first = oldest(&q));
				taken = rc ? taken : first;
			}
		}
		mem_plug_in(&board);
		q = open_queue();
		assert_true(q.next == stored + 1 || q.next == stored + 2);
		for (uint64_t s, last = 0; (s = oldest(&q)); last = s) {
			assert_true(s > taken && (!last || s == last + 1));
			assert_int_equal(ctm_queue_taken(&q, s), 0);
			first = s;
		}
		assert_true(first >= stored || first >= taken);
		assert_int_equal(add(&q), 0);
		assert_int_equal(oldest(&q), q.next - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(in_order_and_over_restarts, fresh),
		cmocka_unit_test_setup(a_long_outage_drops_the_oldest_and_counts, fresh),
		cmocka_unit_test_setup(too_big_is_refused, fresh),
		cmocka_unit_test_setup(power_cut_at_every_change, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
