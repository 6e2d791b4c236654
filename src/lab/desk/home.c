/* SPDX-License-Identifier: Apache-2.0
 *
 * The first page of each role: what waits, and for whom. It stands in this room because it is the last of the shared nouns'
 * readers: it shows products, devices, evaluations and cases side by side, through their named statements. The shapes are
 * in identity/routes.c.
 */
#include "lab/desk/lab_job.h"
#include "case/engine.h"
#include "device/spread.h"
#include "identity/identity.h"
#include "product/product.h"

static int rows(struct ctm_cx *cx, const char *statement, bool org, const char *name, ctm_json *out)
{
	ctm_json *list = NULL;
	struct ctm_q *q = ctm_q(cx->db, statement);
	if (org)
		ctm_q_text(q, "org", cx->who->org_id);
	int rc = ctm_q_rows(q, 500, &list, cx->err);
	return rc ? rc : ctm_json_set(out, name, list);
}

static int one(struct ctm_cx *cx, const char *statement, bool org, const char *name, ctm_json *out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, statement);
	if (org)
		ctm_q_text(q, "org", cx->who->org_id);
	int rc = ctm_q_one(q, cx->err);
	return rc ? rc : ctm_json_set(out, name, ctm_q_row(q));
}

/* What waits for a role of the reader's own, soonest first. */
static int tasks(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *all = NULL;
	ctm_json *mine = ctm_json_arr();
	struct ctm_q *q = ctm_q(cx->db, "home.tasks");
	ctm_q_text(q, "org", cx->who->org_id);
	int rc = ctm_q_rows(q, 500, &all, cx->err), bad = 0;
	for (size_t i = 0; !rc && i < ctm_json_len(all); i++) {
		const ctm_json *t = ctm_json_at(all, i);
		int64_t due = ctm_json_geti(t, "due_ms", INT64_MAX);
		ctm_json *line = cx->who->roles & ctm_role_bit(ctm_json_gets(t, "role")) ? ctm_json_copy(t) : NULL;
		if (line)
			bad |= ctm_json_setb(line, "overdue", due < cx->now_ms) | ctm_json_add(mine, line);
	}
	bad |= ctm_json_set(out, "tasks", mine);
	return rc ? rc : bad ? ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the page") : 0;
}

static int home_public(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json_set(out, "query", ctm_json_news(NULL));
	return rows(cx, "home.recent", false, "recent", out);
}

static int home_maker(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *items = NULL;
	int rc = ctm_product_items(cx, NULL, &items);
	if (rc)
		return rc;
	ctm_json_set(out, "products", items);
	ctm_json_setb(out, "may_edit", ctm_product_editor(cx->who));
	ctm_json_setb(out, "engineer", (cx->who->roles & (CTM_ROLE_MAKER_ENGINEER | CTM_ROLE_MAKER_OWNER)) == CTM_ROLE_MAKER_ENGINEER);
	if ((rc = rows(cx, "home.cases", true, "waiting", out)) || (rc = tasks(cx, out)) || (rc = ctm_device_spread(cx, cx->who->org_id, out)) ||
		(rc = rows(cx, "device.attention", true, "attention", out)))
		return rc;
	return one(cx, "home.devices", true, "devices", out);
}

static int home_lab(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_lab_jobs(cx, out);
	ctm_json_setb(out, "may_create", (cx->who->roles & CTM_ROLE_LAB_MANAGER) != 0);
	if (rc || (rc = tasks(cx, out)))
		return rc;
	return rows(cx, "home.cases", true, "cases", out);
}

static int home_cla(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_case_inbox(cx, out);
	bool watches = cx->who->roles & CTM_ROLE_CLA_SURVEILLANCE;
	if (rc || (rc = ctm_json_del(out, "others")) || (rc = rows(cx, "home.closed", true, "closed", out)) || (rc = tasks(cx, out)))
		return rc;
	if ((rc = ctm_json_setb(out, "watches", watches)) || (watches && (rc = rows(cx, "home.watched", true, "watched", out))))
		return rc;
	const ctm_json *due = ctm_json_get(ctm_json_at(ctm_json_get(out, "inbox"), 0), "due_ms");
	return ctm_json_set(out, "oldest_due_ms", due ? ctm_json_copy(due) : ctm_json_news(NULL));
}

static int home_operator(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *people = NULL;
	int rc = ctm_people_list(cx->db, &people, cx->err);
	if (rc)
		return rc;
	ctm_json_set(out, "people", people);
	if ((rc = rows(cx, "organisation.all", false, "organisations", out)))
		return rc;
	return one(cx, "home.counts", false, "counts", out);
}

int ctm_uc_home(struct ctm_cx *cx, ctm_json *out)
{
	static const struct { unsigned roles; const char *kind; int (*fill)(struct ctm_cx *, ctm_json *); } desks[] = {
		{ CTM_ANY_MAKER, "maker", home_maker }, { CTM_ANY_LAB, "lab", home_lab }, { CTM_ANY_CLA, "cla", home_cla }, { CTM_ROLE_OPERATOR, "operator", home_operator },
		{ CTM_ROLE_ANON, "public", home_public },
	};
	for (size_t i = 0; i < sizeof desks / sizeof *desks; i++)
		if (cx->who->roles & desks[i].roles) {
			ctm_json_sets(out, "kind", desks[i].kind);
			return desks[i].fill(cx, out);
		}
	return ctm_fail(cx->err, CTM_E_FORBIDDEN, NULL, NULL, "there is no first page for this role");
}
