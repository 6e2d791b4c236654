-- SPDX-License-Identifier: Apache-2.0
-- Everything a record says, by certificate: product and maker, certificate and authorisation, offices.
-- name: registry.subject
SELECT t.id AS certificate_id, t.number, t.case_id, t.baseline_json, t.valid_from, t.valid_to, a.granted_on,
  p.id AS product_id, p.name AS product, p.model, p.category, p.intended_use, p.gtin, p.fcc_id, p.registry_json, p.picture_digest,
  m.name AS maker, c.name AS cla, c.contact AS cla_contact, COALESCE(l.name, '') AS lab, f.applicant_org_id, f.cla_org_id,
  (SELECT r.id FROM record r WHERE r.certificate_id = t.id) AS record_id
FROM certificate t JOIN product p ON p.id = t.product_id JOIN organisation m ON m.id = p.org_id JOIN case_file f ON f.id = t.case_id
  JOIN organisation c ON c.id = f.cla_org_id LEFT JOIN organisation l ON l.id = f.lab_org_id LEFT JOIN authorisation a ON a.certificate_id = t.id
WHERE t.id = :id
-- name: registry.decision
SELECT d.id, d.case_id, d.kind, d.reasons_json, d.approvals_json, d.decided_by, d.digest, d.at_ms FROM decision d WHERE d.id = :id
-- Who tested, on the deciding case or on the one the certificate came from: they may not have decided.
-- name: registry.evaluators
SELECT person_id FROM case_person WHERE case_id IN (:case, :certificate_case) AND part = 'evaluator'
UNION SELECT tester_id FROM lab_job WHERE case_id IN (:case, :certificate_case) AND tester_id IS NOT NULL
UNION SELECT approver_id FROM lab_job WHERE case_id IN (:case, :certificate_case) AND approver_id IS NOT NULL
UNION SELECT reporter_id FROM lab_job WHERE case_id IN (:case, :certificate_case) AND reporter_id IS NOT NULL
-- name: registry.outcomes
SELECT s.outcome, s.status FROM outcome_status s JOIN lab_job j ON j.id = s.job_id WHERE j.id =
  (SELECT j2.id FROM lab_job j2 WHERE j2.case_id = :case AND j2.state = 'reported' ORDER BY j2.reported_ms DESC LIMIT 1) ORDER BY s.outcome
-- name: registry.record_add
INSERT INTO record (id, product_id, certificate_id, status, version, content_json) VALUES (:id, :product, :certificate, 'not_authorised', 1, :content)
-- name: registry.record_set
UPDATE record SET status = :status, version = :version, content_json = :content, row_version = row_version + 1 WHERE id = :id AND version <= :version
-- name: registry.record_published
UPDATE record SET published_ms = COALESCE(published_ms, :now),
  row_version = row_version + 1 WHERE id = :id
-- name: registry.record
SELECT r.id, r.product_id, r.certificate_id, r.status, r.version, r.content_json, r.published_ms, p.org_id, p.picture_digest, t.case_id, t.status AS certificate_status,
  f.cla_org_id, f.lab_org_id
FROM record r JOIN product p ON p.id = r.product_id JOIN certificate t ON t.id = r.certificate_id JOIN case_file f ON f.id = t.case_id
WHERE r.id = :id AND r.published_ms IS NOT NULL
-- name: registry.case_record
SELECT r.id, r.status, f.applicant_org_id, f.cla_org_id, f.lab_org_id,
  (SELECT j.report_number FROM lab_job j WHERE j.case_id = f.id AND j.state = 'reported' ORDER BY j.reported_ms DESC LIMIT 1) AS report_number,
  (SELECT s.cose_digest FROM statement s WHERE s.record_id = r.id AND s.proof_digest <> '' ORDER BY s.version DESC LIMIT 1) AS cose_digest
FROM record r JOIN certificate t ON t.id = r.certificate_id JOIN case_file f ON f.id = t.case_id
WHERE r.published_ms IS NOT NULL AND f.id = :case LIMIT 1
-- name: registry.search
SELECT r.id, r.status, r.content_json, r.published_ms FROM record r
WHERE r.published_ms IS NOT NULL AND (:q = '' OR upper(r.id) = upper(:q) OR EXISTS (SELECT 1 FROM product p JOIN organisation o ON o.id = p.org_id
  JOIN certificate t ON t.id = r.certificate_id
  WHERE p.id = r.product_id AND (p.gtin = :q OR upper(p.fcc_id) = upper(:q) OR upper(t.number) = upper(:q) OR lower(p.name) LIKE lower(:like) ESCAPE '!'
    OR lower(p.model) LIKE lower(:like) ESCAPE '!' OR lower(o.name) LIKE lower(:like) ESCAPE '!')))
ORDER BY r.published_ms DESC, r.id LIMIT :max
-- name: registry.note_once
SELECT id FROM timeline WHERE subject_kind = :kind AND subject_id = :id AND what = :what LIMIT 1
