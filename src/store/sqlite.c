/* SPDX-License-Identifier: Apache-2.0
 *
 * The SQLite engine. Opened so that a file from elsewhere cannot do harm (defensive, untrusted schema, no extensions, no
 * ATTACH, no double-quoted strings) and so that what was committed stays (WAL, synchronous FULL). Reading connections are
 * made so with query_only: the engine itself refuses writes, whatever statement arrives.
 *
 * Refusals of constraints become this program's errors; values from the statement never stand in a message.
 */
#include "store/engine.h"
#include "base/text.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MS 5000
#define VALUE_MAX (64 << 20)
#define BEGIN_RO "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1;"      /* the read fixes the snapshot now and not at the first use */
#define BEGIN_RW "BEGIN IMMEDIATE;"

struct mapping { int engine, code; const char *msg; };

/* By extended code first, then by primary code. */
static const struct mapping mappings[] = {
	{ SQLITE_CONSTRAINT_UNIQUE, CTM_E_EXISTS, "there is already one with this" },
	{ SQLITE_CONSTRAINT_PRIMARYKEY, CTM_E_EXISTS, "there is already one with this" },
	{ SQLITE_CONSTRAINT_ROWID, CTM_E_EXISTS, "there is already one with this number" },
	{ SQLITE_CONSTRAINT_FOREIGNKEY, CTM_E_INPUT, "it names something that is not there, or something else still names it" },
	{ SQLITE_CONSTRAINT_NOTNULL, CTM_E_INPUT, "a required value is missing" },
	{ SQLITE_CONSTRAINT_CHECK, CTM_E_INPUT, "a value is not one of those allowed" },
	{ SQLITE_CONSTRAINT_TRIGGER, CTM_E_GUARD, "the store refuses this change" },
	{ SQLITE_CONSTRAINT, CTM_E_INPUT, "the store's rules refuse this value" },
	{ SQLITE_BUSY, CTM_E_BUSY, "the store is busy; try again" },
	{ SQLITE_LOCKED, CTM_E_BUSY, "the store is busy; try again" },
	{ SQLITE_NOMEM, CTM_E_NOMEM, "out of memory" },
	{ SQLITE_TOOBIG, CTM_E_TOOBIG, "a value is too large for the store" },
	{ SQLITE_READONLY, CTM_E_IO, "the store cannot be written" },
	{ SQLITE_FULL, CTM_E_IO, "the disk is full; nothing was kept of this change" },
	{ SQLITE_IOERR, CTM_E_IO, "the disk reports an error; nothing was kept of this change" },
	{ SQLITE_CANTOPEN, CTM_E_IO, "the store cannot be opened" },
	{ SQLITE_PERM, CTM_E_IO, "the store may not be opened" },
	{ SQLITE_AUTH, CTM_E_IO, "the store refuses this statement" },
	{ SQLITE_CORRUPT, CTM_E_IO, "the store is damaged; restore it from a backup" },
	{ SQLITE_NOTADB, CTM_E_IO, "the file is not a store" },
};

static const struct mapping *mapped(int code)
{
	for (int pass = 0; pass < 2; pass++, code &= 0xFF) {
		for (size_t i = 0; i < sizeof mappings / sizeof *mappings; i++) {
			if (mappings[i].engine == code)
				return &mappings[i];
		}
	}
	return NULL;
}

/* "UNIQUE constraint failed: person.email, person.org" -> "email": the field that clashed. */
static void clash_field(const char *msg, char *out, size_t cap)
{
	const char *colon = strrchr(msg, ':'), *dot = colon ? strchr(colon, '.') : NULL;
	out[0] = 0;
	if (dot)
		snprintf(out, cap, "%.*s", (int)strcspn(dot + 1, ", "), dot + 1);
}

static int fail(sqlite3 *c, int code, struct ctm_err *err)
{
	const struct mapping *m = mapped(code);
	char field[64] = "";
	if (!m)
		return ctm_fail(err, CTM_E_FAIL, NULL, NULL, "the store refuses a statement: %s", c ? sqlite3_errmsg(c) : sqlite3_errstr(code));
	if ((code & 0xFF) == SQLITE_CONSTRAINT)
		clash_field(sqlite3_errmsg(c), field, sizeof field);
	bool named = field[0] && m->code == CTM_E_EXISTS;
	return ctm_fail(err, m->code, field, NULL, "%s%s%s", m->msg, named ? " " : "", named ? field : "");
}

/* The few texts that begin and end every exchange are prepared once: reading them again would cost more than they do. */
static const struct { const char *text, *part[2]; } frames[] = {
	{ BEGIN_RO, { "BEGIN", "SELECT 1 FROM sqlite_schema LIMIT 1" } },
	{ BEGIN_RW, { "BEGIN IMMEDIATE" } },
	{ "COMMIT;", { "COMMIT" } },
	{ "ROLLBACK;", { "ROLLBACK" } },
	{ "SAVEPOINT s;", { "SAVEPOINT s" } },
	{ "RELEASE s;", { "RELEASE s" } },
	{ "ROLLBACK TO s; RELEASE s;", { "ROLLBACK TO s", "RELEASE s" } },
};
#define FRAMES (sizeof frames / sizeof *frames)

struct lite { sqlite3 *c; sqlite3_stmt *frame[FRAMES][2]; };

static void close_conn(void *conn)
{
	struct lite *l = conn;
	for (size_t i = 0; i < FRAMES * 2; i++)
		sqlite3_finalize(l->frame[i / 2][i % 2]);
	sqlite3_close_v2(l->c);
	free(l);
}

static int run_frame(struct lite *l, size_t i, struct ctm_err *err)
{
	for (size_t k = 0; k < 2 && frames[i].part[k]; k++) {
		sqlite3_stmt **s = &l->frame[i][k];
		int e = *s ? SQLITE_OK : sqlite3_prepare_v3(l->c, frames[i].part[k], -1, SQLITE_PREPARE_PERSISTENT, s, NULL);
		if (e == SQLITE_OK)
			e = sqlite3_step(*s);
		if (e != SQLITE_ROW && e != SQLITE_DONE) {
			int rc = fail(l->c, e, err);
			sqlite3_reset(*s);
			return rc;
		}
		sqlite3_reset(*s);
	}
	return 0;
}

static int exec(void *conn, const char *text, struct ctm_err *err)
{
	struct lite *l = conn;
	for (size_t i = 0; i < FRAMES; i++)
		if (!strcmp(frames[i].text, text))
			return run_frame(l, i, err);
	int e = sqlite3_exec(l->c, text, NULL, NULL, NULL);
	return e == SQLITE_OK ? 0 : fail(l->c, sqlite3_extended_errcode(l->c), err);
}

static void harden(sqlite3 *c)
{
	static const int on[] = { SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_ENABLE_FKEY };
	static const int off[] = { SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, SQLITE_DBCONFIG_DQS_DML,
		SQLITE_DBCONFIG_DQS_DDL, SQLITE_DBCONFIG_WRITABLE_SCHEMA };
	for (size_t i = 0; i < sizeof on / sizeof *on; i++)
		sqlite3_db_config(c, on[i], 1, NULL);
	for (size_t i = 0; i < sizeof off / sizeof *off; i++)
		sqlite3_db_config(c, off[i], 0, NULL);
	sqlite3_limit(c, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(c, SQLITE_LIMIT_LENGTH, VALUE_MAX);
	sqlite3_busy_timeout(c, BUSY_MS);
}

static int set_up(struct lite *l, enum ctm_db_mode mode, struct ctm_err *err)
{
	int rc = 0;
	harden(l->c);
	if (mode == CTM_DB_RW)
		rc = exec(l, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216;", err);
	rc = rc ? rc : exec(l, "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA cache_size=-8000;", err);
	if (mode == CTM_DB_RO)
		rc = rc ? rc : exec(l, "PRAGMA query_only=ON;", err);
	return rc;
}

static int open_conn(const char *where, enum ctm_db_mode mode, void **conn, struct ctm_err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (mode == CTM_DB_RW ? SQLITE_OPEN_CREATE : 0);
	struct lite *l = calloc(1, sizeof *l);
	if (!l)
		return ctm_fail(err, CTM_E_NOMEM, "store", NULL, "out of memory");
	int e = sqlite3_open_v2(where, &l->c, flags, NULL);
	int rc = e == SQLITE_OK ? set_up(l, mode, err) : fail(l->c, e, err);
	if (rc) {
		close_conn(l);
		return rc;
	}
	*conn = l;
	return 0;
}

static int prepare(void *conn, const char *text, void **st, struct ctm_err *err)
{
	struct lite *l = conn;
	sqlite3_stmt *s = NULL;
	int e = sqlite3_prepare_v3(l->c, text, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL);
	if (e != SQLITE_OK)
		return fail(l->c, e, err);
	*st = s;
	return 0;
}

static void finalize(void *st) { sqlite3_finalize(st); }

static void reset(void *st)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
}

static int params(void *st) { return sqlite3_bind_parameter_count(st); }

static int param(void *st, const char *name)
{
	char colon[80];
	if (snprintf(colon, sizeof colon, ":%s", name) >= (int)sizeof colon)
		return 0;
	return sqlite3_bind_parameter_index(st, colon);
}

static int bound(int e) { return e == SQLITE_OK ? 0 : e == SQLITE_TOOBIG ? CTM_E_TOOBIG : e == SQLITE_NOMEM ? CTM_E_NOMEM : CTM_E_FAIL; }

static int bind_text(void *st, int i, const char *v, size_t n)
{
	return bound(v ? sqlite3_bind_text64(st, i, v, n, SQLITE_STATIC, SQLITE_UTF8) : sqlite3_bind_null(st, i));
}

static int bind_int(void *st, int i, int64_t v) { return bound(sqlite3_bind_int64(st, i, v)); }
static int bind_blob(void *st, int i, const void *p, size_t n) { return bound(sqlite3_bind_blob64(st, i, p ? p : "", n, SQLITE_STATIC)); }

static int step(void *conn, void *st, bool *row, struct ctm_err *err)
{
	int e = sqlite3_step(st);
	if (e != SQLITE_ROW && e != SQLITE_DONE)
		return fail(((struct lite *)conn)->c, e, err);
	*row = e == SQLITE_ROW;
	return 0;
}

static int64_t changes(void *conn) { return sqlite3_changes64(((struct lite *)conn)->c); }
static int columns(void *st) { return sqlite3_column_count(st); }
static const char *col_name(void *st, int i) { return sqlite3_column_name(st, i); }

static enum ctm_col col_type(void *st, int i)
{
	switch (sqlite3_column_type(st, i)) {
	case SQLITE_INTEGER: return CTM_COL_INT;
	case SQLITE_FLOAT: return CTM_COL_REAL;
	case SQLITE_TEXT: return CTM_COL_TEXT;
	case SQLITE_BLOB: return CTM_COL_BLOB;
	default: return CTM_COL_NULL;
	}
}

static const char *col_text(void *st, int i) { return (const char *)sqlite3_column_text(st, i); }
static int64_t col_int(void *st, int i) { return sqlite3_column_int64(st, i); }
static double col_real(void *st, int i) { return sqlite3_column_double(st, i); }

static const void *col_blob(void *st, int i, size_t *n)
{
	const void *p = sqlite3_column_blob(st, i);
	*n = (size_t)sqlite3_column_bytes(st, i);
	return p;
}

/* The pages as this connection sees them: inside a transaction, of the moment it began, whatever others write meanwhile. */
static int copy(void *conn, const char *path, struct ctm_err *err)
{
	sqlite3 *to = NULL;
	int e = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE, NULL);
	sqlite3_backup *b = e == SQLITE_OK ? sqlite3_backup_init(to, "main", ((struct lite *)conn)->c, "main") : NULL;
	if (b) {
		sqlite3_backup_step(b, -1);
		e = sqlite3_backup_finish(b);
	} else if (e == SQLITE_OK) {
		e = sqlite3_extended_errcode(to);
	}
	int rc = e == SQLITE_OK ? 0 : fail(to, e, err);
	sqlite3_close_v2(to);
	return rc;
}

const struct ctm_engine ctm_engine_sqlite = {
	.scheme = "sqlite:", .begin = { [CTM_DB_RO] = BEGIN_RO, [CTM_DB_RW] = BEGIN_RW },
	.open = open_conn, .close = close_conn, .exec = exec, .prepare = prepare, .finalize = finalize, .reset = reset,
	.params = params, .param = param, .bind_text = bind_text, .bind_int = bind_int, .bind_blob = bind_blob, .step = step,
	.changes = changes, .columns = columns, .col_name = col_name, .col_type = col_type, .col_text = col_text, .col_int = col_int,
	.col_real = col_real, .col_blob = col_blob, .copy = copy,
};
