/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm-serve: the platform. Loads the catalogue, puts the rooms together, opens the doors, waits for SIGTERM or SIGINT,
 * drains, leaves. Everything that can be wrong at start is one plain sentence and exit status 3.
 */
#include "app/rooms.h"
#include "app/share.h"
#include "base/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "case/catalogue.h"
#include "device/door.h"
#include "http/serve.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REPLIES_MAX (4 * 1024 * 1024)

struct serve { const char *state, *port, *listen, *instance, *catalogue; struct ctm_catalogue *rules; ctm_json *replies; struct ctm_app *app; };

static int load_catalogue(struct serve *s, struct ctm_err *err)
{
	char dir[4200], path[4300];
	int rc = s->catalogue ? (snprintf(dir, sizeof dir, "%s", s->catalogue), 0) : ctm_share_path("catalogue", dir, sizeof dir, err);
	if (!rc)
		rc = ctm_catalogue_load(dir, &s->rules, err);
	if (rc)
		return rc;
	snprintf(path, sizeof path, "%s/replies.json", dir);
	struct ctm_err none = { 0 };
	rc = ctm_json_load(path, REPLIES_MAX, &s->replies, &none);
	return !rc || rc == CTM_E_NOTFOUND ? 0 : ctm_fail(err, rc, none.field, none.rule, "%s", none.msg);
}

static int start(struct serve *s, struct ctm_err *err)
{
	int64_t port = -1, instance = 1;
	size_t njobs = 0, nlisteners = 0;
	if (s->port && ctm_parse_i64(s->port, 0, 65535, &port))
		return ctm_fail(err, CTM_E_USAGE, "--port", NULL, "--port must be a number from 0 to 65535");
	if (s->instance && ctm_parse_i64(s->instance, 1, CTM_INSTANCES_MAX, &instance))
		return ctm_fail(err, CTM_E_USAGE, "--instance", NULL, "--instance must be a number from 1 to %d", CTM_INSTANCES_MAX);
	while (ctm_room_jobs[njobs])
		njobs++;
	while (ctm_room_listeners[nlisteners])
		nlisteners++;
	struct ctm_app_conf c = { .state_dir = s->state, .listen = s->listen, .instance = (unsigned)instance, .port = (int)port,
		.routes = ctm_room_routes, .nroutes = ctm_room_route_count, .jobs = ctm_room_jobs, .njobs = njobs,
		.listeners = ctm_room_listeners, .nlisteners = nlisteners, .authorise = ctm_authorise, .catalogue = s->rules,
		.replies = s->replies, .view = ctm_tpl_find, .render = ctm_tpl_render, .msg = ctm_tpl_message };
	int rc = ctm_app_new(&c, &s->app, err);
	return rc ? rc : ctm_app_start(s->app, err);
}

static void end(struct serve *s)
{
	if (s->app)
		ctm_app_stop(s->app);
	ctm_app_free(s->app);
	ctm_json_free(s->replies);
	ctm_catalogue_free(s->rules);
}

/* Tell the world: the pid, then the line. */
static int announce(struct serve *s, int64_t since_us, struct ctm_err *err)
{
	char path[1100], pid[32];
	int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
	int rc = ctm_file_write(ctm_app_pid_path(s->app, path, sizeof path), pid, (size_t)n, 0600, err);
	if (rc)
		return rc;
	printf("ctm: serving %s on port %d (ready in %lld ms)\n", ctm_app_public_url(s->app), ctm_app_port(s->app), (long long)((ctm_mono_us() - since_us) / 1000));
	fflush(stdout);
	return 0;
}

static int run(struct serve *s, struct ctm_err *err)
{
	int64_t since = ctm_mono_us();
	sigset_t set;
	int sig, rc;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);     /* before there are threads: only sigwait below gets them */
	if ((rc = load_catalogue(s, err)) || (rc = start(s, err)) || (rc = announce(s, since, err)))
		return rc;
	sigwait(&set, &sig);
	char path[1100];
	unlink(ctm_app_pid_path(s->app, path, sizeof path));
	return 0;
}

int main(int argc, char **argv)
{
	struct serve s = { .state = "./var" };
	struct ctm_err err = { 0 };
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "State directory made by ctm init (default ./var).", &s.state, NULL },
		{ "port", "N", "Listen on this port instead of the one in ctm.json; 0 takes a free one.", &s.port, NULL },
		{ "listen", "ADDRESS:PORT", "Listen here instead of where ctm.json says.", &s.listen, NULL },
		{ "instance", "N", "Number of this server among several of one state directory and PostgreSQL database (default 1).", &s.instance, NULL },
		{ "catalogue", "DIR", "Read the rules from this directory.", &s.catalogue, NULL },
	};
	const struct ctm_cmd cmd = { "serve", "", "Serve the platform for people and programs on a loopback port, and for the edge on run/device.sock.",
		opts, sizeof opts / sizeof *opts, 0, 0 };
	bool helped = false;
	int nargs = 0;
	if (ctm_cli_parse(&cmd, argc, argv, NULL, &nargs, &helped, &err))
		return ctm_cli_die("serve", &err);
	if (helped)
		return 0;
	int rc = run(&s, &err);
	end(&s);
	if (rc) {
		ctm_cli_die("serve", &err);
		return rc == CTM_E_USAGE ? 2 : 3;
	}
	return 0;
}
