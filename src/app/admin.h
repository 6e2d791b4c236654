/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside of ctm-admin: work on a state directory without the server. Reading commands may run beside a running server;
 * writing ones take the database's own lock for a moment. Each command parses its own options, prints its result and
 * returns an exit status.
 */
#ifndef CTM_APP_ADMIN_H
#define CTM_APP_ADMIN_H
#include "base/cli.h"
#include "base/json.h"
#include "store/store.h"

#define ADMIN_PATH 1200

/* Commands: argv as main() got it, the verb first. They return the exit status. */
int admin_init(int argc, char **argv);
int admin_user(int argc, char **argv);
int admin_edge(int argc, char **argv);
int admin_ca(int argc, char **argv);
int admin_fsck(int argc, char **argv);
int admin_doctor(int argc, char **argv);
int admin_config(int argc, char **argv);

/* dir/sub into out[ADMIN_PATH]; "" when it does not fit. */
const char *admin_path(const char *dir, const char *sub, char out[ADMIN_PATH]);
bool admin_exists(const char *dir, const char *sub);
/* ctm.json of the directory, checked. IO with "make one with ctm init" when it is not there; INPUT names the member. */
CTM_CHECK int admin_conf(const char *dir, ctm_json **out, struct ctm_err *err);
CTM_CHECK int admin_conf_check(const ctm_json *conf, struct ctm_err *err);
CTM_CHECK int admin_db(const char *dir, const ctm_json *conf, enum ctm_db_mode mode, struct ctm_db **out, struct ctm_err *err);
/* Host name of an address such as https://host:port, without brackets. */
CTM_CHECK int admin_url_host(const char *url, char *out, size_t cap, struct ctm_err *err);
/* The server certificate of the device port: edge/server.key, edge/server.pem. Issued by the CA key itself (init) or, with
 * ca_key NULL, by the signer. Kept when the present one is good for 30 days more. *made says which. */
struct ctm_key;
CTM_CHECK int admin_edge_cert(const char *dir, const ctm_json *conf, const struct ctm_key *ca_key, const char *ca_pem, bool *made, struct ctm_err *err);
/* Limits of the device port, member "edge" of ctm.json, each from 1 to 1000000: requests a second of one unit (of one address,
 * where no certificate says which unit) and of one address to the public files; connections of one address. */
struct admin_edge_limits { int64_t device_rate, public_rate, connections; };
CTM_CHECK int admin_edge_limits(const ctm_json *conf, struct admin_edge_limits *out, struct ctm_err *err);   /* what is not named has its default */
/* One-time link of the first operator. Takes a transaction. NOTFOUND when there is no operator yet. */
CTM_CHECK int admin_operator_link(struct ctm_db *db, const char *public_url, ctm_json **out, struct ctm_err *err);
/* {link, token, expires} printed as JSON or as two lines. */
void admin_print_link(const ctm_json *link, bool json);
void admin_print_json(const ctm_json *v);
/* fsck's look at log and statements: one call of `line` per question. An error only when the trust list cannot be read. */
struct ctm_blobs;
CTM_CHECK int admin_log_check(const char *state, struct ctm_db *db, struct ctm_blobs *blobs,
	void (*line)(void *arg, bool good, const char *what, const char *detail), void *arg, struct ctm_err *err);

#endif
