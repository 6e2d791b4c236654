-- SPDX-License-Identifier: Apache-2.0
-- What is looked up by something else than its key, with each request or each page: without these a lookup reads the whole table.
CREATE INDEX device_spki ON device (spki_sha256);          -- every request on the device port
CREATE INDEX device_component ON device (component_id);
CREATE INDEX document_product ON document (product_id);
CREATE INDEX lab_job_lab ON lab_job (lab_org_id, created_ms);
CREATE INDEX lab_job_case ON lab_job (case_id);
CREATE INDEX lab_job_product ON lab_job (product_id);
CREATE INDEX outcome_status_cell ON outcome_status (product_id, outcome, component_id);
CREATE INDEX case_file_applicant ON case_file (applicant_org_id);
CREATE INDEX case_file_cla ON case_file (cla_org_id);
CREATE INDEX case_file_lab ON case_file (lab_org_id);
CREATE INDEX case_file_product ON case_file (product_id);
CREATE INDEX clock_case ON clock (case_id);
CREATE INDEX clock_due ON clock (due_ms) WHERE done_ms IS NULL AND fired_ms IS NULL;
CREATE INDEX task_case ON task (case_id);
CREATE INDEX task_org ON task (org_id);
CREATE INDEX decision_case ON decision (case_id);
CREATE INDEX certificate_case ON certificate (case_id);
CREATE INDEX certificate_product ON certificate (product_id);
CREATE INDEX authorisation_certificate ON authorisation (certificate_id);
CREATE INDEX record_certificate ON record (certificate_id);
CREATE INDEX record_product ON record (product_id);
CREATE INDEX record_published ON record (published_ms);
CREATE INDEX statement_decision ON statement (decision_id);
CREATE INDEX session_person ON session (person_id);
