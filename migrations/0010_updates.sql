-- SPDX-License-Identifier: Apache-2.0
-- Update repositories of makers (TUF) and what devices are directed to run.
CREATE TABLE tuf_role (
  org_id TEXT NOT NULL REFERENCES organisation(id),
  role TEXT NOT NULL,                        -- root, targets, snapshot, timestamp, pl-MODEL, config-MODEL
  version BIGINT NOT NULL,
  digest TEXT NOT NULL,                      -- the document as it is served, in the blob store
  expires_ms BIGINT NOT NULL,
  published_ms BIGINT NOT NULL,
  PRIMARY KEY (org_id, role, version)
);
CREATE TABLE direction (
  device_id TEXT PRIMARY KEY REFERENCES device(id),
  counter BIGINT NOT NULL,                   -- of the newest statement signed for this device
  target TEXT NOT NULL,                      -- name of the image, empty when it is directed nowhere
  digest TEXT NOT NULL,                      -- of that image
  cose TEXT NOT NULL,                        -- the statement (ctm.director/1), base64
  until_ms BIGINT NOT NULL
);
