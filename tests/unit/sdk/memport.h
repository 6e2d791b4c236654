/* SPDX-License-Identifier: Apache-2.0
 *
 * A board made of memory, with a power switch: after `power_after` more changes to storage the next one is torn (half written)
 * and everything after fails, until the test "plugs it in" again. Time moves only when a test moves it.
 */
#ifndef TESTS_SDK_MEMPORT_H
#define TESTS_SDK_MEMPORT_H
#include "suites.h"
#include "ctm/openssl.h"
#include "ctm/port.h"

#define MEM_FILES 96
#define MEM_IMAGE (200 << 10)

struct mem {
	struct { char name[32]; uint8_t data[CTM_RECORD_MAX + 64]; size_t n; int used; } file[MEM_FILES];
	struct { uint8_t data[MEM_IMAGE]; size_t n; } slot[CTM_SLOTS];
	long power_after;       /* -1: never */
	long changes;
	int64_t mono, now;
	int flip;               /* the next slot write stores a wrong bit */
};

/* 0 go on, 1 tear this change, -1 no power. */
static inline int mem_power(struct mem *m)
{
	if (m->power_after < 0) {
		m->changes++;
		return 0;
	}
	if (m->changes++ < m->power_after)
		return 0;
	return m->changes == m->power_after + 1 ? 1 : -1;
}

static inline int mem_find(const struct mem *m, const char *name)
{
	for (int i = 0; i < MEM_FILES; i++)
		if (m->file[i].used && strcmp(m->file[i].name, name) == 0)
			return i;
	return -1;
}

static inline int mem_read(void *ctx, const char *name, size_t at, void *buf, size_t cap, size_t *got)
{
	struct mem *m = ctx;
	int i = mem_find(m, name);
	size_t left;

	if (i < 0)
		return CTM_SDK_NONE;
	left = at < m->file[i].n ? m->file[i].n - at : 0;
	*got = left < cap ? left : cap;
	if (*got)
		memcpy(buf, m->file[i].data + at, *got);
	return 0;
}

static inline int mem_write(void *ctx, const char *name, const struct ctm_bytes *parts, size_t nparts)
{
	struct mem *m = ctx;
	uint8_t whole[sizeof m->file[0].data];
	size_t n = 0;
	int at = mem_find(m, name), p = mem_power(m);

	if (p < 0)
		return CTM_SDK_STORAGE;
	for (size_t i = 0; i < nparts; i++) {
		assert_true(parts[i].n <= sizeof whole - n);
		if (parts[i].n)
			memcpy(whole + n, parts[i].p, parts[i].n);
		n += parts[i].n;
	}
	for (int i = 0; i < MEM_FILES && at < 0; i++)
		if (!m->file[i].used) {
			at = i;
			m->file[at].n = 0;
		}
	assert_true(at >= 0 && strlen(name) < 32);
	m->file[at].used = 1;
	snprintf(m->file[at].name, sizeof m->file[at].name, "%s", name);
	if (p > 0) {
		memcpy(m->file[at].data, whole, n / 2);
		m->file[at].n = n / 2 > m->file[at].n ? n / 2 : m->file[at].n;
		return CTM_SDK_STORAGE;
	}
	memcpy(m->file[at].data, whole, n);
	m->file[at].n = n;
	return 0;
}

static inline int mem_erase(void *ctx, const char *name)
{
	struct mem *m = ctx;

	if (mem_power(m))
		return CTM_SDK_STORAGE;
	if (mem_find(m, name) >= 0)
		m->file[mem_find(m, name)].used = 0;
	return 0;
}

static inline int mem_slot_begin(void *ctx, int slot)
{
	struct mem *m = ctx;

	if (mem_power(m))
		return CTM_SDK_STORAGE;
	m->slot[slot].n = 0;
	return 0;
}

static inline int mem_slot_write(void *ctx, int slot, size_t at, const void *p, size_t n)
{
	struct mem *m = ctx;
	int power = mem_power(m);

	if (power < 0)
		return CTM_SDK_STORAGE;
	assert_true(at + n <= MEM_IMAGE && at <= m->slot[slot].n);
	memcpy(m->slot[slot].data + at, p, power ? n / 2 : n);
	m->slot[slot].n = at + (power ? n / 2 : n);
	if (m->flip) {
		m->slot[slot].data[at] ^= 1;
		m->flip = 0;
	}
	return power ? CTM_SDK_STORAGE : 0;
}

static inline int mem_slot_sync(void *ctx, int slot)
{
	return mem_power(ctx) ? CTM_SDK_STORAGE : 0;
}

static inline int mem_slot_read(void *ctx, int slot, size_t at, void *p, size_t cap, size_t *got)
{
	struct mem *m = ctx;
	size_t left = at < m->slot[slot].n ? m->slot[slot].n - at : 0;

	*got = left < cap ? left : cap;
	if (*got)
		memcpy(p, m->slot[slot].data + at, *got);
	return 0;
}

static inline int64_t mem_now(void *ctx)
{
	return ((struct mem *)ctx)->now;
}

static inline int64_t mem_mono(void *ctx)
{
	return ((struct mem *)ctx)->mono;
}

/* Fast on purpose: what is tested here is not the hash. */
static inline int mem_kdf(void *ctx, const void *pw, size_t n, const uint8_t salt[CTM_SALT_BYTES], uint8_t out[CTM_HASH_BYTES])
{
	uint8_t b[CTM_SALT_BYTES + 256];

	assert_true(n <= 256);
	memcpy(b, salt, CTM_SALT_BYTES);
	memcpy(b + CTM_SALT_BYTES, pw, n);
	return ctm_sdk_sha256(ctm_openssl_crypto(), b, CTM_SALT_BYTES + n, out);
}

/* The storage key of this board; destroying it counts as a change to storage. */
static inline int mem_seal_key(void *ctx, int make, uint8_t key[CTM_AEAD_KEY])
{
	struct mem *m = ctx;
	size_t n = 0;
	uint8_t k[CTM_AEAD_KEY];
	struct ctm_bytes part = { k, sizeof k };
	int rc;

	if (make < 0)
		return mem_erase(ctx, "seal-key");
	rc = mem_read(ctx, "seal-key", 0, k, sizeof k, &n);
	if (rc == CTM_SDK_NONE && make) {
		rc = ctm_openssl_crypto()->random(k, sizeof k);
		if (!rc)
			rc = mem_write(m, "seal-key", &part, 1);
	}
	if (!rc)
		memcpy(key, k, sizeof k);
	return rc;
}

static inline int mem_no_sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	return CTM_SDK_NONE;
}

static inline struct ctm_port mem_port(struct mem *m)
{
	struct ctm_port p = {
		.ctx = m, .crypto = ctm_openssl_crypto(), .read = mem_read, .write = mem_write, .erase = mem_erase,
		.slot_begin = mem_slot_begin, .slot_write = mem_slot_write, .slot_sync = mem_slot_sync, .slot_read = mem_slot_read,
		.now_ms = mem_now, .mono_ms = mem_mono, .kdf = mem_kdf, .sign = mem_no_sign, .seal_key = mem_seal_key,
	};

	return p;
}

static inline void mem_new(struct mem *m)
{
	memset(m, 0, sizeof *m);
	m->power_after = -1;
	m->now = 1800000000000;
	m->mono = 1000;
}

/* Power back on. */
static inline void mem_plug_in(struct mem *m)
{
	m->power_after = -1;
	m->changes = 0;
}

static inline void mem_unplug_after(struct mem *m, long changes)
{
	m->power_after = changes;
	m->changes = 0;
}

#endif
