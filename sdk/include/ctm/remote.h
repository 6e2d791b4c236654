/* SPDX-License-Identifier: Apache-2.0
 *
 * What the maker's service may tell a device from afar: a configuration, and a reset. Both are COSE_Sign1 under the device's
 * configuration key, for this device, once, and for a while; a copy sent again moves nothing.
 *
 * ctm.config/1 (content type CTM_REMOTE_CONFIG), deterministic CBOR map:
 *   1 "ctm.config/1", 2 serial or cohort, 3 version (from 1, of this device's documents), 4 not-after (seconds since 1970),
 *   5 array of name, value, name, value... (bool, int, or text for texts and words of an enum), 6 seconds of trial (may be absent)
 * It is always tried first (ctm/config.h): a device that loses contact by it goes back alone.
 *
 * ctm.reset/1 (content type CTM_REMOTE_RESET): 1 "ctm.reset/1", 2 serial (never a cohort), 3 counter (from 1), 4 not-after.
 */
#ifndef CTM_REMOTE_H
#define CTM_REMOTE_H
#include "ctm/config.h"
#include "ctm/cose.h"
#include "ctm/order.h"
#include "ctm/timefloor.h"

#define CTM_REMOTE_CONFIG "application/ctm-config+cbor"
#define CTM_REMOTE_RESET "application/ctm-reset+cbor"
#define CTM_REMOTE_TRIAL_MAX 86400

/* The part that both have, and where the settings stand. Everything borrowed. */
struct ctm_remote_doc {
	struct ctm_bytes device;
	uint64_t number;                        /* version or counter */
	int64_t not_after_s;
	struct ctm_bytes settings;              /* the encoded array; n 0 when absent */
	uint32_t trial_s;                       /* 0 when absent */
};

struct ctm_remote {
	const struct ctm_port *port;
	struct ctm_config *config;
	const struct ctm_timefloor *time;
	uint8_t key[CTM_PUB_MAX];
	size_t keylen;                          /* 32 Ed25519, 65 P-256 */
	const char *serial, *cohort;            /* cohort may be NULL */
	/* kept */
	uint64_t reset_counter;                 /* of the last reset taken */
	bool reset_pending;                     /* taken and not done: the caller resets, and says so */
};

/* Read a payload of one of the two formats; *out holds anything after a failure. SYNTAX, TRUNCATED, UNSUPPORTED, INPUT. */
int ctm_remote_decode(const uint8_t *p, size_t n, bool reset, struct ctm_remote_doc *out);
/* After a start. reset_pending says that a reset was cut short. STORAGE. */
int ctm_remote_load(struct ctm_remote *r);
/* Take a configuration: in force on trial. VERIFY, OTHER, OLDER, UNKNOWN, INPUT, AUTH, STORAGE; *why (static, may be NULL):
 * "signature", "document", "device", "number", "expired", "setting", "storage". */
int ctm_remote_config(struct ctm_remote *r, const uint8_t *msg, size_t n, const char **why);
/* Take a reset: kept as pending, so that it happens whatever comes between. The same errors. */
int ctm_remote_reset(struct ctm_remote *r, const uint8_t *msg, size_t n, const char **why);
/* The reset is done. STORAGE. */
int ctm_remote_reset_done(struct ctm_remote *r);

#endif
