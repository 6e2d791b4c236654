/* SPDX-License-Identifier: Apache-2.0
 *
 * Route rows of documents. What the pages get: "document/list" (GET /products/{id}/documents)
 *   {product:{id, name}, may_edit, documents:[DOCUMENT as in product/routes.c], kinds:[text]}
 */
