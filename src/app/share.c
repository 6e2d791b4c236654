/* SPDX-License-Identifier: Apache-2.0 */
#include "app/share.h"
#include "base/proc.h"
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* From the program's directory: installed (libexec/ctm, bin), then the build directory of a source tree. Nothing of where a program
 * was built stands in it, so that the same sources give the same bytes anywhere. */
static const char *const near[] = { "../../share/ctm", "../share/ctm", "..", "../..", NULL };

int ctm_share_path(const char *name, char *out, size_t cap, struct ctm_err *err)
{
	char self[4096];
	bool found = false;
	if (!ctm_self_dir(self, sizeof self))
		for (size_t i = 0; near[i] && !found; i++) {
			int n = snprintf(out, cap, "%s/%s/%s", self, near[i], name);
			found = n > 0 && (size_t)n < cap && !access(out, R_OK);
		}
	return found ? 0 : ctm_fail(err, CTM_E_NOTFOUND, name, NULL, "the %s that comes with ctm was not found; name its directory with --%s DIR", name, name);
}
