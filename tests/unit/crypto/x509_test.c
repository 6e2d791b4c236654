/* SPDX-License-Identifier: Apache-2.0
 *
 * The device CA: what goes into a certificate, what does not, and what the openssl program thinks of it. RFC 5280, RFC 2986,
 * IEEE 802.1AR.
 */
#include "../base/harness.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "crypto/x509.h"

#define NOW INT64_C(1795358763000)
#define DAY INT64_C(86400000)

struct rig { struct ctm_key *ca, *dev; struct ctm_buf ca_pem, csr, cert; };

static void rig_up(struct rig *r, enum ctm_alg alg)
{
	*r = (struct rig){ .ca_pem = CTM_BUF(8192), .csr = CTM_BUF(8192), .cert = CTM_BUF(8192) };
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &r->ca, NULL), 0);
	assert_int_equal(ctm_key_generate(alg, &r->dev, NULL), 0);
	assert_int_equal(ctm_ca_new(r->ca, "Test devices", "Larkspur Porchworks (fictional)", NOW, 3650, &r->ca_pem, NULL), 0);
	assert_int_equal(ctm_csr_new(r->dev, "LP-000123", "Somebody else", &r->csr, NULL), 0);
}

static void rig_down(struct rig *r)
{
	ctm_key_free(r->ca);
	ctm_key_free(r->dev);
	ctm_buf_free(&r->ca_pem);
	ctm_buf_free(&r->csr);
	ctm_buf_free(&r->cert);
}

static int issue(struct rig *r, enum ctm_cert_use use, const char *dns, const char *ip, int days)
{
	ctm_buf_reset(&r->cert);
	return ctm_cert_issue(r->ca, ctm_buf_cstr(&r->ca_pem), r->csr.p, r->csr.len, use, "Larkspur Porchworks (fictional)", dns, ip, NOW, days,
		&r->cert, NULL);
}

static void a_device_certificate_names_the_printed_serial(void **state)
{
	static const enum ctm_alg algs[] = { CTM_ALG_ED25519, CTM_ALG_ES256 };
	for (size_t i = 0; i < 2; i++) {
		struct rig r;
		struct ctm_cert_info c, q;
		struct ctm_cert_who w;
		rig_up(&r, algs[i]);
		assert_int_equal(ctm_csr_read(r.csr.p, r.csr.len, &q, NULL), 0);
		assert_string_equal(q.serial_number, "LP-000123");
		assert_int_equal(issue(&r, CTM_CERT_DEVICE, "porch.local", "127.0.0.1,::1", 365), 0);
		assert_int_equal(ctm_cert_read(r.cert.p, r.cert.len, &c, NULL), 0);
		assert_string_equal(c.serial_number, "LP-000123");
		assert_int_equal(ctm_cert_who(r.cert.p, r.cert.len, &w, NULL), 0);
		assert_string_equal(w.serial_number, c.serial_number);
		assert_string_equal(w.spki_sha256, c.spki_sha256);
		assert_true(w.not_after_ms == c.not_after_ms);
		assert_string_equal(c.common_name, "LP-000123");
		assert_string_equal(c.organisation, "Larkspur Porchworks (fictional)");
		assert_string_equal(c.spki_sha256, q.spki_sha256);
		assert_string_equal(c.key_type, i == 0 ? "Ed25519" : "EC P-256");
		assert_string_equal(c.sig_alg, "ecdsa-with-SHA256");
		assert_int_equal(strlen(c.cert_serial), 32);
		assert_true(c.has_san_serial && !c.is_ca);
		assert_true(c.not_before_ms == NOW - 300000 && c.not_after_ms == NOW + 365 * DAY);
		assert_int_equal(ctm_cert_read(r.ca_pem.p, r.ca_pem.len, &c, NULL), 0);
		assert_true(c.is_ca);
		rig_down(&r);
	}
}

/* Every byte of a certificate changed, and every length cut: the short reader refuses, or says what the long one says. */
static void the_short_reader_never_says_something_else(void **state)
{
	struct rig r;
	struct ctm_cert_info c;
	struct ctm_cert_who w;
	unsigned same = 0;
	rig_up(&r, CTM_ALG_ES256);
	assert_int_equal(issue(&r, CTM_CERT_DEVICE, NULL, NULL, 365), 0);
	for (size_t i = 0; i < r.cert.len; i++) {
		CTM_AUTO_BUF b = CTM_BUF(8192);
		ctm_buf_add(&b, r.cert.p, r.cert.len);
		b.p[i] = b.p[i] == 'A' ? 'Q' : 'A';
		if (ctm_cert_who(ctm_buf_cstr(&b), b.len, &w, NULL) || ctm_cert_read(ctm_buf_cstr(&b), b.len, &c, NULL))
			continue;
		assert_string_equal(w.serial_number, c.serial_number);
		assert_string_equal(w.spki_sha256, c.spki_sha256);
		assert_true(w.not_after_ms == c.not_after_ms);
		same++;
	}
	assert_true(same > 50);
	for (size_t n = 0; n + 2 < r.cert.len; n++)
		assert_int_equal(ctm_cert_who(r.cert.p, n, &w, NULL), CTM_E_SYNTAX);
	rig_down(&r);
}

static void a_chain_holds_only_in_its_time_and_under_its_ca(void **state)
{
	struct rig r, other;
	struct ctm_err e = { 0 };
	rig_up(&r, CTM_ALG_ES256);
	rig_up(&other, CTM_ALG_ES256);
	assert_int_equal(issue(&r, CTM_CERT_DEVICE, NULL, NULL, 30), 0);
	const char *ca = ctm_buf_cstr(&r.ca_pem);
	assert_int_equal(ctm_cert_verify(r.cert.p, r.cert.len, ca, NOW, NULL), 0);
	assert_int_equal(ctm_cert_verify(r.cert.p, r.cert.len, ca, NOW + 31 * DAY, &e), CTM_E_VERIFY);
	assert_non_null(strstr(e.msg, "expired"));
	assert_int_equal(ctm_cert_verify(r.cert.p, r.cert.len, ca, NOW - DAY, NULL), CTM_E_VERIFY);
	assert_int_equal(ctm_cert_verify(r.cert.p, r.cert.len, ctm_buf_cstr(&other.ca_pem), NOW, NULL), CTM_E_VERIFY);
	assert_int_equal(ctm_cert_verify("x", 1, ca, NOW, NULL), CTM_E_VERIFY);
	/* a device's certificate is no CA: nothing under it is believed */
	CTM_AUTO_BUF forged = CTM_BUF(8192);
	assert_int_equal(ctm_cert_issue(r.dev, ctm_buf_cstr(&r.cert), other.csr.p, other.csr.len, CTM_CERT_DEVICE, "x", NULL, NULL, NOW, 10, &forged, NULL), 0);
	assert_int_equal(ctm_cert_verify(forged.p, forged.len, ca, NOW, NULL), CTM_E_VERIFY);
	rig_down(&r);
	rig_down(&other);
}

static void openssl_agrees(void **state)
{
	struct rig r;
	char ca[200], cert[200];
	int status = -1;
	CTM_AUTO_BUF out = CTM_BUF(65536);
	rig_up(&r, CTM_ALG_ES256);
	assert_int_equal(issue(&r, CTM_CERT_DEVICE, "porch.local", "192.0.2.7", 36500 / 2), 0);
	snprintf(ca, sizeof ca, "%s/ca.pem", (char *)*state);
	snprintf(cert, sizeof cert, "%s/cert.pem", (char *)*state);
	assert_int_equal(ctm_file_write(ca, r.ca_pem.p, r.ca_pem.len, 0600, NULL), 0);
	assert_int_equal(ctm_file_write(cert, r.cert.p, r.cert.len, 0600, NULL), 0);
	const char *verify[] = { "openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-attime", "1795358763", "-CAfile", ca, cert, NULL };
	struct ctm_proc p = { .argv = verify, .timeout_ms = 20000 };
	if (ctm_proc_run(&p, &out, &out, &status, NULL) == CTM_E_NOTFOUND) {
		print_message("skipped: the openssl program is not installed\n");
		rig_down(&r);
		skip();
	}
	if (status)
		fail_msg("%s", ctm_buf_cstr(&out));
	const char *show[] = { "openssl", "x509", "-noout", "-text", "-in", cert, NULL };
	p.argv = show;
	ctm_buf_reset(&out);
	assert_int_equal(ctm_proc_run(&p, &out, NULL, &status, NULL), 0);
	const char *t = ctm_buf_cstr(&out);
	assert_non_null(strstr(t, "DNS:LP-000123, DNS:porch.local, IP Address:192.0.2.7"));
	assert_non_null(strstr(t, "X509v3 Basic Constraints: critical\n                CA:FALSE"));
	assert_non_null(strstr(t, "X509v3 Key Usage: critical\n                Digital Signature"));
	assert_non_null(strstr(t, "TLS Web Client Authentication, TLS Web Server Authentication"));
	rig_down(&r);
}

static void names_from_outside_are_checked(void **state)
{
	static const char *const bad_dns[] = { "a b", "-a", "a-", "a..b", ".a", "a.", "a,,b", "x\nDNS:evil", "a_b", "*.a", "DNS:x" };
	static const char *const bad_ip[] = { "1.2.3", "1.2.3.4.5", "::g", "1.2.3.4/8", "localhost" };
	struct rig r;
	rig_up(&r, CTM_ALG_ES256);
	for (size_t i = 0; i < sizeof bad_dns / sizeof *bad_dns; i++)
		assert_int_equal(issue(&r, CTM_CERT_SERVER, bad_dns[i], NULL, 1), CTM_E_INPUT);
	for (size_t i = 0; i < sizeof bad_ip / sizeof *bad_ip; i++)
		assert_int_equal(issue(&r, CTM_CERT_SERVER, NULL, bad_ip[i], 1), CTM_E_INPUT);
	assert_int_equal(issue(&r, CTM_CERT_SERVER, NULL, NULL, 0), CTM_E_INPUT);
	assert_int_equal(r.cert.len, 0);
	rig_down(&r);
}

static void bad_requests_are_refused(void **state)
{
	struct rig r;
	struct ctm_cert_info c;
	rig_up(&r, CTM_ALG_ES256);
	for (size_t cut = 0; cut < r.csr.len; cut += 13)
		assert_int_equal(ctm_csr_read(r.csr.p, cut, &c, NULL) == 0, cut > r.csr.len - 2);
	char *body = strchr(r.csr.p, '\n') + 90;   /* inside the base64: another byte, another signature */
	*body = *body == 'A' ? 'B' : 'A';
	int rc = ctm_csr_read(r.csr.p, r.csr.len, &c, NULL);
	assert_true(rc == CTM_E_VERIFY || rc == CTM_E_SYNTAX);
	assert_int_equal(ctm_cert_issue(r.ca, "nothing", r.csr.p, r.csr.len, CTM_CERT_DEVICE, "x", NULL, NULL, NOW, 1, &r.cert, NULL), CTM_E_STATE);
	assert_int_equal(ctm_cert_issue(r.dev, ctm_buf_cstr(&r.ca_pem), r.csr.p, r.csr.len, CTM_CERT_DEVICE, "x", NULL, NULL, NOW, 1, &r.cert, NULL),
		CTM_E_STATE);
	rig_down(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_certificate_names_the_printed_serial), cmocka_unit_test(the_short_reader_never_says_something_else),
		cmocka_unit_test(a_chain_holds_only_in_its_time_and_under_its_ca),
		cmocka_unit_test(openssl_agrees), cmocka_unit_test(names_from_outside_are_checked), cmocka_unit_test(bad_requests_are_refused),
	};
	return cmocka_run_group_tests(tests, scratch_new, scratch_gone);
}
