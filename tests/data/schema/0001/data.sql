-- SPDX-License-Identifier: Apache-2.0
-- Frozen: the store as schema version 1 left it, made by the programs of that version. Never edited; the next version gets its own directory.
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE schema_version (number BIGINT PRIMARY KEY, name TEXT NOT NULL, digest TEXT NOT NULL, applied_ms BIGINT NOT NULL);
INSERT INTO schema_version VALUES(1,'0001_first','sha256:35fed38d9a825a2fbbc930eca37478a381a72bc47be8d298cc2baa93d9281652',1795366884067);
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
INSERT INTO organisation VALUES('01a20434-9309-7b95-a98a-ca96dbbf426d','platform','Platform','platform','','{}',1795366884105,1);
INSERT INTO organisation VALUES('00000000-0000-7000-8000-000000000001','maker','Larkspur Porchworks (fictional)','larkspur','security@larkspur.example','{}',1,1);
INSERT INTO organisation VALUES('00000000-0000-7000-8000-000000000002','lab','Tidewater Bench (fictional)','tidewater','','{}',1,1);
INSERT INTO organisation VALUES('00000000-0000-7000-8000-000000000003','cla','Harborlight Certification (fictional)','harborlight','registry@harborlight.example','{}',1,1);
INSERT INTO organisation VALUES('01a20434-958f-708b-b297-3cdf5606fc0c','maker','Example 0 (fictional)','example-0','a@b.example','{}',1795366884751,1);
INSERT INTO organisation VALUES('01a20434-9590-7e39-9e8e-3e2a60b22025','maker','Example 1 (fictional)','example-1','a@b.example','{}',1795366884752,1);
INSERT INTO organisation VALUES('01a20434-9594-75e3-92a5-afe80976bfd9','maker','Example 2 (fictional)','example-2','a@b.example','{}',1795366884756,1);
INSERT INTO organisation VALUES('01a20434-9595-7d3b-89d3-36b8ff056bb5','maker','Example 3 (fictional)','example-3','a@b.example','{}',1795366884757,1);
INSERT INTO organisation VALUES('01a20434-9597-7087-ac95-a888189a99fd','maker','Example 4 (fictional)','example-4','a@b.example','{}',1795366884759,1);
CREATE TABLE person (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  locale TEXT NOT NULL DEFAULT 'en',
  disabled_ms BIGINT,
  created_ms BIGINT NOT NULL,
  row_version BIGINT NOT NULL DEFAULT 1
);
INSERT INTO person VALUES('01a20434-930a-7385-85ce-3444b1c5255f','Operator','operator@ctm.invalid','en',NULL,1795366884105,1);
INSERT INTO person VALUES('01a20434-94d4-7620-962a-5251e232851c','Ida Larkspur','ida@larkspur.example','en',NULL,1795366884564,1);
CREATE TABLE membership (
  person_id TEXT NOT NULL REFERENCES person(id),
  org_id TEXT NOT NULL REFERENCES organisation(id),
  role TEXT NOT NULL,                        -- "maker.owner" ...
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (person_id, org_id, role)
);
INSERT INTO membership VALUES('01a20434-930a-7385-85ce-3444b1c5255f','01a20434-9309-7b95-a98a-ca96dbbf426d','platform.operator',1795366884105);
INSERT INTO membership VALUES('01a20434-94d4-7620-962a-5251e232851c','00000000-0000-7000-8000-000000000001','maker.owner',1795366884567);
CREATE TABLE signin (                        -- one-time links; only the hash of the token is stored
  token_hash TEXT PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES person(id),
  org_id TEXT NOT NULL REFERENCES organisation(id),
  expires_ms BIGINT NOT NULL,
  used_ms BIGINT
);
INSERT INTO signin VALUES('sha256:c0977698bad6e244296353d2d0b2f443910ccad86bb144cc4e272080e27e171b','01a20434-930a-7385-85ce-3444b1c5255f','01a20434-9309-7b95-a98a-ca96dbbf426d',1795367784112,1795366884545);
INSERT INTO signin VALUES('sha256:2d4093bd6a124943fc650f0094e1fb699261a991ba5ff3643b95a05041008585','01a20434-94d4-7620-962a-5251e232851c','00000000-0000-7000-8000-000000000001',1795367784596,1795366884601);
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
INSERT INTO session VALUES('01a20434-94c1-772b-b2cc-24349a2357fd','sha256:261c0aa95b02b2fca20388f14fe943e2bcc89582b4440ccf042c0ef0e886f4cc','01a20434-930a-7385-85ce-3444b1c5255f','01a20434-9309-7b95-a98a-ca96dbbf426d','jtCK9A6gUPb_iuWNE_NcigO7mTaIL31aBQAgcPsF9dk','api',1795366884545,1795410084545,NULL);
INSERT INTO session VALUES('01a20434-94f9-7b3b-969e-ce58f493b6ba','sha256:0a880df95b5eb11769ebd9e384e8dc920eacffa02d9a59af209644953ad6c2a9','01a20434-94d4-7620-962a-5251e232851c','00000000-0000-7000-8000-000000000001','BPqqtCNCO5Y1llDrjVE9US92Sl7BFof4AaSOybUad70','api',1795366884601,1795410084601,NULL);
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
INSERT INTO product VALUES('00000000-0000-7000-8000-000000000011','00000000-0000-7000-8000-000000000001','Porch Camera','PC-1','camera','watching a porch','','04012345678901','2ABCD-PC1','{"default_password":{"changeable":true,"instructions":"In the app."},"secure_configuration":"Keep it as it comes.","updates":{"automatic":true},"support":{"end_date":"2099-12-31"},"bom":{"hbom":false,"sbom":true},"setup":"Scan.","report_problem":"mailto:a@larkspur.example"}',NULL,NULL,1,1);
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
INSERT INTO component VALUES('c-1','00000000-0000-7000-8000-000000000011','device','camera',1,'',1,1);
INSERT INTO component VALUES('c-2','00000000-0000-7000-8000-000000000011','app','app',1,'',1,1);
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
INSERT INTO device VALUES('00000000-0000-7000-8000-000000000100','c-1','PC1-LOAD-0','','enrolled','sha256:6eb05e33fc930ed1461eb4a7db5d1ab43834fcbb0395b7a4e4b1c4014e5f8e2f','sha256:61289097cf7a4d42af868a86b4f8a87f538638e2f969afbacefe609aa40e286c','1.0.0','1.0.0','1.0.0','likely-normal','{"seq":3,"version":{"claimed":"1.0.0","booted":"1.0.0","verified":"1.0.0"},"boot_counter":1,"health":"likely-normal","metrics":{"uptime_s":3}}',1,3,'',0,0,1795366884747,1795366884692,1,5);
INSERT INTO device VALUES('00000000-0000-7000-8000-000000000101','c-1','PC1-LOAD-1','','enrolled','sha256:0499a6fcac080c9882d7121cce766cb68c5af48e887fc7c01aecd4327d27b6fe','sha256:c0f3bbce0aa34c6396002018d84b438e065f8ea8edc244c79f12b6668a848951','1.0.0','1.0.0','1.0.0','likely-normal','{"seq":3,"version":{"claimed":"1.0.0","booted":"1.0.0","verified":"1.0.0"},"boot_counter":1,"health":"likely-normal","metrics":{"uptime_s":3}}',1,3,'',0,0,1795366884749,1795366884733,1,5);
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
INSERT INTO timeline VALUES('01a20434-9555-7024-b334-6c1dd352a6d1','device','00000000-0000-7000-8000-000000000100',1795366884692,'device PC1-LOAD-0','Enrolled with its own key.','sha256:6eb05e33fc930ed1461eb4a7db5d1ab43834fcbb0395b7a4e4b1c4014e5f8e2f',0);
INSERT INTO timeline VALUES('01a20434-957d-7f5c-9ae0-4111279e24c8','device','00000000-0000-7000-8000-000000000101',1795366884733,'device PC1-LOAD-1','Enrolled with its own key.','sha256:0499a6fcac080c9882d7121cce766cb68c5af48e887fc7c01aecd4327d27b6fe',0);
INSERT INTO timeline VALUES('01a20434-9581-786a-823e-1978e8895497','device','00000000-0000-7000-8000-000000000100',1795366884737,'device PC1-LOAD-0','Claims version 1.0.0, booted 1.0.0, verified 1.0.0; health likely-normal.','',0);
INSERT INTO timeline VALUES('01a20434-9584-745e-b79d-7e6d8e97dc23','device','00000000-0000-7000-8000-000000000101',1795366884740,'device PC1-LOAD-1','Claims version 1.0.0, booted 1.0.0, verified 1.0.0; health likely-normal.','',0);
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
INSERT INTO lab_job VALUES('j-1','00000000-0000-7000-8000-000000000002','00000000-0000-7000-8000-000000000011','00000000-0000-7000-8000-000000000021',0,'reported','','{}','c','p-2',NULL,NULL,'{}','{}','','','REP-1',NULL,1,NULL,5,1);
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
INSERT INTO outcome_status VALUES('00000000-0000-7000-8000-000000000011','j-1','c-1','AI.1','met','',1);
INSERT INTO outcome_status VALUES('00000000-0000-7000-8000-000000000011','j-1','c-2','AI.1','not_applicable','',1);
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
INSERT INTO case_file VALUES('00000000-0000-7000-8000-000000000021','CASE-2026-000001','application','law','1','GRANTED','00000000-0000-7000-8000-000000000011','00000000-0000-7000-8000-000000000001','00000000-0000-7000-8000-000000000003','00000000-0000-7000-8000-000000000002',NULL,'{}',1,NULL,NULL,NULL,NULL,1);
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
INSERT INTO case_person VALUES('00000000-0000-7000-8000-000000000021','p-1','evaluator',1);
INSERT INTO case_person VALUES('00000000-0000-7000-8000-000000000021','p-3','decider',2);
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
INSERT INTO decision VALUES('d-0','00000000-0000-7000-8000-000000000021','grant','[]','[]','p-3','sha256:1f49248ee2709c30f058b29ed2b125b74985b9b6d194567285d983116cb5537d',1);
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
INSERT INTO certificate VALUES('00000000-0000-7000-8000-000000000031','CTM-2026-000001','00000000-0000-7000-8000-000000000021','00000000-0000-7000-8000-000000000011','[{"component":"camera","kind":"device","version":"1.0.0","image_digest":"sha256:aa"}]','in_force','2026-11-22','2099-11-21','d-0',1,1);
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
INSERT INTO authorisation VALUES('a-1','00000000-0000-7000-8000-000000000031','00000000-0000-7000-8000-000000000011','2026-11-22','x','active',NULL,1);
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
INSERT INTO audit VALUES(1,1795366884105,'ctm init','organisation.add','organisation','01a20434-9309-7b95-a98a-ca96dbbf426d','null','{"kind":"platform","name":"Platform","slug":"platform"}','sha256:0000000000000000000000000000000000000000000000000000000000000000','sha256:9f7c44bde0f4e5d842bfe8b58c487739b8f604e5f6dc1b77b10cec1e33775f58');
INSERT INTO audit VALUES(2,1795366884105,'ctm init','person.add','person','01a20434-930a-7385-85ce-3444b1c5255f','null','{"name":"Operator"}','sha256:9f7c44bde0f4e5d842bfe8b58c487739b8f604e5f6dc1b77b10cec1e33775f58','sha256:7c92a6fa37f90738b52630a1f0bcec4c2351a98af80c937a07caa01ffc927e73');
INSERT INTO audit VALUES(3,1795366884105,'ctm init','membership.add','person','01a20434-930a-7385-85ce-3444b1c5255f','null','{"org_id":"01a20434-9309-7b95-a98a-ca96dbbf426d","role":"platform.operator"}','sha256:7c92a6fa37f90738b52630a1f0bcec4c2351a98af80c937a07caa01ffc927e73','sha256:9c4af6b3ae7e3ad1a8a93174cc77c9e429bd88744693324f8179184a703f0c5c');
INSERT INTO audit VALUES(4,1795366884545,'01a20434-930a-7385-85ce-3444b1c5255f','session.open','session','01a20434-94c1-772b-b2cc-24349a2357fd','null','{"org_id":"01a20434-9309-7b95-a98a-ca96dbbf426d","kind":"api"}','sha256:9c4af6b3ae7e3ad1a8a93174cc77c9e429bd88744693324f8179184a703f0c5c','sha256:7d5751fe2b6d54064bbae06213f7330ae9effcc87386994935b3ca9ae1fbac8f');
INSERT INTO audit VALUES(5,1795366884564,'01a20434-930a-7385-85ce-3444b1c5255f','person.add','person','01a20434-94d4-7620-962a-5251e232851c','null','{"name":"Ida Larkspur"}','sha256:7d5751fe2b6d54064bbae06213f7330ae9effcc87386994935b3ca9ae1fbac8f','sha256:db8e4bf3dea17daacfffb22389033d0bbacc66846606892cee25b34f3ada3119');
INSERT INTO audit VALUES(6,1795366884567,'01a20434-930a-7385-85ce-3444b1c5255f','membership.add','person','01a20434-94d4-7620-962a-5251e232851c','null','{"org_id":"00000000-0000-7000-8000-000000000001","role":"maker.owner"}','sha256:db8e4bf3dea17daacfffb22389033d0bbacc66846606892cee25b34f3ada3119','sha256:833e059a158e1e24a35ce74483fe4d4d4dadc382450e26c83c9d53476602716e');
INSERT INTO audit VALUES(7,1795366884596,'01a20434-930a-7385-85ce-3444b1c5255f','signin.link','person','01a20434-94d4-7620-962a-5251e232851c','null','{"org_id":"00000000-0000-7000-8000-000000000001"}','sha256:833e059a158e1e24a35ce74483fe4d4d4dadc382450e26c83c9d53476602716e','sha256:38b8ced967333643df6aad28c0aa50b2b3b8c5fdf396b499f300c82d5c7183fd');
INSERT INTO audit VALUES(8,1795366884601,'01a20434-94d4-7620-962a-5251e232851c','session.open','session','01a20434-94f9-7b3b-969e-ce58f493b6ba','null','{"org_id":"00000000-0000-7000-8000-000000000001","kind":"api"}','sha256:38b8ced967333643df6aad28c0aa50b2b3b8c5fdf396b499f300c82d5c7183fd','sha256:e07937cb0f1ce4d468ceb4f7418d5561f0b105be1dae61952f90492c75a7156c');
INSERT INTO audit VALUES(9,1795366884692,'00000000-0000-7000-8000-000000000100','device.enrol','device','00000000-0000-7000-8000-000000000100','null','{"serial":"PC1-LOAD-0","spki_sha256":"sha256:61289097cf7a4d42af868a86b4f8a87f538638e2f969afbacefe609aa40e286c"}','sha256:e07937cb0f1ce4d468ceb4f7418d5561f0b105be1dae61952f90492c75a7156c','sha256:b2dd9089825f132a680b4f0ba4be31be9388c76d63db9db8a92884961e828836');
INSERT INTO audit VALUES(10,1795366884733,'00000000-0000-7000-8000-000000000101','device.enrol','device','00000000-0000-7000-8000-000000000101','null','{"serial":"PC1-LOAD-1","spki_sha256":"sha256:c0f3bbce0aa34c6396002018d84b438e065f8ea8edc244c79f12b6668a848951"}','sha256:b2dd9089825f132a680b4f0ba4be31be9388c76d63db9db8a92884961e828836','sha256:1065a89ad2d842137cb5405e548cb5f5acf3acef5c8b035a555b9edaf43f5227');
INSERT INTO audit VALUES(11,1795366884751,'01a20434-930a-7385-85ce-3444b1c5255f','organisation.add','organisation','01a20434-958f-708b-b297-3cdf5606fc0c','null','{"kind":"maker","name":"Example 0 (fictional)","slug":"example-0"}','sha256:1065a89ad2d842137cb5405e548cb5f5acf3acef5c8b035a555b9edaf43f5227','sha256:479d3859a4ba10da1f5b2a5f61c4a0be6eaa51e8b191f82d32f7d35f018d332d');
INSERT INTO audit VALUES(12,1795366884752,'01a20434-930a-7385-85ce-3444b1c5255f','organisation.add','organisation','01a20434-9590-7e39-9e8e-3e2a60b22025','null','{"kind":"maker","name":"Example 1 (fictional)","slug":"example-1"}','sha256:479d3859a4ba10da1f5b2a5f61c4a0be6eaa51e8b191f82d32f7d35f018d332d','sha256:9e3a4ce0dfb38477e986f846b1b95dc5d6758b468c4d986164656c3ad65dbc20');
INSERT INTO audit VALUES(13,1795366884756,'01a20434-930a-7385-85ce-3444b1c5255f','organisation.add','organisation','01a20434-9594-75e3-92a5-afe80976bfd9','null','{"kind":"maker","name":"Example 2 (fictional)","slug":"example-2"}','sha256:9e3a4ce0dfb38477e986f846b1b95dc5d6758b468c4d986164656c3ad65dbc20','sha256:f599d219cdf630c5d2918bc46307d176fc05e048b87b1f75586d1df5b120fbb6');
INSERT INTO audit VALUES(14,1795366884757,'01a20434-930a-7385-85ce-3444b1c5255f','organisation.add','organisation','01a20434-9595-7d3b-89d3-36b8ff056bb5','null','{"kind":"maker","name":"Example 3 (fictional)","slug":"example-3"}','sha256:f599d219cdf630c5d2918bc46307d176fc05e048b87b1f75586d1df5b120fbb6','sha256:2789401b9f774057355212fc25722b32ed69b49314de8eec7bbd27a18f2beb05');
INSERT INTO audit VALUES(15,1795366884759,'01a20434-930a-7385-85ce-3444b1c5255f','organisation.add','organisation','01a20434-9597-7087-ac95-a888189a99fd','null','{"kind":"maker","name":"Example 4 (fictional)","slug":"example-4"}','sha256:2789401b9f774057355212fc25722b32ed69b49314de8eec7bbd27a18f2beb05','sha256:fe9cd5ca3ffe5920d6e83038556674cb2871d457ef67dd6d970ad40e0290ffb4');
CREATE TABLE event (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT NOT NULL,
  data_json TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
INSERT INTO event VALUES('01a20434-9555-7333-a1ed-5b9cb3aa33f1','device.enrolled','device','00000000-0000-7000-8000-000000000100','{"serial":"PC1-LOAD-0","spki_sha256":"sha256:61289097cf7a4d42af868a86b4f8a87f538638e2f969afbacefe609aa40e286c"}',1795366884692);
INSERT INTO event VALUES('01a20434-957e-7178-a312-c295256cb6e3','device.enrolled','device','00000000-0000-7000-8000-000000000101','{"serial":"PC1-LOAD-1","spki_sha256":"sha256:c0f3bbce0aa34c6396002018d84b438e065f8ea8edc244c79f12b6668a848951"}',1795366884733);
INSERT INTO event VALUES('01a20434-9581-7943-98f5-5b083e19950a','device.state','device','00000000-0000-7000-8000-000000000100','{"claimed":"1.0.0","booted":"1.0.0","verified":"1.0.0","health":"likely-normal","suspect":false}',1795366884737);
INSERT INTO event VALUES('01a20434-9584-7512-a328-d90ebe5bb808','device.state','device','00000000-0000-7000-8000-000000000101','{"claimed":"1.0.0","booted":"1.0.0","verified":"1.0.0","health":"likely-normal","suspect":false}',1795366884740);
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
CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
CREATE INDEX timeline_subject ON timeline (subject_kind, subject_id, at_ms);
CREATE INDEX evidence_cell ON evidence (product_id, outcome, component_id);
CREATE INDEX job_waiting ON job (state, run_at_ms);
CREATE UNIQUE INDEX job_once ON job (kind, job_key) WHERE job_key <> '' AND state = 'waiting';
COMMIT;
