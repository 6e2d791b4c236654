/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs as leased rows. Back-off doubles from one second to one hour. A job that fails while a younger one with its key
 * already waits is closed in favour of that one, so the key stays unique among waiting jobs.
 */
#include "event/job.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include <string.h>

#define PAYLOAD_MAX (2 << 20)
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS 3600000

int ctm_job_post(struct ctm_db *db, int64_t run_at_ms, const char *kind, const char *key, const ctm_json *payload, struct ctm_err *err)
{
	char id[CTM_UUID_MAX];
	CTM_AUTO_BUF b = CTM_BUF(PAYLOAD_MAX);
	struct ctm_job fits;
	if (strlen(kind) >= sizeof fits.kind || strlen(key) >= sizeof fits.key)
		return ctm_fail(err, CTM_E_INPUT, kind, NULL, "the kind or key of a job is too long");
	int rc = payload ? ctm_json_compact(payload, &b) : 0;
	if (rc)
		return ctm_fail(err, rc, kind, NULL, "the job's payload cannot be written: %s", ctm_err_text(rc));
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(db, "job.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "kind", kind);
	ctm_q_text(q, "key", key);
	ctm_q_text(q, "payload", payload ? ctm_buf_cstr(&b) : "{}");
	ctm_q_int(q, "run_at_ms", run_at_ms);
	ctm_q_int(q, "created_ms", ctm_now_ms());
	return ctm_q_run(q, NULL, err);
}

/* Columns of job.get and job.lease that fit the struct. */
static void read_job(struct ctm_q *q, struct ctm_job *j)
{
	*j = (struct ctm_job){ .run_at_ms = ctm_q_i64(q, "run_at_ms"), .attempts = ctm_q_i64(q, "attempts") };
	ctm_copy(j->id, sizeof j->id, ctm_q_str(q, "id"));
	ctm_copy(j->kind, sizeof j->kind, ctm_q_str(q, "kind"));
	ctm_copy(j->key, sizeof j->key, ctm_q_str(q, "job_key"));
}

int ctm_job_lease(struct ctm_db *db, int64_t now_ms, int64_t lease_ms, int64_t holder, struct ctm_job *out, bool *found, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "job.lease");
	struct ctm_job j;
	bool row = false, more;
	ctm_q_int(q, "now_ms", now_ms);
	ctm_q_int(q, "until_ms", now_ms + lease_ms);
	ctm_q_int(q, "holder", holder);
	int rc = ctm_q_step(q, &row, err);
	if (rc)
		return rc;
	if (!row) {
		*found = false;
		return 0;
	}
	read_job(q, &j);
	const char *text = ctm_q_str(q, "payload_text");
	rc = ctm_json_parse(text, strlen(text), PAYLOAD_MAX, j.kind, &j.payload, err);
	if (!rc && (rc = ctm_q_step(q, &more, err)))      /* to the end, or the update is not finished */
		ctm_job_free(&j);
	if (rc)
		return rc;
	*out = j;
	*found = true;
	return 0;
}

void ctm_job_free(struct ctm_job *j)
{
	ctm_json_free(j->payload);
	j->payload = NULL;
}

/* The end of this lease and of no other. */
static int end_lease(struct ctm_q *q, const struct ctm_job *j, struct ctm_err *err)
{
	int64_t n = 0;
	ctm_q_text(q, "id", j->id);
	ctm_q_int(q, "attempts", j->attempts);
	int rc = ctm_q_run(q, &n, err);
	if (!rc && n != 1)
		rc = ctm_fail(err, CTM_E_STATE, j->id, NULL, "the job is not leased any more");
	return rc;
}

int ctm_job_done(struct ctm_db *db, const struct ctm_job *j, int64_t now_ms, struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "job.done");
	ctm_q_int(q, "now_ms", now_ms);
	return end_lease(q, j, err);
}

static int load(struct ctm_db *db, const char *id, struct ctm_job *j, bool *twin, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "job.get");
	ctm_q_text(q, "id", id);
	int rc = ctm_q_one(q, err);
	if (rc)
		return rc;
	read_job(q, j);
	CTM_AUTO_Q *t = ctm_q(db, "job.twin_waiting");
	ctm_q_text(t, "kind", j->kind);
	ctm_q_text(t, "key", j->key);
	return ctm_q_step(t, twin, err);
}

static int64_t backoff_ms(int64_t attempts)
{
	int64_t ms = BACKOFF_FIRST_MS;
	for (int64_t i = 1; i < attempts && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

int ctm_job_fail(struct ctm_db *db, const struct ctm_job *j, int64_t now_ms, int max_attempts, const char *why, bool *again, struct ctm_err *err)
{
	struct ctm_job is;
	char kept[500];
	bool twin = false;
	int rc = load(db, j->id, &is, &twin, err);
	if (rc)
		return rc;
	ctm_copy(kept, sizeof kept, why);
	kept[ctm_utf8_span(kept, strlen(kept))] = 0;
	bool retry = j->attempts < max_attempts && !twin;
	struct ctm_q *q = ctm_q(db, retry ? "job.retry" : twin ? "job.superseded" : "job.give_up");
	ctm_q_text(q, "error", kept);
	ctm_q_int(q, retry ? "run_at_ms" : "now_ms", retry ? now_ms + backoff_ms(j->attempts) : now_ms);
	rc = end_lease(q, j, err);
	if (!rc && again)
		*again = retry || twin;
	return rc;
}

int ctm_job_reclaim(struct ctm_db *db, int64_t holder, struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "job.reclaim");
	ctm_q_int(q, "holder", holder);
	return ctm_q_run(q, NULL, err);
}

int ctm_job_overdue(struct ctm_db *db, int64_t now_ms, int64_t me, int64_t *holder, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "job.overdue");
	bool row = false;
	ctm_q_int(q, "now_ms", now_ms);
	ctm_q_int(q, "me", me);
	int rc = ctm_q_step(q, &row, err);
	if (!rc)
		*holder = row ? ctm_q_i64(q, "lease_by") : 0;
	return rc;
}

int ctm_job_extend(struct ctm_db *db, int64_t now_ms, int64_t lease_ms, int64_t holder, struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "job.extend");
	ctm_q_int(q, "now_ms", now_ms);
	ctm_q_int(q, "until_ms", now_ms + lease_ms);
	ctm_q_int(q, "holder", holder);
	return ctm_q_run(q, NULL, err);
}

int ctm_job_settle(struct ctm_db *db, int64_t now_ms, int64_t lease_ms, struct ctm_err *err)
{
	struct ctm_q *q = ctm_q(db, "job.settle_leased");
	ctm_q_int(q, "latest_ms", now_ms + lease_ms);
	int rc = ctm_q_run(q, NULL, err);
	if (rc)
		return rc;
	q = ctm_q(db, "job.settle_waiting");
	ctm_q_int(q, "now_ms", now_ms);
	ctm_q_int(q, "latest_ms", now_ms + BACKOFF_MAX_MS);
	return ctm_q_run(q, NULL, err);
}

int ctm_job_next(struct ctm_db *db, int64_t now_ms, int64_t lease_ms, int64_t *due_ms, bool *stranded, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "job.next");
	ctm_q_int(q, "now_ms", now_ms);
	ctm_q_int(q, "lease_ms", now_ms + lease_ms);
	ctm_q_int(q, "latest_ms", now_ms + BACKOFF_MAX_MS);
	int rc = ctm_q_one(q, err);
	if (rc)
		return rc;
	*due_ms = ctm_q_isnull(q, "due_ms") ? INT64_MAX : ctm_q_i64(q, "due_ms");
	*stranded = ctm_q_i64(q, "stranded") > 0;
	return 0;
}
