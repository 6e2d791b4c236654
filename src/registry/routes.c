/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of the public registry. What the pages get (`out` of each use case; *_ms are milliseconds UTC, dates are
 * YYYY-MM-DD text, absent things are null):
 *
 * "registry/record" (GET /p/{id})   also the JSON of GET /p/{id}.json and GET /api/v1/records/{id}
 *   {id, url, local:bool (the address works on one machine only), status, answer (one sentence for a shopper, in the reader's language),
 *    version, published_ms,
 *    product:{name, maker, model, category, intended_use, gtin, fcc_id, picture|null (address)},
 *    fields:{ the eleven of 47 CFR 8.222(b), in this order:
 *       product_name, manufacturer_name, authorization:{date, status}, cla:{name, contact}, lab:{name},
 *       default_password:{changeable:bool, instructions}, secure_configuration,
 *       updates:{automatic:bool, how_to_get}, support:{end_date|null, unsupported_statement|null},
 *       bom:{hbom:bool, sbom:bool}, additional:{setup, report_problem, ...} },
 *    certificate:{number, valid_from, valid_to, status (in_force, suspended, withdrawn, expired)},
 *    versions:[{component, kind, version, image_digest}],         what was evaluated and is covered
 *    outcomes:[{outcome, status, name?}], outcome_counts:{met, not_met, undetermined, not_applicable},
 *    history:[{version, at_ms, kind (grant, suspension, reinstatement, withdrawal), status, what (sentence), reason, log_index|null,
 *              proof|null (address), step}] (newest first),
 *    proof|null (address of the newest), log:{origin, index|null, size|null, checkpoint (address)},
 *    label|null:{svg, png, pdf (addresses), specimen:bool}}       null unless the status is authorised
 *   Unknown but well-formed ids: 404, message "Not authorised: there is no such record."
 *
 * "registry/search" (GET /registry?q=)      also the JSON of GET /api/v1/records?q=
 *   {query|null, count, more:bool, records:[{id, url, product, maker, model, status, answer, published_ms, support_end|null}]}
 *   One answer: the page goes straight there.
 */
#include "registry/registry.h"

static const struct ctm_field id_in[] = { { "id", CTM_V_PUBID, 11, CTM_F_REQUIRED, "public id of a record", NULL }, { 0 } };
static const struct ctm_field proof_in[] = { { "id", CTM_V_PUBID, 11, CTM_F_REQUIRED, "public id of a record", NULL },
	{ "version", CTM_V_INT, 1000000, 0, "version of the record; the newest when absent", NULL }, { 0 } };
static const struct ctm_field search_in[] = { { "q", CTM_V_LINE, 100, 0, "public id, GTIN, FCC ID, certificate number, product, model or maker", NULL }, { 0 } };
static const struct ctm_field log_in[] = { { "path", CTM_V_PATH, 80, CTM_F_REQUIRED, "checkpoint, or tile/... as in C2SP tlog-tiles", NULL }, { 0 } };
static const struct ctm_field case_in[] = { { "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "case of the application", NULL }, { 0 } };

#define LABEL_ROLES (CTM_ANY_MAKER | CTM_ANY_CLA)
#define CASE_ROLES (CTM_ANY_MAKER | CTM_ANY_LAB | CTM_ANY_CLA)
#define LABEL(ext) CTM_ROUTE("GET", "/api/v1/records/{id}/label." ext, LABEL_ROLES, CTM_R_SCOPED, .in = id_in, .prepare = ctm_prepare_label, \
	.use_case = ctm_uc_prepared, .reply = "", .help = "Label artwork, for the product's maker and its label administrator, while the authorization is live.")

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/p/{id}", CTM_PUBLIC, CTM_R_HTML, .in = id_in, .use_case = ctm_uc_record, .view = "registry/record",
		.help = "The public record behind a label's QR code."),
	CTM_ROUTE("GET", "/p/{id}.json", CTM_PUBLIC, 0, .in = id_in, .use_case = ctm_uc_record, .reply = "", .help = "The public record as JSON."),
	CTM_ROUTE("GET", "/p/{id}.proof", CTM_PUBLIC, 0, .in = proof_in, .use_case = ctm_uc_record_proof, .reply = "",
		.help = "Proof of the record (C2SP tlog-proof), for ctm verify."),
	CTM_ROUTE("GET", "/registry", CTM_PUBLIC, CTM_R_HTML, .in = search_in, .use_case = ctm_uc_search_page, .view = "registry/search", .help = "Search the registry."),
	CTM_ROUTE("GET", "/api/v1/records", CTM_PUBLIC, 0, .in = search_in, .use_case = ctm_uc_search, .reply = "", .help = "Search the registry."),
	CTM_ROUTE("GET", "/api/v1/records/{id}", CTM_PUBLIC, 0, .in = id_in, .use_case = ctm_uc_record, .reply = "", .help = "The public record as JSON."),
	LABEL("svg"),
	LABEL("png"),
	LABEL("pdf"),
	CTM_ROUTE("GET", "/log/{path}", CTM_PUBLIC, CTM_R_STATIC, .in = log_in, .use_case = ctm_uc_log_file, .reply = "",
		.help = "Files of the transparency log (C2SP tlog-tiles)."),
	CTM_ROUTE("GET", "/api/v1/cases/{id}/certificate.json", CASE_ROLES, CTM_R_SCOPED, .in = case_in, .use_case = ctm_uc_certificate_json, .reply = "",
		.help = "The signed certificate, for ctm verify."),
	CTM_ROUTE("GET", "/api/v1/cases/{id}/certificate.pdf", CASE_ROLES, CTM_R_SCOPED, .in = case_in, .prepare = ctm_prepare_certificate_pdf,
		.use_case = ctm_uc_prepared, .reply = "", .help = "The certificate as PDF."),
};

const struct ctm_routes ctm_registry_routes = { rows, sizeof rows / sizeof *rows };

static const struct ctm_job_kind jobs[] = {
	{ "registry.decision", ctm_job_registry_decision, CTM_NEVER_GIVE_UP, "makes the record and the statement that follow from a decision" },
	{ "registry.issue", ctm_job_registry_issue, CTM_NEVER_GIVE_UP, "signs, logs, proves and publishes a statement" },
	{ "registry.static", ctm_job_registry_static, CTM_NEVER_GIVE_UP, "writes the static files of a record" },
};
const struct ctm_jobs ctm_registry_jobs = { jobs, sizeof jobs / sizeof *jobs };

static const struct ctm_listener listeners[] = { { "decision.made", "registry.decision" } };
const struct ctm_listeners ctm_registry_listeners = { listeners, sizeof listeners / sizeof *listeners };
