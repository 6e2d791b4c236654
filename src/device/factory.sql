-- SPDX-License-Identifier: Apache-2.0
-- name: factory_ca.add
INSERT INTO factory_ca (id, org_id, name, pem, spki_sha256, not_after_ms, state, created_ms) VALUES (:id, :org, :name, :pem, :spki, :not_after, 'active', :now)
-- name: factory_ca.of_org
SELECT id, name, spki_sha256, not_after_ms, state, created_ms FROM factory_ca WHERE org_id = :org ORDER BY created_ms, id
-- name: factory_ca.active
SELECT id, pem FROM factory_ca WHERE org_id = :org AND state = 'active' ORDER BY created_ms, id
-- name: factory_ca.get
SELECT id, org_id, name, state FROM factory_ca WHERE id = :id
-- name: factory_ca.retire
UPDATE factory_ca SET state = 'retired', row_version = row_version + 1 WHERE id = :id AND state = 'active'
-- name: batch.add
INSERT INTO batch (id, component_id, name, prefix, first, units, digits, created_ms, created_by) VALUES (:id, :component, :name, :prefix, :first, :units, :digits, :now, :by)
-- name: batch.next
SELECT coalesce(max(first + units), 1) AS next FROM batch WHERE prefix = :prefix
-- name: batch.get
SELECT b.id, b.component_id, c.name AS component, c.product_id, p.name AS product, p.org_id, b.name, b.prefix, b.first, b.units, b.digits, b.created_ms, b.created_by
FROM batch b JOIN component c ON c.id = b.component_id JOIN product p ON p.id = c.product_id WHERE b.id = :id
-- name: batch.of_org
SELECT b.id, b.name, b.prefix, b.first, b.units, b.digits, b.created_ms, b.created_by, c.name AS component, c.product_id, p.name AS product,
  (SELECT count(*) FROM device d WHERE d.batch_id = b.id) AS recorded,
  (SELECT count(*) FROM device d WHERE d.batch_id = b.id AND d.enrolled_ms IS NOT NULL) AS enrolled,
  (SELECT count(*) FROM device d WHERE d.batch_id = b.id AND d.suspect <> '') AS suspect
FROM batch b JOIN component c ON c.id = b.component_id JOIN product p ON p.id = c.product_id WHERE p.org_id = :org ORDER BY b.created_ms DESC, b.id DESC LIMIT 200
-- name: batch.count
SELECT count(*) AS recorded, coalesce(sum(CASE WHEN enrolled_ms IS NOT NULL THEN 1 ELSE 0 END), 0) AS enrolled,
  coalesce(sum(CASE WHEN state = 'retired' THEN 1 ELSE 0 END), 0) AS retired, coalesce(sum(CASE WHEN suspect <> '' THEN 1 ELSE 0 END), 0) AS suspect,
  coalesce(sum(CASE WHEN idevid_spki <> '' THEN 1 ELSE 0 END), 0) AS idevid
FROM device WHERE batch_id = :id
-- name: batch.waiting
SELECT id, serial, state, suspect, created_ms, last_seen_ms FROM device WHERE batch_id = :id AND (enrolled_ms IS NULL OR suspect <> '') ORDER BY serial LIMIT 200
-- name: device.add_built
INSERT INTO device (id, component_id, serial, code_hash, state, created_ms, batch_id, idevid_spki) VALUES (:id, :component, :serial, :code_hash, 'built', :now, :batch, :idevid)
-- name: device.idevid_taken
SELECT serial FROM device WHERE idevid_spki = :spki LIMIT 1
