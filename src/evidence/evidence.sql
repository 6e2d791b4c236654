-- SPDX-License-Identifier: Apache-2.0
-- :job '' means: all evaluations that are no rehearsal, the newest status of each cell. What a lab found is seen by others once its
-- report is issued, and a rehearsal by the lab alone: :org is the viewer's organisation.
-- name: evidence.matrix
SELECT x.outcome, x.component_id, c.name AS component, c.kind,
  (SELECT s.status FROM outcome_status s JOIN lab_job j ON j.id = s.job_id
     WHERE s.product_id = :product AND s.outcome = x.outcome AND s.component_id = x.component_id
       AND ((:job <> '' AND s.job_id = :job) OR (:job = '' AND j.rehearsal = 0)) AND (j.lab_org_id = :org OR (j.state = 'reported' AND j.rehearsal = 0)) ORDER BY s.at_ms DESC, s.job_id DESC LIMIT 1) AS status,
  (SELECT s.why FROM outcome_status s JOIN lab_job j ON j.id = s.job_id
     WHERE s.product_id = :product AND s.outcome = x.outcome AND s.component_id = x.component_id
       AND ((:job <> '' AND s.job_id = :job) OR (:job = '' AND j.rehearsal = 0)) AND (j.lab_org_id = :org OR (j.state = 'reported' AND j.rehearsal = 0)) ORDER BY s.at_ms DESC, s.job_id DESC LIMIT 1) AS why,
  (SELECT count(*) FROM evidence e LEFT JOIN lab_job j ON j.id = e.job_id
     WHERE e.product_id = :product AND e.outcome = x.outcome AND e.component_id = x.component_id
       AND ((:job <> '' AND e.job_id = :job) OR (:job = '' AND (e.job_id IS NULL OR j.rehearsal = 0)))
       AND (e.job_id IS NULL OR j.lab_org_id = :org OR (j.state = 'reported' AND j.rehearsal = 0))) AS count,
  (SELECT max(e.at_ms) FROM evidence e LEFT JOIN lab_job j ON j.id = e.job_id
     WHERE e.product_id = :product AND e.outcome = x.outcome AND e.component_id = x.component_id
       AND ((:job <> '' AND e.job_id = :job) OR (:job = '' AND (e.job_id IS NULL OR j.rehearsal = 0)))
       AND (e.job_id IS NULL OR j.lab_org_id = :org OR (j.state = 'reported' AND j.rehearsal = 0))) AS newest_ms
FROM (SELECT outcome, component_id FROM outcome_status WHERE product_id = :product
      UNION SELECT outcome, component_id FROM evidence WHERE product_id = :product) x
JOIN component c ON c.id = x.component_id
-- name: evidence.cell
SELECT e.id, e.check_id, e.kind, e.method, e.verdict, e.digest, e.title, e.author, e.at_ms, e.job_id
FROM evidence e LEFT JOIN lab_job j ON j.id = e.job_id
WHERE e.product_id = :product AND e.outcome = :outcome AND e.component_id = :component
  AND ((:job <> '' AND e.job_id = :job) OR (:job = '' AND (e.job_id IS NULL OR j.rehearsal = 0)))
       AND (e.job_id IS NULL OR j.lab_org_id = :org OR (j.state = 'reported' AND j.rehearsal = 0))
ORDER BY e.at_ms DESC, e.id DESC LIMIT 500
-- name: evidence.cell_status
SELECT s.status, s.why, s.at_ms, s.job_id FROM outcome_status s JOIN lab_job j ON j.id = s.job_id
WHERE s.product_id = :product AND s.outcome = :outcome AND s.component_id = :component
  AND ((:job <> '' AND s.job_id = :job) OR (:job = '' AND j.rehearsal = 0)) AND (j.lab_org_id = :org OR (j.state = 'reported' AND j.rehearsal = 0)) ORDER BY s.at_ms DESC, s.job_id DESC LIMIT 1
-- name: evidence.add
INSERT INTO evidence (id, product_id, component_id, job_id, outcome, check_id, kind, method, verdict, digest, title, author, at_ms)
VALUES (:id, :product, :component, :job, :outcome, :check, :kind, :method, :verdict, :digest, :title, :author, :at_ms)
-- name: outcome_status.add
INSERT INTO outcome_status (product_id, job_id, component_id, outcome, status, why, at_ms)
VALUES (:product, :job, :component, :outcome, :status, :why, :at_ms)
