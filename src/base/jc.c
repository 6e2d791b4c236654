/* SPDX-License-Identifier: Apache-2.0
 *
 * Cursor over a JSON tree: typed, bounded reads whose refusals say where. A name from the document never reaches a message
 * unescaped; lengths are counted in bytes, as the limits of the formats are.
 */
#include "base/json_tree.h"
#include "base/text.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {
	[CTM_J_NULL] = "null", [CTM_J_BOOL] = "true or false", [CTM_J_INT] = "a whole number", [CTM_J_REAL] = "a number",
	[CTM_J_STR] = "a text", [CTM_J_ARR] = "a list", [CTM_J_OBJ] = "an object",
};

struct ctm_jc ctm_jc_root(const ctm_json *v, const char *file) { return (struct ctm_jc){ .v = v, .file = file }; }

int ctm_jc_fail(const struct ctm_jc *c, struct ctm_err *err, const char *fmt, ...)
{
	char why[300];
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(why, sizeof why, fmt, ap) < 0)
		why[0] = 0;
	va_end(ap);
	const char *file = c->file ? c->file : "";
	return ctm_fail(err, CTM_E_INPUT, c->ptr, NULL, "%s%s%s: %s", file, *file && c->ptr[0] ? " " : "",
		*file || c->ptr[0] ? c->ptr : "document", why);
}

bool ctm_jc_has(const struct ctm_jc *c, const char *key, struct ctm_jc *out)
{
	const ctm_json *v = ctm_json_get(c->v, key);
	if (!v)
		return false;
	struct ctm_jc next = *c;
	next.v = v;
	ctm_ptr_step(next.ptr, sizeof next.ptr, key, strlen(key));
	*out = next;
	return true;
}

int ctm_jc_key(const struct ctm_jc *c, const char *key, struct ctm_jc *out, struct ctm_err *err)
{
	if (ctm_json_type(c->v) != CTM_J_OBJ)
		return ctm_jc_fail(c, err, "must be an object");
	if (ctm_jc_has(c, key, out))
		return 0;
	struct ctm_jc missing = *c;
	ctm_ptr_step(missing.ptr, sizeof missing.ptr, key, strlen(key));
	return ctm_jc_fail(&missing, err, "is required and missing");
}

int ctm_jc_at(const struct ctm_jc *c, size_t i, struct ctm_jc *out, struct ctm_err *err)
{
	char num[24];
	struct ctm_jc next = *c;
	int k = snprintf(num, sizeof num, "%zu", i);
	ctm_ptr_step(next.ptr, sizeof next.ptr, num, (size_t)k);
	next.v = ctm_json_at(c->v, i);
	if (!next.v)
		return ctm_jc_fail(&next, err, "is required and missing");
	*out = next;
	return 0;
}

int ctm_jc_is(const struct ctm_jc *c, enum ctm_jtype t, struct ctm_err *err)
{
	enum ctm_jtype is = ctm_json_type(c->v);
	if (is == t || (t == CTM_J_REAL && is == CTM_J_INT))
		return 0;
	return ctm_jc_fail(c, err, "must be %s, not %s", type_names[t], type_names[is]);
}

/* The member, of this type. */
static int member(const struct ctm_jc *c, const char *key, enum ctm_jtype t, struct ctm_jc *m, struct ctm_err *err)
{
	int rc = ctm_jc_key(c, key, m, err);
	return rc ? rc : ctm_jc_is(m, t, err);
}

int ctm_jc_str(const struct ctm_jc *c, const char *key, size_t min, size_t max, const char **out, struct ctm_err *err)
{
	struct ctm_jc m;
	int rc = member(c, key, CTM_J_STR, &m, err);
	if (rc)
		return rc;
	size_t n = strlen(ctm_json_str(m.v));
	if (n == 0 && min > 0)
		return ctm_jc_fail(&m, err, "must not be empty");
	if (n < min)
		return ctm_jc_fail(&m, err, "must have at least %zu bytes", min);
	if (n > max)
		return ctm_jc_fail(&m, err, "must have at most %zu bytes", max);
	*out = ctm_json_str(m.v);
	return 0;
}

int ctm_jc_opt_str(const struct ctm_jc *c, const char *key, size_t max, const char **out, struct ctm_err *err)
{
	if (ctm_json_type(c->v) != CTM_J_OBJ)
		return ctm_jc_fail(c, err, "must be an object");
	if (!ctm_json_get(c->v, key)) {
		*out = NULL;
		return 0;
	}
	return ctm_jc_str(c, key, 0, max, out, err);
}

int ctm_jc_int(const struct ctm_jc *c, const char *key, int64_t min, int64_t max, int64_t *out, struct ctm_err *err)
{
	struct ctm_jc m;
	int rc = member(c, key, CTM_J_INT, &m, err);
	if (rc)
		return rc;
	int64_t v = ctm_json_int(m.v, 0);
	if (v < min || v > max)
		return ctm_jc_fail(&m, err, "must be from %" PRId64 " to %" PRId64, min, max);
	*out = v;
	return 0;
}

int ctm_jc_bool(const struct ctm_jc *c, const char *key, bool *out, struct ctm_err *err)
{
	struct ctm_jc m;
	int rc = member(c, key, CTM_J_BOOL, &m, err);
	if (rc)
		return rc;
	*out = ctm_json_bool(m.v, false);
	return 0;
}

int ctm_jc_arr(const struct ctm_jc *c, const char *key, size_t min, size_t max, struct ctm_jc *out, struct ctm_err *err)
{
	struct ctm_jc m;
	int rc = member(c, key, CTM_J_ARR, &m, err);
	if (rc)
		return rc;
	size_t n = ctm_json_len(m.v);
	if (n < min || n > max)
		return ctm_jc_fail(&m, err, "must have from %zu to %zu elements, not %zu", min, max, n);
	*out = m;
	return 0;
}

int ctm_jc_enum(const struct ctm_jc *c, const char *key, const char *const *names, size_t n, size_t *out, struct ctm_err *err)
{
	struct ctm_jc m;
	int rc = member(c, key, CTM_J_STR, &m, err);
	if (rc)
		return rc;
	for (size_t i = 0; i < n; i++) {
		if (ctm_streq(names[i], ctm_json_str(m.v))) {
			*out = i;
			return 0;
		}
	}
	CTM_AUTO_BUF b = CTM_BUF(4096);
	for (size_t i = 0; i < n; i++)
		ctm_buf_printf(&b, "%s%s", i ? ", " : "", names[i]);
	return ctm_jc_fail(&m, err, "must be one of: %s", ctm_buf_cstr(&b));
}

int ctm_jc_only(const struct ctm_jc *c, const char *const *keys, size_t n, struct ctm_err *err)
{
	const char *key;
	int rc = ctm_jc_is(c, CTM_J_OBJ, err);
	if (rc)
		return rc;
	for (void *it = NULL; ctm_json_each(c->v, &it, &key, NULL);) {
		size_t i = 0;
		while (i < n && !ctm_streq(keys[i], key))
			i++;
		if (i < n)
			continue;
		struct ctm_jc bad = *c;
		ctm_ptr_step(bad.ptr, sizeof bad.ptr, key, strlen(key));
		return ctm_jc_fail(&bad, err, "is not a known member");
	}
	return 0;
}
