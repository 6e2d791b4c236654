-- SPDX-License-Identifier: Apache-2.0
-- On whose behalf a change was made; the lines of before have none, and their hashes stay what they are.
ALTER TABLE audit ADD COLUMN org_id TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_org ON audit (org_id, seq);
