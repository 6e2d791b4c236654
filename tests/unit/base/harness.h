/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the lower rooms share: cmocka's includes, the place of outside vectors, a scratch directory per test
 * program that is gone afterwards.
 */
#ifndef TESTS_BASE_HARNESS_H
#define TESTS_BASE_HARNESS_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ftw.h>
#include <unistd.h>

#ifdef CTM_SUITES_DEFAULT
static inline const char *suite_path(const char *rel, char out[512])
{
	const char *root = getenv("CTM_SUITES");
	snprintf(out, 512, "%s/%s", root ? root : CTM_SUITES_DEFAULT, rel);
	if (access(out, R_OK) != 0) {
		print_message("skipped: outside vectors are not at %s\n", out);
		skip();
	}
	return out;
}
#endif

static inline int scratch_rm(const char *p, const struct stat *st, int flag, struct FTW *f) { return remove(p); }

/* Group setup and teardown: *state is the path of a fresh directory. */
static inline int scratch_new(void **state)
{
	char t[] = "/tmp/ctm-test-XXXXXX";
	*state = mkdtemp(t) ? strdup(t) : NULL;
	return *state ? 0 : -1;
}

static inline int scratch_gone(void **state)
{
	nftw(*state, scratch_rm, 16, FTW_DEPTH | FTW_PHYS);
	free(*state);
	return 0;
}

#endif
