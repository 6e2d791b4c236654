/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/repo.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/signer.h"
#include "ctm/manifest.h"
#include "identity/identity.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

static int nomem(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

/* --- state -------------------------------------------------------------------------------------------------------------- */

static enum ctm_update_role class_of(const char *role)
{
	static const struct { const char *role; enum ctm_update_role class; } top[] = { { "root", CTM_UPDATE_ROOT }, { "targets", CTM_UPDATE_TARGETS },
		{ "snapshot", CTM_UPDATE_SNAPSHOT }, { "timestamp", CTM_UPDATE_TIMESTAMP } };
	for (size_t i = 0; i < sizeof top / sizeof *top; i++)
		if (ctm_streq(role, top[i].role))
			return top[i].class;
	return ctm_starts(role, "config-") ? CTM_UPDATE_CONFIG : CTM_UPDATE_LINE;
}

int64_t ctm_repo_until(struct ctm_app *app, const char *role, int64_t now_ms)
{
	return now_ms + ctm_update_period(ctm_app_catalogue(app), class_of(role)).days * CTM_DAY_MS;
}

int64_t ctm_repo_renew_ms(struct ctm_app *app, const char *role)
{
	return ctm_update_period(ctm_app_catalogue(app), class_of(role)).renew_days * CTM_DAY_MS;
}

static int envelope(struct ctm_app *app, const char *digest, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_BUF b = { 0 };
	int rc = ctm_blob_get(ctm_app_blobs(app), digest, CTM_ROLE_MAX, &b, err);
	return rc ? rc : ctm_json_parse(ctm_buf_cstr(&b), b.len, CTM_ROLE_MAX, "metadata", out, err);
}

int ctm_repo_load(struct ctm_app *app, struct ctm_db *db, const char *org, ctm_json **out, struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "repo.newest");
	CTM_AUTO_JSON *rows = NULL, *state = ctm_json_obj();
	ctm_q_text(q, "org", org);
	int rc = ctm_q_rows(q, 1000, &rows, err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		ctm_json *row = ctm_json_copy(ctm_json_at(rows, i)), *e = NULL;
		rc = envelope(app, ctm_json_gets(row, "digest"), &e, err);
		if (ctm_json_set(row, "envelope", e) | ctm_json_set(state, ctm_json_gets(ctm_json_at(rows, i), "role"), row) && !rc)
			rc = nomem(err);
	}
	if (rc)
		return rc;
	*out = state;
	state = NULL;
	return 0;
}

const ctm_json *ctm_repo_body(const ctm_json *state, const char *role)
{
	return ctm_json_get(ctm_json_get(ctm_json_get(state, role), "envelope"), "signed");
}

int ctm_repo_slug(struct ctm_db *db, const char *org, char slug[64], struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "repo.org");
	ctm_q_text(q, "org", org);
	int rc = ctm_q_one(q, err);
	if (!rc && !ctm_copy(slug, 64, ctm_q_str(q, "slug")))
		rc = ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "the maker's short name is too long for a repository");
	return rc;
}

int ctm_repo_role(struct ctm_app *app, struct ctm_db *db, const char *org, const char *role, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "repo.role");
	ctm_q_text(q, "org", org);
	ctm_q_text(q, "role", role);
	int rc = ctm_q_one(q, err);
	return rc ? rc : envelope(app, ctm_q_str(q, "digest"), out, err);
}

int ctm_repo_put(struct ctm_app *app, const char *role, const ctm_json *e, ctm_json **doc, struct ctm_err *err)
{
	const ctm_json *body = ctm_json_get(e, "signed");
	CTM_AUTO_BUF b = CTM_BUF(CTM_ROLE_MAX);
	ctm_json *o = ctm_json_obj();
	char digest[CTM_DIGEST_MAX] = "";
	int64_t until = 0;
	int rc = ctm_role_write(e, &b, err);
	if (!rc)
		rc = ctm_blob_put(ctm_app_blobs(app), b.p, b.len, digest, err);
	if (!rc && ctm_time_parse(ctm_json_gets(body, "expires"), &until))
		rc = ctm_fail(err, CTM_E_INPUT, role, NULL, "%s has no moment at which it expires", role);
	if (!rc && (ctm_json_sets(o, "role", role) | ctm_json_sets(o, "digest", digest) | ctm_json_seti(o, "version", ctm_json_geti(body, "version", 0)) |
			ctm_json_seti(o, "expires_ms", until) | ctm_json_set(o, "envelope", ctm_json_copy(e))))
		rc = nomem(err);
	if (rc) {
		ctm_json_free(o);
		return rc;
	}
	*doc = o;
	return 0;
}

int ctm_repo_keep(struct ctm_db *db, const char *org, const ctm_json *doc, int64_t now_ms, struct ctm_err *err)
{
	static const char *const steps[] = { "repo.add", "repo.forget" };
	int rc = 0;
	for (int i = 0; !rc && i < 2; i++) {
		struct ctm_q *q = ctm_q(db, steps[i]);
		ctm_q_text(q, "org", org);
		ctm_q_text(q, "role", ctm_json_gets(doc, "role"));
		ctm_q_int(q, "version", ctm_json_geti(doc, "version", 0));
		if (i == 0) {
			ctm_q_text(q, "digest", ctm_json_gets(doc, "digest"));
			ctm_q_int(q, "expires", ctm_json_geti(doc, "expires_ms", 0));
			ctm_q_int(q, "now", now_ms);
		}
		rc = ctm_q_run(q, NULL, err);
	}
	return rc;
}

/* --- status --------------------------------------------------------------------------------------------------------------- */

/* The platform's keys, which a maker's root has to name; from the signer. */
int ctm_prepare_repo(struct ctm_cx *cx)
{
	static const char *const names[] = { "snapshot", "timestamp", "director" };
	CTM_AUTO_JSON *req = ctm_json_obj(), *reply = NULL;
	ctm_json *keys = ctm_json_obj();
	char socket[512];
	int rc = ctm_json_sets(req, "op", "keys") ? nomem(cx->err) :
		ctm_signer_call(ctm_app_dir(cx->app, "run/signer.sock", socket, sizeof socket), req, CTM_REPO_SIGNER_MS, &reply, cx->err);
	for (size_t i = 0; !rc && i < sizeof names / sizeof *names; i++) {
		const char *hex = ctm_json_gets(ctm_json_get(reply, names[i]), "ed25519");
		if (hex && ctm_json_sets(keys, names[i], hex))
			rc = nomem(cx->err);
	}
	cx->prepared = keys;
	return rc;
}

int ctm_uc_repo(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *state = NULL;
	ctm_json *rows = ctm_json_arr();
	char slug[64];
	const char *role;
	const ctm_json *v;
	void *it = NULL;
	int bad = 0, rc = ctm_repo_load(cx->app, cx->db, cx->who->org_id, &state, cx->err);
	if (!rc)
		rc = ctm_repo_slug(cx->db, cx->who->org_id, slug, cx->err);
	while (!rc && ctm_json_each(state, &it, &role, &v)) {
		ctm_json *o = ctm_json_obj();
		int64_t until = ctm_json_geti(v, "expires_ms", 0);
		bad |= ctm_json_sets(o, "role", role) | ctm_json_seti(o, "version", ctm_json_geti(v, "version", 0)) | ctm_json_seti(o, "expires_ms", until) |
			ctm_json_sets(o, "state", until <= cx->now_ms ? "expired" : until - cx->now_ms < ctm_repo_renew_ms(cx->app, role) ? "renew soon" : "published");
		bad |= ctm_json_add(rows, o);
	}
	bad |= ctm_json_set(out, "roles", rows);
	if (rc)
		return rc;
	bad |= ctm_json_sets(out, "repository", slug) | ctm_json_setf(out, "path", "/tuf/%s/", slug) | ctm_json_set(out, "keys", ctm_json_copy(cx->prepared));
	return bad ? nomem(cx->err) : 0;
}

/* --- what is to be signed -------------------------------------------------------------------------------------------------- */

/* The two targets of a release into a list that lacks them. *added says that there was something to add. */
static int add_release(struct ctm_cx *cx, const ctm_json *row, ctm_json *targets, bool *added)
{
	CTM_AUTO_BUF manifest = { 0 };
	struct ctm_manifest m;
	char name[200];
	int rc = ctm_blob_get(ctm_app_blobs(cx->app), ctm_json_gets(row, "manifest_digest"), CTM_MANIFEST_MAX, &manifest, cx->err);
	if (!rc && ctm_manifest_peek((const uint8_t *)manifest.p, manifest.len, &m))
		rc = ctm_fail(cx->err, CTM_E_FAIL, NULL, NULL, "the manifest of release %s cannot be read", ctm_json_gets(row, "version"));
	for (int i = 0; !rc && i < 2; i++) {
		const char *digest = ctm_json_gets(row, i ? "manifest_digest" : "image_digest");
		snprintf(name, sizeof name, "%.64s/%.64s/%s", ctm_json_gets(row, "model"), ctm_json_gets(row, "version"), i ? "manifest" : "image");
		if (ctm_json_get(targets, name))
			continue;
		*added = true;
		if (ctm_json_set(targets, name, ctm_role_target(i ? (int64_t)manifest.len : (int64_t)m.size, digest, ctm_role_custom(&m))))
			rc = nomem(cx->err);
	}
	return rc;
}

/* The next body of a line with all its releases; NULL when nothing changed and nothing is about to expire. */
static int next_line(struct ctm_cx *cx, const ctm_json *state, const char *role, const ctm_json *releases, ctm_json **out)
{
	const ctm_json *old = ctm_repo_body(state, role);
	CTM_AUTO_JSON *targets = old ? ctm_json_copy(ctm_json_get(old, "targets")) : ctm_json_obj();
	int64_t version = ctm_json_geti(ctm_json_get(state, role), "version", 0), until = ctm_json_geti(ctm_json_get(state, role), "expires_ms", 0);
	bool changed = until - cx->now_ms < ctm_repo_renew_ms(cx->app, role);
	int rc = 0;
	*out = NULL;
	for (size_t i = 0; !rc && i < ctm_json_len(releases); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(releases, i), "model"), role + strlen("pl-")))
			rc = add_release(cx, ctm_json_at(releases, i), targets, &changed);
	if (rc || !changed)
		return rc;
	ctm_json *body = ctm_role_body("targets", version + 1, ctm_repo_until(cx->app, role, cx->now_ms));
	if (ctm_json_set(body, "targets", ctm_json_copy(targets))) {
		ctm_json_free(body);
		return nomem(cx->err);
	}
	*out = body;
	return 0;
}

static int carry_line(struct ctm_cx *cx, const ctm_json *state, const char *role, const ctm_json *releases, ctm_json *carry)
{
	CTM_AUTO_JSON *rule = NULL, *e = NULL;
	ctm_json *body = NULL;
	int rc = next_line(cx, state, role, releases, &body);
	if (rc || !body)
		return rc;
	if (!(e = ctm_role_envelope(body)))
		return nomem(cx->err);
	rc = ctm_role_rule(ctm_repo_body(state, "root"), ctm_repo_body(state, "targets"), role, &rule, cx->err);
	return rc ? rc : ctm_carry_add(carry, role, e, rule, NULL, 0, (unsigned)ctm_json_geti(rule, "threshold", 1), cx->err);
}

int ctm_uc_repo_carry(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *state = NULL, *releases = NULL, *carry = NULL;
	const ctm_json *rows;
	char slug[64];
	int rc = ctm_repo_load(cx->app, cx->db, cx->who->org_id, &state, cx->err);
	if (!rc)
		rc = ctm_repo_slug(cx->db, cx->who->org_id, slug, cx->err);
	if (!rc && !ctm_repo_body(state, "targets"))
		rc = ctm_fail(cx->err, CTM_E_STATE, NULL, NULL, "there is no repository yet: make one with ctm update repo init and bring its first root here");
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "repo.releases");
	ctm_q_text(q, "org", cx->who->org_id);
	if ((rc = ctm_q_rows(q, 1000, &releases, cx->err)) || (rc = ctm_carry_new(slug, &carry, cx->err)))
		return rc;
	rows = ctm_json_get(ctm_json_get(ctm_repo_body(state, "targets"), "delegations"), "roles");
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		const char *role = ctm_json_gets(ctm_json_at(rows, i), "name");
		if (ctm_starts(role, "pl-"))
			rc = carry_line(cx, state, role, releases, carry);
	}
	if (!rc && !ctm_json_len(ctm_json_get(carry, "documents")))
		rc = ctm_fail(cx->err, CTM_E_STATE, NULL, NULL, "every published release is listed and nothing is about to expire: there is nothing to sign");
	const ctm_json *v;
	const char *key;
	void *it = NULL;
	while (!rc && ctm_json_each(carry, &it, &key, &v))
		rc = ctm_json_set(out, key, ctm_json_copy(v)) ? nomem(cx->err) : 0;
	return rc;
}

/* --- what comes back -------------------------------------------------------------------------------------------------------- */

static int own_files(struct ctm_cx *cx, const char *role, const ctm_json *body)
{
	const char *name;
	const ctm_json *t;
	void *it = NULL;
	while (ctm_json_each(ctm_json_get(body, "targets"), &it, &name, &t)) {
		char digest[80];
		const char *hex = ctm_json_gets(ctm_json_get(t, "hashes"), "sha256");
		CTM_AUTO_Q *q = ctm_q(cx->db, "repo.own_file");
		bool row = false;
		snprintf(digest, sizeof digest, "sha256:%.64s", hex ? hex : "");
		ctm_q_text(q, "org", cx->who->org_id);
		ctm_q_text(q, "digest", digest);
		int rc = ctm_q_step(q, &row, cx->err);
		if (rc)
			return rc;
		if (!row || !ctm_path_safe(name))
			return ctm_fail(cx->err, CTM_E_GUARD, "documents", NULL, "%.64s lists %.100s, which is no image or manifest of a published release of yours", role, name);
	}
	return 0;
}

/* One document: its place in the sequence, its signatures under what is there now or came before it in the same file, its files. */
static int take_one(struct ctm_cx *cx, ctm_json *state, const ctm_json *doc, ctm_json *kept)
{
	const char *role = ctm_json_gets(doc, "role");
	const ctm_json *body = ctm_json_get(doc, "signed");
	CTM_AUTO_JSON *e = ctm_role_envelope(ctm_json_copy(body)), *rule = NULL, *put = NULL;
	int64_t version = ctm_json_geti(body, "version", 0), had = ctm_json_geti(ctm_json_get(state, role), "version", 0);
	const ctm_json *root = ctm_streq(role, "root") ? body : ctm_repo_body(state, "root");
	unsigned have = 0, need = 0;
	if (!e || ctm_json_set(e, "signatures", ctm_json_copy(ctm_json_get(doc, "signatures"))))
		return ctm_fail(cx->err, CTM_E_INPUT, "documents", NULL, "%s has no signatures", role);
	if (!ctm_streq(ctm_role_type(role), "targets") && !ctm_streq(role, "root"))
		return ctm_fail(cx->err, CTM_E_INPUT, "documents", NULL, "%s is made here, not brought", role);
	/* Roots come one by one; a list may leave versions out, as one must that follows a restored backup. */
	if (version <= had || (ctm_streq(role, "root") && version != had + 1))
		return ctm_fail(cx->err, CTM_E_CONFLICT, "documents", NULL, "%s version %lld was brought; version %lld comes next", role, (long long)version, (long long)had + 1);
	int rc = ctm_role_rule(root, ctm_repo_body(state, "targets"), role, &rule, cx->err);
	if (!rc)
		rc = ctm_role_holds(e, role, rule, ctm_repo_body(state, "root"), &have, &need, cx->err);
	if (!rc && have < need)
		rc = ctm_fail(cx->err, CTM_E_STATE, "documents", NULL, "%s is signed by %u of %u keys; nothing was taken", role, have, need);
	if (!rc)
		rc = own_files(cx, role, body);
	if (!rc)
		rc = ctm_repo_put(cx->app, role, e, &put, cx->err);
	if (!rc && ctm_json_geti(put, "expires_ms", 0) <= cx->now_ms)
		rc = ctm_fail(cx->err, CTM_E_INPUT, "documents", NULL, "%s is over already", role);
	if (rc)
		return rc;
	return ctm_json_set(state, role, ctm_json_copy(put)) | ctm_json_add(kept, ctm_json_copy(put)) ? nomem(cx->err) : 0;
}

static int rank(const char *role)
{
	return ctm_streq(role, "root") ? 0 : ctm_streq(role, "targets") ? 1 : 2;
}

/* What stays must be signed as the new root and targets ask, or clients would stop at it. */
static int rest_holds(struct ctm_cx *cx, const ctm_json *state)
{
	const char *role;
	const ctm_json *v;
	void *it = NULL;
	while (ctm_json_each(state, &it, &role, &v)) {
		CTM_AUTO_JSON *rule = NULL;
		unsigned have = 0, need = 0;
		if (!ctm_streq(ctm_role_type(role), "targets"))
			continue;
		int rc = ctm_role_rule(ctm_repo_body(state, "root"), ctm_repo_body(state, "targets"), role, &rule, cx->err);
		if (!rc)
			rc = ctm_role_holds(ctm_json_get(v, "envelope"), role, rule, NULL, &have, &need, cx->err);
		if (rc)
			return rc;
		if (have < need)
			return ctm_fail(cx->err, CTM_E_STATE, "documents", NULL, "the keys of %s change: bring a version of it that they signed, in the same file", role);
	}
	return 0;
}

int ctm_prepare_repo_take(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *state = NULL;
	const ctm_json *docs = ctm_json_get(cx->body, "documents");
	ctm_json *kept = ctm_json_arr();
	char slug[64];
	int rc = ctm_repo_slug(cx->db, cx->who->org_id, slug, cx->err);
	if (!rc)
		rc = ctm_carry_check(cx->body, slug, cx->err);
	if (!rc)
		rc = ctm_repo_load(cx->app, cx->db, cx->who->org_id, &state, cx->err);
	for (int r = 0; r < 3; r++)
		for (size_t i = 0; !rc && i < ctm_json_len(docs); i++)
			if (rank(ctm_json_gets(ctm_json_at(docs, i), "role")) == r)
				rc = take_one(cx, state, ctm_json_at(docs, i), kept);
	if (!rc)
		rc = rest_holds(cx, state);
	cx->prepared = kept;
	return rc;
}

int ctm_uc_repo_take(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *payload = ctm_json_obj(), *was = ctm_json_obj(), *is = ctm_json_obj();
	ctm_json *roles = ctm_json_arr();
	char key[64];
	int bad = ctm_json_sets(payload, "org_id", cx->who->org_id), rc = 0;
	for (size_t i = 0; !rc && i < ctm_json_len(cx->prepared); i++) {
		const ctm_json *doc = ctm_json_at(cx->prepared, i);
		ctm_json *o = ctm_json_obj();
		const char *role = ctm_json_gets(doc, "role");
		rc = ctm_repo_keep(cx->db, cx->who->org_id, doc, cx->now_ms, cx->err);
		bad |= ctm_json_sets(o, "role", role) | ctm_json_seti(o, "version", ctm_json_geti(doc, "version", 0)) |
			ctm_json_seti(was, role, ctm_json_geti(doc, "version", 1) - 1) | ctm_json_seti(is, role, ctm_json_geti(doc, "version", 0));
		bad |= ctm_json_add(roles, o);
	}
	if (rc == CTM_E_EXISTS) {
		ctm_err_clear(cx->err);
		rc = ctm_fail(cx->err, CTM_E_CONFLICT, "documents", NULL, "somebody brought the same version a moment ago");
	}
	bad |= ctm_json_set(out, "roles", roles);
	if (rc || bad)
		return rc ? rc : nomem(cx->err);
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "repository.take", "organisation", cx->who->org_id, was, is, cx->err)))
		return rc;
	/* A key of its own: the renewal that waits for tomorrow would take this post for itself. */
	snprintf(key, sizeof key, "now:%s", cx->who->org_id);
	return ctm_job_post(cx->db, cx->now_ms, "repo.publish", key, payload, cx->err);
}
