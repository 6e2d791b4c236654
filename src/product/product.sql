-- SPDX-License-Identifier: Apache-2.0
-- name: product.add
INSERT INTO product (id, org_id, name, model, category, intended_use, summary, gtin, fcc_id, created_ms)
VALUES (:id, :org, :name, :model, :category, :intended_use, :summary, :gtin, :fcc_id, :now)
-- name: product.get
SELECT p.id, p.org_id, p.name, p.model, p.category, p.intended_use, p.summary, p.gtin, p.fcc_id, p.registry_json, p.picture_digest,
  p.row_version, o.name AS maker FROM product p JOIN organisation o ON o.id = p.org_id WHERE p.id = :id
-- A lab or label administrator sees what is on one of its cases, not drafts of applications.
-- name: product.seen
SELECT p.id, p.org_id, p.name, p.model, p.category, p.intended_use, p.summary, p.gtin, p.fcc_id, p.registry_json, p.picture_digest,
  p.row_version, o.name AS maker
FROM product p JOIN organisation o ON o.id = p.org_id
WHERE p.id = :id AND (p.org_id = :org
  OR EXISTS (SELECT 1 FROM case_file c WHERE c.product_id = p.id AND (c.lab_org_id = :org OR c.cla_org_id = :org)
       AND (c.filed_ms IS NOT NULL OR c.kind <> 'application'))
  OR EXISTS (SELECT 1 FROM lab_job j WHERE j.product_id = p.id AND j.lab_org_id = :org))
-- name: product.list
SELECT p.id, p.name, p.model, p.category, p.registry_json, o.name AS maker,
  (SELECT r.id FROM record r WHERE r.product_id = p.id ORDER BY r.published_ms DESC NULLS LAST, r.id DESC LIMIT 1) AS record_id,
  (SELECT r.status FROM record r WHERE r.product_id = p.id ORDER BY r.published_ms DESC NULLS LAST, r.id DESC LIMIT 1) AS record_status,
  (SELECT t.number FROM certificate t WHERE t.product_id = p.id ORDER BY t.created_ms DESC LIMIT 1) AS certificate,
  (SELECT count(*) FROM case_file c WHERE c.product_id = p.id AND c.closed_ms IS NULL) AS open_cases,
  (SELECT CASE WHEN c.state = 'DENIED' THEN c.id END FROM case_file c WHERE c.product_id = p.id AND c.kind = 'application' AND c.closed_ms IS NOT NULL
     ORDER BY c.closed_ms DESC, c.id DESC LIMIT 1) AS denied_case,
  (SELECT rl.version FROM release rl JOIN component c ON c.id = rl.component_id WHERE c.product_id = p.id AND c.kind = 'device' AND rl.state = 'published'
     ORDER BY rl.published_ms DESC LIMIT 1) AS version,
  (SELECT min(rl.support_end) FROM release rl JOIN component c ON c.id = rl.component_id WHERE c.product_id = p.id AND rl.state = 'published') AS support_end
FROM product p JOIN organisation o ON o.id = p.org_id
WHERE (:id = '' OR p.id = :id) AND (p.org_id = :org
  OR EXISTS (SELECT 1 FROM case_file c WHERE c.product_id = p.id AND (c.lab_org_id = :org OR c.cla_org_id = :org)
       AND (c.filed_ms IS NOT NULL OR c.kind <> 'application'))
  OR EXISTS (SELECT 1 FROM lab_job j WHERE j.product_id = p.id AND j.lab_org_id = :org))
ORDER BY p.name, p.id LIMIT 500
-- name: product.set_registry
UPDATE product SET registry_json = :registry, row_version = row_version + 1 WHERE id = :id
-- name: product.set_picture
UPDATE product SET picture_digest = :digest, row_version = row_version + 1 WHERE id = :id
-- name: product.records
SELECT id, status, version, published_ms FROM record WHERE product_id = :id ORDER BY published_ms DESC NULLS LAST, id DESC LIMIT 50
-- name: product.cases
SELECT c.id, c.number, c.product_id, p.name AS product, o.name AS maker, c.kind, c.state, c.opened_ms,
  (SELECT k.whose FROM clock k WHERE k.case_id = c.id AND c.closed_ms IS NULL AND k.done_ms IS NULL ORDER BY k.due_ms LIMIT 1) AS whose,
  (SELECT k.due_ms FROM clock k WHERE k.case_id = c.id AND c.closed_ms IS NULL AND k.done_ms IS NULL ORDER BY k.due_ms LIMIT 1) AS due_ms,
  (SELECT k.rule FROM clock k WHERE k.case_id = c.id AND c.closed_ms IS NULL AND k.done_ms IS NULL ORDER BY k.due_ms LIMIT 1) AS rule
FROM case_file c JOIN product p ON p.id = c.product_id JOIN organisation o ON o.id = p.org_id
WHERE c.product_id = :id AND (c.applicant_org_id = :org OR ((c.lab_org_id = :org OR c.cla_org_id = :org) AND (c.filed_ms IS NOT NULL OR c.kind <> 'application'))) ORDER BY c.opened_ms DESC LIMIT 50
