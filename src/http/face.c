/* SPDX-License-Identifier: Apache-2.0
 *
 * The seam's own rows: what is true of the table itself and needs no room. Everything here is made from the route rows, so
 * that the description cannot differ from the behaviour.
 *
 * "http/permissions" (GET /about/permissions)   {roles:[{name, kind}], rows:[{method, path, help, cells:[bool in the order of roles]}]}
 */
#include "base/text.h"
#include "http/app_impl.h"
#include "http/asset.h"
#include "http/openapi.h"
#include <stdio.h>
#include <string.h>

static int healthz(struct ctm_cx *cx, ctm_json *out)
{
	int schema = ctm_db_schema(cx->db);
	if (schema < 0)
		return ctm_fail(cx->err, CTM_E_IO, NULL, NULL, "the database cannot be read");
	if (ctm_json_sets(out, "status", "good") | ctm_json_seti(out, "schema", schema) | ctm_json_sets(out, "version", ctm_version()))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the answer");
	return 0;
}

static int api_description(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_app *a = cx->app;
	int rc = 0;
	pthread_mutex_lock(&a->openapi_mu);
	if (!a->openapi.len)
		rc = ctm_openapi(a->router, a->conf.replies, a->public_url, &a->openapi, cx->err);
	if (rc)
		ctm_buf_reset(&a->openapi);
	pthread_mutex_unlock(&a->openapi_mu);
	if (!rc)                               /* made once and never changed: safe to send without a copy */
		cx->raw = (struct ctm_raw){ .type = "application/json", .p = a->openapi.p, .n = a->openapi.len };
	return rc;
}

static int set_role_names(ctm_json *out)
{
	ctm_json *roles = ctm_json_arr();
	int rc = 0;
	for (unsigned i = 0; i < CTM_ROLE_COUNT; i++) {
		const char *name = ctm_role_name(1u << i), *dot = strchr(name, '.');
		ctm_json *r = ctm_json_obj();
		rc |= ctm_json_sets(r, "name", name);
		rc |= dot ? ctm_json_setf(r, "kind", "%.*s", (int)(dot - name), name) : ctm_json_sets(r, "kind", NULL);
		rc |= ctm_json_add(roles, r);
	}
	return ctm_json_set(out, "roles", roles) | rc;
}

static int permissions(struct ctm_cx *cx, ctm_json *out)
{
	const struct ctm_router *router = cx->app->router;
	ctm_json *rows = ctm_json_arr();
	int rc = set_role_names(out);
	for (size_t i = 0; i < ctm_router_count(router); i++) {
		const struct ctm_route *row = &ctm_router_at(router, i)->row;
		ctm_json *r = ctm_json_obj(), *cells = ctm_json_arr();
		rc |= ctm_json_sets(r, "method", row->method) | ctm_json_sets(r, "path", row->path) | ctm_json_sets(r, "help", row->help ? row->help : "");
		for (unsigned b = 0; b < CTM_ROLE_COUNT; b++)     /* a row open to anybody is open to every role */
			rc |= ctm_json_add(cells, ctm_json_newb((row->roles & 1u << b) || (row->roles & CTM_ROLE_ANON)));
		rc |= ctm_json_set(r, "cells", cells);
		rc |= ctm_json_add(rows, r);
	}
	rc |= ctm_json_set(out, "rows", rows);
	return rc ? ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the page") : 0;
}

/* ?v=VERSION is part of every link we write: with it the bytes never change. */
static int asset(struct ctm_cx *cx, ctm_json *out)
{
	const struct ctm_asset *a = ctm_asset_find(ctm_in(cx, "name"));
	if (!a)
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "name", NULL, "there is nothing at this address");
	cx->raw = (struct ctm_raw){ .type = a->type, .p = a->p, .n = a->n,
		.cache = ctm_streq(ctm_in(cx, "v"), a->version) ? "public, max-age=31536000, immutable" : "no-cache" };
	return 0;
}

static const struct ctm_field asset_in[] = {
	{ "name", CTM_V_SERIAL, 64, CTM_F_REQUIRED, "file name", NULL },
	{ "v", CTM_V_SERIAL, 64, 0, "version of the content; with it the answer may be kept for a year", NULL },
	{ 0 },
};

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/healthz", CTM_PUBLIC, 0, .use_case = healthz, .reply = "health", .help = "Says that the service runs and can read its database."),
	CTM_ROUTE("GET", "/metrics", CTM_ROLE_OPERATOR, CTM_R_METRICS, .use_case = ctm_uc_metrics, .reply = "",
		.help = "What the service counts about itself, for Prometheus; an operator or the token of metrics.token may read it."),
	CTM_ROUTE("GET", "/api/openapi.json", CTM_PUBLIC, CTM_R_STATIC, .use_case = api_description, .reply = "", .help = "This description of the API."),
	CTM_ROUTE("GET", "/about/permissions", CTM_PUBLIC, CTM_R_HTML, .use_case = permissions, .view = "http/permissions", .reply = "",
		.help = "Which role may do what."),
	CTM_ROUTE("GET", "/assets/{name}", CTM_PUBLIC, CTM_R_STATIC, .in = asset_in, .use_case = asset, .reply = "",
		.help = "Style sheet, script and pictures of the pages."),
};
const struct ctm_routes ctm_http_routes = { rows, sizeof rows / sizeof *rows };
