/* SPDX-License-Identifier: Apache-2.0
 *
 * A private directory for targets whose parser reads files; gone when the process ends.
 */
#ifndef CTM_FUZZ_TEMP_H
#define CTM_FUZZ_TEMP_H
#include "base/file.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char temp_dir[64];

static inline int temp_rm(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static inline void temp_clear(void)
{
	if (temp_dir[0])
		nftw(temp_dir, temp_rm, 8, FTW_DEPTH | FTW_PHYS);
}

/* The directory, made at the first call. */
static inline const char *temp_open(void)
{
	if (!temp_dir[0]) {
		/* In memory where that is to be had: what is written durably is not the matter here. */
		snprintf(temp_dir, sizeof temp_dir, "%s/ctm-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
		if (!mkdtemp(temp_dir) || atexit(temp_clear))
			abort();
	}
	return temp_dir;
}

/* Bytes as the file `name` in it, not made durable; parents are made. */
static inline void temp_put(const char *name, const void *p, size_t n)
{
	char path[256], *slash;
	snprintf(path, sizeof path, "%s/%s", temp_open(), name);
	FILE *f = fopen(path, "wb");
	if (!f && (slash = strrchr(path, '/'))) {
		*slash = 0;
		if (ctm_mkdirs(path, 0700, NULL))
			abort();
		*slash = '/';
		f = fopen(path, "wb");
	}
	if (!f || fwrite(p, 1, n, f) != n || fclose(f))
		abort();
}
#endif
