/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing buffer with a maximum. Capacity doubles but never passes max + 1 (the NUL). After the first failure the
 * contents up to it stay readable; ctm_buf_err() tells that they are not whole.
 */
#include "base/buf.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Make room for n more bytes and the NUL. */
static bool room(struct ctm_buf *b, size_t n)
{
	if (b->failed)
		return false;
	if (n > b->max || b->len > b->max - n || b->max == SIZE_MAX) {
		b->failed = CTM_E_TOOBIG;
		return false;
	}
	size_t need = b->len + n + 1;
	if (need <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap : 64;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	if (cap > b->max + 1)
		cap = b->max + 1;
	char *p = realloc(b->p, cap);
	if (!p) {
		b->failed = CTM_E_NOMEM;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void ctm_buf_free(struct ctm_buf *b)
{
	if (!b)
		return;
	free(b->p);
	*b = CTM_BUF(b->max);
}

void ctm_buf_reset(struct ctm_buf *b)
{
	b->len = 0;
	b->failed = 0;
	if (b->p)
		b->p[0] = 0;
}

void ctm_buf_add(struct ctm_buf *b, const void *p, size_t n)
{
	if (!room(b, n))
		return;
	if (n)
		memcpy(b->p + b->len, p, n);
	b->len += n;
	b->p[b->len] = 0;
}

void ctm_buf_str(struct ctm_buf *b, const char *s) { ctm_buf_add(b, s, strlen(s)); }
void ctm_buf_chr(struct ctm_buf *b, char c) { ctm_buf_add(b, &c, 1); }

void ctm_buf_vprintf(struct ctm_buf *b, const char *fmt, va_list ap)
{
	if (b->failed)
		return;
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0) {
		b->failed = CTM_E_NOMEM;
		return;
	}
	if (!room(b, (size_t)n))
		return;
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void ctm_buf_printf(struct ctm_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	ctm_buf_vprintf(b, fmt, ap);
	va_end(ap);
}

int ctm_buf_err(const struct ctm_buf *b, const char *what, struct ctm_err *err)
{
	if (b->failed == CTM_E_TOOBIG)
		return ctm_fail(err, CTM_E_TOOBIG, what, NULL, "larger than its limit of %zu bytes", b->max);
	if (b->failed)
		return ctm_fail(err, b->failed, what, NULL, "%s", ctm_err_text(b->failed));
	return 0;
}

const char *ctm_buf_cstr(struct ctm_buf *b) { return b->p ? b->p : ""; }

char *ctm_buf_steal(struct ctm_buf *b, size_t *len)
{
	char *p = b->p;
	if (len)
		*len = b->len;
	*b = CTM_BUF(b->max);
	return p;
}
