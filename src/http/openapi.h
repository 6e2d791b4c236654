/* SPDX-License-Identifier: Apache-2.0
 * The API description (OpenAPI 3.1), made from the route rows and the reply schemas; nothing in it is written by hand. */
#ifndef CTM_HTTP_OPENAPI_H
#define CTM_HTTP_OPENAPI_H
#include "http/router.h"

/* replies: schemas by name, may be NULL. NOMEM, TOOBIG. */
CTM_CHECK int ctm_openapi(const struct ctm_router *r, const ctm_json *replies, const char *server_url, struct ctm_buf *out, struct ctm_err *err);

#endif
