/* SPDX-License-Identifier: Apache-2.0
 * Where the files that come with the programs lie: ../share/ctm when installed, the source tree in development. */
#ifndef CTM_APP_SHARE_H
#define CTM_APP_SHARE_H
#include "base/err.h"
#include <stddef.h>

/* Path of "catalogue" or another thing shipped beside the programs. NOTFOUND with a sentence that names the option to use. */
CTM_CHECK int ctm_share_path(const char *name, char *out, size_t cap, struct ctm_err *err);

#endif
