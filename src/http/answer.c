/* SPDX-License-Identifier: Apache-2.0
 *
 * What goes back. One use case, two faces: JSON sends `out`; HTML renders the row's view over it, or redirects after a
 * successful post (POST-redirect-GET). A refused post shows its page again with the error and what was typed, where the
 * table has that page (the row's twin), else the error page. Problems are RFC 9457 objects with two members more: `code`
 * (name of the error row) and, where known, `field` and `rule`.
 */
#include "base/text.h"
#include "base/timex.h"
#include "http/call.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CSP_PAGE "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " \
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
/* Documents that came from outside are shown without any power: no script, no form, no origin. */
#define CSP_FOREIGN "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"
#define RETRY_AFTER "2"
/* Large replies wait in memory for their readers, and a reader may be slow: so many bytes altogether, one reply at least. */
#define REPLIES_HELD_MAX ((size_t)512 << 20)      /* unless the configuration says otherwise */
#define REPLY_LARGE ((size_t)256 << 10)

static void head(struct ctm_call *c, const char *name, const char *value)
{
	if (value)
		ctm_req_reply_header(c->req, name, value);
}

static void common(struct ctm_call *c, int status, const char *type, const char *csp)
{
	c->req->reply = (struct ctm_reply){ .status = status };
	head(c, "Content-Type", type);
	head(c, "X-Content-Type-Options", "nosniff");
	if (c->req->edge)
		return;                        /* a device is no browser: what only browsers read would be most of its answer */
	head(c, "Content-Security-Policy", csp);
	head(c, "Referrer-Policy", "same-origin");
	head(c, "X-Frame-Options", "DENY");
	head(c, "Cross-Origin-Opener-Policy", "same-origin");
	head(c, "Cross-Origin-Resource-Policy", "same-origin");
	head(c, "Permissions-Policy", "camera=(), microphone=(), geolocation=()");
	if (c->app->https)
		head(c, "Strict-Transport-Security", "max-age=31536000");
}

static void cookies(struct ctm_call *c)
{
	const char *name = ctm_cookie_name(c->app), *secure = c->app->https ? "; Secure" : "";
	const char *set = c->html ? c->cx.set_session : NULL;
	if (set && *set && !c->rc)
		head(c, "Set-Cookie", ctm_arena_printf(c->req->arena, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s", name, set, secure));
	else if ((set && !*set && !c->rc) || c->clear_cookie)
		head(c, "Set-Cookie", ctm_arena_printf(c->req->arena, "%s=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0%s", name, secure));
	if (c->set_locale && c->html)
		head(c, "Set-Cookie", ctm_arena_printf(c->req->arena, "ctm_lang=%s; Path=/; SameSite=Lax; Max-Age=31536000%s", c->locale, secure));
}

static void body(struct ctm_call *c, const void *p, size_t n)
{
	c->req->reply.body = p ? p : "";
	c->req->reply.n = p ? n : 0;
}

/* The last resort: no allocation. */
static void plain(struct ctm_call *c, int status, const char *text)
{
	common(c, status, "text/plain; charset=utf-8", CSP_FOREIGN);
	head(c, "Cache-Control", "no-store");
	if (status == 503)
		head(c, "Retry-After", RETRY_AFTER);
	body(c, text, strlen(text));
}

/* ETag over the bytes; true when the client has them already. */
static bool same_bytes(struct ctm_call *c, const void *p, size_t n)
{
	uint8_t d[CTM_SHA256];
	char hex[33];
	ctm_sha256(p, n, d);
	ctm_hex(d, 16, hex);
	char *tag = ctm_arena_printf(c->req->arena, "\"%s\"", hex);
	head(c, "ETag", tag);
	const char *have = ctm_req_header(c->req, "If-None-Match");
	return tag && have && c->get && (!strcmp(have, "*") || strstr(have, tag));
}

static void tagged_body(struct ctm_call *c, const void *p, size_t n)
{
	if (same_bytes(c, p, n)) {
		c->req->reply.status = 304;
		body(c, NULL, 0);
	} else {
		body(c, p, n);
	}
}

/* ---- pages ---- */

/* Render view over data with "@page"; bytes land in c->answer. */
static int render(struct ctm_call *c, const struct ctm_tpl *view, ctm_json *data, const struct ctm_err *failed, struct ctm_err *err)
{
	struct ctm_tpl_cx tc = { .data = data, .locale = c->locale, .msg = c->app->conf.msg, .now_ms = ctm_now_ms(),
		.zone = ctm_zones_get(c->app->zones, *c->who.zone ? c->who.zone : ctm_app_conf(c->app, "time_zone", "UTC")) };
	if (ctm_json_set(data, "@page", ctm_page_new(c, failed)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the page");
	ctm_buf_reset(&c->answer);
	return c->app->conf.render(view, &tc, &c->answer, err);
}

static void send_page(struct ctm_call *c, int status)
{
	const struct ctm_route *row = ctm_call_row(c);
	common(c, status, "text/html; charset=utf-8", CSP_PAGE);
	head(c, "Vary", "Accept-Language, Cookie");
	cookies(c);
	if (status == 503)
		head(c, "Retry-After", RETRY_AFTER);
	if (row && (row->flags & CTM_R_STATIC) && status == 200) {
		head(c, "Cache-Control", c->cx.raw.cache ? c->cx.raw.cache : "no-cache");
		tagged_body(c, c->answer.p, c->answer.len);
		return;
	}
	head(c, "Cache-Control", "no-store");
	body(c, c->answer.p, c->answer.len);
}

static void see_other(struct ctm_call *c, const char *where)
{
	common(c, 303, "text/plain; charset=utf-8", CSP_PAGE);
	head(c, "Location", where);
	head(c, "Cache-Control", "no-store");
	cookies(c);
}

/* Path part of a Referer of our own, for posts that do not say where to go. */
static const char *came_from(struct ctm_call *c)
{
	const char *r = ctm_req_header(c->req, "Referer"), *host = ctm_req_header(c->req, "Host");
	const char *p = r ? strstr(r, "://") : NULL;
	size_t n = host ? strlen(host) : 0;
	if (!p || !n || strncmp(p + 3, host, n) || p[3 + n] != '/' || p[4 + n] == '/' || strpbrk(p, "\\\"<> "))
		return "/";
	const char *path = p + 3 + n;
	return ctm_arena_ndup(c->req->arena, path, strcspn(path, "?#"));
}

/* ---- good answers ---- */

static bool room_for(struct ctm_call *c, size_t n)
{
	if (n < REPLY_LARGE)
		return true;
	size_t before = atomic_fetch_add(&c->app->replies_held, n);
	if (before && before + n > (c->app->conf.replies_max ? c->app->conf.replies_max : REPLIES_HELD_MAX)) {
		atomic_fetch_sub(&c->app->replies_held, n);
		return false;
	}
	c->held = n;
	return true;
}

static void answer_raw(struct ctm_call *c)
{
	const struct ctm_raw *raw = &c->cx.raw;
	const struct ctm_route *row = ctm_call_row(c);
	if (!room_for(c, raw->n)) {
		plain(c, 503, "Too many large files are being sent at this moment; try again in a little while.\n");
		return;
	}
	bool active = ctm_starts(raw->type, "text/html") || ctm_starts(raw->type, "image/svg") || strstr(raw->type, "xml");
	common(c, 200, raw->type, row->flags & CTM_R_STATIC ? CSP_PAGE : active ? CSP_FOREIGN : "default-src 'none'; frame-ancestors 'none'");
	if (raw->filename && ctm_text_printable(raw->filename, strlen(raw->filename)) && !strpbrk(raw->filename, "\"\\\n\t/"))
		head(c, "Content-Disposition", ctm_arena_printf(c->req->arena, "attachment; filename=\"%s\"", raw->filename));
	head(c, "Cache-Control", raw->cache ? raw->cache : row->flags & CTM_R_STATIC ? "no-cache" : "private, no-cache");
	tagged_body(c, raw->p, raw->n);
}

static void answer_json(struct ctm_call *c)
{
	const struct ctm_route *row = ctm_call_row(c);
	struct ctm_err err = { 0 };
	ctm_buf_reset(&c->answer);
	int rc = ctm_json_compact(c->out, &c->answer);
	if (rc || ctm_buf_err(&c->answer, "answer", &err)) {
		plain(c, 503, "The answer does not fit into memory; ask for less.\n");
		return;
	}
	common(c, 200, "application/json", CSP_PAGE);
	head(c, "Cache-Control", row->flags & CTM_R_STATIC ? "no-cache" : "no-store");
	if (row->flags & CTM_R_STATIC)
		tagged_body(c, c->answer.p, c->answer.len);
	else
		body(c, c->answer.p, c->answer.len);
}

void ctm_answer_good(struct ctm_call *c)
{
	if (c->cx.raw.type) {
		answer_raw(c);
	} else if (!c->html) {
		answer_json(c);
	} else if (!c->get && (c->cx.location || !c->m.row->view || c->m.row->twin)) {
		see_other(c, c->cx.location ? c->cx.location : came_from(c));
	} else if (c->get && c->cx.location) {
		see_other(c, c->cx.location);
	} else {
		struct ctm_err err = { 0 };
		if (render(c, c->m.row->view, c->out, NULL, &err)) {
			c->rc = err.code;
			c->err = err;
			ctm_answer_error(c);
			return;
		}
		send_page(c, 200);
	}
}

/* ---- refusals ---- */

/* One structured line for what is our fault. The route's pattern is named, never the address, which may hold tokens. */
static void report(struct ctm_call *c, int status)
{
	if (status < 500 || c->app->conf.quiet)
		return;
	const struct ctm_route *row = ctm_call_row(c);
	char at[CTM_RFC3339_MAX];
	CTM_AUTO_BUF b = CTM_BUF(2048);
	ctm_time_rfc3339(ctm_now_ms(), at);
	ctm_buf_printf(&b, "{\"time\":\"%s\",\"level\":\"error\",\"route\":\"%s %s\",\"status\":%d,\"code\":\"%s\",\"message\":\"", at,
		row ? row->method : "", row ? row->path : "", status, ctm_err_name(c->err.code));
	ctm_json_escape(&b, c->err.msg, strlen(c->err.msg));
	ctm_buf_str(&b, "\"}\n");
	if (!b.failed && write(STDERR_FILENO, b.p, b.len) < 0)
		return;                        /* nobody is listening; nothing else to tell */
}

static int problem(struct ctm_call *c, int status, ctm_json *o)
{
	const struct ctm_err *e = &c->err;
	int rc = ctm_json_setf(o, "type", "urn:ctm:error:%s", ctm_err_name(e->code)) | ctm_json_sets(o, "title", ctm_err_text(e->code)) |
		ctm_json_seti(o, "status", status) | ctm_json_sets(o, "detail", e->msg) | ctm_json_sets(o, "code", ctm_err_name(e->code));
	if (*e->field)
		rc |= ctm_json_sets(o, "field", e->field);
	if (*e->rule)
		rc |= ctm_json_sets(o, "rule", e->rule);
	return rc;
}

static void answer_problem(struct ctm_call *c, int status)
{
	CTM_AUTO_JSON *o = ctm_json_obj();
	ctm_buf_reset(&c->answer);
	if (!o || problem(c, status, o) || ctm_json_compact(o, &c->answer)) {
		plain(c, status, "The request could not be carried out.\n");
		return;
	}
	common(c, status, "application/problem+json", CSP_PAGE);
	head(c, "Cache-Control", "no-store");
	if (status == 401)
		head(c, "WWW-Authenticate", ctm_call_row(c) && (ctm_call_row(c)->flags & CTM_R_BASIC) ? "Basic realm=\"ctm device\"" : "Bearer");
	if (status == 503)
		head(c, "Retry-After", RETRY_AFTER);
	body(c, c->answer.p, c->answer.len);
}

/* The page that holds the form, again, with what is wrong in it. */
static bool answer_twin(struct ctm_call *c, int status)
{
	const struct ctm_compiled *post = c->m.row, *get = post ? post->twin : NULL;
	if (!get || status == 401 || status == 404 || status >= 500)
		return false;
	struct ctm_err err = { 0 };
	const char **in = ctm_arena_alloc(c->req->arena, (get->nfield + 1) * sizeof *in);
	for (size_t i = 0; in && i < get->nfield; i++)
		for (size_t j = 0; j < post->nfield; j++)
			if (get->in_path[i] && post->in_path[j] && !strcmp(get->row.in[i].name, post->row.in[j].name))
				in[i] = c->m.value[j];
	if (!in || (!(get->row.roles & CTM_ROLE_ANON) && !(get->row.roles & c->who.roles)))
		return false;
	struct ctm_cx cx = { .app = c->app, .arena = c->req->arena, .err = &err, .who = &c->who, .route = &get->row, .locale = c->locale,
		.remote = c->req->remote, .in = in };
	struct ctm_db *db = NULL;
	CTM_AUTO_JSON *out = NULL;
	bool ok = !ctm_conns_take(c->app->conns, &db, &err) && !ctm_run_use_case(c, &cx, db, &out) && !cx.raw.type &&
		!render(c, get->view, out, &c->err, &err);
	ctm_conns_give(c->app->conns, db);
	if (ok)
		send_page(c, status);
	return ok;
}

static void answer_error_page(struct ctm_call *c, int status)
{
	const struct ctm_tpl *view = c->app->conf.view ? c->app->conf.view("http/error") : NULL;
	const struct ctm_err *e = &c->err;
	struct ctm_err err = { 0 };
	CTM_AUTO_JSON *o = ctm_json_obj();
	int rc = !o || !view;
	if (!rc)
		rc = ctm_json_seti(o, "status", status) | ctm_json_sets(o, "code", ctm_err_name(e->code)) | ctm_json_sets(o, "message", e->msg) |
			ctm_json_sets(o, "field", *e->field ? e->field : NULL) | ctm_json_sets(o, "rule", *e->rule ? e->rule : NULL);
	if (rc || render(c, view, o, NULL, &err))
		plain(c, status, "The request could not be carried out.\n");
	else
		send_page(c, status);
}

void ctm_answer_error(struct ctm_call *c)
{
	int status = ctm_err_http(c->err.code ? c->err.code : c->rc);
	if (status < 400)
		status = 500;
	report(c, status);
	if (status == 500 || c->err.code == CTM_E_IO)      /* told in full on stderr; the world need not know our paths */
		(void)ctm_copy(c->err.msg, sizeof c->err.msg, ctm_err_text(c->err.code));
	c->cx.set_session = NULL;
	if (c->html && status == 401 && strcmp(c->req->path, "/signin"))
		see_other(c, "/signin");
	else if (!c->html)
		answer_problem(c, status);
	else if (!answer_twin(c, status))
		answer_error_page(c, status);
	if (status == 405)
		head(c, "Allow", c->m.allow);
}
