/* SPDX-License-Identifier: Apache-2.0
 *
 * Publishing a repository: what was taken becomes files, the signer says what is newest, and says it again before it expires. Order of
 * writing: targets' files, roots, targets, lines, snapshot, timestamp; who comes in between sees the old state whole.
 */
#include "fleet/repo.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/signer.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)256 << 20)
#define TRIES 8                    /* versions that a crash may have used up without a trace here */

struct publishing {
	struct ctm_jx *jx;
	const char *org;
	char slug[64];
	ctm_json *state;               /* ctm_repo_load */
	ctm_json *put;                 /* document to keep */
};

static int nomem(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

/* Path below public/tuf/SLUG; its directory is made. */
static int path_of(struct publishing *p, const char *rel, char *out, size_t cap)
{
	char sub[900];
	if (snprintf(sub, sizeof sub, "public/tuf/%s/%s", p->slug, rel) >= (int)sizeof sub)
		return ctm_fail(p->jx->err, CTM_E_TOOBIG, NULL, NULL, "a target's name is too long for a file");
	ctm_app_dir(p->jx->app, sub, out, cap);
	char *slash = strrchr(out, '/');
	*slash = 0;
	int rc = ctm_mkdirs(out, 0755, p->jx->err);
	*slash = '/';
	return rc;
}

/* A blob under another name: linked, or copied where links do not reach. */
static int place(struct publishing *p, const char *digest, const char *rel)
{
	char from[1200], to[1200];
	CTM_AUTO_BUF b = { 0 };
	int rc = path_of(p, rel, to, sizeof to);
	if (rc || access(to, F_OK) == 0)
		return rc;
	if ((rc = ctm_blob_path(ctm_app_blobs(p->jx->app), digest, from, sizeof from)))
		return ctm_fail(p->jx->err, rc, NULL, NULL, "%s has no place in the store", digest);
	if (link(from, to) == 0 || errno == EEXIST)
		return 0;
	if ((rc = ctm_blob_get(ctm_app_blobs(p->jx->app), digest, FILE_MAX, &b, p->jx->err)))
		return rc;
	return ctm_file_write(to, b.p, b.len, 0644, p->jx->err);
}

static int place_role(struct publishing *p, const char *role, int64_t version, const char *digest)
{
	char rel[128];
	snprintf(rel, sizeof rel, "metadata/%lld.%.64s.json", (long long)version, role);
	return place(p, digest, rel);
}

static int place_targets(struct publishing *p, const ctm_json *body)
{
	const char *name;
	const ctm_json *t;
	void *it = NULL;
	int rc = 0;
	while (!rc && ctm_json_each(ctm_json_get(body, "targets"), &it, &name, &t)) {
		const char *hex = ctm_json_gets(ctm_json_get(t, "hashes"), "sha256"), *slash = strrchr(name, '/'), *last = slash ? slash + 1 : name;
		char rel[800], digest[80];
		snprintf(digest, sizeof digest, "sha256:%.64s", hex ? hex : "");
		if (!ctm_path_safe(name) || snprintf(rel, sizeof rel, "targets/%.*s%.64s.%s", (int)(last - name), name, hex ? hex : "", last) >= (int)sizeof rel)
			return ctm_fail(p->jx->err, CTM_E_INPUT, NULL, NULL, "the target %.100s cannot be a file", name);
		rc = place(p, digest, rel);
	}
	return rc;
}

static int place_all(struct publishing *p)
{
	CTM_AUTO_JSON *roots = NULL;
	const char *role;
	const ctm_json *v;
	void *it = NULL;
	struct ctm_q *q = ctm_q(p->jx->db, "repo.roots");
	ctm_q_text(q, "org", p->org);
	int rc = ctm_q_rows(q, 100000, &roots, p->jx->err);
	while (!rc && ctm_json_each(p->state, &it, &role, &v))
		rc = place_targets(p, ctm_repo_body(p->state, role));
	for (size_t i = 0; !rc && i < ctm_json_len(roots); i++)
		rc = place_role(p, "root", ctm_json_geti(ctm_json_at(roots, i), "version", 0), ctm_json_gets(ctm_json_at(roots, i), "digest"));
	for (it = NULL; !rc && ctm_json_each(p->state, &it, &role, &v);)
		if (ctm_streq(ctm_role_type(role), "targets") || ctm_streq(role, "snapshot"))
			rc = place_role(p, role, ctm_json_geti(v, "version", 0), ctm_json_gets(v, "digest"));
	return rc;
}

/* --- what the signer says -------------------------------------------------------------------------------------------------- */

static int ask(struct publishing *p, const char *role, const ctm_json *body, ctm_json *e, struct ctm_err *err)
{
	CTM_AUTO_JSON *req = ctm_json_obj(), *reply = NULL;
	char socket[512];
	if (ctm_json_setf(req, "op", "tuf-%s", role) | ctm_json_sets(req, "repository", p->slug) | ctm_json_set(req, "signed", ctm_json_copy(body)))
		return nomem(err);
	int rc = ctm_signer_call(ctm_app_dir(p->jx->app, "run/signer.sock", socket, sizeof socket), req, CTM_REPO_SIGNER_MS, &reply, err);
	return rc ? rc : ctm_role_put(e, ctm_json_gets(reply, "keyid"), ctm_json_gets(reply, "sig"), err);
}

/* The next version is the second it is made in, or one more than the last: so a platform restored from a backup goes on above what the
 * world has seen from it. The signer may remember a version that this store does not: then the one after it. */
static int sign(struct publishing *p, const char *role, const ctm_json *meta, ctm_json **out)
{
	int64_t version = ctm_json_geti(ctm_json_get(p->state, role), "version", 0), until = ctm_repo_until(p->jx->app, role, p->jx->now_ms);
	if (version < p->jx->now_ms / 1000)
		version = p->jx->now_ms / 1000;
	for (int i = 1;; i++) {
		struct ctm_err err = { 0 };
		ctm_json *body = ctm_role_body(role, version + i, until);
		if (ctm_json_set(body, "meta", ctm_json_copy(meta))) {
			ctm_json_free(body);
			return nomem(p->jx->err);
		}
		CTM_AUTO_JSON *e = ctm_role_envelope(body);
		int rc = ask(p, role, ctm_json_get(e, "signed"), e, &err);
		if (!rc) {
			*out = e;
			e = NULL;
			return 0;
		}
		if (i == TRIES || (!ctm_streq(err.rule, "tuf.content") && !ctm_streq(err.rule, "tuf.version")))
			return ctm_fail(p->jx->err, rc, err.field, err.rule, "%s", err.msg);
	}
}

static int keep(struct ctm_cx *cx, void *arg)
{
	struct publishing *p = arg;
	return ctm_repo_keep(cx->db, p->org, p->put, cx->now_ms, cx->err);
}

/* A new version of an online role about `meta`: signed, judged, kept. */
static int renew(struct publishing *p, const char *role, const ctm_json *meta)
{
	CTM_AUTO_JSON *e = NULL, *rule = NULL, *put = NULL;
	unsigned have = 0, need = 0;
	int rc = sign(p, role, meta, &e);
	if (!rc)
		rc = ctm_role_rule(ctm_repo_body(p->state, "root"), NULL, role, &rule, p->jx->err);
	if (!rc)
		rc = ctm_role_holds(e, role, rule, NULL, &have, &need, p->jx->err);
	if (!rc && have < need)
		rc = ctm_fail(p->jx->err, CTM_E_GUARD, role, NULL, "the root of %s does not name this platform's key for the %s", p->slug, role);
	if (!rc)
		rc = ctm_repo_put(p->jx->app, role, e, &put, p->jx->err);
	if (rc)
		return rc;
	p->put = put;
	if ((rc = ctm_write(p->jx->app, keep, p, p->jx->err)))
		return rc;
	return ctm_json_set(p->state, role, ctm_json_copy(put)) ? nomem(p->jx->err) : 0;
}

static int add_meta(struct publishing *p, const char *role, ctm_json *meta)
{
	const ctm_json *row = ctm_json_get(p->state, role);
	CTM_AUTO_BUF b = { 0 };
	char name[80];
	int rc = ctm_blob_get(ctm_app_blobs(p->jx->app), ctm_json_gets(row, "digest"), CTM_ROLE_MAX, &b, p->jx->err);
	snprintf(name, sizeof name, "%.64s.json", role);
	return rc ? rc : ctm_json_set(meta, name, ctm_role_meta(ctm_json_geti(row, "version", 0), b.p, b.len)) ? nomem(p->jx->err) : 0;
}

/* Renew when what it should say is not what it says, or when its end is near. */
static int bring_up(struct publishing *p, const char *role, const ctm_json *meta)
{
	const ctm_json *body = ctm_repo_body(p->state, role);
	char is[72], should[72];
	int64_t until = ctm_json_geti(ctm_json_get(p->state, role), "expires_ms", 0);
	int rc = ctm_role_digest(meta, should, p->jx->err);
	if (!rc && body)
		rc = ctm_role_digest(ctm_json_get(body, "meta"), is, p->jx->err);
	if (rc)
		return rc;
	return body && !strcmp(is, should) && until - p->jx->now_ms > ctm_repo_renew_ms(p->jx->app, role) ? 0 : renew(p, role, meta);
}

static int snapshot(struct publishing *p)
{
	CTM_AUTO_JSON *meta = ctm_json_obj();
	const char *role;
	const ctm_json *v;
	void *it = NULL;
	int rc = 0;
	while (!rc && ctm_json_each(p->state, &it, &role, &v))
		if (ctm_streq(ctm_role_type(role), "targets"))
			rc = add_meta(p, role, meta);
	return rc ? rc : bring_up(p, "snapshot", meta);
}

static int timestamp(struct publishing *p)
{
	CTM_AUTO_JSON *meta = ctm_json_obj();
	CTM_AUTO_BUF b = { 0 };
	char path[1200];
	int rc = add_meta(p, "snapshot", meta);
	if (!rc)
		rc = bring_up(p, "timestamp", meta);
	if (!rc)
		rc = ctm_blob_get(ctm_app_blobs(p->jx->app), ctm_json_gets(ctm_json_get(p->state, "timestamp"), "digest"), CTM_ROLE_MAX, &b, p->jx->err);
	if (!rc)
		rc = path_of(p, "metadata/timestamp.json", path, sizeof path);
	return rc ? rc : ctm_file_write(path, b.p, b.len, 0644, p->jx->err);
}

static int post_next(struct ctm_cx *cx, void *arg)
{
	struct publishing *p = arg;
	CTM_AUTO_JSON *payload = ctm_json_obj();
	int64_t at = INT64_MAX;
	static const char *const roles[] = { "snapshot", "timestamp" };
	for (size_t i = 0; i < 2; i++) {
		int64_t due = ctm_json_geti(ctm_json_get(p->state, roles[i]), "expires_ms", 0) - ctm_repo_renew_ms(cx->app, roles[i]);
		at = due < at ? due : at;
	}
	return ctm_json_sets(payload, "org_id", p->org) ? nomem(cx->err) : ctm_job_post(cx->db, at, "repo.publish", p->org, payload, cx->err);
}

int ctm_job_repo_publish(struct ctm_jx *jx)
{
	struct publishing p = { .jx = jx, .org = ctm_json_gets(jx->payload, "org_id") };
	int rc = p.org ? ctm_repo_slug(jx->db, p.org, p.slug, jx->err) : ctm_fail(jx->err, CTM_E_INPUT, "org_id", NULL, "the job names no organisation");
	if (!rc)
		rc = ctm_repo_load(jx->app, jx->db, p.org, &p.state, jx->err);
	/* A first root may come before the targets it names. */
	if (!rc && ctm_repo_body(p.state, "root") && ctm_repo_body(p.state, "targets")) {
		if (!(rc = place_all(&p)) && !(rc = snapshot(&p)) && !(rc = place_all(&p)) && !(rc = timestamp(&p)))
			rc = ctm_write(jx->app, post_next, &p, jx->err);
	}
	ctm_json_free(p.state);
	return rc;
}
