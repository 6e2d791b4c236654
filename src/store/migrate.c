/* SPDX-License-Identifier: Apache-2.0
 *
 * Schema versions. Migrations are numbered texts built into the program; each runs in its own transaction together with
 * its line in schema_version, so a stop in between leaves a whole older schema. A newer schema is refused at open.
 */
#include "store/engine.h"
#include "base/timex.h"
#include <stdio.h>

int ctm_db_schema(struct ctm_db *db)
{
	const struct ctm_engine *e = db->engine;
	void *st = NULL;
	bool row = false;
	int n = 0;
	/* The table is missing in a store that was just made: schema 0. */
	if (e->prepare(db->conn, "SELECT max(number) FROM schema_version", &st, NULL))
		return 0;
	if (e->step(db->conn, st, &row, NULL) == 0 && row)
		n = (int)e->col_int(st, 0);
	e->finalize(st);
	return n;
}

static int apply(struct ctm_db *db, const struct ctm_migration *m, struct ctm_err *err)
{
	char line[256];
	snprintf(line, sizeof line, "INSERT INTO schema_version (number, name, applied_ms) VALUES (%d, '%.64s', %lld);", m->number, m->name,
		(long long)ctm_now_ms());
	int rc = ctm_tx_begin(db, err);
	if (rc)
		return rc;
	rc = db->engine->exec(db->conn, m->text, err);
	rc = rc ? rc : db->engine->exec(db->conn, line, err);
	rc = rc ? rc : ctm_tx_commit(db, err);
	if (rc) {
		ctm_tx_rollback(db);
		ctm_fail_prefix(err, "migration %s", m->name);
	}
	return rc;
}

int ctm_db_migrate(struct ctm_db *db, int *from, int *to, struct ctm_err *err)
{
	int rc = db->engine->exec(db->conn, "CREATE TABLE IF NOT EXISTS schema_version "
		"(number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_ms BIGINT NOT NULL);", err);
	if (rc)
		return rc;
	int at = ctm_db_schema(db), was = at;
	while (at < (int)ctm_migration_count) {
		rc = apply(db, &ctm_migrations[at], err);
		if (rc)
			return rc;
		at++;
	}
	if (from)
		*from = was;
	if (to)
		*to = at;
	return 0;
}
