/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls to the sample's local administration interface (ctm-local-admin/1), as observations. Whatever comes back is data:
 * no answer is status 0, not an error. Secrets never reach the trace: members that carry them are replaced by keyed digests
 * in a copy of the body before it is recorded.
 */
#include "lab/probe.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ANSWER_MAX ((size_t)1 << 20)
#define KEPT_REPLY_MAX ((size_t)64 << 10)
#define KEPT_TEXT_MAX 512

static const char *const secret_keys[] = { "password", "old", "new", "token" };

void run_sleep_ms(int64_t ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };
	if (ms > 0)
		nanosleep(&t, NULL);
}

int run_record(struct ctm_run *r, const char *kind, ctm_json *data, struct ctm_err *err)
{
	return ctm_trace_add(r->trace, r->check ? r->check->id : "", r->component ? r->component : "", kind, data, ctm_now_ms(),
		ctm_mono_us() - r->start_us, err);
}

void run_secret(const struct ctm_run *r, const char *s, char out[24])
{
	uint8_t d[CTM_SHA256];
	char hex[2 * CTM_SHA256 + 1];

	ctm_hmac_sha256(r->salt, sizeof r->salt, s, strlen(s), d);
	ctm_hex(d, sizeof d, hex);
	snprintf(out, 24, "secret:%.16s", hex);
}

int64_t run_param(const struct ctm_run *r, const char *name, int64_t otherwise)
{
	return ctm_json_int(ctm_check_param(r->check, name), otherwise);
}

int lab_connect(struct ctm_run *r, struct ctm_err *err)
{
	char base[64];
	struct in_addr a;
	struct ctm_http_conf conf = { .base = base, .insecure = true, .timeout_ms = 8000, .answer_max = ANSWER_MAX };
	int rc = ctm_target_allowed(r->plan, r->bench->address, &a, err);

	if (rc)
		return rc;
	snprintf(base, sizeof base, "https://%s:%d", r->bench->address, r->bench->port);
	lab_disconnect(r);
	return ctm_http_new(&conf, &r->http, err);
}

void lab_disconnect(struct ctm_run *r)
{
	ctm_http_free(r->http);
	r->http = NULL;
}

void lab_reply_free(struct lab_reply *a)
{
	ctm_json_free(a->json);
	a->json = NULL;
}

/* A copy with secrets replaced, one level deep: that is where the interface has them. */
static ctm_json *redacted(const struct ctm_run *r, const ctm_json *v)
{
	ctm_json *copy = ctm_json_copy(v);

	for (size_t i = 0; i < sizeof secret_keys / sizeof secret_keys[0]; i++) {
		const char *s = ctm_json_gets(v, secret_keys[i]);
		char digest[24];
		if (!s)
			continue;
		run_secret(r, s, digest);
		if (ctm_json_sets(copy, secret_keys[i], digest)) {
			ctm_json_free(copy);
			return NULL;
		}
	}
	return copy;
}

/* What may be kept of an answer: JSON without reals and not too long, else only its size and digest. */
static int add_reply(const struct ctm_run *r, ctm_json *data, const struct ctm_answer *a, ctm_json **json)
{
	CTM_AUTO_JSON *v = NULL;
	CTM_AUTO_BUF canon = CTM_BUF(KEPT_REPLY_MAX);
	char digest[CTM_DIGEST_MAX];
	int rc;

	ctm_digest_of(a->body.p, a->body.len, digest);
	rc = ctm_json_sets(data, "reply_sha256", digest) || ctm_json_seti(data, "reply_bytes", (int64_t)a->body.len);
	if (rc || a->body.len == 0)
		return rc;
	if (ctm_json_parse(a->body.p, a->body.len, ANSWER_MAX, "reply", &v, NULL))
		return a->body.len <= KEPT_TEXT_MAX && ctm_text_printable(a->body.p, a->body.len) ? ctm_json_setf(data, "reply_text", "%.*s", (int)a->body.len, a->body.p) : 0;
	if (ctm_json_canonical(v, &canon) == 0)
		rc = ctm_json_set(data, "reply", redacted(r, v));
	*json = v;
	v = NULL;
	return rc;
}

static const char *auth_name(enum lab_auth a)
{
	static const char *const names[] = { "none", "owner", "invented token", "earlier token" };
	return names[a];
}

static int describe(const struct ctm_run *r, const struct lab_call *c, ctm_json *data)
{
	char digest[CTM_DIGEST_MAX];
	int rc = ctm_json_sets(data, "step", c->step) || ctm_json_sets(data, "method", c->method) || ctm_json_sets(data, "path", c->path) ||
		ctm_json_sets(data, "auth", auth_name(c->auth));

	if (!rc && c->body)
		rc = ctm_json_set(data, "request", redacted(r, c->body));
	if (!rc && c->raw) {
		ctm_digest_of(c->raw, c->rawlen, digest);
		rc = ctm_json_sets(data, "request_sha256", digest) || ctm_json_seti(data, "request_bytes", (int64_t)c->rawlen) ||
			ctm_json_sets(data, "request_note", c->raw_note ? c->raw_note : "");
	}
	return rc;
}

int lab_do(struct ctm_run *r, const struct lab_call *c, struct lab_reply *a, struct ctm_err *err)
{
	CTM_AUTO_JSON *data = ctm_json_obj();
	CTM_AUTO_BUF body = CTM_BUF(ANSWER_MAX);
	struct ctm_answer ans = { 0 };
	struct ctm_err failure = { 0 };
	struct lab_reply got = { 0 };
	const void *p = c->raw;
	size_t n = c->rawlen;
	int64_t t0 = ctm_mono_us();
	int rc, bad;

	if (!r->http && (rc = lab_connect(r, err)))
		return rc;
	if (c->body) {
		if (ctm_json_compact(c->body, &body))
			return ctm_fail(err, CTM_E_NOMEM, c->step, NULL, "no memory for a request");
		p = body.p;
		n = body.len;
	}
	ctm_http_bearer(r->http, c->auth == LAB_OWNER ? r->token : c->auth == LAB_BOGUS ? "bm90LWEtdG9rZW4tYnV0LXdlbGwtZm9ybWVk" :
		c->auth == LAB_TOKEN ? c->token : NULL);
	rc = ctm_http_do(r->http, c->method, c->path, p ? (c->type ? c->type : "application/json") : NULL, p, n, &ans, &failure);
	bad = !data || describe(r, c, data) || ctm_json_seti(data, "ms", (ctm_mono_us() - t0) / 1000) || ctm_json_seti(data, "status", rc ? 0 : ans.status);
	if (!bad && rc)
		bad = ctm_json_sets(data, "no_answer", ctm_err_name(rc));
	if (!bad && !rc) {
		bad = add_reply(r, data, &ans, &got.json);
		got.status = ans.status;
		got.retry_after_s = ans.retry_after_s;
		if (!bad && ans.retry_after_s > 0)
			bad = ctm_json_seti(data, "retry_after_s", ans.retry_after_s);
	}
	ctm_answer_free(&ans);
	if (body.p)
		explicit_bzero(body.p, body.len);
	if (bad) {
		lab_reply_free(&got);
		return ctm_fail(err, CTM_E_NOMEM, c->step, NULL, "no memory for an observation");
	}
	rc = run_record(r, "call", data, err);
	data = NULL;
	if (rc || !a)
		lab_reply_free(&got);
	else
		*a = got;
	return rc;
}

int lab_put_text(struct ctm_run *r, const char *step, const char *path, enum lab_auth auth, const char *text, struct ctm_err *err)
{
	CTM_AUTO_JSON *body = ctm_json_obj();

	if (!body || ctm_json_sets(body, "text", text))
		return ctm_fail(err, CTM_E_NOMEM, step, NULL, "no memory for a request");
	return lab_do(r, &(struct lab_call){ .step = step, .method = "PUT", .path = path, .auth = auth, .body = body }, NULL, err);
}

int lab_login(struct ctm_run *r, const char *step, const char *password, struct lab_reply *a, struct ctm_err *err)
{
	CTM_AUTO_JSON *body = ctm_json_obj();

	if (!body || ctm_json_sets(body, "password", password))
		return ctm_fail(err, CTM_E_NOMEM, step, NULL, "no memory for a request");
	return lab_do(r, &(struct lab_call){ .step = step, .method = "POST", .path = "/ctm/v1/session", .body = body }, a, err);
}

/* ---- the owner ---- */

void lab_forget_owner(struct ctm_run *r)
{
	if (r->token[0])
		ctm_copy(r->last_token, sizeof r->last_token, r->token);
	r->token[0] = '\0';
}

/* Sign in with one password, once more after a lock. Returns the status in *status. */
static int sign_in(struct ctm_run *r, const char *password, int *status, bool *must_change, struct ctm_err *err)
{
	for (int i = 0; i < 2; i++) {
		LAB_AUTO_REPLY a = { 0 };
		const char *token;
		int rc = lab_login(r, i ? "owner.login.again" : "owner.login", password, &a, err);
		if (rc)
			return rc;
		*status = a.status;
		token = ctm_json_gets(a.json, "token");
		if (a.status == 200 && token && ctm_copy(r->token, sizeof r->token, token)) {
			*must_change = ctm_json_getb(a.json, "must_change", false);
			return 0;
		}
		r->token[0] = '\0';
		if (a.status != 429)
			return 0;
		run_sleep_ms((a.retry_after_s > 0 && a.retry_after_s <= 10 ? a.retry_after_s : 3) * 1000 + 150);
	}
	return 0;
}

static int change_initial(struct ctm_run *r, int *status, struct ctm_err *err)
{
	CTM_AUTO_JSON *body = ctm_json_obj();
	LAB_AUTO_REPLY a = { 0 };
	int rc;

	if (!body || ctm_json_sets(body, "old", r->password) || ctm_json_sets(body, "new", r->bench->fresh))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for a request");
	rc = lab_do(r, &(struct lab_call){ .step = "owner.first-password", .method = "PUT", .path = "/ctm/v1/password", .auth = LAB_OWNER, .body = body }, &a, err);
	if (rc)
		return rc;
	*status = a.status;
	if (a.status == 204 || a.status == 200)
		ctm_copy(r->password, sizeof r->password, r->bench->fresh);
	return 0;
}

static int say_owner(struct ctm_run *r, bool ok, const char *why, struct ctm_err *err)
{
	ctm_json *data = ctm_json_obj();

	if (!data || ctm_json_setb(data, "ok", ok) || ctm_json_sets(data, "why", why)) {
		ctm_json_free(data);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
	}
	return run_record(r, "owner", data, err);
}

/* Whether the session still works: the configuration is answered. */
static int session_works(struct ctm_run *r, bool *works, struct ctm_err *err)
{
	LAB_AUTO_REPLY a = { 0 };
	int rc;

	*works = false;
	if (!r->token[0])
		return 0;
	if ((rc = lab_do(r, &(struct lab_call){ .step = "owner.session", .method = "GET", .path = "/ctm/v1/state", .auth = LAB_OWNER }, &a, err)))
		return rc;
	*works = a.status == 200;
	return 0;
}

int lab_owner(struct ctm_run *r, bool *ok, struct ctm_err *err)
{
	bool must_change = false, works = false;
	int status = 0, rc = session_works(r, &works, err);

	if (rc || works) {
		*ok = works;
		return rc ? rc : say_owner(r, true, "the session still holds", err);
	}
	*ok = false;
	if ((rc = sign_in(r, r->password, &status, &must_change, err)))
		return rc;
	if (!r->token[0]) {      /* set up before this run, or reset behind our back */
		const char *other = strcmp(r->password, r->bench->initial) == 0 ? r->bench->fresh : r->bench->initial;
		if ((rc = sign_in(r, other, &status, &must_change, err)))
			return rc;
		if (r->token[0])
			ctm_copy(r->password, sizeof r->password, other);
	}
	if (!r->token[0]) {
		char why[96];
		snprintf(why, sizeof why, "the owner's password was not accepted (status %d)", status);
		return say_owner(r, false, why, err);
	}
	if (must_change) {
		if ((rc = change_initial(r, &status, err)))
			return rc;
		if (status != 204 && status != 200)
			return say_owner(r, false, "the initial password could not be changed", err);
		if ((rc = session_works(r, &works, err)))
			return rc;
		if (!works && (rc = sign_in(r, r->password, &status, &must_change, err)))
			return rc;
	}
	*ok = r->token[0] != '\0';
	return say_owner(r, *ok, *ok ? "signed in" : "no session after the password was changed", err);
}

static int fetch(struct ctm_run *r, const char *step, const char *path, ctm_json **out, struct ctm_err *err)
{
	LAB_AUTO_REPLY a = { 0 };
	int rc = lab_do(r, &(struct lab_call){ .step = step, .method = "GET", .path = path, .auth = LAB_OWNER }, &a, err);

	if (rc)
		return rc;
	*out = NULL;
	if (a.status == 200) {
		*out = a.json;
		a.json = NULL;
	}
	return 0;
}

int lab_config(struct ctm_run *r, const char *step, ctm_json **out, struct ctm_err *err)
{
	return fetch(r, step, "/ctm/v1/config", out, err);
}

int lab_state(struct ctm_run *r, const char *step, ctm_json **out, struct ctm_err *err)
{
	return fetch(r, step, "/ctm/v1/state", out, err);
}

int lab_wait_alive(struct ctm_run *r, int64_t ms, bool *ok, struct ctm_err *err)
{
	int64_t t0 = ctm_mono_us(), waited;
	ctm_json *data;
	bool alive = false;
	int rc;

	do {
		struct ctm_answer a = { 0 };
		if ((rc = lab_connect(r, err)))
			return rc;
		rc = ctm_http_do(r->http, "GET", "/ctm/v1/identity", NULL, NULL, 0, &a, NULL);
		alive = rc == 0 && a.status == 200;
		ctm_answer_free(&a);
		waited = (ctm_mono_us() - t0) / 1000;
		if (!alive)
			run_sleep_ms(60);
	} while (!alive && waited < ms);
	data = ctm_json_obj();
	if (!data || ctm_json_setb(data, "ok", alive) || ctm_json_seti(data, "waited_ms", waited)) {
		ctm_json_free(data);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
	}
	*ok = alive;
	return run_record(r, "alive", data, err);
}
