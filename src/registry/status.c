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

bool ctm_url_local(const char *url)
{
	static const char *const ends[] = { ".localhost", ".local", ".internal", ".home.arpa", ".test", ".example", ".invalid" };
	const char *host = strstr(url, "://");

	if (!host)
		return true;
	host += 3;
	size_t n = strcspn(host, ":/?#");
	if (*host == '[' || strspn(host, "0123456789.") >= n)      /* a label carries a name; numbers are of this network */
		return true;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (n >= strlen(ends[i]) && !strncmp(host + n - strlen(ends[i]), ends[i], strlen(ends[i])))
			return true;
	return !memchr(host, '.', n);                              /* and so are names without a dot */
}
