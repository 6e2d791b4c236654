/* SPDX-License-Identifier: Apache-2.0
 *
 * The matrix: outcome x component -> status, with what drove it. Pure: from judged checks and records, nothing else.
 *
 * Rule (lab.md 2, the plan's decision rule):
 *   not_met         any FAIL of a mandatory or applicable conditional check, or of a record
 *   undetermined    else any INCONCLUSIVE, NOT_RUN or ERROR among them, or nothing that shows the outcome
 *   met             else at least one PASS by test or inspection, or by an accepted attestation
 *   not_applicable  else every word on it is a justified NOT_APPLICABLE, or the component is carved out with a reason
 * A check may show a part of an outcome (its file says which): such a PASS never makes the cell met alone.
 * Advisory checks are listed as drivers and move nothing.
 */
#ifndef CTM_LAB_MATRIX_H
#define CTM_LAB_MATRIX_H
#include "lab/judge.h"

/* Judge every check of the plan, in the plan's order: array of {id, version, title, component, method, danger, level, outcomes,
 * verdict, reasons, sentence, evidence:[{seq, digest, kind}], started, duration_ms}. The caller frees *out. */
CTM_CHECK int ctm_evaluate(const struct ctm_lab_facts *facts, ctm_json **out, struct ctm_err *err);

/* Array of {outcome, capability, name, text, component, component_name, kind, status, why, drivers:[{source, verdict, method, ref, part}]},
 * outcomes in catalogue order, components in plan order. at_ms: time of the evaluation (expired attestations do not count). */
CTM_CHECK int ctm_matrix(const struct ctm_lab_facts *facts, const ctm_json *checks, int64_t at_ms, ctm_json **out, struct ctm_err *err);

#endif
