/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm.gateway/1: what a device and the gateway that speaks HTTPS for it say over the link (ctm/link.h). Each message is a deterministic
 * CBOR array [op, id, ...], or, from the gateway, a piece of an image: byte 0x00, its offset (4 bytes, big-endian), its bytes. An
 * answer carries the op and id of its question. The gateway is not trusted: everything that matters is signed by the device for the
 * platform, or by the maker for the device. The enrolment code is the exception; it is used once, and a gateway that misused it would
 * enrol a key that the device does not have, which the next report of the device shows.
 *
 *   device asks      ENROL [op, id, serial, code, request]     -> [op, id, status, certificate]       status is HTTP's; 0: no platform
 *                    BEAT  [op, id, signed heartbeat]          -> [op, id, status]
 *   gateway asks     ASK   [op, id]                            -> [op, id, result, state]
 *                    CONFIG, RESET [op, id, signed document]   -> [op, id, result, rule]
 *                    BEGIN [op, id, manifest]                  -> [op, id, result, rule, next byte wanted]
 *                    FINISH [op, id]                           -> [op, id, result, rule]; then the device starts the new image
 * result is a CTM_SDK code as a number from 0 (good) down, rule the word that the module gives ("" when none). state is a map:
 *   1 serial, 2 booted version, 3 verified version, 4 boots, 5 reboot reason, 6 likely degraded, 7 settings as name, value, ...
 *   8 enrolled, 9 update on trial, 10 configuration on trial, 11 heartbeats waiting
 */
#ifndef CTM_GATEWAY_H
#define CTM_GATEWAY_H

enum ctm_gateway_op {
	CTM_GW_ENROL = 1, CTM_GW_BEAT = 2,
	CTM_GW_ASK = 16, CTM_GW_CONFIG = 17, CTM_GW_RESET = 18, CTM_GW_BEGIN = 19, CTM_GW_FINISH = 20
};

enum ctm_gateway_state {
	CTM_GS_SERIAL = 1, CTM_GS_BOOTED = 2, CTM_GS_VERIFIED = 3, CTM_GS_BOOTS = 4, CTM_GS_REBOOT = 5, CTM_GS_DEGRADED = 6, CTM_GS_SETTINGS = 7,
	CTM_GS_ENROLLED = 8, CTM_GS_UPDATE_TRIAL = 9, CTM_GS_CONFIG_TRIAL = 10, CTM_GS_WAITING = 11
};

#define CTM_GW_PIECE_HEAD 5

#endif
