/* SPDX-License-Identifier: Apache-2.0
 *
 * What a board gives the SDK's core: named records, two image slots, two clocks, a password hash, the device key and the
 * storage key: twelve functions. All functions are called from one thread, with ctx as their first argument, and return 0 or a
 * negative CTM_SDK_*. Names are at most CTM_NAME_MAX characters of [a-z0-9.-].
 *
 * Power may go at any time. The core asks only this of `write`: after it returned 0 the new bytes survive; if power went
 * inside, a later read may give the old bytes, the new ones, or rubbish (but answers). What must not be lost goes through
 * ctm_record_store().
 */
#ifndef CTM_PORT_H
#define CTM_PORT_H
#include "ctm/crypto.h"

#define CTM_SALT_BYTES 16
#define CTM_SLOTS 2

struct ctm_port {
	void *ctx;
	const struct ctm_crypto *crypto;
	/* Bytes of a record from `at` on; fewer than cap at its end. NONE when absent. */
	int (*read)(void *ctx, const char *name, size_t at, void *buf, size_t cap, size_t *got);
	/* The parts, one after the other, are the record's new contents. STORAGE. */
	int (*write)(void *ctx, const char *name, const struct ctm_bytes *parts, size_t nparts);
	int (*erase)(void *ctx, const char *name);                                        /* absent is good */
	int (*slot_begin)(void *ctx, int slot);                                           /* make it empty */
	/* Ascending, no gaps. */
	int (*slot_write)(void *ctx, int slot, size_t at, const void *p, size_t n);
	int (*slot_sync)(void *ctx, int slot);                                            /* durable from here */
	int (*slot_read)(void *ctx, int slot, size_t at, void *p, size_t cap, size_t *got); /* got 0 at the end; NONE */
	int64_t (*now_ms)(void *ctx);                                                     /* wall clock, 0 when unknown */
	int64_t (*mono_ms)(void *ctx);                                                    /* never goes back while running */
	/* Slow, salted hash of a password. */
	int (*kdf)(void *ctx, const void *password, size_t n, const uint8_t salt[CTM_SALT_BYTES], uint8_t out[CTM_HASH_BYTES]);
	/* ES256 with the device key, which stays where it is (file, TPM, key slot): raw r || s. NONE without a key, UNSUPPORTED. */
	int (*sign)(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES]);
	/* The key that seals stored data (make = 1: made when there is none; 0: NONE), or, with make = -1, destroyed so that what it
	 * sealed is unreadable for good (key may then be NULL; absent is good). */
	int (*seal_key)(void *ctx, int make, uint8_t key[CTM_AEAD_KEY]);
};

/* Two-copy records: the older copy is overwritten, each copy carries a number and a digest, the newest whole one counts. A
 * crash inside store leaves the old or the new contents. At most CTM_RECORD_MAX bytes. load: NONE when no copy is whole. */
int ctm_record_load(const struct ctm_port *port, const char *name, void *buf, size_t cap, size_t *len);
int ctm_record_store(const struct ctm_port *port, const char *name, const void *buf, size_t n);
int ctm_record_erase(const struct ctm_port *port, const char *name);

#endif
