/* SPDX-License-Identifier: Apache-2.0
 *
 * What probes share: the state of one run on one bench, calls to the sample's local administration interface, and the ways to
 * record. A probe observes and records; it never says whether that is good. It returns 0 when it could observe (a device that
 * refuses or does not answer is an observation), and an error only when the engine itself failed: that check is then ERROR.
 *
 * Every packet goes to an address that ctm_target_allowed() let through. Secrets are recorded as HMAC-SHA-256 under a key that
 * is made for the run and thrown away with it: equal secrets look equal inside one bundle, and nothing can be guessed from it.
 */
#ifndef CTM_LAB_PROBE_H
#define CTM_LAB_PROBE_H
#include "lab/bench.h"
#include "lab/check.h"
#include "lab/trace.h"
#include "net/client.h"

struct ctm_run {
	const struct ctm_lab_catalogue *catalogue;
	const ctm_json *plan, *declaration;
	const struct ctm_bench *bench;
	struct ctm_trace *trace;
	int64_t start_us;                            /* ctm_mono_us() of the start */
	uint8_t salt[32];

	const struct ctm_check *check;               /* being observed now; NULL between checks */
	const char *component;

	struct ctm_http *http;                       /* the sample's administration interface */
	char token[256];                             /* owner's session, "" when none */
	char last_token[256];                        /* a token that a logout or a reset should have killed */
	char password[CTM_BENCH_PASSWORD_MAX];       /* what the owner's password is believed to be now */
	bool changed;                                /* a check that changes the sample's state has run */
	bool reset_done;                             /* a reset by the owner was made and the sample came back */
	char marker[24];                             /* planted in user data, unique to this run */
	ctm_json *ports;                             /* inventory: array of open ports on the sample, after subtraction; NULL before N01 */
};

typedef int (*ctm_probe_fn)(struct ctm_run *r, struct ctm_err *err);
ctm_probe_fn ctm_probe_find(const char *name);     /* NULL when unknown */
bool ctm_probe_known(const char *name);            /* is there a probe of this name? */

/* Record; data is owned from here on. */
CTM_CHECK int run_record(struct ctm_run *r, const char *kind, ctm_json *data, struct ctm_err *err);
/* "secret:" and 16 hex digits. */
void run_secret(const struct ctm_run *r, const char *s, char out[24]);
int64_t run_param(const struct ctm_run *r, const char *name, int64_t otherwise);
void run_sleep_ms(int64_t ms);

enum lab_auth { LAB_NONE, LAB_OWNER, LAB_BOGUS, LAB_TOKEN };
struct lab_call {
	const char *step;          /* name of this call inside the check, unique there */
	const char *method, *path;
	enum lab_auth auth;
	const char *token;         /* for LAB_TOKEN */
	const ctm_json *body;      /* JSON body, or */
	const void *raw; size_t rawlen; const char *type, *raw_note;   /* raw body, told by its note, size and digest */
};
struct lab_reply { int status; int retry_after_s; ctm_json *json; };   /* status 0: no answer; json may be NULL; freed by lab_reply_free */
void lab_reply_free(struct lab_reply *a);
#define LAB_AUTO_REPLY __attribute__((cleanup(lab_reply_free))) struct lab_reply

/* One exchange with the sample, recorded as kind "call" (secrets in "password", "old", "new", "token" replaced). */
CTM_CHECK int lab_do(struct ctm_run *r, const struct lab_call *c, struct lab_reply *a, struct ctm_err *err);
/* PUT {"text": text} as the owner or otherwise. */
CTM_CHECK int lab_put_text(struct ctm_run *r, const char *step, const char *path, enum lab_auth auth, const char *text, struct ctm_err *err);
/* Sign in; a == NULL tolerated. Sets nothing in r. */
CTM_CHECK int lab_login(struct ctm_run *r, const char *step, const char *password, struct lab_reply *a, struct ctm_err *err);
/* Make sure there is a working owner's session: signs in, changes the initial password if asked to, waits out a lock. Records
 * "owner" {ok, why}. *ok says whether there is one. */
CTM_CHECK int lab_owner(struct ctm_run *r, bool *ok, struct ctm_err *err);
void lab_forget_owner(struct ctm_run *r);
/* Owner's configuration and state: recorded; *out is NULL when refused. */
CTM_CHECK int lab_config(struct ctm_run *r, const char *step, ctm_json **out, struct ctm_err *err);
CTM_CHECK int lab_state(struct ctm_run *r, const char *step, ctm_json **out, struct ctm_err *err);
/* Wait until the identity is answered again, at most ms; records "alive" {ok, waited_ms}. */
CTM_CHECK int lab_wait_alive(struct ctm_run *r, int64_t ms, bool *ok, struct ctm_err *err);
/* A new connection object to the sample (after a restart). */
CTM_CHECK int lab_connect(struct ctm_run *r, struct ctm_err *err);
void lab_disconnect(struct ctm_run *r);

/* The sample's certificate chain (PEM), recorded as "tls.chain"; pem may be NULL. */
CTM_CHECK int lab_chain(struct ctm_run *r, struct ctm_buf *pem, struct ctm_err *err);

/* Bring the sample back to its delivered state (reset by the owner) and record "run.returned" {ok, why}. Outside of any check. */
CTM_CHECK int lab_return(struct ctm_run *r, struct ctm_err *err);

/* {name: another valid value} for every declared setting that has one. NULL without memory; the caller frees. */
ctm_json *lab_changed_config(const struct ctm_run *r, const ctm_json *now);

#define CTM_PROBE(name) int ctm_probe_##name(struct ctm_run *r, struct ctm_err *err)

/* Every probe; the names are those that check files use. */
#define CTM_LAB_PROBES(X) \
	X(port_scan) X(legacy_shell) X(clear_http) X(declared_answer) \
	X(tls_versions) X(tls_suites) X(tls_certificate) \
	X(default_arrival) X(default_in_use) X(nameplate) X(lockout) X(weak_password) \
	X(open_write) X(config_apply) X(config_invalid) \
	X(update_good) X(update_tampered) X(update_unsigned) X(update_older) X(update_open) \
	X(reset) X(reset_open) \
	X(identity) X(proof) X(log_access) X(log_events) X(version_match) \
	X(security_txt) X(disclosure_policy) X(support_end) X(sbom)

#define X(name) CTM_PROBE(name);
CTM_LAB_PROBES(X)
#undef X

#endif
