/* SPDX-License-Identifier: Apache-2.0
 *
 * Documents of products. Who may see the product may read its documents; a public document of a product with a public
 * record is everybody's. Bytes from outside are sent as a download, never shown inside our pages, unless they are
 * plain text or a PDF or picture whose first bytes say so too.
 */
#include "document/document.h"
#include "base/text.h"
#include "event/timeline.h"
#include "identity/identity.h"
#include "product/product.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define DOCUMENT_MAX (16u << 20)

static const char *const kinds_known[] = { "disclosure_policy", "security_txt", "user_guide", "support_policy", "design_assumptions", "component_list", "outcome_map",
	"design_support", "maintenance", "lifecycle", "vulnerability_handling", "ecosystem", "risk_assessment", "design", "data_catalogue", "agent_consent", "certificate", "report",
	"label", "other", NULL };

int ctm_document_add(struct ctm_db *db, int64_t now_ms, const struct ctm_document *d, char out_id[CTM_UUID_MAX], struct ctm_err *err)
{
	char id[CTM_UUID_MAX];
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(db, "document.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "product", d->product_id);
	ctm_q_text(q, "case_id", d->case_id);
	ctm_q_text(q, "kind", d->kind);
	ctm_q_text(q, "title", d->title);
	ctm_q_text(q, "digest", d->digest);
	ctm_q_text(q, "media_type", d->media_type);
	ctm_q_int(q, "size", d->size);
	ctm_q_text(q, "author", d->author_id);
	ctm_q_text(q, "visibility", d->visibility);
	ctm_q_int(q, "now", now_ms);
	int rc = ctm_q_run(q, NULL, err);
	if (!rc)
		memcpy(out_id, id, sizeof id);
	return rc;
}

/* What the bytes are, by their beginning; the sender's word is not asked. */
static const char *sniff(const char *p, size_t n)
{
	if (n > 5 && !memcmp(p, "%PDF-", 5))
		return "application/pdf";
	if (n > 8 && !memcmp(p, "\x89PNG\r\n\x1a\n", 8))
		return "image/png";
	if (n > 3 && !memcmp(p, "\xff\xd8\xff", 3))
		return "image/jpeg";
	return ctm_text_printable(p, n) || (ctm_utf8_valid(p, n) && !memchr(p, 0, n)) ? "text/plain; charset=utf-8" : "application/octet-stream";
}

int ctm_prepare_document(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *product = NULL;
	CTM_AUTO_BUF b = CTM_BUF(DOCUMENT_MAX);
	int rc = ctm_product_mine(cx, ctm_in(cx, "id"), &product);
	if (rc || (rc = ctm_blob_get(ctm_app_blobs(cx->app), cx->upload.digest, DOCUMENT_MAX, &b, cx->err)))
		return rc;
	if (!b.len)
		return ctm_fail(cx->err, CTM_E_INPUT, "body", NULL, "the document is empty");
	if (!(cx->prepared = ctm_json_obj()) || ctm_json_sets(cx->prepared, "media_type", sniff(b.p, b.len)))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	return 0;
}

int ctm_uc_document_add(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *product = NULL, *after = ctm_json_obj();
	const char *id = ctm_in(cx, "id"), *visibility = ctm_in(cx, "visibility");
	char doc_id[CTM_UUID_MAX], line[300];
	int rc = ctm_product_mine(cx, id, &product);
	if (rc)
		return rc;
	struct ctm_document d = { .product_id = id, .kind = ctm_in(cx, "kind"), .title = ctm_in(cx, "title"), .digest = cx->upload.digest,
		.media_type = ctm_json_gets(cx->prepared, "media_type"), .author_id = cx->who->person_id, .visibility = visibility ? visibility : "case", .size = cx->upload.size };
	if ((rc = ctm_document_add(cx->db, cx->now_ms, &d, doc_id, cx->err)))
		return rc;
	ctm_json_sets(after, "product_id", id);
	ctm_json_sets(after, "kind", d.kind);
	ctm_json_sets(after, "digest", d.digest);
	ctm_json_sets(after, "visibility", d.visibility);
	snprintf(line, sizeof line, "Document added: %.200s.", d.title);
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "product", id, ctm_who_name(cx->who), line, d.digest, cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "document.add", "document", doc_id, NULL, after, cx->err)))
		return rc;
	ctm_json_sets(out, "id", doc_id);
	ctm_json_sets(out, "kind", d.kind);
	ctm_json_sets(out, "digest", d.digest);
	ctm_json_seti(out, "size", d.size);
	return ctm_json_sets(out, "media_type", d.media_type);
}

int ctm_uc_document_list(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *product = NULL;
	ctm_json *list = NULL, *head = ctm_json_obj(), *kinds = ctm_json_arr();
	const char *id = ctm_in(cx, "id");
	int rc = ctm_product_seen(cx, id, &product);
	if (!rc) {
		struct ctm_q *q = ctm_q(cx->db, "document.of_product");
		ctm_q_text(q, "product", id);
		rc = ctm_q_rows(q, 500, &list, cx->err);
	}
	if (rc) {
		ctm_json_free(head);
		ctm_json_free(kinds);
		return rc;
	}
	ctm_json_sets(head, "id", id);
	ctm_json_sets(head, "name", ctm_json_gets(product, "name"));
	for (size_t i = 0; kinds_known[i]; i++)
		ctm_json_adds(kinds, kinds_known[i]);
	ctm_json_set(out, "product", head);
	ctm_json_setb(out, "may_edit", ctm_product_editor(cx->who) && ctm_streq(ctm_json_gets(product, "org_id"), cx->who->org_id));
	ctm_json_set(out, "kinds", kinds);
	return ctm_json_set(out, "documents", list);
}

/* Is there a row for this statement with one parameter (and the viewer's organisation)? */
static bool there_is(struct ctm_cx *cx, const char *statement, const char *param, const char *value, bool org)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, statement);
	struct ctm_err ignored = { 0 };
	bool row = false;
	ctm_q_text(q, param, value);
	if (org)
		ctm_q_text(q, "org", cx->who->org_id);
	return !ctm_q_step(q, &row, &ignored) && row;
}

static bool may_read(struct ctm_cx *cx, const ctm_json *doc)
{
	const char *product = ctm_json_gets(doc, "product_id"), *case_id = ctm_json_gets(doc, "case_id");
	if (product && ctm_streq(ctm_json_gets(doc, "visibility"), "public") && there_is(cx, "document.product_public", "product", product, false))
		return true;
	if (!cx->who->org_id[0])
		return false;
	if (case_id && there_is(cx, "document.party", "case_id", case_id, true))
		return true;
	CTM_AUTO_JSON *row = NULL;
	return product && !case_id && !ctm_product_seen(cx, product, &row);
}

int ctm_uc_document_content(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *doc = NULL;
	CTM_AUTO_BUF b = CTM_BUF(DOCUMENT_MAX);
	int rc;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "document.get");
		ctm_q_text(q, "id", ctm_in(cx, "id"));
		rc = ctm_q_one(q, cx->err);
		if (rc && rc != CTM_E_NOTFOUND)
			return rc;
		if (!rc)
			doc = ctm_q_row(q);
	}
	if (rc || !may_read(cx, doc)) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such document");
	}
	if ((rc = ctm_blob_get(ctm_app_blobs(cx->app), ctm_json_gets(doc, "digest"), DOCUMENT_MAX, &b, cx->err)))
		return rc;
	const char *copy = ctm_arena_ndup(cx->arena, b.p, b.len), *type = ctm_arena_dup(cx->arena, ctm_json_gets(doc, "media_type"));
	if (!copy || !type)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "the document cannot be sent");
	bool shown = ctm_streq(type, "application/pdf") || ctm_starts(type, "text/plain") || ctm_starts(type, "image/");
	cx->raw = (struct ctm_raw){ .type = shown ? type : "application/octet-stream", .p = copy, .n = b.len,
		.filename = shown ? NULL : ctm_arena_printf(cx->arena, "%s-%.8s", ctm_json_gets(doc, "kind"), ctm_in(cx, "id")) };
	return 0;
}
