/* SPDX-License-Identifier: Apache-2.0
 *
 * Update manifest: what is encoded is what is read; every changed bit is refused; the rules of RFC 9124 (right vendor, class,
 * component; nothing older; nothing that needs more than runs) each refuse on their own.
 */
#include "suites.h"
#include "ctm/cbor.h"
#include "ctm/cose.h"
#include "ctm/manifest.h"
#include "ctm/openssl.h"
#include <openssl/ec.h>
#include <openssl/evp.h>

static const uint8_t image[] = "CTM-IMAGE 1 PC-1 1.2.0\npayload";

static struct ctm_bytes str(const char *s)
{
	return (struct ctm_bytes){ (const uint8_t *)s, strlen(s) };
}

static struct ctm_manifest sample(void)
{
	static uint8_t sbom[32] = { 9 };
	struct ctm_manifest m = { .component = str("device"), .version = str("1.2.0"), .counter = 10200, .size = sizeof image,
				  .min_version = str("1.0.0"), .sbom = { sbom, 32 }, .support_end = str("2031-12-31"),
				  .advisory = { str("LARK-2026-001"), str("CVE-2026-0001") }, .advisories = 2, .rollback = { str("1.1.0"), str("1.1.9") }, .rollbacks = 2 };

	ctm_vendor_id("larkspur.example", m.vendor);
	ctm_class_id(m.vendor, "PC-1", m.class_id);
	assert_int_equal(ctm_sdk_sha256(ctm_openssl_crypto(), image, sizeof image, m.digest), 0);
	return m;
}

static EVP_PKEY *key;
static uint8_t pub[32];

static size_t sign(const struct ctm_manifest *m, const char *type, uint8_t *out, size_t cap)
{
	uint8_t payload[CTM_MANIFEST_MAX];
	size_t n = 0, len = 0;

	assert_int_equal(ctm_manifest_encode(m, payload, sizeof payload, &n), 0);
	assert_int_equal(ctm_cose_sign1_sign(ctm_openssl_sign, key, CTM_COSE_EDDSA, NULL, 0, type, payload, n, out, cap, &len), 0);
	return len;
}

static int setup(void **state)
{
	size_t n = 32;

	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_PKEY_get_raw_public_key(key, pub, &n) == 1 ? 0 : -1;
}

static int teardown(void **state)
{
	EVP_PKEY_free(key);
	return 0;
}

static void what_is_signed_is_what_is_read(void **state)
{
	uint8_t msg[1024];
	struct ctm_manifest m = sample(), r;
	size_t n = sign(&m, CTM_MANIFEST_TYPE, msg, sizeof msg);

	assert_int_equal(ctm_manifest_verify(ctm_openssl_crypto(), msg, n, pub, sizeof pub, &r), 0);
	assert_memory_equal(r.vendor, m.vendor, 16);
	assert_memory_equal(r.class_id, m.class_id, 16);
	assert_memory_equal(r.version.p, "1.2.0", 5);
	assert_int_equal(r.counter, 10200);
	assert_int_equal(r.size, sizeof image);
	assert_int_equal(r.sbom.n, 32);
	assert_memory_equal(r.support_end.p, "2031-12-31", 10);
	assert_int_equal(r.advisories, 2);
	assert_memory_equal(r.advisory[1].p, "CVE-2026-0001", 13);
	assert_int_equal(r.rollbacks, 2);
	assert_memory_equal(r.rollback[1].p, "1.1.9", 5);
	assert_int_equal(ctm_manifest_image(ctm_openssl_crypto(), &r, image, sizeof image), 0);
	assert_int_equal(ctm_manifest_image(ctm_openssl_crypto(), &r, image, sizeof image - 1), CTM_SDK_VERIFY);
	for (size_t i = 0; i < n * 8; i++) {
		msg[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(ctm_manifest_verify(ctm_openssl_crypto(), msg, n, pub, sizeof pub, &r), 0);
		msg[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

/* RFC 9124 4.3.2 and the format's own name: a signature over another kind of content is not a manifest. */
static void another_content_type_is_refused(void **state)
{
	uint8_t msg[1024];
	struct ctm_manifest m = sample(), r;
	size_t n = sign(&m, "application/json", msg, sizeof msg);

	assert_int_equal(ctm_manifest_verify(ctm_openssl_crypto(), msg, n, pub, sizeof pub, &r), CTM_SDK_UNSUPPORTED);
}

static void each_bad_value_is_refused(void **state)
{
	uint8_t out[CTM_MANIFEST_MAX];
	size_t n;
	struct ctm_manifest m;

#define BAD(change) m = sample(); change; assert_int_equal(ctm_manifest_encode(&m, out, sizeof out, &n), CTM_SDK_INPUT)
	BAD(m.version = str("one"));
	BAD(m.version = str(""));
	BAD(m.min_version = str("1.2.3.4.5"));
	BAD(m.component = str("two words"));
	BAD(m.size = 0);
	BAD(m.size = CTM_IMAGE_MAX + 1);
	BAD(m.counter = (uint64_t)INT64_MAX + 1);
	BAD(m.sbom.n = 31);
	BAD(m.support_end = str("2031-13-01"));
	BAD(m.advisory[0] = str("line\nbreak"));
	BAD(m.advisories = CTM_ADVISORIES_MAX + 1);
	BAD(m.rollback[1] = str("older"));
	BAD(m.rollbacks = CTM_ROLLBACK_MAX + 1);
#undef BAD
}

static void a_missing_or_unknown_key_is_refused(void **state)
{
	uint8_t out[CTM_MANIFEST_MAX], cut[CTM_MANIFEST_MAX];
	struct ctm_manifest m = sample(), r;
	size_t n = 0;

	m.sbom.n = m.support_end.n = m.advisories = m.rollbacks = 0;
	assert_int_equal(ctm_manifest_encode(&m, out, sizeof out, &n), 0);
	assert_int_equal(ctm_manifest_decode(out, n, &r), 0);
	/* Without its last pair (key 9): 09 65 "1.0.0" is 7 bytes. */
	memcpy(cut, out, n);
	cut[0] = 0xa8;
	assert_int_equal(ctm_manifest_decode(cut, n - 7, &r), CTM_SDK_INPUT);
	/* With key 14. */
	memcpy(cut, out, n);
	cut[0] = 0xaa;
	cut[n] = 14;
	cut[n + 1] = 0;
	assert_int_equal(ctm_manifest_decode(cut, n + 2, &r), CTM_SDK_UNSUPPORTED);
	/* A huge key must not be used as a shift. */
	cut[n] = 0x18;
	cut[n + 1] = 0xff;
	cut[n + 2] = 0;
	assert_int_equal(ctm_manifest_decode(cut, n + 3, &r), CTM_SDK_UNSUPPORTED);
}

static void rules_refuse_what_is_foreign_older_or_too_new(void **state)
{
	struct ctm_manifest m = sample();
	struct ctm_manifest_device d = { .component = "device", .version = "1.1.0", .counter = 10100 }, x;
	struct ctm_manifest other = sample(), allows = sample();
	const char *why = "";

	allows.rollback[1] = str("1.2.0");
	memcpy(d.vendor, m.vendor, 16);
	memcpy(d.class_id, m.class_id, 16);
	assert_int_equal(ctm_manifest_judge(&m, &d, &why), 0);
#define REFUSED(change, code, word) x = d; change; assert_int_equal(ctm_manifest_judge(&m, &x, &why), code); \
	assert_string_equal(why, word)
	REFUSED(x.vendor[0] ^= 1, CTM_SDK_OTHER, "vendor");
	REFUSED(x.class_id[15] ^= 1, CTM_SDK_OTHER, "class");
	REFUSED(x.component = "gateway", CTM_SDK_OTHER, "component");
	REFUSED(x.counter = 10201, CTM_SDK_OLDER, "counter");
	REFUSED(x.version = "1.2.1", CTM_SDK_OLDER, "version");
	REFUSED((x.version = "1.2.1", x.running = &other), CTM_SDK_OLDER, "version");
	REFUSED(x.version = "0.9.9", CTM_SDK_STATE, "min_version");
#undef REFUSED
	x = d;
	x.version = "1.2.0";
	x.counter = 10200;
	assert_int_equal(ctm_manifest_judge(&m, &x, NULL), 0);
	x.version = "";
	assert_int_equal(ctm_manifest_judge(&m, &x, NULL), 0);
	/* Back to a version that the running release names, never below the counter. */
	x = d;
	x.version = "1.3.0";
	x.running = &allows;
	assert_int_equal(ctm_manifest_judge(&m, &x, NULL), 0);
	x.counter = 10201;
	assert_int_equal(ctm_manifest_judge(&m, &x, NULL), CTM_SDK_OLDER);
}

/* For devices whose crypto has no Ed25519. A back end that lacks the algorithm refuses, it never skips. */
static int no_eddsa(int alg, const uint8_t *p, size_t n, const struct ctm_bytes *parts, size_t nparts, const uint8_t sig[CTM_SIG_BYTES])
{
	return alg == CTM_COSE_EDDSA ? CTM_SDK_UNSUPPORTED : ctm_openssl_crypto()->verify(alg, p, n, parts, nparts, sig);
}

static void es256_is_as_good_and_keys_are_not_mixed_up(void **state)
{
	struct ctm_crypto small = *ctm_openssl_crypto();
	EVP_PKEY *p256 = EVP_EC_gen("P-256"), *old = key;
	uint8_t point[CTM_PUB_MAX], msg[1024], payload[CTM_MANIFEST_MAX];
	struct ctm_manifest m = sample(), r;
	size_t n = 0, len = 0, pn = 0;

	small.can = CTM_CAN_ES256;
	small.verify = no_eddsa;
	assert_int_equal(EVP_PKEY_get_octet_string_param(p256, "pub", point, sizeof point, &pn), 1);
	assert_int_equal(pn, sizeof point);
	assert_int_equal(ctm_manifest_encode(&m, payload, sizeof payload, &n), 0);
	assert_int_equal(ctm_cose_sign1_sign(ctm_openssl_sign, p256, CTM_COSE_ES256, NULL, 0, CTM_MANIFEST_TYPE, payload, n, msg, sizeof msg, &len), 0);
	assert_int_equal(ctm_manifest_verify(&small, msg, len, point, sizeof point, &r), 0);
	assert_int_equal(ctm_manifest_verify(&small, msg, len, pub, sizeof pub, &r), CTM_SDK_VERIFY);
	point[40] ^= 1;
	assert_int_not_equal(ctm_manifest_verify(&small, msg, len, point, sizeof point, &r), 0);
	key = old;
	len = sign(&m, CTM_MANIFEST_TYPE, msg, sizeof msg);
	assert_int_equal(ctm_manifest_verify(&small, msg, len, pub, sizeof pub, &r), CTM_SDK_UNSUPPORTED);
	assert_int_equal(ctm_manifest_verify(&small, msg, len, point, sizeof point, &r), CTM_SDK_VERIFY);
	EVP_PKEY_free(p256);
}

static void versions_are_ordered_by_number_and_pre_release_comes_first(void **state)
{
	static const char *const ascending[] = { "0.0.0", "0.9.9", "1.0-alpha", "1.0-beta", "1.0", "1.0.1", "1.2", "1.10", "1.10.0.1", "2" };

	for (size_t i = 0; i < 10; i++)
		for (size_t j = 0; j < 10; j++)
			assert_int_equal(ctm_version_order(ascending[i], strlen(ascending[i]), ascending[j], strlen(ascending[j])),
					 i < j ? -1 : i > j);
	assert_int_equal(ctm_version_order("1", 1, "1.0.0", 5), 0);
	assert_false(ctm_version_ok("1..2", 4));
	assert_false(ctm_version_ok("1.", 2));
	assert_false(ctm_version_ok("1-", 2));
	assert_false(ctm_version_ok("1234567890", 10));
	assert_false(ctm_version_ok(" 1", 2));
}

/* RFC 9562 Appendix A.4 gives this one. */
static void uuid5_matches_the_rfc(void **state)
{
	uint8_t id[16];
	char text[37];

	ctm_vendor_id("www.example.com", id);
	ctm_uuid_text(id, text);
	assert_string_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

static void package_is_split_within_its_bounds(void **state)
{
	uint8_t p[] = { 0, 0, 0, 2, 'm', 'm', 'i' };
	struct ctm_bytes m, i;

	assert_int_equal(ctm_package_split(p, sizeof p, &m, &i), 0);
	assert_int_equal(m.n, 2);
	assert_int_equal(i.n, 1);
	for (size_t n = 0; n < 6; n++)
		assert_int_equal(ctm_package_split(p, n, &m, &i), CTM_SDK_TRUNCATED);
	assert_int_equal(ctm_package_split(p, 6, &m, &i), CTM_SDK_SYNTAX);
	p[0] = 0xff;
	assert_int_equal(ctm_package_split(p, sizeof p, &m, &i), CTM_SDK_TOOBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_what_is_read),
		cmocka_unit_test(another_content_type_is_refused),
		cmocka_unit_test(each_bad_value_is_refused),
		cmocka_unit_test(a_missing_or_unknown_key_is_refused),
		cmocka_unit_test(rules_refuse_what_is_foreign_older_or_too_new),
		cmocka_unit_test(es256_is_as_good_and_keys_are_not_mixed_up),
		cmocka_unit_test(versions_are_ordered_by_number_and_pre_release_comes_first),
		cmocka_unit_test(uuid5_matches_the_rfc),
		cmocka_unit_test(package_is_split_within_its_bounds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
