/* SPDX-License-Identifier: Apache-2.0
 * Forms: whatever comes, what is accepted is clean text, each name once, and encoding it again gives the same pairs. */
#include "base/text.h"
#include "http/form.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	CTM_AUTO_ARENA *a = ctm_arena_new(1 << 22);
	struct ctm_pairs p = { .n = 0 }, again = { .n = 0 };
	if (n > 65536 || !a || ctm_form_parse((const char *)data, n, a, &p, NULL))
		return 0;
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	for (size_t i = 0; i < p.n; i++) {
		if (!ctm_utf8_valid(p.at[i].value, p.at[i].len) || strlen(p.at[i].value) != p.at[i].len || !*p.at[i].name)
			abort();
		for (size_t j = 0; j < i; j++)
			if (!strcmp(p.at[i].name, p.at[j].name))
				abort();
		ctm_buf_str(&b, i ? "&" : "");
		ctm_url_escape(&b, p.at[i].name, strlen(p.at[i].name));
		ctm_buf_chr(&b, '=');
		ctm_url_escape(&b, p.at[i].value, p.at[i].len);
	}
	if (ctm_form_parse(ctm_buf_cstr(&b), b.len, a, &again, NULL) || again.n != p.n)
		abort();
	for (size_t i = 0; i < p.n; i++)
		if (strcmp(p.at[i].name, again.at[i].name) || strcmp(p.at[i].value, again.at[i].value))
			abort();
	return 0;
}
