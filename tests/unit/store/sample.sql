-- SPDX-License-Identifier: Apache-2.0
-- Statements of the store's own tests, beside the real migrations.
-- name: sample.add
INSERT INTO organisation (id, kind, name, slug, facts_json, created_ms) VALUES (:id, :kind, :name, :slug, :facts, :at);

-- name: sample.add_person_of
INSERT INTO membership (person_id, org_id, role, created_ms) VALUES (:person, :org, 'x', 1)

-- name: sample.get
SELECT id, name, facts_json, created_ms, NULL AS missing, 1.5 AS half FROM organisation WHERE id = :id

-- name: sample.all
SELECT id, name FROM organisation ORDER BY id

-- name: sample.rename
UPDATE organisation SET name = :name WHERE id = :id

-- name: sample.set_facts
UPDATE organisation SET facts_json = :facts WHERE id = :id

-- name: sample.blob
SELECT :b AS b, length(:b) AS n
-- name: sample.blob engine: postgresql
SELECT CAST(:b AS BYTEA) AS b, length(CAST(:b AS BYTEA)) AS n

-- name: sample.broken
SELECT nothing FROM no_such_table

-- name: sample.future
INSERT INTO schema_version (number, name, digest, applied_ms) VALUES (9999, 'future', '', 1)

-- name: sample.edited
UPDATE schema_version SET digest = 'sha256:00' WHERE number = 1

-- name: sample.audit_forge
UPDATE audit SET actor = :actor WHERE seq = :seq

-- name: sample.audit_drop
DELETE FROM audit WHERE seq = :seq

-- name: sample.audit_org
UPDATE audit SET org_id = :actor WHERE seq = :seq
