/* SPDX-License-Identifier: Apache-2.0
 *
 * Interface access: see ctm/iface.h.
 */
#include "ctm/iface.h"

int ctm_iface_open(struct ctm_ifaces *l, unsigned id)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->row[i].id != id || id > 31)
			continue;
		if (l->row[i].debug && !CTM_DEBUG_INTERFACES)
			return CTM_SDK_STATE;
		l->open |= (uint32_t)1 << id;
		return 0;
	}
	return CTM_SDK_UNKNOWN;
}

void ctm_iface_close(struct ctm_ifaces *l, unsigned id)
{
	if (id <= 31)
		l->open &= ~((uint32_t)1 << id);
}

int ctm_iface_may(const struct ctm_ifaces *l, enum ctm_iface_kind kind, unsigned number, enum ctm_iface_access proof)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->row[i].kind != kind || l->row[i].number != number)
			continue;
		if (l->row[i].id > 31 || !(l->open >> l->row[i].id & 1))
			return CTM_SDK_STATE;
		return (int)proof >= l->row[i].access ? 0 : CTM_SDK_AUTH;
	}
	return CTM_SDK_UNKNOWN;
}
