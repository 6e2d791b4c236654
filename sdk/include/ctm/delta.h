/* SPDX-License-Identifier: Apache-2.0
 *
 * Delta ctm.delta/1: an image as changes to the one that runs, applied while it arrives. It reads the slot that runs, writes the
 * other, needs no memory beyond its context, and goes on after a power cut at the last frame that was kept. A delta is only a
 * transport and not signed: the image that comes out is judged by ctm_update_finish like any other, and on any failure the
 * caller fetches the full image instead.
 *
 *   header, CTM_DELTA_HEAD bytes: "CTMD", 1, context (0 or 1), log2 of the frame, 0, sizes of source and target (4 bytes each,
 *     big-endian), SHA-256 of source and of target, identity of this delta (8 bytes, of which a device keeps 4)
 *   then for each frame of the target: length of its code and first position in the source (4 bytes each), code
 *
 * Code of a frame: binary decisions of an adaptive arithmetic coder (32-bit interval, probabilities of a 0, a fresh model
 * for each frame). An operation is chosen by two decisions and followed by numbers; numbers from 1 have their length in
 * bits in a tree of 32 and the bits below the highest as even decisions.
 *   0     copy: 0, or 1 and a sign and a number, moves the position in the source; number of bytes; for each the difference to
 *         the source: a 0 when there is none, by the last 8 (context 0: 4) such answers, or 1 and the byte in a tree, by the
 *         last 2 answers (context 0: one tree)
 *   1 0   literals: number of bytes; each in a tree
 *   1 1   match: distance back in the target, number of bytes
 */
#ifndef CTM_DELTA_H
#define CTM_DELTA_H
#include "ctm/update.h"

#define CTM_DELTA_HEAD 88
#define CTM_DELTA_FRAME 8               /* before each frame's code */
#define CTM_DELTA_LOOK 64               /* bytes of code that one step takes at most */
#define CTM_DELTA_RATE 4                /* how quickly probabilities move */
#define CTM_DELTA_ONE 4096             /* probability 1 */

enum ctm_delta_number { CTM_DN_SEEK, CTM_DN_COPY, CTM_DN_LITERALS, CTM_DN_DISTANCE, CTM_DN_MATCH, CTM_DN_KINDS };

/* Probabilities, each of a 0, in 1/4096 where they may be extreme and in 1/256 in trees. The maker's coder has the same. */
struct ctm_delta_model {
	uint8_t op[3][2];                       /* by the operation before */
	uint8_t moved;
	uint8_t number[CTM_DN_KINDS][32];
	uint8_t other[CTM_DELTA_CONTEXT ? 4 : 1][256];          /* the difference; by the last answers */
	uint8_t literal[256];
	uint16_t same[CTM_DELTA_CONTEXT ? 256 : 16];            /* is the byte that of the source? by the last answers */
};

struct ctm_delta {
	struct ctm_update *u;
	uint32_t want;                          /* offset in the delta of the next byte wanted */
	uint32_t source_size, target_size, frame;
	uint8_t context, phase;
	/* frame */
	uint32_t low, high, code, left;         /* arithmetic coder; bytes of code not taken yet */
	uint32_t end;                           /* of the frame, in the target */
	uint32_t source;                        /* position in the source */
	uint8_t op;                             /* the one under way or, when bytes is 0, the last one */
	uint32_t bytes, distance;               /* still to come of it */
	uint8_t last;                           /* answers of `same` */
	uint16_t ready;                         /* source bytes that wait behind out[outs] */
	uint16_t ins, outs;
	uint8_t in[2 * CTM_DELTA_LOOK];
	uint8_t out[CTM_SLOT_CHUNK];
	struct ctm_delta_model model;
};

/* Every probability a half. */
void ctm_delta_model_new(struct ctm_delta_model *m);

/* After ctm_update_begin, whose download this delta shall bring. */
void ctm_delta_begin(struct ctm_delta *d, struct ctm_update *u);
/* The bytes from `offset` on of the delta; those before d->want are skipped, so the caller may begin anywhere up to there, and after
 * the header d->want may lie far ahead: that is where a download goes on. OTHER (not for what runs or not to what was begun),
 * UNSUPPORTED, SYNTAX, STATE (a gap, or the download was begun otherwise: go on with the full image), STORAGE. */
int ctm_delta_feed(struct ctm_delta *d, uint32_t offset, const uint8_t *p, size_t n);
/* Has the whole image come out? Then ctm_update_finish judges it. */
bool ctm_delta_done(const struct ctm_delta *d);

#endif
