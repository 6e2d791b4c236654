/* SPDX-License-Identifier: Apache-2.0
 *
 * Nameplates: what is printed on a unit (NIST IR 8259A, device identification: the physical identifier equals the logical one). Two in a
 * row, 88 by 32 mm, with cutting lines. The QR code holds "ctm:unit?m=MODEL&s=SERIAL&c=CODE": what the owner's app would otherwise ask
 * them to type. The code on a plate is the initial password of that one unit, which it makes its owner change.
 */
#include "document/render_sheet.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MM (72 / 25.4)
#define PLATE_W (88 * MM)
#define PLATE_H (32 * MM)
#define QR (26 * MM)
#define PAD (4 * MM)
#define PLATES_MAX 100000

int ctm_check_nameplates(const ctm_json *in, struct ctm_err *err)
{
	struct ctm_jc c = ctm_jc_root(in, "nameplates"), list, row;
	const char *s;
	int rc;
	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_str(&c, "maker", 1, 120, &s, err)) || (rc = ctm_jc_str(&c, "product", 1, 120, &s, err)) ||
		(rc = ctm_jc_str(&c, "model", 1, 60, &s, err)) || (rc = ctm_jc_arr(&c, "units", 1, PLATES_MAX, &list, err)))
		return rc;
	for (size_t i = 0; i < ctm_json_len(list.v); i++)
		if ((rc = ctm_jc_at(&list, i, &row, err)) || (rc = ctm_jc_str(&row, "serial", 1, 64, &s, err)) || (rc = ctm_jc_str(&row, "code", 1, 64, &s, err)))
			return rc;
	return 0;
}

/* Percent-encoded (RFC 3986), so that any model name can stand in the code. */
static void encoded(const char *s, char *out, size_t cap)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t n = 0;
	for (; *s && n + 4 < cap; s++)
		if (strchr(plain, *s))
			out[n++] = *s;
		else
			n += (size_t)snprintf(out + n, cap - n, "%%%02X", (unsigned char)*s);
	out[n] = 0;
}

static void plate(struct ctm_sheet *s, double x, double y, const ctm_json *in, const ctm_json *unit)
{
	const char *serial = ctm_json_gets(unit, "serial"), *code = ctm_json_gets(unit, "code");
	char m[200], n[200], c[200], text[700], line[128];
	double w = PLATE_W - QR - 3 * PAD, at = y + PAD;
	encoded(ctm_json_gets(in, "model"), m, sizeof m);
	encoded(serial, n, sizeof n);
	encoded(code, c, sizeof c);
	snprintf(text, sizeof text, "ctm:unit?m=%s&s=%s&c=%s", m, n, c);
	cairo_set_line_width(s->cr, 0.4);
	ctm_sheet_ink(s, CTM_INK_LINE);
	cairo_rectangle(s->cr, x, y, PLATE_W, PLATE_H);
	cairo_stroke(s->cr);
	ctm_tag_open(s, "P");
	at += ctm_text_at(s, x + PAD, at, w, CTM_TY_BOLD, CTM_INK, PANGO_ALIGN_LEFT, NULL, ctm_json_gets(in, "product"));
	at += ctm_text_at(s, x + PAD, at, w, CTM_TY_SMALL, CTM_INK_MUTE, PANGO_ALIGN_LEFT, NULL, ctm_json_gets(in, "maker")) + 3;
	at += ctm_text_at(s, x + PAD, at, w, CTM_TY_LABEL, CTM_INK_MUTE, PANGO_ALIGN_LEFT, NULL, "Model and serial number");
	snprintf(line, sizeof line, "%.40s  %.64s", ctm_json_gets(in, "model"), serial);
	at += ctm_text_at(s, x + PAD, at, w, CTM_TY_MONO, CTM_INK, PANGO_ALIGN_LEFT, NULL, line) + 3;
	at += ctm_text_at(s, x + PAD, at, w, CTM_TY_LABEL, CTM_INK_MUTE, PANGO_ALIGN_LEFT, NULL, "First password of this unit (change it)");
	at += ctm_text_at(s, x + PAD, at, w, CTM_TY_MONO, CTM_INK, PANGO_ALIGN_LEFT, NULL, code);
	ctm_tag_close(s, "P");
	if (!s->failed)
		s->failed = ctm_qr_at(s, x + PLATE_W - QR - PAD, y + (PLATE_H - QR) / 2, QR, text);
}

void ctm_draw_nameplates(struct ctm_sheet *s, const ctm_json *in)
{
	const ctm_json *units = ctm_json_get(in, "units");
	double gap = fmax(0, (s->right - s->left - 2 * PLATE_W) / 3);
	ctm_sheet_outline(s, "Nameplates");
	for (size_t i = 0; i < ctm_json_len(units) && !s->failed; i++) {
		if (i % 2 == 0)
			ctm_sheet_need(s, PLATE_H + 6);
		plate(s, s->left + gap + (double)(i % 2) * (PLATE_W + gap), s->y, in, ctm_json_at(units, i));
		if (i % 2 == 1 || i + 1 == ctm_json_len(units))
			s->y += PLATE_H + 6;
	}
}
