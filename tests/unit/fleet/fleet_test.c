/* SPDX-License-Identifier: Apache-2.0
 *
 * The device port: enrolment and state reports (IR 8425 AI.1 and IAC; issue 2, bad input: replayed uploads). The signer is
 * played by a thread with a real CA: the certificates are real, its rules are tested in its own room.
 */
#include "cx.h"
#include "base/text.h"
#include "crypto/x509.h"
#include "device/device.h"
#include "device/door.h"
#include "fleet/fleet.h"
#include "product/product.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

static const struct ctm_routes *const tables[] = { &ctm_product_routes, &ctm_device_routes, &ctm_fleet_routes, NULL };
static struct cxkit k;
static struct ctm_who owner, stranger;
static char component[40];
static int units;

/* ---- the signer's socket ---- */

static struct ctm_key *ca_key;
static struct ctm_buf ca_pem;
static int door = -1;
static pthread_t thread;
static int certificates;

static bool all(int fd, void *p, size_t n, bool out)
{
	for (size_t at = 0; at < n;) {
		ssize_t r = out ? write(fd, (char *)p + at, n - at) : read(fd, (char *)p + at, n - at);
		if (r <= 0)
			return false;
		at += (size_t)r;
	}
	return true;
}

static void answer(int fd)
{
	static char text[262144];
	uint32_t len;
	CTM_AUTO_JSON *ask = NULL, *reply = ctm_json_obj();
	CTM_AUTO_BUF pem = CTM_BUF(8192), out = CTM_BUF(65536);
	struct ctm_err err = { 0 };
	if (!all(fd, &len, 4, false) || ntohl(len) > sizeof text || !all(fd, text, ntohl(len), false) || ctm_json_parse(text, ntohl(len), sizeof text, "ask", &ask, &err))
		return;
	const char *csr = ctm_json_gets(ask, "csr");
	if (csr && !ctm_cert_issue(ca_key, ctm_buf_cstr(&ca_pem), csr, strlen(csr), CTM_CERT_DEVICE, ctm_json_gets(ask, "org"), NULL, NULL, k.now_ms, 30, &pem, &err)) {
		certificates++;
		ctm_json_sets(reply, "certificate", ctm_buf_cstr(&pem));
		ctm_json_sets(reply, "ca", ctm_buf_cstr(&ca_pem));
	}
	if (!ctm_json_compact(reply, &out)) {
		len = htonl((uint32_t)out.len);
		(void)(all(fd, &len, 4, true) && all(fd, out.p, out.len, true));
	}
}

static void *signer(void *arg)
{
	for (int fd; (fd = accept(door, NULL, NULL)) >= 0; close(fd))
		answer(fd);
	return NULL;
}

static void start_signer(void)
{
	struct ctm_err err = { 0 };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	ca_pem = CTM_BUF(8192);
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &ca_key, &err), 0);
	assert_int_equal(ctm_ca_new(ca_key, "test CA", "test", k.now_ms, 30, &ca_pem, &err), 0);
	ctm_app_dir(k.app, "run/signer.sock", a.sun_path, sizeof a.sun_path);
	door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(door, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(door, 4), 0);
	assert_int_equal(pthread_create(&thread, NULL, signer, NULL), 0);
}

static int setup(void **state)
{
	cxkit_open(&k, tables);
	owner = cxkit_person(&k, "maker.owner", "");
	stranger = cxkit_person(&k, "maker.owner", "");
	CTM_AUTO_JSON *p = cxkit_good(&k, &owner, &(struct cxcall){ "POST", "/api/v1/products", IN("name", "Camera", "model", "PC-1", "category", "camera", "intended_use", "porch") });
	CTM_AUTO_JSON *c = cxkit_good(&k, &owner, &(struct cxcall){ "POST", "/api/v1/products/{id}/components", IN("id", ctm_json_gets(p, "id"), "kind", "device", "name", "cam") });
	ctm_copy(component, sizeof component, ctm_json_gets(c, "id"));
	start_signer();
	return 0;
}

static int teardown(void **state)
{
	shutdown(door, SHUT_RDWR);
	close(door);
	pthread_join(thread, NULL);
	ctm_key_free(ca_key);
	ctm_buf_free(&ca_pem);
	cxkit_close(&k);
	return 0;
}

/* ---- one unit ---- */

struct unit { char id[40], serial[32]; };
#define CODE "correct-horse-battery"

static struct unit built(void)
{
	struct unit u;
	snprintf(u.serial, sizeof u.serial, "LP-%04d", ++units);
	CTM_AUTO_JSON *made = cxkit_good(&k, &owner, &(struct cxcall){ "POST", "/api/v1/components/{id}/units", IN("id", component, "serial", u.serial, "code", CODE) });
	ctm_copy(u.id, sizeof u.id, ctm_json_gets(made, "id"));
	return u;
}

static void csr_for(const char *serial, struct ctm_buf *pem)
{
	struct ctm_err err = { 0 };
	CTM_AUTO_KEY *key = NULL;
	*pem = CTM_BUF(8192);
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &key, &err), 0);
	assert_int_equal(ctm_csr_new(key, serial, "Larkspur", pem, &err), 0);
}

static int enrol(const char *serial, const char *code, struct ctm_buf *csr, ctm_json **out)
{
	return cxkit_call(&k, &cxkit_nobody, &(struct cxcall){ "POST", "/d/v1/enrol", IN("serial", serial, "code", code, "csr", ctm_buf_cstr(csr)) }, out);
}

static struct ctm_who enrolled(struct unit *u)
{
	struct ctm_who who = { .roles = CTM_ROLE_DEVICE };
	struct ctm_buf csr;
	*u = built();
	csr_for(u->serial, &csr);
	ctm_json *out = NULL;
	if (enrol(u->serial, CODE, &csr, &out))
		fail_msg("%s", k.err.msg);
	ctm_json_free(out);
	ctm_buf_free(&csr);
	ctm_copy(who.device_id, sizeof who.device_id, u->id);
	return who;
}

static ctm_json *device(const struct unit *u)
{
	return cxkit_good(&k, &owner, &(struct cxcall){ "GET", "/api/v1/devices/{id}", IN("id", u->id) });
}

static bool told(const ctm_json *page, const char *what)
{
	const ctm_json *lines = ctm_json_get(page, "timeline");
	for (size_t i = 0; i < ctm_json_len(lines); i++)
		if (strstr(ctm_json_gets(ctm_json_at(lines, i), "what"), what))
			return true;
	return false;
}

static void report(char out[400], int64_t seq, int64_t boots, const char *verified)
{
	snprintf(out, 400, "{\"seq\":%lld,\"version\":{\"claimed\":\"1.1.0\",\"booted\":\"1.1.0\",\"verified\":\"%s\"},\"boot_counter\":%lld,\"health\":\"likely-normal\",\"metrics\":{\"rss_kb\":9}}",
		(long long)seq, verified, (long long)boots);
}

static int tell(const struct ctm_who *who, const char *json)
{
	return cxkit_call(&k, who, &(struct cxcall){ .method = "POST", .path = "/d/v1/state", .json = json }, NULL);
}

/* ---- enrolment ---- */

static void a_unit_gets_a_certificate_for_its_own_key(void **state)
{
	struct unit u = built();
	struct ctm_buf csr;
	struct ctm_cert_info asked, got;
	struct ctm_err err = { 0 };
	ctm_json *out = NULL;
	csr_for(u.serial, &csr);
	assert_int_equal(ctm_csr_read(csr.p, csr.len, &asked, &err), 0);
	assert_int_equal(enrol(u.serial, CODE, &csr, &out), 0);
	const char *pem = ctm_json_gets(out, "certificate");
	assert_int_equal(ctm_cert_read(pem, strlen(pem), &got, &err), 0);
	assert_string_equal(got.spki_sha256, asked.spki_sha256);
	assert_string_equal(got.serial_number, u.serial);
	assert_int_equal(ctm_cert_verify(pem, strlen(pem), ctm_json_gets(out, "ca"), k.now_ms, &err), 0);
	struct ctm_req_ident ident = { .edge = true, .cert_verified = true, .cert_pem = pem };
	assert_int_equal(ctm_cert_who(pem, strlen(pem), &ident.cert, &err), 0);
	struct ctm_who who;
	assert_int_equal(ctm_authorise(k.app, k.ro, &ident, &who, &err), 0);
	assert_int_equal(who.roles, CTM_ROLE_DEVICE);
	assert_string_equal(who.device_id, u.id);
	ctm_copy(ident.cert.serial_number, sizeof ident.cert.serial_number, "LP-9999");
	assert_int_equal(ctm_authorise(k.app, k.ro, &ident, &who, &err), CTM_E_AUTH);
	ctm_err_clear(&err);
	ident.edge = false;           /* the same headers on the people's port say nothing */
	assert_int_equal(ctm_authorise(k.app, k.ro, &ident, &who, &err), 0);
	assert_int_equal(who.roles, CTM_ROLE_ANON);
	ctm_json_free(out);
	ctm_buf_free(&csr);
}

static void wrong_code_and_unknown_serial_answer_alike(void **state)
{
	struct unit u = built();
	struct ctm_buf csr, none;
	char first[384];
	csr_for(u.serial, &csr);
	csr_for("LP-7777", &none);
	int before = certificates;
	assert_int_equal(enrol(u.serial, "wrong-horse-battery", &csr, NULL), CTM_E_AUTH);
	ctm_copy(first, sizeof first, k.err.msg);
	assert_int_equal(enrol("LP-7777", CODE, &none, NULL), CTM_E_AUTH);
	assert_string_equal(first, k.err.msg);
	assert_int_equal(certificates, before);
	ctm_buf_free(&csr);
	ctm_buf_free(&none);
}

static void guessing_rests_the_serial(void **state)
{
	struct unit u = built();
	struct ctm_buf csr;
	csr_for(u.serial, &csr);
	for (int i = 0; i < 5; i++)
		assert_int_equal(enrol(u.serial, "wrong-horse-battery", &csr, NULL), CTM_E_AUTH);
	assert_int_equal(enrol(u.serial, CODE, &csr, NULL), CTM_E_GUARD);
	CTM_AUTO_JSON *page = device(&u);
	assert_true(told(page, "Too many attempts"));
	assert_string_equal(ctm_json_gets(ctm_json_get(page, "device"), "state"), "built");
	ctm_buf_free(&csr);
}

static void the_request_must_be_for_the_serial_and_the_right_kind_of_key(void **state)
{
	struct unit u = built();
	struct ctm_buf other, ed = CTM_BUF(8192);
	struct ctm_err err = { 0 };
	CTM_AUTO_KEY *key = NULL;
	csr_for("LP-0000", &other);
	assert_int_equal(enrol(u.serial, CODE, &other, NULL), CTM_E_INPUT);
	assert_int_equal(ctm_key_generate(CTM_ALG_ED25519, &key, &err), 0);
	if (!ctm_csr_new(key, u.serial, "Larkspur", &ed, &err))
		assert_int_equal(enrol(u.serial, CODE, &ed, NULL), CTM_E_INPUT);
	struct ctm_buf junk = CTM_BUF(64);
	ctm_buf_str(&junk, "not a request");
	assert_int_not_equal(enrol(u.serial, CODE, &junk, NULL), 0);
	ctm_buf_free(&other);
	ctm_buf_free(&ed);
	ctm_buf_free(&junk);
}

static void another_key_is_refused_and_told(void **state)
{
	struct unit u;
	struct ctm_buf csr;
	(void)enrolled(&u);
	csr_for(u.serial, &csr);
	assert_int_equal(enrol(u.serial, CODE, &csr, NULL), CTM_E_STATE);
	assert_int_equal(enrol(u.serial, CODE, &csr, NULL), CTM_E_STATE);
	CTM_AUTO_JSON *page = device(&u);
	assert_true(told(page, "another key"));
	assert_int_equal(ctm_json_len(ctm_json_get(page, "timeline")), 3);     /* built, enrolled, told once */
	ctm_buf_free(&csr);
}

static void a_lost_answer_is_given_again_to_the_same_key(void **state)
{
	struct unit u = built();
	struct ctm_buf csr;
	ctm_json *one = NULL, *two = NULL;
	csr_for(u.serial, &csr);
	assert_int_equal(enrol(u.serial, CODE, &csr, &one), 0);
	assert_int_equal(enrol(u.serial, CODE, &csr, &two), 0);
	assert_string_equal(ctm_json_gets(one, "device_id"), ctm_json_gets(two, "device_id"));
	ctm_json_free(one);
	ctm_json_free(two);
	ctm_buf_free(&csr);
}

static void units_are_checked(void **state)
{
	struct unit u = built();
	cxkit_bad(&k, &owner, &(struct cxcall){ "POST", "/api/v1/components/{id}/units", IN("id", component, "serial", u.serial, "code", CODE) }, CTM_E_EXISTS);
	cxkit_bad(&k, &owner, &(struct cxcall){ "POST", "/api/v1/components/{id}/units", IN("id", component, "serial", "LP-X", "code", "short") }, CTM_E_INPUT);
	cxkit_bad(&k, &owner, &(struct cxcall){ "POST", "/api/v1/components/{id}/units", IN("id", component, "serial", "a/../b", "code", CODE) }, CTM_E_INPUT);
	cxkit_bad(&k, &stranger, &(struct cxcall){ "POST", "/api/v1/components/{id}/units", IN("id", component, "serial", "LP-Y", "code", CODE) }, CTM_E_NOTFOUND);
	cxkit_bad(&k, &stranger, &(struct cxcall){ "GET", "/api/v1/devices/{id}", IN("id", u.id) }, CTM_E_NOTFOUND);
}

/* ---- reports ---- */

static void a_report_is_taken_once(void **state)
{
	struct unit u;
	struct ctm_who who = enrolled(&u);
	char r[400];
	report(r, 5, 1, "");
	assert_int_equal(tell(&who, r), 0);
	assert_int_equal(tell(&who, r), CTM_E_CONFLICT);
	assert_int_equal(ctm_err_http(CTM_E_CONFLICT), 409);
	report(r, 4, 1, "1.1.0");
	assert_int_equal(tell(&who, r), CTM_E_CONFLICT);
	CTM_AUTO_JSON *page = device(&u);
	assert_string_equal(ctm_json_gets(ctm_json_get(page, "device"), "verified_version"), "");
	assert_int_equal(ctm_json_geti(ctm_json_get(page, "device"), "last_seq", 0), 5);
}

/* Reports that say the same again are kept by one statement; what is kept, and what is refused, is the same. */
static void a_report_without_news_is_kept_in_full(void **state)
{
	struct unit u;
	struct ctm_who who = enrolled(&u);
	char r[400];
	report(r, 1, 1, "1.0.0");
	assert_int_equal(tell(&who, r), 0);
	CTM_AUTO_JSON *before = device(&u);
	report(r, 9, 3, "1.0.0");
	assert_int_equal(tell(&who, r), 0);
	assert_int_equal(tell(&who, r), CTM_E_CONFLICT);
	CTM_AUTO_JSON *page = device(&u);
	const ctm_json *d = ctm_json_get(page, "device");
	assert_int_equal(ctm_json_geti(d, "last_seq", 0), 9);
	assert_int_equal(ctm_json_geti(d, "boot_counter", 0), 3);
	assert_int_equal(ctm_json_len(ctm_json_get(page, "timeline")), ctm_json_len(ctm_json_get(before, "timeline")));
	ctm_json *standing = NULL;
	assert_int_equal(cxkit_call(&k, &who, &(struct cxcall){ .method = "GET", .path = "/d/v1/state" }, &standing), 0);
	assert_int_equal(ctm_json_geti(standing, "seq", 0), 9);
	assert_int_equal(ctm_json_geti(standing, "boot_counter", 0), 3);
	assert_string_equal(ctm_json_gets(standing, "serial"), u.serial);
	ctm_json_free(standing);
}

static void claimed_booted_and_verified_stay_apart(void **state)
{
	struct unit u;
	struct ctm_who who = enrolled(&u);
	char r[400];
	report(r, 1, 1, "1.0.0");
	assert_int_equal(tell(&who, r), 0);
	CTM_AUTO_JSON *page = device(&u);
	const ctm_json *d = ctm_json_get(page, "device");
	assert_string_equal(ctm_json_gets(d, "claimed_version"), "1.1.0");
	assert_string_equal(ctm_json_gets(d, "verified_version"), "1.0.0");
	assert_false(ctm_json_getb(d, "versions_agree", true));
}

static void the_timeline_tells_changes_only(void **state)
{
	struct unit u;
	struct ctm_who who = enrolled(&u);
	char r[400];
	for (int i = 1; i <= 5; i++) {
		report(r, i, 1, "1.1.0");
		assert_int_equal(tell(&who, r), 0);
	}
	CTM_AUTO_JSON *page = device(&u);
	assert_int_equal(ctm_json_len(ctm_json_get(page, "timeline")), 3);     /* built, enrolled, one change */
}

static void a_boot_counter_that_goes_back_marks_the_unit(void **state)
{
	struct unit u;
	struct ctm_who who = enrolled(&u);
	char r[400];
	report(r, 1, 9, "1.1.0");
	assert_int_equal(tell(&who, r), 0);
	report(r, 2, 3, "1.1.0");
	assert_int_equal(tell(&who, r), 0);
	report(r, 3, 10, "1.1.0");
	assert_int_equal(tell(&who, r), 0);
	CTM_AUTO_JSON *page = device(&u);
	assert_non_null(strstr(ctm_json_gets(ctm_json_get(page, "device"), "suspect"), "from 9 back to 3"));
	assert_int_equal(ctm_json_geti(ctm_json_get(page, "device"), "boot_counter", 0), 10);
	assert_true(told(page, "clone"));
}

static void a_bad_report_changes_nothing(void **state)
{
	static const char *const bad[] = {
		"{}", "[]", "{\"seq\":0,\"version\":{\"claimed\":\"\",\"booted\":\"\",\"verified\":\"\"},\"boot_counter\":1,\"health\":\"likely-normal\"}",
		"{\"seq\":7,\"version\":{\"claimed\":\"<b>\",\"booted\":\"\",\"verified\":\"\"},\"boot_counter\":1,\"health\":\"likely-normal\"}",
		"{\"seq\":7,\"version\":{\"claimed\":\"\",\"booted\":\"\",\"verified\":\"\"},\"boot_counter\":1,\"health\":\"fine\"}",
		"{\"seq\":7,\"version\":{\"claimed\":\"\",\"booted\":\"\",\"verified\":\"\"},\"boot_counter\":-1,\"health\":\"likely-normal\"}",
		"{\"seq\":7,\"version\":{\"claimed\":\"\",\"booted\":\"\",\"verified\":\"\"},\"boot_counter\":1,\"health\":\"likely-normal\",\"metrics\":{\"a\":\"text\"}}",
		"{\"seq\":7,\"version\":{\"claimed\":\"\",\"booted\":\"\",\"verified\":\"\"},\"boot_counter\":1,\"health\":\"likely-normal\",\"extra\":1}",
	};
	struct unit u;
	struct ctm_who who = enrolled(&u);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(tell(&who, bad[i]), CTM_E_INPUT);
	CTM_AUTO_JSON *page = device(&u);
	assert_int_equal(ctm_json_geti(ctm_json_get(page, "device"), "last_seq", -1), 0);
}

static void a_report_cannot_speak_for_another_device(void **state)
{
	struct unit u;
	struct ctm_who who = enrolled(&u);
	assert_int_equal(tell(&who, "{\"seq\":1,\"serial\":\"LP-0001\",\"version\":{\"claimed\":\"\",\"booted\":\"\",\"verified\":\"\"},\"boot_counter\":1,\"health\":\"likely-normal\"}"), CTM_E_GUARD);
	char r[400];
	report(r, 1, 1, "");
	assert_int_equal(tell(&cxkit_nobody, r), CTM_E_AUTH);
	assert_int_equal(tell(&owner, r), CTM_E_FORBIDDEN);
}

static void a_retired_unit_is_nobody(void **state)
{
	struct unit u;
	struct ctm_who who = enrolled(&u);
	struct ctm_cert_who cert = { 0 };
	struct ctm_err err = { 0 };
	struct ctm_who got;
	char r[400];
	CTM_AUTO_JSON *page = device(&u);
	ctm_copy(cert.spki_sha256, sizeof cert.spki_sha256, ctm_json_gets(ctm_json_get(page, "device"), "spki_sha256"));
	ctm_copy(cert.serial_number, sizeof cert.serial_number, u.serial);
	struct ctm_req_ident ident = { .edge = true, .cert_verified = true, .cert_pem = "", .cert = cert };
	assert_int_equal(ctm_authorise(k.app, k.ro, &ident, &got, &err), 0);
	struct cxcall c = { "POST", "/api/v1/devices/{id}/retire", IN("id", u.id) };
	cxkit_bad(&k, &stranger, &c, CTM_E_NOTFOUND);
	ctm_json_free(cxkit_good(&k, &owner, &c));
	cxkit_bad(&k, &owner, &c, CTM_E_STATE);
	assert_int_equal(ctm_authorise(k.app, k.ro, &ident, &got, &err), CTM_E_AUTH);
	report(r, 1, 1, "");
	assert_int_not_equal(tell(&who, r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_gets_a_certificate_for_its_own_key), cmocka_unit_test(wrong_code_and_unknown_serial_answer_alike), cmocka_unit_test(guessing_rests_the_serial),
		cmocka_unit_test(the_request_must_be_for_the_serial_and_the_right_kind_of_key), cmocka_unit_test(another_key_is_refused_and_told),
		cmocka_unit_test(a_lost_answer_is_given_again_to_the_same_key), cmocka_unit_test(units_are_checked), cmocka_unit_test(a_report_is_taken_once), cmocka_unit_test(a_report_without_news_is_kept_in_full),
		cmocka_unit_test(claimed_booted_and_verified_stay_apart), cmocka_unit_test(the_timeline_tells_changes_only),
		cmocka_unit_test(a_boot_counter_that_goes_back_marks_the_unit), cmocka_unit_test(a_bad_report_changes_nothing), cmocka_unit_test(a_report_cannot_speak_for_another_device), cmocka_unit_test(a_retired_unit_is_nobody),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
