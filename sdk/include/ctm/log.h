/* SPDX-License-Identifier: Apache-2.0
 *
 * Security log: a ring of the last CTM_LOG_ENTRIES events, each bound to the one before by a hash:
 *     hash(n) = SHA-256( hash(n-1) || CBOR [seq, at_ms, event, detail] ),   hash(0) = 32 zero bytes
 * so whoever kept a head can tell a changed or missing entry. It survives a factory reset. Details carry no secrets.
 */
#ifndef CTM_SDK_LOG_H
#define CTM_SDK_LOG_H
#include "ctm/port.h"

#define CTM_LOG_ENTRIES ((CTM_LOG_BLOCKS - 1) * CTM_LOG_BLOCK)   /* that always remain */

struct ctm_log_entry {
	uint64_t seq;                                   /* from 1 */
	int64_t at_ms;                                  /* wall clock */
	char event[CTM_LOG_EVENT + 1], detail[CTM_LOG_DETAIL + 1];
	uint8_t hash[CTM_HASH_BYTES];
};

struct ctm_log {
	const struct ctm_port *port;
	uint64_t last;                                  /* seq of the newest, 0 when empty */
	uint8_t head[CTM_HASH_BYTES];
};

/* Find the newest entry. A damaged block ends the log before it. */
int ctm_log_load(struct ctm_log *l);
/* Longer texts are cut; bytes outside printable ASCII become '?'. Durable on return. */
int ctm_log_add(struct ctm_log *l, const char *event, const char *detail);
/* Entries after `after`, oldest first, at most cap; *n of them. Older than the ring are skipped. */
int ctm_log_read(const struct ctm_log *l, uint64_t after, struct ctm_log_entry *out, size_t cap, size_t *n);
/* The hash an entry must have after `before`. */
int ctm_log_hash(const struct ctm_crypto *c, const uint8_t before[CTM_HASH_BYTES], const struct ctm_log_entry *e,
		 uint8_t out[CTM_HASH_BYTES]);

#endif
