/* SPDX-License-Identifier: Apache-2.0
 *
 * Reboot reasons and crash record: see ctm/crash.h. Stored as record "crash": CBOR [count, reason, pc, lr, uptime, version]; reason 0
 * when the last one was told.
 */
#include "ctm/crash.h"
#include "ctm/cbor.h"
#include <string.h>

#define MAGIC 0x43544d4bu       /* "CTMK" */
#define RECORD "crash"
#define RECORD_MAX (5 * 5 + CTM_VERSION_MAX + 4)

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
	struct ctm_cbor_r r;
	struct ctm_bytes v;
	uint64_t f[5] = { 0 };
	size_t n = 0;
	int rc = ctm_record_load(port, RECORD, b, sizeof b, &n);

	memset(c, 0, sizeof *c);
	if (rc)
		return rc == CTM_SDK_NONE ? 0 : rc;
	r = ctm_cbor_reader(b, n);
	if (ctm_cbor_array(&r) != 6)
		return 0;
	for (int i = 0; i < 5; i++)
		f[i] = ctm_cbor_uint(&r);
	v = ctm_cbor_text(&r);
	if (ctm_cbor_end(&r) || v.n > CTM_VERSION_MAX)
		return 0;
	c->count = (uint32_t)f[0];
	c->reason = (uint8_t)f[1];
	c->pc = (uint32_t)f[2];
	c->lr = (uint32_t)f[3];
	c->uptime_s = (uint32_t)f[4];
	if (v.n)
		memcpy(c->version, v.p, v.n);
	return 0;
}

static int store(const struct ctm_port *port, const struct ctm_crash *c)
{
	uint8_t b[RECORD_MAX];
	struct ctm_cbor_w w = ctm_cbor_writer(b, sizeof b);

	ctm_cbor_put_array(&w, 6);
	ctm_cbor_put_uint(&w, c->count);
	ctm_cbor_put_uint(&w, c->reason);
	ctm_cbor_put_uint(&w, c->pc);
	ctm_cbor_put_uint(&w, c->lr);
	ctm_cbor_put_uint(&w, c->uptime_s);
	ctm_cbor_put_str(&w, c->version);
	return w.err ? w.err : ctm_record_store(port, RECORD, b, w.len);
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
