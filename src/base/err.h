/* SPDX-License-Identifier: Apache-2.0
 *
 * Errors. Every function that can fail returns int: 0, or a negative CTM_E_* from err.def, and fills an optional
 * struct ctm_err that the caller owns. Library code never logs and never prints: the edge (program or HTTP seam)
 * reports once. Out parameters are untouched on failure. No global or thread-local state.
 */
#ifndef CTM_BASE_ERR_H
#define CTM_BASE_ERR_H

#define CTM_CHECK __attribute__((warn_unused_result))
#define CTM_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum ctm_e {
#define CTM_E(name, value, http, text) CTM_E_##name = (value),
#include "base/err.def"
#undef CTM_E
};

/* What went wrong, for a person: which field (JSON pointer, form field or option), which rule (catalogue or clause id,
 * may be empty) and one sentence that says what to do. Zero-initialise it; the first failure is kept. */
struct ctm_err {
	int code;
	char field[128];
	char rule[64];
	char msg[384];
};

/* Fill *err (NULL allowed) unless it already holds a failure, and return `code`. field and rule may be NULL. */
int ctm_fail(struct ctm_err *err, int code, const char *field, const char *rule, const char *fmt, ...) CTM_PRINTF(5, 6);

/* Put "prefix: " before the message of a failure that is bubbling up; returns err->code. */
int ctm_fail_prefix(struct ctm_err *err, const char *fmt, ...) CTM_PRINTF(2, 3);

void ctm_err_clear(struct ctm_err *err);  /* ready for the next failure */
const char *ctm_err_name(int code);  /* "INPUT"; "FAIL" for unknown codes */
int ctm_err_code(const char *name);  /* CTM_E_INPUT for "INPUT"; CTM_E_FAIL for unknown names */
const char *ctm_err_text(int code);  /* the row's sentence */
int ctm_err_http(int code);          /* HTTP status of the row */
int ctm_err_exit(int code);          /* 0 good, 1 refused or no, 2 misuse (USAGE), 3 could not run (IO, NOMEM, BUSY, TIMEOUT, FAIL) */

#endif
