/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine. See run.h.
 */
#include "lab/run.h"
#include "lab/plan.h"
#include "lab/probe.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdio.h>
#include <string.h>

#define ALIVE_MS 6000

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
}

static int record_text(struct ctm_run *r, const char *kind, const char *key, const char *text, struct ctm_err *err)
{
	ctm_json *data = ctm_json_obj();

	if (!data || ctm_json_sets(data, key, text)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, kind, data, err);
}

/* Who, where, with what: the particulars of the run for the report. */
static int record_begin(struct ctm_run *r, const struct ctm_run_ask *ask, struct ctm_err *err)
{
	static const char *const carried[] = { "lab", "approver", "place", "condition", "received", "consent" };
	const struct ctm_bench *b = ask->bench;
	ctm_json *data = ctm_json_obj();
	int bad = !data || ctm_json_sets(data, "operator", b->operator_name) || ctm_json_sets(data, "bench_id", b->bench_id) || ctm_json_sets(data, "address", b->address) ||
		ctm_json_seti(data, "port", b->port) || ctm_json_sets(data, "serial", b->serial) || ctm_json_sets(data, "model", b->model) ||
		ctm_json_sets(data, "challenge", ctm_json_gets(ask->plan, "challenge")) || ctm_json_sets(data, "engine", "ctm-lab") ||
		(b->release && (ctm_json_sets(data, "release_version", ctm_json_gets(b->release, "version")) || ctm_json_sets(data, "release_image", ctm_json_gets(b->release, "image_sha256"))));

	for (size_t i = 0; i < sizeof carried / sizeof carried[0] && !bad; i++)
		if (ctm_json_get(b->root, carried[i]))
			bad = ctm_json_set(data, carried[i], ctm_json_copy(ctm_json_get(b->root, carried[i])));
	if (bad) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "run.begin", data, err);
}

/* ---- health ---- */

static int health(struct ctm_run *r, const char *kind, bool *ok, struct ctm_err *err)
{
	struct ctm_answer a = { 0 };
	CTM_AUTO_BUF canon = CTM_BUF(1 << 16);
	ctm_json *data = ctm_json_obj(), *reply = NULL;
	int64_t t0 = ctm_mono_us();
	int status = 0, rc = 0, bad;

	do {
		if (!r->http && (rc = lab_connect(r, err)))
			break;
		ctm_answer_free(&a);
		a = (struct ctm_answer){ 0 };
		status = ctm_http_do(r->http, "GET", "/ctm/v1/identity", NULL, NULL, 0, &a, NULL) ? 0 : a.status;
		if (status != 200) {
			lab_disconnect(r);
			run_sleep_ms(80);
		}
	} while (status != 200 && (ctm_mono_us() - t0) / 1000 < ALIVE_MS);
	*ok = status == 200;
	if (*ok && a.body.len && !ctm_json_parse(a.body.p, a.body.len, 1 << 16, "identity", &reply, NULL) && ctm_json_canonical(reply, &canon)) {
		ctm_json_free(reply);
		reply = NULL;
	}
	ctm_answer_free(&a);
	bad = rc || !data || ctm_json_setb(data, "ok", *ok) || ctm_json_sets(data, "why", *ok ? "" : "no answer to its identity within 6 s") ||
		ctm_json_seti(data, "waited_ms", (ctm_mono_us() - t0) / 1000) || (reply && ctm_json_set(data, "identity", ctm_json_copy(reply)));
	ctm_json_free(reply);
	if (bad) {
		ctm_json_free(data);
		return rc ? rc : oom(err);
	}
	return run_record(r, kind, data, err);
}

/* ---- one check ---- */

static bool in_list(const char *list, const char *id)
{
	size_t n = strlen(id);

	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (strncmp(p, id, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

/* A reason not to run it; NULL when it may run. */
static const char *skip(const struct ctm_run_ask *ask, const struct ctm_check *k, const char *lost, char *buf, size_t cap)
{
	if (ask->only && !in_list(ask->only, k->id))
		return "Left out of this run by the operator.";
	if (!k->probe[0])
		return NULL;
	if (lost) {
		snprintf(buf, cap, "Stopped: the sample was lost during %s.", lost);
		return buf;
	}
	if (!ask->bench->consent[k->danger]) {
		snprintf(buf, cap, "The applicant's consent for danger class %s is not recorded on this bench.", ctm_danger_names[k->danger]);
		return buf;
	}
	return NULL;
}

static int record_probe_error(struct ctm_run *r, const struct ctm_err *why, struct ctm_err *err)
{
	ctm_json *data = ctm_json_obj();

	if (!data || ctm_json_sets(data, "code", ctm_err_name(why->code)) || ctm_json_sets(data, "field", why->field) || ctm_json_sets(data, "message", why->msg)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "probe.error", data, err);
}

static int observe(struct ctm_run *r, bool *alive, struct ctm_err *err)
{
	bool watched = r->check->danger >= CTM_D2, ok = true;
	struct ctm_err why = { 0 };
	int rc = record_text(r, "check.begin", "danger", ctm_danger_names[r->check->danger], err);

	if (!rc && watched)
		rc = health(r, "health.before", &ok, err);
	r->changed = r->changed || r->check->danger >= CTM_D3;
	if (!rc && ok && ctm_probe_find(r->check->probe)(r, &why))
		rc = record_probe_error(r, &why, err);
	if (!rc && watched)
		rc = health(r, "health.after", alive, err);
	return rc ? rc : record_text(r, "check.end", "danger", ctm_danger_names[r->check->danger], err);
}

/* What it looks like now, for the one who watches. */
static int tell(const struct ctm_run_ask *ask, const struct ctm_run *r, int64_t ms, struct ctm_err *err)
{
	struct ctm_lab_facts facts = { .catalogue = ask->catalogue, .trace = r->trace, .plan = ask->plan, .declaration = ask->declaration, .records = ask->records };
	struct ctm_view v;
	int rc;

	if (!ask->tell)
		return 0;
	if ((rc = ctm_judge(&facts, r->check, r->component, &v, err)))
		return rc;
	ask->tell(ask->arg, r->check, r->component, ctm_verdict_names[v.verdict], ctm_json_str(ctm_json_at(v.reasons, 0)), ms);
	ctm_view_free(&v);
	return 0;
}

static int one_check(const struct ctm_run_ask *ask, struct ctm_run *r, char lost[16], struct ctm_err *err)
{
	char buf[160];
	const char *why = skip(ask, r->check, lost[0] ? lost : NULL, buf, sizeof buf);
	int64_t t0 = ctm_mono_us();
	bool alive = true;
	int rc = 0;

	if (why) {
		rc = record_text(r, "check.skipped", "why", why, err);
	} else if (r->check->probe[0]) {
		if (ask->tell)
			ask->tell(ask->arg, r->check, r->component, NULL, NULL, 0);
		rc = observe(r, &alive, err);
		if (!alive)
			ctm_copy(lost, 16, r->check->id);
	}
	return rc ? rc : tell(ask, r, (ctm_mono_us() - t0) / 1000, err);
}

static int all_checks(const struct ctm_run_ask *ask, struct ctm_run *r, struct ctm_err *err)
{
	const ctm_json *list = ctm_json_get(ask->plan, "checks");
	char lost[16] = "";
	int rc = record_begin(r, ask, err);

	for (size_t i = 0; i < ctm_json_len(list) && !rc; i++) {
		r->check = ctm_check_find(ask->catalogue, ctm_json_gets(ctm_json_at(list, i), "id"));
		r->component = ctm_json_gets(ctm_json_at(list, i), "component");
		rc = one_check(ask, r, lost, err);
	}
	r->check = NULL;
	r->component = NULL;
	if (!rc && r->changed && !lost[0])
		rc = lab_return(r, err);
	return rc ? rc : record_text(r, "run.end", "lost", lost, err);
}

int ctm_run(const struct ctm_run_ask *ask, struct ctm_trace **out, struct ctm_err *err)
{
	struct ctm_run r = { .catalogue = ask->catalogue, .plan = ask->plan, .declaration = ask->declaration, .bench = ask->bench, .start_us = ctm_mono_us() };
	char digest[72];
	struct in_addr a;
	int rc;

	if ((rc = ctm_target_allowed(ask->plan, ask->bench->address, &a, err)) || (rc = ctm_json_digest(ask->plan, digest, err)) ||
	    (rc = ctm_trace_new(digest, &r.trace, err)))
		return rc;
	ctm_random(r.salt, sizeof r.salt);
	ctm_copy(r.password, sizeof r.password, ask->bench->initial);
	rc = all_checks(ask, &r, err);
	lab_disconnect(&r);
	ctm_json_free(r.ports);
	explicit_bzero(r.salt, sizeof r.salt);
	explicit_bzero(r.password, sizeof r.password);
	explicit_bzero(r.token, sizeof r.token);
	explicit_bzero(r.last_token, sizeof r.last_token);
	if (rc) {
		ctm_trace_free(r.trace);
		return rc;
	}
	*out = r.trace;
	return 0;
}
