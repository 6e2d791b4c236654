/* SPDX-License-Identifier: Apache-2.0
 * See cx.h. */
#include "cx.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include "case/catalogue.h"
#include "http/field.h"
#include "http/serve.h"
#include "identity/people.h"
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

const struct ctm_who cxkit_nobody = { .roles = CTM_ROLE_ANON };

static void must(int rc, const struct ctm_err *err, const char *what)
{
	if (rc)
		fail_msg("%s: %s %s: %s", what, ctm_err_name(rc), err->field, err->msg);
}

static int allow_all(struct ctm_app *app, struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *out, struct ctm_err *err)
{
	*out = cxkit_nobody;
	return 0;
}

static int alive(struct ctm_cx *cx, ctm_json *out)
{
	return 0;
}

void cxkit_open(struct cxkit *k, const struct ctm_routes *const *tables)
{
	static const struct ctm_route row = CTM_ROUTE("GET", "/alive", CTM_PUBLIC, 0, .use_case = alive, .reply = "", .help = "The table wants a row.");
	static const struct ctm_routes one = { &row, 1 }, *const own[] = { &one };
	static const char conf_text[] = "{\"public_url\":\"http://localhost:8080\",\"listen\":\"127.0.0.1:0\",\"origin\":\"test\"}\n";
	struct ctm_err err = { 0 };
	char path[256], url[256];
	memset(k, 0, sizeof *k);
	ctm_copy(k->dir, sizeof k->dir, "/tmp/ctm-unit-XXXXXX");
	if (!mkdtemp(k->dir))
		fail_msg("no temporary directory");
	snprintf(path, sizeof path, "%s/ctm.json", k->dir);
	must(ctm_file_write(path, conf_text, sizeof conf_text - 1, 0600, &err), &err, "ctm.json");
	must(ctm_catalogue_load(CTM_SOURCE_ROOT "/catalogue", &k->catalogue, &err), &err, "catalogue");
	struct ctm_app_conf conf = { .state_dir = k->dir, .port = 0, .routes = own, .nroutes = 1, .authorise = allow_all, .catalogue = k->catalogue, .quiet = true };
	must(ctm_app_new(&conf, &k->app, &err), &err, "app");
	must(ctm_app_start(k->app, &err), &err, "start");
	snprintf(url, sizeof url, "sqlite:%s/ctm.db", k->dir);
	must(ctm_db_open(url, CTM_DB_RO, &k->ro, &err), &err, "database");
	k->tables = tables;
	k->now_ms = ctm_now_ms();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

void cxkit_close(struct cxkit *k)
{
	ctm_db_close(k->ro);
	ctm_app_stop(k->app);
	ctm_app_free(k->app);
	ctm_catalogue_free(k->catalogue);
	nftw(k->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct person { struct cxkit *k; const char *role, *org_id; struct ctm_who who; };

static int make_person(struct ctm_cx *cx, void *arg)
{
	struct person *p = arg;
	static int serial;
	char kind[32], slug[48], email[64], id[CTM_UUID_MAX];
	int n = ++serial, rc = 0;
	snprintf(kind, sizeof kind, "%.*s", (int)strcspn(p->role, "."), p->role);
	snprintf(slug, sizeof slug, "%s-%d", kind, n);
	snprintf(email, sizeof email, "person%d@example.org", n);
	if (*p->org_id)
		ctm_copy(p->who.org_id, sizeof p->who.org_id, p->org_id);
	else if (!(rc = ctm_organisation_add(cx->db, p->k->now_ms, "test", kind, slug, slug, "", NULL, id, cx->err)))
		ctm_copy(p->who.org_id, sizeof p->who.org_id, id);
	if (!rc && !(rc = ctm_person_add(cx->db, p->k->now_ms, "test", email, email, id, cx->err)))
		ctm_copy(p->who.person_id, sizeof p->who.person_id, id);
	ctm_copy(p->who.person_name, sizeof p->who.person_name, email);
	ctm_copy(p->who.org_kind, sizeof p->who.org_kind, kind);
	p->who.roles = ctm_role_bit(p->role);
	return rc ? rc : ctm_membership_add(cx->db, p->k->now_ms, "test", p->who.person_id, p->who.org_id, p->role, cx->err);
}

struct fresh { struct cxkit *k; struct ctm_who *who; };

static int open_session(struct ctm_cx *cx, void *arg)
{
	struct fresh *f = arg;
	struct ctm_who who;
	char token[CTM_TOKEN_MAX];
	bool renew;
	cx->now_ms = f->k->now_ms;
	int rc = ctm_session_open(cx, f->who->person_id, f->who->org_id, "api", "link", token);
	rc = rc ? rc : ctm_session_find(cx->db, cx->now_ms, token, "api", &who, &renew, cx->err);
	if (!rc)
		ctm_copy(f->who->session_id, sizeof f->who->session_id, who.session_id);
	return rc;
}

void cxkit_session(struct cxkit *k, struct ctm_who *who)
{
	struct fresh f = { k, who };
	struct ctm_err err = { 0 };
	must(ctm_write(k->app, open_session, &f, &err), &err, "session");
}

struct ctm_who cxkit_person(struct cxkit *k, const char *role, const char *org_id)
{
	struct person p = { .k = k, .role = role, .org_id = org_id };
	struct ctm_err err = { 0 };
	must(ctm_write(k->app, make_person, &p, &err), &err, "person");
	return p.who;
}

static const struct ctm_route *row_of(struct cxkit *k, const char *method, const char *path)
{
	for (size_t t = 0; k->tables[t]; t++)
		for (size_t i = 0; i < k->tables[t]->n; i++)
			if (!strcmp(k->tables[t]->rows[i].method, method) && !strcmp(k->tables[t]->rows[i].path, path))
				return &k->tables[t]->rows[i];
	fail_msg("no row %s %s", method, path);
	return NULL;
}

/* Validate the fields of the row from the given pairs. */
static int fields(const struct ctm_route *row, const char *const *given, struct ctm_cx *cx)
{
	size_t n = 0;
	while (row->in && row->in[n].name)
		n++;
	cx->in = ctm_arena_alloc(cx->arena, (n + 1) * sizeof *cx->in);
	for (size_t i = 0; i < n; i++) {
		const char *v = NULL;
		for (size_t g = 0; given && given[g]; g += 2)
			if (!strcmp(given[g], row->in[i].name))
				v = given[g + 1];
		int rc = v ? ctm_field_check(&row->in[i], v, strlen(v), cx->arena, &cx->in[i], cx->err) : 0;
		if (rc)
			return rc;
		if (!cx->in[i] && (row->in[i].flags & CTM_F_REQUIRED))
			return ctm_fail(cx->err, CTM_E_INPUT, row->in[i].name, NULL, "is needed");
	}
	return 0;
}

struct run { struct ctm_cx *cx; ctm_json *out; };

static int run_write(struct ctm_cx *wcx, void *arg)
{
	struct run *r = arg;
	r->cx->db = wcx->db;
	int rc = r->cx->route->use_case(r->cx, r->out);
	if (rc)
		*wcx->err = *r->cx->err;
	return rc;
}

int cxkit_call(struct cxkit *k, const struct ctm_who *who, const struct cxcall *c, ctm_json **out)
{
	const struct ctm_route *row = row_of(k, c->method, c->path);
	CTM_AUTO_ARENA *arena = ctm_arena_new(64u << 20);
	CTM_AUTO_JSON *body = NULL;
	ctm_json *result = ctm_json_obj();
	struct ctm_err werr = { 0 };
	ctm_err_clear(&k->err);
	struct ctm_cx cx = { .app = k->app, .db = k->ro, .arena = arena, .err = &k->err, .who = who, .route = row, .now_ms = k->now_ms, .locale = "en", .remote = "127.0.0.1" };
	int rc = row->roles & who->roles ? 0 : ctm_fail(&k->err, who->roles == CTM_ROLE_ANON ? CTM_E_AUTH : CTM_E_FORBIDDEN, NULL, NULL, "not for this role");
	if (!rc)
		rc = fields(row, c->in, &cx);
	if (!rc && (row->flags & CTM_R_JSON))
		rc = ctm_json_parse(c->json, strlen(c->json), row->body_max ? row->body_max : 65536, "body", &body, &k->err);
	cx.body = body;
	cx.text = c->json;
	if (!rc && (row->flags & CTM_R_UPLOAD)) {
		if (c->upload_n > (row->body_max ? row->body_max : 65536))
			rc = ctm_fail(&k->err, CTM_E_TOOBIG, "body", NULL, "too large");
		else
			rc = ctm_blob_put(ctm_app_blobs(k->app), c->upload, c->upload_n, cx.upload.digest, &k->err);
		cx.upload.size = (int64_t)c->upload_n;
	}
	if (!rc && c->prepared)
		rc = ctm_json_parse(c->prepared, strlen(c->prepared), 1 << 20, "prepared", &cx.prepared, &k->err);
	else if (!rc && row->prepare)
		rc = row->prepare(&cx);
	if (!rc) {
		struct run r = { &cx, result };
		rc = row->flags & CTM_R_WRITE ? ctm_write(k->app, run_write, &r, &werr) : row->use_case(&cx, result);
	}
	if (rc && !k->err.code)
		k->err = werr;
	ctm_copy(k->set_session, sizeof k->set_session, cx.set_session ? cx.set_session : "");
	ctm_copy(k->location, sizeof k->location, cx.location ? cx.location : "");
	ctm_json_free(cx.prepared);
	if (rc || !out)
		ctm_json_free(result);
	else
		*out = result;
	return rc;
}

ctm_json *cxkit_good(struct cxkit *k, const struct ctm_who *who, const struct cxcall *c)
{
	ctm_json *out = NULL;
	int rc = cxkit_call(k, who, c, &out);
	if (rc)
		fail_msg("%s %s: %s %s: %s", c->method, c->path, ctm_err_name(rc), k->err.field, k->err.msg);
	return out;
}

void cxkit_bad(struct cxkit *k, const struct ctm_who *who, const struct cxcall *c, int code)
{
	int rc = cxkit_call(k, who, c, NULL);
	if (rc != code)
		fail_msg("%s %s: wanted %s, got %s %s: %s", c->method, c->path, ctm_err_name(code), rc ? ctm_err_name(rc) : "good", k->err.field, k->err.msg);
	if (!k->err.msg[0])
		fail_msg("%s %s: refused without a sentence", c->method, c->path);
}

int64_t cxkit_count(struct cxkit *k, const char *statement, const char *param, const char *value, const char *column)
{
	CTM_AUTO_Q *q = ctm_q(k->ro, statement);
	struct ctm_err err = { 0 };
	if (param)
		ctm_q_text(q, param, value);
	must(ctm_q_one(q, &err), &err, statement);
	return ctm_q_i64(q, column);
}
