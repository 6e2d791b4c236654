/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway: stands beside one device on a serial line and speaks HTTPS for it (ctm/gateway.h). It relays enrolment and signed
 * heartbeats to the platform, and carries what a directory holds to the device. It keeps no secrets and can change nothing that
 * is signed.
 *
 * The directory: NAME.config and NAME.reset (signed documents of ctm/remote.h), NAME.update (an update package), NAME.ask (empty: what
 * does the device say about itself?), taken in the order of their names. Each is answered by NAME.answer, JSON {result, rule, state?}, and
 * then done. A transfer that a restart or a broken line cut off goes on where it stopped.
 */
#ifndef CTM_GATEWAY_PROGRAM_H
#define CTM_GATEWAY_PROGRAM_H
#include "ctm/cbor.h"
#include "ctm/crypto.h"
#include "ctm/gateway.h"
#include "ctm/link.h"
#include <jansson.h>
#include <limits.h>
#include <sys/types.h>

#define GW_MESSAGE 4096                 /* a small message, either way */
#define GW_MTU 200
#define GW_PACKAGE ((size_t)40 << 20)

struct conf {
	const char *line;               /* path of a tty or of a unix socket */
	const char *platform;           /* https://HOST:PORT */
	const char *ca;                 /* PEM; nothing else is trusted */
	const char *deliver;            /* directory, or NULL */
};

/* What is being carried to the device. */
enum step { STEP_IDLE, STEP_ASKED, STEP_PIECE, STEP_FINISHED };
struct job {
	char name[NAME_MAX + 1];        /* file, "" none */
	uint8_t *bytes;                 /* its contents */
	size_t n, manifest_n;           /* of an update: 4 + manifest, then the image */
	int op;
	enum step step;
	uint64_t id;
	size_t piece_at;                /* offset of the image from which it is sent */
	int64_t asked_ms;
	uint16_t peer;                  /* nonce of the device when it was asked: another one means that it started afresh */
};

struct gateway {
	struct conf conf;
	int fd;                         /* the line; -1 while it is not there */
	uint8_t frame[GW_MTU + 4];
	size_t frame_at;
	struct ctm_link link;
	struct ctm_link_app app;
	uint8_t in[GW_MESSAGE], out[GW_MESSAGE];
	size_t in_n;
	bool in_whole, piece_out;       /* a message waits; what goes out is a piece of an image */
	uint32_t in_length;
	uint64_t next_id;
	struct job job;
};

/* line.c: open the line, move bytes. step waits at most ms for something to come. */
void line_begin(struct gateway *g);
void line_step(struct gateway *g, int ms);
int64_t now_ms(void);                   /* mono */

/* relay.c: the device's question in g->in to the platform, its answer into g->out; bytes of it, 0: it was no question. */
size_t relay(struct gateway *g);

/* https.c: one POST. 0 with *status; negative: the platform was not reached. answer is NUL-terminated. */
int https_post(const struct conf *c, const char *path, const char *type, const void *body, size_t n, long *status, char *answer, size_t cap);
int https_begin(void);

/* deliver.c: look into the directory, carry on with what is under way. answered: a message from the device that is no question. */
void deliver_step(struct gateway *g);
void deliver_answered(struct gateway *g);
/* What the device says of itself, as JSON of known names; stops at what is not as it should be (r->err). */
json_t *device_state_json(struct ctm_cbor_r *r);
/* Bytes of the message being sent, when it is a piece of an image. */
int deliver_source(struct gateway *g, uint32_t at, uint8_t *buf, size_t n);

#endif
