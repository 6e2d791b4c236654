/* SPDX-License-Identifier: Apache-2.0
 *
 * Names and words of the error list, and the small helpers that every module needs.
 */
#include "ctm/crypto.h"
#include <string.h>

static const struct {
	int code;
	const char *name, *text;
} rows[] = {
#define X(name, value, text) { (value), #name, (text) },
	CTM_SDK_ERRORS(X)
#undef X
};

static size_t row(int code)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].code == code)
			return i;
	return 1;
}

const char *ctm_sdk_name(int code)
{
	return rows[row(code)].name;
}

const char *ctm_sdk_text(int code)
{
	return rows[row(code)].text;
}

int ctm_sdk_sha256(const struct ctm_crypto *c, const void *p, size_t n, uint8_t out[CTM_HASH_BYTES])
{
	struct ctm_hash h;
	int rc = c->sha256_init(&h), rc2;

	if (rc)
		return rc;
	rc = c->sha256_update(&h, p, n);
	rc2 = c->sha256_final(&h, out);
	return rc ? rc : rc2;
}

int ctm_sdk_same(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t d = 0;

	for (size_t i = 0; i < n; i++)
		d |= (uint8_t)(x[i] ^ y[i]);
	return d == 0;
}

void ctm_sdk_wipe(void *p, size_t n)
{
	volatile uint8_t *x = p;

	while (n--)
		*x++ = 0;
}

/* Long division by shifting: 42 bits are as many as UINT32_MAX seconds have milliseconds. */
uint32_t ctm_sdk_seconds(int64_t ms)
{
	uint64_t left = ms < 0 ? 0 : (uint64_t)ms;
	uint32_t s = 0;

	if (left >> 42)
		return UINT32_MAX;
	for (int i = 31; i >= 0; i--)
		if (left >= (uint64_t)1000 << i) {
			left -= (uint64_t)1000 << i;
			s |= (uint32_t)1 << i;
		}
	return s;
}

void ctm_sdk_put(uint8_t *p, uint64_t v, int n)
{
	while (n--) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

uint64_t ctm_sdk_get(const uint8_t *p, int n)
{
	uint64_t v = 0;

	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

int ctm_sdk_is(struct ctm_bytes b, const char *s)
{
	return s && strlen(s) == b.n && memcmp(b.p, s, b.n) == 0;
}

int ctm_sdk_refuse(int code, const char *word, const char **why)
{
	if (why)
		*why = word;
	return code;
}
