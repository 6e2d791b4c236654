/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing byte buffer born with a maximum. The first failed append makes the buffer sticky-failed (later appends do
 * nothing), so a writer checks once at the end with ctm_buf_err(). Always NUL-terminated after the last byte (the NUL
 * does not count). Not thread-safe.
 */
#ifndef CTM_BASE_BUF_H
#define CTM_BASE_BUF_H
#include "base/err.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct ctm_buf {
	char *p;     /* owned; NULL until the first append */
	size_t len;  /* bytes in use */
	size_t cap;
	size_t max;  /* bytes it may ever hold */
	int failed;  /* 0, CTM_E_TOOBIG or CTM_E_NOMEM */
};

#define CTM_BUF(maximum) ((struct ctm_buf){ .max = (maximum) })
#define CTM_AUTO_BUF __attribute__((cleanup(ctm_buf_free))) struct ctm_buf

void ctm_buf_free(struct ctm_buf *b);             /* b is empty and usable afterwards */
void ctm_buf_reset(struct ctm_buf *b);            /* empty it, keep memory and maximum, clear failure */
/* Append. Beyond the maximum, or without memory, nothing is appended and the failure stays. */
void ctm_buf_add(struct ctm_buf *b, const void *p, size_t n);
void ctm_buf_str(struct ctm_buf *b, const char *s);
void ctm_buf_chr(struct ctm_buf *b, char c);
void ctm_buf_printf(struct ctm_buf *b, const char *fmt, ...) CTM_PRINTF(2, 3);
void ctm_buf_vprintf(struct ctm_buf *b, const char *fmt, va_list ap);
/* 0 or the sticky failure, told through err with `what` as the field. */
CTM_CHECK int ctm_buf_err(const struct ctm_buf *b, const char *what, struct ctm_err *err);
/* NUL-terminated contents, "" when empty; borrowed until the next append or free. */
const char *ctm_buf_cstr(struct ctm_buf *b);
/* Hand the memory over; the caller frees it with free(). Buffer becomes empty. NULL when empty. */
char *ctm_buf_steal(struct ctm_buf *b, size_t *len);

#endif
