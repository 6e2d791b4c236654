/* SPDX-License-Identifier: Apache-2.0
 *
 * Events and jobs over the real schema: at least once, in order of time, with keys that join waiting posts only.
 */
#include "../base/harness.h"
#include "base/text.h"
#include "base/timex.h"
#include "event/event.h"

#define T0 INT64_C(1795358763000)

static struct ctm_db *fresh(void **state, const char *name)
{
	char url[300];
	struct ctm_db *db = NULL;
	int from, to;
	snprintf(url, sizeof url, "sqlite:%s/%s", (char *)*state, name);
	assert_int_equal(ctm_db_open(url, CTM_DB_RW, &db, NULL), 0);
	assert_int_equal(ctm_db_migrate(db, &from, &to, NULL), 0);
	return db;
}

static bool lease(struct ctm_db *db, int64_t now, struct ctm_job *j)
{
	bool found = false;
	struct ctm_err e = { 0 };
	if (ctm_job_lease(db, now, 60000, 1, j, &found, &e))
		fail_msg("%s", e.msg);
	return found;
}

static int64_t next(struct ctm_db *db)
{
	int64_t due = -1;
	bool stranded;
	assert_int_equal(ctm_job_next(db, T0, 60000, &due, &stranded, NULL), 0);
	return due;
}

static void jobs_come_in_order_of_time_and_only_when_due(void **state)
{
	struct ctm_db *db = fresh(state, "order.db");
	struct ctm_job j;
	CTM_AUTO_JSON *p = ctm_json_obj();
	assert_int_equal(ctm_json_sets(p, "what", "later"), 0);
	assert_true(next(db) == INT64_MAX);
	assert_int_equal(ctm_job_post(db, T0 + 5000, "later", "", p, NULL), 0);
	assert_int_equal(ctm_job_post(db, T0, "first", "", NULL, NULL), 0);
	assert_true(next(db) == T0);
	assert_true(lease(db, T0, &j));
	assert_string_equal(j.kind, "first");
	assert_int_equal(ctm_json_len(j.payload), 0);
	ctm_job_free(&j);
	assert_int_equal(ctm_job_done(db, &j, T0, NULL), 0);
	assert_int_equal(ctm_job_done(db, &j, T0, NULL), CTM_E_STATE);
	assert_false(lease(db, T0, &j));
	assert_true(lease(db, T0 + 5000, &j));
	assert_string_equal(ctm_json_gets(j.payload, "what"), "later");
	assert_true(j.attempts == 1);
	ctm_job_free(&j);
	ctm_db_close(db);
}

static void a_lost_lease_is_given_out_again(void **state)
{
	struct ctm_db *db = fresh(state, "lost.db");
	struct ctm_job j;
	assert_int_equal(ctm_job_post(db, T0, "k", "", NULL, NULL), 0);
	assert_true(lease(db, T0, &j));
	ctm_job_free(&j);
	assert_false(lease(db, T0 + 60000, &j));
	assert_true(next(db) == T0 + 60001);
	assert_true(lease(db, T0 + 60001, &j));
	assert_true(j.attempts == 2);
	ctm_job_free(&j);
	assert_false(lease(db, T0 + 60002, &j));
	assert_int_equal(ctm_job_reclaim(db, 1, NULL), 0);   /* the server was started again */
	assert_true(next(db) <= T0 && lease(db, T0 + 60002, &j));
	ctm_job_free(&j);
	ctm_db_close(db);
}

static bool lease_as(struct ctm_db *db, int64_t holder, int64_t now, struct ctm_job *j)
{
	bool found = false;
	assert_int_equal(ctm_job_lease(db, now, 60000, holder, j, &found, NULL), 0);
	if (found)
		ctm_job_free(j);
	return found;
}

static int64_t overdue(struct ctm_db *db, int64_t me, int64_t now)
{
	int64_t holder = -1;
	assert_int_equal(ctm_job_overdue(db, now, me, &holder, NULL), 0);
	return holder;
}

/* Two servers: a lease is its holder's while he lives, whatever the clock says. */
static void a_lease_of_another_is_taken_only_when_he_is_gone(void **state)
{
	struct ctm_db *db = fresh(state, "two.db");
	struct ctm_job a, b;
	assert_int_equal(ctm_job_post(db, T0, "k", "", NULL, NULL), 0);
	assert_true(lease_as(db, 1, T0, &a));
	assert_false(lease_as(db, 2, T0 + 60000, &b));
	assert_int_equal(overdue(db, 2, T0 + 60000), 0);
	assert_false(lease_as(db, 2, T0 + 86400000, &b));            /* a clock that went forward a day */
	assert_int_equal(overdue(db, 2, T0 + 86400000), 1);
	assert_int_equal(overdue(db, 1, T0 + 86400000), 0);           /* nobody has to look after himself */
	assert_int_equal(ctm_job_extend(db, T0 + 86400000, 60000, 1, NULL), 0);      /* he lives */
	assert_int_equal(overdue(db, 2, T0 + 86400000), 0);
	assert_int_equal(ctm_job_reclaim(db, 2, NULL), 0);            /* the second starts again: not his */
	assert_false(lease_as(db, 2, T0 + 86400000, &b));
	assert_int_equal(ctm_job_reclaim(db, 1, NULL), 0);            /* he is gone */
	assert_true(lease_as(db, 2, T0 + 86400000, &b));
	assert_true(a.attempts == 1 && b.attempts == 2);
	assert_int_equal(ctm_job_done(db, &a, T0, NULL), CTM_E_STATE);    /* was not gone after all: too late */
	assert_int_equal(ctm_job_fail(db, &a, T0, 5, "x", NULL, NULL), CTM_E_STATE);
	assert_int_equal(ctm_job_done(db, &b, T0, NULL), 0);
	ctm_db_close(db);
}

/* Posted and leased by a clock that stood a year ahead; then it is put right. */
static void a_clock_that_goes_back_strands_no_job(void **state)
{
	struct ctm_db *db = fresh(state, "back.db");
	const int64_t year = INT64_C(365) * 86400000, now = ctm_now_ms(), ahead = now + year;
	struct ctm_job j;
	assert_int_equal(ctm_job_post(db, ahead, "leased", "", NULL, NULL), 0);
	assert_true(lease_as(db, 1, ahead, &j));
	assert_int_equal(ctm_job_post(db, now - 1, "retried", "", NULL, NULL), 0);
	assert_true(lease_as(db, 2, now, &j));
	assert_int_equal(ctm_job_fail(db, &j, ahead, 5, "x", NULL, NULL), 0);
	assert_int_equal(ctm_job_post(db, now + 30 * INT64_C(86400000), "deadline", "", NULL, NULL), 0);
	assert_true(next(db) > now + 60000);
	int64_t due;
	bool stranded = false;
	assert_int_equal(ctm_job_next(db, now, 60000, &due, &stranded, NULL), 0);
	assert_true(stranded);
	assert_int_equal(ctm_job_settle(db, now, 60000, NULL), 0);
	assert_int_equal(ctm_job_next(db, now, 60000, &due, &stranded, NULL), 0);
	assert_false(stranded);
	assert_true(lease_as(db, 2, now, &j) && ctm_streq(j.kind, "retried"));
	assert_false(lease_as(db, 1, now + 60000, &j));
	assert_true(lease_as(db, 1, now + 60001, &j) && ctm_streq(j.kind, "leased"));
	assert_true(next(db) <= now + 120001);
	assert_false(lease_as(db, 1, now + 60001, &j));               /* a deadline stays where it is */
	ctm_db_close(db);
}

static void failures_back_off_and_end(void **state)
{
	struct ctm_db *db = fresh(state, "fail.db");
	struct ctm_job j;
	int64_t now = T0;
	bool again = true;
	assert_int_equal(ctm_job_post(db, T0, "k", "", NULL, NULL), 0);
	for (int i = 0; i < 4; i++) {
		assert_true(lease(db, now, &j));
		ctm_job_free(&j);
		assert_int_equal(ctm_job_fail(db, &j, now, 4, "the peer is away \xC3\xA9", &again, NULL), 0);
		assert_int_equal(again, i < 3);
		if (i < 3)
			assert_true(next(db) == now + (1000 << i));
		now += 1000 << i;
	}
	assert_false(lease(db, now + 100000000, &j));
	assert_int_equal(ctm_job_fail(db, &j, now, 4, "x", NULL, NULL), CTM_E_STATE);
	assert_int_equal(ctm_job_fail(db, &(struct ctm_job){ .id = "absent" }, now, 4, "x", NULL, NULL), CTM_E_NOTFOUND);
	struct ctm_q *q = ctm_q(db, "job.failed");
	CTM_AUTO_JSON *rows = NULL;
	ctm_q_int(q, "limit", 10);
	assert_int_equal(ctm_q_rows(q, 10, &rows, NULL), 0);
	assert_string_equal(ctm_json_gets(ctm_json_at(rows, 0), "error"), "the peer is away \xC3\xA9");
	ctm_db_close(db);
}

static void keys_join_what_waits_but_never_swallow_a_wake_up(void **state)
{
	struct ctm_db *db = fresh(state, "keys.db");
	struct ctm_job a, b;
	bool again = false;
	assert_int_equal(ctm_job_post(db, T0, "publish", "r1", NULL, NULL), 0);
	assert_int_equal(ctm_job_post(db, T0, "publish", "r1", NULL, NULL), 0);
	assert_int_equal(ctm_job_post(db, T0, "publish", "r2", NULL, NULL), 0);
	assert_true(lease(db, T0, &a));
	assert_string_equal(a.key, "r1");
	ctm_job_free(&a);
	assert_int_equal(ctm_job_post(db, T0, "publish", "r1", NULL, NULL), 0);        /* a is running: this one must run too */
	assert_int_equal(ctm_job_fail(db, &a, T0, 5, "x", &again, NULL), 0);          /* a's retry is the one that waits */
	assert_true(again);
	int runs = 0;
	while (lease(db, T0 + 100000, &b)) {
		runs++;
		ctm_job_free(&b);
		assert_int_equal(ctm_job_done(db, &b, T0, NULL), 0);
	}
	assert_int_equal(runs, 2);                 /* r2 and one r1 */
	ctm_db_close(db);
}

static void events_become_one_job_per_listener(void **state)
{
	static const struct ctm_listener rows[] = { { "case.moved", "tell" }, { "case.moved", "index" }, { "record.published", "tell" } };
	struct ctm_db *db = fresh(state, "event.db");
	struct ctm_job j;
	CTM_AUTO_JSON *data = ctm_json_obj();
	int seen = 0;
	assert_int_equal(ctm_json_sets(data, "to", "review"), 0);
	ctm_event_set_listeners(rows, 3);
	assert_int_equal(ctm_event_emit(db, T0, "case.moved", "case", "c1", data, NULL), 0);
	assert_int_equal(ctm_event_emit(db, T0, "alert.raised", "device", "d1", NULL, NULL), 0);
	while (lease(db, T0, &j)) {
		seen++;
		assert_string_equal(ctm_json_gets(j.payload, "event"), "case.moved");
		assert_string_equal(ctm_json_gets(j.payload, "kind"), "case");
		assert_string_equal(ctm_json_gets(j.payload, "id"), "c1");
		assert_string_equal(ctm_json_gets(ctm_json_get(j.payload, "data"), "to"), "review");
		ctm_job_free(&j);
		assert_int_equal(ctm_job_done(db, &j, T0, NULL), 0);
	}
	assert_int_equal(seen, 2);
	struct ctm_q *q = ctm_q(db, "event.of");
	CTM_AUTO_JSON *events = NULL;
	ctm_q_text(q, "subject_kind", "device");
	ctm_q_text(q, "subject_id", "d1");
	ctm_q_int(q, "limit", 10);
	assert_int_equal(ctm_q_rows(q, 10, &events, NULL), 0);
	assert_string_equal(ctm_json_gets(ctm_json_at(events, 0), "type"), "alert.raised");
	ctm_event_set_listeners(NULL, 0);
	ctm_db_close(db);
}

static void an_event_goes_back_with_its_change(void **state)
{
	static const struct ctm_listener rows[] = { { "case.moved", "tell" } };
	struct ctm_db *db = fresh(state, "back.db");
	struct ctm_job j;
	ctm_event_set_listeners(rows, 1);
	assert_int_equal(ctm_tx_begin(db, NULL), 0);
	assert_int_equal(ctm_event_emit(db, T0, "case.moved", "case", "c1", NULL, NULL), 0);
	ctm_tx_rollback(db);
	assert_false(lease(db, T0, &j));
	ctm_event_set_listeners(NULL, 0);
	ctm_db_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_come_in_order_of_time_and_only_when_due), cmocka_unit_test(a_lost_lease_is_given_out_again),
		cmocka_unit_test(a_lease_of_another_is_taken_only_when_he_is_gone),
		cmocka_unit_test(a_clock_that_goes_back_strands_no_job), cmocka_unit_test(failures_back_off_and_end), cmocka_unit_test(keys_join_what_waits_but_never_swallow_a_wake_up),
		cmocka_unit_test(events_become_one_job_per_listener), cmocka_unit_test(an_event_goes_back_with_its_change),
	};
	return cmocka_run_group_tests(tests, scratch_new, scratch_gone);
}
