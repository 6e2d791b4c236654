/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm update: the maker's release signing. `keygen` makes a release key (private PEM, 0600; public in hex, the form a
 * declaration carries; Ed25519, or P-256 for devices whose crypto back end has no Ed25519), `sign` writes a manifest (ctm.manifest/1) about one image, `package` puts
 * manifest and image into one file for a device, `inspect` shows what a manifest or package says, and with a key whether it
 * is true. Nothing here talks to the platform: a release key can stay on a machine with no network.
 *
 * Exit: 0 good, 1 refused (also: signature or image does not match), 2 misuse, 3 could not run.
 */
#include "app/update.h"
#include "base/buf.h"
#include "base/cli.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/key.h"
#include "ctm/cose.h"
#include "ctm/manifest.h"
#include "ctm/openssl.h"
#include <string.h>

#define SBOM_MAX ((size_t)64 << 20)
#define PACKAGE_MAX (CTM_IMAGE_MAX + CTM_MANIFEST_MAX + 4)

static int sdk_fail(struct ctm_err *err, int code, const char *field)
{
	int e = code == CTM_SDK_TOOBIG ? CTM_E_TOOBIG : code == CTM_SDK_VERIFY ? CTM_E_VERIFY :
		code == CTM_SDK_SYNTAX || code == CTM_SDK_TRUNCATED ? CTM_E_SYNTAX : code == CTM_SDK_FAIL ? CTM_E_FAIL : CTM_E_INPUT;
	return ctm_fail(err, e, field, NULL, "%s", ctm_sdk_text(code));
}

static int needs(const char *value, const char *option, struct ctm_err *err)
{
	return value ? 0 : ctm_fail(err, CTM_E_USAGE, NULL, NULL, "the option --%s is needed", option);
}

/* keygen */

static const char *out_path, *public_path, *alg_name;

static int keygen(const char **args, struct ctm_err *err)
{
	CTM_AUTO_KEY *key = NULL;
	CTM_AUTO_BUF old = { 0 };
	uint8_t raw[65];
	char hex[131];
	int rc = needs(out_path, "out", err);
	if (!rc)
		rc = needs(public_path, "public", err);
	if (rc)
		return rc;
	if (ctm_file_read(out_path, 1 << 16, &old, NULL) != CTM_E_NOTFOUND)
		return ctm_fail(err, CTM_E_EXISTS, "out", NULL, "%s is already there and is kept; a release key is never overwritten", out_path);
	if (alg_name && !ctm_streq(alg_name, "ed25519") && !ctm_streq(alg_name, "es256"))
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "--alg is ed25519 or es256");
	rc = ctm_key_generate(alg_name && ctm_streq(alg_name, "es256") ? CTM_ALG_ES256 : CTM_ALG_ED25519, &key, err);
	if (!rc)
		rc = ctm_key_store(key, out_path, err);
	if (rc)
		return rc;
	ctm_hex(raw, ctm_key_raw(key, raw), hex);
	CTM_AUTO_BUF line = CTM_BUF(256);
	ctm_buf_printf(&line, "%s\n", hex);
	rc = ctm_file_write(public_path, line.p, line.len, 0644, err);
	if (!rc)
		printf("release key in %s; its public half %s is in %s\n", out_path, hex, public_path);
	return rc;
}

/* sign */

static const char *key_path, *image_path, *version, *counter, *vendor, *class_name, *component, *min_version, *sbom_path,
	*support_end, *advisories, *rollback;

static int file_digest(const char *path, size_t max, uint8_t digest[CTM_HASH_BYTES], uint64_t *size, struct ctm_err *err)
{
	CTM_AUTO_BUF b = { 0 };
	int rc = ctm_file_read(path, max, &b, err);
	if (rc)
		return rc;
	rc = ctm_sdk_sha256(ctm_openssl_crypto(), b.p, b.len, digest);
	if (rc)
		return sdk_fail(err, rc, path);
	*size = b.len;
	return 0;
}

static struct ctm_bytes text_of(const char *s)
{
	return (struct ctm_bytes){ (const uint8_t *)s, s ? strlen(s) : 0 };
}

static int split_list(const char *s, const char *option, struct ctm_bytes *list, size_t max, size_t *n, struct ctm_err *err)
{
	while (s) {
		const char *comma = strchr(s, ',');
		if (*n == max)
			return ctm_fail(err, CTM_E_INPUT, option, NULL, "at most %zu fit", max);
		list[(*n)++] = (struct ctm_bytes){ (const uint8_t *)s, comma ? (size_t)(comma - s) : strlen(s) };
		s = comma ? comma + 1 : NULL;
	}
	return 0;
}

static int fill(struct ctm_manifest *m, uint8_t sbom[CTM_HASH_BYTES], struct ctm_err *err)
{
	const struct { const char *value, *name; } must[] = {
		{ key_path, "key" }, { image_path, "image" }, { version, "version" }, { counter, "counter" }, { vendor, "vendor" },
		{ class_name, "class" }, { component, "component" }, { out_path, "out" },
	};
	int64_t n;
	uint64_t ignored;
	for (size_t i = 0; i < sizeof must / sizeof must[0]; i++) {
		int rc = needs(must[i].value, must[i].name, err);
		if (rc)
			return rc;
	}
	if (!ctm_version_ok(version, strlen(version)))
		return ctm_fail(err, CTM_E_INPUT, "version", NULL, "%s is not a version like 1.2.0 or 1.2.0-rc1", version);
	if (!ctm_version_ok(min_version, strlen(min_version)))
		return ctm_fail(err, CTM_E_INPUT, "min-version", NULL, "%s is not a version like 1.0.0", min_version);
	if (ctm_parse_i64(counter, 0, INT64_MAX, &n))
		return ctm_fail(err, CTM_E_INPUT, "counter", NULL, "%s is not a whole number from 0", counter);
	m->counter = (uint64_t)n;
	ctm_vendor_id(vendor, m->vendor);
	ctm_class_id(m->vendor, class_name, m->class_id);
	m->component = text_of(component);
	m->version = text_of(version);
	m->min_version = text_of(min_version);
	m->support_end = text_of(support_end);
	int rc = file_digest(image_path, CTM_IMAGE_MAX, m->digest, &m->size, err);
	if (!rc && sbom_path) {
		rc = file_digest(sbom_path, SBOM_MAX, sbom, &ignored, err);
		m->sbom = (struct ctm_bytes){ sbom, CTM_HASH_BYTES };
	}
	if (!rc)
		rc = split_list(advisories, "advisories", m->advisory, CTM_ADVISORIES_MAX, &m->advisories, err);
	return rc ? rc : split_list(rollback, "rollback", m->rollback, CTM_ROLLBACK_MAX, &m->rollbacks, err);
}

static int sign_with_key(void *key, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	return ctm_key_sign(key, tbs, n, sig) ? CTM_SDK_FAIL : 0;
}

static int sign(const char **args, struct ctm_err *err)
{
	struct ctm_manifest m = { 0 };
	uint8_t sbom[CTM_HASH_BYTES], payload[CTM_MANIFEST_MAX], msg[CTM_MANIFEST_MAX];
	size_t n, len;
	char kid[17];
	CTM_AUTO_KEY *key = NULL;
	if (!min_version)
		min_version = "0.0.0";
	int rc = fill(&m, sbom, err);
	if (!rc)
		rc = ctm_key_load(key_path, &key, err);
	if (rc)
		return rc;
	if ((rc = ctm_manifest_encode(&m, payload, sizeof payload, &n)))
		return ctm_fail(err, CTM_E_INPUT, NULL, NULL,
			"one of image (1 byte to 32 MiB), component, support-end (YYYY-MM-DD), advisories or rollback (versions) is not acceptable");
	ctm_key_id(key, kid);
	rc = ctm_cose_sign1_sign(sign_with_key, key, ctm_key_alg(key) == CTM_ALG_ES256 ? CTM_COSE_ES256 : CTM_COSE_EDDSA, (const uint8_t *)kid, strlen(kid), CTM_MANIFEST_TYPE, payload, n,
		msg, sizeof msg, &len);
	if (rc)
		return sdk_fail(err, rc, "manifest");
	return ctm_file_write(out_path, msg, len, 0644, err);
}

/* package */

static const char *manifest_path;

static int package(const char **args, struct ctm_err *err)
{
	CTM_AUTO_BUF manifest = { 0 }, image = { 0 }, out = CTM_BUF(PACKAGE_MAX);
	struct ctm_manifest m;
	int rc = needs(manifest_path, "manifest", err);
	if (!rc)
		rc = needs(image_path, "image", err);
	if (!rc)
		rc = needs(out_path, "out", err);
	if (!rc)
		rc = ctm_file_read(manifest_path, CTM_MANIFEST_MAX, &manifest, err);
	if (!rc)
		rc = ctm_file_read(image_path, CTM_IMAGE_MAX, &image, err);
	if (rc)
		return rc;
	if ((rc = ctm_manifest_peek((const uint8_t *)manifest.p, manifest.len, &m)))
		return sdk_fail(err, rc, "manifest");
	if (ctm_manifest_image(ctm_openssl_crypto(), &m, (const uint8_t *)image.p, image.len))
		return ctm_fail(err, CTM_E_VERIFY, "image", NULL, "%s is not the image that %s describes", image_path, manifest_path);
	const char len[4] = { (char)(manifest.len >> 24), (char)(manifest.len >> 16), (char)(manifest.len >> 8), (char)manifest.len };
	ctm_buf_add(&out, len, sizeof len);
	ctm_buf_add(&out, manifest.p, manifest.len);
	ctm_buf_add(&out, image.p, image.len);
	rc = ctm_buf_err(&out, "package", err);
	return rc ? rc : ctm_file_write(out_path, out.p, out.len, 0644, err);
}

/* inspect */

static bool as_json;

static bool key_hex(const char *s, size_t n, uint8_t out[CTM_PUB_MAX], size_t *keylen)
{
	*keylen = n / 2;
	return (n == 64 || n == 2 * CTM_PUB_MAX) && ctm_unhex(s, n, out) == 0;
}

/* KEY is 64 (Ed25519) or 130 (P-256) hex characters, or a file that holds them. */
static int release_key(const char *key, uint8_t out[CTM_PUB_MAX], size_t *keylen, struct ctm_err *err)
{
	CTM_AUTO_BUF b = { 0 };
	if (key_hex(key, strlen(key), out, keylen))
		return 0;
	int rc = ctm_file_read(key, 256, &b, err);
	if (rc)
		return rc;
	while (b.len && (unsigned char)b.p[b.len - 1] <= ' ')
		b.len--;
	if (!key_hex(b.p, b.len, out, keylen))
		return ctm_fail(err, CTM_E_INPUT, "key", NULL, "%s does not hold a public key: 64 hex characters of Ed25519 or 130 of P-256", key);
	return 0;
}

static void set_bytes(ctm_json *o, const char *key, struct ctm_bytes b)
{
	ctm_json_setf(o, key, "%.*s", (int)b.n, (const char *)b.p);
}

static void set_digest(ctm_json *o, const char *key, const uint8_t *d)
{
	char hex[65];
	ctm_hex(d, CTM_HASH_BYTES, hex);
	ctm_json_setf(o, key, "sha256:%s", hex);
}

static ctm_json *list_json(const struct ctm_bytes *list, size_t n)
{
	ctm_json *a = ctm_json_arr();
	for (size_t i = 0; i < n; i++) {
		char word[CTM_ADVISORY_TEXT + 1];
		snprintf(word, sizeof word, "%.*s", (int)list[i].n, (const char *)list[i].p);
		ctm_json_adds(a, word);
	}
	return a;
}

static ctm_json *manifest_json(const struct ctm_manifest *m)
{
	ctm_json *o = ctm_json_obj();
	char id[37];
	ctm_json_sets(o, "format", CTM_MANIFEST_FORMAT);
	ctm_uuid_text(m->vendor, id);
	ctm_json_sets(o, "vendor_id", id);
	ctm_uuid_text(m->class_id, id);
	ctm_json_sets(o, "class_id", id);
	set_bytes(o, "component", m->component);
	set_bytes(o, "version", m->version);
	ctm_json_seti(o, "security_counter", (int64_t)m->counter);
	ctm_json_seti(o, "size", (int64_t)m->size);
	set_digest(o, "image", m->digest);
	set_bytes(o, "min_version", m->min_version);
	if (m->sbom.n)
		set_digest(o, "sbom", m->sbom.p);
	if (m->support_end.n)
		set_bytes(o, "support_end", m->support_end);
	ctm_json_set(o, "advisories", list_json(m->advisory, m->advisories));
	if (m->rollbacks)
		ctm_json_set(o, "rollback", list_json(m->rollback, m->rollbacks));
	return o;
}

static void print_table(const ctm_json *o)
{
	void *it = NULL;
	const char *key;
	const ctm_json *v;
	while (ctm_json_each(o, &it, &key, &v)) {
		if (ctm_json_type(v) == CTM_J_INT)
			printf("%-17s %lld\n", key, (long long)ctm_json_int(v, 0));
		else if (ctm_json_type(v) == CTM_J_STR)
			printf("%-17s %s\n", key, ctm_json_str(v));
		for (size_t i = 0; ctm_json_type(v) == CTM_J_ARR && i < ctm_json_len(v); i++)
			printf("%-17s %s\n", key, ctm_json_str(ctm_json_at(v, i)));
	}
}

static int inspect(const char **args, struct ctm_err *err)
{
	CTM_AUTO_BUF file = { 0 }, out = CTM_BUF(1 << 16);
	CTM_AUTO_JSON *o = NULL;
	struct ctm_bytes manifest, image = { NULL, 0 };
	struct ctm_manifest m;
	uint8_t key[CTM_PUB_MAX];
	size_t keylen = 0;
	int rc = ctm_file_read(args[0], PACKAGE_MAX, &file, err), sig = 0, img = 0;
	if (rc)
		return rc;
	manifest = (struct ctm_bytes){ (const uint8_t *)file.p, file.len };
	/* A package begins with a short length, a manifest with COSE_Sign1's tag. */
	if (file.len && (uint8_t)file.p[0] != 0xd2 && (rc = ctm_package_split(manifest.p, manifest.n, &manifest, &image)))
		return sdk_fail(err, rc, args[0]);
	if ((rc = ctm_manifest_peek(manifest.p, manifest.n, &m)))
		return sdk_fail(err, rc, "manifest");
	if (key_path && (rc = release_key(key_path, key, &keylen, err)))
		return rc;
	if (key_path)
		sig = ctm_manifest_verify(ctm_openssl_crypto(), manifest.p, manifest.n, key, keylen, &m);
	if (image.n)
		img = ctm_manifest_image(ctm_openssl_crypto(), &m, image.p, image.n);
	o = manifest_json(&m);
	ctm_json_sets(o, "signature", !key_path ? "not checked (give --key)" : sig ? "DOES NOT VERIFY" : "verifies");
	ctm_json_sets(o, "image_check", !image.n ? "not checked (no image in the file)" : img ? "DOES NOT MATCH" : "matches");
	if (as_json) {
		if ((rc = ctm_json_pretty(o, &out)))
			return ctm_fail(err, rc, NULL, NULL, "the output could not be written");
		fwrite(out.p, 1, out.len, stdout);
	} else {
		print_table(o);
	}
	if (sig)
		return ctm_fail(err, CTM_E_VERIFY, "signature", NULL, "the manifest was not signed by this key; do not install it");
	return img ? ctm_fail(err, CTM_E_VERIFY, "image", NULL, "the image is not the one the manifest describes") : 0;
}

#define TEXT(name, arg, help, var) { name, arg, help, &(var), NULL }
#define OPTS(a) a, sizeof a / sizeof a[0]

static const struct ctm_opt keygen_opts[] = {
	TEXT("out", "KEY.pem", "Where the private key goes (mode 0600; never overwritten).", out_path),
	TEXT("public", "KEY.pub", "Where the public key goes, in hex characters.", public_path),
	TEXT("alg", "ed25519|es256", "ed25519 (default), or es256 for devices whose crypto has no Ed25519.", alg_name),
};
static const struct ctm_opt sign_opts[] = {
	TEXT("key", "KEY.pem", "The release key.", key_path),
	TEXT("image", "FILE", "The image to release.", image_path),
	TEXT("version", "1.2.0", "Version of the image.", version),
	TEXT("counter", "N", "Security counter; a device never goes below the one it has.", counter),
	TEXT("vendor", "DOMAIN", "The maker's domain name.", vendor),
	TEXT("class", "NAME", "The product model the image is for.", class_name),
	TEXT("component", "NAME", "The component the image is for, for example device.", component),
	TEXT("min-version", "1.0.0", "The device must run at least this (default 0.0.0).", min_version),
	TEXT("sbom", "FILE", "Software bill of materials; its digest goes into the manifest.", sbom_path),
	TEXT("support-end", "YYYY-MM-DD", "Last day of support.", support_end),
	TEXT("advisories", "A,B", "Advisories this release mends.", advisories),
	TEXT("rollback", "1.0.0,1.0.1", "Versions that a device running this release may go back to (default: none).", rollback),
	TEXT("out", "M.cose", "Where the manifest goes.", out_path),
};
static const struct ctm_opt package_opts[] = {
	TEXT("manifest", "M.cose", "The signed manifest.", manifest_path),
	TEXT("image", "FILE", "The image it describes.", image_path),
	TEXT("out", "F.ctmu", "Where the package goes.", out_path),
};
static const struct ctm_opt inspect_opts[] = {
	TEXT("key", "KEY.pub", "Check the signature with this public key (file, or hex characters).", key_path),
	{ "json", NULL, "Print JSON.", NULL, &as_json },
};

static const struct update_verb verbs[] = {
	{ { "update keygen", "", "Make a release key.", OPTS(keygen_opts), 0, 0 }, keygen },
	{ { "update sign", "", "Sign a manifest about an image.", OPTS(sign_opts), 0, 0 }, sign },
	{ { "update package", "", "Put manifest and image into one file for a device.", OPTS(package_opts), 0, 0 }, package },
	{ { "update inspect", "FILE", "Show what a manifest or package says, and whether it is true.", OPTS(inspect_opts), 1, 1 }, inspect },
	{ { "update delta", "OLD NEW", "Make a delta from one image to the next.", update_delta_opts, 3, 2, 2 }, update_delta },
};

static void list(FILE *to, const struct update_verb *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(to, "  ctm %-20s %s\n", v[i].cmd.name, v[i].cmd.help);
}

static int usage(FILE *to, int status)
{
	fprintf(to, "ctm update signs releases and keeps the repository they are fetched from. Verbs:\n");
	list(to, verbs, sizeof verbs / sizeof verbs[0]);
	list(to, update_repo_verbs, update_repo_nverbs);
	return status;
}

static int run_verb(const struct update_verb *v, int argc, char **argv)
{
	const char *args[2] = { NULL, NULL };
	struct ctm_err err = { 0 };
	bool helped;
	int nargs, rc = ctm_cli_parse(&v->cmd, argc, argv, args, &nargs, &helped, &err);
	if (!rc && helped)
		return 0;
	if (!rc)
		rc = v->run(args, &err);
	return rc ? ctm_cli_die(v->cmd.name, &err) : 0;
}

/* "ctm update repo" without a verb, or with --help in its place. */
static int repo_help(int argc, char **argv)
{
	static char text[2048] = "Keep the TUF repository that devices fetch releases from. Verbs: ";
	for (size_t i = 0; i < update_repo_nverbs; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", update_repo_verbs[i].cmd.name + strlen("update repo "),
			i + 1 < update_repo_nverbs ? ", " : ". Each tells more with --help.");
	const struct ctm_cmd cmd = { "update repo", "VERB", text, NULL, 0, 1, 1 };
	const char *args[1] = { NULL };
	struct ctm_err err = { 0 };
	bool helped = false;
	int nargs, rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, &err);
	return !rc && helped ? 0 : usage(stderr, 2);
}

int main(int argc, char **argv)
{
	bool repo = argc > 2 && ctm_streq(argv[1], "repo");
	const struct update_verb *table = repo ? update_repo_verbs : verbs;
	size_t n = repo ? update_repo_nverbs : sizeof verbs / sizeof verbs[0];
	const char *prefix = repo ? "update repo " : "update ";
	if (argc < 2)
		return usage(stderr, 2);
	if (ctm_streq(argv[1], "--help") || ctm_streq(argv[1], "-h"))
		return usage(stdout, 0);
	if (repo && ctm_starts(argv[2], "-"))
		return repo_help(argc - 1, argv + 1);
	for (size_t i = 0; i < n; i++)
		if (ctm_streq(argv[1 + repo], table[i].cmd.name + strlen(prefix)))
			return run_verb(&table[i], argc - 1 - repo, argv + 1 + repo);
	fprintf(stderr, "ctm update: there is no verb %s\n", argv[1 + repo]);
	return usage(stderr, 2);
}
