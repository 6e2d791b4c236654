/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may point a device at an image, and when: the director's statement and the maker's manifest must name the same image, an
 * old or expired statement moves nothing, and a device without a clock knows at least what time it cannot be any more.
 */
#include "release.h"
#include "ctm/cbor.h"

static struct mem mem;
static struct ctm_port port;
static struct ctm_update u;
static struct ctm_director d;
static struct ctm_timefloor t;
static EVP_PKEY *key, *online;
static struct package p;

#define BUILD 1700000000

static void start(void)
{
	port = mem_port(&mem);
	t = (struct ctm_timefloor){ .port = &port, .build_s = BUILD };
	d = (struct ctm_director){ .port = &port, .time = &t, .serial = "PC1-0001", .cohort = "beta", .component = "device" };
	raw_key(online, d.key, &d.keylen);
	u = a_device(&port, key);
	u.director = &d;
	u.time = &t;
	assert_int_equal(ctm_timefloor_load(&t), 0);
	assert_int_equal(ctm_director_load(&d), 0);
}

static int fresh(void **state)
{
	const char *why = "";

	mem_new(&mem);
	start();
	release(&p, (struct release){ .version = "1.0.0", .counter = 10, .filler = 100, .signer = key });
	u.director = NULL;      /* the factory */
	if (ctm_update_load(&u) != CTM_SDK_NONE || ctm_update_install(&u, manifest_of(&p), image_of(&p), &why) || ctm_update_boot(&u, NULL) ||
	    ctm_update_commit(&u))
		return -1;
	u.director = &d;
	release(&p, (struct release){ .version = "1.1.0", .counter = 11, .filler = 100, .signer = key });
	return 0;
}

static int direct(EVP_PKEY *signer, struct ctm_direction s, const char **why)
{
	uint8_t payload[512], msg[1024];
	size_t n = 0, len;

	if (!s.device.n)
		s.device = text("PC1-0001");
	if (!s.not_after_s)
		s.not_after_s = mem.now / 1000 + 3600;
	assert_int_equal(ctm_direction_encode(&s, "device", payload, sizeof payload, &n), 0);
	len = sign_as(signer, CTM_DIRECTOR_TYPE, payload, n, msg, sizeof msg);
	return ctm_director_take(&d, msg, len, why);
}

static struct ctm_direction to(uint64_t counter)
{
	struct ctm_direction s = { .counter = counter, .target = text("pc-1/1.1.0.img"), .size = p.imagen, .campaign = text("spring") };

	assert_int_equal(ctm_sdk_sha256(port.crypto, p.image, p.imagen, s.digest), 0);
	return s;
}

static void both_must_name_the_same_image(void **state)
{
	const char *why = "";
	struct ctm_direction s = to(5);

	assert_int_equal(ctm_update_begin(&u, manifest_of(&p), &why), CTM_SDK_STATE);
	assert_string_equal(why, "director");
	s.digest[0] ^= 1;
	assert_int_equal(direct(online, s, &why), 0);
	assert_int_equal(ctm_update_begin(&u, manifest_of(&p), &why), CTM_SDK_OTHER);
	s = to(6);
	s.size++;
	assert_int_equal(direct(online, s, &why), 0);
	assert_int_equal(ctm_update_begin(&u, manifest_of(&p), &why), CTM_SDK_OTHER);
	s = to(7);
	s.target.n = 0;
	assert_int_equal(direct(online, s, &why), 0);
	assert_int_equal(ctm_update_begin(&u, manifest_of(&p), &why), CTM_SDK_STATE);
	assert_int_equal(direct(online, to(8), &why), 0);
	assert_int_equal(ctm_update_install(&u, manifest_of(&p), image_of(&p), &why), 0);
}

/* The online key alone: it cannot make an image, nor bring back one below the counter. */
static void the_directors_word_is_not_enough(void **state)
{
	const char *why = "";

	release(&p, (struct release){ .version = "1.1.0", .counter = 11, .filler = 100, .signer = online });
	assert_int_equal(direct(online, to(5), &why), 0);
	assert_int_equal(ctm_update_begin(&u, manifest_of(&p), &why), CTM_SDK_VERIFY);
	release(&p, (struct release){ .version = "1.1.0", .counter = 9, .filler = 100, .signer = key });
	assert_int_equal(direct(online, to(6), &why), 0);
	assert_int_equal(ctm_update_begin(&u, manifest_of(&p), &why), CTM_SDK_OLDER);
	assert_string_equal(why, "counter");
}

static void foreign_forged_replayed_and_expired_statements_are_refused(void **state)
{
	const char *why = "";
	struct ctm_direction s = to(7);

	assert_int_equal(direct(key, s, &why), CTM_SDK_VERIFY);
	assert_string_equal(why, "signature");
	s.device = text("PC1-0002");
	assert_int_equal(direct(online, s, &why), CTM_SDK_OTHER);
	s.device = text("beta");
	assert_int_equal(direct(online, s, &why), 0);
	assert_int_equal(direct(online, to(6), &why), CTM_SDK_OLDER);
	assert_string_equal(why, "number");
	assert_int_equal(direct(online, to(7), &why), CTM_SDK_OLDER);   /* the same counter, other words */
	s.not_after_s = mem.now / 1000 + 3600;
	assert_int_equal(direct(online, s, &why), 0);                   /* the same words */
	start();
	assert_int_equal(d.counter, 7);
	assert_int_equal(direct(online, to(6), &why), CTM_SDK_OLDER);   /* also after a restart */
	s = to(8);
	s.not_after_s = mem.now / 1000 - 1;
	assert_int_equal(direct(online, s, &why), CTM_SDK_OLDER);
	assert_string_equal(why, "expired");
	assert_int_equal(direct(online, to(8), &why), 0);
	mem.now += 2 * 3600 * 1000;
	assert_int_equal(ctm_update_begin(&u, manifest_of(&p), &why), CTM_SDK_OLDER);
	assert_string_equal(why, "expired");
}

static void without_a_clock_the_floor_judges_and_only_goes_forward(void **state)
{
	const char *why = "";
	struct ctm_direction s = to(5);

	mem.now = 0;
	start();
	assert_false(ctm_timefloor_fresh(&t));
	assert_int_equal(ctm_timefloor_now(&t), BUILD);
	s.not_after_s = BUILD - 1;
	assert_int_equal(direct(online, s, &why), CTM_SDK_OLDER);
	s.not_after_s = BUILD + 100000;
	assert_int_equal(direct(online, s, &why), 0);
	assert_int_equal(ctm_timefloor_verified(&t, BUILD + 90000), 0);
	assert_true(ctm_timefloor_fresh(&t));
	mem.mono += 5000;
	assert_int_equal(ctm_timefloor_now(&t), BUILD + 90005);
	assert_int_equal(ctm_timefloor_verified(&t, BUILD + 50), 0);
	assert_int_equal(ctm_timefloor_now(&t), BUILD + 90005);
	mem.mono += 20000 * 1000;
	assert_int_equal(ctm_update_begin(&u, manifest_of(&p), &why), CTM_SDK_OLDER);
	assert_int_equal(ctm_timefloor_keep(&t), 0);
	start();
	assert_false(ctm_timefloor_fresh(&t));
	assert_int_equal(ctm_timefloor_now(&t), BUILD + 110005);
	assert_int_equal(ctm_record_store(&port, "time", "of another form", 15), 0);
	start();
	assert_int_equal(ctm_timefloor_now(&t), BUILD);
}

/* A wall clock that somebody set to 2080 refuses for as long as it says so, and not for good. */
static void a_wrong_clock_is_not_kept(void **state)
{
	const char *why = "";
	int64_t right = mem.now;

	mem.now = (int64_t)3471292800 * 1000;
	assert_int_equal(direct(online, to(5), &why), 0);
	assert_int_equal(ctm_update_install(&u, manifest_of(&p), image_of(&p), &why), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
	assert_int_equal(ctm_update_commit(&u), 0);
	mem.now = right;
	start();
	assert_int_equal(ctm_timefloor_now(&t), right / 1000);
}

static void a_statement_is_read_strictly(void **state)
{
	uint8_t b[512];
	struct ctm_direction s = to(5), r;
	size_t n = 0;

	s.device = text("x");
	s.not_after_s = 1;
	assert_int_equal(ctm_direction_encode(&s, "device", b, sizeof b, &n), 0);
	assert_int_equal(ctm_direction_decode(b, n, "device", &r), 0);
	assert_int_equal(r.target.n, 14);
	assert_int_equal(ctm_direction_decode(b, n, "radio", &r), 0);
	assert_int_equal(r.target.n, 0);
	for (size_t cut = 0; cut < n; cut++)
		assert_int_not_equal(ctm_direction_decode(b, cut, "device", &r), 0);
	s.counter = 0;
	assert_int_equal(ctm_direction_encode(&s, "device", b, sizeof b, &n), 0);
	assert_int_equal(ctm_direction_decode(b, n, "device", &r), CTM_SDK_INPUT);
}

static int setup(void **state)
{
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	online = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return key && online ? 0 : -1;
}

static int teardown(void **state)
{
	EVP_PKEY_free(key);
	EVP_PKEY_free(online);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(both_must_name_the_same_image, fresh),
		cmocka_unit_test_setup(the_directors_word_is_not_enough, fresh),
		cmocka_unit_test_setup(foreign_forged_replayed_and_expired_statements_are_refused, fresh),
		cmocka_unit_test_setup(without_a_clock_the_floor_judges_and_only_goes_forward, fresh),
		cmocka_unit_test_setup(a_wrong_clock_is_not_kept, fresh),
		cmocka_unit_test_setup(a_statement_is_read_strictly, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
