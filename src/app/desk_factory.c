/* SPDX-License-Identifier: Apache-2.0
 *
 * Verbs of the factory station: see app/desk.h. Codes and passwords are four groups of four characters without the ones people take for
 * another: 31^16, more than 79 bits, of the kernel's random numbers.
 */
#include "app/desk.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "base/proc.h"
#include <stdio.h>
#include <string.h>

#define UNITS_MAX 100000
#define UNITS_BYTES (64u << 20)
#define PART 500                       /* units recorded with one call; the platform takes 1,000 */
#define IDEVID_DAYS 36500              /* a factory identity outlives the product (IEEE 802.1AR 8.7) */
#define WORD 20

static void secret_word(char out[WORD])
{
	static const char letters[] = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";       /* 31 */
	size_t n = 0;
	while (n < 19) {
		unsigned char c;
		ctm_random(&c, 1);
		if (c >= 248)          /* 8 * 31: what is above would favour some */
			continue;
		out[n++] = letters[c % 31];
		if (n == 4 || n == 9 || n == 14)
			out[n++] = '-';
	}
	out[19] = 0;
}

/* ---- authority ---- */

int desk_authority(const struct desk *d, struct ctm_err *err)
{
	char key_path[4200], pem_path[4200];
	CTM_AUTO_KEY *key = NULL;
	CTM_AUTO_BUF pem = CTM_BUF(32768), old = CTM_BUF(32768);
	struct ctm_cert_info info;
	int64_t years = 30;
	int rc = desk_needs(d->authority, "authority", err);
	rc = rc ? rc : desk_needs(d->name, "name", err);
	if (!rc && d->years && ctm_parse_i64(d->years, 1, 90, &years))
		rc = ctm_fail(err, CTM_E_INPUT, "--years", NULL, "an authority lives 1 to 90 years");
	rc = rc ? rc : ctm_mkdirs(d->authority, 0700, err);
	if (rc)
		return rc;
	desk_path(key_path, sizeof key_path, d->authority, "factory-ca.key");
	desk_path(pem_path, sizeof pem_path, d->authority, "factory-ca.pem");
	if (ctm_file_read(pem_path, 32768, &old, NULL) != CTM_E_NOTFOUND)
		return ctm_fail(err, CTM_E_EXISTS, "--authority", NULL, "%s is there and is kept; a factory authority is never overwritten", pem_path);
	rc = ctm_key_generate(CTM_ALG_ES256, &key, err);
	rc = rc ? rc : ctm_ca_new(key, d->name, NULL, ctm_now_ms(), (int)(years * 365), &pem, err);
	rc = rc ? rc : ctm_key_store(key, key_path, err);
	rc = rc ? rc : ctm_file_write(pem_path, pem.p, pem.len, 0644, err);
	rc = rc ? rc : ctm_cert_read(ctm_buf_cstr(&pem), pem.len, &info, err);
	if (!rc)
		printf("factory authority in %s, key %s\nTell the platform:  ctm desk factory trust --authority %s --name NAME --url URL --token-file FILE\n", pem_path,
			info.spki_sha256, d->authority);
	return rc;
}

int desk_trust(const struct desk *d, struct ctm_err *err)
{
	char path[4200];
	CTM_AUTO_BUF pem = CTM_BUF(32768);
	CTM_AUTO_JSON *ask = ctm_json_obj(), *out = NULL;
	struct ctm_http *h = NULL;
	int rc = desk_needs(d->authority, "authority", err);
	rc = rc ? rc : desk_needs(d->name, "name", err);
	rc = rc ? rc : ctm_file_read(desk_path(path, sizeof path, d->authority, "factory-ca.pem"), 32768, &pem, err);
	rc = rc ? rc : desk_connect(d, &h, err);
	if (!rc) {
		ctm_json_sets(ask, "name", d->name);
		ctm_json_sets(ask, "pem", ctm_buf_cstr(&pem));
		rc = ctm_http_json(h, "POST", "/api/v1/factory-authorities", ask, &out, err);
	}
	ctm_http_free(h);
	if (!rc)
		printf("the platform trusts %s as \"%s\"\n", path, d->name);
	return rc;
}

/* ---- begin ---- */

/* What is printed on plates: names of the product the component belongs to. */
static int ask_product(struct ctm_http *h, const char *batch, ctm_json *run, struct ctm_err *err)
{
	CTM_AUTO_JSON *b = NULL, *p = NULL;
	char path[200];
	snprintf(path, sizeof path, "/api/v1/batches/%.60s", batch);
	int rc = ctm_http_json(h, "GET", path, NULL, &b, err);
	if (rc)
		return rc;
	const char *product = ctm_json_gets(ctm_json_get(b, "batch"), "product_id");
	snprintf(path, sizeof path, "/api/v1/products/%.60s", product ? product : "");
	if ((rc = ctm_http_json(h, "GET", path, NULL, &p, err)))
		return rc;
	const ctm_json *o = ctm_json_get(p, "product");
	ctm_json_sets(run, "product", ctm_json_gets(o, "name"));
	ctm_json_sets(run, "model", ctm_json_gets(o, "model"));
	return ctm_json_sets(run, "maker", ctm_json_gets(o, "maker"));
}

static int allot(const struct desk *d, int64_t units, int64_t digits, ctm_json **run, struct ctm_err *err)
{
	CTM_AUTO_JSON *ask = ctm_json_obj(), *b = NULL;
	struct ctm_http *h = NULL;
	char path[200];
	int rc = desk_connect(d, &h, err);
	if (rc)
		return rc;
	ctm_json_sets(ask, "name", d->name);
	ctm_json_sets(ask, "prefix", d->prefix);
	ctm_json_seti(ask, "units", units);
	ctm_json_seti(ask, "digits", digits);
	snprintf(path, sizeof path, "/api/v1/components/%.60s/batches", d->component);
	rc = ctm_http_json(h, "POST", path, ask, &b, err);
	const char *id = ctm_json_gets(b, "id");
	if (!rc && !id)
		rc = ctm_fail(err, CTM_E_FAIL, "batch", NULL, "the platform's answer names no batch");
	if (!rc && !(*run = ctm_json_obj()))
		rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	if (!rc) {
		ctm_json_sets(*run, "batch", id);
		ctm_json_sets(*run, "component", d->component);
		ctm_json_sets(*run, "name", d->name);
		ctm_json_sets(*run, "prefix", d->prefix);
		ctm_json_seti(*run, "first_number", ctm_json_geti(b, "first_number", 0));
		ctm_json_seti(*run, "digits", digits);
		ctm_json_seti(*run, "units", units);
		ctm_json_seti(*run, "recorded", 0);
		rc = ask_product(h, id, *run, err);
	}
	ctm_http_free(h);
	return rc;
}

static int write_unit(const struct desk *d, const char *serial, const char *code, const char *password, struct ctm_err *err)
{
	char dir[4200], path[4400], line[WORD + 2];
	snprintf(dir, sizeof dir, "%.4000s/units/%.80s", d->run, serial);
	int rc = ctm_mkdirs(dir, 0700, err);
	snprintf(line, sizeof line, "%s\n", code);
	rc = rc ? rc : ctm_file_write(desk_path(path, sizeof path, dir, "enrol-code"), line, strlen(line), 0600, err);
	snprintf(line, sizeof line, "%s\n", password);
	return rc ? rc : ctm_file_write(desk_path(path, sizeof path, dir, "initial-password"), line, strlen(line), 0600, err);
}

static int make_units(const struct desk *d, const ctm_json *run, struct ctm_err *err)
{
	char path[4200];
	CTM_AUTO_JSON *list = ctm_json_arr();
	int64_t units = ctm_json_geti(run, "units", 0);
	int rc = 0;
	for (int64_t i = 0; i < units && !rc; i++) {
		char serial[80], code[WORD], password[WORD];
		ctm_json *u = ctm_json_obj();
		desk_serial(serial, run, i);
		secret_word(code);
		secret_word(password);
		ctm_json_sets(u, "serial", serial);
		ctm_json_sets(u, "code", code);
		ctm_json_sets(u, "password", password);
		rc = ctm_json_add(list, u);
		rc = rc ? ctm_fail(err, rc, NULL, NULL, "out of memory") : write_unit(d, serial, code, password, err);
		desk_progress("units", i + 1, units);
	}
	return rc ? rc : desk_save(desk_path(path, sizeof path, d->run, "units.json"), list, 0600, err);
}

static int load_units(const struct desk *d, ctm_json **out, struct ctm_err *err)
{
	char path[4200];
	return ctm_json_load(desk_path(path, sizeof path, d->run, "units.json"), UNITS_BYTES, out, err);
}

int desk_begin(const struct desk *d, struct ctm_err *err)
{
	char path[4200];
	CTM_AUTO_JSON *run = NULL, *have = NULL;
	int64_t units = 0, digits = 6;
	int rc = desk_needs(d->run, "run", err);
	if (rc)
		return rc;
	if (desk_load_run(d, &run, NULL) == 0) {
		if (load_units(d, &have, NULL) == 0)
			return ctm_fail(err, CTM_E_EXISTS, "--run", NULL, "%s holds a run already; its serials and codes are kept", d->run);
		return make_units(d, run, err);        /* cut short: the serials are allotted, the units' words were not all written */
	}
	rc = desk_needs(d->component, "component", err);
	rc = rc ? rc : desk_needs(d->name, "name", err);
	rc = rc ? rc : desk_needs(d->prefix, "prefix", err);
	rc = rc ? rc : desk_needs(d->units, "units", err);
	if (!rc && ctm_parse_i64(d->units, 1, UNITS_MAX, &units))
		rc = ctm_fail(err, CTM_E_INPUT, "--units", NULL, "a run has 1 to %d units", UNITS_MAX);
	if (!rc && d->digits && ctm_parse_i64(d->digits, 3, 12, &digits))
		rc = ctm_fail(err, CTM_E_INPUT, "--digits", NULL, "the number in a serial has 3 to 12 digits");
	rc = rc ? rc : ctm_mkdirs(d->run, 0700, err);
	rc = rc ? rc : allot(d, units, digits, &run, err);
	rc = rc ? rc : desk_save(desk_path(path, sizeof path, d->run, "run.json"), run, 0600, err);
	rc = rc ? rc : make_units(d, run, err);
	if (!rc) {
		char from[80], to[80];
		desk_serial(from, run, 0);
		desk_serial(to, run, units - 1);
		printf("%lld serials allotted, %s to %s; codes and first passwords are in %s, which nobody else may read\n", (long long)units, from, to, d->run);
	}
	return rc;
}

/* ---- sign ---- */

static int sign_one(const struct ctm_key *key, const char *ca, const char *serial, const char *csr_path, const char *out, struct ctm_err *err)
{
	CTM_AUTO_BUF csr = CTM_BUF(16384), pem = CTM_BUF(32768);
	struct ctm_cert_info info;
	int rc = ctm_file_read(csr_path, 16384, &csr, err);
	if (rc)
		return rc;
	rc = ctm_csr_read(ctm_buf_cstr(&csr), csr.len, &info, err);
	if (!rc && !ctm_streq(info.serial_number, serial))
		rc = ctm_fail(err, CTM_E_INPUT, csr_path, "IEEE 802.1AR", "the request is for \"%.64s\", the file says %s", info.serial_number, serial);
	if (!rc && !ctm_streq(info.key_type, "EC P-256"))
		rc = ctm_fail(err, CTM_E_INPUT, csr_path, NULL, "a device key is EC P-256, not %s", info.key_type);
	rc = rc ? rc : ctm_cert_issue(key, ca, ctm_buf_cstr(&csr), csr.len, CTM_CERT_DEVICE, NULL, NULL, NULL, ctm_now_ms(), IDEVID_DAYS, &pem, err);
	return rc ? rc : ctm_file_write(out, pem.p, pem.len, 0644, err);
}

int desk_sign(const struct desk *d, struct ctm_err *err)
{
	char path[4200], csr[4400], out[4400], serial[80];
	CTM_AUTO_JSON *run = NULL;
	CTM_AUTO_KEY *key = NULL;
	CTM_AUTO_BUF ca = CTM_BUF(32768), seen = CTM_BUF(1 << 16);
	int64_t done = 0, kept = 0;
	int rc = desk_needs(d->authority, "authority", err);
	rc = rc ? rc : desk_needs(d->requests, "requests", err);
	rc = rc ? rc : desk_load_run(d, &run, err);
	rc = rc ? rc : ctm_key_load(desk_path(path, sizeof path, d->authority, "factory-ca.key"), &key, err);
	rc = rc ? rc : ctm_file_read(desk_path(path, sizeof path, d->authority, "factory-ca.pem"), 32768, &ca, err);
	int64_t units = rc ? 0 : ctm_json_geti(run, "units", 0);
	for (int64_t i = 0; i < units && !rc; i++) {
		struct ctm_buf probe = CTM_BUF(32768);
		desk_serial(serial, run, i);
		snprintf(csr, sizeof csr, "%.4000s/%.80s.csr", d->requests, serial);
		snprintf(out, sizeof out, "%.4000s/units/%.80s/idevid.pem", d->run, serial);
		if (ctm_file_read(out, 32768, &probe, NULL) == 0)
			kept++;
		else if (ctm_file_read(csr, 16384, &probe, NULL) == 0 && !(rc = sign_one(key, ctm_buf_cstr(&ca), serial, csr, out, err)))
			done++;
		ctm_buf_free(&probe);
		desk_progress("signed", i + 1, units);
	}
	if (!rc)
		printf("%lld IDevIDs issued, %lld were there, %lld units have no request in %s\n", (long long)done, (long long)kept, (long long)(units - done - kept), d->requests);
	return rc;
}

/* ---- record ---- */

static int add_unit(const struct desk *d, const ctm_json *unit, ctm_json *part, struct ctm_err *err)
{
	const char *serial = ctm_json_gets(unit, "serial"), *code = ctm_json_gets(unit, "code");
	CTM_AUTO_BUF b = CTM_BUF(1024), pem = CTM_BUF(32768);
	char hash[CTM_DIGEST_MAX], path[4400];
	ctm_json *u = ctm_json_obj();
	if (!serial || !code) {
		ctm_json_free(u);
		return ctm_fail(err, CTM_E_INPUT, "units.json", NULL, "a unit lacks its serial or code");
	}
	ctm_buf_printf(&b, "ctm-enrol-code/1\n%s\n%s\n", serial, code);
	ctm_digest_of(ctm_buf_cstr(&b), b.len, hash);
	ctm_json_sets(u, "serial", serial);
	ctm_json_sets(u, "code_hash", hash);
	snprintf(path, sizeof path, "%.4000s/units/%.80s/idevid.pem", d->run, serial);
	if (ctm_file_read(path, 32768, &pem, NULL) == 0)
		ctm_json_sets(u, "idevid", ctm_buf_cstr(&pem));
	return ctm_json_add(part, u) ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory") : 0;
}

/* One part; "recorded" moves on only after the platform has it. When the answer to a part got lost, its first serial is there already. */
static int send_part(const struct desk *d, struct ctm_http *h, ctm_json *run, const ctm_json *units, int64_t from, int64_t n, struct ctm_err *err)
{
	CTM_AUTO_JSON *ask = ctm_json_obj(), *out = NULL;
	ctm_json *part = ctm_json_arr();
	char path[4200];
	int rc = 0;
	for (int64_t i = 0; i < n && !rc; i++)
		rc = add_unit(d, ctm_json_at(units, (size_t)(from + i)), part, err);
	if (ctm_json_set(ask, "units", part) && !rc)
		rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	snprintf(path, sizeof path, "/api/v1/batches/%.60s/units", ctm_json_gets(run, "batch"));
	if (!rc) {
		rc = ctm_http_json(h, "POST", path, ask, &out, err);
		if (rc == CTM_E_EXISTS) {
			ctm_err_clear(err);
			rc = 0;
		}
	}
	if (!rc)
		rc = ctm_json_seti(run, "recorded", from + n);
	return rc ? rc : desk_save(desk_path(path, sizeof path, d->run, "run.json"), run, 0600, err);
}

int desk_record(const struct desk *d, struct ctm_err *err)
{
	CTM_AUTO_JSON *run = NULL, *units = NULL;
	struct ctm_http *h = NULL;
	int rc = desk_load_run(d, &run, err);
	rc = rc ? rc : load_units(d, &units, err);
	rc = rc ? rc : desk_connect(d, &h, err);
	int64_t all = (int64_t)ctm_json_len(units), at = ctm_json_geti(run, "recorded", 0);
	while (!rc && at < all) {
		int64_t n = all - at < PART ? all - at : PART;
		rc = send_part(d, h, run, units, at, n, err);
		at += n;
		desk_progress("recorded", at, all);
	}
	ctm_http_free(h);
	if (!rc)
		printf("%lld units are recorded; ctm desk factory reconcile tells which have enrolled\n", (long long)all);
	return rc;
}

/* ---- plates ---- */

#define PDF_MAX (32u << 20)
#define DRAW_MS 120000

/* Drawn by a program of its own: the drawing libraries have no business in a process that holds a factory's key. */
static int draw(const ctm_json *in, struct ctm_buf *pdf, struct ctm_err *err)
{
	char tool[4200];
	const char *argv[] = { tool, "nameplates", NULL };
	CTM_AUTO_BUF text = CTM_BUF(UNITS_BYTES), said = CTM_BUF(4096);
	int status = 0, rc = ctm_sibling("ctm-render", tool, sizeof tool, err);
	rc = rc ? rc : ctm_json_compact(in, &text);
	if (rc)
		return ctm_fail(err, rc, "plates", NULL, "the plates cannot be drawn: %s", ctm_err_text(rc));
	struct ctm_proc p = { .argv = argv, .in = text.p, .in_len = text.len, .timeout_ms = DRAW_MS };
	rc = ctm_proc_run(&p, pdf, &said, &status, err);
	return rc || !status ? rc : ctm_fail(err, CTM_E_FAIL, "plates", NULL, "the plates were not drawn: %.300s", ctm_buf_cstr(&said));
}

int desk_plates(const struct desk *d, struct ctm_err *err)
{
	char path[4200];
	CTM_AUTO_JSON *run = NULL, *units = NULL, *in = ctm_json_obj();
	CTM_AUTO_BUF pdf = CTM_BUF(PDF_MAX);
	ctm_json *list = ctm_json_arr();
	int rc = desk_load_run(d, &run, err);
	rc = rc ? rc : load_units(d, &units, err);
	for (size_t i = 0; !rc && i < ctm_json_len(units); i++) {
		ctm_json *u = ctm_json_obj();
		ctm_json_sets(u, "serial", ctm_json_gets(ctm_json_at(units, i), "serial"));
		ctm_json_sets(u, "code", ctm_json_gets(ctm_json_at(units, i), "password"));
		ctm_json_add(list, u);
	}
	ctm_json_set(in, "units", list);
	if (rc)
		return rc;
	ctm_json_sets(in, "maker", ctm_json_gets(run, "maker"));
	ctm_json_sets(in, "product", ctm_json_gets(run, "product"));
	ctm_json_sets(in, "model", ctm_json_gets(run, "model"));
	ctm_json_sets(in, "batch", ctm_json_gets(run, "name"));
	ctm_json_sets(in, "paper", d->paper ? d->paper : "letter");
	rc = draw(in, &pdf, err);
	rc = rc ? rc : ctm_file_write(desk_path(path, sizeof path, d->run, "nameplates.pdf"), pdf.p, pdf.len, 0600, err);
	if (!rc)
		printf("%zu nameplates in %s\n", ctm_json_len(units), path);
	return rc;
}

/* ---- reconcile ---- */

int desk_reconcile(const struct desk *d, struct ctm_err *err)
{
	char path[200];
	CTM_AUTO_JSON *run = NULL, *b = NULL;
	CTM_AUTO_BUF text = CTM_BUF(4u << 20);
	struct ctm_http *h = NULL;
	int rc = desk_load_run(d, &run, err);
	rc = rc ? rc : desk_connect(d, &h, err);
	if (!rc) {
		snprintf(path, sizeof path, "/api/v1/batches/%.60s", ctm_json_gets(run, "batch"));
		rc = ctm_http_json(h, "GET", path, NULL, &b, err);
	}
	ctm_http_free(h);
	if (rc)
		return rc;
	const ctm_json *c = ctm_json_get(b, "counts"), *w = ctm_json_get(b, "waiting");
	int64_t unrecorded = ctm_json_geti(c, "unrecorded", 0), waiting = ctm_json_geti(c, "waiting", 0), suspect = ctm_json_geti(c, "suspect", 0);
	if (d->as_json) {
		if ((rc = ctm_json_pretty(b, &text)))
			return ctm_fail(err, rc, NULL, NULL, "the answer does not fit");
		fputs(ctm_buf_cstr(&text), stdout);
	} else {
		printf("%-24s %8lld\n%-24s %8lld\n%-24s %8lld\n%-24s %8lld\n%-24s %8lld\n", "allotted", (long long)ctm_json_geti(ctm_json_get(b, "batch"), "units", 0),
			"built (recorded)", (long long)ctm_json_geti(c, "recorded", 0), "enrolled", (long long)ctm_json_geti(c, "enrolled", 0), "not arrived", (long long)waiting,
			"suspect", (long long)suspect);
		for (size_t i = 0; i < ctm_json_len(w); i++) {
			const char *why = ctm_json_gets(ctm_json_at(w, i), "suspect");
			printf("  %-32s %s\n", ctm_json_gets(ctm_json_at(w, i), "serial"), why && *why ? why : "not arrived");
		}
		if (waiting > (int64_t)ctm_json_len(w))
			printf("  and %lld more\n", (long long)(waiting - (int64_t)ctm_json_len(w)));
	}
	return unrecorded || waiting || suspect ? CTM_E_VERIFY : 0;    /* the answer is no; told above, without an error */
}
