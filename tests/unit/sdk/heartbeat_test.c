/* SPDX-License-Identifier: Apache-2.0
 *
 * Heartbeat ctm.heartbeat/1: its size (ten metrics, at most 80 bytes), one encoding for one value, what is refused, and the signed
 * form that a gateway carries. Evidence for NIST IR 8425 CSA.
 */
#include "backends.h"
#include "ctm/heartbeat.h"

/* A device some months in use: ten metrics with everyday values. */
static struct ctm_heartbeat everyday(void)
{
	struct ctm_heartbeat h = { .seq = 4321, .time_s = 1800000000, .boots = 87, .reboot = CTM_REBOOT_power_on, .readings = 10,
		.booted = "2.14.3", .verified = "2.14.3", .claimed = "2.14.3" };
	static const struct ctm_reading r[10] = { { 1, 864000 }, { 3, 2160 }, { 4, 612 }, { 7, 24 }, { 9, 1 }, { 12, 512 }, { 13, 88 }, { 14, 41 },
		{ 15, -67 }, { 32, 1250 } };

	memcpy(h.reading, r, sizeof r);
	return h;
}

static void ten_metrics_take_at_most_80_bytes(void **state)
{
	struct ctm_heartbeat h = everyday();
	uint8_t b[CTM_HEARTBEAT_MAX];
	size_t n = 0;

	assert_int_equal(ctm_heartbeat_encode(&h, b, sizeof b, &n), 0);
	print_message("ten metrics: %zu bytes\n", n);
	assert_true(n <= 80);
}

static void the_greatest_heartbeat_fits(void **state)
{
	struct ctm_heartbeat h, back;
	uint8_t b[CTM_HEARTBEAT_MAX];
	size_t n = 0;

	memset(&h, 0, sizeof h);
	h.seq = h.boots = INT64_MAX;
	h.time_s = INT64_MAX;
	h.dropped = UINT32_MAX;
	h.degraded = 1;
	h.reboot = 255;
	/* Every metric that a product of this size can declare, and every rule. */
	h.readings = 24;
	h.reasons = CTM_RULES_MAX;
	for (int i = 0; i < 24; i++)
		h.reading[i] = (struct ctm_reading){ (uint8_t)(224 + i), INT32_MIN };
	for (int i = 0; i < CTM_RULES_MAX; i++)
		h.because[i] = (uint8_t)(224 + i);
	strcpy(h.booted, "123456789.123456789");
	strcpy(h.verified, "1.0");
	h.crash = (struct ctm_crash){ .count = UINT32_MAX, .reason = 255, .pc = UINT32_MAX, .lr = UINT32_MAX, .uptime_s = UINT32_MAX, .version = "123456789.1" };
	assert_int_equal(ctm_heartbeat_encode(&h, b, sizeof b, &n), 0);
	print_message("greatest: %zu bytes\n", n);
	assert_int_equal(ctm_heartbeat_decode(b, n, &back), 0);
	assert_memory_equal(&back, &h, sizeof h);
	assert_int_equal(ctm_heartbeat_encode(&h, b, n - 1, &n), CTM_SDK_TOOBIG);
}

static void round_trip_and_every_cut_is_refused(void **state)
{
	struct ctm_heartbeat h = everyday(), back;
	uint8_t b[CTM_HEARTBEAT_MAX];
	size_t n = 0;

	strcpy(h.verified, "");
	h.crash = (struct ctm_crash){ .count = 3, .reason = CTM_REBOOT_watchdog, .pc = 0x1234, .lr = 0x5678, .uptime_s = 99, .version = "2.14.2" };
	h.degraded = 1;
	h.reasons = 1;
	h.because[0] = 2;
	assert_int_equal(ctm_heartbeat_encode(&h, b, sizeof b, &n), 0);
	assert_int_equal(ctm_heartbeat_decode(b, n, &back), 0);
	assert_int_equal(back.seq, 4321);
	assert_string_equal(back.booted, "2.14.3");
	assert_string_equal(back.claimed, "2.14.3");
	assert_string_equal(back.verified, "");
	assert_int_equal(back.crash.reason, CTM_REBOOT_watchdog);
	assert_int_equal(back.crash.pc, 0x1234);
	assert_string_equal(back.crash.version, "2.14.2");
	assert_int_equal(back.reading[8].value, -67);
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(ctm_heartbeat_decode(b, i, &back), 0);
}

/* Each row is a good heartbeat with one thing wrong. Good: {0:1, 1:5, 3:"1.0", 4:2, 5:0, 6:1, 7:{1:9}} */
static void what_is_refused(void **state)
{
	static const struct { const char *what, *hex; int code; } rows[] = {
		{ "good", "a7000101050363312e3004020500060107a10109", 0 },
		{ "another format", "a7000201050363312e3004020500060107a10109", CTM_SDK_UNSUPPORTED },
		{ "seq 0", "a7000101000363312e3004020500060107a10109", CTM_SDK_INPUT },
		{ "no boots", "a6000101050363312e300500060107a10109", CTM_SDK_INPUT },
		{ "health 2", "a7000101050363312e3004020502060107a10109", CTM_SDK_INPUT },
		{ "degraded without a reason", "a7000101050363312e3004020501060107a10109", CTM_SDK_INPUT },
		{ "version with letters", "a7000101050363782e3004020500060107a10109", CTM_SDK_INPUT },
		{ "version with NUL", "a7000101050363312e0004020500060107a10109", CTM_SDK_INPUT },
		{ "metric 0", "a7000101050363312e3004020500060107a10009", CTM_SDK_INPUT },
		{ "metric 256", "a7000101050363312e3004020500060107a119010009", CTM_SDK_INPUT },
		{ "value beyond 32 bits", "a7000101050363312e3004020500060107a1011a80000000", CTM_SDK_INPUT },
		{ "metric a text", "a7000101050363312e3004020500060107a1016139", CTM_SDK_INPUT },
		{ "unknown key 13", "a8000101050363312e3004020500060107a101090d00", CTM_SDK_UNSUPPORTED },
		{ "text key", "a8000101050363312e3004020500060107a10109617800", CTM_SDK_INPUT },
		{ "keys out of order", "a7010500010363312e3004020500060107a10109", CTM_SDK_SYNTAX },
		{ "verified said twice", "a8000101050363312e3004020500060107a101090863312e30", CTM_SDK_INPUT },
		{ "dropped 0", "a8000101050363312e3004020500060107a101090a00", CTM_SDK_INPUT },
		{ "time 0", "a80001010502000363312e3004020500060107a10109", CTM_SDK_INPUT },
		{ "crash expected", "a8000101050363312e3004020500060107a101090b86010100000060", CTM_SDK_INPUT },
		{ "bytes after it", "a7000101050363312e3004020500060107a1010900", CTM_SDK_SYNTAX },
	};
	struct ctm_heartbeat h;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t b[64];
		int rc = ctm_heartbeat_decode(b, unhex(rows[i].hex, b, sizeof b), &h);

		if (rc != rows[i].code)
			fail_msg("%s: %s, expected %s", rows[i].what, ctm_sdk_name(rc), ctm_sdk_name(rows[i].code));
	}
}

static void encoder_refuses_what_the_decoder_would(void **state)
{
	struct ctm_heartbeat h = everyday();
	uint8_t b[CTM_HEARTBEAT_MAX];
	size_t n;

	h.reading[1].id = h.reading[0].id;
	assert_int_equal(ctm_heartbeat_encode(&h, b, sizeof b, &n), CTM_SDK_INPUT);
	h = everyday();
	h.seq = 0;
	assert_int_equal(ctm_heartbeat_encode(&h, b, sizeof b, &n), CTM_SDK_INPUT);
	h = everyday();
	h.degraded = 1;
	assert_int_equal(ctm_heartbeat_encode(&h, b, sizeof b, &n), CTM_SDK_INPUT);
	h = everyday();
	strcpy(h.booted, "latest");
	assert_int_equal(ctm_heartbeat_encode(&h, b, sizeof b, &n), CTM_SDK_INPUT);
}

struct signer { const struct backend *b; void *key; };

static int port_sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	const struct signer *s = ctx;

	return s->b->sign(s->key, tbs, n, sig);
}

static void a_gateway_can_carry_but_not_change(void **state)
{
	struct ctm_heartbeat h = everyday();
	uint8_t beat[CTM_HEARTBEAT_MAX], msg[CTM_HEARTBEAT_MAX + CTM_HEARTBEAT_SIGNED], pub[CTM_PUB_MAX], named[CTM_PUB_MAX];
	struct ctm_bytes got;
	size_t n = 0, len = 0;

	assert_int_equal(ctm_heartbeat_encode(&h, beat, sizeof beat, &n), 0);
	for (size_t b = 0; b < BACKENDS; b++) {
		struct signer s = { &backends[b], backends[b].new_key(pub) };
		struct ctm_port port = { .ctx = &s, .sign = port_sign };

		assert_int_equal(ctm_heartbeat_sign(&port, pub, beat, n, msg, n + CTM_HEARTBEAT_SIGNED, &len), 0);
		print_message("signed by %s: %zu bytes\n", backends[b].name, len);
		assert_int_equal(ctm_heartbeat_open(backends[b].table(), msg, len, named, &got), 0);
		assert_memory_equal(named, pub, sizeof pub);
		assert_int_equal(got.n, n);
		assert_memory_equal(got.p, beat, n);
		for (size_t i = 0; i < len; i++) {
			msg[i] ^= 4;
			assert_int_not_equal(ctm_heartbeat_open(backends[b].table(), msg, len, named, &got), 0);
			msg[i] ^= 4;
		}
		backends[b].free_key(s.key);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_metrics_take_at_most_80_bytes),
		cmocka_unit_test(the_greatest_heartbeat_fits),
		cmocka_unit_test(round_trip_and_every_cut_is_refused),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(encoder_refuses_what_the_decoder_would),
		cmocka_unit_test(a_gateway_can_carry_but_not_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
