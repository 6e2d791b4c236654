/* SPDX-License-Identifier: Apache-2.0
 *
 * Heartbeat ctm.heartbeat/1: a deterministic CBOR map with small integer keys. Over mutual TLS it travels as it is; through a
 * gateway wrapped in COSE_Sign1 (ES256, the device key). Both sides use this file.
 *
 *   0 format: 1              1 seq: grows with each heartbeat, for good       2 time: seconds since 1970; absent without a clock
 *   3 booted version         4 boots                                         5 health: 0 likely normal, 1 likely degraded
 *   6 reboot reason code     7 {metric id: value}                            8 verified version, when it is not the booted one
 *   9 claimed version, when it is not the booted one                        10 heartbeats dropped so far, when any
 *  11 last unexpected start not yet told: [count, reason, pc, lr, uptime s, version]
 *  12 metric ids behind "likely degraded", when it is
 * Keys 0, 1, 3 to 7 must be there. Unknown keys are refused.
 */
#ifndef CTM_HEARTBEAT_H
#define CTM_HEARTBEAT_H
#include "ctm/crash.h"

#define CTM_HEARTBEAT_TYPE "application/ctm-heartbeat+cbor"
#define CTM_HEARTBEAT_FORMAT 1

enum ctm_heartbeat_key {
	CTM_H_FORMAT = 0, CTM_H_SEQ = 1, CTM_H_TIME = 2, CTM_H_BOOTED = 3, CTM_H_BOOTS = 4, CTM_H_HEALTH = 5, CTM_H_REBOOT = 6,
	CTM_H_METRICS = 7, CTM_H_VERIFIED = 8, CTM_H_CLAIMED = 9, CTM_H_DROPPED = 10, CTM_H_CRASH = 11, CTM_H_BECAUSE = 12
};

struct ctm_reading {
	uint8_t id;
	int32_t value;
};

/* Texts are versions or empty: what of it is not known is "". */
struct ctm_heartbeat {
	uint64_t seq;                           /* 1 to INT64_MAX */
	int64_t time_s;                         /* 0: unknown */
	uint64_t boots;                         /* 0 to INT64_MAX */
	uint32_t dropped;
	uint8_t degraded, reboot;
	uint8_t readings, reasons;              /* how many of the arrays */
	struct ctm_reading reading[CTM_READINGS_MAX];   /* ascending ids */
	uint8_t because[CTM_RULES_MAX];         /* metric ids, ascending */
	struct ctm_crash crash;                 /* reason 0: none */
	char booted[CTM_VERSION_MAX + 1], verified[CTM_VERSION_MAX + 1], claimed[CTM_VERSION_MAX + 1];
};

int ctm_heartbeat_encode(const struct ctm_heartbeat *h, uint8_t *out, size_t cap, size_t *n);   /* INPUT, TOOBIG */
/* SYNTAX, TRUNCATED, UNSUPPORTED (another format, an unknown key), INPUT (a value outside its range), TOOBIG. What decodes encodes
 * to the same bytes. */
int ctm_heartbeat_decode(const uint8_t *p, size_t n, struct ctm_heartbeat *out);

/* For a gateway: COSE_Sign1 (ES256) by the port's device key. The key id is the public key itself (x || y, 64 bytes), so that who
 * receives it finds the unit by its key and needs no list of keys. pub is 04 || x || y. cap: n + CTM_HEARTBEAT_SIGNED. */
#define CTM_HEARTBEAT_SIGNED 192
int ctm_heartbeat_sign(const struct ctm_port *port, const uint8_t pub[CTM_PUB_MAX], const uint8_t *beat, size_t n, uint8_t *out, size_t cap,
		       size_t *outlen);
/* The other side: verifies under the key that the message names, gives that key and the heartbeat's bytes (borrowed). The caller must
 * know the key. Errors of ctm_cose_sign1_verify; UNSUPPORTED when it is something else that is signed. */
int ctm_heartbeat_open(const struct ctm_crypto *c, const uint8_t *msg, size_t n, uint8_t pub[CTM_PUB_MAX], struct ctm_bytes *beat);

#endif
