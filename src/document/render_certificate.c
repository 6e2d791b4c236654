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

static void frame(struct ctm_sheet *s)
{
	cairo_set_line_width(s->cr, 1);
	ctm_sheet_ink(s, CTM_INK_LINE);
	cairo_rectangle(s->cr, 30, 30, s->width - 60, s->height - 60);
	cairo_stroke(s->cr);
	ctm_sheet_box(s, 30, 30, s->width - 60, 6, CTM_INK_ACCENT);
}

static void centre(struct ctm_sheet *s, enum ctm_type type, enum ctm_ink ink, double after, const char *tag, const char *what)
{
	s->y += ctm_text_at(s, s->left, s->y, s->right - s->left, type, ink, PANGO_ALIGN_CENTER, tag, what) + after;
}

/* Label above value, in a column. Returns the height. */
static double pair(struct ctm_sheet *s, double x, double y, double w, const char *label, const char *value, enum ctm_type type)
{
	double h = ctm_text_at(s, x, y, w, CTM_TY_LABEL, CTM_INK_MUTE, PANGO_ALIGN_LEFT, "P", label);
	return h + 1 + ctm_text_at(s, x, y + h + 1, w, type, CTM_INK, PANGO_ALIGN_LEFT, "P", value) + 9;
}

static void baseline(struct ctm_sheet *s, const ctm_json *rows)
{
	struct ctm_table t = { .ncol = 3, .col = { { "Component", 3, CTM_TY_BODY }, { "Version evaluated and covered", 2, CTM_TY_BOLD },
		{ "SHA-256 of the image", 5, CTM_TY_MONO } } };
	ctm_table_head(s, &t);
	for (size_t i = 0; i < ctm_json_len(rows); i++) {
		const ctm_json *r = ctm_json_at(rows, i);
		const char *digest = text(r, "image_digest");
		struct ctm_tcell cells[3] = { { text(r, "component") }, { text(r, "version") }, { !strncmp(digest, "sha256:", 7) ? digest + 7 : digest } };
		ctm_table_row(s, &t, cells);
	}
}

static void lower(struct ctm_sheet *s, const ctm_json *in)
{
	char a[64], span[160], b[64];
	const ctm_json *rec = ctm_json_get(in, "record"), *cla = ctm_json_get(in, "cla"), *lab = ctm_json_get(in, "lab");
	double top = s->height - 54 - 168, side = 124, w = s->right - s->left, colw = (w - side - 24) / 2, x2 = s->left + colw + 12, y, y2;
	if (s->y > top - 20) {          /* many components: the facts go on a second sheet */
		ctm_sheet_page(s);
		frame(s);
	}
	ctm_sheet_box(s, s->left, top - 12, w, 0.5, CTM_INK_LINE);
	snprintf(span, sizeof span, "%s\nto %s", ctm_date_words(text(in, "valid_from"), a), ctm_date_words(text(in, "valid_to"), b));
	y = top + pair(s, s->left, top, colw - 8, "Valid", span, CTM_TY_BOLD);
	y += pair(s, s->left, y, colw - 8, "Certified by", text(cla, "name"), CTM_TY_BODY);
	if (*text(cla, "contact"))
		y += pair(s, s->left, y, colw - 8, "Contact", text(cla, "contact"), CTM_TY_BODY);
	y2 = top + pair(s, x2, top, colw - 8, "Issued", ctm_time_words(ctm_json_geti(in, "issued_ms", -1), a), CTM_TY_BODY);
	y2 += pair(s, x2, y2, colw - 8, "Tested by", text(lab, "name"), CTM_TY_BODY);
	if (*text(lab, "report_number"))
		y2 += pair(s, x2, y2, colw - 8, "Evaluation report", text(lab, "report_number"), CTM_TY_BODY);
	y = y > y2 ? y : y2;
	if (*text(in, "statement_digest"))
		pair(s, s->left, y, w - side - 12, "Signed statement, SHA-256", text(in, "statement_digest"), CTM_TY_MONO);
	ctm_qr_at(s, s->right - side, top - 6, side, text(rec, "url"));
	ctm_text_at(s, s->right - side - 20, top + side - 6, side + 40, CTM_TY_LABEL, CTM_INK_MUTE, PANGO_ALIGN_CENTER, "P", "Public record");
	ctm_text_at(s, s->right - side, top + side + 5, side, CTM_TY_BOLD, CTM_INK, PANGO_ALIGN_CENTER, "P", text(rec, "id"));
}

void ctm_draw_certificate(struct ctm_sheet *s, const ctm_json *in)
{
	char line[700];
	const ctm_json *p = ctm_json_get(in, "product"), *rec = ctm_json_get(in, "record");
	const char *status = text(in, "status");
	bool specimen = ctm_json_getb(in, "specimen", false), in_force = !strcmp(status, "in_force");
	s->plain = true;
	frame(s);
	ctm_sheet_outline(s, "Certificate");
	s->y = 62;
	snprintf(line, sizeof line, "%s", text(ctm_json_get(in, "cla"), "name"));
	centre(s, CTM_TY_BOLD, CTM_INK_MUTE, 18, "P", line);
	centre(s, CTM_TY_HERO, CTM_INK, 4, "H1", "Certificate");
	centre(s, CTM_TY_SUB, CTM_INK_ACCENT, 16, "P", text(in, "number"));
	if (!in_force || specimen) {
		snprintf(line, sizeof line, "%s%s%s", in_force ? "Specimen" : !strcmp(status, "suspended") ? "Suspended" : !strcmp(status, "expired") ? "Expired" : "Withdrawn",
			in_force && *text(in, "specimen_reason") ? ": " : "", in_force ? text(in, "specimen_reason") : "");
		centre(s, CTM_TY_BOLD, CTM_INK_BAD, 10, "P", line);
	}
	centre(s, CTM_TY_BODY, CTM_INK_MUTE, 8, "P", "Conformity with NIST IR 8425 has been shown for");
	centre(s, CTM_TY_TITLE, CTM_INK, 4, "P", text(p, "name"));
	snprintf(line, sizeof line, "by %s, model %s%s%s", text(p, "maker"), text(p, "model"), *text(p, "category") ? ", " : "", text(p, "category"));
	centre(s, CTM_TY_SUB, CTM_INK, 6, "P", line);
	if (*text(p, "intended_use"))
		centre(s, CTM_TY_BODY, CTM_INK_MUTE, 4, "P", text(p, "intended_use"));
	s->y += 10;
	baseline(s, ctm_json_get(in, "baseline"));
	s->y += 14;
	ctm_text(s, CTM_TY_BODY, CTM_INK, 6, "P", "Any other version is not covered. The certificate ends when it is suspended, withdrawn or expires; only the public "
		"record says what is true today:");
	ctm_text(s, CTM_TY_BOLD, CTM_INK_ACCENT, 10, "P", text(rec, "url"));
	ctm_text(s, CTM_TY_SMALL, CTM_INK_MUTE, 0, "P", "The U.S. Cyber Trust Mark is a certification mark of the Federal Communications Commission (FCC) and belongs to it. "
		"This certificate is issued by the label administrator named here, not by the FCC, and gives no right to the mark beyond 47 CFR Part 8.");
	lower(s, in);
}
