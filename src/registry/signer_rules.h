/* SPDX-License-Identifier: Apache-2.0
 *
 * What the signer signs, and what it refuses: pure rules over a request and what was signed before. Each refusal has a name (the
 * `rule` of the error), so that people and tests can tell them apart:
 *   statement.shape           a member of the statement is missing, unknown or not acceptable
 *   statement.decision_kind   the decision is not of the kind the statement needs
 *   statement.decision_digest the statement does not name the decision it was sent with
 *   statement.decider         who decides evaluated the product
 *   statement.approvals       nobody approved
 *   statement.content         another content of this version of the record was signed already
 *   statement.order           a version is left out, or the status cannot follow the present one
 *   checkpoint.shape, certificate.shape, evidence.shape   a member of the request is missing or not acceptable
 *   checkpoint.origin         another log
 *   checkpoint.rollback       a smaller tree than the last one signed
 *   checkpoint.fork           another tree of the same size, or growth that is not proved
 *   certificate.csr           the request is not signed by its own key, or names another serial
 *   rate                      more signatures a minute than configured
 *   key                       this signer holds no such key
 *   op                        unknown request
 *   log.restored              the state was restored from a backup and the last published checkpoint was not compared (STATE/signer.hold)
 *
 * Decision that comes with a statement: {kind, decided_by, evaluators:[], approvals:[{person_id, ...} or id], digest}. `digest` is the
 * digest of the decision document in the blob store and must be the statement's "decision".
 * Seal of evidence: COSE_Sign1 (EdDSA, lab's key, content type CTM_SEAL_TYPE) over canonical JSON
 *   {"challenge", "format":"ctm.evidence-seal/1", "job", "manifest":"sha256:.."}.
 */
#ifndef CTM_REGISTRY_SIGNER_RULES_H
#define CTM_REGISTRY_SIGNER_RULES_H
#include "base/json.h"
#include "registry/merkle.h"
#include "registry/note.h"
#include "registry/statement.h"

#define CTM_SEAL_TYPE "application/vnd.ctm.evidence-seal+json"

/* What is known of a record: newest version, its status, and the payload digest of the version asked for ("" when not signed). */
struct ctm_signed_record { int64_t version; char status[24]; char same_version[CTM_DIGEST_MAX]; };

/* GUARD or INPUT with the rule's name; out and payload digest on success. */
CTM_CHECK int ctm_rule_statement(const ctm_json *statement, const ctm_json *decision, struct ctm_statement *out, struct ctm_err *err);
CTM_CHECK int ctm_rule_statement_order(const struct ctm_statement *st, const char *payload_digest, const struct ctm_signed_record *known, struct ctm_err *err);

/* req: {origin, old_size, size, root, consistency}. last: the last head signed (size 0: none). */
CTM_CHECK int ctm_rule_checkpoint(const ctm_json *req, const char *origin, const struct ctm_checkpoint *last, struct ctm_checkpoint *out, struct ctm_err *err);

/* req: {manifest_digest, job, challenge}; appends the seal's payload. */
CTM_CHECK int ctm_rule_evidence(const ctm_json *req, struct ctm_buf *payload, struct ctm_err *err);

/* req: {csr, serial, org, days, dns?, ip?, use}. */
struct ctm_rule_cert { const char *csr, *serial, *org, *dns, *ip; int days; bool server; char spki[72]; };
CTM_CHECK int ctm_rule_certificate(const ctm_json *req, struct ctm_rule_cert *out, struct ctm_err *err);

#endif
