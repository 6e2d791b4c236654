/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifiers: UUIDv7 (RFC 9562) for internal keys; public ids of records: 10 Crockford base-32 characters and one check
 * character (ISO 7064-like mod 37 as in Crockford's scheme), random, upper case; one-time tokens.
 */
#ifndef CTM_BASE_ID_H
#define CTM_BASE_ID_H
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

#define CTM_UUID_MAX 37
#define CTM_PUBID_MAX 12
#define CTM_TOKEN_MAX 44

void ctm_random(void *p, size_t n);                       /* getrandom(2); aborts if the kernel has none */
/* Sortable to the microsecond, and within a process strictly: each is greater than the one before, also when the clock is set back
 * (RFC 9562 6.2, method 3 and "Monotonicity and Counters"). */
void ctm_uuid7(char out[CTM_UUID_MAX]);
bool ctm_uuid_ok(const char *s);
/* Ids whose check character would be one of * ~ $ = U are never given out: all stand in addresses as they are. */
void ctm_pubid(char out[CTM_PUBID_MAX]);
bool ctm_pubid_ok(const char *s);                         /* right alphabet, length and check character */
void ctm_token(char out[CTM_TOKEN_MAX]);                  /* 32 random bytes, base64url */

#endif
