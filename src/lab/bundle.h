/* SPDX-License-Identifier: Apache-2.0
 *
 * The evidence bundle: everything a stranger needs to come to the same verdicts without the sample, in one file that is either
 * whole or refused. A deterministic ustar (docs/architecture.md, Formats); the same contents always give the same bytes, and a
 * reader writes what it read again and compares, so that no byte of the file is free: not in names, padding or headers.
 *
 * manifest.json names every other entry with size and digest, the head of the trace, job and challenge, and who sealed.
 * seal.cose is COSE_Sign1 (EdDSA, content type application/vnd.ctm.evidence-seal+json) by the lab's key over canonical
 * {challenge, format:"ctm.evidence-seal/1", job, manifest: digest of manifest.json}.
 */
#ifndef CTM_LAB_BUNDLE_H
#define CTM_LAB_BUNDLE_H
#include "crypto/key.h"
#include "lab/judge.h"

#define CTM_BUNDLE_MAX ((size_t)64 << 20)
#define CTM_BUNDLE_FORMAT "ctm.evidence/1"

struct ctm_bundle_part { char name[80]; const char *p; size_t n; };

struct ctm_bundle {
	struct ctm_lab_catalogue *catalogue;
	struct ctm_trace *trace;
	ctm_json *manifest, *plan, *declaration, *records;
	struct ctm_buf report_json, report_html;
	char digest[CTM_DIGEST_MAX];         /* of the whole file */
	char key_id[17], sealed_by[128];     /* who sealed, as the manifest says; believe it only if trusted */
	bool trusted;                        /* the key stands in the trust list that was given */
	struct ctm_lab_facts facts;          /* borrows from the members above */
};

/* How to seal: exactly one of the two. name: of the lab, for people. */
struct ctm_sealer { const struct ctm_key *key; const char *signer_socket; const char *name; };

/* Judge, render and seal: appends the file to out. VERIFY when the signer's answer does not hold, its refusals, NOMEM. */
CTM_CHECK int ctm_bundle_write(const struct ctm_lab_facts *facts, const struct ctm_sealer *sealer, struct ctm_buf *out, struct ctm_err *err);
/* Read and check everything: form, names, sizes, digests, seal, chain, plan, catalogue, records. trust: the parsed trust list
 * (ctm.trust/1) or NULL; with it, a seal by a key that is not in its "lab" is refused. SYNTAX, VERIFY, TOOBIG, INPUT. */
CTM_CHECK int ctm_bundle_read(const void *p, size_t n, const ctm_json *trust, struct ctm_bundle **out, struct ctm_err *err);
void ctm_bundle_free(struct ctm_bundle *b);
void ctm_bundle_freep(struct ctm_bundle **b);
#define CTM_AUTO_BUNDLE __attribute__((cleanup(ctm_bundle_freep))) struct ctm_bundle

/* The tar layer (tar.c). */
struct ctm_tar { struct ctm_bundle_part *part; size_t n; char *store; };     /* store: owned bytes of a read archive */
CTM_CHECK int ctm_tar_write(const struct ctm_bundle_part *part, size_t n, struct ctm_buf *out, struct ctm_err *err);
/* Parts in file order; refused unless the bytes are exactly what ctm_tar_write makes of them. */
CTM_CHECK int ctm_tar_read(const void *p, size_t n, struct ctm_tar *out, struct ctm_err *err);
void ctm_tar_free(struct ctm_tar *t);

#endif
