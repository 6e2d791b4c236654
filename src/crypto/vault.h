/* SPDX-License-Identifier: Apache-2.0
 *
 * Small secrets at rest that the platform itself must read again (the secret of an authenticator app, a link in a mail that waits):
 * XChaCha20-Poly1305 under a key file of 32 random bytes, mode 0600. The sealed text is "v1." and base64url of nonce and
 * ciphertext; the purpose ("totp:PERSON") is authenticated, so a sealed text moved to another row does not open.
 */
#ifndef CTM_CRYPTO_VAULT_H
#define CTM_CRYPTO_VAULT_H
#include "base/buf.h"

struct ctm_vault { uint8_t key[32]; };

/* Read the key file, or make it when there is none (two makers at once get the same one). GUARD when others may read it, SYNTAX when
 * it is not 32 bytes, IO. Wipe when done. */
CTM_CHECK int ctm_vault_open(const char *path, struct ctm_vault *out, struct ctm_err *err);
void ctm_vault_wipe(struct ctm_vault *v);
#define CTM_AUTO_VAULT __attribute__((cleanup(ctm_vault_wipe))) struct ctm_vault
CTM_CHECK int ctm_vault_seal(const struct ctm_vault *v, const char *purpose, const void *p, size_t n, struct ctm_buf *text, struct ctm_err *err);
/* VERIFY for another key, another purpose or changed text. out is for ctm_seal_wipe (crypto/seal.h). */
CTM_CHECK int ctm_vault_unseal(const struct ctm_vault *v, const char *purpose, const char *text, struct ctm_buf *out, struct ctm_err *err);

#endif
