/* SPDX-License-Identifier: Apache-2.0
 *
 * Every named statement of every room is understood by both engines over the migrated schema: a misspelt column, or a word that
 * only one engine knows, is found here, not at its first use.
 */
#include "../base/harness.h"
#include "pg.h"
#include "store/engine.h"

static struct pg_server server;

static int wrong_on(const char *url)
{
	struct ctm_db *db = NULL;
	struct ctm_err e = { 0 };
	int from, to, wrong = 0;
	if (ctm_db_open(url, CTM_DB_RW, &db, &e) || ctm_db_migrate(db, &from, &to, &e))
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < ctm_sql_count; i++) {
		void *st = NULL;
		ctm_err_clear(&e);
		if (db->engine->prepare(db->conn, ctm_sql_text(db, &ctm_sql_table[i]), &st, &e)) {
			print_error("%s: %s\n", ctm_sql_table[i].name, e.msg);
			wrong++;
			continue;
		}
		db->engine->finalize(st);
	}
	ctm_db_close(db);
	return wrong;
}

static void every_statement_of_every_room_prepares_on_sqlite(void **state)
{
	char url[300];
	snprintf(url, sizeof url, "sqlite:%s/all.db", (char *)*state);
	assert_int_equal(wrong_on(url), 0);
}

static void every_statement_of_every_room_prepares_on_postgresql(void **state)
{
	char url[300], why[128];
	if (!pg_available(why, sizeof why)) {
		print_message("skipped: %s\n", why);
		skip();
	}
	pg_start(&server);
	pg_url(&server, "postgres", url, sizeof url);
	int wrong = wrong_on(url);
	pg_stop(&server);
	assert_int_equal(wrong, 0);
}

static void twins_are_few_and_counted(void **state)
{
	size_t twins = 0;
	for (size_t i = 0; i < ctm_sql_count; i++) {
		if (ctm_sql_table[i].twin) {
			print_message("twin: %s\n", ctm_sql_table[i].name);
			twins++;
		}
	}
	print_message("%zu statements, %zu with a twin for PostgreSQL\n", ctm_sql_count, twins);
	assert_true(twins * 20 <= ctm_sql_count);      /* one text for both engines is the rule */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_statement_of_every_room_prepares_on_sqlite),
		cmocka_unit_test(every_statement_of_every_room_prepares_on_postgresql), cmocka_unit_test(twins_are_few_and_counted) };
	return cmocka_run_group_tests(tests, scratch_new, scratch_gone);
}
