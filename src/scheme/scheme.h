/* SPDX-License-Identifier: Apache-2.0
 *
 * The scheme: applications for the label, their screening, review and decision, certificates and what becomes of them. Law
 * and scheme are kept apart: an authorisation (47 CFR 8.209) ends only as 8.213 says; a certificate has a validity and may be
 * suspended, which is an overlay of the scheme that leaves the authorisation as it is.
 *
 * Events this room emits with a decision, in its transaction:
 *   decision.made {decision_id, case_id, kind (grant, denial, dismissal, suspension, reinstatement, withdrawal), certificate_id|null, product_id},
 *   subject kind "case"; certificate.changed {certificate_id, status, decision_id, product_id}, subject kind "certificate".
 */
#ifndef CTM_SCHEME_SCHEME_H
#define CTM_SCHEME_SCHEME_H
#include "case/engine.h"

extern const struct ctm_routes ctm_scheme_routes;
extern const struct ctm_jobs ctm_scheme_jobs;             /* case.clocks, scheme.decision */
extern const struct ctm_listeners ctm_scheme_listeners;

/* --- declarations of 47 CFR 8.208 (declaration.c) --- */
/* Read what an applicant sent strictly: {agreed:[c1..c8], perjury, truth, not_prohibited, support_end, signer{name, title, signed_on, signature},
 * agent{name, address, email, consent, signed_on, signature}, affiliates:[{name, percent}], producers:[{component, name}],
 * prior_denial{denied, cla, reasons}}. Every member may be left out of a draft. INPUT with the field. Caller owns *out. */
CTM_CHECK int ctm_declarations_read(struct ctm_cx *cx, const ctm_json *body, ctm_json **out);
/* What is missing before the application can be filed: [{rule, text}], empty when complete. Caller owns *out. */
CTM_CHECK int ctm_declarations_missing(struct ctm_cx *cx, const struct ctm_pack *law, const ctm_json *declarations, ctm_json **out);

/* --- screening of 47 CFR 8.204 (screening.c) --- */
/* Look for applicant, affiliates, producers, lab and label administrator in every list: {clean, at_ms, subjects:[{name, party}],
 * lists:[{id, name, edition, digest}], hits:[{subject, party, list, entry, match ("same" or "like"), citation, cleared, demonstration}]}. */
CTM_CHECK int ctm_screen(struct ctm_cx *cx, const ctm_json *kase, const ctm_json *data, ctm_json **out);
/* "same": equal once case, punctuation and company words are set aside; "like": every word of the entry stands in the name; NULL. */
const char *ctm_name_match(const char *name, const char *entry);

/* --- findings (report.c) --- */
/* What keeps a product from a grant on the report of this job: [{outcome, component, kind, status ("not_met", "undetermined", "missing"), text}]. */
CTM_CHECK int ctm_gaps(struct ctm_cx *cx, const char *product_id, const char *job_id, ctm_json **out);
/* Was the lab recognised and accredited for this work on that day? GUARD with 47 CFR 8.217. */
CTM_CHECK int ctm_lab_covered(struct ctm_cx *cx, const char *lab_org_id, const char *day);
CTM_CHECK int ctm_baseline(struct ctm_cx *cx, const char *product_id, int64_t at_ms, ctm_json **out);

/* --- decisions (decision.c) --- */
/* Write a decision with its approvals (reviewer or proposer, and the decider). id_out: 37 bytes. */
CTM_CHECK int ctm_decision_write(struct ctm_fire *f, const char *kind, const ctm_json *reasons, char *id_out);
CTM_CHECK int ctm_decision_told(struct ctm_fire *f, const char *decision_id, const char *kind, const char *certificate_id);
/* Canonical ctm.decision/1 of a stored decision; its digest is the row's digest. */
CTM_CHECK int ctm_decision_canonical(struct ctm_db *db, const char *decision_id, struct ctm_buf *out, char digest[72], struct ctm_err *err);
int ctm_decision_job(struct ctm_jx *jx);

/* --- certificates (certificate.c) --- */
CTM_CHECK int ctm_certificate_get(struct ctm_cx *cx, const char *id, const char *case_id, ctm_json **out);   /* one of the two; NOTFOUND */
CTM_CHECK int ctm_certificate_grant(struct ctm_fire *f, const char *decision_id, char id_out[40]);
/* from NULL: in force or suspended. CONFLICT when the certificate is not in that state any more. */
CTM_CHECK int ctm_certificate_set(struct ctm_fire *f, const char *from, const char *to, const char *decision_id);
CTM_CHECK int ctm_certificate_withdraw(struct ctm_fire *f, const char *decision_id);

/* --- use cases --- */
int ctm_application_open(struct ctm_cx *cx, ctm_json *out);
int ctm_certificate_case_open(struct ctm_cx *cx, ctm_json *out);
int ctm_declarations_put(struct ctm_cx *cx, ctm_json *out);
int ctm_declarations_form(struct ctm_cx *cx, ctm_json *out);
/* Keep declarations with a case: checks who may, reads strictly, stores, tells what is missing. */
CTM_CHECK int ctm_declarations_keep(struct ctm_cx *cx, const char *case_id, const ctm_json *body, ctm_json *out);
int ctm_case_page(struct ctm_cx *cx, ctm_json *out);
int ctm_case_event_api(struct ctm_cx *cx, ctm_json *out);
int ctm_case_event_form(struct ctm_cx *cx, ctm_json *out);
int ctm_cases_page(struct ctm_cx *cx, ctm_json *out);
int ctm_catalogue_page(struct ctm_cx *cx, ctm_json *out);

/* Two words per line, "LEFT | RIGHT", as people type them in forms, from and to [{left, right}]. percent: right is a whole number. */
CTM_CHECK int ctm_pairs_read(struct ctm_cx *cx, const char *field, const char *text, const char *left, const char *right, bool percent, ctm_json *list);
CTM_CHECK int ctm_pairs_text(const ctm_json *list, const char *left, const char *right, ctm_json *out, const char *key);

/* Small readers. */
const char *ctm_text(const ctm_json *o, const char *key);      /* "" when absent */
CTM_CHECK int ctm_one(struct ctm_cx *cx, const char *statement, const char *param, const char *value, ctm_json **out);   /* NOTFOUND */
CTM_CHECK int ctm_nomem(struct ctm_cx *cx);

#endif
