/* SPDX-License-Identifier: Apache-2.0
 *
 * tlog-proof text. A line reader that never looks past the end, then the same-bytes rule.
 */
#include "registry/tlogproof.h"
#include "base/text.h"
#include <string.h>

#define HEAD "c2sp.org/tlog-proof@v1"

int ctm_tlogproof_write(const struct ctm_tlogproof *p, struct ctm_buf *out, struct ctm_err *err)
{
	ctm_buf_str(out, HEAD "\n");
	if (p->extra.len) {
		ctm_buf_str(out, "extra ");
		ctm_b64(out, p->extra.p, p->extra.len);
		ctm_buf_chr(out, '\n');
	}
	ctm_buf_printf(out, "index %lld\n", (long long)p->index);
	for (size_t i = 0; i < p->path.n; i++) {
		ctm_b64(out, p->path.h[i], CTM_SHA256);
		ctm_buf_chr(out, '\n');
	}
	ctm_buf_chr(out, '\n');
	ctm_buf_add(out, p->note, p->note_len);
	return ctm_buf_err(out, "proof", err);
}

void ctm_tlogproof_free(struct ctm_tlogproof *p)
{
	ctm_buf_free(&p->extra);
}

struct lines { const char *p, *end; unsigned no; };

/* Next line without its newline; false at the end or where the last line has no newline. */
static bool line(struct lines *l, const char **p, size_t *n)
{
	const char *nl = l->p < l->end ? memchr(l->p, '\n', (size_t)(l->end - l->p)) : NULL;

	if (!nl)
		return false;
	*p = l->p;
	*n = (size_t)(nl - l->p);
	l->p = nl + 1;
	l->no++;
	return true;
}

static int bad(const struct lines *l, struct ctm_err *err, const char *what)
{
	return ctm_fail(err, CTM_E_SYNTAX, "proof", "C2SP tlog-proof", "Line %u of the proof: %s", l->no, what);
}

static int read_hashes(struct lines *l, struct ctm_tlogproof *out, struct ctm_err *err)
{
	const char *p;
	size_t n;

	while (line(l, &p, &n)) {
		CTM_AUTO_BUF h = CTM_BUF(CTM_SHA256);
		if (n == 0)
			return 0;
		if (out->path.n == CTM_PROOF_MAX)
			return bad(l, err, "more hashes than any tree needs.");
		if (n != 44 || ctm_unb64(p, n, &h) || h.len != CTM_SHA256)
			return bad(l, err, "not a hash of 32 bytes in base64.");
		memcpy(out->path.h[out->path.n++], h.p, CTM_SHA256);
	}
	return bad(l, err, "the proof ends before its checkpoint.");
}

static int read_all(struct lines *l, struct ctm_tlogproof *out, struct ctm_err *err)
{
	const char *p;
	char num[24];
	size_t n;

	if (!line(l, &p, &n) || n != strlen(HEAD) || memcmp(p, HEAD, n))
		return bad(l, err, "this is not a log proof (" HEAD ").");
	if (!line(l, &p, &n))
		return bad(l, err, "the proof ends too early.");
	if (n > 6 && !memcmp(p, "extra ", 6)) {
		if (ctm_unb64(p + 6, n - 6, &out->extra))
			return bad(l, err, "the extra data is not base64, or is too long.");
		if (!line(l, &p, &n))
			return bad(l, err, "the proof ends too early.");
	}
	if (n < 7 || n - 6 >= sizeof num || memcmp(p, "index ", 6))
		return bad(l, err, "the index is missing.");
	memcpy(num, p + 6, n - 6);
	num[n - 6] = '\0';
	if (ctm_parse_i64(num, 0, CTM_TREE_MAX, &out->index))
		return bad(l, err, "the index is not a number.");
	return read_hashes(l, out, err);
}

int ctm_tlogproof_parse(const char *text, size_t n, struct ctm_tlogproof *out, struct ctm_err *err)
{
	struct ctm_tlogproof p = { .extra = CTM_BUF(CTM_EXTRA_MAX) };
	struct lines l = { text, text + n, 0 };
	CTM_AUTO_BUF again = CTM_BUF(CTM_TLOGPROOF_MAX);

	if (n > CTM_TLOGPROOF_MAX)
		return ctm_fail(err, CTM_E_TOOBIG, "proof", "C2SP tlog-proof", "The proof is over %d bytes.", CTM_TLOGPROOF_MAX);
	int rc = read_all(&l, &p, err);
	if (!rc) {
		p.note = l.p;
		p.note_len = (size_t)(l.end - l.p);
		rc = ctm_tlogproof_write(&p, &again, err);
	}
	if (!rc && (again.len != n || memcmp(again.p, text, n)))
		rc = ctm_fail(err, CTM_E_SYNTAX, "proof", "C2SP tlog-proof", "The proof is not written in its one form.");
	if (rc) {
		ctm_tlogproof_free(&p);
		return rc;
	}
	*out = p;
	return 0;
}
