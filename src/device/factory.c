/* SPDX-License-Identifier: Apache-2.0
 *
 * Factory authorities and batches. Serials of one prefix are counted over all batches and makers, since a serial is unique on the
 * platform: two batches begun at the same moment still get different ones, because allotting is a write and writes take turns.
 */
#include "device/factory.h"
#include "base/id.h"
#include "base/text.h"
#include "device/device.h"
#include "event/timeline.h"
#include "identity/identity.h"
#include "product/product.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

#define PEM_MAX (16 << 10)

int ctm_factory_find(struct ctm_db *db, const char *cert_pem, const struct ctm_cert_info *cert, int64_t now_ms, char *id, struct ctm_err *err)
{
	char org[40], device[40];
	{
		CTM_AUTO_Q *q = ctm_q(db, "device.by_serial");
		ctm_q_text(q, "serial", cert->serial_number);
		int rc = ctm_q_one(q, err);
		if (rc)
			return rc;
		const char *told = ctm_q_str(q, "idevid_spki");
		if (ctm_streq(ctm_q_str(q, "state"), "retired") || (*told && !ctm_streq(told, cert->spki_sha256)))
			return ctm_fail(err, CTM_E_NOTFOUND, NULL, NULL, "this is not the identity that the factory gave to %s", cert->serial_number);
		ctm_copy(org, sizeof org, ctm_q_str(q, "org_id"));
		ctm_copy(device, sizeof device, ctm_q_str(q, "id"));
	}
	CTM_AUTO_Q *q = ctm_q(db, "factory_ca.active");
	ctm_q_text(q, "org", org);
	for (bool row = true;;) {
		int rc = ctm_q_step(q, &row, err);
		if (rc)
			return rc;
		if (!row)
			return ctm_fail(err, CTM_E_NOTFOUND, NULL, NULL, "no factory authority of the maker vouches for this certificate");
		if (ctm_cert_verify(cert_pem, strlen(cert_pem), ctm_q_str(q, "pem"), now_ms, NULL) == 0)
			break;
	}
	memcpy(id, device, sizeof device);
	return 0;
}

/* ---- authorities ---- */

int ctm_uc_factory_ca_add(struct ctm_cx *cx, ctm_json *out)
{
	const char *pem = ctm_in(cx, "pem"), *name = ctm_in(cx, "name");
	CTM_AUTO_JSON *after = ctm_json_obj(), *have = NULL;
	struct ctm_cert_info info;
	char id[CTM_UUID_MAX];
	int rc = ctm_cert_read(pem, strlen(pem), &info, cx->err);
	if (rc)
		return ctm_fail_prefix(cx->err, "pem");
	if (!info.is_ca || !ctm_streq(info.key_type, "EC P-256"))
		return ctm_fail(cx->err, CTM_E_INPUT, "pem", "IEEE 802.1AR", "this is not the certificate of an authority with a P-256 key");
	if (info.not_after_ms <= cx->now_ms)
		return ctm_fail(cx->err, CTM_E_EXPIRED, "pem", NULL, "this authority's certificate has ended");
	if ((rc = ctm_cert_verify(pem, strlen(pem), pem, cx->now_ms, cx->err)))
		return ctm_fail_prefix(cx->err, "the certificate must be signed by its own key");
	struct ctm_q *q = ctm_q(cx->db, "factory_ca.active");
	ctm_q_text(q, "org", cx->who->org_id);
	if ((rc = ctm_q_rows(q, CTM_FACTORY_CAS + 1, &have, cx->err)))
		return rc;
	if (ctm_json_len(have) >= CTM_FACTORY_CAS)
		return ctm_fail(cx->err, CTM_E_STATE, "pem", NULL, "there are %d factory authorities; retire one first", CTM_FACTORY_CAS);
	ctm_uuid7(id);
	q = ctm_q(cx->db, "factory_ca.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "org", cx->who->org_id);
	ctm_q_text(q, "name", name);
	ctm_q_text(q, "pem", pem);
	ctm_q_text(q, "spki", info.spki_sha256);
	ctm_q_int(q, "not_after", info.not_after_ms);
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err))) {
		if (rc != CTM_E_EXISTS)
			return rc;
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "pem", NULL, "this authority is known already");
	}
	ctm_json_sets(after, "name", name);
	ctm_json_sets(after, "spki_sha256", info.spki_sha256);
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "factory_ca.add", "factory_ca", id, NULL, after, cx->err)))
		return rc;
	ctm_json_sets(out, "id", id);
	return ctm_json_sets(out, "spki_sha256", info.spki_sha256);
}

int ctm_uc_factory_ca_list(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *list = NULL;
	struct ctm_q *q = ctm_q(cx->db, "factory_ca.of_org");
	ctm_q_text(q, "org", cx->who->org_id);
	int rc = ctm_q_rows(q, 200, &list, cx->err);
	return rc ? rc : ctm_json_set(out, "authorities", list);
}

static int no_such(struct ctm_cx *cx, const char *what)
{
	ctm_err_clear(cx->err);
	return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such %s", what);
}

int ctm_uc_factory_ca_retire(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id");
	CTM_AUTO_JSON *before = NULL, *after = ctm_json_obj();
	int64_t changed = 0;
	int rc;
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "factory_ca.get");
		ctm_q_text(q, "id", id);
		rc = ctm_q_one(q, cx->err);
		if (rc && rc != CTM_E_NOTFOUND)
			return rc;
		if (rc || !ctm_streq(ctm_q_str(q, "org_id"), cx->who->org_id))
			return no_such(cx, "factory authority");
		before = ctm_q_row(q);
	}
	struct ctm_q *q = ctm_q(cx->db, "factory_ca.retire");
	ctm_q_text(q, "id", id);
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "this factory authority is retired already");
	ctm_json_sets(after, "state", "retired");
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "factory_ca.retire", "factory_ca", id, before, after, cx->err)))
		return rc;
	ctm_json_sets(out, "id", id);
	return ctm_json_sets(out, "state", "retired");
}

/* ---- batches ---- */

static void serial_of(char out[80], const char *prefix, int64_t number, int64_t digits)
{
	snprintf(out, 80, "%.40s%0*lld", prefix, (int)digits, (long long)number);
}

int ctm_uc_batch_add(struct ctm_cx *cx, ctm_json *out)
{
	const char *component_id = ctm_in(cx, "id"), *prefix = ctm_in(cx, "prefix"), *name = ctm_in(cx, "name");
	int64_t units = ctm_in_int(cx, "units", 0), digits = ctm_in_int(cx, "digits", 6), first, most = 1;
	CTM_AUTO_JSON *component = NULL, *after = ctm_json_obj();
	char id[CTM_UUID_MAX], from[80], to[80];
	int rc = ctm_component_mine(cx, component_id, &component);
	if (rc)
		return rc;
	const char *kind = ctm_json_gets(component, "kind");
	if (!ctm_streq(kind, "device") && !ctm_streq(kind, "gateway"))
		return ctm_fail(cx->err, CTM_E_INPUT, "id", NULL, "units are built of a device or gateway, not of a component of kind %s", kind);
	if (units < 1 || digits < 3 || digits > 12)
		return ctm_fail(cx->err, CTM_E_INPUT, units < 1 ? "units" : "digits", NULL, "a batch has 1 to %d units and serials of 3 to 12 digits", CTM_BATCH_UNITS);
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "batch.next");
		ctm_q_text(q, "prefix", prefix);
		if ((rc = ctm_q_one(q, cx->err)))
			return rc;
		first = ctm_q_i64(q, "next");
	}
	for (int64_t i = 0; i < digits; i++)
		most *= 10;
	if (first + units > most)
		return ctm_fail(cx->err, CTM_E_INPUT, "digits", NULL, "the numbers under %s are used up at %lld digits; take more digits or another prefix", prefix, (long long)digits);
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(cx->db, "batch.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "component", component_id);
	ctm_q_text(q, "name", name);
	ctm_q_text(q, "prefix", prefix);
	ctm_q_int(q, "first", first);
	ctm_q_int(q, "units", units);
	ctm_q_int(q, "digits", digits);
	ctm_q_int(q, "now", cx->now_ms);
	ctm_q_text(q, "by", ctm_who_name(cx->who));
	if ((rc = ctm_q_run(q, NULL, cx->err)))
		return rc;
	serial_of(from, prefix, first, digits);
	serial_of(to, prefix, first + units - 1, digits);
	ctm_json_sets(after, "component_id", component_id);
	ctm_json_sets(after, "first", from);
	ctm_json_sets(after, "last", to);
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "batch.add", "batch", id, NULL, after, cx->err)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/devices/batches/%s", id);
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "prefix", prefix);
	ctm_json_seti(out, "first_number", first);
	ctm_json_seti(out, "digits", digits);
	ctm_json_seti(out, "units", units);
	ctm_json_sets(out, "first", from);
	return ctm_json_sets(out, "last", to);
}

static int set_range(ctm_json *b)
{
	char from[80], to[80];
	const char *prefix = ctm_json_gets(b, "prefix");
	int64_t first = ctm_json_geti(b, "first", 0), units = ctm_json_geti(b, "units", 0), digits = ctm_json_geti(b, "digits", 6);
	serial_of(from, prefix, first, digits);
	serial_of(to, prefix, first + units - 1, digits);
	return ctm_json_sets(b, "from_serial", from) | ctm_json_sets(b, "to_serial", to);
}

int ctm_uc_batch_list(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *rows = NULL;
	ctm_json *list = ctm_json_arr();
	struct ctm_q *q = ctm_q(cx->db, "batch.of_org");
	ctm_q_text(q, "org", cx->who->org_id);
	int rc = ctm_q_rows(q, 200, &rows, cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		ctm_json *b = ctm_json_copy(ctm_json_at(rows, i));
		set_range(b);
		ctm_json_add(list, b);
	}
	if (rc) {
		ctm_json_free(list);
		return rc;
	}
	return ctm_json_set(out, "batches", list);
}

static int batch_mine(struct ctm_cx *cx, ctm_json **out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "batch.get");
	ctm_q_text(q, "id", ctm_in(cx, "id"));
	int rc = ctm_q_one(q, cx->err);
	if (rc && rc != CTM_E_NOTFOUND)
		return rc;
	if (rc || !ctm_streq(ctm_q_str(q, "org_id"), cx->who->org_id))
		return no_such(cx, "batch");
	*out = ctm_q_row(q);
	return *out ? 0 : ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

/* Built against enrolled: how many of each, and the first of those that have not arrived or are suspect. */
int ctm_uc_batch_get(struct ctm_cx *cx, ctm_json *out)
{
	ctm_json *b = NULL, *waiting = NULL, *counts = NULL;
	int rc = batch_mine(cx, &b);
	if (rc)
		return rc;
	set_range(b);
	ctm_json_del(b, "org_id");
	ctm_json_set(out, "batch", b);
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "batch.count");
		ctm_q_text(q, "id", ctm_in(cx, "id"));
		if ((rc = ctm_q_one(q, cx->err)))
			return rc;
		counts = ctm_q_row(q);
	}
	ctm_json_seti(counts, "unrecorded", ctm_json_geti(b, "units", 0) - ctm_json_geti(counts, "recorded", 0));
	ctm_json_seti(counts, "waiting", ctm_json_geti(counts, "recorded", 0) - ctm_json_geti(counts, "enrolled", 0));
	ctm_json_set(out, "counts", counts);
	struct ctm_q *q = ctm_q(cx->db, "batch.waiting");
	ctm_q_text(q, "id", ctm_in(cx, "id"));
	if ((rc = ctm_q_rows(q, 200, &waiting, cx->err)))
		return rc;
	return ctm_json_set(out, "waiting", waiting);
}

/* ---- units of a batch ---- */

struct unit_in { const char *serial, *code_hash, *idevid; };

/* The serial is prefix and number of this batch, in its one spelling. */
static bool in_batch(const ctm_json *b, const char *serial)
{
	const char *prefix = ctm_json_gets(b, "prefix");
	size_t n = strlen(prefix);
	int64_t digits = ctm_json_geti(b, "digits", 6), number = 0, first = ctm_json_geti(b, "first", 0);
	if (strncmp(serial, prefix, n) || strlen(serial) != n + (size_t)digits || strspn(serial + n, "0123456789") != (size_t)digits)
		return false;
	for (const char *p = serial + n; *p; p++)
		number = number * 10 + (*p - '0');
	return number >= first && number < first + ctm_json_geti(b, "units", 0);
}

static int read_unit(const struct ctm_jc *list, size_t i, const ctm_json *b, struct unit_in *u, struct ctm_err *err)
{
	static const char *const keys[] = { "serial", "code_hash", "idevid" };
	struct ctm_jc at, bad;
	int rc = ctm_jc_at(list, i, &at, err);
	rc = rc ? rc : ctm_jc_is(&at, CTM_J_OBJ, err);
	rc = rc ? rc : ctm_jc_only(&at, keys, 3, err);
	rc = rc ? rc : ctm_jc_str(&at, "serial", 1, 64, &u->serial, err);
	rc = rc ? rc : ctm_jc_opt_str(&at, "code_hash", 71, &u->code_hash, err);
	rc = rc ? rc : ctm_jc_opt_str(&at, "idevid", PEM_MAX, &u->idevid, err);
	if (rc)
		return rc;
	(void)ctm_jc_has(&at, "serial", &bad);
	if (!in_batch(b, u->serial))
		return ctm_jc_fail(&bad, err, "%s is not a serial of this batch", u->serial);
	if (u->code_hash && !ctm_digest_ok(u->code_hash))
		return ctm_jc_fail(&at, err, "code_hash must be sha256: and 64 hex digits");
	return u->code_hash || u->idevid ? 0 : ctm_jc_fail(&at, err, "%s has neither a code nor an IDevID: it could never enrol", u->serial);
}

/* An IDevID told by the station: of this serial, of a key nobody else has, under an authority of the maker. */
static int read_idevid(struct ctm_cx *cx, const struct unit_in *u, struct ctm_cert_info *info)
{
	bool row = false;
	int rc = ctm_cert_read(u->idevid, strlen(u->idevid), info, cx->err);
	if (rc)
		return ctm_fail_prefix(cx->err, "%s", u->serial);
	if (!ctm_streq(info->serial_number, u->serial))
		return ctm_fail(cx->err, CTM_E_INPUT, "idevid", "IEEE 802.1AR", "the IDevID of %s names the serial \"%.40s\"", u->serial, info->serial_number);
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "device.idevid_taken");
		ctm_q_text(q, "spki", info->spki_sha256);
		if ((rc = ctm_q_step(q, &row, cx->err)))
			return rc;
		if (row)
			return ctm_fail(cx->err, CTM_E_EXISTS, "idevid", NULL, "%s and %s have the same key; every unit needs one of its own", u->serial, ctm_q_str(q, "serial"));
	}
	struct ctm_err why = { 0 };
	CTM_AUTO_Q *q = ctm_q(cx->db, "factory_ca.active");
	ctm_q_text(q, "org", cx->who->org_id);
	while ((rc = ctm_q_step(q, &row, cx->err)) == 0 && row) {
		ctm_err_clear(&why);
		if (ctm_cert_verify(u->idevid, strlen(u->idevid), ctm_q_str(q, "pem"), cx->now_ms, &why) == 0)
			return 0;
	}
	return rc ? rc : ctm_fail(cx->err, CTM_E_VERIFY, "idevid", NULL, "no factory authority of yours vouches for the IDevID of %s (%.120s)", u->serial,
		why.code ? why.msg : "none is known; add it first");
}

static int add_unit(struct ctm_cx *cx, const ctm_json *b, const struct unit_in *u)
{
	struct ctm_cert_info info = { 0 };
	char id[CTM_UUID_MAX];
	int rc = u->idevid ? read_idevid(cx, u, &info) : 0;
	if (rc)
		return rc;
	ctm_uuid7(id);
	struct ctm_q *q = ctm_q(cx->db, "device.add_built");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "component", ctm_json_gets(b, "component_id"));
	ctm_q_text(q, "serial", u->serial);
	ctm_q_text(q, "code_hash", u->code_hash ? u->code_hash : "");
	ctm_q_int(q, "now", cx->now_ms);
	ctm_q_text(q, "batch", ctm_json_gets(b, "id"));
	ctm_q_text(q, "idevid", info.spki_sha256);
	if ((rc = ctm_q_run(q, NULL, cx->err))) {
		if (rc != CTM_E_EXISTS)
			return rc;
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "serial", NULL, "the serial %s is recorded already", u->serial);
	}
	return ctm_timeline_add(cx->db, cx->now_ms, "device", id, ctm_who_name(cx->who), u->idevid ? "Built, with an identity of the factory; waits to enrol." : "Built; waits to enrol.",
		NULL, cx->err);
}

int ctm_uc_batch_units(struct ctm_cx *cx, ctm_json *out)
{
	CTM_AUTO_JSON *b = NULL, *after = ctm_json_obj();
	struct ctm_jc root = ctm_jc_root(cx->body, "units"), list;
	int rc = batch_mine(cx, &b);
	rc = rc ? rc : ctm_jc_is(&root, CTM_J_OBJ, cx->err);
	rc = rc ? rc : ctm_jc_arr(&root, "units", 1, CTM_BATCH_PART, &list, cx->err);
	size_t n = rc ? 0 : ctm_json_len(list.v);
	for (size_t i = 0; !rc && i < n; i++) {
		struct unit_in u = { 0 };
		rc = read_unit(&list, i, b, &u, cx->err);
		rc = rc ? rc : add_unit(cx, b, &u);
	}
	if (rc)
		return rc;
	ctm_json_seti(after, "recorded", (int64_t)n);
	if ((rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "batch.units", "batch", ctm_in(cx, "id"), NULL, after, cx->err)))
		return rc;
	return ctm_json_seti(out, "recorded", (int64_t)n);
}
