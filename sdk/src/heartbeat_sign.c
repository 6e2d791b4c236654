/* SPDX-License-Identifier: Apache-2.0
 *
 * Heartbeats through a gateway, signed by the device; apart from heartbeat.c because a device with TLS of its own links none of
 * this: see ctm/heartbeat.h.
 */
#include "ctm/cose.h"
#include "ctm/heartbeat.h"
#include <string.h>

int ctm_heartbeat_sign(const struct ctm_port *port, const uint8_t pub[CTM_PUB_MAX], const uint8_t *beat, size_t n, uint8_t *out, size_t cap,
		       size_t *outlen)
{
	return ctm_cose_sign1_sign(port->sign, port->ctx, CTM_COSE_ES256, pub + 1, CTM_PUB_MAX - 1, CTM_HEARTBEAT_TYPE, beat, n, out, cap, outlen);
}

int ctm_heartbeat_open(const struct ctm_crypto *c, const uint8_t *msg, size_t n, uint8_t pub[CTM_PUB_MAX], struct ctm_bytes *beat)
{
	uint8_t key[CTM_PUB_MAX] = { 4 };
	struct ctm_cose1 o;
	int rc = ctm_cose_sign1_peek(msg, n, &o);

	if (rc)
		return rc;
	if (o.alg != CTM_COSE_ES256 || o.kidlen != CTM_PUB_MAX - 1 || o.content_typelen != strlen(CTM_HEARTBEAT_TYPE) ||
	    memcmp(o.content_type, CTM_HEARTBEAT_TYPE, o.content_typelen) != 0)
		return CTM_SDK_UNSUPPORTED;
	memcpy(key + 1, o.kid, o.kidlen);
	if ((rc = ctm_cose_sign1_verify(c, msg, n, &o, key, sizeof key)))
		return rc;
	memcpy(pub, key, sizeof key);
	beat->p = o.payload;
	beat->n = o.payloadlen;
	return 0;
}
