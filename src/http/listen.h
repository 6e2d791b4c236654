/* SPDX-License-Identifier: Apache-2.0
 *
 * The two doors: sockets that listen, closed on exec and not waiting.
 */
#ifndef CTM_HTTP_LISTEN_H
#define CTM_HTTP_LISTEN_H
#include "base/err.h"

/* host is a numeric address; port 0 takes a free one, *out_port tells which. INPUT for a bad address, BUSY when the port is in use, IO. */
CTM_CHECK int ctm_listen_tcp(const char *host, int port, int *out, int *out_port, struct ctm_err *err);
/* Mode 0600 from its first moment. A socket file that nobody answers on is replaced. BUSY when somebody does, INPUT for a path too long, IO. */
CTM_CHECK int ctm_listen_unix(const char *path, int *out, struct ctm_err *err);

#endif
