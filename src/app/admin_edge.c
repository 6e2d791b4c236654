/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm edge nginx: a complete nginx configuration for the device port, to be run unprivileged with everything it writes
 * under the state directory. The edge ends TLS, checks client certificates under the device CA, and tells the platform over
 * run/device.sock, in headers it always sets itself, so that what a client sends in them never arrives. Public files are
 * served from public/ without the platform; whatever is not there, and only under the public addresses, is asked of it.
 *
 * There is no revocation list: a certificate is believed only while the platform has its key bound to an enrolled unit, so
 * a retired unit is refused at its next request, although TLS still accepts it. nginx drops the security headers of a server
 * inside any location that adds one of its own; conf_security() is therefore written into every location.
 */
#include "app/admin.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/key.h"
#include "crypto/signer.h"
#include "crypto/x509.h"
#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define CERT_DAYS 397
#define UPSTREAM_KEPT 256          /* connections to the platform that each worker keeps: as many as may wait for a commit at once */
#define RENEW_MS (30LL * 24 * 3600 * 1000)
#define SIGNER_MS 5000

/* ---- certificate ---- */

static bool is_ip(const char *host)
{
	unsigned char raw[16];
	return inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1;
}

/* The present certificate still serves: same names, same CA, not near its end. */
static bool good_for_now(const char *dir, const char *host, const char *ca_pem)
{
	char path[ADMIN_PATH];
	struct ctm_cert_info info;
	CTM_AUTO_BUF pem = CTM_BUF(32768);
	return admin_exists(dir, "edge/server.key") && !ctm_file_read(admin_path(dir, "edge/server.pem", path), 32768, &pem, NULL) &&
		!ctm_cert_read(ctm_buf_cstr(&pem), pem.len, &info, NULL) && !strcmp(info.common_name, host) && info.not_after_ms - ctm_now_ms() > RENEW_MS &&
		!ctm_cert_verify(ctm_buf_cstr(&pem), pem.len, ca_pem, ctm_now_ms(), NULL);
}

static int ask_signer(const char *dir, const char *csr, const char *host, const char *dns, const char *ip, struct ctm_buf *pem, struct ctm_err *err)
{
	char path[ADMIN_PATH];
	CTM_AUTO_JSON *q = ctm_json_obj();
	CTM_AUTO_JSON *a = NULL;
	int rc = ctm_json_sets(q, "op", "device-certificate") | ctm_json_sets(q, "csr", csr) | ctm_json_sets(q, "serial", host) |
		ctm_json_sets(q, "org", "ctm edge") | ctm_json_seti(q, "days", CERT_DAYS) | ctm_json_sets(q, "use", "server") | ctm_json_sets(q, "dns", dns) |
		ctm_json_sets(q, "ip", ip);
	if (rc)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	rc = ctm_signer_call(admin_path(dir, "run/signer.sock", path), q, SIGNER_MS, &a, err);
	if (rc)
		return ctm_fail_prefix(err, "a new certificate for the device port could not be had from the signer (start it with ctm signer): ");
	const char *cert = ctm_json_gets(a, "certificate");
	ctm_buf_str(pem, cert ? cert : "");
	return 0;
}

int admin_edge_cert(const char *dir, const ctm_json *conf, const struct ctm_key *ca_key, const char *ca_pem, bool *made, struct ctm_err *err)
{
	char host[256], path[ADMIN_PATH], dns[300], ip[300];
	CTM_AUTO_KEY *key = NULL;
	CTM_AUTO_BUF csr = CTM_BUF(16384), pem = CTM_BUF(32768);
	int rc = admin_url_host(ctm_json_gets(conf, "public_url"), host, sizeof host, err);
	if (rc || (*made = false, good_for_now(dir, host, ca_pem ? ca_pem : "")))
		return rc;
	snprintf(dns, sizeof dns, "%s%s", is_ip(host) ? "localhost" : host, is_ip(host) || !strcasecmp(host, "localhost") ? "" : ",localhost");
	snprintf(ip, sizeof ip, "127.0.0.1%s%s", is_ip(host) && strcmp(host, "127.0.0.1") ? "," : "", is_ip(host) && strcmp(host, "127.0.0.1") ? host : "");
	rc = ctm_key_generate(CTM_ALG_ES256, &key, err);
	if (!rc)
		rc = ctm_csr_new(key, host, "ctm edge", &csr, err);
	if (!rc)
		rc = ca_key ? ctm_cert_issue(ca_key, ca_pem, ctm_buf_cstr(&csr), csr.len, CTM_CERT_SERVER, "ctm edge", dns, ip, ctm_now_ms(), CERT_DAYS, &pem, err) :
			ask_signer(dir, ctm_buf_cstr(&csr), host, dns, ip, &pem, err);
	if (!rc)
		rc = ctm_key_store(key, admin_path(dir, "edge/server.key", path), err);
	if (!rc)
		rc = ctm_file_write(admin_path(dir, "edge/server.pem", path), pem.p, pem.len, 0644, err);
	*made = !rc;
	return rc;
}

/* ---- configuration ---- */

/* Directories with these in their names would need quoting that nginx does not have. */
static int check_plain(const char *path, struct ctm_err *err)
{
	if (strpbrk(path, " \t\n\"'\\;{}$#"))
		return ctm_fail(err, CTM_E_INPUT, "--state", NULL, "the path %s holds a space or one of \" ' \\ ; { } $ # and cannot stand in an nginx configuration; use another directory", path);
	return 0;
}

int admin_edge_limits(const ctm_json *conf, struct admin_edge_limits *out, struct ctm_err *err)
{
	static const char *const names[] = { "device_rate", "public_rate", "connections" };
	struct admin_edge_limits l = { .device_rate = 20, .public_rate = 50, .connections = 64 };
	int64_t *const values[] = { &l.device_rate, &l.public_rate, &l.connections };
	struct ctm_jc root = ctm_jc_root(conf, "ctm.json"), c, v;
	int rc = 0;
	if (ctm_jc_has(&root, "edge", &c) && !(rc = ctm_jc_is(&c, CTM_J_OBJ, err)) && !(rc = ctm_jc_only(&c, names, 3, err)))
		for (size_t i = 0; i < 3 && !rc; i++)
			if (ctm_jc_has(&c, names[i], &v))
				rc = ctm_jc_int(&c, names[i], 1, 1000000, values[i], err);
	if (!rc)
		*out = l;
	return rc;
}

static void conf_head(struct ctm_buf *b, const char *user)
{
	ctm_buf_printf(b,
		"# Written by `ctm edge nginx`. Change ctm.json and write it again rather than editing here.\n"
		"# Start:  nginx -p DIRECTORY-OF-THIS-FILE -c nginx.conf\n"
		"daemon off;\n"
		"%s%s%s"
		"worker_processes 2;\n"
		"worker_rlimit_nofile 8192;\n"
		"pid nginx.pid;\n"
		"error_log logs/error.log warn;\n"
		"events { worker_connections 2048; }\n"
		"http {\n"
		"  types {\n"
		"    text/html html; application/json json; text/plain proof txt; text/css css; text/javascript js;\n"
		"    image/svg+xml svg; image/png png; application/pdf pdf;\n"
		"  }\n"
		"  default_type application/octet-stream;\n"
		"  charset utf-8;\n"
		"  access_log off;\n"
		"  server_tokens off;\n"
		"  sendfile on;\n"
		"  client_body_temp_path tmp/body; proxy_temp_path tmp/proxy; fastcgi_temp_path tmp/fastcgi; uwsgi_temp_path tmp/uwsgi; scgi_temp_path tmp/scgi;\n",
		user ? "user " : "", user ? user : "", user ? ";   # the owner of the state directory; only set when nginx is started by root\n" : "");
}

/* Rates are per unit where a client certificate says which one, so that a house or a factory behind one address is not one
 * client, and per address otherwise. The burst is what a client that was away may catch up with. */
static void conf_limits(struct ctm_buf *b, const struct admin_edge_limits *l)
{
	ctm_buf_printf(b,
		"\n"
		"  # Slow and greedy clients.\n"
		"  client_header_timeout 15s; client_body_timeout 20s; send_timeout 30s; keepalive_timeout 75s; keepalive_requests 100000;\n"
		"  client_header_buffer_size 2k; large_client_header_buffers 4 4k; client_max_body_size 256k; client_body_buffer_size 16k;\n"
		"  reset_timedout_connection on;\n"
		"  map $ssl_client_verify $who { SUCCESS $ssl_client_fingerprint; default $binary_remote_addr; }\n"
		"  limit_req_zone $who zone=device:8m rate=%lldr/s;\n"
		"  limit_req_zone $binary_remote_addr zone=public:4m rate=%lldr/s;\n"
		"  limit_conn_zone $binary_remote_addr zone=addr:4m;\n"
		"  limit_req_status 429; limit_conn_status 429;\n"
		"  limit_conn addr %lld;\n"
		"  # A client certificate of somebody else's authority: 1. Only enrolment lets it in, where the platform looks whether a maker's factory issued it.\n"
		"  map $ssl_client_verify $ctm_stranger { default 1; NONE 0; SUCCESS 0; }\n",
		(long long)l->device_rate, (long long)l->public_rate, (long long)l->connections);
}

/* The platform's doors: one server, or as many as member "instances" adds. One that is away is passed over at once and asked again at the
 * next request (max_fails=0: on this machine a refusal costs nothing, and a server that came back is not left aside). An idle
 * connection is left before the platform leaves it (30 s), so that no request meets a closing one. */
static void conf_upstreams(struct ctm_buf *b, const ctm_json *conf, const char *state)
{
	const ctm_json *others = ctm_json_get(conf, "instances");
	ctm_buf_printf(b, "\n  upstream ctm_device { server unix:%s/run/device.sock max_fails=0;", state);
	for (size_t i = 0; i < ctm_json_len(others); i++)
		ctm_buf_printf(b, " server unix:%s/run/device-%zu.sock max_fails=0;", state, i + 2);
	ctm_buf_printf(b, " keepalive %d; keepalive_requests 100000; keepalive_timeout 20s; }\n  upstream ctm_people { server %s max_fails=0;", UPSTREAM_KEPT,
		ctm_json_gets(conf, "listen"));
	for (size_t i = 0; i < ctm_json_len(others); i++)
		ctm_buf_printf(b, " server %s max_fails=0;", ctm_json_str(ctm_json_at(others, i)));
	ctm_buf_str(b, " keepalive 8; keepalive_timeout 20s; }\n");
}

/* A platform whose public address works on this machine only does not open its device port to others either. */
static const char *device_address(const char *public_url)
{
	char host[256];
	struct ctm_err none = { 0 };
	return !admin_url_host(public_url, host, sizeof host, &none) && (!strcasecmp(host, "localhost") || ctm_starts(host, "127.")) ? "127.0.0.1:" : "";
}

/* What every answer carries. The platform's own copies are hidden, so that each stands once. */
static void conf_security(struct ctm_buf *b, const char *indent, bool https)
{
	ctm_buf_printf(b,
		"%sadd_header X-Content-Type-Options nosniff always;\n"
		"%sadd_header Referrer-Policy same-origin always;\n", indent, indent);
	if (https)     /* HSTS binds the host name on all ports: never where people's pages are plain HTTP on the same name. */
		ctm_buf_printf(b, "%sadd_header Strict-Transport-Security \"max-age=31536000\" always;\n", indent);
}

static void conf_tls(struct ctm_buf *b, const char *address, int64_t port, bool https)
{
	ctm_buf_printf(b,
		"\n"
		"  server {\n"
		"    listen %s%lld ssl http2;\n"
		"    http2_max_concurrent_streams 32;\n"
		"    server_name _;\n"
		"    ssl_certificate server.pem;\n"
		"    ssl_certificate_key server.key;\n"
		"    ssl_protocols TLSv1.2 TLSv1.3;\n"
		"    ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305;\n"
		"    ssl_session_cache shared:ctm:2m; ssl_session_timeout 1h; ssl_session_tickets off;\n"
		"    # A client certificate is asked for and, if sent, must be good. Whether one is needed is said by each address.\n"
		"    ssl_client_certificate device-ca.pem;\n"
		"    ssl_verify_client optional_no_ca;\n"
		"    ssl_verify_depth 1;\n"
		"\n"
		"    # Too fast, or the platform is away: a plain sentence and when to come again, in place of nginx's own pages.\n"
		"    error_page 429 @slower;\n"
		"    error_page 502 504 = @away;\n", address, (long long)port);
	conf_security(b, "    ", https);
}

/* The client's own copies of these headers never pass: each is set here, to the truth or to nothing. */
static void conf_proxy(struct ctm_buf *b, bool device)
{
	ctm_buf_printf(b,
		"      proxy_http_version 1.1;\n"
		"      proxy_set_header Connection \"\";\n"
		"      proxy_set_header Host $http_host;\n"
		"      proxy_set_header X-Real-IP $remote_addr;\n"
		"      proxy_set_header X-Forwarded-For \"\";\n"
		"      proxy_set_header X-Client-Verify %s;\n"
		"      proxy_set_header X-Client-Fingerprint %s;\n"
		"      proxy_set_header X-Client-Cert %s;\n"
		"      proxy_hide_header X-Content-Type-Options; proxy_hide_header Referrer-Policy; proxy_hide_header Strict-Transport-Security;\n"
		"      proxy_connect_timeout 3s; proxy_send_timeout 30s; proxy_read_timeout 60s;\n",
		device ? "$ssl_client_verify" : "\"\"", device ? "$ssl_client_fingerprint" : "\"\"", device ? "$ssl_client_escaped_cert" : "\"\"");
}

static void conf_device(struct ctm_buf *b, const struct admin_edge_limits *l)
{
	static const struct { const char *path, *guard; } doors[] = {
		{ "^~ /d/", "      if ($ctm_stranger) { return 400 \"This client certificate was not issued by the device CA.\\n\"; }\n" },
		{ "^~ /.well-known/est/", "" },
	};
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
		ctm_buf_printf(b,
			"\n"
			"    location %s {\n"
			"      default_type text/plain;\n"
			"%s"
			"      limit_req zone=device burst=%lld nodelay;\n"
			"      proxy_pass http://ctm_device;\n", doors[i].path, doors[i].guard, (long long)l->device_rate * 2);
		conf_proxy(b, true);
		ctm_buf_str(b, "    }\n");
	}
}

#define CSP_PUBLIC "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

/* Each address names its one file, so that a request opens it once and looks nowhere else. An inner error_page hides the outer
 * ones, hence all three. */
static void conf_static(struct ctm_buf *b, const struct admin_edge_limits *l, const char *public, bool https)
{
	static const struct { const char *match, *way, *file, *type, *extra; } files[] = {
		{ "^/p/([A-Za-z0-9_-]+)$", "alias", "/p/$1.html", "text/html", "add_header Content-Security-Policy \"" CSP_PUBLIC "\" always;" },
		{ "^/p/[A-Za-z0-9_-]+\\.(json|proof)$", "root", "", "text/plain", "add_header Content-Security-Policy \"" CSP_PUBLIC "\" always;" },
		{ "^/log/(checkpoint|tile/.*)$", "root", "", "text/plain", "add_header Access-Control-Allow-Origin *;" },
	};
	ctm_buf_str(b, "\n    # Public records and the transparency log: signed, static files. What is not there yet is asked of the platform.\n");
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		ctm_buf_printf(b,
			"    location ~ %s {\n"
			"      limit_except GET { deny all; }\n"
			"      limit_req zone=public burst=%lld nodelay;\n"
			"      %s %s%s;\n"
			"      default_type %s;\n"
			"      log_not_found off;\n"
			"      error_page 404 = @people; error_page 429 @slower; error_page 502 504 = @away;\n"
			"      add_header Cache-Control no-cache;\n"
			"      %s\n", files[i].match, (long long)l->public_rate * 4,
			files[i].way, public, files[i].file, files[i].type, files[i].extra);
		conf_security(b, "      ", https);
		ctm_buf_str(b, "    }\n");
	}
}

/* Update repositories: signed files of any size, in pieces if asked; the platform has no part in it. */
static void conf_updates(struct ctm_buf *b, const struct admin_edge_limits *l, const char *public, bool https)
{
	ctm_buf_printf(b,
		"    location ^~ /tuf/ {\n"
		"      limit_except GET { deny all; }\n"
		"      limit_req zone=public burst=%lld nodelay;\n"
		"      root %s;\n"
		"      disable_symlinks on from=$document_root;\n"
		"      add_header Cache-Control no-cache always;\n", (long long)l->public_rate * 4, public);
	conf_security(b, "      ", https);
	ctm_buf_str(b, "    }\n");
}

static void conf_public(struct ctm_buf *b, const struct admin_edge_limits *l)
{
	static const char *const asked[] = { "^~ /assets/", "~ ^/(p|log|\\.well-known|security)/" };
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		ctm_buf_printf(b,
			"    location %s {\n"
			"      limit_except GET { deny all; }\n"
			"      limit_req zone=public burst=%lld nodelay;\n"
			"      proxy_pass http://ctm_people;\n", asked[i], (long long)l->public_rate * 4);
		conf_proxy(b, false);
		ctm_buf_str(b, "    }\n");
	}
	ctm_buf_str(b,
		"    location @people {\n"
		"      proxy_pass http://ctm_people;\n");
	conf_proxy(b, false);
	ctm_buf_str(b, "    }\n");
}

static void conf_tail(struct ctm_buf *b, bool https)
{
	static const struct { const char *name, *seconds; int status; const char *words; } asides[] = {
		{ "@slower", "1", 429, "Too many requests from this address. Nothing was kept; try again in a second." },
		{ "@away", "5", 503, "The platform is not running at the moment. Nothing was kept; try again in a few seconds." },
	};
	for (size_t i = 0; i < sizeof asides / sizeof *asides; i++) {
		ctm_buf_printf(b,
			"    location %s {\n"
			"      default_type text/plain;\n"
			"      add_header Retry-After %s always;\n", asides[i].name, asides[i].seconds);
		conf_security(b, "      ", https);
		ctm_buf_printf(b, "      return %d \"%s\\n\";\n    }\n", asides[i].status, asides[i].words);
	}
	ctm_buf_str(b, "    location / { return 404; }\n  }\n}\n");
}

static const char *owner(const char *dir)
{
	struct stat st;
	if (geteuid() || stat(dir, &st))
		return NULL;
	const struct passwd *pw = getpwuid(st.st_uid);
	return pw ? pw->pw_name : NULL;
}

static int write_conf(const char *state, const char *out, const ctm_json *conf, struct ctm_err *err)
{
	char real[4096], sock[4200], public[4200], path[ADMIN_PATH];
	if (!realpath(state, real))
		return ctm_fail(err, CTM_E_IO, "--state", NULL, "%s cannot be resolved", state);
	snprintf(sock, sizeof sock, "%s/run/device-%zu.sock", real, ctm_json_len(ctm_json_get(conf, "instances")) + 1);    /* the longest of them */
	snprintf(public, sizeof public, "%s/public", real);
	int rc = check_plain(real, err);
	if (!rc && strlen(sock) >= 108)
		rc = ctm_fail(err, CTM_E_INPUT, "--state", NULL, "the path %s is too long for a unix socket; use a state directory with a shorter name", real);
	if (rc)
		return rc;
	const char *url = ctm_json_gets(conf, "public_url");
	bool https = ctm_starts(url, "https://");
	struct admin_edge_limits l;
	if ((rc = admin_edge_limits(conf, &l, err)))
		return rc;
	CTM_AUTO_BUF b = CTM_BUF(65536);
	conf_head(&b, owner(real));
	conf_limits(&b, &l);
	conf_upstreams(&b, conf, real);
	conf_tls(&b, device_address(url), ctm_json_geti(conf, "device_port", 8443), https);
	conf_device(&b, &l);
	conf_static(&b, &l, public, https);
	conf_updates(&b, &l, public, https);
	conf_public(&b, &l);
	conf_tail(&b, https);
	if ((rc = ctm_buf_err(&b, "nginx.conf", err)))
		return rc;
	return ctm_file_write(admin_path(out, "nginx.conf", path), b.p, b.len, 0644, err);
}

static int copy_file(const char *from_dir, const char *to_dir, const char *name, unsigned mode, struct ctm_err *err)
{
	char from[ADMIN_PATH], to[ADMIN_PATH];
	CTM_AUTO_BUF b = CTM_BUF(65536);
	int rc = ctm_file_read(admin_path(from_dir, name, from), 65536, &b, err);
	return rc ? rc : ctm_file_write(admin_path(to_dir, name, to), b.p, b.len, mode, err);
}

static int edge(const char *state, const char *given, struct ctm_err *err)
{
	char own[ADMIN_PATH], path[ADMIN_PATH];
	CTM_AUTO_JSON *conf = NULL;
	CTM_AUTO_JSON *trust = NULL;
	bool made = false;
	const char *out = given ? given : admin_path(state, "edge", own);
	int rc = admin_conf(state, &conf, err);
	if (!rc)
		rc = ctm_json_load(admin_path(state, "trust.json", path), 65536, &trust, err);
	const char *ca = ctm_json_gets(trust, "device_ca");
	if (!rc && !ca)
		rc = ctm_fail(err, CTM_E_INPUT, "/device_ca", NULL, "trust.json holds no device CA");
	if (!rc)
		rc = admin_edge_cert(state, conf, NULL, ca, &made, err);
	if (!rc)
		rc = ctm_mkdirs(admin_path(out, "logs", path), 0700, err);
	if (!rc)
		rc = ctm_mkdirs(admin_path(out, "tmp", path), 0700, err);
	if (!rc && given) {
		rc = copy_file(admin_path(state, "edge", own), given, "server.pem", 0644, err);
		if (!rc)
			rc = copy_file(own, given, "server.key", 0600, err);
	}
	if (!rc)
		rc = ctm_file_write(admin_path(out, "device-ca.pem", path), ca, strlen(ca), 0644, err);
	if (!rc)
		rc = write_conf(state, out, conf, err);
	if (!rc)
		printf("wrote %s/nginx.conf%s\nstart it with: nginx -p %s -c nginx.conf -e stderr\n", out, made ? " and a new certificate" : "", out);
	return rc;
}

int admin_edge(int argc, char **argv)
{
	const char *state = "./var", *out = NULL, *args[1] = { NULL };
	struct ctm_err err = { 0 };
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "State directory (default ./var).", &state, NULL },
		{ "out", "DIR", "Write here instead of DIR/edge.", &out, NULL },
	};
	const struct ctm_cmd cmd = { "edge", "nginx", "Write the nginx configuration of the device port: TLS, client certificates under the device CA, rate limits, public files.",
		opts, sizeof opts / sizeof *opts, 1, 1 };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	if (!rc && !ctm_streq(args[0], "nginx"))
		rc = ctm_fail(&err, CTM_E_USAGE, "EDGE", NULL, "\"%s\" is not known; the edge is nginx: ctm edge nginx", args[0]);
	if (!rc)
		rc = edge(state, out, &err);
	return rc ? ctm_cli_die("edge", &err) : 0;
}
