-- SPDX-License-Identifier: Apache-2.0
-- name: release.add
INSERT INTO release (id, component_id, version, support_end, security_counter, state, created_ms)
VALUES (:id, :component, :version, :support_end, :security_counter, 'draft', :now)
-- name: release.get
SELECT r.id, r.component_id, r.version, r.image_digest, r.manifest_digest, r.sbom_digest, r.sbom_json, r.declaration_digest, r.declaration_json,
  r.support_end, r.security_counter, r.state, r.published_ms, r.created_ms, r.row_version,
  c.kind, c.name AS component, c.product_id, p.org_id, p.model, p.name AS product, o.name AS maker
FROM release r JOIN component c ON c.id = r.component_id JOIN product p ON p.id = c.product_id JOIN organisation o ON o.id = p.org_id WHERE r.id = :id
-- name: release.of_component
SELECT id, version, state, support_end, security_counter, image_digest, manifest_digest, sbom_digest, sbom_json, declaration_digest, published_ms, created_ms
FROM release WHERE component_id = :component ORDER BY created_ms DESC, id DESC LIMIT 50
-- name: release.newest
SELECT id, version, support_end, image_digest, published_ms FROM release WHERE component_id = :component AND state = 'published'
ORDER BY security_counter DESC, published_ms DESC LIMIT 1
-- name: release.set_image
UPDATE release SET image_digest = :digest, manifest_digest = '', row_version = row_version + 1 WHERE id = :id AND state = 'draft'
-- name: release.set_manifest
UPDATE release SET manifest_digest = :digest, row_version = row_version + 1 WHERE id = :id AND state = 'draft' AND image_digest = :image
-- name: release.set_sbom
UPDATE release SET sbom_digest = :digest, sbom_json = :json, row_version = row_version + 1 WHERE id = :id AND state = 'draft'
-- name: release.set_declaration
UPDATE release SET declaration_digest = :digest, declaration_json = :json, row_version = row_version + 1 WHERE id = :id AND state = 'draft'
-- name: release.publish
UPDATE release SET state = 'published', published_ms = :now, row_version = row_version + 1 WHERE id = :id AND state = 'draft' AND row_version = :row_version
-- name: release.published_counter
SELECT max(security_counter) AS n, count(*) AS published FROM release WHERE component_id = :component AND state = 'published'
