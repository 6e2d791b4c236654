/* SPDX-License-Identifier: Apache-2.0
 *
 * Data catalogue: see ctm/datacat.h.
 */
#include "ctm/datacat.h"

#if CTM_TABLE_TEXTS
#define TEXTS(name, purpose) , #name, purpose
#else
#define TEXTS(name, purpose)
#endif

static const struct ctm_data rows[] = {
#define CTM_DATA(id, name, purpose, days, sent, reset, personal) { (id), (sent), (reset), (personal), (days) TEXTS(name, purpose) },
#include "ctm/data.def"
#ifdef CTM_DATA_FILE
#include CTM_DATA_FILE
#endif
#undef CTM_DATA
};

const struct ctm_datacat *ctm_datacat(void)
{
	static const struct ctm_datacat c = { rows, sizeof rows / sizeof rows[0] };

	return &c;
}

const struct ctm_data *ctm_datacat_row(const struct ctm_datacat *c, unsigned id)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->row[i].id == id)
			return &c->row[i];
	return NULL;
}

bool ctm_datacat_sends(const struct ctm_datacat *c, unsigned id)
{
	const struct ctm_data *d = ctm_datacat_row(c, id);

	return d && d->sent;
}
