/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab's catalogue: outcomes (catalogue/ir8425.json) and checks (catalogue/checks/ID.json). A check is data: what it is,
 * which C probe observes (or "" for checks on papers that the plan already holds), which pure C function judges, with which
 * numbers and where each number comes from. There is at most one probe and one judge per check, both by name.
 *
 * The catalogue used by a run travels inside its bundle as one file (format ctm.lab-catalogue/1), and a replay reads that
 * copy: a later edition of the rules never changes an old verdict by accident. Loading is strict: an unknown member, probe,
 * judge, outcome or component kind fails it, naming the file and the JSON pointer.
 */
#ifndef CTM_LAB_CHECK_H
#define CTM_LAB_CHECK_H
#include "base/buf.h"
#include "base/json.h"
#include "lab/verdict.h"
#include <stdbool.h>

#define CTM_LAB_CATALOGUE "ctm.lab-catalogue/1"
#define CTM_CHECKS_MAX 512
#define CTM_OUTCOMES_MAX 512
#define CTM_CATALOGUE_MAX ((size_t)4 << 20)      /* bytes of the catalogue as one file */

/* One outcome row. Pointers are borrowed from the catalogue's tree. */
struct ctm_lab_outcome {
	const char *id, *name, *text, *capability, *parent;   /* parent may be NULL */
	const ctm_json *judged_on;                            /* component kinds; empty: judged through its parts */
	const ctm_json *typical;                              /* usual methods: "test", "inspection", "attestation" */
	bool shown;                                           /* a row of the matrix: judged_on is not empty */
};

struct ctm_check {
	const char *id, *title, *probe, *judge;               /* probe "" when nothing is observed live */
	const char *pass, *fail, *inconclusive, *remedy;
	int version;
	enum ctm_method method;
	enum ctm_danger danger;
	enum ctm_stage stage;
	enum ctm_level level;
	const ctm_json *json;                                 /* the whole file */
	const ctm_json *outcomes, *components, *parameters, *applies, *source;
	const ctm_json *partial;                              /* outcomes of which a PASS shows a part only: it never makes them met alone */
};

struct ctm_lab_catalogue {
	ctm_json *root;                                       /* owned: {format, outcomes, checks} */
	struct ctm_lab_outcome *outcomes; size_t noutcomes;
	struct ctm_check *checks; size_t nchecks;
};

/* Names that check files may use. */
typedef bool (*ctm_name_known)(const char *name);
struct ctm_lab_catalogue_names { ctm_name_known probe, judge; };

/* Read DIR/ir8425.json and DIR/checks/?*.json (sorted by name). NOTFOUND, SYNTAX, INPUT ("FILE POINTER: reason"), NOMEM. */
CTM_CHECK int ctm_lab_catalogue_load(const char *dir, const struct ctm_lab_catalogue_names *names, struct ctm_lab_catalogue **out, struct ctm_err *err);
/* Take a catalogue that is already one tree (root is owned from here on, also on failure). file: for messages. */
CTM_CHECK int ctm_lab_catalogue_parse(ctm_json *root, const char *file, const struct ctm_lab_catalogue_names *names, struct ctm_lab_catalogue **out, struct ctm_err *err);
/* Ids of the checks and outcomes that differ between two catalogues or are in one only; an empty list when they are the same. NOMEM. */
CTM_CHECK int ctm_lab_catalogue_differences(const struct ctm_lab_catalogue *a, const struct ctm_lab_catalogue *b, ctm_json **out);
void ctm_lab_catalogue_free(struct ctm_lab_catalogue *c);
void ctm_lab_catalogue_freep(struct ctm_lab_catalogue **c);
#define CTM_AUTO_LAB_CATALOGUE __attribute__((cleanup(ctm_lab_catalogue_freep))) struct ctm_lab_catalogue

/* Directory of the catalogue: `given` if not NULL, else share/ctm/catalogue beside the program's prefix, else catalogue/ in a
 * parent of the program (a build tree). NOTFOUND. */
CTM_CHECK int ctm_lab_catalogue_dir(const char *given, char *out, size_t cap, struct ctm_err *err);

const struct ctm_check *ctm_check_find(const struct ctm_lab_catalogue *c, const char *id);        /* NULL when absent */
const struct ctm_lab_outcome *ctm_lab_outcome_find(const struct ctm_lab_catalogue *c, const char *id);  /* NULL when absent */
bool ctm_check_on(const struct ctm_check *k, const char *kind);                               /* may run on that component kind */
bool ctm_lab_outcome_on(const struct ctm_lab_outcome *o, const char *kind);                   /* is a row for that component kind */
/* Value of a parameter ({value, unit, why}), NULL when absent. */
const ctm_json *ctm_check_param(const struct ctm_check *k, const char *name);

#endif
