/* SPDX-License-Identifier: Apache-2.0
 *
 * Periods of update repositories (catalogue/update.json): how long what a role says is good, and how long before its end it is
 * renewed.
 */
#include "case/catalogue_in.h"
#include <string.h>

static const char *const names[CTM_UPDATE_ROLES] = { "root", "targets", "line", "config", "snapshot", "timestamp", "director" };

static int read_row(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err)
{
	static const char *const keys[] = { "role", "days", "renew_days", "reason" };
	const char *reason;
	int64_t days, renew;
	size_t role = 0;
	int rc = ctm_jc_is(at, CTM_J_OBJ, err);
	if (rc || (rc = ctm_jc_only(at, keys, 4, err)) || (rc = ctm_jc_enum(at, "role", names, CTM_UPDATE_ROLES, &role, err)) ||
	    (rc = ctm_jc_int(at, "days", 1, 3660, &days, err)) || (rc = ctm_jc_int(at, "renew_days", 1, days, &renew, err)) ||
	    (rc = ctm_jc_str(at, "reason", 1, 400, &reason, err)))
		return rc;
	if (c->update[role].days)
		return ctm_jc_fail(at, err, "the role %s stands twice", names[role]);
	c->update[role].days = (int)days;
	c->update[role].renew_days = (int)renew;
	return 0;
}

int ctm_read_update(struct ctm_catalogue *c, const struct ctm_jc *at, struct ctm_err *err)
{
	static const char *const keys[] = { "format", "source", "roles" };
	struct ctm_jc rows, row;
	const char *source;
	int rc = ctm_cat_format(at, "ctm.update-policy/1", err);
	if (rc || (rc = ctm_jc_only(at, keys, 3, err)) || (rc = ctm_jc_str(at, "source", 1, 1000, &source, err)) ||
	    (rc = ctm_jc_arr(at, "roles", CTM_UPDATE_ROLES, CTM_UPDATE_ROLES, &rows, err)))
		return rc;
	for (size_t i = 0; !rc && i < CTM_UPDATE_ROLES; i++)
		if (!(rc = ctm_jc_at(&rows, i, &row, err)))
			rc = read_row(c, &row, err);
	return rc;
}

struct ctm_update_period ctm_update_period(const struct ctm_catalogue *c, enum ctm_update_role role)
{
	return c->update[role];
}
