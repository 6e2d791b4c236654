/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes of the software update: the good package (U01, which is also how the sample gets to the release under evaluation),
 * tampered ones (U02), unsigned and wrongly signed ones (U03), an older one (U04), no authority (U09). Only the maker can sign,
 * so good and older packages are specimens from the applicant; everything else is made here from the good one.
 *
 * After each attempt the sample must answer again and its version, image digest and security counter are read back: a refusal
 * counts only with an unchanged, healthy sample. U02 and U03 send the good package last, once more, as the positive control in
 * the very state in which the bad ones were refused.
 */
#include "lab/probe.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/key.h"
#include "ctm/cose.h"
#include "ctm/manifest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACKAGE_MAX ((size_t)40 << 20)
#define RESTART_MS 6000

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
}

struct package {
	struct ctm_buf all;
	struct ctm_bytes manifest, image;    /* borrowed from all */
	struct ctm_cose1 cose;
	struct ctm_manifest m;
};

static int set_bytes(ctm_json *o, const char *key, struct ctm_bytes b)
{
	char text[128];

	if (b.n >= sizeof text)
		return CTM_E_TOOBIG;
	if (b.n)
		memcpy(text, b.p, b.n);
	text[b.n] = '\0';
	return ctm_json_sets(o, key, text);
}

/* Read a specimen. *ok is false (and the reason recorded) when the applicant gave none or it is not a package. */
static int load(struct ctm_run *r, const char *name, struct package *p, bool *ok, struct ctm_err *err)
{
	const char *rel = ctm_json_gets(r->bench->specimens, name), *why = "";
	char path[1024], digest[CTM_DIGEST_MAX] = "", image[CTM_DIGEST_MAX] = "";
	ctm_json *data;
	int rc = 0, bad;

	p->all = CTM_BUF(PACKAGE_MAX);
	*ok = false;
	if (!rel)
		why = "the applicant supplied no such specimen";
	else if ((rc = ctm_bench_path(r->bench, rel, path, sizeof path, err)) || (rc = ctm_file_read(path, PACKAGE_MAX, &p->all, err)))
		return rc;
	else if (ctm_package_split((const uint8_t *)p->all.p, p->all.len, &p->manifest, &p->image) ||
		 ctm_cose_sign1_peek(p->manifest.p, p->manifest.n, &p->cose) || ctm_manifest_decode(p->cose.payload, p->cose.payloadlen, &p->m))
		why = "the specimen is not an update package";
	else
		*ok = true;
	if (p->all.len)
		ctm_digest_of(p->all.p, p->all.len, digest);
	if (*ok)
		ctm_digest_of(p->image.p, p->image.n, image);
	data = ctm_json_obj();
	bad = !data || ctm_json_sets(data, "name", name) || ctm_json_setb(data, "usable", *ok) || ctm_json_sets(data, "why", why) ||
		ctm_json_sets(data, "package_sha256", digest) || ctm_json_sets(data, "image_sha256", image);
	if (!bad && *ok)
		bad = set_bytes(data, "version", p->m.version) || ctm_json_seti(data, "counter", (int64_t)p->m.counter) ||
			set_bytes(data, "support_end", p->m.support_end);
	if (bad) {
		ctm_json_free(data);
		return oom(err);
	}
	return run_record(r, "specimen", data, err);
}

/* Read back who it is, what it runs, whether it is well. */
static int read_back(struct ctm_run *r, const char *step, struct ctm_err *err)
{
	CTM_AUTO_JSON *state = NULL;
	char name[80];
	bool alive = false, ok = false;
	int rc = lab_wait_alive(r, RESTART_MS, &alive, err);

	if (rc || !alive || (rc = lab_owner(r, &ok, err)) || !ok)
		return rc;
	snprintf(name, sizeof name, "state/%s", step);
	return lab_state(r, name, &state, err);
}

static int send_package(struct ctm_run *r, const char *step, enum lab_auth auth, const void *p, size_t n, const char *note, struct ctm_err *err)
{
	int rc = lab_do(r, &(struct lab_call){ .step = step, .method = "POST", .path = "/ctm/v1/update", .auth = auth, .raw = p, .rawlen = n,
		.type = "application/ctm-update", .raw_note = note }, NULL, err);
	return rc ? rc : read_back(r, step, err);
}

/* Everything an attempt needs: an owner, the specimen, the state before. *ready false when one is missing. */
static int begin(struct ctm_run *r, const char *specimen, struct package *p, bool *ready, struct ctm_err *err)
{
	CTM_AUTO_JSON *state = NULL;
	bool ok = false;
	int rc;

	*ready = false;
	if ((rc = load(r, specimen, p, &ok, err)) || !ok || (rc = lab_owner(r, &ok, err)) || !ok || (rc = lab_state(r, "state/before", &state, err)))
		return rc;
	*ready = state != NULL;
	return 0;
}

/* ---- U01 ---- */

CTM_PROBE(update_good)
{
	struct package p = { 0 };
	LAB_AUTO_REPLY identity = { 0 };
	bool ready = false;
	int rc = begin(r, "good", &p, &ready, err);

	if (!rc && ready)
		rc = send_package(r, "good", LAB_OWNER, p.all.p, p.all.len, "the applicant's good package, unchanged", err);
	if (!rc && ready)
		rc = lab_do(r, &(struct lab_call){ .step = "identity/after", .method = "GET", .path = "/ctm/v1/identity" }, &identity, err);
	ctm_buf_free(&p.all);
	return rc;
}

/* ---- U02 ---- */

/* A copy to work on, with the parts found again. NULL without memory. */
static uint8_t *copy_of(const struct package *p)
{
	uint8_t *q = malloc(p->all.len);

	if (q)
		memcpy(q, p->all.p, p->all.len);
	return q;
}

static size_t offset(const struct package *p, const void *inside)
{
	return (size_t)((const uint8_t *)inside - (const uint8_t *)p->all.p);
}

static int send_changed(struct ctm_run *r, const char *step, uint8_t *q, size_t n, const char *note, struct ctm_err *err)
{
	int rc = q ? send_package(r, step, LAB_OWNER, q, n, note, err) : oom(err);
	free(q);
	return rc;
}

static int tampered(struct ctm_run *r, const struct package *p, struct ctm_err *err)
{
	uint8_t digest[CTM_SHA256], *q = copy_of(p), *where;
	size_t mid = offset(p, p->image.p) + p->image.n / 2;
	int rc;

	if (q)
		q[mid] ^= 0x01;
	if ((rc = send_changed(r, "tampered/payload", q, p->all.len, "one bit of the image flipped", err)))
		return rc;
	if ((q = copy_of(p))) {
		q[mid] ^= 0x01;
		ctm_sha256(q + offset(p, p->image.p), p->image.n, digest);
		where = memmem(q + offset(p, p->cose.payload), p->cose.payloadlen, p->m.digest, CTM_SHA256);
		if (where)
			memcpy(where, digest, sizeof digest);
	}
	if ((rc = send_changed(r, "tampered/header", q, p->all.len, "one bit of the image flipped and the manifest's digest changed to fit, signature as it was", err)))
		return rc;
	if ((q = copy_of(p)))
		q[offset(p, p->cose.sig) + 5] ^= 0x01;
	return send_changed(r, "tampered/signature", q, p->all.len, "one bit of the signature flipped", err);
}

CTM_PROBE(update_tampered)
{
	struct package p = { 0 };
	bool ready = false;
	int rc = begin(r, "good", &p, &ready, err);

	if (!rc && ready)
		rc = tampered(r, &p, err);
	if (!rc && ready)
		rc = send_package(r, "control/good", LAB_OWNER, p.all.p, p.all.len, "the applicant's good package, unchanged", err);
	ctm_buf_free(&p.all);
	return rc;
}

/* ---- U03 ---- */

static int sign_with(void *key, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	return ctm_key_sign(key, tbs, n, sig);
}

/* Package of another manifest and the same image. */
static uint8_t *repack(const uint8_t *manifest, size_t n, struct ctm_bytes image, size_t *len)
{
	uint8_t *q = malloc(4 + n + image.n);

	if (!q)
		return NULL;
	q[0] = (uint8_t)(n >> 24);
	q[1] = (uint8_t)(n >> 16);
	q[2] = (uint8_t)(n >> 8);
	q[3] = (uint8_t)n;
	memcpy(q + 4, manifest, n);
	memcpy(q + 4 + n, image.p, image.n);
	*len = 4 + n + image.n;
	return q;
}

static int send_other_key(struct ctm_run *r, const struct package *p, struct ctm_err *err)
{
	CTM_AUTO_KEY *key = NULL;
	uint8_t msg[CTM_MANIFEST_MAX + CTM_COSE_OVERHEAD];
	size_t n = 0, len = 0;
	uint8_t *q;
	int rc = ctm_key_generate(CTM_ALG_ED25519, &key, err);

	if (rc)
		return rc;
	if (ctm_cose_sign1_sign(sign_with, key, CTM_COSE_EDDSA, p->cose.kid, p->cose.kidlen, CTM_MANIFEST_TYPE, p->cose.payload, p->cose.payloadlen, msg, sizeof msg, &n))
		return ctm_fail(err, CTM_E_FAIL, "specimen", NULL, "the lab could not sign its own specimen");
	q = repack(msg, n, p->image, &len);
	return send_changed(r, "unsigned/other-key", q, len, "the same manifest and image, signed by a key the lab made", err);
}

static int unsigned_ones(struct ctm_run *r, const struct package *p, struct ctm_err *err)
{
	uint8_t *q = copy_of(p);
	size_t len = 0;
	int rc;

	if (q)
		memset(q + offset(p, p->cose.sig), 0, CTM_SIG_BYTES);
	if ((rc = send_changed(r, "unsigned/zeroes", q, p->all.len, "the signature overwritten with zeroes", err)))
		return rc;
	q = repack(p->cose.payload, p->cose.payloadlen, p->image, &len);
	if ((rc = send_changed(r, "unsigned/bare", q, len, "the bare manifest without any signature structure", err)))
		return rc;
	return send_other_key(r, p, err);
}

CTM_PROBE(update_unsigned)
{
	struct package p = { 0 };
	bool ready = false;
	int rc = begin(r, "good", &p, &ready, err);

	if (!rc && ready)
		rc = unsigned_ones(r, &p, err);
	if (!rc && ready)
		rc = send_package(r, "control/good", LAB_OWNER, p.all.p, p.all.len, "the applicant's good package, unchanged", err);
	ctm_buf_free(&p.all);
	return rc;
}

/* ---- U04, U09 ---- */

CTM_PROBE(update_older)
{
	struct package p = { 0 }, good = { 0 };
	bool ready = false, ok = false;
	int rc = begin(r, "older", &p, &ready, err);

	if (!rc && ready)
		rc = send_package(r, "older", LAB_OWNER, p.all.p, p.all.len, "the applicant's older, correctly signed package", err);
	if (!rc && ready && !(rc = load(r, "good", &good, &ok, err)) && ok)
		rc = send_package(r, "control/good", LAB_OWNER, good.all.p, good.all.len, "the applicant's good package, unchanged", err);
	ctm_buf_free(&p.all);
	ctm_buf_free(&good.all);
	return rc;
}

CTM_PROBE(update_open)
{
	struct package p = { 0 };
	bool ready = false;
	int rc = begin(r, "good", &p, &ready, err);

	if (!rc && ready)
		rc = send_package(r, "open/nobody", LAB_NONE, p.all.p, p.all.len, "the good package, without a session", err);
	if (!rc && ready)
		rc = send_package(r, "open/invented", LAB_BOGUS, p.all.p, p.all.len, "the good package, with an invented token", err);
	if (!rc && ready)
		rc = send_package(r, "control/good", LAB_OWNER, p.all.p, p.all.len, "the good package, by the owner", err);
	ctm_buf_free(&p.all);
	return rc;
}
