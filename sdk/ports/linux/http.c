/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP heads: see http.h. A head is split into lines at CRLF only; each header goes through one table of the names that matter.
 */
#include "http.h"
#include <string.h>

struct span {
	const char *p;
	size_t n;
};

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is(struct span s, const char *name)
{
	size_t n = strlen(name);

	if (s.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(s.p[i]) != name[i])
			return false;
	return true;
}

static bool copy(char *out, size_t cap, struct span s)
{
	if (s.n >= cap)
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = 0;
	return true;
}

/* A plain number of at most 12 digits. */
static bool number(struct span s, int64_t *out)
{
	int64_t v = 0;

	if (!s.n || s.n > 12)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*out = v;
	return true;
}

/* Bytes of the head with its blank line; 0 when it has not all come. */
static size_t head_end(const char *p, size_t n)
{
	for (size_t i = 0; i + 3 < n; i++)
		if (p[i] == '\r' && p[i + 1] == '\n' && p[i + 2] == '\r' && p[i + 3] == '\n')
			return i + 4;
	return 0;
}

/* The next line, without its CRLF. False on a control character in it. */
static bool next_line(const char *p, size_t n, size_t *at, struct span *line)
{
	size_t i = *at;

	while (i + 1 < n && !(p[i] == '\r' && p[i + 1] == '\n')) {
		unsigned char c = (unsigned char)p[i];

		if ((c < 0x20 && c != '\t') || c >= 0x7f)
			return false;
		i++;
	}
	if (i + 1 >= n)
		return false;
	*line = (struct span){ p + *at, i - *at };
	*at = i + 2;
	return true;
}

static bool split_header(struct span line, struct span *name, struct span *value)
{
	size_t i = 0;

	while (i < line.n && is_token(line.p[i]))
		i++;
	if (!i || i >= line.n || line.p[i] != ':')
		return false;
	*name = (struct span){ line.p, i };
	i++;
	while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'))
		i++;
	*value = (struct span){ line.p + i, line.n - i };
	while (value->n && (value->p[value->n - 1] == ' ' || value->p[value->n - 1] == '\t'))
		value->n--;
	return true;
}

/* Parts between slashes are made of unreserved characters and are not "", "." or "..". */
static bool path_ok(const char *path)
{
	const char *part = path + 1;

	if (path[0] != '/')
		return false;
	if (!path[1])
		return true;
	for (const char *s = part;; s++) {
		if (*s == '/' || !*s) {
			size_t n = (size_t)(s - part);

			if (!n || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
				return false;
			part = s + 1;
			if (!*s)
				return true;
		} else if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr("-._~", *s))) {
			return false;
		}
	}
}

static int request_line(struct span line, struct http_req *q)
{
	const char *sp1 = memchr(line.p, ' ', line.n), *sp2, *mark;
	struct span target;

	if (!sp1)
		return 400;
	sp2 = memchr(sp1 + 1, ' ', line.n - (size_t)(sp1 + 1 - line.p));
	if (!sp2)
		return 400;
	for (const char *s = line.p; s < sp1; s++)
		if (*s < 'A' || *s > 'Z')
			return 400;
	if (sp1 == line.p)
		return 400;
	if (!copy(q->method, sizeof q->method, (struct span){ line.p, (size_t)(sp1 - line.p) }))
		return 501;
	target = (struct span){ sp1 + 1, (size_t)(sp2 - sp1 - 1) };
	mark = target.n ? memchr(target.p, '?', target.n) : NULL;
	if (mark && !copy(q->query, sizeof q->query, (struct span){ mark + 1, target.n - (size_t)(mark + 1 - target.p) }))
		return 414;
	if (mark)
		target.n = (size_t)(mark - target.p);
	if (!copy(q->path, sizeof q->path, target))
		return 414;
	if (!path_ok(q->path))
		return 400;
	target = (struct span){ sp2 + 1, line.n - (size_t)(sp2 + 1 - line.p) };
	if (target.n == 8 && memcmp(target.p, "HTTP/1.1", 8) == 0) {
		q->keep_alive = true;
		return 0;
	}
	return target.n == 8 && memcmp(target.p, "HTTP/1.0", 8) == 0 ? 0 : target.n > 5 && memcmp(target.p, "HTTP/", 5) == 0 ? 505 : 400;
}

static void content_type(struct span v, struct http_req *q)
{
	size_t n = 0;

	for (; n < v.n && n + 1 < sizeof q->content_type && v.p[n] != ';' && v.p[n] != ' '; n++)
		q->content_type[n] = lower(v.p[n]);
	q->content_type[n] = 0;
}

enum { HAS_HOST = 1, HAS_LENGTH = 2, HAS_AUTH = 4 };

static int header(struct span name, struct span value, struct http_req *q, unsigned *seen)
{
	unsigned bit = is(name, "host") ? HAS_HOST : is(name, "content-length") ? HAS_LENGTH : is(name, "authorization") ? HAS_AUTH : 0;

	if (*seen & bit)
		return 400;
	*seen |= bit;
	if (bit == HAS_LENGTH)
		return number(value, &q->length) ? 0 : 400;
	if (is(name, "transfer-encoding"))
		return 411;
	if (is(name, "connection")) {
		if (is(value, "close"))
			q->keep_alive = false;
	} else if (is(name, "expect")) {
		if (!is(value, "100-continue"))
			return 417;
		q->expects = true;
	} else if (bit == HAS_AUTH) {
		if (value.n > 7 && is((struct span){ value.p, 7 }, "bearer ") &&
		    !copy(q->bearer, sizeof q->bearer, (struct span){ value.p + 7, value.n - 7 }))
			return 431;
	} else if (is(name, "content-type")) {
		content_type(value, q);
	}
	return 0;
}

int http_parse_request(const char *p, size_t n, struct http_req *out, size_t *headlen)
{
	size_t end = head_end(p, n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX), at = 0, count = 0;
	struct http_req q;
	struct span line, name, value;
	unsigned seen = 0;
	int rc;

	if (!end)
		return n >= HTTP_HEAD_MAX ? 431 : 1;
	memset(&q, 0, sizeof q);
	if (!next_line(p, end, &at, &line))
		return 400;
	if ((rc = request_line(line, &q)))
		return rc;
	for (;;) {
		if (!next_line(p, end, &at, &line))
			return 400;
		if (!line.n)
			break;
		if (++count > HTTP_HEADERS_MAX)
			return 431;
		if (!split_header(line, &name, &value))
			return 400;
		if ((rc = header(name, value, &q, &seen)))
			return rc;
	}
	if (at != end || !(seen & HAS_HOST))
		return 400;
	*out = q;
	*headlen = end;
	return 0;
}

int http_parse_response(const char *p, size_t n, struct http_res *out, size_t *headlen)
{
	size_t end = head_end(p, n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX), at = 0;
	struct http_res r = { 0, -1 };
	struct span line, name, value;
	int64_t status = 0;

	if (!end)
		return n >= HTTP_HEAD_MAX ? -1 : 1;
	if (!next_line(p, end, &at, &line) || line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 || line.p[8] != ' ' ||
	    !number((struct span){ line.p + 9, 3 }, &status) || status < 200 || status > 599 || (line.n > 12 && line.p[12] != ' '))
		return -1;
	r.status = (int)status;
	while (next_line(p, end, &at, &line) && line.n) {
		if (!split_header(line, &name, &value) || is(name, "transfer-encoding"))
			return -1;
		if (is(name, "content-length") && (r.length >= 0 || !number(value, &r.length)))
			return -1;
	}
	if (at != end)
		return -1;
	*out = r;
	*headlen = end;
	return 0;
}

const char *http_reason(int status)
{
	static const struct { int status; const char *text; } rows[] = {
		{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 408, "Request Timeout" }, { 409, "Conflict" }, { 411, "Length Required" }, { 413, "Content Too Large" },
		{ 414, "URI Too Long" }, { 417, "Expectation Failed" }, { 422, "Unprocessable Content" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 503, "Service Unavailable" }, { 505, "HTTP Version Not Supported" }, { 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].status == status)
			return rows[i].text;
	return "Other";
}
