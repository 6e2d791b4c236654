/* SPDX-License-Identifier: Apache-2.0
 * The whole seam, over real sockets: a daemon on a free port and one on a unix socket, a client that behaves (libcurl) and
 * one that does not (plain sockets). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "serve_table.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/x509.h"
#include "store/audit.h"
#include <arpa/inet.h>
#include <curl/curl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct ctm_app *app;
static char dir[64], base[64], sock[128];

static int start(void **state)
{
	static const char conf[] = "{\"format\":\"ctm.config/1\",\"public_url\":\"http://mark.test:8080\",\"listen\":\"127.0.0.1:0\",\"device_port\":8443,\"origin\":\"x\"}";
	static const struct ctm_routes *const routes[] = { &test_routes };
	static const struct ctm_jobs *const jobs[] = { &test_jobs };
	static const struct ctm_listeners *const listeners[] = { &test_listeners };
	struct ctm_err err = { 0 };
	char path[128];
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_ALL);
	strcpy(dir, "/tmp/ctm-serve-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/ctm.json", dir);
	assert_int_equal(ctm_file_write(path, conf, sizeof conf - 1, 0600, &err), 0);
	struct ctm_app_conf c = { .state_dir = dir, .port = -1, .routes = routes, .nroutes = 1, .jobs = jobs, .njobs = 1, .listeners = listeners, .nlisteners = 1,
		.authorise = test_authorise, .view = test_view, .render = test_render, .msg = test_msg, .head_ms = 1500, .idle_s = 5, .quiet = true, .replies_max = TEST_LARGE * 3 / 2 };
	if (ctm_app_new(&c, &app, &err) || ctm_app_start(app, &err))
		fail_msg("%s", err.msg);
	snprintf(base, sizeof base, "http://127.0.0.1:%d", ctm_app_port(app));
	snprintf(sock, sizeof sock, "%s/run/device.sock", dir);
	return 0;
}

static int rm(const char *path, const struct stat *st, int flag, struct FTW *f) { return remove(path); }

static int stop(void **state)
{
	ctm_app_stop(app);
	ctm_app_free(app);
	nftw(dir, rm, 8, FTW_DEPTH | FTW_PHYS);
	curl_global_cleanup();
	return 0;
}

/* ---- a client that behaves ---- */

struct reply { long status; char head[4096], body[70000]; size_t nhead, nbody; };

static size_t keep(char *p, size_t size, size_t n, void *arg)
{
	struct reply *r = arg;
	for (size_t i = 0; i < n && r->nbody < sizeof r->body - 1; i++)
		r->body[r->nbody++] = p[i];
	return n;
}

static size_t keep_head(char *p, size_t size, size_t n, void *arg)
{
	struct reply *r = arg;
	for (size_t i = 0; i < n && r->nhead < sizeof r->head - 1; i++)
		r->head[r->nhead++] = p[i];
	return n;
}

struct ask { const char *method, *path, *body; size_t n; const char *head[8]; bool edge, wait /* for 100 Continue */; };

static struct reply *ask(struct ask a)
{
	static struct reply r;
	char url[4096];
	struct curl_slist *list = NULL;
	CURL *c = curl_easy_init();
	memset(&r, 0, sizeof r);
	snprintf(url, sizeof url, "%s%s", base, a.path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, 10L);
	if (a.edge)
		curl_easy_setopt(c, CURLOPT_UNIX_SOCKET_PATH, sock);
	if (!strcmp(a.method, "HEAD"))
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, a.method);
	if (a.body) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, a.body);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)(a.n ? a.n : strlen(a.body)));
	}
	list = curl_slist_append(list, a.wait ? "Expect: 100-continue" : "Expect:");
	for (size_t i = 0; i < 8 && a.head[i]; i++)
		list = curl_slist_append(list, a.head[i]);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, keep);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &r);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, keep_head);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, &r);
	CURLcode rc = curl_easy_perform(c);
	if (rc)
		snprintf(r.body, sizeof r.body, "curl: %s", curl_easy_strerror(rc));
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &r.status);
	curl_slist_free_all(list);
	curl_easy_cleanup(c);
	return &r;
}

#define ASK(...) ask((struct ask){ __VA_ARGS__ })
#define AUTH "Authorization: Bearer " BEARER
#define JSON "Content-Type: application/json"
#define FORM "Content-Type: application/x-www-form-urlencoded"
#define SESSION "Cookie: other=1; ctm_session=" COOKIE
#define UUID "0193a5b2-7c1e-7000-8000-0123456789ab"

static void expect(const struct reply *r, long status, const char *in_body)
{
	if (r->status != status || (in_body && !strstr(r->body, in_body)))
		fail_msg("wanted %ld and %s, got %ld: %s", status, in_body ? in_body : "anything", r->status, r->body);
}

static int64_t audit_lines(void)
{
	struct ctm_db *db;
	struct ctm_err err = { 0 };
	char url[128], head[72];
	int64_t n = -1;
	snprintf(url, sizeof url, "sqlite:%s/ctm.db", dir);
	assert_int_equal(ctm_db_open(url, CTM_DB_RO, &db, &err), 0);
	assert_int_equal(ctm_audit_check(db, &n, head, &err), 0);
	ctm_db_close(db);
	return n;
}

static void reads_answer_with_validated_fields(void **state)
{
	expect(ASK("GET", "/api/v1/things/" UUID "?q=a+b", .head = { AUTH }), 200, "{\"id\":\"" UUID "\",\"q\":\"a b\",\"who\":\"Maker\",\"locale\":\"en\"}");
	expect(ASK("GET", "/api/v1/things/0193A5B2-7C1E-7000-8000-0123456789AB"), 200, "\"id\":\"" UUID "\"");
	expect(ASK("GET", "/api/v1/things/" UUID "?q=1&q=2"), 400, "\"field\":\"q\"");
	expect(ASK("GET", "/api/v1/things/" UUID "?q=123456789012345678901"), 422, "\"field\":\"q\"");
	expect(ASK("GET", "/api/v1/things/" UUID "?x=1"), 422, "\"field\":\"x\"");
	expect(ASK("GET", "/api/v1/things/" UUID "?id=" UUID), 400, "\"field\":\"id\"");
	expect(ASK("GET", "/api/v1/things/not-an-id"), 404, "\"code\":\"NOTFOUND\"");
}

static void problems_are_rfc9457(void **state)
{
	struct reply *r = ASK("POST", "/api/v1/things", "{\"name\":\"boom\"}", .head = { AUTH, JSON });
	expect(r, 403, "\"type\":\"urn:ctm:error:GUARD\"");
	assert_non_null(strstr(r->head, "Content-Type: application/problem+json"));
	CTM_AUTO_JSON *o = NULL;
	struct ctm_err err = { 0 };
	assert_int_equal(ctm_json_parse(r->body, r->nbody, 4096, "body", &o, &err), 0);
	assert_string_equal(ctm_json_gets(o, "rule"), "T-TEST");
	assert_string_equal(ctm_json_gets(o, "field"), "name");
	assert_string_equal(ctm_json_gets(o, "detail"), "boom is not allowed");
	assert_int_equal(ctm_json_geti(o, "status", 0), 403);
	assert_non_null(ctm_json_gets(o, "title"));
}

static void writes_are_kept_or_leave_nothing(void **state)
{
	int64_t before = audit_lines();
	expect(ASK("POST", "/api/v1/things", "{\"name\":\"one\",\"n\":7,\"flag\":true}", .head = { AUTH, JSON }), 200, "{\"name\":\"one\"}");
	assert_int_equal(audit_lines(), before + 1);
	expect(ASK("POST", "/api/v1/things", "{\"name\":\"boom\"}", .head = { AUTH, JSON }), 403, NULL);
	expect(ASK("POST", "/api/v1/things", "{\"name\":\"crash\"}", .head = { AUTH, JSON }), 500, "\"detail\":\"something went wrong inside the program\"");
	assert_int_equal(audit_lines(), before + 1);
	expect(ASK("POST", "/api/v1/things", "name=two&n=8", .head = { AUTH, FORM }), 200, "two");
	assert_int_equal(audit_lines(), before + 2);
}

/* Events of the test's release that are in the store. */
static size_t events(void)
{
	struct ctm_db *db;
	struct ctm_err err = { 0 };
	CTM_AUTO_JSON *rows = NULL;
	char url[128];
	snprintf(url, sizeof url, "sqlite:%s/ctm.db", dir);
	assert_int_equal(ctm_db_open(url, CTM_DB_RO, &db, &err), 0);
	struct ctm_q *q = ctm_q(db, "event.of");
	ctm_q_text(q, "subject_kind", "release");
	ctm_q_text(q, "subject_id", "1");
	ctm_q_int(q, "limit", 100);
	assert_int_equal(ctm_q_rows(q, 100, &rows, &err), 0);
	ctm_db_close(db);
	return ctm_json_len(rows);
}

/* Every change leaves an audit line: of a use case that forgot it nothing is kept. */
static void a_write_without_an_audit_line_is_not_kept(void **state)
{
	size_t before = events();
	expect(ASK("POST", "/api/v1/unaudited", "{}", .head = { AUTH, JSON }), 500, "something went wrong inside the program");
	assert_int_equal(events(), before);
}

static void malformed_bodies_are_refused_by_field(void **state)
{
	static const struct { const char *type, *body; long status; const char *says; } cases[] = {
		{ JSON, "{\"name\":\"a\",\"name\":\"b\"}", 400, "SYNTAX" }, { JSON, "{\"name\":", 400, "SYNTAX" }, { JSON, "[]", 422, "body" }, { JSON, "{\"name\":[1]}", 422, "name" },
		{ JSON, "{\"name\":\"a\",\"extra\":1}", 422, "extra" }, { JSON, "{}", 422, "name is required" }, { JSON, "{\"name\":null}", 422, "name is required" },
		{ JSON, "{\"name\":\"a\",\"n\":101}", 422, "\"field\":\"n\"" }, { JSON, "{\"name\":\"a\",\"n\":1.5}", 422, "\"field\":\"n\"" },
		{ JSON, "{\"name\":\"a\\u0000b\"}", 400, NULL }, { JSON, "{\"name\":\"\xff\"}", 400, NULL }, { JSON, "", 400, NULL },
		{ FORM, "name=a&name=b", 400, "\"field\":\"name\"" }, { FORM, "name=%00", 400, "\"field\":\"name\"" }, { FORM, "name=%zz", 400, NULL },
		{ "Content-Type: text/plain", "name=a", 415, "Content-Type" }, { "Content-Type: multipart/form-data", "name=a", 415, NULL },
		{ "Content-Type:", "name=a", 415, NULL },
	};
	int64_t before = audit_lines();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reply *r = ASK("POST", "/api/v1/things", cases[i].body, .head = { AUTH, cases[i].type });
		if (r->status != cases[i].status || (cases[i].says && !strstr(r->body, cases[i].says)))
			fail_msg("case %zu: %ld %s", i, r->status, r->body);
	}
	assert_int_equal(audit_lines(), before);
}

static void deep_nesting_is_refused(void **state)
{
	char deep[2000];
	memset(deep, '[', sizeof deep);
	expect(ASK("PUT", "/api/v1/document", deep, sizeof deep, .head = { AUTH, JSON }), 400, NULL);
	expect(ASK("PUT", "/api/v1/document", "{\"a\":[1,2]}", .head = { AUTH, JSON }), 200, "{\"got\":{\"a\":[1,2]}}");
	expect(ASK("PUT", "/api/v1/document", "a=1", .head = { AUTH, FORM }), 415, NULL);
}

static void bodies_over_the_limit_get_413(void **state)
{
	char *big = malloc(4 * 1024 * 1024);
	assert_non_null(big);
	memset(big, 'x', 4 * 1024 * 1024);
	expect(ASK("PUT", "/api/v1/document", big, 5000, .head = { AUTH, JSON }), 413, "at most 4096");
	expect(ASK("PUT", "/api/v1/document", big, 5000, .head = { AUTH, JSON, "Transfer-Encoding: chunked" }), 413, "4096");
	expect(ASK("PUT", "/api/v1/file", big, 2 * 1024 * 1024, .head = { AUTH, "Content-Type: application/x-thing; a=b" }), 200, "\"size\":2097152,\"type\":\"application/x-thing\"");
	struct reply *r = ASK("PUT", "/api/v1/file", big, 4 * 1024 * 1024, .head = { AUTH });
	assert_true(r->status == 413 || r->status == 0);     /* a client that insists on sending may see the connection end first */
	/* a client that asks first is told before it sends anything */
	expect(ASK("PUT", "/api/v1/file", big, 4 * 1024 * 1024, .head = { AUTH }, .wait = true), 413, NULL);
	expect(ASK("PUT", "/api/v1/file", big, 4 * 1024 * 1024, .wait = true), 401, NULL);
	expect(ASK("PUT", "/api/v1/file", big, 2 * 1024 * 1024, .head = { AUTH }, .wait = true), 200, "2097152");
	expect(ASK("PUT", "/api/v1/file", "", .head = { AUTH, "Content-Type: application/x-thing" }), 422, "empty");
	expect(ASK("PUT", "/api/v1/file", big, 100000), 401, NULL);
	free(big);
}

static void roles_and_credentials(void **state)
{
	expect(ASK("POST", "/api/v1/things", "{\"name\":\"a\"}", .head = { JSON }), 401, "sign in");
	expect(ASK("POST", "/api/v1/things", "{\"name\":\"a\"}", .head = { JSON, "Authorization: Bearer wrong" }), 401, "EXPIRED");
	expect(ASK("POST", "/api/v1/things", "{\"name\":\"a\"}", .head = { JSON, "Authorization: Basic YTpi" }), 401, NULL);
	expect(ASK("GET", "/api/v1/things/" UUID, .head = { "Authorization: Bearer wrong" }), 401, NULL);
	/* an old cookie is nobody, not an error */
	struct reply *r = ASK("GET", "/api/v1/things/" UUID, .head = { "Cookie: ctm_session=old" });
	expect(r, 200, "\"who\":\"\"");
}

static void pages_redirect_those_who_are_not_signed_in(void **state)
{
	struct reply *r = ASK("GET", "/things", .head = { "Accept: text/html" });
	expect(r, 303, NULL);
	assert_non_null(strstr(r->head, "Location: /signin\r\n"));
	r = ASK("GET", "/things", .head = { "Cookie: ctm_session=old" });
	assert_non_null(strstr(r->head, "Set-Cookie: ctm_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0\r\n"));
	expect(ASK("GET", "/things", .head = { SESSION }), 200, "test/things ");
	expect(ASK("GET", "/things?utm_source=mail&notice=thing.added&lang=es", .head = { SESSION }), 200, "\"notice\":\"Hecho.\"");
	r = ASK("GET", "/things?notice=%3Cb%3Eown+words", .head = { SESSION });
	expect(r, 200, NULL);
	assert_null(strstr(r->body, "own words"));
	expect(ASK("GET", "/", .head = { "Accept-Language: fr, es-MX;q=0.8" }), 200, "\"locale\":\"es\"");
}

static void a_form_needs_its_session_token_and_our_origin(void **state)
{
	int64_t before = audit_lines();
	struct reply *r = ASK("POST", "/things", "name=good&csrf=" CSRF, .head = { SESSION, FORM, "Origin: http://mark.test:8080", "Sec-Fetch-Site: same-origin" });
	expect(r, 303, NULL);
	assert_non_null(strstr(r->head, "Location: /things?notice=thing.added\r\n"));
	assert_int_equal(audit_lines(), before + 1);
	expect(ASK("POST", "/things", "name=good", .head = { SESSION, FORM }), 403, "\"field\":\"csrf\"");
	expect(ASK("POST", "/things", "name=good&csrf=csrf-of-the-makes", .head = { SESSION, FORM }), 403, "csrf");
	expect(ASK("POST", "/things", "name=good&csrf=", .head = { SESSION, FORM }), 403, "csrf");
	expect(ASK("POST", "/things", "name=good&csrf=" CSRF, .head = { SESSION, FORM, "Origin: http://evil.test" }), 403, "another site");
	expect(ASK("POST", "/things", "name=good&csrf=" CSRF, .head = { SESSION, FORM, "Origin: null" }), 403, "another site");
	expect(ASK("POST", "/things", "name=good&csrf=" CSRF, .head = { SESSION, FORM, "Sec-Fetch-Site: cross-site" }), 403, "another site");
	expect(ASK("POST", "/api/v1/things", "{\"name\":\"good\"}", .head = { SESSION, JSON }), 403, "csrf");
	expect(ASK("POST", "/api/v1/things", "{\"name\":\"good\"}", .head = { SESSION, JSON, "X-CSRF-Token: " CSRF }), 200, NULL);
	expect(ASK("PUT", "/api/v1/file", "bytes", .head = { SESSION }), 403, "csrf");
	assert_int_equal(audit_lines(), before + 2);
}

static void a_refused_form_is_shown_again_with_what_was_typed(void **state)
{
	struct reply *r = ASK("POST", "/things", "name=boom&n=5&csrf=" CSRF, .head = { SESSION, FORM });
	expect(r, 403, "test/things ");
	assert_non_null(strstr(r->body, "\"error\":{\"field\":\"name\",\"message\":\"boom is not allowed\""));
	assert_non_null(strstr(r->body, "\"form\":{\"n\":\"5\",\"name\":\"boom\"}"));
	expect(ASK("POST", "/things", "name=Not+Good&csrf=" CSRF, .head = { SESSION, FORM }), 422, "\"form\":{\"name\":\"Not Good\"}");
	expect(ASK("GET", "/nowhere", .head = { "Accept: text/html" }), 404, "http/error ");
}

static void signing_in_sets_a_strict_cookie(void **state)
{
	struct reply *r = ASK("POST", "/signin", "", .head = { FORM });
	expect(r, 303, NULL);
	assert_non_null(strstr(r->head, "Set-Cookie: ctm_session=" COOKIE "; Path=/; HttpOnly; SameSite=Strict\r\n"));
	expect(ASK("POST", "/signin", "", .head = { FORM, "Origin: http://evil.test" }), 403, NULL);
}

static void every_answer_carries_the_security_headers(void **state)
{
	static const char *const paths[] = { "/", "/nowhere", "/mark.svg", "/api/v1/things/" UUID };
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct reply *r = ASK("GET", paths[i]);
		assert_non_null(strstr(r->head, "Content-Security-Policy: default-src 'none'"));
		assert_non_null(strstr(r->head, "X-Content-Type-Options: nosniff"));
		assert_non_null(strstr(r->head, "Referrer-Policy: same-origin"));
		assert_null(strstr(r->head, "Strict-Transport-Security"));   /* the address is plain http */
	}
	struct reply *r = ASK("GET", "/api/v1/file", .head = { AUTH });
	assert_non_null(strstr(r->head, "; sandbox\r\n"));
	assert_non_null(strstr(r->head, "Content-Disposition: attachment; filename=\"a.svg\"\r\n"));
}

static void static_answers_have_a_tag_and_are_not_sent_twice(void **state)
{
	struct reply *r = ASK("GET", "/mark.svg", .head = { SESSION });
	expect(r, 200, "<svg");
	assert_null(strstr(r->head, "Set-Cookie"));
	char *tag = strstr(r->head, "ETag: "), line[100];
	assert_non_null(tag);
	snprintf(line, sizeof line, "If-None-Match: %.*s", (int)strcspn(tag + 6, "\r"), tag + 6);
	r = ASK("GET", "/mark.svg", .head = { line });
	assert_int_equal(r->status, 304);
	assert_int_equal(r->nbody, 0);
	r = ASK("HEAD", "/mark.svg");
	assert_int_equal(r->status, 200);
	assert_int_equal(r->nbody, 0);
	assert_non_null(strstr(r->head, "Content-Length: 41\r\n"));
}

static void wrong_methods_get_405_with_allow(void **state)
{
	struct reply *r = ASK("DELETE", "/api/v1/file", .head = { AUTH });
	expect(r, 405, "METHOD");
	assert_non_null(strstr(r->head, "Allow: "));
	assert_non_null(strstr(r->head, "PUT"));
	expect(ASK("GET", "/api/v1/things/" UUID, "body", .head = { AUTH, JSON }), 400, "GET has no body");
}

static void slow_steps_run_before_the_write(void **state)
{
	expect(ASK("POST", "/api/v1/slow", "{\"name\":\"a\"}", .head = { AUTH, JSON }), 200, "{\"prepared\":\"looked at\"}");
	expect(ASK("POST", "/api/v1/slow", "{\"name\":\"refuse\"}", .head = { AUTH, JSON }), 422, "slow look");
}

static void a_posted_event_wakes_its_job_at_once(void **state)
{
	int before = __atomic_load_n(&test_job_runs, __ATOMIC_SEQ_CST);
	int64_t lines = audit_lines(), since = ctm_mono_us();
	expect(ASK("POST", "/api/v1/job", "{}", .head = { AUTH, JSON }), 200, NULL);
	while (audit_lines() == lines && ctm_mono_us() - since < 5000000)
		usleep(2000);
	assert_int_equal(__atomic_load_n(&test_job_runs, __ATOMIC_SEQ_CST), before + 1);
	assert_int_equal(audit_lines(), lines + 1);
	assert_true(ctm_mono_us() - since < 2000000);
}

static void unknown_host_names_are_refused(void **state)
{
	expect(ASK("GET", "/api/v1/things/" UUID, .head = { "Host: rebound.test" }), 404, "Host");
	expect(ASK("GET", "/api/v1/things/" UUID, .head = { "Host: mark.test:8080" }), 200, NULL);
	expect(ASK("GET", "/api/v1/things/" UUID, .head = { "Host: LOCALHOST" }), 200, NULL);
}

/* ---- the edge ---- */

static char cert_header[8192];

static void make_cert(void)
{
	CTM_AUTO_KEY *ca = NULL;
	CTM_AUTO_KEY *key = NULL;
	CTM_AUTO_BUF ca_pem = CTM_BUF(8192), csr = CTM_BUF(8192), pem = CTM_BUF(8192), esc = CTM_BUF(8192);
	struct ctm_err err = { 0 };
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &ca, &err), 0);
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &key, &err), 0);
	assert_int_equal(ctm_ca_new(ca, "test CA", "test", ctm_now_ms(), 10, &ca_pem, &err), 0);
	assert_int_equal(ctm_csr_new(key, "SN-1", "test", &csr, &err), 0);
	assert_int_equal(ctm_cert_issue(ca, ctm_buf_cstr(&ca_pem), ctm_buf_cstr(&csr), csr.len, CTM_CERT_DEVICE, "test", NULL, NULL, ctm_now_ms(), 10, &pem, &err), 0);
	ctm_url_escape(&esc, ctm_buf_cstr(&pem), pem.len);
	snprintf(cert_header, sizeof cert_header, "X-Client-Cert: %s", ctm_buf_cstr(&esc));
}

static void certificate_headers_are_believed_on_the_socket_only(void **state)
{
	make_cert();
	expect(ASK("POST", "/d/v1/state", "{}", .edge = true, .head = { JSON, "X-Client-Verify: SUCCESS", cert_header }), 200, "\"who\":\"SN-1\"");
	expect(ASK("POST", "/d/v1/state", "{}", .edge = true, .head = { JSON, "X-Client-Verify: FAILED:expired", cert_header }), 401, "client certificate");
	expect(ASK("POST", "/d/v1/state", "{}", .edge = true, .head = { JSON, "X-Client-Verify: SUCCESS" }), 401, NULL);
	expect(ASK("POST", "/d/v1/state", "{}", .edge = true, .head = { JSON, "X-Client-Verify: SUCCESS", "X-Client-Cert: rubbish" }), 401, NULL);
	expect(ASK("POST", "/d/v1/state", "{}", .edge = true, .head = { JSON, "X-Client-Verify: SUCCESS", cert_header, cert_header }), 400, NULL);
	/* the same headers on the TCP door: that address does not even exist there, and nobody is made of them elsewhere */
	expect(ASK("POST", "/d/v1/state", "{}", .head = { JSON, "X-Client-Verify: SUCCESS", cert_header }), 404, NULL);
	expect(ASK("GET", "/api/v1/things/" UUID, .head = { "X-Client-Verify: SUCCESS", cert_header }), 200, "\"who\":\"\"");
	expect(ASK("GET", "/api/v1/things/" UUID, .edge = true), 404, NULL);
	struct stat st;
	assert_int_equal(stat(sock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* ---- a client that does not behave ---- */

/* Send bytes, read what comes until the server closes or `ms` pass. Returns bytes read. */
static ssize_t raw_exchange(const char *bytes, size_t n, char *out, size_t cap, int ms)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)ctm_app_port(app)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CTM_AUTO_FD fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t got = 0;
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	(void)!write(fd, bytes, n);
	int64_t until = ctm_mono_us() + ms * 1000;
	while (ctm_mono_us() < until && (size_t)got < cap - 1) {
		struct pollfd p = { fd, POLLIN, 0 };
		if (poll(&p, 1, 50) <= 0)
			continue;
		ssize_t r = read(fd, out + got, cap - 1 - (size_t)got);
		if (r <= 0)
			break;
		got += r;
	}
	out[got] = 0;
	return got;
}

static void malformed_requests_do_not_get_through(void **state)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\n\r\n",                                                                  /* no Host */
		"GET /api/v1/things/" UUID " HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n",
		"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
		"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\nabcde",
		"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
		"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
		"POST /api/v1/things HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /api/v1/things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9223372036854775808\r\n\r\n{}",
		"GET /api/v1/things/" UUID " HTTP/1.1\r\nHost: localhost\r\nContent-Length : 5\r\n\r\nabcde",
		"GET /api/v1/things/" UUID " HTTP/1.1\r\nHost: localhost\r\nX-A: b\rX-B: c\r\n\r\n",
		"GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET /api/v1/../../keys HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET /a%2fb HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
	};
	char out[8192];
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		raw_exchange(bad[i], strlen(bad[i]), out, sizeof out, 400);
		if (strncmp(out, "HTTP/1.", 7) || !strncmp(out, "HTTP/1.1 2", 10) || (!strncmp(out, "HTTP/1.1 5", 10) && strncmp(out, "HTTP/1.1 501", 12)))
			fail_msg("%s\nwas answered with %.60s", bad[i], out);
	}
}

static void oversize_headers_are_refused(void **state)
{
	char *req = malloc(100000), out[8192];
	int n = snprintf(req, 100000, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Big: ");
	memset(req + n, 'a', 70000);
	memcpy(req + n + 70000, "\r\n\r\n", 4);
	raw_exchange(req, (size_t)n + 70004, out, sizeof out, 1000);
	assert_true(!*out || strstr(out, " 431 ") || strstr(out, " 400 ") || strstr(out, " 413 "));
	n = snprintf(req, 100000, "GET / HTTP/1.1\r\nHost: localhost\r\n");
	for (int i = 0; i < 200; i++)
		n += snprintf(req + n, 100000 - (size_t)n, "X-%d: 1\r\n", i);
	n += snprintf(req + n, 100000 - (size_t)n, "\r\n");
	raw_exchange(req, (size_t)n, out, sizeof out, 1000);
	assert_non_null(strstr(out, " 431 "));
	n = snprintf(req, 100000, "GET /");
	memset(req + n, 'a', 4000);
	n += 4000 + snprintf(req + n + 4000, 1000, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
	raw_exchange(req, (size_t)n, out, sizeof out, 1000);
	assert_non_null(strstr(out, " 414 "));
	free(req);
}

static void a_client_that_drips_is_cut_off(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)ctm_app_port(app)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CTM_AUTO_FD fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	int64_t since = ctm_mono_us();
	(void)!write(fd, "GET / HTTP/1.1\r\nX: ", 19);
	while (ctm_mono_us() - since < 8000000) {
		struct pollfd p = { fd, POLLIN, 0 };
		char c;
		if (poll(&p, 1, 100) > 0 && read(fd, &c, 1) <= 0)
			break;
		(void)!write(fd, "a", 1);           /* never silent for longer than 100 ms */
	}
	int64_t took = ctm_mono_us() - since;
	if (took >= 4000000)
		fail_msg("the connection lived %lld ms", (long long)(took / 1000));
}

static void a_kept_connection_serves_many_requests(void **state)
{
	char req[2048] = "", out[32768];
	for (int i = 0; i < 5; i++)
		strcat(req, i % 2 ? "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n" : "GET /mark.svg HTTP/1.1\r\nHost: localhost\r\n\r\n");
	raw_exchange(req, strlen(req), out, sizeof out, 700);
	int answers = 0;
	for (char *p = out; (p = strstr(p, "HTTP/1.1 ")); p++)
		answers++;
	assert_int_equal(answers, 5);
}

/* ---- many at once ---- */

static size_t drop(char *p, size_t size, size_t n, void *arg) { return n; }

static void *writer_client(void *arg)
{
	int *good = arg;
	for (int i = 0; i < 20; i++) {
		CURL *c = curl_easy_init();
		struct curl_slist *l = curl_slist_append(curl_slist_append(NULL, AUTH), JSON);
		char url[128];
		long status = 0;
		snprintf(url, sizeof url, "%s/api/v1/things", base);
		curl_easy_setopt(c, CURLOPT_URL, url);
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, l);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, i % 4 ? "{\"name\":\"good\"}" : "{\"name\":\"boom\"}");
		curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, drop);
		curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(c, CURLOPT_TIMEOUT, 20L);
		curl_easy_perform(c);
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		*good += status == (i % 4 ? 200 : 403);
		curl_slist_free_all(l);
		curl_easy_cleanup(c);
	}
	return NULL;
}

static void concurrent_writers_each_get_their_own_answer(void **state)
{
	pthread_t t[4];
	int good[4] = { 0 };
	int64_t before = audit_lines();
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, writer_client, &good[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(good[0] + good[1] + good[2] + good[3], 80);
	assert_int_equal(audit_lines(), before + 60);
}

/* A reader that asks for much and takes nothing: the memory of its reply is counted. */
static void slow_readers_of_large_replies_share_a_budget(void **state)
{
	static const char get[] = "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)ctm_app_port(app)), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char first[16];
	long status = 0;
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	assert_int_equal(write(fd, get, sizeof get - 1), sizeof get - 1);
	assert_int_equal(recv(fd, first, sizeof first, MSG_WAITALL), sizeof first);      /* the reply is on its way, most of it in memory */
	expect(ASK("GET", "/large"), 503, "Too many large files");
	expect(ASK("GET", "/mark.svg"), 200, "svg");
	close(fd);
	for (int i = 0; i < 100 && status != 200; i++) {
		usleep(20000);
		status = ASK("GET", "/large")->status;
	}
	assert_int_equal(status, 200);
}

static int start_second(const char *state, int port, struct ctm_err *err)
{
	static const struct ctm_routes *const routes[] = { &test_routes };
	struct ctm_app_conf c = { .state_dir = state, .port = port, .routes = routes, .nroutes = 1, .authorise = test_authorise, .view = test_view,
		.render = test_render, .msg = test_msg };
	struct ctm_app *second = NULL;
	assert_int_equal(ctm_app_new(&c, &second, err), 0);
	int rc = ctm_app_start(second, err);
	ctm_app_stop(second);
	ctm_app_free(second);
	return rc;
}

static void a_busy_port_or_directory_is_one_sentence(void **state)
{
	struct ctm_err err = { 0 };
	char other[64], path[128];
	CTM_AUTO_BUF conf = CTM_BUF(4096);
	assert_int_equal(start_second(dir, 0, &err), CTM_E_BUSY);
	assert_non_null(strstr(err.msg, "another ctm serves the state directory"));
	strcpy(other, "/tmp/ctm-serve-XXXXXX");
	assert_non_null(mkdtemp(other));
	snprintf(path, sizeof path, "%s/ctm.json", dir);
	assert_int_equal(ctm_file_read(path, 4096, &conf, NULL), 0);
	snprintf(path, sizeof path, "%s/ctm.json", other);
	assert_int_equal(ctm_file_write(path, conf.p, conf.len, 0600, NULL), 0);
	err = (struct ctm_err){ 0 };
	int rc = start_second(other, ctm_app_port(app), &err);
	nftw(other, rm, 8, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(rc, CTM_E_BUSY);
	assert_non_null(strstr(err.msg, "is in use by another program"));
	expect(ASK("GET", "/api/v1/things/" UUID), 200, NULL);
}

static void a_directory_without_init_is_one_sentence(void **state)
{
	static const struct ctm_routes *const routes[] = { &test_routes };
	struct ctm_app_conf c = { .state_dir = "/nowhere/var", .port = 0, .routes = routes, .nroutes = 1, .authorise = test_authorise, .view = test_view };
	struct ctm_app *second = NULL;
	struct ctm_err err = { 0 };
	assert_int_equal(ctm_app_new(&c, &second, &err), CTM_E_IO);
	assert_non_null(strstr(err.msg, "ctm init"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_answer_with_validated_fields),
		cmocka_unit_test(problems_are_rfc9457),
		cmocka_unit_test(slow_readers_of_large_replies_share_a_budget),
		cmocka_unit_test(writes_are_kept_or_leave_nothing),
		cmocka_unit_test(a_write_without_an_audit_line_is_not_kept),
		cmocka_unit_test(malformed_bodies_are_refused_by_field),
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(bodies_over_the_limit_get_413),
		cmocka_unit_test(roles_and_credentials),
		cmocka_unit_test(pages_redirect_those_who_are_not_signed_in),
		cmocka_unit_test(a_form_needs_its_session_token_and_our_origin),
		cmocka_unit_test(a_refused_form_is_shown_again_with_what_was_typed),
		cmocka_unit_test(signing_in_sets_a_strict_cookie),
		cmocka_unit_test(every_answer_carries_the_security_headers),
		cmocka_unit_test(static_answers_have_a_tag_and_are_not_sent_twice),
		cmocka_unit_test(wrong_methods_get_405_with_allow),
		cmocka_unit_test(slow_steps_run_before_the_write),
		cmocka_unit_test(a_posted_event_wakes_its_job_at_once),
		cmocka_unit_test(unknown_host_names_are_refused),
		cmocka_unit_test(certificate_headers_are_believed_on_the_socket_only),
		cmocka_unit_test(malformed_requests_do_not_get_through),
		cmocka_unit_test(oversize_headers_are_refused),
		cmocka_unit_test(a_client_that_drips_is_cut_off),
		cmocka_unit_test(a_kept_connection_serves_many_requests),
		cmocka_unit_test(concurrent_writers_each_get_their_own_answer),
		cmocka_unit_test(a_busy_port_or_directory_is_one_sentence),
		cmocka_unit_test(a_directory_without_init_is_one_sentence),
	};
	return cmocka_run_group_tests_name("http serve", tests, start, stop);
}
