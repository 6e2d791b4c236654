/* SPDX-License-Identifier: Apache-2.0
 *
 * Orders: see ctm/order.h. Since the wire is deterministic, keys come in ascending order and the first four are always there.
 */
#include "ctm/order.h"
#include "ctm/cbor.h"
#include "ctm/cose.h"
#include <string.h>

int ctm_order_decode(const uint8_t *p, size_t n, const char *format, struct ctm_order *out)
{
	struct ctm_cbor_r r = ctm_cbor_reader(p, n);
	size_t pairs;
	int rc = ctm_cbor_check(p, n);

	if (rc)
		return rc;
	memset(out, 0, sizeof *out);
	pairs = ctm_cbor_map(&r);
	for (uint64_t key = 1; key <= 4 && !r.err; key++) {
		if (ctm_cbor_uint(&r) != key)
			return CTM_SDK_INPUT;
		if (key == 1 && !ctm_sdk_is(ctm_cbor_text(&r), format))
			return CTM_SDK_UNSUPPORTED;
		if (key == 2)
			out->device = ctm_cbor_text(&r);
		if (key == 3)
			out->number = ctm_cbor_uint(&r);
		if (key == 4)
			out->not_after_s = ctm_cbor_int(&r);
	}
	for (; pairs > 4 && !r.err; pairs--) {
		uint64_t key = ctm_cbor_uint(&r);

		if (key != 5 && key != 6)
			return CTM_SDK_UNSUPPORTED;
		*(key == 5 ? &out->fifth : &out->sixth) = ctm_cbor_skip(&r);
	}
	rc = ctm_cbor_end(&r);
	return rc ? rc : out->device.n && out->number && out->number <= INT64_MAX && out->not_after_s > 0 ? 0 : CTM_SDK_INPUT;
}

int ctm_order_open(const struct ctm_order_door *door, const uint8_t *msg, size_t n, uint64_t least, struct ctm_order *out,
		   struct ctm_bytes *payload, const char **why)
{
	int rc = n > door->max ? CTM_SDK_TOOBIG : ctm_cose_sign1_typed(door->port->crypto, msg, n, door->type, door->key, door->keylen, payload);

	if (rc == CTM_SDK_VERIFY)
		return ctm_sdk_refuse(rc, "signature", why);
	if (rc || (rc = ctm_order_decode(payload->p, payload->n, door->format, out)))
		return ctm_sdk_refuse(rc, "document", why);
	if (!ctm_sdk_is(out->device, door->serial) && !ctm_sdk_is(out->device, door->cohort))
		return ctm_sdk_refuse(CTM_SDK_OTHER, "device", why);
	if (out->number < least)
		return ctm_sdk_refuse(CTM_SDK_OLDER, "number", why);
	return ctm_timefloor_now(door->time) > out->not_after_s ? ctm_sdk_refuse(CTM_SDK_OLDER, "expired", why) : 0;
}
