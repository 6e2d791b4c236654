/* SPDX-License-Identifier: Apache-2.0 */
#include "http/conns.h"
#include "base/text.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEPT 16

struct ctm_conns {
	pthread_mutex_t mu;
	struct ctm_db *idle[KEPT];
	size_t n;
	char url[1024];
};

int ctm_conns_new(const char *db_url, struct ctm_conns **out, struct ctm_err *err)
{
	struct ctm_conns *c = calloc(1, sizeof *c);
	if (!c)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for database connections");
	pthread_mutex_init(&c->mu, NULL);
	if (!ctm_copy(c->url, sizeof c->url, db_url)) {
		ctm_conns_free(c);
		return ctm_fail(err, CTM_E_INPUT, "state", NULL, "the path of the state directory is too long");
	}
	*out = c;
	return 0;
}

void ctm_conns_free(struct ctm_conns *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		ctm_db_close(c->idle[i]);
	pthread_mutex_destroy(&c->mu);
	free(c);
}

int ctm_conns_take(struct ctm_conns *c, struct ctm_db **out, struct ctm_err *err)
{
	struct ctm_db *db = NULL;
	pthread_mutex_lock(&c->mu);
	if (c->n)
		db = c->idle[--c->n];
	pthread_mutex_unlock(&c->mu);
	if (!db) {
		int rc = ctm_db_open(c->url, CTM_DB_RO, &db, err);
		if (rc)
			return rc;
	}
	*out = db;
	return 0;
}

void ctm_conns_give(struct ctm_conns *c, struct ctm_db *db)
{
	if (!db)
		return;
	pthread_mutex_lock(&c->mu);
	if (c->n < KEPT) {
		c->idle[c->n++] = db;
		db = NULL;
	}
	pthread_mutex_unlock(&c->mu);
	ctm_db_close(db);
}
