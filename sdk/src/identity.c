/* SPDX-License-Identifier: Apache-2.0
 *
 * Identity: see ctm/identity.h.
 */
#include "ctm/identity.h"
#include <string.h>

static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void ctm_b64u_encode(const uint8_t *p, size_t n, char *out)
{
	uint32_t v = 0;
	int bits = 0;

	for (size_t i = 0; i < n; i++) {
		v = v << 8 | p[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*out++ = abc[v >> (bits - 6) & 63];
	}
	if (bits)
		*out++ = abc[v << (6 - bits) & 63];
	*out = 0;
}

/* What a character stands for; -1 for none of the alphabet. */
static int b64u_value(char c)
{
	for (int i = 0; i < 64; i++)
		if (abc[i] == c)
			return i;
	return -1;
}

int ctm_b64u_decode(const char *s, size_t n, uint8_t *out, size_t cap, size_t *outlen)
{
	uint32_t v = 0;
	int bits = 0;
	size_t len = 0;

	if (n % 4 == 1)
		return CTM_SDK_SYNTAX;
	if (n / 4 * 3 + (n % 4 ? n % 4 - 1 : 0) > cap)
		return CTM_SDK_TOOBIG;
	for (size_t i = 0; i < n; i++) {
		int value = b64u_value(s[i]);

		if (value < 0)
			return CTM_SDK_SYNTAX;
		v = (v << 6 | (uint32_t)value) & 0xffffff;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[len++] = (uint8_t)(v >> bits);
		}
	}
	if (v & ((1u << bits) - 1))
		return CTM_SDK_SYNTAX;
	*outlen = len;
	return 0;
}

bool ctm_serial_ok(const char *s)
{
	size_t n = strlen(s);

	if (!n || n > CTM_SERIAL_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_'))
			return false;
	}
	return true;
}

static size_t put(uint8_t *out, size_t at, const char *s)
{
	size_t n = strlen(s);

	memcpy(out + at, s, n);
	return at + n;
}

int ctm_identity_proof(const char *serial, const char *nonce, uint8_t out[CTM_PROOF_MAX], size_t *n)
{
	size_t at;

	/* 43 characters carry 258 bits: the last two must be zero. */
	if (!ctm_serial_ok(serial) || strlen(nonce) != CTM_NONCE_TEXT)
		return CTM_SDK_INPUT;
	for (at = 0; at < CTM_NONCE_TEXT; at++)
		if (b64u_value(nonce[at]) < 0)
			return CTM_SDK_INPUT;
	if (b64u_value(nonce[CTM_NONCE_TEXT - 1]) & 3)
		return CTM_SDK_INPUT;
	at = put(out, 0, "ctm-identity-proof/1\n");
	at = put(out, at, serial);
	at = put(out, at, "\n");
	at = put(out, at, nonce);
	at = put(out, at, "\n");
	*n = at;
	return 0;
}
