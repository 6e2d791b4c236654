/* SPDX-License-Identifier: Apache-2.0
 * Inside of invitations: use cases named by the rows in invitation_routes.c, and the link. */
#ifndef CTM_IDENTITY_INVITATION_IN_H
#define CTM_IDENTITY_INVITATION_IN_H
#include "identity/invitation.h"

/* The link of an open invitation, from what is sealed in its row. VERIFY under another key file. Wipe url. */
CTM_CHECK int ctm_invitation_link(struct ctm_app *app, const char *id, const char *sealed, struct ctm_buf *url, struct ctm_err *err);

int ctm_uc_people_page(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_invite(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_invitation_page(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_invitation_revoke(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_invitation_resend(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_invitation_look(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_invitation_accept(struct ctm_cx *cx, ctm_json *out);
#endif
