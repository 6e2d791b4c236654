/* SPDX-License-Identifier: Apache-2.0
 *
 * Deterministic ustar through libarchive: regular files only, time 0, owner 0, mode 0644, names in strict byte order, two zero
 * blocks at the end. Reading accepts exactly that: what was read is written again and must be the same bytes.
 */
#include "lab/bundle.h"
#include "base/file.h"
#include "base/text.h"
#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MAX 1100

static la_ssize_t to_buf(struct archive *a, void *arg, const void *p, size_t n)
{
	struct ctm_buf *b = arg;

	ctm_buf_add(b, p, n);
	return b->failed ? -1 : (la_ssize_t)n;
}

static int write_part(struct archive *a, const struct ctm_bundle_part *p)
{
	struct archive_entry *e = archive_entry_new();
	int ok;

	if (!e)
		return -1;
	archive_entry_set_pathname(e, p->name);
	archive_entry_set_size(e, (la_int64_t)p->n);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_mtime(e, 0, 0);
	ok = archive_write_header(a, e) == ARCHIVE_OK && (p->n == 0 || archive_write_data(a, p->p, p->n) == (la_ssize_t)p->n);
	archive_entry_free(e);
	return ok ? 0 : -1;
}

int ctm_tar_write(const struct ctm_bundle_part *part, size_t n, struct ctm_buf *out, struct ctm_err *err)
{
	struct archive *a = archive_write_new();
	int bad = !a || archive_write_set_format_ustar(a) != ARCHIVE_OK || archive_write_add_filter_none(a) != ARCHIVE_OK ||
		archive_write_set_bytes_per_block(a, 0) != ARCHIVE_OK || archive_write_open(a, out, NULL, to_buf, NULL) != ARCHIVE_OK;

	for (size_t i = 0; i < n && !bad; i++)
		bad = write_part(a, &part[i]);
	if (a && archive_write_close(a) != ARCHIVE_OK)
		bad = 1;
	archive_write_free(a);
	if (bad)
		return ctm_fail(err, out->failed ? out->failed : CTM_E_FAIL, "bundle", NULL, "the bundle could not be written%s", out->failed == CTM_E_TOOBIG ? ": it would be too large" : "");
	return 0;
}

void ctm_tar_free(struct ctm_tar *t)
{
	free(t->part);
	free(t->store);
	*t = (struct ctm_tar){ 0 };
}

static int read_part(struct archive *a, struct archive_entry *e, struct ctm_tar *t, char *store, size_t *used, size_t cap, struct ctm_err *err)
{
	const char *name = archive_entry_pathname(e);
	la_int64_t size = archive_entry_size(e);
	struct ctm_bundle_part *p = &t->part[t->n];

	if (!name || !ctm_path_safe(name) || !ctm_copy(p->name, sizeof p->name, name) || archive_entry_filetype(e) != AE_IFREG)
		return ctm_fail(err, CTM_E_SYNTAX, "bundle", NULL, "entry %zu is not a plain file with a safe name", t->n + 1);
	if (t->n && strcmp(t->part[t->n - 1].name, p->name) >= 0)
		return ctm_fail(err, CTM_E_SYNTAX, p->name, NULL, "entries must stand in order, each name once");
	if (size < 0 || (size_t)size > cap - *used)
		return ctm_fail(err, CTM_E_SYNTAX, p->name, NULL, "the entry is longer than the file");
	if (size && archive_read_data(a, store + *used, (size_t)size) != (la_ssize_t)size)
		return ctm_fail(err, CTM_E_SYNTAX, p->name, NULL, "the entry is cut off");
	p->p = store + *used;
	p->n = (size_t)size;
	*used += (size_t)size;
	t->n++;
	return 0;
}

static int read_all(struct archive *a, struct ctm_tar *t, size_t cap, struct ctm_err *err)
{
	struct archive_entry *e;
	size_t used = 0;
	int got, rc = 0;

	while (!rc && (got = archive_read_next_header(a, &e)) != ARCHIVE_EOF) {
		if (got != ARCHIVE_OK)
			return ctm_fail(err, CTM_E_SYNTAX, "bundle", NULL, "not a bundle: the archive is malformed after entry %zu", t->n);
		if (t->n >= PARTS_MAX)
			return ctm_fail(err, CTM_E_TOOBIG, "bundle", NULL, "more than %d entries", PARTS_MAX);
		rc = read_part(a, e, t, t->store, &used, cap, err);
	}
	return rc;
}

int ctm_tar_read(const void *p, size_t n, struct ctm_tar *out, struct ctm_err *err)
{
	struct ctm_tar t = { .part = calloc(PARTS_MAX, sizeof *t.part), .store = malloc(n + 1) };
	CTM_AUTO_BUF again = CTM_BUF(CTM_BUNDLE_MAX + 4096);
	struct archive *a = archive_read_new();
	int rc = 0;

	if (n > CTM_BUNDLE_MAX)
		rc = ctm_fail(err, CTM_E_TOOBIG, "bundle", NULL, "a bundle has at most %zu bytes", CTM_BUNDLE_MAX);
	else if (!t.part || !t.store || !a)
		rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the bundle");
	else if (archive_read_support_format_tar(a) != ARCHIVE_OK || archive_read_open_memory(a, p, n) != ARCHIVE_OK)
		rc = ctm_fail(err, CTM_E_SYNTAX, "bundle", NULL, "not a bundle");
	if (!rc)
		rc = read_all(a, &t, n, err);
	archive_read_free(a);
	if (!rc && !(rc = ctm_tar_write(t.part, t.n, &again, err)) && (again.len != n || (n && memcmp(again.p, p, n) != 0)))
		rc = ctm_fail(err, CTM_E_VERIFY, "bundle", NULL, "the file is not in the one form that a bundle has; a byte outside its entries was changed or added");
	if (rc) {
		ctm_tar_free(&t);
		return rc;
	}
	*out = t;
	return 0;
}
