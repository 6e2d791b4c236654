/* SPDX-License-Identifier: Apache-2.0
 *
 * The tiled log on disk: growth over tile borders, proofs for every entry, re-verification that notices any changed file, and a
 * writer killed after each of its durable steps, which must carry on without a fork.
 */
#include "registry/log.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[256], pub[300], work[300], last[320];
static struct ctm_key *key;
static struct ctm_vkey vk;
static const char *die_at;

/* A signer as the real one judges: its last head is kept in a file, growth must be proved, another tree of a size is refused. */
static int sign(void *arg, const struct ctm_checkpoint *cp, int64_t old_size, const struct ctm_proof_path *proof, struct ctm_buf *note, struct ctm_err *err)
{
	CTM_AUTO_BUF text = CTM_BUF(1024), prev = CTM_BUF(4096);
	struct ctm_checkpoint was = { 0 };

	(void)arg;
	if (ctm_file_read(last, 4096, &prev, NULL) == 0) {
		assert_int_equal(ctm_checkpoint_verify(prev.p, prev.len, &vk, &was, NULL, NULL), 0);
		if (cp->size == was.size && memcmp(cp->root, was.root, 32))
			return ctm_fail(err, CTM_E_GUARD, "root", NULL, "fork");
		if (cp->size < was.size)
			return ctm_fail(err, CTM_E_GUARD, "size", NULL, "rollback");
		if (cp->size > was.size && (old_size != was.size || ctm_merkle_check_consistency(old_size, cp->size, was.root, cp->root, (const uint8_t(*)[32])proof->h, proof->n)))
			return ctm_fail(err, CTM_E_GUARD, "consistency", NULL, "fork");
	}
	ctm_checkpoint_write(cp, &text);
	int rc = ctm_note_sign(key, vk.name, text.p, text.len, note, err);
	return rc ? rc : ctm_file_write(last, note->p, note->len, 0600, err);
}

static void step(void *arg, const char *name)
{
	(void)arg;
	if (die_at && !strcmp(die_at, name))
		_exit(77);
}

static struct ctm_log_writer writer(void)
{
	return (struct ctm_log_writer){ .dir = pub, .work = work, .key = vk, .sign = sign, .step = step };
}

static int rm(const char *p, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(p);
}

static int setup(void **state)
{
	uint8_t raw[65];
	CTM_AUTO_BUF b = CTM_BUF(512);

	(void)state;
	snprintf(top, sizeof top, "%s/ctm-log-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	if (!mkdtemp(top))
		return -1;
	snprintf(pub, sizeof pub, "%s/public", top);
	snprintf(work, sizeof work, "%s/work", top);
	snprintf(last, sizeof last, "%s/signed", top);
	die_at = NULL;
	if (ctm_key_generate(CTM_ALG_ED25519, &key, NULL))
		return -1;
	ctm_key_raw(key, raw);
	ctm_vkey_write("log.example", raw, &b);
	return ctm_vkey_parse(ctm_buf_cstr(&b), &vk, NULL);
}

static int teardown(void **state)
{
	(void)state;
	ctm_key_freep(&key);
	return nftw(top, rm, 16, FTW_DEPTH | FTW_PHYS);
}

static int add(const char *text, int64_t *index)
{
	struct ctm_log_writer w = writer();
	struct ctm_log_entry e = { text, strlen(text) };
	struct ctm_err err = { 0 };
	int rc = ctm_log_append(&w, &e, 1, index, &err);

	if (rc)
		print_message("append: %s %s\n", err.field, err.msg);
	return rc;
}

static void add_many(int from, int n)
{
	struct ctm_log_writer w = writer();
	struct ctm_log_entry e[CTM_LOG_BATCH];
	char text[CTM_LOG_BATCH][16];
	int64_t index[CTM_LOG_BATCH];

	for (int i = 0; i < n; i++) {
		snprintf(text[i], sizeof text[i], "entry %d", from + i);
		e[i] = (struct ctm_log_entry){ text[i], strlen(text[i]) };
	}
	assert_int_equal(ctm_log_append(&w, e, (size_t)n, index, NULL), 0);
	for (int i = 0; i < n; i++)
		assert_int_equal(index[i], from + i);
}

static void check_good(int64_t want)
{
	CTM_AUTO_LOG *l = NULL;
	struct ctm_log_report r;
	struct ctm_err err = { 0 };

	assert_int_equal(ctm_log_open(pub, &vk, &l, &err), 0);
	assert_int_equal(ctm_log_head(l)->size, want);
	if (ctm_log_check(l, NULL, NULL, &r, &err))
		fail_msg("%s: %s", err.field, err.msg);
	assert_int_equal(r.entries, want);
}

static void an_empty_directory_is_an_empty_log(void **state)
{
	CTM_AUTO_LOG *l = NULL;
	CTM_AUTO_BUF b = CTM_BUF(100);

	(void)state;
	assert_int_equal(ctm_log_open(pub, &vk, &l, NULL), 0);
	assert_int_equal(ctm_log_head(l)->size, 0);
	assert_int_equal(ctm_log_entry(l, 0, &b, NULL), CTM_E_NOTFOUND);
}

static void growth_over_tile_borders_keeps_every_entry_provable(void **state)
{
	static const int sizes[] = { 1, 2, 250, 3, 1, 255, 256, 256, 1, 75 };
	int n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; n += sizes[i++])
		add_many(n, sizes[i]);
	check_good(n);
	CTM_AUTO_LOG *l = NULL;
	assert_int_equal(ctm_log_open(pub, &vk, &l, NULL), 0);
	for (int i = 0; i < n; i++) {
		CTM_AUTO_BUF b = CTM_BUF(100);
		struct ctm_proof_path p;
		uint8_t leaf[32];
		char want[32];
		snprintf(want, sizeof want, "entry %d", i);
		assert_int_equal(ctm_log_entry(l, i, &b, NULL), 0);
		assert_string_equal(ctm_buf_cstr(&b), want);
		ctm_merkle_leaf(b.p, b.len, leaf);
		assert_int_equal(ctm_log_prove(l, i, &p, NULL), 0);
		assert_int_equal(ctm_merkle_check_inclusion(i, n, leaf, (const uint8_t(*)[32])p.h, p.n, ctm_log_head(l)->root), 0);
	}
	char path[400];
	snprintf(path, sizeof path, "%s/tile/0/000.p", pub);
	assert_int_not_equal(access(path, F_OK), 0);        /* partial tiles of full ones are pruned */
	snprintf(path, sizeof path, "%s/tile/1/000.p/4", pub);
	assert_int_equal(access(path, F_OK), 0);
}

static void the_same_entry_is_logged_once(void **state)
{
	int64_t a, b, c;

	(void)state;
	assert_int_equal(add("one", &a), 0);
	assert_int_equal(add("two", &b), 0);
	assert_int_equal(add("one", &c), 0);
	assert_int_equal(a, 0);
	assert_int_equal(b, 1);
	assert_int_equal(c, 0);
	check_good(2);
}

static void a_crash_after_any_step_resumes_without_a_fork(void **state)
{
	static const char *const steps[] = { "pending", "tiles", "signed", "checkpoint", "done" };
	int64_t index, n = 0;

	(void)state;
	add_many(0, 254);
	n = 254;
	for (int round = 0; round < 2; round++)               /* around the border of a tile */
		for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
			char mine[32], other[32];
			snprintf(mine, sizeof mine, "crash %d %s", round, steps[i]);
			snprintf(other, sizeof other, "after %d %s", round, steps[i]);
			pid_t pid = fork();
			if (pid == 0) {
				die_at = steps[i];
				(void)add(mine, &index);
				_exit(0);
			}
			int st;
			assert_int_equal(waitpid(pid, &st, 0), pid);
			assert_int_equal(WEXITSTATUS(st), 77);
			assert_int_equal(add(other, &index), 0);        /* somebody else comes first */
			assert_int_equal(index, n + 1);
			assert_int_equal(add(mine, &index), 0);         /* and the job tries again */
			assert_int_equal(index, n);
			n += 2;
			check_good(n);
		}
}

static void a_signer_that_refuses_leaves_the_entry_pending(void **state)
{
	struct ctm_log_writer w = writer();
	struct ctm_log_entry e = { "x", 1 };
	int64_t index = -5;
	struct ctm_err err = { 0 };

	(void)state;
	add_many(0, 3);
	CTM_AUTO_BUF keep = CTM_BUF(4096);
	assert_int_equal(ctm_file_read(last, 4096, &keep, NULL), 0);
	struct ctm_checkpoint far = { .origin = "log.example", .size = 100 };
	CTM_AUTO_BUF t = CTM_BUF(512), note = CTM_BUF(1024);
	ctm_checkpoint_write(&far, &t);
	assert_int_equal(ctm_note_sign(key, vk.name, t.p, t.len, &note, NULL), 0);
	assert_int_equal(ctm_file_write(last, note.p, note.len, 0600, NULL), 0);
	assert_int_equal(ctm_log_append(&w, &e, 1, &index, &err), CTM_E_GUARD);
	assert_int_equal(index, -5);
	check_good(3);
	assert_int_equal(ctm_file_write(last, keep.p, keep.len, 0600, NULL), 0);
	assert_int_equal(ctm_log_append(&w, NULL, 0, NULL, NULL), 0);     /* finish what was left */
	check_good(4);
}

static void a_second_writer_is_told_to_wait(void **state)
{
	char path[400];
	int64_t index;

	(void)state;
	assert_int_equal(ctm_mkdirs(work, 0700, NULL), 0);
	snprintf(path, sizeof path, "%s/lock", work);
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	struct ctm_log_writer w = writer();
	struct ctm_log_entry e = { "x", 1 };
	assert_int_equal(ctm_log_append(&w, &e, 1, &index, NULL), CTM_E_BUSY);
	close(fd);
	assert_int_equal(ctm_log_append(&w, &e, 1, &index, NULL), 0);
}

static void entries_outside_their_size_are_refused(void **state)
{
	static char big[CTM_ENTRY_MAX + 1];
	struct ctm_log_writer w = writer();
	struct ctm_log_entry e = { big, sizeof big };
	int64_t index;

	(void)state;
	assert_int_equal(ctm_log_append(&w, &e, 1, &index, NULL), CTM_E_INPUT);
	e.n = 0;
	assert_int_equal(ctm_log_append(&w, &e, 1, &index, NULL), CTM_E_INPUT);
	e.n = CTM_ENTRY_MAX;
	assert_int_equal(ctm_log_append(&w, &e, 1, &index, NULL), 0);
	check_good(1);
}

static const char *spoil_skip;
static int spoiled, noticed;

static int spoil(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	struct ctm_log_report r;

	(void)f;
	if (flag != FTW_F || st->st_size == 0 || (spoil_skip && strstr(path, spoil_skip)))
		return 0;
	assert_int_equal(ctm_file_read(path, 1 << 20, &b, NULL), 0);
	size_t at = b.len / 2;
	b.p[at] = (char)(b.p[at] ^ 0x20);
	assert_int_equal(ctm_file_write(path, b.p, b.len, 0644, NULL), 0);
	CTM_AUTO_LOG *l = NULL;
	spoiled++;
	if (ctm_log_open(pub, &vk, &l, NULL) || ctm_log_check(l, NULL, NULL, &r, NULL))
		noticed++;
	else
		print_message("not noticed: %s\n", path);
	b.p[at] = (char)(b.p[at] ^ 0x20);
	assert_int_equal(ctm_file_write(path, b.p, b.len, 0644, NULL), 0);
	return 0;
}

static void the_full_check_notices_any_changed_file_of_the_tree(void **state)
{
	(void)state;
	add_many(0, 256);
	add_many(256, 256);
	add_many(512, 40);
	spoiled = noticed = 0;
	spoil_skip = "tile/1/000.p/1";     /* of an older head: no part of this tree */
	assert_int_equal(nftw(pub, spoil, 16, FTW_PHYS), 0);
	assert_int_equal(spoiled, 8);      /* checkpoint, 3 tiles and 1 parent, 3 bundles */
	assert_int_equal(noticed, spoiled);
	check_good(552);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_empty_directory_is_an_empty_log),
		T(growth_over_tile_borders_keeps_every_entry_provable),
		T(the_same_entry_is_logged_once),
		T(a_crash_after_any_step_resumes_without_a_fork),
		T(a_signer_that_refuses_leaves_the_entry_pending),
		T(a_second_writer_is_told_to_wait),
		T(entries_outside_their_size_are_refused),
		T(the_full_check_notices_any_changed_file_of_the_tree),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
