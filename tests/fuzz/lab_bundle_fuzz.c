/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that come to a lab or a CLA from outside: an evidence bundle (b), its tar layer (t), the lines of a trace (l). The first
 * byte says which.
 */
#include "lab/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ctm_err err = { 0 };

	if (n < 1)
		return 0;
	if (p[0] == 'b') {
		CTM_AUTO_BUNDLE *b = NULL;
		(void)!ctm_bundle_read(p + 1, n - 1, NULL, &b, &err);
	} else if (p[0] == 't') {
		struct ctm_tar t = { 0 };
		if (ctm_tar_read(p + 1, n - 1, &t, &err) == 0)
			ctm_tar_free(&t);
	} else if (p[0] == 'l') {
		CTM_AUTO_TRACE *t = NULL;
		if (ctm_trace_new("sha256:0000000000000000000000000000000000000000000000000000000000000000", &t, &err) == 0)
			(void)!ctm_trace_load(t, (const char *)p + 1, n - 1, &err);
	}
	return 0;
}
