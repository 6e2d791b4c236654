/* SPDX-License-Identifier: Apache-2.0
 *
 * Signature keys over OpenSSL's EVP. Two algorithms only; everything else is UNSUPPORTED at the door, so no later code has
 * to ask. ECDSA signatures leave and enter as r||s; the DER form lives only inside this file. Private key files must be
 * readable by their owner alone. Memory that held private PEM text is wiped.
 */
#include "crypto/pkey.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/hash.h"
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PEM_MAX 16384
#define P256 "prime256v1"

const EVP_MD *ctm_key_md(const struct ctm_key *k) { return k->alg == CTM_ALG_ES256 ? EVP_sha256() : NULL; }

/* Public bytes of a P-256 key as 04||x||y, whatever point form the key came in. */
static bool raw_p256(EVP_PKEY *p, uint8_t raw[65])
{
	BIGNUM *x = NULL, *y = NULL;
	bool good = EVP_PKEY_get_bn_param(p, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 && EVP_PKEY_get_bn_param(p, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1
		&& BN_bn2binpad(x, raw + 1, 32) == 32 && BN_bn2binpad(y, raw + 33, 32) == 32;
	raw[0] = 4;
	BN_free(x);
	BN_free(y);
	return good;
}

static bool read_public(EVP_PKEY *p, enum ctm_alg *alg, uint8_t raw[65])
{
	char group[32] = "";
	size_t n = 32;
	if (EVP_PKEY_is_a(p, "ED25519")) {
		*alg = CTM_ALG_ED25519;
		return EVP_PKEY_get_raw_public_key(p, raw, &n) == 1 && n == 32;
	}
	if (!EVP_PKEY_is_a(p, "EC") || EVP_PKEY_get_group_name(p, group, sizeof group, NULL) != 1 || strcmp(group, P256) != 0)
		return false;
	*alg = CTM_ALG_ES256;
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(p, NULL);
	bool good = c && EVP_PKEY_public_check(c) == 1 && raw_p256(p, raw);
	EVP_PKEY_CTX_free(c);
	return good;
}

int ctm_key_wrap(EVP_PKEY *pkey, bool is_private, struct ctm_key **out, struct ctm_err *err)
{
	struct ctm_key *k = calloc(1, sizeof *k);
	int rc = !k || !pkey ? CTM_E_NOMEM : !read_public(pkey, &k->alg, k->raw) ? CTM_E_UNSUPPORTED : 0;
	ERR_clear_error();
	if (rc) {
		EVP_PKEY_free(pkey);
		free(k);
		return ctm_fail(err, rc, NULL, NULL, rc == CTM_E_NOMEM ? "out of memory" : "only Ed25519 and ECDSA P-256 keys are supported");
	}
	k->pkey = pkey;
	k->is_private = is_private;
	*out = k;
	return 0;
}

int ctm_key_generate(enum ctm_alg alg, struct ctm_key **out, struct ctm_err *err)
{
	return ctm_key_wrap(alg == CTM_ALG_ES256 ? EVP_EC_gen("P-256") : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), true, out, err);
}

/* Encrypted files are refused rather than asked about: programs here run unattended. */
static int no_password(char *buf, int size, int rw, void *arg) { return -1; }

int ctm_key_from_pem(const char *pem, size_t n, struct ctm_key **out, struct ctm_err *err)
{
	if (n > PEM_MAX)
		return ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "a key file has at most %d bytes", PEM_MAX);
	BIO *b = BIO_new_mem_buf(pem, (int)n);
	if (!b)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	bool is_private = true;
	EVP_PKEY *p = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);
	if (!p) {
		is_private = false;
		(void)BIO_reset(b);
		p = PEM_read_bio_PUBKEY(b, NULL, no_password, NULL);
	}
	BIO_free(b);
	ERR_clear_error();
	if (!p)
		return ctm_fail(err, CTM_E_SYNTAX, NULL, NULL, "not an unencrypted PEM key");
	return ctm_key_wrap(p, is_private, out, err);
}

int ctm_key_load(const char *path, struct ctm_key **out, struct ctm_err *err)
{
	struct stat st;
	struct ctm_key *k = NULL;
	CTM_AUTO_BUF b = CTM_BUF(PEM_MAX);
	if (stat(path, &st) == 0 && (st.st_mode & 077))
		return ctm_fail(err, CTM_E_GUARD, path, NULL, "the key file %s can be read by others; make it mode 0600", path);
	int rc = ctm_file_read(path, PEM_MAX, &b, err);
	if (!rc && (rc = ctm_key_from_pem(ctm_buf_cstr(&b), b.len, &k, err)))
		ctm_fail_prefix(err, "%s", path);
	if (b.p)
		explicit_bzero(b.p, b.cap);
	if (rc)
		return rc;
	if (!k->is_private) {
		ctm_key_free(k);
		return ctm_fail(err, CTM_E_SYNTAX, path, NULL, "%s holds a public key; a private key is needed", path);
	}
	*out = k;
	return 0;
}

/* Fill in a P-256 public key through the library's parameter interface. */
static EVP_PKEY *p256_from_raw(const uint8_t *pub, size_t n)
{
	EVP_PKEY *p = NULL;
	char group[] = P256;
	OSSL_PARAM prm[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)pub, n),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!c || EVP_PKEY_fromdata_init(c) != 1 || EVP_PKEY_fromdata(c, &p, EVP_PKEY_PUBLIC_KEY, prm) != 1)
		p = NULL;
	EVP_PKEY_CTX_free(c);
	return p;
}

int ctm_key_from_raw(enum ctm_alg alg, const uint8_t *pub, size_t n, struct ctm_key **out, struct ctm_err *err)
{
	bool shape = alg == CTM_ALG_ED25519 ? n == 32 : alg == CTM_ALG_ES256 && n == 65 && pub[0] == 4;
	EVP_PKEY *p = !shape ? NULL : alg == CTM_ALG_ED25519 ? EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, n) : p256_from_raw(pub, n);
	ERR_clear_error();
	if (!p)
		return ctm_fail(err, CTM_E_SYNTAX, NULL, NULL, "not the bytes of a public key");
	return ctm_key_wrap(p, false, out, err);
}

int ctm_key_store(const struct ctm_key *k, const char *path, struct ctm_err *err)
{
	char *p = NULL;
	if (!k->is_private)
		return ctm_fail(err, CTM_E_STATE, path, NULL, "only the public half of this key is here");
	BIO *b = BIO_new(BIO_s_mem());
	int rc = CTM_E_NOMEM;
	if (b && PEM_write_bio_PKCS8PrivateKey(b, k->pkey, NULL, NULL, 0, NULL, NULL) == 1) {
		long n = BIO_get_mem_data(b, &p);
		rc = ctm_file_write(path, p, (size_t)n, 0600, err);
		explicit_bzero(p, (size_t)n);
	}
	BIO_free(b);
	return rc == CTM_E_NOMEM ? ctm_fail(err, rc, path, NULL, "out of memory") : rc;
}

int ctm_key_pem_public(const struct ctm_key *k, struct ctm_buf *out)
{
	char *p = NULL;
	BIO *b = BIO_new(BIO_s_mem());
	if (!b || PEM_write_bio_PUBKEY(b, k->pkey) != 1) {
		BIO_free(b);
		return CTM_E_NOMEM;
	}
	long n = BIO_get_mem_data(b, &p);
	ctm_buf_add(out, p, (size_t)n);
	BIO_free(b);
	return out->failed;
}

enum ctm_alg ctm_key_alg(const struct ctm_key *k) { return k->alg; }
bool ctm_key_is_private(const struct ctm_key *k) { return k->is_private; }

size_t ctm_key_raw(const struct ctm_key *k, uint8_t out[65])
{
	size_t n = k->alg == CTM_ALG_ED25519 ? 32 : 65;
	memcpy(out, k->raw, n);
	return n;
}

void ctm_key_id(const struct ctm_key *k, char out[17])
{
	uint8_t d[CTM_SHA256];
	ctm_sha256(k->raw, k->alg == CTM_ALG_ED25519 ? 32 : 65, d);
	ctm_hex(d, 8, out);
}

void ctm_key_free(struct ctm_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);                /* the library wipes private parts */
	free(k);
}

void ctm_key_freep(struct ctm_key **k)
{
	ctm_key_free(*k);
	*k = NULL;
}

static bool der_to_raw(const uint8_t *der, size_t n, uint8_t sig[64])
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool good = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, 32) == 32 && BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + 32, 32) == 32;
	ECDSA_SIG_free(s);
	return good;
}

/* Length of the DER form, or 0. */
static size_t raw_to_der(const uint8_t sig[64], uint8_t der[80])
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, 32, NULL), *t = BN_bin2bn(sig + 32, 32, NULL);
	int n = 0;
	if (s && r && t && ECDSA_SIG_set0(s, r, t) == 1) {
		r = t = NULL;                          /* now the signature's */
		n = i2d_ECDSA_SIG(s, NULL);
		n = n > 0 && n <= 80 ? i2d_ECDSA_SIG(s, &der) : 0;
	}
	BN_free(r);
	BN_free(t);
	ECDSA_SIG_free(s);
	return n > 0 ? (size_t)n : 0;
}

int ctm_key_sign(const struct ctm_key *k, const void *msg, size_t n, uint8_t sig[64])
{
	uint8_t made[80];
	size_t len = sizeof made;
	if (!k->is_private)
		return CTM_E_STATE;
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = c && EVP_DigestSignInit(c, NULL, ctm_key_md(k), NULL, k->pkey) == 1
		&& EVP_DigestSign(c, made, &len, msg ? msg : (const void *)"", n) == 1;
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	if (!good || (k->alg == CTM_ALG_ED25519 && len != 64))
		return CTM_E_FAIL;
	if (k->alg == CTM_ALG_ED25519)
		memcpy(sig, made, 64);
	else if (!der_to_raw(made, len, sig))
		return CTM_E_FAIL;
	return 0;
}

int ctm_key_verify(const struct ctm_key *k, const void *msg, size_t n, const uint8_t *sig, size_t siglen)
{
	uint8_t der[80];
	if (siglen != 64)
		return CTM_E_VERIFY;
	if (k->alg == CTM_ALG_ES256) {
		siglen = raw_to_der(sig, der);
		sig = der;
	}
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	bool good = siglen && c && EVP_DigestVerifyInit(c, NULL, ctm_key_md(k), NULL, k->pkey) == 1
		&& EVP_DigestVerify(c, sig, siglen, msg ? msg : (const void *)"", n) == 1;
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return good ? 0 : CTM_E_VERIFY;
}
