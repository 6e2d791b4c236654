/* SPDX-License-Identifier: Apache-2.0
 *
 * The plan of an evaluation (format ctm.plan/1): what is tested, on which components, by which checks with which numbers, where
 * packets may go, who the report is for. It is approved before the run and travels in the bundle unchanged; the trace starts
 * from its digest, and with it from the job's one-time challenge.
 *
 * {format, number, job, challenge, rehearsal, created, title,
 *  lab:{name, address}|absent, approver|absent,
 *  customer:{name, contact}, product:{id, name, model, support_end|absent}, components:[{id, kind, name, in_scope, why_not}],
 *  device: ID (the component the live checks run on), targets:["127.0.0.0/8"],
 *  checks:[{id, version, component}]   in the order they run,
 *  declaration: "sha256:..", declared:{the declaration itself}, catalogue: "sha256:..", method, deviations:[..], decision_rule}
 *
 * Component ids are those of the product file; checks and outcomes on papers stand under the pseudo-component "product".
 */
#ifndef CTM_LAB_PLAN_H
#define CTM_LAB_PLAN_H
#include "lab/check.h"

#define CTM_PLAN_FORMAT "ctm.plan/1"
#define CTM_PLAN_MAX ((size_t)1 << 20)
#define CTM_PLAN_PRODUCT "product"
#define CTM_PLAN_COMPONENTS 16

struct ctm_plan_ask {
	const ctm_json *product;         /* {id?, name, model, maker? or organisation?, components:[{id, kind, name, in_scope?, carve_out?}], registry?} */
	const ctm_json *declaration;
	const char *challenge, *job;     /* NULL: made here (a plan outside any job) */
	const char *targets;             /* comma list of addresses or networks; NULL: 127.0.0.0/8 */
	const char *lab_name, *lab_address, *approver, *customer;   /* optional */
	bool rehearsal;
	int64_t now_ms;
};

/* Make a plan. INPUT with file and pointer. *out is owned by the caller. */
CTM_CHECK int ctm_plan_make(const struct ctm_lab_catalogue *cat, const struct ctm_plan_ask *ask, ctm_json **out, struct ctm_err *err);
/* Judge a plan from outside, also against the catalogue it is to be run with. INPUT, STATE (catalogue of another edition). */
CTM_CHECK int ctm_plan_check(const ctm_json *plan, const char *file, const struct ctm_lab_catalogue *cat, struct ctm_err *err);
/* Kind of a component of the plan ("product" for the pseudo-component), NULL when unknown. */
const char *ctm_plan_kind(const ctm_json *plan, const char *component);
const char *ctm_plan_name(const ctm_json *plan, const char *component);

/* The declaration, as far as the lab relies on it: format, interfaces, settings, data. INPUT with file and pointer. */
CTM_CHECK int ctm_declaration_check(const ctm_json *v, const char *file, struct ctm_err *err);
/* Records: array of {outcome, component, method: inspection|attestation, verdict, text, by, document?, justification?, expires?}.
 * An attestation needs justification, expires and an outcome that check P11 lists as one that may be attested on that kind of
 * component; NOT_APPLICABLE needs a justification. INPUT with file and pointer. */
CTM_CHECK int ctm_records_check(const ctm_json *v, const char *file, const ctm_json *plan, const struct ctm_lab_catalogue *cat, struct ctm_err *err);
/* A copy in which a component named by its kind stands under its id, where exactly one component of the plan has that kind. */
CTM_CHECK int ctm_records_take(const ctm_json *v, const ctm_json *plan, ctm_json **out, struct ctm_err *err);

/* Digest of the canonical form. NOMEM, INPUT. */
CTM_CHECK int ctm_json_digest(const ctm_json *v, char out[72], struct ctm_err *err);

#endif
