/* SPDX-License-Identifier: Apache-2.0
 *
 * Runtime of compiled templates: lookups along the chain of scopes, tests, messages, slots. Formats of single values
 * are in tpl_fmt.c. A lookup takes the first part of a dotted path from the innermost scope that has it and the
 * remaining parts as members; a part that is missing on the way makes the whole value absent.
 */
#include "http/asset.h"
#include "http/tpl_rt.h"
#include "base/text.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 64

static const struct ctm_tpl_val absent;

/* Next part of a dotted path into out; returns what follows the dot, or NULL at the end. */
static const char *part(const char *path, char out[NAME_MAX_BYTES])
{
	size_t n = strcspn(path, ".");
	snprintf(out, NAME_MAX_BYTES, "%.*s", (int)n, path);
	return path[n] ? path + n + 1 : NULL;
}

static struct ctm_tpl_val members(const ctm_json *v, const char *rest)
{
	char name[NAME_MAX_BYTES];
	while (rest && v) {
		const ctm_json *dotted = strchr(rest, '.') ? ctm_json_get(v, rest) : NULL;    /* a key that itself has a dot, "cla.decider" */
		if (dotted)
			return (struct ctm_tpl_val){ dotted, NULL };
		rest = part(rest, name);
		v = ctm_json_get(v, name);
	}
	return (struct ctm_tpl_val){ v, NULL };
}

static struct ctm_tpl_val own(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *path)
{
	for (; s && !s->v; s = s->up) { }
	const ctm_json *v = s ? s->v : tc->data;
	return *path ? members(v, path) : (struct ctm_tpl_val){ v, NULL };
}

static struct ctm_tpl_val special(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *name)
{
	static const char *const numbers[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12" };
	if (!strcmp(name, "@locale"))
		return (struct ctm_tpl_val){ NULL, tc->locale ? tc->locale : "en" };
	for (; s && !s->in_list; s = s->up) { }
	if (s && s->index < sizeof numbers / sizeof *numbers)
		return (struct ctm_tpl_val){ NULL, numbers[s->index] };
	return absent;
}

struct ctm_tpl_val ctm_tpl_value(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *path)
{
	char name[NAME_MAX_BYTES];
	if (*path == '.')
		return own(tc, s, path + 1);
	const char *rest = part(path, name);
	if (!strcmp(name, "@locale") || !strcmp(name, "@number"))
		return special(tc, s, name);
	for (; s; s = s->up) {
		for (int i = 0; i < s->nargs; i++)
			if (!strcmp(s->args[i].name, name))
				return rest ? members(s->args[i].val.v, rest) : s->args[i].val;
		const ctm_json *v = ctm_json_get(s->v, name);
		if (v)
			return members(v, rest);
	}
	return members(ctm_json_get(tc->data, name), rest);
}

bool ctm_tpl_truth(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *path)
{
	struct ctm_tpl_val val = ctm_tpl_value(tc, s, path);
	if (val.s)
		return *val.s;
	switch (ctm_json_type(val.v)) {
	case CTM_J_BOOL: return ctm_json_bool(val.v, false);
	case CTM_J_INT: return ctm_json_int(val.v, 0) != 0;
	case CTM_J_REAL: return true;
	case CTM_J_STR: return *ctm_json_str(val.v);
	case CTM_J_ARR: case CTM_J_OBJ: return ctm_json_len(val.v) > 0;
	default: return false;
	}
}

static const char *scalar(struct ctm_tpl_val val, char tmp[32])
{
	if (val.s)
		return val.s;
	switch (ctm_json_type(val.v)) {
	case CTM_J_STR: return ctm_json_str(val.v);
	case CTM_J_BOOL: return ctm_json_bool(val.v, false) ? "true" : "false";
	case CTM_J_INT:
		snprintf(tmp, 32, "%" PRId64, ctm_json_int(val.v, 0));
		return tmp;
	default: return NULL;
	}
}

bool ctm_tpl_equal(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *path, const char *word)
{
	char a[32], b[32];
	const char *have = scalar(ctm_tpl_value(tc, s, path), a);
	if (*word == *CTM_TPL_PATH)
		word = scalar(ctm_tpl_value(tc, s, word + 1), b);
	return have && word && !strcmp(have, word);
}

const ctm_json *ctm_tpl_list(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, const char *path, size_t *n)
{
	const ctm_json *v = ctm_tpl_value(tc, s, path).v;
	*n = ctm_json_type(v) == CTM_J_ARR ? ctm_json_len(v) : 0;
	return v;
}

/* --- messages --- */

static int by_key(const void *key, const void *row)
{
	return strcmp(key, ((const struct ctm_tpl_message *)row)->key);
}

const char *ctm_tpl_message(const char *key, const char *locale)
{
	const struct ctm_tpl_message *m = bsearch(key, ctm_tpl_messages, ctm_tpl_message_count, sizeof *m, by_key);
	if (!m)
		return key;
	return locale && !strcmp(locale, "es") ? m->es : m->en;
}

const char *ctm_tpl_say(const struct ctm_tpl_cx *tc, const char *key)
{
	return tc->msg ? tc->msg(key, tc->locale) : ctm_tpl_message(key, tc->locale);
}

void ctm_tpl_put_message(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, enum ctm_tpl_place at,
	const char *key, int n, const struct ctm_tpl_targ *args)
{
	char tmp[32], one[2] = { 0 };
	if (*key == *CTM_TPL_PATH)
		key = scalar(ctm_tpl_value(tc, s, key + 1), tmp);
	if (!key || !*key)
		return;
	for (const char *p = ctm_tpl_say(tc, key); *p; p++) {
		if (*p == '{' && p[1] >= '0' && p[1] < '0' + n && p[2] == '}') {
			const struct ctm_tpl_targ *a = &args[p[1] - '0'];
			ctm_tpl_format(tc, o, a->kind, at, ctm_tpl_value(tc, s, a->path));
			p += 2;
		} else {
			*one = *p;
			ctm_tpl_escape(o, at, one);
		}
	}
}

void ctm_tpl_put_word(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, enum ctm_tpl_place at,
	const char *prefix, const char *path)
{
	char tmp[32], key[160], *p;
	const char *value = scalar(ctm_tpl_value(tc, s, path), tmp), *word;
	if (!value || !*value)
		return;
	snprintf(key, sizeof key, "%s.%s", prefix, value);
	word = ctm_tpl_say(tc, key);
	if (!strcmp(word, key)) {
		memmove(key, key + strlen(prefix) + 1, strlen(key) - strlen(prefix));
		for (p = key; (p = strchr(p, '_')); p++)
			*p = ' ';
		word = key;
	}
	ctm_tpl_escape(o, at, word);
}

/* --- holes --- */

void ctm_tpl_put(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, enum ctm_tpl_kind kind,
	enum ctm_tpl_place at, const char *path)
{
	ctm_tpl_format(tc, o, kind, at, ctm_tpl_value(tc, s, path));
}

void ctm_tpl_put_get(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, enum ctm_tpl_place at,
	const char *object, const char *name)
{
	char tmp[32];
	const char *key = scalar(ctm_tpl_value(tc, s, name), tmp);
	if (key)
		ctm_tpl_format(tc, o, CTM_TPL_K_TEXT, at, (struct ctm_tpl_val){ ctm_json_get(ctm_tpl_value(tc, s, object).v, key), NULL });
}

void ctm_tpl_put_url(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, const char *path)
{
	char tmp[32];
	const char *u = scalar(ctm_tpl_value(tc, s, path), tmp);
	bool good = u && (ctm_starts(u, "https://") || ctm_starts(u, "http://") || ctm_starts(u, "mailto:") ||
		(*u == '/' && u[1] != '/' && u[1] != '\\'));
	for (const char *p = good ? u : ""; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == '\\' || *p == 127)
			good = false;
	ctm_tpl_escape(o, CTM_TPL_ATTR, good ? u : "#");
}

void ctm_tpl_put_csrf(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o)
{
	const char *token = ctm_json_gets(ctm_json_get(tc->data, "@page"), "csrf");
	if (!token || !*token)
		return;
	ctm_buf_str(o, "<input type=\"hidden\" name=\"csrf\" value=\"");
	ctm_tpl_escape(o, CTM_TPL_ATTR, token);
	ctm_buf_str(o, "\">");
}

void ctm_tpl_put_slot(const struct ctm_tpl_cx *tc, const struct ctm_tpl_scope *s, struct ctm_buf *o, const char *name)
{
	for (; s && !s->slots; s = s->up) { }
	for (int i = 0; s && i < s->nslots; i++)
		if (!strcmp(s->slots[i].name, name)) {
			s->slots[i].fn(tc, s->up, o);
			return;
		}
}

void ctm_tpl_put_icon(struct ctm_buf *o, const char *name)
{
	for (const struct ctm_tpl_icon *i = ctm_tpl_icons; i->name; i++)
		if (!strcmp(i->name, name)) {
			ctm_buf_str(o, "<svg class=\"i\" viewBox=\"0 0 24 24\" aria-hidden=\"true\" focusable=\"false\"><path d=\"");
			ctm_buf_str(o, i->d);
			ctm_buf_str(o, "\"/></svg>");
			return;
		}
}

/* --- the tables --- */

static int by_name(const void *key, const void *row)
{
	return strcmp(key, ((const struct ctm_tpl *)row)->name);
}

const struct ctm_tpl *ctm_tpl_find(const char *name)
{
	return bsearch(name, ctm_tpl_table, ctm_tpl_count, sizeof *ctm_tpl_table, by_name);
}

int ctm_tpl_render(const struct ctm_tpl *t, const struct ctm_tpl_cx *tc, struct ctm_buf *out, struct ctm_err *err)
{
	struct ctm_tpl_scope root = { .v = tc->data };
	t->render(tc, &root, out);
	return ctm_buf_err(out, t->name, err);
}

const struct ctm_asset *ctm_asset_find(const char *name)
{
	for (const struct ctm_asset *a = ctm_asset_table; a->name; a++)
		if (!strcmp(a->name, name))
			return a;
	return NULL;
}
