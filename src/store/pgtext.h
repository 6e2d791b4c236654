/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside src/store only: texts for PostgreSQL made of the texts that both engines share. Two rewritings, both by one lexer
 * that leaves strings (with E'' and dollar quotes), quoted identifiers and comments alone:
 *   statements   ":name" becomes "$n", the same name the same n; "::type" stays
 *   migrations   types become twins: INTEGER and BIGINT -> BIGINT, BLOB -> BYTEA, TEXT -> TEXT COLLATE "C" (so that texts sort
 *                and compare by their bytes on both engines, whatever the database's locale is)
 * An INTEGER PRIMARY KEY becomes a plain BIGINT one: every key is given by the program, so no identity is needed; a migration
 * that asks the engine for numbers (AUTOINCREMENT) or says anything only SQLite knows is refused.
 */
#ifndef CTM_STORE_PGTEXT_H
#define CTM_STORE_PGTEXT_H
#include "base/buf.h"

#define CTM_PG_PARAMS_MAX 64
struct ctm_pg_param { const char *at; size_t len; };   /* the name, inside the text that was given */

/* *n parameters in the order of their numbers. SYNTAX: a quote or comment does not end; INPUT: too many parameters. */
CTM_CHECK int ctm_pg_statement(const char *text, struct ctm_buf *out, struct ctm_pg_param p[CTM_PG_PARAMS_MAX], int *n, struct ctm_err *err);
/* *twins: how many types were rewritten. SYNTAX as above; UNSUPPORTED: a word that PostgreSQL has no twin for, as field. */
CTM_CHECK int ctm_pg_migration(const char *text, struct ctm_buf *out, int *twins, struct ctm_err *err);

#endif
