/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole requests against the running seam (server, gate, router, input, answer) with the small table of the unit test: on the people's
 * port (p) or the socket behind the edge (e), the first byte says which. Whatever comes, the platform answers in HTTP or
 * hangs up, no answer is a 500, and the next request is answered.
 */
#include "../unit/http/serve_table.h"
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "temp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ctm_app *app;

static void stop(void)
{
	ctm_app_stop(app);
	ctm_app_free(app);
}

static void start(void)
{
	static const char conf[] = "{\"format\":\"ctm.config/1\",\"public_url\":\"http://mark.test:8080\",\"listen\":\"127.0.0.1:0\",\"device_port\":8443,\"origin\":\"x\"}";
	static const struct ctm_routes *const routes[] = { &test_routes };
	static const struct ctm_jobs *const jobs[] = { &test_jobs };
	static const struct ctm_listeners *const listeners[] = { &test_listeners };

	signal(SIGPIPE, SIG_IGN);
	temp_put("ctm.json", conf, sizeof conf - 1);
	struct ctm_app_conf c = { .state_dir = temp_open(), .port = -1, .routes = routes, .nroutes = 1, .jobs = jobs, .njobs = 1, .listeners = listeners,
		.nlisteners = 1, .authorise = test_authorise, .view = test_view, .render = test_render, .msg = test_msg, .head_ms = 500, .idle_s = 1, .quiet = true };
	if (ctm_app_new(&c, &app, NULL) || ctm_app_start(app, NULL) || atexit(stop))
		abort();
}

static int connect_to(bool edge)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)ctm_app_port(app)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(edge ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(u.sun_path, sizeof u.sun_path, "%s/run/device.sock", temp_dir);
	if (fd < 0 || connect(fd, edge ? (struct sockaddr *)&u : (struct sockaddr *)&a, edge ? sizeof u : sizeof a))
		abort();
	return fd;
}

/* First bytes of the answer: until the other side closes, or nothing came for wait_ms, then for a moment. Returns how many. A head that
 * was cut is ended here: nobody learns anything from waiting for the rest. */
static size_t exchange(bool edge, int wait_ms, const void *p, size_t n, char *head, size_t cap)
{
	static char sink[65536];
	int fd = connect_to(edge);
	struct pollfd pf = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t got;

	(void)!send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (!memmem(p, n, "\r\n\r\n", 4))
		(void)!send(fd, "\r\n\r\n", 4, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (poll(&pf, 1, len ? 1 : wait_ms) == 1 && (got = recv(fd, sink, sizeof sink, 0)) > 0)
		for (ssize_t i = 0; i < got && len < cap; i++)
			head[len++] = sink[i];
	close(fd);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char alive[] = "GET /mark.svg HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
	static unsigned count;
	char head[13];

	if (!size || size > 65536)
		return 0;
	if (!app)
		start();
	size_t n = exchange(data[0] == 'e', 10, data + 1, size - 1, head, sizeof head - 1);
	head[n] = 0;
	if (n && (strncmp(head, "HTTP/1.", 7) || !strncmp(head + 9, "500", 3)))
		abort();
	if (++count % 64 == 0 && (exchange(false, 20000, alive, sizeof alive - 1, head, 12) != 12 || strncmp(head + 9, "200", 3)))
		abort();
	return 0;
}
