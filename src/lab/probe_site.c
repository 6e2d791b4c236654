/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes of the maker's public side and papers: security.txt (P01), the disclosure policy it names (P02), dates of support
 * (P04), the SBOM of the release (P05). The site is reached only over https, under the root the bench names, at an address
 * that the plan allows. What is fetched is kept as it came; judging is done from the kept bytes.
 */
#include "lab/probe.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "ctm/cose.h"
#include "ctm/manifest.h"
#include <stdio.h>
#include <string.h>

#define PAGE_MAX ((size_t)512 << 10)
#define SBOM_MAX ((size_t)8 << 20)

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
}

static int no_input(struct ctm_run *r, const char *kind, const char *why, struct ctm_err *err)
{
	ctm_json *data = ctm_json_obj();

	if (!data || ctm_json_setb(data, "given", false) || ctm_json_sets(data, "why", why)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, kind, data, err);
}

/* ---- the site ---- */

/* "https://host[:port]" of a URL, and the host alone. False unless https. */
static bool split_url(const char *url, char *base, size_t cap, char *host, size_t hcap, const char **path)
{
	size_t n, h;

	if (!ctm_starts(url, "https://"))
		return false;
	n = strcspn(url + 8, "/?#");
	h = strcspn(url + 8, ":/?#");
	if (n == 0 || h == 0 || n + 9 > cap || h + 1 > hcap || memchr(url + 8, '@', n))
		return false;
	snprintf(base, cap, "%.*s", (int)(n + 8), url);
	snprintf(host, hcap, "%.*s", (int)h, url + 8);
	*path = url[8 + n] == '/' ? url + 8 + n : "/";
	return true;
}

struct site { struct ctm_http *http; char base[256], host[128]; };

static int open_site(struct ctm_run *r, struct site *s, struct ctm_err *err)
{
	const char *url = ctm_json_gets(r->bench->site, "url"), *ca = ctm_json_gets(r->bench->site, "ca_file"), *ip = ctm_json_gets(r->bench->site, "resolve_ip"), *path;
	CTM_AUTO_BUF pem = CTM_BUF(256 << 10);
	char file[1024];
	struct in_addr a;
	int rc;

	if (!url || !split_url(url, s->base, sizeof s->base, s->host, sizeof s->host, &path))
		return ctm_fail(err, CTM_E_INPUT, "/site/url", NULL, "the site must be an https address");
	if ((rc = ctm_target_allowed(r->plan, ip ? ip : s->host, &a, err)))
		return rc;
	if (!ca)
		return ctm_fail(err, CTM_E_INPUT, "/site/ca_file", NULL, "name the root under which the site's certificate is checked");
	if ((rc = ctm_bench_path(r->bench, ca, file, sizeof file, err)) || (rc = ctm_file_read(file, 256 << 10, &pem, err)))
		return rc;
	struct ctm_http_conf conf = { .base = s->base, .ca_pem = ctm_buf_cstr(&pem), .resolve_host = ip ? s->host : NULL, .resolve_ip = ip, .timeout_ms = 5000, .answer_max = PAGE_MAX };
	return ctm_http_new(&conf, &s->http, err);
}

/* GET and keep. body (may be NULL) gets the text of a 200. */
static int fetch(struct ctm_run *r, struct site *s, const char *kind, const char *path, struct ctm_buf *body, struct ctm_err *err)
{
	struct ctm_answer a = { 0 };
	struct ctm_err no = { 0 };
	char digest[CTM_DIGEST_MAX] = "", url[1024];
	ctm_json *data = ctm_json_obj();
	int rc = 0, got = ctm_http_do(s->http, "GET", path, NULL, NULL, 0, &a, &no);

	snprintf(url, sizeof url, "%s%.700s", s->base, path);
	if (!got && a.body.len)
		rc = ctm_trace_blob(r->trace, a.body.p, a.body.len, digest, err);
	if (!got && !rc && a.status == 200 && body)
		ctm_buf_add(body, a.body.p, a.body.len);
	if (!rc && (!data || ctm_json_setb(data, "given", true) || ctm_json_sets(data, "url", url) || ctm_json_seti(data, "status", got ? 0 : a.status) ||
	    ctm_json_sets(data, "type", got ? "" : a.type) || ctm_json_sets(data, "blob", digest) || ctm_json_sets(data, "no_answer", got ? no.msg : "")))
		rc = oom(err);
	ctm_answer_free(&a);
	if (rc) {
		ctm_json_free(data);
		return rc;
	}
	return run_record(r, kind, data, err);
}

static int security_txt(struct ctm_run *r, struct site *s, struct ctm_buf *body, struct ctm_err *err)
{
	int rc = open_site(r, s, err);
	return rc ? rc : fetch(r, s, "site.security-txt", "/.well-known/security.txt", body, err);
}

CTM_PROBE(security_txt)
{
	struct site s = { 0 };
	int rc = r->bench->site ? security_txt(r, &s, NULL, err) : no_input(r, "site.security-txt", "the bench names no public site of the maker", err);

	ctm_http_free(s.http);
	return rc;
}

/* First "Policy:" of security.txt. */
static bool policy_of(const char *text, char *out, size_t cap)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		if (strncasecmp(line, "policy:", 7) == 0) {
			const char *v = line + 7 + strspn(line + 7, " \t");
			size_t n = strcspn(v, "\r\n");
			if (n == 0 || n >= cap)
				return false;
			snprintf(out, cap, "%.*s", (int)n, v);
			return true;
		}
	}
	return false;
}

CTM_PROBE(disclosure_policy)
{
	struct site s = { 0 };
	CTM_AUTO_BUF text = CTM_BUF(PAGE_MAX);
	char url[800], base[256], host[128];
	const char *path = NULL;
	int rc;

	if (!r->bench->site)
		return no_input(r, "site.policy", "the bench names no public site of the maker", err);
	rc = security_txt(r, &s, &text, err);
	if (!rc && !policy_of(ctm_buf_cstr(&text), url, sizeof url))
		rc = no_input(r, "site.policy", "security.txt names no policy", err);
	else if (!rc && (!split_url(url, base, sizeof base, host, sizeof host, &path) || strcmp(base, s.base) != 0))
		rc = no_input(r, "site.policy", "the policy does not stand on the maker's site over https", err);
	else if (!rc)
		rc = fetch(r, &s, "site.policy", path, NULL, err);
	ctm_http_free(s.http);
	return rc;
}

/* ---- dates of support ---- */

static int add_manifest_date(struct ctm_run *r, ctm_json *data)
{
	const char *rel = ctm_json_gets(r->bench->specimens, "good");
	CTM_AUTO_BUF all = CTM_BUF((size_t)40 << 20);
	struct ctm_bytes manifest, image;
	struct ctm_manifest m;
	char path[1024];

	if (!rel || ctm_bench_path(r->bench, rel, path, sizeof path, NULL) || ctm_file_read(path, (size_t)40 << 20, &all, NULL) ||
	    ctm_package_split((const uint8_t *)all.p, all.len, &manifest, &image) || ctm_manifest_peek(manifest.p, manifest.n, &m) || m.support_end.n == 0)
		return 0;
	return ctm_json_setf(data, "manifest", "%.*s", (int)m.support_end.n, (const char *)m.support_end.p);
}

CTM_PROBE(support_end)
{
	const char *release = ctm_json_gets(r->bench->release, "support_end"), *product = ctm_json_gets(ctm_json_get(r->plan, "product"), "support_end");
	ctm_json *data = ctm_json_obj();
	char today[CTM_RFC3339_MAX];

	ctm_time_rfc3339(ctm_now_ms(), today);
	today[10] = '\0';
	if (!data || ctm_json_sets(data, "today", today) || (release && ctm_json_sets(data, "release", release)) ||
	    (product && ctm_json_sets(data, "registry", product)) || add_manifest_date(r, data)) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "support-end", data, err);
}

/* ---- SBOM ---- */

CTM_PROBE(sbom)
{
	const char *rel = ctm_json_gets(r->bench->release, "sbom_file");
	CTM_AUTO_BUF b = CTM_BUF(SBOM_MAX);
	char path[1024], digest[CTM_DIGEST_MAX];
	ctm_json *data;
	int rc;

	if (!rel)
		return no_input(r, "sbom", "the bench names no SBOM of the release", err);
	if ((rc = ctm_bench_path(r->bench, rel, path, sizeof path, err)))
		return rc;
	rc = ctm_file_read(path, SBOM_MAX, &b, NULL);
	if (rc)
		return no_input(r, "sbom", "the SBOM named by the bench cannot be read", err);
	if ((rc = ctm_trace_blob(r->trace, b.p, b.len, digest, err)))
		return rc;
	data = ctm_json_obj();
	if (!data || ctm_json_setb(data, "given", true) || ctm_json_sets(data, "blob", digest) || ctm_json_seti(data, "bytes", (int64_t)b.len) ||
	    ctm_json_sets(data, "release_version", ctm_json_gets(r->bench->release, "version")) ||
	    ctm_json_sets(data, "release_image", ctm_json_gets(r->bench->release, "image_sha256"))) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "sbom", data, err);
}
