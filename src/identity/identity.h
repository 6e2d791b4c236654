/* SPDX-License-Identifier: Apache-2.0
 *
 * People, organisations, roles and sessions: what other rooms and programs may call. A token (one-time link or session)
 * leaves this room once, in the answer that makes it; the database keeps its SHA-256 only.
 */
#ifndef CTM_IDENTITY_IDENTITY_H
#define CTM_IDENTITY_IDENTITY_H
#include "base/id.h"
#include "http/app.h"

#define CTM_SIGNIN_TTL_MS (15 * 60 * 1000LL)          /* one-time link: 15 minutes, once */
#define CTM_SESSION_TTL_MS (12 * 3600 * 1000LL)       /* session: 12 hours; a browser's slides */

extern const struct ctm_routes ctm_identity_routes;

/* Make a one-time link for a person in one organisation. out_token goes to the person, never into a log. NOTFOUND when the
 * person has no membership there or is disabled. The caller holds a transaction. */
CTM_CHECK int ctm_signin_new(struct ctm_db *db, int64_t now_ms, const char *person_id, const char *org_id, char out_token[CTM_TOKEN_MAX],
	int64_t *expires_ms, struct ctm_err *err);
/* Who holds this session token of that kind ("browser", "api": a cookie is no bearer token)? Fills *who (roles, names, csrf).
 * AUTH when unknown or revoked, EXPIRED when over.
 * *renew: the session is a browser's and old enough that ctm_session_renew should be called in a write. */
CTM_CHECK int ctm_session_find(struct ctm_db *db, int64_t now_ms, const char *token, const char *kind, struct ctm_who *who, bool *renew, struct ctm_err *err);
CTM_CHECK int ctm_session_renew(struct ctm_db *db, int64_t now_ms, const char *session_id, struct ctm_err *err);

/* People's half of the authorise function (device/door.h has the whole): sessions only. */
int ctm_identity_authorise(struct ctm_app *app, struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *out, struct ctm_err *err);

/* For first set-up by the command line: an organisation, a person, a membership. Ids out. Audited. */
CTM_CHECK int ctm_organisation_add(struct ctm_db *db, int64_t now_ms, const char *actor, const char *kind, const char *name, const char *slug,
	const char *contact, const ctm_json *facts, char out_id[CTM_UUID_MAX], struct ctm_err *err);
CTM_CHECK int ctm_person_add(struct ctm_db *db, int64_t now_ms, const char *actor, const char *name, const char *email, char out_id[CTM_UUID_MAX],
	struct ctm_err *err);
/* INPUT when the role does not belong to the organisation's kind, EXISTS when already given. */
CTM_CHECK int ctm_membership_add(struct ctm_db *db, int64_t now_ms, const char *actor, const char *person_id, const char *org_id, const char *role,
	struct ctm_err *err);

/* Actor for audit lines: the person's id, "device:ID", or "anonymous". Actor for timelines: the person's name. */
const char *ctm_who_actor(const struct ctm_who *who);
const char *ctm_who_name(const struct ctm_who *who);


/* Every person with memberships, for the operator: [{id, name, email, disabled, memberships}]. */
CTM_CHECK int ctm_people_list(struct ctm_db *db, ctm_json **out, struct ctm_err *err);
#endif
