/* SPDX-License-Identifier: Apache-2.0
 *
 * Organisations: makers, labs, label administrators and the rest of the scheme. Names and contacts of labs and
 * administrators are public; those of makers are seen by the operator and by their own people.
 */
#include "identity/people.h"
#include "base/text.h"
#include "store/audit.h"
#include <string.h>

static const char *const kinds[] = { "maker", "lab", "cla", "lead_administrator", "authority", "accreditation_body", "platform" };

bool ctm_org_kind_ok(const char *kind)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (ctm_streq(kind, kinds[i]))
			return true;
	return false;
}

int ctm_organisation_add(struct ctm_db *db, int64_t now_ms, const char *actor, const char *kind, const char *name, const char *slug,
	const char *contact, const ctm_json *facts, char out_id[CTM_UUID_MAX], struct ctm_err *err)
{
	if (!ctm_org_kind_ok(kind))
		return ctm_fail(err, CTM_E_INPUT, "kind", NULL, "an organisation is one of maker, lab, cla, lead_administrator, authority, accreditation_body");
	if (facts && ctm_json_type(facts) != CTM_J_OBJ)
		return ctm_fail(err, CTM_E_INPUT, "facts", NULL, "facts are a JSON object, for example {\"accreditation\": \"...\"}");
	CTM_AUTO_BUF text = CTM_BUF(16384);
	int rc;
	if (!facts)
		ctm_buf_str(&text, "{}");
	else if ((rc = ctm_json_compact(facts, &text)))
		return ctm_fail(err, rc, "facts", NULL, "facts take at most 16 KiB");
	if ((rc = ctm_buf_err(&text, "facts", err)))
		return rc;
	char id[CTM_UUID_MAX];
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(db, "organisation.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "kind", kind);
	ctm_q_text(q, "name", name);
	ctm_q_text(q, "slug", slug);
	ctm_q_text(q, "contact", contact ? contact : "");
	ctm_q_text(q, "facts", ctm_buf_cstr(&text));
	ctm_q_int(q, "now", now_ms);
	if ((rc = ctm_q_run(q, NULL, err)))
		return rc == CTM_E_EXISTS ? (ctm_err_clear(err), ctm_fail(err, CTM_E_EXISTS, "slug", NULL, "another organisation has the short name \"%s\"", slug)) : rc;
	CTM_AUTO_JSON *after = ctm_json_obj();
	ctm_json_sets(after, "kind", kind);
	ctm_json_sets(after, "name", name);
	ctm_json_sets(after, "slug", slug);
	if ((rc = ctm_audit(db, now_ms, actor, "organisation.add", "organisation", id, NULL, after, err)))
		return rc;
	memcpy(out_id, id, sizeof id);
	return 0;
}

int ctm_uc_organisation_add(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_jc root = ctm_jc_root(cx->body, "body");
	static const char *const keys[] = { "kind", "name", "slug", "contact", "facts" };
	const char *kind, *name, *slug, *contact;
	struct ctm_jc facts;
	int rc;
	if ((rc = ctm_jc_is(&root, CTM_J_OBJ, cx->err)) || (rc = ctm_jc_only(&root, keys, 5, cx->err)) ||
		(rc = ctm_jc_str(&root, "kind", 1, 32, &kind, cx->err)) || (rc = ctm_jc_str(&root, "name", 1, 120, &name, cx->err)) ||
		(rc = ctm_jc_str(&root, "slug", 1, 48, &slug, cx->err)) || (rc = ctm_jc_opt_str(&root, "contact", 200, &contact, cx->err)))
		return rc;
	if (!ctm_text_printable(name, strlen(name)) || strchr(name, '\n'))
		return ctm_fail(cx->err, CTM_E_INPUT, "/name", NULL, "a name is one line of printable text");
	if (strspn(slug, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(slug))
		return ctm_fail(cx->err, CTM_E_INPUT, "/slug", NULL, "a short name has small letters, digits and hyphens only");
	if (contact && !ctm_text_printable(contact, strlen(contact)))
		return ctm_fail(cx->err, CTM_E_INPUT, "/contact", NULL, "a contact is printable text");
	if (ctm_streq(kind, "platform"))
		return ctm_fail(cx->err, CTM_E_INPUT, "/kind", NULL, "the platform organisation is made by ctm init, once");
	char id[CTM_UUID_MAX];
	if ((rc = ctm_organisation_add(cx->db, cx->now_ms, ctm_who_actor(cx->who), kind, name, slug, contact,
		ctm_jc_has(&root, "facts", &facts) ? facts.v : NULL, id, cx->err)))
		return rc;
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "kind", kind);
	ctm_json_sets(out, "name", name);
	return ctm_json_sets(out, "slug", slug);
}

int ctm_uc_organisation_list(struct ctm_cx *cx, ctm_json *out)
{
	bool all = cx->who->roles & CTM_ROLE_OPERATOR;
	struct ctm_q *q = ctm_q(cx->db, all ? "organisation.all" : "organisation.seen_by");
	if (!all)
		ctm_q_text(q, "org", cx->who->org_id);
	ctm_json *rows = NULL;
	int rc = ctm_q_rows(q, 1000, &rows, cx->err);
	return rc ? rc : ctm_json_set(out, "organisations", rows);
}
