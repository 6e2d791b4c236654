/* SPDX-License-Identifier: Apache-2.0
 * Bills of materials from makers: any bytes are read or refused with a sentence, and what is read has a summary. */
#include "sbom/cyclonedx.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	CTM_AUTO_JSON *out = NULL;
	struct ctm_err err = { 0 };
	int rc = ctm_cyclonedx_read((const char *)p, n, "sbom", &out, &err);
	if (rc ? !err.msg[0] || out : !ctm_json_get(out, "counts"))
		abort();
	return 0;
}
