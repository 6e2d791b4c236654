/* SPDX-License-Identifier: Apache-2.0
 *
 * Reboot reasons and crash record: see ctm/crash.h. Stored as record "crash": count, pc, lr, uptime (4 bytes each), reason
 * (1; 0 when the last one was told), version (the rest).
 */
#include "ctm/crash.h"
#include <string.h>

#define MAGIC 0x43544d4bu       /* "CTMK" */
#define RECORD "crash"
#define HEAD 17
#define RECORD_MAX (HEAD + CTM_VERSION_MAX)

/* Sum of what is kept; enough to tell RAM after power-on from what a program left. */
static uint32_t sum(const struct ctm_kept *k)
{
	const uint8_t *p = (const uint8_t *)k;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < offsetof(struct ctm_kept, check); i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

void ctm_crash_arm(struct ctm_kept *k, const char *version)
{
	size_t n = 0;

	memset(k, 0, sizeof *k);
	k->magic = MAGIC;
	for (; n < CTM_VERSION_MAX && version[n]; n++)
		k->version[n] = version[n];
	k->check = sum(k);
}

void ctm_crash_mark(struct ctm_kept *k, unsigned reason, uint32_t pc, uint32_t lr, uint32_t uptime_s)
{
	k->reason = reason;
	k->pc = pc;
	k->lr = lr;
	k->uptime_s = uptime_s;
	k->check = sum(k);
}

static int load(const struct ctm_port *port, struct ctm_crash *c)
{
	uint8_t b[RECORD_MAX];
	size_t n = 0;
	int rc = ctm_record_load(port, RECORD, b, sizeof b, &n);

	memset(c, 0, sizeof *c);
	if (rc || n < HEAD)
		return rc == CTM_SDK_NONE ? 0 : rc;
	c->count = (uint32_t)ctm_sdk_get(b, 4);
	c->pc = (uint32_t)ctm_sdk_get(b + 4, 4);
	c->lr = (uint32_t)ctm_sdk_get(b + 8, 4);
	c->uptime_s = (uint32_t)ctm_sdk_get(b + 12, 4);
	c->reason = b[16];
	memcpy(c->version, b + HEAD, n - HEAD);
	return 0;
}

static int store(const struct ctm_port *port, const struct ctm_crash *c)
{
	uint8_t b[RECORD_MAX];

	ctm_sdk_put(b, c->count, 4);
	ctm_sdk_put(b + 4, c->pc, 4);
	ctm_sdk_put(b + 8, c->lr, 4);
	ctm_sdk_put(b + 12, c->uptime_s, 4);
	b[16] = c->reason;
	memcpy(b + HEAD, c->version, CTM_VERSION_MAX);
	return ctm_record_store(port, RECORD, b, sizeof b);
}

int ctm_crash_boot(const struct ctm_port *port, struct ctm_kept *k, unsigned hw, unsigned *reason, struct ctm_crash *c)
{
	bool whole = k->magic == MAGIC && k->check == sum(k);
	int rc = load(port, c);

	*reason = whole && k->reason ? k->reason & 0xff : hw & 0xff;
	if (ctm_reboot_unexpected(*reason)) {
		c->count++;
		c->reason = (uint8_t)*reason;
		c->pc = whole ? k->pc : 0;
		c->lr = whole ? k->lr : 0;
		c->uptime_s = whole ? k->uptime_s : 0;
		memset(c->version, 0, sizeof c->version);
		if (whole)
			memcpy(c->version, k->version, CTM_VERSION_MAX);
		if (!ctm_version_ok(c->version, strlen(c->version)))
			c->version[0] = 0;
		if (!rc)
			rc = store(port, c);
	}
	k->magic = 0;
	return rc;
}

int ctm_crash_told(const struct ctm_port *port, struct ctm_crash *c)
{
	if (!c->reason)
		return 0;
	c->reason = 0;
	return store(port, c);
}
