/* SPDX-License-Identifier: Apache-2.0
 *
 * Recorder and loader of a run's trace. See trace.h. Both ways go through append_line(), so what can be loaded is exactly
 * what can be recorded.
 */
#include "lab/trace.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdlib.h>
#include <string.h>

static const char *const keys[] = { "at", "check", "component", "data", "kind", "mono_us", "prev", "seq" };

int ctm_trace_new(const char *plan_digest, struct ctm_trace **out, struct ctm_err *err)
{
	struct ctm_trace *t;

	if (!ctm_digest_ok(plan_digest))
		return ctm_fail(err, CTM_E_INPUT, "plan", NULL, "a trace starts from the digest of its plan");
	if (!(t = calloc(1, sizeof *t)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the trace");
	t->lines = CTM_BUF(CTM_TRACE_MAX);
	ctm_copy(t->head, sizeof t->head, plan_digest);
	*out = t;
	return 0;
}

void ctm_trace_free(struct ctm_trace *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		ctm_json_free(t->obs[i].root);
	for (size_t i = 0; i < t->nblobs; i++)
		free(t->blobs[i].p);
	free(t->obs);
	free(t->blobs);
	ctm_buf_free(&t->lines);
	free(t);
}

void ctm_trace_freep(struct ctm_trace **t)
{
	ctm_trace_free(*t);
	*t = NULL;
}

static int grow(void **p, size_t *cap, size_t n, size_t size, size_t max, const char *what, struct ctm_err *err)
{
	size_t want = *cap ? *cap * 2 : 64;
	void *q;

	if (n < *cap)
		return 0;
	if (n >= max)
		return ctm_fail(err, CTM_E_TOOBIG, what, NULL, "a run may hold at most %zu of these", max);
	if (want > max)
		want = max;
	if (!(q = realloc(*p, want * size)))
		return ctm_fail(err, CTM_E_NOMEM, what, NULL, "no memory for the trace");
	*p = q;
	*cap = want;
	return 0;
}

/* Take a well-formed observation (root is owned on success only) whose line is `line`. */
static int append_line(struct ctm_trace *t, ctm_json *root, const struct ctm_buf *line, struct ctm_err *err)
{
	struct ctm_obs o = { .root = root };
	struct ctm_jc c = ctm_jc_root(root, "observations.jsonl"), data;
	const char *prev = NULL;
	int rc;

	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, sizeof keys / sizeof keys[0], err)) ||
	    (rc = ctm_jc_str(&c, "at", 20, CTM_RFC3339_MAX, &o.at, err)) || (rc = ctm_jc_str(&c, "check", 0, 16, &o.check, err)) ||
	    (rc = ctm_jc_str(&c, "component", 0, 64, &o.component, err)) || (rc = ctm_jc_str(&c, "kind", 1, 48, &o.kind, err)) ||
	    (rc = ctm_jc_int(&c, "mono_us", 0, INT64_MAX, &o.mono_us, err)) || (rc = ctm_jc_str(&c, "prev", 71, 71, &prev, err)) ||
	    (rc = ctm_jc_int(&c, "seq", 1, CTM_TRACE_OBS_MAX, &o.seq, err)) || (rc = ctm_jc_key(&c, "data", &data, err)) ||
	    (rc = ctm_jc_is(&data, CTM_J_OBJ, err)))
		return rc;
	o.data = data.v;
	if (ctm_time_parse(o.at, &o.at_ms))
		return ctm_jc_fail(&c, err, "\"at\" is not a time");
	if (o.seq != (int64_t)t->n + 1)
		return ctm_fail(err, CTM_E_VERIFY, "/seq", NULL, "observation %lld stands where number %zu should", (long long)o.seq, t->n + 1);
	if (strcmp(prev, t->head) != 0)
		return ctm_fail(err, CTM_E_VERIFY, "/prev", NULL, "observation %lld does not follow the one before it: the chain is broken", (long long)o.seq);
	if (t->n && o.mono_us < t->obs[t->n - 1].mono_us)
		return ctm_fail(err, CTM_E_VERIFY, "/mono_us", NULL, "observation %lld lies before the one before it", (long long)o.seq);
	if ((rc = grow((void **)&t->obs, &t->cap, t->n, sizeof *t->obs, CTM_TRACE_OBS_MAX, "observations", err)))
		return rc;
	ctm_digest_of(line->p, line->len, o.digest);
	ctm_buf_add(&t->lines, line->p, line->len);
	ctm_buf_chr(&t->lines, '\n');
	if ((rc = ctm_buf_err(&t->lines, "observations", err)))
		return rc;
	t->obs[t->n++] = o;
	ctm_copy(t->head, sizeof t->head, o.digest);
	return 0;
}

int ctm_trace_add(struct ctm_trace *t, const char *check, const char *component, const char *kind, ctm_json *data, int64_t at_ms,
	int64_t mono_us, struct ctm_err *err)
{
	CTM_AUTO_JSON *root = ctm_json_obj();
	CTM_AUTO_BUF line = CTM_BUF(CTM_TRACE_LINE_MAX);
	char at[CTM_RFC3339_MAX];
	int rc;

	if (!data || !root) {
		ctm_json_free(data);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
	}
	ctm_time_rfc3339(at_ms, at);
	rc = ctm_json_set(root, "data", data);
	if (rc || ctm_json_sets(root, "at", at) || ctm_json_sets(root, "check", check) || ctm_json_sets(root, "component", component) ||
	    ctm_json_sets(root, "kind", kind) || ctm_json_seti(root, "mono_us", mono_us) || ctm_json_sets(root, "prev", t->head) ||
	    ctm_json_seti(root, "seq", (int64_t)t->n + 1))
		return ctm_fail(err, CTM_E_NOMEM, kind, NULL, "no memory for an observation");
	if ((rc = ctm_json_canonical(root, &line)))
		return ctm_fail(err, rc, kind, NULL, "an observation cannot be written in canonical form");
	if ((rc = append_line(t, root, &line, err)))
		return rc;
	root = NULL;
	return 0;
}

const struct ctm_trace_blob *ctm_trace_blob_find(const struct ctm_trace *t, const char *digest)
{
	for (size_t i = 0; digest && i < t->nblobs; i++)
		if (strcmp(t->blobs[i].digest, digest) == 0)
			return &t->blobs[i];
	return NULL;
}

int ctm_trace_blob(struct ctm_trace *t, const void *p, size_t n, char digest[CTM_DIGEST_MAX], struct ctm_err *err)
{
	struct ctm_trace_blob b = { .n = n };
	int rc;

	ctm_digest_of(p, n, b.digest);
	if (!ctm_trace_blob_find(t, b.digest)) {
		if (n > CTM_TRACE_BLOB_MAX)
			return ctm_fail(err, CTM_E_TOOBIG, "blob", NULL, "an artefact of %zu bytes is larger than %zu", n, CTM_TRACE_BLOB_MAX);
		if ((rc = grow((void **)&t->blobs, &t->blobs_cap, t->nblobs, sizeof *t->blobs, CTM_TRACE_BLOBS_MAX, "artefacts", err)))
			return rc;
		if (!(b.p = malloc(n + 1)))
			return ctm_fail(err, CTM_E_NOMEM, "blob", NULL, "no memory for an artefact");
		if (n)
			memcpy(b.p, p, n);
		b.p[n] = '\0';
		t->blobs[t->nblobs++] = b;
	}
	ctm_copy(digest, CTM_DIGEST_MAX, b.digest);
	return 0;
}

/* One line from outside: parsed strictly and then written again; anything but the canonical bytes is refused. */
static int load_line(struct ctm_trace *t, const char *p, size_t n, struct ctm_err *err)
{
	CTM_AUTO_JSON *root = NULL;
	CTM_AUTO_BUF line = CTM_BUF(CTM_TRACE_LINE_MAX);
	int rc;

	if ((rc = ctm_json_parse(p, n, CTM_TRACE_LINE_MAX, "observations.jsonl", &root, err)))
		return ctm_fail_prefix(err, "line %zu", t->n + 1);
	if (ctm_json_canonical(root, &line) || line.len != n || memcmp(line.p, p, n) != 0)
		return ctm_fail(err, CTM_E_SYNTAX, "observations.jsonl", NULL, "line %zu is not in canonical form", t->n + 1);
	if ((rc = append_line(t, root, &line, err)))
		return rc;
	root = NULL;
	return 0;
}

int ctm_trace_load(struct ctm_trace *t, const char *lines, size_t n, struct ctm_err *err)
{
	const char *p = lines, *end = lines + n;
	int rc;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			return ctm_fail(err, CTM_E_SYNTAX, "observations.jsonl", NULL, "the last line is cut off");
		if ((rc = load_line(t, p, (size_t)(nl - p), err)))
			return rc;
		p = nl + 1;
	}
	return 0;
}
