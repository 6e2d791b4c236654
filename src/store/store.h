/* SPDX-License-Identifier: Apache-2.0
 *
 * One SQL interface. This page is engine-neutral: statements are named ("product.get"), live in NOUN.sql files beside
 * their noun, are compiled into a table by tools/sqlgen, bound by name and prepared at first use per connection.
 * A connection belongs to one thread at a time. Read-only connections refuse writes in the engine.
 *
 * NOUN.sql: blocks "-- name: noun.verb" followed by one statement with :named parameters. A block may be followed by
 * "-- name: noun.verb engine: postgresql" holding the reviewed twin.
 */
#ifndef CTM_STORE_STORE_H
#define CTM_STORE_STORE_H
#include "base/err.h"
#include "base/json.h"
#include <stdbool.h>
#include <stdint.h>

struct ctm_db;
struct ctm_q;      /* a statement in use; give it back with ctm_q_done */

enum ctm_db_mode { CTM_DB_RO, CTM_DB_RW };

struct ctm_sql { const char *name, *text, *twin; };       /* the generated table, sorted by name */
const char *ctm_sql_text(const struct ctm_db *db, const struct ctm_sql *sql);   /* the text meant for the engine of db */
extern const struct ctm_sql ctm_sql_table[];
extern const size_t ctm_sql_count;
struct ctm_migration { int number; const char *name, *text; };
extern const struct ctm_migration ctm_migrations[];
extern const size_t ctm_migration_count;

/* Address of a state directory's store: member "database" of its ctm.json, a server's address as below; without it the file ctm.db in
 * the directory. INPUT names the member. */
CTM_CHECK int ctm_db_url(const char *state_dir, const ctm_json *conf, char *out, size_t cap, struct ctm_err *err);
bool ctm_db_served(const char *url);    /* on a server of its own, which several programs and machines may share */
/* url: "sqlite:PATH" (RW opens with journal WAL and synchronous FULL), "postgresql://HOST/DATABASE" or "postgresql:" and words
 * of libpq ("host=... dbname=..."); a password comes from libpq's password file only. IO, INPUT, UNSUPPORTED (server older than
 * 13, encoding not UTF8), STATE (newer schema). A connection that is lost is IO once and made again at the next use. */
CTM_CHECK int ctm_db_open(const char *url, enum ctm_db_mode mode, struct ctm_db **out, struct ctm_err *err);
void ctm_db_close(struct ctm_db *db);
/* Bring the schema up to date from the built-in numbered migrations. STATE when an applied one differs from the built-in. */
CTM_CHECK int ctm_db_migrate(struct ctm_db *db, int *from, int *to, struct ctm_err *err);
int ctm_db_schema(struct ctm_db *db);
/* Copy the store as this connection sees it (inside a transaction: of the moment it began) into a new file, mode 0600, durable on
 * return, while others write. EXISTS when the file is there; UNSUPPORTED for an engine with tools of its own; IO leaves nothing. */
CTM_CHECK int ctm_db_copy(struct ctm_db *db, const char *path, struct ctm_err *err);

/* Statements. Every parameter of the statement must be given (NULL where meant) before the first step. ctm_q_run and
 * ctm_q_rows give the statement back themselves: do not use q after them (an automatic ctm_q_done is harmless only while
 * no statement of the same name is taken in between). Asking for a column that is not there is a bug and aborts.
 * ctm_q never fails visibly: errors are kept and told by the first step/run, so calls chain plainly:
 *   struct ctm_q *q = ctm_q(db, "product.get"); ctm_q_text(q, "id", id);
 *   if ((rc = ctm_q_one(q, err)) ...   (NOTFOUND when no row) */
struct ctm_q *ctm_q(struct ctm_db *db, const char *name);
void ctm_q_text(struct ctm_q *q, const char *param, const char *v);         /* NULL binds NULL; borrowed until done */
void ctm_q_int(struct ctm_q *q, const char *param, int64_t v);
void ctm_q_blob(struct ctm_q *q, const char *param, const void *p, size_t n);
void ctm_q_null(struct ctm_q *q, const char *param);
CTM_CHECK int ctm_q_step(struct ctm_q *q, bool *row, struct ctm_err *err);  /* next row */
CTM_CHECK int ctm_q_one(struct ctm_q *q, struct ctm_err *err);              /* exactly the first row; NOTFOUND */
CTM_CHECK int ctm_q_run(struct ctm_q *q, int64_t *changes, struct ctm_err *err); /* to the end, then done; EXISTS on a unique clash; changes may be NULL */
const char *ctm_q_str(struct ctm_q *q, const char *col);    /* "" for NULL; borrowed until the next step or done */
bool ctm_q_isnull(struct ctm_q *q, const char *col);
int64_t ctm_q_i64(struct ctm_q *q, const char *col);        /* 0 for NULL */
const void *ctm_q_bytes(struct ctm_q *q, const char *col, size_t *n);
/* The present row as a JSON object: text, integer and NULL columns by name; a column named *_json is parsed and set without the suffix. */
ctm_json *ctm_q_row(struct ctm_q *q);
void ctm_q_done(struct ctm_q *q);                           /* NULL tolerated */
void ctm_q_donep(struct ctm_q **q);
#define CTM_AUTO_Q __attribute__((cleanup(ctm_q_donep))) struct ctm_q
/* All rows as a JSON array (at most max rows), then done. */
CTM_CHECK int ctm_q_rows(struct ctm_q *q, size_t max, ctm_json **out, struct ctm_err *err);

/* Transactions: writing ones take turns over all processes, from begin to commit; savepoints nest inside by name "s". On RO
 * connections begin gives a stable snapshot. After a statement inside a transaction was refused, only a rollback (to the
 * savepoint, or whole) may follow. BUSY from any of these, or from a statement outside of a transaction, means that nothing
 * was kept and the whole may be done again from its begin; so does IO of a server's store. Both then have the field "store". UNSURE, from a
 * commit alone: the server was lost and could not be asked within ten seconds whether it was kept. */
CTM_CHECK int ctm_tx_begin(struct ctm_db *db, struct ctm_err *err);
CTM_CHECK int ctm_tx_commit(struct ctm_db *db, struct ctm_err *err);
void ctm_tx_rollback(struct ctm_db *db);
CTM_CHECK int ctm_sp_begin(struct ctm_db *db, struct ctm_err *err);
CTM_CHECK int ctm_sp_release(struct ctm_db *db, struct ctm_err *err);
void ctm_sp_rollback(struct ctm_db *db);

#endif
