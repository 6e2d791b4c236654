/* SPDX-License-Identifier: Apache-2.0
 *
 * Drawing. The list is small (a label has a few thousand segments) and bounded; a failure sticks and is told by the writer.
 */
#include "registry/art.h"
#include "base/text.h"
#include <cairo-pdf.h>
#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PX_MAX 20000
#define PT_PER_MM (72.0 / 25.4)

struct ctm_art *ctm_art_new(double w, double h)
{
	struct ctm_art *a = calloc(1, sizeof *a);

	if (a) {
		a->w = w;
		a->h = h;
	}
	return a;
}

void ctm_art_free(struct ctm_art *a)
{
	if (a)
		free(a->seg);
	free(a);
}

void ctm_art_freep(struct ctm_art **a)
{
	ctm_art_free(*a);
	*a = NULL;
}

void ctm_art_begin(struct ctm_art *a, struct ctm_color c, double stroke, bool crisp)
{
	if (a->npath == CTM_ART_PATHS) {
		a->failed = CTM_E_TOOBIG;
		return;
	}
	a->path[a->npath++] = (struct ctm_art_path){ a->nseg, 0, c, stroke, crisp };
}

static void add(struct ctm_art *a, struct ctm_art_seg s)
{
	if (a->failed || !a->npath)
		return;
	if (a->nseg == a->capseg) {
		size_t cap = a->capseg ? a->capseg * 2 : 1024;
		struct ctm_art_seg *p = cap > CTM_ART_SEGS * 2 ? NULL : realloc(a->seg, cap * sizeof *p);
		if (!p) {
			a->failed = CTM_E_TOOBIG;
			return;
		}
		a->seg = p;
		a->capseg = cap;
	}
	a->seg[a->nseg++] = s;
	a->path[a->npath - 1].n++;
}

void ctm_art_add(struct ctm_art *a, enum ctm_art_op op, double x, double y)
{
	add(a, (struct ctm_art_seg){ op, { x, y } });
}

void ctm_art_curve(struct ctm_art *a, double x1, double y1, double x2, double y2, double x, double y)
{
	add(a, (struct ctm_art_seg){ CTM_ART_CURVE, { x1, y1, x2, y2, x, y } });
}

void ctm_art_rect(struct ctm_art *a, double x, double y, double w, double h)
{
	ctm_art_add(a, CTM_ART_MOVE, x, y);
	ctm_art_add(a, CTM_ART_LINE, x + w, y);
	ctm_art_add(a, CTM_ART_LINE, x + w, y + h);
	ctm_art_add(a, CTM_ART_LINE, x, y + h);
	ctm_art_add(a, CTM_ART_CLOSE, 0, 0);
}

/* --- text ------------------------------------------------------------------------------------------------------------ */

static void copy_path(struct ctm_art *a, cairo_t *cr)
{
	cairo_path_t *p = cairo_copy_path(cr);

	for (int i = 0; p->status == CAIRO_STATUS_SUCCESS && i < p->num_data; i += p->data[i].header.length) {
		const cairo_path_data_t *d = &p->data[i];
		switch (d->header.type) {
		case CAIRO_PATH_MOVE_TO: ctm_art_add(a, CTM_ART_MOVE, d[1].point.x, d[1].point.y); break;
		case CAIRO_PATH_LINE_TO: ctm_art_add(a, CTM_ART_LINE, d[1].point.x, d[1].point.y); break;
		case CAIRO_PATH_CURVE_TO: ctm_art_curve(a, d[1].point.x, d[1].point.y, d[2].point.x, d[2].point.y, d[3].point.x, d[3].point.y); break;
		case CAIRO_PATH_CLOSE_PATH: ctm_art_add(a, CTM_ART_CLOSE, 0, 0); break;
		}
	}
	cairo_path_destroy(p);
}

void ctm_art_text(struct ctm_art *a, const char *text, bool bold, double x, double y, double size, double max_w, double turn, struct ctm_color c)
{
	cairo_surface_t *s = cairo_recording_surface_create(CAIRO_CONTENT_ALPHA, NULL);
	cairo_t *cr = cairo_create(s);
	cairo_text_extents_t e;

	/* Glyphs are taken at a large size without hinting, so that their shape does not depend on the label's size. */
	cairo_font_options_t *fo = cairo_font_options_create();
	cairo_font_options_set_hint_style(fo, CAIRO_HINT_STYLE_NONE);
	cairo_font_options_set_hint_metrics(fo, CAIRO_HINT_METRICS_OFF);
	cairo_set_font_options(cr, fo);
	cairo_font_options_destroy(fo);
	cairo_select_font_face(cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL, bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
	cairo_set_font_size(cr, 100);
	cairo_text_extents(cr, text, &e);
	if (cairo_status(cr) || (*text && e.width <= 0)) {
		a->failed = CTM_E_UNSUPPORTED;
	} else {
		double k = size / 100;
		if (e.width * k > max_w)
			k = max_w / e.width;
		cairo_translate(cr, x, y);
		cairo_rotate(cr, turn);
		cairo_scale(cr, k, k);
		cairo_move_to(cr, -e.x_bearing - e.width / 2, 0);
		cairo_text_path(cr, text);
		cairo_identity_matrix(cr);
		ctm_art_begin(a, c, 0, false);
		copy_path(a, cr);
	}
	cairo_destroy(cr);
	cairo_surface_destroy(s);
}

/* --- outputs --------------------------------------------------------------------------------------------------------- */

static int told(const struct ctm_art *a, struct ctm_err *err)
{
	if (a->failed == CTM_E_UNSUPPORTED)
		return ctm_fail(err, CTM_E_IO, "font", NULL, "No font was found to draw the text with; install the package fonts-dejavu-core.");
	return a->failed ? ctm_fail(err, a->failed, "label", NULL, "The label has too many parts to draw.") : 0;
}

static void svg_text(struct ctm_buf *b, const char *tag, const char *text)
{
	if (!text)
		return;
	ctm_buf_printf(b, "<%s>", tag);
	ctm_html_escape(b, text, strlen(text));
	ctm_buf_printf(b, "</%s>\n", tag);
}

/* Number with at most `places` decimals and no trailing zeros. */
static void decimal(struct ctm_buf *b, double v, int places)
{
	char t[32];
	int n = snprintf(t, sizeof t, "%.*f", places, v);

	while (n > 0 && t[n - 1] == '0')
		t[--n] = '\0';
	if (n > 0 && t[n - 1] == '.')
		t[--n] = '\0';
	ctm_buf_str(b, strcmp(t, "-0") ? t : "0");
}

static void num(struct ctm_buf *b, double v)
{
	decimal(b, v, 3);
}

static void svg_path(struct ctm_buf *b, const struct ctm_art *a, const struct ctm_art_path *p)
{
	static const char letters[] = "MLCZ";
	static const int coords[] = { 2, 2, 6, 0 };

	ctm_buf_str(b, "<path d=\"");
	for (size_t i = p->first; i < p->first + p->n; i++) {
		const struct ctm_art_seg *s = &a->seg[i];
		ctm_buf_chr(b, letters[s->op]);
		for (int k = 0; k < coords[s->op]; k++) {
			if (k)
				ctm_buf_chr(b, ' ');
			decimal(b, s->p[k], p->crisp ? 3 : 2);      /* letters need a hundredth of a millimetre, modules more */
		}
	}
	ctm_buf_printf(b, "\" %s=\"#%02x%02x%02x\"", p->stroke > 0 ? "fill=\"none\" stroke" : "fill", p->color.r, p->color.g, p->color.b);
	if (p->stroke > 0) {
		ctm_buf_str(b, " stroke-width=\"");
		num(b, p->stroke);
		ctm_buf_chr(b, '"');
	}
	if (p->color.a < 255) {
		ctm_buf_str(b, p->stroke > 0 ? " stroke-opacity=\"" : " fill-opacity=\"");
		num(b, p->color.a / 255.0);
		ctm_buf_chr(b, '"');
	}
	ctm_buf_str(b, p->crisp ? " shape-rendering=\"crispEdges\"/>\n" : "/>\n");
}

int ctm_art_svg(const struct ctm_art *a, struct ctm_buf *out, struct ctm_err *err)
{
	int rc = told(a, err);

	if (rc)
		return rc;
	ctm_buf_str(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"");
	num(out, a->w);
	ctm_buf_str(out, "mm\" height=\"");
	num(out, a->h);
	ctm_buf_str(out, "mm\" viewBox=\"0 0 ");
	num(out, a->w);
	ctm_buf_chr(out, ' ');
	num(out, a->h);
	ctm_buf_str(out, "\">\n");
	svg_text(out, "title", a->title);
	svg_text(out, "desc", a->desc);
	for (size_t i = 0; i < a->npath; i++)
		svg_path(out, a, &a->path[i]);
	ctm_buf_str(out, "</svg>\n");
	return ctm_buf_err(out, "svg", err);
}

static void replay(const struct ctm_art *a, cairo_t *cr)
{
	for (size_t i = 0; i < a->npath; i++) {
		const struct ctm_art_path *p = &a->path[i];
		cairo_new_path(cr);
		for (size_t k = p->first; k < p->first + p->n; k++) {
			const double *v = a->seg[k].p;
			switch (a->seg[k].op) {
			case CTM_ART_MOVE: cairo_move_to(cr, v[0], v[1]); break;
			case CTM_ART_LINE: cairo_line_to(cr, v[0], v[1]); break;
			case CTM_ART_CURVE: cairo_curve_to(cr, v[0], v[1], v[2], v[3], v[4], v[5]); break;
			case CTM_ART_CLOSE: cairo_close_path(cr); break;
			}
		}
		cairo_set_antialias(cr, p->crisp ? CAIRO_ANTIALIAS_NONE : CAIRO_ANTIALIAS_DEFAULT);
		cairo_set_source_rgba(cr, p->color.r / 255.0, p->color.g / 255.0, p->color.b / 255.0, p->color.a / 255.0);
		if (p->stroke > 0) {
			cairo_set_line_width(cr, p->stroke);
			cairo_stroke(cr);
		} else {
			cairo_fill(cr);
		}
	}
}

static cairo_status_t to_buf(void *arg, const unsigned char *p, unsigned n)
{
	struct ctm_buf *b = arg;

	ctm_buf_add(b, p, n);
	return b->failed ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

static int drawn(cairo_status_t s, const struct ctm_buf *out, const char *what, struct ctm_err *err)
{
	int rc = ctm_buf_err(out, what, err);

	return rc ? rc : s ? ctm_fail(err, CTM_E_FAIL, what, NULL, "The %s could not be drawn: %s.", what, cairo_status_to_string(s)) : 0;
}

int ctm_art_png(const struct ctm_art *a, double px_per_mm, struct ctm_buf *out, struct ctm_err *err)
{
	double w = ceil(a->w * px_per_mm - 1e-6), h = ceil(a->h * px_per_mm - 1e-6);
	int rc = told(a, err);

	if (rc)
		return rc;
	if (w > PX_MAX || h > PX_MAX || w < 1)
		return ctm_fail(err, CTM_E_TOOBIG, "dpi", NULL, "The picture would be %.0f by %.0f pixels; %d is the most.", w, h, PX_MAX);
	cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)w, (int)h);
	cairo_t *cr = cairo_create(s);
	cairo_set_source_rgb(cr, 1, 1, 1);
	cairo_paint(cr);
	cairo_scale(cr, px_per_mm, px_per_mm);
	replay(a, cr);
	cairo_status_t st = cairo_status(cr);
	cairo_destroy(cr);
	if (!st)
		st = cairo_surface_write_to_png_stream(s, to_buf, out);
	cairo_surface_destroy(s);
	return drawn(st, out, "png", err);
}

int ctm_art_pdf(const struct ctm_art *a, struct ctm_buf *out, struct ctm_err *err)
{
	int rc = told(a, err);

	if (rc)
		return rc;
	cairo_surface_t *s = cairo_pdf_surface_create_for_stream(to_buf, out, a->w * PT_PER_MM, a->h * PT_PER_MM);
	/* The same drawing gives the same bytes: the file carries no date. */
	cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
	if (a->title)
		cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_TITLE, a->title);
	if (a->desc)
		cairo_pdf_surface_set_metadata(s, CAIRO_PDF_METADATA_SUBJECT, a->desc);
	cairo_t *cr = cairo_create(s);
	cairo_scale(cr, PT_PER_MM, PT_PER_MM);
	replay(a, cr);
	cairo_show_page(cr);
	cairo_status_t st = cairo_status(cr);
	cairo_destroy(cr);
	cairo_surface_finish(s);
	if (!st)
		st = cairo_surface_status(s);
	cairo_surface_destroy(s);
	return drawn(st, out, "pdf", err);
}
