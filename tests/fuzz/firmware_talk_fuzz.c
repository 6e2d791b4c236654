/* SPDX-License-Identifier: Apache-2.0
 *
 * The firmware's conversation (sdk/ports/cortex-m/talk.c) with a hostile gateway: messages one after the other, each two bytes of
 * length and its bytes, as the link would hand them on. The board is this file: nothing is stored, nothing runs.
 */
#include "sensor.h"
#include "ctm/openssl.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int64_t clock_ms;

int board_line_get(void)
{
	return -1;
}

void board_line_put(const uint8_t *p, size_t n)
{
}

int64_t board_ms(void)
{
	return clock_ms;
}

void sensor_log(struct sensor *s, const char *event, const char *detail)
{
	if (!event || !detail)
		abort();
}

int sensor_reset(struct sensor *s)
{
	return 0;
}

static int no_read(void *ctx, const char *name, size_t at, void *buf, size_t cap, size_t *got)
{
	return CTM_SDK_NONE;
}

static int no_write(void *ctx, const char *name, const struct ctm_bytes *parts, size_t n)
{
	return 0;
}

static int no_erase(void *ctx, const char *name)
{
	return 0;
}

static int no_slot(void *ctx, int slot)
{
	return 0;
}

static int no_slot_write(void *ctx, int slot, size_t at, const void *p, size_t n)
{
	return 0;
}

static int no_slot_read(void *ctx, int slot, size_t at, void *p, size_t cap, size_t *got)
{
	*got = 0;
	return 0;
}

static int64_t no_clock(void *ctx)
{
	return clock_ms;
}

static int no_sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	memset(sig, 1, CTM_SIG_BYTES);
	return 0;
}

static void begin(struct sensor *s)
{
	static const struct ctm_setting schema[SETTINGS] = {
		{ .name = "report_interval_s", .type = CTM_SET_INT, .writers = CTM_WRITER_PLATFORM, .min = 1, .max = 9 },
		{ .name = "lamp", .type = CTM_SET_BOOL, .writers = CTM_WRITER_PLATFORM }, { .name = "name", .type = CTM_SET_TEXT, .max = 8 },
	};
	static const struct ctm_iface line = { SENSOR_LINE, CTM_IFACE_UART, CTM_ACCESS_KEY, 0, 0, "gateway" };
	static const struct ctm_versions v = { "1.0", "1.0", "1.0", 1 };
	static const struct ctm_crash none;

	memset(s, 0, sizeof *s);
	s->port = (struct ctm_port){ .crypto = ctm_openssl_crypto(), .read = no_read, .write = no_write, .erase = no_erase, .slot_begin = no_slot,
		.slot_write = no_slot_write, .slot_sync = no_slot, .slot_read = no_slot_read, .now_ms = no_clock, .mono_ms = no_clock, .sign = no_sign };
	s->update.port = s->config.port = s->remote.port = s->time.port = s->queue.port = &s->port;
	s->update.component = "device";
	s->update.model = SENSOR_MODEL;
	s->update.slot = CTM_SLOTS;
	s->update.release_keylen = s->remote.keylen = CTM_PUB_MAX;
	s->config.schema = schema;
	s->config.n = SETTINGS;
	s->remote.config = &s->config;
	s->remote.time = &s->time;
	s->remote.serial = "PS1-1";
	memcpy(s->serial, "PS1-1", 6);
	memcpy(s->code, "code", 5);
	s->ifaces = (struct ctm_ifaces){ &line, 1, 1u << SENSOR_LINE };
	ctm_state_begin(&s->state, &s->port, &v, CTM_REBOOT_power_on, &none);
	if (ctm_queue_load(&s->queue))
		abort();
	talk_begin(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t size)
{
	static struct sensor s;

	clock_ms = 1000;
	begin(&s);
	for (size_t i = 0; i + 2 <= size;) {
		size_t n = (size_t)p[i] << 8 | p[i + 1], at = 0;
		uint32_t have = 0;

		i += 2;
		n = n < size - i ? n : size - i;
		if (!s.in_whole && s.app.open(&s, (uint32_t)n, &have) == 0)
			while (at < n) {                /* in pieces of odd sizes, as frames bring them */
				size_t k = 1 + at % 61 < n - at ? 1 + at % 61 : n - at;

				if (s.app.data(&s, (uint32_t)at, p + i + at, k, (uint32_t)n) < 0)
					break;
				at += k;
			}
		i += n;
		clock_ms += 700;
		talk_step(&s);
		ctm_link_give_up(&s.link);
	}
	return 0;
}
