/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm label render: artwork of a label as SVG, PNG or PDF. Without a proof of a live authorisation it is marked SPECIMEN; with
 * --proof the address and name are those of the signed record, and a record that is not authorised gets no label at all.
 * ctm label read: the address in the QR code of a picture, as a shopper's phone would find it (zbar).
 *
 * Exit: 0 good, 1 refused, or no code in the picture, 2 misuse, 3 could not run.
 */
#include "app/share.h"
#include "base/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "registry/label.h"
#include "registry/proof.h"
#include "registry/url.h"
#include <cairo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zbar.h>

#if defined(__SANITIZE_ADDRESS__)
/* Cairo, Pango and fontconfig keep caches to the end of the process; giving them back asserts while a thread of Pango's still
 * holds a font, so the leak checker is told to leave this program alone. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

#define ART_MAX ((size_t)16 << 20)
#define PICTURE_MAX 12000      /* pixels on a side */

static const char *url, *name, *format, *out_path, *module_um, *level, *dpi, *proof_path, *trust_path;
static bool specimen;

/* --- render ---------------------------------------------------------------------------------------------------------- */

static int number(const char *text, const char *option, int64_t *out, struct ctm_err *err)
{
	if (text && ctm_parse_i64(text, 1, 1000000, out))
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --%s needs a number", option);
	return 0;
}

static int which_format(enum ctm_label_format *out, struct ctm_err *err)
{
	static const char *const names[] = { "svg", "png", "pdf" };
	const char *dot = strrchr(out_path, '.'), *f = format ? format : dot ? dot + 1 : "";

	for (int i = 0; i < 3; i++)
		if (!strcmp(f, names[i])) {
			*out = (enum ctm_label_format)i;
			return 0;
		}
	return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the format is svg, png or pdf: give --format, or a file name that ends so");
}

static int read_stdin(struct ctm_buf *b, struct ctm_err *err)
{
	char chunk[16384];
	ssize_t n;

	while ((n = read(0, chunk, sizeof chunk)) > 0)
		ctm_buf_add(b, chunk, (size_t)n);
	return n < 0 ? ctm_fail(err, CTM_E_IO, "proof", NULL, "standard input cannot be read") : ctm_buf_err(b, "proof", err);
}

/* Address and name from a proof of a live authorisation. *r owns the texts. */
static int bind_proof(struct ctm_label *l, struct ctm_proof_report *r, struct ctm_err *err)
{
	struct ctm_trust t;
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	int rc;

	if (!trust_path)
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --proof needs --trust FILE");
	if ((rc = ctm_trust_load(trust_path, &t, err)) || (rc = strcmp(proof_path, "-") ? ctm_file_read_link(proof_path, 1 << 20, &b, err) : read_stdin(&b, err)) ||
	    (rc = ctm_proof_check(ctm_buf_cstr(&b), b.len, &t, r, err)))
		return rc;
	if (strcmp(r->st.status, "authorised"))
		return ctm_fail(err, CTM_E_STATE, "proof", "47 CFR 8.205", "There is no label without a live authorization; the record says \"%s\".", r->st.status);
	l->url = ctm_json_gets(r->content, "url");
	l->name = ctm_json_gets(ctm_json_get(r->content, "product"), "name");
	return l->url ? 0 : ctm_fail(err, CTM_E_INPUT, "proof", NULL, "The record in the proof has no address.");
}

static int write_out(const struct ctm_buf *b, struct ctm_err *err)
{
	if (strcmp(out_path, "-"))
		return ctm_file_write(out_path, b->p, b->len, 0644, err);
	if (fwrite(b->p, 1, b->len, stdout) != b->len || fflush(stdout))
		return ctm_fail(err, CTM_E_IO, "out", NULL, "standard output cannot be written");
	return 0;
}

static int render_with(struct ctm_label *l, struct ctm_proof_report *r, struct ctm_err *err)
{
	struct ctm_label_params p;
	enum ctm_label_format f = CTM_LABEL_SVG;
	CTM_AUTO_BUF b = CTM_BUF(ART_MAX);
	char dir[4096], path[4200];
	int rc;

	if ((rc = which_format(&f, err)) || (rc = number(module_um, "module-um", &l->module_um, err)) || (rc = number(dpi, "dpi", &l->dpi, err)) ||
	    (rc = ctm_share_path("catalogue", dir, sizeof dir, err)))
		return rc;
	snprintf(path, sizeof path, "%s/label.json", dir);
	if ((rc = ctm_label_params_load(path, &p, err)) || (proof_path && (rc = bind_proof(l, r, err))))
		return rc;
	l->local = ctm_url_local(l->url);
	if ((rc = ctm_label_render(l, &p, f, &b, err)) || (rc = write_out(&b, err)))
		return rc;
	if (strcmp(out_path, "-"))
		printf("%s: label with the code of %s%s\n", out_path, l->url, l->specimen || l->local ? " (SPECIMEN)" : "");
	return 0;
}

static int render(const char **args, struct ctm_err *err)
{
	struct ctm_label l = { .url = url, .name = name, .specimen = specimen || !proof_path };
	struct ctm_proof_report r = { 0 };

	(void)args;
	if (!out_path || (!url && !proof_path))
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the options --out and either --url or --proof are needed");
	if (level && strcmp(level, "M") && strcmp(level, "Q"))
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --level is M or Q");
	l.level = level ? *level : 0;
	int rc = render_with(&l, &r, err);
	ctm_proof_report_free(&r);
	return rc;
}

/* --- read ------------------------------------------------------------------------------------------------------------ */

static int scan(const unsigned char *grey, unsigned w, unsigned h, struct ctm_err *err)
{
	zbar_image_scanner_t *s = zbar_image_scanner_create();
	zbar_image_t *img = zbar_image_create();
	int found = 0;

	(void)zbar_image_scanner_request_dbus(s, 0);        /* what was read is nobody else's business */
	zbar_image_scanner_set_config(s, 0, ZBAR_CFG_ENABLE, 0);
	zbar_image_scanner_set_config(s, ZBAR_QRCODE, ZBAR_CFG_ENABLE, 1);
	zbar_image_set_format(img, zbar_fourcc('Y', '8', '0', '0'));
	zbar_image_set_size(img, w, h);
	zbar_image_set_data(img, grey, (unsigned long)w * h, NULL);
	if (zbar_scan_image(s, img) > 0)
		for (const zbar_symbol_t *y = zbar_image_first_symbol(img); y; y = zbar_symbol_next(y)) {
			const char *t = zbar_symbol_get_data(y);
			size_t n = zbar_symbol_get_data_length(y);
			if (!ctm_text_printable(t, n) || memchr(t, '\n', n))
				continue;
			printf("%.*s\n", (int)n, t);
			found++;
		}
	zbar_image_destroy(img);
	zbar_image_scanner_destroy(s);
	return found ? 0 : ctm_fail(err, CTM_E_INPUT, "FILE", NULL, "No QR code was found in the picture.");
}

static int read_label(const char **args, struct ctm_err *err)
{
	cairo_surface_t *s = cairo_image_surface_create_from_png(args[0]);
	int w = cairo_image_surface_get_width(s), h = cairo_image_surface_get_height(s), rc;

	if (cairo_surface_status(s) == CAIRO_STATUS_FILE_NOT_FOUND) {
		rc = ctm_fail(err, CTM_E_NOTFOUND, "FILE", NULL, "There is no file %s.", args[0]);
	} else if (cairo_surface_status(s) || w < 1 || h < 1 || w > PICTURE_MAX || h > PICTURE_MAX) {
		rc = ctm_fail(err, CTM_E_SYNTAX, "FILE", NULL, "%s is not a PNG picture of at most %d by %d pixels.", args[0], PICTURE_MAX, PICTURE_MAX);
	} else {
		/* Any format of PNG becomes 8 bits of grey on white. */
		cairo_surface_t *flat = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w, h);
		cairo_t *cr = cairo_create(flat);
		cairo_set_source_rgb(cr, 1, 1, 1);
		cairo_paint(cr);
		cairo_set_source_surface(cr, s, 0, 0);
		cairo_paint(cr);
		cairo_destroy(cr);
		cairo_surface_flush(flat);
		unsigned char *grey = malloc((size_t)w * (size_t)h);
		for (int y = 0; grey && y < h; y++) {
			const unsigned char *row = cairo_image_surface_get_data(flat) + (size_t)y * (size_t)cairo_image_surface_get_stride(flat);
			for (int x = 0; x < w; x++)
				grey[(size_t)y * (size_t)w + (size_t)x] = (unsigned char)((row[4 * x] + 2 * row[4 * x + 1] + row[4 * x + 2]) / 4);
		}
		rc = grey ? scan(grey, (unsigned)w, (unsigned)h, err) : ctm_fail(err, CTM_E_NOMEM, "FILE", NULL, "out of memory");
		free(grey);
		cairo_surface_destroy(flat);
	}
	cairo_surface_destroy(s);
	return rc;
}

/* --- main ------------------------------------------------------------------------------------------------------------ */

static const struct ctm_opt render_opts[] = {
	{ "url", "URL", "address of the record's page", &url, NULL },
	{ "name", "NAME", "name of the product", &name, NULL },
	{ "proof", "FILE", "proof of the record (- for standard input): binds the label to a live authorization; needs --trust", &proof_path, NULL },
	{ "trust", "FILE", "trust list to check the proof with", &trust_path, NULL },
	{ "out", "FILE", "where the artwork goes (- for standard output)", &out_path, NULL },
	{ "format", "FORMAT", "svg, png or pdf (else by the name of the file)", &format, NULL },
	{ "module-um", "N", "width of a module of the code in micrometres", &module_um, NULL },
	{ "level", "LEVEL", "error correction: M or Q", &level, NULL },
	{ "dpi", "N", "raster of a PNG", &dpi, NULL },
	{ "specimen", NULL, "mark it SPECIMEN (always so without --proof, and for local addresses)", NULL, &specimen },
};
static const struct { struct ctm_cmd cmd; int (*run)(const char **args, struct ctm_err *err); } verbs[] = {
	{ { "label render", "", "Draw a label: shield area, QR code of the record's page, host name in clear.", render_opts, sizeof render_opts / sizeof *render_opts, 0, 0 }, render },
	{ { "label read", "FILE.png", "Print the address in the QR code of a picture.", NULL, 0, 1, 1 }, read_label },
};

int main(int argc, char **argv)
{
	struct ctm_err err = { 0 };
	const char *args[1] = { NULL };
	bool helped = false;
	int n = 0;

	for (size_t i = 0; i < 2; i++) {
		if (argc < 2 || strcmp(argv[1], verbs[i].cmd.name + 6))
			continue;
		int rc = ctm_cli_parse(&verbs[i].cmd, argc - 1, argv + 1, args, &n, &helped, &err);
		if (!rc && !helped)
			rc = verbs[i].run(args, &err);
		return rc ? ctm_cli_die("label", &err) : 0;
	}
	bool help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
	for (size_t i = 0; i < 2; i++)
		ctm_cli_help(&verbs[i].cmd, help ? stdout : stderr);
	return help ? 0 : 2;
}
