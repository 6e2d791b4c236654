/* SPDX-License-Identifier: Apache-2.0
 *
 * Time floor: see ctm/timefloor.h. Record "time": 8 bytes, big-endian seconds.
 */
#include "ctm/timefloor.h"

#define RECORD "time"

static int store(struct ctm_timefloor *t, int64_t s)
{
	uint8_t b[8];
	int rc;

	ctm_sdk_put(b, (uint64_t)s, 8);
	rc = ctm_record_store(t->port, RECORD, b, sizeof b);
	if (!rc)
		t->floor_s = s;
	return rc;
}

int ctm_timefloor_load(struct ctm_timefloor *t)
{
	uint8_t b[8];
	uint64_t v = 0;
	size_t n = 0;
	int rc = ctm_record_load(t->port, RECORD, b, sizeof b, &n);

	t->base_s = 0;
	t->floor_s = t->build_s;
	if (rc)
		return rc == CTM_SDK_NONE || rc == CTM_SDK_TOOBIG ? 0 : rc;
	v = ctm_sdk_get(b, (int)n);
	if (n == 8 && v <= INT64_MAX && (int64_t)v > t->floor_s)
		t->floor_s = (int64_t)v;
	return 0;
}

/* From verified times and the running clock alone. */
static int64_t known(const struct ctm_timefloor *t)
{
	int64_t s = t->base_s ? t->base_s + ctm_sdk_seconds(t->port->mono_ms(t->port->ctx) - t->base_mono_ms) : 0;

	return s > t->floor_s ? s : t->floor_s;
}

int64_t ctm_timefloor_now(const struct ctm_timefloor *t)
{
	int64_t s = known(t), clock = ctm_sdk_seconds(t->port->now_ms(t->port->ctx));

	return clock > s ? clock : s;
}

bool ctm_timefloor_fresh(const struct ctm_timefloor *t)
{
	return t->base_s != 0 || t->port->now_ms(t->port->ctx) > 0;
}

int ctm_timefloor_verified(struct ctm_timefloor *t, int64_t s)
{
	if (s < known(t))
		return 0;
	t->base_s = s;
	t->base_mono_ms = t->port->mono_ms(t->port->ctx);
	return s - t->floor_s >= CTM_TIME_STEP ? store(t, s) : 0;
}

int ctm_timefloor_keep(struct ctm_timefloor *t)
{
	int64_t s = known(t);

	return s > t->floor_s ? store(t, s) : 0;
}
