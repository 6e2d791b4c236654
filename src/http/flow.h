/* SPDX-License-Identifier: Apache-2.0
 * The handler that carries exchanges through gate, input, use case and answer. Design note in flow.c. */
#ifndef CTM_HTTP_FLOW_H
#define CTM_HTTP_FLOW_H
#include "http/app.h"
#include "http/server.h"

struct ctm_srv_handler ctm_flow_handler(struct ctm_app *app);  /* app outlives it */

#endif
