-- SPDX-License-Identifier: Apache-2.0
-- name: person.by_email
SELECT id, name, email, disabled_ms FROM person WHERE lower(email) = lower(:email) ORDER BY CASE WHEN email = :email THEN 0 ELSE 1 END LIMIT 1
-- name: password.get
SELECT hash, characters, set_ms, used_ms FROM password WHERE person_id = :person
-- name: password.put
INSERT INTO password (person_id, hash, characters, set_ms) VALUES (:person, :hash, :characters, :now)
ON CONFLICT (person_id) DO UPDATE SET hash = excluded.hash, characters = excluded.characters, set_ms = excluded.set_ms, used_ms = NULL
-- name: password.used
UPDATE password SET used_ms = :now WHERE person_id = :person AND hash = :hash
-- name: password.remove
DELETE FROM password WHERE person_id = :person
-- name: totp.get
SELECT sealed, step, made_ms, used_ms FROM totp WHERE person_id = :person AND state = :state
-- name: totp.offer
INSERT INTO totp (person_id, state, sealed, made_ms) VALUES (:person, 'offered', :sealed, :now)
ON CONFLICT (person_id, state) DO UPDATE SET sealed = excluded.sealed, made_ms = excluded.made_ms
-- name: totp.accept
INSERT INTO totp (person_id, state, sealed, step, made_ms) SELECT person_id, 'active', sealed, CAST(:step AS BIGINT), CAST(:now AS BIGINT) FROM totp WHERE person_id = :person AND state = 'offered'
ON CONFLICT (person_id, state) DO UPDATE SET sealed = excluded.sealed, step = excluded.step, made_ms = excluded.made_ms, used_ms = NULL
-- name: totp.used
UPDATE totp SET step = :step, used_ms = :now WHERE person_id = :person AND state = 'active' AND step < :step
-- name: totp.remove
DELETE FROM totp WHERE person_id = :person AND state = :state
-- name: totp.remove_all
DELETE FROM totp WHERE person_id = :person
-- name: recovery.salt
SELECT salt FROM recovery_code WHERE person_id = :person LIMIT 1
-- name: recovery.state
SELECT count(*) AS n, SUM(CASE WHEN used_ms IS NULL THEN 1 ELSE 0 END) AS open, MIN(made_ms) AS made_ms FROM recovery_code WHERE person_id = :person
-- name: recovery.open
SELECT 1 AS one FROM recovery_code WHERE person_id = :person AND hash = :hash AND used_ms IS NULL
-- name: recovery.add
INSERT INTO recovery_code (person_id, hash, salt, made_ms) VALUES (:person, :hash, :salt, :now)
-- name: recovery.use
UPDATE recovery_code SET used_ms = :now WHERE person_id = :person AND hash = :hash AND used_ms IS NULL
-- name: recovery.clear
DELETE FROM recovery_code WHERE person_id = :person
-- name: brake.get
SELECT failures, until_ms FROM signin_brake WHERE lane = :lane
-- name: brake.put
INSERT INTO signin_brake (lane, failures, until_ms, last_ms) VALUES (:lane, :failures, :until, :now)
ON CONFLICT (lane) DO UPDATE SET failures = excluded.failures, until_ms = excluded.until_ms, last_ms = excluded.last_ms
-- name: brake.drop
DELETE FROM signin_brake WHERE lane = :lane
-- name: brake.purge
DELETE FROM signin_brake WHERE last_ms < :before
-- name: place.known
SELECT seen_ms FROM signin_place WHERE person_id = :person AND place = :place AND seen_ms >= :since
-- name: place.keep
INSERT INTO signin_place (person_id, place, seen_ms) VALUES (:person, :place, :now)
ON CONFLICT (person_id, place) DO UPDATE SET seen_ms = excluded.seen_ms
-- name: place.purge
DELETE FROM signin_place WHERE person_id = :person AND (seen_ms < :before OR place NOT IN
(SELECT s.place FROM signin_place s WHERE s.person_id = :person ORDER BY s.seen_ms DESC, s.place LIMIT :keep))
