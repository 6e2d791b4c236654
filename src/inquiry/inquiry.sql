-- SPDX-License-Identifier: Apache-2.0
-- One row per thing that answers a question, each with the scope of the organisation that asks. rank 0 is the thing itself by its
-- number or serial, 1 what goes by that number, 2 a name that holds the words.
-- name: inquiry.find
SELECT 0 AS rank, 'device' AS kind, d.id, d.serial AS title, p.name || ', ' || c.name AS about, d.state
FROM device d JOIN component c ON c.id = d.component_id JOIN product p ON p.id = c.product_id WHERE p.org_id = :org AND upper(d.serial) = upper(:q)
UNION ALL
SELECT CASE WHEN upper(f.number) = upper(:q) THEN 0 ELSE 1 END, 'case', f.id, f.number, COALESCE(p.name, ''), f.state
FROM case_file f LEFT JOIN product p ON p.id = f.product_id
WHERE (f.applicant_org_id = :org OR ((f.cla_org_id = :org OR f.lab_org_id = :org) AND (f.filed_ms IS NOT NULL OR f.kind <> 'application')))
  AND (upper(f.number) = upper(:q) OR f.id IN (SELECT t.case_id FROM certificate t WHERE upper(t.number) = upper(:q)))
UNION ALL
SELECT 0, 'job', j.id, j.report_number, p.name, j.state
FROM lab_job j JOIN product p ON p.id = j.product_id LEFT JOIN case_file f ON f.id = j.case_id
WHERE j.report_number <> '' AND upper(j.report_number) = upper(:q) AND (j.lab_org_id = :org OR ((f.applicant_org_id = :org OR f.cla_org_id = :org) AND j.state = 'reported'))
UNION ALL
SELECT CASE WHEN p.gtin = :q OR upper(p.fcc_id) = upper(:q) THEN 0 ELSE 2 END, 'product', p.id, p.name, o.name || ', ' || p.model, ''
FROM product p JOIN organisation o ON o.id = p.org_id
WHERE (p.org_id = :org OR EXISTS (SELECT 1 FROM case_file f WHERE f.product_id = p.id AND (f.lab_org_id = :org OR f.cla_org_id = :org)
    AND (f.filed_ms IS NOT NULL OR f.kind <> 'application')))
  AND (p.gtin = :q OR upper(p.fcc_id) = upper(:q) OR lower(p.name) LIKE lower(:like) ESCAPE '!' OR lower(p.model) LIKE lower(:like) ESCAPE '!')
UNION ALL
SELECT CASE WHEN upper(r.id) = upper(:q) THEN 0 ELSE CASE WHEN p.gtin = :q OR upper(p.fcc_id) = upper(:q) THEN 1 ELSE 2 END END,
  'record', r.id, r.id, p.name || ', ' || o.name, r.status
FROM record r JOIN product p ON p.id = r.product_id JOIN organisation o ON o.id = p.org_id JOIN certificate t ON t.id = r.certificate_id
WHERE r.published_ms IS NOT NULL AND (upper(r.id) = upper(:q) OR p.gtin = :q OR upper(p.fcc_id) = upper(:q) OR upper(t.number) = upper(:q)
  OR lower(p.name) LIKE lower(:like) ESCAPE '!' OR lower(p.model) LIKE lower(:like) ESCAPE '!' OR lower(o.name) LIKE lower(:like) ESCAPE '!')
UNION ALL
SELECT CASE WHEN lower(n.email) = lower(:q) OR lower(n.name) = lower(:q) THEN 0 ELSE 2 END, 'person', n.id, n.name, n.email, ''
FROM person n WHERE (:all = '1' OR EXISTS (SELECT 1 FROM membership m WHERE m.person_id = n.id AND m.org_id = :org))
  AND (lower(n.name) LIKE lower(:like) ESCAPE '!' OR lower(n.email) = lower(:q))
ORDER BY 1, 2, 4 LIMIT 51
-- Audit lines of one organisation (all with ''), newest first, with the names of those who acted.
-- name: inquiry.changes
SELECT a.seq, a.at_ms, a.actor, COALESCE(p.name, d.serial, '') AS name, COALESCE(o.name, '') AS org, a.action, a.kind, a.subject,
  a.before_json AS before_text, a.after_json AS after_text, a.hash,
  COALESCE(sp.name, so.name, sr.name, sc.number, sd.serial, '') AS about
FROM audit a LEFT JOIN person p ON p.id = a.actor LEFT JOIN device d ON d.id = a.actor LEFT JOIN organisation o ON o.id = a.org_id
  LEFT JOIN person sp ON a.kind = 'person' AND sp.id = a.subject LEFT JOIN organisation so ON a.kind = 'organisation' AND so.id = a.subject
  LEFT JOIN product sr ON a.kind = 'product' AND sr.id = a.subject LEFT JOIN case_file sc ON a.kind = 'case' AND sc.id = a.subject
  LEFT JOIN device sd ON a.kind = 'device' AND sd.id = a.subject
WHERE (:org = '' OR a.org_id = :org) AND a.seq < :before AND (:kind = '' OR a.kind = :kind) AND a.at_ms >= :from AND a.at_ms < :to
  AND (:who = '' OR a.actor = :who OR lower(COALESCE(p.name, d.serial, a.actor)) LIKE lower(:like) ESCAPE '!')
ORDER BY a.seq DESC LIMIT :max
