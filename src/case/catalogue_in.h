/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of the catalogue: what its readers (outcome, pack, table, list) share. Strings are borrowed from the parsed
 * documents, which the catalogue keeps; arrays stand in its arena. Sizes are bounded by the file limit.
 */
#ifndef CTM_CASE_CATALOGUE_IN_H
#define CTM_CASE_CATALOGUE_IN_H
#include "base/arena.h"
#include "case/catalogue.h"

#define CTM_CAT_FILE_MAX (1 << 20)
#define CTM_CAT_DOCS 96
#define CTM_CAT_FEW 32

struct ctm_catalogue {
	struct ctm_arena *arena;
	ctm_json *docs[CTM_CAT_DOCS]; size_t ndocs;
	const char *outcomes_version;
	struct ctm_outcome *outcomes; const ctm_json *outcomes_json; size_t noutcomes;
	struct ctm_pack *packs[CTM_CAT_FEW]; size_t npacks;
	struct ctm_case_table *tables[CTM_CAT_FEW]; size_t ntables;
	struct ctm_list *lists[CTM_CAT_FEW]; size_t nlists;
	struct ctm_update_period update[CTM_UPDATE_ROLES];
	struct { char locale[8]; const ctm_json *root; } words[8]; size_t nwords;
};

/* Readers of one file each; `at` stands on its root. */
CTM_CHECK int ctm_read_outcomes(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err);
CTM_CHECK int ctm_read_pack(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err);
CTM_CHECK int ctm_read_table(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err);   /* packs must be there */
CTM_CHECK int ctm_read_list(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err);
CTM_CHECK int ctm_read_update(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err);
CTM_CHECK int ctm_read_words(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err);

/* Shared reading. Members are required unless named opt. */
void *ctm_cat_alloc(struct ctm_catalogue *c, size_t n, size_t size);
CTM_CHECK int ctm_cat_format(const struct ctm_jc *at, const char *format, struct ctm_err *err);
CTM_CHECK int ctm_cat_strs(struct ctm_catalogue *c, const struct ctm_jc *at, const char *key, bool opt, struct ctm_strs *out, struct ctm_err *err);
CTM_CHECK int ctm_cat_bits(const struct ctm_jc *at, const char *key, const char *const *names, size_t n, unsigned *out, struct ctm_err *err);
CTM_CHECK int ctm_cat_day(const struct ctm_jc *at, const char *key, const char **out, struct ctm_err *err);
const char *ctm_cat_or(const char *s, const char *otherwise);

#endif
