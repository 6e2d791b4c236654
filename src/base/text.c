/* SPDX-License-Identifier: Apache-2.0
 *
 * Bounded text work. Decoders are strict: one text has one meaning, so that what was signed or compared as text cannot be
 * written in a second way. Nothing here reads the locale.
 */
#include "base/text.h"
#include <string.h>

bool ctm_streq(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }
bool ctm_starts(const char *s, const char *prefix) { return s && strncmp(s, prefix, strlen(prefix)) == 0; }

bool ctm_memeq_ct(const void *a, const void *b, size_t n)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char d = 0;
	for (size_t i = 0; i < n; i++)
		d |= (unsigned char)(x[i] ^ y[i]);
	return d == 0;
}

int ctm_parse_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
	if (!s)
		return CTM_E_INPUT;
	bool neg = *s == '-';
	if (neg)
		s++;
	if (!*s || (s[0] == '0' && s[1]) || (neg && s[0] == '0'))
		return CTM_E_INPUT;                /* one spelling per number: no leading zeros, no "-0" */
	uint64_t v = 0, lim = neg ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return CTM_E_INPUT;
		unsigned d = (unsigned)(*s - '0');
		if (v > (lim - d) / 10)
			return CTM_E_INPUT;
		v = v * 10 + d;
	}
	int64_t r = neg ? (int64_t)(0 - v) : (int64_t)v;
	if (r < min || r > max)
		return CTM_E_INPUT;
	*out = r;
	return 0;
}

/* Length of the UTF-8 sequence at p (1 to 4) or 0 when it is not one; *cp gets the code point. */
static size_t utf8_at(const unsigned char *p, size_t n, uint32_t *cp)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80 ? 1 : (p[0] & 0xE0) == 0xC0 ? 2 : (p[0] & 0xF0) == 0xE0 ? 3 : (p[0] & 0xF8) == 0xF0 ? 4 : 0;
	if (len == 0 || len > n)
		return 0;
	uint32_t v = len == 1 ? p[0] : p[0] & (0xFFu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xC0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3F);
	}
	if (v < least[len] || v > 0x10FFFF || (v >= 0xD800 && v <= 0xDFFF))
		return 0;
	*cp = v;
	return len;
}

size_t ctm_utf8_span(const char *s, size_t n)
{
	size_t i = 0, step;
	uint32_t cp;
	while (i < n && (step = utf8_at((const unsigned char *)s + i, n - i, &cp)) > 0)
		i += step;
	return i;
}

bool ctm_utf8_valid(const char *s, size_t n) { return ctm_utf8_span(s, n) == n; }

bool ctm_text_printable(const char *s, size_t n)
{
	for (size_t i = 0, step; i < n; i += step) {
		uint32_t cp = 0;
		step = utf8_at((const unsigned char *)s + i, n - i, &cp);
		if (step == 0 || (cp < 0x20 && cp != '\n' && cp != '\t') || (cp >= 0x7F && cp < 0xA0))
			return false;
	}
	return true;
}

void ctm_hex(const void *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *b = p;
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[b[i] >> 4];
		out[2 * i + 1] = digits[b[i] & 15];
	}
	out[2 * n] = 0;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int ctm_unhex(const char *s, size_t n, uint8_t *out)
{
	if (n % 2)
		return CTM_E_SYNTAX;
	for (size_t i = 0; i < n; i++) {
		if (hex_digit(s[i]) < 0)
			return CTM_E_SYNTAX;
	}
	for (size_t i = 0; i < n; i += 2)
		out[i / 2] = (uint8_t)(hex_digit(s[i]) << 4 | hex_digit(s[i + 1]));
	return 0;
}

static const char b64_std[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char b64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void b64_encode(struct ctm_buf *b, const uint8_t *p, size_t n, const char *abc, bool pad)
{
	for (size_t i = 0; i < n && !b->failed; i += 3) {
		size_t k = n - i < 3 ? n - i : 3;
		uint32_t v = (uint32_t)p[i] << 16 | (k > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (k > 2 ? p[i + 2] : 0u);
		char q[4] = { abc[v >> 18], abc[v >> 12 & 63], k > 1 ? abc[v >> 6 & 63] : '=', k > 2 ? abc[v & 63] : '=' };
		ctm_buf_add(b, q, pad ? 4 : k + 1);
	}
}

void ctm_b64(struct ctm_buf *b, const void *p, size_t n) { b64_encode(b, p, n, b64_std, true); }
void ctm_b64url(struct ctm_buf *b, const void *p, size_t n) { b64_encode(b, p, n, b64_url, false); }

static int b64_value(char c, const char *abc)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == abc[62] ? 62 : c == abc[63] ? 63 : -1;
}

/* Decode n characters without padding. On failure out keeps its former length. */
static int b64_decode(const char *s, size_t n, const char *abc, struct ctm_buf *out)
{
	size_t before = out->len;
	uint32_t v = 0;
	unsigned bits = 0;
	if (n % 4 == 1)
		return CTM_E_SYNTAX;
	for (size_t i = 0; i < n; i++) {
		int d = b64_value(s[i], abc);
		if (d < 0)
			goto bad;
		v = v << 6 | (uint32_t)d;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			ctm_buf_chr(out, (char)(v >> bits & 0xFF));
			v &= (1u << bits) - 1;
		}
	}
	if (v != 0)
		goto bad;                          /* trailing bits: a second spelling of the same bytes */
	return out->failed;
bad:
	out->len = before;
	if (out->p)
		out->p[before] = 0;
	return CTM_E_SYNTAX;
}

int ctm_unb64(const char *s, size_t n, struct ctm_buf *out)
{
	if (n % 4)
		return CTM_E_SYNTAX;
	size_t pad = n && s[n - 1] == '=' ? (s[n - 2] == '=' ? 2 : 1) : 0;
	return b64_decode(s, n - pad, b64_std, out);
}

int ctm_unb64url(const char *s, size_t n, struct ctm_buf *out) { return b64_decode(s, n, b64_url, out); }

void ctm_html_escape(struct ctm_buf *b, const char *s, size_t n)
{
	size_t from = 0;
	for (size_t i = 0; i < n; i++) {
		const char *e = s[i] == '&' ? "&amp;" : s[i] == '<' ? "&lt;" : s[i] == '>' ? "&gt;" : s[i] == '"' ? "&quot;"
			: s[i] == '\'' ? "&#39;" : NULL;
		if (!e)
			continue;
		ctm_buf_add(b, s + from, i - from);
		ctm_buf_str(b, e);
		from = i + 1;
	}
	ctm_buf_add(b, s + from, n - from);
}

void ctm_json_escape(struct ctm_buf *b, const char *s, size_t n)
{
	static const char names[] = "btn?fr";  /* 8..13; 11 has no short form */
	size_t from = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		ctm_buf_add(b, s + from, i - from);
		from = i + 1;
		if (c == '"' || c == '\\') {
			ctm_buf_chr(b, '\\');
			ctm_buf_chr(b, (char)c);
		} else if (c >= 8 && c <= 13 && c != 11) {
			ctm_buf_chr(b, '\\');
			ctm_buf_chr(b, names[c - 8]);
		} else {
			ctm_buf_printf(b, "\\u%04x", c);
		}
	}
	ctm_buf_add(b, s + from, n - from);
}

void ctm_url_escape(struct ctm_buf *b, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
		if (plain)
			ctm_buf_chr(b, c);
		else
			ctm_buf_printf(b, "%%%02X", (unsigned char)c);
	}
}

int ctm_url_unescape(const char *s, size_t n, bool plus_is_space, struct ctm_buf *out)
{
	size_t before = out->len;
	for (size_t i = 0, from = 0; i <= n; i++) {
		char c = i < n ? s[i] : 0;
		if (c && c != '%' && (c != '+' || !plus_is_space))
			continue;
		ctm_buf_add(out, s + from, i - from);       /* the run of plain bytes up to here */
		if (i == n)
			return out->failed;
		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int hi = n - i >= 3 ? hex_digit(s[i + 1]) : -1, lo = n - i >= 3 ? hex_digit(s[i + 2]) : -1;
			c = hi < 0 || lo < 0 ? 0 : (char)(hi << 4 | lo);
			i += 2;
		}
		if (!c)
			break;
		ctm_buf_chr(out, c);
		from = i + 1;
	}
	out->len = before;
	if (out->p)
		out->p[before] = 0;
	return CTM_E_SYNTAX;
}

bool ctm_copy(char *dst, size_t cap, const char *src)
{
	size_t n = strlen(src);
	bool fits = n < cap;
	if (cap == 0)
		return false;
	if (!fits)
		n = cap - 1;
	memcpy(dst, src, n);
	dst[n] = 0;
	return fits;
}
