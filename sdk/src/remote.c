/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed configuration and reset: see ctm/remote.h. Record "remote": counter of resets (8 bytes, big-endian), 1 while one is
 * pending. The version of configurations lies with the configuration itself, so that both change by one write.
 */
#include "ctm/remote.h"
#include <string.h>

#define RECORD "remote"
#define MUST 0x1eu      /* keys 1 to 4 */

static bool is(struct ctm_bytes b, const char *s)
{
	return s && b.n == strlen(s) && memcmp(b.p, s, b.n) == 0;
}

static int take_key(struct ctm_cbor_r *r, uint64_t key, bool reset, struct ctm_remote_doc *d)
{
	uint64_t v;

	switch (key) {
	case 1: return is(ctm_cbor_text(r), reset ? "ctm.reset/1" : "ctm.config/1") ? 0 : r->err ? r->err : CTM_SDK_UNSUPPORTED;
	case 2: d->device = ctm_cbor_text(r); return r->err;
	case 3: d->number = ctm_cbor_uint(r); return r->err;
	case 4: d->not_after_s = ctm_cbor_int(r); return r->err;
	default: break;
	}
	if (reset || key > 6)
		return CTM_SDK_UNSUPPORTED;
	if (key == 5) {
		if (ctm_cbor_peek(r) != CTM_CBOR_ARRAY)
			return CTM_SDK_INPUT;
		d->settings = ctm_cbor_skip(r);
		return r->err;
	}
	v = ctm_cbor_uint(r);
	d->trial_s = (uint32_t)v;
	return r->err ? r->err : v >= 1 && v <= CTM_REMOTE_TRIAL_MAX ? 0 : CTM_SDK_INPUT;
}

int ctm_remote_decode(const uint8_t *p, size_t n, bool reset, struct ctm_remote_doc *out)
{
	struct ctm_cbor_r r = ctm_cbor_reader(p, n);
	unsigned seen = 0;
	size_t pairs;
	int rc;

	if ((rc = ctm_cbor_check(p, n)))
		return rc;
	memset(out, 0, sizeof *out);
	pairs = ctm_cbor_map(&r);
	for (; pairs && !r.err; pairs--) {
		uint64_t key = ctm_cbor_uint(&r);

		if (r.err)
			break;
		if ((rc = take_key(&r, key, reset, out)))
			return rc;
		seen |= 1u << key;
	}
	if ((rc = ctm_cbor_end(&r)))
		return rc;
	return (seen & MUST) == MUST && (reset || out->settings.n) && out->device.n && out->number && out->not_after_s > 0 ? 0 : CTM_SDK_INPUT;
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
	for (int i = 0; i < 8; i++)
		r->reset_counter = r->reset_counter << 8 | b[i];
	r->reset_pending = b[8] != 0;
	return 0;
}

static int keep(struct ctm_remote *r, uint64_t counter, bool pending)
{
	uint8_t b[9];
	int rc;

	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(counter >> (56 - 8 * i));
	b[8] = pending;
	rc = ctm_record_store(r->port, RECORD, b, sizeof b);
	if (!rc) {
		r->reset_counter = counter;
		r->reset_pending = pending;
	}
	return rc;
}

static int refuse(int code, const char *word, const char **why)
{
	if (why)
		*why = word;
	return code;
}

/* Signed, for this device, newer than `last`, not past its end. */
static int open_doc(const struct ctm_remote *r, const uint8_t *msg, size_t n, bool reset, uint64_t last, struct ctm_remote_doc *d, const char **why)
{
	struct ctm_bytes payload;
	int rc = n > CTM_REMOTE_MAX ? CTM_SDK_TOOBIG :
		ctm_cose_sign1_typed(r->port->crypto, msg, n, reset ? CTM_REMOTE_RESET : CTM_REMOTE_CONFIG, r->key, r->keylen, &payload);

	if (rc)
		return refuse(rc, rc == CTM_SDK_VERIFY ? "signature" : "document", why);
	if ((rc = ctm_remote_decode(payload.p, payload.n, reset, d)))
		return refuse(rc, "document", why);
	if (!is(d->device, r->serial) && (reset || !is(d->device, r->cohort)))
		return refuse(CTM_SDK_OTHER, "device", why);
	if (d->number <= last)
		return refuse(CTM_SDK_OLDER, reset ? "counter" : "version", why);
	return ctm_timefloor_now(r->time) > d->not_after_s ? refuse(CTM_SDK_OLDER, "expired", why) : 0;
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
			return refuse(at, "setting", why);
		next[at] = v;
	}
	if (ctm_cbor_end(&in))
		return refuse(CTM_SDK_INPUT, "setting", why);
	rc = ctm_config_change(r->config, &(struct ctm_change){ .values = next, .writer = CTM_WRITER_PLATFORM,
		.trial_s = d.trial_s ? d.trial_s : CTM_CONFIG_TRIAL_S, .document = d.number }, NULL);
	return rc ? refuse(rc, rc == CTM_SDK_INPUT || rc == CTM_SDK_AUTH ? "setting" : "storage", why) : 0;
}

int ctm_remote_reset(struct ctm_remote *r, const uint8_t *msg, size_t n, const char **why)
{
	struct ctm_remote_doc d;
	int rc = open_doc(r, msg, n, true, r->reset_counter, &d, why);

	if (!rc && (rc = keep(r, d.number, true)))
		return refuse(rc, "storage", why);
	return rc;
}

int ctm_remote_reset_done(struct ctm_remote *r)
{
	return keep(r, r->reset_counter, false);
}
