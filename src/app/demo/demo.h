/* SPDX-License-Identifier: Apache-2.0
 *
 * The demonstration: one product walks the whole way, in the open. It uses what anybody could use: the public HTTP API,
 * the pages and the command line; it never opens the database. Everything it learns (ids, tokens of its invented
 * people, what is done) is kept in DIR/demo/state.json, so that a second start carries on or reuses what is there.
 *
 * A step is a row of a table: a key, whose desk it is, what happens in words, and a function. A step that fails says what
 * failed and stops the walk; steps done before are kept.
 */
#ifndef CTM_APP_DEMO_H
#define CTM_APP_DEMO_H
#include "base/json.h"
#include "net/client.h"
#include <stdbool.h>
#include <stdio.h>

struct demo {
	const char *state_dir, *out_dir;
	char base[160];            /* "http://127.0.0.1:8080" */
	char public_url[160];
	char site[192];            /* "https://localhost:8443": the maker's site and the device port */
	int device_port;
	char self[512];            /* directory of the programs */
	ctm_json *st;              /* state.json */
	struct ctm_http *http;
	struct ctm_err *err;
	char note[200];            /* what the step wants to add to its line */
	size_t step;               /* the step being walked, from 0 */
	bool tty;                  /* standard output is a terminal: lines may be written over */
	void (*heard)(void *arg, const char *p, size_t n);   /* hears the standard error of the programs run, while set */
	void *heard_arg;
};

/* On a terminal, show this behind the step's number and desk, in place; nothing elsewhere. */
void demo_show(const struct demo *d, const char *fmt, ...) CTM_PRINTF(2, 3);

struct demo_step {
	const char *key, *desk, *what;
	int (*run)(struct demo *d);
};
extern const struct demo_step demo_steps[];
extern const size_t demo_nsteps;

/* The two units. The camera is ctm-agent, the twin is ctm-agent-flawed with defects seeded on purpose. Each has a loopback
 * address of its own, so that a port scan of it sees it alone: 127.78.N.host, N from the device port, so that two
 * demonstrations on one machine do not meet. */
struct demo_unit {
	const char *name, *model, *title, *serial, *program, *defects;
	int host;
};
const struct demo_unit *demo_unit(const char *name);
#define DEMO_ADMIN_PORT "9443"
#define DEMO_ADMIN_PORT_NO 9443
#define DEMO_CONTROL_HOST 254     /* nothing of the demonstration listens there */
void demo_address(const struct demo *d, int host, char out[16]);

/* state.json: flat strings by key ("product.camera", "token.owner") and the list "done". */
const char *demo_get(const struct demo *d, const char *key);                  /* aborts the walk with a sentence when absent */
CTM_CHECK int demo_set(struct demo *d, const char *key, const char *value);
CTM_CHECK int demo_setf(struct demo *d, const char *value, const char *keyfmt, ...) CTM_PRINTF(3, 4);
const char *demo_getf(const struct demo *d, const char *keyfmt, ...) CTM_PRINTF(2, 3);
CTM_CHECK int demo_save(struct demo *d);

/* An object of strings: demo_obj("name", n, "model", m, NULL). */
ctm_json *demo_obj(const char *key, ...) __attribute__((sentinel));
/* One API call as a person of the cast ("" for nobody). Owns body; out may be NULL. */
CTM_CHECK int demo_call(struct demo *d, const char *person, const char *method, ctm_json *body, ctm_json **out, const char *pathfmt, ...) CTM_PRINTF(6, 7);
/* The same, but it must be refused with this error; the refusal's sentence goes to d->note. */
CTM_CHECK int demo_refused(struct demo *d, int code, const char *person, const char *method, ctm_json *body, const char *pathfmt, ...) CTM_PRINTF(6, 7);
CTM_CHECK int demo_upload(struct demo *d, const char *person, const char *method, const char *type, const void *p, size_t n, ctm_json **out, const char *pathfmt, ...) CTM_PRINTF(8, 9);
CTM_CHECK int demo_fetch(struct demo *d, const char *person, struct ctm_buf *out, const char *pathfmt, ...) CTM_PRINTF(4, 5);
/* Poll GET path as person until the string at member (dotted) equals want; times out with what was seen. */
CTM_CHECK int demo_until(struct demo *d, const char *person, const char *member, const char *want, int timeout_ms, const char *pathfmt, ...) CTM_PRINTF(6, 7);

/* Run a program of ours ("ctm-lab"); its exit status must be `want`. Output is kept in d->note on failure. out may be NULL. */
CTM_CHECK int demo_run(struct demo *d, int want, int timeout_ms, struct ctm_buf *out, const char *const *argv);
/* Read a file of the demonstration data with @NAME@ replaced: pairs of name, value, NULL at the end. */
CTM_CHECK int demo_data(struct demo *d, struct ctm_buf *out, const char *file, ...) __attribute__((sentinel));
CTM_CHECK int demo_data_json(struct demo *d, ctm_json **out, const char *file);
/* Path in DIR/demo: "camera/agent.json". Directories are made. */
CTM_CHECK int demo_path(const struct demo *d, char *out, size_t cap, const char *fmt, ...) CTM_PRINTF(4, 5);
CTM_CHECK int demo_write(struct demo *d, const char *path, const void *p, size_t n, unsigned mode);

/* Parts of the walk, by desk. `unit` is "camera" or "twin". */
CTM_CHECK int demo_people(struct demo *d);
CTM_CHECK int demo_product(struct demo *d, const char *unit);
CTM_CHECK int demo_release(struct demo *d, const char *unit, const char *version, const char *older);
CTM_CHECK int demo_build_unit(struct demo *d, const char *unit);
CTM_CHECK int demo_start_agent(struct demo *d, const char *unit);
CTM_CHECK int demo_apply(struct demo *d, const char *unit, const char *version);
CTM_CHECK int demo_evaluate(struct demo *d, const char *unit, const char *version);
CTM_CHECK int demo_decide(struct demo *d, const char *unit, const char *version, bool grant);
CTM_CHECK int demo_write_out(struct demo *d, const char *unit, const char *version);
CTM_CHECK int demo_links(struct demo *d);
CTM_CHECK int demo_self_decision(struct demo *d);
CTM_CHECK int demo_verify(struct demo *d);
CTM_CHECK int demo_no_label(struct demo *d);
CTM_CHECK int demo_suspend(struct demo *d);
CTM_CHECK int demo_reinstate(struct demo *d);
CTM_CHECK int demo_withdraw(struct demo *d);

#endif
