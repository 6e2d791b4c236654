/* SPDX-License-Identifier: Apache-2.0
 *
 * Update manifest: see ctm/manifest.h. Reading is one loop over the map with a case per key; since the wire is deterministic,
 * keys come in ascending order and none comes twice. What must be there is a bit set compared at the end.
 */
#include "ctm/manifest.h"
#include "ctm/cbor.h"
#include "ctm/cose.h"
#include <string.h>

#define MUST 0x3feu     /* keys 1 to 9 */

static bool date_ok(struct ctm_bytes d)
{
	int month, day;

	if (d.n != 10 || d.p[4] != '-' || d.p[7] != '-')
		return false;
	for (size_t i = 0; i < 10; i++)
		if (i != 4 && i != 7 && (d.p[i] < '0' || d.p[i] > '9'))
			return false;
	month = (d.p[5] - '0') * 10 + d.p[6] - '0';
	day = (d.p[8] - '0') * 10 + d.p[9] - '0';
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/* Printable ASCII only: these texts go to logs and screens. */
static bool plain(struct ctm_bytes b, size_t max)
{
	if (!b.n || b.n > max)
		return false;
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x21 || b.p[i] > 0x7e)
			return false;
	return true;
}

static bool versions_ok(const struct ctm_manifest *m)
{
	bool ok = m->rollbacks <= CTM_ROLLBACK_MAX && ctm_version_ok((const char *)m->version.p, m->version.n) &&
		  ctm_version_ok((const char *)m->min_version.p, m->min_version.n);

	for (size_t i = 0; ok && i < m->rollbacks; i++)
		ok = ctm_version_ok((const char *)m->rollback[i].p, m->rollback[i].n);
	return ok;
}

static bool values_ok(const struct ctm_manifest *m)
{
	if (!plain(m->component, CTM_MANIFEST_TEXT) || !versions_ok(m))
		return false;
	if (m->counter > INT64_MAX || !m->size || m->size > CTM_IMAGE_MAX)
		return false;
	if ((m->sbom.n && m->sbom.n != CTM_HASH_BYTES) || (m->support_end.n && !date_ok(m->support_end)))
		return false;
	for (size_t i = 0; i < m->advisories; i++)
		if (!plain(m->advisory[i], CTM_ADVISORY_TEXT))
			return false;
	return m->advisories <= CTM_ADVISORIES_MAX;
}

static void put_list(struct ctm_cbor_w *w, enum ctm_manifest_key key, const struct ctm_bytes *list, size_t n)
{
	if (!n)
		return;
	ctm_cbor_put_uint(w, (uint64_t)key);
	ctm_cbor_put_array(w, n);
	for (size_t i = 0; i < n; i++)
		ctm_cbor_put_text(w, (const char *)list[i].p, list[i].n);
}

static void put(struct ctm_cbor_w *w, enum ctm_manifest_key key, struct ctm_bytes b, bool text)
{
	ctm_cbor_put_uint(w, (uint64_t)key);
	if (text)
		ctm_cbor_put_text(w, (const char *)b.p, b.n);
	else
		ctm_cbor_put_bytes(w, b.p, b.n);
}

int ctm_manifest_encode(const struct ctm_manifest *m, uint8_t *out, size_t cap, size_t *outlen)
{
	struct ctm_cbor_w w = ctm_cbor_writer(out, cap);
	int rc;

	if (m->advisories > CTM_ADVISORIES_MAX || !values_ok(m))
		return CTM_SDK_INPUT;
	ctm_cbor_put_map(&w, 9u + (m->sbom.n != 0) + (m->support_end.n != 0) + (m->advisories != 0) + (m->rollbacks != 0));
	ctm_cbor_put_uint(&w, CTM_M_FORMAT);
	ctm_cbor_put_str(&w, CTM_MANIFEST_FORMAT);
	put(&w, CTM_M_VENDOR, (struct ctm_bytes){ m->vendor, CTM_ID_BYTES }, false);
	put(&w, CTM_M_CLASS, (struct ctm_bytes){ m->class_id, CTM_ID_BYTES }, false);
	put(&w, CTM_M_COMPONENT, m->component, true);
	put(&w, CTM_M_VERSION, m->version, true);
	ctm_cbor_put_uint(&w, CTM_M_COUNTER);
	ctm_cbor_put_uint(&w, m->counter);
	ctm_cbor_put_uint(&w, CTM_M_SIZE);
	ctm_cbor_put_uint(&w, m->size);
	put(&w, CTM_M_DIGEST, (struct ctm_bytes){ m->digest, CTM_HASH_BYTES }, false);
	put(&w, CTM_M_MIN_VERSION, m->min_version, true);
	if (m->sbom.n)
		put(&w, CTM_M_SBOM, m->sbom, false);
	if (m->support_end.n)
		put(&w, CTM_M_SUPPORT_END, m->support_end, true);
	put_list(&w, CTM_M_ADVISORIES, m->advisory, m->advisories);
	put_list(&w, CTM_M_ROLLBACK, m->rollback, m->rollbacks);
	if ((rc = ctm_cbor_done(&w)))
		return rc;
	*outlen = w.len;
	return 0;
}

static int take_fixed(struct ctm_cbor_r *r, uint8_t *out, size_t n)
{
	struct ctm_bytes b = ctm_cbor_bytes(r);

	if (r->err)
		return r->err;
	if (b.n != n)
		return CTM_SDK_INPUT;
	memcpy(out, b.p, n);
	return 0;
}

static int take_list(struct ctm_cbor_r *r, struct ctm_bytes *list, size_t max, size_t *count)
{
	size_t n = ctm_cbor_array(r);

	if (r->err)
		return r->err;
	if (!n || n > max)
		return CTM_SDK_INPUT;
	for (size_t i = 0; i < n; i++)
		list[i] = ctm_cbor_text(r);
	*count = n;
	return r->err;
}

static int take_key(struct ctm_cbor_r *r, uint64_t key, struct ctm_manifest *m)
{
	struct ctm_bytes b;

	switch (key) {
	case CTM_M_FORMAT:
		b = ctm_cbor_text(r);
		if (r->err)
			return r->err;
		return b.n == strlen(CTM_MANIFEST_FORMAT) && memcmp(b.p, CTM_MANIFEST_FORMAT, b.n) == 0 ? 0 : CTM_SDK_UNSUPPORTED;
	case CTM_M_VENDOR: return take_fixed(r, m->vendor, CTM_ID_BYTES);
	case CTM_M_CLASS: return take_fixed(r, m->class_id, CTM_ID_BYTES);
	case CTM_M_COMPONENT: m->component = ctm_cbor_text(r); break;
	case CTM_M_VERSION: m->version = ctm_cbor_text(r); break;
	case CTM_M_COUNTER: m->counter = ctm_cbor_uint(r); break;
	case CTM_M_SIZE: m->size = ctm_cbor_uint(r); break;
	case CTM_M_DIGEST: return take_fixed(r, m->digest, CTM_HASH_BYTES);
	case CTM_M_MIN_VERSION: m->min_version = ctm_cbor_text(r); break;
	case CTM_M_SBOM:
		m->sbom = ctm_cbor_bytes(r);
		return r->err ? r->err : m->sbom.n ? 0 : CTM_SDK_INPUT;
	case CTM_M_SUPPORT_END:
		m->support_end = ctm_cbor_text(r);
		return r->err ? r->err : m->support_end.n ? 0 : CTM_SDK_INPUT;
	case CTM_M_ADVISORIES: return take_list(r, m->advisory, CTM_ADVISORIES_MAX, &m->advisories);
	case CTM_M_ROLLBACK: return take_list(r, m->rollback, CTM_ROLLBACK_MAX, &m->rollbacks);
	default: return CTM_SDK_UNSUPPORTED;
	}
	return r->err;
}

int ctm_manifest_decode(const uint8_t *p, size_t n, struct ctm_manifest *out)
{
	struct ctm_cbor_r r = ctm_cbor_reader(p, n);
	struct ctm_manifest m;
	unsigned seen = 0;
	size_t pairs;
	int rc;

	if (n > CTM_MANIFEST_MAX)
		return CTM_SDK_TOOBIG;
	if ((rc = ctm_cbor_check(p, n)))
		return rc;
	memset(&m, 0, sizeof m);
	pairs = ctm_cbor_map(&r);
	for (; pairs && !r.err; pairs--) {
		uint64_t key = ctm_cbor_uint(&r);

		if (r.err)
			break;
		if ((rc = take_key(&r, key, &m)))
			return rc;
		seen |= 1u << key;
	}
	if ((rc = ctm_cbor_end(&r)))
		return rc;
	if ((seen & MUST) != MUST || !values_ok(&m))
		return CTM_SDK_INPUT;
	*out = m;
	return 0;
}

int ctm_manifest_verify(const struct ctm_crypto *c, const uint8_t *msg, size_t n, const uint8_t *key, size_t keylen,
			struct ctm_manifest *out)
{
	struct ctm_bytes payload;
	int rc;

	if (n > CTM_MANIFEST_MAX)
		return CTM_SDK_TOOBIG;
	rc = ctm_cose_sign1_typed(c, msg, n, CTM_MANIFEST_TYPE, key, keylen, &payload);
	return rc ? rc : ctm_manifest_decode(payload.p, payload.n, out);
}

int ctm_manifest_peek(const uint8_t *msg, size_t n, struct ctm_manifest *out)
{
	struct ctm_cose1 cose;
	int rc;

	if (n > CTM_MANIFEST_MAX)
		return CTM_SDK_TOOBIG;
	rc = ctm_cose_sign1_peek(msg, n, &cose);
	if (!rc && !ctm_cose_is(&cose, CTM_MANIFEST_TYPE))
		rc = CTM_SDK_UNSUPPORTED;
	return rc ? rc : ctm_manifest_decode(cose.payload, cose.payloadlen, out);
}

/* Does the running release allow going back to this version? */
static bool may_go_back(const struct ctm_manifest *running, struct ctm_bytes version)
{
	for (size_t i = 0; running && i < running->rollbacks; i++)
		if (running->rollback[i].n == version.n && memcmp(running->rollback[i].p, version.p, version.n) == 0)
			return true;
	return false;
}

int ctm_manifest_judge(const struct ctm_manifest *m, const struct ctm_manifest_device *d, const char **why)
{
	size_t running = strlen(d->version);

	if (memcmp(m->vendor, d->vendor, CTM_ID_BYTES) != 0)
		return ctm_sdk_refuse(CTM_SDK_OTHER, "vendor", why);
	if (memcmp(m->class_id, d->class_id, CTM_ID_BYTES) != 0)
		return ctm_sdk_refuse(CTM_SDK_OTHER, "class", why);
	if (m->component.n != strlen(d->component) || memcmp(m->component.p, d->component, m->component.n) != 0)
		return ctm_sdk_refuse(CTM_SDK_OTHER, "component", why);
	if (m->counter < d->counter)
		return ctm_sdk_refuse(CTM_SDK_OLDER, "counter", why);
	if (!running)
		return 0;
	if (ctm_version_order((const char *)m->version.p, m->version.n, d->version, running) < 0 && !may_go_back(d->running, m->version))
		return ctm_sdk_refuse(CTM_SDK_OLDER, "version", why);
	if (ctm_version_order(d->version, running, (const char *)m->min_version.p, m->min_version.n) < 0)
		return ctm_sdk_refuse(CTM_SDK_STATE, "min_version", why);
	return 0;
}

int ctm_manifest_image(const struct ctm_crypto *c, const struct ctm_manifest *m, const uint8_t *image, size_t n)
{
	uint8_t d[CTM_HASH_BYTES];
	int rc;

	if (n != m->size)
		return CTM_SDK_VERIFY;
	if ((rc = ctm_sdk_sha256(c, image, n, d)))
		return rc;
	return ctm_sdk_same(d, m->digest, sizeof d) ? 0 : CTM_SDK_VERIFY;
}

int ctm_package_split(const uint8_t *p, size_t n, struct ctm_bytes *manifest, struct ctm_bytes *image)
{
	size_t len;

	if (n < 4)
		return CTM_SDK_TRUNCATED;
	len = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (len > CTM_MANIFEST_MAX)
		return CTM_SDK_TOOBIG;
	if (len > n - 4)
		return CTM_SDK_TRUNCATED;
	if (!len || n - 4 == len)
		return CTM_SDK_SYNTAX;
	if (n - 4 - len > CTM_IMAGE_MAX)
		return CTM_SDK_TOOBIG;
	*manifest = (struct ctm_bytes){ p + 4, len };
	*image = (struct ctm_bytes){ p + 4 + len, n - 4 - len };
	return 0;
}
