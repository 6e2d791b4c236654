/* SPDX-License-Identifier: Apache-2.0 */
#include "http/jobs.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "event/job.h"
#include "http/app_impl.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEASE_MS (10 * 60 * 1000)
#define NAP_MAX_MS 60000
#define NAP_SHARED_MS 2000                     /* where another process may have posted a job and died */
#define TROUBLE_NAP_MS 2000
#define ATTEMPTS_DEFAULT 8
#define JOB_ARENA (96u * 1024 * 1024)

struct ctm_jobrun {
	struct ctm_app *app;
	struct ctm_listener *listeners;    /* of all rooms, flat; given to the event room */
	pthread_t thread;
	pthread_mutex_t mu;
	pthread_cond_t cond;
	bool started, stop, woken;
};

static const struct ctm_job_kind *find_kind(const struct ctm_app *a, const char *kind)
{
	for (size_t i = 0; i < a->conf.njobs; i++)
		for (size_t j = 0; j < a->conf.jobs[i]->n; j++)
			if (!strcmp(a->conf.jobs[i]->rows[j].kind, kind))
				return &a->conf.jobs[i]->rows[j];
	return NULL;
}

static int collect_listeners(struct ctm_jobrun *j, struct ctm_err *err)
{
	const struct ctm_app_conf *c = &j->app->conf;
	size_t n = 0;
	for (size_t i = 0; i < c->nlisteners; i++)
		n += c->listeners[i]->n;
	if (!(j->listeners = calloc(n + 1, sizeof *j->listeners)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the listeners");
	n = 0;
	for (size_t i = 0; i < c->nlisteners; i++)
		for (size_t k = 0; k < c->listeners[i]->n; k++) {
			const struct ctm_listener *l = &c->listeners[i]->rows[k];
			if (!find_kind(j->app, l->job))
				return ctm_fail(err, CTM_E_STATE, l->job, NULL, "the listener for %s names a job kind nobody has: %s", l->event, l->job);
			j->listeners[n++] = *l;
		}
	ctm_event_set_listeners(j->listeners, n);
	return 0;
}

/* ---- one job ---- */

struct lease { struct ctm_job job; bool found; };

static int take(struct ctm_cx *cx, void *arg)
{
	struct lease *l = arg;
	ctm_job_free(&l->job);                     /* of a run that was not kept */
	*l = (struct lease){ 0 };
	return ctm_job_lease(cx->db, cx->now_ms, LEASE_MS, cx->app->instance, &l->job, &l->found, cx->err);
}

struct outcome { const struct ctm_job *job; int max_attempts; const char *why; bool again; };

static int finish(struct ctm_cx *cx, void *arg)
{
	struct outcome *o = arg;
	if (!o->why)
		return ctm_job_done(cx->db, o->job, cx->now_ms, cx->err);
	return ctm_job_fail(cx->db, o->job, cx->now_ms, o->max_attempts, o->why, &o->again, cx->err);
}

static void report(const struct ctm_job *job, const char *why, bool again)
{
	char at[CTM_RFC3339_MAX];
	CTM_AUTO_BUF b = CTM_BUF(2048);
	ctm_time_rfc3339(ctm_now_ms(), at);
	ctm_buf_printf(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"job\":\"%s\",\"id\":\"%s\",\"attempt\":%lld,\"message\":\"", at, again ? "warning" : "error",
		job->kind, job->id, (long long)job->attempts);
	ctm_json_escape(&b, why, strlen(why));
	ctm_buf_str(&b, "\"}\n");
	if (!b.failed && write(STDERR_FILENO, b.p, b.len) < 0)
		return;
}

static int run_kind(struct ctm_jobrun *j, const struct ctm_job_kind *kind, const struct ctm_job *job, struct ctm_err *err)
{
	CTM_AUTO_ARENA *arena = ctm_arena_new(JOB_ARENA);
	struct ctm_db *db = NULL;
	if (!arena)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the job");
	int rc = ctm_conns_take(j->app->conns, &db, err);
	if (rc)
		return rc;
	struct ctm_jx jx = { .app = j->app, .db = db, .arena = arena, .err = err, .now_ms = ctm_now_ms(), .key = job->key, .payload = job->payload };
	rc = kind->run(&jx);
	ctm_conns_give(j->app->conns, db);
	return rc < 0 ? ctm_fail(err, rc, NULL, NULL, "%s", ctm_err_text(rc)) : 0;
}

static void run_job(struct ctm_jobrun *j, const struct ctm_job *job)
{
	const struct ctm_job_kind *kind = find_kind(j->app, job->kind);
	struct ctm_err err = { 0 }, stored = { 0 };
	struct outcome o = { .job = job, .max_attempts = kind && kind->max_attempts > 0 ? kind->max_attempts : ATTEMPTS_DEFAULT };
	if (!kind) {
		o.why = "no room knows this kind of job";
		o.max_attempts = 0;
	} else if (run_kind(j, kind, job, &err)) {
		o.why = err.msg;
	}
	int rc = ctm_write(j->app, finish, &o, &stored);
	if (rc)
		report(job, stored.msg, true);     /* the lease ends and the job is run again */
	else if (o.why && !j->app->conf.quiet)
		report(job, o.why, o.again);
}

/* ---- the thread ---- */

static int settle(struct ctm_cx *cx, void *arg) { return ctm_job_settle(cx->db, cx->now_ms, LEASE_MS, cx->err); }

/* Milliseconds until the next job is due; 0: now. */
static int64_t until_due(struct ctm_jobrun *j)
{
	struct ctm_db *db = NULL;
	int64_t due = INT64_MAX, now = ctm_now_ms(), most = j->app->shared ? NAP_SHARED_MS : NAP_MAX_MS;
	bool stranded = false;
	int rc = ctm_conns_take(j->app->conns, &db, NULL);
	if (!rc)
		rc = ctm_job_next(db, now, LEASE_MS, &due, &stranded, NULL);
	ctm_conns_give(j->app->conns, db);
	if (!rc && stranded)
		return ctm_write(j->app, settle, NULL, NULL) ? TROUBLE_NAP_MS : 0;
	if (rc)
		return TROUBLE_NAP_MS;
	return due <= now ? 0 : due - now < most ? due - now : most;
}

/* ---- the others ---- */

/* Leases that ran out: their holder lives and has them longer, or is gone and has them no more. The lock is looked at inside the turn, so
 * that nobody who starts under that number can have leased meanwhile. */
static int judge_holders(struct ctm_cx *cx, void *arg)
{
	int64_t holder = 0;
	char path[1024];
	int rc = ctm_job_overdue(cx->db, cx->now_ms, cx->app->instance, &holder, cx->err);
	while (!rc && holder) {
		bool lives = ctm_file_locked(ctm_app_run(cx->app, (unsigned)holder, "serve", "lock", path, sizeof path));
		rc = lives ? ctm_job_extend(cx->db, cx->now_ms, LEASE_MS, holder, cx->err) : ctm_job_reclaim(cx->db, holder, cx->err);
		rc = rc ? rc : ctm_job_overdue(cx->db, cx->now_ms, cx->app->instance, &holder, cx->err);
	}
	return rc;
}

static void look_after_holders(struct ctm_jobrun *j)
{
	struct ctm_db *db = NULL;
	int64_t holder = 0;
	int rc = j->app->shared ? ctm_conns_take(j->app->conns, &db, NULL) : CTM_E_STATE;
	if (!rc)
		rc = ctm_job_overdue(db, ctm_now_ms(), j->app->instance, &holder, NULL);
	ctm_conns_give(j->app->conns, db);
	if (!rc && holder && ctm_write(j->app, judge_holders, NULL, NULL))
		return;                            /* looked at again the next time */
}

static void nap(struct ctm_jobrun *j, int64_t ms)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += ms / 1000;
	ts.tv_nsec += ms % 1000 * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&j->mu);
	while (!j->woken && !j->stop)
		if (pthread_cond_timedwait(&j->cond, &j->mu, &ts))
			break;
	j->woken = false;
	pthread_mutex_unlock(&j->mu);
}

static bool stopping(struct ctm_jobrun *j)
{
	pthread_mutex_lock(&j->mu);
	bool stop = j->stop;
	pthread_mutex_unlock(&j->mu);
	return stop;
}

/* Whoever had this number before is gone. */
static int begin(struct ctm_cx *cx, void *arg) { return ctm_job_reclaim(cx->db, cx->app->instance, cx->err); }

static void *loop(void *arg)
{
	struct ctm_jobrun *j = arg;
	while (ctm_write(j->app, begin, NULL, NULL) && !stopping(j))
		nap(j, TROUBLE_NAP_MS);
	while (!stopping(j)) {
		look_after_holders(j);
		int64_t ms = until_due(j);
		struct lease l = { 0 };
		if (ms) {
			nap(j, ms);
		} else if (ctm_write(j->app, take, &l, NULL)) {
			nap(j, TROUBLE_NAP_MS);
		} else if (l.found) {
			run_job(j, &l.job);
		}
		ctm_job_free(&l.job);
	}
	return NULL;
}

int ctm_jobrun_new(struct ctm_app *app, struct ctm_jobrun **out, struct ctm_err *err)
{
	struct ctm_jobrun *j = calloc(1, sizeof *j);
	pthread_condattr_t ca;
	if (!j)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the job thread");
	j->app = app;
	pthread_mutex_init(&j->mu, NULL);
	pthread_condattr_init(&ca);
	pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
	pthread_cond_init(&j->cond, &ca);
	pthread_condattr_destroy(&ca);
	int rc = collect_listeners(j, err);
	if (rc) {
		ctm_jobrun_free(j);
		return rc;
	}
	*out = j;
	return 0;
}

int ctm_jobrun_start(struct ctm_jobrun *j, struct ctm_err *err)
{
	if (pthread_create(&j->thread, NULL, loop, j))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no thread for the jobs");
	j->started = true;
	return 0;
}

void ctm_jobrun_wake(struct ctm_jobrun *j)
{
	pthread_mutex_lock(&j->mu);
	j->woken = true;
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mu);
}

void ctm_jobrun_stop(struct ctm_jobrun *j)
{
	if (!j || !j->started)
		return;
	pthread_mutex_lock(&j->mu);
	j->stop = true;
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mu);
	pthread_join(j->thread, NULL);
	j->started = false;
}

void ctm_jobrun_free(struct ctm_jobrun *j)
{
	if (!j)
		return;
	ctm_event_set_listeners(NULL, 0);
	free(j->listeners);
	pthread_cond_destroy(&j->cond);
	pthread_mutex_destroy(&j->mu);
	free(j);
}
