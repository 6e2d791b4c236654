/* SPDX-License-Identifier: Apache-2.0
 *
 * Audit chain: one line per change, written in the same transaction as the change. hash = SHA-256 over the text of
 * prev_hash and the canonical JSON of {action, actor, after, at_ms, before, kind, org?, seq, subject}, before and after as the
 * JSON texts of their columns, org where the change was made on behalf of an organisation. prev_hash of the first line is
 * sha256:000..0. ctm fsck walks it.
 *
 * A line says who (actor, org), what (action, kind, subject), before and after. `before` is NULL for what is new, `after` is NULL
 * for what is gone, never both: a line without content is refused (FAIL). They hold what changed, long things as digests; secrets
 * never enter. Statement "audit.of" (:kind, :subject, :limit) lists the lines of one thing, newest first; "audit.page" a page.
 */
#ifndef CTM_STORE_AUDIT_H
#define CTM_STORE_AUDIT_H
#include "store/store.h"

/* Append a line inside the caller's transaction. */
CTM_CHECK int ctm_audit(struct ctm_db *db, int64_t now_ms, const char *actor, const char *action, const char *kind, const char *id,
	const ctm_json *before, const ctm_json *after, struct ctm_err *err);
/* The same for a change of one word, its state: before {"state": was}, after {"state": is}. */
CTM_CHECK int ctm_audit_state(struct ctm_db *db, int64_t now_ms, const char *actor, const char *action, const char *kind, const char *id,
	const char *was, const char *is, struct ctm_err *err);

/* From here on changes are made on behalf of org ("" for none), and are counted. No SQL: it costs nothing. */
void ctm_audit_watch(struct ctm_db *db, const char *org);
/* The lines that follow are written on behalf of org: for whoever acts before the seam knows them. */
void ctm_audit_for(struct ctm_db *db, const char *org);
/* FAIL when rows changed since ctm_audit_watch() and no line was written: such a change must not be kept. */
CTM_CHECK int ctm_audit_demand(struct ctm_db *db, struct ctm_err *err);

/* Walk the whole chain. VERIFY with the first bad seq in err->field. *n lines checked, *head the last hash. */
CTM_CHECK int ctm_audit_check(struct ctm_db *db, int64_t *n, char head[72], struct ctm_err *err);

#endif
