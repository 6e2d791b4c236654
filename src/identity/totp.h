/* SPDX-License-Identifier: Apache-2.0
 *
 * One-time codes of an authenticator app: TOTP (RFC 6238) over HOTP (RFC 4226) with HMAC-SHA-1, 30 seconds, six digits, which is what
 * every app speaks. Pure functions of bytes and time.
 */
#ifndef CTM_IDENTITY_TOTP_H
#define CTM_IDENTITY_TOTP_H
#include "base/buf.h"
#include <stdbool.h>

#define CTM_TOTP_KEY 20                /* bytes of a secret (RFC 4226 4, R6) */
#define CTM_TOTP_STEP_MS 30000
#define CTM_TOTP_SKEW 1                /* steps accepted before and after the present one (RFC 6238 5.2) */

/* The code of one step; digits 6 to 8. */
unsigned ctm_totp_code(const void *key, size_t n, int64_t step, unsigned digits);
/* Does this text of six digits fit now, give or take one step? *step: which one it was, for the caller to refuse a second use. Looks at
 * all steps whatever it finds. */
bool ctm_totp_fits(const void *key, size_t n, int64_t now_ms, const char *code, int64_t *step);
/* RFC 4648 base 32 without padding, as apps take it. */
void ctm_base32(const void *p, size_t n, struct ctm_buf *out);
/* otpauth://totp/ISSUER:ACCOUNT?secret=...&issuer=ISSUER, what the QR code says. */
void ctm_totp_address(const void *key, size_t n, const char *issuer, const char *account, struct ctm_buf *out);

#endif
