/* SPDX-License-Identifier: Apache-2.0
 *
 * Journal. After a failed write nothing may follow in the same place, so the descriptor is closed for good: every later call
 * answers IO until the signer is started again and has looked at the file afresh.
 */
#include "registry/signer_journal.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NO_PREV "sha256:0000000000000000000000000000000000000000000000000000000000000000"

static int line_hash(const ctm_json *line, char out[CTM_DIGEST_MAX], struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_JOURNAL_LINE_MAX);
	CTM_AUTO_JSON *copy = ctm_json_copy(line);

	if (!copy)
		return ctm_fail(err, CTM_E_NOMEM, "journal", NULL, "out of memory");
	(void)ctm_json_del(copy, "hash");
	int rc = ctm_json_canonical(copy, &b);
	if (rc)
		return ctm_fail(err, rc, "journal", NULL, "The journal line is too long or not canonical.");
	ctm_digest_of(b.p, b.len, out);
	return 0;
}

static int check_line(struct ctm_journal *j, const char *p, size_t n, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *line = NULL;
	char hash[CTM_DIGEST_MAX];
	int rc = ctm_json_parse(p, n, CTM_JOURNAL_LINE_MAX, "signer.journal", &line, NULL);

	if (rc || (rc = line_hash(line, hash, NULL)) || ctm_json_geti(line, "seq", -1) != j->seq + 1 || !ctm_streq(ctm_json_gets(line, "prev"), j->head) ||
	    !ctm_streq(ctm_json_gets(line, "hash"), hash))
		return ctm_fail(err, CTM_E_VERIFY, "signer.journal", NULL,
			"Line %lld of signer.journal does not continue the chain: it was changed, or lines are missing. Restore it from a backup; nothing is signed before.",
			(long long)j->seq + 1);
	j->seq++;
	ctm_copy(j->head, sizeof j->head, hash);
	*out = line;
	line = NULL;
	return 0;
}

/* Lines of the whole file in bounded memory. *good is the offset after the last whole line. */
static int read_lines(struct ctm_journal *j, FILE *f, int (*replay)(void *arg, const ctm_json *line, struct ctm_err *err), void *arg, off_t *good, struct ctm_err *err)
{
	char *text = malloc(CTM_JOURNAL_LINE_MAX + 2);
	int rc = 0;

	if (!text)
		return ctm_fail(err, CTM_E_NOMEM, "journal", NULL, "out of memory");
	while (!rc && fgets(text, CTM_JOURNAL_LINE_MAX + 2, f)) {
		CTM_AUTO_JSON *line = NULL;
		size_t n = strlen(text);
		if (n == 0 || text[n - 1] != '\n') {
			if (!feof(f))
				rc = ctm_fail(err, CTM_E_VERIFY, "signer.journal", NULL, "Line %lld of signer.journal is too long or holds a NUL byte.", (long long)j->seq + 1);
			break;
		}
		rc = check_line(j, text, n - 1, &line, err);
		if (!rc && replay)
			rc = replay(arg, line, err);
		*good += (off_t)n;
	}
	if (!rc && ferror(f))
		rc = ctm_fail(err, CTM_E_IO, "signer.journal", NULL, "signer.journal cannot be read.");
	free(text);
	return rc;
}

int ctm_journal_open(const char *path, int (*replay)(void *arg, const ctm_json *line, struct ctm_err *err), void *arg,
	struct ctm_journal *out, struct ctm_err *err)
{
	struct ctm_journal j = { .fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600) };
	off_t good = 0;

	if (j.fd < 0)
		return ctm_fail(err, CTM_E_IO, "signer.journal", NULL, "%s cannot be opened: %s", path, strerror(errno));
	ctm_copy(j.head, sizeof j.head, NO_PREV);
	int dup_fd = dup(j.fd);
	FILE *f = dup_fd < 0 ? NULL : fdopen(dup_fd, "r");
	if (!f) {
		if (dup_fd >= 0)
			close(dup_fd);
		close(j.fd);
		return ctm_fail(err, CTM_E_NOMEM, "journal", NULL, "out of memory");
	}
	rewind(f);
	int rc = read_lines(&j, f, replay, arg, &good, err);
	fclose(f);
	struct stat st;
	if (!rc && (fstat(j.fd, &st) || (st.st_size != good && ftruncate(j.fd, good)) || fsync(j.fd)))
		rc = ctm_fail(err, CTM_E_IO, "signer.journal", NULL, "%s cannot be written: %s", path, strerror(errno));
	if (rc) {
		close(j.fd);
		return rc;
	}
	*out = j;
	return 0;
}

int ctm_journal_add(struct ctm_journal *j, int64_t now_ms, ctm_json *line, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_JOURNAL_LINE_MAX);
	char at[CTM_RFC3339_MAX], hash[CTM_DIGEST_MAX];
	int rc;

	if (j->fd < 0)
		return ctm_fail(err, CTM_E_IO, "signer.journal", NULL, "The journal failed before; start the signer again.");
	ctm_time_rfc3339(now_ms, at);
	if ((rc = ctm_json_sets(line, "at", at)) || (rc = ctm_json_seti(line, "seq", j->seq + 1)) || (rc = ctm_json_sets(line, "prev", j->head)))
		return ctm_fail(err, rc, "signer.journal", NULL, "The journal line cannot be made.");
	if ((rc = line_hash(line, hash, err)))
		return rc;
	if ((rc = ctm_json_sets(line, "hash", hash)) || (rc = ctm_json_canonical(line, &b)))
		return ctm_fail(err, rc, "signer.journal", NULL, "The journal line cannot be made.");
	ctm_buf_chr(&b, '\n');
	if ((rc = ctm_buf_err(&b, "signer.journal", err)))
		return rc;
	if (ctm_fd_write(j->fd, b.p, b.len) || fdatasync(j->fd)) {
		rc = ctm_fail(err, CTM_E_IO, "signer.journal", NULL, "The journal cannot be written: %s. Nothing was signed.", strerror(errno));
		close(j->fd);
		j->fd = -1;
		return rc;
	}
	j->seq++;
	ctm_copy(j->head, sizeof j->head, hash);
	return 0;
}

void ctm_journal_close(struct ctm_journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}
