/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs: rows with a kind, a JSON payload and a time to run. A runner leases one, works outside any transaction, and says
 * done or fail. Several runners, each with a number of its own, share one store: a lease is its holder's for as long as the holder
 * lives, whatever clocks say; the end of its time only tells when to look whether he does. The lease of a holder that is
 * gone is given out again, and each giving out has a number (attempts), so that a late answer to an earlier one counts for
 * nothing. All functions that change rows belong on the writer.
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

/* Take the job that is due longest, for lease_ms. holder: 1 or more. *found false (and out untouched) when none is due. */
CTM_CHECK int ctm_job_lease(struct ctm_db *db, int64_t now_ms, int64_t lease_ms, int64_t holder, struct ctm_job *out, bool *found, struct ctm_err *err);
void ctm_job_free(struct ctm_job *j);   /* the payload; the struct is the caller's */
/* STATE when this lease of the job is over: it was given out again, or answered. */
CTM_CHECK int ctm_job_done(struct ctm_db *db, const struct ctm_job *j, int64_t now_ms, struct ctm_err *err);
/* Wait and try again after 1, 2, 4 .. 3600 s, or give up for good at max_attempts; why is kept (bounded). *again may be NULL.
 * STATE as above, NOTFOUND. */
CTM_CHECK int ctm_job_fail(struct ctm_db *db, const struct ctm_job *j, int64_t now_ms, int max_attempts, const char *why, bool *again, struct ctm_err *err);
/* This holder is gone (or starts afresh): what he had leased, and what nobody known had, is due at once. */
CTM_CHECK int ctm_job_reclaim(struct ctm_db *db, int64_t holder, struct ctm_err *err);
/* Another holder than `me` with a lease that ran out, 0 when there is none: see whether he lives, then reclaim or extend. */
CTM_CHECK int ctm_job_overdue(struct ctm_db *db, int64_t now_ms, int64_t me, int64_t *holder, struct ctm_err *err);
CTM_CHECK int ctm_job_extend(struct ctm_db *db, int64_t now_ms, int64_t lease_ms, int64_t holder, struct ctm_err *err);
/* The wall clock went back: what was meant for "at once", for "try again soon" or as the end of a lease by the clock of
 * before is brought back to now_ms, at most lease_ms later for a lease. Jobs that were given a later time stay. */
CTM_CHECK int ctm_job_settle(struct ctm_db *db, int64_t now_ms, int64_t lease_ms, struct ctm_err *err);
/* When the next job is due (reading connections may ask): INT64_MAX when nothing waits. *stranded: there is something for ctm_job_settle(),
 * seen from the rows alone, since nobody need have been awake while the clock stood ahead. */
CTM_CHECK int ctm_job_next(struct ctm_db *db, int64_t now_ms, int64_t lease_ms, int64_t *due_ms, bool *stranded, struct ctm_err *err);

#endif
