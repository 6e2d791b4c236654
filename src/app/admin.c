/* SPDX-License-Identifier: Apache-2.0
 * ctm-admin: which word does what, and what the words share. */
#include "app/admin.h"
#include "base/file.h"
#include "base/text.h"
#include "base/zone.h"
#include "net/smtp.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONF_MAX 65536

const char *admin_path(const char *dir, const char *sub, char out[ADMIN_PATH])
{
	int n = snprintf(out, ADMIN_PATH, "%s/%s", dir, sub);
	if (n < 0 || n >= ADMIN_PATH)
		*out = 0;
	return out;
}

bool admin_exists(const char *dir, const char *sub)
{
	char path[ADMIN_PATH];
	struct stat st;
	return !lstat(admin_path(dir, sub, path), &st);
}

int admin_url_host(const char *url, char *out, size_t cap, struct ctm_err *err)
{
	const char *p = url ? strstr(url, "://") : NULL;
	if (!p || (!ctm_starts(url, "http://") && !ctm_starts(url, "https://")))
		return ctm_fail(err, CTM_E_INPUT, "public_url", NULL, "public_url must be an address such as https://mark.example.org");
	p += 3;
	size_t n = *p == '[' ? strcspn(++p, "]") : strcspn(p, ":/?#");
	const char *rest = p + n + (p[n] == ']');
	if (!n || n >= cap || strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:") < n || rest[strcspn(rest, "/?#")])
		return ctm_fail(err, CTM_E_INPUT, "public_url", NULL, "public_url must be scheme, host and port only, such as https://mark.example.org");
	memcpy(out, p, n);
	out[n] = 0;
	return 0;
}

static int check_listen(const char *s, struct ctm_err *err)
{
	const char *colon = s ? strrchr(s, ':') : NULL;
	int64_t port;
	if (!colon || colon == s || strspn(s, "0123456789abcdefABCDEF.:[]") != strlen(s) || ctm_parse_i64(colon + 1, 0, 65535, &port))
		return ctm_fail(err, CTM_E_INPUT, "listen", NULL, "listen must be a numeric address and a port such as 127.0.0.1:8080");
	return 0;
}

/* A log name becomes part of a line that is signed: C2SP signed-note allows no white space and no plus sign in it. */
static int check_origin(const char *s, struct ctm_err *err)
{
	if (!s || !*s || strlen(s) > 200 || strpbrk(s, " +\t\n") || !ctm_text_printable(s, strlen(s)))
		return ctm_fail(err, CTM_E_INPUT, "origin", "C2SP signed-note", "origin must be a log name such as mark.example.org/log, without spaces and plus signs");
	return 0;
}

int admin_conf_check(const ctm_json *conf, struct ctm_err *err)
{
	static const char *const known[] = { "format", "public_url", "listen", "device_port", "origin", "keys", "signer_per_minute", "site_org", "database", "instances", "edge", "second_factor", "mail", "time_zone" };
	struct ctm_jc c = ctm_jc_root(conf, "ctm.json");
	struct admin_edge_limits limits;
	char host[256], url[ADMIN_PATH];
	int64_t port;
	const char *format;
	int rc = ctm_jc_is(&c, CTM_J_OBJ, err);
	if (!rc)
		rc = ctm_jc_only(&c, known, sizeof known / sizeof *known, err);
	if (!rc && !(rc = ctm_jc_str(&c, "format", 1, 64, &format, err)) && !ctm_streq(format, "ctm.config/1"))
		rc = ctm_jc_fail(&c, err, "format must be ctm.config/1");
	if (!rc)
		rc = ctm_jc_int(&c, "device_port", 1, 65535, &port, err);
	if (!rc)
		rc = admin_url_host(ctm_json_gets(conf, "public_url"), host, sizeof host, err);
	if (!rc)
		rc = admin_edge_limits(conf, &limits, err);
	if (!rc)
		rc = check_listen(ctm_json_gets(conf, "listen"), err);
	struct ctm_smtp_conf mail;
	if (!rc && ctm_json_get(conf, "mail"))
		rc = ctm_smtp_conf_read(ctm_json_get(conf, "mail"), NULL, &mail, err);
	const char *second, *zone;
	struct ctm_zone *z = NULL;
	if (!rc && !(rc = ctm_jc_opt_str(&c, "time_zone", 64, &zone, err)) && zone && ctm_zone_load(zone, &z))
		rc = ctm_fail(err, CTM_E_INPUT, "time_zone", NULL, "time_zone is a name of the IANA database such as America/New_York; \"%s\" is none", zone);
	ctm_zone_free(z);
	if (!rc && !(rc = ctm_jc_opt_str(&c, "second_factor", 16, &second, err)) && second && !ctm_streq(second, "required") && !ctm_streq(second, "optional"))
		rc = ctm_fail(err, CTM_E_INPUT, "second_factor", NULL, "second_factor is \"required\" (a password signs in only with a code; the default) or \"optional\"");
	if (!rc)
		rc = check_origin(ctm_json_gets(conf, "origin"), err);
	if (!rc)
		rc = ctm_db_url("", conf, url, sizeof url, err);
	for (size_t i = 0; !rc && i < ctm_json_len(ctm_json_get(conf, "instances")); i++)
		rc = check_listen(ctm_json_str(ctm_json_at(ctm_json_get(conf, "instances"), i)), err);
	return rc;
}

int admin_conf(const char *dir, ctm_json **out, struct ctm_err *err)
{
	char path[ADMIN_PATH];
	ctm_json *conf = NULL;
	struct ctm_err local = { 0 };
	int rc = ctm_json_load(admin_path(dir, "ctm.json", path), CONF_MAX, &conf, &local);
	if (rc == CTM_E_NOTFOUND)
		return ctm_fail(err, CTM_E_IO, "--state", NULL, "%s is not a state directory yet; make one with: ctm init --state %s", dir, dir);
	if (rc)
		return ctm_fail(err, rc, local.field, local.rule, "%s", local.msg);
	if ((rc = admin_conf_check(conf, err))) {
		ctm_json_free(conf);
		return rc;
	}
	*out = conf;
	return 0;
}

int admin_db(const char *dir, const ctm_json *conf, enum ctm_db_mode mode, struct ctm_db **out, struct ctm_err *err)
{
	char url[ADMIN_PATH + 16];
	int rc = ctm_db_url(dir, conf, url, sizeof url, err);
	return rc ? rc : ctm_db_open(url, mode, out, err);
}

void admin_print_json(const ctm_json *v)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	if (!ctm_json_pretty(v, &b))
		fputs(ctm_buf_cstr(&b), stdout);
}

void admin_print_link(const ctm_json *link, bool json)
{
	if (json)
		admin_print_json(link);
	else
		printf("One-time sign-in link (works once, until %s):\n  %s\n", ctm_json_gets(link, "expires"), ctm_json_gets(link, "link"));
}

static int version(int argc, char **argv)
{
	printf("ctm %s\n", CTM_VERSION);
	return 0;
}

static const struct { const char *word; int (*run)(int argc, char **argv); } words[] = {
	{ "init", admin_init }, { "user", admin_user }, { "edge", admin_edge }, { "ca", admin_ca }, { "fsck", admin_fsck }, { "doctor", admin_doctor },
	{ "config", admin_config }, { "version", version },
};

int main(int argc, char **argv)
{
	umask(0077);
	for (size_t i = 0; argc > 1 && i < sizeof words / sizeof *words; i++)
		if (ctm_streq(argv[1], words[i].word))
			return words[i].run(argc - 1, argv + 1);
	fputs("usage: ctm-admin init | user | edge nginx | ca trust | fsck | doctor | config check | version\n", argc > 1 ? stderr : stdout);
	return argc > 1 ? 2 : 0;
}
