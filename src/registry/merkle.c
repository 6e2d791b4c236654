/* SPDX-License-Identifier: Apache-2.0
 *
 * Merkle tree. The two checks are the iterative forms of RFC 9162 2.1.3.2 and 2.1.4.2; the builders follow the recursive
 * definitions of RFC 6962 2.1, where a range that is a complete subtree is one callback. The depth of recursion is the height of the
 * tree, at most 62.
 */
#include "registry/merkle.h"
#include <string.h>

void ctm_merkle_leaf(const void *entry, size_t n, uint8_t out[CTM_SHA256])
{
	struct ctm_sha256 *h = ctm_sha256_new();

	ctm_sha256_add(h, "\x00", 1);
	ctm_sha256_add(h, entry, n);
	ctm_sha256_end(h, out);
}

void ctm_merkle_node(const uint8_t l[CTM_SHA256], const uint8_t r[CTM_SHA256], uint8_t out[CTM_SHA256])
{
	uint8_t b[1 + 2 * CTM_SHA256];

	b[0] = 1;
	memcpy(b + 1, l, CTM_SHA256);
	memcpy(b + 1 + CTM_SHA256, r, CTM_SHA256);
	ctm_sha256(b, sizeof b, out);
}

void ctm_merkle_empty(uint8_t out[CTM_SHA256])
{
	ctm_sha256("", 0, out);
}

int ctm_merkle_check_inclusion(int64_t index, int64_t size, const uint8_t leaf[CTM_SHA256],
	const uint8_t (*proof)[CTM_SHA256], size_t n, const uint8_t root[CTM_SHA256])
{
	uint8_t r[CTM_SHA256];

	if (index < 0 || size < 1 || size > CTM_TREE_MAX || index >= size || n > CTM_PROOF_MAX)
		return CTM_E_VERIFY;
	int64_t fn = index, sn = size - 1;
	memcpy(r, leaf, sizeof r);
	for (size_t i = 0; i < n; i++) {
		if (sn == 0)
			return CTM_E_VERIFY;
		if ((fn & 1) || fn == sn) {
			ctm_merkle_node(proof[i], r, r);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			ctm_merkle_node(r, proof[i], r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(r, root, sizeof r) == 0 ? 0 : CTM_E_VERIFY;
}

int ctm_merkle_check_consistency(int64_t old_size, int64_t size, const uint8_t old_root[CTM_SHA256],
	const uint8_t root[CTM_SHA256], const uint8_t (*proof)[CTM_SHA256], size_t n)
{
	uint8_t fr[CTM_SHA256], sr[CTM_SHA256];
	size_t i = 0;

	if (old_size < 1 || size > CTM_TREE_MAX || old_size > size || n > CTM_PROOF_MAX)
		return CTM_E_VERIFY;
	if (old_size == size)
		return n == 0 && memcmp(old_root, root, sizeof fr) == 0 ? 0 : CTM_E_VERIFY;
	if (n == 0)
		return CTM_E_VERIFY;
	int64_t fn = old_size - 1, sn = size - 1;
	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	/* An old tree that is one complete subtree is its own first hash; the proof then leaves it out. */
	memcpy(fr, fn == 0 ? old_root : proof[i++], sizeof fr);
	memcpy(sr, fr, sizeof sr);
	for (; i < n; i++) {
		if (sn == 0)
			return CTM_E_VERIFY;
		if ((fn & 1) || fn == sn) {
			ctm_merkle_node(proof[i], fr, fr);
			ctm_merkle_node(proof[i], sr, sr);
			while (!(fn & 1) && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			ctm_merkle_node(sr, proof[i], sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(fr, old_root, sizeof fr) == 0 && memcmp(sr, root, sizeof sr) == 0 ? 0 : CTM_E_VERIFY;
}

/* Largest power of two below n (n >= 2), as an exponent. */
static unsigned split(int64_t n)
{
	unsigned k = 0;

	while ((INT64_C(2) << k) < n)
		k++;
	return k;
}

/* Hash of the leaves [lo, lo + n). lo is a multiple of the power of two that the callers split by. */
static int range(const struct ctm_merkle_src *s, int64_t lo, int64_t n, uint8_t out[CTM_SHA256], struct ctm_err *err)
{
	uint8_t l[CTM_SHA256], r[CTM_SHA256];
	int rc;

	if ((n & (n - 1)) == 0) {
		unsigned level = 0;
		while ((INT64_C(1) << level) < n)
			level++;
		return s->node(s->arg, level, lo >> level, out, err);
	}
	int64_t k = INT64_C(1) << split(n);
	if ((rc = range(s, lo, k, l, err)) || (rc = range(s, lo + k, n - k, r, err)))
		return rc;
	ctm_merkle_node(l, r, out);
	return 0;
}

int ctm_merkle_root(const struct ctm_merkle_src *s, int64_t size, uint8_t out[CTM_SHA256], struct ctm_err *err)
{
	uint8_t r[CTM_SHA256];

	if (size < 0 || size > CTM_TREE_MAX)
		return ctm_fail(err, CTM_E_INPUT, "size", NULL, "A tree has 0 to 2^62 entries.");
	if (size == 0) {
		ctm_merkle_empty(out);
		return 0;
	}
	int rc = range(s, 0, size, r, err);
	if (!rc)
		memcpy(out, r, sizeof r);
	return rc;
}

int ctm_merkle_prove_inclusion(const struct ctm_merkle_src *s, int64_t index, int64_t size, struct ctm_proof_path *out, struct ctm_err *err)
{
	struct ctm_proof_path p = { 0 };
	int64_t lo = 0, n = size;

	if (size < 1 || size > CTM_TREE_MAX || index < 0 || index >= size)
		return ctm_fail(err, CTM_E_INPUT, "index", NULL, "The tree has %lld entries; there is no entry %lld.", (long long)size, (long long)index);
	/* Walk down from the root: PATH puts the deepest sibling first, so the list is turned round at the end. */
	while (n > 1) {
		int64_t k = INT64_C(1) << split(n);
		bool left = index - lo < k;
		int rc = left ? range(s, lo + k, n - k, p.h[p.n], err) : range(s, lo, k, p.h[p.n], err);
		if (rc)
			return rc;
		p.n++;
		lo = left ? lo : lo + k;
		n = left ? k : n - k;
	}
	out->n = p.n;
	for (size_t i = 0; i < p.n; i++)
		memcpy(out->h[i], p.h[p.n - 1 - i], CTM_SHA256);
	return 0;
}

int ctm_merkle_prove_consistency(const struct ctm_merkle_src *s, int64_t old_size, int64_t size, struct ctm_proof_path *out, struct ctm_err *err)
{
	struct ctm_proof_path p = { 0 };
	int64_t lo = 0, n = size, m = old_size;
	bool whole = true;        /* the b of SUBPROOF(m, D, b): the old root is known to the verifier */
	int rc;

	if (size > CTM_TREE_MAX || old_size < 1 || old_size > size)
		return ctm_fail(err, CTM_E_INPUT, "old_size", NULL, "The tree has %lld entries; it cannot be compared with size %lld.", (long long)size, (long long)old_size);
	while (m != n) {
		int64_t k = INT64_C(1) << split(n);
		if (m <= k) {
			if ((rc = range(s, lo + k, n - k, p.h[p.n], err)))
				return rc;
			n = k;
		} else {
			if ((rc = range(s, lo, k, p.h[p.n], err)))
				return rc;
			lo += k;
			m -= k;
			n -= k;
			whole = false;
		}
		p.n++;
	}
	if (!whole) {
		if ((rc = range(s, lo, n, p.h[p.n], err)))
			return rc;
		p.n++;
	}
	out->n = p.n;
	for (size_t i = 0; i < p.n; i++)
		memcpy(out->h[i], p.h[p.n - 1 - i], CTM_SHA256);
	return 0;
}
