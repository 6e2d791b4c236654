/* SPDX-License-Identifier: Apache-2.0
 *
 * Publishing what is staged and signed, then a snapshot and a timestamp about it, and telling how a repository stands. The order of
 * writing is root, targets, delegated roles, snapshot, timestamp: a client that comes in between sees the old or the new state, never
 * half of one, since nothing names what is not there yet.
 */
#include "app/update.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/signer.h"
#include <stdio.h>
#include <string.h>

#define SIGNER_MS 15000

/* --- online roles ------------------------------------------------------------------------------------------------------ */

/* Through the signer process, which looks at what it signs; or with a key file, for makers who run their own server. */
static int sign_online(const struct repo *r, const char *role, ctm_json *e, struct ctm_err *err)
{
	const char *file = ctm_streq(role, "snapshot") ? repo_opts.snapshot_key : repo_opts.timestamp_key;
	CTM_AUTO_JSON *req = ctm_json_obj(), *reply = NULL;
	CTM_AUTO_KEY *k = NULL;
	if (file) {
		int rc = ctm_key_load(file, &k, err);
		return rc ? rc : ctm_role_sign(e, k, err);
	}
	if (!repo_opts.signer)
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "give --signer SOCKET, or --snapshot-key and --timestamp-key, to sign what the server says");
	int bad = ctm_json_setf(req, "op", "tuf-%s", role) | ctm_json_sets(req, "repository", ctm_json_gets(r->conf, "name")) |
		ctm_json_set(req, "signed", ctm_json_copy(ctm_json_get(e, "signed")));
	int rc = bad ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory") : ctm_signer_call(repo_opts.signer, req, SIGNER_MS, &reply, err);
	return rc ? rc : ctm_role_put(e, ctm_json_gets(reply, "keyid"), ctm_json_gets(reply, "sig"), err);
}

static int add_meta(const struct repo *r, const char *role, ctm_json *meta, struct ctm_err *err)
{
	CTM_AUTO_JSON *e = NULL;
	CTM_AUTO_BUF b = CTM_BUF(CTM_ROLE_MAX);
	char name[80];
	int rc = repo_published(r, role, &e, err);
	if (!rc)
		rc = ctm_role_write(e, &b, err);
	if (rc)
		return rc;
	snprintf(name, sizeof name, "%.64s.json", role);
	rc = ctm_json_set(meta, name, ctm_role_meta(repo_version(r, role), b.p, b.len));
	return rc ? ctm_fail(err, rc, NULL, NULL, "no memory") : 0;
}

static int put_online(struct repo *r, const char *role, ctm_json *meta, struct ctm_err *err)
{
	ctm_json *body = ctm_role_body(role, repo_version(r, role) + 1, repo_until(r, role));
	unsigned have, need;
	if (ctm_json_set(body, "meta", meta)) {
		ctm_json_free(body);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	}
	CTM_AUTO_JSON *e = ctm_role_envelope(body);
	int rc = sign_online(r, role, e, err);
	if (!rc)
		rc = repo_judge(r, role, e, &have, &need, err);
	if (!rc && have < need)
		rc = ctm_fail(err, CTM_E_GUARD, role, NULL, "the key that signed the %s is not one that the root names for it", role);
	if (!rc)
		rc = repo_publish(r, role, e, err);
	if (!rc)
		printf("%s version %lld, until %s\n", role, (long long)repo_version(r, role), ctm_json_gets(ctm_json_get(e, "signed"), "expires"));
	return rc;
}

static bool soon(const struct repo *r, const char *role)
{
	CTM_AUTO_JSON *e = NULL;
	int64_t until;
	return repo_published(r, role, &e, NULL) || !e || ctm_time_parse(ctm_json_gets(ctm_json_get(e, "signed"), "expires"), &until) ||
		until - r->now_ms < repo_renew_ms(r, role);
}

static int put_snapshot(struct repo *r, struct ctm_err *err)
{
	const ctm_json *versions = ctm_json_get(r->conf, "versions"), *v;
	ctm_json *meta = ctm_json_obj();
	const char *role;
	void *it = NULL;
	int rc = 0;
	while (!rc && ctm_json_each(versions, &it, &role, &v))
		if (ctm_streq(ctm_role_type(role), "targets"))
			rc = add_meta(r, role, meta, err);
	if (rc) {
		ctm_json_free(meta);
		return rc;
	}
	return put_online(r, "snapshot", meta, err);
}

static int put_timestamp(struct repo *r, struct ctm_err *err)
{
	ctm_json *meta = ctm_json_obj();
	int rc = add_meta(r, "snapshot", meta, err);
	if (rc) {
		ctm_json_free(meta);
		return rc;
	}
	return put_online(r, "timestamp", meta, err);
}

/* --- publish ----------------------------------------------------------------------------------------------------------- */

static int ready(const struct repo *r, const ctm_json *roles, struct ctm_err *err)
{
	for (size_t i = 0; i < ctm_json_len(roles); i++) {
		const char *role = ctm_json_str(ctm_json_at(roles, i));
		CTM_AUTO_JSON *e = NULL;
		unsigned have, need;
		int rc = repo_staged(r, role, &e, err);
		if (!rc)
			rc = repo_judge(r, role, e, &have, &need, err);
		if (rc)
			return rc;
		if (have < need)
			return ctm_fail(err, CTM_E_STATE, role, NULL, "%s is signed by %u of %u keys; nothing was published. ctm update repo prepare makes the file to carry to the others",
				role, have, need);
	}
	return 0;
}

/* What is published and not staged must still be signed as the staged parents ask. */
static int others_hold(const struct repo *r, struct ctm_err *err)
{
	const ctm_json *versions = ctm_json_get(r->conf, "versions"), *v;
	const char *role;
	void *it = NULL;
	while (ctm_json_each(versions, &it, &role, &v)) {
		CTM_AUTO_JSON *e = NULL;
		unsigned have = 0, need = 0;
		if (ctm_streq(role, "root") || !ctm_streq(ctm_role_type(role), "targets"))
			continue;
		int rc = repo_now(r, role, &e, err);
		if (!rc)
			rc = repo_judge(r, role, e, &have, &need, err);
		if (rc)
			return rc;
		if (have < need)
			return ctm_fail(err, CTM_E_STATE, role, NULL, "the keys of %s changed: ctm update repo renew --role %s, and have it signed with them, before publishing", role, role);
	}
	return 0;
}

int repo_publish_verb(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	CTM_AUTO_JSON *roles = NULL;
	int rc = repo_open(&r, repo_opts.dir, err);
	if (!rc)
		rc = repo_staged_roles(&r, &roles, err);
	if (!rc)
		rc = ready(&r, roles, err);
	if (!rc)
		rc = others_hold(&r, err);
	for (size_t i = 0; !rc && i < ctm_json_len(roles); i++) {
		const char *role = ctm_json_str(ctm_json_at(roles, i));
		CTM_AUTO_JSON *e = NULL;
		if ((rc = repo_staged(&r, role, &e, err)) || (rc = repo_publish(&r, role, e, err)) || (rc = repo_unstage(&r, role, err)))
			break;
		printf("%s version %lld, until %s\n", role, (long long)repo_version(&r, role), ctm_json_gets(ctm_json_get(e, "signed"), "expires"));
	}
	if (!rc && (ctm_json_len(roles) || soon(&r, "snapshot")))
		rc = put_snapshot(&r, err);
	return rc ? rc : put_timestamp(&r, err);
}

/* --- status ------------------------------------------------------------------------------------------------------------ */

static int tell(const struct repo *r, const char *role, bool staged, ctm_json *rows, struct ctm_err *err)
{
	CTM_AUTO_JSON *e = NULL;
	ctm_json *o = ctm_json_obj();
	unsigned have = 0, need = 0;
	int64_t until = 0;
	int rc = staged ? repo_staged(r, role, &e, err) : repo_published(r, role, &e, err);
	const ctm_json *b = ctm_json_get(e, "signed");
	if (!rc && staged)
		rc = repo_judge(r, role, e, &have, &need, err);
	if (!rc)
		rc = ctm_time_parse(ctm_json_gets(b, "expires"), &until) ? ctm_fail(err, CTM_E_INPUT, role, NULL, "%s has no moment at which it expires", role) : 0;
	const char *state = staged ? have >= need ? "to be published" : "to be signed" : until <= r->now_ms ? "expired" :
		until - r->now_ms < repo_renew_ms(r, role) ? "renew soon" : "published";
	int bad = ctm_json_sets(o, "role", role) | ctm_json_seti(o, "version", ctm_json_geti(b, "version", 0)) |
		ctm_json_sets(o, "expires", ctm_json_gets(b, "expires")) | ctm_json_sets(o, "state", state);
	if (staged)
		bad |= ctm_json_seti(o, "signed_by", have) | ctm_json_seti(o, "threshold", need);
	if (ctm_json_add(rows, o) | bad)
		rc = rc ? rc : ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	return rc;
}

static void print_rows(const ctm_json *rows)
{
	for (size_t i = 0; i < ctm_json_len(rows); i++) {
		const ctm_json *o = ctm_json_at(rows, i);
		printf("%-20s %6lld  %s  %s", ctm_json_gets(o, "role"), (long long)ctm_json_geti(o, "version", 0), ctm_json_gets(o, "expires"), ctm_json_gets(o, "state"));
		if (ctm_json_get(o, "threshold"))
			printf(" (%lld of %lld signatures)", (long long)ctm_json_geti(o, "signed_by", 0), (long long)ctm_json_geti(o, "threshold", 0));
		putchar('\n');
	}
}

int repo_status(const char **args, struct ctm_err *err)
{
	REPO_AUTO r = { 0 };
	CTM_AUTO_JSON *roles = NULL, *out = ctm_json_obj();
	CTM_AUTO_BUF text = CTM_BUF(1 << 20);
	ctm_json *rows = ctm_json_arr();
	const ctm_json *v;
	const char *role;
	void *it = NULL;
	int rc = repo_open(&r, repo_opts.dir, err);
	if (!rc)
		rc = repo_staged_roles(&r, &roles, err);
	while (!rc && ctm_json_each(ctm_json_get(r.conf, "versions"), &it, &role, &v))
		rc = tell(&r, role, false, rows, err);
	for (size_t i = 0; !rc && i < ctm_json_len(roles); i++)
		rc = tell(&r, ctm_json_str(ctm_json_at(roles, i)), true, rows, err);
	int bad = ctm_json_sets(out, "repository", ctm_json_gets(r.conf, "name"));
	bad |= ctm_json_set(out, "roles", rows);
	if (rc || bad)
		return rc ? rc : ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	if (!repo_opts.json) {
		print_rows(rows);
		return 0;
	}
	if ((rc = ctm_json_pretty(out, &text)))
		return ctm_fail(err, rc, NULL, NULL, "the output could not be written");
	fwrite(text.p, 1, text.len, stdout);
	return 0;
}
