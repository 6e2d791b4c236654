/* SPDX-License-Identifier: Apache-2.0
 *
 * Link to a gateway over a line that loses, repeats, reorders and breaks what it carries: UART, BLE, any packet of at least 9 bytes.
 * Both sides are equal. Each direction carries one message at a time, a run of bytes of known length, delivered in order and once.
 * Nothing is secret or signed here: what the messages hold protects itself.
 *
 * A pure state machine: no clock, no input or output of its own. The caller moves frames and time:
 *     ctm_link_take()   a frame came in          ctm_link_poll()   is there a frame to send now?
 * Bytes to send are read where they lie, at any offset, and bytes received are handed on as they come, so a message may be
 * larger than all of RAM. The receiver says how much it can take (back pressure); what is lost is sent again from the last byte
 * that arrived. A transfer that was cut off goes on where it stopped, also when one side has started afresh in between and its
 * application remembers (open()).
 *
 * Frame: head byte (kind in bits 7..5, message number modulo 32 in bits 4..0), body, CRC-16 (polynomial 0x1021, start 0xffff; low
 * byte first). Offsets and lengths are varints: 7 bits a byte, low bits first, shortest form, at most 4 bytes (256 MiB).
 *   1 HELLO nonce(2)           I have started; 2 WELCOME nonce(2) answers with the nonce it heard
 *   3 OPEN length             begin message; 4 DATA offset bytes; 5 ACK offset room   all before offset is here, send at most room more
 *   6 STOP                    receiver: I want no more of this message
 */
#ifndef CTM_LINK_H
#define CTM_LINK_H
#include "ctm/sdk.h"
#include <stdbool.h>

#define CTM_LINK_MTU_MIN 9
#define CTM_LINK_MESSAGE_MAX ((uint32_t)1 << 28)

/* What the application gives; ctx comes first everywhere. */
struct ctm_link_app {
	void *ctx;
	/* Up to n bytes of the message being sent, from `at`; how many. 0 before the end, or negative, gives the message up. */
	int (*source)(void *ctx, uint32_t at, uint8_t *buf, size_t n);
	/* The other side begins a message. 0, with *have (0 at the call) the bytes of it that are here from before; negative refuses it. */
	int (*open)(void *ctx, uint32_t length, uint32_t *have);
	/* Its next bytes (ctm_link_room may be called in here); at + n == length: it is whole. Negative refuses the rest. Empty messages come with n == 0. */
	int (*data)(void *ctx, uint32_t at, const uint8_t *p, size_t n, uint32_t length);
};

struct ctm_link {
	const struct ctm_link_app *app;
	int64_t sent_ms;                /* when the last frame that waits for an answer went out */
	uint32_t out_length, out_at, out_acked, out_room;
	uint32_t in_length, in_at, in_room;
	uint16_t mtu, retry_ms, nonce, peer;
	uint8_t out_state, in_state, out_number, in_number;
	uint8_t owes;                   /* answers to give: bits */
	bool welcome;                   /* the other side knows that we have started */
	bool peer_known;
	uint16_t tries;                 /* repetitions since something last moved */
};

enum ctm_link_out { CTM_LINK_IDLE, CTM_LINK_SENDING, CTM_LINK_DELIVERED, CTM_LINK_REFUSED };

/* mtu: greatest frame, from CTM_LINK_MTU_MIN. nonce: another one at each start (the boot counter will do). retry_ms: a little more than
 * a frame and its answer take; while nothing moves the wait grows up to nine times. room: bytes that may come at first. INPUT. */
int ctm_link_begin(struct ctm_link *l, const struct ctm_link_app *app, size_t mtu, uint16_t nonce, uint16_t retry_ms, uint32_t room);
/* Begin a message; its bytes come from app->source. STATE while one is on its way, TOOBIG. */
int ctm_link_send(struct ctm_link *l, uint32_t length);
enum ctm_link_out ctm_link_sent(const struct ctm_link *l);      /* of the last message */
void ctm_link_give_up(struct ctm_link *l);                      /* the message being sent is no longer wanted */
/* How many bytes more can be taken now. */
void ctm_link_room(struct ctm_link *l, uint32_t room);
/* A frame came in. SYNTAX (broken or not ours: as if it never came), else 0. */
int ctm_link_take(struct ctm_link *l, const uint8_t *frame, size_t n);
/* The next frame to send, in out (mtu bytes); its length, 0: nothing to say now. Ask again until it says so. */
size_t ctm_link_poll(struct ctm_link *l, int64_t now_ms, uint8_t *out);
/* Repetitions without an answer: the line is dead when it grows. */
unsigned ctm_link_silence(const struct ctm_link *l);

/* A line without packets (UART): each frame between zero bytes, zeros inside taken out (consistent overhead byte stuffing). put: out
 * has room for n + n / 254 + 3; the length. */
size_t ctm_link_stuff(const uint8_t *frame, size_t n, uint8_t *out);
/* One byte from the line into buf; the length of a frame when it is whole, else 0. *at (0 at first) is the caller's. Rubbish between
 * frames, and frames longer than cap, are skipped. */
size_t ctm_link_unstuff(uint8_t *buf, size_t cap, size_t *at, uint8_t byte);

#endif
