/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets at rest: the key file is made once and for its owner alone, a sealed text opens for its purpose only; passwords and codes as they are
 * kept (NIST IR 8425 DP; RFC 9106 by libsodium).
 */
#include "base/file.h"
#include "base/text.h"
#include "crypto/pwhash.h"
#include "crypto/seal.h"
#include "crypto/vault.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char dir[64], path[96];

static int setup(void **state)
{
	ctm_copy(dir, sizeof dir, "/tmp/ctm-vault-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/people.key", dir);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	return rmdir(dir);                 /* nothing was left beside it */
}

static void made_once_for_its_owner(void **state)
{
	struct ctm_vault a, b;
	struct stat st;
	assert_int_equal(ctm_vault_open(path, &a, NULL), 0);
	assert_int_equal(ctm_vault_open(path, &b, NULL), 0);
	assert_memory_equal(a.key, b.key, 32);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(ctm_vault_open(path, &b, NULL), CTM_E_GUARD);
	assert_int_equal(ctm_file_write(path, "short", 5, 0600, NULL), 0);
	assert_int_equal(ctm_vault_open(path, &b, NULL), CTM_E_SYNTAX);
}

static void opens_for_its_purpose_only(void **state)
{
	struct ctm_vault a, b;
	unlink(path);
	assert_int_equal(ctm_vault_open(path, &a, NULL), 0);
	b = a;
	b.key[31] ^= 1;
	CTM_AUTO_BUF one = CTM_BUF(256), two = CTM_BUF(256);
	assert_int_equal(ctm_vault_seal(&a, "totp:x", "secret bytes", 12, &one, NULL), 0);
	assert_int_equal(ctm_vault_seal(&a, "totp:x", "secret bytes", 12, &two, NULL), 0);
	assert_string_not_equal(ctm_buf_cstr(&one), ctm_buf_cstr(&two));
	struct ctm_buf out = CTM_BUF(64), none = CTM_BUF(64);
	assert_int_equal(ctm_vault_unseal(&a, "totp:x", ctm_buf_cstr(&one), &out, NULL), 0);
	assert_int_equal(out.len, 12);
	assert_memory_equal(out.p, "secret bytes", 12);
	assert_int_equal(ctm_vault_unseal(&a, "totp:y", ctm_buf_cstr(&one), &none, NULL), CTM_E_VERIFY);
	assert_int_equal(ctm_vault_unseal(&b, "totp:x", ctm_buf_cstr(&one), &none, NULL), CTM_E_VERIFY);
	for (size_t i = 0; i < one.len; i++) {                     /* every byte counts */
		char was = one.p[i];
		one.p[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(ctm_vault_unseal(&a, "totp:x", ctm_buf_cstr(&one), &none, NULL), CTM_E_VERIFY);
		one.p[i] = was;
	}
	assert_int_equal(ctm_vault_unseal(&a, "totp:x", "", &none, NULL), CTM_E_VERIFY);
	assert_int_equal(ctm_vault_unseal(&a, "totp:x", "v1.AAAA", &none, NULL), CTM_E_VERIFY);
	assert_int_equal(none.len, 0);
	ctm_seal_wipe(&out);
}

static void passwords_are_hashed_with_a_salt_of_their_own(void **state)
{
	char a[CTM_PWHASH_MAX], b[CTM_PWHASH_MAX];
	assert_int_equal(ctm_pwhash("cobalt heron", 12, a, NULL), 0);
	assert_int_equal(ctm_pwhash("cobalt heron", 12, b, NULL), 0);
	assert_string_not_equal(a, b);
	assert_true(ctm_starts(a, "$argon2id$v=19$m=65536,t=2,p=1$"));
	assert_true(ctm_pwhash_is(a, "cobalt heron", 12));
	assert_false(ctm_pwhash_is(a, "cobalt heroN", 12));
	assert_false(ctm_pwhash_is(a, "cobalt hero", 11));
	assert_false(ctm_pwhash_is("", "cobalt heron", 12));
	assert_false(ctm_pwhash_is("$argon2id$nonsense", "cobalt heron", 12));
	assert_true(ctm_starts(ctm_pwhash_nobody(), "$argon2id$"));
	assert_false(ctm_pwhash_is(ctm_pwhash_nobody(), "", 0));
}

static void one_salt_finds_a_code_among_its_set(void **state)
{
	char salt[CTM_CODE_SALT_MAX], other[CTM_CODE_SALT_MAX], a[CTM_CODE_HASH_MAX], b[CTM_CODE_HASH_MAX];
	ctm_code_salt(salt);
	ctm_code_salt(other);
	assert_int_equal(ctm_code_hash(salt, "abcd1234efgh", 12, a, NULL), 0);
	assert_int_equal(ctm_code_hash(salt, "abcd1234efgh", 12, b, NULL), 0);
	assert_string_equal(a, b);
	assert_int_equal(ctm_code_hash(other, "abcd1234efgh", 12, b, NULL), 0);
	assert_string_not_equal(a, b);
	assert_int_equal(ctm_code_hash("nothex", "abcd1234efgh", 12, b, NULL), CTM_E_SYNTAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_once_for_its_owner), cmocka_unit_test(opens_for_its_purpose_only),
		cmocka_unit_test(passwords_are_hashed_with_a_salt_of_their_own), cmocka_unit_test(one_salt_finds_a_code_among_its_set),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
