/* SPDX-License-Identifier: Apache-2.0 */
#include "http/openapi.h"
#include "base/text.h"
#include "http/field.h"
#include "http/serve.h"
#include <stdio.h>
#include <string.h>

/* Every setter's result is gathered in rc and looked at once: all failures are "no memory". */

static ctm_json *ref(const char *section, const char *name)
{
	ctm_json *o = ctm_json_obj();
	if (ctm_json_setf(o, "$ref", "#/components/%s/%s", section, name)) {
		ctm_json_free(o);
		return NULL;
	}
	return o;
}

/* {type: {schema: S}} */
static ctm_json *content(const char *type, ctm_json *schema)
{
	ctm_json *media = ctm_json_obj(), *o = ctm_json_obj();
	int rc = ctm_json_set(media, "schema", schema);
	rc |= ctm_json_set(o, type, media);
	if (rc) {
		ctm_json_free(o);
		return NULL;
	}
	return o;
}

static int add_parameter(ctm_json *list, const struct ctm_field *f, bool path)
{
	ctm_json *p = ctm_json_obj();
	int rc = ctm_json_sets(p, "name", f->name) | ctm_json_sets(p, "in", path ? "path" : "query") |
		ctm_json_setb(p, "required", path || (f->flags & CTM_F_REQUIRED)) | ctm_json_set(p, "schema", ctm_field_schema(f));
	return ctm_json_add(list, p) | rc;
}

/* Fields travel in the body where the body is not something else. */
static bool body_fields(const struct ctm_compiled *c)
{
	return strcmp(c->row.method, "GET") && !(c->row.flags & (CTM_R_JSON | CTM_R_UPLOAD | CTM_R_TEXT));
}

static int set_parameters(const struct ctm_compiled *c, ctm_json *op)
{
	ctm_json *list = ctm_json_arr();
	int rc = 0;
	for (size_t i = 0; i < c->nfield; i++)
		if (c->in_path[i] || !body_fields(c))
			rc |= add_parameter(list, &c->row.in[i], c->in_path[i]);
	return ctm_json_set(op, "parameters", list) | rc;
}

static ctm_json *fields_schema(const struct ctm_compiled *c)
{
	ctm_json *s = ctm_json_obj(), *props = ctm_json_obj(), *need = ctm_json_arr();
	int rc = ctm_json_sets(s, "type", "object");
	for (size_t i = 0; i < c->nfield; i++) {
		const struct ctm_field *f = &c->row.in[i];
		if (c->in_path[i])
			continue;
		rc |= ctm_json_set(props, f->name, ctm_field_schema(f));
		if (f->flags & CTM_F_REQUIRED)
			rc |= ctm_json_adds(need, f->name);
	}
	rc |= ctm_json_set(s, "properties", props);
	rc |= ctm_json_set(s, "required", need);
	rc |= ctm_json_setb(s, "additionalProperties", false);
	if (rc) {
		ctm_json_free(s);
		return NULL;
	}
	return s;
}

static int set_body(const struct ctm_compiled *c, ctm_json *op)
{
	if (!strcmp(c->row.method, "GET"))
		return 0;
	ctm_json *body = ctm_json_obj(), *media;
	if (c->row.flags & CTM_R_UPLOAD) {
		ctm_json *raw = ctm_json_obj();
		int rc = ctm_json_setf(raw, "description", "the file itself, at most %zu bytes", c->row.body_max ? c->row.body_max : (size_t)65536);
		media = rc ? NULL : content("application/octet-stream", raw);
	} else if (c->row.flags & CTM_R_TEXT) {
		media = content(c->row.accepts, ctm_json_obj());
	} else if (c->row.flags & CTM_R_JSON) {
		media = content("application/json", ctm_json_obj());
	} else {
		media = content(c->row.flags & CTM_R_HTML ? "application/x-www-form-urlencoded" : "application/json", fields_schema(c));
	}
	int rc = ctm_json_set(body, "content", media);
	rc |= ctm_json_setb(body, "required", true);
	return ctm_json_set(op, "requestBody", body) | rc;
}

static int set_replies(const struct ctm_compiled *c, const ctm_json *replies, ctm_json *op)
{
	ctm_json *list = ctm_json_obj(), *good = ctm_json_obj();
	bool html = c->row.flags & CTM_R_HTML, post = strcmp(c->row.method, "GET");
	bool known = c->row.reply && *c->row.reply && ctm_json_get(replies, c->row.reply);
	int rc = ctm_json_sets(good, "description", html && post ? "done; the page to go to is in Location" : "good");
	if (!(html && post))
		rc |= ctm_json_set(good, "content", content(html ? "text/html" : "application/json", known ? ref("schemas", c->row.reply) : ctm_json_obj()));
	rc |= ctm_json_set(list, html && post ? "303" : "200", good);
	if (!html)
		rc |= ctm_json_set(list, "default", ref("responses", "Problem"));
	return ctm_json_set(op, "responses", list) | rc;
}

static int set_roles(const struct ctm_compiled *c, ctm_json *op)
{
	ctm_json *roles = ctm_json_arr(), *security = ctm_json_arr();
	int rc = 0;
	for (unsigned i = 0; i < CTM_ROLE_COUNT; i++)
		if (c->row.roles & 1u << i)
			rc |= ctm_json_adds(roles, ctm_role_name(1u << i));
	if (!(c->row.roles & CTM_ROLE_ANON)) {
		const char *const scheme = c->row.flags & CTM_R_DEVICE ? "certificate" : "bearer";
		ctm_json *need = ctm_json_obj();
		rc |= ctm_json_set(need, scheme, ctm_json_arr());
		rc |= ctm_json_add(security, need);
	}
	rc |= ctm_json_set(op, "x-roles", roles);
	return ctm_json_set(op, "security", security) | rc;
}

static int add_operation(const struct ctm_compiled *c, const ctm_json *replies, ctm_json *paths)
{
	char method[8] = "", id[160];
	size_t n = 0;
	for (const char *p = c->row.method; *p && n < sizeof method - 1; p++)
		method[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
	n = (size_t)snprintf(id, sizeof id, "%s", method);
	for (const char *p = c->row.path; *p && n < sizeof id - 1; p++)
		if ((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '_')
			id[n++] = *p;
		else if (n && id[n - 1] != '-')
			id[n++] = '-';
	id[n] = 0;
	ctm_json *op = ctm_json_obj();
	int rc = ctm_json_sets(op, "operationId", id) | ctm_json_sets(op, "summary", c->row.help ? c->row.help : "");
	if (c->row.flags & CTM_R_DEVICE)
		rc |= ctm_json_sets(op, "x-door", "device port, mutual TLS");
	if (c->row.flags & CTM_R_SCOPED)
		rc |= ctm_json_setb(op, "x-scoped", true);
	if (c->row.flags & CTM_R_UNAUDITED)
		rc |= ctm_json_setb(op, "x-unaudited", true);
	rc |= set_parameters(c, op) | set_body(c, op) | set_replies(c, replies, op) | set_roles(c, op);
	/* A path holds all its methods: the tree owns it, so it is taken out, copied and put back. */
	const ctm_json *have = ctm_json_get(paths, c->row.path);
	ctm_json *item = have ? ctm_json_copy(have) : ctm_json_obj();
	rc |= ctm_json_set(item, method, op);
	return ctm_json_set(paths, c->row.path, item) | rc;
}

static ctm_json *problem_schema(void)
{
	static const char *const texts[] = { "type", "title", "detail", "code", "field", "rule" };
	ctm_json *s = ctm_json_obj(), *props = ctm_json_obj(), *n = ctm_json_obj();
	int rc = ctm_json_sets(s, "type", "object") | ctm_json_sets(n, "type", "integer");
	rc |= ctm_json_set(props, "status", n);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		ctm_json *t = ctm_json_obj();
		rc |= ctm_json_sets(t, "type", "string");
		rc |= ctm_json_set(props, texts[i], t);
	}
	rc |= ctm_json_set(s, "properties", props);
	if (rc) {
		ctm_json_free(s);
		return NULL;
	}
	return s;
}

static ctm_json *scheme(const char *type, const char *key, const char *value)
{
	ctm_json *o = ctm_json_obj();
	if (ctm_json_sets(o, "type", type) | (key ? ctm_json_sets(o, key, value) : 0)) {
		ctm_json_free(o);
		return NULL;
	}
	return o;
}

static int set_components(const ctm_json *replies, ctm_json *doc)
{
	ctm_json *all = ctm_json_obj(), *schemas = replies ? ctm_json_copy(replies) : ctm_json_obj();
	ctm_json *responses = ctm_json_obj(), *problem = ctm_json_obj(), *security = ctm_json_obj();
	int rc = ctm_json_set(schemas, "Problem", problem_schema());
	rc |= ctm_json_sets(problem, "description", "refused or failed (RFC 9457)");
	rc |= ctm_json_set(problem, "content", content("application/problem+json", ref("schemas", "Problem")));
	rc |= ctm_json_set(responses, "Problem", problem);
	rc |= ctm_json_set(security, "bearer", scheme("http", "scheme", "bearer"));
	rc |= ctm_json_set(security, "certificate", scheme("mutualTLS", NULL, NULL));
	rc |= ctm_json_set(all, "schemas", schemas) | ctm_json_set(all, "responses", responses) | ctm_json_set(all, "securitySchemes", security);
	return ctm_json_set(doc, "components", all) | rc;
}

static int set_info(ctm_json *doc, const char *server_url)
{
	ctm_json *info = ctm_json_obj(), *servers = ctm_json_arr(), *server = ctm_json_obj();
	int rc = ctm_json_sets(info, "title", "ctm: the U.S. Cyber Trust Mark as software") | ctm_json_sets(info, "version", ctm_version());
	rc |= ctm_json_sets(server, "url", server_url);
	rc |= ctm_json_add(servers, server);
	rc |= ctm_json_sets(doc, "openapi", "3.1.0");
	rc |= ctm_json_set(doc, "info", info) | ctm_json_set(doc, "servers", servers);
	return rc;
}

int ctm_openapi(const struct ctm_router *r, const ctm_json *replies, const char *server_url, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_JSON *doc = ctm_json_obj();
	ctm_json *paths = ctm_json_obj();
	int rc = set_info(doc, server_url);
	for (size_t i = 0; i < ctm_router_count(r) && !rc; i++)
		rc = add_operation(ctm_router_at(r, i), replies, paths);
	rc |= ctm_json_set(doc, "paths", paths);
	rc |= set_components(replies, doc);
	if (rc)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the API description");
	rc = ctm_json_compact(doc, out);
	return rc ? ctm_fail(err, rc, NULL, NULL, "the API description cannot be written") : ctm_buf_err(out, "openapi", err);
}
