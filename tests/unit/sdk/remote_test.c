/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings on trial and settings from afar: what is tried comes back by itself unless the device says that it is well, by the
 * clock and by starts; a signed configuration and a signed reset work once, for this device, and only for what they may change
 * (NIST IR 8259A, device configuration).
 */
#include "release.h"
#include "ctm/remote.h"

static struct mem mem;
static struct ctm_port port;
static struct ctm_config c;
static struct ctm_remote r;
static struct ctm_timefloor t;
static EVP_PKEY *key, *stranger;

static const char *const modes[] = { "low", "high" };
static const struct ctm_setting schema[] = {
	{ .name = "live", .type = CTM_SET_BOOL, .first = { 1, "" }, .secure = { 0, "" }, .writers = CTM_WRITER_OWNER | CTM_WRITER_PLATFORM },
	{ .name = "days", .type = CTM_SET_INT, .min = -5, .max = 30, .first = { 7, "" }, .secure = { 7, "" }, .writers = CTM_WRITER_PLATFORM },
	{ .name = "name", .type = CTM_SET_TEXT, .min = 1, .max = 8, .first = { 0, "door" }, .secure = { 0, "door" }, .privacy = CTM_PRIVACY_PERSONAL },
	{ .name = "mode", .type = CTM_SET_ENUM, .values = modes, .nvalues = 2, .writers = CTM_WRITER_PLATFORM },
};

static void start(void)
{
	port = mem_port(&mem);
	t = (struct ctm_timefloor){ .port = &port, .build_s = 1700000000 };
	c = (struct ctm_config){ .port = &port, .schema = schema, .n = 4 };
	r = (struct ctm_remote){ .port = &port, .config = &c, .time = &t, .serial = "PC1-0001", .cohort = "beta" };
	raw_key(key, r.key, &r.keylen);
	assert_int_equal(ctm_timefloor_load(&t), 0);
	assert_int_equal(ctm_config_load(&c), 0);
	assert_int_equal(ctm_remote_load(&r), 0);
}

static int fresh(void **state)
{
	mem_new(&mem);
	start();
	return 0;
}

static int change(enum ctm_writer writer, int64_t live, int64_t days, uint32_t trial_s)
{
	struct ctm_value v[4];

	memcpy(v, c.value, sizeof v);
	v[0].i = live;
	v[1].i = days;
	return ctm_config_change(&c, &(struct ctm_change){ .values = v, .writer = writer, .trial_s = trial_s }, NULL);
}

static void each_setting_says_who_may_write_it(void **state)
{
	assert_int_equal(change(CTM_WRITER_OWNER, 0, 7, 0), 0);
	assert_int_equal(change(CTM_WRITER_OWNER, 0, 8, 0), CTM_SDK_AUTH);
	assert_int_equal(change(CTM_WRITER_PLATFORM, 1, 8, 0), 0);
	assert_int_equal(change(CTM_WRITER_PLATFORM, 1, 31, 0), CTM_SDK_INPUT);
	start();
	assert_int_equal(c.value[1].i, 8);
}

static void a_trial_that_is_confirmed_stays(void **state)
{
	assert_int_equal(change(CTM_WRITER_PLATFORM, 0, -5, 60), 0);
	assert_int_equal(c.value[1].i, -5);
	assert_true(c.on_trial);
	mem.mono += 59000;
	assert_int_equal(ctm_config_tick(&c), 0);
	assert_int_equal(ctm_config_confirm(&c), 0);
	assert_int_equal(ctm_config_confirm(&c), CTM_SDK_STATE);
	mem.mono += 100000;
	assert_int_equal(ctm_config_tick(&c), 0);
	for (int i = 0; i < CTM_CONFIG_BOOTS + 2; i++)
		start();
	assert_int_equal(c.value[1].i, -5);
	assert_int_equal(c.value[0].i, 0);
}

static void a_trial_ends_with_the_time(void **state)
{
	assert_int_equal(change(CTM_WRITER_PLATFORM, 0, 20, 60), 0);
	start();
	assert_true(c.on_trial);
	assert_int_equal(c.value[1].i, 20);
	mem.mono += 60000;
	assert_int_equal(ctm_config_tick(&c), 1);
	assert_int_equal(c.value[1].i, 7);
	assert_int_equal(c.value[0].i, 1);
	start();
	assert_false(c.on_trial);
	assert_int_equal(c.value[1].i, 7);
}

static void a_trial_ends_with_its_starts(void **state)
{
	assert_int_equal(change(CTM_WRITER_PLATFORM, 0, 20, 60), 0);
	for (int i = 0; i < CTM_CONFIG_BOOTS; i++) {
		start();
		assert_true(c.on_trial && !c.reverted);
		assert_int_equal(c.value[1].i, 20);
	}
	start();
	assert_true(!c.on_trial && c.reverted);
	assert_int_equal(c.value[1].i, 7);
	start();
	assert_true(!c.on_trial && !c.reverted);
}

/* What is kept during a trial ends the trial, and a second trial replaces the first. */
static void trials_do_not_pile_up(void **state)
{
	assert_int_equal(change(CTM_WRITER_PLATFORM, 0, 20, 60), 0);
	assert_int_equal(change(CTM_WRITER_PLATFORM, 0, 21, 60), 0);
	start();
	assert_int_equal(c.value[1].i, 21);
	assert_int_equal(change(CTM_WRITER_OWNER, 1, 21, 0), 0);
	start();
	assert_false(c.on_trial);
	assert_int_equal(c.value[0].i, 1);
	assert_int_equal(c.value[1].i, 21);
}

static int holds(const char *text)
{
	for (int i = 0; i < MEM_FILES; i++)
		for (size_t at = 0; mem.file[i].used && at + strlen(text) <= mem.file[i].n; at++)
			if (memcmp(mem.file[i].data + at, text, strlen(text)) == 0)
				return 1;
	return 0;
}

static void a_reset_leaves_no_copy_of_what_the_owner_had_set(void **state)
{
	struct ctm_value v[4];

	memcpy(v, c.value, sizeof v);
	strcpy(v[2].text, "Lilly");
	assert_int_equal(ctm_config_change(&c, &(struct ctm_change){ .values = v, .writer = CTM_WRITER_OWNER, .trial_s = 60 }, NULL), 0);
	assert_int_equal(ctm_config_confirm(&c), 0);
	assert_true(holds("Lilly"));
	assert_int_equal(ctm_config_reset(&c), 0);
	assert_false(holds("Lilly"));
	start();
	assert_string_equal(c.value[2].text, "door");
	assert_int_equal(c.value[0].i, 0);
}

struct doc {
	const char *format, *device, *type;
	uint64_t number;
	int64_t not_after_s;
	const char *name;               /* NULL: no settings */
	int64_t value;
	const char *word;               /* instead of the value */
	uint32_t trial_s;
	EVP_PKEY *signer;
};

static size_t write_doc(struct doc d, uint8_t *msg, size_t cap)
{
	uint8_t payload[512];
	struct ctm_cbor_w w = ctm_cbor_writer(payload, sizeof payload);

	ctm_cbor_put_map(&w, 4u + (d.name != NULL) + (d.trial_s != 0));
	ctm_cbor_put_uint(&w, 1);
	ctm_cbor_put_str(&w, d.format);
	ctm_cbor_put_uint(&w, 2);
	ctm_cbor_put_str(&w, d.device ? d.device : "PC1-0001");
	ctm_cbor_put_uint(&w, 3);
	ctm_cbor_put_uint(&w, d.number);
	ctm_cbor_put_uint(&w, 4);
	ctm_cbor_put_int(&w, d.not_after_s ? d.not_after_s : mem.now / 1000 + 60);
	if (d.name) {
		ctm_cbor_put_uint(&w, 5);
		ctm_cbor_put_array(&w, 2);
		ctm_cbor_put_str(&w, d.name);
		if (d.word)
			ctm_cbor_put_str(&w, d.word);
		else
			ctm_cbor_put_int(&w, d.value);
	}
	if (d.trial_s) {
		ctm_cbor_put_uint(&w, 6);
		ctm_cbor_put_uint(&w, d.trial_s);
	}
	assert_int_equal(ctm_cbor_done(&w), 0);
	return sign_as(d.signer ? d.signer : key, d.type, payload, w.len, msg, cap);
}

static int config_doc(struct doc d, const char **why)
{
	uint8_t msg[1024];

	d.format = "ctm.config/1";
	d.type = d.type ? d.type : CTM_REMOTE_CONFIG;
	return ctm_remote_config(&r, msg, write_doc(d, msg, sizeof msg), why);
}

static int reset_doc(struct doc d, const char **why)
{
	uint8_t msg[1024];

	d.format = "ctm.reset/1";
	d.type = CTM_REMOTE_RESET;
	return ctm_remote_reset(&r, msg, write_doc(d, msg, sizeof msg), why);
}

#define REFUSED(call, code, word) do { why = ""; assert_int_equal(call, code); assert_string_equal(why, word); } while (0)

static void a_signed_configuration_is_tried_and_taken_once(void **state)
{
	const char *why = "";
	const struct doc good = { .number = 3, .name = "days", .value = 20, .trial_s = 90 };
	struct doc d = good;

	d.signer = stranger;
	REFUSED(config_doc(d, &why), CTM_SDK_VERIFY, "signature");
	d = good;
	d.device = "PC1-0002";
	REFUSED(config_doc(d, &why), CTM_SDK_OTHER, "device");
	d = good;
	d.not_after_s = mem.now / 1000 - 1;
	REFUSED(config_doc(d, &why), CTM_SDK_OLDER, "expired");
	d = good;
	d.value = 31;
	REFUSED(config_doc(d, &why), CTM_SDK_INPUT, "setting");
	d = good;
	d.name = "nothing";
	REFUSED(config_doc(d, &why), CTM_SDK_UNKNOWN, "setting");
	d = good;
	d.name = "name";
	d.word = "mine";
	REFUSED(config_doc(d, &why), CTM_SDK_AUTH, "setting");
	d = good;
	d.type = CTM_REMOTE_RESET;
	REFUSED(config_doc(d, &why), CTM_SDK_UNSUPPORTED, "document");
	assert_int_equal(c.value[1].i, 7);
	assert_int_equal(config_doc(good, &why), 0);
	assert_true(c.on_trial);
	assert_int_equal(c.trial_s, 90);
	REFUSED(config_doc(good, &why), CTM_SDK_OLDER, "number");
	/* Not confirmed: back, and the same document does not start it again. */
	mem.mono += 90000;
	assert_int_equal(ctm_config_tick(&c), 1);
	REFUSED(config_doc(good, &why), CTM_SDK_OLDER, "number");
	start();
	REFUSED(config_doc(good, &why), CTM_SDK_OLDER, "number");
	d = good;
	d.number = 4;
	d.device = "beta";
	d.name = "mode";
	d.word = "high";
	d.trial_s = 0;
	assert_int_equal(config_doc(d, &why), 0);
	assert_int_equal(c.trial_s, CTM_CONFIG_TRIAL_S);
	assert_int_equal(c.value[3].i, 1);
	assert_int_equal(ctm_config_confirm(&c), 0);
	assert_int_equal(ctm_config_reset(&c), 0);
	start();
	assert_int_equal(c.value[3].i, 0);
	REFUSED(config_doc(d, &why), CTM_SDK_OLDER, "number");
}

static void a_signed_reset_happens_once_even_through_a_power_cut(void **state)
{
	const char *why = "";
	const struct doc good = { .number = 9 };
	struct doc d = good;

	d.device = "beta";
	REFUSED(reset_doc(d, &why), CTM_SDK_OTHER, "device");
	d = good;
	d.signer = stranger;
	REFUSED(reset_doc(d, &why), CTM_SDK_VERIFY, "signature");
	d = good;
	d.name = "days";
	REFUSED(reset_doc(d, &why), CTM_SDK_UNSUPPORTED, "document");
	assert_int_equal(reset_doc(good, &why), 0);
	start();
	assert_true(r.reset_pending);
	REFUSED(reset_doc(good, &why), CTM_SDK_OLDER, "number");
	assert_int_equal(ctm_remote_reset_done(&r), 0);
	start();
	assert_false(r.reset_pending);
	REFUSED(reset_doc(good, &why), CTM_SDK_OLDER, "number");
	d.number = 10;
	d.name = NULL;
	assert_int_equal(reset_doc(d, &why), 0);
}

static void documents_are_read_strictly(void **state)
{
	uint8_t msg[1024];
	struct ctm_remote_doc out;
	struct ctm_cose1 m;
	struct doc d = { .format = "ctm.config/1", .type = CTM_REMOTE_CONFIG, .number = 1, .name = "days", .value = 1 };

	assert_int_equal(ctm_cose_sign1_peek(msg, write_doc(d, msg, sizeof msg), &m), 0);
	assert_int_equal(ctm_remote_decode(m.payload, m.payloadlen, false, &out), 0);
	assert_int_equal(ctm_remote_decode(m.payload, m.payloadlen, true, &out), CTM_SDK_UNSUPPORTED);
	for (size_t n = 0; n < m.payloadlen; n++)
		assert_int_not_equal(ctm_remote_decode(m.payload, n, false, &out), 0);
	d.number = 0;
	assert_int_equal(ctm_cose_sign1_peek(msg, write_doc(d, msg, sizeof msg), &m), 0);
	assert_int_equal(ctm_remote_decode(m.payload, m.payloadlen, false, &out), CTM_SDK_INPUT);
	d.number = 1;
	d.trial_s = CTM_REMOTE_TRIAL_MAX + 1;
	assert_int_equal(ctm_cose_sign1_peek(msg, write_doc(d, msg, sizeof msg), &m), 0);
	assert_int_equal(ctm_remote_decode(m.payload, m.payloadlen, false, &out), CTM_SDK_INPUT);
}

static int setup(void **state)
{
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	stranger = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return key && stranger ? 0 : -1;
}

static int teardown(void **state)
{
	EVP_PKEY_free(key);
	EVP_PKEY_free(stranger);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_setting_says_who_may_write_it, fresh),
		cmocka_unit_test_setup(a_trial_that_is_confirmed_stays, fresh),
		cmocka_unit_test_setup(a_trial_ends_with_the_time, fresh),
		cmocka_unit_test_setup(a_trial_ends_with_its_starts, fresh),
		cmocka_unit_test_setup(trials_do_not_pile_up, fresh),
		cmocka_unit_test_setup(a_reset_leaves_no_copy_of_what_the_owner_had_set, fresh),
		cmocka_unit_test_setup(a_signed_configuration_is_tried_and_taken_once, fresh),
		cmocka_unit_test_setup(a_signed_reset_happens_once_even_through_a_power_cut, fresh),
		cmocka_unit_test_setup(documents_are_read_strictly, fresh),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
