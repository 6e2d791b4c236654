/* SPDX-License-Identifier: Apache-2.0
 *
 * The signer's journal: one JSON line per thing signed, each carrying the hash of the one before, written and synced before the
 * signature leaves. It is the signer's only memory: what it has signed is replayed from here at start.
 *   {"at", "hash", "op", "prev", "seq", ...}     hash = SHA-256 of the canonical line without "hash"
 * A last line without a newline was never answered for and is cut off; anything else out of order stops the start.
 */
#ifndef CTM_REGISTRY_SIGNER_JOURNAL_H
#define CTM_REGISTRY_SIGNER_JOURNAL_H
#include "base/json.h"
#include "crypto/hash.h"

#define CTM_JOURNAL_LINE_MAX (64 * 1024)

struct ctm_journal { int fd; int64_t seq; char head[CTM_DIGEST_MAX]; };

/* Open or make, check the chain, give every line to `replay` in order. VERIFY names the line. */
CTM_CHECK int ctm_journal_open(const char *path, int (*replay)(void *arg, const ctm_json *line, struct ctm_err *err), void *arg,
	struct ctm_journal *out, struct ctm_err *err);
/* Add a line (the journal sets at, seq, prev, hash in it) and sync. IO leaves the file as it was or with a cut line. */
CTM_CHECK int ctm_journal_add(struct ctm_journal *j, int64_t now_ms, ctm_json *line, struct ctm_err *err);
void ctm_journal_close(struct ctm_journal *j);

#endif
