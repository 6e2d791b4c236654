/* SPDX-License-Identifier: Apache-2.0
 *
 * Key and certificate of a unit, and their renewal with a new key. Both stand in one record, so the switch from the old pair to
 * the new one is one write: a unit never holds a certificate for a key that it does not have. The new key waits in a record
 * of its own until its certificate has come, so that a renewal cut short goes on with the same key.
 *
 * The key is bytes to this module: the key itself where a file keeps it, a handle where a TPM or a token does.
 */
#ifndef CTM_RENEW_H
#define CTM_RENEW_H
#include "ctm/port.h"

/* Key and certificate, one after the other in buf. NONE when the unit has none yet, TOOBIG, STORAGE. */
int ctm_renew_load(const struct ctm_port *port, uint8_t *buf, size_t cap, struct ctm_bytes *key, struct ctm_bytes *cert);
/* Keep a new key until its certificate comes. TOOBIG, STORAGE. */
int ctm_renew_begin(const struct ctm_port *port, const uint8_t *key, size_t n);
/* The key that waits. NONE when none does. */
int ctm_renew_waiting(const struct ctm_port *port, uint8_t *key, size_t cap, size_t *n);
/* The certificate came, checked by the caller against the key that waits: from now on both are the unit's. buf is room for both and
 * 2 bytes more. NONE when no key waits, TOOBIG, STORAGE. */
int ctm_renew_switch(const struct ctm_port *port, const uint8_t *cert, size_t n, uint8_t *buf, size_t cap);

#endif
