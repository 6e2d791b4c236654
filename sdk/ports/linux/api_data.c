/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings, user data, update and reset of the local administration interface.
 */
#include "agent.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Settings */

static json_t *setting_json(const struct ctm_setting *s, const struct ctm_value *v)
{
	switch (s->type) {
	case CTM_SET_BOOL: return json_boolean(v->i);
	case CTM_SET_TEXT: return json_string(v->text);
	case CTM_SET_ENUM: return v->i >= 0 && (uint64_t)v->i < s->nvalues ? json_string(s->values[v->i]) : json_integer(v->i);
	default: return json_integer(v->i);
	}
}

void api_config_get(struct agent *a, struct request *q, struct reply *r)
{
	json_t *o = json_object();

	for (size_t i = 0; o && i < a->config.n; i++)
		json_object_set_new(o, a->config.schema[i].name, setting_json(&a->config.schema[i], &a->config.value[i]));
	api_json(r, 200, o);
}

static int value_of(const struct ctm_setting *s, const json_t *v, struct ctm_value *out)
{
	const char *text = json_string_value(v);

	memset(out, 0, sizeof *out);
	if (s->type == CTM_SET_BOOL && json_is_boolean(v)) {
		out->i = json_is_true(v);
		return 0;
	}
	if (s->type == CTM_SET_INT && json_is_integer(v)) {
		out->i = json_integer_value(v);
		return 0;
	}
	if (!text || strlen(text) != json_string_length(v))
		return CTM_SDK_INPUT;
	if (s->type == CTM_SET_TEXT && strlen(text) <= CTM_SETTING_TEXT) {
		memcpy(out->text, text, strlen(text) + 1);
		return 0;
	}
	for (size_t i = 0; s->type == CTM_SET_ENUM && i < s->nvalues; i++)
		if (strcmp(s->values[i], text) == 0) {
			out->i = (int64_t)i;
			return 0;
		}
	return CTM_SDK_INPUT;
}

static void bad_setting(struct reply *r, const struct ctm_setting *s)
{
	char text[160];

	if (s->type == CTM_SET_BOOL)
		snprintf(text, sizeof text, "%s must be true or false; nothing was changed.", s->name);
	else if (s->type == CTM_SET_ENUM)
		snprintf(text, sizeof text, "%s must be one of its %u words; nothing was changed.", s->name, (unsigned)s->nvalues);
	else
		snprintf(text, sizeof text, "%s must be %s %lld to %lld%s; nothing was changed.", s->name, s->type == CTM_SET_INT ? "a whole number from" : "a text of",
			 (long long)s->min, (long long)s->max, s->type == CTM_SET_INT ? "" : " bytes");
	api_error(r, 422, "INPUT", s->name, text);
}

/* The names that were set, for the log; never their values. */
static void add_word(char *list, size_t cap, const char *word)
{
	size_t n = strlen(list);

	snprintf(list + n, cap - n, "%s%s", n ? " " : "", word);
}

void api_config_put(struct agent *a, struct request *q, struct reply *r)
{
	json_t *o = api_body(q, r, NULL, 0), *v;
	struct ctm_value next[CTM_SETTINGS_MAX];
	char names[CTM_LOG_DETAIL + 1] = "";
	struct ctm_change change;
	const char *key;
	size_t bad = 0;
	int rc;

	if (!o)
		return;
	memcpy(next, a->config.value, sizeof next);
	json_object_foreach(o, key, v) {
		int i = ctm_config_find(&a->config, key, strlen(key));

		if (i < 0) {
			api_error(r, 422, "UNKNOWN", key, "There is no such setting; nothing was changed.");
			break;
		}
		if (value_of(&a->config.schema[i], v, &next[i]) ||
		    (!DEFECT(CONFIG_ANY) && ctm_config_check(&a->config.schema[i], &next[i]))) {
			bad_setting(r, &a->config.schema[i]);
			break;
		}
		add_word(names, sizeof names, key);
	}
	json_decref(o);
	if (r->status)
		return;
	change = (struct ctm_change){ .values = next, .writer = CTM_WRITER_OWNER };
	rc = ctm_config_change(&a->config, &change, &bad);
	if (DEFECT(CONFIG_ANY) && rc == CTM_SDK_INPUT) {
		memcpy(a->config.value, next, sizeof next);
		rc = 0;
	}
	if (rc == CTM_SDK_AUTH) {
		api_error(r, 422, "INPUT", a->config.schema[bad].name, "This setting is not the owner's to change; nothing was changed.");
		return;
	}
	if (rc) {
		api_error(r, api_http_status(rc), ctm_sdk_name(rc), NULL, "The settings could not be stored; the old ones hold.");
		return;
	}
	agent_event(a, "config.changed", names);
	api_config_get(a, q, r);
}

/* User data */

void api_userdata_list(struct agent *a, struct request *q, struct reply *r)
{
	json_t *list = json_array();
	int rc = list ? userdata_names(a, list) : CTM_SDK_FAIL;

	if (rc)
		api_error(r, api_http_status(rc), ctm_sdk_name(rc), NULL, ctm_sdk_text(rc));
	else
		api_json(r, 200, json_pack("{s:O}", "names", list));
	json_decref(list);
}

static int put_text(struct agent *a, const char *name, struct request *q, struct reply *r)
{
	static const char *const members[] = { "text" };
	json_t *o = api_body(q, r, members, 1);
	const json_t *t = json_object_get(o, "text");
	int rc;

	if (!o)
		return 0;
	if (!json_is_string(t) || json_string_length(t) > USERDATA_TEXT) {
		api_error(r, 422, "INPUT", "text", "A text of at most 4096 bytes is needed; nothing was changed.");
		json_decref(o);
		return 0;
	}
	rc = userdata_put(a, name, json_string_value(t), json_string_length(t));
	json_decref(o);
	if (rc == CTM_SDK_TOOBIG) {
		api_error(r, 422, "TOOBIG", "name", "64 texts are kept at most; delete one first.");
		return 0;
	}
	if (!rc)
		r->status = 204;
	return rc;
}

static int get_text(struct agent *a, const char *name, struct reply *r)
{
	char text[USERDATA_TEXT + 1];
	size_t n = 0;
	int rc = userdata_get(a, name, text, sizeof text, &n);

	if (!rc)
		api_json(r, 200, json_pack("{s:s, s:s%}", "name", name, "text", text, n));
	ctm_sdk_wipe(text, sizeof text);
	return rc;
}

void api_userdata(struct agent *a, struct request *q, struct reply *r)
{
	const char *name = q->head.path + strlen("/ctm/v1/userdata/");
	int rc;

	if (!userdata_name_ok(name)) {
		api_error(r, 422, "INPUT", "name", "A name is 1 to 32 of a-z, 0-9, '-' and '_'.");
		return;
	}
	if (q->head.method[0] == 'P')
		rc = put_text(a, name, q, r);
	else if (q->head.method[0] == 'G')
		rc = get_text(a, name, r);
	else if (!(rc = userdata_del(a, name)))
		r->status = 204;
	if (rc)
		api_error(r, api_http_status(rc), ctm_sdk_name(rc), "name", rc == CTM_SDK_NONE ? "Nothing is stored under that name." : ctm_sdk_text(rc));
}

/* Update */

static void update_refused(struct agent *a, struct reply *r, int rc, const char *reason)
{
	char detail[CTM_LOG_DETAIL + 1];
	json_t *o = json_pack("{s:s, s:s, s:s+}", "error", ctm_sdk_name(rc), "reason", reason, "message",
			      "The update was refused and the version that runs was kept: ", ctm_sdk_text(rc));

	snprintf(detail, sizeof detail, "%s: %s", reason, ctm_sdk_name(rc));
	agent_event(a, "update.refused", detail);
	api_json(r, rc == CTM_SDK_STORAGE ? 507 : 422, o);
}

static void installed(struct agent *a, struct reply *r, const char *version)
{
	agent_event(a, "update.installed", version);
	snprintf(a->claimed, sizeof a->claimed, "%s", version);
	api_json(r, 200, json_pack("{s:s}", "version", a->claimed));
}

/* The lying unit reads the version out of the package and stops there. */
static bool lie(struct agent *a, struct reply *r, struct ctm_bytes manifest)
{
	struct ctm_manifest m;
	char version[CTM_VERSION_MAX + 1] = "";

	if (!DEFECT(LYING_VERSION) || ctm_manifest_peek(manifest.p, manifest.n, &m))
		return false;
	memcpy(version, m.version.p, m.version.n);
	installed(a, r, version);
	return true;
}

void api_update(struct agent *a, struct request *q, struct reply *r)
{
	struct ctm_bytes manifest, image;
	const char *reason = "package";
	bool fell_back = false;
	int rc = ctm_package_split((const uint8_t *)q->body, q->n, &manifest, &image);

	if (!rc && DEFECT(DEAD_UPDATE))
		rc = CTM_SDK_STATE;
	if (!rc && lie(a, r, manifest))
		return;
	if (!rc)
		rc = ctm_update_install(&a->update, manifest, image, &reason);
	if (rc) {
		update_refused(a, r, rc, reason);
		return;
	}
	/* The trial boot of the new image, here and now; then the process starts afresh from it. */
	rc = ctm_update_boot(&a->update, &fell_back);
	a->storage_trouble |= rc == CTM_SDK_STORAGE;
	if (rc || fell_back) {
		update_refused(a, r, rc ? rc : CTM_SDK_FAIL, fell_back ? "trial" : "boot");
		return;
	}
	installed(a, r, a->update.booted);
	r->close = true;
	a->reboot = true;
}

/* Reset. A record says that one is under way, so that pulling the plug does not leave it half done. */

#define RESET_RECORD "reset"

int agent_reset_pending(struct agent *a)
{
	char b[8];
	size_t n;

	return ctm_record_load(&a->port, RESET_RECORD, b, sizeof b, &n) == 0;
}

int agent_reset(struct agent *a)
{
	struct ctm_session kept[CTM_SESSIONS];
	int rc = ctm_record_store(&a->port, RESET_RECORD, "1", 1), rc2;

	if (rc)
		return rc;
	memcpy(kept, a->cred.session, sizeof kept);
	if (!DEFECT(KEEP_DATA))
		rc = userdata_destroy(a);
	if (!DEFECT(KEEP_CONFIG)) {
		rc2 = ctm_config_reset(&a->config);
		rc = rc ? rc : rc2;
	}
	rc2 = ctm_cred_reset(&a->cred);
	rc = rc ? rc : rc2;
	if (DEFECT(TOKEN_SURVIVES))
		memcpy(a->cred.session, kept, sizeof kept);
	ctm_sdk_wipe(kept, sizeof kept);
	return rc ? rc : ctm_record_erase(&a->port, RESET_RECORD);
}

void api_reset(struct agent *a, struct request *q, struct reply *r)
{
	static const char *const members[] = { "confirm" };
	json_t *o = api_body(q, r, members, 1);
	const char *confirm = json_string_value(json_object_get(o, "confirm"));
	char serial[CTM_SERIAL_MAX + 1];
	int rc;

	if (!o)
		return;
	rc = confirm && (strcmp(confirm, a->conf.serial) == 0 || strcmp(confirm, agent_serial(a, serial)) == 0) ? 0 : CTM_SDK_INPUT;
	json_decref(o);
	if (rc) {
		api_error(r, 422, "INPUT", "confirm", "confirm must be the unit's serial; nothing was reset.");
		return;
	}
	if ((rc = agent_reset(a))) {
		a->storage_trouble = true;
		api_error(r, 507, ctm_sdk_name(rc), NULL, "The reset could not be finished; it is tried again at the next start.");
		return;
	}
	agent_event(a, "reset", q->peer);
	api_json(r, 202, json_pack("{s:s}", "message", "Reset: initial password, secure defaults, user data destroyed."));
}
