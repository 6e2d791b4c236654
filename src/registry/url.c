/* SPDX-License-Identifier: Apache-2.0
 *
 * Local addresses, by name alone: nothing is looked up.
 */
#include "registry/url.h"
#include <string.h>

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
