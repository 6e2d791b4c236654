/* SPDX-License-Identifier: Apache-2.0
 * Bundles given to the lab desk: an entry that is found lies inside the archive. */
#include "lab/desk/ustar.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const char *names[] = { "plan.json", "report.json", "" }, *at = NULL;
	struct ctm_err err = { 0 };
	size_t len = 0;
	char *exact = malloc(n ? n : 1);     /* so that a byte read past the end is seen */
	if (!exact)
		return 0;
	memcpy(exact, p, n);
	for (size_t i = 0; i < 3; i++, ctm_err_clear(&err))
		if (!ctm_ustar_find(exact, n, names[i], &at, &len, &err) && (at < exact || len > n || (size_t)(at - exact) > n - len))
			abort();
	free(exact);
	return 0;
}
