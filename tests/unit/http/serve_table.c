/* SPDX-License-Identifier: Apache-2.0 */
#include "serve_table.h"
#include "base/text.h"
#include "event/event.h"
#include "store/audit.h"
#include <string.h>
#include <unistd.h>

int test_job_runs;

static int echo(struct ctm_cx *cx, ctm_json *out)
{
	for (const struct ctm_field *f = cx->route->in; f && f->name; f++)
		if (ctm_in(cx, f->name))
			ctm_json_sets(out, f->name, ctm_in(cx, f->name));
	ctm_json_sets(out, "who", cx->who->person_name);
	ctm_json_sets(out, "locale", cx->locale);
	return 0;
}

/* Writes one audit line; "boom" fails after the write, which must leave nothing. */
static int add(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_audit_state(cx->db, cx->now_ms, cx->who->person_id, "add", "thing", ctm_in(cx, "name"), NULL, "there", cx->err);
	if (rc)
		return rc;
	if (ctm_streq(ctm_in(cx, "name"), "boom"))
		return ctm_fail(cx->err, CTM_E_GUARD, "name", "T-TEST", "boom is not allowed");
	if (ctm_streq(ctm_in(cx, "name"), "crash"))
		return CTM_E_FAIL;
	cx->location = "/things?notice=thing.added";
	return ctm_json_sets(out, "name", ctm_in(cx, "name"));
}

static int prepare(struct ctm_cx *cx)
{
	if (ctm_streq(ctm_in(cx, "name"), "refuse"))
		return ctm_fail(cx->err, CTM_E_VERIFY, "name", NULL, "the slow look found something");
	return (cx->prepared = ctm_json_news("looked at")) ? 0 : CTM_E_NOMEM;
}

static int prepared(struct ctm_cx *cx, ctm_json *out)
{
	return ctm_json_sets(out, "prepared", ctm_json_str(cx->prepared));
}

static int document(struct ctm_cx *cx, ctm_json *out)
{
	return ctm_json_set(out, "got", ctm_json_copy(cx->body));
}

static int upload(struct ctm_cx *cx, ctm_json *out)
{
	return ctm_json_sets(out, "digest", cx->upload.digest) | ctm_json_seti(out, "size", cx->upload.size) | ctm_json_sets(out, "type", cx->upload.media_type);
}

static int large(struct ctm_cx *cx, ctm_json *out)
{
	static const char bytes[TEST_LARGE];
	cx->raw = (struct ctm_raw){ .type = "application/octet-stream", .p = bytes, .n = sizeof bytes };
	return 0;
}

static int raw(struct ctm_cx *cx, ctm_json *out)
{
	static const char bytes[] = "<svg xmlns='http://www.w3.org/2000/svg'/>";
	cx->raw = (struct ctm_raw){ .type = "image/svg+xml", .p = bytes, .n = sizeof bytes - 1, .filename = cx->route->flags & CTM_R_STATIC ? NULL : "a.svg" };
	return 0;
}

static int signin(struct ctm_cx *cx, ctm_json *out)
{
	cx->set_session = COOKIE;
	cx->location = "/";
	return 0;
}

static int post_job(struct ctm_cx *cx, ctm_json *out)
{
	return ctm_event_emit(cx->db, cx->now_ms, "release.published", "release", "1", NULL, cx->err);
}

static int mark(struct ctm_cx *cx, void *arg)
{
	return ctm_audit_state(cx->db, cx->now_ms, "ctm", "job", "thing", "1", "posted", "run", cx->err);
}

static int job(struct ctm_jx *jx)
{
	__atomic_add_fetch(&test_job_runs, 1, __ATOMIC_SEQ_CST);
	return ctm_write(jx->app, mark, NULL, jx->err);
}

static const struct ctm_field name_in[] = { { "name", CTM_V_SLUG, 20, CTM_F_REQUIRED, "a short name", NULL }, { "n", CTM_V_INT, 100, 0, "", NULL },
	{ "flag", CTM_V_BOOL, 0, 0, "", NULL }, { 0 } };
static const struct ctm_field id_in[] = { { "id", CTM_V_UUID, 0, 0, "", NULL }, { "q", CTM_V_LINE, 20, 0, "", NULL }, { 0 } };

#define M CTM_ROLE_MAKER_OWNER
static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/", CTM_PUBLIC, CTM_R_HTML, .use_case = echo, .view = "test/page", .reply = "", .help = "front"),
	CTM_ROUTE("GET", "/signin", CTM_PUBLIC, CTM_R_HTML, .use_case = echo, .view = "test/page", .reply = "", .help = "sign in"),
	CTM_ROUTE("POST", "/signin", CTM_PUBLIC, CTM_R_HTML | CTM_R_WRITE, .use_case = signin, .reply = "", .help = "sign in"),
	CTM_ROUTE("GET", "/things", M, CTM_R_HTML, .use_case = echo, .view = "test/things", .reply = "", .help = "things"),
	CTM_ROUTE("POST", "/things", M, CTM_R_HTML | CTM_R_WRITE, .in = name_in, .use_case = add, .view = "test/things", .reply = "", .help = "add a thing"),
	CTM_ROUTE("GET", "/api/v1/things/{id}", CTM_PUBLIC, 0, .in = id_in, .use_case = echo, .reply = "thing", .help = "a thing"),
	CTM_ROUTE("POST", "/api/v1/things", M, CTM_R_WRITE, .in = name_in, .use_case = add, .reply = "", .help = "add a thing"),
	CTM_ROUTE("POST", "/api/v1/slow", M, CTM_R_WRITE, .in = name_in, .prepare = prepare, .use_case = prepared, .reply = "", .help = "slow"),
	CTM_ROUTE("PUT", "/api/v1/document", M, CTM_R_JSON | CTM_R_WRITE, .use_case = document, .reply = "", .help = "JSON", .body_max = 4096),
	CTM_ROUTE("PUT", "/api/v1/file", M, CTM_R_UPLOAD | CTM_R_WRITE, .use_case = upload, .reply = "", .help = "file", .body_max = 3 * 1024 * 1024),
	CTM_ROUTE("GET", "/api/v1/file", M, 0, .use_case = raw, .reply = "", .help = "file"),
	CTM_ROUTE("GET", "/large", CTM_PUBLIC, 0, .use_case = large, .reply = "", .help = "large"),
	CTM_ROUTE("GET", "/mark.svg", CTM_PUBLIC, CTM_R_STATIC, .use_case = raw, .reply = "", .help = "static"),
	CTM_ROUTE("POST", "/api/v1/unaudited", M, CTM_R_WRITE, .use_case = post_job, .reply = "", .help = "a change without an audit line"),
	CTM_ROUTE("POST", "/api/v1/job", M, CTM_R_WRITE | CTM_R_UNAUDITED, .use_case = post_job, .reply = "", .help = "job"),
	CTM_ROUTE("POST", "/d/v1/state", CTM_ROLE_DEVICE, CTM_R_DEVICE, .use_case = echo, .reply = "", .help = "device"),
};
const struct ctm_routes test_routes = { rows, sizeof rows / sizeof *rows };
static const struct ctm_job_kind kinds[] = { { "test.mark", job, 3, "marks" } };
const struct ctm_jobs test_jobs = { kinds, 1 };
static const struct ctm_listener listeners[] = { { "release.published", "test.mark" } };
const struct ctm_listeners test_listeners = { listeners, 1 };

int test_authorise(struct ctm_app *app, struct ctm_db *ro, const struct ctm_req_ident *id, struct ctm_who *out, struct ctm_err *err)
{
	if (id->edge && id->cert_pem && !id->cert_verified)
		return 0;              /* of an authority nobody knows here: nobody */
	if (id->edge && id->cert_verified) {
		out->roles = CTM_ROLE_DEVICE;
		ctm_copy(out->person_name, sizeof out->person_name, id->cert.serial_number);
		return 0;
	}
	if (!ctm_streq(id->bearer, BEARER) && !ctm_streq(id->cookie, COOKIE))
		return ctm_fail(err, CTM_E_EXPIRED, NULL, NULL, "the session is over");
	out->roles = CTM_ROLE_MAKER_OWNER;
	ctm_copy(out->person_id, sizeof out->person_id, "p1");
	ctm_copy(out->person_name, sizeof out->person_name, "Maker");
	ctm_copy(out->csrf, sizeof out->csrf, CSRF);
	return 0;
}

/* The templates: the data as JSON, so that a test sees what a page would be given. */
static const struct ctm_tpl views[] = { { "test/page", NULL }, { "test/things", NULL }, { "http/error", NULL } };

const struct ctm_tpl *test_view(const char *name)
{
	for (size_t i = 0; i < sizeof views / sizeof *views; i++)
		if (!strcmp(views[i].name, name))
			return &views[i];
	return NULL;
}

int test_render(const struct ctm_tpl *t, const struct ctm_tpl_cx *tc, struct ctm_buf *out, struct ctm_err *err)
{
	ctm_buf_printf(out, "%s ", t->name);
	return ctm_json_canonical(tc->data, out);
}

const char *test_msg(const char *key, const char *locale)
{
	return strcmp(key, "thing.added") ? key : strcmp(locale, "es") ? "The thing was added." : "Hecho.";
}
