/* SPDX-License-Identifier: Apache-2.0
 * Inside of the HTTP room: what a process holds. Constant after ctm_app_start() but for what locks itself. */
#ifndef CTM_HTTP_APP_IMPL_H
#define CTM_HTTP_APP_IMPL_H
#include "http/conns.h"
#include "http/jobs.h"
#include "http/metrics.h"
#include "http/pool.h"
#include "http/serve.h"
#include "http/server.h"
#include "http/writer.h"
#include "http/zones.h"
#include <pthread.h>
#include <stdatomic.h>

struct ctm_app {
	struct ctm_app_conf conf;
	char dir[900], db_url[1024], public_url[256], host[64];
	char public_host[256];             /* host name of public_url, lower case, without port */
	unsigned instance;                 /* 1 or more */
	bool shared;                       /* other processes may serve the same store */
	bool https;                        /* public_url is https: cookies are Secure, HSTS is sent */
	int port;
	ctm_json *json;                    /* ctm.json */
	struct ctm_blobs *blobs;
	struct ctm_router *router;
	struct ctm_conns *conns;
	struct ctm_writer *writer;
	struct ctm_pool *pool;
	struct ctm_jobrun *jobrun;
	struct ctm_srv *people, *edge;
	struct ctm_metrics metrics;
	struct ctm_zones *zones;
	int64_t started_us;                /* on ctm_mono_us() */
	int lock;                          /* run/serve.lock: one server per instance number; -1 while not started */
	pthread_mutex_t openapi_mu;
	struct ctm_buf openapi;            /* made at first use */
	_Atomic size_t replies_held;       /* bytes of large replies that slow readers keep in memory */
};

/* run/NAME.EXT of an instance: "serve" and "lock" are run/serve.lock for the first, run/serve-2.lock for the second. */
const char *ctm_app_run(const struct ctm_app *app, unsigned instance, const char *name, const char *ext, char *out, size_t cap);

#endif
