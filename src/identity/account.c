/* SPDX-License-Identifier: Apache-2.0
 *
 * A person's own page: sessions (which device, how and when signed in, last use) and ending them, passkeys, and for people
 * with roles in several organisations the change from one to the other. Everything here is about the asker: an id of
 * somebody else's session does not exist.
 */
#include "identity/factor.h"
#include "base/file.h"
#include "base/text.h"
#include "base/zone.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

/* "Firefox on Linux" for people, from the words browsers use; the first match of each column counts. */
static void device_words(const char *agent, char *out, size_t cap)
{
	static const struct { const char *word, *name; } browsers[] = {
		{ "Edg/", "Edge" }, { "OPR/", "Opera" }, { "Firefox/", "Firefox" }, { "Chrom", "Chrome" }, { "Safari/", "Safari" }, { "curl/", "curl" },
	}, systems[] = {
		{ "Android", "Android" }, { "iPhone", "iPhone" }, { "iPad", "iPad" }, { "Windows", "Windows" }, { "Mac OS", "macOS" }, { "CrOS", "ChromeOS" }, { "Linux", "Linux" },
	};
	const char *b = NULL, *s = NULL;
	for (size_t i = 0; i < sizeof browsers / sizeof *browsers && !b; i++)
		b = strstr(agent, browsers[i].word) ? browsers[i].name : NULL;
	for (size_t i = 0; i < sizeof systems / sizeof *systems && !s; i++)
		s = strstr(agent, systems[i].word) ? systems[i].name : NULL;
	snprintf(out, cap, "%s%s%s", b ? b : s ? "" : agent, b && s ? ", " : "", s ? s : "");
}

static int sessions(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *list = NULL, *shown = ctm_json_arr();
	struct ctm_q *q = ctm_q(cx->db, "session.of");
	ctm_q_text(q, "person", cx->who->person_id);
	ctm_q_int(q, "now", cx->now_ms);
	int rc = ctm_q_rows(q, 200, &list, cx->err), bad = 0;
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		ctm_json *s = ctm_json_copy(ctm_json_at(list, i));
		char device[220];
		device_words(ctm_json_gets(s, "agent"), device, sizeof device);
		bad |= ctm_json_sets(s, "device", device) | ctm_json_setb(s, "this", ctm_streq(ctm_json_gets(s, "id"), cx->who->session_id)) | ctm_json_add(shown, s);
	}
	bad |= ctm_json_setb(out, "others", ctm_json_len(list) > 1) | ctm_json_set(out, "sessions", shown);
	ctm_json_free(list);
	return rc ? rc : bad ? ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory") : 0;
}

static int list_of(struct ctm_cx *cx, const char *statement, const char *name, ctm_json *out)
{
	ctm_json *list = NULL;
	struct ctm_q *q = ctm_q(cx->db, statement);
	ctm_q_text(q, "person", cx->who->person_id);
	int rc = ctm_q_rows(q, 100, &list, cx->err);
	return rc ? rc : ctm_json_set(out, name, list);
}

/* Names of places, for choosing: the third column of the zone database's own table; nothing where it is not installed. */
static ctm_json *zone_names(void)
{
	CTM_AUTO_BUF b = CTM_BUF(256 * 1024);
	ctm_json *list = ctm_json_arr();
	char name[64];
	int bad = ctm_json_adds(list, "UTC");
	if (ctm_file_read_link("/usr/share/zoneinfo/zone1970.tab", 256 * 1024, &b, NULL))
		return list;
	for (const char *p = ctm_buf_cstr(&b); *p && !bad; p += strcspn(p, "\n"), p += *p == '\n') {
		const char *t = *p == '#' ? NULL : memchr(p, '\t', strcspn(p, "\n"));
		t = t ? memchr(t + 1, '\t', strcspn(t + 1, "\n")) : NULL;
		if (t && snprintf(name, sizeof name, "%.*s", (int)strcspn(t + 1, "\t\n"), t + 1) < (int)sizeof name)
			bad = ctm_json_adds(list, name);
	}
	return list;
}

int ctm_uc_zone_set(struct ctm_cx *cx, ctm_json *out)
{
	const char *name = ctm_in(cx, "zone");
	struct ctm_zone *z = NULL;
	if (name && !ctm_streq(name, "UTC") && ctm_zone_load(name, &z))
		return ctm_fail(cx->err, CTM_E_INPUT, "zone", NULL, "there is no time zone of that name; choose one such as America/New_York");
	ctm_zone_free(z);
	struct ctm_q *q = ctm_q(cx->db, "person.zone");
	ctm_q_text(q, "id", cx->who->person_id);
	ctm_q_text(q, "zone", name ? name : "");
	int rc = ctm_q_run(q, NULL, cx->err);
	rc = rc ? rc : ctm_audit_state(cx->db, cx->now_ms, ctm_who_actor(cx->who), "person.zone", "person", cx->who->person_id, *cx->who->zone ? cx->who->zone : "the platform's",
		name ? name : "the platform's", cx->err);
	cx->location = "/account?notice=account.zone_set";
	return rc ? rc : ctm_json_sets(out, "zone", name ? name : "");
}

int ctm_uc_account(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *all = NULL, *others = ctm_json_arr();
	struct ctm_q *m = ctm_q(cx->db, "membership.organisations");
	ctm_q_text(m, "person", cx->who->person_id);
	int rc = ctm_q_rows(m, 100, &all, cx->err), bad = 0;
	for (size_t i = 0; i < ctm_json_len(all); i++)
		if (!ctm_streq(ctm_json_gets(ctm_json_at(all, i), "id"), cx->who->org_id))
			bad |= ctm_json_add(others, ctm_json_copy(ctm_json_at(all, i)));
	ctm_json_free(all);
	bad |= ctm_json_set(out, "organisations", others) | ctm_json_set(out, "zones", zone_names()) | ctm_json_sets(out, "zone", cx->who->zone);
	bad |= ctm_json_sets(out, "zone_default", ctm_app_conf(cx->app, "time_zone", "UTC")) | ctm_json_seti(out, "now_ms", cx->now_ms);
	CTM_AUTO_Q *q = ctm_q(cx->db, "person.get");
	ctm_q_text(q, "id", cx->who->person_id);
	rc = rc ? rc : ctm_q_one(q, cx->err);
	if (!rc)
		bad |= ctm_json_sets(out, "name", ctm_q_str(q, "name")) | ctm_json_sets(out, "email", ctm_q_str(q, "email"));
	if (bad && !rc)
		rc = ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	if (!rc)
		rc = sessions(cx, out);
	rc = rc ? rc : ctm_factors_json(cx, out);
	return rc ? rc : list_of(cx, "passkey.of", "passkeys", out);
}

int ctm_uc_session_revoke(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id");
	struct ctm_q *q = ctm_q(cx->db, "session.revoke_own");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "person", cx->who->person_id);
	ctm_q_int(q, "now", cx->now_ms);
	int64_t ended = 0;
	int rc = ctm_q_run(q, &ended, cx->err);
	if (!rc && !ended)
		rc = ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "you have no such session, or it has ended already");
	if (!rc)
		rc = ctm_audit_state(cx->db, cx->now_ms, ctm_who_actor(cx->who), "session.close", "session", id, "open", "closed", cx->err);
	if (rc)
		return rc;
	cx->location = "/account?notice=account.session_ended";
	return ctm_json_seti(out, "ended", ended);
}

int ctm_uc_session_revoke_others(struct ctm_cx *cx, ctm_json *out)
{
	struct ctm_q *q = ctm_q(cx->db, "session.revoke_others");
	ctm_q_text(q, "keep", cx->who->session_id);
	ctm_q_text(q, "person", cx->who->person_id);
	ctm_q_int(q, "now", cx->now_ms);
	int64_t ended = 0;
	int rc = ctm_q_run(q, &ended, cx->err);
	if (rc)
		return rc;
	CTM_AUTO_JSON *before = ctm_json_obj(), *after = ctm_json_obj();
	ctm_json_seti(before, "other_sessions", ended);
	ctm_json_seti(after, "other_sessions", 0);
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "session.close_others", "person", cx->who->person_id, before, after, cx->err)))
		return rc;
	cx->location = "/account?notice=account.sessions_ended";
	return ctm_json_seti(out, "ended", ended);
}

/* The old session ends, so that a browser is never two people's desks at once. */
int ctm_uc_session_switch(struct ctm_cx *cx, ctm_json *out)
{
	char token[CTM_TOKEN_MAX];
	const char *org = ctm_in(cx, "org_id");
	int rc;
	bool row = false;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "membership.roles");
		ctm_q_text(q, "person", cx->who->person_id);
		ctm_q_text(q, "org", org);
		if ((rc = ctm_q_step(q, &row, cx->err)))
			return rc;
	}
	if (!row)
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "org_id", NULL, "you have no role in such an organisation");
	struct ctm_q *q = ctm_q(cx->db, "session.revoke");
	ctm_q_text(q, "id", cx->who->session_id);
	ctm_q_int(q, "now", cx->now_ms);
	rc = ctm_q_run(q, NULL, cx->err);
	if (!rc)
		rc = ctm_audit_state(cx->db, cx->now_ms, ctm_who_actor(cx->who), "session.close", "session", cx->who->session_id,
			"open", "closed", cx->err);
	if (!rc)
		rc = ctm_session_open(cx, cx->who->person_id, org, "browser", "switch", token);
	if (rc)
		return rc;
	if (!(cx->set_session = ctm_arena_dup(cx->arena, token)))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	cx->location = "/";
	return ctm_json_sets(out, "org_id", org);
}
