/* SPDX-License-Identifier: Apache-2.0 */
#include "kit.h"
#include "base/text.h"
#include "base/timex.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define P(n) "00000000-0000-7000-8000-0000000001" n
const struct one OWNER = { P("01"), "Olive Orchard", MAKER, CTM_ROLE_MAKER_OWNER | CTM_ROLE_MAKER_SIGNER };
const struct one TESTER = { P("02"), "Tess Tanner", LAB, CTM_ROLE_LAB_TESTER };
const struct one LABHEAD = { P("03"), "Lou Lindgren", LAB, CTM_ROLE_LAB_MANAGER };
const struct one INTAKE = { P("04"), "Ines Ivory", CLA, CTM_ROLE_CLA_INTAKE };
const struct one REVIEWER = { P("05"), "Rhea Rowan", CLA, CTM_ROLE_CLA_REVIEWER };
const struct one DECIDER = { P("06"), "Dara Dunn", CLA, CTM_ROLE_CLA_DECIDER };
const struct one SURVEILLANCE = { P("07"), "Sol Summers", CLA, CTM_ROLE_CLA_SURVEILLANCE };
const struct one STRANGER = { P("08"), "Stray Stone", OTHER_CLA, CTM_ANY_CLA };

const char *const KIT_DECLARATIONS = "{\"agreed\":[\"c1\",\"c2\",\"c3\",\"c4\",\"c5\",\"c6\",\"c7\",\"c8\"],\"perjury\":true,\"truth\":true,\"not_prohibited\":true,"
	"\"support_end\":\"2031-12-31\",\"signer\":{\"name\":\"Olive Orchard\",\"title\":\"Owner\",\"signed_on\":\"2026-11-20\",\"signature\":\"/s/ Olive Orchard\"},"
	"\"agent\":{\"name\":\"Olive Orchard\",\"address\":\"1 Fictional Way, Exampleton\",\"email\":\"legal@larkspur.example\",\"consent\":true,\"signed_on\":\"2026-11-20\","
	"\"signature\":\"/s/ Olive Orchard\"},\"prior_denial\":{\"denied\":false},\"affiliates\":[],\"producers\":[{\"component\":\"camera\",\"name\":\"Example Optics (fictional)\"}]}";

#define V(id, ok) "{\"id\":\"" id "\",\"ok\":" ok ",\"note\":\"looked at\"}"
#define ALL(a, b) "\"verifications\":[" V("conformance", a) "," V("testing", "true") "," V("recommendation", b) "," V("nonconformities", "true") "," V("waivers", "true") "," V("reuse", "true") "]"
const char *const KIT_GRANT_REVIEW = "{\"recommendation\":\"grant\"," ALL("true", "true") "}";
const char *const KIT_DENIAL_REVIEW = "{\"recommendation\":\"denial\"," ALL("false", "false") "}";

static sqlite3 *raw(struct kit *k)
{
	sqlite3 *d = NULL;
	assert_int_equal(sqlite3_open(k->path, &d), SQLITE_OK);
	sqlite3_busy_timeout(d, 2000);
	return d;
}

static char *text_v(const char *fmt, va_list ap)
{
	CTM_AUTO_BUF b = CTM_BUF(1 << 16);
	ctm_buf_vprintf(&b, fmt, ap);
	return ctm_buf_steal(&b, NULL);
}

void kit_sql(struct kit *k, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *sql = text_v(fmt, ap), *why = NULL;
	va_end(ap);
	sqlite3 *d = raw(k);
	if (sqlite3_exec(d, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", sql, why);
	sqlite3_close(d);
	free(sql);
}

static const char *first(struct kit *k, const char *sql)
{
	sqlite3 *d = raw(k);
	sqlite3_stmt *s = NULL;
	const char *out = NULL;
	if (sqlite3_prepare_v2(d, sql, -1, &s, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(d));
	if (sqlite3_step(s) == SQLITE_ROW)
		out = ctm_arena_dup(k->arena, (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	sqlite3_close(d);
	return out;
}

int64_t kit_int(struct kit *k, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *sql = text_v(fmt, ap);
	va_end(ap);
	const char *s = first(k, sql);
	free(sql);
	int64_t n = -1;
	return s && !ctm_parse_i64(s, INT64_MIN, INT64_MAX, &n) ? n : -1;
}

const char *kit_text(struct kit *k, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *sql = text_v(fmt, ap);
	va_end(ap);
	const char *s = first(k, sql);
	free(sql);
	return s ? s : "";
}

static void seed(struct kit *k)
{
	static const struct one *const people[] = { &OWNER, &TESTER, &LABHEAD, &INTAKE, &REVIEWER, &DECIDER, &SURVEILLANCE, &STRANGER };
	static const struct { const char *id, *kind, *name, *slug, *facts; } orgs[] = {
		{ MAKER, "maker", "Larkspur Porchworks (fictional)", "larkspur", "{\"affiliates\":[]}" },
		{ LAB, "lab", "Tidewater Bench (fictional)", "tidewater", "{\"accreditation\":{\"standard\":\"ISO/IEC 17025:2017\",\"scope\":[\"NIST IR 8425\"],"
			"\"expires\":\"2028-06-30\"},\"recognition\":{\"from\":\"2026-01-15\",\"until\":\"2028-01-14\"}}" },
		{ CLA, "cla", "Harborlight Certification (fictional)", "harborlight", "{}" }, { OTHER_CLA, "cla", "Otherlight (fictional)", "otherlight", "{}" } };
	static const struct { const char *id, *kind, *name; } components[] = { { "00000000-0000-7000-8000-000000000031", "device", "camera" },
		{ "00000000-0000-7000-8000-000000000032", "app", "app" }, { "00000000-0000-7000-8000-000000000033", "product", "product" } };
	for (size_t i = 0; i < 4; i++)
		kit_sql(k, "INSERT INTO organisation (id, kind, name, slug, facts_json, created_ms) VALUES ('%s','%s','%s','%s','%s',1)", orgs[i].id, orgs[i].kind, orgs[i].name,
			orgs[i].slug, orgs[i].facts);
	for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
		kit_sql(k, "INSERT INTO person (id, name, email, created_ms) VALUES ('%s','%s','%zu@example.org',1)", people[i]->person, people[i]->name, i);
		kit_sql(k, "INSERT INTO membership (person_id, org_id, role, created_ms) VALUES ('%s','%s','x',1)", people[i]->person, people[i]->org);
	}
	kit_sql(k, "INSERT INTO product (id, org_id, name, model, category, intended_use, registry_json, created_ms) VALUES ('%s','%s','Porch Camera','PC-1','camera','home',"
		"'{\"setup\":\"x\"}',1)", PRODUCT, MAKER);
	for (size_t i = 0; i < 3; i++)
		kit_sql(k, "INSERT INTO component (id, product_id, kind, name, created_ms) VALUES ('%s','%s','%s','%s',1)", components[i].id, PRODUCT, components[i].kind, components[i].name);
	kit_sql(k, "INSERT INTO release (id, component_id, version, image_digest, support_end, state, published_ms, created_ms) VALUES ('r1','%s','1.0.0','sha256:00','2031-12-31',"
		"'published',1,1)", components[0].id);
}

int kit_setup(void **state)
{
	struct kit *k = calloc(1, sizeof *k);
	char url[80];
	int from, to;
	snprintf(k->path, sizeof k->path, "/tmp/ctm-scheme-XXXXXX");
	int fd = mkstemp(k->path);
	if (fd < 0)
		return -1;
	close(fd);
	snprintf(url, sizeof url, "sqlite:%s", k->path);
	k->arena = ctm_arena_new(64 << 20);
	int rc = ctm_catalogue_load(CATALOGUE, &k->cat, &k->err);
	if (!rc)
		rc = ctm_db_open(url, CTM_DB_RW, &k->db, &k->err);
	if (!rc)
		rc = ctm_db_migrate(k->db, &from, &to, &k->err);
	if (!rc)
		rc = ctm_time_parse("2026-11-23T15:00:00Z", &k->now_ms);
	if (rc) {
		fprintf(stderr, "kit: %s %s\n", k->err.field, k->err.msg);
		return -1;
	}
	k->app.conf.catalogue = k->cat;
	*state = k;
	seed(k);
	return 0;
}

int kit_teardown(void **state)
{
	struct kit *k = *state;
	char side[80];
	ctm_json_free(k->out);
	ctm_db_close(k->db);
	ctm_catalogue_free(k->cat);
	ctm_arena_free(k->arena);
	unlink(k->path);
	snprintf(side, sizeof side, "%s-wal", k->path);
	unlink(side);
	snprintf(side, sizeof side, "%s-shm", k->path);
	unlink(side);
	free(k);
	return 0;
}

void kit_cx(struct kit *k, const struct one *who, struct ctm_cx *cx, struct ctm_who *w)
{
	*w = (struct ctm_who){ .roles = who->roles };
	ctm_copy(w->person_id, sizeof w->person_id, who->person);
	ctm_copy(w->person_name, sizeof w->person_name, who->name);
	ctm_copy(w->org_id, sizeof w->org_id, who->org);
	ctm_err_clear(&k->err);
	*cx = (struct ctm_cx){ .app = &k->app, .db = k->db, .arena = k->arena, .err = &k->err, .who = w, .now_ms = k->now_ms, .locale = "en" };
	ctm_json_free(k->out);
	k->out = ctm_json_obj();
}

static int in_tx(struct kit *k, int rc)
{
	if (rc) {
		ctm_tx_rollback(k->db);
		return rc;
	}
	assert_int_equal(ctm_tx_commit(k->db, NULL), 0);
	return 0;
}

int kit_fire(struct kit *k, const struct one *who, const char *event, const char *data, const char *note)
{
	struct ctm_cx cx;
	struct ctm_who w;
	CTM_AUTO_JSON *given = NULL;
	kit_cx(k, who, &cx, &w);
	if (data)
		assert_int_equal(ctm_json_parse(data, strlen(data), 1 << 16, "data", &given, &k->err), 0);
	assert_int_equal(ctm_tx_begin(k->db, &k->err), 0);
	return in_tx(k, ctm_case_fire(&cx, k->kase, event, given, note, k->out));
}

void kit_must(struct kit *k, const struct one *who, const char *event, const char *data, const char *note)
{
	int rc = kit_fire(k, who, event, data, note);
	if (rc)
		fail_msg("%s by %s: %s %s [%s] %s", event, who->name, ctm_err_name(rc), k->err.field, k->err.rule, k->err.msg);
}

const char *kit_state(struct kit *k) { return kit_text(k, "SELECT state FROM case_file WHERE id = '%s'", k->kase); }

void kit_refused(struct kit *k, const struct one *who, const char *event, const char *data, const char *note, int code, const char *rule)
{
	int64_t version = kit_int(k, "SELECT row_version FROM case_file WHERE id = '%s'", k->kase), events = kit_int(k, "SELECT count(*) FROM case_event");
	int rc = kit_fire(k, who, event, data, note);
	if (rc != code || (rule && strcmp(rule, k->err.rule) != 0))
		fail_msg("%s by %s: %s [%s] %s", event, who->name, ctm_err_name(rc), k->err.rule, k->err.msg);
	assert_int_equal(kit_int(k, "SELECT row_version FROM case_file WHERE id = '%s'", k->kase), version);
	assert_int_equal(kit_int(k, "SELECT count(*) FROM case_event"), events);
}

int kit_use(struct kit *k, const struct one *who, int (*use_case)(struct ctm_cx *, ctm_json *), const char *body, ...)
{
	struct ctm_cx cx;
	struct ctm_who w;
	const struct ctm_route *row = NULL;
	const char *values[40] = { 0 };
	CTM_AUTO_JSON *doc = NULL;
	kit_cx(k, who, &cx, &w);
	for (size_t i = 0; !row && i < ctm_scheme_routes.n; i++)
		if (ctm_scheme_routes.rows[i].use_case == use_case)
			row = &ctm_scheme_routes.rows[i];
	assert_non_null(row);
	va_list ap;
	va_start(ap, body);
	for (const char *name; (name = va_arg(ap, const char *));) {
		size_t f = 0;
		while (row->in[f].name && strcmp(row->in[f].name, name) != 0)
			f++;
		assert_non_null(row->in[f].name);
		values[f] = va_arg(ap, const char *);
	}
	va_end(ap);
	cx.route = row;
	cx.in = values;
	if (body)
		assert_int_equal(ctm_json_parse(body, strlen(body), 1 << 16, "body", &doc, &k->err), 0);
	cx.body = doc;
	assert_int_equal(ctm_tx_begin(k->db, &k->err), 0);
	return in_tx(k, use_case(&cx, k->out));
}

void kit_draft(struct kit *k)
{
	int rc = kit_use(k, &OWNER, ctm_application_open, NULL, "product_id", PRODUCT, "cla_org_id", CLA, "lab_org_id", LAB, NULL);
	if (rc)
		fail_msg("open: %s", k->err.msg);
	ctm_copy(k->kase, sizeof k->kase, ctm_json_gets(k->out, "id"));
}

void kit_declare(struct kit *k, const char *body)
{
	int rc = kit_use(k, &OWNER, ctm_declarations_put, body, "id", k->kase, NULL);
	if (rc)
		fail_msg("declare: %s %s", k->err.field, k->err.msg);
}

void kit_filed(struct kit *k)
{
	kit_draft(k);
	kit_declare(k, KIT_DECLARATIONS);
	kit_must(k, &OWNER, "file", NULL, "");
}

void kit_evaluating(struct kit *k)
{
	kit_filed(k);
	kit_must(k, &INTAKE, "accept", NULL, "");
	kit_must(k, &LABHEAD, "start_evaluation", NULL, "");
}

void kit_job(struct kit *k, const char *not_met)
{
	static const struct { const char *id, *kind; } components[] = { { "00000000-0000-7000-8000-000000000031", "device" },
		{ "00000000-0000-7000-8000-000000000032", "app" }, { "00000000-0000-7000-8000-000000000033", "product" } };
	kit_sql(k, "INSERT INTO lab_job (id, lab_org_id, product_id, case_id, state, challenge, tester_id, approver_id, bundle_digest, report_number, created_ms, sealed_ms, reported_ms) "
		"VALUES ('%s','%s','%s','%s','reported','x','%s','%s','sha256:aa','R-1',1,%lld,%lld)", JOB, LAB, PRODUCT, k->kase, TESTER.person, LABHEAD.person, (long long)k->now_ms,
		(long long)k->now_ms);
	for (size_t i = 0; i < ctm_outcome_count(k->cat); i++)
		for (size_t c = 0; c < 3; c++) {
			const struct ctm_outcome *o = ctm_outcome_at(k->cat, i);
			if (ctm_outcome_judged(o, components[c].kind))
				kit_sql(k, "INSERT INTO outcome_status (product_id, job_id, component_id, outcome, status, at_ms) VALUES ('%s','%s','%s','%s','%s',1)", PRODUCT, JOB,
					components[c].id, o->id, not_met && strcmp(o->id, not_met) == 0 ? "not_met" : "met");
		}
}

void kit_reported(struct kit *k, const char *not_met)
{
	kit_evaluating(k);
	kit_job(k, not_met);
	kit_must(k, &LABHEAD, "submit_report", "{\"job_id\":\"" JOB "\",\"signed_by\":\"Tess Tanner\",\"signed_on\":\"2026-11-23\"}", "");
}

void kit_pending(struct kit *k)
{
	kit_reported(k, NULL);
	kit_must(k, &REVIEWER, "start_review", NULL, "");
	kit_must(k, &REVIEWER, "recommend", KIT_GRANT_REVIEW, "");
}

void kit_granted(struct kit *k)
{
	kit_pending(k);
	kit_must(k, &DECIDER, "decide", "{\"kind\":\"grant\"}", "");
}
