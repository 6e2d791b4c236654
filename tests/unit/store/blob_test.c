/* SPDX-License-Identifier: Apache-2.0
 *
 * Blobs: one file per content, limits while streaming, nothing left of what was dropped, damage found and healed.
 */
#include "../base/harness.h"
#include "base/file.h"
#include "base/text.h"
#include "store/blob.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/stat.h>

static int nbad;
static char last[600];

static void bad(const char *name, const char *why, void *arg)
{
	nbad++;
	snprintf(last, sizeof last, "%s: %s", name, why);
}

static int64_t fsck(struct ctm_blobs *b)
{
	int64_t n = -1;
	nbad = 0;
	assert_int_equal(ctm_blobs_fsck(b, bad, NULL, &n, NULL), 0);
	return n;
}

static struct ctm_blobs *at(void **state, const char *name)
{
	char dir[300];
	struct ctm_blobs *b = NULL;
	snprintf(dir, sizeof dir, "%s/%s", (char *)*state, name);
	assert_int_equal(ctm_blobs_open(dir, &b, NULL), 0);
	return b;
}

static void content_goes_in_once_and_comes_back(void **state)
{
	struct ctm_blobs *b = at(state, "one");
	char d1[CTM_DIGEST_MAX], d2[CTM_DIGEST_MAX], path[400];
	struct stat st;
	CTM_AUTO_BUF out = CTM_BUF(0);
	assert_int_equal(ctm_blob_put(b, "abc", 3, d1, NULL), 0);
	assert_int_equal(ctm_blob_put(b, "abc", 3, d2, NULL), 0);
	assert_string_equal(d1, d2);
	assert_true(fsck(b) == 1 && nbad == 0);
	assert_int_equal(ctm_blob_get(b, d1, 3, &out, NULL), 0);
	assert_string_equal(ctm_buf_cstr(&out), "abc");
	assert_int_equal(ctm_blob_path(b, d1, path, sizeof path), 0);
	assert_non_null(strstr(path, "/ba/7816bf8f01"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0400);
	assert_int_equal(ctm_blob_put(b, NULL, 0, d1, NULL), 0);
	CTM_AUTO_BUF empty = CTM_BUF(0);
	assert_int_equal(ctm_blob_get(b, d1, 10, &empty, NULL), 0);
	assert_int_equal(empty.len, 0);
	CTM_AUTO_BUF small = CTM_BUF(0);
	assert_int_equal(ctm_blob_get(b, d2, 2, &small, NULL), CTM_E_TOOBIG);
	d2[20] = d2[20] == 'a' ? 'b' : 'a';
	assert_int_equal(ctm_blob_get(b, d2, 10, &small, NULL), CTM_E_NOTFOUND);
	assert_int_equal(ctm_blob_get(b, "../../etc/passwd", 10, &small, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_blob_path(b, d1, path, 20), CTM_E_TOOBIG);
	ctm_blobs_close(b);
}

static void streams_are_bounded_and_dropped_whole(void **state)
{
	struct ctm_blobs *b = at(state, "stream");
	struct ctm_blobw *w;
	char d[CTM_DIGEST_MAX];
	int64_t size = 0;
	assert_int_equal(ctm_blobw_new(b, 10, &w, NULL), 0);
	assert_int_equal(ctm_blobw_add(w, "12345", 5, NULL), 0);
	assert_int_equal(ctm_blobw_add(w, "123456", 6, NULL), CTM_E_TOOBIG);
	ctm_blobw_drop(w);
	assert_int_equal(ctm_blobw_new(b, 10, &w, NULL), 0);
	ctm_blobw_drop(w);
	assert_true(fsck(b) == 0 && nbad == 0);
	assert_int_equal(ctm_blobw_new(b, 10, &w, NULL), 0);
	assert_int_equal(ctm_blobw_add(w, "12345", 5, NULL), 0);
	assert_int_equal(ctm_blobw_add(w, "67890", 5, NULL), 0);
	assert_int_equal(ctm_blobw_end(w, d, &size, NULL), 0);
	assert_true(size == 10);
	assert_string_equal(d, "sha256:c775e7b757ede630cd0aa1113bd102661ab38829ca52a6422ab782862f268646");
	ctm_blobw_drop(NULL);
	ctm_blobs_close(b);
}

static void damage_is_found_and_a_short_file_is_replaced(void **state)
{
	struct ctm_blobs *b = at(state, "damage");
	char d[CTM_DIGEST_MAX], path[400], stray[400];
	assert_int_equal(ctm_blob_put(b, "abcdef", 6, d, NULL), 0);
	assert_int_equal(ctm_blob_path(b, d, path, sizeof path), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ctm_file_write(path, "abcdeX", 6, 0400, NULL), 0);
	assert_true(fsck(b) == 1 && nbad == 1);
	assert_non_null(strstr(last, "does not have the digest"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ctm_file_write(path, "abc", 3, 0400, NULL), 0);
	assert_int_equal(ctm_blob_put(b, "abcdef", 6, d, NULL), 0);
	assert_true(fsck(b) == 1 && nbad == 0);
	snprintf(stray, sizeof stray, "%s/damage/new-0011", (char *)*state);
	assert_int_equal(ctm_file_write(stray, "x", 1, 0400, NULL), 0);
	(void)fsck(b);
	assert_int_equal(nbad, 0);   /* cut off a moment ago, as by kill -9, or still going on */
	assert_int_equal(utimensat(AT_FDCWD, stray, (struct timespec[2]){ { .tv_sec = 1 }, { .tv_sec = 1 } }, 0), 0);
	(void)fsck(b);
	assert_int_equal(nbad, 1);
	assert_non_null(strstr(last, "left over"));
	ctm_blobs_close(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_goes_in_once_and_comes_back), cmocka_unit_test(streams_are_bounded_and_dropped_whole),
		cmocka_unit_test(damage_is_found_and_a_short_file_is_replaced),
	};
	return cmocka_run_group_tests(tests, scratch_new, scratch_gone);
}
