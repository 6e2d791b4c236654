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
INSERT INTO session (id, token_hash, person_id, org_id, csrf, kind, created_ms, expires_ms, agent, seen_ms, how, auth_ms)
VALUES (:id, :hash, :person, :org, :csrf, :kind, :now, :expires, :agent, :now, :how, :auth)
-- name: session.find
SELECT s.id, s.person_id, s.org_id, s.csrf, s.kind, s.expires_ms, s.seen_ms, s.revoked_ms, p.name AS person, p.zone, p.disabled_ms, o.kind AS org_kind, o.name AS org
FROM session s JOIN person p ON p.id = s.person_id JOIN organisation o ON o.id = s.org_id WHERE s.token_hash = :hash
-- name: session.get
SELECT id, kind, created_ms, expires_ms FROM session WHERE id = :id
-- name: session.auth_any
SELECT auth_ms FROM session WHERE id = :id
-- name: session.renew
UPDATE session SET seen_ms = :now, expires_ms = CASE WHEN kind = 'browser' THEN :expires ELSE expires_ms END
WHERE id = :id AND revoked_ms IS NULL AND expires_ms > :now
-- name: session.revoke
UPDATE session SET revoked_ms = :now WHERE id = :id AND revoked_ms IS NULL
-- name: session.revoke_all
UPDATE session SET revoked_ms = :now WHERE person_id = :person AND revoked_ms IS NULL
-- name: session.of
SELECT s.id, s.kind, s.agent, s.how, s.created_ms, s.seen_ms, s.expires_ms, o.name AS org FROM session s JOIN organisation o ON o.id = s.org_id
WHERE s.person_id = :person AND s.revoked_ms IS NULL AND s.expires_ms > :now ORDER BY s.seen_ms DESC, s.id
-- name: session.revoke_own
UPDATE session SET revoked_ms = :now WHERE id = :id AND person_id = :person AND revoked_ms IS NULL AND expires_ms > :now
-- name: session.revoke_others
UPDATE session SET revoked_ms = :now WHERE person_id = :person AND id <> :keep AND revoked_ms IS NULL AND expires_ms > :now
-- name: session.org_last
SELECT m.org_id, COALESCE((SELECT max(s.created_ms) FROM session s WHERE s.person_id = m.person_id AND s.org_id = m.org_id), 0) AS last_ms
FROM membership m WHERE m.person_id = :person ORDER BY last_ms DESC, m.org_id LIMIT 1
