-- SPDX-License-Identifier: Apache-2.0
-- name: event.add
INSERT INTO event (id, type, subject_kind, subject_id, data_json, at_ms)
VALUES (:id, :type, :subject_kind, :subject_id, :data, :at_ms)

-- name: event.of
SELECT id, type, data_json, at_ms FROM event
WHERE subject_kind = :subject_kind AND subject_id = :subject_id ORDER BY at_ms, id LIMIT :limit

-- name: job.add
INSERT INTO job (id, kind, job_key, payload_json, state, run_at_ms, created_ms)
VALUES (:id, :kind, :key, :payload, 'waiting', :run_at_ms, :created_ms)
ON CONFLICT (kind, job_key) WHERE job_key <> '' AND state = 'waiting' DO NOTHING

-- name: job.lease
UPDATE job SET state = 'leased', lease_ms = :until_ms, lease_by = :holder, attempts = attempts + 1
WHERE id = (SELECT id FROM job WHERE (state = 'waiting' AND run_at_ms <= :now_ms)
  OR (state = 'leased' AND lease_ms < :now_ms AND (lease_by = 0 OR lease_by = :holder)) ORDER BY run_at_ms, id LIMIT 1)
RETURNING id, kind, job_key, payload_json AS payload_text, run_at_ms, attempts

-- name: job.reclaim
UPDATE job SET lease_ms = 0, lease_by = 0 WHERE state = 'leased' AND (lease_by = 0 OR lease_by = :holder)

-- name: job.overdue
SELECT lease_by FROM job WHERE state = 'leased' AND lease_ms < :now_ms AND lease_by <> 0 AND lease_by <> :me ORDER BY lease_by LIMIT 1

-- name: job.extend
UPDATE job SET lease_ms = :until_ms WHERE state = 'leased' AND lease_ms < :now_ms AND lease_by = :holder

-- name: job.settle_leased
UPDATE job SET lease_ms = :latest_ms WHERE state = 'leased' AND lease_ms > :latest_ms

-- name: job.settle_waiting
UPDATE job SET run_at_ms = :now_ms WHERE state = 'waiting' AND run_at_ms > :now_ms
  AND (run_at_ms <= created_ms OR (attempts > 0 AND run_at_ms > :latest_ms))

-- name: job.get
SELECT id, kind, job_key, state, attempts, run_at_ms, error FROM job WHERE id = :id

-- name: job.twin_waiting
SELECT id FROM job WHERE kind = :kind AND job_key = :key AND job_key <> '' AND state = 'waiting'

-- name: job.done
UPDATE job SET state = 'done', done_ms = :now_ms, lease_ms = NULL, error = '' WHERE id = :id AND state = 'leased' AND attempts = :attempts

-- name: job.retry
UPDATE job SET state = 'waiting', run_at_ms = :run_at_ms, lease_ms = NULL, error = :error WHERE id = :id AND state = 'leased' AND attempts = :attempts

-- name: job.give_up
UPDATE job SET state = 'failed', done_ms = :now_ms, lease_ms = NULL, error = :error WHERE id = :id AND state = 'leased' AND attempts = :attempts

-- name: job.superseded
UPDATE job SET state = 'done', done_ms = :now_ms, lease_ms = NULL, error = :error WHERE id = :id AND state = 'leased' AND attempts = :attempts

-- What job.settle_leased and job.settle_waiting would bring back is counted as stranded.
-- name: job.next
SELECT min(CASE state WHEN 'leased' THEN lease_ms + 1 ELSE run_at_ms END) AS due_ms,
  count(CASE WHEN state = 'leased' AND lease_ms > :lease_ms THEN 1 WHEN state = 'waiting' AND run_at_ms > :now_ms
    AND (run_at_ms <= created_ms OR (attempts > 0 AND run_at_ms > :latest_ms)) THEN 1 END) AS stranded
FROM job WHERE state IN ('waiting', 'leased')

-- name: job.counts
SELECT state, count(*) AS count FROM job WHERE state IN ('waiting', 'leased', 'failed') GROUP BY state

-- name: job.failed
SELECT id, kind, job_key, attempts, error, done_ms FROM job WHERE state = 'failed' ORDER BY done_ms DESC LIMIT :limit
