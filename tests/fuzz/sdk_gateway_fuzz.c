/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway between two strangers: a message from the device (bytes 0 and 1 say how long it is), and the rest is what the platform
 * answers. Questions, answers and a device's word about itself; what goes back to the device must be one CBOR item of ours.
 */
#include "gateway.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *reply;
static size_t reply_n;

/* In the place of https.c. */
int https_post(const struct conf *c, const char *path, const char *type, const void *body, size_t n, long *status, char *answer, size_t cap)
{
	if (!reply_n)
		return -1;
	*status = reply[0] & 1 ? 200 : 100 + reply[0];
	n = reply_n - 1 < cap - 1 ? reply_n - 1 : cap - 1;
	memcpy(answer, reply + 1, n);
	answer[n] = 0;
	return 0;
}

int64_t now_ms(void)
{
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gateway g;
	struct ctm_cbor_r r;
	size_t n = size >= 2 ? (size_t)data[0] << 8 | data[1] : 0;

	if (size < 2 || n > size - 2 || n > sizeof g.in)
		return 0;
	memset(&g, 0, sizeof g);
	memcpy(g.in, data + 2, n);
	g.in_n = n;
	reply = data + 2 + n;
	reply_n = size - 2 - n;
	n = relay(&g);
	if (n && ctm_cbor_check(g.out, n))
		abort();
	deliver_answered(&g);
	r = ctm_cbor_reader(g.in, g.in_n);
	json_decref(device_state_json(&r));
	return 0;
}
