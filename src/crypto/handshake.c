/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS handshakes for the lab. See handshake.h. The distribution's OpenSSL configuration sets floors of its own (versions,
 * security level); every one of them is lifted per context here, and ctm_handshake_speaks() shows that it worked.
 */
#include "crypto/handshake.h"
#include "base/text.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define CHAIN_MAX 8

const char *const ctm_tls_names[CTM_TLS_COUNT] = { "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3" };
const char *const ctm_handshake_ends[CTM_HS_END_COUNT] = { "offered", "refused", "closed", "failed" };
static const int wire_version[CTM_TLS_COUNT] = { TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION };

static const char all_ciphers[] = "ALL:COMPLEMENTOFALL:@SECLEVEL=0";
static const char all_suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256";

static void saw(const SSL *ssl, int where, int ret)
{
	int *alert = SSL_get_app_data(ssl);

	if (alert && (where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (ret >> 8) == SSL3_AL_FATAL)
		*alert = ret & 0xff;
}

static SSL_CTX *open_context(const SSL_METHOD *m, enum ctm_tls min, enum ctm_tls max)
{
	SSL_CTX *ctx = SSL_CTX_new(m);

	if (!ctx)
		return NULL;
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_clear_options(ctx, SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
	SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_NO_TICKET);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_quiet_shutdown(ctx, 1);
	if (!SSL_CTX_set_min_proto_version(ctx, wire_version[min]) || !SSL_CTX_set_max_proto_version(ctx, wire_version[max])) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static const char *kx_name(const SSL_CIPHER *c)
{
	switch (SSL_CIPHER_get_kx_nid(c)) {
	case NID_kx_ecdhe: return "ECDHE";
	case NID_kx_dhe: return "DHE";
	case NID_kx_rsa: return "RSA";
	case NID_kx_any: return "any";
	case NID_kx_psk: case NID_kx_rsa_psk: case NID_kx_ecdhe_psk: case NID_kx_dhe_psk: return "PSK";
	default: return "other";
	}
}

static void note_session(SSL *ssl, struct ctm_handshake *h)
{
	const SSL_CIPHER *c = SSL_get_current_cipher(ssl);
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	int bits = 0;

	for (int i = 0; i < CTM_TLS_COUNT; i++)
		if (SSL_version(ssl) == wire_version[i])
			ctm_copy(h->version, sizeof h->version, ctm_tls_names[i]);
	ctm_copy(h->cipher, sizeof h->cipher, SSL_CIPHER_get_name(c));
	ctm_copy(h->kx, sizeof h->kx, kx_name(c));
	h->aead = SSL_CIPHER_is_aead(c) == 1;
	SSL_CIPHER_get_bits(c, &bits);
	h->key_bits = bits;
	for (int i = 0; i < sk_X509_num(chain) && i < CHAIN_MAX; i++) {
		BIO *b = BIO_new(BIO_s_mem());
		char *p = NULL;
		if (b && PEM_write_bio_X509(b, sk_X509_value(chain, i))) {
			long n = BIO_get_mem_data(b, &p);
			ctm_buf_add(&h->chain, p, (size_t)n);
		}
		BIO_free(b);
	}
}

/* Why a handshake did not complete. */
static void note_refusal(struct ctm_handshake *h, int alert, int ssl_error, int sys_errno)
{
	unsigned long e = ERR_peek_error();
	int reason = ERR_GET_REASON(e);

	h->alert = alert;
	if (alert >= 0) {
		h->end = CTM_HS_REFUSED;
		snprintf(h->detail, sizeof h->detail, "alert %d, %.60s", alert, SSL_alert_desc_string_long(alert));
	} else if (ERR_GET_LIB(e) == ERR_LIB_SSL && (reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_WRONG_SSL_VERSION || reason == SSL_R_WRONG_VERSION_NUMBER)) {
		h->end = reason == SSL_R_WRONG_VERSION_NUMBER ? CTM_HS_CLOSED : CTM_HS_REFUSED;
		ctm_copy(h->detail, sizeof h->detail, reason == SSL_R_WRONG_VERSION_NUMBER ? "the answer was not TLS" : "the peer wanted another version");
	} else if (ssl_error == SSL_ERROR_SYSCALL && (sys_errno == EAGAIN || sys_errno == EWOULDBLOCK || sys_errno == ETIMEDOUT)) {
		h->end = CTM_HS_FAILED;
		ctm_copy(h->detail, sizeof h->detail, "no answer in time");
	} else if (ssl_error == SSL_ERROR_SYSCALL || ssl_error == SSL_ERROR_ZERO_RETURN || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		h->end = CTM_HS_CLOSED;
		ctm_copy(h->detail, sizeof h->detail, "the peer closed the connection");
	} else {
		h->end = CTM_HS_FAILED;
		snprintf(h->detail, sizeof h->detail, "%.90s", e ? ERR_reason_error_string(e) : "the handshake did not complete");
	}
}

static SSL_CTX *client_context(const struct ctm_handshake *h, struct ctm_err *err)
{
	SSL_CTX *ctx = open_context(TLS_client_method(), h->min, h->max);
	bool ok;

	if (!ctx) {
		ctm_fail(err, CTM_E_FAIL, "tls", NULL, "the TLS library refuses a context for %s", ctm_tls_names[h->min]);
		return NULL;
	}
	ok = h->max == CTM_TLS13 && h->min == CTM_TLS13 ? true : SSL_CTX_set_cipher_list(ctx, h->ciphers ? h->ciphers : all_ciphers) == 1;
	if (ok && h->max == CTM_TLS13)
		ok = SSL_CTX_set_ciphersuites(ctx, h->suites ? h->suites : all_suites) == 1;
	if (!ok) {
		SSL_CTX_free(ctx);
		ctm_fail(err, CTM_E_INPUT, "ciphers", NULL, "the TLS library knows none of those cipher suites");
		return NULL;
	}
	SSL_CTX_set_info_callback(ctx, saw);
	return ctx;
}

int ctm_handshake_run(int fd, struct ctm_handshake *h, struct ctm_err *err)
{
	struct timeval tv = { .tv_sec = h->timeout_ms / 1000, .tv_usec = (h->timeout_ms % 1000) * 1000 };
	int alert = -1, ret, sys = 0;
	SSL_CTX *ctx;
	SSL *ssl;

	ERR_clear_error();
	if (!(ctx = client_context(h, err)))
		return err ? err->code : CTM_E_INPUT;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
	ssl = SSL_new(ctx);
	if (!ssl || !SSL_set_fd(ssl, fd)) {
		SSL_free(ssl);
		SSL_CTX_free(ctx);
		return ctm_fail(err, CTM_E_NOMEM, "tls", NULL, "no memory for a handshake");
	}
	SSL_set_app_data(ssl, &alert);
	h->alert = -1;
	h->detail[0] = h->version[0] = h->cipher[0] = h->kx[0] = '\0';
	errno = 0;
	ret = SSL_connect(ssl);
	sys = errno;
	if (ret == 1) {
		h->end = CTM_HS_OFFERED;
		note_session(ssl, h);
	} else {
		note_refusal(h, alert, SSL_get_error(ssl, ret), sys);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return 0;
}

/* ---- positive control ---- */

/* A throw-away certificate for the far end of the self-test. */
static X509 *test_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name;

	if (!x)
		return NULL;
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	name = X509_get_subject_name(x);
	if (!X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"handshake self-test", -1, -1, 0) ||
	    !X509_set_issuer_name(x, name) || !X509_set_pubkey(x, key) || !X509_sign(x, key, EVP_sha256())) {
		X509_free(x);
		return NULL;
	}
	return x;
}

/* Both ends in memory, byte by byte in turn. */
static bool talk(SSL *a, SSL *b)
{
	BIO *one = NULL, *two = NULL;

	if (!BIO_new_bio_pair(&one, 0, &two, 0))
		return false;
	SSL_set_bio(a, one, one);
	SSL_set_bio(b, two, two);
	SSL_set_connect_state(a);
	SSL_set_accept_state(b);
	for (int i = 0; i < 50; i++) {
		int ra = SSL_do_handshake(a), rb = SSL_do_handshake(b);
		if (ra == 1 && rb == 1)
			return true;
		if ((ra != 1 && SSL_get_error(a, ra) != SSL_ERROR_WANT_READ) || (rb != 1 && SSL_get_error(b, rb) != SSL_ERROR_WANT_READ))
			return false;
	}
	return false;
}

int ctm_handshake_speaks(enum ctm_tls version, bool *speaks, struct ctm_err *err)
{
	struct ctm_handshake h = { .min = version, .max = version };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = key ? test_certificate(key) : NULL;
	SSL_CTX *client = client_context(&h, NULL), *server = open_context(TLS_server_method(), version, version);
	SSL *a = NULL, *b = NULL;
	int rc = 0;

	if (!x) {
		rc = ctm_fail(err, CTM_E_NOMEM, "tls", NULL, "no certificate for the self-test");
	} else if (!client || !server) {
		*speaks = false;
	} else {
		SSL_CTX_set_cipher_list(server, all_ciphers);
		SSL_CTX_use_certificate(server, x);
		SSL_CTX_use_PrivateKey(server, key);
		a = SSL_new(client);
		b = SSL_new(server);
		*speaks = a && b && talk(a, b) && SSL_version(a) == wire_version[version];
	}
	SSL_free(a);
	SSL_free(b);
	SSL_CTX_free(client);
	SSL_CTX_free(server);
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return rc;
}
