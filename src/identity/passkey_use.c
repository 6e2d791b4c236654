/* SPDX-License-Identifier: Apache-2.0
 *
 * Passkeys as use cases: asking (a challenge that lives five minutes), registering, signing in, naming, removing.
 *
 * The challenge is taken from its table in a write of its own, before anything is verified: an answer that fails costs its
 * challenge too, and an answer sent twice finds none. Verification runs in `prepare`, on a worker. The signature counter is
 * compared and moved by one UPDATE; a counter that does not move on (a copied authenticator) is refused and audited.
 * Challenges for sign-in are asked for by anybody, so their number is limited and the old ones are swept by the next asker.
 */
#include "identity/passkey.h"
#include "identity/people.h"
#include "base/text.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define CHALLENGE_TTL_MS (5 * 60 * 1000LL)
#define CHALLENGES_MAX 10000           /* open at a time; a flood is answered with 503 and costs no more rows */
#define NAME_MAX_BYTES 64       /* a line of at most 60 bytes */
#define PASSKEYS_MAX 20                /* per person */

static int nomem(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

/* ---- asking ---- */

static int challenge_new(struct ctm_cx *cx, const char *purpose, const char *person, ctm_json *out)
{
	char value[CTM_TOKEN_MAX];
	struct ctm_passkey_rp rp;
	int rc = ctm_passkey_rp(ctm_app_public_url(cx->app), &rp, cx->err);
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "challenge.purge");
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	{
		CTM_AUTO_Q *n = ctm_q(cx->db, "challenge.count");
		if ((rc = ctm_q_one(n, cx->err)))
			return rc;
		if (ctm_q_i64(n, "n") >= CHALLENGES_MAX)
			return ctm_fail(cx->err, CTM_E_BUSY, NULL, NULL, "too many sign-ins are under way; try again in a few minutes");
	}
	ctm_token(value);
	q = ctm_q(cx->db, "challenge.add");
	ctm_q_text(q, "value", value);
	ctm_q_text(q, "purpose", purpose);
	ctm_q_text(q, "person", person);
	ctm_q_int(q, "expires", cx->now_ms + CHALLENGE_TTL_MS);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	ctm_json_sets(out, "challenge", value);
	ctm_json_sets(out, "rp_id", rp.id);
	return ctm_json_seti(out, "timeout_ms", CHALLENGE_TTL_MS);
}

int ctm_uc_challenge_get(struct ctm_cx *cx, ctm_json *out)
{
	return challenge_new(cx, "get", "", out);
}

int ctm_uc_challenge_create(struct ctm_cx *cx, ctm_json *out)
{
	const struct ctm_who *who = cx->who;
	ctm_json *user = ctm_json_obj(), *known = ctm_json_arr(), *algs = ctm_json_arr();
	CTM_AUTO_Q *q = ctm_q(cx->db, "passkey.of");
	ctm_q_text(q, "person", who->person_id);
	bool row;
	int rc, bad = 0;
	while (!(rc = ctm_q_step(q, &row, cx->err)) && row)
		bad |= ctm_json_adds(known, ctm_q_str(q, "credential"));
	CTM_AUTO_Q *p = ctm_q(cx->db, "person.get");
	ctm_q_text(p, "id", who->person_id);
	rc = rc ? rc : ctm_q_one(p, cx->err);
	bad |= ctm_json_sets(user, "id", who->person_id) | ctm_json_sets(user, "name", rc ? "" : ctm_q_str(p, "email")) | ctm_json_sets(user, "display_name", who->person_name);
	bad |= ctm_json_add(algs, ctm_json_newi(CTM_PASSKEY_ES256)) | ctm_json_add(algs, ctm_json_newi(CTM_PASSKEY_EDDSA));
	bad |= ctm_json_set(out, "user", user) | ctm_json_set(out, "exclude", known) | ctm_json_set(out, "algorithms", algs) | ctm_json_sets(out, "rp_name", "ctm");
	if (rc || bad)
		return rc ? rc : nomem(cx->err);
	return challenge_new(cx, "create", who->person_id, out);
}

/* ---- answers ---- */

struct take { const char *value, *purpose, *person; int64_t now_ms; };

static int take_challenge(struct ctm_cx *cx, void *arg)
{
	const struct take *t = arg;
	struct ctm_q *q = ctm_q(cx->db, "challenge.take");
	ctm_q_text(q, "value", t->value);
	ctm_q_text(q, "purpose", t->purpose);
	ctm_q_text(q, "person", t->person);
	ctm_q_int(q, "now", t->now_ms);
	int64_t taken = 0;
	int rc = ctm_q_run(q, &taken, cx->err);
	if (!rc && !taken)
		rc = ctm_fail(cx->err, CTM_E_VERIFY, "client_data", "WebAuthn 13.4.3", "this request to the passkey was answered already or is older than five minutes; try again");
	return rc;
}

static int unpack(struct ctm_cx *cx, const char *field, struct ctm_buf *b)
{
	const char *s = ctm_in(cx, field);
	int rc = ctm_unb64url(s, strlen(s), b);
	return rc ? ctm_fail(cx->err, CTM_E_SYNTAX, field, "RFC 4648", "%s is not base64url", field) : 0;
}

static struct ctm_passkey_bytes bytes_of(const struct ctm_buf *b)
{
	return (struct ctm_passkey_bytes){ b->p ? b->p : "", b->len };
}

/* Client data judged, and its challenge taken. */
static int open_client(struct ctm_cx *cx, const struct ctm_passkey_rp *rp, bool create, struct ctm_buf *client)
{
	char challenge[64];
	int rc = unpack(cx, "client_data", client);
	if (!rc)
		rc = ctm_passkey_client(rp, create ? "webauthn.create" : "webauthn.get", bytes_of(client), challenge, cx->err);
	if (rc)
		return rc;
	struct take t = { challenge, create ? "create" : "get", create ? cx->who->person_id : "", cx->now_ms };
	return ctm_write(cx->app, take_challenge, &t, cx->err);
}

int ctm_prepare_passkey_add(struct ctm_cx *cx)
{
	CTM_AUTO_BUF client = CTM_BUF(8192), att = CTM_BUF(32768), id = CTM_BUF(2048);
	struct ctm_passkey_rp rp;
	struct ctm_passkey_new k;
	char key[129];
	int rc = ctm_session_must_be_fresh(cx);
	rc = rc ? rc : ctm_passkey_rp(ctm_app_public_url(cx->app), &rp, cx->err);
	if (!rc)
		rc = unpack(cx, "attestation", &att);
	if (!rc)
		rc = open_client(cx, &rp, true, &client);
	if (!rc)
		rc = ctm_passkey_verify_new(&rp, bytes_of(&client), bytes_of(&att), &k, cx->err);
	if (rc)
		return rc;
	ctm_hex(k.key.key, k.key.key_n, key);
	ctm_b64url(&id, k.id, k.id_n);
	if (!(cx->prepared = ctm_json_obj()))
		return nomem(cx->err);
	ctm_json_sets(cx->prepared, "credential", ctm_buf_cstr(&id));
	ctm_json_sets(cx->prepared, "key", key);
	ctm_json_seti(cx->prepared, "alg", k.key.alg);
	return ctm_json_seti(cx->prepared, "count", k.count);
}

static int room_for_one(struct ctm_cx *cx)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "passkey.count");
	ctm_q_text(q, "person", cx->who->person_id);
	int rc = ctm_q_one(q, cx->err);
	if (!rc && ctm_q_i64(q, "n") >= PASSKEYS_MAX)
		rc = ctm_fail(cx->err, CTM_E_GUARD, NULL, NULL, "you have %d passkeys already; remove one that you no longer use first", PASSKEYS_MAX);
	return rc;
}

/* A line about the person's passkey: what it was called, what it is called; NULL where it was not, or is no more. */
static int told(struct ctm_cx *cx, const char *action, const char *id, const char *was, const char *is)
{
	CTM_AUTO_JSON *before = was ? ctm_json_obj() : NULL, *after = is ? ctm_json_obj() : NULL;
	if ((was && (ctm_json_sets(before, "passkey", id) || ctm_json_sets(before, "name", was))) ||
	    (is && (ctm_json_sets(after, "passkey", id) || ctm_json_sets(after, "name", is))))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	return ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), action, "person", cx->who->person_id, before, after, cx->err);
}

int ctm_uc_passkey_add(struct ctm_cx *cx, ctm_json *out)
{
	char id[CTM_UUID_MAX];
	const ctm_json *p = cx->prepared;
	int rc = room_for_one(cx);
	if (rc)
		return rc;
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(cx->db, "passkey.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "person", cx->who->person_id);
	ctm_q_text(q, "credential", ctm_json_gets(p, "credential"));
	ctm_q_int(q, "alg", ctm_json_geti(p, "alg", 0));
	ctm_q_text(q, "key", ctm_json_gets(p, "key"));
	ctm_q_int(q, "count", ctm_json_geti(p, "count", 0));
	ctm_q_text(q, "name", ctm_in(cx, "name"));
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err)) == CTM_E_EXISTS) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "attestation", "WebAuthn 7.1", "this passkey is known already; sign in with it");
	}
	if (!rc)
		rc = told(cx, "passkey.add", id, NULL, ctm_in(cx, "name"));
	if (rc)
		return rc;
	cx->location = "/account?notice=account.passkey_made";
	return ctm_json_sets(out, "id", id);
}

/* ---- sign-in ---- */

struct known { char id[40], person[40]; struct ctm_passkey_key key; int64_t count; };

static int find_passkey(struct ctm_cx *cx, struct known *k)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "passkey.find");
	ctm_q_text(q, "credential", ctm_in(cx, "credential"));
	int rc = ctm_q_one(q, cx->err);
	if (rc == CTM_E_NOTFOUND || (!rc && !ctm_q_isnull(q, "disabled_ms"))) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_VERIFY, "credential", NULL, "this passkey is not known here; use another one, or ask the operator for a sign-in link");
	}
	if (rc)
		return rc;
	const char *hex = ctm_q_str(q, "public_key");
	size_t n = strlen(hex);
	if (n > 2 * sizeof k->key.key || ctm_unhex(hex, n, k->key.key))
		return ctm_fail(cx->err, CTM_E_FAIL, "public_key", NULL, "the stored key of this passkey is damaged");
	k->key.key_n = n / 2;
	k->key.alg = (int)ctm_q_i64(q, "alg");
	k->count = ctm_q_i64(q, "sign_count");
	ctm_copy(k->id, sizeof k->id, ctm_q_str(q, "id"));
	ctm_copy(k->person, sizeof k->person, ctm_q_str(q, "person_id"));
	return 0;
}

struct copied { const struct known *k; int64_t count, now_ms; };

static int tell_copied(struct ctm_cx *cx, void *arg)
{
	const struct copied *c = arg;
	CTM_AUTO_JSON *after = ctm_json_obj();
	ctm_json_sets(after, "passkey", c->k->id);
	ctm_json_seti(after, "counter_kept", c->k->count);
	ctm_json_seti(after, "counter_given", c->count);
	return ctm_audit(cx->db, c->now_ms, "anonymous", "passkey.copied", "person", c->k->person, NULL, after, cx->err);
}

static int counter_refused(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_VERIFY, "auth_data", "WebAuthn 7.2", "this passkey counted backwards, so a copy of it may exist; sign in another way and remove it from your account");
}

int ctm_prepare_passkey_signin(struct ctm_cx *cx)
{
	CTM_AUTO_BUF client = CTM_BUF(8192), auth = CTM_BUF(4096), sig = CTM_BUF(2048), handle = CTM_BUF(128);
	struct ctm_passkey_rp rp;
	struct known k = { .count = 0 };
	uint32_t count = 0;
	int rc = ctm_passkey_rp(ctm_app_public_url(cx->app), &rp, cx->err);
	if (!rc)
		rc = unpack(cx, "auth_data", &auth);
	if (!rc)
		rc = unpack(cx, "signature", &sig);
	if (!rc)
		rc = unpack(cx, "user_handle", &handle);
	if (!rc)
		rc = open_client(cx, &rp, false, &client);
	if (!rc)
		rc = find_passkey(cx, &k);
	if (!rc && !ctm_streq(ctm_buf_cstr(&handle), k.person))
		rc = ctm_fail(cx->err, CTM_E_VERIFY, "user_handle", "WebAuthn 7.2", "the passkey names another person than the one it was made for");
	if (!rc)
		rc = ctm_passkey_verify_use(&rp, &k.key, bytes_of(&client), bytes_of(&auth), bytes_of(&sig), &count, cx->err);
	if (rc)
		return rc;
	if ((count || k.count) && count <= k.count) {
		struct copied c = { &k, count, cx->now_ms };
		return (rc = ctm_write(cx->app, tell_copied, &c, cx->err)) ? rc : counter_refused(cx->err);
	}
	if (!(cx->prepared = ctm_json_obj()))
		return nomem(cx->err);
	ctm_json_sets(cx->prepared, "id", k.id);
	ctm_json_sets(cx->prepared, "person", k.person);
	return ctm_json_seti(cx->prepared, "count", count);
}

int ctm_uc_passkey_signin(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_q *q = ctm_q(cx->db, "passkey.used");
	ctm_q_text(q, "id", ctm_json_gets(cx->prepared, "id"));
	ctm_q_int(q, "count", ctm_json_geti(cx->prepared, "count", 0));
	ctm_q_int(q, "now", cx->now_ms);
	int64_t moved = 0;
	int rc = ctm_q_run(q, &moved, cx->err);
	if (!rc && !moved)       /* removed, or used elsewhere with a later counter, since prepare looked */
		rc = counter_refused(cx->err);
	rc = rc ? rc : ctm_session_open_browser(cx, ctm_json_gets(cx->prepared, "person"), "passkey");
	if (!rc)
		ctm_signin_next(cx);
	return rc;
}

/* ---- one's own ---- */

static int name_of(struct ctm_cx *cx, const char *id, char was[NAME_MAX_BYTES])
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "passkey.name");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "person", cx->who->person_id);
	int rc = ctm_q_one(q, cx->err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "id", NULL, "you have no such passkey");
	}
	if (!rc)
		ctm_copy(was, NAME_MAX_BYTES, ctm_q_str(q, "name"));
	return rc;
}

static int own(struct ctm_cx *cx, const char *statement, const char *action, const char *name, ctm_json *out)
{
	char was[NAME_MAX_BYTES];
	int rc = name_of(cx, ctm_in(cx, "id"), was);
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, statement);
	ctm_q_text(q, "id", ctm_in(cx, "id"));
	ctm_q_text(q, "person", cx->who->person_id);
	if (name)
		ctm_q_text(q, "name", name);
	if (!(rc = ctm_q_run(q, NULL, cx->err)))
		rc = told(cx, action, ctm_in(cx, "id"), was, name);
	if (rc)
		return rc;
	cx->location = name ? "/account?notice=account.passkey_renamed" : "/account?notice=account.passkey_removed";
	return ctm_json_sets(out, "id", ctm_in(cx, "id"));
}

int ctm_uc_passkey_rename(struct ctm_cx *cx, ctm_json *out) { return own(cx, "passkey.rename", "passkey.rename", ctm_in(cx, "name"), out); }

int ctm_uc_passkey_remove(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_session_must_be_fresh(cx);
	return rc ? rc : own(cx, "passkey.remove", "passkey.remove", NULL, out);
}
