/* SPDX-License-Identifier: Apache-2.0
 *
 * Notes on the library (libmicrohttpd 0.9.75), found the hard way or read in its manual:
 * - The raw address is taken in the URI log callback, because the library's own unescaping would hide NUL bytes.
 * - A reply may be queued only before the body or after it. A refusal on a small body therefore swallows the body first,
 *   so that the client reads the answer instead of a reset connection; a refusal on a big one closes.
 * - Headers and the head of the reply share one piece of memory for each connection; where the headers leave no room the
 *   library closes without a word. So headers may take three quarters of it, and what is above is refused on the bare socket.
 * - Suspended connections must all be resumed before the daemon stops.
 * - The library limits silence, not slowness: a thread of ours cuts connections that are past an absolute deadline. The
 *   library tells us that a connection is closed before it closes the descriptor, so the cut never hits a reused one.
 */
#include "http/server.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "http/listen.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_COST 64          /* what the library keeps beside the text of a header */
#define URI_MAX 2048
#define SWALLOW_MAX (1024 * 1024)
#define ENDLESS INT64_MAX            /* a body whose end cannot be waited for: refused at once */
#define SLOWEST_BYTES_PER_S 16384
#define BODY_GRACE_MS 15000

/* Exchanges that are over are used again, with their memory; not where a sanitizer shall see who touches one too late. */
#ifdef __SANITIZE_ADDRESS__
#define SPARES_MAX 0
#else
#define SPARES_MAX 64
#endif

/* One per connection: until when the client must have got on. 0: it is our turn. */
struct conn {
	struct conn *next, *prev;
	int fd;
	int64_t deadline_us;
	bool idle;                        /* between two requests: a peer that has closed its half brings no other */
};

struct ctm_srv {
	struct ctm_srv_handler h;
	struct MHD_Daemon *mhd;
	int listen_fd, port;
	bool edge, quiet;
	char unix_path[108];
	size_t arena_max, headers_max;
	int head_ms;
	pthread_mutex_t mu;               /* conns, stop, spare */
	pthread_cond_t wake;
	struct conn conns;                /* ring */
	struct ctm_req_wire *spare;       /* list */
	unsigned spares;
	bool stop, sweeping;
	pthread_t sweeper;
};

enum stage { S_NEW, S_BODY, S_SWALLOW, S_PARKED, S_REPLIED };

struct ctm_req_wire {
	struct ctm_srv *srv;
	struct ctm_req_wire *next;        /* of the spare ones */
	struct MHD_Connection *con;
	struct conn *conn;
	struct ctm_req req;
	enum stage stage;
	bool headed;                      /* `head` was called, so `done` is owed */
	bool uri_too_long;
	bool stopped;                     /* `body` refused; the rest is swallowed */
	size_t swallowed;
	char remote[64];
};

/* ---- deadlines ---- */

static void set_deadline(struct ctm_srv *s, struct conn *c, int64_t ms)
{
	if (!c)
		return;
	pthread_mutex_lock(&s->mu);
	c->deadline_us = ms ? ctm_mono_us() + ms * 1000 : 0;
	c->idle = false;
	pthread_mutex_unlock(&s->mu);
}

/* The exchange is over: time to think, then a whole header. */
static void set_idle(struct ctm_srv *s, struct conn *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&s->mu);
	c->deadline_us = ctm_mono_us() + (int64_t)s->head_ms * 2 * 1000;
	c->idle = true;
	pthread_mutex_unlock(&s->mu);
}

/* The library may have been told of the peer's end together with its last request, and is not told again. */
static bool half_closed(int fd)
{
	char b;
	return recv(fd, &b, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static int64_t transfer_ms(int64_t bytes)
{
	return BODY_GRACE_MS + bytes * 1000 / SLOWEST_BYTES_PER_S;
}

static void *sweep(void *arg)
{
	struct ctm_srv *s = arg;
	pthread_mutex_lock(&s->mu);
	while (!s->stop) {
		struct timespec ts;
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_nsec += 500 * 1000 * 1000;
		if (ts.tv_nsec >= 1000000000) {
			ts.tv_sec++;
			ts.tv_nsec -= 1000000000;
		}
		pthread_cond_timedwait(&s->wake, &s->mu, &ts);
		int64_t now = ctm_mono_us();
		for (struct conn *c = s->conns.next; c != &s->conns; c = c->next)
			if ((c->deadline_us && now > c->deadline_us) || (c->idle && half_closed(c->fd))) {
				shutdown(c->fd, SHUT_RDWR);
				c->deadline_us = 0;
				c->idle = false;
			}
	}
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

static void on_connection(void *cls, struct MHD_Connection *con, void **ctx, enum MHD_ConnectionNotificationCode code)
{
	struct ctm_srv *s = cls;
	struct conn *c = *ctx;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (!c)
			return;
		pthread_mutex_lock(&s->mu);
		c->prev->next = c->next;
		c->next->prev = c->prev;
		pthread_mutex_unlock(&s->mu);
		free(c);
		*ctx = NULL;
		return;
	}
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(con, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!info || !(c = calloc(1, sizeof *c)))
		return;                       /* without memory the connection lives with the idle limit alone */
	c->fd = info->connect_fd;
	c->deadline_us = ctm_mono_us() + (int64_t)s->head_ms * 1000;
	pthread_mutex_lock(&s->mu);
	c->next = s->conns.next;
	c->prev = &s->conns;
	c->next->prev = c;
	s->conns.next = c;
	pthread_mutex_unlock(&s->mu);
	*ctx = c;
}

/* ---- one exchange ---- */

/* A fresh exchange, or NULL without memory. */
static struct ctm_req_wire *take_wire(struct ctm_srv *s)
{
	pthread_mutex_lock(&s->mu);
	struct ctm_req_wire *w = s->spare;
	if (w) {
		s->spare = w->next;
		s->spares--;
	}
	pthread_mutex_unlock(&s->mu);
	if (w) {
		*w = (struct ctm_req_wire){ .req.arena = w->req.arena };
		return w;
	}
	w = calloc(1, sizeof *w);
	if (w && !(w->req.arena = ctm_arena_new(s->arena_max))) {
		free(w);
		return NULL;
	}
	return w;
}

static void free_wire(struct ctm_req_wire *w)
{
	ctm_arena_free(w->req.arena);
	free(w);
}

static void give_wire(struct ctm_srv *s, struct ctm_req_wire *w)
{
	ctm_arena_reset(w->req.arena);
	pthread_mutex_lock(&s->mu);
	bool keep = s->spares + 1 <= SPARES_MAX;
	if (keep) {
		w->next = s->spare;
		s->spare = w;
		s->spares++;
	}
	pthread_mutex_unlock(&s->mu);
	if (!keep)
		free_wire(w);
}

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *con)
{
	struct ctm_srv *s = cls;
	struct ctm_req_wire *w = take_wire(s);
	if (!w)
		return NULL;
	w->srv = s;
	w->con = con;
	w->req.wire = w;
	w->req.edge = s->edge;
	w->uri_too_long = strlen(uri) > URI_MAX;
	const char *q = strchr(uri, '?');
	w->req.path = ctm_arena_ndup(w->req.arena, uri, w->uri_too_long ? 0 : q ? (size_t)(q - uri) : strlen(uri));
	w->req.query = ctm_arena_dup(w->req.arena, q && !w->uri_too_long ? q + 1 : "");
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(con, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	w->conn = info ? info->socket_context : NULL;
	return w;
}

static void on_completed(void *cls, struct MHD_Connection *con, void **con_cls, enum MHD_RequestTerminationCode code)
{
	struct ctm_srv *s = cls;
	struct ctm_req_wire *w = *con_cls;
	if (!w)
		return;
	set_idle(s, w->conn);
	if (w->headed)
		s->h.done(s->h.arg, &w->req);
	give_wire(s, w);
	*con_cls = NULL;
}

static const char *const once[] = { "Authorization", "Cookie", "Host", "Content-Type", "Content-Length", "Transfer-Encoding", "Origin", "X-CSRF-Token",
	"X-Client-Verify", "X-Client-Fingerprint", "X-Client-Cert", "X-Real-IP" };

/* RFC 9110 section 5.6.2. The library takes what stands before the colon, white space too, which other readers of the same bytes do not. */
static bool is_token(const char *s)
{
	return *s && !s[strspn(s, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")];
}

/* No control character but the tab (RFC 9110 section 5.5): a lone CR is an end of line to some. */
static bool is_field_value(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7F)
			return false;
	return true;
}

struct gather { struct ctm_req *r; size_t bytes, max; const char *bad; };

static enum MHD_Result on_header(void *cls, enum MHD_ValueKind kind, const char *key, size_t klen, const char *value, size_t vlen)
{
	struct gather *g = cls;
	struct ctm_req *r = g->r;
	g->bytes += klen + vlen + 4 + HEADER_COST;
	if (g->bytes > g->max || r->nhead == sizeof r->head / sizeof r->head[0]) {
		g->bad = "too many headers";
		return MHD_NO;
	}
	if (strlen(key) != klen || (value && strlen(value) != vlen) || !is_token(key) || (value && !is_field_value(value))) {
		g->bad = "a header is not a name, a colon and text";
		return MHD_NO;
	}
	for (size_t i = 0; i < sizeof once / sizeof *once; i++)
		if ((once[i][0] | 32) == (key[0] | 32) && !strcasecmp(once[i], key) && ctm_req_header(r, key)) {
			g->bad = "a header that may come once came twice";
			return MHD_NO;
		}
	r->head[r->nhead++] = (struct ctm_header){ key, value ? value : "" };      /* the library keeps both until the exchange is over */
	return MHD_YES;
}

const char *ctm_req_header(const struct ctm_req *r, const char *name)
{
	for (size_t i = 0; i < r->nhead; i++)
		if (!strcasecmp(r->head[i].name, name))
			return r->head[i].value;
	return NULL;
}

void ctm_req_reply_header(struct ctm_req *r, const char *name, const char *value)
{
	if (r->reply.nhead == sizeof r->reply.head / sizeof r->reply.head[0])
		abort();
	r->reply.head[r->reply.nhead++] = (struct ctm_header){ name, value };
}

void ctm_req_park(struct ctm_req *r)
{
	r->wire->stage = S_PARKED;
	MHD_suspend_connection(r->wire->con);
}

void ctm_req_wake(struct ctm_req *r)
{
	MHD_resume_connection(r->wire->con);
}

/* Refuse on the wire's own account, before the handler has seen the request. */
static void refuse(struct ctm_req *r, int status, const char *why)
{
	r->reply = (struct ctm_reply){ .status = status, .body = why, .n = strlen(why) };
	ctm_req_reply_header(r, "Content-Type", "text/plain; charset=utf-8");
	ctm_req_reply_header(r, "X-Content-Type-Options", "nosniff");
	ctm_req_reply_header(r, "Connection", "close");
}

static enum MHD_Result queue_reply(struct ctm_req_wire *w)
{
	struct ctm_reply *y = &w->req.reply;
	struct MHD_Response *resp = MHD_create_response_from_buffer(y->n, (void *)(uintptr_t)y->body, MHD_RESPMEM_PERSISTENT);
	if (!resp)
		return MHD_NO;
	for (size_t i = 0; i < y->nhead; i++)
		if (MHD_add_response_header(resp, y->head[i].name, y->head[i].value) != MHD_YES) {
			MHD_destroy_response(resp);
			return MHD_NO;
		}
	set_deadline(w->srv, w->conn, transfer_ms((int64_t)y->n));
	w->stage = S_REPLIED;
	enum MHD_Result rc = MHD_queue_response(w->con, (unsigned)y->status, resp);
	MHD_destroy_response(resp);
	return rc;
}

static bool address_ok(const char *s)
{
	unsigned char raw[16];
	return inet_pton(AF_INET, s, raw) == 1 || inet_pton(AF_INET6, s, raw) == 1;
}

/* A proxy on this machine that ends TLS for people names the peer last in X-Forwarded-For; from anywhere else that header is not read. */
static void behind_proxy(struct ctm_req_wire *w)
{
	const char *list = ctm_req_header(&w->req, "X-Forwarded-For"), *last = list ? strrchr(list, ',') : NULL;
	char one[64];
	if (!list || (strncmp(w->remote, "127.", 4) && strcmp(w->remote, "::1")))
		return;
	last = last ? last + 1 : list;
	last += strspn(last, " \t");
	if ((size_t)snprintf(one, sizeof one, "%.*s", (int)strcspn(last, " \t"), last) < sizeof one && address_ok(one))
		snprintf(w->remote, sizeof w->remote, "%s", one);
}

static void peer(struct ctm_req_wire *w)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(w->con, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info ? info->client_addr : NULL;
	const char *real = w->srv->edge ? ctm_req_header(&w->req, "X-Real-IP") : NULL;
	if (real && address_ok(real))
		snprintf(w->remote, sizeof w->remote, "%s", real);
	else if (sa && sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, w->remote, sizeof w->remote);
	else if (sa && sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, w->remote, sizeof w->remote);
	else
		snprintf(w->remote, sizeof w->remote, "edge");
	if (!w->srv->edge)
		behind_proxy(w);
	w->req.remote = w->remote;
}

/* Headers into the request, and the checks that need no table. NULL when fine. */
static const char *read_head(struct ctm_req_wire *w, const char *method, const char *version, int *status)
{
	struct ctm_req *r = &w->req;
	struct gather g = { .r = r, .bytes = strlen(r->path ? r->path : "") + strlen(r->query ? r->query : ""), .max = w->srv->headers_max };
	*status = 400;
	r->method = ctm_arena_dup(r->arena, method);
	MHD_get_connection_values_n(w->con, MHD_HEADER_KIND, on_header, &g);
	if (g.bad) {
		*status = strcmp(g.bad, "too many headers") ? 400 : 431;
		return g.bad;
	}
	if (!r->method || !r->path || !r->query)
		return *status = 503, "no memory";
	if (w->uri_too_long)
		return *status = 414, "the address is too long";
	const char *length = ctm_req_header(r, "Content-Length"), *te = ctm_req_header(r, "Transfer-Encoding");
	if (length && te)
		return "Content-Length and Transfer-Encoding together are ambiguous";
	if (te && !strcmp(version, "HTTP/1.0"))
		return "HTTP/1.0 has no Transfer-Encoding";
	if (te && strcasecmp(te, "chunked")) {
		r->length = ENDLESS;
		return *status = 501, "only the chunked transfer encoding is understood";
	}
	if (length && ctm_parse_i64(length, 0, INT64_MAX / 4096, &r->length)) {
		r->length = ENDLESS;
		return "Content-Length is not a number, or more than anybody takes";
	}
	if (te)
		r->length = -1;
	if (!strcmp(version, "HTTP/1.1") && !ctm_req_header(r, "Host"))
		return "a Host header is required";
	peer(w);
	return NULL;
}

/* 431 where there may be no room left for a reply. The connection closes. */
static enum MHD_Result refuse_bare(struct ctm_req_wire *w)
{
	static const char text[] = "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: text/plain\r\nContent-Length: 30\r\nConnection: close\r\n\r\n"
		"the headers are more than fit\n";
	if (w->conn && send(w->conn->fd, text, sizeof text - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return MHD_NO;                /* the client has gone already */
	return MHD_NO;
}

static enum MHD_Result begin(struct ctm_req_wire *w, const char *method, const char *version)
{
	struct ctm_srv *s = w->srv;
	struct ctm_req *r = &w->req;
	int status;
	const char *why = read_head(w, method, version, &status);
	bool replied = true;
	if (why && status == 431)
		return refuse_bare(w);
	if (why) {
		refuse(r, status, why);
	} else {
		w->headed = true;
		replied = s->h.head(s->h.arg, r);
	}
	set_deadline(s, w->conn, transfer_ms(r->length > 0 && r->length != ENDLESS ? r->length : SWALLOW_MAX));
	w->stage = replied ? S_SWALLOW : S_BODY;
	/* A reply queued now closes the connection, so it waits for the end of the request wherever that is near. */
	if (!replied || !r->length || (r->length <= SWALLOW_MAX && !ctm_req_header(r, "Expect")))
		return MHD_YES;
	ctm_req_reply_header(r, "Connection", "close");
	return queue_reply(w);
}

static enum MHD_Result piece(struct ctm_req_wire *w, const char *p, size_t *n)
{
	struct ctm_srv *s = w->srv;
	if (w->stage == S_BODY && !w->stopped && s->h.body(s->h.arg, &w->req, p, *n) < 0)
		w->stopped = true;
	if (w->stopped || w->stage != S_BODY) {
		w->swallowed += *n;
		if (w->swallowed > SWALLOW_MAX)
			return MHD_NO;
	}
	*n = 0;
	return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *con, const char *url, const char *method, const char *version,
	const char *upload, size_t *upload_n, void **con_cls)
{
	struct ctm_srv *s = cls;
	struct ctm_req_wire *w = *con_cls;
	if (!w)
		return MHD_NO;
	if (w->stage == S_NEW)
		return begin(w, method, version);
	if (*upload_n)
		return piece(w, upload, upload_n);
	if (w->stage == S_BODY) {
		set_deadline(s, w->conn, 0);
		if (s->h.end(s->h.arg, &w->req) == CTM_REQ_PARKED)
			return MHD_YES;           /* another thread may own the exchange by now */
	} else if (w->stage == S_PARKED) {
		s->h.resume(s->h.arg, &w->req);
	}
	return w->stage == S_REPLIED ? MHD_YES : queue_reply(w);
}

/* ---- opening and closing ---- */

static void no_log(void *cls, const char *fmt, va_list ap) { }

static void free_srv(struct ctm_srv *s)
{
	if (s->sweeping) {
		pthread_mutex_lock(&s->mu);
		s->stop = true;
		pthread_cond_signal(&s->wake);
		pthread_mutex_unlock(&s->mu);
		pthread_join(s->sweeper, NULL);
	}
	for (struct ctm_req_wire *w = s->spare, *next; w; w = next) {
		next = w->next;
		free_wire(w);
	}
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	if (*s->unix_path)
		unlink(s->unix_path);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->mu);
	free(s);
}

static int start_daemon(const struct ctm_srv_conf *c, struct ctm_srv *s, struct ctm_err *err)
{
	s->mhd = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, s,
		MHD_OPTION_EXTERNAL_LOGGER, no_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, s->listen_fd,
		MHD_OPTION_THREAD_POOL_SIZE, c->threads < 1 ? 1 : c->threads,
		MHD_OPTION_CONNECTION_LIMIT, c->connections,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)c->idle_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, c->memory,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, s,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_END);
	if (!s->mhd)
		return ctm_fail(err, CTM_E_IO, "listen", NULL, "the HTTP service does not start: %s", strerror(errno));
	return 0;
}

int ctm_srv_start(const struct ctm_srv_conf *c, const struct ctm_srv_handler *handler, struct ctm_srv **out, struct ctm_err *err)
{
	struct ctm_srv *s = calloc(1, sizeof *s);
	if (!s)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the HTTP service");
	pthread_condattr_t ca;
	pthread_condattr_init(&ca);
	pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->mu, NULL);
	pthread_cond_init(&s->wake, &ca);
	pthread_condattr_destroy(&ca);
	s->h = *handler;
	s->listen_fd = -1;
	s->conns.next = s->conns.prev = &s->conns;
	s->arena_max = c->arena_max;
	s->headers_max = c->memory / 4 * 3;
	s->head_ms = c->head_ms;
	s->edge = c->unix_path != NULL;
	int rc = s->edge ? ctm_listen_unix(c->unix_path, &s->listen_fd, err) : ctm_listen_tcp(c->host, c->port, &s->listen_fd, &s->port, err);
	if (!rc && s->edge)
		(void)ctm_copy(s->unix_path, sizeof s->unix_path, c->unix_path);
	if (!rc && pthread_create(&s->sweeper, NULL, sweep, s))
		rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no thread for the HTTP service");
	else if (!rc)
		s->sweeping = true;
	if (!rc)
		rc = start_daemon(c, s, err);
	if (rc) {
		free_srv(s);
		return rc;
	}
	*out = s;
	return 0;
}

int ctm_srv_port(const struct ctm_srv *s) { return s->port; }

void ctm_srv_quiesce(struct ctm_srv *s)
{
	if (!s || s->quiet)
		return;
	s->quiet = true;
	(void)MHD_quiesce_daemon(s->mhd);     /* gives the descriptor back; free_srv closes it */
}

void ctm_srv_stop(struct ctm_srv *s)
{
	if (!s)
		return;
	ctm_srv_quiesce(s);
	MHD_stop_daemon(s->mhd);
	free_srv(s);
}
