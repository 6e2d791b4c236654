/* SPDX-License-Identifier: Apache-2.0
 *
 * Tools of the demonstration: its kept state, API calls as a person of the cast, programs, data files.
 */
#include "app/demo/demo.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX (16u << 20)

static int format(struct ctm_err *err, char *out, size_t cap, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, cap, fmt, ap);
	return n < 0 || (size_t)n >= cap ? ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "an address is longer than %zu bytes", cap) : 0;
}

const char *demo_get(const struct demo *d, const char *key)
{
	const char *v = ctm_json_gets(d->st, key);
	if (!v) {
		fprintf(stderr, "ctm demo: state.json has no \"%s\"; remove the state directory and start again\n", key);
		exit(3);
	}
	return v;
}

const char *demo_getf(const struct demo *d, const char *keyfmt, ...)
{
	char key[96];
	va_list ap;
	va_start(ap, keyfmt);
	vsnprintf(key, sizeof key, keyfmt, ap);
	va_end(ap);
	return demo_get(d, key);
}

int demo_set(struct demo *d, const char *key, const char *value)
{
	if (!value)
		return ctm_fail(d->err, CTM_E_FAIL, key, NULL, "the answer lacks what belongs under \"%s\"", key);
	return ctm_json_sets(d->st, key, value);
}

int demo_setf(struct demo *d, const char *value, const char *keyfmt, ...)
{
	char key[96];
	va_list ap;
	va_start(ap, keyfmt);
	vsnprintf(key, sizeof key, keyfmt, ap);
	va_end(ap);
	return demo_set(d, key, value);
}

int demo_save(struct demo *d)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	char path[512];
	int rc = demo_path(d, path, sizeof path, "state.json");
	if (!rc)
		rc = ctm_json_pretty(d->st, &b);
	return rc ? rc : demo_write(d, path, b.p, b.len, 0600);
}

ctm_json *demo_obj(const char *key, ...)
{
	ctm_json *o = ctm_json_obj();
	va_list ap;
	va_start(ap, key);
	for (const char *k = key; k; k = va_arg(ap, const char *))
		ctm_json_sets(o, k, va_arg(ap, const char *));
	va_end(ap);
	return o;
}

static void as(struct demo *d, const char *person)
{
	char key[64];
	snprintf(key, sizeof key, "token.%s", person);
	ctm_http_bearer(d->http, *person ? demo_get(d, key) : NULL);
}

int demo_call(struct demo *d, const char *person, const char *method, ctm_json *body, ctm_json **out, const char *pathfmt, ...)
{
	char path[512];
	va_list ap;
	va_start(ap, pathfmt);
	int rc = format(d->err, path, sizeof path, pathfmt, ap);
	va_end(ap);
	if (!rc) {
		as(d, person);
		rc = ctm_http_json(d->http, method, path, body, out, d->err);
		if (rc)
			ctm_fail_prefix(d->err, "%s %s as %s", method, path, *person ? person : "nobody");
	}
	ctm_json_free(body);
	return rc;
}

int demo_refused(struct demo *d, int code, const char *person, const char *method, ctm_json *body, const char *pathfmt, ...)
{
	char path[512];
	struct ctm_err why = { 0 };
	va_list ap;
	va_start(ap, pathfmt);
	int rc = format(d->err, path, sizeof path, pathfmt, ap);
	va_end(ap);
	if (!rc) {
		as(d, person);
		rc = ctm_http_json(d->http, method, path, body, NULL, &why);
	}
	ctm_json_free(body);
	if (ctm_err_http(rc) == ctm_err_http(code)) {
		char *address = strstr(why.msg, " (GET /") ? strstr(why.msg, " (GET /") : strstr(why.msg, " (POST /");
		if (address)
			*address = 0;           /* the client names the address; the line above has said what was asked */
		snprintf(d->note, sizeof d->note, "refused: %.150s%s%.30s%s", why.msg, *why.rule ? " (" : "", why.rule, *why.rule ? ")" : "");
		return 0;
	}
	return ctm_fail(d->err, CTM_E_VERIFY, NULL, NULL, "%s %s should have been refused with %d, but it answered: %s", method, path,
		ctm_err_http(code), rc ? why.msg : "accepted");
}

int demo_upload(struct demo *d, const char *person, const char *method, const char *type, const void *p, size_t n, ctm_json **out,
	const char *pathfmt, ...)
{
	char path[512];
	struct ctm_answer a = { .body = CTM_BUF(ANSWER_MAX) };
	va_list ap;
	va_start(ap, pathfmt);
	int rc = format(d->err, path, sizeof path, pathfmt, ap);
	va_end(ap);
	if (rc)
		return rc;
	as(d, person);
	rc = ctm_http_do(d->http, method, path, type, p, n, &a, d->err);
	if (!rc && (a.status < 200 || a.status > 299))
		rc = ctm_fail(d->err, CTM_E_VERIFY, NULL, NULL, "%s %s answered %d: %.240s", method, path, a.status, ctm_buf_cstr(&a.body));
	if (!rc && out)
		rc = ctm_json_parse(ctm_buf_cstr(&a.body), a.body.len, ANSWER_MAX, path, out, d->err);
	ctm_answer_free(&a);
	return rc;
}

int demo_fetch(struct demo *d, const char *person, struct ctm_buf *out, const char *pathfmt, ...)
{
	char path[512];
	struct ctm_answer a = { .body = CTM_BUF(ANSWER_MAX) };
	va_list ap;
	va_start(ap, pathfmt);
	int rc = format(d->err, path, sizeof path, pathfmt, ap);
	va_end(ap);
	if (rc)
		return rc;
	as(d, person);
	rc = ctm_http_do(d->http, "GET", path, NULL, NULL, 0, &a, d->err);
	if (!rc && a.status != 200)
		rc = ctm_fail(d->err, CTM_E_NOTFOUND, NULL, NULL, "GET %s answered %d: %.240s", path, a.status, ctm_buf_cstr(&a.body));
	if (!rc)
		ctm_buf_add(out, a.body.p, a.body.len);
	ctm_answer_free(&a);
	return rc ? rc : ctm_buf_err(out, path, d->err);
}

static const char *dotted(const ctm_json *v, const char *member)
{
	char key[64];
	const char *dot;
	while ((dot = strchr(member, '.'))) {
		snprintf(key, sizeof key, "%.*s", (int)(dot - member), member);
		v = ctm_json_get(v, key);
		member = dot + 1;
	}
	return ctm_json_gets(v, member);
}

int demo_until(struct demo *d, const char *person, const char *member, const char *want, int timeout_ms, const char *pathfmt, ...)
{
	char path[512], seen[64] = "nothing";
	va_list ap;
	va_start(ap, pathfmt);
	int rc = format(d->err, path, sizeof path, pathfmt, ap);
	va_end(ap);
	if (rc)
		return rc;
	for (int64_t end = ctm_mono_us() + timeout_ms * 1000LL;;) {
		CTM_AUTO_JSON *v = NULL;
		struct ctm_err e = { 0 };
		as(d, person);
		if (!ctm_http_json(d->http, "GET", path, NULL, &v, &e) && dotted(v, member)) {
			snprintf(seen, sizeof seen, "%.60s", dotted(v, member));
			if (!strcmp(seen, want))
				return 0;
		}
		if (ctm_mono_us() > end)
			return ctm_fail(d->err, CTM_E_TIMEOUT, member, NULL, "%s still says %s = %s after %d ms, expected %s%s%s", path, member, seen,
				timeout_ms, want, e.code ? "; " : "", e.msg);
		usleep(50000);
	}
}

int demo_run(struct demo *d, int want, int timeout_ms, struct ctm_buf *out, const char *const *argv)
{
	char prog[600];
	const char *args[40];
	size_t n = 0;
	for (; n < 39 && argv[n]; n++)
		args[n] = argv[n];
	args[n] = NULL;
	snprintf(prog, sizeof prog, "%s/%s", d->self, argv[0]);
	args[0] = prog;
	CTM_AUTO_BUF o = CTM_BUF(ANSWER_MAX);
	CTM_AUTO_BUF e = CTM_BUF(1 << 20);
	int status = 0;
	struct ctm_proc p = { .argv = args, .timeout_ms = timeout_ms, .heard = d->heard, .arg = d->heard_arg };
	int rc = ctm_proc_run(&p, &o, &e, &status, d->err);
	if (rc)
		return rc;
	if (status != want) {
		const char *t = ctm_buf_cstr(&e);
		size_t len = strlen(t);
		return ctm_fail(d->err, CTM_E_FAIL, NULL, NULL, "%s %s left with %d instead of %d: %s", argv[0], argv[1] ? argv[1] : "", status, want,
			len > 300 ? t + len - 300 : t);
	}
	if (out)
		ctm_buf_add(out, o.p, o.len);
	return out ? ctm_buf_err(out, argv[0], d->err) : 0;
}

int demo_data(struct demo *d, struct ctm_buf *out, const char *file, ...)
{
	char path[512];
	CTM_AUTO_BUF in = { 0 };
	snprintf(path, sizeof path, "%s/%s", CTM_DEMO_DIR, file);
	int rc = ctm_file_read(path, 1 << 20, &in, d->err);
	if (rc)
		return rc;
	for (const char *p = ctm_buf_cstr(&in); *p;) {
		const char *val = NULL;
		size_t skip = 0;
		if (*p == '@') {
			va_list ap;
			va_start(ap, file);
			for (const char *name; !val && (name = va_arg(ap, const char *));) {
				const char *v = va_arg(ap, const char *);
				size_t n = strlen(name);
				if (!strncmp(p + 1, name, n) && p[n + 1] == '@')
					val = v, skip = n + 2;
			}
			va_end(ap);
		}
		if (val) {
			ctm_buf_str(out, val);
			p += skip;
		} else {
			ctm_buf_chr(out, *p++);
		}
	}
	return ctm_buf_err(out, file, d->err);
}

int demo_data_json(struct demo *d, ctm_json **out, const char *file)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", CTM_DEMO_DIR, file);
	return ctm_json_load(path, 1 << 20, out, d->err);
}

int demo_path(const struct demo *d, char *out, size_t cap, const char *fmt, ...)
{
	char rel[256], dir[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(rel, sizeof rel, fmt, ap);
	va_end(ap);
	int n = snprintf(out, cap, "%s/demo/%s", d->state_dir, rel);
	if (n < 0 || (size_t)n >= cap || (size_t)n >= sizeof dir)
		return ctm_fail(d->err, CTM_E_TOOBIG, NULL, NULL, "the state directory's path is too long");
	memcpy(dir, out, (size_t)n + 1);
	*strrchr(dir, '/') = 0;
	return ctm_mkdirs(dir, 0700, d->err);
}

int demo_write(struct demo *d, const char *path, const void *p, size_t n, unsigned mode)
{
	return ctm_file_write(path, p, n, mode, d->err);
}
