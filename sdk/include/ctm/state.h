/* SPDX-License-Identifier: Apache-2.0
 *
 * State awareness: metrics, why the device started, its judgement about itself, and the heartbeat made of them. The judgement is
 * a table of rules over metrics (ctm/health.def and the product's own -DCTM_HEALTH_FILE='"my-health.def"'), so what "likely degraded"
 * means can be read, not guessed. NIST IR 8259A, cybersecurity state awareness.
 *
 *     ctm_state_begin()           once after start, with what ctm_crash_boot() found
 *     ctm_metrics_set(), _add()   while running, on state.metrics
 *     ctm_state_queue()           each period: judges, makes a heartbeat and puts it into the queue
 *     ctm_queue_peek(), _taken()  when there is somebody to give it to
 * A product that keeps no queue calls ctm_state_beat() and ctm_state_kept() itself, with numbers that only grow.
 */
#ifndef CTM_STATE_H
#define CTM_STATE_H
#include "ctm/heartbeat.h"
#include "ctm/metric.h"
#include "ctm/queue.h"

/* Versions as the update module knows them; borrowed, they must stay. */
struct ctm_versions {
	const char *booted, *verified, *claimed;
	uint64_t boots;
};

struct ctm_state {
	const struct ctm_port *port;
	struct ctm_metrics metrics;
	struct ctm_versions version;
	struct ctm_crash crash;                 /* waiting to be told; reason 0: none */
	int64_t started_ms;                     /* mono */
	uint8_t reboot;                         /* enum ctm_reboot of this start */
	uint8_t rule[CTM_RULES_MAX];            /* per rule: 0x80 it holds, below it how often in a row it would change */
	uint8_t judged[CTM_RULES_MAX];          /* the same after the heartbeat that was made and is not kept yet */
};

/* Metrics begin, the reason of this start is judged. port, and the texts of v, must stay. */
void ctm_state_begin(struct ctm_state *s, const struct ctm_port *port, const struct ctm_versions *v, unsigned reboot,
		     const struct ctm_crash *crash);
/* Judge and make heartbeat number seq. Metrics whose catalogue row may not leave the device are left out. TOOBIG. */
int ctm_state_beat(struct ctm_state *s, uint64_t seq, uint32_t dropped, uint8_t *out, size_t cap, size_t *n);
/* That heartbeat will not be lost any more: counters begin again, the crash is told. Before, a failing store loses nothing. */
int ctm_state_kept(struct ctm_state *s);
/* Both, with a queue in between. STORAGE: the counters go on and the next call tries again. */
int ctm_state_queue(struct ctm_state *s, struct ctm_queue *q);
/* What the last heartbeat judged. */
bool ctm_state_degraded(const struct ctm_state *s);

#endif
