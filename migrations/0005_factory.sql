-- SPDX-License-Identifier: Apache-2.0
-- Where units come from: a maker's factory authorities (IEEE 802.1AR IDevID issuers), batches of serials, and a key on its way in.
CREATE TABLE factory_ca (
  id TEXT PRIMARY KEY,
  org_id TEXT NOT NULL REFERENCES organisation(id),
  name TEXT NOT NULL,
  pem TEXT NOT NULL,
  spki_sha256 TEXT NOT NULL,
  not_after_ms BIGINT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('active','retired')),
  created_ms BIGINT NOT NULL,
  row_version BIGINT NOT NULL DEFAULT 1,
  UNIQUE (org_id, spki_sha256)
);
CREATE TABLE batch (                         -- serials allotted to one production run
  id TEXT PRIMARY KEY,
  component_id TEXT NOT NULL REFERENCES component(id),
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  first BIGINT NOT NULL,                     -- number of its first serial
  units BIGINT NOT NULL,                     -- how many serials
  digits BIGINT NOT NULL,                    -- serial = prefix, number with so many digits
  created_ms BIGINT NOT NULL,
  created_by TEXT NOT NULL DEFAULT ''
);
CREATE INDEX batch_component ON batch (component_id);
CREATE INDEX batch_prefix ON batch (prefix);
ALTER TABLE device ADD COLUMN batch_id TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN idevid_spki TEXT NOT NULL DEFAULT '';   -- key of its IDevID as the factory told it; '' when it has none
ALTER TABLE device ADD COLUMN next_spki TEXT NOT NULL DEFAULT '';     -- renewed key: believed beside the old one until it is first used
ALTER TABLE device ADD COLUMN next_cert TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN cert_until_ms BIGINT NOT NULL DEFAULT 0;
CREATE INDEX device_next_spki ON device (next_spki);
CREATE INDEX device_batch ON device (batch_id);
