/* SPDX-License-Identifier: Apache-2.0
 *
 * The maker's repository directory: reading, staging, publishing single documents, and under which keys each is judged.
 */
#include "app/share.h"
#include "app/update.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)
#define PATH_CAP 4096
#define CONF_MAX (1 << 20)

void repo_close(struct repo *r)
{
	ctm_json_free(r->conf);
	ctm_json_free(r->policy);
}

int repo_policy(struct repo *r, struct ctm_err *err)
{
	char dir[PATH_CAP], path[PATH_CAP + 16];
	int rc = ctm_share_path("catalogue", dir, sizeof dir, err);
	snprintf(path, sizeof path, "%s/update.json", dir);
	r->now_ms = ctm_now_ms();
	return rc ? rc : ctm_json_load(path, CONF_MAX, &r->policy, err);
}

int repo_open(struct repo *r, const char *dir, struct ctm_err *err)
{
	char path[PATH_CAP];
	struct ctm_err local = { 0 };
	if (!dir)
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --dir is needed: the directory of the repository");
	r->dir = dir;
	snprintf(path, sizeof path, "%s/repo.json", dir);
	int rc = ctm_json_load(path, CONF_MAX, &r->conf, &local);
	if (rc == CTM_E_NOTFOUND)
		return ctm_fail(err, rc, "dir", NULL, "%s holds no repository; make one with ctm update repo init", dir);
	if (rc)
		return ctm_fail(err, rc, local.field, NULL, "%s", local.msg);
	if (!ctm_streq(ctm_json_gets(r->conf, "format"), "ctm.tuf-repo/1"))
		return ctm_fail(err, CTM_E_INPUT, "dir", NULL, "%s is of another format", path);
	return repo_policy(r, err);
}

static int write_json(const char *path, const ctm_json *v, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_ROLE_MAX);
	int rc = ctm_role_write(v, &b, err);
	return rc ? rc : ctm_file_write(path, b.p, b.len, 0644, err);
}

int repo_save(struct repo *r, struct ctm_err *err)
{
	char path[PATH_CAP];
	snprintf(path, sizeof path, "%s/repo.json", r->dir);
	return write_json(path, r->conf, err);
}

int64_t repo_version(const struct repo *r, const char *role)
{
	return ctm_json_geti(ctm_json_get(r->conf, "versions"), role, 0);
}

static const ctm_json *period(const struct repo *r, const char *role)
{
	const char *class = !ctm_streq(ctm_role_type(role), "targets") || ctm_streq(role, "targets") ? role : ctm_starts(role, "config-") ? "config" : "line";
	const ctm_json *rows = ctm_json_get(r->policy, "roles");
	for (size_t i = 0; i < ctm_json_len(rows); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(rows, i), "role"), class))
			return ctm_json_at(rows, i);
	return NULL;
}

int64_t repo_until(const struct repo *r, const char *role)
{
	return r->now_ms + ctm_json_geti(period(r, role), "days", 1) * DAY_MS;
}

int64_t repo_renew_ms(const struct repo *r, const char *role)
{
	return ctm_json_geti(period(r, role), "renew_days", 1) * DAY_MS;
}

/* --- documents --------------------------------------------------------------------------------------------------------- */

static int load(const char *path, ctm_json **out, struct ctm_err *err)
{
	struct ctm_err local = { 0 };
	int rc = ctm_json_load(path, CTM_ROLE_MAX, out, &local);
	if (rc == CTM_E_NOTFOUND) {
		*out = NULL;
		return 0;
	}
	return rc ? ctm_fail(err, rc, local.field, NULL, "%s", local.msg) : 0;
}

static void published_path(const struct repo *r, const char *role, int64_t version, char out[PATH_CAP])
{
	if (ctm_streq(role, "timestamp"))
		snprintf(out, PATH_CAP, "%s/metadata/timestamp.json", r->dir);
	else
		snprintf(out, PATH_CAP, "%s/metadata/%lld.%s.json", r->dir, (long long)version, role);
}

int repo_published(const struct repo *r, const char *role, ctm_json **out, struct ctm_err *err)
{
	char path[PATH_CAP];
	int64_t v = repo_version(r, role);
	*out = NULL;
	if (!v)
		return 0;
	published_path(r, role, v, path);
	int rc = load(path, out, err);
	return rc ? rc : *out ? 0 : ctm_fail(err, CTM_E_NOTFOUND, NULL, NULL, "%s is missing, though repo.json says that it was published", path);
}

static void staged_path(const struct repo *r, const char *role, char out[PATH_CAP])
{
	snprintf(out, PATH_CAP, "%s/staged/%s.json", r->dir, role);
}

int repo_staged(const struct repo *r, const char *role, ctm_json **out, struct ctm_err *err)
{
	char path[PATH_CAP];
	staged_path(r, role, path);
	return load(path, out, err);
}

int repo_now(const struct repo *r, const char *role, ctm_json **out, struct ctm_err *err)
{
	int rc = repo_staged(r, role, out, err);
	return rc || *out ? rc : repo_published(r, role, out, err);
}

int repo_stage(const struct repo *r, const char *role, const ctm_json *envelope, struct ctm_err *err)
{
	char path[PATH_CAP];
	staged_path(r, role, path);
	return write_json(path, envelope, err);
}

int repo_unstage(const struct repo *r, const char *role, struct ctm_err *err)
{
	char path[PATH_CAP];
	staged_path(r, role, path);
	return unlink(path) && errno != ENOENT ? ctm_fail(err, CTM_E_IO, NULL, NULL, "%s cannot be removed: %s", path, strerror(errno)) : 0;
}

int repo_publish(struct repo *r, const char *role, const ctm_json *envelope, struct ctm_err *err)
{
	char path[PATH_CAP];
	int64_t version = ctm_json_geti(ctm_json_get(envelope, "signed"), "version", 0);
	ctm_json *versions = ctm_json_copy(ctm_json_get(r->conf, "versions"));
	published_path(r, role, version, path);
	int rc = write_json(path, envelope, err);
	if (rc || (rc = ctm_json_seti(versions, role, version))) {
		ctm_json_free(versions);
		return ctm_fail(err, rc, NULL, NULL, "no memory");
	}
	rc = ctm_json_set(r->conf, "versions", versions);
	return rc ? ctm_fail(err, rc, NULL, NULL, "no memory") : repo_save(r, err);
}

int repo_next(const struct repo *r, const char *role, ctm_json **body, struct ctm_err *err)
{
	CTM_AUTO_JSON *e = NULL;
	int rc = repo_now(r, role, &e, err);
	if (rc)
		return rc;
	if (!e)
		return ctm_fail(err, CTM_E_NOTFOUND, "role", NULL, "this repository has no role %s", role);
	ctm_json *b = ctm_json_copy(ctm_json_get(e, "signed"));
	if (ctm_json_seti(b, "version", repo_version(r, role) + 1) | ctm_role_expires(b, repo_until(r, role))) {
		ctm_json_free(b);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	}
	*body = b;
	return 0;
}

int repo_stage_body(const struct repo *r, const char *role, ctm_json *body, struct ctm_err *err)
{
	CTM_AUTO_JSON *e = ctm_role_envelope(body);
	return e ? repo_stage(r, role, e, err) : ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
}

static int rank(const char *role)
{
	return ctm_streq(role, "root") ? 0 : ctm_streq(role, "targets") ? 1 : 2;
}

static int in_order(const void *pa, const void *pb)
{
	const char *a = *(const char *const *)pa, *b = *(const char *const *)pb;
	return rank(a) != rank(b) ? rank(a) - rank(b) : strcmp(a, b);
}

#define STAGED_MAX 256

int repo_staged_roles(const struct repo *r, ctm_json **out, struct ctm_err *err)
{
	char path[PATH_CAP], *names[STAGED_MAX];
	size_t n = 0;
	int rc = 0;
	snprintf(path, sizeof path, "%s/staged", r->dir);
	DIR *d = opendir(path);
	for (struct dirent *e; d && n < STAGED_MAX && (e = readdir(d));) {
		size_t len = strlen(e->d_name);
		if (len < 6 || e->d_name[0] == '.' || strcmp(e->d_name + len - 5, ".json"))
			continue;
		if ((names[n] = strndup(e->d_name, len - 5)))
			n++;
	}
	if (d)
		closedir(d);
	qsort(names, n, sizeof *names, in_order);
	ctm_json *list = ctm_json_arr();
	for (size_t i = 0; i < n; i++) {
		rc |= ctm_json_adds(list, names[i]);
		free(names[i]);
	}
	if (rc) {
		ctm_json_free(list);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	}
	*out = list;
	return 0;
}

/* --- who may sign ------------------------------------------------------------------------------------------------------ */

int repo_rule(const struct repo *r, const char *role, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *root = NULL, *targets = NULL;
	int rc = repo_now(r, "root", &root, err);
	if (!rc)
		rc = repo_now(r, "targets", &targets, err);
	return rc ? rc : ctm_role_rule(ctm_json_get(root, "signed"), ctm_json_get(targets, "signed"), role, out, err);
}

int repo_judge(const struct repo *r, const char *role, const ctm_json *envelope, unsigned *have, unsigned *need, struct ctm_err *err)
{
	CTM_AUTO_JSON *rule = NULL, *before = NULL;
	int rc = repo_rule(r, role, &rule, err);
	if (!rc)
		rc = repo_published(r, "root", &before, err);
	return rc ? rc : ctm_role_holds(envelope, role, rule, ctm_json_get(before, "signed"), have, need, err);
}

/* --- keys on the command line ------------------------------------------------------------------------------------------ */

int update_public_key(const char *text, struct ctm_key **out, struct ctm_err *err)
{
	CTM_AUTO_BUF b = { 0 };
	uint8_t raw[32];
	if (strlen(text) == 64 && !ctm_unhex(text, 64, raw))
		return ctm_key_from_raw(CTM_ALG_ED25519, raw, sizeof raw, out, err);
	int rc = ctm_file_read(text, 8192, &b, err);
	if (rc)
		return rc;
	while (b.len && (unsigned char)b.p[b.len - 1] <= ' ')
		b.p[--b.len] = 0;
	if (b.len == 64 && !ctm_unhex(b.p, 64, raw))
		return ctm_key_from_raw(CTM_ALG_ED25519, raw, sizeof raw, out, err);
	rc = ctm_key_from_pem(b.p ? b.p : "", b.len, out, NULL);
	return rc ? ctm_fail(err, CTM_E_INPUT, "key", NULL, "%s holds neither 64 hex characters of an Ed25519 public key nor a PEM key", text) : 0;
}

int update_each(const char *list, int (*each)(void *arg, const char *word, struct ctm_err *err), void *arg, struct ctm_err *err)
{
	char word[PATH_CAP];
	int rc = 0;
	for (const char *s = list; !rc && s && *s;) {
		size_t n = strcspn(s, ",");
		if (!n || n >= sizeof word)
			return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "%s is not a list of words with commas between them", list);
		memcpy(word, s, n);
		word[n] = 0;
		rc = each(arg, word, err);
		s += n + (s[n] == ',');
	}
	return rc;
}
