/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"
#include <stdio.h>
#include <string.h>

static bool plain(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr("_.-~", c));
}

int tuf_quote(const char *s, size_t n, const char *keep, char *out, size_t cap)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		bool as_is = plain(s[i]) || (s[i] && strchr(keep, s[i]));

		if (cap - at < (as_is ? 2u : 4u))
			return CTM_SDK_TOOBIG;
		if (as_is) {
			out[at++] = s[i];
			continue;
		}
		out[at++] = '%';
		out[at++] = hex[(unsigned char)s[i] >> 4];
		out[at++] = hex[(unsigned char)s[i] & 15];
	}
	out[at] = 0;
	return 0;
}

static int hex_digest(const struct ctm_tuf_crypto *c, const char *s, size_t n, char out[65])
{
	struct ctm_hash h;
	uint8_t d[CTM_TUF_DIGEST_MAX];
	int rc = c->hash_init(&h, CTM_TUF_SHA256), end;

	if (rc)
		return rc;
	rc = c->hash_update(&h, s, n);
	end = c->hash_final(&h, d);
	for (int i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", d[i]);
	return rc ? rc : end;
}

int tuf_file_name(const struct ctm_tuf_crypto *c, const char *s, size_t n, const char *suffix, char *out, size_t cap)
{
	char name[CTM_TUF_FILE_MAX + 1] = "", hex[65];
	int rc = tuf_quote(s, n, "", name, sizeof name);

	if (rc == CTM_SDK_TOOBIG && !(rc = hex_digest(c, s, n, hex)))
		snprintf(name, sizeof name, "%%%s", hex);
	if (rc)
		return rc;
	return snprintf(out, cap, "%s%s", name, suffix) < (int)cap ? 0 : CTM_SDK_TOOBIG;
}

/* Bytes of the character at s. */
static size_t step(const char *s, const char *end)
{
	size_t n = 1;

	while (s + n < end && ((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* One part of a path, no '/' in either. On a mismatch the last star takes one character more. */
static bool glob_part(const char *p, const char *pend, const char *s, const char *send)
{
	const char *star = NULL, *mark = NULL;

	while (s < send) {
		if (p < pend && *p == '*') {
			star = ++p;
			mark = s;
		} else if (p < pend && *p == '?') {
			p++;
			s += step(s, send);
		} else if (p < pend && *p == *s) {
			p++;
			s++;
		} else if (star) {
			p = star;
			s = mark += step(mark, send);
		} else {
			return false;
		}
	}
	while (p < pend && *p == '*')
		p++;
	return p == pend;
}

bool tuf_glob(const char *pattern, size_t pn, const char *path, size_t n)
{
	const char *p = pattern, *pend = pattern + pn, *s = path, *send = path + n;

	for (;;) {
		const char *pe = memchr(p, '/', (size_t)(pend - p)), *se = memchr(s, '/', (size_t)(send - s));

		if (!pe != !se || !glob_part(p, pe ? pe : pend, s, se ? se : send))
			return false;
		if (!pe)
			return true;
		p = pe + 1;
		s = se + 1;
	}
}

bool tuf_hash_prefix(const struct ctm_tuf_crypto *c, const char *prefix, size_t pn, const char *path, size_t n)
{
	char hex[65];

	return pn <= 64 && !hex_digest(c, path, n, hex) && !memcmp(hex, prefix, pn);
}
