/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm demo: walk the demonstration (see demo.h). The whole story is the table below; what each step does stands in the
 * demo_*.c file of its desk.
 */
#include "app/demo/demo.h"
#include "base/cli.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define V1 "1.0.0"
#define V2 "1.0.1"
#define FACTORY "0.9.9"

static int camera_product(struct demo *d) { return demo_product(d, "camera"); }
static int camera_release(struct demo *d) { return demo_release(d, "camera", V1, FACTORY); }
static int camera_unit(struct demo *d) { return demo_build_unit(d, "camera"); }
static int camera_agent(struct demo *d) { return demo_start_agent(d, "camera"); }
static int camera_apply(struct demo *d) { return demo_apply(d, "camera", V1); }
static int camera_test(struct demo *d) { return demo_evaluate(d, "camera", V1); }
static int camera_grant(struct demo *d) { return demo_decide(d, "camera", V1, true); }
static int camera_out(struct demo *d) { return demo_write_out(d, "camera", V1); }
static int twin_product(struct demo *d) { return demo_product(d, "twin"); }
static int twin_release(struct demo *d) { return demo_release(d, "twin", V1, FACTORY); }
static int twin_unit(struct demo *d) { return demo_build_unit(d, "twin"); }
static int twin_agent(struct demo *d) { return demo_start_agent(d, "twin"); }
static int twin_apply(struct demo *d) { return demo_apply(d, "twin", V1); }
static int twin_test(struct demo *d) { return demo_evaluate(d, "twin", V1); }
static int twin_deny(struct demo *d) { return demo_decide(d, "twin", V1, false); }
static int fixed_release(struct demo *d) { return demo_release(d, "camera", V2, V1); }
static int fixed_apply(struct demo *d) { return demo_apply(d, "camera", V2); }
static int fixed_test(struct demo *d) { return demo_evaluate(d, "camera", V2); }
static int fixed_grant(struct demo *d) { return demo_decide(d, "camera", V2, true); }
static int fixed_out(struct demo *d) { return demo_write_out(d, "camera", V2); }

const struct demo_step demo_steps[] = {
	{ "people", "operator", "three organisations and the people who work there are invited", demo_people },
	{ "product", "maker", "records the Porch Camera PC-1: components, registry fields, documents", camera_product },
	{ "release", "maker", "signs release " V1 " and publishes it with SBOM and declaration", camera_release },
	{ "unit", "maker", "builds a unit: printed serial, enrolment code, its own password", camera_unit },
	{ "agent", "device", "starts, enrols with its own key and reports identity, version, state", camera_agent },
	{ "apply", "maker", "applies with the declarations of 47 CFR 8.208; the CLA screens and accepts", camera_apply },
	{ "test", "lab", "plans and runs the checks on the live device, seals the evidence, reports", camera_test },
	{ "self", "CLA", "the tester, who also has a decider's role, tries to decide", demo_self_decision },
	{ "grant", "CLA", "reviews and decides; certificate, public record, log entry follow", camera_grant },
	{ "out", "public", "label, proof, certificate, report and evidence are written to out/", camera_out },
	{ "verify", "public", "checks the proof with no network, then with one byte changed", demo_verify },
	{ "twin.product", "maker", "records the flawed twin, PC-1V", twin_product },
	{ "twin.release", "maker", "publishes the twin's release", twin_release },
	{ "twin.unit", "maker", "builds a twin", twin_unit },
	{ "twin.agent", "device", "the twin starts with five defects seeded on purpose", twin_agent },
	{ "twin.apply", "maker", "applies for the twin", twin_apply },
	{ "twin.test", "lab", "runs the same checks on the twin", twin_test },
	{ "twin.deny", "CLA", "denies, each reason tied to a requirement", twin_deny },
	{ "twin.label", "maker", "asks for a label all the same", demo_no_label },
	{ "suspend", "CLA", "suspends the first certificate; the public page follows", demo_suspend },
	{ "reinstate", "CLA", "reinstates it", demo_reinstate },
	{ "withdraw", "CLA", "withdraws it for good", demo_withdraw },
	{ "fixed.release", "maker", "publishes the corrected release " V2, fixed_release },
	{ "fixed.apply", "maker", "applies anew: a corrected product is a new application", fixed_apply },
	{ "fixed.test", "lab", "evaluates the corrected product", fixed_test },
	{ "fixed.grant", "CLA", "grants; the record has a new id", fixed_grant },
	{ "fixed.out", "public", "the live label and its papers are written to out/", fixed_out },
};
const size_t demo_nsteps = sizeof demo_steps / sizeof *demo_steps;

static bool is_done(const struct demo *d, const char *key)
{
	const ctm_json *done = ctm_json_get(d->st, "done");
	for (size_t i = 0; i < ctm_json_len(done); i++)
		if (ctm_streq(ctm_json_str(ctm_json_at(done, i)), key))
			return true;
	return false;
}

static int mark_done(struct demo *d, const char *key)
{
	ctm_json *done = ctm_json_copy(ctm_json_get(d->st, "done"));
	int rc = ctm_json_adds(done, key);
	if (!rc)
		rc = ctm_json_set(d->st, "done", done);
	return rc ? rc : demo_save(d);
}

static int load_state(struct demo *d)
{
	char path[512];
	int rc = demo_path(d, path, sizeof path, "state.json");
	if (rc)
		return rc;
	if (access(path, F_OK) == 0)
		return ctm_json_load(path, 1 << 20, &d->st, d->err);
	d->st = ctm_json_obj();
	return ctm_json_set(d->st, "done", ctm_json_arr());
}

static int read_conf(struct demo *d)
{
	char path[512];
	CTM_AUTO_JSON *conf = NULL;
	snprintf(path, sizeof path, "%s/ctm.json", d->state_dir);
	int rc = ctm_json_load(path, 1 << 16, &conf, d->err);
	if (rc)
		return ctm_fail_prefix(d->err, "no platform in %s (start ./run, or ctm init)", d->state_dir);
	const char *listen = ctm_json_gets(conf, "listen"), *url = ctm_json_gets(conf, "public_url");
	d->device_port = (int)ctm_json_geti(conf, "device_port", 8443);
	if (!listen || !url)
		return ctm_fail(d->err, CTM_E_INPUT, "listen", NULL, "%s lacks listen or public_url", path);
	snprintf(d->base, sizeof d->base, "http://%s", listen);
	ctm_copy(d->public_url, sizeof d->public_url, url);
	snprintf(d->site, sizeof d->site, "https://localhost:%d", d->device_port);
	return 0;
}

void demo_show(const struct demo *d, const char *fmt, ...)
{
	char what[256];
	struct winsize w = { .ws_col = 80 };
	va_list ap;
	if (!d->tty)
		return;
	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	if (ioctl(1, TIOCGWINSZ, &w) || w.ws_col < 40)
		w.ws_col = 80;
	/* A line that wraps cannot be written over: cut it at the edge. */
	printf("\r\033[K%2zu/%zu  %-8s  %.*s", d->step + 1, demo_nsteps, demo_steps[d->step].desk, (int)w.ws_col - 18, what);
	fflush(stdout);
}

/* One step in the open: who, what, how long, and what came of it. */
static int walk_step(struct demo *d, size_t i)
{
	const struct demo_step *s = &demo_steps[i];
	int64_t t0 = ctm_mono_us();
	d->note[0] = 0;
	d->step = i;
	demo_show(d, "%s ...", s->what);
	int rc = s->run(d);
	if (!rc)
		rc = mark_done(d, s->key);
	printf("%s%2zu/%zu  %-8s  %s  %.1f s%s\n", d->tty ? "\r\033[K" : "", i + 1, demo_nsteps, s->desk, s->what, (double)(ctm_mono_us() - t0) / 1e6,
		rc ? "  FAILED" : "");
	if (!rc && *d->note)
		printf("%17s%s\n", "", d->note);
	fflush(stdout);
	return rc;
}

static int walk(struct demo *d)
{
	size_t skipped = 0;
	int64_t t0 = ctm_mono_us();
	int rc = 0;
	for (size_t i = 0; i < demo_nsteps; i++)
		skipped += is_done(d, demo_steps[i].key);
	if (skipped == demo_nsteps)
		printf("The demonstration has been walked before; its devices are started again.\n");
	else if (skipped)
		printf("Carrying on after step %zu.\n", skipped);
	if (is_done(d, "agent") && (rc = demo_start_agent(d, "camera")))
		return rc;
	if (is_done(d, "twin.agent") && (rc = demo_start_agent(d, "twin")))
		return rc;
	for (size_t i = 0; i < demo_nsteps && !rc; i++)
		if (!is_done(d, demo_steps[i].key))
			rc = walk_step(d, i);
	if (!rc && skipped < demo_nsteps)
		printf("\nThe whole way in %.1f s.\n", (double)(ctm_mono_us() - t0) / 1e6);
	return rc;
}

static void farewell(struct demo *d)
{
	printf("\nThe record of the product      %s/p/%s\n", d->public_url, demo_get(d, "record." V2));
	printf("The withdrawn one, history kept %s/p/%s\n", d->public_url, demo_get(d, "record." V1));
	printf("Label, proof, papers, evidence  %s/   (check one: ctm verify %s/label.proof)\n", d->out_dir, d->out_dir);
	printf("Sign in (each link works once, for 15 minutes; more with: ctm user link --help):\n");
}

int main(int argc, char **argv)
{
	struct ctm_err err = { 0 };
	struct demo d = { .state_dir = "./var", .out_dir = "./out", .err = &err, .tty = isatty(1) };
	const struct ctm_opt opts[] = {
		{ "state", "DIR", "state directory of the running platform (./var)", &d.state_dir, NULL },
		{ "out", "DIR", "where label, proof and papers are written (./out)", &d.out_dir, NULL },
	};
	const struct ctm_cmd cmd = { "demo", "", "Walk the demonstration on the platform that runs in DIR, or reuse what an earlier walk left.", opts, 2, 0, 0 };
	int nargs = 0;
	bool helped = false;
	int rc = ctm_cli_parse(&cmd, argc, argv, NULL, &nargs, &helped, &err);
	if (helped)
		return 0;
	if (!rc)
		rc = ctm_self_dir(d.self, sizeof d.self);
	if (!rc)
		rc = read_conf(&d);
	if (!rc)
		rc = ctm_http_new(&(struct ctm_http_conf){ .base = d.base, .timeout_ms = 30000, .answer_max = 16u << 20 }, &d.http, &err);
	if (!rc)
		rc = load_state(&d);
	if (!rc)
		rc = walk(&d);
	if (!rc) {
		farewell(&d);
		rc = demo_links(&d);
	}
	ctm_http_free(d.http);
	ctm_json_free(d.st);
	return rc ? ctm_cli_die("demo", &err) : 0;
}
