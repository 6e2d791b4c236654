/* SPDX-License-Identifier: Apache-2.0
 *
 * Password, lock-out and sessions (NIST IR 8259A, logical access to interfaces).
 */
#include "memport.h"
#include "ctm/cred.h"

static struct mem mem;
static struct ctm_port port;
static struct ctm_cred c;
static uint8_t token[CTM_TOKEN_BYTES];

static struct ctm_cred blank(void)
{
	struct ctm_cred x = { .port = &port, .min_length = 12, .attempts = 3, .lock_ms = 5000 };

	return x;
}

static int fresh(void **state)
{
	mem_new(&mem);
	port = mem_port(&mem);
	c = blank();
	return ctm_cred_load(&c) == CTM_SDK_NONE && ctm_cred_begin(&c, "printed-on-plate", 16) == 0 ? 0 : -1;
}

static int login(const char *pw)
{
	return ctm_cred_login(&c, pw, strlen(pw), token);
}

static void restart(void)
{
	c = blank();
	assert_int_equal(ctm_cred_load(&c), 0);
}

static void change(const char *old, const char *pw)
{
	const char *why = "";

	assert_int_equal(ctm_cred_change(&c, token, old, strlen(old), pw, strlen(pw), true, &why), 0);
}

static void initial_password_opens_only_its_own_change(void **state)
{
	assert_int_equal(login("wrong"), CTM_SDK_AUTH);
	assert_int_equal(login(""), CTM_SDK_AUTH);
	assert_int_equal(login("printed-on-plate"), 0);
	assert_int_equal(ctm_cred_check(&c, token), CTM_SDK_CHANGE);
	change("printed-on-plate", "my own long one");
	assert_int_equal(ctm_cred_check(&c, token), 0);
	restart();
	assert_int_equal(login("printed-on-plate"), CTM_SDK_AUTH);
	assert_int_equal(login("my own long one"), 0);
	assert_int_equal(ctm_cred_check(&c, token), 0);
}

static void weak_new_passwords_are_refused_with_the_reason(void **state)
{
	static const struct { const char *pw, *why; } rows[] = {
		{ "elevenchars", "short" }, { "", "short" }, { "printed-on-plate", "same" }, { "aaaabbbbccccaaaa", "plain" },
	};
	char longer[CTM_PASSWORD_MAX + 2];

	assert_int_equal(login("printed-on-plate"), 0);
	for (size_t i = 0; i < 4; i++) {
		const char *why = "";

		assert_int_equal(ctm_cred_change(&c, token, "printed-on-plate", 16, rows[i].pw, strlen(rows[i].pw), true, &why), CTM_SDK_INPUT);
		assert_string_equal(why, rows[i].why);
	}
	memset(longer, 'x', sizeof longer);
	{
		const char *why = "";

		assert_int_equal(ctm_cred_change(&c, token, "printed-on-plate", 16, longer, CTM_PASSWORD_MAX + 1, true, &why), CTM_SDK_INPUT);
		assert_string_equal(why, "long");
	}
	assert_int_equal(ctm_cred_check(&c, token), CTM_SDK_CHANGE);
}

static void wrong_passwords_lock_even_the_right_one_out_for_a_while(void **state)
{
	for (int i = 0; i < 3; i++)
		assert_int_equal(login("wrong"), CTM_SDK_AUTH);
	assert_int_equal(ctm_cred_wait_ms(&c), 5000);
	assert_int_equal(login("printed-on-plate"), CTM_SDK_LOCKED);
	mem.mono += 4999;
	assert_int_equal(login("printed-on-plate"), CTM_SDK_LOCKED);
	mem.mono += 1;
	assert_int_equal(login("printed-on-plate"), 0);
	assert_int_equal(ctm_cred_wait_ms(&c), 0);
}

static void pulling_the_plug_gives_no_more_tries(void **state)
{
	assert_int_equal(login("wrong"), CTM_SDK_AUTH);
	assert_int_equal(login("wrong"), CTM_SDK_AUTH);
	restart();
	assert_int_equal(login("wrong"), CTM_SDK_AUTH);
	restart();
	assert_int_equal(login("printed-on-plate"), CTM_SDK_LOCKED);
	mem.mono += 5000;
	assert_int_equal(login("printed-on-plate"), 0);
}

static void a_good_login_clears_the_count(void **state)
{
	for (int i = 0; i < 4; i++) {
		assert_int_equal(login("wrong"), CTM_SDK_AUTH);
		assert_int_equal(login("wrong"), CTM_SDK_AUTH);
		assert_int_equal(login("printed-on-plate"), 0);
	}
}

/* The change of password is no way round the lock. */
static void wrong_old_password_counts_too(void **state)
{
	const char *why = "";

	assert_int_equal(login("printed-on-plate"), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ctm_cred_change(&c, token, "wrong", 5, "my own long one", 15, true, &why), CTM_SDK_AUTH);
	assert_int_equal(ctm_cred_change(&c, token, "printed-on-plate", 16, "my own long one", 15, true, &why), CTM_SDK_LOCKED);
}

static void sessions_end_by_logout_change_of_password_idleness_and_reset(void **state)
{
	uint8_t other[CTM_TOKEN_BYTES], mine[CTM_TOKEN_BYTES];

	assert_int_equal(login("printed-on-plate"), 0);
	memcpy(other, token, sizeof other);
	assert_int_equal(login("printed-on-plate"), 0);
	memcpy(mine, token, sizeof mine);
	change("printed-on-plate", "my own long one");
	assert_int_equal(ctm_cred_check(&c, other), CTM_SDK_AUTH);
	assert_int_equal(ctm_cred_check(&c, mine), 0);
	mem.mono += CTM_SESSION_MS;
	assert_int_equal(ctm_cred_check(&c, mine), 0);
	mem.mono += CTM_SESSION_MS + 1;
	assert_int_equal(ctm_cred_check(&c, mine), CTM_SDK_AUTH);
	assert_int_equal(login("my own long one"), 0);
	ctm_cred_logout(&c, token);
	assert_int_equal(ctm_cred_check(&c, token), CTM_SDK_AUTH);
	assert_int_equal(login("my own long one"), 0);
	assert_int_equal(ctm_cred_reset(&c), 0);
	assert_int_equal(ctm_cred_check(&c, token), CTM_SDK_AUTH);
	assert_int_equal(login("my own long one"), CTM_SDK_AUTH);
	assert_int_equal(login("printed-on-plate"), 0);
	assert_int_equal(ctm_cred_check(&c, token), CTM_SDK_CHANGE);
}

static void the_oldest_of_too_many_sessions_gives_way(void **state)
{
	uint8_t first[CTM_TOKEN_BYTES];

	assert_int_equal(login("printed-on-plate"), 0);
	memcpy(first, token, sizeof first);
	for (int i = 0; i < CTM_SESSIONS; i++) {
		mem.mono++;
		assert_int_equal(login("printed-on-plate"), 0);
	}
	assert_int_equal(ctm_cred_check(&c, first), CTM_SDK_AUTH);
	assert_int_equal(ctm_cred_check(&c, token), CTM_SDK_CHANGE);
}

static void storage_failure_keeps_the_old_password(void **state)
{
	const char *why = "";

	assert_int_equal(login("printed-on-plate"), 0);
	mem_unplug_after(&mem, 0);
	assert_int_not_equal(ctm_cred_change(&c, token, "printed-on-plate", 16, "my own long one", 15, true, &why), 0);
	mem_plug_in(&mem);
	assert_int_equal(login("printed-on-plate"), 0);
	restart();
	assert_int_equal(login("printed-on-plate"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(initial_password_opens_only_its_own_change, fresh),
		cmocka_unit_test_setup(weak_new_passwords_are_refused_with_the_reason, fresh),
		cmocka_unit_test_setup(wrong_passwords_lock_even_the_right_one_out_for_a_while, fresh),
		cmocka_unit_test_setup(pulling_the_plug_gives_no_more_tries, fresh),
		cmocka_unit_test_setup(a_good_login_clears_the_count, fresh),
		cmocka_unit_test_setup(wrong_old_password_counts_too, fresh),
		cmocka_unit_test_setup(sessions_end_by_logout_change_of_password_idleness_and_reset, fresh),
		cmocka_unit_test_setup(the_oldest_of_too_many_sessions_gives_way, fresh),
		cmocka_unit_test_setup(storage_failure_keeps_the_old_password, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
