/* SPDX-License-Identifier: Apache-2.0
 *
 * The passphrase seal (Argon2id, RFC 9106): what was sealed comes back, under the same passphrase only, and any change of it shows. Each
 * opening costs what it costs a thief, so positions are picked, one in each part of the head and one in the ciphertext.
 */
#include "crypto/seal.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct ctm_buf pass_of(const char *s)
{
	struct ctm_buf b = CTM_BUF(CTM_SEAL_PASS_MAX);
	ctm_buf_str(&b, s);
	return b;
}

static void what_is_sealed_comes_back_under_its_passphrase_only(void **state)
{
	static const char text[] = "a private matter";
	static const size_t at[] = { 0, 12, 30, 50, 80 };       /* magic, costs, salt, nonce, ciphertext */
	struct ctm_buf pass = pass_of("four words of a passphrase"), other = pass_of("four words of a passphrasf");
	CTM_AUTO_BUF sealed = CTM_BUF(4096), out = CTM_BUF(4096);
	struct ctm_err err = { 0 };
	(void)state;
	assert_int_equal(ctm_seal(&pass, text, sizeof text, &sealed, &err), 0);
	assert_null(memmem(sealed.p, sealed.len, "private", 7));
	assert_int_equal(ctm_unseal(&pass, sealed.p, sealed.len, &out, &err), 0);
	assert_int_equal(out.len, sizeof text);
	assert_memory_equal(out.p, text, sizeof text);
	ctm_buf_reset(&out);
	assert_int_equal(ctm_unseal(&other, sealed.p, sealed.len, &out, NULL), CTM_E_VERIFY);
	for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
		sealed.p[at[i]] ^= 1;
		assert_int_not_equal(ctm_unseal(&pass, sealed.p, sealed.len, &out, NULL), 0);
		sealed.p[at[i]] ^= 1;
	}
	assert_int_equal(ctm_unseal(&pass, sealed.p, 40, &out, NULL), CTM_E_SYNTAX);
	assert_int_equal(ctm_unseal(&pass, "", 0, &out, NULL), CTM_E_SYNTAX);
	assert_int_equal(out.len, 0);
	ctm_seal_wipe(&pass);
	ctm_seal_wipe(&other);
}

static void a_file_cannot_ask_for_endless_work(void **state)
{
	struct ctm_buf pass = pass_of("four words of a passphrase");
	CTM_AUTO_BUF out = CTM_BUF(4096);
	uint8_t b[200] = "ctm-seal/1\n";
	(void)state;
	memset(b + 11, 0xff, 16);
	assert_int_equal(ctm_unseal(&pass, b, sizeof b, &out, NULL), CTM_E_SYNTAX);
	ctm_seal_wipe(&pass);
}

static int file(const char *path, const char *text, mode_t mode, struct ctm_buf *pass)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && !fchmod(fd, mode) && !close(fd));
	*pass = CTM_BUF(CTM_SEAL_PASS_MAX + 2);
	return ctm_seal_passphrase(path, pass, NULL);
}

static void a_passphrase_file_is_the_owners_and_long_enough(void **state)
{
	char path[64];
	struct ctm_buf pass;
	(void)state;
	snprintf(path, sizeof path, "/tmp/ctm-seal-%ld", (long)getpid());
	assert_int_equal(file(path, "four words of a passphrase\nand a remark\n", 0600, &pass), 0);
	assert_int_equal(pass.len, strlen("four words of a passphrase"));
	ctm_seal_wipe(&pass);
	assert_int_equal(file(path, "four words of a passphrase\n", 0640, &pass), CTM_E_GUARD);
	ctm_seal_wipe(&pass);
	assert_int_equal(file(path, "short\n", 0600, &pass), CTM_E_INPUT);
	ctm_seal_wipe(&pass);
	unlink(path);
	pass = CTM_BUF(CTM_SEAL_PASS_MAX + 2);
	assert_int_equal(ctm_seal_passphrase(path, &pass, NULL), CTM_E_NOTFOUND);
	ctm_seal_wipe(&pass);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sealed_comes_back_under_its_passphrase_only),
		cmocka_unit_test(a_file_cannot_ask_for_endless_work),
		cmocka_unit_test(a_passphrase_file_is_the_owners_and_long_enough),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
