/* SPDX-License-Identifier: Apache-2.0
 *
 * The PostgreSQL engine (libpq, servers from version 13). What it promises is what the SQLite engine promises:
 *
 *   - Writing transactions take turns: each begins by taking a lock on schema_version, before its snapshot, so it sees all
 *     that was committed before it, in whatever process. The heads of the audit chain, the counters and the case rows have one
 *     sequencer at a time, elected by that lock, which the server frees when a holder dies. SERIALIZABLE stands below it, also
 *     for statements outside a transaction. Who waits longer than five seconds, or loses against another change, is told BUSY:
 *     nothing was kept, begin the whole transaction again (same snapshot, same answer).
 *   - A reader's transaction is one snapshot (REPEATABLE READ, READ ONLY), which never fails to serialise.
 *   - After a refused statement inside a transaction only a rollback may follow, to the savepoint or whole. A COMMIT that the
 *     server turned into a rollback is a failure here.
 *   - A lost connection is IO. What the transaction did is gone, and nothing runs outside of it by accident: until the
 *     rollback every statement is refused. The next use connects again. A BEGIN or a reader's statement on a connection that
 *     had died while idle is simply done again. When the connection dies during COMMIT the table ctm_commit, this engine's own, is
 *     asked afterwards how the transaction ended, so that "kept" and "not kept" are both true; only when it cannot be asked the
 *     answer is UNSURE and says so.
 *
 * Results come whole at the first step; statements bound their rows. Values never stand in a message.
 */
#include "store/engine.h"
#include "store/pgtext.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include <libpq-fe.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STATEMENT_MAX (256 << 10)
#define VALUE_MAX ((size_t)64 << 20)
#define ASK_US 10000000         /* how long the end of a transaction is asked for, every 250 ms */
#define VERSION_MIN 130000

/* Type numbers of the server's catalogue (pg_type.dat); fixed for all versions. */
enum { T_BOOL = 16, T_BYTEA = 17, T_INT8 = 20, T_INT2 = 21, T_INT4 = 23, T_OID = 26, T_FLOAT4 = 700, T_FLOAT8 = 701, T_NUMERIC = 1700 };

struct pg {
	PGconn *c;
	enum ctm_db_mode mode;
	unsigned epoch;             /* counts connections: a statement of an earlier one is prepared again */
	unsigned names;
	char writer[17];            /* key of this connection's row in ctm_commit */
	int64_t commits;            /* the mark of its last commit */
	bool in_tx, lost_tx;        /* lost_tx: the connection died inside a transaction that was not rolled back yet */
	int64_t changes;
};

struct st {
	struct pg *g;
	char name[24];
	unsigned epoch;
	char *text, *sql;           /* text owns the names */
	struct ctm_pg_param names[CTM_PG_PARAMS_MAX];
	int n;
	const char *values[CTM_PG_PARAMS_MAX];
	int lengths[CTM_PG_PARAMS_MAX], formats[CTM_PG_PARAMS_MAX];
	char numbers[CTM_PG_PARAMS_MAX][24];
	PGresult *res;
	int row;                    /* -1 before the first */
	unsigned char **bytes;      /* per column of the row: decoded, on demand */
};

/* ---- refusals ---- */

struct mapping { const char *state; int code; const char *msg; };

/* First match of the start of the five letters. */
static const struct mapping mappings[] = {
	{ "23505", CTM_E_EXISTS, "there is already one with this" },
	{ "23503", CTM_E_INPUT, "it names something that is not there, or something else still names it" },
	{ "23502", CTM_E_INPUT, "a required value is missing" },
	{ "23514", CTM_E_INPUT, "a value is not one of those allowed" },
	{ "23", CTM_E_INPUT, "the store's rules refuse this value" },
	{ "22", CTM_E_INPUT, "a value does not fit the store" },
	{ "40", CTM_E_BUSY, "another change came first and nothing was kept; try again" },
	{ "55P03", CTM_E_BUSY, "the store is busy; try again" },
	{ "57014", CTM_E_BUSY, "the store is busy; try again" },
	{ "53100", CTM_E_IO, "the database's disk is full; nothing was kept of this change" },
	{ "53200", CTM_E_NOMEM, "the database is out of memory" },
	{ "53", CTM_E_BUSY, "the database has no room for another connection; try again" },
	{ "54", CTM_E_TOOBIG, "a value is too large for the store" },
	{ "25006", CTM_E_IO, "the store cannot be written" },
	{ "28", CTM_E_IO, "the database does not let this user in" },
	{ "3D000", CTM_E_IO, "there is no such database" },
	{ "42501", CTM_E_IO, "the database does not allow this to its user" },
	{ "57P", CTM_E_IO, "the database is stopping or starting; nothing was kept of this change" },
	{ "58", CTM_E_IO, "the database's disk reports an error; nothing was kept of this change" },
	{ "XX001", CTM_E_IO, "the store is damaged; restore it from a backup" },
	{ "XX002", CTM_E_IO, "the store is damaged; restore it from a backup" },
	{ "08", CTM_E_IO, "the connection to the database was lost; nothing was kept of this change" },
};

static const char refused_text[] = "a statement of this transaction was refused before; nothing was kept";
static const char lost_text[] = "the connection to the database was lost; nothing was kept of this change";

/* "Key (slug)=(...) already exists.", in whatever language: the first name in the first brackets. */
static void clash_field(const PGresult *r, char *out, size_t cap)
{
	const char *detail = PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL), *open = detail ? strchr(detail, '(') : NULL;
	out[0] = 0;
	if (open)
		snprintf(out, cap, "%.*s", (int)strcspn(open + 1, ",)"), open + 1);
}

static int refused(const PGresult *r, struct ctm_err *err)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE), *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	char field[64] = "";
	for (size_t i = 0; state && i < sizeof mappings / sizeof *mappings; i++) {
		const struct mapping *m = &mappings[i];
		if (!ctm_starts(state, m->state))
			continue;
		if (m->code == CTM_E_EXISTS)
			clash_field(r, field, sizeof field);
		if (m->code == CTM_E_BUSY || m->code == CTM_E_IO)
			return ctm_fail(err, m->code, "store", NULL, "%s", m->msg);
		return ctm_fail(err, m->code, field, NULL, "%s%s%s", m->msg, field[0] ? " " : "", field);
	}
	return ctm_fail(err, CTM_E_FAIL, NULL, NULL, "the store refuses a statement: %s", primary ? primary : "no reason given");
}

static bool dead(const struct pg *g) { return PQstatus(g->c) != CONNECTION_OK; }

/* What a result means; takes note of the transaction. */
static int judge(struct pg *g, const PGresult *r, struct ctm_err *err)
{
	ExecStatusType s = PQresultStatus(r);
	if (dead(g)) {
		g->lost_tx = g->lost_tx || g->in_tx;
		return ctm_fail(err, CTM_E_IO, "store", NULL, "%s", lost_text);
	}
	PGTransactionStatusType t = PQtransactionStatus(g->c);
	g->in_tx = t == PQTRANS_INTRANS || t == PQTRANS_INERROR;
	if (!r)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK || s == PGRES_EMPTY_QUERY ? 0 : refused(r, err);
}

/* ---- connecting ---- */

static void silent(void *arg, const char *msg) {}

static int simple(struct pg *g, const char *text, struct ctm_err *err)
{
	PGresult *r = PQexec(g->c, text);
	int rc = judge(g, r, err);
	PQclear(r);
	return rc;
}

/* The table that tells afterwards how a commit ended. Two that make it at once: the second look finds it. */
static int commit_table(struct pg *g, struct ctm_err *err)
{
	static const char there[] = "DO $$ BEGIN IF to_regclass('ctm_commit') IS NULL THEN "
		"CREATE TABLE IF NOT EXISTS ctm_commit (writer text PRIMARY KEY, mark bigint NOT NULL); END IF; END $$";
	return simple(g, there, NULL) == 0 ? 0 : simple(g, there, err);
}

static int session(struct pg *g, struct ctm_err *err)
{
	static const char *const by_mode[] = {
		[CTM_DB_RO] = "SET default_transaction_isolation = 'repeatable read'; SET default_transaction_read_only = on;",
		/* at least what FULL is elsewhere: an answer waits for the disk */
		[CTM_DB_RW] = "SET default_transaction_isolation = 'serializable'; "
			"SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local');",
	};
	const char *encoding = PQparameterStatus(g->c, "server_encoding");
	g->epoch++;
	PQsetNoticeProcessor(g->c, silent, NULL);
	if (PQserverVersion(g->c) < VERSION_MIN)
		return ctm_fail(err, CTM_E_UNSUPPORTED, "store", NULL, "the database server is too old; PostgreSQL 13 or newer is needed");
	if (!ctm_streq(encoding, "UTF8"))
		return ctm_fail(err, CTM_E_UNSUPPORTED, "store", NULL, "the database's encoding is not UTF8; make it with: createdb -E UTF8 -T template0");
	int rc = simple(g, "SET client_min_messages = error; SET standard_conforming_strings = on; SET bytea_output = hex; "
		"SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '60s';", err);
	rc = rc ? rc : simple(g, by_mode[g->mode], err);
	return rc || g->mode == CTM_DB_RO ? rc : commit_table(g, err);
}

static int again(struct pg *g, struct ctm_err *err)
{
	g->in_tx = false;
	PQreset(g->c);
	if (dead(g))
		return ctm_fail(err, CTM_E_IO, "store", NULL, "the database cannot be reached just now; try again in a moment");
	return session(g, err);
}

/* Before anything is sent: a connection that works, and no transaction that is lost. */
static int usable(struct pg *g, struct ctm_err *err)
{
	if (g->lost_tx)
		return ctm_fail(err, CTM_E_IO, "store", NULL, "%s", lost_text);
	return dead(g) ? again(g, err) : 0;
}

/* Words of the address that this program sets, or that would put a secret where others can read it. */
static int check_words(const PQconninfoOption *o, struct ctm_err *err)
{
	static const struct { const char *word, *why; } not[] = {
		{ "password", "a password does not belong in the address of the store; put it into a password file (PGPASSFILE)" },
		{ "sslpassword", "a password does not belong in the address of the store" },
		{ "client_encoding", "the encoding is always UTF8" },
		{ "replication", "a store is an ordinary database" },
	};
	for (; o->keyword; o++) {
		for (size_t i = 0; o->val && i < sizeof not / sizeof *not; i++) {
			if (ctm_streq(o->keyword, not[i].word))
				return ctm_fail(err, CTM_E_INPUT, o->keyword, NULL, "%s", not[i].why);
		}
	}
	return 0;
}

static PGconn *connect_to(const PQconninfoOption *o)
{
	const char *keys[96], *values[96];
	size_t n = 0;
	static const char *const mine[][2] = { { "client_encoding", "UTF8" }, { "fallback_application_name", "ctm" }, { "connect_timeout", "10" },
		{ "tcp_user_timeout", "15000" } };
	for (size_t i = 0; i < sizeof mine / sizeof *mine; i++, n++) {
		keys[n] = mine[i][0];
		values[n] = mine[i][1];
	}
	for (; o->keyword && n < 95; o++) {                 /* what the address says comes later and wins */
		if (!o->val)
			continue;
		keys[n] = o->keyword;
		values[n++] = o->val;
	}
	keys[n] = values[n] = NULL;
	return PQconnectdbParams(keys, values, 0);
}

static void close_conn(void *conn)
{
	struct pg *g = conn;
	const char *values[] = { g->writer };
	if (g->commits && !dead(g) && !g->in_tx)             /* only tidiness */
		PQclear(PQexecParams(g->c, "DELETE FROM ctm_commit WHERE writer = $1", 1, NULL, values, NULL, NULL, 0));
	PQfinish(g->c);
	free(g);
}

static int open_conn(const char *where, enum ctm_db_mode mode, void **conn, struct ctm_err *err)
{
	char address[1024];
	if (snprintf(address, sizeof address, "%s%s", ctm_starts(where, "//") ? "postgresql:" : "", where) >= (int)sizeof address)
		return ctm_fail(err, CTM_E_INPUT, "store", NULL, "the address of the store is too long");
	PQconninfoOption *o = PQconninfoParse(address, NULL);
	if (!o)
		return ctm_fail(err, CTM_E_INPUT, "store", NULL, "a store is named postgresql://HOST/DATABASE or \"postgresql:host=... dbname=...\"");
	int rc = check_words(o, err);
	struct pg *g = rc ? NULL : calloc(1, sizeof *g);
	if (g) {
		uint64_t r;
		ctm_random(&r, sizeof r);
		snprintf(g->writer, sizeof g->writer, "%016" PRIx64, r);
		g->mode = mode;
		g->c = connect_to(o);
	}
	PQconninfoFree(o);
	if (!g)
		return rc ? rc : ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	rc = dead(g) ? ctm_fail(err, CTM_E_IO, "store", NULL, "the database cannot be opened: %.200s", PQerrorMessage(g->c)) : session(g, err);
	if (rc) {
		close_conn(g);
		return rc;
	}
	*conn = g;
	return 0;
}

/* ---- the end of a transaction ---- */

/* The mark of this commit, a row of the transaction itself: whoever finds it later knows that all of it was kept. (The server's own number
 * of a transaction would not do: after a crash it is given again where nothing of the first one reached the disk.) *marked is false
 * when there is nothing to keep. */
static int mark(struct pg *g, bool *marked, struct ctm_err *err)
{
	char n[24];
	const char *values[] = { g->writer, n };
	snprintf(n, sizeof n, "%" PRId64, ++g->commits);
	PGresult *r = PQexecParams(g->c, "INSERT INTO ctm_commit (writer, mark) SELECT $1, CAST($2 AS bigint) WHERE pg_current_xact_id_if_assigned() IS NOT NULL "
		"ON CONFLICT (writer) DO UPDATE SET mark = excluded.mark", 2, NULL, values, NULL, NULL, 0);
	int rc = judge(g, r, err);
	*marked = !rc && !ctm_streq(PQcmdTuples(r), "0");
	PQclear(r);
	return rc;
}

/* Is the mark there? The lock is given when the transaction in question has ended, so the answer is final. */
static int look(struct pg *g, bool *kept)
{
	const char *values[] = { g->writer };
	int rc = simple(g, "BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE schema_version IN SHARE ROW EXCLUSIVE MODE", NULL);
	PGresult *r = rc ? NULL : PQexecParams(g->c, "SELECT mark FROM ctm_commit WHERE writer = $1", 1, NULL, values, NULL, NULL, 0);
	rc = rc ? rc : judge(g, r, NULL);
	if (!rc)
		*kept = PQntuples(r) == 1 && strtoll(PQgetvalue(r, 0, 0), NULL, 10) == g->commits;
	PQclear(r);
	if (g->in_tx)
		(void)simple(g, "ROLLBACK", NULL);
	return rc;
}

/* The connection died during COMMIT: how did it end? 0 when it was kept. */
static int ask(struct pg *g, struct ctm_err *err)
{
	for (int64_t until = ctm_mono_us() + ASK_US; ctm_mono_us() < until;) {
		bool kept = false;
		if ((!dead(g) || again(g, NULL) == 0) && look(g, &kept) == 0)
			return kept ? 0 : ctm_fail(err, CTM_E_IO, "store", NULL, "%s", lost_text);
		nanosleep(&(struct timespec){ .tv_nsec = 250000000 }, NULL);
	}
	return ctm_fail(err, CTM_E_UNSURE, "store", NULL, "the connection to the database was lost while a change was stored, and the database cannot be "
		"asked; look whether the change is there before you make it again");
}

static int commit(struct pg *g, struct ctm_err *err)
{
	bool marked = false;
	int rc = usable(g, err);
	if (!rc && PQtransactionStatus(g->c) == PQTRANS_INERROR)
		return ctm_fail(err, CTM_E_FAIL, NULL, NULL, "%s", refused_text);
	if (!rc && g->mode == CTM_DB_RW)
		rc = mark(g, &marked, err);
	if (rc)
		return rc;
	PGresult *r = PQexec(g->c, "COMMIT");
	struct ctm_err own = { 0 };
	rc = judge(g, r, &own);
	if (rc == CTM_E_IO && dead(g) && marked) {
		g->in_tx = g->lost_tx = false;
		rc = ask(g, err);
		g->lost_tx = false;
	} else if (rc) {
		(void)ctm_fail(err, own.code, own.field, NULL, "%s", own.msg);
	} else if (ctm_streq(PQcmdStatus(r), "ROLLBACK")) {
		rc = ctm_fail(err, CTM_E_FAIL, NULL, NULL, "%s", refused_text);
	}
	PQclear(r);
	return rc;
}

static int begin(struct pg *g, const char *text, struct ctm_err *err)
{
	g->lost_tx = false;
	int rc = usable(g, err);
	if (rc)
		return rc;
	struct ctm_err own = { 0 };
	rc = simple(g, text, &own);
	if (rc && dead(g)) {                                /* it had died while idle: nothing was under way */
		g->in_tx = g->lost_tx = false;
		ctm_err_clear(&own);
		rc = again(g, &own);
		rc = rc ? rc : simple(g, text, &own);
	}
	if (rc && g->in_tx)
		(void)simple(g, "ROLLBACK", NULL);           /* BEGIN was good, the turn was not given */
	return rc ? ctm_fail(err, own.code, own.field, own.rule, "%s", own.msg) : 0;
}

static int exec(void *conn, const char *text, struct ctm_err *err)
{
	struct pg *g = conn;
	if (ctm_starts(text, "BEGIN"))
		return begin(g, text, err);
	if (ctm_streq(text, "COMMIT;"))
		return commit(g, err);
	if (ctm_streq(text, "ROLLBACK;") && (g->lost_tx || dead(g))) {
		g->lost_tx = g->in_tx = false;                /* gone with the connection */
		return 0;
	}
	int rc = usable(g, err);
	return rc ? rc : simple(g, text, err);
}

/* ---- statements ---- */

static void let_go(struct st *s)
{
	for (int i = 0, n = s->bytes ? PQnfields(s->res) : 0; i < n; i++)
		PQfreemem(s->bytes[i]);
	free(s->bytes);
	s->bytes = NULL;
}

static void drop_result(struct st *s)
{
	let_go(s);
	PQclear(s->res);
	s->res = NULL;
	s->row = -1;
}

static void finalize(void *st)
{
	struct st *s = st;
	char text[48];
	drop_result(s);
	/* Only tidiness: the server forgets all of them with the connection. */
	if (s->epoch == s->g->epoch && !dead(s->g) && PQtransactionStatus(s->g->c) != PQTRANS_INERROR) {
		snprintf(text, sizeof text, "DEALLOCATE %s", s->name);
		(void)simple(s->g, text, NULL);
	}
	free(s->text);
	free(s->sql);
	free(s);
}

static void reset(void *st)
{
	struct st *s = st;
	drop_result(s);
	memset(s->values, 0, sizeof s->values);
}

/* A reader's connection that died outside of a transaction: reading again does no harm. */
static bool died_idle(const struct pg *g, bool was_tx) { return dead(g) && !was_tx && g->mode == CTM_DB_RO; }

/* Make the statement known on the present connection. */
static int known(struct st *s, struct ctm_err *err)
{
	struct pg *g = s->g;
	int rc = usable(g, err);
	if (rc || s->epoch == g->epoch)
		return rc;
	snprintf(s->name, sizeof s->name, "ctm%u", ++g->names);
	PGresult *r = PQprepare(g->c, s->name, s->sql, 0, NULL);
	rc = judge(g, r, err);
	PQclear(r);
	if (!rc)
		s->epoch = g->epoch;
	return rc;
}

static int prepare(void *conn, const char *text, void **st, struct ctm_err *err)
{
	struct st *s = calloc(1, sizeof *s);
	CTM_AUTO_BUF sql = CTM_BUF(STATEMENT_MAX);
	if (s)
		s->text = strdup(text);
	if (!s || !s->text) {
		free(s);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	}
	s->g = conn;
	s->row = -1;
	int rc = ctm_pg_statement(s->text, &sql, s->names, &s->n, err);
	if (!rc && !(s->sql = ctm_buf_steal(&sql, NULL)))
		rc = ctm_fail(err, CTM_E_FAIL, NULL, NULL, "the statement is empty");
	if (!rc) {
		struct ctm_err own = { 0 };
		bool was_tx = s->g->in_tx;
		rc = known(s, &own);
		if (rc && died_idle(s->g, was_tx)) {
			ctm_err_clear(&own);
			rc = known(s, &own);
		}
		rc = rc ? ctm_fail(err, own.code, own.field, own.rule, "%s", own.msg) : 0;
	}
	if (rc) {
		finalize(s);
		return rc;
	}
	*st = s;
	return 0;
}

static int params(void *st) { return ((struct st *)st)->n; }

static int param(void *st, const char *name)
{
	const struct st *s = st;
	for (int i = 0; i < s->n; i++) {
		if (strlen(name) == s->names[i].len && memcmp(name, s->names[i].at, s->names[i].len) == 0)
			return i + 1;
	}
	return 0;
}

static int bind(struct st *s, int i, const void *v, size_t n, int format)
{
	if (n > VALUE_MAX)
		return CTM_E_TOOBIG;
	s->values[i - 1] = v;
	s->lengths[i - 1] = (int)n;
	s->formats[i - 1] = format;
	return 0;
}

static int bind_text(void *st, int i, const char *v, size_t n) { return bind(st, i, v, n, 0); }
static int bind_blob(void *st, int i, const void *p, size_t n) { return bind(st, i, p ? p : "", n, 1); }

static int bind_int(void *st, int i, int64_t v)
{
	struct st *s = st;
	char *t = s->numbers[i - 1];
	return bind(s, i, t, (size_t)snprintf(t, sizeof s->numbers[0], "%" PRId64, v), 0);
}

static int send_once(struct st *s, struct ctm_err *err)
{
	int rc = known(s, err);
	if (rc)
		return rc;
	s->res = PQexecPrepared(s->g->c, s->name, s->n, s->values, s->lengths, s->formats, 0);
	rc = judge(s->g, s->res, err);
	if (rc)
		drop_result(s);
	return rc;
}

static int run(struct st *s, struct ctm_err *err)
{
	struct pg *g = s->g;
	struct ctm_err own = { 0 };
	bool was_tx = g->in_tx;
	int rc = send_once(s, &own);
	if (rc && died_idle(g, was_tx)) {
		ctm_err_clear(&own);
		rc = send_once(s, &own);
	}
	if (rc)
		return ctm_fail(err, own.code, own.field, own.rule, "%s", own.msg);
	int64_t n = 0;
	const char *count = PQcmdTuples(s->res);
	g->changes = *count && ctm_parse_i64(count, 0, INT64_MAX, &n) == 0 ? n : 0;
	return 0;
}

static int step(void *conn, void *st, bool *row, struct ctm_err *err)
{
	struct st *s = st;
	int rc = s->res ? 0 : run(s, err);
	if (rc)
		return rc;
	let_go(s);
	if (s->row < PQntuples(s->res))
		s->row++;
	*row = s->row < PQntuples(s->res);
	return 0;
}

static int64_t changes(void *conn) { return ((struct pg *)conn)->changes; }

/* ---- columns ---- */

static int columns(void *st) { return PQnfields(((struct st *)st)->res); }
static const char *col_name(void *st, int i) { return PQfname(((struct st *)st)->res, i); }

static enum ctm_col col_type(void *st, int i)
{
	const struct st *s = st;
	if (PQgetisnull(s->res, s->row, i))
		return CTM_COL_NULL;
	switch (PQftype(s->res, i)) {
	case T_BOOL: case T_INT2: case T_INT4: case T_INT8: case T_OID: return CTM_COL_INT;
	case T_FLOAT4: case T_FLOAT8: case T_NUMERIC: return CTM_COL_REAL;
	case T_BYTEA: return CTM_COL_BLOB;
	default: return CTM_COL_TEXT;
	}
}

static const char *col_text(void *st, int i)
{
	const struct st *s = st;
	return PQgetisnull(s->res, s->row, i) ? NULL : PQgetvalue(s->res, s->row, i);
}

static int64_t col_int(void *st, int i)
{
	const char *t = col_text(st, i);
	if (!t)
		return 0;
	return PQftype(((struct st *)st)->res, i) == T_BOOL ? *t == 't' : strtoll(t, NULL, 10);
}

static double col_real(void *st, int i)
{
	const char *t = col_text(st, i);
	return t ? strtod(t, NULL) : 0;
}

static const void *col_blob(void *st, int i, size_t *n)
{
	struct st *s = st;
	const char *t = col_text(s, i);
	*n = 0;
	if (!t || PQftype(s->res, i) != T_BYTEA) {
		*n = t ? (size_t)PQgetlength(s->res, s->row, i) : 0;
		return t;
	}
	if (!s->bytes)
		s->bytes = calloc((size_t)PQnfields(s->res), sizeof *s->bytes);
	if (!s->bytes)
		return NULL;
	PQfreemem(s->bytes[i]);
	s->bytes[i] = PQunescapeBytea((const unsigned char *)t, n);
	return s->bytes[i];
}

static int migration(const char *text, struct ctm_buf *out, struct ctm_err *err)
{
	int twins;
	return ctm_pg_migration(text, out, &twins, err);
}

const struct ctm_engine ctm_engine_postgresql = {
	.scheme = "postgresql:",
	.begin = { [CTM_DB_RO] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1;",
		[CTM_DB_RW] = "BEGIN ISOLATION LEVEL SERIALIZABLE; LOCK TABLE schema_version IN SHARE ROW EXCLUSIVE MODE;" },
	.twins = true, .migration = migration,
	.open = open_conn, .close = close_conn, .exec = exec, .prepare = prepare, .finalize = finalize, .reset = reset,
	.params = params, .param = param, .bind_text = bind_text, .bind_int = bind_int, .bind_blob = bind_blob, .step = step,
	.changes = changes, .columns = columns, .col_name = col_name, .col_type = col_type, .col_text = col_text, .col_int = col_int,
	.col_real = col_real, .col_blob = col_blob,
};
