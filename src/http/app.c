/* SPDX-License-Identifier: Apache-2.0
 *
 * The process: configuration, life cycle, and the small accessors use cases call.
 */
#include "http/app_impl.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "http/flow.h"
#include "store/audit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CONF_MAX 65536
#define REQUEST_ARENA (96u * 1024 * 1024)      /* a reply may carry the largest blob */
#define CONNECTIONS 512
#define EDGE_CONNECTIONS 1024                  /* as many as nginx may keep, twice over */
#define CONNECTION_MEMORY 8192                 /* an idle one holds no more: thousands of them cost little */
#define EDGE_CONNECTION_MEMORY 16384           /* the edge's headers carry a certificate; its idle connections are few */
#define WRITE_QUEUE 1024
#define WRITE_GROUP 256
#define WRITE_RETRY_MS 3000                    /* then 503 with Retry-After; who waits for another's turn has waited 5 s by then */
#define LOOKED_AT_MS 200                       /* others look whether a lock is held by taking it for an instant */
#define SLOW_WORKERS 2
#define SLOW_QUEUE 64

static const char *const role_names[CTM_ROLE_COUNT] = {
#define X(n, s) s,
	CTM_ROLES(X)
#undef X
};

const char *ctm_role_name(unsigned bit)
{
	for (unsigned i = 0; i < CTM_ROLE_COUNT; i++)
		if (bit == 1u << i)
			return role_names[i];
	return "";
}

unsigned ctm_role_bit(const char *name)
{
	for (unsigned i = 0; name && i < CTM_ROLE_COUNT; i++)
		if (!strcmp(role_names[i], name))
			return 1u << i;
	return 0;
}

const char *ctm_in(struct ctm_cx *cx, const char *name)
{
	for (size_t i = 0; cx->route->in && cx->route->in[i].name; i++)
		if (!strcmp(cx->route->in[i].name, name))
			return cx->in[i];
	fprintf(stderr, "ctm: route %s %s has no field %s\n", cx->route->method, cx->route->path, name);
	abort();
}

int64_t ctm_in_int(struct ctm_cx *cx, const char *name, int64_t otherwise)
{
	const char *s = ctm_in(cx, name);
	int64_t v;
	return s && !ctm_parse_i64(s, INT64_MIN, INT64_MAX, &v) ? v : otherwise;
}

const struct ctm_catalogue *ctm_app_catalogue(const struct ctm_app *app) { return app->conf.catalogue; }
struct ctm_blobs *ctm_app_blobs(const struct ctm_app *app) { return app->blobs; }
const char *ctm_app_public_url(const struct ctm_app *app) { return app->public_url; }
const char *ctm_version(void) { return CTM_VERSION; }
int ctm_app_port(const struct ctm_app *app) { return app->people ? ctm_srv_port(app->people) : app->port; }

const char *ctm_app_dir(const struct ctm_app *app, const char *sub, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s%s%s", app->dir, sub && *sub ? "/" : "", sub ? sub : "");
	if (n < 0 || (size_t)n >= cap)
		*out = 0;                      /* a path that does not fit opens nothing */
	return out;
}

const char *ctm_app_run(const struct ctm_app *app, unsigned instance, const char *name, const char *ext, char *out, size_t cap)
{
	char sub[80], number[16] = "";
	if (instance > 1)
		snprintf(number, sizeof number, "-%u", instance);
	snprintf(sub, sizeof sub, "run/%s%s.%s", name, number, ext);
	return ctm_app_dir(app, sub, out, cap);
}

const char *ctm_app_pid_path(const struct ctm_app *app, char *out, size_t cap) { return ctm_app_run(app, app->instance, "serve", "pid", out, cap); }

const char *ctm_app_conf(const struct ctm_app *app, const char *key, const char *otherwise)
{
	const char *s = ctm_json_gets(app->json, key);
	return s ? s : otherwise;
}

const ctm_json *ctm_app_conf_json(const struct ctm_app *app, const char *key)
{
	const ctm_json *v = ctm_json_get(app->json, key);
	return ctm_json_type(v) == CTM_J_NULL ? NULL : v;
}

const char *ctm_app_message(const struct ctm_app *app, const char *key, const char *locale)
{
	return app->conf.msg ? app->conf.msg(key, locale) : key;
}

struct write { struct ctm_app *app; int (*fn)(struct ctm_cx *, void *); void *arg; };

/* The platform acting by itself: no person, no roles. */
static int write_run(struct ctm_wtask *t, struct ctm_db *db)
{
	static const struct ctm_who nobody = { .person_id = "ctm", .person_name = "ctm" };
	static const struct ctm_route none = { .method = "", .path = "" };
	struct write *w = t->arg;
	CTM_AUTO_ARENA *arena = ctm_arena_new(REQUEST_ARENA);
	if (!arena)
		return ctm_fail(t->err, CTM_E_NOMEM, NULL, NULL, "no memory for the change");
	struct ctm_cx cx = { .app = w->app, .db = db, .arena = arena, .err = t->err, .who = &nobody, .route = &none, .now_ms = ctm_now_ms(),
		.locale = "en", .remote = "" };
	ctm_audit_watch(db, "");
	return w->fn(&cx, w->arg);
}

int ctm_write(struct ctm_app *app, int (*fn)(struct ctm_cx *cx, void *arg), void *arg, struct ctm_err *err)
{
	struct write w = { app, fn, arg };
	return ctm_writer_run(app->writer, write_run, &w, err);
}

/* ---- configuration ---- */

static int conf_fail(struct ctm_err *err, const char *key, const char *want)
{
	return ctm_fail(err, CTM_E_INPUT, key, NULL, "ctm.json: %s must be %s", key, want);
}

static int read_url(struct ctm_app *a, struct ctm_err *err)
{
	const char *url = ctm_json_gets(a->json, "public_url");
	if (!url || (!ctm_starts(url, "http://") && !ctm_starts(url, "https://")) || !ctm_copy(a->public_url, sizeof a->public_url, url))
		return conf_fail(err, "public_url", "an address such as https://mark.example.org");
	size_t n = strlen(a->public_url);
	while (n && a->public_url[n - 1] == '/')
		a->public_url[--n] = 0;
	a->https = ctm_starts(a->public_url, "https://");
	const char *host = strstr(a->public_url, "://") + 3;
	size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
	if (!len || host[strcspn(host, "/?#")] || len >= sizeof a->public_host)
		return conf_fail(err, "public_url", "scheme, host and port only, without a path");
	for (size_t i = 0; i < len; i++)
		a->public_host[i] = (char)(host[i] >= 'A' && host[i] <= 'Z' ? host[i] + 32 : host[i]);
	return 0;
}

/* Member listen for the first instance, members of "instances" for those that follow. */
static const char *listen_of(const struct ctm_app *a)
{
	if (a->conf.listen)
		return a->conf.listen;
	return a->instance == 1 ? ctm_app_conf(a, "listen", "127.0.0.1:8080") : ctm_json_str(ctm_json_at(ctm_json_get(a->json, "instances"), a->instance - 2));
}

static int read_listen(struct ctm_app *a, struct ctm_err *err)
{
	const char *listen = listen_of(a);
	if (!listen)
		return ctm_fail(err, CTM_E_INPUT, "instances", NULL, "instance %u needs an address of its own: --listen ADDRESS:PORT, or its place in member instances of "
			"ctm.json, which lists the addresses from the second on", a->instance);
	const char *colon = strrchr(listen, ':');
	int64_t port;
	if (!colon || (size_t)(colon - listen) >= sizeof a->host || ctm_parse_i64(colon + 1, 0, 65535, &port))
		return conf_fail(err, "listen", "a numeric address and a port such as 127.0.0.1:8080");
	size_t n = (size_t)(colon - listen);
	if (n > 2 && listen[0] == '[' && listen[n - 1] == ']')
		memcpy(a->host, listen + 1, n - 2);
	else
		memcpy(a->host, listen, n);
	a->port = a->conf.port >= 0 ? a->conf.port : (int)port;
	return 0;
}

static int read_conf(struct ctm_app *a, struct ctm_err *err)
{
	char path[1024];
	int rc = ctm_json_load(ctm_app_dir(a, "ctm.json", path, sizeof path), CONF_MAX, &a->json, err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(err);
		return ctm_fail(err, CTM_E_IO, "state", NULL, "%s is not a state directory yet; make one with: ctm init --state %s", a->dir, a->dir);
	}
	if (!rc)
		rc = read_url(a, err);
	if (!rc)
		rc = read_listen(a, err);
	return rc;
}

/* Before an older schema is brought forward the database is copied to before/: the way back, should the new program not please. */
static int keep_schema(struct ctm_app *a, struct ctm_db *db, struct ctm_err *err)
{
	char path[1024], name[80];
	int is = ctm_db_schema(db);
	if (is < 1 || is >= (int)ctm_migration_count)
		return 0;
	int rc = ctm_mkdirs(ctm_app_dir(a, "before", path, sizeof path), 0700, err);
	snprintf(name, sizeof name, "before/schema-%04d-%lld.db", is, (long long)ctm_now_ms());
	rc = rc ? rc : ctm_db_copy(db, ctm_app_dir(a, name, path, sizeof path), err);
	if (rc == CTM_E_UNSUPPORTED) {
		ctm_err_clear(err);
		return 0;
	}
	return rc ? ctm_fail_prefix(err, "The store is older than this program and could not be copied before it is brought forward; nothing was changed: ") : 0;
}

static int read_store(struct ctm_app *a, struct ctm_err *err)
{
	int rc = ctm_db_url(a->dir, a->json, a->db_url, sizeof a->db_url, err);
	a->shared = !rc && ctm_db_served(a->db_url);
	if (!rc && a->instance > 1 && !a->shared)
		rc = ctm_fail(err, CTM_E_INPUT, "instance", NULL, "a second server needs a store that both can reach: rows in the file ctm.db are served by one; see "
			"member database of ctm.json");
	return rc;
}

/* Servers of an older program must not find themselves on a schema that they do not know. */
static int others_stopped(struct ctm_app *a, struct ctm_db *db, struct ctm_err *err)
{
	char path[1024];
	int is = ctm_db_schema(db);
	for (unsigned i = 1; a->shared && is > 0 && is < (int)ctm_migration_count && i <= CTM_INSTANCES_MAX; i++)
		if (i != a->instance && ctm_file_locked(ctm_app_run(a, i, "serve", "lock", path, sizeof path)))
			return ctm_fail(err, CTM_E_BUSY, "state", NULL, "the store is older than this program and another server (instance %u) still runs on it; stop every "
				"server before the first of the new program starts, nothing was changed", i);
	return 0;
}

static int migrate(struct ctm_app *a, struct ctm_err *err)
{
	struct ctm_db *db;
	int from, to, rc = ctm_db_open(a->db_url, CTM_DB_RW, &db, err);
	if (rc)
		return rc;
	rc = others_stopped(a, db, err);
	rc = rc ? rc : keep_schema(a, db, err);
	rc = rc ? rc : ctm_db_migrate(db, &from, &to, err);
	ctm_db_close(db);
	return rc;
}

int ctm_app_new(const struct ctm_app_conf *conf, struct ctm_app **out, struct ctm_err *err)
{
	struct ctm_app *a = calloc(1, sizeof *a);
	char path[1024];
	if (!a)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	a->lock = -1;
	a->conf = *conf;
	a->instance = conf->instance ? conf->instance : 1;
	a->openapi = CTM_BUF(8 * 1024 * 1024);
	pthread_mutex_init(&a->openapi_mu, NULL);
	int rc = ctm_copy(a->dir, sizeof a->dir, conf->state_dir) ? 0 :
		ctm_fail(err, CTM_E_INPUT, "state", NULL, "the path of the state directory is too long");
	if (!rc)
		rc = read_conf(a, err);
	if (!rc)
		rc = read_store(a, err);
	if (!rc)
		rc = migrate(a, err);
	if (!rc)
		rc = ctm_blobs_open(ctm_app_dir(a, "blobs", path, sizeof path), &a->blobs, err);
	if (!rc && !(a->zones = ctm_zones_new()))
		rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	if (!rc)
		rc = ctm_router_new(conf->routes, conf->nroutes, conf->view, &a->router, err);
	if (!rc)
		rc = ctm_conns_new(a->db_url, &a->conns, err);
	if (rc) {
		ctm_app_free(a);
		return rc;
	}
	*out = a;
	return 0;
}

/* ---- life ---- */

static void committed(void *arg)
{
	ctm_jobrun_wake(((struct ctm_app *)arg)->jobrun);
}

static void measured(void *arg, unsigned tasks, unsigned retries, int64_t group_us, int64_t commit_us, bool kept)
{
	struct ctm_metrics *ms = &((struct ctm_app *)arg)->metrics;
	ctm_metric_add(ms, CTM_METRIC_GROUP_RETRY, 0, retries);
	if (!kept) {
		ctm_metric_add(ms, CTM_METRIC_GROUP_FAIL, 0, 1);
		return;
	}
	ctm_metric_observe(ms, CTM_METRIC_GROUP, tasks);
	ctm_metric_observe(ms, CTM_METRIC_GROUP_TIME, group_us);
	ctm_metric_observe(ms, CTM_METRIC_FSYNC, commit_us);
}

static int start_doors(struct ctm_app *a, struct ctm_err *err)
{
	char path[1024];
	struct ctm_srv_handler h = ctm_flow_handler(a);
	struct ctm_srv_conf c = { .host = a->host, .port = a->port, .threads = a->conf.threads ? a->conf.threads : 2, .connections = CONNECTIONS,
		.memory = CONNECTION_MEMORY, .head_ms = a->conf.head_ms ? a->conf.head_ms : 15000, .idle_s = a->conf.idle_s ? a->conf.idle_s : 30, .arena_max = REQUEST_ARENA };
	int rc = ctm_srv_start(&c, &h, &a->people, err);
	if (rc)
		return rc;
	if ((rc = ctm_mkdirs(ctm_app_dir(a, "run", path, sizeof path), 0700, err)))
		return rc;
	c.host = NULL;
	c.connections = EDGE_CONNECTIONS;
	c.memory = EDGE_CONNECTION_MEMORY;
	c.unix_path = ctm_app_run(a, a->instance, "device", "sock", path, sizeof path);
	return ctm_srv_start(&c, &h, &a->edge, err);
}

/* Two servers of one number would take each other's socket and leases. The lock is the number: who holds it lives. */
static int hold_state(struct ctm_app *a, struct ctm_err *err)
{
	char path[1024];
	int rc = ctm_mkdirs(ctm_app_dir(a, "run", path, sizeof path), 0700, err);
	if (!rc)
		rc = ctm_file_lock_wait(ctm_app_run(a, a->instance, "serve", "lock", path, sizeof path), LOOKED_AT_MS, &a->lock, err);
	if (rc == CTM_E_BUSY) {
		ctm_err_clear(err);
		rc = ctm_fail(err, CTM_E_BUSY, "state", NULL, "another ctm serves the state directory %s%s; stop that one first", a->dir, a->shared ?
			" under this instance number" : "");
	}
	return rc;
}

int ctm_app_start(struct ctm_app *a, struct ctm_err *err)
{
	struct ctm_writer_conf w = { .db_url = a->db_url, .queue_max = WRITE_QUEUE, .group_max = WRITE_GROUP, .committed = committed,
		.retry_ms = ctm_db_served(a->db_url) ? WRITE_RETRY_MS : 0, .measured = measured, .arg = a };
	a->started_us = ctm_mono_us();
	int rc = hold_state(a, err);
	if (!rc)
		rc = ctm_jobrun_new(a, &a->jobrun, err);
	if (!rc)
		rc = ctm_writer_start(&w, &a->writer, err);
	if (!rc)
		rc = ctm_pool_start(SLOW_WORKERS, SLOW_QUEUE, &a->pool, err);
	if (!rc)
		rc = start_doors(a, err);
	if (!rc)
		rc = ctm_jobrun_start(a->jobrun, err);
	if (rc)
		ctm_app_stop(a);
	return rc;
}

/* Order matters: doors shut first, then what feeds the writer, then the writer, and the doors' workers last, because they
 * still carry the answers of everything that was parked. */
void ctm_app_stop(struct ctm_app *a)
{
	ctm_srv_quiesce(a->people);
	ctm_srv_quiesce(a->edge);
	ctm_jobrun_stop(a->jobrun);
	ctm_pool_stop(a->pool);
	ctm_writer_stop(a->writer);
	ctm_srv_stop(a->people);
	ctm_srv_stop(a->edge);
	ctm_pool_free(a->pool);
	ctm_writer_free(a->writer);
	ctm_jobrun_free(a->jobrun);
	a->people = a->edge = NULL;
	a->jobrun = NULL;
	a->pool = NULL;
	a->writer = NULL;
	ctm_closep(&a->lock);
}

void ctm_app_free(struct ctm_app *a)
{
	if (!a)
		return;
	ctm_conns_free(a->conns);
	ctm_router_free(a->router);
	ctm_zones_free(a->zones);
	ctm_blobs_close(a->blobs);
	ctm_json_free(a->json);
	ctm_buf_free(&a->openapi);
	pthread_mutex_destroy(&a->openapi_mu);
	free(a);
}
