/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealing of every back end that declares it: the published AES-256-GCM case 16 of the GCM specification, and that a changed
 * byte of key, nonce, associated data, text or tag opens nothing.
 */
#include "suites.h"
#include "ctm/openssl.h"

static size_t hex(const char *s, uint8_t *out)
{
	size_t n = strlen(s) / 2;

	for (size_t i = 0; i < n; i++) {
		unsigned v;
		assert_int_equal(sscanf(s + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
	return n;
}

static void known_answer(void **state)
{
	const struct ctm_crypto *c = ctm_openssl_crypto();
	uint8_t key[32], nonce[12], ad[20], text[60], want[76], got[76], back[76];

	hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", key);
	hex("cafebabefacedbaddecaf888", nonce);
	hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", ad);
	assert_int_equal(hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
			     "ba637b39", text), 60);
	hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	    "76fc6ece0f4e1768cddf8853bb2d551b", want);
	assert_true(c->can & CTM_CAN_AEAD);
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
	/* Nothing but a tag, in place. */
	assert_int_equal(c->seal(key, nonce, (struct ctm_bytes){ NULL, 0 }, NULL, 0, got), 0);
	assert_int_equal(c->open(key, nonce, (struct ctm_bytes){ NULL, 0 }, got, 16, got), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(known_answer) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
