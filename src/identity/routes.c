/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of identity. What the pages get (`out` of each use case; *_ms are milliseconds UTC, absent things are null):
 *
 * "identity/signin" (GET /signin?token=&next=)   {token|null, next|null}      a link preview must not burn the token: the page shows one
 *      button which posts it; POST /signin {token} answers with the cookie and goes to "/"
 *
 * "identity/account" (GET /account)        {name, email, others:bool, sessions:[{id, kind, device, how, org, created_ms, seen_ms, expires_ms, this:bool}],
 *      passkeys:[{id, name, created_ms, used_ms|null}], organisations:[{id, name, kind}] (others to work for),
 *      fresh:bool (signed in within ten minutes: factors may be changed), required:bool (a password needs a code beside it), least (characters),
 *      password:null|{set_ms, used_ms|null, short:bool (not enough without the app)}, totp:null|{made_ms, used_ms|null}, recovery:null|{open, made_ms},
 *      zone ("" for the platform's), zone_default, zones:[name], now_ms}
 *
 * "identity/authenticator" (GET /account/authenticator)   {secret, address}      beside the picture /account/authenticator/qr
 *
 * "identity/recovery" (answer of POST /account/recovery, never again)   {codes:[text], person, made_ms}
 *
 * "identity/home" (GET /)                  {kind, ...}
 *   kind "public":   {recent:[RECORD], query:null}
 *        RECORD      {id, product, maker, model, status, published_ms, support_end}       link /p/ID
 *   kinds "maker", "lab", "cla" also have tasks:[{title, number, product, case_id, due_ms|null, overdue}] (what waits for a role of the reader)
 *   kind "maker":    {may_edit, engineer:bool (an engineer's desk, not an owner's), products:[PRODUCT], waiting:[CASE], devices:{built, enrolled, degraded,
 *                     suspect}, spread|null (device/spread.h), attention:[{id, serial, product, health, suspect, booted_version, last_seen_ms}]}
 *        PRODUCT     {id, name, model, category, status, support_end|null, version|null, certificate|null, record_id|null,
 *                     missing:[text], ready:bool, denied_case|null (the newest closed application, when it was denied)}
 *                     status: draft, applied, denied, or the word of the public record
 *        CASE        {id, number, product_id, product, maker, kind, state, whose|null, due_ms|null, rule|null, opened_ms}
 *   kind "lab":      {jobs:[JOB], may_create, counts:{open, sealed, reported}}       JOB: see lab/desk/routes.c
 *   kind "cla":      {inbox:[CASE] (oldest due first), counts:[{state, count}], oldest_due_ms|null, closed:[CASE] (newest first, 10),
 *                     watches:bool, watched?:[{number, case_id, status, valid_to, product_id, product, maker, due_ms|null, degraded, suspect}]}
 *   kind "operator": {organisations:[ORG], people:[PERSON], counts:{organisations, people, products, devices}}
 *        ORG         {id, kind, name, slug, contact, facts{}}
 *        PERSON      {id, name, email, disabled:bool, memberships:[{org_id, org, role}]}
 */
#include "identity/people.h"

#define NEXT { "next", CTM_V_ENUM, 16, 0, "where to go after signing in", "account" }
static const struct ctm_field signin_page_in[] = {
	{ "token", CTM_V_TOKEN, 64, 0, "one-time token of the link", NULL }, NEXT, { 0 }
};
static const struct ctm_field password_signin_in[] = {
	{ "email", CTM_V_EMAIL, 254, CTM_F_REQUIRED, "your mail address", NULL },
	{ "password", CTM_V_SECRET, 512, CTM_F_REQUIRED, "your password", NULL },
	{ "code", CTM_V_SECRET, 60, 0, "six digits of your authenticator app, or a recovery code", NULL }, NEXT, { 0 }
};
static const struct ctm_field password_in[] = {
	{ "password", CTM_V_SECRET, 512, CTM_F_REQUIRED, "the new password", NULL },
	{ "again", CTM_V_SECRET, 512, CTM_F_REQUIRED, "the same once more", NULL }, { 0 }
};
static const struct ctm_field code_in[] = {
	{ "code", CTM_V_SECRET, 60, CTM_F_REQUIRED, "the six digits that the app shows now", NULL }, { 0 }
};
static const struct ctm_field signin_in[] = {
	{ "token", CTM_V_TOKEN, 64, CTM_F_REQUIRED, "one-time token of the link", NULL }, { 0 }
};
#define DATA(name_, max_, help_) { name_, CTM_V_TOKEN, max_, CTM_F_REQUIRED, help_, NULL }
static const struct ctm_field passkey_in[] = {
	{ "name", CTM_V_LINE, 60, CTM_F_REQUIRED, "name of the device, for yourself", NULL },
	DATA("client_data", 8192, "clientDataJSON, base64url"), DATA("attestation", 32768, "attestation object, base64url"), { 0 }
};
static const struct ctm_field passkey_signin_in[] = {
	DATA("credential", 1400, "credential id, base64url"), DATA("client_data", 8192, "clientDataJSON, base64url"),
	DATA("auth_data", 4096, "authenticator data, base64url"), DATA("signature", 1024, "signature, base64url"),
	DATA("user_handle", 100, "user handle, base64url"), NEXT, { 0 }
};
static const struct ctm_field own_id_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "one of your own", NULL }, { 0 }
};
static const struct ctm_field rename_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "one of your passkeys", NULL },
	{ "name", CTM_V_LINE, 60, CTM_F_REQUIRED, "name of the device, for yourself", NULL }, { 0 }
};
static const struct ctm_field zone_in[] = {
	{ "zone", CTM_V_PATH, 47, 0, "name of the IANA database such as America/New_York", NULL }, { 0 }
};
static const struct ctm_field switch_in[] = {
	{ "org_id", CTM_V_UUID, 36, CTM_F_REQUIRED, "organisation to work for", NULL }, { 0 }
};
static const struct ctm_field person_in[] = {
	{ "name", CTM_V_LINE, 90, CTM_F_REQUIRED, "name as colleagues know it", NULL },
	{ "email", CTM_V_EMAIL, 200, CTM_F_REQUIRED, "mail address", NULL }, { 0 }
};
static const struct ctm_field person_id_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "person", NULL }, { 0 }
};
static const struct ctm_field link_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "person", NULL },
	{ "org_id", CTM_V_UUID, 36, CTM_F_REQUIRED, "organisation the person will act for", NULL }, { 0 }
};
static const struct ctm_field membership_in[] = {
	{ "person_id", CTM_V_UUID, 36, CTM_F_REQUIRED, "person", NULL },
	{ "org_id", CTM_V_UUID, 36, CTM_F_REQUIRED, "organisation", NULL },
	{ "role", CTM_V_LINE, 40, CTM_F_REQUIRED, "role, for example lab.tester", NULL }, { 0 }
};

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/signin", CTM_PUBLIC, CTM_R_HTML, .in = signin_page_in, .use_case = ctm_uc_signin_page, .view = "identity/signin",
		.reply = "", .help = "Page with one button; looking at it does not use the link up."),
	CTM_ROUTE("POST", "/signin", CTM_PUBLIC, CTM_R_HTML | CTM_R_WRITE, .in = signin_in, .use_case = ctm_uc_signin_browser, .view = "identity/signin",
		.reply = "", .help = "Use a one-time link and start a browser session."),
	CTM_ROUTE("GET", "/signin/passkey", CTM_PUBLIC, CTM_R_HTML, .in = signin_page_in, .use_case = ctm_uc_signin_page, .view = "identity/signin",
		.reply = "", .help = "The sign-in page again, with what went wrong."),
	CTM_ROUTE("POST", "/signin/passkey", CTM_PUBLIC, CTM_R_HTML | CTM_R_WRITE, .in = passkey_signin_in, .prepare = ctm_prepare_passkey_signin,
		.use_case = ctm_uc_passkey_signin, .view = "identity/signin", .reply = "", .help = "Sign in with a passkey."),
	CTM_ROUTE("POST", "/api/v1/signin/passkey/challenge", CTM_PUBLIC, CTM_R_WRITE | CTM_R_UNAUDITED, .use_case = ctm_uc_challenge_get, .reply = "",
		.help = "A challenge for a passkey: five minutes, once."),
	CTM_ROUTE("POST", "/api/v1/passkeys/challenge", CTM_SIGNED_IN, CTM_R_WRITE | CTM_R_UNAUDITED, .use_case = ctm_uc_challenge_create, .reply = "",
		.help = "What a browser needs to make a passkey for you: challenge, person, passkeys known already."),
	CTM_ROUTE("GET", "/account", CTM_SIGNED_IN, CTM_R_HTML, .use_case = ctm_uc_account, .view = "identity/account", .reply = "",
		.help = "Your own sessions and passkeys."),
	CTM_ROUTE("GET", "/api/v1/account", CTM_SIGNED_IN, 0, .use_case = ctm_uc_account, .reply = "", .help = "Your own sessions and passkeys."),
	CTM_ROUTE("POST", "/account/passkeys", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .in = passkey_in, .prepare = ctm_prepare_passkey_add,
		.use_case = ctm_uc_passkey_add, .view = "identity/account", .reply = "", .help = "Keep a passkey that your device has just made."),
	CTM_ROUTE("POST", "/account/passkeys/{id}/rename", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = rename_in, .use_case = ctm_uc_passkey_rename,
		.view = "identity/account", .reply = "", .help = "Give one of your passkeys another name."),
	CTM_ROUTE("POST", "/account/passkeys/{id}/remove", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = own_id_in, .use_case = ctm_uc_passkey_remove,
		.view = "identity/account", .reply = "", .help = "Remove one of your passkeys; it cannot sign in any more."),
	CTM_ROUTE("GET", "/signin/password", CTM_PUBLIC, CTM_R_HTML, .in = signin_page_in, .use_case = ctm_uc_signin_page, .view = "identity/signin",
		.reply = "", .help = "The sign-in page again, with what went wrong."),
	CTM_ROUTE("POST", "/signin/password", CTM_PUBLIC, CTM_R_HTML | CTM_R_WRITE, .in = password_signin_in, .prepare = ctm_prepare_password_signin,
		.use_case = ctm_uc_password_signin, .view = "identity/signin", .reply = "",
		.help = "Sign in with mail address, password and a code of the authenticator app or a recovery code; guessing is slowed down."),
	CTM_ROUTE("POST", "/account/password", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .in = password_in, .prepare = ctm_prepare_password_set,
		.use_case = ctm_uc_password_set, .view = "identity/account", .reply = "", .help = "Set your password; all your other sessions end."),
	CTM_ROUTE("POST", "/account/password/remove", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .use_case = ctm_uc_password_remove,
		.view = "identity/account", .reply = "", .help = "Remove your password."),
	CTM_ROUTE("POST", "/account/authenticator/start", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .prepare = ctm_prepare_totp_offer,
		.use_case = ctm_uc_totp_offer, .view = "identity/account", .reply = "", .help = "Begin with an authenticator app: a new secret, good for half an hour."),
	CTM_ROUTE("GET", "/account/authenticator", CTM_SIGNED_IN, CTM_R_HTML, .use_case = ctm_uc_totp_page, .view = "identity/authenticator", .reply = "",
		.help = "The secret for your authenticator app, as a code to scan and as text."),
	CTM_ROUTE("GET", "/account/authenticator/qr", CTM_SIGNED_IN, 0, .use_case = ctm_uc_totp_qr, .reply = "", .help = "The code to scan, as a picture."),
	CTM_ROUTE("POST", "/account/authenticator", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .in = code_in, .prepare = ctm_prepare_totp_accept,
		.use_case = ctm_uc_totp_accept, .view = "identity/authenticator", .reply = "", .help = "Confirm the app with its first code; it replaces an earlier one."),
	CTM_ROUTE("POST", "/account/authenticator/remove", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .use_case = ctm_uc_totp_remove,
		.view = "identity/account", .reply = "", .help = "Remove the authenticator app and its recovery codes."),
	CTM_ROUTE("POST", "/account/recovery", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .prepare = ctm_prepare_recovery_make,
		.use_case = ctm_uc_recovery_make, .view = "identity/recovery", .reply = "", .help = "Ten new recovery codes, shown this once; the old ones end."),
	CTM_ROUTE("POST", "/account/sessions/{id}/revoke", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = own_id_in, .use_case = ctm_uc_session_revoke,
		.view = "identity/account", .reply = "", .help = "End one of your sessions."),
	CTM_ROUTE("POST", "/account/sessions/others", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .use_case = ctm_uc_session_revoke_others,
		.view = "identity/account", .reply = "", .help = "End all of your sessions but this one."),
	CTM_ROUTE("POST", "/account/zone", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .in = zone_in, .use_case = ctm_uc_zone_set,
		.view = "identity/account", .reply = "", .help = "Choose the time zone in which you read times; empty: the platform's."),
	CTM_ROUTE("POST", "/account/organisation", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .in = switch_in, .use_case = ctm_uc_session_switch,
		.view = "identity/account", .reply = "", .help = "Work for another organisation in which you have a role."),
	CTM_ROUTE("POST", "/signout", CTM_SIGNED_IN, CTM_R_HTML | CTM_R_WRITE, .use_case = ctm_uc_signout, .view = "identity/signin",
		.reply = "", .help = "End this session."),
	CTM_ROUTE("POST", "/api/v1/signin", CTM_PUBLIC, CTM_R_WRITE, .in = signin_in, .use_case = ctm_uc_signin_api,
		.reply = "", .help = "Use a one-time link and get a bearer token."),
	CTM_ROUTE("POST", "/api/v1/signout", CTM_SIGNED_IN, CTM_R_WRITE, .use_case = ctm_uc_signout,
		.reply = "", .help = "End this session; the token is refused from now on."),
	CTM_ROUTE("GET", "/api/v1/me", CTM_SIGNED_IN, 0, .use_case = ctm_uc_me, .reply = "", .help = "Who am I, for which organisation, with which roles."),
	CTM_ROUTE("POST", "/api/v1/organisations", CTM_ROLE_OPERATOR, CTM_R_WRITE | CTM_R_JSON, .use_case = ctm_uc_organisation_add,
		.reply = "", .help = "Add an organisation {kind, name, slug, contact, facts}."),
	CTM_ROUTE("GET", "/api/v1/organisations", CTM_SIGNED_IN, 0, .use_case = ctm_uc_organisation_list,
		.reply = "", .help = "Labs and label administrators, and one's own organisation; the operator sees all."),
	CTM_ROUTE("POST", "/api/v1/people", CTM_ROLE_OPERATOR, CTM_R_WRITE, .in = person_in, .use_case = ctm_uc_person_add,
		.reply = "", .help = "Add a person."),
	CTM_ROUTE("GET", "/api/v1/people", CTM_ROLE_OPERATOR, 0, .use_case = ctm_uc_person_list, .reply = "", .help = "All people with their roles."),
	CTM_ROUTE("POST", "/api/v1/people/{id}/disable", CTM_ROLE_OPERATOR, CTM_R_WRITE, .in = person_id_in, .use_case = ctm_uc_person_disable,
		.reply = "", .help = "Shut a person out at once: sessions and unused links end, history stays."),
	CTM_ROUTE("POST", "/api/v1/people/{id}/link", CTM_ROLE_OPERATOR, CTM_R_WRITE, .in = link_in, .use_case = ctm_uc_person_link,
		.reply = "", .help = "Make a one-time sign-in link, good for 15 minutes."),
	CTM_ROUTE("POST", "/api/v1/memberships", CTM_ROLE_OPERATOR, CTM_R_WRITE, .in = membership_in, .use_case = ctm_uc_membership_add,
		.reply = "", .help = "Give a person a role in an organisation."),
	CTM_ROUTE("POST", "/api/v1/memberships/remove", CTM_ROLE_OPERATOR, CTM_R_WRITE, .in = membership_in, .use_case = ctm_uc_membership_remove,
		.reply = "", .help = "Take a role away; sessions lose it with their next request."),
};

const struct ctm_routes ctm_identity_routes = { rows, sizeof rows / sizeof *rows };
