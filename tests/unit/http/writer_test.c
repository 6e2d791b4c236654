/* SPDX-License-Identifier: Apache-2.0
 * Group commit: one failing task does not undo its neighbours, nothing is acknowledged before it is stored. On a server: what was not kept
 * is run again for a while, and what is not known is not called either way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "http/conns.h"
#include "http/writer.h"
#include "pg.h"
#include "store/audit.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fix { char dir[64], url[256]; struct ctm_writer *w; atomic_int committed; };
static struct fix f;

static struct pg_server server;
static atomic_int retries;
static atomic_bool group_kept;

static void committed(void *arg) { atomic_fetch_add(&f.committed, 1); }

static int up(void **state)
{
	struct ctm_err err = { 0 };
	struct ctm_db *db;
	int from, to;
	strcpy(f.dir, "/tmp/ctm-writer-XXXXXX");
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.url, sizeof f.url, "sqlite:%s/ctm.db", f.dir);
	assert_int_equal(ctm_db_open(f.url, CTM_DB_RW, &db, &err), 0);
	assert_int_equal(ctm_db_migrate(db, &from, &to, &err), 0);
	ctm_db_close(db);
	atomic_store(&f.committed, 0);
	struct ctm_writer_conf c = { .db_url = f.url, .queue_max = 100, .group_max = 16, .committed = committed };
	assert_int_equal(ctm_writer_start(&c, &f.w, &err), 0);
	return 0;
}

static int down(void **state)
{
	static const char *const names[] = { "ctm.db", "ctm.db-wal", "ctm.db-shm" };
	char path[128];
	ctm_writer_stop(f.w);
	ctm_writer_free(f.w);
	f.w = NULL;
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", f.dir, names[i]);
		unlink(path);
	}
	rmdir(f.dir);
	return 0;
}

static int64_t lines(void)
{
	struct ctm_db *db;
	struct ctm_err err = { 0 };
	int64_t n = -1;
	char head[72];
	assert_int_equal(ctm_db_open(f.url, CTM_DB_RO, &db, &err), 0);
	assert_int_equal(ctm_audit_check(db, &n, head, &err), 0);
	ctm_db_close(db);
	return n;
}

struct task { struct ctm_wtask t; struct ctm_err err; int fail; atomic_bool done; int64_t seen; };

static int run(struct ctm_wtask *t, struct ctm_db *db)
{
	struct task *k = t->arg;
	int rc = ctm_audit_state(db, 1000, "test", "wrote", "thing", "1", "unwritten", "written", t->err);
	return rc ? rc : k->fail ? ctm_fail(t->err, k->fail, "field", NULL, "refused on purpose") : 0;
}

static void done(struct ctm_wtask *t)
{
	struct task *k = t->arg;
	k->seen = t->rc ? -1 : lines();
	atomic_store(&k->done, true);
}

static int gate_run(struct ctm_wtask *t, struct ctm_db *db) { usleep(50000); return 0; }
static void gate_done(struct ctm_wtask *t) { }

/* Hold the writer for a moment, so that what is pushed meanwhile becomes one group. */
static void as_one_group(struct task *k, size_t n)
{
	static struct ctm_wtask gate;
	static struct ctm_err gate_err;
	gate = (struct ctm_wtask){ .run = gate_run, .done = gate_done, .err = &gate_err };
	assert_int_equal(ctm_writer_push(f.w, &gate), 0);
	usleep(10000);
	for (size_t i = 0; i < n; i++) {
		k[i].t = (struct ctm_wtask){ .run = run, .done = done, .arg = &k[i], .err = &k[i].err };
		assert_int_equal(ctm_writer_push(f.w, &k[i].t), 0);
	}
	for (size_t i = 0; i < n; i++)
		for (int turn = 0; !atomic_load(&k[i].done); turn++) {
			assert_true(turn < 5000);
			usleep(1000);
		}
}

static void a_failing_task_does_not_undo_the_others(void **state)
{
	static struct task k[3];
	memset(k, 0, sizeof k);
	k[1].fail = CTM_E_GUARD;
	as_one_group(k, 3);
	assert_int_equal(k[0].t.rc, 0);
	assert_int_equal(k[1].t.rc, CTM_E_GUARD);
	assert_string_equal(k[1].err.msg, "refused on purpose");
	assert_int_equal(k[2].t.rc, 0);
	assert_int_equal(lines(), 2);
}

static void the_answer_comes_after_the_commit_of_the_group(void **state)
{
	static struct task k[4];
	memset(k, 0, sizeof k);
	as_one_group(k, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(k[i].seen, 4);       /* another connection saw the whole group when the first was told */
	assert_true(atomic_load(&f.committed) <= 3);  /* the gate, and one group (or two, if the machine dawdled) */
}

static void storage_trouble_fails_the_whole_group(void **state)
{
	static struct task k[3];
	memset(k, 0, sizeof k);
	k[2].fail = CTM_E_IO;
	as_one_group(k, 3);
	assert_int_equal(k[0].t.rc, CTM_E_IO);
	assert_int_equal(k[1].t.rc, CTM_E_IO);
	assert_int_equal(k[2].t.rc, CTM_E_IO);
	assert_int_equal(lines(), 0);
}

static void a_full_queue_says_busy(void **state)
{
	static struct ctm_wtask t[101], gate;
	static struct ctm_err e[101], gate_err;
	gate = (struct ctm_wtask){ .run = gate_run, .done = gate_done, .err = &gate_err };
	assert_int_equal(ctm_writer_push(f.w, &gate), 0);
	usleep(10000);
	int refused = 0;
	for (int i = 0; i < 101; i++) {
		t[i] = (struct ctm_wtask){ .run = gate_run, .done = gate_done, .err = &e[i] };
		t[i].run = i ? run : gate_run;
		static struct task quiet;
		t[i].arg = &quiet;
		refused += ctm_writer_push(f.w, &t[i]) == CTM_E_BUSY;
	}
	assert_int_equal(refused, 1);
	ctm_writer_stop(f.w);                         /* finishes the hundred */
	assert_int_equal(ctm_writer_push(f.w, &gate), CTM_E_BUSY);
	assert_int_equal(lines(), 99);
	ctm_writer_free(f.w);
	f.w = NULL;
}

static int reenter(struct ctm_wtask *t, struct ctm_db *db)
{
	return ctm_writer_run(f.w, reenter, NULL, t->err);
}

static void waiting_on_the_writer_thread_is_refused(void **state)
{
	struct ctm_err err = { 0 };
	assert_int_equal(ctm_writer_run(f.w, reenter, NULL, &err), CTM_E_FAIL);
}

/* ---- on a server, which can be lost ---- */

static void measured(void *arg, unsigned tasks, unsigned again, int64_t group_us, int64_t commit_us, bool kept)
{
	atomic_fetch_add(&retries, (int)again);
	atomic_store(&group_kept, kept);
}

static int up_on_server(void **state)
{
	struct ctm_err err = { 0 };
	struct ctm_db *db;
	int from, to;
	if (!server.pid)
		return 0;
	pg_do(&server, "postgres", "DROP DATABASE IF EXISTS writer WITH (FORCE)");
	pg_do(&server, "postgres", "CREATE DATABASE writer");
	pg_url(&server, "writer", f.url, sizeof f.url);
	assert_int_equal(ctm_db_open(f.url, CTM_DB_RW, &db, &err), 0);
	assert_int_equal(ctm_db_migrate(db, &from, &to, &err), 0);
	ctm_db_close(db);
	atomic_store(&retries, 0);
	struct ctm_writer_conf c = { .db_url = f.url, .queue_max = 100, .group_max = 16, .retry_ms = 3000, .measured = measured };
	assert_int_equal(ctm_writer_start(&c, &f.w, &err), 0);
	return 0;
}

static int down_on_server(void **state)
{
	ctm_writer_stop(f.w);
	ctm_writer_free(f.w);
	f.w = NULL;
	return 0;
}

static void cut_all(void)
{
	pg_do(&server, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'writer'");
}

/* Its first run finds the connection cut after its own change: nothing was kept, so it is run again. */
static int cut_once(struct ctm_wtask *t, struct ctm_db *db)
{
	int *runs = t->arg;
	int rc = ctm_audit_state(db, 1000, "test", "wrote", "thing", "1", "unwritten", "written", t->err);
	if (++*runs == 1) {
		cut_all();
		rc = rc ? rc : ctm_audit_state(db, 1000, "test", "wrote", "thing", "2", "unwritten", "written", t->err);
	}
	return rc;
}

static void a_group_whose_connection_was_cut_is_run_again(void **state)
{
	struct ctm_err err = { 0 };
	int runs = 0;
	if (!server.pid)
		skip();
	assert_int_equal(ctm_writer_run(f.w, cut_once, &runs, &err), 0);
	assert_int_equal(runs, 2);
	assert_int_equal(err.code, 0);
	assert_int_equal(lines(), 1);
	assert_int_equal(atomic_load(&retries), 1);
}

static int cut_always(struct ctm_wtask *t, struct ctm_db *db)
{
	int *runs = t->arg;
	++*runs;
	cut_all();
	return ctm_audit_state(db, 1000, "test", "wrote", "thing", "1", "unwritten", "written", t->err);
}

static void retrying_has_an_end_and_says_that_nothing_was_kept(void **state)
{
	struct ctm_err err = { 0 };
	int runs = 0;
	if (!server.pid)
		skip();
	assert_int_equal(ctm_writer_run(f.w, cut_always, &runs, &err), CTM_E_IO);
	assert_true(runs > 2 && runs < 20);
	assert_non_null(strstr(err.msg, "nothing was kept"));
	assert_int_equal(lines(), 0);
	runs = 1;
	assert_int_equal(ctm_writer_run(f.w, cut_once, &runs, NULL), 0);     /* and the writer goes on */
}

/* A use case that is busy by itself is answered at once: the store did not say so. */
static int busy_itself(struct ctm_wtask *t, struct ctm_db *db)
{
	++*(int *)t->arg;
	return ctm_fail(t->err, CTM_E_BUSY, NULL, NULL, "come back later");
}

static void a_use_case_that_is_busy_itself_is_not_run_again(void **state)
{
	struct ctm_err err = { 0 };
	int runs = 0;
	if (!server.pid)
		skip();
	assert_int_equal(ctm_writer_run(f.w, busy_itself, &runs, &err), CTM_E_BUSY);
	assert_int_equal(runs, 1);
	assert_string_equal(err.msg, "come back later");
}

/* Waits until a commit of the writer hangs in the server, then ends the server without letting it come to its senses. */
static void *gone_in_commit(void *arg)
{
	for (int i = 0; i < 500 && !pg_ask(&server, "writer", "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"); i++)
		usleep(10000);
	pg_halt_now(&server);
	*(bool *)arg = true;
	return NULL;
}

static int slow_commit(struct ctm_wtask *t, struct ctm_db *db) { return ctm_audit_state(db, 1000, "test", "slow", "thing", "1", "unwritten", "written", t->err); }

static void a_commit_that_cannot_be_asked_for_is_unsure_and_says_so(void **state)
{
	struct ctm_err err = { 0 };
	bool met = false;
	pthread_t t;
	if (!server.pid)
		skip();
	pg_do(&server, "writer", "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN NULL; END'");
	pg_do(&server, "writer", "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON audit DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.action = 'slow') EXECUTE FUNCTION slowly()");
	assert_int_equal(pthread_create(&t, NULL, gone_in_commit, &met), 0);
	assert_int_equal(ctm_writer_run(f.w, slow_commit, NULL, &err), CTM_E_UNSURE);
	pthread_join(t, NULL);
	assert_true(met);
	assert_non_null(strstr(err.msg, "look before you make it again"));
	assert_null(strstr(err.msg, "nothing was kept"));
	pg_restart(&server);
	int runs = 1;
	assert_int_equal(ctm_writer_run(f.w, cut_once, &runs, NULL), 0);
	assert_int_equal(lines(), 1);
}

static int server_up(void **state)
{
	char why[128];
	if (pg_available(why, sizeof why))
		pg_start(&server);
	else
		print_message("skipped on PostgreSQL: %s\n", why);
	return 0;
}

static int server_down(void **state)
{
	pg_stop(&server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_failing_task_does_not_undo_the_others, up, down),
		cmocka_unit_test_setup_teardown(the_answer_comes_after_the_commit_of_the_group, up, down),
		cmocka_unit_test_setup_teardown(storage_trouble_fails_the_whole_group, up, down),
		cmocka_unit_test_setup_teardown(a_full_queue_says_busy, up, down),
		cmocka_unit_test_setup_teardown(waiting_on_the_writer_thread_is_refused, up, down),
		cmocka_unit_test_setup_teardown(a_group_whose_connection_was_cut_is_run_again, up_on_server, down_on_server),
		cmocka_unit_test_setup_teardown(retrying_has_an_end_and_says_that_nothing_was_kept, up_on_server, down_on_server),
		cmocka_unit_test_setup_teardown(a_use_case_that_is_busy_itself_is_not_run_again, up_on_server, down_on_server),
		cmocka_unit_test_setup_teardown(a_commit_that_cannot_be_asked_for_is_unsure_and_says_so, up_on_server, down_on_server),
	};
	return cmocka_run_group_tests_name("http writer", tests, server_up, server_down);
}
