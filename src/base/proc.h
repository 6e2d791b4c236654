/* SPDX-License-Identifier: Apache-2.0
 *
 * Run a helper program: argv vector (never a shell), bytes in, bounded bytes out, a wall-clock limit, environment reduced
 * to PATH, LANG, TZ and what `env` adds. Standard error is captured too (bounded, truncated).
 */
#ifndef CTM_BASE_PROC_H
#define CTM_BASE_PROC_H
#include "base/buf.h"

struct ctm_proc {
	const char *const *argv;   /* argv[0] is a path or a name looked up in PATH; NULL-terminated */
	const char *const *env;    /* extra "K=V", NULL-terminated, may be NULL */
	const char *cwd;           /* may be NULL */
	const void *in;            /* standard input; NULL gives /dev/null */
	size_t in_len;
	void (*heard)(void *arg, const char *p, size_t n);   /* standard error as it arrives, for progress; may be NULL */
	void *arg;
	int timeout_ms;            /* > 0; the child's process group is killed after it */
};

/* Run to the end. 0 when it ran (look at *status: exit status, or 128+signal), TIMEOUT, NOTFOUND (no such program), IO,
 * TOOBIG (output over out->max; child killed). out and errout are appended to; errout may be NULL. */
CTM_CHECK int ctm_proc_run(const struct ctm_proc *p, struct ctm_buf *out, struct ctm_buf *errout, int *status, struct ctm_err *err);

/* Directory that holds the running program, and the path of a sibling program ("ctm-render"): beside it, or in
 * ../libexec/ctm. NOTFOUND. */
CTM_CHECK int ctm_self_dir(char *out, size_t cap);
CTM_CHECK int ctm_sibling(const char *name, char *out, size_t cap, struct ctm_err *err);

#endif
