/* SPDX-License-Identifier: Apache-2.0
 *
 * Use cases under test, with real parts and without HTTP: a started platform in a temporary directory (SQLite, writer thread,
 * blobs, catalogue), route rows looked up by method and path, input fields validated as the seam does, `prepare` on the
 * caller's thread, writes on the writer thread in a savepoint. The clock is the kit's: set now_ms.
 */
#ifndef CTM_TESTS_SUPPORT_CX_H
#define CTM_TESTS_SUPPORT_CX_H
#include "http/app.h"

struct cxkit {
	struct ctm_app *app;
	struct ctm_catalogue *catalogue;
	struct ctm_db *ro;
	char dir[64];
	int64_t now_ms;
	const struct ctm_routes *const *tables;      /* NULL-terminated list given at open */
	char set_session[64], location[128];         /* what the last call set */
	struct ctm_err err;                          /* of the last call */
};

/* Stops the test with a message when anything fails. */
void cxkit_open(struct cxkit *k, const struct ctm_routes *const *tables);
void cxkit_close(struct cxkit *k);

/* A person with one role in an organisation of that role's kind; org_id "" makes a new organisation. */
struct ctm_who cxkit_person(struct cxkit *k, const char *role, const char *org_id);
/* A session of that person, begun now: what asks for a fresh sign-in is open for ten minutes. */
void cxkit_session(struct cxkit *k, struct ctm_who *who);
extern const struct ctm_who cxkit_nobody;

struct cxcall {
	const char *method, *path;                   /* the row's own path: "/api/v1/products/{id}" */
	const char *const *in;                       /* name, value, ..., NULL; may be NULL */
	const char *json;                            /* body of a CTM_R_JSON row */
	const void *upload; size_t upload_n;         /* body of a CTM_R_UPLOAD row */
	const char *prepared;                        /* JSON: stands for what prepare leaves, where prepare needs another program */
};
/* Run a row as who. The row's roles are checked (FORBIDDEN). *out (may be NULL) is owned by the caller. */
int cxkit_call(struct cxkit *k, const struct ctm_who *who, const struct cxcall *c, ctm_json **out);
/* The same, expected to be good; stops the test otherwise. Returns out. */
ctm_json *cxkit_good(struct cxkit *k, const struct ctm_who *who, const struct cxcall *c);
/* Expected to fail with this code; stops the test otherwise. k->err says why. */
void cxkit_bad(struct cxkit *k, const struct ctm_who *who, const struct cxcall *c, int code);
#define IN(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* First column of the first row of a statement without parameters given as SQL-named statement; -1 when none. */
int64_t cxkit_count(struct cxkit *k, const char *statement, const char *param, const char *value, const char *column);
#endif
