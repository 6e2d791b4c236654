/* SPDX-License-Identifier: Apache-2.0
 *
 * People and their memberships. A role belongs to a kind of organisation ("lab.tester" is given by labs only), so that a
 * maker can never be made a decider by a slip of the operator. A disabled person keeps every line of history, loses every
 * session and every unused link at once.
 */
#include "identity/people.h"
#include "base/text.h"
#include "base/timex.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

const char *ctm_who_actor(const struct ctm_who *who)
{
	if (who->person_id[0])
		return who->person_id;
	return who->device_id[0] ? who->device_id : "anonymous";
}

const char *ctm_who_name(const struct ctm_who *who)
{
	return who->person_name[0] ? who->person_name : "ctm";
}

int ctm_person_add(struct ctm_db *db, int64_t now_ms, const char *actor, const char *name, const char *email, char out_id[CTM_UUID_MAX],
	struct ctm_err *err)
{
	char id[CTM_UUID_MAX];
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(db, "person.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "name", name);
	ctm_q_text(q, "email", email);
	ctm_q_int(q, "now", now_ms);
	int rc = ctm_q_run(q, NULL, err);
	if (rc == CTM_E_EXISTS) {
		ctm_err_clear(err);
		return ctm_fail(err, CTM_E_EXISTS, "email", NULL, "a person with this mail address is already known");
	}
	if (rc)
		return rc;
	CTM_AUTO_JSON *after = ctm_json_obj();
	ctm_json_sets(after, "name", name);
	if ((rc = ctm_audit(db, now_ms, actor, "person.add", "person", id, NULL, after, err)))
		return rc;
	memcpy(out_id, id, sizeof id);
	return 0;
}

/* Which prefix of a role an organisation's kind may give. */
static const struct { const char *kind, *prefix; } gives[] = {
	{ "maker", "maker." }, { "lab", "lab." }, { "cla", "cla." }, { "lead_administrator", "cla." }, { "platform", "platform." },
};

int ctm_role_fits(const char *kind, const char *role, struct ctm_err *err)
{
	unsigned bit = ctm_role_bit(role);
	if (!(bit & CTM_SIGNED_IN))
		return ctm_fail(err, CTM_E_INPUT, "role", NULL, "there is no role \"%.40s\"; see /about/permissions for the list", role);
	for (size_t i = 0; i < sizeof gives / sizeof *gives; i++)
		if (ctm_streq(kind, gives[i].kind) && ctm_starts(role, gives[i].prefix))
			return 0;
	return ctm_fail(err, CTM_E_INPUT, "role", NULL, "an organisation of kind %s cannot give the role %s", kind, role);
}

int ctm_membership_add(struct ctm_db *db, int64_t now_ms, const char *actor, const char *person_id, const char *org_id, const char *role,
	struct ctm_err *err)
{
	int rc;
	char kind[32];
	{
		CTM_AUTO_Q *q = ctm_q(db, "organisation.get");
		ctm_q_text(q, "id", org_id);
		if ((rc = ctm_q_one(q, err))) {
			if (rc == CTM_E_NOTFOUND) {
				ctm_err_clear(err);
				return ctm_fail(err, rc, "org_id", NULL, "there is no such organisation");
			}
			return rc;
		}
		ctm_copy(kind, sizeof kind, ctm_q_str(q, "kind"));
	}
	{
		CTM_AUTO_Q *q = ctm_q(db, "person.get");
		ctm_q_text(q, "id", person_id);
		if ((rc = ctm_q_one(q, err))) {
			if (rc == CTM_E_NOTFOUND) {
				ctm_err_clear(err);
				return ctm_fail(err, rc, "person_id", NULL, "there is no such person");
			}
			return rc;
		}
	}
	if ((rc = ctm_role_fits(kind, role, err)))
		return rc;
	struct ctm_q *q = ctm_q(db, "membership.add");
	ctm_q_text(q, "person", person_id);
	ctm_q_text(q, "org", org_id);
	ctm_q_text(q, "role", role);
	ctm_q_int(q, "now", now_ms);
	if ((rc = ctm_q_run(q, NULL, err))) {
		if (rc != CTM_E_EXISTS)
			return rc;
		ctm_err_clear(err);
		return ctm_fail(err, rc, "role", NULL, "this person already has the role %s there", role);
	}
	CTM_AUTO_JSON *after = ctm_json_obj();
	ctm_json_sets(after, "org_id", org_id);
	ctm_json_sets(after, "role", role);
	return ctm_audit(db, now_ms, actor, "membership.add", "person", person_id, NULL, after, err);
}

int ctm_people_list(struct ctm_db *db, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *list = ctm_json_arr();
	CTM_AUTO_Q *q = ctm_q(db, "person.all");
	bool row;
	int rc;
	while (!(rc = ctm_q_step(q, &row, err)) && row) {
		ctm_json *p = ctm_json_obj(), *ms = NULL;
		ctm_json_sets(p, "id", ctm_q_str(q, "id"));
		ctm_json_sets(p, "name", ctm_q_str(q, "name"));
		ctm_json_sets(p, "email", ctm_q_str(q, "email"));
		ctm_json_setb(p, "disabled", ctm_q_i64(q, "is_disabled"));
		struct ctm_q *m = ctm_q(db, "membership.of_person");
		ctm_q_text(m, "person", ctm_q_str(q, "id"));
		if ((rc = ctm_q_rows(m, 100, &ms, err))) {
			ctm_json_free(p);
			return rc;
		}
		ctm_json_set(p, "memberships", ms);
		if (ctm_json_add(list, p))
			return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	}
	if (rc)
		return rc;
	*out = list;
	list = NULL;
	return 0;
}

int ctm_uc_person_add(struct ctm_cx *cx, ctm_json *out)
{
	char id[CTM_UUID_MAX];
	int rc = ctm_person_add(cx->db, cx->now_ms, ctm_who_actor(cx->who), ctm_in(cx, "name"), ctm_in(cx, "email"), id, cx->err);
	if (rc)
		return rc;
	ctm_json_sets(out, "id", id);
	return ctm_json_sets(out, "name", ctm_in(cx, "name"));
}

int ctm_uc_person_list(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *list = NULL;
	int rc = ctm_people_list(cx->db, &list, cx->err);
	return rc ? rc : ctm_json_set(out, "people", list);
}

int ctm_uc_person_disable(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id");
	if (ctm_streq(id, cx->who->person_id))
		return ctm_fail(cx->err, CTM_E_GUARD, "id", NULL, "you cannot disable yourself; another operator has to do it");
	struct ctm_q *q = ctm_q(cx->db, "person.disable");
	ctm_q_text(q, "id", id);
	ctm_q_int(q, "now", cx->now_ms);
	int64_t changed = 0;
	int rc = ctm_q_run(q, &changed, cx->err);
	if (!rc && !changed)
		rc = ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such person, or the person is disabled already");
	static const char *const ends[] = { "session.revoke_all", "signin.void" };
	for (size_t i = 0; !rc && i < 2; i++) {
		q = ctm_q(cx->db, ends[i]);
		ctm_q_text(q, "person", id);
		ctm_q_int(q, "now", cx->now_ms);
		rc = ctm_q_run(q, NULL, cx->err);
	}
	if (!rc)
		rc = ctm_audit_state(cx->db, cx->now_ms, ctm_who_actor(cx->who), "person.disable", "person", id, "active", "disabled", cx->err);
	return rc ? rc : ctm_json_setb(out, "disabled", true);
}

int ctm_uc_person_link(struct ctm_cx *cx, ctm_json *out)
{
	char token[CTM_TOKEN_MAX], when[CTM_RFC3339_MAX];
	const char *id = ctm_in(cx, "id"), *org = ctm_in(cx, "org_id");
	int64_t expires;
	int rc = ctm_signin_new(cx->db, cx->now_ms, id, org, token, &expires, cx->err);
	if (rc)
		return rc;
	CTM_AUTO_JSON *after = ctm_json_obj();
	ctm_json_sets(after, "org_id", org);
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "signin.link", "person", id, NULL, after, cx->err)))
		return rc;
	ctm_time_rfc3339(expires, when);
	ctm_json_setf(out, "url", "%s/signin?token=%s", ctm_app_public_url(cx->app), token);
	ctm_json_sets(out, "token", token);
	ctm_json_sets(out, "expires", when);
	return ctm_json_seti(out, "expires_ms", expires);
}

int ctm_uc_membership_add(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_membership_add(cx->db, cx->now_ms, ctm_who_actor(cx->who), ctm_in(cx, "person_id"), ctm_in(cx, "org_id"), ctm_in(cx, "role"), cx->err);
	if (rc)
		return rc;
	ctm_json_sets(out, "person_id", ctm_in(cx, "person_id"));
	ctm_json_sets(out, "org_id", ctm_in(cx, "org_id"));
	return ctm_json_sets(out, "role", ctm_in(cx, "role"));
}

int ctm_uc_membership_remove(struct ctm_cx *cx, ctm_json *out)
{
	const char *person = ctm_in(cx, "person_id"), *org = ctm_in(cx, "org_id"), *role = ctm_in(cx, "role");
	if (ctm_streq(person, cx->who->person_id) && ctm_role_bit(role) == CTM_ROLE_OPERATOR)
		return ctm_fail(cx->err, CTM_E_GUARD, "person_id", NULL, "you cannot take the operator's role from yourself; another operator has to do it");
	struct ctm_q *q = ctm_q(cx->db, "membership.remove");
	ctm_q_text(q, "person", person);
	ctm_q_text(q, "org", org);
	ctm_q_text(q, "role", role);
	int64_t changed = 0;
	int rc = ctm_q_run(q, &changed, cx->err);
	if (!rc && !changed)
		rc = ctm_fail(cx->err, CTM_E_NOTFOUND, "role", NULL, "this person does not have that role there");
	if (rc)
		return rc;
	CTM_AUTO_JSON *before = ctm_json_obj();
	ctm_json_sets(before, "org_id", org);
	ctm_json_sets(before, "role", role);
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "membership.remove", "person", person, before, NULL, cx->err)))
		return rc;
	return ctm_json_setb(out, "removed", true);
}
