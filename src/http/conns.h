/* SPDX-License-Identifier: Apache-2.0
 *
 * Read-only database connections, lent to one thread at a time and kept open (opening and preparing cost more than a read).
 */
#ifndef CTM_HTTP_CONNS_H
#define CTM_HTTP_CONNS_H
#include "store/store.h"

struct ctm_conns;
CTM_CHECK int ctm_conns_new(const char *db_url, struct ctm_conns **out, struct ctm_err *err);  /* opens nothing yet */
void ctm_conns_free(struct ctm_conns *c);              /* all given back; NULL tolerated */
CTM_CHECK int ctm_conns_take(struct ctm_conns *c, struct ctm_db **out, struct ctm_err *err);  /* one that was given back, or a new one; errors of ctm_db_open */
void ctm_conns_give(struct ctm_conns *c, struct ctm_db *db);    /* outside a transaction; NULL tolerated */

#endif
