/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed configuration and reset: see ctm/remote.h. Record "remote": counter of resets (8 bytes, big-endian), 1 while one is
 * pending. The version of configurations lies with the configuration itself, so that both change by one write.
 */
#include "ctm/remote.h"
#include <string.h>

#define RECORD "remote"
#define CONFIG "ctm.config/1"
#define RESET "ctm.reset/1"

/* What the order says beyond what all orders say. */
static int take_rest(const struct ctm_order *o, bool reset, struct ctm_remote_doc *d)
{
	struct ctm_cbor_r r = ctm_cbor_reader(o->sixth.p, o->sixth.n);
	uint64_t trial = o->sixth.n && !reset ? ctm_cbor_uint(&r) : 0;

	d->device = o->device;
	d->number = o->number;
	d->not_after_s = o->not_after_s;
	d->settings = o->fifth;
	d->trial_s = (uint32_t)trial;
	if (reset)
		return o->fifth.n || o->sixth.n ? CTM_SDK_UNSUPPORTED : 0;
	return o->fifth.n && !r.err && trial <= CTM_REMOTE_TRIAL_MAX && (trial || !o->sixth.n) ? 0 : CTM_SDK_INPUT;
}

int ctm_remote_decode(const uint8_t *p, size_t n, bool reset, struct ctm_remote_doc *out)
{
	struct ctm_order o;
	int rc = ctm_order_decode(p, n, reset ? RESET : CONFIG, &o);

	return rc ? rc : take_rest(&o, reset, out);
}

int ctm_remote_load(struct ctm_remote *r)
{
	uint8_t b[9];
	size_t n = 0;
	int rc = ctm_record_load(r->port, RECORD, b, sizeof b, &n);

	r->reset_counter = 0;
	r->reset_pending = false;
	if (rc)
		return rc == CTM_SDK_NONE ? 0 : rc;
	if (n != sizeof b)
		return CTM_SDK_STORAGE;
	r->reset_counter = ctm_sdk_get(b, 8);
	r->reset_pending = b[8] != 0;
	return 0;
}

static int keep(struct ctm_remote *r, uint64_t counter, bool pending)
{
	uint8_t b[9];
	int rc;

	ctm_sdk_put(b, counter, 8);
	b[8] = pending;
	rc = ctm_record_store(r->port, RECORD, b, sizeof b);
	if (!rc) {
		r->reset_counter = counter;
		r->reset_pending = pending;
	}
	return rc;
}

/* A reset is never a cohort's. */
static int open_doc(const struct ctm_remote *r, const uint8_t *msg, size_t n, bool reset, uint64_t last, struct ctm_remote_doc *d, const char **why)
{
	const struct ctm_order_door door = { r->port, r->time, r->key, r->keylen, r->serial, reset ? NULL : r->cohort, CTM_REMOTE_MAX,
					     reset ? CTM_REMOTE_RESET : CTM_REMOTE_CONFIG, reset ? RESET : CONFIG };
	struct ctm_order o;
	struct ctm_bytes payload;
	int rc = ctm_order_open(&door, msg, n, last + 1, &o, &payload, why);

	if (rc)
		return rc;
	rc = take_rest(&o, reset, d);
	return rc ? ctm_sdk_refuse(rc, "document", why) : 0;
}

int ctm_remote_config(struct ctm_remote *r, const uint8_t *msg, size_t n, const char **why)
{
	struct ctm_value next[CTM_SETTINGS_MAX], v;
	struct ctm_remote_doc d;
	struct ctm_cbor_r in;
	size_t items;
	int rc = open_doc(r, msg, n, false, r->config->document, &d, why);

	if (rc)
		return rc;
	memcpy(next, r->config->value, sizeof next);
	in = ctm_cbor_reader(d.settings.p, d.settings.n);
	items = ctm_cbor_array(&in);
	for (size_t i = 0; i + 1 < items && !in.err; i += 2) {
		int at = ctm_config_read(r->config, &in, &v);

		if (at < 0)
			return ctm_sdk_refuse(at, "setting", why);
		next[at] = v;
	}
	if (ctm_cbor_end(&in))
		return ctm_sdk_refuse(CTM_SDK_INPUT, "setting", why);
	rc = ctm_config_change(r->config, &(struct ctm_change){ .values = next, .writer = CTM_WRITER_PLATFORM,
		.trial_s = d.trial_s ? d.trial_s : CTM_CONFIG_TRIAL_S, .document = d.number }, NULL);
	return rc ? ctm_sdk_refuse(rc, rc == CTM_SDK_INPUT || rc == CTM_SDK_AUTH ? "setting" : "storage", why) : 0;
}

int ctm_remote_reset(struct ctm_remote *r, const uint8_t *msg, size_t n, const char **why)
{
	struct ctm_remote_doc d;
	int rc = open_doc(r, msg, n, true, r->reset_counter, &d, why);

	if (!rc && (rc = keep(r, d.number, true)))
		return ctm_sdk_refuse(rc, "storage", why);
	return rc;
}

int ctm_remote_reset_done(struct ctm_remote *r)
{
	return keep(r, r->reset_counter, false);
}
