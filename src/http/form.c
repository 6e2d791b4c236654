/* SPDX-License-Identifier: Apache-2.0 */
#include "http/form.h"
#include "base/text.h"
#include <string.h>

const struct ctm_pair *ctm_form_find(const struct ctm_pairs *pairs, const char *name)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (!strcmp(pairs->at[i].name, name))
			return &pairs->at[i];
	return NULL;
}

int ctm_form_add(struct ctm_pairs *pairs, const char *name, const char *value, size_t len, struct ctm_err *err)
{
	if (!*name)
		return ctm_fail(err, CTM_E_SYNTAX, NULL, NULL, "a field without a name is not accepted");
	if (strlen(name) > CTM_FORM_NAME)
		return ctm_fail(err, CTM_E_SYNTAX, NULL, NULL, "a field name is longer than %d bytes", CTM_FORM_NAME);
	if (ctm_form_find(pairs, name))
		return ctm_fail(err, CTM_E_SYNTAX, name, NULL, "%s is given twice; give it once", name);
	if (pairs->n == CTM_FORM_PAIRS)
		return ctm_fail(err, CTM_E_TOOBIG, NULL, NULL, "more than %d fields in one request", CTM_FORM_PAIRS);
	pairs->at[pairs->n++] = (struct ctm_pair){ name, value, len };
	return 0;
}

/* Decode one component into the arena. A name that is not clean is not echoed. */
static int decode(const char *p, size_t n, const char *name, struct ctm_arena *arena, const char **out, size_t *len, struct ctm_err *err)
{
	CTM_AUTO_BUF b = CTM_BUF(n + 1);
	if (ctm_url_unescape(p, n, true, &b))
		return ctm_fail(err, CTM_E_SYNTAX, name, NULL, "%s holds a malformed percent escape", name ? name : "a field name");
	if (b.len && (memchr(b.p, 0, b.len) || !ctm_utf8_valid(b.p, b.len)))
		return ctm_fail(err, CTM_E_SYNTAX, name, NULL, "%s is not UTF-8 text", name ? name : "a field name");
	if (!name && b.len && (!ctm_text_printable(b.p, b.len) || memchr(b.p, '\n', b.len)))
		return ctm_fail(err, CTM_E_SYNTAX, NULL, NULL, "a field name holds control characters");
	char *s = ctm_arena_ndup(arena, ctm_buf_cstr(&b), b.len);
	if (!s)
		return ctm_fail(err, CTM_E_NOMEM, name, NULL, "no memory for the request");
	*out = s;
	*len = b.len;
	return 0;
}

static int parse_pair(const char *p, size_t n, struct ctm_arena *arena, struct ctm_pairs *out, struct ctm_err *err)
{
	const char *eq = memchr(p, '=', n), *name, *value = "";
	size_t nlen, vlen = 0;
	int rc = decode(p, eq ? (size_t)(eq - p) : n, NULL, arena, &name, &nlen, err);
	if (rc)
		return rc;
	if (nlen > CTM_FORM_NAME)
		return ctm_fail(err, CTM_E_SYNTAX, NULL, NULL, "a field name is longer than %d bytes", CTM_FORM_NAME);
	if (eq && (rc = decode(eq + 1, n - (size_t)(eq + 1 - p), name, arena, &value, &vlen, err)))
		return rc;
	return ctm_form_add(out, name, value, vlen, err);
}

int ctm_form_parse(const char *p, size_t n, struct ctm_arena *arena, struct ctm_pairs *out, struct ctm_err *err)
{
	size_t before = out->n;
	while (n) {
		const char *amp = memchr(p, '&', n);
		size_t len = amp ? (size_t)(amp - p) : n;
		int rc = len ? parse_pair(p, len, arena, out, err) : 0;
		if (rc) {
			out->n = before;
			return rc;
		}
		p += len + (amp != NULL);
		n -= len + (amp != NULL);
	}
	return 0;
}
