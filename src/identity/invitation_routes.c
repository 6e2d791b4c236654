/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of invitations. What the pages get:
 *
 * "identity/people" (GET /people, GET /api/v1/invitations)   {operator:bool, mailing:bool, people:[{id, name, email, is_disabled, role, org}],
 *      organisations:[ORG] (operator), choices:[{role, box, kind}], invitations:[{id, org_id, org, name, email, roles:[role], created_ms, expires_ms,
 *      mail: none|waiting|sent|refused, mail_why, inviter, state: open|accepted|revoked|expired, open:bool, shown:bool (its link can be shown)}]}
 * "identity/invited" (GET /people/invitations/{id})          {id, url|null, email, org, roles, expires_ms, mail, mail_why}
 * "identity/invitation" (GET /invitation?token=)             {token, org, email, name, inviter, expires_ms, roles, known:bool (the address has an account),
 *      mine:bool (and the asker is signed in with it), other:bool (the asker is somebody else)}
 */
#include "identity/invitation_in.h"

#define BOX(name_) { name_, CTM_V_BOOL, 5, 0, "give this role", NULL }
static const struct ctm_field invite_in[] = {
	{ "email", CTM_V_EMAIL, 254, CTM_F_REQUIRED, "mail address of the person", NULL },
	{ "name", CTM_V_LINE, 90, 0, "name, where it is known", NULL },
	{ "org_id", CTM_V_UUID, 36, 0, "organisation; your own without it", NULL },
	{ "roles", CTM_V_LINE, 250, 0, "roles, separated by commas", NULL },
	BOX("maker_owner"), BOX("maker_engineer"), BOX("maker_viewer"), BOX("maker_signer"), BOX("lab_manager"), BOX("lab_tester"), BOX("lab_reviewer"),
	BOX("cla_intake"), BOX("cla_reviewer"), BOX("cla_decider"), BOX("cla_surveillance"), BOX("cla_appeals"), BOX("platform_operator"), { 0 }
};
static const struct ctm_field id_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "invitation", NULL }, { 0 }
};
static const struct ctm_field token_in[] = {
	{ "token", CTM_V_TOKEN, 64, CTM_F_REQUIRED, "token of the link", NULL }, { 0 }
};
static const struct ctm_field accept_in[] = {
	{ "token", CTM_V_TOKEN, 64, CTM_F_REQUIRED, "token of the link", NULL },
	{ "name", CTM_V_LINE, 90, 0, "your name, where you have no account yet", NULL }, { 0 }
};

#define CHANGE(path_, use_, help_) \
	CTM_ROUTE("POST", "/people" path_, CTM_INVITERS, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = id_in, .use_case = use_, .view = "identity/people", .reply = "", .help = help_), \
	CTM_ROUTE("POST", "/api/v1" path_, CTM_INVITERS, CTM_R_WRITE | CTM_R_SCOPED, .in = id_in, .use_case = use_, .reply = "", .help = help_)

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/people", CTM_INVITERS, CTM_R_HTML, .use_case = ctm_uc_people_page, .view = "identity/people", .reply = "",
		.help = "People and invitations of your organisation; the operator sees all."),
	CTM_ROUTE("GET", "/api/v1/invitations", CTM_INVITERS, 0, .use_case = ctm_uc_people_page, .reply = "", .help = "People and invitations of your organisation."),
	CTM_ROUTE("POST", "/people/invitations", CTM_INVITERS, CTM_R_HTML | CTM_R_WRITE, .in = invite_in, .use_case = ctm_uc_invite, .view = "identity/people",
		.reply = "", .help = "Invite a mail address to roles: by mail, or with a link to hand over."),
	CTM_ROUTE("POST", "/api/v1/invitations", CTM_INVITERS, CTM_R_WRITE, .in = invite_in, .use_case = ctm_uc_invite, .reply = "",
		.help = "Invite a mail address to roles: by mail, or with a link to hand over."),
	CTM_ROUTE("GET", "/people/invitations/{id}", CTM_INVITERS, CTM_R_HTML | CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_invitation_page, .view = "identity/invited",
		.reply = "", .help = "The link of an invitation, to hand over where it was not mailed."),
	CTM_ROUTE("GET", "/api/v1/invitations/{id}", CTM_INVITERS, CTM_R_SCOPED, .in = id_in, .use_case = ctm_uc_invitation_page, .reply = "",
		.help = "The link of an invitation, to hand over where it was not mailed."),
	CHANGE("/invitations/{id}/revoke", ctm_uc_invitation_revoke, "Take an invitation back; its link ends."),
	CHANGE("/invitations/{id}/resend", ctm_uc_invitation_resend, "A new link for another seven days; the earlier one ends."),
	CTM_ROUTE("GET", "/invitation", CTM_PUBLIC, CTM_R_HTML, .in = token_in, .use_case = ctm_uc_invitation_look, .view = "identity/invitation", .reply = "",
		.help = "What an invitation is about; looking at it does not use it up."),
	CTM_ROUTE("POST", "/invitation", CTM_PUBLIC, CTM_R_HTML | CTM_R_WRITE, .in = accept_in, .use_case = ctm_uc_invitation_accept, .view = "identity/invitation",
		.reply = "", .help = "Accept an invitation: once."),
};
const struct ctm_routes ctm_invitation_routes = { rows, sizeof rows / sizeof *rows };
