/* SPDX-License-Identifier: Apache-2.0
 *
 * The label: what it says, what it refuses, and that two decoders we did not write (zbar, ZXing) read every size and raster of
 * it, blurred, rotated and with a tenth of the code covered (ISO/IEC 18004; 47 CFR 8.203: the code leads to the registry page).
 */
#include "state.h"
#include "base/proc.h"
#include "registry/label.h"
#include "registry/qr.h"
#include <cairo.h>
#include <fontconfig/fontconfig.h>

#define URL "http://localhost:8080/p/7XK2MQ4T9ZC"
#define FAR "https://registry.trustmark.example.gov/p/7XK2MQ4T9ZC"

static struct ctm_label_params params;
static char dir[256];

static int setup(void **state)
{
	struct ctm_err err = { 0 };

	(void)state;
	snprintf(dir, sizeof dir, "%s/ctm-label-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(dir));
	if (ctm_label_params_load(CTM_CATALOGUE "/label.json", &params, &err))
		fail_msg("%s", err.msg);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cairo_debug_reset_static_data();
	FcFini();
	return nftw(dir, state_rm_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void path_of(const char *name, char out[512])
{
	snprintf(out, 512, "%s/%s", dir, name);
}

static bool have(const char *tool)
{
	CTM_AUTO_BUF b = CTM_BUF(65536);
	const char *argv[] = { tool, "--help", NULL };
	struct ctm_proc p = { .argv = argv, .timeout_ms = 5000 };
	int status;

	return ctm_proc_run(&p, &b, NULL, &status, NULL) == 0;
}

/* Does this program find the address in the picture? */
static bool decodes(const char *tool, const char *file, const char *want)
{
	CTM_AUTO_BUF out = CTM_BUF(65536), said = CTM_BUF(65536);
	const char *zbar[] = { "zbarimg", "--quiet", "--raw", "--nodbus", file, NULL }, *zxing[] = { "ZXingReader", file, NULL }, *own[] = { CTM_LABEL, "read", file, NULL };
	struct ctm_proc p = { .argv = !strcmp(tool, "zbarimg") ? zbar : !strcmp(tool, "ZXingReader") ? zxing : own, .timeout_ms = 20000 };
	int status = -1;

	assert_int_equal(ctm_proc_run(&p, &out, &said, &status, NULL), 0);
	return strstr(ctm_buf_cstr(&out), want) != NULL;
}

static void draw(const struct ctm_label *l, const char *file)
{
	CTM_AUTO_BUF b = CTM_BUF(16 << 20);
	struct ctm_err err = { 0 };

	if (ctm_label_render(l, &params, CTM_LABEL_PNG, &b, &err))
		fail_msg("%s: %s", err.field, err.msg);
	assert_int_equal(ctm_file_write(file, b.p, b.len, 0644, NULL), 0);
}

static void both_decoders(const char *file, const char *want, const char *what)
{
	static const char *const tools[] = { "zbarimg", "ZXingReader", "ctm label read" };

	for (size_t i = 0; i < 3; i++)
		if ((i == 2 || have(tools[i])) && !decodes(tools[i], file, want))
			fail_msg("%s does not read the label: %s", tools[i], what);
}

static void every_size_and_raster_reads_back(void **state)
{
	static const int64_t um[] = { 250, 396, 660, 990 }, dpi[] = { 150, 300, 600 };
	char file[512], what[128];

	(void)state;
	if (!have("zbarimg") || !have("ZXingReader"))
		print_message("zbarimg or ZXingReader is not installed: only what is there is asked\n");
	path_of("l.png", file);
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 3; k++)
			for (int q = 0; q < 2; q++) {
				struct ctm_label l = { .url = q ? FAR : URL, .name = "Porch Camera", .local = !q, .module_um = um[i], .dpi = dpi[k], .level = q ? 'Q' : 'M' };
				draw(&l, file);
				snprintf(what, sizeof what, "module %d um, %d dpi, level %c", (int)um[i], (int)dpi[k], l.level);
				both_decoders(file, l.url, what);
			}
}

/* Redraw a picture: scaled down and up again (blur), turned, with a white sticker over a part of the code. */
static void spoil(const char *from, const char *to, double blur, double turn, double cover)
{
	cairo_surface_t *s = cairo_image_surface_create_from_png(from);
	int w = cairo_image_surface_get_width(s), h = cairo_image_surface_get_height(s);
	int sw = (int)(w / blur), sh = (int)(h / blur), side = (int)(1.2 * (w > h ? w : h));
	cairo_surface_t *small = cairo_image_surface_create(CAIRO_FORMAT_RGB24, sw, sh), *out = cairo_image_surface_create(CAIRO_FORMAT_RGB24, side, side);

	cairo_t *c = cairo_create(small);
	cairo_scale(c, 1 / blur, 1 / blur);
	cairo_set_source_surface(c, s, 0, 0);
	cairo_pattern_set_filter(cairo_get_source(c), CAIRO_FILTER_GOOD);
	cairo_paint(c);
	cairo_destroy(c);
	c = cairo_create(out);
	cairo_set_source_rgb(c, 1, 1, 1);
	cairo_paint(c);
	cairo_translate(c, side / 2.0, side / 2.0);
	cairo_rotate(c, turn);
	cairo_scale(c, blur, blur);
	cairo_set_source_surface(c, small, -sw / 2.0, -sh / 2.0);
	cairo_pattern_set_filter(cairo_get_source(c), CAIRO_FILTER_BILINEAR);
	cairo_paint(c);
	if (cover > 0) {                      /* in the middle of the code, away from its three eyes */
		double code = sw * 0.6, a = code * cover;
		cairo_set_source_rgb(c, 1, 1, 1);
		cairo_rectangle(c, code * 0.05, sh * 0.09, a, a);
		cairo_fill(c);
	}
	cairo_destroy(c);
	assert_int_equal(cairo_surface_write_to_png(out, to), CAIRO_STATUS_SUCCESS);
	cairo_surface_destroy(s);
	cairo_surface_destroy(small);
	cairo_surface_destroy(out);
}

static void blurred_turned_and_covered_labels_read_back(void **state)
{
	static const struct { const char *what; double blur, turn, cover; char level; } harm[] = {
		{ "blurred to 3 pixels a module", 3, 0, 0, 'M' }, { "turned by 20 degrees", 1, 0.35, 0, 'M' }, { "turned by 90 degrees", 1, 1.5708, 0, 'M' },
		{ "a tenth covered", 1, 0, 0.32, 'Q' }, { "blurred, turned and covered", 1.5, 0.2, 0.2, 'Q' },
	};
	char file[512], spoilt[512];

	(void)state;
	path_of("l.png", file);
	path_of("s.png", spoilt);
	for (size_t i = 0; i < sizeof harm / sizeof *harm; i++) {
		struct ctm_label l = { .url = URL, .name = "Porch Camera", .local = true, .level = harm[i].level };
		draw(&l, file);
		spoil(file, spoilt, harm[i].blur, harm[i].turn, harm[i].cover);
		both_decoders(spoilt, URL, harm[i].what);
	}
}

static void the_artwork_says_what_it_is(void **state)
{
	struct ctm_label l = { .url = URL, .name = "Porch <Camera> & Co", .local = true };
	CTM_AUTO_BUF svg = CTM_BUF(4 << 20), clean = CTM_BUF(4 << 20), again = CTM_BUF(4 << 20), pdf = CTM_BUF(4 << 20), pdf2 = CTM_BUF(4 << 20);

	(void)state;
	assert_int_equal(ctm_label_render(&l, &params, CTM_LABEL_SVG, &svg, NULL), 0);
	assert_non_null(strstr(ctm_buf_cstr(&svg), "SPECIMEN"));
	assert_non_null(strstr(ctm_buf_cstr(&svg), "Local address"));
	assert_non_null(strstr(ctm_buf_cstr(&svg), "belongs to the FCC"));
	assert_null(strstr(ctm_buf_cstr(&svg), "<text"));            /* no font is needed to show it */
	assert_null(strstr(ctm_buf_cstr(&svg), "<script"));
	assert_null(strstr(ctm_buf_cstr(&svg), "href"));
	assert_int_equal(ctm_label_render(&l, &params, CTM_LABEL_SVG, &again, NULL), 0);
	assert_string_equal(ctm_buf_cstr(&svg), ctm_buf_cstr(&again));
	assert_int_equal(ctm_label_render(&l, &params, CTM_LABEL_PDF, &pdf, NULL), 0);
	assert_int_equal(ctm_label_render(&l, &params, CTM_LABEL_PDF, &pdf2, NULL), 0);
	assert_true(pdf.len > 1000 && !memcmp(pdf.p, "%PDF", 4) && pdf.len == pdf2.len && !memcmp(pdf.p, pdf2.p, pdf.len));
	struct ctm_label live = { .url = FAR, .name = "Porch Camera" };
	assert_int_equal(ctm_label_render(&live, &params, CTM_LABEL_SVG, &clean, NULL), 0);
	assert_null(strstr(ctm_buf_cstr(&clean), "SPECIMEN"));
	assert_true(clean.len < svg.len);
}

static void what_cannot_be_a_label_is_refused(void **state)
{
	static const char *const urls[] = { "HTTPS://mark.gov/p/X", "ftp://mark.gov/p/X", "https://", "mark.gov/p/X", "https://mark.gov/p/X Y", "https://mark.gov/\"", "https://m\u00e4rk.gov/",
		"javascript:alert(1)", "https://mark.gov/ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp" };
	CTM_AUTO_BUF b = CTM_BUF(4 << 20);
	struct ctm_err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		struct ctm_label l = { .url = urls[i] };
		if (ctm_label_render(&l, &params, CTM_LABEL_SVG, &b, NULL) != CTM_E_INPUT)
			fail_msg("accepted: %s", urls[i]);
	}
	struct ctm_label small = { .url = URL, .module_um = 100 }, coarse = { .url = URL, .dpi = 50 }, named = { .url = URL, .name = "a\nb" };
	assert_int_equal(ctm_label_render(&small, &params, CTM_LABEL_SVG, &b, &err), CTM_E_INPUT);
	assert_string_equal(err.field, "module-um");
	assert_int_equal(ctm_label_render(&coarse, &params, CTM_LABEL_PNG, &b, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_label_render(&named, &params, CTM_LABEL_SVG, &b, NULL), CTM_E_INPUT);
	assert_int_equal(b.len, 0);
}

static int run(const char *const *argv, struct ctm_buf *out, struct ctm_buf *said)
{
	struct ctm_proc p = { .argv = argv, .timeout_ms = 20000 };
	int status = -1;

	assert_int_equal(ctm_proc_run(&p, out, said, &status, NULL), 0);
	return status;
}

static void the_program_marks_what_is_bound_to_nothing(void **state)
{
	CTM_AUTO_BUF out = CTM_BUF(4 << 20), said = CTM_BUF(65536);
	char file[512];

	(void)state;
	path_of("p.svg", file);
	const char *unbound[] = { CTM_LABEL, "render", "--url", FAR, "--out", "-", "--format", "svg", NULL };
	assert_int_equal(run(unbound, &out, &said), 0);
	assert_non_null(strstr(ctm_buf_cstr(&out), "SPECIMEN"));
	assert_null(strstr(ctm_buf_cstr(&out), "Local address"));
	const char *nothing[] = { CTM_LABEL, "render", "--out", file, NULL }, *odd[] = { CTM_LABEL, "render", "--url", URL, "--out", "x.bmp", NULL };
	assert_int_equal(run(nothing, &out, &said), 2);
	assert_int_equal(run(odd, &out, &said), 2);
	const char *gone[] = { CTM_LABEL, "read", "/nonexistent.png", NULL };
	assert_int_equal(run(gone, &out, &said), 1);
	assert_int_equal(ctm_file_write(file, "not a picture", 13, 0644, NULL), 0);
	const char *junk[] = { CTM_LABEL, "read", file, NULL };
	assert_int_equal(run(junk, &out, &said), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_and_raster_reads_back),
		cmocka_unit_test(blurred_turned_and_covered_labels_read_back),
		cmocka_unit_test(the_artwork_says_what_it_is),
		cmocka_unit_test(what_cannot_be_a_label_is_refused),
		cmocka_unit_test(the_program_marks_what_is_bound_to_nothing),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
