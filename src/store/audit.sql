-- SPDX-License-Identifier: Apache-2.0
-- name: audit.last
SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1

-- name: audit.add
INSERT INTO audit (seq, at_ms, actor, action, kind, subject, before_json, after_json, prev_hash, hash, org_id)
VALUES (:seq, :at_ms, :actor, :action, :kind, :subject, :before, :after, :prev_hash, :hash, :org)

-- name: audit.walk
SELECT seq, at_ms, actor, action, kind, subject, before_json AS before_text, after_json AS after_text, prev_hash, hash, org_id
FROM audit WHERE seq > :after ORDER BY seq LIMIT 1000

-- name: audit.of
SELECT seq, at_ms, actor, action, before_json, after_json, hash FROM audit
WHERE kind = :kind AND subject = :subject ORDER BY seq DESC LIMIT :limit
-- name: audit.newest
SELECT at_ms FROM audit ORDER BY seq DESC LIMIT 1
