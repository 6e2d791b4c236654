/* SPDX-License-Identifier: Apache-2.0
 *
 * Use cases of the public registry. Reading is for everybody and is never tracked; artwork and certificates are for the parties:
 * to others they do not exist.
 */
#include "registry/registry.h"
#include "base/file.h"
#include "base/proc.h"
#include "base/text.h"
#include "base/timex.h"
#include "http/tpl.h"
#include "registry/proof.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ART_MAX (4 << 20)
#define ART_MS 15000
#define HITS 50
#define STATIC_WAIT_MS 5000

static void free_buf(void *b)
{
	ctm_buf_free(b);
}

/* A buffer that lives as long as the answer. */
static struct ctm_buf *answer_buf(struct ctm_cx *cx, size_t max)
{
	struct ctm_buf *b = ctm_arena_alloc(cx->arena, sizeof *b);

	if (!b)
		return NULL;
	*b = CTM_BUF(max);
	return ctm_arena_defer(cx->arena, free_buf, b) ? NULL : b;
}

static int nomem(struct ctm_cx *cx)
{
	return ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

static void send_raw(struct ctm_cx *cx, const struct ctm_buf *b, const char *type, const char *filename, const char *cache)
{
	cx->raw = (struct ctm_raw){ .type = type, .p = b->p ? b->p : "", .n = b->len, .filename = filename, .cache = cache };
}

/* Is the viewer of one of these organisations? */
static bool party(const struct ctm_cx *cx, const ctm_json *row, const char *const *columns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *org = ctm_json_gets(row, columns[i]);
		if (org && *cx->who->org_id && !strcmp(org, cx->who->org_id))
			return true;
	}
	return false;
}

static const char *const label_parties[] = { "org_id", "cla_org_id" };
static const char *const case_parties[] = { "applicant_org_id", "cla_org_id", "lab_org_id" };

int ctm_uc_record(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *row = NULL;
	const char *id = ctm_in(cx, "id");
	int rc = ctm_record_row(cx->db, id, &row, cx->err);

	return rc ? rc : ctm_record_view(cx->app, cx->db, id, cx->locale, cx->now_ms, party(cx, row, label_parties, 2), out, cx->err);
}

/* --- proof --------------------------------------------------------------------------------------------------------- */

int ctm_record_proof(struct ctm_app *app, struct ctm_db *db, const char *id, int64_t version, struct ctm_buf *out, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "registry.proof");
	struct ctm_err local = { 0 };

	ctm_q_text(q, "record", id);
	ctm_q_int(q, "version", version);
	int rc = ctm_q_one(q, &local);
	if (rc == CTM_E_NOTFOUND)
		return ctm_fail(err, rc, "version", NULL, "There is no proof of that version of the record.");
	if (rc)
		return ctm_fail(err, rc, local.field, local.rule, "%s", local.msg);
	return ctm_blob_get(ctm_app_blobs(app), ctm_q_str(q, "proof_digest"), out->max, out, err);
}

int ctm_uc_record_proof(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *row = NULL;
	struct ctm_buf *b = answer_buf(cx, 1 << 20);
	int rc;

	(void)out;
	if (!b)
		return nomem(cx);
	if ((rc = ctm_record_row(cx->db, ctm_in(cx, "id"), &row, cx->err)) ||
	    (rc = ctm_record_proof(cx->app, cx->db, ctm_in(cx, "id"), ctm_in_int(cx, "version", 0), b, cx->err)))
		return rc;
	send_raw(cx, b, "text/plain; charset=utf-8", ctm_arena_printf(cx->arena, "%s.proof", ctm_in(cx, "id")), NULL);
	return 0;
}

/* Reading the record and writing its files is one step among all servers of the state directory: an older view never lands on a newer. */
static int hold_files(struct ctm_jx *jx, int *lock)
{
	char path[1024];
	int rc = ctm_mkdirs(ctm_app_dir(jx->app, "run", path, sizeof path), 0700, jx->err);
	return rc ? rc : ctm_file_lock_wait(ctm_app_dir(jx->app, "run/static.lock", path, sizeof path), STATIC_WAIT_MS, lock, jx->err);
}

int ctm_job_registry_static(struct ctm_jx *jx)
{
	const char *id = ctm_json_gets(jx->payload, "record_id");
	CTM_AUTO_BUF proof = CTM_BUF(1 << 20);
	CTM_AUTO_FD lock = -1;
	struct ctm_err none = { 0 };

	if (!id)
		return ctm_fail(jx->err, CTM_E_INPUT, "record_id", NULL, "The job names no record.");
	int rc = hold_files(jx, &lock);
	if (rc)
		return rc;
	rc = ctm_record_proof(jx->app, jx->db, id, 0, &proof, &none);
	if (rc && rc != CTM_E_NOTFOUND)
		return ctm_fail(jx->err, rc, none.field, none.rule, "%s", none.msg);
	rc = ctm_record_publish(jx->app, jx->db, id, rc ? NULL : proof.p, proof.len, jx->now_ms, jx->err);
	if (rc == CTM_E_NOTFOUND) {                /* not published yet: the step that publishes posts this job again */
		ctm_err_clear(jx->err);
		rc = 0;
	}
	return rc;
}

/* --- search -------------------------------------------------------------------------------------------------------- */

/* "%text%" with the engine's wildcards taken literally. */
static const char *like(struct ctm_cx *cx, const char *q)
{
	CTM_AUTO_BUF b = CTM_BUF(512);

	ctm_buf_chr(&b, '%');
	for (; *q; q++) {
		if (strchr("%_!", *q))
			ctm_buf_chr(&b, '!');
		ctm_buf_chr(&b, *q);
	}
	ctm_buf_chr(&b, '%');
	return ctm_arena_dup(cx->arena, ctm_buf_cstr(&b));
}

static ctm_json *hit(struct ctm_cx *cx, const ctm_json *row, const char *today)
{
	const ctm_json *content = ctm_json_get(row, "content"), *p = ctm_json_get(content, "product");
	const char *status = ctm_record_status(ctm_json_gets(row, "status"), content, today);
	ctm_json *h = ctm_json_obj();
	int rc = ctm_json_sets(h, "id", ctm_json_gets(row, "id"));

	rc |= ctm_json_setf(h, "url", "/p/%s", ctm_json_gets(row, "id"));
	rc |= ctm_json_sets(h, "product", ctm_json_gets(p, "name"));
	rc |= ctm_json_sets(h, "maker", ctm_json_gets(p, "maker"));
	rc |= ctm_json_sets(h, "model", ctm_json_gets(p, "model"));
	rc |= ctm_json_sets(h, "status", status);
	rc |= ctm_json_sets(h, "answer", ctm_record_answer(status, cx->locale));
	rc |= ctm_json_set(h, "published_ms", ctm_json_copy(ctm_json_get(row, "published_ms")));
	rc |= ctm_json_sets(h, "support_end", ctm_json_gets(ctm_json_get(ctm_json_get(content, "fields"), "support"), "end_date"));
	if (rc) {
		ctm_json_free(h);
		return NULL;
	}
	return h;
}

int ctm_uc_search(struct ctm_cx *cx, ctm_json *out)
{
	const char *text = ctm_in(cx, "q") ? ctm_in(cx, "q") : "", *pattern;
	CTM_AUTO_JSON *rows = NULL;
	ctm_json *list = ctm_json_arr();
	char today[CTM_RFC3339_MAX];
	int bad = 0;

	text += strspn(text, " ");
	if (!(pattern = like(cx, text))) {
		ctm_json_free(list);
		return nomem(cx);
	}
	ctm_time_rfc3339(cx->now_ms, today);
	today[10] = '\0';
	struct ctm_q *q = ctm_q(cx->db, "registry.search");
	ctm_q_text(q, "q", text);
	ctm_q_text(q, "like", pattern);
	ctm_q_int(q, "max", HITS + 1);
	int rc = ctm_q_rows(q, HITS + 1, &rows, cx->err);
	size_t n = ctm_json_len(rows), shown = n > HITS ? HITS : n;
	for (size_t i = 0; !rc && i < shown; i++)
		bad |= ctm_json_add(list, hit(cx, ctm_json_at(rows, i), today));
	bad |= ctm_json_set(out, "records", list);
	bad |= ctm_json_sets(out, "query", *text ? text : NULL);
	bad |= ctm_json_seti(out, "count", (int64_t)shown);
	bad |= ctm_json_setb(out, "more", n > shown);
	return rc ? rc : bad ? nomem(cx) : 0;
}

int ctm_uc_search_page(struct ctm_cx *cx, ctm_json *out)
{
	int rc = ctm_uc_search(cx, out);

	if (!rc && ctm_json_gets(out, "query") && ctm_json_geti(out, "count", 0) == 1)
		cx->location = ctm_arena_dup(cx->arena, ctm_json_gets(ctm_json_at(ctm_json_get(out, "records"), 0), "url"));
	return rc;
}

/* --- log files ----------------------------------------------------------------------------------------------------- */

int ctm_uc_log_file(struct ctm_cx *cx, ctm_json *out)
{
	const char *rel = ctm_in(cx, "path");
	bool head = !strcmp(rel, "checkpoint");
	struct ctm_tile t;
	struct ctm_err none = { 0 };
	char dir[4096], path[4200];
	struct ctm_buf *b = answer_buf(cx, (size_t)CTM_TILE_WIDTH * (CTM_ENTRY_MAX + 2));

	(void)out;
	if (!b)
		return nomem(cx);
	if (!head && ctm_tile_parse(rel, &t))
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "path", "C2SP tlog-tiles", "The log has a checkpoint and tiles; this names neither.");
	snprintf(path, sizeof path, "%s/%s", ctm_app_dir(cx->app, "public/log", dir, sizeof dir), rel);
	int rc = ctm_file_read(path, b->max, b, &none);
	if (rc)
		return ctm_fail(cx->err, rc, "path", NULL, rc == CTM_E_NOTFOUND ? "The log has no such file yet." : "The log's files cannot be read just now.");
	send_raw(cx, b, head ? "text/plain; charset=utf-8" : "application/octet-stream", NULL, head ? "no-cache" : "public, max-age=31536000, immutable");
	return 0;
}

/* --- artwork and certificates -------------------------------------------------------------------------------------- */

static int run_tool(struct ctm_cx *cx, const char *const *argv, const struct ctm_buf *in, struct ctm_buf *out)
{
	CTM_AUTO_BUF said = CTM_BUF(8192);
	struct ctm_proc p = { .argv = argv, .in = in ? in->p : NULL, .in_len = in ? in->len : 0, .timeout_ms = ART_MS };
	int status = 0, rc = ctm_proc_run(&p, out, &said, &status, cx->err);

	if (rc)
		return rc;
	return status ? ctm_fail(cx->err, CTM_E_FAIL, NULL, NULL, "The artwork could not be drawn: %.200s", ctm_buf_cstr(&said)) : 0;
}

int ctm_prepare_label(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *row = NULL;
	const char *id = ctm_in(cx, "id"), *ext = strrchr(cx->route->path, '.') + 1;
	char tool[4096], trust[4096], today[CTM_RFC3339_MAX];
	CTM_AUTO_BUF proof = CTM_BUF(1 << 20);
	struct ctm_buf *b = answer_buf(cx, ART_MAX);
	int rc;

	if (!b)
		return nomem(cx);
	if ((rc = ctm_record_row(cx->db, id, &row, cx->err)))
		return rc;
	if (!party(cx, row, label_parties, 2))
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "There is no such record.");
	ctm_time_rfc3339(cx->now_ms, today);
	today[10] = '\0';
	const ctm_json *content = ctm_json_get(row, "content");
	const char *status = ctm_record_status(ctm_json_gets(row, "status"), content, today);
	if (strcmp(status, "authorised"))
		return ctm_fail(cx->err, CTM_E_STATE, "id", "47 CFR 8.205", "There is no label without a live authorization; the record says \"%s\".", status);
	if ((rc = ctm_sibling("ctm-label", tool, sizeof tool, cx->err)))
		return rc;
	if ((rc = ctm_record_proof(cx->app, cx->db, id, 0, &proof, cx->err)))
		return rc;
	/* The drawing program checks the proof itself: no clean artwork without a signed, logged authorisation. */
	const char *argv[] = { tool, "render", "--proof", "-", "--trust", ctm_app_dir(cx->app, "trust.json", trust, sizeof trust), "--format", ext, "--out", "-", NULL };
	if ((rc = run_tool(cx, argv, &proof, b)))
		return rc;
	send_raw(cx, b, !strcmp(ext, "svg") ? "image/svg+xml" : !strcmp(ext, "png") ? "image/png" : "application/pdf",
		ctm_arena_printf(cx->arena, "label-%s.%s", id, ext), "private, no-store");
	return 0;
}

/* The bytes are in cx->raw already. */
int ctm_uc_prepared(struct ctm_cx *cx, ctm_json *out)
{
	(void)out;
	return cx->raw.type ? 0 : ctm_fail(cx->err, CTM_E_FAIL, NULL, NULL, "Nothing was prepared.");
}

/* Newest proof of the record that a case led to, for its parties. */
static int case_proof(struct ctm_cx *cx, ctm_json **row, struct ctm_buf *proof)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "registry.case_record");
	struct ctm_err none = { 0 };

	ctm_q_text(q, "case", ctm_in(cx, "id"));
	int rc = ctm_q_one(q, &none);
	if (rc && rc != CTM_E_NOTFOUND)
		return ctm_fail(cx->err, rc, none.field, none.rule, "%s", none.msg);
	if (!rc && !(*row = ctm_q_row(q)))
		return nomem(cx);
	if (rc || !party(cx, *row, case_parties, 3))
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "This case has no certificate.");
	return ctm_record_proof(cx->app, cx->db, ctm_json_gets(*row, "id"), 0, proof, cx->err);
}

static int check_proof(struct ctm_cx *cx, const struct ctm_buf *proof, struct ctm_trust *t, struct ctm_proof_report *r)
{
	char path[4096];
	int rc = ctm_trust_load(ctm_app_dir(cx->app, "trust.json", path, sizeof path), t, cx->err);

	return rc ? rc : ctm_proof_check(proof->p, proof->len, t, r, cx->err);
}

int ctm_uc_certificate_json(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *row = NULL;
	CTM_AUTO_BUF proof = CTM_BUF(1 << 20);
	struct ctm_trust t;
	struct ctm_proof_report r = { 0 };
	struct ctm_buf *b = answer_buf(cx, 1 << 20);
	int rc;

	(void)out;
	if (!b)
		return nomem(cx);
	if ((rc = case_proof(cx, &row, &proof)) || (rc = check_proof(cx, &proof, &t, &r)))
		return rc;
	rc = ctm_certificate_make(r.content, proof.p, proof.len, b, cx->err);
	const char *name = ctm_arena_printf(cx->arena, "%s.json", r.st.certificate);
	ctm_proof_report_free(&r);
	if (!rc)
		send_raw(cx, b, "application/json", name, "private, no-store");
	return rc;
}

/* Texts of the paper in the reader's language: the messages that begin with "cert." or name a month. */
static int set_words(ctm_json *j, const char *locale)
{
	static const char *const keys[] = { "cert.title", "cert.component", "cert.version", "cert.digest", "cert.to", "cert.valid", "cert.certified_by", "cert.contact",
		"cert.issued", "cert.tested_by", "cert.report", "cert.statement", "cert.record", "cert.cover", "cert.mark", "cert.suspended", "cert.expired",
		"cert.withdrawn", "cert.specimen", "cert.specimen_reason", "cert.shown", "cert.by", "cert.model", "cert.not_stated", "cert.SUSPENDED", "cert.WITHDRAWN",
		"cert.EXPIRED", "cert.SPECIMEN" };
	ctm_json *words = ctm_json_obj();
	char key[24];
	int rc = ctm_json_sets(j, "language", !strcmp(locale, "es") ? "es" : "en");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		rc |= ctm_json_sets(words, keys[i], ctm_tpl_message(keys[i], locale));
	for (int m = 1; m <= 12; m++) {
		snprintf(key, sizeof key, "month.%d", m);
		rc |= ctm_json_sets(words, key, ctm_tpl_message(key, locale));
	}
	return ctm_json_set(j, "words", words) | rc;
}

/* What ctm-render gets on its standard input (document/render.h, `certificate`). */
static int render_input(const struct ctm_proof_report *r, const ctm_json *row, const char *locale, struct ctm_buf *in)
{
	CTM_AUTO_JSON *j = ctm_json_obj();
	const ctm_json *cert = ctm_json_get(r->content, "certificate"), *fields = ctm_json_get(r->content, "fields");
	ctm_json *lab = ctm_json_copy(ctm_json_get(fields, "lab")), *record = ctm_json_obj();
	bool local = ctm_url_local(ctm_json_gets(r->content, "url"));
	const char *number = ctm_json_gets(row, "report_number");
	int rc = ctm_json_sets(j, "number", r->st.certificate) | set_words(j, locale);

	rc |= ctm_json_set(j, "status", ctm_json_copy(ctm_json_get(cert, "status")));
	rc |= ctm_json_seti(j, "issued_ms", r->st.at_ms);
	rc |= ctm_json_set(j, "valid_from", ctm_json_copy(ctm_json_get(cert, "valid_from")));
	rc |= ctm_json_set(j, "valid_to", ctm_json_copy(ctm_json_get(cert, "valid_to")));
	rc |= ctm_json_setb(j, "specimen", local);
	rc |= local ? ctm_json_sets(j, "specimen_reason", ctm_tpl_message("cert.specimen_reason", locale)) : 0;
	rc |= ctm_json_set(j, "product", ctm_json_copy(ctm_json_get(r->content, "product")));
	rc |= ctm_json_set(j, "baseline", ctm_json_copy(ctm_json_get(r->content, "versions")));
	rc |= ctm_json_set(j, "cla", ctm_json_copy(ctm_json_get(fields, "cla")));
	rc |= ctm_json_sets(lab, "report_number", number && *number ? number : "not stated");
	rc |= ctm_json_set(j, "lab", lab);
	rc |= ctm_json_sets(j, "decision_digest", r->st.decision);
	rc |= ctm_json_sets(record, "id", r->st.record);
	rc |= ctm_json_set(record, "url", ctm_json_copy(ctm_json_get(r->content, "url")));
	rc |= ctm_json_set(j, "record", record);
	rc |= ctm_json_set(j, "statement_digest", ctm_json_copy(ctm_json_get(row, "cose_digest")));
	return rc ? rc : ctm_json_compact(j, in);
}

int ctm_prepare_certificate_pdf(struct ctm_cx *cx)
{
	CTM_AUTO_JSON *row = NULL;
	CTM_AUTO_BUF proof = CTM_BUF(1 << 20), in = CTM_BUF(1 << 20);
	struct ctm_trust t;
	struct ctm_proof_report r = { 0 };
	char tool[4096];
	struct ctm_buf *b = answer_buf(cx, ART_MAX);
	int rc;

	if (!b)
		return nomem(cx);
	if ((rc = case_proof(cx, &row, &proof)) || (rc = ctm_sibling("ctm-render", tool, sizeof tool, cx->err)) || (rc = check_proof(cx, &proof, &t, &r)))
		return rc;
	const char *argv[] = { tool, "certificate", NULL };
	if (render_input(&r, row, cx->locale, &in))
		rc = nomem(cx);
	if (!rc && !(rc = run_tool(cx, argv, &in, b)))
		send_raw(cx, b, "application/pdf", ctm_arena_printf(cx->arena, "%s.pdf", r.st.certificate), "private, no-store");
	ctm_proof_report_free(&r);
	return rc;
}
