/* SPDX-License-Identifier: Apache-2.0
 *
 * Text decoders: what is accepted has one spelling, so encoding it again gives the input; escapes leave nothing that a
 * parser of the target would see as its own.
 */
#include "base/text.h"
#include "base/timex.h"
#include "base/zone.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decoders(const char *s, size_t n)
{
	CTM_AUTO_BUF raw = CTM_BUF(1 << 20);
	CTM_AUTO_BUF back = CTM_BUF(1 << 20);
	if (ctm_unb64(s, n, &raw) == 0) {
		ctm_b64(&back, raw.p, raw.len);
		if (back.len != n || (n && memcmp(back.p, s, n) != 0))
			abort();
	}
	ctm_buf_reset(&raw);
	ctm_buf_reset(&back);
	if (ctm_unb64url(s, n, &raw) == 0) {
		ctm_b64url(&back, raw.p, raw.len);
		if (back.len != n || (n && memcmp(back.p, s, n) != 0))
			abort();
	}
	uint8_t bytes[64];
	char hex[129];
	if (n <= 128 && ctm_unhex(s, n, bytes) == 0) {
		ctm_hex(bytes, n / 2, hex);
		if (strlen(hex) != n || strncasecmp(hex, s, n))
			abort();
	}
	ctm_buf_reset(&raw);
	if (ctm_url_unescape(s, n, true, &raw) == 0 && raw.len && memchr(raw.p, 0, raw.len))
		abort();
}

static void escapes(const char *s, size_t n)
{
	CTM_AUTO_BUF b = CTM_BUF(8 << 20);
	ctm_html_escape(&b, s, n);
	if (b.len && (memchr(b.p, '<', b.len) || memchr(b.p, '"', b.len) || memchr(b.p, '\'', b.len)))
		abort();
	ctm_buf_reset(&b);
	ctm_url_escape(&b, s, n);
	if (b.len && strpbrk(b.p, "/?#&= <>\""))
		abort();
	CTM_AUTO_BUF back = CTM_BUF(1 << 20);
	if (!memchr(s, 0, n) && (ctm_url_unescape(ctm_buf_cstr(&b), b.len, false, &back) || back.len != n || (n && memcmp(back.p, s, n) != 0)))
		abort();
}

static void times(const char *text)
{
	int64_t ms, again;
	char out[CTM_RFC3339_MAX];
	if (ctm_time_parse(text, &ms))
		return;
	ctm_time_rfc3339(ms, out);
	if (ms >= INT64_C(-62167219200000) && ms < INT64_C(253402300800000) && (ctm_time_parse(out, &again) || again != ms))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctm_zone *z;
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	decoders(text, size);
	escapes(text, size);
	times(text);
	if (ctm_utf8_span(text, size) > size || ctm_utf8_valid(text, size) != (ctm_utf8_span(text, size) == size))
		abort();
	free(text);
	if (ctm_zone_parse(data, size, &z) == 0) {
		int64_t first = ctm_zone_first(z, 1795358763);
		(void)ctm_zone_offset(z, first);
		ctm_zone_free(z);
	}
	return 0;
}
