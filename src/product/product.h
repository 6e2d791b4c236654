/* SPDX-License-Identifier: Apache-2.0
 *
 * Products: who may see one, and what is shown of it. A maker sees its own products; a lab and a label administrator see
 * those that are on one of their cases or jobs; for anybody else the product does not exist (NOTFOUND, never FORBIDDEN).
 */
#ifndef CTM_PRODUCT_PRODUCT_H
#define CTM_PRODUCT_PRODUCT_H
#include "http/app.h"

extern const struct ctm_routes ctm_product_routes;

/* The product's row as JSON {id, org_id, name, model, category, intended_use, summary, gtin, fcc_id, registry{}, picture_digest, row_version,
 * maker} when the viewer may see it; owned by the caller. */
CTM_CHECK int ctm_product_seen(struct ctm_cx *cx, const char *id, ctm_json **out);
/* The same for a change: the viewer's organisation must be the maker. */
CTM_CHECK int ctm_product_mine(struct ctm_cx *cx, const char *id, ctm_json **out);
/* May this person change products at all? */
bool ctm_product_editor(const struct ctm_who *who);
/* PRODUCT items (identity/routes.c) of all products the viewer may see, or of one (id). */
CTM_CHECK int ctm_product_items(struct ctm_cx *cx, const char *id, ctm_json **out);
/* A component's row {id, product_id, kind, name, in_scope, carve_out, org_id, model, product, maker} for a change by its maker. */
CTM_CHECK int ctm_component_mine(struct ctm_cx *cx, const char *id, ctm_json **out);
/* A component's row when the viewer may see its product. */
CTM_CHECK int ctm_component_seen(struct ctm_cx *cx, const char *id, ctm_json **out);
#endif
