/* SPDX-License-Identifier: Apache-2.0
 *
 * Every crypto back end against outside vectors, for what it declares: Wycheproof's Ed25519 and ECDSA P-256 (IEEE P1363), the
 * AES-256-GCM case 16 of the GCM specification, PBKDF2; and against each other. What a back end does not declare it
 * must refuse as UNSUPPORTED.
 */
#include "backends.h"
#include "ctm/cose.h"

/* Wycheproof: all cases of one file. Signatures of another length than 64 bytes cannot cross the seam; they must be bad ones. */
static void wycheproof(const char *file, int alg, const char *point)
{
	json_t *j = suite_json(file), *groups = json_object_get(j, "testGroups"), *g, *t;
	size_t i, k, ran = 0;

	json_array_foreach(groups, i, g) {
		uint8_t pub[CTM_PUB_MAX], msg[4096], sig[256];
		size_t publen = unhex(json_string_value(json_object_get(json_object_get(g, "publicKey"), point)), pub, sizeof pub);

		json_array_foreach(json_object_get(g, "tests"), k, t) {
			int valid = strcmp(json_string_value(json_object_get(t, "result")), "valid") == 0;
			size_t n = unhex(json_string_value(json_object_get(t, "msg")), msg, sizeof msg);
			size_t s = unhex(json_string_value(json_object_get(t, "sig")), sig, sizeof sig);
			struct ctm_bytes parts[2] = { { msg, n / 2 }, { msg + n / 2, n - n / 2 } };

			if (s != CTM_SIG_BYTES) {
				assert_false(valid);
				continue;
			}
			for (size_t b = 0; b < BACKENDS; b++) {
				const struct ctm_crypto *c = backends[b].table();
				int rc = c->verify(alg, pub, publen, parts, 2, sig);
				unsigned bit = alg == CTM_COSE_EDDSA ? CTM_CAN_EDDSA : CTM_CAN_ES256;

				if (!(c->can & bit) ? rc != CTM_SDK_UNSUPPORTED : valid ? rc != 0 : rc != CTM_SDK_VERIFY && rc != CTM_SDK_INPUT)
					fail_msg("%s, %s case %d: %s", backends[b].name, file, (int)json_number_value(json_object_get(t, "tcId")), ctm_sdk_name(rc));
			}
			ran++;
		}
	}
	assert_true(ran > 100);
	json_decref(j);
}

static void wycheproof_ed25519(void **state)
{
	wycheproof("ed25519/ed25519_test.json", CTM_COSE_EDDSA, "pk");
}

static void wycheproof_ecdsa_p256(void **state)
{
	wycheproof("ecdsa/ecdsa_secp256r1_sha256_p1363_test.json", CTM_COSE_ES256, "uncompressed");
}

static void aes_256_gcm(const struct ctm_crypto *c)
{
	uint8_t key[32], nonce[12], ad[20], text[60], want[76], got[76], back[76];

	unhex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key, 32);
	unhex("cafebabefacedbaddecaf888", nonce, 12);
	unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2", ad, 20);
	unhex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
	      "ba637b39", text, 60);
	unhex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	      "76fc6ece0f4e1768cddf8853bb2d551b", want, 76);
	assert_int_equal(c->seal(key, nonce, (struct ctm_bytes){ ad, 20 }, text, 60, got), 0);
	assert_memory_equal(got, want, sizeof want);
	assert_int_equal(c->open(key, nonce, (struct ctm_bytes){ ad, 20 }, got, 76, back), 0);
	assert_memory_equal(back, text, 60);
	for (size_t i = 0; i < 76; i++) {
		got[i] ^= 1;
		assert_int_equal(c->open(key, nonce, (struct ctm_bytes){ ad, 20 }, got, 76, back), CTM_SDK_VERIFY);
		assert_memory_not_equal(back, text, 60);
		got[i] ^= 1;
	}
	assert_int_equal(c->open(key, nonce, (struct ctm_bytes){ ad, 19 }, got, 76, back), CTM_SDK_VERIFY);
	nonce[11] ^= 1;
	assert_int_equal(c->open(key, nonce, (struct ctm_bytes){ ad, 20 }, got, 76, back), CTM_SDK_VERIFY);
	assert_int_equal(c->open(key, nonce, (struct ctm_bytes){ ad, 20 }, got, 15, back), CTM_SDK_VERIFY);
	/* Nothing but a tag, and both ways in place. */
	assert_int_equal(c->seal(key, nonce, (struct ctm_bytes){ NULL, 0 }, NULL, 0, got), 0);
	assert_int_equal(c->open(key, nonce, (struct ctm_bytes){ NULL, 0 }, got, 16, got), 0);
	memcpy(got, text, 60);
	assert_int_equal(c->seal(key, nonce, (struct ctm_bytes){ ad, 20 }, got, 60, got), 0);
	assert_int_equal(c->open(key, nonce, (struct ctm_bytes){ ad, 20 }, got, 76, got), 0);
	assert_memory_equal(got, text, 60);
}

static void sealing(void **state)
{
	for (size_t b = 0; b < BACKENDS; b++) {
		assert_true(backends[b].table()->can & CTM_CAN_AEAD);
		aes_256_gcm(backends[b].table());
	}
}

static void hashing_in_pieces(void **state)
{
	uint8_t want[32], got[32], million[1000];
	struct ctm_hash h;

	memset(million, 'a', sizeof million);
	unhex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", want, 32);    /* FIPS 180-4: a million 'a' */
	for (size_t b = 0; b < BACKENDS; b++) {
		const struct ctm_crypto *c = backends[b].table();

		assert_int_equal(c->sha256_init(&h), 0);
		for (size_t i = 0, n; i < 1000000; i += n) {
			n = 1 + i % 997;
			n = n < 1000000 - i ? n : 1000000 - i;
			assert_int_equal(c->sha256_update(&h, million, n), 0);
		}
		assert_int_equal(c->sha256_final(&h, got), 0);
		assert_memory_equal(got, want, 32);
	}
}

static void what_one_signs_all_verify(void **state)
{
	for (size_t a = 0; a < BACKENDS; a++) {
		uint8_t pub[CTM_PUB_MAX], msg[300];
		size_t n = 0;
		struct ctm_cose1 o;
		void *k = backends[a].new_key(pub);

		assert_int_equal(ctm_cose_sign1_sign(backends[a].sign, k, CTM_COSE_ES256, NULL, 0, NULL, (const uint8_t *)"abc", 3, msg, sizeof msg, &n), 0);
		for (size_t b = 0; b < BACKENDS; b++) {
			const struct ctm_crypto *c = backends[b].table();

			assert_int_equal(ctm_cose_sign1_verify(c, msg, n, &o, pub, sizeof pub), 0);
			for (size_t i = 0; i < n; i++) {
				msg[i] ^= 1;
				assert_int_not_equal(ctm_cose_sign1_verify(c, msg, n, &o, pub, sizeof pub), 0);
				msg[i] ^= 1;
			}
			pub[40] ^= 1;           /* not a point of the curve */
			assert_int_equal(ctm_cose_sign1_verify(c, msg, n, &o, pub, sizeof pub), CTM_SDK_INPUT);
			pub[40] ^= 1;
			assert_int_equal(c->verify(-35, pub, 65, NULL, 0, msg), CTM_SDK_UNSUPPORTED);
		}
		backends[a].free_key(k);
	}
}

static void random_numbers_differ(void **state)
{
	for (size_t b = 0; b < BACKENDS; b++) {
		static uint8_t x[3000], y[3000];

		assert_int_equal(backends[b].table()->random(x, sizeof x), 0);
		assert_int_equal(backends[b].table()->random(y, sizeof y), 0);
		for (size_t i = 0; i + 16 <= sizeof x; i += 16)
			assert_memory_not_equal(x + i, y + i, 16);
	}
}

#ifdef CTM_HAVE_MBEDTLS
static int no_noise(void *ctx, uint8_t *out, size_t n)
{
	return -1;
}

static void mbedtls_refuses_without_noise(void **state)
{
	struct ctm_mbedtls m;
	struct ctm_p256 k, zero = { { 0 }, { 0 } };
	uint8_t b[16], sig[CTM_SIG_BYTES];

	assert_int_equal(ctm_mbedtls_begin(&m, no_noise, NULL), CTM_SDK_FAIL);
	assert_int_equal(ctm_mbedtls_crypto()->random(b, sizeof b), CTM_SDK_FAIL);
	assert_int_equal(ctm_mbedtls_keygen(&k), CTM_SDK_FAIL);
	assert_int_equal(ctm_mbedtls_begin(&m, test_noise, NULL), 0);
	assert_int_equal(ctm_mbedtls_sign(&zero, b, sizeof b, sig), CTM_SDK_INPUT);
	assert_int_equal(ctm_mbedtls_begin(&m, no_noise, NULL), CTM_SDK_FAIL);
}

/* The other back end computes the same. */
static void mbedtls_password_hash(void **state)
{
	uint8_t got[32], want[32], salt[CTM_SALT_BYTES] = "saltsaltsaltsal";

	assert_int_equal(PKCS5_PBKDF2_HMAC("password", 8, salt, sizeof salt, 4096, EVP_sha256(), 32, want), 1);
	assert_int_equal(ctm_mbedtls_kdf("password", 8, salt, 4096, got), 0);
	assert_memory_equal(got, want, 32);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wycheproof_ed25519),
		cmocka_unit_test(wycheproof_ecdsa_p256),
		cmocka_unit_test(sealing),
		cmocka_unit_test(hashing_in_pieces),
		cmocka_unit_test(what_one_signs_all_verify),
		cmocka_unit_test(random_numbers_differ),
#ifdef CTM_HAVE_MBEDTLS
		cmocka_unit_test(mbedtls_password_hash),
		cmocka_unit_test(mbedtls_refuses_without_noise),
#endif
	};

	say_backends();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
