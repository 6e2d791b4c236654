/* SPDX-License-Identifier: Apache-2.0
 *
 * The one thread that writes. It takes the waiting tasks as a group, runs each in a savepoint of one immediate transaction,
 * commits the group at full durability, and only then finishes the tasks. A task that fails is rolled back to its savepoint and
 * does not touch its neighbours. Trouble of the storage itself (IO, NOMEM, another's turn) fails the whole group: nobody is told that
 * something was kept when that is not certain. A store on a server may lose a connection or refuse a group for the sake of another
 * process; then nothing was kept, and the group is run again from its begin for as long as retry_ms allows. Several processes have
 * a writer each: the store gives them turns, so the audit chain has one sequencer at a time.
 */
#ifndef CTM_HTTP_WRITER_H
#define CTM_HTTP_WRITER_H
#include "store/store.h"

struct ctm_wtask {
	/* On the writer thread, inside the savepoint; fills t->err. May be called again when nothing was kept: what an earlier call left
	 * in memory is void then, and the task begins from what it was given. */
	int (*run)(struct ctm_wtask *t, struct ctm_db *db);
	void (*done)(struct ctm_wtask *t);                     /* on the writer thread, after the commit; rc is final */
	void *arg;
	struct ctm_err *err;
	int rc;
	struct ctm_wtask *next;                                /* the writer's */
};

struct ctm_writer;
struct ctm_writer_conf {
	const char *db_url;
	unsigned queue_max;                /* waiting tasks; more are refused with BUSY */
	unsigned group_max;                /* tasks in one commit */
	int retry_ms;                      /* begin a group again so long after its first begin; 0: a group is tried once */
	void (*committed)(void *arg);      /* after each commit that kept something; may be NULL */
	/* After each group, before its tasks are told: how many, how often it was begun again, how long from begin to commit, how long the
	 * commit alone, and whether storage kept it. On the writer thread; may be NULL. */
	void (*measured)(void *arg, unsigned tasks, unsigned retries, int64_t group_us, int64_t commit_us, bool kept);
	void *arg;
};

/* Opens the database for writing; errors of ctm_db_open, NOMEM without a thread. */
CTM_CHECK int ctm_writer_start(const struct ctm_writer_conf *conf, struct ctm_writer **out, struct ctm_err *err);
/* Queue a task; it and its err stay valid until done. BUSY when the queue is full or the writer is stopping: done is not called. */
CTM_CHECK int ctm_writer_push(struct ctm_writer *w, struct ctm_wtask *t);
/* Run a task and wait for it; gives its rc. FAIL when called on the writer thread itself. */
CTM_CHECK int ctm_writer_run(struct ctm_writer *w, int (*run)(struct ctm_wtask *t, struct ctm_db *db), void *arg, struct ctm_err *err);
unsigned ctm_writer_waiting(struct ctm_writer *w);    /* tasks not yet taken; any thread */
void ctm_writer_stop(struct ctm_writer *w);    /* finishes what waits and refuses what comes; NULL tolerated */
void ctm_writer_free(struct ctm_writer *w);    /* after stop; NULL tolerated */

#endif
