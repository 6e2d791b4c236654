/* SPDX-License-Identifier: Apache-2.0
 *
 * Identifiers, files, helper programs and the command line, against the real kernel.
 */
#include "harness.h"
#include "base/cli.h"
#include "base/file.h"
#include "base/id.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include <sys/stat.h>

/* RFC 9562 section 5.7 */
static void uuids_are_version_7_and_sort(void **state)
{
	char last[CTM_UUID_MAX] = "", u[CTM_UUID_MAX];
	for (int i = 0; i < 50; i++) {
		ctm_uuid7(u);
		assert_true(ctm_uuid_ok(u));
		assert_int_equal(u[14], '7');
		assert_non_null(strchr("89ab", u[19]));
		usleep(2);
		assert_true(strncmp(u, last, 18) >= 0);
		assert_string_not_equal(u, last);
		memcpy(last, u, sizeof u);
	}
	setenv("CTM_TIME_SHIFT_MS", "-86400000", 1);         /* the clock is set back; builds without movable time just go on */
	for (int i = 0; i < 5000; i++) {
		ctm_uuid7(u);
		assert_true(strncmp(u, last, 18) > 0);
		memcpy(last, u, sizeof u);
	}
	unsetenv("CTM_TIME_SHIFT_MS");
	assert_false(ctm_uuid_ok(NULL));
	assert_false(ctm_uuid_ok(""));
	assert_false(ctm_uuid_ok("0190163D-8694-739b-aea5-966c26f8ad91"));
	assert_false(ctm_uuid_ok("0190163d-8694-739b-aea5-966c26f8ad910"));
	assert_true(ctm_uuid_ok("0190163d-8694-739b-aea5-966c26f8ad91"));
}

static void public_ids_show_any_wrong_character(void **state)
{
	static const char abc[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char id[CTM_PUBID_MAX];
	for (int i = 0; i < 200; i++) {
		ctm_pubid(id);
		assert_true(ctm_pubid_ok(id));
		for (size_t at = 0; at < 11; at++) {
			char was = id[at];
			for (const char *c = abc; *c; c++) {
				id[at] = *c;
				assert_int_equal(ctm_pubid_ok(id), *c == was);
			}
			id[at] = was;
		}
		if (id[3] != id[4]) {                  /* and two neighbours exchanged */
			char c = id[3];
			id[3] = id[4];
			id[4] = c;
			assert_false(ctm_pubid_ok(id));
		}
	}
	assert_false(ctm_pubid_ok("abcdefghjkm"));
	assert_false(ctm_pubid_ok("0000000000"));
	assert_false(ctm_pubid_ok(NULL));
	char token[CTM_TOKEN_MAX], other[CTM_TOKEN_MAX];
	ctm_token(token);
	ctm_token(other);
	assert_int_equal(strlen(token), 43);
	assert_string_not_equal(token, other);
}

static void files_are_written_whole_and_read_bounded(void **state)
{
	char path[200], link_path[200];
	struct stat st;
	struct ctm_err e = { 0 };
	snprintf(path, sizeof path, "%s/a", (char *)*state);
	snprintf(link_path, sizeof link_path, "%s/l", (char *)*state);
	assert_int_equal(ctm_file_write(path, "one", 3, 0640, NULL), 0);
	assert_int_equal(ctm_file_write(path, "second", 6, 0600, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	CTM_AUTO_BUF b = CTM_BUF(0);
	assert_int_equal(ctm_file_read(path, 6, &b, NULL), 0);
	assert_string_equal(ctm_buf_cstr(&b), "second");
	CTM_AUTO_BUF c = CTM_BUF(0);
	assert_int_equal(ctm_file_read(path, 5, &c, &e), CTM_E_TOOBIG);
	assert_int_equal(c.len, 0);
	assert_int_equal(symlink("a", link_path), 0);
	assert_int_equal(ctm_file_read(link_path, 100, &c, NULL), CTM_E_IO);
	assert_int_equal(ctm_file_read_link(link_path, 100, &c, NULL), 0);
	assert_int_equal(ctm_file_read(*state, 100, &c, NULL), CTM_E_IO);
	snprintf(path, sizeof path, "%s/none/x", (char *)*state);
	assert_int_equal(ctm_file_read(path, 100, &c, NULL), CTM_E_NOTFOUND);
	assert_int_equal(ctm_file_write(path, "x", 1, 0600, NULL), CTM_E_IO);
	snprintf(path, sizeof path, "%s/fifo", (char *)*state);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(ctm_file_read(path, 100, &c, NULL), CTM_E_IO);    /* and does not hang */
	snprintf(path, sizeof path, "%s/d/e/f", (char *)*state);
	assert_int_equal(ctm_mkdirs(path, 0700, NULL), 0);
	assert_int_equal(ctm_mkdirs(path, 0700, NULL), 0);
	snprintf(path, sizeof path, "%s/a/x", (char *)*state);
	assert_int_equal(ctm_mkdirs(path, 0700, NULL), CTM_E_IO);
}

static void a_lock_is_held_once(void **state)
{
	char path[200];
	int fd = -1, other = -1;
	snprintf(path, sizeof path, "%s/lock", (char *)*state);
	assert_int_equal(ctm_file_lock(path, &fd, NULL), 0);
	assert_int_equal(ctm_file_lock(path, &other, NULL), CTM_E_BUSY);
	assert_int_equal(other, -1);
	ctm_closep(&fd);
	assert_int_equal(ctm_file_lock(path, &other, NULL), 0);
	ctm_closep(&other);
}

static void paths_that_leave_are_seen(void **state)
{
	static const char *const bad[] = { "", "/a", "a/", "a//b", ".", "..", "a/../b", "./a", "a/.", "a\\b", "../a", "a/.." };
	static const char *const good[] = { "a", "a/b", "a.b", "...", "..a", "a/.b" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(ctm_path_safe(bad[i]));
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(ctm_path_safe(good[i]));
	assert_false(ctm_path_safe(NULL));
}

static int sh(const char *script, const void *in, size_t n, int timeout_ms, struct ctm_buf *out, struct ctm_buf *errs, int *status)
{
	const char *argv[] = { "sh", "-c", script, NULL };
	const char *env[] = { "EXTRA=yes", NULL };
	struct ctm_proc p = { .argv = argv, .env = env, .cwd = "/", .in = in, .in_len = n, .timeout_ms = timeout_ms };
	return ctm_proc_run(&p, out, errs, status, NULL);
}

static void helpers_get_input_and_give_both_outputs(void **state)
{
	size_t n = 300000;
	char *big = malloc(n);
	memset(big, 'x', n);
	CTM_AUTO_BUF out = CTM_BUF(1 << 20);
	CTM_AUTO_BUF errs = CTM_BUF(10);
	int status = -1;
	assert_int_equal(sh("cat; echo to the other side >&2; exit 7", big, n, 20000, &out, &errs, &status), 0);
	assert_int_equal(status, 7);
	assert_int_equal(out.len, n);
	assert_string_equal(ctm_buf_cstr(&errs), "to the oth");            /* cut, not failed */
	free(big);
	ctm_buf_reset(&out);
	assert_int_equal(sh("wc -c; kill -TERM $$", NULL, 0, 20000, &out, NULL, &status), 0);
	assert_int_equal(status, 128 + 15);
	assert_int_equal(atoll(ctm_buf_cstr(&out)), 0);
}

static void helpers_see_a_small_environment_and_no_descriptors(void **state)
{
	CTM_AUTO_BUF out = CTM_BUF(1 << 16);
	int status;
	setenv("CTM_SECRET", "must not pass", 1);
	int leak = dup(0);
	assert_int_equal(sh("env; echo fds $(ls /proc/self/fd | wc -l); pwd", NULL, 0, 20000, &out, NULL, &status), 0);
	close(leak);
	unsetenv("CTM_SECRET");
	assert_null(strstr(ctm_buf_cstr(&out), "CTM_SECRET"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "EXTRA=yes\n"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "fds 4\n"));            /* 0, 1, 2 and the listing's own */
	assert_non_null(strstr(ctm_buf_cstr(&out), "\n/\n"));
}

static void helpers_that_misbehave_are_stopped(void **state)
{
	CTM_AUTO_BUF out = CTM_BUF(1000);
	int status = 55;
	int64_t from = ctm_mono_us();
	assert_int_equal(sh("sleep 60 & sleep 60", NULL, 0, 200, &out, NULL, &status), CTM_E_TIMEOUT);
	assert_true(ctm_mono_us() - from < 10000000);
	assert_int_equal(sh("yes", NULL, 0, 20000, &out, NULL, &status), CTM_E_TOOBIG);
	assert_int_equal(status, 55);
	ctm_buf_reset(&out);
	from = ctm_mono_us();
	assert_int_equal(sh("sleep 60 & echo early", NULL, 0, 20000, &out, NULL, &status), 0);   /* a grandchild keeps the pipe open */
	assert_true(ctm_mono_us() - from < 10000000);
	assert_string_equal(ctm_buf_cstr(&out), "early\n");
	const char *argv[] = { "no-such-program-here", NULL };
	struct ctm_proc p = { .argv = argv, .timeout_ms = 1000 };
	assert_int_equal(ctm_proc_run(&p, &out, NULL, &status, NULL), CTM_E_NOTFOUND);
}

static void siblings_are_found_beside_the_program(void **state)
{
	char self[4096], path[4096], mine[4096];
	assert_int_equal(ctm_self_dir(self, sizeof self), 0);
	assert_int_equal(ctm_sibling("test_base_os", path, sizeof path, NULL), 0);
	snprintf(mine, sizeof mine, "%.4000s/test_base_os", self);
	assert_string_equal(path, mine);
	assert_int_equal(ctm_sibling("ctm-no-such", path, sizeof path, NULL), CTM_E_NOTFOUND);
	assert_int_equal(ctm_sibling("../bin/sh", path, sizeof path, NULL), CTM_E_NOTFOUND);
}

static void command_lines(void **state)
{
	const char *out = NULL, *args[2];
	bool json = false, helped = false;
	int n = -1;
	const struct ctm_opt opts[] = { { "out", "FILE", "where to write", &out, NULL }, { "json", NULL, "machine output", NULL, &json } };
	const struct ctm_cmd c = { "lab run", "BUNDLE [MORE]", "Runs.", opts, 2, 1, 2 };
	const char *good[] = { "x", "--out=a b", "one", "--json", "--", "--two" };
	assert_int_equal(ctm_cli_parse(&c, 6, (char **)(uintptr_t)good, args, &n, &helped, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(out, "a b");
	assert_string_equal(args[1], "--two");
	assert_true(json);
	static const struct { const char *argv[4]; int argc; const char *part; } bad[] = {
		{ { "x", "--nope" }, 2, "there is no option --nope" }, { { "x", "-o", "f" }, 3, "there is no option -o" },
		{ { "x", "a", "--out" }, 3, "--out needs FILE" }, { { "x", "--json=1", "a" }, 3, "takes no value" }, { { "x" }, 1, "usage: ctm lab run" },
		{ { "x", "a", "b", "c" }, 4, "one argument too many" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ctm_err e = { 0 };
		assert_int_equal(ctm_cli_parse(&c, bad[i].argc, (char **)(uintptr_t)bad[i].argv, args, &n, &helped, &e), CTM_E_USAGE);
		assert_non_null(strstr(e.msg, bad[i].part));
	}
	FILE *f = tmpfile();
	char text[2000];
	ctm_cli_help(&c, f);
	rewind(f);
	text[fread(text, 1, sizeof text - 1, f)] = 0;
	fclose(f);
	assert_non_null(strstr(text, "usage: ctm lab run [options] BUNDLE [MORE]\n"));
	assert_non_null(strstr(text, "  --out FILE  where to write\n  --json      machine output\n  --help      show this text\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuids_are_version_7_and_sort), cmocka_unit_test(public_ids_show_any_wrong_character),
		cmocka_unit_test(files_are_written_whole_and_read_bounded), cmocka_unit_test(paths_that_leave_are_seen), cmocka_unit_test(a_lock_is_held_once),
		cmocka_unit_test(helpers_get_input_and_give_both_outputs), cmocka_unit_test(helpers_see_a_small_environment_and_no_descriptors),
		cmocka_unit_test(helpers_that_misbehave_are_stopped), cmocka_unit_test(siblings_are_found_beside_the_program),
		cmocka_unit_test(command_lines),
	};
	return cmocka_run_group_tests(tests, scratch_new, scratch_gone);
}
