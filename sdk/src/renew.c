/* SPDX-License-Identifier: Apache-2.0
 *
 * Renewal: see ctm/renew.h. Records: "identity", length of the key (2 bytes, big-endian), key, certificate; "identity.next", a key.
 */
#include "ctm/renew.h"
#include <string.h>

#define PAIR "identity"
#define NEXT "identity.next"

int ctm_renew_load(const struct ctm_port *port, uint8_t *buf, size_t cap, struct ctm_bytes *key, struct ctm_bytes *cert)
{
	size_t n = 0, k;
	int rc = ctm_record_load(port, PAIR, buf, cap, &n);

	if (rc)
		return rc;
	k = n >= 2 ? (size_t)buf[0] << 8 | buf[1] : n;
	if (k + 2 > n)
		return CTM_SDK_STORAGE;
	*key = (struct ctm_bytes){ buf + 2, k };
	*cert = (struct ctm_bytes){ buf + 2 + k, n - 2 - k };
	return 0;
}

int ctm_renew_begin(const struct ctm_port *port, const uint8_t *key, size_t n)
{
	return n > UINT16_MAX ? CTM_SDK_TOOBIG : ctm_record_store(port, NEXT, key, n);
}

int ctm_renew_waiting(const struct ctm_port *port, uint8_t *key, size_t cap, size_t *n)
{
	return ctm_record_load(port, NEXT, key, cap, n);
}

int ctm_renew_switch(const struct ctm_port *port, const uint8_t *cert, size_t n, uint8_t *buf, size_t cap)
{
	size_t k = 0;
	int rc = cap < 2 ? CTM_SDK_TOOBIG : ctm_renew_waiting(port, buf + 2, cap - 2, &k);

	if (!rc && n > cap - 2 - k)
		rc = CTM_SDK_TOOBIG;
	if (rc)
		return rc;
	buf[0] = (uint8_t)(k >> 8);
	buf[1] = (uint8_t)k;
	memcpy(buf + 2 + k, cert, n);
	rc = ctm_record_store(port, PAIR, buf, 2 + k + n);
	ctm_sdk_wipe(buf, cap);
	return rc ? rc : ctm_record_erase(port, NEXT);
}
