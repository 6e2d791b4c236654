/* SPDX-License-Identifier: Apache-2.0
 *
 * A board of memory for fuzz targets: few records, two slots of a fixed size. Everything outside its bounds aborts.
 */
#ifndef TESTS_FUZZ_BOARD_H
#define TESTS_FUZZ_BOARD_H
#include "ctm/openssl.h"
#include "ctm/port.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOARD_RECORDS 12
#define BOARD_SLOT 8192

struct board {
	struct { char name[CTM_NAME_MAX + 4]; uint8_t data[CTM_RECORD_MAX + 64]; size_t n; } record[BOARD_RECORDS];
	uint8_t slot[CTM_SLOTS][BOARD_SLOT];
};

static inline void must(int ok)
{
	if (!ok)
		abort();
}

static inline int board_find(const struct board *b, const char *name)
{
	for (int i = 0; i < BOARD_RECORDS; i++)
		if (strcmp(b->record[i].name, name) == 0)
			return i;
	return -1;
}

static inline int board_read(void *ctx, const char *name, size_t at, void *buf, size_t cap, size_t *got)
{
	const struct board *b = ctx;
	int i = board_find(b, name);
	size_t left;

	if (i < 0)
		return CTM_SDK_NONE;
	left = at < b->record[i].n ? b->record[i].n - at : 0;
	*got = left < cap ? left : cap;
	if (*got)
		memcpy(buf, b->record[i].data + at, *got);
	return 0;
}

static inline int board_write(void *ctx, const char *name, const struct ctm_bytes *parts, size_t nparts)
{
	struct board *b = ctx;
	int i = board_find(b, name);

	if (i < 0)
		i = board_find(b, "");
	must(i >= 0 && strlen(name) < sizeof b->record[0].name);
	memcpy(b->record[i].name, name, strlen(name) + 1);
	b->record[i].n = 0;
	for (size_t k = 0; k < nparts; k++) {
		must(parts[k].n <= sizeof b->record[i].data - b->record[i].n);
		if (parts[k].n)
			memcpy(b->record[i].data + b->record[i].n, parts[k].p, parts[k].n);
		b->record[i].n += parts[k].n;
	}
	return 0;
}

static inline int board_erase(void *ctx, const char *name)
{
	struct board *b = ctx;
	int i = board_find(b, name);

	if (i >= 0)
		b->record[i].name[0] = 0;
	return 0;
}

static inline int board_slot_none(void *ctx, int slot)
{
	return 0;
}

static inline int board_slot_write(void *ctx, int slot, size_t at, const void *p, size_t n)
{
	must(slot >= 0 && slot < CTM_SLOTS && at <= BOARD_SLOT && n <= BOARD_SLOT - at);
	memcpy(((struct board *)ctx)->slot[slot] + at, p, n);
	return 0;
}

static inline int board_slot_read(void *ctx, int slot, size_t at, void *p, size_t cap, size_t *got)
{
	size_t left = at < BOARD_SLOT ? BOARD_SLOT - at : 0;

	must(slot >= 0 && slot < CTM_SLOTS);
	*got = left < cap ? left : cap;
	if (*got)
		memcpy(p, ((struct board *)ctx)->slot[slot] + at, *got);
	return 0;
}

static inline int64_t board_time(void *ctx)
{
	return 1000;
}

static inline struct ctm_port board_port(struct board *b)
{
	return (struct ctm_port){ .ctx = b, .crypto = ctm_openssl_crypto(), .read = board_read, .write = board_write, .erase = board_erase,
				  .slot_begin = board_slot_none, .slot_write = board_slot_write, .slot_sync = board_slot_none,
				  .slot_read = board_slot_read, .now_ms = board_time, .mono_ms = board_time };
}

#endif
