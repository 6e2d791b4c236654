-- SPDX-License-Identifier: Apache-2.0
-- name: registry.statement_add
INSERT INTO statement (id, record_id, version, kind, status, reason, decision_id, step, intent_json, at_ms)
VALUES (:id, :record, :version, :kind, :status, :reason, :decision, 'intent', :intent, :now)
-- name: registry.statement
SELECT s.id, s.record_id, s.version, s.kind, s.status, s.reason, s.decision_id, s.step, s.intent_json, s.cose_digest, s.log_index, s.proof_digest, s.at_ms, r.product_id
FROM statement s JOIN record r ON r.id = s.record_id WHERE s.id = :id
-- name: registry.statement_of_decision
SELECT id, step FROM statement WHERE decision_id = :decision
-- name: registry.statement_last
SELECT version, status, step FROM statement WHERE record_id = :record ORDER BY version DESC LIMIT 1
-- name: registry.statement_step
UPDATE statement SET step = :step, cose_digest = COALESCE(:cose, cose_digest), log_index = COALESCE(:log_index, log_index),
  proof_digest = COALESCE(:proof, proof_digest) WHERE id = :id AND step = :from
-- What must be in the log before this version of the record.
-- name: registry.statement_before
SELECT id FROM statement WHERE record_id = :record AND version < :version AND log_index IS NULL LIMIT 1
-- name: registry.history
SELECT version, kind, status, reason, step, log_index, proof_digest, at_ms FROM statement WHERE record_id = :record ORDER BY version DESC LIMIT 200
-- name: registry.proof
SELECT proof_digest, version, log_index FROM statement WHERE record_id = :record AND proof_digest <> '' AND (version = :version OR :version = 0) ORDER BY version DESC LIMIT 1
