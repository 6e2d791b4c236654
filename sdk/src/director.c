/* SPDX-License-Identifier: Apache-2.0
 *
 * Director statement: see ctm/director.h. Record "director": counter (8 bytes, big-endian) and digest of the last statement.
 */
#include "ctm/director.h"
#include "ctm/cbor.h"
#include "ctm/cose.h"
#include "ctm/order.h"
#include <string.h>

#define RECORD "director"

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
	if (!ctm_sdk_is(of, component))
		return 0;
	if (d->target.n)
		return CTM_SDK_INPUT;   /* two images for one component */
	d->target = name;
	d->size = size;
	memcpy(d->digest, digest.p, CTM_HASH_BYTES);
	return 0;
}

/* What the order says beyond what all orders say. */
static int take_rest(const struct ctm_order *o, const char *component, struct ctm_direction *d)
{
	struct ctm_cbor_r r = ctm_cbor_reader(o->fifth.p, o->fifth.n), c = ctm_cbor_reader(o->sixth.p, o->sixth.n);
	size_t n = ctm_cbor_array(&r);
	int rc = n > CTM_DIRECTOR_TARGETS ? CTM_SDK_INPUT : 0;

	memset(d, 0, sizeof *d);
	d->device = o->device;
	d->counter = o->number;
	d->not_after_s = o->not_after_s;
	while (n-- && !rc)
		rc = take_target(&r, component, d);
	if (o->sixth.n)
		d->campaign = ctm_cbor_text(&c);
	return rc ? rc : r.err ? CTM_SDK_INPUT : c.err;
}

int ctm_direction_decode(const uint8_t *p, size_t n, const char *component, struct ctm_direction *out)
{
	struct ctm_order o;
	int rc = ctm_order_decode(p, n, CTM_DIRECTOR_FORMAT, &o);

	return rc ? rc : take_rest(&o, component, out);
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
	d->counter = ctm_sdk_get(b, 8);
	memcpy(d->seen, b + 8, CTM_HASH_BYTES);
	return 0;
}

static int keep(struct ctm_director *d, uint64_t counter, const uint8_t digest[CTM_HASH_BYTES])
{
	uint8_t b[8 + CTM_HASH_BYTES];
	int rc;

	ctm_sdk_put(b, counter, 8);
	memcpy(b + 8, digest, CTM_HASH_BYTES);
	if ((rc = ctm_record_store(d->port, RECORD, b, sizeof b)))
		return rc;
	d->counter = counter;
	memcpy(d->seen, digest, CTM_HASH_BYTES);
	return 0;
}

int ctm_director_take(struct ctm_director *d, const uint8_t *msg, size_t n, const char **why)
{
	const struct ctm_order_door door = { d->port, d->time, d->key, d->keylen, d->serial, d->cohort, CTM_DIRECTOR_MAX, CTM_DIRECTOR_TYPE,
					     CTM_DIRECTOR_FORMAT };
	uint8_t digest[CTM_HASH_BYTES];
	struct ctm_direction s;
	struct ctm_order o;
	struct ctm_bytes payload;
	int rc = ctm_order_open(&door, msg, n, d->counter, &o, &payload, why);

	if (rc)
		return rc;
	/* Over the payload: a signature may be made twice over the same words. */
	if ((rc = take_rest(&o, d->component, &s)) || (rc = ctm_sdk_sha256(d->port->crypto, payload.p, payload.n, digest)))
		return ctm_sdk_refuse(rc, "document", why);
	if (s.counter == d->counter && !ctm_sdk_same(digest, d->seen, sizeof digest))
		return ctm_sdk_refuse(CTM_SDK_OLDER, "number", why);
	if (s.counter > d->counter && (rc = keep(d, s.counter, digest)))
		return ctm_sdk_refuse(rc, "storage", why);
	d->wanted = s.target.n != 0;
	d->size = s.size;
	d->not_after_s = s.not_after_s;
	memcpy(d->digest, s.digest, CTM_HASH_BYTES);
	return 0;
}

int ctm_director_agrees(const struct ctm_director *d, const struct ctm_manifest *m, const char **why)
{
	if (!d->wanted)
		return ctm_sdk_refuse(CTM_SDK_STATE, "director", why);
	if (ctm_timefloor_now(d->time) > d->not_after_s)
		return ctm_sdk_refuse(CTM_SDK_OLDER, "expired", why);
	return m->size == d->size && ctm_sdk_same(m->digest, d->digest, CTM_HASH_BYTES) ? 0 : ctm_sdk_refuse(CTM_SDK_OTHER, "director", why);
}
