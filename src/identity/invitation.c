/* SPDX-License-Identifier: Apache-2.0
 * The use cases and rows of invitations; the mail itself is in invitation_mail.c. */
#include "identity/invitation.h"
#include "identity/invitation_in.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "event/job.h"
#include "identity/factor.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

static int nomem(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

static bool operator_(const struct ctm_cx *cx) { return cx->who->roles & CTM_ROLE_OPERATOR; }

static void purpose_of(const char *id, char out[64]) { snprintf(out, 64, "invitation:%s", id); }

int ctm_invitation_link(struct ctm_app *app, const char *id, const char *sealed, struct ctm_buf *url, struct ctm_err *err)
{
	struct ctm_buf token = CTM_BUF(128);
	CTM_AUTO_VAULT v = { { 0 } };
	char purpose[64];
	purpose_of(id, purpose);
	int rc = ctm_people_vault(app, &v, err);
	rc = rc ? rc : ctm_vault_unseal(&v, purpose, sealed, &token, err);
	if (!rc)
		ctm_buf_printf(url, "%s/invitation?token=%s", ctm_app_public_url(app), ctm_buf_cstr(&token));
	ctm_seal_wipe(&token);
	return rc ? rc : ctm_buf_err(url, "link", err);
}

static int new_token(struct ctm_cx *cx, const char *id, char hash[CTM_DIGEST_MAX], struct ctm_buf *sealed)
{
	CTM_AUTO_VAULT v = { { 0 } };
	char purpose[64], token[CTM_TOKEN_MAX];
	purpose_of(id, purpose);
	int rc = ctm_people_vault(cx->app, &v, cx->err);
	if (rc)
		return rc;
	ctm_token(token);
	ctm_token_hash(token, hash);
	rc = ctm_vault_seal(&v, purpose, token, strlen(token), sealed, cx->err);
	explicit_bzero(token, sizeof token);
	return rc;
}

/* ---- which roles ---- */

static const char *const boxes[] = {
#define X(n, s) s,
	CTM_ROLES(X)
#undef X
};

/* "maker.owner" as the name of a check box: "maker_owner". */
static void box_name(const char *role, char out[40])
{
	ctm_copy(out, 40, role);
	for (char *p = out; *p; p++)
		*p = *p == '.' ? '_' : *p;
}

static int add_role(struct ctm_cx *cx, const char *kind, const char *role, unsigned *bits, char *list, size_t cap)
{
	unsigned bit = ctm_role_bit(role);
	int rc = ctm_role_fits(kind, role, cx->err);
	if (rc || (*bits & bit))
		return rc;
	size_t n = strlen(list);
	if ((size_t)snprintf(list + n, cap - n, "%s%s", n ? "," : "", role) >= cap - n)
		return ctm_fail(cx->err, CTM_E_TOOBIG, "roles", NULL, "too many roles");
	*bits |= bit;
	return 0;
}

/* From the field `roles` ("lab.tester,lab.reviewer") and the check boxes, in the order of the list of roles. */
static int wanted_roles(struct ctm_cx *cx, const char *kind, char list[300])
{
	char one[64];
	unsigned bits = 0;
	int rc = 0;
	*list = 0;
	for (const char *p = ctm_in(cx, "roles"); p && *p && !rc; p += p[0] == ',') {
		size_t n = strcspn(p, ",");
		snprintf(one, sizeof one, "%.*s", (int)n, p);
		rc = add_role(cx, kind, one, &bits, list, 300);
		p += n;
	}
	for (size_t i = 0; i < CTM_ROLE_COUNT && !rc; i++) {
		if (!(ctm_role_bit(boxes[i]) & CTM_SIGNED_IN))
			continue;
		box_name(boxes[i], one);
		if (ctm_streq(ctm_in(cx, one), "1"))
			rc = add_role(cx, kind, boxes[i], &bits, list, 300);
	}
	if (!rc && !bits)
		rc = ctm_fail(cx->err, CTM_E_INPUT, "roles", NULL, "choose at least one role that fits the organisation");
	return rc;
}

/* ---- inviting ---- */

/* The organisation invited for: the asker's own; an operator names any. */
static int organisation(struct ctm_cx *cx, char id[40], char kind[32])
{
	const char *given = ctm_in(cx, "org_id"), *org = given ? given : cx->who->org_id;
	if (!operator_(cx) && !ctm_streq(org, cx->who->org_id))
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "org_id", NULL, "there is no such organisation");
	CTM_AUTO_Q *q = ctm_q(cx->db, "organisation.get");
	ctm_q_text(q, "id", org);
	int rc = ctm_q_one(q, cx->err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "org_id", NULL, "there is no such organisation");
	}
	if (!rc) {
		ctm_copy(id, 40, org);
		ctm_copy(kind, 32, ctm_q_str(q, "kind"));
	}
	return rc;
}

static int room_for_one(struct ctm_cx *cx, const char *org)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "invitation.open");
	ctm_q_text(q, "org", org);
	ctm_q_int(q, "now", cx->now_ms);
	int rc = ctm_q_one(q, cx->err);
	if (!rc && ctm_q_i64(q, "n") >= CTM_INVITATIONS_OPEN)
		rc = ctm_fail(cx->err, CTM_E_GUARD, NULL, NULL, "%d invitations of this organisation are open; revoke some that nobody will use", CTM_INVITATIONS_OPEN);
	return rc;
}

static int told(struct ctm_cx *cx, const char *action, const char *id, const char *was, const char *is)
{
	return ctm_audit_state(cx->db, cx->now_ms, ctm_who_actor(cx->who), action, "invitation", id, was, is, cx->err);
}

static int told_new(struct ctm_cx *cx, const char *id, const char *org, const char *roles)
{
	CTM_AUTO_JSON *after = ctm_json_obj();
	if (ctm_json_sets(after, "org_id", org) | ctm_json_sets(after, "roles", roles) | ctm_json_sets(after, "state", "open"))
		return nomem(cx->err);
	return ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "invitation.add", "invitation", id, NULL, after, cx->err);
}

/* Mail it, or tell the asker that the link is to be handed over. */
static int send(struct ctm_cx *cx, const char *id, bool again, ctm_json *out)
{
	bool mailed = ctm_app_conf_json(cx->app, "mail") != NULL;
	int rc = mailed ? ctm_job_post(cx->db, cx->now_ms, "invitation.mail", id, NULL, cx->err) : 0;
	if (rc)
		return rc;
	cx->location = mailed ? (again ? "/people?notice=invite.sent_again" : "/people?notice=invite.sent") :
		ctm_arena_printf(cx->arena, "/people/invitations/%s", id);
	return ctm_json_sets(out, "id", id) | ctm_json_sets(out, "mail", mailed ? "waiting" : "none") ? nomem(cx->err) : 0;
}

int ctm_uc_invite(struct ctm_cx *cx, ctm_json *out)
{
	char id[CTM_UUID_MAX], org[40], kind[32], roles[300], hash[CTM_DIGEST_MAX];
	CTM_AUTO_BUF sealed = CTM_BUF(400);
	const char *name = ctm_in(cx, "name");
	int rc = organisation(cx, org, kind);
	rc = rc ? rc : wanted_roles(cx, kind, roles);
	rc = rc ? rc : room_for_one(cx, org);
	ctm_uuid7(id);
	rc = rc ? rc : new_token(cx, id, hash, &sealed);
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "invitation.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "hash", hash);
	ctm_q_text(q, "sealed", ctm_buf_cstr(&sealed));
	ctm_q_text(q, "org", org);
	ctm_q_text(q, "name", name ? name : "");
	ctm_q_text(q, "email", ctm_in(cx, "email"));
	ctm_q_text(q, "roles", roles);
	ctm_q_text(q, "by", cx->who->person_id);
	ctm_q_int(q, "now", cx->now_ms);
	ctm_q_int(q, "expires", cx->now_ms + CTM_INVITATION_TTL_MS);
	ctm_q_text(q, "mail", ctm_app_conf_json(cx->app, "mail") ? "waiting" : "none");
	rc = ctm_q_run(q, NULL, cx->err);
	rc = rc ? rc : told_new(cx, id, org, roles);
	return rc ? rc : send(cx, id, false, out);
}

/* One of the asker's: an operator's is any, others' those of their organisation. The statement stays open for the caller. */
static int own(struct ctm_cx *cx, struct ctm_q *q)
{
	ctm_q_text(q, "id", ctm_in(cx, "id"));
	int rc = ctm_q_one(q, cx->err);
	if (rc == CTM_E_NOTFOUND || (!rc && !operator_(cx) && !ctm_streq(ctm_q_str(q, "org_id"), cx->who->org_id))) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such invitation");
	}
	return rc;
}

static int still_open(struct ctm_cx *cx, struct ctm_q *q)
{
	int rc = own(cx, q);
	if (!rc && (!ctm_q_isnull(q, "used_ms") || !ctm_q_isnull(q, "revoked_ms")))
		rc = ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "this invitation was accepted or revoked already");
	return rc;
}

int ctm_uc_invitation_revoke(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id");
	int rc;
	{
		CTM_AUTO_Q *seen = ctm_q(cx->db, "invitation.get");
		if ((rc = still_open(cx, seen)))
			return rc;
	}
	struct ctm_q *q = ctm_q(cx->db, "invitation.revoke");
	ctm_q_text(q, "id", id);
	ctm_q_int(q, "now", cx->now_ms);
	rc = ctm_q_run(q, NULL, cx->err);
	rc = rc ? rc : told(cx, "invitation.revoke", id, "open", "revoked");
	cx->location = "/people?notice=invite.revoked";
	return rc ? rc : ctm_json_setb(out, "revoked", true);
}

/* A new link; the old one ends. */
int ctm_uc_invitation_resend(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id");
	char hash[CTM_DIGEST_MAX];
	CTM_AUTO_BUF sealed = CTM_BUF(400);
	int rc;
	{
		CTM_AUTO_Q *seen = ctm_q(cx->db, "invitation.get");
		if ((rc = still_open(cx, seen)))
			return rc;
	}
	if ((rc = new_token(cx, id, hash, &sealed)))
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "invitation.renew");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "hash", hash);
	ctm_q_text(q, "sealed", ctm_buf_cstr(&sealed));
	ctm_q_int(q, "expires", cx->now_ms + CTM_INVITATION_TTL_MS);
	ctm_q_text(q, "mail", ctm_app_conf_json(cx->app, "mail") ? "waiting" : "none");
	rc = ctm_q_run(q, NULL, cx->err);
	rc = rc ? rc : told(cx, "invitation.resend", id, "an earlier link", "a new link, the earlier one ended");
	return rc ? rc : send(cx, id, true, out);
}

/* ---- looking ---- */

static ctm_json *roles_json(const char *roles)
{
	ctm_json *list = ctm_json_arr();
	char one[64];
	int bad = 0;
	for (const char *p = roles; *p; p += *p == ',') {
		size_t n = strcspn(p, ",");
		snprintf(one, sizeof one, "%.*s", (int)n, p);
		bad |= ctm_json_adds(list, one);
		p += n;
	}
	if (!bad)
		return list;
	ctm_json_free(list);
	return NULL;
}

/* The link to hand over; where it went by mail there is nothing to show. */
int ctm_uc_invitation_page(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "invitation.get");
	CTM_AUTO_BUF url = CTM_BUF(600);
	int rc = still_open(cx, q);
	bool shown = !rc && !ctm_streq(ctm_q_str(q, "mail"), "sent") && !ctm_streq(ctm_q_str(q, "mail"), "waiting") && ctm_q_i64(q, "expires_ms") > cx->now_ms;
	if (shown)
		rc = ctm_invitation_link(cx->app, ctm_q_str(q, "id"), ctm_q_str(q, "sealed"), &url, cx->err);
	if (rc)
		return rc;
	return ctm_json_sets(out, "id", ctm_q_str(q, "id")) | ctm_json_sets(out, "url", shown ? ctm_buf_cstr(&url) : NULL) | ctm_json_sets(out, "email", ctm_q_str(q, "email")) |
		ctm_json_sets(out, "org", ctm_q_str(q, "org")) | ctm_json_set(out, "roles", roles_json(ctm_q_str(q, "roles"))) |
		ctm_json_seti(out, "expires_ms", ctm_q_i64(q, "expires_ms")) | ctm_json_sets(out, "mail", ctm_q_str(q, "mail")) |
		ctm_json_sets(out, "mail_why", ctm_q_str(q, "mail_why")) ? nomem(cx->err) : 0;
}

static int invitations(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *list = ctm_json_arr();
	CTM_AUTO_Q *q = ctm_q(cx->db, "invitation.list");
	ctm_q_text(q, "org", operator_(cx) ? "" : cx->who->org_id);
	ctm_q_int(q, "now", cx->now_ms);
	bool row;
	int rc, bad = 0;
	while (!(rc = ctm_q_step(q, &row, cx->err)) && row) {
		ctm_json *i = ctm_q_row(q);
		bool open = ctm_streq(ctm_q_str(q, "state"), "open"), expired = ctm_streq(ctm_q_str(q, "state"), "expired");
		bad |= ctm_json_set(i, "roles", roles_json(ctm_q_str(q, "roles"))) | ctm_json_setb(i, "open", open || expired) |
			ctm_json_setb(i, "shown", open && (ctm_streq(ctm_q_str(q, "mail"), "none") || ctm_streq(ctm_q_str(q, "mail"), "refused")));
		bad |= ctm_json_add(list, i);
	}
	bad |= ctm_json_set(out, "invitations", list);
	return rc ? rc : bad ? nomem(cx->err) : 0;
}

/* Roles that may be given, by kind of organisation: an operator sees all, others those of their own. */
static int choices(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *list = ctm_json_arr();
	char box[40];
	int bad = 0;
	for (size_t i = 0; i < CTM_ROLE_COUNT; i++) {
		if (!(ctm_role_bit(boxes[i]) & CTM_SIGNED_IN) || (!operator_(cx) && ctm_role_fits(cx->who->org_kind, boxes[i], NULL)))
			continue;
		ctm_json *r = ctm_json_obj();
		box_name(boxes[i], box);
		bad |= ctm_json_sets(r, "role", boxes[i]) | ctm_json_sets(r, "box", box) | ctm_json_setf(r, "kind", "%.*s", (int)strcspn(boxes[i], "."), boxes[i]);
		bad |= ctm_json_add(list, r);
	}
	bad |= ctm_json_set(out, "choices", list);
	return bad ? nomem(cx->err) : 0;
}

int ctm_uc_people_page(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *people = NULL, *orgs = NULL;
	struct ctm_q *q = ctm_q(cx->db, "people.of_org");
	ctm_q_text(q, "org", operator_(cx) ? "" : cx->who->org_id);
	int rc = ctm_q_rows(q, 2000, &people, cx->err);
	if (!rc && ctm_json_set(out, "people", people))
		rc = nomem(cx->err);
	if (!rc && operator_(cx))
		rc = ctm_q_rows(ctm_q(cx->db, "organisation.all"), 1000, &orgs, cx->err);
	if (!rc && (ctm_json_set(out, "organisations", orgs ? orgs : ctm_json_arr()) | ctm_json_setb(out, "operator", operator_(cx)) |
		ctm_json_setb(out, "mailing", ctm_app_conf_json(cx->app, "mail") != NULL)))
		rc = nomem(cx->err);
	rc = rc ? rc : choices(cx, out);
	return rc ? rc : invitations(cx, out);
}

/* ---- accepting ---- */

/* The invitation behind a token, where it can be accepted. */
static int by_token(struct ctm_cx *cx, struct ctm_q *q)
{
	char hash[CTM_DIGEST_MAX];
	const char *token = ctm_in(cx, "token");
	ctm_token_hash(token ? token : "", hash);
	ctm_q_text(q, "hash", hash);
	int rc = ctm_q_one(q, cx->err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "token", NULL, "this invitation is not known, or a newer link took its place; ask for it again");
	}
	if (rc)
		return rc;
	if (!ctm_q_isnull(q, "used_ms"))
		return ctm_fail(cx->err, CTM_E_STATE, "token", NULL, "this invitation was accepted already; sign in");
	if (!ctm_q_isnull(q, "revoked_ms"))
		return ctm_fail(cx->err, CTM_E_STATE, "token", NULL, "this invitation was taken back");
	if (ctm_q_i64(q, "expires_ms") <= cx->now_ms)
		return ctm_fail(cx->err, CTM_E_STATE, "token", NULL, "this invitation is over after seven days; ask for a new one");
	return 0;
}

static int person_of(struct ctm_cx *cx, const char *email, char id[40], bool *there)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "person.by_email");
	ctm_q_text(q, "email", email);
	int rc = ctm_q_step(q, there, cx->err);
	if (rc || !*there)
		return rc;
	if (!ctm_q_isnull(q, "disabled_ms"))
		return ctm_fail(cx->err, CTM_E_GUARD, NULL, NULL, "the account of this mail address was shut; ask the operator of this platform");
	ctm_copy(id, 40, ctm_q_str(q, "id"));
	return 0;
}

int ctm_uc_invitation_look(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "invitation.by_token");
	char id[40] = "";
	bool there = false;
	int rc = by_token(cx, q);
	rc = rc ? rc : person_of(cx, ctm_q_str(q, "email"), id, &there);
	if (rc)
		return rc;
	return ctm_json_sets(out, "token", ctm_in(cx, "token")) | ctm_json_sets(out, "org", ctm_q_str(q, "org")) | ctm_json_sets(out, "email", ctm_q_str(q, "email")) |
		ctm_json_sets(out, "name", ctm_q_str(q, "name")) | ctm_json_sets(out, "inviter", ctm_q_str(q, "inviter")) |
		ctm_json_seti(out, "expires_ms", ctm_q_i64(q, "expires_ms")) | ctm_json_set(out, "roles", roles_json(ctm_q_str(q, "roles"))) |
		ctm_json_setb(out, "known", there) | ctm_json_setb(out, "mine", there && ctm_streq(id, cx->who->person_id)) |
		ctm_json_setb(out, "other", *cx->who->person_id && !(there && ctm_streq(id, cx->who->person_id))) ? nomem(cx->err) : 0;
}

struct invited { char id[40], org[40], email[260], roles[300]; };

static int give_roles(struct ctm_cx *cx, const struct invited *i, const char *person)
{
	char one[64];
	int rc = 0;
	for (const char *p = i->roles; *p && !rc; p += *p == ',') {
		size_t n = strcspn(p, ",");
		snprintf(one, sizeof one, "%.*s", (int)n, p);
		bool has = false;
		CTM_AUTO_Q *q = ctm_q(cx->db, "membership.has");
		ctm_q_text(q, "person", person);
		ctm_q_text(q, "org", i->org);
		ctm_q_text(q, "role", one);
		rc = ctm_q_step(q, &has, cx->err);
		if (!rc && !has)
			rc = ctm_membership_add(cx->db, cx->now_ms, person, person, i->org, one, cx->err);
		p += n;
	}
	return rc;
}

/* Whose roles these become: a new person with the name given, or the known one, who must be the one signed in. */
static int receiver(struct ctm_cx *cx, const struct invited *i, char person[40], bool *made)
{
	bool there = false;
	int rc = person_of(cx, i->email, person, &there);
	*made = !there;
	if (rc)
		return rc;
	if (there && !ctm_streq(person, cx->who->person_id))
		return ctm_fail(cx->err, CTM_E_GUARD, NULL, NULL, "there is an account with this mail address: sign in as its owner, then open the invitation again");
	if (!there && *cx->who->person_id)
		return ctm_fail(cx->err, CTM_E_GUARD, NULL, NULL, "this invitation is for %s, and you are signed in as somebody else; sign out first", i->email);
	if (there)
		return 0;
	const char *name = ctm_in(cx, "name");
	if (!name)
		return ctm_fail(cx->err, CTM_E_INPUT, "name", NULL, "say your name, as colleagues know it");
	return ctm_person_add(cx->db, cx->now_ms, "invitation", name, i->email, person, cx->err);
}

int ctm_uc_invitation_accept(struct ctm_cx *cx, ctm_json *out)
{
	struct invited i;
	char person[40] = "", token[CTM_TOKEN_MAX];
	bool made = false;
	int64_t changed = 0;
	int rc;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "invitation.by_token");
		if ((rc = by_token(cx, q)))
			return rc;
		ctm_copy(i.id, sizeof i.id, ctm_q_str(q, "id"));
		ctm_copy(i.org, sizeof i.org, ctm_q_str(q, "org_id"));
		ctm_copy(i.email, sizeof i.email, ctm_q_str(q, "email"));
		ctm_copy(i.roles, sizeof i.roles, ctm_q_str(q, "roles"));
	}
	if ((rc = receiver(cx, &i, person, &made)))
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "invitation.use");
	ctm_q_text(q, "id", i.id);
	ctm_q_int(q, "now", cx->now_ms);
	rc = ctm_q_run(q, &changed, cx->err);
	if (!rc && !changed)
		rc = ctm_fail(cx->err, CTM_E_STATE, "token", NULL, "this invitation was accepted already; sign in");
	rc = rc ? rc : give_roles(cx, &i, person);
	rc = rc ? rc : ctm_audit_state(cx->db, cx->now_ms, person, "invitation.accept", "invitation", i.id, "open", "accepted", cx->err);
	cx->location = "/account?notice=invite.joined";
	if (rc || !made)
		return rc;
	if ((rc = ctm_session_open(cx, person, i.org, "browser", "invitation", token)))
		return rc;
	if (!(cx->set_session = ctm_arena_dup(cx->arena, token)))
		return nomem(cx->err);
	cx->location = "/account?notice=invite.welcome";
	return 0;
}
