/* SPDX-License-Identifier: Apache-2.0
 *
 * The trace of a run: what was seen, in order, and nothing else. One observation is one line of canonical JSON
 *   {"at":"2026-11-22T14:46:03.120Z","check":"N01","component":"cam","data":{..},"kind":"port.scan","mono_us":12345,"prev":"sha256:..","seq":7}
 * prev is the digest of the line before it (of the first line: the digest of plan.json, so a trace belongs to one plan and
 * with it to one challenge). Artefacts are blobs named by their digest and referred to from data. A trace only grows; what
 * has been added is never changed. Judges read it, probes write it, a replay loads it again and checks every link.
 *
 * mono_us counts from the start of the run (for durations), at is wall-clock time.
 */
#ifndef CTM_LAB_TRACE_H
#define CTM_LAB_TRACE_H
#include "base/buf.h"
#include "base/json.h"
#include "crypto/hash.h"
#include <stdint.h>

#define CTM_TRACE_LINE_MAX ((size_t)256 << 10)
#define CTM_TRACE_MAX ((size_t)24 << 20)         /* bytes of all lines */
#define CTM_TRACE_OBS_MAX 20000
#define CTM_TRACE_BLOBS_MAX 1024
#define CTM_TRACE_BLOB_MAX ((size_t)8 << 20)

struct ctm_obs {
	ctm_json *root;                              /* owned by the trace */
	const char *check, *component, *kind, *at;   /* borrowed from root; check and component are "" for the run itself */
	const ctm_json *data;
	int64_t seq, at_ms, mono_us;
	char digest[CTM_DIGEST_MAX];                 /* of the line */
};

struct ctm_trace_blob { char digest[CTM_DIGEST_MAX]; char *p; size_t n; };

struct ctm_trace {
	struct ctm_obs *obs; size_t n, cap;
	struct ctm_trace_blob *blobs; size_t nblobs, blobs_cap;
	struct ctm_buf lines;                        /* the file: each line ends in \n */
	char head[CTM_DIGEST_MAX];                   /* digest of the last line, or of the plan */
};

CTM_CHECK int ctm_trace_new(const char *plan_digest, struct ctm_trace **out, struct ctm_err *err);  /* plan_digest is the first line's `prev`; INPUT, NOMEM */
void ctm_trace_free(struct ctm_trace *t);
void ctm_trace_freep(struct ctm_trace **t);
#define CTM_AUTO_TRACE __attribute__((cleanup(ctm_trace_freep))) struct ctm_trace

/* Add one observation; data is owned from here on, also on failure (NULL fails with NOMEM). Strings in data must be UTF-8 and
 * numbers integers (INPUT). */
CTM_CHECK int ctm_trace_add(struct ctm_trace *t, const char *check, const char *component, const char *kind, ctm_json *data,
	int64_t at_ms, int64_t mono_us, struct ctm_err *err);
/* Keep bytes; the same bytes are kept once. */
CTM_CHECK int ctm_trace_blob(struct ctm_trace *t, const void *p, size_t n, char digest[CTM_DIGEST_MAX], struct ctm_err *err);
const struct ctm_trace_blob *ctm_trace_blob_find(const struct ctm_trace *t, const char *digest);   /* NULL when absent */

/* Load lines that came from outside: each in canonical form, each link right, sequence 1, 2, 3... SYNTAX, VERIFY, TOOBIG. */
CTM_CHECK int ctm_trace_load(struct ctm_trace *t, const char *lines, size_t n, struct ctm_err *err);

#endif
