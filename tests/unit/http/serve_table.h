/* SPDX-License-Identifier: Apache-2.0
 * A small platform for the tests of the seam: a handful of rows, two sessions, one template that says what it was given. */
#ifndef TEST_SERVE_TABLE_H
#define TEST_SERVE_TABLE_H
#include "http/serve.h"

#define BEARER "maker-token"
#define COOKIE "maker-cookie"
#define CSRF "csrf-of-the-maker"

extern const struct ctm_routes test_routes;
extern const struct ctm_jobs test_jobs;
extern const struct ctm_listeners test_listeners;
ctm_authorise_fn test_authorise;
const struct ctm_tpl *test_view(const char *name);
int test_render(const struct ctm_tpl *t, const struct ctm_tpl_cx *tc, struct ctm_buf *out, struct ctm_err *err);
const char *test_msg(const char *key, const char *locale);
extern int test_job_runs;          /* under no lock: read after waiting */

#define TEST_LARGE (24u * 1024 * 1024)     /* more than the buffers of two sockets take */
#endif
