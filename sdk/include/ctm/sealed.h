/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed store: what the owner puts on the device and what a thief shall not read. Each record is sealed by itself (AES-256-GCM,
 * its name as associated data, so one cannot stand for another) under the board's storage key (port.seal_key). Only declared
 * names are taken.
 *
 * Nonces: 4 bytes of a generation that is reserved in storage before it is used, 8 random bytes. Generations never come twice
 * while storage keeps what it took, whatever power does and however bad the random numbers are; where old storage was put
 * back under the same key, the random half keeps them apart, and a record from the lost future is noticed when it is read.
 *
 * Wipe: the key is destroyed first, then it is shown of each record that it does not open any more, then the records go. A wipe
 * cut short is finished before anything else is possible.
 */
#ifndef CTM_SEALED_H
#define CTM_SEALED_H
#include "ctm/log.h"
#include "ctm/port.h"
#include <stdbool.h>

#define CTM_SEALED_ROOM (CTM_AEAD_NONCE + CTM_AEAD_TAG)      /* bytes a record is longer than its contents */
#define CTM_SEALED_NAME (CTM_NAME_MAX - 2)

struct ctm_sealed {
	const struct ctm_port *port;
	struct ctm_log *log;                    /* gets a record of each wipe; may be NULL */
	const char *const *names;               /* what may be kept; constant */
	size_t n;
	/* kept */
	uint32_t limit;                         /* generations below it may have been used */
	bool wiping;                            /* a wipe was cut short: call ctm_sealed_wipe */
	/* not kept */
	uint32_t next;
	bool restored;                          /* storage holds something later than it should know: old storage was put back */
};

/* After a start. STORAGE. */
int ctm_sealed_load(struct ctm_sealed *s);
/* Seal n bytes of buf and keep them; buf needs cap >= n + CTM_SEALED_ROOM and holds nothing readable afterwards. UNKNOWN (not
 * declared), TOOBIG, STATE (a wipe is under way), STORAGE, or the failure of the back end or the key. */
int ctm_sealed_put(struct ctm_sealed *s, const char *name, uint8_t *buf, size_t n, size_t cap);
/* The contents at buf, *n bytes; cap must hold CTM_SEALED_ROOM more than that. NONE, VERIFY (changed, of another name, or
 * sealed under a key that is gone), and as put. */
int ctm_sealed_get(struct ctm_sealed *s, const char *name, uint8_t *buf, size_t cap, size_t *n);
int ctm_sealed_del(struct ctm_sealed *s, const char *name);   /* absent is good */
/* Everything unreadable for good, and shown to be. buf is room to try in (the longest record, and CTM_SEALED_ROOM); FAIL when a record
 * still opens, STORAGE. May be called again. */
int ctm_sealed_wipe(struct ctm_sealed *s, uint8_t *buf, size_t cap);

#endif
