/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm lab: the CyberLAB's command line. It plans, runs, replays and reports; it holds no state and opens no port. The same
 * program under the name ctm-evidence verifies bundles. Exit status: 0 good (replay: the same verdicts and the same report to
 * the byte), 1 refused or not the same, 2 misuse, 3 could not run. A finished run is 0 whatever the verdicts are.
 *
 * Live lines go to standard error, results to standard output. Secrets come from files, never from arguments.
 */
#include "base/cli.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "lab/bundle.h"
#include "lab/plan.h"
#include "lab/probe.h"
#include "lab/report.h"
#include "lab/run.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(a) (sizeof (a) / sizeof (a)[0])
#define ARGS_MAX 4

static const struct ctm_lab_catalogue_names names = { .probe = ctm_probe_known, .judge = ctm_judge_known };

static int load_catalogue(const char *given, struct ctm_lab_catalogue **out, struct ctm_err *err)
{
	char dir[1024];
	int rc = ctm_lab_catalogue_dir(given, dir, sizeof dir, err);
	return rc ? rc : ctm_lab_catalogue_load(dir, &names, out, err);
}

static int need(const char *value, const char *option, struct ctm_err *err)
{
	return value ? 0 : ctm_fail(err, CTM_E_USAGE, option, NULL, "--%s is needed", option);
}

static int write_json(const char *path, const ctm_json *v, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_BUNDLE_MAX);
	int rc = ctm_json_pretty(v, &b);
	return rc ? rc : ctm_file_write(path, b.p, b.len, 0644, err);
}

/* ---- checks ---- */

static int do_checks(int argc, char **argv, struct ctm_err *err)
{
	const char *dir = NULL, *args[ARGS_MAX];
	bool json = false, helped = false;
	const struct ctm_opt opts[] = { { "catalogue", "DIR", "Read the catalogue from DIR.", &dir, NULL }, { "json", NULL, "Print the checks as JSON.", NULL, &json } };
	const struct ctm_cmd cmd = { "lab checks", "", "List the checks of the catalogue.", opts, COUNT(opts), 0, 0 };
	CTM_AUTO_LAB_CATALOGUE *cat = NULL;
	CTM_AUTO_BUF b = CTM_BUF(CTM_CATALOGUE_MAX);
	int nargs, rc;

	if ((rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, err)) || helped || (rc = load_catalogue(dir, &cat, err)))
		return rc;
	if (json) {
		if ((rc = ctm_json_pretty(ctm_json_get(cat->root, "checks"), &b)))
			return rc;
		fputs(ctm_buf_cstr(&b), stdout);
		return 0;
	}
	for (size_t i = 0; i < cat->nchecks; i++) {
		const struct ctm_check *k = &cat->checks[i];
		printf("%-5s %s  %-11s %-11s %-52s", k->id, ctm_danger_names[k->danger], ctm_method_names[k->method], ctm_level_names[k->level], k->title);
		for (size_t j = 0; j < ctm_json_len(k->outcomes); j++)
			printf("%s%s", j ? ", " : " ", ctm_json_str(ctm_json_at(k->outcomes, j)));
		putchar('\n');
	}
	return 0;
}

/* ---- plan ---- */

static int do_plan(int argc, char **argv, struct ctm_err *err)
{
	const char *dir = NULL, *product = NULL, *declaration = NULL, *out = NULL, *args[ARGS_MAX];
	struct ctm_plan_ask ask = { .now_ms = ctm_now_ms() };
	bool helped = false;
	const struct ctm_opt opts[] = {
		{ "product", "FILE", "The product with its components (as /api/v1/products/ID answers it).", &product, NULL },
		{ "declaration", "FILE", "The declaration of the device's release.", &declaration, NULL },
		{ "out", "FILE", "Where the plan goes.", &out, NULL },
		{ "challenge", "TEXT", "One-time value of the job; made here if absent.", &ask.challenge, NULL },
		{ "job", "ID", "The job; made here if absent.", &ask.job, NULL },
		{ "target", "LIST", "Addresses or networks packets may go to, separated by commas (127.0.0.0/8).", &ask.targets, NULL },
		{ "lab", "NAME", "Name of the laboratory, for the report.", &ask.lab_name, NULL },
		{ "lab-address", "TEXT", "Address of the laboratory.", &ask.lab_address, NULL },
		{ "approver", "NAME", "Who authorises the report.", &ask.approver, NULL },
		{ "customer", "NAME", "For whom; the maker if absent.", &ask.customer, NULL },
		{ "rehearsal", NULL, "A run to prepare; its report can never be cited.", NULL, &ask.rehearsal },
		{ "catalogue", "DIR", "Read the catalogue from DIR.", &dir, NULL },
	};
	const struct ctm_cmd cmd = { "lab plan", "", "Write the plan of an evaluation: which checks on which component, where packets may go.", opts, COUNT(opts), 0, 0 };
	CTM_AUTO_JSON *p = NULL, *d = NULL, *plan = NULL;
	CTM_AUTO_LAB_CATALOGUE *cat = NULL;
	int nargs, rc;

	if ((rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, err)) || helped || (rc = need(product, "product", err)) ||
	    (rc = need(declaration, "declaration", err)) || (rc = need(out, "out", err)) || (rc = load_catalogue(dir, &cat, err)) ||
	    (rc = ctm_json_load(product, CTM_PLAN_MAX, &p, err)) || (rc = ctm_json_load(declaration, CTM_PLAN_MAX, &d, err)))
		return rc;
	ask.product = p;
	ask.declaration = d;
	if ((rc = ctm_plan_make(cat, &ask, &plan, err)) || (rc = write_json(out, plan, err)))
		return rc;
	printf("plan %s: %zu checks on %zu components, written to %s\n", ctm_json_gets(plan, "number"), ctm_json_len(ctm_json_get(plan, "checks")),
		ctm_json_len(ctm_json_get(plan, "components")), out);
	return 0;
}

/* ---- run ---- */

struct live {
	bool color;
	struct ctm_http *http;           /* NULL when nobody listens */
	char path[256], told[128];
	int failures;
};

static const char *tint(const struct live *l, const char *verdict)
{
	if (!l->color)
		return "";
	return strcmp(verdict, "PASS") == 0 ? "\033[32m" : strcmp(verdict, "FAIL") == 0 ? "\033[31m" : "\033[33m";
}

/* Tell the desk; a desk that does not listen never stops a run. */
static void progress(struct live *l, const struct ctm_check *k, const char *component, const char *verdict, const char *reason)
{
	CTM_AUTO_JSON *body = ctm_json_obj();
	struct ctm_err why = { 0 };

	if (!l->http || l->failures >= 3 || !body || ctm_json_sets(body, "check_id", k->id) || ctm_json_sets(body, "component", component) ||
	    ctm_json_sets(body, "verdict", verdict ? verdict : "RUNNING") || ctm_json_sets(body, "note", reason ? reason : ""))
		return;
	if (ctm_http_json(l->http, "POST", l->path, body, NULL, &why)) {
		l->failures++;
		snprintf(l->told, sizeof l->told, "%.120s", why.msg);
	}
}

static void tell(void *arg, const struct ctm_check *k, const char *component, const char *verdict, const char *reason, int64_t ms)
{
	struct live *l = arg;

	progress(l, k, component, verdict, reason);
	if (verdict)
		fprintf(stderr, "  %s%-14s%s %-4s %-46s %5lld.%lld s  %.160s\n", tint(l, verdict), verdict, l->color ? "\033[0m" : "", k->id, k->title, (long long)(ms / 1000),
			(long long)(ms % 1000 / 100), strcmp(verdict, "PASS") == 0 ? "" : reason ? reason : "");
}

static int open_progress(struct live *l, const char *url, const char *token_file, const char *job, struct ctm_err *err)
{
	CTM_AUTO_BUF token = CTM_BUF(4096);
	char base[200];
	const char *rest = strstr(url, "://");
	size_t n;
	int rc = 0;

	if (!rest || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0))
		return ctm_fail(err, CTM_E_USAGE, "progress-url", NULL, "must be an http or https address");
	n = (size_t)(rest - url) + 3 + strcspn(rest + 3, "/");
	if (n >= sizeof base || strlen(url + n) >= sizeof l->path)
		return ctm_fail(err, CTM_E_USAGE, "progress-url", NULL, "is too long");
	snprintf(base, sizeof base, "%.*s", (int)n, url);
	if (strlen(url + n) > 1)
		ctm_copy(l->path, sizeof l->path, url + n);
	else
		snprintf(l->path, sizeof l->path, "/api/v1/jobs/%.100s/progress", job);
	if (token_file && (rc = ctm_file_read(token_file, 4096, &token, err)))
		return rc;
	if (token.len)
		token.p[strcspn(ctm_buf_cstr(&token), "\r\n")] = '\0';
	struct ctm_http_conf conf = { .base = base, .bearer = token.len ? token.p : NULL, .timeout_ms = 2000, .answer_max = 1 << 20 };
	rc = ctm_http_new(&conf, &l->http, err);
	if (token.p)
		explicit_bzero(token.p, token.len);
	return rc;
}

struct run_args {
	const char *plan, *bench, *records, *out, *key, *signer, *progress_url, *token_file, *only, *dir, *name;
	bool rehearsal;
};

struct run_facts { struct ctm_lab_catalogue *cat; ctm_json *plan, *records, *given; struct ctm_bench *bench; struct ctm_trace *trace; struct ctm_key *key; };

static void free_facts(struct run_facts *f)
{
	ctm_lab_catalogue_free(f->cat);
	ctm_json_free(f->plan);
	ctm_json_free(f->records);
	ctm_json_free(f->given);
	ctm_bench_free(f->bench);
	ctm_trace_free(f->trace);
	ctm_key_free(f->key);
}

/* Everything a run needs, checked before the first packet. */
static int load_facts(const struct run_args *a, struct run_facts *f, struct ctm_err *err)
{
	int rc;

	if ((rc = load_catalogue(a->dir, &f->cat, err)) || (rc = ctm_json_load(a->plan, CTM_PLAN_MAX, &f->plan, err)) || (rc = ctm_plan_check(f->plan, a->plan, f->cat, err)))
		return rc;
	if (a->rehearsal != ctm_json_getb(f->plan, "rehearsal", false))
		return ctm_fail(err, CTM_E_STATE, "rehearsal", NULL, "the plan was %smade as a rehearsal; the run must say the same", a->rehearsal ? "not " : "");
	if ((rc = ctm_bench_load(a->bench, f->plan, &f->bench, err)))
		return rc;
	if (a->records) {
		if ((rc = ctm_json_load(a->records, CTM_PLAN_MAX * 4, &f->given, err)))
			return rc;
	} else if (!(f->given = ctm_json_arr())) {
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory");
	}
	if ((rc = ctm_records_take(f->given, f->plan, &f->records, err)) || (rc = ctm_records_check(f->records, a->records ? a->records : "records", f->plan, f->cat, err)))
		return rc;
	return a->key ? ctm_key_load(a->key, &f->key, err) : 0;
}

static void count_verdicts(const struct ctm_lab_facts *facts, const struct live *l, int64_t ms)
{
	CTM_AUTO_JSON *r = NULL;
	const ctm_json *c;

	if (ctm_report_make(facts, &r, NULL))
		return;
	c = ctm_json_get(r, "coverage");
	fprintf(stderr, "%lld checks in %lld.%lld s: %lld passed, %lld failed, %lld other. %s\n", (long long)ctm_json_geti(c, "checks", 0), (long long)(ms / 1000), (long long)(ms % 1000 / 100),
		(long long)ctm_json_geti(c, "passed", 0), (long long)ctm_json_geti(c, "failed", 0), (long long)ctm_json_geti(c, "other", 0), ctm_json_gets(r, "statement"));
	if (l->failures)
		fprintf(stderr, "The desk could not be told of the progress (%s); the run is whole all the same.\n", l->told);
}

static int run_and_seal(const struct run_args *a, struct run_facts *f, struct live *l, struct ctm_err *err)
{
	CTM_AUTO_BUF out = CTM_BUF(CTM_BUNDLE_MAX);
	struct ctm_run_ask ask = { .catalogue = f->cat, .plan = f->plan, .declaration = ctm_json_get(f->plan, "declared"), .records = f->records, .bench = f->bench, .only = a->only, .tell = tell, .arg = l };
	struct ctm_lab_facts facts = { .catalogue = f->cat, .plan = f->plan, .declaration = ctm_json_get(f->plan, "declared"), .records = f->records };
	struct ctm_sealer sealer = { .key = f->key, .signer_socket = a->signer, .name = a->name };
	char digest[CTM_DIGEST_MAX];
	int64_t t0 = ctm_mono_us();
	int rc;

	fprintf(stderr, "%s: %s %s at %s:%d\n", ctm_json_gets(f->plan, "number"), f->bench->model, f->bench->serial, f->bench->address, f->bench->port);
	if ((rc = ctm_run(&ask, &f->trace, err)))
		return rc;
	facts.trace = f->trace;
	count_verdicts(&facts, l, (ctm_mono_us() - t0) / 1000);
	if ((rc = ctm_bundle_write(&facts, &sealer, &out, err)) || (rc = ctm_file_write(a->out, out.p, out.len, 0644, err)))
		return rc;
	ctm_digest_of(out.p, out.len, digest);
	printf("%s  %s\n", digest, a->out);
	return 0;
}

static int do_run(int argc, char **argv, struct ctm_err *err)
{
	struct run_args a = { 0 };
	const char *args[ARGS_MAX];
	bool helped = false;
	const struct ctm_opt opts[] = {
		{ "plan", "FILE", "The approved plan.", &a.plan, NULL },
		{ "bench", "FILE", "The bench: sample, nameplate, specimens, consent (format: src/lab/bench.h).", &a.bench, NULL },
		{ "records", "FILE", "The tester's inspections and attestations.", &a.records, NULL },
		{ "out", "FILE", "Where the sealed bundle goes.", &a.out, NULL },
		{ "key", "PEM", "The lab's Ed25519 key to seal with, or", &a.key, NULL },
		{ "signer", "SOCKET", "the signer process that holds it.", &a.signer, NULL },
		{ "name", "NAME", "Name of the lab for the seal (with --key).", &a.name, NULL },
		{ "progress-url", "URL", "Tell the desk of each check as it goes.", &a.progress_url, NULL },
		{ "token-file", "FILE", "Bearer token for the desk.", &a.token_file, NULL },
		{ "only", "IDS", "Run only these checks; the others are NOT_RUN.", &a.only, NULL },
		{ "rehearsal", NULL, "The plan is a rehearsal.", NULL, &a.rehearsal },
		{ "catalogue", "DIR", "Read the catalogue from DIR.", &a.dir, NULL },
	};
	const struct ctm_cmd cmd = { "lab run", "", "Run a plan on the bench and seal the evidence.", opts, COUNT(opts), 0, 0 };
	struct run_facts f = { 0 };
	struct live l = { .color = ctm_cli_color(stderr) };
	int nargs, rc;

	if ((rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, err)) || helped)
		return rc;
	if ((rc = need(a.plan, "plan", err)) || (rc = need(a.bench, "bench", err)) || (rc = need(a.out, "out", err)))
		return rc;
	if (!a.key == !a.signer)
		return ctm_fail(err, CTM_E_USAGE, "key", NULL, "either --key or --signer is needed to seal the bundle");
	rc = load_facts(&a, &f, err);
	if (!rc && a.progress_url)
		rc = open_progress(&l, a.progress_url, a.token_file, ctm_json_gets(f.plan, "job"), err);
	if (!rc)
		rc = run_and_seal(&a, &f, &l, err);
	ctm_http_free(l.http);
	free_facts(&f);
	return rc;
}

/* ---- replay, report, verify ---- */

static int open_bundle(const char *path, const char *trust_path, struct ctm_bundle **out, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_BUNDLE_MAX);
	CTM_AUTO_JSON *trust = NULL;
	int rc;

	if ((trust_path && (rc = ctm_json_load(trust_path, 1 << 20, &trust, err))) || (rc = ctm_file_read(path, CTM_BUNDLE_MAX, &b, err)))
		return rc;
	return ctm_bundle_read(b.p, b.len, trust, out, err);
}

static int write_out(const char *dir, const struct ctm_buf *json, const struct ctm_buf *html, struct ctm_err *err)
{
	char path[1024];
	int rc = ctm_mkdirs(dir, 0755, err);

	if (rc)
		return rc;
	if ((size_t)snprintf(path, sizeof path, "%s/report.json", dir) >= sizeof path)
		return ctm_fail(err, CTM_E_TOOBIG, "out", NULL, "that path is too long");
	if ((rc = ctm_file_write(path, json->p, json->len, 0644, err)))
		return rc;
	snprintf(path, sizeof path, "%s/report.html", dir);
	return ctm_file_write(path, html->p, html->len, 0644, err);
}

static bool same_bytes(const struct ctm_buf *a, const struct ctm_buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->p, b->p, a->len) == 0);
}

/* "N01, T01", at most as many as fit. */
static void list_names(const ctm_json *list, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < ctm_json_len(list); i++) {
		const char *s = ctm_json_str(ctm_json_at(list, i));
		if (n + strlen(s) + 8 > cap) {
			snprintf(out + n, cap - n, ", ...");
			return;
		}
		n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? ", " : "", s);
	}
}

/* A bundle is judged by the checks inside it, so that it can be judged for ever; whether they are also ours is another question, and
 * the answer is always told. differ is NULL where there is no catalogue to compare with. */
static int tell_replay(const struct ctm_bundle *b, const ctm_json *report, const ctm_json *differ, bool same, bool json)
{
	const ctm_json *c = ctm_json_get(report, "coverage");
	CTM_AUTO_BUF out = CTM_BUF(1 << 20);

	if (!json) {
		printf("%s  sealed by %s (key %s%s)\n%s\n%s\n", b->digest, b->sealed_by, b->key_id, b->trusted ? ", trusted" : "; no trust list given", ctm_json_gets(report, "statement"),
			same ? "The replay gives the same verdicts and the same report, to the byte." : "The replay does NOT give the report of the bundle.");
		char names_of[400];
		list_names(differ, names_of, sizeof names_of);
		if (!differ)
			printf("No catalogue was found to compare the checks inside the bundle with.\n");
		else if (ctm_json_len(differ))
			printf("The checks inside the bundle are NOT those of the catalogue here; they differ in %s.\n", names_of);
		else
			printf("The checks inside the bundle are those of the catalogue here.\n");
		return 0;
	}
	CTM_AUTO_JSON *o = ctm_json_obj();
	if (!o || ctm_json_sets(o, "bundle", b->digest) || ctm_json_sets(o, "key_id", b->key_id) || ctm_json_sets(o, "sealed_by", b->sealed_by) || ctm_json_setb(o, "trusted", b->trusted) ||
	    ctm_json_setb(o, "same", same) ||
	    (differ && ctm_json_set(o, "catalogue_differs", ctm_json_copy(differ))) || ctm_json_sets(o, "number", ctm_json_gets(report, "number")) || ctm_json_set(o, "coverage", ctm_json_copy(c)) || ctm_json_pretty(o, &out))
		return CTM_E_NOMEM;
	fputs(ctm_buf_cstr(&out), stdout);
	return 0;
}

/* Compare with the catalogue given or installed. Without --same-catalogue an absent or other one is only told. */
static int compare_catalogue(const char *dir, bool must, const struct ctm_bundle *b, ctm_json **differ, struct ctm_err *err)
{
	CTM_AUTO_LAB_CATALOGUE *ours = NULL;
	struct ctm_err why = { 0 };
	char names_of[200];
	int rc = load_catalogue(dir, &ours, &why);

	if (rc)
		return dir || must ? ctm_fail(err, why.code, why.field, NULL, "%s", why.msg) : 0;
	if ((rc = ctm_lab_catalogue_differences(ours, b->catalogue, differ)))
		return ctm_fail(err, rc, NULL, NULL, "no memory for the comparison");
	list_names(*differ, names_of, sizeof names_of);
	return must && names_of[0] ? ctm_fail(err, CTM_E_VERIFY, "catalogue.json", NULL, "the bundle was judged by other checks than those of the catalogue here; they differ in %s", names_of) : 0;
}

static int do_replay(int argc, char **argv, struct ctm_err *err)
{
	const char *out = NULL, *trust = NULL, *dir = NULL, *args[ARGS_MAX];
	bool json = false, helped = false, must = false, same;
	const struct ctm_opt opts[] = { { "out", "DIR", "Write the report made by the replay there.", &out, NULL }, { "trust", "FILE", "Trust list; the seal must be by a lab in it.", &trust, NULL },
		{ "catalogue", "DIR", "Compare the bundle's checks with the catalogue in DIR (else the installed one).", &dir, NULL },
		{ "same-catalogue", NULL, "Refuse a bundle whose checks differ from that catalogue.", NULL, &must },
		{ "json", NULL, "Print the result as JSON.", NULL, &json } };
	const struct ctm_cmd cmd = { "lab replay", "BUNDLE", "Judge the observations of a bundle again and compare with its report.", opts, COUNT(opts), 1, 1 };
	CTM_AUTO_BUNDLE *b = NULL;
	CTM_AUTO_JSON *report = NULL, *differ = NULL;
	CTM_AUTO_BUF text = CTM_BUF(CTM_BUNDLE_MAX), html = CTM_BUF(CTM_BUNDLE_MAX);
	int nargs, rc;

	if ((rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, err)) || helped || (rc = open_bundle(args[0], trust, &b, err)) ||
	    (rc = compare_catalogue(dir, must, b, &differ, err)) || (rc = ctm_report_make(&b->facts, &report, err)) || (rc = ctm_report_check(report, "report.json", err)) || (rc = ctm_json_pretty(report, &text)) || (rc = ctm_report_html(report, &html, err)))
		return rc;
	same = same_bytes(&text, &b->report_json) && same_bytes(&html, &b->report_html);
	if ((out && (rc = write_out(out, &text, &html, err))) || (rc = tell_replay(b, report, differ, same, json)))
		return rc;
	return same ? 0 : ctm_fail(err, CTM_E_VERIFY, "report.json", NULL, "the report made again differs from the one in the bundle");
}

static int do_report(int argc, char **argv, struct ctm_err *err)
{
	const char *out = NULL, *trust = NULL, *args[ARGS_MAX];
	bool helped = false;
	const struct ctm_opt opts[] = { { "out", "DIR", "Directory for report.json and report.html.", &out, NULL }, { "trust", "FILE", "Trust list; the seal must be by a lab in it.", &trust, NULL } };
	const struct ctm_cmd cmd = { "lab report", "BUNDLE", "Take the report out of a bundle, after checking the bundle.", opts, COUNT(opts), 1, 1 };
	CTM_AUTO_BUNDLE *b = NULL;
	int nargs, rc;

	if ((rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, err)) || helped || (rc = need(out, "out", err)) || (rc = open_bundle(args[0], trust, &b, err)) ||
	    (rc = write_out(out, &b->report_json, &b->report_html, err)))
		return rc;
	printf("%s/report.json\n%s/report.html\n", out, out);
	return 0;
}

static int do_verify(int argc, char **argv, struct ctm_err *err)
{
	const char *trust = NULL, *args[ARGS_MAX];
	bool helped = false;
	const struct ctm_opt opts[] = { { "trust", "FILE", "Trust list (trust.json of the platform).", &trust, NULL } };
	const struct ctm_cmd cmd = { "evidence verify", "BUNDLE", "Check form, digests, chain and seal of a bundle.", opts, COUNT(opts), 1, 1 };
	CTM_AUTO_BUNDLE *b = NULL;
	int nargs, rc;

	if ((rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, err)) || helped || (rc = need(trust, "trust", err)) || (rc = open_bundle(args[0], trust, &b, err)))
		return rc;
	printf("good: %s\nsealed by %s (key %s), job %s, %zu observations, %zu artefacts\n", b->digest, b->sealed_by, b->key_id, ctm_json_gets(b->plan, "job"), b->trace->n, b->trace->nblobs);
	return 0;
}

/* ---- which ---- */

static const struct { const char *program, *verb, *help; int (*fn)(int, char **, struct ctm_err *); } verbs[] = {
	{ "ctm-lab", "checks", "list the checks of the catalogue", do_checks },
	{ "ctm-lab", "plan", "write the plan of an evaluation", do_plan },
	{ "ctm-lab", "run", "run a plan on the bench and seal the evidence", do_run },
	{ "ctm-lab", "replay", "judge a bundle again and compare", do_replay },
	{ "ctm-lab", "report", "take the report out of a bundle", do_report },
	{ "ctm-evidence", "verify", "check a bundle against a trust list", do_verify },
};

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *program = slash ? slash + 1 : argv[0];
	const char *self = strcmp(program, "ctm-evidence") == 0 ? program : "ctm-lab";
	struct ctm_err err = { 0 };
	char name[32];

	for (size_t i = 0; argc > 1 && i < COUNT(verbs); i++)
		if (strcmp(verbs[i].program, self) == 0 && strcmp(verbs[i].verb, argv[1]) == 0) {
			int rc = verbs[i].fn(argc - 1, argv + 1, &err);
			snprintf(name, sizeof name, "%s %s", self + 4, argv[1]);
			if (rc && !err.code)
				ctm_fail(&err, rc, NULL, NULL, "%s", ctm_err_text(rc));
			return rc ? ctm_cli_die(name, &err) : 0;
		}
	bool asked = argc > 1 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0);
	FILE *to = asked ? stdout : stderr;
	fprintf(to, "ctm %s VERB ...\n", self + 4);
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (strcmp(verbs[i].program, self) == 0)
			fprintf(to, "  %-8s %s\n", verbs[i].verb, verbs[i].help);
	return asked ? 0 : 2;
}
