/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading a tiled log. A node of the tree is found in the tile that holds its 8-level floor: at most 256 hashes are combined
 * for one node, and the last tiles read are kept, so that a proof of any size costs a handful of small reads.
 */
#include "registry/log.h"
#include "base/file.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CACHE 8
#define BUNDLE_MAX ((size_t)CTM_TILE_WIDTH * (CTM_ENTRY_MAX + 2))

struct ctm_tlog {
	char *dir;
	struct ctm_checkpoint cp;
	struct ctm_buf note;
	int64_t view;                                     /* size of the tree looked at; cp.size but for the writer */
	struct { struct ctm_tile t; struct ctm_buf b; } cache[CACHE];
	unsigned next;
};

static void cache_drop(struct ctm_tlog *l)
{
	for (unsigned i = 0; i < CACHE; i++) {
		ctm_buf_free(&l->cache[i].b);
		l->cache[i].t.width = 0;
	}
}

void ctm_log_close(struct ctm_tlog *l)
{
	if (!l)
		return;
	cache_drop(l);
	ctm_buf_free(&l->note);
	free(l->dir);
	free(l);
}

void ctm_log_closep(struct ctm_tlog **l)
{
	ctm_log_close(*l);
	*l = NULL;
}

static int read_head(struct ctm_tlog *l, const struct ctm_vkey *key, struct ctm_err *err)
{
	char path[4096];
	struct ctm_err local = { 0 };

	snprintf(path, sizeof path, "%s/checkpoint", l->dir);
	int rc = ctm_file_read(path, CTM_NOTE_MAX, &l->note, &local);
	if (rc == CTM_E_NOTFOUND) {
		ctm_copy(l->cp.origin, sizeof l->cp.origin, key->name);
		ctm_merkle_empty(l->cp.root);
		return 0;
	}
	if (rc)
		return ctm_fail(err, rc, "checkpoint", NULL, "%s", local.msg);
	return ctm_checkpoint_verify(l->note.p ? l->note.p : "", l->note.len, key, &l->cp, NULL, err);
}

int ctm_log_open(const char *dir, const struct ctm_vkey *key, struct ctm_tlog **out, struct ctm_err *err)
{
	struct ctm_tlog *l = calloc(1, sizeof *l);

	if (!l || !(l->dir = strdup(dir))) {
		ctm_log_close(l);
		return ctm_fail(err, CTM_E_NOMEM, "log", NULL, "out of memory");
	}
	l->note = CTM_BUF(CTM_NOTE_MAX);
	int rc = read_head(l, key, err);
	if (rc) {
		ctm_log_close(l);
		return rc;
	}
	l->view = l->cp.size;
	*out = l;
	return 0;
}

const struct ctm_checkpoint *ctm_log_head(const struct ctm_tlog *l)
{
	return &l->cp;
}

const char *ctm_log_note(const struct ctm_tlog *l, size_t *n)
{
	if (n)
		*n = l->note.len;
	return l->note.p ? l->note.p : "";
}

void ctm_log_view(struct ctm_tlog *l, int64_t size)
{
	cache_drop(l);
	l->view = size;
}

int ctm_log_tile(struct ctm_tlog *l, const struct ctm_tile *t, struct ctm_buf *out, struct ctm_err *err)
{
	char rel[CTM_TILE_PATH_MAX], path[4096];
	struct ctm_err local = { 0 };
	struct ctm_tile full = *t;
	size_t max = t->level == CTM_TILE_ENTRIES ? BUNDLE_MAX : CTM_TILE_WIDTH * CTM_SHA256;

	ctm_tile_path(t, rel);
	snprintf(path, sizeof path, "%s/%s", l->dir, rel);
	int rc = ctm_file_read(path, max, out, &local);
	if (rc == CTM_E_NOTFOUND && t->width < CTM_TILE_WIDTH) {      /* pruned once the full tile was there */
		full.width = CTM_TILE_WIDTH;
		ctm_tile_path(&full, rel);
		snprintf(path, sizeof path, "%s/%s", l->dir, rel);
		ctm_err_clear(&local);
		rc = ctm_file_read(path, max, out, &local);
	}
	if (rc)
		return ctm_fail(err, rc == CTM_E_NOTFOUND ? CTM_E_VERIFY : rc, rel, "C2SP tlog-tiles", "%s cannot be read: %s", rel, local.msg);
	if (t->level != CTM_TILE_ENTRIES && out->len < (size_t)t->width * CTM_SHA256)
		return ctm_fail(err, CTM_E_VERIFY, rel, "C2SP tlog-tiles", "%s is shorter than its %u hashes.", rel, t->width);
	return 0;
}

/* The tile of level tl with number n as the present tree has it. */
static int tile_in_tree(struct ctm_tlog *l, int tl, int64_t n, struct ctm_tile *t, struct ctm_err *err)
{
	int64_t count = (tl == CTM_TILE_ENTRIES ? l->view : l->view >> (8 * tl)) - n * CTM_TILE_WIDTH;

	if (count <= 0)
		return ctm_fail(err, CTM_E_NOTFOUND, "index", NULL, "The log has %lld entries.", (long long)l->view);
	*t = (struct ctm_tile){ tl, n, count > CTM_TILE_WIDTH ? CTM_TILE_WIDTH : (unsigned)count };
	return 0;
}

static int cached(struct ctm_tlog *l, const struct ctm_tile *t, const uint8_t **p, struct ctm_err *err)
{
	for (unsigned i = 0; i < CACHE; i++)
		if (l->cache[i].t.width == t->width && l->cache[i].t.level == t->level && l->cache[i].t.n == t->n) {
			*p = (const uint8_t *)l->cache[i].b.p;
			return 0;
		}
	unsigned slot = l->next++ % CACHE;
	ctm_buf_free(&l->cache[slot].b);
	l->cache[slot].b = CTM_BUF(CTM_TILE_WIDTH * CTM_SHA256);
	l->cache[slot].t.width = 0;
	int rc = ctm_log_tile(l, t, &l->cache[slot].b, err);
	if (rc)
		return rc;
	l->cache[slot].t = *t;
	*p = (const uint8_t *)l->cache[slot].b.p;
	return 0;
}

/* Root of a power of two of hashes, in place. */
static void fold(uint8_t (*h)[CTM_SHA256], size_t n)
{
	for (; n > 1; n /= 2)
		for (size_t i = 0; i < n / 2; i++)
			ctm_merkle_node(h[2 * i], h[2 * i + 1], h[i]);
}

static int node(void *arg, unsigned level, int64_t index, uint8_t out[CTM_SHA256], struct ctm_err *err)
{
	struct ctm_tlog *l = arg;
	unsigned tl = level / 8, up = level % 8;
	int64_t first = index << up;
	uint8_t h[128][CTM_SHA256];
	struct ctm_tile t;
	const uint8_t *p;
	int rc;

	if ((rc = tile_in_tree(l, (int)tl, first / CTM_TILE_WIDTH, &t, err)))
		return rc;
	size_t off = (size_t)(first % CTM_TILE_WIDTH), n = (size_t)1 << up;
	if (off + n > t.width)
		return ctm_fail(err, CTM_E_FAIL, "log", NULL, "A node outside the tree was asked for.");
	if ((rc = cached(l, &t, &p, err)))
		return rc;
	memcpy(h, p + off * CTM_SHA256, n * CTM_SHA256);
	fold(h, n);
	memcpy(out, h[0], CTM_SHA256);
	return 0;
}

struct ctm_merkle_src ctm_log_src(struct ctm_tlog *l)
{
	return (struct ctm_merkle_src){ node, l };
}

int ctm_log_leaf(struct ctm_tlog *l, int64_t index, uint8_t out[CTM_SHA256], struct ctm_err *err)
{
	if (index < 0 || index >= l->view)
		return ctm_fail(err, CTM_E_NOTFOUND, "index", NULL, "The log has %lld entries; there is no entry %lld.", (long long)l->view, (long long)index);
	return node(l, 0, index, out, err);
}

int ctm_log_prove(struct ctm_tlog *l, int64_t index, struct ctm_proof_path *out, struct ctm_err *err)
{
	struct ctm_merkle_src s = ctm_log_src(l);

	return ctm_merkle_prove_inclusion(&s, index, l->view, out, err);
}

/* Step over one entry of a bundle. */
static bool bundle_next(const struct ctm_buf *b, size_t *at, const char **p, size_t *n)
{
	const uint8_t *u = (const uint8_t *)b->p;

	if (b->len - *at < 2)
		return false;
	*n = (size_t)u[*at] << 8 | u[*at + 1];
	if (b->len - *at - 2 < *n)
		return false;
	*p = b->p + *at + 2;
	*at += 2 + *n;
	return true;
}

int ctm_log_entry(struct ctm_tlog *l, int64_t index, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(BUNDLE_MAX);
	struct ctm_tile t;
	const char *p = NULL;
	size_t at = 0, n = 0;
	int rc;

	if (index < 0 || index >= l->view)
		return ctm_fail(err, CTM_E_NOTFOUND, "index", NULL, "The log has %lld entries; there is no entry %lld.", (long long)l->view, (long long)index);
	if ((rc = tile_in_tree(l, CTM_TILE_ENTRIES, index / CTM_TILE_WIDTH, &t, err)) || (rc = ctm_log_tile(l, &t, &b, err)))
		return rc;
	for (int64_t i = 0; i <= index % CTM_TILE_WIDTH; i++)
		if (!bundle_next(&b, &at, &p, &n))
			return ctm_fail(err, CTM_E_VERIFY, "entries", "C2SP tlog-tiles", "The bundle that holds entry %lld is cut short.", (long long)index);
	ctm_buf_add(out, p, n);
	return ctm_buf_err(out, "entry", err);
}

/* --- building tiles ------------------------------------------------------------------------------------------------ */

static int push(struct ctm_tile_build *b, int level, const uint8_t h[CTM_SHA256], struct ctm_err *err)
{
	uint8_t up[CTM_TILE_WIDTH][CTM_SHA256];

	memcpy(b->level[level].h[b->level[level].n++], h, CTM_SHA256);
	b->level[level].dirty = true;
	if (b->level[level].n < CTM_TILE_WIDTH)
		return 0;
	struct ctm_tile t = { level, b->level[level].at, CTM_TILE_WIDTH };
	int rc = b->emit(b->arg, &t, b->level[level].h[0], err);
	if (rc)
		return rc;
	memcpy(up, b->level[level].h, sizeof up);
	fold(up, CTM_TILE_WIDTH);
	b->level[level].n = 0;
	b->level[level].at++;
	b->level[level].dirty = false;
	return level + 1 < CTM_TILE_LEVELS ? push(b, level + 1, up[0], err) : 0;
}

int ctm_tile_build_leaf(struct ctm_tile_build *b, const uint8_t leaf[CTM_SHA256], struct ctm_err *err)
{
	return push(b, 0, leaf, err);
}

int ctm_tile_build_end(struct ctm_tile_build *b, struct ctm_err *err)
{
	for (int i = 0; i < CTM_TILE_LEVELS; i++) {
		struct ctm_tile t = { i, b->level[i].at, b->level[i].n };
		int rc = b->level[i].dirty && t.width ? b->emit(b->arg, &t, b->level[i].h[0], err) : 0;
		if (rc)
			return rc;
	}
	return 0;
}

/* --- checking ------------------------------------------------------------------------------------------------------ */

struct checking { struct ctm_tlog *l; int64_t tiles; };

static int compare(void *arg, const struct ctm_tile *t, const uint8_t *p, struct ctm_err *err)
{
	struct checking *c = arg;
	CTM_AUTO_BUF b = CTM_BUF(CTM_TILE_WIDTH * CTM_SHA256);
	char rel[CTM_TILE_PATH_MAX];
	int rc = ctm_log_tile(c->l, t, &b, err);

	if (rc)
		return rc;
	ctm_tile_path(t, rel);
	if (memcmp(b.p, p, (size_t)t->width * CTM_SHA256))
		return ctm_fail(err, CTM_E_VERIFY, rel, "C2SP tlog-tiles", "%s does not follow from the entries below it.", rel);
	c->tiles++;
	return 0;
}

int ctm_log_check(struct ctm_tlog *l, int (*entry)(void *arg, int64_t index, const void *p, size_t n, struct ctm_err *err), void *arg,
	struct ctm_log_report *out, struct ctm_err *err)
{
	struct checking c = { .l = l };
	CTM_AUTO_BUF bundle = CTM_BUF(BUNDLE_MAX);
	struct ctm_tile t = { 0 };
	uint8_t root[CTM_SHA256], leaf[CTM_SHA256];
	size_t at = 0, n;
	const char *p;
	int rc = 0;

	struct ctm_tile_build *b = calloc(1, sizeof *b);
	if (!b)
		return ctm_fail(err, CTM_E_NOMEM, "log", NULL, "out of memory");
	b->emit = compare;
	b->arg = &c;
	for (int64_t i = 0; i < l->view && !rc; i++) {
		if (i % CTM_TILE_WIDTH == 0) {
			ctm_buf_reset(&bundle);
			at = 0;
			if ((rc = tile_in_tree(l, CTM_TILE_ENTRIES, i / CTM_TILE_WIDTH, &t, err)) || (rc = ctm_log_tile(l, &t, &bundle, err)))
				break;
			c.tiles++;
		}
		if (!bundle_next(&bundle, &at, &p, &n)) {
			rc = ctm_fail(err, CTM_E_VERIFY, "entries", "C2SP tlog-tiles", "The bundle that holds entry %lld is cut short.", (long long)i);
			break;
		}
		ctm_merkle_leaf(p, n, leaf);
		if (!(rc = ctm_tile_build_leaf(b, leaf, err)) && entry)
			rc = entry(arg, i, p, n, err);
	}
	if (!rc)
		rc = ctm_tile_build_end(b, err);
	free(b);
	struct ctm_merkle_src s = ctm_log_src(l);
	if (rc || (rc = ctm_merkle_root(&s, l->view, root, err)))
		return rc;
	if (memcmp(root, l->cp.root, sizeof root))
		return ctm_fail(err, CTM_E_VERIFY, "checkpoint", "C2SP tlog-checkpoint", "The root in the checkpoint is not that of the %lld entries.", (long long)l->view);
	*out = (struct ctm_log_report){ l->view, c.tiles };
	return 0;
}
