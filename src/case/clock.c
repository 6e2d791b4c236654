/* SPDX-License-Identifier: Apache-2.0
 *
 * Clocks and tasks. A clock is started with its end already computed from the case's edition of the pack; a later change of the
 * pack moves no clock that runs. For each clock a job is posted at its end, and every run of the job fires all that are
 * due, so that a lost or doubled job harms nothing.
 */
#include "case/engine_in.h"
#include "base/id.h"
#include "event/event.h"
#include "event/timeline.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define FIRE_MAX 200

int ctm_clock_start(struct ctm_cx *cx, const char *case_id, const struct ctm_rule *r, int64_t *due)
{
	char id[CTM_UUID_MAX], key[64];
	int64_t end = 0;
	int rc = ctm_rule_due(r, cx->now_ms, &end, cx->err);
	if (rc)
		return rc;
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(cx->db, "case.clock_start");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "case", case_id);
	ctm_q_text(q, "rule", r->id);
	ctm_q_text(q, "pack", r->pack->id);
	ctm_q_int(q, "now", cx->now_ms);
	ctm_q_int(q, "due", end);
	ctm_q_text(q, "whose", r->whose);
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	CTM_AUTO_JSON *payload = ctm_json_obj();
	snprintf(key, sizeof key, "clock:%s", id);
	if (ctm_json_sets(payload, "clock_id", id))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the clock");
	rc = ctm_job_post(cx->db, end + 1, "case.clocks", key, payload, cx->err);
	if (!rc)
		*due = end;
	return rc;
}

int ctm_clock_stop(struct ctm_cx *cx, const char *case_id, const char *rule)
{
	struct ctm_q *q = ctm_q(cx->db, "case.clock_stop");
	ctm_q_text(q, "case", case_id);
	ctm_q_text(q, "rule", rule);
	ctm_q_int(q, "now", cx->now_ms);
	return ctm_q_run(q, NULL, cx->err);
}

int ctm_task_add(struct ctm_cx *cx, const char *case_id, unsigned role, const char *org_id, const char *title, int64_t due)
{
	char id[CTM_UUID_MAX], link[64];
	if (!*org_id)
		return 0;       /* nobody is named on that side yet */
	ctm_uuid7(id);
	snprintf(link, sizeof link, "/cases/%s", case_id);
	struct ctm_q *q = ctm_q(cx->db, "case.task_add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "case", case_id);
	ctm_q_text(q, "role", ctm_role_word(role));
	ctm_q_text(q, "org", org_id);
	ctm_q_text(q, "title", title);
	ctm_q_text(q, "link", link);
	if (due < 0)
		ctm_q_null(q, "due");
	else
		ctm_q_int(q, "due", due);
	ctm_q_int(q, "now", cx->now_ms);
	return ctm_q_run(q, NULL, cx->err);
}

static int fire_one(struct ctm_cx *cx, const ctm_json *k)
{
	const struct ctm_case_table *t = ctm_case_table_find(ctm_app_catalogue(cx->app), ctm_json_gets(k, "pack"), ctm_json_gets(k, "pack_version"));
	const struct ctm_rule *r = t ? ctm_case_rule(t, ctm_json_gets(k, "rule")) : NULL;
	const char *case_id = ctm_json_gets(k, "case_id"), *cla = ctm_json_gets(k, "cla_org_id");
	char line[300];
	int64_t changes = 0;
	struct ctm_q *q = ctm_q(cx->db, "case.clock_fire");
	ctm_q_text(q, "id", ctm_json_gets(k, "id"));
	ctm_q_int(q, "now", cx->now_ms);
	int rc = ctm_q_run(q, &changes, cx->err);
	if (rc || changes == 0)
		return rc;
	snprintf(line, sizeof line, "%s: the time for \"%.100s\" is over (%s): %.120s.", ctm_json_gets(k, "number"), r ? r->title : ctm_json_gets(k, "rule"),
		ctm_json_gets(k, "rule"), r ? r->consequence : "see the rule pack");
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "case", case_id, "ctm", line, NULL, cx->err)))
		return rc;
	bool application = strcmp(ctm_json_gets(k, "kind"), "application") == 0;
	const struct ctm_case_state *s = t ? ctm_case_state_find(t, ctm_json_gets(k, "state")) : NULL;
	unsigned role = application && s && !s->final ? CTM_ROLE_CLA_INTAKE : CTM_ROLE_CLA_SURVEILLANCE;
	if ((rc = ctm_task_add(cx, case_id, role, cla ? cla : "", line, -1)))
		return rc;
	CTM_AUTO_JSON *after = ctm_json_obj();
	if (ctm_json_sets(after, "rule", ctm_json_gets(k, "rule")) || ctm_json_seti(after, "fired_ms", cx->now_ms))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "no memory for the audit line");
	return ctm_audit(cx->db, cx->now_ms, "ctm", "case.clock", "case", case_id, k, after, cx->err);
}

int ctm_case_clocks_fire(struct ctm_cx *cx, int64_t *n)
{
	CTM_AUTO_JSON *due = NULL;
	struct ctm_q *q = ctm_q(cx->db, "case.clocks_due");
	ctm_q_int(q, "now", cx->now_ms);
	int rc = ctm_q_rows(q, FIRE_MAX, &due, cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(due); i++)
		rc = fire_one(cx, ctm_json_at(due, i));
	if (!rc)
		*n = (int64_t)ctm_json_len(due);
	return rc;
}

static int fire_in_writer(struct ctm_cx *cx, void *arg) { return ctm_case_clocks_fire(cx, arg); }

int ctm_case_clocks_job(struct ctm_jx *jx)
{
	int64_t n = FIRE_MAX;
	int rc = 0;
	while (!rc && n == FIRE_MAX)
		rc = ctm_write(jx->app, fire_in_writer, &n, jx->err);
	return rc;
}
