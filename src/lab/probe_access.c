/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes of credentials: default passwords as delivered (C01) and in use (C02), the printed password (C04), lock-out (C05),
 * weak new passwords (C07). Attempts are few and counted. They come in rounds one short of the declared lock-out, each closed by
 * a sign-in with the right password, so that an honest device is never locked by this check and every round carries its
 * positive control; a lock that comes all the same is waited out. Passwords appear in the trace only as keyed digests.
 */
#include "lab/probe.h"
#include "base/text.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
}

/* ---- default passwords ---- */

struct tries { int made, accepted, refused, locked; int64_t waited_ms; };

static int64_t lock_ms(const struct ctm_run *r, const struct lab_reply *a)
{
	int64_t max = run_param(r, "max_wait_s", 10), s = a->retry_after_s > 0 ? a->retry_after_s : 1;
	return (s < max ? s : max) * 1000 + 120;
}

/* One password, once more when the first try met a lock. */
static int attempt(struct ctm_run *r, const char *password, struct tries *t, struct ctm_err *err)
{
	char step[32];

	for (int again = 0; again < 2; again++) {
		LAB_AUTO_REPLY a = { 0 };
		int rc;
		snprintf(step, sizeof step, "try/%d", ++t->made);
		if ((rc = lab_login(r, step, password, &a, err)))
			return rc;
		if (a.status == 429) {
			t->locked++;
			t->waited_ms += lock_ms(r, &a);
			run_sleep_ms(lock_ms(r, &a));
			continue;
		}
		if (a.status == 200)
			t->accepted++;
		else
			t->refused++;
		return 0;
	}
	return 0;
}

static int record_tries(struct ctm_run *r, const struct tries *t, int control, struct ctm_err *err)
{
	ctm_json *data = ctm_json_obj();

	if (!data || ctm_json_seti(data, "made", t->made) || ctm_json_seti(data, "accepted", t->accepted) || ctm_json_seti(data, "refused", t->refused) ||
	    ctm_json_seti(data, "locked", t->locked) || ctm_json_seti(data, "waited_ms", t->waited_ms) || ctm_json_seti(data, "control_status", control)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "login.tries", data, err);
}

/* Wrong attempts in a row before the right password: one less than the declared lock-out allows. */
static int round_size(const struct ctm_run *r)
{
	const ctm_json *lockout = ctm_json_get(ctm_json_get(r->declaration, "credentials"), "lockout");
	int64_t n = ctm_json_geti(lockout, "attempts", 0);
	return n > 1 && n <= 100 ? (int)n - 1 : 0;
}

/* One wrong password; a sign-in with the right one when the round is full. */
static int in_round(struct ctm_run *r, const char *password, struct tries *t, struct ctm_err *err)
{
	char step[32];
	int size = round_size(r), rc = attempt(r, password, t, err);

	if (rc || !size || t->refused == 0 || t->refused % size)
		return rc;
	snprintf(step, sizeof step, "control/round.%d", t->refused / size);
	return lab_login(r, step, r->password, NULL, err);
}

/* The list of the check file, and values off the label. skip: not tried (it is the right one). */
static int try_list(struct ctm_run *r, const char *skip, const char *extra, struct ctm_err *err)
{
	const ctm_json *list = ctm_check_param(r->check, "passwords");
	const char *label[] = { r->bench->serial, r->bench->model, extra };
	struct tries t = { 0 };
	LAB_AUTO_REPLY a = { 0 };
	int rc = 0;

	for (size_t i = 0; i < ctm_json_len(list) && !rc; i++) {
		const char *p = ctm_json_str(ctm_json_at(list, i));
		if (p && !ctm_streq(p, skip))
			rc = in_round(r, p, &t, err);
	}
	for (size_t i = 0; i < sizeof label / sizeof label[0] && !rc; i++)
		if (label[i] && !ctm_streq(label[i], skip))
			rc = in_round(r, label[i], &t, err);
	if (rc || (rc = lab_login(r, "control/right", r->password, &a, err)))
		return rc;
	if (a.status == 429) {
		run_sleep_ms(lock_ms(r, &a));
		lab_reply_free(&a);
		if ((rc = lab_login(r, "control/right.again", r->password, &a, err)))
			return rc;
	}
	return record_tries(r, &t, a.status, err);
}

CTM_PROBE(default_arrival)
{
	return try_list(r, NULL, NULL, err);
}

CTM_PROBE(default_in_use)
{
	bool ok = false;
	int rc = lab_owner(r, &ok, err);
	return rc || !ok ? rc : try_list(r, NULL, r->bench->initial, err);
}

/* ---- the printed password ---- */

struct plate { const char *password; ctm_json *hits; int tried; int bad; };

static void compare(struct plate *p, const char *guess, const char *how)
{
	p->tried++;
	if (guess[0] && strcasecmp(p->password, guess) == 0)
		p->bad |= ctm_json_adds(p->hits, how);
}

/* Forms of one printed value: as it is, reversed, without separators, its last characters, digests of it. */
static void transforms(struct plate *p, const char *name, const char *value)
{
	char buf[160], how[80];
	char digest[CTM_DIGEST_MAX];
	size_t n = strlen(value), k = 0;

	if (n == 0 || n >= 64)
		return;
	snprintf(how, sizeof how, "%s as it stands", name);
	compare(p, value, how);
	for (size_t i = 0; i < n; i++)
		buf[i] = value[n - 1 - i];
	buf[n] = '\0';
	snprintf(how, sizeof how, "%s reversed", name);
	compare(p, buf, how);
	for (size_t i = 0; i < n; i++)
		if (isalnum((unsigned char)value[i]))
			buf[k++] = value[i];
	buf[k] = '\0';
	snprintf(how, sizeof how, "%s without separators", name);
	compare(p, buf, how);
	for (size_t len = 4; len <= n; len++) {
		snprintf(how, sizeof how, "last %zu characters of %s", len, name);
		compare(p, value + n - len, how);
		snprintf(buf, sizeof buf, "%.*s", (int)len, value);
		snprintf(how, sizeof how, "first %zu characters of %s", len, name);
		compare(p, buf, how);
	}
	ctm_digest_of(value, n, digest);
	for (size_t len = 6; len <= 64; len++) {
		snprintf(buf, sizeof buf, "%.*s", (int)len, digest + 7);
		snprintf(how, sizeof how, "first %zu digits of SHA-256 of %s", len, name);
		compare(p, buf, how);
	}
	static const char *const tails[] = { "1", "123", "1234", "!", "admin" };
	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
		snprintf(buf, sizeof buf, "%s%s", value, tails[i]);
		snprintf(how, sizeof how, "%s with \"%s\" after it", name, tails[i]);
		compare(p, buf, how);
	}
}

static int classes(const char *s)
{
	int lower = 0, upper = 0, digit = 0, other = 0;

	for (; *s; s++) {
		if (islower((unsigned char)*s)) lower = 1;
		else if (isupper((unsigned char)*s)) upper = 1;
		else if (isdigit((unsigned char)*s)) digit = 1;
		else other = 1;
	}
	return lower + upper + digit + other;
}

static int distinct(const char *s)
{
	bool seen[256] = { false };
	int n = 0;

	for (; *s; s++)
		if (!seen[(unsigned char)*s]) {
			seen[(unsigned char)*s] = true;
			n++;
		}
	return n;
}

CTM_PROBE(nameplate)
{
	const ctm_json *common = ctm_check_param(r->check, "common");
	struct plate p = { .password = r->bench->initial, .hits = ctm_json_arr() };
	ctm_json *data = ctm_json_obj();
	char both[160], secret[24];
	bool is_common = false;

	for (size_t i = 0; i < ctm_json_len(common); i++) {
		const char *s = ctm_json_str(ctm_json_at(common, i));
		p.tried++;
		if (s && strcasecmp(s, p.password) == 0)
			is_common = true;
	}
	transforms(&p, "the serial", r->bench->serial);
	transforms(&p, "the model", r->bench->model);
	snprintf(both, sizeof both, "%.64s%.64s", r->bench->model, r->bench->serial);
	transforms(&p, "model and serial", both);
	run_secret(r, p.password, secret);
	if (p.bad || !data || !p.hits || ctm_json_sets(data, "password", secret) || ctm_json_seti(data, "length", (int64_t)strlen(p.password)) ||
	    ctm_json_seti(data, "classes", classes(p.password)) || ctm_json_seti(data, "distinct", distinct(p.password)) ||
	    ctm_json_setb(data, "common", is_common) || ctm_json_seti(data, "tried", p.tried)) {
		ctm_json_free(data);
		ctm_json_free(p.hits);
		return oom(err);
	}
	if (ctm_json_set(data, "derived", p.hits)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "nameplate", data, err);
}

/* ---- lock-out ---- */

CTM_PROBE(lockout)
{
	int64_t declared = ctm_json_geti(ctm_json_get(ctm_json_get(r->declaration, "credentials"), "lockout"), "attempts", 0);
	int64_t max = run_param(r, "max_attempts", 12), wait = 0;
	bool ok = false, locked = false;
	char step[32];
	int rc = lab_owner(r, &ok, err);

	if (rc || !ok)
		return rc;
	if (declared > 0 && declared + 2 > max)
		max = declared + 2;
	for (int64_t i = 1; i <= max && !locked && !rc; i++) {
		LAB_AUTO_REPLY a = { 0 };
		snprintf(step, sizeof step, "wrong/%lld", (long long)i);
		rc = lab_login(r, step, "wrong-on-purpose-by-the-bench", &a, err);
		locked = a.status == 429;
		wait = a.retry_after_s;
	}
	if (!rc && locked)
		rc = lab_login(r, "right/locked", r->password, NULL, err);
	if (!rc && locked)
		run_sleep_ms((wait > 0 && wait <= run_param(r, "max_wait_s", 60) ? wait : 3) * 1000 + 150);
	if (!rc)
		rc = lab_login(r, "right/after", r->password, NULL, err);
	return rc;
}

/* ---- weak new passwords ---- */

static int set_password(struct ctm_run *r, const char *step, const char *fresh, int *status, struct ctm_err *err)
{
	CTM_AUTO_JSON *body = ctm_json_obj();
	LAB_AUTO_REPLY a = { 0 };
	int rc;

	if (!body || ctm_json_sets(body, "old", r->password) || ctm_json_sets(body, "new", fresh))
		return oom(err);
	rc = lab_do(r, &(struct lab_call){ .step = step, .method = "PUT", .path = "/ctm/v1/password", .auth = LAB_OWNER, .body = body }, &a, err);
	if (rc)
		return rc;
	*status = a.status;
	if (a.status == 200 || a.status == 204)
		ctm_copy(r->password, sizeof r->password, fresh);
	return 0;
}

/* Change it, and back again if the sample took it. */
static int there_and_back(struct ctm_run *r, const char *step, const char *fresh, struct ctm_err *err)
{
	char before[CTM_BENCH_PASSWORD_MAX], back[48];
	int status = 0, rc;
	bool ok = false;

	ctm_copy(before, sizeof before, r->password);
	if ((rc = set_password(r, step, fresh, &status, err)) || (status != 200 && status != 204))
		return rc;
	snprintf(back, sizeof back, "%s.back", step);
	if (!(rc = lab_owner(r, &ok, err)) && ok)
		rc = set_password(r, back, before, &status, err);
	if (!rc)
		rc = lab_owner(r, &ok, err);
	explicit_bzero(before, sizeof before);
	return rc;
}

CTM_PROBE(weak_password)
{
	const ctm_json *weak = ctm_check_param(r->check, "passwords");
	char step[32], other[CTM_BENCH_PASSWORD_MAX];
	bool ok = false;
	int rc = lab_owner(r, &ok, err);

	if (rc || !ok)
		return rc;
	for (size_t i = 0; i < ctm_json_len(weak) && !rc; i++) {
		snprintf(step, sizeof step, "weak/%zu", i + 1);
		rc = there_and_back(r, step, ctm_json_str(ctm_json_at(weak, i)), err);
	}
	snprintf(other, sizeof other, "%.100s-Zq7", r->bench->fresh);
	if (!rc)
		rc = there_and_back(r, "control/strong", other, err);
	explicit_bzero(other, sizeof other);
	return rc;
}
