/* SPDX-License-Identifier: Apache-2.0
 *
 * Security log: order, chain, ring, restart, power cuts (NIST IR 8259A, cybersecurity state awareness).
 */
#include "memport.h"
#include "ctm/log.h"

static struct mem mem;
static struct ctm_port port;
static struct ctm_log l;
static struct ctm_log_entry e[CTM_LOG_ENTRIES];

static int fresh(void **state)
{
	mem_new(&mem);
	port = mem_port(&mem);
	l = (struct ctm_log){ .port = &port };
	return ctm_log_load(&l);
}

static void chain_holds(const struct ctm_log_entry *x, size_t n)
{
	uint8_t h[32];

	for (size_t i = 1; i < n; i++) {
		assert_int_equal(x[i].seq, x[i - 1].seq + 1);
		assert_int_equal(ctm_log_hash(port.crypto, x[i - 1].hash, &x[i], h), 0);
		assert_memory_equal(h, x[i].hash, 32);
	}
}

static void entries_come_back_in_order_and_chained(void **state)
{
	static const uint8_t zero[32];
	uint8_t h[32];
	size_t n;

	for (int i = 0; i < 40; i++) {
		mem.now++;
		assert_int_equal(ctm_log_add(&l, i % 2 ? "login.ok" : "login.failed", "x"), 0);
	}
	l = (struct ctm_log){ .port = &port };
	assert_int_equal(ctm_log_load(&l), 0);
	assert_int_equal(l.last, 40);
	assert_int_equal(ctm_log_read(&l, 0, e, CTM_LOG_ENTRIES, &n), 0);
	assert_int_equal(n, 40);
	assert_int_equal(ctm_log_hash(port.crypto, zero, &e[0], h), 0);
	assert_memory_equal(h, e[0].hash, 32);
	chain_holds(e, n);
	assert_memory_equal(l.head, e[39].hash, 32);
	assert_int_equal(ctm_log_read(&l, 35, e, CTM_LOG_ENTRIES, &n), 0);
	assert_int_equal(n, 5);
	assert_int_equal(e[0].seq, 36);
	assert_int_equal(ctm_log_read(&l, 40, e, CTM_LOG_ENTRIES, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(ctm_log_read(&l, UINT64_MAX, e, CTM_LOG_ENTRIES, &n), 0);
	assert_int_equal(n, 0);
}

static void the_last_512_remain(void **state)
{
	size_t n;

	for (int i = 0; i < 1100; i++)
		assert_int_equal(ctm_log_add(&l, "boot", ""), 0);
	assert_int_equal(ctm_log_read(&l, 0, e, CTM_LOG_ENTRIES, &n), 0);
	assert_int_equal(n, CTM_LOG_ENTRIES);
	assert_int_equal(e[0].seq, 1100 - CTM_LOG_ENTRIES + 1);
	assert_int_equal(e[n - 1].seq, 1100);
	chain_holds(e, n);
}

static void a_changed_entry_breaks_the_chain(void **state)
{
	uint8_t h[32];
	size_t n;

	assert_int_equal(ctm_log_add(&l, "boot", ""), 0);
	assert_int_equal(ctm_log_add(&l, "login.failed", "from 127.0.0.1"), 0);
	assert_int_equal(ctm_log_read(&l, 0, e, 8, &n), 0);
	e[1].detail[0] ^= 1;
	assert_int_equal(ctm_log_hash(port.crypto, e[0].hash, &e[1], h), 0);
	assert_memory_not_equal(h, e[1].hash, 32);
}

static void power_cuts_lose_at_most_the_entry_being_written(void **state)
{
	size_t n, good = 0;

	for (int i = 0; i < 120; i++) {
		if (i % 3 == 1)
			mem_unplug_after(&mem, 0);
		good += ctm_log_add(&l, "boot", "") == 0;
		mem_plug_in(&mem);
		l = (struct ctm_log){ .port = &port };
		assert_int_equal(ctm_log_load(&l), 0);
		assert_int_equal(l.last, good);
	}
	assert_int_equal(ctm_log_read(&l, 0, e, CTM_LOG_ENTRIES, &n), 0);
	assert_int_equal(n, good);
	chain_holds(e, n);
}

static void long_and_odd_texts_are_cut_and_cleaned(void **state)
{
	char big[300];
	size_t n;

	memset(big, 'd', sizeof big - 1);
	big[sizeof big - 1] = 0;
	big[0] = '\n';
	assert_int_equal(ctm_log_add(&l, big, big), 0);
	assert_int_equal(ctm_log_read(&l, 0, e, 8, &n), 0);
	assert_int_equal(strlen(e[0].event), CTM_LOG_EVENT);
	assert_int_equal(strlen(e[0].detail), CTM_LOG_DETAIL);
	assert_int_equal(e[0].event[0], '?');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(entries_come_back_in_order_and_chained, fresh),
		cmocka_unit_test_setup(the_last_512_remain, fresh),
		cmocka_unit_test_setup(a_changed_entry_breaks_the_chain, fresh),
		cmocka_unit_test_setup(power_cuts_lose_at_most_the_entry_being_written, fresh),
		cmocka_unit_test_setup(long_and_odd_texts_are_cut_and_cleaned, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
