-- SPDX-License-Identifier: Apache-2.0
-- name: lab_job.add
INSERT INTO lab_job (id, lab_org_id, product_id, case_id, rehearsal, state, challenge, created_ms)
VALUES (:id, :lab, :product, :case_id, :rehearsal, 'planned', :challenge, :now)
-- name: lab_job.case
SELECT id, number, product_id, lab_org_id, closed_ms FROM case_file WHERE id = :id AND (filed_ms IS NOT NULL OR kind <> 'application')
-- name: lab_job.get
SELECT j.id, j.lab_org_id, l.name AS lab, j.product_id, p.name AS product, o.name AS maker, p.org_id, j.case_id, c.number AS case_number, c.cla_org_id, j.rehearsal, j.state,
  j.plan_digest, j.plan_json, j.challenge, j.tester_id, j.approver_id, t.name AS tester, a.name AS approver, j.bundle_digest, j.result_json, j.verdicts_json,
  j.report_digest, j.report_html_digest, j.report_number, r.name AS reporter,
  j.created_ms, j.sealed_ms, j.reported_ms, j.row_version
FROM lab_job j JOIN product p ON p.id = j.product_id JOIN organisation o ON o.id = p.org_id JOIN organisation l ON l.id = j.lab_org_id
LEFT JOIN case_file c ON c.id = j.case_id LEFT JOIN person t ON t.id = j.tester_id LEFT JOIN person a ON a.id = j.approver_id
LEFT JOIN person r ON r.id = j.reporter_id
WHERE j.id = :id
-- How an evaluation went is told to others than its lab with the report, not before.
-- name: lab_job.list
SELECT j.id, j.product_id, p.name AS product, o.name AS maker, j.case_id, c.number AS case_number, j.rehearsal, j.state, j.plan_digest, t.name AS tester, a.name AS approver,
  CASE WHEN j.state = 'reported' OR j.lab_org_id = :org THEN j.bundle_digest END AS bundle_digest, j.report_number,
  CASE WHEN j.state = 'reported' OR j.lab_org_id = :org THEN j.verdicts_json ELSE '{}' END AS verdicts_json, j.created_ms, j.sealed_ms, j.reported_ms
FROM lab_job j JOIN product p ON p.id = j.product_id JOIN organisation o ON o.id = p.org_id
LEFT JOIN case_file c ON c.id = j.case_id LEFT JOIN person t ON t.id = j.tester_id LEFT JOIN person a ON a.id = j.approver_id
WHERE j.lab_org_id = :org OR (j.case_id IS NOT NULL AND (p.org_id = :org OR c.cla_org_id = :org))
ORDER BY j.created_ms DESC, j.id DESC LIMIT 200
-- name: lab_job.of_product
SELECT j.id, j.product_id, p.name AS product, o.name AS maker, j.case_id, c.number AS case_number, j.rehearsal, j.state, j.plan_digest, t.name AS tester, a.name AS approver,
  CASE WHEN j.state = 'reported' OR j.lab_org_id = :org THEN j.bundle_digest END AS bundle_digest, j.report_number,
  CASE WHEN j.state = 'reported' OR j.lab_org_id = :org THEN j.verdicts_json ELSE '{}' END AS verdicts_json, j.created_ms, j.sealed_ms, j.reported_ms
FROM lab_job j JOIN product p ON p.id = j.product_id JOIN organisation o ON o.id = p.org_id
LEFT JOIN case_file c ON c.id = j.case_id LEFT JOIN person t ON t.id = j.tester_id LEFT JOIN person a ON a.id = j.approver_id
WHERE j.product_id = :product AND (j.lab_org_id = :org OR (j.case_id IS NOT NULL AND (p.org_id = :org OR c.cla_org_id = :org)))
ORDER BY j.created_ms DESC, j.id DESC LIMIT 50
-- name: lab_job.set_plan
UPDATE lab_job SET plan_digest = :digest, plan_json = :plan, tester_id = :tester, row_version = row_version + 1 WHERE id = :id AND state = 'planned'
-- name: lab_job.approve
UPDATE lab_job SET state = 'approved', approver_id = :approver, row_version = row_version + 1 WHERE id = :id AND state = 'planned' AND plan_digest = :digest
-- name: lab_job.running
UPDATE lab_job SET state = 'running', tester_id = :tester, row_version = row_version + 1 WHERE id = :id AND state = 'approved'
-- name: lab_job.seal
UPDATE lab_job SET state = 'sealed', bundle_digest = :bundle, result_json = :result, verdicts_json = :verdicts, report_digest = :report, report_html_digest = :html,
  tester_id = :tester, sealed_ms = :now, row_version = row_version + 1
WHERE id = :id AND state IN ('approved', 'running') AND bundle_digest IS NULL AND plan_digest = :plan_digest
-- name: lab_job.report
UPDATE lab_job SET state = 'reported', report_number = :number, reported_ms = :now, reporter_id = :person, row_version = row_version + 1 WHERE id = :id AND state = 'sealed'
-- name: run_progress.set
INSERT INTO run_progress (job_id, check_id, component, verdict, note, at_ms) VALUES (:job, :check, :component, :verdict, :note, :now)
ON CONFLICT (job_id, check_id, component) DO UPDATE SET verdict = excluded.verdict, note = excluded.note, at_ms = excluded.at_ms
-- name: run_progress.list
SELECT check_id, component, verdict, note, at_ms FROM run_progress WHERE job_id = :job ORDER BY at_ms, check_id, component LIMIT 2000
-- name: run_progress.count
SELECT count(*) AS n FROM run_progress WHERE job_id = :job
-- name: lab_job.declarations
SELECT r.declaration_json FROM release r JOIN component c ON c.id = r.component_id
WHERE c.product_id = :product AND r.state = 'published' AND r.declaration_digest <> '' ORDER BY r.published_ms DESC LIMIT 100
