/* SPDX-License-Identifier: Apache-2.0
 *
 * The part of ctm fsck that holds the transparency log against the database: the log is whole under its signed checkpoint,
 * each statement that counts as logged stands in it byte for byte, each stored proof verifies with the public trust list
 * alone, and no entry is there that no row knows.
 */
#include "app/admin.h"
#include "registry/log.h"
#include "registry/proof.h"
#include "registry/trust.h"
#include "store/blob.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define BLOB_MAX (1 << 20)

struct logcheck { struct ctm_tlog *log; struct ctm_blobs *blobs; const struct ctm_trust *trust; int64_t logged, proved, pending; };

static int same_entry(struct logcheck *k, const char *cose_digest, int64_t index, struct ctm_err *err)
{
	CTM_AUTO_BUF entry = CTM_BUF(BLOB_MAX), cose = CTM_BUF(BLOB_MAX);
	int rc = ctm_log_entry(k->log, index, &entry, err);
	if (!rc)
		rc = ctm_blob_get(k->blobs, cose_digest, BLOB_MAX, &cose, err);
	if (!rc && (entry.len != cose.len || memcmp(entry.p, cose.p, cose.len)))
		rc = ctm_fail(err, CTM_E_VERIFY, NULL, NULL, "entry %lld of the log is not the statement that was signed", (long long)index);
	return rc;
}

static int good_proof(struct logcheck *k, const char *digest, int64_t index, struct ctm_err *err)
{
	CTM_AUTO_BUF text = CTM_BUF(BLOB_MAX);
	struct ctm_proof_report r = { 0 };
	int rc = ctm_blob_get(k->blobs, digest, BLOB_MAX, &text, err);
	if (rc || (rc = ctm_proof_check(ctm_buf_cstr(&text), text.len, k->trust, &r, err)))
		return rc;
	if (r.index != index)
		rc = ctm_fail(err, CTM_E_VERIFY, NULL, NULL, "the proof is of entry %lld, the row says %lld", (long long)r.index, (long long)index);
	ctm_proof_report_free(&r);
	return rc;
}

/* One row of statement; steps are intent, signed, logged, proved, published. */
static int one_statement(struct logcheck *k, struct ctm_q *q, struct ctm_err *err)
{
	const char *step = ctm_q_str(q, "step");
	int64_t index = ctm_q_i64(q, "log_index");
	bool published = ctm_streq(step, "published"), proved = published || ctm_streq(step, "proved");
	if (!proved && !ctm_streq(step, "logged")) {
		k->pending++;
		return 0;
	}
	k->logged++;
	if (index < 0)
		return ctm_fail(err, CTM_E_VERIFY, NULL, NULL, "it counts as logged but has no place in the log");
	int rc = same_entry(k, ctm_q_str(q, "cose_digest"), index, err);
	if (!rc && proved) {
		k->proved++;
		rc = good_proof(k, ctm_q_str(q, "proof_digest"), index, err);
	}
	return rc;
}

static void statements(struct logcheck *k, struct ctm_db *db, void (*line)(void *arg, bool good, const char *what, const char *detail), void *arg)
{
	CTM_AUTO_Q *q = ctm_q(db, "fsck.statements");
	struct ctm_err err = { 0 };
	char text[512];
	bool row = false;
	unsigned bad = 0;
	int rc;
	while (!(rc = ctm_q_step(q, &row, &err)) && row) {
		struct ctm_err why = { 0 };
		if (!one_statement(k, q, &why))
			continue;
		bad++;
		snprintf(text, sizeof text, "record %s version %lld: %s", ctm_q_str(q, "record_id"), (long long)ctm_q_i64(q, "version"), why.msg);
		line(arg, false, "statements", text);
	}
	snprintf(text, sizeof text, "%lld stand in the log as signed, %lld proofs verify, %lld are on their way", (long long)k->logged, (long long)k->proved,
		(long long)k->pending);
	if (rc || !bad)
		line(arg, !rc, "statements", rc ? err.msg : text);
}

static void entries(struct logcheck *k, void (*line)(void *arg, bool good, const char *what, const char *detail), void *arg)
{
	struct ctm_log_report r = { 0 };
	struct ctm_err err = { 0 };
	char text[256];
	int rc = ctm_log_check(k->log, NULL, NULL, &r, &err);
	if (rc) {
		line(arg, false, "log", err.msg);
		return;
	}
	bool known = r.entries <= k->logged + k->pending;      /* a crash may leave an entry whose row still says signed */
	snprintf(text, sizeof text, known ? "%lld entries in %lld tiles agree with the signed checkpoint" :
		"%lld entries in %lld tiles, but the database does not know them all", (long long)r.entries, (long long)r.tiles);
	line(arg, known, "log", text);
}

int admin_log_check(const char *state, struct ctm_db *db, struct ctm_blobs *blobs,
	void (*line)(void *arg, bool good, const char *what, const char *detail), void *arg, struct ctm_err *err)
{
	static struct ctm_trust trust;                          /* large; the program runs one check */
	char path[ADMIN_PATH];
	CTM_AUTO_LOG *log = NULL;
	struct ctm_err why = { 0 };
	int rc = ctm_trust_load(admin_path(state, "trust.json", path), &trust, err);
	if (rc)
		return rc;
	if (ctm_log_open(admin_path(state, "public/log", path), &trust.log, &log, &why)) {
		line(arg, false, "log", why.msg);
		return 0;
	}
	struct logcheck k = { .log = log, .blobs = blobs, .trust = &trust };
	statements(&k, db, line, arg);
	entries(&k, line, arg);
	return 0;
}
