/* SPDX-License-Identifier: Apache-2.0
 *
 * Status of a record as the public is told it. The law's end of an authorisation comes first, then the scheme's (expiry), then the
 * end of support, which 47 CFR 8.222(b)(9) wants shown even though the authorisation stands.
 */
#include "registry/registry.h"
#include "base/text.h"
#include "http/tpl.h"
#include <stdio.h>
#include <string.h>

const char *ctm_record_status(const char *stored, const ctm_json *content, const char *today)
{
	const char *to = ctm_json_gets(ctm_json_get(content, "certificate"), "valid_to");
	const char *end = ctm_json_gets(ctm_json_get(ctm_json_get(content, "fields"), "support"), "end_date");

	if (strcmp(stored, "authorised"))
		return stored;
	if (to && strcmp(to, today) < 0)
		return "expired";
	if (end && strcmp(end, today) < 0)
		return "unsupported";
	return stored;
}

const char *ctm_record_answer(const char *status, const char *locale)
{
	char key[64];

	snprintf(key, sizeof key, "record.answer.%s", status);
	return ctm_tpl_message(key, locale);
}
