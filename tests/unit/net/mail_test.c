/* SPDX-License-Identifier: Apache-2.0
 *
 * Mails as text: no header can be added, lines and encodings fit (RFC 5322, RFC 2045, RFC 2047); what ctm.json may say about the mail server.
 */
#include "net/mail.h"
#include "net/smtp.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static int write_(const char *from, const char *to, const char *subject, const char *text, struct ctm_buf *out)
{
	struct ctm_mail m = { .from = from, .to = to, .subject = subject, .text = text, .id = "1a2b", .now_ms = 1795734181000 };
	return ctm_mail_write(&m, out, NULL);
}

static void no_header_can_be_added(void **state)
{
	static const char *const addresses[] = { "", "a", "@b.example", "a@", "a@b.example\r\nBcc: x@y.example", "a@b.example\nX: y", "a b@c.example", "<a@b.example>", "a@b@c.example",
		"a@b.example,c@d.example", "\"a\"@b.example", "a@b..example", ".a@b.example", "a@-b.example", "a@b.example>", "-oQ/tmp@b.example", "señor@b.example", "a\\@b.example" };
	static const char *const subjects[] = { "", "a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\tb", "a\x01" };
	CTM_AUTO_BUF out = CTM_BUF(4096);
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		if (ctm_mail_address_ok(addresses[i]))
			fail_msg("taken: %s", addresses[i]);
		assert_int_equal(write_("a@b.example", addresses[i], "s", "t", &out), CTM_E_INPUT);
		assert_int_equal(write_(addresses[i], "a@b.example", "s", "t", &out), CTM_E_INPUT);
	}
	for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
		assert_int_equal(write_("a@b.example", "c@d.example", subjects[i], "t", &out), CTM_E_INPUT);
	assert_int_equal(write_("a@b.example", "c@d.example", "s", "a\rb", &out), CTM_E_INPUT);
	assert_int_equal(out.len, 0);
	assert_int_equal(write_("a@b.example", "first.last+tag@sub.d-e.example", "s", "Bcc: x@y.example\n.\nQUIT\n", &out), 0);
	assert_null(strstr(ctm_buf_cstr(&out), "\r\n.\r\n"));
	const char *body = strstr(ctm_buf_cstr(&out), "\r\n\r\n");
	assert_string_equal(body, "\r\n\r\nBcc: x@y.example\r\n=2E\r\nQUIT\r\n");
}

static void lines_and_words_fit(void **state)
{
	char text[600];
	CTM_AUTO_BUF out = CTM_BUF(16384);
	memset(text, '.', 500);
	memcpy(text + 500, "ñ=\t\nend ", 10);
	assert_int_equal(write_("a@b.example", "c@d.example", "Invitación de la organización «Certificación del Puerto» a una plataforma con nombre larguísimo", text, &out), 0);
	for (const char *p = ctm_buf_cstr(&out); *p;) {
		size_t n = strcspn(p, "\r");
		assert_true(n <= 76);
		assert_true(p[n] == '\r' && p[n + 1] == '\n');
		for (size_t i = 0; i < n; i++)
			assert_true(p[i] >= ' ' && p[i] <= '~');
		assert_true(n == 0 || p[0] != '.');
		p += n + 2;
	}
	assert_non_null(strstr(ctm_buf_cstr(&out), "Date: Thu, 26 Nov 2026 23:03:01 +0000\r\n"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "Subject: =?UTF-8?B?SW52aXRhY2nDs24g"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "=B1"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "=3D"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "=09\r\nend=20\r\n"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "Message-ID: <1a2b@b.example>\r\n"));
}

static int conf(const char *json, struct ctm_smtp_conf *c, struct ctm_err *err)
{
	ctm_json *v = NULL;
	assert_int_equal(ctm_json_parse(json, strlen(json), 4096, "mail", &v, NULL), 0);
	int rc = ctm_smtp_conf_read(v, NULL, c, err);
	ctm_json_free(v);
	return rc;
}

static void configuration_is_checked_strictly(void **state)
{
	static const char *const bad[] = { "[]", "{\"server\":\"mail.example.org\",\"from\":\"a@b.example\"}", "{\"server\":\"http://x\",\"from\":\"a@b.example\"}",
		"{\"server\":\"smtp://x:0\",\"from\":\"a@b.example\"}", "{\"server\":\"smtp://x/y\",\"from\":\"a@b.example\"}", "{\"server\":\"smtp://u:p@x\",\"from\":\"a@b.example\"}",
		"{\"server\":\"smtp://x\"}", "{\"server\":\"smtp://x\",\"from\":\"nobody\"}", "{\"server\":\"smtp://x\",\"from\":\"a@b.example\",\"password\":\"p\"}",
		"{\"server\":\"smtp://x\",\"from\":\"a@b.example\",\"tls\":\"none\"}", "{\"server\":\"smtp://127.evil.example\",\"from\":\"a@b.example\",\"tls\":\"none\"}",
		"{\"server\":\"smtps://127.0.0.1\",\"from\":\"a@b.example\",\"tls\":\"none\"}", "{\"server\":\"smtp://x\",\"from\":\"a@b.example\",\"tls\":\"maybe\"}" };
	static const char *const good[] = { "{\"server\":\"smtp://mail.example.org:587\",\"from\":\"a@b.example\"}", "{\"server\":\"smtps://mail.example.org\",\"from\":\"a@b.example\",\"user\":\"u\"}",
		"{\"server\":\"smtp://127.0.0.1:25\",\"from\":\"a@b.example\",\"tls\":\"none\"}", "{\"server\":\"smtp://[::1]:25\",\"from\":\"a@b.example\",\"tls\":\"none\"}",
		"{\"server\":\"smtp://localhost\",\"from\":\"a@b.example\",\"tls\":\"none\"}" };
	struct ctm_smtp_conf c;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ctm_err err = { 0 };
		if (conf(bad[i], &c, &err) != CTM_E_INPUT || !*err.msg)
			fail_msg("taken: %s", bad[i]);
	}
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (conf(good[i], &c, NULL))
			fail_msg("refused: %s", good[i]);
	assert_int_equal(conf(good[0], &c, NULL), 0);
	assert_false(c.plain);
	assert_int_equal(conf(good[2], &c, NULL), 0);
	assert_true(c.plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(no_header_can_be_added), cmocka_unit_test(lines_and_words_fit), cmocka_unit_test(configuration_is_checked_strictly) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
