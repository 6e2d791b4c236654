/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside ctm-update: the table of verbs, and a TUF repository as its maker keeps it, in a directory:
 *   repo.json           {format: "ctm.tuf-repo/1", name, versions: {ROLE: newest published}}
 *   metadata/           what is published: N.ROLE.json and timestamp.json; served as it is
 *   targets/            files under DIGEST.NAME; served as it is
 *   staged/ROLE.json    next versions on their way through signing: envelopes whose signatures are gathered one by one
 * A version is staged by changing something; it goes out with publish once enough keys signed it. A changed body loses the
 * signatures it had. Online roles (snapshot, timestamp) are made by publish alone.
 */
#ifndef CTM_APP_UPDATE_H
#define CTM_APP_UPDATE_H
#include "base/cli.h"
#include "base/json.h"
#include "crypto/role.h"

struct update_verb {
	struct ctm_cmd cmd;                             /* name: "update repo init" */
	int (*run)(const char **args, struct ctm_err *err);
};
extern const struct update_verb update_repo_verbs[];
extern const size_t update_repo_nverbs;

/* verb delta (update_delta.c) */
int update_delta(const char **args, struct ctm_err *err);
extern const struct ctm_opt update_delta_opts[];
extern const size_t update_delta_nopts;

/* A public key: 64 hex characters (Ed25519), PEM, or a file with one of them. */
CTM_CHECK int update_public_key(const char *text, struct ctm_key **out, struct ctm_err *err);
/* FAIL-safe reading of "a,b,c": calls each(arg, word) in order. */
CTM_CHECK int update_each(const char *list, int (*each)(void *arg, const char *word, struct ctm_err *err), void *arg, struct ctm_err *err);

struct repo {
	const char *dir;
	ctm_json *conf, *policy;
	int64_t now_ms;
};
#define REPO_AUTO __attribute__((cleanup(repo_close))) struct repo

void repo_close(struct repo *r);                                                        /* frees what r owns */
CTM_CHECK int repo_policy(struct repo *r, struct ctm_err *err);                          /* catalogue/update.json */
CTM_CHECK int repo_open(struct repo *r, const char *dir, struct ctm_err *err);           /* NOTFOUND names the verb that makes one */
CTM_CHECK int repo_save(struct repo *r, struct ctm_err *err);                            /* repo.json, durably */
int64_t repo_version(const struct repo *r, const char *role);                            /* newest published, 0 for none */
/* When a version of the role signed now ends; class "root", "targets", "line", "config", "snapshot", "timestamp". */
int64_t repo_until(const struct repo *r, const char *role);
int64_t repo_renew_ms(const struct repo *r, const char *role);                           /* how long before that it should be renewed */

/* Envelopes; *out NULL when there is none. */
CTM_CHECK int repo_published(const struct repo *r, const char *role, ctm_json **out, struct ctm_err *err);
CTM_CHECK int repo_staged(const struct repo *r, const char *role, ctm_json **out, struct ctm_err *err);
CTM_CHECK int repo_now(const struct repo *r, const char *role, ctm_json **out, struct ctm_err *err);   /* staged, else published */
CTM_CHECK int repo_stage(const struct repo *r, const char *role, const ctm_json *envelope, struct ctm_err *err);
CTM_CHECK int repo_unstage(const struct repo *r, const char *role, struct ctm_err *err);
CTM_CHECK int repo_publish(struct repo *r, const char *role, const ctm_json *envelope, struct ctm_err *err);   /* into metadata/, versions */
/* The body of the next version, to be changed and given to repo_stage_body: version one higher, expiry new. NOTFOUND. */
CTM_CHECK int repo_next(const struct repo *r, const char *role, ctm_json **body, struct ctm_err *err);
CTM_CHECK int repo_stage_body(const struct repo *r, const char *role, ctm_json *body, struct ctm_err *err);    /* takes body over */
/* Names of staged roles in the order they must be published: root, targets, the others. */
CTM_CHECK int repo_staged_roles(const struct repo *r, ctm_json **out, struct ctm_err *err);
/* Under which keys a role is judged, in what is staged or published now: {keys, keyids, threshold}. NOTFOUND when nobody names it. */
CTM_CHECK int repo_rule(const struct repo *r, const char *role, ctm_json **out, struct ctm_err *err);
/* Judge an envelope of a role in what is staged or published now, a root under the published root as well (ctm_role_holds). */
CTM_CHECK int repo_judge(const struct repo *r, const char *role, const ctm_json *envelope, unsigned *have, unsigned *need, struct ctm_err *err);

int repo_carry_prepare(const char **args, struct ctm_err *err);     /* verb prepare (update_carry.c) */
int repo_carry_sign(const char **args, struct ctm_err *err);        /* verb sign */
int repo_carry_merge(const char **args, struct ctm_err *err);       /* verb merge */
int repo_publish_verb(const char **args, struct ctm_err *err);      /* verb publish (update_publish.c) */
int repo_status(const char **args, struct ctm_err *err);            /* verb status */

/* Options that more than one file reads. */
extern struct repo_opts {
	const char *dir, *name, *role, *keys, *threshold, *add, *drop, *model, *carry, *out, *key, *signer, *snapshot_key, *timestamp_key;
	bool json, all;
} repo_opts;

#endif
