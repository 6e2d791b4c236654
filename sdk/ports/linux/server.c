/* SPDX-License-Identifier: Apache-2.0
 *
 * The only listener: TLS on the declared port, a poll loop, at most CONNS connections, a deadline on everything a peer may
 * delay. Requests are handled one at a time under the agent's lock. A connection is a small machine:
 *     HANDSHAKE -> HEAD -> BODY -> SEND -> HEAD (keep-alive) or LINGER -> gone
 * LINGER drops what a refused peer still sends, so that it gets to read the refusal. When all places are taken, an idle
 * connection gives way to a new one.
 */
#include "agent.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNS 8
#define HANDSHAKE_MS 5000
#define HEAD_MS 10000           /* from the first byte of a head to its last */
#define IDLE_MS 30000
#define BODY_MS 30000
#define SEND_MS 15000
#define LINGER_MS 1500
#define DRAIN_MS 1000           /* answers in flight before a reboot */

enum state { FREE, HANDSHAKE, HEAD, BODY, SEND, LINGER };

struct conn {
	enum state state;
	int fd;
	SSL *ssl;
	short want;             /* poll events */
	int64_t deadline;
	char peer[INET_ADDRSTRLEN];
	char in[HTTP_HEAD_MAX];
	size_t inlen;
	struct request req;
	char *body;             /* req.head.length bytes and a NUL */
	size_t bodylen;
	char *out;
	size_t outlen, outat;
	bool keep;
};

struct server {
	struct agent *a;
	SSL_CTX *tls;
	struct conn conn[CONNS];
};

static int choose_cert(X509 *x, SSL_CTX *c, EVP_PKEY *key)
{
	return SSL_CTX_use_certificate(c, x) == 1 && SSL_CTX_use_PrivateKey(c, key) == 1;
}

static SSL_CTX *make_tls(const struct agent *a)
{
	SSL_CTX *c = SSL_CTX_new(TLS_server_method());
	BIO *b = BIO_new_mem_buf(a->cert, -1);
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	int ok;

	if (c && DEFECT(OBSOLETE_TLS))
		SSL_CTX_set_security_level(c, 0);
	ok = c && x && SSL_CTX_set_min_proto_version(c, DEFECT(OBSOLETE_TLS) ? TLS1_VERSION : TLS1_2_VERSION) == 1 &&
	     SSL_CTX_set_cipher_list(c, DEFECT(OBSOLETE_TLS) ? "ALL:@SECLEVEL=0" : "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
	     choose_cert(x, c, a->key);
	if (ok) {
		SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
		SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	} else {
		SSL_CTX_free(c);
		c = NULL;
	}
	X509_free(x);
	BIO_free(b);
	return c;
}

int server_listen(const struct agent *a, struct why *w)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)a->conf.port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || inet_pton(AF_INET, a->conf.listen, &at.sin_addr) != 1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
	    bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, 64)) {
		why_say(w, CTM_SDK_STATE, "cannot listen on %s port %d: %s", a->conf.listen, a->conf.port, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static void conn_free(struct conn *c)
{
	if (c->body)
		ctm_sdk_wipe(c->body, c->bodylen);
	if (c->out)
		ctm_sdk_wipe(c->out, c->outlen);
	free(c->body);
	free(c->out);
	SSL_free(c->ssl);
	if (c->fd >= 0)
		close(c->fd);
	ctm_sdk_wipe(c, sizeof *c);
	c->fd = -1;
}

/* 0 done with the call (n bytes), 1 wait, -1 gone. */
static int tls_result(struct conn *c, int n)
{
	if (n > 0)
		return 0;
	switch (SSL_get_error(c->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		c->want = POLLIN;
		return 1;
	case SSL_ERROR_WANT_WRITE:
		c->want = POLLOUT;
		return 1;
	default:
		return -1;
	}
}

/* The answer's head and body in one buffer, and the connection into SEND. */
static void answer(struct conn *c, struct reply *r)
{
	char head[512], retry[48] = "", type[64] = "";
	int n;

	if (r->close)
		c->keep = false;
	if (r->retry_after_s)
		snprintf(retry, sizeof retry, "Retry-After: %d\r\n", r->retry_after_s);
	if (r->body)
		snprintf(type, sizeof type, "Content-Type: application/json\r\n");
	n = snprintf(head, sizeof head,
		     "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n%s%sCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: %s\r\n\r\n",
		     r->status, http_reason(r->status), r->body ? r->n : 0, type, retry, c->keep ? "keep-alive" : "close");
	if (r->status == 204)   /* RFC 9110 8.6: no length without content */
		n = snprintf(head, sizeof head, "HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\nConnection: %s\r\n\r\n", c->keep ? "keep-alive" : "close");
	c->outlen = (size_t)n + (r->body ? r->n : 0);
	c->out = malloc(c->outlen);
	c->outat = 0;
	if (c->out) {
		memcpy(c->out, head, (size_t)n);
		if (r->body)
			memcpy(c->out + n, r->body, r->n);
	} else {
		c->outlen = 0;
		c->keep = false;
	}
	free(r->body);
	c->state = SEND;
	c->want = POLLOUT;
	c->deadline = mono_ms(NULL) + SEND_MS;
}

static void refuse(struct conn *c, int status)
{
	struct reply r = { .close = true };

	api_error(&r, status, "SYNTAX", NULL, http_reason(status));
	answer(c, &r);
}

static void bearer(struct request *q)
{
	size_t n = 0;

	q->has_token = q->head.bearer[0] && ctm_b64u_decode(q->head.bearer, strlen(q->head.bearer), q->token, sizeof q->token, &n) == 0 &&
		       n == sizeof q->token;
	ctm_sdk_wipe(q->head.bearer, sizeof q->head.bearer);
}

/* A whole head is there: decide about the body before a byte of it is kept. */
static int take_head(struct server *s, struct conn *c)
{
	struct reply r = { 0 };
	size_t used = 0, max, have;
	int rc = http_parse_request(c->in, c->inlen, &c->req.head, &used);

	if (rc == 1)
		return 1;
	if (rc) {
		refuse(c, rc);
		return 0;
	}
	c->inlen -= used;       /* taken, whatever becomes of it: what follows is a body or the next head */
	memmove(c->in, c->in + used, c->inlen);
	c->req.peer = c->peer;
	bearer(&c->req);
	c->keep = c->req.head.keep_alive;
	pthread_mutex_lock(&s->a->lock);
	max = api_body_max(s->a, &c->req, &r);
	pthread_mutex_unlock(&s->a->lock);
	if (r.status || (uint64_t)c->req.head.length > max) {
		if (!r.status)
			api_error(&r, 413, "TOOBIG", NULL, "The body is larger than this address takes; nothing was changed.");
		r.close = c->req.head.length > 0;
		answer(c, &r);
		return 0;
	}
	c->body = malloc((size_t)c->req.head.length + 1);
	if (!c->body) {
		refuse(c, 503);
		return 0;
	}
	have = c->inlen < (size_t)c->req.head.length ? c->inlen : (size_t)c->req.head.length;
	memcpy(c->body, c->in, have);
	c->bodylen = have;
	c->inlen -= have;
	memmove(c->in, c->in + have, c->inlen);
	c->state = BODY;
	c->deadline = mono_ms(NULL) + BODY_MS;
	if (c->req.head.expects && have < (size_t)c->req.head.length) {
		static const char go[] = "HTTP/1.1 100 Continue\r\n\r\n";

		if (SSL_write(c->ssl, go, sizeof go - 1) != sizeof go - 1)
			return -1;
	}
	return 0;
}

static int step_head(struct server *s, struct conn *c)
{
	int rc, n;

	if (c->inlen) {
		rc = take_head(s, c);
		if (rc <= 0)
			return rc;
	}
	n = SSL_read(c->ssl, c->in + c->inlen, (int)(sizeof c->in - c->inlen));
	if ((rc = tls_result(c, n)))
		return rc;
	if (!c->inlen)
		c->deadline = mono_ms(NULL) + HEAD_MS;
	c->inlen += (size_t)n;
	return 0;
}

static int step_body(struct server *s, struct conn *c)
{
	size_t length = (size_t)c->req.head.length;
	struct reply r = { 0 };
	int n, rc;

	if (c->bodylen < length) {
		size_t left = length - c->bodylen;

		n = SSL_read(c->ssl, c->body + c->bodylen, left > 65536 ? 65536 : (int)left);
		if ((rc = tls_result(c, n)))
			return rc;
		c->bodylen += (size_t)n;
		return 0;
	}
	c->body[length] = 0;
	c->req.body = c->body;
	c->req.n = length;
	pthread_mutex_lock(&s->a->lock);
	api_handle(s->a, &c->req, &r);
	pthread_mutex_unlock(&s->a->lock);
	ctm_sdk_wipe(c->body, c->bodylen);
	free(c->body);
	c->body = NULL;
	c->bodylen = 0;
	ctm_sdk_wipe(&c->req, sizeof c->req);
	answer(c, &r);
	return 0;
}

static int step_send(struct conn *c)
{
	int rc, n;

	if (c->outat < c->outlen) {
		size_t left = c->outlen - c->outat;

		n = SSL_write(c->ssl, c->out + c->outat, left > 65536 ? 65536 : (int)left);
		if ((rc = tls_result(c, n)))
			return rc;
		c->outat += (size_t)n;
		return 0;
	}
	if (c->out)
		ctm_sdk_wipe(c->out, c->outlen);
	free(c->out);
	c->out = NULL;
	c->outlen = c->outat = 0;
	c->want = POLLIN;
	if (c->keep) {
		c->state = HEAD;
		c->deadline = mono_ms(NULL) + (c->inlen ? HEAD_MS : IDLE_MS);
		return 0;
	}
	SSL_shutdown(c->ssl);
	shutdown(c->fd, SHUT_WR);
	c->state = LINGER;
	c->deadline = mono_ms(NULL) + LINGER_MS;
	return 0;
}

static int step_linger(struct conn *c)
{
	char sink[4096];
	ssize_t n = recv(c->fd, sink, sizeof sink, 0);

	return n > 0 ? 0 : n < 0 && (errno == EAGAIN || errno == EINTR) ? 1 : -1;
}

/* One step: 0 go on at once, 1 wait for c->want, -1 gone. */
static int step(struct server *s, struct conn *c)
{
	int rc;

	switch (c->state) {
	case HANDSHAKE:
		rc = tls_result(c, SSL_accept(c->ssl));
		if (!rc) {
			c->state = HEAD;
			c->deadline = mono_ms(NULL) + IDLE_MS;
		}
		return rc;
	case HEAD: return step_head(s, c);
	case BODY: return step_body(s, c);
	case SEND: return step_send(c);
	case LINGER: return step_linger(c);
	default: return -1;
	}
}

/* A free place; else that of a connection that has nothing under way. */
static struct conn *place(struct server *s)
{
	struct conn *idle = NULL;

	for (int i = 0; i < CONNS; i++) {
		struct conn *c = &s->conn[i];

		if (c->state == FREE)
			return c;
		if ((c->state == LINGER || (c->state == HEAD && !c->inlen)) && (!idle || c->deadline < idle->deadline))
			idle = c;
	}
	if (idle)
		conn_free(idle);
	return idle;
}

static void accept_one(struct server *s, int listener)
{
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	int fd = accept4(listener, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
	struct conn *c;

	if (fd < 0)
		return;
	c = place(s);
	if (!c) {
		close(fd);
		return;
	}
	c->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	inet_ntop(AF_INET, &from.sin_addr, c->peer, sizeof c->peer);
	c->ssl = SSL_new(s->tls);
	if (!c->ssl || SSL_set_fd(c->ssl, fd) != 1) {
		conn_free(c);
		return;
	}
	c->state = HANDSHAKE;
	c->want = POLLIN;
	c->deadline = mono_ms(NULL) + HANDSHAKE_MS;
}

static void serve_conn(struct server *s, struct conn *c, short events)
{
	int rc = 0, turns = 0;

	if (events)
		while ((rc = step(s, c)) == 0 && ++turns < 512)
			;
	if (rc < 0 || mono_ms(NULL) > c->deadline)
		conn_free(c);
}

/* The certificate has changed: new handshakes show the new one. */
static void renew_tls(struct server *s)
{
	uint64_t ignored;
	SSL_CTX *tls;

	if (read(s->a->wake, &ignored, sizeof ignored) != sizeof ignored)
		return;
	pthread_mutex_lock(&s->a->lock);
	tls = make_tls(s->a);
	pthread_mutex_unlock(&s->a->lock);
	if (tls) {
		SSL_CTX_free(s->tls);
		s->tls = tls;
	}
}

static bool answers_in_flight(const struct server *s)
{
	for (int i = 0; i < CONNS; i++)
		if (s->conn[i].state == SEND)
			return true;
	return false;
}

static void turn(struct server *s, int listener)
{
	struct pollfd p[2 + CONNS] = { { .fd = listener, .events = POLLIN }, { .fd = s->a->wake, .events = POLLIN } };
	int n;

	for (int i = 0; i < CONNS; i++) {
		p[2 + i].fd = s->conn[i].state == FREE ? -1 : s->conn[i].fd;
		p[2 + i].events = s->conn[i].want;
	}
	n = poll(p, 2 + CONNS, 250);
	for (int i = 0; i < CONNS; i++)
		if (s->conn[i].state != FREE)
			serve_conn(s, &s->conn[i], n > 0 ? p[2 + i].revents : 0);
	if (n > 0 && p[1].revents)
		renew_tls(s);
	if (n > 0 && p[0].revents)
		accept_one(s, listener);
}

int server_run(struct agent *a, int listener, volatile sig_atomic_t *stop, struct why *w)
{
	struct server s = { .a = a };
	int64_t reboot_at = 0;

	for (int i = 0; i < CONNS; i++)
		s.conn[i].fd = -1;
	s.tls = make_tls(a);
	if (!s.tls)
		return why_say(w, CTM_SDK_FAIL, "TLS cannot be set up with the device key and certificate");
	while (!*stop) {
		turn(&s, listener);
		if (a->reboot && !reboot_at)
			reboot_at = mono_ms(NULL) + DRAIN_MS;
		if (reboot_at && (!answers_in_flight(&s) || mono_ms(NULL) > reboot_at))
			break;
	}
	for (int i = 0; i < CONNS; i++)
		if (s.conn[i].state != FREE)
			conn_free(&s.conn[i]);
	SSL_CTX_free(s.tls);
	return *stop ? 0 : 1;
}
