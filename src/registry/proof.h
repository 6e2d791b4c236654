/* SPDX-License-Identifier: Apache-2.0
 *
 * Proof of a public record (label.proof, /p/ID.proof) and the signed certificate (certificate.json). A proof is a C2SP
 * tlog-proof whose extra data is canonical JSON
 *   {"content":{the record}, "format":"ctm.proof/1", "salt": base64url of 32 bytes, "statement": base64url of the COSE message}
 * and whose entry is the statement. The chain: content -(salted digest)-> statement -(CLA's signature)-(log entry)-> Merkle path ->
 * checkpoint -(log's signature). The certificate is
 *   {"certificate":{...}, "format":"ctm.certificate/1", "product":{...}, "proof": text of the proof}
 * whose certificate and product are those of the record. Checks are pure: bytes and a trust list in, a report out.
 */
#ifndef CTM_REGISTRY_PROOF_H
#define CTM_REGISTRY_PROOF_H
#include "registry/log.h"
#include "registry/statement.h"
#include "registry/trust.h"

struct ctm_proof_report {
	struct ctm_statement st;
	struct ctm_checkpoint cp;
	int64_t index;
	const char *cla;              /* name in the trust list, borrowed from it */
	const char *cla_key_id;
	ctm_json *content;            /* owned */
};
void ctm_proof_report_free(struct ctm_proof_report *r);

/* Assemble from the parts; `log` must hold the statement at `index`. The proof is not believed before it was checked by its maker:
 * call ctm_proof_check on the result. */
CTM_CHECK int ctm_proof_make(const ctm_json *content, const uint8_t salt[CTM_SALT], const void *cose, size_t n, struct ctm_tlog *log, int64_t index,
	struct ctm_buf *out, struct ctm_err *err);
/* Everything, in this order: form, checkpoint signature, statement signature, inclusion, digest of the content, agreement of the content with
 * the statement. Signatures by keys outside the trust list are refused, so that no byte can be changed or added. */
CTM_CHECK int ctm_proof_check(const char *text, size_t n, const struct ctm_trust *trust, struct ctm_proof_report *out, struct ctm_err *err);

/* The signed certificate, made of a record and its proof, and read back: the same checks as of a proof, and the JSON must be the canonical one. */
CTM_CHECK int ctm_certificate_make(const ctm_json *content, const char *proof, size_t n, struct ctm_buf *out, struct ctm_err *err);
CTM_CHECK int ctm_certificate_check(const char *text, size_t n, const struct ctm_trust *trust, struct ctm_proof_report *out, struct ctm_err *err);

/* Does a record's content agree with what the statement says about it? INPUT naming the member. */
CTM_CHECK int ctm_content_agrees(const ctm_json *content, const struct ctm_statement *st, struct ctm_err *err);

#endif
