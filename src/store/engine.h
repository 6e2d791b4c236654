/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside src/store only: what an SQL engine gives. Everything that knows the engine's library stands in one file per
 * engine; store.c, migrate.c and the rooms above see this table and statement texts only. A connection and its statements
 * belong to one thread at a time. Indexes of parameters are 1-based, of columns 0-based.
 */
#ifndef CTM_STORE_ENGINE_H
#define CTM_STORE_ENGINE_H
#include "base/buf.h"
#include "store/store.h"

enum ctm_col { CTM_COL_NULL, CTM_COL_INT, CTM_COL_REAL, CTM_COL_TEXT, CTM_COL_BLOB };

struct ctm_engine {
	const char *scheme;                                    /* "sqlite:" */
	const char *begin[2];                                  /* by enum ctm_db_mode */
	bool twins;                                            /* a statement's twin is meant for this engine */
	int (*migration)(const char *text, struct ctm_buf *out, struct ctm_err *err);   /* the text for this engine; NULL: as it is */
	int (*open)(const char *where, enum ctm_db_mode mode, void **conn, struct ctm_err *err);
	void (*close)(void *conn);
	int (*exec)(void *conn, const char *text, struct ctm_err *err);            /* fixed texts and migrations: no rows */
	int (*prepare)(void *conn, const char *text, void **st, struct ctm_err *err);
	void (*finalize)(void *st);
	void (*reset)(void *st);                               /* also forgets bound values */
	int (*params)(void *st);
	int (*param)(void *st, const char *name);              /* 0 when there is none */
	int (*bind_text)(void *st, int i, const char *v, size_t n);
	int (*bind_int)(void *st, int i, int64_t v);
	int (*bind_blob)(void *st, int i, const void *p, size_t n);
	int (*step)(void *conn, void *st, bool *row, struct ctm_err *err);
	int64_t (*changes)(void *conn);
	int (*columns)(void *st);
	const char *(*col_name)(void *st, int i);
	enum ctm_col (*col_type)(void *st, int i);
	const char *(*col_text)(void *st, int i);
	int64_t (*col_int)(void *st, int i);
	double (*col_real)(void *st, int i);
	const void *(*col_blob)(void *st, int i, size_t *n);
	int (*copy)(void *conn, const char *path, struct ctm_err *err);            /* NULL: the engine has its own tools for this */
};

extern const struct ctm_engine ctm_engine_sqlite, ctm_engine_postgresql;

struct ctm_db {
	const struct ctm_engine *engine;
	void *conn;
	enum ctm_db_mode mode;
	struct ctm_q **idle;      /* per row of ctm_sql_table: prepared statements that nobody uses */
	struct ctm_q *lost;       /* stands in when there is no memory for a statement */
	bool in_tx;
	char acting[40];          /* organisation on whose behalf changes are made; "" for none */
	int64_t rows, lines;      /* rows changed and audit lines written since ctm_audit_watch() */
};

#endif
