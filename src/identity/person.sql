-- SPDX-License-Identifier: Apache-2.0
-- name: person.add
INSERT INTO person (id, name, email, created_ms) VALUES (:id, :name, :email, :now)
-- name: person.get
SELECT id, name, email, locale, disabled_ms FROM person WHERE id = :id
-- name: person.zone
UPDATE person SET zone = :zone, row_version = row_version + 1 WHERE id = :id
-- name: person.all
SELECT id, name, email, CASE WHEN disabled_ms IS NULL THEN 0 ELSE 1 END AS is_disabled FROM person ORDER BY name LIMIT 2000
-- name: person.disable
UPDATE person SET disabled_ms = :now, row_version = row_version + 1 WHERE id = :id AND disabled_ms IS NULL
-- name: membership.add
INSERT INTO membership (person_id, org_id, role, created_ms) VALUES (:person, :org, :role, :now)
-- name: membership.remove
DELETE FROM membership WHERE person_id = :person AND org_id = :org AND role = :role
-- name: membership.has
SELECT 1 AS one FROM membership WHERE person_id = :person AND org_id = :org AND role = :role
-- name: membership.roles
SELECT role FROM membership WHERE person_id = :person AND org_id = :org
-- name: membership.of_person
SELECT m.org_id, o.name AS org, o.kind, m.role FROM membership m JOIN organisation o ON o.id = m.org_id WHERE m.person_id = :person ORDER BY o.name, m.role
-- name: membership.organisations
SELECT DISTINCT m.org_id AS id, o.name, o.kind FROM membership m JOIN organisation o ON o.id = m.org_id WHERE m.person_id = :person ORDER BY o.name
