/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: see ctm/config.h. Stored as a CBOR array of name, value, name, value... in the order of the schema.
 */
#include "ctm/config.h"
#include "ctm/cbor.h"
#include <string.h>

#define RECORD "config"

int ctm_config_find(const struct ctm_config *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->schema[i].name, name) == 0)
			return (int)i;
	return CTM_SDK_UNKNOWN;
}

static bool text_ok(const char *s, size_t n)
{
	if (!ctm_sdk_utf8((const uint8_t *)s, n))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	return true;
}

int ctm_config_check(const struct ctm_setting *s, const struct ctm_value *v)
{
	size_t n;

	switch (s->type) {
	case CTM_SET_BOOL:
		return v->i == 0 || v->i == 1 ? 0 : CTM_SDK_INPUT;
	case CTM_SET_INT:
		return v->i >= s->min && v->i <= s->max ? 0 : CTM_SDK_INPUT;
	case CTM_SET_ENUM:
		return v->i >= 0 && (uint64_t)v->i < s->nvalues ? 0 : CTM_SDK_INPUT;
	case CTM_SET_TEXT:
		if (!memchr(v->text, 0, sizeof v->text))
			return CTM_SDK_INPUT;
		n = strlen(v->text);
		return (int64_t)n >= s->min && (int64_t)n <= s->max && text_ok(v->text, n) ? 0 : CTM_SDK_INPUT;
	}
	return CTM_SDK_INPUT;
}

static void put_value(struct ctm_cbor_w *w, const struct ctm_setting *s, const struct ctm_value *v)
{
	ctm_cbor_put_str(w, s->name);
	if (s->type == CTM_SET_TEXT)
		ctm_cbor_put_str(w, v->text);
	else
		ctm_cbor_put_int(w, v->i);
}

static void take_value(struct ctm_config *c, struct ctm_cbor_r *r)
{
	struct ctm_bytes name = ctm_cbor_text(r), text = { NULL, 0 };
	struct ctm_value v;
	char key[CTM_SETTING_NAME + 1] = "";
	bool is_text = ctm_cbor_peek(r) == CTM_CBOR_TEXT;
	int i;

	memset(&v, 0, sizeof v);
	if (is_text)
		text = ctm_cbor_text(r);
	else
		v.i = ctm_cbor_int(r);
	if (r->err || name.n >= sizeof key || text.n >= sizeof v.text)
		return;
	memcpy(key, name.p, name.n);
	if (text.n)
		memcpy(v.text, text.p, text.n);
	i = ctm_config_find(c, key);
	if (i >= 0 && is_text == (c->schema[i].type == CTM_SET_TEXT) && ctm_config_check(&c->schema[i], &v) == 0)
		c->value[i] = v;
}

int ctm_config_load(struct ctm_config *c)
{
	uint8_t buf[CTM_RECORD_MAX];
	struct ctm_cbor_r r;
	size_t n = 0, items;
	int rc = ctm_record_load(c->port, RECORD, buf, sizeof buf, &n);

	for (size_t i = 0; i < c->n; i++)
		c->value[i] = c->schema[i].first;
	if (rc == CTM_SDK_NONE)
		return 0;
	if (rc)
		return rc;
	if (ctm_cbor_check(buf, n))
		return 0;
	r = ctm_cbor_reader(buf, n);
	items = ctm_cbor_array(&r);
	for (size_t i = 0; i + 1 < items && !r.err; i += 2)
		take_value(c, &r);
	return 0;
}

int ctm_config_store(struct ctm_config *c, const struct ctm_value *values, size_t *bad)
{
	uint8_t buf[CTM_RECORD_MAX];
	struct ctm_cbor_w w = ctm_cbor_writer(buf, sizeof buf);
	int rc;

	ctm_cbor_put_array(&w, c->n * 2);
	for (size_t i = 0; i < c->n; i++) {
		if (ctm_config_check(&c->schema[i], &values[i])) {
			if (bad)
				*bad = i;
			return CTM_SDK_INPUT;
		}
		put_value(&w, &c->schema[i], &values[i]);
	}
	if ((rc = ctm_cbor_done(&w)) || (rc = ctm_record_store(c->port, RECORD, buf, w.len)))
		return rc;
	memmove(c->value, values, c->n * sizeof values[0]);
	return 0;
}

int ctm_config_reset(struct ctm_config *c)
{
	struct ctm_value v[CTM_SETTINGS_MAX];

	for (size_t i = 0; i < c->n; i++)
		v[i] = c->schema[i].secure;
	return ctm_config_store(c, v, NULL);
}
