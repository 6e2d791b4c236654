/* SPDX-License-Identifier: Apache-2.0
 *
 * The public's part of the walk: what a granted product has to show, written to the output directory, and checked there
 * with no network by `ctm verify`, which must fail once a byte is changed.
 */
#include "app/demo/demo.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include <string.h>

static int put(struct demo *d, const char *name, const struct ctm_buf *b)
{
	char path[600];
	snprintf(path, sizeof path, "%s/%s", d->out_dir, name);
	int rc = ctm_mkdirs(d->out_dir, 0755, d->err);
	return rc ? rc : demo_write(d, path, b->p, b->len, 0644);
}

int demo_write_out(struct demo *d, const char *unit, const char *version)
{
	const char *record = demo_getf(d, "record.%s", version), *kase = demo_getf(d, "case.%s.%s", unit, version),
		*job = demo_getf(d, "job.%s.%s", unit, version);
	const struct { const char *name, *who, *fmt, *id; } files[] = {
		{ "label.svg", "owner", "/api/v1/records/%s/label.svg", record }, { "label.png", "owner", "/api/v1/records/%s/label.png", record },
		{ "label.pdf", "owner", "/api/v1/records/%s/label.pdf", record }, { "label.proof", "", "/p/%s.proof", record },
		{ "certificate.json", "owner", "/api/v1/cases/%s/certificate.json", kase },
		{ "certificate.pdf", "owner", "/api/v1/cases/%s/certificate.pdf", kase },
		{ "evaluation-report.json", "tester", "/api/v1/jobs/%s/report.json", job },
		{ "evaluation-report.html", "tester", "/api/v1/jobs/%s/report.html", job },
		{ "evaluation-report.pdf", "tester", "/api/v1/jobs/%s/report.pdf", job },
	};
	int rc = 0;
	for (size_t i = 0; i < sizeof files / sizeof *files && !rc; i++) {
		CTM_AUTO_BUF b = CTM_BUF(16 << 20);
		char path[256];
		snprintf(path, sizeof path, "%.*s%s%s", (int)(strchr(files[i].fmt, '%') - files[i].fmt), files[i].fmt, files[i].id,
			strchr(files[i].fmt, '%') + 2);
		rc = demo_fetch(d, files[i].who, &b, "%s", path);
		if (!rc)
			rc = put(d, files[i].name, &b);
	}
	char bundle[512];
	CTM_AUTO_BUF b = { 0 };
	if (!rc)
		rc = demo_path(d, bundle, sizeof bundle, "%s/lab-%s/evidence.bundle", unit, version);
	if (!rc)
		rc = ctm_file_read(bundle, 32 << 20, &b, d->err);
	if (!rc)
		rc = put(d, "evidence.bundle", &b);
	snprintf(d->note, sizeof d->note, "%s/p/%s", d->public_url, record);
	return rc;
}

int demo_verify(struct demo *d)
{
	char proof[600], changed[512], trust[512];
	CTM_AUTO_BUF b = { 0 };
	snprintf(proof, sizeof proof, "%s/label.proof", d->out_dir);
	snprintf(trust, sizeof trust, "%s/trust.json", d->state_dir);
	int64_t t0 = ctm_mono_us();
	int rc = demo_run(d, 0, 10000, NULL, (const char *const[]){ "ctm-verify", proof, "--trust", trust, NULL });
	int64_t t1 = ctm_mono_us();
	if (!rc)
		rc = ctm_file_read(proof, 1 << 20, &b, d->err);
	if (!rc)
		rc = demo_path(d, changed, sizeof changed, "changed.proof");
	if (rc)
		return rc;
	b.p[b.len / 2] ^= 1;
	rc = demo_write(d, changed, b.p, b.len, 0600);
	if (!rc)
		rc = demo_run(d, 1, 10000, NULL, (const char *const[]){ "ctm-verify", changed, "--trust", trust, NULL });
	snprintf(d->note, sizeof d->note, "genuine: verified in %.0f ms; byte %zu changed: refused", (double)(t1 - t0) / 1e3, b.len / 2);
	return rc;
}

/* A denied product has no certificate and no record, so there is nothing a label could be drawn from. */
int demo_no_label(struct demo *d)
{
	return demo_refused(d, CTM_E_NOTFOUND, "owner", "GET", NULL, "/api/v1/cases/%s/certificate.json", demo_get(d, "case.twin.1.0.0"));
}
