/* SPDX-License-Identifier: Apache-2.0
 *
 * Client of Enrolment over Secure Transport (RFC 7030, RFC 8951): simpleenroll with the factory's identity as client certificate or,
 * without one, serial and one-time code by HTTP Basic; simplereenroll with the certificate in use and a new key. The pinned CA is given
 * at the factory, so /cacerts is not asked: a CA that came over the network would be believed for no reason.
 */
#include "agent.h"
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CSR_MAX 4096
#define ANSWER (32 << 10)

/* A PEM request as one line of base64, in place. */
static void bare(char *pem)
{
	char *from = strchr(pem, '\n'), *to = pem, *end = strstr(pem, "\n-----END");

	for (; from && end && from < end; from++)
		if (*from != '\n')
			*to++ = *from;
	*to = 0;
}

/* The one certificate of a certs-only answer (base64 with white space) that is for key, as PEM. */
static int take_answer(char *text, EVP_PKEY *key, char *pem, size_t cap, struct why *w)
{
	size_t n = 0;
	uint8_t *der = (uint8_t *)text;
	BIO *b = BIO_new(BIO_s_mem());
	PKCS7 *p = NULL;
	X509 *x = NULL;
	int len, rc = CTM_SDK_SYNTAX;

	for (const char *s = text; *s; s++)
		if (!strchr(" \t\r\n", *s))
			text[n++] = *s;
	text[n] = 0;
	len = n && n % 4 == 0 ? EVP_DecodeBlock(der, der, (int)n) : -1;
	for (size_t i = n; len > 0 && i > n - 2 && text[i - 1] == '='; i--)
		len--;
	if (len > 0)
		p = d2i_PKCS7(NULL, &(const unsigned char *){ der }, len);
	for (int i = 0; p && PKCS7_type_is_signed(p) && i < sk_X509_num(p->d.sign->cert); i++)
		if (EVP_PKEY_eq(X509_get0_pubkey(sk_X509_value(p->d.sign->cert, i)), key) == 1)
			x = sk_X509_value(p->d.sign->cert, i);
	if (x && b && PEM_write_bio_X509(b, x) == 1) {
		char *at = NULL;
		long k = BIO_get_mem_data(b, &at);

		rc = k > 0 && (size_t)k < cap ? 0 : CTM_SDK_TOOBIG;
		if (!rc) {
			memcpy(pem, at, (size_t)k);
			pem[k] = 0;
		}
	}
	if (rc)
		why_say(w, p && !x ? CTM_SDK_VERIFY : rc, p && !x ? "the certificate is not for this device's key" : "the service's answer is not a certificate");
	PKCS7_free(p);
	BIO_free(b);
	return p && !x ? CTM_SDK_VERIFY : rc;
}

static int enrol_code(const struct agent *a, char out[AGENT_TEXT], struct why *w)
{
	size_t n = 0;
	int rc;

	if (!a->conf.enrol_code_file[0])
		return why_say(w, CTM_SDK_NONE, "the unit has neither an identity of its factory nor an enrolment code");
	if ((rc = file_load(a->conf.enrol_code_file, out, AGENT_TEXT, &n, w)))
		return rc;
	out[strcspn(out, "\r\n")] = 0;
	return out[0] ? 0 : why_say(w, CTM_SDK_INPUT, "the enrolment code file is empty");
}

/* "SERIAL:CODE" in base64. */
static int credentials(struct agent *a, char out[512], struct why *w)
{
	char code[AGENT_TEXT], pair[CTM_SERIAL_MAX + AGENT_TEXT + 2];
	int rc = enrol_code(a, code, w);

	if (!rc) {
		snprintf(pair, sizeof pair, "%s:%s", a->conf.serial, code);
		EVP_EncodeBlock((unsigned char *)out, (unsigned char *)pair, (int)strlen(pair));
	}
	ctm_sdk_wipe(code, sizeof code);
	ctm_sdk_wipe(pair, sizeof pair);
	return rc;
}

/* One exchange: the request for `key` goes out, its certificate comes back as PEM. */
static int ask(struct agent *a, struct client_call *call, EVP_PKEY *key, char pem[AGENT_PEM], struct why *w)
{
	char csr[CSR_MAX], *answer = malloc(ANSWER);
	int status = 0, rc = answer ? device_csr(a, key, csr, sizeof csr) : CTM_SDK_FAIL;

	if (rc) {
		free(answer);
		return why_say(w, rc, "no certificate request could be made");
	}
	bare(csr);
	call->method = "POST";
	call->type = "application/pkcs10";
	call->body = csr;
	call->n = strlen(csr);
	rc = client_exchange(&a->conf, call, &status, answer, ANSWER, w);
	if (!rc && status != 200)
		rc = why_say(w, CTM_SDK_AUTH, "the maker's service refused the enrolment (status %d)", status);
	if (!rc)
		rc = take_answer(answer, key, pem, AGENT_PEM, w);
	free(answer);
	return rc;
}

/* The certificate in force, the interface told, and a line in the log. */
static int take(struct agent *a, struct device_next *next, const char *pem, const char *event, struct why *w)
{
	int rc;

	pthread_mutex_lock(&a->lock);
	rc = device_cert_take(a, next, pem, strlen(pem), w);
	if (!rc)
		agent_event(a, event, a->conf.host);
	pthread_mutex_unlock(&a->lock);
	if (!rc && write(a->wake, &(uint64_t){ 1 }, 8) != 8)
		rc = why_say(w, CTM_SDK_FAIL, "the interface could not be told of its certificate");
	return rc;
}

int est_enrol(struct agent *a, struct why *w)
{
	char basic[512] = "", *cert = malloc(AGENT_PEM), *pem = malloc(AGENT_PEM);
	struct client_call call = { .path = "/.well-known/est/simpleenroll" };
	int rc = cert && pem ? 0 : why_say(w, CTM_SDK_FAIL, "out of memory");

	if (!rc && a->conf.idevid[0]) {
		rc = device_idevid(a, &call.key, cert, AGENT_PEM, w);
		call.cert = cert;
	} else if (!rc) {
		rc = credentials(a, basic, w);
		call.basic = basic;
	}
	if (!rc)
		rc = ask(a, &call, a->key, pem, w);
	if (!rc)
		rc = take(a, NULL, pem, "enrolled", w);
	ctm_sdk_wipe(basic, sizeof basic);
	EVP_PKEY_free(call.key);
	free(cert);
	free(pem);
	return rc;
}

int est_renew(struct agent *a, struct why *w)
{
	char *cert = malloc(AGENT_PEM), *pem = malloc(AGENT_PEM);
	struct client_call call = { .path = "/.well-known/est/simplereenroll", .key = a->key, .cert = cert };
	struct device_next next = { 0 };
	int rc = cert && pem ? device_cert_pem(a, cert, AGENT_PEM) : CTM_SDK_FAIL;

	if (rc)
		why_say(w, rc, "the certificate to be renewed cannot be read");
	else
		rc = device_next_make(a, &next, w);
	if (!rc)
		rc = ask(a, &call, next.key, pem, w);
	if (!rc)
		rc = take(a, &next, pem, "renewed", w);
	device_next_free(&next);
	free(cert);
	free(pem);
	return rc;
}
