/* SPDX-License-Identifier: Apache-2.0
 *
 * Invitations: an operator for any organisation, an owner of a maker or a manager of a lab for their own, invites a mail address to roles.
 * The link works once and for seven days; it is mailed where ctm.json has a mail server, else shown to hand over. A new address becomes a
 * person who is signed in by the link and then makes a passkey. A known address is never signed in by it: whoever has the account signs in
 * as always and accepts, so that nobody can invite their way into another's account.
 */
#ifndef CTM_IDENTITY_INVITATION_H
#define CTM_IDENTITY_INVITATION_H
#include "identity/people.h"

#define CTM_INVITATION_TTL_MS (7 * 24 * 3600 * 1000LL)
#define CTM_INVITATIONS_OPEN 200       /* at a time and organisation */
#define CTM_INVITERS (CTM_ROLE_OPERATOR | CTM_ROLE_MAKER_OWNER | CTM_ROLE_LAB_MANAGER)

extern const struct ctm_routes ctm_invitation_routes;
extern const struct ctm_jobs ctm_invitation_jobs;      /* "invitation.mail" */

/* Job "invitation.mail" (key: id of the invitation): writes and sends the mail, keeps how it went. Tried for as long as the link is open. */
CTM_CHECK int ctm_invitation_mail(struct ctm_jx *jx);

#endif
