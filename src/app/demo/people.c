/* SPDX-License-Identifier: Apache-2.0
 *
 * The demonstration's cast: the first operator signs in with a link made on the machine, invites organisations and people
 * of demo/cast.json, and each of them signs in with a one-time link.
 */
#include "app/demo/demo.h"
#include "base/text.h"
#include <string.h>

static int token_of_link(struct demo *d, const char *link_token, const char *person)
{
	CTM_AUTO_JSON *in = NULL;
	int rc = demo_call(d, "", "POST", demo_obj("token", link_token, NULL), &in, "/api/v1/signin");
	return rc ? rc : demo_setf(d, ctm_json_gets(in, "token"), "token.%s", person);
}

static int operator(struct demo *d)
{
	CTM_AUTO_BUF out = CTM_BUF(1 << 16);
	CTM_AUTO_JSON *link = NULL;
	const char *argv[] = { "ctm-admin", "user", "link", "--state", d->state_dir, "--operator", "--json", NULL };
	int rc = demo_run(d, 0, 20000, &out, argv);
	if (!rc)
		rc = ctm_json_parse(ctm_buf_cstr(&out), out.len, 1 << 16, "ctm user link", &link, d->err);
	return rc ? rc : token_of_link(d, ctm_json_gets(link, "token"), "operator");
}

static int organisation(struct demo *d, const ctm_json *o)
{
	CTM_AUTO_JSON *made = NULL;
	int rc = demo_call(d, "operator", "POST", ctm_json_copy(o), &made, "/api/v1/organisations");
	return rc ? rc : demo_setf(d, ctm_json_gets(made, "id"), "org.%s", ctm_json_gets(o, "slug"));
}

static int membership(struct demo *d, const char *person_id, const char *org_id, const char *role)
{
	return demo_call(d, "operator", "POST", demo_obj("person_id", person_id, "org_id", org_id, "role", role, NULL), NULL, "/api/v1/memberships");
}

static int link_for(struct demo *d, const char *key, ctm_json **out)
{
	ctm_json *body = demo_obj("org_id", demo_getf(d, "home.%s", key), NULL);
	return demo_call(d, "operator", "POST", body, out, "/api/v1/people/%s/link", demo_getf(d, "person.%s", key));
}

static int person(struct demo *d, const ctm_json *p)
{
	CTM_AUTO_JSON *made = NULL;
	CTM_AUTO_JSON *link = NULL;
	const char *key = ctm_json_gets(p, "key"), *org = demo_getf(d, "org.%s", ctm_json_gets(p, "org"));
	int rc = demo_call(d, "operator", "POST", demo_obj("name", ctm_json_gets(p, "name"), "email", ctm_json_gets(p, "email"), NULL), &made, "/api/v1/people");
	if (!rc)
		rc = demo_setf(d, ctm_json_gets(made, "id"), "person.%s", key);
	if (!rc)
		rc = demo_setf(d, org, "home.%s", key);
	const ctm_json *roles = ctm_json_get(p, "roles");
	for (size_t i = 0; i < ctm_json_len(roles) && !rc; i++)
		rc = membership(d, ctm_json_gets(made, "id"), org, ctm_json_str(ctm_json_at(roles, i)));
	if (!rc)
		rc = link_for(d, key, &link);
	return rc ? rc : token_of_link(d, ctm_json_gets(link, "token"), key);
}

/* The tester gets a second hat, so that the walk can show that the person counts and not the role. */
static int second_hat(struct demo *d)
{
	CTM_AUTO_JSON *link = NULL;
	const char *id = demo_get(d, "person.tester"), *cla = demo_get(d, "org.harborlight");
	int rc = membership(d, id, cla, "cla.decider");
	if (!rc)
		rc = demo_call(d, "operator", "POST", demo_obj("org_id", cla, NULL), &link, "/api/v1/people/%s/link", id);
	return rc ? rc : token_of_link(d, ctm_json_gets(link, "token"), "tester-as-decider");
}

int demo_people(struct demo *d)
{
	CTM_AUTO_JSON *cast = NULL;
	int rc = demo_data_json(d, &cast, "cast.json");
	if (!rc)
		rc = operator(d);
	const ctm_json *orgs = ctm_json_get(cast, "organisations"), *people = ctm_json_get(cast, "people");
	for (size_t i = 0; i < ctm_json_len(orgs) && !rc; i++)
		rc = organisation(d, ctm_json_at(orgs, i));
	for (size_t i = 0; i < ctm_json_len(people) && !rc; i++)
		rc = person(d, ctm_json_at(people, i));
	return rc ? rc : second_hat(d);
}

int demo_links(struct demo *d)
{
	CTM_AUTO_JSON *cast = NULL;
	int rc = demo_data_json(d, &cast, "cast.json");
	if (!rc)
		rc = operator(d);   /* a stopped platform may have outlived the operator's earlier session */
	const ctm_json *people = ctm_json_get(cast, "people");
	for (size_t i = 0; i < ctm_json_len(people) && !rc; i++) {
		CTM_AUTO_JSON *link = NULL;
		rc = link_for(d, ctm_json_gets(ctm_json_at(people, i), "key"), &link);
		if (!rc)
			printf("  %-18s %-14s %s\n", ctm_json_gets(ctm_json_at(people, i), "desk"), ctm_json_gets(ctm_json_at(people, i), "name"),
				ctm_json_gets(link, "url"));
	}
	return rc;
}
