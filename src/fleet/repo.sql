-- SPDX-License-Identifier: Apache-2.0
-- name: repo.newest
SELECT t.role, t.version, t.digest, t.expires_ms, t.published_ms FROM tuf_role t
WHERE t.org_id = :org AND t.version = (SELECT max(u.version) FROM tuf_role u WHERE u.org_id = t.org_id AND u.role = t.role) ORDER BY t.role
-- name: repo.roots
SELECT version, digest FROM tuf_role WHERE org_id = :org AND role = 'root' ORDER BY version
-- name: repo.add
INSERT INTO tuf_role (org_id, role, version, digest, expires_ms, published_ms) VALUES (:org, :role, :version, :digest, :expires, :now)
-- Online roles and lines leave only their newest rows; files and blobs of older ones stay where they are. Roots stay: clients walk along them.
-- name: repo.forget
DELETE FROM tuf_role WHERE org_id = :org AND role = :role AND role <> 'root' AND version < :version
-- name: repo.org
SELECT name, slug FROM organisation WHERE id = :org
-- name: repo.orgs
SELECT DISTINCT org_id FROM tuf_role WHERE role = 'root'
-- Files a maker may list: images and manifests of its own published releases.
-- name: repo.own_file
SELECT r.id FROM release r JOIN component c ON c.id = r.component_id JOIN product p ON p.id = c.product_id
WHERE p.org_id = :org AND r.state = 'published' AND (r.image_digest = :digest OR r.manifest_digest = :digest) LIMIT 1
-- name: repo.releases
SELECT p.model, r.version, r.image_digest, r.manifest_digest FROM release r JOIN component c ON c.id = r.component_id JOIN product p ON p.id = c.product_id
WHERE p.org_id = :org AND c.kind = 'device' AND r.state = 'published' AND r.manifest_digest <> '' ORDER BY r.published_ms, r.id
-- name: repo.wanted
SELECT p.org_id, p.model, r.version, r.image_digest FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id
  JOIN release r ON r.component_id = c.id AND r.state = 'published'
WHERE d.id = :device ORDER BY r.security_counter DESC, r.published_ms DESC, r.id DESC LIMIT 16
-- name: repo.role
SELECT version, digest, expires_ms FROM tuf_role WHERE org_id = :org AND role = :role ORDER BY version DESC LIMIT 1
-- name: repo.direction
SELECT counter, target, digest, cose, until_ms FROM direction WHERE device_id = :device
-- name: repo.direct
INSERT INTO direction (device_id, counter, target, digest, cose, until_ms) VALUES (:device, :counter, :target, :digest, :cose, :until)
ON CONFLICT (device_id) DO UPDATE SET counter = excluded.counter, target = excluded.target, digest = excluded.digest, cose = excluded.cose,
  until_ms = excluded.until_ms WHERE direction.counter < excluded.counter
