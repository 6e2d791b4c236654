/* SPDX-License-Identifier: Apache-2.0
 *
 * Kit of the scheme's tests: the real catalogue, a real database with the real schema in a temporary file, and a cast of
 * plainly fictional organisations and people. Moves go through the engine as the seam would do them: one transaction each,
 * rolled back when refused.
 */
#ifndef CTM_TEST_SCHEME_KIT_H
#define CTM_TEST_SCHEME_KIT_H
#include "http/app_impl.h"
#include "scheme/scheme.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MAKER "00000000-0000-7000-8000-000000000001"
#define LAB "00000000-0000-7000-8000-000000000002"
#define CLA "00000000-0000-7000-8000-000000000003"
#define OTHER_CLA "00000000-0000-7000-8000-000000000004"
#define PRODUCT "00000000-0000-7000-8000-000000000011"
#define JOB "00000000-0000-7000-8000-000000000021"

struct one { const char *person, *name, *org; unsigned roles; };   /* somebody acting in one organisation */
extern const struct one OWNER, TESTER, LABHEAD, INTAKE, REVIEWER, DECIDER, SURVEILLANCE, STRANGER;

struct kit {
	struct ctm_app app;
	struct ctm_db *db;
	struct ctm_catalogue *cat;
	struct ctm_arena *arena;
	struct ctm_err err;         /* of the last call */
	int64_t now_ms;
	char path[64], kase[40];    /* the case at hand */
	ctm_json *out;              /* answer of the last call */
};

int kit_setup(void **state);
int kit_teardown(void **state);
void kit_sql(struct kit *k, const char *fmt, ...) CTM_PRINTF(2, 3);             /* straight into the database */
int64_t kit_int(struct kit *k, const char *fmt, ...) CTM_PRINTF(2, 3);          /* first column of the first row; -1 when none */
const char *kit_text(struct kit *k, const char *fmt, ...) CTM_PRINTF(2, 3);     /* arena text */
void kit_cx(struct kit *k, const struct one *who, struct ctm_cx *cx, struct ctm_who *w);
/* One event; data is JSON text or NULL. Committed when good, rolled back when not. */
int kit_fire(struct kit *k, const struct one *who, const char *event, const char *data, const char *note);
void kit_must(struct kit *k, const struct one *who, const char *event, const char *data, const char *note);
/* Refused with this code and, unless NULL, this rule; the state of the case must be as before. */
void kit_refused(struct kit *k, const struct one *who, const char *event, const char *data, const char *note, int code, const char *rule);
const char *kit_state(struct kit *k);
/* A use case with input fields: pairs name, value, ..., NULL; body may be NULL. */
int kit_use(struct kit *k, const struct one *who, int (*use_case)(struct ctm_cx *, ctm_json *), const char *body, ...);

/* Parts of the walk, each from where the one before it ends. */
extern const char *const KIT_DECLARATIONS;
void kit_draft(struct kit *k);
void kit_declare(struct kit *k, const char *body);
void kit_filed(struct kit *k);
void kit_evaluating(struct kit *k);
void kit_job(struct kit *k, const char *outcome_not_met);   /* a sealed, reported evaluation; NULL: everything met */
void kit_reported(struct kit *k, const char *outcome_not_met);
extern const char *const KIT_GRANT_REVIEW, *const KIT_DENIAL_REVIEW;
void kit_pending(struct kit *k);
void kit_granted(struct kit *k);

#endif
