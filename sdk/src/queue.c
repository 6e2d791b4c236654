/* SPDX-License-Identifier: Apache-2.0
 *
 * Store and forward: see ctm/queue.h. Number s lies in record "beat.NN", NN = s modulo CTM_QUEUE_SLOTS: number (8 bytes), dropped so
 * far (4), the heartbeat. What was taken is record "beat": number (8), dropped (4). A slot whose number is not above the taken
 * one is free; nothing is erased, so a heartbeat costs one write when it is made and one when it is taken.
 */
#include "ctm/queue.h"
#include <string.h>

#define HEAD 12

/* By the low 32 bits: a device does not live for four thousand million heartbeats. */
static unsigned slot_of(uint64_t seq)
{
	return (unsigned)((uint32_t)seq % CTM_QUEUE_SLOTS);
}

static void slot_name(unsigned k, char out[CTM_NAME_MAX + 1])
{
	memcpy(out, "beat.00", 8);
	out[5] = (char)('0' + k / 10);
	out[6] = (char)('0' + k % 10);
}

/* The slot's contents with their head; NONE when there is nothing whole. */
static int load_slot(const struct ctm_port *port, unsigned k, uint8_t buf[HEAD + CTM_HEARTBEAT_MAX], size_t *n)
{
	char name[CTM_NAME_MAX + 1];
	int rc;

	slot_name(k, name);
	rc = ctm_record_load(port, name, buf, HEAD + CTM_HEARTBEAT_MAX, n);
	return rc == CTM_SDK_TOOBIG || (!rc && *n < HEAD) ? CTM_SDK_NONE : rc;
}

static void count_dropped(struct ctm_queue *q, const uint8_t *head)
{
	uint32_t d = (uint32_t)ctm_sdk_get(head + 8, 4);

	if (d > q->dropped)
		q->dropped = d;
}

int ctm_queue_load(struct ctm_queue *q)
{
	uint8_t buf[HEAD + CTM_HEARTBEAT_MAX];
	uint64_t taken = 0, last, oldest = UINT64_MAX;
	size_t n = 0;
	int rc = ctm_record_load(q->port, "beat", buf, sizeof buf, &n);

	q->dropped = 0;
	if (rc && rc != CTM_SDK_NONE)
		return rc;
	if (!rc && n == HEAD) {
		taken = ctm_sdk_get(buf, 8);
		count_dropped(q, buf);
	}
	last = taken;
	for (unsigned k = 0; k < CTM_QUEUE_SLOTS; k++) {
		uint64_t s;

		rc = load_slot(q->port, k, buf, &n);
		if (rc == CTM_SDK_NONE)
			continue;
		if (rc)
			return rc;
		s = ctm_sdk_get(buf, 8);
		if (s <= taken || slot_of(s) != k)
			continue;
		count_dropped(q, buf);
		last = s > last ? s : last;
		oldest = s < oldest ? s : oldest;
	}
	q->next = last + 1;
	q->first = oldest == UINT64_MAX ? q->next : oldest;
	return 0;
}

int ctm_queue_add(struct ctm_queue *q, const uint8_t *beat, size_t n)
{
	uint8_t buf[HEAD + CTM_HEARTBEAT_MAX];
	char name[CTM_NAME_MAX + 1];
	unsigned full = q->next - q->first >= CTM_QUEUE_SLOTS;
	int rc;

	if (n > CTM_HEARTBEAT_MAX)
		return CTM_SDK_TOOBIG;
	ctm_sdk_put(buf, q->next, 8);
	ctm_sdk_put(buf + 8, q->dropped + full, 4);
	memcpy(buf + HEAD, beat, n);
	slot_name(slot_of(q->next), name);
	if ((rc = ctm_record_store(q->port, name, buf, HEAD + n)))
		return rc;
	q->next++;
	q->first += full;
	q->dropped += full;
	return 0;
}

int ctm_queue_peek(struct ctm_queue *q, uint64_t *seq, uint8_t *buf, size_t cap, size_t *n)
{
	uint8_t slot[HEAD + CTM_HEARTBEAT_MAX];
	size_t len = 0;

	for (; q->first < q->next; q->first++) {
		int rc = load_slot(q->port, slot_of(q->first), slot, &len);

		if (rc == CTM_SDK_NONE || (!rc && ctm_sdk_get(slot, 8) != q->first))
			continue;               /* worn out in storage */
		if (rc)
			return rc;
		if (len - HEAD > cap)
			return CTM_SDK_TOOBIG;
		memcpy(buf, slot + HEAD, len - HEAD);
		*seq = q->first;
		*n = len - HEAD;
		return 0;
	}
	return CTM_SDK_NONE;
}

int ctm_queue_taken(struct ctm_queue *q, uint64_t seq)
{
	uint8_t b[HEAD];
	int rc;

	if (seq < q->first || seq >= q->next)
		return 0;
	ctm_sdk_put(b, seq, 8);
	ctm_sdk_put(b + 8, q->dropped, 4);
	if ((rc = ctm_record_store(q->port, "beat", b, sizeof b)))
		return rc;
	q->first = seq + 1;
	return 0;
}
