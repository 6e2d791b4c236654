/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON as TUF metadata needs it: read strictly, with integers kept as written and member names unique, and written again in the
 * canonical form that signatures are over (OLPC canonical JSON: members sorted by code points, no white space, only '"' and '\'
 * escaped, every other character raw UTF-8, no fractions). This is not the canonical form of RFC 8785; neither may stand in for the
 * other.
 *
 * Refused: what RFC 8259 refuses, a byte order mark, bytes that are not UTF-8, lone surrogates, double members, fractions and
 * exponents, nesting deeper than TUF_JSON_DEPTH, more than TUF_JSON_NODES values, anything after the value.
 */
#ifndef CTM_SDK_TUF_JSON_H
#define CTM_SDK_TUF_JSON_H
#include "ctm/sdk.h"
#include <stdbool.h>

#define TUF_JSON_DEPTH 32
#define TUF_JSON_NODES 262144u

enum tuf_json_type { TUF_NULL, TUF_FALSE, TUF_TRUE, TUF_INT, TUF_STR, TUF_ARR, TUF_OBJ };

/* One value. Members of an object are sorted by key. s of an integer is its digits as written. */
struct tuf_node {
	const char *key, *s;
	struct tuf_node *kids;
	uint32_t keyn, n;            /* n: bytes of s, or count of kids */
	enum tuf_json_type type;
};

/* A document: nodes borrow from it and from the bytes it was read from. */
struct tuf_json {
	struct tuf_block *blocks;
	struct tuf_node root;
};

/* 0, SYNTAX, TOOBIG (depth, count), FAIL (memory). Nothing to free on failure. */
int tuf_json_read(const uint8_t *p, size_t n, struct tuf_json *out);
void tuf_json_free(struct tuf_json *j);

/* NULL tolerated everywhere; NULL or false when it is not there or of another type. */
const struct tuf_node *tuf_get(const struct tuf_node *obj, const char *key);
const struct tuf_node *tuf_getn(const struct tuf_node *obj, const char *key, size_t n);
const struct tuf_node *tuf_of(const struct tuf_node *obj, const char *key, enum tuf_json_type type);   /* member of that type */
bool tuf_int(const struct tuf_node *v, int64_t *out);        /* false too when it does not fit */
struct ctm_bytes tuf_str(const struct tuf_node *v);          /* empty, with p NULL, unless a string */
bool tuf_str_is(const struct tuf_node *v, const char *s);

/* Canonical form of a value that was read: never longer than it was written. out has room for cap bytes; TOOBIG. */
int tuf_canonical(const struct tuf_node *v, uint8_t *out, size_t cap, size_t *n);

#endif
