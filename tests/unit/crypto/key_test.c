/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes and signature keys: FIPS 180-4 and RFC 4231 values, Wycheproof verification vectors, files that are private.
 */
#include "../base/harness.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include <sys/stat.h>

#define SUITE_MAX (8 << 20)

static void hashes_match_published_values(void **state)
{
	char d[CTM_DIGEST_MAX], hex[65];
	uint8_t raw[32];
	ctm_digest_of("abc", 3, d);
	assert_string_equal(d, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ctm_digest_of(NULL, 0, d);
	assert_string_equal(d, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	struct ctm_sha256 *h = ctm_sha256_new();
	ctm_sha256_add(h, "a", 1);
	ctm_sha256_add(h, NULL, 0);
	ctm_sha256_add(h, "bc", 2);
	ctm_sha256_end(h, raw);
	ctm_hex(raw, 32, hex);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ctm_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, raw);       /* RFC 4231 case 2 */
	ctm_hex(raw, 32, hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void digests_have_one_spelling(void **state)
{
	char d[CTM_DIGEST_MAX], path[200];
	uint8_t raw[32];
	int64_t size = 0;
	ctm_digest_of("x", 1, d);
	assert_true(ctm_digest_ok(d));
	assert_int_equal(ctm_digest_parse(d, raw), 0);
	d[10] = 'A';
	assert_false(ctm_digest_ok(d));
	assert_int_equal(ctm_digest_parse(d, raw), CTM_E_SYNTAX);
	assert_false(ctm_digest_ok(NULL));
	assert_false(ctm_digest_ok("sha256:"));
	assert_false(ctm_digest_ok("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	snprintf(path, sizeof path, "%s/f", (char *)*state);
	assert_int_equal(ctm_file_write(path, "abc", 3, 0600, NULL), 0);
	assert_int_equal(ctm_digest_file(path, d, &size, NULL), 0);
	assert_true(size == 3 && ctm_starts(d, "sha256:ba7816bf"));
	snprintf(path, sizeof path, "%s/none", (char *)*state);
	assert_int_equal(ctm_digest_file(path, d, &size, NULL), CTM_E_NOTFOUND);
}

static int bytes_of(const ctm_json *o, const char *name, uint8_t *out, size_t cap)
{
	const char *s = ctm_json_gets(o, name);
	assert_non_null(s);
	assert_true(strlen(s) / 2 <= cap);
	assert_int_equal(ctm_unhex(s, strlen(s), out), 0);
	return (int)(strlen(s) / 2);
}

static void verify_vectors(const char *rel, enum ctm_alg alg, const char *key_object, const char *key_member, int want)
{
	char path[512];
	CTM_AUTO_JSON *all = NULL;
	uint8_t pub[200], sig[1 << 12];
	int seen = 0;
	assert_int_equal(ctm_json_load(suite_path(rel, path), SUITE_MAX, &all, NULL), 0);
	uint8_t *msg = malloc(1 << 16);
	const ctm_json *groups = ctm_json_get(all, "testGroups");
	for (size_t g = 0; g < ctm_json_len(groups); g++) {
		const ctm_json *group = ctm_json_at(groups, g), *tests = ctm_json_get(group, "tests");
		CTM_AUTO_KEY *k = NULL;
		int n = bytes_of(ctm_json_get(group, key_object), key_member, pub, sizeof pub);
		assert_int_equal(ctm_key_from_raw(alg, pub, (size_t)n, &k, NULL), 0);
		for (size_t t = 0; t < ctm_json_len(tests); t++) {
			const ctm_json *row = ctm_json_at(tests, t);
			size_t mlen = (size_t)bytes_of(row, "msg", msg, 1 << 16), slen = (size_t)bytes_of(row, "sig", sig, sizeof sig);
			bool good = ctm_key_verify(k, msg, mlen, sig, slen) == 0;
			if (good != ctm_streq(ctm_json_gets(row, "result"), "valid"))
				fail_msg("%s tcId %d: %s", rel, (int)ctm_json_geti(row, "tcId", 0), good ? "accepted" : "refused");
			seen++;
		}
	}
	free(msg);
	assert_int_equal(seen, want);
}

/* RFC 8032 */
static void ed25519_wycheproof(void **state) { verify_vectors("ed25519/ed25519_test.json", CTM_ALG_ED25519, "publicKey", "pk", 151); }

/* FIPS 186-5, raw r||s */
static void es256_wycheproof(void **state)
{
	verify_vectors("ecdsa/ecdsa_secp256r1_sha256_p1363_test.json", CTM_ALG_ES256, "publicKey", "uncompressed", 262);
}

static void keys_sign_store_and_come_back(void **state)
{
	static const enum ctm_alg algs[] = { CTM_ALG_ED25519, CTM_ALG_ES256 };
	for (size_t i = 0; i < 2; i++) {
		char path[200], id[17], id2[17];
		uint8_t sig[64], raw[65];
		struct stat st;
		CTM_AUTO_KEY *k = NULL, *again = NULL, *pub = NULL, *from_raw = NULL;
		assert_int_equal(ctm_key_generate(algs[i], &k, NULL), 0);
		assert_int_equal(ctm_key_alg(k), algs[i]);
		assert_int_equal(ctm_key_sign(k, "message", 7, sig), 0);
		assert_int_equal(ctm_key_verify(k, "message", 7, sig, 64), 0);
		assert_int_equal(ctm_key_verify(k, "messagf", 7, sig, 64), CTM_E_VERIFY);
		assert_int_equal(ctm_key_verify(k, "message", 7, sig, 63), CTM_E_VERIFY);
		snprintf(path, sizeof path, "%s/key%zu.pem", (char *)*state, i);
		assert_int_equal(ctm_key_store(k, path, NULL), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(ctm_key_load(path, &again, NULL), 0);
		ctm_key_id(k, id);
		ctm_key_id(again, id2);
		assert_string_equal(id, id2);
		CTM_AUTO_BUF pem = CTM_BUF(4096);
		assert_int_equal(ctm_key_pem_public(k, &pem), 0);
		assert_int_equal(ctm_key_from_pem(pem.p, pem.len, &pub, NULL), 0);
		assert_false(ctm_key_is_private(pub));
		assert_int_equal(ctm_key_verify(pub, "message", 7, sig, 64), 0);
		assert_int_equal(ctm_key_sign(pub, "message", 7, sig), CTM_E_STATE);
		assert_int_equal(ctm_key_store(pub, path, NULL), CTM_E_STATE);
		size_t n = ctm_key_raw(k, raw);
		assert_int_equal(n, i == 0 ? 32 : 65);
		assert_int_equal(ctm_key_from_raw(algs[i], raw, n, &from_raw, NULL), 0);
		assert_int_equal(ctm_key_verify(from_raw, "message", 7, sig, 64), 0);
		chmod(path, 0644);
		CTM_AUTO_KEY *open_to_all = NULL;
		assert_int_equal(ctm_key_load(path, &open_to_all, NULL), CTM_E_GUARD);
		snprintf(path, sizeof path, "%s/pub%zu.pem", (char *)*state, i);
		assert_int_equal(ctm_file_write(path, pem.p, pem.len, 0600, NULL), 0);
		assert_int_equal(ctm_key_load(path, &open_to_all, NULL), CTM_E_SYNTAX);
	}
}

static void other_keys_are_refused(void **state)
{
	static const char p384[] = "-----BEGIN PUBLIC KEY-----\n"
		"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE4rZjyEL1E/Sb6RPEUqEwNvTxHAW5rU/p\n"
		"4rpAF/ENIsR/KENZ4yqq5KpGuwYGD8YsLRccXEcNzHg5/28/moYiJTHIkCRB+Abu\n"
		"RJThu13h19Qd7HHzym84gSRJIOzMxv6C\n"
		"-----END PUBLIC KEY-----\n";
	uint8_t off_curve[65] = { 4, 1 }, compressed[65] = { 2 };
	struct ctm_key *k = NULL;
	char path[200];
	assert_int_equal(ctm_key_from_pem(p384, sizeof p384 - 1, &k, NULL), CTM_E_UNSUPPORTED);
	assert_int_equal(ctm_key_from_pem("nonsense", 8, &k, NULL), CTM_E_SYNTAX);
	assert_int_equal(ctm_key_from_pem("", 0, &k, NULL), CTM_E_SYNTAX);
	assert_int_equal(ctm_key_from_raw(CTM_ALG_ES256, off_curve, 65, &k, NULL), CTM_E_SYNTAX);
	assert_int_equal(ctm_key_from_raw(CTM_ALG_ES256, compressed, 65, &k, NULL), CTM_E_SYNTAX);
	assert_int_equal(ctm_key_from_raw(CTM_ALG_ES256, off_curve, 33, &k, NULL), CTM_E_SYNTAX);
	assert_int_equal(ctm_key_from_raw(CTM_ALG_ED25519, off_curve, 31, &k, NULL), CTM_E_SYNTAX);
	snprintf(path, sizeof path, "%s/none.pem", (char *)*state);
	assert_int_equal(ctm_key_load(path, &k, NULL), CTM_E_NOTFOUND);
	assert_null(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_match_published_values), cmocka_unit_test(digests_have_one_spelling), cmocka_unit_test(ed25519_wycheproof),
		cmocka_unit_test(es256_wycheproof), cmocka_unit_test(keys_sign_store_and_come_back), cmocka_unit_test(other_keys_are_refused),
	};
	return cmocka_run_group_tests(tests, scratch_new, scratch_gone);
}
