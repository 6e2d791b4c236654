/* SPDX-License-Identifier: Apache-2.0
 *
 * The public registry: record, statement, issuing, pages. What programs list, and what the files of the room share.
 *
 * A decision becomes a public fact in steps, each stored before the next (table `statement`, column step):
 *   intent     record row and everything that will be signed, written once           (job registry.decision, on event decision.made)
 *   signed     the signer's answer, in the blob store                                 (job registry.issue, and all below)
 *   logged     index in the transparency log
 *   proved     proof made and checked against the trust list, in the blob store
 *   published  static files under public/p, record row, timeline, event record.published
 * A job that dies carries on from the stored step. What takes an authorisation away shows at the intent, because the public must
 * not wait for a signature; what gives one shows only when it is published.
 */
#ifndef CTM_REGISTRY_REGISTRY_H
#define CTM_REGISTRY_REGISTRY_H
#include "http/app.h"
#include "registry/statement.h"
#include "registry/url.h"

extern const struct ctm_routes ctm_registry_routes;
extern const struct ctm_jobs ctm_registry_jobs;
extern const struct ctm_listeners ctm_registry_listeners;

/* --- record.c: the content of a record ----------------------------------------------------------------------------- */

/* What a record is made from: row of "registry.subject" (product, certificate, organisations), decision row, lists. */
struct ctm_record_src { const ctm_json *subject, *decision, *outcomes; };
/* Content (ctm.record/1) of one version. id, version: of the record; kind: of the statement. */
CTM_CHECK int ctm_record_content(const struct ctm_record_src *src, const char *public_url, const char *id, int64_t version,
	const struct ctm_statement_kind *kind, ctm_json **out, struct ctm_err *err);
/* 47 CFR 8.222(b): refuse content in which one of the eleven fields is missing; field and rule name it. INPUT. */
CTM_CHECK int ctm_record_lint(const ctm_json *content, struct ctm_err *err);

/* --- status.c ------------------------------------------------------------------------------------------------------ */

/* What the public is told today: the record's own status, or expired or unsupported when a date has passed. today: YYYY-MM-DD. */
const char *ctm_record_status(const char *stored, const ctm_json *content, const char *today);
/* Sentence for a shopper, in the reader's language. */
const char *ctm_record_answer(const char *status, const char *locale);

/* --- view.c: what pages and programs get ---------------------------------------------------------------------------- */

/* Fill out with the shape of registry/routes.c. labelled: add the addresses of the label. NOTFOUND (404) when there is no published record. */
CTM_CHECK int ctm_record_view(struct ctm_app *app, struct ctm_db *db, const char *id, const char *locale, int64_t now_ms, bool labelled,
	ctm_json *out, struct ctm_err *err);
/* Bytes of the newest proof (version 0) or of one version. NOTFOUND. */
CTM_CHECK int ctm_record_proof(struct ctm_app *app, struct ctm_db *db, const char *id, int64_t version, struct ctm_buf *out, struct ctm_err *err);
CTM_CHECK int ctm_record_row(struct ctm_db *db, const char *id, ctm_json **out, struct ctm_err *err);        /* published records only */

/* --- publish.c ----------------------------------------------------------------------------------------------------- */

/* Write public/p/ID.json, ID.proof and ID.html (each atomically). proof may be NULL. */
CTM_CHECK int ctm_record_publish(struct ctm_app *app, struct ctm_db *db, const char *id, const void *proof, size_t n, int64_t now_ms, struct ctm_err *err);

/* --- issue.c ------------------------------------------------------------------------------------------------------- */

/* The kinds of jobs that carry an issuing on; idempotent. */
int ctm_job_registry_decision(struct ctm_jx *jx);
int ctm_job_registry_issue(struct ctm_jx *jx);
int ctm_job_registry_static(struct ctm_jx *jx);

/* --- use cases ------------------------------------------------------------------------------------------------------ */

int ctm_uc_record(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_record_proof(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_search(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_search_page(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_log_file(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_label(struct ctm_cx *cx);
int ctm_uc_prepared(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_certificate_json(struct ctm_cx *cx, ctm_json *out);
int ctm_prepare_certificate_pdf(struct ctm_cx *cx);

#endif
