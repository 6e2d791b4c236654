/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm restore: an archive of ctm backup becomes a state directory again. The archive is bytes from outside: only names of the list
 * in backup.c, only regular files, never over something, every digest checked, and the manifest must be the one that follows from
 * what was read. ctm.json is written last, so a directory whose restore did not end is no state directory and nothing serves it.
 *
 * A restored log must not fork. The archive's log ends where the backup was made; if the world has seen a longer one, a signer that
 * went on from here would sign a second history under the same name, which is the one thing a transparency log exists to exclude. The
 * signer cannot know what was published after its journal ends, so somebody has to show it: a restored state carries signer.hold, under
 * which the signer refuses statements and log heads (certificates of devices and seals of evidence go on), until the last published
 * checkpoint was compared with the restored log. The same size and root: nothing was lost, the hold goes. A longer one: the hold stays,
 * and a newer backup is needed. A shorter one is not the last. Another tree of the same size, or one that this log does not continue:
 * two histories are there already, which is said. The way out of a log that cannot be continued is a log under another name, a
 * decision of people and not of this program.
 */
#include "app/backup.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "crypto/seal.h"
#include "registry/log.h"
#include "registry/trust.h"
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FSCK_MS (4 * 3600 * 1000)
#define FILE_MAX (INT64_C(64) << 30)

struct in {
	const struct backup_opts *o;
	struct archive *a;
	struct ctm_buf manifest, conf, pass;      /* manifest as it follows from what was read; ctm.json, written last */
	bool about, ended, sealed;
	int64_t files;
};

/* ---- where to ---- */

static int empty_dir(const char *dir, struct ctm_err *err)
{
	int rc = ctm_mkdirs(dir, 0700, err);
	DIR *d = rc ? NULL : opendir(dir);
	if (!d)
		return rc ? rc : ctm_fail(err, CTM_E_IO, "state", NULL, "%s cannot be read: %s", dir, strerror(errno));
	for (struct dirent *e; !rc && (e = readdir(d));)
		if (!ctm_streq(e->d_name, ".") && !ctm_streq(e->d_name, ".."))
			rc = ctm_fail(err, CTM_E_EXISTS, "state", NULL, "%s is not empty; a restore overwrites nothing. Name a new directory.", dir);
	closedir(d);
	return rc;
}

static int make_parent(const char *path, const char *name, struct ctm_err *err)
{
	char dir[BACKUP_PATH];
	ctm_copy(dir, sizeof dir, path);
	char *slash = strrchr(dir, '/');
	if (slash)
		*slash = 0;
	return ctm_mkdirs(dir, ctm_starts(name, "public/") ? 0755 : 0700, err);
}

/* ---- one entry ---- */

static int unreadable(struct in *r, struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_VERIFY, "archive", NULL, "%s cannot be read as a backup: %s", r->o->in, archive_error_string(r->a) ? archive_error_string(r->a) : "it is cut short");
}

static int small(struct in *r, const char *name, int64_t size, size_t max, struct ctm_buf *out, struct ctm_err *err)
{
	static char block[BACKUP_BLOCK];
	if (size < 0 || (uint64_t)size > max)
		return ctm_fail(err, CTM_E_TOOBIG, name, NULL, "%s in the archive is larger than it may be", name);
	for (int64_t left = size; left > 0;) {
		la_ssize_t n = archive_read_data(r->a, block, left < BACKUP_BLOCK ? (size_t)left : BACKUP_BLOCK);
		if (n <= 0)
			return unreadable(r, err);
		ctm_buf_add(out, block, (size_t)n);
		left -= n;
	}
	return ctm_buf_err(out, name, err);
}

static int to_file(struct in *r, const struct backup_part *part, const char *name, int64_t size, char digest[CTM_DIGEST_MAX], struct ctm_err *err)
{
	static char block[BACKUP_BLOCK];
	char path[BACKUP_PATH];
	uint8_t d[CTM_SHA256];
	int rc = make_parent(backup_path(r->o->state, name, path), name, err);
	if (rc)
		return rc;
	CTM_AUTO_FD fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)part->mode);
	if (fd < 0)
		return ctm_fail(err, CTM_E_IO, name, NULL, "%s cannot be written: %s", path, strerror(errno));
	struct ctm_sha256 *h = ctm_sha256_new();
	for (int64_t left = size; !rc && left > 0;) {
		la_ssize_t n = archive_read_data(r->a, block, left < BACKUP_BLOCK ? (size_t)left : BACKUP_BLOCK);
		if (n <= 0) {
			rc = unreadable(r, err);
		} else if (ctm_fd_write(fd, block, (size_t)n)) {
			rc = ctm_fail(err, CTM_E_IO, name, NULL, "%s cannot be written: %s", path, strerror(errno));
		} else {
			ctm_sha256_add(h, block, (size_t)n);
			left -= n;
		}
	}
	ctm_sha256_end(h, d);
	ctm_digest_str(d, digest);
	if (!rc && (fchmod(fd, (mode_t)part->mode) || fsync(fd)))
		rc = ctm_fail(err, CTM_E_IO, name, NULL, "%s cannot be written: %s", path, strerror(errno));
	return rc;
}

/* keys/NAME.sealed: opened and written as keys/NAME, or left in the archive. */
static int key_entry(struct in *r, const char *name, const struct ctm_buf *sealed, struct ctm_err *err)
{
	char want[64], path[BACKUP_PATH];
	struct ctm_buf pem = CTM_BUF(BACKUP_SMALL_MAX);
	size_t i = 0;
	while (i < BACKUP_NKEYS && (snprintf(want, sizeof want, "keys/%s.sealed", backup_keys[i]), !ctm_streq(want, name)))
		i++;
	if (i == BACKUP_NKEYS)
		return ctm_fail(err, CTM_E_VERIFY, name, NULL, "%s is no part of a backup", name);
	r->sealed = true;
	if (r->o->no_keys)
		return 0;
	if (!r->o->passphrase)
		return ctm_fail(err, CTM_E_INPUT, "passphrase-file", NULL, "the archive holds sealed keys: give --passphrase-file FILE, or leave them in it with --without-keys");
	int rc = ctm_unseal(&r->pass, sealed->p, sealed->len, &pem, err);
	snprintf(want, sizeof want, "keys/%s", backup_keys[i]);
	rc = rc ? rc : make_parent(backup_path(r->o->state, want, path), want, err);
	rc = rc ? rc : ctm_file_write(path, pem.p, pem.len, 0600, err);
	ctm_seal_wipe(&pem);
	return rc;
}

static int check_about(struct in *r, const struct ctm_buf *b, struct ctm_err *err)
{
	CTM_AUTO_JSON *j = NULL;
	int rc = ctm_json_parse(b->p, b->len, BACKUP_SMALL_MAX, "about.json", &j, err);
	if (!rc && !ctm_streq(ctm_json_gets(j, "format"), "ctm.backup/1"))
		rc = ctm_fail(err, CTM_E_UNSUPPORTED, "about.json", NULL, "%s is not a backup of a kind that this program knows", r->o->in);
	r->about = !rc;
	return rc;
}

static int check_manifest(struct in *r, const struct ctm_buf *b, struct ctm_err *err)
{
	char digest[CTM_DIGEST_MAX];
	ctm_digest_of(b->p, b->len, digest);
	if (r->o->digest && !ctm_streq(r->o->digest, digest))
		return ctm_fail(err, CTM_E_VERIFY, "manifest-digest", NULL, "this is another archive: its manifest is %s", digest);
	if (b->len != r->manifest.len || memcmp(b->p, r->manifest.p, b->len))
		return ctm_fail(err, CTM_E_VERIFY, "manifest.txt", NULL, "the files of the archive are not those of its manifest: it was changed or damaged");
	r->ended = true;
	return 0;
}

static int entry(struct in *r, const char *name, int64_t size, struct ctm_err *err)
{
	const struct backup_part *part = backup_part_of(name);
	CTM_AUTO_BUF b = CTM_BUF(BACKUP_MANIFEST_MAX);
	char digest[CTM_DIGEST_MAX];
	bool held = ctm_streq(name, "about.json") || ctm_streq(name, "ctm.json") || ctm_starts(name, "keys/");
	int rc;
	if (!part || r->ended || r->about == ctm_streq(name, "about.json") || size < 0 || size > FILE_MAX)
		return ctm_fail(err, CTM_E_VERIFY, "archive", NULL, "the archive holds \"%.80s\" where a backup does not", part ? name : "another name");
	if (ctm_streq(name, "manifest.txt"))
		return (rc = small(r, name, size, BACKUP_MANIFEST_MAX, &b, err)) ? rc : check_manifest(r, &b, err);
	if (!held)
		rc = to_file(r, part, name, size, digest, err);
	else if (!(rc = small(r, name, size, BACKUP_SMALL_MAX, &b, err)))
		ctm_digest_of(b.p, b.len, digest);
	if (rc)
		return rc;
	if (ctm_starts(name, "blobs/") && (strlen(name) != 71 || strncmp(name + 6, digest + 7, 2) || strcmp(name + 9, digest + 9)))
		return ctm_fail(err, CTM_E_VERIFY, name, NULL, "%s does not hold what its name says", name);
	ctm_buf_printf(&r->manifest, "%s %" PRId64 " %s\n", digest, size, name);
	r->files++;
	if ((rc = ctm_buf_err(&r->manifest, "manifest", err)))
		return rc;
	if (ctm_streq(name, "about.json"))
		return check_about(r, &b, err);
	if (ctm_starts(name, "keys/"))
		return key_entry(r, name, &b, err);
	if (ctm_streq(name, "ctm.json"))
		ctm_buf_add(&r->conf, b.p, b.len);
	return ctm_buf_err(&r->conf, name, err);
}

static int extract(struct in *r, struct ctm_err *err)
{
	struct archive_entry *e;
	int rc = 0, is = 0;
	r->a = archive_read_new();
	if (!r->a || archive_read_support_format_tar(r->a) != ARCHIVE_OK || archive_read_open_filename(r->a, r->o->in, BACKUP_BLOCK) != ARCHIVE_OK)
		return r->a ? unreadable(r, err) : ctm_fail(err, CTM_E_NOMEM, "archive", NULL, "out of memory");
	while (!rc && (is = archive_read_next_header(r->a, &e)) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(e);
		if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) || !name)
			rc = ctm_fail(err, CTM_E_VERIFY, "archive", NULL, "the archive holds something that is not a plain file");
		else
			rc = entry(r, name, archive_entry_size(e), err);
	}
	if (!rc && is != ARCHIVE_EOF)
		rc = unreadable(r, err);
	if (!rc && (!r->ended || !r->conf.len))
		rc = ctm_fail(err, CTM_E_VERIFY, "archive", NULL, "the archive ends before its manifest: it is cut short");
	return rc;
}

/* ---- the log ---- */

static int local_head(const char *state, struct ctm_trust *trust, struct ctm_tlog **log, struct ctm_err *err)
{
	char path[BACKUP_PATH];
	int rc = ctm_trust_load(backup_path(state, "trust.json", path), trust, err);
	return rc ? rc : ctm_log_open(backup_path(state, "public/log", path), &trust->log, log, err);
}

/* Is the log of this state all that the world has seen? 0, or the refusal. */
static int compare_head(const char *state, const char *file, struct ctm_err *err)
{
	static struct ctm_trust trust;
	CTM_AUTO_LOG *log = NULL;
	CTM_AUTO_BUF note = CTM_BUF(CTM_NOTE_MAX);
	struct ctm_checkpoint seen;
	int rc = local_head(state, &trust, &log, err);
	if (!rc && ctm_streq(file, "none"))
		return ctm_log_head(log)->size == 0 ? 0 : ctm_fail(err, CTM_E_INPUT, "log-head", NULL, "\"none\" is for a log that never published anything; this one has entries");
	rc = rc ? rc : ctm_file_read(file, CTM_NOTE_MAX, &note, err);
	if (rc)
		return rc;
	if ((rc = ctm_checkpoint_verify(ctm_buf_cstr(&note), note.len, &trust.log, &seen, NULL, err)))
		return ctm_fail_prefix(err, "%s is no checkpoint of this log: ", file);
	const struct ctm_checkpoint *here = ctm_log_head(log);
	if (seen.size < here->size)
		return ctm_fail(err, CTM_E_INPUT, "log-head", NULL, "%s is a checkpoint of %" PRId64 " entries, and this log has %" PRId64
			": it is not the last one. Fetch the checkpoint from the public site or a mirror now.", file, seen.size, here->size);
	if (seen.size > here->size)
		return ctm_fail(err, CTM_E_GUARD, "log-head", "log.restored", "%" PRId64 " entries were published after this backup was made. Signing on from here would fork the log, "
			"so the signer stays closed; reading goes on. Restore a newer backup.", seen.size - here->size);
	if (memcmp(seen.root, here->root, CTM_SHA256))
		return ctm_fail(err, CTM_E_VERIFY, "log-head", "log.restored", "the published checkpoint of %" PRId64 " entries is of another tree than this log: one name stands for two "
			"histories. Keep both and find out why; the signer stays closed.", seen.size);
	return 0;
}

static int hold(const char *state, struct ctm_err *err)
{
	static const char text[] = "{\"format\":\"ctm.signer-hold/1\",\"why\":\"restored from a backup; the last published checkpoint was not compared yet\"}\n";
	char path[BACKUP_PATH];
	return ctm_file_write(backup_path(state, "signer.hold", path), text, sizeof text - 1, 0600, err);
}

int restore_resume(const struct backup_opts *o, struct ctm_err *err)
{
	char path[BACKUP_PATH];
	if (!o->head)
		return ctm_fail(err, CTM_E_USAGE, "log-head", NULL, "--resume needs --log-head FILE, the last checkpoint the world has seen of this log");
	int rc = compare_head(o->state, o->head, err);
	if (rc)
		return rc;
	if (unlink(backup_path(o->state, "signer.hold", path)) && errno != ENOENT)
		return ctm_fail(err, CTM_E_IO, "state", NULL, "%s cannot be removed: %s", path, strerror(errno));
	rc = ctm_dir_sync(o->state) ? ctm_fail(err, CTM_E_IO, "state", NULL, "%s cannot be written", o->state) : 0;
	if (!rc)
		printf("The restored log is all that was published. The signer signs again once it is started anew.\n");
	return rc;
}

/* ---- the whole ---- */

static int fsck(const struct backup_opts *o, struct ctm_err *err)
{
	char program[BACKUP_PATH];
	CTM_AUTO_BUF out = CTM_BUF(1 << 20), errout = CTM_BUF(65536);
	int status = -1, rc = ctm_sibling("ctm-admin", program, sizeof program, err);
	const char *argv[] = { program, "fsck", "--state", o->state, NULL };
	struct ctm_proc p = { .argv = argv, .timeout_ms = FSCK_MS };
	rc = rc ? rc : ctm_proc_run(&p, &out, &errout, &status, err);
	if (!rc && status)
		rc = ctm_fail(err, CTM_E_VERIFY, "fsck", NULL, "what was restored is not sound: %.300s%.200s", ctm_buf_cstr(&out), ctm_buf_cstr(&errout));
	return rc;
}

static int finish(struct in *r, struct ctm_err *err)
{
	static const char *const dirs[] = { "blobs", "keys", "run", "edge" };
	char path[BACKUP_PATH];
	int rc = hold(r->o->state, err);
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs && !rc; i++)
		rc = ctm_mkdirs(backup_path(r->o->state, dirs[i], path), 0700, err);
	for (size_t i = 0; i < 2 && !rc; i++)
		rc = ctm_mkdirs(backup_path(r->o->state, i ? "public/p" : "public/log", path), 0755, err);
	if (rc)
		return rc;
	int fd = open(r->o->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = fd >= 0 && !syncfs(fd);
	ctm_closep(&fd);
	if (!synced)
		return ctm_fail(err, CTM_E_IO, "state", NULL, "%s cannot be made durable: %s", r->o->state, strerror(errno));
	rc = ctm_file_write(backup_path(r->o->state, "ctm.json", path), r->conf.p, r->conf.len, 0644, err);
	if (!rc && (rc = fsck(r->o, err)))
		unlink(backup_path(r->o->state, "ctm.json", path));
	return rc;
}

int restore_run(const struct backup_opts *o, struct ctm_err *err)
{
	struct in r = { .o = o, .manifest = CTM_BUF(BACKUP_MANIFEST_MAX), .conf = CTM_BUF(BACKUP_SMALL_MAX), .pass = CTM_BUF(CTM_SEAL_PASS_MAX + 2) };
	if (o->digest && !ctm_digest_ok(o->digest))
		return ctm_fail(err, CTM_E_USAGE, "manifest-digest", NULL, "a digest is sha256: and 64 hexadecimal digits");
	int rc = o->passphrase ? ctm_seal_passphrase(o->passphrase, &r.pass, err) : 0;
	bool ours = !rc && !(rc = empty_dir(o->state, err));
	ctm_buf_str(&r.manifest, BACKUP_MANIFEST_HEAD);
	rc = rc ? rc : extract(&r, err);
	rc = rc ? rc : finish(&r, err);
	if (rc && ours)
		fprintf(stderr, "ctm restore: %s holds a part of the archive and is no state directory; remove it.\n", o->state);
	if (!rc)
		printf("Restored %" PRId64 " files into %s; ctm fsck finds them sound.%s\n", r.files, o->state, r.sealed && !o->no_keys ? "" :
			" Put the private keys into keys/ (mode 0600).");
	archive_read_free(r.a);
	ctm_seal_wipe(&r.pass);
	ctm_buf_free(&r.manifest);
	ctm_buf_free(&r.conf);
	if (rc || o->head)
		return rc ? rc : restore_resume(o, err);
	printf("The signer signs nothing yet: fetch the last published checkpoint of the log from the public site or a mirror, then\n"
		"  ctm restore --resume --state %s --log-head FILE\n", o->state);
	return 0;
}
