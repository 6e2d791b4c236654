/* SPDX-License-Identifier: Apache-2.0 */
#include "app/share.h"
#include "base/proc.h"
#include <stdio.h>
#include <unistd.h>

static int try_path(char *out, size_t cap, const char *dir, const char *sub, const char *name)
{
	int n = snprintf(out, cap, "%s%s%s", dir, sub, name);
	return n > 0 && (size_t)n < cap && !access(out, R_OK);
}

int ctm_share_path(const char *name, char *out, size_t cap, struct ctm_err *err)
{
	char self[4096], path[4200];
	if (!ctm_self_dir(self, sizeof self) && (try_path(path, sizeof path, self, "/../../share/ctm/", name) || try_path(path, sizeof path, self, "/../share/ctm/", name)))
		snprintf(out, cap, "%s", path);
	else if (try_path(path, sizeof path, CTM_SHARE_DIR, "/", name))
		snprintf(out, cap, "%s", path);
	else
		return ctm_fail(err, CTM_E_NOTFOUND, name, NULL, "the %s that comes with ctm was not found; name its directory with --%s DIR", name, name);
	return 0;
}
