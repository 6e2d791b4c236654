/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm update repo: the maker's TUF repository. Verbs that change something stage next versions; who signs them, and how they go out,
 * is update_carry.c and update_publish.c.
 *
 * Root v1 names everything at once: root keys, a recovery set among them, targets keys, and the keys of the server that signs snapshot and
 * timestamp. The recovery set is as large as the root's threshold, so that its holders alone can give the repository new keys when the others
 * are lost or stolen; its keys lie where nobody needs them day to day.
 */
#include "app/update.h"
#include "base/file.h"
#include "base/text.h"
#include "ctm/manifest.h"
#include "ctm/openssl.h"
#include "crypto/carry.h"
#include "crypto/hash.h"
#include <stdio.h>
#include <string.h>

struct repo_opts repo_opts;
static const char *recovery_keys, *targets_keys, *targets_threshold, *config_keys, *image_path, *manifest_path, *target_name;
#define PATH_CAP 4096

static int needs(const char *value, const char *option, struct ctm_err *err)
{
	return value ? 0 : ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --%s is needed", option);
}

static int nomem(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
}

/* --- roles ------------------------------------------------------------------------------------------------------------- */

/* Keys being put into {keys} and a list of ids. */
struct adding { ctm_json *keys, *ids; };

static int add_key(void *arg, const char *word, struct ctm_err *err)
{
	struct adding *a = arg;
	CTM_AUTO_KEY *k = NULL;
	ctm_json *key = NULL;
	char id[CTM_ROLE_ID];
	int rc = update_public_key(word, &k, err);
	if (!rc)
		rc = ctm_role_key(k, &key, id, err);
	if (rc)
		return rc;
	if (ctm_carry_listed(a->ids, id)) {
		ctm_json_free(key);
		return ctm_fail(err, CTM_E_INPUT, "keys", NULL, "the key %s is given twice for one role", word);
	}
	return ctm_json_set(a->keys, id, key) | ctm_json_adds(a->ids, id) ? nomem(err) : 0;
}

/* {keyids, threshold} of a list of keys, which go into `keys`. threshold NULL: 1. more: further key files, counted in. */
static int make_role(ctm_json *keys, const char *list, const char *more, const char *threshold, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *o = ctm_json_obj();
	struct adding a = { keys, ctm_json_arr() };
	int64_t n = 1;
	int rc = update_each(list, add_key, &a, err);
	if (!rc)
		rc = update_each(more, add_key, &a, err);
	size_t count = ctm_json_len(a.ids);
	if (ctm_json_set(o, "keyids", a.ids) && !rc)
		rc = nomem(err);
	if (!rc && ((threshold && ctm_parse_i64(threshold, 1, 64, &n)) || (size_t)n > count))
		rc = ctm_fail(err, CTM_E_INPUT, "threshold", NULL, "the threshold is a number from 1 to the count of keys, which is %zu", count);
	if (rc || (rc = ctm_json_seti(o, "threshold", n)))
		return rc;
	*out = o;
	o = NULL;
	return 0;
}

static int set_role(ctm_json *keys, ctm_json *roles, const char *role, const char *list, const char *more, const char *threshold, struct ctm_err *err)
{
	ctm_json *row = NULL;
	int rc = make_role(keys, list, more, threshold, &row, err);
	return rc ? rc : ctm_json_set(roles, role, row) ? nomem(err) : 0;
}

static int count_words(void *arg, const char *word, struct ctm_err *err)
{
	++*(int64_t *)arg;
	return 0;
}

/* --- init -------------------------------------------------------------------------------------------------------------- */

static int first_root(const struct repo *r, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *b = ctm_role_body("root", 1, repo_until(r, "root"));
	CTM_AUTO_JSON *keys = ctm_json_obj(), *roles = ctm_json_obj(), *spare = ctm_json_obj();
	struct adding recovery = { spare, ctm_json_arr() };
	int rc = set_role(keys, roles, "root", repo_opts.keys, recovery_keys, repo_opts.threshold, err);
	if (!rc)
		rc = set_role(keys, roles, "targets", targets_keys, NULL, targets_threshold, err);
	if (!rc)
		rc = set_role(keys, roles, "snapshot", repo_opts.snapshot_key, NULL, NULL, err);
	if (!rc)
		rc = set_role(keys, roles, "timestamp", repo_opts.timestamp_key, NULL, NULL, err);
	if (!rc)
		rc = update_each(recovery_keys, add_key, &recovery, err);
	int bad = ctm_json_set(b, "x-ctm-recovery", recovery.ids) | ctm_json_setb(b, "consistent_snapshot", true) |
		ctm_json_set(b, "keys", ctm_json_copy(keys)) | ctm_json_set(b, "roles", ctm_json_copy(roles));
	if (rc || bad)
		return rc ? rc : nomem(err);
	*out = b;
	b = NULL;
	return 0;
}

static int make_dirs(const char *dir, struct ctm_err *err)
{
	static const char *const subs[] = { "metadata", "targets", "staged" };
	char path[PATH_CAP];
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof subs / sizeof *subs; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, subs[i]);
		rc = ctm_mkdirs(path, 0755, err);
	}
	return rc;
}

static int init(const char **args, struct ctm_err *err)
{
	const struct { const char *value, *name; } must[] = { { repo_opts.dir, "dir" }, { repo_opts.name, "name" }, { repo_opts.keys, "root-keys" },
		{ recovery_keys, "recovery-keys" }, { targets_keys, "targets-keys" }, { repo_opts.snapshot_key, "snapshot-key" },
		{ repo_opts.timestamp_key, "timestamp-key" } };
	REPO_AUTO r = { .dir = repo_opts.dir };
	ctm_json *root = NULL, *targets;
	int64_t threshold = 1, spare = 0;
	char path[PATH_CAP];
	CTM_AUTO_BUF old = { 0 };
	int rc = 0;
	for (size_t i = 0; !rc && i < sizeof must / sizeof *must; i++)
		rc = needs(must[i].value, must[i].name, err);
	if (rc)
		return rc;
	snprintf(path, sizeof path, "%s/repo.json", repo_opts.dir);
	if (ctm_file_read(path, 1 << 20, &old, NULL) != CTM_E_NOTFOUND)
		return ctm_fail(err, CTM_E_EXISTS, "dir", NULL, "%s holds a repository already", repo_opts.dir);
	if (!ctm_role_name_ok(repo_opts.name))
		return ctm_fail(err, CTM_E_INPUT, "name", NULL, "a repository is named with letters, digits, \".\", \"_\" and \"-\"");
	if ((rc = update_each(recovery_keys, count_words, &spare, err)))
		return rc;
	if ((repo_opts.threshold && ctm_parse_i64(repo_opts.threshold, 1, 64, &threshold)) || spare < threshold)
		return ctm_fail(err, CTM_E_INPUT, "recovery-keys", NULL, "the recovery set must be able to sign a root alone: give at least as many keys as the root's threshold");
	if ((rc = repo_policy(&r, err)) || (rc = first_root(&r, &root, err)) || (rc = make_dirs(r.dir, err))) {
		ctm_json_free(root);
		return rc;
	}
	r.conf = ctm_json_obj();
	targets = ctm_role_body("targets", 1, repo_until(&r, "targets"));
	int bad = ctm_json_sets(r.conf, "format", "ctm.tuf-repo/1") | ctm_json_sets(r.conf, "name", repo_opts.name) |
		ctm_json_set(r.conf, "versions", ctm_json_obj()) | ctm_json_set(targets, "targets", ctm_json_obj());
	if ((rc = repo_stage_body(&r, "root", root, err)) || (rc = repo_stage_body(&r, "targets", targets, err)) || bad)
		return rc ? rc : nomem(err);
	if ((rc = repo_save(&r, err)))
		return rc;
	printf("%s: root version 1 and targets version 1 are staged; next: ctm update repo prepare --dir %s --out carry.json\n", repo_opts.name, r.dir);
	return 0;
}

/* --- product lines ------------------------------------------------------------------------------------------------------ */

/* A copy of a delegation list without one role. */
static ctm_json *without(const ctm_json *rows, const char *role)
{
	ctm_json *out = ctm_json_arr();
	for (size_t i = 0; i < ctm_json_len(rows); i++)
		if (!ctm_streq(ctm_json_gets(ctm_json_at(rows, i), "name"), role) && ctm_json_add(out, ctm_json_copy(ctm_json_at(rows, i)))) {
			ctm_json_free(out);
			return NULL;
		}
	return out;
}

/* Put a delegation into targets, in the place of one of that name; row is taken over. */
static int delegate(ctm_json *targets, const char *role, ctm_json *row, const ctm_json *keys, struct ctm_err *err)
{
	const ctm_json *old = ctm_json_get(targets, "delegations"), *v;
	CTM_AUTO_JSON *d = old ? ctm_json_copy(old) : ctm_json_obj();
	ctm_json *all = old ? ctm_json_copy(ctm_json_get(old, "keys")) : ctm_json_obj(), *rows = without(ctm_json_get(old, "roles"), role);
	const char *id;
	void *it = NULL;
	int bad = ctm_json_sets(row, "name", role);
	while (ctm_json_each(keys, &it, &id, &v))
		bad |= ctm_json_set(all, id, ctm_json_copy(v));
	bad |= ctm_json_add(rows, row);
	bad |= ctm_json_set(d, "keys", all) | ctm_json_set(d, "roles", rows);
	return bad | ctm_json_set(targets, "delegations", ctm_json_copy(d)) ? nomem(err) : 0;
}

static int add_line(const struct repo *r, ctm_json *targets, const char *prefix, const char *pattern, const char *list, struct ctm_err *err)
{
	CTM_AUTO_JSON *keys = ctm_json_obj();
	ctm_json *row = NULL, *paths = ctm_json_arr(), *body;
	char role[96], path[128];
	snprintf(role, sizeof role, "%s-%.64s", prefix, repo_opts.model);
	snprintf(path, sizeof path, pattern[0] ? "config/%.64s/*" : "%.64s/*/*", repo_opts.model);
	int rc = make_role(keys, list, NULL, repo_opts.threshold, &row, err);
	if (rc) {
		ctm_json_free(paths);
		return rc;
	}
	int bad = ctm_json_setb(row, "terminating", true) | ctm_json_adds(paths, path);
	bad |= ctm_json_set(row, "paths", paths);
	if ((rc = delegate(targets, role, row, keys, err)) || bad)
		return rc ? rc : nomem(err);
	body = ctm_role_body("targets", repo_version(r, role) + 1, repo_until(r, role));
	if (ctm_json_set(body, "targets", ctm_json_obj())) {
		ctm_json_free(body);
		return nomem(err);
	}
	printf("%s takes names like %s\n", role, path);
	return repo_stage_body(r, role, body, err);
}

static bool known_line(const ctm_json *targets)
{
	const ctm_json *rows = ctm_json_get(ctm_json_get(targets, "delegations"), "roles");
	char role[80];
	snprintf(role, sizeof role, "pl-%.64s", repo_opts.model);
	for (size_t i = 0; i < ctm_json_len(rows); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(rows, i), "name"), role))
			return true;
	return false;
}

static int line(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	CTM_AUTO_JSON *targets = NULL;
	int rc = needs(repo_opts.model, "model", err);
	if (!rc)
		rc = needs(repo_opts.keys, "keys", err);
	if (!rc)
		rc = repo_open(&r, repo_opts.dir, err);
	if (!rc && !ctm_role_name_ok(repo_opts.model))
		rc = ctm_fail(err, CTM_E_INPUT, "model", NULL, "a model is named with letters, digits, \".\", \"_\" and \"-\"");
	if (!rc)
		rc = repo_next(&r, "targets", &targets, err);
	if (!rc && known_line(targets))
		rc = ctm_fail(err, CTM_E_EXISTS, "model", NULL, "%s is a product line already; ctm update repo rotate changes its keys", repo_opts.model);
	if (!rc)
		rc = add_line(&r, targets, "pl", "", repo_opts.keys, err);
	if (!rc && config_keys)
		rc = add_line(&r, targets, "config", "config", config_keys, err);
	if (rc)
		return rc;
	return repo_stage_body(&r, "targets", ctm_json_copy(targets), err);
}

/* --- releases ---------------------------------------------------------------------------------------------------------- */

/* Copy a file under DIGEST.NAME and describe it. custom is taken over. */
static int add_file(const struct repo *r, ctm_json *list, const char *name, const struct ctm_buf *b, ctm_json *custom, struct ctm_err *err)
{
	char digest[72], path[PATH_CAP];
	const char *hex = digest + strlen("sha256:"), *slash = strrchr(name, '/');
	ctm_digest_of(b->p, b->len, digest);
	if (ctm_json_set(list, name, ctm_role_target((int64_t)b->len, digest, custom)))
		return nomem(err);
	snprintf(path, sizeof path, "%s/targets/%.*s", r->dir, (int)(slash - name), name);
	int rc = ctm_mkdirs(path, 0755, err);
	snprintf(path, sizeof path, "%s/targets/%.*s/%s.%s", r->dir, (int)(slash - name), name, hex, slash + 1);
	return rc ? rc : ctm_file_write(path, b->p, b->len, 0644, err);
}

static int add_release(const struct repo *r, const struct ctm_buf *manifest, const struct ctm_buf *image, ctm_json *body, struct ctm_err *err)
{
	struct ctm_manifest m;
	ctm_json *targets = ctm_json_copy(ctm_json_get(body, "targets"));
	char name[160];
	int rc = ctm_manifest_peek((const uint8_t *)manifest->p, manifest->len, &m);
	if (rc)
		rc = ctm_fail(err, CTM_E_INPUT, "manifest", NULL, "%s is not a release manifest: %s", manifest_path, ctm_sdk_text(rc));
	else if (ctm_manifest_image(ctm_openssl_crypto(), &m, (const uint8_t *)image->p, image->len))
		rc = ctm_fail(err, CTM_E_VERIFY, "image", NULL, "%s is not the image that %s describes", image_path, manifest_path);
	for (int i = 0; !rc && i < 2; i++) {
		snprintf(name, sizeof name, "%.64s/%.*s/%s", repo_opts.model, (int)m.version.n, (const char *)m.version.p, i ? "manifest" : "image");
		rc = add_file(r, targets, name, i ? manifest : image, ctm_role_custom(&m), err);
		if (!rc)
			printf("%s\n", name);
	}
	if (rc) {
		ctm_json_free(targets);
		return rc;
	}
	return ctm_json_set(body, "targets", targets) ? nomem(err) : 0;
}

static int add(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	CTM_AUTO_BUF manifest = { 0 }, image = { 0 };
	CTM_AUTO_JSON *body = NULL;
	char role[80];
	int rc = needs(repo_opts.model, "model", err);
	if (!rc)
		rc = needs(manifest_path, "manifest", err);
	if (!rc)
		rc = needs(image_path, "image", err);
	if (!rc)
		rc = repo_open(&r, repo_opts.dir, err);
	snprintf(role, sizeof role, "pl-%.64s", repo_opts.model ? repo_opts.model : "");
	if (!rc)
		rc = repo_next(&r, role, &body, err);
	if (!rc)
		rc = ctm_file_read(manifest_path, CTM_MANIFEST_MAX, &manifest, err);
	if (!rc)
		rc = ctm_file_read(image_path, CTM_IMAGE_MAX, &image, err);
	if (!rc)
		rc = add_release(&r, &manifest, &image, body, err);
	return rc ? rc : repo_stage_body(&r, role, ctm_json_copy(body), err);
}

static int withdraw(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	CTM_AUTO_JSON *body = NULL;
	int rc = needs(repo_opts.role, "role", err);
	if (!rc)
		rc = needs(target_name, "target", err);
	if (!rc)
		rc = repo_open(&r, repo_opts.dir, err);
	if (!rc)
		rc = repo_next(&r, repo_opts.role, &body, err);
	if (rc)
		return rc;
	ctm_json *targets = ctm_json_copy(ctm_json_get(body, "targets"));
	if (!ctm_json_get(targets, target_name)) {
		ctm_json_free(targets);
		return ctm_fail(err, CTM_E_NOTFOUND, "target", NULL, "%s lists no target %s", repo_opts.role, target_name);
	}
	if (ctm_json_del(targets, target_name) | ctm_json_set(body, "targets", targets))
		return nomem(err);
	return repo_stage_body(&r, repo_opts.role, ctm_json_copy(body), err);
}

/* --- renewing, rotating, recovering -------------------------------------------------------------------------------------- */

static int renew(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	ctm_json *body = NULL;
	int rc = needs(repo_opts.role, "role", err);
	if (!rc)
		rc = repo_open(&r, repo_opts.dir, err);
	if (!rc && (ctm_streq(repo_opts.role, "snapshot") || ctm_streq(repo_opts.role, "timestamp")))
		rc = ctm_fail(err, CTM_E_INPUT, "role", NULL, "%s is renewed by ctm update repo publish", repo_opts.role);
	if (!rc)
		rc = repo_next(&r, repo_opts.role, &body, err);
	return rc ? rc : repo_stage_body(&r, repo_opts.role, body, err);
}

/* Is the id, or the beginning of it, among the words of list? */
static bool meant(const char *list, const char *id)
{
	for (const char *s = list; s && *s;) {
		size_t n = strcspn(s, ",");
		if (n >= 8 && !strncmp(s, id, n))
			return true;
		s += n + (s[n] == ',');
	}
	return false;
}

/* What changes in a role: ids that go, keys that come, threshold; each may be NULL. */
struct change { const char *minus, *plus, *threshold; };

/* A role's next {keyids, threshold}; its keys go into all. */
static int change_role(const ctm_json *keys, const ctm_json *row, struct change c, ctm_json *all, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *o = ctm_json_copy(row);
	const ctm_json *ids = ctm_json_get(row, "keyids");
	struct adding a = { all, ctm_json_arr() };
	int64_t n = ctm_json_geti(row, "threshold", 1);
	int rc = 0;
	for (size_t i = 0; !rc && i < ctm_json_len(ids); i++) {
		const char *id = ctm_json_str(ctm_json_at(ids, i));
		if (!meant(c.minus, id))
			rc = ctm_json_adds(a.ids, id) | ctm_json_set(all, id, ctm_json_copy(ctm_json_get(keys, id))) ? nomem(err) : 0;
	}
	if (!rc)
		rc = update_each(c.plus, add_key, &a, err);
	size_t count = ctm_json_len(a.ids);
	if (ctm_json_set(o, "keyids", a.ids) && !rc)
		rc = nomem(err);
	if (!rc && ((c.threshold && ctm_parse_i64(c.threshold, 1, 64, &n)) || (size_t)n > count))
		rc = ctm_fail(err, CTM_E_INPUT, "threshold", NULL, "%zu keys would be left, which is fewer than the threshold; give --add or --threshold", count);
	if (rc || (rc = ctm_json_seti(o, "threshold", n)))
		return rc;
	*out = o;
	o = NULL;
	return 0;
}

/* Root's next keys and roles. `role` NULL: --drop is taken from every role, --add given to root. */
static int change_root(const struct repo *r, const char *role, struct ctm_err *err)
{
	CTM_AUTO_JSON *body = NULL, *all = ctm_json_obj(), *roles = ctm_json_obj();
	const ctm_json *row;
	const char *name;
	void *it = NULL;
	int rc = repo_next(r, "root", &body, err);
	while (!rc && ctm_json_each(ctm_json_get(body, "roles"), &it, &name, &row)) {
		bool this = ctm_streq(name, role ? role : "root");
		ctm_json *next = NULL;
		struct change c = { this || !role ? repo_opts.drop : NULL, this ? repo_opts.add : NULL, this ? repo_opts.threshold : NULL };
		rc = change_role(ctm_json_get(body, "keys"), row, c, all, &next, err);
		if (rc)
			return ctm_fail_prefix(err, "%s: ", name);
		rc = ctm_json_set(roles, name, next) ? nomem(err) : 0;
	}
	if (rc || ctm_json_set(body, "roles", ctm_json_copy(roles)) | ctm_json_set(body, "keys", ctm_json_copy(all)))
		return rc ? rc : nomem(err);
	return repo_stage_body(r, "root", ctm_json_copy(body), err);
}

static int change_line(const struct repo *r, const char *role, struct ctm_err *err)
{
	CTM_AUTO_JSON *body = NULL, *all = ctm_json_obj();
	const ctm_json *d, *rows, *row = NULL;
	ctm_json *next = NULL;
	int rc = repo_next(r, "targets", &body, err);
	if (rc)
		return rc;
	d = ctm_json_get(body, "delegations");
	rows = ctm_json_get(d, "roles");
	for (size_t i = 0; i < ctm_json_len(rows); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(rows, i), "name"), role))
			row = ctm_json_at(rows, i);
	if (!row)
		return ctm_fail(err, CTM_E_NOTFOUND, "role", NULL, "this repository has no role %s", role);
	if ((rc = change_role(ctm_json_get(d, "keys"), row, (struct change){ repo_opts.drop, repo_opts.add, repo_opts.threshold }, all, &next, err)) ||
	    (rc = delegate(body, role, next, all, err)))
		return rc;
	return repo_stage_body(r, "targets", ctm_json_copy(body), err);
}

static int stage_again(const struct repo *r, const char *role, struct ctm_err *err)
{
	ctm_json *body = NULL;
	int rc = repo_next(r, role, &body, err);
	return rc ? rc : repo_stage_body(r, role, body, err);
}

static int rotate(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	const char *role = repo_opts.role;
	int rc = needs(role, "role", err);
	if (!rc && !repo_opts.add && !repo_opts.drop && !repo_opts.threshold)
		rc = ctm_fail(err, CTM_E_USAGE, NULL, NULL, "give what changes: --add KEYS, --drop KEYIDS or --threshold N");
	if (!rc)
		rc = repo_open(&r, repo_opts.dir, err);
	if (rc)
		return rc;
	bool top = !ctm_streq(ctm_role_type(role), "targets") || ctm_streq(role, "targets");
	rc = top ? change_root(&r, role, err) : change_line(&r, role, err);
	/* What those keys sign must be signed by the new ones. */
	return rc || ctm_streq(role, "root") || (top && !ctm_streq(role, "targets")) ? rc : stage_again(&r, role, err);
}

static int recover(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	CTM_AUTO_JSON *was = NULL, *is = NULL;
	int rc = needs(repo_opts.drop, "lost", err);
	if (!rc)
		rc = repo_open(&r, repo_opts.dir, err);
	if (!rc)
		rc = repo_rule(&r, "targets", &was, err);
	if (!rc)
		rc = change_root(&r, NULL, err);
	if (!rc)
		rc = repo_rule(&r, "targets", &is, err);
	if (rc)
		return rc;
	printf("root is staged without the lost keys; %lld holders of the recovery set sign it (ctm update repo prepare)\n",
		(long long)ctm_json_geti(was, "threshold", 1));
	return ctm_json_len(ctm_json_get(was, "keyids")) == ctm_json_len(ctm_json_get(is, "keyids")) ? 0 : stage_again(&r, "targets", err);
}

/* --- the table ---------------------------------------------------------------------------------------------------------- */

#define TEXT(name, arg, help, var) { name, arg, help, &(var), NULL }
#define OPTS(a) a, sizeof a / sizeof a[0]
#define DIR TEXT("dir", "DIR", "The repository's directory.", repo_opts.dir)
#define CARRY TEXT("carry", "FILE", "The file made by prepare.", repo_opts.carry)

static const struct ctm_opt init_opts[] = {
	DIR, TEXT("name", "NAME", "Name of the repository, for people and the signer.", repo_opts.name),
	TEXT("root-keys", "A,B", "Public keys that sign the root (files or hex).", repo_opts.keys),
	TEXT("root-threshold", "N", "How many of them, and of the recovery set, are needed (default 1).", repo_opts.threshold),
	TEXT("recovery-keys", "R,S", "The recovery set: keys that also sign the root, kept apart; at least as many as the threshold.", recovery_keys),
	TEXT("targets-keys", "T", "Public keys that sign the list of product lines.", targets_keys),
	TEXT("targets-threshold", "N", "How many of them are needed (default 1).", targets_threshold),
	TEXT("snapshot-key", "K", "The server's public key for snapshots.", repo_opts.snapshot_key),
	TEXT("timestamp-key", "K", "The server's public key for timestamps.", repo_opts.timestamp_key),
};
static const struct ctm_opt line_opts[] = {
	DIR, TEXT("model", "MODEL", "The product line; its releases are named MODEL/VERSION/image.", repo_opts.model),
	TEXT("keys", "A,B", "Public keys that sign its releases.", repo_opts.keys),
	TEXT("threshold", "N", "How many of them are needed (default 1).", repo_opts.threshold),
	TEXT("config-keys", "C", "Public keys that sign its configuration, config/MODEL/NAME.", config_keys),
};
static const struct ctm_opt add_opts[] = {
	DIR, TEXT("model", "MODEL", "The product line.", repo_opts.model), TEXT("manifest", "M.cose", "The release's signed manifest.", manifest_path),
	TEXT("image", "FILE", "The image it describes.", image_path),
};
static const struct ctm_opt withdraw_opts[] = {
	DIR, TEXT("role", "ROLE", "The role that lists it, for example pl-MODEL.", repo_opts.role), TEXT("target", "NAME", "The target's name.", target_name),
};
static const struct ctm_opt renew_opts[] = { DIR, TEXT("role", "ROLE", "The role.", repo_opts.role) };
static const struct ctm_opt rotate_opts[] = {
	DIR, TEXT("role", "ROLE", "The role whose keys change.", repo_opts.role), TEXT("add", "A,B", "Public keys that come.", repo_opts.add),
	TEXT("drop", "ID,ID", "Ids of keys that go; the first 8 characters are enough.", repo_opts.drop), TEXT("threshold", "N", "How many are needed now.", repo_opts.threshold),
};
static const struct ctm_opt recover_opts[] = {
	DIR, TEXT("lost", "ID,ID", "Ids of the keys that are lost or stolen; they go from every role of the root.", repo_opts.drop),
	TEXT("add", "A,B", "New public keys for the root.", repo_opts.add),
};
static const struct ctm_opt prepare_opts[] = {
	DIR, TEXT("out", "FILE", "The file to carry.", repo_opts.out), { "all", NULL, "Also what is signed already: the file then goes to the platform.", NULL, &repo_opts.all },
};
static const struct ctm_opt sign_opts[] = {
	CARRY, TEXT("key", "KEY.pem", "The private key.", repo_opts.key), TEXT("out", "FILE", "Where the signed file goes (default: in its place).", repo_opts.out),
};
static const struct ctm_opt merge_opts[] = { DIR, CARRY };
static const struct ctm_opt publish_opts[] = {
	DIR, TEXT("signer", "SOCKET", "The platform's signer, which signs snapshot and timestamp.", repo_opts.signer),
	TEXT("snapshot-key", "K.pem", "Sign the snapshot with this key file instead.", repo_opts.snapshot_key),
	TEXT("timestamp-key", "K.pem", "Sign the timestamp with this key file instead.", repo_opts.timestamp_key),
};
static const struct ctm_opt status_opts[] = { DIR, { "json", NULL, "Print JSON.", NULL, &repo_opts.json } };

const struct update_verb update_repo_verbs[] = {
	{ { "update repo init", "", "Make a TUF repository: its first root and targets, to be signed.", OPTS(init_opts), 0, 0 }, init },
	{ { "update repo line", "", "Delegate a product line to keys of its own.", OPTS(line_opts), 0, 0 }, line },
	{ { "update repo add", "", "List a release's image and manifest.", OPTS(add_opts), 0, 0 }, add },
	{ { "update repo withdraw", "", "List a target no longer.", OPTS(withdraw_opts), 0, 0 }, withdraw },
	{ { "update repo renew", "", "Stage a role again with a later expiry.", OPTS(renew_opts), 0, 0 }, renew },
	{ { "update repo rotate", "", "Change the keys or the threshold of a role.", OPTS(rotate_opts), 0, 0 }, rotate },
	{ { "update repo recover", "", "Take lost keys out of every role; the recovery set signs.", OPTS(recover_opts), 0, 0 }, recover },
	{ { "update repo prepare", "", "Put what needs signatures into one file to carry.", OPTS(prepare_opts), 0, 0 }, repo_carry_prepare },
	{ { "update repo sign", "", "Show what a carried file says and sign it with a key; needs no network.", OPTS(sign_opts), 0, 0 }, repo_carry_sign },
	{ { "update repo merge", "", "Take signatures that were carried back.", OPTS(merge_opts), 0, 0 }, repo_carry_merge },
	{ { "update repo publish", "", "Publish what is signed, with a new snapshot and timestamp.", OPTS(publish_opts), 0, 0 }, repo_publish_verb },
	{ { "update repo status", "", "Versions, expiries and missing signatures.", OPTS(status_opts), 0, 0 }, repo_status },
};
const size_t update_repo_nverbs = sizeof update_repo_verbs / sizeof *update_repo_verbs;
