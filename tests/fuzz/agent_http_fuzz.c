/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's HTTP heads, both ways. Besides not breaking: a head that is taken lies inside the bytes, ends with a blank line, has
 * a clean path, and is taken alike when more bytes follow it.
 */
#include "http.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct http_req q, again;
	struct http_res s;
	size_t n = 0, m = 0;

	if (http_parse_request(p, size, &q, &n) == 0) {
		must(n <= size && n >= 4 && memcmp(p + n - 4, "\r\n\r\n", 4) == 0);
		must(q.path[0] == '/' && !strstr(q.path, "/../") && !strchr(q.path, '%') && q.length >= 0);
		must(http_parse_request(p, n, &again, &m) == 0 && m == n && strcmp(q.path, again.path) == 0 && q.length == again.length);
	}
	if (http_parse_response(p, size, &s, &n) == 0)
		must(n <= size && s.status >= 200 && s.status <= 599 && s.length >= -1);
	return 0;
}
