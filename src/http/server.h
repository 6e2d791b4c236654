/* SPDX-License-Identifier: Apache-2.0
 *
 * The seam over the HTTP library: server.c is the only file that includes it. It turns connections into exchanges
 * (struct ctm_req), keeps every limit that belongs to the wire, and calls the handler given at start:
 *
 *   head    request line and headers are complete and sane. The handler answers at once, or lets the body come.
 *   body    a piece of the body. A negative result stops the handling; what still comes is swallowed, bounded.
 *   end     the request is complete: answer now (ctm_req_reply), or park it and answer in `resume`.
 *   resume  on a worker again, after ctm_req_wake(): answer now.
 *   done    the exchange is over, whichever way. Free what belongs to it. Called once for each `head`.
 *
 * Limits: headers together three quarters of the memory of a connection, address 2 KiB, sensitive headers not twice, header and
 * body each have an absolute deadline (a client that sends one byte at a time is cut off), a maximum of connections. Two doors:
 * TCP on the loopback for people, a unix socket (mode 0600) for the edge; each server object is one door.
 */
#ifndef CTM_HTTP_SERVER_H
#define CTM_HTTP_SERVER_H
#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

struct ctm_srv;
struct ctm_req_wire;                   /* the library's side of an exchange */

struct ctm_header { const char *name, *value; };

struct ctm_reply {
	int status;
	struct ctm_header head[24];
	size_t nhead;
	const void *body;                  /* arena memory or static */
	size_t n;
};

struct ctm_req {
	const char *method;
	const char *path;                  /* as sent, up to '?' */
	const char *query;                 /* as sent, after '?', "" without */
	struct ctm_header head[64];
	size_t nhead;
	int64_t length;                    /* of the body: 0 none, -1 chunked */
	const char *remote;                /* peer address, "edge" on the unix socket */
	bool edge;
	struct ctm_arena *arena;           /* lives until done */
	struct ctm_reply reply;
	void *state;                       /* the handler's */
	struct ctm_req_wire *wire;
};

enum ctm_req_verdict { CTM_REQ_REPLIED, CTM_REQ_PARKED };

struct ctm_srv_handler {
	bool (*head)(void *arg, struct ctm_req *r);              /* true: replied already, the body is not wanted */
	int (*body)(void *arg, struct ctm_req *r, const void *p, size_t n);
	enum ctm_req_verdict (*end)(void *arg, struct ctm_req *r);
	void (*resume)(void *arg, struct ctm_req *r);
	void (*done)(void *arg, struct ctm_req *r);
	void *arg;
};

struct ctm_srv_conf {
	const char *host; int port;        /* TCP door: numeric address; port 0 takes a free one */
	const char *unix_path;             /* or the edge's door */
	unsigned threads;                  /* workers, at least 1 */
	unsigned connections;              /* at most so many at once */
	size_t memory;                     /* bytes of one connection, busy or idle: headers, and the head of the reply */
	int head_ms, idle_s;               /* a header must be complete within head_ms; silence ends after idle_s */
	size_t arena_max;                  /* memory of one exchange */
};

/* Open the door and serve. BUSY when the address is in use (one sentence), INPUT for a bad address, IO, NOMEM. */
CTM_CHECK int ctm_srv_start(const struct ctm_srv_conf *conf, const struct ctm_srv_handler *handler, struct ctm_srv **out, struct ctm_err *err);
int ctm_srv_port(const struct ctm_srv *s);
void ctm_srv_quiesce(struct ctm_srv *s);   /* take no new connections */
void ctm_srv_stop(struct ctm_srv *s);      /* everything parked must have been woken; NULL tolerated */

const char *ctm_req_header(const struct ctm_req *r, const char *name);   /* NULL when absent */
void ctm_req_reply_header(struct ctm_req *r, const char *name, const char *value);   /* value must outlive the exchange; a full table aborts */
/* Inside `end`, before the request is given to another thread; the handler then returns CTM_REQ_PARKED and does not touch
 * the request again. Whoever finishes calls wake exactly once. */
void ctm_req_park(struct ctm_req *r);
void ctm_req_wake(struct ctm_req *r);

#endif
