/* SPDX-License-Identifier: Apache-2.0
 *
 * What a request says. A field has one source: path, query, form or JSON body; a name given in two of them is refused like
 * one given twice. Names the row does not know are refused, except in the query of a page or a public file, where mail
 * programs and social networks add their own.
 */
#include "base/text.h"
#include "http/call.h"
#include "http/field.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define BODY_DEFAULT (64 * 1024)

static bool media_is(const char *type, const char *want)
{
	size_t n = strlen(want);
	return type && !strncasecmp(type, want, n) && (!type[n] || type[n] == ';' || type[n] == ' ');
}

static int start_upload(struct ctm_call *c, const char *type)
{
	struct ctm_upload *u = &c->cx.upload;
	size_t n = type ? strcspn(type, "; ") : 0;
	if (n && n < sizeof u->media_type && strspn(type, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/.+-_") >= n)
		memcpy(u->media_type, type, n);
	else
		(void)ctm_copy(u->media_type, sizeof u->media_type, "application/octet-stream");
	c->kind = CTM_BODY_UPLOAD;
	return ctm_blobw_new(c->app->blobs, (int64_t)c->body_max, &c->blobw, &c->err);
}

int ctm_input_body(struct ctm_call *c)
{
	const struct ctm_route *row = ctm_call_row(c);
	const char *type = ctm_req_header(c->req, "Content-Type");
	int64_t length = c->req->length;
	c->body_max = row->body_max ? row->body_max : BODY_DEFAULT;
	c->body = CTM_BUF(c->body_max);
	if (c->get)
		return length ? ctm_fail(&c->err, CTM_E_SYNTAX, "body", NULL, "a GET has no body") : 0;
	if (length > 0 && (uint64_t)length > c->body_max)
		return ctm_fail(&c->err, CTM_E_TOOBIG, "body", NULL, "the body has %lld bytes; at most %zu are accepted here", (long long)length, c->body_max);
	if (ctm_req_header(c->req, "Content-Encoding"))
		return ctm_fail(&c->err, CTM_E_UNSUPPORTED, "Content-Encoding", NULL, "send the body uncompressed");
	if (row->flags & CTM_R_UPLOAD) {
		int rc = ctm_gate_csrf(c);     /* an upload has no form: the token comes as a header, and is checked before the bytes */
		return rc ? rc : start_upload(c, type);
	}
	if (row->flags & CTM_R_TEXT) {
		c->kind = CTM_BODY_TEXT;
		return media_is(type, row->accepts) ? 0 : ctm_fail(&c->err, CTM_E_UNSUPPORTED, "Content-Type", NULL, "send the body as %s", row->accepts);
	}
	if (media_is(type, "application/json"))
		c->kind = CTM_BODY_JSON;
	else if (row->flags & CTM_R_JSON)
		return ctm_fail(&c->err, CTM_E_UNSUPPORTED, "Content-Type", NULL, "send the body as application/json");
	else if (media_is(type, "application/x-www-form-urlencoded"))
		c->kind = CTM_BODY_FORM;
	else if (length)
		return ctm_fail(&c->err, CTM_E_UNSUPPORTED, "Content-Type", NULL, "send the body as application/json or application/x-www-form-urlencoded");
	return 0;
}

/* ---- fields ---- */

static int add_member(struct ctm_call *c, const char *key, const ctm_json *v)
{
	const char *s = ctm_json_str(v);
	switch (ctm_json_type(v)) {
	case CTM_J_NULL:
		return 0;
	case CTM_J_STR:
		break;
	case CTM_J_BOOL:
		s = ctm_json_bool(v, false) ? "1" : "0";
		break;
	case CTM_J_INT:
		s = ctm_arena_printf(c->req->arena, "%lld", (long long)ctm_json_int(v, 0));
		break;
	default:
		return ctm_fail(&c->err, CTM_E_INPUT, key, NULL, "%s must be text, a whole number or true or false", key);
	}
	char *k = ctm_arena_dup(c->req->arena, key);
	if (!k || !s)
		return ctm_fail(&c->err, CTM_E_NOMEM, key, NULL, "no memory for the request");
	return ctm_form_add(&c->pairs, k, s, strlen(s), &c->err);
}

static int read_json(struct ctm_call *c)
{
	const struct ctm_route *row = ctm_call_row(c);
	int rc = ctm_json_parse(ctm_buf_cstr(&c->body), c->body.len, c->body_max, "body", &c->doc, &c->err);
	if (rc)
		return rc;
	if (row->flags & CTM_R_JSON) {
		c->cx.body = c->doc;
		c->cx.text = ctm_buf_cstr(&c->body);
		c->cx.text_len = c->body.len;
		return 0;
	}
	if (ctm_json_type(c->doc) != CTM_J_OBJ)
		return ctm_fail(&c->err, CTM_E_INPUT, "body", NULL, "the body must be a JSON object");
	void *it = NULL;
	const char *key;
	const ctm_json *v;
	while (!rc && ctm_json_each(c->doc, &it, &key, &v))
		rc = add_member(c, key, v);
	return rc;
}

static int end_upload(struct ctm_call *c)
{
	struct ctm_blobw *w = c->blobw;
	c->blobw = NULL;                  /* end frees it, also when it fails */
	int rc = ctm_blobw_end(w, c->cx.upload.digest, &c->cx.upload.size, &c->err);
	if (!rc && !c->cx.upload.size)
		rc = ctm_fail(&c->err, CTM_E_INPUT, "body", NULL, "the body is empty; send the file as the body of the request");
	return rc;
}

static int read_body(struct ctm_call *c)
{
	int rc = ctm_form_parse(c->req->query, strlen(c->req->query), c->req->arena, &c->pairs, &c->err);
	if (rc)
		return rc;
	switch (c->kind) {
	case CTM_BODY_FORM: return ctm_form_parse(ctm_buf_cstr(&c->body), c->body.len, c->req->arena, &c->pairs, &c->err);
	case CTM_BODY_JSON: return read_json(c);
	case CTM_BODY_UPLOAD: return end_upload(c);
	case CTM_BODY_TEXT:
		c->cx.text = ctm_buf_cstr(&c->body);
		c->cx.text_len = c->body.len;
		return 0;
	case CTM_BODY_NONE: break;
	}
	return 0;
}

/* Names the seam itself understands on pages. */
static bool own_name(struct ctm_call *c, const struct ctm_pair *p)
{
	if (!strcmp(p->name, "csrf") && !c->get)
		c->csrf = p->value;
	else if (!strcmp(p->name, "notice") && c->get)
		c->notice = p->value;
	else if (strcmp(p->name, "lang"))
		return false;
	return c->html;
}

static int take_pair(struct ctm_call *c, const struct ctm_pair *p, size_t len[])
{
	const struct ctm_compiled *m = c->m.row;
	for (size_t i = 0; i < m->nfield; i++) {
		if (strcmp(m->row.in[i].name, p->name))
			continue;
		if (m->in_path[i])
			return ctm_fail(&c->err, CTM_E_SYNTAX, p->name, NULL, "%s is part of the address; do not give it again", p->name);
		c->raw[i] = p->value;
		len[i] = p->len;
		return 0;
	}
	if (own_name(c, p) || (c->get && (m->row.flags & (CTM_R_HTML | CTM_R_STATIC))))
		return 0;
	return ctm_fail(&c->err, CTM_E_INPUT, p->name, NULL, "there is no field named %s here", p->name);
}

static int check_fields(struct ctm_call *c, const size_t len[])
{
	const struct ctm_compiled *m = c->m.row;
	const char **in = ctm_arena_alloc(c->req->arena, (m->nfield + 1) * sizeof *in);
	if (!in)
		return ctm_fail(&c->err, CTM_E_NOMEM, NULL, NULL, "no memory for the request");
	for (size_t i = 0; i < m->nfield; i++) {
		const char *v = m->in_path[i] ? c->m.value[i] : c->raw[i];
		int rc = ctm_field_check(&m->row.in[i], v, m->in_path[i] ? strlen(v) : len[i], c->req->arena, &in[i], &c->err);
		if (rc == CTM_E_INPUT && m->in_path[i]) {
			ctm_err_clear(&c->err);    /* an id that cannot exist does not exist */
			return ctm_fail(&c->err, CTM_E_NOTFOUND, m->row.in[i].name, NULL, "there is nothing at this address");
		}
		if (rc)
			return rc;
	}
	c->cx.in = in;
	c->cx.route = &m->row;
	return 0;
}

int ctm_input_fields(struct ctm_call *c)
{
	size_t len[CTM_ROUTE_FIELDS] = { 0 };
	int rc = read_body(c);
	for (size_t i = 0; i < c->pairs.n && !rc; i++)
		rc = take_pair(c, &c->pairs.at[i], len);
	if (!rc)
		rc = ctm_gate_csrf(c);
	return rc ? rc : check_fields(c, len);
}
