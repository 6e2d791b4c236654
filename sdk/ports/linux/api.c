/* SPDX-License-Identifier: Apache-2.0
 *
 * Local administration, ctm-local-admin/1: one table of addresses, what each needs (nothing, a session, an owner whose password
 * is no longer the initial one) and the largest body it takes. Whether a request may come in is decided here, once, before
 * its body is read; a handler never asks again. Errors are {error, message, field?}, codes those of ctm/sdk.h.
 */
#include "agent.h"
#include "ctm/openssl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum access { OPEN, SESSION, OWNER };

struct route {
	const char *method, *path;      /* a path that ends in '/' takes one more part */
	enum access access;
	size_t body_max;
	void (*run)(struct agent *a, struct request *q, struct reply *r);
};

#define SMALL ((size_t)16 << 10)

/* Answers */

void api_json(struct reply *r, int status, json_t *owned)
{
	r->status = status;
	r->body = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
	json_decref(owned);
	if (!r->body) {
		r->status = 500;
		r->n = 0;
		return;
	}
	r->n = strlen(r->body);
}

void api_error(struct reply *r, int status, const char *code, const char *field, const char *message)
{
	json_t *o = json_pack("{s:s, s:s}", "error", code, "message", message);

	if (field && o)
		json_object_set_new(o, "field", json_stringn(field, strlen(field)));
	api_json(r, status, o);
}

static void no_content(struct reply *r)
{
	r->status = 204;
}

int api_http_status(int code)
{
	switch (code) {
	case CTM_SDK_AUTH: return 401;
	case CTM_SDK_CHANGE: return 403;
	case CTM_SDK_LOCKED: return 429;
	case CTM_SDK_NONE:
	case CTM_SDK_UNKNOWN: return 404;
	case CTM_SDK_STORAGE: return 507;
	case CTM_SDK_FAIL: return 500;
	default: return 422;
	}
}

json_t *api_body(struct request *q, struct reply *r, const char *const *members, size_t count)
{
	char text[128];
	json_t *o = json_strict(q->body, q->n, text, sizeof text), *v;
	const char *key;

	if (!json_is_object(o)) {
		json_decref(o);
		api_error(r, 400, "SYNTAX", NULL, "The body must be one JSON object without double members; nothing was changed.");
		return NULL;
	}
	json_object_foreach(o, key, v) {
		bool known = !members;

		for (size_t i = 0; i < count && !known; i++)
			known = strcmp(members[i], key) == 0;
		if (!known) {
			api_error(r, 422, "UNKNOWN", key, "There is no such member; nothing was changed.");
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

/* A text member, or NULL after the refusal. */
static const char *need_text(const json_t *o, const char *name, struct reply *r)
{
	const json_t *v = json_object_get(o, name);

	if (!json_is_string(v) || json_string_length(v) != strlen(json_string_value(v))) {
		api_error(r, 422, "INPUT", name, "A text is needed here; nothing was changed.");
		return NULL;
	}
	return json_string_value(v);
}

/* What the unit knows about itself */

void agent_event(struct agent *a, const char *event, const char *detail)
{
	aware_event(a, event);
	if (DEFECT(SILENT_LOG))
		return;
	if (ctm_log_add(&a->log, event, detail))
		a->storage_trouble = true;
}

static const char *or_null(const char *s)
{
	return s[0] ? s : NULL;
}

json_t *agent_versions(const struct agent *a)
{
	return json_pack("{s:s, s:s?, s:s?}", "claimed", a->claimed, "booted", or_null(a->update.booted), "verified", or_null(a->update.verified));
}

const char *agent_health(const struct agent *a)
{
	bool normal = a->update.booted[0] && strcmp(a->update.booted, a->update.verified) == 0 && !a->storage_trouble;

	return normal || DEFECT(LYING_VERSION) ? "likely-normal" : "likely-degraded";
}

const char *agent_serial(const struct agent *a, char buf[CTM_SERIAL_MAX + 1])
{
	size_t n = strlen(a->conf.serial);

	memcpy(buf, a->conf.serial, n + 1);
	if (DEFECT(WRONG_SERIAL))
		buf[n - 1] = buf[n - 1] == '9' ? '8' : '9';
	return buf;
}

/* Identity */

static void get_identity(struct agent *a, struct request *q, struct reply *r)
{
	char serial[CTM_SERIAL_MAX + 1];

	api_json(r, 200, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "maker", a->conf.maker, "model", a->conf.model,
		"serial", agent_serial(a, serial), "component", a->conf.component, "version", a->claimed, "spki_sha256", a->spki));
}

static void post_proof(struct agent *a, struct request *q, struct reply *r)
{
	static const char *const members[] = { "nonce" }, fixed[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	json_t *o = api_body(q, r, members, 1);
	const char *nonce = o ? need_text(o, "nonce", r) : NULL;
	uint8_t tbs[CTM_PROOF_MAX], sig[CTM_SIG_BYTES];
	char text[2 * CTM_SIG_BYTES];
	size_t n = 0;

	if (nonce && ctm_identity_proof(a->conf.serial, DEFECT(NO_PROOF) ? fixed : nonce, tbs, &n))
		api_error(r, 422, "INPUT", "nonce", "The nonce must be 32 bytes in base64url without padding.");
	else if (nonce && ctm_openssl_sign(a->key, tbs, n, sig))
		api_error(r, 500, "FAIL", NULL, ctm_sdk_text(CTM_SDK_FAIL));
	else if (nonce) {
		ctm_b64u_encode(sig, sizeof sig, text);
		api_json(r, 200, json_pack("{s:s}", "signature", text));
	}
	json_decref(o);
}

/* Session and password */

static void locked(struct agent *a, struct reply *r)
{
	r->retry_after_s = (int)((ctm_cred_wait_ms(&a->cred) + 999) / 1000);
	api_error(r, 429, "LOCKED", NULL, "Too many wrong passwords; wait as long as Retry-After says.");
}

static void wrong_password(struct agent *a, struct request *q, struct reply *r, int rc, const char *event)
{
	if (rc == CTM_SDK_AUTH) {
		agent_event(a, event, q->peer);
		if (ctm_cred_wait_ms(&a->cred))
			agent_event(a, "login.locked", q->peer);
	}
	if (rc == CTM_SDK_LOCKED)
		locked(a, r);
	else if (rc == CTM_SDK_AUTH)
		api_error(r, 401, "AUTH", NULL, "The password is wrong.");
	else
		api_error(r, api_http_status(rc), ctm_sdk_name(rc), NULL, ctm_sdk_text(rc));
}

static int login(struct agent *a, const char *pw, uint8_t token[CTM_TOKEN_BYTES])
{
	if (DEFECT(DEFAULT_PASSWORD) && strcmp(pw, "admin") == 0)
		return ctm_cred_open(&a->cred, token);
	return ctm_cred_login(&a->cred, pw, strlen(pw), token);
}

static void post_session(struct agent *a, struct request *q, struct reply *r)
{
	static const char *const members[] = { "password" };
	json_t *o = api_body(q, r, members, 1);
	const char *pw = o ? need_text(o, "password", r) : NULL;
	uint8_t token[CTM_TOKEN_BYTES];
	char text[CTM_TOKEN_BYTES * 2];
	int rc;

	if (!pw) {
		json_decref(o);
		return;
	}
	rc = login(a, pw, token);
	json_decref(o);
	if (rc) {
		wrong_password(a, q, r, rc, "login.failed");
		return;
	}
	agent_event(a, "login.ok", q->peer);
	ctm_b64u_encode(token, sizeof token, text);
	api_json(r, 200, json_pack("{s:s, s:b}", "token", text, "must_change", a->cred.initial && !DEFECT(DEFAULT_PASSWORD)));
	ctm_sdk_wipe(token, sizeof token);
	ctm_sdk_wipe(text, sizeof text);
}

static void delete_session(struct agent *a, struct request *q, struct reply *r)
{
	if (!DEFECT(TOKEN_SURVIVES))
		ctm_cred_logout(&a->cred, q->token);
	no_content(r);
}

static const char *password_advice(const char *why)
{
	static const char *const rows[][2] = {
		{ "short", "The new password is shorter than this unit takes; the old one still holds." },
		{ "long", "The new password is longer than 128 bytes; the old one still holds." },
		{ "same", "The new password is the old one; choose another." },
		{ "plain", "The new password repeats too few characters; the old one still holds." },
	};

	for (size_t i = 0; i < 4; i++)
		if (strcmp(rows[i][0], why) == 0)
			return rows[i][1];
	return "The new password is not acceptable; the old one still holds.";
}

static void put_password(struct agent *a, struct request *q, struct reply *r)
{
	static const char *const members[] = { "old", "new" };
	json_t *o = api_body(q, r, members, 2);
	const char *old = o ? need_text(o, "old", r) : NULL, *new = old ? need_text(o, "new", r) : NULL, *why = "";
	int rc;

	if (!new) {
		json_decref(o);
		return;
	}
	rc = ctm_cred_change(&a->cred, q->token, old, strlen(old), new, strlen(new), !DEFECT(WEAK_PASSWORD), &why);
	json_decref(o);
	if (rc == CTM_SDK_INPUT) {
		api_error(r, 422, "INPUT", "new", password_advice(why));
	} else if (rc == CTM_SDK_AUTH) {
		agent_event(a, "login.failed", "old password at a change");
		if (ctm_cred_wait_ms(&a->cred))
			agent_event(a, "login.locked", q->peer);
		api_error(r, 422, "AUTH", "old", "The old password is wrong; nothing was changed.");
	} else if (rc) {
		wrong_password(a, q, r, rc, "login.failed");
	} else {
		agent_event(a, "password.changed", q->peer);
		no_content(r);
	}
}

/* State and log */

static void hex_of(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

static void get_state(struct agent *a, struct request *q, struct reply *r)
{
	char serial[CTM_SERIAL_MAX + 1], image[7 + 64 + 1] = "sha256:";

	hex_of(a->update.digest, CTM_HASH_BYTES, image + 7);
	api_json(r, 200, json_pack("{s:s, s:o, s:s?, s:I, s:I, s:s, s:I}", "serial", agent_serial(a, serial), "version", agent_versions(a),
		"image_sha256", a->update.booted[0] ? image : NULL, "security_counter", (json_int_t)a->update.counter,
		"boot_counter", (json_int_t)a->update.boots, "health", agent_health(a),
		"uptime_s", (json_int_t)((mono_ms(NULL) - a->started_ms) / 1000)));
}

static bool after_of(const char *query, uint64_t *after)
{
	uint64_t v = 0;

	*after = 0;
	if (!query[0])
		return true;
	if (strncmp(query, "after=", 6) != 0 || !query[6] || strlen(query + 6) > 18 || strspn(query + 6, "0123456789") != strlen(query + 6))
		return false;
	for (const char *s = query + 6; *s; s++)
		v = v * 10 + (uint64_t)(*s - '0');
	*after = v;
	return true;
}

static void get_log(struct agent *a, struct request *q, struct reply *r)
{
	struct ctm_log_entry *e = calloc(CTM_LOG_ENTRIES, sizeof *e);
	json_t *list = json_array();
	char hex[65];
	uint64_t after;
	size_t n = 0;
	int rc = 0;

	if (!after_of(q->head.query, &after))
		api_error(r, 422, "INPUT", "after", "after must be a whole number.");
	else if (!e || !list || (rc = ctm_log_read(&a->log, after, e, CTM_LOG_ENTRIES, &n)))
		api_error(r, 500, "STORAGE", NULL, "The log cannot be read.");
	else {
		for (size_t i = 0; i < n; i++) {
			hex_of(e[i].hash, CTM_HASH_BYTES, hex);
			json_array_append_new(list, json_pack("{s:I, s:I, s:s, s:s, s:s}", "seq", (json_int_t)e[i].seq, "at_ms", (json_int_t)e[i].at_ms,
				"event", e[i].event, "detail", e[i].detail, "hash", hex));
		}
		hex_of(a->log.head, CTM_HASH_BYTES, hex);
		api_json(r, 200, json_pack("{s:O, s:s}", "entries", list, "head", hex));
	}
	json_decref(list);
	free(e);
}

/* The table */

static const struct route routes[] = {
	{ "GET", "/ctm/v1/identity", OPEN, 0, get_identity },
	{ "POST", "/ctm/v1/identity/proof", OPEN, SMALL, post_proof },
	{ "POST", "/ctm/v1/session", OPEN, SMALL, post_session },
	{ "DELETE", "/ctm/v1/session", SESSION, 0, delete_session },
	{ "PUT", "/ctm/v1/password", SESSION, SMALL, put_password },
	{ "GET", "/ctm/v1/state", OWNER, 0, get_state },
	{ "GET", "/ctm/v1/config", OWNER, 0, api_config_get },
	{ "PUT", "/ctm/v1/config", OWNER, SMALL, api_config_put },
	{ "GET", "/ctm/v1/userdata", OWNER, 0, api_userdata_list },
	{ "GET", "/ctm/v1/userdata/", OWNER, 0, api_userdata },
	{ "PUT", "/ctm/v1/userdata/", OWNER, SMALL, api_userdata },
	{ "DELETE", "/ctm/v1/userdata/", OWNER, 0, api_userdata },
	{ "POST", "/ctm/v1/update", OWNER, CTM_IMAGE_MAX + CTM_MANIFEST_MAX + 4, api_update },
	{ "GET", "/ctm/v1/log", OWNER, 0, get_log },
	{ "POST", "/ctm/v1/reset", OWNER, SMALL, api_reset },
};

static bool path_is(const struct route *t, const char *path)
{
	size_t n = strlen(t->path);

	if (t->path[n - 1] != '/')
		return strcmp(t->path, path) == 0;
	return strncmp(t->path, path, n) == 0 && path[n] && !strchr(path + n, '/');
}

static const struct route *find(const struct request *q, bool *known_path)
{
	*known_path = false;
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		if (!path_is(&routes[i], q->head.path))
			continue;
		*known_path = true;
		if (strcmp(routes[i].method, q->head.method) == 0)
			return &routes[i];
	}
	return NULL;
}

/* Addresses that a defect leaves open. */
static bool left_open(const struct route *t)
{
	return (DEFECT(OPEN_CONFIG_WRITE) && t->run == api_config_put) || (DEFECT(OPEN_LOG) && t->run == get_log) ||
	       (DEFECT(OPEN_STATE) && t->run == get_state) || (DEFECT(OPEN_RESET) && t->run == api_reset);
}

static int may(struct agent *a, const struct route *t, const struct request *q)
{
	int rc;

	if (t->access == OPEN || left_open(t))
		return 0;
	rc = q->has_token ? ctm_cred_check(&a->cred, q->token) : CTM_SDK_AUTH;
	if (rc == CTM_SDK_CHANGE && (t->access == SESSION || DEFECT(DEFAULT_PASSWORD)))
		return 0;
	return rc;
}

size_t api_body_max(struct agent *a, struct request *q, struct reply *r)
{
	bool known;
	const struct route *t = find(q, &known);
	int rc;

	if (!t && known)
		api_error(r, 405, "UNKNOWN", NULL, "This address does not know that method.");
	else if (!t)
		api_error(r, 404, "UNKNOWN", NULL, "There is no such address on this device.");
	else if ((rc = may(a, t, q)) == CTM_SDK_CHANGE)
		api_error(r, 403, "CHANGE", NULL, "The initial password must be changed first: PUT /ctm/v1/password.");
	else if (rc)
		api_error(r, 401, "AUTH", NULL, "Sign in first: POST /ctm/v1/session.");
	return t ? t->body_max : 0;
}

void api_handle(struct agent *a, struct request *q, struct reply *r)
{
	bool known;
	const struct route *t = find(q, &known);

	/* A session may have ended while the body came in. */
	(void)api_body_max(a, q, r);
	if (!r->status && t)
		t->run(a, q, r);
	if (!r->status)
		api_error(r, 500, "FAIL", NULL, ctm_sdk_text(CTM_SDK_FAIL));
}
