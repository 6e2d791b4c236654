/* SPDX-License-Identifier: Apache-2.0
 *
 * Heartbeats from outside, plain and signed. What decodes encodes to the same bytes.
 */
#include "ctm/heartbeat.h"
#include "ctm/openssl.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t again[4096], pub[CTM_PUB_MAX];
	struct ctm_heartbeat h;
	struct ctm_bytes beat;
	size_t n = 0;

	if (ctm_heartbeat_decode(data, size, &h) == 0)
		if (ctm_heartbeat_encode(&h, again, sizeof again, &n) || n != size || memcmp(again, data, n) != 0)
			abort();
	if (ctm_heartbeat_open(ctm_openssl_crypto(), data, size, pub, &beat) == 0)
		(void)ctm_heartbeat_decode(beat.p, beat.n, &h);
	return 0;
}
