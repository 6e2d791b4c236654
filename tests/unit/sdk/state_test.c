/* SPDX-License-Identifier: Apache-2.0
 *
 * State awareness: metrics by their kinds and ranges, the data catalogue, reboot reasons and crash record over resets and power
 * cuts, the judgement with its hysteresis, and the heartbeat made of them. Evidence for NIST IR 8425 CSA and DP.
 */
#include "memport.h"
#include "ctm/state.h"

static struct mem board;
static struct ctm_port port;
static struct ctm_queue queue;
static const struct ctm_versions version = { "1.2.3", "1.2.3", "1.2.3", 7 };

static int fresh(void **state)
{
	mem_new(&board);
	port = mem_port(&board);
	return 0;
}

static void metrics_keep_their_kind_and_range(void **state)
{
	struct ctm_metrics m;

	ctm_metrics_begin(&m);
	assert_int_equal(ctm_metrics_get(&m, CTM_METRIC_battery_pct), CTM_METRIC_UNKNOWN);
	assert_int_equal(ctm_metrics_set(&m, CTM_METRIC_battery_pct, 55), 0);
	assert_int_equal(ctm_metrics_set(&m, CTM_METRIC_battery_pct, 101), CTM_SDK_INPUT);
	assert_int_equal(ctm_metrics_set(&m, CTM_METRIC_battery_pct, -1), CTM_SDK_INPUT);
	assert_int_equal(ctm_metrics_get(&m, CTM_METRIC_battery_pct), 55);
	assert_int_equal(ctm_metrics_add(&m, CTM_METRIC_battery_pct, 1), CTM_SDK_INPUT);
	assert_int_equal(ctm_metrics_set(&m, CTM_METRIC_login_failed, 3), CTM_SDK_INPUT);
	assert_int_equal(ctm_metrics_set(&m, 200, 3), CTM_SDK_UNKNOWN);
	assert_int_equal(ctm_metrics_add(&m, 200, 3), CTM_SDK_UNKNOWN);
	assert_int_equal(ctm_metrics_add(&m, CTM_METRIC_login_failed, INT32_MAX - 1u), 0);
	assert_int_equal(ctm_metrics_add(&m, CTM_METRIC_login_failed, UINT32_MAX), 0);      /* stays at its maximum */
	assert_int_equal(ctm_metrics_get(&m, CTM_METRIC_login_failed), INT32_MAX);
	ctm_metrics_taken(&m);
	assert_int_equal(ctm_metrics_get(&m, CTM_METRIC_login_failed), 0);
	assert_int_equal(ctm_metrics_get(&m, CTM_METRIC_battery_pct), 55);
}

/* Ids ascend, names are distinct, each row's catalogue row exists, and so do bounds that contain something. */
static void the_tables_are_sound(void **state)
{
	const struct ctm_datacat *c = ctm_datacat();

	for (int i = 0; i < CTM_METRICS; i++) {
		const struct ctm_metric *m = &ctm_metric_table[i];

		assert_true(m->id > 0 && (!i || m->id > ctm_metric_table[i - 1].id));
		assert_true(m->min <= m->max);
		assert_non_null(ctm_datacat_row(c, m->data));
		assert_ptr_equal(ctm_metric_row(m->id), m);
	}
	assert_null(ctm_metric_row(0));
	assert_false(ctm_datacat_sends(c, 0));
	assert_false(ctm_datacat_sends(c, 99));
	assert_string_equal(ctm_reboot_name(CTM_REBOOT_watchdog), "watchdog");
	assert_string_equal(ctm_reboot_text(CTM_REBOOT_update), "restarted into an update");
	assert_null(ctm_reboot_name(0));
	assert_null(ctm_reboot_text(77));
}

static unsigned boot(struct ctm_kept *k, unsigned hw, struct ctm_crash *c)
{
	unsigned reason = 0;

	assert_int_equal(ctm_crash_boot(&port, k, hw, &reason, c), 0);
	ctm_crash_arm(k, "1.2.3");
	return reason;
}

static void reasons_expected_and_not(void **state)
{
	struct ctm_kept k;
	struct ctm_crash c;

	memset(&k, 0xa5, sizeof k);             /* RAM after power-on */
	assert_int_equal(boot(&k, CTM_REBOOT_power_on, &c), CTM_REBOOT_power_on);
	assert_int_equal(c.reason, 0);
	ctm_crash_mark(&k, CTM_REBOOT_update, 0, 0, 60);
	assert_int_equal(boot(&k, CTM_REBOOT_unknown, &c), CTM_REBOOT_update);      /* said before; the hardware only sees a reset */
	assert_int_equal(c.count, 0);
	/* A fault: the place is kept. */
	ctm_crash_mark(&k, CTM_REBOOT_fault, 0x08001234, 0x08000ffe, 3600);
	assert_int_equal(boot(&k, CTM_REBOOT_unknown, &c), CTM_REBOOT_fault);
	assert_int_equal(c.count, 1);
	assert_int_equal(c.reason, CTM_REBOOT_fault);
	assert_int_equal(c.pc, 0x08001234);
	assert_int_equal(c.lr, 0x08000ffe);
	assert_string_equal(c.version, "1.2.3");
	/* Nobody marked anything: the watchdog did it. The one before was not told yet and gives way; both are counted. */
	assert_int_equal(boot(&k, CTM_REBOOT_watchdog, &c), CTM_REBOOT_watchdog);
	assert_int_equal(c.count, 2);
	assert_int_equal(c.pc, 0);
	/* An expected start keeps what is not told. */
	assert_int_equal(boot(&k, CTM_REBOOT_power_on, &c), CTM_REBOOT_power_on);
	assert_int_equal(c.reason, CTM_REBOOT_watchdog);
	assert_int_equal(ctm_crash_told(&port, &c), 0);
	assert_int_equal(boot(&k, CTM_REBOOT_power_on, &c), CTM_REBOOT_power_on);
	assert_int_equal(c.reason, 0);
	assert_int_equal(c.count, 2);
	/* One changed bit: not what a program left. */
	ctm_crash_mark(&k, CTM_REBOOT_fault, 1, 2, 3);
	((uint8_t *)&k)[9] ^= 1;
	assert_int_equal(boot(&k, CTM_REBOOT_brownout, &c), CTM_REBOOT_brownout);
	assert_int_equal(c.pc, 0);
}

static struct ctm_state state_of(unsigned reboot, const struct ctm_crash *crash)
{
	static const struct ctm_crash none;
	struct ctm_state s;

	queue.port = &port;
	assert_int_equal(ctm_queue_load(&queue), 0);
	ctm_state_begin(&s, &port, &version, reboot, crash ? crash : &none);
	return s;
}

static struct ctm_heartbeat beat(struct ctm_state *s)
{
	uint8_t b[CTM_HEARTBEAT_MAX];
	struct ctm_heartbeat h;
	uint64_t seq;
	size_t n = 0;

	assert_int_equal(ctm_state_queue(s, &queue), 0);
	assert_int_equal(ctm_queue_peek(&queue, &seq, b, sizeof b, &n), 0);
	assert_int_equal(ctm_heartbeat_decode(b, n, &h), 0);
	assert_int_equal(h.seq, seq);
	assert_int_equal(ctm_queue_taken(&queue, seq), 0);
	return h;
}

static int32_t reading(const struct ctm_heartbeat *h, unsigned id)
{
	for (unsigned i = 0; i < h->readings; i++)
		if (h->reading[i].id == id)
			return h->reading[i].value;
	return CTM_METRIC_UNKNOWN;
}

static void the_heartbeat_says_what_happened(void **state)
{
	struct ctm_state s = state_of(CTM_REBOOT_power_on, NULL);
	struct ctm_heartbeat h;

	assert_int_equal(ctm_metrics_set(&s.metrics, CTM_METRIC_temperature_c, -5), 0);
	assert_int_equal(ctm_metrics_add(&s.metrics, CTM_METRIC_login_failed, 2), 0);
	board.mono += 61000;
	h = beat(&s);
	assert_int_equal(h.seq, 1);
	assert_int_equal(h.boots, 7);
	assert_int_equal(h.reboot, CTM_REBOOT_power_on);
	assert_int_equal(h.time_s, board.now / 1000);
	assert_string_equal(h.booted, "1.2.3");
	assert_false(h.degraded);
	assert_int_equal(reading(&h, CTM_METRIC_uptime_s), 61);
	assert_int_equal(reading(&h, CTM_METRIC_temperature_c), -5);
	assert_int_equal(reading(&h, CTM_METRIC_login_failed), 2);
	h = beat(&s);
	assert_int_equal(h.seq, 2);
	assert_int_equal(reading(&h, CTM_METRIC_login_failed), CTM_METRIC_UNKNOWN);      /* counters begin again; nothing is not sent */
	assert_int_equal(reading(&h, CTM_METRIC_temperature_c), -5);
}

static void a_crash_is_told_once(void **state)
{
	struct ctm_crash c = { .count = 4, .pc = 9, .lr = 8, .uptime_s = 7, .reason = CTM_REBOOT_fault, .version = "1.2.2" };
	struct ctm_state s = state_of(CTM_REBOOT_fault, &c);
	struct ctm_heartbeat h = beat(&s);

	assert_int_equal(h.crash.reason, CTM_REBOOT_fault);
	assert_int_equal(h.crash.count, 4);
	assert_string_equal(h.crash.version, "1.2.2");
	assert_true(h.degraded);
	assert_int_equal(h.reasons, 1);
	assert_int_equal(h.because[0], CTM_METRIC_reboots_unexpected);
	assert_true(ctm_state_degraded(&s));
	h = beat(&s);
	assert_int_equal(h.crash.reason, 0);
	assert_false(h.degraded);
}

static void the_judgement_has_hysteresis(void **state)
{
	/* temperature over 85, twice */
	static const struct { int32_t t; int degraded; } rows[] = { { 90, 0 }, { 80, 0 }, { 90, 0 }, { 91, 1 }, { 80, 1 }, { 90, 1 }, { 80, 1 }, { 80, 0 } };
	struct ctm_state s = state_of(CTM_REBOOT_power_on, NULL);

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ctm_heartbeat h;

		assert_int_equal(ctm_metrics_set(&s.metrics, CTM_METRIC_temperature_c, rows[i].t), 0);
		h = beat(&s);
		if (h.degraded != rows[i].degraded)
			fail_msg("row %zu: degraded %d", i, h.degraded);
	}
}

static void a_failing_store_loses_nothing(void **state)
{
	struct ctm_state s = state_of(CTM_REBOOT_power_on, NULL);
	struct ctm_heartbeat h;

	assert_int_equal(ctm_metrics_add(&s.metrics, CTM_METRIC_login_failed, 2), 0);
	mem_unplug_after(&board, 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ctm_state_queue(&s, &queue), CTM_SDK_STORAGE);
	mem_plug_in(&board);
	h = beat(&s);
	assert_int_equal(h.seq, 1);
	assert_int_equal(reading(&h, CTM_METRIC_login_failed), 2);
}

static void seconds_by_hand(void **state)
{
	static const int64_t ms[] = { 0, 1, 999, 1000, 1001, 59999, 1800000000123, 4294967294999, 4294967295000 };

	for (size_t i = 0; i < sizeof ms / sizeof ms[0]; i++)
		assert_int_equal(ctm_sdk_seconds(ms[i]), ms[i] / 1000);
	assert_int_equal(ctm_sdk_seconds(-1), 0);
	assert_int_equal(ctm_sdk_seconds(INT64_MAX), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(metrics_keep_their_kind_and_range, fresh),
		cmocka_unit_test_setup(the_tables_are_sound, fresh),
		cmocka_unit_test_setup(reasons_expected_and_not, fresh),
		cmocka_unit_test_setup(the_heartbeat_says_what_happened, fresh),
		cmocka_unit_test_setup(a_crash_is_told_once, fresh),
		cmocka_unit_test_setup(the_judgement_has_hysteresis, fresh),
		cmocka_unit_test(seconds_by_hand),
		cmocka_unit_test_setup(a_failing_store_loses_nothing, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
