/* SPDX-License-Identifier: Apache-2.0 */
#include "http/listen.h"
#include "base/file.h"
#include "base/text.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int ctm_listen_tcp(const char *host, int port, int *out, int *out_port, struct ctm_err *err)
{
	struct sockaddr_storage ss = { 0 };
	struct sockaddr_in *v4 = (void *)&ss;
	struct sockaddr_in6 *v6 = (void *)&ss;
	socklen_t len;
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		ss.ss_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		len = sizeof *v4;
	} else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		ss.ss_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		len = sizeof *v6;
	} else {
		return ctm_fail(err, CTM_E_INPUT, "listen", NULL, "%s is not a numeric address such as 127.0.0.1", host);
	}
	CTM_AUTO_FD fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
		return ctm_fail(err, CTM_E_IO, "listen", NULL, "no socket: %s", strerror(errno));
	if (bind(fd, (struct sockaddr *)&ss, len) || listen(fd, 256)) {
		if (errno == EADDRINUSE)
			return ctm_fail(err, CTM_E_BUSY, "listen", NULL, "port %d is in use by another program; stop that one or choose another port with --port", port);
		return ctm_fail(err, CTM_E_IO, "listen", NULL, "cannot listen on %s port %d: %s", host, port, strerror(errno));
	}
	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		return ctm_fail(err, CTM_E_IO, "listen", NULL, "getsockname: %s", strerror(errno));
	*out_port = ntohs(ss.ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
	*out = fd;
	fd = -1;
	return 0;
}

/* A socket file nobody answers on is left over from a program that died; one that answers is somebody's. */
static int clear_stale(const struct sockaddr_un *sun, struct ctm_err *err)
{
	struct stat st;
	if (lstat(sun->sun_path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return ctm_fail(err, CTM_E_IO, "listen", NULL, "%s is there and is not a socket; move it away", sun->sun_path);
	CTM_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, (const struct sockaddr *)sun, sizeof *sun))
		return ctm_fail(err, CTM_E_BUSY, "listen", NULL, "another ctm serves this state directory (%s answers); stop it first", sun->sun_path);
	if (unlink(sun->sun_path))
		return ctm_fail(err, CTM_E_IO, "listen", NULL, "%s: %s", sun->sun_path, strerror(errno));
	return 0;
}

int ctm_listen_unix(const char *path, int *out, struct ctm_err *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	if (!ctm_copy(sun.sun_path, sizeof sun.sun_path, path))
		return ctm_fail(err, CTM_E_INPUT, "listen", NULL, "the path %s is too long for a unix socket (107 bytes); use a state directory with a shorter name", path);
	int rc = clear_stale(&sun, err);
	if (rc)
		return rc;
	CTM_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* The mode is set on the descriptor before bind, so there is no moment in which others could connect. */
	if (fd < 0 || fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&sun, sizeof sun) || chmod(sun.sun_path, 0600) || listen(fd, 256))
		return ctm_fail(err, CTM_E_IO, "listen", NULL, "%s: %s", sun.sun_path, strerror(errno));
	*out = fd;
	fd = -1;
	return 0;
}
