/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm user: people of the local state directory. Whoever can write the directory is the operator's equal, so no sign-in is
 * asked for; every change is audited as done by the command line.
 */
#include "app/admin.h"
#include "base/text.h"
#include "base/timex.h"
#include "event/timeline.h"
#include "identity/brake.h"
#include "identity/identity.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define ACTOR "ctm user"

static bool has_role(const ctm_json *membership, const char *role)
{
	return !role || ctm_streq(ctm_json_gets(membership, "role"), role);
}

/* First membership that fits: role and organisation may be NULL. */
static const ctm_json *find_membership(const ctm_json *person, const char *role, const char *org)
{
	const ctm_json *list = ctm_json_get(person, "memberships");
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *m = ctm_json_at(list, i);
		if (has_role(m, role) && (!org || ctm_streq(ctm_json_gets(m, "org_id"), org) || ctm_streq(ctm_json_gets(m, "org"), org)))
			return m;
	}
	return NULL;
}

static int make_link(struct ctm_db *db, const char *public_url, const char *person, const char *org, ctm_json **out, struct ctm_err *err)
{
	char token[CTM_TOKEN_MAX], until[CTM_RFC3339_MAX];
	int64_t expires = 0;
	int rc = ctm_tx_begin(db, err);
	if (rc)
		return rc;
	CTM_AUTO_JSON *after = ctm_json_obj();
	rc = ctm_signin_new(db, ctm_now_ms(), person, org, token, &expires, err);
	if (!rc && ctm_json_sets(after, "org_id", org))
		rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the link");
	if (!rc)
		rc = ctm_audit(db, ctm_now_ms(), ACTOR, "signin.link", "person", person, NULL, after, err);
	if (!rc)
		rc = ctm_tx_commit(db, err);
	if (rc) {
		ctm_tx_rollback(db);
		return rc;
	}
	ctm_time_rfc3339(expires, until);
	ctm_json *o = ctm_json_obj();
	if (ctm_json_setf(o, "link", "%s/signin?token=%s", public_url, token) | ctm_json_sets(o, "token", token) | ctm_json_sets(o, "expires", until)) {
		ctm_json_free(o);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the link");
	}
	*out = o;
	return 0;
}

/* Person and membership the words describe: a mail address or id, or the first operator. */
static int find(struct ctm_db *db, const char *who, const char *role, const char *org, ctm_json **people, const ctm_json **person, const ctm_json **m, struct ctm_err *err)
{
	int rc = ctm_people_list(db, people, err);
	bool known = false;
	for (size_t i = 0; i < ctm_json_len(*people) && !rc; i++) {
		const ctm_json *p = ctm_json_at(*people, i);
		if (ctm_json_getb(p, "disabled", false) || (who && !ctm_streq(ctm_json_gets(p, "email"), who) && !ctm_streq(ctm_json_gets(p, "id"), who)))
			continue;
		known = true;
		if ((*m = find_membership(p, role, org))) {
			*person = p;
			return 0;
		}
	}
	if (rc)
		return rc;
	if (known && who)
		return ctm_fail(err, CTM_E_NOTFOUND, "--org", NULL, "%s has no role in that organisation", who);
	return who ? ctm_fail(err, CTM_E_NOTFOUND, "PERSON", NULL, "nobody here has the mail address or id %s; ctm user list shows who is", who) :
		ctm_fail(err, CTM_E_NOTFOUND, "--operator", NULL, "there is no operator yet; ctm init makes one");
}

int admin_operator_link(struct ctm_db *db, const char *public_url, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *people = NULL;
	const ctm_json *person = NULL, *m = NULL;
	int rc = find(db, NULL, "platform.operator", NULL, &people, &person, &m, err);
	return rc ? rc : make_link(db, public_url, ctm_json_gets(person, "id"), ctm_json_gets(m, "org_id"), out, err);
}

struct user { const char *state, *org, *name, *email, *role, *person; bool operator, remove_factors, json; };

static int user_link(const struct user *u, const char *who, struct ctm_db *db, const char *url, struct ctm_err *err)
{
	CTM_AUTO_JSON *people = NULL;
	CTM_AUTO_JSON *link = NULL;
	const ctm_json *person = NULL, *m = NULL;
	if (!who && !u->operator)
		return ctm_fail(err, CTM_E_USAGE, "PERSON", NULL, "say whose link: a mail address, an id, or --operator");
	int rc = find(db, who, u->operator ? "platform.operator" : NULL, u->org, &people, &person, &m, err);
	if (!rc)
		rc = make_link(db, url, ctm_json_gets(person, "id"), ctm_json_gets(m, "org_id"), &link, err);
	if (!rc)
		admin_print_link(link, u->json);
	return rc;
}

static int run_all(struct ctm_db *db, const char *const *statements, size_t n, const char *person, int64_t now_ms, struct ctm_err *err)
{
	int rc = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		struct ctm_q *q = ctm_q(db, statements[i]);
		ctm_q_text(q, "person", person);
		if (now_ms)
			ctm_q_int(q, "now", now_ms);
		rc = ctm_q_run(q, NULL, err);
	}
	return rc;
}

/* Sessions and unused links end and brakes are lifted. What the person signs in with stays, to be looked through afterwards, unless it
 * may be in other hands: then factors says that all of it goes. */
static int shut(struct ctm_db *db, int64_t now_ms, const ctm_json *p, bool factors, struct ctm_err *err)
{
	static const char *const ends[] = { "session.revoke_all", "signin.void" };
	static const char *const removes[] = { "password.remove", "totp.remove_all", "recovery.clear", "passkey.remove_all" };
	const char *person = ctm_json_gets(p, "id");
	int rc = run_all(db, ends, 2, person, now_ms, err);
	rc = rc ? rc : ctm_brake_forget(db, ctm_json_gets(p, "email"), err);
	if (!rc && factors)
		rc = run_all(db, removes, 4, person, 0, err);
	if (!rc)
		rc = ctm_audit_state(db, now_ms, ACTOR, "person.recover", "person", person, "sessions and links open", factors ? "sessions and links ended, all factors removed" :
			"sessions and links ended", err);
	return rc ? rc : ctm_timeline_add(db, now_ms, "person", person, ACTOR, factors ?
		"All sessions and unused links were ended, passkeys, password, app and codes were removed, and a new sign-in link was made on the machine." :
		"All sessions and unused links were ended, and a new sign-in link was made on the machine.", NULL, err);
}

static int user_recover(const struct user *u, struct ctm_db *db, const char *url, struct ctm_err *err)
{
	CTM_AUTO_JSON *people = NULL;
	CTM_AUTO_JSON *link = NULL;
	const ctm_json *person = NULL, *m = NULL;
	if (!u->person)
		return ctm_fail(err, CTM_E_USAGE, "--person", NULL, "usage: ctm user recover --state DIR --person MAIL");
	int rc = find(db, u->person, NULL, u->org, &people, &person, &m, err);
	if (rc || (rc = ctm_tx_begin(db, err)))
		return rc;
	rc = shut(db, ctm_now_ms(), person, u->remove_factors, err);
	if (!rc)
		rc = ctm_tx_commit(db, err);
	if (rc) {
		ctm_tx_rollback(db);
		return rc;
	}
	rc = make_link(db, url, ctm_json_gets(person, "id"), ctm_json_gets(m, "org_id"), &link, err);
	if (!rc)
		admin_print_link(link, u->json);
	return rc;
}

static int org_by_slug(struct ctm_db *db, const char *slug, char out[CTM_UUID_MAX], struct ctm_err *err)
{
	CTM_AUTO_JSON *all = NULL;
	int rc = ctm_q_rows(ctm_q(db, "organisation.all"), 1000, &all, err);
	for (size_t i = 0; i < ctm_json_len(all) && !rc; i++) {
		const ctm_json *o = ctm_json_at(all, i);
		if ((ctm_streq(ctm_json_gets(o, "slug"), slug) || ctm_streq(ctm_json_gets(o, "id"), slug)) && ctm_copy(out, CTM_UUID_MAX, ctm_json_gets(o, "id")))
			return 0;
	}
	return rc ? rc : ctm_fail(err, CTM_E_NOTFOUND, "--org", NULL, "there is no organisation with the short name or id %s", slug);
}

static int user_add(const struct user *u, struct ctm_db *db, struct ctm_err *err)
{
	char org[CTM_UUID_MAX] = "", person[CTM_UUID_MAX] = "";
	if (!u->name || !u->email || !u->org || !u->role)
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "usage: ctm user add --name NAME --email MAIL --org SLUG --role ROLE");
	int rc = ctm_tx_begin(db, err);
	if (rc)
		return rc;
	rc = org_by_slug(db, u->org, org, err);
	if (!rc)
		rc = ctm_person_add(db, ctm_now_ms(), ACTOR, u->name, u->email, person, err);
	if (!rc)
		rc = ctm_membership_add(db, ctm_now_ms(), ACTOR, person, org, u->role, err);
	if (!rc)
		rc = ctm_tx_commit(db, err);
	if (rc) {
		ctm_tx_rollback(db);
		return rc;
	}
	printf(u->json ? "{\"id\": \"%s\"}\n" : "added %s\n", person);
	return 0;
}

static int user_list(const struct user *u, struct ctm_db *db, struct ctm_err *err)
{
	CTM_AUTO_JSON *people = NULL;
	int rc = ctm_people_list(db, &people, err);
	if (rc)
		return rc;
	if (u->json) {
		admin_print_json(people);
		return 0;
	}
	for (size_t i = 0; i < ctm_json_len(people); i++) {
		const ctm_json *p = ctm_json_at(people, i), *ms = ctm_json_get(p, "memberships");
		printf("%s  %s <%s>%s\n", ctm_json_gets(p, "id"), ctm_json_gets(p, "name"), ctm_json_gets(p, "email"), ctm_json_getb(p, "disabled", false) ? "  disabled" : "");
		for (size_t j = 0; j < ctm_json_len(ms); j++)
			printf("    %-20s %s\n", ctm_json_gets(ctm_json_at(ms, j), "role"), ctm_json_gets(ctm_json_at(ms, j), "org"));
	}
	return 0;
}

static int run(const struct user *u, const char *verb, const char *who, struct ctm_err *err)
{
	CTM_AUTO_JSON *conf = NULL;
	struct ctm_db *db = NULL;
	bool list = ctm_streq(verb, "list");
	bool recover = ctm_streq(verb, "recover");
	if (!list && !recover && !ctm_streq(verb, "link") && !ctm_streq(verb, "add"))
		return ctm_fail(err, CTM_E_USAGE, "VERB", NULL, "\"%s\" is none of add, link, list, recover", verb);
	int rc = admin_conf(u->state, &conf, err);
	if (!rc)
		rc = admin_db(u->state, conf, list ? CTM_DB_RO : CTM_DB_RW, &db, err);
	if (rc)
		return rc;
	const char *url = ctm_json_gets(conf, "public_url");
	rc = list ? user_list(u, db, err) : recover ? user_recover(u, db, url, err) : ctm_streq(verb, "add") ? user_add(u, db, err) : user_link(u, who, db, url, err);
	ctm_db_close(db);
	return rc;
}

int admin_user(int argc, char **argv)
{
	struct user u = { .state = "./var" };
	struct ctm_err err = { 0 };
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "State directory (default ./var).", &u.state, NULL },
		{ "operator", NULL, "link: the first operator.", NULL, &u.operator },
		{ "org", "ORG", "add: short name of the organisation; link: in which organisation, where a person has several.", &u.org, NULL },
		{ "name", "NAME", "add: the person's name.", &u.name, NULL },
		{ "email", "MAIL", "add: the person's mail address.", &u.email, NULL },
		{ "role", "ROLE", "add: role in the organisation, such as maker.owner.", &u.role, NULL },
		{ "person", "MAIL", "recover: whose sessions and unused links end, and who gets a new link.", &u.person, NULL },
		{ "remove-factors", NULL, "recover: remove the person's passkeys, password, authenticator app and recovery codes too.", NULL, &u.remove_factors },
		{ "json", NULL, "Print JSON.", NULL, &u.json },
	};
	const struct ctm_cmd cmd = { "user", "add|link|list|recover [PERSON]", "People of this state directory: add one with a role, make a one-time sign-in link, list all, help one who lost every way in.",
		opts, sizeof opts / sizeof *opts, 1, 2 };
	const char *args[2] = { NULL, NULL };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	if (!rc)
		rc = run(&u, args[0], args[1], &err);
	return rc ? ctm_cli_die("user", &err) : 0;
}
