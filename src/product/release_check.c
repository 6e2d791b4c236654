/* SPDX-License-Identifier: Apache-2.0
 *
 * What is checked of a release's parts before they are believed. Runs on workers, outside any transaction: the bytes are
 * in the blob store, the use case that follows stores digests only and refuses when the release moved meanwhile.
 *
 * A bill of materials is read by the sandboxed child `ctm-parse sbom`, never in this process.
 */
#include "product/release.h"
#include "product/use_cases.h"
#include "base/proc.h"
#include "base/text.h"
#include "product/declaration.h"
#include "crypto/hash.h"
#include "ctm/manifest.h"
#include "ctm/openssl.h"
#include "store/blob.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SBOM_MAX (16u << 20)
#define SUMMARY_MAX (8u << 20)
#define PARSE_TIMEOUT_MS 20000
#define LISTED_COMPONENTS 500

/* The child's complaint is "ctm sbom read: POINTER: sentence": hand its first line on as ours. */
static int refused(struct ctm_cx *cx, struct ctm_buf *errout, int status)
{
	char *line = errout->len ? errout->p : NULL;
	if (line)
		line[strcspn(line, "\n")] = '\0';
	if (status == 1 && line && *line && ctm_text_printable(line, strlen(line)))
		return ctm_fail(cx->err, CTM_E_INPUT, "sbom", "CycloneDX", "%.300s", line);
	return ctm_fail(cx->err, CTM_E_INPUT, "sbom", "CycloneDX", "the bill of materials could not be read (the reader ended with status %d)", status);
}

/* Run the reader over the blob; *out is its summary. */
static int read_sbom(struct ctm_cx *cx, const char *digest, ctm_json **out)
{
	CTM_AUTO_BUF body = CTM_BUF(SBOM_MAX), text = CTM_BUF(SUMMARY_MAX), errout = CTM_BUF(2048);
	char program[512];
	int status = 0, rc = ctm_blob_get(ctm_app_blobs(cx->app), digest, SBOM_MAX, &body, cx->err);
	if (rc || (rc = ctm_sibling("ctm-parse", program, sizeof program, cx->err)))
		return rc;
	struct ctm_proc p = { .argv = (const char *const[]){ program, "sbom", "-", NULL }, .in = ctm_buf_cstr(&body), .in_len = body.len,
		.timeout_ms = PARSE_TIMEOUT_MS };
	if ((rc = ctm_proc_run(&p, &text, &errout, &status, cx->err)))
		return rc;
	if (status != 0)
		return refused(cx, &errout, status);
	return ctm_json_parse(ctm_buf_cstr(&text), text.len, SUMMARY_MAX, "summary", out, cx->err);
}

/* Keep the first components only: the bytes are in the blob store, the row holds what pages show. */
static int shorten(ctm_json *summary)
{
	const ctm_json *all = ctm_json_get(summary, "components");
	if (ctm_json_len(all) <= LISTED_COMPONENTS)
		return 0;
	ctm_json *some = ctm_json_arr();
	for (size_t i = 0; i < LISTED_COMPONENTS; i++)
		ctm_json_add(some, ctm_json_copy(ctm_json_at(all, i)));
	return ctm_json_set(summary, "components", some);
}

static int keep(struct ctm_cx *cx, const char *key, ctm_json *v)
{
	if (!cx->prepared && !(cx->prepared = ctm_json_obj())) {
		ctm_json_free(v);
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	}
	return ctm_json_set(cx->prepared, key, v) ? ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory") : 0;
}

int ctm_prepare_sbom(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *row = NULL, *summary = NULL;
	int rc = ctm_release_draft(cx, ctm_in(cx, "id"), &row);
	if (rc || (rc = read_sbom(cx, cx->upload.digest, &summary)))
		return rc;
	const char *version = ctm_json_gets(ctm_json_get(summary, "subject"), "version");
	if (!ctm_streq(version, ctm_json_gets(row, "version")))
		return ctm_fail(cx->err, CTM_E_INPUT, "/metadata/component/version", "CycloneDX", "the bill of materials is of version \"%.60s\", this release is %s",
			version ? version : "(none)", ctm_json_gets(row, "version"));
	if (shorten(summary))
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	rc = keep(cx, "sbom", summary);
	summary = NULL;
	return rc;
}

int ctm_prepare_declaration(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *row = NULL, *doc = NULL;
	CTM_AUTO_BUF body = CTM_BUF(CTM_DECLARATION_MAX);
	int rc = ctm_release_draft(cx, ctm_in(cx, "id"), &row);
	if (rc || (rc = ctm_blob_get(ctm_app_blobs(cx->app), cx->upload.digest, CTM_DECLARATION_MAX, &body, cx->err)) ||
		(rc = ctm_json_parse(ctm_buf_cstr(&body), body.len, CTM_DECLARATION_MAX, "declaration", &doc, cx->err)) ||
		(rc = ctm_decl_check(doc, "declaration", cx->err)) ||
		(rc = ctm_decl_fits(doc, ctm_json_gets(row, "maker"), ctm_json_gets(row, "model"), ctm_json_gets(row, "version"), cx->err)))
		return rc;
	rc = keep(cx, "declaration", doc);
	doc = NULL;
	return rc;
}

/* The manifest's own claims against the release: one row each. field is what the answer names. */
static int manifest_fits(struct ctm_cx *cx, const struct ctm_manifest *m, const ctm_json *row)
{
	uint8_t image[CTM_SHA256];
	char path[512], version[CTM_MANIFEST_TEXT + 1], digest[CTM_DIGEST_MAX];
	struct stat st;
	const char *want = ctm_json_gets(row, "image_digest");
	if (ctm_digest_parse(want ? want : "", image))
		return ctm_fail(cx->err, CTM_E_STATE, "image", NULL, "upload the image before its manifest");
	int rc = ctm_blob_path(ctm_app_blobs(cx->app), want, path, sizeof path);
	if (rc || stat(path, &st))
		return ctm_fail(cx->err, CTM_E_IO, "image", NULL, "the image cannot be read back");
	snprintf(version, sizeof version, "%.*s", (int)m->version.n, (const char *)m->version.p);
	ctm_digest_str(m->digest, digest);
	if (!ctm_memeq_ct(image, m->digest, sizeof image))
		return ctm_fail(cx->err, CTM_E_INPUT, "manifest/digest", "RFC 9124", "the manifest is of the image %.20s..., the uploaded image is %.20s...", digest, want);
	if (m->size != (uint64_t)st.st_size)
		return ctm_fail(cx->err, CTM_E_INPUT, "manifest/size", "RFC 9124", "the manifest says %llu bytes, the image has %lld",
			(unsigned long long)m->size, (long long)st.st_size);
	if (!ctm_streq(version, ctm_json_gets(row, "version")))
		return ctm_fail(cx->err, CTM_E_INPUT, "manifest/version", "RFC 9124", "the manifest is of version %s, this release is %s", version, ctm_json_gets(row, "version"));
	if (m->counter != (uint64_t)ctm_json_geti(row, "security_counter", 0))
		return ctm_fail(cx->err, CTM_E_INPUT, "manifest/security_counter", "RFC 9124", "the manifest has security counter %llu, this release %lld",
			(unsigned long long)m->counter, (long long)ctm_json_geti(row, "security_counter", 0));
	return 0;
}

int ctm_prepare_manifest(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *row = NULL;
	CTM_AUTO_BUF body = CTM_BUF(CTM_MANIFEST_MAX);
	struct ctm_manifest m;
	int rc = ctm_release_draft(cx, ctm_in(cx, "id"), &row);
	if (rc || (rc = ctm_blob_get(ctm_app_blobs(cx->app), cx->upload.digest, CTM_MANIFEST_MAX, &body, cx->err)))
		return rc;
	if ((rc = ctm_manifest_peek((const uint8_t *)ctm_buf_cstr(&body), body.len, &m)))
		return ctm_fail(cx->err, CTM_E_INPUT, "manifest", "RFC 9052", "this is not a signed update manifest: %s", ctm_sdk_text(rc));
	if ((rc = manifest_fits(cx, &m, row)))
		return rc;
	return keep(cx, "image", ctm_json_news(ctm_json_gets(row, "image_digest")));
}

/* What a device of this declaration would say to the manifest: signature, vendor and class. */
static int device_takes(struct ctm_cx *cx, const ctm_json *row, const struct ctm_buf *body)
{
	const ctm_json *update = ctm_json_get(ctm_json_get(row, "declaration"), "update");
	const char *hex = ctm_json_gets(update, "release_key"), *vendor = ctm_json_gets(update, "vendor"), *class_name = ctm_json_gets(update, "class");
	uint8_t key[CTM_PUB_MAX], vendor_id[CTM_ID_BYTES], class_id[CTM_ID_BYTES], sbom[CTM_SHA256];
	struct ctm_manifest m;
	if (!hex || !vendor || !class_name || strlen(hex) > 2 * sizeof key || ctm_unhex(hex, strlen(hex), key))
		return ctm_fail(cx->err, CTM_E_INPUT, "declaration/update", NULL, "the declaration names no release key");
	int rc = ctm_manifest_verify(ctm_openssl_crypto(), (const uint8_t *)body->p, body->len, key, strlen(hex) / 2, &m);
	if (rc)
		return ctm_fail(cx->err, CTM_E_VERIFY, "manifest", "RFC 9052", "devices would refuse the manifest under the declared release key: %s", ctm_sdk_text(rc));
	ctm_vendor_id(vendor, vendor_id);
	ctm_class_id(vendor_id, class_name, class_id);
	if (memcmp(m.vendor, vendor_id, sizeof vendor_id) || memcmp(m.class_id, class_id, sizeof class_id))
		return ctm_fail(cx->err, CTM_E_INPUT, "manifest/vendor", "RFC 9124", "the manifest is for another vendor or class than the declaration says");
	const char *bom = ctm_json_gets(row, "sbom_digest");
	if (m.sbom.n && bom && *bom && (ctm_digest_parse(bom, sbom) || m.sbom.n != sizeof sbom || memcmp(m.sbom.p, sbom, sizeof sbom)))
		return ctm_fail(cx->err, CTM_E_INPUT, "manifest/sbom", "RFC 9124", "the manifest names another bill of materials than the one uploaded");
	return manifest_fits(cx, &m, row);
}

int ctm_prepare_publish(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *row = NULL;
	CTM_AUTO_BUF body = CTM_BUF(CTM_MANIFEST_MAX);
	int rc = ctm_release_draft(cx, ctm_in(cx, "id"), &row);
	if (rc)
		return rc;
	const char *manifest = ctm_json_gets(row, "manifest_digest"), *declaration = ctm_json_gets(row, "declaration_digest");
	if (manifest && *manifest && declaration && *declaration) {
		if ((rc = ctm_blob_get(ctm_app_blobs(cx->app), manifest, CTM_MANIFEST_MAX, &body, cx->err)) || (rc = device_takes(cx, row, &body)))
			return rc;
	}
	return keep(cx, "row_version", ctm_json_newi(ctm_json_geti(row, "row_version", 0)));
}
