/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP/1.1 heads (RFC 9112) as strictly as a device may read them: one spelling of each thing, everything bounded. Refused:
 * bare LF, white space before a colon, folded lines, absolute or asterisk targets, transfer codings, a length that is not one
 * plain number, Host or Content-Length or Authorization twice, NUL and other control characters. Bodies are plain bytes by
 * Content-Length. The parser allocates nothing and keeps no state.
 */
#ifndef CTM_PORT_LINUX_HTTP_H
#define CTM_PORT_LINUX_HTTP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX 8192
#define HTTP_HEADERS_MAX 48
#define HTTP_PATH_MAX 256
#define HTTP_TOKEN_MAX 128

struct http_req {
	char method[8];                 /* "GET", "PUT", "POST", "DELETE" or another word of capitals */
	char path[HTTP_PATH_MAX];       /* without query; begins with '/'; no percent sign, no "//", "." or ".." parts */
	char query[HTTP_PATH_MAX];      /* after '?', "" when none */
	char bearer[HTTP_TOKEN_MAX];    /* Authorization: Bearer ..., "" when none or another scheme */
	char content_type[64];          /* lower case, without parameters */
	int64_t length;                 /* Content-Length, 0 when absent */
	bool keep_alive;
	bool expects;                   /* Expect: 100-continue */
};

/* Parse the head at p. 0: complete, *headlen bytes; 1: more bytes are needed; else the HTTP status to refuse with (400, 411,
 * 414, 417, 431, 501, 505). */
int http_parse_request(const char *p, size_t n, struct http_req *out, size_t *headlen);

struct http_res {
	int status;
	int64_t length;                 /* -1: until the connection closes */
};
/* A server's answer to a request of HTTP/1.0. 0 complete, 1 more, -1 malformed or in a transfer coding. */
int http_parse_response(const char *p, size_t n, struct http_res *out, size_t *headlen);

const char *http_reason(int status);  /* "Not Found"; never NULL */

#endif
