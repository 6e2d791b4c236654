/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_load: one kind of request, again and again, on kept TLS connections, each of which may show a client certificate of
 * its own. One thread, one exchange at a time on each connection (nothing is pipelined), so what is measured is the other side.
 *
 *   bench_load --connect ADDRESS:PORT --ca FILE [--name HOST] [--units DIR] [--connections N] [--seconds S]
 *              [--method M] [--path P] [--body TEXT] [--number N]
 *
 * --units: DIR holds 0.pem, 1.pem, ... (certificate and key in one file), one for each connection. Every '@' of --body becomes
 * a number that grows with each request of a connection, from --number on. The handshakes are done before the clock starts;
 * "ready" on standard error says so.
 *
 * Answers one line of JSON: {connections, seconds, requests, rate, p50_ms, p99_ms, max_ms, other, cpu_s}. `requests` counts answers
 * of status 200, `other` all the rest; cpu_s is what this program itself took of the processors while the clock ran.
 * A lost connection, or an answer that is no HTTP/1.1 with Content-Length, ends the program with 3.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (256 * 1024)
#define REQUEST_MAX 16384
#define TIMES_MAX (8 * 1024 * 1024)

struct options {
	const char *ca, *name, *units, *method, *path, *body;
	struct sockaddr_in to;
	long connections, seconds;
	uint64_t number;
};

struct link {
	int fd;
	SSL *ssl;
	uint64_t number;
	int64_t sent_us;
	size_t have, want;             /* of the answer; want 0: its head is not complete yet */
	char in[ANSWER_MAX];
};

struct tally { uint32_t *us; uint64_t times, good, other; };

static void die(const char *what, const char *why)
{
	fprintf(stderr, "bench_load: %s: %s\n", what, why);
	exit(3);
}

static void die_tls(const char *what)
{
	char why[200];
	unsigned long e = ERR_get_error();
	ERR_error_string_n(e, why, sizeof why);
	die(what, e ? why : errno ? strerror(errno) : "the connection was closed");
}

static int64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static double cpu_s(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* ---- one connection ---- */

static size_t request(const struct options *o, uint64_t number, char out[REQUEST_MAX])
{
	char body[REQUEST_MAX / 2];
	size_t n = 0;
	for (const char *p = o->body ? o->body : ""; *p && n + 24 < sizeof body; p++) {
		if (*p == '@')
			n += (size_t)snprintf(body + n, sizeof body - n, "%llu", (unsigned long long)number);
		else
			body[n++] = *p;
	}
	body[n] = 0;
	int len = o->body ? snprintf(out, REQUEST_MAX, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", o->method, o->path, o->name, n, body) :
		snprintf(out, REQUEST_MAX, "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", o->method, o->path, o->name);
	if (len < 0 || len >= REQUEST_MAX)
		die("request", "too long");
	return (size_t)len;
}

static void ask(const struct options *o, struct link *l)
{
	char out[REQUEST_MAX];
	size_t n = request(o, l->number++, out);
	l->have = l->want = 0;
	l->sent_us = now_us();
	if (SSL_write(l->ssl, out, (int)n) != (int)n)      /* a request is far smaller than an empty socket buffer */
		die_tls("request");
}

/* Length of the whole answer once its head is there; 0 before. */
static size_t whole(const struct link *l)
{
	const char *end = memmem(l->in, l->have, "\r\n\r\n", 4);
	const char *length = end ? strcasestr(l->in, "\r\nContent-Length:") : NULL;
	if (!end)
		return 0;
	if (strncmp(l->in, "HTTP/1.1 ", 9) || !length || length > end)
		die("answer", "no HTTP/1.1 with a Content-Length");
	size_t n = (size_t)(end + 4 - l->in) + strtoul(length + 17, NULL, 10);
	if (n >= ANSWER_MAX)
		die("answer", "too long");
	return n;
}

/* What came. True when the answer is complete. */
static bool hear(struct link *l, struct tally *t)
{
	while (!l->want || l->have < l->want) {
		int n = SSL_read(l->ssl, l->in + l->have, (int)(ANSWER_MAX - 1 - l->have));
		if (n <= 0) {
			if (SSL_get_error(l->ssl, n) != SSL_ERROR_WANT_READ)
				die_tls("answer");
			return false;
		}
		l->have += (size_t)n;
		l->in[l->have] = 0;
		l->want = l->want ? l->want : whole(l);
	}
	if (strncmp(l->in + 9, "200 ", 4))
		t->other++;
	else
		t->good++;
	if (t->other == 1 && strncmp(l->in + 9, "200 ", 4))
		fprintf(stderr, "bench_load: the first answer of another kind: %.*s\n", (int)strcspn(l->in, "\r"), l->in);
	if (t->times < TIMES_MAX)
		t->us[t->times++] = (uint32_t)(now_us() - l->sent_us);
	return true;
}

static SSL_CTX *context(const struct options *o, long i)
{
	char file[4096];
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());
	if (!c || SSL_CTX_load_verify_locations(c, o->ca, NULL) != 1)
		die_tls(o->ca);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(c, 1);
	if (!o->units)
		return c;
	snprintf(file, sizeof file, "%s/%ld.pem", o->units, i);
	if (SSL_CTX_use_certificate_chain_file(c, file) != 1 || SSL_CTX_use_PrivateKey_file(c, file, SSL_FILETYPE_PEM) != 1)
		die_tls(file);
	return c;
}

static void open_link(const struct options *o, long i, struct link *l)
{
	SSL_CTX *c = context(o, i);
	int on = 1;
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0 || connect(l->fd, (const struct sockaddr *)&o->to, sizeof o->to))
		die("connect", strerror(errno));
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	l->ssl = SSL_new(c);
	if (!l->ssl || !SSL_set1_host(l->ssl, o->name) || !SSL_set_tlsext_host_name(l->ssl, o->name) || !SSL_set_fd(l->ssl, l->fd) || SSL_connect(l->ssl) != 1)
		die_tls("handshake");
	SSL_CTX_free(c);
	fcntl(l->fd, F_SETFL, O_NONBLOCK);
	l->number = o->number;
}

/* ---- all of them ---- */

static void drive(const struct options *o, struct link *links, struct tally *t)
{
	struct epoll_event events[256];
	int ep = epoll_create1(EPOLL_CLOEXEC);
	for (long i = 0; i < o->connections; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = &links[i] };
		if (epoll_ctl(ep, EPOLL_CTL_ADD, links[i].fd, &e))
			die("epoll", strerror(errno));
		ask(o, &links[i]);
	}
	int64_t end = now_us() + o->seconds * 1000000;
	for (long waiting = o->connections; waiting;) {
		int n = epoll_wait(ep, events, 256, 10000);
		if (n <= 0)
			die("answer", n ? strerror(errno) : "none for ten seconds");
		bool more = now_us() < end;
		for (int i = 0; i < n; i++) {
			struct link *l = events[i].data.ptr;
			if (!hear(l, t))
				continue;
			if (more)
				ask(o, l);
			else
				waiting--;
		}
	}
	close(ep);
}

static int by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static uint64_t number(const char *option, const char *s)
{
	char *end;
	uint64_t n = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || *end)
		die(option, "a number is wanted");
	return n;
}

static struct options read_options(int argc, char **argv)
{
	static const struct option names[] = { { "connect", 1, 0, 'c' }, { "ca", 1, 0, 'a' }, { "name", 1, 0, 'n' }, { "units", 1, 0, 'u' }, { "connections", 1, 0, 'k' },
		{ "seconds", 1, 0, 's' }, { "method", 1, 0, 'm' }, { "path", 1, 0, 'p' }, { "body", 1, 0, 'b' }, { "number", 1, 0, 'i' }, { 0 } };
	struct options o = { .name = "localhost", .method = "GET", .path = "/", .connections = 1, .seconds = 1, .number = 1 };
	char *colon;
	for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
		switch (c) {
		case 'c':
			if (!(colon = strrchr(optarg, ':')))
				die("--connect", "ADDRESS:PORT");
			*colon = 0;
			o.to.sin_family = AF_INET;
			o.to.sin_port = htons((uint16_t)number("--connect", colon + 1));
			if (inet_pton(AF_INET, optarg, &o.to.sin_addr) != 1)
				die("--connect", "ADDRESS is numeric");
			break;
		case 'a': o.ca = optarg; break;
		case 'n': o.name = optarg; break;
		case 'u': o.units = optarg; break;
		case 'k': o.connections = (long)number("--connections", optarg); break;
		case 's': o.seconds = (long)number("--seconds", optarg); break;
		case 'm': o.method = optarg; break;
		case 'p': o.path = optarg; break;
		case 'b': o.body = optarg; break;
		case 'i': o.number = number("--number", optarg); break;
		default: exit(2);
		}
	}
	if (!o.to.sin_port || !o.ca || o.connections < 1 || o.connections > 4096 || o.seconds < 1)
		die("options", "--connect and --ca are needed, 1 to 4096 connections, 1 second or more");
	return o;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct link *links = calloc((size_t)o.connections, sizeof *links);
	struct tally t = { .us = malloc(TIMES_MAX * sizeof *t.us) };
	if (!links || !t.us)
		die("start", "no memory");
	for (long i = 0; i < o.connections; i++)
		open_link(&o, i, &links[i]);
	fputs("ready\n", stderr);
	double cpu = cpu_s();
	int64_t began = now_us();
	drive(&o, links, &t);
	double seconds = (double)(now_us() - began) / 1e6;
	cpu = cpu_s() - cpu;
	qsort(t.us, t.times, sizeof *t.us, by_size);
	printf("{\"connections\":%ld,\"seconds\":%.3f,\"requests\":%llu,\"rate\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,\"other\":%llu,\"cpu_s\":%.3f}\n", o.connections,
		seconds, (unsigned long long)t.good, (double)t.good / seconds, t.us[t.times / 2] / 1e3, t.us[t.times * 99 / 100] / 1e3, t.us[t.times - 1] / 1e3,
		(unsigned long long)t.other, cpu);
	for (long i = 0; i < o.connections; i++) {
		SSL_free(links[i].ssl);
		close(links[i].fd);
	}
	free(links);
	free(t.us);
	return 0;
}
