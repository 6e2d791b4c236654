-- SPDX-License-Identifier: Apache-2.0
-- name: desk.site_maker
SELECT id FROM organisation WHERE kind = 'maker' AND (CAST(:slug AS TEXT) IS NULL OR slug = :slug) ORDER BY created_ms LIMIT 2;

-- name: desk.public_document
SELECT d.digest, d.media_type, d.size FROM document d JOIN product p ON p.id = d.product_id
WHERE p.org_id = :org AND d.kind = :kind AND d.visibility = 'public' ORDER BY d.created_ms DESC, d.id DESC LIMIT 1;
