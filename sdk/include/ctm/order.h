/* SPDX-License-Identifier: Apache-2.0
 *
 * What director statements, configurations and resets have in common: an order, signed for one device (or its cohort), with a
 * number that only rises and an end. COSE_Sign1, payload a deterministic CBOR map: 1 format, 2 device, 3 number (from 1), 4
 * not-after (seconds since 1970), and up to two more keys, 5 and 6, that the format gives a meaning.
 */
#ifndef CTM_ORDER_H
#define CTM_ORDER_H
#include "ctm/timefloor.h"

/* One order, read. Everything borrowed. */
struct ctm_order {
	struct ctm_bytes device;
	uint64_t number;
	int64_t not_after_s;
	struct ctm_bytes fifth, sixth;          /* encoded items; n 0 when absent */
};

/* Who takes orders, and from whom. */
struct ctm_order_door {
	const struct ctm_port *port;
	const struct ctm_timefloor *time;
	const uint8_t *key;
	size_t keylen;
	const char *serial, *cohort;            /* cohort NULL: only this very device */
	size_t max;                             /* bytes of a message */
	const char *type, *format;
};

/* Read a payload; *out holds anything after a failure. SYNTAX, TRUNCATED, UNSUPPORTED (another format, another key), INPUT. */
int ctm_order_decode(const uint8_t *p, size_t n, const char *format, struct ctm_order *out);
/* Signature, format, device, number not below `least`, end: VERIFY, OTHER, OLDER, decode's errors; *why (static, may be NULL):
 * "signature", "document", "device", "number", "expired". *payload is what was signed. */
int ctm_order_open(const struct ctm_order_door *door, const uint8_t *msg, size_t n, uint64_t least, struct ctm_order *out,
		   struct ctm_bytes *payload, const char **why);

#endif
