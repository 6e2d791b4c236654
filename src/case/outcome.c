/* SPDX-License-Identifier: Apache-2.0
 *
 * Outcomes of NIST IR 8425. The tree is checked here: a parent stands before its children and one level above them, the
 * capability is the root of the branch, only leaves are judged, and what the developer does is judged on the product.
 */
#include "case/catalogue_in.h"
#include <string.h>

static const char *const LEVELS[] = { "capability", "numbered", "lettered", "item", "detail" };
static const char *const KINDS[] = { "device", "gateway", "app", "backend", "product" };
static const char *const APPLIES[] = { "device", "component", "product", "manufacturer" };
static const char *const TYPICAL[] = { "test", "inspection", "attestation" };
static const char *const CROSSWALKS[] = { "en303645", "cra", "psti", "cta2088", "ir8259" };

const char *ctm_level_name(enum ctm_outcome_level l) { return LEVELS[l]; }
const char *ctm_crosswalk_name(enum ctm_crosswalk x) { return CROSSWALKS[x]; }
const char *ctm_outcomes_version(const struct ctm_catalogue *c) { return c->outcomes_version; }
size_t ctm_outcome_count(const struct ctm_catalogue *c) { return c->noutcomes; }
const struct ctm_outcome *ctm_outcome_at(const struct ctm_catalogue *c, size_t i) { return i < c->noutcomes ? &c->outcomes[i] : NULL; }
const ctm_json *ctm_outcome_json(const struct ctm_catalogue *c, size_t i) { return ctm_json_at(c->outcomes_json, i); }

const struct ctm_outcome *ctm_outcome_find(const struct ctm_catalogue *c, const char *id)
{
	for (size_t i = 0; id && i < c->noutcomes; i++)
		if (strcmp(c->outcomes[i].id, id) == 0)
			return &c->outcomes[i];
	return NULL;
}

unsigned ctm_kind_bit(const char *kind)
{
	for (size_t i = 0; kind && i < sizeof KINDS / sizeof *KINDS; i++)
		if (strcmp(KINDS[i], kind) == 0)
			return 1u << i;
	return 0;
}

bool ctm_outcome_judged(const struct ctm_outcome *o, const char *component_kind)
{
	return o && (o->judged_on & ctm_kind_bit(component_kind));
}

static int read_crosswalk(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_outcome *o, struct ctm_err *err)
{
	struct ctm_jc x;
	int rc = ctm_jc_key(at, "crosswalk", &x, err);
	if (!rc)
		rc = ctm_jc_only(&x, CROSSWALKS, CTM_X_COUNT, err);
	for (int i = 0; !rc && i < CTM_X_COUNT; i++)
		rc = ctm_cat_strs(c, &x, CROSSWALKS[i], false, &o->crosswalk[i], err);
	return rc;
}

/* Which level may stand under which. */
static bool level_fits(enum ctm_outcome_level up, enum ctm_outcome_level l)
{
	return (up == CTM_LEVEL_CAPABILITY && (l == CTM_LEVEL_NUMBERED || l == CTM_LEVEL_ITEM)) || (up == CTM_LEVEL_NUMBERED && l == CTM_LEVEL_LETTERED)
		|| (up == CTM_LEVEL_ITEM && l == CTM_LEVEL_DETAIL);
}

static int check_place(struct ctm_catalogue *c, const struct ctm_jc *at, const struct ctm_outcome *o, struct ctm_err *err)
{
	const struct ctm_outcome *up = ctm_outcome_find(c, o->parent);
	if (ctm_outcome_find(c, o->id))
		return ctm_jc_fail(at, err, "the id %s stands twice", o->id);
	if (o->level == CTM_LEVEL_CAPABILITY)
		return o->parent || strcmp(o->capability, o->id) != 0 ? ctm_jc_fail(at, err, "the capability %s has a parent or another capability", o->id) : 0;
	if (!up)
		return ctm_jc_fail(at, err, "the parent of %s must stand before it", o->id);
	if (!level_fits(up->level, o->level) || strcmp(up->capability, o->capability) != 0)
		return ctm_jc_fail(at, err, "%s does not fit under %s", o->id, up->id);
	if (strncmp(o->id, up->id, strlen(up->id)) != 0)
		return ctm_jc_fail(at, err, "the id %s does not begin with that of its parent %s", o->id, up->id);
	if ((o->level == CTM_LEVEL_ITEM) != (o->judged_on == CTM_ON_PRODUCT))
		return ctm_jc_fail(at, err, "%s: what the developer does is judged on the product, and nothing else is", o->id);
	if (o->judged_on && o->level == CTM_LEVEL_DETAIL)
		return ctm_jc_fail(at, err, "%s is a detail and is judged through its item", o->id);
	return 0;
}

static int read_outcome(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_outcome *o, struct ctm_err *err)
{
	static const char *const keys[] = { "id", "parent", "level", "capability", "name", "text", "applies", "judged_on", "typical", "crosswalk", "source" };
	size_t level = 0;
	int rc = ctm_jc_is(at, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(at, keys, sizeof keys / sizeof *keys, err)) || (rc = ctm_jc_str(at, "id", 1, 20, &o->id, err))
		|| (rc = ctm_jc_opt_str(at, "parent", 20, &o->parent, err)) || (rc = ctm_jc_enum(at, "level", LEVELS, 5, &level, err))
		|| (rc = ctm_jc_str(at, "capability", 1, 8, &o->capability, err)) || (rc = ctm_jc_str(at, "name", 1, 120, &o->name, err))
		|| (rc = ctm_jc_str(at, "text", 1, 600, &o->text, err)) || (rc = ctm_cat_bits(at, "applies", APPLIES, 4, &o->applies, err))
		|| (rc = ctm_cat_bits(at, "judged_on", KINDS, 5, &o->judged_on, err)) || (rc = ctm_cat_bits(at, "typical", TYPICAL, 3, &o->typical, err))
		|| (rc = ctm_jc_str(at, "source", 1, 200, &o->source, err)) || (rc = read_crosswalk(c, at, o, err)))
		return rc;
	o->level = (enum ctm_outcome_level)level;
	return check_place(c, at, o, err);
}

/* A judged technical outcome is a leaf, and every leaf that is not a detail is judged. */
static int check_leaves(const struct ctm_catalogue *c, const struct ctm_jc *list, struct ctm_err *err)
{
	for (size_t i = 0; i < c->noutcomes; i++) {
		const struct ctm_outcome *o = &c->outcomes[i];
		struct ctm_jc at;
		bool leaf = true;
		for (size_t j = i + 1; j < c->noutcomes; j++)
			leaf &= !c->outcomes[j].parent || c->outcomes[j].level == CTM_LEVEL_DETAIL || strcmp(c->outcomes[j].parent, o->id) != 0;
		if (o->level == CTM_LEVEL_DETAIL || (leaf && o->level != CTM_LEVEL_CAPABILITY) == (o->judged_on != 0))
			continue;
		int rc = ctm_jc_at(list, i, &at, err);
		return rc ? rc : ctm_jc_fail(&at, err, "%s: outcomes without measures below them are judged, and only those", o->id);
	}
	return 0;
}

int ctm_read_outcomes(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err)
{
	static const char *const keys[] = { "format", "id", "version", "title", "source", "outcomes" };
	struct ctm_jc list, e;
	const char *s;
	int rc = ctm_cat_format(at, "ctm.catalogue/1", err);
	if (rc || (rc = ctm_jc_only(at, keys, 6, err)) || (rc = ctm_jc_str(at, "id", 1, 20, &s, err)) || (rc = ctm_jc_str(at, "version", 1, 20, &c->outcomes_version, err))
		|| (rc = ctm_jc_str(at, "title", 1, 200, &s, err)) || (rc = ctm_jc_str(at, "source", 1, 200, &s, err)) || (rc = ctm_jc_arr(at, "outcomes", 1, 500, &list, err)))
		return rc;
	size_t n = ctm_json_len(list.v);
	if (!(c->outcomes = ctm_cat_alloc(c, n, sizeof *c->outcomes)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the catalogue takes too much memory");
	c->outcomes_json = list.v;
	for (; c->noutcomes < n; c->noutcomes++)
		if ((rc = ctm_jc_at(&list, c->noutcomes, &e, err)) || (rc = read_outcome(c, &e, &c->outcomes[c->noutcomes], err)))
			return rc;
	return check_leaves(c, &list, err);
}
