/* SPDX-License-Identifier: Apache-2.0
 *
 * Update state machine: what must not be installed is not, and power may go at every single change to storage without the
 * device losing a verified image, running an unverified one or going below its floor (NIST IR 8259A, software update).
 */
#include "memport.h"
#include "ctm/cose.h"
#include "ctm/identity.h"
#include "ctm/update.h"
#include <openssl/evp.h>

struct package {
	uint8_t manifest[1024], image[4096];
	size_t manifestn, imagen;
};

static struct mem mem;
static struct ctm_port port;
static struct ctm_update u;
static EVP_PKEY *key, *stranger;
static int self_test_result;

static int self_test(void *ctx, const struct ctm_image_header *h)
{
	return self_test_result;
}

static struct ctm_update blank(void)
{
	struct ctm_update x = { .port = &port, .component = "device", .model = "PC-1", .self_test = self_test };
	size_t n = 32;

	ctm_vendor_id("larkspur.example", x.vendor);
	ctm_class_id(x.vendor, "PC-1", x.class_id);
	assert_int_equal(EVP_PKEY_get_raw_public_key(key, x.release_key, &n), 1);
	return x;
}

static struct ctm_bytes text(const char *s)
{
	return (struct ctm_bytes){ (const uint8_t *)s, strlen(s) };
}

static struct package make(const char *version, uint64_t counter, const char *class_name, EVP_PKEY *signer)
{
	struct ctm_manifest m = { .component = text("device"), .version = text(version), .counter = counter, .min_version = text("0") };
	uint8_t payload[512];
	struct package p;
	size_t n = 0;

	memset(&p, 0, sizeof p);
	p.imagen = (size_t)snprintf((char *)p.image, sizeof p.image, "CTM-IMAGE 1 PC-1 %s\n", version);
	memset(p.image + p.imagen, (int)counter, 2600);
	p.imagen += 2600;
	ctm_vendor_id("larkspur.example", m.vendor);
	ctm_class_id(m.vendor, class_name, m.class_id);
	m.size = p.imagen;
	assert_int_equal(ctm_sdk_sha256(port.crypto, p.image, p.imagen, m.digest), 0);
	assert_int_equal(ctm_manifest_encode(&m, payload, sizeof payload, &n), 0);
	assert_int_equal(ctm_cose_sign1_sign(ctm_openssl_sign, signer, CTM_COSE_EDDSA, NULL, 0, CTM_MANIFEST_TYPE, payload, n,
					     p.manifest, sizeof p.manifest, &p.manifestn), 0);
	return p;
}

static int install(const struct package *p, const char **why)
{
	return ctm_update_install(&u, (struct ctm_bytes){ p->manifest, p->manifestn }, (struct ctm_bytes){ p->image, p->imagen }, why);
}

static int fresh(void **state)
{
	struct package p;
	const char *why;

	mem_new(&mem);
	port = mem_port(&mem);
	u = blank();
	self_test_result = 0;
	p = make("1.0.0", 10, "PC-1", key);
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
	struct package p = make("1.1.0", 11, "PC-1", key);
	const char *why = "";
	bool back = true;

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

static void refused(struct package p, int code, const char *word)
{
	const char *why = "";

	assert_int_equal(install(&p, &why), code);
	assert_string_equal(why, word);
	restart();
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(u.counter, 10);
}

static void tampered_unsigned_foreign_and_older_are_refused(void **state)
{
	struct package p = make("1.1.0", 11, "PC-1", key);

	p.image[p.imagen - 1] ^= 1;
	refused(p, CTM_SDK_VERIFY, "digest");
	p.image[p.imagen - 1] ^= 1;
	p.imagen--;
	refused(p, CTM_SDK_VERIFY, "digest");
	p = make("1.1.0", 11, "PC-1", key);
	p.manifest[p.manifestn - 1] ^= 1;
	refused(p, CTM_SDK_VERIFY, "signature");
	refused(make("1.1.0", 11, "PC-1", stranger), CTM_SDK_VERIFY, "signature");
	refused(make("1.1.0", 11, "PC-2", key), CTM_SDK_OTHER, "class");
	refused(make("1.1.0", 9, "PC-1", key), CTM_SDK_OLDER, "counter");
	refused(make("0.9.9", 10, "PC-1", key), CTM_SDK_OLDER, "version");
	p = make("1.1.0", 11, "PC-1", key);
	p.manifestn = 0;
	refused(p, CTM_SDK_TRUNCATED, "manifest");
}

static void image_that_rots_before_its_trial_falls_back(void **state)
{
	struct package p = make("1.1.0", 11, "PC-1", key);
	const char *why = "";
	bool back = false;

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
	struct package p = make("1.1.0", 11, "PC-1", key);
	const char *why = "";
	bool back = false;

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
	struct package p = make("1.1.0", 11, "PC-1", key);
	const char *why = "";

	mem.flip = 1;
	assert_int_not_equal(install(&p, &why), 0);
	assert_string_equal(why, "storage");
	restart();
	assert_string_equal(u.booted, "1.0.0");
}

static void a_rotten_running_slot_gives_way_to_the_other_only_above_the_floor(void **state)
{
	struct package p = make("1.1.0", 10, "PC-1", key);
	const char *why = "";

	assert_int_equal(install(&p, &why), 0);
	assert_int_equal(ctm_update_boot(&u, NULL), 0);
	mem.slot[1].data[2000] ^= 1;
	restart();
	assert_string_equal(u.booted, "1.0.0");
	/* Where the floor has risen, nothing may run rather than something vulnerable. */
	fresh(NULL);
	p = make("1.1.0", 11, "PC-1", key);
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
	struct package p = make("1.1.0", 11, "PC-1", key);
	const char *why = "";
	uint8_t old[CTM_MANIFEST_MAX];
	size_t n = 0;

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
	struct package p = make("1.1.0", 11, "PC-1", key);
	const char *why = "";

	assert_int_equal(install(&p, &why), 0);
	for (int i = 0; i < CTM_TRIALS; i++) {
		u = blank();
		assert_int_equal(ctm_update_load(&u), 0);
		mem_unplug_after(&mem, 2);      /* boot count, trial count, then dark */
		(void)ctm_update_boot(&u, NULL);
		mem_plug_in(&mem);
	}
	restart();
	assert_string_equal(u.booted, "1.0.0");
	assert_int_equal(u.state[1], CTM_SLOT_BAD);
}

static void every_power_cut_leaves_a_verified_version_running(void **state)
{
	struct package p = make("1.1.0", 11, "PC-1", key);
	const char *why;
	int news = 0, cuts = 0;

	for (long cut = 0;; cut++) {
		int rc;

		assert_int_equal(fresh(NULL), 0);
		mem_unplug_after(&mem, cut);
		rc = install(&p, &why);
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
			assert_int_equal(install(&p, &why), 0);
			assert_int_equal(ctm_update_boot(&u, NULL), 0);
			assert_string_equal(u.booted, "1.1.0");
		}
	}
	print_message("%d power cuts, %d of them came up new\n", cuts, news);
	assert_true(cuts >= 10 && news >= 1);
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
		cmocka_unit_test(image_header_is_strict),
		cmocka_unit_test(proof_is_over_serial_and_a_canonical_nonce),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
