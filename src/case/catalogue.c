/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading of the catalogue directory: which file is read by whom, in which order, and the reading habits they share. Files
 * of a folder are read in the order of their names, so that a load always fails at the same place.
 */
#include "case/catalogue_in.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_MAX (8u << 20)
#define NAMES_MAX 64

void *ctm_cat_alloc(struct ctm_catalogue *c, size_t n, size_t size)
{
	return n > ARENA_MAX / size ? NULL : ctm_arena_alloc(c->arena, n ? n * size : 1);
}

const char *ctm_cat_or(const char *s, const char *otherwise) { return s ? s : otherwise; }

int ctm_cat_format(const struct ctm_jc *at, const char *format, struct ctm_err *err)
{
	const char *f;
	int rc = ctm_jc_str(at, "format", 1, 40, &f, err);
	return rc || strcmp(f, format) == 0 ? rc : ctm_jc_fail(at, err, "the format is \"%s\"; this program reads \"%s\"", f, format);
}

int ctm_cat_strs(struct ctm_catalogue *c, const struct ctm_jc *at, const char *key, bool opt, struct ctm_strs *out, struct ctm_err *err)
{
	struct ctm_jc a, e;
	*out = (struct ctm_strs){ 0 };
	if (opt && !ctm_jc_has(at, key, &a))
		return 0;
	int rc = ctm_jc_arr(at, key, 0, 200, &a, err);
	if (rc)
		return rc;
	size_t n = ctm_json_len(a.v);
	const char **v = ctm_cat_alloc(c, n, sizeof *v);
	if (!v)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the catalogue takes too much memory");
	for (size_t i = 0; i < n; i++) {
		if ((rc = ctm_jc_at(&a, i, &e, err)) || (rc = ctm_jc_is(&e, CTM_J_STR, err)))
			return rc;
		v[i] = ctm_json_str(e.v);
		for (size_t j = 0; j < i; j++)
			if (strcmp(v[i], v[j]) == 0)
				return ctm_jc_fail(&e, err, "\"%s\" is named twice", v[i]);
	}
	*out = (struct ctm_strs){ v, n };
	return 0;
}

int ctm_cat_bits(const struct ctm_jc *at, const char *key, const char *const *names, size_t n, unsigned *out, struct ctm_err *err)
{
	struct ctm_jc a, e;
	unsigned bits = 0;
	int rc = ctm_jc_arr(at, key, 0, n, &a, err);
	for (size_t i = 0; !rc && i < ctm_json_len(a.v); i++) {
		if ((rc = ctm_jc_at(&a, i, &e, err)) || (rc = ctm_jc_is(&e, CTM_J_STR, err)))
			return rc;
		size_t k = 0;
		while (k < n && strcmp(names[k], ctm_json_str(e.v)) != 0)
			k++;
		if (k == n)
			return ctm_jc_fail(&e, err, "\"%.40s\" is not one of the words for \"%s\"", ctm_json_str(e.v), key);
		if (bits & 1u << k)
			return ctm_jc_fail(&e, err, "\"%s\" is named twice", names[k]);
		bits |= 1u << k;
	}
	if (!rc)
		*out = bits;
	return rc;
}

int ctm_cat_day(const struct ctm_jc *at, const char *key, const char **out, struct ctm_err *err)
{
	const char *s;
	int64_t ms;
	int rc = ctm_jc_str(at, key, 10, 10, &s, err);
	if (rc)
		return rc;
	if (ctm_time_parse(s, &ms))
		return ctm_jc_fail(at, err, "\"%s\" is a day, YYYY-MM-DD", key);
	*out = s;
	return 0;
}

typedef int reader(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err);

static int read_file(struct ctm_catalogue *c, const char *dir, const char *rel, reader *read, struct ctm_err *err)
{
	char path[1024];
	CTM_AUTO_BUF b = CTM_BUF(CTM_CAT_FILE_MAX);
	const char *name = ctm_arena_dup(c->arena, rel);
	if (c->ndocs == CTM_CAT_DOCS || !name)
		return ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "%s: the catalogue has more than %d files", rel, CTM_CAT_DOCS);
	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, rel) >= sizeof path)
		return ctm_fail(err, CTM_E_INPUT, NULL, NULL, "the path of the catalogue is too long");
	int rc = ctm_file_read(path, CTM_CAT_FILE_MAX, &b, err);
	if (!rc)
		rc = ctm_json_parse(ctm_buf_cstr(&b), b.len, CTM_CAT_FILE_MAX, name, &c->docs[c->ndocs], err);
	if (rc)
		return rc;
	struct ctm_jc at = ctm_jc_root(c->docs[c->ndocs++], name);
	rc = ctm_jc_is(&at, CTM_J_OBJ, err);
	return rc ? rc : read(c, &at, err);
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

/* Every *.json of a folder; a folder that is not there is empty. */
static int read_folder(struct ctm_catalogue *c, const char *dir, const char *sub, reader *read, struct ctm_err *err)
{
	char path[1024], names[NAMES_MAX][64], rel[96];
	size_t n = 0;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, sub) >= sizeof path)
		return ctm_fail(err, CTM_E_INPUT, NULL, NULL, "the path of the catalogue is too long");
	DIR *d = opendir(path);
	if (!d)
		return 0;
	int rc = 0;
	for (struct dirent *e; !rc && (e = readdir(d));) {
		size_t len = strlen(e->d_name);
		if (e->d_name[0] == '.' || len < 6 || strcmp(e->d_name + len - 5, ".json") != 0)
			continue;
		if (n == NAMES_MAX || !ctm_copy(names[n], sizeof names[n], e->d_name))
			rc = ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "%s: more than %d files, or a file name that is too long", sub, NAMES_MAX);
		else
			n++;
	}
	closedir(d);
	qsort(names, n, sizeof names[0], by_name);
	for (size_t i = 0; !rc && i < n; i++) {
		snprintf(rel, sizeof rel, "%s/%s", sub, names[i]);
		rc = read_file(c, dir, rel, read, err);
	}
	return rc;
}

/* Rule ids must mean one thing: a table names a rule without saying which pack. */
static int check_rule_ids(const struct ctm_catalogue *c, struct ctm_err *err)
{
	for (size_t i = 0; i < c->npacks; i++)
		for (size_t j = 0; j < i; j++)
			for (size_t k = 0; strcmp(c->packs[i]->id, c->packs[j]->id) != 0 && k < c->packs[i]->nrules; k++)
				if (ctm_pack_rule(c->packs[j], c->packs[i]->rules[k].id))
					return ctm_fail(err, CTM_E_INPUT, "/rules", NULL, "packs: the rule %s stands in the packs %s and %s",
						c->packs[i]->rules[k].id, c->packs[i]->id, c->packs[j]->id);
	return 0;
}

int ctm_catalogue_load(const char *dir, struct ctm_catalogue **out, struct ctm_err *err)
{
	struct ctm_catalogue *c = calloc(1, sizeof *c);
	if (!c || !(c->arena = ctm_arena_new(ARENA_MAX))) {
		free(c);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the catalogue");
	}
	int rc = read_file(c, dir, "ir8425.json", ctm_read_outcomes, err);
	if (!rc)
		rc = read_folder(c, dir, "packs", ctm_read_pack, err);
	if (!rc)
		rc = check_rule_ids(c, err);
	if (!rc)
		rc = read_folder(c, dir, "cases", ctm_read_table, err);
	if (!rc)
		rc = read_folder(c, dir, "lists", ctm_read_list, err);
	if (!rc)
		rc = read_folder(c, dir, "messages", ctm_read_words, err);
	if (!rc)
		rc = read_file(c, dir, "update.json", ctm_read_update, err);
	if (rc) {
		ctm_catalogue_free(c);
		return rc;
	}
	*out = c;
	return 0;
}

void ctm_catalogue_free(struct ctm_catalogue *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->ndocs; i++)
		ctm_json_free(c->docs[i]);
	ctm_arena_free(c->arena);
	free(c);
}
