/* SPDX-License-Identifier: Apache-2.0
 *
 * UUID version 5 with its own SHA-1: here a name becomes a number, nothing is protected by it, so the digest stays private to
 * this file. Version order: see ctm/ids.h.
 */
#include "ctm/ids.h"
#include <string.h>

static uint32_t rol(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

static void sha1_block(uint32_t h[5], const uint8_t *p)
{
	static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 80; i++)
		w[i] = rol(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f = i < 20 ? (b & c) | (~b & d) : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
		uint32_t t = rol(a, 5) + f + e + k[i / 20] + w[i];

		e = d;
		d = c;
		c = rol(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

struct sha1 {
	uint32_t h[5];
	uint8_t block[64];
	size_t used;
	uint64_t total;
};

static void sha1_add(struct sha1 *s, const uint8_t *p, size_t n)
{
	s->total += n;
	for (size_t i = 0; i < n; i++) {
		s->block[s->used++] = p[i];
		if (s->used == 64) {
			sha1_block(s->h, s->block);
			s->used = 0;
		}
	}
}

void ctm_uuid5(const uint8_t space[CTM_ID_BYTES], const void *name, size_t n, uint8_t out[CTM_ID_BYTES])
{
	struct sha1 s = { { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }, { 0 }, 0, 0 };
	static const uint8_t one = 0x80, zero = 0;
	uint8_t len[8];
	uint64_t bits;

	sha1_add(&s, space, CTM_ID_BYTES);
	sha1_add(&s, name, n);
	bits = s.total * 8;
	for (int i = 0; i < 8; i++)
		len[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha1_add(&s, &one, 1);
	while (s.used != 56)
		sha1_add(&s, &zero, 1);
	sha1_add(&s, len, 8);
	for (int i = 0; i < CTM_ID_BYTES; i++)
		out[i] = (uint8_t)(s.h[i / 4] >> (24 - 8 * (i % 4)));
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x50);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

void ctm_vendor_id(const char *domain, uint8_t out[CTM_ID_BYTES])
{
	static const uint8_t dns[CTM_ID_BYTES] = { 0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
						   0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8 };

	ctm_uuid5(dns, domain, strlen(domain), out);
}

void ctm_class_id(const uint8_t vendor[CTM_ID_BYTES], const char *name, uint8_t out[CTM_ID_BYTES])
{
	ctm_uuid5(vendor, name, strlen(name), out);
}

void ctm_uuid_text(const uint8_t id[CTM_ID_BYTES], char out[37])
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < CTM_ID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = hex[id[i] >> 4];
		out[at++] = hex[id[i] & 15];
	}
	out[at] = 0;
}

struct version {
	uint32_t part[4];
	const char *pre;
	size_t pren;
};

static bool alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool parse_version(const char *s, size_t n, struct version *v)
{
	size_t i = 0, parts = 0;

	memset(v, 0, sizeof *v);
	if (!n || n > CTM_VERSION_MAX)
		return false;
	for (;; i++) {
		size_t digits = 0;
		uint32_t x = 0;

		for (; i < n && s[i] >= '0' && s[i] <= '9'; i++, digits++)
			x = x * 10 + (uint32_t)(s[i] - '0') * (digits < 9);
		if (!digits || digits > 9 || parts == 4)
			return false;
		v->part[parts++] = x;
		if (i >= n || s[i] != '.')
			break;
	}
	if (i == n)
		return true;
	if (s[i] != '-' || i + 1 == n)
		return false;
	v->pre = s + i + 1;
	v->pren = n - i - 1;
	for (size_t k = 0; k < v->pren; k++)
		if (!alnum(v->pre[k]) && v->pre[k] != '.')
			return false;
	return true;
}

bool ctm_version_ok(const char *s, size_t n)
{
	struct version v;

	return parse_version(s, n, &v);
}

int ctm_version_order(const char *a, size_t an, const char *b, size_t bn)
{
	struct version x, y;
	bool xok = parse_version(a, an, &x), yok = parse_version(b, bn, &y);
	size_t min;
	int c;

	if (!xok || !yok)
		return (int)xok - (int)yok;
	for (int i = 0; i < 4; i++)
		if (x.part[i] != y.part[i])
			return x.part[i] < y.part[i] ? -1 : 1;
	if (!x.pren || !y.pren)
		return (int)(x.pren == 0) - (int)(y.pren == 0);
	min = x.pren < y.pren ? x.pren : y.pren;
	c = memcmp(x.pre, y.pre, min);
	if (c)
		return c < 0 ? -1 : 1;
	return x.pren == y.pren ? 0 : x.pren < y.pren ? -1 : 1;
}
