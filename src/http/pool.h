/* SPDX-License-Identifier: Apache-2.0
 *
 * A few threads for slow steps (`prepare`: parsing, rendering, other processes), so that they hold up neither the HTTP
 * workers nor the writer. A bounded queue; what does not fit is refused.
 */
#ifndef CTM_HTTP_POOL_H
#define CTM_HTTP_POOL_H
#include "base/err.h"

struct ctm_ptask { void (*run)(void *arg); void *arg; struct ctm_ptask *next; };
struct ctm_pool;
CTM_CHECK int ctm_pool_start(unsigned threads, unsigned queue_max, struct ctm_pool **out, struct ctm_err *err);  /* NOMEM without a single thread */
CTM_CHECK int ctm_pool_push(struct ctm_pool *p, struct ctm_ptask *t);   /* BUSY; the task stays valid until run returns or frees it */
void ctm_pool_stop(struct ctm_pool *p);                                 /* runs what waits and refuses what comes; NULL tolerated */
void ctm_pool_free(struct ctm_pool *p);                                 /* after stop; NULL tolerated */

#endif
