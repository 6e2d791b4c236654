/* SPDX-License-Identifier: Apache-2.0
 *
 * Devices as their maker sees them. Claimed, booted and verified version stay three facts: a device that says "updated" and
 * still runs the old image, or rolled back after the boot, is seen as what it is.
 */
#include "device/device.h"
#include "device/spread.h"
#include "base/id.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "event/timeline.h"
#include "identity/identity.h"
#include "product/product.h"
#include "store/audit.h"
#include <string.h>

void ctm_device_code_hash(const char *serial, const char *code, char out[72])
{
	CTM_AUTO_BUF b = CTM_BUF(1024);
	ctm_buf_printf(&b, "ctm-enrol-code/1\n%s\n%s\n", serial, code);
	ctm_digest_of(ctm_buf_cstr(&b), b.len, out);
}

int ctm_uc_unit_add(struct ctm_cx *cx, ctm_json *out)
{
	const char *component_id = ctm_in(cx, "id"), *serial = ctm_in(cx, "serial"), *code = ctm_in(cx, "code");
	CTM_AUTO_JSON *component = NULL, *after = ctm_json_obj();
	char id[CTM_UUID_MAX], hash[CTM_DIGEST_MAX];
	int rc = ctm_component_mine(cx, component_id, &component);
	if (rc)
		return rc;
	const char *kind = ctm_json_gets(component, "kind");
	if (!ctm_streq(kind, "device") && !ctm_streq(kind, "gateway"))
		return ctm_fail(cx->err, CTM_E_INPUT, "id", NULL, "units are built of a device or gateway, not of a component of kind %s", kind);
	if (strlen(code) < CTM_CODE_MIN)
		return ctm_fail(cx->err, CTM_E_INPUT, "code", NULL, "an enrolment code has at least %d characters", CTM_CODE_MIN);
	ctm_uuid7(id);
	ctm_device_code_hash(serial, code, hash);
	struct ctm_q *q = ctm_q(cx->db, "device.add");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "component", component_id);
	ctm_q_text(q, "serial", serial);
	ctm_q_text(q, "code_hash", hash);
	ctm_q_int(q, "now", cx->now_ms);
	if ((rc = ctm_q_run(q, NULL, cx->err))) {
		if (rc != CTM_E_EXISTS)
			return rc;
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, rc, "serial", NULL, "the serial %s is in use already", serial);
	}
	ctm_json_sets(after, "component_id", component_id);
	ctm_json_sets(after, "serial", serial);
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "device", id, ctm_who_name(cx->who), "Built; waits to enrol.", NULL, cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "device.add", "device", id, NULL, after, cx->err)))
		return rc;
	cx->location = ctm_arena_printf(cx->arena, "/devices/%s", id);
	ctm_json_sets(out, "id", id);
	ctm_json_sets(out, "serial", serial);
	return ctm_json_sets(out, "state", "built");
}

/* Do the versions a device tells about agree? Not before it told any. */
static bool agree(const ctm_json *d)
{
	const char *claimed = ctm_json_gets(d, "claimed_version"), *booted = ctm_json_gets(d, "booted_version"), *verified = ctm_json_gets(d, "verified_version");
	return ctm_streq(claimed, booted) && ctm_streq(booted, verified);
}

int ctm_uc_device_list(struct ctm_cx *cx, ctm_json *out)
{
	const char *serial = ctm_in(cx, "serial");
	CTM_AUTO_JSON *rows = NULL;
	ctm_json *list = ctm_json_arr();
	struct ctm_q *q = ctm_q(cx->db, "device.of_org");
	ctm_q_text(q, "org", cx->who->org_id);
	ctm_q_text(q, "q", serial ? serial : "");
	int rc = ctm_q_rows(q, 200, &rows, cx->err);
	for (size_t i = 0; !rc && i < ctm_json_len(rows); i++) {
		ctm_json *d = ctm_json_copy(ctm_json_at(rows, i));
		ctm_json_setb(d, "versions_agree", agree(d));
		ctm_json_add(list, d);
	}
	if (rc) {
		ctm_json_free(list);
		return rc;
	}
	ctm_json_set(out, "devices", list);
	if (cx->route->view && (rc = ctm_device_spread(cx, cx->who->org_id, out)))
		return rc;
	CTM_AUTO_Q *c = ctm_q(cx->db, "device.count");
	ctm_q_text(c, "org", cx->who->org_id);
	if ((rc = ctm_q_one(c, cx->err)))
		return rc;
	ctm_json_seti(out, "count", ctm_q_i64(c, "count"));
	return ctm_json_set(out, "counts", ctm_q_row(c));
}

/* The row of a device of the asking organisation, as "device.get" gives it. */
static int mine(struct ctm_cx *cx, const char *id, ctm_json **out)
{
	CTM_AUTO_Q *q = ctm_q(cx->db, "device.get");
	ctm_q_text(q, "id", id);
	int rc = ctm_q_one(q, cx->err);
	if (rc && rc != CTM_E_NOTFOUND)
		return rc;
	if (rc || !ctm_streq(ctm_q_str(q, "org_id"), cx->who->org_id)) {
		ctm_err_clear(cx->err);
		return ctm_fail(cx->err, CTM_E_NOTFOUND, "id", NULL, "there is no such device");
	}
	*out = ctm_q_row(q);
	return *out ? 0 : ctm_fail(cx->err, CTM_E_NOMEM, NULL, NULL, "out of memory");
}

int ctm_uc_device_get(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id");
	ctm_json *device = NULL, *lines = NULL, *newest = NULL;
	int rc = mine(cx, id, &device);
	if (rc)
		return rc;
	ctm_json_del(device, "org_id");
	ctm_json_setb(device, "versions_agree", agree(device));
	ctm_json_set(out, "device", device);
	{
		CTM_AUTO_Q *q = ctm_q(cx->db, "release.newest");
		ctm_q_text(q, "component", ctm_json_gets(device, "component_id"));
		bool row = false;
		if ((rc = ctm_q_step(q, &row, cx->err)))
			return rc;
		newest = row ? ctm_json_news(ctm_q_str(q, "version")) : ctm_json_news(NULL);
	}
	ctm_json_set(out, "newest_release", newest);
	if ((rc = ctm_timeline_read(cx->db, "device", id, 200, &lines, cx->err)))
		return rc;
	return ctm_json_set(out, "timeline", lines);
}

int ctm_uc_device_reopen(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id"), *code = ctm_in(cx, "code");
	CTM_AUTO_JSON *device = NULL, *before = ctm_json_obj(), *after = ctm_json_obj();
	char hash[CTM_DIGEST_MAX] = "";
	int64_t changed = 0;
	int rc = mine(cx, id, &device);
	if (rc)
		return rc;
	if (code && strlen(code) < CTM_CODE_MIN)
		return ctm_fail(cx->err, CTM_E_INPUT, "code", NULL, "an enrolment code has at least %d characters", CTM_CODE_MIN);
	if (!code && !*ctm_json_gets(device, "idevid_spki"))
		return ctm_fail(cx->err, CTM_E_INPUT, "code", NULL, "this unit has no identity of its factory: it needs a new one-time code");
	if (code)
		ctm_device_code_hash(ctm_json_gets(device, "serial"), code, hash);
	struct ctm_q *q = ctm_q(cx->db, "device.reopen");
	ctm_q_text(q, "id", id);
	ctm_q_text(q, "code_hash", hash);
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "only an enrolled unit can be let in anew; this one is %s", ctm_json_gets(device, "state"));
	ctm_json_sets(before, "spki_sha256", ctm_json_gets(device, "spki_sha256"));
	ctm_json_sets(before, "state", "enrolled");
	ctm_json_sets(after, "state", "built");
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "device", id, ctm_who_name(cx->who), "May enrol once more; its old key is no longer believed.", NULL, cx->err)) ||
		(rc = ctm_audit(cx->db, cx->now_ms, ctm_who_actor(cx->who), "device.reopen", "device", id, before, after, cx->err)))
		return rc;
	ctm_json_sets(out, "id", id);
	return ctm_json_sets(out, "state", "built");
}

int ctm_uc_device_retire(struct ctm_cx *cx, ctm_json *out)
{
	const char *id = ctm_in(cx, "id");
	CTM_AUTO_JSON *device = NULL;
	int rc = mine(cx, id, &device);
	if (rc)
		return rc;
	struct ctm_q *q = ctm_q(cx->db, "device.retire");
	ctm_q_text(q, "id", id);
	int64_t changed = 0;
	if ((rc = ctm_q_run(q, &changed, cx->err)))
		return rc;
	if (!changed)
		return ctm_fail(cx->err, CTM_E_STATE, "id", NULL, "this device is retired already");
	if ((rc = ctm_timeline_add(cx->db, cx->now_ms, "device", id, ctm_who_name(cx->who), "Retired: its certificate is no longer believed.", NULL, cx->err)) ||
		(rc = ctm_audit_state(cx->db, cx->now_ms, ctm_who_actor(cx->who), "device.retire", "device", id, ctm_json_gets(device, "state"), "retired", cx->err)))
		return rc;
	ctm_json_sets(out, "id", id);
	return ctm_json_sets(out, "state", "retired");
}
