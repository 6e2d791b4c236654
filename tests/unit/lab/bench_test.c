/* SPDX-License-Identifier: Apache-2.0
 *
 * Safety of the bench: packets go to addresses of the plan and nowhere else (lab reference 2, 7.10). And the scanner: it finds
 * what is open, tells refused from silent, and cannot be fooled into seeing its own end.
 */
#include "kit.h"
#include "lab/bench.h"
#include "lab/probe.h"
#include "lab/run.h"
#include "lab/scan.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

static void targets(void **state)
{
	static const struct { const char *list, *address; int want; } rows[] = {
		{ "[\"127.0.0.0/8\"]", "127.0.0.1", 0 }, { "[\"127.0.0.0/8\"]", "127.255.255.255", 0 }, { "[\"127.0.0.0/8\"]", "128.0.0.1", CTM_E_GUARD },
		{ "[\"127.0.0.0/8\"]", "126.255.255.255", CTM_E_GUARD }, { "[\"192.0.2.7\"]", "192.0.2.7", 0 }, { "[\"192.0.2.7\"]", "192.0.2.8", CTM_E_GUARD },
		{ "[\"192.0.2.0/31\"]", "192.0.2.1", 0 }, { "[\"192.0.2.0/31\"]", "192.0.2.2", CTM_E_GUARD }, { "[]", "127.0.0.1", CTM_E_GUARD },
		{ "[\"0.0.0.0/0\"]", "8.8.8.8", CTM_E_GUARD }, { "[\"rubbish\",\"1.2.3.4/99\",\"/8\"]", "1.2.3.4", CTM_E_GUARD }, { "[\"127.0.0.0/8\"]", "127.1", CTM_E_INPUT },
		{ "[\"127.0.0.0/8\"]", "localhost", CTM_E_INPUT }, { "[\"127.0.0.0/8\"]", "", CTM_E_INPUT }, { "[\"127.0.0.0/8\"]", "127.0.0.1\n", CTM_E_INPUT }, { "\"127.0.0.0/8\"", "127.0.0.1", CTM_E_GUARD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		CTM_AUTO_JSON *plan = ctm_json_obj();
		struct in_addr a;
		ctm_json_set(plan, "targets", kit_json(rows[i].list));
		if (ctm_target_allowed(plan, rows[i].address, &a, NULL) != rows[i].want)
			fail_msg("row %zu: %s in %s", i, rows[i].address, rows[i].list);
	}
}

/* The engine itself refuses, whatever the bench says; and each probe's own gate holds when the engine's is gone round. */
static void engine_refuses(void **state)
{
	struct kit *k = kit_new(NULL, NULL);
	struct ctm_bench bench = { .address = "192.0.2.7", .port = 443, .serial = "S", .model = "M", .operator_name = "o", .bench_id = "b" };
	struct ctm_run_ask ask = { .catalogue = k->cat, .plan = k->plan, .declaration = k->declaration, .records = k->records, .bench = &bench };
	static const char *const probes[] = { "port_scan", "legacy_shell", "clear_http", "declared_answer", "tls_versions", "tls_suites", "tls_certificate", "default_arrival", "lockout",
		"open_write", "reset", "reset_open", "identity", "proof", "log_access", "log_events", "version_match" };
	struct ctm_trace *t = NULL;
	struct ctm_err err = { 0 };

	(void)state;
	for (int i = 0; i < CTM_D_COUNT; i++)
		bench.consent[i] = true;
	assert_int_equal(ctm_run(&ask, &t, &err), CTM_E_GUARD);
	assert_null(t);
	for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
		struct ctm_run r = { .catalogue = k->cat, .plan = k->plan, .declaration = k->declaration, .bench = &bench, .trace = k->trace, .check = &k->cat->checks[0], .component = "cam" };
		err = (struct ctm_err){ 0 };
		assert_int_equal(ctm_probe_find(probes[i])(&r, &err), CTM_E_GUARD);
		ctm_json_free(r.ports);
	}
	kit_free(k);
}

static int listener(const char *address, int *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, address, &a.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 4), 0);
	getsockname(fd, (struct sockaddr *)&a, &n);
	*port = ntohs(a.sin_port);
	return fd;
}

static void scan(void **state)
{
	static struct ctm_scan s;
	int p1, p2, a = listener("127.99.3.7", &p1), b = listener("127.99.3.7", &p2), other, c = listener("127.99.3.8", &other);
	bool saw1 = false, saw2 = false, sawc = false;

	(void)state;
	s = (struct ctm_scan){ .first = 1024, .last = 65535, .in_flight = 64, .timeout_ms = 500 };
	inet_pton(AF_INET, "127.99.3.7", &s.address);
	assert_int_equal(ctm_scan_run(&s, NULL), 0);
	for (int i = 0; i < s.nopen; i++) {
		saw1 = saw1 || s.open[i] == p1;
		saw2 = saw2 || s.open[i] == p2;
		sawc = sawc || (s.open[i] == other && other != p1 && other != p2);
		assert_true(i == 0 || s.open[i] > s.open[i - 1]);
	}
	assert_true(saw1 && saw2 && !sawc);
	assert_int_equal(s.nopen + s.refused + s.silent + s.unreachable + s.other, 65535 - 1024 + 1);
	close(a);
	close(b);
	close(c);
}

/* A full backlog answers nothing: silent, not refused. */
static void silent_is_not_closed(void **state)
{
	static struct ctm_scan s;
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0), filler[8];

	(void)state;
	inet_pton(AF_INET, "127.99.3.9", &a.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&a, &n);
	for (int i = 0; i < 8; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)!connect(filler[i], (struct sockaddr *)&a, sizeof a);
	}
	s = (struct ctm_scan){ .address = a.sin_addr, .first = ntohs(a.sin_port), .last = ntohs(a.sin_port), .in_flight = 4, .timeout_ms = 150 };
	assert_int_equal(ctm_scan_run(&s, NULL), 0);
	assert_int_equal(s.nopen, 0);
	assert_int_equal(s.refused, 0);
	assert_int_equal(s.silent, 1);
	for (int i = 0; i < 8; i++)
		close(filler[i]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(targets), cmocka_unit_test(engine_refuses), cmocka_unit_test(scan), cmocka_unit_test(silent_is_not_closed) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
