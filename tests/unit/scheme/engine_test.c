/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine against its tables: every role tries every event in every state, two deciders meet, clocks fall due.
 */
#include "kit.h"
#include "base/text.h"
#include "base/timex.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

static unsigned side_roles(const char *side)
{
	return strcmp(side, "applicant") == 0 ? CTM_ANY_MAKER : strcmp(side, "lab") == 0 ? CTM_ANY_LAB : CTM_ANY_CLA;
}

/* What the table says should happen before any guard is asked. */
static int expected(const struct ctm_case_table *t, const char *state, const char *event, unsigned role)
{
	bool any = false, with_kind = false, may = false;
	for (size_t i = 0; i < t->nrows; i++) {
		const struct ctm_case_row *r = &t->rows[i];
		if (strcmp(r->from->id, state) != 0 || strcmp(r->event, event) != 0)
			continue;
		any = true;
		with_kind |= *r->kind != 0;
		may |= (r->roles & role) != 0;
	}
	return !any ? CTM_E_STATE : with_kind ? CTM_E_INPUT : may ? 0 : CTM_E_FORBIDDEN;
}

static void every_role_state_and_event(void **state)
{
	struct kit *k = *state;
	static const char *const orgs[] = { MAKER, LAB, CLA }, *const sides[] = { "applicant", "lab", "cla" };
	static const struct one *const people[] = { &OWNER, &TESTER, &SURVEILLANCE };
	size_t tried = 0;
	kit_draft(k);
	for (size_t n = 0; n < ctm_case_table_count(k->cat); n++) {
		const struct ctm_case_table *t = ctm_case_table_at(k->cat, n);
		for (size_t s = 0; s < t->nstates; s++) {
			kit_sql(k, "UPDATE case_file SET kind = '%s', pack = '%s', state = '%s', filed_ms = 1 WHERE id = '%s'", t->kind, t->kind, t->states[s].id, k->kase);
			for (size_t e = 0; e < t->nrows; e++)
				for (int side = 0; side < 3; side++)
					for (int b = 0; b < CTM_ROLE_COUNT; b++) {
						struct one who = *people[side];
						struct ctm_cx cx;
						struct ctm_who w;
						if (!(side_roles(sides[side]) & 1u << b))
							continue;
						who.roles = 1u << b;
						who.org = orgs[side];
						kit_cx(k, &who, &cx, &w);
						assert_int_equal(ctm_tx_begin(k->db, NULL), 0);
						int want = expected(t, t->states[s].id, t->rows[e].event, who.roles), got = ctm_case_fire(&cx, k->kase, t->rows[e].event, NULL, "", k->out);
						ctm_tx_rollback(k->db);
						bool good = want ? got == want : got != CTM_E_STATE && got != CTM_E_FORBIDDEN && got != CTM_E_CONFLICT && got != CTM_E_FAIL;
						if (!good)
							fail_msg("%s %s %s by role bit %d: expected %s, got %s: %s", t->kind, t->states[s].id, t->rows[e].event, b, ctm_err_name(want), ctm_err_name(got), k->err.msg);
						tried++;
					}
		}
	}
	assert_true(tried > 5000);
}

static void the_second_of_two_deciders_is_told(void **state)
{
	struct kit *k = *state;
	char data[80];
	kit_pending(k);
	snprintf(data, sizeof data, "{\"kind\":\"grant\",\"row_version\":%lld}", (long long)kit_int(k, "SELECT row_version FROM case_file"));
	kit_must(k, &DECIDER, "decide", data, "");
	kit_refused(k, &DECIDER, "decide", data, "", CTM_E_CONFLICT, NULL);
	kit_refused(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "", CTM_E_STATE, NULL);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM certificate"), 1);
}

/* Two connections, each with the case already read: the compare-and-set lets one through. */
static void the_row_itself_lets_only_one_through(void **state)
{
	struct kit *k = *state;
	kit_filed(k);
	int64_t v = kit_int(k, "SELECT row_version FROM case_file"), first = 0, second = 0;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ctm_tx_begin(k->db, NULL), 0);
		struct ctm_q *q = ctm_q(k->db, "case.move");
		ctm_q_text(q, "id", k->kase);
		ctm_q_text(q, "from", "FILED");
		ctm_q_text(q, "to", i ? "DISMISSED" : "ACCEPTED_COMPLETE");
		ctm_q_text(q, "data", "{}");
		ctm_q_int(q, "row_version", v);
		static const char *const none[] = { "lab", "filed", "accepted", "decided", "closed" };
		for (size_t n = 0; n < 5; n++)
			ctm_q_null(q, none[n]);
		assert_int_equal(ctm_q_run(q, i ? &second : &first, NULL), 0);
		assert_int_equal(ctm_tx_commit(k->db, NULL), 0);
	}
	assert_int_equal(first, 1);
	assert_int_equal(second, 0);
}

static int64_t fire_clocks(struct kit *k)
{
	struct ctm_cx cx;
	struct ctm_who w;
	int64_t n = -1;
	kit_cx(k, &INTAKE, &cx, &w);
	assert_int_equal(ctm_tx_begin(k->db, NULL), 0);
	assert_int_equal(ctm_case_clocks_fire(&cx, &n), 0);
	assert_int_equal(ctm_tx_commit(k->db, NULL), 0);
	return n;
}

static void clocks_fall_due_once(void **state)   /* 5 business days from Monday 2026-11-23 over Thanksgiving: Tuesday 2026-12-01 */
{
	struct kit *k = *state;
	int64_t due;
	char text[CTM_RFC3339_MAX];
	kit_filed(k);
	due = kit_int(k, "SELECT due_ms FROM clock WHERE rule = 'S-INTAKE'");
	ctm_time_rfc3339(due + 1, text);
	assert_string_equal(text, "2026-12-02T05:00:00Z");
	assert_int_equal(kit_int(k, "SELECT run_at_ms FROM job WHERE kind = 'case.clocks'"), due + 1);
	assert_int_equal(kit_int(k, "SELECT due_ms FROM task WHERE done_ms IS NULL"), due);
	k->now_ms = due;
	assert_int_equal(fire_clocks(k), 0);
	k->now_ms = due + 1;
	assert_int_equal(fire_clocks(k), 1);
	assert_int_equal(fire_clocks(k), 0);
	assert_string_equal(kit_state(k), "FILED");        /* a clock moves nothing by itself */
	assert_int_equal(kit_int(k, "SELECT count(*) FROM task WHERE done_ms IS NULL AND role = 'cla.intake'"), 2);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM timeline WHERE subject_kind = 'case' AND what LIKE '%%S-INTAKE%%'"), 1);
	kit_must(k, &INTAKE, "accept", NULL, "");
	assert_int_equal(kit_int(k, "SELECT count(*) FROM task WHERE done_ms IS NULL"), 1);
}

static void a_case_keeps_the_edition_it_was_opened_under(void **state)
{
	struct kit *k = *state;
	kit_filed(k);
	assert_string_equal(kit_text(k, "SELECT pack || ' ' || pack_version FROM case_file"), "application 1");
	kit_sql(k, "UPDATE case_file SET pack_version = '0'");
	kit_refused(k, &INTAKE, "accept", NULL, "", CTM_E_FAIL, NULL);
	assert_non_null(strstr(k->err.msg, "edition 0"));
}

static void the_audit_chain_holds_after_a_walk(void **state)
{
	struct kit *k = *state;
	int64_t n = 0;
	char head[72];
	kit_granted(k);
	assert_int_equal(ctm_audit_check(k->db, &n, head, NULL), 0);
	assert_true(n >= 9);
	kit_sql(k, "UPDATE audit SET actor = 'somebody' WHERE seq = 3");
	assert_int_equal(ctm_audit_check(k->db, &n, head, NULL), CTM_E_VERIFY);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
	const struct CMUnitTest tests[] = { T(every_role_state_and_event), T(the_second_of_two_deciders_is_told), T(the_row_itself_lets_only_one_through), T(clocks_fall_due_once),
		T(a_case_keeps_the_edition_it_was_opened_under), T(the_audit_chain_holds_after_a_walk) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
