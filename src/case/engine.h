/* SPDX-License-Identifier: Apache-2.0
 *
 * The case engine: moves a case along the rows of its table. A move is one transaction of the writer: guards are asked, effects
 * run, the case row is changed by compare-and-set on row_version, and case_event, case_person, clocks, tasks, timeline,
 * audit and the event case.moved are written with it. Nothing else changes the state of a case.
 *
 * Guards and effects are C functions that the catalogue names. Their tables, ctm_case_guards and ctm_case_effects, are
 * defined once in the room that knows them (scheme) and found at link time, like the table of SQL statements; a program
 * without cases (the lab's) leaves them out, and the loader then does not ask for the names.
 *
 * What a person sees. A case exists for its applicant, its label administrator and its lab; a draft for its applicant only.
 * To everyone else it is NOTFOUND.
 */
#ifndef CTM_CASE_ENGINE_H
#define CTM_CASE_ENGINE_H
#include "case/catalogue.h"
#include "http/app.h"

struct ctm_fire {                       /* one move in the making */
	struct ctm_cx *cx;
	const struct ctm_case_table *table;
	const struct ctm_case_row *row;
	ctm_json *kase;                     /* the case_file row; member "data" is its data_json */
	const char *id, *number, *product_id, *applicant_org_id, *cla_org_id, *lab_org_id;   /* "" where there is none */
	ctm_json *data;                     /* data of the case: effects change it, the engine stores it */
	const ctm_json *given;              /* what the actor gave (may be NULL) */
	const char *note;                   /* "" when none */
	ctm_json *kept;                     /* kept with the case_event; effects may add */
	ctm_json *out;                      /* answer; effects may add (decision_id, certificate_id) */
	const char *new_lab_org_id;         /* set by an effect: the case's lab from now on (arena memory) */
	bool filed, accepted, decided, closed;   /* set by effects: stamp the case */
};

/* 0, or GUARD with the rule that forbids it (other errors are failures, not answers). `on_given`: looks at what the actor gives,
 * so it cannot be asked before. Guards only read. */
struct ctm_case_guard { const char *name; int (*ask)(struct ctm_fire *f); bool on_given; const char *rule, *help; };
struct ctm_case_effect { const char *name; int (*run)(struct ctm_fire *f); const char *help; };
extern const struct ctm_case_guard ctm_case_guards[] __attribute__((weak));
extern const size_t ctm_case_guard_count __attribute__((weak));
extern const struct ctm_case_effect ctm_case_effects[] __attribute__((weak));
extern const size_t ctm_case_effect_count __attribute__((weak));

struct ctm_case_new {
	const char *kind, *product_id, *applicant_org_id, *cla_org_id, *lab_org_id /* NULL: none */, *prior_case_id /* or NULL */;
	const char *part;                   /* part of whoever opens it: applicant, proposer */
	const char *note;
	const ctm_json *data;               /* copied */
};
/* Open a case in its table's first state. Fills out {id, number, state}. STATE when the catalogue has no such table,
 * FORBIDDEN when the opener's role may not. */
CTM_CHECK int ctm_case_open(struct ctm_cx *cx, const struct ctm_case_new *n, ctm_json *out);

/* Fire an event. `data` is what the actor gives (may be NULL); its member row_version, if there, must be the case's present
 * one. out: {id, number, state, row_version} and what effects add. NOTFOUND, CONFLICT (row_version), STATE (no such row in this
 * state), FORBIDDEN (role), INPUT (note or member missing), GUARD (rule named in err->rule). */
CTM_CHECK int ctm_case_fire(struct ctm_cx *cx, const char *case_id, const char *event, const ctm_json *data, const char *note, ctm_json *out);

/* The case row as JSON when the asker may see it; NOTFOUND otherwise. Caller owns *out. */
CTM_CHECK int ctm_case_get(struct ctm_cx *cx, const char *case_id, ctm_json **out);
/* Change the data of a case outside a move (declarations of a draft). Compare-and-set; audited. */
CTM_CHECK int ctm_case_put_data(struct ctm_cx *cx, const ctm_json *kase, const ctm_json *data, const char *what);
/* Is the asker's organisation the case's applicant, lab or cla? "" for none of them. */
const char *ctm_case_side(const struct ctm_cx *cx, const ctm_json *kase);
/* The table edition a case was opened under. FAIL when the catalogue lost it. */
CTM_CHECK int ctm_case_table_of(struct ctm_cx *cx, const ctm_json *kase, const struct ctm_case_table **out);
/* Rows of the present state that the asker's roles may take, each with why not:
 * [{event, kind, title, citation, allowed, why, rule, note, needs[]}]. Takes over nothing. */
CTM_CHECK int ctm_case_events(struct ctm_cx *cx, ctm_json *kase, ctm_json **out);
/* Did this person take this part in the case (part NULL: any of evaluator, reviewer, decider, proposer)? */
CTM_CHECK int ctm_case_has_part(struct ctm_db *db, const char *case_id, const char *person_id, const char *part, bool *out, struct ctm_err *err);

/* Clocks of a case: [{rule, title, citation, consequence, whose, started_ms, due_ms, done_ms, fired_ms, running, overdue}]. */
CTM_CHECK int ctm_case_clocks(struct ctm_cx *cx, const ctm_json *kase, ctm_json **out);
/* Inbox of the asker's organisation: {inbox:[CASE], others:[CASE], counts:[...]} (scheme/routes.c). */
CTM_CHECK int ctm_case_inbox(struct ctm_cx *cx, ctm_json *out);
/* CASE as the pages want it, from a row of statement case.get or case.list. Caller owns *out. */
CTM_CHECK int ctm_case_line(struct ctm_cx *cx, const ctm_json *row, ctm_json **out);

/* Job "case.clocks": fires clocks that are due: marks them, tells the timeline and gives the one who waits a task. A clock never
 * moves a case by itself: dismissal and withdrawal are decisions of a person (47 CFR 8.210: may). */
int ctm_case_clocks_job(struct ctm_jx *jx);
/* For tests and the job: fire what is due at cx->now_ms; *n clocks. */
CTM_CHECK int ctm_case_clocks_fire(struct ctm_cx *cx, int64_t *n);
/* Next number of a yearly series in the law pack's zone: "CASE" gives CASE-2026-000123. */
CTM_CHECK int ctm_case_number(struct ctm_cx *cx, const char *series, char out[32]);

#endif
