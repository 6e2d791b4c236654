/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk over 512-byte blocks. Every length is checked against what is left before it is used; checksums are checked, so
 * that a shifted or cut archive is told apart from one without the entry.
 */
#include "lab/desk/ustar.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BLOCK 512

/* Octal digits, ended by NUL or blank. Returns false on anything else. */
static bool octal(const char *p, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = 0;
	for (; i < n && p[i] >= '0' && p[i] <= '7'; i++)
		v = v * 8 + (uint64_t)(p[i] - '0');
	if (i == 0 || i > 20 || (i < n && p[i] != '\0' && p[i] != ' '))
		return false;
	*out = v;
	return true;
}

static bool sum_ok(const char *h)
{
	uint64_t want, sum = 0;
	for (size_t i = 0; i < BLOCK; i++)
		sum += i >= 148 && i < 156 ? ' ' : (unsigned char)h[i];
	return octal(h + 148, 8, &want) && want == sum;
}

int ctm_ustar_find(const char *p, size_t n, const char *name, const char **out, size_t *len, struct ctm_err *err)
{
	size_t at = 0;
	while (n - at >= BLOCK && p[at]) {
		const char *h = p + at;
		uint64_t size;
		if (memcmp(h + 257, "ustar", 5) || !sum_ok(h) || !octal(h + 124, 12, &size) || size > n - at - BLOCK)
			return ctm_fail(err, CTM_E_SYNTAX, "bundle", NULL, "the bundle is not a whole ustar archive (byte %zu)", at);
		if ((h[156] == '0' || h[156] == '\0') && !h[345] && strnlen(h, 100) == strlen(name) && !memcmp(h, name, strlen(name))) {
			*out = h + BLOCK;
			*len = (size_t)size;
			return 0;
		}
		uint64_t step = BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
		if (step > n - at)
			break;
		at += (size_t)step;
	}
	return ctm_fail(err, CTM_E_NOTFOUND, name, NULL, "the bundle has no entry %s", name);
}
