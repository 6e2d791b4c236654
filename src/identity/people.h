/* SPDX-License-Identifier: Apache-2.0
 * Inside of identity: use cases named by the rows in routes.c, and what the sources of this room share. */
#ifndef CTM_IDENTITY_PEOPLE_H
#define CTM_IDENTITY_PEOPLE_H
#include "identity/identity.h"

bool ctm_org_kind_ok(const char *kind);
void ctm_token_hash(const char *token, char out[72]);

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
int ctm_uc_me(struct ctm_cx *cx, ctm_json *out);
#endif
