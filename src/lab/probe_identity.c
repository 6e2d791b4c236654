/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes of identity, state awareness and log: the serial everywhere (S01), possession of the device key (S02), who may read
 * log and state (S04), whether events are recorded (S05), whether the reported version is the one that runs (S09).
 */
#include "lab/probe.h"
#include "base/id.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
}

static int get(struct ctm_run *r, const char *step, const char *path, enum lab_auth auth, struct ctm_err *err)
{
	return lab_do(r, &(struct lab_call){ .step = step, .method = "GET", .path = path, .auth = auth }, NULL, err);
}

CTM_PROBE(identity)
{
	ctm_json *data;
	int rc;

	if ((rc = get(r, "identity", "/ctm/v1/identity", LAB_NONE, err)) || (rc = lab_chain(r, NULL, err)))
		return rc;
	data = ctm_json_obj();
	if (!data || ctm_json_sets(data, "serial", r->bench->serial) || ctm_json_sets(data, "model", r->bench->model) ||
	    (r->bench->fleet && ctm_json_set(data, "fleet", ctm_json_copy(r->bench->fleet)))) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "label", data, err);
}

/* ---- S02 ---- */

static int prove(struct ctm_run *r, const char *step, const char *nonce, struct ctm_err *err)
{
	CTM_AUTO_JSON *body = ctm_json_obj();

	if (!body || ctm_json_sets(body, "nonce", nonce))
		return oom(err);
	return lab_do(r, &(struct lab_call){ .step = step, .method = "POST", .path = "/ctm/v1/identity/proof", .body = body }, NULL, err);
}

CTM_PROBE(proof)
{
	char nonce[2][CTM_TOKEN_MAX];
	int rc;

	ctm_token(nonce[0]);
	ctm_token(nonce[1]);
	if ((rc = lab_chain(r, NULL, err)) || (rc = get(r, "identity", "/ctm/v1/identity", LAB_NONE, err)) ||
	    (rc = prove(r, "proof/1", nonce[0], err)) || (rc = prove(r, "proof/2", nonce[1], err)))
		return rc;
	return prove(r, "proof/short", "AAAA", err);
}

/* ---- S04 ---- */

CTM_PROBE(log_access)
{
	bool ok = false;
	int rc = lab_owner(r, &ok, err);

	if (rc || (rc = get(r, "log/nobody", "/ctm/v1/log", LAB_NONE, err)) || (rc = get(r, "log/invented", "/ctm/v1/log", LAB_BOGUS, err)) ||
	    (rc = get(r, "state/nobody", "/ctm/v1/state", LAB_NONE, err)) || (rc = get(r, "state/invented", "/ctm/v1/state", LAB_BOGUS, err)) ||
	    (rc = get(r, "config/nobody", "/ctm/v1/config", LAB_NONE, err)) || !ok)
		return rc;
	if ((rc = get(r, "log/owner", "/ctm/v1/log", LAB_OWNER, err)))
		return rc;
	return get(r, "state/owner", "/ctm/v1/state", LAB_OWNER, err);
}

/* ---- S05 ---- */

/* Sequence number of the last entry, from a reply of the log. */
static int64_t last_seq(const ctm_json *reply)
{
	const ctm_json *entries = ctm_json_get(reply, "entries");
	size_t n = ctm_json_len(entries);

	return n ? ctm_json_geti(ctm_json_at(entries, n - 1), "seq", 0) : 0;
}

static int trigger(struct ctm_run *r, struct ctm_err *err)
{
	CTM_AUTO_JSON *now = NULL, *change = NULL;
	int rc;

	if ((rc = lab_login(r, "trigger/login.failed", "wrong-on-purpose-by-the-bench", NULL, err)) ||
	    (rc = lab_login(r, "trigger/login.ok", r->password, NULL, err)) || (rc = lab_config(r, "trigger/config", &now, err)) || !now)
		return rc;
	if (!(change = lab_changed_config(r, now)))
		return oom(err);
	if ((rc = lab_do(r, &(struct lab_call){ .step = "trigger/config.changed", .method = "PUT", .path = "/ctm/v1/config", .auth = LAB_OWNER, .body = change }, NULL, err)) ||
	    (rc = lab_do(r, &(struct lab_call){ .step = "trigger/restore", .method = "PUT", .path = "/ctm/v1/config", .auth = LAB_OWNER, .body = now }, NULL, err)))
		return rc;
	return lab_do(r, &(struct lab_call){ .step = "trigger/update.refused", .method = "POST", .path = "/ctm/v1/update", .auth = LAB_OWNER,
		.raw = "\0\0\0\4none of a package", .rawlen = 21, .type = "application/ctm-update", .raw_note = "21 bytes that are no package" }, NULL, err);
}

CTM_PROBE(log_events)
{
	LAB_AUTO_REPLY a = { 0 };
	char path[64];
	bool ok = false, alive = false;
	int rc = lab_owner(r, &ok, err);

	if (rc || !ok || (rc = lab_do(r, &(struct lab_call){ .step = "log/before", .method = "GET", .path = "/ctm/v1/log", .auth = LAB_OWNER }, &a, err)) ||
	    (rc = trigger(r, err)) || (rc = lab_wait_alive(r, 3000, &alive, err)) || (rc = lab_owner(r, &ok, err)) || !ok)
		return rc;
	snprintf(path, sizeof path, "/ctm/v1/log?after=%lld", (long long)last_seq(a.json));
	return get(r, "log/after", path, LAB_OWNER, err);
}

/* ---- S09 ---- */

CTM_PROBE(version_match)
{
	CTM_AUTO_JSON *state = NULL;
	ctm_json *data = ctm_json_obj();
	bool ok = false;
	int rc;

	if (!data || (r->bench->release && (ctm_json_sets(data, "version", ctm_json_gets(r->bench->release, "version")) ||
	    ctm_json_sets(data, "image_sha256", ctm_json_gets(r->bench->release, "image_sha256"))))) {
		ctm_json_free(data);
		return oom(err);
	}
	if ((rc = run_record(r, "release", data, err)) || (rc = get(r, "identity", "/ctm/v1/identity", LAB_NONE, err)) || (rc = lab_owner(r, &ok, err)) || !ok)
		return rc;
	return lab_state(r, "state", &state, err);
}
