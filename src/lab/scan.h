/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP connect scan of one IPv4 address: every port from 1 to 65535 with ordinary connection attempts over epoll, a bounded
 * number in flight, one more try for those that did not answer. Refused and silent are kept apart: silence is not "closed".
 * A connection of a port with itself (possible when address and ephemeral range are the scanner's own) counts as closed.
 */
#ifndef CTM_LAB_SCAN_H
#define CTM_LAB_SCAN_H
#include "base/err.h"
#include <netinet/in.h>
#include <stdint.h>

#define CTM_SCAN_OPEN_MAX 4096

struct ctm_scan {
	/* asked */
	struct in_addr address;
	int first, last;             /* ports, inclusive */
	int in_flight, timeout_ms;   /* attempts at once; patience for each */
	/* seen */
	uint16_t open[CTM_SCAN_OPEN_MAX]; int nopen;   /* ascending */
	int refused, silent, unreachable, other;
	int64_t ms;
};

/* 0 when every port was tried; IO when the machine gives no sockets, TOOBIG with more open ports than fit. */
CTM_CHECK int ctm_scan_run(struct ctm_scan *s, struct ctm_err *err);
/* Connect within timeout_ms. *fd is non-negative and blocking, or -1 with *why an errno. */
void ctm_connect(struct in_addr address, int port, int timeout_ms, int *fd, int *why);

#endif
