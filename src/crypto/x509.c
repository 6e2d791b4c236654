/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 for devices: a CA with one level. What goes into a certificate is decided here, not by the request: from a CSR
 * only the serial number, the common name and the key are taken, after its own signature has been verified. Extensions
 * are built from structures or constant texts, never from input spliced into the library's configuration language.
 * Profile: RFC 5280, with the subject of an IEEE 802.1AR LDevID. notBefore lies five minutes back, for device clocks.
 */
#include "crypto/x509.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include "crypto/pkey.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PEM_MAX 65536
#define SKEW_S 300
#define DAYS_MAX 36500

static int nomem(struct ctm_err *err) { return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "the cryptographic library is out of memory"); }

static int pem_out(BIO *b, int written, struct ctm_buf *pem, struct ctm_err *err)
{
	char *p = NULL;
	if (written == 1) {
		long n = BIO_get_mem_data(b, &p);
		ctm_buf_add(pem, p, (size_t)n);
	}
	BIO_free(b);
	return written == 1 ? ctm_buf_err(pem, NULL, err) : nomem(err);
}

static int cert_out(X509 *x, struct ctm_buf *pem, struct ctm_err *err)
{
	BIO *b = BIO_new(BIO_s_mem());
	return pem_out(b, b ? PEM_write_bio_X509(b, x) : 0, pem, err);
}

static bool add_name(X509_NAME *n, int nid, const char *v)
{
	return !v || !*v || X509_NAME_add_entry_by_NID(n, nid, MBSTRING_UTF8, (const unsigned char *)v, -1, -1, 0) == 1;
}

static bool add_ext(X509 *x, X509 *issuer, int nid, const char *constant)
{
	X509V3_CTX c;
	X509V3_set_ctx(&c, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &c, nid, constant);
	bool good = e && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return good;
}

/* Version, a random 127-bit serial and the validity. */
static bool frame(X509 *x, int64_t now_ms, int days)
{
	unsigned char r[16];
	if (RAND_bytes(r, sizeof r) != 1)
		return false;
	r[0] = (unsigned char)((r[0] & 0x7F) | 0x40);
	BIGNUM *bn = BN_bin2bn(r, sizeof r, NULL);
	bool good = bn && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) && X509_set_version(x, X509_VERSION_3) == 1;
	BN_free(bn);
	time_t from = (time_t)(now_ms / 1000 - SKEW_S), to = (time_t)(now_ms / 1000 + (int64_t)days * 86400);
	return good && ASN1_TIME_set(X509_getm_notBefore(x), from) && ASN1_TIME_set(X509_getm_notAfter(x), to);
}

int ctm_ca_new(const struct ctm_key *key, const char *cn, const char *org, int64_t now_ms, int days, struct ctm_buf *pem, struct ctm_err *err)
{
	if (days < 1 || days > DAYS_MAX || !cn || !*cn)
		return ctm_fail(err, CTM_E_INPUT, NULL, NULL, "a CA needs a name and from 1 to %d days", DAYS_MAX);
	X509 *x = X509_new();
	int rc = CTM_E_NOMEM;
	if (x && frame(x, now_ms, days) && add_name(X509_get_subject_name(x), NID_organizationName, org)
		&& add_name(X509_get_subject_name(x), NID_commonName, cn) && X509_set_issuer_name(x, X509_get_subject_name(x)) == 1
		&& X509_set_pubkey(x, key->pkey) == 1 && add_ext(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
		&& add_ext(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") && add_ext(x, x, NID_subject_key_identifier, "hash")
		&& add_ext(x, x, NID_authority_key_identifier, "keyid") && X509_sign(x, key->pkey, ctm_key_md(key)) > 0)
		rc = cert_out(x, pem, err);
	X509_free(x);
	ERR_clear_error();
	return rc == CTM_E_NOMEM ? nomem(err) : rc;
}

int ctm_csr_new(const struct ctm_key *key, const char *serial, const char *org, struct ctm_buf *pem, struct ctm_err *err)
{
	X509_REQ *r = X509_REQ_new();
	int rc = CTM_E_NOMEM;
	if (r && X509_REQ_set_version(r, 0) == 1 && add_name(X509_REQ_get_subject_name(r), NID_organizationName, org)
		&& add_name(X509_REQ_get_subject_name(r), NID_commonName, serial) && add_name(X509_REQ_get_subject_name(r), NID_serialNumber, serial)
		&& X509_REQ_set_pubkey(r, key->pkey) == 1 && X509_REQ_sign(r, key->pkey, ctm_key_md(key)) > 0) {
		BIO *b = BIO_new(BIO_s_mem());
		rc = pem_out(b, b ? PEM_write_bio_X509_REQ(b, r) : 0, pem, err);
	}
	X509_REQ_free(r);
	ERR_clear_error();
	return rc == CTM_E_NOMEM ? nomem(err) : rc;
}

/* ---- reading ---- */

/* One subject attribute: absent gives "". Twice, over-long or unprintable is refused. */
static int attribute(const X509_NAME *name, int nid, const char *field, char out[65], struct ctm_err *err)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);
	out[0] = 0;
	if (at < 0)
		return 0;
	if (X509_NAME_get_index_by_NID(name, nid, at) >= 0)
		return ctm_fail(err, CTM_E_SYNTAX, field, NULL, "the subject has this attribute twice");
	unsigned char *u = NULL;
	int n = ASN1_STRING_to_UTF8(&u, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	bool good = n >= 0 && n <= 64 && ctm_text_printable((const char *)u, (size_t)n) && !memchr(u, '\n', (size_t)n);
	if (good) {
		memcpy(out, u, (size_t)n);
		out[n] = 0;
	}
	OPENSSL_free(u);
	return good ? 0 : ctm_fail(err, CTM_E_SYNTAX, field, NULL, "the subject attribute is longer than 64 bytes or not printable");
}

static int subject(const X509_NAME *name, struct ctm_cert_info *i, struct ctm_err *err)
{
	int rc = attribute(name, NID_serialNumber, "serialNumber", i->serial_number, err);
	rc = rc ? rc : attribute(name, NID_commonName, "commonName", i->common_name, err);
	return rc ? rc : attribute(name, NID_organizationName, "organizationName", i->organisation, err);
}

static int public_key(X509_PUBKEY *pk, struct ctm_cert_info *i, struct ctm_err *err)
{
	char group[32] = "";
	unsigned char *der = NULL;
	EVP_PKEY *p = X509_PUBKEY_get0(pk);
	int n = p ? i2d_X509_PUBKEY(pk, &der) : 0;
	if (n <= 0)
		return ctm_fail(err, CTM_E_SYNTAX, "key", NULL, "the public key cannot be read");
	ctm_digest_of(der, (size_t)n, i->spki_sha256);
	OPENSSL_free(der);
	i->key_bits = EVP_PKEY_get_bits(p);
	if (EVP_PKEY_is_a(p, "EC")) {
		(void)EVP_PKEY_get_group_name(p, group, sizeof group, NULL);
		snprintf(i->key_type, sizeof i->key_type, "EC %.10s", strcmp(group, "prime256v1") == 0 ? "P-256" : group);
	} else {
		snprintf(i->key_type, sizeof i->key_type, "%.15s", EVP_PKEY_is_a(p, "ED25519") ? "Ed25519" : EVP_PKEY_get0_type_name(p));
	}
	return 0;
}

static bool asn1_ms(const ASN1_TIME *t, int64_t *ms)
{
	struct tm tm;
	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	int64_t day = ctm_civil_days((int64_t)tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
	*ms = (day * 86400 + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec) * 1000;
	return true;
}

/* A SAN names the serial when a dNSName is it or starts with it and a dot, or a URI ends with it after ':' or '/'. */
static bool names_serial(const GENERAL_NAME *g, const char *serial)
{
	const ASN1_IA5STRING *s = g->type == GEN_DNS ? g->d.dNSName : g->type == GEN_URI ? g->d.uniformResourceIdentifier : NULL;
	size_t k = strlen(serial), n = s ? (size_t)ASN1_STRING_length(s) : 0;
	const char *p = s ? (const char *)ASN1_STRING_get0_data(s) : "";
	if (k == 0 || n < k)
		return false;
	if (g->type == GEN_DNS)
		return strncasecmp(p, serial, k) == 0 && (n == k || p[k] == '.');
	return memcmp(p + n - k, serial, k) == 0 && n > k && (p[n - k - 1] == ':' || p[n - k - 1] == '/');
}

static bool san_has_serial(const X509 *x, const char *serial)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	bool found = false;
	for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
		found = found || names_serial(sk_GENERAL_NAME_value(names, i), serial);
	GENERAL_NAMES_free(names);
	return found;
}

static int describe(X509 *x, struct ctm_cert_info *out, struct ctm_err *err)
{
	struct ctm_cert_info i = { 0 };
	uint8_t d[CTM_SHA256];
	unsigned len = sizeof d;
	int rc = subject(X509_get_subject_name(x), &i, err);
	rc = rc ? rc : public_key(X509_get_X509_PUBKEY(x), &i, err);
	if (rc)
		return rc;
	if (!asn1_ms(X509_get0_notBefore(x), &i.not_before_ms) || !asn1_ms(X509_get0_notAfter(x), &i.not_after_ms))
		return ctm_fail(err, CTM_E_SYNTAX, "validity", NULL, "the validity of the certificate cannot be read");
	const ASN1_INTEGER *sn = X509_get0_serialNumber(x);
	if (ASN1_STRING_length(sn) > 20)
		return ctm_fail(err, CTM_E_SYNTAX, "serial", NULL, "the certificate's number is longer than 20 bytes");
	ctm_hex(ASN1_STRING_get0_data(sn), (size_t)ASN1_STRING_length(sn), i.cert_serial);
	if (X509_digest(x, EVP_sha256(), d, &len) != 1)
		return nomem(err);
	ctm_digest_str(d, i.cert_sha256);
	const char *alg = OBJ_nid2sn(X509_get_signature_nid(x));
	snprintf(i.sig_alg, sizeof i.sig_alg, "%s", alg ? alg : "unknown");
	i.is_ca = X509_check_ca(x) == 1;
	i.has_san_serial = san_has_serial(x, i.serial_number[0] ? i.serial_number : i.common_name);
	*out = i;
	return 0;
}

static X509 *read_x509(const char *pem, size_t n)
{
	BIO *b = n <= PEM_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	BIO_free(b);
	ERR_clear_error();
	return x;
}

int ctm_cert_read(const char *pem, size_t n, struct ctm_cert_info *out, struct ctm_err *err)
{
	X509 *x = read_x509(pem, n);
	int rc = x ? describe(x, out, err) : ctm_fail(err, CTM_E_SYNTAX, "certificate", NULL, "not a PEM certificate");
	X509_free(x);
	ERR_clear_error();
	return rc;
}

int ctm_cert_read_der(const uint8_t *der, size_t n, struct ctm_cert_info *out, struct ctm_err *err)
{
	const unsigned char *p = der;
	X509 *x = n <= PEM_MAX ? d2i_X509(NULL, &p, (long)n) : NULL;
	int rc = x && p == der + n ? describe(x, out, err) : ctm_fail(err, CTM_E_SYNTAX, "certificate", NULL, "not a DER certificate");
	X509_free(x);
	ERR_clear_error();
	return rc;
}

/* A CSR whose own signature verifies. */
static int read_csr(const char *pem, size_t n, X509_REQ **out, struct ctm_err *err)
{
	BIO *b = n <= PEM_MAX ? BIO_new_mem_buf(pem, (int)n) : NULL;
	X509_REQ *r = b ? PEM_read_bio_X509_REQ(b, NULL, NULL, NULL) : NULL;
	BIO_free(b);
	EVP_PKEY *p = r ? X509_REQ_get0_pubkey(r) : NULL;
	int good = p ? X509_REQ_verify(r, p) : 0;
	ERR_clear_error();
	if (p && good == 1) {
		*out = r;
		return 0;
	}
	X509_REQ_free(r);
	if (!p)
		return ctm_fail(err, CTM_E_SYNTAX, "csr", NULL, "not a PEM certificate request");
	return ctm_fail(err, CTM_E_VERIFY, "csr", NULL, "the request is not signed with the key it carries");
}

static int describe_csr(X509_REQ *r, struct ctm_cert_info *out, struct ctm_err *err)
{
	struct ctm_cert_info i = { 0 };
	int rc = subject(X509_REQ_get_subject_name(r), &i, err);
	rc = rc ? rc : public_key(X509_REQ_get_X509_PUBKEY(r), &i, err);
	const char *alg = OBJ_nid2sn(X509_REQ_get_signature_nid(r));
	snprintf(i.sig_alg, sizeof i.sig_alg, "%s", alg ? alg : "unknown");
	if (!rc)
		*out = i;
	return rc;
}

int ctm_csr_read(const char *pem, size_t n, struct ctm_cert_info *out, struct ctm_err *err)
{
	X509_REQ *r = NULL;
	int rc = read_csr(pem, n, &r, err);
	rc = rc ? rc : describe_csr(r, out, err);
	X509_REQ_free(r);
	ERR_clear_error();
	return rc;
}

int ctm_certs_only(const char *pem, struct ctm_buf *der, struct ctm_err *err)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	PKCS7 *p7 = PKCS7_new();
	X509 *x = NULL;
	unsigned char *bytes = NULL;
	bool good = b && p7 && PKCS7_set_type(p7, NID_pkcs7_signed) == 1;
	if (good)                      /* nothing is signed: the contents stay away */
		p7->d.sign->contents->type = OBJ_nid2obj(NID_pkcs7_data);
	while (good && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		good = PKCS7_add_certificate(p7, x) == 1;
		X509_free(x);
	}
	bool any = good && p7->d.sign->cert && sk_X509_num(p7->d.sign->cert) > 0;
	int n = any ? i2d_PKCS7(p7, &bytes) : 0, rc = 0;
	if (n > 0)
		ctm_buf_add(der, bytes, (size_t)n);
	rc = n > 0 ? ctm_buf_err(der, NULL, err) : good && !any ? ctm_fail(err, CTM_E_SYNTAX, "certificate", NULL, "not a PEM certificate") : nomem(err);
	OPENSSL_free(bytes);
	PKCS7_free(p7);
	BIO_free(b);
	ERR_clear_error();
	return rc;
}

/* ---- issuing ---- */

/* Letters, digits, hyphens and dots; each label 1 to 63 without a hyphen at its ends. */
static bool dns_name_ok(const char *s, size_t n)
{
	size_t label = 0;
	if (n == 0 || n > 253)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (c == '.') {
			if (label == 0 || s[i - 1] == '-')
				return false;
			label = 0;
		} else if ((!alnum && c != '-') || (c == '-' && label == 0) || ++label > 63) {
			return false;
		}
	}
	return label > 0 && s[n - 1] != '-';
}

static bool push(GENERAL_NAMES *names, int type, const void *p, size_t n)
{
	GENERAL_NAME *g = GENERAL_NAME_new();
	ASN1_STRING *s = ASN1_STRING_type_new(type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	if (g && s && ASN1_STRING_set(s, p, (int)n) == 1) {
		GENERAL_NAME_set0_value(g, type, s);
		if (sk_GENERAL_NAME_push(names, g) > 0)
			return true;
		s = NULL;                              /* goes with g */
	}
	ASN1_STRING_free(s);
	GENERAL_NAME_free(g);
	return false;
}

static int push_ip(GENERAL_NAMES *names, const char *s, size_t n)
{
	unsigned char a[16];
	char text[64];
	if (n >= sizeof text)
		return CTM_E_INPUT;
	memcpy(text, s, n);
	text[n] = 0;
	size_t len = inet_pton(AF_INET, text, a) == 1 ? 4 : inet_pton(AF_INET6, text, a) == 1 ? 16 : 0;
	return len == 0 ? CTM_E_INPUT : push(names, GEN_IPADD, a, len) ? 0 : CTM_E_NOMEM;
}

static int push_list(GENERAL_NAMES *names, int type, const char *list, struct ctm_err *err)
{
	for (const char *s = list; s && *s;) {
		size_t n = strcspn(s, ",");
		int rc = type == GEN_IPADD ? push_ip(names, s, n) : !dns_name_ok(s, n) ? CTM_E_INPUT : push(names, type, s, n) ? 0 : CTM_E_NOMEM;
		if (rc == CTM_E_NOMEM)
			return nomem(err);
		if (rc)
			return ctm_fail(err, CTM_E_INPUT, type == GEN_IPADD ? "ip" : "dns", NULL, "\"%.*s\" is not %s", n < 64 ? (int)n : 64, s,
				type == GEN_IPADD ? "an IP address" : "a host name");
		s += n + (s[n] == ',');
	}
	return 0;
}

static int add_san(X509 *x, enum ctm_cert_use use, const char *serial, const char *dns, const char *ip, struct ctm_err *err)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	int rc = names ? 0 : nomem(err);
	if (!rc && use == CTM_CERT_DEVICE && dns_name_ok(serial, strlen(serial)) && !push(names, GEN_DNS, serial, strlen(serial)))
		rc = nomem(err);
	rc = rc ? rc : push_list(names, GEN_DNS, dns, err);
	rc = rc ? rc : push_list(names, GEN_IPADD, ip, err);
	if (!rc && sk_GENERAL_NAME_num(names) > 0 && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) != 1)
		rc = nomem(err);
	sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
	return rc;
}

static bool fill(X509 *x, X509 *ca, X509_REQ *req, const struct ctm_cert_info *csr, enum ctm_cert_use use, const char *org)
{
	X509_NAME *n = X509_get_subject_name(x);
	return add_name(n, NID_organizationName, org) && add_name(n, NID_commonName, csr->common_name)
		&& add_name(n, NID_serialNumber, csr->serial_number) && X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1
		&& X509_set_pubkey(x, X509_REQ_get0_pubkey(req)) == 1 && add_ext(x, ca, NID_basic_constraints, "critical,CA:FALSE")
		&& add_ext(x, ca, NID_key_usage, "critical,digitalSignature")
		&& add_ext(x, ca, NID_ext_key_usage, use == CTM_CERT_DEVICE ? "clientAuth,serverAuth" : "serverAuth")
		&& add_ext(x, ca, NID_subject_key_identifier, "hash") && add_ext(x, ca, NID_authority_key_identifier, "keyid");
}

static int issue(const struct ctm_key *ca_key, X509 *ca, X509_REQ *req, const struct ctm_cert_info *csr, enum ctm_cert_use use,
	const char *org, const char *dns, const char *ip, int64_t now_ms, int days, struct ctm_buf *pem, struct ctm_err *err)
{
	X509 *x = X509_new();
	int rc = x && frame(x, now_ms, days) && fill(x, ca, req, csr, use, org) ? 0 : nomem(err);
	rc = rc ? rc : add_san(x, use, csr->serial_number[0] ? csr->serial_number : csr->common_name, dns, ip, err);
	if (!rc && X509_sign(x, ca_key->pkey, ctm_key_md(ca_key)) <= 0)
		rc = nomem(err);
	rc = rc ? rc : cert_out(x, pem, err);
	X509_free(x);
	return rc;
}

int ctm_cert_issue(const struct ctm_key *ca_key, const char *ca_pem, const char *csr_pem, size_t csr_len, enum ctm_cert_use use,
	const char *org, const char *dns, const char *ip, int64_t now_ms, int days, struct ctm_buf *pem, struct ctm_err *err)
{
	struct ctm_cert_info csr;
	X509_REQ *req = NULL;
	X509 *ca = read_x509(ca_pem, strlen(ca_pem));
	int rc = ca && X509_check_private_key(ca, ca_key->pkey) == 1 ? 0
		: ctm_fail(err, CTM_E_STATE, "ca", NULL, "the CA's certificate does not belong to its key");
	rc = rc ? rc : read_csr(csr_pem, csr_len, &req, err);
	rc = rc ? rc : describe_csr(req, &csr, err);
	if (!rc && (days < 1 || days > DAYS_MAX))
		rc = ctm_fail(err, CTM_E_INPUT, "days", NULL, "must be from 1 to %d", DAYS_MAX);
	if (!rc && strcmp(csr.key_type, "EC P-256") != 0 && strcmp(csr.key_type, "Ed25519") != 0)
		rc = ctm_fail(err, CTM_E_UNSUPPORTED, "csr", NULL, "the key must be ECDSA P-256 or Ed25519, not %s", csr.key_type);
	if (!rc && !csr.serial_number[0] && !csr.common_name[0])
		rc = ctm_fail(err, CTM_E_INPUT, "csr", NULL, "the request names neither a serial number nor a common name");
	rc = rc ? rc : issue(ca_key, ca, req, &csr, use, org, dns, ip, now_ms, days, pem, err);
	X509_REQ_free(req);
	X509_free(ca);
	ERR_clear_error();
	return rc;
}

int ctm_cert_verify(const char *pem, size_t n, const char *ca_pem, int64_t now_ms, struct ctm_err *err)
{
	X509 *x = read_x509(pem, n), *ca = read_x509(ca_pem, strlen(ca_pem));
	X509_STORE *st = X509_STORE_new();
	X509_STORE_CTX *c = X509_STORE_CTX_new();
	int rc = CTM_E_NOMEM;
	if (!x || !ca) {
		rc = ctm_fail(err, CTM_E_VERIFY, !x ? "certificate" : "ca", NULL, "not a PEM certificate");
	} else if (st && c && X509_STORE_add_cert(st, ca) == 1 && X509_STORE_CTX_init(c, st, x, NULL) == 1) {
		X509_STORE_CTX_set_time(c, 0, (time_t)(now_ms / 1000));
		X509_STORE_CTX_set_flags(c, X509_V_FLAG_X509_STRICT);
		rc = X509_verify_cert(c) == 1 ? 0 : ctm_fail(err, CTM_E_VERIFY, "certificate", NULL, "the certificate is not good: %s",
			X509_verify_cert_error_string(X509_STORE_CTX_get_error(c)));
	}
	X509_STORE_CTX_free(c);
	X509_STORE_free(st);
	X509_free(x);
	X509_free(ca);
	ERR_clear_error();
	return rc == CTM_E_NOMEM ? nomem(err) : rc;
}

int ctm_cert_public_key(const char *pem, size_t n, struct ctm_key **out, struct ctm_err *err)
{
	X509 *x = read_x509(pem, n);
	EVP_PKEY *key = x ? X509_get_pubkey(x) : NULL;
	int rc = !key ? ctm_fail(err, CTM_E_SYNTAX, "certificate", NULL, "not a PEM certificate with a key") : ctm_key_wrap(key, false, out, err);
	X509_free(x);
	ERR_clear_error();
	return rc;
}
