/* SPDX-License-Identifier: Apache-2.0
 *
 * Store and forward: heartbeats wait in storage until they are taken. A ring of CTM_QUEUE_SLOTS; when it is full the oldest goes and
 * is counted. A number is given to one content only, for the life of the device: a heartbeat is stored under its number before it
 * can be sent, and what was taken is noted before its place is free again. Power may go anywhere: afterwards a heartbeat that
 * was stored is still there or was taken; at worst one is sent a second time, and its receiver knows the number.
 */
#ifndef CTM_QUEUE_H
#define CTM_QUEUE_H
#include "ctm/port.h"

struct ctm_queue {
	const struct ctm_port *port;
	uint64_t next;                  /* number of the next heartbeat, from 1 */
	uint64_t first;                 /* oldest that may wait; next when none does */
	uint32_t dropped;               /* in the life of the device */
};

/* Find out what waits. */
int ctm_queue_load(struct ctm_queue *q);
/* Store the bytes as number q->next. TOOBIG, STORAGE: nothing changed. */
int ctm_queue_add(struct ctm_queue *q, const uint8_t *beat, size_t n);
/* The oldest that waits: its number, and its bytes. NONE when nothing does. */
int ctm_queue_peek(struct ctm_queue *q, uint64_t *seq, uint8_t *buf, size_t cap, size_t *n);
/* Number seq and everything before it has been taken. */
int ctm_queue_taken(struct ctm_queue *q, uint64_t seq);

#endif
