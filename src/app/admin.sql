-- SPDX-License-Identifier: Apache-2.0
-- What ctm fsck asks the engine itself.
-- name: fsck.references
PRAGMA foreign_key_check
-- name: fsck.references engine: postgresql
SELECT CAST(conrelid AS regclass)::text AS "table", CAST(confrelid AS regclass)::text AS parent FROM pg_constraint WHERE contype = 'f' AND NOT convalidated
-- name: fsck.engine
PRAGMA integrity_check(5)
-- name: fsck.engine engine: postgresql
SELECT coalesce((SELECT 'indexes that are not valid: ' || string_agg(CAST(indexrelid AS regclass)::text, ', ') FROM pg_index WHERE NOT indisvalid), 'ok')
  AS integrity_check
-- name: fsck.digests
SELECT 'release' AS place, id, image_digest AS digest FROM release WHERE image_digest <> ''
UNION ALL SELECT 'release', id, manifest_digest FROM release WHERE manifest_digest <> ''
UNION ALL SELECT 'release', id, sbom_digest FROM release WHERE sbom_digest <> ''
UNION ALL SELECT 'release', id, declaration_digest FROM release WHERE declaration_digest <> ''
UNION ALL SELECT 'document', id, digest FROM document
UNION ALL SELECT 'decision', id, digest FROM decision
UNION ALL SELECT 'lab_job', id, bundle_digest FROM lab_job WHERE bundle_digest IS NOT NULL
UNION ALL SELECT 'statement', id, cose_digest FROM statement WHERE cose_digest <> ''
UNION ALL SELECT 'statement', id, proof_digest FROM statement WHERE proof_digest <> ''
-- name: fsck.statements
SELECT id, record_id, version, step, cose_digest, proof_digest, COALESCE(log_index, -1) AS log_index FROM statement ORDER BY log_index, id
