/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks, and may they. What a browser can be tricked into is closed here: a page elsewhere that posts to us (origin,
 * token), a name elsewhere that resolves to us (host), a header only the edge may set (door).
 */
#include "base/text.h"
#include "http/call.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LANG_COOKIE "ctm_lang"

const char *ctm_cookie_name(const struct ctm_app *app)
{
	return app->https ? "__Host-ctm_session" : "ctm_session";   /* the prefix pins Secure, Path=/ and this host (RFC 6265bis) */
}

/* Host without port, compared without case. */
static bool host_is(const char *host, size_t n, const char *name)
{
	return strlen(name) == n && !strncasecmp(host, name, n);
}

int ctm_gate_host(struct ctm_call *c)
{
	const char *host = ctm_req_header(c->req, "Host");
	if (c->req->edge || !host)
		return 0;
	size_t n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (host_is(host, n, c->app->public_host) || host_is(host, n, "localhost") || host_is(host, n, "127.0.0.1") || host_is(host, n, "[::1]") ||
	    host_is(host, n, c->app->host))
		return 0;
	return ctm_fail(&c->err, CTM_E_NOTFOUND, "Host", NULL, "this service does not answer for that host name; its address is %s", c->app->public_url);
}

/* Value of a cookie, copied; NULL when absent or given twice. */
static const char *cookie(struct ctm_call *c, const char *name)
{
	const char *p = ctm_req_header(c->req, "Cookie"), *found = NULL;
	size_t n = strlen(name);
	while (p && *p) {
		p += strspn(p, " ;");
		size_t len = strcspn(p, ";");
		if (len > n && !strncmp(p, name, n) && p[n] == '=') {
			if (found)
				return NULL;
			found = ctm_arena_ndup(c->req->arena, p + n + 1, len - n - 1);
		}
		p += len;
	}
	return found;
}

static bool token_text(const char *s)
{
	size_t n = strlen(s);
	return n && n <= 256 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") == n;
}

/* The certificate as the edge saw it. Only on its socket; anything odd there means "no certificate". */
static void read_cert(struct ctm_call *c)
{
	struct ctm_req_ident *id = &c->ident;
	const char *verify = ctm_req_header(c->req, "X-Client-Verify"), *pem = ctm_req_header(c->req, "X-Client-Cert");
	if (!id->edge || !verify || !strcmp(verify, "NONE") || !pem || !*pem)
		return;
	bool verified = !strcmp(verify, "SUCCESS");
	CTM_AUTO_BUF b = CTM_BUF(16384);
	struct ctm_cert_info info;
	if (ctm_url_unescape(pem, strlen(pem), false, &b) ||
	    (verified ? ctm_cert_who(ctm_buf_cstr(&b), b.len, &id->cert, NULL) : ctm_cert_read(ctm_buf_cstr(&b), b.len, &info, NULL)))
		return;
	id->cert_pem = ctm_arena_ndup(c->req->arena, b.p, b.len);
	id->cert_verified = id->cert_pem && verified;
}

static int read_ident(struct ctm_call *c)
{
	const char *auth = ctm_req_header(c->req, "Authorization"), *session;
	c->ident.edge = c->req->edge;
	read_cert(c);
	if (auth && (ctm_call_row(c)->flags & CTM_R_BASIC) && !strncasecmp(auth, "Basic ", 6)) {
		CTM_AUTO_BUF b = CTM_BUF(512);
		if (ctm_unb64(auth + 6, strlen(auth + 6), &b) || memchr(b.p, 0, b.len) || !(c->cx.basic = ctm_arena_ndup(c->req->arena, b.p, b.len)))
			return ctm_fail(&c->err, CTM_E_AUTH, "Authorization", "RFC 7617", "the name and password of HTTP Basic cannot be read");
	} else if (auth) {
		if (strncasecmp(auth, "Bearer ", 7) || !token_text(auth + 7))
			return ctm_fail(&c->err, CTM_E_AUTH, "Authorization", NULL, "only \"Authorization: Bearer TOKEN\" is understood");
		c->ident.bearer = auth + 7;
	} else if (!c->req->edge && (session = cookie(c, ctm_cookie_name(c->app))) && token_text(session)) {
		c->ident.cookie = session;
	}
	return 0;
}

/* A plain read keeps the connection and its snapshot for the use case: what it may see and what it sees are of one moment. */
static int ask(struct ctm_call *c, struct ctm_who *who)
{
	const struct ctm_route *row = ctm_call_row(c);
	bool keep = c->get && !row->prepare && !(row->flags & CTM_R_WRITE);
	struct ctm_db *db = NULL;
	int rc = ctm_conns_take(c->app->conns, &db, &c->err);
	if (!rc && keep && !(rc = ctm_tx_begin(db, &c->err)))
		c->read = db;
	if (!rc)
		rc = c->app->conf.authorise(c->app, db, &c->ident, who, &c->err);
	if (!c->read)
		ctm_conns_give(c->app->conns, db);
	return rc;
}

void ctm_gate_leave(struct ctm_call *c)
{
	if (!c->read)
		return;
	ctm_tx_rollback(c->read);
	ctm_conns_give(c->app->conns, c->read);
	c->read = c->cx.db = NULL;
}

int ctm_gate_who(struct ctm_call *c)
{
	if (ctm_call_row(c)->flags & CTM_R_STATIC)
		return 0;                      /* the same bytes for everybody: nobody is looked at */
	int rc = read_ident(c);
	if (!rc && (ctm_call_row(c)->flags & CTM_R_METRICS) && c->ident.bearer && ctm_metrics_token(c->app, c->ident.bearer)) {
		c->who.roles = CTM_ROLE_OPERATOR;  /* for this row alone; no person, no organisation */
		return 0;
	}
	if (rc || (!c->ident.bearer && !c->ident.cookie && !c->ident.cert_pem))
		return rc;
	struct ctm_who who = { .roles = CTM_ROLE_ANON };
	rc = ask(c, &who);
	if (rc < 0 && c->ident.cookie && (rc == CTM_E_AUTH || rc == CTM_E_EXPIRED)) {
		ctm_err_clear(&c->err);        /* an old cookie is not an error: its owner is simply not signed in any more */
		c->ident.cookie = NULL;
		c->clear_cookie = true;
		return 0;
	}
	if (rc < 0)
		return ctm_fail(&c->err, rc, NULL, NULL, "%s", ctm_err_text(rc));
	c->who = who;
	return 0;
}

/* ANON in a row means anybody: a person who is signed in may also read the public pages. */
int ctm_gate_roles(struct ctm_call *c)
{
	const struct ctm_route *row = ctm_call_row(c);
	if ((row->roles & CTM_ROLE_ANON) || (row->roles & c->who.roles))
		return 0;
	if (!(c->who.roles & ~(unsigned)CTM_ROLE_ANON))
		return ctm_fail(&c->err, CTM_E_AUTH, NULL, NULL, row->flags & CTM_R_DEVICE ? "a client certificate of the device CA is required" : "sign in first");
	char need[200] = "";
	for (unsigned i = 0; i < CTM_ROLE_COUNT; i++)
		if (row->roles & 1u << i) {
			size_t n = strlen(need);
			snprintf(need + n, sizeof need - n, "%s%s", n ? ", " : "", ctm_role_name(1u << i));
		}
	return ctm_fail(&c->err, CTM_E_FORBIDDEN, NULL, NULL, "your role may not do this; it takes %s", need);
}

/* Same origin: the public address, or the very host the browser used (a second name of this machine passed the host gate). */
static bool own_origin(const struct ctm_call *c, const char *origin)
{
	const char *host = ctm_req_header(c->req, "Host"), *rest = strstr(origin, "://");
	if (!strcasecmp(origin, c->app->public_url))
		return true;
	return rest && host && !strcasecmp(rest + 3, host) && (!c->app->https || ctm_starts(origin, "https://") || !host_is(host, strcspn(host, ":"), c->app->public_host));
}

int ctm_gate_origin(struct ctm_call *c)
{
	if (c->get || c->ident.bearer || c->req->edge)
		return 0;                      /* a bearer token is never sent by a browser on its own */
	const char *origin = ctm_req_header(c->req, "Origin"), *site = ctm_req_header(c->req, "Sec-Fetch-Site");
	if (site && strcmp(site, "same-origin") && strcmp(site, "none"))
		return ctm_fail(&c->err, CTM_E_FORBIDDEN, "Sec-Fetch-Site", NULL, "this was sent from another site and was not carried out");
	if (origin && !own_origin(c, origin))
		return ctm_fail(&c->err, CTM_E_FORBIDDEN, "Origin", NULL, "this was sent from another site and was not carried out");
	return 0;
}

int ctm_gate_csrf(struct ctm_call *c)
{
	if (c->get || !c->ident.cookie)
		return 0;
	const char *given = c->csrf ? c->csrf : ctm_req_header(c->req, "X-CSRF-Token");
	size_t n = strlen(c->who.csrf);
	if (n && given && strlen(given) == n && ctm_memeq_ct(given, c->who.csrf, n))
		return 0;
	return ctm_fail(&c->err, CTM_E_FORBIDDEN, "csrf", NULL, "the form does not belong to this session; go back, load the page again and send it once more");
}

static const char *lang_of(const char *s)
{
	return !s ? NULL : !strncasecmp(s, "es", 2) && !(s[2] >= 'a' && s[2] <= 'z') ? "es" : !strncasecmp(s, "en", 2) && !(s[2] >= 'a' && s[2] <= 'z') ? "en" : NULL;
}

/* First language of Accept-Language that we have; browsers list them in the order of preference. */
static const char *accepted(const char *s)
{
	const char *l = NULL;
	while (s && *s && !l) {
		s += strspn(s, " ,\t");
		l = lang_of(s);
		s += strcspn(s, ",");
	}
	return l;
}

void ctm_gate_locale(struct ctm_call *c)
{
	const char *q = c->req->query, *l = NULL;
	while (q && *q && !l) {
		if (ctm_starts(q, "lang="))
			c->set_locale = (l = lang_of(q + 5)) != NULL;
		q += strcspn(q, "&");
		q += *q == '&';
	}
	if (!l)
		l = lang_of(cookie(c, LANG_COOKIE));
	if (!l)
		l = accepted(ctm_req_header(c->req, "Accept-Language"));
	c->locale = l ? l : "en";
}
