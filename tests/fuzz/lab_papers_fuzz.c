/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON papers that a lab takes from outside: a maker's declaration (d) and the catalogue that travels in a stranger's bundle (c).
 * The first byte says which. Refused with a reason, or taken; every name may be used, since the file decides nothing about code.
 */
#include "lab/plan.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool any(const char *name) { return *name != 0; }

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct ctm_lab_catalogue_names names = { .probe = any, .judge = any };
	struct ctm_err err = { 0 };
	ctm_json *v = NULL;

	if (n < 1 || ctm_json_parse((const char *)p + 1, n - 1, 1 << 20, "paper", &v, NULL))
		return 0;
	if (p[0] == 'c') {
		CTM_AUTO_LAB_CATALOGUE *cat = NULL;
		int rc = ctm_lab_catalogue_parse(v, "paper", &names, &cat, &err);
		if (rc ? cat || !err.code : !cat)
			abort();
		return 0;
	}
	if (ctm_declaration_check(v, "paper", &err) && !err.code)
		abort();
	ctm_json_free(v);
	return 0;
}
