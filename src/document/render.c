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
	info->title = "Certificate";
	info->author = ctm_json_gets(ctm_json_get(in, "cla"), "name");
	info->subject = ctm_json_gets(in, "number");
	info->watermark = !strcmp(status, "suspended") ? "SUSPENDED" : !strcmp(status, "withdrawn") ? "WITHDRAWN" : !strcmp(status, "expired") ? "EXPIRED" :
		ctm_json_getb(in, "specimen", false) ? "SPECIMEN" : NULL;
}

static void info_report(const ctm_json *in, struct ctm_sheet_info *info)
{
	info->title = "Evaluation report";
	info->author = ctm_json_gets(in, "authorised_by");
	info->subject = info->foot_left = ctm_json_gets(in, "number");
	info->foot_mid = ctm_json_gets(in, "report_digest");
	info->watermark = ctm_json_getb(in, "rehearsal", false) ? "REHEARSAL" : NULL;
}

static const struct {
	const char *kind;
	int (*check)(const ctm_json *in, struct ctm_err *err);
	void (*info)(const ctm_json *in, struct ctm_sheet_info *info);
	ctm_draw_fn draw;
} kinds[] = {
	{ "certificate", ctm_check_certificate, info_certificate, ctm_draw_certificate },
	{ "report", ctm_check_report, info_report, ctm_draw_report },
};

int ctm_render(const char *kind, const ctm_json *in, struct ctm_buf *out, struct ctm_err *err)
{
	static const char *const papers[] = { "letter", "a4" };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].kind, kind))
			continue;
		struct ctm_jc c = ctm_jc_root(in, kind), has;
		size_t which;
		int rc = ctm_jc_is(&c, CTM_J_OBJ, err);
		if (!rc && ctm_jc_has(&c, "paper", &has))
			rc = ctm_jc_enum(&c, "paper", papers, 2, &which, err);
		if (!rc)
			rc = kinds[i].check(in, err);
		if (rc)
			return rc;
		struct ctm_sheet_info info = { .paper = ctm_json_gets(in, "paper"), .created_ms = ctm_json_geti(in, "issued_ms", 0) };
		kinds[i].info(in, &info);
		return ctm_sheet_draw(&info, kinds[i].draw, in, out, err);
	}
	return ctm_fail(err, CTM_E_UNSUPPORTED, NULL, NULL, "\"%.40s\" is not a kind of paper; kinds are certificate and report", kind);
}
