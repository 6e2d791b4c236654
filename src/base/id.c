/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifiers. Randomness comes from the kernel only; a program that cannot have it must not go on, hence the abort.
 */
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define PUBID_CHARS 10

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void ctm_random(void *p, size_t n)
{
	unsigned char *b = p;
	while (n > 0) {
		ssize_t got = getrandom(b, n < 256 ? n : 256, 0);
		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			b += got;
			n -= (size_t)got;
		}
	}
}

/* Now, but after the moment that was given before: the one thing this process remembers about its identifiers. */
static int64_t next_us(void)
{
	static _Atomic int64_t last = 0;
	int64_t before = last, us;
	do {
		us = ctm_now_us();
		if (us <= before)
			us = before + 1;
	} while (!atomic_compare_exchange_weak(&last, &before, us));
	return us;
}

void ctm_uuid7(char out[CTM_UUID_MAX])
{
	uint8_t u[16];
	char hex[33];
	int64_t us = next_us();
	uint64_t ms = us > 0 ? (uint64_t)us / 1000 : 0;
	unsigned fraction = us > 0 ? (unsigned)((uint64_t)us % 1000 * 4096 / 1000) : 0;
	ctm_random(u, sizeof u);
	for (int i = 0; i < 6; i++)
		u[i] = (uint8_t)(ms >> (40 - 8 * i));
	u[6] = (uint8_t)(0x70 | fraction >> 8);
	u[7] = (uint8_t)fraction;
	u[8] = (uint8_t)(0x80 | (u[8] & 0x3F));
	ctm_hex(u, sizeof u, hex);
	char *o = out;
	for (int i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*o++ = '-';
		*o++ = hex[i];
	}
	*o = 0;
}

bool ctm_uuid_ok(const char *s)
{
	if (!s || strnlen(s, CTM_UUID_MAX) != CTM_UUID_MAX - 1)
		return false;
	for (int i = 0; i < CTM_UUID_MAX - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		bool hex = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f');
		if (dash ? s[i] != '-' : !hex)
			return false;
	}
	return true;
}

static unsigned pubid_check(uint64_t v) { return (unsigned)(v % 37); }

void ctm_pubid(char out[CTM_PUBID_MAX])
{
	uint64_t v;
	do {
		ctm_random(&v, sizeof v);
		v &= (UINT64_C(1) << (5 * PUBID_CHARS)) - 1;
	} while (pubid_check(v) >= 32);
	for (int i = 0; i < PUBID_CHARS; i++)
		out[i] = crockford[v >> (5 * (PUBID_CHARS - 1 - i)) & 31];
	out[PUBID_CHARS] = crockford[pubid_check(v)];
	out[PUBID_CHARS + 1] = 0;
}

bool ctm_pubid_ok(const char *s)
{
	if (!s || strnlen(s, CTM_PUBID_MAX) != PUBID_CHARS + 1)
		return false;
	uint64_t v = 0;
	for (int i = 0; i < PUBID_CHARS; i++) {
		const char *at = strchr(crockford, s[i]);
		if (!at)
			return false;
		v = v << 5 | (uint64_t)(at - crockford);
	}
	return pubid_check(v) < 32 && s[PUBID_CHARS] == crockford[pubid_check(v)];
}

void ctm_token(char out[CTM_TOKEN_MAX])
{
	uint8_t r[32];
	CTM_AUTO_BUF b = CTM_BUF(CTM_TOKEN_MAX);
	ctm_random(r, sizeof r);
	ctm_b64url(&b, r, sizeof r);
	if (b.failed)
		abort();                           /* a short token would be a guessable one */
	memcpy(out, b.p, b.len + 1);
	explicit_bzero(b.p, b.len);
	explicit_bzero(r, sizeof r);
}
