/* SPDX-License-Identifier: Apache-2.0
 *
 * What the verbs of the factory station stand on: its files and its way to the platform.
 */
#include "app/desk.h"
#include "base/file.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_MAX 4096
#define RUN_MAX (1 << 20)
#define ANSWER_MAX (16u << 20)
#define TIMEOUT_MS 60000

int desk_needs(const char *value, const char *option, struct ctm_err *err)
{
	return value ? 0 : ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --%s is needed", option);
}

const char *desk_path(char *out, size_t cap, const char *dir, const char *name)
{
	int n = snprintf(out, cap, "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= cap)
		out[0] = 0;
	return out;
}

/* A token in a file that others may read is everybody's. */
static int read_token(const char *path, struct ctm_buf *out, struct ctm_err *err)
{
	struct stat st;
	int rc = ctm_file_read(path, TOKEN_MAX, out, err);
	if (rc)
		return rc;
	if (!stat(path, &st) && st.st_mode & 077)
		return ctm_fail(err, CTM_E_GUARD, "--token-file", NULL, "%s may be read by others; make it mode 0600", path);
	const char *s = ctm_buf_cstr(out);
	out->p[strcspn(s, "\r\n")] = 0;
	return *ctm_buf_cstr(out) ? 0 : ctm_fail(err, CTM_E_INPUT, "--token-file", NULL, "%s is empty; it holds an access token of the platform", path);
}

int desk_connect(const struct desk *d, struct ctm_http **out, struct ctm_err *err)
{
	CTM_AUTO_BUF token = CTM_BUF(TOKEN_MAX), ca = CTM_BUF(1 << 20);
	int rc = desk_needs(d->url, "url", err);
	rc = rc ? rc : desk_needs(d->token_file, "token-file", err);
	rc = rc ? rc : read_token(d->token_file, &token, err);
	if (!rc && d->ca)
		rc = ctm_file_read(d->ca, 1 << 20, &ca, err);
	if (rc)
		return rc;
	struct ctm_http_conf conf = { .base = d->url, .bearer = ctm_buf_cstr(&token), .ca_pem = d->ca ? ctm_buf_cstr(&ca) : NULL,
		.timeout_ms = TIMEOUT_MS, .answer_max = ANSWER_MAX };
	return ctm_http_new(&conf, out, err);
}

int desk_load_run(const struct desk *d, ctm_json **out, struct ctm_err *err)
{
	char path[4200];
	int rc = desk_needs(d->run, "run", err);
	if (rc)
		return rc;
	rc = ctm_json_load(desk_path(path, sizeof path, d->run, "run.json"), RUN_MAX, out, err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(err);
		return ctm_fail(err, rc, "--run", NULL, "%s holds no production run; begin one with: ctm desk factory begin", d->run);
	}
	return rc;
}

int desk_save(const char *path, const ctm_json *v, unsigned mode, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(64u << 20);
	int rc = ctm_json_pretty(v, &b);
	return rc ? ctm_fail(err, rc, path, NULL, "%s", ctm_err_text(rc)) : ctm_file_write(path, b.p, b.len, mode, err);
}

void desk_serial(char out[80], const ctm_json *run, int64_t i)
{
	const char *prefix = ctm_json_gets(run, "prefix");
	snprintf(out, 80, "%.40s%0*lld", prefix ? prefix : "", (int)ctm_json_geti(run, "digits", 6), (long long)ctm_json_geti(run, "first_number", 0) + i);
}

void desk_progress(const char *what, int64_t done, int64_t all)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%s %lld of %lld%s", what, (long long)done, (long long)all, done == all ? "\n" : "");
}
