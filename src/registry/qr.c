/* SPDX-License-Identifier: Apache-2.0
 *
 * QR code by libqrencode, in byte mode with the address as it is: an upper-case scheme would save a size but some phones do
 * not open it.
 */
#include "registry/qr.h"
#include "base/text.h"
#include <qrencode.h>
#include <string.h>

static bool url_ok(const char *s, int max)
{
	size_t n = strlen(s), scheme = ctm_starts(s, "https://") ? 8 : ctm_starts(s, "http://") ? 7 : 0;

	if (!scheme || n == scheme || n > (size_t)max)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] <= ' ' || (unsigned char)s[i] > '~' || strchr("\"<>\\^`{|}", s[i]))
			return false;
	return true;
}

int ctm_qr_make(const char *url, char level, int max, struct ctm_qr *out, struct ctm_err *err)
{
	if (!url_ok(url, max))
		return ctm_fail(err, CTM_E_INPUT, "url", NULL, "The address of a label begins with https:// or http:// in small letters, is plain ASCII without spaces and has at most %d characters.", max);
	if (level != 'M' && level != 'Q')
		return ctm_fail(err, CTM_E_INPUT, "level", "ISO/IEC 18004", "Error correction is M or Q.");
	QRcode *q = QRcode_encodeString8bit(url, 0, level == 'Q' ? QR_ECLEVEL_Q : QR_ECLEVEL_M);
	if (!q)
		return ctm_fail(err, CTM_E_NOMEM, "url", NULL, "The QR code cannot be made.");
	out->n = q->width;
	for (int i = 0; i < q->width * q->width; i++)
		out->dark[i] = q->data[i] & 1;
	QRcode_free(q);
	return 0;
}
