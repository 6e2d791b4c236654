/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys in files, the table of places, and the EVP_PKEY of a key that is out of reach. For the last OpenSSL 3.0 has two ways: a
 * provider, which Debian has for TPMs but not for PKCS#11, and an EC_KEY with a method of its own. One way for both places: the
 * second. It is deprecated, not gone, and TLS, requests and our own signatures go through it unchanged.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "keys.h"
#include "agent.h"
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct key_place *const places[] = { &key_place_file, &key_place_tpm, &key_place_pkcs11 };

const struct key_place *key_place_find(const char *place, const char **words)
{
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		size_t n = strlen(places[i]->scheme);

		if (strncmp(place, places[i]->scheme, n) == 0 && (place[n] == ':' || !place[n])) {
			*words = place[n] ? place + n + 1 : "";
			return places[i];
		}
	}
	return NULL;
}

/* ---- files: two names, by turns, so that a renewed key never stands where the one in use does ---- */

static void file_of(const struct key_name *k, char out[64])
{
	snprintf(out, 64, k->number % 2 ? "%.32s-key.1.pem" : "%.32s-key.pem", k->name);
}

static int file_check(const char *words, struct why *w)
{
	return *words ? why_say(w, CTM_SDK_INPUT, "a key in a file has no further words") : 0;
}

static int make_file(int dir, const char *name, EVP_PKEY **out)
{
	BIO *b = BIO_new(BIO_s_mem());
	EVP_PKEY *k = EVP_EC_gen("P-256");
	char *pem = NULL;
	long n;
	int rc = CTM_SDK_FAIL;

	if (b && k && PEM_write_bio_PKCS8PrivateKey(b, k, NULL, NULL, 0, NULL, NULL) == 1 && (n = BIO_get_mem_data(b, &pem)) > 0) {
		rc = store_write(dir, name, pem, (size_t)n);
		ctm_sdk_wipe(pem, (size_t)n);
	}
	BIO_free(b);
	if (rc)
		EVP_PKEY_free(k);
	else
		*out = k;
	return rc;
}

static int file_open(const char *words, int dir, const struct key_name *k, bool make, EVP_PKEY **out, struct why *w)
{
	char name[64], pem[2048];
	size_t n = 0;
	BIO *b;
	int rc;

	file_of(k, name);
	if (make)
		return (rc = make_file(dir, name, out)) ? why_say(w, rc, "no key could be made and stored") : 0;
	if ((rc = store_read(dir, name, pem, sizeof pem - 1, &n)))
		return rc == CTM_SDK_NONE ? rc : why_say(w, CTM_SDK_STORAGE, "the key %s cannot be read; it is kept as it is", name);
	b = BIO_new_mem_buf(pem, (int)n);
	*out = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	BIO_free(b);
	ctm_sdk_wipe(pem, sizeof pem);
	return *out ? 0 : why_say(w, CTM_SDK_STORAGE, "the key %s is damaged; it is kept as it is", name);
}

static int file_forget(const char *words, int dir, const struct key_name *k)
{
	char name[64];

	file_of(k, name);
	return file_destroy(dir, name);
}

const struct key_place key_place_file = { "file", file_check, file_open, file_forget, NULL };

/* ---- out of reach ---- */

struct remote {
	key_sign_fn *sign;
	void *ctx;
	void (*done)(void *ctx);
	pthread_mutex_t lock;           /* the interface and the reports sign from threads of their own */
};

static void remote_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	struct remote *r = ptr;

	if (!r)
		return;
	if (r->done)
		r->done(r->ctx);
	pthread_mutex_destroy(&r->lock);
	OPENSSL_free(r);
}

static int remote_index(void)
{
	static int index = -1;          /* the crypto library's own table: made once, before there is a second thread */

	if (index < 0)
		index = EC_KEY_get_ex_new_index(0, NULL, NULL, NULL, remote_free);
	return index;
}

static ECDSA_SIG *remote_sign(const unsigned char *digest, int n, const BIGNUM *kinv, const BIGNUM *rp, EC_KEY *key)
{
	struct remote *r = EC_KEY_get_ex_data(key, remote_index());
	uint8_t sig[CTM_SIG_BYTES];
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *a = NULL, *b = NULL;

	if (r && s && n == CTM_HASH_BYTES) {
		int rc;

		pthread_mutex_lock(&r->lock);
		rc = r->sign(r->ctx, digest, sig);
		pthread_mutex_unlock(&r->lock);
		a = rc ? NULL : BN_bin2bn(sig, 32, NULL);
		b = rc ? NULL : BN_bin2bn(sig + 32, 32, NULL);
	}
	if (a && b && ECDSA_SIG_set0(s, a, b) == 1)
		return s;
	BN_free(a);
	BN_free(b);
	ECDSA_SIG_free(s);
	return NULL;
}

static const EC_KEY_METHOD *remote_method(void)
{
	static EC_KEY_METHOD *m;
	int (*sign)(int, const unsigned char *, int, unsigned char *, unsigned int *, const BIGNUM *, const BIGNUM *, EC_KEY *) = NULL;
	int (*setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **) = NULL;

	if (!m && (m = EC_KEY_METHOD_new(EC_KEY_OpenSSL())) != NULL) {
		EC_KEY_METHOD_get_sign(m, &sign, &setup, NULL);
		EC_KEY_METHOD_set_sign(m, sign, setup, remote_sign);
	}
	return m;
}

EVP_PKEY *key_remote(const uint8_t pub[CTM_PUB_MAX], key_sign_fn *sign, void *ctx, void (*done)(void *ctx))
{
	EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	EVP_PKEY *k = EVP_PKEY_new();
	struct remote *r = OPENSSL_zalloc(sizeof *r);
	bool good = ec && k && r && pthread_mutex_init(&r->lock, NULL) == 0 && remote_method() && EC_KEY_oct2key(ec, pub, CTM_PUB_MAX, NULL) == 1 && EC_KEY_set_method(ec, remote_method()) == 1 &&
		    EC_KEY_set_ex_data(ec, remote_index(), r) == 1;

	if (!good) {
		OPENSSL_free(r);
		EC_KEY_free(ec);
		EVP_PKEY_free(k);
		return NULL;
	}
	r->sign = sign;
	r->ctx = ctx;
	if (EVP_PKEY_assign_EC_KEY(k, ec) != 1) {
		EC_KEY_free(ec);
		EVP_PKEY_free(k);
		return NULL;
	}
	r->done = done;
	return k;
}
