/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab's part of the walk: a job with a one-time challenge, a plan approved by a second person, the live run on the
 * bench by `ctm lab run`, the sealed bundle, the report.
 */
#include "app/demo/demo.h"
#include "base/file.h"
#include "base/text.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct files { char plan[512], bench[512], records[512], bundle[512], token[512], product[512]; };

static int names(struct demo *d, const char *unit, const char *version, struct files *f)
{
	const struct { char *out; const char *what; } row[] = {
		{ f->plan, "plan.json" }, { f->bench, "bench.json" }, { f->records, "records.json" }, { f->bundle, "evidence.bundle" },
		{ f->token, "tester.token" }, { f->product, "product.json" },
	};
	int rc = 0;
	for (size_t i = 0; i < sizeof row / sizeof *row && !rc; i++)
		rc = demo_path(d, row[i].out, sizeof f->plan, "%s/lab-%s/%s", unit, version, row[i].what);
	return rc;
}

static int write_json(struct demo *d, const char *path, const ctm_json *v)
{
	CTM_AUTO_BUF b = CTM_BUF(4 << 20);
	int rc = ctm_json_pretty(v, &b);
	return rc ? rc : demo_write(d, path, b.p, b.len, 0600);
}

static int unit_path(struct demo *d, ctm_json *o, const char *key, const char *fmt, ...) CTM_PRINTF(4, 5);
static int unit_path(struct demo *d, ctm_json *o, const char *key, const char *fmt, ...)
{
	char rel[128], path[512], full[4096];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(rel, sizeof rel, fmt, ap);
	va_end(ap);
	int rc = demo_path(d, path, sizeof path, "%s", rel);
	return rc ? rc : ctm_json_sets(o, key, realpath(path, full) ? full : path);
}

/* What stands on the bench: the sample, its nameplate, the maker's specimens, what the tester allows. */
static int bench(struct demo *d, const struct demo_unit *u, const char *version, const char *older, const char *path)
{
	char address[16], control[16];
	demo_address(d, u->host, address);
	demo_address(d, DEMO_CONTROL_HOST, control);
	CTM_AUTO_JSON *b = demo_obj("format", "ctm.bench/1", "bench_id", "BENCH-1", "operator", "Tess Tanner", "control_address", control,
		"place", "Bench 1, Exampleton", "approver", "Lou Lindgren", "condition", "new, sealed box", NULL);
	ctm_json *target = demo_obj("address", address, NULL), *plate = demo_obj("serial", u->serial, "model", u->model, NULL);
	ctm_json *rel = demo_obj("version", version, "support_end", "2031-12-31", "image_sha256",
		demo_getf(d, "image.%s.%s", u->name, version), NULL);
	ctm_json *spec = ctm_json_obj(), *site = demo_obj("url", d->site, "resolve_ip", "127.0.0.1", NULL), *consent = ctm_json_arr();
	ctm_json_seti(target, "port", DEMO_ADMIN_PORT_NO);
	ctm_json_adds(consent, "D3");
	ctm_json_adds(consent, "D4");
	int rc = unit_path(d, plate, "initial_password_file", "%s/initial-password", u->name);
	if (!rc)
		rc = unit_path(d, b, "device_ca_file", "device-ca.pem");
	if (!rc)
		rc = unit_path(d, site, "ca_file", "device-ca.pem");
	if (!rc)
		rc = unit_path(d, spec, "good", "%s/update-%s.ctmu", u->name, version);
	if (!rc)
		rc = unit_path(d, spec, "older", "%s/update-%s.ctmu", u->name, older);
	if (!rc)
		rc = unit_path(d, rel, "sbom_file", "%s/sbom-%s.cdx.json", u->name, version);
	ctm_json_set(b, "lab", demo_obj("name", "Tidewater Bench (fictional)", "address", "2 Fictional Quay, Exampleton", NULL));
	ctm_json_set(b, "target", target);
	ctm_json_set(b, "nameplate", plate);
	ctm_json_set(b, "release", rel);
	ctm_json_set(b, "specimens", spec);
	ctm_json_set(b, "site", site);
	ctm_json_set(b, "consent", consent);
	return rc ? rc : write_json(d, path, b);
}

/* The tester's records name the documents of the application by digest. */
static int records(struct demo *d, const char *path)
{
	CTM_AUTO_JSON *all = NULL;
	CTM_AUTO_JSON *out = ctm_json_arr();
	int rc = demo_data_json(d, &all, "records.json");
	for (size_t i = 0; i < ctm_json_len(all) && !rc; i++) {
		ctm_json *r = ctm_json_copy(ctm_json_at(all, i));
		ctm_json_sets(r, "document", demo_getf(d, "document.%s", ctm_json_gets(r, "document")));
		rc = ctm_json_add(out, r);
	}
	return rc ? rc : write_json(d, path, out);
}

static int open_job(struct demo *d, const char *unit, const char *version, ctm_json **job)
{
	ctm_json *body = demo_obj("product_id", demo_getf(d, "product.%s", unit), "case_id", demo_getf(d, "case.%s.%s", unit, version), NULL);
	int rc = demo_call(d, "labhead", "POST", body, job, "/api/v1/jobs");
	return rc ? rc : demo_setf(d, ctm_json_gets(*job, "id"), "job.%s.%s", unit, version);
}

static int plan(struct demo *d, const char *unit, const char *version, const struct files *f)
{
	char declaration[512];
	CTM_AUTO_JSON *product = NULL;
	CTM_AUTO_JSON *job = NULL;
	CTM_AUTO_BUF text = { 0 };
	const char *id = demo_getf(d, "job.%s.%s", unit, version);
	int rc = demo_call(d, "tester", "GET", NULL, &job, "/api/v1/jobs/%s", id);
	if (!rc)
		rc = demo_call(d, "tester", "GET", NULL, &product, "/api/v1/products/%s", demo_getf(d, "product.%s", unit));
	if (!rc)
		rc = write_json(d, f->product, product);
	if (!rc)
		rc = demo_path(d, declaration, sizeof declaration, "%s/declaration-%s.json", unit, version);
	const char *challenge = ctm_json_gets(job, "challenge");
	if (!rc && !challenge)
		rc = ctm_fail(d->err, CTM_E_FAIL, "challenge", NULL, "the job carries no challenge");
	if (!rc)
		rc = demo_run(d, 0, 20000, NULL, (const char *const[]){ "ctm-lab", "plan", "--product", f->product, "--declaration", declaration,
			"--challenge", challenge, "--job", id, "--out", f->plan, NULL });
	if (!rc)
		rc = ctm_file_read(f->plan, 4 << 20, &text, d->err);
	if (!rc)
		rc = demo_upload(d, "tester", "PUT", "application/json", text.p, text.len, NULL, "/api/v1/jobs/%s/plan", id);
	return rc ? rc : demo_call(d, "labhead", "POST", NULL, NULL, "/api/v1/jobs/%s/approve", id);
}

/* ctm-lab writes a line for each check that has ended: two blanks, the verdict, the id. Counts them, shows the last. */
struct checks { const struct demo *d; size_t total, ended; char line[64]; size_t len; };

static void hear(void *arg, const char *p, size_t n)
{
	struct checks *c = arg;
	for (size_t i = 0; i < n; i++) {
		char verdict[24], id[16];
		if (p[i] != '\n') {
			if (c->len < sizeof c->line - 1)
				c->line[c->len++] = p[i];
			continue;
		}
		c->line[c->len] = 0;
		c->len = 0;
		if (!strncmp(c->line, "  ", 2) && sscanf(c->line, "  %23s %15s", verdict, id) == 2)
			demo_show(c->d, "... check %zu of %zu: %s", ++c->ended, c->total, id);
	}
}

static size_t checks_of(const char *plan)
{
	CTM_AUTO_JSON *p = NULL;
	struct ctm_err why = { 0 };
	return ctm_json_load(plan, 4 << 20, &p, &why) ? 0 : ctm_json_len(ctm_json_get(p, "checks"));
}

static int run(struct demo *d, const char *unit, const char *version, const struct files *f)
{
	char socket[512], url[256];
	CTM_AUTO_BUF bundle = { 0 };
	const char *id = demo_getf(d, "job.%s.%s", unit, version), *token = demo_get(d, "token.tester");
	snprintf(socket, sizeof socket, "%s/run/signer.sock", d->state_dir);
	snprintf(url, sizeof url, "%s/api/v1/jobs/%s/progress", d->base, id);
	struct checks checks = { .d = d, .total = checks_of(f->plan) };
	int rc = demo_write(d, f->token, token, strlen(token), 0600);
	d->heard = hear;
	d->heard_arg = &checks;
	if (!rc)
		rc = demo_run(d, 0, 60000, NULL, (const char *const[]){ "ctm-lab", "run", "--plan", f->plan, "--bench", f->bench, "--records", f->records,
			"--signer", socket, "--progress-url", url, "--token-file", f->token, "--out", f->bundle, NULL });
	d->heard = NULL;
	d->heard_arg = NULL;
	if (!rc)
		rc = ctm_file_read(f->bundle, 32 << 20, &bundle, d->err);
	return rc ? rc : demo_upload(d, "tester", "PUT", "application/octet-stream", bundle.p, bundle.len, NULL, "/api/v1/jobs/%s/bundle", id);
}

static void tell_verdicts(struct demo *d, const ctm_json *job)
{
	static const char *const words[] = { "PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE", "NOT_RUN", "ERROR" };
	const ctm_json *v = ctm_json_get(job, "verdicts");
	size_t at = 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (ctm_json_geti(v, words[i], 0) && at < sizeof d->note)
			at += (size_t)snprintf(d->note + at, sizeof d->note - at, "%s%lld %s", at ? ", " : "", (long long)ctm_json_geti(v, words[i], 0), words[i]);
}

int demo_evaluate(struct demo *d, const char *unit, const char *version)
{
	const struct demo_unit *u = demo_unit(unit);
	struct files f;
	CTM_AUTO_JSON *job = NULL;
	CTM_AUTO_JSON *after = NULL;
	const char *older = strcmp(version, "1.0.0") ? "1.0.0" : "0.9.9";
	int rc = names(d, unit, version, &f);
	if (!rc)
		rc = open_job(d, unit, version, &job);
	if (!rc)
		rc = plan(d, unit, version, &f);
	if (!rc)
		rc = bench(d, u, version, older, f.bench);
	if (!rc)
		rc = records(d, f.records);
	if (!rc)
		rc = run(d, unit, version, &f);
	if (!rc)
		rc = demo_call(d, "labhead", "POST", NULL, NULL, "/api/v1/jobs/%s/report", demo_getf(d, "job.%s.%s", unit, version));
	if (!rc)
		rc = demo_call(d, "tester", "GET", NULL, &after, "/api/v1/jobs/%s", demo_getf(d, "job.%s.%s", unit, version));
	if (!rc)
		tell_verdicts(d, after);
	return rc;
}
