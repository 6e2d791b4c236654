/* SPDX-License-Identifier: Apache-2.0 */
#include "http/zones.h"
#include "base/text.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define ZONES_MAX 700                  /* the database has about six hundred names */

struct ctm_zones { pthread_mutex_t mu; size_t n; struct { char name[64]; struct ctm_zone *zone; } row[ZONES_MAX]; };

struct ctm_zones *ctm_zones_new(void)
{
	struct ctm_zones *z = calloc(1, sizeof *z);
	if (z)
		pthread_mutex_init(&z->mu, NULL);
	return z;
}

void ctm_zones_free(struct ctm_zones *z)
{
	if (!z)
		return;
	for (size_t i = 0; i < z->n; i++)
		ctm_zone_free(z->row[i].zone);
	pthread_mutex_destroy(&z->mu);
	free(z);
}

static const struct ctm_zone *find_or_load(struct ctm_zones *z, const char *name)
{
	for (size_t i = 0; i < z->n; i++)
		if (ctm_streq(z->row[i].name, name))
			return z->row[i].zone;
	struct ctm_zone *zone = NULL;
	if (z->n == ZONES_MAX || !ctm_copy(z->row[z->n].name, sizeof z->row[z->n].name, name) || ctm_zone_load(name, &zone))
		return NULL;
	z->row[z->n++].zone = zone;
	return zone;
}

const struct ctm_zone *ctm_zones_get(struct ctm_zones *z, const char *name)
{
	if (!z || !*name || ctm_streq(name, "UTC"))
		return NULL;
	pthread_mutex_lock(&z->mu);
	const struct ctm_zone *zone = find_or_load(z, name);
	pthread_mutex_unlock(&z->mu);
	return zone;
}
