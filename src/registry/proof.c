/* SPDX-License-Identifier: Apache-2.0
 *
 * Proofs. Making and checking share nothing but the formats, so that a slip in the making cannot hide in the checking. Every
 * layer is written again and compared to the byte: the text by tlogproof, the extra data and the certificate here, the statement by
 * statement.c, the COSE message by the SDK's deterministic reader and the Merkle leaf.
 */
#include "registry/proof.h"
#include "base/text.h"
#include "registry/tlogproof.h"
#include <string.h>

#define CERTIFICATE_MAX (1 << 20)

void ctm_proof_report_free(struct ctm_proof_report *r)
{
	ctm_json_free(r->content);
	r->content = NULL;
}

static int set_b64url(ctm_json *j, const char *key, const void *p, size_t n)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_ENTRY_MAX * 2);

	ctm_b64url(&b, p, n);
	return b.failed ? b.failed : ctm_json_sets(j, key, ctm_buf_cstr(&b));
}

int ctm_proof_make(const ctm_json *content, const uint8_t salt[CTM_SALT], const void *cose, size_t n, struct ctm_tlog *log, int64_t index,
	struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_JSON *extra = ctm_json_obj();
	struct ctm_tlogproof p = { .index = index, .extra = CTM_BUF(CTM_EXTRA_MAX) };
	int rc;

	if ((rc = ctm_json_sets(extra, "format", "ctm.proof/1")) || (rc = ctm_json_set(extra, "content", ctm_json_copy(content))) ||
	    (rc = set_b64url(extra, "salt", salt, CTM_SALT)) || (rc = set_b64url(extra, "statement", cose, n)) ||
	    (rc = ctm_json_canonical(extra, &p.extra)))
		rc = ctm_fail(err, rc, "proof", NULL, "The proof's data cannot be written.");
	p.note = ctm_log_note(log, &p.note_len);
	if (!rc && !(rc = ctm_log_prove(log, index, &p.path, err)))
		rc = ctm_tlogproof_write(&p, out, err);
	ctm_tlogproof_free(&p);
	return rc;
}

/* --- checking ------------------------------------------------------------------------------------------------------ */

static int same_str(const ctm_json *obj, const char *key, const char *want, const char *field, struct ctm_err *err)
{
	if (ctm_streq(ctm_json_gets(obj, key), want))
		return 0;
	return ctm_fail(err, CTM_E_INPUT, field, NULL, "%s of the record is not what the statement says (\"%s\").", field, want);
}

/* The address a label carries is that of this record: "https://HOST/p/ID". */
static bool own_address(const char *url, const char *record)
{
	size_t n = url ? strlen(url) : 0, k = strlen(record);

	return n > k + 3 && !strcmp(url + n - k, record) && !memcmp(url + n - k - 3, "/p/", 3) && !strpbrk(url, "?#@\\ ");
}

int ctm_content_agrees(const ctm_json *content, const struct ctm_statement *st, struct ctm_err *err)
{
	const ctm_json *fields = ctm_json_get(content, "fields"), *cla = ctm_json_get(fields, "cla");
	int rc;

	if (ctm_json_geti(content, "version", -1) != st->version)
		return ctm_fail(err, CTM_E_INPUT, "/version", NULL, "/version of the record is not what the statement says (%lld).", (long long)st->version);
	if (!own_address(ctm_json_gets(content, "url"), st->record))
		return ctm_fail(err, CTM_E_INPUT, "/url", NULL, "/url of the record is not the address of record %s.", st->record);
	if ((rc = same_str(content, "format", "ctm.record/1", "/format", err)) || (rc = same_str(content, "id", st->record, "/id", err)) ||
	    (rc = same_str(content, "status", st->status, "/status", err)) ||
	    (rc = same_str(ctm_json_get(fields, "authorization"), "status", st->status, "/fields/authorization/status", err)) ||
	    (rc = same_str(ctm_json_get(content, "certificate"), "number", st->certificate, "/certificate/number", err)) ||
	    (rc = same_str(cla, "name", st->cla_name, "/fields/cla/name", err)) || (rc = same_str(cla, "contact", st->cla_contact, "/fields/cla/contact", err)))
		return rc;
	return 0;
}

struct extra { struct ctm_buf salt, cose; const ctm_json *content; };

static int read_extra(const ctm_json *j, const struct ctm_buf *raw, struct extra *x, struct ctm_err *err)
{
	static const char *const keys[] = { "content", "format", "salt", "statement" };
	static const char *const formats[] = { "ctm.proof/1" };
	struct ctm_jc c = ctm_jc_root(j, "extra data of the proof"), content;
	CTM_AUTO_BUF again = CTM_BUF(CTM_EXTRA_MAX);
	const char *salt, *st;
	size_t which;
	int rc;

	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, 4, err)) || (rc = ctm_jc_enum(&c, "format", formats, 1, &which, err)) ||
	    (rc = ctm_jc_str(&c, "salt", 43, 43, &salt, err)) || (rc = ctm_jc_str(&c, "statement", 1, CTM_ENTRY_MAX * 2, &st, err)) ||
	    (rc = ctm_jc_key(&c, "content", &content, err)) || (rc = ctm_jc_is(&content, CTM_J_OBJ, err)))
		return rc;
	if (ctm_unb64url(salt, strlen(salt), &x->salt) || x->salt.len != CTM_SALT)
		return ctm_jc_fail(&c, err, "\"salt\" is not 32 bytes in base64url.");
	if (ctm_unb64url(st, strlen(st), &x->cose))
		return ctm_jc_fail(&c, err, "\"statement\" is not base64url.");
	if (ctm_json_canonical(j, &again) || again.len != raw->len || memcmp(again.p, raw->p, raw->len))
		return ctm_fail(err, CTM_E_SYNTAX, "extra", NULL, "The extra data of the proof is not in its canonical form.");
	x->content = content.v;
	return 0;
}

/* The CLA of the trust list whose key signed. */
static int open_statement(const struct extra *x, const struct ctm_trust *trust, struct ctm_proof_report *r, struct ctm_err *err)
{
	struct ctm_err last = { 0 };

	for (size_t i = 0; i < trust->ncla; i++) {
		ctm_err_clear(&last);
		if (ctm_statement_open(x->cose.p, x->cose.len, trust->cla[i].pub, &r->st, &last) == 0) {
			r->cla = trust->cla[i].name;
			r->cla_key_id = trust->cla[i].key_id;
			/* One key may speak for whoever the platform is; several must not speak for one another. */
			if (trust->ncla > 1 && strcmp(r->cla, r->st.cla_name))
				return ctm_fail(err, CTM_E_VERIFY, "statement", NULL, "The statement speaks for \"%s\" but is signed by the key of \"%s\".", r->st.cla_name, r->cla);
			return 0;
		}
		if (last.code != CTM_E_VERIFY)
			break;
	}
	if (last.code == CTM_E_VERIFY)
		return ctm_fail(err, CTM_E_VERIFY, "statement", NULL, "The statement is not signed by any label administrator of the trust list, or it was changed.");
	return ctm_fail(err, last.code, last.field, last.rule, "%s", last.msg);
}

static int check_parts(const struct ctm_tlogproof *p, const struct extra *x, const struct ctm_trust *trust, struct ctm_proof_report *r, struct ctm_err *err)
{
	uint8_t leaf[CTM_SHA256];
	char digest[CTM_DIGEST_MAX];
	size_t unknown;
	int rc;

	if ((rc = ctm_checkpoint_verify(p->note, p->note_len, &trust->log, &r->cp, &unknown, err)))
		return rc;
	if (unknown)
		return ctm_fail(err, CTM_E_VERIFY, "checkpoint", NULL, "The checkpoint carries a signature by a key outside the trust list.");
	if ((rc = open_statement(x, trust, r, err)))
		return rc;
	ctm_merkle_leaf(x->cose.p, x->cose.len, leaf);
	if (ctm_merkle_check_inclusion(p->index, r->cp.size, leaf, p->path.h, p->path.n, r->cp.root))
		return ctm_fail(err, CTM_E_VERIFY, "proof", "RFC 9162 2.1.3", "The hashes do not lead from the statement to the checkpoint.");
	r->index = p->index;
	if ((rc = ctm_content_digest((const uint8_t *)x->salt.p, x->content, digest, err)))
		return rc;
	if (strcmp(digest, r->st.content))
		return ctm_fail(err, CTM_E_VERIFY, "content", NULL, "The record is not the one the statement was signed for.");
	return ctm_content_agrees(x->content, &r->st, err);
}

int ctm_proof_check(const char *text, size_t n, const struct ctm_trust *trust, struct ctm_proof_report *out, struct ctm_err *err)
{
	struct ctm_tlogproof p;
	struct extra x = { CTM_BUF(CTM_SALT), CTM_BUF(CTM_ENTRY_MAX), NULL };
	struct ctm_proof_report r = { 0 };
	CTM_AUTO_JSON *j = NULL;
	int rc = ctm_tlogproof_parse(text, n, &p, err);

	if (rc)
		return rc;
	if (!p.extra.len)
		rc = ctm_fail(err, CTM_E_SYNTAX, "extra", NULL, "The proof carries no record: it has no extra data.");
	if (!rc && !(rc = ctm_json_parse(p.extra.p, p.extra.len, CTM_EXTRA_MAX, "extra data of the proof", &j, err)) && !(rc = read_extra(j, &p.extra, &x, err)))
		rc = check_parts(&p, &x, trust, &r, err);
	if (!rc && !(r.content = ctm_json_copy(x.content)))
		rc = ctm_fail(err, CTM_E_NOMEM, "proof", NULL, "out of memory");
	ctm_buf_free(&x.salt);
	ctm_buf_free(&x.cose);
	ctm_tlogproof_free(&p);
	if (rc)
		return rc;
	*out = r;
	return 0;
}

/* --- certificate --------------------------------------------------------------------------------------------------- */

int ctm_certificate_make(const ctm_json *content, const char *proof, size_t n, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_JSON *j = ctm_json_obj();
	CTM_AUTO_BUF text = CTM_BUF(CTM_TLOGPROOF_MAX);
	int rc;

	ctm_buf_add(&text, proof, n);
	if ((rc = ctm_json_sets(j, "format", "ctm.certificate/1")) || (rc = ctm_json_set(j, "certificate", ctm_json_copy(ctm_json_get(content, "certificate")))) ||
	    (rc = ctm_json_set(j, "product", ctm_json_copy(ctm_json_get(content, "product")))) || (rc = ctm_buf_err(&text, "proof", err)) ||
	    (rc = ctm_json_sets(j, "proof", ctm_buf_cstr(&text))) || (rc = ctm_json_canonical(j, out)))
		return ctm_fail(err, rc, "certificate", NULL, "The certificate cannot be written.");
	ctm_buf_chr(out, '\n');
	return ctm_buf_err(out, "certificate", err);
}

/* Are two values the same in canonical form? */
static bool same(const ctm_json *a, const ctm_json *b)
{
	CTM_AUTO_BUF x = CTM_BUF(CTM_CONTENT_MAX), y = CTM_BUF(CTM_CONTENT_MAX);

	return a && b && !ctm_json_canonical(a, &x) && !ctm_json_canonical(b, &y) && x.len == y.len && !memcmp(x.p, y.p, x.len);
}

static int agree(const ctm_json *j, const char *text, size_t n, const struct ctm_proof_report *r, struct ctm_err *err)
{
	CTM_AUTO_BUF again = CTM_BUF(CERTIFICATE_MAX);

	if (!same(ctm_json_get(j, "certificate"), ctm_json_get(r->content, "certificate")))
		return ctm_fail(err, CTM_E_VERIFY, "/certificate", NULL, "The certificate's own words differ from the signed record.");
	if (!same(ctm_json_get(j, "product"), ctm_json_get(r->content, "product")))
		return ctm_fail(err, CTM_E_VERIFY, "/product", NULL, "The product on the certificate differs from the signed record.");
	if (ctm_json_canonical(j, &again))
		return ctm_fail(err, CTM_E_SYNTAX, "", NULL, "The certificate has no canonical form.");
	ctm_buf_chr(&again, '\n');
	if (again.failed || again.len != n || memcmp(again.p, text, n))
		return ctm_fail(err, CTM_E_SYNTAX, "", NULL, "The certificate is not in its canonical form.");
	return 0;
}

int ctm_certificate_check(const char *text, size_t n, const struct ctm_trust *trust, struct ctm_proof_report *out, struct ctm_err *err)
{
	static const char *const keys[] = { "certificate", "format", "product", "proof" };
	static const char *const formats[] = { "ctm.certificate/1" };
	CTM_AUTO_JSON *j = NULL;
	struct ctm_proof_report r = { 0 };
	const char *proof;
	size_t which;
	int rc = ctm_json_parse(text, n, CERTIFICATE_MAX, "certificate", &j, err);

	if (rc)
		return rc;
	struct ctm_jc c = ctm_jc_root(j, "certificate");
	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, 4, err)) || (rc = ctm_jc_enum(&c, "format", formats, 1, &which, err)) ||
	    (rc = ctm_jc_str(&c, "proof", 1, CTM_TLOGPROOF_MAX, &proof, err)) || (rc = ctm_proof_check(proof, strlen(proof), trust, &r, err)))
		return rc;
	if ((rc = agree(j, text, n, &r, err))) {
		ctm_proof_report_free(&r);
		return rc;
	}
	*out = r;
	return 0;
}
