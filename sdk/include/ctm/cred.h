/* SPDX-License-Identifier: Apache-2.0
 *
 * The owner's password, lock-out after wrong ones, and sessions. Each unit leaves the factory with a password of its own, which
 * must be changed before anything else works. Only salted slow hashes are stored; the hash of the initial password is kept
 * apart, so that a reset can go back to it. The count of wrong passwords survives a restart.
 * NIST IR 8259A, logical access to interfaces; ETSI EN 303 645 5.1.
 */
#ifndef CTM_CRED_H
#define CTM_CRED_H
#include "ctm/port.h"
#include <stdbool.h>

#define CTM_TOKEN_BYTES 32

struct ctm_session {
	uint8_t hash[CTM_HASH_BYTES];          /* of the token */
	int64_t last_ms;                       /* mono */
	bool used;
};

struct ctm_cred {
	const struct ctm_port *port;
	size_t min_length;                     /* bytes of a new password */
	uint32_t attempts;                     /* wrong ones in a row that lock; 0 never locks */
	int64_t lock_ms;
	uint8_t salt[CTM_SALT_BYTES], key[CTM_HASH_BYTES];
	bool initial;                          /* the initial password stands */
	uint32_t fails;
	int64_t locked_until_ms;               /* mono; 0 not locked */
	struct ctm_session session[CTM_SESSIONS];
};

/* Load; NONE when no password was ever set (call ctm_cred_begin). */
int ctm_cred_load(struct ctm_cred *c);
/* First boot: the printed password. INPUT when it is empty or too long. */
int ctm_cred_begin(struct ctm_cred *c, const char *password, size_t n);
/* 0 and a token; AUTH; LOCKED (ask ctm_cred_wait_ms). */
int ctm_cred_login(struct ctm_cred *c, const char *password, size_t n, uint8_t token[CTM_TOKEN_BYTES]);
/* A session without a password: for the caller that has another proof. STATE when no random numbers can be had. */
int ctm_cred_open(struct ctm_cred *c, uint8_t token[CTM_TOKEN_BYTES]);
int64_t ctm_cred_wait_ms(const struct ctm_cred *c);          /* 0 when not locked */
/* 0, AUTH (no such session), CHANGE (the initial password must be changed first). */
int ctm_cred_check(struct ctm_cred *c, const uint8_t token[CTM_TOKEN_BYTES]);
void ctm_cred_logout(struct ctm_cred *c, const uint8_t token[CTM_TOKEN_BYTES]);
void ctm_cred_logout_all(struct ctm_cred *c, const uint8_t *but /* NULL or a token */);
/* AUTH (old is wrong; counts towards the lock), LOCKED, INPUT with *why: "short", "long", "same", "plain". Other sessions end. */
int ctm_cred_change(struct ctm_cred *c, const uint8_t token[CTM_TOKEN_BYTES], const char *old, size_t oldn,
		    const char *pw, size_t n, bool rules, const char **why);
/* Back to the initial password; sessions end. */
int ctm_cred_reset(struct ctm_cred *c);

#endif
