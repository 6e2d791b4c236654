/* SPDX-License-Identifier: Apache-2.0 */
#include "http/router.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 1024
#define ROUTES_MAX 1024

struct ctm_router {
	struct ctm_compiled *rows;          /* in table order */
	const struct ctm_compiled **order;  /* in the order of matching */
	struct ctm_field *fields;           /* extended field lists, CTM_ROUTE_FIELDS + 1 per row */
	size_t n;
};

/* ---- building ---- */

static int row_fail(const struct ctm_route *r, struct ctm_err *err, const char *why)
{
	char where[128];
	snprintf(where, sizeof where, "%s %s", r->method, r->path);
	return ctm_fail(err, CTM_E_STATE, where, NULL, "route %s: %s", where, why);
}

static int field_index(const struct ctm_compiled *c, const char *name, size_t n)
{
	for (size_t i = 0; i < c->nfield; i++)
		if (strlen(c->row.in[i].name) == n && !memcmp(c->row.in[i].name, name, n))
			return (int)i;
	return -1;
}

/* The field of a {name}: the declared one, or one added here. Added names live in the segment's own text. */
static int param_field(struct ctm_compiled *c, struct ctm_field *fields, char *name, struct ctm_err *err)
{
	int i = field_index(c, name, strlen(name));
	if (i < 0) {
		if (c->nfield == CTM_ROUTE_FIELDS)
			return row_fail(&c->row, err, "too many fields");
		i = (int)c->nfield++;
		fields[i] = (struct ctm_field){ .name = name, .type = CTM_V_SERIAL, .max = 64, .help = "part of the address" };
		fields[i + 1] = (struct ctm_field){ 0 };
	}
	if (c->in_path[i])
		return row_fail(&c->row, err, "the same {name} twice");
	fields[i].flags |= CTM_F_REQUIRED;
	c->in_path[i] = true;
	return i;
}

static int compile_seg(struct ctm_compiled *c, struct ctm_field *fields, const char *p, size_t n, bool last, struct ctm_seg *s, struct ctm_err *err)
{
	s->field = -1;
	if (!(s->pre = strndup(p, n)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the route table");
	s->npre = n;
	char *open = strchr(s->pre, '{');
	if (!open)
		return strchr(s->pre, '}') ? row_fail(&c->row, err, "a } without a {") : 0;
	char *close = strchr(open, '}');
	if (!close || close == open + 1 || strpbrk(close + 1, "{}"))
		return row_fail(&c->row, err, "one {name} per segment");
	*open = *close = 0;                     /* pre, name and suffix share the one copy */
	s->npre = (size_t)(open - s->pre);
	s->suf = close + 1;
	s->nsuf = strlen(s->suf);
	int field = param_field(c, fields, open + 1, err);
	if (field < 0)
		return field;
	s->field = field;
	s->rest = last && !s->npre && !s->nsuf && fields[field].type == CTM_V_PATH;
	return 0;
}

static int compile_path(struct ctm_compiled *c, struct ctm_field *fields, struct ctm_err *err)
{
	const char *p = c->row.path;
	if (!p || *p != '/')
		return row_fail(&c->row, err, "a path begins with /");
	if (!p[1])
		return 0;
	while (*p == '/') {
		size_t n = strcspn(++p, "/");
		if (!n)
			return row_fail(&c->row, err, "an empty segment");
		if (c->nseg == CTM_ROUTE_SEGS)
			return row_fail(&c->row, err, "too many segments");
		int rc = compile_seg(c, fields, p, n, !p[n], &c->seg[c->nseg++], err);
		if (rc)
			return rc;
		p += n;
	}
	return 0;
}

static int compile_row(struct ctm_compiled *c, const struct ctm_route *row, struct ctm_field *fields, ctm_view_fn *view, struct ctm_err *err)
{
	c->row = *row;
	for (const struct ctm_field *f = row->in; f && f->name; f++) {
		if (c->nfield == CTM_ROUTE_FIELDS)
			return row_fail(row, err, "too many fields");
		fields[c->nfield++] = *f;
	}
	c->row.in = fields;
	if (!row->use_case || !row->method || !row->roles)
		return row_fail(row, err, "method, roles and use case are needed");
	int rc = compile_path(c, fields, err);
	if (rc)
		return rc;
	bool get = !strcmp(row->method, "GET");
	if (get && (row->flags & (CTM_R_WRITE | CTM_R_JSON | CTM_R_UPLOAD)))
		return row_fail(row, err, "a GET has no body and changes nothing");
	if ((row->flags & CTM_R_HTML) && row->view && *row->view) {
		if (!(c->view = view ? view(row->view) : NULL))
			return ctm_fail(err, CTM_E_STATE, row->view, NULL, "route %s %s: there is no page template named %s", row->method, row->path, row->view);
	} else if ((row->flags & CTM_R_HTML) && get) {
		return row_fail(row, err, "an HTML page needs a view");
	}
	return 0;
}

static int seg_weight(const struct ctm_seg *s)
{
	return s->field < 0 ? 1 << 20 : s->rest ? 0 : 1 + (int)(s->npre + s->nsuf);
}

static int by_weight(const void *a, const void *b)
{
	const struct ctm_compiled *x = *(const struct ctm_compiled *const *)a, *y = *(const struct ctm_compiled *const *)b;
	for (size_t i = 0; i < x->nseg && i < y->nseg; i++) {
		int d = seg_weight(&y->seg[i]) - seg_weight(&x->seg[i]);
		if (d)
			return d;
	}
	if (x->nseg != y->nseg)
		return x->nseg < y->nseg ? 1 : -1;
	return x < y ? -1 : x > y;
}

static bool same_requests(const struct ctm_compiled *a, const struct ctm_compiled *b)
{
	if (a->nseg != b->nseg || strcmp(a->row.method, b->row.method) || (a->row.flags & CTM_R_DEVICE) != (b->row.flags & CTM_R_DEVICE))
		return false;
	for (size_t i = 0; i < a->nseg; i++) {
		const struct ctm_seg *x = &a->seg[i], *y = &b->seg[i];
		if ((x->field < 0) != (y->field < 0) || x->rest != y->rest || strcmp(x->pre, y->pre) || strcmp(x->suf ? x->suf : "", y->suf ? y->suf : ""))
			return false;
	}
	return true;
}

/* The page to show again when a form is refused. */
static bool is_twin(const struct ctm_compiled *post, const struct ctm_compiled *get)
{
	if (!get->view || strcmp(get->row.method, "GET") || strcmp(get->row.view, post->row.view))
		return false;
	for (size_t i = 0; i < get->nfield; i++) {
		const char *name = get->row.in[i].name;
		int j = field_index(post, name, strlen(name));
		if (get->in_path[i] && (j < 0 || !post->in_path[j]))
			return false;
	}
	return true;
}

static int link_rows(struct ctm_router *r, struct ctm_err *err)
{
	for (size_t i = 0; i < r->n; i++) {
		struct ctm_compiled *c = &r->rows[i];
		for (size_t j = 0; j < i; j++)
			if (same_requests(c, &r->rows[j]))
				return row_fail(&c->row, err, "two rows answer the same requests");
		for (size_t j = 0; j < r->n && c->view && strcmp(c->row.method, "GET") && !c->twin; j++)
			if (is_twin(c, &r->rows[j]))
				c->twin = &r->rows[j];
		r->order[i] = c;
	}
	qsort(r->order, r->n, sizeof *r->order, by_weight);
	return 0;
}

int ctm_router_new(const struct ctm_routes *const *tables, size_t n, ctm_view_fn *view, struct ctm_router **out, struct ctm_err *err)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += tables[i]->n;
	if (!total || total > ROUTES_MAX)
		return ctm_fail(err, CTM_E_STATE, NULL, NULL, "the route table must have 1 to %d rows", ROUTES_MAX);
	struct ctm_router *r = calloc(1, sizeof *r);
	if (!r || !(r->rows = calloc(total, sizeof *r->rows)) || !(r->order = calloc(total, sizeof *r->order)) ||
	    !(r->fields = calloc(total * (CTM_ROUTE_FIELDS + 1), sizeof *r->fields))) {
		ctm_router_free(r);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the route table");
	}
	int rc = 0;
	for (size_t i = 0; i < n && !rc; i++)
		for (size_t j = 0; j < tables[i]->n && !rc; j++, r->n += !rc) {
			rc = compile_row(&r->rows[r->n], &tables[i]->rows[j], r->fields + r->n * (CTM_ROUTE_FIELDS + 1), view, err);
			if (rc)
				r->n++;     /* so that free sees its segments */
		}
	if (!rc)
		rc = link_rows(r, err);
	if (rc) {
		ctm_router_free(r);
		return rc;
	}
	*out = r;
	return 0;
}

void ctm_router_free(struct ctm_router *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		for (size_t j = 0; j < r->rows[i].nseg; j++)
			free(r->rows[i].seg[j].pre);
	free(r->rows);
	free(r->order);
	free(r->fields);
	free(r);
}

size_t ctm_router_count(const struct ctm_router *r) { return r->n; }
const struct ctm_compiled *ctm_router_at(const struct ctm_router *r, size_t i) { return &r->rows[i]; }

/* ---- matching ---- */

struct path { const char *seg[CTM_ROUTE_SEGS * 2]; size_t len[CTM_ROUTE_SEGS * 2]; size_t n; };

static int bad_path(struct ctm_err *err, const char *why)
{
	return ctm_fail(err, CTM_E_SYNTAX, NULL, NULL, "the address is malformed: %s", why);
}

static int decode_seg(const char *p, size_t n, struct ctm_arena *arena, struct path *out, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(PATH_MAX_BYTES);
	if (!n)
		return bad_path(err, "an empty segment");
	if (ctm_url_unescape(p, n, false, &b) || !b.len)
		return bad_path(err, "a bad percent escape");
	if (memchr(b.p, 0, b.len) || memchr(b.p, '/', b.len) || memchr(b.p, '\\', b.len))
		return bad_path(err, "an escaped slash, backslash or NUL");
	if (!ctm_text_printable(b.p, b.len) || memchr(b.p, '\n', b.len) || memchr(b.p, '\t', b.len))
		return bad_path(err, "control characters or bytes that are not UTF-8");
	if (!strcmp(b.p, ".") || !strcmp(b.p, ".."))
		return bad_path(err, "a . or .. segment");
	char *s = ctm_arena_ndup(arena, b.p, b.len);
	if (!s)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the request");
	out->seg[out->n] = s;
	out->len[out->n++] = b.len;
	return 0;
}

static int split(const char *raw, struct ctm_arena *arena, struct path *out, struct ctm_err *err)
{
	out->n = 0;
	if (*raw != '/' || strlen(raw) > PATH_MAX_BYTES)
		return bad_path(err, *raw == '/' ? "it is too long" : "it does not begin with /");
	if (!raw[1])
		return 0;
	while (*raw == '/') {
		size_t n = strcspn(++raw, "/");
		if (out->n == sizeof out->seg / sizeof out->seg[0])
			return bad_path(err, "too many segments");
		int rc = decode_seg(raw, n, arena, out, err);
		if (rc)
			return rc;
		raw += n;
	}
	return 0;
}

/* "." and ".." are no values even where literal text stands around them: a use case may make a file name of a value. */
static bool is_dots(const char *p, size_t n)
{
	return (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.');
}

static bool seg_fits(const struct ctm_seg *s, const char *p, size_t n)
{
	if (s->field < 0)
		return n == s->npre && !memcmp(p, s->pre, n);
	return n > s->npre + s->nsuf && !memcmp(p, s->pre, s->npre) && !memcmp(p + n - s->nsuf, s->suf ? s->suf : "", s->nsuf) &&
		!is_dots(p + s->npre, n - s->npre - s->nsuf);
}

static bool row_fits(const struct ctm_compiled *c, const struct path *p)
{
	bool rest = c->nseg && c->seg[c->nseg - 1].rest;
	if (rest ? p->n < c->nseg : p->n != c->nseg)
		return false;
	for (size_t i = 0; i < c->nseg; i++)
		if (!c->seg[i].rest && !seg_fits(&c->seg[i], p->seg[i], p->len[i]))
			return false;
	return true;
}

static int take_values(const struct ctm_compiled *c, const struct path *p, struct ctm_arena *arena, struct ctm_match *m, struct ctm_err *err)
{
	for (size_t i = 0; i < c->nseg; i++) {
		const struct ctm_seg *s = &c->seg[i];
		if (s->field < 0)
			continue;
		const char *v;
		if (s->rest) {
			CTM_AUTO_BUF b = CTM_BUF(PATH_MAX_BYTES + 1);
			for (size_t j = i; j < p->n; j++) {
				if (j > i)
					ctm_buf_chr(&b, '/');
				ctm_buf_add(&b, p->seg[j], p->len[j]);
			}
			v = ctm_arena_dup(arena, ctm_buf_cstr(&b));
		} else {
			v = ctm_arena_ndup(arena, p->seg[i] + s->npre, p->len[i] - s->npre - s->nsuf);
		}
		if (!v)
			return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the request");
		m->value[s->field] = v;
	}
	return 0;
}

static void allow(struct ctm_match *m, const char *method)
{
	size_t n = strlen(m->allow);
	if (strstr(m->allow, method))       /* GET, HEAD, POST, PUT, DELETE, PATCH: none is part of another */
		return;
	snprintf(m->allow + n, sizeof m->allow - n, "%s%s%s", n ? ", " : "", method, strcmp(method, "GET") ? "" : ", HEAD");
}

int ctm_router_match(const struct ctm_router *r, const char *method, const char *raw, bool edge, struct ctm_arena *arena,
	struct ctm_match *m, struct ctm_err *err)
{
	struct path p;
	*m = (struct ctm_match){ 0 };
	int rc = split(raw, arena, &p, err);
	if (rc)
		return rc;
	const char *want = strcmp(method, "HEAD") ? method : "GET";
	for (size_t i = 0; i < r->n; i++) {
		const struct ctm_compiled *c = r->order[i];
		if (edge != !!(c->row.flags & CTM_R_DEVICE) || !row_fits(c, &p))
			continue;
		if (!strcmp(c->row.method, want)) {
			if ((rc = take_values(c, &p, arena, m, err)))
				return rc;
			m->row = c;
			return 0;
		}
		allow(m, c->row.method);
	}
	if (*m->allow)
		return ctm_fail(err, CTM_E_METHOD, NULL, NULL, "%s is not possible at this address; possible: %s", method, m->allow);
	return ctm_fail(err, CTM_E_NOTFOUND, NULL, NULL, "there is nothing at this address");
}
