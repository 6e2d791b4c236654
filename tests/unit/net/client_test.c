/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP client against a real server (libmicrohttpd), in clear and over TLS with a certificate of our own CA: pinned
 * roots, no redirects, bounded answers, time-outs, problems that become errors.
 */
#include "../base/harness.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/x509.h"
#include "base/file.h"
#include "net/client.h"
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define BIG 100000

static struct { struct MHD_Daemon *plain, *tls; unsigned port, tls_port; char ca[8192], other_ca[8192], key[8192], cert[8192]; } rig;

static enum MHD_Result answer(struct MHD_Connection *c, unsigned status, const char *type, const char *body, size_t n, const char *location)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(n, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	if (type)
		MHD_add_response_header(r, "Content-Type", type);
	if (location)
		MHD_add_response_header(r, "Location", location);
	if (status == 429)
		MHD_add_response_header(r, "Retry-After", "17");
	enum MHD_Result ok = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return ok;
}

static const char *header(struct MHD_Connection *c, const char *name)
{
	const char *v = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
	return v ? v : "-";
}

/* /echo tells what came; the other paths are the cases. */
static enum MHD_Result serve(void *arg, struct MHD_Connection *c, const char *url, const char *method, const char *version,
	const char *data, size_t *n, void **state)
{
	static char body[256];
	static const char problem[] = "{\"detail\":\"no\",\"field\":\"f\",\"rule\":\"R\",\"code\":\"GUARD\"}";
	char text[1000];
	if (!*state) {
		body[0] = 0;
		*state = body;
		return MHD_YES;
	}
	if (*n) {
		snprintf(body, sizeof body, "%.*s", (int)*n, data);
		*n = 0;
		return MHD_YES;
	}
	if (ctm_streq(url, "/problem"))
		return answer(c, 403, "application/problem+json", problem, sizeof problem - 1, NULL);
	if (ctm_streq(url, "/moved"))
		return answer(c, 302, NULL, "", 0, "http://127.0.0.1:1/elsewhere");
	if (ctm_streq(url, "/later"))
		return answer(c, 429, "text/plain", "later", 5, NULL);
	if (ctm_streq(url, "/nothing"))
		return answer(c, 204, NULL, "", 0, NULL);
	if (ctm_streq(url, "/broken"))
		return answer(c, 200, "application/json", "{\"a\":", 5, NULL);
	if (ctm_streq(url, "/big")) {
		char *big = calloc(1, BIG);
		enum MHD_Result r = answer(c, 200, "text/plain", big, BIG, NULL);
		free(big);
		return r;
	}
	int k = snprintf(text, sizeof text, "{\"method\":\"%s\",\"url\":\"%s\",\"type\":\"%s\",\"auth\":\"%s\",\"body\":\"%s\"}", method, url,
		header(c, "Content-Type"), header(c, "Authorization"), body[0] == '{' ? "json" : body);
	return answer(c, 200, "application/json", text, (size_t)k, NULL);
}

static unsigned port_of(struct MHD_Daemon *d) { return MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port; }

static void make_tls(const char *dir)
{
	struct ctm_key *ca, *key, *other;
	char path[200];
	int64_t now = ctm_now_ms();
	CTM_AUTO_BUF b = CTM_BUF(8000);
	CTM_AUTO_BUF csr = CTM_BUF(8000);
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &ca, NULL), 0);
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &key, NULL), 0);
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &other, NULL), 0);
	assert_int_equal(ctm_ca_new(other, "Other", "x", now, 10, &b, NULL), 0);
	ctm_copy(rig.other_ca, sizeof rig.other_ca, ctm_buf_cstr(&b));
	ctm_buf_reset(&b);
	assert_int_equal(ctm_ca_new(ca, "Test", "x", now, 10, &b, NULL), 0);
	ctm_copy(rig.ca, sizeof rig.ca, ctm_buf_cstr(&b));
	ctm_buf_reset(&b);
	assert_int_equal(ctm_csr_new(key, "server", "x", &csr, NULL), 0);
	assert_int_equal(ctm_cert_issue(ca, rig.ca, csr.p, csr.len, CTM_CERT_SERVER, "x", "porch.test", "127.0.0.1", now, 5, &b, NULL), 0);
	ctm_copy(rig.cert, sizeof rig.cert, ctm_buf_cstr(&b));
	snprintf(path, sizeof path, "%s/key.pem", dir);
	assert_int_equal(ctm_key_store(key, path, NULL), 0);
	ctm_buf_reset(&b);
	assert_int_equal(ctm_file_read(path, 8000, &b, NULL), 0);
	ctm_copy(rig.key, sizeof rig.key, ctm_buf_cstr(&b));
	ctm_key_free(ca);
	ctm_key_free(key);
	ctm_key_free(other);
}

static int up(void **state)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (scratch_new(state))
		return -1;
	make_tls(*state);
	rig.plain = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, serve, NULL, MHD_OPTION_SOCK_ADDR, &here, MHD_OPTION_END);
	rig.tls = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, serve, NULL, MHD_OPTION_SOCK_ADDR, &here,
		MHD_OPTION_HTTPS_MEM_KEY, rig.key, MHD_OPTION_HTTPS_MEM_CERT, rig.cert, MHD_OPTION_END);
	if (!rig.plain || !rig.tls)
		return -1;
	rig.port = port_of(rig.plain);
	rig.tls_port = port_of(rig.tls);
	return 0;
}

static int down(void **state)
{
	MHD_stop_daemon(rig.plain);
	MHD_stop_daemon(rig.tls);
	return scratch_gone(state);
}

static struct ctm_http *client(struct ctm_http_conf f, unsigned port, const char *scheme, const char *host)
{
	char base[200];
	struct ctm_http *h = NULL;
	struct ctm_err e = { 0 };
	snprintf(base, sizeof base, "%s://%s:%u/", scheme, host, port);
	f.base = base;
	f.timeout_ms = f.timeout_ms ? f.timeout_ms : 5000;
	if (ctm_http_new(&f, &h, &e))
		fail_msg("%s", e.msg);
	return h;
}

static void methods_bodies_and_tokens_arrive(void **state)
{
	struct ctm_http *h = client((struct ctm_http_conf){ .bearer = "tok-1" }, rig.port, "http", "127.0.0.1");
	static const struct { const char *method; bool body; } rows[] = { { "GET", false }, { "POST", true }, { "PUT", true }, { "DELETE", false },
		{ "POST", false }, { "DELETE", true }, { "GET", false } };
	CTM_AUTO_JSON *in = ctm_json_obj();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CTM_AUTO_JSON *out = NULL;
		struct ctm_err e = { 0 };
		if (ctm_http_json(h, rows[i].method, "/echo/a%20b", rows[i].body ? in : NULL, &out, &e))
			fail_msg("%s %s", rows[i].method, e.msg);
		assert_string_equal(ctm_json_gets(out, "method"), rows[i].method);
		assert_string_equal(ctm_json_gets(out, "auth"), "Bearer tok-1");
		assert_string_equal(ctm_json_gets(out, "type"), rows[i].body ? "application/json" : "-");
		assert_string_equal(ctm_json_gets(out, "body"), rows[i].body ? "json" : "");
	}
	CTM_AUTO_JSON *out = NULL;
	ctm_http_bearer(h, NULL);
	assert_int_equal(ctm_http_json(h, "GET", "/echo", NULL, &out, NULL), 0);
	assert_string_equal(ctm_json_gets(out, "auth"), "-");
	struct ctm_answer a;
	assert_int_equal(ctm_http_do(h, "HEAD", "/echo", NULL, NULL, 0, &a, NULL), 0);
	assert_true(a.status == 200 && a.body.len == 0);
	assert_string_equal(a.type, "application/json");
	ctm_answer_free(&a);
	ctm_http_free(h);
}

static void answers_become_errors_with_their_reasons(void **state)
{
	struct ctm_http *h = client((struct ctm_http_conf){ .answer_max = 1000 }, rig.port, "http", "127.0.0.1");
	struct ctm_err e = { 0 };
	struct ctm_answer a;
	ctm_json *out = NULL;
	assert_int_equal(ctm_http_json(h, "GET", "/problem", NULL, &out, &e), CTM_E_GUARD);
	assert_string_equal(e.field, "f");
	assert_string_equal(e.rule, "R");
	assert_true(ctm_starts(e.msg, "no (GET /problem answered 403)"));
	assert_int_equal(ctm_http_json(h, "GET", "/moved", NULL, &out, NULL), CTM_E_UNSUPPORTED);
	assert_int_equal(ctm_http_do(h, "GET", "/moved", NULL, NULL, 0, &a, NULL), 0);
	assert_int_equal(a.status, 302);
	assert_string_equal(a.location, "http://127.0.0.1:1/elsewhere");
	ctm_answer_free(&a);
	assert_int_equal(ctm_http_do(h, "GET", "/later", NULL, NULL, 0, &a, NULL), 0);
	assert_true(a.status == 429 && a.retry_after_s == 17);
	ctm_answer_free(&a);
	assert_int_equal(ctm_http_json(h, "GET", "/later", NULL, &out, NULL), CTM_E_BUSY);
	assert_int_equal(ctm_http_json(h, "GET", "/broken", NULL, &out, NULL), CTM_E_SYNTAX);
	assert_int_equal(ctm_http_json(h, "GET", "/big", NULL, &out, NULL), CTM_E_TOOBIG);
	assert_null(out);
	assert_int_equal(ctm_http_json(h, "GET", "/nothing", NULL, &out, NULL), 0);
	assert_int_equal(ctm_json_len(out), 0);
	ctm_json_free(out);
	ctm_http_free(h);
}

static int tls_get(struct ctm_http_conf f, const char *host)
{
	struct ctm_http *h = client(f, rig.tls_port, "https", host);
	int rc = ctm_http_json(h, "GET", "/echo", NULL, NULL, NULL);
	ctm_http_free(h);
	return rc;
}

static void only_the_pinned_root_is_trusted(void **state)
{
	assert_int_equal(tls_get((struct ctm_http_conf){ .ca_pem = rig.ca }, "127.0.0.1"), 0);
	assert_int_equal(tls_get((struct ctm_http_conf){ .ca_pem = rig.other_ca }, "127.0.0.1"), CTM_E_VERIFY);
	assert_int_equal(tls_get((struct ctm_http_conf){ .ca_pem = "not a certificate" }, "127.0.0.1"), CTM_E_VERIFY);
	assert_int_equal(tls_get((struct ctm_http_conf){ .ca_pem = rig.ca, .resolve_host = "porch.test", .resolve_ip = "127.0.0.1" }, "porch.test"), 0);
	assert_int_equal(tls_get((struct ctm_http_conf){ .ca_pem = rig.ca, .resolve_host = "other.test", .resolve_ip = "127.0.0.1" }, "other.test"),
		CTM_E_VERIFY);
	assert_int_equal(tls_get((struct ctm_http_conf){ .insecure = true }, "127.0.0.1"), 0);
}

static void what_cannot_be_asked_is_refused(void **state)
{
	static const char *const bases[] = { "ftp://x", "file:///etc/passwd", "127.0.0.1", "https://127.0.0.1", "" };
	static const char *const paths[] = { "", "x", "/a b", "/a\r\nX: y" };
	struct ctm_http *h = NULL;
	struct ctm_answer a;
	for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
		struct ctm_http_conf f = { .base = bases[i] };
		assert_int_equal(ctm_http_new(&f, &h, NULL), CTM_E_INPUT);
	}
	h = client((struct ctm_http_conf){ 0 }, rig.port, "http", "127.0.0.1");
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		assert_int_equal(ctm_http_do(h, "GET", paths[i], NULL, NULL, 0, &a, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_http_do(h, "GET X", "/", NULL, NULL, 0, &a, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_http_do(h, "POST", "/", "text/plain\r\nX: y", "x", 1, &a, NULL), CTM_E_INPUT);
	ctm_http_free(h);
}

static void silence_and_absence_are_told_apart(void **state)
{
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof here;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct ctm_answer a;
	assert_int_equal(bind(fd, (struct sockaddr *)&here, n), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &n), 0);
	struct ctm_http *h = client((struct ctm_http_conf){ .timeout_ms = 200 }, ntohs(here.sin_port), "http", "127.0.0.1");
	assert_int_equal(ctm_http_do(h, "GET", "/", NULL, NULL, 0, &a, NULL), CTM_E_TIMEOUT);
	close(fd);
	assert_int_equal(ctm_http_do(h, "GET", "/", NULL, NULL, 0, &a, NULL), CTM_E_IO);
	ctm_http_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods_bodies_and_tokens_arrive), cmocka_unit_test(answers_become_errors_with_their_reasons),
		cmocka_unit_test(only_the_pinned_root_is_trusted), cmocka_unit_test(what_cannot_be_asked_is_refused),
		cmocka_unit_test(silence_and_absence_are_told_apart),
	};
	return cmocka_run_group_tests(tests, up, down);
}
