/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL 3 for the TUF client: keys come as metadata writes them (PEM or hex), signatures as DER or raw bytes. A key is known by
 * the digest of its SubjectPublicKeyInfo, so that one key written in two ways is one.
 */
#include "ctm/tuf.h"
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192      /* a longer key makes a device work, not safer */
#define PEM_MAX 8192

static bool is(struct ctm_bytes b, const char *s)
{
	return b.n == strlen(s) && !memcmp(b.p, s, b.n);
}

static int unhex(struct ctm_bytes hex, uint8_t *out, size_t cap, size_t *n)
{
	if (hex.n % 2 || hex.n / 2 > cap)
		return CTM_SDK_INPUT;
	for (size_t i = 0; i < hex.n; i++) {
		int v = OPENSSL_hexchar2int(hex.p[i]);

		if (v < 0)
			return CTM_SDK_INPUT;
		out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | v : v << 4);
	}
	*n = hex.n / 2;
	return 0;
}

static EVP_PKEY *from_pem(struct ctm_bytes text)
{
	BIO *b = text.n <= PEM_MAX ? BIO_new_mem_buf(text.p, (int)text.n) : NULL;
	EVP_PKEY *k = b ? PEM_read_bio_PUBKEY(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	return k;
}

static EVP_PKEY *from_point(struct ctm_bytes hex)
{
	char group[] = "P-256";
	uint8_t point[65];
	size_t n;
	OSSL_PARAM p[3];
	EVP_PKEY *k = NULL;
	EVP_PKEY_CTX *ctx;

	if (unhex(hex, point, sizeof point, &n))
		return NULL;
	p[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0);
	p[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, n);
	p[2] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_PUBLIC_KEY, p) != 1)
		k = NULL;
	EVP_PKEY_CTX_free(ctx);
	return k;
}

static EVP_PKEY *ed25519(struct ctm_bytes hex)
{
	uint8_t raw[32];
	size_t n;

	return unhex(hex, raw, sizeof raw, &n) || n != sizeof raw ? NULL : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw, n);
}

static EVP_PKEY *ecdsa(struct ctm_bytes value)
{
	char group[32] = "";
	EVP_PKEY *k = value.n && value.p[0] == '-' ? from_pem(value) : from_point(value);

	if (k && (!EVP_PKEY_is_a(k, "EC") || EVP_PKEY_get_group_name(k, group, sizeof group, NULL) != 1 || strcmp(group, "prime256v1"))) {
		EVP_PKEY_free(k);
		k = NULL;
	}
	return k;
}

static EVP_PKEY *rsa(struct ctm_bytes value)
{
	EVP_PKEY *k = from_pem(value);

	if (k && (!EVP_PKEY_is_a(k, "RSA") || EVP_PKEY_get_bits(k) < RSA_BITS_MIN || EVP_PKEY_get_bits(k) > RSA_BITS_MAX)) {
		EVP_PKEY_free(k);
		k = NULL;
	}
	return k;
}

static const struct kind {
	const char *type, *scheme;
	EVP_PKEY *(*read)(struct ctm_bytes value);
	bool md, pss;
} kinds[] = {
	{ "ed25519", "ed25519", ed25519, false, false },
	{ "ecdsa", "ecdsa-sha2-nistp256", ecdsa, true, false },
	{ "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", ecdsa, true, false },
	{ "rsa", "rsassa-pss-sha256", rsa, true, true },
};

static const struct kind *kind_of(const struct ctm_tuf_key *k)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (is(k->type, kinds[i].type) && is(k->scheme, kinds[i].scheme))
			return &kinds[i];
	return NULL;
}

static int spki_digest(EVP_PKEY *k, uint8_t out[CTM_HASH_BYTES])
{
	uint8_t *der = NULL;
	int n = i2d_PUBKEY(k, &der), ok = n > 0 && EVP_Digest(der, (size_t)n, out, NULL, EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	return ok ? 0 : CTM_SDK_FAIL;
}

static int open_key(const struct ctm_tuf_key *k, const struct kind **kind, EVP_PKEY **out)
{
	*kind = kind_of(k);
	if (!*kind)
		return CTM_SDK_UNSUPPORTED;
	*out = (*kind)->read(k->value);
	return *out ? 0 : CTM_SDK_INPUT;
}

static int identity(const struct ctm_tuf_key *k, uint8_t out[CTM_HASH_BYTES])
{
	const struct kind *kind;
	EVP_PKEY *key;
	int rc = open_key(k, &kind, &key);

	if (rc)
		return rc;
	rc = spki_digest(key, out);
	EVP_PKEY_free(key);
	return rc;
}

static int verify(const struct ctm_tuf_key *k, struct ctm_bytes msg, struct ctm_bytes sig, uint8_t id[CTM_HASH_BYTES])
{
	const struct kind *kind;
	EVP_PKEY *key;
	EVP_PKEY_CTX *pc = NULL;
	EVP_MD_CTX *m;
	int rc = open_key(k, &kind, &key);

	if (rc)
		return rc;
	m = EVP_MD_CTX_new();
	rc = CTM_SDK_FAIL;
	if (m && EVP_DigestVerifyInit(m, &pc, kind->md ? EVP_sha256() : NULL, NULL, key) == 1 &&
	    (!kind->pss || (EVP_PKEY_CTX_set_rsa_padding(pc, RSA_PKCS1_PSS_PADDING) == 1 &&
			    EVP_PKEY_CTX_set_rsa_pss_saltlen(pc, RSA_PSS_SALTLEN_AUTO) == 1)))
		rc = EVP_DigestVerify(m, sig.p, sig.n, msg.p, msg.n) == 1 ? spki_digest(key, id) : CTM_SDK_VERIFY;
	EVP_MD_CTX_free(m);
	EVP_PKEY_free(key);
	return rc;
}

static EVP_MD_CTX **slot(struct ctm_hash *h)
{
	return (EVP_MD_CTX **)(void *)h->opaque;
}

static int hash_init(struct ctm_hash *h, enum ctm_tuf_hash_alg alg)
{
	EVP_MD_CTX *m = EVP_MD_CTX_new();

	if (!m || EVP_DigestInit_ex(m, alg == CTM_TUF_SHA512 ? EVP_sha512() : EVP_sha256(), NULL) != 1) {
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

static int hash_final(struct ctm_hash *h, uint8_t out[CTM_TUF_DIGEST_MAX])
{
	int ok = EVP_DigestFinal_ex(*slot(h), out, NULL);

	EVP_MD_CTX_free(*slot(h));
	*slot(h) = NULL;
	return ok == 1 ? 0 : CTM_SDK_FAIL;
}

const struct ctm_tuf_crypto *ctm_tuf_openssl(void)
{
	static const struct ctm_tuf_crypto c = { verify, identity, hash_init, hash_update, hash_final };

	return &c;
}
