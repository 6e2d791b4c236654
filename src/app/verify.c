/* SPDX-License-Identifier: Apache-2.0
 *
 * ctm verify FILE: is this proof, certificate or evidence bundle what it says? Works with no network and links no network
 * library: bytes and a trust list in, an answer out. It says which trust list it used, what it found true, and what it cannot
 * know: whether the status has changed since. Evidence bundles are handed to `ctm evidence verify`.
 *
 * Exit: 0 good, 1 not good, 2 misuse, 3 could not run.
 */
#include "base/cli.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include "registry/proof.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX ((size_t)1 << 20)

static const char *trust_path;
static bool as_json;

enum kind { PROOF, CERTIFICATE, EVIDENCE, UNKNOWN };
static const char *const kind_names[] = { "proof", "certificate", "evidence" };

/* --- which file, which trust list ------------------------------------------------------------------------------------ */

/* By the first bytes; an evidence bundle is a tar archive. */
static enum kind kind_of(const char *path, struct ctm_err *err, int *rc)
{
	char head[512] = { 0 };
	FILE *f = fopen(path, "rb");

	if (!f) {
		*rc = ctm_fail(err, errno == ENOENT ? CTM_E_NOTFOUND : CTM_E_IO, path, NULL, "%s cannot be opened: %s", path, strerror(errno));
		return UNKNOWN;
	}
	size_t n = fread(head, 1, sizeof head, f);
	fclose(f);
	if (n > 262 && !memcmp(head + 257, "ustar", 5))
		return EVIDENCE;
	if (n && head[0] == '{')
		return CERTIFICATE;
	if (n > 8 && !memcmp(head, "c2sp.org", 8))
		return PROOF;
	*rc = ctm_fail(err, CTM_E_SYNTAX, path, NULL, "%s is neither a proof (label.proof), a certificate (certificate.json) nor an evidence bundle, or its beginning was changed.", path);
	return UNKNOWN;
}

static int load_trust(struct ctm_trust *out, const char **used, struct ctm_err *err)
{
	const char *places[] = { trust_path, getenv("CTM_TRUST"), "./var/trust.json", "/etc/ctm/trust.json" };

	for (size_t i = 0; i < 4; i++) {
		if (!places[i] || !*places[i] || (i >= 2 && access(places[i], F_OK)))
			continue;
		*used = places[i];
		int rc = ctm_trust_load(places[i], out, err);
		return rc ? ctm_fail_prefix(err, "The trust list cannot be used: ") : 0;
	}
	return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "There is no trust list: give one with --trust FILE or CTM_TRUST, or put it at ./var/trust.json or /etc/ctm/trust.json.");
}

static int hand_over(const char *file, struct ctm_err *err)
{
	char tool[4096];
	int rc = ctm_sibling("ctm-evidence", tool, sizeof tool, err);

	if (rc)
		return rc;
	const char *argv[8] = { tool, "verify", file };
	size_t n = 3;
	if (trust_path) {
		argv[n++] = "--trust";
		argv[n++] = trust_path;
	}
	if (as_json)
		argv[n++] = "--json";
	execv(tool, (char *const *)argv);
	return ctm_fail(err, CTM_E_IO, tool, NULL, "%s cannot be run: %s", tool, strerror(errno));
}

/* --- telling --------------------------------------------------------------------------------------------------------- */

static const char *str(const ctm_json *o, const char *key)
{
	const char *s = ctm_json_gets(o, key);

	return s ? s : "";
}

/* Texts of a file go to a terminal: control characters never do. The signed content was made of printable text only, so a
 * dot here is a sign of mischief that was signed. */
static void print_text(const char *s)
{
	for (; *s; s++)
		putchar((unsigned char)*s < 0x20 || *s == 0x7f ? '.' : *s);
}

static void line(const char *label, const char *a, const char *between, const char *b)
{
	printf("  %-13s", label);
	print_text(a);
	printf("%s", between);
	print_text(b);
	printf("\n");
}

static void tell(const char *file, enum kind k, const struct ctm_proof_report *r, const char *trust)
{
	const ctm_json *p = ctm_json_get(r->content, "product"), *c = ctm_json_get(r->content, "certificate");
	char at[CTM_RFC3339_MAX], text[600];

	ctm_time_rfc3339(r->st.at_ms, at);
	printf("%s: good %s\n", file, kind_names[k]);
	line("product", str(p, "name"), ", model ", str(p, "model"));
	line("maker", str(p, "maker"), "", "");
	snprintf(text, sizeof text, "%s, stated on %s (version %lld of record %s)", r->st.status, at, (long long)r->st.version, r->st.record);
	line("status", text, "", "");
	snprintf(text, sizeof text, "%s, valid %.10s to %.10s", r->st.certificate, str(c, "valid_from"), str(c, "valid_to"));
	line("certificate", text, "", "");
	snprintf(text, sizeof text, "%s (key %s)", r->st.cla_name, r->cla_key_id);
	line("signed by", text, "", "");
	snprintf(text, sizeof text, "%s, entry %lld, proved under the checkpoint of %lld entries", r->cp.origin, (long long)r->index, (long long)r->cp.size);
	line("log", text, "", "");
	line("trust list", trust, "", "");
	printf("True as of that checkpoint. A suspension or withdrawal since then cannot be seen offline; the status of today is at\n");
	line("", str(r->content, "url"), "", "");
}

/* One object for programs. */
static int tell_json(const char *file, enum kind k, const struct ctm_proof_report *r, const char *trust, struct ctm_err *err)
{
	CTM_AUTO_JSON *j = ctm_json_obj();
	CTM_AUTO_BUF b = CTM_BUF(512 * 1024);
	ctm_json *log = ctm_json_obj(), *cla = ctm_json_obj();
	int rc = ctm_json_sets(j, "file", file);

	rc |= ctm_json_setb(j, "good", true);
	rc |= ctm_json_sets(j, "kind", kind_names[k]);
	rc |= ctm_json_set(j, "statement", ctm_statement_json(&r->st));
	rc |= ctm_json_sets(j, "status", r->st.status);
	rc |= ctm_json_sets(cla, "name", r->cla) | ctm_json_sets(cla, "key_id", r->cla_key_id);
	rc |= ctm_json_set(j, "signed_by", cla);
	rc |= ctm_json_sets(log, "origin", r->cp.origin) | ctm_json_seti(log, "index", r->index) | ctm_json_seti(log, "size", r->cp.size);
	rc |= ctm_json_set(j, "log", log);
	rc |= ctm_json_set(j, "record", ctm_json_copy(r->content));
	rc |= ctm_json_sets(j, "trust", trust);
	rc |= ctm_json_sets(j, "current_status_at", str(r->content, "url"));
	if (rc || ctm_json_pretty(j, &b))
		return ctm_fail(err, CTM_E_NOMEM, "answer", NULL, "out of memory");
	fwrite(b.p, 1, b.len, stdout);
	return 0;
}

/* --- main ------------------------------------------------------------------------------------------------------------ */

static int verify(const char *file, struct ctm_err *err)
{
	struct ctm_trust trust;
	struct ctm_proof_report r = { 0 };
	CTM_AUTO_BUF b = CTM_BUF(FILE_MAX);
	const char *used = NULL;
	int rc = 0;

	if (ctm_starts(file, "https://") || ctm_starts(file, "http://"))
		return ctm_fail(err, CTM_E_USAGE, NULL, NULL, "ctm verify works without a network: download the proof first (the address of the record with .proof behind it), then name the file.");
	enum kind k = kind_of(file, err, &rc);
	if (rc)
		return rc;
	if (k == EVIDENCE)
		return hand_over(file, err);
	if ((rc = load_trust(&trust, &used, err)) || (rc = ctm_file_read_link(file, FILE_MAX, &b, err)))
		return rc;
	rc = k == PROOF ? ctm_proof_check(ctm_buf_cstr(&b), b.len, &trust, &r, err) : ctm_certificate_check(ctm_buf_cstr(&b), b.len, &trust, &r, err);
	if (rc)
		return ctm_fail_prefix(err, "NOT GOOD (trust list %s): ", used);
	if (as_json)
		rc = tell_json(file, k, &r, used, err);
	else
		tell(file, k, &r, used);
	ctm_proof_report_free(&r);
	return rc;
}

int main(int argc, char **argv)
{
	const struct ctm_opt opts[] = {
		{ "trust", "FILE", "trust list with the public keys to believe (else CTM_TRUST, ./var/trust.json, /etc/ctm/trust.json)", &trust_path, NULL },
		{ "json", NULL, "answer as JSON", NULL, &as_json },
	};
	const struct ctm_cmd cmd = { "verify", "FILE", "Check a label's proof, a certificate or an evidence bundle, with no network. "
		"Any changed byte fails. The status of today is only on the record's page.", opts, 2, 1, 1 };
	struct ctm_err err = { 0 };
	const char *args[1];
	bool helped = false;
	int nargs = 0, rc = ctm_cli_parse(&cmd, argc, argv, args, &nargs, &helped, &err);

	if (helped)
		return 0;
	if (!rc)
		rc = verify(args[0], &err);
	return rc ? ctm_cli_die("verify", &err) : 0;
}
