/* SPDX-License-Identifier: Apache-2.0
 *
 * Deterministic CBOR against the examples of RFC 8949 Appendix A, and against what hostile bytes try. Rows of the appendix
 * that are outside our profile (floats, indefinite lengths, undefined and unassigned simple values) must be refused.
 */
#include "suites.h"
#include "ctm/cbor.h"

/* Outside the profile, by their encoding; everything else in the appendix must be taken. */
static int outside(const char *hex)
{
	static const char *const rows[] = {
		"f7", "f0", "f818", "f8ff",                                                 /* undefined, unassigned simple values */
		"5f", "7f", "9f", "bf", "83018202039f", "83019f", "826161bf",               /* indefinite */
		"f9", "fa", "fb", "c1fb",                                                   /* floats */
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strncmp(hex, rows[i], strlen(rows[i])) == 0)
			return 1;
	return 0;
}

static void same_value(struct ctm_cbor_r *r, const json_t *j, struct ctm_cbor_w *w)
{
	enum ctm_cbor_type t = ctm_cbor_peek(r);

	if (t == CTM_CBOR_UINT) {
		uint64_t v = ctm_cbor_uint(r);

		ctm_cbor_put_uint(w, v);
		if (j)
			assert_true((double)v == json_real_value(j));
	} else if (t == CTM_CBOR_NINT) {
		if (r->p[r->at] == 0x3b && r->p[r->at + 1] & 0x80) {
			/* -2^64 does not fit any integer of C: it is told, not wrapped */
			struct ctm_bytes raw;
			struct ctm_cbor_r copy = *r;

			ctm_cbor_int(&copy);
			assert_int_equal(copy.err, CTM_SDK_TOOBIG);
			raw = ctm_cbor_skip(r);
			ctm_cbor_put_raw(w, raw.p, raw.n);
		} else {
			int64_t v = ctm_cbor_int(r);

			ctm_cbor_put_int(w, v);
			if (j)
				assert_true((double)v == json_real_value(j));
		}
	} else if (t == CTM_CBOR_BYTES) {
		struct ctm_bytes b = ctm_cbor_bytes(r);

		ctm_cbor_put_bytes(w, b.p, b.n);
	} else if (t == CTM_CBOR_TEXT) {
		struct ctm_bytes b = ctm_cbor_text(r);

		ctm_cbor_put_text(w, (const char *)b.p, b.n);
		if (j) {
			assert_int_equal(b.n, json_string_length(j));
			assert_memory_equal(b.p, json_string_value(j), b.n);
		}
	} else if (t == CTM_CBOR_ARRAY) {
		size_t n = ctm_cbor_array(r);

		ctm_cbor_put_array(w, n);
		for (size_t i = 0; i < n; i++)
			same_value(r, j ? json_array_get(j, i) : NULL, w);
	} else if (t == CTM_CBOR_MAP) {
		size_t n = ctm_cbor_map(r);

		ctm_cbor_put_map(w, n);
		for (size_t i = 0; i < n; i++) {
			struct ctm_cbor_r k = *r;
			char key[64] = "";

			if (ctm_cbor_peek(&k) == CTM_CBOR_TEXT) {
				struct ctm_bytes b = ctm_cbor_text(&k);

				snprintf(key, sizeof key, "%.*s", (int)b.n, (const char *)b.p);
			}
			same_value(r, NULL, w);
			same_value(r, j ? json_object_get(j, key) : NULL, w);
		}
	} else if (t == CTM_CBOR_TAG) {
		ctm_cbor_put_tag(w, ctm_cbor_tag(r));
		same_value(r, NULL, w);
	} else if (r->p[r->at] == 0xf6) {
		ctm_cbor_null(r);
		ctm_cbor_put_null(w);
		if (j)
			assert_true(json_is_null(j));
	} else {
		int v = ctm_cbor_bool(r);

		ctm_cbor_put_bool(w, v);
		if (j)
			assert_int_equal(v, json_is_true(j));
	}
	assert_int_equal(r->err, 0);
}

static void rfc8949_appendix_a(void **state)
{
	json_t *all = suite_json("cbor/appendix_a.json"), *row;
	size_t i, in = 0, out = 0;

	json_array_foreach(all, i, row) {
		const char *hex = json_string_value(json_object_get(row, "hex"));
		json_t *decoded = json_object_get(row, "decoded");
		uint8_t bytes[256], again[256];
		size_t n = unhex(hex, bytes, sizeof bytes);
		struct ctm_cbor_r r = ctm_cbor_reader(bytes, n);
		struct ctm_cbor_w w = ctm_cbor_writer(again, sizeof again);

		if (outside(hex)) {
			out++;
			if (ctm_cbor_check(bytes, n) == 0)
				fail_msg("taken, though outside the profile: %s", hex);
			continue;
		}
		in++;
		if (ctm_cbor_check(bytes, n) != 0)
			fail_msg("refused: %s: %s", hex, ctm_sdk_text(ctm_cbor_check(bytes, n)));
		/* A bignum's tag and bytes are read as they stand; its decoded number is not ours to make. */
		same_value(&r, bytes[0] >> 5 == CTM_CBOR_TAG ? NULL : decoded, &w);
		assert_int_equal(ctm_cbor_end(&r), 0);
		assert_int_equal(ctm_cbor_done(&w), 0);
		assert_int_equal(w.len, n);
		assert_memory_equal(again, bytes, n);
	}
	print_message("RFC 8949 Appendix A: %zu in the profile, %zu outside and refused\n", in, out);
	assert_int_equal(in + out, 82);
	assert_int_equal(in, 44);
	json_decref(all);
}

static void refuses(const char *hex, int code)
{
	uint8_t b[128];
	size_t n = unhex(hex, b, sizeof b);
	int rc = ctm_cbor_check(b, n);

	if (rc != code)
		fail_msg("%s gives %s, expected %s", hex, ctm_sdk_name(rc), ctm_sdk_name(code));
}

/* RFC 8949 4.2.1: the shortest form, only. */
static void longer_forms_are_refused(void **state)
{
	refuses("1817", CTM_SDK_SYNTAX);
	refuses("190017", CTM_SDK_SYNTAX);
	refuses("1900ff", CTM_SDK_SYNTAX);
	refuses("1a0000ffff", CTM_SDK_SYNTAX);
	refuses("1b00000000ffffffff", CTM_SDK_SYNTAX);
	refuses("3817", CTM_SDK_SYNTAX);
	refuses("580161", CTM_SDK_SYNTAX);
	refuses("780161", CTM_SDK_SYNTAX);
	refuses("980101", CTM_SDK_SYNTAX);
	refuses("b8010101", CTM_SDK_SYNTAX);
	refuses("d80100", CTM_SDK_SYNTAX);
}

/* RFC 8949 4.2.1: keys in bytewise order of their encodings; 5.6: no key twice. */
static void map_keys_are_sorted_and_unique(void **state)
{
	uint8_t ok[] = { 0xa3, 0x01, 0x00, 0x20, 0x00, 0x61, 'a', 0x00 };

	assert_int_equal(ctm_cbor_check(ok, sizeof ok), 0);
	refuses("a202000100", CTM_SDK_SYNTAX);
	refuses("a201000100", CTM_SDK_SYNTAX);
	refuses("a2616200616100", CTM_SDK_SYNTAX);
	refuses("a262616100616200", CTM_SDK_SYNTAX);
	refuses("a1410000", CTM_SDK_UNSUPPORTED);
	refuses("a18000", CTM_SDK_UNSUPPORTED);
}

static void truncated_and_trailing_bytes_are_refused(void **state)
{
	refuses("", CTM_SDK_TRUNCATED);
	refuses("18", CTM_SDK_TRUNCATED);
	refuses("43aabb", CTM_SDK_TRUNCATED);
	refuses("8201", CTM_SDK_TRUNCATED);
	refuses("a101", CTM_SDK_TRUNCATED);
	refuses("5bffffffffffffffff", CTM_SDK_TRUNCATED);
	refuses("9bffffffffffffffff", CTM_SDK_TRUNCATED);
	refuses("bbffffffffffffffff", CTM_SDK_TRUNCATED);
	refuses("0000", CTM_SDK_SYNTAX);
	refuses("1c", CTM_SDK_SYNTAX);
	refuses("ff", CTM_SDK_SYNTAX);
}

static void text_must_be_utf8(void **state)
{
	refuses("61ff", CTM_SDK_SYNTAX);
	refuses("62c080", CTM_SDK_SYNTAX);
	refuses("63eda080", CTM_SDK_SYNTAX);
	refuses("64f4908080", CTM_SDK_SYNTAX);
	refuses("61c3", CTM_SDK_SYNTAX);
}

static void nesting_has_a_limit(void **state)
{
	uint8_t b[CTM_CBOR_DEPTH + 2];

	memset(b, 0x81, sizeof b);
	b[CTM_CBOR_DEPTH] = 0;
	assert_int_equal(ctm_cbor_check(b, CTM_CBOR_DEPTH + 1), 0);
	b[CTM_CBOR_DEPTH] = 0x81;
	b[CTM_CBOR_DEPTH + 1] = 0;
	assert_int_equal(ctm_cbor_check(b, CTM_CBOR_DEPTH + 2), CTM_SDK_UNSUPPORTED);
}

static void writer_says_when_its_buffer_or_its_order_is_wrong(void **state)
{
	uint8_t b[8];
	struct ctm_cbor_w w = ctm_cbor_writer(b, 4);

	ctm_cbor_put_bytes(&w, "12345", 5);
	assert_int_equal(ctm_cbor_done(&w), CTM_SDK_TOOBIG);
	w = ctm_cbor_writer(b, sizeof b);
	ctm_cbor_put_map(&w, 2);
	ctm_cbor_put_uint(&w, 2);
	ctm_cbor_put_uint(&w, 0);
	ctm_cbor_put_uint(&w, 1);
	ctm_cbor_put_uint(&w, 0);
	assert_int_equal(ctm_cbor_done(&w), CTM_SDK_SYNTAX);
	w = ctm_cbor_writer(b, sizeof b);
	ctm_cbor_put_text(&w, "\xff", 1);
	assert_int_equal(ctm_cbor_done(&w), CTM_SDK_INPUT);
}

static void reader_failure_is_sticky(void **state)
{
	uint8_t b[] = { 0x82, 0x01, 0x61, 'a' };
	struct ctm_cbor_r r = ctm_cbor_reader(b, sizeof b);

	assert_int_equal(ctm_cbor_array(&r), 2);
	assert_int_equal(ctm_cbor_text(&r).n, 0);
	assert_int_equal(ctm_cbor_uint(&r), 0);
	assert_int_equal(ctm_cbor_peek(&r), CTM_CBOR_BAD);
	assert_int_equal(ctm_cbor_end(&r), CTM_SDK_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc8949_appendix_a),
		cmocka_unit_test(longer_forms_are_refused),
		cmocka_unit_test(map_keys_are_sorted_and_unique),
		cmocka_unit_test(truncated_and_trailing_bytes_are_refused),
		cmocka_unit_test(text_must_be_utf8),
		cmocka_unit_test(nesting_has_a_limit),
		cmocka_unit_test(writer_says_when_its_buffer_or_its_order_is_wrong),
		cmocka_unit_test(reader_failure_is_sticky),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
