/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm fsck: is what was kept still what was kept? One line per question; exit status 1 on damage. It repairs nothing,
 * because whatever is damaged here is evidence.
 * ctm doctor: can this machine and directory do the work? One line per thing, with what to do where the answer is no.
 * ctm config check: is ctm.json in order?
 */
#include "app/admin.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include "store/audit.h"
#include "store/blob.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

/* ---- doctor ---- */

struct doctor { const char *state; unsigned bad; };

static void say(struct doctor *d, bool good, const char *what, const char *detail)
{
	printf("%-6s %-16s %s\n", good ? "good" : "LOOK", what, detail);
	d->bad += !good;
}

static void look_mode(struct doctor *d, const char *name, unsigned forbidden, const char *todo)
{
	char path[ADMIN_PATH], text[256];
	struct stat st;
	if (lstat(admin_path(d->state, name, path), &st))
		snprintf(text, sizeof text, "is missing; ctm init --state %.100s makes it", d->state);
	else
		snprintf(text, sizeof text, "mode %03o%s%s", st.st_mode & 0777u, st.st_mode & forbidden ? ": " : "", st.st_mode & forbidden ? todo : "");
	say(d, !lstat(path, &st) && !(st.st_mode & forbidden), name, text);
}

static void look_port(struct doctor *d, const char *what, int64_t port, const char *pid_file)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char text[128];
	CTM_AUTO_FD fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;
	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	bool ours = admin_exists(d->state, pid_file), free_port = !bind(fd, (struct sockaddr *)&sa, sizeof sa);
	snprintf(text, sizeof text, "port %lld %s", (long long)port, free_port ? "is free" : ours ? "is served" :
		errno == EACCES ? "needs privileges; choose one above 1023" : "is in use by another program; choose another port");
	say(d, free_port || ours, what, text);
}

static void look_program(struct doctor *d, const char *what, const char *const argv[], const char *todo)
{
	CTM_AUTO_BUF out = CTM_BUF(65536), errout = CTM_BUF(65536);
	struct ctm_err err = { 0 };
	int status = -1;
	struct ctm_proc p = { .argv = argv, .timeout_ms = 10000 };
	int rc = ctm_proc_run(&p, &out, &errout, &status, &err);
	const char *text = out.len ? ctm_buf_cstr(&out) : ctm_buf_cstr(&errout);
	char first[80];
	snprintf(first, sizeof first, "%.*s", (int)strcspn(text, "\n"), text);
	say(d, !rc && !status && *first, what, rc || status || !*first ? todo : first);
}

/* The file, or the server: who may read it is the server's matter, so it is asked for what the platform will ask it for. */
static void look_database(struct doctor *d, const ctm_json *conf)
{
	struct ctm_err err = { 0 };
	struct ctm_db *db = NULL;
	char text[128];
	if (!ctm_json_get(conf, "database")) {
		look_mode(d, "ctm.db", 0077, "others can read the database; chmod 600");
		return;
	}
	bool ok = !admin_db(d->state, conf, CTM_DB_RW, &db, &err);
	int schema = ok ? ctm_db_schema(db) : 0;
	if (schema)
		snprintf(text, sizeof text, "the server answers, schema %d", schema);
	else
		snprintf(text, sizeof text, "the server answers, but has no tables yet; ctm init makes them");
	say(d, ok && schema, "database", ok ? text : err.msg);
	ctm_db_close(db);
}

static void look_clock(struct doctor *d)
{
	char at[CTM_RFC3339_MAX];
	int64_t now = ctm_now_ms(), built = 0;
	ctm_time_rfc3339(now, at);
	if (ctm_time_parse("2026-01-01", &built))
		return;
	say(d, now > built, "clock", now > built ? at : "the clock stands before this program was written; set it, or certificates and clocks will be wrong");
}

static void doctor(struct doctor *d)
{
	static const char *const nginx[] = { "nginx", "-v", NULL }, *const nginx_sbin[] = { "/usr/sbin/nginx", "-v", NULL };
	static const char *const fonts[] = { "fc-match", "-f", "%{family}", "sans-serif", NULL };
	CTM_AUTO_JSON *conf = NULL;
	struct ctm_err err = { 0 };
	bool ok = !admin_conf(d->state, &conf, &err);
	say(d, ok, "ctm.json", ok ? ctm_json_gets(conf, "public_url") : err.msg);
	look_mode(d, "keys", 0077, "others can look in; chmod 700");
	look_mode(d, "keys/ca.pem", 0177, "others can read the key; chmod 600");
	look_mode(d, "keys/cla.pem", 0177, "others can read the key; chmod 600");
	look_mode(d, "keys/log.pem", 0177, "others can read the key; chmod 600");
	look_database(d, conf);
	if (ok) {
		int64_t port;
		const char *listen = ctm_json_gets(conf, "listen"), *colon = strrchr(listen, ':');
		if (colon && !ctm_parse_i64(colon + 1, 1, 65535, &port))
			look_port(d, "pages", port, "run/serve.pid");
		look_port(d, "device port", ctm_json_geti(conf, "device_port", 0), "edge/nginx.pid");
	}
	look_clock(d);
	look_program(d, "nginx", access(nginx_sbin[0], X_OK) ? nginx : nginx_sbin, "nginx is not installed; devices cannot connect without it (Debian package nginx-light)");
	look_program(d, "fonts", fonts, "no fonts are installed; documents and labels need some (Debian package fonts-dejavu-core)");
}

int admin_doctor(int argc, char **argv)
{
	struct doctor d = { .state = "./var" };
	struct ctm_err err = { 0 };
	const struct ctm_opt opts[] = { { "state", "DIR", "State directory (default ./var).", &d.state, NULL } };
	const struct ctm_cmd cmd = { "doctor", "", "Look whether this machine and state directory can do the work; exit status 1 where something needs a look.", opts, 1, 0, 0 };
	bool helped = false;
	int nargs = 0;
	if (ctm_cli_parse(&cmd, argc, argv, NULL, &nargs, &helped, &err))
		return ctm_cli_die("doctor", &err);
	if (!helped)
		doctor(&d);
	return d.bad ? 1 : 0;
}

/* ---- config check ---- */

int admin_config(int argc, char **argv)
{
	const char *state = "./var", *args[1] = { NULL };
	struct ctm_err err = { 0 };
	CTM_AUTO_JSON *conf = NULL;
	const struct ctm_opt opts[] = { { "state", "DIR", "State directory (default ./var).", &state, NULL } };
	const struct ctm_cmd cmd = { "config", "check", "Check ctm.json; the refusal names the member.", opts, 1, 1, 1 };
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	if (!rc && !ctm_streq(args[0], "check"))
		rc = ctm_fail(&err, CTM_E_USAGE, "VERB", NULL, "\"%s\" is not known; the verb is: ctm config check", args[0]);
	if (!rc)
		rc = admin_conf(state, &conf, &err);
	if (rc)
		return ctm_cli_die("config", &err);
	printf("ctm.json is in order: %s, device port %lld, log %s\n", ctm_json_gets(conf, "public_url"), (long long)ctm_json_geti(conf, "device_port", 0),
		ctm_json_gets(conf, "origin"));
	return 0;
}
