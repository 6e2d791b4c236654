/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm init: a state directory from nothing. Every step makes what is missing and leaves what is there, and ctm.json is
 * written last, so a run that was interrupted is finished by running it again, and a second run changes nothing.
 */
#include "app/admin.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/key.h"
#include "crypto/vault.h"
#include "crypto/x509.h"
#include "identity/identity.h"
#include "registry/note.h"
#include <stdio.h>
#include <string.h>

#define CA_DAYS 7300

struct init {
	const char *state, *url, *listen, *device_port, *origin, *cla, *lab, *name, *email, *database;
	bool json, quiet;
	struct ctm_key *ca, *cla_key, *log_key, *lab_key;
	ctm_json *conf;
	ctm_json *link;
	unsigned made;                     /* things made by this run */
};

static void say(const struct init *in, bool made, const char *what)
{
	if (!in->quiet && !in->json)
		printf("%-9s %s\n", made ? "made" : "is there", what);
}

static int directories(struct init *in, struct ctm_err *err)
{
	static const struct { const char *name; unsigned mode; } dirs[] = { { "blobs", 0700 }, { "keys", 0700 }, { "public/p", 0755 }, { "public/log", 0755 },
		{ "run", 0700 }, { "edge", 0700 } };
	char path[ADMIN_PATH];
	int rc = ctm_mkdirs(in->state, 0700, err);
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs && !rc; i++)
		rc = ctm_mkdirs(admin_path(in->state, dirs[i].name, path), dirs[i].mode, err);
	return rc;
}

static int one_key(struct init *in, const char *file, enum ctm_alg alg, struct ctm_key **out, struct ctm_err *err)
{
	char path[ADMIN_PATH];
	bool there = admin_exists(in->state, file);
	admin_path(in->state, file, path);
	int rc = there ? ctm_key_load(path, out, err) : ctm_key_generate(alg, out, err);
	if (!rc && !there)
		rc = ctm_key_store(*out, path, err);
	if (!rc && ctm_key_alg(*out) != alg)
		rc = ctm_fail(err, CTM_E_INPUT, file, NULL, "%s holds a key of another kind than is needed; nothing was changed", file);
	if (rc)
		return rc;
	in->made += !there;
	say(in, !there, file);
	return 0;
}

/* What seals the secrets of people's authenticator apps and of mails that wait. */
static int people_key(struct init *in, struct ctm_err *err)
{
	char path[ADMIN_PATH];
	CTM_AUTO_VAULT v = { { 0 } };
	bool there = admin_exists(in->state, "keys/people.key");
	int rc = ctm_vault_open(admin_path(in->state, "keys/people.key", path), &v, err);
	if (rc)
		return rc;
	in->made += !there;
	say(in, !there, "keys/people.key");
	return 0;
}

static int keys(struct init *in, struct ctm_err *err)
{
	/* What the server says about update repositories: their root names these keys. */
	static const char *const online[] = { "keys/snapshot.pem", "keys/timestamp.pem", "keys/director.pem" };
	int rc = one_key(in, "keys/ca.pem", CTM_ALG_ES256, &in->ca, err);
	if (!rc)
		rc = one_key(in, "keys/cla.pem", CTM_ALG_ED25519, &in->cla_key, err);
	if (!rc)
		rc = one_key(in, "keys/log.pem", CTM_ALG_ED25519, &in->log_key, err);
	if (!rc)
		rc = one_key(in, "keys/lab.pem", CTM_ALG_ED25519, &in->lab_key, err);
	for (size_t i = 0; !rc && i < sizeof online / sizeof *online; i++) {
		CTM_AUTO_KEY *k = NULL;
		rc = one_key(in, online[i], CTM_ALG_ED25519, &k, err);
	}
	return rc ? rc : people_key(in, err);
}

static ctm_json *signer_of(const char *name, const struct ctm_key *k)
{
	uint8_t raw[65];
	char hex[2 * 65 + 1], id[17];
	ctm_hex(raw, ctm_key_raw(k, raw), hex);
	ctm_key_id(k, id);
	ctm_json *o = ctm_json_obj(), *list = ctm_json_arr();
	int rc = ctm_json_sets(o, "name", name) | ctm_json_sets(o, "key_id", id) | ctm_json_sets(o, "ed25519", hex);
	if (ctm_json_add(list, o) | rc) {
		ctm_json_free(list);
		return NULL;
	}
	return list;
}

static int write_json(const char *dir, const char *file, const ctm_json *v, unsigned mode, struct ctm_err *err)
{
	char path[ADMIN_PATH];
	CTM_AUTO_BUF b = CTM_BUF(65536);
	int rc = ctm_json_pretty(v, &b);
	if (rc)
		return ctm_fail(err, rc, file, NULL, "%s cannot be written", file);
	return ctm_file_write(admin_path(dir, file, path), b.p, b.len, mode, err);
}

static int trust(struct init *in, struct ctm_err *err)
{
	if (admin_exists(in->state, "trust.json")) {
		say(in, false, "trust.json (public keys, for everybody who verifies)");
		return 0;
	}
	uint8_t raw[65];
	CTM_AUTO_BUF vkey = CTM_BUF(1024), ca = CTM_BUF(16384);
	CTM_AUTO_JSON *o = ctm_json_obj();
	ctm_key_raw(in->log_key, raw);
	ctm_vkey_write(in->origin, raw, &vkey);
	int rc = ctm_ca_new(in->ca, "ctm device CA", in->cla, ctm_now_ms(), CA_DAYS, &ca, err);
	if (rc)
		return rc;
	ctm_json *log = ctm_json_obj();
	rc = ctm_json_sets(log, "origin", in->origin) | ctm_json_sets(log, "vkey", ctm_buf_cstr(&vkey));
	rc |= ctm_json_sets(o, "format", "ctm.trust/1");
	rc |= ctm_json_set(o, "log", log) | ctm_json_set(o, "cla", signer_of(in->cla, in->cla_key)) | ctm_json_set(o, "lab", signer_of(in->lab, in->lab_key));
	rc |= ctm_json_sets(o, "device_ca", ctm_buf_cstr(&ca));
	if (rc)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for trust.json");
	if ((rc = write_json(in->state, "trust.json", o, 0644, err)))
		return rc;
	in->made++;
	say(in, true, "trust.json (public keys, for everybody who verifies)");
	return 0;
}

static int edge_cert(struct init *in, struct ctm_err *err)
{
	char path[ADMIN_PATH];
	CTM_AUTO_JSON *t = NULL;
	bool made = false;
	int rc = ctm_json_load(admin_path(in->state, "trust.json", path), 65536, &t, err);
	if (!rc)
		rc = admin_edge_cert(in->state, in->conf, in->ca, ctm_json_gets(t, "device_ca"), &made, err);
	if (rc)
		return rc;
	in->made += made;
	say(in, made, "edge/server.pem (certificate of the device port)");
	return 0;
}

static int add_operator(struct init *in, struct ctm_db *db, struct ctm_err *err)
{
	char org[CTM_UUID_MAX], person[CTM_UUID_MAX];
	int64_t now = ctm_now_ms();
	int rc = ctm_tx_begin(db, err);
	if (rc)
		return rc;
	rc = ctm_organisation_add(db, now, "ctm init", "platform", "Platform", "platform", "", NULL, org, err);
	if (!rc)
		rc = ctm_person_add(db, now, "ctm init", in->name, in->email, person, err);
	if (!rc)
		rc = ctm_membership_add(db, now, "ctm init", person, org, "platform.operator", err);
	if (!rc)
		rc = ctm_tx_commit(db, err);
	if (rc)
		ctm_tx_rollback(db);
	return rc;
}

static int database(struct init *in, struct ctm_err *err)
{
	struct ctm_db *db;
	int from = 0, to = 0, rc = admin_db(in->state, in->conf, CTM_DB_RW, &db, err);
	if (rc)
		return rc;
	rc = ctm_db_migrate(db, &from, &to, err);
	if (!rc) {
		in->made += from != to;
		say(in, from != to, in->database ? "the database, on its server" : "ctm.db (the database)");
		struct ctm_err none = { 0 };
		rc = admin_operator_link(db, in->url, &in->link, &none);
		bool first = rc == CTM_E_NOTFOUND;
		if (first && !(rc = add_operator(in, db, err)))
			rc = admin_operator_link(db, in->url, &in->link, err);
		else if (rc)
			rc = ctm_fail(err, rc, none.field, none.rule, "%s", none.msg);
		in->made += !rc && first;
		if (!rc)
			say(in, first, "the first operator");
	}
	ctm_db_close(db);
	return rc;
}

static int make_conf(struct init *in, struct ctm_err *err)
{
	int64_t port;
	ctm_json *o = ctm_json_obj(), *keys_o = ctm_json_obj();
	if (ctm_parse_i64(in->device_port, 1, 65535, &port))
		port = 0;
	int rc = ctm_json_sets(o, "format", "ctm.config/1") | ctm_json_sets(o, "public_url", in->url) | ctm_json_sets(o, "listen", in->listen) |
		ctm_json_seti(o, "device_port", port) | ctm_json_sets(o, "origin", in->origin);
	static const char *const names[] = { "ca", "cla", "log", "lab", "snapshot", "timestamp", "director" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		rc |= ctm_json_setf(keys_o, names[i], "keys/%s.pem", names[i]);
	rc |= ctm_json_set(o, "keys", keys_o);
	if (in->database)
		rc |= ctm_json_sets(o, "database", in->database);
	in->conf = o;
	return rc ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for ctm.json") : admin_conf_check(o, err);
}

/* What is already configured wins over options: two runs cannot make two truths. */
static int configuration(struct init *in, struct ctm_err *err)
{
	if (!admin_exists(in->state, "ctm.json"))
		return make_conf(in, err);
	int rc = admin_conf(in->state, &in->conf, err);
	if (rc)
		return rc;
	in->url = ctm_json_gets(in->conf, "public_url");
	in->origin = ctm_json_gets(in->conf, "origin");
	in->database = ctm_json_gets(in->conf, "database");
	return 0;
}

static int init(struct init *in, struct ctm_err *err)
{
	int rc = configuration(in, err);
	if (!rc)
		rc = directories(in, err);
	if (!rc)
		rc = keys(in, err);
	if (!rc)
		rc = trust(in, err);
	if (!rc)
		rc = edge_cert(in, err);
	if (!rc)
		rc = database(in, err);
	bool there = admin_exists(in->state, "ctm.json");
	if (!rc && !there)
		rc = write_json(in->state, "ctm.json", in->conf, 0644, err);
	if (!rc) {
		in->made += !there;
		say(in, !there, "ctm.json (the configuration)");
	}
	return rc;
}

static void tell(const struct init *in)
{
	if (in->json)
		admin_print_json(in->link);
	if (in->json || in->quiet)
		return;
	if (!in->made)
		printf("Everything was there already; nothing was changed but a new sign-in link made.\n");
	printf("\n");
	admin_print_link(in->link, false);
	printf("\nNext: ctm signer --state %s   and   ctm serve --state %s\n", in->state, in->state);
}

int admin_init(int argc, char **argv)
{
	struct init in = { .state = "./var", .url = "http://localhost:8080", .listen = "127.0.0.1:8080", .device_port = "8443", .origin = "localhost/ctm-log",
		.cla = "Label administrator", .lab = "Laboratory", .name = "Operator", .email = "operator@ctm.invalid" };
	struct ctm_err err = { 0 };
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "State directory to make (default ./var).", &in.state, NULL },
		{ "public-url", "URL", "Address under which people reach the pages; printed in labels.", &in.url, NULL },
		{ "listen", "ADDRESS:PORT", "Where the platform listens on this machine (default 127.0.0.1:8080).", &in.listen, NULL },
		{ "device-port", "N", "TCP port of the edge for devices (default 8443).", &in.device_port, NULL },
		{ "origin", "NAME", "Name of the transparency log; never changes afterwards.", &in.origin, NULL },
		{ "database", "ADDRESS", "Keep rows on a PostgreSQL server: postgresql://HOST/DATABASE or \"postgresql:host=... dbname=...\"; otherwise in the file ctm.db.",
			&in.database, NULL },
		{ "cla-name", "NAME", "Name of the label administrator in the trust list.", &in.cla, NULL },
		{ "lab-name", "NAME", "Name of the laboratory in the trust list.", &in.lab, NULL },
		{ "operator-name", "NAME", "Name of the first operator.", &in.name, NULL },
		{ "operator-email", "MAIL", "Mail address of the first operator.", &in.email, NULL },
		{ "json", NULL, "Print {link, token, expires} as JSON.", NULL, &in.json },
		{ "quiet", NULL, "Print nothing but refusals.", NULL, &in.quiet },
	};
	const struct ctm_cmd cmd = { "init", "", "Make a state directory: configuration, keys, trust list, database, first operator and a one-time sign-in link. What is "
		"there already is kept.", opts, sizeof opts / sizeof *opts, 0, 0 };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, NULL, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	if (!rc)
		rc = init(&in, &err);
	if (!rc)
		tell(&in);
	ctm_key_free(in.ca);
	ctm_key_free(in.cla_key);
	ctm_key_free(in.log_key);
	ctm_key_free(in.lab_key);
	ctm_json_free(in.conf);
	ctm_json_free(in.link);
	return rc ? ctm_cli_die("init", &err) : 0;
}
