/* SPDX-License-Identifier: Apache-2.0
 *
 * Update state machine with two slots.
 *
 * Download: begin (the manifest: signature, product, director, nothing older) - write the image in pieces as it comes - finish
 * (sync, read the slot back, compare with the manifest, mark it pending). Progress is kept every CTM_SLOT_BLOCK bytes; begin
 * with the same manifest after a power cut goes on from there, and u.at says which byte comes next.
 *
 * Boot: a pending slot gets a trial, counted in storage before it may hang; only a slot whose manifest and digest verify runs.
 * With a self_test given, the boot step runs it and commits or falls back at once (a program that boots itself). Without one
 * the trial stays open: the image that runs calls ctm_update_commit when it is well; if it never does, the next boot counts
 * another trial, and after CTM_TRIALS of them the device is back on the slot that ran. Only a commit raises the security
 * counter's floor.
 *
 *   empty -> writing -> pending -> trial -> good        finish refuses: -> empty        trials used up, test failed: -> bad
 *
 * Power may go anywhere: the slot that runs is never written, and the boot record is a two-copy record.
 */
#ifndef CTM_UPDATE_H
#define CTM_UPDATE_H
#include "ctm/director.h"
#include "ctm/manifest.h"
#include "ctm/port.h"
#include "ctm/timefloor.h"
#include <stdbool.h>

/* [stored] */
enum ctm_slot_state { CTM_SLOT_EMPTY, CTM_SLOT_WRITING, CTM_SLOT_PENDING, CTM_SLOT_GOOD, CTM_SLOT_BAD, CTM_SLOT_TRIAL };

/* First line of an image: "CTM-IMAGE 1 MODEL VERSION\n". */
struct ctm_image_header {
	char model[CTM_MODEL_MAX + 1], version[CTM_VERSION_MAX + 1];
};

struct ctm_update {
	const struct ctm_port *port;
	uint8_t vendor[CTM_ID_BYTES], class_id[CTM_ID_BYTES];
	const char *component, *model;
	uint8_t release_key[CTM_PUB_MAX];
	size_t release_keylen;                  /* 32: Ed25519; 65: P-256 */
	struct ctm_director *director;          /* NULL: whoever may bring an image chooses it */
	struct ctm_timefloor *time;             /* NULL: none is kept */
#ifdef CTM_DEFECTS
	struct { bool signature, digest, order; } skip;     /* the lab's flawed twin only; a device has no such switch */
#endif
	/* The application's own test of the version just booted; 0 or negative. NULL: see above. */
	int (*self_test)(void *ctx, const struct ctm_image_header *h);
	void *self_test_ctx;
	/* the boot record */
	uint8_t active;                         /* slot to run */
	uint8_t state[CTM_SLOTS];               /* enum ctm_slot_state */
	uint8_t trials_left;
	uint64_t counter;                       /* security counter: the floor */
	uint64_t boots;                         /* boot counter */
	/* the download; slot is CTM_SLOTS when there is none */
	uint8_t slot;
	size_t at, size;                        /* next byte, all bytes */
	uint32_t mark[2];                       /* kept with the progress for the transport that brings the image (ctm/delta.h) */
	/* of this boot */
	uint8_t running;                        /* slot; CTM_SLOTS when nothing runs */
	uint64_t running_counter;
	char booted[CTM_VERSION_MAX + 1];       /* version in the header of the image that runs; "" when none does */
	char verified[CTM_VERSION_MAX + 1];     /* version in the manifest that verified for it; "" when none did */
	uint8_t digest[CTM_HASH_BYTES];         /* SHA-256 of that image */
	size_t image_size;                      /* and its bytes */
	uint8_t manifest[CTM_MANIFEST_MAX];     /* work area: a stored manifest */
};

/* Load the boot record; NONE when the device never had an image. */
int ctm_update_load(struct ctm_update *u);

/* Take a signed manifest. VERIFY, OTHER, OLDER, STATE, SYNTAX..., STORAGE; *why (static, may be NULL) names the rule. The manifest
 * need not stay. */
int ctm_update_begin(struct ctm_update *u, struct ctm_bytes manifest, const char **why);
/* The next n bytes of the image. STATE without begin, TOOBIG past its size, STORAGE (also: reads back otherwise). */
int ctm_update_write(struct ctm_update *u, const void *p, size_t n);
/* As write, but progress is kept only by ctm_update_checkpoint, at a multiple of CTM_SLOT_BLOCK: with marks of the caller. */
int ctm_update_put(struct ctm_update *u, const void *p, size_t n);
int ctm_update_checkpoint(struct ctm_update *u, uint32_t mark0, uint32_t mark1);
/* All bytes came: verify what the slot holds and mark it pending. Until ctm_update_boot, what runs is unchanged. */
int ctm_update_finish(struct ctm_update *u, const char **why);
/* The three in one, for an image that is at hand as a whole. */
int ctm_update_install(struct ctm_update *u, struct ctm_bytes manifest, struct ctm_bytes image, const char **why);

/* The boot step; also run at once after an install. 0 when something verified runs; VERIFY when nothing does. *fell_back (may
 * be NULL) says that a pending image did not make it. */
int ctm_update_boot(struct ctm_update *u, bool *fell_back);
/* Is what runs still on trial? */
bool ctm_update_on_trial(const struct ctm_update *u);
/* What runs is well: it is good, it is what boots from now on, and its security counter is the floor. STATE outside a trial. */
int ctm_update_commit(struct ctm_update *u);
/* What runs is not well: it never boots again. The caller restarts. STATE outside a trial. */
int ctm_update_reject(struct ctm_update *u);

/* Header of an image; INPUT. */
int ctm_image_header(const uint8_t *p, size_t n, struct ctm_image_header *out);

#endif
