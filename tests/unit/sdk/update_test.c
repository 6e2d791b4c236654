/* SPDX-License-Identifier: Apache-2.0
 *
 * Update state machine: what must not be installed is not, and power may go at every single change to storage without the
 * device losing a verified image, running an unverified one or going below its floor (NIST IR 8259A, software update).
 */
#include "release.h"
#include "ctm/identity.h"

static struct mem mem;
static struct ctm_port port;
static struct ctm_update u;
static EVP_PKEY *key, *stranger;
static int self_test_result;
static struct package p, q;

static int self_test(void *ctx, const struct ctm_image_header *h)
{
	return self_test_result;
}

static struct ctm_update blank(void)
{
	struct ctm_update x = a_device(&port, key);

	x.self_test = self_test;
	return x;
}

static void make(const char *version, uint64_t counter, const char *class_name, EVP_PKEY *signer)
{
	release(&p, (struct release){ .version = version, .counter = counter, .class_name = class_name, .filler = 2600, .signer = signer });
}

static int install(const struct package *what, const char **why)
{
	return ctm_update_install(&u, manifest_of(what), image_of(what), why);
}

static int fresh(void **state)
{
	const char *why;

	mem_new(&mem);
	port = mem_port(&mem);
	u = blank();
	self_test_result = 0;
	make("1.0.0", 10, "PC-1", key);
	return ctm_update_load(&u) == CTM_SDK_NONE && install(&p, &why) == 0 && ctm_update_boot(&u, NULL) == 0 ? 0 : -1;
}

static void restart(void)
{
	u = blank();
	assert_int_equal(ctm_update_load(&u), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
}

static void good_update_is_tried_confirmed_and_raises_the_floor(void **state)
{
	const char *why = "";
	bool back = true;

	make("1.1.0", 11, "PC-1", key);
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(u.boots, 1);
	assert_int_equal(install(&p, &why), 0);
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(u.counter, 10);
	back = false;
	assert_int_equal(ctm_update_boot(&u, &back), 0);
	assert_false(back);
	assert_string_equal(u.booted, "1.1.0");
	assert_string_equal(u.verified, "1.1.0");
	assert_int_equal(u.counter, 11);
	restart();
	assert_string_equal(u.booted, "1.1.0");
	assert_int_equal(u.boots, 3);
}

static void refused_at(const char *version, int code, const char *word)
{
	const char *why = "";

	assert_int_equal(install(&p, &why), code);
	assert_string_equal(why, word);
	restart();
	assert_string_equal(u.booted, version);
	assert_int_equal(u.counter, 10);
}

static void refused(int code, const char *word)
{
	refused_at("1.0.0", code, word);
}

static void tampered_unsigned_foreign_and_older_are_refused(void **state)
{
	make("1.1.0", 11, "PC-1", key);
	p.image[p.imagen - 1] ^= 1;
	refused(CTM_SDK_VERIFY, "digest");
	p.image[p.imagen - 1] ^= 1;
	p.imagen--;
	refused(CTM_SDK_VERIFY, "digest");
	make("1.1.0", 11, "PC-1", key);
	p.manifest[p.manifestn - 1] ^= 1;
	refused(CTM_SDK_VERIFY, "signature");
	make("1.1.0", 11, "PC-1", stranger);
	refused(CTM_SDK_VERIFY, "signature");
	make("1.1.0", 11, "PC-2", key);
	refused(CTM_SDK_OTHER, "class");
	make("1.1.0", 9, "PC-1", key);
	refused(CTM_SDK_OLDER, "counter");
	make("0.9.9", 10, "PC-1", key);
	refused(CTM_SDK_OLDER, "version");
	make("1.1.0", 11, "PC-1", key);
	p.manifestn = 0;
	refused(CTM_SDK_TRUNCATED, "manifest");
}

static void image_that_rots_before_its_trial_falls_back(void **state)
{
	const char *why = "";
	bool back = false;

	make("1.1.0", 11, "PC-1", key);
	assert_int_equal(install(&p, &why), 0);
	u.self_test = NULL;
	mem.slot[1].data[mem.slot[1].n - 1] ^= 1;
	assert_int_equal(ctm_update_boot(&u, &back), 0);
	assert_true(back);
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(u.counter, 10);
	restart();
	assert_string_equal(u.booted, "1.0.0");
}

static int second_only(void *ctx, const struct ctm_image_header *h)
{
	return strcmp(h->version, "1.0.0") == 0 ? 0 : CTM_SDK_FAIL;
}

static void self_test_of_the_new_version_decides(void **state)
{
	const char *why = "";
	bool back = false;

	make("1.1.0", 11, "PC-1", key);
	assert_int_equal(install(&p, &why), 0);
	u.self_test = second_only;
	assert_int_equal(ctm_update_boot(&u, &back), 0);
	assert_true(back);
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(u.counter, 10);
	u.self_test = self_test;
	assert_int_equal(install(&p, &why), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
	assert_string_equal(u.booted, "1.1.0");
}

static void storage_that_lies_is_found_by_reading_back(void **state)
{
	const char *why = "";

	make("1.1.0", 11, "PC-1", key);
	mem.flip = 1;
	assert_int_not_equal(install(&p, &why), 0);
	assert_string_equal(why, "storage");
	restart();
	assert_string_equal(u.booted, "1.0.0");
}

static void a_rotten_running_slot_gives_way_to_the_other_only_above_the_floor(void **state)
{
	const char *why = "";

	make("1.1.0", 10, "PC-1", key);
	assert_int_equal(install(&p, &why), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
	mem.slot[1].data[2000] ^= 1;
	restart();
	assert_string_equal(u.booted, "1.0.0");
	/* Where the floor has risen, nothing may run rather than something vulnerable. */
	fresh(NULL);
	make("1.1.0", 11, "PC-1", key);
	assert_int_equal(install(&p, &why), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
	mem.slot[1].data[2000] ^= 1;
	u = blank();
	assert_int_equal(ctm_update_load(&u), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), CTM_SDK_VERIFY);
	assert_string_equal(u.booted, "");
}

/* RFC 9019: the maker's own older image under its own valid manifest, put into the running slot behind the device's back. */
static void an_older_image_put_into_storage_does_not_run(void **state)
{
	const char *why = "";
	uint8_t old[CTM_MANIFEST_MAX];
	size_t n = 0;

	make("1.1.0", 11, "PC-1", key);
	(void)state;
	assert_int_equal(install(&p, &why), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
	assert_int_equal(u.active, 1);
	assert_int_equal(ctm_record_load(&port, "manifest.0", old, sizeof old, &n), 0);
	assert_int_equal(ctm_record_store(&port, "manifest.1", old, n), 0);
	mem.slot[1] = mem.slot[0];
	u = blank();
	assert_int_equal(ctm_update_load(&u), 0);
	assert_int_not_equal(ctm_update_boot(&u, NULL), 0);
	assert_string_equal(u.booted, "");
	assert_int_equal(u.counter, 11);
}

/* A version that hangs in its trial: power goes each time after the count was stored. */
static void trials_are_counted_before_they_may_hang(void **state)
{
	const char *why = "";

	make("1.1.0", 11, "PC-1", key);
	assert_int_equal(install(&p, &why), 0);
	for (int i = 0; i < CTM_TRIALS; i++) {
		u = blank();
		assert_int_equal(ctm_update_load(&u), 0);
		mem_unplug_after(&mem, 1);      /* the trial is counted, then dark */
		(void)ctm_update_boot(&u, NULL);
		mem_plug_in(&mem);
	}
	restart();
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(u.state[1], CTM_SLOT_BAD);
}

static void every_power_cut_leaves_a_verified_version_running(void **state)
{
	const char *why;
	int news = 0, cuts = 0;

	make("1.1.0", 11, "PC-1", key);
	q = p;
	for (long cut = 0;; cut++) {
		int rc;

		assert_int_equal(fresh(NULL), 0);
		mem_unplug_after(&mem, cut);
		rc = install(&q, &why);
		if (!rc)
			rc = ctm_update_boot(&u, NULL);
		if (mem.changes <= cut)
			break;
		mem_plug_in(&mem);
		restart();
		cuts++;
		if (strcmp(u.booted, "1.1.0") == 0) {
			news++;
			assert_string_equal(u.verified, "1.1.0");
			assert_int_equal(u.counter, 11);
		} else {
			assert_string_equal(u.booted, "1.0.0");
			assert_int_equal(u.counter, 10);
			assert_int_equal(install(&q, &why), 0);
			assert_int_equal(ctm_update_boot(&u, NULL), 0);
			assert_string_equal(u.booted, "1.1.0");
		}
	}
	print_message("%d power cuts, %d of them came up new\n", cuts, news);
	assert_true(cuts >= 9 && news >= 1);
}

/* In pieces of any size, with a power cut after every single change to storage: the download goes on at the last block that was
 * kept, never over it again, and ends in the new version. */
static void a_download_goes_on_after_every_power_cut(void **state)
{
	static const size_t pieces[] = { 1000, 4096, 70000, CTM_SLOT_BLOCK };
	const char *why = "";
	size_t most = 0;
	int cuts = 0, resumed = 0;

	release(&q, (struct release){ .version = "1.1.0", .counter = 11, .filler = 3 * CTM_SLOT_BLOCK - 5000, .signer = key });
	for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
		assert_int_equal(fresh(NULL), 0);
		most = 0;
		for (long cut = 0;; cut++) {
			int rc;

			mem_unplug_after(&mem, cut);
			rc = ctm_update_begin(&u, manifest_of(&q), &why);
			if (!rc) {
				assert_true(u.at >= most && u.at % CTM_SLOT_BLOCK == 0);
				resumed += u.at > most;
				most = u.at;
			}
			while (!rc && u.at < q.imagen) {
				size_t left = q.imagen - u.at;

				rc = ctm_update_write(&u, q.image + u.at, left < pieces[k] ? left : pieces[k]);
			}
			if (!rc)
				rc = ctm_update_finish(&u, &why);
			mem_plug_in(&mem);
			if (!rc)
				break;
			cuts++;
			restart();
			assert_string_equal(u.booted, "1.0.0");
		}
		assert_true(most >= CTM_SLOT_BLOCK);
		assert_int_equal(ctm_update_boot(&u, NULL), 0);
		assert_string_equal(u.booted, "1.1.0");
	}
	print_message("%d power cuts, %d resumptions further on\n", cuts, resumed);
	assert_true(resumed >= 6);
}

static void another_manifest_starts_over(void **state)
{
	const char *why = "";

	release(&q, (struct release){ .version = "1.1.0", .counter = 11, .filler = 2 * CTM_SLOT_BLOCK, .signer = key });
	assert_int_equal(ctm_update_begin(&u, manifest_of(&q), &why), 0);
	assert_int_equal(ctm_update_write(&u, q.image, q.imagen - 1), 0);
	restart();
	release(&p, (struct release){ .version = "1.1.1", .counter = 11, .filler = 2 * CTM_SLOT_BLOCK, .signer = key });
	assert_int_equal(ctm_update_begin(&u, manifest_of(&p), &why), 0);
	assert_int_equal(u.at, 0);
	restart();
	assert_int_equal(ctm_update_begin(&u, manifest_of(&q), &why), 0);
	assert_int_equal(u.at, 0);
	assert_int_equal(ctm_update_write(&u, q.image, q.imagen + 1), CTM_SDK_TOOBIG);
	assert_int_equal(ctm_update_write(&u, q.image, q.imagen - 1), 0);
	assert_int_equal(ctm_update_finish(&u, &why), CTM_SDK_VERIFY);
	assert_int_equal(ctm_update_write(&u, q.image, 1), CTM_SDK_STATE);
	assert_int_equal(ctm_update_finish(&u, &why), CTM_SDK_STATE);
}

/* What was written before the cut was not the image: refused at the end, and the next attempt starts over. */
static void a_bad_beginning_is_found_and_left_behind(void **state)
{
	const char *why = "";

	release(&q, (struct release){ .version = "1.1.0", .counter = 11, .filler = 2 * CTM_SLOT_BLOCK, .signer = key });
	assert_int_equal(ctm_update_begin(&u, manifest_of(&q), &why), 0);
	q.image[5000] ^= 1;
	assert_int_equal(ctm_update_write(&u, q.image, CTM_SLOT_BLOCK), 0);
	q.image[5000] ^= 1;
	restart();
	assert_int_equal(install(&q, &why), CTM_SDK_VERIFY);
	assert_string_equal(why, "digest");
	restart();
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(install(&q, &why), 0);
}

/* A device whose boot stage is not the application: the image that runs says that it is well. */
static void an_open_trial_ends_by_commit_or_by_being_used_up(void **state)
{
	const char *why = "";
	bool back = false;

	make("1.1.0", 11, "PC-1", key);
	q = p;
	assert_int_equal(install(&q, &why), 0);
	for (int i = 0; i < CTM_TRIALS; i++) {
		u = blank();
		u.self_test = NULL;
		assert_int_equal(ctm_update_load(&u), 0);
		assert_int_equal(ctm_update_boot(&u, &back), 0);
		assert_false(back);
		assert_string_equal(u.booted, "1.1.0");
		assert_int_equal(u.counter, 10);
		assert_true(ctm_update_on_trial(&u));
		assert_int_equal(install(&q, &why), CTM_SDK_STATE);
		assert_string_equal(why, "trial");
	}
	u = blank();
	u.self_test = NULL;
	assert_int_equal(ctm_update_load(&u), 0);
	assert_int_equal(ctm_update_boot(&u, &back), 0);
	assert_true(back);
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(ctm_update_commit(&u), CTM_SDK_STATE);
	assert_int_equal(install(&q, &why), 0);
	assert_int_equal(ctm_update_boot(&u, &back), 0);
	assert_int_equal(ctm_update_reject(&u), 0);
	restart();
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(install(&q, &why), 0);
	u.self_test = NULL;
	assert_int_equal(ctm_update_boot(&u, &back), 0);
	assert_int_equal(ctm_update_commit(&u), 0);
	assert_false(ctm_update_on_trial(&u));
	restart();
	assert_string_equal(u.booted, "1.1.0");
	assert_int_equal(u.counter, 11);
}

/* IR 8425: going back is possible only where the maker says so, and never below the security counter. */
static void going_back_needs_the_running_release_to_allow_it(void **state)
{
	const char *why = "";

	release(&p, (struct release){ .version = "1.1.0", .counter = 10, .filler = 2600, .rollback = "1.0.0", .signer = key });
	assert_int_equal(install(&p, &why), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
	assert_string_equal(u.booted, "1.1.0");
	make("1.0.1", 10, "PC-1", key);
	refused_at("1.1.0", CTM_SDK_OLDER, "version");
	make("1.0.0", 9, "PC-1", key);
	refused_at("1.1.0", CTM_SDK_OLDER, "counter");
	make("1.0.0", 10, "PC-1", key);
	assert_int_equal(install(&p, &why), 0);
	restart();
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(u.counter, 10);
}

static void image_header_is_strict(void **state)
{
	static const char *const bad[] = { "", "CTM-IMAGE 1", "CTM-IMAGE 2 PC-1 1.0.0\n", "CTM-IMAGE 1 PC-1 1.0.0", "CTM-IMAGE 1  1.0.0\n",
					   "CTM-IMAGE 1 PC-1 one\n", "CTM-IMAGE 1 PC 1 1.0.0\n", "CTM-IMAGE 1 PC-1 1.0.0 \n" };
	struct ctm_image_header h;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(ctm_image_header((const uint8_t *)bad[i], strlen(bad[i]), &h), CTM_SDK_INPUT);
	assert_int_equal(ctm_image_header((const uint8_t *)"CTM-IMAGE 1 PC-1 1.0.0\n", 23, &h), 0);
	assert_string_equal(h.model, "PC-1");
	assert_string_equal(h.version, "1.0.0");
}

static void proof_is_over_serial_and_a_canonical_nonce(void **state)
{
	static const char nonce[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
	uint8_t out[CTM_PROOF_MAX], raw[32];
	char again[44], odd[44];
	size_t n = 0;

	assert_int_equal(ctm_identity_proof("PC1-1", nonce, out, &n), 0);
	assert_int_equal(n, strlen("ctm-identity-proof/1\nPC1-1\n") + 43 + 1);
	assert_memory_equal(out, "ctm-identity-proof/1\nPC1-1\nAAEC", 31);
	assert_int_equal(ctm_b64u_decode(nonce, 43, raw, sizeof raw, &n), 0);
	assert_int_equal(n, 32);
	ctm_b64u_encode(raw, 32, again);
	assert_string_equal(again, nonce);
	strcpy(odd, nonce);
	odd[42] = '9';          /* unused bits set: a second spelling of the same bytes */
	assert_int_equal(ctm_identity_proof("PC1-1", odd, out, &n), CTM_SDK_INPUT);
	odd[42] = 0;
	assert_int_equal(ctm_identity_proof("PC1-1", odd, out, &n), CTM_SDK_INPUT);
	assert_int_equal(ctm_identity_proof("PC1\n1", nonce, out, &n), CTM_SDK_INPUT);
	assert_int_equal(ctm_b64u_decode("A", 1, raw, 32, &n), CTM_SDK_SYNTAX);
	assert_int_equal(ctm_b64u_decode("AA==", 4, raw, 32, &n), CTM_SDK_SYNTAX);
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
		cmocka_unit_test_setup(good_update_is_tried_confirmed_and_raises_the_floor, fresh),
		cmocka_unit_test_setup(tampered_unsigned_foreign_and_older_are_refused, fresh),
		cmocka_unit_test_setup(image_that_rots_before_its_trial_falls_back, fresh),
		cmocka_unit_test_setup(self_test_of_the_new_version_decides, fresh),
		cmocka_unit_test_setup(storage_that_lies_is_found_by_reading_back, fresh),
		cmocka_unit_test_setup(a_rotten_running_slot_gives_way_to_the_other_only_above_the_floor, fresh),
		cmocka_unit_test_setup(an_older_image_put_into_storage_does_not_run, fresh),
		cmocka_unit_test_setup(trials_are_counted_before_they_may_hang, fresh),
		cmocka_unit_test(every_power_cut_leaves_a_verified_version_running),
		cmocka_unit_test(a_download_goes_on_after_every_power_cut),
		cmocka_unit_test_setup(another_manifest_starts_over, fresh),
		cmocka_unit_test_setup(a_bad_beginning_is_found_and_left_behind, fresh),
		cmocka_unit_test_setup(an_open_trial_ends_by_commit_or_by_being_used_up, fresh),
		cmocka_unit_test_setup(going_back_needs_the_running_release_to_allow_it, fresh),
		cmocka_unit_test(image_header_is_strict),
		cmocka_unit_test(proof_is_over_serial_and_a_canonical_nonce),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
