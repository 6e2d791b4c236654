/* SPDX-License-Identifier: Apache-2.0
 *
 * Sealed store: only declared names, nothing readable in storage, no nonce twice under a key whatever power, random numbers and
 * old copies of storage do, and a wipe after which nothing opens (NIST IR 8259A, data protection; SP 800-38D 8).
 */
#include "memport.h"
#include "ctm/sealed.h"

static struct mem mem, old;
static struct ctm_port port;
static struct ctm_sealed s;
static struct ctm_log events;
static const char *const names[] = { "wifi", "owner.name" };

static void start(void)
{
	port = mem_port(&mem);
	events = (struct ctm_log){ .port = &port };
	s = (struct ctm_sealed){ .port = &port, .log = &events, .names = names, .n = 2 };
	assert_int_equal(ctm_log_load(&events), 0);
	assert_int_equal(ctm_sealed_load(&s), 0);
}

static int fresh(void **state)
{
	mem_new(&mem);
	start();
	return 0;
}

static int put(const char *name, const char *text)
{
	uint8_t b[128];

	memcpy(b, text, strlen(text));
	return ctm_sealed_put(&s, name, b, strlen(text), sizeof b);
}

static int get(const char *name, char out[64])
{
	uint8_t b[128];
	size_t n = 0;
	int rc = ctm_sealed_get(&s, name, b, sizeof b, &n);

	if (!rc) {
		memcpy(out, b, n);
		out[n] = 0;
	}
	return rc;
}

static int file_of(const char *name)
{
	for (int i = 0; i < MEM_FILES; i++)
		if (mem.file[i].used && strncmp(mem.file[i].name, name, strlen(name)) == 0)
			return i;
	return -1;
}

static void what_is_put_is_got_and_nothing_readable_lies_in_storage(void **state)
{
	char got[64];

	assert_int_equal(get("wifi", got), CTM_SDK_NONE);
	assert_int_equal(put("wifi", "secret passphrase"), 0);
	assert_int_equal(put("diary", "x"), CTM_SDK_UNKNOWN);
	start();
	assert_int_equal(get("wifi", got), 0);
	assert_string_equal(got, "secret passphrase");
	for (int i = 0; i < MEM_FILES; i++)
		for (size_t at = 0; mem.file[i].used && at + 6 <= mem.file[i].n; at++)
			assert_memory_not_equal(mem.file[i].data + at, "secret", 6);
	assert_int_equal(ctm_sealed_del(&s, "wifi"), 0);
	assert_int_equal(get("wifi", got), CTM_SDK_NONE);
}

static void a_changed_or_renamed_record_does_not_open(void **state)
{
	uint8_t b[128];
	char got[64];
	size_t n = 0;

	assert_int_equal(put("wifi", "one"), 0);
	assert_int_equal(ctm_record_load(&port, "s.wifi", b, sizeof b, &n), 0);
	assert_int_equal(ctm_record_store(&port, "s.owner.name", b, n), 0);
	assert_int_equal(get("owner.name", got), CTM_SDK_VERIFY);
	b[n - 1] ^= 1;
	assert_int_equal(ctm_record_store(&port, "s.wifi", b, n), 0);
	assert_int_equal(get("wifi", got), CTM_SDK_VERIFY);
	assert_int_equal(ctm_record_store(&port, "s.wifi", b, CTM_SEALED_ROOM - 1), 0);
	assert_int_equal(get("wifi", got), CTM_SDK_VERIFY);
}

/* Every nonce that ever reached a seal, noted by a back end of our own. */
static uint8_t seen[4000][CTM_AEAD_NONCE];
static size_t seals;

static int noting_seal(const uint8_t key[CTM_AEAD_KEY], const uint8_t nonce[CTM_AEAD_NONCE], struct ctm_bytes ad, const uint8_t *in, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < seals; i++)
		assert_memory_not_equal(seen[i], nonce, CTM_AEAD_NONCE);
	assert_true(seals < sizeof seen / sizeof seen[0]);
	memcpy(seen[seals++], nonce, CTM_AEAD_NONCE);
	return ctm_openssl_crypto()->seal(key, nonce, ad, in, n, out);
}

static int stuck_random(void *out, size_t n)
{
	memset(out, 7, n);
	return 0;
}

static int no_random(void *out, size_t n)
{
	return CTM_SDK_FAIL;
}

static void no_nonce_comes_twice_whatever_power_does(void **state)
{
	struct ctm_crypto c = *ctm_openssl_crypto();

	c.seal = noting_seal;
	c.random = stuck_random;
	seals = 0;
	for (int round = 0; round < 60; round++)
		for (long cut = 0; cut < 6; cut++) {
			start();
			port.crypto = &c;
			mem_unplug_after(&mem, cut);
			(void)put("wifi", "a");
			(void)put("owner.name", "b");
			mem_plug_in(&mem);
		}
	assert_true(seals > 300);
	port.crypto = &c;
	c.random = no_random;
	assert_int_equal(put("wifi", "c"), CTM_SDK_FAIL);
}

static void old_storage_put_back_is_noticed_and_repeats_no_nonce(void **state)
{
	struct ctm_crypto c = *ctm_openssl_crypto();
	char got[64];

	c.seal = noting_seal;
	seals = 0;
	port.crypto = &c;
	assert_int_equal(put("wifi", "one"), 0);
	old = mem;
	for (int i = 0; i < 40; i++)
		assert_int_equal(put("owner.name", "two"), 0);
	/* All of it put back: the random half alone keeps nonces apart. */
	mem = old;
	start();
	port.crypto = &c;
	for (int i = 0; i < 40; i++)
		assert_int_equal(put("owner.name", "three"), 0);
	/* Only the counter put back: a later record tells. */
	memcpy(&mem.file[file_of("sealed.0")], &old.file[file_of("sealed.0")], sizeof old.file[0]);
	if (file_of("sealed.1") >= 0)
		mem.file[file_of("sealed.1")].used = 0;
	start();
	port.crypto = &c;
	assert_false(s.restored);
	assert_int_equal(get("owner.name", got), 0);
	assert_true(s.restored);
	assert_true(s.limit > 40);
}

static void a_wipe_cut_anywhere_leaves_nothing_that_opens(void **state)
{
	uint8_t b[128];
	char got[64];
	struct ctm_log_entry e[8];
	size_t n = 0;
	int cuts = 0;

	for (long cut = 0;; cut++) {
		int rc;

		fresh(NULL);
		assert_int_equal(put("wifi", "one"), 0);
		assert_int_equal(put("owner.name", "two"), 0);
		old = mem;
		mem_unplug_after(&mem, cut);
		rc = ctm_sealed_wipe(&s, b, sizeof b);
		mem_plug_in(&mem);
		start();
		if (!rc)
			break;
		cuts++;
		if (!s.wiping) {        /* nothing had begun, or all was done but the last word */
			assert_true(get("wifi", got) == 0 || file_of("seal-key") < 0);
			continue;
		}
		assert_int_equal(get("wifi", got), CTM_SDK_STATE);
		assert_int_equal(put("wifi", "x"), CTM_SDK_STATE);
		assert_int_equal(ctm_sealed_wipe(&s, b, sizeof b), 0);
		assert_int_equal(get("wifi", got), CTM_SDK_NONE);
	}
	print_message("%d power cuts\n", cuts);
	assert_true(cuts >= 6);
	assert_int_equal(file_of("s."), -1);
	/* What a thief had copied before does not open under the next key either. */
	assert_int_equal(put("owner.name", "new owner"), 0);
	for (int i = 0; i < MEM_FILES; i++)
		if (old.file[i].used && strncmp(old.file[i].name, "s.wifi", 6) == 0) {
			struct ctm_bytes part = { old.file[i].data, old.file[i].n };

			assert_int_equal(port.write(port.ctx, old.file[i].name, &part, 1), 0);
		}
	assert_int_equal(get("wifi", got), CTM_SDK_VERIFY);
	assert_int_equal(ctm_log_read(&events, 0, e, 8, &n), 0);
	assert_true(n >= 1);
	assert_string_equal(e[n - 1].event, "wipe");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_put_is_got_and_nothing_readable_lies_in_storage, fresh),
		cmocka_unit_test_setup(a_changed_or_renamed_record_does_not_open, fresh),
		cmocka_unit_test_setup(no_nonce_comes_twice_whatever_power_does, fresh),
		cmocka_unit_test_setup(old_storage_put_back_is_noticed_and_repeats_no_nonce, fresh),
		cmocka_unit_test_setup(a_wipe_cut_anywhere_leaves_nothing_that_opens, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
