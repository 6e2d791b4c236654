/* SPDX-License-Identifier: Apache-2.0
 *
 * Kinds of paper, one row each: what is checked first, how it is drawn, what the file says of itself.
 */
#include "document/render.h"
#include "document/render_sheet.h"
#include <stdio.h>
#include <string.h>

static void info_certificate(const ctm_json *in, struct ctm_sheet_info *info)
{
	const char *status = ctm_json_gets(in, "status");
	const char *name = ctm_json_gets(ctm_json_get(in, "product"), "name"), *word = ctm_json_gets(info->words, "cert.title");
	snprintf(info->named, sizeof info->named, "%.40s %.60s: %.120s", word ? word : "Certificate", ctm_json_gets(in, "number"), name);
	info->title = info->named;
	info->author = ctm_json_gets(ctm_json_get(in, "cla"), "name");
	info->subject = ctm_json_gets(in, "number");
	static const struct { const char *status, *key, *word; } marks[] = { { "suspended", "cert.SUSPENDED", "SUSPENDED" },
		{ "withdrawn", "cert.WITHDRAWN", "WITHDRAWN" }, { "expired", "cert.EXPIRED", "EXPIRED" }, { "in_force", "cert.SPECIMEN", "SPECIMEN" } };
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
		if (!strcmp(status, marks[i].status) && (i < 3 || ctm_json_getb(in, "specimen", false)))
			info->watermark = ctm_json_gets(info->words, marks[i].key) ? ctm_json_gets(info->words, marks[i].key) : marks[i].word;
}

static void info_report(const ctm_json *in, struct ctm_sheet_info *info)
{
	snprintf(info->named, sizeof info->named, "Evaluation report %.60s", ctm_json_gets(in, "number"));
	info->title = info->named;
	info->author = ctm_json_gets(in, "authorised_by");
	info->subject = info->foot_left = ctm_json_gets(in, "number");
	info->foot_mid = ctm_json_gets(in, "report_digest");
	info->watermark = ctm_json_getb(in, "rehearsal", false) ? "REHEARSAL" : NULL;
}

static void info_nameplates(const ctm_json *in, struct ctm_sheet_info *info)
{
	snprintf(info->named, sizeof info->named, "Nameplates: %.120s", ctm_json_gets(in, "product"));
	info->title = info->named;
	info->author = ctm_json_gets(in, "maker");
	info->foot_left = ctm_json_gets(in, "batch");
}

static const struct {
	const char *kind;
	int (*check)(const ctm_json *in, struct ctm_err *err);
	void (*info)(const ctm_json *in, struct ctm_sheet_info *info);
	ctm_draw_fn draw;
} kinds[] = {
	{ "certificate", ctm_check_certificate, info_certificate, ctm_draw_certificate },
	{ "nameplates", ctm_check_nameplates, info_nameplates, ctm_draw_nameplates },
	{ "report", ctm_check_report, info_report, ctm_draw_report },
};

int ctm_render(const char *kind, const ctm_json *in, struct ctm_buf *out, struct ctm_err *err)
{
	static const char *const papers[] = { "letter", "a4" }, *const languages[] = { "en", "es" };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].kind, kind))
			continue;
		struct ctm_jc c = ctm_jc_root(in, kind), has;
		size_t which;
		int rc = ctm_jc_is(&c, CTM_J_OBJ, err);
		if (!rc && ctm_jc_has(&c, "paper", &has))
			rc = ctm_jc_enum(&c, "paper", papers, 2, &which, err);
		if (!rc && ctm_jc_has(&c, "language", &has))
			rc = ctm_jc_enum(&c, "language", languages, 2, &which, err);
		if (!rc && ctm_jc_has(&c, "words", &has))
			rc = ctm_jc_is(&has, CTM_J_OBJ, err);
		if (!rc)
			rc = kinds[i].check(in, err);
		if (rc)
			return rc;
		struct ctm_sheet_info info = { .paper = ctm_json_gets(in, "paper"), .language = ctm_json_gets(in, "language"),
			.words = ctm_json_get(in, "words"), .created_ms = ctm_json_geti(in, "issued_ms", 0) };
		kinds[i].info(in, &info);
		return ctm_sheet_draw(&info, kinds[i].draw, in, out, err);
	}
	return ctm_fail(err, CTM_E_UNSUPPORTED, NULL, NULL, "\"%.40s\" is not a kind of paper; kinds are certificate, nameplates and report", kind);
}
