/* SPDX-License-Identifier: Apache-2.0
 * Inside of product: the use cases and preparations named by the rows in routes.c. */
#ifndef CTM_PRODUCT_USE_CASES_H
#define CTM_PRODUCT_USE_CASES_H
#include "http/app.h"

/* product.c */
int ctm_uc_product_list(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_product_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_component_add(struct ctm_cx *cx, ctm_json *out);
/* page.c */
int ctm_uc_product_get(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_product_api(struct ctm_cx *cx, ctm_json *out);      /* the same with the members of `product` on the outside too */
int ctm_uc_product_cell(struct ctm_cx *cx, ctm_json *out);
/* registry_fields.c */
int ctm_uc_product_registry(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_product_registry_form(struct ctm_cx *cx, ctm_json *out);
/* picture.c */
int ctm_prepare_picture(struct ctm_cx *cx);
int ctm_uc_product_picture(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_product_picture_get(struct ctm_cx *cx, ctm_json *out);
/* release.c */
int ctm_uc_release_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_release_get(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_release_image(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_release_manifest(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_release_sbom(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_release_declaration(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_release_publish(struct ctm_cx *cx, ctm_json *out);
/* release_check.c */
int ctm_prepare_manifest(struct ctm_cx *cx);
int ctm_prepare_sbom(struct ctm_cx *cx);
int ctm_prepare_declaration(struct ctm_cx *cx);
int ctm_prepare_publish(struct ctm_cx *cx);
#endif
