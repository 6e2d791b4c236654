/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time links and sessions. A link lives 15 minutes and works once: the UPDATE that marks it used is the only gate, so
 * two simultaneous posts of one link give one session. A session lives 12 hours; a browser's slides while it is used, a
 * program's does not. Whoever reads the database learns no token: SHA-256 of 32 random bytes is all that is kept.
 */
#include "identity/people.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include "store/audit.h"
#include <string.h>

/* Last use (and with it the end of a browser's session) is written back at most this often. */
#define RENEW_AFTER_MS (10 * 60 * 1000LL)

void ctm_token_hash(const char *token, char out[72])
{
	ctm_digest_of(token, strlen(token), out);
}

int ctm_signin_new(struct ctm_db *db, int64_t now_ms, const char *person_id, const char *org_id, char out_token[CTM_TOKEN_MAX],
	int64_t *expires_ms, struct ctm_err *err)
{
	int rc;
	bool row = false;
	{
		CTM_AUTO_Q *q = ctm_q(db, "membership.roles");
		ctm_q_text(q, "person", person_id);
		ctm_q_text(q, "org", org_id);
		if ((rc = ctm_q_step(q, &row, err)))
			return rc;
	}
	if (!row)
		return ctm_fail(err, CTM_E_NOTFOUND, "org_id", NULL, "this person has no role in that organisation; give one first");
	{
		CTM_AUTO_Q *q = ctm_q(db, "person.get");
		ctm_q_text(q, "id", person_id);
		if ((rc = ctm_q_one(q, err)))
			return rc;
		if (!ctm_q_isnull(q, "disabled_ms"))
			return ctm_fail(err, CTM_E_NOTFOUND, "id", NULL, "this person has been disabled");
	}
	char token[CTM_TOKEN_MAX], hash[CTM_DIGEST_MAX];
	ctm_token(token);
	ctm_token_hash(token, hash);
	struct ctm_q *q = ctm_q(db, "signin.add");
	ctm_q_text(q, "hash", hash);
	ctm_q_text(q, "person", person_id);
	ctm_q_text(q, "org", org_id);
	ctm_q_int(q, "expires", now_ms + CTM_SIGNIN_TTL_MS);
	if ((rc = ctm_q_run(q, NULL, err)))
		return rc;
	memcpy(out_token, token, sizeof token);
	*expires_ms = now_ms + CTM_SIGNIN_TTL_MS;
	return 0;
}

/* Roles of a person in one organisation as bits; unknown names in the table count for nothing. */
static int roles_of(struct ctm_db *db, const char *person, const char *org, unsigned *out, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "membership.roles");
	ctm_q_text(q, "person", person);
	ctm_q_text(q, "org", org);
	unsigned bits = 0;
	bool row;
	int rc;
	while (!(rc = ctm_q_step(q, &row, err)) && row)
		bits |= ctm_role_bit(ctm_q_str(q, "role")) & CTM_SIGNED_IN;
	if (!rc)
		*out = bits;
	return rc;
}

int ctm_session_find(struct ctm_db *db, int64_t now_ms, const char *token, const char *kind, struct ctm_who *who, bool *renew, struct ctm_err *err)
{
	char hash[CTM_DIGEST_MAX];
	if (!token || strlen(token) >= 128)
		return ctm_fail(err, CTM_E_AUTH, NULL, NULL, "sign in first");
	ctm_token_hash(token, hash);
	CTM_AUTO_Q *q = ctm_q(db, "session.find");
	ctm_q_text(q, "hash", hash);
	int rc = ctm_q_one(q, err);
	if (rc == CTM_E_NOTFOUND || (!rc && (!ctm_q_isnull(q, "revoked_ms") || !ctm_q_isnull(q, "disabled_ms") || !ctm_streq(ctm_q_str(q, "kind"), kind)))) {
		ctm_err_clear(err);
		return ctm_fail(err, CTM_E_AUTH, NULL, NULL, "this session has ended; sign in again");
	}
	if (rc)
		return rc;
	if (!ctm_time_holds(ctm_q_i64(q, "expires_ms"), now_ms, CTM_SESSION_TTL_MS))
		return ctm_fail(err, CTM_E_EXPIRED, NULL, NULL, "this session is over after 12 hours; sign in again");
	struct ctm_who w = { 0 };
	if ((rc = roles_of(db, ctm_q_str(q, "person_id"), ctm_q_str(q, "org_id"), &w.roles, err)))
		return rc;
	if (!w.roles)
		return ctm_fail(err, CTM_E_AUTH, NULL, NULL, "you no longer have a role in this organisation");
	ctm_copy(w.person_id, sizeof w.person_id, ctm_q_str(q, "person_id"));
	ctm_copy(w.person_name, sizeof w.person_name, ctm_q_str(q, "person"));
	ctm_copy(w.org_id, sizeof w.org_id, ctm_q_str(q, "org_id"));
	ctm_copy(w.org_kind, sizeof w.org_kind, ctm_q_str(q, "org_kind"));
	ctm_copy(w.org_name, sizeof w.org_name, ctm_q_str(q, "org"));
	ctm_copy(w.session_id, sizeof w.session_id, ctm_q_str(q, "id"));
	ctm_copy(w.csrf, sizeof w.csrf, ctm_q_str(q, "csrf"));
	ctm_copy(w.zone, sizeof w.zone, ctm_q_str(q, "zone"));
	*renew = now_ms - ctm_q_i64(q, "seen_ms") > RENEW_AFTER_MS;
	*who = w;
	return 0;
}

int ctm_session_renew(struct ctm_db *db, int64_t now_ms, const char *session_id, struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "session.renew");
	ctm_q_text(q, "id", session_id);
	ctm_q_int(q, "now", now_ms);
	ctm_q_int(q, "expires", now_ms + CTM_SESSION_TTL_MS);
	return ctm_q_run(q, NULL, err);
}

/* What a browser says it is, fit for a row: printable ASCII, bounded. */
static void agent_text(const char *agent, char out[201])
{
	size_t n = 0;
	for (; agent && *agent && n < 200; agent++)
		if (*agent >= ' ' && *agent <= '~')
			out[n++] = *agent;
	out[n] = 0;
}

/* When the asker of this request last proved who they are; 0 without a session that is open. */
static int auth_time(struct ctm_cx *cx, int64_t *out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "session.auth_any");
	ctm_q_text(q, "id", cx->who->session_id);
	bool row = false;
	int rc = ctm_q_step(q, &row, cx->err);
	*out = !rc && row ? ctm_q_i64(q, "auth_ms") : 0;
	return rc;
}

int ctm_session_fresh(struct ctm_cx *cx, bool *fresh)
{
	int64_t at = 0;
	int rc = auth_time(cx, &at);
	*fresh = !rc && cx->now_ms - at <= CTM_FRESH_MS;
	return rc;
}

int ctm_session_must_be_fresh(struct ctm_cx *cx)
{
	bool fresh = false;
	int rc = ctm_session_fresh(cx, &fresh);
	if (!rc && !fresh)
		rc = ctm_fail(cx->err, CTM_E_GUARD, NULL, NULL, "this changes how you sign in, and you signed in more than ten minutes ago; sign in again first");
	return rc;
}

int ctm_session_open(struct ctm_cx *cx, const char *person, const char *org, const char *kind, const char *how, char token_out[CTM_TOKEN_MAX])
{
	char id[CTM_UUID_MAX], token[CTM_TOKEN_MAX], csrf[CTM_TOKEN_MAX], hash[CTM_DIGEST_MAX], agent[201];
	ctm_uuid7(id);
	ctm_token(token);
	ctm_token(csrf);
	ctm_token_hash(token, hash);
	agent_text(cx->agent, agent);
	int64_t auth = cx->now_ms;
	int rc = ctm_streq(how, "switch") ? auth_time(cx, &auth) : 0;
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "session.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "hash", hash);
	ctm_q_text(q, "person", person);
	ctm_q_text(q, "org", org);
	ctm_q_text(q, "csrf", csrf);
	ctm_q_text(q, "kind", kind);
	ctm_q_text(q, "agent", agent);
	ctm_q_text(q, "how", how);
	ctm_q_int(q, "now", cx->now_ms);
	ctm_q_int(q, "expires", cx->now_ms + CTM_SESSION_TTL_MS);
	ctm_q_int(q, "auth", auth);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	CTM_AUTO_JSON *after = ctm_json_obj();
	ctm_json_sets(after, "org_id", org);
	ctm_json_sets(after, "kind", kind);
	ctm_json_sets(after, "how", how);
	ctm_audit_for(cx->db, org);
	if ((rc = ctm_audit(cx->db, cx->now_ms, person, "session.open", "session", id, NULL, after, cx->err)))
		return rc;
	memcpy(token_out, token, sizeof token);
	return 0;
}

int ctm_session_open_browser(struct ctm_cx *cx, const char *person, const char *how)
{
	char token[CTM_TOKEN_MAX], org[40];
	int rc;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "session.org_last");
		ctm_q_text(q, "person", person);
		if ((rc = ctm_q_one(q, cx->err))) {
			if (rc != CTM_E_NOTFOUND)
				return rc;
			ctm_err_clear(cx->err);
			return ctm_fail(cx->err, CTM_E_GUARD, NULL, NULL, "you have no role in any organisation now; the operator can give you one");
		}
		ctm_copy(org, sizeof org, ctm_q_str(q, "org_id"));
	}
	if ((rc = ctm_session_open(cx, person, org, "browser", how, token)))
		return rc;
	if (!(cx->set_session = ctm_arena_dup(cx->arena, token)))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	cx->location = "/";
	return 0;
}

void ctm_signin_next(struct ctm_cx *cx)
{
	if (ctm_streq(ctm_in(cx, "next"), "account"))
		cx->location = "/account";
}

/* Burn the link and open a session of `kind`. token_out: the session's token. */
static int signin(struct ctm_cx *cx, const char *link, const char *kind, char token_out[CTM_TOKEN_MAX], char org_out[40], char person_out[40])
{
	char hash[CTM_DIGEST_MAX], person[40], org[40];
	int rc;
	ctm_token_hash(link, hash);
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "signin.get");
		ctm_q_text(q, "hash", hash);
		if ((rc = ctm_q_one(q, cx->err))) {
			if (rc != CTM_E_NOTFOUND)
				return rc;
			ctm_err_clear(cx->err);
			return ctm_fail(cx->err, CTM_E_AUTH, "token", NULL, "this sign-in link is not known; ask for a new one");
		}
		if (!ctm_q_isnull(q, "used_ms"))
			return ctm_fail(cx->err, CTM_E_AUTH, "token", NULL, "this sign-in link has been used already; a link works once, ask for a new one");
		if (!ctm_time_holds(ctm_q_i64(q, "expires_ms"), cx->now_ms, CTM_SIGNIN_TTL_MS))
			return ctm_fail(cx->err, CTM_E_EXPIRED, "token", NULL, "this sign-in link is over after 15 minutes; ask for a new one");
		ctm_copy(person, sizeof person, ctm_q_str(q, "person_id"));
		ctm_copy(org, sizeof org, ctm_q_str(q, "org_id"));
	}
	struct ctm_q *q = ctm_q(cx->db, "signin.use");
	ctm_q_text(q, "hash", hash);
	ctm_q_int(q, "now", cx->now_ms);
	int64_t changed = 0;
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_AUTH, "token", NULL, "this sign-in link has been used already; ask for a new one");
	if ((rc = ctm_session_open(cx, person, org, kind, "link", token_out)))
		return rc;
	memcpy(org_out, org, sizeof org);
	memcpy(person_out, person, sizeof person);
	return 0;
}

int ctm_uc_signin_page(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json_sets(out, "next", ctm_in(cx, "next"));
	return ctm_json_sets(out, "token", ctm_in(cx, "token"));
}

int ctm_uc_signin_browser(struct ctm_cx *cx, ctm_json *out)
{
	char token[CTM_TOKEN_MAX], org[40], person[40];
	int rc = signin(cx, ctm_in(cx, "token"), "browser", token, org, person);
	if (rc)
		return rc;
	if (!(cx->set_session = ctm_arena_dup(cx->arena, token)))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	CTM_AUTO_Q *q = ctm_q(cx->db, "passkey.count");
	ctm_q_text(q, "person", person);
	if ((rc = ctm_q_one(q, cx->err)))
		return rc;
	cx->location = ctm_q_i64(q, "n") ? "/" : "/?notice=signin.make_passkey";
	return 0;
}

int ctm_uc_signin_api(struct ctm_cx *cx, ctm_json *out)
{
	char token[CTM_TOKEN_MAX], org[40], person[40], when[CTM_RFC3339_MAX];
	int rc = signin(cx, ctm_in(cx, "token"), "api", token, org, person);
	if (rc)
		return rc;
	ctm_time_rfc3339(cx->now_ms + CTM_SESSION_TTL_MS, when);
	ctm_json_sets(out, "token", token);
	ctm_json_sets(out, "expires", when);
	ctm_json_seti(out, "expires_ms", cx->now_ms + CTM_SESSION_TTL_MS);
	ctm_json_sets(out, "person_id", person);
	return ctm_json_sets(out, "org_id", org);
}

int ctm_uc_signout(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_q *q = ctm_q(cx->db, "session.revoke");
	ctm_q_text(q, "id", cx->who->session_id);
	ctm_q_int(q, "now", cx->now_ms);
	int rc = ctm_q_run(q, NULL, cx->err);
	if (!rc)
		rc = ctm_audit_state(cx->db, cx->now_ms, ctm_who_actor(cx->who), "session.close", "session", cx->who->session_id,
			"open", "closed", cx->err);
	if (rc)
		return rc;
	cx->set_session = "";
	cx->location = "/";
	return ctm_json_setb(out, "signed_out", true);
}

int ctm_uc_me(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *person = ctm_json_obj(), *org = ctm_json_obj(), *roles = ctm_json_arr(), *session = NULL;
	ctm_json_sets(person, "id", cx->who->person_id);
	ctm_json_sets(person, "name", cx->who->person_name);
	ctm_json_sets(org, "id", cx->who->org_id);
	ctm_json_sets(org, "kind", cx->who->org_kind);
	ctm_json_sets(org, "name", cx->who->org_name);
	for (unsigned i = 0; i < CTM_ROLE_COUNT; i++)
		if (cx->who->roles & (1u << i))
			ctm_json_adds(roles, ctm_role_name(1u << i));
	ctm_json_set(out, "person", person);
	ctm_json_set(out, "organisation", org);
	ctm_json_set(out, "roles", roles);
	CTM_AUTO_Q *q = ctm_q(cx->db, "session.get");
	ctm_q_text(q, "id", cx->who->session_id);
	int rc = ctm_q_one(q, cx->err);
	if (rc)
		return rc;
	session = ctm_q_row(q);
	return ctm_json_set(out, "session", session);
}

struct renewal { const char *session_id; };

static int renew_write(struct ctm_cx *cx, void *arg)
{
	const struct renewal *r = arg;
	return ctm_session_renew(cx->db, cx->now_ms, r->session_id, cx->err);
}

int ctm_identity_authorise(struct ctm_app *app, struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *out, struct ctm_err *err)
{
	struct ctm_who who = { .roles = CTM_ROLE_ANON };
	const char *token = ident->bearer ? ident->bearer : ident->cookie;
	if (token) {
		bool renew = false;
		int rc = ctm_session_find(ro, ctm_now_ms(), token, ident->bearer ? "api" : "browser", &who, &renew, err);
		/* A stale cookie is what a returning visitor has: they are nobody, and public pages stay open to them. */
		if (!ident->bearer && (rc == CTM_E_AUTH || rc == CTM_E_EXPIRED)) {
			ctm_err_clear(err);
			memset(&who, 0, sizeof who);
			who.roles = CTM_ROLE_ANON;
			rc = 0;
		}
		if (rc)
			return rc;
		if (renew) {
			struct renewal r = { who.session_id };
			struct ctm_err ignored = { 0 };    /* a session that could not be lengthened is still good now */
			if (ctm_write(app, renew_write, &r, &ignored))
				ctm_err_clear(&ignored);
		}
	}
	*out = who;
	return 0;
}
