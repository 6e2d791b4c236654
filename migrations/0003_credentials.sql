-- SPDX-License-Identifier: Apache-2.0
-- Passkeys, and what a person wants to know about their sessions.
ALTER TABLE session ADD COLUMN agent TEXT NOT NULL DEFAULT '';        -- User-Agent as sent, printable ASCII, at most 200 bytes
ALTER TABLE session ADD COLUMN seen_ms BIGINT NOT NULL DEFAULT 0;     -- last use, to ten minutes
ALTER TABLE session ADD COLUMN how TEXT NOT NULL DEFAULT 'link';      -- link, passkey, password, recovery, switch
CREATE TABLE passkey (                       -- WebAuthn Level 2 credentials; only the public key is here
  id TEXT PRIMARY KEY,
  person_id TEXT NOT NULL REFERENCES person(id),
  credential TEXT NOT NULL UNIQUE,           -- credential id, base64url
  alg BIGINT NOT NULL,                       -- COSE: -7 ES256, -8 EdDSA
  public_key TEXT NOT NULL,                  -- hex: x and y, or the Ed25519 key
  sign_count BIGINT NOT NULL,
  name TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  used_ms BIGINT
);
CREATE INDEX passkey_person ON passkey (person_id);
CREATE TABLE passkey_challenge (             -- asked, not yet answered; a row is taken once, whatever the answer is worth
  value TEXT PRIMARY KEY,
  purpose TEXT NOT NULL CHECK (purpose IN ('create','get')),
  person_id TEXT NOT NULL DEFAULT '',        -- who registers; empty for sign-in
  expires_ms BIGINT NOT NULL
);
