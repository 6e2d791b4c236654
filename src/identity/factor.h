/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of identity: a person's password, authenticator app and recovery codes, as sign-in and the account page read them.
 *
 * A password and an authenticator app are the fallback for people without a passkey. ctm.json may say "second_factor": "optional"; else
 * a password signs in only together with a code. Recovery codes stand in for the app, ten of them, each once. Whatever changes a factor
 * asks for a fresh sign-in and is audited; a new password ends all other sessions.
 */
#ifndef CTM_IDENTITY_FACTOR_H
#define CTM_IDENTITY_FACTOR_H
#include "crypto/pwhash.h"
#include "crypto/vault.h"
#include "identity/people.h"

#define CTM_RECOVERY_CODES 10
#define CTM_OFFER_TTL_MS (30 * 60 * 1000LL)    /* an authenticator app that was offered and not yet confirmed */

struct ctm_password { bool set; char hash[CTM_PWHASH_MAX]; int64_t characters, set_ms, used_ms; };
struct ctm_totp { bool set; char sealed[256]; int64_t step, made_ms, used_ms; };

/* What is kept of a person's password; set false without one. */
CTM_CHECK int ctm_password_of(struct ctm_cx *cx, const char *person, struct ctm_password *out);
/* state: "active" or "offered". */
CTM_CHECK int ctm_totp_of(struct ctm_cx *cx, const char *person, const char *state, struct ctm_totp *out);
/* The secret itself. Wipe it. */
CTM_CHECK int ctm_totp_secret(struct ctm_cx *cx, const char *person, const char *sealed, uint8_t key[20]);
/* The key file of this platform. */
CTM_CHECK int ctm_people_vault(struct ctm_app *app, struct ctm_vault *out, struct ctm_err *err);
/* A code as it was typed, in the form it was made: small letters and digits without hyphens and spaces; look-alikes are read as meant. */
void ctm_recovery_plain(const char *typed, char out[64]);
bool ctm_second_factor_required(struct ctm_cx *cx);
/* For the account page: {fresh, required, password:null|{set_ms, used_ms, short:bool}, totp:null|{made_ms, used_ms}, recovery:null|{open, made_ms}}. */
CTM_CHECK int ctm_factors_json(struct ctm_cx *cx, ctm_json *out);

#endif
