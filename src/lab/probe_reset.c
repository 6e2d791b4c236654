/* SPDX-License-Identifier: Apache-2.0
 *
 * The factory reset, once per run, observed for four checks: secure default (R02), user data (R03), first use (C08), tokens
 * (C11); and the attempt without authority before it (R05). The sequence: settings changed and markers planted by the owner,
 * a second session ended by its owner, the reset, then the old token, the new and the initial password, what works before the
 * first change of password, and at last what an owner finds. Steps begin with "reset/", so a judge finds them whichever check
 * came first.
 */
#include "lab/probe.h"
#include "base/id.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define RESTART_MS 8000
#define MARKERS 2

static const char *const marker_path[MARKERS] = { "/ctm/v1/userdata/bench-note", "/ctm/v1/userdata/bench-recording" };

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
}

static int get(struct ctm_run *r, const char *step, const char *path, enum lab_auth auth, const char *token, struct ctm_err *err)
{
	return lab_do(r, &(struct lab_call){ .step = step, .method = "GET", .path = path, .auth = auth, .token = token }, NULL, err);
}

static int send_reset(struct ctm_run *r, const char *step, enum lab_auth auth, int *status, struct ctm_err *err)
{
	CTM_AUTO_JSON *body = ctm_json_obj();
	LAB_AUTO_REPLY a = { 0 };
	int rc;

	if (!body || ctm_json_sets(body, "confirm", r->bench->serial))
		return oom(err);
	rc = lab_do(r, &(struct lab_call){ .step = step, .method = "POST", .path = "/ctm/v1/reset", .auth = auth, .body = body }, &a, err);
	if (!rc && status)
		*status = a.status;
	return rc;
}

/* ---- before ---- */

static int plant(struct ctm_run *r, struct ctm_err *err)
{
	char token[CTM_TOKEN_MAX], text[80], step[40];
	int rc = 0;

	ctm_token(token);
	snprintf(r->marker, sizeof r->marker, "mark%.16s", token);
	for (int i = 0; i < MARKERS && !rc; i++) {
		snprintf(text, sizeof text, "%s number %d", r->marker, i);
		snprintf(step, sizeof step, "reset/plant/%d", i);
		rc = lab_put_text(r, step, marker_path[i], LAB_OWNER, text, err);
		snprintf(step, sizeof step, "reset/planted/%d", i);
		if (!rc)
			rc = get(r, step, marker_path[i], LAB_OWNER, NULL, err);
	}
	return rc;
}

static int change_settings(struct ctm_run *r, struct ctm_err *err)
{
	CTM_AUTO_JSON *now = NULL, *change = NULL;
	int rc = lab_config(r, "reset/config/start", &now, err);

	if (rc || !now)
		return rc;
	if (!(change = lab_changed_config(r, now)))
		return oom(err);
	if ((rc = lab_do(r, &(struct lab_call){ .step = "reset/config/change", .method = "PUT", .path = "/ctm/v1/config", .auth = LAB_OWNER, .body = change }, NULL, err)))
		return rc;
	return get(r, "reset/config/before", "/ctm/v1/config", LAB_OWNER, NULL, err);
}

/* A second session of the owner, signed out again: is its token dead? */
static int sign_out(struct ctm_run *r, struct ctm_err *err)
{
	LAB_AUTO_REPLY a = { 0 };
	const char *token;
	int rc = lab_login(r, "reset/second-session", r->password, &a, err);

	if (rc || a.status != 200 || !(token = ctm_json_gets(a.json, "token")))
		return rc;
	if ((rc = get(r, "reset/second-session.works", "/ctm/v1/state", LAB_TOKEN, token, err)) ||
	    (rc = lab_do(r, &(struct lab_call){ .step = "reset/second-session.out", .method = "DELETE", .path = "/ctm/v1/session", .auth = LAB_TOKEN, .token = token }, NULL, err)))
		return rc;
	return get(r, "reset/second-session.after", "/ctm/v1/state", LAB_TOKEN, token, err);
}

/* ---- after ---- */

/* What a session that has not yet changed the initial password may do: it should be nothing. */
static int first_use(struct ctm_run *r, const char *token, struct ctm_err *err)
{
	CTM_AUTO_JSON *empty = ctm_json_obj();
	int rc;

	if (!empty)
		return oom(err);
	if ((rc = get(r, "reset/first-use.config", "/ctm/v1/config", LAB_TOKEN, token, err)) ||
	    (rc = get(r, "reset/first-use.log", "/ctm/v1/log", LAB_TOKEN, token, err)) ||
	    (rc = lab_do(r, &(struct lab_call){ .step = "reset/first-use.write", .method = "PUT", .path = "/ctm/v1/config", .auth = LAB_TOKEN, .token = token, .body = empty }, NULL, err)))
		return rc;
	return get(r, "reset/first-use.userdata", marker_path[0], LAB_TOKEN, token, err);
}

static int after_reset(struct ctm_run *r, struct ctm_err *err)
{
	LAB_AUTO_REPLY again = { 0 }, initial = { 0 };
	const char *token;
	int rc;

	if ((rc = get(r, "reset/old-token", "/ctm/v1/state", LAB_TOKEN, r->last_token, err)) ||
	    (rc = get(r, "reset/old-token.config", "/ctm/v1/config", LAB_TOKEN, r->last_token, err)) ||
	    (rc = lab_login(r, "reset/login.changed", r->password, &again, err)) ||
	    (rc = lab_login(r, "reset/login.initial", r->bench->initial, &initial, err)))
		return rc;
	token = ctm_json_gets(initial.json, "token");
	if (initial.status == 200 && token) {
		ctm_copy(r->password, sizeof r->password, r->bench->initial);
		rc = first_use(r, token, err);
	}
	return rc;
}

/* The owner again: configuration, user data, log. */
static int look_around(struct ctm_run *r, struct ctm_err *err)
{
	char step[40];
	bool ok = false;
	int rc = lab_owner(r, &ok, err);

	if (rc || !ok || (rc = get(r, "reset/config/after", "/ctm/v1/config", LAB_OWNER, NULL, err)))
		return rc;
	for (int i = 0; i < MARKERS && !rc; i++) {
		snprintf(step, sizeof step, "reset/gone/%d", i);
		rc = get(r, step, marker_path[i], LAB_OWNER, NULL, err);
	}
	if (!rc)
		rc = get(r, "reset/log/after", "/ctm/v1/log", LAB_OWNER, NULL, err);
	return rc ? rc : get(r, "reset/state/after", "/ctm/v1/state", LAB_OWNER, NULL, err);
}

CTM_PROBE(reset)
{
	bool ok = false, alive = false;
	int rc, status = 0;

	if (r->reset_done)
		return 0;
	if ((rc = lab_owner(r, &ok, err)) || !ok || (rc = plant(r, err)) || (rc = change_settings(r, err)) || (rc = sign_out(r, err)) ||
	    (rc = send_reset(r, "reset/reset", LAB_OWNER, &status, err)))
		return rc;
	r->reset_done = true;
	lab_forget_owner(r);
	run_sleep_ms(200);
	if ((rc = lab_wait_alive(r, RESTART_MS, &alive, err)) || !alive || (rc = after_reset(r, err)))
		return rc;
	return look_around(r, err);
}

/* ---- the sample goes back as it came ---- */

/* Reset by the owner; the printed password must open the sample afterwards. */
static int reset_back(struct ctm_run *r, const char **why, struct ctm_err *err)
{
	LAB_AUTO_REPLY a = { 0 };
	bool ok = false, alive = false;
	int status = 0, rc = lab_owner(r, &ok, err);

	*why = "the bench could not sign in as the owner to reset it";
	if (rc || !ok || (rc = send_reset(r, "return/reset", LAB_OWNER, &status, err)))
		return rc;
	lab_forget_owner(r);
	run_sleep_ms(200);
	*why = "it did not answer again after the reset";
	if ((rc = lab_wait_alive(r, RESTART_MS, &alive, err)) || !alive || (rc = lab_login(r, "return/login", r->bench->initial, &a, err)))
		return rc;
	*why = a.status == 200 ? "" : "the printed password was not accepted after the reset";
	return 0;
}

int lab_return(struct ctm_run *r, struct ctm_err *err)
{
	const char *why = "";
	ctm_json *data = ctm_json_obj();
	int rc = reset_back(r, &why, err);

	if (!rc && (!data || ctm_json_setb(data, "ok", !*why) || ctm_json_sets(data, "why", why)))
		rc = oom(err);
	if (rc) {
		ctm_json_free(data);
		return rc;
	}
	return run_record(r, "run.returned", data, err);
}

/* ---- R05 ---- */

CTM_PROBE(reset_open)
{
	CTM_AUTO_JSON *before = NULL, *state = NULL, *after = NULL, *state2 = NULL;
	bool ok = false, alive = false;
	int rc = lab_owner(r, &ok, err);

	if (rc || !ok || (rc = lab_put_text(r, "plant", "/ctm/v1/userdata/bench-stays", LAB_OWNER, "stays", err)) ||
	    (rc = lab_config(r, "config/before", &before, err)) || (rc = lab_state(r, "state/before", &state, err)) ||
	    (rc = send_reset(r, "open/nobody", LAB_NONE, NULL, err)) || (rc = send_reset(r, "open/invented", LAB_BOGUS, NULL, err)))
		return rc;
	run_sleep_ms(200);
	if ((rc = lab_wait_alive(r, RESTART_MS, &alive, err)) || !alive || (rc = lab_owner(r, &ok, err)) || !ok)
		return rc;
	if ((rc = get(r, "kept", "/ctm/v1/userdata/bench-stays", LAB_OWNER, NULL, err)) || (rc = lab_config(r, "config/after", &after, err)) ||
	    (rc = lab_state(r, "state/after", &state2, err)))
		return rc;
	return lab_do(r, &(struct lab_call){ .step = "restore", .method = "DELETE", .path = "/ctm/v1/userdata/bench-stays", .auth = LAB_OWNER }, NULL, err);
}
