/* SPDX-License-Identifier: Apache-2.0
 *
 * An application from draft to decision, and each guard on its own: every refusal names its rule and changes nothing.
 */
#include "kit.h"
#include "base/timex.h"
#include <string.h>

static void a_grant_writes_decision_certificate_and_authorisation(void **state)   /* 47 CFR 8.209 */
{
	struct kit *k = *state;
	kit_granted(k);
	assert_string_equal(kit_state(k), "GRANTED");
	assert_string_equal(ctm_json_gets(k->out, "certificate_number"), "CTM-2026-000001");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM decision WHERE kind = 'grant' AND decided_by = '%s'", DECIDER.person), 1);
	assert_string_equal(kit_text(k, "SELECT valid_from || ' ' || valid_to || ' ' || status FROM certificate"), "2026-11-23 2031-11-23 in_force");
	assert_string_equal(kit_text(k, "SELECT issuing_authority || '; ' || granted_on || '; ' || status FROM authorisation"),
		"Federal Communications Commission, through Harborlight Certification (fictional); 2026-11-23; active");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM event WHERE type = 'decision.made'"), 1);
	assert_non_null(strstr(kit_text(k, "SELECT data_json FROM event WHERE type = 'decision.made'"), ctm_json_gets(k->out, "certificate_id")));
	assert_non_null(strstr(kit_text(k, "SELECT approvals_json FROM decision"), REVIEWER.person));
	assert_non_null(strstr(kit_text(k, "SELECT baseline_json FROM certificate"), "1.0.0"));
	/* only the clocks of the certificate run on */
	assert_int_equal(kit_int(k, "SELECT count(*) FROM clock WHERE done_ms IS NULL"), 2);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM clock WHERE done_ms IS NULL AND rule IN ('T-CERT', 'T-SURV')"), 2);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM task WHERE done_ms IS NULL"), 0);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM case_event WHERE case_id = '%s'", k->kase), 8);
	assert_true(kit_int(k, "SELECT closed_ms FROM case_file WHERE id = '%s'", k->kase) == k->now_ms);
}

static void a_denial_never_has_a_certificate(void **state)   /* 47 CFR 8.211 */
{
	struct kit *k = *state;
	kit_reported(k, "SU.1");
	kit_must(k, &REVIEWER, "start_review", NULL, "");
	kit_must(k, &REVIEWER, "recommend", KIT_DENIAL_REVIEW, "");
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.5");   /* guard verifications_passed */
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"denial\"}", "", CTM_E_INPUT, NULL);
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"denial\",\"reasons\":[]}", "", CTM_E_INPUT, NULL);
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"denial\",\"reasons\":[{\"requirement\":\"NICENESS\",\"component\":\"camera\",\"text\":\"x\"}]}", "", CTM_E_GUARD, "47 CFR 8.211");   /* guard reasons_given */
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"denial\",\"reasons\":[{\"requirement\":\"SU.1\",\"component\":\"\",\"text\":\"x\"}]}", "", CTM_E_INPUT, NULL);
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"denial\",\"reasons\":[{\"requirement\":\"SU.1\",\"component\":\"camera\",\"text\":\"takes an unsigned update\"}]}", "");
	assert_string_equal(kit_state(k), "DENIED");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM certificate") + kit_int(k, "SELECT count(*) FROM authorisation"), 0);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM clock WHERE rule = 'T-REV-FILE' AND done_ms IS NULL"), 1);
	/* a later application for the product must say so (FCC 24-26 paragraph 91) */
	kit_draft(k);
	kit_declare(k, KIT_DECLARATIONS);
	kit_refused(k, &OWNER, "file", NULL, "", CTM_E_GUARD, "FCC 24-26 paragraph 91");   /* guard prior_denial_disclosed */
}

static void an_unmet_outcome_cannot_be_granted(void **state)   /* 47 CFR 8.209(a) */
{
	struct kit *k = *state;
	kit_reported(k, "IAC.1b");
	kit_must(k, &REVIEWER, "start_review", NULL, "");
	kit_must(k, &REVIEWER, "recommend", KIT_GRANT_REVIEW, "");
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "47 CFR 8.209(a)");   /* guard outcomes_met */
	/* one cell missing altogether is as bad */
	kit_sql(k, "UPDATE outcome_status SET status = 'met'");
	kit_sql(k, "DELETE FROM outcome_status WHERE outcome = 'DOC.1c'");
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "47 CFR 8.209(a)");   /* guard outcomes_met */
	assert_non_null(strstr(k->err.msg, "DOC.1c"));
	/* where stored matrix and sealed result disagree the worse counts */
	kit_sql(k, "INSERT INTO outcome_status (product_id, job_id, component_id, outcome, status, at_ms) VALUES ('%s','%s','00000000-0000-7000-8000-000000000033','DOC.1c',"
		"'not_applicable',1)", PRODUCT, JOB);
	kit_sql(k, "UPDATE lab_job SET result_json = '{\"matrix\":[{\"outcome\":\"DP.3\",\"component\":\"app\",\"status\":\"undetermined\"}]}'");
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "47 CFR 8.209(a)");   /* guard outcomes_met */
	assert_non_null(strstr(k->err.msg, "DP.3"));
	kit_sql(k, "UPDATE lab_job SET result_json = '{}'");
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "");
}

static void persons_are_kept_apart_in_any_hat(void **state)   /* ISO/IEC 17065 7.5, 7.6, 4.2 */
{
	struct kit *k = *state;
	struct one tester_hat = TESTER, labhead_hat = LABHEAD, reviewer_hat = REVIEWER, owner_hat = OWNER;
	tester_hat.org = labhead_hat.org = owner_hat.org = CLA;
	tester_hat.roles = labhead_hat.roles = owner_hat.roles = reviewer_hat.roles = CTM_ANY_CLA;
	kit_reported(k, NULL);
	kit_refused(k, &tester_hat, "start_review", NULL, "", CTM_E_GUARD, "ISO/IEC 17065 7.6");   /* guard not_an_evaluator */
	kit_refused(k, &owner_hat, "start_review", NULL, "", CTM_E_GUARD, "ISO/IEC 17065 4.2");   /* guard not_an_evaluator */
	kit_must(k, &REVIEWER, "start_review", NULL, "");
	kit_refused(k, &labhead_hat, "recommend", KIT_GRANT_REVIEW, "", CTM_E_GUARD, "ISO/IEC 17065 7.6");   /* guard not_an_evaluator */
	kit_must(k, &REVIEWER, "recommend", KIT_GRANT_REVIEW, "");
	kit_refused(k, &tester_hat, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.6");   /* guard independent_decider */
	kit_refused(k, &labhead_hat, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.6");   /* guard independent_decider */
	kit_refused(k, &reviewer_hat, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.6");   /* guard independent_decider */
	kit_refused(k, &owner_hat, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "ISO/IEC 17065 4.2");   /* guard independent_decider */
	/* who only planned tests and took no other part is an evaluator too */
	kit_sql(k, "INSERT INTO lab_job (id, lab_org_id, product_id, case_id, state, challenge, tester_id, created_ms) VALUES ('j2','%s','%s','%s','planned','x','%s',1)", LAB, PRODUCT,
		k->kase, DECIDER.person);
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.6");   /* guard independent_decider */
}

static void filing_asks_for_every_declaration(void **state)   /* 47 CFR 8.208 */
{
	struct kit *k = *state;
	static const struct { const char *from, *to, *rule; } cuts[] = {
		{ "\"c7\",\"c8\"", "\"c7\"", "47 CFR 8.208(c)(8)" }, { "\"c1\",", "", "47 CFR 8.208(c)(1)" }, { "\"perjury\":true", "\"perjury\":false", "47 CFR 8.208(c)" },
		{ "\"truth\":true,", "", "47 CFR 8.208(d)" }, { "\"not_prohibited\":true", "\"not_prohibited\":false", "47 CFR 8.208(g)" },
		{ "\"title\":\"Owner\",", "", "47 CFR 8.208(e)" }, { "\"signed_on\":\"2026-11-20\",\"signature\":\"/s/ Olive Orchard\"},\"agent\"",
			"\"signed_on\":\"2026-11-30\",\"signature\":\"/s/ Olive Orchard\"},\"agent\"", "47 CFR 8.208(e)" },
		{ "2031-12-31", "2026-11-23", "47 CFR 8.208(f)" }, { "\"support_end\":\"2031-12-31\",", "", "47 CFR 8.208(f)" }, { "\"consent\":true", "\"consent\":false", "47 CFR 8.208(i)" },
		{ "legal@larkspur.example", "nowhere", "47 CFR 8.208(i)" }, { "\"prior_denial\":{\"denied\":false},", "", "FCC 24-26 paragraph 91" },
		{ "{\"denied\":false}", "{\"denied\":true}", "FCC 24-26 paragraph 91" },
	};
	kit_draft(k);
	kit_refused(k, &OWNER, "file", NULL, "", CTM_E_GUARD, "47 CFR 8.208(c)(1)");   /* guard declarations_complete */
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		const char *at = strstr(KIT_DECLARATIONS, cuts[i].from);
		assert_non_null(at);
		kit_declare(k, ctm_arena_printf(k->arena, "%.*s%s%s", (int)(at - KIT_DECLARATIONS), KIT_DECLARATIONS, cuts[i].to, at + strlen(cuts[i].from)));
		kit_refused(k, &OWNER, "file", NULL, "", CTM_E_GUARD, cuts[i].rule);   /* guard declarations_complete, declarations_signed, support_end_ahead, agent_named, prior_denial_disclosed */
	}
	kit_declare(k, KIT_DECLARATIONS);
	assert_true(ctm_json_getb(k->out, "complete", false));
	kit_sql(k, "UPDATE product SET registry_json = '{}'");
	kit_refused(k, &OWNER, "file", NULL, "", CTM_E_GUARD, "47 CFR 8.222(b)");   /* guard product_ready */
	kit_sql(k, "UPDATE product SET registry_json = '{\"setup\":\"x\"}'");
	kit_sql(k, "UPDATE release SET state = 'draft'");
	kit_refused(k, &OWNER, "file", NULL, "", CTM_E_GUARD, "47 CFR 8.205");   /* guard product_ready */
	kit_sql(k, "UPDATE release SET state = 'published'");
	kit_must(k, &OWNER, "file", NULL, "");
}

static void malformed_declarations_are_refused_and_nothing_is_kept(void **state)
{
	struct kit *k = *state;
	static const struct { const char *body, *field; } bad[] = {
		{ "[]", "" }, { "{\"agreed\":[\"c9\"]}", "/agreed/0" }, { "{\"agreed\":[\"c1\",\"c1\"]}", "/agreed/1" }, { "{\"agree\":[]}", "" }, { "{\"perjury\":\"yes\"}", "/perjury" },
		{ "{\"support_end\":\"31 December\"}", "/support_end" }, { "{\"signer\":{\"name\":\"a\\u0007b\"}}", "/signer/name" }, { "{\"signer\":[]}", "/signer" },
		{ "{\"agent\":{\"fax\":\"1\"}}", "/agent" }, { "{\"affiliates\":[{\"name\":\"x\",\"percent\":101}]}", "/affiliates/0/percent" },
		{ "{\"producers\":[{\"component\":\"x\"}]}", "/producers/0" }, { "{\"prior_denial\":{\"denied\":1}}", "/prior_denial/denied" },
	};
	kit_draft(k);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		int rc = kit_use(k, &OWNER, ctm_declarations_put, bad[i].body, "id", k->kase, NULL);
		if (rc != CTM_E_INPUT || !strstr(k->err.field, bad[i].field))
			fail_msg("%s: %s field %s: %s", bad[i].body, ctm_err_name(rc), k->err.field, k->err.msg);
	}
	assert_string_equal(kit_text(k, "SELECT data_json FROM case_file"), "{}");
	assert_int_equal(kit_use(k, &TESTER, ctm_declarations_put, KIT_DECLARATIONS, "id", k->kase, NULL), CTM_E_NOTFOUND);
}

static void screening_stops_listed_names(void **state)   /* 47 CFR 8.204 */
{
	struct kit *k = *state;
	assert_string_equal(ctm_name_match("NIGHTJAR Radioworks, Inc. (fictional)", "Nightjar Radioworks (fictional)"), "same");
	assert_string_equal(ctm_name_match("New Nightjar Radioworks Supply (fictional)", "Nightjar Radioworks (fictional)"), "like");
	assert_null(ctm_name_match("Nightjar Lamps", "Nightjar Radioworks (fictional)"));
	assert_null(ctm_name_match("", "Nightjar"));
	const char *at = strstr(KIT_DECLARATIONS, "Example Optics (fictional)");
	kit_draft(k);
	int head = (int)(at - KIT_DECLARATIONS);
	const char *tail = at + strlen("Example Optics (fictional)");
	kit_declare(k, ctm_arena_printf(k->arena, "%.*s%s%s", head, KIT_DECLARATIONS, "VHD Devices, LLC", tail));       /* an alias of an entry */
	kit_must(k, &OWNER, "file", NULL, "");
	kit_refused(k, &INTAKE, "accept", NULL, "", CTM_E_GUARD, "47 CFR 8.204");   /* guard screening_clean */
	kit_refused(k, &INTAKE, "clear_match", "{\"subject\":\"VHD Devices, LLC\",\"list\":\"nope\"}", "x", CTM_E_INPUT, "47 CFR 8.204");
	kit_must(k, &INTAKE, "clear_match", "{\"subject\":\"VHD Devices, LLC\",\"list\":\"bis-entity\"}", "looks harmless");
	kit_refused(k, &INTAKE, "accept", NULL, "", CTM_E_GUARD, "47 CFR 8.204");   /* guard screening_clean: the very name cannot be cleared */
	kit_must(k, &INTAKE, "return", NULL, "name another producer");
	kit_declare(k, ctm_arena_printf(k->arena, "%.*s%s%s", head, KIT_DECLARATIONS, "Greymoor Airtime (fictional)", tail));   /* listed for services only */
	kit_must(k, &OWNER, "file", NULL, "");
	kit_must(k, &INTAKE, "accept", NULL, "");
	assert_non_null(strstr(kit_text(k, "SELECT data_json FROM case_file"), "demonstration-2026-11-01"));
}

static void a_likeness_can_be_cleared_by_a_person(void **state)   /* 47 CFR 8.204 */
{
	struct kit *k = *state;
	const char *at = strstr(KIT_DECLARATIONS, "Example Optics (fictional)");
	kit_draft(k);
	kit_declare(k, ctm_arena_printf(k->arena, "%.*s%s%s", (int)(at - KIT_DECLARATIONS), KIT_DECLARATIONS, "Ironreed Microsystems of Exampleton (fictional)",
		at + strlen("Example Optics (fictional)")));
	kit_must(k, &OWNER, "file", NULL, "");
	kit_refused(k, &INTAKE, "accept", NULL, "", CTM_E_GUARD, "47 CFR 8.204");   /* guard screening_clean */
	kit_must(k, &INTAKE, "clear_match", "{\"subject\":\"Ironreed Microsystems of Exampleton (fictional)\",\"list\":\"dod-1260h\"}", "another firm, register entry read");
	kit_must(k, &INTAKE, "accept", NULL, "");
}

static void a_decision_needs_the_report(void **state)   /* 47 CFR 8.208(j) */
{
	struct kit *k = *state;
	kit_pending(k);
	kit_sql(k, "UPDATE case_file SET data_json = json_remove(data_json, '$.report')");
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "47 CFR 8.208(j)");   /* guard report_attached */
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"denial\",\"reasons\":[{\"requirement\":\"SU.1\",\"component\":\"camera\",\"text\":\"x\"}]}", "", CTM_E_GUARD, "47 CFR 8.208(j)");   /* guard report_attached */
}

static void a_changed_list_asks_for_a_new_declaration(void **state)   /* 47 CFR 8.208(h) */
{
	struct kit *k = *state;
	kit_pending(k);
	kit_sql(k, "UPDATE case_file SET data_json = json_set(data_json, '$.declared_lists.\"bis-entity\"', 'sha256:older')");
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "", CTM_E_GUARD, "47 CFR 8.208(h)");   /* guard lists_unchanged */
	kit_declare(k, KIT_DECLARATIONS);
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "");
}

static void only_a_recognised_lab_counts(void **state)   /* 47 CFR 8.217 */
{
	struct kit *k = *state;
	static const struct { const char *from, *to, *rule; } cuts[] = { { "2026-01-15", "2026-12-01", "47 CFR 8.217(c)" }, { "2028-01-14", "2026-11-22", "47 CFR 8.217(c)" },
		{ "2028-06-30", "2026-11-22", "47 CFR 8.217(f)" }, { "NIST IR 8425", "toasters", "47 CFR 8.217(f)" }, { "ISO/IEC 17025:2017", "ISO 9001", "47 CFR 8.217(a)" } };
	kit_filed(k);
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		kit_sql(k, "UPDATE organisation SET facts_json = replace(facts_json, '%s', '%s') WHERE id = '%s'", cuts[i].from, cuts[i].to, LAB);
		kit_refused(k, &INTAKE, "accept", NULL, "", CTM_E_GUARD, cuts[i].rule);   /* guard lab_recognised */
		kit_sql(k, "UPDATE organisation SET facts_json = replace(facts_json, '%s', '%s') WHERE id = '%s'", cuts[i].to, cuts[i].from, LAB);
	}
	kit_must(k, &INTAKE, "accept", NULL, "");
	kit_must(k, &LABHEAD, "start_evaluation", NULL, "");
	kit_job(k, NULL);
	/* recognised today, but not on the day of the tests */
	kit_sql(k, "UPDATE lab_job SET sealed_ms = 1000");
	kit_refused(k, &LABHEAD, "submit_report", "{\"job_id\":\"" JOB "\",\"signed_by\":\"Tess Tanner\",\"signed_on\":\"2026-11-23\"}", "", CTM_E_GUARD, "47 CFR 8.217(c)");   /* guard lab_recognised_on_test_date */
}

static void a_report_must_be_sealed_real_and_of_this_case(void **state)   /* 47 CFR 8.208(j) */
{
	struct kit *k = *state;
	static const struct { const char *set, *undo; int code; } cuts[] = { { "rehearsal = 1", "rehearsal = 0", CTM_E_GUARD }, { "state = 'sealed'", "state = 'reported'", CTM_E_GUARD },
		{ "bundle_digest = NULL", "bundle_digest = 'sha256:aa'", CTM_E_GUARD }, { "case_id = 'x'", NULL, CTM_E_GUARD } };
	/* It is November 23, 15:00 UTC; east of here the 24th has begun, and somebody there may sign with that day. */
	const char *good = "{\"job_id\":\"" JOB "\",\"signed_by\":\"Tess Tanner\",\"signed_on\":\"2026-11-24\"}";
	kit_evaluating(k);
	kit_job(k, NULL);
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		kit_sql(k, "UPDATE lab_job SET %s", cuts[i].set);
		kit_refused(k, &LABHEAD, "submit_report", good, "", cuts[i].code, "47 CFR 8.208(j)");   /* guard report_sealed, report_of_this_product */
		if (cuts[i].undo)
			kit_sql(k, "UPDATE lab_job SET %s", cuts[i].undo);
	}
	kit_sql(k, "UPDATE lab_job SET case_id = '%s'", k->kase);
	kit_refused(k, &LABHEAD, "submit_report", "{\"job_id\":\"" JOB "\",\"signed_by\":\"Nobody Known\",\"signed_on\":\"2026-11-23\"}", "", CTM_E_GUARD, "47 CFR 8.208(j)");   /* guard report_of_this_product */
	kit_refused(k, &LABHEAD, "submit_report", "{\"job_id\":\"" JOB "\",\"signed_by\":\"Tess Tanner\",\"signed_on\":\"2026-11-25\"}", "", CTM_E_GUARD, "47 CFR 8.208(j)");   /* guard report_of_this_product */
	kit_refused(k, &LABHEAD, "submit_report", "{\"job_id\":\"" JOB "\",\"signed_by\":\"Tess Tanner\",\"signed_on\":\"soon\"}", "", CTM_E_INPUT, "47 CFR 8.208(j)");
	kit_refused(k, &LABHEAD, "submit_report", "{\"job_id\":\"nope\",\"signed_by\":\"Tess Tanner\",\"signed_on\":\"2026-11-23\"}", "", CTM_E_INPUT, "47 CFR 8.208(j)");
	kit_refused(k, &LABHEAD, "submit_report", NULL, "", CTM_E_INPUT, "47 CFR 8.208(j)");
	kit_must(k, &LABHEAD, "submit_report", good, "");
}

static void six_verifications_are_needed(void **state)   /* ISO/IEC 17065 7.5 */
{
	struct kit *k = *state;
	kit_reported(k, NULL);
	kit_must(k, &REVIEWER, "start_review", NULL, "");
	kit_refused(k, &REVIEWER, "recommend", NULL, "", CTM_E_INPUT, NULL);
	kit_refused(k, &REVIEWER, "recommend", "{\"recommendation\":\"grant\"}", "", CTM_E_INPUT, "ISO/IEC 17065 7.5");
	kit_refused(k, &REVIEWER, "recommend", "{\"recommendation\":\"maybe\"}", "", CTM_E_INPUT, "ISO/IEC 17065 7.5");
	const char *at = strstr(KIT_GRANT_REVIEW, "\"ok\":true");
	kit_refused(k, &REVIEWER, "recommend", ctm_arena_printf(k->arena, "%.*s\"ok\":false%s", (int)(at - KIT_GRANT_REVIEW), KIT_GRANT_REVIEW, at + 9), "", CTM_E_GUARD, "ISO/IEC 17065 7.5");   /* guard verifications_given */
	at = strstr(KIT_GRANT_REVIEW, "looked at");
	kit_refused(k, &REVIEWER, "recommend", ctm_arena_printf(k->arena, "%.*s%s", (int)(at - KIT_GRANT_REVIEW), KIT_GRANT_REVIEW, at + 9), "", CTM_E_INPUT, "ISO/IEC 17065 7.5");   /* guard verifications_given */
	/* more testing sets report and review aside */
	kit_must(k, &REVIEWER, "ask_more_testing", NULL, "the update check was not repeated");
	assert_null(strstr(kit_text(k, "SELECT data_json FROM case_file"), "bundle_digest"));
	assert_string_equal(kit_state(k), "UNDER_EVALUATION");
}

static void information_is_asked_for_and_answered(void **state)   /* 47 CFR 8.210(b), (c) */
{
	struct kit *k = *state;
	kit_evaluating(k);
	kit_refused(k, &LABHEAD, "request_info", NULL, "", CTM_E_INPUT, "47 CFR 8.210(c)");
	kit_must(k, &LABHEAD, "request_info", NULL, "which port is 8443?");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM clock WHERE rule = 'S-INFO' AND done_ms IS NULL"), 1);
	assert_string_equal(kit_text(k, "SELECT org_id FROM task WHERE done_ms IS NULL"), MAKER);
	kit_must(k, &OWNER, "answer_info", NULL, "local administration");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM clock WHERE rule = 'S-INFO' AND done_ms IS NULL"), 0);
	kit_refused(k, &DECIDER, "dismiss", "{\"reason\":\"boredom\"}", "x", CTM_E_INPUT, "47 CFR 8.210");   /* guard dismissal_reason */
	kit_must(k, &DECIDER, "dismiss", "{\"reason\":\"no_response\"}", "the second question stays open");
	assert_string_equal(kit_text(k, "SELECT kind FROM decision"), "dismissal");
	assert_non_null(strstr(kit_text(k, "SELECT reasons_json FROM decision"), "47 CFR 8.210(c)"));
}

static void an_applicant_may_withdraw(void **state)   /* 47 CFR 8.210(b) */
{
	struct kit *k = *state;
	kit_filed(k);
	assert_int_equal(kit_use(k, &OWNER, ctm_application_open, NULL, "product_id", PRODUCT, "cla_org_id", CLA, NULL), CTM_E_EXISTS);
	kit_must(k, &OWNER, "withdraw", NULL, "not ready");
	assert_string_equal(kit_state(k), "WITHDRAWN");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM clock WHERE done_ms IS NULL"), 0);
	kit_draft(k);
	assert_string_equal(kit_text(k, "SELECT number FROM case_file WHERE id = '%s'", k->kase), "CASE-2026-000002");
	assert_int_equal(kit_use(k, &OWNER, ctm_application_open, NULL, "product_id", PRODUCT, "cla_org_id", LAB, NULL), CTM_E_INPUT);
	assert_int_equal(kit_use(k, &OWNER, ctm_application_open, NULL, "product_id", JOB, "cla_org_id", CLA, NULL), CTM_E_NOTFOUND);
}

static void the_worksheet_says_what_may_be_done_and_why_not(void **state)
{
	struct kit *k = *state;
	struct one tester_hat = TESTER;
	tester_hat.org = CLA;
	tester_hat.roles = CTM_ROLE_CLA_DECIDER;
	kit_pending(k);
	assert_int_equal(kit_use(k, &DECIDER, ctm_case_page, NULL, "id", k->kase, NULL), 0);
	const ctm_json *events = ctm_json_get(k->out, "events");
	bool grant = false;
	for (size_t i = 0; i < ctm_json_len(events); i++)
		grant |= strcmp(ctm_json_gets(ctm_json_at(events, i), "kind"), "grant") == 0 && ctm_json_getb(ctm_json_at(events, i), "allowed", false);
	assert_true(grant);
	assert_int_equal(ctm_json_len(ctm_json_get(k->out, "gaps")), 0);
	assert_int_equal(ctm_json_len(ctm_json_get(k->out, "verifications")), 6);
	assert_non_null(ctm_json_gets(ctm_json_get(k->out, "report"), "tester"));
	assert_true(ctm_json_len(ctm_json_get(k->out, "clocks")) > 3);
	assert_true(ctm_json_getb(ctm_json_get(k->out, "screening"), "clean", false));
	assert_int_equal(kit_use(k, &tester_hat, ctm_case_page, NULL, "id", k->kase, NULL), 0);
	events = ctm_json_get(k->out, "events");
	assert_true(ctm_json_len(events) > 0);
	for (size_t i = 0; i < ctm_json_len(events); i++) {
		assert_false(ctm_json_getb(ctm_json_at(events, i), "allowed", true));
		assert_string_equal(ctm_json_gets(ctm_json_at(events, i), "rule"), "ISO/IEC 17065 7.6");
	}
	assert_int_equal(kit_use(k, &DECIDER, ctm_cases_page, NULL, NULL), 0);
	assert_int_equal(ctm_json_len(ctm_json_get(k->out, "inbox")), 1);
	assert_int_equal(kit_use(k, &OWNER, ctm_cases_page, NULL, NULL), 0);
	assert_int_equal(ctm_json_len(ctm_json_get(k->out, "inbox")), 0);
	assert_int_equal(ctm_json_len(ctm_json_get(k->out, "others")), 1);
	assert_int_equal(kit_use(k, &OWNER, ctm_catalogue_page, NULL, NULL), 0);
	assert_int_equal(ctm_json_len(ctm_json_get(k->out, "outcomes")), 83);
}

static void a_foreign_case_does_not_exist(void **state)
{
	struct kit *k = *state;
	kit_draft(k);
	assert_int_equal(kit_use(k, &STRANGER, ctm_case_page, NULL, "id", k->kase, NULL), CTM_E_NOTFOUND);
	assert_int_equal(kit_use(k, &INTAKE, ctm_case_page, NULL, "id", k->kase, NULL), CTM_E_NOTFOUND);   /* a draft is the applicant's own */
	kit_refused(k, &INTAKE, "accept", NULL, "", CTM_E_NOTFOUND, NULL);
	kit_declare(k, KIT_DECLARATIONS);
	kit_must(k, &OWNER, "file", NULL, "");
	assert_int_equal(kit_use(k, &INTAKE, ctm_case_page, NULL, "id", k->kase, NULL), 0);
	kit_refused(k, &STRANGER, "accept", NULL, "", CTM_E_NOTFOUND, NULL);
	assert_int_equal(kit_use(k, &STRANGER, ctm_cases_page, NULL, NULL), 0);
	assert_int_equal(ctm_json_len(ctm_json_get(k->out, "others")) + ctm_json_len(ctm_json_get(k->out, "inbox")), 0);
}

static void forms_and_api_reach_the_same_move(void **state)
{
	struct kit *k = *state;
	kit_reported(k, "SU.1");
	const char *v = kit_text(k, "SELECT row_version FROM case_file WHERE id = '%s'", k->kase);
	assert_int_equal(kit_use(k, &REVIEWER, ctm_case_event_form, NULL, "id", k->kase, "event", "start_review", "row_version", v, NULL), 0);
	assert_int_equal(kit_use(k, &REVIEWER, ctm_case_event_form, NULL, "id", k->kase, "event", "recommend", "row_version", v, NULL), CTM_E_CONFLICT);
	v = kit_text(k, "SELECT row_version FROM case_file WHERE id = '%s'", k->kase);
	assert_int_equal(kit_use(k, &REVIEWER, ctm_case_event_form, NULL, "id", k->kase, "event", "recommend", "row_version", v, "recommendation", "denial", "note1", "no", "check2", "1", "note2",
		"yes", "note3", "no", "note4", "no", "check5", "1", "note5", "none", "check6", "1", "note6", "none", NULL), 0);
	v = kit_text(k, "SELECT row_version FROM case_file WHERE id = '%s'", k->kase);
	assert_int_equal(kit_use(k, &DECIDER, ctm_case_event_form, NULL, "id", k->kase, "event", "decide", "row_version", v, "kind", "denial", "reasons", "SU.1 camera", NULL), CTM_E_INPUT);
	assert_int_equal(kit_use(k, &DECIDER, ctm_case_event_api, "{\"note\":1}", "id", k->kase, "event", "decide", NULL), CTM_E_INPUT);
	assert_int_equal(kit_use(k, &DECIDER, ctm_case_event_api, "{\"data\":{\"kind\":\"denial\"},\"extra\":1}", "id", k->kase, "event", "decide", NULL), CTM_E_INPUT);
	assert_int_equal(kit_use(k, &DECIDER, ctm_case_event_form, NULL, "id", k->kase, "event", "decide", "row_version", v, "kind", "denial", "reasons",
		"SU.1 | camera | takes an unsigned update\r\n\r\n  IAC.1b | camera |  one password for all \r\n", NULL), 0);
	assert_string_equal(kit_text(k, "SELECT reasons_json ->> '$[1].text' FROM decision"), "one password for all");
}

static void the_form_makes_the_same_declarations(void **state)   /* 47 CFR 8.208 */
{
	struct kit *k = *state;
	kit_draft(k);
	assert_int_equal(kit_use(k, &OWNER, ctm_declarations_form, NULL, "id", k->kase, "affiliates", "Lark Holdings | lots", NULL), CTM_E_INPUT);
	assert_string_equal(k->err.field, "affiliates");
	assert_int_equal(kit_use(k, &OWNER, ctm_declarations_form, NULL, "id", k->kase, "producers", "camera", NULL), CTM_E_INPUT);
	assert_int_equal(kit_use(k, &OWNER, ctm_declarations_form, NULL, "id", k->kase, "c1", "1", NULL), 0);
	assert_false(ctm_json_getb(k->out, "complete", true));
	kit_refused(k, &OWNER, "file", NULL, "", CTM_E_GUARD, "47 CFR 8.208(c)(2)");   /* guard declarations_complete */
	assert_int_equal(kit_use(k, &OWNER, ctm_declarations_form, NULL, "id", k->kase, "c1", "1", "c2", "1", "c3", "1", "c4", "1", "c5", "1", "c6", "1", "c7", "1", "c8", "1", "perjury", "1",
		"truth", "1", "not_prohibited", "1", "support_end", "2031-12-31", "signer_name", "Olive Orchard", "signer_title", "Owner", "signer_signature", "/s/ Olive Orchard",
		"signer_signed_on", "2026-11-20", "agent_name", "Olive Orchard", "agent_address", "1 Fictional Way", "agent_email", "legal@larkspur.example", "agent_consent", "1",
		"agent_signature", "/s/ Olive Orchard", "agent_signed_on", "2026-11-20", "denied", "0", "affiliates", "Lark Holdings (fictional) | 25\r\n",
		"producers", "camera | Example Optics (fictional)", NULL), 0);
	assert_true(ctm_json_getb(k->out, "complete", false));
	assert_int_equal(kit_use(k, &OWNER, ctm_case_page, NULL, "id", k->kase, NULL), 0);
	const ctm_json *d = ctm_json_get(k->out, "declarations");
	assert_string_equal(ctm_json_gets(d, "affiliates_text"), "Lark Holdings (fictional) | 25\n");
	assert_string_equal(ctm_json_gets(d, "producers_text"), "camera | Example Optics (fictional)\n");
	kit_must(k, &OWNER, "file", NULL, "");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = {
		T(a_grant_writes_decision_certificate_and_authorisation), T(a_denial_never_has_a_certificate), T(an_unmet_outcome_cannot_be_granted), T(persons_are_kept_apart_in_any_hat),
		T(filing_asks_for_every_declaration), T(malformed_declarations_are_refused_and_nothing_is_kept), T(screening_stops_listed_names), T(a_likeness_can_be_cleared_by_a_person),
		T(a_changed_list_asks_for_a_new_declaration), T(a_decision_needs_the_report), T(only_a_recognised_lab_counts), T(a_report_must_be_sealed_real_and_of_this_case), T(six_verifications_are_needed),
		T(information_is_asked_for_and_answered), T(an_applicant_may_withdraw), T(the_worksheet_says_what_may_be_done_and_why_not), T(a_foreign_case_does_not_exist),
		T(forms_and_api_reach_the_same_move), T(the_form_makes_the_same_declarations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
