/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings: see ctm/config.h. Two records of one form, CBOR [generation, document, boots left, trial seconds, name, value, name,
 * value...]: "config" is what is kept, "config.trial" what is tried. A trial counts only when its generation is later than the
 * kept one, so keeping something ends every trial before it by the same write.
 */
#include "ctm/config.h"
#include <string.h>

#define KEPT "config"
#define TRIED "config.trial"
#define FACTS 4

int ctm_config_find(const struct ctm_config *c, const char *name, size_t n)
{
	for (size_t i = 0; i < c->n; i++)
		if (strlen(c->schema[i].name) == n && memcmp(c->schema[i].name, name, n) == 0)
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

int ctm_config_constant(const struct ctm_constant *k, struct ctm_value *v)
{
	size_t n = k->text ? strlen(k->text) : 0;

	memset(v, 0, sizeof *v);
	if (n >= sizeof v->text)
		return CTM_SDK_TOOBIG;
	v->i = k->i;
	if (n)
		memcpy(v->text, k->text, n);
	return 0;
}

static void defaults(const struct ctm_config *c, struct ctm_value *v, bool secure)
{
	for (size_t i = 0; i < c->n; i++)
		(void)ctm_config_constant(secure ? &c->schema[i].secure : &c->schema[i].first, &v[i]);
}

static void put_value(struct ctm_cbor_w *w, const struct ctm_setting *s, const struct ctm_value *v)
{
	ctm_cbor_put_str(w, s->name);
	if (s->type == CTM_SET_TEXT)
		ctm_cbor_put_str(w, v->text);
	else if (s->type == CTM_SET_ENUM)
		ctm_cbor_put_str(w, s->values[v->i]);
	else if (s->type == CTM_SET_BOOL)
		ctm_cbor_put_bool(w, v->i != 0);
	else
		ctm_cbor_put_int(w, v->i);
}

static int take_text(const struct ctm_setting *s, struct ctm_bytes b, struct ctm_value *v)
{
	if (s->type == CTM_SET_TEXT && b.n < sizeof v->text) {
		if (b.n)
			memcpy(v->text, b.p, b.n);
		return ctm_config_check(s, v);
	}
	for (v->i = 0; s->type == CTM_SET_ENUM && v->i < s->nvalues; v->i++)
		if (strlen(s->values[v->i]) == b.n && memcmp(s->values[v->i], b.p, b.n) == 0)
			return 0;
	return CTM_SDK_INPUT;
}

int ctm_config_read(const struct ctm_config *c, struct ctm_cbor_r *r, struct ctm_value *v)
{
	static const enum ctm_cbor_type plain[] = { CTM_CBOR_SIMPLE, CTM_CBOR_UINT };
	struct ctm_bytes name = ctm_cbor_text(r), text;
	int i = r->err ? CTM_SDK_INPUT : ctm_config_find(c, (const char *)name.p, name.n), rc;
	enum ctm_cbor_type is = ctm_cbor_peek(r);
	const struct ctm_setting *s;

	memset(v, 0, sizeof *v);
	if (i < 0) {
		ctm_cbor_skip(r);
		return i;
	}
	s = &c->schema[i];
	if (is == CTM_CBOR_TEXT) {
		text = ctm_cbor_text(r);
		rc = r->err ? r->err : take_text(s, text, v);
	} else if (s->type <= CTM_SET_INT && (is == plain[s->type] || (is == CTM_CBOR_NINT && s->type == CTM_SET_INT))) {
		v->i = s->type == CTM_SET_BOOL ? ctm_cbor_bool(r) : ctm_cbor_int(r);
		rc = r->err ? r->err : ctm_config_check(s, v);
	} else {
		ctm_cbor_skip(r);
		rc = CTM_SDK_INPUT;
	}
	return rc ? CTM_SDK_INPUT : i;
}

static int store(const struct ctm_config *c, const char *record, uint64_t boots, uint64_t trial_s, uint64_t document,
		 const struct ctm_value *values)
{
	const uint64_t facts[FACTS] = { c->generation + 1, document, boots, trial_s };
	uint8_t buf[CTM_CONFIG_BYTES];
	struct ctm_cbor_w w = ctm_cbor_writer(buf, sizeof buf);
	int rc;

	ctm_cbor_put_array(&w, FACTS + c->n * 2);
	for (int i = 0; i < FACTS; i++)
		ctm_cbor_put_uint(&w, facts[i]);
	for (size_t i = 0; i < c->n; i++) {
		if (ctm_config_check(&c->schema[i], &values[i]))
			return CTM_SDK_INPUT;
		put_value(&w, &c->schema[i], &values[i]);
	}
	rc = w.err ? w.err : ctm_record_store(c->port, record, buf, w.len);
	ctm_sdk_wipe(buf, sizeof buf);
	return rc;
}

/* Facts and values of a record; what it does not hold stays as it is. NONE when there is none or it is of another form. */
static int load(const struct ctm_config *c, const char *record, uint64_t facts[FACTS], struct ctm_value *values)
{
	uint8_t buf[CTM_CONFIG_BYTES];
	struct ctm_value v;
	struct ctm_cbor_r r;
	size_t n = 0, items;
	int rc = ctm_record_load(c->port, record, buf, sizeof buf, &n);

	if (rc)
		return rc == CTM_SDK_TOOBIG ? CTM_SDK_NONE : rc;        /* of a version that had more settings */
	r = ctm_cbor_reader(buf, n);
	items = ctm_cbor_array(&r);
	for (int i = 0; i < FACTS; i++)
		facts[i] = ctm_cbor_uint(&r);
	if (r.err)
		return CTM_SDK_NONE;
	for (size_t i = FACTS; values && i + 1 < items && !r.err; i += 2) {
		int at = ctm_config_read(c, &r, &v);

		if (at >= 0)
			values[at] = v;
	}
	ctm_sdk_wipe(buf, sizeof buf);
	return 0;
}

/* What is kept, in force. */
static int load_kept(struct ctm_config *c)
{
	uint64_t facts[FACTS] = { 0 };
	int rc;

	defaults(c, c->value, false);
	c->on_trial = false;
	rc = load(c, KEPT, facts, c->value);
	if (rc && rc != CTM_SDK_NONE)
		return rc;
	c->generation = facts[0];
	c->document = facts[1];
	return 0;
}

static int keep(struct ctm_config *c, const struct ctm_value *values, uint64_t document)
{
	int rc = store(c, KEPT, 0, 0, document, values);

	if (rc)
		return rc;
	c->generation++;
	c->document = document;
	c->on_trial = false;
	memmove(c->value, values, c->n * sizeof values[0]);
	return 0;
}

static int try(struct ctm_config *c, const struct ctm_value *values, uint8_t boots, uint32_t trial_s, uint64_t document)
{
	int rc = store(c, TRIED, boots, trial_s, document, values);

	if (rc)
		return rc;
	c->on_trial = true;
	c->boots_left = boots;
	c->trial_s = trial_s;
	c->document = document;
	c->until_ms = c->port->mono_ms(c->port->ctx) + (int64_t)trial_s * 1000;
	if (values != c->value)
		memmove(c->value, values, c->n * sizeof values[0]);
	return 0;
}

int ctm_config_revert(struct ctm_config *c)
{
	uint64_t document = c->document;
	int rc;

	if (!c->on_trial)
		return CTM_SDK_STATE;
	rc = load_kept(c);
	return rc ? rc : keep(c, c->value, document);   /* the document had its chance */
}

int ctm_config_load(struct ctm_config *c)
{
	uint64_t facts[FACTS];
	int rc = load_kept(c);

	c->reverted = false;
	if (rc)
		return rc;
	rc = load(c, TRIED, facts, NULL);
	if (rc || facts[0] <= c->generation)
		return rc == CTM_SDK_NONE ? 0 : rc;
	if (!facts[2]) {
		c->reverted = true;
		return keep(c, c->value, facts[1]);
	}
	rc = load(c, TRIED, facts, c->value);
	return rc ? rc : try(c, c->value, (uint8_t)(facts[2] - 1), (uint32_t)facts[3], facts[1]);
}

static int judge(const struct ctm_config *c, const struct ctm_change *change, size_t i)
{
	const struct ctm_setting *s = &c->schema[i];
	const struct ctm_value *v = &change->values[i];

	if (ctm_config_check(s, v))
		return CTM_SDK_INPUT;
	if ((s->writers ? s->writers : CTM_WRITER_OWNER) & change->writer)
		return 0;
	return s->type == CTM_SET_TEXT ? strcmp(v->text, c->value[i].text) != 0 : v->i != c->value[i].i;
}

int ctm_config_change(struct ctm_config *c, const struct ctm_change *change, size_t *bad)
{
	uint64_t document = change->document ? change->document : c->document;

	for (size_t i = 0; i < c->n; i++) {
		int rc = judge(c, change, i);

		if (rc) {
			if (bad)
				*bad = i;
			return rc == CTM_SDK_INPUT ? rc : CTM_SDK_AUTH;
		}
	}
	return change->trial_s ? try(c, change->values, CTM_CONFIG_BOOTS, change->trial_s, document) : keep(c, change->values, document);
}

int ctm_config_confirm(struct ctm_config *c)
{
	return c->on_trial ? keep(c, c->value, c->document) : CTM_SDK_STATE;
}

int ctm_config_tick(struct ctm_config *c)
{
	int rc;

	if (!c->on_trial || c->port->mono_ms(c->port->ctx) < c->until_ms)
		return 0;
	rc = ctm_config_revert(c);
	return rc ? rc : 1;
}

int ctm_config_reset(struct ctm_config *c)
{
	int rc;

	/* Over the newest copy's elder, then over the newest: neither keeps what the owner had set. */
	defaults(c, c->value, true);
	rc = keep(c, c->value, c->document);
	if (!rc)
		rc = keep(c, c->value, c->document);
	return rc ? rc : ctm_record_erase(c->port, TRIED);
}
