/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/signer_tuf.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/role.h"
#include "ctm/director.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define ROLES_MAX 4096            /* roles one snapshot may name */

struct ctm_signed_roles {
	struct ctm_signed_roles *next;
	char key[CTM_REPOSITORY_MAX + 16 + CTM_ROLE_ID];
	int64_t version;
	char digest[CTM_DIGEST_MAX];
	ctm_json *meta;               /* {name: version} */
};

void ctm_signed_roles_free(struct ctm_signed_roles *m)
{
	while (m) {
		struct ctm_signed_roles *next = m->next;
		ctm_json_free(m->meta);
		free(m);
		m = next;
	}
}

static int refuse(struct ctm_err *err, const char *field, const char *rule, const char *why)
{
	return ctm_fail(err, CTM_E_GUARD, field, rule, "%s", why);
}

static void key_of(const char *repository, const char *type, const char *keyid, char *out, size_t cap)
{
	snprintf(out, cap, "%.64s|%.10s|%.64s", repository, type, keyid);
}

static const struct ctm_signed_roles *last_of(const struct ctm_signed_roles *m, const char *key)
{
	while (m && strcmp(m->key, key))
		m = m->next;
	return m;
}

int ctm_signed_roles_add(struct ctm_signed_roles **m, const char *type, const ctm_json *line)
{
	const char *repository = ctm_json_gets(line, "repository"), *keyid = ctm_json_gets(line, "keyid"), *digest = ctm_json_gets(line, "payload");
	char key[sizeof (*m)->key];
	if (!repository || !keyid || !digest)
		return CTM_E_INPUT;
	key_of(repository, type, keyid, key, sizeof key);
	struct ctm_signed_roles *r = (struct ctm_signed_roles *)last_of(*m, key);
	ctm_json *meta = ctm_json_copy(ctm_json_get(line, "meta"));
	if (!meta || (!r && !(r = calloc(1, sizeof *r)))) {
		ctm_json_free(meta);
		return CTM_E_NOMEM;
	}
	if (!r->key[0]) {
		ctm_copy(r->key, sizeof r->key, key);
		r->next = *m;
		*m = r;
	}
	ctm_json_free(r->meta);
	r->meta = meta;
	r->version = ctm_json_geti(line, "version", 0);
	ctm_copy(r->digest, sizeof r->digest, digest);
	return 0;
}

/* --- shape ------------------------------------------------------------------------------------------------------------- */

static int one_meta(const struct ctm_jc *meta, const char *name, ctm_json *versions, struct ctm_err *err)
{
	static const char *const members[] = { "version", "length", "hashes" }, *const algs[] = { "sha256" };
	struct ctm_jc c, h;
	int64_t version, length;
	const char *digest;
	int rc = ctm_jc_key(meta, name, &c, err);
	if (rc || (rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, members, 3, err)) || (rc = ctm_jc_int(&c, "version", 1, INT64_MAX, &version, err)) ||
	    (rc = ctm_jc_int(&c, "length", 1, CTM_ROLE_MAX, &length, err)) || (rc = ctm_jc_key(&c, "hashes", &h, err)) ||
	    (rc = ctm_jc_is(&h, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&h, algs, 1, err)) || (rc = ctm_jc_str(&h, "sha256", 64, 64, &digest, err)))
		return rc;
	return ctm_json_seti(versions, name, version) ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory") : 0;
}

static int metas(const struct ctm_jc *body, const char *type, ctm_json *versions, struct ctm_err *err)
{
	bool timestamp = ctm_streq(type, "timestamp");
	struct ctm_jc meta;
	const char *name;
	const ctm_json *v;
	void *it = NULL;
	int rc = ctm_jc_key(body, "meta", &meta, err);
	if (!rc)
		rc = ctm_jc_is(&meta, CTM_J_OBJ, err);
	if (!rc && (ctm_json_len(meta.v) > ROLES_MAX || !ctm_jc_has(&meta, timestamp ? "snapshot.json" : "targets.json", &(struct ctm_jc){ 0 }) ||
		    (timestamp && ctm_json_len(meta.v) != 1)))
		rc = ctm_jc_fail(&meta, err, timestamp ? "names the snapshot and nothing else" : "names targets and at most 4096 roles");
	while (!rc && ctm_json_each(meta.v, &it, &name, &v)) {
		size_t n = strlen(name);
		if (n < 6 || n > 200 || strcmp(name + n - 5, ".json"))
			return ctm_jc_fail(&meta, err, "has a member that is not the name of a role's file");
		rc = one_meta(&meta, name, versions, err);
	}
	return rc;
}

static int shape(const struct ctm_jc *body, const char *type, int64_t *version, int64_t *until, ctm_json *versions, struct ctm_err *err)
{
	static const char *const members[] = { "_type", "spec_version", "version", "expires", "meta" };
	const char *is, *spec, *expires;
	int rc = ctm_jc_is(body, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(body, members, 5, err)) || (rc = ctm_jc_str(body, "_type", 1, 20, &is, err)) ||
	    (rc = ctm_jc_str(body, "spec_version", 1, 20, &spec, err)) || (rc = ctm_jc_int(body, "version", 1, INT64_MAX, version, err)) ||
	    (rc = ctm_jc_str(body, "expires", 20, 20, &expires, err)))
		return rc;
	if (!ctm_streq(is, type) || !ctm_streq(spec, CTM_ROLE_SPEC) || ctm_time_parse(expires, until))
		return ctm_fail(err, CTM_E_INPUT, "/signed", NULL, "The body is not that of a %s of TUF " CTM_ROLE_SPEC ".", type);
	return metas(body, type, versions, err);
}

static bool goes_back(const ctm_json *was, const ctm_json *is)
{
	const char *name;
	const ctm_json *v;
	void *it = NULL;
	while (ctm_json_each(was, &it, &name, &v))
		if (ctm_json_geti(is, name, 0) < ctm_json_int(v, 0))
			return true;
	return false;
}

static int fill(ctm_json *line, const char *repository, const char *keyid, int64_t version, const char *digest, const ctm_json *versions, struct ctm_err *err)
{
	return ctm_json_sets(line, "repository", repository) | ctm_json_sets(line, "keyid", keyid) | ctm_json_seti(line, "version", version) |
		ctm_json_sets(line, "payload", digest) | ctm_json_set(line, "meta", ctm_json_copy(versions)) ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory") : 0;
}

int ctm_rule_role(const struct ctm_signed_roles *m, const ctm_json *req, const char *type, const char *keyid, int64_t now_ms, ctm_json *line, bool *again,
	struct ctm_err *err)
{
	const int64_t most = (ctm_streq(type, "snapshot") ? CTM_SNAPSHOT_DAYS_MAX : CTM_TIMESTAMP_DAYS_MAX) * DAY_MS;
	struct ctm_jc c = ctm_jc_root(req, "request"), body;
	CTM_AUTO_JSON *versions = ctm_json_obj();
	char key[sizeof m->key], digest[CTM_DIGEST_MAX];
	const char *repository;
	int64_t version, until;
	int rc = ctm_jc_str(&c, "repository", 1, CTM_REPOSITORY_MAX, &repository, err);
	if (!rc)
		rc = ctm_jc_key(&c, "signed", &body, err);
	if (!rc)
		rc = shape(&body, type, &version, &until, versions, err);
	if (rc || strspn(repository, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(repository)) {
		rc = rc ? rc : ctm_fail(err, CTM_E_INPUT, "/repository", NULL, "A repository is named with letters, digits, \".\", \"_\" and \"-\".");
		if (err)
			ctm_copy(err->rule, sizeof err->rule, "tuf.shape");
		return rc;
	}
	if (until <= now_ms || until - now_ms > most)
		return refuse(err, "/signed/expires", "tuf.expiry", "It is over already, or further ahead than such a signature may reach.");
	if ((rc = ctm_role_digest(body.v, digest, err)))
		return rc;
	key_of(repository, type, keyid, key, sizeof key);
	const struct ctm_signed_roles *last = last_of(m, key);
	*again = last && last->version == version && ctm_streq(last->digest, digest);
	if (last && last->version == version && !*again)
		return refuse(err, "/signed/version", "tuf.content", "Another content of this version was signed already.");
	if (last && version < last->version)
		return refuse(err, "/signed/version", "tuf.version", "A later version of this role was signed already.");
	if (last && goes_back(last->meta, versions))
		return refuse(err, "/signed/meta", "tuf.rollback", "It names an older version of a role than was signed before, or leaves a role out.");
	return fill(line, repository, keyid, version, digest, versions, err);
}

/* --- director ---------------------------------------------------------------------------------------------------------- */

static struct ctm_bytes bytes(const char *s)
{
	return (struct ctm_bytes){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

int ctm_rule_director(const ctm_json *req, int64_t now_ms, struct ctm_buf *payload, struct ctm_err *err)
{
	struct ctm_jc c = ctm_jc_root(req, "request");
	struct ctm_direction d = { .counter = 0 };
	const char *device, *component, *target = NULL, *digest = NULL, *campaign = NULL;
	int64_t counter, until, size = 0;
	uint8_t out[1024];
	size_t n;
	int rc = ctm_jc_str(&c, "device", 1, 64, &device, err);
	if (rc || (rc = ctm_jc_str(&c, "component", 1, 32, &component, err)) || (rc = ctm_jc_int(&c, "counter", 1, INT64_MAX, &counter, err)) ||
	    (rc = ctm_jc_int(&c, "not_after_s", 1, INT64_MAX / 1000, &until, err)) || (rc = ctm_jc_opt_str(&c, "target", 200, &target, err)) ||
	    (rc = ctm_jc_opt_str(&c, "campaign", 64, &campaign, err)) ||
	    (target && ((rc = ctm_jc_int(&c, "size", 1, INT64_MAX, &size, err)) || (rc = ctm_jc_str(&c, "digest", 71, 71, &digest, err))))) {
		if (err)
			ctm_copy(err->rule, sizeof err->rule, "director.shape");
		return rc;
	}
	if (until * 1000 <= now_ms || until * 1000 - now_ms > CTM_DIRECTOR_DAYS_MAX * DAY_MS)
		return refuse(err, "/not_after_s", "director.expiry", "It is over already, or further ahead than a director statement may reach.");
	d.device = bytes(device);
	d.campaign = bytes(campaign);
	d.target = bytes(target);
	d.counter = (uint64_t)counter;
	d.not_after_s = until;
	d.size = (uint64_t)size;
	if ((target && !*target) || (digest && ctm_digest_parse(digest, d.digest)) || ctm_direction_encode(&d, component, out, sizeof out, &n))
		return ctm_fail(err, CTM_E_INPUT, "", "director.shape", "The statement cannot be written: a name, the size or the digest is not acceptable.");
	ctm_buf_add(payload, out, n);
	return ctm_buf_err(payload, "director", err);
}
