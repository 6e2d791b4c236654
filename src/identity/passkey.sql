-- SPDX-License-Identifier: Apache-2.0
-- name: challenge.add
INSERT INTO passkey_challenge (value, purpose, person_id, expires_ms) VALUES (:value, :purpose, :person, :expires)
-- name: challenge.take
DELETE FROM passkey_challenge WHERE value = :value AND purpose = :purpose AND person_id = :person AND expires_ms > :now
-- name: challenge.purge
DELETE FROM passkey_challenge WHERE expires_ms <= :now
-- name: challenge.count
SELECT count(*) AS n FROM passkey_challenge
-- name: passkey.add
INSERT INTO passkey (id, person_id, credential, alg, public_key, sign_count, name, created_ms)
VALUES (:id, :person, :credential, :alg, :key, :count, :name, :now)
-- name: passkey.of
SELECT id, credential, name, created_ms, used_ms FROM passkey WHERE person_id = :person ORDER BY created_ms, id
-- name: passkey.count
SELECT count(*) AS n FROM passkey WHERE person_id = :person
-- name: passkey.find
SELECT k.id, k.person_id, k.alg, k.public_key, k.sign_count, p.disabled_ms FROM passkey k JOIN person p ON p.id = k.person_id
WHERE k.credential = :credential
-- name: passkey.used
UPDATE passkey SET sign_count = :count, used_ms = :now WHERE id = :id AND (sign_count < :count OR (sign_count = 0 AND :count = 0))
-- name: passkey.name
SELECT name FROM passkey WHERE id = :id AND person_id = :person
-- name: passkey.rename
UPDATE passkey SET name = :name WHERE id = :id AND person_id = :person
-- name: passkey.remove
DELETE FROM passkey WHERE id = :id AND person_id = :person
-- name: passkey.remove_all
DELETE FROM passkey WHERE person_id = :person
