/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm ca trust: the certificate authority of this platform's device port, for the machine of a developer or a bench. Without --install it
 * only explains: what trusting means, and the commands for the system, for NSS (Chromium, Firefox) and for curl. --install puts the public
 * certificate among the system's local ones and runs update-ca-certificates; --remove undoes exactly that. --root DIR does it below another
 * root directory, --dry-run only says what would be done.
 */
#include "app/admin.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/x509.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOCAL "usr/local/share/ca-certificates"

struct ca { const char *state, *root; bool install, remove, dry; char file[ADMIN_PATH], name[96]; ctm_json *trust; };

static int load(struct ca *c, struct ctm_cert_info *info, struct ctm_err *err)
{
	char path[ADMIN_PATH];
	int rc = ctm_json_load(admin_path(c->state, "trust.json", path), 65536, &c->trust, err);
	const char *pem = rc ? NULL : ctm_json_gets(c->trust, "device_ca");
	if (!rc && !pem)
		rc = ctm_fail(err, CTM_E_INPUT, "trust.json", NULL, "trust.json holds no device_ca; ctm init --state %s makes it", c->state);
	if (!rc)
		rc = ctm_cert_read(pem, strlen(pem), info, err);
	if (rc)
		return rc;
	snprintf(c->name, sizeof c->name, "ctm-%.16s.crt", info->spki_sha256 + 7);     /* one file per authority: two platforms do not collide */
	int n = snprintf(c->file, sizeof c->file, "%s/" LOCAL "/%s", ctm_streq(c->root, "/") ? "" : c->root, c->name);
	return n < (int)sizeof c->file ? 0 : ctm_fail(err, CTM_E_INPUT, "--root", NULL, "the path is too long");
}

static void explain(const struct ca *c, const struct ctm_cert_info *info)
{
	char until[CTM_RFC3339_MAX];
	ctm_time_rfc3339(info->not_after_ms, until);
	printf("The certificate authority of this platform's device port:\n  %s, until %.10s\n  SHA-256 %s\n\n", info->common_name, until, info->cert_sha256 + 7);
	printf("Whoever trusts it believes every certificate that keys/ca.pem of this state directory signs, for any name.\n"
		"Trust it on your own machine or bench, never on machines of other people; people's pages do not need it.\n\n");
	printf("This system (as root):      ctm ca trust --state %s --install\n", c->state);
	printf("Chromium, of this user:     certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n %s -i FILE\n", c->name);
	printf("Firefox:                    Settings, Privacy & Security, View Certificates, Authorities, Import FILE\n");
	printf("curl, once:                 curl --cacert FILE https://HOST:PORT/\n");
	printf("FILE, to write it:          ctm ca trust --state %s --pem > FILE\n\n", c->state);
	printf("To undo: --remove; for Chromium: certutil -d sql:$HOME/.pki/nssdb -D -n %s\n%s\n", c->name,
		access(c->file, F_OK) ? "It is not installed in this system." : "It is installed in this system.");
}

/* update-ca-certificates works below another root by its own options. */
static int update(const struct ca *c, struct ctm_err *err)
{
	static const char *const parts[] = { "etc/ssl/certs", LOCAL, "usr/share/ca-certificates", "etc/ca-certificates.conf", "etc/ca-certificates/update.d" };
	static const char *const options[] = { "--etccertsdir", "--localcertsdir", "--certsdir", "--certsconf", "--hooksdir" };
	char path[5][ADMIN_PATH];
	const char *argv[13] = { access("/usr/sbin/update-ca-certificates", X_OK) ? "update-ca-certificates" : "/usr/sbin/update-ca-certificates" };
	size_t n = 1;
	if (c->remove)
		argv[n++] = "--fresh";             /* links of what is gone go too */
	for (size_t i = 0; i < 5 && !ctm_streq(c->root, "/"); i++) {
		argv[n++] = options[i];
		argv[n++] = admin_path(c->root, parts[i], path[i]);
	}
	CTM_AUTO_BUF out = CTM_BUF(65536), errout = CTM_BUF(65536);
	int status = 0;
	struct ctm_proc p = { .argv = argv, .timeout_ms = 120000 };
	int rc = ctm_proc_run(&p, &out, &errout, &status, err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(err);
		return ctm_fail(err, CTM_E_IO, NULL, NULL, "update-ca-certificates is not there (Debian package ca-certificates); nothing trusts the authority yet");
	}
	if (!rc && status)
		rc = ctm_fail(err, CTM_E_IO, NULL, NULL, "update-ca-certificates ended with status %d: %.200s", status, ctm_buf_cstr(&errout));
	return rc;
}

static int directories(const struct ca *c, struct ctm_err *err)
{
	static const char *const dirs[] = { LOCAL, "etc/ssl/certs", "usr/share/ca-certificates", "etc/ca-certificates/update.d" };
	char path[ADMIN_PATH];
	int rc = 0;
	for (size_t i = 0; i < 4 && !rc; i++)
		rc = ctm_mkdirs(admin_path(c->root, dirs[i], path), 0755, err);
	return rc;
}

static int install(const struct ca *c, struct ctm_err *err)
{
	const char *pem = ctm_json_gets(c->trust, "device_ca");
	if (c->dry) {
		printf("would write %s and run update-ca-certificates\n", c->file);
		return 0;
	}
	int rc = directories(c, err);
	rc = rc ? rc : ctm_file_write(c->file, pem, strlen(pem), 0644, err);
	rc = rc ? rc : update(c, err);
	if (!rc)
		printf("installed: %s\nTo undo: ctm ca trust --state %s --remove\n", c->file, c->state);
	return rc;
}

static int undo(const struct ca *c, struct ctm_err *err)
{
	if (access(c->file, F_OK))
		return ctm_fail(err, CTM_E_NOTFOUND, NULL, NULL, "it is not installed: %s is not there", c->file);
	if (c->dry) {
		printf("would remove %s and run update-ca-certificates\n", c->file);
		return 0;
	}
	if (unlink(c->file))
		return ctm_fail(err, CTM_E_IO, NULL, NULL, "%s cannot be removed: %s", c->file, strerror(errno));
	int rc = update(c, err);
	if (!rc)
		printf("removed: %s\n", c->file);
	return rc;
}

int admin_ca(int argc, char **argv)
{
	struct ca c = { .state = "./var", .root = "/" };
	struct ctm_err err = { 0 };
	struct ctm_cert_info info;
	bool helped = false, pem = false;
	const char *args[1] = { NULL };
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "State directory (default ./var).", &c.state, NULL },
		{ "install", NULL, "Put it among the certificate authorities of this system.", NULL, &c.install },
		{ "remove", NULL, "Take it away again.", NULL, &c.remove },
		{ "root", "DIR", "Work below this directory instead of /.", &c.root, NULL },
		{ "dry-run", NULL, "Only say what would be done.", NULL, &c.dry },
		{ "pem", NULL, "Print the certificate.", NULL, &pem },
	};
	const struct ctm_cmd cmd = { "ca", "trust", "Explain what trusting the device port's certificate authority means and how it is done; with --install do it for this system, with --remove "
		"undo it.", opts, sizeof opts / sizeof *opts, 1, 1 };
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	if (!rc && !ctm_streq(args[0], "trust"))
		rc = ctm_fail(&err, CTM_E_USAGE, "VERB", NULL, "\"%s\" is not known; the verb is: ctm ca trust", args[0]);
	if (!rc && c.install + c.remove + pem > 1)
		rc = ctm_fail(&err, CTM_E_USAGE, "--install", NULL, "give one of --install, --remove and --pem");
	rc = rc ? rc : load(&c, &info, &err);
	if (!rc && pem)
		fputs(ctm_json_gets(c.trust, "device_ca"), stdout);
	else if (!rc && c.install)
		rc = install(&c, &err);
	else if (!rc && c.remove)
		rc = undo(&c, &err);
	else if (!rc)
		explain(&c, &info);
	ctm_json_free(c.trust);
	return rc ? ctm_cli_die("ca", &err) : 0;
}
