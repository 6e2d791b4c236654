/* SPDX-License-Identifier: Apache-2.0
 *
 * The product on the board: a porch sensor. One structure holds every context of the SDK; unit.c fills it at the start, talk.c
 * speaks with the gateway, main.c runs.
 */
#ifndef CTM_SENSOR_H
#define CTM_SENSOR_H
#include "board.h"
#include "ctm/config.h"
#include "ctm/identity.h"
#include "ctm/iface.h"
#include "ctm/link.h"
#include "ctm/log.h"
#include "ctm/remote.h"
#include "ctm/state.h"
#include "ctm/update.h"

#define SENSOR_MODEL "PS-1"
#define SENSOR_MTU 200
#define SENSOR_MESSAGE 704              /* a manifest or a signed document, with its frame */
#define SENSOR_QUESTION 448             /* a signed heartbeat, or an enrolment */
#define SENSOR_LINE 0                   /* id of the only interface */

enum { SETTING_INTERVAL, SETTING_LAMP, SETTING_NAME, SETTINGS };

struct sensor {
	/* of this unit, from the factory */
	char serial[CTM_SERIAL_MAX + 1], code[40], maker[40];
	struct ctm_p256 key;
	bool enrolled;
	/* the SDK */
	struct ctm_port port;
	struct ctm_timefloor time;
	struct ctm_update update;
	struct ctm_config config;
	struct ctm_remote remote;
	struct ctm_log log;
	struct ctm_ifaces ifaces;
	struct ctm_state state;
	struct ctm_queue queue;
	struct ctm_link link;
	struct ctm_link_app app;
	/* the conversation */
	uint8_t in[SENSOR_MESSAGE], out[SENSOR_QUESTION];
	size_t in_n;
	uint32_t piece_at;                      /* of an image: offset of the bytes that come */
	bool in_whole, restart;                 /* a message waits; restart once the answer is through */
	unsigned restart_reason;
	int64_t restart_ms;                     /* at the latest then, mono */
	uint8_t asked;                          /* op of our open question, 0: none */
	uint32_t question;                      /* its id */
	uint16_t asked_peer;                    /* nonce of the gateway that was asked */
	uint64_t asked_seq;                     /* heartbeat in it */
	int64_t asked_ms, beat_ms;              /* mono */
};

/* unit.c: everything from storage; the factory's image at the very first start. 0, or what stops the device. */
int sensor_begin(struct sensor *s);
void sensor_log(struct sensor *s, const char *event, const char *detail);
/* The secure default, as a signed reset asks for it. */
int sensor_reset(struct sensor *s);

/* talk.c */
void talk_begin(struct sensor *s);
void talk_step(struct sensor *s);               /* take what came, answer, ask what is to be asked */

#endif
