/* SPDX-License-Identifier: Apache-2.0
 *
 * Enrolment, renewal and state reports, in a thread of their own. Certificates come by EST (est.c) and must verify under the pinned CA
 * for this key and serial. A renewal that fails is tried again later; reports go on with the certificate there is. A report carries a number that only grows and is stored before it
 * is sent, so a report that was heard can never be sent again with another content. Failures are tried again, slower each time
 * up to RETRY_MAX_S, and are said on standard error once per change of words.
 */
#include "agent.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MAX_S 30
#define ANSWER (32 << 10)
#define SEQ_RECORD "report-seq"

/* The next number, stored before it is used. */
static int next_seq(struct agent *a)
{
	uint8_t b[8];

	a->report_seq++;
	for (int i = 0; i < 8; i++)
		b[i] = (uint8_t)(a->report_seq >> (56 - 8 * i));
	return ctm_record_store(&a->port, SEQ_RECORD, b, sizeof b);
}

static void load_seq(struct agent *a)
{
	uint8_t b[8];
	size_t n = 0;

	a->report_seq = 0;
	if (ctm_record_load(&a->port, SEQ_RECORD, b, sizeof b, &n) == 0 && n == 8)
		for (int i = 0; i < 8; i++)
			a->report_seq = a->report_seq << 8 | b[i];
}

static char *report_body(struct agent *a)
{
	json_t *o = json_pack("{s:I, s:o, s:I, s:s, s:{s:I, s:I}}", "seq", (json_int_t)a->report_seq, "version", agent_versions(a),
		"boot_counter", (json_int_t)a->update.boots, "health", agent_health(a), "metrics",
		"uptime_s", (json_int_t)((mono_ms(NULL) - a->started_ms) / 1000), "log_entries", (json_int_t)a->log.last);
	char *body = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return body;
}

static int report(struct agent *a, struct why *w)
{
	char *cert = malloc(AGENT_PEM), *answer = malloc(ANSWER), *body = NULL;
	struct client_call call = { .method = "POST", .path = "/d/v1/state", .type = "application/json", .key = a->key, .cert = cert };
	int status = 0, rc = 0;

	pthread_mutex_lock(&a->lock);
	if (cert && answer && next_seq(a) == 0 && device_cert_pem(a, cert, AGENT_PEM) == 0)
		body = report_body(a);
	pthread_mutex_unlock(&a->lock);
	if (!body)
		rc = why_say(w, CTM_SDK_STORAGE, "no report could be made");
	else {
		call.body = body;
		rc = client_exchange(&a->conf, &call, &status, answer, ANSWER, w);
	}
	if (!rc && (status < 200 || status > 299))
		rc = why_say(w, CTM_SDK_STATE, "the maker's service refused the report (status %d)", status);
	if (!rc)
		device_key_settle(a);
	free(body);
	free(answer);
	free(cert);
	return rc;
}

static void say(const struct why *w, char last[sizeof w->text])
{
	if (strcmp(w->text, last) == 0)
		return;
	fprintf(stderr, "ctm-agent: %s; trying again\n", w->text);
	memcpy(last, w->text, sizeof w->text);
}

static void *run(void *arg)
{
	struct agent *a = arg;
	char last[sizeof(struct why)] = "";
	int retry = 1;

	for (;;) {
		struct why w = { "" };
		bool enrolled, ok;
		int pause_s;

		pthread_mutex_lock(&a->lock);
		enrolled = a->enrolled;
		pthread_mutex_unlock(&a->lock);
		if (enrolled && device_cert_old(a) && est_renew(a, &w))
			say(&w, last);
		ok = (enrolled ? report(a, &w) : est_enrol(a, &w)) == 0;
		pause_s = ok ? (enrolled ? a->conf.report_interval_s : 0) : retry;
		if (ok) {
			retry = 1;
			last[0] = 0;
		} else {
			say(&w, last);
			retry = retry * 2 > RETRY_MAX_S ? RETRY_MAX_S : retry * 2;
		}
		nanosleep(&(struct timespec){ .tv_sec = pause_s }, NULL);
	}
	return NULL;
}

int report_start(struct agent *a, struct why *w)
{
	pthread_t t;
	sigset_t all, before;
	int rc;

	load_seq(a);
	if (!a->conf.host[0])
		return 0;
	/* Signals are the first thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&t, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc ? why_say(w, CTM_SDK_FAIL, "no thread for reports") : 0;
}
