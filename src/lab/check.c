/* SPDX-License-Identifier: Apache-2.0
 *
 * Loader of the lab's catalogue. See check.h. The tree is built first (one file per check, read in name order, so that the
 * result does not depend on the directory), then judged by one validator that a bundle's copy goes through as well.
 */
#include "lab/check.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 20)

static const char *const kinds[] = { "device", "gateway", "app", "backend", "product" };
static const char *const check_keys[] = { "id", "version", "title", "outcomes", "partial", "components", "method", "danger", "stage", "level",
	"applies", "observe", "judge", "parameters", "evidence", "pass", "fail", "inconclusive", "source", "remedy" };

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

void ctm_lab_catalogue_free(struct ctm_lab_catalogue *c)
{
	if (!c)
		return;
	ctm_json_free(c->root);
	free(c->outcomes);
	free(c->checks);
	free(c);
}

void ctm_lab_catalogue_freep(struct ctm_lab_catalogue **c)
{
	ctm_lab_catalogue_free(*c);
	*c = NULL;
}

const struct ctm_check *ctm_check_find(const struct ctm_lab_catalogue *c, const char *id)
{
	for (size_t i = 0; id && i < c->nchecks; i++)
		if (strcmp(c->checks[i].id, id) == 0)
			return &c->checks[i];
	return NULL;
}

const struct ctm_lab_outcome *ctm_lab_outcome_find(const struct ctm_lab_catalogue *c, const char *id)
{
	for (size_t i = 0; id && i < c->noutcomes; i++)
		if (strcmp(c->outcomes[i].id, id) == 0)
			return &c->outcomes[i];
	return NULL;
}

static bool has_str(const ctm_json *arr, const char *s)
{
	for (size_t i = 0; i < ctm_json_len(arr); i++)
		if (ctm_streq(ctm_json_str(ctm_json_at(arr, i)), s))
			return true;
	return false;
}

bool ctm_check_on(const struct ctm_check *k, const char *kind)
{
	return has_str(k->components, kind);
}

bool ctm_lab_outcome_on(const struct ctm_lab_outcome *o, const char *kind)
{
	return has_str(o->judged_on, kind);
}

const ctm_json *ctm_check_param(const struct ctm_check *k, const char *name)
{
	return ctm_json_get(ctm_json_get(k->parameters, name), "value");
}

static bool same(const ctm_json *a, const ctm_json *b)
{
	CTM_AUTO_BUF x = CTM_BUF(CTM_CATALOGUE_MAX), y = CTM_BUF(CTM_CATALOGUE_MAX);

	return a && b && !ctm_json_canonical(a, &x) && !ctm_json_canonical(b, &y) && x.len == y.len && !memcmp(x.p, y.p, x.len);
}

/* The member of a list of {id, ..} with that id. */
static const ctm_json *with_id(const ctm_json *list, const char *id)
{
	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(list, i), "id"), id))
			return ctm_json_at(list, i);
	return NULL;
}

int ctm_lab_catalogue_differences(const struct ctm_lab_catalogue *a, const struct ctm_lab_catalogue *b, ctm_json **out)
{
	static const char *const lists[] = { "checks", "outcomes" };
	CTM_AUTO_JSON *found = ctm_json_arr();
	int rc = found ? 0 : CTM_E_NOMEM;

	for (size_t l = 0; l < COUNT(lists); l++) {
		const ctm_json *x = ctm_json_get(a->root, lists[l]), *y = ctm_json_get(b->root, lists[l]);
		for (size_t i = 0; i < ctm_json_len(x) && !rc; i++) {
			const char *id = ctm_json_gets(ctm_json_at(x, i), "id");
			if (!same(ctm_json_at(x, i), with_id(y, id)))
				rc = ctm_json_adds(found, id ? id : "");
		}
		for (size_t i = 0; i < ctm_json_len(y) && !rc; i++)
			if (!with_id(x, ctm_json_gets(ctm_json_at(y, i), "id")))
				rc = ctm_json_adds(found, ctm_json_gets(ctm_json_at(y, i), "id"));
	}
	/* Alike one by one, yet not the same as a whole: order, or a member beside the lists. */
	if (!rc && !ctm_json_len(found) && !same(a->root, b->root))
		rc = ctm_json_adds(found, "catalogue");
	if (rc)
		return CTM_E_NOMEM;
	*out = found;
	found = NULL;
	return 0;
}

/* ---- outcomes ---- */

static int read_outcome(const struct ctm_jc *c, struct ctm_lab_outcome *o, struct ctm_err *err)
{
	struct ctm_jc arr;
	int rc;

	if ((rc = ctm_jc_str(c, "id", 1, 32, &o->id, err)) ||
	    (rc = ctm_jc_str(c, "name", 1, 200, &o->name, err)) || (rc = ctm_jc_str(c, "text", 1, 2000, &o->text, err)) ||
	    (rc = ctm_jc_str(c, "capability", 1, 16, &o->capability, err)) ||
	    (rc = ctm_jc_opt_str(c, "parent", 32, &o->parent, err)) ||
	    (rc = ctm_jc_arr(c, "judged_on", 0, 8, &arr, err)))
		return rc;
	o->judged_on = arr.v;
	if ((rc = ctm_jc_arr(c, "typical", 0, 8, &arr, err)))
		return rc;
	o->typical = arr.v;
	o->shown = ctm_json_len(o->judged_on) > 0;
	return 0;
}

static int read_outcomes(struct ctm_lab_catalogue *cat, const struct ctm_jc *root, struct ctm_err *err)
{
	struct ctm_jc arr, c;
	int rc;

	if ((rc = ctm_jc_arr(root, "outcomes", 1, CTM_OUTCOMES_MAX, &arr, err)))
		return rc;
	if (!(cat->outcomes = calloc(ctm_json_len(arr.v), sizeof *cat->outcomes)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the catalogue");
	for (size_t i = 0; i < ctm_json_len(arr.v); i++) {
		struct ctm_lab_outcome o = { 0 };
		if ((rc = ctm_jc_at(&arr, i, &c, err)) || (rc = read_outcome(&c, &o, err)))
			return rc;
		if (ctm_lab_outcome_find(cat, o.id))
			return ctm_jc_fail(&c, err, "outcome %s stands there twice", o.id);
		cat->outcomes[cat->noutcomes++] = o;
	}
	return 0;
}

/* ---- one check ---- */

/* Every element of an array of strings satisfies ok. */
static int read_names(const struct ctm_jc *c, const char *key, size_t min, bool (*ok)(const struct ctm_lab_catalogue *, const char *),
	const struct ctm_lab_catalogue *cat, const char *what, const ctm_json **out, struct ctm_err *err)
{
	struct ctm_jc arr, e;
	int rc = ctm_jc_arr(c, key, min, 64, &arr, err);

	for (size_t i = 0; !rc && i < ctm_json_len(arr.v); i++) {
		if ((rc = ctm_jc_at(&arr, i, &e, err)) || (rc = ctm_jc_is(&e, CTM_J_STR, err)))
			break;
		if (!ok(cat, ctm_json_str(e.v)))
			rc = ctm_jc_fail(&e, err, "there is no %s \"%s\"", what, ctm_json_str(e.v));
	}
	if (!rc)
		*out = arr.v;
	return rc;
}

static bool outcome_ok(const struct ctm_lab_catalogue *cat, const char *s)
{
	return ctm_lab_outcome_find(cat, s) != NULL;
}

static bool kind_ok(const struct ctm_lab_catalogue *cat, const char *s)
{
	(void)cat;
	return ctm_name_index(kinds, COUNT(kinds), s) >= 0;
}

static bool any_ok(const struct ctm_lab_catalogue *cat, const char *s)
{
	(void)cat;
	return s[0] != '\0';
}

static int read_parameters(const struct ctm_jc *c, struct ctm_check *k, struct ctm_err *err)
{
	static const char *const keys[] = { "value", "unit", "why" };
	struct ctm_jc all, p;
	const ctm_json *val;
	const char *key, *text;
	void *it = NULL;
	int rc = ctm_jc_key(c, "parameters", &all, err);

	if (rc || (rc = ctm_jc_is(&all, CTM_J_OBJ, err)))
		return rc;
	while (ctm_json_each(all.v, &it, &key, &val)) {
		if ((rc = ctm_jc_key(&all, key, &p, err)) || (rc = ctm_jc_is(&p, CTM_J_OBJ, err)) ||
		    (rc = ctm_jc_only(&p, keys, COUNT(keys), err)) || (rc = ctm_jc_str(&p, "unit", 0, 32, &text, err)) ||
		    (rc = ctm_jc_str(&p, "why", 10, 400, &text, err)))
			return rc;
		if (!ctm_json_get(p.v, "value") || ctm_json_type(ctm_json_get(p.v, "value")) == CTM_J_NULL)
			return ctm_jc_fail(&p, err, "a parameter needs a value");
	}
	k->parameters = all.v;
	return 0;
}

/* applies: {"when":"always"} | {"when":"declared","pointer":"/credentials/lockout","why":".."} |
 * {"when":"interface","protocol":"https","why":".."}; why is the sentence of NOT_APPLICABLE. */
static int read_applies(const struct ctm_jc *c, struct ctm_check *k, struct ctm_err *err)
{
	static const char *const whens[] = { "always", "declared", "interface" };
	static const char *const keys[] = { "when", "pointer", "protocol", "why" };
	struct ctm_jc a;
	const char *text = NULL;
	size_t when = 0;
	int rc;

	if ((rc = ctm_jc_key(c, "applies", &a, err)) || (rc = ctm_jc_is(&a, CTM_J_OBJ, err)) ||
	    (rc = ctm_jc_only(&a, keys, COUNT(keys), err)) || (rc = ctm_jc_enum(&a, "when", whens, COUNT(whens), &when, err)))
		return rc;
	if (when == 1 && (rc = ctm_jc_str(&a, "pointer", 2, 100, &text, err)))
		return rc;
	if (when == 2 && (rc = ctm_jc_str(&a, "protocol", 1, 32, &text, err)))
		return rc;
	if (when && (rc = ctm_jc_str(&a, "why", 10, 300, &text, err)))
		return rc;
	if (k->level == CTM_L_MANDATORY && when)
		return ctm_jc_fail(&a, err, "a check that does not always apply is conditional or advisory, not mandatory");
	k->applies = a.v;
	return 0;
}

static int read_enums(const struct ctm_jc *c, struct ctm_check *k, struct ctm_err *err)
{
	size_t method = 0, danger = 0, stage = 0, level = 0;
	int rc;

	if ((rc = ctm_jc_enum(c, "method", ctm_method_names, CTM_M_COUNT, &method, err)) ||
	    (rc = ctm_jc_enum(c, "danger", ctm_danger_names, CTM_D_COUNT, &danger, err)) ||
	    (rc = ctm_jc_enum(c, "stage", ctm_stage_names, CTM_S_COUNT, &stage, err)) ||
	    (rc = ctm_jc_enum(c, "level", ctm_level_names, CTM_L_COUNT, &level, err)))
		return rc;
	k->method = (enum ctm_method)method;
	k->danger = (enum ctm_danger)danger;
	k->stage = (enum ctm_stage)stage;
	k->level = (enum ctm_level)level;
	return 0;
}

static int read_functions(const struct ctm_jc *c, struct ctm_check *k, const struct ctm_lab_catalogue_names *names, struct ctm_err *err)
{
	struct ctm_jc at;
	int rc;

	if ((rc = ctm_jc_str(c, "observe", 0, 64, &k->probe, err)) || (rc = ctm_jc_str(c, "judge", 1, 64, &k->judge, err)))
		return rc;
	if (k->probe[0] && !names->probe(k->probe))
		return (rc = ctm_jc_key(c, "observe", &at, err)) ? rc : ctm_jc_fail(&at, err, "there is no probe \"%s\"", k->probe);
	if (!names->judge(k->judge))
		return (rc = ctm_jc_key(c, "judge", &at, err)) ? rc : ctm_jc_fail(&at, err, "there is no judge \"%s\"", k->judge);
	return 0;
}

/* What it shows in part it must speak of at all. */
static int parts_named(const struct ctm_jc *c, const struct ctm_check *k, struct ctm_err *err)
{
	for (size_t i = 0; i < ctm_json_len(k->partial); i++)
		if (!has_str(k->outcomes, ctm_json_str(ctm_json_at(k->partial, i))))
			return ctm_jc_fail(c, err, "partial names %s, which is not among its outcomes", ctm_json_str(ctm_json_at(k->partial, i)));
	return 0;
}

/* Every outcome is judged on a kind of component that the check runs on; else the check could never move it. */
static int judged_somewhere(const struct ctm_lab_catalogue *cat, const struct ctm_jc *c, const struct ctm_check *k, struct ctm_err *err)
{
	for (size_t i = 0; i < ctm_json_len(k->outcomes); i++) {
		const struct ctm_lab_outcome *o = ctm_lab_outcome_find(cat, ctm_json_str(ctm_json_at(k->outcomes, i)));
		bool on = false;
		for (size_t j = 0; j < ctm_json_len(k->components); j++)
			on = on || ctm_lab_outcome_on(o, ctm_json_str(ctm_json_at(k->components, j)));
		if (!on)
			return ctm_jc_fail(c, err, "outcome %s is not judged on any kind of component this check runs on", o->id);
	}
	return 0;
}

static int read_check(const struct ctm_lab_catalogue *cat, const struct ctm_jc *c, const struct ctm_lab_catalogue_names *names,
	struct ctm_check *k, struct ctm_err *err)
{
	const ctm_json *evidence = NULL;
	int64_t version = 0;
	int rc;

	if ((rc = ctm_jc_is(c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(c, check_keys, COUNT(check_keys), err)) ||
	    (rc = ctm_jc_str(c, "id", 2, 16, &k->id, err)) || (rc = ctm_jc_int(c, "version", 1, 100000, &version, err)) ||
	    (rc = ctm_jc_str(c, "title", 4, 120, &k->title, err)) || (rc = read_enums(c, k, err)) ||
	    (rc = read_names(c, "outcomes", 1, outcome_ok, cat, "outcome", &k->outcomes, err)) ||
	    (rc = read_names(c, "partial", 0, outcome_ok, cat, "outcome", &k->partial, err)) ||
	    (rc = read_names(c, "components", 1, kind_ok, cat, "component kind", &k->components, err)) ||
	    (rc = read_applies(c, k, err)) || (rc = read_functions(c, k, names, err)) || (rc = read_parameters(c, k, err)) ||
	    (rc = read_names(c, "evidence", 1, any_ok, cat, "evidence", &evidence, err)) ||
	    (rc = read_names(c, "source", 1, any_ok, cat, "source", &k->source, err)) ||
	    (rc = ctm_jc_str(c, "pass", 10, 400, &k->pass, err)) || (rc = ctm_jc_str(c, "fail", 10, 400, &k->fail, err)) ||
	    (rc = ctm_jc_str(c, "inconclusive", 10, 400, &k->inconclusive, err)) ||
	    (rc = ctm_jc_str(c, "remedy", 10, 600, &k->remedy, err)))
		return rc;
	k->version = (int)version;
	k->json = c->v;
	return (rc = parts_named(c, k, err)) ? rc : judged_somewhere(cat, c, k, err);
}

int ctm_lab_catalogue_parse(ctm_json *root, const char *file, const struct ctm_lab_catalogue_names *names, struct ctm_lab_catalogue **out, struct ctm_err *err)
{
	static const char *const keys[] = { "format", "outcomes", "checks" };
	CTM_AUTO_LAB_CATALOGUE *cat = calloc(1, sizeof *cat);
	struct ctm_jc c, arr, e;
	const char *format = NULL;
	int rc;

	if (!cat) {
		ctm_json_free(root);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the catalogue");
	}
	cat->root = root;
	c = ctm_jc_root(root, file);
	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, COUNT(keys), err)) ||
	    (rc = ctm_jc_str(&c, "format", 1, 64, &format, err)))
		return rc;
	if (strcmp(format, CTM_LAB_CATALOGUE) != 0)
		return ctm_jc_fail(&c, err, "format is \"%s\", expected \"%s\"", format, CTM_LAB_CATALOGUE);
	if ((rc = read_outcomes(cat, &c, err)) || (rc = ctm_jc_arr(&c, "checks", 1, CTM_CHECKS_MAX, &arr, err)))
		return rc;
	if (!(cat->checks = calloc(ctm_json_len(arr.v), sizeof *cat->checks)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the catalogue");
	for (size_t i = 0; i < ctm_json_len(arr.v); i++) {
		struct ctm_check k = { 0 };
		if ((rc = ctm_jc_at(&arr, i, &e, err)) || (rc = read_check(cat, &e, names, &k, err)))
			return rc;
		if (ctm_check_find(cat, k.id))
			return ctm_jc_fail(&e, err, "check %s stands there twice", k.id);
		cat->checks[cat->nchecks++] = k;
	}
	*out = cat;
	cat = NULL;
	return 0;
}

/* ---- from files ---- */

static int is_check_file(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return d->d_name[0] != '.' && n > 5 && strcmp(d->d_name + n - 5, ".json") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Judge one file alone first, so that a refusal names that file, then hand it over to checks. */
static int add_file(const char *path, const char *name, const struct ctm_lab_catalogue *outcomes, const struct ctm_lab_catalogue_names *names,
	ctm_json *checks, struct ctm_err *err)
{
	CTM_AUTO_JSON *v = NULL;
	struct ctm_check k = { 0 };
	struct ctm_jc c, at;
	int rc = ctm_json_load(path, FILE_MAX, &v, err);

	if (rc)
		return rc;
	c = ctm_jc_root(v, path);
	if ((rc = read_check(outcomes, &c, names, &k, err)))
		return rc;
	if (strlen(k.id) + 5 != strlen(name) || strncmp(k.id, name, strlen(k.id)) != 0) {
		if ((rc = ctm_jc_key(&c, "id", &at, err)))
			return rc;
		return ctm_jc_fail(&at, err, "the id is \"%s\", so the file must be called %s.json", k.id, k.id);
	}
	rc = ctm_json_add(checks, v);
	v = NULL;
	return rc ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the catalogue") : 0;
}

static int add_files(const char *dir, const struct ctm_lab_catalogue *outcomes, const struct ctm_lab_catalogue_names *names, ctm_json *checks, struct ctm_err *err)
{
	struct dirent **list = NULL;
	char path[1024];
	int rc = 0, n;

	snprintf(path, sizeof path, "%s/checks", dir);
	n = scandir(path, &list, is_check_file, by_name);
	if (n < 0)
		return ctm_fail(err, CTM_E_NOTFOUND, "catalogue", NULL, "there is no directory %s", path);
	if (n == 0)
		rc = ctm_fail(err, CTM_E_NOTFOUND, "catalogue", NULL, "there is no check file in %s", path);
	for (int i = 0; i < n; i++) {
		if (!rc && i < CTM_CHECKS_MAX) {
			if ((size_t)snprintf(path, sizeof path, "%s/checks/%s", dir, list[i]->d_name) >= sizeof path)
				rc = ctm_fail(err, CTM_E_TOOBIG, "catalogue", NULL, "the path of %s is too long", list[i]->d_name);
			else
				rc = add_file(path, list[i]->d_name, outcomes, names, checks, err);
		}
		free(list[i]);
	}
	free(list);
	return rc;
}

int ctm_lab_catalogue_load(const char *dir, const struct ctm_lab_catalogue_names *names, struct ctm_lab_catalogue **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *file = NULL, *root = ctm_json_obj(), *checks = ctm_json_arr();
	CTM_AUTO_LAB_CATALOGUE *outcomes = calloc(1, sizeof *outcomes);
	ctm_json *take;
	struct ctm_jc c;
	char path[1024];
	int rc;

	if (!root || !checks || !outcomes)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the catalogue");
	if ((size_t)snprintf(path, sizeof path, "%s/ir8425.json", dir) >= sizeof path)
		return ctm_fail(err, CTM_E_TOOBIG, "catalogue", NULL, "the path %s is too long", dir);
	if ((rc = ctm_json_load(path, FILE_MAX, &file, err)))
		return rc;
	c = ctm_jc_root(file, path);
	if ((rc = read_outcomes(outcomes, &c, err)) || (rc = add_files(dir, outcomes, names, checks, err)))
		return rc;
	rc = ctm_json_sets(root, "format", CTM_LAB_CATALOGUE);
	if (!rc)
		rc = ctm_json_set(root, "outcomes", ctm_json_copy(ctm_json_get(file, "outcomes")));
	if (!rc) {
		rc = ctm_json_set(root, "checks", checks);
		checks = NULL;
	}
	if (rc)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the catalogue");
	take = root;
	root = NULL;
	return ctm_lab_catalogue_parse(take, dir, names, out, err);
}

static bool is_catalogue(const char *dir)
{
	char path[1100];
	return (size_t)snprintf(path, sizeof path, "%s/ir8425.json", dir) < sizeof path && access(path, R_OK) == 0;
}

int ctm_lab_catalogue_dir(const char *given, char *out, size_t cap, struct ctm_err *err)
{
	static const char *const near[] = { "../share/ctm/catalogue", "../../share/ctm/catalogue", "../catalogue", "../../catalogue",
		"../../../catalogue", "../../../../catalogue" };
	char self[512], path[1024];
	int rc;

	if (given) {
		if (!is_catalogue(given))
			return ctm_fail(err, CTM_E_NOTFOUND, "catalogue", NULL, "%s holds no ir8425.json", given);
		return ctm_copy(out, cap, given) ? 0 : ctm_fail(err, CTM_E_TOOBIG, "catalogue", NULL, "that path is too long");
	}
	if ((rc = ctm_self_dir(self, sizeof self)))
		return ctm_fail(err, rc, "catalogue", NULL, "the program's own directory cannot be found; name the catalogue with --catalogue");
	for (size_t i = 0; i < COUNT(near); i++) {
		snprintf(path, sizeof path, "%s/%s", self, near[i]);
		if (is_catalogue(path))
			return ctm_copy(out, cap, path) ? 0 : ctm_fail(err, CTM_E_TOOBIG, "catalogue", NULL, "that path is too long");
	}
	return ctm_fail(err, CTM_E_NOTFOUND, "catalogue", NULL, "no catalogue near the program; name it with --catalogue");
}
