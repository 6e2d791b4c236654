/* SPDX-License-Identifier: Apache-2.0
 *
 * Client of the signer. One connection per call: calls are rare, and a signer that was restarted is simply found again.
 * Every wait is bounded by one deadline for the whole call.
 */
#include "crypto/signer.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int wait_for(int fd, short events, int64_t deadline_us)
{
	for (;;) {
		struct pollfd p = { fd, events, 0 };
		int64_t left = (deadline_us - ctm_mono_us() + 999) / 1000;
		if (left <= 0)
			return CTM_E_TIMEOUT;
		int n = poll(&p, 1, left > 3600000 ? 3600000 : (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return CTM_E_IO;
	}
}

static int send_all(int fd, const void *p, size_t n, int64_t deadline_us)
{
	const char *b = p;
	while (n > 0) {
		ssize_t w = send(fd, b, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (w > 0) {
			b += w;
			n -= (size_t)w;
			continue;
		}
		if (w < 0 && errno != EINTR && errno != EAGAIN)
			return CTM_E_IO;
		int rc = wait_for(fd, POLLOUT, deadline_us);
		if (rc)
			return rc;
	}
	return 0;
}

static int recv_all(int fd, void *p, size_t n, int64_t deadline_us)
{
	char *b = p;
	while (n > 0) {
		ssize_t r = recv(fd, b, n, MSG_DONTWAIT);
		if (r > 0) {
			b += r;
			n -= (size_t)r;
			continue;
		}
		if (r == 0 || (errno != EINTR && errno != EAGAIN))
			return CTM_E_IO;
		int rc = wait_for(fd, POLLIN, deadline_us);
		if (rc)
			return rc;
	}
	return 0;
}

int ctm_frame_write(int fd, const void *p, size_t n, int64_t deadline_us)
{
	if (n > CTM_FRAME_MAX)
		return CTM_E_TOOBIG;
	uint8_t head[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	int rc = send_all(fd, head, sizeof head, deadline_us);
	return rc ? rc : send_all(fd, p, n, deadline_us);
}

int ctm_frame_read(int fd, struct ctm_buf *out, int64_t deadline_us)
{
	uint8_t head[4];
	char chunk[8192];
	int rc = recv_all(fd, head, sizeof head, deadline_us);
	if (rc)
		return rc;
	size_t n = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	if (n > CTM_FRAME_MAX)
		return CTM_E_TOOBIG;
	while (n > 0) {
		size_t k = n < sizeof chunk ? n : sizeof chunk;
		rc = recv_all(fd, chunk, k, deadline_us);
		if (rc)
			return rc;
		ctm_buf_add(out, chunk, k);
		if (out->failed)
			return out->failed;
		n -= k;
	}
	return 0;
}

static int dial(const char *path, int timeout_ms, struct ctm_err *err)
{
	struct timeval tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };   /* also bounds connect(2) */
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (!ctm_copy(a.sun_path, sizeof a.sun_path, path))
		return ctm_fail(err, CTM_E_IO, "signer", NULL, "the path of the signer's socket is longer than %zu bytes; choose a shorter state directory",
			sizeof a.sun_path - 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv) == 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	int e = errno;
	if (fd >= 0)
		close(fd);
	return ctm_fail(err, CTM_E_IO, "signer", NULL, "the signer does not answer (%s); nothing was signed; start it with ctm signer", strerror(e));
}

static int refusal(const ctm_json *reply, struct ctm_err *err)
{
	const ctm_json *e = ctm_json_get(reply, "error");
	if (!e)
		return 0;
	const char *field = ctm_json_gets(e, "field"), *rule = ctm_json_gets(e, "rule"), *msg = ctm_json_gets(e, "msg");
	int code = ctm_err_code(ctm_json_gets(e, "code"));
	return ctm_fail(err, code ? code : CTM_E_FAIL, field, rule, "%s", msg && *msg ? msg : "the signer refused");
}

int ctm_signer_call(const char *socket_path, const ctm_json *request, int timeout_ms, ctm_json **reply, struct ctm_err *err)
{
	int64_t deadline = ctm_mono_us() + (int64_t)timeout_ms * 1000;
	CTM_AUTO_BUF ask = CTM_BUF(CTM_FRAME_MAX);
	CTM_AUTO_BUF got = CTM_BUF(CTM_FRAME_MAX);
	CTM_AUTO_JSON *answer = NULL;
	int rc = ctm_json_compact(request, &ask);
	if (rc)
		return ctm_fail(err, rc, "signer", NULL, "the request to the signer cannot be written: %s", ctm_err_text(rc));
	CTM_AUTO_FD fd = dial(socket_path, timeout_ms, err);
	if (fd < 0)
		return CTM_E_IO;
	rc = ctm_frame_write(fd, ask.p, ask.len, deadline);
	rc = rc ? rc : ctm_frame_read(fd, &got, deadline);
	if (rc)
		return ctm_fail(err, rc, "signer", NULL, rc == CTM_E_TIMEOUT ? "the signer did not answer within %d ms" : "the signer's answer broke off",
			timeout_ms);
	rc = ctm_json_parse(ctm_buf_cstr(&got), got.len, CTM_FRAME_MAX, "signer", &answer, err);
	rc = rc ? rc : refusal(answer, err);
	if (rc)
		return rc;
	*reply = answer;
	answer = NULL;
	return 0;
}
