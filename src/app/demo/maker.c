/* SPDX-License-Identifier: Apache-2.0
 *
 * The maker's part of the walk: product with components, registry fields and documents; a signed release.
 */
#include "app/demo/demo.h"
#include "base/file.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGE_BYTES 65536

static int documents(struct demo *d, const struct demo_unit *u)
{
	static const struct { const char *kind, *title; bool pub; } docs[] = {
		{ "disclosure_policy", "How to report a security problem", true }, { "security_txt", "security.txt", true },
		{ "user_guide", "Your Porch Camera: safe from the first day", true }, { "support_policy", "Support and notices", true },
		{ "design_assumptions", "Assumptions and expectations", false }, { "component_list", "Components of the product", false },
		{ "outcome_map", "How each outcome is met across the components", false }, { "design_support", "Design and support facts", false },
		{ "maintenance", "Maintenance", false }, { "lifecycle", "Life cycle", false },
		{ "vulnerability_handling", "Vulnerability management", false }, { "ecosystem", "For retailers, labs and authorities", false },
		{ "risk_assessment", "Risk assessment, summary", false },
	};
	char expires[CTM_RFC3339_MAX];
	ctm_time_rfc3339(ctm_now_ms() / 86400000 * 86400000 + 300LL * 86400000, expires);
	for (size_t i = 0; i < sizeof docs / sizeof *docs; i++) {
		CTM_AUTO_BUF text = CTM_BUF(1 << 16);
		CTM_AUTO_BUF title = CTM_BUF(256);
		CTM_AUTO_JSON *made = NULL;
		char file[96];
		bool txt = !strcmp(docs[i].kind, "security_txt");
		snprintf(file, sizeof file, "documents/%s", txt ? "security.txt" : docs[i].kind);
		if (!txt)
			strncat(file, ".md", sizeof file - strlen(file) - 1);
		ctm_url_escape(&title, docs[i].title, strlen(docs[i].title));
		int rc = demo_data(d, &text, file, "EXPIRES", expires, "SITE", d->site, NULL);
		if (!rc)
			rc = demo_upload(d, "engineer", "POST", txt ? "text/plain" : "text/markdown", text.p, text.len, &made,
				"/api/v1/products/%s/documents?kind=%s&title=%s&visibility=%s", demo_getf(d, "product.%s", u->name), docs[i].kind,
				ctm_buf_cstr(&title), docs[i].pub ? "public" : "case");
		if (!rc)
			rc = demo_setf(d, ctm_json_gets(made, "digest"), "document.%s", docs[i].kind);
		if (rc)
			return rc;
	}
	return 0;
}

/* The picture that the public page shows, so that a copied code is noticed. */
static int picture(struct demo *d, const struct demo_unit *u)
{
	CTM_AUTO_BUF png = CTM_BUF(1 << 18);
	int rc = ctm_file_read(CTM_DEMO_DIR "/picture.png", 1 << 18, &png, d->err);
	return rc ? rc : demo_upload(d, "engineer", "PUT", "image/png", png.p, png.len, NULL, "/api/v1/products/%s/picture",
		demo_getf(d, "product.%s", u->name));
}

int demo_product(struct demo *d, const char *name)
{
	const struct demo_unit *u = demo_unit(name);
	CTM_AUTO_JSON *data = NULL;
	CTM_AUTO_JSON *made = NULL;
	int rc = demo_data_json(d, &data, "product.json");
	if (rc)
		return rc;
	ctm_json *body = demo_obj("name", u->title, "model", u->model, "category", ctm_json_gets(data, "category"), "intended_use",
		ctm_json_gets(data, "intended_use"), "summary", ctm_json_gets(data, "summary"), NULL);
	if (!u->defects) {   /* the twin is not sold: no trade numbers */
		ctm_json_sets(body, "gtin", ctm_json_gets(data, "gtin"));
		ctm_json_sets(body, "fcc_id", ctm_json_gets(data, "fcc_id"));
	}
	rc = demo_call(d, "owner", "POST", body, &made, "/api/v1/products");
	if (!rc)
		rc = demo_setf(d, ctm_json_gets(made, "id"), "product.%s", name);
	const ctm_json *parts = ctm_json_get(data, "components");
	for (size_t i = 0; i < ctm_json_len(parts) && !rc; i++) {
		CTM_AUTO_JSON *part = NULL;
		const ctm_json *p = ctm_json_at(parts, i);
		rc = demo_call(d, "engineer", "POST", ctm_json_copy(p), &part, "/api/v1/products/%s/components", demo_getf(d, "product.%s", name));
		if (!rc)
			rc = demo_setf(d, ctm_json_gets(part, "id"), "component.%s.%s", name, ctm_json_gets(p, "kind"));
	}
	if (!rc)
		rc = demo_call(d, "owner", "PUT", ctm_json_copy(ctm_json_get(data, "registry")), NULL, "/api/v1/products/%s/registry",
			demo_getf(d, "product.%s", name));
	if (!rc)
		rc = picture(d, u);
	return rc ? rc : documents(d, u);
}

/* The release key of the product line; a real maker keeps it off line. */
static int release_key(struct demo *d, const struct demo_unit *u, char *key, char *pub, size_t cap, struct ctm_buf *pubhex)
{
	int rc = demo_path(d, key, cap, "%s/release.pem", u->name);
	if (!rc)
		rc = demo_path(d, pub, cap, "%s/release.pub", u->name);
	if (!rc && access(key, F_OK) != 0)
		rc = demo_run(d, 0, 10000, NULL, (const char *const[]){ "ctm-update", "keygen", "--out", key, "--public", pub, NULL });
	if (!rc)
		rc = ctm_file_read(pub, 4096, pubhex, d->err);
	while (!rc && pubhex->len && (unsigned char)pubhex->p[pubhex->len - 1] <= ' ')
		pubhex->p[--pubhex->len] = 0;
	return rc;
}

/* An image is a header line and a payload that differs from version to version but is the same on every run. */
static int make_image(struct demo *d, const struct demo_unit *u, const char *version, char *path, size_t cap, char digest[CTM_DIGEST_MAX])
{
	CTM_AUTO_BUF img = CTM_BUF(IMAGE_BYTES + 256);
	uint8_t block[CTM_SHA256];
	ctm_buf_printf(&img, "CTM-IMAGE 1 %s %s\n", u->model, version);
	ctm_sha256(img.p, img.len, block);
	while (img.len < IMAGE_BYTES) {
		ctm_buf_add(&img, block, sizeof block);
		ctm_sha256(block, sizeof block, block);
	}
	ctm_digest_of(img.p, img.len, digest);
	int rc = demo_path(d, path, cap, "%s/image-%s.bin", u->name, version);
	return rc ? rc : demo_write(d, path, img.p, img.len, 0644);
}

/* 1.2.3 -> 10203: the security counter of the demonstration grows with the version. */
static int counter_of(const char *v)
{
	int n = 0;
	for (int i = 0; i < 3; i++, v += *v == '.') {
		char *end;
		n = n * 100 + (int)strtol(v, &end, 10);
		v = end;
	}
	return n;
}

static int sign_image(struct demo *d, const struct demo_unit *u, const char *version, const char *key, char digest[CTM_DIGEST_MAX])
{
	char image[512], manifest[512], package[512], counter[16], sbom[512];
	int rc = make_image(d, u, version, image, sizeof image, digest);
	if (!rc)
		rc = demo_path(d, manifest, sizeof manifest, "%s/manifest-%s.cose", u->name, version);
	if (!rc)
		rc = demo_path(d, package, sizeof package, "%s/update-%s.ctmu", u->name, version);
	if (!rc)
		rc = demo_path(d, sbom, sizeof sbom, "%s/sbom-%s.cdx.json", u->name, version);
	CTM_AUTO_BUF bom = CTM_BUF(1 << 16);
	if (!rc)
		rc = demo_data(d, &bom, "sbom.cdx.json", "VERSION", version, "MODEL", u->model, "IMAGE_HEX", digest + 7, NULL);
	if (!rc)
		rc = demo_write(d, sbom, bom.p, bom.len, 0644);
	snprintf(counter, sizeof counter, "%d", counter_of(version));
	if (!rc)
		rc = demo_run(d, 0, 10000, NULL, (const char *const[]){ "ctm-update", "sign", "--key", key, "--image", image, "--version", version,
			"--counter", counter, "--vendor", "larkspur.example", "--class", u->model, "--component", "device", "--min-version", "0.0.0",
			"--sbom", sbom, "--support-end", "2031-12-31", "--out", manifest, NULL });
	if (!rc)
		rc = demo_run(d, 0, 10000, NULL, (const char *const[]){ "ctm-update", "package", "--manifest", manifest, "--image", image, "--out", package, NULL });
	return rc;
}

static int put_file(struct demo *d, const char *part, const char *type, const char *release, const char *path)
{
	CTM_AUTO_BUF b = { 0 };
	int rc = ctm_file_read(path, 1 << 22, &b, d->err);
	return rc ? rc : demo_upload(d, "engineer", "PUT", type, b.p, b.len, NULL, "/api/v1/releases/%s/%s", release, part);
}

static int write_declaration(struct demo *d, const struct demo_unit *u, const char *version, const char *pubhex)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 16);
	char path[512], port[16];
	snprintf(port, sizeof port, "%d", d->device_port);
	int rc = demo_data(d, &b, "declaration.json", "MODEL", u->model, "VERSION", version, "ADMIN_PORT", DEMO_ADMIN_PORT, "DEVICE_PORT", port,
		"RELEASE_KEY", pubhex, NULL);
	if (!rc)
		rc = demo_path(d, path, sizeof path, "%s/declaration-%s.json", u->name, version);
	return rc ? rc : demo_write(d, path, b.p, b.len, 0644);
}

int demo_release(struct demo *d, const char *name, const char *version, const char *older)
{
	const struct demo_unit *u = demo_unit(name);
	char key[512], pub[512], digest[CTM_DIGEST_MAX], path[512];
	CTM_AUTO_BUF pubhex = { 0 };
	CTM_AUTO_JSON *rel = NULL;
	static const struct { const char *part, *ending, *type; } parts[] = {
		{ "image", "bin", "application/octet-stream" },
		{ "manifest", "cose", "application/cose" },
		{ "sbom", "cdx.json", "application/vnd.cyclonedx+json" },
		{ "declaration", "json", "application/json" },
	};
	int rc = release_key(d, u, key, pub, sizeof key, &pubhex);
	if (!rc)
		rc = sign_image(d, u, older, key, digest);
	if (!rc)
		rc = sign_image(d, u, version, key, digest);
	if (!rc)
		rc = demo_setf(d, digest, "image.%s.%s", name, version);
	if (!rc)
		rc = write_declaration(d, u, version, ctm_buf_cstr(&pubhex));
	if (rc)
		return rc;
	ctm_json *body = demo_obj("version", version, "support_end", "2031-12-31", NULL);
	ctm_json_seti(body, "security_counter", counter_of(version));
	rc = demo_call(d, "engineer", "POST", body, &rel, "/api/v1/components/%s/releases", demo_getf(d, "component.%s.device", name));
	if (!rc)
		rc = demo_setf(d, ctm_json_gets(rel, "id"), "release.%s.%s", name, version);
	for (size_t i = 0; i < sizeof parts / sizeof *parts && !rc; i++) {
		rc = demo_path(d, path, sizeof path, "%s/%s-%s.%s", u->name, parts[i].part, version, parts[i].ending);
		if (!rc)
			rc = put_file(d, parts[i].part, parts[i].type, ctm_json_gets(rel, "id"), path);
	}
	if (!rc)
		rc = demo_call(d, "owner", "POST", NULL, NULL, "/api/v1/releases/%s/publish", ctm_json_gets(rel, "id"));
	return rc;
}
