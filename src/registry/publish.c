/* SPDX-License-Identifier: Apache-2.0
 *
 * Static files of a record, for any server that carries files: public/p/ID.json, ID.proof, ID.html. They are written again
 * whenever the record changes; the dynamic pages are made from the same view, so both say the same.
 */
#include "registry/registry.h"
#include "base/file.h"
#include "base/timex.h"
#include "http/tpl.h"
#include <stdio.h>
#include <string.h>

#define HTML_MAX (1 << 20)
#define JSON_MAX (1 << 20)

static int write_file(const char *dir, const char *id, const char *ext, const void *p, size_t n, struct ctm_err *err)
{
	char path[4200];

	snprintf(path, sizeof path, "%s/%s.%s", dir, id, ext);
	return ctm_file_write(path, p, n, 0644, err);
}

/* "@page" of a visitor who is not signed in. */
static int set_page(struct ctm_app *app, const char *id, ctm_json *out)
{
	ctm_json *p = ctm_json_obj();
	int rc = ctm_json_setf(p, "path", "/p/%s", id);

	rc |= ctm_json_setb(p, "get", true);
	rc |= ctm_json_sets(p, "locale", "en");
	rc |= ctm_json_sets(p, "public_url", ctm_app_public_url(app));
	rc |= ctm_json_sets(p, "csrf", "");
	rc |= ctm_json_sets(p, "who", NULL);
	rc |= ctm_json_set(p, "roles", ctm_json_obj());
	return rc | ctm_json_set(out, "@page", p);
}

static int write_html(struct ctm_app *app, const char *dir, const char *id, int64_t now_ms, ctm_json *view, struct ctm_err *err)
{
	const struct ctm_tpl *t = ctm_tpl_find("registry/record");
	struct ctm_tpl_cx tc = { .data = view, .locale = "en", .now_ms = now_ms };
	CTM_AUTO_BUF html = CTM_BUF(HTML_MAX);
	int rc;

	if (!t)
		return ctm_fail(err, CTM_E_FAIL, "registry/record", NULL, "The page of the record is not built in.");
	if (set_page(app, id, view))
		return ctm_fail(err, CTM_E_NOMEM, "record", NULL, "out of memory");
	if ((rc = ctm_tpl_render(t, &tc, &html, err)))
		return rc;
	return write_file(dir, id, "html", html.p, html.len, err);
}

int ctm_record_publish(struct ctm_app *app, struct ctm_db *db, const char *id, const void *proof, size_t n, int64_t now_ms, struct ctm_err *err)
{
	CTM_AUTO_JSON *view = ctm_json_obj();
	CTM_AUTO_BUF json = CTM_BUF(JSON_MAX);
	char dir[4096];
	int rc;

	if ((rc = ctm_record_view(app, db, id, "en", now_ms, false, view, err)))
		return rc;
	if ((rc = ctm_json_pretty(view, &json)))
		return ctm_fail(err, rc, "record", NULL, "The record cannot be written.");
	ctm_app_dir(app, "public/p", dir, sizeof dir);
	if ((rc = ctm_mkdirs(dir, 0755, err)) || (rc = write_file(dir, id, "json", json.p, json.len, err)) ||
	    (proof && (rc = write_file(dir, id, "proof", proof, n, err))))
		return rc;
	return write_html(app, dir, id, now_ms, view, err);
}
