/* SPDX-License-Identifier: Apache-2.0
 *
 * The line: a tty (115200 8N1, raw) or a unix socket, opened again whenever it is gone. The state of the link lives on meanwhile, so
 * what was cut off goes on.
 */
#include "gateway.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_MS 200

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int open_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof a.sun_path) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	memcpy(a.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&a, sizeof a)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_tty(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;

	if (fd < 0)
		return -1;
	if (tcgetattr(fd, &t) == 0) {
		cfmakeraw(&t);
		cfsetspeed(&t, B115200);
		t.c_cflag |= CLOCAL | CREAD;
		(void)tcsetattr(fd, TCSANOW, &t);
	}
	return fd;
}

void line_begin(struct gateway *g)
{
	struct stat st;

	if (g->fd >= 0)
		return;
	if (stat(g->conf.line, &st) == 0)
		g->fd = S_ISSOCK(st.st_mode) ? open_socket(g->conf.line) : open_tty(g->conf.line);
	g->frame_at = 0;
	if (g->fd >= 0)
		fcntl(g->fd, F_SETFL, O_NONBLOCK);
	else
		poll(NULL, 0, AGAIN_MS);
}

static void gone(struct gateway *g)
{
	close(g->fd);
	g->fd = -1;
}

static void receive(struct gateway *g)
{
	uint8_t b[512];
	ssize_t n = read(g->fd, b, sizeof b);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		gone(g);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		size_t k = ctm_link_unstuff(g->frame, sizeof g->frame, &g->frame_at, b[i]);

		if (k)
			(void)ctm_link_take(&g->link, g->frame, k);     /* a broken frame is the link's daily bread */
	}
}

static bool put(struct gateway *g, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t k = write(g->fd, p, n);

		if (k > 0) {
			p += k;
			n -= (size_t)k;
		} else if (errno == EAGAIN) {
			struct pollfd f = { .fd = g->fd, .events = POLLOUT };

			if (poll(&f, 1, 1000) <= 0)
				return true;            /* stuck: what is lost here is sent again */
		} else if (errno != EINTR) {
			return false;
		}
	}
	return true;
}

void line_step(struct gateway *g, int ms)
{
	uint8_t frame[GW_MTU], line[GW_MTU + 4];
	struct pollfd f = { .fd = g->fd, .events = POLLIN };
	size_t n;

	if (poll(&f, 1, ms) > 0)
		receive(g);
	while (g->fd >= 0 && (n = ctm_link_poll(&g->link, now_ms(), frame)))
		if (!put(g, line, ctm_link_stuff(frame, n, line)))
			gone(g);
}
