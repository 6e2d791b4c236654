/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors: expansion of err.def and the filling of struct ctm_err. The first failure wins, so that a clean-up that fails
 * after it cannot hide the cause. Everything is bounded and truncated; nothing allocates, so NOMEM can always be told.
 */
#include "base/err.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct row { int code, http; const char *name, *text; };

static const struct row rows[] = {
#define CTM_E(name, value, http, text) { (value), (http), #name, (text) },
#include "base/err.def"
#undef CTM_E
};

static const struct row *row_of(int code)
{
	const struct row *fail = &rows[1];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].code == code)
			return &rows[i];
	}
	return fail;
}

/* Bounded copy that never leaves half a UTF-8 sequence at the end. */
static void trim_copy(char *dst, size_t cap, const char *src)
{
	size_t n = strlen(src);
	if (n >= cap) {
		n = cap - 1;
		while (n > 0 && ((unsigned char)src[n] & 0xC0) == 0x80)
			n--;
	}
	memmove(dst, src, n);
	dst[n] = 0;
}

int ctm_fail(struct ctm_err *err, int code, const char *field, const char *rule, const char *fmt, ...)
{
	if (!err || err->code)
		return code;
	char msg[1024];
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(msg, sizeof msg, fmt, ap) < 0)
		msg[0] = 0;
	va_end(ap);
	err->code = code;
	trim_copy(err->field, sizeof err->field, field ? field : "");
	trim_copy(err->rule, sizeof err->rule, rule ? rule : "");
	trim_copy(err->msg, sizeof err->msg, msg);
	return code;
}

int ctm_fail_prefix(struct ctm_err *err, const char *fmt, ...)
{
	if (!err)
		return CTM_E_FAIL;
	char pre[256], msg[sizeof pre + sizeof err->msg + 2];
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(pre, sizeof pre, fmt, ap) < 0)
		pre[0] = 0;
	va_end(ap);
	snprintf(msg, sizeof msg, "%s: %s", pre, err->msg);
	trim_copy(err->msg, sizeof err->msg, msg);
	return err->code;
}

void ctm_err_clear(struct ctm_err *err)
{
	if (err)
		memset(err, 0, sizeof *err);
}

const char *ctm_err_name(int code) { return row_of(code)->name; }
const char *ctm_err_text(int code) { return row_of(code)->text; }
int ctm_err_http(int code) { return row_of(code)->http; }

int ctm_err_code(const char *name)
{
	for (size_t i = 0; name && i < sizeof rows / sizeof *rows; i++) {
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].code;
	}
	return CTM_E_FAIL;
}

int ctm_err_exit(int code)
{
	switch (code) {
	case CTM_E_OK: return 0;
	case CTM_E_USAGE: return 2;
	case CTM_E_IO: case CTM_E_NOMEM: case CTM_E_BUSY: case CTM_E_TIMEOUT: case CTM_E_FAIL: return 3;
	default: return row_of(code)->code == code ? 1 : 3;
	}
}
