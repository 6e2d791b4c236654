/* SPDX-License-Identifier: Apache-2.0
 *
 * What a reader of the registry gets: the content of the newest version, the status of today, the history with its proofs.
 */
#include "registry/registry.h"
#include "base/text.h"
#include "base/timex.h"
#include "case/catalogue.h"
#include "http/tpl.h"
#include "registry/trust.h"
#include "registry/log.h"
#include <stdio.h>
#include <string.h>

int ctm_record_row(struct ctm_db *db, const char *id, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_Q *q = ctm_q(db, "registry.record");
	struct ctm_err local = { 0 };

	ctm_q_text(q, "id", id);
	int rc = ctm_q_one(q, &local);
	if (rc == CTM_E_NOTFOUND)
		return ctm_fail(err, rc, "id", "47 CFR 8.222(b)", "Not authorized: there is no such record. Check the address, or search the registry.");
	if (rc)
		return ctm_fail(err, rc, local.field, local.rule, "%s", local.msg);
	ctm_json *row = ctm_q_row(q);
	if (!row)
		return ctm_fail(err, CTM_E_NOMEM, "record", NULL, "out of memory");
	*out = row;
	return 0;
}

static int set_history(struct ctm_db *db, const char *id, const char *locale, ctm_json *out, const ctm_json **newest, struct ctm_err *err)
{
	ctm_json *rows = NULL, *list = ctm_json_arr();
	struct ctm_q *q = ctm_q(db, "registry.history");
	int bad = 0;

	ctm_q_text(q, "record", id);
	int rc = ctm_q_rows(q, 200, &rows, err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		const ctm_json *r = ctm_json_at(rows, i);
		ctm_json *h = ctm_json_obj();
		const char *proof = ctm_json_gets(r, "proof_digest"), *kind = ctm_json_gets(r, "kind");
		char key[64];
		snprintf(key, sizeof key, "record.event.%s", kind ? kind : "");
		bad |= ctm_json_set(h, "version", ctm_json_copy(ctm_json_get(r, "version")));
		bad |= ctm_json_set(h, "at_ms", ctm_json_copy(ctm_json_get(r, "at_ms")));
		bad |= ctm_json_sets(h, "kind", kind);
		bad |= ctm_json_sets(h, "status", ctm_json_gets(r, "status"));
		bad |= ctm_json_sets(h, "what", ctm_tpl_message(key, locale));
		bad |= ctm_json_sets(h, "reason", ctm_json_gets(r, "reason"));
		bad |= ctm_json_sets(h, "step", ctm_json_gets(r, "step"));
		bad |= ctm_json_set(h, "log_index", ctm_json_copy(ctm_json_get(r, "log_index")));
		bad |= proof && *proof ? ctm_json_setf(h, "proof", "/p/%s.proof?version=%lld", id, (long long)ctm_json_geti(r, "version", 0)) : ctm_json_sets(h, "proof", NULL);
		bad |= ctm_json_add(list, h);
	}
	ctm_json_free(rows);
	bad |= ctm_json_set(out, "history", list);
	if (rc || bad)
		return rc ? rc : ctm_fail(err, CTM_E_NOMEM, "record", NULL, "out of memory");
	const ctm_json *h = ctm_json_get(out, "history");
	for (size_t i = 0; i < ctm_json_len(h) && !*newest; i++)
		if (ctm_json_gets(ctm_json_at(h, i), "proof"))
			*newest = ctm_json_at(h, i);
	return 0;
}

/* The log's present size, where its checkpoint can be read: a reader learns how far the log is, not what to believe. */
static int set_log(struct ctm_app *app, const ctm_json *newest, ctm_json *out)
{
	char path[4096];
	struct ctm_trust t;
	CTM_AUTO_LOG *l = NULL;
	ctm_json *log = ctm_json_obj();
	bool there = ctm_trust_load(ctm_app_dir(app, "trust.json", path, sizeof path), &t, NULL) == 0 &&
		ctm_log_open(ctm_app_dir(app, "public/log", path, sizeof path), &t.log, &l, NULL) == 0;
	int rc = ctm_json_sets(log, "origin", there ? t.log.name : NULL);

	rc |= newest ? ctm_json_set(log, "index", ctm_json_copy(ctm_json_get(newest, "log_index"))) : ctm_json_sets(log, "index", NULL);
	rc |= there ? ctm_json_seti(log, "size", ctm_log_head(l)->size) : ctm_json_sets(log, "size", NULL);
	rc |= ctm_json_sets(log, "checkpoint", "/log/checkpoint");
	return rc | ctm_json_set(out, "log", log);
}

static int set_label(const char *id, bool local, ctm_json *out)
{
	ctm_json *l = ctm_json_obj();
	int rc = ctm_json_setf(l, "svg", "/api/v1/records/%s/label.svg", id);

	rc |= ctm_json_setf(l, "png", "/api/v1/records/%s/label.png", id);
	rc |= ctm_json_setf(l, "pdf", "/api/v1/records/%s/label.pdf", id);
	rc |= ctm_json_setb(l, "specimen", local);
	return rc | ctm_json_set(out, "label", l);
}

/* Structured data for retailers and search engines (schema.org Product with hasCertification). */
static int set_jsonld(const ctm_json *content, const char *status, ctm_json *out)
{
	const ctm_json *p = ctm_json_get(content, "product"), *c = ctm_json_get(content, "certificate"), *f = ctm_json_get(content, "fields");
	ctm_json *ld = ctm_json_obj(), *cert = ctm_json_obj(), *by = ctm_json_obj(), *maker = ctm_json_obj();
	int rc = ctm_json_sets(ld, "@context", "https://schema.org");

	rc |= ctm_json_sets(ld, "@type", "Product");
	rc |= ctm_json_sets(ld, "name", ctm_json_gets(p, "name"));
	rc |= ctm_json_sets(ld, "model", ctm_json_gets(p, "model"));
	rc |= ctm_json_gets(p, "gtin") && *ctm_json_gets(p, "gtin") ? ctm_json_sets(ld, "gtin", ctm_json_gets(p, "gtin")) : 0;
	rc |= ctm_json_sets(maker, "@type", "Organization") | ctm_json_sets(maker, "name", ctm_json_gets(p, "maker"));
	rc |= ctm_json_set(ld, "manufacturer", maker);
	rc |= ctm_json_sets(by, "@type", "Organization") | ctm_json_sets(by, "name", ctm_json_gets(ctm_json_get(f, "cla"), "name"));
	rc |= ctm_json_sets(cert, "@type", "Certification") | ctm_json_sets(cert, "name", "U.S. Cyber Trust Mark");
	rc |= ctm_json_set(cert, "issuedBy", by);
	rc |= ctm_json_sets(cert, "certificationIdentification", ctm_json_gets(c, "number"));
	rc |= ctm_json_sets(cert, "validFrom", ctm_json_gets(c, "valid_from")) | ctm_json_sets(cert, "expires", ctm_json_gets(c, "valid_to"));
	rc |= ctm_json_sets(cert, "certificationStatus", !strcmp(status, "authorised") ? "https://schema.org/CertificationActive" : "https://schema.org/CertificationInactive");
	rc |= ctm_json_set(ld, "hasCertification", cert);
	return rc | ctm_json_set(out, "jsonld", ld);
}

/* The content's parts, with today's word where the status stands. */
static int set_content(const ctm_json *row, const ctm_json *content, const char *status, ctm_json *out)
{
	static const char *const parts[] = { "id", "url", "version", "fields", "certificate", "versions", "outcomes", "outcome_counts" };
	ctm_json *product = ctm_json_copy(ctm_json_get(content, "product")), *fields, *auth;
	const char *picture = ctm_json_gets(row, "picture_digest"), *cert = ctm_json_gets(row, "certificate_status");
	int rc = 0;

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		rc |= ctm_json_set(out, parts[i], ctm_json_copy(ctm_json_get(content, parts[i])));
	rc |= picture && *picture ? ctm_json_setf(product, "picture", "/api/v1/products/%s/picture", ctm_json_gets(row, "product_id")) : ctm_json_sets(product, "picture", NULL);
	rc |= ctm_json_set(out, "product", product);
	if (rc)
		return rc;
	fields = (ctm_json *)ctm_json_get(out, "fields");
	auth = (ctm_json *)ctm_json_get(fields, "authorization");
	rc |= ctm_json_sets(auth, "status", status);
	rc |= cert && *cert ? ctm_json_sets((ctm_json *)ctm_json_get(out, "certificate"), "status", !strcmp(status, "expired") ? "expired" : cert) : 0;
	ctm_json *support = (ctm_json *)ctm_json_get(fields, "support");
	for (int i = 0; i < 2; i++) {
		const char *k = i ? "unsupported_statement" : "end_date";
		rc |= ctm_json_get(support, k) ? 0 : ctm_json_sets(support, k, NULL);
	}
	return rc;
}

/* The catalogue's name of each outcome beside its id: what a reader can understand. */
static int set_outcome_names(const struct ctm_catalogue *cat, ctm_json *out)
{
	const ctm_json *list = ctm_json_get(out, "outcomes");
	int rc = 0;
	for (size_t i = 0; cat && i < ctm_json_len(list); i++) {
		ctm_json *o = (ctm_json *)ctm_json_at(list, i);
		const char *id = ctm_json_gets(o, "outcome");
		const struct ctm_outcome *known = id ? ctm_outcome_find(cat, id) : NULL;
		rc |= known ? ctm_json_sets(o, "name", known->name) : 0;
	}
	return rc;
}

int ctm_record_view(struct ctm_app *app, struct ctm_db *db, const char *id, const char *locale, int64_t now_ms, bool labelled,
	ctm_json *out, struct ctm_err *err)
{
	CTM_AUTO_JSON *row = NULL;
	const ctm_json *newest = NULL;
	char today[CTM_RFC3339_MAX];
	int rc = ctm_record_row(db, id, &row, err);

	if (rc)
		return rc;
	ctm_time_rfc3339(now_ms, today);
	today[10] = '\0';
	const ctm_json *content = ctm_json_get(row, "content");
	const char *status = ctm_record_status(ctm_json_gets(row, "status"), content, today);
	bool local = ctm_url_local(ctm_app_public_url(app));
	if ((rc = set_history(db, id, locale, out, &newest, err)))
		return rc;
	rc = set_content(row, content, status, out) | set_outcome_names(ctm_app_catalogue(app), out);
	rc |= ctm_json_sets(out, "status", status);
	rc |= ctm_json_sets(out, "answer", ctm_record_answer(status, locale));
	rc |= ctm_json_setb(out, "local", local);
	rc |= ctm_json_set(out, "published_ms", ctm_json_copy(ctm_json_get(row, "published_ms")));
	rc |= newest ? ctm_json_setf(out, "proof", "/p/%s.proof", id) : ctm_json_sets(out, "proof", NULL);
	rc |= set_log(app, newest, out);
	rc |= labelled && !strcmp(status, "authorised") ? set_label(id, local, out) : ctm_json_sets(out, "label", NULL);
	rc |= set_jsonld(content, status, out);
	return rc ? ctm_fail(err, CTM_E_NOMEM, "record", NULL, "out of memory") : 0;
}
