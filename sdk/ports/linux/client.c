/* SPDX-License-Identifier: Apache-2.0
 *
 * The only way out: one HTTPS exchange with the maker's service. TLS 1.2 or later, the service's certificate must verify under the
 * pinned CA and name the host; with a device certificate the call is mutually authenticated. HTTP/1.0 requests, so that an
 * answer has a length or ends with the connection. Everything has a deadline; no redirects, no proxies, no name but the declared one.
 */
#include "agent.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL_MS 8000

static SSL_CTX *make_tls(const struct agent_conf *c, EVP_PKEY *key, const char *cert)
{
	SSL_CTX *t = SSL_CTX_new(TLS_client_method());
	BIO *b = cert ? BIO_new_mem_buf(cert, -1) : NULL;
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	bool ok = t && SSL_CTX_set_min_proto_version(t, TLS1_2_VERSION) == 1 && SSL_CTX_load_verify_file(t, c->ca) == 1 &&
		  (!cert || (x && SSL_CTX_use_certificate(t, x) == 1 && SSL_CTX_use_PrivateKey(t, key) == 1));

	if (ok)
		SSL_CTX_set_verify(t, SSL_VERIFY_PEER, NULL);
	X509_free(x);
	BIO_free(b);
	if (!ok) {
		SSL_CTX_free(t);
		return NULL;
	}
	return t;
}

static bool wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int64_t left = deadline - mono_ms(NULL);

	return left > 0 && poll(&p, 1, (int)left) > 0;
}

static int connect_to(const struct sockaddr *at, socklen_t len, int64_t deadline)
{
	int fd = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), e = 0;
	socklen_t n = sizeof e;

	if (fd < 0)
		return -1;
	if (connect(fd, at, len) && (errno != EINPROGRESS || !wait_for(fd, POLLOUT, deadline) ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) || e)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int dial(const struct agent_conf *c, int64_t deadline)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->platform_port) };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	char port[8];
	int fd = -1;

	if (c->connect[0])
		return inet_pton(AF_INET, c->connect, &at.sin_addr) == 1 ? connect_to((struct sockaddr *)&at, sizeof at, deadline) : -1;
	snprintf(port, sizeof port, "%d", c->platform_port);
	if (getaddrinfo(c->host, port, &hints, &list))
		return -1;
	for (struct addrinfo *i = list; i && fd < 0; i = i->ai_next)
		fd = connect_to(i->ai_addr, i->ai_addrlen, deadline);
	freeaddrinfo(list);
	return fd;
}

/* True when the call may be repeated. */
static bool again(SSL *s, int fd, int n, int64_t deadline)
{
	int e = SSL_get_error(s, n);

	return (e == SSL_ERROR_WANT_READ && wait_for(fd, POLLIN, deadline)) || (e == SSL_ERROR_WANT_WRITE && wait_for(fd, POLLOUT, deadline));
}

static int send_all(SSL *s, int fd, const char *p, size_t n, int64_t deadline)
{
	for (size_t at = 0; at < n;) {
		int k = SSL_write(s, p + at, (int)(n - at));

		if (k > 0)
			at += (size_t)k;
		else if (!again(s, fd, k, deadline))
			return -1;
	}
	return 0;
}

/* The whole answer into buf; 0 when it is complete. */
static int receive(SSL *s, int fd, char *buf, size_t cap, struct http_res *res, size_t *head, size_t *total, int64_t deadline)
{
	size_t at = 0;
	int have = 1, k = 0;

	for (;;) {
		if (have && (have = http_parse_response(buf, at, res, head)) < 0)
			return -1;
		if (!have && res->length >= 0 && at - *head >= (size_t)res->length)
			break;
		if (at == cap)
			return -1;
		k = SSL_read(s, buf + at, (int)(cap - at));
		if (k > 0) {
			at += (size_t)k;
		} else if (SSL_get_error(s, k) == SSL_ERROR_ZERO_RETURN) {
			if (have || res->length >= 0)
				return -1;
			break;
		} else if (!again(s, fd, k, deadline)) {
			return -1;
		}
	}
	*total = res->length >= 0 ? *head + (size_t)res->length : at;
	return 0;
}

/* Request line and headers; the length, or -1 when they do not fit. */
static int head_of(const struct agent_conf *c, const struct client_call *call, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s %s HTTP/1.0\r\nHost: %s:%d\r\n", call->method, call->path, c->host, c->platform_port);

	if (n > 0 && (size_t)n < cap && call->basic)
		n += snprintf(out + n, cap - (size_t)n, "Authorization: Basic %s\r\n", call->basic);
	if (n > 0 && (size_t)n < cap && call->type)
		n += snprintf(out + n, cap - (size_t)n, "Content-Type: %s\r\nContent-Length: %zu\r\n", call->type, call->n);
	if (n > 0 && (size_t)n < cap)
		n += snprintf(out + n, cap - (size_t)n, "\r\n");
	return n > 0 && (size_t)n < cap ? n : -1;
}

static int exchange(const struct agent_conf *c, SSL *s, int fd, struct client_call *call, int *status, char *answer, size_t cap, struct why *w)
{
	int64_t deadline = mono_ms(NULL) + CALL_MS;
	char head[1024];
	struct http_res res;
	size_t hn = 0, total = 0;
	int n = head_of(c, call, head, sizeof head), k, rc;

	if (n < 0)
		return why_say(w, CTM_SDK_TOOBIG, "the request to %s does not fit", c->host);
	while ((k = SSL_connect(s)) != 1)
		if (!again(s, fd, k, deadline)) {
			long v = SSL_get_verify_result(s);

			ctm_sdk_wipe(head, sizeof head);
			return why_say(w, CTM_SDK_VERIFY, "no TLS with %s:%d: %s", c->host, c->platform_port,
				       v != X509_V_OK ? X509_verify_cert_error_string(v) : "the handshake failed");
		}
	rc = send_all(s, fd, head, (size_t)n, deadline) || (call->type && send_all(s, fd, call->body, call->n, deadline));
	ctm_sdk_wipe(head, sizeof head);
	if (rc)
		return why_say(w, CTM_SDK_STATE, "%s:%d took no request", c->host, c->platform_port);
	if (receive(s, fd, answer, cap - 1, &res, &hn, &total, deadline))
		return why_say(w, CTM_SDK_SYNTAX, "%s:%d gave no whole answer", c->host, c->platform_port);
	memmove(answer, answer + hn, total - hn);
	answer[total - hn] = 0;
	call->got = total - hn;
	*status = res.status;
	SSL_shutdown(s);
	return 0;
}

int client_exchange(const struct agent_conf *c, struct client_call *call, int *status, char *answer, size_t cap, struct why *w)
{
	SSL_CTX *t = make_tls(c, call->key, call->cert);
	SSL *s = t ? SSL_new(t) : NULL;
	int fd = -1, rc;

	if (!s || SSL_set1_host(s, c->host) != 1 || SSL_set_tlsext_host_name(s, c->host) != 1)
		rc = why_say(w, CTM_SDK_FAIL, "TLS cannot be set up with the pinned CA in %s", c->ca);
	else if ((fd = dial(c, mono_ms(NULL) + CALL_MS)) < 0)
		rc = why_say(w, CTM_SDK_STATE, "%s:%d does not answer", c->connect[0] ? c->connect : c->host, c->platform_port);
	else if (SSL_set_fd(s, fd) != 1)
		rc = why_say(w, CTM_SDK_FAIL, "TLS cannot be set up");
	else
		rc = exchange(c, s, fd, call, status, answer, cap, w);
	SSL_free(s);
	SSL_CTX_free(t);
	if (fd >= 0)
		close(fd);
	ERR_clear_error();
	return rc;
}
