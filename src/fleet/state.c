/* SPDX-License-Identifier: Apache-2.0
 *
 * State reports. Who reports is known from the client certificate alone. A report's sequence number is higher than every
 * one before it, or the report is a replay and refused (409). A boot counter that goes backwards means that two things
 * run under one identity or that storage was set back: the report is kept, the unit is marked and its maker told once.
 * The timeline gets a line when something changed, not for each report.
 *
 * Nearly every report says what the one before it said. Such a one is kept by a single statement (`beat`), which takes the row
 * only if nothing in it speaks of a change; everything else is looked at in full. Reports in JSON come in here, heartbeats in
 * heartbeat.c; both are kept by ctm_report_keep.
 */
#include "fleet/fleet.h"
#include "base/text.h"
#include "event/event.h"
#include "event/timeline.h"
#include <stdio.h>
#include <string.h>

#define NEXT_S 60            /* seconds until the next report is wanted */
#define METRICS_MAX 64

static int version(const struct ctm_jc *c, const char *key, const char **out, struct ctm_err *err)
{
	struct ctm_jc at;
	const char *s;
	int rc = ctm_jc_str(c, key, 0, 64, &s, err);
	if (rc)
		return rc;
	if (strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-") != strlen(s)) {
		(void)ctm_jc_has(c, key, &at);
		return ctm_jc_fail(&at, err, "must be a version of letters, digits, '.', '_', '+' and '-'");
	}
	*out = s;
	return 0;
}

static int metrics(const struct ctm_jc *root, struct ctm_err *err)
{
	struct ctm_jc m, at;
	void *it = NULL;
	const char *key;
	const ctm_json *v;
	if (!ctm_jc_has(root, "metrics", &m))
		return 0;
	int rc = ctm_jc_is(&m, CTM_J_OBJ, err);
	if (!rc && ctm_json_len(m.v) > METRICS_MAX)
		rc = ctm_jc_fail(&m, err, "has more than %d members", METRICS_MAX);
	while (!rc && ctm_json_each(m.v, &it, &key, &v)) {
		enum ctm_jtype t = ctm_json_type(v);
		if (strlen(key) > 64 || (t != CTM_J_INT && t != CTM_J_REAL && t != CTM_J_BOOL)) {
			(void)ctm_jc_has(&m, key, &at);
			rc = ctm_jc_fail(&at, err, "a metric is a number or true or false under a short name");
		}
	}
	return rc;
}

static int read_report(struct ctm_cx *cx, struct ctm_report *r)
{
	static const char *const keys[] = { "seq", "serial", "version", "boot_counter", "health", "metrics" }, *const vkeys[] = { "claimed", "booted", "verified" };
	static const char *const healths[] = { "likely-normal", "likely-degraded" };
	struct ctm_jc root = ctm_jc_root(cx->body, "report"), v;
	size_t health;
	int rc;
	if ((rc = ctm_jc_is(&root, CTM_J_OBJ, cx->err)) || (rc = ctm_jc_only(&root, keys, 6, cx->err)) ||
		(rc = ctm_jc_int(&root, "seq", 1, INT64_MAX, &r->seq, cx->err)) || (rc = ctm_jc_opt_str(&root, "serial", 64, &r->serial, cx->err)) ||
		(rc = ctm_jc_key(&root, "version", &v, cx->err)) || (rc = ctm_jc_is(&v, CTM_J_OBJ, cx->err)) || (rc = ctm_jc_only(&v, vkeys, 3, cx->err)) ||
		(rc = version(&v, "claimed", &r->claimed, cx->err)) || (rc = version(&v, "booted", &r->booted, cx->err)) ||
		(rc = version(&v, "verified", &r->verified, cx->err)) || (rc = ctm_jc_int(&root, "boot_counter", 0, INT64_MAX, &r->boot_counter, cx->err)) ||
		(rc = ctm_jc_enum(&root, "health", healths, 2, &health, cx->err)) || (rc = metrics(&root, cx->err)))
		return rc;
	r->health = healths[health];
	return 0;
}

/* One line for what is different, or nothing. */
static int tell_change(struct ctm_cx *cx, const ctm_json *was, const struct ctm_report *r, const char *actor, bool *changed)
{
	const char *id = cx->who->device_id;
	char line[300];
	*changed = !ctm_streq(ctm_json_gets(was, "claimed_version"), r->claimed) || !ctm_streq(ctm_json_gets(was, "booted_version"), r->booted) ||
		!ctm_streq(ctm_json_gets(was, "verified_version"), r->verified) || !ctm_streq(ctm_json_gets(was, "health"), r->health);
	if (!*changed)
		return 0;
	snprintf(line, sizeof line, "Claims version %s, booted %s, verified %s; health %s.", *r->claimed ? r->claimed : "(none)", *r->booted ? r->booted : "(none)",
		*r->verified ? r->verified : "(none)", r->health);
	return ctm_timeline_add(cx->db, cx->now_ms, "device", id, actor, line, NULL, cx->err);
}

static void bind(struct ctm_cx *cx, struct ctm_q *q, const struct ctm_report *r, const char *text)
{
	ctm_q_text(q, "id", cx->who->device_id);
	ctm_q_text(q, "claimed", r->claimed);
	ctm_q_text(q, "booted", r->booted);
	ctm_q_text(q, "verified", r->verified);
	ctm_q_text(q, "health", r->health);
	ctm_q_text(q, "report", text);
	ctm_q_int(q, "seq", r->seq);
	ctm_q_int(q, "now", cx->now_ms);
}

/* The report of a device about which nothing changed. *kept: that was all. */
static int beat(struct ctm_cx *cx, const struct ctm_report *r, const char *text, bool *kept)
{
	struct ctm_q *q = ctm_q(cx->db, "device.beat");
	int64_t changed = 0;
	bind(cx, q, r, text);
	ctm_q_int(q, "boot_counter", r->boot_counter);
	ctm_q_text(q, "serial", r->serial);
	int rc = ctm_q_run(q, &changed, cx->err);
	*kept = changed > 0;
	return rc;
}

static int store(struct ctm_cx *cx, const struct ctm_report *r, int64_t boots, const char *suspect, const char *text)
{
	struct ctm_q *q = ctm_q(cx->db, "device.report");
	int64_t changed = 0;
	bind(cx, q, r, text);
	ctm_q_int(q, "boot_counter", boots);
	ctm_q_text(q, "suspect", suspect);
	int rc = ctm_q_run(q, &changed, cx->err);
	if (rc)
		return rc;
	return changed ? 0 : ctm_fail(cx->err, CTM_E_CONFLICT, "/seq", "replay", "this report was given before: the sequence number %lld is not higher than the last one",
		(long long)r->seq);
}

static int standing(struct ctm_cx *cx, ctm_json **out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "device.standing");
	ctm_q_text(q, "id", cx->who->device_id);
	int rc = ctm_q_one(q, cx->err);
	if (rc)
		return rc;
	return (*out = ctm_q_row(q)) ? 0 : ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

/* A report that says something new, or that may not be. */
static int news(struct ctm_cx *cx, const struct ctm_report *r, const char *text)
{
	CTM_AUTO_JSON *was = NULL, *data = ctm_json_obj();
	char actor[96], suspect[160];
	bool changed = false;
	int rc = standing(cx, &was);
	if (rc)
		return rc;
	const char *serial = ctm_json_gets(was, "serial"), *already = ctm_json_gets(was, "suspect");
	int64_t boots = ctm_json_geti(was, "boot_counter", 0);
	if (r->serial && !ctm_streq(r->serial, serial))
		return ctm_fail(cx->err, CTM_E_GUARD, "/serial", NULL, "the report names another device than the certificate");
	bool backwards = r->boot_counter < boots;
	ctm_copy(suspect, sizeof suspect, already ? already : "");
	if (backwards && !*suspect)
		snprintf(suspect, sizeof suspect, "The boot counter went from %lld back to %lld: there may be a clone, or storage was set back.", (long long)boots, (long long)r->boot_counter);
	if ((rc = store(cx, r, backwards ? boots : r->boot_counter, suspect, text)))
		return rc;
	snprintf(actor, sizeof actor, "device %s", serial);
	if (backwards && !(already && *already) && (rc = ctm_timeline_add(cx->db, cx->now_ms, "device", cx->who->device_id, "ctm", suspect, NULL, cx->err)))
		return rc;
	if ((rc = tell_change(cx, was, r, actor, &changed)))
		return rc;
	if (changed || (backwards && !(already && *already))) {
		ctm_json_sets(data, "claimed", r->claimed);
		ctm_json_sets(data, "booted", r->booted);
		ctm_json_sets(data, "verified", r->verified);
		ctm_json_sets(data, "health", r->health);
		ctm_json_setb(data, "suspect", *suspect != '\0');
		rc = ctm_event_emit(cx->db, cx->now_ms, "device.state", "device", cx->who->device_id, data, cx->err);
	}
	return rc;
}

int ctm_report_keep(struct ctm_cx *cx, const struct ctm_report *r, const char *text, ctm_json *out)
{
	bool kept = false;
	int rc = beat(cx, r, text, &kept);
	if (rc || (!kept && (rc = news(cx, r, text))))
		return rc;
	ctm_json_seti(out, "seq", r->seq);
	return ctm_json_seti(out, "next_s", NEXT_S);
}

int ctm_uc_state(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_report r = { 0 };
	int rc = cx->who->device_next_key ? ctm_device_promote(cx) : 0;
	if (rc || (rc = read_report(cx, &r)))
		return rc;
	return ctm_report_keep(cx, &r, cx->text, out);
}

int ctm_uc_standing(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *row = NULL;
	int rc = standing(cx, &row);
	if (rc)
		return rc;
	ctm_json_sets(out, "serial", ctm_json_gets(row, "serial"));
	ctm_json_seti(out, "seq", ctm_json_geti(row, "last_seq", 0));
	ctm_json_seti(out, "boot_counter", ctm_json_geti(row, "boot_counter", 0));
	ctm_json_sets(out, "health", ctm_json_gets(row, "health"));
	ctm_json_set(out, "seen_ms", ctm_json_copy(ctm_json_get(row, "last_seen_ms")));
	return ctm_json_seti(out, "next_s", NEXT_S);
}
