/* SPDX-License-Identifier: Apache-2.0
 * The maker's public site; see site.h. */
#include "desk/site.h"
#include "base/text.h"

#define DOCUMENT_MAX (256u << 10)

/* The maker whose site this is. NOTFOUND when there is none, or several and no choice was made. */
static int site_maker(struct ctm_cx *cx, char org[40])
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "desk.site_maker");
	bool row = false;
	ctm_q_text(q, "slug", ctm_app_conf(cx->app, "site_org", NULL));
	int rc = ctm_q_one(q, cx->err);
	if (rc)
		return rc;
	ctm_copy(org, 40, ctm_q_str(q, "id"));
	rc = ctm_q_step(q, &row, cx->err);
	return !rc && row ? ctm_fail(cx->err, CTM_E_NOTFOUND, "site_org", NULL, "several makers live here; name one as site_org in ctm.json") : rc;
}

static int send_document(struct ctm_cx *cx, const char *kind, const char *type)
{
	char org[40];
	CTM_AUTO_Q *q = NULL;
	struct ctm_buf body = CTM_BUF(DOCUMENT_MAX);
	int rc = site_maker(cx, org);
	if (rc)
		return rc;
	q = ctm_q(cx->db, "desk.public_document");
	ctm_q_text(q, "org", org);
	ctm_q_text(q, "kind", kind);
	if ((rc = ctm_q_one(q, cx->err)))
		return rc;
	if (!(rc = ctm_blob_get(ctm_app_blobs(cx->app), ctm_q_str(q, "digest"), DOCUMENT_MAX, &body, cx->err))) {
		cx->raw.type = type;
		cx->raw.n = body.len;
		cx->raw.p = ctm_arena_ndup(cx->arena, ctm_buf_cstr(&body), body.len);
		cx->raw.cache = "max-age=300";
		rc = cx->raw.p ? 0 : ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the document");
	}
	ctm_buf_free(&body);
	return rc;
}

static int security_txt(struct ctm_cx *cx, ctm_json *out)
{
	(void)out;
	return send_document(cx, "security_txt", "text/plain; charset=utf-8");
}

static int policy(struct ctm_cx *cx, ctm_json *out)
{
	(void)out;
	return send_document(cx, "disclosure_policy", "text/plain; charset=utf-8");
}

static const struct ctm_route rows[] = {
	CTM_ROUTE("GET", "/.well-known/security.txt", CTM_PUBLIC, CTM_R_STATIC, .use_case = security_txt, .reply = "",
		.help = "How to report a security problem to the maker, for programs (RFC 9116)."),
	CTM_ROUTE("GET", "/security/policy", CTM_PUBLIC, CTM_R_STATIC, .use_case = policy, .reply = "",
		.help = "The maker's policy for disclosing security problems, for people."),
};
const struct ctm_routes ctm_desk_routes = { rows, sizeof rows / sizeof *rows };
