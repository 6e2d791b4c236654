/* SPDX-License-Identifier: Apache-2.0
 *
 * QR code (ISO/IEC 18004) of an address: black and white modules, no quiet zone.
 */
#ifndef CTM_REGISTRY_QR_H
#define CTM_REGISTRY_QR_H
#include "base/err.h"
#include <stdbool.h>

#define CTM_QR_MAX 177

struct ctm_qr { int n; unsigned char dark[CTM_QR_MAX * CTM_QR_MAX]; };   /* dark[y * n + x] is 0 or 1 */

/* level 'M' or 'Q'. INPUT unless url is "https://" or "http://" in lower case and plain ASCII of at most max characters. */
CTM_CHECK int ctm_qr_make(const char *url, char level, int max, struct ctm_qr *out, struct ctm_err *err);

#endif
