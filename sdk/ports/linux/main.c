/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm-agent --config FILE: a device. Start is the boot of a device: storage, device key, certificate, log, credentials,
 * settings, then the boot step, which verifies the slot that shall run (trial, self-test, confirm or fall back). A unit fresh
 * from the factory first takes its image and its printed password. After an update the process starts afresh from itself: the
 * listening socket goes along, so no connection is refused meanwhile, and so do the digests of open sessions.
 *
 * --factory-request is what a production line calls: it makes the key of the factory's identity (IDevID) in its place and writes the
 * request for its certificate, which the station signs.
 *
 * Standard output gets one line when the interface is served. Secrets are never printed. SIGTERM and SIGINT stop cleanly.
 */
#include "agent.h"
#include "rules.h"
#include "ctm/openssl.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define FD_ENV "CTM_AGENT_LISTENER"
#define SESSIONS_ENV "CTM_AGENT_SESSIONS"

static volatile sig_atomic_t stop;
static struct agent agent = { .dir = -1, .wake = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

static void on_signal(int sig)
{
	stop = 1;
}

/* The new version's own test: storage takes and gives back, the device key signs. */
static int self_test(void *ctx, const struct ctm_image_header *h)
{
	struct agent *a = ctx;
	uint8_t sig[CTM_SIG_BYTES];
	char got[CTM_VERSION_MAX + 1];
	size_t n = 0, len = strlen(h->version);

	if (ctm_record_store(&a->port, "self-test", h->version, len) || ctm_record_load(&a->port, "self-test", got, sizeof got, &n) ||
	    n != len || memcmp(got, h->version, n) != 0 || ctm_record_erase(&a->port, "self-test"))
		return CTM_SDK_STORAGE;
	return ctm_openssl_sign(a->key, (const uint8_t *)h->version, len, sig);
}

static int load_file(const char *path, size_t max, uint8_t **out, size_t *n, struct why *w)
{
	*out = malloc(max + 1);
	if (!*out)
		return why_say(w, CTM_SDK_FAIL, "out of memory");
	return file_load(path, (char *)*out, max + 1, n, w);
}

/* First boot: the factory's image goes into a slot by the same way as any update. */
static int factory_image(struct agent *a, struct why *w)
{
	uint8_t *image = NULL, *manifest = NULL;
	const char *reason = "";
	size_t in = 0, mn = 0;
	int rc = load_file(a->conf.factory_image, CTM_IMAGE_MAX, &image, &in, w);

	if (!rc)
		rc = load_file(a->conf.factory_manifest, CTM_MANIFEST_MAX, &manifest, &mn, w);
	if (!rc) {
		rc = ctm_update_install(&a->update, (struct ctm_bytes){ manifest, mn }, (struct ctm_bytes){ image, in }, &reason);
		if (rc)
			why_say(w, rc, "the factory image is refused: %s (%s)", ctm_sdk_text(rc), reason);
	}
	free(image);
	free(manifest);
	return rc;
}

static int initial_password(struct agent *a, struct why *w)
{
	char pw[CTM_PASSWORD_MAX + 2];
	size_t n = 0;
	int rc = file_load(a->conf.initial_password_file, pw, sizeof pw, &n, w);

	if (rc)
		return rc;
	n = strcspn(pw, "\r\n");
	rc = ctm_cred_begin(&a->cred, pw, n);
	ctm_sdk_wipe(pw, sizeof pw);
	return rc ? why_say(w, rc, "the initial password could not be taken: %s", ctm_sdk_text(rc)) : 0;
}

static int set_up(struct agent *a, struct why *w)
{
	const struct agent_conf *c = &a->conf;
	int rc;

	if ((rc = store_open(a, w)) || (rc = device_key_load(a, w)) || (rc = device_cert_load(a, w)))
		return rc;
	a->log.port = a->cred.port = a->config.port = a->update.port = a->director.port = a->time.port = &a->port;
	a->director.time = a->update.time = &a->time;
	a->director.serial = c->serial;
	a->director.component = c->component;
	memcpy(a->director.key, c->director_key, sizeof c->director_key);
	a->director.keylen = sizeof c->director_key;
	a->cred.min_length = (size_t)c->min_length;
	a->cred.attempts = (uint32_t)c->attempts;
	a->cred.lock_ms = (int64_t)c->lock_s * 1000;
	a->config.schema = c->setting;
	a->config.n = c->nsettings;
	ctm_vendor_id(c->vendor, a->update.vendor);
	ctm_class_id(a->update.vendor, c->class_name, a->update.class_id);
	a->update.component = c->component;
	a->update.model = c->model;
	memcpy(a->update.release_key, c->release_key, c->release_keylen);
	a->update.release_keylen = c->release_keylen;
	a->update.self_test = self_test;
	a->update.self_test_ctx = a;
#ifdef CTM_DEFECTS
	defects_apply(a);
#endif
	if ((rc = ctm_timefloor_load(&a->time)) || (rc = ctm_director_load(&a->director)))
		return why_say(w, rc, "the state in %s cannot be read: %s", c->state_dir, ctm_sdk_text(rc));
	if ((rc = ctm_log_load(&a->log)) || (rc = ctm_config_load(&a->config)))
		return why_say(w, rc, "the state in %s cannot be read: %s", c->state_dir, ctm_sdk_text(rc));
	rc = ctm_cred_load(&a->cred);
	if (rc == CTM_SDK_NONE)
		rc = initial_password(a, w);
	else if (rc)
		why_say(w, rc, "the credentials in %s cannot be read: %s", c->state_dir, ctm_sdk_text(rc));
	if (!rc && agent_reset_pending(a) && agent_reset(a))
		a->storage_trouble = true;
	return rc;
}

static bool nothing_bootable(const struct ctm_update *u)
{
	for (int i = 0; i < CTM_SLOTS; i++)
		if (u->state[i] == CTM_SLOT_GOOD || u->state[i] == CTM_SLOT_PENDING)
			return false;
	return true;
}

static int boot(struct agent *a, struct why *w)
{
	char detail[CTM_LOG_DETAIL + 1];
	bool fell_back = false;
	int rc = ctm_update_load(&a->update);

	if (rc == CTM_SDK_NONE) {
		rc = factory_image(a, w);
		if (rc)
			return rc;
	} else if (!rc && nothing_bootable(&a->update)) {
		/* A first start that was cut short. Later in life the floor decides whether the factory's image may still run. */
		(void)factory_image(a, w);
	}
	if (rc)
		return why_say(w, rc, "the boot record in %s cannot be read: %s", a->conf.state_dir, ctm_sdk_text(rc));
	rc = ctm_update_boot(&a->update, &fell_back);
	if (rc && rc != CTM_SDK_VERIFY)
		return why_say(w, rc, "the boot record in %s cannot be written: %s", a->conf.state_dir, ctm_sdk_text(rc));
	/* With nothing that verifies the unit still serves, so that its owner can see it and give it a good version. */
	snprintf(a->claimed, sizeof a->claimed, "%s", a->update.booted[0] ? a->update.booted : "none");
	snprintf(detail, sizeof detail, "version %s, boot %llu", a->claimed, (unsigned long long)a->update.boots);
	agent_event(a, "boot", detail);
	aware_boot(a, fell_back);
	if (fell_back)
		agent_event(a, "update.refused", "trial: fell back");
	return 0;
}

/* What came along from before a reboot. */

static int inherited_fd(const char *name)
{
	const char *s = getenv(name);
	char *end;
	long fd = s ? strtol(s, &end, 10) : -1;

	unsetenv(name);
	if (!s || *end || fd < 3 || fd > 65535 || fcntl((int)fd, F_SETFD, FD_CLOEXEC))
		return -1;
	return (int)fd;
}

static int inherited_listener(const struct agent *a)
{
	struct sockaddr_in at = { 0 }, want = { .sin_family = AF_INET };
	socklen_t n = sizeof at;
	int fd = inherited_fd(FD_ENV);

	if (fd < 0)
		return -1;
	if (getsockname(fd, (struct sockaddr *)&at, &n) == 0 && at.sin_family == AF_INET && ntohs(at.sin_port) == a->conf.port &&
	    inet_pton(AF_INET, a->conf.listen, &want.sin_addr) == 1 && at.sin_addr.s_addr == want.sin_addr.s_addr)
		return fd;
	close(fd);
	return -1;
}

static void inherit_sessions(struct agent *a)
{
	struct ctm_session s[CTM_SESSIONS];
	int fd = inherited_fd(SESSIONS_ENV);

	if (fd < 0)
		return;
	if (pread(fd, s, sizeof s, 0) == (ssize_t)sizeof s)
		memcpy(a->cred.session, s, sizeof s);
	close(fd);
}

static void pass_on(const char *name, int fd)
{
	char text[16];

	snprintf(text, sizeof text, "%d", fd);
	if (fcntl(fd, F_SETFD, 0) == 0)
		setenv(name, text, 1);
}

/* Become the image that was just confirmed. Returns only when that fails. */
static void reboot(struct agent *a, int listener)
{
	int fd = memfd_create("sessions", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, a->cred.session, sizeof a->cred.session) == (ssize_t)sizeof a->cred.session)
		pass_on(SESSIONS_ENV, fd);
	pass_on(FD_ENV, listener);
	pthread_mutex_lock(&a->lock);   /* the other thread is not in the middle of storing */
	execv("/proc/self/exe", a->argv);
}

static int serve(struct agent *a, struct why *w)
{
	struct sigaction on = { .sa_handler = on_signal };
	char text[16];
	int listener = inherited_listener(a), rc;

	inherit_sessions(a);
	if (listener < 0)
		listener = server_listen(a, w);
	a->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (listener < 0 || a->wake < 0)
		return CTM_SDK_STATE;
	sigaction(SIGTERM, &on, NULL);
	sigaction(SIGINT, &on, NULL);
	signal(SIGPIPE, SIG_IGN);
	if ((rc = report_start(a, w)))
		return rc;
#ifdef CTM_DEFECTS
	defects_listen(a);
#endif
	snprintf(text, sizeof text, "%d\n", a->conf.port);
	if (store_write(a->dir, "ready", text, strlen(text)))
		return why_say(w, CTM_SDK_STORAGE, "%s/ready cannot be written", a->conf.state_dir);
	printf("ctm-agent: %s %s serves https://%s:%d, version %s, %s\n", a->conf.model, a->conf.serial, a->conf.listen, a->conf.port,
	       a->claimed, a->enrolled ? "enrolled" : "not enrolled yet");
	fflush(stdout);
	rc = server_run(a, listener, &stop, w);
	if (rc == 1) {
		aware_leaves(CTM_REBOOT_update);
		reboot(a, listener);
		rc = why_say(w, CTM_SDK_FAIL, "the new version could not be started: %s", strerror(errno));
	}
	pthread_mutex_lock(&a->lock);   /* kept: the process ends */
	if (!rc)
		aware_leaves(CTM_REBOOT_user);
	unlinkat(a->dir, "ready", 0);
	return rc;
}

#ifdef CTM_DEFECTS
#define USAGE "usage: ctm-agent-flawed --config FILE [--defect NAME,NAME...]\n"
#else
#define USAGE "usage: ctm-agent --config FILE [--factory-request FILE | --show nft|mud|settings|data | --firewall up|down|check]\n"
#endif

static int usage(FILE *to, int status)
{
	fputs(USAGE "Runs a device: serves its administration interface, enrols and reports to the maker's service.\n"
	      "--factory-request: make the key of the factory's identity, write the request for its certificate, and end.\n"
	      "--show: print what follows from the declaration. --firewall: put its packet filter in place, or take it away.\n", to);
	return status;
}

static const char *option(const char *name, int argc, char **argv, int *i)
{
	if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc)
		return NULL;
	return argv[++*i];
}

int main(int argc, char **argv)
{
	struct why w = { "" };
	const char *config = NULL, *request = NULL, *show = NULL, *firewall = NULL, *v;
	int rc;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return usage(stdout, 0);
		if ((v = option("--config", argc, argv, &i))) {
			config = v;
			continue;
		}
		if ((v = option("--factory-request", argc, argv, &i))) {
			request = v;
			continue;
		}
		if ((v = option("--show", argc, argv, &i))) {
			show = v;
			continue;
		}
		if ((v = option("--firewall", argc, argv, &i))) {
			firewall = v;
			continue;
		}
#ifdef CTM_DEFECTS
		if ((v = option("--defect", argc, argv, &i))) {
			if (defects_set(v, &v))
				continue;
			fprintf(stderr, "ctm-agent-flawed: there is no defect %s\n", v);
			return 2;
		}
#endif
		return usage(stderr, 2);
	}
	if (!config)
		return usage(stderr, 2);
	agent.argv = argv;
	agent.started_ms = mono_ms(NULL);
	rc = agent_conf_load(config, &agent.conf, &w);
	if (!rc && show)
		return rules_show(agent.conf.declaration, show);
	if (!rc && firewall)
		return rules_firewall(agent.conf.declaration, firewall);
	if (!rc && request) {
		if (!(rc = store_open(&agent, &w)))
			rc = device_idevid_request(&agent, request, &w);
		if (rc)
			fprintf(stderr, "ctm-agent: %s\n", w.text);
		return rc ? 3 : 0;
	}
	if (!rc && !(rc = set_up(&agent, &w)) && !(rc = boot(&agent, &w)))
		rc = serve(&agent, &w);
	if (rc) {
		fprintf(stderr, "ctm-agent: %s\n", w.text);
		return rc == CTM_SDK_STORAGE || rc == CTM_SDK_STATE || rc == CTM_SDK_FAIL ? 3 : 1;
	}
	return 0;
}
