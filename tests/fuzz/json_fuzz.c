/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON: any bytes are accepted or refused with a printable reason; what is accepted and written canonically reads back as
 * the same bytes.
 */
#include "base/json.h"
#include "base/text.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CTM_AUTO_JSON *v = NULL;
	CTM_AUTO_JSON *again = NULL;
	CTM_AUTO_BUF one = CTM_BUF(8 << 20);
	CTM_AUTO_BUF two = CTM_BUF(8 << 20);
	struct ctm_err e = { 0 };
	if (ctm_json_parse((const char *)data, size, 1 << 20, "input", &v, &e)) {
		if (v || !e.code || !e.msg[0] || !ctm_utf8_valid(e.msg, strlen(e.msg)) || !ctm_utf8_valid(e.field, strlen(e.field)))
			abort();
		return 0;
	}
	if (ctm_json_pretty(v, &two))
		abort();
	ctm_buf_reset(&two);
	int rc = ctm_json_canonical(v, &one);
	if (rc == CTM_E_INPUT)
		return 0;                              /* a real number */
	if (rc || ctm_json_parse(one.p, one.len, 8 << 20, "again", &again, NULL) || ctm_json_canonical(again, &two))
		abort();
	if (one.len != two.len || memcmp(one.p, two.p, one.len) != 0)
		abort();
	return 0;
}
