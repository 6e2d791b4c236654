/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of probes: the names that check files may use.
 */
#include "lab/probe.h"
#include <string.h>

static const struct { const char *name; ctm_probe_fn fn; } table[] = {
#define X(name) { #name, ctm_probe_##name },
	CTM_LAB_PROBES(X)
#undef X
};

ctm_probe_fn ctm_probe_find(const char *name)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].fn;
	return NULL;
}

bool ctm_probe_known(const char *name)
{
	return ctm_probe_find(name) != NULL;
}
