/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP client (libcurl): pinned roots, no redirects unless asked, target allow-list, bounded answers, time-outs. One
 * handle per thread; connections are kept alive inside it.
 */
#ifndef CTM_NET_CLIENT_H
#define CTM_NET_CLIENT_H
#include "base/buf.h"
#include "base/json.h"
#include <stdbool.h>

struct ctm_http;
struct ctm_http_conf {
	const char *base;            /* "http://127.0.0.1:8080"; paths are appended */
	const char *bearer;          /* may be NULL */
	const char *ca_pem;          /* pinned root for https; NULL: https is refused */
	const char *resolve_host, *resolve_ip;   /* optional: connect host name to this address */
	const char *client_cert_path, *client_key_path;  /* mutual TLS */
	bool insecure;               /* the lab only: talk to a device before judging its certificate */
	int timeout_ms;
	size_t answer_max;
};
struct ctm_answer { int status; char type[96]; char location[512]; int retry_after_s; struct ctm_buf body; };

CTM_CHECK int ctm_http_new(const struct ctm_http_conf *conf, struct ctm_http **out, struct ctm_err *err);  /* INPUT for a base or certificate that cannot be used */
void ctm_http_free(struct ctm_http *h);
void ctm_http_bearer(struct ctm_http *h, const char *token);  /* copied; NULL: without */
/* One exchange. 0 whenever an HTTP answer came (any status); IO, TIMEOUT, VERIFY (TLS), TOOBIG. type NULL without body. */
CTM_CHECK int ctm_http_do(struct ctm_http *h, const char *method, const char *path, const char *type, const void *body, size_t n, struct ctm_answer *a, struct ctm_err *err);
/* JSON in, JSON out; statuses of 400 and above become an error with the problem's field, rule and detail. out may be NULL. */
CTM_CHECK int ctm_http_json(struct ctm_http *h, const char *method, const char *path, const ctm_json *body, ctm_json **out, struct ctm_err *err);
void ctm_answer_free(struct ctm_answer *a);

#endif
