/* SPDX-License-Identifier: Apache-2.0
 *
 * The Merkle tree of RFC 6962 2.1 and RFC 9162 2.1: SHA-256, leaf prefix 0x00, node prefix 0x01. Verification is pure.
 * Building works over a callback that gives the hash of a complete subtree, so that the same code serves a tiled log on disk
 * and a tree in memory, and never holds more than one path.
 */
#ifndef CTM_REGISTRY_MERKLE_H
#define CTM_REGISTRY_MERKLE_H
#include "base/err.h"
#include "crypto/hash.h"

#define CTM_PROOF_MAX 63                     /* hashes in an inclusion or consistency proof; sizes stay below 2^62 */
#define CTM_TREE_MAX (INT64_C(1) << 62)

struct ctm_proof_path { size_t n; uint8_t h[CTM_PROOF_MAX][CTM_SHA256]; };

void ctm_merkle_leaf(const void *entry, size_t n, uint8_t out[CTM_SHA256]);                        /* SHA-256(0x00 || entry) */
void ctm_merkle_node(const uint8_t l[CTM_SHA256], const uint8_t r[CTM_SHA256], uint8_t out[CTM_SHA256]); /* may alias */
void ctm_merkle_empty(uint8_t out[CTM_SHA256]);                                                     /* root of no entries: SHA-256("") */

/* RFC 9162 2.1.3.2. leaf is the leaf hash. 0 or VERIFY; index >= size, a proof of the wrong length and size 0 are refused. */
CTM_CHECK int ctm_merkle_check_inclusion(int64_t index, int64_t size, const uint8_t leaf[CTM_SHA256],
	const uint8_t (*proof)[CTM_SHA256], size_t n, const uint8_t root[CTM_SHA256]);
/* RFC 9162 2.1.4.2. 0 or VERIFY. old_size 0 is refused: nothing can be proved about an empty tree, so a caller
 * must say itself what it means by it. Equal sizes need equal roots and no proof. */
CTM_CHECK int ctm_merkle_check_consistency(int64_t old_size, int64_t size, const uint8_t old_root[CTM_SHA256],
	const uint8_t root[CTM_SHA256], const uint8_t (*proof)[CTM_SHA256], size_t n);

/* Where hashes of complete subtrees come from: the node at `level` (0 = leaf hashes) and `index` covers the leaves
 * [index << level, (index + 1) << level). Only asked for nodes that are complete in the tree at hand. */
struct ctm_merkle_src {
	int (*node)(void *arg, unsigned level, int64_t index, uint8_t out[CTM_SHA256], struct ctm_err *err);
	void *arg;
};
CTM_CHECK int ctm_merkle_root(const struct ctm_merkle_src *s, int64_t size, uint8_t out[CTM_SHA256], struct ctm_err *err);
/* INPUT when index is outside the tree, or old_size is not in 1..size. */
CTM_CHECK int ctm_merkle_prove_inclusion(const struct ctm_merkle_src *s, int64_t index, int64_t size, struct ctm_proof_path *out, struct ctm_err *err);
CTM_CHECK int ctm_merkle_prove_consistency(const struct ctm_merkle_src *s, int64_t old_size, int64_t size, struct ctm_proof_path *out, struct ctm_err *err);

#endif
