/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables on a sheet: columns share the width, a row is never split, the head is repeated on every page.
 */
#include "document/render_sheet.h"

#define PAD 4.0

static double total_share(const struct ctm_table *t)
{
	double sum = 0;
	for (int i = 0; i < t->ncol; i++)
		sum += t->col[i].share;
	return sum;
}

static double col_width(const struct ctm_sheet *s, const struct ctm_table *t, int i)
{
	return (s->right - s->left) * t->col[i].share / total_share(t);
}

/* tagged: the first head; its repetitions on later pages are no part of the text. */
static void draw_head(struct ctm_sheet *s, const struct ctm_table *t, bool tagged)
{
	double h = 0, x = s->left;
	for (int i = 0; i < t->ncol; i++) {
		double one = ctm_text_height(s, col_width(s, t, i) - 2 * PAD, CTM_TY_LABEL, t->col[i].title);
		h = one > h ? one : h;
	}
	ctm_sheet_need(s, h + 2 * PAD + 40);
	ctm_sheet_box(s, s->left, s->y, s->right - s->left, h + 2 * PAD, CTM_INK_SOFT);
	ctm_tag_open(s, tagged ? "TR" : NULL);
	for (int i = 0; i < t->ncol; x += col_width(s, t, i), i++)
		ctm_text_at(s, x + PAD, s->y + PAD, col_width(s, t, i) - 2 * PAD, CTM_TY_LABEL, CTM_INK_MUTE, PANGO_ALIGN_LEFT, tagged ? "TH" : NULL, t->col[i].title);
	ctm_tag_close(s, tagged ? "TR" : NULL);
	s->y += h + 2 * PAD;
	ctm_sheet_box(s, s->left, s->y, s->right - s->left, 0.5, CTM_INK_LINE);
}

void ctm_table_head(struct ctm_sheet *s, const struct ctm_table *t)
{
	ctm_tag_open(s, "Table");
	draw_head(s, t, true);
}

void ctm_table_end(struct ctm_sheet *s) { ctm_tag_close(s, "Table"); }

void ctm_sheet_ground(struct ctm_sheet *s, double x, double y, double w, double h, enum ctm_ink ink)
{
	static const double soft[CTM_INK_COUNT][3] = {
		[CTM_INK_GOOD] = { 0.9, 0.96, 0.92 }, [CTM_INK_BAD] = { 0.99, 0.92, 0.92 }, [CTM_INK_WARN] = { 0.99, 0.95, 0.85 }, [CTM_INK_MUTE] = { 0.95, 0.96, 0.97 },
	};
	if (soft[ink][0] == 0)
		return;
	cairo_set_source_rgb(s->cr, soft[ink][0], soft[ink][1], soft[ink][2]);
	cairo_rectangle(s->cr, x + 1, y + 1, w - 2, h - 2);
	cairo_fill(s->cr);
}

void ctm_table_row(struct ctm_sheet *s, const struct ctm_table *t, const struct ctm_tcell *cells)
{
	double h = 0, x = s->left, most = s->bottom - s->top - 60;
	for (int i = 0; i < t->ncol; i++) {
		double one = ctm_text_height(s, col_width(s, t, i) - 2 * PAD, t->col[i].type, cells[i].text ? cells[i].text : "");
		h = one > h ? one : h;
	}
	h = (h > most ? most : h) + 2 * PAD;
	if (s->y + h > s->bottom) {
		ctm_sheet_page(s);
		draw_head(s, t, false);
	}
	if (s->failed)
		return;
	ctm_tag_open(s, "TR");
	cairo_save(s->cr);
	cairo_rectangle(s->cr, s->left, s->y, s->right - s->left, h);
	cairo_clip(s->cr);
	for (int i = 0; i < t->ncol; x += col_width(s, t, i), i++) {
		double w = col_width(s, t, i);
		if (cells[i].fill)
			ctm_sheet_ground(s, x, s->y, w, h, cells[i].ink);
		ctm_text_at(s, x + PAD, s->y + PAD, w - 2 * PAD, t->col[i].type, cells[i].ink, PANGO_ALIGN_LEFT, i ? "TD" : "TH", cells[i].text ? cells[i].text : "");
	}
	cairo_restore(s->cr);
	ctm_tag_close(s, "TR");
	s->y += h;
	ctm_sheet_box(s, s->left, s->y, s->right - s->left, 0.5, CTM_INK_LINE);
}
