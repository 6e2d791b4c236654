/* SPDX-License-Identifier: Apache-2.0
 *
 * The signer: what it signs verifies outside, every refusal by its name, one content per version over restarts, no fork and no
 * rollback of the log, a journal that notices any change, and the running process behind its socket and sandbox.
 */
#include "state.h"
#include "ctm/cose.h"
#include "ctm/openssl.h"
#include "crypto/signer.h"
#include "registry/signer_core.h"
#include "registry/signer_journal.h"
#include "registry/signer_rules.h"
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2 "sha256:2222222222222222222222222222222222222222222222222222222222222222"

static struct state st;
static struct ctm_signer *signer;
static char rec[CTM_PUBID_MAX], other[CTM_PUBID_MAX];

static void reopen(void)
{
	struct ctm_err err = { 0 };

	ctm_signer_closep(&signer);
	if (ctm_signer_open(st.dir, &signer, &err))
		fail_msg("%s: %s", err.field, err.msg);
}

static int setup(void **state)
{
	(void)state;
	state_make(&st, NULL);
	ctm_pubid(rec);
	ctm_pubid(other);
	reopen();
	return ctm_signer_warm(signer, NULL);
}

static int teardown(void **state)
{
	(void)state;
	ctm_signer_closep(&signer);
	state_drop(&st);
	return 0;
}

static ctm_json *request(const char *record, int version, const char *kind, const char *status, const char *content)
{
	char t[2048];

	snprintf(t, sizeof t, "{\"op\":\"statement\",\"statement\":{\"format\":\"ctm.statement/1\",\"record\":\"%s\",\"version\":%d,\"kind\":\"%s\",\"status\":\"%s\","
		"\"certificate\":\"CTM-2026-000001\",\"at\":\"2026-11-22T14:46:03.120Z\",\"cla\":{\"name\":\"" CLA "\",\"contact\":\"registry@harborlight.example\"},"
		"\"decision\":\"" D1 "\",\"content\":\"%s\"},\"decision\":{\"kind\":\"%s\",\"decided_by\":\"p-3\",\"evaluators\":[\"p-1\",\"p-2\"],"
		"\"approvals\":[{\"person_id\":\"p-3\",\"part\":\"decider\",\"at_ms\":5}],\"digest\":\"" D1 "\"}}", record, version, kind, status, content, kind);
	return json_of(t);
}

/* Answer; the reply's member, or the refusal's rule in `rule`. */
static ctm_json *ask(const ctm_json *req, char rule[64])
{
	ctm_json *r = ctm_signer_answer(signer, req);
	const char *got = ctm_json_gets(ctm_json_get(r, "error"), "rule");

	assert_non_null(r);
	ctm_copy(rule, 64, got ? got : "");
	return r;
}

static void expect(const ctm_json *req, const char *want)
{
	char rule[64];
	CTM_AUTO_JSON *r = ask(req, rule);

	if (strcmp(rule, want))
		fail_msg("wanted \"%s\", got \"%s\": %s", want, rule, ctm_json_gets(ctm_json_get(r, "error"), "msg"));
}

static void expect_change(const char *path, const char *json, const char *want)
{
	CTM_AUTO_JSON *req = request(rec, 1, "grant", "authorised", D2);
	char where[64], *key;
	CTM_AUTO_JSON *v = json ? json_of(json) : NULL;

	snprintf(where, sizeof where, "%s", path);
	key = strchr(where, '/');
	*key++ = '\0';
	ctm_json *obj = (ctm_json *)ctm_json_get(req, where);
	if (v)
		assert_int_equal(ctm_json_set(obj, key, ctm_json_copy(v)), 0);
	else
		assert_int_equal(ctm_json_del(obj, key), 0);
	expect(req, want);
}

static void a_statement_is_signed_and_verifies_under_the_published_key(void **state)
{
	CTM_AUTO_JSON *req = request(rec, 1, "grant", "authorised", D2);
	char rule[64];
	struct ctm_statement s;
	CTM_AUTO_BUF cose = CTM_BUF(8192);

	(void)state;
	CTM_AUTO_JSON *r = ask(req, rule);
	const char *b64 = ctm_json_gets(r, "cose");
	assert_non_null(b64);
	assert_int_equal(ctm_unb64(b64, strlen(b64), &cose), 0);
	assert_int_equal(ctm_statement_open(cose.p, cose.len, st.cla, &s, NULL), 0);
	assert_string_equal(s.record, rec);
	assert_string_equal(s.status, "authorised");
	assert_string_equal(s.content, D2);
	assert_string_equal(s.cla_name, CLA);
	for (size_t i = 0; i < cose.len; i++) {
		cose.p[i] ^= 1;
		assert_int_not_equal(ctm_statement_open(cose.p, cose.len, st.cla, &s, NULL), 0);
		cose.p[i] ^= 1;
	}
	CTM_AUTO_JSON *keys_req = json_of("{\"op\":\"keys\"}");
	CTM_AUTO_JSON *keys = ask(keys_req, rule);
	char hex[65];
	ctm_hex(st.cla, 32, hex);
	assert_string_equal(ctm_json_gets(ctm_json_get(keys, "cla"), "ed25519"), hex);
	assert_string_equal(ctm_json_gets(ctm_json_get(keys, "cla"), "name"), CLA);
	assert_string_equal(ctm_json_gets(ctm_json_get(keys, "log"), "origin"), ORIGIN);
	assert_non_null(strstr(ctm_json_gets(keys, "ca"), "BEGIN CERTIFICATE"));
}

static void malformed_statements_are_refused_by_member(void **state)
{
	static const struct { const char *path, *json; } bad[] = {
		{ "statement/format", "\"ctm.statement/2\"" }, { "statement/format", NULL }, { "statement/record", "\"ABC\"" }, { "statement/record", NULL },
		{ "statement/version", "0" }, { "statement/version", "2" }, { "statement/version", "1.5" }, { "statement/version", NULL },
		{ "statement/kind", "\"promotion\"" }, { "statement/kind", NULL }, { "statement/status", "\"suspended\"" }, { "statement/status", NULL },
		{ "statement/certificate", "\"one two\"" }, { "statement/certificate", "\"\"" }, { "statement/at", "\"yesterday\"" },
		{ "statement/at", "\"2026-11-22T14:46:03.12+00:00\"" }, { "statement/cla", "{\"name\":\"\",\"contact\":\"x\"}" },
		{ "statement/cla", "{\"name\":\"a\",\"contact\":\"x\",\"person\":\"someone\"}" }, { "statement/cla", "\"x\"" }, { "statement/content", "\"sha256:12\"" },
		{ "statement/content", NULL }, { "statement/decision", "\"none\"" }, { "statement/extra", "1" },
		{ "decision/kind", NULL }, { "decision/decided_by", "\"\"" }, { "decision/evaluators", NULL }, { "decision/evaluators", "[1]" },
		{ "decision/approvals", "{}" }, { "decision/approvals", "[{}]" }, { "decision/digest", NULL }, { "decision/more", "1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		expect_change(bad[i].path, bad[i].json, "statement.shape");
	CTM_AUTO_JSON *empty = json_of("{\"op\":\"statement\"}");
	expect(empty, "statement.shape");
}

static void iso17065_7_6_a_decision_without_its_conditions_is_not_signed(void **state)
{
	(void)state;
	expect_change("decision/kind", "\"denial\"", "statement.decision_kind");
	expect_change("decision/kind", "\"suspension\"", "statement.decision_kind");
	expect_change("decision/digest", "\"" D2 "\"", "statement.decision_digest");
	expect_change("decision/decided_by", "\"p-2\"", "statement.decider");
	expect_change("decision/evaluators", "[{\"person_id\":\"p-3\"}]", "statement.decider");
	/* the same person in another spelling */
	expect_change("decision/evaluators", "[\"p3\"]", "statement.decider");
	expect_change("decision/evaluators", "[\"p_3\"]", "statement.decider");
	static const char *const spelled[] = { "\"P-3\"", "\"p-3 \"", "\" p-3\"", "\"{p-3}\"", "\"urn:uuid:p-3\"", "\"p\xe2\x80\x90" "3\"", "\"-p-3\"" };
	for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
		char list[80];
		snprintf(list, sizeof list, "[%s]", spelled[i]);
		expect_change("decision/evaluators", list, "statement.shape");
		expect_change("decision/approvals", list, "statement.shape");
		expect_change("decision/decided_by", spelled[i], "statement.shape");
	}
	expect_change("decision/approvals", "[]", "statement.approvals");
	CTM_AUTO_JSON *good = request(rec, 1, "grant", "authorised", D2);
	expect(good, "");
}

static void a_version_is_signed_once_and_the_order_of_statuses_holds_over_restarts(void **state)
{
	CTM_AUTO_JSON *grant = request(rec, 1, "grant", "authorised", D1);
	CTM_AUTO_JSON *twin = request(rec, 1, "grant", "authorised", D2);
	CTM_AUTO_JSON *susp = request(rec, 2, "suspension", "suspended", D1);
	CTM_AUTO_JSON *susp3 = request(rec, 3, "suspension", "suspended", D1);
	CTM_AUTO_JSON *back = request(rec, 3, "reinstatement", "authorised", D1);
	CTM_AUTO_JSON *gone = request(rec, 4, "withdrawal", "withdrawn", D1);
	CTM_AUTO_JSON *again = request(rec, 5, "reinstatement", "authorised", D1);
	CTM_AUTO_JSON *unborn = request(other, 2, "suspension", "suspended", D1);
	char rule[64];

	(void)state;
	expect(unborn, "statement.order");
	CTM_AUTO_JSON *first = ask(grant, rule);
	reopen();
	CTM_AUTO_JSON *second = ask(grant, rule);
	assert_string_equal(ctm_json_gets(first, "cose"), ctm_json_gets(second, "cose"));
	expect(twin, "statement.content");
	expect(back, "statement.order");
	expect(susp, "");
	expect(susp3, "statement.order");
	reopen();
	expect(back, "");
	expect(gone, "");
	reopen();
	expect(again, "statement.order");
	expect(twin, "statement.content");
	expect(grant, "");
}

static ctm_json *checkpoint(int64_t old_size, int64_t size, const uint8_t root[32], const struct ctm_proof_path *p)
{
	ctm_json *j = json_of("{\"op\":\"checkpoint\",\"origin\":\"" ORIGIN "\"}"), *list = ctm_json_arr();
	CTM_AUTO_BUF r = CTM_BUF(64);

	ctm_b64(&r, root, 32);
	for (size_t i = 0; p && i < p->n; i++) {
		CTM_AUTO_BUF h = CTM_BUF(64);
		ctm_b64(&h, p->h[i], 32);
		assert_int_equal(ctm_json_adds(list, ctm_buf_cstr(&h)), 0);
	}
	assert_int_equal(ctm_json_seti(j, "old_size", old_size) || ctm_json_seti(j, "size", size) || ctm_json_sets(j, "root", ctm_buf_cstr(&r)) ||
		ctm_json_set(j, "consistency", list), 0);
	return j;
}

static int node(void *arg, unsigned level, int64_t index, uint8_t out[CTM_SHA256], struct ctm_err *err)
{
	uint8_t l[32], r[32];

	if (level == 0) {
		ctm_merkle_leaf(&index, sizeof index, out);
		return 0;
	}
	assert_int_equal(node(arg, level - 1, index * 2, l, err) || node(arg, level - 1, index * 2 + 1, r, err), 0);
	ctm_merkle_node(l, r, out);
	return 0;
}

static void the_log_head_only_grows_and_never_forks(void **state)
{
	const struct ctm_merkle_src src = { node, NULL };
	uint8_t r3[32], r7[32], bad[32];
	struct ctm_proof_path p, wrong;
	char rule[64];
	struct ctm_checkpoint cp;

	(void)state;
	assert_int_equal(ctm_merkle_root(&src, 3, r3, NULL) || ctm_merkle_root(&src, 7, r7, NULL) || ctm_merkle_prove_consistency(&src, 3, 7, &p, NULL) ||
		ctm_merkle_prove_consistency(&src, 2, 7, &wrong, NULL), 0);
	memcpy(bad, r7, 32);
	bad[0] ^= 1;
	CTM_AUTO_JSON *c3 = checkpoint(0, 3, r3, NULL);
	CTM_AUTO_JSON *f3 = checkpoint(0, 3, bad, NULL);
	CTM_AUTO_JSON *c7 = checkpoint(3, 7, r7, &p);
	CTM_AUTO_JSON *unproved = checkpoint(3, 7, r7, NULL);
	CTM_AUTO_JSON *from0 = checkpoint(0, 7, r7, NULL);
	CTM_AUTO_JSON *from2 = checkpoint(2, 7, r7, &wrong);
	CTM_AUTO_JSON *other_root = checkpoint(3, 7, bad, &p);
	CTM_AUTO_JSON *elsewhere = checkpoint(0, 3, r3, NULL);
	assert_int_equal(ctm_json_sets(elsewhere, "origin", "another.example/log"), 0);
	expect(elsewhere, "checkpoint.origin");
	CTM_AUTO_JSON *shape = checkpoint(0, 3, r3, NULL);
	assert_int_equal(ctm_json_sets(shape, "root", "AAAA"), 0);
	expect(shape, "checkpoint.shape");
	CTM_AUTO_JSON *a = ask(c3, rule);
	const char *note = ctm_json_gets(a, "note");
	assert_int_equal(ctm_checkpoint_verify(note, strlen(note), &st.log, &cp, NULL, NULL), 0);
	assert_int_equal(cp.size, 3);
	expect(f3, "checkpoint.fork");
	reopen();
	expect(f3, "checkpoint.fork");
	expect(unproved, "checkpoint.fork");
	expect(from0, "checkpoint.fork");
	expect(from2, "checkpoint.fork");
	expect(other_root, "checkpoint.fork");
	expect(c7, "");
	expect(c7, "");               /* asked again for the same head: the same answer */
	expect(c3, "checkpoint.rollback");
	reopen();
	expect(c3, "checkpoint.rollback");
	expect(c7, "");
}

static void device_certificates_need_possession_and_the_asked_serial(void **state)
{
	CTM_AUTO_KEY *k = NULL;
	CTM_AUTO_BUF csr = CTM_BUF(8192);
	struct ctm_cert_info info;
	char rule[64];

	(void)state;
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &k, NULL) || ctm_csr_new(k, "LP-0001", "Larkspur Porchworks (fictional)", &csr, NULL), 0);
	CTM_AUTO_JSON *req = json_of("{\"op\":\"device-certificate\",\"serial\":\"LP-0001\",\"org\":\"Larkspur Porchworks (fictional)\",\"days\":30,\"use\":\"device\"}");
	assert_int_equal(ctm_json_sets(req, "csr", ctm_buf_cstr(&csr)), 0);
	CTM_AUTO_JSON *r = ask(req, rule);
	const char *pem = ctm_json_gets(r, "certificate");
	assert_non_null(pem);
	assert_int_equal(ctm_cert_read(pem, strlen(pem), &info, NULL), 0);
	assert_string_equal(info.serial_number, "LP-0001");
	assert_int_equal(ctm_cert_verify(pem, strlen(pem), ctm_json_gets(r, "ca"), ctm_now_ms() + 1000, NULL), 0);
	assert_int_equal(ctm_json_sets(req, "serial", "LP-0002"), 0);
	expect(req, "certificate.csr");
	assert_int_equal(ctm_json_sets(req, "serial", "LP-0001") || ctm_json_sets(req, "use", "emperor"), 0);
	expect(req, "certificate.shape");
	assert_int_equal(ctm_json_sets(req, "use", "device") || ctm_json_seti(req, "days", 0), 0);
	expect(req, "certificate.shape");
	char *mid = csr.p + csr.len / 2;
	*mid = *mid == 'A' ? 'B' : 'A';
	assert_int_equal(ctm_json_seti(req, "days", 30) || ctm_json_sets(req, "csr", ctm_buf_cstr(&csr)), 0);
	expect(req, "certificate.csr");
}

static void a_seal_binds_manifest_job_and_challenge(void **state)
{
	CTM_AUTO_JSON *req = json_of("{\"op\":\"evidence\",\"manifest_digest\":\"" D1 "\",\"job\":\"J-1\",\"challenge\":\"c\"}");
	CTM_AUTO_BUF cose = CTM_BUF(8192);
	char rule[64];
	struct ctm_cose1 m;

	(void)state;
	CTM_AUTO_JSON *r = ask(req, rule);
	const char *b64 = ctm_json_gets(r, "cose");
	assert_non_null(b64);
	assert_int_equal(ctm_unb64(b64, strlen(b64), &cose), 0);
	assert_int_equal(ctm_cose_sign1_peek((const uint8_t *)cose.p, cose.len, &m), 0);
	static const char want[] = "{\"challenge\":\"c\",\"format\":\"ctm.evidence-seal/1\",\"job\":\"J-1\",\"manifest\":\"" D1 "\"}";
	assert_int_equal(m.payloadlen, sizeof want - 1);
	assert_memory_equal(m.payload, want, m.payloadlen);
	assert_int_equal(ctm_json_sets(req, "manifest_digest", "sha256:zz"), 0);
	expect(req, "evidence.shape");
	assert_int_equal(ctm_json_del(req, "job"), 0);
	expect(req, "evidence.shape");
}

static void unknown_requests_and_missing_keys_are_named(void **state)
{
	CTM_AUTO_JSON *nothing = json_of("{}");
	CTM_AUTO_JSON *digest = json_of("{\"op\":\"sign\",\"digest\":\"" D1 "\"}");
	CTM_AUTO_JSON *list = json_of("[]");
	CTM_AUTO_JSON *seal = json_of("{\"op\":\"evidence\",\"manifest_digest\":\"" D1 "\",\"job\":\"J-1\",\"challenge\":\"c\"}");
	char path[512];

	(void)state;
	expect(nothing, "op");
	expect(digest, "op");
	expect(list, "op");
	state_path(&st, "keys/lab.pem", path);
	assert_int_equal(unlink(path), 0);
	reopen();
	expect(seal, "key");
	struct ctm_signer *none = NULL;
	state_path(&st, "keys/cla.pem", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ctm_signer_open(st.dir, &none, NULL), CTM_E_NOTFOUND);
	assert_null(none);
}

static void the_rate_is_limited_as_configured(void **state)
{
	CTM_AUTO_JSON *seal = json_of("{\"op\":\"evidence\",\"manifest_digest\":\"" D1 "\",\"job\":\"J-1\",\"challenge\":\"c\"}");
	CTM_AUTO_JSON *keys = json_of("{\"op\":\"keys\"}");
	char path[512];
	static const char conf[] = "{\"origin\":\"" ORIGIN "\",\"signer_per_minute\":3}";

	(void)state;
	state_path(&st, "ctm.json", path);
	assert_int_equal(ctm_file_write(path, conf, sizeof conf - 1, 0600, NULL), 0);
	reopen();
	for (int i = 0; i < 3; i++)
		expect(seal, "");
	expect(seal, "rate");
	expect(keys, "");
}

static void any_change_of_the_journal_stops_the_start(void **state)
{
	CTM_AUTO_JSON *grant = request(rec, 1, "grant", "authorised", D1);
	CTM_AUTO_JSON *susp = request(rec, 2, "suspension", "suspended", D1);
	CTM_AUTO_BUF b = CTM_BUF(1 << 20);
	char path[512];
	struct ctm_signer *s = NULL;
	struct ctm_err err = { 0 };

	(void)state;
	expect(grant, "");
	expect(susp, "");
	ctm_signer_closep(&signer);
	state_path(&st, "signer.journal", path);
	assert_int_equal(ctm_file_read(path, 1 << 20, &b, NULL), 0);
	size_t first = (size_t)(strchr(b.p, '\n') - b.p) + 1;
	for (size_t i = 0; i + 1 < b.len; i++) {
		char keep = b.p[i];
		b.p[i] = (char)(keep ^ 1);
		assert_int_equal(ctm_file_write(path, b.p, b.len, 0600, NULL), 0);
		assert_int_equal(ctm_signer_open(st.dir, &s, NULL), CTM_E_VERIFY);
		b.p[i] = keep;
	}
	assert_int_equal(ctm_file_write(path, b.p + first, b.len - first, 0600, NULL), 0);       /* a line taken from the front */
	assert_int_equal(ctm_signer_open(st.dir, &s, &err), CTM_E_VERIFY);
	assert_non_null(strstr(err.msg, "Line 1"));
	assert_int_equal(ctm_file_write(path, b.p, b.len - 10, 0600, NULL), 0);                  /* a last line that was never finished */
	reopen();
	expect(susp, "");
	CTM_AUTO_BUF again = CTM_BUF(1 << 20);
	assert_int_equal(ctm_file_read(path, 1 << 20, &again, NULL), 0);
	assert_true(again.len >= b.len - 10 && again.p[again.len - 1] == '\n');
}

static void a_journal_behind_the_published_log_stops_the_start(void **state)
{
	const struct ctm_merkle_src src = { node, NULL };
	uint8_t r3[32];
	char path[512], rule[64];
	struct ctm_signer *s = NULL;
	struct ctm_err err = { 0 };

	(void)state;
	assert_int_equal(ctm_merkle_root(&src, 3, r3, NULL), 0);
	CTM_AUTO_JSON *c3 = checkpoint(0, 3, r3, NULL);
	CTM_AUTO_JSON *a = ask(c3, rule);
	const char *note = ctm_json_gets(a, "note");
	state_path(&st, "public/log", path);
	assert_int_equal(ctm_mkdirs(path, 0755, NULL), 0);
	state_path(&st, "public/log/checkpoint", path);
	assert_int_equal(ctm_file_write(path, note, strlen(note), 0644, NULL), 0);
	reopen();
	ctm_signer_closep(&signer);
	state_path(&st, "signer.journal", path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(ctm_signer_open(st.dir, &s, &err), CTM_E_VERIFY);
	assert_non_null(strstr(err.msg, "lines are missing"));
}

/* --- the process ------------------------------------------------------------------------------------------------------ */

static pid_t start(void)
{
	char sock[512];
	pid_t pid = fork();

	if (pid == 0) {
		execl(CTM_SIGNER, "ctm-signer", "--state", st.dir, (char *)NULL);
		_exit(127);
	}
	state_path(&st, "run/signer.sock", sock);
	for (int i = 0; i < 500; i++) {
		CTM_AUTO_JSON *req = json_of("{\"op\":\"keys\"}");
		CTM_AUTO_JSON *r = NULL;
		if (ctm_signer_call(sock, req, 2000, &r, NULL) == 0)
			return pid;
		usleep(20000);
	}
	fail_msg("the signer did not start");
	return 0;
}

static void the_process_serves_over_its_socket_inside_the_sandbox(void **state)
{
	char sock[512], path[600];
	struct ctm_err err = { 0 };
	struct stat sb;
	int status;
	CTM_AUTO_JSON *grant = request(rec, 1, "grant", "authorised", D1);
	CTM_AUTO_JSON *bad = request(rec, 1, "grant", "suspended", D1);
	CTM_AUTO_JSON *r = NULL;
	CTM_AUTO_KEY *k = NULL;
	CTM_AUTO_BUF csr = CTM_BUF(8192);

	(void)state;
	ctm_signer_closep(&signer);
	pid_t pid = start();
	state_path(&st, "run/signer.sock", sock);
	assert_int_equal(stat(sock, &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	assert_int_equal(ctm_signer_call(sock, grant, 5000, &r, &err), 0);
	assert_non_null(ctm_json_gets(r, "cose"));
	assert_int_equal(ctm_signer_call(sock, bad, 5000, &r, &err), CTM_E_INPUT);
	assert_string_equal(err.rule, "statement.shape");
	assert_int_equal(ctm_key_generate(CTM_ALG_ES256, &k, NULL) || ctm_csr_new(k, "LP-0001", "x", &csr, NULL), 0);
	CTM_AUTO_JSON *cert = json_of("{\"op\":\"device-certificate\",\"serial\":\"LP-0001\",\"org\":\"x\",\"days\":30,\"use\":\"device\"}");
	CTM_AUTO_JSON *r2 = NULL;
	assert_int_equal(ctm_json_sets(cert, "csr", ctm_buf_cstr(&csr)), 0);
	ctm_err_clear(&err);
	if (ctm_signer_call(sock, cert, 5000, &r2, &err))
		fail_msg("%s", err.msg);
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	CTM_AUTO_BUF b = CTM_BUF(1 << 16);
	assert_int_equal(ctm_file_read(path, 1 << 16, &b, NULL), 0);
	assert_non_null(strstr(ctm_buf_cstr(&b), "Seccomp:\t2"));
	pid_t second = fork();                    /* a second signer is told so */
	if (second == 0) {
		freopen("/dev/null", "w", stderr);
		execl(CTM_SIGNER, "ctm-signer", "--state", st.dir, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(second, &status, 0), second);
	assert_int_equal(WEXITSTATUS(status), 3);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_not_equal(stat(sock, &sb), 0);
	pid = start();                            /* and again, from its journal */
	CTM_AUTO_JSON *twin = request(rec, 1, "grant", "authorised", D2);
	ctm_err_clear(&err);
	assert_int_equal(ctm_signer_call(sock, twin, 5000, &r2, &err), CTM_E_GUARD);
	assert_string_equal(err.rule, "statement.content");
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_statement_is_signed_and_verifies_under_the_published_key),
		T(malformed_statements_are_refused_by_member),
		T(iso17065_7_6_a_decision_without_its_conditions_is_not_signed),
		T(a_version_is_signed_once_and_the_order_of_statuses_holds_over_restarts),
		T(the_log_head_only_grows_and_never_forks),
		T(device_certificates_need_possession_and_the_asked_serial),
		T(a_seal_binds_manifest_job_and_challenge),
		T(unknown_requests_and_missing_keys_are_named),
		T(the_rate_is_limited_as_configured),
		T(any_change_of_the_journal_stops_the_start),
		T(a_journal_behind_the_published_log_stops_the_start),
		T(the_process_serves_over_its_socket_inside_the_sandbox),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
