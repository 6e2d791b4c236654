/* SPDX-License-Identifier: Apache-2.0
 *
 * State awareness: see ctm/state.h. The judgement is made on a copy of the rules' memory, which counts only once the heartbeat is kept:
 * a failing store does not count one period twice.
 */
#include "ctm/state.h"
#include <string.h>

#define HOLDS 0x80u

struct rule {
	uint8_t metric, over, times;
	int32_t limit;
};

enum { UNDER, OVER };

static const struct rule rules[] = {
#define CTM_HEALTH(metric, how, limit, times) { CTM_METRIC_##metric, how, (times), (limit) },
#include "ctm/health.def"
#ifdef CTM_HEALTH_FILE
#include CTM_HEALTH_FILE
#endif
#undef CTM_HEALTH
};

#define RULES (sizeof rules / sizeof rules[0])
typedef char rules_fit[RULES <= CTM_RULES_MAX ? 1 : -1];
typedef char metrics_fit[(int)CTM_METRICS <= CTM_READINGS_MAX ? 1 : -1];

/* One rule's memory after one more heartbeat. */
static uint8_t judge(const struct rule *r, uint8_t was, int32_t value)
{
	uint8_t run = was & 0x7f, holds = was & HOLDS;
	bool beyond = value != CTM_METRIC_UNKNOWN && (r->over ? value > r->limit : value < r->limit);

	if (beyond == (holds != 0))
		return holds;           /* as it was: the count towards a change begins again */
	run++;
	if (run >= r->times)
		return holds ? 0 : HOLDS;
	return holds | run;
}

/* Metric ids of the rules that hold, each once, ascending. */
static void reasons(const uint8_t *memory, struct ctm_heartbeat *h)
{
	for (unsigned id = 1; id < 256; id++)
		for (size_t i = 0; i < RULES; i++)
			if (rules[i].metric == id && memory[i] & HOLDS) {
				h->because[h->reasons++] = (uint8_t)id;
				break;
			}
	h->degraded = h->reasons != 0;
}

static void readings(const struct ctm_state *s, struct ctm_heartbeat *h)
{
	const struct ctm_datacat *cat = ctm_datacat();

	for (int i = 0; i < CTM_METRICS; i++) {
		const struct ctm_metric *m = &ctm_metric_table[i];

		if (s->metrics.value[i] == CTM_METRIC_UNKNOWN || !ctm_datacat_sends(cat, m->data))
			continue;
		if (m->kind == CTM_METRIC_KIND_COUNTER && !s->metrics.value[i])
			continue;               /* nothing happened: not worth its bytes */
		h->reading[h->readings].id = m->id;
		h->reading[h->readings++].value = s->metrics.value[i];
	}
}

static void copy_version(char out[CTM_VERSION_MAX + 1], const char *s)
{
	size_t n = strlen(s);

	if (ctm_version_ok(s, n))
		memcpy(out, s, n);
}

void ctm_state_begin(struct ctm_state *s, const struct ctm_port *port, const struct ctm_versions *v, unsigned reboot,
		     const struct ctm_crash *crash)
{
	s->port = port;
	s->version = *v;
	s->reboot = (uint8_t)reboot;
	s->crash = *crash;
	s->started_ms = port->mono_ms(port->ctx);
	memset(s->rule, 0, sizeof s->rule);
	ctm_metrics_begin(&s->metrics);
	if (ctm_reboot_unexpected(reboot))
		(void)ctm_metrics_add(&s->metrics, CTM_METRIC_reboots_unexpected, 1);
}

bool ctm_state_degraded(const struct ctm_state *s)
{
	for (size_t i = 0; i < RULES; i++)
		if (s->rule[i] & HOLDS)
			return true;
	return false;
}

int ctm_state_beat(struct ctm_state *s, uint64_t seq, uint32_t dropped, uint8_t *out, size_t cap, size_t *n)
{
	uint32_t up = ctm_sdk_seconds(s->port->mono_ms(s->port->ctx) - s->started_ms);
	struct ctm_heartbeat h;

	(void)ctm_metrics_set(&s->metrics, CTM_METRIC_uptime_s, up > INT32_MAX ? INT32_MAX : (int32_t)up);
	memset(&h, 0, sizeof h);
	for (size_t i = 0; i < RULES; i++)
		s->judged[i] = judge(&rules[i], s->rule[i], ctm_metrics_get(&s->metrics, rules[i].metric));
	reasons(s->judged, &h);
	readings(s, &h);
	h.seq = seq;
	h.time_s = ctm_sdk_seconds(s->port->now_ms(s->port->ctx));
	h.boots = s->version.boots;
	h.dropped = dropped;
	h.reboot = s->reboot;
	if (ctm_datacat_sends(ctm_datacat(), CTM_DATA_crash_record))
		h.crash = s->crash;
	copy_version(h.booted, s->version.booted);
	copy_version(h.verified, s->version.verified);
	copy_version(h.claimed, s->version.claimed);
	return ctm_heartbeat_encode(&h, out, cap, n);
}

int ctm_state_kept(struct ctm_state *s)
{
	memcpy(s->rule, s->judged, sizeof s->rule);
	ctm_metrics_taken(&s->metrics);
	return ctm_crash_told(s->port, &s->crash);
}
