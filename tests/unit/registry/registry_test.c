/* SPDX-License-Identifier: Apache-2.0
 *
 * From a decision to the public: a running platform with the registry's rows, a running signer, a real log. Grant, suspension,
 * reinstatement and withdrawal are seen over HTTP, each with its history and a proof that holds; what is missing, forbidden or unknown
 * is refused; a signer that is away delays and loses nothing.
 */
#include "state.h"
#include "base/proc.h"
#include "event/event.h"
#include "http/serve.h"
#include "net/client.h"
#include "registry/proof.h"
#include "registry/registry.h"
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#define MAKER "00000000-0000-7000-8000-000000000001"
#define LAB "00000000-0000-7000-8000-000000000002"
#define CLA_ORG "00000000-0000-7000-8000-000000000003"
#define STRANGER "00000000-0000-7000-8000-000000000004"
#define PRODUCT "00000000-0000-7000-8000-000000000011"
#define CASE "00000000-0000-7000-8000-000000000021"
#define CERT "00000000-0000-7000-8000-000000000031"

static struct state st;
static struct ctm_app *app;
static struct ctm_http *http;
static pid_t signer;
static char record[CTM_PUBID_MAX];

/* Who asks, by bearer token: the organisation's last digit. */
static int who_is(struct ctm_app *a, struct ctm_db *ro, const struct ctm_req_ident *ident, struct ctm_who *out, struct ctm_err *err)
{
	(void)a, (void)ro, (void)err;
	*out = (struct ctm_who){ .roles = CTM_ROLE_ANON };
	if (!ident->bearer)
		return 0;
	snprintf(out->org_id, sizeof out->org_id, "00000000-0000-7000-8000-00000000000%s", ident->bearer);
	ctm_copy(out->person_id, sizeof out->person_id, "p-9");
	out->roles = *ident->bearer == '2' ? CTM_ROLE_LAB_MANAGER : *ident->bearer == '3' ? CTM_ROLE_CLA_DECIDER : CTM_ROLE_MAKER_OWNER;
	return 0;
}

static void sql(const char *text)
{
	char path[512], *msg = NULL;
	sqlite3 *db;

	state_path(&st, "ctm.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, text, NULL, NULL, &msg) != SQLITE_OK)
		fail_msg("%s in %s", msg, text);
	sqlite3_close(db);
}

static void start_signer(void)
{
	char sock[512];

	signer = fork();
	if (signer == 0) {
		freopen("/dev/null", "w", stderr);
		execl(CTM_SIGNER, "ctm-signer", "--state", st.dir, (char *)NULL);
		_exit(127);
	}
	state_path(&st, "run/signer.sock", sock);
	for (int i = 0; i < 500 && access(sock, F_OK); i++)
		usleep(20000);
}

static void stop_signer(void)
{
	int status;

	kill(signer, SIGTERM);
	assert_int_equal(waitpid(signer, &status, 0), signer);
}

static void rows(void)
{
	sql("INSERT INTO organisation (id,kind,name,slug,contact,created_ms) VALUES ('" MAKER "','maker','Larkspur Porchworks (fictional)','larkspur','security@larkspur.example',1),"
		"('" LAB "','lab','Tidewater Bench (fictional)','tidewater','',1),('" CLA_ORG "','cla','" CLA "','harborlight','registry@harborlight.example',1),"
		"('" STRANGER "','maker','Other (fictional)','other','',1);"
		"INSERT INTO product (id,org_id,name,model,category,intended_use,gtin,fcc_id,registry_json,created_ms) VALUES ('" PRODUCT "','" MAKER "','Porch Camera','PC-1','camera',"
		"'watching a porch','04012345678901','2ABCD-PC1','{\"default_password\":{\"changeable\":true,\"instructions\":\"In the app.\"},\"secure_configuration\":\"Keep it as it comes.\","
		"\"updates\":{\"automatic\":true},\"support\":{\"end_date\":\"2099-12-31\"},\"bom\":{\"hbom\":false,\"sbom\":true},\"setup\":\"Scan.\",\"report_problem\":\"mailto:a@larkspur.example\"}',1);"
		"INSERT INTO case_file (id,number,kind,pack,pack_version,state,product_id,applicant_org_id,cla_org_id,lab_org_id,opened_ms) VALUES ('" CASE "','CASE-2026-000001','application',"
		"'law','1','GRANTED','" PRODUCT "','" MAKER "','" CLA_ORG "','" LAB "',1);"
		"INSERT INTO case_person VALUES ('" CASE "','p-1','evaluator',1),('" CASE "','p-3','decider',2);"
		"INSERT INTO component (id,product_id,kind,name,created_ms) VALUES ('c-1','" PRODUCT "','device','camera',1),('c-2','" PRODUCT "','app','app',1);"
		"INSERT INTO lab_job (id,lab_org_id,product_id,case_id,state,challenge,tester_id,report_number,created_ms,reported_ms) VALUES ('j-1','" LAB "','" PRODUCT "','" CASE "','reported',"
		"'c','p-2','REP-1',1,5);"
		"INSERT INTO outcome_status VALUES ('" PRODUCT "','j-1','c-1','AI.1','met','',1),('" PRODUCT "','j-1','c-2','AI.1','not_applicable','',1),('" PRODUCT "','j-1','c-1','SU.1','met','',1);"
		"INSERT INTO decision (id,case_id,kind,approvals_json,decided_by,digest,at_ms) VALUES ('d-0','" CASE "','grant','[]','p-3','sha256:0000000000000000000000000000000000000000000000000000000000000000',1);"
		"INSERT INTO certificate (id,number,case_id,product_id,baseline_json,status,valid_from,valid_to,decision_id,created_ms) VALUES ('" CERT "','CTM-2026-000001','" CASE "','" PRODUCT "',"
		"'[{\"component\":\"camera\",\"kind\":\"device\",\"version\":\"1.0.0\",\"image_digest\":\"sha256:aa\"}]','in_force','2026-11-22','2099-11-21','d-0',1);"
		"INSERT INTO authorisation (id,certificate_id,product_id,granted_on,issuing_authority,status) VALUES ('a-1','" CERT "','" PRODUCT "','2026-11-22','x','active');");
}

static int setup(void **state)
{
	static const struct ctm_routes *const routes[] = { &ctm_registry_routes };
	static const struct ctm_jobs *const jobs[] = { &ctm_registry_jobs };
	static const struct ctm_listeners *const listeners[] = { &ctm_registry_listeners };
	struct ctm_err err = { 0 };
	char path[512], base[64];

	(void)state;
	state_make(&st, NULL);
	state_path(&st, "run", path);
	assert_int_equal(ctm_mkdirs(path, 0700, NULL), 0);
	struct ctm_app_conf c = { .state_dir = st.dir, .listen = "127.0.0.1:0", .port = 0, .routes = routes, .nroutes = 1, .jobs = jobs, .njobs = 1,
		.listeners = listeners, .nlisteners = 1, .authorise = who_is, .view = ctm_tpl_find, .render = ctm_tpl_render, .msg = ctm_tpl_message, .quiet = true };
	if (ctm_app_new(&c, &app, &err) || ctm_app_start(app, &err))
		fail_msg("%s: %s", err.field, err.msg);
	rows();
	start_signer();
	snprintf(base, sizeof base, "http://127.0.0.1:%d", ctm_app_port(app));
	struct ctm_http_conf h = { .base = base, .timeout_ms = 10000, .answer_max = 1 << 22 };
	return ctm_http_new(&h, &http, &err);
}

static int teardown(void **state)
{
	(void)state;
	ctm_http_free(http);
	ctm_app_stop(app);
	ctm_app_free(app);
	if (signer)
		stop_signer();
	state_drop(&st);
	return 0;
}

static int get(const char *bearer, struct ctm_answer *a, const char *fmt, ...)
{
	char path[512];
	va_list ap;
	struct ctm_err err = { 0 };

	va_start(ap, fmt);
	vsnprintf(path, sizeof path, fmt, ap);
	va_end(ap);
	*a = (struct ctm_answer){ .body = CTM_BUF(1 << 22) };
	ctm_http_bearer(http, bearer);
	if (ctm_http_do(http, "GET", path, NULL, NULL, 0, a, &err))
		fail_msg("%s: %s", path, err.msg);
	return a->status;
}

static ctm_json *view(void)
{
	struct ctm_answer a;
	ctm_json *j = NULL;

	if (get(NULL, &a, "/p/%s.json", record) == 200)
		j = json_of(ctm_buf_cstr(&a.body));
	ctm_answer_free(&a);
	return j;
}

struct told { const char *kind, *id; };

static int emit(struct ctm_cx *cx, void *arg)
{
	const struct told *t = arg;
	CTM_AUTO_JSON *data = ctm_json_obj();

	if (ctm_json_sets(data, "decision_id", t->id) || ctm_json_sets(data, "case_id", CASE) || ctm_json_sets(data, "kind", t->kind) ||
	    ctm_json_sets(data, "certificate_id", CERT))
		return CTM_E_NOMEM;
	return ctm_event_emit(cx->db, cx->now_ms, "decision.made", "case", CASE, data, cx->err);
}

static void decide(const char *id, const char *kind, const char *by)
{
	char text[1024];
	struct told t = { kind, id };
	struct ctm_err err = { 0 };

	snprintf(text, sizeof text, "INSERT INTO decision (id,case_id,kind,reasons_json,approvals_json,decided_by,digest,at_ms) VALUES ('%s','" CASE "','%s',"
		"'[{\"requirement\":\"IAC.1b\",\"text\":\"A port answered.\"}]','[{\"person_id\":\"%s\",\"part\":\"decider\",\"at_ms\":1}]','%s',"
		"'sha256:%064d',1795358763120)", id, kind, by, by, atoi(id + 2));
	sql(text);
	if (ctm_write(app, emit, &t, &err))
		fail_msg("%s", err.msg);
}

/* Wait until the record says so; how long it took in ms. */
static int64_t until(const char *status, int64_t version, int limit_ms)
{
	int64_t from = ctm_mono_us();

	for (;;) {
		CTM_AUTO_JSON *v = view();
		if (v && ctm_streq(ctm_json_gets(v, "status"), status)) {
			const ctm_json *newest = ctm_json_at(ctm_json_get(v, "history"), 0);
			if (!version || (ctm_json_geti(newest, "version", 0) == version && ctm_streq(ctm_json_gets(newest, "step"), "published")))
				return (ctm_mono_us() - from) / 1000;
		}
		if (ctm_mono_us() - from > limit_ms * INT64_C(1000))
			fail_msg("still not %s after %d ms", status, limit_ms);
		usleep(20000);
	}
}

static void find_record(void)
{
	char path[512];
	sqlite3 *db;
	sqlite3_stmt *s;

	state_path(&st, "ctm.db", path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (int i = 0; i < 500 && !*record; i++) {
		assert_int_equal(sqlite3_prepare_v2(db, "SELECT id FROM record", -1, &s, NULL), SQLITE_OK);
		if (sqlite3_step(s) == SQLITE_ROW)
			ctm_copy(record, sizeof record, (const char *)sqlite3_column_text(s, 0));
		sqlite3_finalize(s);
		usleep(20000);
	}
	sqlite3_close(db);
	assert_true(ctm_pubid_ok(record));
}

static void check_proof(int64_t version, const char *status)
{
	struct ctm_trust t;
	struct ctm_proof_report r = { 0 };
	struct ctm_answer a;
	struct ctm_err err = { 0 };
	char path[512];

	state_path(&st, "trust.json", path);
	assert_int_equal(ctm_trust_load(path, &t, NULL), 0);
	assert_int_equal(get(NULL, &a, "/p/%s.proof?version=%d", record, (int)version), 200);
	if (ctm_proof_check(ctm_buf_cstr(&a.body), a.body.len, &t, &r, &err))
		fail_msg("%s: %s", err.field, err.msg);
	assert_int_equal(r.st.version, version);
	assert_string_equal(r.st.status, status);
	ctm_proof_report_free(&r);
	ctm_answer_free(&a);
}

static void refused(int status, const char *bearer, const char *path, const char *says)
{
	struct ctm_answer a;

	if (get(bearer, &a, "%s", path) != status)
		fail_msg("%s: %d, wanted %d: %s", path, a.status, status, ctm_buf_cstr(&a.body));
	if (says && !strstr(ctm_buf_cstr(&a.body), says))
		fail_msg("%s does not say \"%s\": %s", path, says, ctm_buf_cstr(&a.body));
	ctm_answer_free(&a);
}

/* --- the tests build on one another: one life of one record ------------------------------------------------------------ */

static void a_grant_is_signed_logged_proved_and_published(void **state)
{
	static const char *const keys[] = { "product_name", "manufacturer_name", "authorization", "cla", "lab", "default_password", "secure_configuration", "updates",
		"support", "bom", "additional" };

	(void)state;
	decide("d-1", "grant", "p-3");
	find_record();
	print_message("published after %d ms\n", (int)until("authorised", 1, 10000));
	CTM_AUTO_JSON *v = view();
	const ctm_json *f = ctm_json_get(v, "fields");
	for (size_t i = 0; i < 11; i++)           /* 47 CFR 8.222(b) */
		assert_non_null(ctm_json_get(f, keys[i]));
	assert_string_equal(ctm_json_gets(ctm_json_get(f, "lab"), "name"), "Tidewater Bench (fictional)");
	assert_string_equal(ctm_json_gets(ctm_json_get(f, "authorization"), "date"), "2026-11-22");
	assert_int_equal(ctm_json_len(ctm_json_get(v, "outcomes")), 2);
	assert_int_equal(ctm_json_geti(ctm_json_get(v, "outcome_counts"), "met", -1), 2);
	assert_string_equal(ctm_json_gets(ctm_json_at(ctm_json_get(v, "versions"), 0), "version"), "1.0.0");
	assert_true(ctm_json_getb(v, "local", false));
	assert_int_equal(ctm_json_geti(ctm_json_get(v, "log"), "size", -1), 1);
	assert_null(ctm_json_gets(ctm_json_get(v, "label"), "svg"));           /* artwork is for the parties */
	check_proof(1, "authorised");
	struct ctm_answer a;
	assert_int_equal(get(NULL, &a, "/p/%s", record), 200);
	assert_non_null(strstr(ctm_buf_cstr(&a.body), "Porch Camera"));
	ctm_answer_free(&a);
}

static void the_static_files_say_the_same(void **state)
{
	static const char *const ext[] = { "json", "proof", "html" };
	char rel[64], path[512];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		CTM_AUTO_BUF b = CTM_BUF(1 << 20);
		snprintf(rel, sizeof rel, "public/p/%s.%s", record, ext[i]);
		state_path(&st, rel, path);
		for (int k = 0; k < 200 && access(path, F_OK); k++)
			usleep(20000);
		assert_int_equal(ctm_file_read(path, 1 << 20, &b, NULL), 0);
		if (i != 1)
			assert_non_null(strstr(ctm_buf_cstr(&b), "Porch Camera"));
	}
}

static void search_finds_by_number_and_name_and_goes_straight_there(void **state)
{
	static const char *const good[] = { "2abcd-pc1", "04012345678901", "porch", "PC-1", "larkspur", "CTM-2026-000001" }, *const bad[] = { "%25", "_", "nothing", "0401234567890" };
	struct ctm_answer a;
	char to[64];

	(void)state;
	snprintf(to, sizeof to, "/p/%s", record);
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_int_equal(get(NULL, &a, "/registry?q=%s", good[i]), 303);
		assert_non_null(strstr(a.location, to));
		ctm_answer_free(&a);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(get(NULL, &a, "/api/v1/records?q=%s", bad[i]), 200);
		CTM_AUTO_JSON *j = json_of(ctm_buf_cstr(&a.body));
		assert_int_equal(ctm_json_geti(j, "count", -1), 0);
		ctm_answer_free(&a);
	}
}

static void unknown_records_and_foreign_papers_do_not_exist(void **state)
{
	char id[CTM_PUBID_MAX], path[128];

	(void)state;
	ctm_pubid(id);
	snprintf(path, sizeof path, "/p/%s.json", id);
	refused(404, NULL, path, "Not authorized");
	refused(400, NULL, "/log/tile/0/../../ctm.json", NULL);
	refused(404, NULL, "/log/pending", NULL);
	refused(404, NULL, "/log/tile/0/000.p/2", NULL);
	snprintf(path, sizeof path, "/api/v1/records/%s/label.svg", record);
	refused(404, "4", path, NULL);
	refused(401, NULL, path, NULL);
	refused(404, "4", "/api/v1/cases/" CASE "/certificate.json", "no certificate");
	refused(404, "1", "/api/v1/cases/" PRODUCT "/certificate.json", "no certificate");
}

static void the_parties_get_label_and_certificate(void **state)
{
	struct ctm_answer a;
	struct ctm_trust t;
	struct ctm_proof_report r = { 0 };
	char path[512];

	(void)state;
	assert_int_equal(get("1", &a, "/p/%s.json", record), 200);
	CTM_AUTO_JSON *j = json_of(ctm_buf_cstr(&a.body));
	assert_non_null(ctm_json_gets(ctm_json_get(j, "label"), "svg"));
	ctm_answer_free(&a);
	assert_int_equal(get("2", &a, "/api/v1/cases/" CASE "/certificate.json"), 200);
	state_path(&st, "trust.json", path);
	assert_int_equal(ctm_trust_load(path, &t, NULL), 0);
	assert_int_equal(ctm_certificate_check(ctm_buf_cstr(&a.body), a.body.len, &t, &r, NULL), 0);
	ctm_proof_report_free(&r);
	ctm_answer_free(&a);
	assert_int_equal(get(NULL, &a, "/log/checkpoint"), 200);
	ctm_answer_free(&a);
	assert_int_equal(get(NULL, &a, "/log/tile/0/000.p/1"), 200);
	assert_int_equal(a.body.len, 32);
	ctm_answer_free(&a);
}

static void a_suspension_shows_within_a_second_even_while_the_signer_is_away(void **state)
{
	(void)state;
	stop_signer();
	decide("d-2", "suspension", "p-3");
	assert_true(until("suspended", 0, 1000) <= 1000);
	/* However many days that lasts: what was decided is never given up. */
	for (size_t i = 0; i < ctm_registry_jobs.n; i++)
		assert_int_equal(ctm_registry_jobs.rows[i].max_attempts, CTM_NEVER_GIVE_UP);
	start_signer();
	print_message("suspension proved after %d ms\n", (int)until("suspended", 2, 15000));
	check_proof(2, "suspended");
	check_proof(1, "authorised");
	char path[128];
	snprintf(path, sizeof path, "/api/v1/records/%s/label.svg", record);
	refused(409, "1", path, "live authorization");
}

static void who_evaluated_cannot_bring_it_back(void **state)
{
	(void)state;
	decide("d-3", "reinstatement", "p-2");           /* the tester of the job */
	usleep(700000);
	CTM_AUTO_JSON *v = view();
	assert_string_equal(ctm_json_gets(v, "status"), "suspended");
	const ctm_json *h = ctm_json_at(ctm_json_get(v, "history"), 0);
	assert_string_equal(ctm_json_gets(h, "step"), "intent");
	assert_null(ctm_json_gets(h, "proof"));
	sql("DELETE FROM statement WHERE decision_id = 'd-3'; DELETE FROM job WHERE state IN ('waiting', 'leased')");
}

static void reinstated_then_withdrawn_for_good_with_its_history(void **state)
{
	(void)state;
	decide("d-4", "reinstatement", "p-3");
	until("authorised", 3, 10000);
	decide("d-5", "withdrawal", "p-3");
	assert_true(until("withdrawn", 0, 1000) <= 1000);
	until("withdrawn", 4, 10000);
	check_proof(4, "withdrawn");
	CTM_AUTO_JSON *v = view();
	const ctm_json *h = ctm_json_get(v, "history");
	static const char *const kinds[] = { "withdrawal", "reinstatement", "suspension", "grant" };
	assert_int_equal(ctm_json_len(h), 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(ctm_json_gets(ctm_json_at(h, i), "kind"), kinds[i]);
		assert_int_equal(ctm_json_geti(ctm_json_at(h, i), "log_index", -1), 3 - (int)i);
	}
	assert_string_equal(ctm_json_gets(ctm_json_at(h, 0), "reason"), "A port answered.");
	assert_null(ctm_json_gets(v, "label"));
	struct told t = { "withdrawal", "d-5" };          /* the event once more: nothing happens twice */
	assert_int_equal(ctm_write(app, emit, &t, NULL), 0);
	usleep(300000);
	CTM_AUTO_JSON *again = view();
	assert_int_equal(ctm_json_len(ctm_json_get(again, "history")), 4);
}

static void the_whole_log_re_verifies(void **state)
{
	char path[512];
	CTM_AUTO_LOG *l = NULL;
	struct ctm_log_report r;

	(void)state;
	state_path(&st, "public/log", path);
	assert_int_equal(ctm_log_open(path, &st.log, &l, NULL), 0);
	assert_int_equal(ctm_log_check(l, NULL, NULL, &r, NULL), 0);
	assert_int_equal(r.entries, 4);
}

static int run_log(const char *verb, const char *option, const char *value, struct ctm_buf *out)
{
	CTM_AUTO_BUF said = CTM_BUF(65536);
	const char *argv[] = { CTM_LOG, verb, option, value, NULL };
	struct ctm_proc p = { .argv = argv, .timeout_ms = 20000 };
	int status = -1;

	assert_int_equal(ctm_proc_run(&p, out, &said, &status, NULL), 0);
	return status;
}

static void the_log_program_checks_lists_and_notices(void **state)
{
	CTM_AUTO_BUF out = CTM_BUF(65536), b = CTM_BUF(1 << 20);
	char path[512];

	(void)state;
	assert_int_equal(run_log("check", "--state", st.dir, &out), 0);
	assert_non_null(strstr(ctm_buf_cstr(&out), "good. 4 entries about 1 records"));
	assert_int_equal(run_log("show", "--state", st.dir, &out), 0);
	assert_non_null(strstr(ctm_buf_cstr(&out), "withdrawal"));
	state_path(&st, "public/log", path);
	assert_int_equal(run_log("check", "--dir", path, &out), 2);            /* whose keys? */
	state_path(&st, "public/log/tile/entries/000.p/4", path);
	assert_int_equal(ctm_file_read(path, 1 << 20, &b, NULL), 0);
	b.p[b.len / 2] ^= 1;
	assert_int_equal(ctm_file_write(path, b.p, b.len, 0644, NULL), 0);
	assert_int_equal(run_log("check", "--state", st.dir, &out), 1);
	b.p[b.len / 2] ^= 1;
	assert_int_equal(ctm_file_write(path, b.p, b.len, 0644, NULL), 0);
}

/* 47 CFR 8.222(b): each of the fields, taken away, stops the signature with its clause. */
static void a_record_without_one_of_the_eleven_fields_is_not_signed(void **state)
{
	static const struct { const char *a, *b; } gone[] = { { "product_name", NULL }, { "manufacturer_name", NULL }, { "authorization", "date" }, { "authorization", "status" },
		{ "cla", "name" }, { "cla", "contact" }, { "lab", "name" }, { "default_password", NULL }, { "default_password", "changeable" }, { "default_password", "instructions" },
		{ "secure_configuration", NULL }, { "updates", "automatic" }, { "support", NULL }, { "support", "end_date" }, { "bom", "hbom" }, { "bom", "sbom" }, { "additional", NULL } };
	struct ctm_err err = { 0 };

	(void)state;
	CTM_AUTO_JSON *whole = view();
	assert_int_equal(ctm_record_lint(whole, &err), 0);
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		CTM_AUTO_JSON *c = ctm_json_copy(whole);
		ctm_json *f = (ctm_json *)ctm_json_get(c, "fields");
		assert_int_equal(ctm_json_del(gone[i].b ? (ctm_json *)ctm_json_get(f, gone[i].a) : f, gone[i].b ? gone[i].b : gone[i].a), 0);
		ctm_err_clear(&err);
		assert_int_equal(ctm_record_lint(c, &err), CTM_E_INPUT);
		assert_non_null(strstr(err.field, gone[i].a));
		assert_true(ctm_starts(err.rule, "47 CFR 8.222(b)("));
	}
	CTM_AUTO_JSON *manual = ctm_json_copy(whole);
	assert_int_equal(ctm_json_setb((ctm_json *)ctm_json_get(ctm_json_get(manual, "fields"), "updates"), "automatic", false), 0);
	assert_int_equal(ctm_record_lint(manual, NULL), CTM_E_INPUT);
}

static void dates_that_pass_change_what_the_public_is_told(void **state)
{
	CTM_AUTO_JSON *c = json_of("{\"certificate\":{\"valid_to\":\"2030-01-31\"},\"fields\":{\"support\":{\"end_date\":\"2029-06-30\"}}}");

	(void)state;
	assert_string_equal(ctm_record_status("authorised", c, "2029-06-30"), "authorised");
	assert_string_equal(ctm_record_status("authorised", c, "2029-07-01"), "unsupported");
	assert_string_equal(ctm_record_status("authorised", c, "2030-02-01"), "expired");
	assert_string_equal(ctm_record_status("withdrawn", c, "2030-02-01"), "withdrawn");
	static const char *const local[] = { "http://localhost:8080", "http://127.0.0.1", "https://[::1]/", "http://box", "https://x.local/", "https://a.example", "http://10.1.2.3:80", "nonsense", "", "https://",
		"http://localhost.:8080", "https://LOCALHOST", "https://x.LOCAL./", "https://a.b.Home.Arpa", "https://127.1", "https://0x7f.1", "https://0x7f000001", "https://2130706433", "https://mark.gov.0x1",
		"https://[::ffff:127.0.0.1]:8080", "https://mark.gov@localhost:8080/p/X", "https://mark.gov:80@10.0.0.1", "https://mark.gov%2f@x", "https://mark%2elocal", "https://mark.gov\\@127.0.0.1",
		"https://mark.gov..", "https://.mark.gov", "https://mark..gov", "https://m\xc3\xa4rk.gov", "https://\xef\xbd\x8clocalhost.gov", "ftp://mark.gov", "HTTPS://mark.gov", "x://mark.gov", "https://?x=https://mark.gov",
		"https:// mark.gov", "https://mark.onion", "https://box.lan", "https://www.example.com", "https://mark.test:443" };
	static const char *const global[] = { "https://mark.gov", "https://registry.mark.gov/p/X", "https://10.mark.org", "https://MARK.gov.", "https://mark.gov:8443/p/X@y", "https://notlocal.gov", "https://thelan.org", "https://myexample.com" };
	for (size_t i = 0; i < sizeof local / sizeof *local; i++)
		assert_true(ctm_url_local(local[i]));
	for (size_t i = 0; i < sizeof global / sizeof *global; i++)
		assert_false(ctm_url_local(global[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_grant_is_signed_logged_proved_and_published),
		cmocka_unit_test(the_static_files_say_the_same),
		cmocka_unit_test(search_finds_by_number_and_name_and_goes_straight_there),
		cmocka_unit_test(unknown_records_and_foreign_papers_do_not_exist),
		cmocka_unit_test(the_parties_get_label_and_certificate),
		cmocka_unit_test(a_suspension_shows_within_a_second_even_while_the_signer_is_away),
		cmocka_unit_test(who_evaluated_cannot_bring_it_back),
		cmocka_unit_test(reinstated_then_withdrawn_for_good_with_its_history),
		cmocka_unit_test(the_whole_log_re_verifies),
		cmocka_unit_test(the_log_program_checks_lists_and_notices),
		cmocka_unit_test(a_record_without_one_of_the_eleven_fields_is_not_signed),
		cmocka_unit_test(dates_that_pass_change_what_the_public_is_told),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
