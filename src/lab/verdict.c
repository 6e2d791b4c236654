/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of the lab's vocabularies. See verdict.h.
 */
#include "lab/verdict.h"
#include <string.h>

const char *const ctm_verdict_names[CTM_V_COUNT] = { "PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE", "NOT_RUN", "ERROR" };
const char *const ctm_cell_names[CTM_CELL_COUNT] = { "met", "not_met", "undetermined", "not_applicable" };
const char *const ctm_method_names[CTM_M_COUNT] = { "test", "inspection", "attestation" };
const char *const ctm_level_names[CTM_L_COUNT] = { "mandatory", "conditional", "advisory" };
const char *const ctm_danger_names[CTM_D_COUNT] = { "D0", "D1", "D2", "D3", "D4" };
const char *const ctm_stage_names[CTM_S_COUNT] = { "arrival", "setup", "look", "act", "reset", "first-use" };

int ctm_name_index(const char *const *names, int n, const char *name)
{
	for (int i = 0; name && i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}
