-- SPDX-License-Identifier: Apache-2.0
-- name: organisation.add
INSERT INTO organisation (id, kind, name, slug, contact, facts_json, created_ms) VALUES (:id, :kind, :name, :slug, :contact, :facts, :now)
-- name: organisation.get
SELECT id, kind, name, slug, contact, facts_json FROM organisation WHERE id = :id
-- name: organisation.all
SELECT id, kind, name, slug, contact, facts_json FROM organisation ORDER BY kind, name LIMIT 1000
-- name: organisation.seen_by
SELECT id, kind, name, slug, contact, facts_json FROM organisation
WHERE kind IN ('lab', 'cla', 'lead_administrator') OR id = :org ORDER BY kind, name LIMIT 1000
-- name: organisation.of_kind
SELECT id, name FROM organisation WHERE kind = :kind ORDER BY name LIMIT 500
