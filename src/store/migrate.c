/* SPDX-License-Identifier: Apache-2.0
 *
 * Schema versions. Migrations are numbered texts built into the program; each runs in its own transaction together with
 * its line in schema_version, so a stop in between leaves a whole older schema. A newer schema is refused at open. The line
 * keeps the digest of the text: a migration that was edited after it was applied is refused, because the store then has a
 * schema that no program describes.
 */
#include "store/engine.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

#define TEXT_MAX (1 << 20)

static int apply_text(struct ctm_db *db, const char *text, struct ctm_err *err)
{
	CTM_AUTO_BUF twin = CTM_BUF(TEXT_MAX);
	int rc = db->engine->migration ? db->engine->migration(text, &twin, err) : 0;
	return rc ? rc : db->engine->exec(db->conn, db->engine->migration ? ctm_buf_cstr(&twin) : text, err);
}

int ctm_db_copy(struct ctm_db *db, const char *path, struct ctm_err *err)
{
	if (!db->engine->copy)
		return ctm_fail(err, CTM_E_UNSUPPORTED, "store", NULL, "this store is copied with the tools of its own server");
	CTM_AUTO_FD fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return ctm_fail(err, errno == EEXIST ? CTM_E_EXISTS : CTM_E_IO, "store", NULL, "%s cannot be made: %s", path, strerror(errno));
	int rc = db->engine->copy(db->conn, path, err);
	if (!rc && fsync(fd))
		rc = ctm_fail(err, CTM_E_IO, "store", NULL, "%s cannot be made durable: %s", path, strerror(errno));
	if (rc)
		unlink(path);
	return rc;
}

static int apply(struct ctm_db *db, const struct ctm_migration *m, struct ctm_err *err)
{
	char line[320], digest[CTM_DIGEST_MAX];
	ctm_digest_of(m->text, strlen(m->text), digest);
	snprintf(line, sizeof line, "INSERT INTO schema_version (number, name, digest, applied_ms) VALUES (%d, '%.64s', '%s', %lld);", m->number,
		m->name, digest, (long long)ctm_now_ms());
	int rc = ctm_tx_begin(db, err);
	if (rc)
		return rc;
	if (ctm_db_schema(db) >= m->number) {      /* another process came first */
		ctm_tx_rollback(db);
		return 0;
	}
	rc = apply_text(db, m->text, err);
	rc = rc ? rc : db->engine->exec(db->conn, line, err);
	rc = rc ? rc : ctm_tx_commit(db, err);
	if (rc) {
		ctm_tx_rollback(db);
		ctm_fail_prefix(err, "migration %s", m->name);
	}
	return rc;
}

static int check_applied(struct ctm_db *db, struct ctm_err *err)
{
	const struct ctm_engine *e = db->engine;
	void *st = NULL;
	bool row = true;
	int rc = e->prepare(db->conn, "SELECT number, digest FROM schema_version ORDER BY number", &st, NULL);
	if (rc)
		return ctm_fail(err, CTM_E_STATE, "store", NULL, "the store does not say which schema it has; make a new state directory");
	while (!rc && !(rc = e->step(db->conn, st, &row, err)) && row) {
		int64_t n = e->col_int(st, 0);
		const char *is = e->col_text(st, 1);
		char want[CTM_DIGEST_MAX] = "";
		if (n >= 1 && n <= (int64_t)ctm_migration_count)
			ctm_digest_of(ctm_migrations[n - 1].text, strlen(ctm_migrations[n - 1].text), want);
		if (!ctm_streq(is, want))
			rc = ctm_fail(err, CTM_E_STATE, "store", NULL, "the store's schema %lld is not the one this program was built with; use the program "
				"that made it, or a new state directory; nothing was changed", (long long)n);
	}
	e->finalize(st);
	return rc;
}

int ctm_db_migrate(struct ctm_db *db, int *from, int *to, struct ctm_err *err)
{
	static const char create[] = "CREATE TABLE IF NOT EXISTS schema_version "
		"(number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, applied_ms BIGINT NOT NULL);";
	int rc = db->engine->exec(db->conn, create, NULL);
	if (rc)                                    /* two processes that make the table at once: the second look finds it */
		rc = db->engine->exec(db->conn, create, err);
	rc = rc ? rc : check_applied(db, err);
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
