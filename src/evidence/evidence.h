/* SPDX-License-Identifier: Apache-2.0
 *
 * Evidence and the matrix outcome x component -> status, read by the product, lab, scheme and registry pages. Statuses are
 * written from sealed results only; evidence items may come from elsewhere (documents, facts from the field).
 */
#ifndef CTM_EVIDENCE_EVIDENCE_H
#define CTM_EVIDENCE_EVIDENCE_H
#include "http/app.h"

/* The matrix of a product, or of one job of it (job_id NULL: the newest status of each cell over all evaluations that
 * are no rehearsal): {product_id, job_id|null, components:[{id, name, kind}], rows:[{outcome, name, text, cells:[{outcome,
 * component_id, component, judged:bool, status, count, newest_ms|null, why, product_id, job_id|null}]}], counts:{met, not_met, undetermined,
 * not_applicable, empty}, parts:[PART, PART]}. The parts are the same cells as pages show them, first what is judged component
 * by component, then what is judged on the product as a whole: PART {whole:bool, alike:bool (all judged cells have one status),
 * total, span (columns), components, counts, rows: as above without cells of the other part and without rows that are never
 * judged here, each with capability (its name, on the first row of each, else null)}.
 * Rows are the catalogue's outcomes in its order; a cell that is never judged has judged false.
 * Who may see the product is the caller's to check; here cells of an evaluation whose report is not issued, and of a rehearsal, are left
 * empty for everybody but its lab. */
CTM_CHECK int ctm_evidence_matrix(struct ctm_cx *cx, const char *product_id, const char *job_id, ctm_json **out);
/* What stands behind one cell: {status, why, at_ms|null, job_id|null, evidence:[...]} set into out. */
CTM_CHECK int ctm_evidence_cell(struct ctm_cx *cx, const char *product_id, const char *component_id, const char *outcome, const char *job_id,
	ctm_json *out);

struct ctm_evidence_item {
	const char *product_id, *component_id, *job_id /* NULL outside a job */, *outcome, *check_id, *kind, *method, *verdict, *digest, *title, *author;
	int64_t at_ms;
};
CTM_CHECK int ctm_evidence_add(struct ctm_db *db, const struct ctm_evidence_item *e, struct ctm_err *err);  /* one item; nothing is judged by it */
/* One status of a sealed job. EXISTS when the cell of that job has one. */
CTM_CHECK int ctm_outcome_status_add(struct ctm_db *db, const char *product_id, const char *job_id, const char *component_id, const char *outcome,
	const char *status, const char *why, int64_t at_ms, struct ctm_err *err);
#endif
