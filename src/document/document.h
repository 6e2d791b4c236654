/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents: named bytes in the blob store that belong to a product or a case. They are added, never changed: a new
 * edition is a new row, so what a decision rested on stays what it was.
 */
#ifndef CTM_DOCUMENT_DOCUMENT_H
#define CTM_DOCUMENT_DOCUMENT_H
#include "base/id.h"
#include "http/app.h"

extern const struct ctm_routes ctm_document_routes;

struct ctm_document {
	const char *product_id, *case_id;      /* either may be NULL */
	const char *kind, *title, *digest, *media_type, *author_id;
	const char *visibility;                /* "case" or "public" */
	int64_t size;
};
/* Add a row; the bytes are in the blob store already. */
CTM_CHECK int ctm_document_add(struct ctm_db *db, int64_t now_ms, const struct ctm_document *d, char out_id[CTM_UUID_MAX], struct ctm_err *err);

int ctm_prepare_document(struct ctm_cx *cx);
int ctm_uc_document_add(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_document_list(struct ctm_cx *cx, ctm_json *out);
int ctm_uc_document_content(struct ctm_cx *cx, ctm_json *out);
#endif
