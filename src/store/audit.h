/* SPDX-License-Identifier: Apache-2.0
 *
 * Audit chain: one line per change, written in the same transaction as the change. hash = SHA-256 over the text of
 * prev_hash and the canonical JSON of {action, actor, after, at_ms, before, kind, seq, subject}, before and after as the
 * JSON texts of their columns. prev_hash of the first line is sha256:000..0. ctm fsck walks it. before/after are JSON objects or NULL; secrets never enter. Statement "audit.of" (:kind, :subject, :limit) lists the
 * lines of one thing, newest first.
 */
#ifndef CTM_STORE_AUDIT_H
#define CTM_STORE_AUDIT_H
#include "store/store.h"

/* Append a line inside the caller's transaction. */
CTM_CHECK int ctm_audit(struct ctm_db *db, int64_t now_ms, const char *actor, const char *action, const char *kind, const char *id,
	const ctm_json *before, const ctm_json *after, struct ctm_err *err);
/* Walk the whole chain. VERIFY with the first bad seq in err->field. *n lines checked, *head the last hash. */
CTM_CHECK int ctm_audit_check(struct ctm_db *db, int64_t *n, char head[72], struct ctm_err *err);

#endif
