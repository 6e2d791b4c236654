/* SPDX-License-Identifier: Apache-2.0
 *
 * The job thread: leases due jobs one after the other, runs the kind's function outside any transaction, and writes the
 * outcome through the writer. It sleeps until the next job is due and is woken by every commit, so a job posted by a use case
 * starts at once. Several processes on one store each have such a thread; one of them does a job. A job whose process died
 * with it is due again when that process starts again, or when its lease ends and another process finds its lock free: kinds are idempotent. A failing job is
 * tried again later and later, at most max_attempts times, then it stays as failed with its reason.
 */
#ifndef CTM_HTTP_JOBS_H
#define CTM_HTTP_JOBS_H
#include "http/app.h"

struct ctm_jobrun;
CTM_CHECK int ctm_jobrun_new(struct ctm_app *app, struct ctm_jobrun **out, struct ctm_err *err);  /* does not run yet; a listener for an unknown event is refused */
CTM_CHECK int ctm_jobrun_start(struct ctm_jobrun *j, struct ctm_err *err);  /* NOMEM when the system gives no thread */
void ctm_jobrun_wake(struct ctm_jobrun *j);      /* any thread */
void ctm_jobrun_stop(struct ctm_jobrun *j);      /* the job at hand ends first; NULL tolerated; wake stays allowed */
void ctm_jobrun_free(struct ctm_jobrun *j);

#endif
