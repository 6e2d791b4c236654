/* SPDX-License-Identifier: Apache-2.0
 *
 * The device's part of the walk: a unit leaves the factory with a printed serial, a one-time enrolment code and a password
 * of its own; it starts, enrols with a key that it made itself, and reports. The agent goes on running after the walk; its
 * process id is in DIR/demo/UNIT/agent.pid, and who started the platform ends it.
 */
#include "app/demo/demo.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct demo_unit units[] = {
	{ "camera", "PC-1", "Porch Camera PC-1", "PC1-2026-000001", "ctm-agent", NULL, 2 },
	{ "twin", "PC-1V", "Porch Camera PC-1V (flawed twin)", "PC1V-2026-000001", "ctm-agent-flawed",
	  "default-password,open-debug-port,accept-unsigned,keep-data,obsolete-tls", 3 },
};

const struct demo_unit *demo_unit(const char *name) { return &units[strcmp(name, "camera") != 0]; }

void demo_address(const struct demo *d, int host, char out[16])
{
	snprintf(out, 16, "127.78.%d.%d", d->device_port % 251 + 1, host);
}

/* Readable secret for a nameplate: four groups of four from an alphabet without look-alikes. */
static void plate_secret(char out[20])
{
	static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz23456789";
	uint8_t r[16];
	ctm_random(r, sizeof r);
	for (int i = 0, j = 0; i < 16; i++) {
		if (i && i % 4 == 0)
			out[j++] = '-';
		out[j++] = alphabet[r[i] % (sizeof alphabet - 1)];
		out[j] = 0;
	}
}

static int secret_file(struct demo *d, const struct demo_unit *u, const char *what, char *path, size_t cap, char secret[20])
{
	plate_secret(secret);
	int rc = demo_path(d, path, cap, "%s/%s", u->name, what);
	return rc ? rc : demo_write(d, path, secret, strlen(secret), 0600);
}

/* The trust root that the factory puts into the unit: the platform's device CA. */
static int device_ca(struct demo *d, char *path, size_t cap)
{
	char trust[512];
	CTM_AUTO_JSON *t = NULL;
	snprintf(trust, sizeof trust, "%s/trust.json", d->state_dir);
	int rc = ctm_json_load(trust, 1 << 20, &t, d->err);
	const char *pem = ctm_json_gets(t, "device_ca");
	if (!rc && !pem)
		rc = ctm_fail(d->err, CTM_E_INPUT, "/device_ca", NULL, "%s names no device CA", trust);
	if (!rc)
		rc = demo_path(d, path, cap, "device-ca.pem");
	return rc ? rc : demo_write(d, path, pem, strlen(pem), 0644);
}

static void sets_abs(ctm_json *o, const char *key, const char *path)
{
	char full[4096];
	ctm_json_sets(o, key, realpath(path, full) ? full : path);
}

/* Path of a file of the unit, absolute: the agent runs in a directory of its own. */
static int set_unit_path(struct demo *d, ctm_json *o, const char *key, const struct demo_unit *u, const char *file)
{
	char path[512];
	int rc = demo_path(d, path, sizeof path, "%s/%s", u->name, file);
	if (!rc)
		sets_abs(o, key, path);
	return rc;
}

static int write_config(struct demo *d, const struct demo_unit *u)
{
	char address[16];
	demo_address(d, u->host, address);
	CTM_AUTO_JSON *c = demo_obj("listen", address, "serial", u->serial, NULL);
	CTM_AUTO_BUF b = CTM_BUF(1 << 16);
	char path[512], ca[512];
	ctm_json *platform = demo_obj("url", d->site, "connect", "127.0.0.1", NULL), *factory = ctm_json_obj();
	int rc = demo_path(d, path, sizeof path, "%s/state/.dir", u->name);
	if (!rc)
		rc = device_ca(d, ca, sizeof ca);
	if (!rc) {
		sets_abs(platform, "ca", ca);
		rc = set_unit_path(d, c, "state_dir", u, "state");
	}
	if (!rc)
		rc = set_unit_path(d, c, "enrol_code_file", u, "enrol-code");
	if (!rc)
		rc = set_unit_path(d, c, "initial_password_file", u, "initial-password");
	if (!rc)
		rc = set_unit_path(d, c, "declaration", u, "declaration-1.0.0.json");
	if (!rc)
		rc = set_unit_path(d, factory, "image", u, "image-0.9.9.bin");
	if (!rc)
		rc = set_unit_path(d, factory, "manifest", u, "manifest-0.9.9.cose");
	ctm_json_seti(c, "port", DEMO_ADMIN_PORT_NO);
	ctm_json_seti(c, "report_interval_s", 5);
	ctm_json_set(c, "platform", platform);
	ctm_json_set(c, "factory", factory);
	if (!rc)
		rc = ctm_json_pretty(c, &b);
	if (!rc)
		rc = demo_path(d, path, sizeof path, "%s/agent.json", u->name);
	return rc ? rc : demo_write(d, path, b.p, b.len, 0600);
}

int demo_build_unit(struct demo *d, const char *name)
{
	const struct demo_unit *u = demo_unit(name);
	CTM_AUTO_JSON *made = NULL;
	char path[512], code[20], password[20];
	int rc = secret_file(d, u, "enrol-code", path, sizeof path, code);
	if (!rc)
		rc = secret_file(d, u, "initial-password", path, sizeof path, password);
	if (!rc)
		rc = demo_call(d, "engineer", "POST", demo_obj("serial", u->serial, "code", code, NULL), &made, "/api/v1/components/%s/units",
			demo_getf(d, "component.%s.device", name));
	if (!rc)
		rc = demo_setf(d, ctm_json_gets(made, "id"), "device.%s", name);
	return rc ? rc : write_config(d, u);
}

static bool alive(const char *pidfile)
{
	CTM_AUTO_BUF b = { 0 };
	int64_t pid;
	return !ctm_file_read(pidfile, 32, &b, NULL) && !ctm_parse_i64(ctm_buf_cstr(&b), 2, 1 << 30, &pid) && kill((pid_t)pid, 0) == 0;
}

/* In the child: a session of its own, its log, nothing inherited but standard output. */
static void become_agent(const char *prog, const struct demo_unit *u, const char *config, const char *log)
{
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	setsid();
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(3);
	if (u->defects)
		execl(prog, u->program, "--config", config, "--defect", u->defects, (char *)NULL);
	else
		execl(prog, u->program, "--config", config, (char *)NULL);
	_exit(3);
}

int demo_start_agent(struct demo *d, const char *name)
{
	const struct demo_unit *u = demo_unit(name);
	char prog[600], config[512], log[512], pidfile[512], num[24];
	int rc = demo_path(d, config, sizeof config, "%s/agent.json", name);
	if (!rc)
		rc = demo_path(d, log, sizeof log, "%s/agent.log", name);
	if (!rc)
		rc = demo_path(d, pidfile, sizeof pidfile, "%s/agent.pid", name);
	if (rc || alive(pidfile))
		return rc;
	snprintf(prog, sizeof prog, "%s/%s", d->self, u->program);
	fflush(NULL);
	pid_t pid = fork();
	if (pid < 0)
		return ctm_fail(d->err, CTM_E_IO, NULL, NULL, "the device could not be started: fork failed");
	if (pid == 0)
		become_agent(prog, u, config, log);
	snprintf(num, sizeof num, "%d", (int)pid);
	rc = demo_write(d, pidfile, num, strlen(num), 0600);
	if (!rc)
		rc = demo_until(d, "engineer", "device.state", "enrolled", 15000, "/api/v1/devices/%s", demo_getf(d, "device.%s", name));
	if (rc)
		return ctm_fail_prefix(d->err, "the device did not enrol (its log: %s)", log);
	demo_address(d, u->host, num);
	snprintf(d->note, sizeof d->note, "serial %s at https://%s:%s", u->serial, num, DEMO_ADMIN_PORT);
	return 0;
}
