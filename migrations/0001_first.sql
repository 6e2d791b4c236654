-- SPDX-License-Identifier: Apache-2.0
-- Truth tables. Keys are UUIDv7 text; *_ms are milliseconds UTC; *_json is JSON text; digests are "sha256:hex".
-- Every row a person can change has row_version. Portable to both engines: TEXT, BIGINT, BLOB twins later.

CREATE TABLE organisation (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('maker','lab','cla','lead_administrator','authority','accreditation_body','platform')),
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  contact TEXT NOT NULL DEFAULT '',          -- public contact: mail or address
  facts_json TEXT NOT NULL DEFAULT '{}',     -- lab: accreditation, scope, expiry, recognition; cla: accreditation; maker: country, us_agent
  created_ms BIGINT NOT NULL,
  row_version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE person (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  locale TEXT NOT NULL DEFAULT 'en',
  disabled_ms BIGINT,
  created_ms BIGINT NOT NULL,
  row_version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE membership (
  person_id TEXT NOT NULL REFERENCES person(id),
  org_id TEXT NOT NULL REFERENCES organisation(id),
  role TEXT NOT NULL,                        -- "maker.owner" ...
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (person_id, org_id, role)
);
CREATE TABLE signin (                        -- one-time links; only the hash of the token is stored
  token_hash TEXT PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES person(id),
  org_id TEXT NOT NULL REFERENCES organisation(id),
  expires_ms BIGINT NOT NULL,
  used_ms BIGINT
);
CREATE TABLE session (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  person_id TEXT NOT NULL REFERENCES person(id),
  org_id TEXT NOT NULL REFERENCES organisation(id),
  csrf TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('browser','api')),
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  revoked_ms BIGINT
);

CREATE TABLE product (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES organisation(id),
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  category TEXT NOT NULL,
  intended_use TEXT NOT NULL,
  summary TEXT NOT NULL DEFAULT '',
  gtin TEXT NOT NULL DEFAULT '',
  fcc_id TEXT NOT NULL DEFAULT '',
  registry_json TEXT NOT NULL DEFAULT '{}',  -- maker-supplied fields of 47 CFR 8.222(b): see docs/architecture.md
  picture_digest TEXT,
  marketing_end_ms BIGINT,
  created_ms BIGINT NOT NULL,
  row_version BIGINT NOT NULL DEFAULT 1,
  UNIQUE (org_id, model)
);
CREATE TABLE component (
  id TEXT PRIMARY KEY,
  product_id TEXT NOT NULL REFERENCES product(id),
  kind TEXT NOT NULL CHECK (kind IN ('device','gateway','app','backend','product')),  -- 'product': hidden, the product as a whole
  name TEXT NOT NULL,
  in_scope BIGINT NOT NULL DEFAULT 1,
  carve_out TEXT NOT NULL DEFAULT '',        -- risk assessment reference when not in scope
  created_ms BIGINT NOT NULL,
  row_version BIGINT NOT NULL DEFAULT 1,
  UNIQUE (product_id, name)
);
CREATE TABLE release (
  id TEXT PRIMARY KEY,
  component_id TEXT NOT NULL REFERENCES component(id),
  version TEXT NOT NULL,
  image_digest TEXT NOT NULL DEFAULT '',
  manifest_digest TEXT NOT NULL DEFAULT '',
  sbom_digest TEXT NOT NULL DEFAULT '',
  sbom_json TEXT NOT NULL DEFAULT '{}',      -- summary made by the sandboxed parser: format, components, version of the subject
  declaration_digest TEXT NOT NULL DEFAULT '',
  declaration_json TEXT NOT NULL DEFAULT '{}',
  support_end TEXT NOT NULL,                 -- YYYY-MM-DD
  security_counter BIGINT NOT NULL DEFAULT 0,
  state TEXT NOT NULL CHECK (state IN ('draft','published','withdrawn')),
  published_ms BIGINT,
  created_ms BIGINT NOT NULL,
  row_version BIGINT NOT NULL DEFAULT 1,
  UNIQUE (component_id, version)
);
CREATE TABLE document (
  id TEXT PRIMARY KEY,
  product_id TEXT REFERENCES product(id),
  case_id TEXT,
  kind TEXT NOT NULL,                        -- disclosure_policy, user_guide, risk_assessment, design, support_policy, data_catalogue, certificate, report, label, ...
  title TEXT NOT NULL,
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  author_id TEXT NOT NULL,
  visibility TEXT NOT NULL DEFAULT 'case' CHECK (visibility IN ('case','public')),
  created_ms BIGINT NOT NULL
);

CREATE TABLE device (
  id TEXT PRIMARY KEY,
  component_id TEXT NOT NULL REFERENCES component(id),
  serial TEXT NOT NULL UNIQUE,               -- the maker's printed serial
  code_hash TEXT NOT NULL DEFAULT '',        -- one-time enrolment code
  state TEXT NOT NULL CHECK (state IN ('built','enrolled','retired')),
  cert_sha256 TEXT NOT NULL DEFAULT '',
  spki_sha256 TEXT NOT NULL DEFAULT '',
  claimed_version TEXT NOT NULL DEFAULT '',
  booted_version TEXT NOT NULL DEFAULT '',
  verified_version TEXT NOT NULL DEFAULT '',
  health TEXT NOT NULL DEFAULT '',           -- likely-normal, likely-degraded
  state_json TEXT NOT NULL DEFAULT '{}',     -- last state report
  boot_counter BIGINT NOT NULL DEFAULT 0,
  last_seq BIGINT NOT NULL DEFAULT 0,        -- last report sequence number: replays are refused
  suspect TEXT NOT NULL DEFAULT '',          -- why this unit may have a clone; empty when nothing speaks for it
  enrol_tries BIGINT NOT NULL DEFAULT 0,     -- attempts to enrol since the last good one
  enrol_locked_ms BIGINT NOT NULL DEFAULT 0, -- no attempt is looked at before this time
  last_seen_ms BIGINT,
  enrolled_ms BIGINT,
  created_ms BIGINT NOT NULL,
  row_version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE timeline (                      -- one line per thing that happened to a device, product, case or record
  id TEXT PRIMARY KEY,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,                       -- person name or "device SERIAL" or "ctm"
  what TEXT NOT NULL,                        -- plain sentence
  ref TEXT NOT NULL DEFAULT '',              -- digest or id of the proof
  public BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX timeline_subject ON timeline (subject_kind, subject_id, at_ms);

CREATE TABLE lab_job (                       -- an evaluation of one baseline for one case (or a rehearsal without)
  id TEXT PRIMARY KEY,
  lab_org_id TEXT NOT NULL REFERENCES organisation(id),
  product_id TEXT NOT NULL REFERENCES product(id),
  case_id TEXT,
  rehearsal BIGINT NOT NULL DEFAULT 0,
  state TEXT NOT NULL CHECK (state IN ('planned','approved','running','sealed','reported')),
  plan_digest TEXT NOT NULL DEFAULT '',
  plan_json TEXT NOT NULL DEFAULT '{}',
  challenge TEXT NOT NULL,                   -- one-time value the bundle must carry
  tester_id TEXT, approver_id TEXT,
  bundle_digest TEXT UNIQUE,                 -- one bundle, once
  result_json TEXT NOT NULL DEFAULT '{}',    -- the bundle's report.json
  verdicts_json TEXT NOT NULL DEFAULT '{}',  -- how many checks ended with which verdict
  report_digest TEXT NOT NULL DEFAULT '', report_html_digest TEXT NOT NULL DEFAULT '',   -- report.json and report.html to the byte
  report_number TEXT,
  reporter_id TEXT,                          -- who issued the report
  created_ms BIGINT NOT NULL,
  sealed_ms BIGINT, reported_ms BIGINT,
  row_version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE run_progress (                  -- live state of each check while a run goes on; rebuildable
  job_id TEXT NOT NULL REFERENCES lab_job(id),
  check_id TEXT NOT NULL,
  component TEXT NOT NULL,
  verdict TEXT NOT NULL,                     -- WAITING RUNNING PASS FAIL INCONCLUSIVE NOT_APPLICABLE NOT_RUN ERROR
  note TEXT NOT NULL DEFAULT '',
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (job_id, check_id, component)
);
CREATE TABLE evidence (
  id TEXT PRIMARY KEY,
  product_id TEXT NOT NULL REFERENCES product(id),
  component_id TEXT NOT NULL REFERENCES component(id),
  job_id TEXT REFERENCES lab_job(id),
  outcome TEXT NOT NULL,                     -- catalogue id, "SU.1"
  check_id TEXT NOT NULL DEFAULT '',
  kind TEXT NOT NULL CHECK (kind IN ('observation','document','attestation','field_fact','import')),
  method TEXT NOT NULL CHECK (method IN ('test','inspection','attestation')),
  verdict TEXT NOT NULL,
  digest TEXT NOT NULL,
  title TEXT NOT NULL,
  author TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE INDEX evidence_cell ON evidence (product_id, outcome, component_id);
CREATE TABLE outcome_status (                -- the matrix; rebuildable from sealed results
  product_id TEXT NOT NULL REFERENCES product(id),
  job_id TEXT NOT NULL REFERENCES lab_job(id),
  component_id TEXT NOT NULL REFERENCES component(id),
  outcome TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('met','not_met','undetermined','not_applicable')),
  why TEXT NOT NULL DEFAULT '',
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (job_id, outcome, component_id)
);

CREATE TABLE case_file (
  id TEXT PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,               -- CASE-2026-000123
  kind TEXT NOT NULL,                        -- application, change, surveillance, complaint ...
  pack TEXT NOT NULL, pack_version TEXT NOT NULL,
  state TEXT NOT NULL,
  product_id TEXT REFERENCES product(id),
  applicant_org_id TEXT REFERENCES organisation(id),
  cla_org_id TEXT REFERENCES organisation(id),
  lab_org_id TEXT REFERENCES organisation(id),
  prior_case_id TEXT,                        -- earlier denied application, if any
  data_json TEXT NOT NULL DEFAULT '{}',      -- application: declarations, signatures, baseline, screening
  opened_ms BIGINT NOT NULL,
  filed_ms BIGINT, accepted_ms BIGINT, decided_ms BIGINT, closed_ms BIGINT,
  row_version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE case_event (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL REFERENCES case_file(id),
  seq BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  person_id TEXT NOT NULL,                   -- or "ctm" for clocks
  event TEXT NOT NULL,
  from_state TEXT NOT NULL, to_state TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '',
  data_json TEXT NOT NULL DEFAULT '{}',
  UNIQUE (case_id, seq)
);
CREATE TABLE case_person (                   -- who did what on the case; guards read this
  case_id TEXT NOT NULL REFERENCES case_file(id),
  person_id TEXT NOT NULL,
  part TEXT NOT NULL,                        -- applicant, evaluator, intake, reviewer, decider, approver
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (case_id, person_id, part)
);
CREATE TABLE clock (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL REFERENCES case_file(id),
  rule TEXT NOT NULL,                        -- T-REV-FILE
  pack TEXT NOT NULL,
  started_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  done_ms BIGINT,
  tolled_ms BIGINT,
  fired_ms BIGINT,
  whose TEXT NOT NULL                        -- applicant, lab, cla, authority
);
CREATE TABLE task (
  id TEXT PRIMARY KEY,
  case_id TEXT REFERENCES case_file(id),
  role TEXT NOT NULL,
  org_id TEXT NOT NULL,
  person_id TEXT,
  title TEXT NOT NULL,
  link TEXT NOT NULL,
  due_ms BIGINT,
  created_ms BIGINT NOT NULL,
  done_ms BIGINT
);
CREATE TABLE decision (
  id TEXT PRIMARY KEY,
  case_id TEXT NOT NULL REFERENCES case_file(id),
  kind TEXT NOT NULL CHECK (kind IN ('grant','denial','dismissal','suspension','reinstatement','withdrawal')),
  reasons_json TEXT NOT NULL DEFAULT '[]',   -- [{requirement, component, text, finding}]
  approvals_json TEXT NOT NULL DEFAULT '[]', -- [{person_id, part, at_ms}]
  decided_by TEXT NOT NULL,
  digest TEXT NOT NULL,                      -- canonical JSON of the decision, in the blob store
  at_ms BIGINT NOT NULL
);
CREATE TABLE certificate (                   -- scheme
  id TEXT PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,               -- CTM-2026-000001
  case_id TEXT NOT NULL REFERENCES case_file(id),
  product_id TEXT NOT NULL REFERENCES product(id),
  baseline_json TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('in_force','suspended','withdrawn','expired')),
  valid_from TEXT NOT NULL, valid_to TEXT NOT NULL,
  decision_id TEXT NOT NULL REFERENCES decision(id),
  created_ms BIGINT NOT NULL,
  row_version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE authorisation (                 -- law: 47 CFR 8.209, ends only as 8.213 says
  id TEXT PRIMARY KEY,
  certificate_id TEXT NOT NULL REFERENCES certificate(id),
  product_id TEXT NOT NULL REFERENCES product(id),
  granted_on TEXT NOT NULL,
  issuing_authority TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('active','set_aside','revoked','withdrawn','rescinded','surrendered','terminated')),
  ended_ms BIGINT,
  row_version BIGINT NOT NULL DEFAULT 1
);

CREATE TABLE record (                        -- public registry record; never deleted
  id TEXT PRIMARY KEY,                       -- public id
  product_id TEXT NOT NULL REFERENCES product(id),
  certificate_id TEXT NOT NULL REFERENCES certificate(id),
  status TEXT NOT NULL CHECK (status IN ('authorised','suspended','withdrawn','terminated','expired','set_aside','unsupported','not_authorised')),
  version BIGINT NOT NULL,
  content_json TEXT NOT NULL,                -- the eleven fields and the public view
  published_ms BIGINT,
  row_version BIGINT NOT NULL DEFAULT 1
);
CREATE TABLE statement (                     -- what was signed and logged about a record, in order
  id TEXT PRIMARY KEY,
  record_id TEXT NOT NULL REFERENCES record(id),
  version BIGINT NOT NULL,
  kind TEXT NOT NULL,                        -- grant, suspension, reinstatement, withdrawal
  status TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  decision_id TEXT NOT NULL,
  step TEXT NOT NULL CHECK (step IN ('intent','signed','logged','proved','published')),
  intent_json TEXT NOT NULL,                 -- canonical JSON to be signed; never changes
  cose_digest TEXT NOT NULL DEFAULT '',
  log_index BIGINT,
  proof_digest TEXT NOT NULL DEFAULT '',
  at_ms BIGINT NOT NULL,
  UNIQUE (record_id, version)
);

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  before_json TEXT NOT NULL DEFAULT 'null',
  after_json TEXT NOT NULL DEFAULT 'null',
  prev_hash TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE TABLE event (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  data_json TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
CREATE TABLE job (
  id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  job_key TEXT NOT NULL DEFAULT '',
  payload_json TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting','leased','done','failed')),
  run_at_ms BIGINT NOT NULL,
  lease_ms BIGINT,
  attempts BIGINT NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  created_ms BIGINT NOT NULL,
  done_ms BIGINT
);
CREATE INDEX job_waiting ON job (state, run_at_ms);
CREATE UNIQUE INDEX job_once ON job (kind, job_key) WHERE job_key <> '' AND state = 'waiting';   -- one waiting job per key; a running one does not count
CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL);   -- human numbers: case, certificate, report per year
