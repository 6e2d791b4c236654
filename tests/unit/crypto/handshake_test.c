/* SPDX-License-Identifier: Apache-2.0
 *
 * One TLS handshake for the lab: the library speaks all four versions with itself (the positive control of "not offered",
 * RFC 8996), and a peer that hangs up, answers rubbish or stays silent is told apart.
 */
#include "crypto/handshake.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static void speaks_all(void **state)
{
	(void)state;
	for (int v = 0; v < CTM_TLS_COUNT; v++) {
		bool speaks = false;
		assert_int_equal(ctm_handshake_speaks((enum ctm_tls)v, &speaks, NULL), 0);
		if (!speaks)
			fail_msg("%s is not spoken", ctm_tls_names[v]);
	}
}

/* Handshake against a far end that has already sent `n` bytes and, if told, hung up. */
static struct ctm_handshake against(const void *p, size_t n, bool hang_up)
{
	struct ctm_handshake h = { .min = CTM_TLS12, .max = CTM_TLS13, .timeout_ms = 150, .chain = CTM_BUF(4096) };
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	if (n)
		assert_int_equal(write(fd[1], p, n), (ssize_t)n);
	if (hang_up)
		shutdown(fd[1], SHUT_WR);
	assert_int_equal(ctm_handshake_run(fd[0], &h, NULL), 0);
	close(fd[0]);
	close(fd[1]);
	ctm_buf_free(&h.chain);
	return h;
}

static void ends_are_told_apart(void **state)
{
	static const unsigned char alert[] = { 21, 3, 3, 0, 2, 2, 70 };
	struct ctm_handshake h;

	(void)state;
	h = against(NULL, 0, true);
	assert_int_equal(h.end, CTM_HS_CLOSED);
	h = against(NULL, 0, false);
	assert_int_equal(h.end, CTM_HS_FAILED);
	h = against("HTTP/1.1 400 Bad Request\r\n\r\n", 28, true);
	assert_int_equal(h.end, CTM_HS_CLOSED);
	h = against(alert, sizeof alert, true);
	assert_int_equal(h.end, CTM_HS_REFUSED);
	assert_int_equal(h.alert, 70);
	assert_non_null(strstr(h.detail, "protocol version"));
}

static void bad_list(void **state)
{
	struct ctm_handshake h = { .min = CTM_TLS12, .max = CTM_TLS12, .ciphers = "NO-SUCH-SUITE", .timeout_ms = 100 };

	(void)state;
	assert_int_equal(ctm_handshake_run(-1, &h, NULL), CTM_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(speaks_all), cmocka_unit_test(ends_are_told_apart), cmocka_unit_test(bad_list) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
