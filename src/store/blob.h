/* SPDX-License-Identifier: Apache-2.0
 *
 * Content-addressed blobs: DIR/ab/cdef... named by SHA-256, written once, durable before they are named in a row.
 * A reader checks nothing; ctm fsck re-hashes all.
 */
#ifndef CTM_STORE_BLOB_H
#define CTM_STORE_BLOB_H
#include "base/buf.h"
#include "crypto/hash.h"

struct ctm_blobs;                                   /* thread-safe handle */
CTM_CHECK int ctm_blobs_open(const char *dir, struct ctm_blobs **out, struct ctm_err *err);  /* DIR is made when missing; IO */
void ctm_blobs_close(struct ctm_blobs *b);  /* NULL tolerated */
/* durable; the same bytes are kept once; IO */
CTM_CHECK int ctm_blob_put(struct ctm_blobs *b, const void *p, size_t n, char digest[CTM_DIGEST_MAX], struct ctm_err *err);
CTM_CHECK int ctm_blob_get(struct ctm_blobs *b, const char *digest, size_t max, struct ctm_buf *out, struct ctm_err *err); /* NOTFOUND, TOOBIG */
CTM_CHECK int ctm_blob_path(struct ctm_blobs *b, const char *digest, char *out, size_t cap);  /* is not looked for; INPUT, TOOBIG when it does not fit */
/* Streaming writer, for uploads. end() names it; drop() throws it away. */
struct ctm_blobw;
CTM_CHECK int ctm_blobw_new(struct ctm_blobs *b, int64_t max, struct ctm_blobw **out, struct ctm_err *err);
CTM_CHECK int ctm_blobw_add(struct ctm_blobw *w, const void *p, size_t n, struct ctm_err *err);        /* TOOBIG, IO */
CTM_CHECK int ctm_blobw_end(struct ctm_blobw *w, char digest[CTM_DIGEST_MAX], int64_t *size, struct ctm_err *err); /* frees w */
void ctm_blobw_drop(struct ctm_blobw *w);
/* Re-hash every blob; cb for each bad one. Returns count checked through *n. */
CTM_CHECK int ctm_blobs_fsck(struct ctm_blobs *b, void (*bad)(const char *name, const char *why, void *arg), void *arg, int64_t *n, struct ctm_err *err);

#endif
