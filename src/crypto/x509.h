/* SPDX-License-Identifier: Apache-2.0
 *
 * X.509 for devices and the device port (RFC 5280, RFC 2986): a small CA that issues end-entity certificates from CSRs.
 * Device certificates carry subject serialNumber = printed serial and CN = serial; profile of IEEE 802.1AR LDevID.
 */
#ifndef CTM_CRYPTO_X509_H
#define CTM_CRYPTO_X509_H
#include "base/buf.h"
#include "crypto/key.h"
#include <stdbool.h>
#include <stdint.h>

struct ctm_cert_info {
	char serial_number[65];        /* subject serialNumber attribute, "" if none */
	char common_name[65];
	char organisation[65];
	char cert_serial[48];          /* hex */
	char spki_sha256[72];          /* "sha256:.." of SubjectPublicKeyInfo */
	char cert_sha256[72];          /* of the DER certificate */
	int64_t not_before_ms, not_after_ms;
	char sig_alg[32];              /* "ecdsa-with-SHA256" */
	char key_type[16];             /* "EC P-256", "Ed25519", "RSA" */
	int key_bits;
	bool is_ca;
	bool has_san_serial;           /* a SAN dNSName or URI carries the serial */
};

/* Self-signed CA. PEM out. */
CTM_CHECK int ctm_ca_new(const struct ctm_key *key, const char *cn, const char *org, int64_t now_ms, int days, struct ctm_buf *pem, struct ctm_err *err);
CTM_CHECK int ctm_csr_new(const struct ctm_key *key, const char *serial, const char *org, struct ctm_buf *pem, struct ctm_err *err);
/* Look into a CSR (PEM): proof of possession verified; serial_number and key of the info are filled. SYNTAX, VERIFY. */
CTM_CHECK int ctm_csr_read(const char *pem, size_t n, struct ctm_cert_info *out, struct ctm_err *err);

/* Certificates-only CMS message (RFC 5652, RFC 5751 3.9; the answer of EST, RFC 7030 4.1.3) over the certificates of a PEM text, DER out. SYNTAX. */
CTM_CHECK int ctm_certs_only(const char *pem, struct ctm_buf *der, struct ctm_err *err);

enum ctm_cert_use { CTM_CERT_DEVICE, CTM_CERT_SERVER };  /* device: clientAuth and serverAuth (local interface); server: serverAuth */
/* Issue from a CSR. dns and ip: optional comma-separated SAN lists. org replaces the CSR's organisation. A
 * device certificate also names the serial as dNSName where it is a valid host name. The key must be P-256 or Ed25519. */
CTM_CHECK int ctm_cert_issue(const struct ctm_key *ca_key, const char *ca_pem, const char *csr_pem, size_t csr_len, enum ctm_cert_use use,
	const char *org, const char *dns, const char *ip, int64_t now_ms, int days, struct ctm_buf *pem, struct ctm_err *err);
CTM_CHECK int ctm_cert_read(const char *pem, size_t n, struct ctm_cert_info *out, struct ctm_err *err);
CTM_CHECK int ctm_cert_read_der(const uint8_t *der, size_t n, struct ctm_cert_info *out, struct ctm_err *err);
/* Only who it is and until when: the subject's serialNumber, the digest of the key and the end, as ctm_cert_read() gives them, without making a key
 * object (a hundredth of the time). For a certificate that somebody else has verified already. SYNTAX. */
struct ctm_cert_who { char serial_number[65], spki_sha256[72]; int64_t not_after_ms; };
CTM_CHECK int ctm_cert_who(const char *pem, size_t n, struct ctm_cert_who *out, struct ctm_err *err);
/* The certificate's public key. UNSUPPORTED unless Ed25519 or P-256. */
CTM_CHECK int ctm_cert_public_key(const char *pem, size_t n, struct ctm_key **out, struct ctm_err *err);
/* Chain of one under ca_pem, at now_ms. 0 or VERIFY with the reason in err. */
CTM_CHECK int ctm_cert_verify(const char *pem, size_t n, const char *ca_pem, int64_t now_ms, struct ctm_err *err);

#endif
