/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the client: what one update cycle holds. client.c brings the top-level roles up to date, search.c walks delegations.
 */
#ifndef CTM_SDK_TUF_CLIENT_H
#define CTM_SDK_TUF_CLIENT_H
#include "ctm/tuf.h"
#include "meta.h"
#include "path.h"

/* A delegated role that was loaded. stale: replaced, kept because a search may still point into it. */
struct tuf_role {
	struct tuf_role *next;
	struct tuf_doc *doc;
	bool stale;
	char name[CTM_TUF_NAME_MAX + 1];
};

struct ctm_tuf {
	struct ctm_tuf_conf conf;
	struct tuf_doc *top[TUF_TYPES];     /* trusted; NULL until loaded */
	struct tuf_role *roles;
	uint8_t *custom;                    /* canonical custom object of the last target found */
	bool fresh;                         /* refresh succeeded */
	char why[CTM_TUF_WHY_MAX];
};

/* Keep the sentence for ctm_tuf_why and return code. */
int tuf_fail(struct ctm_tuf *t, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Name of a role's document in the store. */
int tuf_stored_name(const struct ctm_tuf *t, const char *role, char out[CTM_TUF_FILE_MAX + 8]);
/* Fetch a role's document: version 0 gives the unversioned name. *bytes from malloc. */
int tuf_fetch_role(struct ctm_tuf *t, const char *role, int64_t version, size_t max, uint8_t **bytes, size_t *n);
bool tuf_consistent(const struct ctm_tuf *t);

#endif
