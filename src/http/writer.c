/* SPDX-License-Identifier: Apache-2.0 */
#include "http/writer.h"
#include "base/timex.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RETRY_FIRST_US 50000             /* then 100, 200, 400 and 800 ms */

struct ctm_writer {
	struct ctm_writer_conf conf;
	struct ctm_db *db;
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t wake;
	struct ctm_wtask *head, **tail;
	unsigned waiting;
	bool stop;
};

static struct ctm_wtask *take_group(struct ctm_writer *w)
{
	pthread_mutex_lock(&w->mu);
	while (!w->head && !w->stop)
		pthread_cond_wait(&w->wake, &w->mu);
	struct ctm_wtask *first = w->head, **end = &w->head;
	for (unsigned n = 0; *end && n < w->conf.group_max; n++, w->waiting--)
		end = &(*end)->next;
	w->head = *end;
	*end = NULL;
	if (!w->head)
		w->tail = &w->head;
	pthread_mutex_unlock(&w->mu);
	return first;
}

/* The whole group failed: tasks that failed on their own keep their reason. */
static void fail_group(struct ctm_wtask *g, const struct ctm_err *why)
{
	static const char none_kept[] = "the change could not be stored and nothing was kept; try again in a moment";
	static const char unsure[] = "the storage was lost while the change was stored, and whether it was kept cannot be told now; look before you make it again";
	bool known = why->code == CTM_E_NOMEM || why->code == CTM_E_IO || why->code == CTM_E_UNSURE;
	for (struct ctm_wtask *t = g; t; t = t->next)
		if (!t->rc) {
			ctm_err_clear(t->err);
			t->rc = ctm_fail(t->err, known ? why->code : CTM_E_BUSY, NULL, NULL, "%s", why->code == CTM_E_UNSURE ? unsure : none_kept);
		}
}

/* The store's own word that nothing was kept, in contrast to a use case that is short of something itself. */
static bool may_repeat(const struct ctm_err *e) { return (e->code == CTM_E_BUSY || e->code == CTM_E_IO) && !strcmp(e->field, "store"); }

static bool is_storage(const struct ctm_wtask *t) { return t->rc == CTM_E_IO || t->rc == CTM_E_NOMEM || (t->rc == CTM_E_BUSY && may_repeat(t->err)); }

/* One task in its savepoint. True when the transaction can go on. */
static bool run_task(struct ctm_writer *w, struct ctm_wtask *t, struct ctm_err *trouble)
{
	if (ctm_sp_begin(w->db, trouble))
		return false;
	t->rc = t->run(t, w->db);
	if (t->rc > 0)
		t->rc = 0;
	if (t->rc) {
		ctm_sp_rollback(w->db);
		(void)ctm_fail(t->err, t->rc, NULL, NULL, "%s", ctm_err_text(t->rc));
		if (!is_storage(t))
			return true;
		(void)ctm_fail(trouble, t->rc, t->err->field, NULL, "storage trouble");
		return false;
	}
	return !ctm_sp_release(w->db, trouble);
}

struct attempt { unsigned tasks; bool kept; int64_t commit_us; struct ctm_err trouble; };

/* The group from begin to commit. False, and rolled back, when storage did not keep it. */
static bool try_group(struct ctm_writer *w, struct ctm_wtask *g, struct attempt *a)
{
	*a = (struct attempt){ 0 };
	bool ok = !ctm_tx_begin(w->db, &a->trouble);
	for (struct ctm_wtask *t = g; t && ok; t = t->next, a->tasks++) {
		ok = run_task(w, t, &a->trouble);
		a->kept = a->kept || !t->rc;
	}
	int64_t commit = ctm_mono_us();
	ok = ok && !ctm_tx_commit(w->db, &a->trouble);
	a->commit_us = ctm_mono_us() - commit;
	if (!ok)
		ctm_tx_rollback(w->db);
	return ok;
}

static void forget(struct ctm_wtask *g)
{
	for (struct ctm_wtask *t = g; t; t = t->next) {
		t->rc = 0;
		ctm_err_clear(t->err);
	}
}

static void run_group(struct ctm_writer *w, struct ctm_wtask *g)
{
	struct attempt a;
	unsigned retries = 0;
	int64_t began = ctm_mono_us();
	bool ok;
	while (!(ok = try_group(w, g, &a)) && may_repeat(&a.trouble) && ctm_mono_us() - began < w->conf.retry_ms * INT64_C(1000)) {
		forget(g);
		usleep(RETRY_FIRST_US << (retries < 4 ? retries : 4));
		retries++;
	}
	if (!ok)
		fail_group(g, &a.trouble);
	else if (a.kept && w->conf.committed)
		w->conf.committed(w->conf.arg);
	if (w->conf.measured)
		w->conf.measured(w->conf.arg, a.tasks, retries, ctm_mono_us() - began, a.commit_us, ok);
	for (struct ctm_wtask *t = g, *next; t; t = next) {
		next = t->next;                 /* done may free the task */
		t->done(t);
	}
}

static void *loop(void *arg)
{
	struct ctm_writer *w = arg;
	for (struct ctm_wtask *g; (g = take_group(w));)
		run_group(w, g);
	return NULL;
}

int ctm_writer_start(const struct ctm_writer_conf *conf, struct ctm_writer **out, struct ctm_err *err)
{
	struct ctm_writer *w = calloc(1, sizeof *w);
	if (!w)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the writer");
	w->conf = *conf;
	w->tail = &w->head;
	int rc = ctm_db_open(conf->db_url, CTM_DB_RW, &w->db, err);
	if (rc) {
		free(w);
		return rc;
	}
	w->conf.db_url = NULL;
	pthread_mutex_init(&w->mu, NULL);
	pthread_cond_init(&w->wake, NULL);
	if (pthread_create(&w->thread, NULL, loop, w)) {
		ctm_db_close(w->db);
		pthread_cond_destroy(&w->wake);
		pthread_mutex_destroy(&w->mu);
		free(w);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no thread for the writer");
	}
	*out = w;
	return 0;
}

int ctm_writer_push(struct ctm_writer *w, struct ctm_wtask *t)
{
	int rc = CTM_E_BUSY;
	t->next = NULL;
	t->rc = 0;
	pthread_mutex_lock(&w->mu);
	if (!w->stop && w->waiting < w->conf.queue_max) {
		*w->tail = t;
		w->tail = &t->next;
		w->waiting++;
		rc = 0;
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->mu);
	return rc;
}

unsigned ctm_writer_waiting(struct ctm_writer *w)
{
	pthread_mutex_lock(&w->mu);
	unsigned n = w->waiting;
	pthread_mutex_unlock(&w->mu);
	return n;
}

struct waiter { pthread_mutex_t mu; pthread_cond_t wake; bool done; void *arg; int (*run)(struct ctm_wtask *, struct ctm_db *); };

static int waiter_run(struct ctm_wtask *t, struct ctm_db *db)
{
	struct waiter *x = t->arg;
	struct ctm_wtask inner = { .arg = x->arg, .err = t->err };
	return x->run(&inner, db);
}

static void waiter_done(struct ctm_wtask *t)
{
	struct waiter *x = t->arg;
	pthread_mutex_lock(&x->mu);
	x->done = true;
	pthread_cond_signal(&x->wake);
	pthread_mutex_unlock(&x->mu);
}

int ctm_writer_run(struct ctm_writer *w, int (*run)(struct ctm_wtask *t, struct ctm_db *db), void *arg, struct ctm_err *err)
{
	if (pthread_equal(pthread_self(), w->thread))
		return ctm_fail(err, CTM_E_FAIL, NULL, NULL, "a use case must not wait for the writer it runs on");
	struct waiter x = { .mu = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .arg = arg, .run = run };
	struct ctm_err own = { 0 };
	struct ctm_wtask t = { .run = waiter_run, .done = waiter_done, .arg = &x, .err = err ? err : &own };
	int rc = ctm_writer_push(w, &t);
	if (rc)
		return ctm_fail(err, rc, NULL, NULL, "too many changes are waiting; try again in a moment");
	pthread_mutex_lock(&x.mu);
	while (!x.done)
		pthread_cond_wait(&x.wake, &x.mu);
	pthread_mutex_unlock(&x.mu);
	return t.rc;
}

void ctm_writer_stop(struct ctm_writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->mu);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->mu);
	pthread_join(w->thread, NULL);
	ctm_db_close(w->db);
	w->db = NULL;
}

void ctm_writer_free(struct ctm_writer *w)
{
	if (!w)
		return;
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->mu);
	free(w);
}
