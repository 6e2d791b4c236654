-- SPDX-License-Identifier: Apache-2.0
-- A hidden component of kind 'product' stands for the product as a whole: developer items of NIST IR 8425 are judged on it.
-- name: component.add
INSERT INTO component (id, product_id, kind, name, in_scope, carve_out, created_ms) VALUES (:id, :product, :kind, :name, :in_scope, :carve_out, :now)
-- name: component.get
SELECT c.id, c.product_id, c.kind, c.name, c.in_scope, c.carve_out, p.org_id, p.model, p.name AS product, o.name AS maker
FROM component c JOIN product p ON p.id = c.product_id JOIN organisation o ON o.id = p.org_id WHERE c.id = :id
-- name: component.of_product
SELECT c.id, c.kind, c.name, c.in_scope, c.carve_out,
  (SELECT count(*) FROM device d WHERE d.component_id = c.id AND d.state = 'built') AS built,
  (SELECT count(*) FROM device d WHERE d.component_id = c.id AND d.state = 'enrolled') AS enrolled
FROM component c WHERE c.product_id = :product AND c.kind <> 'product'
ORDER BY CASE c.kind WHEN 'device' THEN 0 WHEN 'gateway' THEN 1 WHEN 'app' THEN 2 ELSE 3 END, c.name LIMIT 50
-- name: component.columns
SELECT c.id, c.kind, c.name, c.in_scope FROM component c WHERE c.product_id = :product
ORDER BY CASE c.kind WHEN 'device' THEN 0 WHEN 'gateway' THEN 1 WHEN 'app' THEN 2 WHEN 'backend' THEN 3 ELSE 4 END, c.name LIMIT 50
-- name: component.of_kind
SELECT c.id, c.name FROM component c WHERE c.product_id = :product AND c.kind = :kind ORDER BY c.created_ms LIMIT 20
-- name: component.count
SELECT count(*) AS n FROM component WHERE product_id = :product
