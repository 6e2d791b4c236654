/* SPDX-License-Identifier: Apache-2.0
 *
 * Deltas: what the maker makes, the device applies to the byte, in pieces of any size and through a power cut at every change to
 * storage; anything else in its place is refused or comes to nothing at the full image's digest, and the full image still goes.
 */
#include "release.h"
#include "app/delta_make.h"
#include "ctm/delta.h"
#include <stdlib.h>

static struct mem mem;
static struct ctm_port port;
static struct ctm_update u;
static struct ctm_delta d;
static EVP_PKEY *key;
static struct package was, next;
static struct ctm_buf delta;

static int self_test(void *ctx, const struct ctm_image_header *h)
{
	return 0;
}

static uint32_t dice = 7;

static uint8_t any(void)
{
	dice = dice * 1664525u + 1013904223u;
	return (uint8_t)(dice >> 24);
}

/* The old image runs; `next` is a release whose image is what `change` makes of the old one. */
static void begin_with(size_t filler, void (*change)(uint8_t *body, size_t *n))
{
	const char *why = "";
	size_t head, n;

	mem_new(&mem);
	port = mem_port(&mem);
	u = a_device(&port, key);
	u.self_test = self_test;
	release(&was, (struct release){ .version = "1.0.0", .counter = 10, .filler = filler, .signer = key });
	assert_int_equal(ctm_update_load(&u), CTM_SDK_NONE);
	assert_int_equal(ctm_update_install(&u, manifest_of(&was), image_of(&was), &why), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
	head = (size_t)snprintf((char *)next.image, 128, "CTM-IMAGE 1 PC-1 1.1.0\n");
	n = filler;
	memcpy(next.image + head, was.image + was.imagen - filler, filler);
	change(next.image + head, &n);
	next.imagen = head + n;
	release_of_image(&next, (struct release){ .version = "1.1.0", .counter = 11, .signer = key });
}

static void make(unsigned frame_log2, unsigned context)
{
	struct ctm_err err = { 0 };

	delta = CTM_BUF((size_t)1 << 20);
	assert_int_equal(ctm_delta_make(port.crypto, was.image, was.imagen, next.image, next.imagen, frame_log2, context, &delta, &err), 0);
}

static int feed_all(size_t piece)
{
	int rc = 0;

	while (!rc && !ctm_delta_done(&d) && d.want < delta.len) {
		size_t left = delta.len - d.want;

		rc = ctm_delta_feed(&d, d.want, (const uint8_t *)delta.p + d.want, left < piece ? left : piece);
	}
	return rc;
}

static int apply(size_t piece)
{
	const char *why = "";
	int rc = ctm_update_begin(&u, manifest_of(&next), &why);

	ctm_delta_begin(&d, &u);
	if (!rc)
		rc = feed_all(piece);
	return rc ? rc : ctm_delta_done(&d) ? ctm_update_finish(&u, &why) : CTM_SDK_TRUNCATED;
}

static void nothing(uint8_t *b, size_t *n)
{
}

static void patched(uint8_t *b, size_t *n)
{
	for (size_t i = 100; i + 4 < *n; i += 200)
		b[i] = (uint8_t)(b[i] + 16);
}

static void inserted(uint8_t *b, size_t *n)
{
	memmove(b + 700, b + 500, *n - 500);
	*n += 200;
	for (size_t i = 500; i < 700; i++)
		b[i] = any();
}

static void removed(uint8_t *b, size_t *n)
{
	memmove(b + 300, b + 900, *n - 900);
	*n -= 600;
}

static void swapped(uint8_t *b, size_t *n)
{
	uint8_t t[1000];

	memcpy(t, b, 1000);
	memmove(b, b + *n - 1000, 1000);
	memcpy(b + *n - 1000, t, 1000);
}

static void new_words(uint8_t *b, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		b[i] = (uint8_t)"the quick brown fox "[i % 20];
}

static void noise(uint8_t *b, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		b[i] = any();
}

static void tiny(uint8_t *b, size_t *n)
{
	*n = 0;
}

static void what_is_made_is_applied_to_the_byte(void **state)
{
	static void (*const changes[])(uint8_t *, size_t *) = { nothing, patched, inserted, removed, swapped, new_words, noise, tiny };
	static const size_t pieces[] = { 1, 7, 1000, 1 << 20 };

	for (size_t c = 0; c < sizeof changes / sizeof changes[0]; c++)
		for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
			begin_with(20000, changes[c]);
			make(k == 1 ? 10 : 0, k & 1);
			assert_int_equal(apply(pieces[k]), 0);
			assert_memory_equal(mem.slot[1].data, next.image, next.imagen);
			assert_int_equal(ctm_update_boot(&u, NULL), 0);
			assert_string_equal(u.booted, "1.1.0");
			if (!k)
				print_message("%zu bytes of %zu\n", delta.len, next.imagen);
			assert_true(delta.len < next.imagen + next.imagen / 8 + 256);
			ctm_buf_free(&delta);
		}
}

static void a_similar_image_makes_a_small_delta(void **state)
{
	begin_with(60000, patched);
	make(0, 1);
	assert_true(delta.len < next.imagen / 40);
	ctm_buf_free(&delta);
}

/* Each byte changed, each length: refused, or found by the digest; never pending, and the old version runs on. (The last bytes of a
 * frame's code may be changed without an effect: then the very image comes out.) */
static void a_changed_delta_comes_to_nothing(void **state)
{
	struct ctm_buf good;
	const char *why = "";
	size_t harmless = 0;

	begin_with(3000, inserted);
	make(10, 1);
	good = delta;
	for (size_t i = 0; i < good.len; i++) {
		if (i >= 48 && i < 88)
			continue;       /* digest of the target and identity: not believed in the first place */
		delta.p[i] ^= (char)(1u << i % 8);
		if (apply(97) == 0) {
			assert_memory_equal(mem.slot[1].data, next.image, next.imagen);
			harmless++;
		} else {
			assert_int_not_equal(u.state[1], CTM_SLOT_PENDING);
		}
		delta.p[i] ^= (char)(1u << i % 8);
	}
	for (size_t n = 0; n < good.len; n += 13) {
		delta.len = n;
		assert_int_equal(apply(97), CTM_SDK_TRUNCATED);
	}
	delta.len = good.len;
	assert_true(harmless < 4 * 4 + 2);
	assert_int_equal(ctm_update_install(&u, manifest_of(&next), image_of(&next), &why), 0);
	ctm_buf_free(&delta);
}

static void a_delta_from_another_image_is_refused_and_the_full_image_goes_on(void **state)
{
	const char *why = "";

	begin_with(3 * CTM_SLOT_BLOCK - 2000, inserted);
	make(16, 1);
	was.image[5000] ^= 1;
	ctm_buf_free(&delta);
	make(16, 1);
	assert_int_equal(apply(1000), CTM_SDK_OTHER);
	was.image[5000] ^= 1;
	ctm_buf_free(&delta);
	make(16, 1);
	/* Begun as a full image: that goes on, the delta is of no use any more. */
	assert_int_equal(ctm_update_begin(&u, manifest_of(&next), &why), 0);
	assert_int_equal(ctm_update_write(&u, next.image, CTM_SLOT_BLOCK), 0);
	assert_int_equal(apply(1000), CTM_SDK_STATE);
	assert_int_equal(u.at, CTM_SLOT_BLOCK);
	assert_int_equal(ctm_update_install(&u, manifest_of(&next), image_of(&next), &why), 0);
	ctm_buf_free(&delta);
}

static void a_delta_goes_on_after_every_power_cut(void **state)
{
	uint32_t most = 0;
	int cuts = 0;

	begin_with(3 * CTM_SLOT_BLOCK - 2000, inserted);
	make(16, 1);
	for (long cut = 0;; cut += 3) {
		int rc;

		mem_unplug_after(&mem, cut);
		rc = apply(500);
		assert_true(!u.at || u.mark[0] >= most);
		most = (uint32_t)u.mark[0] > most ? (uint32_t)u.mark[0] : most;
		mem_plug_in(&mem);
		if (!rc)
			break;
		cuts++;
		u = a_device(&port, key);
		u.self_test = self_test;
		assert_int_equal(ctm_update_load(&u), 0);
		assert_int_equal(ctm_update_boot(&u, NULL), 0);
		assert_string_equal(u.booted, "1.0.0");
	}
	print_message("%d power cuts, went on at byte %u of %zu\n", cuts, (unsigned)most, delta.len);
	assert_true(most > CTM_DELTA_HEAD);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
	assert_string_equal(u.booted, "1.1.0");
	ctm_buf_free(&delta);
}

static int setup(void **state)
{
	key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return key ? 0 : -1;
}

static int teardown(void **state)
{
	EVP_PKEY_free(key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_is_applied_to_the_byte),
		cmocka_unit_test(a_similar_image_makes_a_small_delta),
		cmocka_unit_test(a_changed_delta_comes_to_nothing),
		cmocka_unit_test(a_delta_from_another_image_is_refused_and_the_full_image_goes_on),
		cmocka_unit_test(a_delta_goes_on_after_every_power_cut),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
