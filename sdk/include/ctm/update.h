/* SPDX-License-Identifier: Apache-2.0
 *
 * Update state machine with two slots. Install: verify the manifest (signature, product, nothing older), check the image
 * against it, write it into the slot that does not run, read it back, mark it pending. Boot: a pending slot gets its trial, the
 * count of trials being stored before each; only a slot whose manifest and digest verify and whose self-test passes is
 * confirmed, and only then does the security counter's floor rise. Everything else falls back to the slot that ran.
 *
 * Power may go anywhere: the slot that runs is never written, and the boot record is a two-copy record.
 */
#ifndef CTM_UPDATE_H
#define CTM_UPDATE_H
#include "ctm/manifest.h"
#include "ctm/port.h"
#include <stdbool.h>

enum ctm_slot_state { CTM_SLOT_EMPTY, CTM_SLOT_WRITING, CTM_SLOT_PENDING, CTM_SLOT_GOOD, CTM_SLOT_BAD };

/* First line of an image: "CTM-IMAGE 1 MODEL VERSION\n". */
struct ctm_image_header {
	char model[CTM_MODEL_MAX + 1], version[CTM_VERSION_MAX + 1];
};

struct ctm_update {
	const struct ctm_port *port;
	uint8_t vendor[CTM_ID_BYTES], class_id[CTM_ID_BYTES];
	const char *component, *model;
	uint8_t release_key[32];
#ifdef CTM_DEFECTS
	struct { bool signature, digest, order; } skip;     /* the lab's flawed twin only; a device has no such switch */
#endif
	/* The application's own test of the version just booted; 0 or negative. */
	int (*self_test)(void *ctx, const struct ctm_image_header *h);
	void *self_test_ctx;
	/* the boot record */
	uint8_t active;                         /* slot to run */
	uint8_t state[CTM_SLOTS];               /* enum ctm_slot_state */
	uint8_t trials_left;
	uint64_t counter;                       /* security counter: the floor */
	uint64_t boots;                         /* boot counter */
	/* of this boot */
	char booted[CTM_VERSION_MAX + 1];       /* version in the header of the image that runs; "" when none does */
	char verified[CTM_VERSION_MAX + 1];     /* version in the manifest that verified for it; "" when none did */
	uint8_t digest[CTM_HASH_BYTES];         /* SHA-256 of that image */
};

/* Load the boot record; NONE when the device never had an image. */
int ctm_update_load(struct ctm_update *u);
/* Verify, write, read back, mark pending. VERIFY, OTHER, OLDER, STATE, SYNTAX..., STORAGE; *why (static) names the rule. Until
 * ctm_update_boot, what runs is unchanged. */
int ctm_update_install(struct ctm_update *u, struct ctm_bytes manifest, struct ctm_bytes image, const char **why);
/* The boot step; also run at once after an install. 0 when something verified runs; VERIFY when nothing does. *fell_back (may
 * be NULL) says that a pending image did not make it. */
int ctm_update_boot(struct ctm_update *u, bool *fell_back);

/* Header of an image; INPUT. */
int ctm_image_header(const uint8_t *p, size_t n, struct ctm_image_header *out);

#endif
