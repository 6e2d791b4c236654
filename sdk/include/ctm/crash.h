/* SPDX-License-Identifier: Apache-2.0
 *
 * Why the device started, and what was known when it fell over. Before a reset the program (or its fault handler) marks a few words
 * in RAM that the reset does not clear; at the next start ctm_crash_boot() reads them, adds what the hardware says, and stores what
 * was unexpected until a heartbeat has carried it away. Codes stand in ctm/reboot.def.
 */
#ifndef CTM_CRASH_H
#define CTM_CRASH_H
#include "ctm/ids.h"
#include "ctm/port.h"
#include <stdbool.h>

enum ctm_reboot {
#define CTM_REBOOT(code, name, text) CTM_REBOOT_##name = (code),
#include "ctm/reboot.def"
#ifdef CTM_REBOOT_FILE
#include CTM_REBOOT_FILE
#endif
#undef CTM_REBOOT
	CTM_REBOOT_none = 0
};

/* Expected and unexpected bands. */
static inline bool ctm_reboot_unexpected(unsigned code)
{
	return code >= 128;
}

const char *ctm_reboot_name(unsigned code);   /* "watchdog"; NULL for codes of no row */
const char *ctm_reboot_text(unsigned code);   /* words for people; NULL likewise */

/* Kept over a reset: the caller puts it where the start-up code does not clear (.noinit). Contents are trusted only with their check. */
struct ctm_kept {
	uint32_t magic, reason, pc, lr, uptime_s;
	char version[CTM_VERSION_MAX + 1];
	uint32_t check;
};

/* One start that was not expected. */
struct ctm_crash {
	uint32_t count;                         /* unexpected starts in the life of the device */
	uint32_t pc, lr, uptime_s;              /* 0 when not known */
	uint8_t reason;                         /* enum ctm_reboot; 0: none is waiting to be told */
	char version[CTM_VERSION_MAX + 1];      /* that ran then */
};

/* This version runs now; whatever was kept is gone. Call after ctm_crash_boot(). */
void ctm_crash_arm(struct ctm_kept *k, const char *version);
/* The reason of the reset that comes next. Fit for a fault handler: no calls, no storage. */
void ctm_crash_mark(struct ctm_kept *k, unsigned reason, uint32_t pc, uint32_t lr, uint32_t uptime_s);
/* At the start: *reason is what was marked, else what the hardware says (hw; CTM_REBOOT_unknown when it says nothing). An unexpected
 * one is counted and stored; *c is the one not yet told, if any. STORAGE: *reason and *c are right all the same, only not stored. */
int ctm_crash_boot(const struct ctm_port *port, struct ctm_kept *k, unsigned hw, unsigned *reason, struct ctm_crash *c);
/* A heartbeat with it is durable: it is told. */
int ctm_crash_told(const struct ctm_port *port, struct ctm_crash *c);

#endif
