/* SPDX-License-Identifier: Apache-2.0
 *
 * The porch sensor: starts, beats, talks. It stands for a product, so an image whose version ends in "-crash" or "-hang" does that
 * soon after its start: what a bad release does to a device can be seen without a bad device.
 */
#include "sensor.h"
#include <mbedtls/memory_buffer_alloc.h>
#include <string.h>

#define NUMBERS 6144            /* bytes for the numbers of one signature or verification */

static struct sensor sensor;
static struct ctm_mbedtls generator;
static unsigned char numbers[NUMBERS] __attribute__((aligned(8)));

int main(void);

static void say(const char *what, const char *detail)
{
	char text[96];
	size_t n = strlen(what), m = strlen(detail);

	memcpy(text, what, n);
	if (n + m + 1 > sizeof text)
		m = sizeof text - n - 1;
	memcpy(text + n, detail, m);
	text[n + m] = 0;
	board_say(text);
}

/* What a bad image does. */
static void misbehave(const char *version)
{
	if (board_ms() < 300)
		return;
	if (strstr(version, "-crash"))
		__asm__ volatile("udf #0");
	if (strstr(version, "-hang"))
		for (;;)
			;
}

static void beat(struct sensor *s)
{
	int64_t now = board_ms();

	if (s->beat_ms && now - s->beat_ms < s->config.value[SETTING_INTERVAL].i * 1000)
		return;
	s->beat_ms = now;
	(void)ctm_metrics_set(&s->state.metrics, CTM_METRIC_stack_free_b, (int32_t)board_stack_free());
	(void)ctm_metrics_set(&s->state.metrics, CTM_METRIC_log_entries, (int32_t)s->log.last);
	(void)ctm_metrics_set(&s->state.metrics, CTM_METRIC_temperature_c, 21);
	if (ctm_state_queue(&s->state, &s->queue))
		(void)ctm_metrics_add(&s->state.metrics, CTM_METRIC_storage_errors, 1);
}

static void run(struct sensor *s)
{
	for (;;) {
		talk_step(s);
		if (s->restart && (ctm_link_sent(&s->link) != CTM_LINK_SENDING || board_ms() > s->restart_ms)) {
			ctm_crash_mark(board_kept(), s->restart_reason, 0, 0, ctm_sdk_seconds(board_ms()));
			board_reset();
		}
		beat(s);
		if (ctm_config_tick(&s->config) > 0)
			sensor_log(s, "config.reverted", "nobody confirmed it");
		misbehave(s->update.booted);
		board_idle();
	}
}

int main(void)
{
	int rc;

	board_begin();
	mbedtls_memory_buffer_alloc_init(numbers, sizeof numbers);
	rc = ctm_mbedtls_begin(&generator, board_noise, NULL);
	if (!rc)
		rc = sensor_begin(&sensor);
	if (rc) {
		say("stopped: ", ctm_sdk_name(rc));
		return 1;
	}
	say("runs ", sensor.update.booted);
	talk_begin(&sensor);
	run(&sensor);
}
