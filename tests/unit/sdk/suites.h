/* SPDX-License-Identifier: Apache-2.0
 *
 * Outside vectors: found under $CTM_SUITES or ../shared/suites beside the source tree; a test whose suite is not there says so
 * and is skipped. JSON of the suites is read with jansson (integers as reals: some vectors exceed 63 bits).
 */
#ifndef TESTS_SDK_SUITES_H
#define TESTS_SDK_SUITES_H
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

static inline const char *suite_path(const char *rel, char *out, size_t cap)
{
	const char *root = getenv("CTM_SUITES");

	snprintf(out, cap, "%s/%s", root ? root : CTM_SUITES_DEFAULT, rel);
	return out;
}

static inline json_t *suite_json(const char *rel)
{
	char path[512];
	FILE *f = fopen(suite_path(rel, path, sizeof path), "rb");
	json_error_t e;
	json_t *j;

	if (!f) {
		print_message("skipped: outside vectors are not at %s\n", path);
		skip();
	}
	j = json_loadf(f, JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY, &e);
	fclose(f);
	assert_non_null(j);
	return j;
}

static inline size_t unhex(const char *s, uint8_t *out, size_t cap)
{
	size_t n = strlen(s) / 2;

	assert_true(n <= cap);
	for (size_t i = 0; i < n; i++) {
		unsigned v;

		assert_int_equal(sscanf(s + 2 * i, "%2x", &v), 1);
		out[i] = (uint8_t)v;
	}
	return n;
}

#endif
