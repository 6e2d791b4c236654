/* SPDX-License-Identifier: Apache-2.0
 *
 * The flawed twin's own part: which defects are on, the checks they switch off, and two listeners that no declaration names.
 * The clear-text listener relays to the real interface, so it has all of it, sign-in included. Built with CTM_DEFECTS only.
 */
#include "agent.h"
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEBUG_PORT 2323
#define CLEAR_PORT 8080
#define TALK_MS 5000

bool defect_on[DEFECTS];

static const char *const names[DEFECTS] = {
#define X(id, name, what) name,
	CTM_DEFECT_LIST(X)
#undef X
};

bool defects_set(const char *list, const char **bad)
{
	while (*list) {
		size_t n = strcspn(list, ","), i = 0;

		while (i < DEFECTS && (strlen(names[i]) != n || memcmp(names[i], list, n) != 0))
			i++;
		if (i == DEFECTS) {
			*bad = list;
			return false;
		}
		defect_on[i] = true;
		list += n + (list[n] == ',');
	}
	return true;
}

void defects_apply(struct agent *a)
{
	a->update.skip.signature = DEFECT(ACCEPT_UNSIGNED);
	a->update.skip.digest = DEFECT(ACCEPT_TAMPERED);
	a->update.skip.order = DEFECT(ACCEPT_OLDER);
	if (DEFECT(NO_LOCKOUT))
		a->cred.attempts = 0;
}

static int socket_at(const struct agent *a, int port, bool listens)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool ok = fd >= 0 && inet_pton(AF_INET, a->conf.listen, &at.sin_addr) == 1;

	if (ok && listens)
		ok = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
		     listen(fd, 16) == 0;
	else if (ok)
		ok = connect(fd, (struct sockaddr *)&at, sizeof at) == 0;
	if (ok)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static void talk(int fd)
{
	static const char prompt[] = "\r\ndebug console\r\n# ";
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char line[256];

	if (send(fd, prompt, sizeof prompt - 1, MSG_NOSIGNAL) < 0)
		return;
	while (poll(&p, 1, TALK_MS) > 0) {
		ssize_t n = recv(fd, line, sizeof line, 0);

		if (n <= 0 || send(fd, "uid=0(root)\r\n# ", 15, MSG_NOSIGNAL) < 0)
			return;
	}
}

static void *console(void *arg)
{
	int s = socket_at(arg, DEBUG_PORT, true), fd;

	while (s >= 0 && (fd = accept4(s, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		talk(fd);
		close(fd);
	}
	return NULL;
}

/* Both ways until either side ends or says nothing for a while. */
static void relay(int clear, SSL *tls)
{
	char buf[16384];

	for (;;) {
		struct pollfd p[2] = { { .fd = clear, .events = POLLIN }, { .fd = SSL_get_fd(tls), .events = POLLIN } };
		ssize_t n;

		if (!SSL_pending(tls) && poll(p, 2, TALK_MS) <= 0)
			return;
		if (p[0].revents) {
			n = recv(clear, buf, sizeof buf, 0);
			if (n <= 0 || SSL_write(tls, buf, (int)n) != n)
				return;
		}
		if (SSL_pending(tls) || p[1].revents) {
			n = SSL_read(tls, buf, sizeof buf);
			if (n <= 0 && SSL_get_error(tls, (int)n) == SSL_ERROR_WANT_READ)
				continue;   /* a session ticket, nothing for the other side */
			if (n <= 0 || send(clear, buf, (size_t)n, MSG_NOSIGNAL) != n)
				return;
		}
	}
}

static void *in_clear(void *arg)
{
	struct agent *a = arg;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int s = socket_at(a, CLEAR_PORT, true), fd;

	if (ctx)
		SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	while (ctx && s >= 0 && (fd = accept4(s, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		SSL *tls = SSL_new(ctx);
		int inner = socket_at(a, a->conf.port, false);

		if (tls && inner >= 0 && SSL_set_fd(tls, inner) == 1 && SSL_connect(tls) == 1)
			relay(fd, tls);
		SSL_free(tls);
		if (inner >= 0)
			close(inner);
		close(fd);
	}
	SSL_CTX_free(ctx);
	return NULL;
}

static void start(struct agent *a, void *(*fn)(void *))
{
	pthread_t t;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	if (pthread_create(&t, NULL, fn, a) == 0)
		pthread_detach(t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void defects_listen(struct agent *a)
{
	if (DEFECT(OPEN_DEBUG_PORT))
		start(a, console);
	if (DEFECT(CLEAR_HTTP))
		start(a, in_clear);
}
