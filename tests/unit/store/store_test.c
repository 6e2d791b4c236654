/* SPDX-License-Identifier: Apache-2.0
 *
 * Named statements, transactions and migrations on both engines, and the audit chain on top: a real database file, and a real
 * PostgreSQL server that this program starts for itself. One list of tests runs on each; what only one engine can do stands apart.
 */
#include "../base/harness.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "store/audit.h"
#include "store/store.h"
#include "pg.h"
#include <pthread.h>
#include <sys/stat.h>

static struct pg_server server;
static bool on_server;                  /* which engine the tests run on now */

static void url_of(void **state, const char *name, char out[300])
{
	char base[40];
	snprintf(base, sizeof base, "%.*s", (int)strcspn(name, "."), name);
	if (on_server)
		pg_url(&server, base, out, 300);
	else
		snprintf(out, 300, "sqlite:%s/%s", (char *)*state, name);
}

/* A server's databases are made by its owner; the database's own locale must not matter. */
static void made(const char *name)
{
	char sql[160];
	if (on_server) {
		snprintf(sql, sizeof sql, "CREATE DATABASE %.*s TEMPLATE template0 LOCALE 'C.UTF-8'", (int)strcspn(name, "."), name);
		pg_do(&server, "postgres", sql);
	}
}

/* A fresh migrated store. */
static struct ctm_db *fresh(void **state, const char *name)
{
	char url[300];
	struct ctm_db *db = NULL;
	struct ctm_err e = { 0 };
	int from = -1, to = -1;
	made(name);
	url_of(state, name, url);
	if (ctm_db_open(url, CTM_DB_RW, &db, &e) || ctm_db_migrate(db, &from, &to, &e))
		fail_msg("%s", e.msg);
	assert_int_equal(from, 0);
	assert_int_equal(to, (int)ctm_migration_count);
	return db;
}

static int add(struct ctm_db *db, const char *id, const char *slug, struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "sample.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "kind", "maker");
	ctm_q_text(q, "name", "Larkspur Porchworks (fictional)");
	ctm_q_text(q, "slug", slug);
	ctm_q_text(q, "facts", "{\"country\":\"US\",\"list\":[1]}");
	ctm_q_int(q, "at", 42);
	return ctm_q_run(q, NULL, err);
}

static int count(struct ctm_db *db)
{
	ctm_json *all = NULL;
	assert_int_equal(ctm_q_rows(ctm_q(db, "sample.all"), 1000, &all, NULL), 0);
	int n = (int)ctm_json_len(all);
	ctm_json_free(all);
	return n;
}

static void rows_come_back_as_json(void **state)
{
	struct ctm_db *db = fresh(state, "json.db");
	assert_int_equal(add(db, "o1", "one", NULL), 0);
	CTM_AUTO_Q *q = ctm_q(db, "sample.get");
	ctm_q_text(q, "id", "o1");
	assert_int_equal(ctm_q_one(q, NULL), 0);
	assert_string_equal(ctm_q_str(q, "name"), "Larkspur Porchworks (fictional)");
	assert_true(ctm_q_i64(q, "created_ms") == 42 && ctm_q_isnull(q, "missing") && ctm_q_str(q, "missing")[0] == 0);
	CTM_AUTO_JSON *row = ctm_q_row(q);
	CTM_AUTO_BUF b = CTM_BUF(1000);
	assert_int_equal(ctm_json_compact(row, &b), 0);
	assert_string_equal(ctm_buf_cstr(&b), "{\"id\":\"o1\",\"name\":\"Larkspur Porchworks (fictional)\",\"facts\":{\"country\":\"US\",\"list\":[1]},"
		"\"created_ms\":42,\"missing\":null,\"half\":1.5}");
	ctm_q_donep(&q);
	ctm_db_close(db);
}

static void refusals_carry_their_meaning(void **state)
{
	struct ctm_db *db = fresh(state, "refuse.db");
	struct ctm_err e = { 0 };
	int64_t n = -1;
	assert_int_equal(add(db, "o1", "one", NULL), 0);
	assert_int_equal(add(db, "o2", "one", &e), CTM_E_EXISTS);
	assert_string_equal(e.field, "slug");
	assert_int_equal(add(db, "o3", "bad\xFF", NULL), CTM_E_INPUT);
	struct ctm_q *q = ctm_q(db, "sample.add_person_of");
	ctm_q_text(q, "person", "nobody");
	ctm_q_text(q, "org", "o1");
	assert_int_equal(ctm_q_run(q, NULL, NULL), CTM_E_INPUT);
	q = ctm_q(db, "sample.rename");
	ctm_q_text(q, "id", "o1");
	ctm_q_null(q, "name");
	assert_int_equal(ctm_q_run(q, NULL, NULL), CTM_E_INPUT);
	q = ctm_q(db, "sample.rename");
	ctm_q_text(q, "id", "absent");
	ctm_q_text(q, "name", "x");
	assert_int_equal(ctm_q_run(q, &n, NULL), 0);
	assert_true(n == 0);
	CTM_AUTO_Q *g = ctm_q(db, "sample.get");
	ctm_q_text(g, "id", "absent");
	assert_int_equal(ctm_q_one(g, NULL), CTM_E_NOTFOUND);
	ctm_q_donep(&g);
	ctm_db_close(db);
}

static void bugs_of_callers_are_told_not_guessed(void **state)
{
	struct ctm_db *db = fresh(state, "bugs.db");
	struct ctm_err e = { 0 };
	assert_int_equal(ctm_q_run(ctm_q(db, "sample.no_such"), NULL, &e), CTM_E_FAIL);
	assert_string_equal(e.msg, "there is no statement named sample.no_such");
	ctm_err_clear(&e);
	struct ctm_q *q = ctm_q(db, "sample.get");
	assert_int_equal(ctm_q_run(q, NULL, &e), CTM_E_FAIL);
	assert_string_equal(e.msg, "sample.get: parameter number 1 was not given");
	ctm_err_clear(&e);
	q = ctm_q(db, "sample.get");
	ctm_q_text(q, "identifier", "x");
	assert_int_equal(ctm_q_run(q, NULL, &e), CTM_E_FAIL);
	assert_string_equal(e.msg, "sample.get has no parameter :identifier");
	ctm_err_clear(&e);
	assert_int_equal(ctm_q_run(ctm_q(db, "sample.broken"), NULL, &e), CTM_E_FAIL);
	assert_true(ctm_starts(e.msg, "sample.broken: "));
	q = ctm_q(db, "sample.get");                /* a statement that was refused once is fresh the next time */
	ctm_q_text(q, "id", "x");
	assert_int_equal(ctm_q_run(q, NULL, NULL), 0);
	ctm_db_close(db);
}

static void the_same_name_nests(void **state)
{
	struct ctm_db *db = fresh(state, "nest.db");
	char id[3] = "a0";
	for (int i = 0; i < 3; i++, id[1]++)
		assert_int_equal(add(db, id, id, NULL), 0);
	int seen = 0;
	bool row, inner_row;
	CTM_AUTO_Q *q = ctm_q(db, "sample.all");
	while (ctm_q_step(q, &row, NULL) == 0 && row) {
		CTM_AUTO_Q *inner = ctm_q(db, "sample.all");
		assert_ptr_not_equal(inner, q);
		while (ctm_q_step(inner, &inner_row, NULL) == 0 && inner_row)
			seen++;
	}
	assert_int_equal(seen, 9);
	ctm_q_donep(&q);
	CTM_AUTO_JSON *two = NULL;
	assert_int_equal(ctm_q_rows(ctm_q(db, "sample.all"), 2, &two, NULL), 0);
	assert_int_equal(ctm_json_len(two), 2);
	ctm_db_close(db);
}

static void json_columns_that_are_not_json_do_not_pass(void **state)
{
	struct ctm_db *db = fresh(state, "notjson.db");
	assert_int_equal(add(db, "o1", "one", NULL), 0);
	struct ctm_q *q = ctm_q(db, "sample.set_facts");
	ctm_q_text(q, "id", "o1");
	ctm_q_text(q, "facts", "{\"a\":1,\"a\":2}");
	assert_int_equal(ctm_q_run(q, NULL, NULL), 0);
	q = ctm_q(db, "sample.get");
	ctm_q_text(q, "id", "o1");
	ctm_json *all = NULL;
	assert_int_equal(ctm_q_rows(q, 10, &all, NULL), CTM_E_NOMEM);
	assert_null(all);
	ctm_db_close(db);
}

static void bytes_pass_through(void **state)
{
	struct ctm_db *db = fresh(state, "bytes.db");
	size_t n = 0;
	CTM_AUTO_Q *q = ctm_q(db, "sample.blob");
	ctm_q_blob(q, "b", "\0\1\2\0", 4);
	assert_int_equal(ctm_q_one(q, NULL), 0);
	assert_memory_equal(ctm_q_bytes(q, "b", &n), "\0\1\2\0", 4);
	assert_true(n == 4 && ctm_q_i64(q, "n") == 4);
	ctm_q_donep(&q);
	ctm_db_close(db);
}

static void transactions_and_savepoints(void **state)
{
	struct ctm_db *db = fresh(state, "tx.db");
	assert_int_equal(ctm_tx_begin(db, NULL), 0);
	assert_int_equal(ctm_sp_begin(db, NULL), 0);
	assert_int_equal(add(db, "o1", "one", NULL), 0);
	assert_int_equal(ctm_sp_release(db, NULL), 0);
	assert_int_equal(ctm_sp_begin(db, NULL), 0);
	assert_int_equal(add(db, "o2", "two", NULL), 0);
	assert_int_equal(add(db, "o3", "two", NULL), CTM_E_EXISTS);
	ctm_sp_rollback(db);
	assert_int_equal(count(db), 1);
	assert_int_equal(ctm_tx_commit(db, NULL), 0);
	assert_int_equal(ctm_tx_begin(db, NULL), 0);
	assert_int_equal(add(db, "o4", "four", NULL), 0);
	ctm_tx_rollback(db);
	ctm_tx_rollback(db);
	assert_int_equal(count(db), 1);
	ctm_db_close(db);
}

static void readers_cannot_write_and_keep_their_snapshot(void **state)
{
	struct ctm_db *db = fresh(state, "ro.db"), *ro = NULL;
	char url[300];
	url_of(state, "ro.db", url);
	assert_int_equal(ctm_db_open(url, CTM_DB_RO, &ro, NULL), 0);
	assert_int_not_equal(add(ro, "o1", "one", NULL), 0);
	assert_int_equal(ctm_tx_begin(ro, NULL), 0);
	assert_int_equal(add(db, "o1", "one", NULL), 0);
	assert_int_equal(count(ro), 0);
	assert_int_equal(ctm_tx_commit(ro, NULL), 0);
	assert_int_equal(count(ro), 1);
	ctm_db_close(ro);
	ctm_db_close(db);
}

static void opening_refuses_what_it_should(void **state)
{
	char url[300];
	struct ctm_db *db = NULL;
	url_of(state, "absent.db", url);
	assert_int_equal(ctm_db_open(url, CTM_DB_RO, &db, NULL), CTM_E_IO);
	assert_int_equal(ctm_db_open("postgresql:x", CTM_DB_RW, &db, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_db_open("sqlite:", CTM_DB_RW, &db, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_db_open("mysql:x", CTM_DB_RW, &db, NULL), CTM_E_INPUT);
	assert_null(db);
}

static void a_file_that_is_no_store_is_refused(void **state)
{
	char url[300], path[300];
	struct ctm_db *db = NULL;
	struct ctm_err e = { 0 };
	snprintf(path, sizeof path, "%s/junk.db", (char *)*state);
	char junk[5000];
	memset(junk, 'j', sizeof junk);
	assert_int_equal(ctm_file_write(path, junk, sizeof junk, 0600, NULL), 0);
	url_of(state, "junk.db", url);
	assert_int_equal(ctm_db_open(url, CTM_DB_RW, &db, &e), CTM_E_IO);
	assert_string_equal(e.msg, "the file is not a store");
}

static void a_newer_schema_is_refused(void **state)
{
	char url[300];
	struct ctm_db *db = NULL;
	struct ctm_err e = { 0 };
	struct ctm_db *newer = fresh(state, "newer.db");
	assert_int_equal(ctm_q_run(ctm_q(newer, "sample.future"), NULL, NULL), 0);
	ctm_db_close(newer);
	url_of(state, "newer.db", url);
	assert_int_equal(ctm_db_open(url, CTM_DB_RW, &db, &e), CTM_E_STATE);
	assert_non_null(strstr(e.msg, "newer ctm"));
	assert_null(db);
}

static void migrating_twice_changes_nothing(void **state)
{
	struct ctm_db *db = fresh(state, "twice.db");
	int from = 0, to = 0;
	assert_int_equal(add(db, "o1", "one", NULL), 0);
	assert_int_equal(ctm_db_migrate(db, &from, &to, NULL), 0);
	assert_true(from == to && from == (int)ctm_migration_count);
	assert_int_equal(count(db), 1);
	struct ctm_err e = { 0 };
	assert_int_equal(ctm_q_run(ctm_q(db, "sample.edited"), NULL, NULL), 0);
	assert_int_equal(ctm_db_migrate(db, &from, &to, &e), CTM_E_STATE);
	assert_non_null(strstr(e.msg, "schema 1 is not the one this program was built with"));
	ctm_db_close(db);
}

static struct ctm_db *with_audit(void **state, const char *name)
{
	struct ctm_db *db = fresh(state, name);
	CTM_AUTO_JSON *after = ctm_json_obj();
	assert_int_equal(ctm_json_sets(after, "name", "Porch camera \"one\""), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(ctm_audit(db, 1000 + i, "Ada", "product.create", "product", "p1", i % 2 ? after : NULL, after, NULL), 0);
	return db;
}

static void the_audit_chain_holds(void **state)
{
	struct ctm_db *db = with_audit(state, "audit.db");
	int64_t n = 0;
	char head[CTM_DIGEST_MAX], again[CTM_DIGEST_MAX];
	assert_int_equal(ctm_audit_check(db, &n, head, NULL), 0);
	assert_true(n == 5);
	assert_true(ctm_digest_ok(head));
	assert_int_equal(ctm_audit(db, 2000, "Ada", "x", "product", "p2", NULL, NULL, NULL), CTM_E_FAIL);      /* a line without content */
	ctm_audit_watch(db, "org-1");
	assert_int_equal(ctm_audit_state(db, 2000, "Ada", "x", "product", "p2", "on", "off", NULL), 0);
	ctm_audit_watch(db, "");
	assert_int_equal(ctm_audit_check(db, &n, again, NULL), 0);
	assert_string_not_equal(head, again);
	struct ctm_q *q = ctm_q(db, "audit.of");
	ctm_q_text(q, "kind", "product");
	ctm_q_text(q, "subject", "p1");
	ctm_q_int(q, "limit", 3);
	CTM_AUTO_JSON *lines = NULL;
	assert_int_equal(ctm_q_rows(q, 10, &lines, NULL), 0);
	assert_int_equal(ctm_json_len(lines), 3);
	assert_string_equal(ctm_json_gets(ctm_json_get(ctm_json_at(lines, 0), "after"), "name"), "Porch camera \"one\"");
	ctm_db_close(db);
}

static void a_changed_or_missing_audit_line_is_named(void **state)
{
	static const struct { const char *file, *sql; int64_t seq; const char *field; } rows[] = {
		{ "forged.db", "sample.audit_forge", 3, "3" }, { "dropped.db", "sample.audit_drop", 2, "2" }, { "first.db", "sample.audit_drop", 1, "1" },
		{ "org.db", "sample.audit_org", 4, "4" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ctm_db *db = with_audit(state, rows[i].file);
		struct ctm_err e = { 0 };
		int64_t n = 77;
		char head[CTM_DIGEST_MAX] = "";
		struct ctm_q *q = ctm_q(db, rows[i].sql);
		ctm_q_int(q, "seq", rows[i].seq);
		if (i == 0 || i == 3)
			ctm_q_text(q, "actor", "Eve");
		assert_int_equal(ctm_q_run(q, NULL, NULL), 0);
		assert_int_equal(ctm_audit_check(db, &n, head, &e), CTM_E_VERIFY);
		assert_string_equal(e.field, rows[i].field);
		assert_true(n == 77 && head[0] == 0);
		ctm_db_close(db);
	}
}

static void a_change_without_an_audit_line_is_noticed(void **state)
{
	struct ctm_db *db = with_audit(state, "demand.db");
	struct ctm_err e = { 0 };
	struct ctm_q *q;
	ctm_audit_watch(db, "");
	assert_int_equal(ctm_audit_demand(db, &e), 0);         /* nothing changed */
	q = ctm_q(db, "audit.last");
	assert_int_equal(ctm_q_run(q, NULL, NULL), 0);
	assert_int_equal(ctm_audit_demand(db, &e), 0);         /* only read */
	q = ctm_q(db, "sample.audit_forge");
	ctm_q_int(q, "seq", 4711);
	ctm_q_text(q, "actor", "Eve");
	assert_int_equal(ctm_q_run(q, NULL, NULL), 0);
	assert_int_equal(ctm_audit_demand(db, &e), 0);         /* no row was met */
	q = ctm_q(db, "sample.audit_forge");
	ctm_q_int(q, "seq", 2);
	ctm_q_text(q, "actor", "Eve");
	assert_int_equal(ctm_q_run(q, NULL, NULL), 0);
	assert_int_equal(ctm_audit_demand(db, &e), CTM_E_FAIL);
	assert_int_equal(ctm_audit_state(db, 3000, "Eve", "x", "product", "p1", "a", "b", NULL), 0);
	assert_int_equal(ctm_audit_demand(db, &e), 0);
	ctm_db_close(db);
}

static void the_table_is_sorted_and_has_twins(void **state)
{
	for (size_t i = 1; i < ctm_sql_count; i++)
		assert_true(strcmp(ctm_sql_table[i - 1].name, ctm_sql_table[i].name) < 0);
	for (size_t i = 0; i < ctm_sql_count; i++)
		assert_int_equal(ctm_sql_table[i].twin != NULL, ctm_streq(ctm_sql_table[i].name, "sample.blob"));
}

/* ---- what only a server can do ---- */

static void a_restarted_server_is_met_again_and_nothing_runs_outside_its_transaction(void **state)
{
	struct ctm_db *db = fresh(state, "again.db"), *ro = NULL;
	char url[300];
	url_of(state, "again.db", url);
	assert_int_equal(ctm_db_open(url, CTM_DB_RO, &ro, NULL), 0);
	assert_int_equal(count(ro), 0);
	assert_int_equal(ctm_tx_begin(db, NULL), 0);
	assert_int_equal(add(db, "o1", "one", NULL), 0);
	pg_restart(&server);
	assert_int_equal(count(ro), 0);                          /* a reader notices nothing */
	assert_int_equal(add(db, "o2", "two", NULL), CTM_E_IO);
	assert_int_equal(add(db, "o2", "two", NULL), CTM_E_IO);  /* not outside of the transaction that is gone */
	assert_int_equal(ctm_tx_commit(db, NULL), CTM_E_IO);
	ctm_tx_rollback(db);
	assert_int_equal(count(db), 0);
	assert_int_equal(ctm_tx_begin(db, NULL), 0);
	assert_int_equal(add(db, "o3", "three", NULL), 0);
	assert_int_equal(ctm_tx_commit(db, NULL), 0);
	pg_restart(&server);
	assert_int_equal(ctm_tx_begin(db, NULL), 0);             /* died while idle: begun again */
	assert_int_equal(count(db), 1);
	ctm_tx_rollback(db);
	ctm_db_close(ro);
	ctm_db_close(db);
}

static void a_server_that_is_gone_is_said_plainly(void **state)
{
	struct ctm_db *db = fresh(state, "gone.db");
	struct ctm_err e = { 0 };
	pg_halt(&server);
	assert_int_equal(ctm_tx_begin(db, &e), CTM_E_IO);
	assert_non_null(strstr(e.msg, "cannot be reached"));
	assert_int_equal(add(db, "o1", "one", NULL), CTM_E_IO);
	pg_restart(&server);
	assert_int_equal(add(db, "o1", "one", NULL), 0);
	ctm_db_close(db);
}

/* Cuts the connection that waits in its commit; the answer says whether there was one within ten seconds. */
static void *cutter(void *met)
{
	for (int i = 0; i < 500 && !*(bool *)met; i++) {
		*(bool *)met = pg_ask(&server, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
		usleep(20000);
	}
	return NULL;
}

/* The server has committed and waits for a second server that does not exist; then the connection is cut. */
static void a_commit_whose_answer_is_lost_is_found_out(void **state)
{
	struct ctm_db *db = fresh(state, "unsure.db");
	bool met = false;
	int n = 0;
	pg_do(&server, "postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
	pg_restart(&server);
	for (; n < 3 && !met; n++) {                             /* the server may need a moment before it waits for others */
		pthread_t t;
		char id[2] = { (char)('a' + n), 0 };
		assert_int_equal(ctm_tx_begin(db, NULL), 0);
		assert_int_equal(add(db, id, id, NULL), 0);
		assert_int_equal(pthread_create(&t, NULL, cutter, &met), 0);
		assert_int_equal(ctm_tx_commit(db, NULL), 0);
		pthread_join(t, NULL);
	}
	pg_do(&server, "postgres", "ALTER SYSTEM RESET synchronous_standby_names");
	pg_restart(&server);
	assert_true(met);
	assert_int_equal(ctm_tx_begin(db, NULL), 0);
	assert_int_equal(count(db), n);
	assert_int_equal(add(db, "z", "z", NULL), 0);
	assert_int_equal(ctm_tx_commit(db, NULL), 0);
	ctm_db_close(db);
}

/* Kills the server's process that hangs in its commit: the server starts over from its log and gives the same transaction numbers again. */
static void *killer(void *met)
{
	for (int i = 0; i < 500 && !*(bool *)met; i++, usleep(10000))
		*(bool *)met = pg_kill_waiting(&server, "PgSleep");
	return NULL;
}

static void a_commit_that_a_crash_undid_is_not_taken_for_kept(void **state)
{
	char url[300];
	struct ctm_db *db = fresh(state, "crash.db"), *other = NULL;
	struct ctm_err e = { 0 };
	bool met = false;
	pthread_t t;
	pg_do(&server, "postgres", "ALTER SYSTEM SET wal_writer_delay = '10s'");    /* nothing of the first one reaches the disk */
	pg_restart(&server);
	url_of(state, "crash.db", url);
	pg_do(&server, "crash", "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN NULL; END'");
	pg_do(&server, "crash", "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON organisation DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.slug = 'slow') "
		"EXECUTE FUNCTION slowly()");
	assert_int_equal(ctm_tx_begin(db, NULL), 0);
	assert_int_equal(add(db, "o1", "slow", NULL), 0);
	assert_int_equal(pthread_create(&t, NULL, killer, &met), 0);
	assert_int_equal(ctm_tx_commit(db, &e), CTM_E_IO);
	pthread_join(t, NULL);
	ctm_tx_rollback(db);
	assert_true(met);
	assert_non_null(strstr(e.msg, "nothing was kept"));
	assert_int_equal(ctm_db_open(url, CTM_DB_RW, &other, NULL), 0);
	assert_int_equal(count(other), 0);
	assert_int_equal(ctm_tx_begin(db, NULL), 0);
	assert_int_equal(add(db, "o2", "quick", NULL), 0);
	assert_int_equal(ctm_tx_commit(db, NULL), 0);
	assert_int_equal(count(other), 1);
	pg_do(&server, "postgres", "ALTER SYSTEM RESET wal_writer_delay");
	ctm_db_close(other);
	ctm_db_close(db);
}

static void a_refused_statement_ends_its_transaction(void **state)
{
	struct ctm_db *db = fresh(state, "ends.db");
	assert_int_equal(ctm_tx_begin(db, NULL), 0);
	assert_int_equal(add(db, "o1", "one", NULL), 0);
	assert_int_equal(add(db, "o2", "one", NULL), CTM_E_EXISTS);
	assert_int_not_equal(add(db, "o3", "three", NULL), 0);
	assert_int_equal(ctm_tx_commit(db, NULL), CTM_E_FAIL);
	ctm_tx_rollback(db);
	assert_int_equal(count(db), 0);
	ctm_db_close(db);
}

static void addresses_carry_no_password_and_databases_are_utf8(void **state)
{
	struct ctm_db *db = NULL;
	struct ctm_err e = { 0 };
	char url[300];
	assert_int_equal(ctm_db_open("postgresql://ctm:secret@127.0.0.1/x", CTM_DB_RW, &db, &e), CTM_E_INPUT);
	assert_string_equal(e.field, "password");
	assert_null(strstr(e.msg, "secret"));
	pg_do(&server, "postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
	pg_url(&server, "latin", url, sizeof url);
	assert_int_equal(ctm_db_open(url, CTM_DB_RW, &db, NULL), CTM_E_UNSUPPORTED);
	pg_url(&server, "no_such", url, sizeof url);
	ctm_err_clear(&e);
	assert_int_equal(ctm_db_open(url, CTM_DB_RW, &db, &e), CTM_E_IO);
	assert_null(db);
}

static int server_new(void **state)
{
	pg_start(&server);
	on_server = true;
	return scratch_new(state);
}

static int server_gone(void **state)
{
	pg_stop(&server);
	return scratch_gone(state);
}

#define ON_BOTH \
	cmocka_unit_test(rows_come_back_as_json), cmocka_unit_test(refusals_carry_their_meaning), cmocka_unit_test(bugs_of_callers_are_told_not_guessed), \
	cmocka_unit_test(the_same_name_nests), cmocka_unit_test(json_columns_that_are_not_json_do_not_pass), cmocka_unit_test(bytes_pass_through), \
	cmocka_unit_test(transactions_and_savepoints), cmocka_unit_test(readers_cannot_write_and_keep_their_snapshot), \
	cmocka_unit_test(a_newer_schema_is_refused), cmocka_unit_test(migrating_twice_changes_nothing), cmocka_unit_test(the_audit_chain_holds), \
	cmocka_unit_test(a_changed_or_missing_audit_line_is_named), \
	cmocka_unit_test(a_change_without_an_audit_line_is_noticed)

int main(void)
{
	const struct CMUnitTest sqlite[] = { ON_BOTH, cmocka_unit_test(opening_refuses_what_it_should), cmocka_unit_test(a_file_that_is_no_store_is_refused),
		cmocka_unit_test(the_table_is_sorted_and_has_twins) };
	const struct CMUnitTest postgresql[] = { ON_BOTH, cmocka_unit_test(a_refused_statement_ends_its_transaction),
		cmocka_unit_test(addresses_carry_no_password_and_databases_are_utf8), cmocka_unit_test(a_commit_whose_answer_is_lost_is_found_out),
		cmocka_unit_test(a_commit_that_a_crash_undid_is_not_taken_for_kept),
		cmocka_unit_test(a_restarted_server_is_met_again_and_nothing_runs_outside_its_transaction), cmocka_unit_test(a_server_that_is_gone_is_said_plainly) };
	char why[128];
	int bad = cmocka_run_group_tests_name("sqlite", sqlite, scratch_new, scratch_gone);
	if (!pg_available(why, sizeof why)) {
		print_message("skipped on PostgreSQL: %s\n", why);
		return bad;
	}
	return bad + cmocka_run_group_tests_name("postgresql", postgresql, server_new, server_gone);
}
