/* SPDX-License-Identifier: Apache-2.0
 *
 * Local addresses, by name alone: nothing is looked up. The host is read as browsers read it (WHATWG URL): what stands before an
 * @ is no host, capitals are small letters, a dot at the end is none, and a last label that is a number makes the whole an
 * address. What is not plainly a public name is local: a label too many marked SPECIMEN does no harm, one too few does.
 */
#include "registry/url.h"
#include "base/text.h"
#include <string.h>

#define HOST_MAX 256

/* Names that never lead across the internet: RFC 2606, 6761, 6762 (appendix G too), 7686, 8375, 9476. */
static const char *const ends[] = { "localhost", "local", "internal", "home.arpa", "in-addr.arpa", "ip6.arpa", "test", "example", "invalid", "onion", "alt", "localdomain",
	"lan", "home", "corp", "private", "intranet", "example.com", "example.net", "example.org" };

static bool ends_with(const char *host, const char *end)
{
	size_t n = strlen(host), k = strlen(end);

	return n >= k && !strcmp(host + n - k, end) && (n == k || host[n - k - 1] == '.');
}

/* The host in small letters without the dot at its end; false when it is no plain name. */
static bool plain_host(const char *p, size_t n, char host[HOST_MAX])
{
	if (n && p[n - 1] == '.')
		n--;
	if (n == 0 || n >= HOST_MAX || p[0] == '.' || p[n - 1] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = (char)(p[i] >= 'A' && p[i] <= 'Z' ? p[i] + 32 : p[i]);
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.') || (c == '.' && p[i - 1] == '.'))
			return false;
		host[i] = c;
	}
	host[n] = '\0';
	return true;
}

bool ctm_url_local(const char *url)
{
	char host[HOST_MAX];
	size_t skip = ctm_starts(url, "https://") ? 8 : ctm_starts(url, "http://") ? 7 : 0, all = strcspn(url + skip, "/?#");

	if (!skip || strchr(url, '\\') || memchr(url + skip, '@', all) || !plain_host(url + skip, strcspn(url + skip, ":/?#"), host))
		return true;
	const char *last = strrchr(host, '.');
	if (!last)                                                 /* a name without a dot is of this network */
		return true;
	last++;
	if (strspn(last, "0123456789") == strlen(last) || ctm_starts(last, "0x"))       /* 127.1, 10.0.0.7, 0x7f.0x1 */
		return true;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (ends_with(host, ends[i]))
			return true;
	return false;
}
