/* SPDX-License-Identifier: Apache-2.0
 * Inside of identity: use cases named by the rows in routes.c, and what the sources of this room share. */
#ifndef CTM_IDENTITY_PEOPLE_H
#define CTM_IDENTITY_PEOPLE_H
#include "identity/identity.h"

/* Open a session in a writing use case. how: "link", "passkey", "password", "recovery", "invitation", "switch" (keeps the time of the last
 * proof). Audited. */
CTM_CHECK int ctm_session_open(struct ctm_cx *cx, const char *person, const char *org, const char *kind, const char *how, char token_out[CTM_TOKEN_MAX]);
/* A browser's session in the organisation the person worked for last; sets the cookie and goes to "/". GUARD without any role. */
CTM_CHECK int ctm_session_open_browser(struct ctm_cx *cx, const char *person, const char *how);

/* After a sign-in: to where the field `next` says. */
void ctm_signin_next(struct ctm_cx *cx);
/* Did the asker prove who they are within the last ten minutes? must_be: GUARD when not. What changes how one signs in asks for it. */
#define CTM_FRESH_MS (10 * 60 * 1000LL)
CTM_CHECK int ctm_session_fresh(struct ctm_cx *cx, bool *fresh);
CTM_CHECK int ctm_session_must_be_fresh(struct ctm_cx *cx);

/* INPUT when organisations of this kind cannot give this role. */
CTM_CHECK int ctm_role_fits(const char *kind, const char *role, struct ctm_err *err);
bool ctm_org_kind_ok(const char *kind);                /* a kind that an organisation can be of */
void ctm_token_hash(const char *token, char out[72]);  /* what is stored of a token: "sha256:hex" */

int ctm_uc_organisation_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_organisation_list(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_person_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_person_list(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_person_disable(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_person_link(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_membership_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_membership_remove(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_signin_page(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_signin_browser(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_signin_api(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_signout(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_challenge_create(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_challenge_get(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_passkey_add(struct ctm_cx *cx);
int ctm_uc_passkey_add(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_passkey_signin(struct ctm_cx *cx);
int ctm_uc_passkey_signin(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_passkey_rename(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_passkey_remove(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_password_signin(struct ctm_cx *cx);
int ctm_uc_password_signin(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_password_set(struct ctm_cx *cx);
int ctm_uc_password_set(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_password_remove(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_totp_offer(struct ctm_cx *cx);
int ctm_uc_totp_offer(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_totp_page(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_totp_qr(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_totp_accept(struct ctm_cx *cx);
int ctm_uc_totp_accept(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_totp_remove(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_recovery_make(struct ctm_cx *cx);
int ctm_uc_recovery_make(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_account(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_zone_set(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_session_revoke(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_session_revoke_others(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_session_switch(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_me(struct ctm_cx *cx, ctm_json *out);
#endif
