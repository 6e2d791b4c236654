/* SPDX-License-Identifier: Apache-2.0
 *
 * The power-cut simulator's storage: a world of records and slots beneath the SDK's port. At each operation that changes
 * storage the world asks what would be found if power went just here, in every way that storage may answer: the operation not
 * begun, done, torn at each class of byte, rubbish; and of what was written to a slot since its last sync any part kept,
 * dropped or put in another order. Each answer is a copy of the world on which a device starts afresh (the SDK keeps no global
 * state), and the device is judged. Then the operation happens and the run goes on, so one run meets every crash point.
 *
 * A copy may have cuts of its own left: then every operation of the recovery is cut as well, which makes all pairs.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H
#include "ctm/port.h"
#include <stdbool.h>

#define WORLD_RECORDS 34                /* two copies of each record the SDK has: one more is a leak */
#define MAX_CUTS 2
#define WORLD_RECORD (CTM_RECORD_MAX + 64)
#define WORLD_SLOT 2048
#define WORLD_PENDING 24

struct record {
	char name[CTM_NAME_MAX + 4];    /* "" when free */
	uint16_t n;
	uint8_t data[WORLD_RECORD];
};

/* Since the last sync. n == 0: the slot was emptied. */
struct pending {
	uint16_t at, n;
};

struct slot {
	uint8_t synced[WORLD_SLOT], now[WORLD_SLOT];
	struct pending op[WORLD_PENDING];
	size_t ops;
};

/* What the outside world saw before the power went: a device may not fall behind it. */
struct seen {
	char version[CTM_VERSION_MAX + 1];      /* confirmed; versions do not go back, */
	char back_to[CTM_VERSION_MAX + 1];      /* except to this one */
	uint64_t counter, boots, log_last, director, reset, document;
	uint64_t config;                        /* bit set of configurations that may be found */
	uint32_t sealed;                        /* bit set of contents of the sealed record; bit 0: none */
	uint32_t identity;                      /* bit set of identities */
	int64_t floor_s;
	bool fails;                             /* release 1.1.0 does not pass its self-test */
	bool by_delta;                          /* 1.1.0 comes as a delta */
	bool open;                              /* the application commits, not the boot step */
};

struct world {
	struct record record[WORLD_RECORDS];
	struct slot slot[CTM_SLOTS];
	uint8_t key[CTM_AEAD_KEY];
	bool has_key;
	int64_t mono;
	struct seen seen;
	/* the simulation */
	int cuts;                               /* still to come, one after the other */
	const char *only;                       /* cut only at records whose names begin so; NULL: anywhere */
	const char *scenario;
	int op;                                 /* operations so far */
	char where[96];                         /* of the cuts so far */
	void (*judge)(struct world *w);         /* a device starts on a copy */
};

extern const struct ctm_crypto toy_crypto;      /* quick, not secret: hash, signature and seal of the simulation */
/* Signs what toy_crypto verifies under the 32 bytes at `key`. */
int toy_sign(void *key, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES]);
extern long crash_points, pair_points, broken;

struct ctm_port world_port(struct world *w);
void world_new(struct world *w);
/* An invariant does not hold here. */
void world_broken(const struct world *w, const char *what);

#endif
