/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of ctm-backup: the archive and what its two sides share.
 *
 * An archive is a POSIX tar (pax) of regular files: about.json first, then the parts by name, manifest.txt last. The manifest is a
 * function of what came before: the line "ctm.backup-manifest/1" and one line "sha256:HEX SIZE NAME" for each entry in order, so a
 * reader makes it again while reading and compares bytes: an entry that is changed, missing, added or moved shows. Its own digest is
 * printed by ctm backup and can be kept elsewhere, for ctm restore --manifest-digest.
 *
 * Parts (nothing else is accepted): public/log/..., log/pending, signer.journal, ctm.db, trust.json, ctm.json, blobs/ab/HEX,
 * public/p/..., keys/NAME.sealed (crypto/seal.h). Not carried: run/ and edge/, which are made again.
 */
#ifndef CTM_APP_BACKUP_H
#define CTM_APP_BACKUP_H
#include "base/cli.h"
#include "base/json.h"
#include "crypto/hash.h"
#include <stdbool.h>

#define BACKUP_PATH 1400
#define BACKUP_NAME_MAX 240
#define BACKUP_SMALL_MAX ((size_t)1 << 20)                /* about.json, ctm.json, trust.json, a sealed key */
#define BACKUP_MANIFEST_MAX ((size_t)512 << 20)           /* some four million files */
#define BACKUP_MANIFEST_HEAD "ctm.backup-manifest/1\n"
#define BACKUP_BLOCK 65536

/* Files of keys/: what signs, what opens people's secrets (crypto/vault.h), the password of the mail server. */
static const char *const backup_keys[] = { "ca.pem", "cla.pem", "log.pem", "lab.pem", "snapshot.pem", "timestamp.pem", "director.pem", "people.key", "mail.secret" };
#define BACKUP_NKEYS (sizeof backup_keys / sizeof *backup_keys)

struct backup_opts { const char *state, *out, *in, *passphrase, *head, *digest; bool no_keys, json, resume; };

/* The three commands. Errors by the names of base/err.h; nothing is left half made at the place that was named. */
int backup_run(const struct backup_opts *o, struct ctm_err *err);
int restore_run(const struct backup_opts *o, struct ctm_err *err);
int restore_resume(const struct backup_opts *o, struct ctm_err *err);

/* dir/sub into out[BACKUP_PATH]; "" when it does not fit. */
const char *backup_path(const char *dir, const char *sub, char out[BACKUP_PATH]);
/* What an entry of this name is. NULL for a name that no archive of ours has. */
struct backup_part { const char *name; bool tree; unsigned mode; };
const struct backup_part *backup_part_of(const char *name);

#endif
