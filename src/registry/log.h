/* SPDX-License-Identifier: Apache-2.0
 *
 * The transparency log as files (C2SP tlog-tiles): DIR/checkpoint and DIR/tile/... Any static server carries them; nothing
 * but these files is needed to read, prove or re-verify. A reader sees the tree of the checkpoint it read, however far the
 * writer has gone since: files of a finished tile never change.
 */
#ifndef CTM_REGISTRY_LOG_H
#define CTM_REGISTRY_LOG_H
#include "base/buf.h"
#include <stdbool.h>
#include "registry/merkle.h"
#include "registry/note.h"
#include "registry/tile.h"

struct ctm_tlog;        /* one reader; one thread at a time */

/* dir: the public directory. Reads and verifies the checkpoint; a directory without one is an empty log. VERIFY, SYNTAX, IO. */
CTM_CHECK int ctm_log_open(const char *dir, const struct ctm_vkey *key, struct ctm_tlog **out, struct ctm_err *err);
void ctm_log_close(struct ctm_tlog *l);
void ctm_log_closep(struct ctm_tlog **l);
#define CTM_AUTO_LOG __attribute__((cleanup(ctm_log_closep))) struct ctm_tlog
const struct ctm_checkpoint *ctm_log_head(const struct ctm_tlog *l);
const char *ctm_log_note(const struct ctm_tlog *l, size_t *n);        /* the checkpoint as it stands in its file; "" when empty */
struct ctm_merkle_src ctm_log_src(struct ctm_tlog *l);                /* for the builders of merkle.h */
CTM_CHECK int ctm_log_entry(struct ctm_tlog *l, int64_t index, struct ctm_buf *out, struct ctm_err *err);        /* NOTFOUND beyond the head */
CTM_CHECK int ctm_log_leaf(struct ctm_tlog *l, int64_t index, uint8_t out[CTM_SHA256], struct ctm_err *err);     /* its leaf hash */
CTM_CHECK int ctm_log_prove(struct ctm_tlog *l, int64_t index, struct ctm_proof_path *out, struct ctm_err *err); /* inclusion under the head */

/* Re-verify the whole log: every bundle against the tiles, every tile against its parent, the root against the checkpoint.
 * entry (may be NULL) is called for each entry and may refuse it. VERIFY names the file. */
struct ctm_log_report { int64_t entries, tiles; };
CTM_CHECK int ctm_log_check(struct ctm_tlog *l, int (*entry)(void *arg, int64_t index, const void *p, size_t n, struct ctm_err *err), void *arg,
	struct ctm_log_report *out, struct ctm_err *err);

/* --- writing ------------------------------------------------------------------------------------------------------- */

/* The one writer. Entries are made durable in WORK/pending, then the tiles are written, then the new head is signed, then the
 * checkpoint replaces the old one, then pending goes. Started again after a crash at any point the writer first finishes
 * pending, so that a head once signed is the head that is published. WORK/lock is held meanwhile. */
struct ctm_log_writer {
	const char *dir;          /* public directory */
	const char *work;         /* private directory: lock, pending */
	struct ctm_vkey key;
	/* Sign head `cp`, proved consistent with old_size (n == 0 hashes when old_size is 0 or equal). Appends the note to out. */
	int (*sign)(void *arg, const struct ctm_checkpoint *cp, int64_t old_size, const struct ctm_proof_path *proof, struct ctm_buf *note, struct ctm_err *err);
	void *arg;
	void (*step)(void *arg, const char *name);   /* told after each durable step; may be NULL */
};
struct ctm_log_entry { const void *p; size_t n; };
#define CTM_LOG_BATCH 256
#define CTM_LOG_LOOKBACK 4096       /* entries searched from the end for one that is already there */

/* Append n (1..CTM_LOG_BATCH) entries, durable on return; index receives where each stands. An entry that stands among the last
 * CTM_LOG_LOOKBACK already is not written again: appending is idempotent for a caller that retries. BUSY when another
 * writer holds the lock for two seconds. With n == 0: only finish what a crash left. */
CTM_CHECK int ctm_log_append(const struct ctm_log_writer *w, const struct ctm_log_entry *entries, size_t n, int64_t *index, struct ctm_err *err);

/* Internal to log*.c: builds tiles leaf by leaf and hands out each finished or partial one. */
struct ctm_tile_build {
	struct { uint8_t h[CTM_TILE_WIDTH][CTM_SHA256]; unsigned n; int64_t at; bool dirty; } level[CTM_TILE_LEVELS];
	int (*emit)(void *arg, const struct ctm_tile *t, const uint8_t *p, struct ctm_err *err);
	void *arg;
};
CTM_CHECK int ctm_tile_build_leaf(struct ctm_tile_build *b, const uint8_t leaf[CTM_SHA256], struct ctm_err *err);
CTM_CHECK int ctm_tile_build_end(struct ctm_tile_build *b, struct ctm_err *err);          /* emits partial tiles */
CTM_CHECK int ctm_log_tile(struct ctm_tlog *l, const struct ctm_tile *t, struct ctm_buf *out, struct ctm_err *err);  /* whole file, full tile instead of a pruned partial one */
void ctm_log_view(struct ctm_tlog *l, int64_t size);                                       /* look at a tree of another size */

#endif
