/* SPDX-License-Identifier: Apache-2.0
 *
 * One metadata document: its bytes as served, its fields, and whether enough entitled keys signed it. Shape is judged once, on
 * opening; afterwards the fields named here are there and of their type. Fields that the specification does not know are left in
 * place, since signatures are over them too.
 */
#ifndef CTM_SDK_TUF_META_H
#define CTM_SDK_TUF_META_H
#include "ctm/tuf.h"
#include "json.h"

enum tuf_type { TUF_ROOT, TUF_TIMESTAMP, TUF_SNAPSHOT, TUF_TARGETS, TUF_TYPES };
extern const char *const tuf_type_names[TUF_TYPES];   /* "root" ... */
size_t tuf_type_max(enum tuf_type type);              /* bytes such a document may have */

struct tuf_doc {
	uint8_t *bytes;                  /* owned */
	size_t n;
	struct tuf_json json;
	const struct tuf_node *sigs;     /* array of {keyid, sig}, keyids unique */
	const struct tuf_node *body;     /* "signed" */
	uint8_t *canon;                  /* canonical form of body, owned */
	size_t canonn;
	enum tuf_type type;
	int64_t version, expires_s;
};

/* Takes over bytes (from malloc), also on failure. SYNTAX, INPUT (a field is missing or wrong), UNSUPPORTED (spec_version),
 * TOOBIG, FAIL. why (may be NULL) is set to a static phrase. */
int tuf_doc_open(uint8_t *bytes, size_t n, enum tuf_type type, struct tuf_doc **out, const char **why);
void tuf_doc_free(struct tuf_doc *d);         /* NULL tolerated */

/* Enough different keys of `role` ({keyids, threshold}) out of `keys` signed the document: 0 or VERIFY. A key counts once, under
 * however many ids; ids and keys that are unknown, odd or wrong do not count. */
int tuf_doc_signed(const struct ctm_tuf_crypto *c, const struct tuf_doc *d, const struct tuf_node *keys, const struct tuf_node *role);
/* How many different keys of the role signed it; counting ends at `enough` (at most CTM_TUF_SIGNATURES_MAX). */
unsigned tuf_doc_signers(const struct ctm_tuf_crypto *c, const struct tuf_doc *d, const struct tuf_node *keys, const struct tuf_node *role,
			 unsigned enough);
bool tuf_role_shape(const struct tuf_node *role);             /* {keyids: [text], threshold: from 1} */
/* The same for a top-level role under a root. */
int tuf_doc_signed_by_root(const struct ctm_tuf_crypto *c, const struct tuf_doc *d, const struct tuf_doc *root);

/* Length and digests that a parent states in `meta` ({version, length?, hashes?}) fit the bytes: 0 or VERIFY, UNSUPPORTED when only
 * unknown digests are stated. */
int tuf_meta_fits(const struct ctm_tuf_crypto *c, const struct tuf_node *meta, const void *p, size_t n);
/* Entry "ROLE.json" of a timestamp or snapshot; NULL. */
const struct tuf_node *tuf_meta_of(const struct tuf_doc *d, const char *role, size_t n);
int64_t tuf_meta_version(const struct tuf_node *meta);        /* 0 for NULL */
size_t tuf_meta_max(const struct tuf_node *meta, size_t otherwise);

/* Digests in an object of hex texts: which are known, and their bytes. false when one of a known algorithm is malformed or none is
 * known (told apart by *known). */
bool tuf_digests(const struct tuf_node *hashes, bool has[CTM_TUF_HASHES], uint8_t digest[CTM_TUF_HASHES][CTM_TUF_DIGEST_MAX], bool *known);
extern const size_t tuf_digest_len[CTM_TUF_HASHES];

/* Did a root take a key away from a role that the one before gave it? */
bool tuf_key_removed(const struct ctm_tuf_crypto *c, const struct tuf_doc *before, const struct tuf_doc *after, const char *role);

bool tuf_unhex(const char *s, size_t n, uint8_t *out);        /* n even; either case */

#endif
