/* SPDX-License-Identifier: Apache-2.0
 *
 * The scanner. See scan.h. Slots hold attempts in flight; a slot is free when its fd is -1. Every pass goes over the ports that
 * are still to do; ports without an answer go to the second pass.
 */
#include "lab/scan.h"
#include "base/file.h"
#include "base/timex.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOTS_MAX 512

struct slot { int fd; int port; int64_t until_us; };

struct pass {
	struct ctm_scan *s;
	int ep;
	struct slot slot[SLOTS_MAX];
	int nslots, busy;
	uint8_t *silent;             /* per port: no answer in this pass */
};

static struct sockaddr_in peer(struct in_addr a, int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = a, .sin_port = htons((uint16_t)port) };
}

static bool with_itself(int fd)
{
	struct sockaddr_in a, b;
	socklen_t n = sizeof a, m = sizeof b;

	return getsockname(fd, (struct sockaddr *)&a, &n) == 0 && getpeername(fd, (struct sockaddr *)&b, &m) == 0 &&
		a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
}

static int outcome(struct pass *p, int fd, int port, int e, struct ctm_err *err)
{
	struct ctm_scan *s = p->s;

	if (e == 0 && !with_itself(fd)) {
		if (s->nopen >= CTM_SCAN_OPEN_MAX)
			return ctm_fail(err, CTM_E_TOOBIG, "ports", NULL, "more than %d open ports: the address answers for everything, so a scan tells nothing", CTM_SCAN_OPEN_MAX);
		s->open[s->nopen++] = (uint16_t)port;
	} else if (e == 0 || e == ECONNREFUSED || e == ECONNRESET) {
		s->refused++;
	} else if (e == ETIMEDOUT) {
		p->silent[port] = 1;
	} else if (e == EHOSTUNREACH || e == ENETUNREACH) {
		s->unreachable++;
	} else {
		s->other++;
	}
	return 0;
}

/* Abort instead of closing politely: no TIME_WAIT is left behind. */
static void drop(int fd)
{
	struct linger l = { .l_onoff = 1, .l_linger = 0 };
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
	close(fd);
}

static int start(struct pass *p, struct slot *slot, int port, struct ctm_err *err)
{
	struct sockaddr_in to = peer(p->s->address, port);
	struct epoll_event ev = { .events = EPOLLOUT, .data.ptr = slot };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc, e;

	if (fd < 0)
		return ctm_fail(err, CTM_E_IO, "ports", NULL, "no socket for the scan: %s", strerror(errno));
	e = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
	if (e != EINPROGRESS) {
		rc = outcome(p, fd, port, e, err);
		if (e == 0)
			drop(fd);
		else
			close(fd);
		return rc;
	}
	if (epoll_ctl(p->ep, EPOLL_CTL_ADD, fd, &ev)) {
		close(fd);
		return ctm_fail(err, CTM_E_IO, "ports", NULL, "the scan cannot wait for a socket: %s", strerror(errno));
	}
	*slot = (struct slot){ .fd = fd, .port = port, .until_us = ctm_mono_us() + p->s->timeout_ms * 1000LL };
	p->busy++;
	return 0;
}

static int finish(struct pass *p, struct slot *slot, int e, struct ctm_err *err)
{
	int rc = outcome(p, slot->fd, slot->port, e, err);

	if (e == 0)
		drop(slot->fd);
	else
		close(slot->fd);
	slot->fd = -1;
	p->busy--;
	return rc;
}

static int collect(struct pass *p, int wait_ms, struct ctm_err *err)
{
	struct epoll_event ev[64];
	int n = epoll_wait(p->ep, ev, 64, wait_ms), rc = 0;
	int64_t now = ctm_mono_us();

	for (int i = 0; i < n && !rc; i++) {
		struct slot *slot = ev[i].data.ptr;
		int e = 0;
		socklen_t len = sizeof e;
		getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, &e, &len);
		rc = finish(p, slot, e, err);
	}
	for (int i = 0; n <= 0 && i < p->nslots && !rc; i++)
		if (p->slot[i].fd >= 0 && p->slot[i].until_us <= now)
			rc = finish(p, &p->slot[i], ETIMEDOUT, err);
	return rc;
}

static int run_pass(struct pass *p, const uint8_t *todo, struct ctm_err *err)
{
	int rc = 0, port = p->s->first, next = 0;

	while (!rc && (port <= p->s->last || p->busy)) {
		while (!rc && port <= p->s->last && p->busy < p->nslots) {
			if (todo[port]) {
				while (p->slot[next].fd >= 0)
					next = (next + 1) % p->nslots;
				rc = start(p, &p->slot[next], port, err);
			}
			port++;
		}
		if (!rc && p->busy)
			rc = collect(p, 20, err);
	}
	for (int i = 0; i < p->nslots; i++)
		if (p->slot[i].fd >= 0)
			close(p->slot[i].fd);
	return rc;
}

static int by_port(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

int ctm_scan_run(struct ctm_scan *s, struct ctm_err *err)
{
	uint8_t *todo = calloc(2, 65536);
	struct pass *p = calloc(1, sizeof *p);
	int64_t t0 = ctm_mono_us();
	int rc = 0;

	if (!todo || !p) {
		free(todo);
		free(p);
		return ctm_fail(err, CTM_E_NOMEM, "ports", NULL, "no memory for the scan");
	}
	p->s = s;
	p->silent = todo + 65536;
	p->nslots = s->in_flight > 0 && s->in_flight <= SLOTS_MAX ? s->in_flight : 256;
	memset(todo + s->first, 1, (size_t)(s->last - s->first) + 1);
	s->nopen = s->refused = s->silent = s->unreachable = s->other = 0;
	for (int pass = 0; pass < 2 && !rc; pass++) {
		for (int i = 0; i < p->nslots; i++)
			p->slot[i].fd = -1;
		p->busy = 0;
		if ((p->ep = epoll_create1(EPOLL_CLOEXEC)) < 0) {
			rc = ctm_fail(err, CTM_E_IO, "ports", NULL, "the scan cannot start: %s", strerror(errno));
			break;
		}
		rc = run_pass(p, todo, err);
		close(p->ep);
		memcpy(todo, p->silent, 65536);
		memset(p->silent, 0, 65536);
	}
	for (int i = 0; i < 65536; i++)
		s->silent += todo[i];
	qsort(s->open, (size_t)s->nopen, sizeof s->open[0], by_port);
	s->ms = (ctm_mono_us() - t0) / 1000;
	free(todo);
	free(p);
	return rc;
}

void ctm_connect(struct in_addr address, int port, int timeout_ms, int *fd, int *why)
{
	struct sockaddr_in to = peer(address, port);
	struct pollfd pf = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .events = POLLOUT };
	socklen_t n = sizeof(int);
	int e = 0;

	*fd = -1;
	if (pf.fd < 0) {
		*why = errno;
		return;
	}
	if (connect(pf.fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
		e = errno;
	else if (poll(&pf, 1, timeout_ms) <= 0)
		e = ETIMEDOUT;
	else
		getsockopt(pf.fd, SOL_SOCKET, SO_ERROR, &e, &n);
	if (!e && with_itself(pf.fd))
		e = ECONNREFUSED;
	if (e) {
		close(pf.fd);
		*why = e;
		return;
	}
	fcntl(pf.fd, F_SETFL, fcntl(pf.fd, F_GETFL) & ~O_NONBLOCK);
	*fd = pf.fd;
}
