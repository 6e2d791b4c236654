/* SPDX-License-Identifier: Apache-2.0
 *
 * The device's questions, put to the platform: see gateway.h. Certificate requests and certificates change their wrapping (DER, PEM)
 * and nothing else.
 */
#include "gateway.h"
#include "ctm/cbor.h"
#include "ctm/heartbeat.h"
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define ANSWER 16384
#define CERT 1024
#define PEM_MAX 4096

static void pem_of(struct ctm_bytes der, char out[PEM_MAX])
{
	unsigned char b64[PEM_MAX - 128];
	int n = EVP_EncodeBlock(b64, der.p, (int)der.n);
	size_t at = (size_t)snprintf(out, PEM_MAX, "-----BEGIN CERTIFICATE REQUEST-----\n");

	for (int i = 0; i < n; i += 64)
		at += (size_t)snprintf(out + at, PEM_MAX - at, "%.64s\n", (const char *)b64 + i);
	snprintf(out + at, PEM_MAX - at, "-----END CERTIFICATE REQUEST-----\n");
}

static size_t der_of(const char *pem, uint8_t out[CERT])
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	int n = x ? i2d_X509(x, NULL) : 0;
	uint8_t *at = out;

	if (n > 0 && n <= CERT)
		n = i2d_X509(x, &at);
	X509_free(x);
	BIO_free(b);
	return n > 0 && n <= CERT ? (size_t)n : 0;
}

/* Serial, code and request to the platform; status and certificate into w. */
static void enrol(struct gateway *g, struct ctm_cbor_r *r, struct ctm_cbor_w *w)
{
	static char answer[ANSWER];
	struct ctm_bytes serial = ctm_cbor_text(r), code = ctm_cbor_text(r), csr = ctm_cbor_bytes(r);
	char pem[PEM_MAX], *body = NULL;
	uint8_t cert[CERT];
	size_t n = 0;
	long status = 0;
	json_t *o = NULL;

	if (!r->err && csr.n && csr.n < PEM_MAX / 2) {
		pem_of(csr, pem);
		o = json_pack("{s:s%, s:s%, s:s}", "serial", (const char *)serial.p, serial.n, "code", (const char *)code.p, code.n, "csr", pem);
		body = o ? json_dumps(o, JSON_COMPACT) : NULL;
		json_decref(o);
	}
	if (body && https_post(&g->conf, "/d/v1/enrol", "application/json", body, strlen(body), &status, answer, sizeof answer) == 0 && status == 200) {
		o = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
		n = o ? der_of(json_string_value(json_object_get(o, "certificate")) ? json_string_value(json_object_get(o, "certificate")) : "", cert) : 0;
		json_decref(o);
	}
	if (body)
		ctm_sdk_wipe(body, strlen(body));       /* it holds the code */
	free(body);
	printf("enrol: %ld\n", status);
	ctm_cbor_put_uint(w, (uint64_t)status);
	ctm_cbor_put_bytes(w, cert, n);
}

static void beat(struct gateway *g, struct ctm_cbor_r *r, struct ctm_cbor_w *w)
{
	static char answer[ANSWER];
	struct ctm_bytes msg = ctm_cbor_bytes(r);
	long status = 0;

	if (!r->err && https_post(&g->conf, "/d/v1/heartbeat", CTM_HEARTBEAT_TYPE, msg.p, msg.n, &status, answer, sizeof answer))
		status = 0;
	printf("beat: %ld\n", status);
	ctm_cbor_put_uint(w, (uint64_t)status);
}

size_t relay(struct gateway *g)
{
	struct ctm_cbor_r r = ctm_cbor_reader(g->in, g->in_n);
	struct ctm_cbor_w w = ctm_cbor_writer(g->out, sizeof g->out);
	size_t items = ctm_cbor_check(g->in, g->in_n) ? 0 : ctm_cbor_array(&r);
	uint64_t op = ctm_cbor_uint(&r), id = ctm_cbor_uint(&r);

	if (r.err || !((op == CTM_GW_ENROL && items == 5) || (op == CTM_GW_BEAT && items == 3)))
		return 0;
	ctm_cbor_put_array(&w, op == CTM_GW_ENROL ? 4 : 3);
	ctm_cbor_put_uint(&w, op);
	ctm_cbor_put_uint(&w, id);
	if (op == CTM_GW_ENROL)
		enrol(g, &r, &w);
	else
		beat(g, &r, &w);
	fflush(stdout);
	return w.err ? 0 : w.len;
}
