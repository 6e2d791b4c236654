/* SPDX-License-Identifier: Apache-2.0
 *
 * The sheet: pages, a pen that moves down, text and tables that break across pages. Units are points (1/72 inch), origin at
 * the top left. A document is drawn twice by the same function: first to count the pages, then for good, so that "page x of
 * y" needs no patching. Failures are sticky in `failed`; a drawing function need not check.
 *
 * Colours and sizes are those of the pages (src/http/assets/app.css), in their light form.
 */
#ifndef CTM_DOCUMENT_RENDER_SHEET_H
#define CTM_DOCUMENT_RENDER_SHEET_H
#include "base/json.h"
#include <cairo-pdf.h>
#include <cairo.h>
#include <pango/pangocairo.h>

enum ctm_type { CTM_TY_TITLE, CTM_TY_HEAD, CTM_TY_SUB, CTM_TY_BODY, CTM_TY_BOLD, CTM_TY_SMALL, CTM_TY_LABEL, CTM_TY_MONO, CTM_TY_FINE, CTM_TY_HERO, CTM_TY_COUNT };
enum ctm_ink { CTM_INK, CTM_INK_MUTE, CTM_INK_ACCENT, CTM_INK_GOOD, CTM_INK_BAD, CTM_INK_WARN, CTM_INK_LINE, CTM_INK_SOFT, CTM_INK_WHITE, CTM_INK_COUNT };

struct ctm_sheet {
	cairo_surface_t *surface;
	cairo_t *cr;
	PangoLayout *layout;
	double width, height, left, right, top, bottom;     /* right, bottom: coordinates, not margins */
	double y;
	int page, pages;                                     /* pages: 0 while counting */
	const char *foot_left, *foot_mid, *watermark;        /* borrowed */
	int failed;                                          /* 0 or CTM_E_* */
	const ctm_json *words;                               /* texts of the paper by key, NULL: English */
	bool spanish;                                        /* order of the parts of a date */
	bool plain;                                          /* no header and footer on this page (certificate) */
};

typedef void (*ctm_draw_fn)(struct ctm_sheet *s, const ctm_json *in);
struct ctm_sheet_info {
	const char *title, *author, *subject, *paper;        /* paper: "a4", else letter */
	const char *language;                                /* "en", "es" */
	const ctm_json *words;                               /* see ctm_word() */
	const char *foot_left, *foot_mid, *watermark;        /* may be NULL */
	int64_t created_ms;
	char named[256];                                     /* room for a title made of parts */
};
/* Draw the whole document twice; PDF to out. TOOBIG, NOMEM, IO. */
CTM_CHECK int ctm_sheet_draw(const struct ctm_sheet_info *info, ctm_draw_fn draw, const ctm_json *in, struct ctm_buf *out, struct ctm_err *err);

void ctm_sheet_page(struct ctm_sheet *s);                       /* finish the page, start the next */
void ctm_sheet_need(struct ctm_sheet *s, double height);        /* next page unless that much is left */
void ctm_sheet_outline(struct ctm_sheet *s, const char *text);  /* bookmark to this page */
void ctm_sheet_ink(struct ctm_sheet *s, enum ctm_ink ink);      /* colour of what is drawn next */
void ctm_sheet_rule(struct ctm_sheet *s, double gap);           /* thin line over the width, gap before and after */
void ctm_sheet_box(struct ctm_sheet *s, double x, double y, double w, double h, enum ctm_ink ink);   /* filled */

void ctm_sheet_ground(struct ctm_sheet *s, double x, double y, double w, double h, enum ctm_ink ink);   /* soft ground in the tone of ink; none for ink without one */

/* Text at (x, y) in a width; returns its height. Never breaks over a page. tag: structure tag ("P", "H1") or NULL. */
double ctm_text_at(struct ctm_sheet *s, double x, double y, double w, enum ctm_type type, enum ctm_ink ink, PangoAlignment align, const char *tag, const char *text);
double ctm_text_height(struct ctm_sheet *s, double w, enum ctm_type type, const char *text);
/* Text at the pen over the full width, breaking over pages between lines; moves the pen and leaves `after` below. */
void ctm_text(struct ctm_sheet *s, enum ctm_type type, enum ctm_ink ink, double after, const char *tag, const char *text);
void ctm_textf(struct ctm_sheet *s, enum ctm_type type, enum ctm_ink ink, double after, const char *tag, const char *fmt, ...) CTM_PRINTF(6, 7);
/* A heading with its bookmark, kept with what follows. */
void ctm_heading(struct ctm_sheet *s, enum ctm_type type, const char *text);
/* "Label   value" rows. */
void ctm_fact(struct ctm_sheet *s, double label_width, const char *label, const char *value);

/* QR code with its quiet zone in a square of that side. 0 or TOOBIG. */
int ctm_qr_at(struct ctm_sheet *s, double x, double y, double side, const char *text);

/* The text of a key in the paper's language, or the English one given here. */
const char *ctm_word(const struct ctm_sheet *s, const char *key, const char *english);
/* "2026-11-22" or ms as "November 22, 2026" in the paper's language; unreadable dates come out as they are. */
const char *ctm_date_words(const struct ctm_sheet *s, const char *date, char out[64]);
const char *ctm_time_words(const struct ctm_sheet *s, int64_t ms, char out[64]);           /* "November 22, 2026, 14:46 UTC" */
/* Structure elements around what is drawn between: "Table", "TR", "Document". */
void ctm_tag_open(struct ctm_sheet *s, const char *tag);
void ctm_tag_close(struct ctm_sheet *s, const char *tag);
/* Say in the PDF that begins at out->p + start that it is tagged, its language, and that its title is to be shown. IO, NOMEM. */
CTM_CHECK int ctm_pdf_finish(struct ctm_buf *out, size_t start, const char *language);

/* --- tables (render_table.c) --- */
#define CTM_TABLE_COLS 12
struct ctm_col { const char *title; double share; enum ctm_type type; };
struct ctm_table { struct ctm_col col[CTM_TABLE_COLS]; int ncol; const char *caption; };
struct ctm_tcell { const char *text; enum ctm_ink ink; bool fill; };    /* fill: soft ground in the tone of ink */
void ctm_table_head(struct ctm_sheet *s, const struct ctm_table *t);    /* begins the table */
void ctm_table_row(struct ctm_sheet *s, const struct ctm_table *t, const struct ctm_tcell *cells);   /* repeats the head on a new page */
void ctm_table_end(struct ctm_sheet *s);

/* --- kinds --- */
void ctm_draw_certificate(struct ctm_sheet *s, const ctm_json *in);
void ctm_draw_nameplates(struct ctm_sheet *s, const ctm_json *in);
void ctm_draw_report(struct ctm_sheet *s, const ctm_json *in);
CTM_CHECK int ctm_check_certificate(const ctm_json *in, struct ctm_err *err);
CTM_CHECK int ctm_check_nameplates(const ctm_json *in, struct ctm_err *err);
CTM_CHECK int ctm_check_report(const ctm_json *in, struct ctm_err *err);

#endif
