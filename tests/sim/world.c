/* SPDX-License-Identifier: Apache-2.0
 *
 * Storage that may lose power: see world.h.
 */
#include "world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long crash_points, pair_points, broken;

void world_broken(const struct world *w, const char *what)
{
	if (broken++ < 5)
		printf("%s: %s\n  power went:%s\n", w->scenario, what, w->where);
}

/* ---- toy crypto ---- */

static uint64_t mix(uint64_t h, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h ^ h >> 29;
}

static int toy_init(struct ctm_hash *h)
{
	h->opaque[0] = 0xcbf29ce484222325u;
	return 0;
}

static int toy_update(struct ctm_hash *h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h->opaque[0] = (h->opaque[0] ^ b[i]) * 0x100000001b3u;
	return 0;
}

static int toy_final(struct ctm_hash *h, uint8_t out[CTM_HASH_BYTES])
{
	uint64_t v = h->opaque[0];

	for (int i = 0; i < 4; i++) {
		v = (v ^ v >> 31) * 0x9e3779b97f4a7c15u;
		memcpy(out + 8 * i, &v, 8);
	}
	return 0;
}

/* A "signature" is a hash under the public key: whoever runs the simulation is the signer. */
static void toy_sum(const uint8_t *pub, size_t publen, const struct ctm_bytes *parts, size_t nparts, uint8_t sig[CTM_SIG_BYTES])
{
	uint64_t h = mix(1, pub, publen);

	for (size_t i = 0; i < nparts; i++)
		for (size_t k = 0; k < parts[i].n; k++)
			h = (h ^ parts[i].p[k]) * 0x100000001b3u;
	memset(sig, 0, CTM_SIG_BYTES);
	memcpy(sig, &h, 8);
}

static int toy_verify(int alg, const uint8_t *pub, size_t publen, const struct ctm_bytes *parts, size_t nparts, const uint8_t sig[CTM_SIG_BYTES])
{
	uint8_t want[CTM_SIG_BYTES];

	toy_sum(pub, publen, parts, nparts, want);
	return memcmp(want, sig, sizeof want) == 0 ? 0 : CTM_SDK_VERIFY;
}

int toy_sign(void *key, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	const struct ctm_bytes all = { tbs, n };

	toy_sum(key, 32, &all, 1, sig);
	return 0;
}

static uint32_t toy_dice = 1;

static int toy_random(void *out, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		toy_dice = toy_dice * 1664525u + 1013904223u;
		((uint8_t *)out)[i] = (uint8_t)(toy_dice >> 24);
	}
	return 0;
}

static void toy_tag(const uint8_t *key, const uint8_t *nonce, struct ctm_bytes ad, const uint8_t *sealed, size_t n, uint8_t tag[CTM_AEAD_TAG])
{
	uint64_t h = mix(mix(mix(mix(2, key, CTM_AEAD_KEY), nonce, CTM_AEAD_NONCE), ad.p, ad.n), sealed, n);

	memcpy(tag, &h, 8);
	memcpy(tag + 8, &h, 8);
}

static void toy_stream(const uint8_t *key, const uint8_t *nonce, const uint8_t *in, size_t n, uint8_t *out)
{
	uint64_t h = mix(mix(3, key, CTM_AEAD_KEY), nonce, CTM_AEAD_NONCE);

	for (size_t i = 0; i < n; i++) {
		h = h * 6364136223846793005u + 1442695040888963407u;
		out[i] = (uint8_t)(in[i] ^ h >> 56);
	}
}

static int toy_seal(const uint8_t *key, const uint8_t *nonce, struct ctm_bytes ad, const uint8_t *in, size_t n, uint8_t *out)
{
	toy_stream(key, nonce, in, n, out);
	toy_tag(key, nonce, ad, out, n, out + n);
	return 0;
}

static int toy_open(const uint8_t *key, const uint8_t *nonce, struct ctm_bytes ad, const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t tag[CTM_AEAD_TAG];

	if (n < CTM_AEAD_TAG)
		return CTM_SDK_VERIFY;
	toy_tag(key, nonce, ad, in, n - CTM_AEAD_TAG, tag);
	if (memcmp(tag, in + n - CTM_AEAD_TAG, sizeof tag) != 0)
		return CTM_SDK_VERIFY;
	toy_stream(key, nonce, in, n - CTM_AEAD_TAG, out);
	return 0;
}

const struct ctm_crypto toy_crypto = {
	.can = CTM_CAN_EDDSA | CTM_CAN_ES256 | CTM_CAN_AEAD, .sha256_init = toy_init, .sha256_update = toy_update, .sha256_final = toy_final,
	.verify = toy_verify, .random = toy_random, .seal = toy_seal, .open = toy_open,
};

/* ---- what is found after the power went ---- */

static uint8_t noise(size_t i)
{
	return (uint8_t)((i + 11) * 2654435761u >> 13);
}

/* Which of the operations since the last sync reached the slot. */
enum kept { KEPT_ALL, KEPT_NONE, KEPT_ALL_BUT_LAST, KEPT_ALL_BUT_FIRST, KEPT_LAST, KEPT_FIRST, KEPT_EVEN, KEPT_ODD, KEPT_RANDOM, KEPT_KINDS };

static bool is_kept(enum kept kind, size_t i, size_t n, unsigned salt)
{
	switch (kind) {
	case KEPT_ALL: return true;
	case KEPT_NONE: return false;
	case KEPT_ALL_BUT_LAST: return i + 1 < n;
	case KEPT_ALL_BUT_FIRST: return i > 0;
	case KEPT_LAST: return i + 1 == n;
	case KEPT_FIRST: return i == 0;
	case KEPT_EVEN: return i % 2 == 0;
	case KEPT_ODD: return i % 2 == 1;
	default: return noise(i * 31 + salt) & 1;
	}
}

static void unsynced(struct slot *s, enum kept kind, unsigned salt)
{
	uint8_t left[WORLD_SLOT];

	memcpy(left, s->synced, sizeof left);
	for (size_t i = 0; i < s->ops; i++) {
		if (!is_kept(kind, i, s->ops, salt))
			continue;
		if (s->op[i].n)
			memcpy(left + s->op[i].at, s->now + s->op[i].at, s->op[i].n);
		else
			memset(left, 0xff, sizeof left);
	}
	memcpy(s->synced, left, sizeof left);
	memcpy(s->now, left, sizeof left);
	s->ops = 0;
}

static bool any_unsynced(const struct world *w)
{
	return w->slot[0].ops || w->slot[1].ops;
}

/* The copy loses power with these choices; a device starts on it. */
static void cut(const struct world *w, struct world *copy, enum kept kind, const char *what, int variant)
{
	size_t used = strlen(copy->where);

	for (int i = 0; i < CTM_SLOTS; i++)
		unsynced(&copy->slot[i], kind, (unsigned)w->op);
	snprintf(copy->where + used, sizeof copy->where - used, " op %d %s/%d/%d;", w->op, what, variant, (int)kind);
	copy->cuts--;
	copy->mono = 1000;
	crash_points++;
	pair_points += used != 0;
	copy->judge(copy);
}

/* One place per depth: a copy is done with before the next is made. */
static struct world *copy_of(const struct world *w)
{
	static struct world room[MAX_CUTS];

	memcpy(&room[w->cuts - 1], w, sizeof *w);
	return &room[w->cuts - 1];
}

static struct record *find(struct world *w, const char *name)
{
	for (int i = 0; i < WORLD_RECORDS; i++)
		if (strcmp(w->record[i].name, name) == 0)
			return &w->record[i];
	return NULL;
}

static struct record *place(struct world *w, const char *name)
{
	struct record *r = find(w, name);

	if (!r && (r = find(w, ""))) {
		snprintf(r->name, sizeof r->name, "%s", name);
		r->n = 0;
	}
	if (!r) {
		world_broken(w, "storage leaked: there is no place for one more record");
		exit(1);
	}
	return r;
}

static size_t torn_at(int i, size_t n)
{
	const size_t at[] = { 1, 4, 5, 12, 15, 16, 17, 47, 48, 49, n / 4, n / 2, n - n / 4, n - 1 };

	return at[i] < n ? at[i] : n - 1;
}

#define TEARS 14
#define RECORD_VARIANTS (2 + 3 * TEARS + 3)

/* What a record is after power went inside its write; the new contents are in `next`. */
static void record_variant(struct world *w, const char *name, const uint8_t *next, size_t n, int v)
{
	struct record *r;
	size_t k, was;

	if (v == 0)
		return;
	r = place(w, name);
	was = r->n;
	if (v == 1) {
		memcpy(r->data, next, n);
		r->n = (uint16_t)n;
		return;
	}
	v -= 2;
	if (v >= 3 * TEARS) {
		r->n = (uint16_t)(v == 3 * TEARS ? 0 : n);
		for (size_t i = 0; i < n; i++)
			r->data[i] = v == 3 * TEARS + 1 ? 0xff : noise(i);
		return;
	}
	k = torn_at(v % TEARS, n);
	memcpy(r->data, next, k);
	if (v / TEARS == 0) {           /* over the old bytes */
		r->n = (uint16_t)(was > k ? was : k);
	} else if (v / TEARS == 1) {    /* and no further */
		r->n = (uint16_t)k;
	} else {                        /* over erased flash */
		memset(r->data + k, 0xff, n - k);
		r->n = (uint16_t)n;
	}
}

static bool wanted(const struct world *w, const char *name)
{
	return w->cuts > 0 && (!w->only || strncmp(name, w->only, strlen(w->only)) == 0);
}

static const enum kept some[] = { KEPT_ALL, KEPT_NONE, KEPT_ODD };

static void cut_record(struct world *w, const char *name, const uint8_t *next, size_t n, bool erase)
{
	struct world *c;

	for (int v = 0; v < RECORD_VARIANTS; v++)
		for (size_t k = 0; k < (any_unsynced(w) ? sizeof some / sizeof some[0] : 1); k++) {
			c = copy_of(w);
			record_variant(c, name, next, n, v);
			if (erase && v == 1)
				find(c, name)->name[0] = 0;
			cut(w, c, some[k], name, v);
		}
}

/* ---- the port ---- */

static int world_read(void *ctx, const char *name, size_t at, void *buf, size_t cap, size_t *got)
{
	const struct record *r = find(ctx, name);
	size_t left = r && at < r->n ? r->n - at : 0;

	if (!r)
		return CTM_SDK_NONE;
	*got = left < cap ? left : cap;
	if (*got)
		memcpy(buf, r->data + at, *got);
	return 0;
}

static int world_write(void *ctx, const char *name, const struct ctm_bytes *parts, size_t nparts)
{
	struct world *w = ctx;
	uint8_t next[WORLD_RECORD];
	struct record *r;
	size_t n = 0;

	for (size_t i = 0; i < nparts; i++) {
		if (parts[i].n > sizeof next - n)
			abort();
		if (parts[i].n)
			memcpy(next + n, parts[i].p, parts[i].n);
		n += parts[i].n;
	}
	w->op++;
	if (wanted(w, name))
		cut_record(w, name, next, n, false);
	r = place(w, name);
	memcpy(r->data, next, n);
	r->n = (uint16_t)n;
	return 0;
}

static int world_erase(void *ctx, const char *name)
{
	struct world *w = ctx;
	struct record *r = find(w, name);
	uint8_t blank[WORLD_RECORD];

	if (!r)
		return 0;
	w->op++;
	memset(blank, 0xff, sizeof blank);
	if (wanted(w, name))
		cut_record(w, name, blank, r->n ? r->n : 1, true);
	r->name[0] = 0;
	return 0;
}

static void cut_slot(struct world *w, int slot, size_t at, const uint8_t *p, size_t n, const char *what)
{
	for (int v = 0; v < 6; v++)
		for (enum kept k = KEPT_ALL; k < KEPT_KINDS; k++) {
			struct world *c = copy_of(w);
			struct slot *s = &c->slot[slot];
			size_t part = v == 0 ? 0 : v == 1 ? n : v == 2 ? 1 : v == 3 ? n / 2 : n - 1;

			if (part && p) {
				memcpy(s->now + at, p, part);
				if (v == 5)
					s->now[at + part / 2] ^= 0x10;
				s->op[s->ops++] = (struct pending){ (uint16_t)at, (uint16_t)part };
			}
			cut(w, c, k, what, v);
		}
}

static int world_slot_begin(void *ctx, int slot)
{
	struct world *w = ctx;
	struct slot *s = &w->slot[slot];

	w->op++;
	if (wanted(w, "slot")) {
		uint8_t blank[WORLD_SLOT];

		memset(blank, 0xff, sizeof blank);
		cut_slot(w, slot, 0, blank, sizeof blank, "empty");
	}
	memset(s->now, 0xff, sizeof s->now);
	s->op[s->ops++] = (struct pending){ 0, 0 };
	return 0;
}

static int world_slot_write(void *ctx, int slot, size_t at, const void *p, size_t n)
{
	struct world *w = ctx;
	struct slot *s = &w->slot[slot];

	if (at + n > WORLD_SLOT || s->ops + 2 > WORLD_PENDING)
		abort();
	if (!n)
		return 0;
	w->op++;
	if (wanted(w, "slot"))
		cut_slot(w, slot, at, p, n, "slot");
	memcpy(s->now + at, p, n);
	s->op[s->ops++] = (struct pending){ (uint16_t)at, (uint16_t)n };
	return 0;
}

static int world_slot_sync(void *ctx, int slot)
{
	struct world *w = ctx;
	struct slot *s = &w->slot[slot];

	w->op++;
	if (wanted(w, "slot"))
		cut_slot(w, slot, 0, NULL, 0, "sync");
	memcpy(s->synced, s->now, sizeof s->synced);
	s->ops = 0;
	return 0;
}

static int world_slot_read(void *ctx, int slot, size_t at, void *p, size_t cap, size_t *got)
{
	const struct slot *s = &((struct world *)ctx)->slot[slot];
	size_t left = at < WORLD_SLOT ? WORLD_SLOT - at : 0;

	*got = left < cap ? left : cap;
	if (*got)
		memcpy(p, s->now + at, *got);
	return 0;
}

static int64_t world_now(void *ctx)
{
	return 0;
}

static int64_t world_mono(void *ctx)
{
	return ((struct world *)ctx)->mono;
}

static int world_kdf(void *ctx, const void *pw, size_t n, const uint8_t salt[CTM_SALT_BYTES], uint8_t out[CTM_HASH_BYTES])
{
	return CTM_SDK_UNSUPPORTED;
}

static int world_sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	return CTM_SDK_NONE;
}

/* The board makes and destroys its key in one step: before or after the cut. */
static int world_seal_key(void *ctx, int make, uint8_t key[CTM_AEAD_KEY])
{
	struct world *w = ctx;

	if (make >= 0 && w->has_key) {
		memcpy(key, w->key, CTM_AEAD_KEY);
		return 0;
	}
	if (!make)
		return CTM_SDK_NONE;
	w->op++;
	for (int v = 0; v < 2 && wanted(w, "key"); v++) {
		struct world *c = copy_of(w);

		if (v) {
			c->has_key = make > 0;
			(void)toy_random(c->key, sizeof c->key);
		}
		cut(w, c, KEPT_ALL, "key", v);
	}
	w->has_key = make > 0;
	(void)toy_random(w->key, sizeof w->key);
	if (make > 0)
		memcpy(key, w->key, CTM_AEAD_KEY);
	return 0;
}

struct ctm_port world_port(struct world *w)
{
	return (struct ctm_port){
		.ctx = w, .crypto = &toy_crypto, .read = world_read, .write = world_write, .erase = world_erase,
		.slot_begin = world_slot_begin, .slot_write = world_slot_write, .slot_sync = world_slot_sync, .slot_read = world_slot_read,
		.now_ms = world_now, .mono_ms = world_mono, .kdf = world_kdf, .sign = world_sign, .seal_key = world_seal_key,
	};
}

void world_new(struct world *w)
{
	memset(w, 0, sizeof *w);
	for (int i = 0; i < CTM_SLOTS; i++) {
		memset(w->slot[i].now, 0xff, WORLD_SLOT);
		memset(w->slot[i].synced, 0xff, WORLD_SLOT);
	}
	w->mono = 1000;
}
