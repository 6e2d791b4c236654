/* SPDX-License-Identifier: Apache-2.0
 *
 * Enrolment over Secure Transport: RFC 7030 as clarified by RFC 8951 (bodies are base64 whatever Content-Transfer-Encoding says, and
 * white space in them is ignored). One certification authority, no server-side keys, no full CMC. A request for a serial whose proof
 * does not fit is told apart from one without any proof only by its status: 403 against 401 with a challenge.
 */
#include "fleet/fleet.h"
#include "base/text.h"
#include "crypto/x509.h"
#include <string.h>

#define CSR_DER_MAX 8192
#define LINE 64

/* CsrAttrs (RFC 7030 4.5.2): id-ecPublicKey with secp256r1, ecdsa-with-SHA256 (RFC 5480, RFC 5758). */
static const uint8_t csr_attrs[] = {
	0x30, 0x21, 0x30, 0x15, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x31, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
};

/* Base64 in lines, as MIME has them. */
static int lines(struct ctm_cx *cx, const void *p, size_t n, const char *type)
{
	CTM_AUTO_BUF text = CTM_BUF(65536), out = CTM_BUF(65536);
	ctm_b64(&text, p, n);
	for (size_t at = 0; at < text.len; at += LINE) {
		ctm_buf_add(&out, text.p + at, text.len - at < LINE ? text.len - at : LINE);
		ctm_buf_add(&out, "\r\n", 2);
	}
	const char *body = text.failed || out.failed ? NULL : ctm_arena_ndup(cx->arena, out.p, out.len);
	if (!body)
		return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
	cx->raw = (struct ctm_raw){ .type = type, .p = body, .n = out.len };
	return 0;
}

/* Exactly one DER SEQUENCE with a length in two or three bytes, and nothing after it. */
static bool one_sequence(const struct ctm_buf *b)
{
	const uint8_t *p = (const uint8_t *)b->p;
	if (b->len < 4 || p[0] != 0x30)
		return false;
	return p[1] == 0x81 ? b->len == 3 + (size_t)p[2] : p[1] == 0x82 && b->len == 4 + ((size_t)p[2] << 8 | p[3]);
}

/* The body as a PEM request in arena memory. */
static int request(struct ctm_cx *cx, const char **pem)
{
	CTM_AUTO_BUF text = CTM_BUF(16384), der = CTM_BUF(CSR_DER_MAX), out = CTM_BUF(16384);
	for (size_t i = 0; i < cx->text_len; i++)
		if (!strchr(" \t\r\n", cx->text[i]) || !cx->text[i])
			ctm_buf_add(&text, cx->text + i, 1);
	if (text.failed || !text.len || ctm_unb64(ctm_buf_cstr(&text), text.len, &der) || !one_sequence(&der))
		return ctm_fail(cx->err, CTM_E_SYNTAX, "body", "RFC 8951 3.1", "the body is not a certificate request in base64");
	ctm_buf_str(&out, "-----BEGIN CERTIFICATE REQUEST-----\n");
	for (size_t at = 0; at < text.len; at += LINE)
		ctm_buf_printf(&out, "%.*s\n", (int)(text.len - at < LINE ? text.len - at : LINE), text.p + at);
	ctm_buf_str(&out, "-----END CERTIFICATE REQUEST-----\n");
	*pem = out.failed ? NULL : ctm_arena_ndup(cx->arena, out.p, out.len);
	return *pem ? 0 : ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

int ctm_prepare_est_reenrol(struct ctm_cx *cx)
{
	const char *csr = NULL;
	int rc = request(cx, &csr);
	return rc ? rc : ctm_renew_begin(cx, csr);
}

int ctm_prepare_est_enrol(struct ctm_cx *cx)
{
	const char *csr = NULL, *colon = cx->basic ? strchr(cx->basic, ':') : NULL;
	char serial[65];
	int rc;
	if (cx->who->roles & CTM_ROLE_DEVICE)
		return ctm_prepare_est_reenrol(cx);
	if (!(cx->who->roles & CTM_ROLE_IDEVID) && !colon)
		return ctm_fail(cx->err, CTM_E_AUTH, "Authorization", "RFC 7030 3.2.3",
			"show the factory's identity as client certificate, or give serial and one-time code by HTTP Basic");
	if ((rc = request(cx, &csr)))
		return rc;
	if (cx->who->roles & CTM_ROLE_IDEVID)
		return ctm_enrol_begin(cx, cx->who->device_serial, NULL, csr);
	size_t n = (size_t)(colon - cx->basic);
	if (n >= sizeof serial || !n)
		return ctm_fail(cx->err, CTM_E_AUTH, "Authorization", NULL, "the name is the printed serial");
	memcpy(serial, cx->basic, n);
	serial[n] = 0;
	return ctm_enrol_begin(cx, serial, colon + 1, csr);
}

static int certificates(struct ctm_cx *cx, const char *pem, const char *type)
{
	CTM_AUTO_BUF der = CTM_BUF(32768);
	int rc = ctm_certs_only(pem, &der, cx->err);
	return rc ? rc : lines(cx, der.p, der.len, type);
}

int ctm_uc_est_enrol(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_enrol_finish(cx);
	return rc ? rc : certificates(cx, ctm_json_gets(cx->prepared, "certificate"), "application/pkcs7-mime; smime-type=certs-only");
}

int ctm_uc_est_cacerts(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *trust = NULL;
	char path[512];
	int rc = ctm_json_load(ctm_app_dir(cx->app, "trust.json", path, sizeof path), 1 << 20, &trust, cx->err);
	const char *ca = ctm_json_gets(trust, "device_ca");
	if (rc)
		return rc;
	return ca ? certificates(cx, ca, "application/pkcs7-mime") : ctm_fail(cx->err, CTM_E_STATE, NULL, NULL, "this platform has no device CA");
}

int ctm_uc_est_csrattrs(struct ctm_cx *cx, ctm_json *out)
{
	return lines(cx, csr_attrs, sizeof csr_attrs, "application/csrattrs");
}
