/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP client over libcurl. Narrow on purpose: http and https only, no redirects, no proxy, no cookies, no netrc, no
 * environment; https needs a root that the caller gives (the system's roots are never used), or the caller's explicit
 * `insecure` for talking to a device before judging it. Bodies are bounded while they arrive; header lines are bounded by
 * the library. A retry is the caller's decision.
 */
#include "net/client.h"
#include "base/text.h"
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define JSON_ANSWER_MAX (8 << 20)
#define BODY_MAX (256u << 20)
#define URL_MAX 2048

struct ctm_http {
	CURL *curl;
	struct curl_slist *resolve;
	char base[512];
	char bearer[256];
	size_t answer_max;
	int timeout_ms;
	char error[CURL_ERROR_SIZE];
};

struct ctm_got { struct ctm_answer *a; bool too_big; };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode started;

static void start(void) { started = curl_global_init(CURL_GLOBAL_DEFAULT); }

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct ctm_got *g = arg;
	ctm_buf_add(&g->a->body, p, size * n);
	g->too_big = g->a->body.failed != 0;
	return g->too_big ? 0 : size * n;
}

/* Copy a header's value when the line is that header. */
static void take_header(const char *line, size_t n, const char *name, char *out, size_t cap)
{
	size_t k = strlen(name);
	if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
		return;
	const char *v = line + k + 1, *end = line + n;
	while (v < end && (*v == ' ' || *v == '\t'))
		v++;
	while (end > v && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
		end--;
	if ((size_t)(end - v) >= cap || !ctm_text_printable(v, (size_t)(end - v)))
		return;
	memcpy(out, v, (size_t)(end - v));
	out[end - v] = 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct ctm_answer *a = ((struct ctm_got *)arg)->a;
	char retry[16] = "";
	int64_t s = 0;
	take_header(p, size * n, "Content-Type", a->type, sizeof a->type);
	take_header(p, size * n, "Location", a->location, sizeof a->location);
	take_header(p, size * n, "Retry-After", retry, sizeof retry);
	if (retry[0] && ctm_parse_i64(retry, 0, 86400, &s) == 0)
		a->retry_after_s = (int)s;
	return size * n;
}

static CURLcode set_roots(CURL *c, const struct ctm_http_conf *f)
{
	CURLcode e = curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	if (!e)
		e = curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	if (!e && f->ca_pem) {
		struct curl_blob b = { (void *)(uintptr_t)f->ca_pem, strlen(f->ca_pem), CURL_BLOB_COPY };
		e = curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &b);
	}
	if (!e)
		e = curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)(f->insecure ? CURL_SSLVERSION_TLSv1_0 : CURL_SSLVERSION_TLSv1_2));
	if (!e && f->insecure) {                   /* also a device that speaks obsolete TLS must be reachable to be judged */
		e = curl_easy_setopt(c, CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0");
		e = e ? e : curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		e = e ? e : curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (!e && f->client_cert_path) {
		e = curl_easy_setopt(c, CURLOPT_SSLCERT, f->client_cert_path);
		e = e ? e : curl_easy_setopt(c, CURLOPT_SSLKEY, f->client_key_path);
	}
	return e;
}

static CURLcode set_always(struct ctm_http *h, const struct ctm_http_conf *f)
{
	CURL *c = h->curl;
	bool https = ctm_starts(f->base, "https:");
	CURLcode e = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, https ? "https" : "http");
	e = e ? e : curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	e = e ? e : curl_easy_setopt(c, CURLOPT_PROXY, "");
	e = e ? e : curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	e = e ? e : curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	e = e ? e : curl_easy_setopt(c, CURLOPT_PATH_AS_IS, 1L);
	e = e ? e : curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	e = e ? e : curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)h->timeout_ms);
	e = e ? e : curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)h->timeout_ms);
	e = e ? e : curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->error);
	e = e ? e : curl_easy_setopt(c, CURLOPT_USERAGENT, "ctm");
	e = e ? e : curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	e = e ? e : curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	return e ? e : set_roots(c, f);
}

/* "host:port:ip" for both default ports and the one in base, so that the name goes to the given address. */
static bool set_resolve(struct ctm_http *h, const struct ctm_http_conf *f)
{
	char row[256];
	if (!f->resolve_host || !f->resolve_ip)
		return true;
	const char *at = strstr(h->base, "://"), *port = at ? strrchr(at + 3, ':') : NULL;
	int64_t n = ctm_starts(h->base, "https:") ? 443 : 80;
	if (port && port[1] && !strchr(port, ']') && ctm_parse_i64(port + 1, 1, 65535, &n))
		return false;
	if (snprintf(row, sizeof row, "%s:%d:%s", f->resolve_host, (int)n, f->resolve_ip) >= (int)sizeof row)
		return false;
	h->resolve = curl_slist_append(NULL, row);
	return h->resolve && curl_easy_setopt(h->curl, CURLOPT_RESOLVE, h->resolve) == CURLE_OK;
}

int ctm_http_new(const struct ctm_http_conf *f, struct ctm_http **out, struct ctm_err *err)
{
	bool https = ctm_starts(f->base, "https://");
	if (!https && !ctm_starts(f->base, "http://"))
		return ctm_fail(err, CTM_E_INPUT, "url", NULL, "the address must start with http:// or https://");
	if (https && !f->ca_pem && !f->insecure)
		return ctm_fail(err, CTM_E_INPUT, "ca", NULL, "https needs the root certificate that the server must have");
	pthread_once(&once, start);
	struct ctm_http *h = calloc(1, sizeof *h);
	if (!h || started != CURLE_OK || !(h->curl = curl_easy_init())) {
		free(h);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the HTTP client cannot be started");
	}
	h->timeout_ms = f->timeout_ms > 0 ? f->timeout_ms : 10000;
	h->answer_max = f->answer_max ? f->answer_max : JSON_ANSWER_MAX;
	bool good = ctm_copy(h->base, sizeof h->base, f->base) && ctm_copy(h->bearer, sizeof h->bearer, f->bearer ? f->bearer : "");
	size_t n = strlen(h->base);
	if (n && h->base[n - 1] == '/')
		h->base[n - 1] = 0;
	if (!good || set_always(h, f) != CURLE_OK || !set_resolve(h, f)) {
		ctm_http_free(h);
		return ctm_fail(err, CTM_E_INPUT, "url", NULL, "the address or the certificates cannot be used");
	}
	*out = h;
	return 0;
}

void ctm_http_free(struct ctm_http *h)
{
	if (!h)
		return;
	curl_easy_cleanup(h->curl);
	curl_slist_free_all(h->resolve);
	explicit_bzero(h->bearer, sizeof h->bearer);
	free(h);
}

void ctm_http_bearer(struct ctm_http *h, const char *token)
{
	if (!ctm_copy(h->bearer, sizeof h->bearer, token ? token : ""))
		h->bearer[0] = 0;                      /* half a token is no token */
}

void ctm_answer_free(struct ctm_answer *a) { ctm_buf_free(&a->body); }

/* One line of a header list, "NAME:VALUE" (an empty value takes a header of the library away). Keeps the list on failure. */
static bool add_line(struct curl_slist **list, const char *name, const char *value)
{
	char line[512];
	if (snprintf(line, sizeof line, "%s:%s%s", name, *value ? " " : "", value) >= (int)sizeof line)
		return false;
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (longer)
		*list = longer;
	return longer != NULL;
}

static bool safe_word(const char *s) { return s[strcspn(s, "\r\n\t ")] == 0; }

static CURLcode set_request(struct ctm_http *h, const char *method, const char *path, const char *type, const void *body, size_t n,
	struct curl_slist **headers)
{
	char url[URL_MAX];
	if (path[0] != '/' || !safe_word(path) || !safe_word(method) || (type && type[strcspn(type, "\r\n")]) || n > BODY_MAX
		|| snprintf(url, sizeof url, "%s%s", h->base, path) >= (int)sizeof url)
		return CURLE_URL_MALFORMAT;
	char auth[sizeof h->bearer + 8];
	snprintf(auth, sizeof auth, "Bearer %s", h->bearer);
	bool good = add_line(headers, "Accept", "application/json, */*") && add_line(headers, "Expect", "")
		&& add_line(headers, "Content-Type", type ? type : "")
		&& (!h->bearer[0] || (safe_word(h->bearer) && add_line(headers, "Authorization", auth)));
	explicit_bzero(auth, sizeof auth);
	CURLcode e = good ? curl_easy_setopt(h->curl, CURLOPT_URL, url) : CURLE_OUT_OF_MEMORY;
	e = e ? e : curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, *headers);
	e = e ? e : curl_easy_setopt(h->curl, CURLOPT_NOBODY, 0L);
	if (type || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
		e = e ? e : curl_easy_setopt(h->curl, CURLOPT_POST, 1L);
		e = e ? e : curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
		e = e ? e : curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body && n ? body : "");
	} else {
		e = e ? e : curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L);
	}
	if (strcmp(method, "HEAD") == 0)
		return e ? e : curl_easy_setopt(h->curl, CURLOPT_NOBODY, 1L);
	return e ? e : curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, method);
}

static int explain(struct ctm_http *h, CURLcode e, bool too_big, struct ctm_err *err)
{
	const char *why = h->error[0] ? h->error : curl_easy_strerror(e);
	if (too_big)
		return ctm_fail(err, CTM_E_TOOBIG, h->base, NULL, "the answer of %s is larger than %zu bytes", h->base, h->answer_max);
	switch (e) {
	case CURLE_OPERATION_TIMEDOUT:
		return ctm_fail(err, CTM_E_TIMEOUT, h->base, NULL, "%s did not answer within %d ms", h->base, h->timeout_ms);
	case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CONNECT_ERROR: case CURLE_SSL_CERTPROBLEM: case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE: case CURLE_SSL_ISSUER_ERROR:
		return ctm_fail(err, CTM_E_VERIFY, h->base, NULL, "no trusted connection to %s: %s", h->base, why);
	case CURLE_URL_MALFORMAT:
		return ctm_fail(err, CTM_E_INPUT, h->base, NULL, "the request's address, method, type or size cannot be sent");
	case CURLE_OUT_OF_MEMORY:
		return ctm_fail(err, CTM_E_NOMEM, h->base, NULL, "out of memory");
	default:
		return ctm_fail(err, CTM_E_IO, h->base, NULL, "%s cannot be reached: %s", h->base, why);
	}
}

int ctm_http_do(struct ctm_http *h, const char *method, const char *path, const char *type, const void *body, size_t n,
	struct ctm_answer *a, struct ctm_err *err)
{
	struct curl_slist *headers = NULL;
	struct ctm_answer got = { .body = CTM_BUF(h->answer_max) };
	struct ctm_got g = { &got, false };
	long status = 0;
	h->error[0] = 0;
	CURLcode e = set_request(h, method, path, type, body, n, &headers);
	e = e ? e : curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &g);
	e = e ? e : curl_easy_setopt(h->curl, CURLOPT_HEADERDATA, &g);
	e = e ? e : curl_easy_perform(h->curl);
	if (!e)
		curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);   /* the list below is freed */
	curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, NULL);
	for (struct curl_slist *l = headers; l; l = l->next)
		explicit_bzero(l->data, strlen(l->data));
	curl_slist_free_all(headers);
	if (e) {
		ctm_answer_free(&got);
		return explain(h, e, g.too_big, err);
	}
	got.status = (int)status;
	*a = got;
	return 0;
}

/* Which of our errors a status stands for. */
static int code_of(int status)
{
	static const struct { int status, code; } rows[] = {
		{ 400, CTM_E_SYNTAX }, { 401, CTM_E_AUTH }, { 403, CTM_E_FORBIDDEN }, { 404, CTM_E_NOTFOUND }, { 405, CTM_E_METHOD },
		{ 409, CTM_E_STATE }, { 413, CTM_E_TOOBIG }, { 415, CTM_E_UNSUPPORTED }, { 422, CTM_E_INPUT }, { 429, CTM_E_BUSY },
		{ 503, CTM_E_BUSY }, { 504, CTM_E_TIMEOUT },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].status == status)
			return rows[i].code;
	}
	return status >= 500 ? CTM_E_FAIL : CTM_E_INPUT;
}

/* Problem details (RFC 9457); `code`, where the server gives our own name, says more than the status. */
static int problem(const struct ctm_answer *a, const char *method, const char *path, const ctm_json *body, struct ctm_err *err)
{
	const char *name = ctm_json_gets(body, "code"), *detail = ctm_json_gets(body, "detail"), *title = ctm_json_gets(body, "title");
	const char *message = ctm_json_gets(body, "message");
	int code = name ? ctm_err_code(name) : CTM_E_FAIL;
	if (code == CTM_E_FAIL || code == 0)
		code = code_of(a->status);
	const char *said = detail ? detail : message ? message : title ? title : ctm_err_text(code);
	return ctm_fail(err, code, ctm_json_gets(body, "field"), ctm_json_gets(body, "rule"), "%s (%s %s answered %d)", said, method, path, a->status);
}

int ctm_http_json(struct ctm_http *h, const char *method, const char *path, const ctm_json *body, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_BUF text = CTM_BUF(JSON_ANSWER_MAX);
	CTM_AUTO_JSON *got = NULL;
	struct ctm_answer a;
	int rc = body ? ctm_json_compact(body, &text) : 0;
	if (rc)
		return ctm_fail(err, rc, "body", NULL, "the request cannot be written: %s", ctm_err_text(rc));
	rc = ctm_http_do(h, method, path, body ? "application/json" : NULL, text.p, text.len, &a, err);
	if (rc)
		return rc;
	struct ctm_err bad = { 0 };
	if (a.body.len > 0)
		rc = ctm_json_parse(a.body.p, a.body.len, h->answer_max, path, &got, &bad);
	if (a.status >= 400)
		rc = problem(&a, method, path, got, err);
	else if (rc)
		rc = ctm_fail(err, rc, bad.field, NULL, "%s", bad.msg);
	else if (a.status >= 300)
		rc = ctm_fail(err, CTM_E_UNSUPPORTED, "Location", NULL, "%s %s answered with a redirect, which is not followed", method, path);
	else if (out && !got)
		rc = (got = ctm_json_obj()) ? 0 : ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	ctm_answer_free(&a);
	if (rc)
		return rc;
	if (out) {
		*out = got;
		got = NULL;
	}
	return 0;
}
