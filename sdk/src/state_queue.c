/* SPDX-License-Identifier: Apache-2.0
 *
 * A heartbeat into the queue; apart from state.c because a product may keep no queue: see ctm/state.h.
 */
#include "ctm/state.h"

int ctm_state_queue(struct ctm_state *s, struct ctm_queue *q)
{
	uint8_t buf[CTM_HEARTBEAT_MAX];
	size_t n = 0;
	int rc = ctm_state_beat(s, q->next, q->dropped, buf, sizeof buf, &n);

	if (!rc)
		rc = ctm_queue_add(q, buf, n);
	return rc ? rc : ctm_state_kept(s);
}
