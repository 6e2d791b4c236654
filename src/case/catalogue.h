/* SPDX-License-Identifier: Apache-2.0
 *
 * The catalogue: rules as data. One directory of JSON files, read once at start, never changed while running.
 *
 *   ir8425.json         outcomes of NIST IR 8425, the rows of the matrix
 *   packs/NAME.json     rule packs (law, scheme): periods, declarations, reasons, lists of words, each with a citation
 *   cases/NAME.json     case tables: states and transition rows
 *   lists/NAME.json     lists of 47 CFR 8.204 that applicants and producers are screened against
 *   messages/LL.json    words of the pages, by language
 *   update.json         periods of update repositories
 *
 * (checks/ is read by the lab, replies.json by the HTTP room.)
 *
 * A file with an unknown member, a duplicate id, a missing citation or a broken reference is refused as a whole; every
 * error names the file and the JSON pointer. Several editions of a pack or case table stand side by side: a case keeps
 * the edition it was opened under. All strings live as long as the catalogue and are shared between threads freely.
 *
 * The matrix. A row is an outcome whose judged_on is not empty: 11 numbered and 6 lettered technical outcomes, judged
 * once on every component of a kind in judged_on, and 24 developer items, judged once on the product as a whole (component
 * name and kind "product"). IAC.1 and IAC.2 are judged through their lettered measures; capabilities (AI) and details
 * (DOC.1a.iv) are never rows themselves.
 */
#ifndef CTM_CASE_CATALOGUE_H
#define CTM_CASE_CATALOGUE_H
#include "base/json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctm_catalogue;
struct ctm_strs { const char *const *v; size_t n; };

/* INPUT (field = JSON pointer, message starts with the file), SYNTAX, NOTFOUND, IO, TOOBIG, NOMEM. */
CTM_CHECK int ctm_catalogue_load(const char *dir, struct ctm_catalogue **out, struct ctm_err *err);
void ctm_catalogue_free(struct ctm_catalogue *c);          /* NULL tolerated */

/* --- outcomes ------------------------------------------------------------------------------------------------- */

enum ctm_outcome_level { CTM_LEVEL_CAPABILITY, CTM_LEVEL_NUMBERED, CTM_LEVEL_LETTERED, CTM_LEVEL_ITEM, CTM_LEVEL_DETAIL };
enum { CTM_ON_DEVICE = 1, CTM_ON_GATEWAY = 2, CTM_ON_APP = 4, CTM_ON_BACKEND = 8, CTM_ON_PRODUCT = 16 };   /* judged_on */
enum { CTM_APPLIES_DEVICE = 1, CTM_APPLIES_COMPONENT = 2, CTM_APPLIES_PRODUCT = 4, CTM_APPLIES_MANUFACTURER = 8 };
enum { CTM_BY_TEST = 1, CTM_BY_INSPECTION = 2, CTM_BY_ATTESTATION = 4 };                                  /* typical */
enum ctm_crosswalk { CTM_X_EN303645, CTM_X_CRA, CTM_X_PSTI, CTM_X_CTA2088, CTM_X_IR8259, CTM_X_COUNT };

struct ctm_outcome {
	const char *id, *parent /* NULL for capabilities */, *capability, *name, *text, *source;
	enum ctm_outcome_level level;
	unsigned applies, judged_on, typical;
	struct ctm_strs crosswalk[CTM_X_COUNT];
};

const char *ctm_outcomes_version(const struct ctm_catalogue *c);                       /* "2022-09" */
size_t ctm_outcome_count(const struct ctm_catalogue *c);                               /* at least 1 */
const struct ctm_outcome *ctm_outcome_at(const struct ctm_catalogue *c, size_t i);     /* document order */
const struct ctm_outcome *ctm_outcome_find(const struct ctm_catalogue *c, const char *id);  /* NULL when there is none */
/* Is this outcome a row for a component of this kind ("device", "gateway", "app", "backend", "product")? */
bool ctm_outcome_judged(const struct ctm_outcome *o, const char *component_kind);
unsigned ctm_kind_bit(const char *component_kind);                                     /* 0 for an unknown kind */
const char *ctm_level_name(enum ctm_outcome_level l);
const char *ctm_crosswalk_name(enum ctm_crosswalk x);                                  /* "en303645" ... */
/* The outcome as it stands in its file. Borrowed. */
const ctm_json *ctm_outcome_json(const struct ctm_catalogue *c, size_t i);

/* --- rule packs ----------------------------------------------------------------------------------------------- */

enum ctm_unit { CTM_DAYS, CTM_BUSINESS_DAYS, CTM_MONTHS, CTM_YEARS };
struct ctm_pack;
struct ctm_rule {                      /* a period */
	const char *id, *title, *start, *whose, *consequence, *citation;
	int period;                        /* in units; at least 1 */
	enum ctm_unit unit;
	bool roll;                         /* a last day that is no business day moves to the next one (47 CFR 1.4(j)) */
	const struct ctm_pack *pack;
};
struct ctm_term { const char *id, *text, *citation; };     /* one row of a list of words: a declaration, a reason code */
struct ctm_group { const char *id; const struct ctm_term *terms; size_t n; };
struct ctm_number { const char *id, *text, *citation; int64_t value; };
struct ctm_pack {
	const char *id, *version, *effective /* YYYY-MM-DD */, *title, *source, *zone, *holidays_source;
	struct ctm_strs holidays;          /* sorted YYYY-MM-DD */
	const struct ctm_rule *rules; size_t nrules;
	const struct ctm_group *groups; size_t ngroups;
	const struct ctm_number *numbers; size_t nnumbers;
};

size_t ctm_pack_count(const struct ctm_catalogue *c);                         /* editions of all packs */
const struct ctm_pack *ctm_pack_at(const struct ctm_catalogue *c, size_t i);  /* borrowed; i below the count */
/* version NULL: the edition with the latest effective date. NULL when there is none. */
const struct ctm_pack *ctm_pack_find(const struct ctm_catalogue *c, const char *id, const char *version);
const struct ctm_rule *ctm_pack_rule(const struct ctm_pack *p, const char *id);
const struct ctm_group *ctm_pack_group(const struct ctm_pack *p, const char *id);   /* law: declarations, fields, denial, dismissal, ends, prohibited */
const struct ctm_term *ctm_pack_term(const struct ctm_pack *p, const char *group, const char *id);
/* A number of the pack; the loader's tests pin those the code asks for. `otherwise` when absent. */
int64_t ctm_pack_number(const struct ctm_pack *p, const char *id, int64_t otherwise);
/* The last millisecond of the period in the pack's zone: the day of `from_ms` there does not count. INPUT when the zone is
 * unknown to the machine. */
CTM_CHECK int ctm_rule_due(const struct ctm_rule *r, int64_t from_ms, int64_t *due_ms, struct ctm_err *err);
/* The civil day of an instant in the pack's zone, "YYYY-MM-DD". */
CTM_CHECK int ctm_pack_day(const struct ctm_pack *p, int64_t ms, char out[11], struct ctm_err *err);
const char *ctm_unit_name(enum ctm_unit u);                /* "days", "business_days", "months", "years" */

/* --- case tables ---------------------------------------------------------------------------------------------- */

struct ctm_case_guard;                 /* case/engine.h */
struct ctm_case_effect;
struct ctm_case_state {
	const char *id, *title;
	const char *whose;                 /* whose move it is: applicant, lab, cla; "" in a final or own-pace state */
	const char *clock;                 /* rule started on entering and ended on leaving; "" when nobody waits */
	bool final;
};
struct ctm_case_row {
	const struct ctm_case_state *from, *to;
	const char *event, *title, *citation;
	const char *kind;                  /* the row holds when data.kind says this; "" for any */
	unsigned roles;                    /* enum ctm_role of http/app.h */
	const struct ctm_case_guard **guards; size_t nguards;
	const struct ctm_case_effect **effects; size_t neffects;
	struct ctm_strs guard_names, effect_names, starts, stops, documents, needs /* data members to be given */;
	const char *part;                  /* case_person part the actor takes; "" for none */
	bool note;                         /* a note must be given */
	unsigned task_role; const char *task_org /* applicant, lab, cla; "" no task */, *task_title;
};
struct ctm_case_table {
	const char *kind, *version, *effective, *title, *opens /* event written when the case is opened */;
	unsigned open_roles;
	unsigned open_task_role; const char *open_task_org, *open_task_title;   /* task of whoever has the first move; role 0: none */
	const struct ctm_pack *law, *scheme;       /* the editions this table was written against */
	const struct ctm_case_state *states; size_t nstates;
	const struct ctm_case_state *initial;
	const struct ctm_case_row *rows; size_t nrows;
};

size_t ctm_case_table_count(const struct ctm_catalogue *c);                                                              /* editions of all tables */
const struct ctm_case_table *ctm_case_table_at(const struct ctm_catalogue *c, size_t i);                                 /* borrowed; i below the count */
const struct ctm_case_table *ctm_case_table_find(const struct ctm_catalogue *c, const char *kind, const char *version);  /* version NULL: latest */
const struct ctm_case_state *ctm_case_state_find(const struct ctm_case_table *t, const char *id);                        /* NULL when there is none */
/* The row for this event in this state; kind "" where the event has none. NULL when the table has no such row. */
const struct ctm_case_row *ctm_case_row_find(const struct ctm_case_table *t, const char *state, const char *event, const char *kind);
const struct ctm_rule *ctm_case_rule(const struct ctm_case_table *t, const char *id);    /* law first, then scheme */

/* --- screening lists ------------------------------------------------------------------------------------------ */

struct ctm_list_entry { const char *name, *kind /* equipment, services, entity, person */, *note; struct ctm_strs aliases; bool demonstration; };
struct ctm_list {
	const char *id, *name, *authority, *edition, *citation, *digest /* sha256 of the canonical file */;
	const struct ctm_list_entry *entries; size_t n;
};
size_t ctm_list_count(const struct ctm_catalogue *c);                         /* may be 0 */
const struct ctm_list *ctm_list_at(const struct ctm_catalogue *c, size_t i);  /* borrowed; i below the count */

/* --- words ---------------------------------------------------------------------------------------------------- */

/* Message of messages/LL.json by dotted key; English when the language lacks it; the key itself when nobody knows it. */
const char *ctm_word(const struct ctm_catalogue *c, const char *key, const char *locale);

/* --- update repositories --------------------------------------------------------------------------------------- */

enum ctm_update_role { CTM_UPDATE_ROOT, CTM_UPDATE_TARGETS, CTM_UPDATE_LINE, CTM_UPDATE_CONFIG, CTM_UPDATE_SNAPSHOT, CTM_UPDATE_TIMESTAMP, CTM_UPDATE_DIRECTOR,
	CTM_UPDATE_ROLES };
struct ctm_update_period { int days, renew_days; };         /* good for so long; renewed so long before the end */
/* Never fails: the file was refused unless every role stands in it once. */
struct ctm_update_period ctm_update_period(const struct ctm_catalogue *c, enum ctm_update_role role);

#endif
