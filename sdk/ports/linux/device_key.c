/* SPDX-License-Identifier: Apache-2.0
 *
 * The device key (P-256, made on the unit at first boot, never leaves it) and its certificate: self-signed until the maker's
 * service has issued one. Subject CN and serialNumber are the printed serial (IEEE 802.1AR, LDevID).
 */
#include "agent.h"
#include "ctm/openssl.h"
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define KEY_FILE "device-key.pem"
#define CERT_FILE "device-cert.pem"

static int bio_text(BIO *b, char *out, size_t cap)
{
	char *p = NULL;
	long n = BIO_get_mem_data(b, &p);

	if (n <= 0 || (size_t)n >= cap)
		return CTM_SDK_TOOBIG;
	memcpy(out, p, (size_t)n);
	out[n] = 0;
	return 0;
}

static int make_key(struct agent *a)
{
	BIO *b = BIO_new(BIO_s_mem());
	char pem[2048];
	int rc = CTM_SDK_FAIL;

	a->key = EVP_EC_gen("P-256");
	if (b && a->key && PEM_write_bio_PKCS8PrivateKey(b, a->key, NULL, NULL, 0, NULL, NULL) == 1 && bio_text(b, pem, sizeof pem) == 0)
		rc = store_write(a->dir, KEY_FILE, pem, strlen(pem));
	ctm_sdk_wipe(pem, sizeof pem);
	BIO_free(b);
	return rc;
}

/* "sha256:" of SubjectPublicKeyInfo. */
static int spki_digest(EVP_PKEY *k, char out[72])
{
	uint8_t *der = NULL, d[CTM_HASH_BYTES];
	int n = i2d_PUBKEY(k, &der), rc = CTM_SDK_FAIL;

	if (n > 0)
		rc = ctm_sdk_sha256(ctm_openssl_crypto(), der, (size_t)n, d);
	OPENSSL_free(der);
	if (rc)
		return rc;
	memcpy(out, "sha256:", 8);
	for (size_t i = 0; i < sizeof d; i++)
		snprintf(out + 7 + 2 * i, 3, "%02x", d[i]);
	return 0;
}

int device_key_load(struct agent *a, struct why *w)
{
	char pem[2048];
	size_t n = 0;
	BIO *b;
	int rc = store_read(a->dir, KEY_FILE, pem, sizeof pem - 1, &n);

	if (rc == CTM_SDK_NONE) {
		rc = make_key(a);
	} else if (!rc) {
		b = BIO_new_mem_buf(pem, (int)n);
		a->key = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
		BIO_free(b);
		ctm_sdk_wipe(pem, sizeof pem);
	}
	if (rc || !a->key || !EVP_PKEY_is_a(a->key, "EC"))
		return why_say(w, CTM_SDK_STORAGE, "the device key in %s/%s cannot be used; it is kept as it is", a->conf.state_dir, KEY_FILE);
	rc = spki_digest(a->key, a->spki);
	return rc ? why_say(w, rc, "the device key cannot be digested") : 0;
}

static int set_subject(X509_NAME *name, const struct agent *a)
{
	const unsigned char *serial = (const unsigned char *)a->conf.serial;

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, serial, -1, -1, 0) == 1 &&
	       X509_NAME_add_entry_by_txt(name, "serialNumber", MBSTRING_ASC, serial, -1, -1, 0) == 1;
}

int device_csr(struct agent *a, char *out, size_t cap)
{
	X509_REQ *q = X509_REQ_new();
	BIO *b = BIO_new(BIO_s_mem());
	int rc = CTM_SDK_FAIL;

	if (q && b && X509_REQ_set_version(q, 0) == 1 && set_subject(X509_REQ_get_subject_name(q), a) &&
	    X509_REQ_set_pubkey(q, a->key) == 1 && X509_REQ_sign(q, a->key, EVP_sha256()) > 0 && PEM_write_bio_X509_REQ(b, q) == 1)
		rc = bio_text(b, out, cap);
	BIO_free(b);
	X509_REQ_free(q);
	return rc;
}

int device_cert_self(struct agent *a, char *out, size_t cap)
{
	X509 *x = X509_new();
	BIO *b = BIO_new(BIO_s_mem());
	uint64_t number;
	int rc = CTM_SDK_FAIL;

	if (x && b && RAND_bytes((unsigned char *)&number, sizeof number) == 1 && X509_set_version(x, 2) == 1 &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), number >> 1 | 1) == 1 && X509_gmtime_adj(X509_getm_notBefore(x), -300) &&
	    X509_time_adj_ex(X509_getm_notAfter(x), 365, 0, NULL) && set_subject(X509_get_subject_name(x), a) &&
	    X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 && X509_set_pubkey(x, a->key) == 1 &&
	    X509_sign(x, a->key, EVP_sha256()) > 0 && PEM_write_bio_X509(b, x) == 1)
		rc = bio_text(b, out, cap);
	BIO_free(b);
	X509_free(x);
	return rc;
}

static X509 *read_cert(const char *pem, size_t n)
{
	BIO *b = BIO_new_mem_buf(pem, (int)n);
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;

	BIO_free(b);
	return x;
}

static bool subject_is(X509 *x, int nid, const char *want)
{
	char text[AGENT_TEXT];
	int n = X509_NAME_get_text_by_NID(X509_get_subject_name(x), nid, text, sizeof text);

	return n > 0 && (size_t)n == strlen(want) && memcmp(text, want, (size_t)n) == 0;
}

/* The chain of one under the pinned CA. */
static bool issued_by_ca(X509 *x, const char *ca_path)
{
	X509_STORE *s = X509_STORE_new();
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	bool ok = s && c && X509_STORE_load_file(s, ca_path) == 1 && X509_STORE_CTX_init(c, s, x, NULL) == 1 && X509_verify_cert(c) == 1;

	X509_STORE_CTX_free(c);
	X509_STORE_free(s);
	return ok;
}

int device_cert_take(struct agent *a, const char *pem, size_t n, struct why *w)
{
	X509 *x = n < AGENT_PEM ? read_cert(pem, n) : NULL;
	EVP_PKEY *k = x ? X509_get0_pubkey(x) : NULL;
	int rc = 0;

	if (!k || EVP_PKEY_eq(k, a->key) != 1)
		rc = why_say(w, CTM_SDK_VERIFY, "the certificate is not for this device's key");
	else if (!subject_is(x, NID_serialNumber, a->conf.serial))
		rc = why_say(w, CTM_SDK_VERIFY, "the certificate is not for the serial %s", a->conf.serial);
	else if (!issued_by_ca(x, a->conf.ca))
		rc = why_say(w, CTM_SDK_VERIFY, "the certificate does not verify under the pinned CA");
	X509_free(x);
	if (!rc && (rc = store_write(a->dir, CERT_FILE, pem, n)))
		why_say(w, rc, "the certificate could not be stored");
	if (rc)
		return rc;
	a->enrolled = true;
	if (!DEFECT(BAD_CERTIFICATE)) {
		memcpy(a->cert, pem, n);
		a->cert[n] = 0;
	}
	return 0;
}

int device_cert_load(struct agent *a, struct why *w)
{
	size_t n = 0;
	int rc = store_read(a->dir, CERT_FILE, a->cert, sizeof a->cert - 1, &n);
	X509 *x;

	if (!rc) {
		a->cert[n] = 0;
		x = read_cert(a->cert, n);
		a->enrolled = x && EVP_PKEY_eq(X509_get0_pubkey(x), a->key) == 1;
		X509_free(x);
	}
	if (a->enrolled && !DEFECT(BAD_CERTIFICATE))
		return 0;
	rc = device_cert_self(a, a->cert, sizeof a->cert);
	return rc ? why_say(w, rc, "no certificate could be made") : 0;
}

int device_key_sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	struct agent *a = ctx;

	return a->key ? ctm_openssl_sign(a->key, tbs, n, sig) : CTM_SDK_NONE;
}
