-- SPDX-License-Identifier: Apache-2.0
-- Which ctm serve holds a lease, by its instance number; 0: none that is known.
ALTER TABLE job ADD COLUMN lease_by BIGINT NOT NULL DEFAULT 0;
