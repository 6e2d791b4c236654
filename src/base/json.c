/* SPDX-License-Identifier: Apache-2.0
 *
 * Looking at trees, building them, and writing them. Written text is our own (sorted or in document order), so that the
 * bytes that are hashed and signed do not depend on a library's version. What cannot be read back is not written: nesting
 * over CTM_JSON_DEPTH is refused.
 */
#include "base/json_tree.h"
#include "base/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT_MAX 65536

void ctm_json_free(ctm_json *v) { json_decref(ctm_jt(v)); }

void ctm_json_freep(ctm_json **v)
{
	ctm_json_free(*v);
	*v = NULL;
}

/* ---- looking ---- */

enum ctm_jtype ctm_json_type(const ctm_json *v)
{
	const json_t *j = ctm_jt(v);
	if (!j)
		return CTM_J_NULL;
	switch (json_typeof(j)) {
	case JSON_OBJECT: return CTM_J_OBJ;
	case JSON_ARRAY: return CTM_J_ARR;
	case JSON_STRING: return CTM_J_STR;
	case JSON_INTEGER: return CTM_J_INT;
	case JSON_REAL: return CTM_J_REAL;
	case JSON_TRUE: case JSON_FALSE: return CTM_J_BOOL;
	case JSON_NULL: break;
	}
	return CTM_J_NULL;
}

const ctm_json *ctm_json_get(const ctm_json *obj, const char *key) { return ctm_tj(json_object_get(ctm_jt(obj), key)); }
const ctm_json *ctm_json_at(const ctm_json *arr, size_t i) { return ctm_tj(json_array_get(ctm_jt(arr), i)); }

size_t ctm_json_len(const ctm_json *v)
{
	const json_t *j = ctm_jt(v);
	return json_is_array(j) ? json_array_size(j) : json_is_object(j) ? json_object_size(j) : 0;
}

const char *ctm_json_str(const ctm_json *v) { return json_string_value(ctm_jt(v)); }

int64_t ctm_json_int(const ctm_json *v, int64_t otherwise)
{
	return json_is_integer(ctm_jt(v)) ? json_integer_value(ctm_jt(v)) : otherwise;
}

double ctm_json_real(const ctm_json *v, double otherwise)
{
	return json_is_number(ctm_jt(v)) ? json_number_value(ctm_jt(v)) : otherwise;
}

bool ctm_json_bool(const ctm_json *v, bool otherwise)
{
	return json_is_boolean(ctm_jt(v)) ? json_is_true(ctm_jt(v)) : otherwise;
}

const char *ctm_json_gets(const ctm_json *obj, const char *key) { return ctm_json_str(ctm_json_get(obj, key)); }
int64_t ctm_json_geti(const ctm_json *obj, const char *key, int64_t d) { return ctm_json_int(ctm_json_get(obj, key), d); }
bool ctm_json_getb(const ctm_json *obj, const char *key, bool d) { return ctm_json_bool(ctm_json_get(obj, key), d); }

bool ctm_json_each(const ctm_json *obj, void **it, const char **key, const ctm_json **val)
{
	json_t *j = ctm_jt(obj);
	*it = *it ? json_object_iter_next(j, *it) : json_object_iter(j);
	if (!*it)
		return false;
	if (key)
		*key = json_object_iter_key(*it);
	if (val)
		*val = ctm_tj(json_object_iter_value(*it));
	return true;
}

/* ---- building ---- */

ctm_json *ctm_json_obj(void) { return ctm_tj(json_object()); }
ctm_json *ctm_json_arr(void) { return ctm_tj(json_array()); }
ctm_json *ctm_json_news(const char *s) { return ctm_tj(s ? json_string(s) : json_null()); }
ctm_json *ctm_json_newi(int64_t i) { return ctm_tj(json_integer(i)); }
ctm_json *ctm_json_newr(double r) { return ctm_tj(json_real(r)); }
ctm_json *ctm_json_newb(bool b) { return ctm_tj(json_boolean(b)); }
bool ctm_json_equal(const ctm_json *a, const ctm_json *b) { return json_equal(ctm_jt(a), ctm_jt(b)); }
ctm_json *ctm_json_copy(const ctm_json *v) { return ctm_tj(json_deep_copy(ctm_jt(v))); }

int ctm_json_set(ctm_json *obj, const char *key, ctm_json *v)
{
	if (!ctm_utf8_valid(key, strlen(key))) {
		ctm_json_free(v);
		return CTM_E_INPUT;
	}
	return json_object_set_new(ctm_jt(obj), key, ctm_jt(v)) ? CTM_E_NOMEM : 0;
}

int ctm_json_sets(ctm_json *obj, const char *key, const char *s)
{
	return s && !ctm_utf8_valid(s, strlen(s)) ? CTM_E_INPUT : ctm_json_set(obj, key, ctm_json_news(s));
}

int ctm_json_seti(ctm_json *obj, const char *key, int64_t i) { return ctm_json_set(obj, key, ctm_json_newi(i)); }
int ctm_json_setb(ctm_json *obj, const char *key, bool b) { return ctm_json_set(obj, key, ctm_json_newb(b)); }

int ctm_json_setf(ctm_json *obj, const char *key, const char *fmt, ...)
{
	CTM_AUTO_BUF b = CTM_BUF(FORMAT_MAX);
	va_list ap;
	va_start(ap, fmt);
	ctm_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return b.failed ? b.failed : ctm_json_sets(obj, key, ctm_buf_cstr(&b));
}

int ctm_json_del(ctm_json *obj, const char *key) { return json_object_del(ctm_jt(obj), key) ? CTM_E_NOTFOUND : 0; }
int ctm_json_add(ctm_json *arr, ctm_json *v) { return json_array_append_new(ctm_jt(arr), ctm_jt(v)) ? CTM_E_NOMEM : 0; }

int ctm_json_adds(ctm_json *arr, const char *s)
{
	return s && !ctm_utf8_valid(s, strlen(s)) ? CTM_E_INPUT : ctm_json_add(arr, ctm_json_news(s));
}

/* ---- writing ---- */

enum style { CANONICAL, COMPACT, PRETTY };
struct writer { struct ctm_buf *out; enum style style; };
struct member { const char *key; const json_t *val; };

static int write_value(struct writer *w, const json_t *v, int depth);

static void write_text(struct ctm_buf *out, const char *s, size_t n)
{
	ctm_buf_chr(out, '"');
	ctm_json_escape(out, s, n);
	ctm_buf_chr(out, '"');
}

static void line(struct writer *w, int depth)
{
	if (w->style != PRETTY)
		return;
	ctm_buf_chr(w->out, '\n');
	for (int i = 0; i < depth; i++)
		ctm_buf_add(w->out, "  ", 2);
}

/* Shortest decimal that reads back as the same double. */
static int write_real(struct writer *w, double r)
{
	char s[40];
	if (w->style == CANONICAL || !isfinite(r))
		return CTM_E_INPUT;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(s, sizeof s, "%.*g", digits, r);
		if (strtod(s, NULL) == r)
			break;
	}
	ctm_buf_str(w->out, s);
	if (!strpbrk(s, ".e"))
		ctm_buf_str(w->out, ".0");
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static int write_members(struct writer *w, const struct member *m, size_t n, int depth)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			ctm_buf_chr(w->out, ',');
		line(w, depth);
		write_text(w->out, m[i].key, strlen(m[i].key));
		ctm_buf_str(w->out, w->style == PRETTY ? ": " : ":");
		int rc = write_value(w, m[i].val, depth);
		if (rc)
			return rc;
	}
	return 0;
}

static int write_object(struct writer *w, json_t *v, int depth)
{
	size_t n = json_object_size(v), i = 0;
	const char *key;
	json_t *val;
	if (n == 0) {
		ctm_buf_str(w->out, "{}");
		return 0;
	}
	struct member *m = calloc(n, sizeof *m);
	if (!m)
		return CTM_E_NOMEM;
	json_object_foreach(v, key, val)
		m[i++] = (struct member){ key, val };
	if (w->style == CANONICAL)
		qsort(m, n, sizeof *m, by_key);
	ctm_buf_chr(w->out, '{');
	int rc = write_members(w, m, n, depth + 1);
	free(m);
	line(w, depth);
	ctm_buf_chr(w->out, '}');
	return rc;
}

static int write_array(struct writer *w, const json_t *v, int depth)
{
	size_t n = json_array_size(v);
	ctm_buf_chr(w->out, '[');
	for (size_t i = 0; i < n; i++) {
		if (i)
			ctm_buf_chr(w->out, ',');
		line(w, depth + 1);
		int rc = write_value(w, json_array_get(v, i), depth + 1);
		if (rc)
			return rc;
	}
	if (n)
		line(w, depth);
	ctm_buf_chr(w->out, ']');
	return 0;
}

static int write_value(struct writer *w, const json_t *v, int depth)
{
	if (w->out->failed)
		return w->out->failed;
	if (!v)
		return CTM_E_NOMEM;                    /* a value that could not be made */
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return depth >= CTM_JSON_DEPTH ? CTM_E_INPUT : write_object(w, ctm_jt(ctm_tj(v)), depth);
	case JSON_ARRAY:
		return depth >= CTM_JSON_DEPTH ? CTM_E_INPUT : write_array(w, v, depth);
	case JSON_STRING:
		write_text(w->out, json_string_value(v), json_string_length(v));
		return 0;
	case JSON_INTEGER:
		ctm_buf_printf(w->out, "%lld", (long long)json_integer_value(v));
		return 0;
	case JSON_REAL:
		return write_real(w, json_real_value(v));
	case JSON_TRUE:
		ctm_buf_str(w->out, "true");
		return 0;
	case JSON_FALSE:
		ctm_buf_str(w->out, "false");
		return 0;
	case JSON_NULL:
		ctm_buf_str(w->out, "null");
		return 0;
	}
	return CTM_E_FAIL;
}

static int write_tree(const ctm_json *v, enum style style, struct ctm_buf *out)
{
	struct writer w = { out, style };
	int rc = write_value(&w, ctm_jt(v), 0);
	if (!rc && style == PRETTY)
		ctm_buf_chr(out, '\n');
	return rc ? rc : out->failed;
}

int ctm_json_canonical(const ctm_json *v, struct ctm_buf *out) { return write_tree(v, CANONICAL, out); }
int ctm_json_compact(const ctm_json *v, struct ctm_buf *out) { return write_tree(v, COMPACT, out); }
int ctm_json_pretty(const ctm_json *v, struct ctm_buf *out) { return write_tree(v, PRETTY, out); }
