/* SPDX-License-Identifier: Apache-2.0
 *
 * Papers for people, as PDF: the certificate and the evaluation report. JSON in, PDF out, one pure function: no clock, no
 * network, no file but the fonts; every date comes from the input, so the same input gives the same bytes on the same
 * machine. The PDF carries outline, structure tags, page numbers and embedded fonts. Run as `ctm-render KIND` with the
 * JSON on standard input (at most CTM_RENDER_IN_MAX) and the PDF on standard output.
 *
 * Every kind: "paper": "letter"|"a4" (default letter), "language": "en"|"es" (default en), "words": {key: text of the paper in that
 * language} (a key that is not there is printed in English).
 *
 * `certificate`:
 *   {"number"*, "status": "in_force"|"suspended"|"withdrawn"|"expired" *, "issued_ms"*,
 *    "valid_from"*, "valid_to"*: "YYYY-MM-DD",
 *    "specimen": bool, "specimen_reason": "the address works on one machine only",      watermark when specimen or status is not in_force
 *    "product"*: {"name"*, "maker"*, "model"*, "category", "intended_use"},
 *    "baseline"*: [{"component"*, "kind", "version"*, "image_digest"}],                  what was evaluated and is covered
 *    "cla"*: {"name"*, "contact"}, "lab"*: {"name"*, "report_number"}, "decision_digest",
 *    "record"*: {"id"*, "url"*}, "statement_digest"}                                     the QR code leads to record.url
 *
 * `nameplates`: {"maker"*, "product"*, "model"*, "batch", "units"*: [{"serial"*, "code"*}]} (at most 100,000, of them as many as fit into
 *   CTM_RENDER_PAGES_MAX pages).
 *
 * `report`: the sealed report.json of an evaluation bundle, and what issuing added:
 *   {"paper", "number"*, "issued_ms"*, "authorised_by"*, "bundle_digest"*, "report_digest"* (of the bytes of report.json), "rehearsal": bool,
 *    "report"*: {...report.json: ctm.report/1 of lab/report.h...}}
 *   Cover facts that report.json lacks are printed as "not stated", never left out (ISO/IEC 17025:2017 7.8.2.1).
 */
#ifndef CTM_DOCUMENT_RENDER_H
#define CTM_DOCUMENT_RENDER_H
#include "base/json.h"

#define CTM_RENDER_IN_MAX ((size_t)4 << 20)
#define CTM_RENDER_OUT_MAX ((size_t)32 << 20)
#define CTM_RENDER_PAGES_MAX 500

/* Appends the PDF to out. INPUT (a member is missing or wrong, named by pointer), UNSUPPORTED (unknown kind), TOOBIG (too many
 * pages), NOMEM, IO (the drawing library gave up). */
CTM_CHECK int ctm_render(const char *kind, const ctm_json *in, struct ctm_buf *out, struct ctm_err *err);

#endif
