/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is asking: people by session, devices by client certificate. The function given to the server at start.
 */
#ifndef CTM_DEVICE_DOOR_H
#define CTM_DEVICE_DOOR_H
#include "http/app.h"

/* On the socket behind the edge: a verified certificate of an enrolled device makes the role DEVICE with device_id; a certificate of a
 * factory authority of the maker makes IDEVID; one that belongs to no unit is AUTH; none is ANON. Elsewhere: identity's sessions. */
int ctm_authorise(struct ctm_app *app, struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *out, struct ctm_err *err);
#endif
