/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm fsck: is what was kept still what was kept? One line per question; exit status 1 on damage. It repairs nothing,
 * because whatever is damaged here is evidence.
 * ctm config check: is ctm.json in order?
 */
#include "app/admin.h"
#include "base/file.h"
#include "base/text.h"
#include "store/audit.h"
#include "store/blob.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- fsck ---- */

struct fsck { const char *state; struct ctm_db *db; struct ctm_blobs *blobs; unsigned bad; };

static void line(void *arg, bool good, const char *what, const char *detail)
{
	struct fsck *f = arg;
	printf("%-7s %-18s %s\n", good ? "good" : "DAMAGED", what, detail);
	f->bad += !good;
}

static void check_engine(struct fsck *f)
{
	CTM_AUTO_Q *q = ctm_q(f->db, "fsck.engine");
	struct ctm_err err = { 0 };
	bool row = false;
	if (ctm_q_step(q, &row, &err) || !row)
		line(f, false, "database", *err.msg ? err.msg : "the database cannot be checked");
	else
		line(f, ctm_streq(ctm_q_str(q, "integrity_check"), "ok"), "database", ctm_q_str(q, "integrity_check"));
}

static void check_references(struct fsck *f)
{
	CTM_AUTO_Q *q = ctm_q(f->db, "fsck.references");
	struct ctm_err err = { 0 };
	char text[256];
	unsigned n = 0;
	bool row = false;
	int rc;
	while (!(rc = ctm_q_step(q, &row, &err)) && row)
		if (n++ < 20) {
			snprintf(text, sizeof text, "a row of %s points to a row of %s that is not there", ctm_q_str(q, "table"), ctm_q_str(q, "parent"));
			line(f, false, "references", text);
		}
	if (rc)
		line(f, false, "references", err.msg);
	else if (!n)
		line(f, true, "references", "every row points to a row that is there");
}

static void check_audit(struct fsck *f)
{
	struct ctm_err err = { 0 };
	char head[72] = "", text[256];
	int64_t n = 0;
	int rc = ctm_audit_check(f->db, &n, head, &err);
	snprintf(text, sizeof text, "%lld lines, head %.24s", (long long)n, head);
	line(f, !rc, "audit chain", rc ? err.msg : text);
}

static void bad_blob(const char *name, const char *why, void *arg)
{
	char text[256];
	snprintf(text, sizeof text, "%.80s: %.120s", name, why);
	line(arg, false, "files", text);
}

static void check_blobs(struct fsck *f)
{
	struct ctm_err err = { 0 };
	char text[128];
	int64_t n = 0;
	unsigned before = f->bad;
	if (ctm_blobs_fsck(f->blobs, bad_blob, f, &n, &err)) {
		line(f, false, "files", err.msg);
	} else if (f->bad == before) {
		snprintf(text, sizeof text, "%lld files hold what their names say", (long long)n);
		line(f, true, "files", text);
	}
}

/* Every digest a row names has its file. */
static void check_digests(struct fsck *f)
{
	CTM_AUTO_Q *q = ctm_q(f->db, "fsck.digests");
	struct ctm_err err = { 0 };
	char path[ADMIN_PATH], text[256];
	unsigned n = 0, missing = 0;
	bool row = false;
	int rc;
	while (!(rc = ctm_q_step(q, &row, &err)) && row) {
		const char *digest = ctm_q_str(q, "digest");
		n++;
		if (!ctm_blob_path(f->blobs, digest, path, sizeof path) && !access(path, R_OK))
			continue;
		missing++;
		snprintf(text, sizeof text, "%s %s names %s, which is not in blobs/", ctm_q_str(q, "place"), ctm_q_str(q, "id"), digest);
		line(f, false, "named files", text);
	}
	snprintf(text, sizeof text, "%u files named by rows are there", n);
	if (rc || !missing)
		line(f, !rc, "named files", rc ? err.msg : text);
}

static int fsck(struct fsck *f, struct ctm_err *err)
{
	char path[ADMIN_PATH];
	CTM_AUTO_JSON *conf = NULL;
	int rc = admin_conf(f->state, &conf, err);
	if (!rc)
		rc = admin_db(f->state, conf, CTM_DB_RO, &f->db, err);
	if (!rc)
		rc = ctm_blobs_open(admin_path(f->state, "blobs", path), &f->blobs, err);
	if (!rc) {
		check_engine(f);
		check_references(f);
		check_audit(f);
		check_blobs(f);
		check_digests(f);
		rc = admin_log_check(f->state, f->db, f->blobs, line, f, err);
	}
	ctm_blobs_close(f->blobs);
	ctm_db_close(f->db);
	return rc;
}

int admin_fsck(int argc, char **argv)
{
	struct fsck f = { .state = "./var" };
	struct ctm_err err = { 0 };
	const struct ctm_opt opts[] = { { "state", "DIR", "State directory (default ./var).", &f.state, NULL } };
	const struct ctm_cmd cmd = { "fsck", "", "Check everything that is kept: database, references, audit chain, files, log and proofs. Reads only; exit status 1 on damage.", opts, 1, 0, 0 };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, NULL, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	if (!rc)
		rc = fsck(&f, &err);
	return rc ? ctm_cli_die("fsck", &err) : f.bad ? 1 : 0;
}

/* ---- config check ---- */

int admin_config(int argc, char **argv)
{
	const char *state = "./var", *args[1] = { NULL };
	struct ctm_err err = { 0 };
	CTM_AUTO_JSON *conf = NULL;
	bool json = false;
	const struct ctm_opt opts[] = { { "state", "DIR", "State directory (default ./var).", &state, NULL },
		{ "json", NULL, "Print {good, field, detail} as JSON.", NULL, &json } };
	const struct ctm_cmd cmd = { "config", "check", "Check ctm.json; the refusal names the member.", opts, 2, 1, 1 };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	if (!rc && !ctm_streq(args[0], "check"))
		rc = ctm_fail(&err, CTM_E_USAGE, "VERB", NULL, "\"%s\" is not known; the verb is: ctm config check", args[0]);
	if (rc)
		return ctm_cli_die("config", &err);
	rc = admin_conf(state, &conf, &err);
	if (json) {
		CTM_AUTO_JSON *o = ctm_json_obj();
		if (!(ctm_json_setb(o, "good", !rc) | ctm_json_sets(o, "field", err.field) | ctm_json_sets(o, "detail", rc ? err.msg : "in order")))
			admin_print_json(o);
		return rc ? ctm_err_exit(err.code) : 0;
	}
	if (rc)
		return ctm_cli_die("config", &err);
	printf("ctm.json is in order: %s, device port %lld, log %s\n", ctm_json_gets(conf, "public_url"), (long long)ctm_json_geti(conf, "device_port", 0),
		ctm_json_gets(conf, "origin"));
	return 0;
}
