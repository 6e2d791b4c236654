-- SPDX-License-Identifier: Apache-2.0
-- name: signin.add
INSERT INTO signin (token_hash, person_id, org_id, expires_ms) VALUES (:hash, :person, :org, :expires)
-- name: signin.get
SELECT person_id, org_id, expires_ms, used_ms FROM signin WHERE token_hash = :hash
-- name: signin.use
UPDATE signin SET used_ms = :now WHERE token_hash = :hash AND used_ms IS NULL AND expires_ms > :now
-- name: signin.void
UPDATE signin SET used_ms = :now WHERE person_id = :person AND used_ms IS NULL
-- name: session.add
INSERT INTO session (id, token_hash, person_id, org_id, csrf, kind, created_ms, expires_ms) VALUES (:id, :hash, :person, :org, :csrf, :kind, :now, :expires)
-- name: session.find
SELECT s.id, s.person_id, s.org_id, s.csrf, s.kind, s.expires_ms, s.revoked_ms, p.name AS person, p.disabled_ms, o.kind AS org_kind, o.name AS org
FROM session s JOIN person p ON p.id = s.person_id JOIN organisation o ON o.id = s.org_id WHERE s.token_hash = :hash
-- name: session.get
SELECT id, kind, created_ms, expires_ms FROM session WHERE id = :id
-- name: session.renew
UPDATE session SET expires_ms = :expires WHERE id = :id AND kind = 'browser' AND revoked_ms IS NULL AND expires_ms > :now
-- name: session.revoke
UPDATE session SET revoked_ms = :now WHERE id = :id AND revoked_ms IS NULL
-- name: session.revoke_all
UPDATE session SET revoked_ms = :now WHERE person_id = :person AND revoked_ms IS NULL
