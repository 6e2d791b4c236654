/* SPDX-License-Identifier: Apache-2.0
 *
 * Making report.json, and refusing one that is not whole. See report.h.
 */
#include "lab/report.h"
#include "lab/matrix.h"
#include "lab/plan.h"
#include "base/text.h"
#include "crypto/hash.h"
#include <stdio.h>
#include <string.h>

#define REPORT_MAX ((size_t)32 << 20)

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the report");
}

/* First observation of the run itself with that kind. */
static const struct ctm_obs *of_run(const struct ctm_trace *t, const char *kind)
{
	for (size_t i = 0; i < t->n; i++)
		if (!t->obs[i].check[0] && strcmp(t->obs[i].kind, kind) == 0)
			return &t->obs[i];
	return NULL;
}

static const char *or(const char *a, const char *b)
{
	return a && a[0] ? a : b;
}

/* ---- head ---- */

static int add_lab(const struct ctm_lab_facts *f, const ctm_json *bench, ctm_json *out)
{
	const ctm_json *lab = ctm_json_get(bench, "lab") ? ctm_json_get(bench, "lab") : ctm_json_get(f->plan, "lab");
	ctm_json *o = ctm_json_obj();

	if (!o || ctm_json_sets(o, "name", j_text(lab, "name")) || ctm_json_sets(o, "address", j_text(lab, "address")) ||
	    ctm_json_sets(o, "place", or(j_text(bench, "place"), j_text(lab, "address"))) || ctm_json_sets(o, "bench_id", j_text(bench, "bench_id"))) {
		ctm_json_free(o);
		return CTM_E_NOMEM;
	}
	return ctm_json_set(out, "lab", o);
}

/* How the sample left the bench: what the engine changed, it puts back or says that it could not. */
static const char *returned(const struct ctm_lab_facts *f, char *buf, size_t cap)
{
	const struct ctm_obs *o = of_run(f->trace, "run.returned");

	if (!o)
		return "not reset by the bench";
	if (ctm_json_getb(o->data, "ok", false))
		return "reset to its delivered state; the printed password holds again";
	snprintf(buf, cap, "NOT as delivered: %s", j_text(o->data, "why"));
	return buf;
}

static int add_item(const struct ctm_lab_facts *f, const ctm_json *bench, ctm_json *out)
{
	char buf[160];
	const ctm_json *product = ctm_json_get(f->plan, "product");
	ctm_json *o = ctm_json_obj();

	if (!o || ctm_json_sets(o, "name", j_text(product, "name")) || ctm_json_sets(o, "model", j_text(product, "model")) ||
	    ctm_json_sets(o, "component", ctm_plan_name(f->plan, j_text(f->plan, "device"))) || ctm_json_sets(o, "serial", j_text(bench, "serial")) ||
	    ctm_json_sets(o, "version", or(j_text(bench, "release_version"), j_text(f->declaration, "version"))) ||
	    ctm_json_sets(o, "image_sha256", j_text(bench, "release_image")) || ctm_json_sets(o, "condition", or(j_text(bench, "condition"), "as received, no damage noted")) ||
	    ctm_json_sets(o, "returned", returned(f, buf, sizeof buf))) {
		ctm_json_free(o);
		return CTM_E_NOMEM;
	}
	return ctm_json_set(out, "item", o);
}

static int add_dates(const ctm_json *bench, const struct ctm_obs *begin, const struct ctm_obs *end, ctm_json *out)
{
	char day[16];
	ctm_json *o = ctm_json_obj();

	snprintf(day, sizeof day, "%.10s", begin->at);
	if (!o || ctm_json_sets(o, "received", or(j_text(bench, "received"), day)) || ctm_json_sets(o, "started", begin->at) ||
	    ctm_json_sets(o, "finished", end->at) || ctm_json_sets(o, "issued", end->at)) {
		ctm_json_free(o);
		return CTM_E_NOMEM;
	}
	return ctm_json_set(out, "dates", o);
}

static int add_words(const struct ctm_lab_facts *f, const ctm_json *bench, ctm_json *out)
{
	const char *title = j_text(f->plan, "title");

	return ctm_json_sets(out, "format", CTM_REPORT_FORMAT) || ctm_json_sets(out, "title", title) || ctm_json_sets(out, "number", j_text(f->plan, "number")) ||
		ctm_json_setb(out, "rehearsal", ctm_json_getb(f->plan, "rehearsal", false)) || ctm_json_sets(out, "job", j_text(f->plan, "job")) ||
		ctm_json_sets(out, "challenge", j_text(f->plan, "challenge")) || ctm_json_set(out, "customer", ctm_json_copy(ctm_json_get(f->plan, "customer"))) ||
		ctm_json_sets(out, "operator", j_text(bench, "operator")) ||
		ctm_json_sets(out, "authorised_by", or(j_text(bench, "approver"), or(j_text(f->plan, "approver"), j_text(bench, "operator")))) ||
		ctm_json_sets(out, "method", j_text(f->plan, "method")) ||
		ctm_json_sets(out, "sampling", "One sample, chosen by the customer; no statement is made about other units.") ||
		ctm_json_setf(out, "conditions", "Bench %s, sample at %s port %lld, on mains power, network as in the bench file.", j_text(bench, "bench_id"), j_text(bench, "address"), (long long)ctm_json_geti(bench, "port", 0)) ||
		ctm_json_set(out, "deviations", ctm_json_copy(ctm_json_get(f->plan, "deviations"))) || ctm_json_set(out, "external", ctm_json_arr()) ||
		ctm_json_sets(out, "items_only", "The results relate only to the item tested, as received.") || ctm_json_sets(out, "decision_rule", j_text(f->plan, "decision_rule"));
}

static int add_digests(const struct ctm_lab_facts *f, ctm_json *out, struct ctm_err *err)
{
	char plan[72], declaration[72], catalogue[72], records[72];
	ctm_json *o = ctm_json_obj();
	int rc;

	if ((rc = ctm_json_digest(f->plan, plan, err)) || (rc = ctm_json_digest(f->declaration, declaration, err)) ||
	    (rc = ctm_json_digest(f->catalogue->root, catalogue, err)) || (rc = ctm_json_digest(f->records, records, err))) {
		ctm_json_free(o);
		return rc;
	}
	if (!o || ctm_json_sets(o, "plan", plan) || ctm_json_sets(o, "declaration", declaration) || ctm_json_sets(o, "catalogue", catalogue) ||
	    ctm_json_sets(o, "records", records) || ctm_json_sets(o, "observations", f->trace->head)) {
		ctm_json_free(o);
		return oom(err);
	}
	return ctm_json_set(out, "digests", o) ? oom(err) : 0;
}

/* ---- checks, findings, exclusions ---- */

static int add_outcomes(const struct ctm_lab_facts *f, const struct ctm_check *k, ctm_json *o)
{
	ctm_json *list = ctm_json_arr();

	for (size_t i = 0; list && i < ctm_json_len(k->outcomes); i++) {
		const struct ctm_lab_outcome *out = ctm_lab_outcome_find(f->catalogue, ctm_json_str(ctm_json_at(k->outcomes, i)));
		ctm_json *e = ctm_json_obj();
		if (!out || !e || ctm_json_sets(e, "id", out->id) || ctm_json_sets(e, "text", out->text)) {
			ctm_json_free(e);
			ctm_json_free(list);
			return CTM_E_NOMEM;
		}
		if (ctm_json_add(list, e)) {
			ctm_json_free(list);
			return CTM_E_NOMEM;
		}
	}
	return ctm_json_set(o, "outcomes", list);
}

static int add_finding(const struct ctm_lab_facts *f, const ctm_json *c, const struct ctm_check *k, ctm_json *out)
{
	ctm_json *o = ctm_json_obj();

	if (!o || ctm_json_seti(o, "number", (int64_t)ctm_json_len(out) + 1) || ctm_json_sets(o, "check", k->id) || ctm_json_sets(o, "title", k->title) ||
	    ctm_json_sets(o, "component", j_text(c, "component")) || ctm_json_sets(o, "component_name", j_text(c, "component_name")) ||
	    ctm_json_sets(o, "sentence", k->fail) || ctm_json_set(o, "what", ctm_json_copy(ctm_json_get(c, "reasons"))) ||
	    ctm_json_set(o, "evidence", ctm_json_copy(ctm_json_get(c, "evidence"))) || ctm_json_sets(o, "remedy", k->remedy) ||
	    ctm_json_set(o, "source", ctm_json_copy(k->source)) || add_outcomes(f, k, o)) {
		ctm_json_free(o);
		return CTM_E_NOMEM;
	}
	return ctm_json_add(out, o);
}

/* Findings of failed checks; exclusions of what was not run; pass rule and remedy into every check. */
static int add_findings(const struct ctm_lab_facts *f, ctm_json *checks, ctm_json *out, struct ctm_err *err)
{
	ctm_json *findings = ctm_json_arr(), *exclusions = ctm_json_arr();
	int bad = !findings || !exclusions;

	for (size_t i = 0; i < ctm_json_len(checks) && !bad; i++) {
		const ctm_json *c = ctm_json_at(checks, i);
		const struct ctm_check *k = ctm_check_find(f->catalogue, j_text(c, "id"));
		if (strcmp(j_text(c, "verdict"), "FAIL") == 0)
			bad = add_finding(f, c, k, findings);
		if (!bad && strcmp(j_text(c, "verdict"), "NOT_RUN") == 0) {
			char line[400];
			const char *why = ctm_json_str(ctm_json_at(ctm_json_get(c, "reasons"), 0));
			snprintf(line, sizeof line, "%s %s: %.250s", k->id, k->title, why ? why : "not run");
			line[ctm_utf8_span(line, strlen(line))] = '\0';
			bad = ctm_json_adds(exclusions, line);
		}
	}
	if (ctm_json_set(out, "findings", findings))
		bad = 1;
	if (ctm_json_set(out, "exclusions", exclusions))
		bad = 1;
	return bad ? oom(err) : 0;
}

/* ---- the matrix laid out ---- */

static const ctm_json *cell_of(const ctm_json *matrix, const char *outcome, const char *component)
{
	for (size_t i = 0; i < ctm_json_len(matrix); i++) {
		const ctm_json *c = ctm_json_at(matrix, i);
		if (strcmp(j_text(c, "outcome"), outcome) == 0 && strcmp(j_text(c, "component"), component) == 0)
			return c;
	}
	return NULL;
}

static int add_column(ctm_json *out, const char *id, const char *name, const char *kind)
{
	ctm_json *o = ctm_json_obj();

	if (!o || ctm_json_sets(o, "id", id) || ctm_json_sets(o, "name", name) || ctm_json_sets(o, "kind", kind)) {
		ctm_json_free(o);
		return CTM_E_NOMEM;
	}
	return ctm_json_add(out, o);
}

static int add_row(const struct ctm_lab_outcome *o, const ctm_json *columns, const ctm_json *matrix, ctm_json *rows)
{
	ctm_json *row = ctm_json_obj(), *cells = ctm_json_arr();
	int bad = !row || !cells;

	for (size_t i = 0; i < ctm_json_len(columns) && !bad; i++) {
		const ctm_json *c = cell_of(matrix, o->id, j_text(ctm_json_at(columns, i), "id"));
		ctm_json *e = ctm_json_obj();
		bad = !e || ctm_json_sets(e, "status", j_text(c, "status")) || ctm_json_sets(e, "why", j_text(c, "why"));
		if (bad)
			ctm_json_free(e);
		else
			bad = ctm_json_add(cells, e);
	}
	if (bad || ctm_json_sets(row, "outcome", o->id) || ctm_json_sets(row, "name", o->name) || ctm_json_sets(row, "text", o->text)) {
		ctm_json_free(cells);
		ctm_json_free(row);
		return CTM_E_NOMEM;
	}
	if (ctm_json_set(row, "cells", cells)) {
		ctm_json_free(row);
		return CTM_E_NOMEM;
	}
	return ctm_json_add(rows, row);
}

static int add_table(const struct ctm_lab_facts *f, const ctm_json *matrix, ctm_json *out, struct ctm_err *err)
{
	const ctm_json *components = ctm_json_get(f->plan, "components");
	ctm_json *table = ctm_json_obj(), *columns = ctm_json_arr(), *rows = ctm_json_arr();
	int bad = !table || !columns || !rows;

	for (size_t i = 0; i < ctm_json_len(components) && !bad; i++) {
		const ctm_json *c = ctm_json_at(components, i);
		bad = add_column(columns, j_text(c, "id"), j_text(c, "name"), j_text(c, "kind"));
	}
	bad = bad || add_column(columns, CTM_PLAN_PRODUCT, "Product and maker", CTM_PLAN_PRODUCT);
	for (size_t i = 0; i < f->catalogue->noutcomes && !bad; i++)
		if (f->catalogue->outcomes[i].shown)
			bad = add_row(&f->catalogue->outcomes[i], columns, matrix, rows);
	if (ctm_json_set(table, "components", columns))
		bad = 1;
	if (ctm_json_set(table, "rows", rows))
		bad = 1;
	if (bad) {
		ctm_json_free(table);
		return oom(err);
	}
	return ctm_json_set(out, "table", table) ? oom(err) : 0;
}

/* ---- coverage and statement ---- */

static int64_t count_of(const ctm_json *list, const char *key, const char *value)
{
	int64_t n = 0;

	for (size_t i = 0; i < ctm_json_len(list); i++)
		n += strcmp(j_text(ctm_json_at(list, i), key), value) == 0;
	return n;
}

static int add_coverage(const ctm_json *checks, const ctm_json *matrix, ctm_json *out, struct ctm_err *err)
{
	ctm_json *o = ctm_json_obj();
	int64_t ms = 0, pass = count_of(checks, "verdict", "PASS"), fail = count_of(checks, "verdict", "FAIL"), met, not_met, open, na;
	int bad = !o;

	for (size_t i = 0; i < ctm_json_len(checks); i++)
		ms += ctm_json_geti(ctm_json_at(checks, i), "duration_ms", 0);
	met = count_of(matrix, "status", "met");
	not_met = count_of(matrix, "status", "not_met");
	open = count_of(matrix, "status", "undetermined");
	na = count_of(matrix, "status", "not_applicable");
	bad = bad || ctm_json_seti(o, "cells", (int64_t)ctm_json_len(matrix)) || ctm_json_seti(o, "met", met) || ctm_json_seti(o, "not_met", not_met) ||
		ctm_json_seti(o, "undetermined", open) || ctm_json_seti(o, "not_applicable", na) || ctm_json_seti(o, "checks", (int64_t)ctm_json_len(checks)) ||
		ctm_json_seti(o, "passed", pass) || ctm_json_seti(o, "failed", fail) || ctm_json_seti(o, "other", (int64_t)ctm_json_len(checks) - pass - fail) ||
		ctm_json_seti(o, "tests_ms", ms);
	if (bad) {
		ctm_json_free(o);
		return oom(err);
	}
	if (ctm_json_set(out, "coverage", o) ||
	    ctm_json_setf(out, "statement", "Of %zu judgements of an outcome on a component, %lld are met, %lld are not met, %lld are undetermined and %lld do not apply. %s", ctm_json_len(matrix),
		(long long)met, (long long)not_met, (long long)open, (long long)na,
		not_met ? "The item does not conform to the outcomes named as not met." : open ? "No outcome is failed; conformity is not stated for the undetermined ones." :
		"The item conforms to every outcome that applies."))
		return oom(err);
	return 0;
}

/* ---- all of it ---- */

static int add_pass_rules(const struct ctm_lab_facts *f, const ctm_json *checks, ctm_json *out, struct ctm_err *err)
{
	ctm_json *list = ctm_json_arr();

	for (size_t i = 0; list && i < ctm_json_len(checks); i++) {
		ctm_json *c = ctm_json_copy(ctm_json_at(checks, i));
		const struct ctm_check *k = ctm_check_find(f->catalogue, j_text(c, "id"));
		if (!c || !k || ctm_json_sets(c, "pass", k->pass) || ctm_json_sets(c, "remedy", k->remedy)) {
			ctm_json_free(c);
			ctm_json_free(list);
			return oom(err);
		}
		if (ctm_json_add(list, c)) {
			ctm_json_free(list);
			return oom(err);
		}
	}
	return ctm_json_set(out, "checks", list) ? oom(err) : 0;
}

/* Members in the order of the canonical form, so that the report does not depend on how its sources were written down. */
static int in_one_order(const ctm_json *r, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(REPORT_MAX);
	int rc = ctm_json_canonical(r, &b);

	return rc ? ctm_fail(err, rc, "report.json", NULL, "the report cannot be brought into canonical form") : ctm_json_parse(b.p, b.len, REPORT_MAX, "report.json", out, err);
}

int ctm_report_make(const struct ctm_lab_facts *f, ctm_json **out, struct ctm_err *err)
{
	const struct ctm_obs *begin = of_run(f->trace, "run.begin"), *end = of_run(f->trace, "run.end");
	CTM_AUTO_JSON *r = ctm_json_obj(), *checks = NULL, *matrix = NULL;
	int rc;

	if (!begin || !end)
		return ctm_fail(err, CTM_E_INPUT, "observations.jsonl", NULL, "the run has no beginning or no end");
	if (!r)
		return oom(err);
	if (add_words(f, begin->data, r) || add_lab(f, begin->data, r) || add_item(f, begin->data, r) || add_dates(begin->data, begin, end, r))
		return oom(err);
	if ((rc = ctm_evaluate(f, &checks, err)) || (rc = ctm_matrix(f, checks, end->at_ms, &matrix, err)) || (rc = add_coverage(checks, matrix, r, err)) ||
	    (rc = add_table(f, matrix, r, err)) || (rc = add_findings(f, checks, r, err)) || (rc = add_pass_rules(f, checks, r, err)) || (rc = add_digests(f, r, err)))
		return rc;
	rc = ctm_json_set(r, "matrix", matrix);
	matrix = NULL;
	if (rc || ctm_json_set(r, "records", ctm_json_copy(f->records)))
		return oom(err);
	return in_one_order(r, out, err);
}

/* ---- is it whole? ---- */

static const struct { const char *path, *letter; enum ctm_jtype type; } required[] = {
	{ "title", "a", CTM_J_STR }, { "lab/name", "b", CTM_J_STR }, { "lab/address", "b", CTM_J_STR }, { "lab/place", "c", CTM_J_STR }, { "number", "d", CTM_J_STR },
	{ "customer/name", "e", CTM_J_STR }, { "method", "f", CTM_J_STR }, { "item/name", "g", CTM_J_STR }, { "item/model", "g", CTM_J_STR }, { "item/serial", "g", CTM_J_STR },
	{ "item/version", "g", CTM_J_STR }, { "item/condition", "g", CTM_J_STR }, { "dates/received", "h", CTM_J_STR }, { "dates/started", "i", CTM_J_STR },
	{ "dates/finished", "i", CTM_J_STR }, { "dates/issued", "j", CTM_J_STR }, { "sampling", "k", CTM_J_STR }, { "items_only", "l", CTM_J_STR }, { "checks", "m", CTM_J_ARR },
	{ "matrix", "m", CTM_J_ARR }, { "deviations", "n", CTM_J_ARR }, { "exclusions", "n", CTM_J_ARR }, { "authorised_by", "o", CTM_J_STR }, { "external", "p", CTM_J_ARR },
	{ "conditions", "7.8.3.1", CTM_J_STR }, { "decision_rule", "7.8.6.1", CTM_J_STR }, { "statement", "7.8.6.2", CTM_J_STR }, { "digests/observations", "", CTM_J_STR },
};

int ctm_report_check(const ctm_json *report, const char *file, struct ctm_err *err)
{
	for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
		const char *path = required[i].path, *slash = strchr(path, '/');
		char first[32], pointer[64];
		const ctm_json *v;
		snprintf(first, sizeof first, "%.*s", slash ? (int)(slash - path) : (int)strlen(path), path);
		snprintf(pointer, sizeof pointer, "/%s", path);
		v = ctm_json_get(report, first);
		if (slash)
			v = ctm_json_get(v, slash + 1);
		if (ctm_json_type(v) != required[i].type || (required[i].type == CTM_J_STR && !ctm_json_str(v)[0]) ||
		    (required[i].type == CTM_J_ARR && required[i].letter[0] == 'm' && ctm_json_len(v) == 0))
			return ctm_fail(err, CTM_E_INPUT, pointer, "ISO/IEC 17025:2017 7.8.2.1", "%s %s is missing (item %s): a report without it is not issued", file, pointer, required[i].letter);
	}
	return 0;
}
