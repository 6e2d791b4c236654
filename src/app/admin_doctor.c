/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm doctor: can this machine and state directory do the work? One line for each thing: good, or LOOK with what to do. It changes nothing;
 * only --mail sends one mail. Exit status 1 where something needs a look. A row of `looks` is a function that says one or more lines.
 */
#include "app/admin.h"
#include "base/file.h"
#include "base/id.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/key.h"
#include "crypto/vault.h"
#include "crypto/x509.h"
#include "net/mail.h"
#include "net/smtp.h"
#include "registry/trust.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)
#define CERT_DAYS 30
#define FREE_MIB_DEFAULT "1024"

struct doctor {
	const char *state, *mail_to, *min_free;
	bool json;
	unsigned bad;
	ctm_json *conf, *checks;           /* conf NULL where ctm.json is not in order */
};

static void say(struct doctor *d, bool good, const char *what, const char *detail)
{
	d->bad += !good;
	if (!d->json) {
		printf("%-6s %-16s %s\n", good ? "good" : "LOOK", what, detail);
		return;
	}
	ctm_json *o = ctm_json_obj();
	if (ctm_json_sets(o, "what", what) | ctm_json_setb(o, "good", good) | ctm_json_sets(o, "detail", detail) || ctm_json_add(d->checks, o))
		fputs("ctm doctor: out of memory\n", stderr);
}

/* ---- files and keys ---- */

static void look_conf(struct doctor *d)
{
	struct ctm_err err = { 0 };
	bool ok = !admin_conf(d->state, &d->conf, &err);
	say(d, ok, "ctm.json", ok ? ctm_json_gets(d->conf, "public_url") : err.msg);
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

static void look_modes(struct doctor *d)
{
	static const char *const keys[] = { "keys/ca.pem", "keys/cla.pem", "keys/log.pem", "keys/people.key" };
	look_mode(d, "keys", 0077, "others can look in; chmod 700");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		look_mode(d, keys[i], 0177, "others can read the key; chmod 600");
}

static bool key_is(const struct doctor *d, const char *file, const uint8_t *pub, char why[300])
{
	struct ctm_key *k = NULL;
	struct ctm_err err = { 0 };
	char path[ADMIN_PATH];
	uint8_t raw[65];
	bool same = !ctm_key_load(admin_path(d->state, file, path), &k, &err) && ctm_key_raw(k, raw) == 32 && !memcmp(raw, pub, 32);
	if (!same)
		snprintf(why, 300, "%.290s", err.msg);
	if (!same && !*err.msg)
		snprintf(why, 300, "%s is another key than the one in trust.json, so nothing it signs would verify; put the right key back from the backup", file);
	ctm_key_free(k);
	return same;
}

/* Do the keys sign what the trust list says? */
static void look_trust(struct doctor *d)
{
	static struct ctm_trust trust;     /* large; the program looks once */
	struct ctm_err err = { 0 };
	char path[ADMIN_PATH], why[300] = "";
	bool ok = !ctm_trust_load(admin_path(d->state, "trust.json", path), &trust, &err);
	if (!ok)
		snprintf(why, sizeof why, "%.290s", err.msg);
	ok = ok && key_is(d, "keys/log.pem", trust.log.pub, why);
	bool one = false;
	for (size_t i = 0; ok && i < trust.ncla && !one; i++)
		one = key_is(d, "keys/cla.pem", trust.cla[i].pub, why);
	say(d, ok && one, "keys fit", ok && one ? "the keys are those of trust.json" : why);
}

/* The file, or the server: who may read it is the server's matter, so it is asked for what the platform will ask it for. */
static void look_database(struct doctor *d)
{
	struct ctm_err err = { 0 };
	struct ctm_db *db = NULL;
	char text[128];
	if (!d->conf || !ctm_json_get(d->conf, "database")) {
		look_mode(d, "ctm.db", 0077, "others can read the database; chmod 600");
		return;
	}
	bool ok = !admin_db(d->state, d->conf, CTM_DB_RW, &db, &err);
	int schema = ok ? ctm_db_schema(db) : 0;
	if (schema)
		snprintf(text, sizeof text, "the server answers, schema %d", schema);
	else
		snprintf(text, sizeof text, "the server answers, but has no tables yet; ctm init makes them");
	say(d, ok && schema, "database", ok ? text : err.msg);
	ctm_db_close(db);
}

/* ---- ports and processes ---- */

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

static void look_ports(struct doctor *d)
{
	int64_t port;
	const char *listen = d->conf ? ctm_json_gets(d->conf, "listen") : NULL, *colon = listen ? strrchr(listen, ':') : NULL;
	if (colon && !ctm_parse_i64(colon + 1, 1, 65535, &port))
		look_port(d, "pages", port, "run/serve.pid");
	if (d->conf)
		look_port(d, "device port", ctm_json_geti(d->conf, "device_port", 0), "edge/nginx.pid");
}

static void look_signer(struct doctor *d)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char path[ADMIN_PATH];
	CTM_AUTO_FD fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool served = admin_exists(d->state, "run/serve.pid");
	bool fits = ctm_copy(un.sun_path, sizeof un.sun_path, admin_path(d->state, "run/signer.sock", path));
	bool runs = fd >= 0 && fits && !connect(fd, (struct sockaddr *)&un, sizeof un);
	say(d, runs || !served, "signer", runs ? "answers" : served ? "does not answer while the platform runs, so granted records wait; start: ctm signer" : "is not running; start: ctm signer");
}

/* ---- TLS ---- */

static void look_edge_cert(struct doctor *d)
{
	CTM_AUTO_BUF pem = CTM_BUF(65536);
	struct ctm_cert_info c;
	struct ctm_err err = { 0 };
	char path[ADMIN_PATH], text[500], host[256] = "";
	int rc = ctm_file_read(admin_path(d->state, "edge/server.pem", path), 65536, &pem, &err);
	rc = rc ? rc : ctm_cert_read(pem.p, pem.len, &c, &err);
	if (rc) {
		snprintf(text, sizeof text, "%.200s; ctm edge nginx makes a new certificate", err.msg);
		say(d, false, "tls", text);
		return;
	}
	char until[CTM_RFC3339_MAX];
	int64_t left = (c.not_after_ms - ctm_now_ms()) / DAY_MS;
	bool named = !d->conf || admin_url_host(ctm_json_gets(d->conf, "public_url"), host, sizeof host, &err) || ctm_streq(host, c.common_name);
	ctm_time_rfc3339(c.not_after_ms, until);
	if (c.not_before_ms > ctm_now_ms())
		snprintf(text, sizeof text, "the certificate of the device port is not valid yet: look at the clock");
	else if (left < CERT_DAYS)
		snprintf(text, sizeof text, "the certificate of the device port ends %.10s; run ctm edge nginx and reload nginx", until);
	else if (!named)
		snprintf(text, sizeof text, "the certificate of the device port is for %s, not for %s; remove edge/server.pem and run ctm edge nginx", c.common_name, host);
	else
		snprintf(text, sizeof text, "certificate of the device port for %s until %.10s", c.common_name, until);
	say(d, c.not_before_ms <= ctm_now_ms() && left >= CERT_DAYS && named, "tls", text);
}

static void look_pages_tls(struct doctor *d)
{
	char host[256], text[400];
	struct ctm_err err = { 0 };
	const char *url = d->conf ? ctm_json_gets(d->conf, "public_url") : NULL;
	if (!url || admin_url_host(url, host, sizeof host, &err))
		return;
	bool local = ctm_streq(host, "localhost") || ctm_starts(host, "127.") || ctm_streq(host, "::1"), good = local || ctm_starts(url, "https://");
	snprintf(text, sizeof text, good ? "%s" : "%s has no TLS: browsers make no passkeys there, and cookies can be read on the way; put a proxy with TLS before it and set public_url to https://", url);
	say(d, good, "pages' TLS", text);
}

/* ---- clock, disk ---- */

/* Neither before this program was written nor before what was recorded last. */
static void look_clock(struct doctor *d)
{
	char at[CTM_RFC3339_MAX], text[200];
	int64_t now = ctm_now_ms(), built = 0, last = 0;
	struct ctm_db *db = NULL;
	struct ctm_err err = { 0 };
	struct timex tx = { .modes = 0 };
	if (ctm_time_parse("2026-01-01", &built))
		return;
	if (d->conf && !admin_db(d->state, d->conf, CTM_DB_RO, &db, &err)) {
		CTM_AUTO_Q *q = ctm_q(db, "audit.newest");
		if (!ctm_q_one(q, &err))
			last = ctm_q_i64(q, "at_ms");
	}
	ctm_db_close(db);
	ctm_time_rfc3339(now, at);
	bool kept = adjtimex(&tx) != TIME_ERROR;
	if (now <= built)
		snprintf(text, sizeof text, "the clock stands before this program was written; set it, or certificates and clocks will be wrong");
	else if (now + 60000 < last)
		snprintf(text, sizeof text, "the clock stands at %s, before the newest line of the audit chain; set it, or run a time service", at);
	else
		snprintf(text, sizeof text, "%s%s", at, kept ? ", kept by a time service" : "; no time service keeps it, so look at it now and then (Debian package chrony)");
	say(d, now > built && now + 60000 >= last, "clock", text);
}

static void look_disk(struct doctor *d)
{
	struct statvfs v;
	char text[200];
	int64_t want = 0;
	if (ctm_parse_i64(d->min_free, 0, INT64_C(1) << 40, &want) || statvfs(d->state, &v)) {
		say(d, false, "disk", "the state directory cannot be looked at, or --min-free is no number");
		return;
	}
	int64_t free_mib = (int64_t)((double)v.f_bavail * (double)v.f_frsize / (1 << 20));
	int64_t files = v.f_files ? (int64_t)v.f_favail : 1000000;      /* some file systems do not count */
	bool writable = !(v.f_flag & ST_RDONLY) && !access(d->state, W_OK);
	bool good = writable && free_mib >= want && files >= 10000;
	snprintf(text, sizeof text, !writable ? "the state directory cannot be written; mount it read-write and give it to this user" : free_mib < want ?
		"%lld MiB are free, less than %lld; make room, or writes will be refused" : files < 10000 ? "%lld MiB are free, but few files can be made; make room" :
		"%lld MiB are free", (long long)free_mib, (long long)want);
	say(d, good, "disk", text);
}

/* ---- mail ---- */

static int send_test(const struct ctm_smtp_conf *c, const char *to, struct ctm_err *err)
{
	CTM_AUTO_BUF mail = CTM_BUF(16384);
	char id[CTM_UUID_MAX];
	ctm_uuid7(id);
	struct ctm_mail m = { .from = c->from, .to = to, .subject = "ctm: a test mail", .id = id, .now_ms = ctm_now_ms(),
		.text = "This is the test mail of ctm doctor --mail. Mail works.\n\nEste es el correo de prueba de ctm doctor --mail. El correo funciona.\n" };
	int rc = ctm_mail_write(&m, &mail, err);
	return rc ? rc : ctm_smtp_send(c, to, mail.p, mail.len, err);
}

static void look_mail(struct doctor *d)
{
	CTM_AUTO_SMTP c = { .timeout_ms = 0 };
	struct ctm_err err = { 0 };
	char text[500];
	const ctm_json *mail = d->conf ? ctm_json_get(d->conf, "mail") : NULL;
	if (!mail) {
		say(d, !d->mail_to, "mail", d->mail_to ? "no mail server is configured; add \"mail\": {\"server\", \"from\"} to ctm.json" : "not configured: invitations are links to hand over");
		return;
	}
	int rc = ctm_smtp_conf_read(mail, d->state, &c, &err);
	if (!rc)
		rc = d->mail_to ? send_test(&c, d->mail_to, &err) : ctm_smtp_probe(&c, &err);
	if (rc)
		snprintf(text, sizeof text, "%s", err.msg);
	else if (d->mail_to)
		snprintf(text, sizeof text, "%s took a test mail for %s; look whether it arrives", c.server, d->mail_to);
	else
		snprintf(text, sizeof text, "%s answers%s; --mail TO sends a test mail", c.server, *c.user ? " and knows the user" : "");
	say(d, !rc, "mail", text);
}

/* ---- programs ---- */

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

static const char *nginx_path(void) { return access("/usr/sbin/nginx", X_OK) ? "nginx" : "/usr/sbin/nginx"; }

/* Does nginx take the configuration that is there? */
static void look_edge_conf(struct doctor *d)
{
	char edge[ADMIN_PATH], text[400];
	if (!admin_exists(d->state, "edge/nginx.conf")) {
		say(d, true, "edge", "not configured yet; ctm edge nginx writes the configuration of the device port");
		return;
	}
	const char *const argv[] = { nginx_path(), "-t", "-q", "-p", admin_path(d->state, "edge", edge), "-c", "nginx.conf", "-e", "stderr", NULL };
	CTM_AUTO_BUF out = CTM_BUF(65536), errout = CTM_BUF(65536);
	struct ctm_err err = { 0 };
	int status = -1;
	struct ctm_proc p = { .argv = argv, .timeout_ms = 10000 };
	bool ran = !ctm_proc_run(&p, &out, &errout, &status, &err);
	snprintf(text, sizeof text, ran && !status ? "nginx takes the configuration" : "nginx refuses edge/nginx.conf; run ctm edge nginx: %.*s",
		(int)strcspn(ctm_buf_cstr(&errout), "\n"), ctm_buf_cstr(&errout));
	say(d, ran && !status, "edge", text);
}

static void look_programs(struct doctor *d)
{
	const char *const nginx[] = { nginx_path(), "-v", NULL };
	static const char *const fonts[] = { "fc-match", "-f", "%{family}", "sans-serif", NULL };
	look_program(d, "nginx", nginx, "nginx is not installed; devices cannot connect without it (Debian package nginx-light)");
	look_edge_conf(d);
	look_program(d, "fonts", fonts, "no fonts are installed; documents and labels need some (Debian package fonts-dejavu-core)");
}

static void (*const looks[])(struct doctor *d) = { look_conf, look_modes, look_trust, look_database, look_ports, look_signer, look_edge_cert, look_pages_tls,
	look_clock, look_disk, look_mail, look_programs };

int admin_doctor(int argc, char **argv)
{
	struct doctor d = { .state = "./var", .min_free = FREE_MIB_DEFAULT };
	struct ctm_err err = { 0 };
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "State directory (default ./var).", &d.state, NULL },
		{ "mail", "TO", "Send a test mail to this address.", &d.mail_to, NULL },
		{ "min-free", "MIB", "Free space that is enough (default " FREE_MIB_DEFAULT ").", &d.min_free, NULL },
		{ "json", NULL, "Print {good, checks: [{what, good, detail}]} as JSON.", NULL, &d.json },
	};
	const struct ctm_cmd cmd = { "doctor", "", "Look whether this machine and state directory can do the work: configuration, keys, database, ports, TLS, clock, disk, mail, nginx. "
		"Exit status 1 where something needs a look.", opts, sizeof opts / sizeof *opts, 0, 0 };
	bool helped = false;
	int nargs = 0;
	if (ctm_cli_parse(&cmd, argc, argv, NULL, &nargs, &helped, &err))
		return ctm_cli_die("doctor", &err);
	if (helped)
		return 0;
	d.checks = ctm_json_arr();
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
		looks[i](&d);
	CTM_AUTO_JSON *all = ctm_json_obj();
	if (!(ctm_json_setb(all, "good", !d.bad) | ctm_json_set(all, "checks", d.checks)) && d.json)
		admin_print_json(all);
	ctm_json_free(d.conf);
	return d.bad ? 1 : 0;
}
