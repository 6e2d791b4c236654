/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of a certificate: suspension as an overlay of the scheme, reinstatement, withdrawal for good; two persons for
 * each; decisions that can be checked later.
 */
#include "kit.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *cert_id(struct kit *k) { return kit_text(k, "SELECT id FROM certificate"); }

static int propose(struct kit *k, const struct one *who, const char *kind)
{
	int rc = kit_use(k, who, ctm_certificate_case_open, NULL, "id", cert_id(k), "kind", kind, "reason", "an undeclared port answered", NULL);
	if (!rc)
		ctm_copy(k->kase, sizeof k->kase, ctm_json_gets(k->out, "id"));
	return rc;
}

static void a_suspension_leaves_the_authorisation(void **state)   /* 47 CFR 8.213: Part 8 knows no suspension */
{
	struct kit *k = *state;
	struct one both = SURVEILLANCE;
	both.roles = CTM_ANY_CLA;
	kit_granted(k);
	assert_int_equal(propose(k, &SURVEILLANCE, "suspension"), 0);
	assert_int_equal(propose(k, &SURVEILLANCE, "suspension"), CTM_E_EXISTS);
	kit_refused(k, &both, "decide", "{\"kind\":\"suspension\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.11");   /* guard not_the_proposer */
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"reinstatement\"}", "", CTM_E_INPUT, NULL);
	/* who evaluated the product for the application stays an evaluator (ISO/IEC 17065 7.6) */
	struct one tester_hat = TESTER;
	tester_hat.org = CLA;
	tester_hat.roles = CTM_ROLE_CLA_DECIDER;
	kit_refused(k, &tester_hat, "decide", "{\"kind\":\"suspension\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.6");   /* guard independent_decider */
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"suspension\"}", "");
	assert_string_equal(kit_text(k, "SELECT status FROM certificate"), "suspended");
	assert_string_equal(kit_text(k, "SELECT status FROM authorisation"), "active");
	assert_non_null(strstr(kit_text(k, "SELECT reasons_json FROM decision WHERE kind = 'suspension'"), "an undeclared port answered"));
	assert_non_null(strstr(kit_text(k, "SELECT approvals_json FROM decision WHERE kind = 'suspension'"), SURVEILLANCE.person));
	kit_must(k, &OWNER, "report_correction", NULL, "closed in release 1.0.1");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM clock WHERE rule = 'T-CURE' AND done_ms IS NULL"), 0);
	kit_must(k, &both, "propose_reinstatement", NULL, "two samples are clean");
	kit_refused(k, &both, "decide", "{\"kind\":\"reinstatement\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.11");   /* guard not_the_proposer */
	kit_refused(k, &both, "reject", NULL, "x", CTM_E_GUARD, "ISO/IEC 17065 7.11");   /* guard not_the_proposer */
	kit_must(k, &DECIDER, "reject", NULL, "one sample more");
	assert_string_equal(kit_state(k), "SUSPENDED");
	kit_must(k, &SURVEILLANCE, "propose_reinstatement", NULL, "three samples are clean");
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"reinstatement\"}", "reinstated");
	assert_string_equal(kit_text(k, "SELECT status FROM certificate"), "in_force");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM event WHERE type = 'decision.made'"), 3);
	/* it may be suspended again, as a case of its own */
	assert_int_equal(propose(k, &SURVEILLANCE, "suspension"), 0);
	kit_must(k, &DECIDER, "reject", NULL, "no ground");
	assert_string_equal(kit_text(k, "SELECT status FROM certificate"), "in_force");
}

static void a_withdrawal_is_for_good(void **state)   /* ISO/IEC 17065 7.11; 47 CFR 8.213(a) */
{
	struct kit *k = *state;
	struct one both = SURVEILLANCE;
	both.roles = CTM_ANY_CLA;
	kit_granted(k);
	assert_int_equal(propose(k, &SURVEILLANCE, "suspension"), 0);
	char suspension[40];
	ctm_copy(suspension, sizeof suspension, k->kase);
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"suspension\"}", "");
	kit_refused(k, &SURVEILLANCE, "close", NULL, "", CTM_E_GUARD, "ISO/IEC 17065 7.11");   /* guard certificate_ended */
	assert_int_equal(propose(k, &STRANGER, "withdrawal"), CTM_E_NOTFOUND);
	assert_int_equal(propose(k, &SURVEILLANCE, "withdrawal"), 0);
	kit_refused(k, &both, "decide", "{\"kind\":\"withdrawal\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.11");   /* guard not_the_proposer */
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"withdrawal\"}", "");
	assert_string_equal(kit_text(k, "SELECT status FROM certificate"), "withdrawn");
	assert_string_equal(kit_text(k, "SELECT status FROM authorisation"), "withdrawn");
	assert_true(kit_int(k, "SELECT ended_ms FROM authorisation") == k->now_ms);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM clock WHERE rule IN ('T-CERT', 'T-SURV') AND done_ms IS NULL"), 0);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM clock WHERE rule = 'T-REC-SCHEME' AND done_ms IS NULL"), 1);
	ctm_copy(k->kase, sizeof k->kase, suspension);
	kit_refused(k, &SURVEILLANCE, "propose_reinstatement", NULL, "x", CTM_E_GUARD, "ISO/IEC 17065 7.11");   /* guard certificate_suspended */
	kit_must(k, &SURVEILLANCE, "close", NULL, "");
	assert_int_equal(propose(k, &SURVEILLANCE, "withdrawal"), CTM_E_STATE);
	assert_int_equal(propose(k, &SURVEILLANCE, "suspension"), CTM_E_STATE);
	/* a corrected product is a new application with a new certificate */
	kit_sql(k, "UPDATE lab_job SET id = 'old', bundle_digest = 'sha256:bb'");
	kit_sql(k, "DELETE FROM outcome_status");
	kit_granted(k);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM certificate"), 2);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM certificate WHERE number = 'CTM-2026-000002' AND status = 'in_force'"), 1);
}

/* The state of the certificate is asked again at the decision, not only when it was proposed. */
static void a_decision_needs_the_certificate_as_proposed(void **state)   /* ISO/IEC 17065 7.11 */
{
	struct kit *k = *state;
	kit_granted(k);
	assert_int_equal(propose(k, &SURVEILLANCE, "suspension"), 0);
	kit_sql(k, "UPDATE certificate SET status = 'expired'");
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"suspension\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.11");   /* guard certificate_in_force */
	kit_sql(k, "UPDATE certificate SET status = 'in_force'");
	assert_int_equal(propose(k, &SURVEILLANCE, "withdrawal"), 0);
	kit_sql(k, "UPDATE certificate SET status = 'expired'");
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"withdrawal\"}", "", CTM_E_GUARD, "ISO/IEC 17065 7.11");   /* guard certificate_not_ended */
	kit_sql(k, "UPDATE certificate SET status = 'in_force'");
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"withdrawal\"}", "");
}

static void what_fails_halfway_leaves_nothing(void **state)
{
	struct kit *k = *state;
	kit_granted(k);
	assert_int_equal(propose(k, &SURVEILLANCE, "suspension"), 0);
	int64_t decisions = kit_int(k, "SELECT count(*) FROM decision"), events = kit_int(k, "SELECT count(*) FROM event"), audit = kit_int(k, "SELECT count(*) FROM audit");
	/* the timeline is the last thing a move writes: without it decision, certificate, clocks and audit line must be gone again */
	kit_sql(k, "CREATE TRIGGER broken BEFORE INSERT ON timeline BEGIN SELECT RAISE(ABORT, 'disk trouble'); END");
	assert_int_not_equal(kit_fire(k, &DECIDER, "decide", "{\"kind\":\"suspension\"}", ""), 0);
	assert_string_equal(kit_state(k), "PROPOSED");
	assert_string_equal(kit_text(k, "SELECT status FROM certificate"), "in_force");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM decision"), decisions);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM event"), events);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM audit"), audit);
	kit_sql(k, "DROP TRIGGER broken");
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"suspension\"}", "");
}

static void a_decision_can_be_checked_later(void **state)
{
	struct kit *k = *state;
	CTM_AUTO_BUF a = CTM_BUF(1 << 16), b = CTM_BUF(1 << 16), c = CTM_BUF(1 << 16);
	char digest[72];
	struct ctm_err err = { 0 };
	kit_granted(k);
	char id[40];
	ctm_copy(id, sizeof id, kit_text(k, "SELECT id FROM decision"));
	assert_int_equal(ctm_decision_canonical(k->db, id, &a, digest, &err), 0);
	assert_int_equal(ctm_decision_canonical(k->db, id, &b, digest, &err), 0);
	assert_string_equal(ctm_buf_cstr(&a), ctm_buf_cstr(&b));
	assert_string_equal(digest, kit_text(k, "SELECT digest FROM decision"));
	assert_null(strstr(ctm_buf_cstr(&a), "Dunn"));                 /* ids, no names */
	kit_sql(k, "UPDATE decision SET decided_by = '%s'", TESTER.person);
	assert_int_equal(ctm_decision_canonical(k->db, id, &c, digest, &err), CTM_E_VERIFY);
}

/* The job may run again after a crash: the same bytes, the same name, once. */
static void the_decision_is_kept_once(void **state)
{
	struct kit *k = *state;
	char dir[80], digest[72];
	struct ctm_err err = { 0 };
	CTM_AUTO_BUF kept = CTM_BUF(1 << 16), made = CTM_BUF(1 << 16);
	snprintf(dir, sizeof dir, "%s.blobs", k->path);
	assert_int_equal(ctm_blobs_open(dir, &k->app.blobs, &err), 0);
	kit_granted(k);
	CTM_AUTO_JSON *payload = ctm_json_obj();
	ctm_json *data = ctm_json_obj();
	assert_int_equal(ctm_json_sets(data, "decision_id", kit_text(k, "SELECT id FROM decision")) | ctm_json_set(payload, "data", data), 0);
	struct ctm_jx jx = { .app = &k->app, .db = k->db, .arena = k->arena, .err = &err, .now_ms = k->now_ms, .key = "", .payload = payload };
	assert_int_equal(ctm_decision_job(&jx), 0);
	assert_int_equal(ctm_decision_job(&jx), 0);
	assert_int_equal(ctm_blob_get(k->app.blobs, kit_text(k, "SELECT digest FROM decision"), 1 << 16, &kept, &err), 0);
	assert_int_equal(ctm_decision_canonical(k->db, kit_text(k, "SELECT id FROM decision"), &made, digest, &err), 0);
	assert_string_equal(ctm_buf_cstr(&kept), ctm_buf_cstr(&made));
	/* a changed row is not kept */
	kit_sql(k, "UPDATE decision SET kind = 'denial'");
	assert_int_equal(ctm_decision_job(&jx), CTM_E_VERIFY);
	char path[1024];
	assert_int_equal(ctm_blob_path(k->app.blobs, digest, path, sizeof path), 0);
	unlink(path);
	*strrchr(path, '/') = 0;
	rmdir(path);
	ctm_blobs_close(k->app.blobs);
	k->app.blobs = NULL;
	rmdir(dir);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = { T(a_suspension_leaves_the_authorisation), T(a_withdrawal_is_for_good), T(a_decision_needs_the_certificate_as_proposed), T(what_fails_halfway_leaves_nothing), T(a_decision_can_be_checked_later), T(the_decision_is_kept_once) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
