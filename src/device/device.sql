-- SPDX-License-Identifier: Apache-2.0
-- name: device.add
INSERT INTO device (id, component_id, serial, code_hash, state, created_ms) VALUES (:id, :component, :serial, :code_hash, 'built', :now)
-- name: device.get
SELECT d.id, d.component_id, c.name AS component, c.product_id, p.name AS product, p.org_id, o.name AS maker, d.serial, d.state, d.health, d.claimed_version, d.booted_version,
  d.verified_version, d.suspect, d.last_seen_ms, d.enrolled_ms, d.created_ms, d.cert_sha256, d.spki_sha256, d.boot_counter, d.last_seq, d.cert_until_ms, d.next_spki, d.idevid_spki, d.batch_id,
  d.state_json AS report_json
FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id JOIN organisation o ON o.id = p.org_id WHERE d.id = :id
-- name: device.of_org
SELECT d.id, d.component_id, c.name AS component, c.product_id, p.name AS product, d.serial, d.state, d.health, d.claimed_version, d.booted_version, d.verified_version,
  d.suspect, d.last_seen_ms, d.enrolled_ms, d.created_ms
FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id
WHERE p.org_id = :org AND (:q = '' OR d.serial = :q) ORDER BY d.created_ms DESC, d.id DESC LIMIT 200
-- name: device.of_product
SELECT d.id, d.component_id, c.name AS component, c.product_id, p.name AS product, d.serial, d.state, d.health, d.claimed_version, d.booted_version, d.verified_version,
  d.suspect, d.last_seen_ms, d.enrolled_ms, d.created_ms
FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id
WHERE p.id = :product ORDER BY d.created_ms DESC, d.id DESC LIMIT 50
-- name: device.count
SELECT count(*) AS count, coalesce(sum(CASE WHEN d.state = 'built' THEN 1 ELSE 0 END), 0) AS built,
  coalesce(sum(CASE WHEN d.state = 'enrolled' THEN 1 ELSE 0 END), 0) AS enrolled,
  coalesce(sum(CASE WHEN d.health = 'likely-degraded' THEN 1 ELSE 0 END), 0) AS degraded, coalesce(sum(CASE WHEN d.suspect <> '' THEN 1 ELSE 0 END), 0) AS suspect
FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id WHERE p.org_id = :org
-- name: device.by_serial
SELECT d.id, d.state, d.code_hash, d.spki_sha256, d.next_spki, d.idevid_spki, d.enrol_tries, d.enrol_locked_ms, d.serial, p.org_id, o.name AS maker
FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id JOIN organisation o ON o.id = p.org_id WHERE d.serial = :serial
-- name: device.by_spki
SELECT id, serial FROM device WHERE spki_sha256 = :spki AND state = 'enrolled'
-- name: device.by_next_spki
SELECT id, serial FROM device WHERE next_spki = :spki AND state = 'enrolled'
-- name: device.key_taken
SELECT serial FROM device WHERE (spki_sha256 = :spki OR next_spki = :spki) AND id <> :id AND state = 'enrolled' LIMIT 1
-- name: device.try
UPDATE device SET enrol_tries = :tries, enrol_locked_ms = :locked WHERE id = :id
-- name: device.enrol
UPDATE device SET state = 'enrolled', code_hash = '', cert_sha256 = :cert, spki_sha256 = :spki, cert_until_ms = :until, next_spki = '', next_cert = '', enrolled_ms = :now, enrol_tries = 0, enrol_locked_ms = 0,
  row_version = row_version + 1 WHERE id = :id AND state = 'built' AND code_hash = :code_hash
-- name: device.renew_cert
UPDATE device SET cert_sha256 = :cert, cert_until_ms = :until, row_version = row_version + 1 WHERE id = :id AND state = 'enrolled' AND spki_sha256 = :spki
-- name: device.next_key
UPDATE device SET next_spki = :spki, next_cert = :cert, row_version = row_version + 1 WHERE id = :id AND state = 'enrolled'
-- name: device.promote
UPDATE device SET spki_sha256 = next_spki, cert_sha256 = next_cert, cert_until_ms = :until, next_spki = '', next_cert = '', row_version = row_version + 1
WHERE id = :id AND state = 'enrolled' AND next_spki = :spki
-- name: device.suspect
UPDATE device SET suspect = :why, row_version = row_version + 1 WHERE id = :id
-- name: device.reopen
UPDATE device SET state = 'built', code_hash = :code_hash, spki_sha256 = '', cert_sha256 = '', next_spki = '', next_cert = '', cert_until_ms = 0, suspect = '',
  enrol_tries = 0, enrol_locked_ms = 0, row_version = row_version + 1 WHERE id = :id AND state = 'enrolled'
-- name: device.retire
UPDATE device SET state = 'retired', code_hash = '', next_spki = '', row_version = row_version + 1 WHERE id = :id AND state <> 'retired'
-- name: device.report
UPDATE device SET claimed_version = :claimed, booted_version = :booted, verified_version = :verified, health = :health, state_json = :report,
  boot_counter = :boot_counter, last_seq = :seq, last_seen_ms = :now, suspect = :suspect, row_version = row_version + 1
WHERE id = :id AND state = 'enrolled' AND last_seq < :seq
-- name: device.beat
UPDATE device SET state_json = :report, boot_counter = :boot_counter, last_seq = :seq, last_seen_ms = :now, row_version = row_version + 1
WHERE id = :id AND state = 'enrolled' AND last_seq < :seq AND boot_counter <= :boot_counter AND claimed_version = :claimed AND booted_version = :booted
  AND verified_version = :verified AND health = :health AND (CAST(:serial AS TEXT) IS NULL OR serial = :serial)
-- name: device.standing
SELECT serial, state, health, claimed_version, booted_version, verified_version, suspect, boot_counter, last_seq, last_seen_ms FROM device WHERE id = :id
-- name: device.told
SELECT id FROM timeline WHERE subject_kind = 'device' AND subject_id = :id AND ref = :ref LIMIT 1
-- name: device.spread
SELECT e.at_ms, e.subject_id AS device, e.data_json FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id
  JOIN event e ON e.subject_kind = 'device' AND e.subject_id = d.id AND e.type = 'device.state'
WHERE p.org_id = :org AND d.state <> 'retired' ORDER BY e.at_ms, e.id
-- name: device.spread_releases
SELECT r.version, r.published_ms FROM release r JOIN component c ON c.id = r.component_id JOIN product p ON p.id = c.product_id
WHERE p.org_id = :org AND c.kind = 'device' AND r.published_ms >= :from ORDER BY r.published_ms LIMIT 40
-- Units that somebody should look at: degraded, under suspicion, or running another version than they claim.
-- name: device.attention
SELECT d.id, d.serial, p.name AS product, d.health, d.suspect, d.booted_version, d.last_seen_ms
FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id
WHERE p.org_id = :org AND d.state = 'enrolled' AND (d.health = 'likely-degraded' OR d.suspect <> '' OR d.claimed_version <> d.booted_version
  OR d.booted_version <> d.verified_version) ORDER BY d.suspect = '', d.last_seen_ms DESC, d.id LIMIT 20
