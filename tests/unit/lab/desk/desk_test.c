/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab desk: who may plan, approve, run, seal and report (ISO/IEC 17025:2017 6.2.6, 7.8.1.1), rehearsals, replays. The
 * judging of bundles by `ctm lab replay` is tested in the scenarios; here its outcome is given.
 */
#include "cx.h"
#include "base/id.h"
#include "base/text.h"
#include "lab/desk/lab_job.h"
#include "lab/desk/ustar.h"
#include "product/product.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static const struct ctm_routes *const tables[] = { &ctm_product_routes, &ctm_labdesk_routes, NULL };
static struct cxkit k;
static struct ctm_who owner, tester, manager, reviewer, second, cla, other_lab;
static char product[40], device[40], case_id[40], declaration[72];

#define DECLARATION "{\"format\":\"ctm.declaration/1\"}"

/* ---- what the desk finds there: a filed case and a published release ---- */

static int add_case(struct ctm_cx *cx, void *arg)
{
	struct ctm_q *q = ctm_q(cx->db, "case.insert");
	static const char *const texts[][2] = { { "number", "CASE-2026-000001" }, { "kind", "application" }, { "pack", "application" }, { "pack_version", "1" }, { "state", "UNDER_EVALUATION" }, { "data", "{}" } };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		ctm_q_text(q, texts[i][0], texts[i][1]);
	ctm_q_text(q, "id", case_id);
	ctm_q_text(q, "product", product);
	ctm_q_text(q, "applicant", owner.org_id);
	ctm_q_text(q, "cla", cla.org_id);
	ctm_q_text(q, "lab", tester.org_id);
	ctm_q_null(q, "prior");
	ctm_q_int(q, "now", k.now_ms);
	return ctm_q_run(q, NULL, cx->err);
}

/* The case goes on to another state; its first move files it. */
struct step { const char *from, *to; int64_t version; };

static int move_case(struct ctm_cx *cx, void *arg)
{
	const struct step *m = arg;
	int64_t changed = 0;
	struct ctm_q *q = ctm_q(cx->db, "case.move");
	static const char *const nulls[] = { "lab", "accepted", "decided", "closed" };
	for (size_t i = 0; i < 4; i++)
		ctm_q_null(q, nulls[i]);
	ctm_q_text(q, "id", case_id);
	ctm_q_text(q, "from", m->from);
	ctm_q_text(q, "to", m->to);
	ctm_q_text(q, "data", "{}");
	ctm_q_int(q, "filed", k.now_ms);
	ctm_q_int(q, "row_version", m->version);
	int rc = ctm_q_run(q, &changed, cx->err);
	return rc ? rc : changed == 1 ? 0 : ctm_fail(cx->err, CTM_E_CONFLICT, NULL, NULL, "the case did not move");
}

static void moved(const char *from, const char *to, int64_t version)
{
	struct ctm_err err = { 0 };
	struct step m = { from, to, version };
	assert_int_equal(ctm_write(k.app, move_case, &m, &err), 0);
}

static int publish(struct ctm_cx *cx, void *arg)
{
	const char *id = arg;
	struct ctm_q *q = ctm_q(cx->db, "release.set_declaration");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "digest", "sha256:x");
	ctm_q_text(q, "json", DECLARATION);
	int rc = ctm_q_run(q, NULL, cx->err);
	if (rc)
		return rc;
	q = ctm_q(cx->db, "release.publish");
	ctm_q_text(q, "id", id);
	ctm_q_int(q, "now", k.now_ms);
	ctm_q_int(q, "row_version", 2);
	return ctm_q_run(q, NULL, cx->err);
}

static int setup(void **state)
{
	struct ctm_err err = { 0 };
	CTM_AUTO_JSON *doc = NULL;
	cxkit_open(&k, tables);
	owner = cxkit_person(&k, "maker.owner", "");
	tester = cxkit_person(&k, "lab.tester", "");
	second = cxkit_person(&k, "lab.tester", tester.org_id);
	manager = cxkit_person(&k, "lab.manager", tester.org_id);
	reviewer = cxkit_person(&k, "lab.reviewer", tester.org_id);
	other_lab = cxkit_person(&k, "lab.manager", "");
	other_lab.roles |= CTM_ANY_LAB;
	cla = cxkit_person(&k, "cla.reviewer", "");
	CTM_AUTO_JSON *p = cxkit_good(&k, &owner, &(struct cxcall){ "POST", "/api/v1/products", IN("name", "Camera", "model", "PC-1", "category", "camera", "intended_use", "porch") });
	ctm_copy(product, sizeof product, ctm_json_gets(p, "id"));
	CTM_AUTO_JSON *c = cxkit_good(&k, &owner, &(struct cxcall){ "POST", "/api/v1/products/{id}/components", IN("id", product, "kind", "device", "name", "cam") });
	ctm_copy(device, sizeof device, ctm_json_gets(c, "id"));
	CTM_AUTO_JSON *r = cxkit_good(&k, &owner, &(struct cxcall){ "POST", "/api/v1/components/{id}/releases", IN("id", device, "version", "1.0.0", "support_end", "2031-12-31") });
	assert_int_equal(ctm_write(k.app, publish, (void *)(uintptr_t)ctm_json_gets(r, "id"), &err), 0);
	ctm_uuid7(case_id);
	assert_int_equal(ctm_write(k.app, add_case, NULL, &err), 0);
	cxkit_bad(&k, &manager, &(struct cxcall){ "POST", "/api/v1/jobs", IN("product_id", product, "case_id", case_id) }, CTM_E_NOTFOUND);   /* a draft is the applicant's */
	moved("UNDER_EVALUATION", "UNDER_EVALUATION", 1);
	assert_int_equal(ctm_json_parse(DECLARATION, strlen(DECLARATION), 100, "d", &doc, &err), 0);
	assert_int_equal(ctm_canonical_digest(doc, declaration, &err), 0);
	return 0;
}

static int teardown(void **state)
{
	cxkit_close(&k);
	return 0;
}

/* ---- one evaluation ---- */

struct job { char id[40], challenge[64], digest[72], plan[1000]; };

static void write_plan(struct job *j, const char *id, const char *challenge, const char *product_id, const char *decl)
{
	snprintf(j->plan, sizeof j->plan, "{\"format\":\"ctm.plan/1\",\"job\":\"%s\",\"challenge\":\"%s\",\"product\":{\"id\":\"%s\"},\"rehearsal\":false,\"declaration\":\"%s\","
		"\"components\":[{\"id\":\"%s\",\"name\":\"cam\"}],\"checks\":[{\"id\":\"C1\",\"component\":\"%s\"},{\"id\":\"C2\",\"component\":\"%s\"}]}", id, challenge, product_id, decl, device, device, device);
}

static struct job opened(void)
{
	struct job j = { "" };
	CTM_AUTO_JSON *made = cxkit_good(&k, &manager, &(struct cxcall){ "POST", "/api/v1/jobs", IN("product_id", product, "case_id", case_id) });
	ctm_copy(j.id, sizeof j.id, ctm_json_gets(made, "id"));
	ctm_copy(j.challenge, sizeof j.challenge, ctm_json_gets(made, "challenge"));
	write_plan(&j, j.id, j.challenge, product, declaration);
	return j;
}

static struct cxcall on(const char *method, const char *path, const struct job *j)
{
	static const char *in[3];
	in[0] = "id", in[1] = j->id, in[2] = NULL;
	return (struct cxcall){ .method = method, .path = path, .in = in };
}

static struct cxcall plan_call(const struct job *j)
{
	struct cxcall c = on("PUT", "/api/v1/jobs/{id}/plan", j);
	c.json = j->plan;
	return c;
}

static struct job planned(void)
{
	struct job j = opened();
	struct cxcall c = plan_call(&j);
	CTM_AUTO_JSON *out = cxkit_good(&k, &tester, &c);
	ctm_copy(j.digest, sizeof j.digest, ctm_json_gets(out, "plan_digest"));
	return j;
}

static struct job approved(void)
{
	struct job j = planned();
	struct cxcall c = on("POST", "/api/v1/jobs/{id}/approve", &j);
	ctm_json_free(cxkit_good(&k, &manager, &c));
	return j;
}

static char prepared[2000];

static struct cxcall bundle_call(const struct job *j, const char *bytes)
{
	struct cxcall c = on("PUT", "/api/v1/jobs/{id}/bundle", j);
	snprintf(prepared, sizeof prepared, "{\"report_digest\":\"sha256:r\",\"html_digest\":\"sha256:h\",\"plan_digest\":\"%s\",\"verdicts\":{\"PASS\":1,\"FAIL\":1},\"report\":{\"checks\":["
		"{\"id\":\"C1\",\"title\":\"First\",\"component\":\"%s\",\"outcomes\":[\"SU.1\"],\"verdict\":\"PASS\",\"sentence\":\"It holds.\"},"
		"{\"id\":\"C2\",\"title\":\"Second\",\"component\":\"%s\",\"outcomes\":[\"IAC.2\"],\"verdict\":\"FAIL\",\"reasons\":[\"It\",\"fails.\"]}],"
		"\"matrix\":[{\"outcome\":\"SU.1\",\"component\":\"%s\",\"status\":\"met\",\"why\":\"C1\",\"drivers\":[{\"source\":\"C1\",\"verdict\":\"PASS\",\"method\":\"test\",\"ref\":\"3\"}]},"
		"{\"outcome\":\"DOC.1a\",\"component\":\"product\",\"status\":\"undetermined\",\"why\":\"\",\"drivers\":[]}]}}", j->digest, device, device, device);
	c.prepared = prepared;
	c.upload = bytes;
	c.upload_n = strlen(bytes);
	return c;
}

static struct job sealed(const char *bytes)
{
	struct job j = approved();
	struct cxcall c = bundle_call(&j, bytes);
	ctm_json_free(cxkit_good(&k, &tester, &c));
	return j;
}

static ctm_json *shown(const struct ctm_who *who, const struct job *j)
{
	struct cxcall c = on("GET", "/api/v1/jobs/{id}", j);
	return cxkit_good(&k, who, &c);
}

/* ---- opening ---- */

static void a_rehearsal_never_meets_a_case(void **state)
{
	cxkit_bad(&k, &manager, &(struct cxcall){ "POST", "/api/v1/jobs", IN("product_id", product, "case_id", case_id, "rehearsal", "true") }, CTM_E_INPUT);
	assert_string_equal(k.err.field, "rehearsal");
	cxkit_bad(&k, &manager, &(struct cxcall){ "POST", "/api/v1/jobs", IN("product_id", product, "rehearsal", "false") }, CTM_E_INPUT);
	CTM_AUTO_JSON *r = cxkit_good(&k, &manager, &(struct cxcall){ "POST", "/api/v1/jobs", IN("product_id", product) });
	assert_true(ctm_json_getb(r, "rehearsal", false));
}

static void a_lab_works_on_its_own_cases_only(void **state)
{
	cxkit_bad(&k, &other_lab, &(struct cxcall){ "POST", "/api/v1/jobs", IN("product_id", product, "case_id", case_id) }, CTM_E_NOTFOUND);
	struct job j = planned();
	static const char *const reads[] = { "/api/v1/jobs/{id}", "/api/v1/jobs/{id}/report.json", "/api/v1/jobs/{id}/bundle" };
	for (size_t i = 0; i < 3; i++) {
		struct cxcall c = on("GET", reads[i], &j);
		cxkit_bad(&k, &other_lab, &c, CTM_E_NOTFOUND);
	}
	struct cxcall c = on("POST", "/api/v1/jobs/{id}/approve", &j);
	cxkit_bad(&k, &other_lab, &c, CTM_E_NOTFOUND);
	c = plan_call(&j);
	cxkit_bad(&k, &other_lab, &c, CTM_E_NOTFOUND);
}

static void the_challenge_is_for_the_lab(void **state)
{
	struct job j = opened();
	CTM_AUTO_JSON *lab = shown(&tester, &j), *maker = shown(&owner, &j), *admin = shown(&cla, &j);
	assert_string_equal(ctm_json_gets(lab, "challenge"), j.challenge);
	assert_null(ctm_json_gets(maker, "challenge"));
	assert_null(ctm_json_gets(admin, "challenge"));
}

/* ---- plan and approval ---- */

static void a_plan_is_for_this_job_challenge_product_and_declaration(void **state)
{
	struct job j = opened(), other = opened();
	const struct { const char *job, *challenge, *product_id, *decl, *field; } bad[] = {
		{ other.id, j.challenge, product, declaration, "/job" }, { j.id, other.challenge, product, declaration, "/challenge" },
		{ j.id, j.challenge, device, declaration, "/product/id" },
		{ j.id, j.challenge, product, "sha256:0000000000000000000000000000000000000000000000000000000000000000", "/declaration" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct job w = j;
		write_plan(&w, bad[i].job, bad[i].challenge, bad[i].product_id, bad[i].decl);
		struct cxcall c = plan_call(&w);
		cxkit_bad(&k, &tester, &c, CTM_E_INPUT);
		assert_string_equal(k.err.field, bad[i].field);
	}
	CTM_AUTO_JSON *seen = shown(&tester, &j);
	assert_false(ctm_json_getb(seen, "has_plan", true));
}

static void nobody_approves_their_own_plan(void **state)
{
	struct job j = planned();
	struct ctm_who both = tester;
	both.roles |= CTM_ROLE_LAB_MANAGER;
	struct cxcall c = on("POST", "/api/v1/jobs/{id}/approve", &j);
	cxkit_bad(&k, &both, &c, CTM_E_GUARD);
	cxkit_bad(&k, &tester, &c, CTM_E_FORBIDDEN);
	ctm_json_free(cxkit_good(&k, &manager, &c));
	cxkit_bad(&k, &manager, &c, CTM_E_STATE);
	c = plan_call(&j);
	cxkit_bad(&k, &tester, &c, CTM_E_STATE);
}

static void no_plan_no_approval(void **state)
{
	struct job j = opened();
	struct cxcall c = on("POST", "/api/v1/jobs/{id}/approve", &j);
	cxkit_bad(&k, &manager, &c, CTM_E_STATE);
}

static void an_approval_is_of_the_plan_that_was_looked_at(void **state)
{
	struct job j = planned();
	struct cxcall other = { "POST", "/api/v1/jobs/{id}/approve", IN("id", j.id, "plan_digest", "sha256:0000000000000000000000000000000000000000000000000000000000000000") };
	cxkit_bad(&k, &manager, &other, CTM_E_CONFLICT);
	struct cxcall same = { "POST", "/api/v1/jobs/{id}/approve", IN("id", j.id, "plan_digest", j.digest) };
	ctm_json_free(cxkit_good(&k, &manager, &same));
}

/* ---- run ---- */

static int progress(const struct job *j, const struct ctm_who *who, const char *verdict)
{
	return cxkit_call(&k, who, &(struct cxcall){ "POST", "/api/v1/jobs/{id}/progress", IN("id", j->id, "check_id", "C1", "component", device, "verdict", verdict, "note", "n") }, NULL);
}

static void progress_shows_while_it_runs(void **state)
{
	struct job p = planned(), j = approved();
	assert_int_equal(progress(&p, &tester, "RUNNING"), CTM_E_STATE);
	assert_int_equal(progress(&j, &tester, "MAYBE"), CTM_E_INPUT);
	assert_int_equal(progress(&j, &tester, "RUNNING"), 0);
	CTM_AUTO_JSON *live = shown(&tester, &j);
	assert_true(ctm_json_getb(live, "live", false));
	assert_int_equal(ctm_json_geti(live, "done", -1), 0);
	assert_int_equal(ctm_json_geti(live, "total", -1), 2);
	assert_int_equal(progress(&j, &tester, "PASS"), 0);
	CTM_AUTO_JSON *after = shown(&tester, &j);
	assert_int_equal(ctm_json_geti(after, "done", -1), 1);
	assert_string_equal(ctm_json_gets(ctm_json_at(ctm_json_get(after, "progress"), 0), "component"), "cam");
	CTM_AUTO_JSON *maker = shown(&owner, &j);
	assert_int_equal(ctm_json_len(ctm_json_get(maker, "progress")), 0);
}

static void who_approved_does_not_test(void **state)
{
	struct job j = planned();
	struct ctm_who both = second;
	both.roles |= CTM_ROLE_LAB_MANAGER;
	struct cxcall c = on("POST", "/api/v1/jobs/{id}/approve", &j);
	ctm_json_free(cxkit_good(&k, &both, &c));
	assert_int_equal(progress(&j, &both, "RUNNING"), CTM_E_GUARD);
	c = bundle_call(&j, "bundle of the approver");
	cxkit_bad(&k, &both, &c, CTM_E_GUARD);
}

/* ISO/IEC 17025:2017 7.5.1: the row's tester is who ran the tests, whoever else lends a hand. */
static void one_person_runs_the_tests_and_gives_the_bundle(void **state)
{
	struct job j = approved();
	assert_int_equal(progress(&j, &second, "RUNNING"), 0);      /* who gave the plan need not run it */
	assert_int_equal(progress(&j, &tester, "PASS"), CTM_E_GUARD);
	assert_int_equal(progress(&j, &manager, "PASS"), CTM_E_GUARD);
	struct cxcall c = bundle_call(&j, "bundle of somebody else");
	cxkit_bad(&k, &tester, &c, CTM_E_GUARD);
	c = bundle_call(&j, "bundle of the one who ran it");
	ctm_json_free(cxkit_good(&k, &second, &c));
	struct ctm_who both = second;
	both.roles |= CTM_ROLE_LAB_REVIEWER;
	c = on("POST", "/api/v1/jobs/{id}/report", &j);
	cxkit_bad(&k, &both, &c, CTM_E_GUARD);
}

/* ---- seal ---- */

static void a_bundle_fills_the_matrix(void **state)
{
	struct job j = sealed("bundle one");
	CTM_AUTO_JSON *page = shown(&tester, &j);
	assert_string_equal(ctm_json_gets(page, "state"), "sealed");
	assert_int_equal(ctm_json_geti(ctm_json_get(page, "verdicts"), "FAIL", 0), 1);
	const ctm_json *counts = ctm_json_get(ctm_json_get(page, "matrix"), "counts");
	assert_int_equal(ctm_json_geti(counts, "met", 0), 1);
	assert_int_equal(ctm_json_geti(counts, "undetermined", 0), 1);
	assert_int_equal(ctm_json_len(ctm_json_get(page, "findings")), 1);
	assert_string_equal(ctm_json_gets(ctm_json_at(ctm_json_get(page, "findings"), 0), "finding"), "It fails.");
	CTM_AUTO_JSON *cell = cxkit_good(&k, &tester, &(struct cxcall){ "GET", "/api/v1/products/{id}/cells/{component_id}/{outcome}",
		IN("id", product, "component_id", device, "outcome", "SU.1", "job", j.id) });
	assert_string_equal(ctm_json_gets(cell, "status"), "met");
	const ctm_json *e = ctm_json_at(ctm_json_get(cell, "evidence"), 0);
	assert_string_equal(ctm_json_gets(e, "title"), "First");
	assert_string_equal(ctm_json_gets(e, "digest"), ctm_json_gets(page, "bundle_digest"));
	CTM_AUTO_Q *q = ctm_q(k.ro, "case.person_part");
	struct ctm_err err = { 0 };
	ctm_q_text(q, "case", case_id);
	ctm_q_text(q, "person", tester.person_id);
	ctm_q_text(q, "part", "evaluator");
	assert_int_equal(ctm_q_one(q, &err), 0);
}

static int64_t met_of(const struct ctm_who *who)
{
	CTM_AUTO_JSON *page = cxkit_good(&k, who, &(struct cxcall){ "GET", "/api/v1/products/{id}", IN("id", product) });
	return ctm_json_geti(ctm_json_get(ctm_json_get(page, "matrix"), "counts"), "met", -1);
}

static int64_t passed_in_lists(const struct ctm_who *who)
{
	CTM_AUTO_JSON *list = cxkit_good(&k, who, &(struct cxcall){ "GET", "/api/v1/jobs" }), *page = cxkit_good(&k, who, &(struct cxcall){ "GET", "/api/v1/products/{id}", IN("id", product) });
	int64_t n = 0;
	const ctm_json *lists[] = { ctm_json_get(list, "jobs"), ctm_json_get(page, "jobs") };
	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < ctm_json_len(lists[l]); i++)
			n += ctm_json_geti(ctm_json_get(ctm_json_at(lists[l], i), "verdicts"), "PASS", 0);
	return n;
}

static void what_was_found_is_told_with_the_report_and_not_before(void **state)
{
	struct job j = sealed("bundle of the matrix");
	struct cxcall cell = { "GET", "/api/v1/products/{id}/cells/{component_id}/{outcome}", IN("id", product, "component_id", device, "outcome", "SU.1", "job", j.id) };
	assert_int_equal(met_of(&tester), 1);
	assert_true(passed_in_lists(&tester) > 0);
	const struct ctm_who *const others[] = { &owner, &cla };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(met_of(others[i]), 0);
		assert_int_equal(passed_in_lists(others[i]), 0);
		CTM_AUTO_JSON *c = cxkit_good(&k, others[i], &cell);
		assert_string_equal(ctm_json_gets(c, "status"), "");
		assert_int_equal(ctm_json_len(ctm_json_get(c, "evidence")), 0);
	}
	struct cxcall issue = on("POST", "/api/v1/jobs/{id}/report", &j);
	ctm_json_free(cxkit_good(&k, &reviewer, &issue));
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(met_of(others[i]), 1);
		assert_int_equal(passed_in_lists(others[i]), 2);
		CTM_AUTO_JSON *c = cxkit_good(&k, others[i], &cell);
		assert_string_equal(ctm_json_gets(c, "status"), "met");
	}
}

static void the_timeline_of_a_product_is_its_makers(void **state)
{
	CTM_AUTO_JSON *mine = cxkit_good(&k, &owner, &(struct cxcall){ "GET", "/api/v1/products/{id}", IN("id", product) });
	CTM_AUTO_JSON *theirs = cxkit_good(&k, &cla, &(struct cxcall){ "GET", "/api/v1/products/{id}", IN("id", product) });
	assert_true(ctm_json_len(ctm_json_get(mine, "timeline")) > 0);
	assert_int_equal(ctm_json_len(ctm_json_get(theirs, "timeline")), 0);
}

static void a_bundle_is_taken_once_and_for_one_job(void **state)
{
	struct job j = sealed("bundle two");
	struct cxcall c = bundle_call(&j, "bundle two again");
	cxkit_bad(&k, &tester, &c, CTM_E_EXISTS);
	struct job n = approved();
	c = bundle_call(&n, "bundle two");
	cxkit_bad(&k, &tester, &c, CTM_E_EXISTS);
	assert_int_equal(ctm_err_http(CTM_E_EXISTS), 409);
	CTM_AUTO_JSON *page = shown(&tester, &n);
	assert_string_equal(ctm_json_gets(page, "state"), "approved");
}

static void a_report_about_something_else_leaves_nothing(void **state)
{
	struct job j = approved();
	struct cxcall c = bundle_call(&j, "bundle three");
	char *at = strstr(prepared, "\"component\":\"product\"");
	memcpy(at, "\"component\":\"xroduct\"", 21);
	cxkit_bad(&k, &tester, &c, CTM_E_INPUT);
	c = bundle_call(&j, "bundle three");
	at = strstr(prepared, "DOC.1a");
	memcpy(at, "DOC.9z", 6);
	cxkit_bad(&k, &tester, &c, CTM_E_INPUT);
	CTM_AUTO_JSON *page = shown(&tester, &j);
	assert_string_equal(ctm_json_gets(page, "state"), "approved");
	assert_int_equal(ctm_json_type(ctm_json_get(page, "matrix")), CTM_J_NULL);
}

static void junk_is_no_bundle(void **state)
{
	struct job j = approved();
	struct cxcall c = bundle_call(&j, "this is not an archive, but it is longer than nothing at all");
	c.prepared = NULL;
	cxkit_bad(&k, &tester, &c, CTM_E_NOTFOUND);
	struct job p = planned();
	c = bundle_call(&p, "x");
	c.prepared = NULL;
	cxkit_bad(&k, &tester, &c, CTM_E_STATE);
}

/* ---- report ---- */

static void a_report_is_issued_by_somebody_else_with_a_number(void **state)
{
	struct job j = sealed("bundle four");
	struct ctm_who both = tester;
	both.roles |= CTM_ROLE_LAB_REVIEWER;
	struct cxcall c = on("POST", "/api/v1/jobs/{id}/report", &j);
	cxkit_bad(&k, &both, &c, CTM_E_GUARD);
	cxkit_bad(&k, &manager, &c, CTM_E_FORBIDDEN);
	CTM_AUTO_JSON *before = shown(&owner, &j);
	assert_int_equal(ctm_json_len(ctm_json_get(before, "checks")), 0);
	CTM_AUTO_JSON *out = cxkit_good(&k, &reviewer, &c);
	assert_true(ctm_starts(ctm_json_gets(out, "report_number"), "REP-"));
	assert_int_equal(strlen(ctm_json_gets(out, "report_number")), strlen("REP-2026-000001"));
	cxkit_bad(&k, &reviewer, &c, CTM_E_STATE);
	CTM_AUTO_JSON *after = shown(&owner, &j);
	assert_int_equal(ctm_json_len(ctm_json_get(after, "checks")), 2);
}

static void no_report_before_the_seal(void **state)
{
	struct job j = approved();
	struct cxcall c = on("POST", "/api/v1/jobs/{id}/report", &j);
	cxkit_bad(&k, &reviewer, &c, CTM_E_STATE);
	c = on("GET", "/api/v1/jobs/{id}/report.html", &j);
	cxkit_bad(&k, &owner, &c, CTM_E_NOTFOUND);
}

static void first_pages_answer(void **state)
{
	const struct { const struct ctm_who *who; const char *kind; } desks[] = { { &owner, "maker" }, { &tester, "lab" }, { &cla, "cla" }, { &cxkit_nobody, "public" } };
	for (size_t i = 0; i < sizeof desks / sizeof *desks; i++) {
		CTM_AUTO_JSON *out = cxkit_good(&k, desks[i].who, &(struct cxcall){ "GET", "/" });
		assert_string_equal(ctm_json_gets(out, "kind"), desks[i].kind);
	}
}

static void what_waits_at_the_cla_is_what_it_has_to_do(void **state)
{
	CTM_AUTO_JSON *before = cxkit_good(&k, &cla, &(struct cxcall){ "GET", "/" });
	assert_int_equal(ctm_json_len(ctm_json_get(before, "inbox")), 0);      /* the lab's move */
	assert_int_equal(ctm_json_geti(ctm_json_at(ctm_json_get(before, "counts"), 0), "count", 0), 1);
	moved("UNDER_EVALUATION", "REPORT_SUBMITTED", 2);
	CTM_AUTO_JSON *after = cxkit_good(&k, &cla, &(struct cxcall){ "GET", "/" });
	assert_int_equal(ctm_json_len(ctm_json_get(after, "inbox")), 1);
	assert_string_equal(ctm_json_gets(ctm_json_at(ctm_json_get(after, "inbox"), 0), "whose"), "cla");
	assert_null(ctm_json_get(after, "others"));
	moved("REPORT_SUBMITTED", "UNDER_EVALUATION", 3);
}

/* ---- archives ---- */

static void an_entry_is_found_in_a_whole_archive_only(void **state)
{
	static char tar[2048];
	const char *p = NULL;
	size_t n = 0;
	unsigned sum = 0;
	struct ctm_err err = { 0 };
	memset(tar, 0, sizeof tar);
	ctm_copy(tar, 100, "plan.json");
	memcpy(tar + 124, "00000000002", 11);
	memcpy(tar + 257, "ustar\00000", 8);
	tar[156] = '0';
	memset(tar + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += (unsigned char)tar[i];
	snprintf(tar + 148, 8, "%06o", sum);
	memcpy(tar + 512, "{}", 2);
	assert_int_equal(ctm_ustar_find(tar, sizeof tar, "plan.json", &p, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(p, "{}", 2);
	assert_int_equal(ctm_ustar_find(tar, sizeof tar, "plan.jso", &p, &n, &err), CTM_E_NOTFOUND);
	for (size_t cut = 0; cut < 514; cut++) {
		ctm_err_clear(&err);
		assert_int_not_equal(ctm_ustar_find(tar, cut, "plan.json", &p, &n, &err), 0);
	}
	ctm_err_clear(&err);
	tar[0] = 'q';
	assert_int_equal(ctm_ustar_find(tar, sizeof tar, "qlan.json", &p, &n, &err), CTM_E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rehearsal_never_meets_a_case), cmocka_unit_test(a_lab_works_on_its_own_cases_only), cmocka_unit_test(the_challenge_is_for_the_lab),
		cmocka_unit_test(a_plan_is_for_this_job_challenge_product_and_declaration), cmocka_unit_test(nobody_approves_their_own_plan), cmocka_unit_test(no_plan_no_approval),
		cmocka_unit_test(an_approval_is_of_the_plan_that_was_looked_at), cmocka_unit_test(one_person_runs_the_tests_and_gives_the_bundle),
		cmocka_unit_test(what_was_found_is_told_with_the_report_and_not_before), cmocka_unit_test(the_timeline_of_a_product_is_its_makers),
		cmocka_unit_test(what_waits_at_the_cla_is_what_it_has_to_do),
		cmocka_unit_test(progress_shows_while_it_runs), cmocka_unit_test(who_approved_does_not_test), cmocka_unit_test(a_bundle_fills_the_matrix),
		cmocka_unit_test(a_bundle_is_taken_once_and_for_one_job), cmocka_unit_test(a_report_about_something_else_leaves_nothing), cmocka_unit_test(junk_is_no_bundle),
		cmocka_unit_test(a_report_is_issued_by_somebody_else_with_a_number), cmocka_unit_test(no_report_before_the_seal), cmocka_unit_test(first_pages_answer),
		cmocka_unit_test(an_entry_is_found_in_a_whole_archive_only),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
