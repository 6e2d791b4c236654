/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of the label. Everything hangs on the module of the QR code: margins and the code's place are whole modules, so that in a
 * raster every module is a whole number of pixels. No text and no watermark ever touches the code or its quiet zone.
 */
#include "registry/label.h"
#include "base/text.h"
#include "registry/art.h"
#include "registry/qr.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CONF_MAX 65536
#define AUTO_ART __attribute__((cleanup(ctm_art_freep))) struct ctm_art

static const struct ctm_color INK = { 0, 0, 0, 255 }, GREY = { 90, 98, 110, 255 }, PALE = { 240, 242, 245, 255 }, RED = { 176, 0, 32, 255 },
	WATER = { 176, 0, 32, 110 }, WHITE = { 255, 255, 255, 255 };

/* --- parameters ------------------------------------------------------------------------------------------------------ */

static int read_param(const struct ctm_jc *root, const char *name, int64_t lo, int64_t hi, int64_t *value, int64_t *min, int64_t *max, struct ctm_err *err)
{
	struct ctm_jc c;
	const char *source;
	int rc;

	if ((rc = ctm_jc_key(root, name, &c, err)) || (rc = ctm_jc_str(&c, "source", 1, 500, &source, err)) || (rc = ctm_jc_int(&c, "min", lo, hi, min, err)) ||
	    (rc = ctm_jc_int(&c, "max", *min, hi, max, err)) || (rc = ctm_jc_int(&c, "value", *min, *max, value, err)))
		return rc;
	return 0;
}

int ctm_label_params_load(const char *path, struct ctm_label_params *out, struct ctm_err *err)
{
	static const char *const formats[] = { "ctm.label/1" }, *const levels[] = { "M", "Q" };
	CTM_AUTO_JSON *j = NULL;
	struct ctm_label_params p;
	struct ctm_jc c, ec;
	int64_t lo, hi;
	size_t which;
	int rc = ctm_json_load(path, CONF_MAX, &j, err);

	if (rc)
		return rc;
	c = ctm_jc_root(j, path);
	if ((rc = ctm_jc_enum(&c, "format", formats, 1, &which, err)) || (rc = read_param(&c, "module_um", 50, 5000, &p.module_um, &p.module_min, &p.module_max, err)) ||
	    (rc = read_param(&c, "dpi", 72, 2400, &p.dpi, &p.dpi_min, &p.dpi_max, err)) || (rc = read_param(&c, "quiet_zone_modules", 4, 64, &p.quiet, &lo, &hi, err)) ||
	    (rc = read_param(&c, "url_max", 10, 1000, &p.url_max, &lo, &hi, err)) || (rc = ctm_jc_key(&c, "error_correction", &ec, err)) ||
	    (rc = ctm_jc_enum(&ec, "value", levels, 2, &which, err)))
		return rc;
	p.level = *levels[which];
	*out = p;
	return 0;
}

/* --- parts ----------------------------------------------------------------------------------------------------------- */

/* Our own outline of a shield in a box of width w at (x, y); it is 1.1 w high. */
static void shield(struct ctm_art *a, double x, double y, double w)
{
	for (int pass = 0; pass < 2; pass++) {
		ctm_art_begin(a, pass ? GREY : PALE, pass ? w * 0.02 : 0, false);
		ctm_art_add(a, CTM_ART_MOVE, x + 0.5 * w, y);
		ctm_art_curve(a, x + 0.62 * w, y + 0.09 * w, x + 0.8 * w, y + 0.13 * w, x + 0.95 * w, y + 0.13 * w);
		ctm_art_add(a, CTM_ART_LINE, x + 0.95 * w, y + 0.52 * w);
		ctm_art_curve(a, x + 0.95 * w, y + 0.8 * w, x + 0.72 * w, y + 0.99 * w, x + 0.5 * w, y + 1.1 * w);
		ctm_art_curve(a, x + 0.28 * w, y + 0.99 * w, x + 0.05 * w, y + 0.8 * w, x + 0.05 * w, y + 0.52 * w);
		ctm_art_add(a, CTM_ART_LINE, x + 0.05 * w, y + 0.13 * w);
		ctm_art_curve(a, x + 0.2 * w, y + 0.13 * w, x + 0.38 * w, y + 0.09 * w, x + 0.5 * w, y);
		ctm_art_add(a, CTM_ART_CLOSE, 0, 0);
	}
	ctm_art_text(a, "Place of the", false, x + 0.5 * w, y + 0.40 * w, 0.085 * w, 0.7 * w, 0, GREY);
	ctm_art_text(a, "U.S. Cyber Trust Mark", true, x + 0.5 * w, y + 0.53 * w, 0.12 * w, 0.82 * w, 0, GREY);
	ctm_art_text(a, "artwork of the FCC", false, x + 0.5 * w, y + 0.64 * w, 0.075 * w, 0.66 * w, 0, GREY);
	ctm_art_text(a, "not included", false, x + 0.5 * w, y + 0.74 * w, 0.075 * w, 0.56 * w, 0, GREY);
}

/* Runs of dark modules in a row become one rectangle each. */
static void code(struct ctm_art *a, const struct ctm_qr *q, double x, double y, double m)
{
	ctm_art_begin(a, INK, 0, true);
	for (int r = 0; r < q->n; r++)
		for (int c = 0; c < q->n;) {
			int from = c;
			while (c < q->n && q->dark[r * q->n + c])
				c++;
			if (c > from)
				ctm_art_rect(a, x + from * m, y + r * m, (c - from) * m, m);
			c += c == from;
		}
}

static void host_of(const char *url, char out[128])
{
	const char *h = strstr(url, "://") + 3;

	snprintf(out, 128, "%.*s", (int)(strcspn(h, "/?#") < 127 ? strcspn(h, "/?#") : 127), h);
}

struct layout { double m, margin, inner, shield_w, y_shield, y_code, y_text, w, h; int lines; };

static struct layout place(const struct ctm_qr *q, const struct ctm_label_params *p, double m, bool specimen, bool local)
{
	struct layout l = { .m = m };

	l.margin = ceil(2.4 / m) * m;
	l.inner = (q->n + 2 * (double)p->quiet) * m;
	l.w = l.inner + 2 * l.margin;
	l.shield_w = floor(l.inner * 0.72 / m) * m;
	l.y_shield = l.margin;
	l.y_code = l.y_shield + ceil(l.shield_w * 1.1 / m + 1) * m;
	l.y_text = l.y_code + l.inner;
	l.lines = 2 + (specimen ? 1 : 0) + (local ? 1 : 0);
	l.h = ceil((l.y_text + l.inner * 0.085 * l.lines + l.margin) / m) * m;
	return l;
}

static void words(struct ctm_art *a, const struct ctm_label *l, const struct layout *g, bool specimen)
{
	char host[128];
	double step = g->inner * 0.085, y = g->y_text + step * 0.72, x = g->w / 2, size = step * 0.86;

	host_of(l->url, host);
	ctm_art_text(a, host, true, x, y, size, g->inner, 0, INK);
	if (l->name && *l->name)
		ctm_art_text(a, l->name, false, x, y += step, size * 0.85, g->inner, 0, INK);
	if (specimen)
		ctm_art_text(a, "SPECIMEN: grants nothing, not for use on products", true, x, y += step, size * 0.8, g->inner, 0, RED);
	if (l->local)
		ctm_art_text(a, "Local address: works on this machine or network only", false, x, y += step, size * 0.8, g->inner, 0, RED);
	if (specimen)
		ctm_art_text(a, "SPECIMEN", true, x + g->shield_w * 0.045, g->y_shield + g->shield_w * 0.66, g->shield_w * 0.3, g->shield_w * 1.14, -0.62, WATER);
}

static int check(const struct ctm_label *l, const struct ctm_label_params *p, int64_t um, int64_t dpi, struct ctm_err *err)
{
	if (um < p->module_min || um > p->module_max)
		return ctm_fail(err, CTM_E_INPUT, "module-um", NULL, "A module is %lld to %lld micrometres wide.", (long long)p->module_min, (long long)p->module_max);
	if (dpi < p->dpi_min || dpi > p->dpi_max)
		return ctm_fail(err, CTM_E_INPUT, "dpi", NULL, "The raster is %lld to %lld dots an inch.", (long long)p->dpi_min, (long long)p->dpi_max);
	if (l->name && (strlen(l->name) > 120 || !ctm_text_printable(l->name, strlen(l->name)) || strpbrk(l->name, "\n\t")))
		return ctm_fail(err, CTM_E_INPUT, "name", NULL, "The product's name on a label is one line of at most 120 bytes.");
	return 0;
}

int ctm_label_render(const struct ctm_label *l, const struct ctm_label_params *p, enum ctm_label_format f, struct ctm_buf *out, struct ctm_err *err)
{
	int64_t um = l->module_um ? l->module_um : p->module_um, dpi = l->dpi ? l->dpi : p->dpi;
	bool specimen = l->specimen || l->local;
	struct ctm_qr q;
	char title[300], desc[400];
	int rc = check(l, p, um, dpi, err);

	if (rc || (rc = ctm_qr_make(l->url, l->level ? l->level : p->level, (int)p->url_max, &q, err)))
		return rc;
	double m = (double)um / 1000;
	struct layout g = place(&q, p, m, specimen, l->local);
	AUTO_ART *a = ctm_art_new(g.w, g.h);
	if (!a)
		return ctm_fail(err, CTM_E_NOMEM, "label", NULL, "out of memory");
	snprintf(title, sizeof title, "%sLabel with the QR code of %.200s", specimen ? "SPECIMEN. " : "", l->url);
	snprintf(desc, sizeof desc, "%s%sThe shield area is an outline: the U.S. Cyber Trust Mark belongs to the FCC and its artwork is not included.",
		specimen ? "SPECIMEN: grants nothing, not for use on products. " : "", l->local ? "Local address: works on this machine or network only. " : "");
	a->title = title;
	a->desc = desc;
	ctm_art_begin(a, WHITE, 0, true);
	ctm_art_rect(a, 0, 0, g.w, g.h);
	ctm_art_begin(a, GREY, 0.15, false);
	ctm_art_rect(a, 0.2, 0.2, g.w - 0.4, g.h - 0.4);
	shield(a, (g.w - g.shield_w) / 2, g.y_shield, g.shield_w);
	code(a, &q, g.margin + (double)p->quiet * m, g.y_code + (double)p->quiet * m, m);
	words(a, l, &g, specimen);
	if (f == CTM_LABEL_SVG)
		return ctm_art_svg(a, out, err);
	if (f == CTM_LABEL_PDF)
		return ctm_art_pdf(a, out, err);
	double per_module = floor(m * (double)dpi / 25.4 + 0.5);
	return ctm_art_png(a, (per_module < 2 ? 2 : per_module) / m, out, err);
}
