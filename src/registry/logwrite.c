/* SPDX-License-Identifier: Apache-2.0
 *
 * The one writer of a log: whoever holds WORK/lock, of all servers of a state directory; it reads the published head only after it has the lock.
 * Order of work, and why a crash between any two steps is harmless:
 *   1 WORK/pending   base size and the entries, durable. From here the entries are part of the log's future.
 *   2 tiles          named by width: files of the published head are not touched, a half-made set is written again alike.
 *   3 signature      the signer keeps its own last head and refuses another tree of the same size; asked again for the same
 *                    head it signs the same bytes (Ed25519 is deterministic).
 *   4 checkpoint     one rename. This is the moment of publication.
 *   5 pending goes   found with a base below the head, it is only removed.
 * Because 1 comes before 3, no other entry can take the place of one whose head may have been signed: no fork.
 */
#include "registry/log.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOCK_WAIT_MS 2000            /* an append takes milliseconds; another server of the directory may be at it */
#define PENDING_MAX ((size_t)24 << 20)
#define BUNDLE_MAX ((size_t)CTM_TILE_WIDTH * (CTM_ENTRY_MAX + 2))

static void told(const struct ctm_log_writer *w, const char *step)
{
	if (w->step)
		w->step(w->arg, step);
}

/* --- pending ------------------------------------------------------------------------------------------------------- */

static int pending_write(const struct ctm_log_writer *w, int64_t base, const struct ctm_log_entry *e, size_t n, struct ctm_err *err)
{
	CTM_AUTO_JSON *j = ctm_json_obj();
	CTM_AUTO_BUF b = CTM_BUF(PENDING_MAX);
	ctm_json *list = ctm_json_arr();
	char path[4096];
	int rc = ctm_json_seti(j, "base", base);

	for (size_t i = 0; i < n && !rc; i++) {
		CTM_AUTO_BUF t = CTM_BUF(CTM_ENTRY_MAX * 2);
		ctm_b64(&t, e[i].p, e[i].n);
		rc = ctm_buf_err(&t, "entry", err);
		if (!rc)
			rc = ctm_json_adds(list, ctm_buf_cstr(&t));
	}
	int rc2 = ctm_json_set(j, "entries", list);
	if (rc || (rc = rc2) || (rc = ctm_json_canonical(j, &b)))
		return ctm_fail(err, rc, "pending", NULL, "The entries cannot be kept for the log.");
	snprintf(path, sizeof path, "%s/pending", w->work);
	return ctm_file_write(path, b.p, b.len, 0600, err);
}

static int pending_drop(const struct ctm_log_writer *w, struct ctm_err *err)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/pending", w->work);
	if ((unlink(path) && errno != ENOENT) || ctm_dir_sync(w->work))
		return ctm_fail(err, CTM_E_IO, "pending", NULL, "%s cannot be removed: %s", path, strerror(errno));
	return 0;
}

/* --- tiles --------------------------------------------------------------------------------------------------------- */

/* Make DIR/a/b/ of DIR/a/b/file, each new name durable. */
static int parents(const char *dir, char *path, struct ctm_err *err)
{
	for (char *s = path + strlen(dir) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		bool there = ctm_dir_exists(path);
		int rc = there ? 0 : ctm_mkdirs(path, 0755, err);
		char *up = strrchr(path, '/');
		if (!rc && !there && up) {
			*up = '\0';
			if (ctm_dir_sync(path))
				rc = ctm_fail(err, CTM_E_IO, "log", NULL, "%s cannot be synced.", path);
			*up = '/';
		}
		*s = '/';
		if (rc)
			return rc;
	}
	return 0;
}

static int write_tile(const char *dir, const struct ctm_tile *t, const void *p, size_t n, struct ctm_err *err)
{
	char rel[CTM_TILE_PATH_MAX], path[4096];

	ctm_tile_path(t, rel);
	if (snprintf(path, sizeof path, "%s/%s", dir, rel) >= (int)sizeof path)
		return ctm_fail(err, CTM_E_IO, "log", NULL, "The path of the log is too long.");
	int rc = parents(dir, path, err);
	return rc ? rc : ctm_file_write(path, p, n, 0644, err);
}

static int emit_tile(void *arg, const struct ctm_tile *t, const uint8_t *p, struct ctm_err *err)
{
	const struct ctm_log_writer *w = arg;

	return write_tile(w->dir, t, p, (size_t)t->width * CTM_SHA256, err);
}

/* Start a build where a tree of `size` ends: the partial tiles of each level are read back. */
static int build_at(struct ctm_tlog *l, int64_t size, struct ctm_tile_build *b, struct ctm_err *err)
{
	for (int i = 0; i < CTM_TILE_LEVELS; i++) {
		int64_t count = size >> (8 * i);
		struct ctm_tile t = { i, count / CTM_TILE_WIDTH, (unsigned)(count % CTM_TILE_WIDTH) };
		CTM_AUTO_BUF p = CTM_BUF(CTM_TILE_WIDTH * CTM_SHA256);
		int rc = t.width ? ctm_log_tile(l, &t, &p, err) : 0;
		if (rc)
			return rc;
		b->level[i].at = t.n;
		b->level[i].n = t.width;
		if (t.width)
			memcpy(b->level[i].h, p.p, (size_t)t.width * CTM_SHA256);
	}
	return 0;
}

/* The first `n` entries of a bundle file: a pruned partial bundle comes back as the full one. */
static int bundle_cut(struct ctm_buf *b, unsigned n, struct ctm_err *err)
{
	size_t at = 0;

	for (unsigned i = 0; i < n; i++) {
		const uint8_t *u = (const uint8_t *)b->p + at;
		size_t len = b->len - at < 2 ? b->len : (size_t)u[0] << 8 | u[1];
		if (b->len - at < 2 || b->len - at - 2 < len)
			return ctm_fail(err, CTM_E_VERIFY, "entries", "C2SP tlog-tiles", "The last bundle of the log is cut short.");
		at += 2 + len;
	}
	b->len = at;
	return 0;
}

static int write_bundles(const struct ctm_log_writer *w, struct ctm_tlog *l, int64_t base, const struct ctm_log_entry *e, size_t n, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(BUNDLE_MAX);
	struct ctm_tile t = { CTM_TILE_ENTRIES, base / CTM_TILE_WIDTH, (unsigned)(base % CTM_TILE_WIDTH) };
	int rc = 0;

	if (t.width && ((rc = ctm_log_tile(l, &t, &b, err)) || (rc = bundle_cut(&b, t.width, err))))
		return rc;
	for (size_t i = 0; i < n; i++) {
		uint8_t len[2] = { (uint8_t)(e[i].n >> 8), (uint8_t)e[i].n };
		ctm_buf_add(&b, len, 2);
		ctm_buf_add(&b, e[i].p, e[i].n);
		t.width++;
		if (t.width < CTM_TILE_WIDTH && i + 1 < n)
			continue;
		if ((rc = ctm_buf_err(&b, "bundle", err)) || (rc = write_tile(w->dir, &t, b.p, b.len, err)))
			return rc;
		if (t.width == CTM_TILE_WIDTH) {
			ctm_buf_reset(&b);
			t.n++;
			t.width = 0;
		}
	}
	return 0;
}

/* Partial files of tiles that are full under a published head of `size` are no longer needed. Best effort. */
static void prune(const struct ctm_log_writer *w, int64_t from, int64_t size)
{
	for (int level = CTM_TILE_ENTRIES; level < CTM_TILE_LEVELS; level++) {
		unsigned shift = level < 0 ? 8 : 8 * (unsigned)level + 8;
		if (shift > 62)
			return;
		for (int64_t n = from >> shift; n < size >> shift; n++) {
			struct ctm_tile t = { level, n, CTM_TILE_WIDTH };
			char rel[CTM_TILE_PATH_MAX], path[4096];
			ctm_tile_path(&t, rel);
			if (snprintf(path, sizeof path, "%s/%s.p", w->dir, rel) >= (int)sizeof path)
				return;
			DIR *d = opendir(path);
			if (!d)
				continue;
			for (struct dirent *e; (e = readdir(d));)
				if (e->d_name[0] != '.')
					unlinkat(dirfd(d), e->d_name, 0);
			closedir(d);
			rmdir(path);
		}
	}
}

/* --- appending ----------------------------------------------------------------------------------------------------- */

/* Steps 2 to 5 for entries that are in pending already. */
static int integrate(const struct ctm_log_writer *w, struct ctm_tlog *l, const struct ctm_log_entry *e, size_t n, struct ctm_err *err)
{
	struct ctm_checkpoint cp = *ctm_log_head(l), signed_cp;
	struct ctm_proof_path proof = { 0 };
	CTM_AUTO_BUF note = CTM_BUF(CTM_NOTE_MAX);
	uint8_t leaf[CTM_SHA256];
	char path[4096];
	int64_t base = cp.size;
	int rc;

	struct ctm_tile_build *b = calloc(1, sizeof *b);
	if (!b)
		return ctm_fail(err, CTM_E_NOMEM, "log", NULL, "out of memory");
	b->emit = emit_tile;
	b->arg = (void *)w;
	rc = write_bundles(w, l, base, e, n, err);
	if (!rc)
		rc = build_at(l, base, b, err);
	for (size_t i = 0; i < n && !rc; i++) {
		ctm_merkle_leaf(e[i].p, e[i].n, leaf);
		rc = ctm_tile_build_leaf(b, leaf, err);
	}
	if (!rc)
		rc = ctm_tile_build_end(b, err);
	free(b);
	if (rc)
		return rc;
	told(w, "tiles");
	cp.size = base + (int64_t)n;
	ctm_log_view(l, cp.size);
	struct ctm_merkle_src s = ctm_log_src(l);
	if ((rc = ctm_merkle_root(&s, cp.size, cp.root, err)) || (base && (rc = ctm_merkle_prove_consistency(&s, base, cp.size, &proof, err))))
		return rc;
	if ((rc = w->sign(w->arg, &cp, base, &proof, &note, err)))
		return rc;
	told(w, "signed");
	if ((rc = ctm_checkpoint_verify(note.p ? note.p : "", note.len, &w->key, &signed_cp, NULL, err)))
		return ctm_fail_prefix(err, "The signer's answer was not used: ");
	if (signed_cp.size != cp.size || memcmp(signed_cp.root, cp.root, sizeof cp.root))
		return ctm_fail(err, CTM_E_VERIFY, "checkpoint", NULL, "The signer answered with another head than the one asked for; it was not used.");
	snprintf(path, sizeof path, "%s/checkpoint", w->dir);
	if ((rc = ctm_file_write(path, note.p, note.len, 0644, err)))
		return rc;
	told(w, "checkpoint");
	if ((rc = pending_drop(w, err)))
		return rc;
	prune(w, base, cp.size);
	told(w, "done");
	return 0;
}

/* Finish what a crash left in WORK/pending. */
static int resume(const struct ctm_log_writer *w, struct ctm_err *err)
{
	char path[4096];
	struct ctm_err local = { 0 };
	CTM_AUTO_BUF text = CTM_BUF(PENDING_MAX);
	CTM_AUTO_JSON *j = NULL;
	CTM_AUTO_LOG *l = NULL;
	struct ctm_log_entry e[CTM_LOG_BATCH] = { 0 };
	struct ctm_buf raw[CTM_LOG_BATCH] = { 0 };

	snprintf(path, sizeof path, "%s/pending", w->work);
	int rc = ctm_file_read(path, PENDING_MAX, &text, &local);
	if (rc == CTM_E_NOTFOUND)
		return 0;
	if (rc)
		return ctm_fail(err, rc, "pending", NULL, "%s", local.msg);
	if ((rc = ctm_json_parse(text.p, text.len, PENDING_MAX, "pending", &j, err)) || (rc = ctm_log_open(w->dir, &w->key, &l, err)))
		return rc;
	int64_t base = ctm_json_geti(j, "base", -1), size = ctm_log_head(l)->size;
	const ctm_json *list = ctm_json_get(j, "entries");
	size_t n = ctm_json_len(list);
	if (base < 0 || base > size || n < 1 || n > CTM_LOG_BATCH)
		return ctm_fail(err, CTM_E_STATE, "pending", NULL, "%s belongs to a log of %lld entries, but this one has %lld: public/log and log/ must be restored together.", path, (long long)base, (long long)size);
	if (base < size)
		return pending_drop(w, err);
	for (size_t i = 0; i < n && !rc; i++) {
		const char *t = ctm_json_str(ctm_json_at(list, i));
		raw[i] = CTM_BUF(CTM_ENTRY_MAX);
		if (!t || ctm_unb64(t, strlen(t), &raw[i]))
			rc = ctm_fail(err, CTM_E_SYNTAX, "pending", NULL, "%s: entry %zu is not base64.", path, i);
		e[i] = (struct ctm_log_entry){ raw[i].p, raw[i].len };
	}
	if (!rc)
		rc = integrate(w, l, e, n, err);
	for (size_t i = 0; i < n; i++)
		ctm_buf_free(&raw[i]);
	return rc;
}

/* Which of the entries stand among the last ones already? index[i] is set or -1. */
static int find_old(struct ctm_tlog *l, const struct ctm_log_entry *e, size_t n, int64_t *index, struct ctm_err *err)
{
	int64_t size = ctm_log_head(l)->size, low = size > CTM_LOG_LOOKBACK ? size - CTM_LOG_LOOKBACK : 0;
	uint8_t leaf[CTM_LOG_BATCH][CTM_SHA256], h[CTM_SHA256];

	for (size_t i = 0; i < n; i++) {
		ctm_merkle_leaf(e[i].p, e[i].n, leaf[i]);
		index[i] = -1;
	}
	for (int64_t at = size - 1; at >= low; at--) {
		int rc = ctm_log_leaf(l, at, h, err);
		if (rc)
			return rc;
		for (size_t i = 0; i < n; i++)
			if (!memcmp(h, leaf[i], sizeof h))
				index[i] = at;
	}
	return 0;
}

static int append_locked(const struct ctm_log_writer *w, const struct ctm_log_entry *entries, size_t n, int64_t *index, struct ctm_err *err)
{
	CTM_AUTO_LOG *l = NULL;
	struct ctm_log_entry fresh[CTM_LOG_BATCH];
	int64_t at[CTM_LOG_BATCH];
	size_t m = 0;
	int rc;

	if ((rc = resume(w, err)) || n == 0)
		return rc;
	if ((rc = ctm_log_open(w->dir, &w->key, &l, err)) || (rc = find_old(l, entries, n, at, err)))
		return rc;
	int64_t base = ctm_log_head(l)->size;
	for (size_t i = 0; i < n; i++)
		if (at[i] < 0) {
			at[i] = base + (int64_t)m;
			fresh[m++] = entries[i];
		}
	if (m && (rc = pending_write(w, base, fresh, m, err)))
		return rc;
	if (m) {
		told(w, "pending");
		if ((rc = integrate(w, l, fresh, m, err)))
			return rc;
	}
	memcpy(index, at, n * sizeof *index);
	return 0;
}

int ctm_log_append(const struct ctm_log_writer *w, const struct ctm_log_entry *entries, size_t n, int64_t *index, struct ctm_err *err)
{
	char path[4096];
	int rc;

	if (n > CTM_LOG_BATCH)
		return ctm_fail(err, CTM_E_INPUT, "entries", NULL, "At most %d entries are appended at once.", CTM_LOG_BATCH);
	for (size_t i = 0; i < n; i++)
		if (entries[i].n == 0 || entries[i].n > CTM_ENTRY_MAX)
			return ctm_fail(err, CTM_E_INPUT, "entries", "C2SP tlog-tiles", "A log entry has 1 to %d bytes.", CTM_ENTRY_MAX);
	if ((rc = ctm_mkdirs(w->work, 0700, err)) || (rc = ctm_mkdirs(w->dir, 0755, err)))
		return rc;
	snprintf(path, sizeof path, "%s/lock", w->work);
	CTM_AUTO_FD fd = -1;
	struct ctm_err own = { 0 };
	if ((rc = ctm_file_lock_wait(path, LOCK_WAIT_MS, &fd, &own)))
		return rc == CTM_E_BUSY ? ctm_fail(err, rc, "log", NULL, "Another program is writing the log just now; the entry is kept and tried again.") :
			ctm_fail(err, rc, "lock", NULL, "%s", own.msg);
	return append_locked(w, entries, n, index, err);
}
