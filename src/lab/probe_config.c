/* SPDX-License-Identifier: Apache-2.0
 *
 * Probes of settings: writing without authority (C09), an authorised change (R01), invalid values (R08). Each reads the
 * configuration back through the owner's session before and after, and puts back what it changed.
 */
#include "lab/probe.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define LONG_TEXT 70000

static int oom(struct ctm_err *err)
{
	return ctm_fail(err, CTM_E_NOMEM, NULL, NULL, "no memory for an observation");
}

static int put_config(struct ctm_run *r, const char *step, enum lab_auth auth, const ctm_json *body, int *status, struct ctm_err *err)
{
	LAB_AUTO_REPLY a = { 0 };
	int rc = lab_do(r, &(struct lab_call){ .step = step, .method = "PUT", .path = "/ctm/v1/config", .auth = auth, .body = body }, &a, err);

	if (!rc && status)
		*status = a.status;
	return rc;
}

/* A valid value of the setting other than `now`; NULL when there is none. */
static ctm_json *another_value(const ctm_json *setting, const ctm_json *now)
{
	const char *type = ctm_json_gets(setting, "type");
	const ctm_json *values = ctm_json_get(setting, "values");

	if (ctm_streq(type, "bool"))
		return ctm_json_newb(!ctm_json_bool(now, false));
	if (ctm_streq(type, "int")) {
		int64_t min = ctm_json_geti(setting, "min", 0), max = ctm_json_geti(setting, "max", 100), v = ctm_json_int(now, min);
		return min == max ? NULL : ctm_json_newi(v < max ? v + 1 : min);
	}
	for (size_t i = 0; ctm_streq(type, "enum") && i < ctm_json_len(values); i++)
		if (!ctm_streq(ctm_json_str(ctm_json_at(values, i)), ctm_json_str(now)))
			return ctm_json_copy(ctm_json_at(values, i));
	return ctm_streq(type, "text") ? ctm_json_news("bench") : NULL;
}

/* {name: another value} for every declared setting that has one, from the configuration `now`. */
ctm_json *lab_changed_config(const struct ctm_run *r, const ctm_json *now)
{
	const ctm_json *settings = ctm_json_get(r->declaration, "settings");
	ctm_json *out = ctm_json_obj();

	for (size_t i = 0; i < ctm_json_len(settings) && out; i++) {
		const ctm_json *s = ctm_json_at(settings, i);
		const char *name = ctm_json_gets(s, "name");
		ctm_json *v = name ? another_value(s, ctm_json_get(now, name)) : NULL;
		if (v && ctm_json_set(out, name, v)) {
			ctm_json_free(out);
			return NULL;
		}
	}
	return out;
}

/* ---- C09 ---- */

static int send_open(struct ctm_run *r, const char *who, enum lab_auth auth, const ctm_json *change, struct ctm_err *err)
{
	CTM_AUTO_JSON *pw = ctm_json_obj();
	static const char *const what[5] = { "config", "userdata", "userdata-delete", "password", "userdata-read" };
	char step[5][48];
	int rc;

	for (int i = 0; i < 5; i++)
		snprintf(step[i], sizeof step[i], "open/%s/%s", who, what[i]);
	if (!pw || ctm_json_sets(pw, "old", "not-the-password") || ctm_json_sets(pw, "new", "Chosen-by-a-stranger-1"))
		return oom(err);
	if ((rc = put_config(r, step[0], auth, change, NULL, err)) ||
	    (rc = lab_put_text(r, step[1], "/ctm/v1/userdata/bench-open", auth, "stranger", err)) ||
	    (rc = lab_do(r, &(struct lab_call){ .step = step[4], .method = "GET", .path = "/ctm/v1/userdata/bench-kept", .auth = auth }, NULL, err)) ||
	    (rc = lab_do(r, &(struct lab_call){ .step = step[2], .method = "DELETE", .path = "/ctm/v1/userdata/bench-kept", .auth = auth }, NULL, err)) ||
	    (rc = lab_do(r, &(struct lab_call){ .step = step[3], .method = "PUT", .path = "/ctm/v1/password", .auth = auth, .body = pw }, NULL, err)))
		return rc;
	return 0;
}

CTM_PROBE(open_write)
{
	CTM_AUTO_JSON *before = NULL, *change = NULL, *after = NULL;
	bool ok = false;
	int rc = lab_owner(r, &ok, err), status = 0;

	if (rc || !ok)
		return rc;
	if ((rc = lab_put_text(r, "owner/userdata", "/ctm/v1/userdata/bench-kept", LAB_OWNER, "kept", err)) ||
	    (rc = lab_config(r, "config/before", &before, err)) || !before)
		return rc;
	if (!(change = lab_changed_config(r, before)))
		return oom(err);
	if ((rc = send_open(r, "nobody", LAB_NONE, change, err)) || (rc = send_open(r, "invented", LAB_BOGUS, change, err)) ||
	    (rc = lab_owner(r, &ok, err)) || !ok || (rc = lab_config(r, "config/after", &after, err)) ||
	    (rc = lab_do(r, &(struct lab_call){ .step = "owner/userdata-after", .method = "GET", .path = "/ctm/v1/userdata/bench-kept", .auth = LAB_OWNER }, NULL, err)) ||
	    (rc = put_config(r, "control/config", LAB_OWNER, change, &status, err)) ||
	    (rc = put_config(r, "restore/config", LAB_OWNER, before, NULL, err)))
		return rc;
	return lab_do(r, &(struct lab_call){ .step = "restore/userdata", .method = "DELETE", .path = "/ctm/v1/userdata/bench-kept", .auth = LAB_OWNER }, NULL, err);
}

/* ---- R01 ---- */

CTM_PROBE(config_apply)
{
	CTM_AUTO_JSON *before = NULL, *change = NULL, *after = NULL, *restored = NULL;
	bool ok = false;
	int rc = lab_owner(r, &ok, err);

	if (rc || !ok || (rc = lab_config(r, "config/before", &before, err)) || !before)
		return rc;
	if (!(change = lab_changed_config(r, before)))
		return oom(err);
	if ((rc = put_config(r, "apply", LAB_OWNER, change, NULL, err)) || (rc = lab_config(r, "config/after", &after, err)) ||
	    (rc = put_config(r, "restore", LAB_OWNER, before, NULL, err)))
		return rc;
	return lab_config(r, "config/restored", &restored, err);
}

/* ---- R08 ---- */

static int bad_value(struct ctm_run *r, const char *name, const char *what, ctm_json *v, struct ctm_err *err)
{
	CTM_AUTO_JSON *body = ctm_json_obj(), *now = NULL;
	char step[96];
	int rc, status = 0;

	snprintf(step, sizeof step, "bad/%.40s/%s", name, what);
	if (!body || !v || ctm_json_set(body, name, v))
		return oom(err);
	rc = put_config(r, step, LAB_OWNER, body, &status, err);
	if (!rc && status >= 200 && status < 300) {
		snprintf(step, sizeof step, "taken/%.40s/%s", name, what);
		rc = lab_config(r, step, &now, err);
	}
	return rc;
}

static int bad_int(struct ctm_run *r, const char *name, const ctm_json *s, struct ctm_err *err)
{
	int rc = 0;

	if (ctm_json_get(s, "min"))
		rc = bad_value(r, name, "below the minimum", ctm_json_newi(ctm_json_geti(s, "min", 0) - 1), err);
	if (!rc && ctm_json_get(s, "max"))
		rc = bad_value(r, name, "above the maximum", ctm_json_newi(ctm_json_geti(s, "max", 0) + 1), err);
	if (!rc)
		rc = bad_value(r, name, "beyond 63 bits", ctm_json_newi(INT64_MIN), err);
	return rc ? rc : bad_value(r, name, "text", ctm_json_news("5; reboot"), err);
}

static int bad_text(struct ctm_run *r, const char *name, const ctm_json *s, struct ctm_err *err)
{
	int64_t max = ctm_json_geti(s, "max", 64);
	CTM_AUTO_BUF b = CTM_BUF(LONG_TEXT + 1);
	int rc;

	for (int64_t i = 0; i <= max && i < LONG_TEXT; i++)
		ctm_buf_chr(&b, 'A');
	if ((rc = bad_value(r, name, "one longer than the maximum", ctm_json_news(ctm_buf_cstr(&b)), err)) ||
	    (rc = bad_value(r, name, "number", ctm_json_newi(7), err)))
		return rc;
	return bad_value(r, name, "control characters", ctm_json_news("line\none\x1b[31m"), err);
}

static int bad_values(struct ctm_run *r, const ctm_json *s, struct ctm_err *err)
{
	const char *name = ctm_json_gets(s, "name"), *type = ctm_json_gets(s, "type");
	int rc = 0;

	if (!name)
		return 0;
	if (ctm_streq(type, "int"))
		rc = bad_int(r, name, s, err);
	else if (ctm_streq(type, "text"))
		rc = bad_text(r, name, s, err);
	else if (ctm_streq(type, "bool"))
		rc = bad_value(r, name, "text", ctm_json_news("true"), err);
	else if (ctm_streq(type, "enum"))
		rc = bad_value(r, name, "no such choice", ctm_json_news("%n%n$(reboot)"), err);
	return rc ? rc : bad_value(r, name, "array", ctm_json_arr(), err);
}

CTM_PROBE(config_invalid)
{
	const ctm_json *settings = ctm_json_get(r->declaration, "settings");
	CTM_AUTO_JSON *before = NULL, *after = NULL, *change = NULL;
	bool ok = false;
	int rc = lab_owner(r, &ok, err);

	if (rc || !ok || (rc = lab_config(r, "config/before", &before, err)) || !before)
		return rc;
	for (size_t i = 0; i < ctm_json_len(settings) && i < 16 && !rc; i++)
		rc = bad_values(r, ctm_json_at(settings, i), err);
	if (!rc)
		rc = bad_value(r, "no_such_setting", "unknown name", ctm_json_newi(1), err);
	if (rc || (rc = lab_config(r, "config/after", &after, err)))
		return rc;
	if (!(change = lab_changed_config(r, before)))
		return oom(err);
	if ((rc = put_config(r, "control/valid", LAB_OWNER, change, NULL, err)))
		return rc;
	return put_config(r, "restore", LAB_OWNER, before, NULL, err);
}
