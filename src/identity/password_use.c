/* SPDX-License-Identifier: Apache-2.0
 *
 * Sign-in with mail address, password and code. The attempt is counted in a write of its own before it is judged (identity/brake.h); the
 * judging runs in `prepare`, on a worker, and takes as long for an account that does not exist. Which of the three was wrong is not said.
 * What may be used once (a step of the app, a recovery code) is taken by the UPDATE of the use case, so two posts at once give one session.
 */
#include "base/text.h"
#include "identity/brake.h"
#include "identity/factor.h"
#include "identity/totp.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

static int refused(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_VERIFY, NULL, NULL, "mail address, password or code is not right; a code counts once");
}

/* This machine itself is a proxy that names nobody: then the address says nothing. */
static const char *address_of(const struct ctm_cx *cx)
{
	return ctm_starts(cx->remote, "127.") || ctm_streq(cx->remote, "::1") ? "" : cx->remote;
}

static int take(struct ctm_cx *cx, void *arg)
{
	struct ctm_cx *asked = arg;
	cx->now_ms = asked->now_ms;
	return ctm_brake_take(cx, ctm_in(asked, "email"), address_of(asked));
}

struct found { char id[40], email[260]; bool there; };

static int find(struct ctm_cx *cx, struct found *f)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "person.by_email");
	ctm_q_text(q, "email", ctm_in(cx, "email"));
	bool row = false;
	int rc = ctm_q_step(q, &row, cx->err);
	f->there = !rc && row && ctm_q_isnull(q, "disabled_ms") && ctm_copy(f->id, sizeof f->id, ctm_q_str(q, "id"));
	if (f->there)
		ctm_copy(f->email, sizeof f->email, ctm_q_str(q, "email"));
	return rc;
}

/* The app's code of this moment. *step stays -1 when it is none. */
static int try_totp(struct ctm_cx *cx, const char *person, const struct ctm_totp *t, const char *code, int64_t *step)
{
	uint8_t key[CTM_TOTP_KEY];
	int64_t at = -1;
	int rc = ctm_totp_secret(cx, person, t->sealed, key);
	if (rc)
		return rc;
	if (ctm_totp_fits(key, sizeof key, cx->now_ms, code, &at) && at > t->step)
		*step = at;
	explicit_bzero(key, sizeof key);
	return 0;
}

/* A recovery code that is open. hash stays "" when it is none. */
static int try_recovery(struct ctm_cx *cx, const char *person, const char *code, char hash[CTM_CODE_HASH_MAX])
{
	char salt[CTM_CODE_SALT_MAX], got[CTM_CODE_HASH_MAX];
	bool row = false;
	int rc;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "recovery.salt");
		ctm_q_text(q, "person", person);
		if ((rc = ctm_q_step(q, &row, cx->err)) || !row || !ctm_copy(salt, sizeof salt, ctm_q_str(q, "salt")))
			return rc;
	}
	if ((rc = ctm_code_hash(salt, code, strlen(code), got, cx->err)))
		return rc;
	CTM_AUTO_Q *q = ctm_q(cx->db, "recovery.open");
	ctm_q_text(q, "person", person);
	ctm_q_text(q, "hash", got);
	if (!(rc = ctm_q_step(q, &row, cx->err)) && row)
		memcpy(hash, got, sizeof got);
	return rc;
}

struct verdict { bool good, second; int64_t step; char hash[CTM_CODE_HASH_MAX]; };

static int judge(struct ctm_cx *cx, const struct found *f, struct ctm_password *p, struct verdict *v)
{
	const char *word = ctm_in(cx, "password"), *typed = ctm_in(cx, "code");
	struct ctm_totp t = { .set = false };
	char code[64];
	int rc = f->there ? ctm_password_of(cx, f->id, p) : 0;
	rc = rc || !f->there ? rc : ctm_totp_of(cx, f->id, "active", &t);
	if (rc)
		return rc;
	bool right = ctm_pwhash_is(p->set ? p->hash : ctm_pwhash_nobody(), word, strlen(word)) && p->set;
	ctm_recovery_plain(typed ? typed : "", code);
	v->step = -1;
	if (t.set && *code && strspn(code, "0123456789") == strlen(code) && strlen(code) == 6)
		rc = try_totp(cx, f->id, &t, code, &v->step);
	else if (t.set && *code)
		rc = try_recovery(cx, f->id, code, v->hash);
	v->second = t.set;
	v->good = right && (!t.set || v->step >= 0 || *v->hash);
	return rc;
}

int ctm_prepare_password_signin(struct ctm_cx *cx)
{
	struct found f = { .there = false };
	struct ctm_password p = { .set = false };
	struct verdict v = { .good = false };
	int rc = ctm_write(cx->app, take, cx, cx->err);
	rc = rc ? rc : find(cx, &f);
	rc = rc ? rc : judge(cx, &f, &p, &v);
	if (rc)
		return rc;
	if (!v.good)
		return refused(cx->err);
	if (!v.second && ctm_second_factor_required(cx))
		return ctm_fail(cx->err, CTM_E_GUARD, NULL, NULL,
			"a password alone signs nobody in here; sign in with a passkey or a one-time link and add an authenticator app on your account page");
	cx->prepared = ctm_json_obj();
	if (ctm_json_sets(cx->prepared, "person", f.id) | ctm_json_sets(cx->prepared, "email", f.email) | ctm_json_sets(cx->prepared, "password", p.hash) |
		ctm_json_seti(cx->prepared, "step", v.step) | ctm_json_sets(cx->prepared, "recovery", v.hash))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	return 0;
}

/* One UPDATE that must hit its row, else the attempt was not good after all. */
static int taken(struct ctm_cx *cx, struct ctm_q *q)
{
	int64_t changed = 0;
	int rc = ctm_q_run(q, &changed, cx->err);
	return rc ? rc : changed ? 0 : refused(cx->err);
}

static int use_second(struct ctm_cx *cx, const char *person)
{
	int64_t step = ctm_json_geti(cx->prepared, "step", -1);
	const char *hash = ctm_json_gets(cx->prepared, "recovery");
	if (step < 0 && !(hash && *hash))
		return 0;
	struct ctm_q *q = ctm_q(cx->db, step >= 0 ? "totp.used" : "recovery.use");
	ctm_q_text(q, "person", person);
	ctm_q_int(q, "now", cx->now_ms);
	if (step >= 0)
		ctm_q_int(q, "step", step);
	else
		ctm_q_text(q, "hash", hash);
	int rc = taken(cx, q);
	if (!rc && step < 0)
		rc = ctm_audit_state(cx->db, cx->now_ms, person, "recovery.use", "person", person, "a code open", "that code used", cx->err);
	return rc;
}

int ctm_uc_password_signin(struct ctm_cx *cx, ctm_json *out)
{
	const char *person = ctm_json_gets(cx->prepared, "person");
	bool recovery = *ctm_json_gets(cx->prepared, "recovery") != 0;
	struct ctm_q *q = ctm_q(cx->db, "password.used");
	ctm_q_text(q, "person", person);
	ctm_q_text(q, "hash", ctm_json_gets(cx->prepared, "password"));
	ctm_q_int(q, "now", cx->now_ms);
	int rc = taken(cx, q);
	rc = rc ? rc : use_second(cx, person);
	rc = rc ? rc : ctm_brake_good(cx, person, ctm_json_gets(cx->prepared, "email"), address_of(cx));
	rc = rc ? rc : ctm_session_open_browser(cx, person, recovery ? "recovery" : "password");
	if (rc)
		return rc;
	if (recovery)
		cx->location = "/account?notice=signin.recovery_used";
	ctm_signin_next(cx);
	return 0;
}
