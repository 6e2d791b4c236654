/* SPDX-License-Identifier: Apache-2.0
 *
 * Client of The Update Framework, specification 1.0.34: finds out, over a network and from servers that are not trusted, which
 * files a repository's owners want to be installed, and takes only those.
 *
 * Order of work (5.3 to 5.7): roots one by one, each signed by the threshold of the one before and its own, kept at each step;
 * then timestamp, snapshot, targets; then delegations, pre-order, each role verified under the keys of the parent it was reached
 * by, whoever's keys it passed before. What a parent says about length and digest is checked before any signature; what is stored
 * was verified, byte for byte as it was served; what is stored is verified again when it is read. An expired or older document, one
 * of another version than its parent says, or one that does not end, changes nothing.
 *
 * Uses the heap (documents of megabytes); storage, network, cryptography and time come from the caller. One thread at a time.
 */
#ifndef CTM_TUF_H
#define CTM_TUF_H
#include "ctm/crypto.h"
#include <stdbool.h>

/* Bytes a document may have, unless its parent states less. */
#define CTM_TUF_ROOT_MAX ((size_t)512 << 10)
#define CTM_TUF_TIMESTAMP_MAX ((size_t)16 << 10)
#define CTM_TUF_SNAPSHOT_MAX ((size_t)2 << 20)
#define CTM_TUF_TARGETS_MAX ((size_t)5 << 20)
#define CTM_TUF_ROOTS_MAX 1024            /* new roots in one refresh */
#define CTM_TUF_VISITS_MAX 32             /* roles visited in one search */
#define CTM_TUF_SIGNATURES_MAX 256        /* signatures of one document */
#define CTM_TUF_NAME_MAX 1024             /* bytes of a role or target name */
#define CTM_TUF_FILE_MAX 200              /* characters of a file name made of one */
#define CTM_TUF_URL_MAX 4096
#define CTM_TUF_WHY_MAX 256

enum ctm_tuf_hash_alg { CTM_TUF_SHA256, CTM_TUF_SHA512, CTM_TUF_HASHES };
#define CTM_TUF_DIGEST_MAX 64

/* A key as metadata states it; borrowed text. */
struct ctm_tuf_key {
	struct ctm_bytes type, scheme, value;
};

/* Cryptography (sdk/crypto/tuf_openssl.c). */
struct ctm_tuf_crypto {
	/* rsa/rsassa-pss-sha256, ecdsa or ecdsa-sha2-nistp256/ecdsa-sha2-nistp256 (PEM or hex point), ed25519/ed25519 (hex). identity: the
	 * same for the same public key however it is written. VERIFY, INPUT (not a key), UNSUPPORTED. */
	int (*verify)(const struct ctm_tuf_key *k, struct ctm_bytes msg, struct ctm_bytes sig, uint8_t identity[CTM_HASH_BYTES]);
	int (*identity)(const struct ctm_tuf_key *k, uint8_t identity[CTM_HASH_BYTES]);
	/* As in struct ctm_crypto: after init, final once. */
	int (*hash_init)(struct ctm_hash *h, enum ctm_tuf_hash_alg alg);
	int (*hash_update)(struct ctm_hash *h, const void *p, size_t n);
	int (*hash_final)(struct ctm_hash *h, uint8_t out[CTM_TUF_DIGEST_MAX]);
};
const struct ctm_tuf_crypto *ctm_tuf_openssl(void);

/* Where trusted metadata lies: names are NAME.json, NAME percent-encoded. write is all or nothing and durable when it returned 0:
 * after a power cut the old or the new bytes are there. Nothing is written that was not verified. */
struct ctm_tuf_store {
	void *ctx;
	int (*read)(void *ctx, const char *name, size_t max, uint8_t **p, size_t *n);   /* free(*p); NONE, TOOBIG, STORAGE */
	int (*write)(void *ctx, const char *name, const void *p, size_t n);             /* STORAGE */
	int (*erase)(void *ctx, const char *name);                                      /* absent is good */
};

typedef int (*ctm_tuf_sink)(void *ctx, const uint8_t *p, size_t n);   /* 0, or what the fetch shall fail with */

/* GET url, bytes from `from` on (0: all), at most max of them, given to the sink as they arrive. NONE (there is no such file),
 * TOOBIG (more than max; the sink never gets more), NETWORK, or the sink's failure. */
struct ctm_tuf_net {
	void *ctx;
	int (*fetch)(void *ctx, const char *url, uint64_t from, uint64_t max, ctm_tuf_sink sink, void *sink_ctx);
};

struct ctm_tuf_conf {
	const struct ctm_tuf_crypto *crypto;
	struct ctm_tuf_store store;
	struct ctm_tuf_net net;
	const char *metadata_url;        /* borrowed; with or without the last '/' */
	int64_t now_s;                   /* the one moment all expiries are judged by */
};

struct ctm_tuf;

/* Adopt a root that came with the product: signed by its own threshold. Nothing is stored otherwise. SYNTAX, VERIFY, STORAGE...
 * why (may be NULL) gets a sentence. */
int ctm_tuf_init(const struct ctm_tuf_crypto *crypto, const struct ctm_tuf_store *store, const void *root, size_t n,
		 char why[CTM_TUF_WHY_MAX]);

int ctm_tuf_open(const struct ctm_tuf_conf *conf, struct ctm_tuf **out);    /* FAIL without memory */
void ctm_tuf_close(struct ctm_tuf *t);                                      /* NULL tolerated */
const char *ctm_tuf_why(const struct ctm_tuf *t);                           /* of the last failure; for a person */

/* The top-level roles. NONE (no trusted root), VERIFY (signature or digest), OLDER (rollback), EXPIRED, SYNTAX, INPUT, TOOBIG, NETWORK,
 * STORAGE. What was verified before the failure stays. */
int ctm_tuf_refresh(struct ctm_tuf *t);

struct ctm_tuf_target {
	char name[CTM_TUF_NAME_MAX + 1];
	char role[CTM_TUF_NAME_MAX + 1];            /* who lists it */
	uint64_t length;
	bool has[CTM_TUF_HASHES];                   /* at least one is known */
	uint8_t digest[CTM_TUF_HASHES][CTM_TUF_DIGEST_MAX];
	struct ctm_bytes custom;                    /* canonical JSON, borrowed until the next find or close; n 0 when absent */
};

/* What a target is; refreshes first when that was not done. UNKNOWN (nobody entitled lists it), UNSUPPORTED (only unknown digests),
 * errors of refresh. */
int ctm_tuf_find(struct ctm_tuf *t, const char *name, struct ctm_tuf_target *out);

/* Bytes of a target while they arrive: begin, add each piece in order, end. end: VERIFY when length or a digest is not the stated
 * one. begin must be followed by end or drop. */
struct ctm_tuf_check {
	const struct ctm_tuf_crypto *crypto;
	const struct ctm_tuf_target *target;
	uint64_t got;
	struct ctm_hash hash[CTM_TUF_HASHES];
};
int ctm_tuf_check_begin(struct ctm_tuf_check *c, const struct ctm_tuf_crypto *crypto, const struct ctm_tuf_target *t);
int ctm_tuf_check_add(struct ctm_tuf_check *c, const void *p, size_t n);    /* TOOBIG beyond the stated length */
int ctm_tuf_check_end(struct ctm_tuf_check *c);
void ctm_tuf_check_drop(struct ctm_tuf_check *c);

/* Fetch what is missing of a target (c->got bytes are there already) into the sink, adding to c. The caller ends c. */
int ctm_tuf_fetch(struct ctm_tuf *t, const char *base_url, struct ctm_tuf_check *c, ctm_tuf_sink sink, void *sink_ctx);

/* For those who make repositories: the canonical form that signatures are over (SYNTAX, TOOBIG; never longer than it was), and the client's
 * judgement of a document of a type ("root", "timestamp", "snapshot", "targets") under a role {keys, keyids, threshold}: SYNTAX, INPUT and
 * what a client would say; *why is set to a static phrase where there is one. */
int ctm_tuf_canonical(const void *json, size_t n, uint8_t *out, size_t cap, size_t *len);
struct ctm_tuf_signers {
	unsigned count, threshold;       /* different entitled keys that signed, and how many are needed */
	int64_t version, expires_s;
};
int ctm_tuf_signers(const struct ctm_tuf_crypto *c, const void *doc, size_t n, const char *type, const void *role, size_t rolen,
		    struct ctm_tuf_signers *out, const char **why);

/* A directory as store: temporary file, fsync, rename, fsync of the directory. ctx is the directory's descriptor, cast. */
struct ctm_tuf_store ctm_tuf_dir(int dirfd);
/* Download a target into a directory under its percent-encoded name; nothing is fetched when it is there already and right. What came
 * before the connection broke is kept (.NAME.part) and carried on. *fetched (may be NULL) says whether anything was fetched. */
int ctm_tuf_dir_download(struct ctm_tuf *t, const struct ctm_tuf_target *target, const char *base_url, int dirfd, bool *fetched);

/* libcurl. https with the system's roots or those of ca; http to loopback addresses only, unless plain_http. Redirects are not
 * followed, proxies not used; a server that drips is left. */
struct ctm_tuf_http;
int ctm_tuf_http_open(const char *ca, bool plain_http, struct ctm_tuf_http **out);
void ctm_tuf_http_close(struct ctm_tuf_http *h);
struct ctm_tuf_net ctm_tuf_http_net(struct ctm_tuf_http *h);

#endif
