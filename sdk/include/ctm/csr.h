/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificate request of a device (PKCS#10, RFC 2986): made and signed on the device, so that the key never leaves it. The subject
 * is CN and serialNumber, both the printed serial; the key is on P-256, the signature ES256 by the port.
 */
#ifndef CTM_CSR_H
#define CTM_CSR_H
#include "ctm/identity.h"
#include "ctm/port.h"

#define CTM_CSR_MAX (232 + 2 * CTM_SERIAL_MAX)  /* bytes of a request, at most */

/* DER into out; pub is 04 || x || y. INPUT (serial), TOOBIG (cap below the request's length), or the port's failure. */
int ctm_csr_write(const struct ctm_port *port, const char *serial, const uint8_t pub[CTM_PUB_MAX], uint8_t *out, size_t cap, size_t *n);

#endif
