-- SPDX-License-Identifier: Apache-2.0
-- name: case.get
SELECT f.id, f.number, f.kind, f.pack, f.pack_version, f.state, f.product_id, f.applicant_org_id, f.cla_org_id, f.lab_org_id, f.prior_case_id, f.data_json,
  f.opened_ms, f.filed_ms, f.accepted_ms, f.decided_ms, f.closed_ms, f.row_version, p.name AS product, a.name AS maker, c.name AS cla, l.name AS lab,
  (SELECT k.due_ms FROM clock k WHERE k.case_id = f.id AND k.done_ms IS NULL ORDER BY k.due_ms LIMIT 1) AS due_ms,
  (SELECT k.rule FROM clock k WHERE k.case_id = f.id AND k.done_ms IS NULL ORDER BY k.due_ms LIMIT 1) AS rule
FROM case_file f LEFT JOIN product p ON p.id = f.product_id LEFT JOIN organisation a ON a.id = f.applicant_org_id
  LEFT JOIN organisation c ON c.id = f.cla_org_id LEFT JOIN organisation l ON l.id = f.lab_org_id WHERE f.id = :id
-- name: case.list
SELECT f.id, f.number, f.kind, f.pack, f.pack_version, f.state, f.product_id, f.applicant_org_id, f.cla_org_id, f.lab_org_id, f.opened_ms, f.filed_ms,
  p.name AS product, a.name AS maker,
  (SELECT k.due_ms FROM clock k WHERE k.case_id = f.id AND k.done_ms IS NULL ORDER BY k.due_ms LIMIT 1) AS due_ms,
  (SELECT k.rule FROM clock k WHERE k.case_id = f.id AND k.done_ms IS NULL ORDER BY k.due_ms LIMIT 1) AS rule
FROM case_file f LEFT JOIN product p ON p.id = f.product_id LEFT JOIN organisation a ON a.id = f.applicant_org_id
WHERE (f.applicant_org_id = :org OR ((f.cla_org_id = :org OR f.lab_org_id = :org) AND (f.filed_ms IS NOT NULL OR f.kind <> 'application')))
  AND (CAST(:product AS TEXT) IS NULL OR f.product_id = :product)
ORDER BY f.closed_ms IS NOT NULL, f.opened_ms DESC, f.id DESC LIMIT :max
-- name: case.insert
INSERT INTO case_file (id, number, kind, pack, pack_version, state, product_id, applicant_org_id, cla_org_id, lab_org_id, prior_case_id, data_json, opened_ms)
VALUES (:id, :number, :kind, :pack, :pack_version, :state, :product, :applicant, :cla, :lab, :prior, :data, :now)
-- name: case.move
UPDATE case_file SET state = :to, data_json = :data, lab_org_id = COALESCE(:lab, lab_org_id), filed_ms = COALESCE(:filed, filed_ms),
  accepted_ms = COALESCE(:accepted, accepted_ms), decided_ms = COALESCE(:decided, decided_ms), closed_ms = COALESCE(:closed, closed_ms), row_version = row_version + 1
WHERE id = :id AND row_version = :row_version AND state = :from
-- name: case.put_data
UPDATE case_file SET data_json = :data, row_version = row_version + 1 WHERE id = :id AND row_version = :row_version
-- name: case.number
INSERT INTO counter (name, value) VALUES (:name, 1) ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value
-- name: case.event_add
INSERT INTO case_event (id, case_id, seq, at_ms, person_id, event, from_state, to_state, note, data_json)
SELECT :id, :case, COALESCE(MAX(seq), 0) + 1, :now, :person, :event, :from, :to, :note, :data FROM case_event WHERE case_id = :case
-- name: case.events
SELECT e.seq, e.at_ms, e.event, e.from_state, e.to_state, e.note, COALESCE(p.name, e.person_id) AS person FROM case_event e
  LEFT JOIN person p ON p.id = e.person_id WHERE e.case_id = :case ORDER BY e.seq DESC
-- name: case.person_add
INSERT INTO case_person (case_id, person_id, part, at_ms) VALUES (:case, :person, :part, :now) ON CONFLICT DO NOTHING
-- name: case.person_part
SELECT part FROM case_person WHERE case_id = :case AND person_id = :person AND (CAST(:part AS TEXT) IS NULL OR part = :part) ORDER BY at_ms LIMIT 1
-- name: case.clock_start
INSERT INTO clock (id, case_id, rule, pack, started_ms, due_ms, whose) VALUES (:id, :case, :rule, :pack, :now, :due, :whose)
-- name: case.clock_stop
UPDATE clock SET done_ms = :now WHERE case_id = :case AND done_ms IS NULL AND (CAST(:rule AS TEXT) IS NULL OR rule = :rule)
-- name: case.clocks
SELECT rule, pack, whose, started_ms, due_ms, done_ms, fired_ms FROM clock WHERE case_id = :case ORDER BY done_ms IS NOT NULL, due_ms, id
-- name: case.clocks_due
SELECT k.id, k.case_id, k.rule, k.whose, k.due_ms, f.number, f.kind, f.pack, f.pack_version, f.state, f.cla_org_id, f.product_id FROM clock k
  JOIN case_file f ON f.id = k.case_id WHERE k.done_ms IS NULL AND k.fired_ms IS NULL AND k.tolled_ms IS NULL AND k.due_ms < :now ORDER BY k.due_ms LIMIT 200
-- name: case.clock_fire
UPDATE clock SET fired_ms = :now WHERE id = :id AND fired_ms IS NULL AND done_ms IS NULL
-- name: case.task_add
INSERT INTO task (id, case_id, role, org_id, title, link, due_ms, created_ms) VALUES (:id, :case, :role, :org, :title, :link, :due, :now)
-- name: case.tasks_done
UPDATE task SET done_ms = :now WHERE case_id = :case AND done_ms IS NULL
-- name: case.tasks
SELECT t.id, t.case_id, t.role, t.title, t.link, t.due_ms, t.created_ms FROM task t WHERE t.org_id = :org AND t.done_ms IS NULL
ORDER BY t.due_ms IS NULL, t.due_ms, t.created_ms LIMIT 200
