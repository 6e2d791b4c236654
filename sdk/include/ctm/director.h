/* SPDX-License-Identifier: Apache-2.0
 *
 * Director statement ctm.director/1: which image this one device (or its cohort) should run now, signed online and short-lived.
 * It only points: an image is taken when the statement AND the offline-signed manifest name the same size and digest, so who
 * holds the online key can choose among released images at best, and never lowers a security counter.
 *
 * COSE_Sign1 (content type CTM_DIRECTOR_TYPE), payload a deterministic CBOR map:
 *   1 "ctm.director/1", 2 serial or cohort, 3 counter (from 1), 4 not-after (seconds since 1970),
 *   5 array of [component, target name, size, SHA-256], 6 campaign (may be absent)
 */
#ifndef CTM_DIRECTOR_H
#define CTM_DIRECTOR_H
#include "ctm/manifest.h"
#include "ctm/timefloor.h"

#define CTM_DIRECTOR_FORMAT "ctm.director/1"
#define CTM_DIRECTOR_TYPE "application/ctm-director+cbor"
#define CTM_DIRECTOR_TARGETS 16

/* One statement, read. Everything borrowed. */
struct ctm_direction {
	struct ctm_bytes device;                /* serial or cohort */
	uint64_t counter;
	int64_t not_after_s;
	struct ctm_bytes campaign;              /* n 0 when absent */
	struct ctm_bytes target;                /* for the component asked for: its name, n 0 when the statement has none */
	uint64_t size;
	uint8_t digest[CTM_HASH_BYTES];
};

struct ctm_director {
	const struct ctm_port *port;
	const struct ctm_timefloor *time;
	uint8_t key[CTM_PUB_MAX];               /* of the online role */
	size_t keylen;                          /* 32 Ed25519, 65 P-256 */
	const char *serial, *cohort;            /* cohort may be NULL */
	const char *component;
	/* kept */
	uint64_t counter;                       /* of the last statement taken */
	uint8_t seen[CTM_HASH_BYTES];           /* its digest: one counter, one statement */
	/* in force, not kept */
	bool wanted;                            /* the device should run size, digest, until not_after_s */
	uint64_t size;
	uint8_t digest[CTM_HASH_BYTES];
	int64_t not_after_s;
};

/* Read a payload. SYNTAX, TRUNCATED, UNSUPPORTED, INPUT. Every target is checked, the one of `component` is given;
 * *out holds anything after a failure. */
int ctm_direction_decode(const uint8_t *p, size_t n, const char *component, struct ctm_direction *out);
/* Write one with one target (target.n 0: none). INPUT, TOOBIG. */
int ctm_direction_encode(const struct ctm_direction *d, const char *component, uint8_t *out, size_t cap, size_t *n);

/* After a start: the counter kept; no statement is in force until one is taken. STORAGE. */
int ctm_director_load(struct ctm_director *d);
/* Take a statement: signature, this device, not older than the last one, not past its end. VERIFY, OTHER, OLDER, STORAGE, decode's
 * errors; *why (static, may be NULL): "signature", "document", "device", "number", "expired", "storage". */
int ctm_director_take(struct ctm_director *d, const uint8_t *msg, size_t n, const char **why);
/* Does the statement in force name this image? 0, STATE (no statement wants anything), OTHER (another image), OLDER (past its end). */
int ctm_director_agrees(const struct ctm_director *d, const struct ctm_manifest *m, const char **why);

#endif
