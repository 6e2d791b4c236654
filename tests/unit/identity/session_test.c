/* SPDX-License-Identifier: Apache-2.0
 *
 * Sign-in: one-time links, sessions, roles (IR 8425 IAC; issue 2, bad input: expired sessions, unknown roles).
 */
#include "cx.h"
#include "base/text.h"
#include "identity/identity.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct ctm_routes *const tables[] = { &ctm_identity_routes, NULL };
static struct cxkit k;
static struct ctm_who operator_, tester;

static int setup(void **state)
{
	cxkit_open(&k, tables);
	operator_ = cxkit_person(&k, "platform.operator", "");
	tester = cxkit_person(&k, "lab.tester", "");
	return 0;
}

static int teardown(void **state)
{
	cxkit_close(&k);
	return 0;
}

/* A one-time link for the tester, by the operator. */
static void link_token(char out[64])
{
	CTM_AUTO_JSON *link = cxkit_good(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/people/{id}/link", IN("id", tester.person_id, "org_id", tester.org_id) });
	assert_true(ctm_copy(out, 64, ctm_json_gets(link, "token")));
	assert_non_null(strstr(ctm_json_gets(link, "url"), out));
}

static struct cxcall api_signin(const char *const *in)
{
	return (struct cxcall){ "POST", "/api/v1/signin", in };
}

static void api_session(char out[64])
{
	char token[64];
	link_token(token);
	struct cxcall c = api_signin(IN("token", token));
	CTM_AUTO_JSON *s = cxkit_good(&k, &cxkit_nobody, &c);
	assert_true(ctm_copy(out, 64, ctm_json_gets(s, "token")));
}

static void link_works_once(void **state)
{
	char token[64];
	link_token(token);
	struct cxcall c = api_signin(IN("token", token));
	ctm_json_free(cxkit_good(&k, &cxkit_nobody, &c));
	cxkit_bad(&k, &cxkit_nobody, &c, CTM_E_AUTH);
}

static void link_lives_fifteen_minutes(void **state)
{
	char token[64];
	link_token(token);
	struct cxcall c = api_signin(IN("token", token));
	k.now_ms += CTM_SIGNIN_TTL_MS;
	cxkit_bad(&k, &cxkit_nobody, &c, CTM_E_EXPIRED);
	k.now_ms -= 1;
	ctm_json_free(cxkit_good(&k, &cxkit_nobody, &c));
}

static void unknown_link_is_refused(void **state)
{
	struct cxcall c = api_signin(IN("token", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
	cxkit_bad(&k, &cxkit_nobody, &c, CTM_E_AUTH);
}

static void looking_at_the_page_does_not_use_the_link(void **state)
{
	char token[64];
	link_token(token);
	ctm_json_free(cxkit_good(&k, &cxkit_nobody, &(struct cxcall){ "GET", "/signin", IN("token", token) }));
	struct cxcall c = api_signin(IN("token", token));
	ctm_json_free(cxkit_good(&k, &cxkit_nobody, &c));
}

static void session_says_who(void **state)
{
	char token[64];
	struct ctm_who who;
	struct ctm_err err = { 0 };
	bool renew = true;
	api_session(token);
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, token, "api", &who, &renew, &err), 0);
	assert_string_equal(who.person_id, tester.person_id);
	assert_string_equal(who.org_id, tester.org_id);
	assert_int_equal(who.roles, CTM_ROLE_LAB_TESTER);
	assert_false(renew);
}

static void session_ends_after_twelve_hours(void **state)
{
	char token[64];
	struct ctm_who who = { 0 };
	struct ctm_err err = { 0 };
	bool renew;
	api_session(token);
	assert_int_equal(ctm_session_find(k.ro, k.now_ms + CTM_SESSION_TTL_MS, token, "api", &who, &renew, &err), CTM_E_EXPIRED);
	ctm_err_clear(&err);                                   /* opened by a clock that stood a day ahead: not had for a day more */
	assert_int_equal(ctm_session_find(k.ro, k.now_ms - 86400000, token, "api", &who, &renew, &err), CTM_E_EXPIRED);
	assert_int_equal(who.roles, 0);
}

static void cookie_is_no_bearer_token(void **state)
{
	char token[64];
	struct ctm_who who;
	struct ctm_err err = { 0 };
	bool renew;
	link_token(token);
	assert_int_equal(cxkit_call(&k, &cxkit_nobody, &(struct cxcall){ "POST", "/signin", IN("token", token) }, NULL), 0);
	assert_string_equal(k.location, "/?notice=signin.make_passkey");
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, k.set_session, "browser", &who, &renew, &err), 0);
	assert_true(who.csrf[0]);
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, k.set_session, "api", &who, &renew, &err), CTM_E_AUTH);
}

static int renew_in_write(struct ctm_cx *cx, void *arg)
{
	const struct ctm_who *who = arg;
	return ctm_session_renew(cx->db, k.now_ms, who->session_id, cx->err);
}

static void browser_session_slides(void **state)
{
	char token[64], cookie[64];
	struct ctm_who who;
	struct ctm_err err = { 0 };
	bool renew = false;
	link_token(token);
	assert_int_equal(cxkit_call(&k, &cxkit_nobody, &(struct cxcall){ "POST", "/signin", IN("token", token) }, NULL), 0);
	ctm_copy(cookie, sizeof cookie, k.set_session);
	k.now_ms += CTM_SESSION_TTL_MS - 1000;
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, cookie, "browser", &who, &renew, &err), 0);
	assert_true(renew);
	assert_int_equal(ctm_write(k.app, renew_in_write, &who, &err), 0);
	k.now_ms += 2000;
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, cookie, "browser", &who, &renew, &err), 0);
	k.now_ms -= CTM_SESSION_TTL_MS + 1000;
}

static void signing_out_ends_the_session(void **state)
{
	char token[64];
	struct ctm_who who;
	struct ctm_err err = { 0 };
	bool renew;
	api_session(token);
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, token, "api", &who, &renew, &err), 0);
	ctm_json_free(cxkit_good(&k, &who, &(struct cxcall){ "POST", "/api/v1/signout" }));
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, token, "api", &who, &renew, &err), CTM_E_AUTH);
}

static void disabling_a_person_ends_everything_at_once(void **state)
{
	char session[64], link[64];
	struct ctm_who who;
	struct ctm_err err = { 0 };
	bool renew;
	api_session(session);
	link_token(link);
	ctm_json_free(cxkit_good(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/people/{id}/disable", IN("id", tester.person_id) }));
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, session, "api", &who, &renew, &err), CTM_E_AUTH);
	struct cxcall c = api_signin(IN("token", link));
	cxkit_bad(&k, &cxkit_nobody, &c, CTM_E_AUTH);
	cxkit_bad(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/people/{id}/link", IN("id", tester.person_id, "org_id", tester.org_id) }, CTM_E_NOTFOUND);
	tester = cxkit_person(&k, "lab.tester", "");
}

static void operator_cannot_disable_themself(void **state)
{
	cxkit_bad(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/people/{id}/disable", IN("id", operator_.person_id) }, CTM_E_GUARD);
}

static void only_the_operator_makes_organisations_and_people(void **state)
{
	cxkit_bad(&k, &tester, &(struct cxcall){ "POST", "/api/v1/people", IN("name", "A", "email", "a@example.org") }, CTM_E_FORBIDDEN);
	cxkit_bad(&k, &cxkit_nobody, &(struct cxcall){ .method = "POST", .path = "/api/v1/organisations", .json = "{}" }, CTM_E_AUTH);
}

static void organisation_is_checked_strictly(void **state)
{
	static const struct { const char *json; int code; } bad[] = {
		{ "{\"kind\":\"lab\",\"name\":\"X\",\"slug\":\"x\",\"boss\":1}", CTM_E_INPUT },
		{ "{\"kind\":\"bank\",\"name\":\"X\",\"slug\":\"x\"}", CTM_E_INPUT },
		{ "{\"kind\":\"platform\",\"name\":\"X\",\"slug\":\"x\"}", CTM_E_INPUT },
		{ "{\"kind\":\"lab\",\"name\":\"X\",\"slug\":\"X y\"}", CTM_E_INPUT },
		{ "{\"kind\":\"lab\",\"name\":\"a\\nb\",\"slug\":\"x\"}", CTM_E_INPUT },
		{ "{\"kind\":\"lab\",\"name\":\"X\",\"slug\":\"x\",\"facts\":[]}", CTM_E_INPUT },
		{ "{\"kind\":\"lab\",\"kind\":\"cla\",\"name\":\"X\",\"slug\":\"x\"}", CTM_E_SYNTAX },
		{ "[]", CTM_E_INPUT },
	};
	int64_t before = cxkit_count(&k, "home.counts", NULL, NULL, "organisations");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cxkit_bad(&k, &operator_, &(struct cxcall){ .method = "POST", .path = "/api/v1/organisations", .json = bad[i].json }, bad[i].code);
	assert_int_equal(cxkit_count(&k, "home.counts", NULL, NULL, "organisations"), before);
}

static void role_must_fit_the_organisation(void **state)
{
	cxkit_bad(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/memberships", IN("person_id", tester.person_id, "org_id", tester.org_id, "role", "cla.decider") }, CTM_E_INPUT);
	cxkit_bad(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/memberships", IN("person_id", tester.person_id, "org_id", tester.org_id, "role", "lab.king") }, CTM_E_INPUT);
	cxkit_bad(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/memberships", IN("person_id", tester.person_id, "org_id", tester.org_id, "role", "anonymous") }, CTM_E_INPUT);
	cxkit_bad(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/memberships", IN("person_id", tester.person_id, "org_id", tester.org_id, "role", "lab.tester") }, CTM_E_EXISTS);
}

static void a_role_taken_away_is_gone_with_the_next_request(void **state)
{
	char token[64];
	struct ctm_who who;
	struct ctm_err err = { 0 };
	bool renew;
	struct cxcall c = { "POST", "/api/v1/memberships/remove", IN("person_id", tester.person_id, "org_id", tester.org_id, "role", "lab.tester") };
	api_session(token);
	ctm_json_free(cxkit_good(&k, &operator_, &c));
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, token, "api", &who, &renew, &err), CTM_E_AUTH);
	cxkit_bad(&k, &operator_, &c, CTM_E_NOTFOUND);
	cxkit_bad(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/memberships/remove", IN("person_id", operator_.person_id, "org_id", operator_.org_id, "role", "platform.operator") }, CTM_E_GUARD);
	ctm_json_free(cxkit_good(&k, &operator_, &(struct cxcall){ "POST", "/api/v1/memberships", IN("person_id", tester.person_id, "org_id", tester.org_id, "role", "lab.tester") }));
}

static void makers_do_not_see_other_makers(void **state)
{
	struct ctm_who maker = cxkit_person(&k, "maker.owner", ""), other = cxkit_person(&k, "maker.owner", "");
	CTM_AUTO_JSON *out = cxkit_good(&k, &maker, &(struct cxcall){ "GET", "/api/v1/organisations" });
	const ctm_json *list = ctm_json_get(out, "organisations");
	bool me = false;
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		assert_string_not_equal(ctm_json_gets(ctm_json_at(list, i), "id"), other.org_id);
		me |= ctm_streq(ctm_json_gets(ctm_json_at(list, i), "id"), maker.org_id);
	}
	assert_true(me);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(link_works_once), cmocka_unit_test(link_lives_fifteen_minutes), cmocka_unit_test(unknown_link_is_refused),
		cmocka_unit_test(looking_at_the_page_does_not_use_the_link), cmocka_unit_test(session_says_who), cmocka_unit_test(session_ends_after_twelve_hours),
		cmocka_unit_test(cookie_is_no_bearer_token), cmocka_unit_test(browser_session_slides), cmocka_unit_test(signing_out_ends_the_session),
		cmocka_unit_test(disabling_a_person_ends_everything_at_once), cmocka_unit_test(operator_cannot_disable_themself),
		cmocka_unit_test(only_the_operator_makes_organisations_and_people), cmocka_unit_test(organisation_is_checked_strictly),
		cmocka_unit_test(role_must_fit_the_organisation), cmocka_unit_test(a_role_taken_away_is_gone_with_the_next_request),
		cmocka_unit_test(makers_do_not_see_other_makers),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
