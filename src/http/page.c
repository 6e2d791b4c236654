/* SPDX-License-Identifier: Apache-2.0
 *
 * "@page": what every template may know besides the use case's answer.
 *   {path, get, locale, public_url, version, csrf, who:null|{person, name, org, kind, org_kind}, roles:{"maker.owner":true}, inviter:bool (may invite people), may:{"products":true}
 *    (pages at /NAME that the route table opens to the reader),
 *    notice?, error?:{field, message, rule, status}, form?:{name: value as it was sent}}
 */
#include "base/text.h"
#include "http/call.h"
#include <string.h>

static int set_who(const struct ctm_call *c, ctm_json *page)
{
	if (!*c->who.person_id)
		return ctm_json_set(page, "who", ctm_json_news(NULL));
	ctm_json *w = ctm_json_obj();
	int rc = ctm_json_sets(w, "person", c->who.person_name) | ctm_json_sets(w, "name", c->who.person_name) |
		ctm_json_sets(w, "org", c->who.org_name) | ctm_json_sets(w, "kind", c->who.org_kind) | ctm_json_sets(w, "org_kind", c->who.org_kind);
	return ctm_json_set(page, "who", w) | rc;
}

static int set_roles(const struct ctm_call *c, ctm_json *page)
{
	ctm_json *roles = ctm_json_obj();
	int rc = 0;
	for (unsigned i = 0; i < CTM_ROLE_COUNT; i++)
		if (c->who.roles & 1u << i)
			rc |= ctm_json_setb(roles, ctm_role_name(1u << i), true);
	return ctm_json_set(page, "roles", roles) | rc;
}

/* Pages of one segment that the reader's roles open: menus are made of the table that also guards the pages. */
static int set_may(const struct ctm_call *c, ctm_json *page)
{
	ctm_json *may = ctm_json_obj();
	int rc = 0;
	for (size_t i = 0; i < ctm_router_count(c->app->router); i++) {
		const struct ctm_compiled *r = ctm_router_at(c->app->router, i);
		if (r->nseg == 1 && r->view && r->seg[0].field < 0 && (r->row.roles & c->who.roles) && !strcmp(r->row.method, "GET"))
			rc |= ctm_json_setb(may, r->row.path + 1, true);
	}
	return ctm_json_set(page, "may", may) | rc;
}

/* A notice is always one of our own messages: the address cannot put words on the page. */
static int set_notice(const struct ctm_call *c, ctm_json *page)
{
	const char *msg = c->notice && c->app->conf.msg ? c->app->conf.msg(c->notice, c->locale) : NULL;
	return msg && strcmp(msg, c->notice) ? ctm_json_sets(page, "notice", msg) : 0;
}

/* Tokens and secrets are not shown again. */
static int set_form(const struct ctm_call *c, ctm_json *page)
{
	const struct ctm_compiled *m = c->m.row;
	ctm_json *form = ctm_json_obj();
	int rc = 0;
	for (size_t i = 0; m && i < m->nfield; i++)
		if (c->raw[i] && m->row.in[i].type != CTM_V_TOKEN && m->row.in[i].type != CTM_V_SECRET && strlen(c->raw[i]) <= 16384)
			rc |= ctm_json_sets(form, m->row.in[i].name, c->raw[i]);
	return ctm_json_set(page, "form", form) | rc;
}

static int set_error(const struct ctm_err *e, ctm_json *page)
{
	ctm_json *o = ctm_json_obj();
	int rc = ctm_json_sets(o, "field", e->field) | ctm_json_sets(o, "message", e->msg) | ctm_json_sets(o, "msg", e->msg) |
		ctm_json_sets(o, "rule", e->rule) | ctm_json_seti(o, "status", ctm_err_http(e->code));
	return ctm_json_set(page, "error", o) | rc;
}

ctm_json *ctm_page_new(const struct ctm_call *c, const struct ctm_err *failed)
{
	ctm_json *p = ctm_json_obj();
	int rc = !p;
	if (!rc)
		rc = ctm_json_sets(p, "path", ctm_text_printable(c->req->path, strlen(c->req->path)) ? c->req->path : "/") |
			ctm_json_setb(p, "get", c->get) | ctm_json_sets(p, "locale", c->locale) | ctm_json_sets(p, "public_url", c->app->public_url) |
			ctm_json_sets(p, "version", ctm_version()) | ctm_json_sets(p, "csrf", c->who.csrf) |
			ctm_json_setb(p, "inviter", c->who.roles & (CTM_ROLE_OPERATOR | CTM_ROLE_MAKER_OWNER | CTM_ROLE_LAB_MANAGER)) | set_who(c, p) | set_roles(c, p) | set_may(c, p) |
			set_notice(c, p);
	if (!rc && failed)
		rc = set_error(failed, p) | set_form(c, p);
	if (rc) {
		ctm_json_free(p);
		return NULL;
	}
	return p;
}
