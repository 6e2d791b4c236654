/* SPDX-License-Identifier: Apache-2.0
 *
 * Interface access: the declared list of ways into the device, closed unless opened. A table in flash says what there is, what
 * proof it asks for and whether it is for debugging; an interface outside the table is never open, and one for debugging cannot be
 * opened in a production build (CTM_DEBUG_INTERFACES 0). The same table is the source of the product's MUD file.
 * NIST IR 8259A, logical access to interfaces.
 */
#ifndef CTM_IFACE_H
#define CTM_IFACE_H
#include "ctm/sdk.h"
#include <stdbool.h>

enum ctm_iface_kind { CTM_IFACE_TCP, CTM_IFACE_UDP, CTM_IFACE_UART, CTM_IFACE_BLE, CTM_IFACE_JTAG, CTM_IFACE_USB };
/* What must be shown before anything is answered; a stronger proof serves for a weaker one. */
enum ctm_iface_access { CTM_ACCESS_PUBLIC, CTM_ACCESS_PASSWORD, CTM_ACCESS_KEY };

struct ctm_iface {
	uint8_t id, kind, access;       /* id 0 to 31 */
	uint8_t debug;
	uint16_t number;                /* port of TCP and UDP, else which one of its kind */
	const char *purpose;
};

struct ctm_ifaces {
	const struct ctm_iface *row;
	size_t n;
	uint32_t open;                  /* bit per id; 0 at the start: everything is closed */
};

/* UNKNOWN: not declared. STATE: for debugging, in a production build. */
int ctm_iface_open(struct ctm_ifaces *l, unsigned id);
void ctm_iface_close(struct ctm_ifaces *l, unsigned id);
/* May somebody with this proof come in here? 0, UNKNOWN (not declared), STATE (closed), AUTH (a stronger proof is needed). */
int ctm_iface_may(const struct ctm_ifaces *l, enum ctm_iface_kind kind, unsigned number, enum ctm_iface_access proof);

#endif
