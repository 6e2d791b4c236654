/* SPDX-License-Identifier: Apache-2.0
 *
 * Is an address one of this machine or network only? Such a label is a specimen: a shopper's phone would not get there.
 */
#ifndef CTM_REGISTRY_URL_H
#define CTM_REGISTRY_URL_H
#include <stdbool.h>

/* True for "localhost", numbers, names without a dot and the reserved ends (.local, .internal, .test, .example ...), in any spelling a
 * browser takes for them, and for whatever is not plainly https:// or http:// and a public name (user@host, escapes, other letters). */
bool ctm_url_local(const char *url);

#endif
