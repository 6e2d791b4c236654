/* SPDX-License-Identifier: Apache-2.0
 *
 * COSE_Sign1 (RFC 9052 4.2) against outside vectors and against changes of every byte. Of the glueCOSE cases our profile
 * takes the plain ES256 one; those with external data, other algorithms or a text kid are outside and must be refused. The
 * SCITT statements order their protected headers otherwise than RFC 8949 4.2.1, so all are refused as not deterministic.
 */
#include "backends.h"
#include "ctm/cbor.h"
#include "ctm/cose.h"

static const struct ctm_crypto *crypto;

static size_t public_of(EVP_PKEY *k, uint8_t pub[CTM_PUB_MAX])
{
	size_t n = CTM_PUB_MAX;

	if (EVP_PKEY_is_a(k, "EC"))
		assert_int_equal(EVP_PKEY_get_octet_string_param(k, "pub", pub, CTM_PUB_MAX, &n), 1);
	else
		assert_int_equal(EVP_PKEY_get_raw_public_key(k, pub, &n), 1);
	return n;
}

static EVP_PKEY *new_key(int alg)
{
	return alg == CTM_COSE_ES256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static void sign_verify(int alg)
{
	EVP_PKEY *k = new_key(alg);
	uint8_t pub[CTM_PUB_MAX], msg[512], payload[] = "what is signed";
	size_t publen = public_of(k, pub), n = 0;
	struct ctm_cose1 o;

	assert_int_equal(ctm_cose_sign1_sign(ctm_openssl_sign, k, alg, (const uint8_t *)"kid1", 4, "application/json", payload,
					     sizeof payload, msg, sizeof msg, &n), 0);
	assert_true(n <= sizeof payload + CTM_COSE_OVERHEAD);
	assert_int_equal(ctm_cose_sign1_verify(crypto, msg, n, &o, pub, publen), 0);
	assert_int_equal(o.alg, alg);
	assert_int_equal(o.kidlen, 4);
	assert_memory_equal(o.kid, "kid1", 4);
	assert_int_equal(o.content_typelen, 16);
	assert_memory_equal(o.content_type, "application/json", 16);
	assert_int_equal(o.payloadlen, sizeof payload);
	assert_memory_equal(o.payload, payload, sizeof payload);
	/* Any changed bit anywhere fails. */
	for (size_t i = 0; i < n * 8; i++) {
		msg[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(ctm_cose_sign1_verify(crypto, msg, n, &o, pub, publen), 0);
		msg[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(ctm_cose_sign1_verify(crypto, msg, i, &o, pub, publen), 0);
	EVP_PKEY_free(k);
}

static void eddsa_round_trip_and_no_changed_bit_passes(void **state)
{
	sign_verify(CTM_COSE_EDDSA);
}

static void es256_round_trip_and_no_changed_bit_passes(void **state)
{
	sign_verify(CTM_COSE_ES256);
}

static void another_key_or_kind_of_key_is_refused(void **state)
{
	EVP_PKEY *a = new_key(CTM_COSE_EDDSA), *b = new_key(CTM_COSE_EDDSA), *e = new_key(CTM_COSE_ES256);
	uint8_t pub[CTM_PUB_MAX], msg[512];
	size_t n = 0, publen;
	struct ctm_cose1 o;

	assert_int_equal(ctm_cose_sign1_sign(ctm_openssl_sign, a, CTM_COSE_EDDSA, NULL, 0, NULL, (const uint8_t *)"x", 1, msg,
					     sizeof msg, &n), 0);
	publen = public_of(b, pub);
	assert_int_equal(ctm_cose_sign1_verify(crypto, msg, n, &o, pub, publen), CTM_SDK_VERIFY);
	publen = public_of(e, pub);
	assert_int_equal(ctm_cose_sign1_verify(crypto, msg, n, &o, pub, publen), CTM_SDK_VERIFY);
	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
	EVP_PKEY_free(e);
}

static size_t b64url(const char *s, uint8_t *out)
{
	static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t v = 0;
	int bits = 0;
	size_t n = 0;

	for (; *s; s++) {
		v = v << 6 | (uint32_t)(strchr(abc, *s) - abc);
		if ((bits += 6) >= 8)
			out[n++] = (uint8_t)(v >> (bits -= 8));
	}
	return n;
}

/* One glueCOSE file: the message verifies or is refused with `code`. */
static void gluecose(const char *file, int code)
{
	char rel[64];
	json_t *j, *key, *c;
	const char *hex;
	uint8_t pub[CTM_PUB_MAX] = { 4 }, msg[1024];
	struct ctm_cose1 o;
	int rc;

	snprintf(rel, sizeof rel, "cose/gluecose/%s.json", file);
	j = suite_json(rel);
	key = json_object_get(j, "key");
	if (json_object_get(key, "x") && strcmp(json_string_value(json_object_get(key, "crv")), "P-256") == 0) {
		assert_int_equal(b64url(json_string_value(json_object_get(key, "x")), pub + 1), 32);
		assert_int_equal(b64url(json_string_value(json_object_get(key, "y")), pub + 33), 32);
	}
	c = json_object_get(j, "sign1::verify");
	hex = c ? json_string_value(json_object_get(json_object_get(c, "taggedCOSESign1"), "cborHex"))
		: json_string_value(json_object_get(json_object_get(json_object_get(j, "sign1::sign"), "expectedOutput"), "cborHex"));
	for (size_t b = 0; b < BACKENDS; b++) {
		rc = ctm_cose_sign1_verify(backends[b].table(), msg, unhex(hex, msg, sizeof msg), &o, pub, 65);
		if (rc != code)
			fail_msg("%s on %s: %s, expected %s", file, backends[b].name, ctm_sdk_name(rc), ctm_sdk_name(code));
		if (!rc)
			assert_int_equal(o.content_format, 0);
	}
	json_decref(j);
}

static void gluecose_vectors(void **state)
{
	char name[32];

	gluecose("sign1-sign-0001", 0);
	gluecose("sign1-verify-0001", 0);
	gluecose("sign1-sign-0000", CTM_SDK_VERIFY);      /* external data is outside the profile: the signature cannot fit */
	gluecose("sign1-verify-0000", CTM_SDK_VERIFY);
	for (int i = 2; i <= 6; i++) {                    /* ES384, ES512, PS256, PS384, PS512 */
		snprintf(name, sizeof name, "sign1-sign-%04d", i);
		gluecose(name, CTM_SDK_UNSUPPORTED);
		snprintf(name, sizeof name, "sign1-verify-%04d", i);
		gluecose(name, CTM_SDK_UNSUPPORTED);
	}
}

static void scitt_statements_are_outside_and_refused(void **state)
{
	static const char *const cases[] = { "valid-eddsa", "valid-es256", "valid-ccf-vds2", "fail-bad-statement-sig",
					     "fail-tampered-path", "fail-unsupported-vds" };
	uint8_t msg[8192];
	struct ctm_cose1 o;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char rel[96], path[512];
		FILE *f;
		size_t n;

		snprintf(rel, sizeof rel, "cose/scitt-v1/v1/%s/statement.cose", cases[i]);
		f = fopen(suite_path(rel, path, sizeof path), "rb");
		if (!f) {
			print_message("skipped: outside vectors are not at %s\n", path);
			skip();
		}
		n = fread(msg, 1, sizeof msg, f);
		fclose(f);
		assert_int_equal(ctm_cose_sign1_peek(msg, n, &o), CTM_SDK_SYNTAX);
	}
}

/* Messages that are well-formed CBOR and still not ours. */
static void other_shapes_are_refused(void **state)
{
	static const struct { const char *what, *hex; int code; } rows[] = {
		{ "cut off", "8443a10127a04178", CTM_SDK_TRUNCATED },
		{ "no tag", "8443a10127a0417840", CTM_SDK_UNSUPPORTED },
		{ "another tag", "d18443a10127a0417840", CTM_SDK_UNSUPPORTED },
		{ "three elements", "d28343a10127a04178", CTM_SDK_SYNTAX },
		{ "detached payload", "d28443a10127a0f640", CTM_SDK_UNSUPPORTED },
		{ "no alg", "d28441a0a0417840", CTM_SDK_UNSUPPORTED },
		{ "empty protected header", "d28440a0417840", CTM_SDK_UNSUPPORTED },
		{ "alg unprotected", "d28440a10127417840", CTM_SDK_UNSUPPORTED },
		{ "crit", "d28446a20127028103a0417840", CTM_SDK_UNSUPPORTED },
		{ "kid in both", "d28446a20127044131a1044131417840", CTM_SDK_SYNTAX },
		{ "short signature", "d28443a10127a0417840", CTM_SDK_SYNTAX },
	};
	uint8_t b[128];
	struct ctm_cose1 o;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int rc = ctm_cose_sign1_peek(b, unhex(rows[i].hex, b, sizeof b), &o);

		if (rc != rows[i].code)
			fail_msg("%s: %s, expected %s", rows[i].what, ctm_sdk_name(rc), ctm_sdk_name(rows[i].code));
	}
}

static void small_buffer_and_foreign_algorithm_are_told(void **state)
{
	EVP_PKEY *k = new_key(CTM_COSE_EDDSA);
	uint8_t msg[100], payload[60] = { 0 };
	size_t n = 7;

	assert_int_equal(ctm_cose_sign1_sign(ctm_openssl_sign, k, CTM_COSE_EDDSA, NULL, 0, NULL, payload, sizeof payload, msg,
					     sizeof msg, &n), CTM_SDK_TOOBIG);
	assert_int_equal(ctm_cose_sign1_sign(ctm_openssl_sign, k, -35, NULL, 0, NULL, payload, 1, msg, sizeof msg, &n),
			 CTM_SDK_UNSUPPORTED);
	assert_int_equal(n, 7);
	EVP_PKEY_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eddsa_round_trip_and_no_changed_bit_passes),
		cmocka_unit_test(es256_round_trip_and_no_changed_bit_passes),
		cmocka_unit_test(another_key_or_kind_of_key_is_refused),
		cmocka_unit_test(gluecose_vectors),
		cmocka_unit_test(scitt_statements_are_outside_and_refused),
		cmocka_unit_test(other_shapes_are_refused),
		cmocka_unit_test(small_buffer_and_foreign_algorithm_are_told),
	};

	crypto = ctm_openssl_crypto();
	say_backends();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
