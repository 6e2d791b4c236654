-- SPDX-License-Identifier: Apache-2.0
-- name: document.add
INSERT INTO document (id, product_id, case_id, kind, title, digest, media_type, size, author_id, visibility, created_ms)
VALUES (:id, :product, :case_id, :kind, :title, :digest, :media_type, :size, :author, :visibility, :now)
-- name: document.get
SELECT id, product_id, case_id, kind, title, digest, media_type, size, visibility, created_ms FROM document WHERE id = :id
-- name: document.of_product
SELECT d.id, d.kind, d.title, d.digest, d.media_type, d.size, coalesce(p.name, 'ctm') AS author, d.visibility, d.created_ms, d.case_id
FROM document d LEFT JOIN person p ON p.id = d.author_id WHERE d.product_id = :product ORDER BY d.kind, d.created_ms DESC, d.id DESC LIMIT 500
-- name: document.party
SELECT id FROM case_file WHERE id = :case_id AND (applicant_org_id = :org OR ((lab_org_id = :org OR cla_org_id = :org) AND (filed_ms IS NOT NULL OR kind <> 'application')))
-- name: document.product_public
SELECT id FROM record WHERE product_id = :product AND published_ms IS NOT NULL LIMIT 1
