/* SPDX-License-Identifier: Apache-2.0
 *
 * Named statements over an engine. Each connection keeps its prepared statements: giving one back returns it to a list per
 * name, so nested use of the same name simply prepares a second one. Every failure before the first step is kept in the
 * statement and told there; a parameter that was forgotten is such a failure, never a silent NULL.
 *
 * A column or statement name that does not exist is a bug of the caller, not a condition: the former aborts with a line on
 * standard error, as an assertion would.
 */
#include "store/engine.h"
#include "base/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARAMS_MAX 64
#define JSON_COLUMN_MAX (16 << 20)

struct ctm_q {
	struct ctm_db *db;
	const struct ctm_sql *sql;     /* NULL for a name that is not in the table */
	void *st;                      /* NULL when it could not be prepared */
	struct ctm_q *next;
	struct ctm_err err;            /* first failure before the first step */
	uint64_t bound;                /* bit i-1: parameter i has a value */
	bool stepped, row, idle;
};

/* ---- connections ---- */

static const struct ctm_engine *engine_of(const char *url)
{
	static const struct ctm_engine *const engines[] = { &ctm_engine_sqlite, &ctm_engine_postgresql };
	for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
		if (ctm_starts(url, engines[i]->scheme) && url[strlen(engines[i]->scheme)])
			return engines[i];
	}
	return NULL;
}

bool ctm_db_served(const char *url) { return ctm_starts(url, ctm_engine_postgresql.scheme); }

int ctm_db_url(const char *state_dir, const ctm_json *conf, char *out, size_t cap, struct ctm_err *err)
{
	const char *database = ctm_json_gets(conf, "database");
	if (ctm_json_get(conf, "database") && !(ctm_db_served(database) && engine_of(database)))
		return ctm_fail(err, CTM_E_INPUT, "database", NULL, "database must be postgresql://HOST/DATABASE or \"postgresql:host=... dbname=...\"; "
			"without it the state directory has a database of its own");
	int n = database ? snprintf(out, cap, "%s", database) : snprintf(out, cap, "%s%s/ctm.db", ctm_engine_sqlite.scheme, state_dir);
	if (n < 0 || (size_t)n >= cap)
		return ctm_fail(err, CTM_E_INPUT, "database", NULL, "the address of the database is too long");
	return 0;
}

int ctm_db_open(const char *url, enum ctm_db_mode mode, struct ctm_db **out, struct ctm_err *err)
{
	const struct ctm_engine *e = engine_of(url);
	if (!e)
		return ctm_fail(err, CTM_E_INPUT, "store", NULL, "a store is named sqlite:PATH or postgresql://HOST/DATABASE");
	struct ctm_db *db = calloc(1, sizeof *db);
	if (db) {
		db->engine = e;
		db->mode = mode;
		db->idle = calloc(ctm_sql_count + 1, sizeof *db->idle);
		db->lost = calloc(1, sizeof *db->lost);
	}
	int rc = 0;
	if (!db || !db->idle || !db->lost)
		rc = ctm_fail(err, CTM_E_NOMEM, "store", NULL, "out of memory");
	else
		rc = e->open(url + strlen(e->scheme), mode, &db->conn, err);
	if (!rc && ctm_db_schema(db) > (int)ctm_migration_count)
		rc = ctm_fail(err, CTM_E_STATE, "store", NULL, "the store was written by a newer ctm (schema %d, this program knows %zu); use the newer program",
			ctm_db_schema(db), ctm_migration_count);
	if (rc) {
		ctm_db_close(db);
		return rc;
	}
	db->lost->db = db;
	db->lost->err = (struct ctm_err){ .code = CTM_E_NOMEM, .msg = "out of memory" };
	*out = db;
	return 0;
}

static void drop(struct ctm_q *q)
{
	if (q->st)
		q->db->engine->finalize(q->st);
	free(q);
}

void ctm_db_close(struct ctm_db *db)
{
	if (!db)
		return;
	for (size_t i = 0; db->idle && i < ctm_sql_count; i++) {
		for (struct ctm_q *q = db->idle[i], *next; q; q = next) {
			next = q->next;
			drop(q);
		}
	}
	if (db->conn)
		db->engine->close(db->conn);
	free(db->idle);
	free(db->lost);
	free(db);
}

/* ---- taking a statement and giving it back ---- */

static const struct ctm_sql *sql_named(const char *name)
{
	for (size_t lo = 0, hi = ctm_sql_count; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(name, ctm_sql_table[mid].name);
		if (c == 0)
			return &ctm_sql_table[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

const char *ctm_sql_text(const struct ctm_db *db, const struct ctm_sql *sql) { return db->engine->twins && sql->twin ? sql->twin : sql->text; }

struct ctm_q *ctm_q(struct ctm_db *db, const char *name)
{
	const struct ctm_sql *sql = sql_named(name);
	struct ctm_q **head = sql ? &db->idle[sql - ctm_sql_table] : NULL, *q = head ? *head : NULL;
	if (q) {
		*head = q->next;
		q->next = NULL;
		q->idle = false;
		return q;
	}
	q = calloc(1, sizeof *q);
	if (!q)
		return db->lost;
	q->db = db;
	q->sql = sql;
	int rc = sql ? db->engine->prepare(db->conn, ctm_sql_text(db, sql), &q->st, &q->err) : 0;
	if (!sql)
		ctm_fail(&q->err, CTM_E_FAIL, NULL, NULL, "there is no statement named %s", name);
	else if (rc == CTM_E_FAIL)
		ctm_fail_prefix(&q->err, "%s", name);    /* a bug is found by its statement; trouble of the storage has no need of it */
	else if (!rc && db->engine->params(q->st) > PARAMS_MAX)
		ctm_fail(&q->err, CTM_E_FAIL, NULL, NULL, "the statement %s has more than %d parameters", name, PARAMS_MAX);
	return q;
}

void ctm_q_done(struct ctm_q *q)
{
	if (!q || q->idle || q == q->db->lost)
		return;
	if (!q->st) {
		drop(q);
		return;
	}
	q->db->engine->reset(q->st);
	ctm_err_clear(&q->err);
	q->bound = 0;
	q->stepped = q->row = false;
	q->idle = true;
	struct ctm_q **head = &q->db->idle[q->sql - ctm_sql_table];
	q->next = *head;
	*head = q;
}

void ctm_q_donep(struct ctm_q **q)
{
	ctm_q_done(*q);
	*q = NULL;
}

/* ---- binding ---- */

static const char *name_of(const struct ctm_q *q) { return q->sql ? q->sql->name : "?"; }

/* Index of the parameter, 0 when a failure stands in the way. */
static int param(struct ctm_q *q, const char *name)
{
	if (q->err.code)
		return 0;
	int i = q->db->engine->param(q->st, name);
	if (i < 1 || q->stepped)
		ctm_fail(&q->err, CTM_E_FAIL, NULL, NULL, i < 1 ? "%s has no parameter :%s" : "%s: :%s was given after the first step",
			name_of(q), name);
	return q->err.code ? 0 : i;
}

static void note(struct ctm_q *q, int i, const char *name, int rc)
{
	if (rc)
		ctm_fail(&q->err, rc, name, NULL, "%s", ctm_err_text(rc));
	else
		q->bound |= UINT64_C(1) << (i - 1);
}

void ctm_q_text(struct ctm_q *q, const char *name, const char *v)
{
	int i = param(q, name);
	size_t n = v ? strlen(v) : 0;
	if (i)
		note(q, i, name, v && !ctm_utf8_valid(v, n) ? CTM_E_INPUT : q->db->engine->bind_text(q->st, i, v, n));
}

void ctm_q_int(struct ctm_q *q, const char *name, int64_t v)
{
	int i = param(q, name);
	if (i)
		note(q, i, name, q->db->engine->bind_int(q->st, i, v));
}

void ctm_q_blob(struct ctm_q *q, const char *name, const void *p, size_t n)
{
	int i = param(q, name);
	if (i)
		note(q, i, name, q->db->engine->bind_blob(q->st, i, p, n));
}

void ctm_q_null(struct ctm_q *q, const char *name) { ctm_q_text(q, name, NULL); }

/* ---- running ---- */

static int ready(struct ctm_q *q)
{
	if (q->stepped || q->err.code)
		return q->err.code;
	int n = q->db->engine->params(q->st);
	for (int i = 0; i < n; i++) {
		if (!(q->bound >> i & 1))
			return ctm_fail(&q->err, CTM_E_FAIL, NULL, NULL, "%s: parameter number %d was not given", name_of(q), i + 1);
	}
	return 0;
}

int ctm_q_step(struct ctm_q *q, bool *row, struct ctm_err *err)
{
	bool got = false;
	int rc = ready(q);
	if (rc) {
		ctm_fail(err, rc, q->err.field, q->err.rule, "%s", q->err.msg);
		return rc;
	}
	q->row = false;
	q->stepped = true;
	rc = q->db->engine->step(q->db->conn, q->st, &got, err);
	if (rc == CTM_E_FAIL)
		ctm_fail_prefix(err, "%s", name_of(q));
	if (rc)
		return rc;
	q->row = got;
	*row = got;
	if (!got && !q->db->engine->columns(q->st))
		q->db->rows += q->db->engine->changes(q->db->conn);
	return 0;
}

int ctm_q_one(struct ctm_q *q, struct ctm_err *err)
{
	bool row;
	int rc = ctm_q_step(q, &row, err);
	if (rc)
		return rc;
	return row ? 0 : ctm_fail(err, CTM_E_NOTFOUND, NULL, NULL, "%s", ctm_err_text(CTM_E_NOTFOUND));
}

int ctm_q_run(struct ctm_q *q, int64_t *changes, struct ctm_err *err)
{
	bool row = true;
	int rc = 0;
	while (!rc && row)
		rc = ctm_q_step(q, &row, err);
	if (!rc && changes)
		*changes = q->db->engine->changes(q->db->conn);
	ctm_q_done(q);
	return rc;
}

/* ---- reading ---- */

static int column(struct ctm_q *q, const char *name)
{
	const struct ctm_engine *e = q->db->engine;
	int n = q->row ? e->columns(q->st) : 0;
	for (int i = 0; i < n; i++) {
		if (strcmp(e->col_name(q->st, i), name) == 0)
			return i;
	}
	fprintf(stderr, "ctm: bug: statement %s %s %s\n", name_of(q), q->row ? "has no column" : "stands on no row to read", name);
	abort();
}

const char *ctm_q_str(struct ctm_q *q, const char *col)
{
	const char *s = q->db->engine->col_text(q->st, column(q, col));
	return s ? s : "";
}

bool ctm_q_isnull(struct ctm_q *q, const char *col) { return q->db->engine->col_type(q->st, column(q, col)) == CTM_COL_NULL; }
int64_t ctm_q_i64(struct ctm_q *q, const char *col) { return q->db->engine->col_int(q->st, column(q, col)); }
const void *ctm_q_bytes(struct ctm_q *q, const char *col, size_t *n) { return q->db->engine->col_blob(q->st, column(q, col), n); }

/* A column as JSON; *name is cut of its _json suffix in `key`. NULL without memory or for text that is not JSON. */
static ctm_json *cell(struct ctm_q *q, int i, char key[80])
{
	const struct ctm_engine *e = q->db->engine;
	const char *name = e->col_name(q->st, i);
	size_t n = strlen(name);
	bool parsed = n > 5 && strcmp(name + n - 5, "_json") == 0;
	ctm_json *v = NULL;
	snprintf(key, 80, "%.*s", parsed ? (int)n - 5 : (int)n, name);
	switch (e->col_type(q->st, i)) {
	case CTM_COL_INT:
		return ctm_json_newi(e->col_int(q->st, i));
	case CTM_COL_REAL:
		return ctm_json_newr(e->col_real(q->st, i));
	case CTM_COL_TEXT: {
		const char *s = e->col_text(q->st, i);
		if (!s || !parsed)
			return s ? ctm_json_news(s) : NULL;
		return ctm_json_parse(s, strlen(s), JSON_COLUMN_MAX, name, &v, NULL) ? NULL : v;
	}
	case CTM_COL_NULL: case CTM_COL_BLOB:
		break;
	}
	return ctm_json_news(NULL);
}

ctm_json *ctm_q_row(struct ctm_q *q)
{
	ctm_json *o = q->row ? ctm_json_obj() : NULL;
	int n = o ? q->db->engine->columns(q->st) : 0;
	for (int i = 0; i < n; i++) {
		char key[80];
		ctm_json *v = cell(q, i, key);
		if (ctm_json_set(o, key, v)) {
			ctm_json_free(o);
			return NULL;
		}
	}
	return o;
}

int ctm_q_rows(struct ctm_q *q, size_t max, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *a = ctm_json_arr();
	bool row = true;
	int rc = a ? 0 : ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	for (size_t n = 0; !rc && n < max; n++) {
		rc = ctm_q_step(q, &row, err);
		if (rc || !row)
			break;
		if (ctm_json_add(a, ctm_q_row(q)))
			rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "a row of %s cannot be read", name_of(q));
	}
	ctm_q_done(q);
	if (rc)
		return rc;
	*out = a;
	a = NULL;
	return 0;
}

/* ---- transactions ---- */

int ctm_tx_begin(struct ctm_db *db, struct ctm_err *err)
{
	int rc = db->engine->exec(db->conn, db->engine->begin[db->mode], err);
	if (!rc)
		db->in_tx = true;
	return rc;
}

int ctm_tx_commit(struct ctm_db *db, struct ctm_err *err)
{
	int rc = db->engine->exec(db->conn, "COMMIT;", err);
	if (!rc)
		db->in_tx = false;
	return rc;
}

void ctm_tx_rollback(struct ctm_db *db)
{
	if (db->in_tx)
		(void)db->engine->exec(db->conn, "ROLLBACK;", NULL);   /* fails only where the engine rolled back by itself */
	db->in_tx = false;
}

int ctm_sp_begin(struct ctm_db *db, struct ctm_err *err) { return db->engine->exec(db->conn, "SAVEPOINT s;", err); }
int ctm_sp_release(struct ctm_db *db, struct ctm_err *err) { return db->engine->exec(db->conn, "RELEASE s;", err); }
void ctm_sp_rollback(struct ctm_db *db) { (void)db->engine->exec(db->conn, "ROLLBACK TO s; RELEASE s;", NULL); }
