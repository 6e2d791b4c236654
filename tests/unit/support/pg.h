/* SPDX-License-Identifier: Apache-2.0
 *
 * A private PostgreSQL for one test program: made by initdb in a temporary directory, listening on a unix socket there only,
 * run as an unprivileged user (root becomes "postgres" or "nobody"), killed when the test program ends for whatever reason.
 * fsync is off: what is tested is what the engine says, not the disk.
 */
#ifndef TESTS_SUPPORT_PG_H
#define TESTS_SUPPORT_PG_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct pg_server { char dir[64], bin[256]; pid_t pid; };

/* False where PostgreSQL is not installed, and why. */
bool pg_available(char *why, size_t cap);
void pg_start(struct pg_server *s);            /* a server that does not start fails the test program */
void pg_stop(struct pg_server *s);
void pg_restart(struct pg_server *s);          /* as an operator would: every connection is cut */
void pg_halt(struct pg_server *s);             /* the server goes, its data stays */
void pg_halt_now(struct pg_server *s);         /* as after a power cut: no last checkpoint, nobody is waited for */
void pg_url(const struct pg_server *s, const char *database, char *out, size_t cap);
/* Kill (SIGKILL) the one process of the server that waits for this event: the server starts over by itself, as after a crash. False when
 * none waits. */
bool pg_kill_waiting(const struct pg_server *s, const char *event);
/* One statement as the server's owner. */
void pg_do(const struct pg_server *s, const char *database, const char *sql);
bool pg_ask(const struct pg_server *s, const char *database, const char *sql);   /* did it give a row? */

#endif
