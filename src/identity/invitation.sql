-- SPDX-License-Identifier: Apache-2.0
-- name: invitation.add
INSERT INTO invitation (id, token_hash, sealed, org_id, name, email, roles, invited_by, created_ms, expires_ms, mail)
VALUES (:id, :hash, :sealed, :org, :name, :email, :roles, :by, :now, :expires, :mail)
-- name: invitation.get
SELECT i.id, i.sealed, i.org_id, o.name AS org, o.kind, i.name, i.email, i.roles, i.expires_ms, i.used_ms, i.revoked_ms, i.mail, i.mail_why, p.name AS inviter
FROM invitation i JOIN organisation o ON o.id = i.org_id JOIN person p ON p.id = i.invited_by WHERE i.id = :id
-- name: invitation.by_token
SELECT i.id, i.sealed, i.org_id, o.name AS org, o.kind, i.name, i.email, i.roles, i.expires_ms, i.used_ms, i.revoked_ms, i.mail, i.mail_why, p.name AS inviter
FROM invitation i JOIN organisation o ON o.id = i.org_id JOIN person p ON p.id = i.invited_by WHERE i.token_hash = :hash
-- name: invitation.list
SELECT i.id, i.org_id, o.name AS org, i.name, i.email, i.roles, i.created_ms, i.expires_ms, i.mail, i.mail_why, p.name AS inviter,
CASE WHEN i.used_ms IS NOT NULL THEN 'accepted' WHEN i.revoked_ms IS NOT NULL THEN 'revoked' WHEN i.expires_ms <= :now THEN 'expired' ELSE 'open' END AS state
FROM invitation i JOIN organisation o ON o.id = i.org_id JOIN person p ON p.id = i.invited_by
WHERE (CAST(:org AS TEXT) = '' OR i.org_id = :org) ORDER BY i.created_ms DESC, i.id LIMIT 200
-- name: invitation.open
SELECT count(*) AS n FROM invitation WHERE org_id = :org AND used_ms IS NULL AND revoked_ms IS NULL AND expires_ms > :now
-- name: invitation.use
UPDATE invitation SET used_ms = :now, sealed = '', row_version = row_version + 1 WHERE id = :id AND used_ms IS NULL AND revoked_ms IS NULL AND expires_ms > :now
-- name: invitation.revoke
UPDATE invitation SET revoked_ms = :now, sealed = '', row_version = row_version + 1 WHERE id = :id AND used_ms IS NULL AND revoked_ms IS NULL
-- name: invitation.renew
UPDATE invitation SET token_hash = :hash, sealed = :sealed, expires_ms = :expires, mail = :mail, mail_why = '', row_version = row_version + 1
WHERE id = :id AND used_ms IS NULL AND revoked_ms IS NULL
-- name: invitation.mail
UPDATE invitation SET mail = :mail, mail_why = :why, row_version = row_version + 1 WHERE id = :id
-- name: people.of_org
SELECT p.id, p.name, p.email, CASE WHEN p.disabled_ms IS NULL THEN 0 ELSE 1 END AS is_disabled, m.role, o.name AS org
FROM membership m JOIN person p ON p.id = m.person_id JOIN organisation o ON o.id = m.org_id
WHERE (CAST(:org AS TEXT) = '' OR m.org_id = :org) ORDER BY o.name, p.name, p.id, m.role LIMIT 2000
