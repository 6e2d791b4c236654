-- SPDX-License-Identifier: Apache-2.0
-- name: timeline.add
INSERT INTO timeline (id, subject_kind, subject_id, at_ms, actor, what, ref) VALUES (:id, :kind, :subject, :at_ms, :actor, :what, :ref)
-- name: timeline.read
SELECT at_ms, actor, what, ref FROM timeline WHERE subject_kind = :kind AND subject_id = :subject ORDER BY at_ms DESC, id DESC LIMIT :max
