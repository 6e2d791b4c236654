/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs: rows with a kind, a JSON payload and a time to run. The runner leases one, works outside any transaction, and says
 * done or fail; a runner that dies loses its lease and the job is given out again. All functions that change rows belong
 * on the writer.
 *
 * A key joins posts: while a job of the same kind and key is still waiting, a second post changes nothing. A job that is
 * already running does not count, because it may have read the state before the change that is posted now.
 */
#ifndef CTM_EVENT_JOB_H
#define CTM_EVENT_JOB_H
#include "store/store.h"

/* key: "" or what joins posts; payload may be NULL ({}). */
CTM_CHECK int ctm_job_post(struct ctm_db *db, int64_t run_at_ms, const char *kind, const char *key, const ctm_json *payload, struct ctm_err *err);

struct ctm_job {
	char id[40], kind[64], key[200];
	int64_t run_at_ms, attempts;      /* attempts counts this one */
	ctm_json *payload;                /* owned; ctm_job_free */
};

/* Take the job that is due longest, for lease_ms. *found false (and out untouched) when none is due. */
CTM_CHECK int ctm_job_lease(struct ctm_db *db, int64_t now_ms, int64_t lease_ms, struct ctm_job *out, bool *found, struct ctm_err *err);
void ctm_job_free(struct ctm_job *j);   /* the payload; the struct is the caller's */
CTM_CHECK int ctm_job_done(struct ctm_db *db, const char *id, int64_t now_ms, struct ctm_err *err);
/* Wait and try again after 1, 2, 4 .. 3600 s, or give up for good at max_attempts; why is kept (bounded). *again may be NULL.
 * STATE when the job is not leased. */
CTM_CHECK int ctm_job_fail(struct ctm_db *db, const char *id, int64_t now_ms, int max_attempts, const char *why, bool *again, struct ctm_err *err);
/* The one server of this store is starting: whoever held a lease is gone, so every leased job is due at once. */
CTM_CHECK int ctm_job_reclaim(struct ctm_db *db, struct ctm_err *err);
/* When the next job is due (reading connections may ask): INT64_MAX when nothing waits. */
CTM_CHECK int ctm_job_next(struct ctm_db *db, int64_t *due_ms, struct ctm_err *err);

#endif
