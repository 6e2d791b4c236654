-- SPDX-License-Identifier: Apache-2.0
-- The link of an open invitation, sealed under keys/people.key, so that it can be mailed again or handed over; emptied when it is used or revoked.
ALTER TABLE invitation ADD COLUMN sealed TEXT NOT NULL DEFAULT '';
