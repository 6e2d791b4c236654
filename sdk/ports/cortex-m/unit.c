/* SPDX-License-Identifier: Apache-2.0
 *
 * The unit at its start: factory data, keys, storage, and which image runs. Factory data is a file "unit" of lines: serial, enrolment
 * code, the maker's domain, release key, configuration key (P-256 points in hex). The factory's image and its manifest lie
 * beside it and are installed like any other at the first start.
 */
#include "sensor.h"
#include <string.h>

static const struct ctm_iface ifaces[] = {
	{ SENSOR_LINE, CTM_IFACE_UART, CTM_ACCESS_KEY, 0, 0, "gateway" },
	{ 1, CTM_IFACE_JTAG, CTM_ACCESS_PUBLIC, 1, 0, "debugging" },
};

static const struct ctm_setting schema[SETTINGS] = {
	[SETTING_INTERVAL] = { .name = "report_interval_s", .type = CTM_SET_INT, .writers = CTM_WRITER_PLATFORM, .min = 1, .max = 3600,
		.first = { 1, NULL }, .secure = { 1, NULL } },
	[SETTING_LAMP] = { .name = "lamp", .type = CTM_SET_BOOL, .writers = CTM_WRITER_PLATFORM, .first = { 1, NULL }, .secure = { 0, NULL } },
	[SETTING_NAME] = { .name = "name", .type = CTM_SET_TEXT, .privacy = CTM_PRIVACY_PERSONAL, .writers = CTM_WRITER_PLATFORM, .max = 16,
		.first = { 0, "Porch" }, .secure = { 0, "" } },
};

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_line(const char **at, const char *end, char *out, size_t cap)
{
	size_t n = 0;

	while (*at < end && **at != '\n' && n + 1 < cap)
		out[n++] = *(*at)++;
	out[n] = 0;
	if (*at >= end || **at != '\n' || !n)
		return CTM_SDK_INPUT;
	(*at)++;
	return 0;
}

static int take_point(const char **at, const char *end, uint8_t out[CTM_PUB_MAX])
{
	char hex[2 * CTM_PUB_MAX + 1];

	if (take_line(at, end, hex, sizeof hex) || strlen(hex) != 2 * CTM_PUB_MAX)
		return CTM_SDK_INPUT;
	for (int i = 0; i < CTM_PUB_MAX; i++) {
		int a = hex_digit(hex[2 * i]), b = hex_digit(hex[2 * i + 1]);

		if (a < 0 || b < 0)
			return CTM_SDK_INPUT;
		out[i] = (uint8_t)(a << 4 | b);
	}
	return 0;
}

static int factory_data(struct sensor *s)
{
	const char *at = (const char *)s->in, *end;
	size_t n = 0;
	int rc = board_factory("unit", 0, s->in, sizeof s->in, &n);

	end = at + n;
	if (rc || (rc = take_line(&at, end, s->serial, sizeof s->serial)) || (rc = take_line(&at, end, s->code, sizeof s->code)) ||
	    (rc = take_line(&at, end, s->maker, sizeof s->maker)) || (rc = take_point(&at, end, s->update.release_key)) ||
	    (rc = take_point(&at, end, s->remote.key)))
		return rc;
	s->update.release_keylen = s->remote.keylen = CTM_PUB_MAX;
	return ctm_serial_ok(s->serial) ? 0 : CTM_SDK_INPUT;
}

/* The image of the factory, through the same door as every other. */
static int factory_image(struct sensor *s)
{
	const char *why = "";
	size_t n = 0, at = 0;
	int rc = board_factory("factory.cose", 0, s->in, sizeof s->in, &n);

	if (!rc)
		rc = ctm_update_begin(&s->update, (struct ctm_bytes){ s->in, n }, &why);
	while (!rc && !(rc = board_factory("factory.bin", at, s->in, 256, &n)) && n) {
		rc = ctm_update_write(&s->update, s->in, n);
		at += n;
	}
	if (!rc)
		rc = ctm_update_finish(&s->update, &why);
	return rc;
}

static int load_update(struct sensor *s)
{
	struct ctm_update *u = &s->update;
	bool back = false;
	int rc;

	u->port = &s->port;
	u->component = "device";
	u->model = SENSOR_MODEL;
	u->time = &s->time;
	ctm_vendor_id(s->maker, u->vendor);
	ctm_class_id(u->vendor, SENSOR_MODEL, u->class_id);
	rc = ctm_update_load(u);
	if (rc == CTM_SDK_NONE)
		rc = factory_image(s);
	if (!rc)
		rc = ctm_update_boot(u, &back);
	if (back)
		sensor_log(s, "update.refused", "went back to the image before");
	return rc;
}

static int load_state(struct sensor *s)
{
	const struct ctm_versions v = { s->update.booted, s->update.verified, s->update.booted, s->update.boots };
	struct ctm_crash crash;
	unsigned reason;
	int rc = ctm_crash_boot(&s->port, board_kept(), board_reset_cause(), &reason, &crash);

	ctm_crash_arm(board_kept(), s->update.booted);
	ctm_state_begin(&s->state, &s->port, &v, reason, &crash);
	sensor_log(s, "boot", s->update.booted);
	return rc;
}

void sensor_log(struct sensor *s, const char *event, const char *detail)
{
	if (ctm_log_add(&s->log, event, detail))
		(void)ctm_metrics_add(&s->state.metrics, CTM_METRIC_storage_errors, 1);
}

int sensor_reset(struct sensor *s)
{
	int rc = ctm_config_reset(&s->config);

	if (!rc)
		rc = ctm_remote_reset_done(&s->remote);
	sensor_log(s, "reset", rc ? ctm_sdk_name(rc) : "");
	return rc;
}

int sensor_begin(struct sensor *s)
{
	uint8_t first;
	size_t n = 0;
	int rc = factory_data(s);

	if (rc || (rc = board_key(&s->key)))
		return rc;
	s->port = board_port(&s->key);
	s->time.port = s->log.port = s->config.port = s->remote.port = s->queue.port = &s->port;
	s->config.schema = schema;
	s->config.n = SETTINGS;
	s->remote.config = &s->config;
	s->remote.time = &s->time;
	s->remote.serial = s->serial;
	s->ifaces.row = ifaces;
	s->ifaces.n = sizeof ifaces / sizeof ifaces[0];
	if ((rc = ctm_timefloor_load(&s->time)) || (rc = ctm_log_load(&s->log)) || (rc = load_update(s)) || (rc = load_state(s)) ||
	    (rc = ctm_queue_load(&s->queue)) || (rc = ctm_config_load(&s->config)) || (rc = ctm_remote_load(&s->remote)))
		return rc;
	s->enrolled = ctm_record_load(&s->port, "enrolled", &first, 1, &n) == 0;
	if (s->remote.reset_pending)
		rc = sensor_reset(s);
	return rc ? rc : ctm_iface_open(&s->ifaces, SENSOR_LINE);
}
