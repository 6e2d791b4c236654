-- SPDX-License-Identifier: Apache-2.0
-- What happened to one thing is found without reading what happened to all.
CREATE INDEX event_subject ON event (subject_kind, subject_id, at_ms);
