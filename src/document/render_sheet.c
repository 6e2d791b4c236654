/* SPDX-License-Identifier: Apache-2.0
 *
 * Pages and text of a paper, by cairo and pango. Hinting and font metrics rounding are off, so that lines break alike at
 * every resolution. Text from outside is cut at CLIP bytes per paragraph: a paper is for reading, the bundle has the rest.
 */
#include "document/render.h"
#include "document/render_sheet.h"
#include "base/timex.h"
#include <math.h>
#include <qrencode.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CLIP 6000
#define FAMILY "Liberation Sans, DejaVu Sans"
#define MONO "Liberation Mono, DejaVu Sans Mono"

static const struct { const char *family; double size; bool bold; double line; } types[CTM_TY_COUNT] = {
	[CTM_TY_TITLE] = { FAMILY, 22, true, 1.15 }, [CTM_TY_HEAD] = { FAMILY, 14, true, 1.2 }, [CTM_TY_SUB] = { FAMILY, 10.5, true, 1.25 },
	[CTM_TY_BODY] = { FAMILY, 9.5, false, 1.35 }, [CTM_TY_BOLD] = { FAMILY, 9.5, true, 1.35 }, [CTM_TY_SMALL] = { FAMILY, 8, false, 1.3 },
	[CTM_TY_LABEL] = { FAMILY, 8, false, 1.3 }, [CTM_TY_MONO] = { MONO, 7.5, false, 1.3 }, [CTM_TY_FINE] = { MONO, 6, false, 1.3 }, [CTM_TY_HERO] = { FAMILY, 38, true, 1.1 },
};
static const double inks[CTM_INK_COUNT][3] = {
	[CTM_INK] = { 0.08, 0.13, 0.17 }, [CTM_INK_MUTE] = { 0.33, 0.38, 0.43 }, [CTM_INK_ACCENT] = { 0.055, 0.31, 0.54 },
	[CTM_INK_GOOD] = { 0.09, 0.41, 0.23 }, [CTM_INK_BAD] = { 0.65, 0.11, 0.11 }, [CTM_INK_WARN] = { 0.5, 0.31, 0 },
	[CTM_INK_LINE] = { 0.84, 0.87, 0.9 }, [CTM_INK_SOFT] = { 0.96, 0.97, 0.98 }, [CTM_INK_WHITE] = { 1, 1, 1 },
};

void ctm_sheet_ink(struct ctm_sheet *s, enum ctm_ink ink)
{
	cairo_set_source_rgb(s->cr, inks[ink][0], inks[ink][1], inks[ink][2]);
}

void ctm_sheet_box(struct ctm_sheet *s, double x, double y, double w, double h, enum ctm_ink ink)
{
	ctm_sheet_ink(s, ink);
	cairo_rectangle(s->cr, x, y, w, h);
	cairo_fill(s->cr);
}

/* --- pages --- */

static void watermark(struct ctm_sheet *s)
{
	if (!s->watermark)
		return;
	cairo_save(s->cr);
	cairo_translate(s->cr, s->width / 2, s->height / 2);
	cairo_rotate(s->cr, -M_PI / 4.6);
	double w = s->width * 1.1;
	PangoFontDescription *d = pango_font_description_from_string(FAMILY);
	pango_font_description_set_weight(d, PANGO_WEIGHT_BOLD);
	pango_font_description_set_absolute_size(d, (strlen(s->watermark) > 10 ? 70 : 104) * PANGO_SCALE);
	pango_layout_set_font_description(s->layout, d);
	pango_font_description_free(d);
	pango_layout_set_attributes(s->layout, NULL);
	pango_layout_set_width(s->layout, (int)(w * PANGO_SCALE));
	pango_layout_set_alignment(s->layout, PANGO_ALIGN_CENTER);
	pango_layout_set_text(s->layout, s->watermark, -1);
	cairo_set_source_rgb(s->cr, 0.955, 0.93, 0.93);
	cairo_move_to(s->cr, -w / 2, -60);
	pango_cairo_show_layout(s->cr, s->layout);
	cairo_restore(s->cr);
}

static void foot(struct ctm_sheet *s)
{
	char number[48];
	if (s->plain)
		return;
	double y = s->height - 36, w = s->right - s->left;
	ctm_sheet_box(s, s->left, y - 6, w, 0.5, CTM_INK_LINE);
	snprintf(number, sizeof number, "Page %d of %d", s->page, s->pages ? s->pages : 999);
	ctm_text_at(s, s->left, y, w * 0.22, CTM_TY_LABEL, CTM_INK_MUTE, PANGO_ALIGN_LEFT, NULL, s->foot_left ? s->foot_left : "");
	ctm_text_at(s, s->left + w * 0.22, y + 1.5, w * 0.6, CTM_TY_FINE, CTM_INK_MUTE, PANGO_ALIGN_CENTER, NULL, s->foot_mid ? s->foot_mid : "");
	ctm_text_at(s, s->left + w * 0.82, y, w * 0.18, CTM_TY_LABEL, CTM_INK_MUTE, PANGO_ALIGN_RIGHT, NULL, number);
}

static void start_page(struct ctm_sheet *s)
{
	s->page++;
	if (s->page > CTM_RENDER_PAGES_MAX)
		s->failed = CTM_E_TOOBIG;
	s->y = s->top;
	watermark(s);
}

void ctm_sheet_page(struct ctm_sheet *s)
{
	if (s->failed)
		return;
	foot(s);
	cairo_show_page(s->cr);
	start_page(s);
}

void ctm_sheet_need(struct ctm_sheet *s, double height)
{
	if (s->y + height > s->bottom && s->y > s->top + 1)
		ctm_sheet_page(s);
}

void ctm_sheet_outline(struct ctm_sheet *s, const char *text)
{
	char where[32];
	snprintf(where, sizeof where, "page=%d", s->page);
	cairo_pdf_surface_add_outline(s->surface, CAIRO_PDF_OUTLINE_ROOT, text, where, 0);
}

void ctm_sheet_rule(struct ctm_sheet *s, double gap)
{
	s->y += gap;
	ctm_sheet_box(s, s->left, s->y, s->right - s->left, 0.5, CTM_INK_LINE);
	s->y += gap;
}

/* --- text --- */

static void set_text(struct ctm_sheet *s, double w, enum ctm_type type, PangoAlignment align, const char *text)
{
	PangoFontDescription *d = pango_font_description_from_string(types[type].family);
	pango_font_description_set_weight(d, types[type].bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
	pango_font_description_set_absolute_size(d, types[type].size * PANGO_SCALE);
	pango_layout_set_font_description(s->layout, d);
	pango_font_description_free(d);
	pango_layout_set_width(s->layout, (int)(w * PANGO_SCALE));
	pango_layout_set_alignment(s->layout, align);
	pango_layout_set_wrap(s->layout, PANGO_WRAP_WORD_CHAR);
	pango_layout_set_line_spacing(s->layout, (float)types[type].line);
	size_t n = strlen(text);
	if (n > CLIP)
		for (n = CLIP; n && ((unsigned char)text[n] & 0xc0) == 0x80;)
			n--;
	pango_layout_set_text(s->layout, text, (int)n);
}

static double layout_height(struct ctm_sheet *s)
{
	int h;
	pango_layout_get_size(s->layout, NULL, &h);
	return (double)h / PANGO_SCALE;
}

double ctm_text_height(struct ctm_sheet *s, double w, enum ctm_type type, const char *text)
{
	set_text(s, w, type, PANGO_ALIGN_LEFT, text);
	return layout_height(s);
}

void ctm_tag_open(struct ctm_sheet *s, const char *tag)
{
	if (tag && !s->failed)
		cairo_tag_begin(s->cr, tag, NULL);
}

void ctm_tag_close(struct ctm_sheet *s, const char *tag)
{
	if (tag && !s->failed)
		cairo_tag_end(s->cr, tag);
}

double ctm_text_at(struct ctm_sheet *s, double x, double y, double w, enum ctm_type type, enum ctm_ink ink, PangoAlignment align,
	const char *tag, const char *text)
{
	if (s->failed)
		return 0;
	set_text(s, w, type, align, text);
	ctm_tag_open(s, tag);
	ctm_sheet_ink(s, ink);
	cairo_move_to(s->cr, x, y);
	pango_cairo_show_layout(s->cr, s->layout);
	ctm_tag_close(s, tag);
	return layout_height(s);
}

void ctm_text(struct ctm_sheet *s, enum ctm_type type, enum ctm_ink ink, double after, const char *tag, const char *text)
{
	if (s->failed)
		return;
	set_text(s, s->right - s->left, type, PANGO_ALIGN_LEFT, text);
	double height = layout_height(s);
	if (s->y + height <= s->bottom) {
		s->y += ctm_text_at(s, s->left, s->y, s->right - s->left, type, ink, PANGO_ALIGN_LEFT, tag, text) + after;
		return;
	}
	PangoLayout *whole = pango_layout_copy(s->layout);      /* the page's foot uses s->layout */
	PangoLayoutIter *it = pango_layout_get_iter(whole);
	int y0, y1;
	do {
		pango_layout_iter_get_line_yrange(it, &y0, &y1);
		double h = (double)(y1 - y0) / PANGO_SCALE;
		ctm_sheet_need(s, h);
		if (s->failed)
			break;
		int base = pango_layout_iter_get_baseline(it) - y0;
		ctm_tag_open(s, tag);
		ctm_sheet_ink(s, ink);
		cairo_move_to(s->cr, s->left, s->y + (double)base / PANGO_SCALE);
		pango_cairo_show_layout_line(s->cr, pango_layout_iter_get_line_readonly(it));
		ctm_tag_close(s, tag);
		s->y += h;
	} while (pango_layout_iter_next_line(it));
	pango_layout_iter_free(it);
	g_object_unref(whole);
	s->y += after;
}

void ctm_textf(struct ctm_sheet *s, enum ctm_type type, enum ctm_ink ink, double after, const char *tag, const char *fmt, ...)
{
	char text[2000];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ctm_text(s, type, ink, after, tag, text);
}

void ctm_heading(struct ctm_sheet *s, enum ctm_type type, const char *text)
{
	ctm_sheet_need(s, 72);
	if (type == CTM_TY_HEAD)
		ctm_sheet_outline(s, text);
	ctm_text(s, type, CTM_INK, type == CTM_TY_HEAD ? 8 : 4, type == CTM_TY_HEAD ? "H1" : "H2", text);
}

void ctm_fact(struct ctm_sheet *s, double label_width, const char *label, const char *value)
{
	double w = s->right - s->left - label_width, h = ctm_text_height(s, w, CTM_TY_BODY, value), l = ctm_text_height(s, label_width - 12, CTM_TY_BODY, label);
	if (l > h)
		h = l;
	ctm_sheet_need(s, h);
	ctm_tag_open(s, "P");                   /* one paragraph: what it is, what it says */
	ctm_text_at(s, s->left, s->y, label_width - 12, CTM_TY_BODY, CTM_INK_MUTE, PANGO_ALIGN_LEFT, NULL, label);
	ctm_text_at(s, s->left + label_width, s->y, w, CTM_TY_BODY, CTM_INK, PANGO_ALIGN_LEFT, NULL, value);
	ctm_tag_close(s, "P");
	s->y += h + 4;
}

/* --- dates --- */

const char *ctm_word(const struct ctm_sheet *s, const char *key, const char *english)
{
	const char *w = s->words ? ctm_json_gets(s->words, key) : NULL;
	return w && *w ? w : english;
}

static void day_words(const struct ctm_sheet *s, const struct tm *tm, char out[64])
{
	static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
		"November", "December" };
	char key[24];
	snprintf(key, sizeof key, "month.%d", tm->tm_mon + 1);
	const char *month = ctm_word(s, key, months[tm->tm_mon]);
	if (s->spanish)
		snprintf(out, 64, "%d de %.20s de %d", tm->tm_mday, month, tm->tm_year + 1900);
	else
		snprintf(out, 64, "%.20s %d, %d", month, tm->tm_mday, tm->tm_year + 1900);
}

static bool civil(int64_t ms, struct tm *tm)
{
	time_t t = (time_t)(ms / 1000);
	return ms >= 0 && ms < INT64_C(253402300800000) && gmtime_r(&t, tm);
}

const char *ctm_date_words(const struct ctm_sheet *s, const char *date, char out[64])
{
	int64_t ms;
	struct tm tm;
	if (date && ctm_time_parse(date, &ms) == 0 && civil(ms, &tm))
		day_words(s, &tm, out);
	else
		snprintf(out, 64, "%.60s", date ? date : "");
	return out;
}

const char *ctm_time_words(const struct ctm_sheet *s, int64_t ms, char out[64])
{
	struct tm tm;
	if (!civil(ms, &tm)) {
		snprintf(out, 64, "%s", ctm_word(s, "cert.not_stated", "not stated"));
		return out;
	}
	day_words(s, &tm, out);
	size_t n = strlen(out);
	snprintf(out + n, 64 - n, ", %02d:%02d UTC", tm.tm_hour, tm.tm_min);
	return out;
}

/* --- QR --- */

int ctm_qr_at(struct ctm_sheet *s, double x, double y, double side, const char *text)
{
	QRcode *q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	if (!q) {
		s->failed = CTM_E_TOOBIG;
		return CTM_E_TOOBIG;
	}
	double m = side / (q->width + 8);                /* quiet zone of four modules, ISO/IEC 18004 */
	ctm_sheet_box(s, x, y, side, side, CTM_INK_WHITE);
	cairo_set_source_rgb(s->cr, 0, 0, 0);
	for (int r = 0; r < q->width; r++)
		for (int c = 0; c < q->width; c++)
			if (q->data[r * q->width + c] & 1)
				cairo_rectangle(s->cr, x + (c + 4) * m, y + (r + 4) * m, m, m);
	cairo_fill(s->cr);
	QRcode_free(q);
	return 0;
}

/* --- the document --- */

static cairo_status_t write_pdf(void *closure, const unsigned char *p, unsigned n)
{
	struct ctm_buf *out = closure;
	if (out)
		ctm_buf_add(out, p, n);
	return out && out->failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static void metadata(cairo_surface_t *surface, const struct ctm_sheet_info *info)
{
	char when[CTM_RFC3339_MAX];
	ctm_time_rfc3339(info->created_ms - info->created_ms % 1000, when);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, info->title);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_AUTHOR, info->author);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, info->subject);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "ctm");
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, when);
	cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_MOD_DATE, when);
}

static int one_pass(const struct ctm_sheet_info *info, ctm_draw_fn draw, const ctm_json *in, struct ctm_buf *out, int *pages)
{
	bool a4 = info->paper && !strcmp(info->paper, "a4");
	struct ctm_sheet s = { .width = a4 ? 595.276 : 612, .height = a4 ? 841.89 : 792, .pages = *pages,
		.foot_left = info->foot_left, .foot_mid = info->foot_mid, .watermark = info->watermark,
		.words = info->words, .spanish = info->language && !strcmp(info->language, "es") };
	s.left = 54;
	s.right = s.width - 54;
	s.top = 54;
	s.bottom = s.height - 60;
	s.surface = cairo_pdf_surface_create_for_stream(write_pdf, out, s.width, s.height);
	cairo_pdf_surface_restrict_to_version(s.surface, CAIRO_PDF_VERSION_1_5);
	metadata(s.surface, info);
	s.cr = cairo_create(s.surface);
	cairo_font_options_t *fo = cairo_font_options_create();
	cairo_font_options_set_hint_style(fo, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(fo, CAIRO_HINT_METRICS_OFF);
	PangoFontMap *map = pango_cairo_font_map_new();
	PangoContext *pc = pango_font_map_create_context(map);
	pango_cairo_context_set_resolution(pc, 72);
	pango_cairo_context_set_font_options(pc, fo);
	pango_context_set_language(pc, pango_language_from_string(s.spanish ? "es" : "en"));
	pango_context_set_round_glyph_positions(pc, FALSE);
	s.layout = pango_layout_new(pc);
	start_page(&s);
	ctm_tag_open(&s, "Document");
	draw(&s, in);
	ctm_tag_close(&s, "Document");
	if (!s.failed)
		foot(&s);
	g_object_unref(s.layout);
	g_object_unref(pc);
	g_object_unref(map);
	cairo_font_options_destroy(fo);
	cairo_show_page(s.cr);
	cairo_destroy(s.cr);
	cairo_surface_finish(s.surface);
	cairo_status_t st = cairo_surface_status(s.surface);
	cairo_surface_destroy(s.surface);
	*pages = s.page;
	if (s.failed)
		return s.failed;
	if (out && out->failed)
		return out->failed;
	return st == CAIRO_STATUS_SUCCESS ? 0 : st == CAIRO_STATUS_NO_MEMORY ? CTM_E_NOMEM : CTM_E_IO;
}

int ctm_sheet_draw(const struct ctm_sheet_info *info, ctm_draw_fn draw, const ctm_json *in, struct ctm_buf *out, struct ctm_err *err)
{
	size_t start = out->len;
	int pages = 0, rc = one_pass(info, draw, in, NULL, &pages);
	if (!rc)
		rc = one_pass(info, draw, in, out, &pages);
	if (!rc)
		rc = ctm_pdf_finish(out, start, info->language && !strcmp(info->language, "es") ? "es-US" : "en-US");
	if (rc == CTM_E_TOOBIG)
		return ctm_fail(err, rc, NULL, NULL, "the paper would be longer than %d pages or %zu bytes, or an address is too long for a QR code",
			CTM_RENDER_PAGES_MAX, CTM_RENDER_OUT_MAX);
	return rc ? ctm_fail(err, rc, NULL, NULL, "the paper could not be drawn: %s", ctm_err_text(rc)) : 0;
}
