/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's configuration file and the declaration it enforces. Both are read strictly: an unknown member of the
 * configuration, or a value of the declaration that the agent could not keep, stops the start with the member's name.
 */
#include "agent.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (256 << 10)

int why_say(struct why *w, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(w->text, sizeof w->text, fmt, ap);
	va_end(ap);
	return code;
}

int file_load(const char *path, char *buf, size_t cap, size_t *n, struct why *w)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t at = 0;
	ssize_t k = 1;

	if (fd < 0)
		return why_say(w, CTM_SDK_STORAGE, "%s cannot be read: %s", path, strerror(errno));
	while (at < cap - 1 && (k = read(fd, buf + at, cap - 1 - at)) > 0)
		at += (size_t)k;
	if (k > 0 && read(fd, &(char){ 0 }, 1) > 0)
		k = -2;
	close(fd);
	if (k < 0)
		return why_say(w, CTM_SDK_STORAGE, "%s cannot be read or is larger than %zu bytes", path, cap - 1);
	buf[at] = 0;
	*n = at;
	return 0;
}

json_t *json_strict(const char *p, size_t n, char *error, size_t cap)
{
	json_error_t e;
	json_t *j = json_loadb(p, n, JSON_REJECT_DUPLICATES, &e);

	if (!j && cap)
		snprintf(error, cap, "line %d: %.80s", e.line, e.text);
	return j;
}

json_t *agent_json_load(const char *path, struct why *w)
{
	char *buf = malloc(FILE_MAX), text[128];
	size_t n = 0;
	json_t *j = NULL;

	if (!buf) {
		why_say(w, CTM_SDK_FAIL, "out of memory");
		return NULL;
	}
	if (file_load(path, buf, FILE_MAX, &n, w) == 0) {
		j = json_strict(buf, n, text, sizeof text);
		if (!j)
			why_say(w, CTM_SDK_SYNTAX, "%s is not JSON: %s", path, text);
		else if (!json_is_object(j)) {
			json_decref(j);
			j = NULL;
			why_say(w, CTM_SDK_INPUT, "%s is not a JSON object", path);
		}
	}
	free(buf);
	return j;
}

/* Members are taken by rows, so that what is unknown, missing or wrong is told by name. */
struct member {
	const char *name;
	char *text; size_t cap;         /* a text */
	int *number; int min, max;      /* or a number */
	bool optional;
};

static int take_member(const json_t *v, const struct member *m, const char *file, struct why *w)
{
	if (m->text) {
		const char *s = json_string_value(v);

		if (!s || !*s || strlen(s) >= m->cap || strlen(s) != json_string_length(v))
			return why_say(w, CTM_SDK_INPUT, "%s: \"%s\" must be a text of 1 to %zu bytes", file, m->name, m->cap - 1);
		memcpy(m->text, s, strlen(s) + 1);
	} else {
		json_int_t i = json_integer_value(v);

		if (!json_is_integer(v) || i < m->min || i > m->max)
			return why_say(w, CTM_SDK_INPUT, "%s: \"%s\" must be a number from %d to %d", file, m->name, m->min, m->max);
		*m->number = (int)i;
	}
	return 0;
}

/* Take the rows from an object. A closed object may have no members but the rows and the objects named in `also`. */
enum members { OPEN, CLOSED };
static const char *const no_objects[] = { NULL }, *const conf_objects[] = { "platform", "factory", "updates", NULL };

static int take(const json_t *o, const struct member *m, size_t n, enum members closed, const char *const *also, const char *file,
		struct why *w)
{
	const char *key;
	json_t *v;
	int rc;

	for (size_t i = 0; i < n; i++) {
		const json_t *x = json_object_get(o, m[i].name);

		if (!x && m[i].optional)
			continue;
		if (!x)
			return why_say(w, CTM_SDK_INPUT, "%s: \"%s\" is missing", file, m[i].name);
		if ((rc = take_member(x, &m[i], file, w)))
			return rc;
	}
	json_object_foreach((json_t *)(uintptr_t)o, key, v) {
		bool known = closed == OPEN;

		for (const char *const *x = also; *x && !known; x++)
			known = strcmp(*x, key) == 0;
		for (size_t i = 0; i < n && !known; i++)
			known = strcmp(m[i].name, key) == 0;
		if (!known)
			return why_say(w, CTM_SDK_INPUT, "%s: \"%.64s\" is not known", file, key);
	}
	return 0;
}

#define TEXT(name, field) { name, (field), sizeof(field), NULL, 0, 0, false }
#define NUMBER(name, field, min, max) { name, NULL, 0, &(field), min, max, false }

/* "https://HOST:PORT" */
static int split_url(const char *url, struct agent_conf *c, const char *file, struct why *w)
{
	const char *p = url + 8, *colon = strrchr(p, ':');
	char *end;
	long port = 443;

	if (strncmp(url, "https://", 8) != 0)
		return why_say(w, CTM_SDK_INPUT, "%s: platform \"url\" must begin with https://", file);
	if (colon) {
		port = strtol(colon + 1, &end, 10);
		if (*end == '/' && !end[1])
			end++;
		if (*end || end == colon + 1)
			port = 0;
	}
	size_t n = colon ? (size_t)(colon - p) : strcspn(p, "/");
	if (port < 1 || port > 65535 || !n || n >= sizeof c->host)
		return why_say(w, CTM_SDK_INPUT, "%s: platform \"url\" must be https://HOST:PORT", file);
	memcpy(c->host, p, n);
	c->host[n] = 0;
	c->platform_port = (int)port;
	return 0;
}

static int take_platform(const json_t *o, struct agent_conf *c, const char *file, struct why *w)
{
	char url[AGENT_TEXT + 32] = "";
	struct in_addr a;
	struct member rows[] = { TEXT("url", url), TEXT("ca", c->ca), TEXT("connect", c->connect) };
	int rc;

	rows[2].optional = true;
	if (!json_is_object(o))
		return why_say(w, CTM_SDK_INPUT, "%s: \"platform\" must be an object", file);
	if ((rc = take(o, rows, 3, CLOSED, no_objects, file, w)) || (rc = split_url(url, c, file, w)))
		return rc;
	if (c->connect[0] && inet_pton(AF_INET, c->connect, &a) != 1)
		return why_say(w, CTM_SDK_INPUT, "%s: platform \"connect\" must be an IPv4 address", file);
	return 0;
}

/* "updates": the root that came with the product, the repository's address, the director's key. */
static int take_updates(const json_t *o, struct agent_conf *c, const char *file, struct why *w)
{
	char base[AGENT_PATH - 16] = "", key[65] = "";
	struct member rows[] = { TEXT("root", c->update_root), TEXT("repository", base), TEXT("director_key", key), NUMBER("interval_s", c->update_interval_s, 1, 604800) };
	size_t n;
	int rc;

	rows[3].optional = true;
	c->update_interval_s = 3600;
	if (!json_is_object(o))
		return why_say(w, CTM_SDK_INPUT, "%s: \"updates\" must be an object", file);
	if ((rc = take(o, rows, 4, CLOSED, no_objects, file, w)))
		return rc;
	n = strlen(base);
	if (strncmp(base, "https://", 8) != 0 || base[n - 1] != '/')
		return why_say(w, CTM_SDK_INPUT, "%s: updates \"repository\" must begin with https:// and end with /", file);
	if (strlen(key) != 64 || strspn(key, "0123456789abcdefABCDEF") != 64)
		return why_say(w, CTM_SDK_INPUT, "%s: updates \"director_key\" must be 64 hex characters", file);
	for (size_t i = 0; i < 32; i++) {
		char two[3] = { key[2 * i], key[2 * i + 1], 0 };

		c->director_key[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	snprintf(c->update_metadata, sizeof c->update_metadata, "%smetadata/", base);
	snprintf(c->update_targets, sizeof c->update_targets, "%stargets/", base);
	return 0;
}

static int take_conf(const json_t *o, struct agent_conf *c, const char *file, struct why *w)
{
	struct member rows[] = {
		TEXT("state_dir", c->state_dir), TEXT("listen", c->listen), NUMBER("port", c->port, 1, 65535), TEXT("serial", c->serial),
		TEXT("enrol_code_file", c->enrol_code_file), TEXT("initial_password_file", c->initial_password_file),
		TEXT("declaration", c->declaration), NUMBER("report_interval_s", c->report_interval_s, 1, 86400), TEXT("key", c->key),
		TEXT("idevid", c->idevid), NUMBER("renew_after_s", c->renew_after_s, 1, 315360000),
	};
	const struct key_place *place;
	const char *words;
	struct member factory[] = { TEXT("image", c->factory_image), TEXT("manifest", c->factory_manifest) };
	const json_t *f = json_object_get(o, "factory"), *p = json_object_get(o, "platform");
	struct in_addr a;
	int rc;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		rows[i].optional = i == 4 || i >= 7;
	c->report_interval_s = 60;
	memcpy(c->key, "file", 5);
	if ((rc = take(o, rows, sizeof rows / sizeof rows[0], CLOSED, conf_objects, file, w)))
		return rc;
	if (!ctm_serial_ok(c->serial))
		return why_say(w, CTM_SDK_INPUT, "%s: \"serial\" must be 1 to 64 letters, digits, '-', '.' or '_'", file);
	if (inet_pton(AF_INET, c->listen, &a) != 1)
		return why_say(w, CTM_SDK_INPUT, "%s: \"listen\" must be an IPv4 address", file);
	if (!(place = key_place_find(c->key, &words)))
		return why_say(w, CTM_SDK_INPUT, "%s: \"key\" must be file, tpm:TCTI or pkcs11:WORDS", file);
	if ((rc = place->check(words, w)))
		return rc;
	if (!json_is_object(f))
		return why_say(w, CTM_SDK_INPUT, "%s: \"factory\" must be an object", file);
	if ((rc = take(f, factory, 2, CLOSED, no_objects, file, w)))
		return rc;
	if (json_object_get(o, "updates") && (rc = take_updates(json_object_get(o, "updates"), c, file, w)))
		return rc;
	if (c->update_root[0] && !p)
		return why_say(w, CTM_SDK_INPUT, "%s: \"updates\" needs a \"platform\", which says what to run", file);
	return p ? take_platform(p, c, file, w) : 0;
}

/* Declaration */

/* A constant of the schema; its text, if it has one, goes into `text`. */
static int take_constant(const json_t *v, const struct ctm_setting *s, struct ctm_constant *out, char text[CTM_SETTING_TEXT + 1])
{
	const char *string = json_string_value(v);
	struct ctm_value value;

	*out = (struct ctm_constant){ 0, NULL };
	if (s->type == CTM_SET_BOOL && json_is_boolean(v)) {
		out->i = json_is_true(v);
	} else if (s->type == CTM_SET_INT && json_is_integer(v)) {
		out->i = json_integer_value(v);
	} else if (s->type == CTM_SET_TEXT && string && strlen(string) == json_string_length(v) && strlen(string) <= CTM_SETTING_TEXT) {
		memcpy(text, string, strlen(string) + 1);
		out->text = text;
	} else if (s->type == CTM_SET_ENUM && string) {
		out->i = -1;
		for (size_t i = 0; i < s->nvalues; i++)
			if (strcmp(s->values[i], string) == 0)
				out->i = (int64_t)i;
	} else {
		return CTM_SDK_INPUT;
	}
	return ctm_config_constant(out, &value) ? CTM_SDK_INPUT : ctm_config_check(s, &value);
}

static int take_enum(const json_t *list, struct agent_conf *c, size_t at)
{
	size_t n = json_array_size(list);

	if (!n || n > CTM_SETTING_VALUES)
		return CTM_SDK_INPUT;
	for (size_t i = 0; i < n; i++) {
		const char *v = json_string_value(json_array_get(list, i));

		if (!v || !*v || strlen(v) > CTM_SETTING_NAME)
			return CTM_SDK_INPUT;
		memcpy(c->setting_text[at].word[i], v, strlen(v) + 1);
		c->setting_text[at].words[i] = c->setting_text[at].word[i];
	}
	c->setting[at].values = c->setting_text[at].words;
	c->setting[at].nvalues = (uint8_t)n;
	return 0;
}

/* Who may write it: "owner" (the default) and "platform". */
static int take_writers(const json_t *list, struct ctm_setting *s)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *who = json_string_value(json_array_get(list, i));

		if (who && strcmp(who, "owner") == 0)
			s->writers |= CTM_WRITER_OWNER;
		else if (who && strcmp(who, "platform") == 0)
			s->writers |= CTM_WRITER_PLATFORM;
		else
			return CTM_SDK_INPUT;
	}
	return list && !s->writers ? CTM_SDK_INPUT : 0;
}

static int take_setting(const json_t *o, struct agent_conf *c, size_t at)
{
	static const char *const types[] = { "bool", "int", "text", "enum" };
	const char *type = json_string_value(json_object_get(o, "type")), *name = json_string_value(json_object_get(o, "name"));
	const char *privacy = json_string_value(json_object_get(o, "privacy"));
	const json_t *min = json_object_get(o, "min"), *max = json_object_get(o, "max"), *secure = json_object_get(o, "secure_default");
	struct ctm_setting *s = &c->setting[at];
	size_t t = 0;

	while (type && t < 4 && strcmp(type, types[t]) != 0)
		t++;
	if (!name || !*name || strlen(name) > CTM_SETTING_NAME || !type || t == 4)
		return CTM_SDK_INPUT;
	memcpy(c->setting_text[at].name, name, strlen(name) + 1);
	s->name = c->setting_text[at].name;
	s->type = (uint8_t)t;
	s->privacy = privacy && strcmp(privacy, "personal") == 0 ? CTM_PRIVACY_PERSONAL : CTM_PRIVACY_NONE;
	s->min = min ? json_integer_value(min) : 0;
	s->max = max ? json_integer_value(max) : s->type == CTM_SET_TEXT ? CTM_SETTING_TEXT : INT32_MAX;
	if (s->type == CTM_SET_TEXT && s->max > CTM_SETTING_TEXT)
		return CTM_SDK_INPUT;
	if ((s->type == CTM_SET_ENUM && take_enum(json_object_get(o, "values"), c, at)) || take_writers(json_object_get(o, "writers"), s))
		return CTM_SDK_INPUT;
	if (take_constant(json_object_get(o, "default"), s, &s->first, c->setting_text[at].first))
		return CTM_SDK_INPUT;
	return take_constant(secure ? secure : json_object_get(o, "default"), s, &s->secure, c->setting_text[at].secure);
}

static int take_settings(const json_t *list, struct agent_conf *c, const char *file, struct why *w)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > CTM_SETTINGS_MAX)
		return why_say(w, CTM_SDK_INPUT, "%s: \"settings\" must be a list of at most %d", file, CTM_SETTINGS_MAX);
	for (size_t i = 0; i < n; i++)
		if (take_setting(json_array_get(list, i), c, i))
			return why_say(w, CTM_SDK_INPUT, "%s: /settings/%zu is not a setting this device can keep", file, i);
	c->nsettings = n;
	return 0;
}

static int take_key(const json_t *update, struct agent_conf *c)
{
	const char *hex = json_string_value(json_object_get(update, "release_key"));

	size_t n = hex ? strlen(hex) : 0;

	if ((n != 64 && n != 130) || strspn(hex, "0123456789abcdefABCDEF") != n)
		return CTM_SDK_INPUT;
	for (size_t i = 0; i < n / 2; i++) {
		char two[3] = { hex[2 * i], hex[2 * i + 1], 0 };

		c->release_key[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	c->release_keylen = n / 2;
	return 0;
}

/* The one interface served must be declared: TCP, HTTPS, on this port. */
static bool port_declared(const json_t *list, int port)
{
	size_t i;
	json_t *v;

	json_array_foreach((json_t *)(uintptr_t)list, i, v) {
		const char *protocol = json_string_value(json_object_get(v, "protocol"));

		if (json_integer_value(json_object_get(v, "port")) == port && protocol && strcmp(protocol, "https") == 0)
			return true;
	}
	return false;
}

static int take_declaration(const json_t *o, struct agent_conf *c, const char *file, struct why *w)
{
	const json_t *update = json_object_get(o, "update"), *cred = json_object_get(o, "credentials"), *lock = json_object_get(cred, "lockout");
	const char *format = json_string_value(json_object_get(o, "format"));
	struct member top[] = { TEXT("maker", c->maker), TEXT("model", c->model), TEXT("component", c->component) };
	struct member up[] = { TEXT("vendor", c->vendor), TEXT("class", c->class_name) };
	struct member cr[] = { NUMBER("min_length", c->min_length, 8, 64) };
	struct member lo[] = { NUMBER("attempts", c->attempts, 1, 100), NUMBER("lock_s", c->lock_s, 1, 86400) };
	int rc;

	if (!format || strcmp(format, "ctm.declaration/1") != 0)
		return why_say(w, CTM_SDK_UNSUPPORTED, "%s: \"format\" is not ctm.declaration/1", file);
	if ((rc = take(o, top, 3, OPEN, no_objects, file, w)) || (rc = take(update, up, 2, OPEN, no_objects, file, w)) ||
	    (rc = take(cred, cr, 1, OPEN, no_objects, file, w)) || (rc = take(lock, lo, 2, OPEN, no_objects, file, w)) ||
	    (rc = take_settings(json_object_get(o, "settings"), c, file, w)))
		return rc;
	if (take_key(update, c))
		return why_say(w, CTM_SDK_INPUT, "%s: /update/release_key must be 64 (Ed25519) or 130 (P-256) hex characters", file);
	if (!port_declared(json_object_get(o, "interfaces"), c->port))
		return why_say(w, CTM_SDK_INPUT, "%s: no interface declares https on port %d; a port that is not declared is not opened", file, c->port);
	return 0;
}

int agent_conf_load(const char *path, struct agent_conf *c, struct why *w)
{
	json_t *o = agent_json_load(path, w), *d;
	int rc;

	if (!o)
		return CTM_SDK_INPUT;
	memset(c, 0, sizeof *c);
	rc = take_conf(o, c, path, w);
	json_decref(o);
	if (rc)
		return rc;
	if (!(d = agent_json_load(c->declaration, w)))
		return CTM_SDK_INPUT;
	rc = take_declaration(d, c, c->declaration, w);
	json_decref(d);
	return rc;
}
