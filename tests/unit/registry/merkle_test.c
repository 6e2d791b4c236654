/* SPDX-License-Identifier: Apache-2.0
 *
 * Merkle tree against outside vectors (transparency-dev/merkle, RFC 6962, RFC 9162), and against itself: every proof of every
 * tree up to 300 leaves is built and checked, and fails when anything about it is changed.
 */
#include "registry/merkle.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ftw.h>
#include <unistd.h>

static const char *suites(void)
{
	const char *s = getenv("CTM_SUITES");

	return s ? s : CTM_SUITES_DEFAULT;
}

/* At most 32 bytes of base64, shorter ones padded (some vectors use words as roots); false when it is anything else. */
static bool hash_of(const ctm_json *v, uint8_t out[CTM_SHA256])
{
	CTM_AUTO_BUF b = CTM_BUF(4096);
	const char *s = ctm_json_str(v);

	if (!s)
		return false;
	if (ctm_unb64(s, strlen(s), &b) || b.len == 0 || b.len > CTM_SHA256)
		return false;
	memset(out, 0, CTM_SHA256);
	memcpy(out, b.p, b.len);
	return true;
}

static int run_vector(const ctm_json *j)
{
	static uint8_t proof[256][CTM_SHA256];
	uint8_t a[CTM_SHA256], b[CTM_SHA256];
	const ctm_json *list = ctm_json_get(j, "proof");
	size_t n = ctm_json_len(list);
	bool incl = ctm_json_get(j, "leafIdx") != NULL;

	assert_true(n < 256);
	for (size_t i = 0; i < n; i++)
		if (!hash_of(ctm_json_at(list, i), proof[i]))
			return CTM_E_VERIFY;
	if (!hash_of(ctm_json_get(j, incl ? "leafHash" : "root1"), a) || !hash_of(ctm_json_get(j, incl ? "root" : "root2"), b))
		return CTM_E_VERIFY;
	if (incl)
		return ctm_merkle_check_inclusion(ctm_json_geti(j, "leafIdx", -1), ctm_json_geti(j, "treeSize", -1), a, (const uint8_t(*)[CTM_SHA256])proof, n, b);
	return ctm_merkle_check_consistency(ctm_json_geti(j, "size1", -1), ctm_json_geti(j, "size2", -1), a, b, (const uint8_t(*)[CTM_SHA256])proof, n);
}

static int vectors, wrong;

static int visit(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	CTM_AUTO_JSON *j = NULL;
	struct ctm_err err = { 0 };

	(void)st, (void)f;
	if (flag != FTW_F || !strstr(path, ".json"))
		return 0;
	vectors++;
	if (ctm_json_load(path, 1 << 20, &j, &err)) {         /* an index of 2^64-1 is no number to us: refused before the check */
		CTM_AUTO_BUF text = CTM_BUF(1 << 20);
		assert_int_equal(ctm_file_read(path, 1 << 20, &text, NULL), 0);
		assert_non_null(strstr(ctm_buf_cstr(&text), "18446744073709551615"));
		assert_non_null(strstr(ctm_buf_cstr(&text), "\"wantErr\": true"));
		return 0;
	}
	bool want = !ctm_json_getb(j, "wantErr", false);
	bool got = run_vector(j) == 0;
	if (want != got) {
		wrong++;
		print_message("%s: wanted %d, got %d\n", path, want, got);
	}
	return 0;
}

static void rfc9162_outside_vectors_all_pass(void **state)
{
	char dir[600];

	(void)state;
	snprintf(dir, sizeof dir, "%s/merkle/testdata", suites());
	if (access(dir, R_OK)) {
		print_message("skipped: outside vectors are not at %s\n", dir);
		skip();
	}
	assert_int_equal(nftw(dir, visit, 16, FTW_PHYS), 0);
	print_message("%d vectors\n", vectors);
	assert_int_equal(vectors, 196);
	assert_int_equal(wrong, 0);
}

/* A tree in memory; nodes are computed from the leaves each time. */
#define LEAVES 300
static uint8_t leaves[LEAVES][CTM_SHA256];
static int64_t tree_size;

static int mem_node(void *arg, unsigned level, int64_t index, uint8_t out[CTM_SHA256], struct ctm_err *err)
{
	uint8_t l[CTM_SHA256], r[CTM_SHA256];

	assert_true(((index + 1) << level) <= tree_size);      /* only complete subtrees are asked for */
	if (level == 0) {
		memcpy(out, leaves[index], CTM_SHA256);
		return 0;
	}
	assert_int_equal(mem_node(arg, level - 1, index * 2, l, err), 0);
	assert_int_equal(mem_node(arg, level - 1, index * 2 + 1, r, err), 0);
	ctm_merkle_node(l, r, out);
	return 0;
}

static const struct ctm_merkle_src src = { mem_node, NULL };

static void plant(void)
{
	for (int i = 0; i < LEAVES; i++)
		ctm_merkle_leaf(&i, sizeof i, leaves[i]);
}

static void rfc6962_every_proof_of_small_trees_checks_and_no_other(void **state)
{
	struct ctm_proof_path p;
	uint8_t root[CTM_SHA256], old[CTM_SHA256];

	(void)state;
	plant();
	for (int64_t n = 1; n <= 70; n++) {
		tree_size = n;
		assert_int_equal(ctm_merkle_root(&src, n, root, NULL), 0);
		for (int64_t i = 0; i < n; i++) {
			assert_int_equal(ctm_merkle_prove_inclusion(&src, i, n, &p, NULL), 0);
			assert_int_equal(ctm_merkle_check_inclusion(i, n, leaves[i], (const uint8_t(*)[32])p.h, p.n, root), 0);
			assert_int_not_equal(ctm_merkle_check_inclusion(i, n, leaves[(i + 1) % LEAVES], (const uint8_t(*)[32])p.h, p.n, root), 0);
			if (p.n) {
				assert_int_not_equal(ctm_merkle_check_inclusion(i, n, leaves[i], (const uint8_t(*)[32])p.h, p.n - 1, root), 0);
				p.h[p.n - 1][7] ^= 1;
				assert_int_not_equal(ctm_merkle_check_inclusion(i, n, leaves[i], (const uint8_t(*)[32])p.h, p.n, root), 0);
			}
		}
		for (int64_t m = 1; m <= n; m++) {
			tree_size = m;
			assert_int_equal(ctm_merkle_root(&src, m, old, NULL), 0);
			tree_size = n;
			assert_int_equal(ctm_merkle_prove_consistency(&src, m, n, &p, NULL), 0);
			assert_int_equal(ctm_merkle_check_consistency(m, n, old, root, (const uint8_t(*)[32])p.h, p.n), 0);
			old[3] ^= 1;
			assert_int_not_equal(ctm_merkle_check_consistency(m, n, old, root, (const uint8_t(*)[32])p.h, p.n), 0);
		}
	}
}

static void proofs_outside_the_tree_are_refused(void **state)
{
	struct ctm_proof_path p;
	struct ctm_err err = { 0 };
	uint8_t root[CTM_SHA256];

	(void)state;
	plant();
	tree_size = 10;
	assert_int_equal(ctm_merkle_prove_inclusion(&src, 10, 10, &p, &err), CTM_E_INPUT);
	assert_string_equal(err.field, "index");
	assert_int_equal(ctm_merkle_prove_inclusion(&src, -1, 10, &p, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_merkle_prove_consistency(&src, 0, 10, &p, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_merkle_prove_consistency(&src, 11, 10, &p, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_merkle_root(&src, 0, root, NULL), 0);
	uint8_t empty[CTM_SHA256];
	ctm_merkle_empty(empty);
	assert_memory_equal(root, empty, sizeof root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc9162_outside_vectors_all_pass),
		cmocka_unit_test(rfc6962_every_proof_of_small_trees_checks_and_no_other),
		cmocka_unit_test(proofs_outside_the_tree_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
