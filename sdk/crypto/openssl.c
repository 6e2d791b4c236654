/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL 3 back end of ctm/crypto.h. Raw public keys are made into EVP_PKEY for each call: a device verifies seldom, and
 * no cache means no state. Ed25519 in OpenSSL verifies in one shot only, so parts are joined (bounded by the caller's own
 * limits); ECDSA hashes them in pieces. ECDSA signatures cross the seam raw (r || s) and are DER only in here.
 */
#include "ctm/openssl.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <string.h>

#define JOINED_MAX ((size_t)32 << 20)
#define SEALED_MAX ((size_t)64 << 20)

static EVP_MD_CTX **slot(struct ctm_hash *h)
{
	return (EVP_MD_CTX **)(void *)h->opaque;
}

static int hash_init(struct ctm_hash *h)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();

	if (!m || EVP_DigestInit_ex(m, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(m);
		return CTM_SDK_FAIL;
	}
	*slot(h) = m;
	return 0;
}

static int hash_update(struct ctm_hash *h, const void *p, size_t n)
{
	return EVP_DigestUpdate(*slot(h), p, n) == 1 ? 0 : CTM_SDK_FAIL;
}

static int hash_final(struct ctm_hash *h, uint8_t out[CTM_HASH_BYTES])
{
	int ok = EVP_DigestFinal_ex(*slot(h), out, NULL);

	EVP_MD_CTX_free(*slot(h));
	*slot(h) = NULL;
	return ok == 1 ? 0 : CTM_SDK_FAIL;
}

static int es256_key(const uint8_t *pub, size_t publen, EVP_PKEY **out)
{
	char group[] = "P-256";
	OSSL_PARAM params[3];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	int ok;

	if (!ctx)
		return CTM_SDK_FAIL;
	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	params[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)pub, publen);
	params[2] = OSSL_PARAM_construct_end();
	ok = EVP_PKEY_fromdata_init(ctx) == 1 && EVP_PKEY_fromdata(ctx, out, EVP_PKEY_PUBLIC_KEY, params) == 1;
	EVP_PKEY_CTX_free(ctx);
	return ok ? 0 : CTM_SDK_INPUT;
}

static int eddsa_verify(const uint8_t *pub, size_t publen, const struct ctm_bytes *parts, size_t nparts, const uint8_t *sig)
{
	EVP_PKEY *key = publen == 32 ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, publen) : NULL;
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	uint8_t *all = NULL;
	size_t n = 0, at = 0;
	int rc = CTM_SDK_INPUT;

	for (size_t i = 0; i < nparts; i++)
		n += parts[i].n;
	if (!key)
		goto out;
	rc = CTM_SDK_TOOBIG;
	if (n > JOINED_MAX)
		goto out;
	rc = CTM_SDK_FAIL;
	if (!m || !(all = OPENSSL_malloc(n + 1)))
		goto out;
	for (size_t i = 0; i < nparts; i++) {
		if (parts[i].n)
			memcpy(all + at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	if (EVP_DigestVerifyInit(m, NULL, NULL, NULL, key) != 1)
		goto out;
	rc = EVP_DigestVerify(m, sig, CTM_SIG_BYTES, all, n) == 1 ? 0 : CTM_SDK_VERIFY;
out:
	OPENSSL_free(all);
	EVP_MD_CTX_free(m);
	EVP_PKEY_free(key);
	return rc;
}

/* r || s to DER; NULL on failure. The caller frees with OPENSSL_free. */
static uint8_t *sig_to_der(const uint8_t *sig, size_t *n)
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, 32, NULL), *v = BN_bin2bn(sig + 32, 32, NULL);
	uint8_t *der = NULL;
	int len;

	if (!s || !r || !v || ECDSA_SIG_set0(s, r, v) != 1) {
		BN_free(r);
		BN_free(v);
		ECDSA_SIG_free(s);
		return NULL;
	}
	len = i2d_ECDSA_SIG(s, &der);
	ECDSA_SIG_free(s);
	if (len <= 0)
		return NULL;
	*n = (size_t)len;
	return der;
}

static int es256_verify(const uint8_t *pub, size_t publen, const struct ctm_bytes *parts, size_t nparts, const uint8_t *sig)
{
	EVP_PKEY *key = NULL;
	EVP_MD_CTX *m = NULL;
	uint8_t *der = NULL;
	size_t dern = 0;
	int rc;

	if (publen != 65 || pub[0] != 4)
		return CTM_SDK_INPUT;
	if ((rc = es256_key(pub, publen, &key)))
		return rc;
	rc = CTM_SDK_FAIL;
	m = EVP_MD_CTX_new();
	der = sig_to_der(sig, &dern);
	if (!m || !der || EVP_DigestVerifyInit(m, NULL, EVP_sha256(), NULL, key) != 1)
		goto out;
	for (size_t i = 0; i < nparts; i++)
		if (parts[i].n && EVP_DigestVerifyUpdate(m, parts[i].p, parts[i].n) != 1)
			goto out;
	rc = EVP_DigestVerifyFinal(m, der, dern) == 1 ? 0 : CTM_SDK_VERIFY;
out:
	OPENSSL_free(der);
	EVP_MD_CTX_free(m);
	EVP_PKEY_free(key);
	return rc;
}

static int verify(int alg, const uint8_t *pub, size_t publen, const struct ctm_bytes *parts, size_t nparts,
		  const uint8_t sig[CTM_SIG_BYTES])
{
	switch (alg) {
	case CTM_COSE_EDDSA:
		return eddsa_verify(pub, publen, parts, nparts, sig);
	case CTM_COSE_ES256:
		return es256_verify(pub, publen, parts, nparts, sig);
	default:
		return CTM_SDK_UNSUPPORTED;
	}
}

static int random_bytes(void *out, size_t n)
{
	return n <= 65536 && RAND_bytes(out, (int)n) == 1 ? 0 : CTM_SDK_FAIL;
}

/* DER to r || s. */
static int sig_from_der(const uint8_t *der, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	const uint8_t *at = der;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)n);
	int ok = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + 32, 32) == 32;

	ECDSA_SIG_free(s);
	return ok ? 0 : CTM_SDK_FAIL;
}

int ctm_openssl_sign(void *evp_pkey, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	EVP_PKEY *key = evp_pkey;
	EVP_MD_CTX *m = EVP_MD_CTX_new();
	uint8_t buf[128], raw[CTM_SIG_BYTES];
	size_t len = sizeof buf;
	int ec = EVP_PKEY_is_a(key, "EC"), rc = CTM_SDK_FAIL;

	if (!ec && !EVP_PKEY_is_a(key, "ED25519")) {
		rc = CTM_SDK_UNSUPPORTED;
		goto out;
	}
	if (!m || EVP_DigestSignInit(m, NULL, ec ? EVP_sha256() : NULL, NULL, key) != 1 ||
	    EVP_DigestSign(m, buf, &len, tbs, n) != 1)
		goto out;
	if (!ec && len == CTM_SIG_BYTES) {
		memcpy(raw, buf, sizeof raw);
		rc = 0;
	} else if (ec) {
		rc = sig_from_der(buf, len, raw);
	}
	if (!rc)
		memcpy(sig, raw, sizeof raw);
out:
	EVP_MD_CTX_free(m);
	return rc;
}

static int seal(const uint8_t key[CTM_AEAD_KEY], const uint8_t nonce[CTM_AEAD_NONCE], struct ctm_bytes ad, const uint8_t *in, size_t n,
		uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len, ok = c && n <= SEALED_MAX && ad.n <= SEALED_MAX && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		      (!ad.n || EVP_EncryptUpdate(c, NULL, &len, ad.p, (int)ad.n) == 1) &&
		      (!n || EVP_EncryptUpdate(c, out, &len, in, (int)n) == 1) && EVP_EncryptFinal_ex(c, out + n, &len) == 1 &&
		      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, CTM_AEAD_TAG, out + n) == 1;

	EVP_CIPHER_CTX_free(c);
	return ok ? 0 : CTM_SDK_FAIL;
}

static int open_sealed(const uint8_t key[CTM_AEAD_KEY], const uint8_t nonce[CTM_AEAD_NONCE], struct ctm_bytes ad, const uint8_t *in,
		       size_t n, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t tag[CTM_AEAD_TAG];
	size_t text = n - CTM_AEAD_TAG;
	int len, ok = c && n >= CTM_AEAD_TAG && n <= SEALED_MAX && ad.n <= SEALED_MAX && memcpy(tag, in + text, sizeof tag) &&
		      EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		      (!ad.n || EVP_DecryptUpdate(c, NULL, &len, ad.p, (int)ad.n) == 1) &&
		      (!text || EVP_DecryptUpdate(c, out, &len, in, (int)text) == 1) &&
		      EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, CTM_AEAD_TAG, tag) == 1 && EVP_DecryptFinal_ex(c, out + text, &len) == 1;

	EVP_CIPHER_CTX_free(c);
	if (!ok && n >= CTM_AEAD_TAG && n <= SEALED_MAX)
		ctm_sdk_wipe(out, text);
	return ok ? 0 : CTM_SDK_VERIFY;
}

const struct ctm_crypto *ctm_openssl_crypto(void)
{
	static const struct ctm_crypto backend = {
		.can = CTM_CAN_EDDSA | CTM_CAN_ES256 | CTM_CAN_AEAD,
		.sha256_init = hash_init, .sha256_update = hash_update, .sha256_final = hash_final,
		.verify = verify, .random = random_bytes, .seal = seal, .open = open_sealed,
	};

	return &backend;
}
