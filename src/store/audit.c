/* SPDX-License-Identifier: Apache-2.0
 *
 * Audit chain. What is hashed is rebuilt from the columns of the row, so a change to any column shows; seq counts from 1
 * without gaps, so a removed line shows as well. What the chain cannot show is a cut at its end: that is why the head is
 * given to the caller, to be kept elsewhere.
 */
#include "store/audit.h"
#include "store/engine.h"
#include "base/text.h"
#include "crypto/hash.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX (4 << 20)

static const char genesis[] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

struct line {
	int64_t seq, at_ms;
	const char *actor, *action, *kind, *subject, *before, *after, *prev_hash, *org;
};

/* SHA-256 over prev_hash and the canonical JSON of the line; before and after go in as the texts of their columns. */
static int line_hash(const struct line *l, char hash[CTM_DIGEST_MAX])
{
	CTM_AUTO_JSON *o = ctm_json_obj();
	CTM_AUTO_BUF b = CTM_BUF(LINE_MAX);
	int rc = ctm_json_seti(o, "seq", l->seq);
	rc = rc ? rc : ctm_json_seti(o, "at_ms", l->at_ms);
	rc = rc ? rc : ctm_json_sets(o, "actor", l->actor);
	rc = rc ? rc : ctm_json_sets(o, "action", l->action);
	rc = rc ? rc : ctm_json_sets(o, "kind", l->kind);
	rc = rc ? rc : ctm_json_sets(o, "subject", l->subject);
	rc = rc ? rc : ctm_json_sets(o, "before", l->before);
	rc = rc ? rc : ctm_json_sets(o, "after", l->after);
	if (!rc && *l->org)
		rc = ctm_json_sets(o, "org", l->org);
	ctm_buf_str(&b, l->prev_hash);
	rc = rc ? rc : ctm_json_canonical(o, &b);
	if (!rc)
		ctm_digest_of(b.p, b.len, hash);
	return rc;
}

/* Number and previous hash for the next line. */
static int next_line(struct ctm_db *db, int64_t *seq, char prev[CTM_DIGEST_MAX], struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "audit.last");
	bool row = false;
	int rc = ctm_q_step(q, &row, err);
	if (rc)
		return rc;
	*seq = row ? ctm_q_i64(q, "seq") + 1 : 1;
	ctm_copy(prev, CTM_DIGEST_MAX, row ? ctm_q_str(q, "hash") : genesis);
	return 0;
}

static int insert(struct ctm_db *db, const struct line *l, const char *hash, struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "audit.add");
	ctm_q_int(q, "seq", l->seq);
	ctm_q_int(q, "at_ms", l->at_ms);
	ctm_q_text(q, "actor", l->actor);
	ctm_q_text(q, "action", l->action);
	ctm_q_text(q, "kind", l->kind);
	ctm_q_text(q, "subject", l->subject);
	ctm_q_text(q, "before", l->before);
	ctm_q_text(q, "after", l->after);
	ctm_q_text(q, "prev_hash", l->prev_hash);
	ctm_q_text(q, "org", l->org);
	ctm_q_text(q, "hash", hash);
	return ctm_q_run(q, NULL, err);
}

int ctm_audit(struct ctm_db *db, int64_t now_ms, const char *actor, const char *action, const char *kind, const char *id,
	const ctm_json *before, const ctm_json *after, struct ctm_err *err)
{
	CTM_AUTO_BUF was = CTM_BUF(LINE_MAX / 4);
	CTM_AUTO_BUF is = CTM_BUF(LINE_MAX / 4);
	char prev[CTM_DIGEST_MAX], hash[CTM_DIGEST_MAX];
	int64_t seq;
	if (!before && !after)
		return ctm_fail(err, CTM_E_FAIL, "audit", NULL, "%s: an audit line says what was or what is", action);
	int rc = before ? ctm_json_compact(before, &was) : 0;
	rc = rc ? rc : after ? ctm_json_compact(after, &is) : 0;
	if (rc)
		return ctm_fail(err, rc, "audit", NULL, "the change cannot be written down: %s", ctm_err_text(rc));
	rc = next_line(db, &seq, prev, err);
	if (rc)
		return rc;
	struct line l = { seq, now_ms, actor, action, kind, id, before ? ctm_buf_cstr(&was) : "null", after ? ctm_buf_cstr(&is) : "null", prev, db->acting };
	rc = line_hash(&l, hash);
	if (rc)
		return ctm_fail(err, rc, "audit", NULL, "the change cannot be written down: %s", ctm_err_text(rc));
	rc = insert(db, &l, hash, err);
	db->lines += !rc;
	return rc;
}

int ctm_audit_state(struct ctm_db *db, int64_t now_ms, const char *actor, const char *action, const char *kind, const char *id,
	const char *was, const char *is, struct ctm_err *err)
{
	CTM_AUTO_JSON *before = ctm_json_obj(), *after = ctm_json_obj();
	if (ctm_json_sets(before, "state", was) || ctm_json_sets(after, "state", is))
		return ctm_fail(err, CTM_E_NOMEM, "audit", NULL, "out of memory");
	return ctm_audit(db, now_ms, actor, action, kind, id, before, after, err);
}

void ctm_audit_for(struct ctm_db *db, const char *org) { (void)ctm_copy(db->acting, sizeof db->acting, org); }

void ctm_audit_watch(struct ctm_db *db, const char *org)
{
	ctm_audit_for(db, org);
	db->rows = db->lines = 0;
}

int ctm_audit_demand(struct ctm_db *db, struct ctm_err *err)
{
	if (!db->rows || db->lines)
		return 0;
	return ctm_fail(err, CTM_E_FAIL, "audit", NULL, "a change left no audit line and was not kept");
}

/* The row the walk stands on against what must come. */
static int check_row(struct ctm_q *q, int64_t seq, const char *prev, char hash[CTM_DIGEST_MAX], struct ctm_err *err)
{
	struct line l = { ctm_q_i64(q, "seq"), ctm_q_i64(q, "at_ms"), ctm_q_str(q, "actor"), ctm_q_str(q, "action"), ctm_q_str(q, "kind"),
		ctm_q_str(q, "subject"), ctm_q_str(q, "before_text"), ctm_q_str(q, "after_text"), ctm_q_str(q, "prev_hash"),
		ctm_q_str(q, "org_id") };
	char field[32], is[CTM_DIGEST_MAX];
	snprintf(field, sizeof field, "%" PRId64, seq);
	if (l.seq != seq)
		return ctm_fail(err, CTM_E_VERIFY, field, NULL, "line %" PRId64 " of the audit chain is missing", seq);
	if (!ctm_streq(l.prev_hash, prev))
		return ctm_fail(err, CTM_E_VERIFY, field, NULL, "line %" PRId64 " of the audit chain does not follow the line before it", seq);
	if (line_hash(&l, is) || !ctm_streq(is, ctm_q_str(q, "hash")))
		return ctm_fail(err, CTM_E_VERIFY, field, NULL, "line %" PRId64 " of the audit chain was changed", seq);
	memcpy(hash, is, CTM_DIGEST_MAX);
	return 0;
}

/* At most one page of lines after *count; *more says whether there was any. */
static int check_page(struct ctm_db *db, int64_t *count, char prev[CTM_DIGEST_MAX], bool *more, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "audit.walk");
	bool row = true;
	ctm_q_int(q, "after", *count);
	*more = false;
	for (;;) {
		int rc = ctm_q_step(q, &row, err);
		if (rc || !row)
			return rc;
		rc = check_row(q, *count + 1, prev, prev, err);
		if (rc)
			return rc;
		*more = true;
		(*count)++;
	}
}

int ctm_audit_check(struct ctm_db *db, int64_t *n, char head[CTM_DIGEST_MAX], struct ctm_err *err)
{
	char prev[CTM_DIGEST_MAX];
	int64_t count = 0;
	bool more = true;
	memcpy(prev, genesis, sizeof prev);
	while (more) {
		int rc = check_page(db, &count, prev, &more, err);
		if (rc)
			return rc;
	}
	*n = count;
	memcpy(head, prev, CTM_DIGEST_MAX);
	return 0;
}
