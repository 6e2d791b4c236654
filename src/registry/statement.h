/* SPDX-License-Identifier: Apache-2.0
 *
 * Statement ctm.statement/1: what the label administrator (CLA) signs about a record, and what the log holds. COSE_Sign1
 * (EdDSA) over canonical JSON:
 *   {"at", "certificate", "cla":{"contact","name"}, "content", "decision", "format", "kind", "record", "status", "version"}
 * It names offices, never a person. The record itself stays outside; "content" is a salted digest of it, so that a record could
 * be taken back without touching the log.
 */
#ifndef CTM_REGISTRY_STATEMENT_H
#define CTM_REGISTRY_STATEMENT_H
#include "base/buf.h"
#include "base/id.h"
#include "base/json.h"
#include "crypto/hash.h"
#include "crypto/key.h"

#define CTM_STATEMENT_TYPE "application/vnd.ctm.statement+json"
#define CTM_STATEMENT_MAX 4096          /* bytes of the payload; a log entry is below 64 KiB */
#define CTM_SALT 32
#define CTM_CONTENT_MAX (128 * 1024)    /* bytes of a record's canonical JSON */

/* One row per kind of statement: the kind of decision it needs, the status it gives, the statuses it may follow. */
struct ctm_statement_kind { const char *kind, *decision, *status, *after; /* comma separated; "" = the first of a record */ const char *what; };
extern const struct ctm_statement_kind ctm_statement_kinds[];
extern const size_t ctm_statement_kind_count;
const struct ctm_statement_kind *ctm_statement_kind_find(const char *kind);        /* NULL for unknown */
bool ctm_statement_may_follow(const struct ctm_statement_kind *k, const char *status);  /* status "" = no statement yet */

struct ctm_statement {
	char record[CTM_PUBID_MAX];
	int64_t version;                /* from 1, without gaps */
	char kind[24], status[24];
	char certificate[48];           /* number of the certificate */
	int64_t at_ms;
	char cla_name[200], cla_contact[200];    /* the office */
	char decision[CTM_DIGEST_MAX];  /* digest of the decision it rests on */
	char content[CTM_DIGEST_MAX];   /* ctm_content_digest of the record's content */
};

/* Every member checked, no other allowed: INPUT with the member's pointer. */
CTM_CHECK int ctm_statement_parse(const ctm_json *j, struct ctm_statement *out, struct ctm_err *err);
CTM_CHECK int ctm_statement_write(const struct ctm_statement *s, struct ctm_buf *out, struct ctm_err *err);      /* canonical JSON */
ctm_json *ctm_statement_json(const struct ctm_statement *s);                                                     /* NULL without memory */
/* Sign; appends the COSE message to out. */
CTM_CHECK int ctm_statement_sign(const struct ctm_statement *s, const struct ctm_key *key, struct ctm_buf *out, struct ctm_err *err);
/* Verify under one Ed25519 public key and read. A payload that is not canonical is refused. VERIFY, SYNTAX, INPUT. */
CTM_CHECK int ctm_statement_open(const void *cose, size_t n, const uint8_t pub[32], struct ctm_statement *out, struct ctm_err *err);

/* SHA-256("ctm.content/1\n" || salt || canonical JSON of content). INPUT when content has no canonical form. */
CTM_CHECK int ctm_content_digest(const uint8_t salt[CTM_SALT], const ctm_json *content, char out[CTM_DIGEST_MAX], struct ctm_err *err);

/* COSE_Sign1 with EdDSA by key: kid is the key's id, content type as given. Used for statements and seals. */
CTM_CHECK int ctm_cose_seal(const struct ctm_key *key, const char *type, const void *p, size_t n, struct ctm_buf *out, struct ctm_err *err);
/* Verify such a message; payload is borrowed from msg. VERIFY, SYNTAX. type may be NULL (not compared). */
CTM_CHECK int ctm_cose_open(const void *msg, size_t n, const uint8_t pub[32], const char *type, const void **payload, size_t *len, struct ctm_err *err);

#endif
