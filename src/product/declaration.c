/* SPDX-License-Identifier: Apache-2.0
 *
 * Reader of declarations: one function per section, one table of sections.
 */
#include "product/declaration.h"
#include "base/text.h"
#include <stdio.h>
#include <string.h>

#define N(a) (sizeof(a) / sizeof *(a))

/* A printable line of min..max bytes. */
static int line(const struct ctm_jc *c, const char *key, size_t min, size_t max, const char **out, struct ctm_err *err)
{
	struct ctm_jc at;
	const char *s;
	int rc = ctm_jc_str(c, key, min, max, &s, err);
	if (rc)
		return rc;
	if (!ctm_text_printable(s, strlen(s)) || strchr(s, '\n')) {
		(void)ctm_jc_has(c, key, &at);
		return ctm_jc_fail(&at, err, "must be one line of printable text");
	}
	if (out)
		*out = s;
	return 0;
}

/* A name that programs use: [a-z0-9_.-]. */
static int word(const struct ctm_jc *c, const char *key, size_t max, const char **out, struct ctm_err *err)
{
	struct ctm_jc at;
	const char *s;
	int rc = ctm_jc_str(c, key, 1, max, &s, err);
	if (rc)
		return rc;
	if (strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != strlen(s)) {
		(void)ctm_jc_has(c, key, &at);
		return ctm_jc_fail(&at, err, "must have small letters, digits, '_', '.' and '-' only");
	}
	*out = s;
	return 0;
}

static int exactly(const struct ctm_jc *c, const char *key, const char *want, struct ctm_err *err)
{
	struct ctm_jc at;
	const char *s;
	int rc = ctm_jc_str(c, key, 1, 64, &s, err);
	if (rc)
		return rc;
	if (strcmp(s, want) != 0) {
		(void)ctm_jc_has(c, key, &at);
		return ctm_jc_fail(&at, err, "must be \"%s\"", want);
	}
	return 0;
}

/* No earlier element of the array has the same string at key. */
static int unique(const struct ctm_jc *arr, size_t i, const char *key, const char *value, const struct ctm_jc *item, struct ctm_err *err)
{
	struct ctm_jc at;
	for (size_t k = 0; k < i; k++)
		if (ctm_streq(ctm_json_gets(ctm_json_at(arr->v, k), key), value)) {
			(void)ctm_jc_has(item, key, &at);
			return ctm_jc_fail(&at, err, "\"%s\" is there twice", value);
		}
	return 0;
}

static int interface_one(const struct ctm_jc *arr, size_t i, struct ctm_err *err)
{
	static const char *const keys[] = { "id", "transport", "port", "protocol", "purpose", "access", "profile", "tls" }, *const tls_keys[] = { "min" };
	static const char *const transports[] = { "tcp", "udp" }, *const protocols[] = { "https", "http", "tls", "coaps", "coap", "mqtts", "mqtt", "mdns", "dhcp", "ntp", "ssh", "rtsps", "rtsp", "other" },
		*const access[] = { "password", "mutual-tls", "public", "key" }, *const mins[] = { "1.2", "1.3" };
	struct ctm_jc c, tls;
	const char *id = NULL, *profile;
	size_t which, protocol;
	int64_t port;
	int rc;
	if ((rc = ctm_jc_at(arr, i, &c, err)) || (rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, N(keys), err)) ||
		(rc = word(&c, "id", 64, &id, err)) || (rc = unique(arr, i, "id", id, &c, err)) ||
		(rc = ctm_jc_enum(&c, "transport", transports, N(transports), &which, err)) || (rc = ctm_jc_int(&c, "port", 1, 65535, &port, err)) ||
		(rc = ctm_jc_enum(&c, "protocol", protocols, N(protocols), &protocol, err)) || (rc = line(&c, "purpose", 1, 300, NULL, err)) ||
		(rc = ctm_jc_enum(&c, "access", access, N(access), &which, err)) || (rc = ctm_jc_opt_str(&c, "profile", 64, &profile, err)))
		return rc;
	for (size_t k = 0; k < i; k++) {
		const ctm_json *o = ctm_json_at(arr->v, k);
		if (ctm_json_geti(o, "port", 0) == port && ctm_streq(ctm_json_gets(o, "transport"), ctm_json_gets(c.v, "transport")))
			return ctm_jc_fail(&c, err, "port %d is declared twice", (int)port);
	}
	if (!ctm_jc_has(&c, "tls", &tls))
		return protocol == 0 || protocol == 2 ? ctm_jc_fail(&c, err, "an https or tls interface says its lowest version in tls.min") : 0;
	if ((rc = ctm_jc_is(&tls, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&tls, tls_keys, N(tls_keys), err)))
		return rc;
	return ctm_jc_enum(&tls, "min", mins, N(mins), &which, err);
}

/* Does value v fit the setting at c (type already known)? */
static int setting_value(const struct ctm_jc *c, const char *key, size_t type, struct ctm_err *err)
{
	struct ctm_jc at;
	int rc = ctm_jc_key(c, key, &at, err);
	if (rc)
		return rc;
	static const enum ctm_jtype want[] = { CTM_J_BOOL, CTM_J_INT, CTM_J_STR, CTM_J_STR };
	if ((rc = ctm_jc_is(&at, want[type], err)))
		return rc;
	const ctm_json *min = ctm_json_get(c->v, "min"), *max = ctm_json_get(c->v, "max"), *values = ctm_json_get(c->v, "values");
	if (type == 1 && (ctm_json_int(at.v, 0) < ctm_json_int(min, INT64_MIN) || ctm_json_int(at.v, 0) > ctm_json_int(max, INT64_MAX)))
		return ctm_jc_fail(&at, err, "is outside min and max of this setting");
	if (type == 2 && (int64_t)strlen(ctm_json_str(at.v)) > ctm_json_int(max, 256))
		return ctm_jc_fail(&at, err, "is longer than max of this setting");
	if (type == 3) {
		for (size_t i = 0; i < ctm_json_len(values); i++)
			if (ctm_streq(ctm_json_str(ctm_json_at(values, i)), ctm_json_str(at.v)))
				return 0;
		return ctm_jc_fail(&at, err, "is not one of the values of this setting");
	}
	return 0;
}

/* Who may write it; without the member only the owner. */
static int setting_writers(const struct ctm_jc *c, struct ctm_err *err)
{
	struct ctm_jc at, list, v;
	int rc;
	if (!ctm_jc_has(c, "writers", &at))
		return 0;
	if ((rc = ctm_jc_arr(c, "writers", 1, 2, &list, err)))
		return rc;
	for (size_t k = 0; k < ctm_json_len(list.v); k++) {
		if ((rc = ctm_jc_at(&list, k, &v, err)) || (rc = ctm_jc_is(&v, CTM_J_STR, err)))
			return rc;
		if (!ctm_streq(ctm_json_str(v.v), "owner") && !ctm_streq(ctm_json_str(v.v), "platform"))
			return ctm_jc_fail(&v, err, "is owner or platform");
	}
	return 0;
}

static int setting_one(const struct ctm_jc *arr, size_t i, struct ctm_err *err)
{
	static const char *const keys[] = { "name", "type", "min", "max", "values", "default", "secure_default", "privacy", "writers" };
	static const char *const types[] = { "bool", "int", "text", "enum" }, *const privacy[] = { "none", "personal" };
	struct ctm_jc c, values, v, at;
	const char *name = NULL;
	size_t type, which;
	int64_t n;
	int rc;
	if ((rc = ctm_jc_at(arr, i, &c, err)) || (rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, N(keys), err)) ||
		(rc = word(&c, "name", 64, &name, err)) || (rc = unique(arr, i, "name", name, &c, err)) ||
		(rc = ctm_jc_enum(&c, "type", types, N(types), &type, err)) || (rc = ctm_jc_enum(&c, "privacy", privacy, N(privacy), &which, err)))
		return rc;
	if (type == 1 && ((rc = ctm_jc_int(&c, "min", INT32_MIN, INT32_MAX, &n, err)) || (rc = ctm_jc_int(&c, "max", n, INT32_MAX, &n, err))))
		return rc;
	if (type == 2 && (rc = ctm_jc_int(&c, "max", 1, 4096, &n, err)))
		return rc;
	if (type == 3) {
		if ((rc = ctm_jc_arr(&c, "values", 1, 64, &values, err)))
			return rc;
		for (size_t k = 0; k < ctm_json_len(values.v); k++)
			if ((rc = ctm_jc_at(&values, k, &v, err)) || (rc = ctm_jc_is(&v, CTM_J_STR, err)))
				return rc;
	}
	if ((type != 1 && ctm_jc_has(&c, "min", &at)) || (type != 1 && type != 2 && ctm_jc_has(&c, "max", &at)) || (type != 3 && ctm_jc_has(&c, "values", &at)))
		return ctm_jc_fail(&at, err, "does not belong to a setting of type %s", types[type]);
	if ((rc = setting_writers(&c, err)) || (rc = setting_value(&c, "default", type, err)))
		return rc;
	return setting_value(&c, "secure_default", type, err);
}

static int data_one(const struct ctm_jc *arr, size_t i, struct ctm_err *err)
{
	static const char *const keys[] = { "name", "purpose", "retention", "deleted_by_reset" };
	struct ctm_jc c;
	const char *name = NULL;
	bool b;
	int rc;
	if ((rc = ctm_jc_at(arr, i, &c, err)) || (rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, N(keys), err)) ||
		(rc = word(&c, "name", 64, &name, err)) || (rc = unique(arr, i, "name", name, &c, err)) || (rc = line(&c, "purpose", 1, 300, NULL, err)) ||
		(rc = line(&c, "retention", 1, 300, NULL, err)))
		return rc;
	return ctm_jc_bool(&c, "deleted_by_reset", &b, err);
}

static int destination_one(const struct ctm_jc *arr, size_t i, struct ctm_err *err)
{
	static const char *const keys[] = { "host", "port", "purpose" };
	struct ctm_jc c, at;
	const char *host = NULL;
	int64_t port;
	int rc;
	if ((rc = ctm_jc_at(arr, i, &c, err)) || (rc = ctm_jc_is(&c, CTM_J_OBJ, err)) || (rc = ctm_jc_only(&c, keys, N(keys), err)) ||
		(rc = line(&c, "host", 1, 253, &host, err)) || (rc = ctm_jc_int(&c, "port", 1, 65535, &port, err)) || (rc = line(&c, "purpose", 1, 300, NULL, err)))
		return rc;
	if (strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:*") != strlen(host)) {
		(void)ctm_jc_has(&c, "host", &at);
		return ctm_jc_fail(&at, err, "must be a host name or an address");
	}
	return 0;
}

static int event_one(const struct ctm_jc *arr, size_t i, struct ctm_err *err)
{
	struct ctm_jc c;
	int rc;
	if ((rc = ctm_jc_at(arr, i, &c, err)) || (rc = ctm_jc_is(&c, CTM_J_STR, err)))
		return rc;
	const char *s = ctm_json_str(c.v);
	if (!*s || strlen(s) > 64 || strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_.-") != strlen(s))
		return ctm_jc_fail(&c, err, "must be the name of an event");
	for (size_t k = 0; k < i; k++)
		if (ctm_streq(ctm_json_str(ctm_json_at(arr->v, k)), s))
			return ctm_jc_fail(&c, err, "\"%s\" is there twice", s);
	return 0;
}

static int each(const struct ctm_jc *root, const char *key, size_t min, size_t max, int (*one)(const struct ctm_jc *, size_t, struct ctm_err *),
	struct ctm_err *err)
{
	struct ctm_jc arr;
	int rc = ctm_jc_arr(root, key, min, max, &arr, err);
	for (size_t i = 0; !rc && i < ctm_json_len(arr.v); i++)
		rc = one(&arr, i, err);
	return rc;
}

static int object(const struct ctm_jc *root, const char *key, const char *const *keys, size_t n, struct ctm_jc *out, struct ctm_err *err)
{
	int rc = ctm_jc_key(root, key, out, err);
	if (!rc)
		rc = ctm_jc_is(out, CTM_J_OBJ, err);
	return rc ? rc : ctm_jc_only(out, keys, n, err);
}

static int update(const struct ctm_jc *root, struct ctm_err *err)
{
	static const char *const keys[] = { "manifest", "vendor", "class", "release_key", "downgrade" };
	struct ctm_jc c, at;
	const char *key;
	uint8_t raw[65];
	int rc;
	if ((rc = object(root, "update", keys, N(keys), &c, err)) || (rc = exactly(&c, "manifest", "ctm.manifest/1", err)) ||
		(rc = line(&c, "vendor", 1, 128, NULL, err)) || (rc = line(&c, "class", 1, 128, NULL, err)) ||
		(rc = ctm_jc_str(&c, "release_key", 64, 130, &key, err)))
		return rc;
	if ((strlen(key) != 64 && strlen(key) != 130) || ctm_unhex(key, strlen(key), raw) || (strlen(key) == 130 && raw[0] != 4)) {
		(void)ctm_jc_has(&c, "release_key", &at);
		return ctm_jc_fail(&at, err, "must be an Ed25519 public key as 64 hex digits, or one of P-256 (04, x, y) as 130");
	}
	return exactly(&c, "downgrade", "refused", err);
}

static int credentials(const struct ctm_jc *root, struct ctm_err *err)
{
	static const char *const keys[] = { "initial", "change_at_first_use", "min_length", "lockout" }, *const lock_keys[] = { "attempts", "lock_s" };
	static const char *const initial[] = { "unique-per-unit", "none", "set-by-owner" };
	struct ctm_jc c, lock;
	size_t which;
	int64_t n;
	bool b;
	int rc;
	if ((rc = object(root, "credentials", keys, N(keys), &c, err)) || (rc = ctm_jc_enum(&c, "initial", initial, N(initial), &which, err)) ||
		(rc = ctm_jc_bool(&c, "change_at_first_use", &b, err)) || (rc = ctm_jc_int(&c, "min_length", 1, 256, &n, err)) ||
		(rc = object(&c, "lockout", lock_keys, N(lock_keys), &lock, err)) || (rc = ctm_jc_int(&lock, "attempts", 1, 1000, &n, err)))
		return rc;
	return ctm_jc_int(&lock, "lock_s", 1, 86400, &n, err);
}

int ctm_decl_check(const ctm_json *doc, const char *file, struct ctm_err *err)
{
	static const char *const top[] = { "format", "maker", "model", "component", "version", "interfaces", "settings", "data", "destinations", "update", "credentials", "log" };
	static const char *const log_keys[] = { "events" };
	struct ctm_jc root = ctm_jc_root(doc, file), log;
	int rc;
	if ((rc = ctm_jc_is(&root, CTM_J_OBJ, err)) || (rc = exactly(&root, "format", "ctm.declaration/1", err)) || (rc = ctm_jc_only(&root, top, N(top), err)) ||
		(rc = line(&root, "maker", 1, 120, NULL, err)) || (rc = line(&root, "model", 1, 120, NULL, err)) ||
		(rc = line(&root, "component", 1, 120, NULL, err)) || (rc = line(&root, "version", 1, 64, NULL, err)) ||
		(rc = each(&root, "interfaces", 0, 64, interface_one, err)) || (rc = each(&root, "settings", 0, 256, setting_one, err)) ||
		(rc = each(&root, "data", 0, 256, data_one, err)) || (rc = each(&root, "destinations", 0, 256, destination_one, err)) ||
		(rc = update(&root, err)) || (rc = credentials(&root, err)) || (rc = object(&root, "log", log_keys, N(log_keys), &log, err)))
		return rc;
	return each(&log, "events", 1, 64, event_one, err);
}

int ctm_decl_fits(const ctm_json *doc, const char *maker, const char *model, const char *version, struct ctm_err *err)
{
	const struct { const char *key, *want; } same[] = { { "maker", maker }, { "model", model }, { "version", version } };
	struct ctm_jc root = ctm_jc_root(doc, "declaration"), at;
	for (size_t i = 0; i < N(same); i++)
		if (!ctm_streq(ctm_json_gets(doc, same[i].key), same[i].want)) {
			(void)ctm_jc_has(&root, same[i].key, &at);
			return ctm_jc_fail(&at, err, "says \"%.60s\" where this release is of \"%.60s\"", ctm_json_gets(doc, same[i].key), same[i].want);
		}
	return 0;
}
