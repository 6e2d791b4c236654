/* SPDX-License-Identifier: Apache-2.0
 *
 * The SDK's ground: errors and a borrowed span of bytes. C99, no heap, no operating system, no global state. Every
 * function that can fail returns 0 or a negative CTM_SDK_*; out parameters are untouched on failure unless said.
 * The SDK includes nothing of the server; the server may link the SDK.
 */
#ifndef CTM_SDK_H
#define CTM_SDK_H
#include "ctm/options.h"
#include <stddef.h>
#include <stdint.h>

/* CTM_SDK(NAME, value, text): the only list. */
#define CTM_SDK_ERRORS(X) \
	X(OK,           0, "good") \
	X(FAIL,        -1, "something went wrong inside the device") \
	X(SYNTAX,      -2, "the bytes are malformed or not in their one deterministic form") \
	X(TOOBIG,      -3, "larger than its limit") \
	X(UNSUPPORTED, -4, "outside the profile this device understands") \
	X(VERIFY,      -5, "the signature or digest does not match") \
	X(INPUT,       -6, "a value is not acceptable") \
	X(UNKNOWN,     -7, "there is no such name") \
	X(OTHER,       -8, "meant for another product or component") \
	X(OLDER,       -9, "older than what the device must not go below") \
	X(STATE,      -10, "not possible in the present state") \
	X(AUTH,       -11, "not signed in, or the password is wrong") \
	X(LOCKED,     -12, "too many wrong passwords; wait") \
	X(CHANGE,     -13, "the initial password must be changed first") \
	X(STORAGE,    -14, "storage cannot be used") \
	X(NONE,       -15, "nothing is stored there") \
	X(TRUNCATED,  -16, "the bytes end too early") \
	X(EXPIRED,    -17, "out of date") \
	X(NETWORK,    -18, "the other side cannot be reached or breaks off")

enum ctm_sdk_e {
#define X(name, value, text) CTM_SDK_##name = (value),
	CTM_SDK_ERRORS(X)
#undef X
	CTM_SDK_LAST = -99
};

const char *ctm_sdk_name(int code);   /* "VERIFY"; "FAIL" for unknown codes. For programs and logs. */
const char *ctm_sdk_text(int code);   /* the row's words */

/* Borrowed bytes. p may be NULL when n is 0. */
struct ctm_bytes {
	const uint8_t *p;
	size_t n;
};

#endif
