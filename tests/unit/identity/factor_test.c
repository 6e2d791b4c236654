/* SPDX-License-Identifier: Apache-2.0
 *
 * Password, authenticator app and recovery codes: RFC 4226 and RFC 6238 vectors, what a password must be (NIST SP 800-63B), brakes that slow
 * guessing and lock nobody out, codes that count once, and that only a fresh sign-in changes any of it (NIST IR 8425 IAC).
 */
#include "cx.h"
#include "base/text.h"
#include "identity/brake.h"
#include "identity/identity.h"
#include "identity/password.h"
#include "identity/totp.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define WORDS "cobalt heron umbrella"

static const struct ctm_routes *const tables[] = { &ctm_identity_routes, NULL };
static struct cxkit k;

static int setup(void **state)
{
	cxkit_open(&k, tables);
	k.now_ms -= k.now_ms % CTM_TOTP_STEP_MS;
	return 0;
}

static int teardown(void **state)
{
	cxkit_close(&k);
	return 0;
}

/* ---- pure ---- */

static void codes_of_rfc_6238(void **state)
{
	static const struct { int64_t s; unsigned code; } rows[] = {
		{ 59, 94287082 }, { 1111111109, 7081804 }, { 1111111111, 14050471 }, { 1234567890, 89005924 }, { 2000000000, 69279037 }, { 20000000000, 65353130 },
	};
	static const unsigned rfc4226[] = { 755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489 };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(ctm_totp_code("12345678901234567890", 20, rows[i].s / 30, 8), rows[i].code);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(ctm_totp_code("12345678901234567890", 20, (int64_t)i, 6), rfc4226[i]);
}

static void one_step_off_fits_two_do_not(void **state)
{
	char code[8];
	for (int64_t off = -2; off <= 2; off++) {
		int64_t step = -1;
		snprintf(code, sizeof code, "%06u", ctm_totp_code("12345678901234567890", 20, 1000 + off, 6));
		assert_int_equal(ctm_totp_fits("12345678901234567890", 20, 1000 * CTM_TOTP_STEP_MS + 7000, code, &step), off >= -1 && off <= 1);
		assert_int_equal(step, off >= -1 && off <= 1 ? 1000 + off : -1);
	}
	int64_t step;
	assert_false(ctm_totp_fits("12345678901234567890", 20, 0, "75522", &step));
	assert_false(ctm_totp_fits("12345678901234567890", 20, 0, "75522x", &step));
	assert_false(ctm_totp_fits("12345678901234567890", 20, 0, "7552240", &step));
}

static void base32_of_rfc_4648(void **state)
{
	static const char *const rows[][2] = { { "", "" }, { "f", "MY" }, { "fo", "MZXQ" }, { "foo", "MZXW6" }, { "foob", "MZXW6YQ" }, { "fooba", "MZXW6YTB" }, { "foobar", "MZXW6YTBOI" } };
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		CTM_AUTO_BUF b = CTM_BUF(64);
		ctm_base32(rows[i][0], strlen(rows[i][0]), &b);
		assert_string_equal(ctm_buf_cstr(&b), rows[i][1]);
	}
}

static int good(const char *word, bool second)
{
	struct ctm_err err = { 0 };
	int rc = ctm_password_good(word, second, "Ana Perez", "ana.perez@meadow.example", &err);
	assert_true(!rc || (*err.msg && !strstr(err.msg, word)));
	return rc;
}

static void passwords_are_long_and_not_the_first_guess(void **state)
{
	static const char *const fine[] = { WORDS, "tres tristes tigres", "zK9#vq!mTr8$wuXp", "жаворонок на проводе", "my dog eats green socks" };
	static const char *const guessed[] = { "password12345678", "Password!Password!", "aaaaaaaaaaaaaaaa", "123456789012345678", "abcdefghijklmnop", "qwertyuiopasdfgh",
		"qwertzuiopasdfgh", "Perez Ana Meadow 2026", "ana.perez@meadow.example", "letmein letmein letmein", "correcthorsebatterystaple", "xyxyxyxyxyxyxyxy",
		"Welcome2026!!!!!!!", "admin admin 1234567890", "1q2w3e4r5t6y7u8i" };
	for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
		if (good(fine[i], false))
			fail_msg("refused: %s", fine[i]);
	for (size_t i = 0; i < sizeof guessed / sizeof *guessed; i++)
		if (!good(guessed[i], false))
			fail_msg("taken: %s", guessed[i]);
	assert_int_equal(good("heron umbrell", false), CTM_E_INPUT);
	assert_int_equal(good("heron umbrella", false), CTM_E_INPUT);        /* 14 */
	assert_int_equal(good("heron umbrella!", false), 0);                 /* 15 */
	assert_int_equal(good("heronum", true), CTM_E_INPUT);                /* 7 */
	assert_int_equal(good("heronumb", true), 0);                         /* 8 */
	assert_int_equal(good("жаворон", true), CTM_E_INPUT);                /* 7 characters in 14 bytes */
	assert_int_equal(ctm_password_length("жаворонок"), 9);
}

static void brakes_rest_longer_and_at_most_a_quarter_of_an_hour(void **state)
{
	assert_int_equal(ctm_brake_rest_ms(CTM_LANE_PAIR, 5), 0);
	assert_int_equal(ctm_brake_rest_ms(CTM_LANE_PAIR, 6), 1000);
	assert_int_equal(ctm_brake_rest_ms(CTM_LANE_PAIR, 7), 2000);
	assert_int_equal(ctm_brake_rest_ms(CTM_LANE_ACCOUNT, 20), 0);
	assert_int_equal(ctm_brake_rest_ms(CTM_LANE_ACCOUNT, 21), 1000);
	assert_int_equal(ctm_brake_rest_ms(CTM_LANE_PAIR, 1000000), 15 * 60 * 1000);
}

/* ---- the whole way ---- */

static struct ctm_who somebody(void)
{
	struct ctm_who who = cxkit_person(&k, "maker.owner", "");
	cxkit_session(&k, &who);
	return who;
}

static uint8_t unb32(char c) { return (uint8_t)(c >= 'A' ? c - 'A' : c - '2' + 26); }

/* The page's secret, read as an app reads it. */
static void offered(const struct ctm_who *who, uint8_t key[20])
{
	ctm_json_free(cxkit_good(&k, who, &(struct cxcall){ "POST", "/account/authenticator/start" }));
	CTM_AUTO_JSON *page = cxkit_good(&k, who, &(struct cxcall){ "GET", "/account/authenticator" });
	const char *s = ctm_json_gets(page, "secret");
	unsigned bits = 0, have = 0;
	size_t n = 0;
	for (; *s; s++) {
		if (*s == ' ')
			continue;
		bits = bits << 5 | unb32(*s);
		have += 5;
		if (have >= 8) {
			have -= 8;
			key[n++] = (uint8_t)(bits >> have);
		}
	}
	assert_int_equal(n, 20);
	assert_non_null(strstr(ctm_json_gets(page, "address"), "otpauth://totp/ctm%20localhost:"));
}

static void code_now(const uint8_t key[20], char code[8])
{
	snprintf(code, 8, "%06u", ctm_totp_code(key, 20, k.now_ms / CTM_TOTP_STEP_MS, 6));
}

static void with_app(const struct ctm_who *who, uint8_t key[20])
{
	char code[8];
	offered(who, key);
	code_now(key, code);
	ctm_json_free(cxkit_good(&k, who, &(struct cxcall){ "POST", "/account/authenticator", IN("code", code) }));
	k.now_ms += CTM_TOTP_STEP_MS;                /* the code that confirmed it is used up */
}

static void set_password(const struct ctm_who *who, const char *word)
{
	ctm_json_free(cxkit_good(&k, who, &(struct cxcall){ "POST", "/account/password", IN("password", word, "again", word) }));
}

static int signin(const struct ctm_who *who, const char *word, const char *code)
{
	return cxkit_call(&k, &cxkit_nobody, &(struct cxcall){ "POST", "/signin/password", code ? IN("email", who->person_name, "password", word, "code", code) :
		IN("email", who->person_name, "password", word) }, NULL);
}

static void password_and_app_sign_in_and_a_code_counts_once(void **state)
{
	struct ctm_who who = somebody(), found;
	struct ctm_err err = { 0 };
	uint8_t key[20];
	char code[8], wrong[8];
	bool renew;
	with_app(&who, key);
	set_password(&who, WORDS);
	code_now(key, code);
	snprintf(wrong, sizeof wrong, "%06u", (unsigned)(ctm_totp_code(key, 20, k.now_ms / CTM_TOTP_STEP_MS + 9, 6)));
	assert_int_equal(signin(&who, WORDS, NULL), CTM_E_VERIFY);
	assert_int_equal(signin(&who, WORDS, wrong), CTM_E_VERIFY);
	assert_int_equal(signin(&who, "cobalt heron umbrellb", code), CTM_E_VERIFY);
	assert_int_equal(signin(&who, WORDS, code), 0);
	assert_int_equal(ctm_session_find(k.ro, k.now_ms, k.set_session, "browser", &found, &renew, &err), 0);
	assert_string_equal(found.person_id, who.person_id);
	assert_int_equal(signin(&who, WORDS, code), CTM_E_VERIFY);          /* replay */
	k.now_ms -= CTM_TOTP_STEP_MS;
	code_now(key, code);
	k.now_ms += CTM_TOTP_STEP_MS;
	assert_int_equal(signin(&who, WORDS, code), CTM_E_VERIFY);          /* an older step than the last one used */
	k.now_ms += CTM_TOTP_STEP_MS;
	code_now(key, code);
	assert_int_equal(signin(&who, WORDS, code), 0);
}

static void a_password_alone_signs_nobody_in(void **state)
{
	struct ctm_who who = somebody();
	cxkit_bad(&k, &who, &(struct cxcall){ "POST", "/account/password", IN("password", "heron umbrella", "again", "heron umbrella") }, CTM_E_INPUT);
	cxkit_bad(&k, &who, &(struct cxcall){ "POST", "/account/password", IN("password", WORDS, "again", WORDS "s") }, CTM_E_INPUT);
	set_password(&who, WORDS);
	assert_int_equal(signin(&who, WORDS, NULL), CTM_E_GUARD);
	assert_int_equal(signin(&who, "another set of words", NULL), CTM_E_VERIFY);
}

static void short_passwords_need_the_app(void **state)
{
	struct ctm_who who = somebody();
	uint8_t key[20];
	cxkit_bad(&k, &who, &(struct cxcall){ "POST", "/account/password", IN("password", "heronumb", "again", "heronumb") }, CTM_E_INPUT);
	with_app(&who, key);
	set_password(&who, "heronumb");
	cxkit_bad(&k, &who, &(struct cxcall){ "POST", "/account/authenticator/remove" }, CTM_E_GUARD);
	set_password(&who, WORDS);
	ctm_json_free(cxkit_good(&k, &who, &(struct cxcall){ "POST", "/account/authenticator/remove" }));
	cxkit_bad(&k, &who, &(struct cxcall){ "POST", "/account/authenticator/remove" }, CTM_E_STATE);
}

static void recovery_codes_stand_in_for_the_app_each_once(void **state)
{
	struct ctm_who who = somebody();
	uint8_t key[20];
	char typed[40];
	cxkit_bad(&k, &who, &(struct cxcall){ "POST", "/account/recovery" }, CTM_E_STATE);
	with_app(&who, key);
	set_password(&who, WORDS);
	CTM_AUTO_JSON *old = cxkit_good(&k, &who, &(struct cxcall){ "POST", "/account/recovery" });
	CTM_AUTO_JSON *made = cxkit_good(&k, &who, &(struct cxcall){ "POST", "/account/recovery" });
	const ctm_json *codes = ctm_json_get(made, "codes");
	assert_int_equal(ctm_json_len(codes), 10);
	for (size_t i = 0; i < 10; i++)
		for (size_t j = i + 1; j < 10; j++)
			assert_string_not_equal(ctm_json_str(ctm_json_at(codes, i)), ctm_json_str(ctm_json_at(codes, j)));
	assert_int_equal(signin(&who, WORDS, ctm_json_str(ctm_json_at(ctm_json_get(old, "codes"), 0))), CTM_E_VERIFY);
	assert_int_equal(signin(&who, WORDS, ctm_json_str(ctm_json_at(codes, 0))), 0);
	assert_string_equal(k.location, "/account?notice=signin.recovery_used");
	assert_int_equal(signin(&who, WORDS, ctm_json_str(ctm_json_at(codes, 0))), CTM_E_VERIFY);
	snprintf(typed, sizeof typed, " %s", ctm_json_str(ctm_json_at(codes, 1)));
	for (char *p = typed; *p; p++)
		*p = *p == '-' ? ' ' : *p == '0' ? 'O' : *p == '1' ? 'I' : (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
	assert_int_equal(signin(&who, WORDS, typed), 0);                    /* as people write them down */
	CTM_AUTO_JSON *account = cxkit_good(&k, &who, &(struct cxcall){ "GET", "/account" });
	assert_int_equal(ctm_json_geti(ctm_json_get(account, "recovery"), "open", 0), 8);
}

static void factors_are_changed_by_those_who_signed_in_just_now(void **state)
{
	static const char *const paths[] = { "/account/password/remove", "/account/authenticator/start", "/account/authenticator/remove", "/account/recovery" };
	struct ctm_who who = somebody();
	uint8_t key[20];
	with_app(&who, key);
	set_password(&who, WORDS);
	k.now_ms += 10 * 60 * 1000 + 1;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		cxkit_bad(&k, &who, &(struct cxcall){ "POST", paths[i] }, CTM_E_GUARD);
	cxkit_bad(&k, &who, &(struct cxcall){ "POST", "/account/password", IN("password", WORDS, "again", WORDS) }, CTM_E_GUARD);
	cxkit_bad(&k, &who, &(struct cxcall){ "GET", "/account/authenticator" }, CTM_E_GUARD);
	cxkit_bad(&k, &who, &(struct cxcall){ "GET", "/account/authenticator/qr" }, CTM_E_GUARD);
	CTM_AUTO_JSON *account = cxkit_good(&k, &who, &(struct cxcall){ "GET", "/account" });
	assert_false(ctm_json_getb(account, "fresh", true));
}

static void an_offer_ends_after_half_an_hour_and_with_its_use(void **state)
{
	struct ctm_who who = somebody();
	uint8_t key[20];
	char code[8];
	offered(&who, key);
	code_now(key, code);
	struct cxcall confirm = { "POST", "/account/authenticator", IN("code", code) };
	cxkit_bad(&k, &who, &(struct cxcall){ "POST", "/account/authenticator", IN("code", "000000") }, CTM_E_VERIFY);
	k.now_ms += 31 * 60 * 1000;
	cxkit_session(&k, &who);
	cxkit_bad(&k, &who, &confirm, CTM_E_STATE);
	k.now_ms -= 31 * 60 * 1000;
	ctm_json_free(cxkit_good(&k, &who, &confirm));
	cxkit_bad(&k, &who, &confirm, CTM_E_STATE);
}

static void a_new_password_ends_other_sessions(void **state)
{
	struct ctm_who here = somebody(), there = here;
	cxkit_session(&k, &there);
	assert_string_not_equal(here.session_id, there.session_id);
	set_password(&here, WORDS);
	CTM_AUTO_JSON *account = cxkit_good(&k, &here, &(struct cxcall){ "GET", "/account" });
	assert_int_equal(ctm_json_len(ctm_json_get(account, "sessions")), 1);
}

/* ---- brakes ---- */

static int guess(const char *email) { return cxkit_call(&k, &cxkit_nobody, &(struct cxcall){ "POST", "/signin/password", IN("email", email, "password", "not the right words") }, NULL); }

static void guessing_is_slowed_down_alike_for_accounts_that_do_not_exist(void **state)
{
	struct ctm_who who = somebody();
	const char *const accounts[] = { who.person_name, "nobody-at-all@example.org" };
	set_password(&who, WORDS);
	for (size_t a = 0; a < 2; a++) {
		for (int i = 0; i < 6; i++)
			assert_int_equal(guess(accounts[a]), CTM_E_VERIFY);
		assert_int_equal(guess(accounts[a]), CTM_E_LIMIT);
		assert_non_null(strstr(k.err.msg, "passkey"));
		k.now_ms += 1000;
		assert_int_equal(guess(accounts[a]), CTM_E_VERIFY);
		assert_int_equal(guess(accounts[a]), CTM_E_LIMIT);
	}
}

struct attempt { const char *email, *address; int rc; const char *person; };

static int take(struct ctm_cx *cx, void *arg)
{
	struct attempt *a = arg;
	cx->now_ms = k.now_ms;
	a->rc = a->person ? ctm_brake_good(cx, a->person, a->email, a->address) : ctm_brake_take(cx, a->email, a->address);
	if (a->rc)
		ctm_err_clear(cx->err);
	return 0;
}

static int from(const char *email, const char *address, const char *person)
{
	struct attempt a = { email, address, 0, person };
	assert_int_equal(ctm_write(k.app, take, &a, NULL), 0);
	return a.rc;
}

static void strangers_do_not_lock_the_owner_out(void **state)
{
	struct ctm_who who = somebody();
	char address[32];
	assert_int_equal(from(who.person_name, "192.0.2.1", NULL), 0);
	assert_int_equal(from(who.person_name, "192.0.2.1", who.person_id), 0);     /* a good one: this is the owner's place */
	for (int i = 0; i < 21; i++) {
		snprintf(address, sizeof address, "198.51.100.%d", i);
		assert_int_equal(from(who.person_name, address, NULL), 0);
	}
	assert_int_equal(from(who.person_name, "198.51.100.99", NULL), CTM_E_LIMIT);
	assert_int_equal(from(who.person_name, "192.0.2.1", NULL), 0);
	k.now_ms += 16 * 60 * 1000;
	assert_int_equal(from(who.person_name, "198.51.100.99", NULL), 0);          /* nobody waits longer than a quarter of an hour */
}

static void one_address_does_not_try_all_accounts(void **state)
{
	char email[64];
	int rc = 0;
	for (int i = 0; i < 22 && !rc; i++) {
		snprintf(email, sizeof email, "somebody%d@example.org", i);
		rc = from(email, "203.0.113.7", NULL);
		assert_int_equal(rc, i < 21 ? 0 : CTM_E_LIMIT);
	}
	assert_int_equal(from(email, "203.0.113.8", NULL), 0);
	k.now_ms += 25LL * 3600 * 1000;
	for (int i = 0; i < 5; i++)
		assert_int_equal(from("somebody-else@example.org", "203.0.113.7", NULL), 0);   /* forgotten after a day */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_of_rfc_6238), cmocka_unit_test(one_step_off_fits_two_do_not), cmocka_unit_test(base32_of_rfc_4648),
		cmocka_unit_test(passwords_are_long_and_not_the_first_guess), cmocka_unit_test(brakes_rest_longer_and_at_most_a_quarter_of_an_hour),
		cmocka_unit_test(password_and_app_sign_in_and_a_code_counts_once), cmocka_unit_test(a_password_alone_signs_nobody_in),
		cmocka_unit_test(short_passwords_need_the_app), cmocka_unit_test(recovery_codes_stand_in_for_the_app_each_once),
		cmocka_unit_test(factors_are_changed_by_those_who_signed_in_just_now), cmocka_unit_test(an_offer_ends_after_half_an_hour_and_with_its_use),
		cmocka_unit_test(a_new_password_ends_other_sessions), cmocka_unit_test(guessing_is_slowed_down_alike_for_accounts_that_do_not_exist),
		cmocka_unit_test(strangers_do_not_lock_the_owner_out), cmocka_unit_test(one_address_does_not_try_all_accounts),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
