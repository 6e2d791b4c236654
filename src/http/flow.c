/* SPDX-License-Identifier: Apache-2.0
 *
 * Which thread does what with an exchange:
 *
 *   HTTP worker   head: host, route, who, roles, origin, size and type of the body; body into memory or the blob store;
 *                 end: fields validated; a plain read runs here at once
 *   slow worker   `prepare`, and the reading use case behind it
 *   writer        a writing use case, in its savepoint
 *   HTTP worker   resume: the answer is made and sent
 *
 * An exchange belongs to one thread at a time. After it is handed over (parked) the old thread does not look at it again.
 * A request is refused as early as what is known allows: nobody may upload 64 MiB to be told to sign in.
 */
#include "http/flow.h"
#include "base/text.h"
#include "base/timex.h"
#include "http/call.h"
#include "store/audit.h"
#include <string.h>

/* ---- head ---- */

static bool wants_html(const struct ctm_req *r)
{
	const char *accept = ctm_req_header(r, "Accept");
	return !r->edge && !ctm_starts(r->path, "/api/") && accept && strstr(accept, "text/html");
}

static int accept_request(struct ctm_call *c)
{
	struct ctm_req *r = c->req;
	int rc = ctm_gate_host(c);
	if (!rc)
		rc = ctm_router_match(c->app->router, r->method, r->path, r->edge, r->arena, &c->m, &c->err);
	if (rc)
		return rc;
	const struct ctm_route *row = ctm_call_row(c);
	c->html = row->flags & CTM_R_HTML;
	if ((rc = ctm_gate_who(c)))
		return rc;
	if ((rc = ctm_gate_roles(c)) || (rc = ctm_gate_origin(c)))
		return rc;
	return ctm_input_body(c);
}

static bool on_head(void *arg, struct ctm_req *r)
{
	struct ctm_app *app = arg;
	struct ctm_call *c = ctm_arena_alloc(r->arena, sizeof *c);
	r->state = c;
	if (!c) {
		r->reply = (struct ctm_reply){ .status = 503, .body = "no memory\n", .n = 10 };
		return true;
	}
	c->app = app;
	c->req = r;
	c->who.roles = CTM_ROLE_ANON;
	c->get = !strcmp(r->method, "GET") || !strcmp(r->method, "HEAD");
	c->html = wants_html(r);
	c->locale = "en";
	c->answer = CTM_BUF(32u * 1024 * 1024);
	c->cx = (struct ctm_cx){ .app = app, .arena = r->arena, .err = &c->err, .who = &c->who, .remote = r->remote,
		.agent = ctm_req_header(r, "User-Agent") };
	ctm_gate_locale(c);
	c->cx.locale = c->locale;
	c->rc = accept_request(c);
	if (!c->rc)
		return false;
	ctm_gate_leave(c);
	ctm_answer_error(c);
	return true;
}

static int on_body(void *arg, struct ctm_req *r, const void *p, size_t n)
{
	struct ctm_call *c = r->state;
	if (c->kind == CTM_BODY_UPLOAD)
		return c->rc = ctm_blobw_add(c->blobw, p, n, &c->err);
	ctm_buf_add(&c->body, p, n);
	if (c->body.failed == CTM_E_TOOBIG)
		return c->rc = ctm_fail(&c->err, CTM_E_TOOBIG, "body", NULL, "the body is larger than %zu bytes", c->body_max);
	return c->rc = ctm_buf_err(&c->body, "body", &c->err);
}

/* ---- the use case ---- */

int ctm_run_use_case(struct ctm_call *c, struct ctm_cx *cx, struct ctm_db *db, ctm_json **out)
{
	ctm_json *o = ctm_json_obj();
	*out = o;
	if (!o)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the answer");
	cx->db = db;
	cx->now_ms = ctm_now_ms();
	int rc = cx->route->use_case(cx, o);
	if (rc >= 0)
		return 0;
	return ctm_fail(cx->err, rc, NULL, NULL, "%s", ctm_err_text(rc));
}

static int run_prepare(struct ctm_call *c, struct ctm_db *db)
{
	c->cx.db = db;
	c->cx.now_ms = ctm_now_ms();
	int rc = ctm_call_row(c)->prepare(&c->cx);
	return rc < 0 ? ctm_fail(&c->err, rc, NULL, NULL, "%s", ctm_err_text(rc)) : 0;
}

static int run_read(struct ctm_call *c, struct ctm_db *db)
{
	int rc = ctm_tx_begin(db, &c->err);       /* one snapshot for the whole use case */
	if (rc)
		return rc;
	rc = ctm_run_use_case(c, &c->cx, db, &c->out);
	ctm_tx_rollback(db);
	return rc;
}

static int write_run(struct ctm_wtask *t, struct ctm_db *db)
{
	struct ctm_call *c = t->arg;
	ctm_json_free(c->out);                    /* of a run that was not kept */
	c->out = NULL;
	c->cx.location = c->cx.set_session = NULL;
	c->cx.raw = (struct ctm_raw){ 0 };
	ctm_audit_watch(db, c->who.org_id);
	int rc = ctm_run_use_case(c, &c->cx, db, &c->out);
	if (!rc && !(ctm_call_row(c)->flags & CTM_R_UNAUDITED))
		rc = ctm_audit_demand(db, &c->err);
	return rc;
}

static void write_done(struct ctm_wtask *t)
{
	struct ctm_call *c = t->arg;
	c->rc = t->rc;
	ctm_req_wake(c->req);
}

/* Hand a parked exchange to the writer. From here on it is the writer's, unless there was no room. */
static void give_to_writer(struct ctm_call *c)
{
	c->wtask = (struct ctm_wtask){ .run = write_run, .done = write_done, .arg = c, .err = &c->err };
	int rc = ctm_writer_push(c->app->writer, &c->wtask);
	if (rc) {
		c->rc = ctm_fail(&c->err, rc, NULL, NULL, "too many changes are waiting; nothing was kept, try again in a moment");
		ctm_req_wake(c->req);
	}
}

static void slow_run(void *arg)
{
	struct ctm_call *c = arg;
	const struct ctm_route *row = ctm_call_row(c);
	struct ctm_db *db = NULL;
	c->rc = ctm_conns_take(c->app->conns, &db, &c->err);
	if (!c->rc)
		c->rc = run_prepare(c, db);
	bool write = row->flags & CTM_R_WRITE;
	if (!c->rc && !write)
		c->rc = run_read(c, db);
	ctm_conns_give(c->app->conns, db);
	c->cx.db = NULL;
	if (!c->rc && write)
		give_to_writer(c);
	else
		ctm_req_wake(c->req);
}

static enum ctm_req_verdict park_slow(struct ctm_call *c)
{
	c->ptask = (struct ctm_ptask){ .run = slow_run, .arg = c };
	ctm_req_park(c->req);
	int rc = ctm_pool_push(c->app->pool, &c->ptask);
	if (rc) {
		c->rc = ctm_fail(&c->err, rc, NULL, NULL, "too many requests are being worked on; nothing was kept, try again in a moment");
		ctm_req_wake(c->req);
	}
	return CTM_REQ_PARKED;
}

static void answer(struct ctm_call *c)
{
	if (c->rc)
		ctm_answer_error(c);
	else
		ctm_answer_good(c);
}

static int read_here(struct ctm_call *c)
{
	if (c->read)
		return ctm_run_use_case(c, &c->cx, c->read, &c->out);
	struct ctm_db *db = NULL;
	int rc = ctm_conns_take(c->app->conns, &db, &c->err);
	if (!rc)
		rc = run_read(c, db);
	ctm_conns_give(c->app->conns, db);
	c->cx.db = NULL;
	return rc;
}

/* An upload may take minutes: whoever was shut out meanwhile is out. */
static int still_allowed(struct ctm_call *c)
{
	c->who = (struct ctm_who){ .roles = CTM_ROLE_ANON };
	c->ident = (struct ctm_req_ident){ 0 };
	int rc = ctm_gate_who(c);
	return rc ? rc : ctm_gate_roles(c);
}

static enum ctm_req_verdict on_end(void *arg, struct ctm_req *r)
{
	struct ctm_call *c = r->state;
	const struct ctm_route *row = ctm_call_row(c);
	if (!c->rc && c->kind == CTM_BODY_UPLOAD)
		c->rc = still_allowed(c);
	if (!c->rc)
		c->rc = ctm_input_fields(c);
	if (!c->rc && row->prepare)
		return park_slow(c);
	if (!c->rc && (row->flags & CTM_R_WRITE)) {
		ctm_req_park(r);
		give_to_writer(c);
		return CTM_REQ_PARKED;
	}
	if (!c->rc)
		c->rc = read_here(c);
	ctm_gate_leave(c);
	answer(c);
	return CTM_REQ_REPLIED;
}

static void on_resume(void *arg, struct ctm_req *r)
{
	answer(r->state);
}

static void on_done(void *arg, struct ctm_req *r)
{
	struct ctm_call *c = r->state;
	int class = r->reply.status / 100;
	if (class >= 2 && class <= 5)
		ctm_metric_add(&((struct ctm_app *)arg)->metrics, CTM_METRIC_REQUESTS, (unsigned)class - 2, 1);
	if (!c)
		return;
	ctm_gate_leave(c);
	atomic_fetch_sub(&c->app->replies_held, c->held);
	ctm_blobw_drop(c->blobw);
	ctm_json_free(c->doc);
	ctm_json_free(c->out);
	ctm_json_free(c->cx.prepared);
	ctm_buf_free(&c->body);
	ctm_buf_free(&c->answer);
}

struct ctm_srv_handler ctm_flow_handler(struct ctm_app *app)
{
	return (struct ctm_srv_handler){ .head = on_head, .body = on_body, .end = on_end, .resume = on_resume, .done = on_done, .arg = app };
}
