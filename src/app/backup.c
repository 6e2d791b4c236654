/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm backup: one archive of a state directory, taken while the platform serves. ctm restore (restore.c) is its other half.
 *
 * The cut. Four things must be of one moment: database, log, journal, files. For a moment the log's lock and the database's write
 * lock are held together: nobody appends to the log and nobody commits. In it the length of the journal is noted and a reading
 * connection takes its snapshot; then writers go on. The log stays locked until its files are in the archive (issuing waits and tries
 * again), the database is copied out of the snapshot, and files named by digest only ever come to be, so they are copied last. From
 * this follows what ctm fsck asks of a restored state: each logged statement of the database is in the log, the log has no entry that
 * the database does not know, the journal knows every signature behind both.
 *
 * Private keys leave the state directory only sealed under a passphrase that comes from a file, or not at all.
 */
#include "app/backup.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/seal.h"
#include "registry/log.h"
#include "registry/trust.h"
#include "store/store.h"
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
#include <time.h>
#include <unistd.h>

#define LOCK_TRIES 500                  /* times 20 ms: appending takes milliseconds */
#define DEPTH_MAX 8

struct out {
	const struct backup_opts *o;
	struct archive *a;
	struct ctm_buf manifest;
	struct ctm_db *db;                    /* reading, holds the snapshot */
	struct ctm_buf pass;
	char tmp[BACKUP_PATH], copy[BACKUP_PATH + 8];   /* archive and copy of the database while they are made; "" when there is none */
	int64_t files, bytes, journal;
	struct ctm_checkpoint head;
	int lock, fd;
};

const char *backup_path(const char *dir, const char *sub, char out[BACKUP_PATH])
{
	int n = snprintf(out, BACKUP_PATH, "%s/%s", dir, sub);
	if (n < 0 || n >= BACKUP_PATH)
		*out = 0;
	return out;
}

const struct backup_part *backup_part_of(const char *name)
{
	static const struct backup_part parts[] = {
		{ "about.json", false, 0600 }, { "public/log/", true, 0644 }, { "log/pending", false, 0600 }, { "signer.journal", false, 0600 }, { "ctm.db", false, 0600 },
		{ "trust.json", false, 0644 }, { "ctm.json", false, 0644 }, { "blobs/", true, 0400 }, { "public/p/", true, 0644 }, { "keys/", true, 0600 },
		{ "manifest.txt", false, 0600 },
	};
	if (strlen(name) > BACKUP_NAME_MAX || !ctm_path_safe(name) || !ctm_text_printable(name, strlen(name)))
		return NULL;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (parts[i].tree ? ctm_starts(name, parts[i].name) : ctm_streq(name, parts[i].name))
			return &parts[i];
	return NULL;
}

/* ---- entries ---- */

static int failed(struct out *w, struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_IO, "out", NULL, "%s cannot be written: %s", w->o->out, archive_error_string(w->a) ? archive_error_string(w->a) : strerror(errno));
}

static int header(struct out *w, const char *name, int64_t size, struct ctm_err *err)
{
	const struct backup_part *part = backup_part_of(name);
	struct archive_entry *e = archive_entry_new();
	if (!e || !part) {
		archive_entry_free(e);
		return ctm_fail(err, part ? CTM_E_NOMEM : CTM_E_STATE, name, NULL, "%s cannot be put into a backup", name);
	}
	archive_entry_set_pathname(e, name);
	archive_entry_set_size(e, size);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, (mode_t)part->mode);
	archive_entry_set_mtime(e, 0, 0);
	int bad = archive_write_header(w->a, e) != ARCHIVE_OK;
	archive_entry_free(e);
	return bad ? failed(w, err) : 0;
}

static int noted(struct out *w, const char *name, const char *digest, int64_t size, struct ctm_err *err)
{
	ctm_buf_printf(&w->manifest, "%s %" PRId64 " %s\n", digest, size, name);
	w->files++;
	w->bytes += size;
	return ctm_buf_err(&w->manifest, "manifest", err);
}

static int add_bytes(struct out *w, const char *name, const void *p, size_t n, struct ctm_err *err)
{
	char digest[CTM_DIGEST_MAX];
	int rc = header(w, name, (int64_t)n, err);
	if (!rc && n && archive_write_data(w->a, p, n) != (la_ssize_t)n)
		rc = failed(w, err);
	ctm_digest_of(p, n, digest);
	return rc ? rc : noted(w, name, digest, (int64_t)n, err);
}

/* Exactly size bytes of the file: it may have grown since, but must not be shorter. */
static int stream(struct out *w, const char *name, int fd, int64_t size, struct ctm_err *err)
{
	static char block[BACKUP_BLOCK];
	uint8_t d[CTM_SHA256];
	char digest[CTM_DIGEST_MAX];
	struct ctm_sha256 *h = ctm_sha256_new();
	int rc = header(w, name, size, err);
	for (int64_t left = size; !rc && left > 0;) {
		ssize_t n = read(fd, block, left < BACKUP_BLOCK ? (size_t)left : BACKUP_BLOCK);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			rc = ctm_fail(err, CTM_E_IO, name, NULL, "%s cannot be read to its end: %s", name, n ? strerror(errno) : "it became shorter");
		else if (archive_write_data(w->a, block, (size_t)n) != n)
			rc = failed(w, err);
		else
			ctm_sha256_add(h, block, (size_t)n);
		left -= rc ? 0 : n;
	}
	ctm_sha256_end(h, d);
	ctm_digest_str(d, digest);
	return rc ? rc : noted(w, name, digest, size, err);
}

/* size < 0: as long as the file is. A file that is not there is passed over when it may be missing. */
static int add_file(struct out *w, const char *path, const char *name, int64_t size, bool may_miss, struct ctm_err *err)
{
	struct stat st;
	CTM_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT && may_miss)
		return 0;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return ctm_fail(err, CTM_E_IO, name, NULL, "%s cannot be read: %s", name, fd < 0 ? strerror(errno) : "it is not a regular file");
	return stream(w, name, fd, size < 0 ? (int64_t)st.st_size : size, err);
}

static int add_part(struct out *w, const char *name, bool may_miss, struct ctm_err *err)
{
	char path[BACKUP_PATH];
	return add_file(w, backup_path(w->o->state, name, path), name, -1, may_miss, err);
}

static int not_hidden(const struct dirent *e) { return e->d_name[0] != '.'; }

/* Temporary names are work that was not finished; a finished file never has one (base/file.c, store/blob.c). */
static bool unfinished(const char *name)
{
	size_t n = strlen(name);
	return (n > 4 && ctm_streq(name + n - 4, ".tmp")) || ctm_starts(name, "new-");
}

/* Everything under STATE/name. Files that go while it runs (static pages written anew) are passed over by name, not by content. */
static int add_tree(struct out *w, const char *name, int depth, struct ctm_err *err)
{
	char path[BACKUP_PATH], sub[BACKUP_NAME_MAX + 300];
	struct dirent **list = NULL;
	struct stat st;
	int n = scandir(backup_path(w->o->state, name, path), &list, not_hidden, alphasort), rc = 0;
	if (n < 0)
		return errno == ENOENT ? 0 : ctm_fail(err, CTM_E_IO, name, NULL, "%s cannot be read: %s", path, strerror(errno));
	for (int i = 0; i < n && !rc; i++) {
		snprintf(sub, sizeof sub, "%s/%s", name, list[i]->d_name);
		if (unfinished(list[i]->d_name) || lstat(backup_path(w->o->state, sub, path), &st))
			continue;
		if (S_ISDIR(st.st_mode))
			rc = depth < DEPTH_MAX ? add_tree(w, sub, depth + 1, err) : ctm_fail(err, CTM_E_STATE, sub, NULL, "%s is deeper than anything ctm makes", sub);
		else
			rc = add_part(w, sub, true, err);
	}
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return rc;
}

/* ---- the cut ---- */

static int hold_log(struct out *w, struct ctm_err *err)
{
	const struct timespec nap = { 0, 20000000 };
	char path[BACKUP_PATH];
	int rc = ctm_mkdirs(backup_path(w->o->state, "log", path), 0700, err);
	for (int i = 0; !rc; i++) {
		struct ctm_err local = { 0 };
		int is = ctm_file_lock(backup_path(w->o->state, "log/lock", path), &w->lock, &local);
		if (!is)
			return 0;
		if (is != CTM_E_BUSY || i >= LOCK_TRIES)
			return ctm_fail(err, is, "log/lock", NULL, "%s", local.msg);
		nanosleep(&nap, NULL);
	}
	return rc;
}

/* Bytes of the journal up to its last whole line. */
static int journal_length(struct out *w, struct ctm_err *err)
{
	char path[BACKUP_PATH], tail[4096];
	CTM_AUTO_FD fd = open(backup_path(w->o->state, "signer.journal", path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : ctm_fail(err, CTM_E_IO, "signer.journal", NULL, "%s cannot be read: %s", path, strerror(errno));
	off_t end = lseek(fd, 0, SEEK_END);
	while (end > 0) {
		off_t from = end > (off_t)sizeof tail ? end - (off_t)sizeof tail : 0;
		ssize_t n = pread(fd, tail, (size_t)(end - from), from);
		if (n != end - from)
			return ctm_fail(err, CTM_E_IO, "signer.journal", NULL, "%s cannot be read: %s", path, strerror(errno));
		const char *last = memrchr(tail, '\n', (size_t)n);
		if (last) {
			w->journal = from + (last - tail) + 1;
			return 0;
		}
		end = from;
	}
	return 0;
}

/* Where the rows are. On a server they are the work of its own tools. */
static int store_of(const struct out *w, char *url, size_t cap, struct ctm_err *err)
{
	CTM_AUTO_JSON *conf = NULL;
	char path[BACKUP_PATH];
	if (access(backup_path(w->o->state, "ctm.json", path), F_OK))
		return ctm_fail(err, CTM_E_NOTFOUND, "state", NULL, "%s is not a state directory", w->o->state);
	int rc = ctm_json_load(path, BACKUP_SMALL_MAX, &conf, err);
	rc = rc ? rc : ctm_db_url(w->o->state, conf, url, cap, err);
	if (!rc && ctm_db_served(url))
		rc = ctm_fail(err, CTM_E_UNSUPPORTED, "database", NULL, "the rows of this platform are on a PostgreSQL server; stop every ctm serve, then pg_dump the "
			"database and copy the state directory (docs/operations.md says in which order)");
	return rc;
}

static int cut(struct out *w, struct ctm_err *err)
{
	static struct ctm_trust trust;                        /* large; the program makes one backup */
	char path[BACKUP_PATH], url[BACKUP_PATH + 16];
	CTM_AUTO_LOG *log = NULL;
	struct ctm_db *writing = NULL;
	int rc = store_of(w, url, sizeof url, err);
	rc = rc ? rc : ctm_trust_load(backup_path(w->o->state, "trust.json", path), &trust, err);
	rc = rc ? rc : ctm_db_open(url, CTM_DB_RO, &w->db, err);
	rc = rc ? rc : hold_log(w, err);
	rc = rc ? rc : ctm_db_open(url, CTM_DB_RW, &writing, err);
	if (!rc && !(rc = ctm_tx_begin(writing, err))) {
		rc = ctm_tx_begin(w->db, err);
		rc = rc ? rc : journal_length(w, err);
		ctm_tx_rollback(writing);
	}
	ctm_db_close(writing);
	rc = rc ? rc : ctm_log_open(backup_path(w->o->state, "public/log", path), &trust.log, &log, err);
	if (!rc)
		w->head = *ctm_log_head(log);
	return rc;
}

/* ---- parts ---- */

static int add_about(struct out *w, struct ctm_err *err)
{
	CTM_AUTO_JSON *j = ctm_json_obj();
	ctm_json *log = ctm_json_obj();
	CTM_AUTO_BUF b = CTM_BUF(BACKUP_SMALL_MAX), root = CTM_BUF(128);
	char at[CTM_RFC3339_MAX];
	ctm_time_rfc3339(ctm_now_ms(), at);
	ctm_b64(&root, w->head.root, CTM_SHA256);
	int rc = ctm_json_seti(log, "size", w->head.size);
	rc |= ctm_json_sets(log, "root", ctm_buf_cstr(&root));
	rc |= ctm_json_sets(j, "format", "ctm.backup/1");
	rc |= ctm_json_sets(j, "made_at", at);
	rc |= ctm_json_seti(j, "schema", ctm_db_schema(w->db));
	rc |= ctm_json_sets(j, "keys", w->o->no_keys ? "left-out" : "sealed");
	rc |= ctm_json_set(j, "log", log);
	if (rc || ctm_json_pretty(j, &b))
		return ctm_fail(err, CTM_E_NOMEM, "about.json", NULL, "out of memory");
	return add_bytes(w, "about.json", b.p, b.len, err);
}

static int add_database(struct out *w, struct ctm_err *err)
{
	snprintf(w->copy, sizeof w->copy, "%s.db", w->tmp);
	int rc = ctm_db_copy(w->db, w->copy, err);
	rc = rc ? rc : add_file(w, w->copy, "ctm.db", -1, false, err);
	unlink(w->copy);
	*w->copy = 0;
	return rc;
}

static int add_keys(struct out *w, struct ctm_err *err)
{
	char name[64], path[BACKUP_PATH];
	int rc = 0;
	for (size_t i = 0; i < BACKUP_NKEYS && !rc && !w->o->no_keys; i++) {
		struct ctm_buf pem = CTM_BUF(BACKUP_SMALL_MAX);
		CTM_AUTO_BUF sealed = CTM_BUF(BACKUP_SMALL_MAX);
		struct ctm_err local = { 0 };
		snprintf(name, sizeof name, "keys/%s", backup_keys[i]);
		rc = ctm_file_read(backup_path(w->o->state, name, path), 65536, &pem, &local);
		if (rc == CTM_E_NOTFOUND) {
			rc = 0;                       /* a platform may live without some of them */
			continue;
		}
		rc = rc ? ctm_fail(err, rc, name, NULL, "%s", local.msg) : ctm_seal(&w->pass, pem.p, pem.len, &sealed, err);
		ctm_seal_wipe(&pem);
		snprintf(name, sizeof name, "keys/%s.sealed", backup_keys[i]);
		rc = rc ? rc : add_bytes(w, name, sealed.p, sealed.len, err);
	}
	return rc;
}

static int add_all(struct out *w, struct ctm_err *err)
{
	char path[BACKUP_PATH];
	int rc = add_about(w, err);
	rc = rc ? rc : add_tree(w, "public/log", 0, err);
	rc = rc ? rc : add_part(w, "log/pending", true, err);
	ctm_closep(&w->lock);                     /* issuing goes on */
	rc = rc ? rc : add_file(w, backup_path(w->o->state, "signer.journal", path), "signer.journal", w->journal, true, err);
	rc = rc ? rc : add_database(w, err);
	rc = rc ? rc : add_part(w, "trust.json", false, err);
	rc = rc ? rc : add_part(w, "ctm.json", false, err);
	rc = rc ? rc : add_tree(w, "blobs", 0, err);
	rc = rc ? rc : add_tree(w, "public/p", 0, err);
	return rc ? rc : add_keys(w, err);
}

/* ---- the archive ---- */

static int open_out(struct out *w, struct ctm_err *err)
{
	uint8_t r[8];
	char tag[17];
	if (!access(w->o->out, F_OK))
		return ctm_fail(err, CTM_E_EXISTS, "out", NULL, "%s is there already; a backup overwrites nothing", w->o->out);
	ctm_random(r, sizeof r);
	ctm_hex(r, sizeof r, tag);
	if (snprintf(w->tmp, sizeof w->tmp, "%s.%s.tmp", w->o->out, tag) >= (int)sizeof w->tmp - 8)
		return ctm_fail(err, CTM_E_INPUT, "out", NULL, "the path is too long");
	w->fd = open(w->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->fd < 0) {
		*w->tmp = 0;
		return ctm_fail(err, CTM_E_IO, "out", NULL, "%s cannot be written: %s", w->o->out, strerror(errno));
	}
	w->a = archive_write_new();
	if (!w->a || archive_write_set_format_pax_restricted(w->a) != ARCHIVE_OK || archive_write_add_filter_none(w->a) != ARCHIVE_OK ||
	    archive_write_open_fd(w->a, w->fd) != ARCHIVE_OK)
		return ctm_fail(err, CTM_E_NOMEM, "out", NULL, "the archive cannot be begun");
	return 0;
}

/* Whole and durable under its name, or not there. */
static int close_out(struct out *w, struct ctm_err *err)
{
	if (archive_write_close(w->a) != ARCHIVE_OK)
		return failed(w, err);
	if (fsync(w->fd) || link(w->tmp, w->o->out))
		return ctm_fail(err, errno == EEXIST ? CTM_E_EXISTS : CTM_E_IO, "out", NULL, "%s cannot be finished: %s", w->o->out, strerror(errno));
	return 0;
}

static void tell(struct out *w, const char *digest)
{
	CTM_AUTO_JSON *j = ctm_json_obj();
	CTM_AUTO_BUF b = CTM_BUF(BACKUP_SMALL_MAX);
	int rc = ctm_json_sets(j, "out", w->o->out) | ctm_json_seti(j, "files", w->files) | ctm_json_seti(j, "bytes", w->bytes) |
		ctm_json_seti(j, "log_size", w->head.size) | ctm_json_sets(j, "manifest", digest);
	if (w->o->json && !rc && !ctm_json_compact(j, &b))
		printf("%s\n", ctm_buf_cstr(&b));
	else
		printf("%s: %" PRId64 " files, %" PRId64 " bytes, log of %" PRId64 " entries, keys %s\nmanifest %s\n", w->o->out, w->files, w->bytes, w->head.size,
			w->o->no_keys ? "left out: keep them elsewhere" : "sealed under the passphrase: keep it elsewhere", digest);
}

int backup_run(const struct backup_opts *o, struct ctm_err *err)
{
	struct out w = { .o = o, .manifest = CTM_BUF(BACKUP_MANIFEST_MAX), .pass = CTM_BUF(CTM_SEAL_PASS_MAX + 2), .lock = -1, .fd = -1 };
	char digest[CTM_DIGEST_MAX];
	if (!o->out || !o->passphrase == !o->no_keys)
		return ctm_fail(err, CTM_E_USAGE, o->out ? "keys" : "out", NULL, o->out ? "say what becomes of the private keys: --passphrase-file FILE, or --without-keys" :
			"--out FILE says where the backup goes");
	int rc = o->passphrase ? ctm_seal_passphrase(o->passphrase, &w.pass, err) : 0;
	rc = rc ? rc : open_out(&w, err);
	rc = rc ? rc : cut(&w, err);
	ctm_buf_str(&w.manifest, BACKUP_MANIFEST_HEAD);
	rc = rc ? rc : add_all(&w, err);
	if (!rc) {
		ctm_digest_of(w.manifest.p, w.manifest.len, digest);
		rc = header(&w, "manifest.txt", (int64_t)w.manifest.len, err);
		if (!rc && archive_write_data(w.a, w.manifest.p, w.manifest.len) != (la_ssize_t)w.manifest.len)
			rc = failed(&w, err);
	}
	rc = rc ? rc : close_out(&w, err);
	if (!rc)
		tell(&w, digest);
	archive_write_free(w.a);
	if (*w.tmp)
		unlink(w.tmp);
	if (*w.copy)
		unlink(w.copy);
	ctm_closep(&w.fd);
	ctm_closep(&w.lock);
	ctm_db_close(w.db);
	ctm_seal_wipe(&w.pass);
	ctm_buf_free(&w.manifest);
	return rc;
}

/* ---- the program ---- */

static int main_backup(int argc, char **argv)
{
	struct backup_opts o = { .state = "./var" };
	struct ctm_err err = { 0 };
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "State directory (default ./var).", &o.state, NULL },
		{ "out", "FILE", "Archive to make; refused when it is there.", &o.out, NULL },
		{ "passphrase-file", "FILE", "Seal the private keys under the first line of this file (mode 0600).", &o.passphrase, NULL },
		{ "without-keys", NULL, "Leave the private keys out.", NULL, &o.no_keys },
		{ "json", NULL, "Print {out, files, bytes, log_size, manifest}.", NULL, &o.json },
	};
	const struct ctm_cmd cmd = { "backup", "", "Put a state directory into one archive, also while the platform serves: database, files, public log, signer's journal, "
		"configuration, and the private keys sealed or not at all. Prints the manifest's digest; keep it apart from the archive.", opts, sizeof opts / sizeof *opts, 0, 0 };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, NULL, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	rc = rc ? rc : backup_run(&o, &err);
	return rc ? ctm_cli_die("backup", &err) : 0;
}

static int main_restore(int argc, char **argv)
{
	struct backup_opts o = { .state = NULL };
	struct ctm_err err = { 0 };
	const char *args[1] = { NULL };
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "Directory to restore into: new or empty.", &o.state, NULL },
		{ "passphrase-file", "FILE", "Open the private keys with the first line of this file (mode 0600).", &o.passphrase, NULL },
		{ "without-keys", NULL, "Leave the private keys in the archive.", NULL, &o.no_keys },
		{ "log-head", "FILE", "The last checkpoint the world has seen of this log (GET /log/checkpoint of the public site or a mirror); the word none where it never published one.", &o.head, NULL },
		{ "manifest-digest", "sha256:HEX", "Accept only the archive of this manifest.", &o.digest, NULL },
		{ "resume", NULL, "No archive: let a restored state sign again, after --log-head was compared.", NULL, &o.resume },
	};
	const struct ctm_cmd cmd = { "restore", "[FILE]", "Restore an archive of ctm backup into an empty directory, check every digest, run ctm fsck. The signer of the restored "
		"state signs no statement and no log head until the last published checkpoint was shown to it (--log-head, at once or later with --resume): a log that went on "
		"after the backup must not be continued from it, or two histories would carry one name.", opts, sizeof opts / sizeof *opts, 0, 1 };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	o.in = args[0];
	if (!rc && (!o.state || o.resume != !o.in))
		rc = ctm_fail(&err, CTM_E_USAGE, o.state ? "FILE" : "state", NULL, "say which archive goes where: ctm restore FILE --state DIR");
	if (!rc)
		rc = o.resume ? restore_resume(&o, &err) : restore_run(&o, &err);
	return rc ? ctm_cli_die("restore", &err) : 0;
}

int main(int argc, char **argv)
{
	bool restore = argc > 1 && ctm_streq(argv[1], "restore");
	if (!restore && (argc < 2 || !ctm_streq(argv[1], "backup"))) {
		fputs("usage: ctm-backup backup | restore     (--help tells more)\n", stderr);
		return 2;
	}
	return restore ? main_restore(argc - 1, argv + 1) : main_backup(argc - 1, argv + 1);
}
