/* SPDX-License-Identifier: Apache-2.0
 *
 * Making and checking plans, declarations and records. See plan.h. The order of checks is by stage arrival and setup first,
 * then danger class, then stage, then id: nothing dangerous runs before anything harmless, but for the delivery of the release.
 */
#include "lab/plan.h"
#include "base/id.h"
#include "base/text.h"
#include "base/timex.h"
#include "crypto/hash.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) (sizeof (a) / sizeof (a)[0])

static const char *const component_kinds[] = { "device", "gateway", "app", "backend" };

int ctm_json_digest(const ctm_json *v, char out[72], struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(CTM_CATALOGUE_MAX);
	int rc = ctm_json_canonical(v, &b);

	if (rc)
		return ctm_fail(err, rc, NULL, NULL, "a document cannot be brought into canonical form (numbers must be whole)");
	ctm_digest_of(b.p, b.len, out);
	return 0;
}

const char *ctm_plan_kind(const ctm_json *plan, const char *component)
{
	const ctm_json *list = ctm_json_get(plan, "components");

	if (ctm_streq(component, CTM_PLAN_PRODUCT))
		return CTM_PLAN_PRODUCT;
	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(list, i), "id"), component))
			return ctm_json_gets(ctm_json_at(list, i), "kind");
	return NULL;
}

const char *ctm_plan_name(const ctm_json *plan, const char *component)
{
	const ctm_json *list = ctm_json_get(plan, "components");

	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(list, i), "id"), component))
			return ctm_json_gets(ctm_json_at(list, i), "name");
	return ctm_json_gets(ctm_json_get(plan, "product"), "name");
}

/* ---- declaration ---- */

static int check_interface(const struct ctm_jc *c, struct ctm_err *err)
{
	const char *text = NULL;
	int64_t port = 0;
	int rc;

	if ((rc = ctm_jc_str(c, "id", 1, 64, &text, err)) || (rc = ctm_jc_str(c, "transport", 1, 16, &text, err)) ||
	    (rc = ctm_jc_int(c, "port", 1, 65535, &port, err)) || (rc = ctm_jc_str(c, "protocol", 1, 32, &text, err)))
		return rc;
	return 0;
}

static int check_setting(const struct ctm_jc *c, struct ctm_err *err)
{
	static const char *const types[] = { "bool", "int", "text", "enum" };
	const char *text = NULL;
	struct ctm_jc v;
	size_t type = 0;
	int rc;

	if ((rc = ctm_jc_str(c, "name", 1, 64, &text, err)) || (rc = ctm_jc_enum(c, "type", types, COUNT(types), &type, err)) ||
	    (rc = ctm_jc_key(c, "secure_default", &v, err)))
		return rc;
	return type == 3 ? ctm_jc_arr(c, "values", 1, 64, &v, err) : 0;
}

static int each(const struct ctm_jc *c, const char *key, size_t max, int (*fn)(const struct ctm_jc *, struct ctm_err *), struct ctm_err *err)
{
	struct ctm_jc arr, e;
	int rc = ctm_jc_arr(c, key, 0, max, &arr, err);

	for (size_t i = 0; !rc && i < ctm_json_len(arr.v); i++)
		if (!(rc = ctm_jc_at(&arr, i, &e, err)) && !(rc = ctm_jc_is(&e, CTM_J_OBJ, err)))
			rc = fn(&e, err);
	return rc;
}

int ctm_declaration_check(const ctm_json *v, const char *file, struct ctm_err *err)
{
	struct ctm_jc c = ctm_jc_root(v, file);
	const char *format = NULL, *text = NULL;
	int rc;

	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_str(&c, "format", 1, 64, &format, err)) || (rc = ctm_jc_str(&c, "model", 1, 64, &text, err)) ||
	    (rc = ctm_jc_str(&c, "version", 1, 64, &text, err)) || (rc = each(&c, "interfaces", 64, check_interface, err)) ||
	    (rc = each(&c, "settings", 256, check_setting, err)))
		return rc;
	if (strcmp(format, "ctm.declaration/1") != 0)
		return ctm_jc_fail(&c, err, "format is \"%s\", expected \"ctm.declaration/1\"", format);
	return 0;
}

/* ---- records ---- */

/* May this outcome be attested on this kind of component? Data of check P11: {"app":["DP.1",..],..}. */
static bool attestable(const struct ctm_lab_catalogue *cat, const struct ctm_lab_outcome *o, const char *kind)
{
	const struct ctm_check *p11 = ctm_check_find(cat, "P11");
	const ctm_json *list = p11 ? ctm_json_get(ctm_check_param(p11, "attestable"), kind) : NULL;

	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_streq(ctm_json_str(ctm_json_at(list, i)), o->id))
			return true;
	return false;
}

static int check_record(const struct ctm_jc *c, const ctm_json *plan, const struct ctm_lab_catalogue *cat, struct ctm_err *err)
{
	static const char *const keys[] = { "outcome", "component", "method", "verdict", "text", "document", "by", "justification", "expires", "title" };
	static const char *const verdicts[] = { "PASS", "FAIL", "INCONCLUSIVE", "NOT_APPLICABLE" };
	const char *outcome = NULL, *component = NULL, *text = NULL, *kind, *why = NULL, *expires = NULL, *document = NULL;
	const struct ctm_lab_outcome *o;
	size_t method = 0, verdict = 0;
	int64_t ms = 0;
	int rc;

	if ((rc = ctm_jc_is(c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(c, keys, COUNT(keys), err)) || (rc = ctm_jc_str(c, "outcome", 1, 32, &outcome, err)) ||
	    (rc = ctm_jc_str(c, "component", 1, 64, &component, err)) || (rc = ctm_jc_enum(c, "method", ctm_method_names, CTM_M_COUNT, &method, err)) ||
	    (rc = ctm_jc_enum(c, "verdict", verdicts, COUNT(verdicts), &verdict, err)) || (rc = ctm_jc_str(c, "text", 10, 4000, &text, err)) ||
	    (rc = ctm_jc_str(c, "by", 2, 120, &text, err)) || (rc = ctm_jc_opt_str(c, "justification", 4000, &why, err)) ||
	    (rc = ctm_jc_opt_str(c, "expires", 10, &expires, err)) || (rc = ctm_jc_opt_str(c, "document", 71, &document, err)))
		return rc;
	if (!(o = ctm_lab_outcome_find(cat, outcome)))
		return ctm_jc_fail(c, err, "there is no outcome \"%s\"", outcome);
	if (!(kind = ctm_plan_kind(plan, component)))
		return ctm_jc_fail(c, err, "the plan has no component \"%s\"", component);
	if (!ctm_lab_outcome_on(o, kind))
		return ctm_jc_fail(c, err, "outcome %s is not judged on a %s", outcome, kind);
	if (method == CTM_M_TEST)
		return ctm_jc_fail(c, err, "a record is an inspection or an attestation; tests are run by the engine");
	if (document && !ctm_digest_ok(document))
		return ctm_jc_fail(c, err, "document must be a digest (sha256:..)");
	if (method == CTM_M_ATTESTATION && (!why || strlen(why) < 20))
		return ctm_jc_fail(c, err, "an attestation needs a written technical justification why it takes the place of a test (20 characters or more)");
	if (method == CTM_M_ATTESTATION && (!expires || ctm_time_parse(expires, &ms)))
		return ctm_jc_fail(c, err, "an attestation needs the date until which it holds (\"expires\": \"YYYY-MM-DD\")");
	if (method == CTM_M_ATTESTATION && !attestable(cat, o, kind))
		return ctm_jc_fail(c, err, "outcome %s on a %s may not be shown by attestation (catalogue, check P11)", outcome, kind);
	if (verdict == 3 && (!why || strlen(why) < 20))
		return ctm_jc_fail(c, err, "NOT_APPLICABLE needs a justification (20 characters or more)");
	return 0;
}

int ctm_records_check(const ctm_json *v, const char *file, const ctm_json *plan, const struct ctm_lab_catalogue *cat, struct ctm_err *err)
{
	struct ctm_jc c = ctm_jc_root(v, file), e;
	int rc = ctm_jc_is(&c, CTM_J_ARR, err);

	if (!rc && ctm_json_len(v) > 2000)
		return ctm_jc_fail(&c, err, "at most 2000 records");
	for (size_t i = 0; !rc && i < ctm_json_len(v); i++)
		if (!(rc = ctm_jc_at(&c, i, &e, err)))
			rc = check_record(&e, plan, cat, err);
	return rc;
}

/* The id of the only component of that kind; NULL when there is none or more than one. */
static const char *only_of_kind(const ctm_json *plan, const char *kind)
{
	const ctm_json *list = ctm_json_get(plan, "components");
	const char *found = NULL;

	for (size_t i = 0; i < ctm_json_len(list); i++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(list, i), "kind"), kind)) {
			if (found)
				return NULL;
			found = ctm_json_gets(ctm_json_at(list, i), "id");
		}
	return found;
}

int ctm_records_take(const ctm_json *v, const ctm_json *plan, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *copy = ctm_json_arr();

	for (size_t i = 0; i < ctm_json_len(v); i++) {
		const char *component = ctm_json_gets(ctm_json_at(v, i), "component");
		const char *id = component && !ctm_plan_kind(plan, component) ? only_of_kind(plan, component) : NULL;
		ctm_json *r = ctm_json_copy(ctm_json_at(v, i));
		if (!r || (id && ctm_json_sets(r, "component", id))) {
			ctm_json_free(r);
			return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the records");
		}
		if (ctm_json_add(copy, r))
			return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the records");
	}
	*out = copy;
	copy = NULL;
	return 0;
}

/* ---- making ---- */

static int add_components(const struct ctm_jc *product, ctm_json *plan, const char **device, struct ctm_err *err)
{
	ctm_json *out = ctm_json_arr();
	struct ctm_jc arr, c;
	int rc = ctm_jc_arr(product, "components", 1, CTM_PLAN_COMPONENTS, &arr, err);

	for (size_t i = 0; !rc && i < ctm_json_len(arr.v); i++) {
		const char *id = NULL, *name = NULL;
		ctm_json *o;
		size_t kind = 0;
		if ((rc = ctm_jc_at(&arr, i, &c, err)) || (rc = ctm_jc_enum(&c, "kind", component_kinds, COUNT(component_kinds), &kind, err)) ||
		    (rc = ctm_jc_str(&c, "name", 1, 120, &name, err)) || (rc = ctm_jc_opt_str(&c, "id", 63, &id, err)))
			break;
		if (!id)
			id = component_kinds[kind];
		if (ctm_streq(id, CTM_PLAN_PRODUCT))
			rc = ctm_jc_fail(&c, err, "\"product\" is no id for a component");
		if (kind == 0 && !*device)
			*device = id;
		o = ctm_json_obj();
		if (rc || !o || ctm_json_sets(o, "id", id) || ctm_json_sets(o, "kind", component_kinds[kind]) || ctm_json_sets(o, "name", name) ||
		    ctm_json_setb(o, "in_scope", ctm_json_type(ctm_json_get(c.v, "in_scope")) == CTM_J_INT ? ctm_json_geti(c.v, "in_scope", 1) != 0 : ctm_json_getb(c.v, "in_scope", true)) ||
		    ctm_json_sets(o, "why_not", ctm_json_gets(c.v, "carve_out") ? ctm_json_gets(c.v, "carve_out") : "")) {
			ctm_json_free(o);
			rc = rc ? rc : ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan");
		} else if (ctm_json_add(out, o)) {
			rc = ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan");
		}
	}
	if (!rc && !*device)
		rc = ctm_jc_fail(product, err, "there is no component of kind \"device\" to put on the bench");
	if (!rc)
		return ctm_json_set(plan, "components", out) ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan") : 0;
	ctm_json_free(out);
	return rc;
}

static int before(const void *a, const void *b)
{
	const struct ctm_check *x = *(const struct ctm_check *const *)a, *y = *(const struct ctm_check *const *)b;
	int sx = x->stage <= CTM_S_SETUP ? (int)x->stage : CTM_S_COUNT, sy = y->stage <= CTM_S_SETUP ? (int)y->stage : CTM_S_COUNT;

	if (sx != sy)
		return sx - sy;
	if (x->danger != y->danger)
		return (int)x->danger - (int)y->danger;
	if (x->stage != y->stage)
		return (int)x->stage - (int)y->stage;
	return strcmp(x->id, y->id);
}

static int add_checks(const struct ctm_lab_catalogue *cat, const char *device, ctm_json *plan, struct ctm_err *err)
{
	const struct ctm_check **order = calloc(cat->nchecks, sizeof *order);
	ctm_json *out = ctm_json_arr();
	int bad = !order || !out;

	for (size_t i = 0; !bad && i < cat->nchecks; i++)
		order[i] = &cat->checks[i];
	if (!bad)
		qsort(order, cat->nchecks, sizeof *order, before);
	for (size_t i = 0; !bad && i < cat->nchecks; i++) {
		ctm_json *o = ctm_json_obj();
		bad = !o || ctm_json_sets(o, "id", order[i]->id) || ctm_json_seti(o, "version", order[i]->version) ||
			ctm_json_sets(o, "component", ctm_check_on(order[i], "device") ? device : CTM_PLAN_PRODUCT);
		if (bad)
			ctm_json_free(o);
		else
			bad = ctm_json_add(out, o);
	}
	free(order);
	if (bad) {
		ctm_json_free(out);
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan");
	}
	return ctm_json_set(plan, "checks", out) ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan") : 0;
}

static int add_targets(const char *list, ctm_json *plan, struct ctm_err *err)
{
	ctm_json *out = ctm_json_arr();
	char one[64];

	for (const char *p = list ? list : "127.0.0.0/8"; *p;) {
		size_t n = strcspn(p, ",");
		if (n == 0 || n >= sizeof one) {
			ctm_json_free(out);
			return ctm_fail(err, CTM_E_INPUT, "target", NULL, "targets are addresses or networks, separated by commas");
		}
		snprintf(one, sizeof one, "%.*s", (int)n, p);
		if (ctm_json_adds(out, one))
			break;
		p += n + (p[n] == ',');
	}
	return ctm_json_set(plan, "targets", out) ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan") : 0;
}

/* Name of the maker, wherever the product file carries it. */
static const char *customer_of(const struct ctm_plan_ask *ask)
{
	const ctm_json *p = ask->product;
	const char *s;

	if (ask->customer)
		return ask->customer;
	if ((s = ctm_json_gets(p, "maker")) || (s = ctm_json_gets(ctm_json_get(p, "maker"), "name")) || (s = ctm_json_gets(ctm_json_get(p, "organisation"), "name")))
		return s;
	return ctm_json_gets(ask->declaration, "maker");
}

static int add_parties(const struct ctm_plan_ask *ask, ctm_json *plan, struct ctm_err *err)
{
	ctm_json *customer = ctm_json_obj(), *product = ctm_json_obj(), *lab = ctm_json_obj();
	const char *name = customer_of(ask), *contact = ctm_json_gets(ctm_json_get(ask->product, "maker"), "contact"),
		*end = ctm_json_gets(ctm_json_get(ctm_json_get(ask->product, "registry"), "support"), "end_date"), *id = ctm_json_gets(ask->product, "id");
	int bad = !customer || !product || !lab;

	if (!bad && !name) {
		ctm_json_free(customer);
		ctm_json_free(product);
		ctm_json_free(lab);
		return ctm_fail(err, CTM_E_INPUT, "customer", NULL, "neither the product nor the declaration names the maker; name the customer with --customer");
	}
	bad = bad || ctm_json_sets(customer, "name", name) || ctm_json_sets(customer, "contact", contact ? contact : "") ||
		ctm_json_sets(product, "id", id ? id : "") || ctm_json_sets(product, "name", ctm_json_gets(ask->product, "name")) ||
		ctm_json_sets(product, "model", ctm_json_gets(ask->product, "model")) || (end && ctm_json_sets(product, "support_end", end)) ||
		(ask->lab_name && (ctm_json_sets(lab, "name", ask->lab_name) || ctm_json_sets(lab, "address", ask->lab_address ? ask->lab_address : "")));
	if (ctm_json_set(plan, "customer", customer))
		bad = 1;
	if (ctm_json_set(plan, "product", product))
		bad = 1;
	if (!ask->lab_name)
		ctm_json_free(lab);
	else if (ctm_json_set(plan, "lab", lab))
		bad = 1;
	if (ask->approver && ctm_json_sets(plan, "approver", ask->approver))
		bad = 1;
	return bad ? ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan") : 0;
}

static int add_head(const struct ctm_lab_catalogue *cat, const struct ctm_plan_ask *ask, ctm_json *plan, struct ctm_err *err)
{
	char job[CTM_UUID_MAX], token[CTM_TOKEN_MAX], created[CTM_RFC3339_MAX], declaration[72], catalogue[72], number[CTM_DIGEST_MAX], seed[256];
	int rc;

	ctm_uuid7(job);
	ctm_token(token);
	ctm_time_rfc3339(ask->now_ms, created);
	if ((rc = ctm_json_digest(ask->declaration, declaration, err)) || (rc = ctm_json_digest(cat->root, catalogue, err)))
		return rc;
	snprintf(seed, sizeof seed, "%.90s\n%.90s\n", ask->job ? ask->job : job, ask->challenge ? ask->challenge : token);
	ctm_digest_of(seed, strlen(seed), number);
	if (ctm_json_sets(plan, "format", CTM_PLAN_FORMAT) || ctm_json_setf(plan, "number", "%s-%.12s", ask->rehearsal ? "REHEARSAL" : "TR", number + 7) ||
	    ctm_json_sets(plan, "job", ask->job ? ask->job : job) || ctm_json_sets(plan, "challenge", ask->challenge ? ask->challenge : token) ||
	    ctm_json_setb(plan, "rehearsal", ask->rehearsal) || ctm_json_sets(plan, "created", created) ||
	    ctm_json_sets(plan, "title", "Evaluation against the outcomes of NIST IR 8425") ||
	    ctm_json_sets(plan, "method", "ctm lab checks, derived from NIST IR 8425, ETSI TS 103 701 and ANSI/CTA-2088-A; each check's file is part of the bundle") ||
	    ctm_json_sets(plan, "decision_rule", "An outcome is met on a component when every mandatory check that applies passes and at least one test, inspection or accepted attestation shows the whole of it; it is not met when any mandatory check fails; otherwise it is undetermined. Observations are nominal; no measurement uncertainty enters. A check without its positive control never passes, which keeps the risk of false acceptance low at the price of undetermined outcomes.") ||
	    ctm_json_sets(plan, "declaration", declaration) || ctm_json_sets(plan, "catalogue", catalogue) || ctm_json_set(plan, "deviations", ctm_json_arr()) ||
	    ctm_json_set(plan, "declared", ctm_json_copy(ask->declaration)))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan");
	return 0;
}

int ctm_plan_make(const struct ctm_lab_catalogue *cat, const struct ctm_plan_ask *ask, ctm_json **out, struct ctm_err *err)
{
	CTM_AUTO_JSON *plan = ctm_json_obj();
	struct ctm_jc product = ctm_jc_root(ask->product, "product");
	const char *device = NULL, *text = NULL;
	int rc;

	if (!plan)
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan");
	if ((rc = ctm_jc_is(&product, CTM_J_OBJ, err)) || (rc = ctm_jc_str(&product, "name", 1, 200, &text, err)) || (rc = ctm_jc_str(&product, "model", 1, 64, &text, err)) ||
	    (rc = ctm_declaration_check(ask->declaration, "declaration", err)) || (rc = add_head(cat, ask, plan, err)) || (rc = add_parties(ask, plan, err)) ||
	    (rc = add_components(&product, plan, &device, err)) || (rc = add_targets(ask->targets, plan, err)) || (rc = add_checks(cat, device, plan, err)))
		return rc;
	if (ctm_json_sets(plan, "device", device))
		return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for the plan");
	if ((rc = ctm_plan_check(plan, "plan", cat, err)))
		return rc;
	*out = plan;
	plan = NULL;
	return 0;
}

/* ---- checking ---- */

static int check_planned(const struct ctm_jc *c, const ctm_json *plan, const struct ctm_lab_catalogue *cat, struct ctm_err *err)
{
	const char *id = NULL, *component = NULL, *kind;
	const struct ctm_check *k;
	int64_t version = 0;
	int rc;

	if ((rc = ctm_jc_is(c, CTM_J_OBJ, err)) || (rc = ctm_jc_str(c, "id", 1, 16, &id, err)) || (rc = ctm_jc_int(c, "version", 1, 100000, &version, err)) ||
	    (rc = ctm_jc_str(c, "component", 1, 63, &component, err)))
		return rc;
	if (!(k = ctm_check_find(cat, id)) || k->version != version)
		return ctm_jc_fail(c, err, "the catalogue has no check %s in version %lld", id, (long long)version);
	if (!(kind = ctm_plan_kind(plan, component)) || !ctm_check_on(k, kind))
		return ctm_jc_fail(c, err, "check %s does not run on component \"%s\"", id, component);
	return 0;
}

static int check_component(const struct ctm_jc *c, struct ctm_err *err)
{
	const char *text = NULL;
	size_t kind = 0;
	int rc;

	if ((rc = ctm_jc_str(c, "id", 1, 63, &text, err)) || (rc = ctm_jc_enum(c, "kind", component_kinds, COUNT(component_kinds), &kind, err)))
		return rc;
	return ctm_jc_str(c, "name", 1, 120, &text, err);
}

/* Every check of the catalogue stands in the plan, once: a check that was left out would leave no gap in the matrix where an
 * inspection's PASS stands alone. Leaving one out of a run is the operator's (--only), and makes it NOT_RUN. */
static int check_whole(const struct ctm_jc *list, const struct ctm_lab_catalogue *cat, struct ctm_err *err)
{
	for (size_t i = 0; i < cat->nchecks; i++) {
		size_t n = 0;
		for (size_t k = 0; k < ctm_json_len(list->v); k++)
			n += ctm_streq(ctm_json_gets(ctm_json_at(list->v, k), "id"), cat->checks[i].id);
		if (n != 1)
			return ctm_jc_fail(list, err, n ? "check %s stands in the plan more than once" : "check %s of the catalogue is left out of the plan", cat->checks[i].id);
	}
	return 0;
}

int ctm_plan_check(const ctm_json *plan, const char *file, const struct ctm_lab_catalogue *cat, struct ctm_err *err)
{
	struct ctm_jc c = ctm_jc_root(plan, file), arr, e;
	const char *format = NULL, *text = NULL;
	char digest[72];
	int rc;

	if ((rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_str(&c, "format", 1, 32, &format, err)) || (rc = ctm_jc_str(&c, "number", 4, 64, &text, err)) ||
	    (rc = ctm_jc_str(&c, "job", 1, 64, &text, err)) || (rc = ctm_jc_str(&c, "challenge", 16, 128, &text, err)) || (rc = ctm_jc_str(&c, "device", 1, 63, &text, err)) ||
	    (rc = ctm_jc_str(&c, "declaration", 71, 71, &text, err)) || (rc = ctm_jc_arr(&c, "targets", 1, 64, &arr, err)) ||
	    (rc = each(&c, "components", CTM_PLAN_COMPONENTS, check_component, err)))
		return rc;
	if (strcmp(format, CTM_PLAN_FORMAT) != 0)
		return ctm_jc_fail(&c, err, "format is \"%s\", expected \"%s\"", format, CTM_PLAN_FORMAT);
	if ((rc = ctm_declaration_check(ctm_json_get(plan, "declared"), file, err)) || (rc = ctm_json_digest(ctm_json_get(plan, "declared"), digest, err)))
		return rc;
	if (strcmp(ctm_json_gets(plan, "declaration"), digest) != 0)
		return ctm_fail(err, CTM_E_VERIFY, "/declared", NULL, "the declaration in the plan is not the one of its digest");
	if ((rc = ctm_jc_str(&c, "catalogue", 71, 71, &text, err)) || (rc = ctm_json_digest(cat->root, digest, err)))
		return rc;
	if (strcmp(text, digest) != 0)
		return ctm_fail(err, CTM_E_STATE, "/catalogue", NULL, "the plan was made with another edition of the catalogue; make it again and have it approved");
	if ((rc = ctm_jc_arr(&c, "checks", 1, CTM_CHECKS_MAX, &arr, err)))
		return rc;
	for (size_t i = 0; !rc && i < ctm_json_len(arr.v); i++)
		if (!(rc = ctm_jc_at(&arr, i, &e, err)))
			rc = check_planned(&e, plan, cat, err);
	return rc ? rc : check_whole(&arr, cat, err);
}
