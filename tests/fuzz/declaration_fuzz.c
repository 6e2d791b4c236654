/* SPDX-License-Identifier: Apache-2.0
 * Declarations and registry fields from makers: refusals name a pointer, and a checked declaration can be compared with a release. */
#include "product/declaration.h"
#include "product/registry_fields.h"
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	CTM_AUTO_JSON *doc = NULL;
	struct ctm_err err = { 0 };
	if (ctm_json_parse((const char *)p, n, CTM_DECLARATION_MAX, "fuzz", &doc, &err))
		return 0;
	if (!ctm_decl_check(doc, "fuzz", &err)) {
		struct ctm_err why = { 0 };
		if (ctm_decl_fits(doc, "maker", "model", "1", &why) && !why.field[0])
			abort();
	} else if (!err.msg[0])
		abort();
	ctm_err_clear(&err);
	if (ctm_registry_fields_check(doc, "fuzz", &err) && !err.msg[0])
		abort();
	return 0;
}
