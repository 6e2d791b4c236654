/* SPDX-License-Identifier: Apache-2.0
 *
 * Proofs and certificates (C2SP tlog-proof, RFC 9052, RFC 9162): made from a real log, checked with a trust list alone, refused after
 * any change of any byte. And the program ctm verify with its exit statuses.
 */
#include "state.h"
#include "base/proc.h"
#include "crypto/signer.h"
#include "registry/proof.h"
#include "registry/signer_core.h"
#include "registry/tlogproof.h"

static struct state st;
static struct ctm_signer *signer;
static struct ctm_trust trust;
static ctm_json *content;
static struct ctm_buf proof, certificate;
static char rec[CTM_PUBID_MAX];
static uint8_t salt[CTM_SALT];

static int sign_head(void *arg, const struct ctm_checkpoint *cp, int64_t old_size, const struct ctm_proof_path *p, struct ctm_buf *note, struct ctm_err *err)
{
	CTM_AUTO_JSON *req = json_of("{\"op\":\"checkpoint\"}");
	CTM_AUTO_BUF root = CTM_BUF(64);
	ctm_json *list = ctm_json_arr();

	(void)arg, (void)err;
	ctm_b64(&root, cp->root, 32);
	for (size_t i = 0; i < p->n; i++) {
		CTM_AUTO_BUF h = CTM_BUF(64);
		ctm_b64(&h, p->h[i], 32);
		assert_int_equal(ctm_json_adds(list, ctm_buf_cstr(&h)), 0);
	}
	assert_int_equal(ctm_json_sets(req, "origin", cp->origin) || ctm_json_seti(req, "old_size", old_size) || ctm_json_seti(req, "size", cp->size) ||
		ctm_json_sets(req, "root", ctm_buf_cstr(&root)) || ctm_json_set(req, "consistency", list), 0);
	CTM_AUTO_JSON *r = ctm_signer_answer(signer, req);
	assert_non_null(ctm_json_gets(r, "note"));
	ctm_buf_str(note, ctm_json_gets(r, "note"));
	return 0;
}

static void append(const void *p, size_t n, int64_t *index)
{
	char pub[512], work[512];
	struct ctm_err err = { 0 };

	state_path(&st, "public/log", pub);
	state_path(&st, "log", work);
	struct ctm_log_writer w = { .dir = pub, .work = work, .key = st.log, .sign = sign_head };
	struct ctm_log_entry e = { p, n };
	if (ctm_log_append(&w, &e, 1, index, &err))
		fail_msg("%s: %s", err.field, err.msg);
}

static ctm_json *make_content(void)
{
	ctm_json *c = json_of("{\"format\":\"ctm.record/1\",\"version\":1,\"status\":\"authorised\",\"reason\":\"\","
		"\"product\":{\"name\":\"Porch Camera\",\"maker\":\"Larkspur Porchworks (fictional)\",\"model\":\"PC-1 \u00e9\"},"
		"\"fields\":{\"authorization\":{\"date\":\"2026-11-22\",\"status\":\"authorised\"},\"cla\":{\"name\":\"" CLA "\",\"contact\":\"registry@harborlight.example\"}},"
		"\"certificate\":{\"number\":\"CTM-2026-000001\",\"valid_from\":\"2026-11-22\",\"valid_to\":\"2031-11-21\",\"status\":\"in_force\"}}");
	assert_int_equal(ctm_json_sets(c, "id", rec), 0);
	assert_int_equal(ctm_json_setf(c, "url", "http://localhost:8080/p/%s", rec), 0);
	return c;
}

/* A signed statement about `about`, in the log. */
static void issue(const ctm_json *about, struct ctm_buf *cose, int64_t *index)
{
	char digest[CTM_DIGEST_MAX], path[512];
	CTM_AUTO_KEY *k = NULL;
	struct ctm_statement s = { .version = 1, .at_ms = 1795358763120 };

	assert_int_equal(ctm_content_digest(salt, about, digest, NULL), 0);
	ctm_copy(s.record, sizeof s.record, rec);
	ctm_copy(s.kind, sizeof s.kind, "grant");
	ctm_copy(s.status, sizeof s.status, "authorised");
	ctm_copy(s.certificate, sizeof s.certificate, "CTM-2026-000001");
	ctm_copy(s.cla_name, sizeof s.cla_name, CLA);
	ctm_copy(s.cla_contact, sizeof s.cla_contact, "registry@harborlight.example");
	ctm_copy(s.decision, sizeof s.decision, digest);
	ctm_copy(s.content, sizeof s.content, digest);
	state_path(&st, "keys/cla.pem", path);
	assert_int_equal(ctm_key_load(path, &k, NULL), 0);
	assert_int_equal(ctm_statement_sign(&s, k, cose, NULL), 0);
	append(cose->p, cose->len, index);
}

static int setup(void **state)
{
	char path[512];
	int64_t index;
	CTM_AUTO_BUF cose = CTM_BUF(8192);
	CTM_AUTO_LOG *log = NULL;
	struct ctm_err err = { 0 };

	(void)state;
	state_make(&st, NULL);
	ctm_pubid(rec);
	ctm_random(salt, sizeof salt);
	assert_int_equal(ctm_signer_open(st.dir, &signer, &err), 0);
	state_path(&st, "trust.json", path);
	assert_int_equal(ctm_trust_load(path, &trust, &err), 0);
	content = make_content();
	append("one", 3, &index);
	append("two", 3, &index);
	issue(content, &cose, &index);
	append("three", 5, &index);
	state_path(&st, "public/log", path);
	assert_int_equal(ctm_log_open(path, &trust.log, &log, &err), 0);
	proof = CTM_BUF(1 << 20);
	certificate = CTM_BUF(1 << 20);
	if (ctm_proof_make(content, salt, cose.p, cose.len, log, 2, &proof, &err) || ctm_certificate_make(content, proof.p, proof.len, &certificate, &err))
		fail_msg("%s: %s", err.field, err.msg);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ctm_buf_free(&proof);
	ctm_buf_free(&certificate);
	ctm_json_free(content);
	ctm_signer_closep(&signer);
	state_drop(&st);
	return 0;
}

typedef int check_fn(const char *text, size_t n, const struct ctm_trust *t, struct ctm_proof_report *out, struct ctm_err *err);

static int check(check_fn *fn, const char *p, size_t n)
{
	struct ctm_proof_report r = { 0 };
	struct ctm_err err = { 0 };
	int rc = fn(p, n, &trust, &r, &err);

	assert_true(rc == 0 || *err.msg);        /* a refusal says why */
	ctm_proof_report_free(&r);
	return rc;
}

static void a_good_proof_and_certificate_tell_what_they_prove(void **state)
{
	struct ctm_proof_report r = { 0 };
	struct ctm_err err = { 0 };

	(void)state;
	if (ctm_proof_check(proof.p, proof.len, &trust, &r, &err))
		fail_msg("%s: %s", err.field, err.msg);
	assert_string_equal(r.st.record, rec);
	assert_int_equal(r.index, 2);
	assert_int_equal(r.cp.size, 4);
	assert_string_equal(r.cla, CLA);
	assert_string_equal(ctm_json_gets(ctm_json_get(r.content, "product"), "name"), "Porch Camera");
	ctm_proof_report_free(&r);
	assert_int_equal(check(ctm_certificate_check, certificate.p, certificate.len), 0);
}

static void flip_all(check_fn *fn, const struct ctm_buf *b)
{
	static const unsigned char masks[] = { 0x01, 0x20, 0x80, 0xff };
	char *copy = malloc(b->len + 64);

	assert_non_null(copy);
	for (size_t i = 0; i < b->len; i++)
		for (size_t m = 0; m < sizeof masks; m++) {
			memcpy(copy, b->p, b->len);
			copy[i] = (char)(copy[i] ^ masks[m]);
			if (check(fn, copy, b->len) == 0)
				fail_msg("byte %zu may be changed from %02x to %02x", i, (unsigned char)b->p[i], (unsigned char)copy[i]);
		}
	for (size_t n = 0; n < b->len; n += n < 300 || n + 300 > b->len ? 1 : 37)
		if (check(fn, b->p, n) == 0)
			fail_msg("cut to %zu bytes it is accepted", n);
	static const char *const tails[] = { "\n", " ", "x", "\r\n", "\xe2\x80\x94 witness.example x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n" };
	for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
		CTM_AUTO_BUF t = CTM_BUF(1 << 20);
		ctm_buf_add(&t, b->p, b->len);
		ctm_buf_str(&t, tails[i]);
		if (check(fn, t.p, t.len) == 0)
			fail_msg("with tail %zu it is accepted", i);
	}
	free(copy);
}

static void any_changed_byte_of_a_proof_fails(void **state)
{
	(void)state;
	flip_all(ctm_proof_check, &proof);
}

static void any_changed_byte_of_a_certificate_fails(void **state)
{
	(void)state;
	flip_all(ctm_certificate_check, &certificate);
}

static void a_proof_under_another_trust_list_fails(void **state)
{
	struct ctm_trust t = trust;
	struct ctm_proof_report r = { 0 };
	struct ctm_err err = { 0 };

	(void)state;
	t.cla[0].pub[3] ^= 1;
	assert_int_not_equal(ctm_proof_check(proof.p, proof.len, &t, &r, &err), 0);
	t = trust;
	t.log.pub[3] ^= 1;
	assert_int_not_equal(ctm_proof_check(proof.p, proof.len, &t, &r, NULL), 0);
	t = trust;
	t.ncla = 2;                               /* one of several administrators may not speak for another */
	t.cla[1] = t.cla[0];
	ctm_copy(t.cla[0].name, sizeof t.cla[0].name, "Somebody Else (fictional)");
	ctm_err_clear(&err);
	assert_int_equal(ctm_proof_check(proof.p, proof.len, &t, &r, &err), CTM_E_VERIFY);
	assert_non_null(strstr(err.msg, "speaks for"));
}

/* A key that was taken back, and a list that says something this reader does not know. */
static void a_revoked_key_proves_nothing(void **state)
{
	static const struct { const char *more; int load, check; } lists[] = {
		{ "", 0, 0 }, { ",\"revoked\":false", 0, 0 }, { ",\"revoked\":true", 0, CTM_E_VERIFY }, { ",\"revoked\":\"no\"", CTM_E_INPUT, 0 },
		{ ",\"revoked\":null", CTM_E_INPUT, 0 }, { ",\"revoked_on\":\"2026-11-22\"", CTM_E_INPUT, 0 },
	};
	char path[512], hex[65], vkey[256], text[1024];
	CTM_AUTO_BUF vk = CTM_BUF(512);

	(void)state;
	state_path(&st, "trust-2.json", path);
	ctm_hex(trust.cla[0].pub, 32, hex);
	ctm_vkey_write(trust.log.name, trust.log.pub, &vk);
	ctm_copy(vkey, sizeof vkey, ctm_buf_cstr(&vk));
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		struct ctm_trust t = { 0 };
		struct ctm_proof_report r = { 0 };
		struct ctm_err err = { 0 };
		snprintf(text, sizeof text, "{\"format\":\"ctm.trust/1\",\"log\":{\"origin\":\"%s\",\"vkey\":\"%s\"},\"cla\":[{\"name\":\"C\",\"key_id\":\"%s\",\"ed25519\":\"%s\"%s}]}",
			trust.log.name, vkey, trust.cla[0].key_id, hex, lists[i].more);
		assert_int_equal(ctm_file_write(path, text, strlen(text), 0644, NULL), 0);
		int rc = ctm_trust_load(path, &t, &err);
		if (!lists[i].load != !rc)
			fail_msg("list %zu: %s", i, err.msg);
		if (rc)
			continue;
		ctm_err_clear(&err);
		assert_int_equal(ctm_proof_check(proof.p, proof.len, &t, &r, &err), lists[i].check);
		ctm_proof_report_free(&r);
	}
}

static void content_that_disagrees_with_its_statement_fails_even_when_signed(void **state)
{
	static const struct { const char *obj, *key, *value, *field; } lies[] = {
		{ "certificate", "number", "CTM-2026-000002", "/certificate/number" },
		{ "", "id", "0000000000000", "/id" },
		{ "", "status", "suspended", "/status" },
		{ "", "url", "http://localhost:8080/p/7XK2MQ4T9ZC", "/url" },        /* the code of another product's page */
		{ "", "url", "http://localhost:8080/p/", "/url" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		CTM_AUTO_JSON *c = make_content();
		CTM_AUTO_BUF cose = CTM_BUF(8192), p = CTM_BUF(1 << 20);
		CTM_AUTO_LOG *log = NULL;
		char path[512];
		int64_t index;
		struct ctm_proof_report r = { 0 };
		struct ctm_err err = { 0 };
		ctm_json *o = *lies[i].obj ? (ctm_json *)ctm_json_get(c, lies[i].obj) : c;
		assert_int_equal(ctm_json_sets(o, lies[i].key, lies[i].value), 0);
		issue(c, &cose, &index);
		state_path(&st, "public/log", path);
		assert_int_equal(ctm_log_open(path, &trust.log, &log, NULL), 0);
		assert_int_equal(ctm_proof_make(c, salt, cose.p, cose.len, log, index, &p, NULL), 0);
		assert_int_equal(ctm_proof_check(p.p, p.len, &trust, &r, &err), CTM_E_INPUT);
		assert_string_equal(err.field, lies[i].field);
	}
}

static void malformed_tlog_proofs_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "c2sp.org/tlog-proof@v1", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v2\nindex 0\n\nx\n", "c2sp.org/tlog-proof@v1\nindex 0\n",
		"c2sp.org/tlog-proof@v1\nindex 00\n\nx\n", "c2sp.org/tlog-proof@v1\nindex -1\n\nx\n", "c2sp.org/tlog-proof@v1\nindex x\n\nx\n",
		"c2sp.org/tlog-proof@v1\nindex 99999999999999999999\n\nx\n", "c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nx\n", "c2sp.org/tlog-proof@v1\nextra \nindex 0\n\nx\n",
		"c2sp.org/tlog-proof@v1\nextra AA==\nextra AA==\nindex 0\n\nx\n", "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx\n", "c2sp.org/tlog-proof@v1\r\nindex 0\r\n\r\nx\n",
	};
	struct ctm_tlogproof p;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (ctm_tlogproof_parse(bad[i], strlen(bad[i]), &p, NULL) == 0)
			fail_msg("accepted: %s", bad[i]);
	CTM_AUTO_BUF many = CTM_BUF(1 << 16);
	ctm_buf_str(&many, "c2sp.org/tlog-proof@v1\nindex 0\n");
	for (int i = 0; i < 64; i++)
		ctm_buf_str(&many, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	ctm_buf_str(&many, "\nx\n");
	assert_int_equal(ctm_tlogproof_parse(many.p, many.len, &p, NULL), CTM_E_SYNTAX);
}

/* --- the program ----------------------------------------------------------------------------------------------------- */

static int run(const char *file, bool with_trust, struct ctm_buf *out, struct ctm_buf *said)
{
	char path[512];
	int status = -1;

	state_path(&st, "trust.json", path);
	const char *argv[] = { CTM_VERIFY, file, with_trust ? "--trust" : "--json", with_trust ? path : NULL, NULL };
	struct ctm_proc p = { .argv = argv, .cwd = st.dir, .timeout_ms = 20000 };
	assert_int_equal(ctm_proc_run(&p, out, said, &status, NULL), 0);
	return status;
}

static void the_program_answers_people_and_scripts(void **state)
{
	char file[512], cert[512];
	CTM_AUTO_BUF out = CTM_BUF(1 << 20), said = CTM_BUF(1 << 16);

	(void)state;
	state_path(&st, "label.proof", file);
	state_path(&st, "certificate.json", cert);
	assert_int_equal(ctm_file_write(file, proof.p, proof.len, 0644, NULL), 0);
	assert_int_equal(ctm_file_write(cert, certificate.p, certificate.len, 0644, NULL), 0);
	assert_int_equal(run(file, true, &out, &said), 0);
	assert_non_null(strstr(ctm_buf_cstr(&out), "good proof"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "trust.json"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "http://localhost:8080/p/"));
	assert_non_null(strstr(ctm_buf_cstr(&out), "cannot be seen offline"));
	ctm_buf_reset(&out);
	assert_int_equal(run(cert, true, &out, &said), 0);
	ctm_buf_reset(&out);
	proof.p[proof.len / 2] ^= 1;
	assert_int_equal(ctm_file_write(file, proof.p, proof.len, 0644, NULL), 0);
	proof.p[proof.len / 2] ^= 1;
	assert_int_equal(run(file, true, &out, &said), 1);
	assert_non_null(strstr(ctm_buf_cstr(&said), "NOT GOOD"));
	assert_int_equal(out.len, 0);
	assert_int_equal(run("missing.proof", true, &out, &said), 1);
	assert_int_equal(run("https://localhost/p/X.proof", true, &out, &said), 2);
	assert_int_equal(run(cert, false, &out, &said), 2);                      /* no trust list anywhere */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_proof_and_certificate_tell_what_they_prove),
		cmocka_unit_test(any_changed_byte_of_a_proof_fails),
		cmocka_unit_test(any_changed_byte_of_a_certificate_fails),
		cmocka_unit_test(a_proof_under_another_trust_list_fails),
		cmocka_unit_test(a_revoked_key_proves_nothing),
		cmocka_unit_test(content_that_disagrees_with_its_statement_fails_even_when_signed),
		cmocka_unit_test(malformed_tlog_proofs_are_refused),
		cmocka_unit_test(the_program_answers_people_and_scripts),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
