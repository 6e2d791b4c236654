/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes sealed under a passphrase, to be carried to another place: Argon2id (RFC 9106) makes the key, XChaCha20-Poly1305 seals.
 *   "ctm-seal/1\n" || ops (8 bytes, big-endian) || memory in bytes (8) || salt (16) || nonce (24) || ciphertext and tag
 * Everything before the ciphertext is authenticated with it. A reader refuses costs beyond CTM_SEAL_OPS_MAX and CTM_SEAL_MEM_MAX, so
 * that a file from outside cannot make it work forever.
 */
#ifndef CTM_CRYPTO_SEAL_H
#define CTM_CRYPTO_SEAL_H
#include "base/buf.h"

#define CTM_SEAL_PASS_MIN 12                    /* bytes of a passphrase */
#define CTM_SEAL_PASS_MAX 1024
#define CTM_SEAL_MAX ((size_t)1 << 20)          /* bytes sealed at once */
#define CTM_SEAL_OPS_MAX 16
#define CTM_SEAL_MEM_MAX (1024ull << 20)

/* The passphrase in a file of the caller's own (mode 0600 or less): its first line. NOTFOUND, GUARD when others may read it, INPUT
 * when it is too short or too long. Wipe pass when done: ctm_seal_wipe. */
CTM_CHECK int ctm_seal_passphrase(const char *path, struct ctm_buf *pass, struct ctm_err *err);
void ctm_seal_wipe(struct ctm_buf *b);
CTM_CHECK int ctm_seal(const struct ctm_buf *pass, const void *p, size_t n, struct ctm_buf *out, struct ctm_err *err);
/* VERIFY for a wrong passphrase or changed bytes (the two cannot be told apart), SYNTAX when it is no seal. */
CTM_CHECK int ctm_unseal(const struct ctm_buf *pass, const void *p, size_t n, struct ctm_buf *out, struct ctm_err *err);

#endif
