/* SPDX-License-Identifier: Apache-2.0
 * Inside of product: one release's row, and what each kind of component must have before it is published. */
#ifndef CTM_PRODUCT_RELEASE_H
#define CTM_PRODUCT_RELEASE_H
#include "http/app.h"

/* The release's row as JSON (release.get) when its maker is asking. NOTFOUND otherwise. */
CTM_CHECK int ctm_release_mine(struct ctm_cx *cx, const char *id, ctm_json **out);
/* The same, and it must still be a draft (STATE). */
CTM_CHECK int ctm_release_draft(struct ctm_cx *cx, const char *id, ctm_json **out);
/* What is still missing before this release can be published: array of words, never NULL but for lack of memory.
 * row: needs kind, image_digest, manifest_digest, sbom_digest, declaration_digest, support_end. */
ctm_json *ctm_release_missing(const ctm_json *row, const char *kind);
#endif
