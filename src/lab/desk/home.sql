-- SPDX-License-Identifier: Apache-2.0
-- Open cases an organisation is a party of, soonest due first.
-- name: home.cases
SELECT c.id, c.number, c.product_id, p.name AS product, o.name AS maker, c.kind, c.state, c.opened_ms, k.whose, k.due_ms, k.rule
FROM case_file c LEFT JOIN product p ON p.id = c.product_id LEFT JOIN organisation o ON o.id = p.org_id
LEFT JOIN clock k ON k.id = (SELECT k2.id FROM clock k2 WHERE k2.case_id = c.id AND k2.done_ms IS NULL ORDER BY k2.due_ms, k2.id LIMIT 1)
WHERE c.closed_ms IS NULL AND (c.applicant_org_id = :org OR ((c.lab_org_id = :org OR c.cla_org_id = :org) AND (c.filed_ms IS NOT NULL OR c.kind <> 'application')))
ORDER BY CASE WHEN k.due_ms IS NULL THEN 1 ELSE 0 END, k.due_ms, c.opened_ms LIMIT 200
-- name: home.closed
SELECT c.id, c.number, c.product_id, p.name AS product, o.name AS maker, c.kind, c.state, c.opened_ms
FROM case_file c LEFT JOIN product p ON p.id = c.product_id LEFT JOIN organisation o ON o.id = p.org_id
WHERE c.closed_ms IS NOT NULL AND c.cla_org_id = :org AND (c.filed_ms IS NOT NULL OR c.kind <> 'application') ORDER BY c.closed_ms DESC, c.id DESC LIMIT 10
-- name: home.recent
SELECT r.id, p.name AS product, o.name AS maker, p.model, r.status, r.published_ms,
  (SELECT min(rl.support_end) FROM release rl JOIN component c ON c.id = rl.component_id WHERE c.product_id = p.id AND rl.state = 'published') AS support_end
FROM record r JOIN product p ON p.id = r.product_id JOIN organisation o ON o.id = p.org_id
WHERE r.published_ms IS NOT NULL ORDER BY r.published_ms DESC, r.id LIMIT 20
-- name: home.counts
SELECT (SELECT count(*) FROM organisation) AS organisations, (SELECT count(*) FROM person) AS people, (SELECT count(*) FROM product) AS products,
  (SELECT count(*) FROM device) AS devices
-- name: home.devices
SELECT coalesce(sum(CASE WHEN d.state = 'built' THEN 1 ELSE 0 END), 0) AS built, coalesce(sum(CASE WHEN d.state = 'enrolled' THEN 1 ELSE 0 END), 0) AS enrolled,
  coalesce(sum(CASE WHEN d.health = 'likely-degraded' THEN 1 ELSE 0 END), 0) AS degraded, coalesce(sum(CASE WHEN d.suspect <> '' THEN 1 ELSE 0 END), 0) AS suspect
FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id WHERE p.org_id = :org
-- name: home.job_counts
SELECT coalesce(sum(CASE WHEN state IN ('planned','approved','running') THEN 1 ELSE 0 END), 0) AS open, coalesce(sum(CASE WHEN state = 'sealed' THEN 1 ELSE 0 END), 0) AS sealed,
  coalesce(sum(CASE WHEN state = 'reported' THEN 1 ELSE 0 END), 0) AS reported FROM lab_job WHERE lab_org_id = :org
-- name: home.tasks
SELECT t.id, t.case_id, t.role, t.title, t.due_ms, f.number, COALESCE(p.name, '') AS product FROM task t JOIN case_file f ON f.id = t.case_id
  LEFT JOIN product p ON p.id = f.product_id WHERE t.org_id = :org AND t.done_ms IS NULL AND f.closed_ms IS NULL
ORDER BY CASE WHEN t.due_ms IS NULL THEN 1 ELSE 0 END, t.due_ms, t.created_ms LIMIT 500
-- name: home.watched
SELECT c.id, c.number, c.case_id, c.status, c.valid_to, p.id AS product_id, p.name AS product, o.name AS maker,
  (SELECT k.due_ms FROM clock k WHERE k.case_id = c.case_id AND k.rule = 'T-SURV' AND k.done_ms IS NULL ORDER BY k.due_ms LIMIT 1) AS due_ms,
  (SELECT count(*) FROM device d JOIN component m ON m.id = d.component_id WHERE m.product_id = p.id AND d.state = 'enrolled' AND d.health = 'likely-degraded') AS degraded,
  (SELECT count(*) FROM device d JOIN component m ON m.id = d.component_id WHERE m.product_id = p.id AND d.state = 'enrolled' AND d.suspect <> '') AS suspect
FROM certificate c JOIN case_file f ON f.id = c.case_id JOIN product p ON p.id = c.product_id JOIN organisation o ON o.id = p.org_id
WHERE f.cla_org_id = :org AND c.status IN ('in_force', 'suspended') ORDER BY due_ms, c.number LIMIT 200
