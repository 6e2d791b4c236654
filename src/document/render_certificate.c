/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificate: one sheet that can hang on a wall. It says what it is and what it is not: the certificate is the label
 * administrator's, the mark is the FCC's, the public record alone says what is true today. No mark is drawn on it. A
 * certificate of a local address, or one that is not in force, is watermarked.
 */
#include "document/render_sheet.h"
#include <stdio.h>
#include <string.h>

static const char *text(const ctm_json *o, const char *key)
{
	const char *s = ctm_json_gets(o, key);
	return s ? s : "";
}

int ctm_check_certificate(const ctm_json *in, struct ctm_err *err)
{
	static const char *const states[] = { "in_force", "suspended", "withdrawn", "expired" };
	struct ctm_jc c = ctm_jc_root(in, "certificate"), sub, row;
	const char *s;
	int64_t ms;
	size_t which;
	int rc;
	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_str(&c, "number", 1, 60, &s, err)) ||
		(rc = ctm_jc_enum(&c, "status", states, 4, &which, err)) || (rc = ctm_jc_int(&c, "issued_ms", 0, INT64_C(253402300799999), &ms, err)) ||
		(rc = ctm_jc_str(&c, "valid_from", 10, 10, &s, err)) || (rc = ctm_jc_str(&c, "valid_to", 10, 10, &s, err)) ||
		(rc = ctm_jc_key(&c, "product", &sub, err)) || (rc = ctm_jc_str(&sub, "name", 1, 200, &s, err)) ||
		(rc = ctm_jc_str(&sub, "maker", 1, 200, &s, err)) || (rc = ctm_jc_str(&sub, "model", 1, 200, &s, err)) ||
		(rc = ctm_jc_key(&c, "cla", &sub, err)) || (rc = ctm_jc_str(&sub, "name", 1, 200, &s, err)) ||
		(rc = ctm_jc_key(&c, "lab", &sub, err)) || (rc = ctm_jc_str(&sub, "name", 1, 200, &s, err)) ||
		(rc = ctm_jc_key(&c, "record", &sub, err)) || (rc = ctm_jc_str(&sub, "id", 1, 40, &s, err)) ||
		(rc = ctm_jc_str(&sub, "url", 1, 500, &s, err)) || (rc = ctm_jc_arr(&c, "baseline", 1, 12, &sub, err)))
		return rc;
	for (size_t i = 0; i < ctm_json_len(sub.v); i++)
		if ((rc = ctm_jc_at(&sub, i, &row, err)) || (rc = ctm_jc_str(&row, "component", 1, 100, &s, err)) ||
			(rc = ctm_jc_str(&row, "version", 1, 100, &s, err)))
			return rc;
	return 0;
}

#define W(key, english) ctm_word(s, "cert." key, english)

/* A double rule with a band of the accent at head and foot, and a short bar under the head. */
static void frame(struct ctm_sheet *s)
{
	static const struct { double inset, width; enum ctm_ink ink; } rules[] = { { 26, 2.5, CTM_INK_ACCENT }, { 33, 0.6, CTM_INK_LINE } };
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		cairo_set_line_width(s->cr, rules[i].width);
		ctm_sheet_ink(s, rules[i].ink);
		cairo_rectangle(s->cr, rules[i].inset, rules[i].inset, s->width - 2 * rules[i].inset, s->height - 2 * rules[i].inset);
		cairo_stroke(s->cr);
	}
	ctm_sheet_box(s, 33, 33, s->width - 66, 10, CTM_INK_ACCENT);
	ctm_sheet_box(s, 33, s->height - 39, s->width - 66, 6, CTM_INK_ACCENT);
}

static void centre(struct ctm_sheet *s, enum ctm_type type, enum ctm_ink ink, double after, const char *tag, const char *what)
{
	s->y += ctm_text_at(s, s->left, s->y, s->right - s->left, type, ink, PANGO_ALIGN_CENTER, tag, what) + after;
}

/* Label above value, in a column. Returns the height. */
static double pair(struct ctm_sheet *s, double x, double y, double w, const char *label, const char *value, enum ctm_type type)
{
	ctm_tag_open(s, "P");
	double h = ctm_text_at(s, x, y, w, CTM_TY_LABEL, CTM_INK_MUTE, PANGO_ALIGN_LEFT, NULL, label);
	h += 1 + ctm_text_at(s, x, y + h + 1, w, type, CTM_INK, PANGO_ALIGN_LEFT, NULL, value) + 9;
	ctm_tag_close(s, "P");
	return h;
}

static void baseline(struct ctm_sheet *s, const ctm_json *rows)
{
	struct ctm_table t = { .ncol = 3, .col = { { W("component", "Component"), 3, CTM_TY_BODY }, { W("version", "Version evaluated and covered"), 2, CTM_TY_BOLD },
		{ W("digest", "SHA-256 of the image"), 5, CTM_TY_MONO } } };
	ctm_table_head(s, &t);
	for (size_t i = 0; i < ctm_json_len(rows); i++) {
		const ctm_json *r = ctm_json_at(rows, i);
		const char *digest = text(r, "image_digest");
		struct ctm_tcell cells[3] = { { text(r, "component") }, { text(r, "version") }, { !strncmp(digest, "sha256:", 7) ? digest + 7 : digest } };
		ctm_table_row(s, &t, cells);
	}
	ctm_table_end(s);
}

static double lower_top(const struct ctm_sheet *s) { return s->height - 54 - 172; }

static void lower(struct ctm_sheet *s, const ctm_json *in)
{
	char a[64], span[160], b[64];
	const ctm_json *rec = ctm_json_get(in, "record"), *cla = ctm_json_get(in, "cla"), *lab = ctm_json_get(in, "lab");
	double top = lower_top(s), side = 124, w = s->right - s->left, colw = (w - side - 24) / 2, x2 = s->left + colw + 12, y, y2;
	ctm_sheet_box(s, s->left, top - 12, w, 0.5, CTM_INK_LINE);
	snprintf(span, sizeof span, "%s\n%s %s", ctm_date_words(s, text(in, "valid_from"), a), W("to", "to"), ctm_date_words(s, text(in, "valid_to"), b));
	y = top + pair(s, s->left, top, colw - 8, W("valid", "Valid"), span, CTM_TY_BOLD);
	y += pair(s, s->left, y, colw - 8, W("certified_by", "Certified by"), text(cla, "name"), CTM_TY_BODY);
	if (*text(cla, "contact"))
		y += pair(s, s->left, y, colw - 8, W("contact", "Contact"), text(cla, "contact"), CTM_TY_BODY);
	y2 = top + pair(s, x2, top, colw - 8, W("issued", "Issued"), ctm_time_words(s, ctm_json_geti(in, "issued_ms", -1), a), CTM_TY_BODY);
	y2 += pair(s, x2, y2, colw - 8, W("tested_by", "Tested by"), text(lab, "name"), CTM_TY_BODY);
	if (*text(lab, "report_number"))
		y2 += pair(s, x2, y2, colw - 8, W("report", "Evaluation report"), text(lab, "report_number"), CTM_TY_BODY);
	y = y > y2 ? y : y2;
	if (*text(in, "statement_digest"))
		pair(s, s->left, y, w - side - 12, W("statement", "Signed statement, SHA-256"), text(in, "statement_digest"), CTM_TY_MONO);
	ctm_qr_at(s, s->right - side, top - 6, side, text(rec, "url"));
	ctm_text_at(s, s->right - side - 20, top + side - 6, side + 40, CTM_TY_LABEL, CTM_INK_MUTE, PANGO_ALIGN_CENTER, "P", W("record", "Public record"));
	ctm_text_at(s, s->right - side, top + side + 5, side, CTM_TY_BOLD, CTM_INK, PANGO_ALIGN_CENTER, "P", text(rec, "id"));
}

/* What ends the certificate and whose the mark is: stands on the facts below, as high as it is. */
static void conditions(struct ctm_sheet *s, const ctm_json *rec)
{
	const char *cover = W("cover", "Any other version is not covered. The certificate ends when it is suspended, withdrawn or expires; only the public record says "
		"what is true today:");
	const char *mark = W("mark", "The U.S. Cyber Trust Mark is a certification mark of the Federal Communications Commission (FCC) and belongs to it. This certificate "
		"is issued by the label administrator named here, not by the FCC, and gives no right to the mark beyond 47 CFR Part 8.");
	double w = s->right - s->left, h = ctm_text_height(s, w, CTM_TY_BODY, cover) + 6 + ctm_text_height(s, w, CTM_TY_BOLD, text(rec, "url")) + 10 +
		ctm_text_height(s, w, CTM_TY_SMALL, mark), top = lower_top(s) - 28 - h;
	if (s->y > top) {               /* many components: the conditions and the facts go on a second sheet */
		ctm_sheet_page(s);
		frame(s);
	}
	s->y = top;
	ctm_text(s, CTM_TY_BODY, CTM_INK, 6, "P", cover);
	ctm_text(s, CTM_TY_BOLD, CTM_INK_ACCENT, 10, "P", text(rec, "url"));
	ctm_text(s, CTM_TY_SMALL, CTM_INK_MUTE, 0, "P", mark);
}

/* "Suspended", or why it is a specimen; nothing for a certificate in force. */
static void warning(struct ctm_sheet *s, const ctm_json *in)
{
	char line[400];
	const char *status = text(in, "status"), *why = text(in, "specimen_reason");
	if (!strcmp(status, "suspended"))
		snprintf(line, sizeof line, "%s", W("suspended", "Suspended"));
	else if (!strcmp(status, "expired"))
		snprintf(line, sizeof line, "%s", W("expired", "Expired"));
	else if (!strcmp(status, "withdrawn"))
		snprintf(line, sizeof line, "%s", W("withdrawn", "Withdrawn"));
	else if (ctm_json_getb(in, "specimen", false))
		snprintf(line, sizeof line, "%s%s%s", W("specimen", "Specimen"), *why ? ": " : "", *why ? W("specimen_reason", why) : "");
	else
		return;
	centre(s, CTM_TY_BOLD, CTM_INK_BAD, 0, "P", line);
}

void ctm_draw_certificate(struct ctm_sheet *s, const ctm_json *in)
{
	char line[700];
	const ctm_json *p = ctm_json_get(in, "product");
	s->plain = true;
	s->left = 64;
	s->right = s->width - 64;
	frame(s);
	ctm_sheet_outline(s, W("title", "Certificate"));
	s->y = 76;
	centre(s, CTM_TY_SUB, CTM_INK_MUTE, 22, "P", text(ctm_json_get(in, "cla"), "name"));
	centre(s, CTM_TY_HERO, CTM_INK, 8, "H1", W("title", "Certificate"));
	ctm_sheet_box(s, s->width / 2 - 28, s->y, 56, 3, CTM_INK_ACCENT);
	s->y += 13;
	centre(s, CTM_TY_SUB, CTM_INK_ACCENT, 12, "P", text(in, "number"));
	warning(s, in);
	s->y = s->height * 0.3;
	centre(s, CTM_TY_BODY, CTM_INK_MUTE, 12, "P", W("shown", "Conformity with NIST IR 8425 has been shown for"));
	centre(s, CTM_TY_TITLE, CTM_INK, 6, "P", text(p, "name"));
	snprintf(line, sizeof line, "%s %s, %s %s%s%s", W("by", "by"), text(p, "maker"), W("model", "model"), text(p, "model"), *text(p, "category") ? ", " : "", text(p, "category"));
	centre(s, CTM_TY_SUB, CTM_INK, 6, "P", line);
	if (*text(p, "intended_use"))
		centre(s, CTM_TY_BODY, CTM_INK_MUTE, 4, "P", text(p, "intended_use"));
	s->y += 16;
	baseline(s, ctm_json_get(in, "baseline"));
	conditions(s, ctm_json_get(in, "record"));
	lower(s, in);
}
