/* SPDX-License-Identifier: Apache-2.0
 *
 * The product's picture: PNG or JPEG, at most 512 KiB, judged by its first bytes. It becomes public with the record; before
 * that it is seen by those who may see the product.
 */
#include "product/product.h"
#include "product/use_cases.h"
#include "base/text.h"
#include "identity/identity.h"
#include "store/audit.h"
#include <string.h>

#define PICTURE_MAX (512 * 1024)

static const char *kind_of(const char *p, size_t n)
{
	if (n > 8 && !memcmp(p, "\x89PNG\r\n\x1a\n", 8))
		return "image/png";
	return n > 3 && !memcmp(p, "\xff\xd8\xff", 3) ? "image/jpeg" : NULL;
}

int ctm_prepare_picture(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *product = NULL;
	CTM_AUTO_BUF b = CTM_BUF(PICTURE_MAX);
	int rc = ctm_product_mine(cx, ctm_in(cx, "id"), &product);
	if (rc || (rc = ctm_blob_get(ctm_app_blobs(cx->app), cx->upload.digest, PICTURE_MAX, &b, cx->err)))
		return rc;
	if (!kind_of(ctm_buf_cstr(&b), b.len))
		return ctm_fail(cx->err, CTM_E_UNSUPPORTED, "body", NULL, "a picture is PNG or JPEG");
	return 0;
}

int ctm_uc_product_picture(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *row = NULL, *before = ctm_json_obj(), *after = ctm_json_obj();
	const char *id = ctm_in(cx, "id");
	int rc = ctm_product_mine(cx, id, &row);
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "product.set_picture");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "digest", cx->upload.digest);
	ctm_json_sets(before, "picture", ctm_json_gets(row, "picture_digest"));
	ctm_json_sets(after, "picture", cx->upload.digest);
	if ((rc = ctm_q_run(q, NULL, cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "product.picture", "product", id, before, after, cx->err)))
		return rc;
	return ctm_json_sets(out, "digest", cx->upload.digest);
}

int ctm_uc_product_picture_get(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *row = NULL, *records = NULL;
	const char *id = ctm_in(cx, "id");
	struct ctm_q *q = ctm_q(cx->db, "product.records");
	ctm_q_text(q, "id", id);
	int rc = ctm_q_rows(q, 1, &records, cx->err);
	if (rc)
		return rc;
	if (ctm_json_len(records)) {
		CTM_AUTO_Q *g = ctm_q(cx->db, "product.get");
		ctm_q_text(g, "id", id);
		if ((rc = ctm_q_one(g, cx->err)))
			return rc;
		row = ctm_q_row(g);
	} else if ((rc = ctm_product_seen(cx, id, &row)))
		return rc;
	const char *digest = ctm_json_gets(row, "picture_digest");
	if (!digest)
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "this product has no picture");
	CTM_AUTO_BUF b = CTM_BUF(PICTURE_MAX);
	if ((rc = ctm_blob_get(ctm_app_blobs(cx->app), digest, PICTURE_MAX, &b, cx->err)))
		return rc;
	const char *copy = ctm_arena_ndup(cx->arena, b.p, b.len), *type = kind_of(ctm_buf_cstr(&b), b.len);
	if (!copy || !type)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "the picture cannot be sent");
	cx->raw = (struct ctm_raw){ .type = type, .p = copy, .n = b.len };
	return 0;
}
