/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of cases. What the pages get (`out` of each use case; *_ms are milliseconds UTC, absent things are null):
 *
 * "scheme/cases" (GET /cases)
 *   {inbox:[CASE] (the viewer's organisation has the move; soonest due first), others:[CASE] (newest first, 200),
 *    counts:[{kind, state, title, count}], may_apply:bool}
 *      CASE       {id, number, product_id, product, maker, kind, state, state_title, whose|null (applicant, lab, cla), due_ms|null,
 *                  rule|null, citation|null, overdue:bool, mine:bool, final:bool, opened_ms}
 *
 * "scheme/case" (GET /cases/{id})
 *   {case:CASE + {applicant, cla, lab, lab_org_id|null, pack, pack_version, filed_ms|null, accepted_ms|null, decided_ms|null,
 *          closed_ms|null, prior_case_id|null, certificate_id|null, reason|null, row_version},
 *    may_declare:bool, declarations:{complete:bool, missing:[text], rows:[{id, text, citation, agreed:bool}], support_end|null,
 *          signer:{}, agent:{}, affiliates:[], producers:[], prior_denial:{}, affiliates_text, producers_text (as lines, for the form)}|null  (null where the case is not an application),
 *    screening:{clean:bool, at_ms, lists:[{id, name, edition, digest}], hits:[{subject, party, list, entry, match}]}|null,
 *    report:{job_id, number, bundle_digest, tester, tested_on, signed_by, signed_on}|null,
 *    baseline:[{component, kind, version, image_digest, sbom_digest}],
 *    matrix:MATRIX|null (product/routes.c; of the report's job), gaps:[{outcome, component, status, text}] (what stands in the way of a grant),
 *    verifications:[{n, id, text, citation, ok|null, note}], recommendation|null (grant, denial), recommended_by|null,
 *    events:[{event, kind ("" or the kind to post), title, citation, allowed:bool, why, rule, note:bool (a note must be given),
 *          needs:[member names], verify:bool (six verifications to give), reasons:bool (reasons to give)}]  (rows of the viewer's roles only),
 *    clocks:[{rule, title, citation, consequence, whose, started_ms, due_ms, done_ms|null, fired_ms|null, running:bool, overdue:bool}],
 *    decisions:[{id, kind, at_ms, decided_by, digest, reasons:[{requirement, component, text, finding}], approvals:[{name, part, at_ms}]}],
 *    certificate:{id, number, status, valid_from, valid_to, record_id|null}|null, authorisation:{status, granted_on, issuing_authority}|null,
 *    documents:[DOCUMENT], timeline:[{at_ms, actor, what, ref}], history:[{seq, at_ms, person, event, from_state, to_state, note}],
 *    cases:[CASE] (others about the same certificate or product)}
 *   form: POST /cases/{id}/events/{event} {row_version, note?, kind?, reasons? (lines "REQUIREMENT | component | text"),
 *          recommendation? (grant, denial), check1..check6? ("true" when verified), note1..note6?, reason? (code of a dismissal),
 *          job_id?, signed_by?, signed_on?, lab_org_id?}
 *   form (with may_declare): POST /cases/{id}/declarations, see declare_in
 *
 * "scheme/catalogue" (GET /about/catalogue)
 *   {version, title, source, counts:{capabilities, numbered, lettered, items, details}, outcomes:[OUTCOME],
 *    packs:[{id, title, version, effective, source, zone, rules:[{id, title, period, unit, start, whose, consequence, citation}],
 *          groups:[{id, terms:[{id, text, citation}]}], numbers:[{id, value, text, citation}], holidays}],
 *    tables:[{kind, title, version, effective, law, scheme, states:[{id, title, whose, clock, final}],
 *          rows:[{from, event, kind, title, who:[role], guards:[name], effects:[name], starts:[rule], stops:[rule], to, citation}]}],
 *    lists:[{id, name, authority, edition, citation, digest, entries, demonstration}]}
 *      OUTCOME    {id, parent|null, level, capability, name, text, applies:[], judged_on:[], typical:[], crosswalk:{en303645:[], cra:[], psti:[],
 *                  cta2088:[], ir8259:[]}, source}
 */
#include "scheme/scheme.h"

#define APPLICANTS (CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_SIGNER)
#define PARTIES (CTM_ANY_MAKER | CTM_ANY_LAB | CTM_ANY_CLA)
#define CASE_ID { "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "case", NULL }
#define EVENT { "event", CTM_V_SERIAL, 40, CTM_F_REQUIRED, "event of the case's table", NULL }
#define CHECKS(n) { "check" n, CTM_V_BOOL, 0, 0, "verification " n " holds", NULL }, { "note" n, CTM_V_LINE, 2000, 0, "how verification " n " was made", NULL }

static const struct ctm_field case_in[] = { CASE_ID, { 0 } };
#define SEEN { "row_version", CTM_V_INT, 0, 0, "row_version of the case that was looked at; when it has changed since, nothing is done", NULL }
static const struct ctm_field declare_put_in[] = { CASE_ID, SEEN, { 0 } };
static const struct ctm_field event_in[] = { CASE_ID, EVENT, { 0 } };
static const struct ctm_field application_in[] = {
	{ "product_id", CTM_V_UUID, 36, CTM_F_REQUIRED, "product to be labelled", NULL },
	{ "cla_org_id", CTM_V_UUID, 36, CTM_F_REQUIRED, "label administrator", NULL },
	{ "lab_org_id", CTM_V_UUID, 36, 0, "recognised lab; the label administrator may assign one", NULL },
	{ "prior_case_id", CTM_V_UUID, 36, 0, "earlier application for the same product", NULL }, { 0 }
};
static const struct ctm_field certificate_in[] = {
	{ "id", CTM_V_UUID, 36, CTM_F_REQUIRED, "certificate", NULL },
	{ "kind", CTM_V_ENUM, 20, CTM_F_REQUIRED, "what is proposed", "suspension,withdrawal" },
	{ "reason", CTM_V_TEXT, 2000, CTM_F_REQUIRED, "why; shown in the decision and the public record's history", NULL }, { 0 }
};
static const struct ctm_field form_in[] = {
	CASE_ID, EVENT,
	{ "row_version", CTM_V_INT, 2147483647, CTM_F_REQUIRED, "version of the case that was looked at", NULL },
	{ "note", CTM_V_TEXT, 4000, 0, "note", NULL },
	{ "kind", CTM_V_SLUG, 40, 0, "which decision", NULL },
	{ "reasons", CTM_V_TEXT, 32768, 0, "lines: REQUIREMENT | component | text", NULL },
	{ "recommendation", CTM_V_ENUM, 10, 0, "recommended decision", "grant,denial" },
	CHECKS("1"), CHECKS("2"), CHECKS("3"), CHECKS("4"), CHECKS("5"), CHECKS("6"),
	{ "reason", CTM_V_ENUM, 20, 0, "reason of a dismissal", "nonconforming,requested,no_response" },
	{ "job_id", CTM_V_UUID, 36, 0, "evaluation", NULL },
	{ "signed_by", CTM_V_LINE, 120, 0, "who did or supervised the tests", NULL },
	{ "signed_on", CTM_V_DATE, 10, 0, "day of signing", NULL },
	{ "lab_org_id", CTM_V_UUID, 36, 0, "lab", NULL },
	{ "subject", CTM_V_LINE, 200, 0, "name found by the screening", NULL },
	{ "list", CTM_V_SLUG, 40, 0, "list of 47 CFR 8.204", NULL }, { 0 }
};

#define SAID(id) { id, CTM_V_BOOL, 0, 0, "declaration " id " of 47 CFR 8.208(c)", NULL }
static const struct ctm_field declare_in[] = {
	CASE_ID, SEEN, SAID("c1"), SAID("c2"), SAID("c3"), SAID("c4"), SAID("c5"), SAID("c6"), SAID("c7"), SAID("c8"),
	{ "perjury", CTM_V_BOOL, 0, 0, "made under penalty of perjury", NULL },
	{ "truth", CTM_V_BOOL, 0, 0, "all statements are true", NULL },
	{ "not_prohibited", CTM_V_BOOL, 0, 0, "47 CFR 8.204 does not bar the product", NULL },
	{ "support_end", CTM_V_DATE, 10, 0, "end of support", NULL },
	{ "signer_name", CTM_V_LINE, 200, 0, "signer", NULL },
	{ "signer_title", CTM_V_LINE, 200, 0, "the signer's position", NULL },
	{ "signer_signature", CTM_V_LINE, 200, 0, "signature", NULL },
	{ "signer_signed_on", CTM_V_DATE, 10, 0, "day of signing", NULL },
	{ "agent_name", CTM_V_LINE, 200, 0, "agent for service of process", NULL },
	{ "agent_address", CTM_V_LINE, 400, 0, "address in the United States", NULL },
	{ "agent_email", CTM_V_EMAIL, 200, 0, "e-mail address", NULL },
	{ "agent_consent", CTM_V_BOOL, 0, 0, "the agent consents", NULL },
	{ "agent_signature", CTM_V_LINE, 200, 0, "the agent's signature", NULL },
	{ "agent_signed_on", CTM_V_DATE, 10, 0, "day of the agent's signing", NULL },
	{ "denied", CTM_V_BOOL, 0, 0, "an application for this product was denied before", NULL },
	{ "denied_cla", CTM_V_LINE, 200, 0, "by whom", NULL },
	{ "denied_reasons", CTM_V_TEXT, 2000, 0, "for which reasons", NULL },
	{ "affiliates", CTM_V_TEXT, 16384, 0, "lines: NAME | PERCENT", NULL },
	{ "producers", CTM_V_TEXT, 16384, 0, "lines: COMPONENT | PRODUCER", NULL }, { 0 }
};

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/cases", PARTIES, CTM_R_HTML, .use_case = ctm_cases_page, .view = "scheme/cases", .reply = "", .help = "What waits for you, by when, and whose move it is."),
	CTM_ROUTE("GET", "/cases/{id}", PARTIES, CTM_R_HTML | CTM_R_SCOPED, .in = case_in, .use_case = ctm_case_page, .view = "scheme/case", .reply = "",
		.help = "The worksheet of a case."),
	CTM_ROUTE("POST", "/cases/{id}/events/{event}", PARTIES, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = form_in, .use_case = ctm_case_event_form,
		.view = "scheme/case", .reply = "", .help = "Move a case; its table says who may."),
	CTM_ROUTE("POST", "/cases/{id}/declarations", APPLICANTS, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = declare_in, .use_case = ctm_declarations_form,
		.view = "scheme/case", .reply = "", .help = "Make the declarations of 47 CFR 8.208."),
	CTM_ROUTE("POST", "/applications", APPLICANTS, CTM_R_HTML | CTM_R_WRITE, .in = application_in, .use_case = ctm_application_open, .view = "scheme/cases",
		.reply = "", .help = "Open an application for the label."),
	CTM_ROUTE("POST", "/certificates/{id}/cases", CTM_ROLE_CLA_SURVEILLANCE, CTM_R_HTML | CTM_R_WRITE | CTM_R_SCOPED, .in = certificate_in,
		.use_case = ctm_certificate_case_open, .view = "scheme/cases", .reply = "", .help = "Propose a suspension or withdrawal."),
	CTM_ROUTE("GET", "/about/catalogue", CTM_PUBLIC, CTM_R_HTML, .use_case = ctm_catalogue_page, .view = "scheme/catalogue", .reply = "",
		.help = "The rules this service works by."),

	CTM_ROUTE("GET", "/api/v1/catalogue", CTM_PUBLIC, 0, .use_case = ctm_catalogue_page, .reply = "catalogue", .help = "The rules this service works by."),
	CTM_ROUTE("POST", "/api/v1/applications", APPLICANTS, CTM_R_WRITE, .in = application_in, .use_case = ctm_application_open, .reply = "case_moved",
		.help = "Open an application for the label (47 CFR 8.208)."),
	CTM_ROUTE("GET", "/api/v1/cases", PARTIES, 0, .use_case = ctm_cases_page, .reply = "cases", .help = "What waits for you, by when, and whose move it is."),
	CTM_ROUTE("GET", "/api/v1/cases/{id}", PARTIES, CTM_R_SCOPED, .in = case_in, .use_case = ctm_case_page, .reply = "case", .help = "The worksheet of a case."),
	CTM_ROUTE("PUT", "/api/v1/cases/{id}/declarations", APPLICANTS, CTM_R_WRITE | CTM_R_JSON | CTM_R_SCOPED, .in = declare_put_in, .use_case = ctm_declarations_put,
		.reply = "declarations_kept", .help = "Keep the declarations of 47 CFR 8.208 with the application."),
	CTM_ROUTE("POST", "/api/v1/cases/{id}/events/{event}", PARTIES, CTM_R_WRITE | CTM_R_JSON | CTM_R_SCOPED, .in = event_in, .use_case = ctm_case_event_api,
		.reply = "case_moved", .help = "Move a case {note, data, row_version}; its table says who may.", .body_max = 256 * 1024),
	CTM_ROUTE("POST", "/api/v1/certificates/{id}/cases", CTM_ROLE_CLA_SURVEILLANCE, CTM_R_WRITE | CTM_R_SCOPED, .in = certificate_in,
		.use_case = ctm_certificate_case_open, .reply = "case_moved", .help = "Propose a suspension or withdrawal of a certificate."),
};

const struct ctm_routes ctm_scheme_routes = { rows, sizeof rows / sizeof *rows };

static const struct ctm_job_kind jobs[] = {
	{ "case.clocks", ctm_case_clocks_job, 10, "fires clocks of cases that are due" },
	{ "scheme.decision", ctm_decision_job, 10, "keeps the canonical form of a decision in the blob store" },
};
const struct ctm_jobs ctm_scheme_jobs = { jobs, sizeof jobs / sizeof *jobs };

static const struct ctm_listener listeners[] = { { "decision.made", "scheme.decision" } };
const struct ctm_listeners ctm_scheme_listeners = { listeners, sizeof listeners / sizeof *listeners };
