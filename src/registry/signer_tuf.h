/* SPDX-License-Identifier: Apache-2.0
 *
 * What the signer signs for update repositories: TUF snapshots and timestamps, and director statements. Rules, and the memory they
 * need, which is replayed from the journal. Refusals by name:
 *   tuf.shape      the body is not exactly what such a role says: {_type, spec_version, version, expires, meta}
 *   tuf.expiry     it is over already, or longer than CTM_SNAPSHOT_DAYS_MAX or CTM_TIMESTAMP_DAYS_MAX ahead
 *   tuf.version    not higher than the last one signed of that role and repository
 *   tuf.content    another content of that version was signed already
 *   tuf.rollback   it names a lower version of a role than the last one, or leaves a role out
 *   director.shape, director.expiry   likewise for a director statement: at most CTM_DIRECTOR_DAYS_MAX ahead
 * Memory is per repository, role and key: a key that the root names anew begins anew, which is how a repository recovers from versions
 * driven up by a thief (TUF 1.0.34, 5.3.11).
 *
 * Director statements are bounded in time and only point at images that an offline-signed role lists too, which devices check; they
 * leave no line in the journal.
 */
#ifndef CTM_REGISTRY_SIGNER_TUF_H
#define CTM_REGISTRY_SIGNER_TUF_H
#include "base/json.h"
#include "crypto/hash.h"

#define CTM_SNAPSHOT_DAYS_MAX 30
#define CTM_TIMESTAMP_DAYS_MAX 7
#define CTM_DIRECTOR_DAYS_MAX 2
#define CTM_REPOSITORY_MAX 64             /* bytes of a repository's name */

struct ctm_signed_roles;                  /* memory; NULL is empty */
void ctm_signed_roles_free(struct ctm_signed_roles *m);       /* NULL tolerated */

/* One signature asked for: req {repository, signed}. type "snapshot" or "timestamp"; keyid is of the key that will sign. On success the
 * journal's line (without op) is filled and *again says that this very content was signed before. GUARD, INPUT. */
CTM_CHECK int ctm_rule_role(const struct ctm_signed_roles *m, const ctm_json *req, const char *type, const char *keyid, int64_t now_ms,
	ctm_json *line, bool *again, struct ctm_err *err);
/* Take a line of the journal (op "tuf-snapshot", "tuf-timestamp") into the memory; NOMEM, INPUT. */
CTM_CHECK int ctm_signed_roles_add(struct ctm_signed_roles **m, const char *type, const ctm_json *line);

/* req {device, component, counter, not_after_s, target?, size?, digest?, campaign?}; appends the payload of ctm.director/1. */
CTM_CHECK int ctm_rule_director(const ctm_json *req, int64_t now_ms, struct ctm_buf *payload, struct ctm_err *err);

#endif
