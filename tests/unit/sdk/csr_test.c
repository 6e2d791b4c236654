/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificate requests made on a device, read and verified by OpenSSL, for every back end and every length of serial.
 */
#include "backends.h"
#include "ctm/csr.h"
#include <openssl/x509.h>

struct signer { const struct backend *b; void *key; };

static int port_sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	const struct signer *s = ctx;

	return s->b->sign(s->key, tbs, n, sig);
}

static void read_by_openssl(const uint8_t *der, size_t n, const char *serial, const uint8_t *pub)
{
	const uint8_t *at = der;
	X509_REQ *q = d2i_X509_REQ(NULL, &at, (long)n);
	uint8_t *again = NULL, point[CTM_PUB_MAX];
	size_t pn = 0;
	char text[80];

	assert_non_null(q);
	assert_ptr_equal(at, der + n);
	assert_int_equal(X509_REQ_verify(q, X509_REQ_get0_pubkey(q)), 1);
	assert_int_equal(EVP_PKEY_get_octet_string_param(X509_REQ_get0_pubkey(q), "pub", point, sizeof point, &pn), 1);
	assert_memory_equal(point, pub, sizeof point);
	assert_int_equal(X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(q), NID_commonName, text, sizeof text), (int)strlen(serial));
	assert_string_equal(text, serial);
	assert_int_equal(X509_NAME_get_text_by_NID(X509_REQ_get_subject_name(q), NID_serialNumber, text, sizeof text), (int)strlen(serial));
	assert_string_equal(text, serial);
	assert_int_equal(i2d_X509_REQ(q, &again), (int)n);      /* the one DER form */
	assert_memory_equal(again, der, n);
	OPENSSL_free(again);
	X509_REQ_free(q);
}

static void requests_of_every_length(void **state)
{
	for (size_t b = 0; b < BACKENDS; b++) {
		uint8_t pub[CTM_PUB_MAX], der[CTM_CSR_MAX];
		struct signer s = { &backends[b], backends[b].new_key(pub) };
		struct ctm_port port = { .ctx = &s, .sign = port_sign };
		char serial[CTM_SERIAL_MAX + 2] = "";

		for (size_t len = 1; len <= CTM_SERIAL_MAX; len++) {
			size_t n = 0;

			serial[len - 1] = "ABC-123._z"[len % 10];
			assert_int_equal(ctm_csr_write(&port, serial, pub, der, sizeof der, &n), 0);
			read_by_openssl(der, n, serial, pub);
		}
		backends[b].free_key(s.key);
	}
}

static void some_point(uint8_t pub[CTM_PUB_MAX])
{
	void *key = backends[0].new_key(pub);

	backends[0].free_key(key);
}

/* Signatures whose numbers begin with zeros or a high bit. */
static int odd_sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	memcpy(sig, ctx, CTM_SIG_BYTES);
	return 0;
}

static void numbers_are_in_shortest_form(void **state)
{
	static const struct { uint8_t r, at_r, s, at_s; } rows[] = { { 0x80, 0, 0x7f, 0 }, { 0xff, 1, 0x01, 31 }, { 0x01, 30, 0x80, 31 } };
	uint8_t pub[CTM_PUB_MAX], der[CTM_CSR_MAX], sig[CTM_SIG_BYTES];

	some_point(pub);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct ctm_port port = { .ctx = sig, .sign = odd_sign };
		const uint8_t *at = der;
		size_t n = 0;
		X509_REQ *q;
		uint8_t *again = NULL;

		memset(sig, 0, sizeof sig);
		sig[rows[i].at_r] = rows[i].r;
		sig[32 + rows[i].at_s] = rows[i].s;
		assert_int_equal(ctm_csr_write(&port, "A", pub, der, sizeof der, &n), 0);
		q = d2i_X509_REQ(NULL, &at, (long)n);
		assert_non_null(q);
		assert_int_equal(i2d_X509_REQ(q, &again), (int)n);
		OPENSSL_free(again);
		X509_REQ_free(q);
	}
}

static void small_buffers_and_bad_serials_are_told(void **state)
{
	uint8_t pub[CTM_PUB_MAX], sig[CTM_SIG_BYTES] = { 1 };
	struct ctm_port port = { .ctx = sig, .sign = odd_sign };
	size_t n = 0, good = 0;

	some_point(pub);
	for (size_t cap = 0; cap <= CTM_CSR_MAX; cap++) {
		uint8_t *der = malloc(cap + 1);         /* exact, for the sanitizer */
		int rc = ctm_csr_write(&port, "UNIT-1", pub, der, cap, &n);

		assert_true(rc == 0 || (rc == CTM_SDK_TOOBIG && !good));
		good += rc == 0;
		free(der);
	}
	assert_true(good > 0);
	assert_int_equal(ctm_csr_write(&port, "no spaces", pub, pub, sizeof pub, &n), CTM_SDK_INPUT);
	assert_int_equal(ctm_csr_write(&port, "", pub, pub, sizeof pub, &n), CTM_SDK_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_of_every_length),
		cmocka_unit_test(numbers_are_in_shortest_form),
		cmocka_unit_test(small_buffers_and_bad_serials_are_told),
	};

	say_backends();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
