/* SPDX-License-Identifier: Apache-2.0
 *
 * Records and settings: power may go inside any write and the contents are the old or the new ones; values outside the schema
 * are never in force (NIST IR 8259A, device configuration).
 */
#include "memport.h"
#include "ctm/config.h"

static struct mem mem;
static struct ctm_port port;

static int fresh(void **state)
{
	mem_new(&mem);
	port = mem_port(&mem);
	return 0;
}

static void record_is_old_or_new_after_any_power_cut(void **state)
{
	char got[32];
	size_t n;

	assert_int_equal(ctm_record_load(&port, "r", got, sizeof got, &n), CTM_SDK_NONE);
	assert_int_equal(ctm_record_store(&port, "r", "one", 3), 0);
	for (int round = 0; round < 40; round++) {
		int cut = round % 2, rc;
		char before[8], next[8];

		assert_int_equal(ctm_record_load(&port, "r", before, sizeof before, &n), 0);
		snprintf(next, sizeof next, "n%02d", round);
		mem_unplug_after(&mem, cut);
		rc = ctm_record_store(&port, "r", next, 3);
		mem_plug_in(&mem);
		assert_int_equal(ctm_record_load(&port, "r", got, sizeof got, &n), 0);
		assert_int_equal(n, 3);
		assert_memory_equal(got, rc ? before : next, 3);
		assert_int_equal(rc != 0, cut == 0);
	}
}

static void rotten_copy_falls_back_to_the_other(void **state)
{
	char got[8];
	size_t n;

	assert_int_equal(ctm_record_store(&port, "r", "one", 3), 0);
	assert_int_equal(ctm_record_store(&port, "r", "two", 3), 0);
	for (int i = 0; i < MEM_FILES; i++)
		if (mem.file[i].used && strcmp(mem.file[i].name, "r.1") == 0)
			mem.file[i].data[mem.file[i].n - 1] ^= 1;
	assert_int_equal(ctm_record_load(&port, "r", got, sizeof got, &n), 0);
	assert_memory_equal(got, "one", 3);
	assert_int_equal(ctm_record_load(&port, "r", got, 2, &n), CTM_SDK_TOOBIG);
	assert_int_equal(ctm_record_erase(&port, "r"), 0);
	assert_int_equal(ctm_record_load(&port, "r", got, sizeof got, &n), CTM_SDK_NONE);
}

static void an_erase_cut_short_never_brings_back_what_was_before(void **state)
{
	char got[8];
	size_t n;

	for (int stores = 2; stores < 4; stores++) {
		mem_new(&mem);
		assert_int_equal(ctm_record_store(&port, "r", "old", 3), 0);
		for (int i = 1; i < stores; i++)
			assert_int_equal(ctm_record_store(&port, "r", "new", 3), 0);
		mem_unplug_after(&mem, 1);
		assert_int_equal(ctm_record_erase(&port, "r"), CTM_SDK_STORAGE);
		mem_plug_in(&mem);
		assert_int_equal(ctm_record_load(&port, "r", got, sizeof got, &n), 0);
		assert_memory_equal(got, "new", 3);
	}
}

static const char *const modes[] = { "low", "high" };
static const struct ctm_setting schema[] = {
	{ .name = "live", .type = CTM_SET_BOOL, .first = { 1, "" }, .secure = { 0, "" } },
	{ .name = "days", .type = CTM_SET_INT, .min = 0, .max = 30, .first = { 7, "" }, .secure = { 7, "" } },
	{ .name = "name", .type = CTM_SET_TEXT, .min = 1, .max = 8, .first = { 0, "door" }, .secure = { 0, "door" } },
	{ .name = "mode", .type = CTM_SET_ENUM, .values = modes, .nvalues = 2, .writers = CTM_WRITER_PLATFORM | CTM_WRITER_OWNER },
};

static struct ctm_config load(void)
{
	struct ctm_config c = { .port = &port, .schema = schema, .n = 4 };

	assert_int_equal(ctm_config_load(&c), 0);
	return c;
}

static int set(struct ctm_config *c, const struct ctm_value *v, size_t *bad)
{
	return ctm_config_change(c, &(struct ctm_change){ .values = v, .writer = CTM_WRITER_OWNER }, bad);
}

static void settings_start_with_defaults_and_survive_a_restart(void **state)
{
	struct ctm_config c = load();
	struct ctm_value v[4];

	assert_int_equal(c.value[0].i, 1);
	assert_int_equal(c.value[1].i, 7);
	memcpy(v, c.value, sizeof v);
	v[1].i = 30;
	strcpy(v[2].text, "porch");
	assert_int_equal(set(&c, v, NULL), 0);
	c = load();
	assert_int_equal(c.value[1].i, 30);
	assert_string_equal(c.value[2].text, "porch");
	assert_int_equal(ctm_config_reset(&c), 0);
	c = load();
	assert_int_equal(c.value[0].i, 0);
	assert_int_equal(c.value[1].i, 7);
	assert_string_equal(c.value[2].text, "door");
	assert_int_equal(ctm_config_find(&c, "mode", 4), 3);
	assert_int_equal(ctm_config_find(&c, "nothing", 7), CTM_SDK_UNKNOWN);
}

static void one_bad_value_changes_nothing(void **state)
{
	static const struct { int at; struct ctm_value v; } bad[] = {
		{ 0, { 2, "" } }, { 1, { 31, "" } }, { 1, { -1, "" } }, { 2, { 0, "" } }, { 2, { 0, "123456789" } },
		{ 2, { 0, "a\nb" } }, { 2, { 0, "\xff" } }, { 3, { 2, "" } }, { 3, { -1, "" } },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ctm_config c = load();
		struct ctm_value v[4];
		size_t where = 99;

		memcpy(v, c.value, sizeof v);
		v[0].i = 0;
		v[bad[i].at] = bad[i].v;
		assert_int_equal(set(&c, v, &where), CTM_SDK_INPUT);
		assert_int_equal(where, bad[i].at);
		assert_int_equal(c.value[0].i, 1);
		c = load();
		assert_int_equal(c.value[0].i, 1);
	}
}

/* After an update the schema may be narrower: what no longer fits goes back to its default, the rest stays. */
static void stored_value_outside_a_new_schema_is_dropped(void **state)
{
	struct ctm_setting narrow[4];
	struct ctm_config c = load();
	struct ctm_value v[4];

	memcpy(v, c.value, sizeof v);
	v[1].i = 30;
	v[3].i = 1;
	assert_int_equal(set(&c, v, NULL), 0);
	memcpy(narrow, schema, sizeof narrow);
	narrow[1].max = 10;
	c.schema = narrow;
	assert_int_equal(ctm_config_load(&c), 0);
	assert_int_equal(c.value[1].i, 7);
	assert_int_equal(c.value[3].i, 1);
}

/* A version with more settings had run before. */
static void a_record_too_large_for_this_version_gives_the_defaults(void **state)
{
	static uint8_t large[CTM_CONFIG_BYTES + 1];
	struct ctm_config c;

	assert_int_equal(ctm_record_store(&port, "config", large, sizeof large), 0);
	c = load();
	assert_int_equal(c.value[1].i, 7);
	assert_int_equal(set(&c, c.value, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(record_is_old_or_new_after_any_power_cut, fresh),
		cmocka_unit_test_setup(rotten_copy_falls_back_to_the_other, fresh),
		cmocka_unit_test_setup(an_erase_cut_short_never_brings_back_what_was_before, fresh),
		cmocka_unit_test_setup(settings_start_with_defaults_and_survive_a_restart, fresh),
		cmocka_unit_test_setup(one_bad_value_changes_nothing, fresh),
		cmocka_unit_test_setup(stored_value_outside_a_new_schema_is_dropped, fresh),
		cmocka_unit_test_setup(a_record_too_large_for_this_version_gives_the_defaults, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
