/* SPDX-License-Identifier: Apache-2.0
 *
 * The device key (P-256, made on the unit at first boot, never leaves its place) and its certificate: self-signed until the maker's
 * service has issued one. Subject CN and serialNumber are the printed serial (IEEE 802.1AR, LDevID). A renewed key is the next number
 * of that name; the record "identity" says which number is in use, and changes when the new key has its certificate.
 */
#include "agent.h"
#include "ctm/openssl.h"
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDENTITY_RECORD "identity"      /* number of the key in use, 4 bytes big-endian */

static int place_of(const struct agent *a, const struct key_place **place, const char **words, struct why *w)
{
	*place = key_place_find(a->conf.key, words);
	return *place ? 0 : why_say(w, CTM_SDK_INPUT, "the agent knows no place for keys named %.60s", a->conf.key);
}

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

/* Which key is in use. The record is written only when a renewed key has its certificate; before that there is number 0. */
static int load_number(struct agent *a)
{
	uint8_t b[4];
	size_t n = 0;
	int rc = ctm_record_load(&a->port, IDENTITY_RECORD, b, sizeof b, &n);

	if (rc == CTM_SDK_NONE)
		return 0;
	if (rc || n != 4)
		return CTM_SDK_STORAGE;
	a->key_number = (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
	a->key_before = a->key_number > 0;
	return 0;
}

static int store_number(struct agent *a, unsigned number)
{
	uint8_t b[4] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number };

	return ctm_record_store(&a->port, IDENTITY_RECORD, b, sizeof b);
}

int device_key_load(struct agent *a, struct why *w)
{
	const struct key_place *place = NULL;
	const char *words = "";
	int rc = place_of(a, &place, &words, w);

	if (rc)
		return rc;
	if (load_number(a))
		return why_say(w, CTM_SDK_STORAGE, "the record of the device key cannot be read");
	struct key_name k = { "device", a->key_number };
	rc = place->open(words, a->dir, &k, false, &a->key, w);
	if (rc == CTM_SDK_NONE && a->key_number == 0)
		rc = place->open(words, a->dir, &k, true, &a->key, w);
	if (rc == CTM_SDK_NONE)
		why_say(w, CTM_SDK_STORAGE, "device key number %u is gone", a->key_number);
	if (rc)
		return CTM_SDK_STORAGE;
	rc = spki_digest(a->key, a->spki);
	return rc ? why_say(w, rc, "the device key cannot be digested") : 0;
}

int device_next_make(struct agent *a, struct device_next *next, struct why *w)
{
	const struct key_place *place = NULL;
	const char *words = "";
	int rc = place_of(a, &place, &words, w);

	next->number = a->key_number + 1;
	next->key = NULL;
	return rc ? rc : place->open(words, a->dir, &(struct key_name){ "device", next->number }, true, &next->key, w);
}

void device_next_free(struct device_next *next)
{
	EVP_PKEY_free(next->key);
	next->key = NULL;
}

void device_key_settle(struct agent *a)
{
	const struct key_place *place = NULL;
	const char *words = "";
	struct why w;

	if (!a->key_before || place_of(a, &place, &words, &w))
		return;
	if (place->forget(words, a->dir, &(struct key_name){ "device", a->key_number - 1 }) == 0)
		a->key_before = false;
}

static int set_subject(X509_NAME *name, const struct agent *a)
{
	const unsigned char *serial = (const unsigned char *)a->conf.serial;

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, serial, -1, -1, 0) == 1 &&
	       X509_NAME_add_entry_by_txt(name, "serialNumber", MBSTRING_ASC, serial, -1, -1, 0) == 1;
}

int device_csr(struct agent *a, EVP_PKEY *key, char *out, size_t cap)
{
	X509_REQ *q = X509_REQ_new();
	BIO *b = BIO_new(BIO_s_mem());
	int rc = CTM_SDK_FAIL;

	if (q && b && X509_REQ_set_version(q, 0) == 1 && set_subject(X509_REQ_get_subject_name(q), a) &&
	    X509_REQ_set_pubkey(q, key) == 1 && X509_REQ_sign(q, key, EVP_sha256()) > 0 && PEM_write_bio_X509_REQ(b, q) == 1)
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

/* Two names, by turns, as the keys have. */
static const char *cert_file(unsigned number)
{
	return number % 2 ? "device-cert.1.pem" : "device-cert.pem";
}

static int64_t asn1_ms(const ASN1_TIME *t)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

static void put_in_force(struct agent *a, X509 *x, const char *pem, size_t n)
{
	a->enrolled = true;
	a->cert_from_ms = asn1_ms(X509_get0_notBefore(x));
	a->cert_until_ms = asn1_ms(X509_get0_notAfter(x));
	if (DEFECT(BAD_CERTIFICATE))
		return;
	memcpy(a->cert, pem, n);
	a->cert[n] = 0;
}

/* Certificate first, then the record that makes key and certificate the ones in use: power may go anywhere. */
static int store_cert(struct agent *a, struct device_next *next, const char *pem, size_t n)
{
	char spki[72];
	int rc = store_write(a->dir, cert_file(next ? next->number : a->key_number), pem, n);

	if (rc || !next)
		return rc;
	if ((rc = spki_digest(next->key, spki)) || (rc = store_number(a, next->number)))
		return rc;
	EVP_PKEY_free(a->key);
	a->key = next->key;
	a->key_number = next->number;
	a->key_before = true;
	memcpy(a->spki, spki, sizeof a->spki);
	next->key = NULL;
	return 0;
}

int device_cert_take(struct agent *a, struct device_next *next, const char *pem, size_t n, struct why *w)
{
	X509 *x = n < AGENT_PEM ? read_cert(pem, n) : NULL;
	EVP_PKEY *k = x ? X509_get0_pubkey(x) : NULL;
	int rc = 0;

	if (!k || EVP_PKEY_eq(k, next ? next->key : a->key) != 1)
		rc = why_say(w, CTM_SDK_VERIFY, "the certificate is not for this device's key");
	else if (!subject_is(x, NID_serialNumber, a->conf.serial))
		rc = why_say(w, CTM_SDK_VERIFY, "the certificate is not for the serial %s", a->conf.serial);
	else if (!issued_by_ca(x, a->conf.ca))
		rc = why_say(w, CTM_SDK_VERIFY, "the certificate does not verify under the pinned CA");
	if (!rc && (rc = store_cert(a, next, pem, n)))
		why_say(w, rc, "the certificate could not be stored");
	if (!rc)
		put_in_force(a, x, pem, n);
	X509_free(x);
	return rc;
}

int device_cert_pem(struct agent *a, char *out, size_t cap)
{
	size_t n = 0;
	int rc = store_read(a->dir, cert_file(a->key_number), out, cap - 1, &n);

	if (!rc)
		out[n] = 0;
	return rc;
}

bool device_cert_old(struct agent *a)
{
	int64_t now = a->port.now_ms(a), life = a->cert_until_ms - a->cert_from_ms;

	if (!a->enrolled || life <= 0)
		return false;
	return now - a->cert_from_ms >= (a->conf.renew_after_s ? (int64_t)a->conf.renew_after_s * 1000 : life / 3 * 2);
}

int device_cert_load(struct agent *a, struct why *w)
{
	char *pem = malloc(AGENT_PEM);
	int rc = pem ? device_cert_pem(a, pem, AGENT_PEM) : CTM_SDK_FAIL;
	X509 *x = rc ? NULL : read_cert(pem, strlen(pem));

	if (x && EVP_PKEY_eq(X509_get0_pubkey(x), a->key) == 1)
		put_in_force(a, x, pem, strlen(pem));
	X509_free(x);
	free(pem);
	if (a->enrolled && !DEFECT(BAD_CERTIFICATE))
		return 0;
	rc = device_cert_self(a, a->cert, sizeof a->cert);
	return rc ? why_say(w, rc, "no certificate could be made") : 0;
}

/* ---- the factory's identity (IEEE 802.1AR, IDevID) ---- */

static const struct key_name idevid_key = { "idevid", 0 };

int device_idevid(struct agent *a, EVP_PKEY **key, char *cert, size_t cap, struct why *w)
{
	const struct key_place *place = NULL;
	const char *words = "";
	size_t n = 0;
	int rc = place_of(a, &place, &words, w);

	if (!rc)
		rc = file_load(a->conf.idevid, cert, cap, &n, w);
	if (!rc && (rc = place->open(words, a->dir, &idevid_key, false, key, w)) == CTM_SDK_NONE)
		why_say(w, rc, "the key of the factory's identity is gone");
	return rc;
}

int device_idevid_request(struct agent *a, const char *path, struct why *w)
{
	const struct key_place *place = NULL;
	const char *words = "";
	char csr[4096];
	FILE *f = NULL;
	EVP_PKEY *key = NULL;
	int rc = place_of(a, &place, &words, w);

	if (!rc && (rc = place->open(words, a->dir, &idevid_key, false, &key, w)) == CTM_SDK_NONE)
		rc = place->open(words, a->dir, &idevid_key, true, &key, w);
	if (!rc && (rc = device_csr(a, key, csr, sizeof csr)))
		why_say(w, rc, "no certificate request could be made");
	EVP_PKEY_free(key);
	if (!rc && (!(f = fopen(path, "w")) || fputs(csr, f) < 0))
		rc = why_say(w, CTM_SDK_STORAGE, "%.200s cannot be written", path);
	if (f && fclose(f) && !rc)
		rc = why_say(w, CTM_SDK_STORAGE, "%.200s cannot be written", path);
	return rc;
}

int device_key_sign(void *ctx, const uint8_t *tbs, size_t n, uint8_t sig[CTM_SIG_BYTES])
{
	struct agent *a = ctx;

	return a->key ? ctm_openssl_sign(a->key, tbs, n, sig) : CTM_SDK_NONE;
}
