-- SPDX-License-Identifier: Apache-2.0
-- The first hour: a password and an authenticator app as the fallback, recovery codes, brakes on guessing, invitations, time zones.
ALTER TABLE person ADD COLUMN zone TEXT NOT NULL DEFAULT '';          -- IANA name; empty: the platform's
ALTER TABLE session ADD COLUMN auth_ms BIGINT NOT NULL DEFAULT 0;     -- when the person last proved who they are
CREATE TABLE password (
  person_id TEXT PRIMARY KEY REFERENCES person(id),
  hash TEXT NOT NULL,                        -- Argon2id with its parameters and salt (crypto/pwhash.h)
  characters BIGINT NOT NULL,                -- how long it is: alone it must be longer
  set_ms BIGINT NOT NULL,
  used_ms BIGINT
);
CREATE TABLE totp (                          -- RFC 6238; the secret is sealed under keys/people.key
  person_id TEXT NOT NULL REFERENCES person(id),
  state TEXT NOT NULL CHECK (state IN ('offered','active')),
  sealed TEXT NOT NULL,
  step BIGINT NOT NULL DEFAULT 0,            -- last step that was used: none at or before it counts again
  made_ms BIGINT NOT NULL,
  used_ms BIGINT,
  PRIMARY KEY (person_id, state)
);
CREATE TABLE recovery_code (
  person_id TEXT NOT NULL REFERENCES person(id),
  hash TEXT NOT NULL,                        -- Argon2id, hex; one salt for the set
  salt TEXT NOT NULL,
  made_ms BIGINT NOT NULL,
  used_ms BIGINT,
  PRIMARY KEY (person_id, hash)
);
CREATE TABLE signin_brake (                  -- failed attempts of a lane (identity/brake.h)
  lane TEXT PRIMARY KEY,
  failures BIGINT NOT NULL,
  until_ms BIGINT NOT NULL,
  last_ms BIGINT NOT NULL
);
CREATE TABLE signin_place (                  -- addresses a person signed in from: they keep a lane of their own
  person_id TEXT NOT NULL REFERENCES person(id),
  place TEXT NOT NULL,                       -- SHA-256 of person and address
  seen_ms BIGINT NOT NULL,
  PRIMARY KEY (person_id, place)
);
CREATE TABLE invitation (
  id TEXT PRIMARY KEY,
  token_hash TEXT NOT NULL UNIQUE,
  org_id TEXT NOT NULL REFERENCES organisation(id),
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  roles TEXT NOT NULL,                       -- "maker.owner,maker.engineer"
  invited_by TEXT NOT NULL REFERENCES person(id),
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL,
  used_ms BIGINT,
  revoked_ms BIGINT,
  mail TEXT NOT NULL CHECK (mail IN ('none','waiting','sent','refused')),
  mail_why TEXT NOT NULL DEFAULT '',
  row_version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX invitation_org ON invitation (org_id, created_ms);
