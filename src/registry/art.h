/* SPDX-License-Identifier: Apache-2.0
 *
 * A drawing in millimetres: a list of filled or stroked paths, and its three outputs. Text becomes paths when it is added, so that
 * nobody who opens the drawing needs a font. SVG is written directly, PNG and PDF by cairo from the same list.
 */
#ifndef CTM_REGISTRY_ART_H
#define CTM_REGISTRY_ART_H
#include "base/buf.h"
#include <stdbool.h>

enum ctm_art_op { CTM_ART_MOVE, CTM_ART_LINE, CTM_ART_CURVE, CTM_ART_CLOSE };
struct ctm_art_seg { enum ctm_art_op op; double p[6]; };
struct ctm_color { unsigned char r, g, b, a; };
struct ctm_art_path { size_t first, n; struct ctm_color color; double stroke; /* 0: filled */ bool crisp; };

#define CTM_ART_SEGS 200000
#define CTM_ART_PATHS 2000
struct ctm_art {
	double w, h;                               /* mm */
	struct ctm_art_seg *seg; size_t nseg, capseg;
	struct ctm_art_path path[CTM_ART_PATHS]; size_t npath;
	const char *title, *desc;                  /* borrowed; of the SVG and PDF */
	int failed;                                /* sticky */
};

struct ctm_art *ctm_art_new(double w, double h);  /* mm; NULL without memory */
void ctm_art_free(struct ctm_art *a);
void ctm_art_freep(struct ctm_art **a);
/* A path is begun, given segments, and belongs to the drawing. */
void ctm_art_begin(struct ctm_art *a, struct ctm_color c, double stroke, bool crisp);
void ctm_art_add(struct ctm_art *a, enum ctm_art_op op, double x, double y);
void ctm_art_curve(struct ctm_art *a, double x1, double y1, double x2, double y2, double x, double y);
void ctm_art_rect(struct ctm_art *a, double x, double y, double w, double h);      /* into the present path */
/* Text centred on x with its baseline at y, `size` mm high, made smaller until it is at most max_w wide, turned by `turn` radians
 * about (x, y). Fails (sticky) where no font draws it. */
void ctm_art_text(struct ctm_art *a, const char *text, bool bold, double x, double y, double size, double max_w, double turn, struct ctm_color c);

/* Append the whole drawing in one format. The drawing's sticky failure, TOOBIG, NOMEM. */
CTM_CHECK int ctm_art_svg(const struct ctm_art *a, struct ctm_buf *out, struct ctm_err *err);
CTM_CHECK int ctm_art_png(const struct ctm_art *a, double px_per_mm, struct ctm_buf *out, struct ctm_err *err);
CTM_CHECK int ctm_art_pdf(const struct ctm_art *a, struct ctm_buf *out, struct ctm_err *err);

#endif
