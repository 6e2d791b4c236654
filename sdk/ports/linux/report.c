/* SPDX-License-Identifier: Apache-2.0
 *
 * Enrolment, renewal and heartbeats, in a thread of their own. Certificates come by EST (est.c) and must verify under the pinned CA for
 * this key and serial. A renewal that fails is tried again later; reports go on with the certificate there is. Heartbeats are stored
 * under their number before they are sent (ctm/queue.h), so an outage delays them and a crash loses none. Failures are tried again,
 * slower each time up to RETRY_MAX_S, and are said on standard error once per change of words.
 */
#include "agent.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RETRY_MAX_S 30
#define ANSWER (32 << 10)

/* One heartbeat to the platform. 0, or why not; a number the platform has had (409) is as good as taken. */
static int send_beat(struct agent *a, const char *cert, const uint8_t *beat, size_t n, char *answer, struct why *w)
{
	struct client_call call = { .method = "POST", .path = "/d/v1/heartbeat", .type = CTM_HEARTBEAT_TYPE, .body = (const char *)beat, .n = n,
				    .key = a->key, .cert = cert };
	int status = 0, rc = client_exchange(&a->conf, &call, &status, answer, ANSWER, w);

	if (!rc && (status < 200 || status > 299) && status != 409)
		rc = why_say(w, CTM_SDK_STATE, "the maker's service refused the report (status %d)", status);
	return rc;
}

/* Oldest first, until nothing waits or the platform does not take it. */
static int flush(struct agent *a, struct why *w)
{
	char *cert = malloc(AGENT_PEM), *answer = malloc(ANSWER);
	uint8_t beat[CTM_HEARTBEAT_MAX];
	uint64_t seq = 0;
	size_t n = 0;
	int rc = cert && answer ? 0 : why_say(w, CTM_SDK_FAIL, "out of memory");

	while (!rc) {
		pthread_mutex_lock(&a->lock);
		rc = ctm_queue_peek(&a->queue, &seq, beat, sizeof beat, &n);
		if (!rc)
			rc = device_cert_pem(a, cert, AGENT_PEM);
		pthread_mutex_unlock(&a->lock);
		if (rc)
			break;
		rc = send_beat(a, cert, beat, n, answer, w);
		pthread_mutex_lock(&a->lock);
		ctm_metrics_add(&a->state.metrics, rc ? CTM_METRIC_sync_failed : CTM_METRIC_sync_ok, 1);
		if (!rc && !(rc = ctm_queue_taken(&a->queue, seq)))
			device_key_settle(a);
		pthread_mutex_unlock(&a->lock);
	}
	free(answer);
	free(cert);
	return rc == CTM_SDK_NONE ? 0 : rc;
}

/* A heartbeat each period, whether anybody hears it or not; then what waits goes out. */
static int report(struct agent *a, int64_t *last_beat_ms, struct why *w)
{
	int64_t now = mono_ms(NULL);
	int rc = 0;

	if (!*last_beat_ms || now - *last_beat_ms >= (int64_t)a->conf.report_interval_s * 1000) {
		pthread_mutex_lock(&a->lock);
		rc = aware_beat(a);
		pthread_mutex_unlock(&a->lock);
		*last_beat_ms = now;
	}
	return rc ? why_say(w, rc, "no report could be made") : flush(a, w);
}

static void say(const struct why *w, char last[sizeof w->text])
{
	if (strcmp(w->text, last) == 0)
		return;
	fprintf(stderr, "ctm-agent: %s; trying again\n", w->text);
	memcpy(last, w->text, sizeof w->text);
}

/* Time to look for an update? */
static bool due(const struct agent *a, int64_t last_look_ms)
{
	return a->conf.update_root[0] && !a->reboot && (!last_look_ms || mono_ms(NULL) - last_look_ms >= (int64_t)a->conf.update_interval_s * 1000);
}

static void *run(void *arg)
{
	struct agent *a = arg;
	char last[sizeof(struct why)] = "";
	int64_t last_beat_ms = 0, last_look_ms = 0;
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
		ok = (enrolled ? report(a, &last_beat_ms, &w) : est_enrol(a, &w)) == 0;
		if (ok && enrolled && due(a, last_look_ms)) {
			last_look_ms = mono_ms(NULL);
			ok = fetch_updates(a, &w) == 0;
		}
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

	if (!a->conf.host[0])
		return 0;
	/* Signals are the first thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	rc = pthread_create(&t, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc ? why_say(w, CTM_SDK_FAIL, "no thread for reports") : 0;
}
