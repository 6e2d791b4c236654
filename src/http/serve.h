/* SPDX-License-Identifier: Apache-2.0
 *
 * The running platform: what src/app/serve.c puts together and starts, and tests start with a tiny table.
 *
 * Life: ctm_app_new() reads ctm.json, brings the schema up to date, opens blobs, compiles the route table (a wrong row or
 * an unknown view stops here). ctm_app_start() starts writer, workers, job thread and the two doors. ctm_app_stop() drains:
 * no new connections, what was accepted is finished and answered, the job at hand ends.
 *
 * Several processes may serve one state directory when its rows are on a database server: each with an instance number, an address and
 * a socket for the edge of its own (run/device.sock, run/device-2.sock ...). The number is held by a lock (run/serve.lock, run/serve-2.lock
 * ...) for as long as the process lives, which is how the others know whether a lease is still somebody's.
 */
#ifndef CTM_HTTP_SERVE_H
#define CTM_HTTP_SERVE_H
#include "http/router.h"

#define CTM_INSTANCES_MAX 64

struct ctm_app_conf {
	const char *state_dir;
	const char *listen;                        /* "127.0.0.1:8080"; NULL: member listen of ctm.json */
	unsigned instance;                         /* number of this server among those of one store and state directory, at most CTM_INSTANCES_MAX; 0 means 1 */
	int port;                                  /* replaces the port of listen; -1 for none, 0 takes a free one */
	const struct ctm_routes *const *routes; size_t nroutes;
	const struct ctm_jobs *const *jobs; size_t njobs;
	const struct ctm_listeners *const *listeners; size_t nlisteners;
	ctm_authorise_fn *authorise;
	const struct ctm_catalogue *catalogue;     /* borrowed; may be NULL in tests */
	const ctm_json *replies;                   /* reply schemas by name; borrowed, may be NULL */
	ctm_view_fn *view;                         /* ctm_tpl_find */
	int (*render)(const struct ctm_tpl *t, const struct ctm_tpl_cx *tc, struct ctm_buf *out, struct ctm_err *err);   /* ctm_tpl_render */
	const char *(*msg)(const char *key, const char *locale);                                                         /* ctm_tpl_message */
	unsigned threads;                          /* HTTP workers; 0 means 2 */
	int head_ms, idle_s;                       /* 0: 15 s, 30 s */
	size_t replies_max;                        /* bytes of large replies held for slow readers at once; 0: 512 MiB */
	bool quiet;                                /* no line on stderr for 5xx answers (tests that provoke them) */
};

CTM_CHECK int ctm_app_new(const struct ctm_app_conf *conf, struct ctm_app **out, struct ctm_err *err);  /* errors name file or row; nothing listens yet */
CTM_CHECK int ctm_app_start(struct ctm_app *app, struct ctm_err *err);    /* BUSY for a port in use */
int ctm_app_port(const struct ctm_app *app);                              /* the port that people's door got, else the one asked for */
const char *ctm_app_pid_path(const struct ctm_app *app, char *out, size_t cap);    /* run/serve.pid, run/serve-2.pid ... */
void ctm_app_stop(struct ctm_app *app);        /* may be called on an app that was never started */
void ctm_app_free(struct ctm_app *app);        /* NULL tolerated */
const char *ctm_version(void);                 /* "0.1.0" */

/* The seam's own rows: /healthz, /api/openapi.json, /about/permissions, /assets/{name}. List them with the rooms' tables. */
extern const struct ctm_routes ctm_http_routes;

#endif
