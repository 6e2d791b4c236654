/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of products, components and releases. What the pages get:
 *
 * "product/list" (GET /products)           {may_edit, products:[PRODUCT as in identity/routes.c]}
 *      with may_edit the page shows the form POST /products {name, model, category, intended_use, summary?, gtin?, fcc_id?}
 *
 * "product/product" (GET /products/{id})
 *   {product:{id, name, model, category, intended_use, summary, gtin, fcc_id, maker, maker_id, status, support_end|null, version|null,
 *             certificate|null, record_id|null, registry:{the maker's fields}, registry_complete:bool, has_picture:bool, row_version},
 *    may_edit, mine:bool (the viewer belongs to the maker), missing:[text] (what an application would still lack), ready:bool,
 *    components:[{id, kind, name, in_scope:bool, carve_out, built, enrolled,
 *                 releases:[{id, version, state, draft:bool, support_end, security_counter, image_digest, manifest_digest, sbom_digest,
 *                            declaration_digest, sbom:{components, subject{}, missing:[], warnings:[]}, published_ms|null, missing:[text]}]}],
 *    matrix:MATRIX|null, documents:[DOCUMENT], devices:[DEVICE] (first 50), device_count, cases:[CASE], jobs:[JOB],
 *    records:[{id, status, version, published_ms}], timeline:[{at_ms, actor, what, ref}] (newest first, 200),
 *    clas:[{id, name}], labs:[{id, name}] (for the application form; only with mine)}
 *      MATRIX    {product_id, job_id|null, components:[{id, name, kind}], rows:[{outcome, text, cells:[{outcome, component_id, component, status, count,
 *                 newest_ms|null, why, product_id, job_id|null}]}], counts:{met, not_met, undetermined, not_applicable, empty}}
 *                status: met, not_met, undetermined, not_applicable, or "" where nothing is known; a cell opens
 *                /products/{product_id}/cells/{component_id}/{outcome}
 *      DOCUMENT  {id, kind, title, digest, media_type, size, author, visibility, created_ms}     bytes: /api/v1/documents/ID/content
 *      DEVICE    see device/routes.c, JOB see lab/desk/routes.c, CASE see identity/routes.c
 *   forms: POST /products/{id}/components {kind, name}; POST /components/{id}/releases {version, support_end, security_counter};
 *          POST /releases/{id}/publish {}; POST /products/{id}/registry (flat fields, see the rows)
 *
 * "product/cell" (GET /products/{id}/cells/{component_id}/{outcome}?job=)
 *   {product:{id, name}, component:{id, name, kind}, outcome, text, status, why, at_ms|null, job_id|null,
 *    evidence:[{id, check_id, kind, method, verdict, digest, title, author, at_ms, job_id|null}]}
 */
