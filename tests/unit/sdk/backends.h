/* SPDX-License-Identifier: Apache-2.0
 *
 * Every crypto back end as a row: what it is called, its table, and how to make a key and sign with it. A test loops over the rows
 * and asks `can` what applies. A back end whose source is not here is named as skipped, not forgotten.
 */
#ifndef TESTS_SDK_BACKENDS_H
#define TESTS_SDK_BACKENDS_H
#include "suites.h"
#include "ctm/openssl.h"
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <sys/random.h>
#ifdef CTM_HAVE_MBEDTLS
#include "ctm/mbedtls.h"
#endif

struct backend {
	const char *name;
	const struct ctm_crypto *(*table)(void);
	void *(*new_key)(uint8_t pub[CTM_PUB_MAX]);     /* P-256 */
	ctm_sign_fn sign;
	void (*free_key)(void *key);
};

static inline void *openssl_key(uint8_t pub[CTM_PUB_MAX])
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	size_t n = 0;

	assert_int_equal(EVP_PKEY_get_octet_string_param(k, "pub", pub, CTM_PUB_MAX, &n), 1);
	return k;
}

static inline void openssl_key_free(void *key)
{
	EVP_PKEY_free(key);
}

#ifdef CTM_HAVE_MBEDTLS
static inline int test_noise(void *ctx, uint8_t *out, size_t n)
{
	return getrandom(out, n, 0) == (ssize_t)n ? 0 : -1;
}

static inline const struct ctm_crypto *mbedtls_seeded(void)
{
	static struct ctm_mbedtls m;
	static int begun;

	if (!begun) {
		assert_int_equal(ctm_mbedtls_begin(&m, test_noise, NULL), 0);
		atexit(ctm_mbedtls_end);
	}
	begun = 1;
	return ctm_mbedtls_crypto();
}

static inline void *mbedtls_key(uint8_t pub[CTM_PUB_MAX])
{
	struct ctm_p256 *k = malloc(sizeof *k);

	mbedtls_seeded();
	assert_non_null(k);
	assert_int_equal(ctm_mbedtls_keygen(k), 0);
	memcpy(pub, k->pub, CTM_PUB_MAX);
	return k;
}
#endif

static const struct backend backends[] = {
	{ "openssl", ctm_openssl_crypto, openssl_key, ctm_openssl_sign, openssl_key_free },
#ifdef CTM_HAVE_MBEDTLS
	{ "mbedtls", mbedtls_seeded, mbedtls_key, ctm_mbedtls_sign, free },
#endif
};
#define BACKENDS (sizeof backends / sizeof backends[0])

static inline void say_backends(void)
{
	for (size_t i = 0; i < BACKENDS; i++)
		print_message("back end %s\n", backends[i].name);
#ifndef CTM_HAVE_MBEDTLS
	print_message("skipped: back end mbedtls, its source was not fetched (tools/mbedtls-source)\n");
#endif
}

#endif
