/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/totp.h"
#include "base/text.h"
#include "crypto/hash.h"
#include <stdio.h>
#include <string.h>

unsigned ctm_totp_code(const void *key, size_t n, int64_t step, unsigned digits)
{
	static const unsigned powers[] = { 1000000, 10000000, 100000000 };
	uint8_t counter[8], mac[20];
	for (int i = 7; i >= 0; i--, step >>= 8)
		counter[i] = (uint8_t)step;
	ctm_hmac_sha1(key, n, counter, sizeof counter, mac);
	const uint8_t *p = mac + (mac[19] & 15);           /* RFC 4226 5.3: dynamic truncation */
	unsigned v = (p[0] & 0x7fu) << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
	return v % powers[digits - 6];
}

bool ctm_totp_fits(const void *key, size_t n, int64_t now_ms, const char *code, int64_t *step)
{
	int64_t now = now_ms / CTM_TOTP_STEP_MS, found = -1;
	char want[8];
	if (strlen(code) != 6 || strspn(code, "0123456789") != 6)
		return false;
	for (int64_t s = now - CTM_TOTP_SKEW; s <= now + CTM_TOTP_SKEW; s++) {
		snprintf(want, sizeof want, "%06u", ctm_totp_code(key, n, s, 6));
		int64_t same = -(int64_t)ctm_memeq_ct(want, code, 6);      /* all ones or zero: no branch on the secret */
		found = (s & same) | (found & ~same);
	}
	if (found >= 0)
		*step = found;
	return found >= 0;
}

void ctm_base32(const void *p, size_t n, struct ctm_buf *out)
{
	const uint8_t *in = p;
	unsigned bits = 0, have = 0;
	for (size_t i = 0; i < n || have > 0;) {
		if (have < 5 && i < n) {
			bits = bits << 8 | in[i++];
			have += 8;
		}
		unsigned take = have < 5 ? bits << (5 - have) : bits >> (have - 5);
		ctm_buf_chr(out, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[take & 31]);
		have = have < 5 ? 0 : have - 5;
		bits &= (1u << have) - 1;
	}
}

void ctm_totp_address(const void *key, size_t n, const char *issuer, const char *account, struct ctm_buf *out)
{
	ctm_buf_str(out, "otpauth://totp/");
	ctm_url_escape(out, issuer, strlen(issuer));
	ctm_buf_chr(out, ':');
	ctm_url_escape(out, account, strlen(account));
	ctm_buf_str(out, "?secret=");
	ctm_base32(key, n, out);
	ctm_buf_str(out, "&issuer=");
	ctm_url_escape(out, issuer, strlen(issuer));
	ctm_buf_str(out, "&algorithm=SHA1&digits=6&period=30");
}
