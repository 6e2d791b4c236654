-- SPDX-License-Identifier: Apache-2.0
-- name: scheme.org
SELECT id, kind, name, facts_json FROM organisation WHERE id = :id
-- name: scheme.person
SELECT id, name FROM person WHERE id = :id
-- name: scheme.member
SELECT 1 AS member FROM membership WHERE person_id = :person AND org_id = :org LIMIT 1
-- name: scheme.product
SELECT id, org_id, name, model, registry_json FROM product WHERE id = :id
-- name: scheme.components
SELECT id, kind, name FROM component WHERE product_id = :product AND in_scope <> 0 ORDER BY kind, name
-- The newest release published by then of each component in scope.
-- name: scheme.baseline
SELECT c.id AS component_id, c.name AS component, c.kind, r.id AS release_id, r.version, r.image_digest, r.manifest_digest, r.sbom_digest, r.declaration_digest,
  r.support_end, r.security_counter
FROM component c JOIN release r ON r.component_id = c.id
WHERE c.product_id = :product AND c.in_scope <> 0 AND r.id = (SELECT r2.id FROM release r2 WHERE r2.component_id = c.id AND r2.state <> 'draft'
  AND r2.published_ms <= :at ORDER BY r2.published_ms DESC, r2.id DESC LIMIT 1) ORDER BY c.kind, c.name
-- name: scheme.job
SELECT j.id, j.lab_org_id, j.product_id, j.case_id, j.rehearsal, j.state, j.bundle_digest, j.report_number, j.result_json, j.sealed_ms, j.reported_ms,
  j.tester_id, j.approver_id, t.name AS tester, a.name AS approver FROM lab_job j LEFT JOIN person t ON t.id = j.tester_id
  LEFT JOIN person a ON a.id = j.approver_id WHERE j.id = :id
-- name: scheme.job_person
SELECT id FROM lab_job WHERE case_id = :case AND (tester_id = :person OR approver_id = :person) LIMIT 1
-- name: scheme.status
SELECT outcome, component_id, status FROM outcome_status WHERE job_id = :job
-- name: scheme.denied
SELECT id, number FROM case_file WHERE kind = 'application' AND state = 'DENIED' AND id <> :case AND (product_id = :product OR id = :prior) LIMIT 1
-- name: scheme.open_cases
SELECT id, number, kind, state, data_json FROM case_file WHERE product_id = :product AND kind = :kind AND closed_ms IS NULL
-- name: scheme.decision_add
INSERT INTO decision (id, case_id, kind, reasons_json, approvals_json, decided_by, digest, at_ms) VALUES (:id, :case, :kind, :reasons, :approvals, :by, :digest, :now)
-- name: scheme.decision
SELECT d.id, d.case_id, d.kind, d.reasons_json, d.approvals_json, d.decided_by, d.digest, d.at_ms, f.number, f.product_id, f.pack, f.pack_version
FROM decision d JOIN case_file f ON f.id = d.case_id WHERE d.id = :id
-- name: scheme.decisions
SELECT d.id, d.kind, d.at_ms, d.digest, d.reasons_json, d.approvals_json, COALESCE(p.name, d.decided_by) AS decided_by FROM decision d
  LEFT JOIN person p ON p.id = d.decided_by WHERE d.case_id = :case ORDER BY d.at_ms, d.id
-- name: scheme.approvers
SELECT person_id, part, at_ms FROM case_person WHERE case_id = :case AND part IN ('reviewer', 'proposer') ORDER BY at_ms, person_id
-- name: scheme.certificate_add
INSERT INTO certificate (id, number, case_id, product_id, baseline_json, status, valid_from, valid_to, decision_id, created_ms)
VALUES (:id, :number, :case, :product, :baseline, 'in_force', :from, :to, :decision, :now)
-- name: scheme.authorisation_add
INSERT INTO authorisation (id, certificate_id, product_id, granted_on, issuing_authority, status) VALUES (:id, :certificate, :product, :on, :authority, 'active')
-- name: scheme.certificate
SELECT c.id, c.number, c.case_id, c.product_id, c.status, c.valid_from, c.valid_to, c.decision_id, f.cla_org_id, f.lab_org_id, f.applicant_org_id,
  a.status AS authorisation_status, a.granted_on, a.issuing_authority,
  (SELECT r.id FROM record r WHERE r.certificate_id = c.id ORDER BY r.version DESC LIMIT 1) AS record_id
FROM certificate c JOIN case_file f ON f.id = c.case_id LEFT JOIN authorisation a ON a.certificate_id = c.id WHERE c.id = :id OR c.case_id = :case
-- name: scheme.certificate_status
UPDATE certificate SET status = :to, row_version = row_version + 1 WHERE id = :id AND (status = :from OR (:from IS NULL AND status IN ('in_force', 'suspended')))
-- name: scheme.authorisation_end
UPDATE authorisation SET status = :status, ended_ms = :now, row_version = row_version + 1 WHERE certificate_id = :certificate AND status = 'active'
-- name: scheme.documents
SELECT d.id, d.kind, d.title, d.digest, d.media_type, d.size, COALESCE(p.name, d.author_id) AS author, d.visibility, d.created_ms FROM document d
  LEFT JOIN person p ON p.id = d.author_id WHERE d.case_id = :case OR d.product_id = :product ORDER BY d.created_ms DESC, d.id LIMIT 200
