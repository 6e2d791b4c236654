/* SPDX-License-Identifier: Apache-2.0
 *
 * Two writers with a connection each, as two processes on one store would be, race for the same case row, the same counter, the
 * same head of the audit chain, on both engines: nothing is decided twice, no number is given twice, the chain does not fork.
 * A writer that is told BUSY begins its whole transaction again, as store.h says.
 */
#include "../base/harness.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "pg.h"
#include "store/audit.h"
#include "store/store.h"
#include <pthread.h>

#define WRITERS 2
#define CASES 40

static struct pg_server server;
static char url[300];

struct racer { int me; int64_t won[CASES]; int64_t numbers[CASES]; int failed; pthread_barrier_t *line; };

static int64_t changed_by(struct ctm_q *q, int *rc)
{
	int64_t n = 0;
	*rc = ctm_q_run(q, &n, NULL);
	return n;
}

/* The case as it was before both began: both hold the same row_version, one may move it. */
static int decide(struct ctm_db *db, struct racer *r, int i)
{
	static const char *const none[] = { "lab", "filed", "accepted", "decided", "closed" };
	char id[32];
	int rc;
	snprintf(id, sizeof id, "case%d", i);
	struct ctm_q *q = ctm_q(db, "case.move");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "from", "DRAFT");
	ctm_q_text(q, "to", r->me ? "DENIED" : "GRANTED");
	ctm_q_text(q, "data", "{}");
	ctm_q_int(q, "row_version", 1);
	for (size_t n = 0; n < 5; n++)
		ctm_q_null(q, none[n]);
	int64_t moved = changed_by(q, &rc);
	if (rc)
		return rc;
	CTM_AUTO_Q *c = ctm_q(db, "case.number");
	ctm_q_text(c, "name", "certificate-2026");
	if ((rc = ctm_q_one(c, NULL)))
		return rc;
	r->numbers[i] = ctm_q_i64(c, "value");
	ctm_q_donep(&c);
	rc = ctm_audit_state(db, 1000 + i, r->me ? "Ada" : "Eve", "case.decide", "case", id, "open", "decided", NULL);
	if (!rc)
		r->won[i] = moved;
	return rc;
}

static int once(struct ctm_db *db, struct racer *r, int i)
{
	int rc = ctm_tx_begin(db, NULL);
	rc = rc ? rc : decide(db, r, i);
	rc = rc ? rc : ctm_tx_commit(db, NULL);
	if (rc)
		ctm_tx_rollback(db);
	return rc;
}

static void *race(void *arg)
{
	struct racer *r = arg;
	struct ctm_db *db = NULL;
	if (ctm_db_open(url, CTM_DB_RW, &db, NULL)) {
		r->failed++;
		pthread_barrier_wait(r->line);
		return NULL;
	}
	pthread_barrier_wait(r->line);
	for (int i = 0; i < CASES; i++) {
		int rc = CTM_E_BUSY;
		for (int n = 0; n < 20 && rc == CTM_E_BUSY; n++)
			rc = once(db, r, i);
		r->failed += rc != 0;
	}
	ctm_db_close(db);
	return NULL;
}

static void draft(struct ctm_db *db, int i)
{
	static const char *const none[] = { "product", "applicant", "cla", "lab", "prior" };
	char id[32];
	snprintf(id, sizeof id, "case%d", i);
	struct ctm_q *q = ctm_q(db, "case.insert");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "number", id);
	ctm_q_text(q, "kind", "application");
	ctm_q_text(q, "pack", "scheme");
	ctm_q_text(q, "pack_version", "1");
	ctm_q_text(q, "state", "DRAFT");
	ctm_q_text(q, "data", "{}");
	ctm_q_int(q, "now", 1);
	for (size_t n = 0; n < 5; n++)
		ctm_q_null(q, none[n]);
	assert_int_equal(ctm_q_run(q, NULL, NULL), 0);
}

static void the_race(void)
{
	struct ctm_db *db = NULL;
	struct racer r[WRITERS] = { 0 };
	pthread_t t[WRITERS];
	pthread_barrier_t line;
	bool given[WRITERS * CASES + 1] = { false };
	int from, to;
	assert_int_equal(ctm_db_open(url, CTM_DB_RW, &db, NULL), 0);
	assert_int_equal(ctm_db_migrate(db, &from, &to, NULL), 0);
	for (int i = 0; i < CASES; i++)
		draft(db, i);
	pthread_barrier_init(&line, NULL, WRITERS);
	for (int w = 0; w < WRITERS; w++) {
		r[w].me = w;
		r[w].line = &line;
		assert_int_equal(pthread_create(&t[w], NULL, race, &r[w]), 0);
	}
	for (int w = 0; w < WRITERS; w++)
		pthread_join(t[w], NULL);
	pthread_barrier_destroy(&line);
	assert_true(r[0].failed == 0 && r[1].failed == 0);
	for (int i = 0; i < CASES; i++) {
		assert_int_equal(r[0].won[i] + r[1].won[i], 1);           /* decided, and once */
		for (int w = 0; w < WRITERS; w++) {
			int64_t n = r[w].numbers[i];
			assert_true(n >= 1 && n <= WRITERS * CASES && !given[n]);
			given[n] = true;
		}
	}
	int64_t lines = 0;
	char head[CTM_DIGEST_MAX];
	struct ctm_err e = { 0 };
	if (ctm_audit_check(db, &lines, head, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(lines, WRITERS * CASES);
	ctm_db_close(db);
}

static void two_writers_on_one_file_decide_once(void **state)
{
	snprintf(url, sizeof url, "sqlite:%s/race.db", (char *)*state);
	the_race();
}

static void two_writers_on_one_server_decide_once(void **state)
{
	if (!server.pid)
		skip();
	pg_url(&server, "postgres", url, sizeof url);
	the_race();
}

/* Below the turn stands SERIALIZABLE: two transactions that each read what the other writes cannot both be kept. */
static void without_the_turn_serializable_still_refuses_one(void **state)
{
	struct ctm_db *a = NULL, *b = NULL;
	int rc;
	if (!server.pid)
		skip();
	pg_url(&server, "postgres", url, sizeof url);
	assert_int_equal(ctm_db_open(url, CTM_DB_RW, &a, NULL), 0);
	assert_int_equal(ctm_db_open(url, CTM_DB_RW, &b, NULL), 0);
	assert_int_equal(ctm_tx_begin(a, NULL), 0);
	struct ctm_err e = { 0 };
	assert_int_equal(ctm_tx_begin(b, &e), CTM_E_BUSY);             /* the turn is taken: waited five seconds */
	assert_non_null(strstr(e.msg, "busy"));
	CTM_AUTO_Q *q = ctm_q(a, "case.number");
	ctm_q_text(q, "name", "same");
	assert_int_equal(ctm_q_one(q, NULL), 0);
	ctm_q_donep(&q);
	CTM_AUTO_Q *p = ctm_q(b, "case.number");                       /* outside of a transaction: waits for the row, is told BUSY */
	ctm_q_text(p, "name", "same");
	rc = ctm_q_one(p, NULL);
	assert_int_equal(rc, CTM_E_BUSY);
	ctm_q_donep(&p);
	assert_int_equal(ctm_tx_commit(a, NULL), 0);
	ctm_db_close(a);
	ctm_db_close(b);
}

static void *migrate(void *arg)
{
	struct ctm_db *db = NULL;
	int from, to;
	int *failed = arg;
	*failed = ctm_db_open(url, CTM_DB_RW, &db, NULL) || ctm_db_migrate(db, &from, &to, NULL) || ctm_db_schema(db) != (int)ctm_migration_count;
	ctm_db_close(db);
	return NULL;
}

static void two_programs_that_migrate_at_once_make_one_schema(void **state)
{
	pthread_t t[2];
	int failed[2] = { 1, 1 };
	if (!server.pid)
		skip();
	pg_do(&server, "postgres", "CREATE DATABASE twice");
	pg_url(&server, "twice", url, sizeof url);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, migrate, &failed[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	assert_true(!failed[0] && !failed[1]);
}

static int setup(void **state)
{
	char why[128];
	if (pg_available(why, sizeof why))
		pg_start(&server);
	else
		print_message("skipped on PostgreSQL: %s\n", why);
	return scratch_new(state);
}

static int teardown(void **state)
{
	pg_stop(&server);
	return scratch_gone(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(two_writers_on_one_file_decide_once), cmocka_unit_test(two_writers_on_one_server_decide_once),
		cmocka_unit_test(without_the_turn_serializable_still_refuses_one), cmocka_unit_test(two_programs_that_migrate_at_once_make_one_schema) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
