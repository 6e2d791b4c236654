/* SPDX-License-Identifier: Apache-2.0
 *
 * Update repositories on the platform: one TUF repository per maker, named by the maker's slug, served as files under public/tuf/SLUG/.
 * Root, targets and product lines are signed by the maker's keys, which the platform never has: it makes the file to carry, and
 * takes it back when enough keys signed. Snapshot and timestamp are signed by the signer and renewed by a job. What comes in is
 * judged as a device will judge it before anything is kept.
 *
 * repo.c: state and the maker's use cases; repo_job.c: files, snapshot, timestamp; director.c: what one device should run.
 */
#ifndef CTM_FLEET_REPO_H
#define CTM_FLEET_REPO_H
#include "case/catalogue.h"
#include "crypto/carry.h"
#include "http/app.h"

#define CTM_REPO_SIGNER_MS 15000
#define CTM_DAY_MS INT64_C(86400000)

/* Newest documents of a maker: {role: {version, digest, expires_ms, envelope}}; {} when there is no repository. */
CTM_CHECK int ctm_repo_load(struct ctm_app *app, struct ctm_db *db, const char *org, ctm_json **out, struct ctm_err *err);
const ctm_json *ctm_repo_body(const ctm_json *state, const char *role);              /* NULL */
CTM_CHECK int ctm_repo_slug(struct ctm_db *db, const char *org, char slug[64], struct ctm_err *err);
/* Envelope of a role's newest version. NOTFOUND. */
CTM_CHECK int ctm_repo_role(struct ctm_app *app, struct ctm_db *db, const char *org, const char *role, ctm_json **out, struct ctm_err *err);
/* In a use case or ctm_write: keep {role, version, digest, expires_ms} of a document that is in the blob store. EXISTS. */
CTM_CHECK int ctm_repo_keep(struct ctm_db *db, const char *org, const ctm_json *doc, int64_t now_ms, struct ctm_err *err);
/* Put an envelope into the blob store and describe it for ctm_repo_keep. */
CTM_CHECK int ctm_repo_put(struct ctm_app *app, const char *role, const ctm_json *envelope, ctm_json **doc, struct ctm_err *err);
int64_t ctm_repo_until(struct ctm_app *app, const char *role, int64_t now_ms);       /* when a version signed now ends */
int64_t ctm_repo_renew_ms(struct ctm_app *app, const char *role);                    /* so long before its end it is renewed */

int ctm_prepare_repo(struct ctm_cx *cx);                       /* the platform's public keys */
int ctm_uc_repo(struct ctm_cx *cx, ctm_json *out);             /* status, and those keys */
int ctm_uc_repo_carry(struct ctm_cx *cx, ctm_json *out);       /* the file to carry */
int ctm_prepare_repo_take(struct ctm_cx *cx);                  /* judge what was carried back */
int ctm_uc_repo_take(struct ctm_cx *cx, ctm_json *out);        /* keep it, and have it published */
int ctm_job_repo_publish(struct ctm_jx *jx);                   /* payload {org_id}: files, snapshot, timestamp; posts itself again */
int ctm_prepare_direction(struct ctm_cx *cx);                  /* the statement in force, or a new one from the signer, kept */
int ctm_uc_direction(struct ctm_cx *cx, ctm_json *out);        /* answer it */

#endif
