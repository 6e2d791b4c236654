/* SPDX-License-Identifier: Apache-2.0
 *
 * Papers: what must be readable on them is read back with an outside reader (poppler, zbar); the same input gives the same
 * bytes; every missing member is refused by its name; a very long report breaks into numbered pages with its heads repeated.
 */
#include "document/render.h"
#include "base/file.h"
#include "base/proc.h"
#include <cairo.h>
#include <fontconfig/fontconfig.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char *samples;
static char dir[64];

static ctm_json *sample(const char *name)
{
	char path[4096];
	struct ctm_err err = { 0 };
	ctm_json *v = NULL;
	snprintf(path, sizeof path, "%s/%s.json", samples, name);
	if (ctm_json_load(path, CTM_RENDER_IN_MAX, &v, &err))
		fail_msg("%s", err.msg);
	return v;
}

static void draw(const char *kind, const ctm_json *in, struct ctm_buf *out)
{
	struct ctm_err err = { 0 };
	if (ctm_render(kind, in, out, &err))
		fail_msg("%s: %s", kind, err.msg);
	assert_int_equal(strncmp(out->p, "%PDF-1.5", 8), 0);
}

/* Run an outside reader on a PDF; false when it is not installed. */
static bool reader(const char *const *argv, struct ctm_buf *said)
{
	struct ctm_err err = { 0 };
	int status = -1;
	struct ctm_proc p = { .argv = argv, .timeout_ms = 30000 };
	if (ctm_proc_run(&p, said, NULL, &status, &err) == CTM_E_NOTFOUND)
		return false;
	if (err.code || status)
		fail_msg("%s: status %d %s", argv[0], status, err.msg);
	return true;
}

static const char *pdf_file(const struct ctm_buf *pdf)
{
	static char path[128];
	struct ctm_err err = { 0 };
	snprintf(path, sizeof path, "%s/x.pdf", dir);
	assert_int_equal(ctm_file_write(path, pdf->p, pdf->len, 0600, &err), 0);
	return path;
}

static bool text_of(const struct ctm_buf *pdf, struct ctm_buf *text)
{
	const char *argv[] = { "pdftotext", "-layout", pdf_file(pdf), "-", NULL };
	return reader(argv, text);
}

static void must_say(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("the paper does not say: %s", what);
}

static void the_same_input_gives_the_same_bytes(void **state)
{
	static const char *const kinds[] = { "certificate", "report" };
	for (int i = 0; i < 2; i++) {
		CTM_AUTO_JSON *in = sample(kinds[i]);
		CTM_AUTO_BUF a = CTM_BUF(CTM_RENDER_OUT_MAX);
		CTM_AUTO_BUF b = CTM_BUF(CTM_RENDER_OUT_MAX);
		draw(kinds[i], in, &a);
		draw(kinds[i], in, &b);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.p, b.p, a.len);
	}
}

static void a_certificate_says_what_it_is_and_whose_the_mark_is(void **state)
{
	CTM_AUTO_JSON *in = sample("certificate");
	CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
	CTM_AUTO_BUF text = CTM_BUF(1 << 20);
	draw("certificate", in, &pdf);
	if (!text_of(&pdf, &text))
		skip();
	static const char *const words[] = { "CTM-2026-000001", "Porch Camera", "Larkspur Porchworks (fictional)", "2.4.1", "TB-2026-0007", "7Q4MX0C2RT8",
		"November 21, 2026", "November 20, 2031", "belongs to it", "Specimen: the address works on one machine only", "Harborlight Certification (fictional)" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		must_say(ctm_buf_cstr(&text), words[i]);
}

static void a_certificate_that_is_not_in_force_says_so(void **state)
{
	static const char *const rows[][2] = { { "suspended", "Suspended" }, { "withdrawn", "Withdrawn" }, { "expired", "Expired" } };
	for (int i = 0; i < 3; i++) {
		CTM_AUTO_JSON *in = sample("certificate");
		CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
		CTM_AUTO_BUF text = CTM_BUF(1 << 20);
		assert_int_equal(ctm_json_sets(in, "status", rows[i][0]), 0);
		draw("certificate", in, &pdf);
		if (!text_of(&pdf, &text))
			skip();
		must_say(ctm_buf_cstr(&text), rows[i][1]);
	}
}

static void the_code_on_the_certificate_leads_to_the_record(void **state)
{
	CTM_AUTO_JSON *in = sample("certificate");
	CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
	CTM_AUTO_BUF said = CTM_BUF(1 << 16);
	char png[128], out[128];
	draw("certificate", in, &pdf);
	snprintf(out, sizeof out, "%s/page", dir);
	snprintf(png, sizeof png, "%s/page.png", dir);
	const char *raster[] = { "pdftoppm", "-r", "150", "-png", "-singlefile", pdf_file(&pdf), out, NULL };
	const char *scan[] = { "zbarimg", "-q", "--raw", png, NULL };
	if (!reader(raster, &said) || !reader(scan, &said))
		skip();
	must_say(ctm_buf_cstr(&said), ctm_json_gets(ctm_json_get(in, "record"), "url"));
}

/* Readers aloud need the parts by name, the language and a title (ISO 14289-1 7.1, 7.2); qpdf holds the file to ISO 32000. */
static void papers_are_tagged_and_sound(void **state)
{
	static const struct { const char *kind, *title; } rows[] = { { "certificate", "Certificate CTM-2026-000001: Porch Camera" }, { "report", "Evaluation report TB-2026-0007" } };
	for (size_t i = 0; i < 2; i++) {
		CTM_AUTO_JSON *in = sample(rows[i].kind);
		CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
		CTM_AUTO_BUF info = CTM_BUF(1 << 20);
		CTM_AUTO_BUF tree = CTM_BUF(1 << 20);
		CTM_AUTO_BUF fonts = CTM_BUF(1 << 16);
		CTM_AUTO_BUF sound = CTM_BUF(1 << 16);
		draw(rows[i].kind, in, &pdf);
		const char *file = pdf_file(&pdf);
		const char *ask[] = { "pdfinfo", file, NULL }, *structure[] = { "pdfinfo", "-struct", file, NULL }, *check[] = { "qpdf", "--check", file, NULL };
		const char *font[] = { "pdffonts", file, NULL };
		if (!reader(ask, &info) || !reader(structure, &tree) || !reader(check, &sound) || !reader(font, &fonts))
			skip();
		must_say(ctm_buf_cstr(&info), rows[i].title);
		assert_non_null(strstr(strstr(ctm_buf_cstr(&info), "Tagged:"), "yes"));
		for (size_t k = 0; k < 6; k++)
			must_say(ctm_buf_cstr(&tree), ((const char *[]){ "Document\n  ", "H1 (block)", "Table (block)", "TR", "TH", "TD" })[k]);
		assert_non_null(memmem(pdf.p, pdf.len, "/Lang (en-US)", 13));
		must_say(ctm_buf_cstr(&fonts), "LiberationSans");
		assert_null(strstr(ctm_buf_cstr(&fonts), " no  "));          /* every font is embedded */
	}
}

static void a_certificate_speaks_the_language_it_is_given(void **state)
{
	CTM_AUTO_JSON *in = sample("certificate");
	CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
	CTM_AUTO_BUF text = CTM_BUF(1 << 20);
	ctm_json *words = ctm_json_obj();
	assert_int_equal(ctm_json_sets(words, "cert.title", "Certificado") | ctm_json_sets(words, "month.11", "noviembre"), 0);
	assert_int_equal(ctm_json_set(in, "words", words) | ctm_json_sets(in, "language", "es"), 0);
	draw("certificate", in, &pdf);
	assert_non_null(memmem(pdf.p, pdf.len, "/Lang (es-US)", 13));
	if (!text_of(&pdf, &text))
		skip();
	must_say(ctm_buf_cstr(&text), "Certificado");
	must_say(ctm_buf_cstr(&text), "21 de noviembre de 2026");
}

/* ISO/IEC 17025:2017 7.8.2.1: each item has its line, also where nothing was stated. */
static void a_report_carries_every_item_of_the_standard(void **state)
{
	CTM_AUTO_JSON *in = sample("report");
	CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
	CTM_AUTO_BUF text = CTM_BUF(4 << 20);
	draw("report", in, &pdf);
	if (!text_of(&pdf, &text))
		skip();
	static const char *const words[] = { "Evaluation report", "(b)", "(c)", "(d)", "(e)", "(f)", "(g)", "(h)", "(i)", "(j)", "(k)", "(l)", "(n)", "(o)", "(p)",
		"Findings", "Inspections and attestations", "Decision rule (7.8.6)", "Page 1 of", "End of report TB-2026-0007", "An unsigned update is refused", "Not met",
		"The results relate only to the item tested" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		must_say(ctm_buf_cstr(&text), words[i]);
	must_say(text.p, ctm_json_gets(in, "bundle_digest"));
	must_say(text.p, ctm_json_gets(in, "report_digest"));
}

static void what_a_report_does_not_state_is_said_not_dropped(void **state)
{
	CTM_AUTO_JSON *in = sample("report");
	CTM_AUTO_JSON *rep = ctm_json_copy(ctm_json_get(in, "report"));
	CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
	CTM_AUTO_BUF text = CTM_BUF(4 << 20);
	assert_int_equal(ctm_json_del(rep, "sampling") | ctm_json_del(rep, "decision_rule"), 0);
	assert_int_equal(ctm_json_set(in, "report", ctm_json_copy(rep)), 0);
	draw("report", in, &pdf);
	if (!text_of(&pdf, &text))
		skip();
	must_say(ctm_buf_cstr(&text), "not stated");
	must_say(text.p, "Decision rule (7.8.6): not stated");
}

static void a_long_report_repeats_the_heads_of_its_tables(void **state)
{
	CTM_AUTO_JSON *in = sample("report");
	CTM_AUTO_JSON *rep = ctm_json_copy(ctm_json_get(in, "report"));
	const ctm_json *checks = ctm_json_get(rep, "checks");
	ctm_json *many = ctm_json_arr();
	for (int i = 0; i < 120; i++)
		assert_int_equal(ctm_json_add(many, ctm_json_copy(ctm_json_at(checks, (size_t)i % ctm_json_len(checks)))), 0);
	assert_int_equal(ctm_json_set(rep, "checks", many), 0);
	assert_int_equal(ctm_json_set(in, "report", ctm_json_copy(rep)), 0);
	CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
	CTM_AUTO_BUF text = CTM_BUF(4 << 20);
	draw("report", in, &pdf);
	if (!text_of(&pdf, &text))
		skip();
	int heads = 0;
	for (const char *p = ctm_buf_cstr(&text); (p = strstr(p, "What was checked")); p++)
		heads++;
	assert_true(heads > 2);
}

static void a_missing_member_is_named(void **state)
{
	static const struct { const char *kind, *member, *field; } rows[] = {
		{ "certificate", "number", "number" }, { "certificate", "status", "status" }, { "certificate", "issued_ms", "issued_ms" }, { "certificate", "product", "product" },
		{ "certificate", "baseline", "baseline" }, { "certificate", "cla", "cla" }, { "certificate", "lab", "lab" }, { "certificate", "record", "record" },
		{ "report", "number", "number" }, { "report", "report", "report" }, { "report", "bundle_digest", "bundle_digest" }, { "report", "authorised_by", "authorised_by" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CTM_AUTO_JSON *in = sample(rows[i].kind);
		CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
		struct ctm_err err = { 0 };
		assert_int_equal(ctm_json_del(in, rows[i].member), 0);
		assert_int_equal(ctm_render(rows[i].kind, in, &pdf, &err), CTM_E_INPUT);
		assert_int_equal(pdf.len, 0);
		if (!strstr(err.msg, rows[i].field) && !strstr(err.field, rows[i].field))
			fail_msg("%s without %s: %s %s", rows[i].kind, rows[i].member, err.field, err.msg);
	}
}

static void other_kinds_and_other_papers_are_refused(void **state)
{
	CTM_AUTO_JSON *in = sample("certificate");
	CTM_AUTO_BUF pdf = CTM_BUF(CTM_RENDER_OUT_MAX);
	struct ctm_err err = { 0 };
	assert_int_equal(ctm_render("poster", in, &pdf, &err), CTM_E_UNSUPPORTED);
	ctm_err_clear(&err);
	assert_int_equal(ctm_json_sets(in, "paper", "a0"), 0);
	assert_int_equal(ctm_render("certificate", in, &pdf, &err), CTM_E_INPUT);
}

static int setup(void **state)
{
	snprintf(dir, sizeof dir, "/tmp/ctm-render-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const files[] = { "x.pdf", "page.png", "" };
	char path[128];
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, files[i]);
		remove(path);
	}
	cairo_debug_reset_static_data();
	FcFini();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	samples = argv[1];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_input_gives_the_same_bytes),
		cmocka_unit_test(a_certificate_says_what_it_is_and_whose_the_mark_is),
		cmocka_unit_test(a_certificate_that_is_not_in_force_says_so),
		cmocka_unit_test(the_code_on_the_certificate_leads_to_the_record),
		cmocka_unit_test(a_report_carries_every_item_of_the_standard),
		cmocka_unit_test(what_a_report_does_not_state_is_said_not_dropped),
		cmocka_unit_test(a_long_report_repeats_the_heads_of_its_tables),
		cmocka_unit_test(papers_are_tagged_and_sound),
		cmocka_unit_test(a_certificate_speaks_the_language_it_is_given),
		cmocka_unit_test(a_missing_member_is_named),
		cmocka_unit_test(other_kinds_and_other_papers_are_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
