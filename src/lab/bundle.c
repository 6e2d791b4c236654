/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing and reading evidence bundles. See bundle.h.
 */
#include "lab/bundle.h"
#include "lab/plan.h"
#include "lab/probe.h"
#include "lab/report.h"
#include "base/text.h"
#include "crypto/signer.h"
#include "ctm/cose.h"
#include "ctm/openssl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEAL_TYPE "application/vnd.ctm.evidence-seal+json"
#define SEAL_FORMAT "ctm.evidence-seal/1"
#define SEAL_MAX 4096
#define MANIFEST_MAX ((size_t)1 << 20)
#define SIGNER_MS 5000

enum part { P_CATALOGUE, P_DECLARATION, P_MANIFEST, P_OBSERVATIONS, P_PLAN, P_RECORDS, P_HTML, P_JSON, P_SEAL, P_COUNT };
static const char *const part_names[P_COUNT] = { "catalogue.json", "declaration.json", "manifest.json", "observations.jsonl", "plan.json", "records.json",
	"report.html", "report.json", "seal.cose" };

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the bundle");
}

/* ---- seal ---- */

static int seal_payload(const char *manifest, const char *job, const char *challenge, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_JSON *v = ctm_json_obj();

	if (!v || ctm_json_sets(v, "format", SEAL_FORMAT) || ctm_json_sets(v, "manifest", manifest) || ctm_json_sets(v, "job", job) ||
	    ctm_json_sets(v, "challenge", challenge) || ctm_json_canonical(v, out))
		return oom(err);
	return 0;
}

static int sign_with(void *key, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	return ctm_key_sign(key, tbs, n, sig);
}

static int seal_by_key(const struct ctm_key *key, const struct ctm_buf *payload, struct ctm_buf *out, struct ctm_err *err)
{
	uint8_t msg[SEAL_MAX];
	char kid[17];
	size_t n = 0;

	if (ctm_key_alg(key) != CTM_ALG_ED25519)
		return ctm_fail(err, CTM_E_INPUT, "key", NULL, "bundles are sealed with an Ed25519 key");
	ctm_key_id(key, kid);
	if (ctm_cose_sign1_sign(sign_with, (void *)(uintptr_t)key, CTM_COSE_EDDSA, (const uint8_t *)kid, 16, SEAL_TYPE, (const uint8_t *)payload->p, payload->len, msg, sizeof msg, &n))
		return ctm_fail(err, CTM_E_FAIL, "key", NULL, "the seal could not be made");
	ctm_buf_add(out, msg, n);
	return ctm_buf_err(out, "seal", err);
}

static int seal_by_signer(const char *socket, const char *manifest, const char *job, const char *challenge, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_JSON *q = ctm_json_obj(), *a = NULL;
	const char *cose;
	int rc;

	if (!q || ctm_json_sets(q, "op", "evidence") || ctm_json_sets(q, "manifest_digest", manifest) || ctm_json_sets(q, "job", job) || ctm_json_sets(q, "challenge", challenge))
		return oom(err);
	if ((rc = ctm_signer_call(socket, q, SIGNER_MS, &a, err)))
		return rc;
	if (!(cose = ctm_json_gets(a, "cose")) || ctm_unb64(cose, strlen(cose), out))
		return ctm_fail(err, CTM_E_VERIFY, "signer", NULL, "the signer's answer holds no seal");
	return 0;
}

/* The sealing key as {name, key_id, ed25519}. */
static int sealer_identity(const struct ctm_sealer *s, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *q = ctm_json_obj(), *a = NULL, *v = NULL;
	uint8_t raw[65];
	char id[17], hex[131];
	int rc;

	if (s->signer_socket) {
		if (!q || ctm_json_sets(q, "op", "keys"))
			return oom(err);
		if ((rc = ctm_signer_call(s->signer_socket, q, SIGNER_MS, &a, err)))
			return rc;
		if (!ctm_json_gets(ctm_json_get(a, "lab"), "ed25519"))
			return ctm_fail(err, CTM_E_STATE, "signer", NULL, "the signer has no key for a lab");
		v = ctm_json_copy(ctm_json_get(a, "lab"));
	} else {
		if (ctm_key_raw(s->key, raw) != 32)
			return ctm_fail(err, CTM_E_INPUT, "key", NULL, "bundles are sealed with an Ed25519 key");
		ctm_key_id(s->key, id);
		ctm_hex(raw, 32, hex);
		if (!(v = ctm_json_obj()) || ctm_json_sets(v, "name", s->name ? s->name : "") || ctm_json_sets(v, "key_id", id) || ctm_json_sets(v, "ed25519", hex))
			return oom(err);
	}
	if (!v)
		return oom(err);
	*out = v;
	v = NULL;
	return 0;
}

/* Verify the seal under one raw key and compare what it says. */
static int check_seal(const struct ctm_bundle_part *seal, const uint8_t pub[32], const char *manifest, const char *job, const char *challenge, struct ctm_err *err)
{
	CTM_AUTO_BUF want = CTM_BUF(SEAL_MAX);
	struct ctm_cose1 m;
	int rc;

	if (seal->n > SEAL_MAX || ctm_cose_sign1_verify(ctm_openssl_crypto(), (const uint8_t *)seal->p, seal->n, &m, pub, 32))
		return ctm_fail(err, CTM_E_VERIFY, "seal.cose", "RFC 9052", "the seal does not hold under the lab's key: the bundle was changed or sealed by somebody else");
	if (!m.content_type || m.content_typelen != strlen(SEAL_TYPE) || memcmp(m.content_type, SEAL_TYPE, m.content_typelen) != 0)
		return ctm_fail(err, CTM_E_VERIFY, "seal.cose", "RFC 9052", "the seal is a signature over something else");
	if ((rc = seal_payload(manifest, job, challenge, &want, err)))
		return rc;
	if (m.payloadlen != want.len || memcmp(m.payload, want.p, want.len) != 0)
		return ctm_fail(err, CTM_E_VERIFY, "seal.cose", NULL, "the seal is for another manifest, job or challenge");
	return 0;
}

/* ---- writing ---- */

struct writer { struct ctm_buf buf[P_COUNT]; struct ctm_bundle_part *part; size_t n; };

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct ctm_bundle_part *)a)->name, ((const struct ctm_bundle_part *)b)->name);
}

static void add_part(struct writer *w, const char *name, const void *p, size_t n)
{
	struct ctm_bundle_part *q = &w->part[w->n++];

	ctm_copy(q->name, sizeof q->name, name);
	q->p = p;
	q->n = n;
}

static int add_json(struct writer *w, enum part i, const ctm_json *v, struct ctm_err *err)
{
	int rc = ctm_json_canonical(v, &w->buf[i]);

	if (rc)
		return ctm_fail(err, rc, part_names[i], NULL, "%s cannot be brought into canonical form", part_names[i]);
	add_part(w, part_names[i], w->buf[i].p, w->buf[i].len);
	return 0;
}

static int manifest_of(const struct ctm_lab_facts *f, const struct writer *w, ctm_json *sealer, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *m = ctm_json_obj();
	ctm_json *entries = ctm_json_arr();
	int bad = !m || !entries;

	for (size_t i = 0; i < w->n && !bad; i++) {
		ctm_json *e = ctm_json_obj();
		char digest[CTM_DIGEST_MAX];
		ctm_digest_of(w->part[i].p, w->part[i].n, digest);
		bad = !e || ctm_json_sets(e, "name", w->part[i].name) || ctm_json_seti(e, "size", (int64_t)w->part[i].n) || ctm_json_sets(e, "digest", digest);
		if (bad)
			ctm_json_free(e);
		else
			bad = ctm_json_add(entries, e);
	}
	if (bad)
		ctm_json_free(entries);
	if (bad || ctm_json_set(m, "entries", entries) || ctm_json_sets(m, "format", CTM_BUNDLE_FORMAT) || ctm_json_sets(m, "job", ctm_json_gets(f->plan, "job")) ||
	    ctm_json_sets(m, "challenge", ctm_json_gets(f->plan, "challenge")) || ctm_json_sets(m, "number", ctm_json_gets(f->plan, "number")) ||
	    ctm_json_sets(m, "head", f->trace->head) || ctm_json_set(m, "sealed_by", sealer))
		return oom(err);
	*out = m;
	m = NULL;
	return 0;
}

static int add_contents(const struct ctm_lab_facts *f, struct writer *w, struct ctm_err *err)
{
	CTM_AUTO_JSON *report = NULL;
	char name[80];
	int rc;

	if ((rc = ctm_report_make(f, &report, err)) || (rc = ctm_report_check(report, "report.json", err)))
		return rc;
	if (ctm_json_pretty(report, &w->buf[P_JSON]))
		return oom(err);
	if ((rc = ctm_report_html(report, &w->buf[P_HTML], err)) || (rc = add_json(w, P_CATALOGUE, f->catalogue->root, err)) ||
	    (rc = add_json(w, P_DECLARATION, f->declaration, err)) || (rc = add_json(w, P_PLAN, f->plan, err)) || (rc = add_json(w, P_RECORDS, f->records, err)))
		return rc;
	add_part(w, part_names[P_JSON], w->buf[P_JSON].p, w->buf[P_JSON].len);
	add_part(w, part_names[P_HTML], w->buf[P_HTML].p, w->buf[P_HTML].len);
	add_part(w, part_names[P_OBSERVATIONS], f->trace->lines.p, f->trace->lines.len);
	for (size_t i = 0; i < f->trace->nblobs; i++) {
		snprintf(name, sizeof name, "blobs/%s", f->trace->blobs[i].digest + 7);
		add_part(w, name, f->trace->blobs[i].p, f->trace->blobs[i].n);
	}
	qsort(w->part, w->n, sizeof w->part[0], by_name);
	return 0;
}

static int seal_all(const struct ctm_lab_facts *f, const struct ctm_sealer *sealer, struct writer *w, struct ctm_err *err)
{
	CTM_AUTO_JSON *who = NULL, *manifest = NULL;
	CTM_AUTO_BUF payload = CTM_BUF(SEAL_MAX);
	const char *job = ctm_json_gets(f->plan, "job"), *challenge = ctm_json_gets(f->plan, "challenge"), *hex;
	char digest[CTM_DIGEST_MAX];
	uint8_t pub[32];
	int rc;

	if ((rc = sealer_identity(sealer, &who, err)) || (rc = manifest_of(f, w, ctm_json_copy(who), &manifest, err)) || (rc = add_json(w, P_MANIFEST, manifest, err)))
		return rc;
	ctm_digest_of(w->buf[P_MANIFEST].p, w->buf[P_MANIFEST].len, digest);
	if (sealer->signer_socket)
		rc = seal_by_signer(sealer->signer_socket, digest, job, challenge, &w->buf[P_SEAL], err);
	else if (!(rc = seal_payload(digest, job, challenge, &payload, err)))
		rc = seal_by_key(sealer->key, &payload, &w->buf[P_SEAL], err);
	if (rc)
		return rc;
	add_part(w, part_names[P_SEAL], w->buf[P_SEAL].p, w->buf[P_SEAL].len);
	hex = ctm_json_gets(who, "ed25519");
	if (!hex || strlen(hex) != 64 || ctm_unhex(hex, 64, pub))
		return ctm_fail(err, CTM_E_VERIFY, "signer", NULL, "the lab's key is not 64 hex digits");
	qsort(w->part, w->n, sizeof w->part[0], by_name);
	return check_seal(&(struct ctm_bundle_part){ .p = w->buf[P_SEAL].p, .n = w->buf[P_SEAL].len }, pub, digest, job, challenge, err);
}

int ctm_bundle_write(const struct ctm_lab_facts *f, const struct ctm_sealer *sealer, struct ctm_buf *out, struct ctm_err *err)
{
	struct writer w = { .part = calloc(P_COUNT + f->trace->nblobs, sizeof *w.part) };
	int rc = w.part ? 0 : oom(err);

	for (int i = 0; i < P_COUNT; i++)
		w.buf[i] = CTM_BUF(CTM_BUNDLE_MAX);
	if (!rc && !(rc = add_contents(f, &w, err)) && !(rc = seal_all(f, sealer, &w, err)))
		rc = ctm_tar_write(w.part, w.n, out, err);
	for (int i = 0; i < P_COUNT; i++)
		ctm_buf_free(&w.buf[i]);
	free(w.part);
	return rc;
}

/* ---- reading ---- */

void ctm_bundle_free(struct ctm_bundle *b)
{
	if (!b)
		return;
	ctm_lab_catalogue_free(b->catalogue);
	ctm_trace_free(b->trace);
	ctm_json_free(b->manifest);
	ctm_json_free(b->plan);
	ctm_json_free(b->declaration);
	ctm_json_free(b->records);
	ctm_buf_free(&b->report_json);
	ctm_buf_free(&b->report_html);
	free(b);
}

void ctm_bundle_freep(struct ctm_bundle **b)
{
	ctm_bundle_free(*b);
	*b = NULL;
}

static const struct ctm_bundle_part *part_of(const struct ctm_tar *t, enum part i)
{
	for (size_t k = 0; k < t->n; k++)
		if (strcmp(t->part[k].name, part_names[i]) == 0)
			return &t->part[k];
	return NULL;
}

/* JSON in canonical form, exactly. */
static int read_json(const struct ctm_tar *t, enum part i, size_t max, ctm_json **out, struct ctm_err *err)
{
	const struct ctm_bundle_part *p = part_of(t, i);
	CTM_AUTO_BUF again = CTM_BUF(max);
	CTM_AUTO_JSON *v = NULL;
	int rc;

	if (!p)
		return ctm_fail(err, CTM_E_SYNTAX, part_names[i], NULL, "the bundle has no %s", part_names[i]);
	if ((rc = ctm_json_parse(p->p, p->n, max, part_names[i], &v, err)))
		return rc;
	if (ctm_json_canonical(v, &again) || again.len != p->n || memcmp(again.p, p->p, p->n) != 0)
		return ctm_fail(err, CTM_E_SYNTAX, part_names[i], NULL, "%s is not in canonical form", part_names[i]);
	*out = v;
	v = NULL;
	return 0;
}

static bool blob_name(const char *name, char digest[CTM_DIGEST_MAX])
{
	if (!ctm_starts(name, "blobs/") || strlen(name) != 70)
		return false;
	snprintf(digest, CTM_DIGEST_MAX, "sha256:%.64s", name + 6);
	return ctm_digest_ok(digest);
}

/* Every part but manifest and seal stands in the manifest, in order, with its size and digest, and nothing else does. */
static int check_entries(const struct ctm_tar *t, const ctm_json *manifest, struct ctm_err *err)
{
	const ctm_json *entries = ctm_json_get(manifest, "entries");
	size_t at = 0;

	for (size_t i = 0; i < t->n; i++) {
		const struct ctm_bundle_part *p = &t->part[i];
		const ctm_json *e = ctm_json_at(entries, at);
		char digest[CTM_DIGEST_MAX], named[CTM_DIGEST_MAX];
		if (strcmp(p->name, part_names[P_MANIFEST]) == 0 || strcmp(p->name, part_names[P_SEAL]) == 0)
			continue;
		if (ctm_name_index(part_names, P_COUNT, p->name) < 0 && !blob_name(p->name, named))
			return ctm_fail(err, CTM_E_SYNTAX, p->name, NULL, "a bundle has no entry of this name");
		ctm_digest_of(p->p, p->n, digest);
		if (!ctm_streq(ctm_json_gets(e, "name"), p->name) || ctm_json_geti(e, "size", -1) != (int64_t)p->n || !ctm_streq(ctm_json_gets(e, "digest"), digest))
			return ctm_fail(err, CTM_E_VERIFY, p->name, NULL, "the entry is not the one that the manifest names");
		if (blob_name(p->name, named) && strcmp(named, digest) != 0)
			return ctm_fail(err, CTM_E_VERIFY, p->name, NULL, "the artefact is not what its name says");
		at++;
	}
	if (at != ctm_json_len(entries))
		return ctm_fail(err, CTM_E_VERIFY, "manifest.json", NULL, "the manifest names an entry that is not there");
	return 0;
}

/* The sealing key: by the trust list when there is one, else as the manifest says. */
static int find_key(struct ctm_bundle *b, const ctm_json *trust, uint8_t pub[32], struct ctm_err *err)
{
	const ctm_json *by = ctm_json_get(b->manifest, "sealed_by"), *labs = ctm_json_get(trust, "lab");
	const char *id = ctm_json_gets(by, "key_id"), *hex = ctm_json_gets(by, "ed25519"), *name = ctm_json_gets(by, "name");

	if (!id || strlen(id) != 16 || !hex || strlen(hex) != 64 || ctm_unhex(hex, 64, pub))
		return ctm_fail(err, CTM_E_SYNTAX, "manifest.json", NULL, "the manifest does not say who sealed");
	ctm_copy(b->key_id, sizeof b->key_id, id);
	snprintf(b->sealed_by, sizeof b->sealed_by, "%.120s", name ? name : "");
	if (!trust)
		return 0;
	for (size_t i = 0; i < ctm_json_len(labs); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(labs, i), "key_id"), id) && ctm_streq(ctm_json_gets(ctm_json_at(labs, i), "ed25519"), hex)) {
			const ctm_json *lab = ctm_json_at(labs, i);
			static const char *const known[] = { "ed25519", "key_id", "name", "revoked" };
			struct ctm_jc c = ctm_jc_root(lab, "trust list /lab");
			int rc = ctm_jc_only(&c, known, 4, err);
			if (rc)
				return rc;
			if (ctm_json_get(lab, "revoked") && (ctm_json_type(ctm_json_get(lab, "revoked")) != CTM_J_BOOL || ctm_json_getb(lab, "revoked", true)))
				return ctm_fail(err, CTM_E_VERIFY, "seal.cose", "trust list /lab", "the trust list has revoked the key %.16s that sealed the bundle", id);
			name = ctm_json_gets(lab, "name");      /* not what the sealer calls itself */
			snprintf(b->sealed_by, sizeof b->sealed_by, "%.120s", name ? name : "");
			b->trusted = true;
			return 0;
		}
	return ctm_fail(err, CTM_E_VERIFY, "seal.cose", "trust list /lab", "the bundle is sealed by key %.16s (%.80s), which the trust list does not name", id, b->sealed_by);
}

static int read_sealed(const struct ctm_tar *t, const ctm_json *trust, struct ctm_bundle *b, struct ctm_err *err)
{
	static const char *const keys[] = { "format", "entries", "job", "challenge", "number", "head", "sealed_by" };
	const struct ctm_bundle_part *seal = part_of(t, P_SEAL), *m = part_of(t, P_MANIFEST);
	char digest[CTM_DIGEST_MAX];
	const char *text = NULL;
	struct ctm_jc c;
	uint8_t pub[32];
	int rc;

	if ((rc = read_json(t, P_MANIFEST, MANIFEST_MAX, &b->manifest, err)))
		return rc;
	if (!seal)
		return ctm_fail(err, CTM_E_SYNTAX, "seal.cose", NULL, "the bundle is not sealed");
	c = ctm_jc_root(b->manifest, "manifest.json");
	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, sizeof keys / sizeof keys[0], err)) || (rc = ctm_jc_str(&c, "job", 1, 64, &text, err)) ||
	    (rc = ctm_jc_str(&c, "challenge", 1, 128, &text, err)) || (rc = ctm_jc_str(&c, "format", 1, 32, &text, err)))
		return rc;
	if (strcmp(text, CTM_BUNDLE_FORMAT) != 0)
		return ctm_jc_fail(&c, err, "format is \"%s\", expected \"%s\"", text, CTM_BUNDLE_FORMAT);
	if ((rc = find_key(b, trust, pub, err)))
		return rc;
	ctm_digest_of(m->p, m->n, digest);
	if ((rc = check_seal(seal, pub, digest, ctm_json_gets(b->manifest, "job"), ctm_json_gets(b->manifest, "challenge"), err)))
		return rc;
	return check_entries(t, b->manifest, err);
}

static int read_trace(const struct ctm_tar *t, struct ctm_bundle *b, struct ctm_err *err)
{
	const struct ctm_bundle_part *lines = part_of(t, P_OBSERVATIONS);
	char digest[CTM_DIGEST_MAX], got[CTM_DIGEST_MAX];
	int rc;

	if (!lines)
		return ctm_fail(err, CTM_E_SYNTAX, "observations.jsonl", NULL, "the bundle has no observations");
	if ((rc = ctm_json_digest(b->plan, digest, err)) || (rc = ctm_trace_new(digest, &b->trace, err)) || (rc = ctm_trace_load(b->trace, lines->p, lines->n, err)))
		return rc;
	if (!ctm_streq(ctm_json_gets(b->manifest, "head"), b->trace->head))
		return ctm_fail(err, CTM_E_VERIFY, "observations.jsonl", NULL, "the observations do not end where the manifest says");
	for (size_t i = 0; i < t->n && !rc; i++)
		if (blob_name(t->part[i].name, got))
			rc = ctm_trace_blob(b->trace, t->part[i].p, t->part[i].n, got, err);
	return rc;
}

static int read_facts(const struct ctm_tar *t, struct ctm_bundle *b, struct ctm_err *err)
{
	static const struct ctm_lab_catalogue_names names = { .probe = ctm_probe_known, .judge = ctm_judge_known };
	ctm_json *cat = NULL;
	char digest[CTM_DIGEST_MAX];
	int rc;

	if ((rc = read_json(t, P_PLAN, CTM_PLAN_MAX, &b->plan, err)) || (rc = read_json(t, P_DECLARATION, CTM_PLAN_MAX, &b->declaration, err)) ||
	    (rc = read_json(t, P_RECORDS, CTM_PLAN_MAX * 4, &b->records, err)) || (rc = read_json(t, P_CATALOGUE, CTM_CATALOGUE_MAX, &cat, err)) ||
	    (rc = ctm_lab_catalogue_parse(cat, "catalogue.json", &names, &b->catalogue, err)) || (rc = ctm_plan_check(b->plan, "plan.json", b->catalogue, err)) ||
	    (rc = ctm_declaration_check(b->declaration, "declaration.json", err)) || (rc = ctm_records_check(b->records, "records.json", b->plan, b->catalogue, err)) ||
	    (rc = ctm_json_digest(b->declaration, digest, err)))
		return rc;
	if (!ctm_streq(ctm_json_gets(b->plan, "declaration"), digest))
		return ctm_fail(err, CTM_E_VERIFY, "declaration.json", NULL, "the declaration is not the one of the plan");
	if (!ctm_streq(ctm_json_gets(b->plan, "job"), ctm_json_gets(b->manifest, "job")) || !ctm_streq(ctm_json_gets(b->plan, "challenge"), ctm_json_gets(b->manifest, "challenge")))
		return ctm_fail(err, CTM_E_VERIFY, "plan.json", NULL, "plan and manifest name different jobs or challenges");
	return read_trace(t, b, err);
}

static int keep(const struct ctm_tar *t, enum part i, struct ctm_buf *out, struct ctm_err *err)
{
	const struct ctm_bundle_part *p = part_of(t, i);

	*out = CTM_BUF(CTM_BUNDLE_MAX);
	if (!p)
		return ctm_fail(err, CTM_E_SYNTAX, part_names[i], NULL, "the bundle has no %s", part_names[i]);
	ctm_buf_add(out, p->p, p->n);
	return ctm_buf_err(out, part_names[i], err);
}

int ctm_bundle_read(const void *p, size_t n, const ctm_json *trust, struct ctm_bundle **out, struct ctm_err *err)
{
	CTM_AUTO_BUNDLE *b = calloc(1, sizeof *b);
	struct ctm_tar t = { 0 };
	int rc;

	if (!b)
		return oom(err);
	if ((rc = ctm_tar_read(p, n, &t, err)))
		return rc;
	if (!(rc = read_sealed(&t, trust, b, err)) && !(rc = read_facts(&t, b, err)) && !(rc = keep(&t, P_JSON, &b->report_json, err)))
		rc = keep(&t, P_HTML, &b->report_html, err);
	ctm_tar_free(&t);
	if (rc)
		return rc;
	ctm_digest_of(p, n, b->digest);
	b->facts = (struct ctm_lab_facts){ .catalogue = b->catalogue, .trace = b->trace, .plan = b->plan, .declaration = b->declaration, .records = b->records };
	*out = b;
	b = NULL;
	return 0;
}
