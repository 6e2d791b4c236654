/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed keys of a backup: nothing opens that was not sealed under this passphrase, costs beyond the limits are refused before any work.
 * Costs within the limits that would make one input take long are left to the unit test.
 */
#include "crypto/seal.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define COST_AT strlen("ctm-seal/1\n")

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t be64(const uint8_t *p)
{
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[] = "a passphrase of the test";
	struct ctm_buf pass = { .p = text, .len = sizeof text - 1, .cap = sizeof text, .max = sizeof text };
	CTM_AUTO_BUF out = CTM_BUF(CTM_SEAL_MAX);
	struct ctm_err e = { 0 };

	if (size >= COST_AT + 16) {
		uint64_t ops = be64(data + COST_AT), mem = be64(data + COST_AT + 8);
		if (ops <= CTM_SEAL_OPS_MAX && mem <= CTM_SEAL_MEM_MAX && (ops > 2 || mem > 1 << 20))
			return 0;
	}
	if (ctm_unseal(&pass, data, size, &out, &e) == 0 || !e.msg[0])
		abort();
	return 0;
}
