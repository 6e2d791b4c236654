/* SPDX-License-Identifier: Apache-2.0
 *
 * Brakes on guessing. Each attempt at a password is counted before it is looked at, in lanes; a lane with more failures than are free makes
 * everybody in it wait, twice as long each time, 15 minutes at most, and forgets after a day without attempts.
 *
 *   pair      this account from this address      5 free
 *   account   this account from anywhere else    20 free
 *   address   any account from this address      20 free
 *
 * An address from which the person signed in during the last 30 days is not held up by the account's lane, so strangers who guess at an
 * account cannot lock its owner out; and passkeys and one-time links have no brakes at all. Accounts that do not exist are counted alike.
 * The address is empty where it is not known (a proxy on this machine that does not name it): then there is no lane for it.
 */
#ifndef CTM_IDENTITY_BRAKE_H
#define CTM_IDENTITY_BRAKE_H
#include "http/app.h"

/* How long a lane rests after so many failures. */
int64_t ctm_brake_rest_ms(unsigned lane, int64_t failures);
enum { CTM_LANE_PAIR, CTM_LANE_ACCOUNT, CTM_LANE_ADDRESS };

/* On the writer, before the attempt is judged: LIMIT while a lane rests, else counted as failed in all of them. */
CTM_CHECK int ctm_brake_take(struct ctm_cx *cx, const char *email, const char *address);
/* On the writer, after a good one: lanes of the account start afresh, the address's lane takes this attempt back, the place is kept. */
CTM_CHECK int ctm_brake_good(struct ctm_cx *cx, const char *person_id, const char *email, const char *address);
/* Forget the account's lanes (ctm user recover). */
CTM_CHECK int ctm_brake_forget(struct ctm_db *db, const char *email, struct ctm_err *err);

#endif
