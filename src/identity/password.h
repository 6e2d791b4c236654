/* SPDX-License-Identifier: Apache-2.0
 *
 * What a password must be (NIST SP 800-63B-4, 3.1.1.2): long enough, and not one that everybody tries first. No rules of composition,
 * no expiry, all printable characters, nothing is cut off. Pure functions.
 */
#ifndef CTM_IDENTITY_PASSWORD_H
#define CTM_IDENTITY_PASSWORD_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

#define CTM_PASSWORD_ALONE 15          /* characters, where it is the only factor */
#define CTM_PASSWORD_WITH 8            /* where an authenticator app stands beside it */
#define CTM_PASSWORD_MAX 512           /* bytes */

/* Characters (code points) of UTF-8 text. */
size_t ctm_password_length(const char *password);
/* INPUT with the reason. name, email: the person's, not to be the password's substance. */
CTM_CHECK int ctm_password_good(const char *password, bool second_factor, const char *name, const char *email, struct ctm_err *err);

#endif
