/* SPDX-License-Identifier: Apache-2.0
 *
 * Director statement: see ctm/director.h. Record "director": counter (8 bytes, big-endian) and digest of the last statement.
 */
#include "ctm/director.h"
#include "ctm/cbor.h"
#include "ctm/cose.h"
#include <string.h>

#define RECORD "director"
#define MUST 0x3eu      /* keys 1 to 5 */

static bool is(struct ctm_bytes b, const char *s)
{
	return s && b.n == strlen(s) && memcmp(b.p, s, b.n) == 0;
}

static int take_target(struct ctm_cbor_r *r, const char *component, struct ctm_direction *d)
{
	struct ctm_bytes of, name, digest;
	uint64_t size;

	if (ctm_cbor_array(r) != 4)
		return CTM_SDK_INPUT;
	of = ctm_cbor_text(r);
	name = ctm_cbor_text(r);
	size = ctm_cbor_uint(r);
	digest = ctm_cbor_bytes(r);
	if (r->err)
		return r->err;
	if (!of.n || !name.n || digest.n != CTM_HASH_BYTES || !size)
		return CTM_SDK_INPUT;
	if (!is(of, component))
		return 0;
	if (d->target.n)
		return CTM_SDK_INPUT;   /* two images for one component */
	d->target = name;
	d->size = size;
	memcpy(d->digest, digest.p, CTM_HASH_BYTES);
	return 0;
}

static int take_targets(struct ctm_cbor_r *r, const char *component, struct ctm_direction *d)
{
	size_t n = ctm_cbor_array(r);
	int rc = 0;

	if (n > CTM_DIRECTOR_TARGETS)
		return CTM_SDK_INPUT;
	for (size_t i = 0; i < n && !rc; i++)
		rc = take_target(r, component, d);
	return rc ? rc : r->err;
}

static int take_key(struct ctm_cbor_r *r, uint64_t key, const char *component, struct ctm_direction *d)
{
	switch (key) {
	case 1: return is(ctm_cbor_text(r), CTM_DIRECTOR_FORMAT) ? 0 : r->err ? r->err : CTM_SDK_UNSUPPORTED;
	case 2: d->device = ctm_cbor_text(r); return r->err;
	case 3: d->counter = ctm_cbor_uint(r); return r->err;
	case 4: d->not_after_s = ctm_cbor_int(r); return r->err;
	case 5: return take_targets(r, component, d);
	case 6: d->campaign = ctm_cbor_text(r); return r->err;
	default: return CTM_SDK_UNSUPPORTED;
	}
}

int ctm_direction_decode(const uint8_t *p, size_t n, const char *component, struct ctm_direction *out)
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
		if ((rc = take_key(&r, key, component, out)))
			return rc;
		seen |= 1u << key;
	}
	if ((rc = ctm_cbor_end(&r)))
		return rc;
	return (seen & MUST) == MUST && out->device.n && out->counter && out->not_after_s > 0 ? 0 : CTM_SDK_INPUT;
}

int ctm_direction_encode(const struct ctm_direction *d, const char *component, uint8_t *out, size_t cap, size_t *n)
{
	struct ctm_cbor_w w = ctm_cbor_writer(out, cap);
	int rc;

	ctm_cbor_put_map(&w, 5u + (d->campaign.n != 0));
	ctm_cbor_put_uint(&w, 1);
	ctm_cbor_put_str(&w, CTM_DIRECTOR_FORMAT);
	ctm_cbor_put_uint(&w, 2);
	ctm_cbor_put_text(&w, (const char *)d->device.p, d->device.n);
	ctm_cbor_put_uint(&w, 3);
	ctm_cbor_put_uint(&w, d->counter);
	ctm_cbor_put_uint(&w, 4);
	ctm_cbor_put_int(&w, d->not_after_s);
	ctm_cbor_put_uint(&w, 5);
	ctm_cbor_put_array(&w, d->target.n != 0);
	if (d->target.n) {
		ctm_cbor_put_array(&w, 4);
		ctm_cbor_put_str(&w, component);
		ctm_cbor_put_text(&w, (const char *)d->target.p, d->target.n);
		ctm_cbor_put_uint(&w, d->size);
		ctm_cbor_put_bytes(&w, d->digest, CTM_HASH_BYTES);
	}
	if (d->campaign.n) {
		ctm_cbor_put_uint(&w, 6);
		ctm_cbor_put_text(&w, (const char *)d->campaign.p, d->campaign.n);
	}
	rc = ctm_cbor_done(&w);
	if (!rc)
		*n = w.len;
	return rc;
}

int ctm_director_load(struct ctm_director *d)
{
	uint8_t b[8 + CTM_HASH_BYTES];
	size_t n = 0;
	int rc = ctm_record_load(d->port, RECORD, b, sizeof b, &n);

	d->wanted = false;
	d->counter = 0;
	if (rc)
		return rc == CTM_SDK_NONE ? 0 : rc;
	if (n != sizeof b)
		return CTM_SDK_STORAGE;
	for (int i = 0; i < 8; i++)
		d->counter = d->counter << 8 | b[i];
	memcpy(d->seen, b + 8, CTM_HASH_BYTES);
	return 0;
}

static int keep(struct ctm_director *d, uint64_t counter, const uint8_t digest[CTM_HASH_BYTES])
{
	uint8_t b[8 + CTM_HASH_BYTES];
	int rc;

	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(counter >> (56 - 8 * i));
	memcpy(b + 8, digest, CTM_HASH_BYTES);
	if ((rc = ctm_record_store(d->port, RECORD, b, sizeof b)))
		return rc;
	d->counter = counter;
	memcpy(d->seen, digest, CTM_HASH_BYTES);
	return 0;
}

static int refuse(int code, const char *word, const char **why)
{
	if (why)
		*why = word;
	return code;
}

int ctm_director_take(struct ctm_director *d, const uint8_t *msg, size_t n, const char **why)
{
	uint8_t digest[CTM_HASH_BYTES];
	struct ctm_direction s;
	struct ctm_bytes payload;
	int rc = n > CTM_DIRECTOR_MAX ? CTM_SDK_TOOBIG :
		ctm_cose_sign1_typed(d->port->crypto, msg, n, CTM_DIRECTOR_TYPE, d->key, d->keylen, &payload);

	if (rc)
		return refuse(rc, rc == CTM_SDK_VERIFY ? "director-signature" : "director", why);
	/* Over the payload: a signature may be made twice over the same words. */
	if ((rc = ctm_direction_decode(payload.p, payload.n, d->component, &s)) ||
	    (rc = ctm_sdk_sha256(d->port->crypto, payload.p, payload.n, digest)))
		return refuse(rc, "director", why);
	if (!is(s.device, d->serial) && !is(s.device, d->cohort))
		return refuse(CTM_SDK_OTHER, "device", why);
	if (s.counter < d->counter || (s.counter == d->counter && !ctm_sdk_same(digest, d->seen, sizeof digest)))
		return refuse(CTM_SDK_OLDER, "director-counter", why);
	if (ctm_timefloor_now(d->time) > s.not_after_s)
		return refuse(CTM_SDK_OLDER, "expired", why);
	if (s.counter > d->counter && (rc = keep(d, s.counter, digest)))
		return refuse(rc, "storage", why);
	d->wanted = s.target.n != 0;
	d->size = s.size;
	d->not_after_s = s.not_after_s;
	memcpy(d->digest, s.digest, CTM_HASH_BYTES);
	return 0;
}

int ctm_director_agrees(const struct ctm_director *d, const struct ctm_manifest *m, const char **why)
{
	if (!d->wanted)
		return refuse(CTM_SDK_STATE, "director", why);
	if (ctm_timefloor_now(d->time) > d->not_after_s)
		return refuse(CTM_SDK_OLDER, "expired", why);
	return m->size == d->size && ctm_sdk_same(m->digest, d->digest, CTM_HASH_BYTES) ? 0 : refuse(CTM_SDK_OTHER, "director", why);
}
