/* SPDX-License-Identifier: Apache-2.0
 *
 * The evaluation report on paper, from the sealed report.json and what issuing added. The order follows ISO/IEC 17025:2017
 * 7.8.2.1: who, for whom, what, when, how; then the statement of conformity with its rule (7.8.6), the matrix, the findings,
 * every check, and a clear end. What report.json does not say is printed as "not stated" rather than left out. The digests
 * of report.json and of the bundle stand on the cover and on every page: the files are the report, this paper is its print.
 */
#include "document/render.h"
#include "document/render_sheet.h"
#include "base/timex.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_ROWS 2000

int ctm_check_report(const ctm_json *in, struct ctm_err *err)
{
	struct ctm_jc c = ctm_jc_root(in, "report"), rep, list;
	const char *s;
	int64_t ms;
	int rc;
	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_str(&c, "number", 1, 60, &s, err)) ||
		(rc = ctm_jc_int(&c, "issued_ms", 0, INT64_C(253402300799999), &ms, err)) || (rc = ctm_jc_str(&c, "authorised_by", 1, 200, &s, err)) ||
		(rc = ctm_jc_str(&c, "bundle_digest", 64, 80, &s, err)) || (rc = ctm_jc_str(&c, "report_digest", 64, 80, &s, err)) ||
		(rc = ctm_jc_key(&c, "report", &rep, err)) || (rc = ctm_jc_is(&rep, CTM_J_OBJ, err)))
		return rc;
	return ctm_jc_arr(&rep, "checks", 0, MAX_ROWS, &list, err);
}

/* --- reading: first of several paths, "a.b|c" --- */

static const ctm_json *find(const ctm_json *root, const char *paths)
{
	char name[64];
	while (*paths) {
		const ctm_json *v = root;
		size_t whole = strcspn(paths, "|");
		for (const char *p = paths; v && p < paths + whole;) {
			size_t n = strcspn(p, ".|");
			snprintf(name, sizeof name, "%.*s", (int)n, p);
			v = ctm_json_get(v, name);
			p += n + 1;
		}
		if (v && ctm_json_type(v) != CTM_J_NULL)
			return v;
		paths += whole + (paths[whole] == '|');
	}
	return NULL;
}

/* Text of a value: strings, numbers, and lists joined to one line. "" when absent. */
static const char *say(const ctm_json *v, char *out, size_t cap)
{
	size_t n = 0;
	const char *s = ctm_json_str(v);
	*out = 0;
	if (s)
		return s;
	if (ctm_json_type(v) == CTM_J_INT)
		snprintf(out, cap, "%" PRId64, ctm_json_int(v, 0));
	else if (ctm_json_type(v) == CTM_J_ARR)
		for (size_t i = 0; i < ctm_json_len(v) && n + 1 < cap; i++) {
			const ctm_json *e = ctm_json_at(v, i);
			const char *one = ctm_json_str(e) ? ctm_json_str(e) : ctm_json_gets(e, "text");
			int k = one ? snprintf(out + n, cap - n, "%s%s", !n ? "" : out[n - 1] == '.' ? " " : "; ", one) : 0;
			n += k > 0 ? (size_t)k : 0;
		}
	return out;
}

static const char *get(const ctm_json *root, const char *paths, char *out, size_t cap)
{
	return say(find(root, paths), out, cap);
}

/* --- the cover: items a to p of ISO/IEC 17025:2017 7.8.2.1, in its order, where not printed elsewhere --- */

static const struct { const char *label, *paths; bool date; } cover[] = {
	{ "Laboratory (b)", "lab.name" },
	{ "Address", "lab.address" },
	{ "Place of the work (c)", "lab.place" },
	{ "Customer (e)", "customer.name" },
	{ "Method (f)", "method" },
	{ "Item (g)", "item.name" },
	{ "Model", "item.model" },
	{ "Component tested live", "item.component" },
	{ "Serial of the sample", "item.serial" },
	{ "Version evaluated", "item.version" },
	{ "SHA-256 of the image", "item.image_sha256" },
	{ "Condition of the item (g)", "item.condition" },
	{ "How the item left the bench", "item.returned" },
	{ "Received (h)", "dates.received", true },
	{ "Performed from (i)", "dates.started", true },
	{ "Performed to (i)", "dates.finished", true },
	{ "Sampling (k)", "sampling" },
	{ "Test conditions (7.8.3.1)", "conditions" },
	{ "Deviations (n)", "deviations" },
	{ "Exclusions (n)", "exclusions" },
	{ "Results of others (p)", "external" },
	{ "Performed by", "operator" },
};

static void cover_facts(struct ctm_sheet *s, const ctm_json *rep)
{
	char tmp[1500], words[64];
	for (size_t i = 0; i < sizeof cover / sizeof *cover; i++) {
		const ctm_json *v = find(rep, cover[i].paths);
		const char *value = say(v, tmp, sizeof tmp);
		int64_t ms;
		if (cover[i].date && strlen(value) > 10 && ctm_time_parse(value, &ms) == 0)
			value = ctm_time_words(s, ms, words);
		else if (cover[i].date)
			value = ctm_date_words(s, value, words);
		if (!*value && ctm_json_type(v) == CTM_J_ARR)
			value = "none";
		if (!strncmp(value, "sha256:", 7))
			value += 7;
		ctm_fact(s, 150, cover[i].label, *value ? value : "not stated");
	}
}

/* --- verdicts --- */

static enum ctm_ink tone(const char *word)
{
	static const struct { const char *word; enum ctm_ink ink; } tones[] = {
		{ "PASS", CTM_INK_GOOD }, { "met", CTM_INK_GOOD }, { "FAIL", CTM_INK_BAD }, { "not_met", CTM_INK_BAD }, { "INCONCLUSIVE", CTM_INK_WARN },
		{ "ERROR", CTM_INK_WARN }, { "undetermined", CTM_INK_WARN },
	};
	for (size_t i = 0; i < sizeof tones / sizeof *tones; i++)
		if (!strcmp(tones[i].word, word))
			return tones[i].ink;
	return CTM_INK_MUTE;
}

static const char *plain(const char *word)
{
	static const struct { const char *word, *text; } words[] = {
		{ "met", "Met" }, { "not_met", "Not met" }, { "undetermined", "Undetermined" }, { "not_applicable", "Not applicable" }, { "PASS", "Pass" },
		{ "FAIL", "Fail" }, { "INCONCLUSIVE", "Inconclusive" }, { "NOT_APPLICABLE", "Not applicable" }, { "NOT_RUN", "Not run" }, { "ERROR", "Error" }, { "", "-" },
	};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(words[i].word, word))
			return words[i].text;
	return word;
}

static const char *str(const ctm_json *o, const char *key)
{
	const char *s = ctm_json_gets(o, key);
	return s ? s : "";
}

/* How many judgements came to what, each with its word on a ground of its tone. */
static void draw_tally(struct ctm_sheet *s, const ctm_json *rep)
{
	static const char *const words[] = { "met", "not_met", "undetermined", "not_applicable" };
	const ctm_json *rows = ctm_json_get(ctm_json_get(rep, "table"), "rows");
	int counts[4] = { 0 };
	for (size_t r = 0; r < ctm_json_len(rows); r++) {
		const ctm_json *cells = ctm_json_get(ctm_json_at(rows, r), "cells");
		for (size_t c = 0; c < ctm_json_len(cells); c++)
			for (size_t i = 0; i < 4; i++)
				counts[i] += !strcmp(str(ctm_json_at(cells, c), "status"), words[i]);
	}
	double x = s->left, w = (s->right - s->left) / 4, h = 46;
	for (size_t i = 0; i < 4; i++, x += w) {
		char number[24];
		enum ctm_ink ink = counts[i] ? tone(words[i]) : CTM_INK_MUTE;
		snprintf(number, sizeof number, "%d", counts[i]);
		ctm_sheet_ground(s, x, s->y, w, h, ink);
		ctm_tag_open(s, "P");
		ctm_text_at(s, x + 10, s->y + 7, w - 20, CTM_TY_HEAD, ink, PANGO_ALIGN_LEFT, NULL, number);
		ctm_text_at(s, x + 10, s->y + 26, w - 20, CTM_TY_LABEL, ink, PANGO_ALIGN_LEFT, NULL, plain(words[i]));
		ctm_tag_close(s, "P");
	}
	s->y += h + 14;
}

static void draw_cover(struct ctm_sheet *s, const ctm_json *in, const ctm_json *rep)
{
	char tmp[400], words[64];
	ctm_sheet_box(s, s->left, s->y, 36, 4, CTM_INK_ACCENT);
	s->y += 18;
	ctm_sheet_outline(s, "Cover");
	ctm_text(s, CTM_TY_TITLE, CTM_INK, 4, "H1", "Evaluation report");
	const char *item = get(rep, "item.name|title", tmp, sizeof tmp);
	ctm_text(s, CTM_TY_HEAD, CTM_INK_ACCENT, 10, "P", *item ? item : "Consumer IoT product");
	if (ctm_json_getb(in, "rehearsal", false))
		ctm_text(s, CTM_TY_BOLD, CTM_INK_BAD, 8, "P", "Rehearsal. This report can never be cited in an application.");
	draw_tally(s, rep);
	ctm_fact(s, 150, "Report number (d)", ctm_json_gets(in, "number"));
	ctm_fact(s, 150, "Issued (j)", ctm_time_words(s, ctm_json_geti(in, "issued_ms", -1), words));
	ctm_fact(s, 150, "Authorised by (o)", ctm_json_gets(in, "authorised_by"));
	cover_facts(s, rep);
	ctm_sheet_rule(s, 6);
	ctm_text(s, CTM_TY_SMALL, CTM_INK_MUTE, 2, "P", "SHA-256 of report.json, of which this is the print");
	ctm_text(s, CTM_TY_MONO, CTM_INK, 5, "P", ctm_json_gets(in, "report_digest"));
	ctm_text(s, CTM_TY_SMALL, CTM_INK_MUTE, 2, "P", "SHA-256 of the sealed evidence bundle, from which the same report can be made again (ctm lab replay)");
	ctm_text(s, CTM_TY_MONO, CTM_INK, 8, "P", ctm_json_gets(in, "bundle_digest"));
	const char *only = get(rep, "items_only", tmp, sizeof tmp);
	ctm_textf(s, CTM_TY_SMALL, CTM_INK, 0, "P", "%s (l) The report is reproduced only in full unless the laboratory agrees in writing.",
		*only ? only : "The results relate only to the items tested.");
}

/* --- the statement and the matrix --- */

static void draw_statement(struct ctm_sheet *s, const ctm_json *rep)
{
	char tmp[3000];
	const ctm_json *checks = ctm_json_get(rep, "checks");
	static const char *const verdicts[] = { "PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE", "NOT_RUN", "ERROR" };
	int counts[6] = { 0 }, n = 0;
	for (size_t i = 0; i < ctm_json_len(checks); i++)
		for (int v = 0; v < 6; v++)
			counts[v] += !strcmp(str(ctm_json_at(checks, i), "verdict"), verdicts[v]);
	ctm_heading(s, CTM_TY_HEAD, "Statement of conformity");
	const char *st = get(rep, "statement", tmp, sizeof tmp);
	if (*st)
		ctm_text(s, CTM_TY_BODY, CTM_INK, 6, "P", st);
	for (int v = 0; v < 6; v++)
		if (counts[v])
			n += snprintf(tmp + n, sizeof tmp - (size_t)n, "%s%s %d", n ? ", " : "", plain(verdicts[v]), counts[v]);
	ctm_textf(s, CTM_TY_BOLD, CTM_INK, 6, "P", "%zu checks: %s.", ctm_json_len(checks), n ? tmp : "none");
	const char *rule = get(rep, "decision_rule", tmp, sizeof tmp);
	ctm_textf(s, CTM_TY_BODY, CTM_INK, 10, "P", "Decision rule (7.8.6): %s", *rule ? rule : "not stated");
}

static void draw_matrix(struct ctm_sheet *s, const ctm_json *rep)
{
	const ctm_json *m = ctm_json_get(rep, "table"), *comps = ctm_json_get(m, "components"), *rows = ctm_json_get(m, "rows");
	size_t nc = ctm_json_len(comps);
	if (ctm_json_type(rows) != CTM_J_ARR || !nc)
		return;
	nc = nc > CTM_TABLE_COLS - 1 ? CTM_TABLE_COLS - 1 : nc;
	struct ctm_table t = { .ncol = (int)nc + 1, .col = { { "Outcome (NIST IR 8425)", 3.2, CTM_TY_SMALL } } };
	for (size_t i = 0; i < nc; i++) {
		const ctm_json *c = ctm_json_at(comps, i);
		t.col[i + 1] = (struct ctm_col){ ctm_json_str(c) ? ctm_json_str(c) : *str(c, "name") ? str(c, "name") : str(c, "id"), 1.4, CTM_TY_SMALL };
	}
	ctm_heading(s, CTM_TY_HEAD, "Outcomes and components");
	ctm_table_head(s, &t);
	for (size_t r = 0; r < ctm_json_len(rows) && r < MAX_ROWS; r++) {
		const ctm_json *row = ctm_json_at(rows, r), *cells = ctm_json_get(row, "cells");
		char label[300];
		snprintf(label, sizeof label, "%s  %s", str(row, "outcome"), *str(row, "name") ? str(row, "name") : str(row, "text"));
		struct ctm_tcell line[CTM_TABLE_COLS] = { { label } };
		for (size_t i = 0; i < nc; i++) {
			const char *status = str(ctm_json_at(cells, i), "status");
			line[i + 1] = (struct ctm_tcell){ plain(status), tone(status), *status };
		}
		ctm_table_row(s, &t, line);
	}
	ctm_table_end(s);
	s->y += 12;
}

/* --- findings and checks --- */

static const char *component_of(const ctm_json *c)
{
	return *str(c, "component_name") ? str(c, "component_name") : str(c, "component");
}

/* Records name components by id: the name is in the matrix's heads. */
static const char *name_of(const ctm_json *rep, const char *id)
{
	const ctm_json *comps = ctm_json_get(ctm_json_get(rep, "table"), "components");
	for (size_t i = 0; i < ctm_json_len(comps); i++)
		if (!strcmp(str(ctm_json_at(comps, i), "id"), id) && *str(ctm_json_at(comps, i), "name"))
			return str(ctm_json_at(comps, i), "name");
	return id;
}

static void draw_findings(struct ctm_sheet *s, const ctm_json *rep)
{
	char tmp[3000], oc[600];
	const ctm_json *list = ctm_json_get(rep, "findings");
	ctm_heading(s, CTM_TY_HEAD, "Findings");
	for (size_t i = 0; i < ctm_json_len(list) && i < MAX_ROWS; i++) {
		const ctm_json *f = ctm_json_at(list, i), *outcomes = ctm_json_get(f, "outcomes");
		size_t n = 0;
		*oc = 0;
		for (size_t k = 0; k < ctm_json_len(outcomes) && n < sizeof oc; k++)
			n += (size_t)snprintf(oc + n, sizeof oc - n, "%s%s (%s)", n ? ", " : "", str(ctm_json_at(outcomes, k), "id"), str(ctm_json_at(outcomes, k), "text"));
		ctm_sheet_need(s, 60);
		ctm_textf(s, CTM_TY_SUB, CTM_INK_BAD, 1, "H2", "%zu. %s", i + 1, str(f, "title"));
		ctm_textf(s, CTM_TY_SMALL, CTM_INK_MUTE, 2, "P", "Check %s on %s. Requirement: %s", str(f, "check"), component_of(f), *oc ? oc : "not stated");
		ctm_text(s, CTM_TY_BODY, CTM_INK, 2, "P", get(f, "what", tmp, sizeof tmp));
		if (*str(f, "remedy"))
			ctm_textf(s, CTM_TY_BODY, CTM_INK, 2, "P", "What would help: %s", str(f, "remedy"));
		s->y += 6;
	}
	if (!ctm_json_len(list))
		ctm_text(s, CTM_TY_BODY, CTM_INK, 10, "P", "No check failed.");
}

static void draw_records(struct ctm_sheet *s, const ctm_json *rep)
{
	const ctm_json *list = ctm_json_get(rep, "records");
	struct ctm_table t = { .ncol = 5, .col = { { "Outcome", 1, CTM_TY_SMALL }, { "Component", 1.2, CTM_TY_SMALL }, { "Method", 1.1, CTM_TY_SMALL },
		{ "Record", 4, CTM_TY_SMALL }, { "Verdict", 1.1, CTM_TY_SMALL } } };
	if (!ctm_json_len(list))
		return;
	ctm_heading(s, CTM_TY_HEAD, "Inspections and attestations");
	ctm_table_head(s, &t);
	for (size_t i = 0; i < ctm_json_len(list) && i < MAX_ROWS; i++) {
		const ctm_json *c = ctm_json_at(list, i);
		char text[1200];
		snprintf(text, sizeof text, "%s%s%s%s%s", str(c, "text"), *str(c, "justification") ? " Justification: " : "", str(c, "justification"),
			*str(c, "by") ? " By " : "", str(c, "by"));
		const char *v = str(c, "verdict");
		struct ctm_tcell cells[5] = { { str(c, "outcome") }, { name_of(rep, component_of(c)) }, { str(c, "method") }, { text }, { plain(v), tone(v), true } };
		ctm_table_row(s, &t, cells);
	}
	ctm_table_end(s);
	s->y += 12;
}

static void draw_summary(struct ctm_sheet *s, const ctm_json *checks)
{
	char oc[300];
	struct ctm_table t = { .ncol = 5, .col = { { "Check", 1.1, CTM_TY_MONO }, { "What was checked", 4, CTM_TY_SMALL }, { "Outcome", 1.2, CTM_TY_SMALL },
		{ "Component", 1.3, CTM_TY_SMALL }, { "Verdict", 1.3, CTM_TY_SMALL } } };
	ctm_heading(s, CTM_TY_HEAD, "Checks at a glance");
	ctm_table_head(s, &t);
	for (size_t i = 0; i < ctm_json_len(checks); i++) {
		const ctm_json *c = ctm_json_at(checks, i);
		const char *v = str(c, "verdict");
		struct ctm_tcell cells[5] = { { str(c, "id") }, { str(c, "title") }, { get(c, "outcomes", oc, sizeof oc) }, { component_of(c) }, { plain(v), tone(v), true } };
		ctm_table_row(s, &t, cells);
	}
	ctm_table_end(s);
	s->y += 12;
}

/* "12 call, 13 tls": sequence numbers and kinds of the observations a verdict rests on. */
static const char *evidence_of(const ctm_json *c, char *out, size_t cap)
{
	const ctm_json *list = ctm_json_get(c, "evidence");
	size_t n = 0;
	*out = 0;
	for (size_t i = 0; i < ctm_json_len(list) && n + 80 < cap; i++) {
		const ctm_json *e = ctm_json_at(list, i);
		n += (size_t)snprintf(out + n, cap - n, "%s%" PRId64 " %.40s", i ? ", " : "", ctm_json_geti(e, "seq", 0), str(e, "kind"));
	}
	return out;
}

static void draw_check(struct ctm_sheet *s, const ctm_json *c)
{
	static const struct { const char *label, *paths; } facts[] = { { "Pass rule", "pass" }, { "Result", "reasons" }, { "Source", "source" } };
	char tmp[3000], oc[300];
	const char *v = str(c, "verdict");
	ctm_sheet_need(s, 110);
	ctm_sheet_rule(s, 4);
	double w = s->right - s->left;
	double h = ctm_text_at(s, s->left, s->y, w - 100, CTM_TY_SUB, CTM_INK, PANGO_ALIGN_LEFT, "H2", str(c, "title"));
	ctm_text_at(s, s->right - 100, s->y, 100, CTM_TY_SUB, tone(v), PANGO_ALIGN_RIGHT, "P", plain(v));
	s->y += h + 1;
	ctm_textf(s, CTM_TY_SMALL, CTM_INK_MUTE, 4, "P", "%s edition %" PRId64 " · %s · %s%s%s · %s", str(c, "id"), ctm_json_geti(c, "version", 1),
		get(c, "outcomes", oc, sizeof oc), component_of(c), *str(c, "method") ? " · by " : "", str(c, "method"), *str(c, "level") ? str(c, "level") : "mandatory");
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		const char *value = get(c, facts[i].paths, tmp, sizeof tmp);
		if (*value)
			ctm_fact(s, 90, facts[i].label, value);
	}
	const char *evidence = evidence_of(c, tmp, sizeof tmp);
	if (*evidence)
		ctm_fact(s, 90, "Observations", evidence);
}

static void draw_digests(struct ctm_sheet *s, const ctm_json *rep)
{
	static const char *const names[][2] = { { "plan", "Plan" }, { "declaration", "Declaration" }, { "catalogue", "Catalogue" }, { "observations", "Observations" }, { "records", "Records" } };
	const ctm_json *d = ctm_json_get(rep, "digests");
	if (!ctm_json_len(d))
		return;
	ctm_heading(s, CTM_TY_HEAD, "What the verdicts were made from");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (*str(d, names[i][0]))
			ctm_fact(s, 90, names[i][1], str(d, names[i][0]));
	s->y += 8;
}

void ctm_draw_report(struct ctm_sheet *s, const ctm_json *in)
{
	const ctm_json *rep = ctm_json_get(in, "report"), *checks = ctm_json_get(rep, "checks");
	draw_cover(s, in, rep);
	ctm_sheet_page(s);
	draw_statement(s, rep);
	draw_matrix(s, rep);
	draw_findings(s, rep);
	draw_summary(s, checks);
	draw_records(s, rep);
	ctm_sheet_page(s);
	ctm_heading(s, CTM_TY_HEAD, "Check by check");
	for (size_t i = 0; i < ctm_json_len(checks) && !s->failed; i++)
		draw_check(s, ctm_json_at(checks, i));
	s->y += 16;
	draw_digests(s, rep);
	ctm_sheet_need(s, 40);
	ctm_sheet_rule(s, 8);
	ctm_textf(s, CTM_TY_BOLD, CTM_INK, 0, "P", "End of report %s", ctm_json_gets(in, "number"));
}
