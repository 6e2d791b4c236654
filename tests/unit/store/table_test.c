/* SPDX-License-Identifier: Apache-2.0
 *
 * Every named statement of every room is understood by the engine over the migrated schema: a misspelt column is found here,
 * not at its first use.
 */
#include "../base/harness.h"
#include "store/engine.h"

static void every_statement_of_every_room_prepares(void **state)
{
	char url[300];
	struct ctm_db *db = NULL;
	struct ctm_err e = { 0 };
	int from, to, wrong = 0;
	snprintf(url, sizeof url, "sqlite:%s/all.db", (char *)*state);
	if (ctm_db_open(url, CTM_DB_RW, &db, &e) || ctm_db_migrate(db, &from, &to, &e))
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < ctm_sql_count; i++) {
		void *st = NULL;
		ctm_err_clear(&e);
		if (db->engine->prepare(db->conn, ctm_sql_table[i].text, &st, &e)) {
			print_error("%s: %s\n", ctm_sql_table[i].name, e.msg);
			wrong++;
			continue;
		}
		db->engine->finalize(st);
	}
	print_message("%zu statements\n", ctm_sql_count);
	ctm_db_close(db);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_statement_of_every_room_prepares) };
	return cmocka_run_group_tests(tests, scratch_new, scratch_gone);
}
