/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates (scheme) and authorisations (law). They are granted together and end apart: a suspension touches the
 * certificate alone, an expiry too; the authorisation ends only for a reason of 47 CFR 8.213. Nothing brings a withdrawn
 * certificate back: a corrected product applies anew and gets a new record.
 */
#include "scheme/scheme.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include "event/event.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define BASELINE_MAX (128 * 1024)

int ctm_certificate_get(struct ctm_cx *cx, const char *id, const char *case_id, ctm_json **out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "scheme.certificate");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "case", case_id);
	int rc = ctm_q_one(q, cx->err);
	if (rc == CTM_E_NOTFOUND) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "id", NULL, "there is no such certificate");
	}
	if (rc)
		return rc;
	ctm_json *row = ctm_q_row(q);
	if (!row)
		return ctm_nomem(cx);
	*out = row;
	return 0;
}

/* was: NULL for a certificate that is new. */
static int changed(struct ctm_fire *f, const char *certificate_id, const char *was, const char *status, const char *decision_id)
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_JSON *data = ctm_json_obj(), *before = was ? ctm_json_obj() : NULL;
	if ((was && ctm_json_sets(before, "status", was)) || ctm_json_sets(data, "certificate_id", certificate_id) || ctm_json_sets(data, "status", status) || ctm_json_sets(data, "decision_id", decision_id)
		|| ctm_json_sets(data, "product_id", f->product_id) || ctm_json_sets(f->out, "certificate_id", certificate_id))
		return ctm_nomem(cx);
	int rc = ctm_audit(cx->db, cx->now_ms, cx->who->person_id, "certificate.status", "certificate", certificate_id, before, data, cx->err);
	return rc ? rc : ctm_event_emit(cx->db, cx->now_ms, "certificate.changed", "certificate", certificate_id, data, cx->err);
}

struct validity { char from[11], to[11], number[32]; };

static int validity_of(struct ctm_fire *f, struct validity *v)
{
	struct ctm_cx *cx = f->cx;
	const struct ctm_rule *r = ctm_pack_rule(f->table->scheme, "T-CERT");
	int64_t end;
	if (!r)
		return ctm_fail(cx->err, CTM_E_FAIL, NULL, "T-CERT", "the scheme pack does not say how long a certificate is valid");
	int rc = ctm_pack_day(f->table->scheme, cx->now_ms, v->from, cx->err);
	if (!rc)
		rc = ctm_rule_due(r, cx->now_ms, &end, cx->err);
	if (!rc)
		rc = ctm_pack_day(f->table->scheme, end, v->to, cx->err);
	return rc ? rc : ctm_case_number(cx, "CTM", v->number);
}

static int authorise(struct ctm_fire *f, const char *certificate_id, const char *granted_on)
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_JSON *cla = NULL;
	char id[CTM_UUID_MAX], authority[320];
	const struct ctm_term *fcc = ctm_pack_term(f->table->law, "authority", "issuing");
	int rc = ctm_one(cx, "scheme.org", "id", f->cla_org_id, &cla);
	if (rc)
		return rc;
	ctm_uuid7(id);
	snprintf(authority, sizeof authority, "%s, through %s", fcc ? fcc->text : "", ctm_text(cla, "name"));   /* 47 CFR 8.209(e) */
	struct ctm_q *q = ctm_q(cx->db, "scheme.authorisation_add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "certificate", certificate_id);
	ctm_q_text(q, "product", f->product_id);
	ctm_q_text(q, "on", granted_on);
	ctm_q_text(q, "authority", authority);
	return ctm_q_run(q, NULL, cx->err);
}

int ctm_certificate_grant(struct ctm_fire *f, const char *decision_id, char id_out[40])
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_BUF baseline = CTM_BUF(BASELINE_MAX);
	struct validity v;
	int rc = validity_of(f, &v);
	if (!rc && ctm_json_compact(ctm_json_get(f->data, "baseline"), &baseline))
		rc = ctm_fail(cx->err, CTM_E_STATE, "baseline", "47 CFR 8.205", "the case has no baseline to certify");
	if (rc)
		return rc;
	ctm_uuid7(id_out);
	struct ctm_q *q = ctm_q(cx->db, "scheme.certificate_add");
	ctm_q_text(q, "id", id_out);
	ctm_q_text(q, "number", v.number);
	ctm_q_text(q, "case", f->id);
	ctm_q_text(q, "product", f->product_id);
	ctm_q_text(q, "baseline", ctm_buf_cstr(&baseline));
	ctm_q_text(q, "from", v.from);
	ctm_q_text(q, "to", v.to);
	ctm_q_text(q, "decision", decision_id);
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err)) || (rc = authorise(f, id_out, v.from)))
		return rc;
	if (ctm_json_sets(f->data, "certificate_id", id_out) || ctm_json_sets(f->out, "certificate_number", v.number))
		return ctm_nomem(cx);
	return changed(f, id_out, NULL, "in_force", decision_id);
}

int ctm_certificate_set(struct ctm_fire *f, const char *from, const char *to, const char *decision_id)
{
	struct ctm_cx *cx = f->cx;
	const char *id = ctm_text(f->data, "certificate_id");
	int64_t n = 0;
	struct ctm_q *q = ctm_q(cx->db, "scheme.certificate_status");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "from", from);
	ctm_q_text(q, "to", to);
	int rc = ctm_q_run(q, &n, cx->err);
	if (rc)
		return rc;
	if (n != 1)
		return ctm_fail(cx->err, CTM_E_CONFLICT, "certificate_id", NULL, "the certificate is not in that state any more; nothing was changed");
	return changed(f, id, from, to, decision_id);
}

/* The yearly surveillance and the validity end with the certificate. */
static int stop_clocks(struct ctm_fire *f, const char *case_id)
{
	static const char *const rules[] = { "T-CERT", "T-SURV" };
	int rc = 0;
	for (size_t i = 0; !rc && i < 2; i++) {
		struct ctm_q *q = ctm_q(f->cx->db, "case.clock_stop");
		ctm_q_text(q, "case", case_id);
		ctm_q_text(q, "rule", rules[i]);
		ctm_q_int(q, "now", f->cx->now_ms);
		rc = ctm_q_run(q, NULL, f->cx->err);
	}
	return rc;
}

int ctm_certificate_withdraw(struct ctm_fire *f, const char *decision_id)
{
	struct ctm_cx *cx = f->cx;
	CTM_AUTO_JSON *c = NULL;
	const char *id = ctm_text(f->data, "certificate_id");
	int rc = ctm_certificate_get(cx, id, NULL, &c);
	if (!rc)
		rc = ctm_certificate_set(f, ctm_text(c, "status"), "withdrawn", decision_id);
	if (!rc)
		rc = stop_clocks(f, ctm_text(c, "case_id"));
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "scheme.authorisation_end");
	ctm_q_text(q, "certificate", id);
	ctm_q_text(q, "status", "withdrawn");
	ctm_q_int(q, "now", cx->now_ms);
	return ctm_q_run(q, NULL, cx->err);
}
