/* SPDX-License-Identifier: Apache-2.0
 *
 * Signed notes and checkpoints: C2SP signed-note and C2SP tlog-checkpoint.
 *   note        = text (ends with a newline), an empty line, one or more signature lines "— NAME BASE64(key id || signature)"
 *   key id      = first 4 bytes of SHA-256(NAME || 0x0A || 0x01 || public key), for Ed25519
 *   vkey        = NAME+HEX(key id)+BASE64(0x01 || public key)
 *   checkpoint  = text of a note: origin, size in decimal, root hash in base64, then optional lines
 * Parsing is strict: UTF-8 without control characters, canonical base64, no key twice, at most 64 signature lines.
 */
#ifndef CTM_REGISTRY_NOTE_H
#define CTM_REGISTRY_NOTE_H
#include "base/buf.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include <stdbool.h>

#define CTM_NOTE_MAX 65536
#define CTM_NOTE_NAME_MAX 256
#define CTM_NOTE_SIGS_MAX 64

struct ctm_vkey { char name[CTM_NOTE_NAME_MAX]; uint8_t id[4]; uint8_t pub[32]; };

bool ctm_note_name_ok(const char *name);          /* not empty, valid UTF-8, no white space, no plus sign, fits */
void ctm_note_key_id(const char *name, const uint8_t pub[32], uint8_t id[4]);  /* as above */
CTM_CHECK int ctm_vkey_parse(const char *text, struct ctm_vkey *out, struct ctm_err *err);       /* SYNTAX; a key id that is not the key's is refused */
void ctm_vkey_write(const char *name, const uint8_t pub[32], struct ctm_buf *out);               /* appends what ctm_vkey_parse reads */

/* Sign text (must end with a newline) with an Ed25519 key under `name`; appends the whole note to out. INPUT on bad text or name. */
CTM_CHECK int ctm_note_sign(const struct ctm_key *key, const char *name, const char *text, size_t n, struct ctm_buf *out, struct ctm_err *err);
/* Verify: at least one signature by a key of `keys` and none of theirs bad. Signatures by unknown keys are passed over, as the
 * specification asks, and counted in *unknown (may be NULL). *text_len: bytes of the text (it is the first part of note).
 * SYNTAX when it is no note, VERIFY when no known key signed it or a signature is wrong. */
CTM_CHECK int ctm_note_verify(const char *note, size_t n, const struct ctm_vkey *keys, size_t nkeys, size_t *text_len, size_t *unknown, struct ctm_err *err);

struct ctm_checkpoint { char origin[CTM_NOTE_NAME_MAX]; int64_t size; uint8_t root[CTM_SHA256]; };
void ctm_checkpoint_write(const struct ctm_checkpoint *cp, struct ctm_buf *out);  /* appends the text, unsigned */
/* Text of a checkpoint, n bytes. SYNTAX. Lines after the root are allowed (they are signed, we use none). */
CTM_CHECK int ctm_checkpoint_parse(const char *text, size_t n, struct ctm_checkpoint *out, struct ctm_err *err);
/* Both in one: a note whose text is a checkpoint of key->name, signed by key. */
CTM_CHECK int ctm_checkpoint_verify(const char *note, size_t n, const struct ctm_vkey *key, struct ctm_checkpoint *out, size_t *unknown, struct ctm_err *err);

#endif
