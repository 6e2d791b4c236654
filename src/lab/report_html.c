/* SPDX-License-Identifier: Apache-2.0
 *
 * report.html from report.json: one file, no script, no outside resource, readable in light, dark and print. Every text that
 * came from anywhere is escaped. Status is word, mark and colour, never colour alone.
 */
#include "lab/report.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

static const char style[] =
	":root{--ink:#1b1f24;--mute:#57606a;--line:#d0d7de;--paper:#fff;--band:#f6f8fa;--good:#116329;--bad:#a40e26;--warn:#7d4e00;--accent:#0b4f8a}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--mute:#9aa4af;--line:#3d444d;--paper:#0d1117;--band:#161b22;--good:#56d364;--bad:#ff8f87;--warn:#e3b341;--accent:#79b8ff}}"
	"*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}"
	"main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}h1{font-size:26px;line-height:1.25;margin:0 0 4px}h2{font-size:19px;margin:40px 0 12px}h3{font-size:16px;margin:24px 0 4px}"
	"p{margin:4px 0 8px;max-width:75ch}.mute{color:var(--mute)}.small{font-size:13px}code{font:12px/1.4 ui-monospace,monospace;overflow-wrap:anywhere}"
	"table{border-collapse:collapse;width:100%;font-size:14px}th,td{text-align:left;vertical-align:top;padding:6px 10px 6px 0;border-bottom:1px solid var(--line)}"
	"thead th{border-bottom:2px solid var(--line);font-weight:600}.scroll{overflow-x:auto}.num{text-align:right}"
	"dl{display:grid;grid-template-columns:minmax(150px,220px) 1fr;gap:4px 16px;margin:12px 0}dt{color:var(--mute)}dd{margin:0;overflow-wrap:anywhere}"
	".s{white-space:nowrap;font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}.none{color:var(--mute);font-weight:400}"
	".note{border-left:4px solid var(--bad);padding:8px 14px;background:var(--band)}.finding{border-left:4px solid var(--bad);padding:2px 0 2px 16px;margin:20px 0}"
	"details{margin:2px 0}summary{cursor:pointer;color:var(--accent)}ul{margin:4px 0 8px;padding-left:20px}"
	"@media print{body{font-size:11px}main{max-width:none;padding:0}h2{break-after:avoid}tr,.finding{break-inside:avoid}details>*{display:block}}";

static void esc(struct ctm_buf *b, const char *s)
{
	ctm_html_escape(b, s, strlen(s));
}

/* Literal markup around one escaped text. */
static void wrap(struct ctm_buf *b, const char *open, const char *text, const char *close)
{
	ctm_buf_str(b, open);
	esc(b, text);
	ctm_buf_str(b, close);
}

static void status(struct ctm_buf *b, const char *word)
{
	static const struct { const char *word, *class, *text; } rows[] = {
		{ "met", "good", "\xe2\x9c\x93 met" }, { "not_met", "bad", "\xe2\x9c\x97 not met" }, { "undetermined", "warn", "? undetermined" }, { "not_applicable", "none", "\xe2\x80\x93 not applicable" },
		{ "PASS", "good", "\xe2\x9c\x93 PASS" }, { "FAIL", "bad", "\xe2\x9c\x97 FAIL" }, { "INCONCLUSIVE", "warn", "? INCONCLUSIVE" }, { "NOT_APPLICABLE", "none", "\xe2\x80\x93 NOT APPLICABLE" },
		{ "NOT_RUN", "warn", "\xc2\xb7 NOT RUN" }, { "ERROR", "warn", "! ERROR" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].word, word) == 0) {
			ctm_buf_printf(b, "<span class=\"s %s\">%s</span>", rows[i].class, rows[i].text);
			return;
		}
}

static void fact(struct ctm_buf *b, const char *name, const char *value)
{
	wrap(b, "<dt>", name, "</dt>");
	wrap(b, "<dd>", value[0] ? value : "none", "</dd>\n");
}

static void code_fact(struct ctm_buf *b, const char *name, const char *value)
{
	wrap(b, "<dt>", name, "</dt>");
	wrap(b, "<dd><code>", value, "</code></dd>\n");
}

static void list_fact(struct ctm_buf *b, const char *name, const ctm_json *list)
{
	wrap(b, "<dt>", name, "</dt><dd>");
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const char *s = ctm_json_str(ctm_json_at(list, i));
		wrap(b, i ? "<br>" : "", s ? s : "", "");
	}
	ctm_buf_str(b, ctm_json_len(list) ? "</dd>\n" : "none</dd>\n");
}

/* ---- parts ---- */

static void head(struct ctm_buf *b, const ctm_json *r)
{
	const ctm_json *item = ctm_json_get(r, "item");

	wrap(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>", j_text(r, "number"), " ");
	wrap(b, "", j_text(item, "name"), "</title><style>");
	ctm_buf_str(b, style);
	wrap(b, "</style></head>\n<body><main>\n<p class=\"mute\">", j_text(ctm_json_get(r, "lab"), "name"), "</p>\n");
	wrap(b, "<h1>", j_text(r, "title"), "</h1>\n");
	wrap(b, "<p>", j_text(item, "name"), ", ");
	wrap(b, "model ", j_text(item, "model"), ", ");
	wrap(b, "version ", j_text(item, "version"), ". ");
	wrap(b, "Report ", j_text(r, "number"), ".</p>\n");
	if (ctm_json_getb(r, "rehearsal", false))
		ctm_buf_str(b, "<p class=\"note\"><b>Rehearsal.</b> This run was made to prepare; it can never be cited in an application.</p>\n");
	wrap(b, "<p><b>", j_text(r, "statement"), "</b></p>\n");
}

static void matrix(struct ctm_buf *b, const ctm_json *table)
{
	const ctm_json *columns = ctm_json_get(table, "components"), *rows = ctm_json_get(table, "rows");

	ctm_buf_str(b, "<h2>Outcomes and components</h2>\n<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Outcome of NIST IR 8425</th>");
	for (size_t i = 0; i < ctm_json_len(columns); i++)
		wrap(b, "<th scope=\"col\">", j_text(ctm_json_at(columns, i), "name"), "</th>");
	ctm_buf_str(b, "</tr></thead><tbody>\n");
	for (size_t i = 0; i < ctm_json_len(rows); i++) {
		const ctm_json *row = ctm_json_at(rows, i), *cells = ctm_json_get(row, "cells");
		wrap(b, "<tr><th scope=\"row\">", j_text(row, "outcome"), " <span class=\"none\">");
		wrap(b, "", j_text(row, "name"), "</span></th>");
		for (size_t k = 0; k < ctm_json_len(cells); k++) {
			const ctm_json *c = ctm_json_at(cells, k);
			wrap(b, "<td title=\"", j_text(c, "why"), "\">");
			status(b, j_text(c, "status"));
			ctm_buf_str(b, "</td>");
		}
		ctm_buf_str(b, "</tr>\n");
	}
	ctm_buf_str(b, "</tbody></table></div>\n");
}

static void evidence(struct ctm_buf *b, const ctm_json *list)
{
	ctm_buf_printf(b, "<details><summary>%zu observations</summary><ul class=\"small\">", ctm_json_len(list));
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *e = ctm_json_at(list, i);
		ctm_buf_printf(b, "<li>%lld ", (long long)ctm_json_geti(e, "seq", 0));
		wrap(b, "", j_text(e, "kind"), " <code>");
		wrap(b, "", j_text(e, "digest"), "</code></li>");
	}
	ctm_buf_str(b, "</ul></details>\n");
}

static void texts(struct ctm_buf *b, const ctm_json *list)
{
	ctm_buf_str(b, "<ul>");
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const char *s = ctm_json_str(ctm_json_at(list, i));
		wrap(b, "<li>", s ? s : "", "</li>");
	}
	ctm_buf_str(b, "</ul>\n");
}

static void findings(struct ctm_buf *b, const ctm_json *list)
{
	ctm_buf_str(b, "<h2>Findings</h2>\n");
	if (ctm_json_len(list) == 0)
		ctm_buf_str(b, "<p>No check failed.</p>\n");
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *f = ctm_json_at(list, i), *outcomes = ctm_json_get(f, "outcomes");
		ctm_buf_printf(b, "<section class=\"finding\"><h3>%lld. ", (long long)ctm_json_geti(f, "number", 0));
		wrap(b, "", j_text(f, "sentence"), "</h3>\n");
		wrap(b, "<p class=\"mute small\">Check ", j_text(f, "check"), ", ");
		wrap(b, "", j_text(f, "title"), ", on ");
		wrap(b, "", j_text(f, "component_name"), "</p>\n");
		for (size_t k = 0; k < ctm_json_len(outcomes); k++) {
			wrap(b, "<p><b>", j_text(ctm_json_at(outcomes, k), "id"), "</b> ");
			wrap(b, "asks: ", j_text(ctm_json_at(outcomes, k), "text"), ".</p>\n");
		}
		texts(b, ctm_json_get(f, "what"));
		wrap(b, "<p><b>What would help:</b> ", j_text(f, "remedy"), "</p>\n");
		evidence(b, ctm_json_get(f, "evidence"));
		ctm_buf_str(b, "</section>\n");
	}
}

static void particulars(struct ctm_buf *b, const ctm_json *r)
{
	const ctm_json *lab = ctm_json_get(r, "lab"), *customer = ctm_json_get(r, "customer"), *item = ctm_json_get(r, "item"), *dates = ctm_json_get(r, "dates"),
		*d = ctm_json_get(r, "digests");

	ctm_buf_str(b, "<h2>Particulars</h2>\n<dl>\n");
	fact(b, "Report number", j_text(r, "number"));
	fact(b, "Laboratory", j_text(lab, "name"));
	fact(b, "Address", j_text(lab, "address"));
	fact(b, "Place of the work", j_text(lab, "place"));
	fact(b, "Customer", j_text(customer, "name"));
	fact(b, "Contact of the customer", j_text(customer, "contact"));
	fact(b, "Item", j_text(item, "name"));
	fact(b, "Component on the bench", j_text(item, "component"));
	fact(b, "Model", j_text(item, "model"));
	fact(b, "Serial of the sample", j_text(item, "serial"));
	fact(b, "Version evaluated", j_text(item, "version"));
	code_fact(b, "Image", j_text(item, "image_sha256"));
	fact(b, "Condition", j_text(item, "condition"));
	fact(b, "Returned", j_text(item, "returned"));
	fact(b, "Received", j_text(dates, "received"));
	fact(b, "Performed from", j_text(dates, "started"));
	fact(b, "Performed to", j_text(dates, "finished"));
	fact(b, "Issued", j_text(dates, "issued"));
	fact(b, "Performed by", j_text(r, "operator"));
	fact(b, "Authorised by", j_text(r, "authorised_by"));
	fact(b, "Method", j_text(r, "method"));
	fact(b, "Conditions", j_text(r, "conditions"));
	fact(b, "Sampling", j_text(r, "sampling"));
	list_fact(b, "Deviations from the method", ctm_json_get(r, "deviations"));
	list_fact(b, "Exclusions", ctm_json_get(r, "exclusions"));
	list_fact(b, "Results from others", ctm_json_get(r, "external"));
	fact(b, "Decision rule", j_text(r, "decision_rule"));
	fact(b, "Scope of the results", j_text(r, "items_only"));
	code_fact(b, "Challenge of the job", j_text(r, "challenge"));
	code_fact(b, "Plan", j_text(d, "plan"));
	code_fact(b, "Declaration", j_text(d, "declaration"));
	code_fact(b, "Catalogue", j_text(d, "catalogue"));
	code_fact(b, "Observations, last link", j_text(d, "observations"));
	code_fact(b, "Records", j_text(d, "records"));
	ctm_buf_str(b, "</dl>\n");
}

static void joined(struct ctm_buf *b, const ctm_json *list)
{
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const char *s = ctm_json_str(ctm_json_at(list, i));
		wrap(b, i ? ", " : "", s ? s : "", "");
	}
}

/* Name = value unit, and why, for each parameter. */
static void parameters(struct ctm_buf *b, const ctm_json *all)
{
	const ctm_json *p;
	const char *name;
	void *it = NULL;

	if (ctm_json_len(all) == 0)
		return;
	ctm_buf_str(b, "<ul class=\"small mute\">");
	while (ctm_json_each(all, &it, &name, &p)) {
		CTM_AUTO_BUF value = CTM_BUF(8192);
		if (ctm_json_compact(ctm_json_get(p, "value"), &value))
			ctm_buf_reset(&value);
		wrap(b, "<li>", name, " = ");
		wrap(b, "", value.len > 300 ? "(list in the catalogue)" : ctm_buf_cstr(&value), " ");
		wrap(b, "", j_text(p, "unit"), ": ");
		wrap(b, "", j_text(p, "why"), "</li>");
	}
	ctm_buf_str(b, "</ul>\n");
}

static void checks(struct ctm_buf *b, const ctm_json *list)
{
	ctm_buf_str(b, "<h2>Check by check</h2>\n<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Check</th><th scope=\"col\">Verdict</th><th scope=\"col\">What was seen</th>"
		"<th scope=\"col\">Outcome</th><th scope=\"col\">Class</th><th scope=\"col\" class=\"num\">Time</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *c = ctm_json_at(list, i);
		wrap(b, "<tr><th scope=\"row\">", j_text(c, "id"), "<br><span class=\"none\">");
		wrap(b, "", j_text(c, "title"), "</span></th><td>");
		status(b, j_text(c, "verdict"));
		ctm_buf_str(b, "</td><td>");
		texts(b, ctm_json_get(c, "reasons"));
		ctm_buf_str(b, "<details><summary>Rule, numbers, sources</summary>");
		wrap(b, "<p class=\"small\">", j_text(c, "pass"), "</p>");
		parameters(b, ctm_json_get(c, "parameters"));
		ctm_buf_str(b, "<p class=\"small mute\">");
		joined(b, ctm_json_get(c, "source"));
		ctm_buf_str(b, "</p></details>");
		evidence(b, ctm_json_get(c, "evidence"));
		ctm_buf_str(b, "</td><td>");
		joined(b, ctm_json_get(c, "outcomes"));
		wrap(b, "</td><td>", j_text(c, "method"), "<br>");
		wrap(b, "", j_text(c, "danger"), "<br>");
		wrap(b, "", j_text(c, "level"), "</td>");
		ctm_buf_printf(b, "<td class=\"num\">%lld ms</td></tr>\n", (long long)ctm_json_geti(c, "duration_ms", 0));
	}
	ctm_buf_str(b, "</tbody></table></div>\n");
}

static void records(struct ctm_buf *b, const ctm_json *list)
{
	if (ctm_json_len(list) == 0)
		return;
	ctm_buf_str(b, "<h2>Inspections and attestations</h2>\n<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th scope=\"col\">Outcome</th><th scope=\"col\">Verdict</th><th scope=\"col\">Record</th>"
		"<th scope=\"col\">By</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const ctm_json *c = ctm_json_at(list, i);
		wrap(b, "<tr><th scope=\"row\">", j_text(c, "outcome"), "<br><span class=\"none\">");
		wrap(b, "", j_text(c, "component"), "</span></th><td>");
		status(b, j_text(c, "verdict"));
		wrap(b, "<br><span class=\"mute\">", j_text(c, "method"), "</span></td><td><p>");
		wrap(b, "", j_text(c, "text"), "</p>");
		if (j_text(c, "justification")[0])
			wrap(b, "<p class=\"small\"><b>Why this takes the place of a test:</b> ", j_text(c, "justification"), "</p>");
		if (j_text(c, "document")[0])
			wrap(b, "<p><code>", j_text(c, "document"), "</code></p>");
		wrap(b, "</td><td>", j_text(c, "by"), "");
		if (j_text(c, "expires")[0])
			wrap(b, "<br><span class=\"mute\">until ", j_text(c, "expires"), "</span>");
		ctm_buf_str(b, "</td></tr>\n");
	}
	ctm_buf_str(b, "</tbody></table></div>\n");
}

int ctm_report_html(const ctm_json *report, struct ctm_buf *out, struct ctm_err *err)
{
	head(out, report);
	matrix(out, ctm_json_get(report, "table"));
	findings(out, ctm_json_get(report, "findings"));
	particulars(out, report);
	checks(out, ctm_json_get(report, "checks"));
	records(out, ctm_json_get(report, "records"));
	wrap(out, "<p class=\"mute\"><b>End of report ", j_text(report, "number"), "</b></p>\n</main></body></html>\n");
	return ctm_buf_err(out, "report.html", err);
}
