/* SPDX-License-Identifier: Apache-2.0
 *
 * Declarations: the demonstration's own is good, each single change for the worse is refused at its pointer.
 */
#include "product/declaration.h"
#include "base/file.h"
#include "base/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The demonstration's declaration with its places filled, and one text replaced by another. */
static void text_with(const char *from, const char *to, struct ctm_buf *out)
{
	static const struct { const char *from, *to; } fill[] = { { "@MODEL@", "PC-1" }, { "@VERSION@", "1.1.0" }, { "@ADMIN_PORT@", "8443" }, { "@DEVICE_PORT@", "8444" },
		{ "@RELEASE_KEY@", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" } };
	CTM_AUTO_BUF file = { 0 };
	struct ctm_err err = { 0 };
	assert_int_equal(ctm_file_read(CTM_SOURCE_ROOT "/demo/declaration.json", 65536, &file, &err), 0);
	*out = CTM_BUF(65536);
	ctm_buf_add(out, file.p, file.len);
	for (size_t i = 0; i <= sizeof fill / sizeof *fill; i++) {
		const char *f = i < 5 ? fill[i].from : from, *t = i < 5 ? fill[i].to : to;
		CTM_AUTO_BUF next = CTM_BUF(65536);
		const char *at = ctm_buf_cstr(out), *hit;
		bool found = !f;
		while (f && (hit = strstr(at, f))) {
			ctm_buf_add(&next, at, (size_t)(hit - at));
			ctm_buf_str(&next, t);
			at = hit + strlen(f);
			found = true;
		}
		ctm_buf_str(&next, at);
		if (!found)
			fail_msg("the declaration has no %s", f);
		ctm_buf_reset(out);
		ctm_buf_add(out, next.p, next.len);
	}
}

static int check_with(const char *from, const char *to, struct ctm_err *err)
{
	struct ctm_buf b;
	CTM_AUTO_JSON *doc = NULL;
	text_with(from, to, &b);
	int rc = ctm_json_parse(b.p, b.len, 65536, "declaration", &doc, err);
	if (!rc)
		rc = ctm_decl_check(doc, "declaration", err);
	ctm_buf_free(&b);
	return rc;
}

static void the_demonstrations_declaration_is_good(void **state)
{
	struct ctm_err err = { 0 };
	if (check_with(NULL, NULL, &err))
		fail_msg("%s: %s", err.field, err.msg);
}

static void each_change_is_refused_at_its_pointer(void **state)
{
	static const struct { const char *from, *to, *field; } bad[] = {
		{ "ctm.declaration/1", "ctm.declaration/2", "/format" },
		{ "\"transport\": \"tcp\"", "\"transport\": \"sctp\"", "/interfaces/0/transport" },
		{ "\"port\": 8443", "\"port\": 70000", "/interfaces/0/port" },
		{ "\"port\": 8443", "\"port\": \"8443\"", "/interfaces/0/port" },
		{ ", \"tls\": {\"min\": \"1.2\"}", "", "/interfaces/0" },
		{ "\"min\": \"1.2\"", "\"min\": \"1.0\"", "/interfaces/0/tls/min" },
		{ "\"max\": 10, \"default\": 5", "\"max\": 4, \"default\": 5", "/settings/1/default" },
		{ "\"name\": \"recording_days\"", "\"name\": \"live_view\"", "/settings/2/name" },
		{ "\"default\": \"medium\"", "\"default\": \"ultra\"", "/settings/4/default" },
		{ "\"type\": \"bool\"", "\"type\": \"flag\"", "/settings/0/type" },
		{ "\"deleted_by_reset\": true", "\"deleted_by_reset\": 1", "/data/0/deleted_by_reset" },
		{ "\"host\": \"localhost\"", "\"host\": \"a b\"", "/destinations/0/host" },
		{ "000102", "zz0102", "/update/release_key" },
		{ "\"downgrade\": \"refused\"", "\"downgrade\": \"allowed\"", "/update/downgrade" },
		{ "unique-per-unit", "admin", "/credentials/initial" },
		{ "\"lock_s\": 3", "\"lock_s\": 0", "/credentials/lockout/lock_s" },
		{ "\"boot\", ", "\"reset\", ", "/log/events/8" },
		{ "\"maker\":", "\"extra\": 1, \"maker\":", "/extra" },
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ctm_err err = { 0 };
		int rc = check_with(bad[i].from, bad[i].to, &err);
		if (rc != CTM_E_INPUT || strcmp(err.field, bad[i].field))
			fail_msg("%s -> %s: %d %s %s", bad[i].from, bad[i].to, rc, err.field, err.msg);
	}
}

static void it_must_speak_of_the_release(void **state)
{
	struct ctm_buf b;
	struct ctm_err err = { 0 };
	CTM_AUTO_JSON *doc = NULL;
	text_with(NULL, NULL, &b);
	assert_int_equal(ctm_json_parse(b.p, b.len, 65536, "declaration", &doc, &err), 0);
	assert_int_equal(ctm_decl_fits(doc, "Larkspur Porchworks (fictional)", "PC-1", "1.1.0", &err), 0);
	assert_int_equal(ctm_decl_fits(doc, "Larkspur Porchworks (fictional)", "PC-1", "1.1.1", &err), CTM_E_INPUT);
	assert_string_equal(err.field, "/version");
	ctm_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_demonstrations_declaration_is_good),
		cmocka_unit_test(each_change_is_refused_at_its_pointer),
		cmocka_unit_test(it_must_speak_of_the_release),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
